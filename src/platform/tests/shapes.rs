//! Every shape of range by every count, in platforms made up for it. The oracle is the words: what lay under a range before
//! lies under it after, or was cut and the range is gone.

use std::sync::{Arc, LazyLock};

use http::Method;
use proptest::prelude::*;

use super::{json, query};
use crate::body::{Document, Edit, Role};
use crate::diagnostic::Source;
use crate::platform::platforms::CannotRedact;
use crate::platform::{FieldClass, Place, Platform, Platforms};
use crate::redact::Splice;
use crate::span::Span;

/// A shape, and how one range of it is written.
const SHAPES: [(&str, &str); 7] = [
    ("bluesky-facets", r#"{"index":{"byteStart":<S>,"byteEnd":<E>},"features":[{"n":7}]}"#),
    ("offset-length", r#"{"type":"bold","offset":<S>,"length":<L>}"#),
    ("start-length", r#"{"length":<L>,"start":<S>,"value":{"n":7}}"#),
    ("start-end", r#"{"start":<S>,"end":<E>,"type":"bold"}"#),
    ("from-to", r#"{"from_index":<S>,"to_index":<E>,"richtext_types":["Bold"]}"#),
    ("style-offset-length", "[1,<S>,<L>]"),
    ("unmovable", r#"{"at":<S>,"to":<E>}"#),
];

type Count = fn(&str) -> usize;

const COUNTS: [(&str, Count); 3] = [
    ("utf16", |text| text.encode_utf16().count()),
    ("code-points", |text| text.chars().count()),
    ("bytes", str::len),
];

/// A platform whose texts have ranges of one shape.
struct Made {
    shape: &'static str,
    spelled: &'static str,
    count: Count,
    platform: Arc<Platform>,
}

static MADE: LazyLock<Vec<Made>> = LazyLock::new(|| {
    let mut made = Vec::new();
    for (shape, spelled) in SHAPES {
        for (name, count) in COUNTS {
            // These say themselves what they count.
            let own = shape == "bluesky-facets";
            if own && name != "bytes" {
                continue;
            }
            let counted = match shape {
                "bluesky-facets" | "unmovable" => String::new(),
                _ => format!("offsets-count = \"{name}\"\n"),
            };
            let file = format!(
                "name = \"made\"\nhosts = []\n[answer]\nstatus = 403\ncontent-type = \"application/json\"\n\
                 body = '{{\"error\":\"{{sentence}}\"}}'\n[[endpoint]]\nmethod = \"POST\"\npath = \"/post\"\nclass = \"post\"\n\
                 [[endpoint.field]]\npath = \"post.text\"\noffsets = \"{shape}\"\noffsets-in = \"ranges\"\n{counted}"
            );
            let mut platforms = Platforms::default();
            if let Err(faults) = platforms.add(&Source::new("made.toml", file)) {
                panic!("{shape} by {name}: {faults:?}");
            }
            made.push(Made {
                shape,
                spelled,
                count,
                platform: Arc::clone(platforms.get("made").unwrap()),
            });
        }
    }
    made
});

/// One word of a text; no other is like it.
fn word(n: usize) -> String {
    let letters =
        ["a", "\u{e9}", "\u{1f3e5}", "\u{5b57}", "e\u{301}", "\u{1f468}\u{200d}\u{1f469}"];
    format!("w{n}{}", letters[n % letters.len()])
}

impl Made {
    /// A post of these words, with a range over each of these stretches of words.
    fn post(&self, words: &[String], ranges: &[(usize, usize)]) -> String {
        let text = words.join(" ");
        let spelled = ranges.iter().map(|&(first, last)| {
            let mut before = words[..first].join(" ");
            before.extend((first > 0).then_some(' '));
            let (start, length) =
                ((self.count)(&before), (self.count)(&words[first..=last].join(" ")));
            self.spelled
                .replace("<S>", &start.to_string())
                .replace("<E>", &(start + length).to_string())
                .replace("<L>", &length.to_string())
        });
        let ranges = spelled.collect::<Vec<_>>().join(",");
        format!(r#"{{"post":{{"text":{},"ranges":[{ranges}]}},"n":3}}"#, serde_json::json!(text))
    }

    fn redact(&self, document: &Document, splices: &[Splice]) -> Result<String, CannotRedact> {
        let resolved = self.platform.resolve(&Method::POST, "/post", Some(document));
        let mut texts = document.texts().iter();
        let index = texts
            .position(|text| {
                text.role == Role::Value && text.path.last().is_some_and(|step| step.is_key("text"))
            })
            .unwrap();
        let own = &document.texts()[index];
        let FieldClass::Words(spec) = resolved.endpoint.classify(Place::Body, &own.path, own.role)
        else {
            panic!("the text is words");
        };
        let mut edits = self.platform.move_offsets(spec, document, &query(""), index, splices)?;
        edits.extend(splices.iter().map(|splice| Edit::Splice {
            text: index,
            span: splice.span,
            with: splice.with.clone(),
        }));
        let written = document.write(&edits).unwrap();
        Ok(String::from_utf8(written.to_vec()).unwrap())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn ranges_lie_on_the_same_words_in_every_shape(
        n_words in 1_usize..9,
        picks in prop::collection::vec((0_usize..9, 0_usize..3), 0..6),
        gone in prop::collection::vec(any::<bool>(), 9),
        with in "[x\u{e9}\u{1f3e5}\\[\\]]{0,4}|a longer marker",
    ) {
        let words: Vec<String> = (0..n_words).map(word).collect();
        let ranges: Vec<(usize, usize)> = picks
            .iter()
            .map(|&(first, more)| (first % n_words, (first % n_words + more).min(n_words - 1)))
            .collect();
        let mut splices = Vec::new();
        let mut at = 0;
        for (word, gone) in words.iter().zip(&gone) {
            if *gone {
                splices.push(Splice { span: Span::new(at, at + word.len()), with: with.clone() });
            }
            at += word.len() + 1;
        }
        let after: Vec<String> = words
            .iter()
            .zip(&gone)
            .map(|(word, gone)| if *gone { with.clone() } else { word.clone() })
            .collect();
        let is_whole = |&(first, last): &(usize, usize)| !gone[first..=last].contains(&true);
        let left: Vec<(usize, usize)> = ranges.iter().copied().filter(is_whole).collect();
        for made in &*MADE {
            let document = json(&made.post(&words, &ranges));
            let redacted = made.redact(&document, &splices);
            if made.shape == "unmovable" && !ranges.is_empty() {
                prop_assert_eq!(redacted.err(), Some(CannotRedact::Offsets));
                continue;
            }
            let redacted: serde_json::Value = serde_json::from_str(&redacted.unwrap()).unwrap();
            let want: serde_json::Value =
                serde_json::from_str(&made.post(&after, &left)).unwrap();
            prop_assert_eq!(redacted, want, "{}", made.shape);
        }
    }
}
