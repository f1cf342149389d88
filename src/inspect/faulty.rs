//! The verdict on what could not be read, or not be decided: a block, unless the policy lets what is unreadable go on.

use http::StatusCode;

use crate::body::Unreadable;
use crate::inspect::inspector::{answer, resolve};
use crate::inspect::{Coverage, Fault, Inspection, Inspector, Request, Verdict};
use crate::media;
use crate::platform::{Answer, Reason, Resolved};
use crate::policy::{OnFault, Refused};

/// Something that goes wrong in the middle of an inspection.
pub(super) struct Rehearsal(Box<dyn Fn() + Send + Sync>);

impl std::fmt::Debug for Rehearsal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rehearsal").finish_non_exhaustive()
    }
}

impl Rehearsal {
    pub(super) fn new(fault: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Box::new(fault))
    }

    pub(super) fn run(&self) {
        (self.0)();
    }
}

impl Inspector {
    /// Decides on a request whose body the proxy could not read whole (too large, too slow, truncated, no memory).
    /// What did not come whole is blocked whatever the policy says.
    pub fn unreadable(&self, request: &Request<'_>, why: Unreadable) -> Inspection {
        let never = matches!(
            why,
            Unreadable::Truncated | Unreadable::TooSlow | Unreadable::Unkept | Unreadable::Busy
        );
        // A document that may pass says so in the policy's `[media]`, and nowhere else.
        let never = never || why == Unreadable::Document;
        let on_fault = if never { OnFault::Block } else { self.policy().on_unreadable() };
        self.faulty(request, Fault::Unreadable(why), on_fault)
    }

    /// The same for what nobody reads, by its first bytes: a document is blocked as one, whatever else is wrong with it.
    pub fn unread(&self, request: &Request<'_>, start: &[u8], why: Unreadable) -> Inspection {
        let is_document = !self.policy().documents() && media::is_document(start);
        self.unreadable(request, if is_document { Unreadable::Document } else { why })
    }

    /// The verdict on what cannot go on whatever the policy says: a message of a WebSocket that has no end, or is against
    /// the protocol.
    pub fn broken(&self, request: &Request<'_>, why: Unreadable) -> Inspection {
        self.faulty(request, Fault::Unreadable(why), OnFault::Block)
    }

    /// The verdict when inspection itself failed (a panic): always a block.
    pub fn failed(&self, request: &Request<'_>) -> Inspection {
        self.faulty(request, Fault::Failed, OnFault::Block)
    }

    /// The verdict when inspection did not end in time: always a block.
    pub fn late(&self, request: &Request<'_>) -> Inspection {
        self.faulty(request, Fault::Late, OnFault::Block)
    }

    /// The verdict when not even that could be said: a block that looks at nothing of the request.
    pub fn failed_twice(&self, reference: &str) -> Inspection {
        let sentence = self.policy().fault_sentence(Refused::Unchecked, reference);
        Inspection {
            verdict: Verdict::Block(Answer {
                status: StatusCode::UNPROCESSABLE_ENTITY,
                content_type: "text/plain; charset=utf-8".to_owned(),
                body: sentence.into_bytes(),
                status_line: None,
            }),
            enforced: true,
            is_post: true,
            endpoint: "unknown".to_owned(),
            known: false,
            coverage: Coverage::of_fault(Fault::Failed),
            findings: Vec::new(),
            fault: Some(Fault::Failed),
            unjudged_media: false,
            metadata_stripped: false,
            care: 0.0,
            shadow: None,
            reference: reference.to_owned(),
        }
    }

    /// A block for another reason than what the post contains.
    pub(super) fn refusal(
        &self,
        request: &Request<'_>,
        resolved: Resolved<'_>,
        refused: Refused,
    ) -> Verdict {
        let reason = match refused {
            Refused::Media
            | Refused::Uncleaned
            | Refused::Unstripped
            | Refused::Piece
            | Refused::Document => Reason::Media,
            Refused::Unaudited => Reason::Unaudited,
            Refused::Busy => Reason::Busy,
            Refused::Unreadable
            | Refused::TooLarge
            | Refused::Encrypted
            | Refused::Incomplete
            | Refused::Unchecked => Reason::Unreadable,
        };
        let sentence = self.policy().fault_sentence(refused, request.reference);
        Verdict::Block(answer(request, resolved.endpoint, None, (reason, &sentence)))
    }

    pub(super) fn faulty(
        &self,
        request: &Request<'_>,
        fault: Fault,
        on_fault: OnFault,
    ) -> Inspection {
        let resolved = resolve(request, None);
        let mut inspection = self.blank(request, resolved);
        inspection.fault = Some(fault);
        inspection.coverage = Coverage::of_fault(fault);
        if on_fault == OnFault::Block {
            let refused = match fault {
                Fault::Unreadable(Unreadable::TooLarge) => Refused::TooLarge,
                Fault::Unreadable(Unreadable::Encrypted) => Refused::Encrypted,
                Fault::Unreadable(Unreadable::Busy) => Refused::Busy,
                Fault::Unreadable(Unreadable::Truncated | Unreadable::TooSlow) => {
                    Refused::Incomplete
                }
                Fault::Unreadable(Unreadable::Document) => Refused::Document,
                Fault::Unreadable(Unreadable::Media) => Refused::Uncleaned,
                Fault::Unreadable(Unreadable::Piece) => Refused::Piece,
                Fault::Unreadable(Unreadable::Unkept)
                | Fault::CannotRedact(_)
                | Fault::Failed
                | Fault::Late => Refused::Unchecked,
                Fault::Unreadable(_) => Refused::Unreadable,
            };
            inspection.verdict = self.refusal(request, resolved, refused);
        }
        inspection
    }
}
