//! How the demo looks: 80 columns, one block a post, what each side saw under the other.

use std::fmt::Write as _;
use std::net::SocketAddr;

use bytes::Bytes;

use crate::audit::ChainReport;
use crate::cli::demo::Event;
use crate::cli::demo::client::Reply;
use crate::cli::demo::posts::Draft;
use crate::cli::style::{self, paint};

/// Columns of the whole, and of the labels.
const WIDTH: usize = 78;
const LABEL: usize = 23;

/// One post, played.
pub(super) struct Shown<'a> {
    pub(super) number: usize,
    pub(super) draft: &'a Draft,
    pub(super) reply: &'a Reply,
    pub(super) received: &'a [Bytes],
    pub(super) event: &'a Event,
}

pub(super) fn opening(platforms: SocketAddr, proxy: SocketAddr) -> String {
    format!(
        "{}\n\n{}\n\n  clients  ->  Postward on {proxy}  ->  stand-ins on {platforms}\n",
        paint(style::HEADING, "Postward demo"),
        style::wrap(
            "Six posts on their way from a clinic to three platforms. Everything runs on this machine, over TLS, \
             with the rules and the policy that ship inside this program. Everyone in the posts is made up.",
            WIDTH
        )
        .join("\n"),
    )
}

impl Shown<'_> {
    pub(super) fn draw(&self) -> String {
        // What happened, not what should have.
        let (word, color) = match self.event.verdict.as_str() {
            "forward" => ("forwarded", style::GOOD),
            "redact" => ("redacted", style::WARNING),
            _ => ("blocked", style::ERROR),
        };
        let title = format!("{}  {}: {}", self.number, self.draft.site.name(), self.draft.about);
        let dots = ".".repeat(WIDTH.saturating_sub(title.chars().count() + word.len() + 2));
        let mut text = format!(
            "{} {} {}\n",
            paint(style::HEADING, &title),
            paint(style::QUIET, &dots),
            paint(color, word)
        );
        row(
            &mut text,
            "the clinician writes",
            &style::wrap(&style::printable(self.draft.text), WIDTH - LABEL),
        );
        row(&mut text, "the platform receives", &self.platform_receives());
        row(&mut text, "the client shows", &self.client_shows());
        row(&mut text, "the audit says", &wrapped_json(&self.event.line));
        text
    }

    fn platform_receives(&self) -> Vec<String> {
        let Some(body) = self.received.first() else { return vec![paint(style::ERROR, "nothing")] };
        if *body == self.draft.wire().body {
            return vec![paint(style::GOOD, "the same, byte for byte")];
        }
        let Some((words, links)) = self.draft.site.read(body) else {
            return vec![format!("{} bytes that are no post", body.len())];
        };
        let mut shown: Vec<String> = style::wrap(&style::printable(&words), WIDTH - LABEL)
            .iter()
            .map(|line| paint_markers(line))
            .collect();
        for link in links {
            shown.push(format!(
                "{} {}",
                paint(style::QUIET, "its link covers"),
                style::printable(&link)
            ));
        }
        shown
    }

    fn client_shows(&self) -> Vec<String> {
        let status = self.reply.status.to_string();
        match self.draft.site.shown(&self.reply.body) {
            Some(sentence) if !self.reply.status.is_success() => {
                let mut lines = vec![status];
                lines.extend(style::wrap(&style::printable(&sentence), WIDTH - LABEL));
                lines
            }
            _ => vec![status],
        }
    }
}

/// What stands for an identifier stands out.
fn paint_markers(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, from)) = rest.split_once('[') {
        let Some((marker, after)) = from.split_once(']') else { break };
        out.push_str(before);
        out.push_str(&paint(style::WARNING, &format!("[{marker}]")));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn row(text: &mut String, label: &str, lines: &[String]) {
    for (at, line) in lines.iter().enumerate() {
        let label = if at == 0 { label } else { "" };
        let padded = format!("{label:<LABEL$}");
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}{line}", paint(style::QUIET, &padded));
    }
}

/// JSON over as many lines as it needs, broken between members; hashes are cut short.
fn wrapped_json(json: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces(json) {
        let piece = without_long_hash(&piece);
        if !line.is_empty() && line.chars().count() + piece.chars().count() > WIDTH - LABEL {
            lines.push(std::mem::take(&mut line));
        }
        line.push_str(&piece);
    }
    lines.push(line);
    lines
}

/// `"prev":"5f1c0a9e77d2..."`: nobody compares 64 digits by eye, and the chain is checked at the end.
fn without_long_hash(piece: &str) -> String {
    const KEPT: usize = 12;
    let is_hash =
        |part: &str| part.len() == 64 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    match piece.split('"').find(|part| is_hash(part)) {
        Some(hash) => piece.replace(hash, &format!("{}...", hash.get(..KEPT).unwrap_or_default())),
        None => piece.to_owned(),
    }
}

/// JSON cut after the commas between members.
fn pieces(json: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let (mut in_string, mut escaped) = (false, false);
    for letter in json.chars() {
        piece.push(letter);
        match letter {
            '"' if !escaped => in_string = !in_string,
            ',' if !in_string => pieces.push(std::mem::take(&mut piece)),
            _ => {}
        }
        escaped = in_string && letter == '\\' && !escaped;
    }
    pieces.push(piece);
    pieces
}

pub(super) fn chain(report: &ChainReport) -> String {
    let lines = style::count(report.n_lines, "line");
    let words = if report.broken.is_some() {
        format!("The audit's {lines} do not form a chain.")
    } else {
        format!(
            "The audit holds {lines}, each tied to the one before by its hash, and no word of any post. \
             Every link holds."
        )
    };
    style::wrap(&words, WIDTH).join("\n")
}

/// What went otherwise than it should, or where to go from here.
pub(super) fn ending(faults: &[String]) -> String {
    if faults.is_empty() {
        return format!(
            "\n{} Two posts forwarded, two redacted, two blocked.\n\n\
             Next:\n  \
               postward init ./postward          write a configuration to start from\n  \
               postward scan                     try posts of your own, one a line\n  \
               postward --help                   everything else",
            paint(style::GOOD, "All as it should be.")
        );
    }
    let mut text = format!("\n{}", paint(style::ERROR, "Not as it should be:"));
    for fault in faults {
        let _ = write!(text, "\n  {fault}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{pieces, wrapped_json};

    #[test]
    fn json_is_cut_between_members_only() {
        assert_eq!(
            pieces(r#"{"a":"x, \", y","b":[1,2]}"#),
            [r#"{"a":"x, \", y","#, r#""b":[1,"#, "2]}"]
        );
    }

    #[test]
    fn a_wrapped_event_is_still_the_event() {
        let hash = "5f".repeat(32);
        let event = format!(
            r#"{{"prev":"{hash}","time":"2026-11-22T09:30:00.000Z","findings":[{{"rule":"name","length":7}}]}}"#
        );
        let lines = wrapped_json(&event);
        assert!(
            lines.len() > 1 && lines.iter().all(|line| line.chars().count() <= 55),
            "{lines:?}"
        );
        assert_eq!(lines.concat(), event.replace(&hash, "5f5f5f5f5f5f..."));
    }
}
