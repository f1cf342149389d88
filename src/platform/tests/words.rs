//! Every call of the chat and blog platforms: what it names as words, and nothing else.
//!
//! In each body every string that a person wrote reads `w..`, and nothing else does. So a row is the call itself.

use http::Method;

use super::{body, platform, query};
use crate::body::{Document, Role};
use crate::platform::{FieldClass, Place};

pub(super) const JSON: &str = "application/json";
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

pub(super) const PART: &str = "multipart/form-data; boundary=bb";

pub(super) type Row<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str);

#[track_caller]
pub(super) fn check(name: &str, rows: &[Row<'_>]) {
    let platform = platform(name);
    for (template, method, url, content_type, text) in rows {
        let (path, search) = url.split_once('?').unwrap_or((url, ""));
        let document = body(Some(content_type).filter(|it| !it.is_empty()).copied(), text);
        let query = query(search);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let resolved = platform.resolve_with_query(&method, path, Some(search), Some(&document));
        assert_eq!(resolved.endpoint.template(), *template, "{name} {method} {url}");
        let mut n = 0;
        for (document, in_query) in [(&document, false), (&query, true)] {
            n += words_of(document, in_query, resolved.endpoint, &format!("{method} {url}"));
        }
        assert!(n > 0, "{name} {method} {url} has no words");
    }
}

#[track_caller]
fn words_of(
    document: &Document,
    in_query: bool,
    endpoint: &crate::platform::Endpoint,
    call: &str,
) -> usize {
    let mut n = 0;
    for (index, text) in document.texts().iter().enumerate() {
        if !matches!(text.role, Role::Value | Role::FileName) || document.is_structured(index) {
            continue;
        }
        let place = match (in_query, text.in_part) {
            (true, _) => Place::Query,
            (false, true) => Place::Part,
            (false, false) => Place::Body,
        };
        let is_words =
            matches!(endpoint.classify(place, &text.path, text.role), FieldClass::Words(_));
        let words = text.text.expose();
        assert_eq!(is_words, words.starts_with('w'), "{call}: {words}");
        n += usize::from(is_words);
    }
    n
}

#[test]
fn reddit() {
    check(
        "reddit",
        &[
            (
                "POST /api/submit",
                "POST",
                "/api/submit/?raw_json=1",
                FORM,
                "sr=t&kind=self&title=w1&text=w2&flair_text=w3&flair_id=f",
            ),
            (
                "POST /api/submit",
                "POST",
                "/api/submit.json",
                FORM,
                "richtext_json=%7B%22document%22%3A%5B%7B%22e%22%3A%22par%22%2C%22c%22%3A%5B%7B%22e%22%3A%22text%22%2C%22t%22%3A%22w1%22%7D%2C%7B%22e%22%3A%22spoilertext%22%2C%22c%22%3A%5B%7B%22e%22%3A%22text%22%2C%22t%22%3A%22w2%22%7D%5D%7D%5D%7D%5D%7D",
            ),
            (
                "POST /api/submit_gallery_post",
                "POST",
                "/api/submit_gallery_post",
                JSON,
                r#"{"sr":"t","title":"w1","items":[{"media_id":"m","caption":"w2"}]}"#,
            ),
            (
                "POST /api/submit_poll_post",
                "POST",
                "/api/submit_poll_post",
                JSON,
                r#"{"title":"w1","text":"w2","options":["w3","w4"]}"#,
            ),
            ("POST /api/comment", "POST", "/api/comment", FORM, "thing_id=t3_a&text=w1"),
            ("POST /api/editusertext", "POST", "/api/editusertext", FORM, "thing_id=t3_a&text=w1"),
            ("POST /api/compose", "POST", "/api/compose", FORM, "to=someone&subject=w1&text=w2"),
            (
                "POST /api/media/asset",
                "POST",
                "/api/media/asset.json",
                FORM,
                "filepath=w1.png&mimetype=image%2Fpng",
            ),
            (
                "POST /svc/shreddit/graphql CreatePost",
                "POST",
                "/svc/shreddit/graphql",
                JSON,
                r#"{"operation":"CreatePost","variables":{"input":{"title":"w1","content":{"markdown":"w2"},"subredditId":"t5_a"}},"csrf_token":"c"}"#,
            ),
            (
                "POST /svc/shreddit/graphql CreatePost",
                "POST",
                "/svc/shreddit/graphql",
                JSON,
                r#"{"operation":"CreatePost","variables":{"input":{"content":{"richText":"{\"document\":[{\"e\":\"par\",\"c\":[{\"e\":\"text\",\"t\":\"w1\",\"f\":[[1,0,2]]}]}]}"}}}}"#,
            ),
            (
                "POST /svc/shreddit/{thing}/create-comment",
                "POST",
                "/svc/shreddit/t3_a/create-comment",
                FORM,
                "content=w1&csrf_token=c",
            ),
        ],
    );
}

#[test]
fn youtube() {
    check(
        "youtube",
        &[
            (
                "POST /youtube/v3/commentThreads",
                "POST",
                "/youtube/v3/commentThreads?part=snippet",
                JSON,
                r#"{"snippet":{"videoId":"v","topLevelComment":{"snippet":{"textOriginal":"w1"}}}}"#,
            ),
            (
                "PUT /youtube/v3/comments",
                "PUT",
                "/youtube/v3/comments",
                JSON,
                r#"{"id":"i","snippet":{"textOriginal":"w1"}}"#,
            ),
            (
                "PUT /youtube/v3/videos",
                "PUT",
                "/youtube/v3/videos",
                JSON,
                r#"{"id":"v","snippet":{"title":"w1","description":"w2","tags":["w3"]},"localizations":{"de":{"title":"w4","description":"w5"}}}"#,
            ),
            (
                "POST /upload/youtube/v3/videos",
                "POST",
                "/upload/youtube/v3/videos?uploadType=multipart",
                "multipart/related; boundary=\"bb\"",
                "--bb\nContent-Type: application/json\nMIME-Version: 1.0\n\n{\"snippet\": {\"title\": \"w1\", \"description\": \"w2\", \"tags\": [\"w3\"]}}\n--bb--\n",
            ),
            (
                "POST /youtube/v3/playlists",
                "POST",
                "/youtube/v3/playlists",
                JSON,
                r#"{"snippet":{"title":"w1","description":"w2"}}"#,
            ),
            (
                "PUT /youtube/v3/channels",
                "PUT",
                "/youtube/v3/channels",
                JSON,
                r#"{"id":"c","brandingSettings":{"channel":{"description":"w1","keywords":"w2"}}}"#,
            ),
            (
                "POST /youtube/v3/liveChat/messages",
                "POST",
                "/youtube/v3/liveChat/messages",
                JSON,
                r#"{"snippet":{"liveChatId":"l","textMessageDetails":{"messageText":"w1"}}}"#,
            ),
            (
                "POST /youtubei/v1/comment/create_comment",
                "POST",
                "/youtubei/v1/comment/create_comment",
                JSON,
                r#"{"context":{"client":{"hl":"en"}},"commentText":"w1","createCommentParams":"p"}"#,
            ),
            (
                "POST /youtubei/v1/live_chat/send_message",
                "POST",
                "/youtubei/v1/live_chat/send_message",
                JSON,
                r#"{"params":"p","richMessage":{"textSegments":[{"text":"w1"},{"emojiId":"e"},{"text":"w2"}]}}"#,
            ),
            (
                "POST /youtubei/v1/video_manager/metadata_update",
                "POST",
                "/youtubei/v1/video_manager/metadata_update",
                JSON,
                r#"{"encryptedVideoId":"v","title":{"newTitle":"w1"},"description":{"newDescription":"w2"}}"#,
            ),
        ],
    );
}

#[test]
fn discord() {
    let message = r#"{"content":"w1","username":"w2","thread_name":"w3","embeds":[{"title":"w4","description":"w5","url":"https://a.example","fields":[{"name":"w6","value":"w7"}],"footer":{"text":"w8"},"author":{"name":"w9"}}],"components":[{"type":1,"components":[{"type":2,"label":"wa","custom_id":"c","emoji":{"id":"1","name":"e"}},{"type":10,"content":"wb"},{"placeholder":"wc"}]}],"poll":{"question":{"text":"wd"},"answers":[{"poll_media":{"text":"we"}}]},"attachments":[{"id":"0","filename":"wf.png","description":"wg"}],"nonce":"1","allowed_mentions":{"parse":["users"]}}"#;
    let part = format!(
        "--bb\r\nContent-Disposition: form-data; name=\"payload_json\"\r\nContent-Type: text/plain\r\n\r\n{message}\r\n--bb\r\nContent-Disposition: form-data; name=\"files[0]\"; filename=\"wf.txt\"\r\nContent-Type: image/gif\r\n\r\nGIF89a\r\n--bb--\r\n"
    );
    let data = format!(r#"{{"type":4,"data":{message}}}"#);
    let forum = format!(r#"{{"name":"w0","message":{message}}}"#);
    check(
        "discord",
        &[
            (
                "POST /api/channels/{id}/messages",
                "POST",
                "/api/v10/channels/1/messages",
                JSON,
                message,
            ),
            ("POST /api/channels/{id}/messages", "POST", "/api/channels/1/messages", PART, &part),
            (
                "POST /api/channels/{id}/messages",
                "POST",
                "/api/v9/channels/1/messages",
                PART,
                "--bb\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\nw1\r\n--bb--\r\n",
            ),
            (
                "PATCH /api/channels/{id}/messages/{message}",
                "PATCH",
                "/api/v10/channels/1/messages/2",
                JSON,
                message,
            ),
            (
                "POST /api/webhooks/{id}/{token}",
                "POST",
                "/api/v10/webhooks/1/t0k?wait=0",
                JSON,
                message,
            ),
            (
                "PATCH /api/webhooks/{id}/{token}/messages/{message}",
                "PATCH",
                "/api/webhooks/1/t0k/messages/@original",
                JSON,
                message,
            ),
            (
                "POST /api/interactions/{id}/{token}/callback",
                "POST",
                "/api/v10/interactions/1/t0k/callback",
                JSON,
                &data,
            ),
            (
                "POST /api/channels/{id}/threads",
                "POST",
                "/api/v10/channels/1/threads",
                JSON,
                &forum,
            ),
            (
                "POST /api/webhooks/{id}/{token}/slack",
                "POST",
                "/api/webhooks/1/t0k/slack",
                JSON,
                r#"{"text":"w1","attachments":[{"text":"w2","fields":[{"title":"w3","value":"w4"}]}]}"#,
            ),
            (
                "POST /api/channels/{id}/attachments",
                "POST",
                "/api/v9/channels/1/attachments",
                JSON,
                r#"{"files":[{"filename":"w1.png","file_size":1,"id":"1"}]}"#,
            ),
            (
                "PATCH /api/channels/{id}",
                "PATCH",
                "/api/v10/channels/1",
                JSON,
                r#"{"name":"w1","topic":"w2","parent_id":"3"}"#,
            ),
        ],
    );
}

#[test]
fn slack() {
    let message = r#"{"channel":"C1","text":"w1","username":"w2","blocks":[{"type":"section","block_id":"b","text":{"type":"mrkdwn","text":"w3"},"fields":[{"type":"plain_text","text":"w4"}],"accessory":{"type":"button","text":{"type":"plain_text","text":"w5"},"action_id":"a"}},{"type":"context","elements":[{"type":"mrkdwn","text":"w6"},{"type":"image","image_url":"https://a.example","alt_text":"w7"}]},{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"w8"},{"type":"user","user_id":"U1"}]},{"type":"rich_text_list","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"w9"}]}]}]},{"type":"markdown","text":"wa"}],"attachments":[{"color":"red","text":"wb","pretext":"wc","title":"wd","fallback":"we","fields":[{"title":"wf","value":"wg"}]}]}"#;
    let payload = format!(
        "payload={}",
        percent_encoding::utf8_percent_encode(message, percent_encoding::NON_ALPHANUMERIC)
    );
    check(
        "slack",
        &[
            ("POST /api/chat.postMessage", "POST", "/api/chat.postMessage", JSON, message),
            (
                "POST /api/chat.update",
                "POST",
                "/api/chat.update",
                FORM,
                "token=t&channel=C1&ts=1&text=w1&blocks=%5B%7B%22type%22%3A%22header%22%2C%22text%22%3A%7B%22type%22%3A%22plain_text%22%2C%22text%22%3A%22w2%22%7D%7D%5D",
            ),
            (
                "GET /api/chat.postMessage",
                "GET",
                "/api/chat.postMessage?channel=C1&text=w1",
                "",
                "",
            ),
            ("POST /services/{team}/{hook}/{token}", "POST", "/services/T/B/x", JSON, message),
            ("POST /services/{team}/{hook}/{token}", "POST", "/services/T/B/x", FORM, &payload),
            (
                "POST /api/files.getUploadURLExternal",
                "POST",
                "/api/files.getUploadURLExternal",
                FORM,
                "filename=w1.txt&length=5&alt_txt=w2",
            ),
            (
                "POST /api/files.completeUploadExternal",
                "POST",
                "/api/files.completeUploadExternal",
                JSON,
                r#"{"files":[{"id":"F1","title":"w1"}],"initial_comment":"w2"}"#,
            ),
            (
                "POST /api/conversations.setTopic",
                "POST",
                "/api/conversations.setTopic",
                JSON,
                r#"{"channel":"C1","topic":"w1"}"#,
            ),
            (
                "POST /api/canvases.create",
                "POST",
                "/api/canvases.create",
                JSON,
                r#"{"title":"w1","document_content":{"type":"markdown","markdown":"w2"}}"#,
            ),
            (
                "POST /triggers/{team}/{hook}/{token}",
                "POST",
                "/triggers/T/1/x",
                JSON,
                r#"{"reason":"w1"}"#,
            ),
        ],
    );
}

#[test]
fn telegram() {
    check(
        "telegram",
        &[
            (
                "POST /{token}/sendMessage",
                "POST",
                "/bot1:AA/sendMessage",
                FORM,
                "chat_id=1&text=w1&entities=%5B%7B%22type%22%3A%22bold%22%2C%22offset%22%3A0%2C%22length%22%3A2%7D%5D",
            ),
            ("GET /{token}/sendMessage", "GET", "/bot1:AA/sendmessage?chat_id=1&text=w1", "", ""),
            (
                "POST /{token}/sendMessage",
                "POST",
                "/bot1:AA/sendMessage",
                JSON,
                r#"{"chat_id":1,"text":"w1","reply_markup":{"inline_keyboard":[[{"text":"w2","callback_data":"c"}]]}}"#,
            ),
            (
                "POST /{token}/sendPhoto",
                "POST",
                "/bot1:AA/sendPhoto",
                PART,
                "--bb\r\nContent-Disposition: form-data; name=\"caption\"\r\n\r\nw1\r\n--bb\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"w.gif\"\r\n\r\nGIF89a\r\n--bb--\r\n",
            ),
            (
                "POST /{token}/sendMediaGroup",
                "POST",
                "/bot1:AA/sendMediaGroup",
                FORM,
                "chat_id=1&media=%5B%7B%22type%22%3A%22photo%22%2C%22media%22%3A%22x%22%2C%22caption%22%3A%22w1%22%7D%5D",
            ),
            (
                "POST /{token}/sendPoll",
                "POST",
                "/bot1:AA/sendPoll",
                FORM,
                "chat_id=1&question=w1&options=%5B%22w2%22%2C%22w3%22%5D&explanation=w4",
            ),
            (
                "POST /{token}/sendPoll",
                "POST",
                "/bot1:AA/sendPoll",
                JSON,
                r#"{"question":"w1","options":[{"text":"w2"},{"text":"w3"}]}"#,
            ),
            (
                "POST /{token}/answerInlineQuery",
                "POST",
                "/bot1:AA/answerInlineQuery",
                JSON,
                r#"{"results":[{"type":"article","id":"1","title":"w1","description":"w2","input_message_content":{"message_text":"w3"}}]}"#,
            ),
            (
                "POST /{token}/setChatDescription",
                "POST",
                "/bot1:AA/setChatDescription",
                FORM,
                "chat_id=1&description=w1",
            ),
        ],
    );
}
