//! What an inspection decided and why, ready for audit: never any text.

use bytes::Bytes;

use crate::body::Unreadable;
use crate::inspect::Shadowed;
use crate::platform::{Answer, CannotRedact};
use crate::policy::{Action, DecidedBy};
use crate::rules::{Category, Confidence, RuleId};

/// What happens to a post.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "a post whose verdict is dropped has not been decided"]
pub enum Verdict {
    /// Send the original bytes on.
    Forward,
    /// Send this instead. Only `inspect` makes one.
    Redact(Redacted),
    /// Answer the client ourselves. Also the verdict for what we cannot read.
    Block(Answer),
}

impl Verdict {
    /// The word of audit and `scan`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Redact(_) => "redact",
            Self::Block(_) => "block",
        }
    }
}

/// What goes on in place of the original; `None` parts are as they came.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Redacted {
    /// The new query string, without `?`.
    pub query: Option<String>,
    /// The new body, encoded as the old one was.
    pub body: Option<Bytes>,
}

impl std::fmt::Debug for Redacted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redacted")
            .field("query", &self.query.is_some())
            .field("body", &self.body.as_ref().map(Bytes::len))
            .finish()
    }
}

/// What kept a post from being read or redacted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
    /// It cannot be read.
    #[error("unreadable: {0}")]
    Unreadable(Unreadable),
    /// It should be redacted and cannot be.
    #[error("cannot redact: {0}")]
    CannotRedact(CannotRedact),
    /// The inspection itself failed.
    #[error("inspection failed")]
    Failed,
    /// The inspection took too long.
    #[error("inspection took too long")]
    Late,
}

/// How far a request was understood: what the hospital is told of the gaps.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Coverage {
    /// Read as its platform's file says, or it carried nothing to read.
    #[default]
    Understood,
    /// No endpoint of the platform's file fits: everything was read, and nothing could have been edited.
    Generic,
    /// It could not be read. Why, in one word of a closed list.
    Unreadable(&'static str),
}

impl Coverage {
    /// Of a request that could not be read or judged.
    pub(super) const fn of_fault(fault: Fault) -> Self {
        match fault {
            Fault::Unreadable(why) => Self::Unreadable(why.as_str()),
            Fault::Failed => Self::Unreadable("inspection-failed"),
            Fault::Late => Self::Unreadable("inspection-late"),
            Fault::CannotRedact(_) => Self::Understood,
        }
    }
}

/// One finding with its judgement, as the audit lists it.
#[derive(Clone, Debug)]
pub struct JudgedFinding {
    /// The rule that found it.
    pub rule: RuleId,
    /// Which identifier.
    pub category: Category,
    /// The platform's own template (`poll.options[]`), or child indexes (`#3.#1`).
    pub field: String,
    /// Its length in bytes.
    pub length: usize,
    /// How sure.
    pub confidence: Confidence,
    /// What is done.
    pub action: Action,
    /// Who decided.
    pub by: DecidedBy,
}

/// One post, decided.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a separate fact that the audit line states"
)]
pub struct Inspection {
    /// What the policy says.
    pub verdict: Verdict,
    /// Whether that is carried out (`mode = "enforce"`), or the original goes on (`monitor`).
    pub enforced: bool,
    /// Whether the request is a post, and so is audited whatever was found.
    pub is_post: bool,
    /// The endpoint's template, such as `POST /api/v1/statuses`, or `unknown`.
    pub endpoint: String,
    /// Whether the platform's file names the endpoint.
    pub known: bool,
    /// How far it was understood.
    pub coverage: Coverage,
    /// Every finding.
    pub findings: Vec<JudgedFinding>,
    /// What kept the post from being read or redacted.
    pub fault: Option<Fault>,
    /// Whether raw media went through unjudged.
    pub unjudged_media: bool,
    /// Whether what a camera or a person wrote into its files is taken out of them.
    pub metadata_stripped: bool,
    /// How much the post speaks of a patient's care.
    pub care: f32,
    /// What another policy would have done with it, where there is one and that is something else.
    pub shadow: Option<Shadowed>,
    /// The reference in the client's sentence and the event: 8 base32 characters.
    pub reference: String,
}
