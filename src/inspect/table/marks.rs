//! Names cut by marks, and ranges: what is edited is what a reader sees, and what points into it still points at its words.

use super::{Call, FORM, JSON, form, redacted};

#[test]
fn a_name_cut_by_marks_is_one_name() {
    let rich = |f: &str| {
        format!(
            r#"{{"document":[{{"e":"par","c":[{{"e":"text","t":"My patient Mr. "}},{{"e":"text","t":"Castel","f":[[1,0,6]]}},{{"e":"text","t":"lano coded last night, so sad{f}"#
        )
    };
    let rich = rich(r#"","f":[[2,26,3]]}]}]}"#);
    let slack = r#"[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"My patient Mr. "},{"type":"text","text":"Castel","style":{"bold":true}},{"type":"text","text":"lano"},{"type":"emoji","name":"pray"},{"type":"text","text":" coded last night"}]}]}]"#;
    let rows: &[(Call<'_>, &[&str])] = &[
        (("reddit", "POST", "/api/submit", FORM, format!("title=Hi&richtext_json={}", form(&rich))),
            // "sad" stood at 26..29 of its piece, of which "lano" is gone.
            &["%2222%2C3%5D", "%5B2%2C22%2C3%5D"]),
        (("slack", "POST", "/api/chat.postMessage", JSON, format!(r#"{{"channel":"C1","blocks":{slack}}}"#)),
            &[r#"{"type":"text","text":" coded last night"}"#, r#"{"type":"emoji","name":"pray"}"#, r#""style":{"bold":true}}"#]),
        (("wordpress", "POST", "/wp-json/wp/v2/posts", JSON,
            r#"{"content":"<p>My patient Mr. <b>Castel</b>lano coded &amp; died</p>"}"#.into()),
            &["<b>[name]</b>", " coded &amp; died</p>"]),
        (("telegram", "POST", "/bot1:AA/sendMessage", JSON,
            r#"{"chat_id":1,"parse_mode":"HTML","text":"My patient Mr. <b>Castel</b>lano coded"}"#.into()),
            &["<b>[name]</b> coded"]),
        (("telegram", "POST", "/bot1:AA/sendMessage", FORM,
            format!("chat_id=1&parse_mode=MarkdownV2&text={}", form(r"My patient Mr\. *Castel*lano coded\!"))),
            &["%5C%5Bname%5C%5D", "coded%5C%21"]),
        (("telegram", "POST", "/bot1:AA/sendMessage?parse_mode=MarkdownV2", FORM,
            format!("chat_id=1&text={}", form(r"My patient Mr\. Castellano coded\!"))),
            &["%5C%5Bname%5C%5D", "coded%5C%21"]),
        (("discord", "POST", "/api/v10/channels/1/messages", JSON,
            r#"{"content":"My patient Mr. **Castel**lano coded, ask <@123456789012345678>"}"#.into()),
            &["**[name]** coded", "<@123456789012345678>"]),
        (("slack", "POST", "/api/chat.postMessage", JSON,
            r#"{"channel":"C1","text":"My patient Mr. *Castel*lano coded, ask <@U024BE7LH> &amp; <https://a.example/x|them>"}"#.into()),
            &["*[name]* coded", "<@U024BE7LH> &amp; <https://a.example/x|them>"]),
        (("reddit", "POST", "/api/comment", FORM,
            format!("thing_id=t3_a&text={}", form("My patient Mr. **Castel**lano coded"))),
            &["%2A%2A%5Bname%5D%2A%2A"]),
        (("matrix", "PUT", "/_matrix/client/v3/rooms/!a:b.example/send/m.room.message/1", JSON,
            r#"{"msgtype":"m.text","body":"hi","formatted_body":"My patient Mr. <strong>Castel</strong>lano coded"}"#.into()),
            &["<strong>[name]</strong> coded"]),
    ];
    for (call, kept) in rows {
        let body = redacted(call);
        for gone in ["Castel", "lano"] {
            assert!(!body.contains(gone), "{} {gone}: {body}", call.0);
        }
        assert!(kept.iter().any(|kept| body.contains(kept)), "{}: {body}", call.0);
        if call.0 != "reddit" {
            for kept in *kept {
                assert!(body.contains(kept), "{} {kept}: {body}", call.0);
            }
        }
    }
}

#[test]
fn ranges_lie_on_the_same_words() {
    let utf16 = |text: &str, start: usize, end: usize| -> String {
        let units: Vec<u16> = text.encode_utf16().collect();
        String::from_utf16(&units[start..end]).unwrap()
    };
    let points = |text: &str, start: usize, end: usize| -> String {
        text.chars().skip(start).take(end - start).collect()
    };
    // Two units, one point, four bytes: a range by the wrong count would land beside its word.
    let text = "😀 My patient Mr. Castellano coded, so sad 😀 today";
    let before = |word: &str| text.split(word).next().unwrap();
    let at16 = before("sad").encode_utf16().count();
    let at = before("sad").chars().count();
    let name = before("Castellano").encode_utf16().count();
    let json = serde_json::Value::String(text.into());

    let entities = format!(
        r#"[{{"type":"bold","offset":{at16},"length":3}},{{"type":"italic","offset":{name},"length":10}},{{"type":"code","offset":0,"length":2}}]"#
    );
    let check_telegram = |text: &str, entities: &serde_json::Value| {
        let entities = entities.as_array().unwrap();
        let number = |entity: &serde_json::Value, key: &str| {
            usize::try_from(entity[key].as_u64().unwrap()).unwrap()
        };
        let words: Vec<String> = entities
            .iter()
            .map(|it| {
                utf16(text, number(it, "offset"), number(it, "offset") + number(it, "length"))
            })
            .collect();
        assert_eq!(words, ["sad", "😀"], "{text}");
    };
    let body = redacted(&(
        "telegram",
        "POST",
        "/bot1:AA/sendMessage",
        JSON,
        format!(r#"{{"chat_id":1,"text":{json},"entities":{entities}}}"#),
    ));
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    check_telegram(body["text"].as_str().unwrap(), &body["entities"]);

    let body = redacted(&(
        "telegram",
        "POST",
        "/bot1:AA/sendMessage",
        FORM,
        format!("text={}&entities={}", form(text), form(&entities)),
    ));
    let fields: Vec<(String, String)> = body
        .split('&')
        .map(|field| {
            let (name, value) = field.split_once('=').unwrap();
            let value = percent_encoding::percent_decode_str(value).decode_utf8().unwrap();
            (name.to_owned(), value.into_owned())
        })
        .collect();
    check_telegram(&fields[0].1, &serde_json::from_str(&fields[1].1).unwrap());

    let body = redacted(&(
        "telegram",
        "POST",
        "/bot1:AA/sendMediaGroup",
        JSON,
        format!(
            r#"{{"media":[{{"type":"photo","media":"x","caption":{json},"caption_entities":{entities}}}]}}"#
        ),
    ));
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let media = &body["media"][0];
    check_telegram(media["caption"].as_str().unwrap(), &media["caption_entities"]);

    let formatting = format!(r#"[{{"type":"bold","start":{at},"end":{}}}]"#, at + 3);
    let block =
        format!(r#"{{"content":[{{"type":"text","text":{json},"formatting":{formatting}}}]}}"#);
    let body = redacted(&("tumblr", "POST", "/v2/blog/ward/posts", JSON, block));
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let block = &body["content"][0];
    let number =
        |key: &str| usize::try_from(block["formatting"][0][key].as_u64().unwrap()).unwrap();
    assert_eq!(points(block["text"].as_str().unwrap(), number("start"), number("end")), "sad");
}
