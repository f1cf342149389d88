//! Which endpoint a request is for, and what is answered there.

use http::Method;

use super::{body, json, platform};
use crate::platform::Class;

/// Method, path, template; `None` where the file does not know it.
type Case = (&'static str, &'static str, Option<(&'static str, Class)>);

#[track_caller]
fn check(name: &str, cases: &[Case]) {
    let platform = platform(name);
    for (method, path, want) in cases {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let resolved = platform.resolve(&method, path, None);
        let found = (resolved.endpoint.template(), resolved.endpoint.class());
        assert_eq!(found, want.unwrap_or(("unknown", Class::Post)), "{method} {path}");
        assert_eq!(resolved.known, want.is_some(), "{method} {path}");
    }
}

#[test]
fn mastodon() {
    let post = Some(("POST /api/v1/statuses", Class::Post));
    check(
        "mastodon",
        &[
            ("POST", "/api/v1/statuses", post),
            ("POST", "/api/v1/statuses/", post),
            ("POST", "/api/v1/statuses.json", post),
            ("POST", "/api/v1/%73tatuses", post),
            ("GET", "/api/v1/statuses", None),
            ("POST", "/api/v1/../v1/statuses", None),
            ("PUT", "/api/v1/statuses/11", Some(("PUT /api/v1/statuses/{id}", Class::Post))),
            (
                "POST",
                "/api/v1/statuses/11/favourite",
                Some(("POST /api/v1/statuses/{id}/favourite", Class::Pass)),
            ),
            ("POST", "/api/v1/statuses/1%2F..%2F2/favourite", None),
            ("POST", "/api/v2/media", Some(("POST /api/v2/media", Class::Media))),
            ("GET", "/api/v1/media/9", None),
            ("PUT", "/api/v1/media/9", Some(("PUT /api/v1/media/{id}", Class::Media))),
            (
                "PATCH",
                "/api/v1/accounts/update_credentials",
                Some(("PATCH /api/v1/accounts/update_credentials", Class::Post)),
            ),
            ("POST", "/oauth/token", Some(("POST /oauth/token", Class::SignIn))),
            ("POST", "/api/v1/apps", Some(("POST /api/v1/apps", Class::SignIn))),
            ("GET", "/api/v2/search", Some(("GET /api/v2/search", Class::Pass))),
            (
                "GET",
                "/api/v1/streaming/user/notification",
                Some(("GET /api/v1/streaming/**", Class::Pass)),
            ),
            ("GET", "/api/v1/instance/", None),
        ],
    );
}

#[test]
fn x() {
    check(
        "x",
        &[
            ("POST", "/2/tweets", Some(("POST /2/tweets", Class::Post))),
            (
                "POST",
                "/1.1/statuses/update.json",
                Some(("POST /1.1/statuses/update.json", Class::Post)),
            ),
            ("POST", "/1.1/media/upload.json", Some(("POST /1.1/media/upload.json", Class::Media))),
            (
                "POST",
                "/1.1/media/metadata/create.json",
                Some(("POST /1.1/media/metadata/create.json", Class::Post)),
            ),
            (
                "POST",
                "/2/dm_conversations/with/2/messages",
                Some(("POST /2/dm_conversations/with/{id}/messages", Class::Post)),
            ),
            (
                "POST",
                "/2/dm_conversations/2-3/messages",
                Some(("POST /2/dm_conversations/{id}/messages", Class::Post)),
            ),
            (
                "POST",
                "/i/api/graphql/aBc-1_d/CreateTweet",
                Some(("POST /i/api/graphql CreateTweet", Class::Post)),
            ),
            (
                "POST",
                "/i/api/graphql/aBc-1_d/CreateNoteTweet",
                Some(("POST /i/api/graphql CreateNoteTweet", Class::Post)),
            ),
            ("POST", "/i/api/graphql/aBc-1_d/FavoriteTweet", None),
            (
                "GET",
                "/i/api/graphql/aBc-1_d/SearchTimeline",
                Some(("GET /i/api/graphql/{id}/SearchTimeline", Class::Pass)),
            ),
            ("POST", "/oauth2/token", Some(("POST /oauth2/token", Class::SignIn))),
            (
                "POST",
                "/1.1/onboarding/task.json",
                Some(("POST /1.1/onboarding/task.json", Class::SignIn)),
            ),
            (
                "POST",
                "/1.1/jot/client_event.json",
                Some(("POST /1.1/jot/client_event.json", Class::Telemetry)),
            ),
            (
                "POST",
                "/2/chat/conversations/5/messages",
                Some(("POST /2/chat/conversations/{id}/messages", Class::Sealed)),
            ),
        ],
    );
}

#[test]
fn bluesky() {
    check(
        "bluesky",
        &[
            (
                "POST",
                "/xrpc/com.atproto.repo.createRecord",
                Some(("POST /xrpc/com.atproto.repo.createRecord", Class::Post)),
            ),
            (
                "POST",
                "/xrpc/com.atproto.repo.applyWrites",
                Some(("POST /xrpc/com.atproto.repo.applyWrites", Class::Post)),
            ),
            (
                "POST",
                "/xrpc/com.atproto.repo.uploadBlob",
                Some(("POST /xrpc/com.atproto.repo.uploadBlob", Class::Media)),
            ),
            (
                "POST",
                "/xrpc/com.atproto.server.createSession",
                Some(("POST /xrpc/com.atproto.server.createSession", Class::SignIn)),
            ),
            (
                "GET",
                "/xrpc/com.atproto.server.getSession",
                Some(("GET /xrpc/com.atproto.server.getSession", Class::SignIn)),
            ),
            (
                "GET",
                "/xrpc/app.bsky.actor.getProfile",
                Some(("GET /xrpc/app.bsky.actor.getProfile", Class::Pass)),
            ),
            ("POST", "/xrpc/com.example.made.up", None),
        ],
    );
}

#[test]
fn facebook() {
    check(
        "facebook",
        &[
            ("POST", "/v3.1/me/feed", Some(("POST /{id}/feed", Class::Post))),
            ("POST", "/me/feed", Some(("POST /{id}/feed", Class::Post))),
            ("POST", "/v25.0/1001_2002/comments", Some(("POST /{id}/comments", Class::Post))),
            ("POST", "/v3.1/me/photos", Some(("POST /{id}/photos", Class::Media))),
            ("POST", "/v25.0/1001_2002", Some(("POST /{id}", Class::Post))),
            ("POST", "/", Some(("POST /", Class::Post))),
            ("POST", "/v25.0", Some(("POST /", Class::Post))),
            ("GET", "/v25.0/oauth/access_token", Some(("GET /oauth/access_token", Class::SignIn))),
        ],
    );
}

#[test]
fn generic() {
    check(
        "generic",
        &[
            ("POST", "/", Some(("POST /**", Class::Post))),
            ("PATCH", "/a/b/c/d/e/f", Some(("PATCH /**", Class::Post))),
            ("GET", "/a", None),
        ],
    );
}

#[test]
fn operations_in_the_body() {
    let platform = platform("facebook");
    let form = "application/x-www-form-urlencoded";
    for (content_type, text, want) in [
        (
            form,
            "fb_api_req_friendly_name=ComposerStoryCreateMutation&variables=%7B%7D",
            "POST /api/graphql ComposerStoryCreateMutation",
        ),
        (form, "fb_api_req_friendly_name=SomethingElse", "unknown"),
        (
            form,
            "fb_api_req_friendly_name=ComposerStoryCreateMutation&fb_api_req_friendly_name=SomethingElse",
            "unknown",
        ),
        (
            "application/json",
            r#"{"operationName":"ComposerStoryEditMutation"}"#,
            "POST /api/graphql ComposerStoryEditMutation",
        ),
        ("application/json", r#"[{"operationName":"ComposerStoryEditMutation"}]"#, "unknown"),
    ] {
        let document = body(Some(content_type), text);
        let resolved = platform.resolve(&Method::POST, "/api/graphql/", Some(&document));
        assert_eq!(resolved.endpoint.template(), want, "{text}");
    }
}

#[test]
fn only_session_answers_are_rewritten() {
    let platform = platform("bluesky");
    let of = |method: Method, path| platform.resolve(&method, path, None).endpoint;
    let session = of(Method::POST, "/xrpc/com.atproto.server.createSession");
    assert!(platform.rewrites_answers(session));
    assert!(!platform.rewrites_answers(of(Method::POST, "/xrpc/com.atproto.repo.createRecord")));
    let limits = crate::body::Limits::default();
    let rewritten = |text: &str| {
        let new = platform.rewrite_answer(session, text.as_bytes(), &limits);
        new.map(|new| new.map(|new| String::from_utf8(new).unwrap()))
    };
    let doc = r##"{"did":"did:plc:aaaa","didDoc":{"service":[{"id":"#atproto_pds","serviceEndpoint":"https://a.example"}]},"active":true}"##;
    for (text, want) in [
        (doc, r#"{"did":"did:plc:aaaa","active":true}"#),
        (r#"{"didDoc":{},"a":1,"did\u0044oc":{}}"#, r#"{"a":1}"#),
    ] {
        assert_eq!(rewritten(text).unwrap().as_deref(), Some(want));
    }
    for unchanged in [r#"{"did":"did:plc:aaaa"}"#, "[]", ""] {
        assert_eq!(rewritten(unchanged), Ok(None), "{unchanged}");
    }
    // A client may read it all the same.
    for unreadable in ["<html>", "{\"didDoc\":"] {
        assert!(rewritten(unreadable).is_err(), "{unreadable}");
    }
}

#[test]
fn an_unknown_endpoint_reads_everything_and_edits_nothing() {
    use crate::body::Role;
    use crate::platform::{FieldClass, Place};
    let document = json(r#"{"text":"saw Jane Roe","id":7}"#);
    let platform = platform("x");
    let resolved = platform.resolve(&Method::POST, "/9/unheard-of", Some(&document));
    for text in document.texts() {
        let class = resolved.endpoint.classify(Place::Body, &text.path, Role::Value);
        assert_eq!(class, FieldClass::Other);
    }
}
