//! The syslog sink against receivers of this test's own: ones that take everything, and ones that go in the middle of it.

use std::collections::BTreeMap;
use std::io::{Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::audit::sinks::syslog::{SyslogFormat, SyslogSettings};
use crate::audit::{Audit, AuditSettings, Event, Outcome, SinkKind, SinkSettings, Sync, What};

fn event(id: usize) -> Event {
    Event {
        id: format!("E{id}"),
        client: Some("10.20.0.7".parse().unwrap()),
        identity: None,
        group: None,
        host: "mastodon.example".into(),
        platform: "mastodon".into(),
        method: "POST".into(),
        what: What::Outcome(Outcome::Answered(200)),
    }
}

fn settings(folder: &Path, syslog: SyslogSettings) -> AuditSettings {
    let kind = SinkKind::Syslog(syslog);
    let sink = SinkSettings {
        gather: Duration::ZERO,
        retry: Duration::from_millis(250),
        ..SinkSettings::of("siem", kind)
    };
    AuditSettings {
        sync: Sync::None,
        sinks: vec![sink],
        ..AuditSettings::of(folder.join("audit.jsonl"), "edge-1")
    }
}

fn plain(port: u16) -> SyslogSettings {
    SyslogSettings { tls: false, ..SyslogSettings::of("127.0.0.1", port) }
}

/// What a receiver has read: each message by its number, with how often it came.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<BTreeMap<u64, (usize, String)>>>);

impl Heard {
    /// Reads messages by their octet counts until the stream ends, or so many have come.
    fn read(&self, mut stream: impl Read, most: usize) {
        for _ in 0..most {
            let Some(message) = message(&mut stream) else { return };
            let seq = message.split("seq=\"").nth(1).unwrap().split('"').next().unwrap();
            let mut all = self.0.lock().unwrap();
            let entry = all.entry(seq.parse().unwrap()).or_default();
            *entry = (entry.0 + 1, message);
        }
    }

    fn numbers(&self) -> Vec<u64> {
        self.0.lock().unwrap().keys().copied().collect()
    }

    fn wait_for(&self, n: u64) {
        let want: Vec<u64> = (1..=n).collect();
        for _ in 0..1500 {
            if self.numbers() == want {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("of {n} messages came {:?}", self.numbers());
    }
}

fn message(stream: &mut impl Read) -> Option<String> {
    let mut length = String::new();
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        if byte[0] == b' ' {
            break;
        }
        length.push(char::from(byte[0]));
    }
    let mut text = vec![0; length.parse().expect("an octet count")];
    stream.read_exact(&mut text).ok()?;
    Some(String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn every_line_arrives_in_order_and_once_while_nothing_breaks() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let read = Heard::default();
    let theirs = read.clone();
    let receiver =
        std::thread::spawn(move || theirs.read(listener.accept().unwrap().0, usize::MAX));
    let audit = Audit::open(settings(folder.path(), plain(port))).unwrap();
    for n in 0..50 {
        audit.record(event(n)).await.unwrap();
    }
    read.wait_for(50);
    audit.close().await;
    drop(audit);
    receiver.join().unwrap();
    let all = read.0.lock().unwrap();
    assert!(all.values().all(|(n, _)| *n == 1));
    assert!(all[&1].1.contains("CEF:0|Postward|"), "{}", all[&1].1);
}

/// A receiver that goes with messages unread, is away for a while, and comes back: each event arrives, some of them twice.
#[tokio::test]
async fn a_receiver_that_goes_in_the_middle_is_caught_up() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let read = Heard::default();
    let audit = Audit::open(settings(folder.path(), plain(address.port()))).unwrap();
    let theirs = read.clone();
    let first = std::thread::spawn(move || {
        theirs.read(listener.accept().unwrap().0, 7);
        // The listener and the connection close here, whatever has come since.
    });
    for n in 0..40 {
        audit.record(event(n)).await.unwrap();
    }
    first.join().unwrap();
    for n in 40..80 {
        audit.record(event(n)).await.unwrap();
    }
    let again = rebound(address);
    let theirs = read.clone();
    let second = std::thread::spawn(move || theirs.read(again.accept().unwrap().0, usize::MAX));
    read.wait_for(80);
    audit.close().await;
    drop(audit);
    second.join().unwrap();

    // A new process sends again what the last one sent shortly before its end, and goes on.
    let listener = rebound(address);
    let audit = Audit::open(settings(folder.path(), plain(address.port()))).unwrap();
    let later = Heard::default();
    let theirs = later.clone();
    let third = std::thread::spawn(move || theirs.read(listener.accept().unwrap().0, usize::MAX));
    audit.record(event(80)).await.unwrap();
    for _ in 0..1000 {
        if later.numbers().last() == Some(&81) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let numbers = later.numbers();
    assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{numbers:?}");
    assert!(numbers.first().is_some_and(|first| *first < 81), "{numbers:?}");
    assert_eq!(numbers.last(), Some(&81));
    audit.close().await;
    drop(audit);
    third.join().unwrap();
}

/// What the network took last, and the receiver never read, before Postward is stopped: the cursor stands before it.
#[tokio::test]
async fn what_no_receiver_has_read_is_sent_again_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let audit = Audit::open(settings(folder.path(), plain(address.port()))).unwrap();
    let (unread, _) = listener.accept().unwrap();
    for n in 0..9 {
        audit.record(event(n)).await.unwrap();
    }
    for _ in 0..1000 {
        if audit.sinks()[0].held_seq == 9 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(audit.sinks()[0].held_seq, 9, "the network took all of it");
    audit.close().await;
    drop((audit, unread, listener));

    let again = rebound(address);
    let read = Heard::default();
    let theirs = read.clone();
    let audit = Audit::open(settings(folder.path(), plain(address.port()))).unwrap();
    let receiver = std::thread::spawn(move || theirs.read(again.accept().unwrap().0, usize::MAX));
    read.wait_for(9);
    audit.close().await;
    drop(audit);
    receiver.join().unwrap();
    assert!(read.0.lock().unwrap().values().all(|(n, _)| *n == 1));

    // What was sent long enough ago is not sent again.
    let soon = SyslogSettings { resend: Duration::ZERO, ..plain(address.port()) };
    for n in [9, 10] {
        let listener = rebound(address);
        let read = Heard::default();
        let theirs = read.clone();
        let receiver =
            std::thread::spawn(move || theirs.read(listener.accept().unwrap().0, usize::MAX));
        let audit = Audit::open(settings(folder.path(), soon.clone())).unwrap();
        audit.record(event(n)).await.unwrap();
        for _ in 0..1000 {
            if read.numbers().last() == Some(&(n as u64 + 1)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        audit.record(event(n)).await.unwrap();
        audit.close().await;
        drop(audit);
        receiver.join().unwrap();
    }
}

fn rebound(address: std::net::SocketAddr) -> TcpListener {
    for _ in 0..500 {
        // The standard library allows an address to be bound again.
        if let Ok(listener) = TcpListener::bind(address) {
            return listener;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the port was not free again");
}

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Certificate and key, as PEM, in two files.
    fn issue(&self, folder: &Path, name: &str) -> (std::path::PathBuf, std::path::PathBuf) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let files = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        std::fs::write(&files.0, certificate.pem()).unwrap();
        std::fs::write(&files.1, key.serialize_pem()).unwrap();
        files
    }

    fn write(&self, folder: &Path) -> std::path::PathBuf {
        let file = folder.join("roots.pem");
        std::fs::write(&file, self.0.pem()).unwrap();
        file
    }
}

fn server(folder: &Path, authority: &Authority) -> Arc<ServerConfig> {
    let (certificate, key) = authority.issue(folder, "localhost");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(authority.write(folder)).unwrap() {
        roots.add(root.unwrap()).unwrap();
    }
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
    let chain: Vec<_> =
        CertificateDer::pem_file_iter(certificate).unwrap().map(Result::unwrap).collect();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients.unwrap())
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap())
        .unwrap();
    Arc::new(config)
}

fn secured(
    stream: TcpStream,
    config: &Arc<ServerConfig>,
) -> StreamOwned<ServerConnection, TcpStream> {
    StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), stream)
}

#[tokio::test]
async fn tls_takes_a_certificate_that_is_the_receivers_and_shows_our_own() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let config = server(folder.path(), &authority);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let read = Heard::default();
    let theirs = read.clone();
    let receiver = std::thread::spawn(move || {
        let mut stream = secured(listener.accept().unwrap().0, &config);
        // What a receiver says is let go, and is no end.
        stream.write_all(b"hello\n").unwrap();
        theirs.read(&mut stream, usize::MAX);
        let shown = stream.conn.peer_certificates().map_or(0, <[_]>::len);
        assert_eq!(shown, 1, "the client showed its certificate");
    });
    let syslog = SyslogSettings {
        roots: Some(authority.write(folder.path())),
        identity: Some(authority.issue(folder.path(), "edge-1")),
        format: SyslogFormat::Ocsf,
        ..SyslogSettings::of("localhost", port)
    };
    let audit = Audit::open(settings(folder.path(), syslog)).unwrap();
    for n in 0..20 {
        audit.record(event(n)).await.unwrap();
    }
    read.wait_for(20);
    audit.close().await;
    drop(audit);
    receiver.join().unwrap();
    let all = read.0.lock().unwrap();
    let json = all[&20].1.split_once("] ").unwrap().1;
    let event: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!((&event["class_uid"], &event["metadata"]["sequence"]), (&2006.into(), &20.into()));
}

#[tokio::test]
async fn nothing_is_said_to_a_receiver_whose_certificate_is_not_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, stranger) = (Authority::new(), Authority::new());
    let config = server(folder.path(), &stranger);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let receiver = std::thread::spawn(move || {
        let mut stream = secured(listener.accept().unwrap().0, &config);
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        said.len()
    });
    let roots = Some(authority.write(folder.path()));
    let syslog = SyslogSettings { roots, ..SyslogSettings::of("localhost", port) };
    let audit = Audit::open(settings(folder.path(), syslog)).unwrap();
    // The file has it; the sink does not, and says why.
    audit.record(event(0)).await.unwrap();
    assert_eq!(receiver.join().unwrap(), 0);
    for _ in 0..1000 {
        if audit.sinks().iter().any(|sink| sink.fault.is_some()) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let fault = audit.sinks()[0].fault.clone().unwrap();
    assert!(fault.contains("TLS with the receiver failed"), "{fault}");
    audit.close().await;
}
