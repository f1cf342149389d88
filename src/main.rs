//! The `postward` program. All it does stands in the library, but for where its memory comes from.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use zeroizing_alloc::ZeroAlloc;

/// Every block is overwritten as it is freed, also the old one where a buffer grows: no text of a post stays behind in
/// memory that nobody owns, whichever library's buffer it stood in. The blocks are mimalloc's: a post is some hundred small
/// texts, made on one thread and often dropped on another, and glibc's arenas took a sixth of what it costs.
#[global_allocator]
static MEMORY: ZeroAlloc<MiMalloc> = ZeroAlloc(MiMalloc);

fn main() -> ExitCode {
    postward::cli::main(std::env::args_os())
}
