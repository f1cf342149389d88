//! Codes that nobody reads by eye and anybody can undo: base64, hexadecimal, binary, Morse.

use crate::detect::disguise::page::{Page, whole};
use crate::normalize::{Kind, Rewrite};
use crate::span::Span;

/// Longer codes are pictures and keys.
const LONGEST: usize = 4096;
/// So many dots and dashes are no punctuation, however few the groups.
const SURE: usize = 8;

pub(super) fn find(page: &Page<'_>, out: &mut Vec<Rewrite>) {
    let text = page.text();
    let mut at = 0;
    for piece in text.split_inclusive(char::is_whitespace) {
        let start = at;
        at += piece.len();
        let word = piece.trim_end().trim_matches(|c: char| {
            matches!(c, '"' | '\'' | '(' | ')' | '.' | ',' | ':' | ';' | '!' | '?')
        });
        let Some(head) = piece.find(word) else { continue };
        let span = Span::new(start + head, start + head + word.len());
        if word.len() < 8 || word.len() > LONGEST || !word.is_ascii() {
            continue;
        }
        let written = page.written(span);
        if let Some(plain) = hexadecimal(written).or_else(|| base64(written)) {
            out.push(whole(span, &plain, Kind::Coded));
        }
    }
    groups(text, is_byte, |bits| u8::from_str_radix(bits, 2).ok().map(char::from), 3, out);
    if text.contains('-') {
        groups(text, is_morse, morse, 3, out);
    }
}

/// Whether bytes are words: letters, digits and what stands between them, and nothing else.
fn prose(bytes: Vec<u8>) -> Option<String> {
    let plain = String::from_utf8(bytes).ok()?;
    let readable = plain.chars().all(|c| {
        c.is_alphanumeric()
            || matches!(
                c,
                ' ' | '\n'
                    | '\t'
                    | '\''
                    | '-'
                    | '.'
                    | ','
                    | ':'
                    | '@'
                    | '/'
                    | '#'
                    | '('
                    | ')'
                    | '_'
                    | '+'
                    | '!'
                    | '?'
                    | '&'
                    | ';'
                    | '"'
            )
    });
    let told = plain.chars().filter(|c| c.is_alphanumeric()).count();
    (readable && told >= 3 && told * 2 > plain.chars().count()).then_some(plain)
}

fn hexadecimal(word: &str) -> Option<String> {
    let digits = word.strip_prefix("0x").unwrap_or(word);
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let bytes: Option<Vec<u8>> = (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
        .collect();
    // A number may be bytes by accident: one of digits alone is read only where it stands for digits.
    let plain = prose(bytes?).filter(|plain| plain.is_ascii())?;
    let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
    let says_number = plain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    (!is_number || (says_number && plain.len() > 4)).then_some(plain)
}

fn base64(word: &str) -> Option<String> {
    let signs = word.trim_end_matches('=');
    let padded = signs.len() < word.len();
    let (upper, lower) = (
        signs.bytes().any(|byte| byte.is_ascii_uppercase()),
        signs.bytes().any(|byte| byte.is_ascii_lowercase()),
    );
    // A word is no code: capitals stand at its beginning.
    let inside = padded
        || signs.bytes().skip(1).any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if signs.len() % 4 == 1 || !upper || !(lower || padded) || !inside {
        return None;
    }
    let mut bytes = Vec::with_capacity(signs.len() * 3 / 4);
    let (mut bits, mut n_bits) = (0_u32, 0);
    for sign in signs.bytes() {
        let value = match sign {
            b'A'..=b'Z' => sign - b'A',
            b'a'..=b'z' => sign - b'a' + 26,
            b'0'..=b'9' => sign - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.push(u8::try_from(bits >> n_bits & 0xFF).unwrap_or_default());
            bits &= (1 << n_bits) - 1;
        }
    }
    prose(bytes)
}

/// Rewrites runs of groups that each stand for one character; a slash between them is a blank.
fn groups(
    text: &str,
    is_group: fn(&str) -> bool,
    read: fn(&str) -> Option<char>,
    few: usize,
    out: &mut Vec<Rewrite>,
) {
    let mut run: Option<(usize, usize, usize)> = None;
    let mut plain = String::new();
    let mut at = 0;
    let mut signs = 0;
    let mut close =
        |run: &mut Option<(usize, usize, usize)>, plain: &mut String, signs: &mut usize| {
            if let Some((start, end, n_read)) = run.take()
                && ((n_read >= few && *signs > 0) || (n_read > 1 && *signs >= SURE))
            {
                out.push(whole(Span::new(start, end), plain.trim(), Kind::Coded));
            }
            plain.clear();
            *signs = 0;
        };
    for piece in text.split_inclusive(char::is_whitespace) {
        let start = at;
        at += piece.len();
        let group = piece.trim_end();
        if group.is_empty() {
            continue;
        }
        // `mrn:--...`: what a label or bracket runs into.
        let head = group.rfind([':', '(', '#', '"']).map_or(0, |at| at + 1);
        let (start, group) = (start + head, group.get(head..).unwrap_or_default());
        // A comma or full stop after the last group is none of it, unless it is all there is.
        let bare = group.trim_end_matches([',', ';', ')', '?', '!', '"']);
        let end = start + bare.len();
        if matches!(bare, "/" | "|" | "//") {
            if run.is_some() {
                plain.push(' ');
            }
        } else if is_group(bare)
            && let Some(c) = read(bare)
        {
            // Its capitals say nothing; written as a name is.
            let starts = !plain.ends_with(char::is_alphanumeric);
            plain.push(if starts { c.to_ascii_uppercase() } else { c });
            signs += if bare.contains('.') == bare.contains('-') || bare.len() > 4 {
                bare.len()
            } else {
                0
            };
            run = Some(run.map_or((start, end, 1), |(first, _, n_read)| (first, end, n_read + 1)));
            // What a comma parts is two names.
            if bare.len() < group.len() {
                close(&mut run, &mut plain, &mut signs);
            }
        } else {
            close(&mut run, &mut plain, &mut signs);
        }
    }
    close(&mut run, &mut plain, &mut signs);
}

fn is_byte(group: &str) -> bool {
    group.len() == 8 && group.bytes().all(|byte| matches!(byte, b'0' | b'1'))
}

fn is_morse(group: &str) -> bool {
    group.chars().count() <= 6 && group.chars().all(|c| matches!(c, '.' | '-' | '·' | '•'))
}

/// The letter or digit of a sign of Morse code. A full stop or dash alone may be one of prose, but not in a run.
fn morse(group: &str) -> Option<char> {
    const SIGNS: [&str; 36] = [
        ".-", "-...", "-.-.", "-..", ".", "..-.", "--.", "....", "..", ".---", "-.-", ".-..", "--",
        "-.", "---", ".--.", "--.-", ".-.", "...", "-", "..-", "...-", ".--", "-..-", "-.--",
        "--..", "-----", ".----", "..---", "...--", "....-", ".....", "-....", "--...", "---..",
        "----.",
    ];
    let sign: String = group.chars().map(|c| if c == '-' { '-' } else { '.' }).collect();
    let at = SIGNS.iter().position(|known| *known == sign)?;
    u32::try_from(at)
        .ok()
        .and_then(|at| char::from_digit(if at < 26 { at + 10 } else { at - 26 }, 36))
}
