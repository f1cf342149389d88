//! Which bytes may stand where. One table, so that a byte costs one look.

const TOKEN: u8 = 1;
const VALUE: u8 = 2;
const PATH: u8 = 4;
const QUERY: u8 = 8;
const AUTHORITY: u8 = 16;

const TABLE: [u8; 256] = table();

/// Whether all are bytes of a token (RFC 9110, 5.6.2), and there is one.
pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && all(bytes, TOKEN)
}

/// Whether all may stand in a header's value: printable, blank, or above ASCII; no control byte.
pub(super) fn is_value(bytes: &[u8]) -> bool {
    all(bytes, VALUE)
}

/// Whether all may stand in a path. Stricter than browsers: what they would escape is refused.
pub(crate) fn is_path(bytes: &[u8]) -> bool {
    all(bytes, PATH)
}

/// Whether all may stand in a query; wider than the grammar, as what programs write there by hand is.
pub(crate) fn is_query(bytes: &[u8]) -> bool {
    all(bytes, QUERY)
}

/// Whether all may stand in `host:port`. No `@`: it hides which host is meant.
pub(super) fn is_authority(bytes: &[u8]) -> bool {
    !bytes.is_empty() && all(bytes, AUTHORITY)
}

/// Takes blanks and tabs off both ends.
pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !is_blank(*byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !is_blank(*byte)).map_or(start, |last| last + 1);
    bytes.get(start..end).unwrap_or_default()
}

pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn all(bytes: &[u8], class: u8) -> bool {
    bytes.iter().all(|byte| TABLE.get(usize::from(*byte)).is_some_and(|set| set & class != 0))
}

#[expect(clippy::indexing_slicing, reason = "the place is a byte, and the table has 256")]
const fn table() -> [u8; 256] {
    let mut table = [0; 256];
    let mut place = 0;
    while place < table.len() {
        #[expect(clippy::cast_possible_truncation, reason = "less than 256")]
        let byte = place as u8;
        let mut set = 0;
        if byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'!' | b'#'
                    | b'$'
                    | b'%'
                    | b'&'
                    | b'\''
                    | b'*'
                    | b'+'
                    | b'-'
                    | b'.'
                    | b'^'
                    | b'_'
                    | b'`'
                    | b'|'
                    | b'~'
            )
        {
            set |= TOKEN;
        }
        if byte == b'\t' || (byte >= b' ' && byte != 0x7F) {
            set |= VALUE;
        }
        if byte.is_ascii_graphic()
            && !matches!(byte, b'"' | b'#' | b'<' | b'>' | b'?' | b'\\' | b'^' | b'`')
        {
            set |= PATH;
        }
        if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'#' | b'<' | b'>') {
            set |= QUERY;
        }
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']') {
            set |= AUTHORITY;
        }
        table[place] = set;
        place += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::{is_path, is_query, is_token, is_value, trim};

    #[test]
    fn bytes_have_their_places() {
        assert!(
            is_token(b"X-Header_1!") && !is_token(b"a b") && !is_token(b"a:") && !is_token(b"")
        );
        assert!(is_value("a\tb \u{e9}".as_bytes()) && is_value(b""));
        for byte in (0..=31).filter(|byte| *byte != b'\t').chain([127]) {
            assert!(
                !is_value(&[byte]) && !is_token(&[byte]) && !is_path(&[byte]) && !is_query(&[byte]),
                "{byte}"
            );
        }
        assert!(
            is_path(b"/a/{b}%20@c:d")
                && !is_path(b"/a b")
                && !is_path(b"/a\\b")
                && !is_path(b"/\xc3\xa9")
        );
        assert!(is_query(b"a[]=1&b={c}") && !is_query(b"a#b"));
        // hyper must take every target that passes, or its answer would stand where ours should.
        for byte in (0..=u8::MAX).filter(u8::is_ascii) {
            let target = |before: &str| {
                http::uri::PathAndQuery::try_from(format!("{before}{}", char::from(byte)))
            };
            assert!(!is_path(&[byte]) || target("/").is_ok(), "{byte}");
            assert!(!is_query(&[byte]) || target("/?").is_ok(), "{byte}");
        }
        assert_eq!(trim(b" \ta b\t "), b"a b");
        assert_eq!(trim(b"\t "), b"");
    }
}
