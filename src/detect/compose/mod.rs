//! Composers: what one pattern cannot say. Names, dates, ages, places, codes.

use jiff::civil::Date;

use crate::detect::Care;
use crate::detect::candidate::Candidate;
use crate::detect::token::Text;
use crate::diagnostic::Diagnostic;
use crate::rules::RuleSet;

/// The composers that the rule set names, ready to run.
#[derive(Debug)]
pub(crate) struct Composers {
    _private: (),
}

impl Composers {
    /// Builds every composer a rule names; an unknown name is a fault.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "the composers to come refuse names they do not know"
    )]
    pub(crate) fn build(_rules: &RuleSet) -> Result<Self, Vec<Diagnostic>> {
        Ok(Self { _private: () })
    }

    /// Reads the texts of one post together: how much it speaks of a patient's care, and the candidates of each text.
    /// `certain` are the hits of patterns and terms so far, text by text: they count as evidence. Care and candidates
    /// come from one call because the best candidate may itself show that the post is about a patient, and once it
    /// is, what would pass elsewhere counts. `explain` asks for the parts of every score.
    pub(crate) fn run(
        &self,
        texts: &[Text<'_>],
        _today: Date,
        _certain: &[Vec<Candidate>],
        _explain: bool,
    ) -> (Care, Vec<Vec<Candidate>>) {
        (Care::default(), vec![Vec::new(); texts.len()])
    }
}
