//! Reads the fields of one `[[endpoint]]`: the compact lists and the `[[endpoint.field]]` tables.

use std::collections::HashMap;

use crate::platform::field::{FieldPath, FieldSpec};
use crate::platform::fields::{Fields, Named, Treatment};
use crate::platform::file::read::{Faults, Table, Written};
use crate::platform::file::{Reading, one_of};
use crate::platform::frame::Form;
use crate::platform::limit::{Limit, Total, Unit};
use crate::platform::markup::Spoken;
use crate::platform::offsets::{Count, Offsets, Shape};
use crate::platform::split::Split;
use crate::span::Span;

const KEYS: &[&str] = &[
    "path",
    "class",
    "limit",
    "unit",
    "url-counts-as",
    "bare-urls-count",
    "mention-hosts-free",
    "max-bytes",
    "counts-with",
    "offsets",
    "offsets-in",
    "offsets-count",
    "distinct",
    "required",
    "split",
    "markup",
    "opaque-if",
];

const TREATMENTS: &[(&str, Treatment)] =
    &[("words", Treatment::Words), ("opaque", Treatment::Opaque), ("other", Treatment::Other)];

/// All fields.
pub(super) fn fields(table: &Table<'_>, reading: Reading, faults: &mut Faults<'_>) -> Fields {
    let mut list = List { reading, named: Vec::new(), seen: HashMap::new() };
    for &(key, treatment) in TREATMENTS {
        for path in table.strings(key, faults) {
            list.add(&path, treatment, FieldSpec::default(), faults);
        }
    }
    for (n, field) in table.tables("field", KEYS, faults).iter().enumerate() {
        full(field, n + 1, &mut list, faults);
    }
    let wrappers = table.strings("also-under", faults);
    for wrapper in &wrappers {
        list.repeat_under(wrapper, faults);
    }
    check_shared_limits(table.span(), &list.named, faults);
    Fields::new(list.named)
}

struct List {
    reading: Reading,
    named: Vec<Named>,
    seen: HashMap<String, Treatment>,
}

impl List {
    fn add(
        &mut self,
        path: &Written<&str>,
        treatment: Treatment,
        spec: FieldSpec,
        faults: &mut Faults<'_>,
    ) {
        if self.seen.insert(path.value.to_owned(), treatment).is_some() {
            faults.add(
                path.span,
                format!("`{}` is named twice", path.value),
                "one entry says all about a field",
            );
            return;
        }
        match FieldPath::parse(path.value, self.reading.query_as_body, self.reading.ignore_key_case)
        {
            Ok(compiled) => {
                let spec = FieldSpec { template: path.value.to_owned(), ..spec };
                self.named.push(Named { path: compiled, treatment, spec, repeated: false });
            }
            Err((message, help)) => faults.add(path.span, message, help),
        }
    }
}

impl List {
    /// All fields once more, under a key that may stand round the whole (`payload_json`).
    fn repeat_under(&mut self, wrapper: &Written<&str>, faults: &mut Faults<'_>) {
        let plain: Vec<(Treatment, FieldSpec)> = self
            .named
            .iter()
            .filter(|named| named.path.is_anywhere() && !named.repeated)
            .map(|named| (named.treatment, named.spec.clone()))
            .collect();
        for (treatment, mut spec) in plain {
            let under = |template: &str| format!("{}.{template}", wrapper.value);
            spec.counts_with = spec.counts_with.as_deref().map(under);
            let path = Written { value: under(&spec.template), span: wrapper.span };
            let path = Written { value: path.value.as_str(), span: path.span };
            self.add(&path, treatment, spec, faults);
            if let Some(named) = self.named.last_mut() {
                named.repeated = true;
            }
        }
    }
}

/// One `[[endpoint.field]]`.
fn full(table: &Table<'_>, group: usize, list: &mut List, faults: &mut Faults<'_>) {
    if !table.has("path") {
        faults.add(
            table.span(),
            "the field has no `path`",
            "say where it sits: path = \"poll.options[]\"",
        );
    }
    let treatment = match table.string("class", faults) {
        None => Some(Treatment::Words),
        Some(class) => one_of(&class, "class of fields", TREATMENTS, faults),
    };
    let spec = FieldSpec {
        template: String::new(),
        limits: limits(table, faults),
        counts_with: table.string("counts-with", faults).map(|field| field.value.to_owned()),
        offsets: offsets(table, faults),
        distinct: table.flag("distinct", faults),
        required: table.flag("required", faults),
        group,
        split: table
            .string("split", faults)
            .and_then(|name| one_of(&name, "way to split a text", Split::NAMES, faults)),
        markup: table
            .string("markup", faults)
            .and_then(|name| one_of(&name, "markup", Spoken::NAMES, faults)),
        opaque_if: table
            .strings("opaque-if", faults)
            .iter()
            .filter_map(|name| one_of(name, "form", Form::NAMES, faults))
            .collect(),
    };
    let conditions = KEYS.iter().find(|key| !matches!(**key, "path" | "class") && table.has(key));
    if let (Some(condition), Some(Treatment::Opaque | Treatment::Other)) = (conditions, treatment) {
        faults.add(
            table.span(),
            format!("`{condition}` is for words: nothing else is ever edited"),
            "leave it out, or make the class words",
        );
    }
    let Some(treatment) = treatment else { return };
    for path in table.strings("path", faults) {
        list.add(&path, treatment, spec.clone(), faults);
    }
}

fn limits(table: &Table<'_>, faults: &mut Faults<'_>) -> Vec<Limit> {
    let mut limits = Vec::new();
    let unit =
        table.string("unit", faults).and_then(|unit| one_of(&unit, "unit", Unit::NAMES, faults));
    let at_most = table.count("limit", faults);
    let url_counts_as = table.count("url-counts-as", faults).map(|count| count.value);
    let mention_hosts_count = !table.flag("mention-hosts-free", faults);
    let may_be_bare = table.flag("bare-urls-count", faults);
    match (at_most, unit) {
        (Some(at_most), Some(unit)) => {
            // Which words without a scheme are URLs, nobody can say for certain: both readings must fit.
            let readings = if may_be_bare { &[false, true][..] } else { &[false] };
            limits.extend(readings.iter().map(|&bare_urls| Limit {
                at_most: at_most.value,
                unit,
                url_counts_as,
                mention_hosts_count,
                bare_urls,
            }));
        }
        (Some(at_most), None) if !table.has("unit") => faults.add(
            at_most.span,
            "a limit needs its unit",
            "add unit = \"graphemes\" (what a reader calls characters), x-weight, bytes, utf16 or code-points",
        ),
        _ => {}
    }
    for (key, needs) in [
        ("unit", "limit"),
        ("url-counts-as", "limit"),
        ("mention-hosts-free", "limit"),
        ("bare-urls-count", "url-counts-as"),
    ] {
        if table.has(key) && !table.has(needs) {
            faults.add(
                table.span(),
                format!("`{key}` without `{needs}`"),
                format!("add {needs}, or leave it out"),
            );
        }
    }
    if let Some(bytes) = table.count("max-bytes", faults) {
        let (unit, url_counts_as) = (Unit::Bytes, None);
        let mention_hosts_count = true;
        limits.push(Limit {
            at_most: bytes.value,
            unit,
            url_counts_as,
            mention_hosts_count,
            bare_urls: false,
        });
    }
    limits
}

/// Every `[[endpoint.total]]`.
pub(super) fn totals(table: &Table<'_>, fields: &Fields, faults: &mut Faults<'_>) -> Vec<Total> {
    let wrappers: Vec<&str> =
        table.strings("also-under", faults).iter().map(|wrapper| wrapper.value).collect();
    let mut totals = Vec::new();
    for total in table.tables("total", &["fields", "limit", "unit"], faults) {
        let mut named = Vec::new();
        for field in total.strings("fields", faults) {
            let is_known = |known: &Named| {
                known.treatment == Treatment::Words && known.spec.template == field.value
            };
            if !fields.iter().any(is_known) {
                faults.add(
                    field.span,
                    format!("`{}` is no field of words here", field.value),
                    "a total counts fields that the endpoint names, written as they are there",
                );
            }
            named.extend(wrappers.iter().map(|wrapper| format!("{wrapper}.{}", field.value)));
            named.push(field.value.to_owned());
        }
        let limit = limits(&total, faults);
        if limit.is_empty() || named.is_empty() {
            faults.add(
                total.span(),
                "a total needs fields, a limit and a unit",
                "say what counts and how much it may be: fields = [\"embeds[].title\"], limit = 6000, unit = \"utf16\"",
            );
        }
        totals.extend(limit.into_iter().map(|limit| Total { fields: named.clone(), limit }));
    }
    totals
}

fn offsets(table: &Table<'_>, faults: &mut Faults<'_>) -> Option<Offsets> {
    let given = table.strings("offsets-in", faults);
    let written = table.strings("offsets-count", faults);
    let Some(name) = table.string("offsets", faults) else {
        if let Some(key) = given.iter().chain(&written).next() {
            faults.add(
                key.span,
                "`offsets-in` or `offsets-count` without `offsets`",
                "say how they are written: offsets = \"offset-length\"",
            );
        }
        return None;
    };
    let shape = one_of(&name, "offsets handler", Shape::NAMES, faults)?;
    let mut lists: Vec<&str> = given.iter().map(|place| place.value).collect();
    if lists.is_empty() {
        lists.extend(shape.usual_key());
    }
    if lists.is_empty() {
        faults.add(
            name.span,
            format!("`{}` needs to know where the offsets are", name.value),
            "add offsets-in = \"ranges\": the keys from the text's own object down, with dots between",
        );
        return None;
    }
    let mut counts: Vec<Count> = written
        .iter()
        .filter_map(|count| one_of(count, "count of offsets", Count::NAMES, faults))
        .collect();
    let needs_none = shape == Shape::Unmovable || shape.own_count().is_some();
    if needs_none != written.is_empty() {
        faults.add(
            name.span,
            if needs_none {
                format!("`{}` says itself what it counts", name.value)
            } else {
                format!("`{}` needs to know what the offsets count", name.value)
            },
            if needs_none {
                "leave offsets-count out"
            } else {
                "add offsets-count = \"utf16\", \"code-points\" or \"bytes\", or a list of these where it is not known"
            },
        );
        return None;
    }
    counts.extend(shape.own_count());
    let keys = |place: &str| place.split('.').map(str::to_owned).collect();
    Some(Offsets { shape, counts, lists: lists.into_iter().map(keys).collect() })
}

/// `counts-with` names a field of the same endpoint that has a limit.
fn check_shared_limits(span: Span, named: &[Named], faults: &mut Faults<'_>) {
    for field in named {
        let Some(with) = &field.spec.counts_with else { continue };
        if !named.iter().any(|other| other.spec.template == *with && !other.spec.limits.is_empty())
        {
            faults.add(
                span,
                format!("`{}` counts with `{with}`, which has no limit here", field.spec.template),
                "counts-with names a field of the same endpoint that has a limit",
            );
        }
    }
}
