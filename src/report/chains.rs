//! Whether the lines that a report was made from hang together, and where they do not.

use std::cmp::Ordering;

use sha2::{Digest as _, Sha256};

use crate::audit::{Entry, LineSource, Seen};

/// Most faults that are told apart; the others are counted.
const MOST: usize = 50;

/// Before the first line of all.
const NONE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One chain, over as many files as hold it.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Who wrote it.
    pub node: String,
    /// The files, or what else holds it, in order.
    pub sources: Vec<String>,
    /// Where it begins: number, time, and the hash that its first line names as the one before.
    pub first: (u64, String, String),
    /// Where it ends: number, time, and hash, which is the head.
    pub last: (u64, String, String),
    /// Lines that hold.
    pub n_lines: u64,
    /// Lines that a crash tore.
    pub n_torn: u64,
    /// The first links that do not hold.
    pub breaks: Vec<Break>,
    /// How many there are in all.
    pub n_breaks: u64,
    /// How it begins, where that is not with the first line of all.
    pub begins: Begins,
}

/// How a chain begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Begins {
    /// With the first line of all.
    AtFirst,
    /// After lines that were removed by rule, as the chain itself says.
    AfterRetired,
    /// After lines that were not given.
    AfterMissing,
    /// After another chain of these that ends where it goes on.
    AfterAnother,
}

/// A link that does not hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Break {
    /// The file, or what else holds it.
    pub source: String,
    /// Its line there, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// All chains, as they are read.
#[derive(Debug, Default)]
pub(super) struct Chains {
    all: Vec<Chain>,
    /// Heads of what was removed by rule.
    retired: Vec<String>,
    /// Sources in which there was no line of an audit.
    pub(super) empty: Vec<String>,
}

/// Where in a source the reader is.
struct At {
    source: String,
    line: usize,
    /// The chain that it belongs to, once a line has said so.
    chain: Option<usize>,
    /// A fragment that the next line may explain: its line, its length, its hash.
    fragment: Option<(usize, u64, String)>,
}

impl Chains {
    /// Reads one source, and hands over each line that is whole.
    pub(super) fn read(
        &mut self,
        lines: &mut dyn LineSource,
        mut each: impl FnMut(&Entry),
    ) -> std::io::Result<()> {
        let mut at = At { source: lines.name(), line: 0, chain: None, fragment: None };
        while let Some((number, line, fits)) = lines.next_line()? {
            at.line = number;
            match if fits { Entry::read(line) } else { Seen::Fragment } {
                Seen::Whole(entry) => {
                    self.whole(&entry, &mut at);
                    each(&entry);
                }
                Seen::Changed(entry) => {
                    let why = "it was changed: its hash is not that of its words";
                    self.goes_on(&entry, &mut at, Some(why));
                }
                Seen::Fragment => self.fragment(line, &mut at),
            }
        }
        match (at.fragment.take(), at.chain) {
            // What a crash leaves, until the next start says so.
            (Some(_), Some(chain)) => {
                self.all.get_mut(chain).into_iter().for_each(|chain| chain.n_torn += 1);
            }
            (_, None) => self.empty.push(at.source),
            (None, Some(_)) => {}
        }
        Ok(())
    }

    fn whole(&mut self, entry: &Entry, at: &mut At) {
        if entry.event == "retired" && self.retired.len() < 10_000 {
            self.retired.push(entry.head.clone());
        }
        let fragment = at.fragment.take();
        let index = self.goes_on(entry, at, None);
        let Some(chain) = self.all.get_mut(index) else { return };
        if let Some((line, n_bytes, hash)) = fragment {
            if entry.event == "torn" && (entry.bytes, &entry.sha256) == (n_bytes, &hash) {
                chain.n_torn += 1;
            } else {
                chain.breaks_at(&at.source, line, NO_LINE);
            }
        }
        chain.n_lines += 1;
    }

    /// Puts a line at the end of its chain, and says of which. What is wrong with it, or with its place, is noted.
    fn goes_on(&mut self, entry: &Entry, at: &mut At, fault: Option<&str>) -> usize {
        let index = match at.chain {
            Some(index) => index,
            None => self.chain_of(entry, &at.source),
        };
        let is_first = at.chain.is_none();
        at.chain = Some(index);
        let Some(chain) = self.all.get_mut(index) else { return index };
        if chain.sources.last() != Some(&at.source) {
            chain.sources.push(at.source.clone());
        }
        let due = chain.last.0.saturating_add(1);
        // The first line of a source was put where it belongs.
        if let Some(why) = fault {
            chain.breaks_at(&at.source, at.line, why);
        } else if !is_first && (entry.prev != chain.last.2 || entry.seq != due) {
            let seq = entry.seq;
            let why = match seq.cmp(&due) {
                Ordering::Greater => format!("lines are missing before it: it is number {seq}, and number {due} is due"),
                Ordering::Less => format!("it is out of order or stands here twice: it is number {seq}, and number {due} is due"),
                Ordering::Equal => "it does not follow the line before it: that line was changed together with its hash, or is of another chain".to_owned(),
            };
            chain.breaks_at(&at.source, at.line, &why);
        }
        chain.last = (entry.seq, entry.time.clone(), entry.hash.clone());
        index
    }

    fn fragment(&mut self, line: &[u8], at: &mut At) {
        let before = at.fragment.take();
        let Some(index) = at.chain.or_else(|| {
            // Before any line of this source: a file may begin with what a crash left, and its end says whose it is.
            (at.line > 1).then(|| self.all.len().checked_sub(1)).flatten()
        }) else {
            at.fragment = Some((at.line, line.len() as u64, hex(line)));
            return;
        };
        // A crash tears one line at most.
        if let (Some((line, ..)), Some(chain)) = (before, self.all.get_mut(index)) {
            chain.breaks_at(&at.source, line, NO_LINE);
        }
        at.fragment = Some((at.line, line.len() as u64, hex(line)));
    }

    /// The chain that a source's first line goes on with, or a new one.
    fn chain_of(&mut self, entry: &Entry, source: &str) -> usize {
        let goes_on = |chain: &Chain| {
            chain.last.2 == entry.prev && chain.last.0.checked_add(1) == Some(entry.seq)
        };
        if let Some(index) = self.all.iter().position(goes_on) {
            return index;
        }
        self.all.push(Chain {
            node: entry.node.clone(),
            sources: vec![source.to_owned()],
            first: (entry.seq, entry.time.clone(), entry.prev.clone()),
            last: (entry.seq.saturating_sub(1), String::new(), entry.prev.clone()),
            n_lines: 0,
            n_torn: 0,
            breaks: Vec::new(),
            n_breaks: 0,
            begins: Begins::AtFirst,
        });
        self.all.len() - 1
    }

    /// All chains, each with how it begins.
    pub(super) fn finish(mut self) -> (Vec<Chain>, Vec<String>) {
        let heads: Vec<(String, u64)> =
            self.all.iter().map(|chain| (chain.last.2.clone(), chain.last.0)).collect();
        for chain in &mut self.all {
            let (seq, _, prev) = &chain.first;
            chain.begins = if *seq == 1 && prev == NONE {
                Begins::AtFirst
            } else if heads
                .iter()
                .any(|(head, last)| head == prev && last.saturating_add(1) == *seq)
            {
                Begins::AfterAnother
            } else if self.retired.contains(prev) {
                Begins::AfterRetired
            } else {
                Begins::AfterMissing
            };
        }
        (self.all, self.empty)
    }
}

impl Chain {
    /// Whether every link holds.
    pub const fn holds(&self) -> bool {
        self.n_breaks == 0
    }

    fn breaks_at(&mut self, source: &str, line: usize, why: &str) {
        self.n_breaks += 1;
        if self.breaks.len() < MOST {
            self.breaks.push(Break { source: source.to_owned(), line, why: why.to_owned() });
        }
    }
}

const NO_LINE: &str = "it is no audit line: something was written over it or put in";

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
