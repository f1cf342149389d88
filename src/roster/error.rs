//! Why a roster cannot be written or read. No message holds anything of a patient.

use std::io;
use std::path::PathBuf;

/// Why a roster cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The file cannot be written.
    #[error("cannot write the roster {}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There are more patients than rows can be numbered.
    #[error("there are more than {} million patients", crate::roster::term::MOST_ROWS >> 20)]
    TooMany,
}

/// Why a roster cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be read.
    #[error("the roster {} cannot be read", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no roster, or one of another version.
    #[error("{} is no roster that this version reads", path.display())]
    NoRoster {
        /// Which file.
        path: PathBuf,
    },
    /// It was built with another key.
    #[error("the roster {} was built with another key", path.display())]
    OtherKey {
        /// Which file.
        path: PathBuf,
    },
    /// It is shorter or longer than it says.
    #[error("the roster {} is cut off: it has {found} bytes of {expected}", path.display())]
    Length {
        /// Which file.
        path: PathBuf,
        /// How long it is.
        found: u64,
        /// How long it says it is.
        expected: u64,
    },
    /// Some byte of it is not as it was written.
    #[error("the roster {} was altered or damaged", path.display())]
    Altered {
        /// Which file.
        path: PathBuf,
    },
}

impl OpenError {
    /// What to do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Read { .. } => {
                "mend the path or the file's rights, or build it with `postward roster build`"
            }
            Self::NoRoster { .. } => {
                "name a file that `postward roster build` of this version wrote, or build it again"
            }
            Self::OtherKey { .. } => {
                "name the key it was built with, or build it again with this one: `postward roster build`"
            }
            Self::Length { .. } | Self::Altered { .. } => {
                "build it again with `postward roster build`, or copy it again; replace it by renaming, never in place"
            }
        }
    }
}
