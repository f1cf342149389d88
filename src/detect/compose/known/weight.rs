//! What a name of the roster is worth beside all else that speaks for or against it.
//!
//! The worth is a likelihood: how much likelier the name stands here if one of the hospital's own is meant than if
//! anybody else is. So it grows with how seldom strangers bear it, and is small where staff do.

use std::collections::BTreeSet;

use crate::detect::Part;
use crate::detect::compose::known::name::{Form, How, Mention};
use crate::detect::compose::words::Reading;
use crate::detect::compose::{Composer, Desk, Proposal, Standing, name};
use crate::detect::token::Shape;
use crate::roster::{Roster, Stay};
use crate::rules::Class;

/// A full name is certain by itself from so rare on: of somebody in the house, who left lately, of anybody else.
const CERTAIN: [f32; 3] = [4.6, 6.0, 7.5];
// The rest are log-odds, as the weights of `rules/weights.toml` are, by how often names so known stand for patients and
// for others in the posts that those were fitted on, and smaller by a fifth, since features overlap.
/// What full names are worth, and each part of their rarity.
const FULL: [(f32, f32); 3] = [(2.0, 0.4), (0.8, 0.4), (-0.5, 0.25)];
/// The same of names alone: of somebody in the house, and who left lately.
const LONE: [(f32, f32); 2] = [(0.5, 0.45), (0.0, 0.25)];
/// Rarer than this says no more: a word may be listed nowhere and be no name.
const RAREST: f32 = 7.0;
/// A full name of staff, and of staff and patient both.
const STAFF_FULL: f32 = -2.5;
const STAFF_AND_PATIENT: f32 = -2.0;
/// A name alone that staff bear: once, for each part of its rarity, and for each doubling of those who bear it.
const STAFF_LONE: (f32, f32, f32) = (-0.7, -0.25, -0.2);
/// The same where nobody on the roster bears it.
const STAFF_ONLY: f32 = -0.9;
/// A name of nobody the hospital knows.
const NOBODY: f32 = -0.3;
/// What another spelling takes away: a nickname of a full name, of one alone, a typing error.
const NICKNAME: f32 = 0.5;
const NICKNAME_ALONE: f32 = 1.8;
const ERROR: f32 = 1.5;

/// Weighs the names of a text: raises and lowers what was proposed, and proposes what only the roster knows.
pub(super) fn weigh(
    roster: &Roster,
    reading: &Reading<'_>,
    desk: Desk<'_>,
    mentions: &[Mention],
    proposals: &mut Vec<Proposal>,
) {
    let n_before = proposals.len();
    // The proposals of names by their words; a word stands in few.
    let mut by_word: Vec<Vec<usize>> = vec![Vec::new(); reading.words.len()];
    for (nth, proposal) in proposals.iter().enumerate().filter(|(_, it)| it.composer.is_name()) {
        let words = by_word.get_mut(proposal.words.0..=proposal.words.1);
        words.into_iter().flatten().for_each(|word| word.push(nth));
    }
    let mut best: Vec<Option<(f32, &'static str, &Mention)>> = vec![None; n_before];
    for mention in mentions {
        let (points, part) = worth(roster, reading, mention);
        let (first, last) = mention.words;
        let mut is_proposed = false;
        let there: BTreeSet<usize> =
            by_word.get(first..=last).into_iter().flatten().flatten().copied().collect();
        for nth in there {
            let (Some(proposal), Some(best)) = (proposals.get(nth), best.get_mut(nth)) else {
                continue;
            };
            let (from, to) = proposal.words;
            // One word of a full name that nobody on the roster bears says nothing of who it is.
            let covers = from >= first && to <= last;
            let alone = matches!(mention.form, Form::Given | Form::Family);
            if alone && !mention.certain && !covers && is_another(reading, proposal, mention) {
                is_proposed = true;
                continue;
            }
            is_proposed |= from <= first && to >= last;
            // Of two that are as sure, the longer says better who it is.
            let long = |mention: &Mention| mention.words.1 - mention.words.0;
            let surer = best.as_ref().is_none_or(|(held, _, by)| {
                (mention.certain, long(mention), points) > (by.certain, long(by), *held)
            });
            if surer {
                *best = Some((points, part, mention));
            }
        }
        let certain = mention.certain || is_certain(roster, reading, mention);
        if !is_proposed && (certain || points > 0.0) {
            let mut proposal = name::alone(reading, desk, first, last);
            raise(&mut proposal, points, part, certain, mention.relative, desk.explain);
            proposals.push(proposal);
        }
    }
    for (proposal, best) in proposals.iter_mut().take(n_before).zip(best) {
        if !proposal.composer.is_name() {
            continue;
        }
        if let Some((points, part, mention)) = best {
            let certain = mention.certain || is_certain(roster, reading, mention);
            raise(proposal, points, part, certain, mention.relative, desk.explain);
        } else {
            let (points, part) = of_others(roster, reading, proposal.words);
            lower(proposal, points, part, desk.explain);
        }
    }
}

/// Whether a proposal of several words names somebody else than a mention of one of them.
fn is_another(reading: &Reading<'_>, proposal: &Proposal, mention: &Mention) -> bool {
    (proposal.words.0..=proposal.words.1).any(|at| {
        let outside = at < mention.words.0 || at > mention.words.1;
        outside
            && reading.word(at).chars().count() > 1
            && reading.at(at, 0).is_some_and(|word| {
                let listed = word.entry.last >= 6 || word.entry.first >= 6;
                (listed || word.entry.word == 0) && !word.classes.has(Class::TagWord)
            })
    })
}

/// How rare a mention is: the logarithm of how seldom a stranger bears it.
fn rarity(mention: &Mention) -> f32 {
    (-mention.chance.max(1e-12).ln()).clamp(0.0, RAREST + 4.0)
}

/// The place of a stay in the tables above.
fn standing(roster: &Roster, mention: &Mention) -> usize {
    match mention.stay {
        Stay::InHouse => 0,
        Stay::Left(days) if days <= roster.recent => 1,
        _ => 2,
    }
}

fn is_certain(roster: &Roster, reading: &Reading<'_>, mention: &Mention) -> bool {
    let least = CERTAIN.get(standing(roster, mention)).copied().unwrap_or(f32::INFINITY);
    let spelled = match mention.how {
        How::Written => 0.0,
        How::Nickname => NICKNAME,
        How::Error => ERROR,
    };
    mention.form == Form::Full
        && !mention.relative
        && rarity(mention) - spelled >= least
        && !is_staff(roster, reading, mention.words)
}

/// What a mention is worth, and what to call it.
fn worth(roster: &Roster, reading: &Reading<'_>, mention: &Mention) -> (f32, &'static str) {
    let standing = standing(roster, mention);
    let rarity = rarity(mention).min(RAREST);
    let line = |table: &[(f32, f32)]| {
        table.get(standing).map_or(0.0, |(base, slope)| rarity.mul_add(*slope, *base))
    };
    let (mut points, part) = match (mention.form, mention.relative) {
        (Form::Full, false) => {
            let parts =
                ["roster-full-name-in-house", "roster-full-name-lately", "roster-full-name"];
            (line(&FULL), parts.get(standing).copied().unwrap_or_default())
        }
        (_, true) => (0.25 * rarity, "roster-relative"),
        (Form::Initial, _) => (line(&LONE) + 0.5, "roster-name-and-initial"),
        _ => {
            (line(&LONE), if standing == 0 { "roster-name-in-house" } else { "roster-name-lately" })
        }
    };
    points -= match (mention.how, mention.form) {
        (How::Written, _) => 0.0,
        (How::Nickname, Form::Full) if standing == 0 => NICKNAME,
        (How::Nickname, _) => NICKNAME_ALONE,
        (How::Error, _) => ERROR,
    };
    if mention.form == Form::Full {
        if is_staff(roster, reading, mention.words) {
            return (rarity.mul_add(0.3, STAFF_AND_PATIENT), "roster-and-staff");
        }
    } else if mention.form != Form::Initial {
        let n = n_of_staff(roster, reading, mention.words);
        if n > 0.0 {
            let (once, rare, doubled) = STAFF_LONE;
            points += n.log2().mul_add(doubled, rarity.mul_add(rare, once));
        }
    }
    (points, part)
}

/// Whether somebody of the staff bears two words of a name.
fn is_staff(roster: &Roster, reading: &Reading<'_>, (first, last): (usize, usize)) -> bool {
    let plain = |at: usize| reading.word(at).replace(['\'', '’'], "");
    let words: Vec<String> = (first..=last).map(plain).collect();
    let joined =
        (words.len() > 2).then(|| words.iter().skip(1).map(String::as_str).collect::<String>());
    words.iter().enumerate().any(|(at, one)| {
        words.iter().skip(at + 1).chain(&joined).any(|other| roster.staff.has(one, other))
    })
}

/// How many of the staff bear one of these words.
fn n_of_staff(roster: &Roster, reading: &Reading<'_>, (first, last): (usize, usize)) -> f32 {
    let bear = (first..=last).map(|at| {
        let (given, family) = roster.staff.bear(&reading.word(at).replace(['\'', '’'], ""));
        given.max(family)
    });
    f32::from(u16::try_from(bear.max().unwrap_or_default()).unwrap_or(u16::MAX))
}

/// What is to be said of a name that the roster does not know.
fn of_others(roster: &Roster, reading: &Reading<'_>, words: (usize, usize)) -> (f32, &'static str) {
    if roster.indexes.is_empty() && roster.staff.n_people() == 0 {
        return (0.0, "");
    }
    if is_staff(roster, reading, words) {
        return (STAFF_FULL, "staff");
    }
    let lone = if words.0 == words.1 { n_of_staff(roster, reading, words) } else { 0.0 };
    match (lone > 0.0, roster.indexes.is_empty()) {
        (true, _) => (STAFF_ONLY, "staff-name"),
        // Names run together are on no list as one word: `AllieBreen`.
        (false, false) if is_mixed(reading, words) => (0.0, ""),
        (false, false) => (NOBODY, "on-no-list"),
        (false, true) => (0.0, ""),
    }
}

/// Whether a word has capitals within it.
fn is_mixed(reading: &Reading<'_>, (first, last): (usize, usize)) -> bool {
    let mixed = |at| reading.at(at, 0).is_some_and(|word| word.token.shape == Shape::Mixed);
    (first..=last).any(mixed)
}

fn raise(
    proposal: &mut Proposal,
    points: f32,
    part: &'static str,
    certain: bool,
    relative: bool,
    explain: bool,
) {
    lower(proposal, points, part, explain);
    if certain {
        proposal.standing = Standing::Certain;
        proposal.sure = true;
    }
    if certain || points > 0.0 {
        proposal.composer = if relative { Composer::RosterRelative } else { Composer::RosterName };
    }
}

fn lower(proposal: &mut Proposal, points: f32, part: &'static str, explain: bool) {
    proposal.tied += points;
    if explain && !part.is_empty() {
        proposal.parts.push(Part { feature: part.into(), points });
    }
}
