//! Draws a fault: what is wrong, the file and line, a caret under the place, and the remedy.
//!
//! `check`, `serve`, `scan`, `eval` and a reload draw the same picture. The text shown is the officer's own file, never a
//! post. A password that stands in it, where none may, is not drawn: the picture goes to logs and to `/status`.

use std::borrow::Cow;
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
    let span = fault.span.and_then(|span| fitting(span, &fault.source.text));
    let text = span.map_or(Cow::default(), |span| masked(&fault.source.text, span));
    let mut group = match span {
        Some(span) => {
            let caret = AnnotationKind::Primary
                .span(span.start()..span.end())
                .label(fault.label.as_deref());
            title
                .element(Snippet::source(&*text).path(fault.source.name.as_str()).annotation(caret))
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

/// The text with stars in place of passwords in the line that is drawn: `USER:PASSWORD@` of an address, and whatever stands behind
/// `password` and `=`. As many bytes as before, so that places stay.
fn masked(text: &str, span: Span) -> Cow<'_, str> {
    let start = text.get(..span.start()).and_then(|text| text.rfind('\n')).map_or(0, |at| at + 1);
    let rest = text.get(start..).unwrap_or_default();
    let line = rest.split('\n').next().unwrap_or_default();
    let mut hidden: Vec<(usize, usize)> = Vec::new();
    let lower = line.to_ascii_lowercase();
    // Without what makes it an address, only where a database is spoken of: rules are full of `:` and `@`.
    let address = match line.split_once("://") {
        Some((before, _)) => Some(before.len() + "://".len()),
        None => lower.contains("postgres").then_some(0),
    };
    if let Some(start) = address
        && let Some(address) = line.get(start..)
        && let (Some(colon), Some(at)) = (address.find(':'), address.rfind('@'))
        && colon < at
    {
        hidden.push((start + colon + 1, start + at));
    }
    for (at, word) in lower.match_indices("password") {
        let behind = lower.get(at + word.len()..).unwrap_or_default();
        // Between them stands what ends a quoted key, at most.
        let value = behind.trim_start_matches(['"', '\'', ' ', '\t']);
        if value.starts_with('=') {
            hidden.push((line.len() - value.len() + 1, line.len()));
            break;
        }
    }
    if hidden.is_empty() {
        return Cow::Borrowed(text);
    }
    let is_hidden = |at: usize| hidden.iter().any(|(from, to)| (*from..*to).contains(&at));
    let mut drawn = String::with_capacity(text.len());
    drawn.push_str(text.get(..start).unwrap_or_default());
    for (at, letter) in line.char_indices() {
        if is_hidden(at) {
            drawn.extend(std::iter::repeat_n('*', letter.len_utf8()));
        } else {
            drawn.push(letter);
        }
    }
    drawn.push_str(rest.get(line.len()..).unwrap_or_default());
    Cow::Owned(drawn)
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
    fn no_password_is_drawn_and_places_stay() {
        for line in [
            "url = \"postgres://p:S3cretPw@db.example.org/a\"",
            "url = \"postgres://p:S3cretPw:@/@db.example.org/a\"",
            "url = \"postgres://p o:S3cretPw@h",
            "url = \"postgres://p@db.example.org/a?password=S3cretPw\"",
            "url = \"host=db.example.org PassWord = 'S3cretPw'\"",
            "password = \"éS3cretPw\"",
            "\"password\" = \"S3cretPw\"",
            "a = 1 # é postgres://p:éS3cretPw@h",
        ] {
            let source = Source::new("a.toml", format!("[a]\n{line}\nb = 2\n"));
            for (from, to) in [(4, 5), (4, 4 + line.len()), (4 + line.len(), 4 + line.len())] {
                let picture = draw(&Diagnostic::error(&source, "no").at(from..to), false);
                assert!(!picture.contains("S3c") && !picture.contains("Pw"), "{picture}");
                assert!(picture.contains("a.toml:2:"), "{picture}");
            }
        }
        let source =
            Source::new("a.toml", "url = \"postgres://p@h:5432/a\"\npassword-file = \"x\"\n");
        for (at, text) in [(0, "postgres://p@h:5432/a"), (32, "password-file = \"x\"")] {
            let picture = draw(&Diagnostic::error(&source, "no").at(at..at + 1), false);
            assert!(picture.contains(text), "{picture}");
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
