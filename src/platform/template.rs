//! Path templates of endpoints, such as `/api/v1/statuses/{id}`.
//!
//! A path is compared segment by segment after percent-decoding. A path that servers could read in two ways (a decoded
//! slash, `.` or `..`) matches nothing, so that its request is read as unknown instead of being taken for a harmless one.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// One segment of a template.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Segment {
    /// This very word.
    Literal(Box<str>),
    /// `{id}`: any one segment.
    Any,
    /// `{token}`: any one segment, which is a credential.
    Credential,
}

/// A compiled template.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct PathTemplate {
    segments: Vec<Segment>,
    /// Ends in `/**`: whatever follows.
    open: bool,
}

/// What is wrong with a template: message and remedy.
pub(super) type Fault = (String, &'static str);

impl PathTemplate {
    pub(super) fn parse(template: &str) -> Result<Self, Fault> {
        let Some(rest) = template.strip_prefix('/') else {
            return Err((
                "a path begins with a slash".into(),
                "write it as it stands in the URL, without host and query: \"/api/v1/statuses\"",
            ));
        };
        let mut segments = Vec::new();
        let mut open = false;
        for part in rest.split('/').filter(|part| !part.is_empty()) {
            if open {
                return Err((
                    "`**` stands before the end of a path".into(),
                    "only the last segment may be `**`",
                ));
            }
            if part == "**" {
                open = true;
            } else if part == "{token}" {
                segments.push(Segment::Credential);
            } else if part.starts_with('{') && part.ends_with('}') {
                segments.push(Segment::Any);
            } else if part.contains(['{', '}', '*', '?', '#', '%']) {
                return Err((
                    format!("`{part}` is no segment of a path"),
                    "a segment is a plain word, `{name}` for any one segment, or `**` for all that follows",
                ));
            } else {
                segments.push(Segment::Literal(part.into()));
            }
        }
        Ok(Self { segments, open })
    }

    /// Matches every path.
    pub(super) fn any() -> Self {
        Self { segments: Vec::new(), open: true }
    }

    pub(super) fn len(&self) -> usize {
        self.segments.len()
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Whether the segment so many before the last is a credential.
    pub(super) fn is_credential(&self, before_last: usize) -> bool {
        !self.open && self.segments.iter().rev().nth(before_last) == Some(&Segment::Credential)
    }

    pub(super) fn matches(&self, path: &[Cow<'_, str>], ignore_case: bool) -> bool {
        let fits = if self.open { path.len() >= self.len() } else { path.len() == self.len() };
        fits && self.segments.iter().zip(path).all(|(segment, part)| match segment {
            Segment::Literal(word) if ignore_case => word.eq_ignore_ascii_case(part),
            Segment::Literal(word) => **word == **part,
            Segment::Any | Segment::Credential => true,
        })
    }

    /// Templates sort with the more exact one first: closed before open, a word before `{any}`.
    pub(super) fn rank(&self) -> (bool, Vec<bool>) {
        (
            self.open,
            self.segments.iter().map(|segment| !matches!(segment, Segment::Literal(_))).collect(),
        )
    }
}

/// The segments of a raw path, decoded; empty ones (a trailing or doubled slash) are left out. `None` where two servers
/// could disagree on what it means.
pub(super) fn segments(path: &str) -> Option<Vec<Cow<'_, str>>> {
    let mut segments = Vec::with_capacity(8);
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let decoded = if part.contains('%') {
            percent_decode_str(part).decode_utf8().ok()?
        } else {
            Cow::Borrowed(part)
        };
        let odd = |c: char| matches!(c, '/' | '\\' | '%' | '?' | '#') || c.is_control();
        if matches!(&*decoded, "." | "..") || decoded.contains(odd) {
            return None;
        }
        segments.push(decoded);
    }
    Some(segments)
}

/// Whether a segment is a version such as `v25.0`.
pub(super) fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|number| {
        number.starts_with(|c: char| c.is_ascii_digit())
            && number.chars().all(|c| c.is_ascii_digit() || c == '.')
    })
}

#[cfg(test)]
mod tests {
    use super::{PathTemplate, segments};

    #[test]
    fn templates_match_what_they_say() {
        for (template, path, matches) in [
            ("/api/v1/statuses", "/api/v1/statuses", true),
            ("/api/v1/statuses", "/api/v1/statuses/", true),
            ("/api/v1/statuses", "//api/v1//statuses", true),
            ("/api/v1/statuses", "/api/v1/%73tatuses", true),
            ("/api/v1/statuses", "/api/v1/statuses/1", false),
            ("/api/v1/statuses", "/api/v1/Statuses", false),
            ("/api/v1/statuses/{id}", "/api/v1/statuses/11", true),
            ("/api/v1/statuses/{id}", "/api/v1/statuses", false),
            ("/{id}/feed", "/me/feed", true),
            ("/**", "/", true),
            ("/**", "/a/b/c", true),
            ("/i/**", "/", false),
        ] {
            let template_parsed = PathTemplate::parse(template).unwrap();
            let found = template_parsed.matches(&segments(path).unwrap(), false);
            assert_eq!(found, matches, "{template} on {path}");
        }
    }

    #[test]
    fn paths_of_two_readings_have_none() {
        for path in
            ["/a/../b", "/a/%2e%2e/b", "/a%2Fb", "/a%5cb", "/a%00", "/%ff", "/a%252Fb", "/."]
        {
            assert_eq!(segments(path), None, "{path}");
        }
    }

    #[test]
    fn bad_templates_are_named() {
        for template in ["api/v1", "/a/**/b", "/a/{id", "/a?b", "/a%20b", "/a*"] {
            assert!(PathTemplate::parse(template).is_err(), "{template}");
        }
    }
}
