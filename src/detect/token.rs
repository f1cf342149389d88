//! The words of a text, cut once and read by every composer.
//!
//! A word is a run of letters and digits of the folded view; an apostrophe inside it stays (`o'connor`, `don't`), a
//! possessive `'s` is left off and noted. A hashtag or handle is cut where its writer changed case or kind
//! (`#PrayForEthan` is three words). What stands between two words is kept as [`Gap`], so that composers never look
//! at the text between again.

use crate::normalize::View;
use crate::rules::is_han;
use crate::span::Span;

/// How a word is written, from the original text (the view has folded it away).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shape {
    /// `ricky`, and words of scripts without case
    Lower,
    /// `Ricky`, and one capital letter alone
    Capital,
    /// `RICKY`, two letters or more
    Upper,
    /// `McCoy`, `iPhone`
    Mixed,
    /// `412`
    Digits,
    /// `4W`, `3rd`, `J3ss`
    Code,
}

impl Shape {
    /// Whether digits are part of it.
    pub(crate) const fn is_number(self) -> bool {
        matches!(self, Self::Digits | Self::Code)
    }
}

/// What stands between a word and the one before it: a set of marks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Gap(u16);

impl Gap {
    /// Space or tab.
    pub(crate) const SPACE: Self = Self(1);
    /// A line break, or the beginning of the text.
    pub(crate) const LINE: Self = Self(1 << 1);
    /// `. ! ?` and their kin.
    pub(crate) const STOP: Self = Self(1 << 2);
    /// A comma.
    pub(crate) const COMMA: Self = Self(1 << 3);
    /// A colon or semicolon.
    pub(crate) const COLON: Self = Self(1 << 4);
    /// A hyphen or dash.
    pub(crate) const HYPHEN: Self = Self(1 << 5);
    /// A slash.
    pub(crate) const SLASH: Self = Self(1 << 6);
    /// A quotation mark.
    pub(crate) const QUOTE: Self = Self(1 << 7);
    /// A bracket.
    pub(crate) const BRACKET: Self = Self(1 << 8);
    /// `#`
    pub(crate) const HASH: Self = Self(1 << 9);
    /// `@`
    pub(crate) const AT: Self = Self(1 << 10);
    /// `&` or `+`
    pub(crate) const AND: Self = Self(1 << 11);
    /// Any other mark, such as an emoji.
    pub(crate) const OTHER: Self = Self(1 << 12);
    /// `_`
    pub(crate) const UNDERSCORE: Self = Self(1 << 13);

    /// Whether it holds any of these marks.
    pub(crate) const fn has(self, marks: Self) -> bool {
        self.0 & marks.0 != 0
    }

    /// Whether it holds these marks and nothing else; an empty gap holds none.
    pub(crate) const fn only(self, marks: Self) -> bool {
        self.0 & !marks.0 == 0
    }

    /// Both sets.
    pub(crate) const fn and(self, marks: Self) -> Self {
        Self(self.0 | marks.0)
    }

    const fn of(c: char) -> Self {
        match c {
            ' ' | '\t' | '\u{a0}' => Self::SPACE,
            '\n' | '\r' => Self::LINE,
            '.' | '!' | '?' | '¡' | '¿' | '…' | '。' => Self::STOP,
            ',' | '、' => Self::COMMA,
            ':' | ';' => Self::COLON,
            '-' | '‐' | '‑' | '–' | '—' => Self::HYPHEN,
            '/' | '\\' => Self::SLASH,
            '"' | '\'' | '“' | '”' | '‘' | '’' | '«' | '»' | '`' => Self::QUOTE,
            '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' => Self::BRACKET,
            '#' => Self::HASH,
            '@' => Self::AT,
            '&' | '+' => Self::AND,
            '_' => Self::UNDERSCORE,
            _ => Self::OTHER,
        }
    }
}

/// Scripts that decide where a word ends without a space.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Script {
    /// Letters and digits of scripts with spaces.
    Letters,
    /// Chinese characters: no spaces, and so each is a word and what is listed of several is a phrase.
    Han,
    /// Korean and Japanese syllables, which have a digit or character beside them without a space.
    Syllables,
}

impl Script {
    const fn of(c: char) -> Self {
        match c {
            c if is_han(c) => Self::Han,
            '\u{1100}'..='\u{11ff}' | '\u{3040}'..='\u{30ff}' | '\u{ac00}'..='\u{d7ff}' => {
                Self::Syllables
            }
            _ => Self::Letters,
        }
    }

    /// Whether a word ends between a character of this script and one of that.
    fn parts(self, next: Self) -> bool {
        self != next || self == Self::Han
    }
}

/// One word of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    /// Where, in the folded view.
    pub(crate) span: Span,
    /// How it is written.
    pub(crate) shape: Shape,
    /// Whether a sentence or line begins with it.
    pub(crate) starts_sentence: bool,
    /// What stands between it and the word before.
    pub(crate) gap: Gap,
    /// Whether a possessive `'s` follows, which the span leaves out.
    pub(crate) possessive: bool,
    /// Whether it stands in a hashtag or handle.
    pub(crate) tagged: bool,
}

/// One piece of a post, folded and cut.
#[derive(Debug)]
pub(crate) struct Text {
    /// Folded, and disguises undone.
    pub(crate) view: View,
    /// Its words.
    pub(crate) tokens: Vec<Token>,
    /// The text without disguises undone, where there were any.
    pub(crate) plain: Option<Box<Plain>>,
}

/// A text folded letter by letter, beside a view in which disguises are undone.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) text: Text,
    /// What was undone: where it stands in this view, and where in the other; in order.
    pub(crate) moves: Vec<(Span, Span)>,
}

impl Plain {
    /// Where a span of this view stands in the other, widened to the whole of what was undone.
    pub(crate) fn in_undone(&self, span: Span) -> Span {
        let place = |at: usize, is_end: bool| {
            let past =
                self.moves.partition_point(|(old, _)| old.start() < at + usize::from(!is_end));
            match past.checked_sub(1).and_then(|last| self.moves.get(last)) {
                None => at,
                Some((old, new)) if at < old.end() => {
                    if is_end {
                        new.end()
                    } else {
                        new.start()
                    }
                }
                Some((old, new)) => new.end() + (at - old.end()),
            }
        };
        let (start, end) = (place(span.start(), false), place(span.end(), true));
        Span::new(start, end.max(start))
    }
}

impl Text {
    /// Folds and cuts a text.
    pub(crate) fn of(original: &str) -> Self {
        let view = View::of(original);
        let tokens = cut(original, &view);
        Self { view, tokens, plain: None }
    }

    /// Cuts a view in which disguises are undone.
    pub(crate) fn with_plain(original: &str, view: View, plain: Plain) -> Self {
        let tokens = cut(original, &view);
        Self { view, tokens, plain: Some(Box::new(plain)) }
    }

    /// The folded word of a token.
    pub(crate) fn word(&self, token: &Token) -> &str {
        token.span.of(self.view.text()).unwrap_or_default()
    }
}

/// Cuts a folded text into words.
fn cut(original: &str, view: &View) -> Vec<Token> {
    let text = view.text();
    let written = |span: Span| view.written(span, original);
    let mut tokens = Vec::with_capacity(text.len() / 5);
    let mut gap = Gap::LINE;
    let bytes = text.as_bytes();
    let char_at = |at: usize| match bytes.get(at) {
        Some(byte) if byte.is_ascii() => Some(char::from(*byte)),
        Some(_) => text.get(at..).and_then(|rest| rest.chars().next()),
        None => None,
    };
    let mut start = 0;
    while let Some(c) = char_at(start) {
        let mut at = start + c.len_utf8();
        if !c.is_alphanumeric() {
            gap = gap.and(Gap::of(c));
            start = at;
            continue;
        }
        let mut end = at;
        let mut possessive = false;
        let mut script = Script::of(c);
        // Nearly all of them, and the loop below would take them one by one.
        if script == Script::Letters {
            let rest = bytes.get(at..).unwrap_or_default();
            at += rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            end = at;
        }
        while let Some(next) = char_at(at) {
            let after_next = at + next.len_utf8();
            if !next.is_ascii() || script != Script::Letters {
                let after = Script::of(next);
                if script.parts(after) && next.is_alphanumeric() {
                    break;
                }
                script = after;
            }
            if next.is_alphanumeric() || is_sign(next) {
                end = after_next;
                at = end;
                continue;
            }
            if !matches!(next, '\'' | '’') {
                break;
            }
            let tail = text.get(after_next..).unwrap_or_default();
            if !tail.starts_with(char::is_alphabetic) {
                break;
            }
            at = after_next;
            if is_possessive(tail) {
                possessive = true;
                at += 1;
                break;
            }
        }
        push(text, &written, Span::new(start, end), gap, possessive, &mut tokens);
        gap = Gap::default();
        start = at;
    }
    tokens
}

/// Whether a character is a sign of an Indian script that stands within a word and is no letter.
const fn is_sign(c: char) -> bool {
    matches!(c, '\u{900}'..='\u{963}' | '\u{971}'..='\u{df3}')
}

/// Whether a text begins with the `s` of a possessive.
fn is_possessive(tail: &str) -> bool {
    let mut chars = tail.chars();
    chars.next() == Some('s') && !chars.next().is_some_and(char::is_alphanumeric)
}

/// Adds one word, cut further where it is the body of a hashtag or handle.
fn push<'t>(
    text: &str,
    written: &impl Fn(Span) -> &'t str,
    span: Span,
    gap: Gap,
    possessive: bool,
    tokens: &mut Vec<Token>,
) {
    let after_tag = gap.only(Gap::UNDERSCORE) && tokens.last().is_some_and(|last| last.tagged);
    let tagged =
        text.get(..span.start()).is_some_and(|head| head.ends_with(['#', '@'])) || after_tag;
    let starts_sentence = !after_tag
        && (gap.has(Gap::LINE)
            || (gap.has(Gap::STOP.and(Gap::QUOTE).and(Gap::OTHER)) && gap.has(Gap::SPACE)));
    let before = tokens.len();
    let form = written(span);
    if tagged {
        let folded = span.of(text).unwrap_or_default();
        let mut start = 0;
        let mut last: Option<char> = None;
        let mut piece = |start: usize, end: usize, possessive: bool| {
            let span = Span::new(span.start() + start, span.start() + end);
            tokens.push(Token {
                span,
                shape: shape(written(span)),
                starts_sentence: false,
                gap: if start == 0 { gap } else { Gap::default() },
                possessive,
                tagged,
            });
        };
        for (at, c) in folded.char_indices() {
            let here = Span::new(span.start() + at, span.start() + at + c.len_utf8());
            let c = written(here).chars().next().unwrap_or(c);
            let turns = last.is_some_and(|last| {
                (last.is_lowercase() && c.is_uppercase())
                    || last.is_ascii_digit() != c.is_ascii_digit()
            });
            if turns && at > start {
                piece(start, at, false);
                start = at;
            }
            last = Some(c);
        }
        piece(start, folded.len(), possessive);
    } else {
        tokens.push(Token { span, shape: shape(form), starts_sentence, gap, possessive, tagged });
    }
    if let Some(first) = tokens.get_mut(before) {
        first.starts_sentence = starts_sentence;
    }
}

/// How a word is written.
fn shape(form: &str) -> Shape {
    // Most words are small letters and nothing else.
    if form.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Shape::Lower;
    }
    let (mut letters, mut upper, mut lower, mut digits, mut first_upper) = (0, 0, 0, 0, false);
    for c in form.chars() {
        if c.is_numeric() {
            digits += 1;
        } else if c.is_alphabetic() {
            if c.is_uppercase() {
                upper += 1;
                first_upper |= letters == 0;
            } else if c.is_lowercase() {
                lower += 1;
            }
            letters += 1;
        }
    }
    match () {
        () if digits > 0 && letters > 0 => Shape::Code,
        () if digits > 0 => Shape::Digits,
        () if upper == 0 => Shape::Lower,
        () if lower == 0 && upper > 1 => Shape::Upper,
        () if first_upper && upper == 1 => Shape::Capital,
        () => Shape::Mixed,
    }
}
