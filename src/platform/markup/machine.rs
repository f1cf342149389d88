//! Values in HTML that machines wrote for machines: `class="wp-image-4123"`, `data-id="884213"`, `{"ref":884213}`.
//!
//! An editor numbers each picture, and beside a patient's name such a number looks like a record's. No reader sees it, and
//! no person types it. Only what looks it counts as one: numbers, and names made of the words of machines; what an
//! attribute, an element or the value itself labels as a person's is read as ever.

use crate::platform::markup::html::{Kind, Value, Written};
use crate::span::Span;

/// Attributes and keys by which machines find things.
const KEYS: &[&str] = &[
    "aria-controls",
    "aria-describedby",
    "aria-labelledby",
    "aria-owns",
    "class",
    "classname",
    "exclude",
    "for",
    "headers",
    "id",
    "ids",
    "include",
    "ref",
    "rel",
];

/// What says of a number that it is a person's, as a part of a key or of an element's name.
const PERSONS: &[&str] = &[
    "account",
    "acct",
    "accession",
    "admission",
    "beneficiary",
    "birth",
    "chart",
    "csn",
    "dob",
    "encounter",
    "hospital",
    "insur",
    "medical",
    "medicare",
    "medicaid",
    "mrn",
    "nhs",
    "passport",
    "patient",
    "person",
    "phone",
    "specimen",
    "ssn",
    "student",
    "subscriber",
];

/// What says so as a part of a key, or that somebody is shown what stands there.
const SHOWN: &[&str] = &[
    "alt", "caption", "comment", "descri", "device", "fax", "fin", "label", "licen", "member",
    "name", "note", "number", "policy", "record", "serial", "tel", "text", "title", "vin", "visit",
];

/// Words of which machines make names.
const WORDS: &[&str] = &[
    "align",
    "att",
    "attachment",
    "author",
    "block",
    "button",
    "caption",
    "cat",
    "category",
    "col",
    "column",
    "columns",
    "comment",
    "container",
    "content",
    "cover",
    "css",
    "element",
    "elementor",
    "embed",
    "fig",
    "figure",
    "file",
    "fn",
    "fnref",
    "footnote",
    "footnotes",
    "form",
    "gallery",
    "galleryid",
    "group",
    "grid",
    "h",
    "has",
    "heading",
    "id",
    "image",
    "img",
    "is",
    "item",
    "layout",
    "link",
    "list",
    "media",
    "menu",
    "nav",
    "navigation",
    "note",
    "page",
    "paragraph",
    "photo",
    "picture",
    "player",
    "playlist",
    "post",
    "product",
    "ref",
    "row",
    "section",
    "size",
    "slide",
    "slider",
    "style",
    "tab",
    "tag",
    "template",
    "term",
    "thumb",
    "thumbnail",
    "video",
    "widget",
    "wp",
];

/// Shortcodes of every site; of another, nobody can say that a reader does not see it as it was typed.
const SHORTCODES: &[&str] =
    &["audio", "caption", "embed", "gallery", "playlist", "video", "wp_caption", "contact-form-7"];

/// The shortest number in letters and digits that is no word, in bytes.
const FEWEST_HEX: usize = 6;

/// Adds what of a value is a machine's. `name` is that of its element.
pub(super) fn add(text: &str, name: &str, kind: Kind, value: &Value, ids: &mut Vec<Span>) {
    let (Some(key), Some(words)) = (value.key.of(text), value.span.of(text)) else { return };
    let may_be = match kind {
        Kind::Open | Kind::Block => !is_of_person(name),
        Kind::Shortcode => SHORTCODES.contains(&name),
        Kind::Close | Kind::Comment => false,
    };
    let is_number = value.written == Written::Number;
    if !may_be || !(is_number && !is_label(key) || is_of_machine(key)) {
        return;
    }
    if is_number {
        ids.push(value.span);
        return;
    }
    let mut at = value.span.start();
    for token in words.split_inclusive(|c: char| c.is_ascii_whitespace() || c == ',') {
        let bare = token.trim_end_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if is_name(bare) {
            ids.push(Span::new(at, at + bare.len()));
        }
        at += token.len();
    }
}

fn is_of_machine(key: &str) -> bool {
    if KEYS.iter().any(|known| key.eq_ignore_ascii_case(known)) {
        return true;
    }
    let is_id = ["-id", "_id", "Id", "-ids", "_ids", "Ids"].iter().any(|end| key.ends_with(end));
    let is_data = key.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("data-"));
    (is_id || is_data) && !is_label(key)
}

/// Whether a key or an element's name says that what it holds is a person's.
fn is_of_person(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_short = |piece: &str| piece == "pt" || piece == "px";
    PERSONS.iter().any(|label| name.contains(label))
        || name.split(|c: char| !c.is_ascii_alphanumeric()).any(is_short)
}

/// Whether a key says so, or that somebody is shown what it holds.
fn is_label(key: &str) -> bool {
    let small = key.to_ascii_lowercase();
    is_of_person(key) || SHOWN.iter().any(|label| small.contains(label))
}

/// Whether a token is a number, or a name of machines with one: `884213`, `wp-image-884213`, `post-3f2a9c1d`. Two numbers
/// in a row may be a telephone's, or a date.
fn is_name(token: &str) -> bool {
    if !token.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    if is_uuid(token) {
        return true;
    }
    let mut n_numbers = 0;
    let all = token.split(['-', '_']).all(|piece| {
        let is_number = piece.bytes().all(|byte| byte.is_ascii_digit());
        n_numbers += usize::from(is_number);
        is_number || WORDS.contains(&piece) || (piece.len() >= FEWEST_HEX && is_hex(piece))
    });
    all && n_numbers < 2
}

fn is_hex(piece: &str) -> bool {
    piece.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
}

fn is_uuid(token: &str) -> bool {
    token.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && token.split('-').all(is_hex)
}

#[cfg(test)]
mod tests {
    use crate::platform::Markup;

    #[test]
    fn what_machines_call_things_is_told_from_what_persons_do() {
        for (text, id, want) in [
            (r#"<img class="wide wp-image-884213">"#, "wp-image-884213", true),
            (r"<p data-key='884213'>", "884213", true),
            (r#"<tg-emoji emoji-id="5368324170671202286">"#, "5368324170671202286", true),
            (r#"<!-- wp:media-text {"mediaId":884213} -->"#, "884213", true),
            (
                r#"<!-- wp:x {"clientId":"3f2a9c1d-77aa-4d1e-9a10-0123456789ab"} -->"#,
                "3f2a9c1d",
                true,
            ),
            (r#"[gallery ids="88421, 88422"]"#, "88422", true),
            (r#"<img alt="884213">"#, "884213", false),
            (r#"<img title="884213">"#, "884213", false),
            (r#"<img data-caption="884213">"#, "884213", false),
            (r#"<img data-mrn="884213">"#, "884213", false),
            (r#"<img data-patient-id="884213">"#, "884213", false),
            (r#"<patient id="884213">"#, "884213", false),
            (r#"[patient id="884213"]"#, "884213", false),
            (r#"<i class="mrn-884213">"#, "mrn-884213", false),
            (r#"<i class="castellano-884213">"#, "castellano-884213", false),
            (r#"<i id="900-12-3456">"#, "900-12-3456", false),
            (r#"<!-- wp:x {"patientId":884213} -->"#, "884213", false),
            (r#"<!-- wp:x {"value":"884213"} -->"#, "884213", false),
            (r#"<!-- wp:x {"phone":5550100} -->"#, "5550100", false),
        ] {
            let start = text.find(id).unwrap();
            let ids = Markup::Html.ids(text);
            let is_id = ids.iter().any(|span| span.start() <= start && start < span.end());
            assert_eq!(is_id, want, "{text}");
        }
    }
}
