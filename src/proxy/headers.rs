//! What is done to the headers of requests and answers: one hop's own headers are taken off, framing that could be read
//! two ways is refused. It happens before inspection, so that what is judged is what is sent.

use http::header::{
    ALT_SVC, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, HeaderName, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Version};

use crate::platform::WEBSOCKET;
use crate::proxy::respond::Refusal;
use crate::proxy::strange;

/// Headers that belong to one connection only.
const HOP_BY_HOP: [HeaderName; 10] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// What a request's headers said before they were cleaned.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Framing {
    /// The client waits for `100 Continue`.
    pub(crate) expects: bool,
    /// The request said how long its body is, or that it is chunked.
    pub(crate) has_body: bool,
    /// The length it named.
    pub(crate) length: Option<u64>,
}

/// Checks a request's framing and takes off what is this hop's own.
pub(crate) fn admit(parts: &mut Parts) -> Result<Framing, Refusal> {
    // Under that method the platforms' files speak of messages of a WebSocket, which come another way.
    if parts.method == Method::CONNECT
        || parts.method == Method::TRACE
        || parts.method == *WEBSOCKET
    {
        return Err(Refusal::Method);
    }
    strange::check(parts)?;
    let chunked = check_transfer_encoding(parts)?;
    let length = content_length(&parts.headers)?;
    if chunked && length.is_some() {
        return Err(Refusal::Framing);
    }
    let expects = match parts.headers.remove(EXPECT) {
        None => false,
        Some(value) if value.as_bytes().eq_ignore_ascii_case(b"100-continue") => true,
        Some(_) => return Err(Refusal::Expectation),
    };
    drop_hop_by_hop(&mut parts.headers).map_err(|()| Refusal::Framing)?;
    parts.headers.remove(HOST);
    join_cookies(&mut parts.headers);
    Ok(Framing { expects, has_body: chunked || length.is_some(), length })
}

/// Takes off an answer what is the platform's hop's own, and `Alt-Svc`: clients would leave by HTTP/3, past us.
pub(crate) fn clean_answer(headers: &mut HeaderMap) {
    // An answer that names its own framing as hop-by-hop loses those names only; nothing of it is judged.
    let _ = drop_hop_by_hop(headers);
    headers.remove(ALT_SVC);
}

/// Says how long the body is that goes upstream.
pub(crate) fn set_length(headers: &mut HeaderMap, has_body: bool, length: u64) {
    if has_body || length > 0 {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    } else {
        headers.remove(CONTENT_LENGTH);
    }
}

/// Takes off the digests of an answer that was edited.
pub(crate) fn drop_digests(headers: &mut HeaderMap) {
    for name in ["content-md5", "digest", "content-digest", "repr-digest"] {
        headers.remove(name);
    }
}

/// Whether the body is chunked. Any other coding, or chunked twice, is a way to smuggle.
fn check_transfer_encoding(parts: &Parts) -> Result<bool, Refusal> {
    let mut codings = parts.headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(false),
        (Some(coding), None)
            if parts.version == Version::HTTP_11
                && coding.as_bytes().eq_ignore_ascii_case(b"chunked") =>
        {
            Ok(true)
        }
        _ => Err(Refusal::Framing),
    }
}

fn content_length(headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    match (lengths.next(), lengths.next()) {
        (None, _) => Ok(None),
        (Some(length), None)
            if !length.is_empty() && length.as_bytes().iter().all(u8::is_ascii_digit) =>
        {
            length
                .to_str()
                .ok()
                .and_then(|digits| digits.parse().ok())
                .map(Some)
                .ok_or(Refusal::Framing)
        }
        _ => Err(Refusal::Framing),
    }
}

/// `Err` if `Connection` names a header that says whose request it is or how the body is read: without it the platform
/// would read another post than we did.
fn drop_hop_by_hop(headers: &mut HeaderMap) -> Result<(), ()> {
    let mut result = Ok(());
    if headers.contains_key(CONNECTION) {
        let named: Vec<HeaderName> = headers
            .get_all(CONNECTION)
            .iter()
            .flat_map(tokens)
            .filter_map(|token| token.parse().ok())
            .collect();
        for name in named {
            if strange::is_end_to_end(&name) {
                result = Err(());
            } else {
                headers.remove(name);
            }
        }
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
    result
}

/// HTTP/2 may split one `Cookie` into many (RFC 9113, 8.2.3); HTTP/1.1 knows only one.
fn join_cookies(headers: &mut HeaderMap) {
    let mut crumbs = headers.get_all(COOKIE).iter();
    let (Some(first), Some(second)) = (crumbs.next(), crumbs.next()) else { return };
    let mut joined = first.as_bytes().to_vec();
    for crumb in std::iter::once(second).chain(crumbs) {
        joined.extend_from_slice(b"; ");
        joined.extend_from_slice(crumb.as_bytes());
    }
    if let Ok(mut cookie) = HeaderValue::from_maybe_shared(bytes::Bytes::from(joined)) {
        cookie.set_sensitive(true);
        headers.insert(COOKIE, cookie);
    }
}

fn tokens(value: &HeaderValue) -> impl Iterator<Item = &str> {
    value.to_str().unwrap_or_default().split(',').map(str::trim).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::{Framing, admit, clean_answer};
    use crate::proxy::respond::Refusal;

    fn parts(method: &str, headers: &[(&str, &str)]) -> http::request::Parts {
        let mut request = Request::builder().method(method).uri("/a");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], Result<Framing, Refusal>);

    #[test]
    fn framing_that_reads_two_ways_is_refused() {
        let fine = |expects, has_body, length| Ok(Framing { expects, has_body, length });
        let cases: &[Case<'_>] = &[
            ("GET", &[], fine(false, false, None)),
            ("POST", &[("content-length", "3")], fine(false, true, Some(3))),
            ("POST", &[("transfer-encoding", "Chunked")], fine(false, true, None)),
            (
                "POST",
                &[("expect", "100-Continue"), ("content-length", "3")],
                fine(true, true, Some(3)),
            ),
            ("POST", &[("expect", "a cake")], Err(Refusal::Expectation)),
            (
                "POST",
                &[("content-length", "3"), ("transfer-encoding", "chunked")],
                Err(Refusal::Framing),
            ),
            (
                "POST",
                &[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
                Err(Refusal::Framing),
            ),
            ("POST", &[("transfer-encoding", "gzip, chunked")], Err(Refusal::Framing)),
            ("POST", &[("content-length", "+3")], Err(Refusal::Framing)),
            ("POST", &[("content-length", "3, 3")], Err(Refusal::Framing)),
            (
                "POST",
                &[("content-length", "3"), ("connection", "content-type")],
                Err(Refusal::Framing),
            ),
            ("GET", &[("connection", "upgrade"), ("upgrade", "h2c")], fine(false, false, None)),
            ("CONNECT", &[], Err(Refusal::Method)),
            ("TRACE", &[], Err(Refusal::Method)),
            ("WEBSOCKET", &[], Err(Refusal::Method)),
        ];
        for (method, headers, want) in cases {
            assert_eq!(admit(&mut parts(method, headers)), *want, "{method} {headers:?}");
        }
    }

    #[test]
    fn one_hops_own_headers_go() {
        let mut request = parts(
            "GET",
            &[
                ("connection", "close, x-mine"),
                ("x-mine", "1"),
                ("te", "trailers"),
                ("keep-alive", "5"),
                ("host", "x.com"),
                ("x-yours", "1"),
            ],
        );
        admit(&mut request).unwrap();
        assert_eq!(
            request.headers.keys().map(http::HeaderName::as_str).collect::<Vec<_>>(),
            ["x-yours"]
        );
    }

    #[test]
    fn crumbs_become_one_cookie() {
        let mut request = parts("GET", &[("cookie", "a=1"), ("cookie", "b=2"), ("cookie", "c=3")]);
        admit(&mut request).unwrap();
        let cookies: Vec<_> = request.headers.get_all("cookie").iter().collect();
        assert_eq!(cookies, ["a=1; b=2; c=3"]);
    }

    #[test]
    fn answers_do_not_lead_past_us() {
        let mut headers = parts(
            "GET",
            &[("alt-svc", "h3=\":443\""), ("transfer-encoding", "chunked"), ("etag", "1")],
        )
        .headers;
        clean_answer(&mut headers);
        assert_eq!(headers.keys().map(http::HeaderName::as_str).collect::<Vec<_>>(), ["etag"]);
    }
}
