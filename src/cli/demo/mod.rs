//! `demo`: the whole way of a post on one machine, from a client program through the proxy to a stand-in platform, with
//! what each side saw.
//!
//! Promise: what is shown is what happened. Every post is compared with what should become of it, and the demo fails if
//! one differs.

mod client;
mod posts;
mod show;
mod stand_in;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use tempfile::TempDir;

use crate::app::{self, Options, Running, StartError};
use crate::audit::{self, AuditSettings};
use crate::cli::demo::client::Client;
use crate::cli::demo::posts::{DRAFTS, Expected, Site};
use crate::cli::demo::show::Shown;
use crate::cli::demo::stand_in::Received;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::{serve, style};
use crate::config::{self, Listener, Loaded, Route, TlsIdentity, UpstreamAddress, WebSocket, Who};
use crate::proxy::tls::{Authority, CaError};

/// Why the demo cannot run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error("cannot use the network or a temporary file of this machine")]
    Io(#[from] io::Error),
    #[error("cannot set up TLS")]
    Tls(#[from] rustls::Error),
    #[error("cannot make a certificate")]
    Ca(#[from] CaError),
    #[error("cannot start the proxy")]
    Start(#[from] StartError),
    #[error("the proxy did not answer")]
    Answer(#[from] hyper::Error),
    #[error("cannot write a request")]
    Request(#[from] http::Error),
    #[error("a host of the demo is no name")]
    Name,
    #[error("the audit holds no event for a post")]
    NoEvent,
}

pub(crate) fn run() -> Result<Exit, Failure> {
    let loaded = config::load(None).map_err(Failure::Files)?;
    let runtime = tokio::runtime::Runtime::new().map_err(DemoError::Io).map_err(Failure::plain)?;
    let faults = runtime.block_on(play(loaded)).map_err(|error| match error {
        DemoError::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => Failure::OutputClosed,
        DemoError::Start(error) => serve::failure(error),
        error => Failure::plain(error),
    })?;
    style::to_stdout(&show::ending(&faults))?;
    Ok(if faults.is_empty() { Exit::Fine } else { Exit::Failed })
}

/// Plays every post; gives what went otherwise than it should.
async fn play(loaded: Loaded) -> Result<Vec<String>, DemoError> {
    // Removed with all it holds when it goes out of scope.
    let scratch = TempDir::new()?;
    let audit_file = scratch.path().join("audit.jsonl");
    let (platforms, received) = start_stand_in(scratch.path()).await?;
    let hosts: Vec<String> = Site::ALL.iter().map(|site| site.host().to_owned()).collect();
    let authority = Arc::new(Authority::generate("Postward demo", &hosts)?);
    let options = Options { authority: Some(Arc::clone(&authority)) };
    let running =
        app::start(configured(loaded, scratch.path(), &audit_file, platforms), options).await?;
    let client = Client::new(first_address(&running)?, &authority)?;
    style::to_stdout(&show::opening(platforms, first_address(&running)?))?;

    let mut faults = Vec::new();
    let mut n_events = 0;
    for (at, draft) in DRAFTS.iter().enumerate() {
        let reply = client.send(draft).await?;
        let event = next_event(&audit_file, &mut n_events)?;
        let played = Shown {
            number: at + 1,
            draft,
            reply: &reply,
            received: &received.take(),
            event: &event,
        };
        faults.extend(judge(&played));
        style::to_stdout(&played.draw())?;
    }
    running.shutdown().await;
    let report = audit::verify(&[&audit_file])?;
    style::to_stdout(&show::chain(&report))?;
    if report.broken.is_some() {
        faults.push("the audit chain does not hold".to_owned());
    }
    Ok(faults)
}

/// The stand-in speaks TLS with a certificate of its own CA, which the proxy is told to trust.
async fn start_stand_in(scratch: &Path) -> Result<(SocketAddr, Received), DemoError> {
    let authority = Authority::generate("Postward demo platforms", &[])?;
    std::fs::write(scratch.join("platforms.pem"), authority.certificate_pem())?;
    let leaf = authority.mint("127.0.0.1")?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(leaf.chain, leaf.key)?;
    Ok(stand_in::start(tls).await?)
}

/// The embedded rules and policy, between a free port and the stand-in.
fn configured(
    mut loaded: Loaded,
    scratch: &Path,
    audit_file: &Path,
    platforms: SocketAddr,
) -> Loaded {
    let config = &mut loaded.config;
    // The CA lives in memory: these files are never read.
    let tls = TlsIdentity::Ca { ca: "demo.pem".into(), ca_key: "demo.key".into() };
    config.listeners = vec![Listener {
        address: (Ipv4Addr::LOCALHOST, 0).into(),
        name: None,
        tls: Some(tls),
        who: Who::default(),
    }];
    config.routes = Site::ALL
        .iter()
        .map(|site| Route {
            hosts: vec![site.host().to_owned()],
            platform: site.platform().to_owned(),
            upstream: Some(UpstreamAddress {
                tls: true,
                host: platforms.ip().to_string(),
                port: platforms.port(),
            }),
            websocket: WebSocket::Refuse,
        })
        .collect();
    config.upstream.extra_roots = Some(scratch.join("platforms.pem"));
    config.admin = None;
    config.audit =
        AuditSettings { sync: audit::Sync::Group, ..AuditSettings::of(audit_file, "demo") };
    loaded
}

fn first_address(running: &Running) -> Result<SocketAddr, DemoError> {
    running
        .addresses()
        .first()
        .copied()
        .ok_or(DemoError::Io(io::ErrorKind::AddrNotAvailable.into()))
}

/// The next event about a decision; what became of a forwarded post may follow it at any time and is passed over.
fn next_event(audit_file: &Path, n_seen: &mut usize) -> Result<Event, DemoError> {
    let text = std::fs::read_to_string(audit_file)?;
    for line in text.lines().skip(*n_seen) {
        *n_seen += 1;
        let event: Option<serde_json::Value> = serde_json::from_str(line).ok();
        let verdict = event.as_ref().and_then(|event| event.get("verdict")?.as_str());
        if let Some(verdict) = verdict {
            return Ok(Event { line: line.to_owned(), verdict: verdict.to_owned() });
        }
    }
    Err(DemoError::NoEvent)
}

/// One event of the audit about a decision.
struct Event {
    /// As it stands in the file.
    line: String,
    verdict: String,
}

/// What about a post is otherwise than it should be.
fn judge(played: &Shown<'_>) -> Vec<String> {
    let Shown { number, draft, reply, received, event } = played;
    let mut faults = Vec::new();
    let mut check = |holds: bool, what: &str| {
        if !holds {
            faults.push(format!("post {number}: {what}"));
        }
    };
    let verdict = event.verdict.as_str();
    let body = received.first();
    let read = body.and_then(|body| draft.site.read(body));
    match draft.expected {
        Expected::Forwarded => {
            check(received.len() == 1, "it did not reach the platform once");
            check(
                body.is_some_and(|body| *body == draft.wire().body),
                "it was not forwarded byte for byte",
            );
            check(reply.status.is_success(), "the client saw no success");
            check(verdict == "forward", "the audit does not say forward");
        }
        Expected::Redacted(words) => {
            let gone = read
                .as_ref()
                .is_some_and(|(text, _)| words.iter().all(|word| !text.contains(word)));
            let links = read
                .as_ref()
                .map(|(_, links)| links.iter().map(String::as_str).collect::<Vec<_>>());
            check(received.len() == 1, "it did not reach the platform once");
            check(gone, "an identifier reached the platform");
            check(
                links == Some(draft.link.into_iter().collect()),
                "the link does not point to its words",
            );
            check(reply.status.is_success(), "the client saw no success");
            check(verdict == "redact", "the audit does not say redact");
        }
        Expected::Blocked => {
            check(received.is_empty(), "it reached the platform");
            check(reply.status.is_client_error(), "the client saw no refusal");
            check(draft.site.shown(&reply.body).is_some(), "the client cannot show the reason");
            check(verdict == "block", "the audit does not say block");
        }
    }
    let silent = !event.line.contains(draft.text);
    check(silent, "the audit holds the text");
    faults
}
