//! Scores as sums of named features.
//!
//! A feature is one of a fixed set, or a class of words at a place beside the candidate: every class of the lists is
//! a feature before, after and near each candidate without a line of code. Weights are data (`rules/weights.toml`);
//! a feature without one is worth nothing, and still shows in an explanation, which is what weights are fitted on.

use std::sync::OnceLock;

use crate::detect::Part;
use crate::rules::{Beside, Class, Classes, Points};

/// Where a word of some class stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u16)]
pub(crate) enum Seat {
    /// Right before the candidate.
    Before,
    /// One word further back.
    Before2,
    /// Right after it.
    After,
    /// One word further on.
    After2,
    /// In its sentence, further off.
    Near,
    /// The candidate itself.
    Own,
    /// Anywhere in the post.
    Has,
    /// Twice or more in the post.
    Twice,
    /// Four times or more in the post.
    Often,
}

const SEATS: [(&str, Seat); 9] = [
    ("before", Seat::Before),
    ("before2", Seat::Before2),
    ("after", Seat::After),
    ("after2", Seat::After2),
    ("near", Seat::Near),
    ("own", Seat::Own),
    ("has", Seat::Has),
    ("twice", Seat::Twice),
    ("often", Seat::Often),
];

/// Room for the classes of one seat: as many as a set of classes has bits.
const N_CLASSES: usize = 64;
/// Where grades begin, after the classes of every seat.
const N_SEATED: usize = SEATS.len() * N_CLASSES;

macro_rules! features {
    ($($name:ident $word:literal,)*) => {
        /// A feature of the fixed set.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        #[repr(u16)]
        pub(crate) enum Feature { $($name,)* }

        const FEATURES: &[&str] = &[$($word,)*];
    };
}

features! {
    Bias "bias",
    // How it is written.
    ShapeLower "shape-lower", ShapeCapital "shape-capital", ShapeUpper "shape-upper", ShapeMixed "shape-mixed",
    ShapeCode "shape-code", CapitalInside "capital-inside-sentence", StartsSentence "starts-sentence",
    StartsLine "starts-line", CaseUpper "post-in-capitals", CaseLower "post-without-capitals", CaseTitle "post-in-title-case",
    Words2 "two-words", Words3 "three-words", Initial "has-initial", OnlyInitials "only-initials",
    Possessive "possessive", Tagged "in-hashtag", Handle "in-handle", Quoted "quoted", Hyphen "hyphenated",
    LastFirst "last-comma-first", Particle "with-particle", Leet "leet", Unlisted "unlisted", FirstAndLast "first-and-last-listed",
    NameSuffix "suffix-of-names", Repeated "repeated", CertainCue "certain-cue", Masked "masked", Spaced "spaced-letters", Employer "employer", Plural "plural-of-family", Short "three-letters-or-less",
    // How a name was proposed.
    ByCue "by-cue", ByFamily "by-family", ByRoom "by-room", ByVerb "by-verb", ByListed "by-list", ByCapital "by-capital",
    BySeldom "by-capital-of-a-word", ByTag "by-hashtag", ByHandle "by-handle", ByInitial "by-initial", ByDisguise "by-disguise", ByScript "by-script",
    NicknameInside "nickname-inside", PossessiveInside "possessive-inside",
    // What stands beside it.
    ColonAfter "colon-after", CommaAfter "comma-after", CommaBefore "comma-before", ColonBefore "colon-before",
    StopAfter "stop-after", LineAfter "line-after", QuoteAfter "quote-after", NumberAfter "number-after", NumberBefore "number-before",
    AgeAfter "age-after", InNumberAfter "in-number-after", BesideName "beside-name", AndName "and-name", OnlyName "only-name",
    ListOfNames "list-of-names", BracketBefore "bracket-before", EponymBefore "eponym-phrase", ByBefore "by-before",
    HisHerBefore "his-her-before", MyBefore "my-before", TheBefore "the-before", AndBefore "and-before", ToBefore "to-before", WithBefore "with-before",
    ForBefore "for-before", FromBefore "from-before", InBefore "in-before", AtBefore "at-before", OnBefore "on-before", SinceBefore "since-before",
    Greeting "greeting-before", IsAfter "is-after", WasAfter "was-after", AndAfter "and-after", InAfter "in-after", CityAndState "state-after",
    // Dates.
    FullDate "full-date", NumericDate "numeric", IsoDate "iso", MonthDay "month-and-day", MonthYear "month-and-year", MonthAlone "month-alone",
    WeekdayAlone "weekday-alone", WeekdayLast "weekday-with-last", HolidayDate "holiday-date", OrdinalDate "ordinal-day",
    WithYear "with-year", OldYear "birth-year", ClockAfter "clock-after", ClockNear "clock-near",
    FutureYear "future-year", RangeDate "range", HyphenAfter "hyphen-after", PluralDay "plural-day",
    RomanDate "roman-numerals", WeekOf "week-of", SeasonDate "season", DottedDate "dotted", WeekSaid "week-said",
    // Places.
    Address "address", StreetName "street-name", Highway "highway", Crossing "crossing", CountyName "county-name",
    CityName "city-name", CitySmall "small-city", FacilityName "facility-name", FacilityAcronym "facility-acronym", RoomNumber "room-number",
    RoomCode "room-code", FloorName "floor-name", OrdinalFloor "ordinal-floor", LineNumber "line-number", InLowNumber "in-low-number", BedNumber "bed-number", UnitNumber "unit-number", InBareNumber "in-bare-number", LeadingNumber "leading-number", ApartNumber "number-apart",
    BareAddress "address-without-kind", CrossingNames "crossing-of-names", PlaceOnStreet "place-on-street", PlaceKnown "place-known-by-name", PlaceHeaded "kind-before-name", PlaceSuffix "kind-after-name", PlaceNames "names-after-place-word", PlaceScript "place-in-script",
    InNumber "in-number", UnlistedPlace "unlisted-place",
    // Hits of patterns.
    HitPhone "phone", HitFax "fax", HitEmail "email", HitUrl "url", HitIp "ip", HitZip "zip", HitNumber "labelled-number", HitAge "age-over-89",
    NthBirthday "nth-birthday", BareAge "age-by-number",
    HitWeak "weak-number",
    // How it was hidden, and that anything in the post was.
    DisguiseInvisible "disguise-invisible", DisguiseMarked "disguise-marked", DisguiseDressed "disguise-dressed",
    DisguiseTwins "disguise-twins", DisguiseEscaped "disguise-escaped", DisguiseFlipped "disguise-flipped",
    DisguiseSpaced "disguise-spaced", DisguiseBroken "disguise-broken", DisguiseSpelled "disguise-spelled",
    DisguiseLeet "disguise-leet", DisguiseMasked "disguise-masked", DisguiseTurned "disguise-turned",
    DisguiseCoded "disguise-coded", Evasion "evasion", HiddenInPart "hidden-in-part",
    // The post.
    MyKin "my-kin", TheirKin "their-kin", IAmRole "i-am-role", MyPatient "my-patient", HistoricYear "historic-year",
    Foreign "foreign-words", ClinicalThird "clinical-and-third-person",
    ClinicalKin "clinical-and-kin", PatientMine "possessive-and-patient",
    PraiseRole "praise-and-role", EventMonth "event-and-month", Nobody "nobody-spoken-of",
}

/// A value put into one of a few steps, each a feature: joint frequency as a name and as a word.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Grade {
    /// How common as first name (six steps) by how common as a word (six steps).
    FirstWord(u8, u8),
    /// How common as last name (five steps) by how common as a word (six steps).
    LastWord(u8, u8),
    /// How large the city so named.
    City(u8),
    /// Share of a post's words in the care classes.
    CareShare(u8),
    /// How long the post is.
    Length(u8),
}

const N_GRADES: usize = 36 + 36 + 8 + 8 + 8;

impl Grade {
    fn index(self) -> usize {
        match self {
            Self::FirstWord(first, word) => {
                usize::from(first.min(5)) * 6 + usize::from(word.min(5))
            }
            Self::LastWord(last, word) => {
                36 + usize::from(last.min(5)) * 6 + usize::from(word.min(5))
            }
            Self::City(city) => 72 + usize::from(city.min(7)),
            Self::CareShare(share) => 80 + usize::from(share.min(7)),
            Self::Length(length) => 88 + usize::from(length.min(7)),
        }
    }

    fn name(index: usize) -> String {
        match index {
            0..36 => format!("first-{}-word-{}", index / 6, index % 6),
            36..72 => format!("last-{}-word-{}", (index - 36) / 6, index % 6),
            72..80 => format!("city-{}", index - 72),
            80..88 => format!("care-share-{}", index - 80),
            _ => format!("length-{}", index - 88),
        }
    }
}

/// The names of all features, in the order of a model's weights.
fn names() -> &'static [String] {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut names = Vec::with_capacity(N_SEATED + N_GRADES + FEATURES.len());
        for (seat, _) in SEATS {
            let class =
                |at| Class::word_at(at).map_or_else(String::new, |word| format!("{seat}-{word}"));
            names.extend((0..N_CLASSES).map(class));
        }
        names.extend((0..N_GRADES).map(Grade::name));
        names.extend(FEATURES.iter().map(|&name| name.to_owned()));
        names
    })
}

/// The weights of one kind of candidate: for being a patient's, and for being of its kind at all.
#[derive(Debug)]
pub(crate) struct Model {
    weights: Vec<[f32; 2]>,
    /// Of the words beside a candidate, by their number.
    beside: Vec<[[f32; 2]; 4]>,
}

impl Model {
    /// Reads the weights of a kind; the names of features that do not exist are given back.
    pub(crate) fn build(
        tied: (&Points, &[Beside]),
        like: (&Points, &[Beside]),
        unknown: &mut Vec<String>,
    ) -> Self {
        let names = names();
        let mut weights = vec![[0.0; 2]; names.len()];
        for (column, points) in [tied.0, like.0].into_iter().enumerate() {
            for (feature, value) in points {
                let known = names.iter().position(|name| name == feature);
                match known.and_then(|at| weights.get_mut(at)).and_then(|row| row.get_mut(column)) {
                    Some(weight) => *weight = *value,
                    None => unknown.push(feature.clone()),
                }
            }
        }
        let like = like.1.iter().copied().chain(std::iter::repeat([0.0; 4]));
        let beside = tied.1.iter().zip(like).map(|(tied, like)| {
            std::array::from_fn(|seat| {
                [tied, &like].map(|seats| seats.get(seat).copied().unwrap_or_default())
            })
        });
        Self { weights, beside: beside.collect() }
    }

    /// What a word is worth at one of four places beside a candidate.
    pub(crate) fn beside(&self, number: u16, seat: usize) -> [f32; 2] {
        let seats = self.beside.get(usize::from(number));
        seats.and_then(|seats| seats.get(seat)).copied().unwrap_or_default()
    }

    /// Begins a score.
    pub(crate) fn score(&self, explain: bool) -> Score<'_> {
        let mut score = Score { model: self, tied: 0.0, like: 0.0, parts: Vec::new(), explain };
        score.add(Feature::Bias);
        score
    }
}

/// A score while it is added up.
#[derive(Debug)]
pub(crate) struct Score<'m> {
    model: &'m Model,
    /// That it is a patient's, without the care of the post.
    pub(crate) tied: f32,
    /// That it is of its kind at all.
    pub(crate) like: f32,
    /// What it is made of, if somebody asks.
    pub(crate) parts: Vec<Part>,
    explain: bool,
}

impl Score<'_> {
    /// Adds a feature of the fixed set.
    pub(crate) fn add(&mut self, feature: Feature) {
        self.add_at(N_SEATED + N_GRADES + feature as usize);
    }

    /// Adds a feature if something holds.
    pub(crate) fn add_if(&mut self, holds: bool, feature: Feature) {
        if holds {
            self.add(feature);
        }
    }

    /// Adds a graded value.
    pub(crate) fn grade(&mut self, grade: Grade) {
        self.add_at(N_SEATED + grade.index());
    }

    /// Adds every class of a set at a seat.
    pub(crate) fn seat(&mut self, seat: Seat, classes: Classes) {
        let mut bits = classes.bits();
        while bits != 0 {
            self.add_at(seat as usize * N_CLASSES + bits.trailing_zeros() as usize);
            bits &= bits - 1;
        }
    }

    fn add_at(&mut self, at: usize) {
        let Some(&[tied, like]) = self.model.weights.get(at) else { return };
        self.tied += tied;
        self.like += like;
        if self.explain
            && let Some(feature) = names().get(at)
        {
            self.parts.push(Part { feature: feature.as_str().into(), points: tied });
        }
    }
}
