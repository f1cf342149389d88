//! The same post on every platform and in every body that its clients send: the same findings, and a redacted body in which
//! every range still lies on its own words.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::civil::{Date, date};

use crate::body::Limits;
use crate::detect::Engine;
use crate::diagnostic::Source;
use crate::inspect::{Inspection, Inspector, JudgedFinding, Request, Verdict};
use crate::platform::Platforms;
use crate::policy::Policy;
use crate::rules::RuleSet;

const TODAY: Date = date(2026, 11, 22);
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=bb";

static PLATFORMS: LazyLock<Platforms> = LazyLock::new(Platforms::embedded);
static SHIPPED: LazyLock<Inspector> = LazyLock::new(|| {
    let rules = RuleSet::embedded();
    let names: Vec<&str> = PLATFORMS.iter().map(|platform| platform.id()).collect();
    let source = Source::new("policy.toml", Policy::embedded());
    let (policy, _) = Policy::parse(&source, &rules, &names).expect("a policy");
    Inspector::new(
        Arc::new(Engine::build(&rules).expect("an engine")),
        Arc::new(policy),
        Limits::default(),
    )
});

/// One call: platform, method, path with its query, content type, body.
type Call<'a> = (&'a str, &'a str, &'a str, &'a str, String);

fn inspect((platform, method, url, content_type, body): &Call<'_>) -> Inspection {
    let (path, query) =
        url.split_once('?').map_or((*url, None), |(path, query)| (path, Some(query)));
    let mut headers = HeaderMap::new();
    if !content_type.is_empty() {
        headers.append(
            HeaderName::from_static("content-type"),
            HeaderValue::from_str(content_type).unwrap(),
        );
    }
    SHIPPED.inspect(&Request {
        platform: PLATFORMS.get(platform).expect("a platform"),
        method: &Method::from_bytes(method.as_bytes()).unwrap(),
        path,
        query,
        headers: &headers,
        body: &Bytes::copy_from_slice(body.as_bytes()),
        group: None,
        reference: "k3f7q2ma",
        today: TODAY,
    })
}

#[track_caller]
fn redacted(call: &Call<'_>) -> String {
    let inspection = inspect(call);
    match &inspection.verdict {
        Verdict::Redact(redacted) => match &redacted.body {
            Some(body) => String::from_utf8(body.to_vec()).unwrap(),
            None => redacted.query.clone().unwrap(),
        },
        other => panic!(
            "{} {}: {} {:?} at {}, found {:?}",
            call.0,
            call.2,
            other.as_str(),
            inspection.fault,
            inspection.endpoint,
            inspection
                .findings
                .iter()
                .map(|it| (it.rule.as_str(), it.field.as_str()))
                .collect::<Vec<_>>(),
        ),
    }
}

fn form(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn part(name: &str, content_type: &str, content: &str) -> String {
    let kind = if content_type.is_empty() {
        String::new()
    } else {
        format!("Content-Type: {content_type}\r\n")
    };
    format!(
        "--bb\r\nContent-Disposition: form-data; name=\"{name}\"\r\n{kind}\r\n{content}\r\n--bb--\r\n"
    )
}

/// Speaks of care, with a name that its honorific gives away, and a number that its label does.
const POST: &str = "My patient Mr. Castellano coded in room 412 last night, MRN 00441127";

/// Every way to say it.
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn calls(text: &str) -> Vec<Call<'static>> {
    let json = serde_json::Value::String(text.to_owned()).to_string();
    let esc = form(text);
    let rich = format!(r#"{{"document":[{{"e":"par","c":[{{"e":"text","t":{json}}}]}}]}}"#);
    let section = format!(
        r#"[{{"type":"rich_text","elements":[{{"type":"rich_text_section","elements":[{{"type":"text","text":{json}}}]}}]}}]"#
    );
    vec![
        ("mastodon", "POST", "/api/v1/statuses", JSON, format!(r#"{{"status":{json}}}"#)),
        (
            "reddit",
            "POST",
            "/api/comment",
            FORM,
            format!("api_type=json&thing_id=t3_a1&text={esc}"),
        ),
        (
            "reddit",
            "POST",
            "/api/submit/?raw_json=1",
            FORM,
            format!("sr=test&kind=self&title=Hi&text={esc}"),
        ),
        ("reddit", "POST", "/api/submit", FORM, format!("title=Hi&richtext_json={}", form(&rich))),
        ("reddit", "POST", "/api/compose", FORM, format!("to=someone&subject=hi&text={esc}")),
        (
            "youtube",
            "POST",
            "/youtube/v3/commentThreads?part=snippet",
            JSON,
            format!(
                r#"{{"snippet":{{"videoId":"v1","topLevelComment":{{"snippet":{{"textOriginal":{json}}}}}}}}}"#
            ),
        ),
        (
            "youtube",
            "PUT",
            "/youtube/v3/videos?part=snippet",
            JSON,
            format!(r#"{{"id":"v1","snippet":{{"title":"A talk","description":{json}}}}}"#),
        ),
        (
            "youtube",
            "POST",
            "/upload/youtube/v3/videos?uploadType=resumable",
            JSON,
            format!(r#"{{"snippet":{{"title":"A talk","description":{json}}}}}"#),
        ),
        (
            "tumblr",
            "POST",
            "/v2/blog/ward/posts",
            JSON,
            format!(r#"{{"content":[{{"type":"text","text":{json}}}]}}"#),
        ),
        (
            "tumblr",
            "POST",
            "/v2/blog/ward/posts",
            MULTIPART,
            part("json", JSON, &format!(r#"{{"content":[{{"type":"text","text":{json}}}]}}"#)),
        ),
        ("tumblr", "POST", "/v2/blog/ward/post", FORM, format!("type=text&body={esc}")),
        (
            "pinterest",
            "POST",
            "/v5/pins",
            JSON,
            format!(r#"{{"board_id":"1","description":{json}}}"#),
        ),
        (
            "tiktok",
            "POST",
            "/v2/post/publish/video/init/",
            JSON,
            format!(r#"{{"post_info":{{"title":{json}}}}}"#),
        ),
        (
            "discord",
            "POST",
            "/api/v10/channels/1/messages",
            JSON,
            format!(r#"{{"content":{json}}}"#),
        ),
        (
            "discord",
            "POST",
            "/api/channels/1/messages",
            MULTIPART,
            part("payload_json", "text/plain", &format!(r#"{{"content":{json}}}"#)),
        ),
        ("discord", "POST", "/api/webhooks/1/t0k?wait=true", MULTIPART, part("content", "", text)),
        (
            "discord",
            "POST",
            "/api/v9/channels/1/messages",
            JSON,
            format!(r#"{{"embeds":[{{"description":{json}}}]}}"#),
        ),
        (
            "slack",
            "POST",
            "/api/chat.postMessage",
            JSON,
            format!(r#"{{"channel":"C1","text":{json}}}"#),
        ),
        ("slack", "POST", "/api/chat.postMessage", FORM, format!("channel=C1&text={esc}")),
        (
            "slack",
            "POST",
            "/api/chat.postMessage",
            FORM,
            format!("channel=C1&blocks={}", form(&section)),
        ),
        (
            "slack",
            "POST",
            "/services/T1/B1/x1",
            FORM,
            format!("payload={}", form(&format!(r#"{{"text":{json}}}"#))),
        ),
        (
            "telegram",
            "POST",
            "/bot1:AA/sendMessage",
            JSON,
            format!(r#"{{"chat_id":1,"text":{json}}}"#),
        ),
        ("telegram", "POST", "/bot1:AA/SENDMESSAGE", FORM, format!("chat_id=1&text={esc}")),
        ("telegram", "POST", "/bot1:AA/sendMessage", MULTIPART, part("text", "", text)),
        ("micropub", "POST", "/micropub", FORM, format!("h=entry&content={esc}")),
        (
            "micropub",
            "POST",
            "/micropub",
            JSON,
            format!(r#"{{"type":["h-entry"],"properties":{{"content":[{json}]}}}}"#),
        ),
        (
            "micropub",
            "POST",
            "/micropub",
            JSON,
            format!(r#"{{"type":["h-entry"],"properties":{{"content":[{{"html":{json}}}]}}}}"#),
        ),
        ("wordpress", "POST", "/wp-json/wp/v2/posts", JSON, format!(r#"{{"content":{json}}}"#)),
        (
            "wordpress",
            "POST",
            "/blog/wp-json/wp/v2/posts/7",
            JSON,
            format!(r#"{{"content":{{"raw":{json}}}}}"#),
        ),
        ("wordpress", "POST", "/?rest_route=/wp/v2/posts", FORM, format!("content={esc}")),
        (
            "wordpress",
            "GET",
            "/index.php?rest_route=%2Fwp%2Fv2%2Fcomments&_method=post",
            FORM,
            format!("content={esc}"),
        ),
        (
            "wordpress",
            "POST",
            "/wp-json/batch/v1",
            JSON,
            format!(
                r#"{{"requests":[{{"path":"/wp/v2/posts","method":"POST","body":{{"content":{json}}}}}]}}"#
            ),
        ),
        (
            "wordpress",
            "POST",
            "/xmlrpc.php",
            "text/xml",
            format!(
                "<methodCall><methodName>wp.newPost</methodName><params><param><value>1</value></param><param><value><struct><member><name>post_content</name><value><string>{text}</string></value></member></struct></value></param></params></methodCall>"
            ),
        ),
        (
            "youtube",
            "POST",
            "/upload/youtube/v3/videos?uploadType=multipart",
            "multipart/related; boundary=\"bb\"",
            format!(
                "--bb\nContent-Type: application/json\nMIME-Version: 1.0\n\n{{\"snippet\": {{\"title\": \"A talk\", \"description\": {json}}}}}\n--bb\nContent-Type: image/gif\nMIME-Version: 1.0\nContent-Transfer-Encoding: binary\n\nGIF89a\n--bb--\n"
            ),
        ),
        (
            "matrix",
            "PUT",
            "/_matrix/client/v3/rooms/%21a%3Ab.example/send/m.room.message/1",
            JSON,
            format!(r#"{{"msgtype":"m.text","body":{json}}}"#),
        ),
        (
            "matrix",
            "PUT",
            "/_matrix/client/v3/rooms/%21a%3Ab.example/send/m.room.message/1",
            JSON,
            format!(
                r#"{{"msgtype":"m.text","body":"see","format":"org.matrix.custom.html","formatted_body":{json}}}"#
            ),
        ),
    ]
}

#[test]
fn a_post_is_the_same_post_everywhere() {
    let found = |inspection: &Inspection| -> Vec<String> {
        let mut found: Vec<String> = inspection
            .findings
            .iter()
            .map(|finding| format!("{} {}", finding.category.as_str(), finding.length))
            .collect();
        found.sort();
        found
    };
    let calls = calls(POST);
    let want = found(&inspect(&calls[0]));
    assert!(want.len() >= 3, "{want:?}");
    for call in &calls {
        let inspection = inspect(call);
        assert!(inspection.known, "{} {} is not known", call.0, call.2);
        assert_eq!(found(&inspection), want, "{} {} {}", call.0, call.2, call.3);
    }
}

#[test]
fn a_post_without_its_number_is_redacted_everywhere() {
    let text = "My patient Mr. Castellano coded in room 412 last night";
    for call in calls(text) {
        let body = redacted(&call);
        assert!(!body.contains("Castellano"), "{} {}: {body}", call.0, call.2);
    }
}

/// A name cut by bold, a link or a paragraph is found, and goes from every piece; what points into the text still points at
/// the same words. Each row: the call, and what must and must not stand in what is sent.
#[test]
fn a_name_cut_by_marks_is_one_name() {
    let rich = |f: &str| {
        format!(
            r#"{{"document":[{{"e":"par","c":[{{"e":"text","t":"My patient Mr. "}},{{"e":"text","t":"Castel","f":[[1,0,6]]}},{{"e":"text","t":"lano coded last night, so sad{f}"#
        )
    };
    let rich = rich(r#"","f":[[2,26,3]]}]}]}"#);
    let slack = r#"[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"My patient Mr. "},{"type":"text","text":"Castel","style":{"bold":true}},{"type":"text","text":"lano"},{"type":"emoji","name":"pray"},{"type":"text","text":" coded last night"}]}]}]"#;
    let rows: &[(Call<'_>, &[&str])] = &[
        (("reddit", "POST", "/api/submit", FORM, format!("title=Hi&richtext_json={}", form(&rich))),
            // "sad" stood at 26..29 of its piece, of which "lano" is gone.
            &["%2222%2C3%5D", "%5B2%2C22%2C3%5D"]),
        (("slack", "POST", "/api/chat.postMessage", JSON, format!(r#"{{"channel":"C1","blocks":{slack}}}"#)),
            &[r#"{"type":"text","text":" coded last night"}"#, r#"{"type":"emoji","name":"pray"}"#, r#""style":{"bold":true}}"#]),
        (("wordpress", "POST", "/wp-json/wp/v2/posts", JSON,
            r#"{"content":"<p>My patient Mr. <b>Castel</b>lano coded &amp; died</p>"}"#.into()),
            &["<b>[name]</b>", " coded &amp; died</p>"]),
        (("telegram", "POST", "/bot1:AA/sendMessage", JSON,
            r#"{"chat_id":1,"parse_mode":"HTML","text":"My patient Mr. <b>Castel</b>lano coded"}"#.into()),
            &["<b>[name]</b> coded"]),
        (("telegram", "POST", "/bot1:AA/sendMessage", FORM,
            format!("chat_id=1&parse_mode=MarkdownV2&text={}", form(r"My patient Mr\. *Castel*lano coded\!"))),
            &["%5C%5Bname%5C%5D", "coded%5C%21"]),
        (("telegram", "POST", "/bot1:AA/sendMessage?parse_mode=MarkdownV2", FORM,
            format!("chat_id=1&text={}", form(r"My patient Mr\. Castellano coded\!"))),
            &["%5C%5Bname%5C%5D", "coded%5C%21"]),
        (("discord", "POST", "/api/v10/channels/1/messages", JSON,
            r#"{"content":"My patient Mr. **Castel**lano coded, ask <@123456789012345678>"}"#.into()),
            &["**[name]** coded", "<@123456789012345678>"]),
        (("slack", "POST", "/api/chat.postMessage", JSON,
            r#"{"channel":"C1","text":"My patient Mr. *Castel*lano coded, ask <@U024BE7LH> &amp; <https://a.example/x|them>"}"#.into()),
            &["*[name]* coded", "<@U024BE7LH> &amp; <https://a.example/x|them>"]),
        (("reddit", "POST", "/api/comment", FORM,
            format!("thing_id=t3_a&text={}", form("My patient Mr. **Castel**lano coded"))),
            &["%2A%2A%5Bname%5D%2A%2A"]),
        (("matrix", "PUT", "/_matrix/client/v3/rooms/!a:b.example/send/m.room.message/1", JSON,
            r#"{"msgtype":"m.text","body":"hi","formatted_body":"My patient Mr. <strong>Castel</strong>lano coded"}"#.into()),
            &["<strong>[name]</strong> coded"]),
    ];
    for (call, kept) in rows {
        let body = redacted(call);
        for gone in ["Castel", "lano"] {
            assert!(!body.contains(gone), "{} {gone}: {body}", call.0);
        }
        assert!(kept.iter().any(|kept| body.contains(kept)), "{}: {body}", call.0);
        if call.0 != "reddit" {
            for kept in *kept {
                assert!(body.contains(kept), "{} {kept}: {body}", call.0);
            }
        }
    }
}

/// The words under a range, by its platform's own count, are the same before and after.
#[test]
fn ranges_lie_on_the_same_words() {
    let utf16 = |text: &str, start: usize, end: usize| -> String {
        let units: Vec<u16> = text.encode_utf16().collect();
        String::from_utf16(&units[start..end]).unwrap()
    };
    let points = |text: &str, start: usize, end: usize| -> String {
        text.chars().skip(start).take(end - start).collect()
    };
    // Two units, one point, four bytes: a range by the wrong count would land beside its word.
    let text = "😀 My patient Mr. Castellano coded, so sad 😀 today";
    let before = |word: &str| text.split(word).next().unwrap();
    let at16 = before("sad").encode_utf16().count();
    let at = before("sad").chars().count();
    let name = before("Castellano").encode_utf16().count();
    let json = serde_json::Value::String(text.into());

    let entities = format!(
        r#"[{{"type":"bold","offset":{at16},"length":3}},{{"type":"italic","offset":{name},"length":10}},{{"type":"code","offset":0,"length":2}}]"#
    );
    let check_telegram = |text: &str, entities: &serde_json::Value| {
        let entities = entities.as_array().unwrap();
        let number = |entity: &serde_json::Value, key: &str| {
            usize::try_from(entity[key].as_u64().unwrap()).unwrap()
        };
        let words: Vec<String> = entities
            .iter()
            .map(|it| {
                utf16(text, number(it, "offset"), number(it, "offset") + number(it, "length"))
            })
            .collect();
        assert_eq!(words, ["sad", "😀"], "{text}");
    };
    let body = redacted(&(
        "telegram",
        "POST",
        "/bot1:AA/sendMessage",
        JSON,
        format!(r#"{{"chat_id":1,"text":{json},"entities":{entities}}}"#),
    ));
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    check_telegram(body["text"].as_str().unwrap(), &body["entities"]);

    let body = redacted(&(
        "telegram",
        "POST",
        "/bot1:AA/sendMessage",
        FORM,
        format!("text={}&entities={}", form(text), form(&entities)),
    ));
    let fields: Vec<(String, String)> = body
        .split('&')
        .map(|field| {
            let (name, value) = field.split_once('=').unwrap();
            let value = percent_encoding::percent_decode_str(value).decode_utf8().unwrap();
            (name.to_owned(), value.into_owned())
        })
        .collect();
    check_telegram(&fields[0].1, &serde_json::from_str(&fields[1].1).unwrap());

    let body = redacted(&(
        "telegram",
        "POST",
        "/bot1:AA/sendMediaGroup",
        JSON,
        format!(
            r#"{{"media":[{{"type":"photo","media":"x","caption":{json},"caption_entities":{entities}}}]}}"#
        ),
    ));
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let media = &body["media"][0];
    check_telegram(media["caption"].as_str().unwrap(), &media["caption_entities"]);

    let formatting = format!(r#"[{{"type":"bold","start":{at},"end":{}}}]"#, at + 3);
    let block =
        format!(r#"{{"content":[{{"type":"text","text":{json},"formatting":{formatting}}}]}}"#);
    let body = redacted(&("tumblr", "POST", "/v2/blog/ward/posts", JSON, block));
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let block = &body["content"][0];
    let number =
        |key: &str| usize::try_from(block["formatting"][0][key].as_u64().unwrap()).unwrap();
    assert_eq!(points(block["text"].as_str().unwrap(), number("start"), number("end")), "sad");
}

/// What is signed, sealed or said in two ways is not edited.
#[test]
fn what_cannot_be_redacted_is_not_sent() {
    let post = "My patient Mr. Castellano coded in room 412 last night";
    let json = serde_json::Value::String(post.to_owned()).to_string();
    let calls: &[Call<'_>] = &[
        (
            "nostr",
            "POST",
            "/",
            JSON,
            format!(
                r#"["EVENT",{{"id":"a","pubkey":"b","kind":1,"tags":[],"content":{json},"sig":"c"}}]"#
            ),
        ),
        (
            "matrix",
            "PUT",
            "/_matrix/client/v3/rooms/!a:b.example/send/m.room.encrypted/1",
            JSON,
            r#"{"algorithm":"m.megolm.v1.aes-sha2","ciphertext":"AwgAEnAC"}"#.into(),
        ),
        (
            "telegram",
            "POST",
            "/bot1:AA/sendMessage",
            FORM,
            format!("text={}&parse_mode=HTML&parse_mode=MarkdownV2", form(post)),
        ),
        (
            "telegram",
            "POST",
            "/bot1:AA/sendMessage?entities=%5B%7B%22type%22%3A%22bold%22%2C%22offset%22%3A0%2C%22length%22%3A2%7D%5D",
            FORM,
            format!("text={}", form(post)),
        ),
        (
            "tiktok",
            "POST",
            "/v2/post/publish/video/init/?X-Bogus=1",
            JSON,
            format!(r#"{{"post_info":{{"title":{json}}}}}"#),
        ),
    ];
    for call in calls {
        let inspection = inspect(call);
        assert!(matches!(inspection.verdict, Verdict::Block(_)), "{} {}", call.0, call.2);
        assert!(inspection.fault.is_some(), "{} {}", call.0, call.2);
    }
}

/// The status and shape that each platform's clients show.
#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn blocked_posts_are_answered_as_the_platform_would() {
    let text = "pt ssn 078-05-1120 please update the chart";
    let esc = form(text);
    let rows: &[(Call<'_>, u16, &str, &str)] = &[
        (
            ("reddit", "POST", "/api/comment", FORM, format!("text={esc}")),
            200,
            "application/json; charset=UTF-8",
            r#"{"json":{"errors":[["PHI_BLOCKED",""#,
        ),
        (
            ("slack", "POST", "/api/chat.postMessage", FORM, format!("text={esc}")),
            200,
            "application/json; charset=utf-8",
            r#"{"ok":false,"error":"blocked_by_hospital_policy_phi""#,
        ),
        (
            ("slack", "POST", "/services/T/B/x", JSON, format!(r#"{{"text":"{text}"}}"#)),
            403,
            "text/plain; charset=utf-8",
            "action_prohibited: Blocked",
        ),
        (
            (
                "discord",
                "POST",
                "/api/v10/channels/1/messages",
                JSON,
                format!(r#"{{"content":"{text}"}}"#),
            ),
            400,
            "application/json",
            r#"{"message":"Blocked"#,
        ),
        (
            (
                "telegram",
                "GET",
                "/bot1:AA/sendMessage?text=pt%20ssn%20078-05-1120",
                "",
                String::new(),
            ),
            403,
            "application/json",
            r#"{"ok":false,"error_code":403,"description":"Forbidden: Blocked"#,
        ),
        (
            (
                "youtube",
                "POST",
                "/youtube/v3/comments",
                JSON,
                format!(r#"{{"snippet":{{"textOriginal":"{text}"}}}}"#),
            ),
            403,
            "application/json; charset=UTF-8",
            r#"{"error":{"code":403,"message":"Blocked"#,
        ),
        (
            (
                "tumblr",
                "POST",
                "/api/v2/blog/b/posts",
                JSON,
                format!(r#"{{"content":[{{"text":"{text}"}}]}}"#),
            ),
            403,
            "application/json; charset=utf-8",
            r#"{"meta":{"status":403"#,
        ),
        (
            ("pinterest", "POST", "/v5/pins", JSON, format!(r#"{{"title":"{text}"}}"#)),
            403,
            "application/json",
            r#"{"code":29,"message":"Blocked"#,
        ),
        (
            (
                "tiktok",
                "POST",
                "/v2/post/publish/video/init/",
                JSON,
                format!(r#"{{"post_info":{{"title":"{text}"}}}}"#),
            ),
            403,
            "application/json; charset=utf-8",
            r#"{"data":{},"error":{"code":"blocked_by_hospital_policy","message":"Blocked"#,
        ),
        (
            ("micropub", "POST", "/micropub", FORM, format!("content={esc}")),
            403,
            "application/json",
            r#"{"error":"forbidden","error_description":"Blocked"#,
        ),
        (
            ("wordpress", "POST", "/wp-json/wp/v2/posts", JSON, format!(r#"{{"title":"{text}"}}"#)),
            403,
            "application/json; charset=UTF-8",
            r#"{"code":"rest_phi_blocked","message":"Blocked"#,
        ),
        (
            (
                "matrix",
                "PUT",
                "/_matrix/client/r0/rooms/!a:b/send/m.room.message/1",
                JSON,
                format!(r#"{{"body":"{text}"}}"#),
            ),
            403,
            "application/json",
            r#"{"errcode":"M_FORBIDDEN","error":"Blocked"#,
        ),
        (
            ("nostr", "POST", "/", JSON, format!(r#"{{"content":"{text}"}}"#)),
            403,
            "application/json",
            r#"["OK","",false,"blocked: Blocked"#,
        ),
    ];
    for (call, status, content_type, begins) in rows {
        let inspection = inspect(call);
        let Verdict::Block(answer) = &inspection.verdict else {
            panic!("{} {}: {}", call.0, call.2, inspection.verdict.as_str());
        };
        let body = String::from_utf8(answer.body.clone()).unwrap();
        assert_eq!(answer.status.as_u16(), *status, "{}", call.0);
        assert_eq!(answer.content_type, *content_type, "{}", call.0);
        assert!(body.starts_with(begins), "{}: {body}", call.0);
        assert!(
            body.contains("record number")
                || body.contains("Social Security")
                || body.contains("k3f7q2ma"),
            "{body}"
        );
        assert!(!body.contains("078"), "{body}");
    }
}

/// A bot's token is in the path: it is no identifier, and is written nowhere.
#[test]
fn tokens_in_paths_are_not_read() {
    for (platform, path) in [
        ("telegram", "/bot0780511200:078-05-1120/sendMessage"),
        ("discord", "/api/webhooks/1/078-05-1120"),
    ] {
        let call = (
            platform,
            "POST",
            path,
            JSON,
            r#"{"text":"Flu clinic is open","content":"Hello all of you"}"#.into(),
        );
        let inspection = inspect(&call);
        assert_eq!(inspection.verdict, Verdict::Forward, "{platform}");
        assert!(inspection.known, "{platform}");
        let in_path = |finding: &JudgedFinding| finding.field.starts_with("path");
        assert!(!inspection.findings.iter().any(in_path), "{platform}");
        assert!(!inspection.endpoint.contains("078"), "{platform}");
    }
}

mod cuts {
    use proptest::prelude::*;

    use super::{JSON, SHIPPED, TODAY, redacted};

    /// Where the words below may be cut: at any byte, since they are ASCII.
    const WORDS: &str = "My patient Mr. Castellano coded in room 412 last night";

    fn pieces(cuts: &[usize]) -> Vec<&'static str> {
        let mut cuts = cuts.to_vec();
        cuts.sort_unstable();
        cuts.dedup();
        let mut pieces = Vec::new();
        let mut rest = WORDS;
        let mut at = 0;
        for cut in cuts {
            let (piece, after) = rest.split_at(cut - at);
            pieces.push(piece);
            (rest, at) = (after, cut);
        }
        pieces.push(rest);
        pieces.retain(|piece| !piece.is_empty());
        pieces
    }

    fn want() -> String {
        let alone = SHIPPED.judge_text(WORDS, "generic", None, None, TODAY);
        alone.redacted.expect("a redaction").expose().to_owned()
    }

    /// All texts of nodes, in order; none is empty.
    fn texts(value: &serde_json::Value, key: &str, out: &mut String) {
        match value {
            serde_json::Value::Array(list) => list.iter().for_each(|it| texts(it, key, out)),
            serde_json::Value::Object(object) => {
                for (name, value) in object {
                    match value {
                        serde_json::Value::String(text) if name == key => {
                            assert!(!text.is_empty(), "an empty node");
                            out.push_str(text);
                        }
                        other => texts(other, key, out),
                    }
                }
            }
            _ => {}
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Wherever rich text or HTML is cut, what a reader sees is what the same words uncut would read.
        #[test]
        fn however_a_text_is_cut_it_is_redacted_as_one(
            cuts in prop::collection::vec(0..WORDS.len(), 0..6)
        ) {
            let pieces = pieces(&cuts);
            let nodes = |key: &str| -> Vec<serde_json::Value> {
                pieces.iter().map(|piece| serde_json::json!({ "type": "text", key: piece })).collect()
            };
            let section = serde_json::json!({ "type": "rich_text_section", "elements": nodes("text") });
            let body = serde_json::json!({ "channel": "C1", "blocks": [{ "type": "rich_text", "elements": [section] }] });
            let after = redacted(&("slack", "POST", "/api/chat.postMessage", JSON, body.to_string()));
            let mut read = String::new();
            texts(&serde_json::from_str(&after).unwrap(), "text", &mut read);
            prop_assert_eq!(read, want());

            let rich = serde_json::json!({ "document": [{ "e": "par", "c": nodes("t") }] });
            let body = serde_json::json!({ "title": "Hi", "richtext_json": rich });
            let after = redacted(&("reddit", "POST", "/api/submit_poll_post", JSON, body.to_string()));
            let mut read = String::new();
            texts(&serde_json::from_str(&after).unwrap(), "t", &mut read);
            prop_assert_eq!(read, want());

            let html = pieces.join("<b></b>");
            let body = serde_json::json!({ "content": html });
            let after = redacted(&("wordpress", "POST", "/wp-json/wp/v2/posts", JSON, body.to_string()));
            let after: serde_json::Value = serde_json::from_str(&after).unwrap();
            prop_assert_eq!(after["content"].as_str().unwrap().replace("<b></b>", ""), want());
        }
    }
}
