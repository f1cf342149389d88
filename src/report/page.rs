//! The page: one file of HTML that needs nothing else, for a screen and for paper.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::policy::Exemption;
use crate::report::chains::{Begins, Chain};
use crate::report::counts::Verdicts;
use crate::report::gather::Report;
use crate::report::words::{counted, micros, minute, minute_of, number, share, short};
use crate::report::{parts, plot};

const STYLE: &str = include_str!("page.css");

/// Nothing is loaded and nothing runs, whoever opens it.
const ALONE: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Draws a report. `exemptions` are the exceptions of the policy now in force, where it was given.
pub fn page(report: &Report, exemptions: Option<&[Exemption]>) -> String {
    let scope = &report.scope;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(ALONE);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { "Postward audit report, " (scope.from) " to " (scope.to) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (plot::patterns())
                h1 { "Posts to social platforms: audit report" }
                p.under {
                    b { (scope.from) " to " (scope.to) } ", both days included, in UTC. Made on " (minute(scope.now))
                    " UTC by Postward " (env!("CARGO_PKG_VERSION")) " from "
                    (counted(n_sources(report), "file or database", "files or databases")) ". It holds no text of any post."
                }
                (state(report))
                (figures(report))
                h2 { "What was posted" }
                (posted(report))
                h2 { "What was found, and what decided" }
                (found(report))
                h2 { "What could not be read or done" }
                (parts::unread(report))
                h2 { "What was in force" }
                (parts::in_force(report, exemptions))
                h2 { "Whether the record is whole" }
                (parts::whole(report))
                h2 { "What this report cannot say" }
                (cannot_say(report))
                div.sign {
                    div { "Reviewed by (name, office)" } div { "Date" }
                }
            }
        }
    }
    .into_string()
}

fn n_sources(report: &Report) -> u64 {
    let of_chains: usize = report.chains.iter().map(|chain| chain.sources.len()).sum();
    (of_chains + report.empty.len()) as u64
}

/// The one thing an auditor asks first.
fn state(report: &Report) -> Markup {
    let n_breaks: u64 = report.chains.iter().map(|chain| chain.n_breaks).sum();
    let n_lines: u64 = report.chains.iter().map(|chain| chain.n_lines).sum();
    let n_cut = report.chains.iter().filter(|c| c.begins == Begins::AfterMissing).count() as u64;
    html! {
        @if let Some(link) = report.chains.iter().find_map(|chain| chain.breaks.first()) {
            div class="state broken" role="alert" {
                strong { "THE RECORD WAS CHANGED OR IS DAMAGED." }
                p { "First broken link: " b { (link.source) ", line " (link.line) } ": " (link.why) "." }
                p { (counted(n_breaks, "link does not hold", "links do not hold")) ". Lines that were changed are counted in none of the figures below; what they said is not known." }
            }
        } @else if report.chains.is_empty() {
            div class="state unknown" {
                strong { "There is nothing to verify." }
                p { "The sources that were given hold no line of an audit." }
            }
        } @else if n_cut > 0 {
            div class="state unknown" {
                strong { "Every link holds, but the record begins in the middle." }
                p { (counted(n_lines, "line hangs", "lines hang")) " together by their hashes. " (counted(n_cut, "chain begins", "chains begin"))
                    " after lines that were not given: see " i { "Whether the record is whole" } "." }
            }
        } @else {
            div class="state fine" {
                strong { "The record is whole: every link holds." }
                p { (counted(n_lines, "line hangs", "lines hang")) " together by their hashes, in " (counted(report.chains.len() as u64, "chain", "chains"))
                    ". Compare the heads at the end of this report with those noted elsewhere: a tail that was cut off shows only so." }
            }
        }
        @if report.n_lost > 0 {
            div class="state broken" {
                strong { (counted(report.n_lost, "event is", "events are")) " missing." }
                p { "They could not be written when they happened (a full disk, say). The chain says how many, nobody can say what." }
            }
        }
    }
}

fn figures(report: &Report) -> Markup {
    let posts = &report.posts;
    let of = |n: u64| share(n, posts.all());
    html! {
        div.figures {
            div { b { (number(posts.all())) } span { "posts judged" } }
            div { b { (number(posts.forward)) } span { "sent on unchanged, " (of(posts.forward)) } }
            div { b { (number(posts.redact)) } span { "redacted, " (of(posts.redact)) } }
            div { b { (number(posts.block)) } span { "blocked, " (of(posts.block)) } }
        }
        @if report.monitored.all() > 0 {
            div class="state unknown" {
                strong { "Not all verdicts were carried out." }
                p { (counted(report.monitored.all(), "post was", "posts were")) " judged in monitor mode: of these, " (number(report.monitored.redact))
                    " would have been redacted and " (number(report.monitored.block)) " blocked, and all went on as they were. They are counted here by their verdict." }
            }
        }
    }
}

fn posted(report: &Report) -> Markup {
    let what = if report.by_week { "Posts by week (beginning on Monday)" } else { "Posts by day" };
    html! {
        @if report.posts.all() == 0 {
            p { "No post was judged in this period. Nobody posted, the proxy did not run, or the posts went another way: see " i { "Times without a line" } "." }
        } @else {
            figure { figcaption { (what) } (plot::by_day(&report.days, report.by_week)) (plot::legend()) }
            @if report.posts.block > 0 {
                figure { figcaption { "Blocked posts by hour of the day (UTC)" } (plot::by_hour(&report.hours)) }
            }
            (parts::verdicts("By platform", "Platform", &report.platforms, Some(&report.posts)))
            (parts::verdicts("By client group", "Group", &report.groups, Some(&report.posts)))
            @if report.nodes.by_name().count() > 1 {
                (parts::verdicts("By machine", "Machine", &report.nodes, Some(&report.posts)))
            }
        }
        @if report.others.all() > 0 {
            p.note { "Beside posts, " (counted(report.others.all(), "other request was", "other requests were")) " written down because something was found in them or they could not be read: "
                (number(report.others.forward)) " went on, " (number(report.others.redact)) " were redacted, " (number(report.others.block)) " blocked. They are not counted as posts." }
        }
        (parts::counts("What became of them", "Outcome", "Posts and requests", &report.outcomes))
        p.note {
            @if let (Some(half), Some(most)) = (report.times.below(0.5), report.times.below(0.99)) {
                "Judging took " (micros(half)) " for half of the posts, less than " (micros(most)) " for 99 of 100, and " (micros(report.times.longest())) " at the longest. "
            }
            @if report.n_unjudged_media > 0 { (counted(report.n_unjudged_media, "request", "requests")) " carried media whose pixels are not read. " }
            @if report.n_stripped > 0 { "Out of " (counted(report.n_stripped, "request", "requests")) " metadata of media were taken (place, time, owner). " }
            @if report.n_shadow > 0 { "A second policy on trial would have judged " (counted(report.n_shadow, "post", "posts")) " otherwise." }
        }
    }
}

fn found(report: &Report) -> Markup {
    html! {
        p.note { "A post counts once in each row that applies to it, so that rows add up to more than the posts there were. "
            "A row's three figures say what that category, rule or clause asked for; a post's own verdict is the strictest of them." }
        (asked("Categories of HIPAA Safe Harbor, 45 CFR 164.514(b)(2)(i)", "Category", &report.categories))
        (asked("Clauses of the policy that decided", "Clause", &report.clauses))
        (asked("Rules that found something", "Rule", &report.rules))
        @if report.categories.is_empty() { p { "Nothing was found in any post." } }
    }
}

fn asked(caption: &str, of: &str, rows: &crate::report::Tally<Verdicts>) -> Markup {
    html! { @if !rows.is_empty() { (parts::asked(caption, of, rows)) } }
}

fn cannot_say(report: &Report) -> Markup {
    html! {
        ul {
            li { "What a post said. The audit keeps no text, so nobody can check from here whether a verdict was right; a reference number leads to the event, not to the words." }
            li { "What was not found. Detection misses some identifiers; how many of a marked set it finds is what " code { "postward eval" } " measures." }
            li { "What went round the proxy: private phones, apps that refuse it, networks where the names lead elsewhere. A time without a line does not tell these from a quiet day." }
            li { "Who a person is. Clients are known by group and address as the audit keeps them; this report shows groups only." }
            li { "Whether lines were cut off the end, unless a head noted elsewhere (the log, the metrics, another database) is compared with the heads below." }
            li { "Whether a platform kept, showed or deleted a post after it answered." }
            @if report.chains.iter().any(|chain| !chain.holds()) {
                li { b { "What the changed or missing lines said." } }
            }
        }
    }
}

/// A chain's own words.
pub(super) fn chain_row(chain: &Chain) -> Markup {
    let (first, first_time, before) = &chain.first;
    let (last, last_time, head) = &chain.last;
    html! {
        tr {
            td { (chain.node) }
            td {
                "Lines " (number(*first)) " to " (number(*last)) ", " (minute_of(first_time)) " to " (minute_of(last_time)) " UTC" br;
                span.hash { "after " @if chain.begins == Begins::AtFirst { "nothing: this is the beginning" } @else { (before) } } br;
                span.hash { "head " b { (head) } }
                @if chain.sources.len() > 3 {
                    br; span.note { (chain.sources.first().map_or("", String::as_str)) " .. " (chain.sources.last().map_or("", String::as_str)) " (" (counted(chain.sources.len() as u64, "file", "files")) ")" }
                } @else {
                    @for source in &chain.sources { br; span.note { (source) } }
                }
            }
            td.n { (number(chain.n_lines)) }
            td {
                @if chain.holds() { "every link holds" } @else { b { (counted(chain.n_breaks, "link does", "links do")) " not hold" } }
                @match chain.begins {
                    Begins::AtFirst => {}
                    Begins::AfterRetired => { "; earlier lines were removed when their time was over, as the chain says" }
                    Begins::AfterAnother => { "; goes on where another chain here ends" }
                    Begins::AfterMissing => { "; " b { "earlier lines are not among the sources" } }
                }
                @if chain.n_torn > 0 { "; " (counted(chain.n_torn, "line", "lines")) " torn by a crash" }
            }
        }
    }
}

/// A hash that tells sets apart.
pub(super) fn of_set(hash: &str) -> Markup {
    html! { span.hash title=(hash) { @if hash.is_empty() { "–" } @else { (short(hash)) } } }
}
