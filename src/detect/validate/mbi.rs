//! Medicare beneficiary identifiers: eleven places, each of its own kind.

use super::alphanumerics;

/// The kind of each place: 1 to 9, a letter, a letter or digit, a digit.
const LAYOUT: &[u8; 11] = b"1axnaxnaann";

/// Whether each place holds what the layout says; S, L, O, I, B and Z are never used.
pub(super) fn passes(hit: &str) -> bool {
    let all = alphanumerics(hit);
    let letter = |byte: u8| byte.is_ascii_lowercase() && !b"sloibz".contains(&byte);
    all.len() == LAYOUT.len()
        && all.iter().zip(LAYOUT).all(|(&byte, kind)| match kind {
            b'1' => matches!(byte, b'1'..=b'9'),
            b'a' => letter(byte),
            b'x' => letter(byte) || byte.is_ascii_digit(),
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    #[test]
    fn beneficiaries() {
        super::super::check(
            super::passes,
            &[
                ("1EG4-TE5-MK73", true),
                ("1eg4te5mk73", true),
                ("1EG4-TE5-MK7", false),
                ("0EG4-TE5-MK73", false),
                ("1SG4-TE5-MK73", false),
            ],
        );
    }
}
