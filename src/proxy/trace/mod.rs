//! Traces of single requests, by OTLP over HTTP to a collector (`[traces]`, off unless set): where the time of one of so many went.
//!
//! A span has a fixed name, and as attributes the platform, the endpoint's template, the verdict and a status: never a text,
//! a path, a query, or who asked. Spans are made here and not through `tracing`: what is logged while one is open would
//! otherwise stand in it. The library writes them down and sends them.
//!
//! A post never waits for any of this: what the queue has no room for, and what the collector does not take, is counted and
//! forgotten.

mod export;
mod parent;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::SystemTime;

use http::HeaderMap;
use opentelemetry::trace::{SpanContext, SpanKind, Status, TraceFlags, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, SpanId, TraceId};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::config::Traces;
use crate::proxy::trace::parent::Parent;

/// What became of spans.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// The collector took them.
    pub(crate) sent: AtomicU64,
    /// The queue was full.
    pub(crate) dropped: AtomicU64,
    /// The collector did not take them.
    pub(crate) failed: AtomicU64,
}

/// Decides which requests are traced, and queues their spans.
#[derive(Debug)]
pub(crate) struct Tracer {
    settings: Traces,
    queue: mpsc::Sender<SpanData>,
    counts: Arc<Counts>,
}

/// A request that is traced; its span is sent when this is dropped.
#[derive(Debug)]
pub(crate) struct Trace {
    tracer: Arc<Tracer>,
    id: TraceId,
    root: SpanId,
    parent: Option<SpanId>,
    began: SystemTime,
    attributes: Vec<KeyValue>,
    is_failed: bool,
}

/// A part of a request; its span is sent when this is ended.
#[derive(Debug)]
pub(crate) struct Part {
    name: &'static str,
    kind: SpanKind,
    id: SpanId,
    began: SystemTime,
}

impl Tracer {
    /// Begins to send what is queued; ends once nothing can be queued any more and all is sent. `None` if
    /// the collector's address cannot be used after all.
    pub(crate) fn start(
        settings: &Traces,
        counts: &Arc<Counts>,
        runtime: &Handle,
    ) -> Option<Arc<Self>> {
        let exporter = export::exporter(settings)?;
        let (queue, queued) = mpsc::channel(settings.queue);
        runtime.spawn(export::run(exporter, queued, Arc::clone(counts)));
        Some(Arc::new(Self { settings: settings.clone(), queue, counts: Arc::clone(counts) }))
    }

    /// Whether it does what these settings say.
    pub(crate) fn is_of(&self, settings: &Traces) -> bool {
        self.settings == *settings
    }

    /// Begins a request's trace, if it is one of those that are traced. A `traceparent` that is not valid is taken off.
    pub(crate) fn begin(self: &Arc<Self>, headers: &mut HeaderMap) -> Option<Trace> {
        let parent = Parent::take(headers);
        let is_traced = match parent {
            Some(parent) if self.settings.trusts_parent => parent.is_sampled,
            // Never by the id of the trace: clients choose theirs.
            _ => random().is_multiple_of(u128::from(self.settings.one_in)),
        };
        is_traced.then(|| Trace {
            tracer: Arc::clone(self),
            id: parent.map_or_else(trace_id, |parent| parent.trace),
            root: span_id(),
            parent: parent.map(|parent| parent.span),
            began: SystemTime::now(),
            attributes: Vec::with_capacity(4),
            is_failed: false,
        })
    }

    fn put(&self, span: SpanData) {
        if self.queue.try_send(span).is_err() {
            self.counts.dropped.fetch_add(1, Relaxed);
        }
    }
}

impl Trace {
    /// What the request turned out to be.
    pub(crate) fn decided(&mut self, platform: &str, endpoint: &str, verdict: &'static str) {
        self.attributes.extend([
            KeyValue::new("postward.platform", platform.to_owned()),
            KeyValue::new("postward.endpoint", endpoint.to_owned()),
            KeyValue::new("postward.verdict", verdict),
        ]);
    }

    /// The status that its client is answered with.
    pub(crate) fn answered(&mut self, status: u16) {
        self.is_failed = status >= 500;
        self.attributes.push(KeyValue::new("http.response.status_code", i64::from(status)));
    }

    /// Begins the part that decides.
    pub(crate) fn inspect() -> Part {
        Part::begin("inspect", SpanKind::Internal)
    }

    /// Begins the part that the platform takes, and names it to the platform if the client traces, too. A client that does not
    /// is no more to a platform than without us.
    pub(crate) fn upstream(&self, headers: &mut HeaderMap) -> Part {
        let part = Part::begin("upstream", SpanKind::Client);
        if self.parent.is_some() {
            parent::write(headers, self.id, part.id);
        }
        part
    }

    /// Ends a part: with the platform's status, or the word for why there is none.
    pub(crate) fn end(&self, part: Part, outcome: Option<Result<u16, &'static str>>) {
        let (attributes, is_failed) = match outcome {
            None => (Vec::new(), false),
            Some(Ok(status)) => {
                let status_code = KeyValue::new("http.response.status_code", i64::from(status));
                (vec![status_code], status >= 500)
            }
            Some(Err(why)) => (vec![KeyValue::new("error.type", why)], true),
        };
        let Part { name, kind, id, began } = part;
        let parent = (self.root, false);
        self.tracer.put(self.span(name, kind, (id, parent), began, attributes, is_failed));
    }

    fn span(
        &self,
        name: &'static str,
        span_kind: SpanKind,
        (id, (parent_span_id, parent_span_is_remote)): (SpanId, (SpanId, bool)),
        start_time: SystemTime,
        attributes: Vec<KeyValue>,
        is_failed: bool,
    ) -> SpanData {
        SpanData {
            span_context: SpanContext::new(
                self.id,
                id,
                TraceFlags::SAMPLED,
                false,
                TraceState::default(),
            ),
            parent_span_id,
            parent_span_is_remote,
            span_kind,
            name: name.into(),
            start_time,
            end_time: SystemTime::now(),
            attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: if is_failed { Status::error("") } else { Status::Unset },
            instrumentation_scope: InstrumentationScope::builder("postward")
                .with_version(env!("CARGO_PKG_VERSION"))
                .build(),
        }
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        let attributes = std::mem::take(&mut self.attributes);
        let parent = (self.parent.unwrap_or(SpanId::INVALID), self.parent.is_some());
        let ids = (self.root, parent);
        let span =
            self.span("request", SpanKind::Server, ids, self.began, attributes, self.is_failed);
        self.tracer.put(span);
    }
}

impl Part {
    fn begin(name: &'static str, kind: SpanKind) -> Self {
        Self { name, kind, id: span_id(), began: SystemTime::now() }
    }
}

fn trace_id() -> TraceId {
    TraceId::from_bytes(random().max(1).to_be_bytes())
}

fn span_id() -> SpanId {
    let bits = u64::try_from(random() >> 64).unwrap_or_default();
    SpanId::from_bytes(bits.max(1).to_be_bytes())
}

/// Random bits. Where the system has none, no trace is told from another, and nothing else hangs on it.
fn random() -> u128 {
    let mut bytes = [0; 16];
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    u128::from_be_bytes(bytes)
}
