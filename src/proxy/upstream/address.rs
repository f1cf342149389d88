//! From a request's host to the addresses that are dialled, and the refusal of those that lead back to us.
//!
//! The clinic's own DNS sends the platforms' names to this proxy. If our own resolver did the same, every post would go
//! round in circles; so a public route may not end at an address of this machine or of a private network.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::config::Upstream;
use crate::proxy::route::Routes;
use crate::proxy::seldom::Seldom;
use crate::proxy::upstream::connect::ConnectError;

/// How much later the next address is tried while the one before has not answered (RFC 8305 recommends 250 ms).
const STAGGER: Duration = Duration::from_millis(250);

/// Finds and dials addresses.
#[derive(Debug)]
pub(crate) struct Dialler {
    routes: Arc<Routes>,
    /// `None` where the system names no resolver; then its own library is asked.
    resolver: Option<TokioResolver>,
    allow_private: HashSet<IpAddr>,
    listening: Vec<SocketAddr>,
    limit: Duration,
}

/// A connection, and what is to be verified on it.
pub(crate) struct Dialled {
    pub(crate) tcp: TcpStream,
    /// The host to verify; `None` is plain HTTP.
    pub(crate) verify: Option<String>,
}

impl Dialler {
    /// `listening` are our own addresses.
    pub(crate) fn new(
        routes: Arc<Routes>,
        upstream: &Upstream,
        listening: Vec<SocketAddr>,
        limit: Duration,
    ) -> Self {
        let resolver = resolver(&upstream.resolver);
        let allow_private = upstream.allow_private.iter().map(IpAddr::to_canonical).collect();
        Self { routes, resolver, allow_private, listening, limit }
    }

    /// Whether any route is dialled with TLS.
    pub(crate) fn needs_roots(&self) -> bool {
        !self.routes.all_plain()
    }

    /// The deadline of one connection.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Dials what the route of this host says, within the deadline.
    pub(crate) async fn dial(&self, host: &str) -> Result<Dialled, ConnectError> {
        timeout(self.limit, self.dial_any(host)).await.map_err(|_| ConnectError::TooSlow)?
    }

    async fn dial_any(&self, host: &str) -> Result<Dialled, ConnectError> {
        let target = self.routes.find(host).ok_or(ConnectError::NoRoute)?;
        let (addresses, verify) = match &target.upstream {
            Some(fixed) => (
                self.look_up_fixed(&fixed.host, fixed.port).await?,
                fixed.tls.then(|| fixed.host.clone()),
            ),
            None => (self.look_up_public(host).await?, Some(host.to_owned())),
        };
        let tcp = race(addresses).await.map_err(ConnectError::Dial)?;
        // Connecting to oneself shows in the addresses, whatever DNS or a redirecting firewall made of the name.
        if target.upstream.is_none() && self.is_ourselves(&tcp) {
            return Err(ConnectError::Loop);
        }
        let _ = tcp.set_nodelay(true);
        Ok(Dialled { tcp, verify })
    }

    /// An upstream that the operator wrote down: the system resolves it, hosts file and container names included.
    async fn look_up_fixed(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, ConnectError> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        Ok(tokio::net::lookup_host((bare, port)).await.map_err(|_| unnamed())?.collect())
    }

    /// A platform by its own name: what leads back to us or inside is left out.
    async fn look_up_public(&self, host: &str) -> Result<Vec<SocketAddr>, ConnectError> {
        let found: Vec<IpAddr> = match (host.parse::<IpAddr>(), &self.resolver) {
            (Ok(address), _) => vec![address],
            (Err(_), Some(resolver)) => {
                // With the final dot, no search domain of this machine is tried.
                resolver
                    .lookup_ip(format!("{host}."))
                    .await
                    .map_err(|_| ConnectError::NoAddress)?
                    .iter()
                    .collect()
            }
            (Err(_), None) => tokio::net::lookup_host((host, 443))
                .await
                .map_err(|_| unnamed())?
                .map(|found| found.ip())
                .collect(),
        };
        if found.is_empty() {
            return Err(ConnectError::NoAddress);
        }
        let public: Vec<SocketAddr> = found
            .into_iter()
            .filter(|address| self.may_dial(*address))
            .map(|address| SocketAddr::new(address, 443))
            .collect();
        if public.is_empty() { Err(ConnectError::Loop) } else { Ok(public) }
    }

    fn may_dial(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allow_private.contains(&address)
            || (is_public(address)
                && !self.listening.iter().any(|ours| ours.ip().to_canonical() == address))
    }

    fn is_ourselves(&self, tcp: &TcpStream) -> bool {
        match (tcp.local_addr(), tcp.peer_addr()) {
            (Ok(local), Ok(peer)) => {
                local.ip() == peer.ip() && !self.allow_private.contains(&peer.ip().to_canonical())
            }
            _ => true,
        }
    }
}

fn resolver(servers: &[SocketAddr]) -> Option<TokioResolver> {
    let mut builder = if servers.is_empty() {
        TokioResolver::builder_tokio().ok()?
    } else {
        let servers = servers.iter().map(|server| {
            let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
            for connection in &mut connections {
                connection.port = server.port();
            }
            NameServerConfig::new(server.ip(), true, connections)
        });
        let mut builder = TokioResolver::builder_with_config(
            ResolverConfig::from_name_servers(servers.collect()),
            TokioRuntimeProvider::default(),
        );
        // The hosts file may send the platforms' names to ourselves, as the clinic's DNS does.
        builder.options_mut().use_hosts_file = ResolveHosts::Never;
        builder
    };
    builder.options_mut().ip_strategy = LookupIpStrategy::Ipv6AndIpv4;
    builder.build().ok()
}

/// Dials the addresses, each a little later than the one before, and takes the first that answers.
async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut addresses = interleave(addresses).into_iter();
    let Some(first) = addresses.next() else { return Err(io::ErrorKind::AddrNotAvailable.into()) };
    let mut attempts = JoinSet::new();
    attempts.spawn(TcpStream::connect(first));
    loop {
        let last = tokio::select! {
            biased;
            ended = attempts.join_next() => match ended {
                Some(Ok(Ok(tcp))) => return Ok(tcp),
                Some(Ok(Err(error))) => Some(error),
                Some(Err(_)) | None => Some(io::ErrorKind::Interrupted.into()),
            },
            () = sleep(STAGGER), if addresses.len() > 0 => None,
        };
        // One failed, or was slow: the next one starts at once.
        match (addresses.next(), last) {
            (Some(next), _) => drop(attempts.spawn(TcpStream::connect(next))),
            (None, Some(error)) if attempts.is_empty() => return Err(error),
            (None, _) => {}
        }
    }
}

/// Alternates the families, the first one's first, so that a broken family costs one step only.
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mine, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut mine, mut other) = (mine.into_iter(), other.into_iter());
    let mut mixed = Vec::new();
    loop {
        match (mine.next(), other.next()) {
            (None, None) => return mixed,
            (one, two) => mixed.extend(one.into_iter().chain(two)),
        }
    }
}

/// Whether an address can be a platform's: not of this machine, not of a private network, not of a special block.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast()
        || address.is_documentation()
        || is_shared
        || a == 0
        || a >= 240)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // 64:ff9b::/96 embeds an IPv4 address (NAT64); what it leads to is judged by that one.
    if let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = address.segments() {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    let is_documentation = first == 0x2001 && second == 0xdb8;
    // Everything public is in 2000::/3.
    first & 0xe000 == 0x2000 && !is_documentation
}

/// No name was looked up. Where the sandbox keeps the C library from a file that was replaced, nobody would guess that.
fn unnamed() -> ConnectError {
    static LINES: LazyLock<Seldom> = LazyLock::new(Seldom::default);
    let is_withheld = |file: &&str| crate::config::is_withheld(Path::new(file)) == Some(true);
    if let Some(file) = ["/etc/resolv.conf", "/etc/hosts"].into_iter().find(is_withheld)
        && let Some(n_suppressed) = LINES.pass()
    {
        tracing::error!(
            file,
            n_suppressed,
            help = "restart; or run as a user of its own, or name DNS servers as `resolver` under [upstream]",
            "names cannot be looked up: the file was replaced since the start, and root's sandbox grants no other"
        );
    }
    ConnectError::NoAddress
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::{interleave, is_public};

    #[test]
    fn addresses_inside_are_no_platforms() {
        let cases = [
            ("104.244.42.1", true),
            ("2606:4700::1", true),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("192.168.1.1", false),
            ("169.254.1.1", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("255.255.255.255", false),
            ("::1", false),
            ("::", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("ff02::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:104.244.42.1", true),
            ("64:ff9b::7f00:1", false),
            ("64:ff9b::68f4:2a01", true),
        ];
        for (address, want) in cases {
            assert_eq!(is_public(address.parse().unwrap()), want, "{address}");
        }
    }

    #[test]
    fn families_alternate() {
        let addresses: Vec<SocketAddr> = ["[::1]:1", "[::2]:1", "1.1.1.1:1"]
            .iter()
            .map(|address| address.parse().unwrap())
            .collect();
        let mixed: Vec<String> = interleave(addresses).iter().map(ToString::to_string).collect();
        assert_eq!(mixed, ["[::1]:1", "1.1.1.1:1", "[::2]:1"]);
    }
}
