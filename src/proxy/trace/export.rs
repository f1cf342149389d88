//! Sends spans to the collector, so many at a time, for as long as there are any.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use tokio::sync::mpsc::Receiver;
use tokio::time::{sleep, timeout};

use crate::config::Traces;
use crate::proxy::trace::Counts;

/// Most spans of one request to the collector.
const BATCH: usize = 512;

/// How long spans gather.
const GATHER: Duration = Duration::from_secs(1);

/// How long the collector may take for one request, repeats counted in.
const PATIENCE: Duration = Duration::from_secs(5);

/// What writes spans down and sends them.
pub(super) fn exporter(settings: &Traces) -> Option<SpanExporter> {
    let endpoint = &settings.endpoint;
    let host = &endpoint.host;
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let mut exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("http://{host}:{}/v1/traces", endpoint.port))
        .with_timeout(PATIENCE)
        .build()
        .ok()?;
    let resource = Resource::builder_empty()
        .with_service_name("postward")
        .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(opentelemetry::KeyValue::new("service.instance.id", settings.node.clone()))
        .build();
    exporter.set_resource(&resource);
    Some(exporter)
}

/// Sends what is queued until the queue is closed and empty.
pub(super) async fn run(
    exporter: SpanExporter,
    mut queued: Receiver<SpanData>,
    counts: Arc<Counts>,
) {
    let mut batch = Vec::new();
    while queued.recv_many(&mut batch, BATCH).await > 0 {
        if batch.len() < BATCH && !queued.is_closed() {
            // The other spans of the same requests are not far.
            sleep(GATHER).await;
            while batch.len() < BATCH
                && let Ok(span) = queued.try_recv()
            {
                batch.push(span);
            }
        }
        let n = batch.len() as u64;
        let sent = timeout(PATIENCE, exporter.export(std::mem::take(&mut batch))).await;
        let is_sent = matches!(sent, Ok(Ok(())));
        let counter = if is_sent { &counts.sent } else { &counts.failed };
        counter.fetch_add(n, Relaxed);
    }
}
