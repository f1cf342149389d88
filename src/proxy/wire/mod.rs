//! The strict reader of HTTP/1 requests, in front of hyper: hyper reads only bytes that were checked here and written
//! anew, so there are no two readers of a client's bytes that could disagree.
//!
//! `Machine` is bytes in, bytes out, and knows no socket; `Filter` puts it round a stream. What is refused gets a plain
//! answer and the end of its connection, and never reaches hyper.

pub mod check;
mod chunk;
mod fault;
mod filter;
mod head;
mod line;
mod link;
mod machine;
mod octet;

pub(crate) use self::fault::Fault;
pub(crate) use self::filter::Filter;
pub(crate) use self::line::is_method;
pub(crate) use self::link::Link;
pub(crate) use self::machine::Caps;
pub(crate) use self::octet::{is_path, is_query};
