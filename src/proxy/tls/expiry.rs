//! When certificates and revocation lists end: told long before anybody is locked out.

use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::{parse_x509_certificate, parse_x509_crl};

use crate::config::{Loaded, TlsIdentity};
use crate::proxy::tls::files::{certificates, read_text, revocation_lists};

/// When what a file holds ends: the first of it that does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expiry {
    /// `ca`, `own`, `root`, `list` or `leaf`.
    pub kind: &'static str,
    /// The file as the configuration names it; of leaves, where they are: `(memory)`.
    pub file: String,
    /// Seconds since 1970.
    pub at: i64,
}

/// Where what stands in no file is.
pub(crate) const MEMORY: &str = "(memory)";

/// Of every certificate and list that a configuration names. What cannot be read has been told of already.
pub(crate) fn expiries(loaded: &Loaded) -> Vec<Expiry> {
    let mut found = Vec::new();
    let mut of_file = |kind, path: &std::path::Path| {
        let chain = read_text(path).and_then(|pem| certificates(path, &pem)).unwrap_or_default();
        let at = chain.iter().filter_map(end_of).min();
        found.extend(at.map(|at| Expiry { kind, file: path.display().to_string(), at }));
    };
    for listener in &loaded.config.listeners {
        match &listener.tls {
            Some(TlsIdentity::Ca { ca, .. }) => of_file("ca", ca),
            Some(TlsIdentity::Certificate { certificate, .. }) => of_file("own", certificate),
            None => {}
        }
        listener.who.clients.iter().for_each(|clients| of_file("root", &clients.roots));
    }
    let upstream = &loaded.config.upstream;
    upstream.extra_roots.iter().for_each(|path| of_file("root", path));
    let clients = loaded.config.listeners.iter().filter_map(|one| one.who.clients.as_ref());
    for path in upstream.crls.iter().chain(clients.flat_map(|clients| &clients.crls)) {
        for (file, list) in revocation_lists(path).unwrap_or_default() {
            let file = file.display().to_string();
            found.extend(end_of_list(&list).map(|at| Expiry { kind: "list", file, at }));
        }
    }
    first_of_each(found)
}

/// Of what listeners share, and of several in one file, the one that ends first: a metric has one value.
fn first_of_each(mut found: Vec<Expiry>) -> Vec<Expiry> {
    found.sort_by(|one, other| {
        (one.kind, &one.file, one.at).cmp(&(other.kind, &other.file, other.at))
    });
    found.dedup_by(|later, first| (later.kind, &later.file) == (first.kind, &first.file));
    found
}

/// Seconds since 1970.
pub(crate) fn end_of(certificate: &CertificateDer<'_>) -> Option<i64> {
    let (_, certificate) = parse_x509_certificate(certificate).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

/// When a newer one must be there. A list may not say.
fn end_of_list(list: &CertificateRevocationListDer<'_>) -> Option<i64> {
    let (_, list) = parse_x509_crl(list).ok()?;
    Some(list.next_update()?.timestamp())
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::{Expiry, end_of, first_of_each};
    use crate::proxy::tls::Authority;

    #[test]
    fn a_file_ends_once_with_the_first_of_what_is_in_it() {
        let of = |kind, file: &str, at| Expiry { kind, file: file.to_owned(), at };
        let found =
            vec![of("list", "b", 3), of("list", "a", 2), of("list", "b", 1), of("ca", "b", 9)];
        assert_eq!(
            first_of_each(found),
            [of("ca", "b", 9), of("list", "a", 2), of("list", "b", 1)]
        );
    }

    #[test]
    fn a_ca_lasts_ten_years_and_a_leaf_half_a_one() {
        const DAY: u64 = 86_400;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let authority = Authority::generate("CA", &[]).unwrap();
        let leaf = authority.mint("mastodon.example").unwrap();
        for (certificate, days) in [(authority.certificate(), 3649), (&leaf.chain[0], 196)] {
            let end = u64::try_from(end_of(certificate).unwrap()).unwrap();
            assert!((end - now).abs_diff(days * DAY) < DAY / 24, "{days}");
        }
    }
}
