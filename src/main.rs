//! The `postward` program. All it does stands in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    postward::cli::main(std::env::args_os())
}
