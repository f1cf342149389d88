//! What is wrong with a file somebody wrote for us: where it stands and what to do about it.
//!
//! Rules, policies, platforms and `postward.toml` all report in this one form, so that `check`, `serve` and a
//! reload print the same words. The text quoted is the officer's own file, never a post.

mod draw;
mod nearest;
mod table;

use std::fmt;
use std::sync::Arc;

use crate::span::Span;

pub use draw::{counted, draw, draw_all};
pub use nearest::{did_you_mean, nearest};
pub use table::{Faults, Placed, Table, kind, shown};

/// A file as it was read: its name for people, and its text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Source {
    /// Path or, for what is built in, `embedded:rules/ssn.toml`.
    pub name: String,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// Keeps a file's text for the faults that may be found in it.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into() })
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// Works, but is probably not what was meant.
    Warning,
    /// Cannot be used.
    Error,
}

/// One fault of one file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in lower case, with no full stop.
    pub message: String,
    /// The file it was found in.
    pub source: Arc<Source>,
    /// Where in that file, if it has a place.
    pub span: Option<Span>,
    /// What stands under the caret.
    pub label: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A fault that keeps the file from being used.
    pub fn error(source: &Arc<Source>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            source: Arc::clone(source),
            span: None,
            label: None,
            help: None,
        }
    }

    /// A fault that is worth a word.
    pub fn warning(source: &Arc<Source>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(source, message) }
    }

    /// The same, at a place in the file.
    #[must_use]
    pub fn at(mut self, span: impl Into<Span>) -> Self {
        self.span = Some(span.into());
        self
    }

    /// The same, with words for under the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// The same, with its remedy.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Line and column of the start, counted from 1; the column in characters.
    pub fn line_column(&self) -> Option<(usize, usize)> {
        let before = self.source.text.get(..self.span?.start())?;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Some((before.matches('\n').count() + 1, before.get(line_start..)?.chars().count() + 1))
    }
}

/// `file:line:column: message`, for logs; `cli` draws the full picture.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line_column() {
            Some((line, column)) => {
                write!(f, "{}:{line}:{column}: {}", self.source.name, self.message)
            }
            None => write!(f, "{}: {}", self.source.name, self.message),
        }
    }
}

/// A fault in TOML itself (syntax, or an unknown key), as `toml` reports it.
pub fn of_toml(source: &Arc<Source>, error: &toml::de::Error) -> Diagnostic {
    let fault = Diagnostic::error(source, error.message().trim().to_owned());
    match error.span() {
        Some(span) => fault.at(span),
        None => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::{Diagnostic, Source};

    #[test]
    fn the_place_is_counted_from_one() {
        let source = Source::new("a.toml", "x = 1\ny = é2\n");
        let fault = Diagnostic::error(&source, "no").at(12..13);
        assert_eq!(fault.to_string(), "a.toml:2:6: no");
    }
}
