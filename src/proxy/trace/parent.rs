//! `traceparent` (W3C Trace Context): a header from outside. It is read in its one valid form, and anything else counts as none.

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};
use opentelemetry::{SpanId, TraceId};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The longest `tracestate` that must be passed on (section 3.3.1.5).
const MOST_STATE: usize = 512;

/// What a client's tracing says of the request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Parent {
    pub(crate) trace: TraceId,
    pub(crate) span: SpanId,
    pub(crate) is_sampled: bool,
}

impl Parent {
    /// Reads the header, and takes what is not valid off, with the `tracestate` that belongs to it.
    pub(crate) fn take(headers: &mut HeaderMap) -> Option<Self> {
        let mut given = headers.get_all(&TRACEPARENT).iter();
        let parent = match (given.next(), given.next()) {
            (None, _) => {
                headers.remove(&TRACESTATE);
                return None;
            }
            (Some(one), None) => Self::parse(one.as_bytes()),
            _ => None,
        };
        let is_long = |headers: &HeaderMap| {
            headers.get_all(&TRACESTATE).iter().map(HeaderValue::len).sum::<usize>() > MOST_STATE
        };
        if parent.is_none() {
            headers.remove(&TRACEPARENT);
            headers.remove(&TRACESTATE);
        } else if is_long(headers) {
            headers.remove(&TRACESTATE);
        }
        parent
    }

    /// Version 00: `00-<32 hexadecimal digits>-<16>-<2>`, none of the ids zero. A later version may have more behind it.
    fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let mut parts = text.splitn(5, '-');
        let version = hex::<1>(parts.next()?)?;
        let trace = TraceId::from_bytes(hex::<16>(parts.next()?)?);
        let span = SpanId::from_bytes(hex::<8>(parts.next()?)?);
        let [flags] = hex::<1>(parts.next()?)?;
        // What a version that we do not know has behind that could be any text, so it is not passed on.
        let is_known = version == [0] && parts.next().is_none();
        let is_whole = trace != TraceId::INVALID && span != SpanId::INVALID;
        (is_known && is_whole).then_some(Self { trace, span, is_sampled: flags & 1 == 1 })
    }
}

/// Puts our span in the place of the client's, for the platform.
pub(super) fn write(headers: &mut HeaderMap, trace: TraceId, span: SpanId) {
    if let Ok(value) = HeaderValue::try_from(format!("00-{trace}-{span}-01")) {
        headers.insert(TRACEPARENT, value);
    }
}

/// Digits in lower case, exactly as many as `N` bytes take.
fn hex<const N: usize>(digits: &str) -> Option<[u8; N]> {
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        for digit in pair {
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                _ => return None,
            };
            *byte = (*byte << 4) | value;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::Parent;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn one_form_is_valid_and_anything_else_is_taken_off() {
        let long = "x".repeat(513);
        let cases: [(&[&str], &str, bool, bool); 14] = [
            (&[GOOD], "a=b", true, true),
            (&["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"], "a=b", true, true),
            (&[GOOD], &long, true, false),
            (&[], "a=b", false, false),
            (&[GOOD, GOOD], "a=b", false, false),
            (&["00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"], "a=b", false, false),
            (&["00-00000000000000000000000000000000-b7ad6b7169203331-01"], "a=b", false, false),
            (&["00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"], "a=b", false, false),
            (&["ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"], "a=b", false, false),
            (
                &["01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-Jane"],
                "a=b",
                false,
                false,
            ),
            (&["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-"], "a=b", false, false),
            (&["00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01"], "a=b", false, false),
            (&["ssn 987-65-4321"], "a=b", false, false),
            (&[""], "a=b", false, false),
        ];
        for (parents, state, is_valid, keeps_state) in cases {
            let mut headers = HeaderMap::new();
            for parent in parents {
                headers.append("traceparent", HeaderValue::from_str(parent).unwrap());
            }
            headers.append("tracestate", HeaderValue::from_str(state).unwrap());
            let parent = Parent::take(&mut headers);
            assert_eq!(parent.is_some(), is_valid, "{parents:?}");
            assert_eq!(headers.contains_key("traceparent"), is_valid, "{parents:?}");
            assert_eq!(headers.contains_key("tracestate"), keeps_state, "{parents:?}");
            if let Some(parent) = parent {
                assert_eq!(parent.is_sampled, parents[0].ends_with("01"));
                assert_eq!(parent.trace.to_string(), "0af7651916cd43dd8448eb211c80319c");
                assert_eq!(parent.span.to_string(), "b7ad6b7169203331");
            }
        }
    }
}
