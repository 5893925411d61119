//! Carriers: from whom calls are taken, and by whom numbers are called.

use std::collections::BTreeMap;
use std::net::IpAddr;

use callfloor_sip::{Credentials, Transport, Via};

use crate::config;

/// The trunks of an organisation: its own, and those that are all organisations'.
#[derive(Clone, Debug, Default)]
pub(super) struct Trunks {
    by_name: BTreeMap<String, config::Trunk>,
    /// No trunk is configured at all.
    demonstration: bool,
}

/// How a number is called.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) target: String,
    pub(super) via: Via,
    pub(super) credentials: Option<Credentials>,
}

impl Trunks {
    /// Those of an organisation, of all that are configured.
    pub(super) fn of(all: &BTreeMap<String, config::Trunk>, organisation: &str) -> Self {
        let is_its = |trunk: &config::Trunk| trunk.organisation.as_deref().is_none_or(|its| its == organisation);
        let by_name = all.iter().filter(|(_, trunk)| is_its(trunk)).map(|(name, trunk)| (name.clone(), trunk.clone()));
        Self { by_name: by_name.collect(), demonstration: all.is_empty() }
    }

    /// Whether calls from there are a carrier's. Without any trunk, this machine alone may call: a demonstration.
    pub(super) fn admits(&self, from: IpAddr) -> bool {
        if self.demonstration { from.is_loopback() } else { self.by_name.values().any(|trunk| trunk.is_at(from)) }
    }

    /// The way to a number: the organisation's own trunk, else one that all have; of several the first by name.
    pub(super) fn route(&self, number: &str) -> Option<Route> {
        let own = self.by_name.values().find(|trunk| trunk.organisation.is_some());
        let trunk = own.or_else(|| self.by_name.values().next())?;
        let transport = match trunk.transport {
            config::Transport::Udp => Transport::Udp,
            config::Transport::Tcp => Transport::Tcp,
            config::Transport::Tls => Transport::Tls,
        };
        // `#` may not stand in a URI as it is (RFC 3261, section 25.1).
        let user = number.replace('#', "%23");
        Some(Route {
            target: format!("sip:{user}@{}", trunk.address),
            via: Via::Proxy { transport, address: trunk.address },
            credentials: trunk
                .user
                .clone()
                .map(|user| Credentials { user, password: trunk.password.clone().unwrap_or_default() }),
        })
    }
}
