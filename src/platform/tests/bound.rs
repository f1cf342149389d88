//! A thread's hashes after a redaction: those that the platform's own client library computes over the redacted records.

use http::Method;

use super::{json, platform};
use crate::platform::platforms::CannotRedact;

/// Three posts and the first one's threadgate, as the app posts them. The hashes are computed by libipld, as `atproto`
/// 0.0.73 brings it.
const BEFORE: &str = include_str!("thread-before.json");
/// The same with the name redacted.
const AFTER: &str = include_str!("thread-after.json");
const NAME: &str = "Mr. Castellano";

fn mend(before: &str, after: &str) -> Result<String, CannotRedact> {
    let platform = platform("bluesky");
    let path = "/xrpc/com.atproto.repo.applyWrites";
    let endpoint = platform.resolve(&Method::POST, path, None).endpoint;
    let after = json(after);
    let edits = platform.mend(endpoint, &json(before), &after)?;
    Ok(String::from_utf8(after.write(&edits).unwrap().to_vec()).unwrap())
}

#[test]
fn hashes_are_computed_anew() {
    assert_eq!(mend(BEFORE, &BEFORE.replace(NAME, "[name]")).as_deref(), Ok(AFTER));
    assert_eq!(mend(BEFORE, BEFORE).as_deref(), Ok(BEFORE));
}

#[test]
fn the_last_post_of_a_thread_binds_nothing() {
    let (first, last) = BEFORE.rsplit_once(NAME).unwrap();
    let after = format!("{first}[name]{last}");
    assert_eq!(mend(BEFORE, &after).as_deref(), Ok(after.as_str()));
}

#[test]
fn what_cannot_be_computed_is_bound() {
    let hash = BEFORE.split("\"cid\":\"").nth(1).unwrap().get(..59).unwrap();
    let other = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a";
    for before in [
        // The client's hash is not the one that we compute.
        BEFORE.replace(hash, other),
        // Numbers that are not whole, and keys that stand twice, have no one hash.
        BEFORE.replace("\"langs\":", "\"odd\":1.5,\"langs\":"),
        BEFORE.replace("\"langs\":", "\"text\":\"x\",\"langs\":"),
        // A server that checks the hash of the whole.
        BEFORE.replace("\"validate\":", "\"expectedCid\":\"bafy\",\"validate\":"),
    ] {
        let after = before.replace(NAME, "[name]");
        assert_eq!(mend(&before, &after), Err(CannotRedact::Bound), "{before}");
    }
}

#[test]
fn an_answer_ahead_of_its_post_is_bound() {
    let mut before: serde_json::Value = serde_json::from_str(BEFORE).unwrap();
    before["writes"].as_array_mut().unwrap().reverse();
    let before = before.to_string();
    assert_eq!(mend(&before, &before.replace(NAME, "[name]")), Err(CannotRedact::Bound));
}
