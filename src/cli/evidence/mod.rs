//! `audit export` and `audit report`: what the audit says, for other programs and for people.

pub(crate) mod args;
mod export;
mod report;

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::audit::{self, KeptIn, LineSource};
use crate::cli::failure::{Context, Failure};

pub(crate) use export::run as export;
pub(crate) use report::run as report;

/// The files in order, each opened when its turn comes, and a file brings its rotated ones along; then each chain of the
/// databases.
fn opened(given: &[PathBuf]) -> impl Iterator<Item = io::Result<Box<dyn LineSource>>> {
    let named = |given: &PathBuf| given.to_str().and_then(KeptIn::parse);
    let files: Vec<PathBuf> =
        given.iter().filter(|given| named(given).is_none()).cloned().collect();
    let databases: Vec<_> = given.iter().filter_map(named).collect();
    let chains = databases.into_iter().flat_map(|database| {
        let chains = database.map_err(io::Error::other).and_then(|database| database.chains());
        match chains {
            Ok(chains) => {
                chains.into_iter().map(|chain| Ok(Box::new(chain) as Box<dyn LineSource>)).collect()
            }
            Err(fault) => vec![Err(fault)],
        }
    });
    let files = audit::with_segments(&files);
    let files = files.into_iter().map(|file| {
        // The system names standard input as a file.
        let file = if file.as_os_str() == "-" { PathBuf::from("/dev/stdin") } else { file };
        audit::open_lines(&file)
    });
    files.chain(chains)
}

fn unreadable(source: io::Error) -> Failure {
    Failure::plain(Context { what: "cannot read the audit".into(), source })
}

/// Writes a whole file or none: beside its place first, then under its name. For its owner only.
fn to_file<T>(
    file: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let failed = |source| Failure::plain(Context::file("write", file, source));
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    // Anything but a file of its own, such as /dev/stdout, is written as it is.
    if file.exists() && !file.is_file() {
        let mut plain = OpenOptions::new().write(true).mode(0o600).open(file).map_err(failed)?;
        let done = write(&mut plain)?;
        return Ok(done);
    }
    let beside =
        tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    let mut buffered = BufWriter::new(beside);
    let done = write(&mut buffered)?;
    let beside = buffered.into_inner().map_err(|error| failed(error.into_error()))?;
    beside.as_file().sync_all().map_err(failed)?;
    beside.persist(file).map_err(|error| failed(error.error))?;
    Ok(done)
}
