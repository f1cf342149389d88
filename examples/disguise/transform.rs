//! The disguises: each turns a piece of text into one that a person still reads, and a filter may not.
//!
//! Pure, and the same for the same text, so that a test can tell how much of what is found in a plain text is found in
//! the transformed one.

use std::iter;

use super::tables::{DIGIT_WORDS, FLIPPED, LEET, MORSE, NATO, SMALL_CAPITALS, TWINS};

/// One disguise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transform {
    /// How it is asked for.
    pub(crate) name: &'static str,
    /// Turns a piece of text; the same text back where there is nothing to disguise in it.
    pub(crate) apply: fn(&str) -> String,
    /// Whether a whole text so written is read from its end.
    pub(crate) turns_order: bool,
    /// Whether the original can be told from it; otherwise a post is flagged, and nothing in it is named.
    pub(crate) legible: bool,
}

/// Every disguise.
pub(crate) const ALL: &[Transform] = &[
    plain("zero-width", |text| between(text, "\u{200b}")),
    plain("word-joiner", |text| between(text, "\u{2060}")),
    plain("soft-hyphen", |text| between(text, "\u{ad}")),
    plain("control", |text| between(text, "\u{8}")),
    plain("ansi", |text| words(text, ansi, " ")),
    plain("struck", |text| after_each(text, "\u{336}")),
    plain("stacked-marks", |text| after_each(text, "\u{30d}\u{323}\u{340}")),
    plain("accents", accents),
    plain("full-width", |text| shifted(text, |c| ('!'..='~').contains(&c).then(|| up(c, 0xFEE0)))),
    plain("bold", |text| fancy(text, 0x1D400, 0x1D41A, Some(0x1D7CE))),
    plain("bold-italic-sans", |text| fancy(text, 0x1D63C, 0x1D656, Some(0x1D7EC))),
    plain("fraktur", |text| fancy(text, 0x1D56C, 0x1D586, None)),
    plain("monospace", |text| fancy(text, 0x1D670, 0x1D68A, Some(0x1D7F6))),
    plain("double-struck-digits", |text| {
        shifted(text, |c| c.is_ascii_digit().then(|| at(0x1D7D8, c, '0')))
    }),
    plain("circled", circled),
    plain("squared", |text| shifted(text, |c| letter(c).map(|nth| code(0x1F130 + nth)))),
    plain("negative-circled", |text| shifted(text, |c| letter(c).map(|nth| code(0x1F150 + nth)))),
    plain("small-capitals", |text| mapped(&text.to_lowercase(), SMALL_CAPITALS)),
    plain("homoglyphs", |text| mapped(text, TWINS)),
    plain("regional-indicators", regional),
    plain("keycaps", |text| each(text, |c| digit(c).map(|_| format!("{c}\u{fe0f}\u{20e3}")))),
    plain("arabic-digits", |text| shifted(text, |c| c.is_ascii_digit().then(|| at(0x660, c, '0')))),
    plain("devanagari-digits", |text| {
        shifted(text, |c| c.is_ascii_digit().then(|| at(0x966, c, '0')))
    }),
    plain("superscript-digits", |text| {
        each(text, |c| digit(c).map(|nth| "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(nth).into_iter().collect()))
    }),
    plain("spaced", |text| words(text, |word| joined(word, " "), "   ")),
    plain("spaced-evenly", |text| joined(&squeezed(text), " ")),
    plain("dotted", |text| runs(text, |run| joined(run, "."))),
    plain("hyphened", |text| runs(text, |run| joined(run, "-"))),
    plain("slashed", |text| runs(text, |run| joined(run, "/"))),
    plain("underscored", |text| runs(text, |run| joined(run, "_"))),
    plain("emoji-between", |text| runs(text, |run| joined(run, "🌟"))),
    plain("one-a-line", |text| joined(&squeezed(text), "\n")),
    plain("broken", |text| words(text, broken, " ")),
    plain("leet", |text| {
        words(text, |word| if has_digit(word) { word.to_owned() } else { leet(word) }, " ")
    }),
    plain("letters-for-digits", |text| {
        each(text, |c| match c {
            '0' => Some("O".to_owned()),
            '1' => Some("l".to_owned()),
            _ => None,
        })
    }),
    plain("masked", |text| words(text, masked, " ")),
    plain("spelled", |text| spelled(&short_numbers(text), |_| true)),
    plain("partly-spelled", |text| spelled(text, |nth| nth % 3 != 0)),
    plain("spelled-run-together", run_together),
    plain("nato", nato),
    plain("entities", |text| {
        each(text, |c| c.is_alphanumeric().then(|| format!("&#{};", u32::from(c))))
    }),
    plain("hex-entities", |text| {
        each(text, |c| c.is_alphanumeric().then(|| format!("&#x{:X};", u32::from(c))))
    }),
    plain("percent", |text| bytes(text, |byte| format!("%{byte:02X}"))),
    plain("escaped", |text| {
        each(text, |c| c.is_alphanumeric().then(|| format!("\\u{:04x}", u32::from(c))))
    }),
    plain("at-dot", |text| {
        if text.contains('@') {
            text.replace('@', " at ").replace('.', " dot ")
        } else {
            text.to_owned()
        }
    }),
    plain("bracketed-at-dot", |text| {
        if text.contains('@') {
            text.replace('@', " [at] ").replace('.', " [dot] ")
        } else {
            text.to_owned()
        }
    }),
    plain("defanged", |text| {
        if text.contains("://") {
            text.replacen("http", "hxxp", 1).replace('.', "[.]")
        } else {
            text.to_owned()
        }
    }),
    plain("reversed-words", |text| words(text, backwards, " ")),
    plain("pig-latin", |text| words(text, pig_latin, " ")),
    Transform { turns_order: true, ..plain("reversed", backwards) },
    Transform {
        turns_order: true,
        ..plain("upside-down", |text| backwards(&mapped(text, FLIPPED)))
    },
    coded("base64", base64),
    coded("hex", |text| bytes(text, |byte| format!("{byte:02x}"))),
    coded("binary", |text| {
        text.bytes().map(|byte| format!("{byte:08b}")).collect::<Vec<_>>().join(" ")
    }),
    coded("morse", morse),
    coded("rot13", |text| {
        shifted(text, |c| {
            letter(c).map(|nth| {
                at(if c.is_uppercase() { 'A' } else { 'a' } as u32, up('a', (nth + 13) % 26), 'a')
            })
        })
    }),
];

const fn plain(name: &'static str, apply: fn(&str) -> String) -> Transform {
    Transform { name, apply, turns_order: false, legible: true }
}

const fn coded(name: &'static str, apply: fn(&str) -> String) -> Transform {
    Transform { name, apply, turns_order: false, legible: false }
}

/// A piece of a text, and whether it is disguised or left as it is.
#[derive(Clone, Debug)]
pub(crate) struct Stretch<'t> {
    pub(crate) text: &'t str,
    /// Which mark of the text it is, if any.
    pub(crate) mark: Option<usize>,
}

/// Cuts a text at its marks, which must be sorted, disjoint and on character boundaries; `None` where they are not.
pub(crate) fn cut(
    text: &str,
    marks: impl IntoIterator<Item = std::ops::Range<usize>>,
) -> Option<Vec<Stretch<'_>>> {
    let mut stretches = Vec::new();
    let mut from = 0;
    for (nth, mark) in marks.into_iter().enumerate() {
        stretches.push(Stretch { text: text.get(from..mark.start)?, mark: None });
        stretches.push(Stretch { text: text.get(mark.clone())?, mark: Some(nth) });
        from = mark.end;
    }
    stretches.push(Stretch { text: text.get(from..)?, mark: None });
    Some(stretches)
}

impl Transform {
    /// The transform of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|transform| transform.name == name)
    }

    /// Disguises the marked stretches, or all of them (`whole`): the text, and where each mark now stands.
    pub(crate) fn run(
        &self,
        stretches: &[Stretch<'_>],
        whole: bool,
    ) -> (String, Vec<std::ops::Range<usize>>) {
        let mut text = String::new();
        let mut marks = Vec::new();
        let mut one = |stretch: &Stretch<'_>| {
            let from = text.len();
            if whole || stretch.mark.is_some() {
                let disguised = (self.apply)(stretch.text);
                // A mark of nothing but signs that a disguise cannot write would vanish.
                let gone = disguised.trim().is_empty();
                text.push_str(if gone { stretch.text } else { &disguised });
            } else {
                text.push_str(stretch.text);
            }
            if let Some(nth) = stretch.mark {
                marks.push((nth, from..text.len()));
            }
        };
        if whole && self.turns_order {
            stretches.iter().rev().for_each(&mut one);
        } else {
            stretches.iter().for_each(&mut one);
        }
        marks.sort_by_key(|(nth, _)| *nth);
        (text, marks.into_iter().map(|(_, range)| range).collect())
    }
}

fn up(c: char, by: u32) -> char {
    code(u32::from(c) + by)
}

fn code(code: u32) -> char {
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn at(first: u32, c: char, from: char) -> char {
    code(first + u32::from(c) - u32::from(from))
}

fn letter(c: char) -> Option<u32> {
    c.is_ascii_alphabetic().then(|| u32::from(c.to_ascii_lowercase()) - u32::from('a'))
}

fn digit(c: char) -> Option<usize> {
    c.to_digit(10).and_then(|digit| usize::try_from(digit).ok())
}

fn has_digit(text: &str) -> bool {
    text.chars().any(|c| c.is_ascii_digit())
}

fn each(text: &str, with: impl Fn(char) -> Option<String>) -> String {
    text.chars().map(|c| with(c).unwrap_or_else(|| c.to_string())).collect()
}

fn shifted(text: &str, with: impl Fn(char) -> Option<char>) -> String {
    text.chars().map(|c| with(c).unwrap_or(c)).collect()
}

fn mapped(text: &str, table: &[(char, char)]) -> String {
    shifted(text, |c| table.iter().find(|(from, _)| *from == c).map(|(_, to)| *to))
}

fn bytes(text: &str, with: impl Fn(u8) -> String) -> String {
    text.bytes().map(with).collect()
}

/// Something between the characters of each word.
fn between(text: &str, what: &str) -> String {
    words(text, |word| joined(word, what), " ")
}

fn after_each(text: &str, what: &str) -> String {
    each(text, |c| c.is_alphanumeric().then(|| format!("{c}{what}")))
}

fn joined(text: &str, with: &str) -> String {
    text.chars().map(String::from).collect::<Vec<_>>().join(with)
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Each word for itself; one blank between two becomes `gap`.
fn words(text: &str, with: impl Fn(&str) -> String, gap: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for c in text.chars().chain(iter::once('\0')) {
        if c.is_whitespace() || c == '\0' {
            if !word.is_empty() {
                out.push_str(&with(&word));
                word.clear();
            }
            match c {
                ' ' => out.push_str(gap),
                '\0' => {}
                c => out.push(c),
            }
        } else {
            word.push(c);
        }
    }
    out
}

/// A change of colour within a word.
fn ansi(word: &str) -> String {
    let mut chars = word.chars();
    let first: String = chars.next().into_iter().collect();
    let rest = chars.as_str();
    if rest.is_empty() { first } else { format!("{first}\u{1b}[1;31m{rest}") }
}

/// Each run of letters and digits for itself.
fn runs(text: &str, with: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(end);
        out.push_str(&with(run));
        let sign = tail.chars().next().map_or(0, char::len_utf8);
        let (sign, tail) = tail.split_at(sign);
        out.push_str(sign);
        rest = tail;
    }
    out
}

fn accents(text: &str) -> String {
    mapped(
        text,
        &[
            ('a', 'á'),
            ('e', 'ë'),
            ('i', 'í'),
            ('o', 'ö'),
            ('u', 'û'),
            ('n', 'ñ'),
            ('c', 'č'),
            ('s', 'š'),
        ],
    )
}

fn fancy(text: &str, upper: u32, lower: u32, zero: Option<u32>) -> String {
    shifted(text, |c| match c {
        'A'..='Z' => Some(at(upper, c, 'A')),
        'a'..='z' => Some(at(lower, c, 'a')),
        '0'..='9' => zero.map(|zero| at(zero, c, '0')),
        _ => None,
    })
}

fn circled(text: &str) -> String {
    shifted(text, |c| match c {
        'A'..='Z' => Some(at(0x24B6, c, 'A')),
        'a'..='z' => Some(at(0x24D0, c, 'a')),
        '0' => Some('⓪'),
        '1'..='9' => Some(at(0x2460, c, '1')),
        _ => None,
    })
}

/// Letters of flags, kept from becoming flags as posters do.
fn regional(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let Some(nth) = letter(c) else {
            out.push(c);
            continue;
        };
        if out.chars().next_back().is_some_and(|last| u32::from(last) >= 0x1F1E6) {
            out.push('\u{200b}');
        }
        out.push(code(0x1F1E6 + nth));
    }
    out
}

fn broken(word: &str) -> String {
    let chars: Vec<char> = word.chars().collect();
    if chars.len() < 4 || !chars.iter().all(|c| c.is_alphabetic()) {
        return word.to_owned();
    }
    let (head, tail) = chars.split_at(chars.len() / 2);
    head.iter().chain(&['*']).chain(tail).collect()
}

fn leet(word: &str) -> String {
    let mut chars = word.chars();
    let first: String = chars.next().into_iter().collect();
    first + &mapped(chars.as_str(), LEET)
}

/// Stars for vowels, but for the first letter.
fn masked(word: &str) -> String {
    if has_digit(word) || word.chars().count() < 4 {
        return word.to_owned();
    }
    let mut chars = word.chars();
    let first: String = chars.next().into_iter().collect();
    first + &shifted(chars.as_str(), |c| "aeiou".contains(c).then_some('*'))
}

/// Digits as words, those whose place is chosen; a sign between two groups of digits becomes a comma.
fn spelled(text: &str, chosen: impl Fn(usize) -> bool) -> String {
    let mut out = String::new();
    let mut n_digits = 0;
    let mut last = ' ';
    for c in text.chars() {
        if let Some(nth) = digit(c) {
            if last.is_alphanumeric() {
                out.push(' ');
            }
            match DIGIT_WORDS.get(nth) {
                Some(word) if chosen(n_digits) => out.push_str(word),
                _ => out.push(c),
            }
            n_digits += 1;
        } else if last.is_ascii_digit() && c == '/' {
            out.push_str(" slash ");
        } else if last.is_ascii_digit() && matches!(c, '-' | '.') {
            out.push_str(", ");
        } else {
            if last.is_ascii_digit() && c.is_alphabetic() {
                out.push(' ');
            }
            out.push(c);
        }
        last = c;
    }
    out
}

/// Numbers of one or two digits as people say them: `March fourteenth`, `ninety-six`.
fn short_numbers(text: &str) -> String {
    const TEENS: [&str; 10] = [
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 10] =
        ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    const ORDINALS: [&str; 20] = [
        "",
        "first",
        "second",
        "third",
        "fourth",
        "fifth",
        "sixth",
        "seventh",
        "eighth",
        "ninth",
        "tenth",
        "eleventh",
        "twelfth",
        "thirteenth",
        "fourteenth",
        "fifteenth",
        "sixteenth",
        "seventeenth",
        "eighteenth",
        "nineteenth",
    ];
    let say = |digits: &str, ordinal: bool| -> Option<String> {
        let number: usize =
            digits.parse().ok().filter(|_| digits.len() <= 2 && !digits.starts_with('0'))?;
        let (ten, unit) = (number / 10, number % 10);
        let end = match (ordinal, unit) {
            (true, 0) => "ieth",
            (true, unit) => ORDINALS.get(unit)?,
            (false, 0) => "",
            (false, unit) => DIGIT_WORDS.get(unit)?,
        };
        Some(match ten {
            0 | 1 if ordinal => (*ORDINALS.get(number)?).to_owned(),
            0 => (*DIGIT_WORDS.get(number)?).to_owned(),
            1 => (*TEENS.get(unit)?).to_owned(),
            _ if unit == 0 && ordinal => format!("{}{end}", TENS.get(ten)?.trim_end_matches('y')),
            _ if unit == 0 => (*TENS.get(ten)?).to_owned(),
            _ => format!("{}-{end}", TENS.get(ten)?),
        })
    };
    words(
        text,
        |word| {
            let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
            let tail = word.get(digits.len()..).unwrap_or_default();
            let ordinal = ["st", "nd", "rd", "th"].iter().find(|end| tail.starts_with(*end));
            let rest = tail.strip_prefix(*ordinal.unwrap_or(&"")).unwrap_or_default();
            let own = digits.chars().all(|c| c.is_ascii_digit())
                && !rest.starts_with(char::is_alphanumeric);
            let said = say(digits, ordinal.is_some()).filter(|_| own);
            said.map_or_else(|| word.to_owned(), |said| said + rest)
        },
        " ",
    )
}

fn run_together(text: &str) -> String {
    each(text, |c| digit(c).and_then(|nth| DIGIT_WORDS.get(nth)).map(|&word| word.to_owned()))
}

fn nato(text: &str) -> String {
    words(
        text,
        |word| {
            if word.contains(['@', '/']) {
                return word.to_owned();
            }
            let letters = word.chars().filter(char::is_ascii_alphanumeric);
            let said = letters.map(|c| match (letter(c), digit(c)) {
                (Some(nth), _) => NATO.get(nth as usize).copied().unwrap_or_default().to_owned(),
                (_, Some(nth)) => DIGIT_WORDS.get(nth).copied().unwrap_or_default().to_owned(),
                _ => String::new(),
            });
            said.collect::<Vec<_>>().join(" ")
        },
        ", ",
    )
}

fn backwards(text: &str) -> String {
    text.chars().rev().collect()
}

fn pig_latin(word: &str) -> String {
    if has_digit(word) || word.chars().count() < 2 || !word.chars().all(char::is_alphabetic) {
        return word.to_owned();
    }
    let lower = word.to_lowercase();
    let vowel = lower.find(|c| "aeiouy".contains(c)).unwrap_or(0);
    let (head, tail) = lower.split_at(vowel);
    let turned = if head.is_empty() { format!("{tail}way") } else { format!("{tail}{head}ay") };
    if word.starts_with(char::is_uppercase) {
        let mut chars = turned.chars();
        chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
    } else {
        turned
    }
}

fn morse(text: &str) -> String {
    words(
        &text.to_ascii_lowercase(),
        |word| {
            let signs = word.chars().filter_map(|c| {
                let nth =
                    letter(c).map(|nth| nth as usize).or_else(|| digit(c).map(|nth| nth + 26));
                MORSE.get(nth?).copied()
            });
            signs.collect::<Vec<_>>().join(" ")
        },
        " / ",
    )
}

fn base64(text: &str) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in text.as_bytes().chunks(3) {
        let byte = |nth: usize| u32::from(three.get(nth).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for nth in 0..4 {
            let sign = SIGNS.get((bits >> (18 - 6 * nth) & 63) as usize).copied().unwrap_or(b'=');
            out.push(if nth > three.len() { '=' } else { char::from(sign) });
        }
    }
    out
}
