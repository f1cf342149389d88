//! What a case is: a path through the program, and how a canary is sent along it.

use super::canary::Canary;

/// One path.
pub(super) struct Case {
    /// Unique among all.
    pub(super) name: &'static str,
    /// What the platform may see of the canary while the policy is enforced.
    pub(super) reaches: Reach,
    pub(super) send: Box<dyn Fn(&Canary) -> Act + Send + Sync>,
}

/// How much of a canary may go on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reach {
    /// It goes on, and is seen to.
    All,
    /// The post goes on, but not the patient's name.
    NoName,
    /// Nothing.
    Nothing,
    /// Whatever: this case is about the program's own words.
    Either,
}

/// What a client does.
pub(super) enum Act {
    /// Writes to the plain listener and reads until it is closed.
    Plain(Vec<u8>),
    /// Writes to the plain listener and goes.
    Gone(Vec<u8>),
    /// Shakes hands for this host, writes, and reads until it is closed.
    Tls(&'static str, Vec<u8>),
    /// Tries to shake hands for a host that is the client's word.
    Hello(String),
    /// Writes to the TLS listener without a handshake.
    RawTls(Vec<u8>),
    /// Frames after the greeting of HTTP/2, for this host.
    H2(&'static str, Vec<u8>),
    /// Writes to the operators' listener.
    Admin(Vec<u8>),
    /// Asks for a `WebSocket` at this path, and writes frames.
    Socket(String, Vec<u8>),
}

/// A case.
pub(super) fn case(
    name: &'static str,
    reaches: Reach,
    send: impl Fn(&Canary) -> Act + Send + Sync + 'static,
) -> Case {
    Case { name, reaches, send: Box::new(send) }
}

/// A request of HTTP/1.1, after which the connection ends.
pub(super) fn request(line: &str, host: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

pub(super) const MASTODON: &str = "mastodon.example";
pub(super) const STATUSES: &str = "POST /api/v1/statuses";
pub(super) const JSON: &str = "Content-Type: application/json\r\n";

/// A post to Mastodon with a body of this type.
pub(super) fn post(content_type: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    request(STATUSES, MASTODON, &format!("Content-Type: {content_type}\r\n"), body)
}

/// A post to Mastodon in JSON.
pub(super) fn toot(text: &str) -> Vec<u8> {
    post("application/json", serde_json::json!({ "status": text }).to_string())
}

/// A text in the form of HTML forms.
pub(super) fn form_encoded(text: &str) -> String {
    let write = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(write).collect()
}
