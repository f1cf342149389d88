//! What a panic may say: where, never what. A slice panic quotes the string it failed on, and that may be a post.

use std::panic;

/// Makes every panic of this process print its location and thread only.
#[expect(
    clippy::print_stderr,
    reason = "a panic may come before logging is set up, or from within it"
)]
pub fn hide_payloads() {
    panic::set_hook(Box::new(|info| {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("unnamed");
        match info.location() {
            Some(at) => eprintln!(
                "postward: panic at {}:{}:{} in thread {name}",
                at.file(),
                at.line(),
                at.column()
            ),
            None => eprintln!("postward: panic in thread {name}"),
        }
    }));
}
