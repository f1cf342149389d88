//! Numbers out of bytes that may end at any point.

/// The bytes from `at`, as many as were asked for, or none of them.
pub(super) fn take(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(length)?)
}

pub(super) fn be16(bytes: &[u8], at: usize) -> Option<usize> {
    let two: [u8; 2] = take(bytes, at, 2)?.try_into().ok()?;
    Some(usize::from(u16::from_be_bytes(two)))
}

pub(super) fn be32(bytes: &[u8], at: usize) -> Option<usize> {
    let four: [u8; 4] = take(bytes, at, 4)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(four)).ok()
}

pub(super) fn be64(bytes: &[u8], at: usize) -> Option<usize> {
    let eight: [u8; 8] = take(bytes, at, 8)?.try_into().ok()?;
    usize::try_from(u64::from_be_bytes(eight)).ok()
}

pub(super) fn le16(bytes: &[u8], at: usize) -> Option<usize> {
    let two: [u8; 2] = take(bytes, at, 2)?.try_into().ok()?;
    Some(usize::from(u16::from_le_bytes(two)))
}

pub(super) fn le32(bytes: &[u8], at: usize) -> Option<usize> {
    let four: [u8; 4] = take(bytes, at, 4)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(four)).ok()
}

/// Of four bytes, seven bits each (ID3).
pub(super) fn syncsafe(bytes: &[u8], at: usize) -> Option<usize> {
    let four = take(bytes, at, 4)?;
    let sound = four.iter().all(|byte| byte & 0x80 == 0);
    sound.then(|| four.iter().fold(0, |all, byte| all << 7 | usize::from(*byte)))
}

/// The low 32 bits, big end first; a longer length has no such form.
pub(super) fn to_be32(number: usize) -> Option<[u8; 4]> {
    u32::try_from(number).ok().map(u32::to_be_bytes)
}
