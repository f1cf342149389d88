//! Social security numbers: areas, groups and serials that were ever issued.

use super::digits;

/// Whether the number could have been issued: no area 000, 666 or 900 to 999, no group 00, no serial 0000.
pub(super) fn passes(hit: &str) -> bool {
    let digits = digits(hit);
    let [a, b, c, d, e, f, g, h, i] = digits.as_slice() else { return false };
    let area = a * 100 + b * 10 + c;
    let group = d * 10 + e;
    let serial = f * 1000 + g * 100 + h * 10 + i;
    !matches!(area, 0 | 666 | 900..)
        && group != 0
        && serial != 0
        && !digits.iter().all(|digit| digit == a)
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
