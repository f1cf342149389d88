//! Event ids and the references that people read out on the telephone.

use std::hash::{BuildHasher as _, RandomState};

use aws_lc_rs::rand;

/// RFC 4648 base32 in lower case: no letter of it is mistaken for a digit of it.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Letters of a reference: 40 bits, enough that no two events of a year are confused.
const REFERENCE: usize = 8;

/// Letters of an event id: 130 bits.
const ID: usize = 26;

pub(super) fn new_id() -> String {
    random::<ID>()
}

pub(super) fn new_reference() -> String {
    random::<REFERENCE>()
}

fn random<const N: usize>() -> String {
    let mut bytes = [0_u8; N];
    if rand::fill(&mut bytes).is_err() {
        // An id need not be secret, only different, and a post must not fail for want of one.
        let state = RandomState::new();
        for (n, byte) in bytes.iter_mut().enumerate() {
            *byte = state.hash_one(n).to_le_bytes()[0];
        }
    }
    bytes
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(byte & 31)))
        .map(|letter| char::from(*letter))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{new_id, new_reference};

    #[test]
    fn ids_are_base32_and_differ() {
        let ids: std::collections::HashSet<String> = (0..1000).map(|_| new_id()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 26));
        let reference = new_reference();
        assert!(
            reference.len() == 8
                && reference.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b))
        );
    }
}
