//! Reads the `[[endpoint]]` entries of a platform file.

use std::collections::HashSet;
use std::sync::Arc;

use http::Method;

use crate::platform::bound::Bound;
use crate::platform::endpoint::{Class, Endpoint, Entry};
use crate::platform::field::FieldSpec;
use crate::platform::fields::Treatment;
use crate::platform::file::read::{Faults, Table, nearest};
use crate::platform::file::{Reading, answer, field, frame, one_of};
use crate::platform::frame::METHOD as WEBSOCKET;
use crate::platform::rewrite::Rewrite;
use crate::platform::template::PathTemplate;

const KEYS: &[&str] = &[
    "method",
    "path",
    "operation",
    "class",
    "words",
    "opaque",
    "other",
    "field",
    "total",
    "answer",
    "rewrite",
    "bound",
    "addresses",
    "also-under",
    "when",
    "reply",
    "reply-id",
    "announced",
];

/// The methods a platform's API can have. Closed: no request would ever match a misspelt one, and its endpoint would be
/// read as unknown without a word. CONNECT and TRACE are no calls of an API.
/// WEBSOCKET is what messages are read under.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", WEBSOCKET];

/// Every endpoint: one for each method and path (and operation) of each entry.
pub(super) fn endpoints(
    root: &Table<'_>,
    reading: Reading,
    faults: &mut Faults<'_>,
) -> Vec<Endpoint> {
    let mut all = Vec::new();
    let mut seen = HashSet::new();
    for table in root.tables("endpoint", KEYS, faults) {
        for endpoint in entry(&table, reading, faults) {
            if !seen.insert(endpoint.template.clone()) {
                faults.add(
                    table.span(),
                    format!("`{}` stands in the file twice", endpoint.template),
                    "put all its fields into one [[endpoint]]",
                );
            }
            all.push(endpoint);
        }
    }
    all
}

fn entry(table: &Table<'_>, reading: Reading, faults: &mut Faults<'_>) -> Vec<Endpoint> {
    for key in ["method", "path", "class"].into_iter().filter(|key| !table.has(key)) {
        faults.add(
            table.span(),
            format!("the endpoint has no `{key}`"),
            "an endpoint has method, path and class (post, media, sign-in, telemetry, pass or sealed)",
        );
    }
    let class = table
        .string("class", faults)
        .and_then(|class| one_of(&class, "class", Class::NAMES, faults));
    let methods = methods(table, faults);
    let paths = paths(table, faults);
    let operations = table.strings("operation", faults);
    let fields = field::fields(table, reading, faults);
    let has_words = fields.iter().any(|named| named.treatment == Treatment::Words);
    if let Some(class) = class {
        check_class(table, class, has_words, !operations.is_empty(), faults);
    }
    let rewrite = table
        .string("rewrite", faults)
        .and_then(|name| one_of(&name, "rewrite", Rewrite::NAMES, faults));
    let bound =
        table.string("bound", faults).and_then(|name| one_of(&name, "bond", Bound::NAMES, faults));
    let addresses = table.strings("addresses", faults);
    for prefix in addresses.iter().filter(|prefix| !prefix.value.ends_with([':', '/'])) {
        faults.add(
            prefix.span,
            "an address begins with a scheme",
            "write what all of them begin with, up to a colon or slash: \"at://\"",
        );
    }
    let announced = table.flag("announced", faults);
    let answer = answer(table, faults);
    let totals = field::totals(table, &fields, faults);
    let is_message = methods
        .iter()
        .all(|method| method.as_ref().is_some_and(|method| method.as_str() == WEBSOCKET));
    let (when, reply) = frame::of_endpoint(table, is_message, faults);
    let Some(class) = class else { return Vec::new() };
    let addresses = addresses.into_iter().map(|prefix| prefix.value.to_owned()).collect();
    let rest = FieldSpec::named("*");
    let entry = Arc::new(Entry {
        class,
        fields,
        answer,
        reply,
        when,
        rewrite,
        bound,
        totals,
        addresses,
        announced,
        rest,
    });
    let operations: Vec<Option<&str>> = match &operations[..] {
        [] => vec![None],
        some => some.iter().map(|operation| Some(operation.value)).collect(),
    };
    let mut endpoints = Vec::new();
    for method in &methods {
        for (written, path) in &paths {
            for operation in &operations {
                endpoints.push(endpoint(&entry, method.as_ref(), written, path, *operation));
            }
        }
    }
    endpoints
}

fn endpoint(
    entry: &Arc<Entry>,
    method: Option<&Method>,
    written: &str,
    path: &PathTemplate,
    operation: Option<&str>,
) -> Endpoint {
    let mut template = format!("{} {written}", method.map_or("*", Method::as_str));
    let conditions = entry.when.iter().map(|when| when.written.as_str());
    for word in operation.into_iter().chain(conditions) {
        template.push(' ');
        template.push_str(word);
    }
    Endpoint {
        entry: Arc::clone(entry),
        template,
        method: method.cloned(),
        path: path.clone(),
        operation: operation.map(str::to_owned),
    }
}

/// A class is a promise about an endpoint; what would break it is a fault.
fn check_class(
    table: &Table<'_>,
    class: Class,
    has_words: bool,
    has_operation: bool,
    faults: &mut Faults<'_>,
) {
    let span = table.span();
    if class == Class::Post && !has_words {
        faults.add(
            span,
            "an endpoint of class post has no words",
            "name the fields that carry a person's words (words = [\"text\"]), or give it another class",
        );
    }
    if class.reads_the_rest() {
        return;
    }
    if has_words {
        faults.add(
            span,
            "this class promises that nothing here is published, yet fields are words",
            "make the class post; its ids and tokens go into opaque",
        );
    }
    if table.has("opaque") {
        faults.add(
            span,
            "on endpoints of this class everything is opaque",
            "leave `opaque` out; what should be read all the same goes into `other`",
        );
    }
    if has_operation {
        faults.add(
            span,
            "an operation's name is only what the client calls it, so it cannot make a request harmless",
            "leave the endpoint out: what no file names is read",
        );
    }
}

/// `None` is any method.
fn methods(table: &Table<'_>, faults: &mut Faults<'_>) -> Vec<Option<Method>> {
    let mut methods = Vec::new();
    for written in table.strings("method", faults) {
        if written.value == "*" {
            methods.push(None);
        } else if let Some(method) = METHODS.iter().find(|method| **method == written.value) {
            methods.extend(Method::from_bytes(method.as_bytes()).ok().map(Some));
        } else {
            let help = match nearest(&written.value.to_ascii_uppercase(), &METHODS) {
                Some(near) => format!("did you mean \"{near}\"? \"*\" is any method"),
                None => format!("there are: {}; \"*\" is any method", METHODS.join(", ")),
            };
            faults.add(written.span, format!("there is no method `{}`", written.value), help);
        }
    }
    methods
}

fn paths<'a>(table: &Table<'a>, faults: &mut Faults<'_>) -> Vec<(&'a str, PathTemplate)> {
    let mut paths = Vec::new();
    for written in table.strings("path", faults) {
        match PathTemplate::parse(written.value) {
            Ok(path) => paths.push((written.value, path)),
            Err((message, help)) => faults.add(written.span, message, help),
        }
    }
    paths
}
