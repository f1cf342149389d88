//! The tables of the page.

use maud::{Markup, html};

use crate::audit::Entry;
use crate::policy::Exemption;
use crate::report::counts::{Tally, Verdicts};
use crate::report::gather::Report;
use crate::report::page::{chain_row, of_set};
use crate::report::plot;
use crate::report::words::{counted, minute, minute_of, number, share, span};

/// Most rows of one table; those that follow are summed.
const MOST_ROWS: usize = 40;

/// Days ahead in which an exception's end is worth saying.
const SOON: i32 = 60;

/// A table of posts by verdict.
pub(super) fn verdicts(
    caption: &str,
    of: &str,
    rows: &Tally<Verdicts>,
    sum: Option<&Verdicts>,
) -> Markup {
    let rows = rows.largest_first(Verdicts::all);
    let most = rows.first().map_or(0, |(_, row)| row.all());
    html! {
        table {
            caption { (caption) }
            thead { tr { th { (of) } th.n { "Posts" } th.n { "Unchanged" } th.n { "Redacted" } th.n { "Blocked" } th.n { "Blocked, share" } th { "" } } }
            tbody {
                @for (name, row) in rows.iter().take(MOST_ROWS) {
                    tr { td { (name) } td.n { (number(row.all())) } td.n { (number(row.forward)) } td.n { (number(row.redact)) }
                        td.n { (number(row.block)) } td.n { (share(row.block, row.all())) } td.bar { (plot::in_row(row, most)) } }
                }
                (more(rows.len()))
            }
            @if let Some(sum) = sum && rows.len() > 1 {
                tfoot { tr { td { "All" } td.n { (number(sum.all())) } td.n { (number(sum.forward)) } td.n { (number(sum.redact)) }
                    td.n { (number(sum.block)) } td.n { (share(sum.block, sum.all())) } td {} } }
            }
        }
    }
}

/// A table of what was asked for.
pub(super) fn asked(caption: &str, of: &str, rows: &Tally<Verdicts>) -> Markup {
    let rows = rows.largest_first(Verdicts::all);
    let most = rows.first().map_or(0, |(_, row)| row.all());
    html! {
        table {
            caption { (caption) }
            thead { tr { th { (of) } th.n { "Posts" } th.n { "Only logged" } th.n { "To redact" } th.n { "To block" } th { "" } } }
            tbody {
                @for (name, row) in rows.iter().take(MOST_ROWS) {
                    tr { td { (name) } td.n { (number(row.all())) } td.n { (number(row.forward)) } td.n { (number(row.redact)) }
                        td.n { (number(row.block)) } td.bar { (plot::in_row(row, most)) } }
                }
                (more(rows.len()))
            }
        }
    }
}

/// A table of plain counts.
pub(super) fn counts(caption: &str, of: &str, unit: &str, rows: &Tally<u64>) -> Markup {
    let rows = rows.largest_first(|n| *n);
    let all: u64 = rows.iter().map(|(_, n)| **n).sum();
    html! {
        @if !rows.is_empty() {
            table {
                caption { (caption) }
                thead { tr { th { (of) } th.n { (unit) } th.n { "Share" } } }
                tbody {
                    @for (name, n) in rows.iter().take(MOST_ROWS) {
                        tr { td { (name) } td.n { (number(**n)) } td.n { (share(**n, all)) } }
                    }
                    (more(rows.len()))
                }
            }
        }
    }
}

fn more(n: usize) -> Markup {
    html! {
        @if let Some(left @ 1..) = n.checked_sub(MOST_ROWS) {
            tr { td colspan="7" { "and " (counted(left as u64, "row", "rows")) " more, each smaller; " code { "postward audit export" } " has all" } }
        }
    }
}

pub(super) fn unread(report: &Report) -> Markup {
    let is_all_fine =
        report.unreadable.is_empty() && report.generic.is_empty() && report.faults.is_empty();
    html! {
        @if is_all_fine { p { "Every body was read and understood, and nothing that had to be done failed." } }
        (counts("Bodies that could not be read (blocked, unless the policy says otherwise)", "Platform · call · reason", "Requests", &report.unreadable))
        (counts("Bodies of calls that no platform's file describes: read as a whole, never redacted", "Platform", "Requests", &report.generic))
        (counts("Faults", "What", "Requests", &report.faults))
    }
}

pub(super) fn in_force(report: &Report, exemptions: Option<&[Exemption]>) -> Markup {
    let mut sets: Vec<_> = report.sets.iter().collect();
    sets.sort_by(|(_, one), (_, other)| one.1.cmp(&other.1));
    html! {
        @if !sets.is_empty() {
            table {
                caption { "Rules and policies that judged, by their SHA-256 (first 12 digits)" }
                thead { tr { th { "Rules" } th { "Policy" } th { "First used (UTC)" } th { "Last used (UTC)" } th.n { "Events" } } }
                tbody {
                    @for ((rules, policy), (n, first, last)) in sets {
                        tr { td { (of_set(rules)) } td { (of_set(policy)) } td { (minute_of(first)) } td { (minute_of(last)) } td.n { (number(*n)) } }
                    }
                }
            }
        }
        (changes(report))
        (exceptions(report, exemptions))
    }
}

fn changes(report: &Report) -> Markup {
    let became = |before: &str, after: &str| {
        html! {
            @if before == after { "as before" } @else if before.is_empty() { (of_set(after)) } @else { (of_set(before)) " → " b { (of_set(after)) } }
        }
    };
    html! {
        @if report.changes.is_empty() {
            p { "No change of rules, policy or settings is on record in this period." }
        } @else {
            table {
                caption { "Changes while it ran" }
                thead { tr { th { "When (UTC)" } th { "Machine" } th { "What" } th { "Rules" } th { "Policy" } th { "All files" } } }
                tbody {
                    @for change in &report.changes {
                        tr {
                            td { (minute_of(&change.time)) } td { (change.node) } td { (happened(change)) }
                            td { (became(&change.rules_before, &change.rules)) }
                            td { (became(&change.policy_before, &change.policy)) }
                            td { (became(&change.config_before, &change.config)) }
                        }
                    }
                }
            }
            @if report.n_changes > report.changes.len() as u64 {
                p.note { "Only the first " (report.changes.len()) " of " (number(report.n_changes)) " are listed." }
            }
        }
    }
}

fn happened(change: &Entry) -> &str {
    match change.trigger.as_str() {
        "signal" => "reload by signal",
        "request" => "reload by request",
        "watch" => "files changed",
        "" => "reload",
        other => other,
    }
}

fn exceptions(report: &Report, exemptions: Option<&[Exemption]>) -> Markup {
    html! {
        (counts("Exceptions of the policy that let something pass", "Exception", "Posts", &report.exceptions))
        @match exemptions {
            None => p.note { "Which exceptions end soon is not known here: the audit does not say, and no policy was given (" code { "--config" } ")." }
            Some([]) => p { "The policy in force has no exceptions." }
            Some(all) => {
                table {
                    caption { "Exceptions of the policy as its file stands today" }
                    thead { tr { th { "Exception" } th { "Reason" } th { "Ends" } th.n { "Posts" } } }
                    tbody {
                        @for exemption in all {
                            @let left = report.scope.now.to_zoned(jiff::tz::TimeZone::UTC).date().until(exemption.expires).map_or(0, |s| s.get_days());
                            @let used = report.exceptions.by_name().find(|(name, _)| *name == exemption.name).map_or(0, |(_, n)| *n);
                            tr {
                                td { (exemption.name) } td { (exemption.reason) }
                                td { (exemption.expires) @if left < 0 { b { ", is over" } } @else if left <= SOON { b { ", in " (counted(left.unsigned_abs().into(), "day", "days")) } } }
                                td.n { @if used == 0 { "not used" } @else { (number(used)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn whole(report: &Report) -> Markup {
    html! {
        p { "Each line of the audit holds the hash (SHA-256) of the line before it and its own. The table covers all that was given, not only the period." }
        @if !report.chains.is_empty() {
            table {
                caption { "Chains" }
                thead { tr { th { "Machine" } th { "From, to and heads" } th.n { "Lines" } th { "State" } } }
                tbody { @for chain in &report.chains { (chain_row(chain)) } }
            }
        }
        @for chain in report.chains.iter().filter(|chain| !chain.holds()) {
            table {
                caption { "Links that do not hold (" (chain.node) ")" }
                thead { tr { th { "Where" } th.n { "Line" } th { "What is wrong" } } }
                tbody { @for link in &chain.breaks { tr { td { (link.source) } td.n { (link.line) } td { (link.why) } } } }
            }
            @if chain.n_breaks > chain.breaks.len() as u64 { p.note { "and " (number(chain.n_breaks - chain.breaks.len() as u64)) " more." } }
        }
        @if !report.empty.is_empty() {
            p { b { "Without a line of an audit: " } (report.empty.join(", ")) ". New, emptied, or something else." }
        }
        @if !report.bounds.is_empty() {
            table {
                caption { "The period within the chains" }
                thead { tr { th { "Machine" } th { "Lines" } th { "Hash before the first, hash of the last" } th.n { "Events" } } }
                tbody {
                    @for (node, bounds) in &report.bounds {
                        tr { td { (node) } td { (number(bounds.first)) " to " (number(bounds.last)) }
                            td { span.hash { (bounds.before) } br; span.hash { (bounds.head) } } td.n { (number(bounds.n)) } }
                    }
                }
            }
        }
        (retired(report))
        (silences(report))
    }
}

fn retired(report: &Report) -> Markup {
    html! {
        @if !report.retired.is_empty() {
            table {
                caption { "Removed when their time was over" }
                thead { tr { th { "When (UTC)" } th { "File" } th.n { "Lines" } th { "Hash of its last line" } } }
                tbody {
                    @for gone in &report.retired {
                        tr { td { (minute_of(&gone.time)) } td { (gone.file) } td.n { (number(gone.first)) " to " (number(gone.last)) } td { span.hash { (gone.head) } } }
                    }
                }
            }
        }
    }
}

fn silences(report: &Report) -> Markup {
    let hours = counted(u64::from(report.scope.silence), "hour", "hours");
    html! {
        @if report.silences.is_empty() {
            p { "Times without a line: none of " (hours) " or more." }
        } @else {
            table {
                caption { "Times without a line (" (hours) " or more): it did not run, nothing was posted, or the posts went another way; the audit cannot tell" }
                thead { tr { th { "Machine" } th { "From (UTC)" } th { "To (UTC)" } th.n { "Long" } } }
                tbody {
                    @for silence in report.silences.iter().take(100) {
                        tr { td { (silence.node) } td { (minute(silence.from)) } td { (minute(silence.to)) } td.n { (span(silence.from, silence.to)) } }
                    }
                }
            }
            @if report.silences.len() > 100 { p.note { "Only the first 100 of " (number(report.silences.len() as u64)) " are listed." } }
        }
    }
}
