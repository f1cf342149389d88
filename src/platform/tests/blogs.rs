//! Every call of the blogs, and of Matrix and Nostr: what it names as words, and nothing else. As in [`super::words`].

use super::words::{FORM, JSON, PART, check};

#[test]
fn tumblr() {
    let npf = r#"{"content":[{"type":"text","text":"w1","formatting":[{"start":0,"end":1,"type":"bold"}]},{"type":"image","alt_text":"w2","caption":"w3","media":[{"identifier":"i"}]},{"type":"link","url":"https://a.example","title":"w4","description":"w5","author":"w6","site_name":"w7"},{"type":"poll","question":"w8","answers":[{"answer_text":"w9"},{"answer_text":"wa"}]}],"tags":"wb","slug":"wc"}"#;
    let part = format!(
        "--bb\r\nContent-Disposition: form-data; name=\"json\"\r\nContent-Type: application/json\r\n\r\n{npf}\r\n--bb--\r\n"
    );
    check(
        "tumblr",
        &[
            ("POST /v2/blog/{blog}/posts", "POST", "/v2/blog/b/posts", JSON, npf),
            ("POST /v2/blog/{blog}/posts", "POST", "/api/v2/blog/b/posts", PART, &part),
            ("PUT /v2/blog/{blog}/posts/{id}", "PUT", "/v2/blog/b/posts/1", JSON, npf),
            (
                "POST /v2/blog/{blog}/post",
                "POST",
                "/v2/blog/b/post",
                FORM,
                "type=text&title=w1&body=w2&tags=w3",
            ),
            (
                "POST /v2/user/post/reply",
                "POST",
                "/v2/user/post/reply",
                JSON,
                r#"{"reply_text":"w1","reblog_key":"k"}"#,
            ),
        ],
    );
}

#[test]
fn pinterest_and_tiktok() {
    check(
        "pinterest",
        &[
            (
                "POST /v5/pins",
                "POST",
                "/v5/pins",
                JSON,
                r#"{"board_id":"1","title":"w1","description":"w2","alt_text":"w3","note":"w4","link":"https://a.example"}"#,
            ),
            ("PATCH /v5/pins/{id}", "PATCH", "/v5/pins/1", JSON, r#"{"title":"w1"}"#),
            (
                "POST /v5/boards",
                "POST",
                "/v5/boards",
                JSON,
                r#"{"name":"w1","description":"w2","privacy":"PUBLIC"}"#,
            ),
            (
                "POST /resource/{resource}/create",
                "POST",
                "/resource/PinResource/create/",
                FORM,
                "source_url=%2F&data=%7B%22options%22%3A%7B%22title%22%3A%22w1%22%2C%22description%22%3A%22w2%22%2C%22board_id%22%3A%221%22%7D%7D",
            ),
        ],
    );
    check(
        "tiktok",
        &[
            (
                "POST /v2/post/publish/video/init",
                "POST",
                "/v2/post/publish/video/init/",
                JSON,
                r#"{"post_info":{"title":"w1","privacy_level":"SELF_ONLY"},"source_info":{"source":"FILE_UPLOAD"}}"#,
            ),
            (
                "POST /v2/post/publish/content/init",
                "POST",
                "/v2/post/publish/content/init/",
                JSON,
                r#"{"post_info":{"title":"w1","description":"w2"},"media_type":"PHOTO"}"#,
            ),
        ],
    );
}

#[test]
fn micropub_and_wordpress() {
    check(
        "micropub",
        &[
            (
                "POST /**",
                "POST",
                "/micropub",
                FORM,
                "h=entry&content=w1&name=w2&summary=w3&category[]=w4&category[]=w5&mp-photo-alt[]=w6&access_token=t",
            ),
            (
                "POST /**",
                "POST",
                "/index.php/micropub",
                FORM,
                "h=entry&content[html]=w1&category=w2",
            ),
            (
                "POST /**",
                "POST",
                "/",
                JSON,
                r#"{"type":["h-entry"],"properties":{"content":[{"html":"w1"}],"name":["w2"],"photo":[{"value":"https://a.example/p","alt":"w3"}]}}"#,
            ),
            (
                "POST /**",
                "POST",
                "/",
                JSON,
                r#"{"action":"update","url":"https://a.example","replace":{"content":["w1"]},"add":{"category":["w2"]}}"#,
            ),
        ],
    );
    check(
        "wordpress",
        &[
            (
                "POST /wp-json/wp/v2/{type}",
                "POST",
                "/wp-json/wp/v2/posts",
                JSON,
                r#"{"title":"w1","content":{"raw":"w2"},"excerpt":"w3","slug":"w4","meta":{"note":"w5"},"status":"publish"}"#,
            ),
            (
                "POST /wp-json/wp/v2/{type}/{id}",
                "POST",
                "/wp-json/wp/v2/pages/7",
                FORM,
                "title=w1&content=w2&status=draft",
            ),
            (
                "PUT /wp-json/wp/v2/{type}/{id}",
                "GET",
                "/?rest_route=/wp/v2/posts/7&_method=PUT&title=w1",
                "",
                "",
            ),
            (
                "POST /wp-json/wp/v2/{type}",
                "GET",
                "/blog/wp-json/wp/v2/comments?_method=POST&content=w1&author_name=w2",
                "",
                "",
            ),
            (
                "POST /wp-json/batch/v1",
                "POST",
                "/wp-json/batch/v1",
                JSON,
                r#"{"validation":"normal","requests":[{"path":"/wp/v2/posts","method":"POST","body":{"title":"w1","content":{"raw":"w2"}}}]}"#,
            ),
            (
                "POST /wp-json/wp/v2/media",
                "POST",
                "/index.php?rest_route=/wp/v2/media",
                FORM,
                "title=w1&caption=w2&description=w3&alt_text=w4",
            ),
            (
                "POST /wp/v2/sites/{site}/{type}",
                "POST",
                "/wp/v2/sites/1/posts",
                JSON,
                r#"{"title":"w1"}"#,
            ),
            (
                "POST /rest/{version}/sites/{site}/posts/new",
                "POST",
                "/rest/v1.1/sites/1/posts/new",
                FORM,
                "title=w1&content=w2&tags=w3",
            ),
            (
                "POST /xmlrpc.php",
                "POST",
                "/xmlrpc.php",
                "text/xml",
                "<methodCall><methodName>metaWeblog.newPost</methodName><params><param><value>1</value></param><param><value><struct><member><name>title</name><value>w1</value></member><member><name>description</name><value><string>w2 so</string></value></member><member><name>categories</name><value><array><data><value>w3</value></data></array></value></member></struct></value></param></params></methodCall>",
            ),
            (
                "POST /wp-comments-post.php",
                "POST",
                "/wp-comments-post.php",
                FORM,
                "comment=w1&author=w2&comment_post_ID=1",
            ),
        ],
    );
}

#[test]
fn matrix_and_nostr() {
    let room = "/_matrix/client/v3/rooms/%21a%3Ab.example";
    check(
        "matrix",
        &[
            (
                "PUT /_matrix/client/{version}/rooms/{room}/send/{type}/{txn}",
                "PUT",
                &format!("{room}/send/m.room.message/1"),
                JSON,
                r#"{"msgtype":"m.text","body":"w1","format":"org.matrix.custom.html","formatted_body":"w2","m.new_content":{"msgtype":"m.text","body":"w3","formatted_body":"w4"},"m.relates_to":{"rel_type":"m.replace","event_id":"e"}}"#,
            ),
            (
                "PUT /_matrix/client/{version}/rooms/{room}/state/{type}",
                "PUT",
                &format!("{room}/state/m.room.topic"),
                JSON,
                r#"{"topic":"w1"}"#,
            ),
            (
                "POST /_matrix/client/{version}/createRoom",
                "POST",
                "/_matrix/client/r0/createRoom",
                JSON,
                r#"{"name":"w1","topic":"w2","preset":"private_chat"}"#,
            ),
            (
                "PUT /_matrix/client/{version}/profile/{user}/displayname",
                "PUT",
                "/_matrix/client/v3/profile/@a:b/displayname",
                JSON,
                r#"{"displayname":"w1"}"#,
            ),
        ],
    );
    check(
        "nostr",
        &[
            (
                "POST /**",
                "POST",
                "/",
                JSON,
                r#"["EVENT",{"id":"a","pubkey":"b","kind":1,"tags":[["wt","w2"]],"content":"w1","sig":"c"}]"#,
            ),
            (
                "PUT /**",
                "PUT",
                "/events",
                JSON,
                r#"{"id":"a","pubkey":"b","kind":0,"tags":[],"content":"{\"name\":\"w1\",\"about\":\"w2\"}","sig":"c"}"#,
            ),
        ],
    );
}
