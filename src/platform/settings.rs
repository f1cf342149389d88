//! What holds of all endpoints of a platform, and how a request's path and method are read by it.

use std::borrow::Cow;

use http::Method;
use percent_encoding::percent_decode_str;

use crate::body::{Document, Kind, Role, Step};
use crate::platform::signed::Signatures;
use crate::platform::{frame, template};

/// What holds of all endpoints of a platform.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// A first segment such as `v25.0` is left out.
    pub(super) version_prefix: bool,
    /// An ending that paths may have and that says nothing (`.json`).
    pub(super) optional_suffix: Option<String>,
    /// Words of paths are taken in capitals and small letters alike.
    pub(super) ignore_path_case: bool,
    /// The segment that the API stands under, wherever on its host that is (`wp-json`): what is before it is left out.
    pub(super) base_segment: Option<String>,
    /// The parameter of the query that gives the path under the base (`rest_route`).
    pub(super) path_parameter: Option<String>,
    /// The parameter that gives another method than the request's (`_method`).
    pub(super) method_parameter: Option<String>,
    pub(super) signatures: Signatures,
}

impl Settings {
    /// The segments of the path that counts; `None` where two servers could disagree on what it means.
    pub(super) fn segments<'p>(
        &self,
        path: &'p str,
        query: &str,
        body: Option<&Document>,
    ) -> Option<Vec<Cow<'p, str>>> {
        let mut segments = template::segments(path)?;
        let Some(base) = &self.base_segment else { return Some(segments) };
        let is_front = match segments.as_slice() {
            [] => true,
            [.., last] if last == "index.php" => true,
            [folder] => !folder.contains('.'),
            _ => false,
        };
        let under_base = segments.iter().position(|segment| **segment == **base);
        if let Some(at) = under_base {
            segments.drain(..at);
        }
        let Some(parameter) = &self.path_parameter else { return Some(segments) };
        let mut given = routes(query, body, parameter);
        let Some(first) = given.next() else { return Some(segments) };
        let first = first?;
        if given.any(|other| other.as_ref() != Some(&first)) {
            return None;
        }
        let route = template::segments(&first)?;
        let owned = route.into_iter().map(|segment| Cow::Owned(segment.into_owned()));
        let named: Vec<_> = std::iter::once(Cow::Owned(base.clone())).chain(owned).collect();
        // A file of its own (`wp-comments-post.php`) does what it does, whatever route is given.
        (is_front || (under_base.is_some() && named == segments)).then_some(named)
    }

    /// The method that counts. Where it is given twice and otherwise, or is none, it is one that nothing is known of.
    pub(super) fn method<'m>(
        &self,
        method: &'m Method,
        query: &str,
        body: Option<&Document>,
    ) -> Cow<'m, Method> {
        let Some(parameter) = &self.method_parameter else { return Cow::Borrowed(method) };
        let in_body = body.into_iter().flat_map(Document::texts).filter(|text| {
            text.role == Role::Value
                && matches!(&text.path.steps()[..], [step] if step.is_key(parameter))
        });
        let mut given = values(query, parameter)
            .chain(in_body.map(|text| Some(text.text.expose().to_owned())))
            .map(|value| value.unwrap_or_default().to_ascii_uppercase());
        let Some(first) = given.next() else { return Cow::Borrowed(method) };
        // A request cannot be a message of a WebSocket, whatever it says.
        if given.any(|other| other != first) || first == frame::METHOD {
            return Cow::Owned(Method::TRACE);
        }
        Cow::Owned(Method::from_bytes(first.as_bytes()).unwrap_or(Method::TRACE))
    }
}

/// The values of the parameter that names a route, in the query and in a form; `None` for one that servers may read
/// otherwise: spelt as PHP mends it (`rest.route`), a list, in a body that is no form.
fn routes<'q>(
    query: &'q str,
    body: Option<&'q Document>,
    name: &'q str,
) -> impl Iterator<Item = Option<String>> + 'q {
    let in_query = query.split('&').filter_map(move |field| {
        let (key, value) = field.split_once('=').unwrap_or((field, ""));
        let key = percent_decode_str(&key.replace('+', " ")).decode_utf8_lossy().into_owned();
        names_variable(&key, name).then(|| {
            let value = value.replace('+', " ");
            let value = percent_decode_str(&value).decode_utf8().ok()?.into_owned();
            (key == name).then_some(value)
        })
    });
    let in_body = body.into_iter().flat_map(move |body| {
        let is_form = matches!(body.kind(), Kind::Form | Kind::Multipart);
        body.texts().iter().filter_map(move |text| {
            let steps = text.path.steps();
            let Some(Step::Key(key)) = steps.first() else { return None };
            if !matches!(text.role, Role::Value | Role::Number) || !names_variable(key, name) {
                return None;
            }
            let is_plain = is_form && steps.len() == 1 && **key == *name;
            Some(is_plain.then(|| text.text.expose().to_owned()))
        })
    });
    in_query.chain(in_body)
}

/// Whether PHP may take a key for this variable: blanks before it go, a dot, a blank or a bracket is an underscore, and
/// what follows a bracket or a zero byte is an index, or nothing.
fn names_variable(key: &str, name: &str) -> bool {
    let mended = key.trim_start().replace(['.', ' ', '['], "_");
    mended
        .strip_prefix(name)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', '\0', ']']))
}

/// The values of a parameter of a raw query; `None` for one that does not decode.
fn values<'q>(query: &'q str, name: &'q str) -> impl Iterator<Item = Option<String>> + 'q {
    let decode = |raw: &str| {
        percent_decode_str(&raw.replace('+', " ")).decode_utf8().ok().map(Cow::into_owned)
    };
    query.split('&').filter_map(move |field| {
        let (key, value) = field.split_once('=').unwrap_or((field, ""));
        (decode(key).as_deref() == Some(name)).then(|| decode(value))
    })
}
