//! Numbers, telephone numbers, addresses, days of birth and rooms of the roster in a text.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::detect::compose::known::name::{Known, may_be_meant};
use crate::detect::compose::known::{Asked, Columns, Field, Meant};
use crate::detect::compose::words::Reading;
use crate::detect::compose::{Composer, Proposal};
use crate::detect::token::{Gap, Shape};
use crate::roster::{
    Day, Hit, IdentifierKind, Index, Number, number_form, phone_form, street_form,
};
use crate::rules::Class;
use crate::span::Span;

/// The most groups of digits of one number: `614 - 555 - 01 23`.
const MOST_GROUPS: usize = 6;
/// A number is a stranger's by chance once in so many at most, if it is to be certain by itself.
const SELDOM: f32 = 0.002;
/// Telephones of a town are dense: a stranger's is hardly ever in a post all the same. But of a block in which every other number is
/// a patient's, it is the house's own.
const OF_A_BLOCK: f32 = 0.4;
/// A day that is no birthday is that of one of this name's bearers in so many cases at most, if nothing says that it is one.
const BY_CHANCE: f32 = 0.01;
/// Days on which those who live were born.
const DAYS_OF_LIVES: f32 = 34_000.0;
/// A name stands within so many words of the day or room that makes it certain.
const NEAR: usize = 5;
/// Rows that share a telephone number before it is a ward's or a home's and nobody's own.
const SHARED: usize = 4;
/// The most days of one post that are asked for with its names, and names of it that are asked for with each.
pub(super) const MOST_DAYS: usize = 64;
const MOST_NAMES: usize = 24;
/// The most rooms and names of one text that are asked for together.
const MOST: usize = 12;

/// Numbers of every kind, telephone numbers, e-mail addresses and addresses of rows.
pub(super) fn numbers(asked: Asked<'_>, reading: &Reading<'_>) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut at = 0;
    while at < reading.words.len() {
        if let Some(field) = email(asked, reading, at) {
            at = field.words.1 + 1;
            fields.push(field);
            continue;
        }
        if !reading.at(at, 0).is_some_and(|word| word.token.shape.is_number()) {
            at += 1;
            continue;
        }
        fields.extend(street(asked, reading, at));
        let found = (0..MOST_GROUPS).rev().find_map(|more| number(asked, reading, at, at + more));
        at = found.as_ref().map_or(at, |field| field.words.1) + 1;
        fields.extend(found);
    }
    fields
}

/// A number from its first to its last group.
fn number(asked: Asked<'_>, reading: &Reading<'_>, first: usize, last: usize) -> Option<Field> {
    const MARKS: Gap = Gap::SPACE.and(Gap::HYPHEN).and(Gap::STOP).and(Gap::BRACKET).and(Gap::SLASH);
    let of_number = |at: usize| {
        let word = reading.at(at, 0)?;
        // A prefix of letters may be joined to the first group.
        let fits = word.token.shape.is_number() && (at == first || word.token.gap.only(MARKS));
        fits.then_some(())
    };
    (first..=last).try_for_each(of_number)?;
    let mut from = first;
    let prefixed = first.checked_sub(1).filter(|before| {
        let near = reading.gap(first).only(Gap::HYPHEN) && reading.gap(first) != Gap::default();
        near && reading.word(*before).len() <= 4
            && !reading.at(*before, 0).is_some_and(|word| word.token.shape.is_number())
    });
    let text =
        |from: usize| reading.span(from, last).of(reading.text.view.text()).unwrap_or_default();
    if let Some(before) = prefixed {
        if let Some(field) = code(asked, reading, before, last, text(before)) {
            return Some(field);
        }
        from = first;
    }
    let written = text(from);
    let n_digits = written.bytes().filter(u8::is_ascii_digit).count();
    if n_digits < 4 {
        return None;
    }
    phone(asked, reading, from, last, written).or_else(|| code(asked, reading, from, last, written))
}

fn of_length(index: &Index, n: usize) -> u64 {
    index.about().lengths.get(n.min(31)).copied().unwrap_or_default()
}

/// How often a stranger's number is one of the roster's: by how many there are of that length, and by whether the next
/// ones are, too. Numbers are often given out one after the other.
fn density(asked: Asked<'_>, form: &str, find: impl Fn(&Index, &str) -> bool) -> f32 {
    let digits = form.bytes().all(|byte| byte.is_ascii_digit());
    let all = if digits {
        // Also where the one that is asked has few: those of all together were given out.
        let n: u64 = asked.roster.indexes.iter().map(|index| of_length(index, form.len())).sum();
        let exponent = i32::try_from(form.len().min(30)).unwrap_or(30) - 1;
        #[expect(clippy::cast_precision_loss, reason = "a chance needs no more digits")]
        let n = n as f32;
        n / (9.0 * 10_f32.powi(exponent))
    } else {
        0.0
    };
    let Some(head) = form.len().checked_sub(1).and_then(|end| form.get(..end)) else { return 1.0 };
    let last = form.as_bytes().last().copied().unwrap_or_default();
    let others = (b'0'..=b'9').filter(|digit| *digit != last);
    let is_given_out = |digit: &u8| {
        let next = format!("{head}{}", char::from(*digit));
        asked.roster.indexes.iter().any(|index| find(index, &next))
    };
    let n_next = others.filter(is_given_out).count();
    // One neighbor is chance on a large roster; two are a run.
    let next = f32::from(u8::try_from(n_next.saturating_sub(1)).unwrap_or(9)) / 10.0;
    all.max(next)
}

fn code(
    asked: Asked<'_>,
    reading: &Reading<'_>,
    first: usize,
    last: usize,
    written: &str,
) -> Option<Field> {
    let Number { whole, digits } = number_form(written)?;
    let mut hits: Vec<Hit> = Vec::new();
    let mut form = whole;
    for tried in std::iter::once(form.clone()).chain(digits) {
        hits = asked.index.number(&tried);
        if !hits.is_empty() {
            form = tried;
            break;
        }
    }
    let head = hits.first()?;
    let composer = match head.kind() {
        IdentifierKind::Record | IdentifierKind::Visit => Composer::RosterMrn,
        IdentifierKind::Account => Composer::RosterAccount,
        IdentifierKind::HealthPlan => Composer::RosterHealthPlan,
        IdentifierKind::Ssn => Composer::RosterSsn,
        IdentifierKind::License => Composer::RosterLicense,
        IdentifierKind::Other => Composer::RosterOtherId,
    };
    let n_digits = form.bytes().filter(u8::is_ascii_digit).count();
    let seldom = density(asked, &form, |index, form| !index.number(form).is_empty()) <= SELDOM;
    let certain = n_digits >= 5 && seldom && !is_in_word(reading, first, last);
    let rows = hits.iter().map(|hit| hit.row).collect();
    let (words, span) = ((first, last), reading.span(first, last));
    Some(Field { composer, column: Columns::NUMBER, words, span, rows, certain })
}

fn phone(
    asked: Asked<'_>,
    reading: &Reading<'_>,
    first: usize,
    last: usize,
    written: &str,
) -> Option<Field> {
    if !written.bytes().all(|byte| {
        byte.is_ascii_digit() || matches!(byte, b' ' | b'-' | b'.' | b'(' | b')' | b'/')
    }) {
        return None;
    }
    let form = phone_form(written)?;
    let hits = asked.index.phone(&form);
    if hits.is_empty() {
        return None;
    }
    let seldom =
        || density(asked, &form, |index, form| !index.phone(form).is_empty()) <= OF_A_BLOCK;
    let certain = form.len() >= 10
        && hits.len() < SHARED
        && !is_toll_free(&form)
        && !is_in_word(reading, first, last)
        && seldom();
    let rows = hits.iter().map(|hit| hit.row).collect();
    let mut span = reading.span(first, last);
    // `(614) 555-0123`, `+1 614 555 0123`: the mark before it is part of it.
    if reading.text.view.text().get(..span.start()).is_some_and(|head| head.ends_with(['(', '+'])) {
        span = Span::new(span.start() - 1, span.end());
    }
    Some(Field {
        composer: Composer::RosterPhone,
        column: Columns::PHONE,
        words: (first, last),
        span,
        rows,
        certain,
    })
}

/// A number that costs its caller nothing is an office's, on whose row ever it stands.
fn is_toll_free(form: &str) -> bool {
    const AREAS: [&str; 7] = ["800", "833", "844", "855", "866", "877", "888"];
    form.len() == 10 && form.get(..3).is_some_and(|area| AREAS.contains(&area))
}

/// How many characters of a link may stand before a number in it.
const LONGEST_RUN: usize = 256;

/// Whether a number is part of a longer one, of a link or of a sum.
fn is_in_word(reading: &Reading<'_>, first: usize, last: usize) -> bool {
    let before = reading.gap(first);
    let after = reading.gap(last + 1);
    let number = |at: usize| reading.at(at, 0).is_some_and(|word| word.token.shape.is_number());
    let text = reading.text.view.text();
    let head = text.get(..reading.span(first, first).start()).unwrap_or_default();
    // As far back as a link may reach: to the last blank it would be, in a text without any, the whole text for every number.
    let run = || head.chars().rev().take(LONGEST_RUN).take_while(|c| !c.is_whitespace());
    let goes_on = |gap: Gap| {
        [Gap::HYPHEN, Gap::STOP, Gap::SLASH, Gap::COMMA].contains(&gap) || gap == Gap::default()
    };
    run().any(|c| c == '/') && run().any(|c| c == '.')
        || head.ends_with(['$', '€', '£'])
        || (first > 0 && goes_on(before) && number(first - 1))
        || (goes_on(after) && number(last + 1))
}

/// `chidi.o@mail.example`: from the word before the sign that ends where a blank stands.
fn email(asked: Asked<'_>, reading: &Reading<'_>, at: usize) -> Option<Field> {
    let text = reading.text.view.text();
    let start = reading.span(at, at).start();
    let begins = text
        .get(..start)?
        .chars()
        .next_back()
        .is_none_or(|c| !(c.is_alphanumeric() || "._%+-".contains(c)));
    if !begins {
        return None;
    }
    let rest = text.get(start..)?;
    let end = rest
        .char_indices()
        .take(254)
        .find(|(_, c)| !(c.is_alphanumeric() || "._%+-@".contains(*c)))
        .map_or(rest.len().min(254), |(at, _)| at);
    let whole = rest.get(..end)?.trim_end_matches(['.', '-']);
    if !whole.contains('@') || whole.starts_with('@') {
        return None;
    }
    let hits = asked.index.email(whole);
    let span = Span::new(start, start + whole.len());
    let words = reading.under(span);
    let rows: Vec<_> = hits.iter().map(|hit| hit.row).collect();
    (!rows.is_empty()).then_some(Field {
        composer: Composer::RosterEmail,
        column: Columns::EMAIL,
        words,
        span,
        rows,
        certain: true,
    })
}

/// A house number and the street after it.
fn street(asked: Asked<'_>, reading: &Reading<'_>, at: usize) -> Option<Field> {
    let words: Vec<&str> = (at..at + 3)
        .take_while(|next| *next == at || reading.gap(*next).only(Gap::SPACE.and(Gap::STOP)))
        .map(|at| reading.word(at))
        .collect();
    let form = street_form(words.iter().copied())?;
    let hits = asked.index.street(&form);
    let street = form.split(' ').nth(1)?;
    let last = (at..at + 3).find(|at| reading.word(*at) == street)?;
    // What kind of street it is goes with it.
    let kind =
        reading.classes(last + 1, 0).has(Class::Street) && reading.gap(last + 1).only(Gap::SPACE);
    let last = last + usize::from(kind);
    let rows: Vec<_> = hits.iter().map(|hit| hit.row).collect();
    (!rows.is_empty()).then_some(Field {
        composer: Composer::RosterAddress,
        column: Columns::STREET,
        words: (at, last),
        span: reading.span(at, last),
        rows,
        certain: false,
    })
}

/// Days that are the birth of a row whose name the post has. `n_left` is how many of the post may still be asked for.
pub(super) fn births(
    asked: Asked<'_>,
    reading: &Reading<'_>,
    proposals: &[Proposal],
    meant: &[Meant],
    known: &[Known],
    n_left: &mut usize,
) -> Vec<Field> {
    let mut fields = Vec::new();
    let dates = proposals.iter().filter(|proposal| proposal.composer == Composer::DateCalendar);
    #[expect(clippy::cast_precision_loss, reason = "a chance needs no more digits")]
    let n_patients = asked.index.about().n_patients as f32;
    // By chance, a day is the birthday of somebody who bears so common a name.
    let seldom = |meant: &Meant| meant.share * 1e-6 * n_patients / DAYS_OF_LIVES <= BY_CHANCE;
    for date in dates {
        if known.is_empty() && meant.is_empty() || *n_left == 0 {
            break;
        }
        *n_left -= 1;
        let born = is_called_birth(reading, date.words.0);
        let mut rows = Vec::new();
        for day in days(reading, date.words) {
            let names = meant.iter().filter(|meant| meant.named || born || seldom(meant));
            // Right before a birthday, a word in small letters is a name, too: `hardy, dob 10/12/87`.
            let beside = known.iter().filter(|known| born && is_near(known.words, date.words));
            let beside = beside.flat_map(|known| &known.alternatives).map(|word| word.number);
            let names: BTreeSet<u32> =
                names.map(|meant| meant.number).take(MOST_NAMES).chain(beside).collect();
            for word in names {
                rows.extend(asked.index.born(word, day).iter().map(|hit| hit.row));
            }
        }
        if !rows.is_empty() {
            fields.push(Field {
                composer: Composer::RosterBirth,
                column: Columns::NAME_AND_BIRTH,
                words: date.words,
                span: date.span,
                rows,
                certain: true,
            });
        }
    }
    fields
}

/// Whether a name stands close to what a row has beside it.
pub(super) fn is_near(name: (usize, usize), field: (usize, usize)) -> bool {
    name.0 <= field.1 + NEAR && field.0 <= name.1 + NEAR
}

/// Whether a day is said to be one of birth.
fn is_called_birth(reading: &Reading<'_>, first: usize) -> bool {
    const BIRTHS: [&str; 14] = [
        "born",
        "dob",
        "birth",
        "birthday",
        "birthdate",
        "bday",
        "b",
        "nacio",
        "nacido",
        "nacida",
        "nasceu",
        "geboren",
        "naissance",
        "nee",
    ];
    (1..=3).filter_map(|back| first.checked_sub(back)).any(|at| BIRTHS.contains(&reading.word(at)))
}

/// The days that a date in full may mean: of `3/4/61` four.
fn days(reading: &Reading<'_>, (first, last): (usize, usize)) -> Vec<Day> {
    let (mut numbers, mut month) = (Vec::new(), None);
    for at in first..=last {
        let word = reading.word(at);
        let n_digits = word.bytes().take_while(u8::is_ascii_digit).count();
        match word.get(..n_digits).map(str::parse::<i16>) {
            Some(Ok(number)) if n_digits <= 4 => numbers.push((number, n_digits)),
            _ => month = month.or(reading.lexicons.month(word)),
        }
    }
    let mut days = Vec::new();
    let mut add = |(year, n_digits): (i16, usize), month: i16, day: i16| {
        let years = match n_digits {
            4 => [Some(year), None],
            2 => [Some(year + 1900), Some(year + 2000)],
            _ => [None, None],
        };
        for year in years.into_iter().flatten() {
            let (Ok(month), Ok(day)) = (i8::try_from(month), i8::try_from(day)) else { continue };
            days.extend(Date::new(year, month, day).ok().map(Day::of));
        }
    };
    match (numbers.as_slice(), month) {
        ([day, year], Some(month)) => {
            if day.1 == 4 {
                add(*day, i16::from(month), year.0);
            } else {
                add(*year, i16::from(month), day.0);
            }
        }
        ([year, month, day], None) if year.1 == 4 => add(*year, month.0, day.0),
        ([one, two, year], None) => {
            add(*year, one.0, two.0);
            if one.0 != two.0 {
                add(*year, two.0, one.0);
            }
        }
        _ => {}
    }
    days
}

/// Rooms and wards where somebody lies whose name the post has.
pub(super) fn places(asked: Asked<'_>, reading: &Reading<'_>, known: &[Known]) -> Vec<Field> {
    let named = known.iter().filter(|known| may_be_meant(reading, known));
    // What is surely a name is asked for first.
    let (sure, rest): (Vec<&Known>, Vec<&Known>) = named.partition(|known| known.named);
    let named: Vec<&Known> = sure.into_iter().chain(rest).take(MOST).collect();
    let mut fields = Vec::new();
    if named.is_empty() {
        return fields;
    }
    for (first, last) in room_words(reading).into_iter().take(MOST) {
        let place: String = (first..=last).map(|at| reading.word(at)).collect();
        let place = place.trim_start_matches('0');
        for known in &named {
            if known.words.0 <= last && first <= known.words.1
                || !is_called(reading, first, last, known)
            {
                continue;
            }
            let mut rows = Vec::new();
            for word in known.alternatives.iter().take(4) {
                rows.extend(asked.index.in_place(word.number, place).iter().map(|hit| hit.row));
            }
            if !rows.is_empty() {
                fields.push(Field {
                    composer: Composer::RosterRoom,
                    column: Columns(Columns::ROOM.0 | Columns::NAME.0),
                    words: (first, last),
                    span: reading.span(first, last),
                    rows,
                    certain: true,
                });
            }
        }
    }
    fields
}

/// Whether a number is said to be a place, or stands right beside the name; one with letters in it says so itself.
fn is_called(reading: &Reading<'_>, first: usize, last: usize, known: &Known) -> bool {
    const PLACES: [&str; 12] = [
        "in",
        "from",
        "at",
        "to",
        "of",
        "on",
        "bed",
        "bay",
        "cuarto",
        "habitacion",
        "chambre",
        "zimmer",
    ];
    let beside = first <= known.words.1 + 1 && known.words.0 <= last + 1;
    let called = first.checked_sub(1).is_some_and(|before| {
        reading.classes(before, 0).has(Class::Room) || PLACES.contains(&reading.word(before))
    });
    let marked = (first..=last)
        .any(|at| reading.at(at, 0).is_some_and(|word| word.token.shape != Shape::Digits));
    beside || called || marked
}

/// Words that may be a room or a ward: `412`, `4w`, `412-b`, `4 west`.
fn room_words(reading: &Reading<'_>) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    for at in 0..reading.words.len() {
        let Some(word) = reading.at(at, 0) else { continue };
        if !word.token.shape.is_number() || word.token.span.len() > 6 {
            continue;
        }
        places.push((at, at));
        let next = reading.at(at, 1).filter(|next| {
            next.token.gap.only(Gap::SPACE.and(Gap::HYPHEN))
                && (next.token.shape != Shape::Digits || word.token.shape == Shape::Code)
                && next.token.span.len() <= 6
        });
        if next.is_some() {
            places.push((at, at + 1));
        }
    }
    places
}
