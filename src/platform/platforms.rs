//! A platform as its file says, and all of them by name.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use sha2::{Digest as _, Sha256};

use crate::body::{Document, Edit, Limits, Role, Step, Unreadable};
use crate::diagnostic::{Diagnostic, Source};
use crate::platform::answer::AnswerTemplate;
use crate::platform::endpoint::Entry;
use crate::platform::file;
use crate::platform::frame::{self, Reply};
use crate::platform::settings::Settings;
use crate::platform::template::{PathTemplate, is_version};
use crate::platform::{Answer, Endpoint, FieldSpec, Reason, valid};
use crate::redact::Splice;

/// The shipped files.
const EMBEDDED: &[(&str, &str)] = &[
    (
        "embedded:platforms/activitypub.toml",
        include_str!("../../config/platforms/activitypub.toml"),
    ),
    ("embedded:platforms/bluesky.toml", include_str!("../../config/platforms/bluesky.toml")),
    ("embedded:platforms/discord.toml", include_str!("../../config/platforms/discord.toml")),
    ("embedded:platforms/facebook.toml", include_str!("../../config/platforms/facebook.toml")),
    ("embedded:platforms/generic.toml", include_str!("../../config/platforms/generic.toml")),
    ("embedded:platforms/instagram.toml", include_str!("../../config/platforms/instagram.toml")),
    ("embedded:platforms/linkedin.toml", include_str!("../../config/platforms/linkedin.toml")),
    ("embedded:platforms/mastodon.toml", include_str!("../../config/platforms/mastodon.toml")),
    ("embedded:platforms/matrix.toml", include_str!("../../config/platforms/matrix.toml")),
    ("embedded:platforms/micropub.toml", include_str!("../../config/platforms/micropub.toml")),
    ("embedded:platforms/misskey.toml", include_str!("../../config/platforms/misskey.toml")),
    ("embedded:platforms/nostr.toml", include_str!("../../config/platforms/nostr.toml")),
    ("embedded:platforms/pinterest.toml", include_str!("../../config/platforms/pinterest.toml")),
    ("embedded:platforms/reddit.toml", include_str!("../../config/platforms/reddit.toml")),
    ("embedded:platforms/slack.toml", include_str!("../../config/platforms/slack.toml")),
    ("embedded:platforms/telegram.toml", include_str!("../../config/platforms/telegram.toml")),
    ("embedded:platforms/threads.toml", include_str!("../../config/platforms/threads.toml")),
    ("embedded:platforms/tiktok.toml", include_str!("../../config/platforms/tiktok.toml")),
    ("embedded:platforms/tumblr.toml", include_str!("../../config/platforms/tumblr.toml")),
    ("embedded:platforms/wordpress.toml", include_str!("../../config/platforms/wordpress.toml")),
    ("embedded:platforms/x.toml", include_str!("../../config/platforms/x.toml")),
    ("embedded:platforms/youtube.toml", include_str!("../../config/platforms/youtube.toml")),
];

/// Fields of a body that may name a GraphQL operation.
const OPERATION_FIELDS: &[&str] = &["operationName", "operation", "fb_api_req_friendly_name"];

/// Segments that may follow a GraphQL endpoint's path: the query's id and the operation.
const OPERATION_TAIL: usize = 2;

/// The method under which messages of a WebSocket are resolved and inspected. The proxy refuses requests that name it,
/// and no endpoint for any method (`*`) is one for messages.
pub static WEBSOCKET: LazyLock<http::Method> = LazyLock::new(|| {
    // Of letters, so that it is a method; were it not, CONNECT is one that no file can name.
    http::Method::from_bytes(frame::METHOD.as_bytes()).unwrap_or(http::Method::CONNECT)
});

/// One platform.
#[derive(Debug)]
pub struct Platform {
    id: String,
    hosts: Vec<String>,
    settings: Settings,
    answer: AnswerTemplate,
    /// How blocked messages of a WebSocket are answered.
    reply: Option<Reply>,
    /// The more exact first.
    pub(super) endpoints: Vec<Endpoint>,
    /// Indexes of the endpoints that a path of so many segments may be for, the more exact first.
    by_length: Vec<Vec<usize>>,
    /// The same for longer paths than any template.
    open: Vec<usize>,
    unknown: Endpoint,
}

/// The endpoint a request is for.
#[derive(Clone, Copy, Debug)]
pub struct Resolved<'a> {
    /// The endpoint.
    pub endpoint: &'a Endpoint,
    /// Whether the platform's file names it; if not, everything is read and nothing is edited.
    pub known: bool,
}

/// Platforms by name.
#[derive(Debug, Default)]
pub struct Platforms {
    by_name: BTreeMap<String, Arc<Platform>>,
    /// Over every file that was added.
    hash: Sha256,
}

/// Why a post cannot be redacted, though it should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "each says itself in its message")]
pub enum CannotRedact {
    #[error("the request is signed over the text")]
    Signed,
    #[error("the finding stands in a field that is never edited")]
    NotEditable,
    #[error("offsets into the text cannot be moved")]
    Offsets,
    #[error("another post of the same request is bound to the text by its hash")]
    Bound,
    #[error("the redacted text is over the platform's limit")]
    OverLimit,
    #[error("the redacted post would be refused by the platform")]
    Invalid,
    #[error("the edit could not be written")]
    Write,
}

impl Platform {
    pub(super) fn new(
        id: String,
        hosts: Vec<String>,
        settings: Settings,
        (answer, reply): (AnswerTemplate, Option<Reply>),
        mut endpoints: Vec<Endpoint>,
    ) -> Self {
        endpoints.sort_by_cached_key(|endpoint| {
            let (open, placeholders) = endpoint.path.rank();
            let n_conditions = endpoint.entry.when.len();
            (open, endpoint.operation.is_none(), Reverse(n_conditions), placeholders)
        });
        let longest =
            endpoints.iter().map(|endpoint| endpoint.path.len()).max().unwrap_or_default();
        let by_length = (0..=longest + OPERATION_TAIL)
            .map(|len| {
                let fits = |endpoint: &Endpoint| match endpoint.operation {
                    Some(_) => {
                        (endpoint.path.len()..=endpoint.path.len() + OPERATION_TAIL).contains(&len)
                    }
                    None if endpoint.path.is_open() => endpoint.path.len() <= len,
                    None => endpoint.path.len() == len,
                };
                indexes(&endpoints, fits)
            })
            .collect();
        let open = indexes(&endpoints, |endpoint| endpoint.path.is_open());
        let unknown = Endpoint {
            entry: Arc::new(Entry::unknown()),
            template: "unknown".into(),
            method: None,
            path: PathTemplate::any(),
            operation: None,
        };
        Self { id, hosts, settings, answer, reply, endpoints, by_length, open, unknown }
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How many endpoints its file lists, for reports.
    pub fn n_endpoints(&self) -> usize {
        self.endpoints.len()
    }

    /// Every endpoint that its file lists, the more exact first, for reports.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter()
    }

    /// Whether whoever writes a body signs it, so that nothing is ever redacted here.
    pub fn is_always_signed(&self) -> bool {
        self.settings.signatures.always
    }

    /// Hosts that its file lists, for routes that name none.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// The endpoint of a request; `path` is raw, still percent-encoded. For GraphQL endpoints the operation may
    /// stand at the end of the path or in the body.
    pub fn resolve(
        &self,
        method: &http::Method,
        path: &str,
        body: Option<&Document>,
    ) -> Resolved<'_> {
        self.resolve_with_query(method, path, None, body)
    }

    /// The same for a request whose raw query may name another path or method (`rest_route`, `_method`).
    pub fn resolve_with_query(
        &self,
        method: &http::Method,
        path: &str,
        query: Option<&str>,
        body: Option<&Document>,
    ) -> Resolved<'_> {
        let query = query.unwrap_or_default();
        let method = self.settings.method(method, query, body);
        let method = method.as_ref();
        let found = self.settings.segments(path, query, body).and_then(|mut segments| {
            if self.settings.version_prefix {
                // Before everything, or after the segment that the API stands under.
                let base = self.settings.base_segment.as_deref();
                let at = usize::from(segments.first().is_some_and(|first| Some(&**first) == base));
                if segments.get(at).is_some_and(|segment| is_version(segment)) {
                    segments.remove(at);
                }
            }
            self.find(method, &segments, body).or_else(|| {
                let suffix = self.settings.optional_suffix.as_deref()?;
                let last = segments.last_mut()?;
                *last = Cow::Owned(last.strip_suffix(suffix)?.to_owned());
                self.find(method, &segments, body)
            })
        });
        match found {
            Some(endpoint) => Resolved { endpoint, known: true },
            None => Resolved { endpoint: &self.unknown, known: false },
        }
    }

    fn find(
        &self,
        method: &http::Method,
        path: &[Cow<'_, str>],
        body: Option<&Document>,
    ) -> Option<&Endpoint> {
        let candidates = self.by_length.get(path.len()).unwrap_or(&self.open);
        candidates.iter().filter_map(|&index| self.endpoints.get(index)).find(|endpoint| {
            let is_for = match &endpoint.method {
                Some(own) => own == method,
                // A file that says nothing of messages has not thought of them.
                None => *method != *WEBSOCKET,
            };
            let when = &endpoint.entry.when;
            is_for
                && (when.is_empty()
                    || body.is_some_and(|body| when.iter().all(|when| when.holds(body))))
                && match &endpoint.operation {
                    None => endpoint.path.matches(path, self.settings.ignore_path_case),
                    Some(operation) => is_operation(endpoint, operation, path, body),
                }
        })
    }

    /// Whether the headers, query and body say that the text cannot change under a signature (OAuth 1.0a over form or
    /// query, a digest). `query` is the request's query string as a document.
    pub fn signed(
        &self,
        headers: &http::HeaderMap,
        body: &Document,
        query: &Document,
        edits_body: bool,
        edits_query: bool,
    ) -> bool {
        self.settings.signatures.forbid(headers, body, query, edits_body, edits_query)
    }

    /// What else must change when text `text` of `document` is spliced: offsets moved, ranges that were cut dropped.
    /// `other` is the request's other document (the query, or the body): ranges that travel apart from their text cannot
    /// be followed.
    pub fn move_offsets(
        &self,
        spec: &FieldSpec,
        document: &Document,
        other: &Document,
        text: usize,
        splices: &[Splice],
    ) -> Result<Vec<Edit>, CannotRedact> {
        match &spec.offsets {
            Some(offsets) if document.node_of(text).is_none() && offsets.stand_in(other) => {
                Err(CannotRedact::Offsets)
            }
            Some(offsets) => offsets.follow(document, text, splices),
            None => Ok(Vec::new()),
        }
    }

    /// Whether a text that fitted the field's limits before still does.
    pub fn still_fits(&self, spec: &FieldSpec, before: &str, after: &str) -> bool {
        spec.limits.iter().all(|limit| limit.allows(limit.measure(before), limit.measure(after)))
    }

    /// Whether the platform would still take the whole post: texts that must differ do, none that must hold something is
    /// empty, and lengths that count together fit. Called once for
    /// each document that was edited, with the document as it came and as it was written; `in_query` says that it is the
    /// query string. What was wrong before the edits is not our fault and passes.
    pub fn still_valid(
        &self,
        endpoint: &Endpoint,
        in_query: bool,
        before: &Document,
        after: &Document,
    ) -> Result<(), CannotRedact> {
        valid::check(endpoint, in_query, before, after)
    }

    /// What must change in a body that was written, so that records which name each other by hash still do: edits of
    /// `after`. An error where that cannot be known.
    pub fn mend(
        &self,
        endpoint: &Endpoint,
        before: &Document,
        after: &Document,
    ) -> Result<Vec<Edit>, CannotRedact> {
        endpoint.entry.bound.map_or_else(|| Ok(Vec::new()), |bound| bound.mend(before, after))
    }

    /// The answer of a post that is not sent on, or whose platform did not answer.
    pub fn answer(
        &self,
        endpoint: &Endpoint,
        reason: Reason,
        sentence: &str,
        reference: &str,
    ) -> Answer {
        endpoint.entry.answer.as_ref().unwrap_or(&self.answer).fill(reason, sentence, reference)
    }

    /// The endpoint of this template, which [`Self::resolve`] gave before; the unknown one for any other. A GraphQL
    /// endpoint may have been told by its body, so whoever has the body no more must ask so.
    pub fn endpoint(&self, template: &str) -> &Endpoint {
        self.endpoints
            .iter()
            .find(|endpoint| endpoint.template == template)
            .unwrap_or(&self.unknown)
    }

    /// Whether its file says how messages of a WebSocket are read.
    pub fn reads_messages(&self) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.method.as_ref() == Some(&*WEBSOCKET))
    }

    /// The answer to a blocked message of a WebSocket, which may repeat the message's id; empty where the platform has
    /// none, and the socket must be closed.
    pub fn reply(
        &self,
        endpoint: &Endpoint,
        message: Option<&Document>,
        (reason, sentence): (Reason, &str),
        reference: &str,
    ) -> Answer {
        match endpoint.entry.reply.as_ref().or(self.reply.as_ref()) {
            Some(reply) => {
                let id = Some(reply.id_of(message));
                reply.template.fill_for(reason, sentence, reference, id)
            }
            None => Answer {
                status: http::StatusCode::OK,
                content_type: String::new(),
                body: Vec::new(),
                status_line: None,
            },
        }
    }

    /// Rewrites the JSON answer of an endpoint whose file says so (Bluesky's `didDoc`); `None` leaves it as it is. The
    /// body is the decoded one: ask the upstream for `Accept-Encoding: identity`, or undo the coding first. An answer that
    /// cannot be read is an error, and must not pass.
    pub fn rewrite_answer(
        &self,
        endpoint: &Endpoint,
        body: &[u8],
        limits: &Limits,
    ) -> Result<Option<Vec<u8>>, Unreadable> {
        endpoint.entry.rewrite.map_or(Ok(None), |rewrite| rewrite.apply(body, limits))
    }

    /// Whether answers of this endpoint are rewritten, and so must be read whole.
    pub fn rewrites_answers(&self, endpoint: &Endpoint) -> bool {
        endpoint.entry.rewrite.is_some()
    }
}

fn indexes(endpoints: &[Endpoint], fits: impl Fn(&Endpoint) -> bool) -> Vec<usize> {
    endpoints
        .iter()
        .enumerate()
        .filter(|(_, endpoint)| fits(endpoint))
        .map(|(index, _)| index)
        .collect()
}

/// Whether a request under a GraphQL path is for this operation: by the last segment, or by its body.
fn is_operation(
    endpoint: &Endpoint,
    operation: &str,
    path: &[Cow<'_, str>],
    body: Option<&Document>,
) -> bool {
    let Some((base, tail)) = path.split_at_checked(endpoint.path.len()) else { return false };
    if !endpoint.path.matches(base, false) {
        return false;
    }
    match tail.last() {
        Some(last) => last == operation,
        None => body.is_some_and(|body| names_operation(body, operation)),
    }
}

/// Whether the body names this operation, and no other.
fn names_operation(body: &Document, operation: &str) -> bool {
    let mut names = body.texts().iter().filter(|text| {
        matches!((&text.path.steps()[..], text.role), ([Step::Key(key)], Role::Value) if OPERATION_FIELDS.contains(&&**key))
    });
    let is_it = |text: &crate::body::Text| text.text.expose() == operation;
    names.next().is_some_and(is_it) && names.all(is_it)
}

impl Platforms {
    /// The shipped platforms.
    pub fn embedded() -> Self {
        let mut platforms = Self::default();
        for (name, text) in EMBEDDED {
            let added = platforms.add(&Source::new(*name, *text));
            debug_assert!(
                added.is_ok(),
                "a shipped platform file is faulty; a test names the fault"
            );
        }
        platforms
    }

    /// The shipped files: name (such as `x.toml`) and text.
    pub fn embedded_files() -> impl Iterator<Item = (&'static str, &'static str)> {
        EMBEDDED.iter().map(|&(name, text)| (name.rsplit('/').next().unwrap_or(name), text))
    }

    /// Adds (or replaces, by name) a platform file.
    pub fn add(&mut self, source: &Arc<Source>) -> Result<(), Vec<Diagnostic>> {
        let platform = file::parse(source)?;
        self.hash.update((source.text.len() as u64).to_be_bytes());
        self.hash.update(&source.text);
        self.by_name.insert(platform.id.clone(), Arc::new(platform));
        Ok(())
    }

    /// SHA-256 over all files in the order in which they were added, in hexadecimal.
    pub fn hash(&self) -> String {
        let hash = self.hash.clone().finalize();
        hash.iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// One platform by its name.
    pub fn get(&self, id: &str) -> Option<&Arc<Platform>> {
        self.by_name.get(id)
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Platform>> {
        self.by_name.values()
    }
}
