//! Whom of the hospital's own a post speaks of: its words, numbers and days asked of the roster.
//!
//! What is found counts by the logic of rows. Two columns of one row (a name and a day of birth, a first name and a
//! room) are certain. A name alone weighs by how seldom strangers bear it: in the population, in this roster, among
//! those in the house. What staff bear, too, weighs against. Nothing here says which row it was.

mod field;
mod name;
mod weight;

use std::collections::{BTreeMap, BTreeSet};

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
    const NAME_AND_BIRTH: Self = Self(Self::NAME.0 | Self::BIRTH.0);

    const fn are_two(self) -> bool {
        self.0.count_ones() >= 2
    }
}

/// A word of the post that is one of the roster's names, if a day or place of a row of theirs stands in it, too.
#[derive(Clone, Copy, Debug)]
struct Meant {
    number: u32,
    /// Whether something else takes it for a name.
    named: bool,
    /// How many of a million strangers bear it.
    share: f32,
}

impl Meant {
    fn of(word: &name::Alternative, named: bool) -> Self {
        Self { number: word.number, named, share: word.given.max(word.family) }
    }
}

/// One index with the day on which it is asked.
#[derive(Clone, Copy)]
struct Asked<'a> {
    index: &'a Index,
    roster: &'a Roster,
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
    for index in &roster.indexes {
        let asked = Asked { index, roster, today };
        of_index(asked, readings, desk, proposals, &mut mentioned);
    }
    for ((reading, proposals), mentions) in readings.iter().zip(proposals).zip(&mentioned) {
        weight::weigh(roster, reading, desk, mentions, proposals);
    }
}

/// Reads all texts against one index. What is asked for each word is bounded, so that a long post costs as much for each
/// of its words as a short one.
fn of_index(
    asked: Asked<'_>,
    readings: &[Reading<'_>],
    desk: Desk<'_>,
    proposals: &mut [Vec<Proposal>],
    mentioned: &mut [Vec<Mention>],
) {
    let mut fields: Vec<Vec<Field>> =
        readings.iter().map(|reading| field::numbers(asked, reading)).collect();
    let mut mentions = Vec::with_capacity(readings.len());
    let mut named: BTreeSet<u32> = BTreeSet::new();
    let mut meant: Vec<Meant> = Vec::new();
    for (reading, proposals) in readings.iter().zip(proposals.iter()) {
        let words = name::words(asked, reading, desk, proposals);
        let own = words.iter().filter(|word| word.named).flat_map(|word| &word.alternatives);
        named.extend(own.map(|word| word.number));
        let written = words.iter().filter(|word| name::may_be_meant(reading, word));
        meant.extend(
            written.flat_map(|known| {
                known.alternatives.iter().map(|word| Meant::of(word, known.named))
            }),
        );
        mentions.push((name::mentions(asked, reading, desk, proposals, &words), words));
    }
    // What is surely a name is asked for first; a word that stands in the post twice is asked for once.
    meant.sort_unstable_by_key(|meant| (!meant.named, meant.number));
    meant.dedup_by_key(|meant| meant.number);
    let mut n_left = field::MOST_DAYS;
    let texts = fields.iter_mut().zip(readings).zip(proposals.iter().zip(&mentions));
    for ((fields, reading), (proposals, (_, words))) in texts {
        fields.extend(field::births(asked, reading, proposals, &meant, words, &mut n_left));
        fields.extend(field::places(asked, reading, words));
    }
    let rows = rows(asked, &fields, &mentions, &named);
    let sure: BTreeSet<RowNumber> =
        rows.iter().filter(|(_, columns)| columns.are_two()).map(|(row, _)| *row).collect();
    let is_sure = |rows: &[RowNumber]| rows.iter().any(|row| sure.contains(row));
    for ((fields, proposals), reading) in fields.iter().zip(proposals.iter_mut()).zip(readings) {
        for field in fields {
            add(reading, field, field.certain || is_sure(&field.rows), proposals);
        }
    }
    // Words of the rows that are certain: a name that only a number's row knows is a finding, too.
    let own: BTreeMap<u32, RowNumber> = sure
        .iter()
        .filter_map(|row| Some((*row, asked.index.row(*row)?)))
        .flat_map(|(number, row)| row.words.map(|word| (word, number)))
        .filter(|(word, _)| *word != u32::MAX)
        .collect();
    let texts = mentions.into_iter().zip(readings).zip(&fields).zip(mentioned.iter_mut());
    for ((((mut mentions, words), reading), fields), kept) in texts {
        for mention in &mut mentions {
            mention.certain |= is_sure(&mention.rows);
        }
        mentions.extend(name::of_rows(asked, reading, &own, &words, fields));
        kept.extend(mentions);
    }
}

/// The columns of each row that the post has.
fn rows(
    asked: Asked<'_>,
    fields: &[Vec<Field>],
    mentions: &[(Vec<Mention>, Vec<name::Known>)],
    named: &BTreeSet<u32>,
) -> BTreeMap<RowNumber, Columns> {
    let mut rows: BTreeMap<RowNumber, Columns> = BTreeMap::new();
    let mut note = |row: RowNumber, column: Columns| {
        rows.entry(row).or_insert(Columns(0)).0 |= column.0;
    };
    for mention in mentions.iter().flat_map(|(mentions, _)| mentions) {
        let column = if mention.relative { Columns::RELATIVE } else { Columns::NAME };
        mention.rows.iter().for_each(|row| note(*row, column));
    }
    for field in fields.iter().flatten() {
        for row in &field.rows {
            note(*row, field.column);
            // A row that a number led to says itself whether a name of the post is its own.
            let kept = asked.index.row(*row);
            if kept.is_some_and(|kept| kept.words.iter().any(|word| named.contains(word))) {
                note(*row, Columns::NAME);
            }
        }
    }
    rows
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
