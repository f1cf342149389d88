//! Every field that the files of the platforms name, in every kind of body: the words in it are found, redacted
//! and nothing else changes. The files are read here as TOML alone, so that a field which the program reads otherwise
//! than it is written shows.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use jiff::civil::{Date, date};

use crate::body::Document;
use crate::body::Limits;
use crate::inspect::check::{PLATFORMS, SHIPPED};
use crate::inspect::{Fault, Inspection, Request, Verdict};
use crate::platform::{CannotRedact, Platforms};

pub(super) const TODAY: Date = date(2026, 11, 22);
const NETWORKS: [&str; 20] = [
    "discord",
    "matrix",
    "micropub",
    "pinterest",
    "reddit",
    "slack",
    "telegram",
    "tiktok",
    "tumblr",
    "wordpress",
    "youtube",
    "bluesky",
    "facebook",
    "instagram",
    "linkedin",
    "mastodon",
    "misskey",
    "threads",
    "x",
    "activitypub",
];
/// Speaks of care, with a name that its honorific gives away.
const WORDS: &str = "My patient Mr. Castellano coded last night";

/// A kind of body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Json,
    Form,
    Multipart,
    Query,
}

/// One field of one endpoint, as the file writes it.
pub(super) struct Field {
    pub(super) platform: String,
    method: String,
    path: String,
    operation: Option<String>,
    pub(super) template: String,
    escaped: bool,
    pub(super) kinds: Vec<Kind>,
}

fn strings(value: Option<&toml::Value>) -> Vec<String> {
    match value {
        Some(toml::Value::String(string)) => vec![string.clone()],
        Some(toml::Value::Array(list)) => {
            list.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
        }
        _ => Vec::new(),
    }
}

/// Those of the platforms whose posts can be redacted.
fn fields() -> Vec<Field> {
    fields_of(|platform| NETWORKS.contains(&platform))
}

pub(super) fn fields_of(wanted: impl Fn(&str) -> bool) -> Vec<Field> {
    let mut fields = Vec::new();
    for (name, text) in Platforms::embedded_files() {
        let platform = name.trim_end_matches(".toml");
        if !wanted(platform) {
            continue;
        }
        let file: toml::Table = text.parse().unwrap();
        let query_too = file.get("query-as-body").is_some_and(|flag| flag.as_bool() == Some(true));
        for endpoint in file["endpoint"].as_array().unwrap() {
            if !matches!(endpoint["class"].as_str(), Some("post" | "media")) {
                continue;
            }
            let mut templates: Vec<(String, bool)> =
                strings(endpoint.get("words")).into_iter().map(|path| (path, false)).collect();
            for field in
                endpoint.get("field").and_then(|field| field.as_array()).into_iter().flatten()
            {
                let little =
                    field.get("markup").and_then(|it| it.as_str()) == Some("linkedin-little");
                templates.extend(strings(field.get("path")).into_iter().map(|path| (path, little)));
            }
            // Named in the body by a field of its own: its calls are in a table of `platform`.
            if platform == "reddit" && endpoint.get("operation").is_some() {
                continue;
            }
            let method = strings(endpoint.get("method")).remove(0);
            // Messages of a WebSocket have a table of their own.
            if method == "WEBSOCKET" {
                continue;
            }
            for path in strings(endpoint.get("path")) {
                for (template, escaped) in &templates {
                    let kinds = if template.starts_with("query:") {
                        vec![Kind::Query]
                    } else if template.starts_with("[]") {
                        // A list without a name: no form can say that.
                        vec![Kind::Json]
                    } else if query_too {
                        vec![Kind::Json, Kind::Form, Kind::Multipart, Kind::Query]
                    } else {
                        vec![Kind::Json, Kind::Form, Kind::Multipart]
                    };
                    fields.push(Field {
                        platform: platform.to_owned(),
                        method: method.clone(),
                        path: path.clone(),
                        operation: strings(endpoint.get("operation")).into_iter().next(),
                        template: template.clone(),
                        escaped: *escaped,
                        kinds,
                    });
                }
            }
        }
    }
    fields
}

/// The steps of a template, with a key for each that may be any; `[]` is an element.
fn steps(template: &str) -> Vec<String> {
    let template = template.strip_prefix("query:").unwrap_or(template);
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in template.chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    let mut steps = Vec::new();
    for word in words {
        let mut key = word.as_str();
        let mut n_lists = 0;
        while let Some(rest) = key.strip_suffix("[]") {
            key = rest;
            n_lists += 1;
        }
        if !key.is_empty() {
            steps.push(key.replace('*', "k"));
        }
        steps.extend((0..n_lists).map(|_| "[]".to_owned()));
    }
    steps
}

fn json(steps: &[String], words: &str) -> serde_json::Value {
    match steps.split_first() {
        None => serde_json::Value::String(words.to_owned()),
        Some((step, rest)) if step == "[]" => serde_json::Value::Array(vec![json(rest, words)]),
        Some((key, rest)) => serde_json::json!({ key: json(rest, words) }),
    }
}

fn percent(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// `poll[options][]`, as Rails and PHP write names.
fn form_name(steps: &[String]) -> String {
    let (first, rest) = steps.split_first().unwrap();
    let rest =
        rest.iter().map(|step| if step == "[]" { step.clone() } else { format!("[{step}]") });
    std::iter::once(first.clone()).chain(rest).collect()
}

/// Query, content type and body of a call with these words in this field.
pub(super) fn call(
    field: &Field,
    kind: Kind,
    words: &str,
) -> (Option<String>, &'static str, String) {
    let steps = steps(&field.template);
    if let (Some(operation), "facebook") = (&field.operation, field.platform.as_str()) {
        let variables = json(&steps[1..], words).to_string();
        let body =
            format!("fb_api_req_friendly_name={operation}&variables={}", percent(&variables));
        return (None, "application/x-www-form-urlencoded", body);
    }
    let name = form_name(&steps);
    match kind {
        Kind::Json => (None, "application/json", json(&steps, words).to_string()),
        Kind::Form => (
            None,
            "application/x-www-form-urlencoded",
            format!("{}={}", percent(&name), percent(words)),
        ),
        Kind::Query => (Some(format!("{}={}", percent(&name), percent(words))), "", String::new()),
        Kind::Multipart => (
            None,
            "multipart/form-data; boundary=bb",
            format!(
                "--bb\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{words}\r\n--bb--\r\n"
            ),
        ),
    }
}

fn url(field: &Field) -> String {
    let parts = field.path.split('/').map(|part| match part {
        "**" => "inbox",
        _ if part.starts_with('{') => "11",
        _ => part,
    });
    let mut url = parts.collect::<Vec<_>>().join("/");
    if let Some(operation) = field.operation.as_deref().filter(|_| field.platform != "facebook") {
        url = format!("{url}/q/{operation}");
    }
    url
}

pub(super) fn inspect(
    field: &Field,
    (query, content_type, body): &(Option<String>, &'static str, String),
) -> Inspection {
    let mut headers = HeaderMap::new();
    if !content_type.is_empty() {
        headers.append(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    SHIPPED.inspect(&Request {
        platform: PLATFORMS.get(&field.platform).unwrap(),
        method: &Method::from_bytes(field.method.as_bytes()).unwrap(),
        path: &url(field),
        query: query.as_deref(),
        headers: &headers,
        body: &Bytes::copy_from_slice(body.as_bytes()),
        groups: &[],
        reference: "k3f7q2ma",
        mark: None,
        today: TODAY,
    })
}

/// Every text of a call.
fn texts(query: Option<&str>, content_type: &str, body: &str) -> Vec<String> {
    let limits = Limits::default();
    let query = Document::parse_query(query.unwrap_or_default(), &limits).unwrap();
    let body =
        Document::parse(Some(content_type), Bytes::copy_from_slice(body.as_bytes()), &limits)
            .unwrap();
    query.texts().iter().chain(body.texts()).map(|text| text.text.expose().to_owned()).collect()
}

#[test]
fn every_field_is_redacted_in_every_kind_of_body() {
    let alone = SHIPPED.judge_text(WORDS, "generic", &[], None, TODAY);
    let redacted = alone.redacted.unwrap();
    let categories: Vec<_> = alone.findings.iter().map(|(finding, _)| finding.category).collect();
    assert!(!redacted.expose().contains("Castellano") && !categories.is_empty());
    let (mut n_calls, mut faults) = (0, Vec::new());
    for field in fields().iter().filter(|field| !field.template.starts_with("filename:")) {
        for &kind in &field.kinds {
            n_calls += 1;
            let before = call(field, kind, WORDS);
            let inspection = inspect(field, &before);
            let found: Vec<_> = inspection.findings.iter().map(|it| it.category).collect();
            let wanted = if field.escaped {
                redacted.expose().replace('[', "\\[").replace(']', "\\]")
            } else {
                redacted.expose().to_owned()
            };
            let what =
                format!("{} {} {} {kind:?}", field.platform, inspection.endpoint, field.template);
            let outcome = match &inspection.verdict {
                _ if !inspection.known => Err("the endpoint is not known".to_owned()),
                _ if found != categories => Err(format!("found {found:?}")),
                _ if inspection.findings.iter().any(|it| it.field != field.template) => {
                    Err(format!("read as {}", inspection.findings[0].field))
                }
                Verdict::Redact(after) => {
                    let want = call(field, kind, &wanted);
                    let body = after.body.as_ref().map_or(before.2.as_bytes(), |body| body);
                    let query = after.query.as_deref().or(before.0.as_deref());
                    let got = texts(query, before.1, std::str::from_utf8(body).unwrap());
                    if got == texts(want.0.as_deref(), want.1, &want.2) {
                        Ok(())
                    } else {
                        Err(format!("reads {got:?}"))
                    }
                }
                Verdict::Block(_)
                    if field.platform == "activitypub"
                        && inspection.fault == Some(Fault::CannotRedact(CannotRedact::Signed)) =>
                {
                    Ok(())
                }
                other => Err(format!("{} {:?}", other.as_str(), inspection.fault)),
            };
            faults.extend(outcome.err().map(|fault| format!("{what}: {fault}")));
        }
    }
    assert!(n_calls > 700, "{n_calls} calls");
    assert!(faults.is_empty(), "{} of {n_calls}:\n{}", faults.len(), faults.join("\n"));
}

/// A file's name goes with the file, whatever the file is.
#[test]
fn file_names_are_redacted() {
    let mut n_calls = 0;
    for field in fields().iter().filter(|field| field.template.starts_with("filename:")) {
        let body = |name: &str| {
            format!(
                "--bb\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}.txt\"\r\nContent-Type: text/plain\r\n\r\nx\r\n--bb--\r\n"
            )
        };
        let call = (None, "multipart/form-data; boundary=bb", body(WORDS));
        let inspection = inspect(field, &call);
        let Verdict::Redact(after) = &inspection.verdict else {
            panic!("{} {}: {:?}", field.platform, inspection.endpoint, inspection.fault);
        };
        let after = std::str::from_utf8(after.body.as_ref().unwrap()).unwrap();
        assert!(!after.contains("Castellano") && after.contains("[name]"), "{after}");
        n_calls += 1;
    }
    assert!(n_calls > 15, "{n_calls} calls");
}

/// What an edit of a LinkedIn post comes to.
fn commentary(words: &str) -> String {
    let field = Field {
        platform: "linkedin".into(),
        method: "POST".into(),
        path: "/rest/posts".into(),
        operation: None,
        template: "commentary".into(),
        escaped: true,
        kinds: Vec::new(),
    };
    let inspection = inspect(&field, &call(&field, Kind::Json, words));
    let Verdict::Redact(after) = &inspection.verdict else {
        panic!("{words}: {:?}", inspection.fault);
    };
    let after: serde_json::Value = serde_json::from_slice(after.body.as_ref().unwrap()).unwrap();
    after["commentary"].as_str().unwrap().to_owned()
}

/// A reserved character without its backslash ends a post there, without a word: none may be left, and none come.
#[test]
fn little_text_is_read_as_shown_and_written_escaped() {
    for (words, gone, stays) in [
        (
            r"My patient Mr. Castellano, mail anna\_castellano\@clinic.example, coded last night \(sadly\)",
            &["Castellano", "anna", "clinic.example"][..],
            &[r"\[email\]", r"\(sadly\)", "coded last night"][..],
        ),
        (
            r"My patient Mr. @[Umberto Castellano](urn:li:person:a1b2) coded last night {hashtag|\#|ICU}",
            &["Castellano", "urn:li", "@["],
            &[r"\[name\]", r"{hashtag|\#|ICU}"],
        ),
        (
            r"My patient coded \\ call her son at \(415\) 555-0134 \~ now",
            &["555-0134", r"\(415"],
            &[r"\[phone\]", r"coded \\ call", r"\~ now"],
        ),
    ] {
        let after = commentary(words);
        assert!(gone.iter().all(|gone| !after.contains(gone)), "{words} to {after}");
        assert!(stays.iter().all(|stays| after.contains(stays)), "{words} to {after}");
        let mut escaped = false;
        let mut rest = after.replace(r"{hashtag|\#|ICU}", "");
        rest.retain(|c| {
            let bare = "|{}@[]()<>#*_~".contains(c) && !escaped;
            escaped = c == '\\' && !escaped;
            bare
        });
        assert!(rest.is_empty(), "{after} holds a bare {rest}");
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Platform, method, path with its query, content type and body.
type Call = (&'static str, &'static str, &'static str, &'static str, &'static str);

const CALLS: &[Call] = &[
    (
        "instagram",
        "POST",
        "/api/v1/media/configure/",
        FORM,
        r#"signed_body=SIGNATURE.{"caption":WORDS,"upload_id":"17","device_id":"android-1"}"#,
    ),
    (
        "instagram",
        "POST",
        "/v25.0/178414/media",
        FORM,
        "image_url=https%3A%2F%2Fa.example%2Fb.png&caption=PLAIN&access_token=EAAB",
    ),
    (
        "threads",
        "POST",
        "/v1.0/me/threads",
        FORM,
        r#"media_type=TEXT&text=Ward+news&text_attachment={"plaintext":WORDS}"#,
    ),
    (
        "threads",
        "POST",
        "/v1.0/me/threads",
        FORM,
        r#"media_type=TEXT&text=Vote&poll_attachment={"option_a":WORDS,"option_b":"no"}"#,
    ),
    (
        "facebook",
        "POST",
        "/api/graphql/",
        FORM,
        r#"fb_dtsg=NAcN&doc_id=61&fb_api_req_friendly_name=ComposerStoryCreateMutation&variables={"input":{"message":{"ranges":[],"text":WORDS},"actor_id":"1000"}}"#,
    ),
    (
        "facebook",
        "POST",
        "/v25.0/me/feed",
        FORM,
        "message=PLAIN&link=https%3A%2F%2Fa.example&access_token=EAAB",
    ),
    (
        "x",
        "POST",
        "/v2/cards/create.json",
        FORM,
        r#"card_data={"twitter:card":"poll2choice_text_only","twitter:string:choice1_label":WORDS,"twitter:string:choice2_label":"no"}"#,
    ),
    (
        "x",
        "POST",
        "/i/api/graphql/abc/CreateTweet",
        JSON,
        r#"{"variables":{"tweet_text":WORDS,"dark_request":false,"media":{"media_entities":[],"possibly_sensitive":false}},"features":{"a":true},"queryId":"abc"}"#,
    ),
    (
        "linkedin",
        "POST",
        "/voyager/api/graphql?action=execute&queryId=voyagerContentcreationDashShares.a1",
        JSON,
        r#"{"variables":{"post":{"origin":"FEED","commentary":{"text":WORDS,"attributesV2":[]}}},"queryId":"voyagerContentcreationDashShares.a1"}"#,
    ),
    (
        "linkedin",
        "POST",
        "/v2/ugcPosts",
        JSON,
        r#"{"author":"urn:li:person:a1","lifecycleState":"PUBLISHED","specificContent":{"com.linkedin.ugc.ShareContent":{"shareCommentary":{"text":WORDS},"shareMediaCategory":"NONE"}},"visibility":{"com.linkedin.ugc.MemberNetworkVisibility":"PUBLIC"}}"#,
    ),
    (
        "misskey",
        "POST",
        "/api/notes/create",
        JSON,
        r#"{"i":"a1b2c3d4e5f6","text":WORDS,"visibility":"public","localOnly":false,"poll":null}"#,
    ),
    ("mastodon", "POST", "/api/v1/statuses/11", FORM, "_method=put&status=PLAIN&media_ids[]=7"),
    (
        "bluesky",
        "POST",
        "/xrpc/com.atproto.repo.createRecord",
        JSON,
        r#"{"repo":"did:plc:ward5","collection":"com.whtwnd.blog.entry","record":{"$type":"com.whtwnd.blog.entry","content":WORDS,"createdAt":"2026-11-22T10:00:00.000Z","endsAt":"2026-11-23T10:00:00.000Z","visibility":"public","ref":"at://did:plc:ward5/app.bsky.feed.post/3k"}}"#,
    ),
    (
        "bluesky",
        "POST",
        "/xrpc/chat.bsky.convo.sendMessage",
        JSON,
        r#"{"convoId":"3k","message":{"text":WORDS}}"#,
    ),
];

/// Calls as clients send them, with ids and flags about the words; `WORDS` stands for these, in the body's own spelling.
#[test]
fn calls_of_stock_clients_are_redacted() {
    let redacted = |words: &str| {
        SHIPPED.judge_text(words, "generic", &[], None, TODAY).redacted.unwrap().expose().to_owned()
    };
    let after_words = redacted(WORDS);
    for &(platform, method, path, content_type, body) in CALLS {
        let written = |words: &str| {
            let json = serde_json::to_string(words).unwrap();
            let body = body.replace("WORDS", &json).replace("PLAIN", words);
            if content_type == JSON {
                return body;
            }
            let field = |field: &str| match field.split_once('=') {
                Some((name, value)) if !value.contains('%') && !value.contains('+') => {
                    format!("{name}={}", percent(value))
                }
                _ => field.to_owned(),
            };
            body.split('&').map(field).collect::<Vec<_>>().join("&")
        };
        let (path, query) =
            path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let field = Field {
            platform: platform.into(),
            method: method.into(),
            path: path.into(),
            operation: None,
            template: String::new(),
            escaped: false,
            kinds: Vec::new(),
        };
        let inspection = inspect(&field, &(query.map(str::to_owned), content_type, written(WORDS)));
        let Verdict::Redact(after) = &inspection.verdict else {
            panic!("{platform} {path} is {}: {:?}", inspection.endpoint, inspection.fault);
        };
        let got = std::str::from_utf8(after.body.as_ref().unwrap()).unwrap();
        assert_eq!(
            texts(None, content_type, got),
            texts(None, content_type, &written(&after_words)),
            "{platform} {path}"
        );
    }
}
