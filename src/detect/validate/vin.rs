//! Vehicle identification numbers: 17 places, the ninth of which checks the rest. A maker's code
//! holds a letter in all but a few samples, and a number of 17 digits is more often something else.

use super::alphanumerics;

const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];

/// Whether the ninth place is the weighted sum of the others modulo 11.
pub(super) fn passes(hit: &str) -> bool {
    let all = alphanumerics(hit);
    let values: Option<Vec<u32>> = all.iter().map(|&byte| value(byte)).collect();
    let (Some(values), Some(&check)) = (values, all.get(8)) else { return false };
    let sum: u32 = values.iter().zip(WEIGHTS).map(|(value, weight)| value * weight).sum();
    let want = match sum % 11 {
        10 => Some('x'),
        rest => char::from_digit(rest, 10),
    };
    all.len() == WEIGHTS.len()
        && all.iter().any(u8::is_ascii_lowercase)
        && want == Some(char::from(check))
}

/// What a place counts; I, O and Q are never used.
fn value(byte: u8) -> Option<u32> {
    Some(match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'a'..=b'h' => u32::from(byte - b'a') + 1,
        b'j'..=b'n' => u32::from(byte - b'j') + 1,
        b'p' => 7,
        b'r' => 9,
        b's'..=b'z' => u32::from(byte - b's') + 2,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn vehicles() {
        super::super::check(
            super::passes,
            &[
                ("1HGBH41JXMN109186", true),
                ("1M8GDM9AXKP042788", true),
                ("11111111111111111", false),
                ("1HGBH41J1MN109186", false),
                ("1HGBH41JXMN10918", false),
                ("IHGBH41JXMN109186", false),
            ],
        );
    }
}
