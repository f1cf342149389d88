//! What reading a post costs: `cargo bench --bench scan`.
//!
//! Texts of three sizes, with and without findings, plain and obfuscated. The engine is built once and warm, as in the
//! proxy; every identifier is invented.

#![expect(clippy::unwrap_used, reason = "without the shipped rules there is nothing to measure")]

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use jiff::civil::date;
use postward::detect::{Engine, Piece};
use postward::normalize::View;
use postward::rules::RuleSet;

fn main() {
    divan::main();
}

/// 280 bytes without any identifier.
const ORDINARY: &str = "So proud of our whole team on nights this week. Twelve admissions, two codes, one pizza that \
    nobody got to eat, and still everyone stayed kind to each other. If you are thinking about nursing school, come and \
    shadow us for a shift. Bring good shoes, a snack and a sense of humor, you will need all";

/// 280 bytes with numbers that are nobody's.
const NUMBERS: &str = "Registration for the 2026 conference opens on 3 March at 9:30, room 412. Fees are $250 before \
    15 January and $325 after, lunch is included. We had 1,240 people from 38 states last year, and 92% said they would \
    come back. Twelve of 40 talks are still open, so send in your abstract of 300 words now.";

/// 280 bytes with four identifiers.
const DISCLOSING: &str = "Can somebody in the lab please call me back about bed 12? His MRN is 4471902, SSN 219-09-9999, \
    and the daughter is at (615) 555-0171 or on roe.jane@mailhub.example. He has been waiting since noon for a potassium \
    that hemolyzed twice, and I would really like to go home before the next storm comes in.";

/// The same, written so that no plain pattern sees it.
fn obfuscated() -> String {
    let mut text = String::new();
    for c in DISCLOSING.chars() {
        match c {
            '0'..='9' => text.extend(char::from_u32(u32::from(c) - u32::from('0') + 0xFF10)),
            'a' => text.push('а'),
            'e' => text.push('é'),
            'N' => text.push_str("N\u{200b}"),
            _ => text.push(c),
        }
    }
    text
}

fn text(kind: &str, bytes: usize) -> String {
    let unit = match kind {
        "ordinary" => ORDINARY.to_owned(),
        "numbers" => NUMBERS.to_owned(),
        "disclosing" => DISCLOSING.to_owned(),
        _ => obfuscated(),
    };
    let mut text = unit.clone();
    // A long text discloses as often as a post does: in one part of seven.
    while text.len() < bytes {
        text.push('\n');
        text.push_str(if text.len() % 7 == 0 { &unit } else { ORDINARY });
    }
    text
}

const KINDS: [&str; 4] = ["ordinary", "numbers", "disclosing", "obfuscated"];

fn scan(bencher: Bencher<'_, '_>, kind: &str, bytes: usize) {
    let engine = Engine::build(&RuleSet::embedded()).unwrap();
    let text = text(kind, bytes);
    let today = date(2026, 11, 22);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| engine.scan(black_box(&[Piece { text: &text, label: None }]), today));
}

#[divan::bench(args = KINDS)]
fn post_of_280_bytes(bencher: Bencher<'_, '_>, kind: &str) {
    scan(bencher, kind, 0);
}

#[divan::bench(args = KINDS)]
fn post_of_2_kilobytes(bencher: Bencher<'_, '_>, kind: &str) {
    scan(bencher, kind, 2 << 10);
}

#[divan::bench(args = KINDS, sample_count = 5, sample_size = 1)]
fn text_of_1_megabyte(bencher: Bencher<'_, '_>, kind: &str) {
    scan(bencher, kind, 1 << 20);
}

#[divan::bench(args = KINDS)]
fn folding_280_bytes(bencher: Bencher<'_, '_>, kind: &str) {
    let text = text(kind, 0);
    bencher.counter(BytesCount::of_str(&text)).bench(|| View::of(black_box(&text)));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn building_the_engine(bencher: Bencher<'_, '_>) {
    bencher.bench(|| Engine::build(&RuleSet::embedded()));
}
