//! Who sends, as an attacker would have it: every way to be taken for somebody else is tried over real sockets, and what
//! counts is what the platform got and whom the audit names.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod balancer;
mod headers;

use http::StatusCode;
use http_body_util::Full;
use ipnet::IpNet;
use serde_json::Value;

use crate::support::proxy::Started;
use crate::support::{Client, Proxy, Upstream};

pub(crate) const HOST: &str = "mastodon.example";

/// Blocked for everybody but those who prove to be in the group.
pub(crate) const SSN: &str = "her SSN is 078-05-1120, please call back";

/// The address that tests connect from, and one that they do not.
pub(crate) const HERE: &str = "127.0.0.1/32";
pub(crate) const ELSEWHERE: &str = "127.0.0.9/32";

/// A proxy whose policy lets the group `press` post numbers.
pub(crate) fn excusing(upstream: &Upstream, proof: &str) -> Proxy {
    Proxy::to(upstream).policy("[replacement]", &excused(proof))
}

/// What the policy says of a group with such members.
pub(crate) fn excused(proof: &str) -> String {
    format!(
        "[[group]]\nname = \"press\"\n{proof}\n\n[[exception]]\nname = \"press\"\ncategories = [\"ssn\"]\n\
         groups = [\"press\"]\nreason = \"a test\"\nexpires = 2099-01-01\n\n[replacement]"
    )
}

pub(crate) fn networks(list: &[&str]) -> Vec<IpNet> {
    list.iter().map(|network| network.parse().unwrap()).collect()
}

/// Client, identity, whose word that is, group and verdict of every decision.
pub(crate) fn decisions(events: &[Value]) -> Vec<[String; 5]> {
    let decisions = events.iter().filter(|event| event["event"] == "decision");
    let said = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let keys = ["client", "identity", "identity-by", "group", "verdict"];
    decisions.map(|event| keys.map(|key| said(event, key))).collect()
}

/// The value of a series on the operators' page.
pub(crate) async fn metric(proxy: &Started, series: &str) -> u64 {
    let mut operator = Client::plain(proxy.admin).await;
    let request = operator.request("GET", "a", "/metrics").body(Full::default()).unwrap();
    let page = operator.send(request).await;
    assert_eq!(page.status, StatusCode::OK);
    let line = page.text().lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("there is no {series}")).parse().unwrap()
}
