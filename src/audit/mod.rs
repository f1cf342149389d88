//! The record for compliance: one JSON line an event, hash-chained, never any text of a post.

mod chain;
mod clock;
mod entry;
mod event;
mod export;
mod find;
mod id;
mod keep;
mod keeper;
mod line;
mod lines;
mod naming;
mod previous;
mod segments;
mod sink;
mod sinks;
mod source;
mod store;
mod tail;
mod verify;
mod way;
mod writer;

pub use entry::{Entry, EntryFinding, EntryShadow, Seen};
pub use event::{Change, Event, Hashes, Identity, Outcome, What};
pub use export::{COLUMNS, Exported, Format, Wanted, export};
pub use find::{Found, find};
pub use keep::{Held, Keep, Period};
pub use naming::{NameKey, NameKeyError, Naming, Said};
pub use segments::{Segment, segments, with_segments};
pub use sink::{Audit as FileAudit, AuditError, AuditSettings, Sync};
pub use sinks::{
    Facility, KeptChain, KeptIn, PostgresAddressError, PostgresSettings, SinkKind, SinkSettings,
    SinkStatus, SqliteSettings, SyslogFormat, SyslogSettings,
};
pub use source::{LineSource, NextLine, open_lines};
pub use verify::{BrokenLink, ChainReport, verify, verify_kept};
pub use way::{Audit, Opening, Released};

#[cfg(test)]
mod tests;
