//! A panic may say where, never what: a slice panic prints the string it failed on, and that string may be a post.

use std::panic::PanicHookInfo;

use crate::cli::style;

/// Replaces the standard hook for every thread of the program.
pub(crate) fn install() {
    std::panic::set_hook(Box::new(|info| style::to_stderr(&said(info))));
}

fn said(info: &PanicHookInfo<'_>) -> String {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("unnamed");
    match info.location() {
        Some(at) => {
            format!("panic in thread {name} at {}:{}:{}", at.file(), at.line(), at.column())
        }
        None => format!("panic in thread {name}"),
    }
}
