//! One certificate for every contender, so that all speak the same TLS: a P-256 leaf that is its own root.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// The host every post is for.
pub(crate) const HOST: &str = "mastodon.example";

/// Writes `edge.pem` and `edge.key`, and both in `both.pem` as `HAProxy` likes it.
pub(crate) fn write(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let certified = rcgen::generate_simple_self_signed(vec![HOST.to_owned()]).unwrap();
    let (certificate, key) = (certified.cert.pem(), certified.signing_key.serialize_pem());
    fs::write(folder.join("edge.pem"), &certificate).unwrap();
    for (name, content) in [("edge.key", key.clone()), ("both.pem", certificate + &key)] {
        fs::write(folder.join(name), content).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// A server of that certificate.
pub(crate) fn server(folder: &Path) -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(folder.join("edge.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("edge.key")).unwrap();
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}

/// A client that trusts it and offers one version of HTTP.
pub(crate) fn client(folder: &Path, alpn: &[u8]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join("edge.pem")).unwrap()).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    Arc::new(config)
}
