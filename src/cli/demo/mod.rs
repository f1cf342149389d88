use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
pub(crate) fn run() -> Result<Exit, Failure> { todo!() }
