//! What opens an account: in headers, in paths, in bodies, in queries. It goes to the platform and nowhere else.

use serde_json::json;

use super::case::Reach::All;
use super::case::{Act, Case, JSON, MASTODON, STATUSES, case, request};

pub(super) fn cases() -> Vec<Case> {
    let plain = |bytes: Vec<u8>| Act::Plain(bytes);
    let body = || json!({ "status": "flu shots on Friday" }).to_string();
    let header = move |name: &'static str, value: fn(&str) -> String| {
        move |secret: &str| {
            plain(request(
                STATUSES,
                MASTODON,
                &format!("{JSON}{name}: {}\r\n", value(secret)),
                body(),
            ))
        }
    };
    let bearer = header("Authorization", |secret| format!("Bearer {secret}"));
    let basic = header("Authorization", |secret| {
        let pair = super::canary::base64(format!("nurse:{secret}").as_bytes());
        format!("Basic {}", String::from_utf8(pair).unwrap())
    });
    let cookie = header("Cookie", |secret| format!("session={secret}; a=b"));
    let key = header("X-API-Key", str::to_owned);
    let dpop = header("DPoP", |secret| format!("{secret}.{secret}.{secret}"));
    vec![
        case("secret: a bearer token", All, move |it| bearer(&it.secret)),
        case("secret: a password", super::case::Reach::Either, move |it| basic(&it.secret)),
        case("secret: a cookie", All, move |it| cookie(&it.secret)),
        case("secret: a key", All, move |it| key(&it.secret)),
        case("secret: a proof", All, move |it| dpop(&it.secret)),
        case("secret: Telegram's token in the path", All, move |it| {
            let line = format!("POST /bot123456:{}/sendMessage", it.secret);
            plain(request(
                &line,
                "telegram.example",
                JSON,
                json!({ "chat_id": 1, "text": "hello" }).to_string(),
            ))
        }),
        case("secret: Misskey's `i` in the body", All, move |it| {
            let body = json!({ "i": it.secret, "text": "flu shots on Friday" }).to_string();
            plain(request("POST /api/notes/create", "misskey.example", JSON, body))
        }),
        case("secret: a code of OAuth in the query", All, move |it| {
            plain(request(
                &format!("GET /oauth/authorize?code={}&state={}", it.secret, it.secret),
                MASTODON,
                "",
                "",
            ))
        }),
        case("secret: a code of OAuth in a form", All, move |it| {
            let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
            let body =
                format!("grant_type=authorization_code&code={0}&client_secret={0}", it.secret);
            plain(request("POST /oauth/token", MASTODON, headers, body))
        }),
        case("secret: a password signing in", All, move |it| {
            let body = json!({ "identifier": "nurse.example", "password": it.secret }).to_string();
            plain(request(
                "POST /xrpc/com.atproto.server.createSession",
                "bsky.example",
                JSON,
                body,
            ))
        }),
        case("secret: a session of Bluesky", All, move |it| {
            let headers = format!("{JSON}Authorization: Bearer {}\r\n", it.secret);
            plain(request(
                "POST /xrpc/com.atproto.server.refreshSession",
                "bsky.example",
                &headers,
                "",
            ))
        }),
    ]
}
