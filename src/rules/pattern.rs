//! One regular expression of a rule file, compiled for the folded view.
//!
//! An officer writes `\bMRN[- ]?\d{6}\b` and means what it says. Two things would betray that: the view is in lower
//! case without diacritics, and Unicode `\b`, `\d` and `\w` make one emoji cost a hundredfold. So capitals are folded as
//! the view folds them, and the classes are made ASCII unless the rule says `unicode = true`; the pattern is edited
//! through its syntax tree, so that escapes and brackets are understood and a fault keeps its place.

use regex::{Regex, RegexBuilder};
use regex_syntax::ast::{self, AssertionKind, Ast, ClassPerlKind, ClassSetItem, LiteralKind};
use regex_syntax::hir::{Class, Hir, HirKind};
use unicode_normalization::char::decompose_canonical;

use crate::span::Span;

/// Above this a pattern is refused: nested repetitions would cost every post.
const SIZE_LIMIT: usize = 2 << 20;

/// The group that names the part to redact.
const ID_GROUP: &str = "id";

/// A pattern that compiles.
#[derive(Clone, Debug)]
pub struct Pattern {
    written: String,
    regex: Regex,
    id_group: Option<usize>,
    needs: Needs,
    max_len: Option<usize>,
}

/// What a text must hold for a pattern to match at all: a cheap reason not to run it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Needs {
    /// One bit for each ASCII byte that every match holds.
    pub bytes: u128,
    /// The fewest digits a match holds.
    pub digits: u32,
}

/// Why a pattern cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidPattern {
    /// What is wrong, in a few words.
    pub message: String,
    /// Where in the pattern, if the fault has a place.
    pub span: Option<Span>,
    /// What to do about it.
    pub help: &'static str,
}

impl Pattern {
    /// Compiles a pattern as an officer wrote it.
    pub fn parse(written: &str, unicode: bool) -> Result<Self, InvalidPattern> {
        let tree = ast::parse::Parser::new().parse(written).map_err(|error| InvalidPattern {
            message: error.kind().to_string(),
            span: Some(Span::new(error.span().start.offset, error.span().end.offset)),
            help: "the syntax is that of the Rust `regex` crate: no look-around and no back-references",
        })?;
        let folded = fold(written, &tree, unicode);
        let hir = regex_syntax::ParserBuilder::new().build().parse(&folded).map_err(|error| {
            let (message, span) = match &error {
                regex_syntax::Error::Parse(error) => (error.kind().to_string(), *error.span()),
                regex_syntax::Error::Translate(error) => (error.kind().to_string(), *error.span()),
                _ => ("not a regular expression".to_owned(), *tree.span()),
            };
            let same = folded == written;
            let span = same.then(|| Span::new(span.start.offset, span.end.offset));
            InvalidPattern { message, span, help: "the syntax is that of the Rust `regex` crate" }
        })?;
        let regex = RegexBuilder::new(&folded)
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(SIZE_LIMIT)
            .build()
            .map_err(|error| InvalidPattern {
                message: match error {
                    regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
                    _ => "the pattern cannot be compiled".to_owned(),
                },
                span: None,
                help: "repeat less: nested or long counted repetitions such as `(\\w{1,50}){1,50}` grow without bound",
            })?;
        let id_group = regex.capture_names().position(|name| name == Some(ID_GROUP));
        if id_group.is_none() && regex.captures_len() > 1 {
            return Err(InvalidPattern {
                message: "the pattern has groups, and none is named `id`".to_owned(),
                span: None,
                help: "name the part to redact `(?P<id>..)`, and write other groups as `(?:..)`",
            });
        }
        if hir.properties().minimum_len() == Some(0) {
            return Err(InvalidPattern {
                message: "the pattern matches the empty text".to_owned(),
                span: None,
                help: "make at least one character of it required",
            });
        }
        let (needs, max_len) = (needs(&hir), hir.properties().maximum_len());
        Ok(Self { written: written.to_owned(), regex, id_group, needs, max_len })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// As it is run, over the folded view.
    pub const fn regex(&self) -> &Regex {
        &self.regex
    }

    /// The group `id`, if it is not the whole match that is redacted.
    pub const fn id_group(&self) -> Option<usize> {
        self.id_group
    }

    /// What a text must hold for a match.
    pub const fn needs(&self) -> Needs {
        self.needs
    }

    /// The longest match in bytes, if there is one.
    pub const fn max_len(&self) -> Option<usize> {
        self.max_len
    }
}

/// Rewrites a pattern for the folded view.
fn fold(written: &str, tree: &Ast, unicode: bool) -> String {
    let Ok(mut edits) = ast::visit(tree, Fold { unicode, edits: Vec::new() });
    edits.sort_by_key(|(span, _)| span.start());
    let mut folded = String::with_capacity(written.len() + 32);
    let mut done = 0;
    for (span, text) in edits {
        folded.push_str(written.get(done..span.start()).unwrap_or_default());
        folded.push_str(&text);
        done = span.end();
    }
    folded.push_str(written.get(done..).unwrap_or_default());
    folded
}

/// Collects what must be rewritten.
struct Fold {
    unicode: bool,
    edits: Vec<(Span, String)>,
}

impl Fold {
    fn replace(&mut self, span: ast::Span, text: String) {
        self.edits.push((Span::new(span.start.offset, span.end.offset), text));
    }

    fn literal(&mut self, literal: &ast::Literal) {
        let folded = fold_char(literal.c);
        if folded != literal.c && literal.kind != LiteralKind::Superfluous {
            self.replace(literal.span, regex_syntax::escape(folded.encode_utf8(&mut [0; 4])));
        }
    }

    fn perl(&mut self, class: &ast::ClassPerl) {
        if self.unicode {
            return;
        }
        let inner = match class.kind {
            ClassPerlKind::Digit => "0-9",
            ClassPerlKind::Space => r"\t\n\x0B\x0C\r\x20",
            ClassPerlKind::Word => "0-9A-Za-z_",
        };
        let not = if class.negated { "^" } else { "" };
        self.replace(class.span, format!("[{not}{inner}]"));
    }

    fn assertion(&mut self, assertion: &ast::Assertion) {
        if self.unicode {
            return;
        }
        let ascii = match assertion.kind {
            AssertionKind::WordBoundary => r"(?-u:\b)",
            AssertionKind::WordBoundaryStart | AssertionKind::WordBoundaryStartAngle => {
                r"(?-u:\b{start})"
            }
            AssertionKind::WordBoundaryEnd | AssertionKind::WordBoundaryEndAngle => {
                r"(?-u:\b{end})"
            }
            AssertionKind::WordBoundaryStartHalf => r"(?-u:\b{start-half})",
            AssertionKind::WordBoundaryEndHalf => r"(?-u:\b{end-half})",
            // The ASCII form could match between the bytes of one character, so this one stays as it is.
            AssertionKind::NotWordBoundary
            | AssertionKind::StartLine
            | AssertionKind::EndLine
            | AssertionKind::StartText
            | AssertionKind::EndText => return,
        };
        self.replace(assertion.span, ascii.to_owned());
    }
}

impl ast::Visitor for Fold {
    type Output = Vec<(Span, String)>;
    type Err = std::convert::Infallible;

    fn finish(self) -> Result<Self::Output, Self::Err> {
        Ok(self.edits)
    }

    fn visit_pre(&mut self, tree: &Ast) -> Result<(), Self::Err> {
        match tree {
            Ast::Literal(literal) => self.literal(literal),
            Ast::ClassPerl(class) => self.perl(class),
            Ast::Assertion(assertion) => self.assertion(assertion),
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Self::Err> {
        match item {
            ClassSetItem::Literal(literal) => self.literal(literal),
            ClassSetItem::Perl(class) => self.perl(class),
            ClassSetItem::Range(range) => {
                let (from, to) = (range.start.c, range.end.c);
                if from.is_ascii_uppercase() && to.is_ascii_uppercase() {
                    let (from, to) = (from.to_ascii_lowercase(), to.to_ascii_lowercase());
                    self.replace(range.span, format!("{from}-{to}"));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// One character as the view folds it: lower case, and a Latin letter without its marks.
fn fold_char(c: char) -> char {
    let mut base = None;
    if !c.is_ascii() {
        decompose_canonical(c, |part| {
            base.get_or_insert(part);
        });
    }
    let c = base.filter(char::is_ascii).unwrap_or(c);
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// What every match of an expression holds.
fn needs(hir: &Hir) -> Needs {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(Class::Bytes(_)) => Needs::default(),
        HirKind::Literal(literal) => {
            literal.0.iter().fold(Needs::default(), |needs, &byte| needs.and(Needs::of_byte(byte)))
        }
        HirKind::Class(Class::Unicode(class)) => {
            let digits = class.ranges().iter().all(|r| r.start() >= '0' && r.end() <= '9');
            Needs { bytes: 0, digits: u32::from(digits && !class.ranges().is_empty()) }
        }
        HirKind::Repetition(repetition) if repetition.min == 0 => Needs::default(),
        HirKind::Repetition(repetition) => {
            let one = needs(&repetition.sub);
            Needs { digits: one.digits.saturating_mul(repetition.min), ..one }
        }
        HirKind::Capture(capture) => needs(&capture.sub),
        HirKind::Concat(parts) => {
            parts.iter().fold(Needs::default(), |all, part| all.and(needs(part)))
        }
        HirKind::Alternation(parts) => {
            parts.iter().map(needs).reduce(Needs::or).unwrap_or_default()
        }
    }
}

impl Needs {
    fn of_byte(byte: u8) -> Self {
        let bytes = if byte.is_ascii() { 1 << byte } else { 0 };
        Self { bytes, digits: u32::from(byte.is_ascii_digit()) }
    }

    const fn and(self, other: Self) -> Self {
        let digits = self.digits.saturating_add(other.digits);
        Self { bytes: self.bytes | other.bytes, digits }
    }

    const fn or(self, other: Self) -> Self {
        let digits = if self.digits < other.digits { self.digits } else { other.digits };
        Self { bytes: self.bytes & other.bytes, digits }
    }

    /// What a whole text holds, to be asked by [`Needs::met_by`].
    #[must_use]
    pub fn held_by(text: &str) -> Self {
        // By the two upper bits of a byte and without branches: every text is read so.
        let (mut sets, mut digits) = ([0_u64; 4], 0_u32);
        for byte in text.bytes() {
            if let Some(set) = sets.get_mut(usize::from(byte >> 6)) {
                *set |= 1 << (byte & 63);
            }
            digits += u32::from(byte.is_ascii_digit());
        }
        let [low, high, ..] = sets;
        Self { bytes: u128::from(low) | (u128::from(high) << 64), digits }
    }

    /// Whether a text that holds this much can match.
    pub const fn met_by(self, held: Self) -> bool {
        self.bytes & !held.bytes == 0 && self.digits <= held.digits
    }
}

#[cfg(test)]
mod tests {
    use super::{Needs, Pattern};

    #[test]
    fn a_pattern_is_folded_as_the_view_is() {
        for (written, text, found) in [
            (r"\bMRN \d{4}\b", "mrn 1234", Some("mrn 1234")),
            (r"[A-Z]{2}-\d+", "ab-12", Some("ab-12")),
            (r"Se\u{f1}ora", "senora", Some("senora")),
            ("Señora", "senora", Some("senora")),
            (r"\x41\x42", "ab", Some("ab")),
            (r"[\dX]{3}", "1x2", Some("1x2")),
            (r"[^\d]+", "ab1", Some("ab")),
            (r"\W", "é", Some("é")),
            (r"(?x) A \d  # a comment with A", "a1", Some("a1")),
            (r"\d", "٣", None),
        ] {
            let pattern = Pattern::parse(written, false).unwrap();
            assert_eq!(pattern.regex().find(text).map(|hit| hit.as_str()), found, "{written}");
        }
        assert!(Pattern::parse(r"\d", true).unwrap().regex().is_match("٣"));
    }

    #[test]
    fn faults_have_a_place_and_a_remedy() {
        for (written, message, span) in [
            (r"ab(c", "unclosed group", Some(2..3)),
            (r"a(?=b)", "look-around", Some(1..4)),
            (r"(a)(b)", "none is named `id`", None),
            (r"a*", "empty", None),
            (r"((\w{1,50}){1,50}){1,50}", "too large", None),
            (r"\p{Nonsense}", "Unicode property", Some(0..12)),
        ] {
            let fault = Pattern::parse(written, false).unwrap_err();
            assert!(fault.message.contains(message), "{written}: {}", fault.message);
            assert_eq!(fault.span, span.map(Into::into), "{written}");
            assert!(!fault.help.is_empty());
        }
    }

    #[test]
    fn needs_are_what_every_match_holds() {
        for (written, text, met) in [
            (r"\d{3}-\d{2}", "12-34", false),
            (r"\d{3}-\d{2}", "123-45", true),
            (r"a@b|c@d", "nothing", false),
            (r"a@b|c@d", "abcd@", true),
            (r"\w+ ?", "", true),
            (r"(?:x\d)+|yz\d\d", "no digit", false),
        ] {
            let needs = Pattern::parse(written, false).unwrap().needs();
            assert_eq!(needs.met_by(Needs::held_by(text)), met, "{written} in {text:?}");
        }
    }
}
