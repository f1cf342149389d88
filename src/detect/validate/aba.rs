//! Routing numbers of American banks: nine digits, weighted 3, 7, 1.

use super::digits;

/// Whether nine digits that begin with a bank's district have a sound check digit.
pub(super) fn passes(hit: &str) -> bool {
    let digits = digits(hit);
    let [a, b, ..] = digits.as_slice() else { return false };
    let district = matches!(a * 10 + b, 1..=12 | 21..=32 | 61..=72 | 80);
    let sum: u32 = digits
        .iter()
        .zip([3, 7, 1].into_iter().cycle())
        .map(|(digit, weight)| digit * weight)
        .sum();
    digits.len() == 9 && district && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    #[test]
    fn banks() {
        super::super::check(
            super::passes,
            &[
                ("021000021", true),
                ("011401533", true),
                ("021000022", false),
                ("991000021", false),
                ("02100002", false),
            ],
        );
    }
}
