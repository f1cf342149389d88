//! RFC 5424 around an event, and RFC 6587's octet count before it.

use crate::audit::entry::Entry;
use crate::audit::sinks::syslog::{SyslogFormat, SyslogSettings, cef, ocsf};

/// One message with its length before it.
pub(super) fn message(line: &[u8], settings: &SyslogSettings) -> Vec<u8> {
    // A line of another version than ours is sent as it stands.
    let entry: Entry = serde_json::from_slice(line).unwrap_or_default();
    let mut text = header(&entry, settings);
    match settings.format {
        _ if entry.event.is_empty() => text.push_str(std::str::from_utf8(line).unwrap_or_default()),
        SyslogFormat::Cef => text.push_str(&cef::event(&entry)),
        SyslogFormat::Ocsf => text.push_str(&ocsf::event(&entry).to_string()),
    }
    let mut framed = format!("{} ", text.len()).into_bytes();
    framed.extend_from_slice(text.as_bytes());
    framed
}

/// Everything up to the message: who, when, what, and the place in the chain.
fn header(entry: &Entry, settings: &SyslogSettings) -> String {
    let priority = u16::from(settings.facility.0) * 8 + u16::from(severity(entry));
    let mut text = format!(
        "<{priority}>1 {} {} postward {} {} [postward@{}",
        word(&entry.time, 40),
        word(&entry.node, 255),
        std::process::id(),
        word(&entry.event, 32),
        settings.enterprise
    );
    if entry.seq > 0 {
        parameter("seq", &entry.seq.to_string(), &mut text);
    }
    for (name, value) in [
        ("prev", &entry.prev),
        ("hash", &entry.hash),
        ("id", &entry.id),
        ("ref", &entry.reference),
        ("verdict", &entry.verdict),
    ] {
        if !value.is_empty() {
            parameter(name, value, &mut text);
        }
    }
    text.push_str("] ");
    text
}

/// RFC 5424's: 3 error, 4 warning, 5 notice, 6 informational.
fn severity(entry: &Entry) -> u8 {
    match (entry.event.as_str(), entry.verdict.as_str()) {
        ("lost" | "torn", _) => 3,
        (_, "block") => 4,
        (_, "redact") | ("reload" | "retired" | "continue", _) => 5,
        _ => 6,
    }
}

/// A word of the header: printable, without a space, never empty.
fn word(text: &str, most: usize) -> String {
    let word: String = text.chars().filter(char::is_ascii_graphic).take(most).collect();
    if word.is_empty() { "-".to_owned() } else { word }
}

/// A parameter of structured data, with what would end it escaped.
fn parameter(name: &str, value: &str, text: &mut String) {
    text.push(' ');
    text.push_str(name);
    text.push_str("=\"");
    for letter in value.chars() {
        if matches!(letter, '"' | '\\' | ']') {
            text.push('\\');
        }
        text.push(letter);
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::{message, parameter, word};
    use crate::audit::sinks::syslog::{SyslogFormat, SyslogSettings};

    #[test]
    fn what_would_end_a_parameter_is_escaped() {
        let mut text = String::new();
        parameter("node", r#"a"b\c]d=é"#, &mut text);
        assert_eq!(text, r#" node="a\"b\\c\]d=é""#);
        assert_eq!(
            (word("a b\nc", 9), word("", 9), word("abcd", 2)),
            ("abc".into(), "-".into(), "ab".into())
        );
    }

    #[test]
    fn a_message_is_as_long_as_it_says_and_begins_as_rfc_5424_does() {
        let line = br#"{"time":"2026-11-23T10:00:00.123Z","node":"edge-1","seq":7,"prev":"00","event":"decision","id":"E1","ref":"abcd2345","platform":"x","verdict":"block","hash":"ff"}"#;
        for format in [SyslogFormat::Cef, SyslogFormat::Ocsf] {
            let settings = SyslogSettings { format, ..SyslogSettings::of("siem", 6514) };
            let framed = String::from_utf8(message(line, &settings)).unwrap();
            let (length, text) = framed.split_once(' ').unwrap();
            assert_eq!(length.parse::<usize>().unwrap(), text.len());
            let pid = std::process::id();
            let want = format!(
                "<108>1 2026-11-23T10:00:00.123Z edge-1 postward {pid} decision [postward@32473 seq=\"7\" prev=\"00\" hash=\"ff\" id=\"E1\" ref=\"abcd2345\" verdict=\"block\"] "
            );
            assert!(text.starts_with(&want), "{text}");
        }
        let settings = SyslogSettings::of("siem", 6514);
        let other = String::from_utf8(message(b"{\"seq\":\"x\"}", &settings)).unwrap();
        assert!(other.ends_with("[postward@32473] {\"seq\":\"x\"}"), "{other}");
    }
}
