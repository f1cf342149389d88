//! What stands in a code that somebody must undo to read it: base64, hexadecimal, Morse. What it says may be read as a
//! name or number as well; in a post about a patient the code itself counts, whatever it says.

use crate::detect::compose::{Composer, Proposal, Reading, Standing};
use crate::normalize::Kind;

pub(super) fn propose(reading: &Reading<'_>, out: &mut Vec<Proposal>) {
    for disguise in reading.text.view.disguises() {
        if disguise.kind == Kind::Coded {
            out.push(Proposal {
                composer: Composer::CodeHidden,
                span: disguise.span,
                words: reading.under(disguise.span),
                tied: 0.0,
                like: 0.0,
                sure: false,
                standing: Standing::WithPost,
                generalized: None,
                parts: Vec::new(),
            });
        }
    }
}
