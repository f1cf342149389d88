//! What fails, and what does not get out meanwhile: every fault is a real one, made on the real program or on the real
//! sockets, and of each the tests say what its client saw, what reached the platform, and what the audit holds.
//!
//! The exceptions are a panic in an inspection and one without end: no file and no post that we know of makes one, so they are
//! handed in through the library (`Inspector::rehearsing`), where nothing but a test can reach it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

mod client;
mod disk;
mod house;
mod inspection;
mod kill;
mod limits;
mod platform;
mod resolver;
mod stop;

use serde_json::Value;

/// A post that nobody minds.
const HARMLESS: &str = "flu shots are available in the lobby today";

/// What each decision came to: its verdict, and its outcome if it had one.
fn rulings(events: &[Value]) -> Vec<(&str, Option<&str>)> {
    let outcome_of = |decision: &Value| {
        let is_of_it =
            |event: &&Value| event["event"] == "outcome" && event["id"] == decision["id"];
        events.iter().find(is_of_it).and_then(|event| event["outcome"].as_str())
    };
    let decisions = events.iter().filter(|event| event["event"] == "decision");
    decisions.map(|it| (it["verdict"].as_str().unwrap(), outcome_of(it))).collect()
}

/// What is written beside each verdict of why there is no better one.
fn reasons(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["reason"].as_str()).collect()
}
