//! Decides on one post.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, Method};
use jiff::civil::Date;

use crate::body::encoding::Codings;
use crate::body::{Codes, Document, Kind, Limits, Role, Unreadable};
use crate::detect::{Engine, Finding, Piece};
use crate::inspect::again::Known;
use crate::inspect::collect::{self, Field};
use crate::inspect::edits::{self, Judged, Listed};
use crate::inspect::faulty::Rehearsal;
use crate::inspect::files::{self, Files};
use crate::inspect::outward;
use crate::inspect::rewrite::{self, Documents};
use crate::inspect::shadow::Shadow;
use crate::inspect::whole::Whole;
use crate::inspect::{Coverage, Fault, Inspection, JudgedFinding, Redacted, Verdict};
use crate::media::{self, InPlace};
use crate::platform::{
    Answer, CannotRedact, Class, Endpoint, FieldClass, Place, Platform, Reason, Resolved, WEBSOCKET,
};
use crate::policy::{Action, Judgement, MediaAction, Mode, OnFault, Policy, Question, Refused};
use crate::rules::Category;

/// One request, read whole.
pub struct Request<'a> {
    /// The platform its route names.
    pub platform: &'a Platform,
    /// The method.
    pub method: &'a Method,
    /// The raw path, still percent-encoded.
    pub path: &'a str,
    /// The raw query, without `?`.
    pub query: Option<&'a str>,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body as it came, still encoded.
    pub body: &'a Bytes,
    /// The groups that the client proves to be in.
    pub groups: &'a [String],
    /// The reference for the client's sentence and the event: 8 base32 characters, drawn by the caller.
    pub reference: &'a str,
    /// What stands in the body in place of the long runs of media that the caller holds elsewhere, if it does. Such media
    /// is whole there, and not here.
    pub mark: Option<&'a [u8]>,
    /// Today, UTC.
    pub today: Date,
}

/// Prints nothing that a client sent: paths, queries, headers and bodies hold tokens and texts.
impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("platform", &self.platform.id())
            .field("n_body", &self.body.len())
            .field("reference", &self.reference)
            .finish_non_exhaustive()
    }
}

/// Rules and policy together: one immutable set that a request is pinned to.
#[derive(Debug)]
pub struct Inspector {
    engine: Arc<Engine>,
    policy: Arc<Policy>,
    limits: Limits,
    rehearsal: Option<Rehearsal>,
    /// Asked, and never obeyed.
    shadow: Option<Arc<Policy>>,
}

impl Inspector {
    /// Puts the parts together.
    pub fn new(engine: Arc<Engine>, policy: Arc<Policy>, mut limits: Limits) -> Self {
        limits.documents = policy.documents();
        Self { engine, policy, limits, rehearsal: None, shadow: None }
    }

    /// The same, with something that goes wrong in the middle of each inspection. No file and no command leads here: it is
    /// for rehearsing what a fault of ours does. What is called is told nothing and answers nothing, so all it can do to a
    /// verdict is to keep it from being reached.
    #[must_use]
    pub fn rehearsing(self, fault: impl Fn() + Send + Sync + 'static) -> Self {
        Self { rehearsal: Some(Rehearsal::new(fault)), ..self }
    }

    /// The same, with another policy that is asked about every finding and whose answers are recorded alone.
    #[must_use]
    pub fn shadowed(self, by: Arc<Policy>) -> Self {
        Self { shadow: Some(by), ..self }
    }

    /// The policy that is asked and not obeyed.
    pub fn shadow(&self) -> Option<&Arc<Policy>> {
        self.shadow.as_ref()
    }

    /// The policy in force.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// The engine in force.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Limits on bodies.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Decides on one request.
    pub fn inspect(&self, request: &Request<'_>) -> Inspection {
        // What a damaged roster does not find may be there all the same. One that was replaced meanwhile is asked, too: it
        // may have answered.
        let people = self.engine.roster().map(|live| live.now());
        let is_damaged = || people.as_ref().is_some_and(|people| people.is_damaged());
        if is_damaged() {
            return self.failed(request);
        }
        let inspection = match self.read(request) {
            Ok(inspection) => inspection,
            Err(why) => self.unreadable(request, why),
        };
        if is_damaged() || self.engine.is_damaged() { self.failed(request) } else { inspection }
    }

    /// How media is stripped that streams through and begins like this; `None` where it goes as it is. `Err` is the verdict
    /// where that cannot be done.
    pub fn stream(
        &self,
        request: &Request<'_>,
        start: &[u8],
    ) -> Result<Option<InPlace>, Box<Inspection>> {
        let is_stripped = self.policy.media(request.platform.id()) == MediaAction::StripMetadata;
        if !is_stripped || media::is_only_document(start) {
            return Ok(None);
        }
        let why = if files::is_part_of_a_file(request.headers) {
            if self.policy.pieces() {
                return Ok(None);
            }
            Unreadable::Piece
        } else {
            match InPlace::for_start(start) {
                Some(film) if !self.is_sealed(request) => return Ok(Some(film)),
                Some(_) => {
                    let fault = Fault::CannotRedact(CannotRedact::Signed);
                    return Err(Box::new(self.faulty(
                        request,
                        fault,
                        self.policy.on_cannot_redact(),
                    )));
                }
                None => Unreadable::Media,
            }
        };
        Err(Box::new(self.unreadable(request, why)))
    }

    /// Whether the files of a body whose long runs are held elsewhere are stripped there, and then whether pieces of files
    /// may pass; `None` where they go as they are. `Err` is the verdict where a signature keeps them from being edited.
    pub fn spooled(&self, request: &Request<'_>) -> Result<Option<bool>, Box<Inspection>> {
        if self.policy.media(request.platform.id()) != MediaAction::StripMetadata {
            return Ok(None);
        }
        if self.is_sealed(request) {
            let fault = Fault::CannotRedact(CannotRedact::Signed);
            return Err(Box::new(self.faulty(request, fault, self.policy.on_cannot_redact())));
        }
        Ok(Some(self.policy.pieces()))
    }

    /// Whether a signature in the headers is over the body.
    fn is_sealed(&self, request: &Request<'_>) -> bool {
        let parse = |query| Document::parse_query(query, &self.limits);
        let (Ok(body), Ok(query)) = (parse(""), parse(request.query.unwrap_or_default())) else {
            return true;
        };
        request.platform.signed(request.headers, &body, &query, true, false)
    }

    /// The verdict on raw media that streams through unread: the policy's word for this platform.
    pub fn media(&self, request: &Request<'_>) -> Inspection {
        let resolved = resolve(request, None);
        let mut inspection = self.blank(request, resolved);
        inspection.unjudged_media = true;
        if self.policy.media(request.platform.id()) == MediaAction::Block {
            inspection.verdict = self.refusal(request, resolved, Refused::Media);
        }
        inspection
    }

    /// Reads everything, finds, judges, rewrites.
    fn read(&self, request: &Request<'_>) -> Result<Inspection, Unreadable> {
        let early = resolve(request, None);
        if early.known && early.endpoint.class() == Class::Telemetry {
            return Ok(self.blank(request, early));
        }
        let codings =
            Codings::parse(single(request.headers, &CONTENT_ENCODING)?.unwrap_or_default())?;
        let content_type = single(request.headers, &CONTENT_TYPE)?;
        let decoded = if codings.is_identity() {
            request.body.clone()
        } else {
            codings.decode(request.body, &self.limits)?
        };
        let body = Document::parse(content_type, decoded, &self.limits)?;
        let query = Document::parse_query(request.query.unwrap_or_default(), &self.limits)?;
        let resolved = resolve(request, Some(&body));
        if resolved.known && resolved.endpoint.class() == Class::Sealed {
            return Err(Unreadable::Encrypted);
        }
        if body.kind() == Kind::Media && resolved.endpoint.class() != Class::Media {
            return Err(Unreadable::UnknownKind);
        }
        if body.holds_unknown_files() && resolved.endpoint.class() != Class::Media {
            return Err(Unreadable::UnknownKind);
        }
        let is_opaque = |path| {
            let field = resolved.endpoint.classify(Place::Part, path, Role::Value);
            matches!(field, FieldClass::Opaque(_))
        };
        if !body.unread_fields().all(is_opaque) {
            return Err(Unreadable::Charset);
        }
        if body.holds_media() {
            let media = self.media(request);
            if matches!(media.verdict, Verdict::Block(_)) {
                return Ok(media);
            }
        }

        let files = files::look(request, (&body, &query), resolved.endpoint, &self.policy)?;
        let mut fields = Vec::with_capacity(16);
        let codes = Codes::default();
        collect::of_document((&body, &query), false, resolved.endpoint, &codes, &mut fields);
        collect::of_document((&query, &body), true, resolved.endpoint, &codes, &mut fields);
        if !(resolved.known && matches!(resolved.endpoint.class(), Class::SignIn | Class::Pass)) {
            collect::of_path(request.path, resolved.endpoint, &codes, &mut fields);
        }
        collect::of_headers(request.headers, &codes, &mut fields);
        codes.finish()?;
        collect::of_files(&files.captions, &mut fields);

        let mut inspection = self.blank(request, resolved);
        inspection.unjudged_media = body.holds_media();
        if let Some(rehearsal) = &self.rehearsal {
            rehearsal.run();
        }
        let documents = Documents { body: &body, query: &query, codings: &codings, content_type };
        let judged = self.judge(request, &documents, &fields, &mut inspection);
        self.decide(request, resolved, (&documents, &files), &judged, &mut inspection);
        Ok(inspection)
    }

    /// Finds and judges; fills the findings of the inspection.
    fn judge<'f>(
        &self,
        request: &Request<'_>,
        documents: &Documents<'_>,
        fields: &'f [Field<'f>],
        inspection: &mut Inspection,
    ) -> Vec<Judged<'f>> {
        let pieces: Vec<Piece<'_>> = fields
            .iter()
            .map(|field| Piece {
                text: if field.is_again { "" } else { &field.text },
                label: field.label.as_deref(),
            })
            .collect();
        let scan = self.engine.scan(&pieces, request.today);
        let whole = Whole::of(fields);
        let together = whole.as_ref().map(|whole| {
            let piece = [Piece { text: whole.text(), label: None }];
            (whole, self.engine.scan(&piece, request.today))
        });
        let of_whole = together.as_ref().is_some_and(|(_, scan)| scan.care.speaks_of_care);
        let care = scan.care.speaks_of_care || of_whole;
        inspection.care = scan.care.score;
        let shadow = Shadow::new(self.shadow.as_deref());
        let judge = |field: &Field<'_>, finding: Finding, care: bool| {
            let question = Question {
                finding: &finding,
                words: finding.span.of(&field.text).unwrap_or_default(),
                care,
                platform: request.platform.id(),
                groups: request.groups,
                field: field.words.map(|spec| spec.template.as_str()),
                today: request.today,
            };
            let judgement = self.policy.judge(&question);
            shadow.see(field.text.as_ptr().addr(), &question, &judgement);
            (finding, judgement)
        };
        let mut found: Vec<Vec<(Finding, Judgement)>> = Vec::with_capacity(fields.len());
        let held = fields.iter().zip(&scan.findings).filter(|(field, _)| !field.seen.is_empty());
        let held = held.flat_map(|(field, it)| it.iter().map(move |it| (field, it.span)));
        let mut outside = outward::spans(documents, held).into_iter();
        for (field, findings) in fields.iter().zip(scan.findings) {
            let counts = |finding: &Finding| {
                let outside = if field.seen.is_empty() { None } else { outside.next().flatten() };
                finding.standalone || field.counts(outside.unwrap_or(finding.span).start())
            };
            let counted = findings.into_iter().filter(counts);
            found.push(counted.map(|finding| judge(field, finding, care)).collect());
        }
        if let Some((whole, scan)) = together {
            let parts = scan.findings.iter().flatten().flat_map(|finding| whole.parts(finding));
            let together = parts.filter_map(|(at, part)| {
                fields.get(at).map(|field| (at, judge(field, part, care)))
            });
            let mut more: Vec<_> = together.collect();
            if !care {
                // What others say beside it must not hide what one string says by itself.
                for at in whole.long_lines(fields) {
                    let Some((field, piece)) = fields.get(at).zip(pieces.get(at)) else { continue };
                    let scan = self.engine.scan(std::slice::from_ref(piece), request.today);
                    if scan.care.speaks_of_care {
                        let alone = scan.findings.into_iter().flatten();
                        more.extend(alone.map(|finding| (at, judge(field, finding, true))));
                    }
                }
            }
            add(more, &mut found);
        }
        let mut more = Vec::new();
        let is_any = fields.iter().any(|field| field.is_again);
        let known = if is_any { Known::of(fields, &found) } else { Known::default() };
        for (at, field) in fields.iter().enumerate().filter(|(_, field)| field.is_again) {
            let scan = self.engine.scan(&[Piece { text: &field.text, label: None }], request.today);
            let care = care || scan.care.speaks_of_care;
            let counts = |it: &Finding| it.standalone || field.counts(0);
            let counted = scan.findings.into_iter().flatten().filter(counts);
            let judged = counted.map(|finding| judge(field, finding, care));
            more.extend(judged.filter(|it| !known.holds(field, it)).map(|it| (at, it)));
        }
        add(more, &mut found);
        inspection.shadow = shadow.told();
        list(documents, fields, found, inspection)
    }

    /// The verdict: the strictest action over all findings.
    fn decide(
        &self,
        request: &Request<'_>,
        resolved: Resolved<'_>,
        (documents, files): (&Documents<'_>, &Files),
        judged: &[Judged<'_>],
        inspection: &mut Inspection,
    ) {
        let strictest = inspection.findings.iter().map(|finding| finding.action).max();
        match strictest {
            None | Some(Action::Log) if files.edits.is_empty() => {}
            Some(Action::Block) => {
                inspection.verdict = self.block(request, resolved, documents.body, inspection);
            }
            _ => match self.redact(request, resolved, (documents, files), judged) {
                Ok((redacted, stripped)) => {
                    inspection.metadata_stripped = stripped;
                    inspection.verdict = Verdict::Redact(redacted);
                }
                Err(why) => {
                    inspection.fault = Some(Fault::CannotRedact(why));
                    if self.policy.on_cannot_redact() == OnFault::Block {
                        // Where nothing was found, it is the metadata of a file that cannot be taken out.
                        inspection.verdict = if strictest == Some(Action::Redact) {
                            self.block(request, resolved, documents.body, inspection)
                        } else {
                            self.refusal(request, resolved, Refused::Unstripped)
                        };
                    }
                }
            },
        }
    }

    fn redact(
        &self,
        request: &Request<'_>,
        resolved: Resolved<'_>,
        (documents, files): (&Documents<'_>, &Files),
        judged: &[Judged<'_>],
    ) -> Result<(Redacted, bool), CannotRedact> {
        let edits = edits::gather(judged, &self.policy, documents)?;
        let files = files.without_found(documents.body, judged)?;
        let endpoint = resolved.endpoint;
        let redacted =
            rewrite::rewrite(request, endpoint, documents, &edits, &files, &self.limits)?;
        Ok((redacted, !files.is_empty()))
    }

    fn block(
        &self,
        request: &Request<'_>,
        resolved: Resolved<'_>,
        body: &Document,
        inspection: &Inspection,
    ) -> Verdict {
        let acted_on = inspection.findings.iter().filter(|finding| finding.action > Action::Log);
        // What decided stands first: a short sentence may not name them all.
        let mut kinds: Vec<(Reverse<Action>, Category)> =
            acted_on.map(|finding| (Reverse(finding.action), finding.category)).collect();
        kinds.sort_unstable();
        let kinds: Vec<Category> = kinds.into_iter().map(|(_, kind)| kind).collect();
        let sentence = self.policy.sentence(&kinds, request.reference);
        let reason = Reason::Findings;
        Verdict::Block(answer(request, resolved.endpoint, Some(body), (reason, &sentence)))
    }

    pub(super) fn blank(&self, request: &Request<'_>, resolved: Resolved<'_>) -> Inspection {
        Inspection {
            verdict: Verdict::Forward,
            enforced: self.policy.mode() == Mode::Enforce,
            is_post: is_post(request, resolved),
            endpoint: resolved.endpoint.template().to_owned(),
            known: resolved.known,
            coverage: coverage(request, resolved),
            findings: Vec::new(),
            fault: None,
            unjudged_media: false,
            metadata_stripped: false,
            care: 0.0,
            shadow: None,
            reference: request.reference.to_owned(),
        }
    }
}

/// Adds what other readings of a field found and the first did not, or what they judge more strictly.
fn add(more: Vec<(usize, (Finding, Judgement))>, found: &mut [Vec<(Finding, Judgement)>]) {
    if more.is_empty() {
        return;
    }
    let mut known = Listed::default();
    for (at, found) in found.iter().enumerate() {
        for (finding, judgement) in found {
            known.list((false, at, finding.category), finding.span, judgement.action);
        }
    }
    let mut touched = BTreeSet::new();
    for (at, (finding, judgement)) in more {
        let Some(found) = found.get_mut(at) else { continue };
        if known.list((false, at, finding.category), finding.span, judgement.action) {
            found.push((finding, judgement));
            touched.insert(at);
        }
    }
    for at in touched {
        let Some(found) = found.get_mut(at) else { continue };
        found.sort_by_key(|(it, judged)| (it.span, it.category, Reverse(judged.action)));
        found
            .dedup_by(|(later, _), (it, _)| (later.span, later.category) == (it.span, it.category));
    }
}

/// Lists the findings of each field in the inspection, each once.
fn list<'f>(
    documents: &Documents<'_>,
    fields: &'f [Field<'f>],
    found: Vec<Vec<(Finding, Judgement)>>,
    inspection: &mut Inspection,
) -> Vec<Judged<'f>> {
    let mut judged = Vec::new();
    let mut listed = Listed::default();
    let spans = fields.iter().zip(&found).filter(|(field, _)| field.within.is_some());
    let spans = spans.flat_map(|(field, it)| it.iter().map(move |(it, _)| (field, it.span)));
    let mut outside = outward::spans(documents, spans).into_iter();
    for (field, findings) in fields.iter().zip(found) {
        for (finding, judgement) in &findings {
            let outside = field.within.and_then(|_| outside.next().flatten());
            if listed.is_new(documents, field, finding, outside, judgement.action) {
                inspection.findings.push(JudgedFinding {
                    rule: finding.rule.clone(),
                    category: finding.category,
                    field: field.name(),
                    length: finding.span.len(),
                    confidence: finding.confidence,
                    action: judgement.action,
                    by: judgement.by.clone(),
                });
            }
        }
        if !findings.is_empty() {
            judged.push(Judged { field, findings });
        }
    }
    judged
}

/// The answer to a blocked request, or to a blocked message of a `WebSocket`.
pub(super) fn answer(
    request: &Request<'_>,
    endpoint: &Endpoint,
    message: Option<&Document>,
    (reason, sentence): (Reason, &str),
) -> Answer {
    if *request.method == *WEBSOCKET {
        return request.platform.reply(endpoint, message, (reason, sentence), request.reference);
    }
    request.platform.answer(endpoint, reason, sentence, request.reference)
}

/// The endpoint of a request. A server may believe the method that a header names in place of the request's own: where
/// either of the two publishes, that is what counts.
pub(super) fn resolve<'p>(request: &Request<'p>, body: Option<&Document>) -> Resolved<'p> {
    let by = |method: &Method| {
        request.platform.resolve_with_query(method, request.path, request.query, body)
    };
    let publishes = |resolved: &Resolved<'_>| {
        resolved.known && matches!(resolved.endpoint.class(), Class::Post | Class::Media)
    };
    let own = by(request.method);
    if publishes(&own) {
        return own;
    }
    overriding(request.headers).map(|method| by(&method)).find(publishes).unwrap_or(own)
}

/// The methods that headers name in place of the request's own.
fn overriding(headers: &HeaderMap) -> impl Iterator<Item = Method> {
    const NAMES: &[&str] = &["x-http-method-override", "x-http-method", "x-method-override"];
    let values = NAMES.iter().flat_map(|name| headers.get_all(*name));
    let named =
        |value: &http::HeaderValue| Method::from_bytes(&value.as_bytes().to_ascii_uppercase()).ok();
    // A request cannot be a message of a WebSocket, whatever it says.
    values.filter_map(named).filter(|method| *method != *WEBSOCKET)
}

/// A request is a post if it has a body, or its method changes something, or its endpoint says so (some platforms
/// publish by GET).
///
/// A message of a WebSocket is one unless the platform's file says that its like publishes nothing.
fn is_post(request: &Request<'_>, resolved: Resolved<'_>) -> bool {
    if *request.method == *WEBSOCKET {
        let class = resolved.endpoint.class();
        return !resolved.known || matches!(class, Class::Post | Class::Media | Class::Sealed);
    }
    !request.body.is_empty()
        || !matches!(*request.method, Method::GET | Method::HEAD | Method::OPTIONS)
        || overriding(request.headers).next().is_some()
        || (resolved.known && matches!(resolved.endpoint.class(), Class::Post | Class::Media))
}

/// Whether what a request publishes was read by its platform's file. What has neither body nor query has nothing that
/// a file could name.
fn coverage(request: &Request<'_>, resolved: Resolved<'_>) -> Coverage {
    let carries = !request.body.is_empty() || request.query.is_some_and(|query| !query.is_empty());
    if !resolved.known && carries && is_post(request, resolved) {
        Coverage::Generic
    } else {
        Coverage::Understood
    }
}

/// The one value of a header that decides how a body is read; two that differ, or one that is no text, and nobody can
/// say how the platform will read it.
fn single<'a>(
    headers: &'a HeaderMap,
    name: &http::HeaderName,
) -> Result<Option<&'a str>, Unreadable> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.any(|other| other != first) {
        return Err(Unreadable::UnknownKind);
    }
    first.to_str().map(Some).map_err(|_| Unreadable::UnknownKind)
}
