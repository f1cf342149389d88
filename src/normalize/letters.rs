//! Characters that are written for another: what each folds to.
//!
//! Our own tables, short enough to be read: the general ones for confusables turn `m` into `rn` and `1` into `l`,
//! which no rule about numbers survives.

/// Zeros of the scripts whose digits NFKC leaves alone; the nine others follow each.
const ZEROS: &[u32] = &[
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6,
    0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50,
    0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0x104A0,
    0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0,
    0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x11F50, 0x16A60, 0x16AC0, 0x16B50,
    0x1E140, 0x1E2F0, 0x1E4F0, 0x1E950,
];

/// Runs of letters or digits in a box, a circle or brackets: first, last, and what the first stands for.
const DRESSED: &[(u32, u32, u8)] = &[
    (0x2474, 0x247C, b'1'),   // ⑴
    (0x2488, 0x2490, b'1'),   // ⒈
    (0x249C, 0x24B5, b'a'),   // ⒜
    (0x24F5, 0x24FD, b'1'),   // ⓵
    (0x2776, 0x277E, b'1'),   // ❶
    (0x2780, 0x2788, b'1'),   // ➀
    (0x278A, 0x2792, b'1'),   // ➊
    (0x1F101, 0x1F10A, b'0'), // 🄁
    (0x1F110, 0x1F129, b'a'), // 🄐
    (0x1F130, 0x1F149, b'a'), // 🄰
    (0x1F150, 0x1F169, b'a'), // 🅐
    (0x1F170, 0x1F189, b'a'), // 🅰
    (0x1F1E6, 0x1F1FF, b'a'), // regional indicators
];

/// A digit of another script.
pub(super) fn digit(c: char) -> Option<char> {
    let code = c as u32;
    let at = ZEROS.partition_point(|&zero| zero <= code).checked_sub(1)?;
    char::from_digit(code - ZEROS.get(at)?, 10)
}

/// A letter or digit in a box, a circle or brackets.
pub(super) fn dressed(c: char) -> Option<char> {
    let code = c as u32;
    if code < 0x2474 {
        return None;
    }
    let &(first, _, stands_for) =
        DRESSED.iter().find(|&&(first, last, _)| (first..=last).contains(&code))?;
    u8::try_from(code - first).ok().map(|by| char::from(stands_for + by))
}

/// What a lower-case letter without decomposition is spelled as, and which ASCII mark stands for another.
#[expect(clippy::match_same_arms, reason = "a table, in the order in which it is read")]
pub(super) const fn spelled(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' | 'ǽ' | 'ǣ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        'ð' | 'đ' | 'ɗ' => "d",
        'ø' | 'ɵ' => "o",
        'ł' | 'ƚ' | 'ɫ' => "l",
        'ħ' | 'ɦ' => "h",
        'ŧ' | 'ƭ' => "t",
        'ı' | 'ɪ' | 'ɩ' => "i",
        'ŋ' | 'ɲ' => "n",
        'ɑ' | 'ᴀ' | 'ɐ' => "a",
        'ʙ' | 'ƀ' => "b",
        'ᴄ' | 'ƈ' => "c",
        'ᴅ' => "d",
        'ᴇ' | 'ə' | 'ɛ' => "e",
        'ꜰ' | 'ƒ' => "f",
        'ɢ' | 'ɡ' | 'ɠ' => "g",
        'ʜ' => "h",
        'ᴊ' | 'ȷ' => "j",
        'ᴋ' | 'ƙ' => "k",
        'ʟ' => "l",
        'ᴍ' => "m",
        'ɴ' => "n",
        'ᴏ' => "o",
        'ᴘ' | 'ƥ' => "p",
        'ʀ' => "r",
        'ꜱ' | 'ʂ' => "s",
        'ᴛ' => "t",
        'ᴜ' | 'ʊ' => "u",
        'ᴠ' | 'ʋ' => "v",
        'ᴡ' => "w",
        'ʏ' | 'ƴ' => "y",
        'ᴢ' | 'ƶ' => "z",
        '⓿' => "0",
        '🔟' => "10",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '⁃' | '﹘' | '﹣' | '－' | '⸺' | '⸻' => {
            "-"
        }
        '‘' | '’' | '‚' | '‛' | '′' | 'ʼ' | 'ʹ' | '`' | '´' | '＇' | '❛' | '❜' => {
            "'"
        }
        '“' | '”' | '„' | '‟' | '″' | '«' | '»' | '❝' | '❞' | '＂' => "\"",
        '·' | '•' | '∙' | '⋅' | '‧' | '∘' => ".",
        '⁄' | '∕' | '⧸' => "/",
        '∶' | '꞉' | 'ː' => ":",
        '℗' | '®' | '©' | '™' | '℠' => "",
        _ => return None,
    })
}

/// The Latin letter that a lower-case letter of another script looks like; folded only where a word says so (see
/// [`super::words`]).
#[expect(clippy::match_same_arms, reason = "a table, script by script")]
pub(super) const fn twin(c: char) -> Option<char> {
    Some(match c {
        // Cyrillic
        'а' | 'ӑ' | 'ӓ' => 'a',
        'в' | 'ь' => 'b',
        'с' | 'ҫ' => 'c',
        'ԁ' => 'd',
        'е' | 'ё' | 'ѐ' | 'ӗ' | 'ҽ' => 'e',
        'ԍ' => 'g',
        'н' | 'һ' | 'ң' => 'h',
        'і' | 'ї' => 'i',
        'ј' => 'j',
        'к' | 'ќ' | 'қ' => 'k',
        'ӏ' => 'l',
        'м' => 'm',
        'о' | 'ӧ' | 'ө' => 'o',
        'р' | 'ҏ' => 'p',
        'ԛ' => 'q',
        'ѕ' => 's',
        'т' => 't',
        'ѵ' => 'v',
        'ԝ' => 'w',
        'х' | 'ҳ' => 'x',
        'у' | 'ү' | 'ў' => 'y',
        // Greek
        'α' | 'ά' => 'a',
        'β' => 'b',
        'ϲ' => 'c',
        'ε' | 'έ' => 'e',
        'η' => 'n',
        'ι' | 'ί' | 'ϊ' => 'i',
        'ϳ' => 'j',
        'κ' => 'k',
        'μ' => 'm',
        'ν' => 'v',
        'ο' | 'ό' => 'o',
        'ρ' => 'p',
        'τ' => 't',
        'υ' | 'ύ' | 'ϋ' => 'u',
        'χ' => 'x',
        'γ' => 'y',
        'ζ' => 'z',
        // Armenian, Cherokee, Lisu
        'օ' => 'o',
        'ո' => 'n',
        'ս' => 'u',
        'հ' => 'h',
        'ց' => 'g',
        'ꭺ' => 'a',
        'ꭼ' => 'e',
        'ꮋ' => 'h',
        'ꭻ' => 'j',
        'ꮶ' => 'k',
        'ꮇ' => 'm',
        'ꭲ' => 't',
        'ꮪ' => 's',
        'ꓮ' => 'a',
        'ꓰ' => 'e',
        'ꓳ' => 'o',
        'ꓢ' => 's',
        'ꓠ' => 'n',
        _ => return None,
    })
}

/// Whether a letter belongs to a script that has twins of Latin letters, so that a word in it may be a disguise.
pub(super) const fn may_disguise(c: char) -> bool {
    matches!(c as u32, 0x370..=0x58F | 0x13A0..=0x13FF | 0x1C80..=0x1C8F | 0x1F00..=0x1FFF | 0xA4D0..=0xA4FF | 0xA640..=0xA69F | 0xAB70..=0xABBF)
}

/// Characters that show nothing: joiners, bidi controls, variation selectors, tags, soft hyphens.
pub(super) const fn is_invisible(c: char) -> bool {
    matches!(
        c as u32,
        0x00..=0x08 | 0x0E..=0x1F | 0x7F | 0x80..=0x84 | 0x86..=0x9F | 0xAD | 0x34F | 0x61C | 0x115F | 0x1160
            | 0x17B4 | 0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164
            | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A
            | 0xE0000..=0xE0FFF
    )
}

/// Marks that change how the character before them is drawn, and say nothing else.
pub(super) const fn is_variation(c: char) -> bool {
    matches!(c as u32, 0x200D | 0xFE00..=0xFE0F | 0xE0000..=0xE0FFF)
}

/// Marks that strike a letter out or enclose it.
pub(super) const fn is_overlay(c: char) -> bool {
    matches!(c as u32, 0x334..=0x338 | 0x488 | 0x489 | 0x20D0..=0x20FF)
}

/// Letters and digits of a style that Unicode has for show and for formulas.
pub(super) const fn is_dressed(c: char) -> bool {
    matches!(
        c as u32,
        0x2460..=0x24FF | 0x2070..=0x209C | 0xB2 | 0xB3 | 0xB9 | 0x2100..=0x214F | 0x1D400..=0x1D7FF | 0xFF10..=0xFF5A
            | 0x1FBF0..=0x1FBF9
    ) || is_small_capital(c)
}

/// Small capitals, which Unicode has for phonetics.
pub(super) const fn is_small_capital(c: char) -> bool {
    matches!(
        c,
        'ᴀ' | 'ʙ'
            | 'ᴄ'
            | 'ᴅ'
            | 'ᴇ'
            | 'ꜰ'
            | 'ɢ'
            | 'ʜ'
            | 'ɪ'
            | 'ᴊ'
            | 'ᴋ'
            | 'ʟ'
            | 'ᴍ'
            | 'ɴ'
            | 'ᴏ'
            | 'ᴘ'
            | 'ʀ'
            | 'ꜱ'
            | 'ᴛ'
            | 'ᴜ'
            | 'ᴠ'
            | 'ᴡ'
            | 'ʏ'
            | 'ᴢ'
    )
}

/// Marks set upon any letter, such as an accent or an enclosing box. Vowel signs of Indic scripts are none of these.
pub(super) const fn is_mark(c: char) -> bool {
    matches!(
        c as u32,
        0x300..=0x36F | 0x483..=0x489 | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F
    )
}

#[cfg(test)]
mod tests {
    use super::{ZEROS, digit, dressed, spelled, twin};

    #[test]
    fn tables_are_in_order_and_say_what_they_mean() {
        assert!(ZEROS.is_sorted());
        for (c, want) in
            [('٠', Some('0')), ('٩', Some('9')), ('৩', Some('3')), ('a', None), ('٪', None)]
        {
            assert_eq!(digit(c), want, "{c}");
        }
        for (c, want) in [('🅙', 'j'), ('🅰', 'a'), ('❾', '9'), ('⒵', 'z'), ('🇿', 'z'), ('⓵', '1')]
        {
            assert_eq!(dressed(c), Some(want), "{c}");
        }
        assert_eq!(spelled('ł'), Some("l"));
        assert_eq!(twin('а'), Some('a'));
        assert_eq!(twin('ж'), None);
    }

    #[test]
    fn every_twin_is_of_a_script_that_may_disguise() {
        for c in (0x80..0x2_0000).filter_map(char::from_u32).filter(|&c| twin(c).is_some()) {
            assert!(super::may_disguise(c), "{c}");
        }
    }
}
