//! Nothing leaks: canaries are sent through every path of the real program, and every byte that it wrote anywhere is
//! searched for them.
//!
//! What Postward may write of a post, and where, is a closed list. Everything else is a leak.
//!
//! | where | what | why |
//! | --- | --- | --- |
//! | a platform's connection | a post that the verdict lets go on, as it was or as redacted | that is what it is for |
//! | a client's connection | what the platform answers | it is the client's own account |
//! | a client's connection | its own `Origin`, and the words of its pings | HTTP and RFC 6455 have them said back |
//! | `scan`, standard output | the posts, what was found in them, and what becomes of them; with `--format jsonl` only ids and the redacted text, unless `--explain` asks for the words that a score is made of | it is asked to |
//! | `eval --missed`, `--false-alarms`, standard output | the marks in question | it is asked to |
//! | faults of a configuration file | the line of the file that is wrong | the officer who wrote it mends it |
#![expect(
    clippy::too_many_lines,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::print_stdout,
    reason = "cases are tables, requests are put together of text, and what was searched is said"
)]
#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be set up has failed"
)]

mod broken;
mod canary;
mod case;
mod cli;
mod crash;
mod dumps;
mod everywhere;
mod house;
mod memory;
mod places;
mod platforms;
mod posts;
mod run;
mod secrets;
mod spool;
