//! The `postward` program. All it does stands in the library, but for where its memory comes from.

use std::alloc::System;
use std::process::ExitCode;

use zeroizing_alloc::ZeroAlloc;

/// Every block is overwritten as it is freed, also the old one where a buffer grows: no text of a post stays behind in
/// memory that nobody owns, whichever library's buffer it stood in.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    postward::cli::main(std::env::args_os())
}
