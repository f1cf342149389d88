//! Characters that stand and fold by themselves: what most posts have beside ASCII (`’`, `—`, `é`).
//!
//! Cutting a text into graphemes and composing each costs a hundred times what a table look-up does. Nothing is known
//! here that is not known elsewhere: the table is filled by the general way, and holds what that makes of a character
//! alone where it is one character and no disguise.

use std::sync::OnceLock;

/// The ranges of the table.
const LATIN_TO_ARMENIAN: std::ops::Range<u32> = 0xA0..0x590;
const PUNCTUATION: std::ops::Range<u32> = 0x2010..0x2060;

/// Whether a character is a grapheme by itself between any two that are ASCII or of this kind, and shows something.
pub(super) const fn stands_alone(c: char) -> bool {
    matches!(
        c as u32,
        0xA0..=0xAC | 0xAE..=0x2FF | 0x370..=0x482 | 0x48A..=0x52F | 0x2010..=0x2027 | 0x2030..=0x205E
            | 0x3041..=0x3096 | 0x30A1..=0x30FA | 0x3400..=0x4DBF | 0x4E00..=0x9FFF
    )
}

/// Whether a text begins with a character that is a grapheme by itself after an ASCII one, whatever follows that is no mark.
pub(super) fn begins_apart(text: &str) -> bool {
    text.chars().next().is_none_or(|c| c.is_ascii() || stands_alone(c))
}

/// What a character folds to, small and as its writer wrote it; nothing if that takes more than a look.
pub(super) fn folded(c: char, general: fn(char) -> Option<(char, char)>) -> Option<(char, char)> {
    static TABLE: OnceLock<Vec<Option<(char, char)>>> = OnceLock::new();
    let code = c as u32;
    // Chinese characters fold to themselves.
    if matches!(code, 0x3400..=0x4DBF | 0x4E00..=0x9FFF) {
        return Some((c, c));
    }
    let at = if LATIN_TO_ARMENIAN.contains(&code) {
        code - LATIN_TO_ARMENIAN.start
    } else if PUNCTUATION.contains(&code) {
        code - PUNCTUATION.start + (LATIN_TO_ARMENIAN.end - LATIN_TO_ARMENIAN.start)
    } else {
        return None;
    };
    let table = TABLE.get_or_init(|| {
        let codes = LATIN_TO_ARMENIAN.chain(PUNCTUATION);
        let of = |code| char::from_u32(code).filter(|c| stands_alone(*c)).and_then(general);
        codes.map(of).collect()
    });
    table.get(at as usize).copied().flatten()
}

#[cfg(test)]
mod tests {
    use unicode_segmentation::UnicodeSegmentation;

    use super::{folded, stands_alone};

    #[test]
    fn what_stands_alone_is_a_grapheme_by_itself() {
        for c in (0x80..0x1_0000).filter_map(char::from_u32).filter(|c| stands_alone(*c)) {
            let text = format!("a{c}é{c}{c}’{c}1{c}中{c}");
            assert_eq!(text.graphemes(true).count(), text.chars().count(), "{c:?}");
        }
    }

    #[test]
    fn chinese_characters_fold_to_themselves() {
        use crate::normalize::View;
        for c in ['\u{3400}', '\u{4dbf}', '一', '患', '\u{9fff}'] {
            assert_eq!(folded(c, |_| None), Some((c, c)));
            assert_eq!(View::of(&format!("\u{e0020}{c}")).text(), c.to_string());
        }
    }
}
