//! What operators watch, on the real program: its metrics and what the documentation, the dashboard and the alerts say of them;
//! health; status; traces.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::float_cmp,
    reason = "helpers of tests; metrics that count are whole numbers"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use bytes::Bytes;
use postward::proxy::{Family, Kind};
use regex::Regex;
use serde_json::Value;

use crate::support::program::Program;
use crate::support::{Client, Upstream};

const HOST: &str = "mastodon.example";
const HARMLESS: &str = "a long day, and a good one";
const SECRET: &str = "987-65-4321";

fn config(upstream: SocketAddr, more: &str) -> String {
    format!(
        "[[listener]]\naddress = \"127.0.0.1:0\"\n\n[[route]]\nhosts = [\"{HOST}\"]\nplatform = \"mastodon\"\n\
         upstream = \"http://{upstream}\"\n\n[admin]\naddress = \"127.0.0.1:0\"\n\n[audit]\nfile = \"audit.jsonl\"\n\
         sync = \"none\"\n\n[reload]\nwatch = false\n\n{more}"
    )
}

/// One post that passes, one that is blocked, one that cannot be read.
async fn posted(program: &Program) {
    let mut client = Client::plain(program.listening[0]).await;
    assert_eq!(client.toot(HOST, HARMLESS).await.status, 200);
    assert_eq!(client.toot(HOST, &format!("her ssn is {SECRET}")).await.status, 422);
    let broken = client.post(HOST, "/api/v1/statuses", "application/json", "{\"status\":");
    assert_ne!(client.send(broken).await.status, 200);
}

/// A page's families: the labels of each one's samples.
fn families(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let sample = Regex::new(r"^([a-z_]+)(?:\{(.*)\})? (\S+)$").unwrap();
    let label = Regex::new(r#"([a-z_]+)="(?:\\.|[^"\\])*""#).unwrap();
    let mut families: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut at = String::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            rest.split(' ').next().unwrap().clone_into(&mut at);
            assert!(!families.contains_key(&at), "{at} stands on the page twice");
            families.entry(at.clone()).or_default();
        } else if !line.starts_with("# ") {
            let found = sample.captures(line).unwrap_or_else(|| panic!("no sample: {line}"));
            assert!(found[1].starts_with(&at), "{line} stands among {at}");
            assert!(found[3].parse::<f64>().is_ok(), "{line}");
            let labels = found.get(2).map(|it| it.as_str()).unwrap_or_default();
            let names = label.captures_iter(labels).map(|it| it[1].to_owned());
            families.entry(at.clone()).or_default().extend(names);
        }
    }
    families
}

fn known() -> BTreeMap<&'static str, &'static Family> {
    postward::app::families().map(|family| (family.name, family)).collect()
}

#[tokio::test]
async fn the_page_of_metrics_is_what_the_families_say() {
    let upstream = Upstream::start().await;
    let program = Program::start(&[("postward.toml", &config(upstream.address, ""))]);
    posted(&program).await;
    let page = program.page("/metrics").await;
    for secret in [SECRET, HARMLESS, HOST, "127.0.0.1"] {
        assert!(!page.contains(secret), "{secret} stands on the page");
    }
    let (on_page, known) = (families(&page), known());
    assert_eq!(
        on_page.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        known.keys().copied().collect::<BTreeSet<_>>()
    );
    for (name, labels) in &on_page {
        let family = known[name.as_str()];
        let mut wanted: BTreeSet<String> =
            family.labels.iter().map(|it| (*it).to_owned()).collect();
        if family.kind == Kind::Histogram {
            wanted.insert("le".to_owned());
        }
        assert!(labels.is_empty() || *labels == wanted, "{name}: {labels:?}");
        assert_eq!(family.kind == Kind::Counter, name.ends_with("_total"), "{name}");
        assert_eq!(family.kind == Kind::Info, name.ends_with("_info"), "{name}");
    }
    for (series, want) in [
        ("postward_posts_total{platform=\"mastodon\",verdict=\"forward\"}", 1.0),
        ("postward_posts_total{platform=\"mastodon\",verdict=\"block\"}", 2.0),
        ("postward_findings_total{category=\"ssn\",rule=\"us-ssn\"}", 1.0),
        ("postward_inspection_seconds_count", 3.0),
        ("postward_inspection_seconds_bucket{le=\"+Inf\"}", 3.0),
        ("postward_upstream_first_byte_seconds_count{platform=\"mastodon\"}", 1.0),
        ("postward_upstream_answers_total{platform=\"mastodon\",class=\"2xx\"}", 1.0),
        ("postward_accepted_total", 1.0),
        ("postward_ready", 1.0),
        ("postward_config_generation", 1.0),
        ("postward_config_file_bad", 0.0),
        ("postward_audit_writable", 1.0),
        ("postward_audit_spool_full", 0.0),
    ] {
        assert_eq!(program.metric(series).await, want, "{series}");
    }
    assert!(program.metric("postward_received_bytes_total").await > 100.0);
    assert!(program.metric("postward_audit_sequence").await >= 3.0);
    assert!(
        program.metric("process_resident_memory_bytes").await > 1e6,
        "the sandbox lets it look"
    );
    assert!(program.metric("process_open_fds").await > 3.0, "the sandbox lets it look");
}

#[tokio::test]
async fn who_asks_for_open_metrics_gets_them() {
    let upstream = Upstream::start().await;
    let program = Program::start(&[("postward.toml", &config(upstream.address, ""))]);
    for (accept, content_type, end) in [
        ("*/*", "text/plain; version=0.0.4; charset=utf-8", None),
        (
            "application/openmetrics-text;version=1.0.0,text/plain;q=0.5",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Some("\n# EOF\n"),
        ),
    ] {
        let mut operator = Client::plain(program.admin).await;
        let request = operator.request("GET", "localhost", "/metrics").header("accept", accept);
        let reply = operator.send(request.body(Bytes::new().into()).unwrap()).await;
        assert_eq!(reply.header("content-type"), Some(content_type));
        assert!(end.is_none_or(|end| reply.text().ends_with(end)), "{accept}");
    }
}

/// The table of `docs/watch.md`, from the program itself.
fn table() -> String {
    let mut table = String::from("| metric | kind | labels | says |\n| --- | --- | --- | --- |\n");
    for Family { name, kind, labels, help } in postward::app::families() {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        let (kind, labels) = (kind.as_str(), labels.join(", "));
        let _ = writeln!(table, "| `{name}` | {kind} | {labels} | {help} |");
    }
    table
}

fn in_tree(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// With `POSTWARD_WRITE_DOCS` set, it is written anew.
#[test]
fn the_table_of_the_documentation_is_what_the_program_says() {
    const BEGIN: &str = "<!-- metrics: written by the test of this table -->\n";
    const END: &str = "<!-- end of metrics -->";
    let text = in_tree("docs/watch.md");
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    if std::env::var_os("POSTWARD_WRITE_DOCS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/watch.md");
        std::fs::write(path, format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
        return;
    }
    assert_eq!(written, table(), "run this test with POSTWARD_WRITE_DOCS=1");
}

/// A dashboard or an alert that names a metric that is not there shows nothing, for ever.
#[test]
fn every_metric_and_label_that_is_named_anywhere_is_there() {
    let known = known();
    let of_scrape = ["instance", "job", "le", "alertname", "node", "severity"];
    let labels: BTreeSet<&str> =
        known.values().flat_map(|family| family.labels.iter().copied()).chain(of_scrape).collect();
    let name = Regex::new(r"\b((?:postward|process)_[a-z_]+)(?:\{([^}]*)\})?").unwrap();
    let grouped = Regex::new(r"\b(?:by|on|without|group_left|ignoring) ?\(([^)]*)\)").unwrap();
    let shown = Regex::new(r"\$labels\.([a-z_]+)|\{\{ ?([a-z_]+) ?\}\}").unwrap();
    let mut n_named = 0;
    for path in [
        "docker/prometheus/alerts.yml",
        "docker/grafana/postward.json",
        "docs/watch.md",
        "docs/deploy.md",
        "docs/edge.md",
        "docs/platforms.md",
        "docs/policy.md",
    ] {
        let text = in_tree(path).replace("\\\"", "\"");
        for found in name.captures_iter(&text) {
            let bare = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|ending| found[1].strip_suffix(ending))
                .filter(|bare| known.get(bare).is_some_and(|it| it.kind == Kind::Histogram))
                .unwrap_or(&found[1]);
            let family = known.get(bare).unwrap_or_else(|| panic!("{path}: there is no {bare}"));
            n_named += 1;
            let matchers = found.get(2).map(|it| it.as_str()).unwrap_or_default();
            for matcher in matchers.split(',').filter(|matcher| !matcher.trim().is_empty()) {
                let label = matcher.split(['=', '!']).next().unwrap().trim();
                let is_there = family.labels.contains(&label) || of_scrape.contains(&label);
                assert!(is_there, "{path}: {bare} has no label {label}");
            }
        }
        if !path.starts_with("docker") {
            continue;
        }
        let groups = grouped.captures_iter(&text).flat_map(|found| {
            found[1].split(',').map(|label| label.trim().to_owned()).collect::<Vec<_>>()
        });
        let of_labels = shown.captures_iter(&text).map(|found| {
            found.get(1).or(found.get(2)).map(|it| it.as_str().to_owned()).unwrap_or_default()
        });
        for label in groups.chain(of_labels).filter(|label| !label.is_empty()) {
            assert!(labels.contains(label.as_str()), "{path}: there is no label {label}");
        }
    }
    assert!(n_named > 80, "only {n_named} were seen: the test reads the wrong thing");
}

/// Every key of a JSON value, as a path.
fn keys(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                found.insert(at.clone());
                keys(value, &at, found);
            }
        }
        Value::Array(array) => {
            for value in array {
                keys(value, &format!("{at}[]"), found);
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn the_status_has_the_keys_of_the_documentation() {
    let upstream = Upstream::start().await;
    let program = Program::start(&[("postward.toml", &config(upstream.address, ""))]);
    program.change("postward.toml", "platform = \"mastodon\"", "platform = \"mastodom\"");
    assert_eq!(program.reload().await.status, 422);
    let status = program.status().await;
    assert_eq!(status["ready"], true);
    assert_eq!(status["degraded"][0], "the files on disk cannot be used: what ran before goes on");
    let fault = &status["config"]["error"]["faults"][0];
    assert!(fault["file"].as_str().unwrap().ends_with("postward.toml"), "{fault}");
    assert!(fault["line"].as_u64().unwrap() > 3 && fault["column"].is_u64(), "{fault}");
    assert!(fault["remedy"].as_str().unwrap().contains("mastodon"), "{fault}");
    assert_eq!(program.metric("postward_config_file_bad").await, 1.0);
    assert_eq!(program.metric("postward_ready").await, 1.0);

    let documented = in_tree("docs/watch.md");
    let mut found = BTreeSet::new();
    keys(&status, "", &mut found);
    for key in found {
        assert!(
            documented.contains(&format!("`{key}`")),
            "docs/watch.md does not say what {key} is"
        );
    }
}

fn health(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_postward")).arg("health").args(arguments).output().unwrap()
}

#[tokio::test]
async fn a_health_check_says_whether_it_is_ready() {
    let upstream = Upstream::start().await;
    let program = Program::start(&[("postward.toml", &config(upstream.address, ""))]);
    let address = program.admin.to_string();
    // As a container has it: the port is known, and every address is listened on.
    let file = program.file("health.toml");
    let port = program.admin.port();
    std::fs::write(&file, format!("[admin]\naddress = \"0.0.0.0:{port}\"\n")).unwrap();
    let file = file.to_str().unwrap().to_owned();
    let asked = tokio::task::spawn_blocking(move || {
        let file = ["--config", file.as_str()];
        let live = ["--address", address.as_str(), "--live"];
        [health(&file), health(&live)]
    });
    let [ready, live] = asked.await.unwrap();
    assert_eq!(ready.status.code(), Some(0), "{ready:?}");
    assert_eq!(ready.stdout, b"{\"ready\":true}\n");
    assert_eq!(live.stdout, b"{\"live\":true}\n");
    let nowhere = program.file("nowhere.toml");
    std::fs::write(&nowhere, "").unwrap();
    for arguments in [
        vec!["--config", nowhere.to_str().unwrap()],
        // Discard: nobody listens there.
        vec!["--address", "127.0.0.1:9", "--timeout", "2"],
    ] {
        let output = health(&arguments);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{output:?}");
    }
}

/// A value of protobuf.
#[derive(Clone, Copy, Debug)]
enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Wire<'a> {
    fn bytes(self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Number(number) => panic!("{number} is no message"),
        }
    }
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let (first, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return value;
        }
        shift += 7;
    }
}

/// The fields of a message, by their numbers.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Wire<'_>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let n = match tag & 7 {
            0 => {
                fields.push((tag >> 3, Wire::Number(varint(&mut bytes))));
                continue;
            }
            1 => 8,
            2 => usize::try_from(varint(&mut bytes)).unwrap(),
            5 => 4,
            other => panic!("wire type {other}"),
        };
        fields.push((tag >> 3, Wire::Bytes(&bytes[..n])));
        bytes = &bytes[n..];
    }
    fields
}

fn all(bytes: &[u8], number: u64) -> impl Iterator<Item = &[u8]> {
    let fields = fields(bytes).into_iter();
    fields.filter(move |(field, _)| *field == number).map(|(_, value)| value.bytes())
}

fn text(bytes: &[u8], number: u64) -> String {
    all(bytes, number).map(|text| String::from_utf8(text.to_vec()).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A span, as the collector reads it.
#[derive(Clone, Debug)]
struct Span {
    trace: String,
    id: String,
    parent: String,
    name: String,
    attributes: BTreeMap<String, String>,
}

/// The spans of one request of OTLP (`ExportTraceServiceRequest`).
fn spans(request: &[u8]) -> Vec<Span> {
    let mut spans = Vec::new();
    for resource in all(request, 1) {
        for span in all(resource, 2).flat_map(|scope| all(scope, 2)) {
            let id = |number| all(span, number).map(hex).collect::<String>();
            let attributes = all(span, 9).map(|attribute| {
                let value = all(attribute, 2).next().unwrap();
                let value = match fields(value)[..] {
                    [(1, Wire::Bytes(text))] => String::from_utf8(text.to_vec()).unwrap(),
                    [(3, Wire::Number(number))] => number.to_string(),
                    ref other => panic!("{other:?}"),
                };
                (text(attribute, 1), value)
            });
            spans.push(Span {
                trace: id(1),
                id: id(2),
                parent: id(4),
                name: text(span, 5),
                attributes: attributes.collect(),
            });
        }
    }
    spans
}

/// Waits until so many spans have come.
async fn collected(collector: &Upstream, n: usize) -> Vec<Span> {
    let began = Instant::now();
    loop {
        let spans: Vec<Span> =
            collector.received().iter().flat_map(|received| spans(&received.body)).collect();
        if spans.len() >= n || began.elapsed() > Duration::from_secs(30) {
            return spans;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[tokio::test]
async fn a_trace_says_where_the_time_went_and_nothing_of_a_post() {
    let (upstream, collector) = (Upstream::start().await, Upstream::start().await);
    let traces = format!("[traces]\nendpoint = \"http://{}\"\none-in = 1\n", collector.address);
    let program = Program::start(&[("postward.toml", &config(upstream.address, &traces))]);
    let mut client = Client::plain(program.listening[0]).await;
    assert_eq!(client.toot(HOST, HARMLESS).await.status, 200);
    assert_eq!(client.toot(HOST, &format!("her ssn is {SECRET}")).await.status, 422);
    let body = format!("{{\"status\":\"{HARMLESS}\"}}");
    let parent = format!("00-{TRACE}-b7ad6b7169203331-00");
    for traceparent in [parent.as_str(), "ssn 987-65-4321"] {
        let mut request =
            client.post(HOST, "/api/v1/statuses?a=Jane", "application/json", body.clone());
        request.headers_mut().insert("traceparent", traceparent.parse().unwrap());
        assert_eq!(client.send(request).await.status, 200);
    }
    // Four requests, four inspections, three platforms' answers.
    let spans = collected(&collector, 11).await;
    assert_eq!(spans.len(), 11, "{spans:#?}");
    let received = collector.received();
    assert_eq!(received[0].parts.uri.path(), "/v1/traces");
    assert_eq!(received[0].parts.headers["content-type"], "application/x-protobuf");
    let sent: Vec<u8> = received.iter().flat_map(|received| received.body.to_vec()).collect();
    for secret in [SECRET, HARMLESS, HOST, "Jane", "127.0.0.1"] {
        let is_there = sent.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!is_there, "{secret} was sent to the collector");
    }
    let roots: Vec<&Span> = spans.iter().filter(|span| span.name == "request").collect();
    let verdicts: Vec<&str> =
        roots.iter().map(|root| root.attributes["postward.verdict"].as_str()).collect();
    assert_eq!(verdicts, ["forward", "block", "forward", "forward"]);
    for root in &roots {
        assert_eq!(root.attributes["postward.platform"], "mastodon");
        assert_eq!(root.attributes["postward.endpoint"], "POST /api/v1/statuses");
        let parts: BTreeSet<&str> = spans
            .iter()
            .filter(|span| span.parent == root.id && span.trace == root.trace)
            .map(|span| span.name.as_str())
            .collect();
        let is_blocked = root.attributes["postward.verdict"] == "block";
        let status = if is_blocked { "422" } else { "200" };
        assert_eq!(root.attributes["http.response.status_code"], status);
        assert_eq!(parts.contains("upstream"), !is_blocked);
        assert!(parts.contains("inspect"));
    }
    // Whoever traces finds its own trace again, here and at the platform; whoever does not sends nothing of the kind.
    assert_eq!((roots[2].trace.as_str(), roots[2].parent.as_str()), (TRACE, "b7ad6b7169203331"));
    let seen: Vec<Option<String>> = upstream
        .received()
        .iter()
        .map(|received| {
            let header = received.parts.headers.get("traceparent");
            header.map(|header| header.to_str().unwrap().to_owned())
        })
        .collect();
    let ours = spans.iter().find(|span| span.name == "upstream" && span.trace == TRACE).unwrap();
    assert_eq!(seen, [None, Some(format!("00-{TRACE}-{}-01", ours.id)), None]);
    assert!(program.metric("postward_trace_spans_total{result=\"sent\"}").await >= 11.0);
}

#[tokio::test]
async fn a_collector_that_is_gone_costs_no_post() {
    let upstream = Upstream::start().await;
    // Discard: nobody listens there.
    let traces = "[traces]\nendpoint = \"http://127.0.0.1:9\"\none-in = 1\nqueue = 16\n";
    let program = Program::start(&[("postward.toml", &config(upstream.address, traces))]);
    let mut client = Client::plain(program.listening[0]).await;
    for _ in 0..40 {
        assert_eq!(client.toot(HOST, HARMLESS).await.status, 200);
    }
    let began = Instant::now();
    loop {
        let dropped = program.metric("postward_trace_spans_total{result=\"dropped\"}").await;
        let failed = program.metric("postward_trace_spans_total{result=\"failed\"}").await;
        if dropped + failed > 0.0 {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "nothing is counted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_client_cannot_have_itself_traced() {
    let (upstream, collector) = (Upstream::start().await, Upstream::start().await);
    let traces =
        format!("[traces]\nendpoint = \"http://{}\"\none-in = 1000000\n", collector.address);
    let program = Program::start(&[("postward.toml", &config(upstream.address, &traces))]);
    let mut client = Client::plain(program.listening[0]).await;
    let ask = |client: &Client| {
        let body = format!("{{\"status\":\"{HARMLESS}\"}}");
        let mut request = client.post(HOST, "/api/v1/statuses", "application/json", body);
        // Sampled, and with an id that a sampler by ids would take.
        let parent = "00-00000000000000000000000000000001-b7ad6b7169203331-01";
        request.headers_mut().insert("traceparent", parent.parse().unwrap());
        request
    };
    for _ in 0..20 {
        assert_eq!(client.send(ask(&client)).await.status, 200);
    }
    // Believed where the operator says so: a reload is enough.
    program.change("postward.toml", "one-in = 1000000", "one-in = 1000000\ntrust-parent = true");
    let reply = program.reload().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(client.send(ask(&client)).await.status, 200);
    let spans = collected(&collector, 3).await;
    assert!(spans.iter().all(|span| span.trace.ends_with("01")), "{spans:#?}");
    assert_eq!(spans.len(), 3, "{spans:#?}");
}
