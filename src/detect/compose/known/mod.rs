//! Whom of the hospital's own a post speaks of: its words, numbers and days asked of the roster.
//!
//! What is found counts by the logic of rows. Two columns of one row (a name and a day of birth, a first name and a
//! room) are certain. A name alone weighs by how seldom strangers bear it: in the population, in this roster, among
//! those in the house. What staff bear, too, weighs against. Nothing here says which row it was.

mod field;
mod name;
mod weight;

use std::collections::BTreeMap;

use crate::detect::compose::words::Reading;
use crate::detect::compose::{Composer, Desk, Proposal, Standing};
use crate::roster::{Day, Index, Roster, RowNumber};
use crate::span::Span;

use name::Mention;

/// What two of make a row certain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Columns(u16);

impl Columns {
    const NAME: Self = Self(1);
    const BIRTH: Self = Self(2);
    const NUMBER: Self = Self(4);
    const PHONE: Self = Self(8);
    const EMAIL: Self = Self(16);
    const STREET: Self = Self(32);
    const ROOM: Self = Self(64);
    const RELATIVE: Self = Self(128);

    const fn are_two(self) -> bool {
        self.0.count_ones() >= 2
    }
}

/// One index with the day on which it is asked.
#[derive(Clone, Copy)]
struct Asked<'a> {
    index: &'a Index,
    roster: &'a Roster,
    nth: usize,
    today: Day,
}

/// A number, address or day of a row's, where it stands.
#[derive(Clone, Debug)]
struct Field {
    composer: Composer,
    column: Columns,
    words: (usize, usize),
    span: Span,
    rows: Vec<RowNumber>,
    /// Whether it names one row by itself: no stranger's is likely to be the same.
    certain: bool,
}

/// Reads all texts of a post against the roster: raises what was proposed, proposes what only the roster knows.
pub(super) fn read(
    roster: &Roster,
    readings: &[Reading<'_>],
    desk: Desk<'_>,
    proposals: &mut [Vec<Proposal>],
) {
    let today = Day::of(desk.today);
    let mut mentioned: Vec<Vec<Mention>> = readings.iter().map(|_| Vec::new()).collect();
    for (nth, index) in roster.indexes.iter().enumerate() {
        let asked = Asked { index, roster, nth, today };
        of_index(asked, readings, desk, proposals, &mut mentioned);
    }
    for ((reading, proposals), mentions) in readings.iter().zip(proposals).zip(&mentioned) {
        weight::weigh(roster, reading, desk, mentions, proposals);
    }
}

fn of_index(
    asked: Asked<'_>,
    readings: &[Reading<'_>],
    desk: Desk<'_>,
    proposals: &mut [Vec<Proposal>],
    mentioned: &mut [Vec<Mention>],
) {
    let mut rows: BTreeMap<RowNumber, Columns> = BTreeMap::new();
    let mut note = |row: RowNumber, column: Columns| {
        let columns = rows.entry(row).or_insert(Columns(0));
        columns.0 |= column.0;
    };
    let mut fields: Vec<Vec<Field>> =
        readings.iter().map(|reading| field::numbers(asked, reading)).collect();
    let mut mentions = Vec::new();
    for (reading, proposals) in readings.iter().zip(proposals.iter()) {
        let words = name::words(asked, reading, desk, proposals);
        mentions.push((name::mentions(asked, reading, desk, proposals, &words), words));
    }
    for (_, words) in &mentions {
        for (fields, (reading, proposals)) in
            fields.iter_mut().zip(readings.iter().zip(proposals.iter()))
        {
            fields.extend(field::births(asked, reading, proposals, words));
        }
    }
    for (fields, (reading, (mentions, words))) in
        fields.iter_mut().zip(readings.iter().zip(&mentions))
    {
        fields.extend(field::places(asked, reading, mentions, words));
    }
    for mention in mentions.iter().flat_map(|(mentions, _)| mentions) {
        let column = if mention.relative { Columns::RELATIVE } else { Columns::NAME };
        mention.rows.iter().for_each(|row| note(*row, column));
    }
    for field in fields.iter().flatten() {
        field.rows.iter().for_each(|row| note(*row, field.column));
        // A row that a number led to says itself whether a name of the post is its own.
        for row in &field.rows {
            let Some(kept) = asked.index.row(*row) else { continue };
            let is_own = |word: &name::Known| {
                word.named && word.alternatives.iter().any(|known| kept.has_word(known.number))
            };
            if mentions.iter().any(|(_, words)| words.iter().any(is_own)) {
                note(*row, Columns::NAME);
            }
        }
    }
    let sure = |row: &RowNumber| rows.get(row).is_some_and(|columns| columns.are_two());
    for ((fields, proposals), reading) in fields.iter().zip(proposals.iter_mut()).zip(readings) {
        for field in fields {
            let certain = field.certain || field.rows.iter().any(sure);
            add(reading, field, certain, proposals);
        }
    }
    for ((mut mentions, words), (kept, reading)) in
        mentions.into_iter().zip(mentioned.iter_mut().zip(readings))
    {
        for mention in &mut mentions {
            mention.certain |= mention.rows.iter().any(sure);
        }
        // A name that only a number's row knows is a finding, too.
        let rows: Vec<_> =
            rows.iter().filter(|(_, columns)| columns.are_two()).map(|(row, _)| *row).collect();
        mentions.extend(name::of_rows(asked, reading, &rows, &words, &mentions));
        kept.extend(mentions);
    }
}

/// Proposes a field. What is not certain by itself counts where the rest of the post is about a patient.
fn add(reading: &Reading<'_>, field: &Field, certain: bool, proposals: &mut Vec<Proposal>) {
    // A day is found by the name beside it or not at all: the calendar has it already.
    if !certain && matches!(field.composer, Composer::RosterBirth | Composer::RosterRoom) {
        return;
    }
    let year = || {
        let words = (field.words.0..=field.words.1).map(|at| reading.word(at));
        words
            .into_iter()
            .find(|word| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let generalized = match field.composer {
        Composer::RosterBirth => {
            let same = proposals
                .iter()
                .find(|other| other.words == field.words && other.generalized.is_some());
            same.and_then(|other| other.generalized.clone()).filter(|_| year().is_some())
        }
        _ => None,
    };
    proposals.push(Proposal {
        composer: field.composer,
        span: field.span,
        words: field.words,
        tied: f32::NEG_INFINITY,
        like: 0.0,
        sure: certain,
        standing: if certain { Standing::Certain } else { Standing::WithPost },
        generalized,
        parts: Vec::new(),
    });
}
