//! What a `Content-Type` claims. Content types lie, so this only says where to start reading.

use crate::body::params::{self, Param};

/// What a content type claims a body (or a part) to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Claim {
    Json,
    /// One JSON text a line.
    JsonLines,
    Form,
    Multipart,
    Xml,
    Text,
    /// Media, unknown, or nothing at all.
    Other,
}

/// A content type, read.
pub(super) struct ContentType<'a> {
    pub(super) claim: Claim,
    essence: &'a str,
    params: Vec<Param<'a>>,
}

impl<'a> ContentType<'a> {
    /// Reads a header value; one that is none claims nothing.
    pub(super) fn parse(header: Option<&'a str>) -> Self {
        let header = header.unwrap_or_default();
        let (essence, params, sound) = match params::parse(header) {
            Some((essence, params)) => (essence, params, true),
            None => (header.split(';').next().unwrap_or_default().trim(), Vec::new(), false),
        };
        let claim = match claim_of(essence) {
            // Without its parameters a claim still says what to be strict about; multipart then lacks its boundary.
            claim @ (Claim::Json | Claim::Multipart | Claim::Form) => claim,
            claim if sound => claim,
            _ => Claim::Other,
        };
        Self { claim, essence, params }
    }

    /// Whether it is `multipart/form-data`.
    pub(super) fn is_form_data(&self) -> bool {
        self.essence.eq_ignore_ascii_case("multipart/form-data")
    }

    /// The boundary of a multipart body.
    pub(super) fn boundary(&self) -> Option<&'a str> {
        // RFC 2231: readers that know of it take these for the boundary, or join them to it.
        let is_other = |param: &Param<'_>| {
            param.name.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("boundary*"))
        };
        if self.params.iter().any(is_other) {
            return None;
        }
        let boundary = params::find(&self.params, "boundary")?.value;
        let sound = (1..=256).contains(&boundary.len())
            && !boundary.ends_with(' ')
            && boundary.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'\\');
        sound.then_some(boundary)
    }

    /// The charset it claims.
    pub(super) fn charset(&self) -> Option<&'a str> {
        params::find(&self.params, "charset").map(|charset| charset.value)
    }
}

/// How types of JSON, one text a line, end.
const LINES: &[&str] =
    &["ndjson", "/jsonl", "/x-jsonl", "jsonlines", "json-lines", "json-seq", "/json-stream"];

/// PHP takes what stands before the first comma or blank for the type.
fn is_form(essence: &str) -> bool {
    let first = essence.split([',', ' ', '\t']).next().unwrap_or_default();
    first.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn claim_of(essence: &str) -> Claim {
    let starts = |prefix: &str| {
        essence.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let ends = |suffix: &str| {
        let at = essence.len().checked_sub(suffix.len());
        at.and_then(|at| essence.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
    };
    if ends("/json") || ends("+json") {
        Claim::Json
    } else if LINES.iter().any(|ending| ends(ending)) {
        Claim::JsonLines
    } else if ends("/xml") || ends("+xml") {
        Claim::Xml
    } else if is_form(essence) {
        Claim::Form
    } else if starts("multipart/") {
        Claim::Multipart
    } else if starts("text/") {
        Claim::Text
    } else {
        Claim::Other
    }
}

#[cfg(test)]
mod tests {
    use super::{Claim, ContentType};

    #[test]
    fn claims() {
        let cases = [
            (None, Claim::Other),
            (Some(""), Claim::Other),
            (Some("application/json"), Claim::Json),
            (Some("Application/JSON ; charset=UTF-8"), Claim::Json),
            (Some("application/json; charset=utf-8; charset=x"), Claim::Json),
            (Some("application/activity+json"), Claim::Json),
            (Some("text/json"), Claim::Json),
            (Some("application/x-ndjson"), Claim::JsonLines),
            (Some("application/jsonl"), Claim::JsonLines),
            (Some("application/json-seq"), Claim::JsonLines),
            (Some("text/xml; charset=utf-8"), Claim::Xml),
            (Some("application/atom+xml"), Claim::Xml),
            (Some("text/vtt"), Claim::Text),
            (Some("application/x-www-form-urlencoded;charset=UTF-8"), Claim::Form),
            (Some("multipart/form-data"), Claim::Multipart),
            (Some("text/plain"), Claim::Text),
            (Some("image/png"), Claim::Other),
            (Some("*/*"), Claim::Other),
            (Some("nonsense"), Claim::Other),
            (Some("é"), Claim::Other),
        ];
        for (header, want) in cases {
            assert_eq!(ContentType::parse(header).claim, want, "{header:?}");
        }
    }

    #[test]
    fn boundaries() {
        let boundary = |header| ContentType::parse(Some(header)).boundary().map(str::to_owned);
        assert_eq!(boundary("multipart/form-data; boundary=abc").as_deref(), Some("abc"));
        assert_eq!(boundary("multipart/form-data; boundary=\"a b:c\"").as_deref(), Some("a b:c"));
        for bad in [
            "multipart/form-data",
            "multipart/form-data; boundary=\"\"",
            "multipart/form-data; boundary=\"a \"",
            "multipart/x; boundary=a; boundary=b",
        ] {
            assert_eq!(boundary(bad), None, "{bad}");
        }
    }
}
