//! Whether a text may be disguised at all: the one look that every post pays for.

use crate::detect::disguise::{nato, spelled};
use crate::detect::token::{Gap, Shape, Text};

/// Letters or digits side by side that may be one word.
const FEW: usize = 3;

/// Whether anything in a text hints at a disguise that takes a list to undo.
pub(super) fn at_disguise(text: &Text, original: &str) -> bool {
    let view = text.view.text();
    let bytes = view.as_bytes();
    let (mut singles, mut numbers, mut spoken, mut moved) = (0, 0, 0, 0);
    let mut end = 0;
    let mut after_month = false;
    for token in &text.tokens {
        let len = token.span.len();
        let word = text.word(token);
        let single = len == 1 || (len <= 4 && !word.is_ascii() && word.chars().count() == 1);
        singles = if single { singles + 1 } else { 0 };
        let digits = token.shape == Shape::Digits;
        // Two digits apart are an age or a room.
        singles += usize::from(single && digits && singles == 2 && token.gap == Gap::SPACE);
        let number = !digits && spelled::is_number_word(word);
        // Digits carry a run of number words on, and make none by themselves.
        numbers = if number {
            numbers + 1
        } else if digits {
            numbers
        } else {
            0
        };
        // `October eleven`: one word is enough.
        numbers += usize::from(number && after_month);
        after_month = token.shape != Shape::Lower && may_be_month(word);
        let x_ray = matches!(word, "x" | "ray");
        spoken = if x_ray || nato::letter(word).is_some() { spoken + 1 } else { 0 };
        moved += usize::from(is_backward(word) || is_rotated(word));
        let odd = match token.shape {
            Shape::Code => is_odd_code(word),
            Shape::Mixed => len >= 9 || ends_with_capital(text.view.written(token.span, original)),
            Shape::Digits => len >= 8 && may_be_code(word),
            Shape::Capital => len >= 5 && word.ends_with("ay") && !word.ends_with("day"),
            Shape::Lower => len >= 10 && spelled::is_run_together(word),
            Shape::Upper => false,
        };
        let signs =
            token.gap.has(Gap::STOP) && token.gap.has(Gap::HYPHEN) && token.span.start() - end > 6;
        let inside = end > 0
            && !token.gap.has(Gap::SPACE.and(Gap::LINE))
            && (token.gap.has(Gap::OTHER.and(Gap::UNDERSCORE))
                || matches!(bytes.get(end), Some(b'@' | b'!')));
        if singles >= FEW || numbers >= 2 || spoken >= FEW || moved >= 2 || odd || signs || inside {
            return true;
        }
        end = token.span.end();
    }
    // Morse code at the end has no word behind it; `$mith` and `J*` begin or end with their sign.
    let rest = bytes.get(end..).unwrap_or_default();
    rest.len() > 6 && rest.contains(&b'-')
        || memchr::memchr2_iter(b'*', b'$', bytes).any(|at| {
            bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic)
                || at
                    .checked_sub(1)
                    .and_then(|at| bytes.get(at))
                    .is_some_and(u8::is_ascii_alphabetic)
        })
}

/// Whether a word begins as a month does.
fn may_be_month(word: &str) -> bool {
    matches!(
        word.as_bytes().first_chunk(),
        Some(
            b"jan"
                | b"feb"
                | b"mar"
                | b"apr"
                | b"may"
                | b"jun"
                | b"jul"
                | b"aug"
                | b"sep"
                | b"oct"
                | b"nov"
                | b"dec"
        )
    )
}

/// Common words written backwards; two of them are no accident.
fn is_backward(word: &str) -> bool {
    matches!(
        word,
        "eht"
            | "dna"
            | "htiw"
            | "ym"
            | "sih"
            | "rof"
            | "siht"
            | "taht"
            | "yeht"
            | "morf"
            | "ehs"
            | "tneitap"
            | "rof_eht"
            | "nehw"
            | "evah"
            | "dah"
            | "erew"
            | "reh"
            | "mih"
            | "yadot"
            | "moor"
            | "dias"
    )
}

/// The same with letters moved by thirteen.
fn is_rotated(word: &str) -> bool {
    matches!(
        word,
        "gur"
            | "naq"
            | "jnf"
            | "uvf"
            | "sbe"
            | "cngvrag"
            | "zl"
            | "jvgu"
            | "sebz"
            | "unf"
            | "fur"
            | "gurl"
            | "gung"
    )
}

/// Letters and digits in one word as neither a dose nor a code of a room has them.
fn is_odd_code(word: &str) -> bool {
    let bytes = word.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let turns = (1..bytes.len()).filter(|&at| is_digit(at) != is_digit(at - 1)).count();
    let mixed = bytes.windows(2).any(|two| matches!(two, [b'0'..=b'9', b'o' | b'l']))
        && !word.ends_with("lb")
        && !word.ends_with("lbs");
    let short = bytes.len() == 2 && matches!(bytes, [b'o' | b'l', _]);
    mixed || short || bytes.len() >= 3 && (turns > 1 || (turns == 1 && is_digit(bytes.len() - 1)))
}

fn ends_with_capital(written: &str) -> bool {
    written.len() >= 3
        && written.ends_with(|c: char| c.is_uppercase())
        && written.starts_with(char::is_lowercase)
}

/// Whether digits may be bytes in binary or hexadecimal.
fn may_be_code(digits: &str) -> bool {
    digits.bytes().all(|digit| digit <= b'1')
        || digits.bytes().step_by(2).all(|digit| (b'2'..=b'7').contains(&digit))
}
