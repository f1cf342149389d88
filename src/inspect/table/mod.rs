//! The same post on every platform and in every body that its clients send: the same findings, and a redacted body in which
//! every range still lies on its own words.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::civil::{Date, date};

use crate::inspect::check::{PLATFORMS, SHIPPED};
use crate::inspect::{Inspection, JudgedFinding, Request, Verdict};

const TODAY: Date = date(2026, 11, 22);
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=bb";

mod answers;
mod apart;
mod coverage;
mod cuts;
mod exports;
mod marks;
mod opaque;
mod spoilt;

/// One call: platform, method, path with its query, content type, body.
type Call<'a> = (&'a str, &'a str, &'a str, &'a str, String);

fn inspect(call: &Call<'_>) -> Inspection {
    inspect_with(call, &[])
}

fn inspect_with(
    (platform, method, url, content_type, body): &Call<'_>,
    more: &[(&'static str, &str)],
) -> Inspection {
    let (path, query) =
        url.split_once('?').map_or((*url, None), |(path, query)| (path, Some(query)));
    let mut headers = HeaderMap::new();
    if !content_type.is_empty() {
        headers.append(
            HeaderName::from_static("content-type"),
            HeaderValue::from_str(content_type).unwrap(),
        );
    }
    for (name, value) in more {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    SHIPPED.inspect(&Request {
        platform: PLATFORMS.get(platform).expect("a platform"),
        method: &Method::from_bytes(method.as_bytes()).unwrap(),
        path,
        query,
        headers: &headers,
        body: &Bytes::copy_from_slice(body.as_bytes()),
        groups: &[],
        reference: "k3f7q2ma",
        mark: None,
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
/// The words under a range, by its platform's own count, are the same before and after.
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
