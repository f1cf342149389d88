//! Which platform a request is for: its host, read strictly, looked up among the routes.
//!
//! A host that could be read two ways is refused, because the platform might read it the other way.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::Ipv6Addr;
use std::sync::Arc;

use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;

use crate::config::{Route, UpstreamAddress, WebSocket};
use crate::platform::{Platform, Platforms};

/// One host pattern of one route.
#[derive(Debug)]
pub(crate) struct Target {
    /// The pattern as configured: safe to print.
    pub(crate) pattern: String,
    /// Whose API it is.
    pub(crate) platform: Arc<Platform>,
    /// The platform's place among the counters.
    pub(crate) platform_index: usize,
    /// Where to dial; `None` is the host itself.
    pub(crate) upstream: Option<UpstreamAddress>,
    /// Whether `WebSocket`s are passed on.
    pub(crate) websocket: WebSocket,
}

/// Host patterns and what they lead to.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    exact: HashMap<Box<str>, Arc<Target>>,
    /// Without their `*.`
    wildcard: HashMap<Box<str>, Arc<Target>>,
    platforms: Vec<String>,
}

/// A route names a platform that is not there (configuration has checked; this is the second lock).
#[derive(Debug, thiserror::Error)]
#[error("route names the platform `{platform}`, which no file describes")]
pub struct UnknownPlatform {
    platform: String,
}

impl Routes {
    /// `counted` are the platforms that have counters already: they keep their places.
    pub(crate) fn new(
        routes: &[Route],
        platforms: &Platforms,
        counted: Vec<String>,
    ) -> Result<Self, UnknownPlatform> {
        let mut all = Self { platforms: counted, ..Self::default() };
        for route in routes {
            let platform = platforms
                .get(&route.platform)
                .ok_or_else(|| UnknownPlatform { platform: route.platform.clone() })?;
            let platform_index =
                all.platforms.iter().position(|id| *id == route.platform).unwrap_or_else(|| {
                    all.platforms.push(route.platform.clone());
                    all.platforms.len() - 1
                });
            let hosts = if route.hosts.is_empty() { platform.hosts() } else { &route.hosts };
            for pattern in hosts {
                let target = Arc::new(Target {
                    pattern: pattern.clone(),
                    platform: Arc::clone(platform),
                    platform_index,
                    upstream: route.upstream.clone(),
                    websocket: route.websocket,
                });
                match pattern.strip_prefix("*.") {
                    Some(parent) => all.wildcard.insert(parent.into(), target),
                    None => all.exact.insert(
                        pattern.trim_start_matches('[').trim_end_matches(']').into(),
                        target,
                    ),
                };
            }
        }
        Ok(all)
    }

    /// What a host leads to; exact beats wildcard, and a wildcard stands for one label.
    pub(crate) fn find(&self, host: &str) -> Option<&Arc<Target>> {
        self.exact.get(host).or_else(|| match host.split_once('.') {
            Some((label, parent)) if !label.is_empty() => self.wildcard.get(parent),
            _ => None,
        })
    }

    /// Every pattern with where it is dialled, in the order of the patterns: what connections are kept by.
    pub(crate) fn ways(&self) -> Vec<(String, Option<UpstreamAddress>)> {
        let targets = self.exact.values().chain(self.wildcard.values());
        let mut ways: Vec<_> =
            targets.map(|target| (target.pattern.clone(), target.upstream.clone())).collect();
        ways.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        ways
    }

    /// The platforms of the routes, in the order of their counters.
    pub(crate) fn platforms(&self) -> &[String] {
        &self.platforms
    }

    /// A host for each pattern: what a CA must be able to sign for.
    pub(crate) fn sample_hosts(&self) -> impl Iterator<Item = String> {
        self.exact
            .keys()
            .map(ToString::to_string)
            .chain(self.wildcard.keys().map(|parent| format!("a.{parent}")))
    }

    /// Whether every route dials a fixed address without TLS, so that no root certificates are needed.
    pub(crate) fn all_plain(&self) -> bool {
        self.exact
            .values()
            .chain(self.wildcard.values())
            .all(|target| target.upstream.as_ref().is_some_and(|upstream| !upstream.tls))
    }
}

/// The host of one request.
pub(crate) struct RequestHost {
    /// As the client spelled it, port and all: what goes upstream.
    pub(crate) authority: Authority,
    /// Lower case, without port, brackets and final dot: what is looked up.
    pub(crate) host: String,
}

/// The request's host is absent, doubled, contradictory or malformed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct BadHost;

impl RequestHost {
    /// Reads the host from `:authority` (or an absolute target) and `Host`, which must agree where both are given.
    pub(crate) fn of(parts: &Parts) -> Result<Self, BadHost> {
        let mut named = parts.headers.get_all(HOST).iter();
        let header = named.next();
        if named.next().is_some() {
            return Err(BadHost);
        }
        let authority = match (parts.uri.authority(), header) {
            (Some(authority), None) => authority.clone(),
            (None, Some(header)) => Authority::try_from(header.as_bytes()).map_err(|_| BadHost)?,
            (Some(authority), Some(header))
                if authority.as_str().as_bytes().eq_ignore_ascii_case(header.as_bytes()) =>
            {
                authority.clone()
            }
            _ => return Err(BadHost),
        };
        let host = bare_host(authority.as_str())?.into_owned();
        Ok(Self { authority, host })
    }
}

/// What a socket that was opened before leads to by these routes; `None` if it may not go on as it is.
pub(crate) fn of_socket<'r>(
    routes: &'r Routes,
    authority: &Authority,
    opened: &Target,
) -> Option<&'r Arc<Target>> {
    let host = bare_host(authority.as_str()).ok()?;
    let target = routes.find(&host)?;
    let is_the_same = target.websocket == WebSocket::Read && target.upstream == opened.upstream;
    is_the_same.then_some(target)
}

/// Takes the port off and checks every byte. `user@host` is refused: it hides which host is meant.
fn bare_host(authority: &str) -> Result<Cow<'_, str>, BadHost> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']').ok_or(BadHost)?;
            address.parse::<Ipv6Addr>().map_err(|_| BadHost)?;
            (address, port.strip_prefix(':').or(port.is_empty().then_some("80")).ok_or(BadHost)?)
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, port),
            None => (authority, "80"),
        },
    };
    let is_port = port.len() <= 5
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok_and(|port| port != 0);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let is_host = !host.is_empty()
        && host.len() <= 254
        && (authority.starts_with('[') || host.bytes().all(is_name));
    if !is_port || !is_host {
        return Err(BadHost);
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Ok(host.to_ascii_lowercase().into())
    } else {
        Ok(host.into())
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::{RequestHost, bare_host};

    #[test]
    fn hosts_are_read_strictly() {
        let cases: &[(&str, Option<&str>)] = &[
            ("x.com", Some("x.com")),
            ("X.Com:443", Some("x.com")),
            ("x.com.", Some("x.com")),
            ("127.0.0.1:8443", Some("127.0.0.1")),
            ("[::1]", Some("::1")),
            ("[2001:DB8::1]:443", Some("2001:db8::1")),
            ("", None),
            ("x.com:", None),
            ("x.com:0", None),
            ("x.com:65536", None),
            ("x.com:+80", None),
            ("x.com:80:80", None),
            ("me@x.com", None),
            ("[::1", None),
            ("[::1]x", None),
            ("[x.com]", None),
            ("::1", None),
            ("x.com/y", None),
            ("x%2ecom", None),
            ("x com", None),
        ];
        for (authority, want) in cases {
            assert_eq!(bare_host(authority).ok().as_deref(), *want, "{authority:?}");
        }
    }

    #[test]
    fn host_and_authority_must_agree() {
        let cases: &[(&str, &[&str], Option<&str>)] = &[
            ("/a", &["x.com"], Some("x.com")),
            ("/a", &[], None),
            ("/a", &["x.com", "x.com"], None),
            ("https://x.com/a", &[], Some("x.com")),
            ("https://x.com/a", &["X.com"], Some("x.com")),
            ("https://x.com/a", &["y.com"], None),
            ("https://x.com/a", &["x.com:443"], None),
        ];
        for (uri, hosts, want) in cases {
            let mut request = Request::get(*uri);
            for host in *hosts {
                request = request.header("host", *host);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(
                RequestHost::of(&parts).ok().map(|found| found.host).as_deref(),
                *want,
                "{uri} {hosts:?}"
            );
        }
    }
}
