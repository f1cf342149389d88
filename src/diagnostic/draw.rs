//! Draws a fault: what is wrong, the file and line, a caret under the place, and the remedy.
//!
//! `check`, `serve`, `scan`, `eval` and a reload draw the same picture. The text shown is the officer's own file, never a
//! post.

use std::collections::BTreeSet;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Severity};
use crate::span::Span;

/// One fault, with colours for a terminal or without.
pub fn draw(fault: &Diagnostic, styled: bool) -> String {
    let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
    let level = match fault.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(fault.message.as_str());
    let mut group = match fault.span.and_then(|span| fitting(span, &fault.source.text)) {
        Some(span) => {
            let caret = AnnotationKind::Primary
                .span(span.start()..span.end())
                .label(fault.label.as_deref());
            title.element(
                Snippet::source(fault.source.text.as_str())
                    .path(fault.source.name.as_str())
                    .annotation(caret),
            )
        }
        None => title.element(Origin::path(fault.source.name.as_str())),
    };
    if let Some(help) = &fault.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

/// All faults without colours, with a last line that counts them.
pub fn draw_all(faults: &[Diagnostic]) -> String {
    let mut text = String::new();
    for fault in faults {
        text.push_str(&draw(fault, false));
        text.push_str("\n\n");
    }
    text.push_str(&counted(faults));
    text
}

/// `2 errors in 1 file`.
pub fn counted(faults: &[Diagnostic]) -> String {
    let n_errors = faults.iter().filter(|fault| fault.severity == Severity::Error).count();
    let n_warnings = faults.len() - n_errors;
    let files: BTreeSet<&str> = faults.iter().map(|fault| fault.source.name.as_str()).collect();
    let counted = match (n_errors, n_warnings) {
        (0, n) => count(n, "warning"),
        (n, 0) => count(n, "error"),
        (e, w) => format!("{} and {}", count(e, "error"), count(w, "warning")),
    };
    format!("{counted} in {}", count(files.len(), "file"))
}

fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// The span moved onto the text's characters, so that a fault about a fault cannot happen. Of a span over many lines
/// the first line is shown: a whole rule underlined points at nothing.
fn fitting(span: Span, text: &str) -> Option<Span> {
    let start = boundary_before(text, span.start());
    let end = boundary_before(text, span.end());
    let marked = text.get(start..end)?;
    let first_line = marked.find('\n').unwrap_or(marked.len());
    Some(Span::new(start, start + first_line))
}

/// The nearest character boundary at or before an offset, within the text.
fn boundary_before(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{counted, draw};
    use crate::diagnostic::{Diagnostic, Source};

    #[test]
    fn a_fault_shows_file_line_caret_and_remedy() {
        let source =
            Source::new("policy.toml", "mode = \"enforce\"\n[[clause]]\naction = \"blok\"\n");
        let fault = Diagnostic::error(&source, "`blok` is no action")
            .at(37..43)
            .label("not an action")
            .help("use `log`, `redact` or `block`");
        insta::assert_snapshot!(draw(&fault, false), @r#"
        error: `blok` is no action
         --> policy.toml:3:10
          |
        3 | action = "blok"
          |          ^^^^^^ not an action
          |
          = help: use `log`, `redact` or `block`
        "#);
    }

    #[test]
    fn a_fault_without_a_place_names_the_file() {
        let source = Source::new("rules.d/ours.toml", "");
        let fault =
            Diagnostic::warning(&source, "the file holds no rule").help("delete it, or add one");
        insta::assert_snapshot!(draw(&fault, false), @r"
        warning: the file holds no rule
        --> rules.d/ours.toml
         = help: delete it, or add one
        ");
    }

    #[test]
    fn a_span_that_does_not_fit_is_drawn_all_the_same() {
        let source = Source::new("a.toml", "é = 1\nb = 2");
        for span in [0..99, 1..2, 50..60, 11..11, 3..9] {
            let fault = Diagnostic::error(&source, "no").at(span.clone());
            assert!(draw(&fault, false).contains("a.toml"), "{span:?}");
        }
    }

    #[test]
    fn faults_are_counted() {
        let (one, two) = (Source::new("a", ""), Source::new("b", ""));
        let faults = [
            Diagnostic::error(&one, "x"),
            Diagnostic::error(&two, "y"),
            Diagnostic::warning(&two, "z"),
        ];
        assert_eq!(counted(&faults), "2 errors and 1 warning in 2 files");
    }
}
