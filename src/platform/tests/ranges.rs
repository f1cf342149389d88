//! Ranges of every shape move with their words. The oracle is the words: what stood under a range before stands under
//! it after, by the platform's own count, or the range is gone.

use http::Method;
use proptest::prelude::*;

use super::{body, platform, query};
use crate::body::{Document, Edit, Role};
use crate::platform::platforms::CannotRedact;
use crate::platform::{FieldClass, Place};
use crate::redact::Splice;
use crate::span::Span;

const TEXT: &str = "🏥 Zoë saw Ann Bray with @Bea Roe and é tag 🩺 end";
const GONE: &str = "Ann Bray";
const UNDER: &[&str] = &["Zoë", "saw Ann", "Ann Bray", "Bray with", "@Bea Roe", "é tag 🩺", "end"];
const STAY: &[&str] = &["Zoë", "@Bea Roe", "é tag 🩺", "end"];

/// A call with ranges: `TEXT` stands for the words, `RANGES` for their list.
struct Call {
    platform: &'static str,
    path: &'static str,
    content_type: &'static str,
    body: &'static str,
    /// One range: `S`, `E` and `L` stand for start, end and length.
    range: &'static str,
    count: fn(&str) -> usize,
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}

fn bytes(text: &str) -> usize {
    text.len()
}

const CALLS: &[Call] = &[
    Call {
        platform: "bluesky",
        path: "/xrpc/com.atproto.repo.putRecord",
        content_type: JSON,
        body: r#"{"record":{"text":TEXT,"facets":RANGES}}"#,
        range: r#"{"index":{"byteStart":S,"byteEnd":E},"features":[]}"#,
        count: bytes,
    },
    Call {
        platform: "bluesky",
        path: "/xrpc/com.atproto.repo.applyWrites",
        content_type: JSON,
        body: r#"{"writes":[{"value":{"description":TEXT,"descriptionFacets":RANGES}}]}"#,
        range: r#"{"features":[],"index":{"byteEnd":E,"byteStart":S}}"#,
        count: bytes,
    },
    Call {
        platform: "x",
        path: "/2/articles/draft",
        content_type: JSON,
        body: r#"{"content_state":{"blocks":[{"text":TEXT,"inline_style_ranges":RANGES}]}}"#,
        range: r#"{"offset":S,"length":L,"style":"Bold"}"#,
        count: utf16,
    },
    Call {
        platform: "x",
        path: "/2/articles/draft",
        content_type: JSON,
        body: r#"{"content_state":{"blocks":[{"entity_ranges":RANGES,"text":TEXT}]}}"#,
        range: r#"{"key":7,"offset":S,"length":L}"#,
        count: utf16,
    },
    Call {
        platform: "x",
        path: "/i/api/graphql/q/CreateNoteTweet",
        content_type: JSON,
        body: r#"{"variables":{"tweet_text":TEXT,"richtext_options":{"richtext_tags":RANGES}}}"#,
        range: r#"{"from_index":S,"to_index":E,"richtext_types":["Bold"]}"#,
        count: utf16,
    },
    Call {
        platform: "facebook",
        path: "/api/graphql/",
        content_type: FORM,
        body: r#"fb_api_req_friendly_name=ComposerStoryCreateMutation&variables={"input":{"message":{"text":TEXT,"ranges":RANGES}}}"#,
        range: r#"{"entity":{"id":"1"},"offset":S,"length":L}"#,
        count: utf16,
    },
    Call {
        platform: "linkedin",
        path: "/v2/ugcPosts",
        content_type: JSON,
        body: r#"{"specificContent":{"com.linkedin.ugc.ShareContent":{"shareCommentary":{"attributes":RANGES,"text":TEXT}}}}"#,
        range: r#"{"start":S,"length":L,"value":{}}"#,
        count: utf16,
    },
    Call {
        platform: "linkedin",
        path: "/rest/socialActions/urn%3Ali%3Ashare%3A1/comments",
        content_type: JSON,
        body: r#"{"message":{"text":TEXT,"attributes":RANGES}}"#,
        range: r#"{"length":L,"start":S}"#,
        count: utf16,
    },
    Call {
        platform: "linkedin",
        path: "/v2/shares",
        content_type: JSON,
        body: r#"{"text":{"text":TEXT,"annotations":RANGES}}"#,
        range: r#"{"length":L,"start":S}"#,
        count: utf16,
    },
    Call {
        platform: "linkedin",
        path: "/voyager/api/graphql",
        content_type: JSON,
        body: r#"{"variables":{"post":{"commentary":{"text":TEXT,"attributesV2":RANGES}}}}"#,
        range: r#"{"start":S,"length":L}"#,
        count: utf16,
    },
    Call {
        platform: "threads",
        path: "/v1.0/me/threads",
        content_type: FORM,
        body: r#"media_type=TEXT_POST&text_attachment={"plaintext":TEXT,"text_with_styling_info":RANGES}"#,
        range: r#"{"offset":S,"length":L,"styling_info":["bold"]}"#,
        count: bytes,
    },
    Call {
        platform: "threads",
        path: "/me/threads",
        content_type: JSON,
        body: r#"{"text":TEXT,"text_entities":RANGES}"#,
        range: r#"{"entity_type":"SPOILER","offset":S,"length":L}"#,
        count: bytes,
    },
    Call {
        platform: "threads",
        path: "/v1.0/me/threads",
        content_type: FORM,
        body: "text=BARE&text_entities=RANGES",
        range: r#"{"entity_type":"SPOILER","offset":S,"length":L}"#,
        count: bytes,
    },
];

/// The body with these ranges, and the ranges as they are spelled.
fn written(call: &Call, text: &str, under: &[&str]) -> (String, Vec<String>) {
    let spelled = under.iter().map(|words| {
        let (before, _) = text.split_once(words).unwrap();
        let (start, length) = ((call.count)(before), (call.count)(words));
        let number = |n: usize| n.to_string();
        // The keys of every shape hold none of these letters in capitals, other than in camel case.
        call.range
            .replace(":S", &format!(":{}", number(start)))
            .replace(":E", &format!(":{}", number(start + length)))
            .replace(":L", &format!(":{}", number(length)))
            .replace(",S,", &format!(",{start},"))
            .replace(",L]", &format!(",{length}]"))
    });
    let spelled: Vec<String> = spelled.collect();
    let body = call
        .body
        .replace("RANGES", &format!("[{}]", spelled.join(",")))
        .replace("=TEXT_POST", "=POST")
        .replace("TEXT", &serde_json::to_string(text).unwrap())
        .replace("BARE", text);
    let body = if call.content_type == FORM {
        let fields = body.split('&').map(|field| {
            let (name, value) = field.split_once('=').unwrap();
            let value =
                percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
            format!("{name}={value}")
        });
        fields.collect::<Vec<_>>().join("&")
    } else {
        body
    };
    (body, spelled)
}

fn redact(call: &Call, document: &Document, with: &str) -> Result<Document, CannotRedact> {
    let own = &document.texts()[words_of(document)];
    let start = own.text.expose().find(GONE).unwrap();
    let span = Span::new(start, start + GONE.len());
    splice_words(call, document, vec![Splice { span, with: with.into() }])
}

/// The text that speaks of who goes.
fn words_of(document: &Document) -> usize {
    let at = |text: &crate::body::Text| {
        text.role == Role::Value && text.text.expose().contains(GONE) && text.text.expose() != GONE
    };
    let mut texts = document.texts().iter().enumerate();
    let is_json = |index: usize| document.json_in(index).is_some();
    texts.find(|(index, text)| at(text) && !is_json(*index)).unwrap().0
}

fn splice_words(
    call: &Call,
    document: &Document,
    splices: Vec<Splice>,
) -> Result<Document, CannotRedact> {
    let platform = platform(call.platform);
    let resolved = platform.resolve(&Method::POST, call.path, Some(document));
    assert!(resolved.known, "{}", call.path);
    let text = words_of(document);
    let own = &document.texts()[text];
    let FieldClass::Words(spec) = resolved.endpoint.classify(Place::Body, &own.path, own.role)
    else {
        panic!("the text of {} is words", call.path);
    };
    let mut edits = platform.move_offsets(spec, document, &query(""), text, &splices)?;
    edits.extend(splices.into_iter().map(|Splice { span, with }| Edit::Splice {
        text,
        span,
        with,
    }));
    let after = document.write(&edits).unwrap();
    Ok(body(Some(call.content_type), std::str::from_utf8(&after).unwrap()))
}

fn texts(document: &Document) -> Vec<&str> {
    document.texts().iter().map(|text| text.text.expose()).collect()
}

#[test]
fn words_keep_their_ranges() {
    for call in CALLS {
        for with in ["[name]", "x", "a much longer marker", "[...]"] {
            let before = body(Some(call.content_type), &written(call, TEXT, UNDER).0);
            let want = written(call, &TEXT.replace(GONE, with), STAY).0;
            let after = redact(call, &before, with).unwrap();
            let want = body(Some(call.content_type), &want);
            assert_eq!(texts(&after), texts(&want), "{} {}", call.platform, call.path);
        }
    }
}

#[test]
fn ranges_that_are_not_understood_keep_the_text() {
    for call in CALLS {
        for odd in [r#"[{"at":99}]"#, "[70]", r#"["70"]"#, r#"[{"offset":-9,"length":70}]"#] {
            let (text, ranges) = written(call, TEXT, &["end"]);
            let encoded = |ranges: &str| {
                percent_encoding::utf8_percent_encode(ranges, percent_encoding::NON_ALPHANUMERIC)
                    .to_string()
            };
            let list = format!("[{}]", ranges[0]);
            let text = text.replace(&list, odd).replace(&encoded(&list), &encoded(odd));
            let document = body(Some(call.content_type), &text);
            assert_eq!(
                redact(call, &document, "[name]").err(),
                Some(CannotRedact::Offsets),
                "{} {odd}",
                call.path
            );
        }
    }
}

/// Where nobody knows whether UTF-16 or code points are counted, a range moves where both say the same, and else goes.
#[test]
fn doubtful_ranges_go() {
    let call = &CALLS[5];
    // By UTF-16, the range is the blank after the name; by code points, it lies on the word behind.
    let text = "🏥🏥🏥 Ann Bray x end";
    let (body_text, _) = written(call, text, &[" x "]);
    let document = body(Some(call.content_type), &body_text);
    let after = redact(call, &document, "[name]").unwrap();
    assert!(texts(&after).contains(&"🏥🏥🏥 [name] x end"));
    let doubtful = "🏥🏥🏥🏥🏥🏥🏥🏥🏥🏥 x Ann Bray and more words behind";
    let (body_text, _) = written(call, doubtful, &[" x "]);
    let after = redact(call, &body(Some(call.content_type), &body_text), "[name]").unwrap();
    assert!(!texts(&after).contains(&"length"), "a range that means two things is gone");
}

/// Ranges as `(start, length)` of the document's numbers, in order.
fn numbers(document: &Document) -> Vec<(usize, usize)> {
    let numbers: Vec<usize> = document
        .texts()
        .iter()
        .filter(|text| text.role == Role::Number)
        .map(|text| text.text.expose().parse().unwrap())
        .collect();
    numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}

fn under(text: &str, (start, length): (usize, usize)) -> Option<String> {
    let units: Vec<u16> = text.encode_utf16().collect();
    String::from_utf16(units.get(start..start + length)?).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever is cut out of whatever text: a range that is left lies on its own words, and one that is far from every
    /// cut is left.
    #[test]
    fn ranges_that_stay_lie_on_their_words(
        before in "[ab é🏥]{0,12}", after in "[ab é🏥]{0,12}",
        ranges in prop::collection::vec((0_usize..40, 1_usize..6), 0..6),
        picks in prop::collection::vec(0_usize..99, 0..4),
        with in "[x.\\[\\]]{0,9}",
    ) {
        let call = &CALLS[2];
        let text = format!("{before}{GONE}!{after}");
        let ranges: Vec<(usize, usize)> =
            ranges.into_iter().filter(|range| under(&text, *range).is_some()).collect();
        let spelled = ranges.iter().map(|(start, length)| format!("{{\"offset\":{start},\"length\":{length}}}"));
        let written = call.body
            .replace("RANGES", &format!("[{}]", spelled.collect::<Vec<_>>().join(",")))
            .replace("TEXT", &serde_json::to_string(&text).unwrap());
        let bounds: Vec<usize> = (0..=text.len()).filter(|&at| text.is_char_boundary(at)).collect();
        let mut places: Vec<usize> = picks.iter().map(|pick| bounds[pick % bounds.len()]).collect();
        places.sort_unstable();
        places.dedup();
        let splices: Vec<Splice> = places
            .chunks_exact(2)
            .map(|pair| Splice { span: Span::new(pair[0], pair[1]), with: with.clone() })
            .collect();
        let document = body(Some(JSON), &written);
        let spliced = crate::redact::splice(&text, &splices).unwrap();
        let after = splice_words(call, &document, splices).unwrap();
        let mut originals = ranges.iter().map(|range| under(&text, *range).unwrap());
        for range in numbers(&after) {
            let words = under(&spliced, range);
            prop_assert!(words.is_some());
            prop_assert!(originals.any(|original| Some(original) == words), "{spliced} {range:?}");
        }
    }
}
