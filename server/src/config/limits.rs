//! `[limits]`: what everybody may ask for, and how many may be connected.

use std::num::NonZeroU32;

use serde::Deserialize;

/// `[limits]`. Whoever is signed in has limits of their own; whoever is not shares those of their address, as does whoever
/// fails to prove who they are. Rates of 0 are no limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Reads of an account or key in a second, in the long run.
    pub reads_per_second: u32,
    /// Reads at once.
    pub reads_burst: u32,
    /// Writes of an account or key in a second, in the long run.
    pub writes_per_second: u32,
    /// Writes at once.
    pub writes_burst: u32,
    /// Reads from an address in a second, in the long run.
    pub address_reads_per_second: u32,
    /// Reads at once.
    pub address_reads_burst: u32,
    /// Writes from an address in a second, in the long run.
    pub address_writes_per_second: u32,
    /// Writes at once.
    pub address_writes_burst: u32,
    /// WebSocket connections of an account or key.
    pub streams: u32,
    /// WebSocket connections of those at one address who are not signed in.
    pub address_streams: u32,
    /// WebSocket connections in all.
    pub all_streams: u32,
    /// Connections to HTTP in all, and as many to SIP.
    pub connections: u32,
    /// Connections to HTTP and SIP together from one address, of IPv6 from a whole /64; a proxy's to HTTP have no such limit.
    pub address_connections: u32,
}

impl Default for Limits {
    /// Generous: far above what people and well-behaved programs ask for.
    fn default() -> Self {
        Self {
            reads_per_second: 200,
            reads_burst: 2_000,
            writes_per_second: 100,
            writes_burst: 1_000,
            address_reads_per_second: 200,
            address_reads_burst: 2_000,
            address_writes_per_second: 100,
            address_writes_burst: 1_000,
            streams: 20,
            address_streams: 500,
            all_streams: 20_000,
            connections: 20_000,
            address_connections: 2_000,
        }
    }
}

impl From<Limits> for callfloor_sip::MostConnections {
    fn from(limits: Limits) -> Self {
        Self { all: limits.connections as usize, of_address: limits.address_connections as usize }
    }
}

/// So many at once, and one more after a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In a second, in the long run.
    pub per_second: NonZeroU32,
    /// At once.
    pub burst: NonZeroU32,
}

impl Rate {
    /// `None` for no limit.
    #[must_use]
    pub const fn of(per_second: u32, burst: u32) -> Option<Self> {
        match (NonZeroU32::new(per_second), NonZeroU32::new(burst)) {
            (Some(per_second), Some(burst)) => Some(Self { per_second, burst }),
            _ => None,
        }
    }
}

impl Limits {
    /// The first value that makes no sense: its key, and what is wrong.
    pub(super) fn fault(&self) -> Option<(&'static str, String)> {
        let rates = [
            ("reads_burst", self.reads_per_second, self.reads_burst),
            ("writes_burst", self.writes_per_second, self.writes_burst),
            ("address_reads_burst", self.address_reads_per_second, self.address_reads_burst),
            ("address_writes_burst", self.address_writes_per_second, self.address_writes_burst),
        ];
        let closed = rates.iter().find(|(_, per_second, burst)| *per_second > 0 && *burst == 0);
        if let Some((key, ..)) = closed {
            let what =
                format!("{key} = 0 lets nobody ask for anything: at least 1 is right, or a rate of 0 for no limit");
            return Some((key, what));
        }
        if self.connections == 0 {
            return Some(("connections", "0 connections let nobody in: at least 1 is right".into()));
        }
        if !(1..=self.connections).contains(&self.address_connections) {
            let (found, all) = (self.address_connections, self.connections);
            return Some((
                "address_connections",
                format!("{found} connections of one address: 1 to the {all} that there may be in all are right"),
            ));
        }
        None
    }
}
