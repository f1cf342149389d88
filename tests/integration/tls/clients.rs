//! Clients' certificates: whose name counts is whose certificate was verified, in this handshake or in the one that began
//! the session; all others are refused in a word that says why.
#![expect(clippy::float_cmp, reason = "metrics that count are whole numbers")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use http::StatusCode;
use postward::config::{ClientCertificates, Config, UnknownRevocation, Who};
use postward::proxy::tls::Authority;
use rcgen::{
    CertificateParams, CustomExtension, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    KeyPair, SanType, SerialNumber,
};
use rustls::pki_types::ServerName;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, HandshakeKind};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::chain::{Shown, Signer, below, dated, leaf, list, root, shown, signing};
use crate::support::client::believing;
use crate::support::program::{Program, write};
use crate::support::proxy::Started;
use crate::support::{Client, Upstream};
use crate::who::{HOST, SSN, decisions, excused, excusing, metric};

const PRESS: &str = "certificates = [\"san:email:*@press.example\"]";

/// A certificate of somebody's.
fn of(name: &str, change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = leaf();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.subject_alt_names =
        vec![SanType::Rfc822Name(format!("{name}@press.example").try_into().unwrap())];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    change(&mut params);
    params
}

/// How a client that shows this speaks TLS.
fn showing(shown: Option<Shown>, authority: &Authority) -> Arc<ClientConfig> {
    let builder = believing(authority);
    let mut config = match shown {
        None => builder.with_no_client_auth(),
        Some(Shown { chain, key }) => {
            // Whether key and certificate belong together is not asked.
            let key = key.serialize_der().try_into().unwrap();
            let key = builder.crypto_provider().key_provider.load_private_key(key).unwrap();
            let shown = SingleCertAndKey::from(CertifiedKey::new(chain, key));
            builder.with_client_cert_resolver(Arc::new(shown))
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

async fn connected(
    proxy: &Started,
    config: &Arc<ClientConfig>,
) -> std::io::Result<TlsStream<TcpStream>> {
    connected_to(proxy.tls, config).await
}

async fn connected_to(
    address: SocketAddr,
    config: &Arc<ClientConfig>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from(HOST).unwrap();
    TlsConnector::from(Arc::clone(config)).connect(name, tcp).await
}

/// What a post over a new connection is answered; `None` where the proxy ends it.
async fn posted(proxy: &Started, config: &Arc<ClientConfig>) -> Option<StatusCode> {
    answered(proxy.tls, config).await
}

async fn answered(address: SocketAddr, config: &Arc<ClientConfig>) -> Option<StatusCode> {
    let stream = connected_to(address, config).await.ok()?;
    let mut client = Client::h1(stream).await;
    let body = serde_json::json!({ "status": SSN }).to_string();
    let request = client.post(HOST, "/api/v1/statuses", "application/json", body);
    client.begin(request).await.ok().map(|answer| answer.status())
}

struct Staff {
    folder: TempDir,
    ca: Signer,
}

impl Staff {
    fn new() -> Self {
        let staff = Self { folder: TempDir::new().unwrap(), ca: root("Staff CA") };
        std::fs::write(staff.folder.path().join("staff-ca.pem"), staff.ca.pem()).unwrap();
        staff
    }

    /// With a list that takes these back.
    fn revoking(&self, revoked: &[u64], until: i32) -> &Self {
        std::fs::write(self.folder.path().join("staff.crl"), list(&self.ca, revoked, until))
            .unwrap();
        self
    }

    fn asked(&self, is_required: bool) -> impl FnOnce(&mut Config) + use<> {
        let within =
            |name: &str| -> std::path::PathBuf { Path::new(self.folder.path()).join(name) };
        let crl = within("staff.crl");
        let clients = ClientCertificates {
            roots: within("staff-ca.pem"),
            is_required,
            crls: if crl.exists() { vec![crl] } else { Vec::new() },
            unknown_revocation: UnknownRevocation::Refuse,
        };
        let who = Who { clients: Some(clients), ..Who::default() };
        move |config| config.listeners[0].who = who
    }
}

#[tokio::test]
async fn a_verified_name_puts_its_holder_into_a_group_and_stays_theirs_when_a_session_resumes() {
    let staff = Staff::new();
    let upstream = Upstream::start().await;
    let proxy = excusing(&upstream, PRESS).config(staff.asked(false)).start().await;
    let anna = showing(Some(shown(&of("anna", |_| {}), &staff.ca, &[])), &proxy.authority);
    let eve = of("eve", |params| params.subject_alt_names.clear());
    let eve = showing(Some(shown(&eve, &staff.ca, &[])), &proxy.authority);
    let nobody = showing(None, &proxy.authority);
    let ok = Some(StatusCode::OK);
    for _ in 0..3 {
        assert_eq!(posted(&proxy, &anna).await, ok);
        assert_ne!(posted(&proxy, &eve).await, ok);
        assert_ne!(posted(&proxy, &nobody).await, ok);
    }
    for config in [&anna, &eve, &nobody] {
        let stream = connected(&proxy, config).await.unwrap();
        assert_eq!(stream.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed));
    }
    assert_eq!(upstream.received().len(), 3);
    let decided = decisions(&proxy.stop().await);
    let of = |identity: &str, by: &str, group: &str, verdict: &str| {
        ["127.0.0.1", identity, by, group, verdict].map(ToOwned::to_owned)
    };
    let round = [
        of("anna@press.example", "certificate", "press", "forward"),
        of("eve", "certificate", "", "block"),
        of("", "", "", "block"),
    ];
    assert_eq!(decided, [round.clone(), round.clone(), round].concat());
}

#[tokio::test]
async fn what_does_not_prove_itself_is_refused_by_its_reason() {
    let staff = Staff::new();
    staff.revoking(&[7], 2100);
    let stranger = root("Staff CA");
    let middle = below(signing("Ward CA"), &staff.ca);
    let valid = |change: fn(&mut CertificateParams)| {
        of("anna", |params| {
            params.serial_number = Some(SerialNumber::from(9_u64));
            change(params);
        })
    };
    let for_servers =
        valid(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]);
    let mut forged = shown(&valid(|_| {}), &staff.ca, &[]);
    forged.key = KeyPair::generate().unwrap();
    for (what, shown, reason) in [
        ("nothing", None, "no-certificate"),
        (
            "of another CA of that name",
            Some(shown(&valid(|_| {}), &stranger, &[])),
            "wrong-signature",
        ),
        ("of nobody", Some(shown(&valid(|_| {}), &root("Other CA"), &[])), "unknown-issuer"),
        ("expired", Some(shown(&valid(|one| dated(one, 2020, 2021)), &staff.ca, &[])), "expired"),
        (
            "early",
            Some(shown(&valid(|one| dated(one, 2099, 2100)), &staff.ca, &[])),
            "not-yet-valid",
        ),
        ("revoked", Some(shown(&of("anna", |_| {}), &staff.ca, &[])), "revoked"),
        ("a server's", Some(shown(&for_servers, &staff.ca, &[])), "wrong-purpose"),
        (
            "of one without a list",
            Some(shown(&valid(|_| {}), &middle, &[&middle])),
            "revocation-unknown",
        ),
        ("another's", Some(forged), "wrong-signature"),
    ] {
        let upstream = Upstream::start().await;
        let proxy = excusing(&upstream, PRESS).config(staff.asked(true)).start().await;
        let config = showing(shown, &proxy.authority);
        assert_eq!(posted(&proxy, &config).await, None, "{what}");
        assert_eq!(upstream.n_begun(), 0, "{what}");
        if !reason.is_empty() {
            let name = "postward_client_certificates_refused_total";
            assert_eq!(
                metric(&proxy, &format!("{name}{{reason=\"{reason}\"}}")).await,
                1,
                "{what}"
            );
        }
        let sound = showing(Some(shown_by(&staff.ca)), &proxy.authority);
        assert_eq!(posted(&proxy, &sound).await, Some(StatusCode::OK), "{what}");
        assert_eq!(decisions(&proxy.stop().await).len(), 1, "{what}");
    }
    // Optional or not, what is shown must be good.
    let upstream = Upstream::start().await;
    let proxy = excusing(&upstream, PRESS).config(staff.asked(false)).start().await;
    let revoked = showing(Some(shown(&of("anna", |_| {}), &staff.ca, &[])), &proxy.authority);
    assert_eq!(posted(&proxy, &revoked).await, None);
    // An old list speaks for nobody.
    staff.revoking(&[], 2022);
    let proxy = excusing(&upstream, PRESS).config(staff.asked(true)).start().await;
    let sound = showing(Some(shown_by(&staff.ca)), &proxy.authority);
    assert_eq!(posted(&proxy, &sound).await, None);
    let series = "postward_client_certificates_refused_total{reason=\"revocation-list-expired\"}";
    assert_eq!(metric(&proxy, series).await, 1);
    assert_eq!(upstream.n_begun(), 0);
}

fn shown_by(ca: &Signer) -> Shown {
    let params = of("anna", |params| params.serial_number = Some(SerialNumber::from(9_u64)));
    shown(&params, ca, &[])
}

/// The real program: a list that takes a certificate back ends its sessions and its connections, without a restart.
#[tokio::test]
async fn who_is_revoked_is_out_after_a_reload() {
    let (staff, authority) = (Staff::new(), root("Edge CA"));
    let upstream = Upstream::start().await;
    let folder = TempDir::new().unwrap();
    let config = format!(
        "policy = \"policy.toml\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n\
         tls = {{ ca = \"ca.pem\", ca-key = \"ca.key\", clients = {{ roots = \"staff-ca.pem\", crls = [\"staff.crl\"] }} }}\n\
         [[route]]\nhosts = [\"{HOST}\"]\nplatform = \"mastodon\"\nupstream = \"http://{}\"\n\
         [admin]\naddress = \"127.0.0.1:0\"\n[audit]\nfile = \"audit.jsonl\"\nsync = \"none\"\n\
         [reload]\nwatch = false\n[timeouts]\ndrain = \"1 s\"\n",
        upstream.address
    );
    let policy = postward::policy::Policy::embedded().replace("[replacement]", &excused(PRESS));
    for (name, text) in [
        ("postward.toml", &*config),
        ("policy.toml", &policy),
        ("ca.pem", &authority.pem()),
        ("ca.key", &authority.key().serialize_pem()),
        ("staff-ca.pem", &staff.ca.pem()),
        ("staff.crl", &list(&staff.ca, &[], 2100)),
    ] {
        write(&folder.path().join(name), text);
    }
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(folder.path().join("ca.key"), private).unwrap();
    let program = Program::start_in(folder);
    let edge = Authority::open(&program.file("ca.pem"), &program.file("ca.key")).unwrap();
    let anna = showing(Some(shown_by(&staff.ca)), &edge);
    let address = program.listening[0];
    let mut before = Client::h1(connected_to(address, &anna).await.unwrap()).await;
    assert_eq!(before.toot(HOST, SSN).await.status, StatusCode::OK);
    program.put("staff.crl", &list(&staff.ca, &[9], 2100));
    let told = program.reload().await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.text());
    // The connection that was there ends, and no other begins, resumed or anew.
    let mut n_more = 0;
    loop {
        let request = before.request("GET", HOST, "/api/v1/instance");
        let request = request.body(http_body_util::Full::default()).unwrap();
        if before.begin(request).await.is_err() {
            break;
        }
        n_more += 1;
        assert!(n_more < 1000, "the connection goes on");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(answered(address, &anna).await, None);
    assert_eq!(
        program.metric("postward_client_certificates_refused_total{reason=\"revoked\"}").await,
        1.0
    );
    let decided = decisions(&program.stop());
    let posts: Vec<_> = decided.iter().filter(|one| one[3] == "press").collect();
    assert_eq!(posts[0][1], "anna@press.example");
}

/// Names that would be read as another's by whoever stops at a NUL, or takes a value for several parts.
#[tokio::test]
async fn a_name_made_to_look_like_anothers_is_not_theirs() {
    let staff = Staff::new();
    let proof = "certificates = [\"san:email:anna@press.example\", \"CN=anna\", \"DN=*,OU=Press\"]";
    let alternative = |tag: u8, name: &[u8]| {
        let n = u8::try_from(name.len()).unwrap();
        let content = [&[0x30, n + 2, tag, n], name].concat();
        CustomExtension::from_oid_content(&[2, 5, 29, 17], content)
    };
    let upstream = Upstream::start().await;
    let proxy = excusing(&upstream, proof).config(staff.asked(true)).start().await;
    let named = |name: &str, other: Option<CustomExtension>| {
        of("x", |params| {
            params.distinguished_name = DistinguishedName::new();
            params.distinguished_name.push(DnType::CommonName, name);
            params.subject_alt_names.clear();
            params.custom_extensions.extend(other);
        })
    };
    for params in [
        named("anna\0.evil.example", None),
        named("eve,OU=Press", None),
        named("eve+OU=Press", None),
        named("eve\\,OU=Press", None),
        named("eve", Some(alternative(0x81, b"anna@press.example\0.evil"))),
        // The right words as a host and as a URI.
        named("eve", Some(alternative(0x82, b"anna@press.example"))),
        named("eve", Some(alternative(0x86, b"anna@press.example"))),
    ] {
        let config = showing(Some(shown(&params, &staff.ca, &[])), &proxy.authority);
        assert_ne!(posted(&proxy, &config).await, Some(StatusCode::OK));
    }
    assert_eq!(upstream.n_begun(), 0);
    let decided = decisions(&proxy.stop().await);
    assert!(decided.iter().all(|one| one[3].is_empty()), "{decided:?}");
}
