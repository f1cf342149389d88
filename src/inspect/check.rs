//! What must hold of a whole request and of a text alone, whatever their bytes: the checks of the fuzz targets.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a fuzz target reports by a panic"
)]

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use jiff::civil::{Date, date};

use crate::body::Limits;
use crate::body::check::Check;
use crate::detect::Engine;
use crate::diagnostic::Source;
use crate::inspect::{Fault, Inspector, Request, Verdict};
use crate::platform::Platforms;
use crate::policy::{Action, Policy};
use crate::rules::RuleSet;

/// Every check, by the name of its fuzz target and its folder of seeds.
pub const TARGETS: &[(&str, Check)] = &[("request", request), ("scan", scan)];

const TODAY: Date = date(2026, 11, 22);

/// The shipped platforms.
pub(super) static PLATFORMS: LazyLock<Platforms> = LazyLock::new(Platforms::embedded);
/// The shipped rules under the shipped policy.
pub(super) static SHIPPED: LazyLock<Inspector> = LazyLock::new(|| inspector(Policy::embedded()));

/// The shipped rules under a policy.
pub(super) fn inspector(policy: &str) -> Inspector {
    static ENGINE: LazyLock<(Arc<RuleSet>, Arc<Engine>)> = LazyLock::new(|| {
        let rules = RuleSet::embedded();
        let engine = Arc::new(Engine::build(&rules).expect("shipped rules"));
        (rules, engine)
    });
    let (rules, engine) = &*ENGINE;
    let names: Vec<&str> = PLATFORMS.iter().map(|platform| platform.id()).collect();
    let source = Source::new("policy.toml", policy);
    let (policy, _) = Policy::parse(&source, rules, &names).expect("a policy");
    Inspector::new(Arc::clone(engine), Arc::new(policy), Limits::default())
}

/// A request: the first line is `METHOD platform /path?query content-type`, the rest the body. What is redacted can be
/// read again, and what is let pass holds nothing to act on.
pub fn request(data: &[u8]) {
    let line = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (head, rest) = data.split_at_checked(line).unwrap_or((data, &[]));
    let Ok(head) = std::str::from_utf8(head) else { return };
    let mut words = head.splitn(4, ' ');
    let (Some(method), Some(platform), Some(url)) = (words.next(), words.next(), words.next())
    else {
        return;
    };
    let (Ok(method), Some(platform)) = (method.parse::<Method>(), PLATFORMS.get(platform)) else {
        return;
    };
    let mut headers = HeaderMap::new();
    if let Some(Ok(value)) = words.next().map(HeaderValue::from_str) {
        headers.insert(CONTENT_TYPE, value);
    }
    let (path, query) =
        url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
    let body = Bytes::copy_from_slice(rest.get(1..).unwrap_or_default());
    let ask = |query: Option<&str>, body: &Bytes| {
        SHIPPED.inspect(&Request {
            platform,
            method: &method,
            path,
            query,
            headers: &headers,
            body,
            groups: &[],
            reference: "k3f7q2ma",
            mark: None,
            today: TODAY,
        })
    };
    let inspection = ask(query, &body);
    let acted = inspection.findings.iter().any(|finding| finding.action > Action::Log);
    match &inspection.verdict {
        Verdict::Forward => {
            assert!(!acted && inspection.fault.is_none(), "let pass what was found");
        }
        Verdict::Block(_) => assert!(
            acted || inspection.fault.is_some() || inspection.unjudged_media,
            "blocked without a reason"
        ),
        Verdict::Redact(redacted) => {
            let query = redacted.query.as_deref().or(query);
            let again = ask(query, redacted.body.as_ref().unwrap_or(&body));
            assert!(
                !matches!(again.fault, Some(Fault::Unreadable(_))),
                "what was redacted cannot be read"
            );
        }
    }
}

/// A text: whatever is found stands in it, on characters, and what is redacted is not what it was.
pub fn scan(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let judged = SHIPPED.judge_text(text, "mastodon", &[], None, TODAY);
    for (finding, _) in &judged.findings {
        assert!(
            finding.span.of(text).is_some_and(|words| !words.is_empty()),
            "found between words"
        );
    }
    assert!(
        judged.redacted.is_some() == (judged.action == Some(Action::Redact)),
        "redacted, and not"
    );
}
