//! HTML entities: a client that escapes once too often must not hide a name from the rules.

/// The longest entity we read, `&` and `;` included: a number of six hexadecimal digits.
const LONGEST: usize = 12;

/// Named entities that stand for a letter's neighbours: spaces, dashes, quotes and marks of addresses.
const NAMED: &[(&str, char)] = &[
    ("amp", '&'),
    ("apos", '\''),
    ("bull", '.'),
    ("colon", ':'),
    ("comma", ','),
    ("commat", '@'),
    ("dash", '-'),
    ("emsp", ' '),
    ("ensp", ' '),
    ("gt", '>'),
    ("hyphen", '-'),
    ("ldquo", '"'),
    ("lowbar", '_'),
    ("lpar", '('),
    ("lsquo", '\''),
    ("lt", '<'),
    ("mdash", '-'),
    ("middot", '.'),
    ("minus", '-'),
    ("nbsp", ' '),
    ("ndash", '-'),
    ("newline", '\n'),
    ("num", '#'),
    ("period", '.'),
    ("quot", '"'),
    ("rdquo", '"'),
    ("rpar", ')'),
    ("rsquo", '\''),
    ("shy", '\u{ad}'),
    ("sol", '/'),
    ("tab", '\t'),
    ("thinsp", ' '),
    ("zwj", '\u{200d}'),
    ("zwnj", '\u{200c}'),
];

/// The character of the entity with which a text begins, and the entity's length in bytes.
pub(super) fn decode(text: &str) -> Option<(char, usize)> {
    let inner = text.strip_prefix('&')?;
    let end = inner.bytes().take(LONGEST - 1).position(|byte| byte == b';')?;
    let name = inner.get(..end)?;
    let c = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            // A sign before the digits would be read by `parse`, but is no entity.
            char::from_u32(code).filter(|&c| c != '\0' && !number.contains('+'))?
        }
        None => NAMED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?.1,
    };
    Some((c, end + 2))
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn entities() {
        for (text, want) in [
            ("&amp;", Some(('&', 5))),
            ("&#74;ohn", Some(('J', 5))),
            ("&#x4A;ohn", Some(('J', 6))),
            ("&NBSP;", Some((' ', 6))),
            ("&#0000000000074;", None),
            ("&#+74;", None),
            ("&#xD800;", None),
            ("&#;", None),
            ("& amp;", None),
            ("&unknown;", None),
            ("&", None),
            ("&é;", None),
        ] {
            assert_eq!(decode(text), want, "{text:?}");
        }
    }
}
