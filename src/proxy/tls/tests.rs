//! CA, leaves and handshakes, tried with rustls as the client.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use super::accept::{Presented, TlsAcceptor, provider};
use super::ca::{Authority, CaError, init};
use crate::config::Route;
use crate::platform::Platforms;
use crate::proxy::route::Routes;

fn routes(hosts: &[&str]) -> Arc<Routes> {
    let route = Route {
        hosts: hosts.iter().map(ToString::to_string).collect(),
        platform: "generic".into(),
        upstream: None,
        websocket: crate::config::WebSocket::Refuse,
    };
    Arc::new(Routes::new(&[route], &Platforms::embedded(), Vec::new()).unwrap())
}

fn client(authority: &Authority) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap();
    TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// Shakes hands for one host and says what both sides make of it.
async fn shake(
    acceptor: &TlsAcceptor,
    connector: &TlsConnector,
    host: &str,
) -> (std::io::Result<Presented>, std::io::Result<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let server = async {
        acceptor.accept(listener.accept().await.unwrap().0).await.map(|accepted| accepted.presented)
    };
    let client = async {
        let stream = connector.connect(name, TcpStream::connect(address).await.unwrap()).await?;
        Ok(stream.get_ref().1.peer_certificates().unwrap().len())
    };
    tokio::join!(server, client)
}

#[tokio::test]
async fn a_routed_host_gets_its_own_leaf() {
    let authority = Arc::new(Authority::generate("Test CA", &[]).unwrap());
    let acceptor =
        TlsAcceptor::minting(Arc::clone(&authority), routes(&["x.com", "*.clinic.example"]), None)
            .unwrap();
    for host in ["x.com", "a.clinic.example"] {
        let (presented, chain) = shake(&acceptor, &client(&authority), host).await;
        assert!(presented.unwrap().covers(host));
        assert_eq!(chain.unwrap(), 2);
    }
}

#[tokio::test]
async fn an_unknown_name_gets_an_alert() {
    let authority = Arc::new(Authority::generate("Test CA", &[]).unwrap());
    let acceptor =
        TlsAcceptor::minting(Arc::clone(&authority), routes(&["x.com", "*.clinic.example"]), None)
            .unwrap();
    for host in ["y.com", "a.b.clinic.example", "clinic.example", "127.0.0.1"] {
        let (presented, refused) = shake(&acceptor, &client(&authority), host).await;
        assert!(presented.is_err(), "{host}");
        let said = refused.unwrap_err().to_string();
        assert!(said.contains("UnrecognisedName"), "{host}: {said}");
    }
}

#[test]
fn a_leaf_covers_one_host_only() {
    let leaf = Presented::Leaf("x.com".into());
    assert!(leaf.covers("x.com"));
    assert!(!leaf.covers("y.com"));
}

#[test]
fn a_constrained_ca_is_tried_out_at_the_start() {
    let authority = Arc::new(Authority::generate("Test CA", &["*.clinic.example".into()]).unwrap());
    assert!(
        TlsAcceptor::minting(Arc::clone(&authority), routes(&["a.clinic.example"]), None).is_ok()
    );
    let fault = TlsAcceptor::minting(authority, routes(&["x.com"]), None).unwrap_err();
    assert!(fault.to_string().contains("x.com"), "{fault}");
}

#[test]
fn init_never_overwrites() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = (directory.path().join("ca.pem"), directory.path().join("ca.key"));
    let made = init(&certificate, &key, "Clinic CA", &["x.com".into()]).unwrap();
    assert_eq!(made.fingerprint.len(), 64);
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(Authority::open(&certificate, &key).unwrap().fingerprint(), made.fingerprint);
    let before = std::fs::read(&key).unwrap();
    assert!(matches!(init(&certificate, &key, "Clinic CA", &[]), Err(CaError::Exists { .. })));
    assert_eq!(std::fs::read(&key).unwrap(), before);
}

#[test]
fn hosts_of_a_ca_are_checked() {
    for host in ["", "a b", "a..b", "*", "x.com/"] {
        assert!(
            matches!(Authority::generate("Test CA", &[host.to_owned()]), Err(CaError::Host { .. })),
            "{host:?}"
        );
    }
}

#[tokio::test]
async fn a_silent_client_is_not_awaited_for_ever() {
    let authority = Arc::new(Authority::generate("Test CA", &[]).unwrap());
    let acceptor = TlsAcceptor::minting(authority, routes(&["x.com"]), None).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _silent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (tcp, _) = listener.accept().await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(20), acceptor.accept(tcp)).await.is_err());
}
