//! Platforms that prove who they are, and those that do not: the client hears it in the platform's own shape, the audit holds
//! it, the log names the reason and what to do, and the platform got no byte.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};

use http::StatusCode;
use postward::config::{Route, UnknownRevocation, UpstreamAddress, WebSocket};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::chain::{
    PLATFORM, Shown, Signer, below, constrained, dated, leaf, list, root, shown, signing,
};
use super::platform::{self, Seen};
use crate::support::proxy::{HOST, Started};
use crate::support::{Client, Proxy};

/// Nobody's, and in no log.
const TEXT: &str = "zebrafinch choir meets in the lobby today";

const BOTH: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
const OLDER: &[&SupportedProtocolVersion] = &[&TLS12];

/// One platform, and what becomes of a post to it.
struct Case {
    name: &'static str,
    /// The word in the log; `None` is a platform that is believed.
    want: Option<&'static str>,
    shown: Shown,
    /// Lists of revoked certificates; each in a file of its own.
    lists: Vec<String>,
    unknown: UnknownRevocation,
    versions: &'static [&'static SupportedProtocolVersion],
}

impl Case {
    fn new(name: &'static str, want: Option<&'static str>, shown: Shown) -> Self {
        let (lists, unknown) = (Vec::new(), UnknownRevocation::Allow);
        Self { name, want, shown, lists, unknown, versions: BOTH }
    }

    fn lists<const N: usize>(mut self, lists: [String; N]) -> Self {
        self.lists = lists.into();
        self
    }

    fn refusing_unknown(mut self) -> Self {
        self.unknown = UnknownRevocation::Refuse;
        self
    }

    fn over_tls_1_2(mut self) -> Self {
        self.versions = OLDER;
        self
    }
}

fn with(change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = leaf();
    change(&mut params);
    params
}

/// Chains.
fn chains(trusted: &Signer) -> Vec<Case> {
    let stranger = root("Stranger CA");
    let middle = below(signing("Intermediate CA"), trusted);
    let mut old = signing("Intermediate CA");
    dated(&mut old, 2020, 2021);
    let old = below(old, trusted);
    let unfit = below(with(|leaf| leaf.key_usages.clear()), trusted);
    let narrow = below(constrained(signing("Narrow CA")), trusted);
    let mut short = signing("Short CA");
    short.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let short = below(short, trusted);
    let too_deep = below(signing("Deep CA"), &short);
    let alone = |params: &CertificateParams| {
        let key = KeyPair::generate().unwrap();
        Shown { chain: vec![params.self_signed(&key).unwrap().der().clone()], key }
    };
    let mut stolen = shown(&leaf(), trusted, &[]);
    stolen.key = KeyPair::generate().unwrap();
    let mut forged = shown(&leaf(), trusted, &[]);
    let mut bytes = forged.chain[0].to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    forged.chain[0] = bytes.into();
    let mut clipped = shown(&leaf(), trusted, &[]);
    clipped.chain[0] = clipped.chain[0][..40].to_vec().into();
    let ca = with(|leaf| leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let for_clients =
        with(|leaf| leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
    let other = |host: &str| {
        let names = vec![host.to_owned()];
        let mut params = leaf();
        params.subject_alt_names = CertificateParams::new(names).unwrap().subject_alt_names;
        params
    };
    let expired = with(|leaf| dated(leaf, 2020, 2021));
    let early = with(|leaf| dated(leaf, 2099, 2100));
    let any_purpose = with(|leaf| leaf.extended_key_usages.clear());
    vec![
        Case::new("sound", None, shown(&leaf(), trusted, &[])),
        Case::new("sound, over TLS 1.2", None, shown(&leaf(), trusted, &[])).over_tls_1_2(),
        Case::new("its intermediate sent", None, shown(&leaf(), &middle, &[&middle])),
        Case::new("no purpose named", None, shown(&any_purpose, trusted, &[])),
        Case::new("expired", Some("expired"), shown(&expired, trusted, &[])),
        Case::new("expired, TLS 1.2", Some("expired"), shown(&expired, trusted, &[]))
            .over_tls_1_2(),
        Case::new("intermediate expired", Some("expired"), shown(&leaf(), &old, &[&old])),
        Case::new("not yet valid", Some("not-yet-valid"), shown(&early, trusted, &[])),
        Case::new("another's", Some("wrong-host"), shown(&other("other.example"), trusted, &[])),
        Case::new("a wildcard", Some("wrong-host"), shown(&other("*.localhost"), trusted, &[])),
        Case::new("its address", Some("wrong-host"), shown(&other("127.0.0.1"), trusted, &[])),
        Case::new("no name", Some("wrong-host"), {
            shown(&with(|leaf| leaf.subject_alt_names.clear()), trusted, &[])
        }),
        Case::new("self-signed", Some("unknown-issuer"), alone(&leaf())),
        Case::new("a CA signed by itself", Some("ca-as-leaf"), alone(&ca)),
        Case::new("untrusted", Some("unknown-issuer"), shown(&leaf(), &stranger, &[&stranger])),
        Case::new("intermediate missing", Some("unknown-issuer"), shown(&leaf(), &middle, &[])),
        Case::new("a leaf as issuer", Some("no-issuer"), shown(&leaf(), &unfit, &[&unfit])),
        Case::new(
            "too long a path",
            Some("no-issuer"),
            shown(&leaf(), &too_deep, &[&too_deep, &short]),
        ),
        Case::new("a CA as leaf", Some("ca-as-leaf"), shown(&ca, trusted, &[])),
        Case::new("outside constraints", Some("name-constraint"), {
            shown(&leaf(), &narrow, &[&narrow])
        }),
        Case::new("for clients", Some("wrong-purpose"), shown(&for_clients, trusted, &[])),
        Case::new("without its key", Some("wrong-signature"), stolen),
        Case::new("forged", Some("wrong-signature"), forged),
        Case::new("clipped", Some("malformed"), clipped),
    ]
}

/// Revocation. Leaves have the serial number 7, intermediates 8.
fn revocations(trusted: &Signer) -> Vec<Case> {
    let stranger = root("Stranger CA");
    // The same name, another key: a list that only claims to be the CA's.
    let impostor = root("Platform CA");
    let middle = below(signing("Intermediate CA"), trusted);
    let plain = || shown(&leaf(), trusted, &[]);
    let deep = || shown(&leaf(), &middle, &[&middle]);
    let (none, seven) = (|| list(trusted, &[], 2100), || list(trusted, &[7], 2100));
    vec![
        Case::new("not on the list", None, plain()).lists([list(trusted, &[5, 6], 2100)]),
        Case::new("revoked", Some("revoked"), plain()).lists([seven()]),
        Case::new("revoked, TLS 1.2", Some("revoked"), plain()).lists([seven()]).over_tls_1_2(),
        Case::new("the second list", Some("revoked"), plain())
            .lists([list(&stranger, &[], 2100), seven()]),
        Case::new("intermediate revoked", Some("revoked"), deep())
            .lists([list(trusted, &[8], 2100), list(&middle, &[], 2100)]),
        Case::new("leaf below revoked", Some("revoked"), deep())
            .lists([none(), list(&middle, &[7], 2100)]),
        Case::new("list expired", Some("revocation-list-expired"), plain()).lists([list(
            trusted,
            &[],
            2022,
        )]),
        Case::new("forged list", Some("revocation-list-unusable"), plain()).lists([list(
            &impostor,
            &[],
            2100,
        )]),
        Case::new("another CA's list", None, plain()).lists([list(&stranger, &[7], 2100)]),
        Case::new("another CA's list, strict", Some("revocation-unknown"), plain())
            .lists([list(&stranger, &[], 2100)])
            .refusing_unknown(),
        Case::new("no list of the intermediate's, strict", Some("revocation-unknown"), deep())
            .lists([none()])
            .refusing_unknown(),
        Case::new("all lists there, strict", None, deep())
            .lists([none(), list(&middle, &[], 2100)])
            .refusing_unknown(),
    ]
}

#[tokio::test]
async fn only_who_proves_it_is_the_platform() {
    let trusted = root("Platform CA");
    for case in chains(&trusted) {
        check(&trusted, case).await;
    }
}

#[tokio::test]
async fn whom_a_list_names_is_refused() {
    let trusted = root("Platform CA");
    for case in revocations(&trusted) {
        check(&trusted, case).await;
    }
}

async fn check(trusted: &Signer, case: Case) {
    let (name, scratch) = (case.name, TempDir::new().unwrap());
    let (address, seen) = platform::start(case.shown, case.versions).await;
    let lists = scratch.path().join("crls");
    if !case.lists.is_empty() {
        std::fs::create_dir(&lists).unwrap();
        for (n, list) in case.lists.iter().enumerate() {
            std::fs::write(lists.join(format!("{n}.crl")), list).unwrap();
        }
    }
    let log = Log::default();
    let _logging = log.begin();
    let has_lists = !case.lists.is_empty();
    let proxy = to_platform(address, trusted, scratch.path(), |upstream| {
        upstream.crls = if has_lists { vec![lists.clone()] } else { Vec::new() };
        upstream.unknown_revocation = case.unknown;
    })
    .await;
    let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
    let reply = client.toot(HOST, TEXT).await;
    assert_eq!(*seen.names.lock().unwrap(), [PLATFORM], "{name}");
    match case.want {
        None => {
            assert_eq!(reply.status, StatusCode::OK, "{name}: {} {}", reply.text(), log.text());
            assert!(seen.n_bytes.load(SeqCst) > TEXT.len(), "{name}");
        }
        Some(word) => refused(name, word, &reply, &seen, &log.text()),
    }
    let events = proxy.stop().await;
    assert_eq!(events[0]["verdict"], "forward", "{name}");
    let outcome = if case.want.is_some() { "failed" } else { "answered" };
    assert_eq!(events[1]["outcome"], outcome, "{name}");
    assert_eq!(events[1]["id"], events[0]["id"], "{name}");
}

#[track_caller]
fn refused(name: &str, word: &str, reply: &crate::support::client::Reply, seen: &Seen, log: &str) {
    assert_eq!(reply.status, StatusCode::BAD_GATEWAY, "{name}");
    let answer: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    let sentence = answer["error"].as_str().unwrap();
    assert!(sentence.contains("Nothing was sent"), "{name}: {sentence}");
    assert_eq!(seen.n_bytes.load(SeqCst), 0, "{name}");
    let line = log.lines().find(|line| line.contains("no answer from the platform"));
    let line = line.unwrap_or_else(|| panic!("{name}: nothing in the log: {log}"));
    assert!(line.contains("reason=\"untrusted\""), "{name}: {line}");
    assert!(line.contains(&format!("distrust=\"{word}\"")), "{name}: {line}");
    assert!(line.contains("help="), "{name}: {line}");
    assert!(!log.contains("zebrafinch"), "{name}: {log}");
}

#[tokio::test]
async fn what_speaks_no_tls_gets_nothing() {
    let trusted = root("Platform CA");
    // A fatal alert `protocol_version`, as one that knows TLS 1.1 at most sends; then no TLS at all.
    let answers: [(&[u8], Option<&str>); 3] = [
        (&[21, 3, 1, 0, 2, 2, 70], Some("old-tls")),
        (&[21, 3, 1, 0, 2, 2, 40], Some("old-tls")),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", None),
    ];
    for (bytes, word) in answers {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let platform = tokio::spawn(async move {
            let (mut tcp, _) = listener.accept().await.unwrap();
            tcp.write_all(bytes).await.unwrap();
            let mut got = Vec::new();
            let _ = tokio::io::AsyncReadExt::read_to_end(&mut tcp, &mut got).await;
            got
        });
        let (scratch, log) = (TempDir::new().unwrap(), Log::default());
        let _logging = log.begin();
        let proxy = to_platform(address, &trusted, scratch.path(), |_| {}).await;
        let mut client = Client::h2(proxy.tls, &proxy.authority, HOST).await;
        let reply = client.toot(HOST, TEXT).await;
        let got = platform.await.unwrap();
        assert!(!got.windows(10).any(|bytes| bytes == b"zebrafinch"));
        match word {
            Some(word) => refused("no TLS", word, &reply, &Seen::default(), &log.text()),
            None => assert_eq!(reply.status, StatusCode::BAD_GATEWAY),
        }
        assert!(reply.text().contains("Nothing was sent"), "{}", reply.text());
        assert_eq!(proxy.stop().await[1]["outcome"], "failed");
    }
}

/// A certificate may expire, or be revoked, while sessions that it opened could still be resumed.
#[tokio::test]
async fn every_connection_is_verified_anew() {
    let trusted = root("Platform CA");
    for versions in [BOTH, OLDER] {
        let (address, seen) = platform::start(shown(&leaf(), &trusted, &[]), versions).await;
        let scratch = TempDir::new().unwrap();
        let proxy = to_platform(address, &trusted, scratch.path(), |_| {}).await;
        for _ in 0..3 {
            let mut client = Client::tls(proxy.tls, &proxy.authority, HOST).await;
            assert_eq!(client.toot(HOST, TEXT).await.status, StatusCode::OK);
        }
        assert_eq!(seen.versions.lock().unwrap().len(), 3);
        assert_eq!(seen.n_resumed.load(SeqCst), 0);
    }
}

/// A proxy whose only platform is this one, trusted through one root.
async fn to_platform(
    address: SocketAddr,
    trusted: &Signer,
    scratch: &Path,
    change: impl FnOnce(&mut postward::config::Upstream),
) -> Started {
    let roots = scratch.join("roots.pem");
    std::fs::write(&roots, trusted.pem()).unwrap();
    let route = Route {
        hosts: vec![HOST.into()],
        platform: "mastodon".into(),
        upstream: Some(UpstreamAddress { tls: true, host: PLATFORM.into(), port: address.port() }),
        websocket: WebSocket::Refuse,
    };
    Proxy::with_routes(vec![route])
        .config(|config| {
            config.upstream.extra_roots = Some(roots);
            change(&mut config.upstream);
        })
        .start()
        .await
}

/// What this thread logs, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn begin(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || log.clone());
        tracing::subscriber::set_default(subscriber.finish())
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
