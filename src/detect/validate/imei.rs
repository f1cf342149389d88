//! Mobile equipment identities: 15 digits under the Luhn sum.

use super::digits;
use super::luhn;

/// Whether 15 digits have a sound check digit.
pub(super) fn passes(hit: &str) -> bool {
    digits(hit).len() == 15 && luhn::passes(hit)
}

#[cfg(test)]
mod tests {
    #[test]
    fn phones() {
        super::super::check(
            super::passes,
            &[
                ("490154203237518", true),
                ("49-015420-323751-8", true),
                ("490154203237519", false),
                ("4111111111111111", false),
            ],
        );
    }
}
