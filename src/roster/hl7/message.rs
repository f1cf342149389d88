//! One message: its marks, its character set, its segments; fields, repetitions, components and escapes.

use std::fmt;

use encoding_rs::Encoding;

/// The longest text of a component that is kept, in characters.
const LONGEST: usize = 256;

/// Why a message, or a part of it, cannot be read: where, and what is wrong, in words of ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The segment (`PID`).
    pub segment: &'static str,
    /// Its field, from 1; 0 is the segment itself.
    pub field: u8,
    /// What is wrong.
    pub why: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field {
            0 => write!(f, "{}: {}", self.segment, self.why),
            field => write!(f, "{}-{field}: {}", self.segment, self.why),
        }
    }
}

/// What parts a message, as its first segment says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Marks {
    field: char,
    component: char,
    repetition: char,
    escape: Option<char>,
    subcomponent: Option<char>,
}

/// A message, decoded.
pub struct Message {
    text: String,
    marks: Marks,
    /// Whether escaped bytes are of UTF-8.
    utf8: bool,
}

/// Shows no text.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("n_bytes", &self.text.len()).finish_non_exhaustive()
    }
}

/// One segment.
#[derive(Clone, Copy)]
pub(super) struct Segment<'m> {
    text: &'m str,
    message: &'m Message,
}

/// Shows no text.
impl fmt::Debug for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Segment")
    }
}

/// A field, a repetition of one, a component or a part of one, as sent.
#[derive(Clone, Copy)]
pub(super) struct Part<'m> {
    text: &'m str,
    message: &'m Message,
}

const fn fault(field: u8, why: &'static str) -> Fault {
    Fault { segment: "MSH", field, why }
}

impl Message {
    /// Reads a message: its segments end with CR, LF or both.
    pub fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.contains(&0) {
            return Err(fault(18, "the message is UTF-16 or binary; UTF-8 and ISO 8859 are read"));
        }
        let Some(rest) = bytes.strip_prefix(b"MSH") else {
            return Err(fault(0, "the message does not begin with MSH"));
        };
        let head: Vec<char> = rest.iter().take(6).map(|byte| char::from(*byte)).collect();
        let (Some(field), Some(component), Some(repetition)) =
            (head.first().copied(), head.get(1).copied(), head.get(2).copied())
        else {
            return Err(fault(1, "its marks are cut off"));
        };
        let mark = |nth: usize| head.get(nth).copied().filter(|mark| *mark != field);
        let marks = Marks {
            field,
            component,
            repetition,
            escape: mark(3),
            subcomponent: mark(3).and_then(|_| mark(4)),
        };
        let all =
            [Some(field), Some(component), Some(repetition), marks.escape, marks.subcomponent];
        let given: Vec<char> = all.into_iter().flatten().collect();
        let plain = |mark: &char| mark.is_ascii_punctuation();
        if !given.iter().all(plain)
            || (1..given.len()).any(|n| {
                given
                    .get(..n)
                    .is_some_and(|before| given.get(n).is_some_and(|mark| before.contains(mark)))
            })
        {
            return Err(fault(2, "its marks are not four different signs"));
        }
        let (text, utf8) = decoded(bytes, field)?;
        Ok(Self { text, marks, utf8 })
    }

    /// Every segment of this name.
    pub(super) fn all<'m>(&'m self, name: &'m str) -> impl Iterator<Item = Segment<'m>> {
        self.text
            .split(['\r', '\n'])
            .filter(move |line| {
                line.strip_prefix(name)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(self.marks.field))
            })
            .map(|text| Segment { text, message: self })
    }

    /// The first segment of this name.
    pub(super) fn first<'m>(&'m self, name: &'m str) -> Option<Segment<'m>> {
        self.all(name).next()
    }

    /// The mark between fields.
    pub(super) fn field_mark(&self) -> char {
        self.marks.field
    }

    /// Whether it is UTF-8, and answers to it may be.
    pub(super) fn is_utf8(&self) -> bool {
        self.utf8
    }

    /// A message for each patient that it is about: one that has two is one for each, with the head and the event of
    /// both.
    pub(super) fn of_each_patient(&self) -> impl Iterator<Item = Self> {
        let is = |line: &str, name: &str| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(self.marks.field))
        };
        let (mut head, mut groups) = (Vec::new(), Vec::<Vec<&str>>::new());
        for line in self.text.split(['\r', '\n']) {
            if is(line, "PID") {
                groups.push(vec![line]);
            } else if is(line, "MSH") || is(line, "EVN") {
                head.push(line);
            } else if let Some(group) = groups.last_mut() {
                group.push(line);
            }
        }
        groups.into_iter().map(move |group| Self {
            text: head.iter().copied().chain(group).collect::<Vec<_>>().join("\r"),
            marks: self.marks,
            utf8: self.utf8,
        })
    }

    /// What stands behind the first segment.
    pub(super) fn behind_head(&self) -> &str {
        self.text.split_once(['\r', '\n']).map_or("", |(_, rest)| rest)
    }
}

/// The text of a message and whether it is UTF-8, by what it says of itself in MSH-18.
fn decoded(bytes: &[u8], field: char) -> Result<(String, bool), Fault> {
    let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    // All of them are ASCII where it counts. MSH-1 is the mark itself.
    let declared = line.split(|byte| char::from(*byte) == field).nth(17).unwrap_or_default();
    let declared: String = declared
        .iter()
        .map(|byte| char::from(*byte).to_ascii_uppercase())
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '/' | '-' | '_'))
        .collect();
    let whole = |bytes: &[u8]| std::str::from_utf8(bytes).map(str::to_owned);
    match declared.trim() {
        "UNICODE UTF-8" | "UNICODE" | "UTF-8" | "UTF8" | "UNICODE UTF8" => {
            let text = whole(bytes)
                .map_err(|_| fault(18, "the message is not the UTF-8 that it says it is"))?;
            Ok((text, true))
        }
        // Senders that say nothing, or ASCII, send what their system has: UTF-8 if it can be that, else Latin-1.
        "" | "ASCII" => Ok(whole(bytes).map_or_else(
            |_| (encoding_rs::WINDOWS_1252.decode(bytes).0.into_owned(), false),
            |text| (text, true),
        )),
        other => {
            let label = other.strip_prefix("8859/").map(|part| format!("iso-8859-{part}"));
            let known = label.and_then(|label| Encoding::for_label(label.as_bytes()));
            let known = known.ok_or(fault(18, "its character set is not read: send UTF-8"))?;
            Ok((known.decode(bytes).0.into_owned(), false))
        }
    }
}

impl<'m> Segment<'m> {
    /// A field by its number in the standard, from 1. One that is not there is empty.
    pub(super) fn field(self, number: usize) -> Part<'m> {
        let marks = self.message.marks;
        // The first field of a head is the mark that parts all others.
        let nth = if self.text.starts_with("MSH") { number.saturating_sub(1) } else { number };
        let text = self.text.split(marks.field).nth(nth).unwrap_or_default();
        Part { text, message: self.message }
    }
}

impl<'m> Part<'m> {
    /// What is repeated in a field.
    pub(super) fn repetitions(self) -> impl Iterator<Item = Self> {
        let Self { text, message } = self;
        text.split(message.marks.repetition).map(move |text| Self { text, message })
    }

    /// A component by its number, from 1.
    pub(super) fn component(self, number: usize) -> Self {
        let mut parts = self.text.split(self.message.marks.component);
        let text = parts.nth(number.saturating_sub(1)).unwrap_or_default();
        Self { text, message: self.message }
    }

    /// The text of a component's first part, or of its only one.
    pub(super) fn head(self) -> String {
        let text = match self.message.marks.subcomponent {
            Some(mark) => self.text.split(mark).next().unwrap_or_default(),
            None => self.text,
        };
        let mut text = Self { text, message: self.message }.text();
        // Nobody is called so: what is behind is cut off, and not kept for every patient.
        if let Some((end, _)) = text.char_indices().nth(LONGEST) {
            text.truncate(end);
        }
        text
    }

    /// The text of a component of a field's first repetition.
    pub(super) fn first(self, component: usize) -> String {
        self.repetitions().next().map(|it| it.component(component).head()).unwrap_or_default()
    }

    /// Exactly as sent.
    pub(super) fn raw(self) -> &'m str {
        self.text
    }

    /// Its text without escapes; that it is to be deleted (`""`) says nothing.
    pub(super) fn text(self) -> String {
        let text = self.text.trim();
        if text == "\"\"" {
            return String::new();
        }
        let Some(escape) = self.message.marks.escape.filter(|mark| text.contains(*mark)) else {
            return text.to_owned();
        };
        let mut plain = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once(escape) {
            plain.push_str(before);
            let Some((code, after)) = behind.split_once(escape) else {
                // A mark without its partner is a letter like any other.
                plain.push(escape);
                rest = behind;
                break;
            };
            self.message.unescape(code, &mut plain);
            rest = after;
        }
        plain.push_str(rest);
        plain.trim().to_owned()
    }
}

impl Message {
    fn unescape(&self, code: &str, plain: &mut String) {
        let marks = self.marks;
        let mark = match code {
            "F" => Some(marks.field),
            "S" => Some(marks.component),
            "T" => marks.subcomponent,
            "R" => Some(marks.repetition),
            "E" => marks.escape,
            ".br" | ".sp" => Some(' '),
            _ => None,
        };
        if let Some(mark) = mark {
            plain.push(mark);
            return;
        }
        let Some(digits) = code.strip_prefix('X').filter(|digits| digits.len() % 2 == 0) else {
            // Highlighting and what senders agreed on among themselves is no text.
            return;
        };
        let bytes: Option<Vec<u8>> = digits
            .as_bytes()
            .chunks_exact(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        let bytes = bytes.unwrap_or_default();
        match std::str::from_utf8(&bytes) {
            Ok(text) if self.utf8 => plain.push_str(text),
            _ => plain.push_str(&encoding_rs::WINDOWS_1252.decode_without_bom_handling(&bytes).0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Message;

    const HEAD: &str = "MSH|^~\\&|ADT|H|P|H|20261123101500||ADT^A01|7|P|2.5";

    fn field(message: &[u8], number: usize, component: usize) -> String {
        let message = Message::read(message).unwrap();
        message.first("PID").unwrap().field(number).component(component).head()
    }

    #[test]
    fn fields_components_and_escapes_are_read() {
        let text = format!(
            "{HEAD}\rPID|1||A\\F\\B\\S\\C\\T\\D\\R\\E\\E\\F^x&y||O\\X27\\Neil\\.br\\de\\H\\ux\\N\\^\"\"^a\\b"
        );
        assert_eq!(field(text.as_bytes(), 3, 1), "A|B^C&D~E\\F");
        assert_eq!(field(text.as_bytes(), 3, 2), "x");
        assert_eq!(field(text.as_bytes(), 5, 1), "O'Neil deux");
        assert_eq!(field(text.as_bytes(), 5, 2), "", "to be deleted is no text");
        assert_eq!(field(text.as_bytes(), 5, 3), "a\\b");
        assert_eq!(field(text.as_bytes(), 99, 9), "");
        let other = b"MSH$%@#!$ADT\nPID$1$$7%%%H%MR";
        assert_eq!((field(other, 3, 1), field(other, 3, 5)), ("7".into(), "MR".into()));
    }

    #[test]
    fn the_character_set_is_the_one_that_it_declares() {
        let with = |set: &str, name: &[u8]| {
            let mut bytes = format!("{HEAD}||||||{set}\rPID|||||").into_bytes();
            bytes.extend_from_slice(name);
            bytes
        };
        for (set, name) in [
            ("", &b"Jos\xe9"[..]),
            ("", "José".as_bytes()),
            ("ASCII", b"Jos\xe9"),
            ("8859/1", b"Jos\xe9"),
            ("8859/15", b"Jos\xe9"),
            ("UNICODE UTF-8", "José".as_bytes()),
            ("UNICODE UTF-8~ASCII", "José".as_bytes()),
            ("UNICODE UTF-8", b"Jos\\XC3A9\\"),
            ("8859/1", b"Jos\\XE9\\"),
        ] {
            assert_eq!(field(&with(set, name), 5, 1), "José", "{set} {name:?}");
        }
        let refused = |bytes: &[u8]| Message::read(bytes).unwrap_err().to_string();
        assert!(refused(&with("UNICODE UTF-8", b"Jos\xe9")).starts_with("MSH-18: "));
        assert!(refused(&with("GB 18030-2000", b"Jos")).starts_with("MSH-18: "));
        assert!(refused(b"\xff\xfeM\0S\0H\0").starts_with("MSH-18: "));
    }

    #[test]
    fn what_is_no_message_is_refused_without_a_word_of_it() {
        for text in ["", "Thea|Delacroix", "MSH", "MSH|", "MSH||||", "MSHabcd|", "MSH|^^\\&|"] {
            let fault = Message::read(text.as_bytes()).unwrap_err();
            assert!(!format!("{fault} {fault:?}").contains("Thea"), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            for head in [&b""[..], b"MSH|^~\\&|", b"MSH|^~\\&|||||||||||||||| \rPID|"] {
                let whole = [head, &bytes].concat();
                if let Ok(message) = Message::read(&whole) {
                    for segment in ["MSH", "PID"].into_iter().filter_map(|name| message.first(name)) {
                        for n in 0..40 {
                            let field = segment.field(n);
                            let _ = (field.text(), field.first(2));
                        }
                    }
                }
            }
        }
    }
}
