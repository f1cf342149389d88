//! What a number looks like when people write it: groups of digits and letters, joined or set apart or spelled out.
//!
//! `4471902`, `XR-4410-26`, `MC 00918822 01`, `4 4 7 1 9 0 2`, `four four seven one`, `4*4*7*1`. The grammar reads the
//! words of a text, so its cost is that of the words it takes in.

use crate::detect::labelled::words::{FILLERS, MARKERS, UNITS};
use crate::detect::token::{Gap, Shape, Text, Token};
use crate::span::Span;

/// A number as long as this is none: cells of a dump, or noise.
const MOST_DIGITS: usize = 40;

/// The most groups one number has: one digit a group at worst.
const MOST_GROUPS: usize = 28;

/// A number found at some place.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::detect) struct Code {
    /// Where it begins and ends in the view.
    pub(in crate::detect) start: usize,
    /// One past its last byte.
    pub(in crate::detect) end: usize,
    /// The word after its last.
    pub(in crate::detect) next: usize,
    /// Digits, those spelled out counted as one each.
    pub(in crate::detect) n_digits: usize,
    /// Letters that are no spelled digit.
    pub(in crate::detect) n_letters: usize,
    /// Groups that it is written in.
    pub(in crate::detect) n_groups: usize,
    /// How many of the groups are words for digits.
    pub(in crate::detect) n_spelled: usize,
    /// The digits of its first three groups, as long as those hold nothing else.
    groups: [Option<(u8, u32)>; 3],
    /// The marks that join groups.
    marks: Marks,
    /// Whether letters come first.
    pub(in crate::detect) letters_first: bool,
}

/// The marks that join the groups of a number, without space: a set.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Marks(u8);

impl Marks {
    const SLASH: u8 = 1;
    const STOP: u8 = 1 << 1;
    const COMMA: u8 = 1 << 2;
    /// Any mark at all.
    const ANY: u8 = 1 << 3;

    const fn has(self, mark: u8) -> bool {
        self.0 & mark != 0
    }

    /// Notes what stands between two groups.
    fn note(&mut self, gap: &str) {
        let joined = !gap.is_empty() && !gap.contains(char::is_whitespace);
        self.0 |= match gap {
            "/" => Self::SLASH,
            "." => Self::STOP,
            "," => Self::COMMA,
            _ => 0,
        } | if joined { Self::ANY } else { 0 };
    }
}

/// What one word adds to a number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Piece {
    /// Digits and nothing else: how many.
    Digits(usize),
    /// Digits and letters: how many of each.
    Mixed(usize, usize),
    /// Letters alone: how many.
    Letters(usize),
    /// A word for a digit or two.
    Spelled(usize),
    /// `dash`, `double`: stands between spelled digits.
    Between,
}

impl Code {
    /// The number that begins with a word, or with the rest of it from a byte on.
    pub(in crate::detect) fn at(text: &Text, at: usize, from: Option<usize>) -> Option<Self> {
        let token = text.tokens.get(at)?;
        let start = from.unwrap_or(token.span.start());
        let end = token.span.end();
        let word = text.view.text().get(start..end)?;
        let mut code = Self { start, end, next: at + 1, ..Self::default() };
        let piece = piece(word)?;
        if piece == Piece::Between || !code.begins(text, at, token, piece) {
            return None;
        }
        code.take(word, piece);
        code.letters_first = word.starts_with(|c: char| c.is_ascii_alphabetic());
        while code.n_groups < MOST_GROUPS && code.n_digits < MOST_DIGITS && code.grow(text) {}
        if code.n_digits == 0 {
            return None;
        }
        code.take_hash(text);
        Some(code)
    }

    /// Whether a number may begin so: with a digit, or with letters that digits are joined to.
    fn begins(&self, text: &Text, at: usize, token: &Token, piece: Piece) -> bool {
        match piece {
            Piece::Digits(_) | Piece::Mixed(..) => true,
            Piece::Spelled(_) => text.tokens.get(at + 1).is_some_and(|next| {
                piece_of(text, next).is_some_and(|piece| !matches!(piece, Piece::Letters(_)))
            }),
            Piece::Between => false,
            Piece::Letters(n) => {
                let Some(next) = text.tokens.get(at + 1) else { return false };
                let gap = between(text, self.end, next);
                let joined = n <= 6 && matches!(gap, "-" | "_" | "#" | "–" | "/" | "");
                if joined {
                    return (1..=2).any(|offset| {
                        text.tokens.get(at + offset).is_some_and(|next| {
                            (offset == 1 || tight(next))
                                && matches!(
                                    piece_of(text, next),
                                    Some(Piece::Digits(_) | Piece::Mixed(..))
                                )
                        })
                    });
                }
                let capital = token.shape == Shape::Upper
                    || (n == 1 && token.shape == Shape::Capital && text.word(token) != "i");
                let digits = match piece_of(text, next) {
                    Some(Piece::Digits(digits)) => digits,
                    Some(Piece::Mixed(digits, letters)) if letters <= 2 => digits,
                    _ => 0,
                };
                // `AA 12 34 56 B`
                let pairs = digits == 2
                    && text.tokens.get(at + 2).is_some_and(|third| {
                        piece_of(text, third) == Some(Piece::Digits(2))
                            && between(text, next.span.end(), third) == " "
                    });
                n <= 5
                    && capital
                    && gap == " "
                    && (digits >= 3 || pairs)
                    && !is_filler(text.word(token))
            }
        }
    }

    fn take(&mut self, word: &str, piece: Piece) {
        let digits = match piece {
            Piece::Digits(n) => {
                self.n_digits += n;
                Some((u8::try_from(n).unwrap_or(u8::MAX), word.parse().unwrap_or(u32::MAX)))
            }
            Piece::Mixed(digits, letters) => {
                self.n_digits += digits;
                self.n_letters += letters;
                None
            }
            Piece::Letters(letters) => {
                self.n_letters += letters;
                None
            }
            Piece::Spelled(n) => {
                self.n_digits += n;
                self.n_spelled += 1;
                None
            }
            Piece::Between => None,
        };
        if let Some(slot) = self.groups.get_mut(self.n_groups) {
            *slot = digits;
        }
        self.n_groups += 1;
    }

    /// Takes in the next word if it goes on with the number.
    fn grow(&mut self, text: &Text) -> bool {
        let Some(next) = text.tokens.get(self.next) else { return false };
        let Some(piece) = piece_of(text, next) else { return false };
        let gap = between(text, self.end, next);
        let after = text.tokens.get(self.next + 1);
        // `447****902`: masked in the middle.
        let gap = if gap.len() > 1 && gap.bytes().all(|byte| byte == b'*') { "*" } else { gap };
        let fits = match gap {
            "" | "-" | "_" | "/" | "." | "*" | "–" | "—" | "·" | "•" | "~" | "#" | "+" => {
                self.goes_on_tightly(text, piece, gap, after)
            }
            "," => piece == Piece::Digits(3) && self.ends_in_digits(text, 3),
            "|" | "=" | "^" | "\\" | "'" | "!" | "&" | "%" | ")(" | "][" => {
                matches!(piece, Piece::Digits(1..=4)) && self.ends_in_digits(text, 4)
            }
            _ => self.goes_on_apart(text, next, piece, gap, after),
        };
        if !fits {
            return false;
        }
        let word = text.word(next);
        self.marks.note(gap);
        self.take(word, piece);
        self.end = next.span.end();
        self.next += 1;
        true
    }

    /// Whether a word joined by a mark belongs to the number.
    fn goes_on_tightly(&self, text: &Text, piece: Piece, gap: &str, after: Option<&Token>) -> bool {
        match piece {
            Piece::Digits(_) => true,
            Piece::Mixed(_, letters) => letters <= 12,
            Piece::Spelled(_) | Piece::Between => gap != "." || self.n_spelled > 0,
            // `-KD-`, `-M`, but not `-patient` and not the next sentence.
            Piece::Letters(n) => {
                let goes_on = after.is_some_and(|after| {
                    tight(after)
                        && matches!(
                            piece_of(text, after),
                            Some(Piece::Digits(_) | Piece::Mixed(..))
                        )
                });
                matches!(gap, "-" | "_" | "/" | "–" | "") && (n <= 4 || (goes_on && n <= 10))
                    || (gap == "." && goes_on && n <= 4)
            }
        }
    }

    /// Whether a word set apart belongs to the number: `4471 9020`, `4 4 7 1`, `four four`, `604418 S`.
    fn goes_on_apart(
        &self,
        text: &Text,
        next: &Token,
        piece: Piece,
        gap: &str,
        after: Option<&Token>,
    ) -> bool {
        if gap.len() > 12 || gap.contains(':') {
            return false;
        }
        let last = self.last_group(text);
        // One digit a word, whatever stands between.
        let single = |piece: Option<Piece>| {
            matches!(piece, Some(Piece::Digits(1) | Piece::Spelled(_) | Piece::Between))
        };
        let spelled = single(last) || self.n_spelled > 0;
        let free = gap.chars().filter(|c| c.is_whitespace()).count() <= 3;
        if single(Some(piece)) && spelled && free {
            // A word between must lead to one more digit.
            return piece != Piece::Between
                || after.is_some_and(|after| single(piece_of(text, after)));
        }
        // `four one 5 . 555 . 0179`, `two-oh-six 555 0188`: groups after spelled digits.
        if let Piece::Digits(n) = piece
            && spelled
            && n <= 4
            && self.n_digits >= 3
            && free
            && !gap.contains(['\n', ','])
        {
            return !counts_something(text, self.next);
        }
        if gap != " " && gap != "  " && gap != " - " && gap != " / " {
            return false;
        }
        match piece {
            Piece::Digits(n) => {
                let grouped = match last {
                    Some(Piece::Digits(last)) => {
                        (last <= 6 && (n >= 2 || last == 1 || self.n_groups >= 2))
                            || (self.letters_first && (2..=4).contains(&n))
                    }
                    Some(Piece::Mixed(digits, _)) => digits <= 9 && n >= 2,
                    Some(Piece::Letters(_)) => n >= 3,
                    _ => false,
                };
                grouped
                    && n <= 8
                    && self.n_digits + n <= 20
                    && !(gap == " / " && n < 3)
                    && !counts_something(text, self.next)
            }
            Piece::Mixed(digits, letters) => {
                digits >= 3
                    && letters <= 2
                    && matches!(last, Some(Piece::Letters(_)))
                    && self.n_groups == 1
            }
            // A letter or two at the end.
            Piece::Letters(n) => {
                let ends = after
                    .is_none_or(|after| !between(text, next.span.end(), after).starts_with(' '));
                gap == " "
                    && n <= 2
                    && self.n_digits >= 5
                    && ends
                    && (next.shape == Shape::Upper || (n == 1 && next.shape == Shape::Capital))
            }
            Piece::Spelled(_) | Piece::Between => false,
        }
    }

    /// Whether the group taken last is digits, so many at most.
    fn ends_in_digits(&self, text: &Text, most: usize) -> bool {
        matches!(self.last_group(text), Some(Piece::Digits(n)) if n <= most)
    }

    /// The group taken last.
    fn last_group(&self, text: &Text) -> Option<Piece> {
        let token = text.tokens.get(self.next.checked_sub(1)?)?;
        let start = token.span.start().max(self.start);
        piece(text.view.text().get(start..token.span.end())?)
    }

    /// A hash right before a number belongs to it.
    fn take_hash(&mut self, text: &Text) {
        let head = text.view.text().get(..self.start).unwrap_or_default();
        if head.ends_with('#') && !head.ends_with("##") {
            self.start -= 1;
        }
    }

    /// Whether a mark joins two of its groups.
    pub(in crate::detect) const fn is_joined(&self) -> bool {
        self.marks.has(Marks::ANY)
    }

    /// `12,500`, `1,250,000`: thousands, set apart by commas.
    pub(in crate::detect) const fn has_commas(&self) -> bool {
        self.marks.has(Marks::COMMA)
    }

    /// Where it stands.
    pub(in crate::detect) fn span(&self) -> Span {
        Span::new(self.start, self.end)
    }

    /// `2024`, and nothing beside it.
    pub(in crate::detect) fn is_year(&self) -> bool {
        matches!((self.n_groups, self.groups), (1, [Some((4, 1900..=2099)), ..]))
    }

    /// `2024-0718`: the number of a year, as offices count what they print.
    pub(in crate::detect) fn is_of_year(&self) -> bool {
        matches!((self.n_groups, self.groups), (2, [Some((4, 2000..=2099)), Some((1..=4, _)), _]))
    }

    /// `3/14/2026`, `2026-03-14`, `3/14`.
    pub(in crate::detect) fn is_date(&self) -> bool {
        let fits = |month: u32, day: u32| (1..=12).contains(&month) && (1..=31).contains(&day);
        match (self.n_groups, self.groups) {
            (2, [Some((1..=2, a)), Some((1..=2, b)), _]) => fits(a, b) || fits(b, a),
            (2, [Some((1..=2, a)), Some((4, 1900..=2099)), _]) => {
                self.marks.has(Marks::SLASH) && a <= 12
            }
            (3, [Some((4, 1900..=2099)), Some((1..=2, a)), Some((1..=2, b))]) => fits(a, b),
            (3, [Some((1..=2, a)), Some((1..=2, b)), Some((4, 1900..=2099))]) => {
                fits(a, b) || fits(b, a)
            }
            (3, [Some((1..=2, a)), Some((1..=2, b)), Some((2, _))]) => {
                (self.marks.has(Marks::SLASH) || self.marks.has(Marks::STOP))
                    && (fits(a, b) || fits(b, a))
            }
            _ => false,
        }
    }

    /// The layout of a telephone number.
    pub(in crate::detect) fn is_phone(&self) -> bool {
        matches!(
            (self.n_groups, self.groups),
            (3, [Some((3, _)), Some((3, _)), Some((4, _))]) | (2, [Some((3, _)), Some((4, _)), _])
        )
    }

    /// `0700-1900`, `2024-2026`, `120/80/60`: hours, years or values, from one to the other.
    pub(in crate::detect) fn is_range(&self) -> bool {
        let clock = |value: u32| value <= 2400 && value % 100 < 60;
        let year = |value: u32| (1900..=2099).contains(&value);
        match (self.n_groups, self.groups) {
            (2, [Some((4, a)), Some((4, b)), _]) => (clock(a) && clock(b)) || (year(a) && year(b)),
            // `2014-15`, `10 2015`
            (2, [Some((4, a)), Some((2, _)), _] | [Some((..=2, _)), Some((4, a)), _]) => year(a),
            (2, [Some((a, _)), Some((b, _)), _]) => {
                (self.marks.has(Marks::SLASH) && a <= 4 && b <= 4) || a.max(b) <= 3
            }
            (3, [Some((a, _)), Some((b, _)), Some((c, _))]) => {
                self.marks.has(Marks::SLASH) && a.max(b).max(c) <= 3
            }
            _ => false,
        }
    }

    /// `0.12-0.20`: numbers with decimals, and no letter.
    pub(in crate::detect) fn is_measure(&self) -> bool {
        self.marks.has(Marks::STOP)
            && self.n_letters == 0
            && self.n_groups <= 4
            && self.n_digits <= 8
    }

    /// `98.6`, `1.5`: two groups around a full stop.
    pub(in crate::detect) fn is_decimal(&self) -> bool {
        self.n_groups == 2 && self.marks.has(Marks::STOP) && self.n_letters == 0
    }
}

/// The text between a place and a word.
pub(in crate::detect) fn between<'t>(text: &'t Text, end: usize, next: &Token) -> &'t str {
    text.view.text().get(end..next.span.start()).unwrap_or_default()
}

/// Whether a word is joined to the one before it.
fn tight(token: &Token) -> bool {
    !token.gap.has(Gap::SPACE) && !token.gap.has(Gap::LINE)
}

fn piece_of(text: &Text, token: &Token) -> Option<Piece> {
    piece(text.word(token))
}

/// What a word may be within a number; `None` for one that ends it.
fn piece(word: &str) -> Option<Piece> {
    if word.len() > 64 {
        return None;
    }
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    if digits + letters < word.len() {
        return None;
    }
    match (digits, letters) {
        (0, 0) => None,
        (_, 0) => Some(Piece::Digits(digits)),
        (0, _) => Some(match spelled(word) {
            Some(0) => Piece::Between,
            Some(n) => Piece::Spelled(n),
            None => Piece::Letters(letters),
        }),
        _ => Some(Piece::Mixed(digits, letters)),
    }
}

/// How many digits a word says; none for one that stands between digits.
fn spelled(word: &str) -> Option<usize> {
    Some(match word {
        "dash" | "hyphen" | "dot" | "point" | "slash" | "double" | "triple" | "hundred"
        | "thousand" | "guion" | "punto" | "hifen" | "ponto" | "tiret" => 0,
        "zero" | "oh" | "one" | "two" | "three" | "four" | "five" | "six" | "seven" | "eight"
        | "nine" | "niner" | "twenty" | "thirty" | "forty" | "fifty" | "sixty" | "seventy"
        | "eighty" | "ninety" | "cero" | "uno" | "dos" | "tres" | "cuatro" | "cinco" | "seis"
        | "siete" | "ocho" | "nueve" | "um" | "dois" | "quatro" | "sete" | "oito" | "nove"
        | "deux" | "trois" | "quatre" | "cinq" | "sept" | "huit" | "neuf" | "null" | "eins"
        | "zwei" | "drei" | "vier" | "funf" | "sechs" | "sieben" | "acht" | "neun" => 1,
        "ten" | "eleven" | "twelve" | "thirteen" | "fourteen" | "fifteen" | "sixteen"
        | "seventeen" | "eighteen" | "nineteen" | "diez" | "once" | "doce" | "trece"
        | "catorce" | "quince" => 2,
        _ => return None,
    })
}

/// Whether the number at a word counts or measures something: `2 units`, `67 yo`, `40 %`, `3:15`.
pub(in crate::detect) fn counts_something(text: &Text, at: usize) -> bool {
    let Some(token) = text.tokens.get(at) else { return false };
    let rest = text.view.text().get(token.span.end()..).unwrap_or_default();
    if rest.trim_start().starts_with('%')
        || (rest.starts_with(':')
            && rest.get(1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())))
    {
        return true;
    }
    let Some(next) = text.tokens.get(at + 1).filter(|next| next.gap.only(Gap::SPACE)) else {
        return false;
    };
    UNITS.has(text.word(next))
}

/// Words that stand between a label and its number and say nothing of it.
pub(in crate::detect) fn is_filler(word: &str) -> bool {
    is_marker(word) || FILLERS.has(word)
}

/// Words that say that a number follows.
pub(in crate::detect) fn is_marker(word: &str) -> bool {
    MARKERS.has(word)
}

#[cfg(test)]
mod tests {
    use super::Code;
    use crate::detect::token::Text;

    /// The number at the first word that begins one.
    fn first(text: &str) -> Option<(String, usize)> {
        let cut = Text::of(text);
        let code = (0..cut.tokens.len()).find_map(|at| Code::at(&cut, at, None))?;
        Some((cut.view.to_original(code.span()).of(text)?.to_owned(), code.n_digits))
    }

    #[test]
    fn numbers_as_people_write_them() {
        for (text, want, n_digits) in [
            ("is 4471902 now", "4471902", 7),
            ("XR-4410-26, read", "XR-4410-26", 6),
            ("MC 00918822 01 is", "MC 00918822 01", 10),
            ("4 4 7 1 9 0 2 is", "4 4 7 1 9 0 2", 7),
            ("4.4.7.1.9", "4.4.7.1.9", 5),
            ("six\none\n0\n4", "six\none\n0\n4", 4),
            ("say four four seven, one nine oh two.", "four four seven, one nine oh two", 7),
            ("two-oh-six 555 0188 she", "two-oh-six 555 0188", 10),
            ("4471-KD-0098812 is", "4471-KD-0098812", 11),
            ("RLA 604418 S, so", "RLA 604418 S", 6),
            ("(#SF-998877)", "#SF-998877", 6),
            ("447190 2 units", "447190", 6),
            ("4471902.She left", "4471902", 7),
            ("A5519027-patient", "A5519027", 7),
            ("4471902 67 yo", "4471902", 7),
            ("0049-7713-2", "0049-7713-2", 9),
        ] {
            assert_eq!(first(text), Some((want.to_owned(), n_digits)), "{text}");
        }
        assert_eq!(first("nothing to one see"), None);
    }

    #[test]
    fn dates_and_years_are_told_apart() {
        let code = |text: &str| Code::at(&Text::of(text), 0, None).unwrap();
        assert!(code("2024").is_year());
        assert!(code("3/14/2026").is_date() && code("2026-03-14").is_date());
        assert!(!code("12-34-56").is_date() && !code("20240").is_year());
        assert!(code("555-0142").is_phone() && code("98.6").is_decimal());
    }
}
