//! Customers: who stands behind a number, who served them last, and the erasure of what is known of a person.

mod erase;
mod projection;

use std::collections::BTreeMap;

use callfloor_engine::{CustomerId, OperatorId, PhoneNumber};
use serde::{Deserialize, Serialize};

pub(crate) use erase::{Erased, erase};
pub(crate) use projection::LastServed;

use crate::document::Document;
use crate::floor::Organisation;
use crate::host::Documents;
use crate::storage::{IndexKey, Kind, StorageError, key_of};
use crate::words::grams;

/// What is known of a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The record's number.
    pub id: u64,
    /// Raised by every change of a person's; not by being served.
    pub version: u64,
    /// What the organisation's own system calls them, where they are a member there.
    #[serde(default)]
    pub member: Option<String>,
    /// As operators call them; empty for somebody who is a number alone.
    pub name: String,
    /// Their numbers in national form.
    pub numbers: Vec<String>,
    /// What the organisation keeps of them, by its own names.
    pub fields: BTreeMap<String, String>,
    /// Notes for operators.
    pub notes: String,
    /// Who served them last.
    pub last_operator: Option<u32>,
    /// When that was, in microseconds since 1970.
    pub last_served_us: Option<u64>,
    /// When the record was made, in microseconds since 1970.
    pub created_us: u64,
    /// Whether the person was erased: the record's number stays, with nothing behind it.
    pub erased: bool,
}

impl Document for Customer {
    const KIND: Kind = "customer";
    const IS_REMEMBERED: bool = true;

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        let mut keys: Vec<_> = self.numbers.iter().map(|number| IndexKey::new("number", number.as_str())).collect();
        let grams = grams([self.name.as_str()]);
        keys.extend(grams.into_iter().map(|gram| IndexKey::new("gram", format!("{gram}:{}", key_of(self.id)))));
        keys.extend(self.member.as_ref().map(|member| IndexKey::new("member", member.as_str())));
        keys.push(IndexKey::new("created", key_of(self.created_us)));
        keys
    }
}

/// A number as customers' records have it.
///
/// # Errors
/// What storage says.
pub fn national(documents: &mut Documents, number: PhoneNumber) -> Result<String, StorageError> {
    Ok(Organisation::now(documents)?.numbers.national(number))
}

/// The record behind a number, made where there is none yet, and who served the customer last.
///
/// # Errors
/// What storage says.
pub fn behind(
    documents: &mut Documents,
    number: PhoneNumber,
    now_us: u64,
) -> Result<(CustomerId, Option<OperatorId>), StorageError> {
    let national = national(documents, number)?;
    let customer = match documents.find::<Customer>("number", &national)? {
        Some(customer) => customer,
        None => create(documents, now_us, |customer| customer.numbers.push(national))?,
    };
    Ok((CustomerId(customer.id), customer.last_operator.map(OperatorId)))
}

/// A new record, as `fill` fills it.
///
/// # Errors
/// What storage says.
pub fn create(
    documents: &mut Documents,
    now_us: u64,
    fill: impl FnOnce(&mut Customer),
) -> Result<Customer, StorageError> {
    let mut customer = Customer {
        id: documents.next_id::<Customer>()?,
        version: 1,
        member: None,
        name: String::new(),
        numbers: Vec::new(),
        fields: BTreeMap::new(),
        notes: String::new(),
        last_operator: None,
        last_served_us: None,
        created_us: now_us,
        erased: false,
    };
    fill(&mut customer);
    documents.put(&customer);
    Ok(customer)
}
