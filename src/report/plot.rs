//! Plots as SVG within the page. They are told apart by pattern, not colour alone: reports are printed in black and white.

use std::collections::BTreeMap;

use jiff::civil::Date;
use maud::{Markup, html};

use crate::report::counts::Verdicts;
use crate::report::words::{counted, number};

/// The drawing's own units; it is as wide as the page.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 46.0;
const BOTTOM: f64 = 28.0;
const TOP: f64 = 10.0;

/// The patterns, once a page.
pub(super) fn patterns() -> Markup {
    html! {
        svg width="0" height="0" aria-hidden="true" style="position:absolute" {
            defs {
                pattern id="redacted" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect width="5" height="5" fill="#fff" {}
                    rect width="2.2" height="5" fill="#b45309" {}
                }
            }
        }
    }
}

/// What the fillings mean.
pub(super) fn legend() -> Markup {
    let key = |class: &str, word: &str| {
        html! {
            span.key {
                svg width="14" height="14" aria-hidden="true" { rect class=(class) x="1" y="1" width="12" height="12" {} }
                " " (word)
            }
        }
    };
    html! {
        p.legend {
            (key("forward", "sent on unchanged"))
            (key("redact", "redacted"))
            (key("block", "blocked"))
        }
    }
}

/// Columns by day or week, each stacked by verdict.
pub(super) fn by_day(days: &BTreeMap<Date, Verdicts>, by_week: bool) -> Markup {
    let most = days.values().map(Verdicts::all).max().unwrap_or(0);
    let scale = Scale::new(most, days.len());
    let what = if by_week { "week" } else { "day" };
    let every = label_every(days.len(), 8);
    let all: u64 = days.values().map(Verdicts::all).sum();
    html! {
        svg.plot viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img"
            aria-label=(format!("Posts by {what}: {} in all, {} at most in one {what}", number(all), number(most))) {
            (scale.grid())
            @for (at, (day, verdicts)) in days.iter().enumerate() {
                g {
                    title { (day) ": " (counted(verdicts.all(), "post", "posts")) ", " (number(verdicts.redact)) " redacted, " (number(verdicts.block)) " blocked" }
                    (scale.bar(at, 0, verdicts.forward, "forward"))
                    (scale.bar(at, verdicts.forward, verdicts.redact, "redact"))
                    (scale.bar(at, verdicts.forward + verdicts.redact, verdicts.block, "block"))
                }
                @if at % every == 0 { (scale.label(at, &day.strftime("%-d %b").to_string())) }
            }
            (Scale::axis())
        }
    }
}

/// Columns of the 24 hours.
pub(super) fn by_hour(hours: &[u64; 24]) -> Markup {
    let most = hours.iter().copied().max().unwrap_or(0);
    let scale = Scale::new(most, hours.len());
    html! {
        svg.plot viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img"
            aria-label=(format!("Blocked posts by hour of the day, UTC: {} at most in one hour", number(most))) {
            (scale.grid())
            @for (at, n) in hours.iter().enumerate() {
                g {
                    title { (format!("{at:02}:00 to {at:02}:59")) ": " (number(*n)) " blocked" }
                    (scale.bar(at, 0, *n, "block"))
                }
                @if at % 3 == 0 { (scale.label(at, &format!("{at:02}:00"))) }
            }
            (Scale::axis())
        }
    }
}

/// A bar within a table's row, stacked by verdict; `most` is the largest row's.
pub(super) fn in_row(verdicts: &Verdicts, most: u64) -> Markup {
    const LONG: f64 = 120.0;
    let wide = |n: u64| ratio(n, most) * LONG;
    let (forward, redact, block) =
        (wide(verdicts.forward), wide(verdicts.redact), wide(verdicts.block));
    html! {
        svg.inrow viewBox=(format!("0 0 {LONG} 12")) aria-hidden="true" {
            @for (from, width, class) in [(0.0, forward, "forward"), (forward, redact, "redact"), (forward + redact, block, "block")] {
                @if width > 0.0 {
                    rect class=(class) x=(format!("{from:.2}")) y="1" width=(format!("{width:.2}")) height="10" {}
                }
            }
        }
    }
}

/// How counts and places become units of the drawing.
struct Scale {
    /// The value at the top.
    top: u64,
    n: usize,
}

impl Scale {
    fn new(most: u64, n: usize) -> Self {
        Self { top: round_up(most.max(4)), n: n.max(1) }
    }

    fn height_of(&self, n: u64) -> f64 {
        ratio(n, self.top) * (HEIGHT - BOTTOM - TOP)
    }

    #[expect(clippy::cast_precision_loss, reason = "columns of a page")]
    fn left_of(&self, at: usize) -> f64 {
        LEFT + self.step() * at as f64
    }

    #[expect(clippy::cast_precision_loss, reason = "columns of a page")]
    fn step(&self) -> f64 {
        (WIDTH - LEFT - 6.0) / self.n as f64
    }

    fn bar(&self, at: usize, below: u64, n: u64, class: &str) -> Markup {
        let (height, base) = (self.height_of(n), HEIGHT - BOTTOM - self.height_of(below));
        let width = (self.step() * 0.78).min(34.0);
        let left = self.left_of(at) + (self.step() - width) / 2.0;
        html! {
            @if n > 0 {
                rect class=(class) x=(format!("{left:.2}")) y=(format!("{:.2}", base - height)) width=(format!("{width:.2}")) height=(format!("{height:.2}")) {}
            }
        }
    }

    fn label(&self, at: usize, text: &str) -> Markup {
        let middle = self.left_of(at) + self.step() / 2.0;
        html! { text x=(format!("{middle:.1}")) y=(HEIGHT - BOTTOM + 16.0) text-anchor="middle" { (text) } }
    }

    fn grid(&self) -> Markup {
        html! {
            @for quarter in [1, 2, 3, 4] {
                @let value = self.top * quarter / 4;
                @let y = HEIGHT - BOTTOM - self.height_of(value);
                line.grid x1=(LEFT) x2=(WIDTH) y1=(format!("{y:.1}")) y2=(format!("{y:.1}")) {}
                text x=(LEFT - 6.0) y=(format!("{:.1}", y + 4.0)) text-anchor="end" { (number(value)) }
            }
        }
    }

    fn axis() -> Markup {
        let y = HEIGHT - BOTTOM;
        html! {
            line.axis x1=(LEFT) x2=(WIDTH) y1=(y) y2=(y) {}
            text x=(LEFT - 6.0) y=(y + 4.0) text-anchor="end" { "0" }
        }
    }
}

/// The next number that divides into four round steps.
fn round_up(n: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for step in [4, 8, 12, 20, 24, 32] {
            let Some(round) = unit.checked_mul(step) else { return n };
            if round >= n {
                return round;
            }
        }
        match unit.checked_mul(10) {
            Some(larger) => unit = larger,
            None => return n,
        }
    }
}

fn label_every(n: usize, labels: usize) -> usize {
    let every = n.div_ceil(labels).max(1);
    // Weeks are easier to count than eighths of a month.
    if every > 1 && n <= 62 { every.next_multiple_of(7).min(7) } else { every }
}

#[expect(clippy::cast_precision_loss, reason = "counts become lengths on paper")]
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64).min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::{label_every, round_up};

    #[test]
    fn scales_end_on_round_numbers_that_quarter() {
        for (n, want) in
            [(4, 4), (5, 8), (9, 12), (13, 20), (33, 40), (81, 120), (1234, 2000), (3201, 4000)]
        {
            assert_eq!(round_up(n), want, "{n}");
            assert_eq!(round_up(n) % 4, 0);
        }
        assert!(round_up(u64::MAX) > 0);
        assert_eq!((label_every(7, 8), label_every(31, 8), label_every(104, 8)), (1, 7, 13));
    }
}
