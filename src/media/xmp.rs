//! XMP: the texts and the attributes of an XML packet.
//!
//! Read leniently, since nothing is decided by its grammar: every text between tags, and every value within one, under the
//! name of its element or attribute. What a packet hides in a comment or a CDATA section is text between tags, too.

use crate::media::words::Words;

/// Longer values of nothing but base64 are somebody's pixels, if they begin as pixels do.
const MOST_SOLID: usize = 4096;
/// How JPEG, PNG and `WebP` begin in base64: previews, maps of depth, and second pictures.
const PICTURES: &[&str] = &["/9j/", "iVBORw0KGgo", "UklGR"];

pub(super) fn words(bytes: &[u8], words: &mut Words) {
    let text = String::from_utf8(bytes.to_vec()).unwrap_or_else(|error| {
        // Of a packet in another encoding, or with a byte gone wrong: what is readable.
        let bytes = error.into_bytes();
        let is_wide = bytes.iter().take(64).filter(|byte| **byte == 0).count() > 8;
        if is_wide {
            crate::media::words::utf16(&bytes, bytes.first() == Some(&0))
        } else {
            crate::media::words::latin(&bytes)
        }
    });
    let mut rest = text.as_str();
    let mut name = "";
    // The text of an element may be broken by other tags; entities are undone where it ends.
    while let Some(open) = memchr::memchr(b'<', rest.as_bytes()) {
        let (before, tag) = rest.split_at_checked(open).unwrap_or((rest, ""));
        say(name, before, words);
        if let Some(section) = tag.strip_prefix("<![CDATA[") {
            let (inside, after) = section.split_once("]]>").unwrap_or((section, ""));
            words.text(Some(name), inside.to_owned());
            rest = after;
        } else if let Some(comment) = tag.strip_prefix("<!--") {
            let (inside, after) = comment.split_once("-->").unwrap_or((comment, ""));
            words.text(None, inside.to_owned());
            rest = after;
        } else {
            let tag = tag.strip_prefix('<').unwrap_or_default();
            let (inside, after) = cut_tag(tag);
            let element =
                inside.split([' ', '\t', '\n', '\r', '>', '/']).find(|part| !part.is_empty());
            // Lists stand between an element and its text.
            match local(element.unwrap_or_default()) {
                "li" | "Alt" | "Bag" | "Seq" | "Description" | "RDF" | "xmpmeta" => {}
                local => name = local,
            }
            attributes(inside, words);
            rest = after;
        }
    }
    say(name, rest, words);
}

/// The inside of a tag and what follows it; a value may hold the sign that ends it.
fn cut_tag(tag: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match quote {
            Some(open) if byte == open => quote = None,
            None if matches!(byte, b'"' | b'\'') => quote = Some(byte),
            None if byte == b'>' => {
                let (inside, after) = tag.split_at_checked(at).unwrap_or((tag, ""));
                return (inside, after.strip_prefix('>').unwrap_or(after));
            }
            Some(_) | None => {}
        }
    }
    (tag, "")
}

fn attributes(tag: &str, words: &mut Words) {
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once('=') {
        let name = before.rsplit([' ', '\t', '\n', '\r']).find(|part| !part.is_empty());
        let after = after.trim_start();
        let Some(quote) = after.chars().next().filter(|quote| matches!(quote, '"' | '\'')) else {
            rest = after;
            continue;
        };
        let inside = after.strip_prefix(quote).unwrap_or_default();
        let (value, left) = inside.split_once(quote).unwrap_or((inside, ""));
        let name = name.unwrap_or_default();
        let is_space = name == "xmlns" || name.starts_with("xmlns:");
        if !is_space {
            say(local(name), value, words);
        }
        rest = left;
    }
}

/// A name without its prefix.
fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn say(name: &str, raw: &str, words: &mut Words) {
    let raw = raw.trim();
    if raw.is_empty() {
        return;
    }
    if raw.len() > MOST_SOLID && is_base64(raw) {
        words.unread |= !PICTURES.iter().any(|start| raw.starts_with(start));
        return;
    }
    words.text(Some(name), undo_entities(raw));
}

/// Base64, whose lines may be broken, also by entities (`&#xA;`).
fn is_base64(raw: &str) -> bool {
    raw.bytes().all(|byte| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=' | b'&' | b'#' | b';' | b'\r' | b'\n')
    })
}

/// The five entities of XML, and numbered ones.
fn undo_entities(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        let (before, entity) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        // None is longer; to look further would be to look through the rest for every sign of one.
        let end = entity.bytes().take(12).position(|byte| byte == b';');
        let decoded = end.and_then(|end| entity.split_at_checked(end)).and_then(|(name, after)| {
            let after = after.strip_prefix(';')?;
            let name = name.strip_prefix('&')?;
            let character = match name {
                "amp" => Some('&'),
                "lt" => Some('<'),
                "gt" => Some('>'),
                "quot" => Some('"'),
                "apos" => Some('\''),
                _ => {
                    let digits = name.strip_prefix('#')?;
                    let code = match digits.strip_prefix(['x', 'X']) {
                        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                        None => digits.parse().ok()?,
                    };
                    char::from_u32(code)
                }
            };
            Some((character?, after))
        });
        let (character, after) =
            decoded.unwrap_or_else(|| ('&', entity.strip_prefix('&').unwrap_or_default()));
        out.push(character);
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::words;
    use crate::media::words::Words;

    #[test]
    fn texts_and_attributes_are_read() {
        let packet =
            br#"<?xpacket begin="" id="W5M0"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>
<rdf:Description dc:creator="Ann &quot;A&quot; Lee" xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Ward 4 &#x26; friends</rdf:li></rdf:Alt></dc:title>
<!-- MRN 00412345 --><dc:note><![CDATA[a < b]]></dc:note></rdf:Description></rdf:RDF></x:xmpmeta>"#;
        let mut found = Words::default();
        words(packet, &mut found);
        let texts: Vec<(Option<&str>, &str)> = found
            .captions
            .iter()
            .map(|caption| (caption.label.as_deref(), caption.text.expose()))
            .collect();
        for want in [
            (Some("creator"), "Ann \"A\" Lee"),
            (Some("title"), "Ward 4 & friends"),
            (None, "MRN 00412345"),
            (Some("note"), "a < b"),
        ] {
            assert!(texts.contains(&want), "{want:?} in {texts:?}");
        }
    }

    #[test]
    fn long_values_are_read_or_said_not_to_be() {
        let read = |value: &str| {
            let mut found = Words::default();
            words(format!("<x a=\"{value}\"/>").as_bytes(), &mut found);
            (found.captions.len(), found.unread)
        };
        // A caption in Japanese has no blanks, and entities may stand close or be none.
        assert_eq!(read(&"患者".repeat(2000)), (1, false));
        assert_eq!(read(&"JaneRoe,bed4.".repeat(500)), (1, false));
        assert_eq!(read(&"&".repeat(100_000)), (0, true));
        assert_eq!(read(&"JaneRoe".repeat(1000)), (0, true));
        assert_eq!(read(&format!("/9j/{}", "AbC&#xA;".repeat(1000))), (0, false));
        let mut found = Words::default();
        words("<a>&amp;&#x0041;&nosuchentity; &é;</a>".as_bytes(), &mut found);
        let text = found.captions.first().map(|caption| caption.text.expose());
        assert_eq!(text, Some("&A&nosuchentity; &é;"));
    }
}
