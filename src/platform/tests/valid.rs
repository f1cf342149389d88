//! What must hold of a whole post after its edits.

use http::Method;

use super::{json, platform, query};
use crate::body::{Document, Path, Role, Step};
use crate::platform::platforms::CannotRedact;
use crate::platform::{FieldClass, Place};

type Outcome = Result<(), CannotRedact>;

#[track_caller]
fn check(name: &str, path: &str, in_query: bool, cases: &[(&str, &str, Outcome)]) {
    let platform = platform(name);
    let endpoint = platform.resolve(&Method::POST, path, None).endpoint;
    let read = |text: &str| -> Document { if in_query { query(text) } else { json(text) } };
    for (before, after, want) in cases {
        let found = platform.still_valid(endpoint, in_query, &read(before), &read(after));
        assert_eq!(found, *want, "{before} to {after}");
    }
}

#[test]
fn options_stay_distinct_and_nothing_required_is_emptied() {
    let invalid = Err(CannotRedact::Invalid);
    check(
        "mastodon",
        "/api/v1/statuses",
        false,
        &[
            (
                r#"{"poll":{"options":["Ann","Bea"]}}"#,
                r#"{"poll":{"options":["[name]","Bea"]}}"#,
                Ok(()),
            ),
            (
                r#"{"poll":{"options":["Ann","Bea"]}}"#,
                r#"{"poll":{"options":["[name]","[name]"]}}"#,
                invalid,
            ),
            (
                r#"{"poll":{"options":["Ann","Ann"]}}"#,
                r#"{"poll":{"options":["[name]","[name]"]}}"#,
                Ok(()),
            ),
            (r#"{"poll":{"options":["Ann","b"]}}"#, r#"{"poll":{"options":["","b"]}}"#, invalid),
            (r#"{"status":"Ann"}"#, r#"{"status":"[name]"}"#, Ok(())),
            (r#"{"status":"Ann"}"#, r#"{"status":" "}"#, invalid),
            (r#"{"status":""}"#, r#"{"status":""}"#, Ok(())),
            (r#"{"spoiler_text":"Ann"}"#, r#"{"spoiler_text":""}"#, Ok(())),
        ],
    );
    check(
        "mastodon",
        "/api/v1/statuses",
        true,
        &[(
            "poll[options][]=Ann&poll[options][]=Bea",
            "poll[options][]=x&poll[options][]=x",
            invalid,
        )],
    );
}

#[test]
fn a_warning_counts_with_its_status() {
    let body = |status: usize, warning: usize| {
        format!(r#"{{"status":"{}","spoiler_text":"{}"}}"#, "s".repeat(status), "w".repeat(warning))
    };
    for (before, after, want) in [
        ((490, 4), (490, 10), Ok(())),
        ((490, 4), (490, 11), Err(CannotRedact::OverLimit)),
        ((490, 4), (497, 4), Err(CannotRedact::OverLimit)),
        ((600, 4), (600, 4), Ok(())),
        ((600, 9), (603, 4), Ok(())),
    ] {
        let (before, after) = (body(before.0, before.1), body(after.0, after.1));
        check("mastodon", "/api/v1/statuses", false, &[(&before, &after, want)]);
    }
}

#[test]
fn limits_of_the_platforms() {
    let step = |key: &str| Step::Key(key.into());
    for (name, path, steps, unit_of_text, fits, over) in [
        ("x", "/2/tweets", vec![step("text")], "a", 280, 281),
        ("x", "/2/tweets", vec![step("text")], "日", 140, 141),
        ("x", "/2/tweets", vec![step("text")], "█", 140, 141),
        ("mastodon", "/api/v1/statuses", vec![step("status")], "é", 500, 501),
        (
            "bluesky",
            "/xrpc/com.atproto.repo.createRecord",
            vec![step("record"), step("text")],
            "a",
            300,
            301,
        ),
        (
            "bluesky",
            "/xrpc/com.atproto.repo.createRecord",
            vec![step("record"), step("text")],
            "👨‍👩‍👧",
            166,
            167,
        ),
        ("facebook", "/me/feed", vec![step("message")], "a", 63206, 63207),
        ("generic", "/a", vec![step("text")], "a", 100_000, 100_001),
    ] {
        let platform = platform(name);
        let endpoint = platform.resolve(&Method::POST, path, None).endpoint;
        let path = Path::from_iter(steps);
        let FieldClass::Words(spec) = endpoint.classify(Place::Body, &path, Role::Value) else {
            panic!("words")
        };
        assert!(platform.still_fits(spec, "", &unit_of_text.repeat(fits)), "{name} {unit_of_text}");
        let over = unit_of_text.repeat(over);
        assert_eq!(
            platform.still_fits(spec, "", &over),
            name == "generic",
            "{name} {unit_of_text}"
        );
        assert!(
            platform.still_fits(spec, &over, &over),
            "{name}: what was over before may stay so"
        );
    }
}
