//! A text cut anywhere is one text: a property, whose oracle is the same words uncut.

use proptest::prelude::*;

use super::{JSON, SHIPPED, TODAY, redacted};

/// Where the words below may be cut: at any byte, since they are ASCII.
const WORDS: &str = "My patient Mr. Castellano coded in room 412 last night";

fn pieces(cuts: &[usize]) -> Vec<&'static str> {
    let mut cuts = cuts.to_vec();
    cuts.sort_unstable();
    cuts.dedup();
    let mut pieces = Vec::new();
    let mut rest = WORDS;
    let mut at = 0;
    for cut in cuts {
        let (piece, after) = rest.split_at(cut - at);
        pieces.push(piece);
        (rest, at) = (after, cut);
    }
    pieces.push(rest);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

fn want() -> String {
    let alone = SHIPPED.judge_text(WORDS, "generic", &[], None, TODAY);
    alone.redacted.expect("a redaction").expose().to_owned()
}

/// All texts of nodes, in order; none is empty.
fn texts(value: &serde_json::Value, key: &str, out: &mut String) {
    match value {
        serde_json::Value::Array(list) => list.iter().for_each(|it| texts(it, key, out)),
        serde_json::Value::Object(object) => {
            for (name, value) in object {
                match value {
                    serde_json::Value::String(text) if name == key => {
                        assert!(!text.is_empty(), "an empty node");
                        out.push_str(text);
                    }
                    other => texts(other, key, out),
                }
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Wherever rich text or HTML is cut, what a reader sees is what the same words uncut would read.
    #[test]
    fn however_a_text_is_cut_it_is_redacted_as_one(
        cuts in prop::collection::vec(0..WORDS.len(), 0..6)
    ) {
        let pieces = pieces(&cuts);
        let nodes = |key: &str| -> Vec<serde_json::Value> {
            pieces.iter().map(|piece| serde_json::json!({ "type": "text", key: piece })).collect()
        };
        let section = serde_json::json!({ "type": "rich_text_section", "elements": nodes("text") });
        let body = serde_json::json!({ "channel": "C1", "blocks": [{ "type": "rich_text", "elements": [section] }] });
        let after = redacted(&("slack", "POST", "/api/chat.postMessage", JSON, body.to_string()));
        let mut read = String::new();
        texts(&serde_json::from_str(&after).unwrap(), "text", &mut read);
        prop_assert_eq!(read, want());

        let rich = serde_json::json!({ "document": [{ "e": "par", "c": nodes("t") }] });
        let body = serde_json::json!({ "title": "Hi", "richtext_json": rich });
        let after = redacted(&("reddit", "POST", "/api/submit_poll_post", JSON, body.to_string()));
        let mut read = String::new();
        texts(&serde_json::from_str(&after).unwrap(), "t", &mut read);
        prop_assert_eq!(read, want());

        let html = pieces.join("<b></b>");
        let body = serde_json::json!({ "content": html });
        let after = redacted(&("wordpress", "POST", "/wp-json/wp/v2/posts", JSON, body.to_string()));
        let after: serde_json::Value = serde_json::from_str(&after).unwrap();
        prop_assert_eq!(after["content"].as_str().unwrap().replace("<b></b>", ""), want());
    }
}
