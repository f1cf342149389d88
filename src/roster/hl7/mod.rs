//! HL7 v2: messages about admissions, as hospitals' systems send them to each other since 1987.
//!
//! Our own reader, because what is needed is small and strict: a few segments of one family of messages (ADT), every
//! length bounded, no word of a message in an error, and the character sets that real senders declare.

mod answer;
mod event;
mod message;
mod patient;
mod source;

pub use answer::answer;
pub use event::{Act, Event};
pub use message::{Fault, Message};
pub use source::Hl7Source;

pub(super) use event::{Given, RecordNumber, read as read_event};
