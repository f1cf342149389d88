//! Colours and wrapping for people. Colours reach terminals only: `anstream` takes them out of pipes and files, and
//! honours `NO_COLOR`.

use std::io::{self, Write};

use anstyle::{AnsiColor, Color, Style};

/// What went wrong, or was blocked.
pub(crate) const ERROR: Style = bold(AnsiColor::Red);
/// What was changed, or needs a look.
pub(crate) const WARNING: Style = bold(AnsiColor::Yellow);
/// What is fine.
pub(crate) const GOOD: Style = bold(AnsiColor::Green);
/// Remedies.
pub(crate) const HELP: Style = bold(AnsiColor::Cyan);
/// Headings.
pub(crate) const HEADING: Style = Style::new().bold();
/// What may be skipped.
pub(crate) const QUIET: Style = Style::new().dimmed();

const fn bold(color: AnsiColor) -> Style {
    Style::new().bold().fg_color(Some(Color::Ansi(color)))
}

/// A word in a colour.
pub(crate) fn paint(style: Style, word: &str) -> String {
    format!("{style}{word}{style:#}")
}

/// Writes lines to standard error. When even that is closed there is nobody left to tell.
pub(crate) fn to_stderr(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Writes lines to standard output.
pub(crate) fn to_stdout(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// A word as a shell reads it back.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Text of a file or a post as a terminal may see it: control characters, which could steer the terminal, and
/// characters that turn the writing direction are spelled out.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        let turns = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if letter.is_control() || turns {
            out.extend(letter.escape_default());
        } else {
            out.push(letter);
        }
    }
    out
}

/// Breaks a text at spaces so that no line is longer than `width` characters, unless one word is.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        let word_length = word.chars().count();
        if length > 0 && length + 1 + word_length > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += word_length;
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// `1 post`, `2 posts`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::{printable, wrap};

    #[test]
    fn a_shell_reads_a_word_back_whole() {
        for (word, want) in [
            ("/tmp/pw/config", "/tmp/pw/config"),
            ("/tmp/my pw", "'/tmp/my pw'"),
            ("it's $HOME", r"'it'\''s $HOME'"),
            ("~x", "'~x'"),
            ("", "''"),
        ] {
            assert_eq!(super::quoted(word), want);
        }
    }

    #[test]
    fn terminals_are_not_steered() {
        for (text, want) in [
            ("plain é 🏥", "plain é 🏥"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("tab\there", "tab\\there"),
            ("a\u{202e}b", "a\\u{202e}b"),
        ] {
            assert_eq!(printable(text), want);
        }
    }

    #[test]
    fn lines_break_at_spaces() {
        for (text, want) in [
            ("one two three", &["one two", "three"][..]),
            ("longerthanwidth a", &["longerthanwidth", "a"]),
            ("", &[]),
            ("é é é é é", &["é é é é", "é"]),
        ] {
            assert_eq!(wrap(text, 7), want, "{text}");
        }
    }
}
