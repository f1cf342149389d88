//! What no honest request has, in either version of HTTP: targets and methods that HTTP/1 would refuse, names that some
//! platform reads as another header, and headers by which a client would say who or where it is.

use http::header::{
    AUTHORIZATION, CACHE_CONTROL, COOKIE, DATE, EXPECT, HOST, HeaderName, IF_MATCH,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, LOCATION, ORIGIN, RANGE,
    REFERER, TRANSFER_ENCODING, USER_AGENT,
};
use http::request::Parts;
use http::uri::Scheme;
use http::{HeaderMap, Version};

use crate::proxy::respond::Refusal;
use crate::proxy::wire::{is_method, is_path, is_query};

/// Headers that `Connection` must not take off: who asks, for what, and how the answer may be kept.
const END_TO_END: [HeaderName; 17] = [
    AUTHORIZATION,
    CACHE_CONTROL,
    COOKIE,
    DATE,
    EXPECT,
    HOST,
    IF_MATCH,
    IF_MODIFIED_SINCE,
    IF_NONE_MATCH,
    IF_RANGE,
    IF_UNMODIFIED_SINCE,
    LOCATION,
    ORIGIN,
    RANGE,
    REFERER,
    TRANSFER_ENCODING,
    USER_AGENT,
];

/// Refuses what HTTP/1 could not say, and takes off what is not the client's to say.
pub(crate) fn check(parts: &mut Parts) -> Result<(), Refusal> {
    // The filter has read every request of HTTP/1; HTTP/2 has no target that must look like one.
    if parts.version >= Version::HTTP_2 {
        if !is_method(parts.method.as_str().as_bytes()) {
            return Err(Refusal::Method);
        }
        let is_web = match parts.uri.scheme() {
            None => true,
            Some(scheme) => *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS,
        };
        let is_target = parts.uri.path().starts_with('/')
            && is_path(parts.uri.path().as_bytes())
            && is_query(parts.uri.query().unwrap_or_default().as_bytes());
        if !is_web || !is_target {
            return Err(Refusal::Target);
        }
    }
    check_names(&mut parts.headers)
}

/// Whether a header goes from end to end, so that naming it in `Connection` is a way to change a request on its way.
pub(crate) fn is_end_to_end(name: &HeaderName) -> bool {
    name.as_str().starts_with("content-") || name.as_str() == "slug" || END_TO_END.contains(name)
}

/// Programs behind CGI and its heirs make `_` of whatever is no letter or digit in a name, so that `_` and `.` read as `-`. So a
/// name is taken for what they would take it for.
fn check_names(headers: &mut HeaderMap) -> Result<(), Refusal> {
    let mut unwanted: Vec<HeaderName> = Vec::new();
    for name in headers.keys() {
        let text = name.as_str();
        // The library lets it pass, and it is no byte of a token: HTTP/1 has no such name (RFC 9110, 5.6.2).
        if text.contains('"') {
            return Err(Refusal::Framing);
        }
        let is_odd = |letter: char| !letter.is_ascii_alphanumeric() && letter != '-';
        if text.contains(is_odd) {
            let read_as = text.replace(is_odd, "-");
            if matches!(
                read_as.as_str(),
                "content-length"
                    | "transfer-encoding"
                    | "host"
                    | "content-encoding"
                    | "content-type"
            ) {
                return Err(Refusal::Framing);
            }
            if is_identity(&read_as) {
                unwanted.push(name.clone());
            }
        } else if is_identity(text) {
            unwanted.push(name.clone());
        }
    }
    for name in unwanted {
        headers.remove(name);
    }
    Ok(())
}

/// Headers in which proxies tell each other who a client is, where it came from, and what it first asked for. From
/// outside they are claims; from inside they would tell a platform the hospital's own addresses.
fn is_identity(name: &str) -> bool {
    if let Some(rest) = name.strip_prefix("x-") {
        return rest.starts_with("forwarded-")
            || rest.starts_with("original-")
            || rest.starts_with("auth-request-")
            || rest.starts_with("authenticated-")
            || rest.starts_with("envoy-")
            || matches!(
                rest,
                "forwarded"
                    | "real-ip"
                    | "client-ip"
                    | "cluster-client-ip"
                    | "originating-ip"
                    | "remote-ip"
                    | "remote-addr"
                    | "remote-user"
                    | "proxyuser-ip"
                    | "rewrite-url"
                    | "host"
                    | "http-host-override"
                    | "url-scheme"
            );
    }
    matches!(
        name,
        "forwarded"
            | "via"
            | "client-ip"
            | "true-client-ip"
            | "cf-connecting-ip"
            | "fastly-client-ip"
            | "remote-user"
            | "proxy-client-ip"
            | "wl-proxy-client-ip"
            | "front-end-https"
            | "proxy"
    )
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, Request, Version};

    use super::{check, is_end_to_end};
    use crate::proxy::respond::Refusal;

    fn checked(method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<Vec<String>, Refusal> {
        let mut request = Request::builder().version(Version::HTTP_2).method(method).uri(uri);
        for (written, value) in headers {
            // As the HTTP/2 library makes them: it takes a quotation mark.
            let name = HeaderName::from_lowercase(written.as_bytes());
            request = match name {
                Ok(name) => request.header(name, *value),
                Err(_) => request.header(*written, *value),
            };
        }
        let mut parts = request.body(()).unwrap().into_parts().0;
        check(&mut parts)?;
        let mut names: Vec<_> = parts.headers.keys().map(ToString::to_string).collect();
        names.sort_unstable();
        Ok(names)
    }

    #[test]
    fn what_http_1_could_not_say_is_refused() {
        for uri in ["https://x.com/a", "http://x.com/a?b=[c]&d={e}", "/a"] {
            assert_eq!(checked("GET", uri, &[]), Ok(vec![]), "{uri}");
        }
        for uri in ["ftp://x.com/a", "x.com", "*", "/\u{e9}"] {
            assert_eq!(checked("GET", uri, &[]), Err(Refusal::Target), "{uri}");
        }
        assert_eq!(checked("get", "/a", &[]), Err(Refusal::Method));
    }

    #[test]
    fn names_are_taken_for_what_a_platform_would_take_them_for() {
        for name in
            ["content_length", "Transfer_Encoding", "Transfer.Encoding", "content~type", "a\"b"]
        {
            assert_eq!(checked("POST", "/a", &[(name, "1")]), Err(Refusal::Framing), "{name}");
        }
        let kept = checked(
            "POST",
            "/a",
            &[
                ("x-forwarded-for", "a"),
                ("X_Forwarded_For", "a"),
                ("x.forwarded.for", "a"),
                ("forwarded", "a"),
                ("x-real-ip", "a"),
                ("x-original-url", "a"),
                ("x-rewrite_url", "a"),
                ("via", "a"),
                ("proxy", "a"),
                ("x-authenticated-user", "a"),
                ("x-csrf-token", "a"),
                ("x_fb_thing", "a"),
                ("authorization", "a"),
            ],
        );
        assert_eq!(kept.unwrap(), ["authorization", "x-csrf-token", "x_fb_thing"]);
    }

    #[test]
    fn some_headers_are_nobodys_to_take_off() {
        for name in ["host", "content-length", "content-type", "authorization", "cookie", "slug"] {
            assert!(is_end_to_end(&HeaderName::from_static(name)), "{name}");
        }
        for name in ["keep-alive", "x-mine", "upgrade", "te"] {
            assert!(!is_end_to_end(&HeaderName::from_static(name)), "{name}");
        }
    }
}
