//! What a panic may say: where, never what. A slice panic quotes the string it failed on, and that may be a post.

use std::io::{self, Write as _};
use std::panic;

/// Makes every panic of this process print its location and thread only.
pub fn hide_payloads() {
    panic::set_hook(Box::new(|info| {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("unnamed");
        let mut out = io::stderr().lock();
        // Where standard error is closed there is nobody to tell, and a panic within a panic would end the process.
        let _ = match info.location() {
            Some(at) => writeln!(
                out,
                "postward: panic at {}:{}:{} in thread {name}",
                at.file(),
                at.line(),
                at.column()
            ),
            None => writeln!(out, "postward: panic in thread {name}"),
        };
    }));
}
