//! Places for connections that come in: a count of all, and one for each address, which several listeners share.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How many connections may be open at once; whoever is one too many is closed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MostConnections {
    /// In all.
    pub all: usize,
    /// From one address; of IPv6 from a whole /64.
    pub of_address: usize,
}

impl Default for MostConnections {
    /// Room for a call centre behind one address.
    fn default() -> Self {
        Self { all: 10_000, of_address: 2_000 }
    }
}

/// What is counted as one: a host has a whole /64 of IPv6 for itself.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

/// Places for connections by stream; every clone counts together with it.
#[derive(Clone, Debug, Default)]
pub struct Places {
    most: MostConnections,
    all: Arc<AtomicUsize>,
    of: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// There is no place for another connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPlace {
    /// Whose.
    pub network: IpAddr,
    /// How many they have.
    pub own: usize,
    /// How many there are in all.
    pub all: usize,
}

impl Places {
    /// So many places.
    #[must_use]
    pub fn new(most: MostConnections) -> Self {
        Self { most, ..Self::default() }
    }

    /// As many places again, for another kind of connection: one has no more of both kinds together than of either, and who
    /// fills one kind leaves the other open to the rest.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self { all: Arc::default(), ..self.clone() }
    }

    /// A place for a connection from an address, until it is dropped.
    ///
    /// # Errors
    /// Where there is none.
    pub fn take(&self, from: IpAddr) -> Result<Place, NoPlace> {
        self.take_of(network(from), true)
    }

    /// As [`take`](Self::take), for one who speaks for many, such as a proxy: only the bound on all holds, and nothing is counted
    /// against what else comes from there.
    ///
    /// # Errors
    /// Where there is none.
    pub fn take_for_many(&self, from: IpAddr) -> Result<Place, NoPlace> {
        self.take_of(network(from), false)
    }

    fn take_of(&self, network: IpAddr, counts: bool) -> Result<Place, NoPlace> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        // Counted up under the lock of the addresses alone, so that no two take the last one.
        let all = self.all.load(Ordering::Acquire);
        let own = of.get(&network).copied().unwrap_or(0);
        if all >= self.most.all || (counts && own >= self.most.of_address) {
            return Err(NoPlace { network, own, all });
        }
        self.all.fetch_add(1, Ordering::AcqRel);
        if counts {
            *of.entry(network).or_default() += 1;
        }
        Ok(Place { counted: counts.then_some(network), all: Arc::clone(&self.all), of: Arc::clone(&self.of) })
    }
}

/// A connection's place, until it is dropped.
#[derive(Debug)]
pub struct Place {
    /// Against whom it counts.
    counted: Option<IpAddr>,
    all: Arc<AtomicUsize>,
    of: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        self.all.fetch_sub(1, Ordering::AcqRel);
        let Some(network) = self.counted else { return };
        let left = of.get_mut(&network).expect("it was counted");
        *left -= 1;
        if *left == 0 {
            of.remove(&network);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn one_network_of_ipv6_is_one() {
        assert_eq!(network(address("2001:db8::1")), network(address("2001:db8::ffff:1")));
        assert_ne!(network(address("2001:db8::1")), network(address("2001:db8:0:1::1")));
        assert_eq!(network(address("::ffff:192.0.2.1")), address("192.0.2.1"));
    }

    #[test]
    fn one_address_has_so_many_places_at_all_listeners_together() {
        let of_http = Places::new(MostConnections { all: 4, of_address: 3 });
        let (of_sip, of_tls) = (of_http.beside(), of_http.beside());
        let near = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4"].map(address);
        let held: Vec<_> = [&of_http, &of_sip, &of_tls].into_iter().zip(near).map(|(it, at)| it.take(at)).collect();
        assert!(held.iter().all(Result::is_ok));
        assert_eq!(of_sip.take(near[3]).map(drop), Err(NoPlace { network: network(near[0]), own: 3, all: 1 }));
        let other = of_sip.take(address("192.0.2.1"));
        assert!(other.is_ok() && of_sip.take(address("::ffff:192.0.2.1")).is_ok(), "another is not held up");
        drop(held);
        assert!(of_sip.take(near[3]).is_ok(), "a place comes back");
        drop(other);
        assert!(of_http.of.lock().unwrap().is_empty(), "nobody is remembered");
    }

    #[test]
    fn who_fills_one_kind_leaves_the_other() {
        let of_http = Places::new(MostConnections { all: 2, of_address: 1 });
        let of_sip = of_http.beside();
        let proxy = address("10.0.0.1");
        let held = [of_http.take_for_many(proxy).unwrap(), of_http.take_for_many(proxy).unwrap()];
        assert!(of_http.take_for_many(proxy).is_err() && of_http.take(address("192.0.2.1")).is_err());
        assert!(of_sip.take(address("192.0.2.1")).is_ok());
        assert!(of_sip.take(proxy).is_ok(), "telephones at the proxy's address are not held up by it");
        drop(held);
        assert!(of_http.clone().take(proxy).is_ok());
    }
}
