//! Inquiries: tickets that came by a form of the customer's own system, with whom they are from.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use callfloor_engine::{Channel, Command, CustomerId, PhoneNumber, QueueId, ServiceId};
use serde::{Deserialize, Serialize};

use crate::customers::{Customer, behind, create};
use crate::document::Document;
use crate::host::{Documents, Turn};
use crate::http::Problem;
use crate::storage::{IndexKey, Kind, StorageError, key_of};

/// What a ticket that came as an inquiry has beside the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Inquiry {
    /// The ticket's number.
    #[serde(rename = "inquiry")]
    pub id: u64,
    /// The service.
    pub service: u16,
    /// Who asks, as the organisation's own system calls them; `null` for somebody who is no member.
    pub member: Option<String>,
    /// How to reach them.
    pub from: Contact,
    /// The key of the open API that made it; 0: the form of the help centre.
    pub key: u64,
    /// Whether the person was erased.
    #[serde(default)]
    pub erased: bool,
}

/// How somebody can be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// What they want to be called: at most 100 characters.
    #[serde(default)]
    pub name: String,
    /// Their address of mail.
    #[serde(default)]
    pub email: Option<String>,
    /// Their telephone number.
    #[serde(default)]
    pub phone: Option<String>,
}

impl Document for Inquiry {
    const KIND: Kind = "inquiry";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        let member = self.member.as_ref();
        let key = |member: &String| format!("{}:{}", Self::history(self.service, member), key_of(self.id));
        member.map(|member| IndexKey::new("member", key(member))).into_iter().collect()
    }
}

/// What opens an inquiry to whom it is from, where they are no member: the form that they sent, as a hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct InquiryToken {
    /// The ticket's number.
    pub id: u64,
    /// SHA-256 of the form.
    pub token: String,
}

impl Document for InquiryToken {
    const KIND: Kind = "inquiry-token";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        vec![IndexKey::new("token", self.token.as_str())]
    }
}

impl Inquiry {
    /// Where the inquiries of a member to a service stand.
    pub(super) fn history(service: u16, member: &str) -> String {
        format!("{service}/{}", URL_SAFE_NO_PAD.encode(member))
    }

    /// Forgets whom it is from.
    pub(crate) fn forget(documents: &mut Documents, id: u64) -> Result<(), StorageError> {
        if let Some(mut inquiry) = documents.get::<Self>(id)? {
            (inquiry.member, inquiry.from, inquiry.erased) = (None, Contact::default(), true);
            documents.delete::<InquiryToken>(id);
            documents.put(&inquiry);
        }
        Ok(())
    }
}

/// What the organisation's own system calls a member.
///
/// # Errors
/// Where it is none.
pub(super) fn member(text: &str) -> Result<String, Problem> {
    if !(1..=128).contains(&text.chars().count()) || text.chars().any(char::is_control) {
        return Err(Problem::wrong("member", "1 to 128 characters without control characters are right"));
    }
    Ok(text.to_owned())
}

impl Contact {
    /// What is kept of it, with its telephone number.
    ///
    /// # Errors
    /// What would be right.
    pub(super) fn checked(mut self) -> Result<(Self, Option<PhoneNumber>), Problem> {
        let name = self.name.trim();
        if name.chars().count() > 100 || name.chars().any(char::is_control) {
            return Err(Problem::wrong("name", "at most 100 characters without control characters are right"));
        }
        self.name = name.to_owned();
        if let Some(email) = &self.email {
            let plain = |c: char| !c.is_whitespace() && !c.is_control();
            let parts = email.split_once('@').filter(|(user, host)| !user.is_empty() && !host.is_empty());
            if email.chars().count() > 254 || parts.is_none() || !email.chars().all(plain) {
                return Err(Problem::wrong("email", "an address of mail as in hanako@example.jp is right"));
            }
        }
        let number = self.phone.as_deref().map(|phone| crate::http::number("phone", phone)).transpose()?;
        Ok((self, number))
    }
}

/// The customer's record behind an inquiry: the member's, else that of the telephone number, else a new one.
///
/// # Errors
/// What storage says.
pub(super) fn customer(
    turn: &mut Turn<'_>,
    member: Option<&str>,
    from: &Contact,
    number: Option<PhoneNumber>,
) -> Result<CustomerId, Problem> {
    let now_us = turn.now().as_micros();
    let documents = turn.documents();
    if let Some(member) = member {
        return Ok(CustomerId(of_member(documents, member, &from.name, now_us)?.id));
    }
    if let Some(number) = number {
        return Ok(behind(documents, number, now_us)?.0);
    }
    let made = create(documents, now_us, |customer| {
        customer.name.clone_from(&from.name);
        customer.fields.extend(from.email.clone().map(|email| ("email".to_owned(), email)));
    })?;
    Ok(CustomerId(made.id))
}

/// The record of a member, made where there is none; a name is entered where the record has none.
///
/// # Errors
/// What storage says.
pub(super) fn of_member(
    documents: &mut Documents,
    member: &str,
    name: &str,
    now_us: u64,
) -> Result<Customer, StorageError> {
    let Some(mut found) = documents.find::<Customer>("member", member)? else {
        return create(documents, now_us, |customer| {
            (customer.member, customer.name) = (Some(member.to_owned()), name.to_owned());
        });
    };
    if found.name.is_empty() && !name.is_empty() {
        found.name = name.to_owned();
        found.version += 1;
        documents.put(&found);
    }
    Ok(found)
}

/// Gives the engine a ticket of a service: it waits in the service's first queue for tickets, else it stays to be pulled.
///
/// # Errors
/// The engine's.
pub(super) fn arrive(turn: &mut Turn<'_>, service: u16, customer: CustomerId) -> Result<u64, Problem> {
    let queues = &turn.engine().config().queues;
    let is_its = |at: usize| queues[at].channel == Channel::Ticket && queues[at].service == ServiceId(service);
    let queue = (0..queues.len()).find(|&at| is_its(at)).and_then(|at| u16::try_from(at).ok()).map(QueueId);
    let arrival = Command::TicketArrived {
        service: ServiceId(service),
        queue,
        customer: Some(customer),
        priority: 0,
        reference: 0,
    };
    let outputs = turn.apply(arrival)?;
    Ok(crate::tickets::created(&outputs).expect("an accepted ticket was created"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_members_history_is_theirs_alone() {
        let of = |member: &str| Inquiry {
            id: 7,
            service: 0,
            member: Some(member.into()),
            from: Contact::default(),
            key: 1,
            erased: false,
        };
        let key = of("a:1").keys().remove(0).key;
        assert!(key.starts_with(&format!("{}:", Inquiry::history(0, "a:1"))));
        assert!(!key.starts_with(&format!("{}:", Inquiry::history(0, "a"))));
        assert!(Inquiry { member: None, ..of("a") }.keys().is_empty());
    }

    #[test]
    fn what_is_wrong_with_an_address_is_told() {
        let with = |email: &str| Contact { email: Some(email.into()), ..Contact::default() }.checked();
        assert!(with("花子@例え.jp").is_ok());
        for wrong in ["", "hanako", "@example.jp", "hanako@", "a b@example.jp", "a@b\r\nBcc: c"] {
            assert_eq!(with(wrong).unwrap_err().rule, "email", "{wrong:?}");
        }
        let name = Contact { name: " 花子 ".into(), phone: Some("090-1234-5678".into()), email: None };
        let (kept, number) = name.checked().unwrap();
        assert_eq!((kept.name.as_str(), number.unwrap().to_string().as_str()), ("花子", "09012345678"));
    }
}
