//! What disguises are read as: tables of texts and what rules then read.

use proptest::prelude::*;

use super::undone;
use crate::detect::token::Text;
use crate::rules::Lexicons;
use crate::span::Span;

fn read(text: &str) -> Text {
    undone(Text::of(text), text, &Lexicons::embedded())
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (written, plain) in cases {
        let text = read(written);
        assert_eq!(text.view.text(), *plain, "{written:?}");
    }
}

#[test]
fn letters_and_digits_set_apart() {
    check(&[
        ("pt J o h n  S m i t h rang", "pt john smith rang"),
        ("pt J o h n S m i t h rang", "pt john smith rang"),
        ("pt j o h n s m i t h rang", "pt john smith rang"),
        ("D.a.n.i.e.l V/o/g/e/l", "daniel vogel"),
        ("M🌟a🌟r🌟c🌟u🌟s left", "marcus left"),
        ("MRN 4-4-7-1-9-0-2", "mrn 4471902"),
        ("M R N 4 4 7 1 9 0 2", "mrn 4471902"),
        ("6 1 5 - 5 5 5 - 0 1 7 1", "615-555-0171"),
        ("no\n4\n4\n7\n1\n", "no\n4471\n"),
        ("hepatitis A, B, C, D", "hepatitis a, b, c, d"),
        ("the U.S.A. and I", "the u.s.a. and i"),
        ("a R.N. or 2 or 3", "a r.n. or 2 or 3"),
    ]);
}

#[test]
fn numbers_in_words() {
    check(&[
        ("mrn four four seven one nine oh two", "mrn 4471902"),
        ("mrn 4 four seven 1 nine zero 2", "mrn 4471902"),
        ("six one five, five five five, oh one seven one", "615-555-0171"),
        ("ssn two one nine / oh nine / nine nine nine nine", "ssn 219/09/9999"),
        ("mrn fourfoursevenone", "mrn 4471"),
        ("june third twenty twenty-six", "june third 2026"),
        ("call eight hundred five five five", "call 800555"),
        ("room four twelve", "room 412"),
        ("double four seven one", "4471"),
        ("text 4 one 5 . 5 5 5 . 0 1 7 9", "text 415-555-0179"),
        ("on October eleven", "on october 11"),
        ("see /2026/04/03/one-way and 20/five", "see /2026/04/03/one-way and 20/five"),
        ("two patients in one of four beds", "two patients in one of four beds"),
        ("gave two 500 mg tabs", "gave two 500 mg tabs"),
        ("one two three go", "one two three go"),
    ]);
}

#[test]
fn the_spelling_alphabet() {
    check(&[
        ("pt Juliett Oscar Hotel November", "pt john"),
        ("Juliett Oscar Hotel November, Sierra Mike India Tango Hotel", "john smith"),
        ("mike romeo november four four seven one", "mrn4471"),
        ("Mike, Oscar, Victor", "mike, oscar, victor"),
        ("trauma Zulu", "trauma zulu"),
        ("Alpha X-ray Echo Lima", "axel"),
    ]);
}

#[test]
fn letters_for_letters() {
    check(&[
        ("pt J0hn Sm1th", "pt john smith"),
        ("pt J@ne", "pt jane"),
        ("M1ch43l left", "michael left"),
        ("mrn 447l9O2", "mrn 4471902"),
        ("615-555-Ol7l", "615-555-0171"),
        ("S*m*nth* is back", "samantha is back"),
        ("Jo*hn is back", "john is back"),
        ("covid19, h1n1 and hba1c in 4west", "covid19, h1n1 and hba1c in 4west"),
        ("fused L4S5 on 3rd, 50ml at 10l", "fused l4s5 on 3rd, 50ml at 10l"),
        ("*so* tired", "*so* tired"),
    ]);
}

#[test]
fn words_turned_round() {
    check(&[
        ("my pt nhoJ htimS rang", "my pt john smith rang"),
        ("sih rehtom dna eht tneitap ediw", "his mother and the patient wide"),
        ("pt Ohnjay Ithsmay", "pt john smith"),
        ("zl cngvrag Wbua Fzvgu jnf va gur jneq", "my patient john smith was in the ward"),
        ("pH of a Sunday in Norway", "ph of a sunday in norway"),
    ]);
}

#[test]
fn codes() {
    check(&[
        ("pt Sm9obiBTbWl0aA== left", "pt john smith left"),
        ("pt 4a6f686e20536d697468 left", "pt john smith left"),
        ("pt .--- --- .... -. left", "pt john left"),
        ("01001010 01101111 01100101 left", "joe left"),
        ("well... - - ok", "well... - - ok"),
        ("id 4471902, 20260311 or 31234567", "id 4471902, 20260311 or 31234567"),
        ("pt 34343731393032 left", "pt 4471902 left"),
    ]);
}

#[test]
fn what_is_undone_stands_where_it_was_written() {
    for (text, plain, written) in [
        ("pt J o h n left", "john", "J o h n"),
        ("é J o h n left", "john", "J o h n"),
        ("pt nhoJ left", "john", "nhoJ"),
        ("pt Sm9obiBTbWl0aA== left", "john", "Sm9obiBTbWl0aA=="),
        ("pt Ohnjay left", "john", "Ohnjay"),
    ] {
        let read = read(text);
        let at = read.view.text().find(plain).unwrap();
        let span = read.view.to_original(Span::new(at, at + plain.len()));
        assert_eq!(span.of(text), Some(written), "{text}");
    }
}

/// Quadratic cost would keep this test running for minutes.
#[test]
fn a_hostile_text_costs_no_more_than_its_length() {
    for unit in [
        "a ",
        "4 ",
        "four ",
        "alpha ",
        "J0h ",
        "*a",
        "a*",
        "nhoJ ",
        ".- ",
        "01001010 ",
        "$a",
        "a_b",
        "q",
        "eht ",
    ] {
        let text = unit.repeat(100_000 / unit.len());
        let read = read(&text);
        assert!(read.view.text().len() <= text.len() * 2, "{unit}");
    }
}

proptest! {
    #[test]
    fn spans_lie_on_graphemes(text in "(\\PC|[a-z] |[0-9] |four |alpha |J0hn |nhoJ |S\\*m|\\n){0,30}") {
        use unicode_segmentation::UnicodeSegmentation;
        let read = read(&text);
        let edges: Vec<usize> =
            text.grapheme_indices(true).map(|(at, _)| at).chain([text.len()]).collect();
        for token in &read.tokens {
            let span = read.view.to_original(token.span);
            prop_assert!(edges.contains(&span.start()) && edges.contains(&span.end()));
            prop_assert!(span.of(&text).is_some());
        }
    }
}
