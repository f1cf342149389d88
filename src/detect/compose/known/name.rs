//! Names of the roster in a text, in every way that they are written: either order, with initials, by nickname, in a
//! hashtag, run together, with a typing error.

use std::collections::BTreeMap;

use crate::detect::compose::known::field::is_near;
use crate::detect::compose::known::{Asked, Columns, Field};
use crate::detect::compose::words::{Case, Reading, Word};
use crate::detect::compose::{Desk, Proposal};
use crate::detect::token::{Gap, Shape};
use crate::roster::{Hit, RowNumber, Stay, is_particle};
use crate::rules::{Class, Classes, Entry};

/// Words with an error are looked for from so many letters on.
const LONG: usize = 6;
/// The most words of one text that are looked for with an error: each costs as much as ten without.
const MOST_ERRORS: usize = 24;
/// Words of a name stand within so many of each other.
const REACH: usize = 4;

/// How a word led to one of the roster's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum How {
    Written,
    Nickname,
    Error,
}

/// One of the roster's words that a word of the text may stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alternative {
    pub(super) number: u32,
    /// How many of a million strangers bear it as first name, and as last name.
    pub(super) given: f32,
    pub(super) family: f32,
    pub(super) how: How,
}

/// A word of the text, or two run together, that the roster knows.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) words: (usize, usize),
    pub(super) alternatives: Vec<Alternative>,
    /// Whether something else proposed it as part of a name, or it is written as one.
    pub(super) named: bool,
}

/// Of what a mention is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// First and last name.
    Full,
    /// One of them, and the first letter of the other.
    Initial,
    /// A first name alone.
    Given,
    /// A last name alone.
    Family,
}

/// A name of the roster's in the text.
#[derive(Clone, Debug)]
pub(super) struct Mention {
    pub(super) words: (usize, usize),
    pub(super) form: Form,
    pub(super) stay: Stay,
    pub(super) relative: bool,
    pub(super) how: How,
    /// How many strangers of those who might be meant bear the name by chance.
    pub(super) chance: f32,
    /// How many rows bear it.
    pub(super) rows: Vec<RowNumber>,
    /// Two columns of one row, or more.
    pub(super) certain: bool,
}

/// Bearers in ten million by the steps of the lists: none is half of one.
fn in_a_million(step: u8) -> f32 {
    if step == 0 { 0.05 } else { 0.1 * f32::from(step - 1).exp2() }
}

/// The words of a text that the roster knows.
pub(super) fn words(
    asked: Asked<'_>,
    reading: &Reading<'_>,
    desk: Desk<'_>,
    proposals: &[Proposal],
) -> Vec<Known> {
    let mut named = vec![false; reading.words.len()];
    for proposal in proposals.iter().filter(|proposal| proposal.composer.is_name()) {
        super::super::name::mark(&mut named, proposal);
    }
    let is_named = |(first, last): (usize, usize)| {
        named.get(first..=last).is_some_and(|named| named.iter().any(|named| *named))
    };
    let mut known = Vec::new();
    let mut n_errors = 0;
    for at in 0..reading.words.len() {
        let Some(word) = reading.at(at, 0) else { continue };
        if let Some(joined) = joined(asked, reading, at) {
            let named = is_named(joined.words);
            known.push(Known { named, ..joined });
        }
        if matches!(word.token.shape, Shape::Digits)
            || word.token.span.len() < 2
            || is_function_word(word) && !is_written_as_name(reading, at)
        {
            continue;
        }
        let folded = plain(reading.word(at));
        let mut alternatives: Vec<Alternative> =
            of_word(asked, &folded, word.entry, How::Written).into_iter().collect();
        for formal in desk.lexicons.formal(&folded) {
            alternatives.extend(of_word(asked, formal, desk.lexicons.word(formal), How::Nickname));
        }
        let is_named = is_named((at, at));
        // What is listed is written right more often than it is another name written wrong.
        let wrong = word.entry.word < 8 && (is_named || word.token.shape != Shape::Lower);
        if wrong && folded.chars().count() >= LONG && n_errors < MOST_ERRORS {
            n_errors += 1;
            alternatives.extend(
                asked.index.nearly(&folded).into_iter().map(|number| Alternative {
                    number,
                    given: 1.0,
                    family: 1.0,
                    how: How::Error,
                }),
            );
        }
        if !alternatives.is_empty() {
            known.push(Known { words: (at, at), alternatives, named: is_named });
        }
    }
    known
}

/// Small words of every sentence, which are somebody's name on every large roster.
fn is_function_word(word: &Word) -> bool {
    const SMALL: Classes = Classes::of(&[
        Class::Pron1,
        Class::Pron2,
        Class::Pron3,
        Class::Possessive,
        Class::Question,
        Class::NumberWord,
    ]);
    let seldom_a_name = word.entry.first < 9 && word.entry.last < 10;
    seldom_a_name && (word.entry.word >= 13 || word.classes.meets(SMALL))
}

/// Whether a small word is written as a part of a name: with a capital, beside another that has one and is none.
fn is_written_as_name(reading: &Reading<'_>, at: usize) -> bool {
    const BESIDE: Gap = Gap::SPACE.and(Gap::UNDERSCORE);
    let Some(word) = reading.at(at, 0) else { return false };
    let is_name = |at: Option<usize>| {
        at.and_then(|at| reading.at(at, 0)).is_some_and(|word| {
            (word.token.shape == Shape::Capital || word.token.tagged)
                && word.entry.first.max(word.entry.last) > word.entry.word.saturating_sub(4)
        })
    };
    let tight = |at: usize| reading.gap(at).only(BESIDE);
    (word.token.shape == Shape::Capital || word.token.tagged)
        && (tight(at) && is_name(at.checked_sub(1)) || tight(at + 1) && is_name(Some(at + 1)))
}

/// A folded word without its apostrophes, as names are hashed.
fn plain(word: &str) -> std::borrow::Cow<'_, str> {
    if word.contains(['\'', '’']) { word.replace(['\'', '’'], "").into() } else { word.into() }
}

fn of_word(asked: Asked<'_>, word: &str, entry: Entry, how: How) -> Option<Alternative> {
    let known = asked.index.word(word)?;
    // One bearer says nothing of how common it is: they may be the one who is meant.
    let n_patients = u32::try_from(asked.roster.house().n_patients).unwrap_or(u32::MAX);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share of a million needs no more digits than these"
    )]
    let share = |n: u32| n.saturating_sub(1) as f32 * 1e6 / n_patients.max(1000) as f32;
    Some(Alternative {
        number: known.number,
        given: in_a_million(entry.first).max(share(known.given)),
        family: in_a_million(entry.last).max(share(known.family)),
        how,
    })
}

/// Two words or more that the roster has as one: `d angelo`, `van der berg`, Chinese characters.
fn joined(asked: Asked<'_>, reading: &Reading<'_>, at: usize) -> Option<Known> {
    let first = reading.word(at);
    let is_letters =
        |at: usize| reading.at(at, 0).is_some_and(|word| word.token.shape != Shape::Digits);
    let tight = |at: usize| reading.gap(at).only(Gap::SPACE.and(Gap::HYPHEN).and(Gap::QUOTE));
    let single = first.chars().count() == 1;
    if !(single || is_particle(first)) || !is_letters(at) {
        return None;
    }
    let mut whole = plain(first).into_owned();
    let mut found = None;
    for last in at + 1..at + 4 {
        if !(tight(last) && is_letters(last)) {
            break;
        }
        whole.push_str(&plain(reading.word(last)));
        if let Some(known) = of_word(asked, &whole, Entry::default(), How::Written) {
            found = Some(Known { words: (at, last), alternatives: vec![known], named: false });
        }
        let goes_on = is_particle(reading.word(last)) || (single && !first.is_ascii());
        if !goes_on {
            break;
        }
    }
    found
}

/// The names that a text mentions.
pub(super) fn mentions(
    asked: Asked<'_>,
    reading: &Reading<'_>,
    desk: Desk<'_>,
    proposals: &[Proposal],
    known: &[Known],
) -> Vec<Mention> {
    let mut mentions = Vec::new();
    for (nth, first) in known.iter().enumerate() {
        for second in known.iter().skip(nth + 1) {
            if second.words.0 <= first.words.1 {
                continue;
            }
            if !continues(reading, first.words.1, second.words.0) {
                break;
            }
            mentions.extend(full(asked, first, second));
        }
    }
    for at in 0..reading.words.len() {
        mentions.extend(tagged(asked, reading, desk, at));
    }
    let mut full = vec![false; reading.words.len()];
    for mention in &mentions {
        let words = full.get_mut(mention.words.0..=mention.words.1);
        words.into_iter().flatten().for_each(|word| *word = true);
    }
    let is_free = |(first, last): (usize, usize)| {
        full.get(first..=last).is_some_and(|words| !words.iter().any(|full| *full))
    };
    let dated = dated(reading, proposals);
    for known in known.iter().filter(|known| is_free(known.words)) {
        let in_date = (known.words.0..=known.words.1).any(|at| dated.get(at) == Some(&true));
        let alone = may_stand_alone(reading, known);
        if in_date || !(alone || may_have_initial(reading, known)) {
            continue;
        }
        let with_initial = initial(asked, reading, known);
        if with_initial.is_some() {
            mentions.extend(with_initial);
        } else if alone {
            mentions.extend(lone(asked, known));
        }
    }
    mentions
}

/// The words of dates: `May 31` is nobody's name.
fn dated(reading: &Reading<'_>, proposals: &[Proposal]) -> Vec<bool> {
    let mut dated = vec![false; reading.words.len()];
    for proposal in proposals.iter().filter(|proposal| proposal.composer.is_date()) {
        super::super::name::mark(&mut dated, proposal);
    }
    dated
}

/// Whether one word alone may be a name where it stands: it is written as one, and is no particle, no short form, and no
/// disease that bears a name.
fn may_stand_alone(reading: &Reading<'_>, known: &Known) -> bool {
    const NOBODY: Classes = Classes::of(&[
        Class::Month,
        Class::Weekday,
        Class::Holiday,
        Class::State,
        Class::StateCode,
    ]);
    let (first, last) = known.words;
    let Some(word) = reading.at(last, 0) else { return false };
    let honored = reading.classes(first, -1).has(Class::Honorific);
    let short = word.token.span.len() <= 2 && first == last;
    let eponym = word.classes.has(Class::Eponym) && !honored;
    if short
        || eponym
        || is_particle(reading.word(last))
        || word.classes.meets(NOBODY) && !known.named
    {
        return false;
    }
    // What nothing else takes for a name must be no word.
    known.named || word.token.tagged || (word.entry.word <= 3 && word.token.shape != Shape::Lower)
}

/// Whether a word that is not taken for a name by itself may be one beside a letter: `A. Wright` is no stain.
fn may_have_initial(reading: &Reading<'_>, known: &Known) -> bool {
    let eponym = reading.at(known.words.1, 0).filter(|word| word.classes.has(Class::Eponym));
    eponym.is_some_and(|word| word.token.shape != Shape::Lower && word.token.span.len() > 2)
}

/// Whether a known word may be a name where another column of its row stands, too: it is written as one, or is more often a
/// name than a word.
pub(super) fn may_be_meant(reading: &Reading<'_>, known: &Known) -> bool {
    let (first, last) = known.words;
    known.named
        || (first..=last).all(|at| {
            reading.at(at, 0).is_some_and(|word| {
                let a_name = word.entry.first.max(word.entry.last) > word.entry.word;
                let small = is_function_word(word) && reading.case != Case::Upper;
                match word.token.shape {
                    Shape::Lower => a_name && word.entry.word < 8,
                    _ => !small || a_name,
                }
            })
        })
}

/// Whether a name may go on from one word to a later one: nothing between them but initials, particles, names.
fn continues(reading: &Reading<'_>, from: usize, to: usize) -> bool {
    const APART: Gap = Gap::LINE;
    if to > from + REACH {
        return false;
    }
    (from + 1..=to).all(|at| {
        let gap = reading.gap(at);
        let after_letter = reading.word(at - 1).chars().count() == 1
            || is_particle(reading.word(at - 1))
            || reading.classes(at, -1).has(Class::Honorific)
            || reading.classes(at, -1).has(Class::Title);
        let stops = gap.has(Gap::STOP) && !after_letter && gap.has(Gap::SPACE);
        let between = at == to || {
            let word = reading.at(at, 0);
            word.is_some_and(|word| {
                let letters = reading.word(at).chars().count();
                letters == 1
                    || is_particle(reading.word(at))
                    || word.token.shape != Shape::Lower
                    || word.entry.first.max(word.entry.last) > word.entry.word
            })
        };
        !gap.has(APART) && !stops && between && !gap.has(Gap::COLON)
    })
}

/// Rows that bear two words as first and last name.
fn full(asked: Asked<'_>, first: &Known, second: &Known) -> Option<Mention> {
    let mut best: Option<Mention> = None;
    for one in &first.alternatives {
        for other in &second.alternatives {
            // Both written otherwise than they are is another name.
            if one.how != How::Written && other.how != How::Written {
                continue;
            }
            let hits = asked.index.pair(one.number, other.number);
            let Some(head) = hits.first() else { continue };
            let relative = hits.iter().all(|hit| hit.is_relative());
            let words = (first.words.0, second.words.1);
            let how = if one.how == How::Written { other.how } else { one.how };
            let given = (one.given * other.family).max(other.given * one.family) / 1e12;
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                reason = "a chance needs no more digits"
            )]
            let bear = (f64::from(head.power()).exp2() - 1.0) as f32
                / asked.roster.house().n_patients.max(1000) as f32;
            let share = if how == How::Error { given.max(1e-9) * 16.0 } else { given };
            let mention = asked.mention(words, Form::Full, how, relative, share.max(bear), &hits);
            // Written as it is, it is that name and no other's error.
            let order = |mention: &Mention| (mention.how == How::Error, mention.chance);
            if best.as_ref().is_none_or(|best| order(&mention) < order(best)) {
                best = Some(mention);
            }
        }
    }
    best
}

/// A first name and a last name's letter, or a letter and a last name, of somebody in the census.
fn initial(asked: Asked<'_>, reading: &Reading<'_>, known: &Known) -> Option<Mention> {
    let (first, last) = known.words;
    let letter = |at: usize| {
        let word = reading.at(at, 0)?;
        let mut chars = reading.word(at).chars();
        let letter = chars.next().filter(|c| c.is_alphabetic())?;
        let dotted = reading.byte_after(at) == b'.';
        let capital = matches!(word.token.shape, Shape::Capital | Shape::Upper);
        (chars.next().is_none() && (capital || dotted) && letter != 'i').then_some(letter)
    };
    let gap = |at: usize, marks: Gap| reading.gap(at).only(marks);
    for alternative in known.alternatives.iter().filter(|known| known.how != How::Error) {
        let after = letter(last + 1).filter(|_| gap(last + 1, Gap::SPACE.and(Gap::UNDERSCORE)));
        if let Some(letter) = after {
            let hits = asked.index.first_and_initial(alternative.number, letter);
            if !hits.is_empty() {
                let share = alternative.given * 1e-6 / 12.0;
                let relative = hits.iter().all(|hit| hit.is_relative());
                return Some(asked.mention(
                    (first, last + 1),
                    Form::Initial,
                    alternative.how,
                    relative,
                    share,
                    &hits,
                ));
            }
        }
        let before = first.checked_sub(1).and_then(|at| {
            letter(at).filter(|_| gap(first, Gap::SPACE.and(Gap::STOP).and(Gap::UNDERSCORE)))
        });
        if let Some(letter) = before {
            let hits = asked.index.initial_and_last(letter, alternative.number);
            if !hits.is_empty() {
                let share = alternative.family * 1e-6 / 12.0;
                let relative = hits.iter().all(|hit| hit.is_relative());
                return Some(asked.mention(
                    (first - 1, last),
                    Form::Initial,
                    alternative.how,
                    relative,
                    share,
                    &hits,
                ));
            }
        }
    }
    None
}

/// One name of somebody in the census, alone.
fn lone(asked: Asked<'_>, known: &Known) -> Option<Mention> {
    let mut best: Option<Mention> = None;
    // One word with an error may be anything.
    for alternative in known.alternatives.iter().filter(|known| known.how != How::Error) {
        let hits = asked.index.lone(alternative.number);
        let own = hits.iter().any(|hit| !hit.is_relative());
        let of = |family: bool| {
            let these =
                hits.iter().filter(|hit| hit.is_family() == family && hit.is_relative() != own);
            these.copied().collect::<Vec<Hit>>()
        };
        for (form, share, hits) in [
            (Form::Given, alternative.given, of(false)),
            (Form::Family, alternative.family, of(true)),
        ] {
            if hits.is_empty() {
                continue;
            }
            let mention =
                asked.mention(known.words, form, alternative.how, !own, share * 1e-6, &hits);
            let order = |mention: &Mention| (mention.how != How::Written, mention.chance);
            if best.as_ref().is_none_or(|best| order(&mention) < order(best)) {
                best = Some(mention);
            }
        }
    }
    best
}

/// A hashtag's or handle's word that holds a first and a last name, or a name behind a call: `#prayforchidi`.
fn tagged(asked: Asked<'_>, reading: &Reading<'_>, desk: Desk<'_>, at: usize) -> Option<Mention> {
    const CALLS: [&str; 12] = [
        "prayfor",
        "prayersfor",
        "prayingfor",
        "team",
        "justicefor",
        "rip",
        "ripto",
        "strong",
        "weloveyou",
        "goodbye",
        "remember",
        "getwell",
    ];
    let word = reading.at(at, 0)?;
    if !word.token.tagged || word.token.shape == Shape::Digits {
        return None;
    }
    let text = reading.word(at);
    if !(6..=40).contains(&text.len()) || !text.is_ascii() {
        return None;
    }
    let known = |text: &str| -> Option<Known> {
        let alternative = of_word(asked, text, desk.lexicons.word(text), How::Written)?;
        Some(Known { words: (at, at), alternatives: vec![alternative], named: true })
    };
    for cut in 2..text.len() - 1 {
        let (head, tail) = text.split_at_checked(cut)?;
        let tail = tail.trim_end_matches(|c: char| c.is_ascii_digit());
        let Some(first) = known(head) else { continue };
        let Some(second) = known(tail) else { continue };
        if let Some(mention) = full(asked, &first, &second) {
            return Some(mention);
        }
    }
    let bare =
        CALLS.iter().find_map(|call| text.strip_prefix(call).or_else(|| text.strip_suffix(call)));
    bare.filter(|bare| bare.len() > 2).and_then(known).and_then(|known| lone(asked, &known))
}

/// Names of rows that are certain, by the words of those rows: a name that nothing but a number beside it told.
pub(super) fn of_rows(
    asked: Asked<'_>,
    reading: &Reading<'_>,
    rows: &BTreeMap<u32, RowNumber>,
    known: &[Known],
    fields: &[Field],
) -> Vec<Mention> {
    let mut found = Vec::new();
    if rows.is_empty() {
        return found;
    }
    let near = |known: &Known| {
        let is_sure = |field: &&Field| matches!(field.column, Columns::NAME_AND_BIRTH);
        fields.iter().filter(is_sure).any(|field| is_near(known.words, field.words))
    };
    for known in known.iter().filter(|known| may_be_meant(reading, known) || near(known)) {
        let own = known.alternatives.iter().find_map(|word| Some((word, *rows.get(&word.number)?)));
        if let Some((word, row)) = own {
            found.push(Mention {
                words: known.words,
                form: Form::Given,
                stay: asked.index.row(row).map_or(Stay::Unknown, |row| row.stay(asked.today)),
                relative: false,
                how: word.how,
                chance: 0.0,
                rows: vec![row],
                certain: true,
            });
        }
    }
    found
}

impl Asked<'_> {
    /// A mention by rows that bear it, of whom the nearest to the house counts. `share` is the part of all people who
    /// bear the name.
    fn mention(
        self,
        words: (usize, usize),
        form: Form,
        how: How,
        relative: bool,
        share: f32,
        hits: &[Hit],
    ) -> Mention {
        let mut stay = Stay::Unknown;
        let mut rows = Vec::new();
        for hit in hits.iter().filter(|hit| hit.is_relative() == relative) {
            rows.push(hit.row);
            let Some(row) = self.index.row(hit.row) else { continue };
            stay = match (stay, row.stay(self.today)) {
                (Stay::InHouse, _) | (_, Stay::InHouse) => Stay::InHouse,
                (Stay::Left(a), Stay::Left(b)) => Stay::Left(a.min(b)),
                (Stay::Unknown, other) | (other, Stay::Unknown) => other,
            };
        }
        // Of all indexes: what is new is in a small one, in which every name would be rare.
        let about = self.roster.house();
        let n_lately = about.n_in_house + about.n_left;
        let n = match stay {
            Stay::InHouse => about.n_in_house,
            Stay::Left(days) if days <= self.roster.recent => n_lately,
            _ if form == Form::Full => about.n_patients,
            _ => n_lately,
        };
        #[expect(clippy::cast_precision_loss, reason = "a chance needs no more digits")]
        let chance = share * n.max(1) as f32;
        Mention { words, form, stay, relative, how, chance, rows, certain: false }
    }
}
