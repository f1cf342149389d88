//! `rotate`, `rotate-size`, `keep` and `compress` of `[audit]`: how long the file grows, and how long it is kept.

use crate::audit::{Keep, Period};
use crate::config::syntax::SIZES;
use crate::diagnostic::{Faults, Table};

const PERIODS: [(&str, Period); 4] = [
    ("day", Period::Day),
    ("week", Period::Week),
    ("month", Period::Month),
    ("never", Period::Never),
];

/// Units of time, in months.
pub(super) const SPANS: [(&str, u64); 4] =
    [("month", 1), ("months", 1), ("year", 12), ("years", 12)];

/// Reads them out of the table.
pub(super) fn read(table: &mut Table<'_>, faults: &mut Faults) -> Keep {
    let mut keep = Keep::default();
    if let Some(period) = table.choice("rotate", &PERIODS, faults) {
        keep.rotate = period.value;
    }
    if let Some(size) = table.quantity("rotate-size", &SIZES, 1, 1 << 20..=1 << 40, faults) {
        keep.size = size.value;
    }
    if let Some(compress) = table.flag("compress", faults) {
        keep.compress = compress.value;
    }
    if let Some(only_spool) = table.flag("only-spool", faults).filter(|flag| flag.value) {
        keep.only_spool = true;
        if !table.has("sink") {
            faults.error(
                only_spool.span,
                "without a sink, nothing would keep the audit",
                "add [[audit.sink]], or take `only-spool` out",
            );
        }
    }
    if let Some(span) = table.quantity("keep", &SPANS, 12, 1..=1200, faults) {
        keep.months = u32::try_from(span.value).unwrap_or(u32::MAX);
        if keep.months < Keep::HIPAA_MONTHS {
            faults.warning(
                span.span,
                "`keep` is less than the six years for which HIPAA wants documentation kept (45 CFR 164.316(b)(2)(i))",
                "write `keep = \"6 years\"`, or make sure that another archive has the audit that long",
            );
        }
    }
    keep
}
