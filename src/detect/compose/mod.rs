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
    pub(crate) fn build(_rules: &RuleSet) -> Result<Self, Vec<Diagnostic>> {
        todo!()
    }

    /// Adds the candidates of one text. `certain` are the hits of patterns and terms so far: a composer may lean on
    /// them. `explain` asks for the parts of every score.
    pub(crate) fn run(
        &self,
        _text: &Text<'_>,
        _care: &Care,
        _today: Date,
        _certain: &[Candidate],
        _explain: bool,
        _out: &mut Vec<Candidate>,
    ) {
        todo!()
    }
}
