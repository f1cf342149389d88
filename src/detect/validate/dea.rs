//! DEA registrations: two letters, six digits and their check digit.

use super::alphanumerics;

/// Whether the seventh digit is the last of the sum of the odd places and twice the even ones.
pub(super) fn passes(hit: &str) -> bool {
    let all = alphanumerics(hit);
    let (Some((letters, digits)), true) = (all.split_at_checked(2), all.len() == 9) else {
        return false;
    };
    let second = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'9';
    let shape =
        letters.first().is_some_and(u8::is_ascii_lowercase) && letters.last().is_some_and(second);
    let digits: Vec<u32> =
        digits.iter().filter_map(|&byte| char::from(byte).to_digit(10)).collect();
    let weighted =
        digits.iter().zip([1, 2].into_iter().cycle()).take(6).map(|(digit, weight)| digit * weight);
    shape && digits.len() == 7 && digits.last() == Some(&(weighted.sum::<u32>() % 10))
}

#[cfg(test)]
mod tests {
    #[test]
    fn registrations() {
        super::super::check(
            super::passes,
            &[
                ("ab1234563", true),
                ("f91234563", true),
                ("ab1234564", false),
                ("1b1234563", false),
                ("ab123456", false),
            ],
        );
    }
}
