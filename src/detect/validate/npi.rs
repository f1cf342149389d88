//! National provider identifiers: the Luhn sum over the number after the prefix 80840.

use super::digits;
use super::luhn;

/// What the prefix 80840 adds to the sum.
const PREFIX: u32 = 24;

/// Whether ten digits that begin with 1 or 2 have a sound check digit.
pub(super) fn passes(hit: &str) -> bool {
    let digits = digits(hit);
    digits.len() == 10
        && matches!(digits.first(), Some(1 | 2))
        && (luhn::sum(&digits) + PREFIX).is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    #[test]
    fn providers() {
        super::super::check(
            super::passes,
            &[
                ("1234567893", true),
                ("1234567890", false),
                ("3234567893", false),
                ("123456789", false),
            ],
        );
    }
}
