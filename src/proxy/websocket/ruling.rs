//! What is done with one message of a client: read, decided and written down before any byte of it leaves.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use crate::body::Unreadable;
use crate::inspect::{Inspection, Redacted, Verdict};
use crate::proxy::judge::{guarded, take_verdict};
use crate::proxy::outcome::PendingOutcome;
use crate::proxy::passage::Passage;
use crate::proxy::service::Gateway;
use crate::proxy::websocket::deflate::inflate;
use crate::proxy::websocket::message::Message;

/// Compressed messages longer than this are inflated off the async threads: each byte may become a thousand.
const INLINE: usize = 4096;

/// What is done with a message.
pub(super) enum Ruling {
    /// It goes on as it came.
    Forward(Option<PendingOutcome>),
    /// This text goes on in its place.
    Replace(Bytes, Option<PendingOutcome>),
    /// It does not go on; the client is told so by this text.
    Reply(Vec<u8>),
    /// The socket is closed with this code and reason.
    Close(u16, String),
}

/// Nothing of a text is printed.
impl std::fmt::Debug for Ruling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Forward(_) => "Forward",
            Self::Replace(..) => "Replace",
            Self::Reply(_) => "Reply",
            Self::Close(..) => "Close",
        })
    }
}

/// The code of RFC 6455, section 7.4.1, for what is against the policy.
const POLICY: u16 = 1008;

/// Decides on a message. `of` is the handshake of its socket.
pub(super) async fn rule(gateway: &Gateway, of: &Passage, message: &mut Message) -> Ruling {
    let body = match read(gateway, message).await {
        Ok(body) => body,
        Err((why, code)) => return refuse(gateway, of, why, code).await,
    };
    let passage = of.message(gateway.calendar.today());
    let began = Instant::now();
    if !message.is_text {
        // Nobody has said what it holds.
        let inspection = guarded(&gateway.inspector, &passage, &body, |request| {
            gateway.inspector.unread(request, &body, Unreadable::UnknownKind)
        });
        return settle(gateway, passage, inspection, began).await;
    }
    let inspector = Arc::clone(&gateway.inspector);
    match gateway.judging.inspect(inspector, passage, body, None).await {
        Some((passage, inspection)) => settle(gateway, passage, inspection, began).await,
        // Only while the runtime is being torn down.
        None => Ruling::Close(1001, String::new()),
    }
}

/// Writes down that a message could not even be taken in whole, and closes with this code. The policy has no say: what has
/// no end, or is against the protocol, cannot be sent on.
pub(super) async fn refuse(gateway: &Gateway, of: &Passage, why: Unreadable, code: u16) -> Ruling {
    let passage = of.message(gateway.calendar.today());
    let began = Instant::now();
    let inspection = guarded(&gateway.inspector, &passage, &Bytes::new(), |request| {
        gateway.inspector.broken(request, why)
    });
    let reason = reason(&inspection);
    let _ = settle(gateway, passage, inspection, began).await;
    Ruling::Close(code, reason)
}

/// The text of a message, or why there is none and with what code the socket is closed.
async fn read(gateway: &Gateway, message: &mut Message) -> Result<Bytes, (Unreadable, u16)> {
    let payload = std::mem::take(&mut message.payload);
    let most = gateway.inspector.limits().max_decoded;
    let text = if !message.is_compressed {
        Ok(payload)
    } else if payload.len() <= INLINE {
        inflate(&payload, most)
    } else {
        let inflated = tokio::task::spawn_blocking(move || inflate(&payload, most)).await;
        // A panic is a message that cannot be read.
        inflated.unwrap_or(Err(Unreadable::DamagedCoding))
    };
    match text {
        Ok(text) if message.is_text && std::str::from_utf8(&text).is_err() => {
            Err((Unreadable::Charset, 1007))
        }
        Ok(text) => Ok(text.into()),
        Err(Unreadable::TooLarge) => Err((Unreadable::TooLarge, 1009)),
        Err(why) => Err((why, 1007)),
    }
}

/// Counts and writes down what was decided, and says what follows.
async fn settle(
    gateway: &Gateway,
    mut passage: Passage,
    mut inspection: Inspection,
    began: Instant,
) -> Ruling {
    let spent = began.elapsed();
    passage.endpoint.clone_from(&inspection.endpoint);
    gateway.metrics.decided(passage.target.platform_index, &inspection, spent);
    let (enforced, reason) = (inspection.enforced, reason(&inspection));
    let verdict = take_verdict(&mut inspection);
    if enforced && matches!(verdict, Verdict::Block(_)) {
        tracing::info!(
            platform = %passage.target.platform.id(), endpoint = %inspection.endpoint,
            n_findings = inspection.findings.len(), reference = %inspection.reference, "message blocked"
        );
    }
    let audited =
        inspection.is_post || !inspection.findings.is_empty() || inspection.fault.is_some();
    let goes_on = !enforced || !matches!(verdict, Verdict::Block(_));
    // Made before the event is written: the socket may end while we wait for the disk.
    let mut outcome = (audited && goes_on).then(|| PendingOutcome::new(gateway, &passage));
    if audited && let Err(answer) = gateway.write_event(&passage, inspection, spent).await {
        PendingOutcome::forget(&mut outcome);
        return reply(answer.body, reason);
    }
    match verdict {
        Verdict::Block(answer) if enforced => reply(answer.body, reason),
        Verdict::Redact(Redacted { body: Some(body), .. }) if enforced => {
            Ruling::Replace(body, outcome)
        }
        Verdict::Forward | Verdict::Redact(_) | Verdict::Block(_) => Ruling::Forward(outcome),
    }
}

fn reply(text: Vec<u8>, reason: String) -> Ruling {
    if text.is_empty() { Ruling::Close(POLICY, reason) } else { Ruling::Reply(text) }
}

/// A close frame has room for 123 bytes.
fn reason(inspection: &Inspection) -> String {
    format!("blocked by policy (ref {})", inspection.reference)
}
