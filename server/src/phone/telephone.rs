//! Operators' telephones: what they may register with, and where they are now.

use std::collections::HashMap;
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
}

impl Bindings {
    /// The newest place at which an operator's telephone can be called.
    pub(super) fn of(&self, operator: OperatorId) -> Option<&Binding> {
        let now = Instant::now();
        self.by_operator.get(&operator)?.iter().rev().find(|binding| binding.until > now)
    }

    /// Whose telephone sends from there.
    pub(super) fn at(&self, flow: &Flow) -> Option<OperatorId> {
        let now = Instant::now();
        let mut all = self.by_operator.iter();
        all.find(|(_, bound)| bound.iter().any(|one| one.until > now && one.flow.remote == flow.remote))
            .map(|(who, _)| *who)
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
        let bound = self.by_operator.entry(operator).or_default();
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
        let left = |binding: &Binding| u32::try_from((binding.until - now).as_secs()).unwrap_or(u32::MAX);
        bound.iter().map(|binding| (binding.uri.clone(), left(binding))).collect()
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
        self.by_operator.entry(operator).or_default().push(binding);
    }

    /// Operators whose last binding has run out, forgotten here.
    pub(super) fn expire(&mut self) -> Vec<OperatorId> {
        let now = Instant::now();
        let mut gone = Vec::new();
        self.by_operator.retain(|&operator, bound| {
            bound.retain(|binding| binding.until > now);
            if bound.is_empty() {
                gone.push(operator);
            }
            !bound.is_empty()
        });
        gone
    }

    /// Forgets an operator's bindings.
    pub(super) fn forget(&mut self, operator: OperatorId) {
        self.by_operator.remove(&operator);
    }
}
