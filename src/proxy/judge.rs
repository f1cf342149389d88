//! Calls the inspection: off the async threads where it takes long, and behind a wall where it panics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;

use crate::inspect::{self, Inspection, Inspector, Redacted, Verdict};
use crate::media::InPlace;
use crate::platform::Answer;
use crate::proxy::passage::Passage;
use crate::proxy::spool::Spooled;

/// Bodies longer than this are inspected off the async threads.
const INLINE: usize = 64 * 1024;

/// Inspects, off the async threads where that takes long.
pub(crate) async fn inspect(
    inspector: Arc<Inspector>,
    passage: Passage,
    body: Bytes,
    mark: Option<Vec<u8>>,
) -> Option<(Passage, Inspection)> {
    // What a coded body holds is not known before it is decoded.
    let is_short = body.len() <= INLINE && !passage.is_encoded();
    let run = move || {
        let inspection = guarded(&inspector, &passage, &body, |request| {
            inspector.inspect(&inspect::Request { mark: mark.as_deref(), ..*request })
        });
        (passage, inspection)
    };
    if is_short { Some(run()) } else { tokio::task::spawn_blocking(run).await.ok() }
}

/// A panic in an inspection is a block. What it panicked with is dropped unread: it may quote the post.
pub(crate) fn guarded(
    inspector: &Inspector,
    passage: &Passage,
    body: &Bytes,
    judge: impl FnOnce(&inspect::Request<'_>) -> Inspection,
) -> Inspection {
    let request = passage.request(body);
    catch_unwind(AssertUnwindSafe(|| judge(&request)))
        .unwrap_or_else(|_| inspector.failed(&request))
}

/// Media that is too long to hold: its query, path and headers are judged as always, its pixels are not.
pub(crate) fn judge_media(
    inspector: &Inspector,
    passage: &Passage,
    start: &Bytes,
) -> (Inspection, Option<InPlace>) {
    let judged = guarded(inspector, passage, &Bytes::new(), |request| inspector.inspect(request));
    let mut inspection = with_media(inspector, passage, judged);
    if matches!(inspection.verdict, Verdict::Block(_)) || !inspection.enforced {
        return (inspection, None);
    }
    let mut way = None;
    let failed = guarded(inspector, passage, &Bytes::new(), |request| {
        way = Some(inspector.stream(request, start));
        inspector.media(request)
    });
    match way {
        None => (failed, None),
        Some(Err(refused)) => (*refused, None),
        Some(Ok(strip)) => {
            inspection.metadata_stripped = strip.is_some();
            (inspection, strip)
        }
    }
}

/// Takes the metadata out of the files in a spool, off the async threads. What keeps that from being done is a verdict.
pub(crate) async fn strip_spooled(
    inspector: Arc<Inspector>,
    passage: Passage,
    mut spooled: Box<Spooled>,
    most_held: usize,
) -> Option<(Passage, Box<Spooled>, Option<Inspection>)> {
    let run = move || {
        let empty = Bytes::new();
        let mut refused = None;
        let failed = guarded(&inspector, &passage, &empty, |request| {
            let done = match inspector.spooled(request) {
                Ok(None) => Ok(()),
                Ok(Some(pieces)) => spooled
                    .strip(most_held, pieces)
                    .map_err(|why| Box::new(inspector.unreadable(request, why))),
                Err(refusal) => Err(refusal),
            };
            refused = done.err();
            inspector.media(request)
        });
        let panicked = failed.fault.is_some().then_some(failed);
        (passage, spooled, refused.map(|refusal| *refusal).or(panicked))
    };
    tokio::task::spawn_blocking(run).await.ok()
}

/// What is judged around media, and what the policy says of media.
pub(crate) fn with_media(
    inspector: &Inspector,
    passage: &Passage,
    judged: Inspection,
) -> Inspection {
    if matches!(judged.verdict, Verdict::Block(_)) {
        return judged;
    }
    let media = guarded(inspector, passage, &Bytes::new(), |request| inspector.media(request));
    if matches!(media.verdict, Verdict::Block(_)) {
        return media;
    }
    Inspection { unjudged_media: true, is_post: true, ..judged }
}

/// Takes the verdict out, leaving one of the same kind but empty: what is recorded never holds a text.
pub(crate) fn take_verdict(inspection: &mut Inspection) -> Verdict {
    let empty = match &inspection.verdict {
        Verdict::Forward => Verdict::Forward,
        Verdict::Redact(_) => Verdict::Redact(Redacted::default()),
        Verdict::Block(answer) => Verdict::Block(Answer {
            status: answer.status,
            content_type: answer.content_type.clone(),
            body: Vec::new(),
            status_line: None,
        }),
    };
    std::mem::replace(&mut inspection.verdict, empty)
}
