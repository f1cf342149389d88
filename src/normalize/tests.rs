use proptest::prelude::*;

use super::View;
use crate::span::Span;

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (written, folded) in cases {
        assert_eq!(View::of(written).text(), *folded, "{written:?}");
    }
}

#[test]
fn every_disguise_reads_as_the_plain_text() {
    check(&[
        ("John 123", "john 123"),
        ("Ｊｏｈｎ　１２３", "john 123"),
        ("𝐉𝐨𝐡𝐧 𝟏𝟐𝟑", "john 123"),
        ("𝒥𝑜𝒽𝓃 𝟙𝟚𝟛", "john 123"),
        ("ⓙⓞⓗⓝ ①②③", "john 123"),
        ("🅙🅞🅗🅝 ❶❷❸", "john 123"),
        ("🄹🄾🄷🄽 ➊➋➌", "john 123"),
        ("🅹🅾🅷🅽 1️⃣2️⃣3️⃣", "john 123"),
        ("🇯🇴🇭🇳 ¹²³", "john 123"),
        ("Јоһn ١٢٣", "john 123"),
        ("J\u{200b}o\u{ad}h\u{2060}n 1\u{200d}2\u{fe0f}3", "john 123"),
        ("\u{202e}John\u{202c} १२३", "john 123"),
        ("Jöhñ 123", "john 123"),
        ("J\u{336}o\u{336}h\u{336}n\u{336} 1\u{336}2\u{336}3", "john 123"),
        ("&#74;ohn&nbsp;1&#x32;3", "john 123"),
        ("ᴊᴏʜɴ 123", "john 123"),
        ("John\u{a0}123", "john 123"),
        ("⒥⒪⒣⒩ ⑴⑵⑶", "john 123"),
        ("078–05—1120", "078-05-1120"),
        ("O’Brien “x”", "o'brien \"x\""),
        ("Łódź Straße Ærø", "lodz strasse aero"),
        ("İstanbul", "istanbul"),
        ("AT&T &unknown; &", "at&t &unknown; &"),
        ("½", "1/2"),
        ("🔟", "10"),
        ("a\r\nb", "a\r\nb"),
        ("ﬁne", "fine"),
    ]);
}

#[test]
fn words_of_other_scripts_stay() {
    check(&[
        ("Наташа и оса", "наташа и оса"),
        ("Мой пациент", "мой пациент"),
        ("Γιώργος", "γιώργος"),
        ("患者王伟", "患者王伟"),
        ("مريض", "مريض"),
        ("환자 김", "환자 김"),
        ("रोगी", "रोगी"),
        ("ЅЅN 123", "ssn 123"),
        ("МРН", "mph"),
        ("пациент Јоhn", "пациент john"),
        ("ꭺ¡ЦÀ ndré", "a¡цa ndre"),
    ]);
}

#[test]
fn spans_widen_to_graphemes() {
    for (text, folded, original) in [
        ("é1", 0..1, 0..2),
        ("e\u{301}1", 0..1, 0..3),
        ("1️⃣2", 0..1, 0..7),
        ("a\u{200b}b", 1..2, 4..5),
        ("&#65;b", 0..1, 0..5),
        ("🇺🇸x", 0..1, 0..8),
        ("x", 1..1, 1..1),
        ("é", 1..1, 2..2),
    ] {
        let span = View::of(text).to_original(folded.clone().into());
        assert_eq!(span, original.into(), "{text:?} {folded:?}");
    }
}

/// Quadratic cost would keep this test running for minutes.
#[test]
fn a_hostile_text_costs_no_more_than_its_length() {
    for unit in ["\u{301}", "&", "&#", "е", "🇺", "\u{200d}👨", "\r\n", "ﷺ"] {
        let text = unit.repeat(200_000 / unit.len());
        let view = View::of(&text);
        assert!(view.text().len() <= text.len() * 12);
    }
}

/// Whether a word is in disguise is asked of the text as it will be folded: `𝔻` beside `Ц` is Latin both times.
#[test]
fn letters_in_fancy_dress_count_as_the_plain_ones() {
    for text in ["𝜶 Ц𝔻", "𝜶 🄳Ц", "а Цd", "𝜶𝛾 αн 𝜶"] {
        let once = View::of(text);
        assert_eq!(once.text(), View::of(once.text()).text(), "{text}");
    }
    assert_eq!(View::of("𝜶 Ц𝔻").text(), "a цd");
    // A word that only its own script can write keeps the others: nothing here is a disguise.
    assert_eq!(View::of("оса Цирк").text(), "оса цирк");
}

proptest! {
    #[test]
    fn spans_stay_on_characters(text in "[ -~]{0,9}\\PC{0,20}", a in 0_usize..60, b in 0_usize..60) {
        let view = View::of(&text);
        let span = view.to_original(Span::new(a.min(view.text().len()), b.min(view.text().len())));
        prop_assert!(span.of(&text).is_some());
    }

    #[test]
    fn folding_twice_is_folding_once(text in "\\PC{0,20}") {
        let once = View::of(&text);
        prop_assume!(!once.text().contains(['&', '%', '\\']));
        // A mark that was a letter by itself may be sorted among those of its neighbour.
        prop_assume!(unicode_normalization::is_nfc(once.text()));
        let twice = View::of(once.text());
        prop_assert_eq!(once.text(), twice.text());
    }

    #[test]
    fn map_is_in_order(text in "\\PC{0,30}") {
        let view = View::of(&text);
        let mut last = 0;
        for at in 0..view.text().len() {
            let span = view.to_original(Span::new(at, at + 1));
            prop_assert!(span.start() >= last || span.end() > last);
            last = span.start();
        }
    }
}
