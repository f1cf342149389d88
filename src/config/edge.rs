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
    /// Bytes per second that media must come at, on the whole (`min-body-rate`, 512).
    pub body_rate: u64,
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
            body_rate: 512,
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
    }
}

fn set<T: TryFrom<u64>>(limit: &mut T, value: Option<Placed<u64>>) {
    if let Some(value) = value.and_then(|value| value.value.try_into().ok()) {
        *limit = value;
    }
}
