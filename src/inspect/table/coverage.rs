//! Which requests are marked as not understood: by no endpoint of their platform's file, or by nobody at all.

use super::{FORM, JSON, inspect};
use crate::inspect::{Coverage, Fault};
use crate::platform::CannotRedact;

#[test]
fn gaps_are_marked() {
    use Coverage::{Generic, Understood, Unreadable};
    let (home, away) = ("/api/v1/statuses", "/api/v9/notes");
    for (method, url, content_type, body, want) in [
        ("POST", home, JSON, r#"{"status":"hello"}"#, Understood),
        ("POST", away, JSON, r#"{"status":"hello"}"#, Generic),
        ("PATCH", away, FORM, "status=hello", Generic),
        // A call that publishes by its query alone, one that carries nothing, and a search.
        ("POST", "/api/v9/notes?status=hello", "", "", Generic),
        ("DELETE", "/api/v9/notes/11", "", "", Understood),
        ("GET", "/api/v9/notes?q=hello", "", "", Understood),
        ("POST", home, JSON, r#"{"status":"hel"#, Unreadable("json")),
        ("POST", away, JSON, r#"{"status":"hel"#, Unreadable("json")),
        ("POST", home, "text/plain; charset=x-ward", "hello", Unreadable("unknown-charset")),
        ("POST", home, "multipart/form-data", "hello", Unreadable("multipart")),
    ] {
        let inspection = inspect(&("mastodon", method, url, content_type, body.to_owned()));
        assert_eq!(inspection.coverage, want, "{method} {url} {body}");
        assert_eq!(inspection.known, !url.contains("/v9/"), "{method} {url}");
    }
    let chat = "/2/chat/conversations/11/messages";
    let sealed = inspect(&(
        "x",
        "POST",
        chat,
        JSON,
        r#"{"encoded_message_create_event":"aGVsbG8="}"#.into(),
    ));
    assert_eq!(sealed.coverage, Unreadable("encrypted"));
}

/// What is read and cannot be edited was read.
#[test]
fn what_cannot_be_redacted_was_understood() {
    let post = r#"{"type":"Note","content":"My patient Mr. Castellano coded last night"}"#;
    let inspection = inspect(&("activitypub", "POST", "/inbox", JSON, post.into()));
    assert_eq!(inspection.fault, Some(Fault::CannotRedact(CannotRedact::Signed)));
    assert_eq!(inspection.coverage, Coverage::Understood);
}
