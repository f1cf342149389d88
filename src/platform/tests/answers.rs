//! What a client hears of a refused post, for every endpoint of every shipped file: the status, the content type to the
//! letter, and the body member by member.

use http::StatusCode;
use proptest::prelude::*;
use serde_json::Value;

use super::{body, platform};
use crate::platform::{Answer, Class, Endpoint, Platforms, Reason};

const SENTENCE: &str = "Blocked by hospital policy: this post seems to contain a record number. Nothing was sent. (ref k3f7q2ma)";
const REFERENCE: &str = "k3f7q2ma";

const JSON: &str = "application/json";
const UTF8: &str = "application/json; charset=utf-8";
const UTF8_CAPITALS: &str = "application/json; charset=UTF-8";

const META: &str = r#"{"message":"$","type":"OAuthException","code":368,"error_subcode":1,"is_transient":false,"error_user_title":"Post blocked","error_user_msg":"$","fbtrace_id":"k3f7q2ma"}"#;
const META_GRAPHQL: &str = r#"[{"message":"$","severity":"CRITICAL","code":368,"summary":"Post blocked","description":"$","is_transient":false,"requires_reauth":false,"allow_user_retry":false}]"#;
const X: &str = r#"{"title":"Forbidden","detail":"$","type":"about:blank","status":403,"errors":[{"code":186,"message":"$"}]}"#;
const X_OLD: &str = r#"{"errors":[{"code":186,"message":"$"}]}"#;
const REDDIT_WEB: &str = r#"{"errors":[{"message":"$"}]}"#;
const TEXT_PLAIN: &str = "text/plain; charset=utf-8";

/// Platform, what the endpoint's template holds, status, content type, and the body with `$` for the sentence. The first
/// line that fits an endpoint holds; `""` fits all.
const ANSWERS: &[(&str, &str, u16, &str, &str)] = &[
    ("activitypub", "", 403, JSON, r#"{"error":"$"}"#),
    ("bluesky", "", 403, UTF8, r#"{"error":"PolicyBlocked","message":"$"}"#),
    ("discord", "", 400, JSON, r#"{"message":"$","code":200000}"#),
    ("facebook", "", 400, UTF8_CAPITALS, r#"{"error":META,"errors":META_GRAPHQL}"#),
    ("generic", "", 403, JSON, r#"{"error":"$"}"#),
    (
        "instagram",
        "",
        400,
        UTF8_CAPITALS,
        r#"{"error":META,"errors":META_GRAPHQL,"message":"$","status":"fail"}"#,
    ),
    ("linkedin", "", 403, JSON, r#"{"message":"$","serviceErrorCode":100,"status":403}"#),
    ("mastodon", "", 422, UTF8, r#"{"error":"$"}"#),
    ("matrix", "", 403, JSON, r#"{"errcode":"M_FORBIDDEN","error":"$"}"#),
    ("micropub", "", 403, JSON, r#"{"error":"forbidden","error_description":"$"}"#),
    (
        "misskey",
        "",
        400,
        UTF8,
        r#"{"error":{"message":"$","code":"BLOCKED_BY_POLICY","id":"5c1f0c1e-3c3b-4f3e-9a53-8f0d9f7c3a10","kind":"client"}}"#,
    ),
    ("nostr", "/upload", 403, JSON, r#"{"status":"error","message":"$"}"#),
    ("nostr", "/media", 403, JSON, r#"{"status":"error","message":"$"}"#),
    ("nostr", "", 403, JSON, r#"["OK","",false,"blocked: $"]"#),
    (
        "pinterest",
        "/resource/",
        403,
        JSON,
        r#"{"resource_response":{"status":"failure","http_status":403,"error":{"message":"$","message_detail":"$","status":"failure","http_status":403}}}"#,
    ),
    ("pinterest", "", 403, JSON, r#"{"code":29,"message":"$"}"#),
    ("reddit", "/svc/shreddit/graphql", 400, JSON, r#"{"errors":[{"message":"$"}],"data":null}"#),
    ("reddit", "/svc/shreddit/", 400, JSON, REDDIT_WEB),
    (
        "reddit",
        "",
        200,
        UTF8_CAPITALS,
        r#"{"json":{"errors":[["PHI_BLOCKED","$","text"]]},"errors":[{"message":"$"}],"data":null}"#,
    ),
    ("slack", "/services/", 403, TEXT_PLAIN, "action_prohibited: $"),
    ("slack", "/triggers/", 403, TEXT_PLAIN, "action_prohibited: $"),
    ("slack", "/workflows/", 403, TEXT_PLAIN, "action_prohibited: $"),
    ("slack", "/upload/v1/", 403, TEXT_PLAIN, "$"),
    (
        "slack",
        "",
        200,
        UTF8,
        r#"{"ok":false,"error":"blocked_by_hospital_policy_phi","response_metadata":{"messages":["[ERROR] $"]}}"#,
    ),
    ("telegram", "", 403, JSON, r#"{"ok":false,"error_code":403,"description":"Forbidden: $"}"#),
    ("threads", "", 400, UTF8_CAPITALS, r#"{"error":META,"message":"$","status":"fail"}"#),
    (
        "tiktok",
        "/open_api/",
        403,
        JSON,
        r#"{"code":40001,"message":"$","request_id":"k3f7q2ma","data":{}}"#,
    ),
    (
        "tiktok",
        "",
        403,
        UTF8,
        r#"{"data":{},"error":{"code":"blocked_by_hospital_policy","message":"$","log_id":"k3f7q2ma"}}"#,
    ),
    (
        "tumblr",
        "",
        403,
        UTF8,
        r#"{"meta":{"status":403,"msg":"Forbidden"},"errors":[{"title":"$","code":8023,"detail":"$"}],"response":[]}"#,
    ),
    (
        "wordpress",
        "xmlrpc.php",
        200,
        "text/xml; charset=UTF-8",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>403</int></value></member><member><name>faultString</name><value><string>$</string></value></member></struct></value></fault></methodResponse>\n",
    ),
    ("wordpress", "/wp-admin/post.php", 403, TEXT_PLAIN, "$"),
    ("wordpress", "/wp-comments-post.php", 403, TEXT_PLAIN, "$"),
    ("wordpress", "/rest/{version}/sites/", 403, JSON, r#"{"error":"phi_blocked","message":"$"}"#),
    (
        "wordpress",
        "",
        403,
        UTF8_CAPITALS,
        r#"{"code":"rest_phi_blocked","message":"$","data":{"status":403}}"#,
    ),
    ("x", " /1.1/", 403, UTF8, X_OLD),
    ("x", "/i/api/graphql CreateTweet", 403, UTF8, X_OLD),
    ("x", "/i/api/graphql CreateScheduledTweet", 403, UTF8, X_OLD),
    ("x", "/i/api/graphql CreateDraftTweet", 403, UTF8, X_OLD),
    ("x", "/i/api/graphql EditDraftTweet", 403, UTF8, X_OLD),
    ("x", "/i/api/graphql CreateNoteTweet", 403, UTF8, X_OLD),
    ("x", "/i/api/1.1/dm/new2.json", 403, UTF8, X_OLD),
    ("x", "", 403, UTF8, X),
    (
        "youtube",
        "",
        403,
        UTF8_CAPITALS,
        r#"{"error":{"code":403,"message":"$","status":"PERMISSION_DENIED","errors":[{"message":"$","domain":"youtube","reason":"forbidden"}]}}"#,
    ),
];

/// Every answer that a client may hear: of each endpoint whose words may be refused, and of calls that no file names.
fn each(mut check: impl FnMut(&str, &Endpoint, &dyn Fn(Reason) -> Answer)) {
    for shipped in Platforms::embedded().iter() {
        let unknown = shipped.endpoint("no such template");
        for endpoint in shipped.endpoints.iter().chain([unknown]) {
            let answer = |reason: Reason| shipped.answer(endpoint, reason, SENTENCE, REFERENCE);
            check(shipped.id(), endpoint, &answer);
        }
    }
}

#[test]
fn every_endpoint_answers_as_its_platform_would() {
    let mut n_checked = 0;
    let mut unused: Vec<usize> = (0..ANSWERS.len()).collect();
    each(|platform, endpoint, answer| {
        let template = endpoint.template();
        let may_be_refused = matches!(endpoint.class(), Class::Post | Class::Media | Class::Sealed);
        if !may_be_refused {
            return;
        }
        let row = ANSWERS
            .iter()
            .position(|(of, holds, ..)| *of == platform && template.contains(holds))
            .unwrap_or_else(|| panic!("{platform}: a line of the table"));
        unused.retain(|&other| other != row);
        let (_, _, status, content_type, want) = ANSWERS[row];
        let answer = answer(Reason::Findings);
        assert_eq!(answer.status.as_u16(), status, "{platform} {template}");
        assert_eq!(answer.content_type, content_type, "{platform} {template}");
        let want = want.replace("META_GRAPHQL", META_GRAPHQL).replace("META", META);
        let want = want.replace('$', SENTENCE);
        let got = std::str::from_utf8(&answer.body).unwrap();
        if content_type.starts_with("application/json") {
            let parsed = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
            assert_eq!(parsed(got), parsed(&want), "{platform} {template}");
        } else {
            assert_eq!(got, want, "{platform} {template}");
        }
        n_checked += 1;
    });
    assert_eq!(unused, Vec::<usize>::new(), "lines of the table that fit nothing");
    assert!(n_checked > 500, "{n_checked}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A hospital may word its sentence with quotes, backslashes and braces.
    #[test]
    fn answers_are_well_formed_for_any_sentence(sentence in "[ -~]{1,80}") {
        each(|platform, endpoint, _| {
            let shipped = self::platform(platform);
            let answer = shipped.answer(endpoint, Reason::Findings, &sentence, REFERENCE);
            let text = std::str::from_utf8(&answer.body).unwrap();
            if answer.content_type.starts_with("application/json") {
                let value: Value = serde_json::from_str(text).unwrap();
                assert!(holds(&value, &sentence), "{platform}: {text}");
            } else if answer.content_type.starts_with("text/xml") {
                let document = body(Some("text/xml"), text);
                assert!(document.texts().iter().any(|text| text.text.expose() == sentence), "{text}");
            } else {
                assert!(text.ends_with(&sentence), "{text}");
            }
        });
    }
}

fn holds(value: &Value, sentence: &str) -> bool {
    match value {
        Value::String(text) => text.ends_with(sentence),
        Value::Array(list) => list.iter().any(|value| holds(value, sentence)),
        Value::Object(object) => object.values().any(|value| holds(value, sentence)),
        _ => false,
    }
}

/// Whatever class: what no client shows, or what makes one try again, wait or sign in.
#[test]
fn no_answer_makes_a_client_try_again() {
    each(|platform, endpoint, answer| {
        for reason in [
            Reason::Findings,
            Reason::Unreadable,
            Reason::Media,
            Reason::Unaudited,
            Reason::Unanswered,
        ] {
            let answer = answer(reason);
            let template = endpoint.template();
            let allowed: &[u16] = match platform {
                "slack" | "reddit" | "wordpress" => &[200, 400, 403],
                _ => &[400, 403, 422],
            };
            assert!(allowed.contains(&answer.status.as_u16()), "{platform} {template}");
            let text = std::str::from_utf8(&answer.body).unwrap();
            assert!(text.contains(SENTENCE) && text.is_ascii(), "{platform} {template}: {text}");
            let lower = text.to_ascii_lowercase();
            for word in [
                "<html",
                "abort",
                "network request failed",
                "failed to fetch",
                "load failed",
                "upstream",
                "notenoughresources",
                "bad token scope",
                "expiredtoken",
                "invalidtoken",
                "limit",
                "retry_after",
                "quota",
            ] {
                assert!(!lower.contains(word), "{platform} {template}: {text}");
            }
        }
    });
}

#[test]
fn a_code_says_why_where_clients_show_nothing_else() {
    let slack = platform("slack");
    let endpoint = slack.resolve(&http::Method::POST, "/api/chat.postMessage", None).endpoint;
    for (reason, want) in [
        (Reason::Findings, "blocked_by_hospital_policy_phi"),
        (Reason::Unreadable, "blocked_by_hospital_policy_unreadable"),
        (Reason::Media, "blocked_by_hospital_policy_media"),
        (Reason::Unaudited, "blocked_by_hospital_policy_not_recorded"),
        (Reason::Unanswered, "platform_did_not_answer"),
    ] {
        let answer = slack.answer(endpoint, reason, SENTENCE, REFERENCE);
        let value: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(value["error"], want);
        assert_eq!(answer.status, StatusCode::OK);
    }
}

/// The fault is XML that our own reader understands, with the sentence as one string, whatever stands in it.
#[test]
fn a_fault_of_xml_rpc_is_well_formed() {
    let wordpress = platform("wordpress");
    let endpoint = wordpress.resolve(&http::Method::POST, "/xmlrpc.php", None).endpoint;
    let sentence = "fish & <chips> \"]]>\" {sentence}";
    let answer = wordpress.answer(endpoint, Reason::Findings, sentence, REFERENCE);
    let document = body(Some("text/xml"), std::str::from_utf8(&answer.body).unwrap());
    let texts: Vec<&str> = document.texts().iter().map(|text| text.text.expose()).collect();
    assert_eq!(texts.iter().filter(|text| **text == sentence).count(), 1, "{texts:?}");
}

#[test]
fn an_endpoint_is_found_again_by_its_template() {
    each(|platform, endpoint, _| {
        let found = self::platform(platform);
        assert_eq!(found.endpoint(endpoint.template()).template(), endpoint.template());
    });
}
