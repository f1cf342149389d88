//! The two handshakes of a WebSocket. Each side shakes hands with us: the client's is checked before anything is sent, the
//! platform gets a key of ours and must prove that it saw it, and the client hears of it only then. So nobody gets through
//! an upgrade that the platform did not accept, and frames on one side are never requests on the other.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::rand;
use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version};

use crate::body::base64;
use crate::proxy::respond::Refusal;
use crate::proxy::websocket::deflate::{self, Terms};

/// RFC 6455, section 1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The headers of a handshake, which are each side's own.
const OWN: [HeaderName; 7] = [
    CONNECTION,
    UPGRADE,
    SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION,
];

/// What a client asks for.
pub(crate) struct Asked {
    key: HeaderValue,
    protocols: Vec<HeaderValue>,
    offers: Vec<Terms>,
}

/// Prints counts only: clients put tokens among their protocols.
impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asked")
            .field("n_protocols", &self.protocols.len())
            .field("n_offers", &self.offers.len())
            .finish_non_exhaustive()
    }
}

/// What a platform agreed to.
pub(crate) struct Agreed {
    protocol: Option<HeaderValue>,
    terms: Option<Terms>,
}

impl Agreed {
    /// Whether messages may be compressed.
    pub(super) fn is_deflated(&self) -> bool {
        self.terms.is_some()
    }
}

impl Asked {
    /// Takes the handshake out of a request's headers, if the request is for a WebSocket at all. One that is, and is not
    /// as RFC 6455, section 4.2.1, has it, is refused.
    pub(crate) fn take(parts: &mut Parts) -> Result<Option<Self>, Refusal> {
        let names_it = |value: &HeaderValue| tokens(value).any(|token| is(token, "websocket"));
        if !parts.headers.get_all(UPGRADE).iter().any(names_it) {
            return Ok(None);
        }
        let headers = &parts.headers;
        let key = single(headers, &SEC_WEBSOCKET_KEY).filter(|key| is_key(key));
        let version = single(headers, &SEC_WEBSOCKET_VERSION);
        let has_body = headers.contains_key(TRANSFER_ENCODING)
            || headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0");
        let is_sound = parts.method == Method::GET
            && parts.version == Version::HTTP_11
            && upgrades(headers)
            && version.is_some_and(|version| version == "13")
            && !has_body;
        let (Some(key), true) = (key.cloned(), is_sound) else { return Err(Refusal::Handshake) };
        let protocols = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().cloned().collect();
        let offers = deflate::offers(texts(headers, &SEC_WEBSOCKET_EXTENSIONS));
        for name in &OWN {
            // `Connection` is read once more: it may name other headers of this hop.
            if *name != CONNECTION && *name != UPGRADE {
                parts.headers.remove(name);
            }
        }
        Ok(Some(Self { key, protocols, offers }))
    }

    /// Puts a handshake of our own into the request that goes to the platform; gives what it must answer to our key.
    pub(super) fn write(&self, headers: &mut HeaderMap) -> Option<String> {
        let mut nonce = [0; 16];
        rand::fill(&mut nonce).ok()?;
        let key = base64::encode(&nonce);
        for name in &OWN {
            headers.remove(name);
        }
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_str(&key).ok()?);
        for protocol in &self.protocols {
            headers.append(SEC_WEBSOCKET_PROTOCOL, protocol.clone());
        }
        if !self.offers.is_empty() {
            let offers: Vec<String> = self.offers.iter().copied().map(Terms::write).collect();
            let offers = HeaderValue::from_str(&offers.join(", ")).ok()?;
            headers.insert(SEC_WEBSOCKET_EXTENSIONS, offers);
        }
        Some(accept(key.as_bytes()))
    }

    /// Reads the platform's answer, as RFC 6455, section 4.1, has it; `None` if it is no upgrade that we asked for.
    pub(super) fn check(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        expected: &str,
    ) -> Option<Agreed> {
        let proof = single(headers, &SEC_WEBSOCKET_ACCEPT)?;
        if status != StatusCode::SWITCHING_PROTOCOLS
            || !upgrades(headers)
            || proof.as_bytes().trim_ascii() != expected.as_bytes()
        {
            return None;
        }
        let mut protocols = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
        let protocol = protocols.next().cloned();
        let was_asked = |protocol: &HeaderValue| {
            let mut asked = self.protocols.iter().flat_map(tokens);
            protocol.to_str().is_ok_and(|protocol| asked.any(|one| one == protocol.trim()))
        };
        if protocols.next().is_some() || !protocol.as_ref().is_none_or(was_asked) {
            return None;
        }
        let terms =
            deflate::agreed(texts(headers, &SEC_WEBSOCKET_EXTENSIONS), &self.offers).ok()?;
        Some(Agreed { protocol, terms })
    }

    /// Puts our answer to the client in place of the platform's own.
    pub(super) fn answer(&self, agreed: &Agreed, headers: &mut HeaderMap) -> Option<()> {
        for name in &OWN {
            headers.remove(name);
        }
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        let proof = accept(self.key.as_bytes());
        headers.insert(SEC_WEBSOCKET_ACCEPT, HeaderValue::from_str(&proof).ok()?);
        if let Some(protocol) = &agreed.protocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol.clone());
        }
        if let Some(terms) = &agreed.terms {
            let terms = HeaderValue::from_str(&terms.write()).ok()?;
            headers.insert(SEC_WEBSOCKET_EXTENSIONS, terms);
        }
        Some(())
    }
}

/// `Upgrade: websocket` and nothing else, and `Connection` that names it.
fn upgrades(headers: &HeaderMap) -> bool {
    let connection = headers.get_all(CONNECTION);
    single(headers, &UPGRADE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| is(value.trim(), "websocket"))
        && connection.iter().flat_map(tokens).any(|token| is(token, "upgrade"))
}

/// What proves that a key was seen.
fn accept(key: &[u8]) -> String {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[key, GUID].concat());
    base64::encode(hash.as_ref())
}

/// Sixteen bytes of base64.
fn is_key(key: &HeaderValue) -> bool {
    base64::decode(key.as_bytes()).is_some_and(|nonce| nonce.len() == 16)
}

fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

fn texts<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    // What is no text is an extension that nobody knows, and as such it is left out or refused.
    headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?"))
}

fn tokens(value: &HeaderValue) -> impl Iterator<Item = &str> {
    value.to_str().unwrap_or_default().split(',').map(str::trim).filter(|token| !token.is_empty())
}

fn is(token: &str, wanted: &str) -> bool {
    token.eq_ignore_ascii_case(wanted)
}

#[cfg(test)]
mod tests {
    use http::request::Parts;
    use http::{HeaderMap, Request, StatusCode};

    use super::{Asked, accept};
    use crate::proxy::respond::Refusal;

    const SOUND: &[(&str, &str)] = &[
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", "v2, v1"),
        ("sec-websocket-extensions", "permessage-deflate"),
        ("origin", "https://client.example"),
    ];

    fn request(method: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    /// The sound handshake with one header another, or twice.
    fn with(name: &str, value: &str, twice: bool) -> Vec<(String, String)> {
        let mut headers: Vec<(String, String)> =
            SOUND.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        headers.retain(|(one, _)| twice || one != name);
        headers.push((name.into(), value.into()));
        headers
    }

    #[test]
    fn the_rfcs_own_key_is_accepted() {
        assert_eq!(accept(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn handshakes_that_are_none_are_refused() {
        assert!(Asked::take(&mut request("GET", &[])).unwrap().is_none());
        assert!(Asked::take(&mut request("GET", &[("upgrade", "h2c")])).unwrap().is_none());
        assert!(Asked::take(&mut request("GET", SOUND)).unwrap().is_some());
        assert_eq!(Asked::take(&mut request("POST", SOUND)).unwrap_err(), Refusal::Handshake);
        for (name, value, twice) in [
            ("connection", "keep-alive", false),
            ("upgrade", "websocket, h2c", false),
            ("upgrade", "websocket", true),
            ("sec-websocket-version", "8", false),
            ("sec-websocket-version", "13", true),
            ("sec-websocket-key", "dGhlIHNhbXBsZQ==", false),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==", true),
            ("content-length", "5", false),
            ("transfer-encoding", "chunked", false),
        ] {
            let headers = with(name, value, twice);
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (&**name, &**value)).collect();
            let refused = Asked::take(&mut request("GET", &headers)).unwrap_err();
            assert_eq!(refused, Refusal::Handshake, "{name}: {value}");
        }
    }

    #[test]
    fn the_platform_must_prove_that_it_saw_our_key() {
        let mut parts = request("GET", SOUND);
        let asked = Asked::take(&mut parts).unwrap().unwrap();
        let mut headers = parts.headers;
        let expected = asked.write(&mut headers).unwrap();
        assert_ne!(headers["sec-websocket-key"], "dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(headers["origin"], "https://client.example");
        assert_eq!(headers["sec-websocket-protocol"], "v2, v1");
        assert_eq!(
            headers["sec-websocket-extensions"],
            "permessage-deflate; client_no_context_takeover"
        );
        let key = headers["sec-websocket-key"].to_str().unwrap();
        assert_eq!(expected, accept(key.as_bytes()));
        let sound = [
            ("upgrade", "WebSocket"),
            ("connection", "upgrade"),
            ("sec-websocket-accept", &*expected),
        ];
        let answer = |changed: &[(&str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in sound.iter().chain(changed) {
                let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
                headers.insert(name, value.parse().unwrap());
            }
            headers
        };
        let check = |changed: &[(&str, &str)]| {
            asked.check(StatusCode::SWITCHING_PROTOCOLS, &answer(changed), &expected)
        };
        for (changed, want) in [
            (&[][..], true),
            (&[("sec-websocket-protocol", "v1")], true),
            (&[("sec-websocket-extensions", "permessage-deflate")], true),
            (&[("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")], false),
            (&[("upgrade", "h2c")], false),
            (&[("connection", "close")], false),
            (&[("sec-websocket-protocol", "v3")], false),
            (&[("sec-websocket-extensions", "x-other")], false),
        ] {
            assert_eq!(check(changed).is_some(), want, "{changed:?}");
        }
        assert!(asked.check(StatusCode::OK, &answer(&[]), &expected).is_none());

        let agreed = check(&[("sec-websocket-extensions", "permessage-deflate")]).unwrap();
        let mut headers = answer(&[]);
        asked.answer(&agreed, &mut headers).unwrap();
        assert_eq!(headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(
            headers["sec-websocket-extensions"],
            "permessage-deflate; client_no_context_takeover"
        );
    }
}
