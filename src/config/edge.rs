//! How much of the proxy one client may take: heads, connections, streams, patience. Each is a key of `[limits]`.

use crate::config::syntax::SIZES;
use crate::diagnostic::{Faults, Placed, Table};

/// Caps at the edge. Each is documented in `config/postward.toml`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Edge {
    /// Bytes of a request's head (`max-head`, 64 KiB).
    pub head: u32,
    /// Bytes of its target (`max-target`, 32 KiB).
    pub target: usize,
    /// Its headers (`max-headers`, 100).
    pub headers: usize,
    /// Connections of all clients (`max-connections`, 16,384).
    pub connections: usize,
    /// Connections of one address (`max-connections-per-address`, 4,096).
    pub connections_per_address: usize,
    /// Requests under way on one HTTP/2 connection (`max-streams`, 100).
    pub streams: u32,
    /// Requests that one HTTP/2 connection may take back in ten seconds (`max-resets`, 100).
    pub resets: u32,
    /// Bytes per second that a body must come at, on the whole (`min-body-rate`, 2 KiB).
    pub body_rate: u64,
    /// Bytes of memory for bodies that are held and read (`inspect-memory`, 2 GiB).
    pub inspect_memory: u64,
    /// How many per cent of what holds bodies one client address may have (`inspect-share`, 50).
    pub inspect_share: usize,
}

impl Default for Edge {
    fn default() -> Self {
        Self {
            head: 64 << 10,
            target: 32 << 10,
            headers: 100,
            connections: 16_384,
            connections_per_address: 4_096,
            streams: 100,
            resets: 100,
            body_rate: 2 << 10,
            inspect_memory: 2 << 30,
            inspect_share: 50,
        }
    }
}

impl Edge {
    /// Reads its keys.
    pub(super) fn read(&mut self, table: &mut Table<'_>, faults: &mut Faults) {
        set(&mut self.head, table.quantity("max-head", &SIZES, 1, 8192..=1 << 20, faults));
        set(&mut self.target, table.quantity("max-target", &SIZES, 1, 1024..=1 << 16, faults));
        set(&mut self.headers, table.whole("max-headers", 20..=1000, faults));
        set(&mut self.connections, table.whole("max-connections", 1..=1_000_000, faults));
        set(
            &mut self.connections_per_address,
            table.whole("max-connections-per-address", 1..=1_000_000, faults),
        );
        set(&mut self.streams, table.whole("max-streams", 1..=10_000, faults));
        set(&mut self.resets, table.whole("max-resets", 1..=100_000, faults));
        set(&mut self.body_rate, table.quantity("min-body-rate", &SIZES, 1, 1..=1 << 30, faults));
        set(&mut self.inspect_share, table.whole("inspect-share", 1..=100, faults));
    }
}

impl Edge {
    /// How much memory it takes to hold a body of so many bytes within one address's share.
    pub(super) fn least_memory(&self, max_body: usize) -> u64 {
        // A quarter of it holds, three quarters of that for long bodies, each twice: see `proxy::memory`.
        let held = (max_body as u64).saturating_mul(2).saturating_add(64 << 10);
        held.saturating_mul(100)
            .div_ceil(self.inspect_share.max(1) as u64)
            .saturating_mul(16)
            .div_ceil(3)
    }
}

fn set<T: TryFrom<u64>>(limit: &mut T, value: Option<Placed<u64>>) {
    if let Some(value) = value.and_then(|value| value.value.try_into().ok()) {
        *limit = value;
    }
}
