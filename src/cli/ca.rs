use crate::cli::args;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
pub(crate) fn run(_args: &args::CaInit) -> Result<Exit, Failure> { todo!() }
