//! Names: weighed, not looked up.
//!
//! Every run of words with a hint of a name is proposed: a capital where none is needed, a listed name, a word after
//! an honorific, kin or `patient`. What it is worth is a sum of features: how common it is as a name and as a word,
//! how it is written, and what stands around it.

use crate::detect::compose::model::{Feature, Grade, Score, Seat};
use crate::detect::compose::run::{LISTED, Run, runs};
use crate::detect::compose::surroundings::{self, ends_before};
use crate::detect::compose::words::{Case, Reading, Word};
use crate::detect::compose::{Composer, Desk, Proposal, Standing};
use crate::detect::token::{Gap, Shape};
use crate::normalize::Kind;
use crate::rules::{Class, Classes, Entry};
use crate::span::Span;

/// Proposes every run of words that may be a name.
pub(super) fn propose(reading: &Reading<'_>, desk: Desk<'_>, out: &mut Vec<Proposal>) {
    let runs = runs(reading);
    // Words of a date or place that was recognised whole are weighed there; those of a date in full are nobody's, however
    // little says whose day it is.
    let (mut taken, mut dated) =
        (vec![false; reading.words.len()], vec![false; reading.words.len()]);
    for other in out.iter().filter(|other| !other.composer.is_name()) {
        let full = other.composer == Composer::DateCalendar;
        if full || other.like > 2.0 {
            mark(&mut taken, other);
        }
        if full {
            mark(&mut dated, other);
        }
    }
    let is_dated = |at: usize| dated.get(at).is_some_and(|word| *word);
    for (nth, run) in runs.iter().enumerate() {
        let mut run = *run;
        // `Kowalski March 3, 2026`: the name ends where the date begins.
        while run.first < run.last && is_dated(run.last) {
            run.last -= 1;
        }
        while run.first < run.last && is_dated(run.first) {
            run.first += 1;
        }
        if taken.get(run.first..=run.last).is_some_and(|words| words.iter().all(|word| *word)) {
            continue;
        }
        let mut score = desk.models.name.score(desk.explain);
        weigh(reading, desk, run, &mut score);
        beside(reading, &runs, nth, &mut score);
        let sure = is_sure(reading, run) || is_hidden(reading, run);
        score.add_if(sure, Feature::CertainCue);
        out.push(Proposal {
            composer: composer(reading, run),
            span: whole(reading, run),
            words: (run.first, run.last),
            tied: score.tied,
            like: score.like,
            sure,
            standing: Standing::Weighed,
            generalized: None,
            parts: score.parts,
        });
    }
}

/// A name that only the roster knows, weighed as if it had been proposed.
pub(super) fn alone(reading: &Reading<'_>, desk: Desk<'_>, first: usize, last: usize) -> Proposal {
    let run =
        Run { first, last, last_first: false, cue: Classes::default(), way: Feature::ByListed };
    let mut score = desk.models.name.score(desk.explain);
    weigh(reading, desk, run, &mut score);
    Proposal {
        composer: Composer::NameFull,
        span: whole(reading, run),
        words: (first, last),
        tied: score.tied,
        like: score.like,
        sure: false,
        standing: Standing::Weighed,
        generalized: None,
        parts: score.parts,
    }
}

/// Marks the words of a proposal.
pub(super) fn mark(words: &mut [bool], proposal: &Proposal) {
    words
        .get_mut(proposal.words.0..=proposal.words.1)
        .into_iter()
        .flatten()
        .for_each(|word| *word = true);
}

/// A word with digits read as the letters they stand for.
fn unleet(word: &str) -> String {
    word.chars()
        .map(|c| match c {
            '0' => 'o',
            '1' => 'i',
            '3' => 'e',
            '4' => 'a',
            '5' => 's',
            '7' => 't',
            '8' => 'b',
            '9' => 'g',
            c => c,
        })
        .collect()
}

fn weigh(reading: &Reading<'_>, desk: Desk<'_>, run: Run, score: &mut Score<'_>) {
    let Some(words) = reading.words.get(run.first..=run.last) else { return };
    let long: Vec<&Word> = words
        .iter()
        .filter(|word| word.token.span.len() > 1 && !word.classes.has(Class::Particle))
        .collect();
    let (Some(first), Some(last)) =
        (long.first().copied().or(words.first()), long.last().copied().or(words.last()))
    else {
        return;
    };
    let (first, last) = (&decoded(reading, desk, run, first), &decoded(reading, desk, run, last));
    let common = words
        .iter()
        .filter(|word| word.token.span.len() > 1)
        .map(|word| word.entry.word)
        .min()
        .unwrap_or_default();
    let unlisted = long
        .iter()
        .all(|word| word.entry.first == 0 && word.entry.last == 0 && !word.classes.meets(LISTED));
    score.grade(Grade::FirstWord(
        step(first.entry.first, &[1, 7, 10, 13, 15]),
        step(common, &[1, 2, 5, 10, 15]),
    ));
    score.grade(Grade::LastWord(
        step(last.entry.last, &[1, 6, 9, 12, 14]),
        step(common, &[1, 2, 5, 10, 15]),
    ));
    score.grade(Grade::City(words.iter().map(|word| word.place.1).max().unwrap_or_default()));
    score.add(match first.token.shape {
        Shape::Lower | Shape::Digits => Feature::ShapeLower,
        Shape::Capital => Feature::ShapeCapital,
        Shape::Upper => Feature::ShapeUpper,
        Shape::Mixed => Feature::ShapeMixed,
        Shape::Code => Feature::ShapeCode,
    });
    let starts = words.first().is_some_and(|word| word.token.starts_sentence)
        && ends_before(reading, run.first);
    score.add_if(
        first.token.shape == Shape::Capital && !starts && reading.case == Case::Normal,
        Feature::CapitalInside,
    );
    score.add_if(starts, Feature::StartsSentence);
    score.add_if(reading.case == Case::Upper, Feature::CaseUpper);
    score.add_if(reading.case == Case::Lower, Feature::CaseLower);
    score.add_if(reading.case == Case::Title, Feature::CaseTitle);
    score.add_if(words.len() == 2, Feature::Words2);
    score.add_if(words.len() > 2, Feature::Words3);
    score.add_if(words.iter().any(|word| word.token.span.len() == 1), Feature::Initial);
    score.add_if(long.is_empty(), Feature::OnlyInitials);
    score.add_if(unlisted, Feature::Unlisted);
    score.add_if(
        first.entry.first >= 7 && words.len() > 1 && last.entry.last >= 6,
        Feature::FirstAndLast,
    );
    score.add_if(last.token.possessive, Feature::Possessive);
    score.add_if(first.token.tagged && !is_handle(reading, run.first), Feature::Tagged);
    score.add_if(is_handle(reading, run.first), Feature::Handle);
    score.add_if(words.iter().skip(1).any(|word| word.token.gap.has(Gap::HYPHEN)), Feature::Hyphen);
    score.add(run.way);
    score.add_if(run.last_first, Feature::LastFirst);
    score.add_if(
        words.iter().any(|word| word.classes.has(Class::Particle)) && words.len() > 1,
        Feature::Particle,
    );
    score.add_if(words.iter().any(|word| word.token.shape == Shape::Code), Feature::Leet);
    score.add_if(last.token.span.len() <= 3, Feature::Short);
    score.add_if(
        words.len() > 3 && words.iter().all(|word| word.token.span.len() == 1),
        Feature::Spaced,
    );
    score.add_if(words.iter().skip(1).any(|word| word.token.gap == Gap::OTHER), Feature::Masked);
    let quoted = |word: &Word| word.token.gap.has(Gap::QUOTE.and(Gap::BRACKET));
    score.add_if(words.iter().skip(1).any(quoted), Feature::NicknameInside);
    let n_words = words.len();
    let owner = words.iter().take(n_words - 1).any(|word| word.token.possessive);
    score.add_if(owner, Feature::PossessiveInside);
    score.add_if(words.iter().any(|word| word.token.gap.has(Gap::AND)), Feature::Employer);
    score.add_if(has_name_suffix(reading.word(run.last)), Feature::NameSuffix);
    let own = words.iter().fold(Classes::default(), |classes, word| classes.union(word.classes));
    score.seat(Seat::Own, own);
    score.add_if(
        own.has(Class::Eponym) && reading.classes(run.last, 1).has(Class::EponymHead),
        Feature::EponymBefore,
    );
    score.add_if(reading.repeats(run.first), Feature::Repeated);
    let family = run.first.checked_sub(1).is_some_and(|at| reading.word(at) == "the")
        && reading.word(run.last).ends_with('s')
        && words.len() == 1;
    score.add_if(family, Feature::Plural);
    surroundings::add(reading, run.first, run.last, score);
}

/// A word with what the lists say of it once its disguise is off: digits for letters, letters set apart.
fn decoded(reading: &Reading<'_>, desk: Desk<'_>, run: Run, word: &Word) -> Word {
    let mut word = *word;
    let name = if word.token.shape == Shape::Code {
        unleet(reading.text.word(&word.token))
    } else if word.token.span.len() == 1 && run.last >= run.first + 3 {
        (run.first..=run.last).map(|at| reading.word(at)).collect()
    } else {
        return word;
    };
    word.entry = desk.lexicons.word(&name);
    if word.entry == Entry::default() {
        word.entry = desk.lexicons.word(&name.replace('i', "l"));
    }
    word
}

/// Whether a name says itself that it is a patient's: `my patient`, `pt` or an honorific before a first and last name,
/// and nobody's role, praise or public office near.
fn is_sure(reading: &Reading<'_>, run: Run) -> bool {
    const CARE: Classes = Classes::of(&[
        Class::Patient,
        Class::Diagnosis,
        Class::Procedure,
        Class::Status,
        Class::Death,
        Class::Ward,
        Class::IdWord,
    ]);
    const OTHERS: Classes = Classes::of(&[
        Class::Role,
        Class::Praise,
        Class::Public,
        Class::Event,
        Class::Pet,
        Class::Brand,
    ]);
    let Some(words) = reading.words.get(run.first..=run.last) else { return false };
    let near = surroundings::near(reading, run.first, run.last);
    let surname = words.last().is_some_and(|word| {
        word.entry.last >= 6 || word.classes.has(Class::LastName) || word.entry.word == 0
    });
    let listed =
        words.len() > 1 && words.first().is_some_and(|word| word.entry.first >= 8) && surname;
    let cue = run.first.checked_sub(1).map_or("", |at| reading.word(at));
    // `MS` in capitals is a disease, `MR` a scan; a link's code is no name.
    let shouted = reading.at(run.first, -1).is_some_and(|word| word.token.shape == Shape::Upper);
    if shouted || words.iter().any(|word| word.token.shape == Shape::Code) {
        return false;
    }
    let patient = matches!(cue, "patient" | "pt" | "paciente" | "patiente" | "pasyente");
    let honored = run.cue.has(Class::Honorific)
        && (listed || (surname && near.meets(CARE) && near.has(Class::ClinicalVerb)));
    ((patient && listed) || honored) && !near.meets(OTHERS)
}

/// Whether a listed name is hidden as nobody hides a name but a patient's: letters apart, masked, backwards, of another
/// script. Who is public or an animal is hidden for fun.
fn is_hidden(reading: &Reading<'_>, run: Run) -> bool {
    const OTHERS: Classes = Classes::of(&[Class::Public, Class::Pet, Class::Brand]);
    let view = &reading.text.view;
    if view.disguises().is_empty() {
        return false;
    }
    let Some(words) = reading.words.get(run.first..=run.last) else { return false };
    let hidden = words.iter().any(|word| {
        let listed = word.entry.first.max(word.entry.last) >= 9 || word.classes.meets(LISTED);
        let mut kinds = view.disguises_under(word.token.span);
        word.token.span.len() > 2
            && listed
            && (word.entry.word <= 10 || word.entry.first > word.entry.word + 2)
            && kinds.any(|kind| {
                kind.is_evasion() || (kind == Kind::Invisible && view.is_hidden_in_part())
            })
    });
    hidden && !surroundings::near(reading, run.first, run.last).meets(OTHERS)
}

/// What the names around a name say: a list of them is mostly of colleagues.
fn beside(reading: &Reading<'_>, runs: &[Run], nth: usize, score: &mut Score<'_>) {
    let Some(run) = runs.get(nth) else { return };
    score.add_if(runs.len() == 1, Feature::OnlyName);
    score.add_if(runs.len() > 4, Feature::ListOfNames);
    let next = runs.get(nth + 1).filter(|next| next.first <= run.last + 2);
    let before = nth
        .checked_sub(1)
        .and_then(|nth| runs.get(nth))
        .filter(|before| before.last + 2 >= run.first);
    score.add_if(next.is_some() || before.is_some(), Feature::BesideName);
    let and = |at: usize| matches!(reading.word(at), "and" | "y" | "e" | "et");
    let joined = next.is_some_and(|next| next.first == run.last + 2 && and(run.last + 1))
        || before.is_some_and(|before| before.last + 2 == run.first && and(before.last + 1));
    score.add_if(joined, Feature::AndName);
}

fn composer(reading: &Reading<'_>, run: Run) -> Composer {
    let tagged = reading.at(run.first, 0).is_some_and(|word| word.token.tagged);
    match () {
        () if run.cue.has(Class::Honorific) => Composer::NameHonorific,
        () if run.cue.has(Class::Patient) || run.cue.has(Class::Named) => Composer::NamePatient,
        () if run.cue.has(Class::Kin) => Composer::NameKinship,
        () if tagged => Composer::NameTag,
        () if run.last > run.first => Composer::NameFull,
        () => Composer::NameSingle,
    }
}

/// The span of a run; an initial at its end keeps its full stop. `Dr.` goes with the name: left behind it would say whom
/// the name was of.
fn whole(reading: &Reading<'_>, run: Run) -> Span {
    let titled = run.first.checked_sub(1).filter(|at| {
        matches!(reading.word(*at), "dr" | "dra" | "drs")
            && reading.gap(run.first).only(Gap::STOP.and(Gap::SPACE))
    });
    let span = reading.span(titled.unwrap_or(run.first), run.last);
    let dotted = reading.at(run.last, 0).is_some_and(|word| word.token.span.len() == 1)
        && reading.byte_after(run.last) == b'.';
    if dotted { Span::new(span.start(), span.end() + 1) } else { span }
}

fn is_handle(reading: &Reading<'_>, at: usize) -> bool {
    (0..=at).rev().take(4).find_map(|at| {
        let word = reading.at(at, 0)?;
        if !word.token.tagged {
            return Some(false);
        }
        (word.token.gap != Gap::default() && !word.token.gap.only(Gap::UNDERSCORE))
            .then(|| word.token.gap.has(Gap::AT))
    }) == Some(true)
}

/// Endings that few English words have and many names do.
fn has_name_suffix(word: &str) -> bool {
    const SUFFIXES: [&str; 34] = [
        "ez", "ski", "sky", "ska", "wicz", "vich", "ova", "eva", "sen", "sson", "ian", "yan",
        "nko", "nen", "ini", "elli", "etti", "oglu", "dze", "vili", "wala", "stein", "berg",
        "mann", "quist", "poulos", "opoulos", "adze", "ullah", "uddin", "inho", "ndez", "iewicz",
        "afor",
    ];
    word.len() > 4 && SUFFIXES.iter().any(|suffix| word.ends_with(suffix))
}

/// How many of these bounds a value reaches.
fn step(value: u8, bounds: &[u8]) -> u8 {
    u8::try_from(bounds.iter().filter(|bound| value >= **bound).count()).unwrap_or(u8::MAX)
}
