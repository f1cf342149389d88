//! Event ids and the references that people read out on the telephone.

use std::cell::RefCell;
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

/// Random bytes in store, for each thread its own: a draw from the generator costs as much as a hundred letters.
const STORE: usize = 512;

thread_local! {
    static LETTERS_IN_STORE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn random<const N: usize>() -> String {
    LETTERS_IN_STORE.with_borrow_mut(|store| {
        if store.len() < N {
            store.resize(STORE, 0);
            fill(store);
        }
        // Taken out, so that no two ids share a byte.
        let rest = store.len().saturating_sub(N);
        store.drain(rest..).map(letter).collect()
    })
}

fn letter(byte: u8) -> char {
    LETTERS.get(usize::from(byte & 31)).map_or('a', |letter| char::from(*letter))
}

fn fill(bytes: &mut [u8]) {
    if rand::fill(bytes).is_err() {
        // An id need not be secret, only different, and a post must not fail for want of one.
        let state = RandomState::new();
        for (n, byte) in bytes.iter_mut().enumerate() {
            *byte = state.hash_one(n).to_le_bytes()[0];
        }
    }
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
