//! Ids of events, and the reference that a client sees.

/// Crockford's base 32: no letter that reads like a digit, nothing that spells a word by accident often.
const ALPHABET: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'j',
    'k', 'm', 'n', 'p', 'q', 'r', 's', 't', 'v', 'w', 'x', 'y', 'z',
];

/// Draws an id of 20 characters (100 random bits). Its first eight are the reference.
pub(crate) fn draw_id() -> String {
    let mut bytes = [0_u8; 20];
    // Without randomness two events could share an id; they would still differ in sequence and time.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 31))).collect()
}

#[cfg(test)]
mod tests {
    use super::draw_id;

    #[test]
    fn ids_are_long_and_differ() {
        let (one, other) = (draw_id(), draw_id());
        assert_eq!((one.len(), other.len()), (20, 20));
        assert_ne!(one, other);
        assert!(one.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()));
    }
}
