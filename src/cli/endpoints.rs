//! `check --endpoints`: which calls of a platform are understood, and what is done with each.
//!
//! Hospital IT reads this before a platform is opened to staff, and compares it after an upgrade. So the list says as
//! plainly what is not read (sign-in, searches) as what is.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use http::Method;
use serde_json::{Value, json};

use crate::cli::style::{self, HEADING, QUIET, paint};
use crate::platform::{Class, Endpoint, Platform};

/// Columns of a line of fields: readable in a terminal of 80.
const WIDTH: usize = 78;

/// What becomes of the calls of each class, in the order they are shown in.
const CLASSES: [(Class, &str); 6] = [
    (Class::Post, "read, these fields redacted"),
    (Class::Media, "files; read around them, these fields redacted"),
    (Class::Sealed, "encrypted from end to end: unreadable, the policy's on-unreadable decides"),
    (Class::Pass, "not read, nothing is published: searches, follows, likes"),
    (Class::SignIn, "not read, credentials"),
    (Class::Telemetry, "not read, counts of clicks"),
];

/// How many endpoints of each class a platform has, those it has none of left out: `50 post, 4 media`.
pub(super) fn by_class(platform: &Platform) -> String {
    let count = |(class, _): &(Class, _)| {
        let n = platform.endpoints().filter(|endpoint| endpoint.class() == *class).count();
        (n > 0).then(|| format!("{n}\u{a0}{}", class.as_str()))
    };
    CLASSES.iter().filter_map(count).collect::<Vec<_>>().join(", ")
}

/// Every endpoint of a platform, for people.
pub(super) fn list(platform: &Platform, hosts: &[String]) -> String {
    let name = platform.id();
    let mut text = paint(HEADING, name);
    let _ = write!(text, ": {}", style::count(platform.n_endpoints(), "endpoint"));
    if !hosts.is_empty() {
        let _ = write!(text, "\n{}", indented("  ", &format!("on {}", hosts.join(", "))));
    }
    for (class, what) in CLASSES {
        let groups = groups(platform, class);
        if groups.is_empty() {
            continue;
        }
        let what = match class {
            Class::Post if platform.is_always_signed() => {
                "read, never redacted: whoever writes them signs them"
            }
            _ => what,
        };
        let n: usize = groups.iter().map(Group::n_endpoints).sum();
        let _ = write!(text, "\n\n  {} ({n}): {what}", paint(HEADING, class.as_str()));
        let width = groups.iter().map(Group::width).max().unwrap_or_default();
        for group in groups {
            group.write(width, &mut text);
        }
    }
    let rest = format!(
        "Any other call of {name} is read whole and never edited. What should be redacted there follows the policy's \
         on-cannot-redact; the audit marks it coverage: generic."
    );
    let _ = write!(text, "\n\n{}", indented("  ", &rest));
    text
}

/// Every endpoint of a platform, for machines.
pub(super) fn as_json(platform: &Platform) -> Value {
    let one = |endpoint: &Endpoint| {
        json!({
            "method": endpoint.method().map_or("*", Method::as_str),
            "path": endpoint.path(),
            "operation": endpoint.operation(),
            "class": endpoint.class().as_str(),
            "words": endpoint.words(),
        })
    };
    let mut endpoints: Vec<&Endpoint> = platform.endpoints().collect();
    endpoints.sort_by_key(|endpoint| (endpoint.path(), endpoint.template()));
    endpoints.into_iter().map(one).collect()
}

/// Endpoints of one entry of the file: they have the same fields.
struct Group<'p> {
    first: &'p Endpoint,
    /// Path and operation, with the methods.
    calls: BTreeMap<String, Vec<&'p str>>,
}

/// The entries of a class, by their first path.
fn groups(platform: &Platform, class: Class) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for endpoint in platform.endpoints().filter(|endpoint| endpoint.class() == class) {
        let mut call = endpoint.path().to_owned();
        if let Some(operation) = endpoint.operation() {
            let _ = write!(call, " {operation}");
        }
        let method = endpoint.method().map_or("any", Method::as_str);
        let same = groups.iter_mut().find(|group| group.first.shares_entry_with(endpoint));
        if let Some(group) = same {
            group.calls.entry(call).or_default().push(method);
        } else {
            groups.push(Group { first: endpoint, calls: BTreeMap::from([(call, vec![method])]) });
        }
    }
    for methods in groups.iter_mut().flat_map(|group| group.calls.values_mut()) {
        methods.sort_unstable();
    }
    groups.sort_by_cached_key(|group| group.calls.keys().next().cloned());
    groups
}

impl Group<'_> {
    fn n_endpoints(&self) -> usize {
        self.calls.values().map(Vec::len).sum()
    }

    /// Columns that its methods take.
    fn width(&self) -> usize {
        self.calls.values().map(|methods| methods.join("|").len()).max().unwrap_or_default()
    }

    fn write(&self, width: usize, text: &mut String) {
        for (call, methods) in &self.calls {
            let _ = write!(text, "\n    {:<width$}  {call}", methods.join("|"));
        }
        let words = self.first.words();
        if !words.is_empty() {
            // A field's name is one word, whatever blanks it holds.
            let words: Vec<_> = words.iter().map(|word| word.replace(' ', "\u{a0}")).collect();
            let lines = indented(&" ".repeat(width + 8), &words.join(", "));
            let _ = write!(text, "\n{QUIET}{lines}{QUIET:#}");
        }
    }
}

/// A text in lines of their own.
fn indented(margin: &str, text: &str) -> String {
    let lines = style::wrap(text, WIDTH - margin.len());
    let lines = lines.iter().map(|line| format!("{margin}{}", line.replace('\u{a0}', " ")));
    lines.collect::<Vec<_>>().join("\n")
}
