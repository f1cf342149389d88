//! The answer a client gets instead of the platform's own.

use bytes::Bytes;

use crate::body::{Document, Limits};
use crate::platform::template::Fault;

/// Why a client is refused, for programs that read a code and no sentence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// Something was found that may not be sent.
    Findings,
    /// The post could not be read, or not be checked.
    Unreadable,
    /// The policy lets no media pass.
    Media,
    /// The audit cannot be written.
    Unaudited,
    /// There was no memory to read it at the moment.
    Busy,
    /// No block: the platform did not answer.
    Unanswered,
}

impl Reason {
    /// The code. Slack's Node library shows its users this and nothing else, so it says the whole.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Findings => "blocked_by_hospital_policy_phi",
            Self::Unreadable => "blocked_by_hospital_policy_unreadable",
            Self::Media => "blocked_by_hospital_policy_media",
            Self::Unaudited => "blocked_by_hospital_policy_not_recorded",
            Self::Busy => "blocked_by_hospital_policy_busy",
            Self::Unanswered => "platform_did_not_answer",
        }
    }
}

/// What we answer in a platform's own shape, so that a stock client shows the sentence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: http::StatusCode,
    /// `Content-Type`, to the letter (some clients compare it).
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
    /// Words for the status line of HTTP/1, for clients that show it and no body.
    pub status_line: Option<String>,
}

/// The shape of a body, as a platform's file writes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct AnswerTemplate {
    pub(super) status: http::StatusCode,
    pub(super) content_type: String,
    body: String,
    escaping: Escaping,
    in_status_line: bool,
}

/// How a sentence is written into a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Escaping {
    Json,
    Xml,
    Plain,
}

const SENTENCE: &str = "{sentence}";
const REFERENCE: &str = "{ref}";
const CODE: &str = "{code}";
const ID: &str = "{id}";

impl AnswerTemplate {
    /// Checks that the answer can be what it says: a body of its own type with the sentence in it, for any sentence.
    pub(super) fn new(
        status: http::StatusCode,
        content_type: &str,
        body: &str,
    ) -> Result<Self, Fault> {
        let media_type =
            content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let escaping = match media_type.as_str() {
            "text/plain" => Some(Escaping::Plain),
            "text/xml" | "application/xml" => Some(Escaping::Xml),
            "application/json" => Some(Escaping::Json),
            other => other.ends_with("+json").then_some(Escaping::Json),
        };
        if !body.contains(SENTENCE) {
            return Err((
                "the answer does not hold {sentence}".into(),
                "put {sentence} where the platform's own error text stands, so that the client shows it",
            ));
        }
        let Some(escaping) = escaping else {
            return Err((
                format!("an answer cannot be of type `{media_type}`"),
                "use \"application/json\", \"text/xml\" or \"text/plain\": what clients show as an error, and what can be escaped",
            ));
        };
        let template = Self {
            status,
            content_type: content_type.into(),
            body: body.into(),
            escaping,
            in_status_line: false,
        };
        if !template.is_sound() {
            return Err(match escaping {
                Escaping::Xml => (
                    "the answer is not valid XML".into(),
                    "write {sentence} between an element's tags: <string>{sentence}</string>",
                ),
                Escaping::Json | Escaping::Plain => (
                    "the answer is not valid JSON".into(),
                    "write {sentence} and {ref} inside quotes: {\"error\":\"{sentence}\"}",
                ),
            });
        }
        Ok(template)
    }

    /// The same answer, with the sentence in the status line as well if `wanted`.
    pub(super) fn in_status_line(self, wanted: bool) -> Self {
        Self { in_status_line: wanted, ..self }
    }

    /// Whether a sentence with all that JSON or XML escapes comes out as it went in.
    fn is_sound(&self) -> bool {
        const HARD: &str = "a \"b\" \\c <d> & {ref}";
        let filled = self.fill(Reason::Findings, HARD, "ABCD2345");
        match self.escaping {
            Escaping::Plain => true,
            Escaping::Json => serde_json::from_slice::<serde_json::Value>(&filled.body)
                .is_ok_and(|value| holds_string(&value, HARD)),
            Escaping::Xml => {
                let body = Bytes::from(filled.body);
                Document::parse(Some("text/xml"), body, &Limits::default()).is_ok_and(|document| {
                    document.texts().iter().any(|text| text.text.expose().contains(HARD))
                })
            }
        }
    }

    /// The answer with this sentence. Control characters become spaces: clients show one line.
    pub(super) fn fill(&self, reason: Reason, sentence: &str, reference: &str) -> Answer {
        self.fill_for(reason, sentence, reference, None)
    }

    /// The same, for a message that may have an id, which the answer repeats.
    pub(super) fn fill_for(
        &self,
        reason: Reason,
        sentence: &str,
        reference: &str,
        id: Option<&str>,
    ) -> Answer {
        let one_line = |text: &str| -> String {
            text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
        };
        let put = |text: &str| -> String {
            let line = one_line(text);
            match self.escaping {
                Escaping::Plain => line,
                Escaping::Xml => {
                    line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
                }
                Escaping::Json => {
                    let quoted = serde_json::Value::String(line).to_string();
                    quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
                }
            }
        };
        // The reference is put in first and piece by piece, so that a sentence holding `{ref}` is left as it is.
        let body: Vec<String> = self
            .body
            .split(SENTENCE)
            .map(|piece| piece.replace(CODE, reason.as_str()).replace(REFERENCE, &put(reference)))
            .map(|piece| id.map_or(piece.clone(), |id| piece.replace(ID, &put(id))))
            .collect();
        Answer {
            status: self.status,
            content_type: self.content_type.clone(),
            body: body.join(&put(sentence)).into_bytes(),
            // What is not ASCII would be read as Latin 1.
            status_line: (self.in_status_line && sentence.is_ascii()).then(|| one_line(sentence)),
        }
    }
}

/// A status that stock clients show and do not answer by trying again or signing out.
pub(super) fn status(number: usize) -> Result<http::StatusCode, Fault> {
    let refuse = |why: &str| {
        Err((
            format!("status {number} would not show the sentence: {why}"),
            "use 400, 403 or 422, or 200 where the platform reports its errors so",
        ))
    };
    match number {
        200 | 400 | 402 | 403 | 405 | 406 | 409 | 411..=418 | 422..=424 | 426 | 428 | 431 | 451 => {
        }
        401 => return refuse("clients sign in again"),
        404 | 410 => {
            return refuse("clients say in words of their own that there is no such thing");
        }
        408 | 425 | 429 => return refuse("clients wait and try again"),
        500..=599 => return refuse("clients try again, or show words of their own"),
        _ => return refuse("it is no refusal"),
    }
    u16::try_from(number)
        .ok()
        .and_then(|number| http::StatusCode::from_u16(number).ok())
        .map_or_else(|| refuse("there is no such status"), Ok)
}

fn holds_string(value: &serde_json::Value, wanted: &str) -> bool {
    match value {
        serde_json::Value::String(string) => string.contains(wanted),
        serde_json::Value::Array(list) => list.iter().any(|value| holds_string(value, wanted)),
        serde_json::Value::Object(object) => {
            object.values().any(|value| holds_string(value, wanted))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{AnswerTemplate, Reason, status};

    fn template(content_type: &str, body: &str) -> Result<AnswerTemplate, super::Fault> {
        AnswerTemplate::new(http::StatusCode::FORBIDDEN, content_type, body)
    }

    #[test]
    fn sentences_are_escaped() {
        let json = template("application/json", r#"{"error":"{sentence}","id":"{ref}"}"#).unwrap();
        for (sentence, want) in [
            ("blocked", r#"{"error":"blocked","id":"AB"}"#),
            ("a \"b\" \\", r#"{"error":"a \"b\" \\","id":"AB"}"#),
            ("one\ntwo", r#"{"error":"one two","id":"AB"}"#),
            ("{ref}", r#"{"error":"{ref}","id":"AB"}"#),
        ] {
            assert_eq!(
                String::from_utf8(json.fill(Reason::Findings, sentence, "AB").body).unwrap(),
                want
            );
        }
        let xml = template("text/xml", "<string>{sentence} ({ref})</string>").unwrap();
        assert_eq!(
            xml.fill(Reason::Findings, "a < b & c", "AB").body,
            b"<string>a &lt; b &amp; c (AB)</string>"
        );
        let plain = template("text/plain; charset=utf-8", "{sentence} ({ref})").unwrap();
        assert_eq!(plain.fill(Reason::Findings, "a \"b\"", "AB").body, b"a \"b\" (AB)");
        let coded =
            template("application/json", r#"{"error":"{code}","text":"{sentence}"}"#).unwrap();
        assert_eq!(
            coded.fill(Reason::Unanswered, "{code} is {ref}", "AB").body,
            br#"{"error":"platform_did_not_answer","text":"{code} is {ref}"}"#
        );
    }

    #[test]
    fn a_status_line_is_one_line_of_ascii_or_the_usual_one() {
        let plain = template("text/plain", "{sentence}").unwrap();
        assert_eq!(plain.fill(Reason::Findings, "blocked", "AB").status_line, None);
        let told = plain.in_status_line(true);
        for (sentence, want) in [("one\r\ntwo", Some("one  two")), ("bloqué", None)] {
            let filled = told.fill(Reason::Findings, sentence, "AB");
            assert_eq!(filled.status_line.as_deref(), want);
        }
    }

    #[test]
    fn answers_that_cannot_work_are_refused() {
        for (content_type, body) in [
            ("application/json", r#"{"error":{sentence}}"#),
            ("application/json", r#"{"error":"{sentence}""#),
            ("application/json", r#"{"error":"no"}"#),
            ("text/html", "<p>{sentence}</p>"),
            ("text/xml", "<a>{sentence}"),
            ("text/xml", "<a><b>{sentence}</a></b>"),
            ("text/xml", "{sentence}"),
        ] {
            assert!(template(content_type, body).is_err(), "{body}");
        }
    }

    #[test]
    fn statuses_that_clients_hide_are_refused() {
        for (number, allowed) in [
            (200, true),
            (400, true),
            (403, true),
            (422, true),
            (401, false),
            (404, false),
            (410, false),
            (429, false),
            (503, false),
            (302, false),
            (99, false),
        ] {
            assert_eq!(status(number).is_ok(), allowed, "{number}");
        }
    }
}
