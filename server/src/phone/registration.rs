//! Where telephones have registered, kept in the store: after a restart they ring without registering anew.
//!
//! Datagrams reach a telephone from a new process as they did from the old one. A connection by TCP or TLS ended with the
//! process that had it: a telephone behind it is called again only where its contact is an address of its own at which
//! somebody takes connections, and else is lost until it connects anew.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use callfloor_engine::OperatorId;
use callfloor_sip::message::Uri;
use callfloor_sip::{Endpoint, Flow, Transport};
use serde::{Deserialize, Serialize};

use super::telephone::{Binding, Bindings, Device, Telephone};
use crate::document::Document;
use crate::host::Documents;
use crate::storage::{Kind, StorageError};

/// How messages travel to a telephone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Way {
    Udp,
    Tcp,
    Tls,
}

/// A contact of a telephone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Contact {
    uri: String,
    way: Way,
    /// Where its REGISTER came from.
    remote: SocketAddr,
    /// Microseconds since 1970.
    until_us: u64,
}

/// Everything that a telephone has bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Registration {
    /// The telephone's number.
    id: u64,
    /// The oldest first.
    contacts: Vec<Contact>,
}

impl Document for Registration {
    const KIND: Kind = "registration";

    fn id(&self) -> u64 {
        self.id
    }
}

/// The number under which a telephone's registration is kept.
pub(super) fn number(operator: OperatorId) -> u64 {
    u64::from(operator.0) + 1
}

impl Registration {
    /// What is bound now, to be stored.
    pub(super) fn of(operator: OperatorId, bound: &[Binding]) -> Self {
        let (now, wall) = (Instant::now(), unix(SystemTime::now()));
        let contacts = bound.iter().map(|binding| Contact {
            uri: binding.uri.clone(),
            way: match binding.flow.transport {
                Transport::Udp => Way::Udp,
                Transport::Tcp => Way::Tcp,
                Transport::Tls => Way::Tls,
            },
            remote: binding.flow.remote,
            until_us: micros(wall + binding.until.saturating_duration_since(now)),
        });
        Self { id: number(operator), contacts: contacts.collect() }
    }
}

/// Puts a telephone in place of what was there; one that is another now, or has another password, has to register again.
///
/// # Errors
/// What storage says.
pub(crate) fn put_telephone(documents: &mut Documents, telephone: &Telephone) -> Result<(), StorageError> {
    if documents.get::<Telephone>(telephone.id)?.as_ref() != Some(telephone) {
        documents.delete::<Registration>(telephone.id);
    }
    documents.put(telephone);
    Ok(())
}

/// What the registrations of a process that has ended are worth to this one.
#[derive(Debug, Default)]
pub struct Restored {
    pub(super) bindings: Bindings,
    /// Telephones whose connections ended, with the addresses at which they may take others.
    pub(super) to_try: Vec<(OperatorId, Binding)>,
    /// Those of which nothing holds any more.
    lapsed: Vec<u64>,
}

impl Restored {
    /// What holds of what was kept, for these telephones.
    pub(crate) fn new(kept: Vec<Registration>, telephones: &[Telephone], endpoint: &Endpoint) -> Self {
        let (now, wall) = (Instant::now(), unix(SystemTime::now()));
        let mut restored = Self::default();
        for registration in kept {
            let number = registration.id;
            let telephone = telephones.iter().find(|found| found.id == number && found.device == Device::SipPhone);
            let mut holds = false;
            for contact in registration.contacts {
                let left = Duration::from_micros(contact.until_us).saturating_sub(wall);
                let Some(telephone) = telephone.filter(|_| !left.is_zero()) else { continue };
                holds = true;
                let operator = telephone.operator();
                let bound = |flow: Flow| Binding { uri: contact.uri.clone(), flow, until: now + left };
                match contact.way {
                    Way::Udp => {
                        if let Some(flow) = endpoint.flow_to(Transport::Udp, contact.remote) {
                            restored.bindings.restore(operator, bound(flow));
                        }
                    }
                    Way::Tcp => {
                        let own = own_address(&contact).and_then(|own| endpoint.flow_to(Transport::Tcp, own));
                        restored.to_try.extend(own.map(|flow| (operator, bound(flow))));
                    }
                    // Nobody is trusted by TLS who does not connect himself: telephones have no certificates.
                    Way::Tls => {}
                }
            }
            if !holds {
                restored.lapsed.push(number);
            }
        }
        restored
    }

    /// Whose telephones can be called as before.
    pub(crate) fn reachable(&self) -> BTreeSet<OperatorId> {
        self.bindings.operators().collect()
    }

    /// Registrations of which nothing holds any more go from the store.
    pub(crate) fn tidy(lapsed: &[u64], documents: &mut Documents) {
        for number in lapsed {
            documents.delete::<Registration>(*number);
        }
    }

    /// Takes what [`tidy`](Self::tidy) is to let go of.
    pub(crate) fn take_lapsed(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.lapsed)
    }
}

/// The address that a contact by TCP names, where the telephone was heard from that very machine: another is one behind a
/// translator, whose address means nothing here.
fn own_address(contact: &Contact) -> Option<SocketAddr> {
    let uri = Uri::parse(&contact.uri)?;
    let own = uri.socket().filter(|own| own.ip() == contact.remote.ip() && own.port() != 0)?;
    (Transport::of_uri(&uri) == Some(Transport::Tcp)).then_some(own)
}

/// How long a telephone may take to take a connection.
const CONNECTS_WITHIN: Duration = Duration::from_secs(3);

/// Whether somebody takes connections there.
pub(super) async fn takes_connections(address: SocketAddr) -> bool {
    let connecting = tokio::net::TcpStream::connect(address);
    matches!(tokio::time::timeout(CONNECTS_WITHIN, connecting).await, Ok(Ok(_)))
}

fn unix(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(uri: &str, remote: &str) -> Contact {
        Contact { uri: uri.into(), way: Way::Tcp, remote: remote.parse().unwrap(), until_us: 0 }
    }

    #[test]
    fn a_telephone_is_tried_at_its_own_address_alone() {
        let own = |uri, remote| own_address(&contact(uri, remote)).map(|own| own.to_string());
        let remote = "192.0.2.7:40123";
        assert_eq!(own("sip:op1@192.0.2.7:5062;transport=tcp", remote).as_deref(), Some("192.0.2.7:5062"));
        assert_eq!(own("sip:op1@192.0.2.7;transport=TCP", remote).as_deref(), Some("192.0.2.7:5060"));
        assert_eq!(own("sip:op1@10.0.0.7:5062;transport=tcp", remote), None, "behind a translator");
        assert_eq!(own("sip:op1@desk.example:5062;transport=tcp", remote), None, "a name");
        assert_eq!(own("sip:op1@192.0.2.7:5062", remote), None, "it takes datagrams there");
    }
}
