//! The words of an XML document as whoever opens it sees them: `MRN <b>0041</b>2345` is one number, a row of cells is a
//! line, and `<field name="MRN" value="00412345"/>` a label and its value.
//!
//! Its texts are listed each on its own; this is one more reading of all of them, which nobody edits. Promise: linear in
//! the document.

use crate::body::xml::local;

/// Elements that stand in a line of text whatever stands around them: of HTML, of SVG, of what word processors write.
const INLINE: &[&str] = &[
    "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "content", "del", "em", "emphasis",
    "font", "i", "ins", "kbd", "mark", "nobr", "proofErr", "q", "r", "rPr", "run", "s", "small",
    "span", "strike", "strong", "sub", "sup", "t", "tspan", "tt", "u", "wbr",
];
/// Elements whose children stand beside each other.
const ROWS: &[&str] = &["tr", "row"];
/// Attributes that say what an element is of.
const LABELS: &[&str] = &["name", "label", "key", "title", "field", "displayName"];
/// Attributes that hold what it is.
const VALUES: &[&str] = &["value", "val", "extension"];
/// The longest label, in bytes.
const MOST_LABEL: usize = 80;

/// What stands between an element and what is around it.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    /// Nothing.
    Inline,
    /// It is a line, or several.
    Block,
    /// Its children are cells of one line.
    Row,
    /// It is a name, and its children are the words of that.
    Name,
}

/// The words so far.
#[derive(Default)]
pub(super) struct Shown {
    text: String,
    open: Vec<Kind>,
    /// How many of the elements that we are in are of a patient.
    patients: Vec<bool>,
    /// What stands before the next words.
    before: &'static str,
    n_texts: usize,
}

impl Shown {
    /// The start of an element, and its attributes with entities undone.
    pub(super) fn open(&mut self, name: &str, attributes: &[(&str, String)]) {
        let name = local(name);
        let around = self.open.last().copied();
        let is_of_patient = self.patients.last() == Some(&true) || names_patient(name);
        let is_in = |names: &[&str]| names.iter().any(|one| name.eq_ignore_ascii_case(one));
        let is_amid =
            self.before.is_empty() && self.text.ends_with(|c: char| c != '\n' && c != '\t');
        let kind = match around {
            _ if is_in(INLINE) => Kind::Inline,
            Some(Kind::Block | Kind::Inline) if is_amid => Kind::Inline,
            _ if is_in(ROWS) => Kind::Row,
            _ if is_of_patient && name.eq_ignore_ascii_case("name") => Kind::Name,
            _ => Kind::Block,
        };
        self.part(kind, around);
        self.open.push(kind);
        self.patients.push(is_of_patient);
        if kind == Kind::Name {
            self.put("patient name:");
            self.before = " ";
        }
        let find = |names: &[&str]| {
            let is_one = |name: &str| names.iter().any(|one| local(name).eq_ignore_ascii_case(one));
            attributes.iter().find(|(name, _)| is_one(name)).map(|(_, value)| value.trim())
        };
        let label = find(LABELS).filter(|label| !label.is_empty() && label.len() <= MOST_LABEL);
        let label = match label {
            None if is_of_patient && name.eq_ignore_ascii_case("id") => Some("patient id"),
            label => label,
        };
        let value = find(VALUES).filter(|value| !value.is_empty());
        if let Some(label) = label.filter(|_| kind != Kind::Inline || value.is_some()) {
            self.put(label);
            self.put(": ");
        }
        if let Some(value) = value.filter(|_| label.is_some()) {
            self.n_texts += 1;
            self.put(value);
            self.before = "\n";
        }
    }

    /// The end of the element that was opened last.
    pub(super) fn close(&mut self) {
        _ = self.patients.pop();
        if let Some(kind) = self.open.pop() {
            self.part(kind, self.open.last().copied());
        }
    }

    /// Words between two tags, blanks and all.
    pub(super) fn words(&mut self, text: &str) {
        if text.trim().is_empty() {
            if !text.is_empty()
                && self.before.is_empty()
                && !self.text.ends_with(char::is_whitespace)
            {
                self.before = " ";
            }
            return;
        }
        self.n_texts += 1;
        let is_part = matches!(self.before, "\n" | "\t");
        self.put(if is_part { text.trim_start() } else { text });
    }

    /// All of it; `None` where it is what one text says.
    pub(super) fn finish(self) -> Option<String> {
        (self.n_texts > 1 || self.text.contains(": ")).then_some(self.text)
    }

    fn part(&mut self, kind: Kind, around: Option<Kind>) {
        let between = match (kind, around) {
            (Kind::Inline, _) => return,
            (_, Some(Kind::Name)) => " ",
            (_, Some(Kind::Row)) => "\t",
            _ => "\n",
        };
        // A line's end is more than a cell's, and that more than a word's.
        let rank = |between: &str| match between {
            "\n" => 3,
            "\t" => 2,
            " " => 1,
            _ => 0,
        };
        if rank(between) > rank(self.before) {
            self.before = between;
        }
    }

    fn put(&mut self, text: &str) {
        let before = std::mem::take(&mut self.before);
        if !self.text.is_empty() {
            self.text.push_str(before);
        }
        self.text.push_str(text);
    }
}

fn names_patient(name: &str) -> bool {
    let is = |at: usize, word: &str| {
        name.get(at..at + word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word))
    };
    name.len() <= MOST_LABEL && (0..name.len()).any(|at| is(at, "patient"))
}

#[cfg(test)]
mod tests {
    use crate::body::{Document, Limits};

    #[test]
    fn a_document_is_read_as_it_is_seen() {
        for (xml, want) in [
            ("<p>SSN 987-<b>65</b>-4320</p>", "SSN 987-65-4320"),
            ("<a>MRN <content>0041</content>2345</a>", "MRN 00412345"),
            ("<text><tspan>MRN </tspan><tspan>00412345</tspan></text>", "MRN 00412345"),
            ("<p><r><rPr><b/></rPr><t>SSN 536-</t></r><r><t>90-</t></r></p>", "SSN 536-90-"),
            ("<table><tr><td>a</td>\n <td>b</td></tr>\n<tr><td>c</td></tr></table>", "a\tb\nc"),
            ("<f><field name=\"MRN\" value=\"1\"/><x>c</x></f>", "MRN: 1\nc"),
            (
                "<patientRole><id extension=\"7\"/><name>\n<given>A</given><family>B</family></name></patientRole>",
                "patient id: 7\npatient name: A B",
            ),
            ("<a><id extension=\"7\"/><b>x</b> y</a>", "x y"),
        ] {
            let body = bytes::Bytes::copy_from_slice(xml.as_bytes());
            let document = Document::parse(Some("text/xml"), body, &Limits::default()).unwrap();
            let shown: Vec<_> = document.shown().map(str::trim).collect();
            assert_eq!(shown, [want], "{xml}");
        }
    }

    #[test]
    fn one_text_and_a_call_are_read_once() {
        for xml in [
            "<a><b>MRN 00412345</b></a>",
            "<methodCall><methodName>a</methodName><params><param><value>b</value></param></params></methodCall>",
        ] {
            let body = bytes::Bytes::copy_from_slice(xml.as_bytes());
            let document = Document::parse(Some("text/xml"), body, &Limits::default()).unwrap();
            assert_eq!(document.shown().count(), 0, "{xml}");
        }
    }
}
