//! The one form in which a name, number or address is hashed, whoever wrote it: the roster's source or a post.

use crate::normalize::View;
use crate::roster::{PersonName, Place};

/// Words before a last name that are often left out, run together with it, or written apart.
const PARTICLES: [&str; 38] = [
    "de", "del", "della", "di", "da", "das", "do", "dos", "du", "des", "la", "las", "le", "les",
    "lo", "los", "el", "al", "van", "von", "der", "den", "ter", "ten", "zu", "zum", "st", "saint",
    "san", "santa", "bin", "binti", "ibn", "abu", "ben", "y", "e", "mc",
];
/// What stands behind a name and is no part of it.
const SUFFIXES: [&str; 9] = ["jr", "sr", "ii", "iii", "iv", "md", "rn", "esq", "phd"];
/// Directions, which are written or left out before a street's name.
const DIRECTIONS: [&str; 12] =
    ["n", "s", "e", "w", "ne", "nw", "se", "sw", "north", "south", "east", "west"];

/// The words of a text as they are hashed: folded as posts are, letters and digits alone, `O'Neil` as `oneil`.
pub fn folded_words(text: &str) -> Vec<String> {
    let view = View::of(text);
    let mut words = vec![String::new()];
    for c in view.text().chars() {
        match words.last_mut() {
            Some(word) if c.is_alphanumeric() => word.push(c),
            Some(word) if !word.is_empty() && !matches!(c, '\'' | '’' | '`') => {
                words.push(String::new());
            }
            _ => {}
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The words of a name by which it may be found. Nobody prints them.
#[derive(Default)]
pub(super) struct NameForms {
    /// First and middle names, and several of them run together.
    pub(super) given: Vec<String>,
    /// Last names without particles, and the whole run together.
    pub(super) family: Vec<String>,
    /// First letters of the first names.
    pub(super) given_initials: Vec<char>,
    /// First letters of the last names, with the particle's and without.
    pub(super) family_initials: Vec<char>,
}

impl NameForms {
    /// The forms of a name. Letters alone (`J.`) are initials and no words.
    pub(super) fn of(name: &PersonName) -> Self {
        let is_suffix = |word: &str| SUFFIXES.contains(&word);
        let given = folded_words(&name.given);
        let mut family = folded_words(&name.family);
        while family.len() > 1 && family.last().is_some_and(|word| is_suffix(word)) {
            family.pop();
        }
        let mut forms = Self::default();
        let initial = |word: &String| word.chars().next();
        forms.given_initials = given.iter().filter_map(initial).take(1).collect();
        let main = |word: &&String| !PARTICLES.contains(&word.as_str());
        forms.family_initials = family.iter().filter_map(initial).take(1).collect();
        forms.family_initials.extend(family.iter().filter(main).filter_map(initial));
        forms.family_initials.dedup();
        forms.given = parts(&given, false);
        forms.family = parts(&family, true);
        forms
    }

    pub(super) fn is_empty(&self) -> bool {
        self.given.is_empty() && self.family.is_empty()
    }
}

/// The words of one half of a name that count, and all of them run together.
fn parts(words: &[String], family: bool) -> Vec<String> {
    let long = |word: &&String| word.chars().count() > 1 || !word.is_ascii();
    let mut parts: Vec<String> = words.iter().filter(long).cloned().collect();
    if family {
        let main = |word: &String| {
            !PARTICLES.contains(&word.as_str()) && !SUFFIXES.contains(&word.as_str())
        };
        if parts.iter().any(main) {
            parts.retain(main);
        }
    }
    if words.len() > 1 {
        let whole = words.concat();
        if whole.chars().count() <= 32 && !parts.contains(&whole) {
            parts.push(whole);
        }
    }
    // Nobody has more names than this; a field that holds a sentence must not cost what a hundred patients cost.
    parts.truncate(5);
    parts
}

/// Whether a folded word is a particle of last names.
pub fn is_particle(word: &str) -> bool {
    PARTICLES.contains(&word)
}

/// A number or code in the forms in which it is hashed.
#[derive(Default, Eq, PartialEq)]
pub struct Number {
    /// Letters and digits, lower case, zeros before it left out.
    pub whole: String,
    /// Its digits alone, where letters stand before them (`MR-0041234`) and enough digits are left.
    pub digits: Option<String>,
}

/// Shows lengths only.
impl std::fmt::Debug for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = self.digits.as_ref().map(String::len);
        f.debug_struct("Number").field("whole", &self.whole.len()).field("digits", &digits).finish()
    }
}

/// Fewest digits by which a number is known without the letters before it.
const FEW_DIGITS: usize = 5;

/// The forms of a record number or other code: `MR-00412345`, `0041 2345` and `412345`. `None` of what holds no digit.
pub fn number_form(text: &str) -> Option<Number> {
    let view = View::of(text);
    let kept: String = view.text().chars().filter(|c| c.is_alphanumeric()).take(64).collect();
    let letters = kept.bytes().take_while(|byte| !byte.is_ascii_digit()).count();
    let tail = kept.get(letters..)?;
    if tail.is_empty() {
        return None;
    }
    if letters == 0 {
        return Some(Number { whole: unpadded(&kept).to_owned(), digits: None });
    }
    let digits = unpadded(tail);
    let alone = digits.len() >= FEW_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    let digits = alone.then(|| digits.to_owned());
    let head = kept.get(..letters)?;
    // `MRN 412345` is 412345: the label is no part of it.
    if let ("mrn" | "mr" | "no" | "nr" | "id" | "acct" | "pt", Some(digits)) = (head, &digits) {
        return Some(Number { whole: digits.clone(), digits: None });
    }
    Some(Number { whole: format!("{head}{}", unpadded(tail)), digits })
}

fn unpadded(digits: &str) -> &str {
    let bare = digits.trim_start_matches('0');
    if bare.is_empty() { digits } else { bare }
}

/// A telephone number's digits: ten of a North American one, otherwise all, without zeros and the `1` before them.
/// `None` of fewer than seven.
pub fn phone_form(text: &str) -> Option<String> {
    let view = View::of(text);
    // An extension is another number.
    let main = view.text().split(['x', 'e']).next().unwrap_or_default();
    let digits: String = main.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    let digits = match digits.strip_prefix('1') {
        Some(rest) if rest.len() == 10 => rest,
        _ => digits,
    };
    (7..=15).contains(&digits.len()).then(|| digits.to_owned())
}

/// An e-mail address, folded; `None` of what is none.
pub(super) fn email_form(text: &str) -> Option<String> {
    let view = View::of(text.trim());
    let text = view.text();
    let (local, host) = text.split_once('@')?;
    let fine = !local.is_empty() && host.contains('.') && !text.chars().any(char::is_whitespace);
    (fine && text.len() <= 254).then(|| text.to_owned())
}

/// The house number and the first word of the street, which is what everybody writes: `221 N. Fescue Way` and `221
/// Fescue`. `None` of what has neither.
pub fn street_form<'w>(mut words: impl Iterator<Item = &'w str>) -> Option<String> {
    let number = words.find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let street = words.find(|word| !DIRECTIONS.contains(word))?;
    let named = street.chars().any(char::is_alphabetic) && street.chars().count() > 1;
    named.then(|| format!("{number} {street}"))
}

/// A ward, a room and a room with its ward or bed as they are hashed: letters and digits, zeros before them left out.
pub(super) fn place_forms(place: &Place) -> Vec<String> {
    let form = |parts: &[&str]| {
        let whole = folded_words(&parts.join(" ")).concat();
        unpadded(&whole).to_owned()
    };
    let Place { ward, room, bed } = place;
    let mut forms = vec![
        form(&[ward]),
        form(&[room]),
        form(&[room, bed]),
        form(&[ward, room]),
        form(&[ward, bed]),
    ];
    forms.retain(|form| {
        !form.is_empty() && form.chars().any(|c| c.is_ascii_digit()) && form.len() <= 24
    });
    forms.sort_unstable();
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use super::{NameForms, Number, folded_words, number_form, phone_form, street_form};
    use crate::roster::PersonName;

    #[test]
    fn names_are_known_by_their_words_and_run_together() {
        for (given, family, want_given, want_family) in [
            ("Chidi", "Okafor", "chidi", "okafor"),
            ("Anne-Marie", "O'Neil", "anne marie annemarie", "oneil"),
            ("Clarence W.", "Van Der Berg Jr.", "clarence clarencew", "berg vanderberg"),
            ("José", "García-López", "jose", "garcia lopez garcialopez"),
            ("Thi", "Ha", "thi", "ha"),
            ("J", "De La", "", "de la dela"),
            ("", "", "", ""),
        ] {
            let forms = NameForms::of(&PersonName::new(given, family));
            assert_eq!(forms.given.join(" "), want_given, "{given:?}");
            assert_eq!(forms.family.join(" "), want_family, "{family:?}");
        }
        let forms = NameForms::of(&PersonName::new("Maria", "de la Cruz"));
        assert_eq!((forms.given_initials, forms.family_initials), (vec!['m'], vec!['d', 'c']));
        assert_eq!(folded_words("d’Angelo, BOŻENA"), ["dangelo", "bozena"]);
    }

    #[test]
    fn a_number_is_the_same_with_and_without_dashes_zeros_and_prefix() {
        let number = |whole: &str, digits: Option<&str>| {
            Some(Number { whole: whole.into(), digits: digits.map(str::to_owned) })
        };
        for text in ["00412345", "412345", "0041-2345", "0041 2345", "MRN 412345", "mr#00412345"] {
            assert_eq!(number_form(text), number("412345", None), "{text:?}");
        }
        assert_eq!(number_form("H-00412345"), number("h412345", Some("412345")));
        assert_eq!(number_form("AB-12"), number("ab12", None));
        assert_eq!(number_form("000"), number("000", None));
        assert_eq!(number_form("none"), None);
        assert_eq!(number_form(""), None);
    }

    #[test]
    fn a_telephone_number_is_its_digits() {
        for text in ["(614) 555-0123", "+1 614.555.0123", "1-614-555-0123", "6145550123 x12"] {
            assert_eq!(phone_form(text).as_deref(), Some("6145550123"), "{text:?}");
        }
        assert_eq!(phone_form("555-0123").as_deref(), Some("5550123"));
        assert_eq!(phone_form("+44 1632 960123").as_deref(), Some("441632960123"));
        assert_eq!(phone_form("12-34"), None);
    }

    #[test]
    fn an_address_is_its_number_and_its_street() {
        for (text, want) in [
            ("221 fescue way", Some("221 fescue")),
            ("221 n fescue way apt 4", Some("221 fescue")),
            ("4 54th", Some("4 54th")),
            ("fescue way", None),
            ("221", None),
        ] {
            assert_eq!(street_form(text.split(' ')).as_deref(), want, "{text:?}");
        }
    }
}
