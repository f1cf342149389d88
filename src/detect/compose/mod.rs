//! Composers: what one pattern cannot say. Names, dates, ages, places.
//!
//! Each composer proposes generously and weighs every candidate: a sum of named features whose weights are data.
//! Two numbers decide. Where the best candidates of a post, one of each kind, together reach the *trigger*, its care
//! counted in, the post is about a patient; from then on everything that reaches the much lower *deny* threshold is a finding. Elsewhere what
//! merely looks like a name, date or place is of low confidence at most.

mod address;
mod age;
mod calendar;
mod code;
mod date;
mod evidence;
mod foreign;
mod hidden;
mod hint;
mod join;
mod known;
mod line;
mod link;
mod model;
mod name;
mod period;
mod place;
mod room;
mod run;
mod script;
mod season;
mod spot;
mod surroundings;
mod ward;
mod wording;
mod words;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use jiff::civil::Date;

use crate::detect::candidate::Candidate;
use crate::detect::compose::evidence::{Evidence, Kind};
use crate::detect::labelled::Label;
use crate::detect::token::Text;
use crate::detect::{Care, Part, context};
use crate::diagnostic::Diagnostic;
use crate::roster::Roster;
use crate::rules::{Category, Class, Confidence, Lexicons, Matcher, RuleSet, Thresholds, Weights};
use crate::span::Span;

pub(crate) use model::{Feature, Grade, Model, Score, Seat};
use wording::Wording;
pub(crate) use words::Reading;

/// What a candidate was made by; a rule claims it by name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Composer {
    NameHonorific,
    NamePatient,
    NameKinship,
    NameTag,
    NameFull,
    NameSingle,
    NameRepeat,
    DateCalendar,
    DatePartial,
    DateWeekday,
    DateHoliday,
    AgeOver89,
    LocationAddress,
    LocationRoad,
    LocationCity,
    LocationFacility,
    LocationRoom,
    CodeBare,
    UrlHost,
    EmailAtHost,
    CodeHidden,
    UrlInCare,
    ZipInCare,
    RosterName,
    RosterRelative,
    RosterMrn,
    RosterAccount,
    RosterHealthPlan,
    RosterSsn,
    RosterLicense,
    RosterOtherId,
    RosterPhone,
    RosterEmail,
    RosterAddress,
    RosterRoom,
    RosterBirth,
}

impl Composer {
    /// Every composer with the name by which a rule claims it.
    const ALL: [(&str, Self); 36] = [
        ("name-honorific", Self::NameHonorific),
        ("name-patient", Self::NamePatient),
        ("name-kinship", Self::NameKinship),
        ("name-tag", Self::NameTag),
        ("name-full", Self::NameFull),
        ("name-single", Self::NameSingle),
        ("name-repeat", Self::NameRepeat),
        ("date-calendar", Self::DateCalendar),
        ("date-partial", Self::DatePartial),
        ("date-weekday", Self::DateWeekday),
        ("date-holiday", Self::DateHoliday),
        ("age-over-89", Self::AgeOver89),
        ("location-address", Self::LocationAddress),
        ("location-road", Self::LocationRoad),
        ("location-city", Self::LocationCity),
        ("location-facility", Self::LocationFacility),
        ("location-room", Self::LocationRoom),
        ("code-bare", Self::CodeBare),
        ("url-host", Self::UrlHost),
        ("email-at-host", Self::EmailAtHost),
        ("code-hidden", Self::CodeHidden),
        ("url-in-care", Self::UrlInCare),
        ("zip-in-care", Self::ZipInCare),
        ("roster-name", Self::RosterName),
        ("roster-relative", Self::RosterRelative),
        ("roster-mrn", Self::RosterMrn),
        ("roster-account", Self::RosterAccount),
        ("roster-health-plan", Self::RosterHealthPlan),
        ("roster-ssn", Self::RosterSsn),
        ("roster-license", Self::RosterLicense),
        ("roster-other-id", Self::RosterOtherId),
        ("roster-phone", Self::RosterPhone),
        ("roster-email", Self::RosterEmail),
        ("roster-address", Self::RosterAddress),
        ("roster-room", Self::RosterRoom),
        ("roster-birth-date", Self::RosterBirth),
    ];

    const fn is_place(self) -> bool {
        matches!(
            self,
            Self::LocationAddress
                | Self::LocationRoad
                | Self::LocationCity
                | Self::LocationFacility
                | Self::LocationRoom
        )
    }

    const fn is_date(self) -> bool {
        matches!(
            self,
            Self::DateCalendar | Self::DatePartial | Self::DateWeekday | Self::DateHoliday
        )
    }

    const fn is_name(self) -> bool {
        matches!(
            self,
            Self::NameHonorific
                | Self::NamePatient
                | Self::NameKinship
                | Self::NameTag
                | Self::NameFull
                | Self::NameSingle
                | Self::NameRepeat
                | Self::RosterName
                | Self::RosterRelative
        )
    }
}

/// A candidate before it is known whether the post is about a patient.
#[derive(Debug)]
struct Proposal {
    composer: Composer,
    /// In the folded view.
    span: Span,
    /// Its words, first and last.
    words: (usize, usize),
    tied: f32,
    like: f32,
    /// Says so itself: shows by itself that the post is about a patient.
    sure: bool,
    standing: Standing,
    generalized: Option<String>,
    parts: Vec<Part>,
}

/// How far a proposal depends on its own weight.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Standing {
    /// It is weighed, and may show that the post is about a patient.
    #[default]
    Weighed,
    /// It shows nothing, and counts where the rest of the post is about a patient.
    WithPost,
    /// So unsure that it counts only where a policy takes whatever is of low confidence.
    Loose,
    /// One of the roster's, by two columns of one row or by what nobody else bears.
    Certain,
}

/// What the composers of one kind of candidate need.
#[derive(Clone, Copy, Debug)]
struct Desk<'a> {
    lexicons: &'a Lexicons,
    models: &'a Models,
    today: Date,
    explain: bool,
}

/// The weights of each kind of candidate.
#[derive(Debug)]
struct Models {
    care: Model,
    name: Model,
    date: Model,
    place: Model,
    age: Model,
    hit: Model,
}

impl Models {
    /// The model by which a composer's candidates are weighed.
    const fn of(&self, composer: Composer) -> &Model {
        match Kind::of(composer) {
            Kind::Name => &self.name,
            Kind::Date => &self.date,
            Kind::Place => &self.place,
            Kind::Age => &self.age,
            Kind::Hit => &self.hit,
        }
    }
}

/// The composers that the rule set names, ready to run.
#[derive(Debug)]
pub(crate) struct Composers {
    lexicons: Arc<Lexicons>,
    thresholds: Thresholds,
    models: Models,
    /// What each word is worth in a post at all, by its number.
    words: Vec<f32>,
    /// The rule that claims each composer.
    rules: [Option<usize>; Composer::ALL.len()],
    categories: Vec<Category>,
}

impl Composers {
    /// Builds every composer a rule names; an unknown name is a fault.
    pub(crate) fn build(rules: &RuleSet) -> Result<Self, Vec<Diagnostic>> {
        let mut claimed = [None; Composer::ALL.len()];
        let mut faults = Vec::new();
        for (at, rule) in rules.rules.iter().enumerate() {
            let Matcher::Composer(name) = &rule.matcher else { continue };
            // Numbers beside their labels are found where the labels are.
            if Label::named(name).is_some() {
                continue;
            }
            let known = Composer::ALL.iter().position(|(known, _)| known == name);
            if let Some(slot) = known.and_then(|known| claimed.get_mut(known)) {
                *slot = Some(at);
            } else {
                let composers = Composer::ALL.iter().map(|(name, _)| *name);
                let known: Vec<&str> =
                    composers.chain(Label::ALL.iter().map(|(name, _)| *name)).collect();
                faults.push(
                    Diagnostic::error(
                        &rule.source,
                        format!("rule `{}`: there is no composer `{name}`", rule.id),
                    )
                    .at(rule.span)
                    .help(format!("the composers are {}", known.join(", "))),
                );
            }
        }
        let weights = Weights::embedded();
        let mut unknown = Vec::new();
        let none = crate::rules::Points::new();
        let words = &weights.words;
        let mut model = |tied, beside: &[_], like, beside_like: &[_]| {
            Model::build((tied, beside), (like, beside_like), &mut unknown)
        };
        let models = Models {
            care: model(&weights.care, &[], &none, &[]),
            name: model(&weights.name, &words.name, &weights.name_likeness, &words.name_likeness),
            date: model(&weights.date, &words.date, &weights.date_likeness, &[]),
            place: model(&weights.place, &words.place, &weights.place_likeness, &[]),
            age: model(&weights.age, &words.age, &none, &[]),
            hit: model(&weights.hit, &words.hit, &none, &[]),
        };
        debug_assert!(unknown.is_empty(), "weights of features that do not exist: {unknown:?}");
        if !faults.is_empty() {
            return Err(faults);
        }
        let categories = rules.rules.iter().map(|rule| rule.category).collect();
        Ok(Self {
            lexicons: Arc::clone(&rules.lexicons),
            thresholds: weights.thresholds,
            models,
            words: weights.words.post.clone(),
            rules: claimed,
            categories,
        })
    }

    /// Reads the texts of one post together: how much it speaks of a patient's care, and the candidates of each text.
    /// `certain` are the hits of patterns and terms so far, text by text: they count as evidence. Care and candidates
    /// come from one call because the best candidate may itself show that the post is about a patient, and once it
    /// is, what would pass elsewhere counts. `roster` knows the hospital's own people. `explain` asks for the parts of every
    /// score.
    pub(crate) fn run(
        &self,
        texts: &[Text],
        today: Date,
        certain: &[Vec<Candidate>],
        roster: Option<&Roster>,
        explain: bool,
    ) -> (Care, Vec<Vec<Candidate>>) {
        let readings: Vec<Reading<'_>> =
            texts.iter().map(|text| Reading::of(text, &self.lexicons)).collect();
        let desk = Desk { lexicons: &self.lexicons, models: &self.models, today, explain };
        let mut proposals: Vec<Vec<Proposal>> =
            readings.iter().map(|reading| propose(reading, desk)).collect();
        for (proposals, certain) in proposals.iter_mut().zip(certain) {
            code::leave_known(proposals, certain);
        }
        if let Some(roster) = roster {
            known::read(roster, &readings, desk, &mut proposals);
        }
        let wordings: Vec<Wording> = readings
            .iter()
            .zip(&proposals)
            .map(|(reading, proposals)| Wording::of(reading, proposals))
            .collect();
        for ((reading, wording), proposals) in readings.iter().zip(&wordings).zip(&mut proposals) {
            for Proposal { composer, words, tied, like, parts, .. } in proposals {
                let parts = explain.then_some(parts);
                wording.add(reading, self.models.of(*composer), *words, [tied, like], parts);
            }
        }
        let mut care = self.care(&readings, &wordings, explain);
        let mut evidence = Evidence::default();
        let weighed = proposals.iter().flatten();
        for proposal in weighed.filter(|proposal| proposal.standing == Standing::Weighed) {
            evidence.note(Kind::of(proposal.composer), proposal.tied);
        }
        let mut hits = Vec::new();
        for ((reading, wording), certain) in readings.iter().zip(&wordings).zip(certain) {
            hits.push(
                certain
                    .iter()
                    .filter_map(|hit| self.weigh_hit(hit, reading, wording, explain))
                    .collect::<Vec<_>>(),
            );
        }
        for (tied, _) in hits.iter().flatten() {
            evidence.note(Kind::Hit, *tied);
        }
        // What identifies by itself, such as a labelled record number, needs no words of care.
        let certain_number = certain.iter().flatten().any(|hit| hit.standalone)
            || proposals.iter().flatten().any(|proposal| proposal.sure);
        care.candidates = evidence.together();
        care.speaks_of_care = certain_number || care.candidates + care.score >= care.trigger;
        if care.speaks_of_care {
            self.repeat(&readings, &mut proposals, care.score);
        }
        let candidates = proposals
            .into_iter()
            .map(|proposals| {
                proposals.into_iter().filter_map(|proposal| self.settle(proposal, &care)).collect()
            })
            .collect();
        let mut candidates: Vec<Vec<Candidate>> = candidates;
        if explain {
            for (candidates, hits) in candidates.iter_mut().zip(hits) {
                candidates.extend(hits.into_iter().map(|(_, candidate)| candidate));
            }
        }
        (care, candidates)
    }

    /// How much a post speaks of a patient's care, by its classes and by its words.
    fn care(&self, readings: &[Reading<'_>], wordings: &[Wording], explain: bool) -> Care {
        let (score, mut parts) = context::weigh(readings, &self.models.care, explain);
        let parts_of_words = explain.then_some(&mut parts);
        let score = score + wording::of_post(readings, wordings, &self.words, parts_of_words);
        Care {
            score,
            candidates: f32::NEG_INFINITY,
            trigger: self.thresholds.trigger,
            speaks_of_care: false,
            parts,
        }
    }

    /// What a hit of a pattern says of the post it stands in, and how that came about. Its own confidence stands: this
    /// candidate is none, and only explains.
    fn weigh_hit(
        &self,
        hit: &Candidate,
        reading: &Reading<'_>,
        wording: &Wording,
        explain: bool,
    ) -> Option<(f32, Candidate)> {
        let feature = match self.categories.get(hit.rule)? {
            Category::Phone => Feature::HitPhone,
            Category::Fax => Feature::HitFax,
            Category::Email => Feature::HitEmail,
            Category::Url => Feature::HitUrl,
            Category::Ip => Feature::HitIp,
            Category::Zip => Feature::HitZip,
            Category::Name | Category::Date | Category::Age | Category::Location => Feature::HitAge,
            _ if hit.confidence >= Some(Confidence::High) => Feature::HitNumber,
            _ => Feature::HitWeak,
        };
        let mut score = self.models.hit.score(explain);
        score.add(feature);
        let (first, last) = reading.under(hit.span);
        surroundings::add(reading, first, last, &mut score);
        let Score { mut tied, mut like, mut parts, .. } = score;
        let parts_of_words = explain.then_some(&mut parts);
        let words = (first, last);
        wording.add(reading, &self.models.hit, words, [&mut tied, &mut like], parts_of_words);
        let candidate = Candidate { confidence: None, generalized: None, parts, ..hit.clone() };
        Some((tied, candidate))
    }

    /// Once a name is a finding, every equal word is: adds those that no composer proposed and raises those that one did.
    fn repeat(&self, readings: &[Reading<'_>], proposals: &mut [Vec<Proposal>], care: f32) {
        let mut names: HashSet<&str> = HashSet::new();
        for (reading, proposals) in readings.iter().zip(proposals.iter()) {
            let found = proposals.iter().filter(|proposal| {
                proposal.composer.is_name()
                    && (proposal.tied + care >= self.thresholds.deny
                        || proposal.standing == Standing::Certain)
            });
            for proposal in found {
                for at in proposal.words.0..=proposal.words.1 {
                    let entry = reading.at(at, 0).map(|word| word.entry).unwrap_or_default();
                    let word = reading.word(at);
                    // A name that is a common word is repeated by chance; so are initials and particles.
                    if word.len() > 2 && entry.word < 11 && !entry.classes.has(Class::Particle) {
                        names.insert(word);
                    }
                }
            }
        }
        if names.is_empty() {
            return;
        }
        for (reading, proposals) in readings.iter().zip(proposals.iter_mut()) {
            let mut proposed: Vec<Option<usize>> = vec![None; reading.words.len()];
            let mut dated = vec![false; reading.words.len()];
            for (nth, proposal) in proposals.iter().enumerate() {
                if proposal.composer == Composer::DateCalendar {
                    name::mark(&mut dated, proposal);
                }
                if proposal.composer.is_name()
                    && let Some(words) = proposed.get_mut(proposal.words.0..=proposal.words.1)
                {
                    words.fill(Some(nth));
                }
            }
            for (at, (proposed, dated)) in proposed.into_iter().zip(dated).enumerate() {
                let word = reading.word(at);
                if dated || !names.contains(word) {
                    continue;
                }
                let span = reading.span(at, at);
                if let Some(proposal) = proposed.and_then(|nth| proposals.get_mut(nth)) {
                    proposal.tied = proposal.tied.max(self.thresholds.deny - care);
                } else {
                    proposals.push(Proposal {
                        composer: Composer::NameRepeat,
                        span,
                        words: (at, at),
                        tied: self.thresholds.deny - care,
                        like: 0.0,
                        sure: false,
                        standing: Standing::Weighed,
                        generalized: None,
                        parts: Vec::new(),
                    });
                }
            }
        }
    }

    /// Turns a proposal into a candidate: how sure depends on whether the post is about a patient.
    fn settle(&self, proposal: Proposal, care: &Care) -> Option<Candidate> {
        let rule = (*self.rules.get(proposal.composer as usize)?)?;
        let total = proposal.tied + care.score;
        let confidence = match () {
            () if proposal.standing == Standing::Certain => Some(Confidence::Certain),
            () if proposal.standing == Standing::Loose => Some(Confidence::Low),
            () if proposal.standing == Standing::WithPost => {
                Some(if care.speaks_of_care { Confidence::Medium } else { Confidence::Low })
            }
            () if care.speaks_of_care && total >= self.thresholds.high => Some(Confidence::High),
            // Rounding must not part a repeat from the name it repeats.
            () if care.speaks_of_care
                && (proposal.sure || total + 1e-3 >= self.thresholds.deny) =>
            {
                Some(Confidence::Medium)
            }
            () if proposal.like >= self.thresholds.low => Some(Confidence::Low),
            () => None,
        };
        Some(Candidate {
            rule,
            span: proposal.span,
            confidence,
            standalone: proposal.standing == Standing::Certain,
            generalized: proposal.generalized,
            parts: proposal.parts,
        })
    }
}

/// Everything in one text that may be a name, a date, an age or a place.
fn propose(reading: &Reading<'_>, desk: Desk<'_>) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    date::propose(reading, desk, &mut proposals);
    age::propose(reading, desk, &mut proposals);
    place::propose(reading, desk, &mut proposals);
    name::propose(reading, desk, &mut proposals);
    code::propose(reading, &mut proposals);
    line::propose(reading, &mut proposals);
    hidden::propose(reading, &mut proposals);
    proposals
}
