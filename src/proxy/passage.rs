//! One request on its way, and who sent it.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderValue, Method, Version};
use jiff::civil::Date;

use crate::audit::{Audit, Event, Identity, What};
use crate::body::{Elider, IsMedia, claims_form, looks_like_file, looks_like_media};
use crate::inspect;
use crate::platform::{Class, Endpoint, WEBSOCKET};
use crate::policy::Sender;
use crate::proxy::connection::Activity;
use crate::proxy::headers::Framing;
use crate::proxy::metrics::InFlight;
use crate::proxy::respond::Asker;
use crate::proxy::route::Target;
use crate::proxy::tls::Presented;
use crate::proxy::websocket::Opened;
use crate::proxy::who::{Caller, ToldBy};

/// Who is at the other end of a connection.
pub(crate) struct Peer {
    pub(crate) caller: Caller,
    /// The listener that took the connection.
    pub(crate) listener: usize,
    presented: Presented,
    pub(crate) activity: Arc<Activity>,
    /// The host last found covered: nearly always the only one.
    covered: OnceLock<Box<str>>,
    /// The WebSocket that the connection becomes.
    opened: Mutex<Option<Box<Opened>>>,
}

impl Peer {
    pub(crate) fn new(
        caller: Caller,
        listener: usize,
        presented: Presented,
        activity: Activity,
    ) -> Self {
        Self {
            caller,
            listener,
            presented,
            activity: Arc::new(activity),
            covered: OnceLock::new(),
            opened: Mutex::default(),
        }
    }

    /// Says what the connection becomes once its client has heard of it.
    pub(crate) fn put(&self, opened: Opened) {
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(opened));
    }

    /// What the connection has become.
    pub(crate) fn take(&self) -> Option<Box<Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn covers(&self, host: &str) -> bool {
        if self.covered.get().is_some_and(|covered| **covered == *host) {
            return true;
        }
        let covers = self.presented.covers(host);
        if covers {
            let _ = self.covered.set(host.into());
        }
        covers
    }
}

/// One request on its way, everything but its body.
#[derive(Clone)]
pub(crate) struct Passage {
    pub(crate) target: Arc<Target>,
    pub(crate) authority: Authority,
    pub(crate) parts: Parts,
    pub(crate) framing: Framing,
    /// Whom caps and memory count, and events name.
    pub(crate) client: IpAddr,
    /// Whom events name beside that.
    pub(crate) identity: Option<Identity>,
    /// What is proved of the sender, and by whose word.
    pub(crate) sender: Arc<Sender>,
    /// The listener and the peer whose headers had a say in that.
    pub(crate) told_by: Option<ToldBy>,
    pub(crate) groups: Vec<String>,
    /// The template of its endpoint, once it was judged.
    pub(crate) endpoint: String,
    pub(crate) id: String,
    pub(crate) reference: String,
    pub(crate) today: Date,
    pub(crate) origin: Option<HeaderValue>,
}

impl Passage {
    /// The endpoint's class, as far as the head tells.
    pub(crate) fn class(&self) -> Class {
        self.resolved().class()
    }

    fn resolved(&self) -> &Endpoint {
        let (path, query) = (self.parts.uri.path(), self.parts.uri.query());
        self.target.platform.resolve_with_query(&self.parts.method, path, query, None).endpoint
    }

    /// Whether the body comes encoded, so that its length says nothing of what it holds.
    pub(crate) fn is_encoded(&self) -> bool {
        self.parts.headers.contains_key(CONTENT_ENCODING)
    }

    /// Whether the body's leading bytes are media's, whatever its type claims. Compressed media are not: nobody
    /// compresses media, and a text hidden so would pass unread.
    pub(crate) fn is_media(&self, start: &[u8], documents: bool) -> bool {
        let content_type =
            self.parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        // What claims to be a form is one to most servers, and its fields may come late. Only those that take the bytes of
        // a file they were told of take it for that.
        if claims_form(content_type) && !self.resolved().is_announced() {
            return false;
        }
        !self.parts.headers.contains_key(CONTENT_ENCODING) && passes(documents)(content_type, start)
    }

    /// Separates the texts of a body too long to hold from its media, if it is multipart.
    pub(crate) fn elider(&self, documents: bool) -> Option<Elider> {
        if self.parts.headers.contains_key(CONTENT_ENCODING) {
            return None;
        }
        let content_type = self.parts.headers.get(CONTENT_TYPE)?.to_str().ok()?;
        Elider::of_type(Some(content_type), passes(documents))
    }

    /// A message of the WebSocket that this is the handshake of: the same client, host and path, and an id of its own.
    pub(crate) fn message(&self, today: Date) -> Self {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.method = WEBSOCKET.clone();
        parts.uri = self.parts.uri.clone();
        if self.target.platform.reads_messages() {
            parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Self {
            target: Arc::clone(&self.target),
            authority: self.authority.clone(),
            parts,
            framing: Framing::default(),
            client: self.client,
            identity: self.identity.clone(),
            sender: Arc::clone(&self.sender),
            told_by: self.told_by.clone(),
            groups: self.groups.clone(),
            id: Audit::new_id(),
            reference: Audit::new_reference(),
            today,
            origin: None,
            endpoint: String::new(),
        }
    }

    /// Whether it is a message of a WebSocket.
    pub(crate) fn is_message(&self) -> bool {
        self.parts.method == *WEBSOCKET
    }

    /// What the client's sentence and the event have in common.
    pub(crate) fn reference(&self) -> &str {
        &self.reference
    }

    /// For an answer of ours. A connection of HTTP/2 outlives a request that was not read to its end.
    pub(crate) fn asker(&self, close: bool, in_flight: InFlight) -> Asker {
        Asker {
            origin: self.origin.clone(),
            close: close && self.parts.version < Version::HTTP_2,
            is_head: self.parts.method == Method::HEAD,
            in_flight,
        }
    }

    pub(crate) fn event(&self, what: What) -> Event {
        Event {
            id: self.id.clone(),
            client: Some(self.client),
            group: (!self.groups.is_empty()).then(|| self.groups.join(", ")),
            identity: self.identity.clone(),
            host: self.target.pattern.clone(),
            platform: self.target.platform.id().to_owned(),
            method: standard_method(&self.parts.method).to_owned(),
            what,
        }
    }

    pub(crate) fn request<'a>(&'a self, body: &'a Bytes) -> inspect::Request<'a> {
        inspect::Request {
            platform: &self.target.platform,
            method: &self.parts.method,
            path: self.parts.uri.path(),
            // That of a handshake was read with it.
            query: self.parts.uri.query().filter(|_| !self.is_message()),
            headers: &self.parts.headers,
            body,
            groups: &self.groups,
            reference: self.reference(),
            mark: None,
            today: self.today,
        }
    }
}

/// What may pass unread: media, and documents where the policy lets them.
fn passes(documents: bool) -> IsMedia {
    if documents { looks_like_file } else { looks_like_media }
}

/// A method of the client's own making is the client's text.
fn standard_method(method: &Method) -> &'static str {
    ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", WEBSOCKET.as_str()]
        .into_iter()
        .find(|name| *name == method.as_str())
        .unwrap_or("other")
}
