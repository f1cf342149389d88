//! What must hold of paths, marked texts, threads and platform files, whatever their bytes: the checks of the fuzz targets.

#![expect(clippy::panic, clippy::missing_panics_doc, reason = "a fuzz target reports by a panic")]

use std::sync::LazyLock;

use bytes::Bytes;
use http::Method;

use crate::body::check::Check;
use crate::body::{Document, Limits};
use crate::diagnostic::Source;
use crate::platform::markup::Markup;
use crate::platform::{Class, Platforms, Visible, template, widen};
use crate::span::Span;

/// Every check, by the name of its fuzz target and its folder of seeds.
pub const TARGETS: &[(&str, Check)] =
    &[("path", path), ("markup", markup), ("thread", thread), ("platform-file", platform_file)];

static PLATFORMS: LazyLock<Platforms> = LazyLock::new(Platforms::embedded);

/// Paths with their queries: a path that has one reading is the same call however it is escaped.
pub fn path(data: &[u8]) {
    let Ok(url) = std::str::from_utf8(data) else { return };
    let (path, query) =
        url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
    for platform in PLATFORMS.iter() {
        let resolved = platform.resolve_with_query(&Method::POST, path, query, None);
        let Some(segments) = template::segments(path) else {
            // A route in a parameter goes before the path; what is known by that is known all the same.
            assert!(!resolved.known || query.is_some(), "two readings, and known");
            continue;
        };
        let escaped = |segment: &str| {
            percent_encoding::utf8_percent_encode(segment, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
        };
        let spelled: Vec<String> = segments.iter().map(|segment| escaped(segment)).collect();
        let spelled = format!("/{}", spelled.join("/"));
        let again = platform.resolve_with_query(&Method::POST, &spelled, query, None);
        assert!(
            again.endpoint.template() == resolved.endpoint.template(),
            "another spelling is another call"
        );
    }
}

/// Texts with marks: what is seen and what is whole lies in order, apart, and on characters.
pub fn markup(data: &[u8]) {
    const ALL: [Markup; 8] = [
        Markup::Html,
        Markup::Markdown,
        Markup::Discord,
        Markup::Slack,
        Markup::TelegramMarkdownV2,
        Markup::TelegramMarkdown,
        Markup::LinkedInLittle,
        Markup::Undecided,
    ];
    let Ok(text) = std::str::from_utf8(data) else { return };
    for markup in ALL {
        let visible = markup.visible(text);
        let seen = visible.iter().filter_map(|one| match one {
            Visible::Text(span) => Some(*span),
            Visible::Break | Visible::Apart => None,
        });
        in_order(text, seen);
        let wholes = markup.wholes(text);
        in_order(text, wholes.iter().copied());
        in_order(text, markup.ids(text));
        for whole in &wholes {
            let widened = widen(&wholes, Span::new(whole.start(), whole.start() + 1));
            assert!(widened.covers(*whole), "a whole was cut");
        }
    }
}

fn in_order(text: &str, spans: impl IntoIterator<Item = Span>) {
    let mut last = 0;
    for span in spans {
        assert!(span.start() >= last, "stretches overlap");
        assert!(span.of(text).is_some(), "a stretch cuts a character");
        last = span.end();
    }
}

/// Threads of Bluesky: what was not edited needs no mending.
pub fn thread(data: &[u8]) {
    let Some(bluesky) = PLATFORMS.get("bluesky") else { panic!("a shipped platform is missing") };
    let body = Bytes::copy_from_slice(data);
    let Ok(document) = Document::parse(Some("application/json"), body, &Limits::default()) else {
        return;
    };
    let call = "/xrpc/com.atproto.repo.applyWrites";
    let endpoint = bluesky.resolve(&Method::POST, call, Some(&document)).endpoint;
    if let Ok(edits) = bluesky.mend(endpoint, &document, &document) {
        let Ok(mended) = document.write(&edits) else { panic!("what was mended is not written") };
        assert!(mended == data, "mended without need");
    }
}

/// Platform files: usable, or every fault named at its place; never anything between.
pub fn platform_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut platforms = Platforms::default();
    match platforms.add(&Source::new("fuzzed.toml", text)) {
        Ok(()) => {
            for endpoint in platforms.iter().flat_map(|platform| platform.endpoints()) {
                assert!(
                    endpoint.class() != Class::Post || !endpoint.words().is_empty(),
                    "a post without words"
                );
                assert!(endpoint.template().ends_with(endpoint.operation().unwrap_or("")));
            }
        }
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a reason");
            for fault in faults {
                let stands = fault.span.is_none_or(|span| span.of(text).is_some());
                assert!(stands, "a fault outside the file");
            }
        }
    }
}
