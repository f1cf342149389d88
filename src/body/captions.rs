//! Captions of a video: `WebVTT` and SRT. The words of each cue are a text, its timing is none.
//!
//! Promise: every line is read, but for those that are nothing but a cue's times and settings; no edit makes a new cue.

use bytes::Bytes;

use crate::body::coding::Coding;
use crate::body::json::NONE;
use crate::body::reader::{Place, Reader};
use crate::body::slot::Slot;
use crate::body::within::{self, Reading};
use crate::body::{Role, Step, Unreadable};

/// Whether a text is one of captions.
pub(super) fn is_captions(text: &str) -> bool {
    is_webvtt(text) || is_srt(text)
}

fn is_webvtt(text: &str) -> bool {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let after = text.strip_prefix("WEBVTT");
    after.is_some_and(|after| after.is_empty() || after.starts_with([' ', '\t', '\n', '\r']))
}

/// A number, and times under it.
fn is_srt(text: &str) -> bool {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().map(str::trim).skip_while(|line| line.is_empty());
    lines.next().is_some_and(is_number) && lines.next().is_some_and(is_timing)
}

/// Reads captions as a new layer. `outer` is where they stand in another.
pub(super) fn read(
    reader: &mut Reader<'_>,
    source: &Bytes,
    outer: Option<Slot>,
    place: &Place,
) -> Result<(), Unreadable> {
    let text = std::str::from_utf8(source).map_err(|_| Unreadable::Charset)?;
    let layer = reader.open_layer(source, outer)?;
    let mut cues = Cues { reader, layer, text, place: place.clone(), n: 0 };
    cues.place.down(Step::Index(0));
    let mut block: Option<(usize, usize)> = None;
    let mut at = text.len() - text.strip_prefix('\u{feff}').unwrap_or(text).len();
    if text.get(at..).is_some_and(is_webvtt) {
        // The title of the file may stand behind its mark.
        at += "WEBVTT".len();
    }
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let line = rest.get(..length).unwrap_or_default();
        if line.trim().is_empty() || is_timing(line.trim()) {
            cues.push(block.take())?;
        } else if line.contains("-->") {
            // Times with words behind them: read, and left alone.
            cues.push(block.take())?;
            cues.push_line(at, at + length)?;
        } else {
            block = Some((block.map_or(at, |(start, _)| start), at + length));
        }
        let crlf = rest.get(length..).is_some_and(|end| end.starts_with("\r\n"));
        at += length + if crlf { 2 } else { 1 };
    }
    cues.push(block)
}

struct Cues<'a, 'l> {
    reader: &'a mut Reader<'l>,
    layer: u32,
    text: &'a str,
    place: Place,
    n: usize,
}

impl Cues<'_, '_> {
    /// Lists the lines of one cue, or of a note.
    fn push(&mut self, block: Option<(usize, usize)>) -> Result<(), Unreadable> {
        let Some((start, end)) = block else { return Ok(()) };
        let lines = self.text.get(start..end).unwrap_or_default();
        // A cue's number. Longer ones could be somebody's.
        if is_number(lines.trim()) && lines.trim().len() <= 4 {
            return Ok(());
        }
        let slot = Slot::new(self.layer, start, end, Coding::Cue);
        within::push(self.reader, &self.place, lines.to_owned(), slot, NONE, Reading::Lenient)?;
        self.next();
        Ok(())
    }

    fn push_line(&mut self, start: usize, end: usize) -> Result<(), Unreadable> {
        let line = self.text.get(start..end).unwrap_or_default().to_owned();
        let slot = Slot::new(self.layer, start, end, Coding::ReadOnly);
        self.reader.push(&self.place, Role::Value, line, slot, NONE)?;
        self.next();
        Ok(())
    }

    fn next(&mut self) {
        self.n += 1;
        self.place.next_child();
    }
}

fn is_number(line: &str) -> bool {
    !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit())
}

/// `00:01.000 --> 00:04.500`, with settings (`align:start line:0`, `X1:40`) behind it.
fn is_timing(line: &str) -> bool {
    let Some((start, rest)) = line.split_once("-->") else { return false };
    let mut words = rest.split_whitespace();
    let is_setting = |word: &str| {
        word.split_once(':').is_some_and(|(name, value)| {
            SETTINGS.contains(&name)
                && value.len() <= 24
                && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"%.,-".contains(&byte))
        })
    };
    is_time(start.trim()) && words.next().is_some_and(is_time) && words.all(is_setting)
}

const SETTINGS: &[&str] =
    &["vertical", "line", "position", "size", "align", "region", "X1", "X2", "Y1", "Y2"];

/// Hours need not be there; two digits each, and three after the point.
fn is_time(word: &str) -> bool {
    let Some((clock, thousandths)) = word.rsplit_once(['.', ',']) else { return false };
    let groups = clock.split(':');
    (2..=3).contains(&groups.clone().count())
        && thousandths.len() == 3
        && is_number(thousandths)
        && groups.clone().all(|group| group.len() == 2 && is_number(group))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{is_captions, is_timing};
    use crate::body::{Document, Edit, Kind, Limits};
    use crate::span::Span;

    const WEBVTT: &str = "WEBVTT Ward tour\r\n\r\nNOTE by J. Roe\r\n\r\nintro\r\n00:01.000 --> 00:04.000 align:start\r\n<v Jane Roe>Hello from\r\nthe ward\r\n\r\n00:05.000 --> 00:06.000\r\nJane &amp; John Roe\r\n";
    const SRT: &str = "1\n00:00:01,000 --> 00:00:04,000\nHello, Jane Roe\n\n2\n00:00:05,000 --> 00:00:06,000\nbye\n";

    fn parse(body: &str) -> Document {
        let body = Bytes::copy_from_slice(body.as_bytes());
        Document::parse(Some("text/vtt"), body, &Limits::default()).unwrap()
    }

    fn texts(document: &Document) -> Vec<&str> {
        let texts = document.texts().iter().enumerate();
        texts
            .filter(|(n, _)| document.holder(*n).is_none())
            .map(|(_, text)| text.text.expose())
            .collect()
    }

    #[test]
    fn words_are_read_and_timing_is_left_alone() {
        let document = parse(WEBVTT);
        assert_eq!(document.kind(), Kind::Captions);
        assert_eq!(
            texts(&document),
            [
                " Ward tour",
                "NOTE by J. Roe",
                "intro",
                "<v Jane Roe>Hello from\r\nthe ward",
                "Jane &amp; John Roe"
            ]
        );
        assert_eq!(texts(&parse(SRT)), ["Hello, Jane Roe", "bye"]);
        for captions in [WEBVTT, SRT] {
            let document = parse(captions);
            let edits: Vec<Edit> = document
                .texts()
                .iter()
                .enumerate()
                .filter(|(n, _)| document.holder(*n).is_none())
                .filter_map(|(text, held)| {
                    let start = held.text.expose().find("Jane")?;
                    let span = Span::new(start, start + 4);
                    Some(Edit::Splice { text, span, with: "[name]".into() })
                })
                .collect();
            assert!(!edits.is_empty());
            let written = document.write(&edits).unwrap();
            assert_eq!(written, captions.replace("Jane", "[name]"));
            let cue = Edit::Splice { text: 0, span: Span::new(0, 0), with: "\n\nx".into() };
            assert!(document.write(&[cue]).is_err());
        }
    }

    #[test]
    fn only_times_and_settings_are_timing() {
        for (line, timing) in [
            ("00:01.000 --> 00:04.000", true),
            ("01:00:01.000-->01:00:04.000", true),
            ("00:00:01,000 --> 00:00:04,000 X1:40 X2:600", true),
            ("00:01.000 --> 00:04.000 line:0 position:20%", true),
            ("00:01.000 --> 00:04.000 MRN:004411", false),
            ("00:01.000 --> 00:04.000 Jane Roe", false),
            ("615:55.0171 --> 00:04.000", false),
            ("615:55.171 --> 00:04.000", false),
            ("Jane --> Roe", false),
        ] {
            assert_eq!(is_timing(line), timing, "{line}");
        }
        for (text, captions) in [
            ("WEBVTT", true),
            ("\u{feff}WEBVTT\n", true),
            ("WEBVTTX", false),
            ("WEBVTT-test", false),
            ("\n1\n00:00:01,000 --> 00:00:04,000\nx", true),
            ("1\nx", false),
            ("", false),
        ] {
            assert_eq!(is_captions(text), captions, "{text}");
        }
        let odd = parse("WEBVTT\n\n00:01.000 --> 00:04.000 MRN 00441187\nhello\n");
        assert_eq!(texts(&odd), ["00:01.000 --> 00:04.000 MRN 00441187", "hello"]);
    }
}
