//! What every reader of a kind of body fills: texts, where each came from, and the layers they stand in.
//!
//! Promise: the limits on fields hold over all layers together, and what is read costs memory linear in the body (paths
//! are counted, too: a deep body of many fields would otherwise spend far more on them than its own size).

use std::cell::OnceCell;

use bytes::Bytes;

use crate::body::files::{At, Digits, HeldFile};
use crate::body::json::{NONE, Value};
use crate::body::multipart::Parts;
use crate::body::slot::Slot;
use crate::body::{Limits, Path, Role, Step, Text, Unreadable, base64, sniff};
use crate::phi::{PhiText, SharedText};

/// Steps of all paths together, for each field the limits allow.
const STEPS_PER_FIELD: usize = 8;
/// How much of a body may be read once more, as what its strings hold. Those of any client come to one or two.
const READ_AGAIN: usize = 8;

/// Where one text came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) slot: Slot,
    /// The JSON value it is, or [`NONE`].
    pub(super) node: u32,
    /// What it holds.
    pub(super) inner: Inner,
}

/// What a text holds in an encoding of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Inner {
    None,
    /// Words of it are encoded, or all of it once more: read beside it.
    Some,
    /// It is a form, or an address with a query.
    Form,
    /// It is JSON: this layer.
    Json(u32),
}

/// One stretch of encoded text: the body, a JSON part of it, or JSON in a form's value.
pub(super) struct Layer {
    pub(super) source: Bytes,
    /// Where it stands in the layer around it: its source is the decoded text of that slot.
    pub(super) outer: Option<Slot>,
    /// The text that holds it, or [`NONE`].
    pub(super) holder: u32,
    /// Its JSON values; none where it is not JSON.
    pub(super) values: Vec<Value>,
}

/// Texts, sources and layers as they are read.
pub(super) struct Reader<'l> {
    limits: &'l Limits,
    pub(super) texts: Vec<Text>,
    pub(super) sources: Vec<Source>,
    pub(super) layers: Vec<Layer>,
    /// What a multipart body is held to when it is written.
    pub(super) parts: Option<Parts>,
    /// Files that nobody reads as text.
    pub(super) files: Vec<HeldFile>,
    /// The layer of the body's JSON.
    pub(super) root: u32,
    /// Whether a part is a file that nobody reads.
    pub(super) unread_files: bool,
    /// Whether one of them is of no kind that we know: not media, not text.
    pub(super) unknown_files: bool,
    /// Fields of a form that say they are bytes, and are no text.
    pub(super) unread_fields: Vec<Path>,
    /// Documents of XML, each as it is seen.
    pub(super) shown: Vec<PhiText>,
    n_values: usize,
    n_steps: usize,
    /// The text whose content is being read, and how many are around it.
    around: Around,
    /// Bytes of all texts that are read once more, and how many those may be.
    n_within: usize,
    most_within: usize,
    /// Bytes of all files that were unpacked.
    n_unpacked: usize,
}

/// The text whose content is being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around {
    holder: u32,
    depth: u32,
}

/// Where a reader stood, to go back to when a guess was wrong.
pub(super) struct Mark {
    texts: usize,
    layers: usize,
    files: usize,
    shown: usize,
    values: usize,
    steps: usize,
}

impl<'l> Reader<'l> {
    pub(super) fn new(limits: &'l Limits, length: usize) -> Self {
        let n = (length / 16).clamp(2, 4096);
        Self {
            limits,
            texts: Vec::with_capacity(n),
            sources: Vec::with_capacity(n),
            layers: Vec::with_capacity(1),
            parts: None,
            files: Vec::new(),
            root: 0,
            unread_files: false,
            unknown_files: false,
            unread_fields: Vec::new(),
            shown: Vec::new(),
            n_values: 0,
            n_steps: 0,
            around: Around { holder: NONE, depth: 0 },
            n_within: 0,
            most_within: length.saturating_mul(READ_AGAIN).saturating_add(4096),
            n_unpacked: 0,
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        self.limits
    }

    /// Starts a layer and gives its number.
    pub(super) fn open_layer(
        &mut self,
        source: &Bytes,
        outer: Option<Slot>,
    ) -> Result<u32, Unreadable> {
        if u32::try_from(source.len()).is_err() {
            return Err(Unreadable::TooLarge);
        }
        let layer = u32::try_from(self.layers.len()).map_err(|_| Unreadable::TooManyFields)?;
        self.layers.push(Layer {
            source: source.clone(),
            outer,
            holder: self.around.holder,
            values: Vec::new(),
        });
        Ok(layer)
    }

    /// Gives a layer its JSON values.
    pub(super) fn close_layer(&mut self, layer: u32, values: Vec<Value>) {
        if let Some(layer) = self.layers.get_mut(layer as usize) {
            layer.values = values;
        }
    }

    /// Counts one more JSON value, and gives the number it has in its layer of `n_so_far`.
    pub(super) fn count_value(&mut self, n_so_far: usize) -> Result<u32, Unreadable> {
        self.n_values += 1;
        if self.n_values > self.limits.max_fields {
            return Err(Unreadable::TooManyFields);
        }
        u32::try_from(n_so_far).map_err(|_| Unreadable::TooManyFields)
    }

    /// Lists one text and gives its index.
    pub(super) fn push(
        &mut self,
        place: &Place,
        role: Role,
        text: impl Into<PhiText>,
        slot: Slot,
        node: u32,
    ) -> Result<u32, Unreadable> {
        let path = place.path();
        self.n_steps += path.n_steps();
        if self.texts.len() >= self.limits.max_fields
            || self.n_steps / STEPS_PER_FIELD > self.limits.max_fields
        {
            return Err(Unreadable::TooManyFields);
        }
        let index = u32::try_from(self.texts.len()).map_err(|_| Unreadable::TooManyFields)?;
        self.texts.push(Text {
            path: path.clone(),
            role,
            text: text.into(),
            in_part: place.in_part,
        });
        self.sources.push(Source { slot, node, inner: Inner::None });
        Ok(index)
    }

    /// Whether a layer was decoded from a charset other than UTF-8.
    pub(super) fn is_decoded(&self, layer: u32) -> bool {
        let outer = self.layers.get(layer as usize).and_then(|layer| layer.outer);
        outer.is_some_and(|slot| slot.is_in_charset())
    }

    /// The number that the next layer will have.
    pub(super) fn next_layer(&self) -> u32 {
        u32::try_from(self.layers.len()).unwrap_or(NONE)
    }

    /// Begins to read what a text holds; give back to [`Reader::leave`] what this gives.
    pub(super) fn enter(
        &mut self,
        index: u32,
        length: usize,
        most_layers: u32,
    ) -> Result<Around, Unreadable> {
        self.n_within = self.n_within.saturating_add(length);
        if self.around.depth >= most_layers || self.n_within > self.most_within {
            return Err(Unreadable::TooDeep);
        }
        let depth = self.around.depth + 1;
        Ok(std::mem::replace(&mut self.around, Around { holder: index, depth }))
    }

    pub(super) fn leave(&mut self, around: Around) {
        self.around = around;
    }

    pub(super) fn note_inner(&mut self, index: u32, inner: Inner) {
        if let Some(source) = self.sources.get_mut(index as usize) {
            source.inner = inner;
        }
    }

    /// How many bytes may yet come out of packed files.
    pub(super) fn left_to_unpack(&self) -> usize {
        self.limits.max_decoded.saturating_sub(self.n_unpacked)
    }

    /// Counts what came out of a packed file; that, too, may be read more than once.
    pub(super) fn note_unpacked(&mut self, length: usize) {
        self.n_unpacked = self.n_unpacked.saturating_add(length);
        self.most_within = self.most_within.saturating_add(length.saturating_mul(READ_AGAIN));
    }

    /// Whether bytes are a document that nobody here can read; where such may not pass, that is a fault.
    pub(super) fn is_document(&self, bytes: &[u8]) -> Result<bool, Unreadable> {
        let is = sniff::is_known_document(bytes);
        if is && !self.limits.documents { Err(Unreadable::Document) } else { Ok(is) }
    }

    /// Notes a file that nobody reads as text.
    pub(super) fn note_file(&mut self, content: Bytes, at: At) {
        self.unread_files = true;
        // What a string is, and what stands in it, may be the same.
        let is_known = matches!(at, At::Fixed)
            && self.files.last().is_some_and(|last| last.content == content);
        if is_known {
            return;
        }
        self.files.push(HeldFile { content, at });
    }

    /// Whether a string is media in base64 and nothing else, which nobody reads; a document that we cannot read is a
    /// fault. What may be media and may be words is noted as media, and read as well.
    pub(super) fn is_media(&mut self, value: &str, slot: Slot) -> Result<bool, Unreadable> {
        let (media_type, digits) = base64::payload(value);
        let Some(leading) = base64::start(digits, 1024) else { return Ok(false) };
        let is_document = self.is_document(&leading)?;
        if !is_document && !sniff::is_media(&leading) {
            return Ok(false);
        }
        let bytes = base64::lenient(digits.as_bytes());
        let is_whole = is_document
            || (media_type.is_none_or(sniff::is_media_type) && sniff::is_whole_media(&bytes));
        self.note_file(bytes.into(), At::Base64(slot, Digits::of(value)));
        Ok(is_whole)
    }

    /// Notes a document as it is seen; its texts are listed besides.
    pub(super) fn note_shown(&mut self, text: String) {
        self.shown.push(text.into());
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            texts: self.texts.len(),
            layers: self.layers.len(),
            files: self.files.len(),
            shown: self.shown.len(),
            values: self.n_values,
            steps: self.n_steps,
        }
    }

    /// Whether any text since the mark is words rather than a number.
    pub(super) fn holds_strings_since(&self, mark: &Mark) -> bool {
        self.texts.iter().skip(mark.texts).any(|text| text.role != Role::Number)
    }

    /// Forgets all that was read since the mark.
    pub(super) fn back_to(&mut self, mark: &Mark) {
        self.texts.truncate(mark.texts);
        self.sources.truncate(mark.texts);
        self.layers.truncate(mark.layers);
        self.files.truncate(mark.files);
        self.shown.truncate(mark.shown);
        self.n_values = mark.values;
        self.n_steps = mark.steps;
    }
}

/// Where a reader is in the body: at some child of what is around it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    around: Path,
    /// The number of the child we are at, from 0.
    index: u32,
    /// Whether the child is an element of a list.
    in_list: bool,
    pub(super) in_part: bool,
    /// The child's path as the texts at this place share it, once there is one.
    shared: OnceCell<Path>,
}

/// The root.
impl Default for Place {
    fn default() -> Self {
        let shared = OnceCell::from(Path::default());
        Self { around: Path::default(), index: 0, in_list: false, in_part: false, shared }
    }
}

impl Place {
    /// The start of a multipart body.
    pub(super) fn in_part() -> Self {
        Self { in_part: true, ..Self::default() }
    }

    /// Goes down to a first child.
    pub(super) fn down(&mut self, step: Step) {
        if let Step::Index(0) = step {
            self.around = self.path().clone();
            self.index = 0;
            self.in_list = true;
            self.shared = OnceCell::new();
        } else {
            self.enter([step], 0);
        }
    }

    /// Goes down to child `n`, by steps of which there may be several or none.
    pub(super) fn enter(&mut self, steps: impl IntoIterator<Item = Step>, n: usize) {
        let mut index = u32::try_from(n).unwrap_or(u32::MAX - 1);
        let mut path = self.path().clone();
        let mut steps = steps.into_iter();
        path = path.child(steps.next(), Some(index));
        for step in steps {
            path = path.child(Some(step), None);
        }
        if let Some((around, last, in_list)) = path.outer() {
            self.around = around.clone();
            index = last;
            self.in_list = in_list;
        }
        self.index = index;
        self.shared = OnceCell::from(path);
    }

    /// Goes back up to what is around, of which only one step may have been taken at once.
    pub(super) fn up(&mut self) {
        let here = std::mem::take(&mut self.around);
        if let Some((around, index, in_list)) = here.outer() {
            self.around = around.clone();
            self.index = index;
            self.in_list = in_list;
        }
        self.shared = OnceCell::from(here);
    }

    /// Goes on to the next child of the same container; within an object, [`Place::at_key`] comes next.
    pub(super) fn next_child(&mut self) {
        self.index = self.index.saturating_add(1).min(u32::MAX - 1);
        self.shared = OnceCell::new();
    }

    /// Says by which key we came to the child we are at.
    pub(super) fn at_key(&mut self, key: SharedText) {
        self.in_list = false;
        self.shared = OnceCell::from(self.around.child(Some(Step::Key(key)), Some(self.index)));
    }

    /// The path of the child we are at.
    pub(super) fn path(&self) -> &Path {
        self.shared.get_or_init(|| {
            let step = self.in_list.then_some(Step::Index(self.index as usize));
            self.around.child(step, Some(self.index))
        })
    }
}
