//! The hosts of routes, and the addresses that upstreams are given by.

use std::net::IpAddr;

use crate::config::UpstreamAddress;

/// Longest host name, by RFC 1035.
const MAX_HOST: usize = 253;

/// Longest part of one.
const MAX_LABEL: usize = 63;

/// What is wrong with a route's host, and the remedy; `None` of one that may be routed.
pub fn check_host(host: &str) -> Option<(String, String)> {
    wrong_host(host)
}

pub(super) fn wrong_host(host: &str) -> Option<(String, String)> {
    let bare = host.to_lowercase();
    let bare = bare.split_once("://").map_or(bare.as_str(), |(_, rest)| rest);
    let bare = bare.split(['/', '?']).next().unwrap_or_default();
    if bare != host.to_lowercase() {
        return Some(("a route names hosts, not links".to_owned(), format!("write `{bare}`")));
    }
    if let Some((name, port)) = host.split_once(':') {
        let help = if port.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("write `{name}`: the listener has the port")
        } else {
            "write a host name".to_owned()
        };
        return Some(("a route's host has no port".to_owned(), help));
    }
    if !host.is_ascii() {
        return Some((
            "a host with letters outside ASCII is written as programs send it".to_owned(),
            "write its punycode form, which begins with `xn--`".to_owned(),
        ));
    }
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Some((
            "a route's host is written in lower case".to_owned(),
            format!("write `{bare}`"),
        ));
    }
    let name = host.strip_prefix("*.").unwrap_or(host);
    if name.contains('*') {
        return Some((
            "`*` stands for the whole first part of a host only".to_owned(),
            "write `*.clinic.example`, or each host by itself".to_owned(),
        ));
    }
    let is_name = name.len() <= MAX_HOST && name.split('.').all(is_label);
    (!is_name).then(|| {
        (
            "this is no host name".to_owned(),
            "write it as programs send it, such as `mastodon.example`".to_owned(),
        )
    })
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= MAX_LABEL
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}

/// Reads `https://host[:port]` or `http://host[:port]`; the error is what is wrong and the remedy.
pub(super) fn upstream(url: &str) -> Result<UpstreamAddress, (String, String)> {
    const EXAMPLE: &str =
        "write `https://host`, or `http://127.0.0.1:3100` for a server on this machine";
    let wrong = |message: &str| Err((message.to_owned(), EXAMPLE.to_owned()));
    let (tls, rest) = match url.split_once("://") {
        Some(("https", rest)) => (true, rest),
        Some(("http", rest)) => (false, rest),
        Some(_) => return wrong("an upstream is reached by https or http"),
        None => return wrong("an upstream needs its scheme"),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '?', '#', '@']) {
        return wrong("an upstream is a host and a port: paths and queries come from the request");
    }
    let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':').or(port.is_empty().then_some(""))),
        None => rest
            .split_once(':')
            .map_or((rest, Some("")), |(host, port)| (host, (!port.is_empty()).then_some(port))),
    };
    let port = match port {
        Some("") => Some(if tls { 443 } else { 80 }),
        Some(port) => port.parse::<u16>().ok().filter(|port| *port > 0),
        None => None,
    };
    let Some(port) = port else { return wrong("an upstream's port is a number from 1 to 65535") };
    let host = host.to_ascii_lowercase();
    if host.parse::<IpAddr>().is_err() && !(host.len() <= MAX_HOST && host.split('.').all(is_label))
    {
        return wrong("this is no host name or address");
    }
    Ok(UpstreamAddress { tls, host, port })
}

/// Whether an upstream is on this machine, where plain HTTP crosses no wire.
pub(super) fn is_here(upstream: &UpstreamAddress) -> bool {
    upstream.host == "localhost"
        || upstream.host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{is_here, upstream, wrong_host};

    #[test]
    fn hosts_are_names_as_programs_send_them() {
        for (host, want) in [
            ("mastodon.example", None),
            ("*.clinic.example", None),
            ("xn--mnchen-3ya.example", None),
            ("localhost", None),
            ("127.0.0.1", None),
            ("Mastodon.Example", Some("write `mastodon.example`")),
            ("mastodon.example:443", Some("write `mastodon.example`: the listener has the port")),
            ("https://mastodon.example/", Some("write `mastodon.example`")),
            ("m\u{fc}nchen.example", Some("xn--")),
            ("*", Some("`*.clinic.example`")),
            ("*.*.example", Some("`*.clinic.example`")),
            ("a.*.example", Some("`*.clinic.example`")),
            ("a..example", Some("as programs send it")),
            ("-a.example", Some("as programs send it")),
            ("a b.example", Some("as programs send it")),
            ("", Some("as programs send it")),
            ("a.example.", Some("as programs send it")),
        ] {
            let found = wrong_host(host);
            match (&found, want) {
                (None, None) => {}
                (Some((_, help)), Some(want)) => assert!(help.contains(want), "{host}: {help}"),
                _ => panic!("{host}: {found:?}"),
            }
        }
    }

    #[test]
    fn upstreams_are_a_scheme_a_host_and_a_port() {
        for (url, want) in [
            ("http://127.0.0.1:3100", Some((false, "127.0.0.1", 3100))),
            ("https://Mastodon.example", Some((true, "mastodon.example", 443))),
            ("https://mastodon.example/", Some((true, "mastodon.example", 443))),
            ("http://[::1]:80", Some((false, "::1", 80))),
            ("http://[::1]", Some((false, "::1", 80))),
            ("127.0.0.1:3100", None),
            ("ftp://a.example", None),
            ("https://a.example/api", None),
            ("https://me:secret@a.example", None),
            ("https://a.example:0", None),
            ("https://a.example:", None),
            ("https://a.example:99999", None),
            ("https://", None),
            ("https://[::1", None),
            ("https://[::1]x", None),
        ] {
            let found = upstream(url).ok();
            assert_eq!(
                found.as_ref().map(|found| (found.tls, found.host.as_str(), found.port)),
                want,
                "{url}"
            );
        }
        assert!(
            is_here(&upstream("http://[::1]:1").unwrap())
                && is_here(&upstream("http://localhost:1").unwrap())
        );
        assert!(!is_here(&upstream("http://10.0.0.1").unwrap()));
    }
}
