//! A period of the audit for people: what was decided, by which rules, and whether the record is whole.
//!
//! Made from the audit alone, line by line, so that it says nothing that the audit does not keep: no text of a post, and of
//! clients no more than how many posts their groups sent. Memory is that of the counts, however long the audit is.

mod chains;
mod counts;
mod gaps;
mod gather;
mod page;
mod parts;
mod plot;
mod words;

pub use chains::{Begins, Break, Chain};
pub use counts::{Tally, Verdicts};
pub use gather::{Report, Scope, gather};
pub use page::page;

#[cfg(test)]
mod tests;
