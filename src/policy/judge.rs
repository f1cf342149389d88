//! One finding, one judgement: the strictest clause that applies, unless an exception covers the finding.

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;

use crate::detect::Finding;
use crate::policy::{Action, Policy};

/// What is asked about one finding. It prints no words.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// The words found. Exceptions compare them, folded.
    pub words: &'a str,
    /// Whether the post speaks of a patient's care.
    pub care: bool,
    /// The platform's name.
    pub platform: &'a str,
    /// The groups that the client proves to be in.
    pub groups: &'a [String],
    /// The field's path template, if its platform names it.
    pub field: Option<&'a str>,
    /// Today, UTC: exceptions end.
    pub today: Date,
}

impl fmt::Debug for Question<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question")
            .field("finding", self.finding)
            .field("n_bytes", &self.words.len())
            .field("care", &self.care)
            .finish_non_exhaustive()
    }
}

/// Who decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DecidedBy {
    /// The clause of this name.
    Clause(Arc<str>),
    /// The exception of this name.
    Exception(Arc<str>),
    /// No clause applies.
    NoClause,
}

/// What is done about one finding, and who decided.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Judgement {
    /// What is done.
    pub action: Action,
    /// Who decided.
    pub by: DecidedBy,
}

impl Policy {
    /// Judges one finding: an exception that covers it makes it `log`, otherwise the strictest clause that applies
    /// wins, and where none applies it is `log`.
    ///
    /// The order of the file never matters: among equals the first by name is the one that the audit says decided.
    pub fn judge(&self, question: &Question<'_>) -> Judgement {
        let exception = self
            .exceptions
            .iter()
            .filter(|exception| exception.covers(question))
            .min_by_key(|exception| &exception.name);
        if let Some(exception) = exception {
            return Judgement {
                action: Action::Log,
                by: DecidedBy::Exception(Arc::clone(&exception.name)),
            };
        }
        let clause = self
            .clauses
            .iter()
            .filter(|clause| clause.applies(question))
            .max_by_key(|clause| (clause.action, Reverse(&clause.name)));
        match clause {
            Some(clause) => {
                Judgement { action: clause.action, by: DecidedBy::Clause(Arc::clone(&clause.name)) }
            }
            None => Judgement { action: Action::Log, by: DecidedBy::NoClause },
        }
    }
}
