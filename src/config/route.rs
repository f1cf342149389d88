//! The routes of `postward.toml`: which hosts belong to which platform, and where their requests go.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::config::host::{is_here, upstream, wrong_host};
use crate::config::{Listener, Route, UpstreamAddress, WebSocket};
use crate::diagnostic::{Faults, Placed, Table, did_you_mean, shown};
use crate::platform::Platforms;

const WEBSOCKETS: [(&str, WebSocket); 2] =
    [("refuse", WebSocket::Refuse), ("read", WebSocket::Read)];

/// Reads every `[[route]]`. No host is in two of them.
pub(super) fn read(
    tables: Vec<Table<'_>>,
    listeners: &[Listener],
    platforms: Option<&Platforms>,
    faults: &mut Faults,
) -> Vec<Route> {
    let mut routes = Vec::new();
    let mut taken: HashMap<String, String> = HashMap::new();
    for table in tables {
        let span = table.span();
        let Some((route, hosts)) = read_one(table, listeners, platforms, faults) else { continue };
        for host in &hosts {
            if let Some(platform) = taken.get(&host.value) {
                faults.error(
                    host.span,
                    format!("`{}` is routed to {platform} already", shown(&host.value)),
                    "a host belongs to one [[route]]",
                );
            }
            taken.insert(host.value.clone(), route.platform.clone());
        }
        if hosts.is_empty() {
            for host in &route.hosts {
                if let Some(platform) = taken.insert(host.clone(), route.platform.clone()) {
                    faults.error(span, format!("`{host}`, which the platform's file lists, is routed to {platform} already"), "name this route's hosts, or take the other out");
                }
            }
        }
        routes.push(route);
    }
    routes
}

/// One route, and its hosts as written.
fn read_one(
    mut table: Table<'_>,
    listeners: &[Listener],
    platforms: Option<&Platforms>,
    faults: &mut Faults,
) -> Option<(Route, Vec<Placed<String>>)> {
    let span = table.span();
    let has_hosts = table.has("hosts");
    let hosts = table.texts("hosts", faults).unwrap_or_default();
    for host in &hosts {
        if let Some((message, help)) = wrong_host(&host.value) {
            faults.error(host.span, format!("`{}`: {message}", shown(&host.value)), help);
        }
    }
    let platform = table.required_text(
        "platform",
        "say which platform's these hosts are: `platform = \"mastodon\"`, or \"generic\"",
        faults,
    );
    let may_be_plain = table.flag("allow-plain-http", faults).is_some_and(|flag| flag.value);
    let upstream = table
        .text("upstream", faults)
        .and_then(|url| read_upstream(&url, may_be_plain, listeners, faults));
    let websocket = table.choice("websocket", &WEBSOCKETS, faults).map(|it| it.value);
    let websocket = websocket.unwrap_or_default();
    table.finish(faults);
    let platform = platform?;
    let mut names: Vec<String> = hosts.iter().map(|host| host.value.clone()).collect();
    if let Some(platforms) = platforms {
        let Some(known) = platforms.get(&platform.value) else {
            let ids: Vec<&str> = platforms.iter().map(|platform| platform.id()).collect();
            faults.error(
                platform.span,
                format!("there is no platform `{}`", shown(&platform.value)),
                did_you_mean(&platform.value, &ids),
            );
            return None;
        };
        if !has_hosts {
            names = known.hosts().to_vec();
            if names.is_empty() {
                faults.error(
                    span,
                    format!(
                        "[[route]] has no `hosts`, and the platform {} lists none",
                        platform.value
                    ),
                    "name them: `hosts = [\"mastodon.example\"]`",
                );
            }
        }
    }
    Some((Route { hosts: names, platform: platform.value, upstream, websocket }, hosts))
}

fn read_upstream(
    url: &Placed<String>,
    may_be_plain: bool,
    listeners: &[Listener],
    faults: &mut Faults,
) -> Option<UpstreamAddress> {
    let address = match upstream(&url.value) {
        Ok(address) => address,
        Err((message, help)) => {
            faults.error(url.span, message, help);
            return None;
        }
    };
    if !address.tls && !may_be_plain && !is_here(&address) {
        let help = "write https, or add `allow-plain-http = true` to the route if the wire to this host is the hospital's own";
        faults.error(url.span, format!("posts would go to {} in the clear", address.host), help);
    }
    if listeners.iter().any(|listener| leads_back(&address, listener)) {
        faults.error(
            url.span,
            "this upstream is a [[listener]] of this very proxy, so posts would go in circles",
            "name the platform's own address and port",
        );
    }
    Some(address)
}

/// Whether an upstream given by address is one of our listeners.
fn leads_back(upstream: &UpstreamAddress, listener: &Listener) -> bool {
    let host = if upstream.host == "localhost" { "127.0.0.1" } else { &upstream.host };
    let Ok(host) = host.parse::<IpAddr>() else { return false };
    let ours = listener.address.ip();
    upstream.port == listener.address.port()
        && upstream.port != 0
        && (ours == host || (ours.is_unspecified() && host.to_canonical().is_loopback()))
}
