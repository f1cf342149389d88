//! What a client hears of a blocked post: the status and shape of its platform.

use super::{Call, FORM, JSON, form, inspect};
use crate::inspect::Verdict;

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
