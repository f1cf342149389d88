//! North American telephone numbers: an area and an exchange that can be dialled.

use super::digits;

/// Whether ten digits, or eleven after a 1, have an area and an exchange from 2 to 9, neither of them N11.
pub(super) fn passes(hit: &str) -> bool {
    let digits = digits(hit);
    let number = match digits.as_slice() {
        [1, rest @ ..] if rest.len() >= 10 => rest,
        all => all,
    };
    let dialled = |code: &[u32]| matches!(code, [2..=9, rest @ ..] if rest != [1, 1]);
    number.len() >= 10 && number.chunks(3).take(2).all(dialled)
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers() {
        super::super::check(
            super::passes,
            &[
                ("(212) 555-0142", true),
                ("+1 212 555 0142", true),
                ("212.555.0142 ext. 12", true),
                ("112-555-0142", false),
                ("211-555-0142", false),
                ("212-155-0142", false),
                ("5550142", false),
            ],
        );
    }
}
