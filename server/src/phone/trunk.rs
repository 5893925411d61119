//! Carriers: from whom calls are taken, and by whom numbers are called.

use std::collections::BTreeMap;
use std::net::IpAddr;

use callfloor_sip::{Credentials, Transport, Via};

use crate::config;

/// The trunks of a configuration.
#[derive(Clone, Debug, Default)]
pub(super) struct Trunks {
    by_name: BTreeMap<String, config::Trunk>,
}

/// How a number is called.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) target: String,
    pub(super) via: Via,
    pub(super) credentials: Option<Credentials>,
}

impl Trunks {
    pub(super) const fn new(by_name: BTreeMap<String, config::Trunk>) -> Self {
        Self { by_name }
    }

    /// Whether calls from there are a carrier's. Without any trunk, this machine alone may call: a demonstration.
    pub(super) fn admits(&self, from: IpAddr) -> bool {
        if self.by_name.is_empty() {
            return from.is_loopback();
        }
        self.by_name.values().any(|trunk| trunk.address.ip() == from || trunk.from.contains(&from))
    }

    /// The way to a number: the first trunk by name.
    pub(super) fn route(&self, number: &str) -> Option<Route> {
        let trunk = self.by_name.values().next()?;
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
