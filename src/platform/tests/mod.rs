//! What the shipped files say, through real bodies: calls as stock clients send them, with invented text.

mod answers;
mod blogs;
mod bound;
mod classify;
mod files;
mod offsets;
mod ranges;
mod resolve;
mod shapes;
mod signed;
mod valid;
mod words;

use std::sync::{Arc, LazyLock};

use bytes::Bytes;

use super::{Platform, Platforms};
use crate::body::{Document, Limits};

fn platform(name: &str) -> Arc<Platform> {
    static EMBEDDED: LazyLock<Platforms> = LazyLock::new(Platforms::embedded);
    Arc::clone(EMBEDDED.get(name).unwrap())
}

fn body(content_type: Option<&str>, body: &str) -> Document {
    Document::parse(content_type, Bytes::copy_from_slice(body.as_bytes()), &Limits::default())
        .unwrap()
}

fn json(text: &str) -> Document {
    body(Some("application/json"), text)
}

fn query(text: &str) -> Document {
    Document::parse_query(text, &Limits::default()).unwrap()
}
