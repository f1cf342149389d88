//! What a sender is told of a message: taken and safe, to be sent again later, or not understood, and where not.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::roster::follow::Taken;
use crate::roster::hl7::message::{Fault, Message};

/// The longest field of the sender's that is repeated to them, in characters.
const LONGEST: usize = 250;

/// The acknowledgement of a message. It repeats of it what the sender tells messages apart by (names of systems, the
/// message's number, its version), and nothing of its content.
pub fn answer(message: &[u8], taken: Taken, now: Timestamp) -> Vec<u8> {
    let (head, is_utf8) = head(message);
    let Head { marks, from, to, event, number, mode, version } = head;
    let field = marks.chars().next().unwrap_or('|');
    let component = marks.chars().nth(1).unwrap_or('^');
    let time = now.to_zoned(TimeZone::UTC).strftime("%Y%m%d%H%M%S+0000");
    let (code, why) = match taken {
        Taken::Applied | Taken::Again => ("AA", String::new()),
        Taken::Unfit(fault) => (if is_rejected(fault) { "AR" } else { "AE" }, fault.to_string()),
        Taken::NotKept(why) => ("AE", why.to_owned()),
    };
    let kind = match event.as_str() {
        "" => "ACK".to_owned(),
        event => format!("ACK{component}{event}{component}ACK"),
    };
    let f = field;
    let mut text = format!(
        "MSH{marks}{f}{to}{f}{from}{f}{time}{f}{f}{kind}{f}PW{number}{f}{mode}{f}{version}\r"
    );
    let _ = write!(text, "MSA{f}{code}{f}{number}");
    if !why.is_empty() {
        let _ = write!(text, "{f}{why}\r");
        let (place, error) = match taken {
            Taken::Unfit(fault) => {
                let place = match fault.field {
                    0 => format!("{}{component}1", fault.segment),
                    number => format!("{}{component}1{component}{number}", fault.segment),
                };
                (place, error_code(fault))
            }
            _ => (String::new(), "207"),
        };
        let _ = write!(text, "ERR{f}{f}{place}{f}{error}{f}E{f}{f}{f}{f}{why}");
    }
    text.push('\r');
    if is_utf8 { text.into_bytes() } else { encoding_rs::WINDOWS_1252.encode(&text).0.into_owned() }
}

/// Whether a message of this kind will never be taken, however often it is sent.
const fn is_rejected(fault: Fault) -> bool {
    matches!(fault.segment.as_bytes(), b"MSH")
}

/// The error by table 0357.
const fn error_code(fault: Fault) -> &'static str {
    match (fault.segment.as_bytes(), fault.field) {
        (b"MSH", 9) => "200",
        (b"MSH", _) | (_, 0) => "100",
        _ => "101",
    }
}

/// What is repeated of a message's head.
struct Head {
    /// MSH-1 and MSH-2.
    marks: String,
    /// The sender's system and facility, parted by the mark of fields; and ours.
    from: String,
    to: String,
    event: String,
    number: String,
    mode: String,
    version: String,
}

fn head(message: &[u8]) -> (Head, bool) {
    let plain = Head {
        marks: "|^~\\&".to_owned(),
        from: "|".to_owned(),
        to: "POSTWARD|".to_owned(),
        event: String::new(),
        number: String::new(),
        mode: "P".to_owned(),
        version: "2.5".to_owned(),
    };
    // Also of a message that cannot be read, its number is told if it has one.
    let line = message.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let Ok(read) = Message::read(message).or_else(|_| Message::read(line)) else {
        return (plain, true);
    };
    let Some(msh) = read.first("MSH") else { return (plain, true) };
    let raw = |number: usize| -> String {
        msh.field(number).raw().chars().filter(|c| !c.is_control()).take(LONGEST).collect()
    };
    let field = read.field_mark();
    let or = |text: String, other: &str| if text.is_empty() { other.to_owned() } else { text };
    let event = msh.field(9).first(2);
    let is_code = event.len() == 3 && event.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let head = Head {
        marks: format!("{field}{}", raw(2)),
        from: format!("{}{field}{}", raw(3), raw(4)),
        to: format!("{}{field}{}", or(raw(5), "POSTWARD"), raw(6)),
        event: if is_code { event } else { String::new() },
        number: raw(10),
        mode: or(raw(11), "P"),
        version: or(raw(12), "2.5"),
    };
    (head, read.is_utf8())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::answer;
    use crate::roster::follow::Taken;
    use crate::roster::hl7::message::Fault;

    fn answered(message: &[u8], taken: Taken) -> String {
        let now = Timestamp::from_second(1_795_392_000).unwrap();
        String::from_utf8(answer(message, taken, now)).unwrap()
    }

    #[test]
    fn an_answer_names_the_message_and_says_where_it_is_wrong() {
        let message =
            b"MSH|^~\\&|ADT|H|PW|X|20261123||ADT^A01^ADT_A01|MSG-7|T|2.3\rPID|||7||Secret^Name";
        let fine = answered(message, Taken::Applied);
        assert!(fine.starts_with("MSH|^~\\&|PW|X|ADT|H|20261123"), "{fine}");
        assert!(fine.contains("||ACK^A01^ACK|PWMSG-7|T|2.3\rMSA|AA|MSG-7\r"), "{fine}");
        let fault = Fault { segment: "PID", field: 3, why: "there is no record number" };
        let unfit = answered(message, Taken::Unfit(fault));
        assert!(
            unfit.contains(
                "\rMSA|AE|MSG-7|PID-3: there is no record number\rERR||PID^1^3|101|E||||PID-3"
            ),
            "{unfit}"
        );
        let wrong =
            answered(message, Taken::Unfit(Fault { segment: "MSH", field: 9, why: "only ADT" }));
        assert!(wrong.contains("MSA|AR|MSG-7|MSH-9: only ADT\rERR||MSH^1^9|200|E"), "{wrong}");
        let later = answered(message, Taken::NotKept("the disk refused it"));
        assert!(later.contains("MSA|AE|MSG-7|the disk refused it\rERR|||207|E"), "{later}");
        for said in [fine, unfit, wrong, later] {
            assert!(!said.contains("Secret"));
        }
    }

    #[test]
    fn what_is_no_message_is_answered_all_the_same() {
        let fault = Fault { segment: "MSH", field: 0, why: "x" };
        for bytes in [&b""[..], b"hello", b"MSH", b"\xff\xfe\x00"] {
            let said = answered(bytes, Taken::Unfit(fault));
            assert!(
                said.starts_with("MSH|^~\\&|POSTWARD||||") && said.contains("\rMSA|AR||MSH: x\r"),
                "{said}"
            );
        }
        let other = answered(b"MSH$%@#!$A$B$$$20261123$$ADT%A08$9$P$2.5\nPID$", Taken::Again);
        assert!(
            other.starts_with("MSH$%@#!$POSTWARD$$A$B$") && other.contains("\rMSA$AA$9\r"),
            "{other}"
        );
    }
}
