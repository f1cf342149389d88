//! What must hold of every file, whatever its bytes: the checks of the fuzz target.

#![expect(clippy::missing_panics_doc, reason = "a fuzz target reports by a panic")]

use crate::media::{Anatomy, InPlace, Keep};

/// A check of some bytes.
pub type Check = fn(&[u8]);

/// Every check, by the name of its fuzz target and its folder of seeds.
pub const TARGETS: &[(&str, Check)] = &[("media", media)];

/// Taking apart, stripping and reading of any bytes.
pub fn media(data: &[u8]) {
    let anatomy = Anatomy::of(data);
    let _ = anatomy.words(data);
    if let Ok(Some(same_length)) = anatomy.piece_stripped(data) {
        assert!(same_length.len() == data.len(), "the length changed");
    }
    if anatomy.fault().is_some() {
        assert!(anatomy.stripped(data, Keep::Needed).is_err(), "stripped what is not understood");
    } else {
        for keep in [Keep::Needed, Keep::Length] {
            let Ok(Some(bare)) = anatomy.stripped(data, keep) else { continue };
            let again = Anatomy::of(&bare);
            assert!(again.fault().is_none(), "what was stripped cannot be read");
            assert!(again.format() == anatomy.format(), "it became another kind of file");
            assert!(matches!(again.stripped(&bare, keep), Ok(None)), "something was left");
        }
    }
    streamed(data);
}

/// A film as it passes, in pieces of any size, is the same film.
fn streamed(data: &[u8]) {
    let mut wholes = [1, 7, data.len().max(1)].map(|size| {
        let mut film = InPlace::for_start(data)?;
        let mut out = Vec::new();
        let passed = data.chunks(size).try_for_each(|chunk| film.push(chunk, &mut out));
        assert!(out.len() <= data.len(), "more came out than went in");
        passed.and_then(|()| film.finish(&mut out)).ok()?;
        assert!(out.len() == data.len(), "the length changed on the way");
        Some(out)
    });
    let [one, seven, all] = &mut wholes;
    assert!(one == seven && seven == all, "pieces matter");
}
