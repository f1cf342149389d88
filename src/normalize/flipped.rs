//! Text turned upside down: `uɥoſ` is `John`, read from its end.

/// What a turned character stands for. A letter that is one of the alphabet when turned (`u` for `n`) is read so only in
/// a word that cannot be read otherwise.
const TURNED: &[(char, char)] = &[
    ('!', '¡'),
    ('\'', ','),
    ('(', ')'),
    (')', '('),
    (',', '\''),
    ('0', '0'),
    ('6', '9'),
    ('8', '8'),
    ('9', '6'),
    ('H', 'H'),
    ('I', 'I'),
    ('M', 'W'),
    ('N', 'N'),
    ('O', 'O'),
    ('S', 'S'),
    ('W', 'M'),
    ('X', 'X'),
    ('Z', 'Z'),
    ('[', ']'),
    (']', '['),
    ('b', 'q'),
    ('d', 'p'),
    ('l', 'l'),
    ('n', 'u'),
    ('o', 'o'),
    ('p', 'd'),
    ('q', 'b'),
    ('s', 's'),
    ('u', 'n'),
    ('x', 'x'),
    ('z', 'z'),
    ('ı', 'i'),
];

/// Characters that nobody writes but upside down, and what they stand for.
const ONLY_TURNED: &[(char, char)] = &[
    ('¡', '!'),
    ('¿', '?'),
    ('ſ', 'J'),
    ('ƃ', 'g'),
    ('Ɔ', 'C'),
    ('Ǝ', 'E'),
    ('Ɛ', '3'),
    ('Ɩ', '1'),
    ('ǝ', 'e'),
    ('ɐ', 'a'),
    ('ɔ', 'c'),
    ('ɟ', 'f'),
    ('ɥ', 'h'),
    ('ɯ', 'm'),
    ('ɹ', 'r'),
    ('ɾ', 'j'),
    ('ʇ', 't'),
    ('ʌ', 'v'),
    ('ʍ', 'w'),
    ('ʎ', 'y'),
    ('ʞ', 'k'),
    ('˙', '.'),
    ('˥', 'L'),
    ('Λ', 'V'),
    ('ϛ', '5'),
    ('Ԁ', 'P'),
    ('ᄅ', '2'),
    ('ᗡ', 'D'),
    ('ᴉ', 'i'),
    ('ᴚ', 'R'),
    ('‾', '_'),
    ('Ⅎ', 'F'),
    ('⅁', 'G'),
    ('⅄', 'Y'),
    ('∀', 'A'),
    ('∩', 'U'),
    ('⊥', 'T'),
    ('┴', 'T'),
    ('ㄣ', '4'),
    ('ㄥ', '7'),
];

/// What a character stands for in a turned text. Signs and blanks stand for themselves.
pub(super) fn turned(c: char) -> Option<char> {
    only_turned(c)
        .or_else(|| TURNED.iter().find(|(from, _)| *from == c).map(|(_, to)| *to))
        // What no font turns stays as it is: signs, letters with marks, some capitals.
        .or_else(|| (!c.is_alphanumeric() || stays(c)).then_some(c))
}

/// Whether a character is never turned: a word with one is only turned if another of its letters is.
fn stays_alone(c: char) -> bool {
    stays(c) && only_turned(c).is_none() && !TURNED.iter().any(|(from, _)| *from == c)
}

const fn stays(c: char) -> bool {
    c.is_ascii_uppercase() || matches!(c, 'À'..='ÿ')
}

fn only_turned(c: char) -> Option<char> {
    if c.is_ascii() {
        return None;
    }
    let at = ONLY_TURNED.binary_search_by_key(&c, |(from, _)| *from).ok()?;
    ONLY_TURNED.get(at).map(|(_, to)| *to)
}

/// The turned stretches of a text, in bytes, in order: words with a letter that is only written upside down and none
/// that never is, and what stands between two of them.
pub(super) fn stretches(text: &str) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    // Whether everything since the last turned word could be turned, too.
    let mut open = false;
    let mut at = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let start = at;
        at += word.len();
        let word = word.trim_end();
        if word.is_empty() {
            continue;
        }
        let may = word.chars().all(|c| turned(c).is_some());
        let marks = |c: &char| c.is_alphanumeric() || matches!(c, '∀' | '∩' | '⊥' | '┴' | '˥');
        let must = word.chars().filter(marks).any(|c| only_turned(c).is_some());
        let between = word.chars().all(|c| turned(c).is_some() && !stays_alone(c));
        if !may || !(must || between) {
            open = false;
        } else if must {
            // A full stop at the end is of the sentence around it; a turned one would be at the beginning.
            let end = start + word.trim_end_matches(['.', ',', '!', '?', ';', ':']).len();
            let start = start + word.len() - word.trim_start_matches(['"', '#', '@']).len();
            match found.last_mut() {
                Some(last) if open => last.1 = end,
                _ => found.push((start, end)),
            }
            open = !word.ends_with(['.', ',', '!', '?', ';', ':']);
        }
    }
    // One letter alone is a sign of its own: `∀`, `ʌ`.
    found.retain(|(start, end)| {
        let letters = text.get(*start..*end).unwrap_or_default().chars();
        letters.filter(|c| turned(*c).is_some_and(char::is_alphanumeric)).take(3).count() == 3
    });
    found
}

#[cfg(test)]
mod tests {
    use super::{ONLY_TURNED, TURNED, stretches};

    #[test]
    fn tables_are_sorted() {
        assert!(ONLY_TURNED.is_sorted());
        assert!(TURNED.is_sorted());
    }

    #[test]
    fn turned_words_are_told_from_others() {
        for (text, want) in [
            ("my pt uɥoſ rang", vec!["uɥoſ"]),
            ("ɥʇᴉɯS uɥoſ ʇd ʎɯ", vec!["ɥʇᴉɯS uɥoſ ʇd ʎɯ"]),
            ("no 90 SOS", vec![]),
            ("the ʌ sign, ∀ x", vec![]),
            ("said /ˈhɛlʌɹ/ twice", vec![]),
            ("ᄅ06Ɩㄥㄣㄣ", vec!["ᄅ06Ɩㄥㄣㄣ"]),
            ("¿qué?", vec![]),
        ] {
            let found: Vec<&str> = stretches(text)
                .into_iter()
                .filter_map(|(start, end)| text.get(start..end))
                .collect();
            assert_eq!(found, want, "{text}");
        }
    }
}
