//! Why a command could not do its work, and how that is said: the chain of causes and one `help:` line.

use std::error::Error;
use std::fmt::Write as _;
use std::io;

use crate::app::chain;
use crate::cli::exit::Exit;
use crate::cli::{diagnostics, style};
use crate::diagnostic::Diagnostic;

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Files somebody wrote for us cannot be used.
    Files(Vec<Diagnostic>),
    /// Something else went wrong.
    Other {
        /// What, with its causes.
        error: Box<dyn Error + Send + Sync>,
        /// What to do about it.
        help: Option<String>,
    },
    /// Whoever read our output has gone (`postward scan | head`): there is nobody to tell.
    OutputClosed,
}

impl Failure {
    /// A failure with its remedy.
    pub(crate) fn new(
        error: impl Into<Box<dyn Error + Send + Sync>>,
        help: impl Into<String>,
    ) -> Self {
        Self::Other { error: error.into(), help: Some(help.into()) }
    }

    /// A failure that says all there is to say.
    pub(crate) fn plain(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Other { error: error.into(), help: None }
    }

    /// Says it on standard error and gives the exit.
    pub(crate) fn report(self) -> Exit {
        match self {
            Self::Files(faults) => {
                diagnostics::print(&faults);
                Exit::BadFiles
            }
            Self::Other { error, help } => {
                let mut text =
                    format!("{}: {}", style::paint(style::ERROR, "error"), chain(error.as_ref()));
                if let Some(help) = help {
                    let _ = write!(text, "\n{}: {help}", style::paint(style::HELP, "help"));
                }
                style::to_stderr(&text);
                Exit::Failed
            }
            Self::OutputClosed => Exit::Failed,
        }
    }
}

/// Writing our output is the only bare I/O a command does; everything else names its file.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::OutputClosed;
        }
        Self::plain(Context { what: "cannot write the output".into(), source: error })
    }
}

/// An I/O error with what was attempted.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Context {
    /// What was attempted, such as `cannot read posts.txt`.
    pub(crate) what: String,
    /// Why it failed.
    pub(crate) source: io::Error,
}

impl Context {
    /// The failure `cannot <verb> <file>`.
    pub(crate) fn file(verb: &str, file: &std::path::Path, source: io::Error) -> Self {
        Self { what: format!("cannot {verb} {}", file.display()), source }
    }
}

#[cfg(test)]
mod tests {
    use super::Context;
    use crate::app::chain;

    #[test]
    fn causes_follow_on_one_line() {
        let error =
            Context::file("read", "posts.txt".as_ref(), std::io::Error::other("no such disk"));
        assert_eq!(chain(&error), "cannot read posts.txt: no such disk");
    }
}
