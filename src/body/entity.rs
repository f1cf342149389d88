//! Entities of HTML and XML: numeric ones, XML's five, and the names that stand for letters and marks of a text.
//!
//! A name that is not known here stands as it is: text, as it does where nothing undoes it.

/// The longest name we read, with its `;`.
const LONGEST: usize = 12;
/// More digits than this no encoder writes, zeros and all.
const MOST_DIGITS: usize = 64;

const NAMED: &[(&[u8], char)] = &[
    (b"AElig", 'Æ'),
    (b"Aacute", 'Á'),
    (b"Acirc", 'Â'),
    (b"Agrave", 'À'),
    (b"Aring", 'Å'),
    (b"Atilde", 'Ã'),
    (b"Auml", 'Ä'),
    (b"Ccedil", 'Ç'),
    (b"Eacute", 'É'),
    (b"Egrave", 'È'),
    (b"Euml", 'Ë'),
    (b"Iacute", 'Í'),
    (b"Ntilde", 'Ñ'),
    (b"Oacute", 'Ó'),
    (b"Oslash", 'Ø'),
    (b"Ouml", 'Ö'),
    (b"Scaron", 'Š'),
    (b"Uacute", 'Ú'),
    (b"Uuml", 'Ü'),
    (b"aacute", 'á'),
    (b"acirc", 'â'),
    (b"aelig", 'æ'),
    (b"agrave", 'à'),
    (b"amp", '&'),
    (b"apos", '\''),
    (b"aring", 'å'),
    (b"atilde", 'ã'),
    (b"auml", 'ä'),
    (b"bull", '•'),
    (b"ccedil", 'ç'),
    (b"colon", ':'),
    (b"comma", ','),
    (b"commat", '@'),
    (b"dash", '\u{2010}'),
    (b"eacute", 'é'),
    (b"ecirc", 'ê'),
    (b"egrave", 'è'),
    (b"emsp", '\u{2003}'),
    (b"ensp", '\u{2002}'),
    (b"euml", 'ë'),
    (b"gt", '>'),
    (b"hellip", '…'),
    (b"hyphen", '\u{2010}'),
    (b"iacute", 'í'),
    (b"icirc", 'î'),
    (b"iuml", 'ï'),
    (b"ldquo", '“'),
    (b"lowbar", '_'),
    (b"lpar", '('),
    (b"lsquo", '‘'),
    (b"lt", '<'),
    (b"mdash", '—'),
    (b"middot", '·'),
    (b"minus", '\u{2212}'),
    (b"nbsp", '\u{a0}'),
    (b"ndash", '–'),
    (b"ntilde", 'ñ'),
    (b"num", '#'),
    (b"oacute", 'ó'),
    (b"ocirc", 'ô'),
    (b"oslash", 'ø'),
    (b"ouml", 'ö'),
    (b"period", '.'),
    (b"quot", '"'),
    (b"rdquo", '”'),
    (b"rpar", ')'),
    (b"rsquo", '’'),
    (b"scaron", 'š'),
    (b"shy", '\u{ad}'),
    (b"sol", '/'),
    (b"szlig", 'ß'),
    (b"thinsp", '\u{2009}'),
    (b"uacute", 'ú'),
    (b"ucirc", 'û'),
    (b"ugrave", 'ù'),
    (b"uuml", 'ü'),
    (b"yacute", 'ý'),
    (b"zwj", '\u{200d}'),
    (b"zwnj", '\u{200c}'),
];

/// The character of the entity with which bytes begin, and the entity's length.
pub(super) fn decode(raw: &[u8]) -> Option<(char, usize)> {
    let inner = raw.strip_prefix(b"&")?;
    if let Some(rest) = inner.strip_prefix(b"#") {
        let (digits, prefix, radix) = match rest {
            [b'x' | b'X', digits @ ..] => (digits, 3, 16),
            digits => (digits, 2, 10),
        };
        let is_digit = |byte: &&u8| char::from(**byte).is_digit(radix);
        let n_digits = digits.iter().take(MOST_DIGITS).take_while(is_digit).count();
        let character = number(digits.get(..n_digits)?, radix)?;
        // Browsers do without the semicolon.
        let end = usize::from(digits.get(n_digits) == Some(&b';'));
        return Some((character, prefix + n_digits + end));
    }
    let end = inner.iter().take(LONGEST).position(|byte| *byte == b';')?;
    let name = inner.get(..end)?;
    let (_, character) = NAMED.iter().find(|(known, _)| *known == name)?;
    Some((*character, end + 2))
}

fn number(digits: &[u8], radix: u32) -> Option<char> {
    if digits.is_empty() {
        return None;
    }
    let code = digits.iter().try_fold(0u32, |code, digit| {
        let digit = char::from(*digit).to_digit(radix)?;
        code.checked_mul(radix)?.checked_add(digit)
    })?;
    char::from_u32(code).filter(|character| *character != '\0')
}

/// Undoes the entities of a text; `None` where there are none.
pub(super) fn undo(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    let mut found = false;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        let (plain, escape) = rest.split_at_checked(at)?;
        if let Some((character, length)) = decode(escape.as_bytes()) {
            out.push_str(plain);
            out.push(character);
            rest = escape.get(length..)?;
            found = true;
        } else {
            let after = escape.get(1..)?;
            out.push_str(plain);
            out.push('&');
            rest = after;
        }
    }
    out.push_str(rest);
    found.then_some(out)
}

/// Adds `text` to `out` as it must stand in text or an attribute.
pub(super) fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NAMED, decode, escape, undo};

    #[test]
    fn entities_are_undone() {
        for (text, want) in [
            ("&amp;", Some(('&', 5))),
            ("&#74;ohn", Some(('J', 5))),
            ("&#x4A;ohn", Some(('J', 6))),
            ("&#00074;", Some(('J', 8))),
            ("&#0000000000000000074;", Some(('J', 22))),
            ("&#74ane", Some(('J', 4))),
            ("&#x4A ane", Some(('J', 5))),
            ("&eacute;", Some(('é', 8))),
            ("&#+74;", None),
            ("&#xD800;", None),
            ("&#99999999999;", None),
            ("&#;", None),
            ("& amp;", None),
            ("&unknown;", None),
            ("&", None),
        ] {
            assert_eq!(decode(text.as_bytes()), want, "{text:?}");
        }
        assert_eq!(undo("J&#97;ne & Jos&eacute; &x;").as_deref(), Some("Jane & José &x;"));
        assert_eq!(undo("Q&A & R&D"), None);
    }

    #[test]
    fn what_is_escaped_reads_back() {
        let text = "a<b> & \"c\" 'd' &amp;";
        let mut raw = String::new();
        escape(text, &mut raw);
        assert_eq!(undo(&raw).as_deref(), Some(text));
    }

    /// The map from encoded to decoded bytes relies on it.
    #[test]
    fn every_entity_is_longer_than_its_character() {
        for (name, character) in NAMED {
            assert!(name.len() + 2 > character.len_utf8());
        }
    }
}
