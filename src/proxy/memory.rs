//! How much memory posts may take: a budget that is asked before a body is taken in, and again before it is read.
//!
//! A post costs twice. While it is held (as it comes, waits, and goes on) it costs its bytes and the copy that a redaction
//! makes of them; while it is read it costs many times its length, for a short time. So there are two purses, filled from
//! one setting, and the way through them is one way: whoever is being read waits for nothing and nobody, so it ends and
//! gives back; whoever was received whole waits for that alone. Only whoever is still being received may be turned away,
//! and is. Nothing waits in a circle.
//!
//! Each purse has a compartment for what is small, so that films do not keep words waiting, and a share that no single
//! client address exceeds. Of each, a part is kept for addresses that have next to nothing: however many others fill the rest
//! and wait for more, these wait for each other alone.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::config::Edge;

/// What is counted in, in bytes.
const UNIT: usize = 1024;

/// What a request costs whose body has only begun: its head, its task, the buffers of its connection.
const BASE: usize = 8 << 10;

/// A body that is held: its bytes, and as many for the copy that a redaction makes.
const HELD: usize = 2;

/// A byte of text that is read. Measured by hand as `cargo bench --bench memory -- bodies` does: the peak of the process over what it
/// had before, over the length of the text. Prose takes 23 times its length, a text of nothing but addresses 101 times.
const READ: usize = 104;

/// A string that is a field of its own, beside its bytes: up to 1.3 KiB with what is found in it (measured so, too).
const FIELD: usize = 1331;

/// Of such fields, one stands in every ten bytes, at most, as far as they are costly.
const FIELD_EVERY: usize = 10;

/// Media beside texts: it is copied once, and once more without its metadata.
const MEDIA: usize = 3;

/// Bodies up to so many bytes are small.
pub(crate) const SMALL: usize = 64 << 10;

/// Of a body whose length is known, so many bytes are taken in before the whole of it is set aside: a client that says much
/// and sends little holds no more.
pub(crate) const FIRST: usize = 16 << 10;

/// Requests of one client address that may wait for memory at once. Waiting costs memory, too.
const MOST_WAITING_OF_ONE: usize = 1024;

/// Requests of all addresses that may wait for what is not reserved; and as many for what is.
const MOST_WAITING: usize = 4096;

/// The part of a compartment that is kept for addresses that have next to nothing of it: one in so many units.
const RESERVED: usize = 8;

/// What is next to nothing: one in so many units, so that a few who take it do not use up what is reserved.
const LITTLE: usize = 64;

/// There was no memory in time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Busy;

/// The budget, shared by all connections.
#[derive(Clone, Debug)]
pub(crate) struct Memory(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    holding: Purse,
    reading: Purse,
    /// The percentage of what holds that one client address may have.
    percent: usize,
    /// How long a post waits.
    patience: Duration,
    /// Most fields of one body.
    max_fields: usize,
}

/// One part of the budget, in units.
#[derive(Debug)]
struct Purse {
    small: Compartment,
    large: Compartment,
}

#[derive(Debug)]
struct Compartment {
    size: usize,
    free: Arc<Semaphore>,
    /// How much of what is free may go to addresses that have more than little.
    unreserved: Arc<Semaphore>,
    by_address: Mutex<HashMap<IpAddr, Arc<Share>>>,
    /// Those who wait for what is free, and those who wait for what is not reserved.
    n_waiting: AtomicUsize,
    n_waiting_unreserved: AtomicUsize,
}

/// What one client address may yet have of a compartment.
#[derive(Debug)]
struct Share {
    free: Arc<Semaphore>,
    n_waiting: AtomicUsize,
}

/// What a post holds of the budget. Given back when dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    memory: Memory,
    address: IpAddr,
    taken: Taken,
    is_small: bool,
    /// The body for which this is enough, in bytes.
    n_bytes: usize,
}

/// Units taken out of a compartment.
#[derive(Debug)]
struct Taken {
    of_all: OwnedSemaphorePermit,
    of_share: OwnedSemaphorePermit,
    /// As much of it as went to an address that had more than little.
    of_unreserved: Option<OwnedSemaphorePermit>,
    share: Arc<Share>,
}

/// Memory for reading one post. Given back when dropped.
pub(crate) type Reading = Option<OwnedSemaphorePermit>;

impl Memory {
    pub(crate) fn new(edge: &Edge, patience: Duration, max_fields: usize) -> Self {
        // A quarter holds, and three quarters read: what is held waits for slow clients, what is read takes more of it.
        let units = usize::try_from(edge.inspect_memory).unwrap_or(usize::MAX) / UNIT;
        Self(Arc::new(Shared {
            holding: Purse::new(units / 4),
            reading: Purse::new(units - units / 4),
            percent: edge.inspect_share,
            patience,
            max_fields,
        }))
    }

    /// Lets a body of a client in that is about to come, of so many bytes as far as is known. Waits for its turn.
    pub(crate) async fn enter(&self, address: IpAddr, n_bytes: usize) -> Result<Claim, Busy> {
        let (address, is_small) = (neighbourhood(address), n_bytes <= SMALL);
        let taken = self.hold(address, is_small, units_held(n_bytes)).await?;
        Ok(Claim { memory: self.clone(), address, taken, is_small, n_bytes })
    }

    /// Waits until texts of so many bytes, and media beside them, can be read. What was received whole is always read, so
    /// this ends: those before it wait for nothing.
    pub(crate) async fn read(&self, n_text: usize, n_media: usize) -> Reading {
        let n_fields = (n_text / FIELD_EVERY).min(self.0.max_fields);
        let cost = n_text.saturating_mul(READ) + n_fields.saturating_mul(FIELD);
        let cost = cost.saturating_add(n_media.saturating_mul(MEDIA));
        let purse = &self.0.reading;
        let is_small = cost <= purse.small.size / 2 * UNIT;
        let part = purse.part(is_small);
        // What is more than there is gets all of it, and is read alone. The semaphore is never closed.
        let n = u32::try_from(cost.div_ceil(UNIT).min(part.size)).unwrap_or(u32::MAX);
        Arc::clone(&part.free).acquire_many_owned(n).await.ok()
    }

    async fn hold(&self, address: IpAddr, is_small: bool, n: usize) -> Result<Taken, Busy> {
        let part = self.0.holding.part(is_small);
        part.take(address, n, self.0.percent, self.0.patience).await
    }

    /// How many bytes are set aside for bodies that are held, and for what is read.
    pub(crate) fn n_set_aside(&self) -> (usize, usize) {
        let of = |purse: &Purse| (purse.small.n_taken() + purse.large.n_taken()) * UNIT;
        (of(&self.0.holding), of(&self.0.reading))
    }
}

impl Claim {
    /// Makes it enough for so many bytes, in exchange for nothing that it has already.
    pub(crate) async fn grow(&mut self, n_bytes: usize) -> Result<(), Busy> {
        if n_bytes <= self.n_bytes {
            return Ok(());
        }
        let is_small = n_bytes <= SMALL;
        if is_small == self.is_small {
            let more = units_held(n_bytes) - units_held(self.n_bytes);
            let more = self.memory.hold(self.address, is_small, more).await?;
            self.taken.of_all.merge(more.of_all);
            self.taken.of_share.merge(more.of_share);
            match (&mut self.taken.of_unreserved, more.of_unreserved) {
                (Some(taken), Some(more)) => taken.merge(more),
                (taken @ None, more) => *taken = more,
                (Some(_), None) => {}
            }
        } else {
            self.taken = self.memory.hold(self.address, is_small, units_held(n_bytes)).await?;
            self.is_small = is_small;
        }
        self.n_bytes = n_bytes;
        Ok(())
    }

    /// How many bytes it is enough for.
    pub(crate) fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    /// Gives back what a body of so many bytes does not need that nobody rewrites any more.
    pub(crate) fn settle(&mut self, n_bytes: usize) {
        let n = (BASE + n_bytes).div_ceil(UNIT);
        let Taken { of_all, of_share, of_unreserved, .. } = &mut self.taken;
        for permit in [of_all, of_share].into_iter().chain(of_unreserved) {
            drop(permit.split(permit.num_permits().saturating_sub(n)));
        }
    }

    /// Whether others wait for what this holds.
    pub(crate) fn is_wanted(&self) -> bool {
        let part = self.memory.0.holding.part(self.is_small);
        [&part.n_waiting, &part.n_waiting_unreserved, &self.taken.share.n_waiting]
            .into_iter()
            .any(|n_waiting| n_waiting.load(Relaxed) > 0)
    }
}

impl Purse {
    fn new(units: usize) -> Self {
        Self { small: Compartment::new(units / 4), large: Compartment::new(units - units / 4) }
    }

    const fn part(&self, is_small: bool) -> &Compartment {
        if is_small { &self.small } else { &self.large }
    }
}

impl Compartment {
    fn new(size: usize) -> Self {
        // More than a request may ask for at once needs no counting.
        let size = size.clamp(1, u32::MAX as usize);
        Self {
            size,
            free: Arc::new(Semaphore::new(size)),
            unreserved: Arc::new(Semaphore::new(size - size / RESERVED)),
            by_address: Mutex::default(),
            n_waiting: AtomicUsize::new(0),
            n_waiting_unreserved: AtomicUsize::new(0),
        }
    }

    fn n_taken(&self) -> usize {
        self.size - self.free.available_permits()
    }

    /// First out of the address's own share: whoever has used that up waits for itself alone, and keeps nobody else. Then,
    /// unless it has little, out of what is not reserved: whoever waits there keeps nobody who has little.
    async fn take(
        &self,
        address: IpAddr,
        n: usize,
        percent: usize,
        patience: Duration,
    ) -> Result<Taken, Busy> {
        let most = (self.size * percent / 100).max(1);
        // `check` sees to it that the longest body fits, and nothing asks for more than for that.
        let n = u32::try_from(n.min(most)).unwrap_or(u32::MAX);
        let share = self.share(address, most);
        let both = async {
            let of_share =
                acquire(&share.free, n, [&share.n_waiting], [MOST_WAITING_OF_ONE]).await?;
            let n_had = most - share.free.available_permits();
            let of_unreserved = if n_had <= self.size / LITTLE {
                None
            } else {
                let lines = [&share.n_waiting, &self.n_waiting_unreserved];
                let most = [MOST_WAITING_OF_ONE, MOST_WAITING];
                Some(acquire(&self.unreserved, n, lines, most).await?)
            };
            let of_all = acquire(&self.free, n, [&self.n_waiting], [MOST_WAITING]).await?;
            Ok((of_all, of_share, of_unreserved))
        };
        let (of_all, of_share, of_unreserved) =
            timeout(patience, both).await.unwrap_or(Err(Busy))?;
        Ok(Taken { of_all, of_share, of_unreserved, share })
    }

    fn share(&self, address: IpAddr, most: usize) -> Arc<Share> {
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        // Those of nobody are swept out when there are twice as many as there were left last time.
        if by_address.len() == by_address.capacity() {
            by_address.retain(|_, share| Arc::strong_count(share) > 1);
            let n_left = by_address.len();
            by_address.shrink_to(n_left * 2);
        }
        let share = by_address.entry(address).or_insert_with(|| {
            let free = Arc::new(Semaphore::new(most));
            Arc::new(Share { free, n_waiting: AtomicUsize::new(0) })
        });
        Arc::clone(share)
    }
}

/// Takes units, or waits for them in line: in each of these lines, in which so many may stand.
async fn acquire<const N: usize>(
    free: &Arc<Semaphore>,
    n: u32,
    lines: [&AtomicUsize; N],
    most: [usize; N],
) -> Result<OwnedSemaphorePermit, Busy> {
    if let Ok(taken) = Arc::clone(free).try_acquire_many_owned(n) {
        return Ok(taken);
    }
    let waiting: [_; N] = std::array::from_fn(|n| Waiting::new(lines.get(n)?, *most.get(n)?));
    if waiting.iter().any(Option::is_none) {
        return Err(Busy);
    }
    // The semaphore is never closed.
    Arc::clone(free).acquire_many_owned(n).await.map_err(|_| Busy)
}

/// Counts one who waits.
struct Waiting<'n>(&'n AtomicUsize);

impl<'n> Waiting<'n> {
    fn new(n: &'n AtomicUsize, most: usize) -> Option<Self> {
        let before = n.fetch_add(1, Relaxed);
        let waiting = Self(n);
        (before < most).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

const fn units_held(n_bytes: usize) -> usize {
    BASE.saturating_add(n_bytes.saturating_mul(HELD)).div_ceil(UNIT)
}

/// Whom one client is told apart by: its address, or the network of an IPv6 address, within which it may take as many as it
/// likes (RFC 4291, section 2.5.4).
pub(crate) fn neighbourhood(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::atomic::Ordering::Relaxed;
    use std::time::Duration;

    use tokio::time::{Instant, sleep, timeout};

    use super::{BASE, Busy, Claim, FIRST, Memory, RESERVED, SMALL, UNIT, neighbourhood};
    use crate::config::Edge;

    /// Short, and nothing is asserted but that it was waited out, or that more than enough of it was left.
    const PATIENCE: Duration = Duration::from_millis(100);
    const LONG: Duration = Duration::from_secs(60);
    const MIB: usize = 1 << 20;

    fn memory(n_mib: u64, patience: Duration) -> Memory {
        let edge = Edge { inspect_memory: n_mib << 20, ..Edge::default() };
        Memory::new(&edge, patience, 200_000)
    }

    fn address(n: u8) -> IpAddr {
        [10, 0, 0, n].into()
    }

    async fn fill(memory: &Memory, n: u8, n_bytes: usize) -> Vec<Claim> {
        let mut claims = Vec::new();
        while let Ok(claim) = memory.enter(address(n), n_bytes).await {
            claims.push(claim);
        }
        claims
    }

    #[tokio::test]
    async fn no_address_takes_all() {
        // 64 MiB hold, 48 of them what is long; one address may have 24, and all together 42 unless they have little.
        let memory = memory(256, PATIENCE);
        let mine = fill(&memory, 1, MIB).await;
        assert_eq!(mine.len(), 24 * MIB / (2 * MIB + BASE));
        let theirs = fill(&memory, 2, MIB).await;
        assert_eq!(theirs.len(), (42 * MIB - mine.len() * (2 * MIB + BASE)) / (2 * MIB + BASE));
        // And what is long takes nothing from what is small.
        assert!(memory.enter(address(1), FIRST).await.is_ok());
        assert_eq!(memory.n_set_aside().0, (mine.len() + theirs.len()) * (2 * MIB + BASE));
        drop((mine, theirs));
        assert_eq!(memory.n_set_aside(), (0, 0));
    }

    #[tokio::test]
    async fn who_has_nothing_is_served_however_many_others_wait() {
        for n_bytes in [FIRST, SMALL + 1] {
            let memory = memory(256, LONG);
            let mut crowd = tokio::task::JoinSet::new();
            // Each takes all that it can get, and then stands in line with as many as may.
            for n in 0..6 {
                for _ in 0..1000 {
                    let memory = memory.clone();
                    crowd.spawn(async move {
                        let _claim = memory.enter(address(n), n_bytes).await;
                        std::future::pending::<()>().await;
                    });
                }
            }
            let part = memory.0.holding.part(n_bytes <= SMALL);
            while part.n_waiting_unreserved.load(Relaxed) < 500 {
                sleep(Duration::from_millis(1)).await;
            }
            // Who has much gets no more, and who has nothing gets in.
            let mut claim = memory.enter(address(9), n_bytes).await.unwrap();
            claim.grow(n_bytes * 2).await.unwrap();
            claim.settle(n_bytes);
            let other = memory.enter(address(10), n_bytes).await.unwrap();
            assert!(timeout(PATIENCE, memory.enter(address(0), n_bytes)).await.is_err());
            crowd.shutdown().await;
            drop((claim, other));
            assert_eq!(memory.n_set_aside(), (0, 0));
            assert_eq!(part.unreserved.available_permits(), part.size - part.size / RESERVED);
        }
    }

    #[tokio::test]
    async fn who_waits_gets_what_is_given_back_or_hears_that_it_is_busy() {
        let memory = memory(256, PATIENCE);
        let claims = fill(&memory, 1, MIB).await;
        let began = Instant::now();
        assert_eq!(memory.enter(address(1), MIB).await.err(), Some(Busy));
        assert!(began.elapsed() >= PATIENCE);
        assert!(!claims[0].is_wanted());
        drop(claims);
        let memory = self::memory(256, LONG);
        let mut claims = Vec::new();
        while let Ok(claim) = timeout(PATIENCE, memory.enter(address(1), MIB)).await {
            claims.push(claim.unwrap());
        }
        let (entered, ()) = tokio::join!(memory.enter(address(1), MIB), async {
            while !claims[0].is_wanted() {
                sleep(Duration::from_millis(1)).await;
            }
            claims.pop();
        });
        assert!(entered.is_ok());
        assert!(!claims[0].is_wanted());
    }

    #[tokio::test]
    async fn claims_grow_by_what_is_free() {
        let memory = memory(256, PATIENCE);
        let mut claim = memory.enter(address(1), FIRST).await.unwrap();
        for n_bytes in [SMALL, SMALL + 1, 3 * MIB, MIB, 6 * MIB] {
            claim.grow(n_bytes).await.unwrap();
            let set_aside = (claim.n_bytes() * 2 + BASE).div_ceil(UNIT) * UNIT;
            assert!(claim.n_bytes() >= n_bytes);
            assert!(memory.n_set_aside().0.abs_diff(set_aside) <= 4 * UNIT);
        }
        let _others = fill(&memory, 1, MIB).await;
        assert_eq!(claim.grow(12 * MIB).await, Err(Busy));
        // What it had it has.
        assert_eq!(claim.n_bytes(), 6 * MIB);
        claim.grow(6 * MIB).await.unwrap();
        claim.settle(6 * MIB);
        drop(claim);
        assert!(memory.enter(address(1), 5 * MIB).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_longer_than_all_is_read_alone_and_comes_to_its_turn() {
        let memory = memory(256, PATIENCE);
        let first = memory.read(16 * MIB, 0).await;
        assert!(first.is_some());
        let short = timeout(PATIENCE, memory.read(SMALL, 0)).await;
        assert!(short.is_ok_and(|reading| reading.is_some()));
        assert!(timeout(PATIENCE, memory.read(16 * MIB, 0)).await.is_err());
        drop(first);
        assert!(memory.read(16 * MIB, 0).await.is_some());
    }

    #[test]
    fn a_network_of_ipv6_is_one_neighbour() {
        for (one, other, same) in [
            ("2001:db8::1", "2001:db8::ffff:2", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
            ("10.0.0.1", "10.0.0.2", false),
        ] {
            let [one, other]: [IpAddr; 2] = [one.parse().unwrap(), other.parse().unwrap()];
            assert_eq!(neighbourhood(one) == neighbourhood(other), same, "{one} {other}");
        }
    }
}
