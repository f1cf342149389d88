//! The posts of the demo, as the platforms' own client programs put them on the wire. Everyone and everything in them is
//! made up.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// A platform of the demo.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Site {
    X,
    Mastodon,
    Bluesky,
}

/// What should become of a post.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Expected {
    /// It reaches the platform as it was written, byte for byte.
    Forwarded,
    /// It reaches the platform without these words.
    Redacted(&'static [&'static str]),
    /// It does not reach the platform.
    Blocked,
}

/// One post of the demo.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draft {
    pub(super) site: Site,
    pub(super) text: &'static str,
    /// A stretch of the text that is a link: Bluesky counts its place in bytes.
    pub(super) link: Option<&'static str>,
    pub(super) expected: Expected,
    /// Why it is here.
    pub(super) about: &'static str,
}

pub(super) const DRAFTS: [Draft; 6] = [
    Draft {
        site: Site::X,
        text: "So proud of the night team on 4 West: a whole quarter without a single fall. Flu shots \
               for staff start Monday, no appointment needed!",
        link: None,
        expected: Expected::Forwarded,
        about: "an ordinary post passes untouched",
    },
    Draft {
        site: Site::Bluesky,
        text: "Reading up on Parkinson's disease before Dr. Okafor's grand rounds on May 4. Any good \
               reviews?",
        link: None,
        expected: Expected::Forwarded,
        about: "a disease, a colleague and a date disclose no patient",
    },
    Draft {
        site: Site::Mastodon,
        text: "Our patient Dorothy Kowalski finally went home after her stroke. She had been with us \
               since March 3, 2026 and walked out by herself. Best day of the year.",
        link: None,
        expected: Expected::Redacted(&["Dorothy", "Kowalski", "March 3"]),
        about: "a patient's name goes, a date keeps its year",
    },
    Draft {
        site: Site::Bluesky,
        text: "Mr. Castellano was discharged today, three weeks after his bypass 💙 Know the signs: \
               https://www.cdc.gov/heart",
        link: Some("https://www.cdc.gov/heart"),
        expected: Expected::Redacted(&["Castellano"]),
        about: "the link still points to the right bytes",
    },
    Draft {
        site: Site::X,
        text: "Anyone seen this before? Pt admitted overnight, MRN 00412345, potassium 7.1 and not a \
               single ECG change.",
        link: None,
        expected: Expected::Blocked,
        about: "a record number never leaves",
    },
    Draft {
        site: Site::Mastodon,
        text: "who else just got handed a sticky note saying ｓｓｎ ０７８-０５-１１２０ by registration. stop.",
        link: None,
        expected: Expected::Blocked,
        about: "nor does a number in disguise",
    },
];

/// A request as a client sends it.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) path: &'static str,
    pub(super) headers: &'static [(&'static str, &'static str)],
    pub(super) body: String,
}

impl Site {
    pub(super) const ALL: [Self; 3] = [Self::X, Self::Mastodon, Self::Bluesky];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::X => "X",
            Self::Mastodon => "Mastodon",
            Self::Bluesky => "Bluesky",
        }
    }

    /// The platform's name in routes and policies.
    pub(super) const fn platform(self) -> &'static str {
        match self {
            Self::X => "x",
            Self::Mastodon => "mastodon",
            Self::Bluesky => "bluesky",
        }
    }

    pub(super) const fn host(self) -> &'static str {
        match self {
            Self::X => "api.x.com",
            Self::Mastodon => "mastodon.example",
            Self::Bluesky => "bsky.social",
        }
    }

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::X => "/2/tweets",
            Self::Mastodon => "/api/v1/statuses",
            Self::Bluesky => "/xrpc/com.atproto.repo.createRecord",
        }
    }

    pub(super) fn of_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|site| site.path() == path)
    }

    /// The text and the links of a post as the platform reads them.
    pub(super) fn read(self, body: &[u8]) -> Option<(String, Vec<String>)> {
        if self == Self::Mastodon {
            let form = std::str::from_utf8(body).ok()?;
            let status =
                form.split('&').find_map(|pair| pair.strip_prefix("status="))?.replace('+', " ");
            let text =
                percent_encoding::percent_decode_str(&status).decode_utf8().ok()?.into_owned();
            return Some((text, Vec::new()));
        }
        let body: Value = serde_json::from_slice(body).ok()?;
        if self == Self::X {
            return Some((body.get("text")?.as_str()?.to_owned(), Vec::new()));
        }
        let record = body.get("record")?;
        let text = record.get("text")?.as_str()?;
        let facets = record.get("facets").and_then(Value::as_array);
        let links = facets.into_iter().flatten().filter_map(|facet| linked(text, facet)).collect();
        Some((text.to_owned(), links))
    }

    /// What the client program shows of a refusal.
    pub(super) fn shown(self, answer: &[u8]) -> Option<String> {
        let answer: Value = serde_json::from_slice(answer).ok()?;
        let key = match self {
            Self::X => "detail",
            Self::Mastodon => "error",
            Self::Bluesky => "message",
        };
        Some(answer.get(key)?.as_str()?.to_owned())
    }
}

/// The words under a facet.
fn linked(text: &str, facet: &Value) -> Option<String> {
    let offset = |key: &str| usize::try_from(facet.get("index")?.get(key)?.as_u64()?).ok();
    Some(text.get(offset("byteStart")?..offset("byteEnd")?)?.to_owned())
}

impl Draft {
    /// The request as tweepy, Mastodon.py or atproto sends it.
    pub(super) fn wire(&self) -> Wire {
        let path = self.site.path();
        match self.site {
            Site::X => Wire {
                path,
                headers: &[
                    ("content-type", "application/json"),
                    ("user-agent", "Python/3.11 Requests/2.32 Tweepy/4.17"),
                ],
                body: format!("{{\"text\": {}}}", python_string(self.text)),
            },
            Site::Mastodon => Wire {
                path,
                headers: &[
                    ("content-type", "application/x-www-form-urlencoded"),
                    ("user-agent", "mastodonpy"),
                    ("idempotency-key", "demo"),
                ],
                body: format!("status={}&sensitive=0&language=en", form_string(self.text)),
            },
            Site::Bluesky => Wire {
                path,
                headers: &[("content-type", "application/json"), ("user-agent", "atproto/0.0.73")],
                body: self.bluesky_body(),
            },
        }
    }

    fn bluesky_body(&self) -> String {
        let mut record = json!({
            "$type": "app.bsky.feed.post",
            "createdAt": "2026-11-22T09:30:00.000000+00:00",
            "langs": ["en"],
            "text": self.text,
        });
        let place = self.link.and_then(|link| Some((link, self.text.find(link)?)));
        if let (Some((link, start)), Some(record)) = (place, record.as_object_mut()) {
            let facet = json!({
                "index": { "byteStart": start, "byteEnd": start + link.len() },
                "features": [{ "$type": "app.bsky.richtext.facet#link", "uri": link }],
            });
            record.insert("facets".to_owned(), json!([facet]));
        }
        json!({ "repo": "did:plc:demodemodemodemodemodemo", "collection": "app.bsky.feed.post", "record": record })
            .to_string()
    }
}

/// A JSON string as Python writes it: everything beyond ASCII as `\u` escapes.
fn python_string(text: &str) -> String {
    let mut out = String::new();
    for letter in Value::from(text).to_string().chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

/// A form value as Python writes it.
fn form_string(text: &str) -> String {
    const KEPT: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b' ');
    utf8_percent_encode(text, KEPT).to_string().replace(' ', "+")
}

#[cfg(test)]
mod tests {
    use super::{DRAFTS, Site, python_string};

    #[test]
    fn a_platform_reads_what_a_client_wrote() {
        for draft in DRAFTS {
            let wire = draft.wire();
            let links: Vec<String> = draft.link.into_iter().map(str::to_owned).collect();
            assert_eq!(draft.site.read(wire.body.as_bytes()), Some((draft.text.to_owned(), links)));
            assert_eq!(Site::of_path(wire.path), Some(draft.site));
        }
    }

    #[test]
    fn strings_are_escaped_as_python_escapes_them() {
        assert_eq!(python_string("a \"é\" 🏥"), r#""a \"\u00e9\" \ud83c\udfe5""#);
    }
}
