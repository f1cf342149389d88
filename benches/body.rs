//! What taking a body apart and putting it together again costs: `cargo bench --bench body`.
//!
//! The budget is five microseconds for a post of a kilobyte, read and rewritten, and half a gigabyte a second for long
//! bodies; `serde_json` reads the same beside it. Every name is invented.

#![expect(clippy::unwrap_used, reason = "a body that cannot be read is nothing to measure")]

use std::sync::LazyLock;

use bytes::Bytes;
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use memchr::memmem::Finder;
use postward::body::{Document, Edit, Limits, Role};
use postward::span::Span;

fn main() {
    divan::main();
}

const NAME: &str = "Jane Roe";

/// Looks for the name; made once, since looking is not what is measured.
static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(NAME));

/// A post of a kilobyte, as Bluesky's app writes it.
fn post() -> Bytes {
    let text = "So proud of our whole team on nights this week. Twelve admissions, two codes, one pizza that nobody \
        got to eat, and still everyone stayed kind to each other. Jane Roe in bed 12 says thank you, and so do I. If \
        you are thinking about nursing school, come and shadow us for a shift. Bring good shoes";
    let json = serde_json::json!({
        "repo": "did:plc:ewvi7nxzyoun6zhxrhs64oiz",
        "collection": "app.bsky.feed.post",
        "record": {
            "$type": "app.bsky.feed.post",
            "text": text,
            "createdAt": "2026-11-22T19:06:00.000Z",
            "langs": ["en"],
            "facets": [
                {"index": {"byteStart": 10, "byteEnd": 20}, "features": [
                    {"$type": "app.bsky.richtext.facet#link", "uri": "https://hospital.example/nights"}]},
                {"index": {"byteStart": 200, "byteEnd": 210}, "features": [
                    {"$type": "app.bsky.richtext.facet#tag", "tag": "nursing"}]}
            ],
            "embed": {"$type": "app.bsky.embed.images", "images": [{
                "alt": "The team in front of the ward",
                "image": {"$type": "blob", "ref": {"$link": "bafkreibabalobzn6cd366ukcsjycp4yymjymgfxcv6xczmlgpemzkz3cfa"},
                    "mimeType": "image/jpeg", "size": 760_898}
            }]}
        }
    });
    Bytes::from(serde_json::to_vec(&json).unwrap())
}

/// A megabyte of posts.
fn posts() -> Bytes {
    let one = post();
    let mut body = b"[".to_vec();
    while body.len() < 1 << 20 {
        body.extend_from_slice(&one);
        body.push(b',');
    }
    body.pop();
    body.push(b']');
    Bytes::from(body)
}

/// A megabyte in one text, with line breaks and quotes.
fn article() -> Bytes {
    let paragraph =
        "Twelve admissions, two codes, and \"one\" pizza that nobody got to eat. ".repeat(8) + "\n";
    let text = paragraph.repeat((1 << 20) / paragraph.len());
    Bytes::from(
        serde_json::to_vec(&serde_json::json!({ "title": "Nights", "content": text })).unwrap(),
    )
}

fn parse(body: &Bytes) -> Document {
    Document::parse(Some("application/json"), body.clone(), &Limits::default()).unwrap()
}

/// Replaces each name.
fn rewrite(document: &Document) -> Bytes {
    let mut edits = Vec::new();
    for (text, held) in document.texts().iter().enumerate() {
        let found = (held.role == Role::Value)
            .then(|| FINDER.find(held.text.expose().as_bytes()))
            .flatten();
        if let Some(start) = found {
            let span = Span::new(start, start + NAME.len());
            edits.push(Edit::Splice { text, span, with: "[name]".into() });
        }
    }
    document.write(&edits).unwrap()
}

#[divan::bench]
fn post_of_1_kilobyte_read_and_rewritten(bencher: Bencher<'_, '_>) {
    let body = post();
    bencher.counter(BytesCount::new(body.len())).bench(|| rewrite(&parse(black_box(&body))));
}

#[divan::bench]
fn post_of_1_kilobyte_read_by_serde_json(bencher: Bencher<'_, '_>) {
    let body = post();
    bencher
        .counter(BytesCount::new(body.len()))
        .bench(|| serde_json::from_slice::<serde_json::Value>(black_box(&body)).unwrap());
}

#[divan::bench(sample_count = 50, sample_size = 1)]
fn posts_of_1_megabyte_read(bencher: Bencher<'_, '_>) {
    let body = posts();
    bencher.counter(BytesCount::new(body.len())).bench(|| parse(black_box(&body)));
}

#[divan::bench(sample_count = 50, sample_size = 1)]
fn posts_of_1_megabyte_read_by_serde_json(bencher: Bencher<'_, '_>) {
    let body = posts();
    bencher
        .counter(BytesCount::new(body.len()))
        .bench(|| serde_json::from_slice::<serde_json::Value>(black_box(&body)).unwrap());
}

#[divan::bench(sample_count = 50, sample_size = 1)]
fn article_of_1_megabyte_read(bencher: Bencher<'_, '_>) {
    let body = article();
    bencher.counter(BytesCount::new(body.len())).bench(|| parse(black_box(&body)));
}

#[divan::bench(sample_count = 50, sample_size = 1)]
fn article_of_1_megabyte_read_by_serde_json(bencher: Bencher<'_, '_>) {
    let body = article();
    bencher
        .counter(BytesCount::new(body.len()))
        .bench(|| serde_json::from_slice::<serde_json::Value>(black_box(&body)).unwrap());
}

#[divan::bench(sample_count = 50, sample_size = 1)]
fn posts_of_1_megabyte_rewritten(bencher: Bencher<'_, '_>) {
    let document = parse(&posts());
    bencher.bench(|| rewrite(black_box(&document)));
}
