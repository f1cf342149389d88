//! What must hold of what others say of a sender, whatever its bytes: the checks of the fuzz targets.

#![expect(clippy::missing_panics_doc, reason = "a fuzz target reports by a panic")]

use super::header::{extent, read};
use crate::body::check::Check;
use crate::policy::is_name;
use crate::proxy::tls::certified_names;

/// Every check, by the name of its fuzz target and its folder of seeds.
pub const TARGETS: &[(&str, Check)] =
    &[("proxy-header", proxy_header), ("certificate", certificate)];

/// Headers of the PROXY protocol: one extent in whatever pieces they come, and never more than has come.
pub fn proxy_header(data: &[u8]) {
    let Ok((n, is_whole)) = extent(data) else { return };
    assert!(n <= data.len() && n <= 536, "more than a header");
    let header = data.get(..n).unwrap_or_default();
    if is_whole {
        let _ = read(header);
        assert!(extent(header) == Ok((n, true)), "it ends elsewhere when nothing follows");
    }
    for cut in 0..n.saturating_sub(usize::from(is_whole)) {
        let part = data.get(..cut).unwrap_or_default();
        assert!(extent(part) == Ok((cut, false)), "it ends early when it comes in pieces");
    }
}

/// Names in certificates: a bounded number, and each fit to be compared and written down.
pub fn certificate(data: &[u8]) {
    let names = certified_names(data);
    assert!(names.len() <= 64, "too many names");
    assert!(names.iter().all(|name| is_name(&name.value)), "a name that is none");
}
