//! International bank account numbers: modulo 97 over letters and digits.

use super::alphanumerics;

/// Whether 15 to 34 places that begin with a country leave 1 modulo 97.
pub(super) fn passes(hit: &str) -> bool {
    let all = alphanumerics(hit);
    let Some((head, tail)) = all.split_at_checked(4) else { return false };
    let country = head.iter().take(2).all(u8::is_ascii_lowercase)
        && head.iter().skip(2).all(u8::is_ascii_digit);
    let rest = tail.iter().chain(head).fold(0_u32, |rest, &byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte - b'a') + 10) % 97,
    });
    (15..=34).contains(&all.len()) && country && rest == 1
}

#[cfg(test)]
mod tests {
    #[test]
    fn accounts() {
        super::super::check(
            super::passes,
            &[
                ("GB82 WEST 1234 5698 7654 32", true),
                ("DE89370400440532013000", true),
                ("GB82 WEST 1234 5698 7654 33", false),
                ("12345678901234567", false),
                ("GB82", false),
            ],
        );
    }
}
