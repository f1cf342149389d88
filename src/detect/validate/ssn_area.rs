//! Social security numbers: areas, groups and serials that were ever issued.

use super::digits;

/// Whether the number could have been issued: no area 000, 666 or 900 to 999, no group 00, no serial 0000.
pub(super) fn passes(hit: &str) -> bool {
    let digits = digits(hit);
    let (Some((area, rest)), 9) = (digits.split_at_checked(3), digits.len()) else { return false };
    let (group, serial) = rest.split_at_checked(2).unwrap_or_default();
    let varied = digits.windows(2).any(|pair| pair.first() != pair.last());
    !matches!(number(area), 0 | 666 | 900..) && number(group) != 0 && number(serial) != 0 && varied
}

fn number(digits: &[u32]) -> u32 {
    digits.iter().fold(0, |number, digit| number * 10 + digit)
}

#[cfg(test)]
mod tests {
    #[test]
    fn areas() {
        super::super::check(
            super::passes,
            &[
                ("078-05-1120", true),
                ("219 09 9999", true),
                ("000-12-3456", false),
                ("666-12-3456", false),
                ("987-65-4321", false),
                ("123-00-4567", false),
                ("123-45-0000", false),
                ("111-11-1111", false),
                ("12345678", false),
            ],
        );
    }
}
