use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::civil::{Date, date};
use proptest::prelude::*;

use crate::body::encoding::Codings;
use crate::body::{Limits, Unreadable};
use crate::inspect::check::{PLATFORMS, SHIPPED, inspector};
use crate::inspect::{Fault, Inspection, Inspector, Request, Verdict};
use crate::platform::CannotRedact;
use crate::policy::Policy;

const TODAY: Date = date(2026, 11, 22);
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
/// A post that speaks of care, with a name that its honorific gives away.
const NAMED: &str = "My patient Mr. Castellano coded in room 412 last night";
const SSN: &str = "pt ssn 078-05-1120 please update the chart";

/// The shipped policy, but that media passes as it is. Where metadata is taken out, a text that claims to be media is refused
/// as a file that cannot be taken apart; here what it holds must be read.
pub(super) static ALLOWING: LazyLock<Inspector> = LazyLock::new(|| {
    inspector(&Policy::embedded().replace("default = \"strip-metadata\"", "default = \"allow\""))
});

type Headers<'a> = &'a [(&'static str, &'a str)];

struct Case<'a> {
    platform: &'a str,
    method: Method,
    path: &'a str,
    query: Option<&'a str>,
    headers: Headers<'a>,
    body: Bytes,
}

impl<'a> Case<'a> {
    fn post(
        platform: &'a str,
        path: &'a str,
        content_type: &'a str,
        body: impl Into<Bytes>,
    ) -> Self {
        let headers: &'static [(&'static str, &'static str)] = match content_type {
            JSON => &[("content-type", JSON)],
            FORM => &[("content-type", FORM)],
            _ => &[],
        };
        Self { platform, method: Method::POST, path, query: None, headers, body: body.into() }
    }

    fn toot(body: impl Into<Bytes>) -> Self {
        Self::post("mastodon", "/api/v1/statuses", JSON, body)
    }

    fn run(&self, inspector: &Inspector) -> Inspection {
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        inspector.inspect(&Request {
            platform: PLATFORMS.get(self.platform).expect("a platform"),
            method: &self.method,
            path: self.path,
            query: self.query,
            headers: &headers,
            body: &self.body,
            groups: &[],
            reference: "k3f7q2ma",
            mark: None,
            today: TODAY,
        })
    }

    fn shipped(&self) -> Inspection {
        self.run(&SHIPPED)
    }
}

fn status(text: &str) -> String {
    serde_json::json!({ "status": text, "visibility": "public", "media_ids": [] }).to_string()
}

fn redacted_body(inspection: &Inspection) -> String {
    match &inspection.verdict {
        Verdict::Redact(redacted) => {
            String::from_utf8(redacted.body.clone().expect("a body").to_vec()).unwrap()
        }
        other => panic!("{} {:?}", other.as_str(), inspection.fault),
    }
}

fn answer(inspection: &Inspection) -> String {
    match &inspection.verdict {
        Verdict::Block(answer) => String::from_utf8(answer.body.clone()).unwrap(),
        other => panic!("{} {:?}", other.as_str(), inspection.fault),
    }
}

#[test]
fn an_ordinary_post_goes_on_untouched() {
    let inspection =
        Case::toot(status("Flu clinic opens Monday, free shots for all staff!")).shipped();
    assert_eq!(inspection.verdict, Verdict::Forward);
    assert!(inspection.is_post && inspection.known && inspection.fault.is_none());
}

#[test]
fn a_number_is_blocked_in_the_platforms_own_shape() {
    let inspection = Case::toot(status(SSN)).shipped();
    let body: serde_json::Value = serde_json::from_str(&answer(&inspection)).unwrap();
    let sentence = body["error"].as_str().unwrap();
    assert!(
        sentence.contains("a social security number") && sentence.contains("k3f7q2ma"),
        "{sentence}"
    );
    assert!(!sentence.contains("078"));
}

#[test]
fn a_name_is_redacted_in_place() {
    let body = format!(r#"{{"status" : "{NAMED}", "n": 1e400, "status2": "\u00e9\/"}}"#);
    let after = redacted_body(&Case::toot(body).shipped());
    assert!(!after.contains("Castellano"), "{after}");
    assert!(after.starts_with(r#"{"status" : "My patient Mr. ["#), "{after}");
    assert!(after.ends_with(r#"", "n": 1e400, "status2": "\u00e9\/"}"#), "{after}");
}

#[test]
fn later_pieces_of_a_text_are_refused_as_those_of_a_film_are() {
    let piece = Some(Fault::Unreadable(Unreadable::Piece));
    for (n, want) in [("0", None), ("1", piece), ("x", piece)] {
        let body = format!("command=APPEND&media_id=1&segment_index={n}&media_data=good+night");
        let case = Case::post("x", "/1.1/media/upload.json", FORM, body);
        assert_eq!(case.shipped().fault, want, "{n}");
        let query = format!("command=APPEND&media_id=1&segment_index={n}");
        let mut case = Case::post("x", "/1.1/media/upload.json", FORM, "media_data=good+night");
        case.query = Some(&query);
        assert_eq!(case.shipped().fault, want, "{n}");
    }
    for (range, want) in [("bytes 0-9/10", None), ("bytes 10-19/20", piece)] {
        let headers = [("content-type", "text/plain"), ("content-range", range)];
        let case = Case::post("bluesky", "/xrpc/com.atproto.repo.uploadBlob", "", "good night");
        let inspection = Case { headers: Box::leak(Box::new(headers)), ..case }.shipped();
        assert_eq!(inspection.fault, want, "{range}");
    }
}

#[test]
fn every_duplicate_is_read_and_edited() {
    let body = format!(r#"{{"status":"{NAMED}","status":"good night"}}"#);
    assert!(!redacted_body(&Case::toot(body).shipped()).contains("Castellano"));
    let body = format!(r#"{{"status":"good night","status":"{SSN}"}}"#);
    assert!(matches!(Case::toot(body).shipped().verdict, Verdict::Block(_)));
    let form = "status=good+night&status=My+patient+Mr.+Castellano+coded+in+room+412";
    let after = redacted_body(&Case::post("mastodon", "/api/v1/statuses", FORM, form).shipped());
    assert!(after.starts_with("status=good+night&status=My+patient+Mr.+"), "{after}");
    assert!(!after.contains("Castellano"));
}

#[test]
fn the_query_is_read_like_the_body() {
    let mut case = Case::toot(status("good night"));
    case.query = Some("status=My%20patient%20Mr.%20Castellano%20coded%20in%20room%20412");
    match case.shipped().verdict {
        Verdict::Redact(redacted) => {
            assert!(redacted.body.is_none());
            assert!(!redacted.query.unwrap().contains("Castellano"));
        }
        other => panic!("{}", other.as_str()),
    }
    case.query = Some("note=pt+ssn+078-05-1120");
    assert!(matches!(case.shipped().verdict, Verdict::Block(_)));
}

#[test]
fn a_field_nobody_named_is_read_and_never_edited() {
    let body = serde_json::json!({ "status": "good night", "client_note": NAMED }).to_string();
    let inspection = Case::toot(body).shipped();
    assert_eq!(inspection.fault, Some(Fault::CannotRedact(CannotRedact::NotEditable)));
    assert!(matches!(inspection.verdict, Verdict::Block(_)));
    assert!(
        inspection.findings.iter().all(|finding| finding.field.starts_with('#')),
        "{:?}",
        inspection.findings
    );
}

#[test]
fn a_label_in_the_key_counts() {
    for body in
        [r#"{"mrn":"00441187"}"#, r#"{"mrn":44118712}"#, r#"{"patient":{"ssn":"078051120"}}"#]
    {
        let inspection = Case::post("generic", "/v1/notes", JSON, body).shipped();
        assert!(matches!(inspection.verdict, Verdict::Block(_)), "{body}");
    }
}

#[test]
fn a_key_under_a_named_wildcard_counts() {
    for (platform, path, body) in [
        ("slack", "/triggers/T1/1/x", r#"{"patient":"Dorothy Kowalski","mrn":"00412345"}"#),
        (
            "slack",
            "/api/chat.postMessage",
            r#"{"channel":"C1","text":"see","metadata":{"event_type":"a","event_payload":{"mrn":"00412345"}}}"#,
        ),
        ("wordpress", "/wp-json/wp/v2/posts", r#"{"title":"a","meta":{"mrn":"00412345"}}"#),
        (
            "bluesky",
            "/xrpc/com.atproto.repo.createRecord",
            r#"{"repo":"a.example","collection":"app.bsky.feed.post","record":{"text":"see","mrn":"00412345"}}"#,
        ),
        (
            "discord",
            "/api/v10/channels/1/messages",
            r#"{"content":"see","embeds":[{"fields":[{"name":"MRN","value":"00412345"}]}]}"#,
        ),
    ] {
        let inspection = Case::post(platform, path, JSON, body).shipped();
        assert!(matches!(inspection.verdict, Verdict::Block(_)), "{platform} {body}");
    }
}

#[test]
fn words_of_small_calls_are_read() {
    for (platform, path, body) in [
        (
            "matrix",
            "/_matrix/client/v3/rooms/%21a%3Ab.example/send/m.reaction/1",
            r#"{"m.relates_to":{"rel_type":"m.annotation","event_id":"$1","key":"SSN 078-05-1120"}}"#,
        ),
        (
            "matrix",
            "/_matrix/client/v3/rooms/%21a%3Ab.example/join",
            r#"{"reason":"SSN 078-05-1120"}"#,
        ),
        ("matrix", "/_matrix/client/v3/join/%23a%3Ab.example", r#"{"reason":"SSN 078-05-1120"}"#),
        (
            "discord",
            "/api/v10/users/@me/channels",
            r#"{"access_tokens":["a"],"nicks":{"1":"SSN 078-05-1120"}}"#,
        ),
        (
            "misskey",
            "/api/notes/reactions/create",
            r#"{"i":"a","noteId":"b","reaction":"SSN 078-05-1120"}"#,
        ),
        (
            "misskey",
            "/api/app/create",
            r#"{"name":"a","description":"SSN 078-05-1120","permission":[]}"#,
        ),
    ] {
        let inspection = Case::post(platform, path, JSON, body).shipped();
        assert!(matches!(inspection.verdict, Verdict::Block(_)), "{platform} {path}");
    }
}

#[test]
fn a_text_file_to_slack_is_read() {
    let body = "--bb\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\npt SSN 078-05-1120 please\r\n--bb--\r\n";
    let mut case = Case::post("slack", "/api/files.upload", "", body);
    case.headers = &[("content-type", "multipart/form-data; boundary=bb")];
    assert!(matches!(case.shipped().verdict, Verdict::Block(_)));
}

#[test]
fn a_route_in_a_parameter_counts_before_the_path() {
    let content = "content=Mr.+Castellano+was+admitted+to+room+412+last+night";
    for (path, query, form) in [
        ("/wp-login.php", Some("rest_route=/wp/v2/posts"), ""),
        ("/wp-login.php", None, "rest_route=/wp/v2/posts&"),
        ("/wp-login.php", None, "rest.route=/wp/v2/posts&"),
        ("/wp-json/jwt-auth/v1/token", Some("rest_route=/wp/v2/posts"), ""),
        ("/wp-json/jwt-auth/v1/token", Some("rest%5Broute=/wp/v2/posts"), ""),
        ("/wp-comments-post.php", Some("rest_route=/jwt-auth/v1/token"), ""),
        ("/", Some("rest_route=/jwt-auth/v1/token"), "rest_route=/wp/v2/posts&"),
        ("/", Some("rest_route=/jwt-auth/v1/token&rest.route=/wp/v2/posts"), ""),
    ] {
        let mut case = Case::post("wordpress", path, FORM, format!("{form}{content}"));
        case.query = query;
        let inspection = case.shipped();
        assert!(!inspection.known, "{path} {query:?} {form}");
        assert!(matches!(inspection.verdict, Verdict::Block(_)), "{path} {query:?} {form}");
    }
    let form = format!("rest_route=/wp/v2/posts&{content}");
    let inspection = Case::post("wordpress", "/", FORM, form).shipped();
    assert!(inspection.known && inspection.is_post);
}

#[test]
fn what_hides_in_another_encoding_is_read() {
    let batch = "batch=%5B%7B%22method%22%3A%22POST%22%2C%22relative_url%22%3A%22me%2Ffeed%22%2C%22body%22%3A%22message%3DMr.%2BCastellano%2Bwas%2Badmitted%2C%2BMRN%2B00412345%22%7D%5D";
    let cases = [
        Case::post("facebook", "/", FORM, batch),
        Case::post(
            "generic",
            "/v1/notes",
            JSON,
            r#"{"payload":"{\"text\":\"SSN \\u0031\\u0032\\u0033-45-6789\"}"}"#,
        ),
        Case::post("generic", "/v1/notes", JSON, r#"{"patientSSN":"123-45-6789"}"#),
        Case::post("generic", "/v1/notes", JSON, r#"{"medical_record_number":"00412345"}"#),
        Case::post("mastodon", "/api/v1/statuses", FORM, "status=SSN%2520%2531%2532%2533-45-6789"),
        Case::post("generic", "/u/SSN%20123-45-6789%ff", JSON, "{}"),
    ];
    for case in cases {
        let inspection = case.shipped();
        assert!(matches!(inspection.verdict, Verdict::Block(_)), "{}: {inspection:?}", case.path);
    }
    let mut case = Case::toot(status("good night"));
    case.headers = &[("content-type", JSON), ("slug", "=?utf-8?B?U1NOIDEyMy00NS02Nzg5?=")];
    assert!(matches!(case.shipped().verdict, Verdict::Block(_)));
}

#[test]
fn a_batch_is_read_wherever_it_is_sent() {
    let whole = "batch=%5B%7B%22method%22%3A%22POST%22%2C%22relative_url%22%3A%22me%2Ffeed%22%2C%22body%22%3A%22message%3DMr.%2BCastellano%2Bwas%2Badmitted%2C%2BMRN%2B00412345%22%7D%5D";
    let spread = "batch[0][method]=POST&batch[0][relative_url]=me/feed&batch[0][body]=message=Mr.+Castellano+was+admitted,+MRN+00412345";
    for path in ["/1/activities", "/1/likes", "/oauth/access_token", "/device/login", "/"] {
        for body in [whole, spread] {
            let inspection = Case::post("facebook", path, FORM, body.to_owned()).shipped();
            assert!(matches!(inspection.verdict, Verdict::Block(_)), "{path} {body}");
        }
        let inspection = Case::post("facebook", path, FORM, "access_token=EAAB1&n=1").shipped();
        assert!(matches!(inspection.verdict, Verdict::Forward), "{path}");
    }
}

#[test]
fn what_hides_in_another_encoding_is_redacted_in_it() {
    let percent = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let batch = r#"[{"method":"POST","relative_url":"me/feed","body":"message=My+patient+Mr.+Castellano+coded&link=x"},{"method":"POST","relative_url":"1/photos?caption=My%20patient%20Mr.%20Castellano%20coded&n=1"}]"#;
    let form = format!("access_token=abc&batch={}", percent(batch));
    let cleaned = batch.replace("Castellano", "%5Bname%5D");
    let after = redacted_body(&Case::post("facebook", "/v25.0/", FORM, form).shipped());
    let undone = percent_encoding::percent_decode_str(
        after.strip_prefix("access_token=abc&batch=").unwrap(),
    );
    assert_eq!(undone.decode_utf8().unwrap(), cleaned);

    let json = serde_json::json!({ "batch": batch }).to_string();
    let after = redacted_body(&Case::post("facebook", "/", JSON, json).shipped());
    let after: serde_json::Value = serde_json::from_str(&after).unwrap();
    assert_eq!(after["batch"], cleaned);

    let cases = [
        // What is put there is encoded as the word is.
        ("My%20patient%20Mr.%20Castellano%20coded", "My%20patient%20Mr.%20%5Bname%5D%20coded"),
        (
            "<p>My patient Mr.&nbsp;C&#97;stellano coded</p>",
            "<p>My patient Mr.&nbsp;[name] coded</p>",
        ),
        (
            r#"{"note":"My patient Mr. C\u0061stellano coded"}"#,
            r#"{"note":"My patient Mr. [name] coded"}"#,
        ),
        ("note=My+patient+Mr.+Castellano+coded", "note=My+patient+Mr.+%5Bname%5D+coded"),
    ];
    for (text, want) in cases {
        let inspection = Case::toot(status(text)).shipped();
        let after: serde_json::Value = serde_json::from_str(&redacted_body(&inspection)).unwrap();
        assert_eq!(after["status"], want);
        let n_names = inspection
            .findings
            .iter()
            .filter(|finding| finding.category == crate::rules::Category::Name)
            .count();
        assert_eq!(n_names, 1, "{text}: {:?}", inspection.findings);
    }
}

#[test]
fn a_method_in_a_header_counts() {
    let mut case = Case::post("mastodon", "/api/v1/statuses", JSON, Vec::new());
    case.method = Method::GET;
    case.query = Some("status=My%20patient%20Mr.%20Castellano%20coded");
    assert!(!case.shipped().known);
    case.headers = &[("x-http-method-override", "post")];
    let inspection = case.shipped();
    assert!(inspection.known && inspection.is_post);
    assert!(matches!(inspection.verdict, Verdict::Redact(_)));
}

#[test]
fn a_label_beside_a_value_counts() {
    let cases = [
        (r#"{"fields":[{"name":"MRN","value":"00441187"}]}"#, true),
        (r#"{"fields":[{"value":44118712,"label":"patient MRN"}]}"#, true),
        (r#"{"fields":[{"name":"order","value":"00441187"}]}"#, false),
    ];
    for (body, blocked) in cases {
        let inspection = Case::post("generic", "/v1/notes", JSON, body).shipped();
        assert_eq!(matches!(inspection.verdict, Verdict::Block(_)), blocked, "{body}");
    }
}

#[test]
fn a_file_nobody_can_read_passes_only_where_files_go() {
    let part = |bytes: &[u8]| {
        let head = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\nContent-Type: application/vnd.ms-excel\r\n\r\n";
        [head, bytes, b"\r\n--x--\r\n"].concat()
    };
    let piece: Vec<u8> =
        (0..2000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    // Where metadata is taken out, it may be a later piece of a film: what it holds of that is not known.
    for (path, bytes, inspector, forwarded, unjudged) in [
        ("/api/v1/statuses", &b"Jos\xe9 Castellano;123-45-6789"[..], &ALLOWING, false, false),
        ("/api/v1/statuses", b"the caf\xe9 opens at ten", &ALLOWING, false, false),
        ("/api/v1/statuses", &piece, &ALLOWING, false, false),
        ("/api/v2/media", b"Jos\xe9 Castellano;123-45-6789", &ALLOWING, false, false),
        ("/api/v2/media", b"the caf\xe9 opens at ten", &ALLOWING, true, false),
        ("/api/v2/media", b"the caf\xe9 opens at ten", &SHIPPED, true, false),
        ("/api/v2/media", &piece, &ALLOWING, true, true),
        ("/api/v2/media", &piece, &SHIPPED, false, false),
    ] {
        let mut case = Case::post("mastodon", path, "", part(bytes));
        case.headers = &[("content-type", "multipart/form-data; boundary=x")];
        let inspection = case.run(inspector);
        assert_eq!(inspection.verdict == Verdict::Forward, forwarded, "{path}: {inspection:?}");
        assert_eq!(inspection.unjudged_media, unjudged, "{path}");
    }
}

#[test]
fn what_cannot_be_read_is_blocked() {
    let gzip = Codings::parse("gzip").unwrap();
    let whole = gzip.encode(status("good night").as_bytes());
    let truncated = whole[..whole.len() - 6].to_vec();
    let cases: [(&str, Headers<'_>, Vec<u8>, Unreadable); 7] = [
        (
            "truncated gzip",
            &[("content-encoding", "gzip"), ("content-type", JSON)],
            truncated,
            Unreadable::DamagedCoding,
        ),
        (
            "unknown coding",
            &[("content-encoding", "lzma"), ("content-type", JSON)],
            whole.clone(),
            Unreadable::UnknownCoding,
        ),
        ("broken JSON", &[("content-type", JSON)], b"{\"status\": \"x".to_vec(), Unreadable::Json),
        (
            "lone surrogate",
            &[("content-type", JSON)],
            br#"{"status":"\ud83d"}"#.to_vec(),
            Unreadable::Json,
        ),
        (
            "invalid UTF-8",
            &[("content-type", JSON)],
            b"{\"status\":\"\xff\"}".to_vec(),
            Unreadable::Json,
        ),
        (
            "two types",
            &[("content-type", JSON), ("content-type", FORM)],
            b"{}".to_vec(),
            Unreadable::UnknownKind,
        ),
        (
            "charset",
            &[("content-type", "text/plain; charset=utf-7")],
            b"+AG-x".to_vec(),
            Unreadable::UnknownCharset,
        ),
    ];
    for (name, headers, body, why) in cases {
        let case = Case {
            platform: "mastodon",
            method: Method::POST,
            path: "/api/v1/statuses",
            query: None,
            headers,
            body: body.into(),
        };
        let inspection = case.shipped();
        assert!(matches!(inspection.verdict, Verdict::Block(_)), "{name}");
        assert_eq!(inspection.fault, Some(Fault::Unreadable(why)), "{name}");
    }
}

/// A library for X sends pieces of a picture as a field of bytes without a file name. Servers take such a field for a
/// string, so that it passes unread only where the platform's file says that no words are.
#[test]
fn bytes_in_a_field_pass_where_no_words_are() {
    const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\xff";
    const PIECE: &[u8] = b"\xff\0\x9c\0later bytes of it";
    let form = |name: &str, content: &[u8]| {
        let head = format!(
            "--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        Bytes::from([head.as_bytes(), content, b"\r\n--x--\r\n"].concat())
    };
    let unreadable = |why| Some(Fault::Unreadable(why));
    for (platform, path, name, content, want) in [
        ("x", "/1.1/media/upload.json", "media", PICTURE, None),
        ("x", "/1.1/media/upload.json", "media", PIECE, None),
        ("x", "/1.1/media/upload.json", "other", PIECE, unreadable(Unreadable::Charset)),
        ("x", "/2/tweets", "media", PIECE, unreadable(Unreadable::Charset)),
        ("mastodon", "/api/v2/media", "description", PICTURE, unreadable(Unreadable::Charset)),
        ("mastodon", "/api/v1/statuses", "status", PIECE, unreadable(Unreadable::Charset)),
        (
            "x",
            "/1.1/media/upload.json",
            "media",
            b"\x89%PDF-1.7\xff",
            unreadable(Unreadable::Document),
        ),
    ] {
        let case = Case {
            platform,
            method: Method::POST,
            path,
            query: None,
            headers: &[("content-type", "multipart/form-data; boundary=x")],
            body: form(name, content),
        };
        let inspection = case.run(&ALLOWING);
        assert_eq!(inspection.fault, want, "{platform} {path} {name}");
        assert_eq!(inspection.unjudged_media, want.is_none(), "{platform} {path} {name}");
    }
}

#[test]
fn a_compressed_post_is_compressed_again() {
    for coding in ["gzip", "deflate", "br", "zstd"] {
        let codings = Codings::parse(coding).unwrap();
        let mut case = Case::toot(codings.encode(status(NAMED).as_bytes()));
        let headers = [("content-type", JSON), ("content-encoding", coding)];
        case.headers = &headers;
        match case.shipped().verdict {
            Verdict::Redact(redacted) => {
                let body = codings.decode(&redacted.body.unwrap(), &Limits::default()).unwrap();
                assert!(
                    !String::from_utf8(body.to_vec()).unwrap().contains("Castellano"),
                    "{coding}"
                );
            }
            other => panic!("{coding}: {}", other.as_str()),
        }
    }
}

#[test]
fn a_signature_over_the_text_keeps_it_from_being_redacted() {
    let form = "status=My+patient+Mr.+Castellano+coded+in+room+412";
    let mut case = Case::post("x", "/1.1/statuses/update.json", FORM, form);
    let headers = [
        ("content-type", FORM),
        ("authorization", r#"OAuth oauth_consumer_key="a", oauth_signature="b""#),
    ];
    case.headers = &headers;
    let inspection = case.shipped();
    assert_eq!(inspection.fault, Some(Fault::CannotRedact(CannotRedact::Signed)));
    assert!(matches!(inspection.verdict, Verdict::Block(_)));
}

#[test]
fn a_facet_points_at_the_same_words_afterwards() {
    let text = format!("{NAMED} — thanks @team.example and #strokeweek");
    let at = |words: &str| {
        let start = text.find(words).unwrap();
        serde_json::json!({ "byteStart": start, "byteEnd": start + words.len() })
    };
    let body = serde_json::json!({
        "repo": "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa",
        "collection": "app.bsky.feed.post",
        "record": {
            "$type": "app.bsky.feed.post",
            "text": text,
            "createdAt": "2026-11-22T10:00:00Z",
            "facets": [
                { "index": at("Castellano"), "features": [{ "$type": "app.bsky.richtext.facet#link", "uri": "https://a.example" }] },
                { "index": at("@team.example"), "features": [{ "$type": "app.bsky.richtext.facet#mention", "did": "did:plc:b" }] },
                { "index": at("#strokeweek"), "features": [{ "$type": "app.bsky.richtext.facet#tag", "tag": "strokeweek" }] },
            ],
        },
    });
    let case = Case::post("bluesky", "/xrpc/com.atproto.repo.createRecord", JSON, body.to_string());
    let after: serde_json::Value = serde_json::from_str(&redacted_body(&case.shipped())).unwrap();
    let text = after["record"]["text"].as_str().unwrap();
    assert!(!text.contains("Castellano"));
    let words: Vec<&str> = after["record"]["facets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|facet| {
            let end = |side: &str| usize::try_from(facet["index"][side].as_u64().unwrap()).unwrap();
            text.get(end("byteStart")..end("byteEnd")).unwrap()
        })
        .collect();
    assert_eq!(words, ["@team.example", "#strokeweek"]);
}

#[test]
fn a_tag_goes_with_its_words() {
    let text = format!("{NAMED}. #strokeweek");
    let at = |words: &str| {
        let start = text.find(words).unwrap();
        serde_json::json!({ "byteStart": start, "byteEnd": start + words.len() })
    };
    let body = serde_json::json!({ "record": { "text": text, "facets": [
        { "index": at("Mr. Castellano"), "features": [{ "tag": "Mr. Castellano" }] },
        { "index": at("#strokeweek"), "features": [{ "tag": "strokeweek for Mr. Castellano" }] },
    ] } });
    let case = Case::post("bluesky", "/xrpc/com.atproto.repo.createRecord", JSON, body.to_string());
    let body = redacted_body(&case.shipped());
    assert!(!body.contains("Castellano"));
    let after: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(after["record"]["facets"].as_array().unwrap().len(), 1);
}

#[test]
fn a_thread_that_cannot_be_mended_is_not_redacted() {
    let thread = serde_json::json!({ "writes": [
        { "rkey": "3k", "value": { "text": NAMED } },
        { "rkey": "3l", "value": { "text": "More on it", "reply": { "parent": { "uri": "at://did:plc:a/app.bsky.feed.post/3k", "cid": "bafy" } } } },
    ] });
    let path = "/xrpc/com.atproto.repo.applyWrites";
    let inspection = Case::post("bluesky", path, JSON, thread.to_string()).shipped();
    assert_eq!(inspection.fault, Some(Fault::CannotRedact(CannotRedact::Bound)));
    assert!(matches!(inspection.verdict, Verdict::Block(_)));
}

/// That the new hashes are the right ones is tested where they are computed.
#[test]
fn a_thread_is_redacted_with_its_hashes() {
    let before = include_str!("../platform/tests/thread-before.json");
    let case = Case::post("bluesky", "/xrpc/com.atproto.repo.applyWrites", JSON, before);
    let after: serde_json::Value = serde_json::from_str(&redacted_body(&case.shipped())).unwrap();
    let before: serde_json::Value = serde_json::from_str(before).unwrap();
    let root = |body: &serde_json::Value| body["writes"][2]["value"]["reply"]["root"].clone();
    assert_ne!(root(&after)["cid"], root(&before)["cid"]);
    assert_eq!(root(&after)["uri"], root(&before)["uri"]);
    assert_eq!(root(&after), after["writes"][2]["value"]["reply"]["parent"]);
    assert_eq!(root(&after), after["writes"][3]["value"]["reply"]["root"]);
    // An address within the network is no place for a marker.
    assert_eq!(after["writes"][1], before["writes"][1]);
}

#[test]
fn poll_options_stay_different() {
    let options = ["Mr. Castellano", "Mr. Valderrama", "mr. castellano", "none"];
    let poll = serde_json::json!({ "status": NAMED, "poll": { "options": options } });
    let body = redacted_body(&Case::toot(poll.to_string()).shipped());
    let after: serde_json::Value = serde_json::from_str(&body).unwrap();
    let after: Vec<&str> =
        after["poll"]["options"].as_array().unwrap().iter().map(|o| o.as_str().unwrap()).collect();
    assert_eq!(after.len(), 4);
    for (n, option) in after.iter().enumerate() {
        assert!(!option.trim().is_empty() && option.chars().count() <= 50, "{after:?}");
        assert!(!after[..n].contains(option), "{after:?}");
        assert!(!option.to_lowercase().contains("castellano"), "{after:?}");
    }
}

/// A policy's word may be longer than what it stands for; a post that was full must still fit.
#[test]
fn markers_are_shortened_where_there_is_no_room() {
    let policy = Policy::embedded().replace("name = \"[name]\"", "");
    let policy = format!("{policy}\n")
        .replace("[replacement]", "[replacement]\nname = \"[a name that was here]\"");
    let inspector = inspector(&policy);
    for (room, want) in [(100, "[a name that was here]"), (0, "[...]")] {
        let tail = "x".repeat(500 - NAMED.chars().count() - 1 - room);
        let status = format!("{NAMED} {tail}");
        let body = serde_json::json!({ "status": status }).to_string();
        let body = redacted_body(&Case::toot(body).run(&inspector));
        let after: serde_json::Value = serde_json::from_str(&body).unwrap();
        let after = after["status"].as_str().unwrap();
        assert!(after.contains(want), "{after}");
        assert!(after.chars().count() <= 500 && !after.contains("Castellano"));
    }
}

#[test]
fn signing_in_is_nobodys_business() {
    let bluesky =
        r#"{"identifier":"nurse.lee@hospital.example","password":"My patient Mr. Castellano"}"#;
    let cases = [
        Case::post("bluesky", "/xrpc/com.atproto.server.createSession", JSON, bluesky),
        Case::post(
            "mastodon",
            "/oauth/token",
            FORM,
            "username=nurse.lee%40hospital.example&password=078-05-1120",
        ),
    ];
    for case in cases {
        let inspection = case.shipped();
        assert_eq!(
            inspection.verdict,
            Verdict::Forward,
            "{}: {:?}",
            case.path,
            inspection.findings
        );
    }
}

#[test]
fn a_signed_in_read_is_no_post() {
    let case = Case {
        platform: "mastodon",
        method: Method::GET,
        path: "/api/v1/timelines/home",
        query: Some("limit=40"),
        headers: &[],
        body: Bytes::new(),
    };
    let inspection = case.shipped();
    assert_eq!(inspection.verdict, Verdict::Forward);
    assert!(!inspection.is_post);
}

#[test]
fn monitor_says_what_it_would_do() {
    let policy = Policy::embedded().replacen("mode = \"enforce\"", "mode = \"monitor\"", 1);
    let inspection = Case::toot(status(SSN)).run(&inspector(&policy));
    assert!(!inspection.enforced);
    assert!(matches!(inspection.verdict, Verdict::Block(_)));
}

#[test]
fn a_failed_inspection_is_a_block() {
    let case = Case::toot(status("good night"));
    let headers = HeaderMap::new();
    let request = Request {
        platform: PLATFORMS.get("mastodon").unwrap(),
        method: &case.method,
        path: case.path,
        query: None,
        headers: &headers,
        body: &case.body,
        groups: &[],
        reference: "k3f7q2ma",
        mark: None,
        today: TODAY,
    };
    let forward =
        Policy::embedded().replace("on-unreadable = \"block\"", "on-unreadable = \"forward\"");
    let lax = inspector(&forward);
    assert!(matches!(lax.failed(&request).verdict, Verdict::Block(_)));
    for (why, blocked) in [
        (Unreadable::Truncated, true),
        (Unreadable::TooSlow, true),
        (Unreadable::Busy, true),
        (Unreadable::UnknownKind, false),
    ] {
        assert_eq!(
            matches!(lax.unreadable(&request, why).verdict, Verdict::Block(_)),
            blocked,
            "{why}"
        );
    }
}

#[test]
fn nothing_printable_holds_text() {
    for text in [NAMED, SSN] {
        let inspection = Case::toot(status(text)).shipped();
        let printed = format!("{inspection:?}");
        for secret in ["Castellano", "078-05-1120"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any bytes under any type give a verdict and no panic; what is forwarded was read.
    #[test]
    fn any_bytes_give_a_verdict(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        query in "[ -~]{0,40}",
        kind in 0_usize..5,
    ) {
        let types = [JSON, FORM, "multipart/form-data; boundary=x", "text/plain", "image/png"];
        let headers = [("content-type", types[kind])];
        let case = Case { platform: "mastodon", method: Method::POST, path: "/api/v1/statuses", query: Some(&query), headers: &headers, body: body.into() };
        let inspection = case.shipped();
        prop_assert!(inspection.fault.is_none() || !matches!(inspection.verdict, Verdict::Forward));
    }

    /// A redacted post, inspected again, is forwarded: redacting leaves nothing that would be redacted.
    #[test]
    fn a_redacted_post_is_clean(name in "[A-Z][a-z]{4,9}", tail in "[a-z ]{0,30}") {
        let text = format!("My patient Mr. {name} coded in room 412 {tail}");
        let inspection = Case::toot(status(&text)).shipped();
        if let Verdict::Redact(_) = inspection.verdict {
            let again = Case::toot(redacted_body(&inspection)).shipped();
            prop_assert_eq!(again.verdict.as_str(), "forward", "{:?}", again.findings);
        }
    }
}

#[test]
fn a_post_is_blocked_as_not_inspected_once_the_mapped_roster_was_written_to() {
    use std::io::{Cursor, Seek as _, SeekFrom, Write as _};
    use std::sync::Arc;

    use crate::roster::{Builder, Index, Key, Live, Patient, PersonName, Roster};

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.pwr");
    let key = Key::of(b"a key of this test, and of no hospital at all").unwrap();
    let built = "2026-11-22T00:00:00Z".parse().unwrap();
    let nowhere = folder.path().to_owned();
    let mut builder = Builder::new(Cursor::new(Vec::new()), nowhere, &key, built).unwrap();
    let names = vec![PersonName::new("Zebulon", "Quackenthorpe")];
    let admitted = Some(date(2026, 11, 20));
    builder.add(&Patient { names, admitted, ..Patient::default() }).unwrap();
    let whole = builder.finish().unwrap().1.into_inner();
    std::fs::write(&file, &whole).unwrap();
    let with = |held| {
        let indexes = vec![Arc::new(Index::open_holding(&file, &key, held).unwrap())];
        let live = Live::new(Roster { indexes, ..Roster::default() });
        let engine = crate::detect::Engine::build(&crate::rules::RuleSet::embedded()).unwrap();
        let policy = Arc::clone(SHIPPED.policy());
        Inspector::new(Arc::new(engine.with_roster(Arc::new(live))), policy, Limits::default())
    };
    let (held, mapped) = (with(u64::MAX), with(0));
    let post = Case::toot(status("Zebulon Quackenthorpe coded last night"));
    let found = |inspection: &Inspection| {
        inspection.findings.iter().any(|it| it.rule.as_str().starts_with("roster-"))
    };
    for inspector in [&held, &mapped] {
        let inspection = post.run(inspector);
        assert!(inspection.fault.is_none() && found(&inspection), "{inspection:?}");
    }
    let mut opened = std::fs::OpenOptions::new().write(true).open(&file).unwrap();
    opened.seek(SeekFrom::Start(4096)).unwrap();
    opened.write_all(&vec![0; whole.len() - 4096]).unwrap();
    opened.set_len(5000).unwrap();
    let inspection = post.run(&held);
    assert!(inspection.fault.is_none() && found(&inspection), "{inspection:?}");
    let inspection = post.run(&mapped);
    assert!(matches!(inspection.verdict, Verdict::Block(_)));
    assert_eq!(inspection.fault, Some(Fault::Failed));
}
