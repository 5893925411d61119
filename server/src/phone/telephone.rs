//! Operators' telephones: what they may register with, and where they are now.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use callfloor_engine::OperatorId;
use callfloor_sip::digest::Secret;
use callfloor_sip::{Contact, Flow};
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::storage::{IndexKey, Kind};

/// What an operator speaks with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Device {
    /// A SIP telephone that registers here.
    #[default]
    SipPhone,
    /// The console in a browser.
    Browser,
}

/// An operator's telephone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telephone {
    /// The operator's index and 1.
    pub id: u64,
    /// What they speak with.
    pub device: Device,
    /// The user name that the telephone registers with: the CTI id.
    pub user: String,
    /// `MD5(user:realm:password)`.
    pub md5: Option<String>,
    /// `SHA-256(user:realm:password)`.
    pub sha256: Option<String>,
}

impl Document for Telephone {
    const KIND: Kind = "telephone";
    const IS_REMEMBERED: bool = true;

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        vec![IndexKey::new("user", self.user.as_str())]
    }
}

impl Telephone {
    /// A SIP telephone with this password.
    #[must_use]
    pub fn sip(operator: OperatorId, user: &str, realm: &str, password: &str) -> Self {
        let Secret::Ha1 { md5, sha256 } = Secret::ha1(user, realm, password) else { unreachable!("ha1 gives hashes") };
        Self { id: u64::from(operator.0) + 1, device: Device::SipPhone, user: user.into(), md5, sha256 }
    }

    /// Whose it is.
    #[must_use]
    pub fn operator(&self) -> OperatorId {
        OperatorId(u32::try_from(self.id.saturating_sub(1)).unwrap_or(u32::MAX))
    }

    /// What is known of its password.
    #[must_use]
    pub fn secret(&self) -> Secret {
        Secret::Ha1 { md5: self.md5.clone(), sha256: self.sha256.clone() }
    }
}

/// Where a telephone can be called.
#[derive(Clone, Debug)]
pub(super) struct Binding {
    pub(super) uri: String,
    pub(super) flow: Flow,
    pub(super) until: Instant,
}

/// Bindings of one telephone at most: the oldest goes.
const BINDINGS: usize = 4;

/// Where every registered telephone is.
#[derive(Debug, Default)]
pub(super) struct Bindings {
    by_operator: HashMap<OperatorId, Vec<Binding>>,
    /// From where each of them sends.
    by_address: BTreeSet<(SocketAddr, OperatorId)>,
}

impl Bindings {
    /// The newest place at which an operator's telephone can be called.
    pub(super) fn of(&self, operator: OperatorId) -> Option<&Binding> {
        let now = Instant::now();
        self.by_operator.get(&operator)?.iter().rev().find(|binding| binding.until > now)
    }

    /// Whose telephone sends from there.
    pub(super) fn at(&self, flow: &Flow) -> Option<OperatorId> {
        let (now, from) = (Instant::now(), flow.remote);
        let there = self.by_address.range((from, OperatorId(0))..=(from, OperatorId(u32::MAX)));
        let is_bound =
            |who: &OperatorId| self.by_operator[who].iter().any(|one| one.until > now && one.flow.remote == from);
        there.map(|(_, who)| *who).find(is_bound)
    }

    /// Changes what an operator's telephone has bound.
    fn change(&mut self, operator: OperatorId, change: impl FnOnce(&mut Vec<Binding>)) {
        let bound = self.by_operator.entry(operator).or_default();
        for binding in bound.iter() {
            self.by_address.remove(&(binding.flow.remote, operator));
        }
        change(bound);
        self.by_address.extend(bound.iter().map(|binding| (binding.flow.remote, operator)));
        if bound.is_empty() {
            self.by_operator.remove(&operator);
        }
    }

    /// Binds and unbinds; gives what is bound now, with the seconds left.
    pub(super) fn update(
        &mut self,
        operator: OperatorId,
        contacts: &[Contact],
        remove_all: bool,
        flow: &Flow,
    ) -> Vec<(String, u32)> {
        let now = Instant::now();
        self.change(operator, |bound| {
            bound.retain(|binding| binding.until > now && !remove_all);
            for contact in contacts {
                bound.retain(|binding| binding.uri != contact.uri);
                if contact.expires_s > 0 {
                    let until = now + Duration::from_secs(u64::from(contact.expires_s));
                    bound.push(Binding { uri: contact.uri.clone(), flow: *flow, until });
                }
            }
            let too_many = bound.len().saturating_sub(BINDINGS);
            bound.drain(..too_many);
        });
        let left = |binding: &Binding| u32::try_from((binding.until - now).as_secs()).unwrap_or(u32::MAX);
        self.all_of(operator).iter().map(|binding| (binding.uri.clone(), left(binding))).collect()
    }

    /// Everything that an operator's telephone has bound, the oldest first.
    pub(super) fn all_of(&self, operator: OperatorId) -> &[Binding] {
        self.by_operator.get(&operator).map_or(&[], Vec::as_slice)
    }

    /// Operators whose telephones have bound something.
    pub(super) fn operators(&self) -> impl Iterator<Item = OperatorId> {
        self.by_operator.keys().copied()
    }

    /// Binds again what was bound before a restart.
    pub(super) fn restore(&mut self, operator: OperatorId, binding: Binding) {
        self.change(operator, |bound| bound.push(binding));
    }

    /// Operators whose last binding has run out, forgotten here.
    pub(super) fn expire(&mut self) -> Vec<OperatorId> {
        let now = Instant::now();
        let runs_out = |bound: &Vec<Binding>| bound.iter().any(|binding| binding.until <= now);
        let some: Vec<OperatorId> =
            self.by_operator.iter().filter(|(_, bound)| runs_out(bound)).map(|(who, _)| *who).collect();
        for &operator in &some {
            self.change(operator, |bound| bound.retain(|binding| binding.until > now));
        }
        some.into_iter().filter(|operator| !self.by_operator.contains_key(operator)).collect()
    }

    /// Forgets an operator's bindings.
    pub(super) fn forget(&mut self, operator: OperatorId) {
        self.change(operator, Vec::clear);
    }
}

#[cfg(test)]
mod tests {
    use callfloor_sip::Transport;

    use super::*;

    #[test]
    fn who_sends_from_an_address_is_who_is_bound_there() {
        let flow =
            |port| Flow { transport: Transport::Udp, listener: 0, remote: SocketAddr::from(([127, 0, 0, 1], port)) };
        let contact = |uri: &str, expires_s| Contact { uri: uri.to_owned(), expires_s, instance: None };
        let (mut bindings, first, second) = (Bindings::default(), OperatorId(7), OperatorId(8));
        bindings.update(first, &[contact("sip:a", 60)], false, &flow(1));
        bindings.update(second, &[contact("sip:b", 60)], false, &flow(1));
        assert_eq!((bindings.at(&flow(1)), bindings.at(&flow(2))), (Some(first), None));
        bindings.update(first, &[contact("sip:a", 60)], false, &flow(2));
        assert_eq!((bindings.at(&flow(1)), bindings.at(&flow(2))), (Some(second), Some(first)));
        bindings.update(second, &[contact("sip:b", 0)], false, &flow(1));
        assert_eq!(bindings.at(&flow(1)), None);
        bindings.forget(first);
        assert_eq!((bindings.at(&flow(2)), bindings.operators().count()), (None, 0));
        let until = Instant::now();
        bindings.restore(second, Binding { uri: "sip:b".into(), flow: flow(3), until });
        assert_eq!((bindings.at(&flow(3)), bindings.expire()), (None, vec![second]));
        assert!(bindings.by_address.is_empty() && bindings.by_operator.is_empty());
    }
}
