//! The page that Prometheus reads: its own text, and OpenMetrics for those who ask for it.
//!
//! It is written here because the library of the kind, `prometheus-client`, writes OpenMetrics alone: in the older text, which
//! `curl`, `promtool` and most agents ask for, its counters have no type. It also keeps every labelled counter behind a lock and
//! a table of hashes, where a post finds its own here by place. What is written is checked by `promtool` and by a real
//! Prometheus (`tests/run watch`).
//!
//! Promise: a family is what its [`Family`] says: its name, its kind, and a value for each of its labels.

use std::fmt::{self, Write as _};

/// How a family's values are to be understood.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Only ever grows, but for a restart. Its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Always 1; what it says is in its labels. Its name ends in `_info`.
    Info,
    /// Seconds, counted in buckets.
    Histogram,
}

impl Kind {
    /// The word of the documentation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Info => "info",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric: everything that is the same whatever is counted.
#[derive(Debug)]
pub struct Family {
    /// Its name, as it stands on the page.
    pub name: &'static str,
    /// How its values are to be understood.
    pub kind: Kind,
    /// The names of its labels, in the order of their values.
    pub labels: &'static [&'static str],
    /// What it says, in one sentence.
    pub help: &'static str,
}

impl Family {
    /// One that only grows.
    pub const fn counter(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { name, kind: Kind::Counter, labels, help }
    }

    /// One that goes up and down.
    pub const fn gauge(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { name, kind: Kind::Gauge, labels, help }
    }

    /// One whose labels are what it says.
    pub const fn info(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { name, kind: Kind::Info, labels, help }
    }

    /// One of seconds in buckets.
    pub const fn histogram(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { name, kind: Kind::Histogram, labels, help }
    }
}

/// In which words the page is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Format {
    /// Prometheus' own text, version 0.0.4.
    #[default]
    Prometheus,
    /// OpenMetrics, version 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The format for what an `Accept` header asks for. Who does not name OpenMetrics gets Prometheus' text.
    pub fn accepted(accept: &str) -> Self {
        let asks = accept.split(',').any(|part| {
            let mut words = part.split(';').map(str::trim);
            let is_named = words.next() == Some("application/openmetrics-text");
            let is_refused = words.clone().any(|word| matches!(word, "q=0" | "q=0.0"));
            let is_known = words
                .find_map(|word| word.strip_prefix("version="))
                .is_none_or(|version| version == "1.0.0" || version == "0.0.1");
            is_named && is_known && !is_refused
        });
        if asks { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// The page's content type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// A page being written.
#[derive(Debug)]
pub struct Page {
    format: Format,
    text: String,
}

impl Page {
    /// An empty page.
    pub fn new(format: Format) -> Self {
        Self { format, text: String::with_capacity(32 * 1024) }
    }

    /// Begins a family. All its samples follow at once; it may have none.
    pub fn family(&mut self, family: &'static Family) -> Samples<'_> {
        let (name, kind) = match (self.format, family.kind) {
            (Format::Prometheus, Kind::Info) => (family.name, Kind::Gauge),
            (Format::OpenMetrics, Kind::Counter) => (without(family.name, "_total"), family.kind),
            (Format::OpenMetrics, Kind::Info) => (without(family.name, "_info"), family.kind),
            _ => (family.name, family.kind),
        };
        let (kind, help) = (kind.as_str(), Escaped(family.help));
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        Samples { page: self, family }
    }

    /// A family of one sample without labels.
    pub fn single(&mut self, family: &'static Family, value: impl fmt::Display) {
        self.family(family).put(&[], value);
    }

    /// The whole page.
    pub fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

fn without(name: &'static str, ending: &str) -> &'static str {
    name.strip_suffix(ending).unwrap_or(name)
}

/// The samples of one family.
#[derive(Debug)]
pub struct Samples<'p> {
    page: &'p mut Page,
    family: &'static Family,
}

impl Samples<'_> {
    /// Writes one sample: the values of its labels, in their order, and its own.
    pub fn put(&mut self, labels: &[&str], value: impl fmt::Display) {
        self.line("", labels, None, value);
    }

    /// Writes the samples of one histogram: for each bound the number of values up to it, then all of them, and their sum.
    pub(super) fn put_buckets(
        &mut self,
        labels: &[&str],
        buckets: impl Iterator<Item = (Option<f64>, u64)>,
        sum: f64,
    ) {
        let mut n = 0;
        for (bound, up_to) in buckets {
            n = up_to;
            let bound = bound.map_or_else(|| "+Inf".to_owned(), number);
            self.line("_bucket", labels, Some(&bound), n);
        }
        self.line("_sum", labels, None, sum);
        self.line("_count", labels, None, n);
    }

    fn line(
        &mut self,
        ending: &str,
        labels: &[&str],
        bound: Option<&str>,
        value: impl fmt::Display,
    ) {
        debug_assert_eq!(labels.len(), self.family.labels.len(), "{}", self.family.name);
        let text = &mut self.page.text;
        text.push_str(self.family.name);
        text.push_str(ending);
        let mut before = '{';
        let bound = bound.iter().map(|bound| ("le", *bound));
        for (name, value) in
            self.family.labels.iter().copied().zip(labels.iter().copied()).chain(bound)
        {
            let _ = write!(text, "{before}{name}=\"{}\"", Escaped(value));
            before = ',';
        }
        if before == ',' {
            text.push('}');
        }
        let _ = writeln!(text, " {value}");
    }
}

/// A bound as both formats write it: with a point, so that it is the same series in both.
fn number(bound: f64) -> String {
    let text = bound.to_string();
    if text.contains('.') { text } else { format!("{text}.0") }
}

/// What names in a configuration may hold, and the page's own marks may not stand among.
struct Escaped<'t>(&'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((at, mark)) =
            rest.char_indices().find(|(_, c)| matches!(c, '\\' | '"' | '\n'))
        {
            f.write_str(rest.get(..at).unwrap_or_default())?;
            f.write_str(match mark {
                '\\' => "\\\\",
                '"' => "\\\"",
                _ => "\\n",
            })?;
            rest = rest.get(at + 1..).unwrap_or_default();
        }
        f.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::{Family, Format, Page};

    static SEEN: Family = Family::counter("postward_seen_total", &["platform"], "What was seen.");
    static BUILD: Family = Family::info("postward_build_info", &["version"], "The build.");
    static TOOK: Family = Family::histogram("postward_took_seconds", &[], "How long it took.");

    fn page(format: Format) -> String {
        let mut page = Page::new(format);
        page.family(&SEEN).put(&["a\\b\"c\nd"], 3);
        page.family(&BUILD).put(&["1.0"], 1);
        page.family(&TOOK).put_buckets(
            &[],
            [(Some(0.005), 1), (Some(1.0), 2), (None, 2)].into_iter(),
            0.25,
        );
        page.finish()
    }

    #[test]
    fn the_text_of_prometheus() {
        insta::assert_snapshot!(page(Format::Prometheus), @r#"
        # HELP postward_seen_total What was seen.
        # TYPE postward_seen_total counter
        postward_seen_total{platform="a\\b\"c\nd"} 3
        # HELP postward_build_info The build.
        # TYPE postward_build_info gauge
        postward_build_info{version="1.0"} 1
        # HELP postward_took_seconds How long it took.
        # TYPE postward_took_seconds histogram
        postward_took_seconds_bucket{le="0.005"} 1
        postward_took_seconds_bucket{le="1.0"} 2
        postward_took_seconds_bucket{le="+Inf"} 2
        postward_took_seconds_sum 0.25
        postward_took_seconds_count 2
        "#);
    }

    #[test]
    fn open_metrics_names_families_without_their_endings_and_ends() {
        let page = page(Format::OpenMetrics);
        for line in ["# TYPE postward_seen counter\n", "# TYPE postward_build info\n"] {
            assert!(page.contains(line), "{page}");
        }
        assert!(page.contains("\npostward_seen_total{") && page.ends_with("\n# EOF\n"), "{page}");
    }

    #[test]
    fn who_asks_for_open_metrics_gets_it() {
        let newest = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        for (accept, want) in [
            ("", Format::Prometheus),
            ("*/*", Format::Prometheus),
            ("text/plain;version=0.0.4", Format::Prometheus),
            (newest, Format::OpenMetrics),
            ("text/plain, application/openmetrics-text; version=0.0.1", Format::OpenMetrics),
            ("application/openmetrics-text;version=2.0.0", Format::Prometheus),
            ("application/openmetrics-text;q=0", Format::Prometheus),
        ] {
            assert_eq!(Format::accepted(accept), want, "{accept}");
        }
    }
}
