//! By what a listener knows who sends: clients' certificates, the PROXY protocol and identity headers, the last two from
//! listed load balancers alone.

use std::error::Error as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use http::HeaderName;
use http::header::{AUTHORIZATION, CONNECTION, COOKIE, HOST, TE, TRANSFER_ENCODING, UPGRADE};
use ipnet::IpNet;

use crate::audit::{NameKey, Naming, Said};
use crate::config::UnknownRevocation;
use crate::config::syntax::UNKNOWN_REVOCATIONS;
use crate::diagnostic::{Faults, Placed, Table, shown};
use crate::policy::network;

/// Most programs that may have added to `X-Forwarded-For` before a request comes here.
const MOST_HOPS: u64 = 16;

/// Headers that say something else, and so cannot say who sent a request.
const TAKEN: [HeaderName; 7] =
    [AUTHORIZATION, CONNECTION, COOKIE, HOST, TE, TRANSFER_ENCODING, UPGRADE];

/// By what a listener knows who sends, beside the address of the connection.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Who {
    /// Clients are asked for certificates (`tls.clients`).
    pub clients: Option<ClientCertificates>,
    /// Who begins each connection with a header of the PROXY protocol (`proxy-protocol.from`).
    pub proxy_protocol: Vec<IpNet>,
    /// Whose headers say who sent a request (`identity`).
    pub identity: Option<IdentityHeaders>,
}

/// Which certificates of clients are believed. Paths are absolute.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientCertificates {
    /// The CAs that sign them, PEM.
    pub roots: PathBuf,
    /// Whether a client without one is refused (left out: it is).
    pub is_required: bool,
    /// Lists of revoked ones: files, or folders of them.
    pub crls: Vec<PathBuf>,
    /// What of a certificate whose issuer has no list among `crls`.
    pub unknown_revocation: UnknownRevocation,
}

/// Load balancers that say in headers who sent a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IdentityHeaders {
    /// Who is believed: the addresses that connect to us.
    pub from: Vec<IpNet>,
    /// The header that holds the identity.
    pub header: Option<HeaderName>,
    /// The client's address is so many entries from the end of `X-Forwarded-For`.
    pub forwarded_for: Option<usize>,
}

impl Who {
    /// The files it names.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let clients = self.clients.iter();
        clients
            .flat_map(|clients| std::iter::once(&clients.roots).chain(&clients.crls))
            .map(PathBuf::as_path)
    }

    /// Whether a peer must begin its connections with a header of the PROXY protocol.
    pub fn is_proxy(&self, peer: IpAddr) -> bool {
        is_listed(&self.proxy_protocol, peer)
    }

    /// What a peer's headers are believed to say.
    pub fn believed(&self, peer: IpAddr) -> Option<&IdentityHeaders> {
        self.identity.as_ref().filter(|identity| is_listed(&identity.from, peer))
    }

    /// Reads the keys of a listener but `tls.clients`.
    pub(super) fn read(table: &mut Table<'_>, faults: &mut Faults) -> Self {
        let proxy_protocol = table.table("proxy-protocol", faults).map(|mut table| {
            let from = peers(&mut table, faults);
            table.finish(faults);
            from
        });
        let identity = table.table("identity", faults).and_then(|table| identity(table, faults));
        Self { clients: None, proxy_protocol: proxy_protocol.unwrap_or_default(), identity }
    }
}

impl ClientCertificates {
    pub(super) fn read(mut table: Table<'_>, folder: &Path, faults: &mut Faults) -> Option<Self> {
        let roots = table.required_text(
            "roots",
            "name the CA that signs staff's certificates: `clients = { roots = \"staff-ca.pem\" }`",
            faults,
        );
        let is_required = table.flag("required", faults).is_none_or(|flag| flag.value);
        let roots = roots.map(|path| {
            existing(
                &path,
                folder,
                "the certificates of the CAs that sign clients' certificates, PEM",
                faults,
            )
        });
        let names_lists = table.has("crls");
        let crls = table.texts("crls", faults).unwrap_or_default();
        let crls = crls
            .iter()
            .map(|path| {
                existing(path, folder, "a revocation list, PEM or DER, or a folder of them", faults)
            })
            .collect();
        let unknown = table.choice("unknown-revocation", &UNKNOWN_REVOCATIONS, faults);
        if let Some(unknown) = &unknown
            && !names_lists
        {
            faults.error(
                unknown.span,
                "`unknown-revocation` says nothing without lists of revoked certificates",
                "name them: `crls = [\"staff.crl\"]`, or take `unknown-revocation` out",
            );
        }
        table.finish(faults);
        Some(Self {
            roots: roots?,
            is_required,
            crls,
            // Staff's certificates are the hospital's own: whoever keeps lists of them keeps lists of all.
            unknown_revocation: unknown.map_or(UnknownRevocation::Refuse, |unknown| unknown.value),
        })
    }
}

fn existing(path: &Placed<String>, folder: &Path, what: &str, faults: &mut Faults) -> PathBuf {
    let full = folder.join(&path.value);
    if !full.try_exists().unwrap_or(true) {
        faults.error(
            path.span,
            format!("there is no file {}", full.display()),
            format!("name {what}"),
        );
    }
    full
}

fn identity(mut table: Table<'_>, faults: &mut Faults) -> Option<IdentityHeaders> {
    let span = table.span();
    let from = peers(&mut table, faults);
    let asks = table.has("header") || table.has("forwarded-for");
    let header = table.text("header", faults).and_then(|word| header(&word, faults));
    let forwarded_for = table.whole("forwarded-for", 1..=MOST_HOPS, faults);
    table.finish(faults);
    if !asks {
        faults.error(
            span,
            "`identity` names no header, so nothing is known by it",
            "add `header = \"X-Remote-User\"`, or `forwarded-for = 1` where the load balancer adds the client's address to X-Forwarded-For",
        );
        return None;
    }
    let forwarded_for = forwarded_for.and_then(|hops| usize::try_from(hops.value).ok());
    Some(IdentityHeaders { from, header, forwarded_for })
}

fn header(word: &Placed<String>, faults: &mut Faults) -> Option<HeaderName> {
    let name = HeaderName::from_bytes(word.value.as_bytes()).ok();
    let Some(name) = name.filter(|name| {
        name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    }) else {
        faults.error(
            word.span,
            format!("`{}` is no name of a header", shown(&word.value)),
            "use letters, digits and hyphens: `header = \"X-Remote-User\"`",
        );
        return None;
    };
    let is_address = name == "x-forwarded-for" || name == "forwarded" || name == "x-real-ip";
    if is_address || TAKEN.contains(&name) || name.as_str().starts_with("content-") {
        faults.error(
            word.span,
            format!("`{}` says something else than who sent a request", shown(&word.value)),
            if is_address {
                "for the client's address write `forwarded-for = 1`: the number of programs that add to X-Forwarded-For"
            } else {
                "have the load balancer put the identity into a header of its own: `header = \"X-Remote-User\"`"
            },
        );
        return None;
    }
    Some(name)
}

/// What events say of who sent a post, with the key where they say it by hashes.
pub(super) fn naming(table: &mut Table<'_>, folder: &Path, faults: &mut Faults) -> Naming {
    let identity = table.choice("identity", &Said::WORDS, faults);
    let address = table.choice("address", &Said::WORDS, faults);
    let hashed = [&identity, &address]
        .into_iter()
        .flatten()
        .find(|keep| keep.value == Said::Hashed)
        .map(|keep| keep.span);
    let path = table.text("key-file", faults);
    let key = match (&path, hashed) {
        (None, None) => None,
        (Some(path), None) => {
            faults.error(
                path.span,
                "nothing is hashed with this key",
                "write `identity = \"keyed-hash\"`, or take `key-file` out",
            );
            None
        }
        (None, Some(span)) => {
            faults.error(
                span,
                "a keyed hash needs a key",
                "add `key-file = \"audit.key\"`, made by `openssl rand -hex 32 > audit.key` and `chmod 600 audit.key`",
            );
            None
        }
        (Some(path), Some(_)) => match NameKey::read(&folder.join(&path.value)) {
            Ok(key) => Some(key),
            Err(fault) => {
                let why = fault.source().map_or_else(String::new, |source| format!(": {source}"));
                faults.error(path.span, format!("{fault}{why}"), fault.remedy());
                None
            }
        },
    };
    let given = |keep: Option<Placed<Said>>| keep.map_or_else(Said::default, |keep| keep.value);
    Naming { identity: given(identity), address: given(address), key }
}

/// Who is believed; never everybody.
fn peers(table: &mut Table<'_>, faults: &mut Faults) -> Vec<IpNet> {
    table.require("from", "list the load balancers' addresses: `from = [\"10.0.0.5\"]`", faults);
    let words = table.texts("from", faults).unwrap_or_default();
    let mut peers = Vec::with_capacity(words.len());
    for word in words {
        let Some(network) = network(&word, faults) else { continue };
        if network.prefix_len() == 0 {
            faults.error(
                word.span,
                "from everybody, any client could say who it is",
                "list the load balancers' own addresses: `from = [\"10.0.0.5\"]`",
            );
        }
        peers.push(network);
    }
    peers
}

fn is_listed(networks: &[IpNet], peer: IpAddr) -> bool {
    let peer = peer.to_canonical();
    networks.iter().any(|network| network.contains(&peer))
}
