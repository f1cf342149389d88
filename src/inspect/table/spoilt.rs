//! What a redaction must not spoil: marks, links, attributes, tags, numbers of options. Each fault that was found is a row.

use proptest::prelude::*;

use super::{Call, JSON, inspect, redacted};

const DISCORD: (&str, &str, &str) = ("discord", "/api/v10/channels/1/messages", "content");
const REDDIT: (&str, &str, &str) = ("reddit", "/api/submit_poll_post", "text");
const SLACK: (&str, &str, &str) = ("slack", "/api/chat.postMessage", "text");
const TELEGRAM: (&str, &str, &str) = ("telegram", "/bot1:AA/sendMessage", "text");
const TOOT: (&str, &str, &str) = ("mastodon", "/api/v1/statuses", "status");
const WORDPRESS: (&str, &str, &str) = ("wordpress", "/wp-json/wp/v2/posts", "content");

fn call((platform, path, key): (&'static str, &'static str, &str), text: &str) -> Call<'static> {
    let body = serde_json::json!({ "parse_mode": "MarkdownV2", key: text, "title": "Hi" });
    (platform, "POST", path, JSON, body.to_string())
}

#[track_caller]
fn after(place: (&'static str, &'static str, &str), text: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(&redacted(&call(place, text))).unwrap();
    body[place.2].as_str().unwrap().to_owned()
}

#[track_caller]
fn check(place: (&'static str, &'static str, &str), rows: &[(&str, &str)]) {
    for (text, want) in rows {
        assert_eq!(after(place, text), *want, "{text}");
    }
}

#[test]
fn no_marks_stay_round_nothing() {
    let rows = [
        ("My patient Mr. Castel**lano** coded", "My patient Mr. [name] coded"),
        ("My patient Mr. ||Castel||||lano|| coded", "My patient Mr. ||[name]|| coded"),
        ("My patient Mr. **Castel**__lano__ coded", "My patient Mr. **[name]** coded"),
        ("My patient Mr. *C*a*s*tellano coded", "My patient Mr. *[name]* coded"),
        ("My patient Mr. `Castel``lano` coded", "My patient Mr. `[name]` coded"),
        ("My patient Mr. ***Castellano*** coded", "My patient Mr. ***[name]*** coded"),
        (r"My patient Mr. Cas\*tellano coded", "My patient Mr. [name] coded"),
        (r"My patient Mr. \*Castellano\* coded", r"My patient Mr. \*[name]\* coded"),
    ];
    check(DISCORD, &rows);
    check(REDDIT, &rows);
    check(
        SLACK,
        &[("my patient Mr. _Castel_lano_ *Castel*lano coded", "my patient Mr. _[name]_ coded")],
    );
    check(
        TELEGRAM,
        &[
            (r"My patient Mr\. Cas\tel\lano coded", r"My patient Mr\. \[name\] coded"),
            (r"My patient Mr\. Castel*lano* coded\!", r"My patient Mr\. \[name\] coded\!"),
        ],
    );
}

#[test]
fn links_are_links_or_words() {
    let rows = [
        (
            "My patient [Mr. Castellano](https://a.example) coded",
            "My patient [Mr. [name]](https://a.example) coded",
        ),
        ("My patient Mr. Castel[lano](https://a.example) coded", "My patient Mr. [name] coded"),
        (
            "My patient Mr. Castellano(https://a.example) coded",
            r"My patient Mr. \[name\](https://a.example) coded",
        ),
        ("My patient Mr. Castel**lano**(x) coded", r"My patient Mr. \[name\](x) coded"),
        (
            "My patient Mr. Castellano coded, [see](https://a.example/castellano \"chart\")",
            "My patient Mr. [name] coded, see",
        ),
        (
            "My patient Mr. Castellano coded, <https://a.example/castellano>",
            "My patient Mr. [name] coded, [name]",
        ),
        (
            "My patient Mr. Castellano coded, https://a.example/x?castellano.",
            "My patient Mr. [name] coded, [name].",
        ),
        (
            "My patient Mr. Castellano coded [x](https://a.example/y_(z)) so",
            "My patient Mr. [name] coded [x](https://a.example/y_(z)) so",
        ),
    ];
    check(DISCORD, &rows);
    check(REDDIT, &rows);
    check(
        REDDIT,
        &[(
            "My patient coded ![Mr. Castellano](https://a.example/castellano.png)",
            "My patient coded Mr. [name]",
        )],
    );
    check(
        SLACK,
        &[
            (
                "My patient Mr. <https://a.example/x|Castellano> coded",
                "My patient Mr. <https://a.example/x|[name]> coded",
            ),
            (
                "My patient Mr. Castellano coded <https://a.example/castellano|chart>",
                "My patient Mr. [name] coded chart",
            ),
            (
                "My patient Mr. Castellano coded <mailto:d.kowalski@example.org|mail>",
                "My patient Mr. [name] coded mail",
            ),
            (
                "<@U024BE7LH> my patient Mr. Castellano &amp; wife <!here> <!subteam^S1|@nurses>",
                "<@U024BE7LH> my patient Mr. [name] &amp; wife <!here> <!subteam^S1|@nurses>",
            ),
        ],
    );
    check(
        TOOT,
        &[
            (
                "My patient Mr. Castellano coded https://a.example/castellano, see",
                "My patient Mr. [name] coded [name], see",
            ),
            (
                "My patient Mr. Castellano coded #TeamCastellano @castellano",
                "My patient Mr. [name] coded [name] [name]",
            ),
            (
                "My patient Mr. Castellano coded\r\n\u{0}so",
                "My patient Mr. [name] coded\r\n\u{0}so",
            ),
        ],
    );
}

#[test]
fn marks_are_what_the_platform_takes_for_marks() {
    let rows = [
        (
            r#"{"status":"My patient Mr. Castel**lano** coded","content_type":"text/markdown"}"#,
            "My patient Mr. [name] coded",
        ),
        (
            r#"{"status":"My patient Mr. Castel<b>lano</b> coded","content_type":"text/html"}"#,
            "My patient Mr. [name] coded",
        ),
        (
            r#"{"status":"My patient Mr. Castellano: coded","content_type":"text/markdown"}"#,
            "My patient Mr. [name]: coded",
        ),
        (
            r#"{"status":"Mr. Castellano, my patient, 2*3*4 times","content_type":"text/plain"}"#,
            "Mr. [name], my patient, 2*3*4 times",
        ),
    ];
    for (body, want) in rows {
        let after = redacted(&("mastodon", "POST", TOOT.1, JSON, body.to_owned()));
        let after: serde_json::Value = serde_json::from_str(&after).unwrap();
        assert_eq!(after["status"], want);
    }
    let note = r#"{"i":"t","text":"My patient Mr. Castel**lano** coded"}"#;
    let after = redacted(&("misskey", "POST", "/api/notes/create", JSON, note.to_owned()));
    assert_eq!(after, r#"{"i":"t","text":"My patient Mr. [name] coded"}"#);
}

#[test]
fn html_stays_html() {
    check(
        WORDPRESS,
        &[
            (
                r#"<!-- wp:image {"id":1,"alt":"My patient Mr. Castellano coded"} --><img src="https://a.example/x.png" alt="My patient Mr. Castellano coded"/><!-- /wp:image -->"#,
                r#"<!-- wp:image {"id":1,"alt":"My patient Mr. [name] coded"} --><img src="https://a.example/x.png" alt="My patient Mr. [name] coded"/><!-- /wp:image -->"#,
            ),
            (
                r#"<!-- wp:file {"href":"https://a.example/castellano.pdf"} --><p>My patient Mr. Castellano coded</p>"#,
                r##"<!-- wp:file {"href":"#"} --><p>My patient Mr. [name] coded</p>"##,
            ),
            (
                r#"<a href="https://a.example/Castellano">My patient Mr. Castellano coded</a>"#,
                r##"<a href="#">My patient Mr. [name] coded</a>"##,
            ),
            (
                "<p title=Castellano>My patient Mr. <b>Jane</b> <i>Castellano</i> died <b>today</b></p>",
                r#"<p title="[name]">My patient Mr. <b>[name]</b> died <b>today</b></p>"#,
            ),
            (
                r#"[gallery ids="1,2" caption="My patient Mr. Castellano coded"]"#,
                r#"[gallery ids="1,2" caption="My patient Mr. (name) coded"]"#,
            ),
            (
                r#"[caption id="a_12" width="300"]<img src="x"/> My patient Mr. Castellano coded[/caption]"#,
                r#"[caption id="a_12" width="300"]<img src="x"/> My patient Mr. [name] coded[/caption]"#,
            ),
            (
                "<p><Castellano>My patient Mr. Castellano coded</Castellano></p>",
                "<p>My patient Mr. [name] coded</p>",
            ),
            (
                "<!-- My patient Mr. Castellano coded --><p>&amp; so</p>\r\n",
                "<!-- My patient Mr. [name] coded --><p>&amp; so</p>\r\n",
            ),
            (
                "<ul><li>My patient</li><li>Mr. Castel</li><li>it</li></ul><p>Mr. Castellano coded</p>",
                "<ul><li>My patient</li><li>Mr. [name]</li><li>it</li></ul><p>Mr. [name] coded</p>",
            ),
        ],
    );
}

#[test]
fn options_stay_different_and_titles_hold_something() {
    let body = r#"{"title":"Mr. Castellano","text":"my patient Mr. Castellano coded","options":["Mr. Castellano","Mr. Valderrama"]}"#;
    let after = redacted(&("reddit", "POST", REDDIT.1, JSON, body.to_owned()));
    assert_eq!(
        after,
        r#"{"title":"Mr. [name]","text":"my patient Mr. [name] coded","options":["Mr. [name]","Mr. [name 2]"]}"#
    );
}

/// What fits in all its fields together fits afterwards: by shorter markers, or it is not sent.
#[test]
fn sums_of_lengths_hold() {
    let embed = |room: usize| {
        // Words of four letters for names of two: each marker is longer than what it stands for.
        let names = "my patient Mr. Wu coded, Mr. Wu died; ".repeat(3);
        let filler =
            |n: usize| "so it goes ".repeat(n / 11 + 1).chars().take(n).collect::<String>();
        let first = filler(3000);
        let second = format!("{names}{}", filler(3000 - names.len() - room));
        serde_json::json!({ "embeds": [{ "description": first }, { "description": second }] })
    };
    for (room, want) in [(100, "[name]"), (0, "-")] {
        let call = ("discord", "POST", DISCORD.1, JSON, embed(room).to_string());
        let after: serde_json::Value = serde_json::from_str(&redacted(&call)).unwrap();
        let text = |n: usize| after["embeds"][n]["description"].as_str().unwrap();
        assert!(text(0).len() + text(1).len() <= 6000);
        assert!(text(1).starts_with(&format!("my patient Mr. {want} coded")), "{}", text(1));
    }
}

const NAME: &str = "Castellano";

/// Marks that a reader does not see: what opens and what closes.
const MARKS: [(&str, &str); 7] = [
    ("", ""),
    ("**", "**"),
    ("||", "||"),
    ("~~", "~~"),
    ("`", "`"),
    ("[", "](https://l.example/z)"),
    ("*", "*"),
];
const SLACK_MARKS: [(&str, &str); 5] =
    [("", ""), ("*", "*"), ("~", "~"), ("`", "`"), ("<https://l.example/z|", ">")];
const TELEGRAM_MARKS: [(&str, &str); 5] =
    [("", ""), ("*", "*"), ("~", "~"), ("||", "||"), ("[", "](https://l.example/z)")];
const TAGS: [(&str, &str); 5] = [
    ("", ""),
    ("<b>", "</b>"),
    ("<i class=\"x\">", "</i>"),
    ("<a href='https://l.example/z'>", "</a>"),
    ("<span>", "</span>"),
];

/// Each piece of the name in marks, by number.
fn marked(cuts: &[usize], kinds: &[usize], marks: &[(&str, &str)]) -> String {
    let mut cuts = cuts.to_vec();
    cuts.extend([0, NAME.len()]);
    cuts.sort_unstable();
    cuts.dedup();
    let piece = |(nth, ends): (usize, &[usize])| {
        let (open, close) = marks[kinds.get(nth).copied().unwrap_or_default() % marks.len()];
        format!("{open}{}{close}", NAME.get(ends[0]..ends[1]).unwrap())
    };
    cuts.windows(2).enumerate().map(piece).collect()
}

/// What a reader sees, by this test's own reading: marks are taken off wherever they stand.
fn seen(text: &str, marks: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (open, close) in marks.iter().filter(|(open, _)| *open != "[" && !open.is_empty()) {
        text = text.replace(close, "").replace(open, "");
    }
    while let Some(at) = text.find("](https://l.example/z)") {
        let mut depth = 1;
        let open = text.get(..at).unwrap().rfind(|c| {
            depth += i32::from(c == ']') - i32::from(c == '[');
            depth == 0
        });
        text.replace_range(at..at + "](https://l.example/z)".len(), "");
        text.remove(open.expect("a link opens"));
    }
    text.replace(r"\[", "[").replace(r"\]", "]")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// However a name is marked, a reader sees a marker in its place and nothing else that is new; what stands before and
    /// after is the same to the byte; and what is sent is clean.
    #[test]
    fn a_redacted_text_reads_as_before_but_for_its_marker(
        cuts in prop::collection::vec(1..NAME.len(), 0..4),
        kinds in prop::collection::vec(0_usize..7, 5),
        tail in prop::collection::vec(0_usize..7, 3),
    ) {
        for (place, marks) in [
            (DISCORD, &MARKS[..]),
            (REDDIT, &MARKS),
            (WORDPRESS, &TAGS),
            (SLACK, &SLACK_MARKS),
            (TELEGRAM, &TELEGRAM_MARKS),
        ] {
            let word = |(nth, word): (usize, &str)| {
                let (open, close) = marks[tail[nth] % marks.len()];
                format!("{open}{word}{close}")
            };
            let head = if place == TELEGRAM { r"My patient Mr\. " } else { "My patient Mr. " };
            let tail: Vec<String> = ["coded", "last", "night"].into_iter().enumerate().map(word).collect();
            let tail = format!(" {}, &amp; we cried", tail.join(" "));
            let text = format!("{head}{}{tail}", marked(&cuts, &kinds, marks));
            let after = after(place, &text);
            prop_assert!(after.starts_with(head) && after.ends_with(&tail), "{} to {}", text, after);
            let want = seen(&text, marks).replace(NAME, "[name]");
            prop_assert_eq!(seen(&after, marks), want, "{} to {}", text, after);
            let again = inspect(&call(place, &after));
            prop_assert_eq!(again.verdict.as_str(), "forward", "{}: {:?}", after, again.findings);
        }
    }
}

/// Numbers that the editor writes for itself are no codes of a patient; those that somebody labelled are.
#[test]
fn machine_ids_are_nobodys() {
    let p = "<p>My patient Mr. Castellano went home on 3/14/2026.</p>";
    for mark in [
        r#"<img class="wp-image-4123" src="https://a.example/a.jpg"/>"#,
        r#"<!-- wp:image {"id":884213,"sizeSlug":"large"} --><img class="size-large wp-image-884213" src="x"/><!-- /wp:image -->"#,
        r#"<img data-id="884213" src="x"/>"#,
        r#"<!-- wp:block {"ref":884213} /-->"#,
        r#"[gallery ids="88421,88422"]"#,
        r#"[caption id="attachment_884213"]x[/caption]"#,
        r#"<!-- wp:gallery {"ids":[884213,884214],"linkTo":"none"} -->"#,
        r#"<div id="post-884213" class="c"></div>"#,
    ] {
        let want = "<p>My patient Mr. [name] went home on 2026.</p>";
        assert_eq!(after(WORDPRESS, &format!("{p}{mark}")), format!("{want}{mark}"));
    }
    for mark in [
        r#"<img alt="MRN 00412345" src="x"/>"#,
        r#"<img data-mrn="00412345" src="x"/>"#,
        r#"<!-- wp:image {"mrn":"00412345"} -->"#,
        r#"<!-- wp:image {"mrn":884213} -->"#,
        r#"<i class="mrn-00412345"></i>"#,
        r#"<i id="mrn00412345"></i>"#,
    ] {
        let found = inspect(&call(WORDPRESS, &format!("<p>My patient went home.</p>{mark}")));
        assert_eq!(found.verdict.as_str(), "block", "{mark}");
    }
    let body = r#"{"title":"Hi","content":"<p>My patient Mr. Castellano coded.</p>","featured_media":884213,"meta":{"_thumbnail_id":884213}}"#;
    let after_it = redacted(&("wordpress", "POST", WORDPRESS.1, JSON, body.to_owned()));
    assert_eq!(after_it, body.replace("Castellano", "[name]"));
    let text = r#"Our patient Dorothy Kowalski <tg-emoji emoji-id="5368324170671202286">x</tg-emoji> coded"#;
    let body = serde_json::json!({ "parse_mode": "HTML", "text": text }).to_string();
    let after_it = redacted(&("telegram", "POST", TELEGRAM.1, JSON, body.clone()));
    assert_eq!(after_it, body.replace("Dorothy Kowalski", "[name]"));
}

/// Somebody's id ends a name, and the blanks beside it stay.
#[test]
fn names_end_at_mentions() {
    let rows = [
        (
            DISCORD,
            "Our patient Dorothy Kowalski <@123456789012345678> [Kelly Ann](https://a.example/schedule) rest",
            "Our patient [name] <@123456789012345678> [",
        ),
        (
            DISCORD,
            "Our patient Dorothy Kowalski <@123456789012345678> [Kelly Ann](https://a.example/schedule) `Run Code` rest",
            "Our patient [name] <@123456789012345678> ",
        ),
        (
            SLACK,
            "Our patient Dorothy Kowalski <@U123ABC> <https://a.example/schedule|Kelly Ann> rest",
            "Our patient [name] <@U123ABC> <https://a.example/schedule|",
        ),
    ];
    for (place, text, want) in rows {
        let after = after(place, text);
        assert!(after.starts_with(want) && after.ends_with(" rest"), "{text} to {after}");
    }
    let cut = "My patient Mr. Castel<@123456789012345678>lano coded";
    assert!(!after(DISCORD, cut).contains("lano"), "a name goes on over an id in its middle");
}
