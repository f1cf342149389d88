//! How long a string in HPACK's Huffman code is, and whether it is one (RFC 7541, 5.2). The code is canonical, so that the number of
//! codes of each length says all that is needed here; which letters they stand for is the library's to know.

/// How many codes there are of each length in bits (RFC 7541, appendix B). The last of 30 bits is the end of a string.
const CODES: [u32; 31] = [
    0, 0, 0, 0, 0, 10, 26, 32, 6, 0, 5, 3, 2, 6, 2, 3, 0, 0, 0, 3, 8, 13, 26, 29, 12, 4, 15, 19,
    29, 0, 4,
];

/// The code of a colon: seven bits.
const COLON: u8 = 0x5C;

/// What a coded string is, as far as anybody asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Coded {
    /// Letters.
    pub(super) length: usize,
    /// The first one is a colon.
    pub(super) colon: bool,
}

/// Measures a coded string; `None` if it is none: its end within, or padding of more than seven bits or of others than ones.
pub(super) fn measure(bytes: &[u8]) -> Option<Coded> {
    let colon = bytes.first().is_some_and(|byte| byte >> 1 == COLON);
    let (mut length, mut bits, mut n_bits) = (0, 0_u64, 0_u32);
    let mut bytes = bytes.iter();
    loop {
        while n_bits <= 56 {
            let Some(byte) = bytes.next() else { break };
            bits = bits << 8 | u64::from(*byte);
            n_bits += 8;
        }
        // The bits at hand at the top of the word, with ones behind them, as padding is.
        let top = if n_bits == 0 {
            u64::MAX
        } else {
            bits << (64 - n_bits) | (u64::MAX >> (n_bits - 1) >> 1)
        };
        if top == u64::MAX {
            // Padding, or the end of a string with more behind it.
            return (n_bits < 8).then_some(Coded { length, colon });
        }
        let size = code_length(top).filter(|size| *size <= n_bits)?;
        n_bits -= size;
        length += 1;
    }
}

/// How long the code at the top of a word is. The end of a string is none.
fn code_length(top: u64) -> Option<u32> {
    match top >> 56 {
        0x00..=0x4F => Some(5),
        0x50..=0xB7 => Some(6),
        0xB8..=0xF7 => Some(7),
        0xF8..=0xFD => Some(8),
        _ if top >> 34 == (1 << 30) - 1 => None,
        _ => rare(top),
    }
}

/// The lengths that letters of posts seldom have.
fn rare(top: u64) -> Option<u32> {
    let mut first = 0_u64;
    for (size, n_codes) in (0_u32..).zip(CODES) {
        if size == 0 {
            continue;
        }
        first <<= 1;
        let code = top >> (64 - size);
        if code.checked_sub(first).is_some_and(|place| place < u64::from(n_codes)) {
            return Some(size);
        }
        first += u64::from(n_codes);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{CODES, Coded, measure};

    #[test]
    fn the_code_is_complete() {
        let filled: u64 = (0_u32..).zip(CODES).map(|(size, n)| u64::from(n) << (30 - size)).sum();
        assert_eq!(filled, 1 << 30);
        assert_eq!(CODES.iter().sum::<u32>(), 257);
    }

    #[test]
    fn strings_of_the_rfc() {
        // RFC 7541, C.4.1, C.4.3, C.6.1.
        let fine: &[(&[u8], usize)] = &[
            (&[0xF1, 0xE3, 0xC2, 0xE5, 0xF2, 0x3A, 0x6B, 0xA0, 0xAB, 0x90, 0xF4, 0xFF], 15),
            (&[0xA8, 0xEB, 0x10, 0x64, 0x9C, 0xBF], 8),
            (&[0x25, 0xA8, 0x49, 0xE9, 0x5B, 0xA9, 0x7D, 0x7F], 10),
            (&[0xAE, 0xC3, 0x77, 0x1A, 0x4B], 7),
            (&[], 0),
            // NUL, of thirteen bits, and 0x16, of thirty.
            (&[0xFF, 0xC7], 1),
            (&[0xFF, 0xFF, 0xFF, 0xFB], 1),
        ];
        for (bytes, length) in fine {
            assert_eq!(measure(bytes), Some(Coded { length: *length, colon: false }), "{bytes:x?}");
        }
        let wrong: &[&[u8]] = &[
            &[0xFF],
            &[0x18],
            &[0xFF, 0xFF, 0xFF, 0xFF],
            &[0xAE, 0xC3, 0x77, 0x1A, 0x4B, 0xFF],
            &[0xAE, 0xC3, 0x77, 0x1A, 0x4B, 0xFF, 0xFF, 0xFF, 0xFF],
            &[0xFF, 0xC0],
            &[0xFE],
        ];
        for bytes in wrong {
            assert_eq!(measure(bytes), None, "{bytes:x?}");
        }
        assert_eq!(measure(&[0xB9, 0x49, 0x53, 0x39, 0xE4]).map(|coded| coded.colon), Some(true));
    }
}
