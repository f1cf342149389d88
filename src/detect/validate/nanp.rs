//! North American telephone numbers: an area and an exchange that can be dialled.

use super::digits;

/// Whether ten digits, or eleven after a 1, have an area and an exchange from 2 to 9, neither of them N11.
pub(super) fn passes(hit: &str) -> bool {
    let digits = digits(hit);
    let number = match digits.as_slice() {
        [1, rest @ ..] if rest.len() >= 10 => rest,
        all => all,
    };
    let [a, b, c, d, e, f, ..] = number else { return false };
    let code = |first: u32, second: u32, third: u32| first >= 2 && !(second == 1 && third == 1);
    code(*a, *b, *c) && code(*d, *e, *f)
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
