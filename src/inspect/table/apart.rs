//! Strings that a reader sees together, and labels that stand apart from what they label: each way past that was found is a
//! row.

use super::{Call, FORM, JSON, inspect};
use crate::inspect::Verdict;

const TOOT: &str = "/api/v1/statuses";
const MESSAGE: &str = "/api/v10/channels/1/messages";
const VTT: &str = "text/vtt";

fn json(platform: &'static str, path: &'static str, body: &str) -> Call<'static> {
    (platform, "POST", path, JSON, body.to_owned())
}

fn form(platform: &'static str, path: &'static str, body: &str) -> Call<'static> {
    (platform, "POST", path, FORM, body.to_owned())
}

#[track_caller]
fn check(calls: &[(Call<'_>, &str)]) {
    for (call, want) in calls {
        let inspection = inspect(call);
        assert_eq!(
            inspection.verdict.as_str(),
            *want,
            "{} {} {}: {:?}",
            call.0,
            call.2,
            call.4,
            inspection.findings
        );
    }
}

#[test]
fn a_label_in_one_string_labels_the_number_in_the_next() {
    let slack = |blocks: &str| {
        json("slack", "/api/chat.postMessage", &format!(r#"{{"channel":"C1","blocks":{blocks}}}"#))
    };
    let vtt = |cues: [&str; 2]| -> Call<'static> {
        let cues = cues.map(|cue| format!("00:01.000 --> 00:02.000\n{cue}\n")).join("\n");
        ("bluesky", "POST", "/xrpc/com.atproto.repo.uploadBlob", VTT, format!("WEBVTT\n\n{cues}"))
    };
    check(&[
        (json("mastodon", TOOT, r#"{"spoiler_text":"MRN","status":"00412345"}"#), "block"),
        (
            json("mastodon", TOOT, r#"{"status":"who?","poll":{"options":["MRN","00412345"]}}"#),
            "block",
        ),
        (
            json("discord", MESSAGE, r#"{"embeds":[{"title":"MRN","description":"00412345"}]}"#),
            "block",
        ),
        (
            json(
                "discord",
                MESSAGE,
                r#"{"embeds":[{"title":"**MRN**","description":"||00412345||"}]}"#,
            ),
            "block",
        ),
        (
            slack(
                r#"[{"type":"header","text":{"text":"MRN"}},{"type":"section","text":{"text":"00412345"}}]"#,
            ),
            "block",
        ),
        (slack(r#"[{"type":"section","fields":[{"text":"*MRN*"},{"text":"00412345"}]}]"#), "block"),
        (slack(r#"[{"type":"table","rows":[[{"text":"MRN"},{"text":"00412345"}]]}]"#), "block"),
        (form("reddit", "/api/submit", "sr=test&title=MRN&text=00412345"), "block"),
        (
            json(
                "wordpress",
                "/wp-json/wp/v2/posts",
                r#"{"title":"MRN","content":"<p>00412345</p>"}"#,
            ),
            "block",
        ),
        (
            json(
                "bluesky",
                "/xrpc/com.atproto.repo.applyWrites",
                r#"{"writes":[{"value":{"text":"the MRN:"}},{"value":{"text":"00412345"}}]}"#,
            ),
            "block",
        ),
        (vtt(["MRN", "00412345"]), "block"),
        (vtt(["Welcome to the ward", "00412345 steps today"]), "forward"),
        (
            json("discord", MESSAGE, r#"{"embeds":[{"title":"Steps","description":"00412345"}]}"#),
            "forward",
        ),
        (
            json(
                "mastodon",
                TOOT,
                r#"{"spoiler_text":"MRNs explained","status":"Every hospital has its own."}"#,
            ),
            "forward",
        ),
    ]);
}

/// In every kind of body, and over body and query.
#[test]
fn a_label_and_its_number_are_read_together_in_every_body() {
    let batch = percent_encoding::utf8_percent_encode(
        r#"[{"method":"POST","relative_url":"me/feed","body":"message=MRN"},{"method":"POST","relative_url":"me/feed","body":"message=00412345"}]"#,
        percent_encoding::NON_ALPHANUMERIC,
    );
    let member = |name: &str, text: &str| {
        format!("<member><name>{name}</name><value><string>{text}</string></value></member>")
    };
    let members = member("post_title", "MRN") + &member("post_content", "00412345");
    let xml = format!(
        "<methodCall><methodName>wp.newPost</methodName><params><param><value><struct>{members}</struct></value></param></params></methodCall>"
    );
    check(&[
        (
            (
                "mastodon",
                "POST",
                "/api/v1/statuses?spoiler_text=MRN",
                FORM,
                "status=00412345".into(),
            ),
            "block",
        ),
        (
            (
                "mastodon",
                "POST",
                "/api/v1/statuses?status=00412345",
                FORM,
                "spoiler_text=MRN".into(),
            ),
            "block",
        ),
        (form("facebook", "/", &format!("batch={batch}")), "block"),
        (("wordpress", "POST", "/xmlrpc.php", "text/xml", xml), "block"),
        (
            json(
                "tumblr",
                "/v2/blog/w/posts",
                r#"{"content":[{"type":"text","text":"MRN"},{"type":"image","alt_text":"00412345"}]}"#,
            ),
            "block",
        ),
    ]);
}

#[test]
fn what_a_post_is_about_is_told_by_all_of_it() {
    let long = "The bake sale is back in the lobby on Friday, with pies by the whole of the fourth floor and coffee at cost. \
                Bring small change and a friend, and stay for the raffle, whose proceeds go to the library cart again.";
    let patient = "My patient Mr. Castellano coded in room 412 last night and his wife held my hand the whole time, I still shake.";
    let toot = |one: &str, two: &str| {
        let body = serde_json::json!({ "spoiler_text": one, "status": two }).to_string();
        ("mastodon", "POST", TOOT, JSON, body)
    };
    check(&[
        (toot("Patient", "Dorothy Kowalski"), "redact"),
        (toot("my patient Dorothy", "Kowalski died last night in the ICU"), "redact"),
        (toot("Dorothy", "Kowalski coded in the ICU"), "redact"),
        // Beside much else, what one string says by itself counts.
        (toot(long, patient), "redact"),
        (toot(patient, long), "redact"),
        (toot(long, "Thank you all for coming, it was great to see Jane again."), "forward"),
        (toot("Congratulations", "Dorothy Kowalski is our nurse of the month!"), "forward"),
    ]);
}

#[test]
fn each_string_is_redacted_where_it_stands() {
    let body = r#"{"embeds":[{"title":"Patient","description":"||Dorothy|| Kowalski","footer":{"text":"ask me"}}]}"#;
    let after = super::redacted(&json("discord", MESSAGE, body));
    let want =
        r#"{"embeds":[{"title":"Patient","description":"||[name]||","footer":{"text":"ask me"}}]}"#;
    assert_eq!(after, want);
}

#[test]
fn a_finding_of_several_readings_is_listed_once() {
    let inspection = inspect(&json(
        "discord",
        MESSAGE,
        r#"{"embeds":[{"title":"MRN","description":"00412345"}]}"#,
    ));
    let n_mrn = inspection.findings.iter().filter(|finding| finding.category.as_str() == "mrn");
    assert_eq!(n_mrn.count(), 1, "{:?}", inspection.findings);
}

#[test]
fn labels_stand_where_they_may() {
    let notes = |body: &str, want| (json("generic", "/v1/notes", body), want);
    check(&[
        notes(r#"{"mrn":{"value":"00412345"}}"#, "block"),
        notes(r#"{"mrn":{"value":{"raw":"00412345"}}}"#, "block"),
        notes(r#"{"mrn":{"text":"00412345"}}"#, "block"),
        notes(r#"{"patient":{"id":"00412345"}}"#, "block"),
        notes(r#"{"thePatient":{"identifier":"00412345"}}"#, "block"),
        notes(r#"{"label":"MRN","content":"00412345"}"#, "block"),
        notes(r#"{"content":"00412345","label":"MRN"}"#, "block"),
        notes(r#"{"label":"MRN","data":"00412345"}"#, "block"),
        notes(r#"{"title":"MRN","body":"00412345"}"#, "block"),
        notes(r#"{"a":[["mrn","00412345"]]}"#, "block"),
        notes(r#"{"a":["mrn",412345678]}"#, "block"),
        (
            json(
                "nostr",
                "/",
                r#"["EVENT",{"id":"a","kind":1,"tags":[["mrn","00412345"]],"content":"hi","sig":"c"}]"#,
            ),
            "block",
        ),
        (
            json(
                "wordpress",
                "/wp-json/wp/v2/posts",
                r#"{"title":"a","meta":{"mrn":"<b>00412</b>345"}}"#,
            ),
            "block",
        ),
        (
            json(
                "wordpress",
                "/wp-json/wp/v2/posts",
                r#"{"title":"a","acf":{"patient":{"id":"00412345"}}}"#,
            ),
            "block",
        ),
        (form("generic", "/v1/notes", "f[0][name]=MRN&f[0][value]=00412345"), "block"),
        (form("generic", "/v1/notes", "f[0][value]=00412345&f[0][name]=MRN"), "block"),
        // What is no patient's has ids, too.
        notes(r#"{"account":{"id":"1234567890"}}"#, "forward"),
        notes(r#"{"user":{"id":"00412345"},"order":{"number":"1234567890"}}"#, "forward"),
        notes(r#"{"a":["public","00412345"]}"#, "forward"),
        (form("generic", "/v1/notes", "f[0][name]=MRN&f[1][value]=00412345"), "forward"),
    ]);
}

#[test]
fn what_is_named_an_id_must_look_like_one() {
    let sentence = "My patient Mr. Castellano coded in room 412";
    let discord = |field: &str| json("discord", MESSAGE, &format!(r#"{{"content":"hi",{field}}}"#));
    check(&[
        (discord(&format!(r#""nonce":"{sentence}""#)), "block"),
        (discord(r#""nonce":"MRN:00412345""#), "block"),
        (discord(r#""nonce":"1289034871290348712""#), "forward"),
        (discord(&format!(r#""allowed_mentions":{{"x":"{sentence}"}}"#)), "block"),
        (discord(&format!(r#""attachments":[{{"uploaded_filename":"{sentence}.png"}}]"#)), "block"),
        (
            discord(&format!(
                r#""poll":{{"answers":[{{"poll_media":{{"emoji":{{"name":"{sentence}"}}}}}}]}}"#
            )),
            "block",
        ),
        (
            json(
                "tumblr",
                "/v2/user/filtered_tags",
                &format!(r#"{{"filtered_tags":["{sentence}"]}}"#),
            ),
            "redact",
        ),
        (
            json(
                "misskey",
                "/api/notes/create",
                &format!(r#"{{"i":"t","text":"hi","channelId":"{sentence}"}}"#),
            ),
            "block",
        ),
        (
            json(
                "mastodon",
                "/api/v1/apps",
                r#"{"client_name":"for Mr. Castellano, my patient, who coded","scopes":"read write follow"}"#,
            ),
            "block",
        ),
        (
            json(
                "matrix",
                "/_matrix/client/v3/login",
                r#"{"type":"m.login.password","initial_device_display_name":"phone of my patient Mr. Castellano who coded"}"#,
            ),
            "block",
        ),
        (
            json(
                "matrix",
                "/_matrix/client/v3/login",
                r#"{"type":"m.login.password","identifier":{"user":"nurse.lee"},"password":"my patient Mr. Castellano coded"}"#,
            ),
            "forward",
        ),
        (
            form(
                "micropub",
                "/auth",
                "h=entry&content=My+patient+Mr.+Castellano+coded+in+room+412",
            ),
            "block",
        ),
        (
            form(
                "micropub",
                "/auth",
                "grant_type=authorization_code&code=abc&client_id=https%3A%2F%2Fa.example%2F&me=https%3A%2F%2Fnurse.example%2F",
            ),
            "forward",
        ),
    ]);
    let matrix = ["msgtype", "url", "algorithm"].map(|key| {
        let body = format!(r#"{{"body":"hi","{key}":"{sentence}"}}"#);
        let path = "/_matrix/client/v3/rooms/!a:b.example/send/m.room.message/1";
        (("matrix", "PUT", path, JSON, body), "block")
    });
    check(&matrix);
}

#[test]
fn a_reason_in_a_header_is_read() {
    let inspection = super::inspect_with(
        &json("discord", MESSAGE, r#"{"content":"hi"}"#),
        &[("x-audit-log-reason", "SSN%20078-05-1120")],
    );
    assert!(matches!(inspection.verdict, Verdict::Block(_)));
}
