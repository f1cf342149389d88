//! The files of a post: what they say besides their pixels is taken out, or read like any other words of the post.
//!
//! Which of the two is the policy's word for the platform. Promise: under `strip-metadata` no file goes on whose metadata
//! is not known to be out of it; under `allow` none whose words were not read as far as they can be.

use std::collections::BTreeSet;

use http::{HeaderMap, Method};

use crate::body::{Document, Edit, Kind, Role, Unreadable};
use crate::inspect::Request;
use crate::inspect::collect::Source;
use crate::inspect::edits::Judged;
use crate::media::{self, Anatomy, Caption, Fault, Keep};
use crate::platform::{CannotRedact, Class, Endpoint};
use crate::policy::{Action, MediaAction, Policy};

/// Headers by which a client says where in a file its piece stands, or how long the file is.
const OF_PIECES: &[&str] = &[
    "content-range",
    "offset",
    "upload-offset",
    "upload-length",
    "x-entity-length",
    "x-upload-content-length",
    "x-goog-upload-offset",
    "x-goog-upload-header-content-length",
];
/// Fields that say the same.
const FIELDS_OF_PIECES: &[&str] = &[
    "segment_index",
    "start_offset",
    "upload_phase",
    "upload_session_id",
    "chunk",
    "dzchunkindex",
];

/// Those of them that say where the piece stands.
const FIELDS_OF_OFFSETS: &[&str] = &["segment_index", "start_offset", "chunk", "dzchunkindex"];

/// What the files of a post come to.
#[derive(Default)]
pub(super) struct Files {
    /// Those that go on in the place of others.
    pub(super) edits: Vec<Edit>,
    /// What they say, by the file.
    pub(super) captions: Vec<(usize, Caption)>,
    keep: Option<Keep>,
}

/// Looks at every file of a body.
pub(super) fn look(
    request: &Request<'_>,
    (body, query): (&Document, &Document),
    endpoint: &Endpoint,
    policy: &Policy,
) -> Result<Files, Unreadable> {
    let mut files = Files::default();
    let action = policy.media(request.platform.id());
    // The rest of a text that comes in pieces is in another request, and words may be cut anywhere.
    if !policy.pieces() && endpoint.class() == Class::Media && body.kind() != Kind::Empty {
        let has_files = body.files().next().is_some();
        let is_later = is_later_piece(body) || is_later_piece(query);
        if (!has_files && is_part_of_a_file(request.headers))
            || (is_later && (!has_files || action == MediaAction::StripMetadata))
        {
            return Err(Unreadable::Piece);
        }
    }
    for (n, file) in body.files().enumerate() {
        // It may pass as it is, or reading the body would have been a fault.
        if media::is_only_document(file) {
            continue;
        }
        let keep = *files.keep.get_or_insert_with(|| keep(request, body, endpoint));
        let is_elided = request.mark.is_some_and(|mark| file.ends_with(mark));
        let anatomy = Anatomy::of(file);
        if action == MediaAction::StripMetadata {
            if is_elided {
                // The spool has it whole, and sees to it.
                continue;
            }
            let stripped = match anatomy.fault() {
                None => anatomy.stripped(file, keep),
                Some(Fault::Truncated) if policy.pieces() => anatomy.piece_stripped(file),
                // The later pieces of a file begin like nothing.
                Some(Fault::Unknown) if policy.pieces() && anatomy.format().is_none() => Ok(None),
                Some(Fault::Truncated) if is_of_pieces(request.headers, body) => {
                    return Err(Unreadable::Piece);
                }
                Some(Fault::Unknown) if anatomy.format().is_none() => {
                    return Err(Unreadable::Piece);
                }
                Some(_) => return Err(Unreadable::Media),
            };
            if let Some(with) = stripped.map_err(|_| Unreadable::Media)? {
                files.edits.push(Edit::File { file: n, with: with.into() });
            }
        } else if anatomy.format().is_some() {
            let words = anatomy.words(file);
            if words.holds_document && !policy.documents() {
                return Err(Unreadable::Document);
            }
            if words.unread {
                return Err(Unreadable::Media);
            }
            files.captions.extend(words.captions.into_iter().map(|caption| (n, caption)));
        }
    }
    Ok(files)
}

impl Files {
    /// What goes on in the place of files whose words a policy would have redacted: words in a picture's metadata are not
    /// edited, they go with all of it.
    pub(super) fn without_found(
        &self,
        body: &Document,
        judged: &[Judged<'_>],
    ) -> Result<Vec<Edit>, CannotRedact> {
        let mut edits = self.edits.clone();
        let found: BTreeSet<usize> = judged
            .iter()
            .filter(|judged| {
                judged.findings.iter().any(|(_, judgement)| judgement.action >= Action::Redact)
            })
            .filter_map(|judged| match judged.field.source {
                Source::File(file) => Some(file),
                _ => None,
            })
            .collect();
        for (n, file) in body.files().enumerate().filter(|(n, _)| found.contains(n)) {
            let stripped = Anatomy::of(file).stripped(file, self.keep.unwrap_or(Keep::Needed));
            let with = stripped.ok().flatten().ok_or(CannotRedact::NotEditable)?;
            edits.push(Edit::File { file: n, with: with.into() });
        }
        Ok(edits)
    }
}

/// Whether the length of the files must stay: their client has named it in another request, or names it in this one.
fn keep(request: &Request<'_>, body: &Document, endpoint: &Endpoint) -> Keep {
    let told = is_of_pieces(request.headers, body)
        || endpoint.is_announced()
        || (body.kind() == Kind::Media && *request.method == Method::PUT);
    if told { Keep::Length } else { Keep::Needed }
}

/// Whether a request says that it carries a piece of a file, or how long the whole is.
fn is_of_pieces(headers: &HeaderMap, body: &Document) -> bool {
    has_piece_headers(headers)
        || body.texts().iter().any(|text| {
            text.role == Role::Key
                && FIELDS_OF_PIECES
                    .iter()
                    .any(|field| text.text.expose().eq_ignore_ascii_case(field))
        })
}

/// Whether a field says that the file in it does not begin with it.
fn is_later_piece(document: &Document) -> bool {
    document.texts().iter().any(|text| {
        matches!(text.role, Role::Value | Role::Number)
            && text.path.last().is_some_and(|step| {
                FIELDS_OF_OFFSETS.iter().any(|field| step.is_key(field))
                    && text.text.expose().trim().parse::<u64>() != Ok(0)
            })
    })
}

fn has_piece_headers(headers: &HeaderMap) -> bool {
    OF_PIECES.iter().any(|name| headers.contains_key(*name))
}

/// Whether a request's headers say that its body is not the whole of a file.
pub(super) fn is_part_of_a_file(headers: &HeaderMap) -> bool {
    let at = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let starts_late = ["offset", "upload-offset", "x-goog-upload-offset"]
        .into_iter()
        .any(|name| at(name).is_some_and(|offset| offset != "0"));
    let is_range = at("content-range").is_some_and(|range| {
        let range = range.strip_prefix("bytes").unwrap_or(range).trim();
        let whole = range.split_once('/').and_then(|(span, all)| {
            let (first, last) = span.split_once('-')?;
            let (last, all): (u64, u64) = (last.parse().ok()?, all.parse().ok()?);
            Some(first == "0" && last.checked_add(1) == Some(all))
        });
        whole != Some(true)
    });
    starts_late || is_range
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::is_part_of_a_file;

    #[test]
    fn a_range_of_all_is_the_whole() {
        for (name, value, want) in [
            ("content-range", "bytes 0-99/100", false),
            ("content-range", "bytes 0-49/100", true),
            ("content-range", "bytes 50-99/100", true),
            ("content-range", "bytes 0-99/*", true),
            ("content-range", "0-99/100", false),
            ("offset", "0", false),
            ("offset", "5242880", true),
            ("upload-offset", "7", true),
            ("x-entity-length", "100", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            assert_eq!(is_part_of_a_file(&headers), want, "{name}: {value}");
        }
    }
}
