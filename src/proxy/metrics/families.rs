//! Every metric of the data path, as `docs/watch.md` lists it.

use crate::proxy::metrics::page::Family;

pub(super) static POSTS: Family = Family::counter(
    "postward_posts_total",
    &["platform", "verdict"],
    "Posts decided, by platform and verdict.",
);
pub(super) static FINDINGS: Family = Family::counter(
    "postward_findings_total",
    &["category", "rule"],
    "Findings, by category and rule: the rules of the loaded set, and (other).",
);
pub(super) static GENERIC: Family = Family::counter(
    "postward_generic_bodies_total",
    &["platform", "endpoint"],
    "Bodies for no endpoint of the platform's file: read, never edited.",
);
pub(super) static UNREADABLE: Family = Family::counter(
    "postward_unreadable_bodies_total",
    &["platform", "endpoint", "reason"],
    "Bodies that could not be read, by platform, endpoint and reason.",
);
pub(super) static OVER_LIMITS: Family = Family::counter(
    "postward_over_limits_total",
    &["limit"],
    "Bodies and connections over a limit of [limits].",
);
pub(super) static FAULTS: Family =
    Family::counter("postward_faults_total", &[], "Posts that could not be read or redacted.");
pub(super) static UNJUDGED: Family =
    Family::counter("postward_unjudged_media_total", &[], "Media that went through unjudged.");
pub(super) static SHADOW: Family = Family::counter(
    "postward_shadow_differences_total",
    &["verdict"],
    "Posts that the shadow policy would treat otherwise, by its verdict.",
);
pub(super) static SHADOW_FAILED: Family = Family::counter(
    "postward_shadow_failures_total",
    &[],
    "Posts over which the shadow policy failed.",
);
pub(super) static INSPECTED: Family =
    Family::counter("postward_inspected_total", &[], "Requests inspected.");
pub(super) static INSPECT_MICROS: Family = Family::counter(
    "postward_inspect_microseconds_total",
    &[],
    "Microseconds spent inspecting, as postward_inspection_seconds has them in buckets.",
);
pub(super) static INSPECTION: Family = Family::histogram(
    "postward_inspection_seconds",
    &[],
    "Seconds from a request that was read whole to its verdict, the wait for memory and a thread counted in.",
);
pub(super) static FIRST_BYTE: Family = Family::histogram(
    "postward_upstream_first_byte_seconds",
    &["platform"],
    "Seconds from a request that may go on to the head of its platform's answer, connecting and sending counted in.",
);
pub(super) static UPSTREAM_ANSWERS: Family = Family::counter(
    "postward_upstream_answers_total",
    &["platform", "class"],
    "Answers of platforms, by the first digit of their status.",
);
pub(super) static UPSTREAM_FAILURES: Family = Family::counter(
    "postward_upstream_failures_total",
    &["reason"],
    "Requests that a platform did not answer, by reason.",
);
pub(super) static MALFORMED: Family = Family::counter(
    "postward_malformed_total",
    &["reason"],
    "HTTP/1 connections ended because what came was no request, by reason.",
);
pub(super) static PROXY_HEADERS: Family = Family::counter(
    "postward_proxy_headers_refused_total",
    &["reason"],
    "Connections of listed load balancers without a header of the PROXY protocol that can be read, by reason.",
);
pub(super) static CLIENT_CERTIFICATES: Family = Family::counter(
    "postward_client_certificates_refused_total",
    &["reason"],
    "TLS handshakes that ended because of the client's certificate, by reason.",
);
pub(super) static IDENTITIES: Family = Family::counter(
    "postward_identities_ignored_total",
    &["reason"],
    "Identity headers that were taken off and not believed, by reason.",
);
pub(super) static UNROUTED: Family =
    Family::counter("postward_unrouted_total", &[], "Requests for a host without a route (421).");
pub(super) static REFUSED: Family =
    Family::counter("postward_refused_total", &[], "Requests refused for their form.");
pub(super) static UNAUDITED: Family = Family::counter(
    "postward_unaudited_total",
    &[],
    "Posts whose audit event could not be written.",
);
pub(super) static BUSY: Family = Family::counter(
    "postward_busy_total",
    &[],
    "Posts refused because there was no memory to read them in time.",
);
pub(super) static MEMORY: Family = Family::gauge(
    "postward_inspect_memory_bytes",
    &["for"],
    "Memory set aside for posts, by what for: at most inspect-memory together.",
);
pub(super) static ACCEPTED: Family =
    Family::counter("postward_accepted_total", &[], "Client connections accepted.");
pub(super) static ACCEPT_FAILURES: Family = Family::counter(
    "postward_accept_failures_total",
    &[],
    "Times that no connection could be accepted, such as for want of file descriptors.",
);
pub(super) static FAILED_HANDSHAKES: Family = Family::counter(
    "postward_failed_handshakes_total",
    &[],
    "TLS handshakes that failed or timed out.",
);
pub(super) static CONNECTIONS: Family = Family::gauge(
    "postward_connections",
    &[],
    "Client connections open, from their acceptance on.",
);
pub(super) static IN_FLIGHT: Family = Family::gauge(
    "postward_in_flight",
    &[],
    "Requests under way, from the end of their head to the end of their answer.",
);
pub(super) static WEBSOCKETS: Family =
    Family::gauge("postward_websockets", &[], "WebSockets open.");
pub(super) static RECEIVED: Family =
    Family::counter("postward_received_bytes_total", &[], "Bytes that clients sent, within TLS.");
pub(super) static SENT: Family =
    Family::counter("postward_sent_bytes_total", &[], "Bytes that clients were sent, within TLS.");

pub(super) static SPANS: Family = Family::counter(
    "postward_trace_spans_total",
    &["result"],
    "Spans of traces: sent; dropped because the queue was full; failed because the collector did not take them.",
);

/// All of them, in the order of the page.
pub static FAMILIES: [&Family; 33] = [
    &POSTS,
    &FINDINGS,
    &GENERIC,
    &UNREADABLE,
    &OVER_LIMITS,
    &FAULTS,
    &UNJUDGED,
    &SHADOW,
    &SHADOW_FAILED,
    &INSPECTED,
    &INSPECT_MICROS,
    &INSPECTION,
    &FIRST_BYTE,
    &UPSTREAM_ANSWERS,
    &UPSTREAM_FAILURES,
    &MALFORMED,
    &PROXY_HEADERS,
    &CLIENT_CERTIFICATES,
    &IDENTITIES,
    &UNROUTED,
    &REFUSED,
    &UNAUDITED,
    &BUSY,
    &MEMORY,
    &ACCEPTED,
    &ACCEPT_FAILURES,
    &FAILED_HANDSHAKES,
    &CONNECTIONS,
    &IN_FLIGHT,
    &WEBSOCKETS,
    &RECEIVED,
    &SENT,
    &SPANS,
];
