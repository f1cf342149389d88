//! Faults on standard error, as people see them.

use crate::cli::style;
use crate::diagnostic::{Diagnostic, Severity, counted, draw};

/// Draws all faults on standard error, with a last line that counts them.
pub(crate) fn print(faults: &[Diagnostic]) {
    let mut text = String::new();
    for fault in faults {
        text.push_str(&draw(fault, true));
        text.push_str("\n\n");
    }
    let any_error = faults.iter().any(|fault| fault.severity == Severity::Error);
    let paint = if any_error { style::ERROR } else { style::WARNING };
    text.push_str(&style::paint(paint, &counted(faults)));
    style::to_stderr(&text);
}
