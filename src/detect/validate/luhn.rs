//! The Luhn sum of payment cards, and of what borrows it.

use super::digits;

/// Whether 12 to 19 digits, not all alike, have a sound check digit.
pub(super) fn passes(hit: &str) -> bool {
    let digits = digits(hit);
    let varied = digits.windows(2).any(|pair| pair.first() != pair.last());
    (12..=19).contains(&digits.len()) && varied && sum(&digits).is_multiple_of(10)
}

/// The sum: every second digit from the right doubled, its digits added.
pub(super) fn sum(digits: &[u32]) -> u32 {
    let double = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, &digit)| if at % 2 == 1 { double(digit) } else { digit })
        .sum()
}

#[cfg(test)]
mod tests {
    #[test]
    fn cards() {
        super::super::check(
            super::passes,
            &[
                ("4111 1111 1111 1111", true),
                ("5500-0055-5555-5559", true),
                ("378282246310005", true),
                ("4111 1111 1111 1112", false),
                ("0000 0000 0000 0000", false),
                ("18", false),
            ],
        );
    }
}
