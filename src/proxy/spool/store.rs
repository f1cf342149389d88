//! The file of a spool, and the key that only its request knows.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use bytes::Bytes;
use zeroize::Zeroize as _;

use crate::config::spool_folder;

/// The file and its key.
pub(super) struct Store {
    pub(super) file: File,
    key: LessSafeKey,
    /// How many chunks there are, and where the next one goes.
    end: Mutex<(u64, u64)>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    pub(super) fn new() -> io::Result<Self> {
        let mut secret = [0; 32];
        aws_lc_rs::rand::fill(&mut secret).map_err(io::Error::other)?;
        let key = UnboundKey::new(&AES_256_GCM, &secret);
        // The library overwrites its own copy; this one stands on the stack.
        secret.zeroize();
        let key = key.map_err(io::Error::other)?;
        Ok(Self {
            file: tempfile::tempfile_in(spool_folder())?,
            key: LessSafeKey::new(key),
            end: Mutex::default(),
        })
    }

    pub(super) fn random_hex() -> io::Result<String> {
        let mut bytes = [0_u8; 24];
        aws_lc_rs::rand::fill(&mut bytes).map_err(io::Error::other)?;
        Ok(bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}")))
    }

    /// Seals a chunk and writes it after the last one. Gives its number, and where it stands.
    pub(super) fn append(&self, mut chunk: Vec<u8>) -> io::Result<(u64, u64)> {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, offset) = *end;
        self.key
            .seal_in_place_append_tag(nonce(number), Aad::empty(), &mut chunk)
            .map_err(io::Error::other)?;
        self.file.write_all_at(&chunk, offset)?;
        *end = (number + 1, offset + chunk.len() as u64);
        Ok((number, offset))
    }

    /// Reads a chunk and opens it; one that was changed on the disk does not open.
    pub(super) fn read(&self, number: u64, offset: u64, length: usize) -> io::Result<Bytes> {
        let mut chunk = vec![0; usize::try_from(sealed_length(length)).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut chunk, offset)?;
        self.key
            .open_in_place(nonce(number), Aad::empty(), &mut chunk)
            .map_err(io::Error::other)?;
        chunk.truncate(length);
        Ok(chunk.into())
    }
}

/// A chunk's number is its nonce: the key is never used for another file.
fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    for (byte, of_number) in bytes.iter_mut().zip(number.to_le_bytes()) {
        *byte = of_number;
    }
    Nonce::assume_unique_for_key(bytes)
}

pub(super) fn sealed_length(length: usize) -> u64 {
    (length + AES_256_GCM.tag_len()) as u64
}
