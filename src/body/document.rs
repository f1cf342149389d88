//! One decoded body (or query string) of any kind: its texts, and how edits are written back.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

use bytes::Bytes;

use crate::body::files::{At, HeldFile};
use crate::body::json::{self, NONE, Shape, Value};
use crate::body::multipart::Parts;
use crate::body::reader::{Inner, Layer, Reader, Source};
use crate::body::slot::Patch;
use crate::body::{CannotWrite, Edit, Limits, Path, Role, Unreadable, form, read, write};
use crate::phi::PhiText;
use crate::span::Span;

/// What kind of body a document is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Empty,
    Json,
    /// One JSON text a line.
    JsonLines,
    Form,
    Multipart,
    Xml,
    /// `WebVTT` or SRT.
    Captions,
    Text,
    /// A raw media body that its leading bytes agree on.
    Media,
}

/// One text of a document.
#[derive(Clone, Debug)]
pub struct Text {
    /// Where it sits. A key and its value share it.
    pub path: Path,
    /// What it is there.
    pub role: Role,
    /// The decoded text.
    pub text: PhiText,
    /// Whether it came in a multipart part (paths `part:...`).
    pub in_part: bool,
}

/// A JSON value within a document (within a part of it, where parts hold JSON). Used by offsets handlers.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Node {
    pub(super) layer: u32,
    pub(super) node: u32,
}

/// One decoded body or query string.
pub struct Document {
    pub(super) kind: Kind,
    pub(super) body: Bytes,
    pub(super) texts: Vec<Text>,
    /// Where each text came from, by its index.
    pub(super) sources: Vec<Source>,
    /// The first is the body itself; each of the others stands in a slot of one before it.
    pub(super) layers: Vec<Layer>,
    /// What a multipart body is held to when it is written.
    pub(super) parts: Option<Parts>,
    /// Files that nobody reads as text.
    pub(super) files: Vec<HeldFile>,
    root: u32,
    unread_files: bool,
    unknown_files: bool,
    unread_fields: Vec<Path>,
    /// Documents of XML, each as it is seen.
    shown: Vec<PhiText>,
    /// Members of objects that are too long to walk, made when the first of them is asked.
    by_key: OnceLock<Vec<(KeyPlace, u32)>>,
}

/// Members of an object that are walked to find one; of longer ones there is an index, so that looking into one of a
/// hundred thousand members for each of them does not take the square of that.
const MOST_WALKED: usize = 64;

/// Layer, object, and hash of the key.
type KeyPlace = (u32, u32, u64);

fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

impl Document {
    /// Reads a decompressed body by its `Content-Type` (sniffed where there is none).
    pub fn parse(
        content_type: Option<&str>,
        body: Bytes,
        limits: &Limits,
    ) -> Result<Self, Unreadable> {
        let mut reader = Reader::new(limits, body.len());
        let kind = read::read(content_type, &body, &mut reader)?;
        Ok(Self::new(kind, body, reader))
    }

    /// Reads a raw query string (without `?`).
    pub fn parse_query(query: &str, limits: &Limits) -> Result<Self, Unreadable> {
        let body = Bytes::copy_from_slice(query.as_bytes());
        let mut reader = Reader::new(limits, body.len());
        form::read(&mut reader, &body, None)?;
        Ok(Self::new(Kind::Form, body, reader))
    }

    fn new(kind: Kind, body: Bytes, reader: Reader<'_>) -> Self {
        let unread_files = kind == Kind::Media || reader.unread_files;
        let files = if kind == Kind::Media {
            vec![HeldFile { content: body.clone(), at: At::Whole }]
        } else {
            reader.files
        };
        Self {
            kind,
            body,
            texts: reader.texts,
            sources: reader.sources,
            layers: reader.layers,
            parts: reader.parts,
            files,
            root: reader.root,
            by_key: OnceLock::new(),
            unread_files,
            unknown_files: reader.unknown_files,
            unread_fields: reader.unread_fields,
            shown: reader.shown,
        }
    }

    /// What kind of body it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether it holds bytes that nobody reads: it is media, or a part of it is a file of no text.
    pub fn holds_media(&self) -> bool {
        self.unread_files
    }

    /// Whether a part of it is a file of no kind that we know: not media, not text. The later pieces of an upload look
    /// like that, and so does a table of patients in some other encoding.
    pub fn holds_unknown_files(&self) -> bool {
        self.unknown_files
    }

    /// Fields of a multipart form that say they are bytes, have no file name, and are no text. Some clients send a picture
    /// so; but servers take such a field for a string, so that it may go unread only where nobody's words are.
    pub fn unread_fields(&self) -> impl Iterator<Item = &Path> {
        self.unread_fields.iter()
    }

    /// The bytes of every file that nobody reads as text, decoded: media, and documents where those may pass.
    pub fn files(&self) -> impl Iterator<Item = &Bytes> {
        self.files.iter().map(|file| &file.content)
    }

    /// Each XML document in it as whoever opens it sees it: one more reading of texts that are listed, which nobody edits.
    pub fn shown(&self) -> impl Iterator<Item = &str> {
        self.shown.iter().map(PhiText::expose)
    }

    /// Every text: values, keys, numbers, part names and file names, duplicates and all, in order.
    pub fn texts(&self) -> &[Text] {
        &self.texts
    }

    /// The text that holds this one in an encoding of its own: JSON in a string, a form in JSON, an escaped word. Texts
    /// that another holds follow it.
    pub fn holder(&self, index: usize) -> Option<usize> {
        let layer = self.layer_of(index)?;
        (layer.holder != NONE).then_some(layer.holder as usize)
    }

    /// Whether a text holds others.
    pub fn holds_texts(&self, index: usize) -> bool {
        self.sources.get(index).is_some_and(|source| source.inner != Inner::None)
    }

    /// Whether the texts that a text holds are all of it, in their own order and with their own names: it is JSON or a
    /// form.
    pub fn is_structured(&self, index: usize) -> bool {
        let inner = self.sources.get(index).map(|source| source.inner);
        matches!(inner, Some(Inner::Json(_) | Inner::Form))
    }

    /// Whether a text is another reading of words that are listed as they stand: of an escaped word, of a text with
    /// entities. It has the path of those words.
    pub fn is_another_reading(&self, index: usize) -> bool {
        let mut holder = self.holder(index);
        while let Some(here) = holder {
            if !self.is_structured(here) {
                return true;
            }
            holder = self.holder(here);
        }
        false
    }

    /// The outermost value of the JSON that a text holds.
    pub fn json_in(&self, index: usize) -> Option<Node> {
        match self.sources.get(index)?.inner {
            Inner::Json(layer) => Some(Node { layer, node: 0 }),
            Inner::None | Inner::Some | Inner::Form => None,
        }
    }

    /// What replacements within a text come to in the text that holds it, encoded as they must stand there.
    pub fn outward(
        &self,
        index: usize,
        splices: &[(Span, String)],
    ) -> Result<Vec<(Span, String)>, CannotWrite> {
        let text = self.texts.get(index).ok_or(CannotWrite::Misplaced)?;
        let source = self.sources.get(index).ok_or(CannotWrite::Misplaced)?;
        if !matches!(text.role, Role::Value | Role::FileName) {
            return Err(CannotWrite::ReadOnly);
        }
        let mut layer = self.layer_of(index).ok_or(CannotWrite::Misplaced)?;
        let holder = layer.holder;
        let patches: Vec<Patch> = splices
            .iter()
            .map(|(span, with)| Patch { span: *span, with: with.clone().into_bytes() })
            .collect();
        let mut patches = source.slot.encode(&layer.source, text.text.expose(), &patches)?;
        // A layer may stand in another of the same text before it stands in the text itself.
        while let Some(slot) = layer.outer {
            let around = self.layers.get(slot.layer as usize).ok_or(CannotWrite::Misplaced)?;
            if around.holder != holder {
                break;
            }
            let decoded = std::str::from_utf8(&layer.source).map_err(|_| CannotWrite::Misplaced)?;
            patches = slot.encode(&around.source, decoded, &patches)?;
            layer = around;
        }
        let text_of = |patch: Patch| {
            let with = String::from_utf8(patch.with).map_err(|_| CannotWrite::Misplaced)?;
            Ok((patch.span, with))
        };
        patches.into_iter().map(text_of).collect()
    }

    /// Where spans of a text stand in the text that holds it, in whatever order they come and however they overlap.
    pub fn outward_spans(&self, index: usize, spans: &mut [Span]) -> Result<(), CannotWrite> {
        let text = self.texts.get(index).ok_or(CannotWrite::Misplaced)?;
        let source = self.sources.get(index).ok_or(CannotWrite::Misplaced)?;
        if !matches!(text.role, Role::Value | Role::FileName) {
            return Err(CannotWrite::ReadOnly);
        }
        let mut layer = self.layer_of(index).ok_or(CannotWrite::Misplaced)?;
        let holder = layer.holder;
        source.slot.place(&layer.source, text.text.expose(), spans)?;
        while let Some(slot) = layer.outer {
            let around = self.layers.get(slot.layer as usize).ok_or(CannotWrite::Misplaced)?;
            if around.holder != holder {
                break;
            }
            let decoded = std::str::from_utf8(&layer.source).map_err(|_| CannotWrite::Misplaced)?;
            slot.place(&around.source, decoded, spans)?;
            layer = around;
        }
        Ok(())
    }

    fn layer_of(&self, index: usize) -> Option<&Layer> {
        self.layers.get(self.sources.get(index)?.slot.layer as usize)
    }

    /// The outermost JSON value, where the body is JSON.
    pub fn root(&self) -> Option<Node> {
        let root = Node { layer: self.root, node: 0 };
        self.value(root).filter(|_| self.kind == Kind::Json).map(|_| root)
    }

    /// The JSON value that text `index` is, if it is one.
    pub fn node_of(&self, index: usize) -> Option<Node> {
        let source = self.sources.get(index)?;
        (source.node != NONE).then_some(Node { layer: source.slot.layer, node: source.node })
    }

    /// The object or array a node stands in.
    pub fn parent(&self, node: Node) -> Option<Node> {
        let parent = self.value(node)?.parent;
        (parent != NONE).then_some(Node { layer: node.layer, node: parent })
    }

    /// Every member of an object with this key: duplicates are all given.
    pub fn members(&self, object: Node, key: &str) -> Vec<Node> {
        let has_key = |value: &Value| self.key(value) == Some(key);
        if self.children(object, Shape::Object).nth(MOST_WALKED).is_none() {
            let members = self.children(object, Shape::Object);
            return members.filter(|(_, value)| has_key(value)).map(|(node, _)| node).collect();
        }
        let index = self.by_key.get_or_init(|| self.index_by_key());
        let wanted = (object.layer, object.node, hash(key));
        let first = index.partition_point(|(place, _)| *place < wanted);
        let candidates = index.iter().skip(first).take_while(|(place, _)| *place == wanted);
        candidates
            .map(|&(_, node)| Node { layer: object.layer, node })
            .filter(|node| self.value(*node).is_some_and(has_key))
            .collect()
    }

    /// The first member of an object with this key, without a look at its duplicates.
    pub fn first_member(&self, object: Node, key: &str) -> Option<Node> {
        let has_key = |value: &Value| self.key(value) == Some(key);
        if self.children(object, Shape::Object).nth(MOST_WALKED).is_none() {
            let mut members = self.children(object, Shape::Object);
            return members.find(|(_, value)| has_key(value)).map(|(node, _)| node);
        }
        let index = self.by_key.get_or_init(|| self.index_by_key());
        let wanted = (object.layer, object.node, hash(key));
        let first = index.partition_point(|(place, _)| *place < wanted);
        let mut candidates = index.iter().skip(first).take_while(|(place, _)| *place == wanted);
        candidates.find_map(|&(_, node)| {
            let node = Node { layer: object.layer, node };
            self.value(node).is_some_and(has_key).then_some(node)
        })
    }

    /// Every member of every object, by where it stands and its key.
    fn index_by_key(&self) -> Vec<(KeyPlace, u32)> {
        let mut index = Vec::new();
        for (layer, values) in (0..).zip(self.layers.iter().map(|layer| &layer.values)) {
            for (node, value) in (0..).zip(values).filter(|(_, value)| value.key != NONE) {
                let key = self.key(value).unwrap_or_default();
                index.push(((layer, value.parent, hash(key)), node));
            }
        }
        index.sort_unstable();
        index
    }

    /// The elements of an array.
    pub fn elements(&self, array: Node) -> Vec<Node> {
        self.children(array, Shape::Array).map(|(node, _)| node).collect()
    }

    /// The value of a number that is a whole one.
    pub fn as_u64(&self, node: Node) -> Option<u64> {
        let value = self.value(node).filter(|value| value.shape == Shape::Number)?;
        self.texts.get(value.text as usize)?.text.expose().parse().ok()
    }

    /// The text index of a string value.
    pub fn text_of(&self, node: Node) -> Option<usize> {
        let value = self.value(node).filter(|value| value.shape == Shape::String)?;
        Some(value.text as usize)
    }

    /// The body with these edits: nothing else differs by a byte. Without edits, the very bytes.
    pub fn write(&self, edits: &[Edit]) -> Result<Bytes, CannotWrite> {
        write::write(self, edits)
    }

    pub(super) fn value(&self, node: Node) -> Option<&Value> {
        self.layers.get(node.layer as usize)?.values.get(node.node as usize)
    }

    /// The decoded text under a key's or value's index.
    pub(super) fn text(&self, index: usize) -> Option<&PhiText> {
        self.texts.get(index).map(|text| &text.text)
    }

    fn key(&self, value: &Value) -> Option<&str> {
        self.text(value.key as usize).map(PhiText::expose)
    }

    fn children(&self, parent: Node, shape: Shape) -> impl Iterator<Item = (Node, &Value)> {
        let values = self
            .layers
            .get(parent.layer as usize)
            .map(|layer| layer.values.as_slice())
            .unwrap_or_default();
        let is = values.get(parent.node as usize).is_some_and(|value| value.shape == shape);
        let values = if is { values } else { &[] };
        json::children(values, parent.node)
            .map(move |(node, value)| (Node { layer: parent.layer, node }, value))
    }
}

/// Prints counts only: everything else is a client's words.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("kind", &self.kind)
            .field("n_bytes", &self.body.len())
            .field("n_texts", &self.texts.len())
            .finish_non_exhaustive()
    }
}
