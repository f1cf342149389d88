//! Reads a platform file: from TOML as written to a [`Platform`] that can be used.
//!
//! Invariant: a platform that comes out of here needs no further check. Its templates are compiled, its answers are valid
//! for any sentence, its names are from the closed lists. Every fault of a file is reported, not only the first.

mod endpoint;
mod field;
mod frame;
mod read;

use std::sync::Arc;

use toml::de::DeTable;

use crate::diagnostic::{Diagnostic, Source, of_toml};
use crate::platform::Platform;
use crate::platform::answer::{self, AnswerTemplate};
use crate::platform::settings::Settings;
use crate::platform::signed::Signatures;
use crate::span::Span;

use self::read::{Faults, Table, Written, nearest};

const KEYS: &[&str] = &[
    "name",
    "hosts",
    "version-prefix",
    "optional-suffix",
    "query-as-body",
    "ignore-key-case",
    "ignore-path-case",
    "base-segment",
    "path-parameter",
    "method-parameter",
    "signed",
    "answer",
    "websocket",
    "endpoint",
];
const SIGNED_KEYS: &[&str] = &["headers", "parameters", "always"];
const ANSWER_KEYS: &[&str] = &["status", "content-type", "body"];

/// How a platform reads the names of parameters.
#[derive(Clone, Copy, Debug)]
struct Reading {
    query_as_body: bool,
    ignore_key_case: bool,
}

/// Reads a whole file.
pub(super) fn parse(source: &Arc<Source>) -> Result<Platform, Vec<Diagnostic>> {
    let mut faults = Faults::new(source);
    let (root, errors) = DeTable::parse_recoverable(&source.text);
    for error in &errors {
        faults.push(of_toml(source, error));
    }
    if !faults.is_empty() {
        return Err(faults.into_list());
    }
    let root = Table::new(root.get_ref(), Span::new(0, 0), KEYS, &mut faults);
    let platform = platform(&root, &mut faults);
    match platform {
        Some(platform) if faults.is_empty() => Ok(platform),
        _ => Err(faults.into_list()),
    }
}

fn platform(root: &Table<'_>, faults: &mut Faults<'_>) -> Option<Platform> {
    let id = name(root, faults);
    let hosts = root.strings("hosts", faults);
    for host in &hosts {
        check_host(host, faults);
    }
    let reading = Reading {
        query_as_body: root.flag("query-as-body", faults),
        ignore_key_case: root.flag("ignore-key-case", faults),
    };
    let settings = Settings {
        version_prefix: root.flag("version-prefix", faults),
        optional_suffix: word(root, "optional-suffix", faults),
        ignore_path_case: root.flag("ignore-path-case", faults),
        base_segment: word(root, "base-segment", faults),
        path_parameter: word(root, "path-parameter", faults),
        method_parameter: word(root, "method-parameter", faults),
        signatures: signatures(root, faults),
    };
    if settings.path_parameter.is_some() && settings.base_segment.is_none() {
        faults.add(
            root.span(),
            "`path-parameter` without `base-segment`",
            "say under which segment the API stands when it is called by its path: base-segment = \"wp-json\"",
        );
    }
    if !root.has("answer") {
        faults.add(
            root.span(),
            "the file has no [answer]",
            "say what a blocked post is answered with: status, content-type and a body that holds {sentence}",
        );
    }
    let answer = answer(root, faults);
    let reply = frame::of_platform(root, faults);
    let endpoints = endpoint::endpoints(root, reading, faults);
    let hosts = hosts.into_iter().map(|host| host.value.to_owned()).collect();
    Some(Platform::new(id?, hosts, settings, (answer?, reply), endpoints))
}

fn word(root: &Table<'_>, key: &str, faults: &mut Faults<'_>) -> Option<String> {
    root.string(key, faults).map(|word| word.value.to_owned())
}

fn name(root: &Table<'_>, faults: &mut Faults<'_>) -> Option<String> {
    if !root.has("name") {
        faults.add(root.span(), "the file has no `name`", "begin it with name = \"my-platform\"");
    }
    let name = root.string("name", faults)?;
    let is_word = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if !name.value.split('-').all(is_word) {
        faults.add(
            name.span,
            "a platform's name is of small letters, digits and single hyphens",
            "write it like \"my-platform\": routes and policies use it",
        );
        return None;
    }
    Some(name.value.to_owned())
}

fn check_host(host: &Written<&str>, faults: &mut Faults<'_>) {
    let labels = host.value.strip_prefix("*.").unwrap_or(host.value);
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
    };
    if !labels.split('.').all(is_label) {
        faults.add(
            host.span,
            "this is no host name",
            "hosts are in small letters, without scheme, port or path, with `*.` for one label at most: \"api.x.com\"",
        );
    }
}

fn signatures(root: &Table<'_>, faults: &mut Faults<'_>) -> Signatures {
    let Some(table) = root.table("signed", SIGNED_KEYS, faults) else {
        return Signatures::default();
    };
    let headers = table.strings("headers", faults);
    for header in &headers {
        if http::HeaderName::from_bytes(header.value.as_bytes()).is_err() {
            faults.add(
                header.span,
                "this is no header name",
                "write the name alone, without colon: \"X-Body-Hash\"",
            );
        }
    }
    Signatures {
        headers: headers.iter().map(|header| header.value.to_ascii_lowercase()).collect(),
        parameters: table
            .strings("parameters", faults)
            .iter()
            .map(|name| name.value.to_owned())
            .collect(),
        always: table.flag("always", faults),
    }
}

/// The `answer` of the platform or of one endpoint.
fn answer(table: &Table<'_>, faults: &mut Faults<'_>) -> Option<AnswerTemplate> {
    let table = table.table("answer", &[ANSWER_KEYS, &["in-status-line"]].concat(), faults)?;
    for key in ANSWER_KEYS.iter().filter(|key| !table.has(key)) {
        faults.add(
            table.span(),
            format!("the answer has no `{key}`"),
            "an answer has status, content-type and body",
        );
    }
    let status =
        table.count("status", faults).and_then(|number| match answer::status(number.value) {
            Ok(status) => Some(status),
            Err((message, help)) => {
                faults.add(number.span, message, help);
                None
            }
        });
    let content_type = table.string("content-type", faults).filter(|content_type| {
        let fits = http::HeaderValue::from_str(content_type.value).is_ok();
        if !fits {
            faults.add(
                content_type.span,
                "this is no content type",
                "write it like \"application/json\"",
            );
        }
        fits
    });
    let body = table.string("body", faults);
    let in_status_line = table.flag("in-status-line", faults);
    let (content_type, body) = (content_type?, body?);
    match AnswerTemplate::new(
        status.unwrap_or(http::StatusCode::FORBIDDEN),
        content_type.value,
        body.value,
    ) {
        Ok(template) => status.map(|_| template.in_status_line(in_status_line)),
        Err((message, help)) => {
            let span = if message.contains("type") { content_type.span } else { body.span };
            faults.add(span, message, help);
            None
        }
    }
}

/// One name of a closed list.
fn one_of<T: Copy>(
    written: &Written<&str>,
    what: &str,
    names: &[(&str, T)],
    faults: &mut Faults<'_>,
) -> Option<T> {
    let found = names.iter().find(|(name, _)| *name == written.value).map(|&(_, value)| value);
    if found.is_none() {
        let all: Vec<&str> = names.iter().map(|&(name, _)| name).collect();
        let help = match nearest(written.value, &all) {
            Some(near) => format!("did you mean \"{near}\"? There are: {}", all.join(", ")),
            None => format!("there are: {}", all.join(", ")),
        };
        faults.add(written.span, format!("there is no {what} `{}`", written.value), help);
    }
    found
}
