//! Calls as the stock clients of five platforms send them: what of each is words, and what is not read at all.

use http::Method;

use super::{body, platform, query};
use crate::body::{Document, Role};
use crate::platform::{Endpoint, FieldClass, Place};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const MULTIPART: &str = "multipart/form-data; boundary=b";

struct Case {
    call: &'static str,
    content_type: Option<&'static str>,
    body: &'static str,
    /// Template and text.
    words: &'static [(&'static str, &'static str)],
    /// Texts that are not read.
    opaque: &'static [&'static str],
}

#[track_caller]
fn check(name: &str, cases: &[Case]) {
    let platform = platform(name);
    for case in cases {
        let (method, target) = case.call.split_once(' ').unwrap();
        let (path, params) = target.split_once('?').unwrap_or((target, ""));
        let document = body(case.content_type, case.body);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let resolved = platform.resolve(&method, path, Some(&document));
        assert!(resolved.known, "{}", case.call);
        let (mut words, mut opaque) = (Vec::new(), Vec::new());
        sort(resolved.endpoint, &document, false, &mut words, &mut opaque);
        sort(resolved.endpoint, &query(params), true, &mut words, &mut opaque);
        assert_eq!(words, to_owned(case.words), "words of {} {}", case.call, case.body);
        assert_eq!(opaque, case.opaque, "opaque of {} {}", case.call, case.body);
    }
}

fn to_owned(words: &[(&str, &str)]) -> Vec<(String, String)> {
    words.iter().map(|(template, text)| ((*template).into(), (*text).into())).collect()
}

fn sort(
    endpoint: &Endpoint,
    document: &Document,
    in_query: bool,
    words: &mut Vec<(String, String)>,
    opaque: &mut Vec<String>,
) {
    for text in document.texts() {
        let place = match (in_query, text.in_part) {
            (true, _) => Place::Query,
            (false, true) => Place::Part,
            (false, false) => Place::Body,
        };
        let content = text.text.expose().to_owned();
        match endpoint.classify(place, &text.path, text.role) {
            FieldClass::Words(spec) => words.push((spec.template.clone(), content)),
            FieldClass::Opaque(_) if matches!(text.role, Role::Value | Role::Number) => {
                opaque.push(content);
            }
            FieldClass::Opaque(_) | FieldClass::Other => {}
        }
    }
}

#[test]
fn mastodon() {
    check(
        "mastodon",
        &[
            Case {
                call: "POST /api/v1/statuses",
                content_type: Some(FORM),
                body: "status=Saw+Ann+Bray+today+%F0%9F%8F%A5&sensitive=0&spoiler_text=cw+text&language=en",
                words: &[("status", "Saw Ann Bray today 🏥"), ("spoiler_text", "cw text")],
                opaque: &[],
            },
            Case {
                call: "POST /api/v1/statuses",
                content_type: Some(JSON),
                body: r#"{"status": "Saw Ann \ud83c\udfe5", "sensitive": "0", "poll": {"options": ["yes Ann", "no"], "expires_in": 3600, "multiple": false}}"#,
                words: &[
                    ("status", "Saw Ann 🏥"),
                    ("poll.options[]", "yes Ann"),
                    ("poll.options[]", "no"),
                ],
                opaque: &["3600"],
            },
            Case {
                call: "POST /api/v1/statuses",
                content_type: Some(FORM),
                body: "status=a&poll%5Boptions%5D%5B%5D=yes&poll[options][]=no&media_ids[]=9&in_reply_to_id=8",
                words: &[("status", "a"), ("poll.options[]", "yes"), ("poll.options[]", "no")],
                opaque: &["9", "8"],
            },
            Case {
                call: "POST /api/v1/statuses?status=saw+Ann",
                content_type: Some(JSON),
                body: r#"{"STATUS":"hi","status":"one","status":"two"}"#,
                words: &[
                    ("status", "hi"),
                    ("status", "one"),
                    ("status", "two"),
                    ("status", "saw Ann"),
                ],
                opaque: &[],
            },
            Case {
                call: "POST /api/v1/statuses",
                content_type: Some(JSON),
                body: r#"{"status": "Saw Ann", "media_ids": ["9"], "sensitive": false}"#,
                words: &[("status", "Saw Ann")],
                opaque: &["9"],
            },
            Case {
                call: "PUT /api/v1/statuses/11",
                content_type: Some(JSON),
                body: r#"{"status":"Saw Ann","media_attributes":[{"id":"9","description":"Ann's arm"}]}"#,
                words: &[("status", "Saw Ann"), ("media_attributes[].description", "Ann's arm")],
                opaque: &["9"],
            },
            Case {
                call: "POST /api/v2/media",
                content_type: Some(MULTIPART),
                body: "--b\r\nContent-Disposition: form-data; name=\"description\"\r\n\r\nalt Ann\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"ann.png\"\r\nContent-Type: image/png\r\n\r\n\u{1}PNG\r\n--b--\r\n",
                words: &[("description", "alt Ann"), ("filename:*", "ann.png")],
                opaque: &[],
            },
            Case {
                call: "PATCH /api/v1/accounts/update_credentials",
                content_type: Some(FORM),
                body: "display_name=Dr+Bray&note=nurse&fields_attributes%5B0%5D%5Bname%5D=ward&fields_attributes[0][value]=five&locked=true",
                words: &[
                    ("display_name", "Dr Bray"),
                    ("note", "nurse"),
                    ("fields_attributes[].name", "ward"),
                    ("fields_attributes[].value", "five"),
                ],
                opaque: &[],
            },
            Case {
                call: "POST /oauth/token",
                content_type: Some(FORM),
                body: "grant_type=password&username=a.bray%40clinic.example&password=pw&client_id=c",
                words: &[],
                opaque: &["password", "a.bray@clinic.example", "pw", "c"],
            },
            Case {
                call: "GET /api/v2/search?q=Ann+Bray+of+ward+five&resolve=true",
                content_type: None,
                body: "",
                words: &[],
                opaque: &["Ann Bray of ward five", "true"],
            },
        ],
    );
}

#[test]
fn x() {
    check(
        "x",
        &[
            Case {
                call: "POST /2/tweets",
                content_type: Some(JSON),
                body: r#"{"poll": {"options": ["yes", "no"], "duration_minutes": 60}, "text": "Saw Ann \ud83c\udfe5", "reply":{"in_reply_to_tweet_id":"1111111111111111111"},"media":{"media_ids":["2222222222222222222"]}}"#,
                words: &[
                    ("poll.options[]", "yes"),
                    ("poll.options[]", "no"),
                    ("text", "Saw Ann 🏥"),
                ],
                opaque: &["1111111111111111111", "2222222222222222222"],
            },
            Case {
                call: "POST /2/dm_conversations/with/2/messages",
                content_type: Some(JSON),
                body: r#"{"text": "Saw Ann"}"#,
                words: &[("text", "Saw Ann")],
                opaque: &[],
            },
            Case {
                call: "POST /1.1/statuses/update.json?status=Saw+Ann+today",
                content_type: None,
                body: "",
                words: &[("query:status", "Saw Ann today")],
                opaque: &[],
            },
            Case {
                call: "POST /1.1/statuses/update.json",
                content_type: Some(FORM),
                body: "status=Saw+Ann&tweet_mode=extended",
                words: &[("status", "Saw Ann")],
                opaque: &[],
            },
            Case {
                call: "POST /1.1/media/upload.json",
                content_type: Some(MULTIPART),
                body: "--b\r\nContent-Disposition: form-data; name=\"command\"\r\n\r\nINIT\r\n--b\r\nContent-Disposition: form-data; name=\"total_bytes\"\r\n\r\n6\r\n--b--\r\n",
                words: &[],
                opaque: &["6"],
            },
            Case {
                call: "POST /1.1/media/metadata/create.json",
                content_type: Some(JSON),
                body: r#"{"media_id": "9", "alt_text": {"text": "alt Ann"}}"#,
                words: &[("alt_text.text", "alt Ann")],
                opaque: &["9"],
            },
            Case {
                call: "POST /i/api/graphql/aBcD/CreateTweet",
                content_type: Some(JSON),
                body: r#"{"variables":{"tweet_text":"Saw Ann","media":{"media_entities":[],"possibly_sensitive":false},"reply":{"in_reply_to_tweet_id":"11"}},"queryId":"aBcD"}"#,
                words: &[("variables.tweet_text", "Saw Ann")],
                opaque: &["11", "aBcD"],
            },
            Case {
                call: "POST /v2/cards/create.json",
                content_type: Some(FORM),
                body: "card_data=%7B%22twitter%3Astring%3Achoice1_label%22%3A%22yes%20Ann%22%2C%22twitter%3Acard%22%3A%22poll%22%7D",
                words: &[("card_data.\"twitter:string:choice1_label\"", "yes Ann")],
                opaque: &[],
            },
            Case {
                call: "POST /1.1/onboarding/task.json",
                content_type: Some(JSON),
                body: r#"{"flow_token":"t","subtask_inputs":[{"enter_text":{"text":"a.bray@clinic.example"}}]}"#,
                words: &[],
                opaque: &["t", "a.bray@clinic.example"],
            },
        ],
    );
}

#[test]
fn bluesky() {
    check(
        "bluesky",
        &[
            Case {
                call: "POST /xrpc/com.atproto.server.createSession",
                content_type: Some(JSON),
                body: r#"{"identifier":"a.bray@clinic.example","password":"pw"}"#,
                words: &[],
                opaque: &["a.bray@clinic.example", "pw"],
            },
            Case {
                call: "POST /xrpc/com.atproto.repo.createRecord",
                content_type: Some(JSON),
                body: r#"{"collection":"app.bsky.feed.post","record":{"createdAt":"2026-11-22T13:13:16Z","text":"Saw Ann 🏥","langs":["en"],"$type":"app.bsky.feed.post"},"repo":"did:plc:aaaa","validate":true}"#,
                words: &[("record.text", "Saw Ann 🏥")],
                opaque: &[
                    "app.bsky.feed.post",
                    "2026-11-22T13:13:16Z",
                    "en",
                    "app.bsky.feed.post",
                    "did:plc:aaaa",
                ],
            },
            Case {
                call: "POST /xrpc/com.atproto.repo.createRecord",
                content_type: Some(JSON),
                body: r#"{"record":{"text":"see a.example ~ann","facets":[{"index":{"byteStart":4,"byteEnd":13},"features":[{"$type":"f","uri":"https://a.example/ann"}]},{"index":{"byteStart":14,"byteEnd":18},"features":[{"tag":"ann"}]}],"embed":{"$type":"e","images":[{"alt":"Ann's arm","image":{"ref":{"$link":"bafy"},"mimeType":"image/png","size":9}}]}}}"#,
                words: &[
                    ("record.text", "see a.example ~ann"),
                    ("record.facets[].features[].tag", "ann"),
                    ("record.embed.**.alt", "Ann's arm"),
                ],
                opaque: &["4", "13", "f", "14", "18", "e", "bafy", "image/png", "9"],
            },
            Case {
                call: "POST /xrpc/com.atproto.repo.putRecord",
                content_type: Some(JSON),
                body: r#"{"collection":"app.bsky.actor.profile","rkey":"self","record":{"displayName":"Dr Bray","description":"ward five"}}"#,
                words: &[("record.displayName", "Dr Bray"), ("record.description", "ward five")],
                opaque: &["app.bsky.actor.profile"],
            },
            Case {
                call: "POST /xrpc/com.atproto.repo.createRecord",
                content_type: Some(JSON),
                body: r#"{"collection":"com.example.diary","record":{"$type":"com.example.diary","entry":{"lines":["saw Ann","home"]},"uri":"at://x"}}"#,
                words: &[("record.**", "saw Ann"), ("record.**", "home")],
                opaque: &["com.example.diary", "com.example.diary"],
            },
            Case {
                call: "POST /xrpc/com.atproto.repo.applyWrites",
                content_type: Some(JSON),
                body: r#"{"repo":"did:plc:aaaa","writes":[{"$type":"com.atproto.repo.applyWrites#create","collection":"app.bsky.feed.post","rkey":"3l","value":{"$type":"app.bsky.feed.post","text":"Saw Ann","reply":{"parent":{"uri":"at://did:plc:aaaa/app.bsky.feed.post/3k","cid":"bafy"}}}}]}"#,
                words: &[("writes[].value.text", "Saw Ann")],
                opaque: &[
                    "did:plc:aaaa",
                    "com.atproto.repo.applyWrites#create",
                    "app.bsky.feed.post",
                    "app.bsky.feed.post",
                    "bafy",
                ],
            },
            Case {
                call: "POST /xrpc/chat.bsky.convo.sendMessage",
                content_type: Some(JSON),
                body: r#"{"convoId":"3l","message":{"text":"Saw Ann"}}"#,
                words: &[("message.text", "Saw Ann")],
                opaque: &["3l"],
            },
            Case {
                call: "GET /xrpc/app.bsky.feed.searchPosts?q=ann%40clinic.example",
                content_type: None,
                body: "",
                words: &[],
                opaque: &["ann@clinic.example"],
            },
        ],
    );
}

#[test]
fn facebook() {
    check(
        "facebook",
        &[
            Case {
                call: "POST /v3.1/me/feed",
                content_type: Some(FORM),
                body: "message=Saw+Ann&link=https%3A%2F%2Fa.example&access_token=tok",
                words: &[("message", "Saw Ann")],
                opaque: &["tok"],
            },
            Case {
                call: "POST /v3.1/me/photos",
                content_type: Some(MULTIPART),
                body: "--b\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\nSaw Ann\r\n--b\r\nContent-Disposition: form-data; name=\"access_token\"\r\n\r\ntok\r\n--b\r\nContent-Disposition: form-data; name=\"source\"; filename=\"ann.jpg\"\r\n\r\n\u{1}PNG\r\n--b--\r\n",
                words: &[("message", "Saw Ann"), ("filename:*", "ann.jpg")],
                opaque: &["tok"],
            },
            Case {
                call: "POST /v25.0/1_2/comments?message=Saw+Ann&access_token=tok",
                content_type: None,
                body: "",
                words: &[("message", "Saw Ann")],
                opaque: &["tok"],
            },
            Case {
                call: "POST /v25.0/me/feed",
                content_type: Some(JSON),
                body: r#"{"message":"Saw Ann","batch":"[]","child_attachments":[{"name":"Ann","link":"https://a.example"}]}"#,
                words: &[("message", "Saw Ann"), ("child_attachments[].name", "Ann")],
                opaque: &[],
            },
            Case {
                call: "POST /api/graphql/",
                content_type: Some(FORM),
                body: "fb_dtsg=d&fb_api_req_friendly_name=ComposerStoryCreateMutation&variables=%7B%22input%22%3A%7B%22message%22%3A%7B%22text%22%3A%22Saw%20Ann%22%2C%22ranges%22%3A%5B%5D%7D%7D%7D",
                words: &[("variables.input.message.text", "Saw Ann")],
                opaque: &["d"],
            },
            Case {
                call: "POST /oauth/access_token",
                content_type: Some(FORM),
                body: "client_id=1&client_secret=s&batch=saw+Ann",
                words: &[],
                opaque: &["1", "s"],
            },
        ],
    );
}

#[test]
fn generic() {
    check(
        "generic",
        &[
            Case {
                call: "POST /hooks/ward",
                content_type: Some(JSON),
                body: r#"{"text":"Saw Ann","id":"7","deep":[{"body":"home","password":"pw"}],"tags":["ward"]}"#,
                words: &[("**.text", "Saw Ann"), ("**.body", "home"), ("**.tags[]", "ward")],
                opaque: &["pw"],
            },
            Case {
                call: "PUT /a/b",
                content_type: Some(FORM),
                body: "comment=Saw+Ann&access_token=tok&who=x",
                words: &[("**.comment", "Saw Ann")],
                opaque: &["tok"],
            },
        ],
    );
}
