//! What each feature of a candidate or a post is worth: `rules/weights.toml`, and `rules/weights-words.tsv` for words.
//!
//! The weights are data, so that they can be fitted on posts by a script and read by people. A section for each
//! kind of candidate, one for care and one for the thresholds; a feature without a weight is worth nothing. Words that
//! many people use have weights of their own: in a post at all, and right before or after a candidate of each kind.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;

/// The weights of one kind of candidate, by the name of the feature.
pub type Points = BTreeMap<String, f32>;

/// Weights and thresholds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Weights {
    /// Where a score begins to count.
    pub thresholds: Thresholds,
    /// That a post speaks of a patient's care; added to every candidate of the post.
    pub care: Points,
    /// That a name is a patient's.
    pub name: Points,
    /// That it is a person's name at all.
    pub name_likeness: Points,
    /// That a date is tied to a patient.
    pub date: Points,
    /// That it is a date at all.
    pub date_likeness: Points,
    /// That a place is tied to a patient.
    pub place: Points,
    /// That it is a place at all.
    pub place_likeness: Points,
    /// That an age over 89 is a patient's.
    pub age: Points,
    /// What the hits of patterns say of the post they stand in.
    pub hit: Points,
    /// What single words are worth.
    #[serde(skip)]
    pub words: Words,
}

/// What single words are worth, by their number in the vocabulary; 0 is no word.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// The words with weights of their own, and stand-ins for those without, first [`Words::STAND_INS`].
    pub vocabulary: Vec<String>,
    /// Anywhere in a post, that it speaks of a patient's care.
    pub post: Vec<f32>,
    /// Beside a name, that it is a patient's.
    pub name: Vec<Beside>,
    /// Beside a name, that it is a person's name at all.
    pub name_likeness: Vec<Beside>,
    /// Beside a date, that it is tied to a patient.
    pub date: Vec<Beside>,
    /// The same beside a place.
    pub place: Vec<Beside>,
    /// The same beside an age.
    pub age: Vec<Beside>,
    /// The same beside the hit of a pattern.
    pub hit: Vec<Beside>,
}

/// The weights of a word two before, right before, right after and two after a candidate.
pub type Beside = [f32; 4];

impl Words {
    /// Nothing, a number, a word of another candidate, a word that is not listed, the beginning and the end of a text.
    pub const STAND_INS: [&'static str; 6] =
        ["", "<number>", "<name>", "<other>", "<start>", "<end>"];
    const SEATS: [&'static str; 4] = ["before2", "before", "after", "after2"];

    /// Reads a table of a word a line, then fields such as `post 0.42` or `name-after 1.20`, parted by tabs.
    fn parse(table: &str) -> Result<Self, String> {
        let rows: Vec<&str> =
            table.lines().filter(|row| !row.starts_with("# ") && !row.is_empty()).collect();
        let mut words = Self::default();
        words.vocabulary.extend(Self::STAND_INS.map(str::to_owned));
        for row in &rows {
            let word = row.split('\t').next().unwrap_or_default();
            if !Self::STAND_INS.contains(&word) {
                words.vocabulary.push(word.to_owned());
            }
        }
        let n_words = words.vocabulary.len();
        if n_words > usize::from(u16::MAX) {
            return Err("too many words".to_owned());
        }
        words.post = vec![0.0; n_words];
        for kind in Self::KINDS {
            *words.kind_mut(kind).ok_or(kind)? = vec![[0.0; 4]; n_words];
        }
        let mut next = Self::STAND_INS.len();
        for row in rows {
            let mut fields = row.split('\t');
            let word = fields.next().unwrap_or_default();
            let stand_in = Self::STAND_INS.iter().position(|stand_in| *stand_in == word);
            let number = stand_in.unwrap_or(next);
            next += usize::from(stand_in.is_none());
            for field in fields {
                words.set(number, field).ok_or_else(|| format!("`{word}`: `{field}`"))?;
            }
        }
        Ok(words)
    }

    const KINDS: [&'static str; 6] = ["name", "like", "date", "place", "age", "hit"];

    fn kind_mut(&mut self, kind: &str) -> Option<&mut Vec<Beside>> {
        match kind {
            "name" => Some(&mut self.name),
            "like" => Some(&mut self.name_likeness),
            "date" => Some(&mut self.date),
            "place" => Some(&mut self.place),
            "age" => Some(&mut self.age),
            "hit" => Some(&mut self.hit),
            _ => None,
        }
    }

    fn set(&mut self, number: usize, field: &str) -> Option<()> {
        let (place, points) = field.split_once(' ')?;
        let points: f32 = points.parse().ok()?;
        if place == "post" {
            *self.post.get_mut(number)? = points;
            return Some(());
        }
        let (kind, seat) = place.split_once('-')?;
        let seat = Self::SEATS.iter().position(|known| *known == seat)?;
        *self.kind_mut(kind)?.get_mut(number)?.get_mut(seat)? = points;
        Some(())
    }
}

/// Where a score begins to count.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Thresholds {
    /// Where the best candidates of a post together reach it, care counted in, the post is about a patient.
    pub trigger: f32,
    /// In a post about a patient, what reaches this is a finding of medium confidence.
    pub deny: f32,
    /// What reaches this is one of high confidence.
    pub high: f32,
    /// A likeness that reaches this is a finding of low confidence anywhere.
    pub low: f32,
}

impl Weights {
    /// The shipped weights, parsed once a process.
    ///
    /// # Panics
    ///
    /// Never: the files are built in, and a test parses them.
    #[expect(clippy::expect_used, reason = "the files are built in, and a test parses them")]
    pub fn embedded() -> Arc<Self> {
        static EMBEDDED: OnceLock<Arc<Weights>> = OnceLock::new();
        let parse = || {
            let mut weights: Weights = toml::from_str(include_str!("../../rules/weights.toml"))
                .expect("the shipped weights are valid");
            weights.words = Words::parse(include_str!("../../rules/weights-words.tsv"))
                .expect("the shipped weights of words are valid");
            weights
        };
        Arc::clone(EMBEDDED.get_or_init(|| Arc::new(parse())))
    }
}

#[cfg(test)]
mod tests {
    use super::{Weights, Words};

    #[test]
    fn the_shipped_weights_are_valid() {
        let thresholds = Weights::embedded().thresholds;
        assert!(thresholds.deny < thresholds.trigger && thresholds.trigger <= thresholds.high);
    }
    #[test]
    fn words_are_numbered_after_the_stand_ins() {
        let words = Words::parse(
            "# a comment\n<other>\tname-before -0.5\nrang\tpost 0.25\tname-after 1.5\n",
        )
        .unwrap();
        let rang = words.vocabulary.iter().position(|word| word == "rang").unwrap();
        assert_eq!(rang, Words::STAND_INS.len());
        assert!(words.post[rang] > 0.0 && words.name[rang][2] > 1.0);
        assert!(words.name[3][1] < 0.0);
        for bad in ["rang\tpost", "rang\tname-beside 1", "rang\twho-after 1", "rang\tpost x"] {
            assert!(Words::parse(bad).is_err(), "{bad:?}");
        }
    }
}
