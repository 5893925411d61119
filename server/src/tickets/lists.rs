//! What an administrator prepares for tickets: categories, custom fields, templates of replies.

use serde::{Deserialize, Serialize};

use super::Ticket;
use crate::document::Document;
use crate::host::Documents;
use crate::storage::{Kind, StorageError};

/// A category of matters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Its number.
    #[serde(default)]
    pub id: u64,
    /// What people see.
    pub name: String,
    /// The category of which it is a part.
    #[serde(default)]
    pub under: Option<u64>,
    /// Whether it is no longer offered for choice.
    #[serde(default)]
    pub retired: bool,
}

/// A field that tickets have beside the standing ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomField {
    /// Its number.
    #[serde(default)]
    pub id: u64,
    /// What people see.
    pub name: String,
    /// What can stand in it.
    pub kind: FieldKind,
    /// Whether a ticket cannot be solved without it.
    #[serde(default)]
    pub required: bool,
    /// Whether it is no longer offered.
    #[serde(default)]
    pub retired: bool,
}

/// What can stand in a custom field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FieldKind {
    /// Text up to this length in characters.
    Text {
        /// 1 to 4,000.
        most: u16,
    },
    /// A whole number.
    Number,
    /// A day as in 2026-11-26.
    Date,
    /// `true` or `false`.
    Check,
    /// One of these.
    Choice {
        /// What there is to choose.
        options: Vec<String>,
    },
}

impl FieldKind {
    /// Whether a value can stand in the field.
    ///
    /// # Errors
    /// What would be right.
    pub fn takes(&self, value: &str) -> Result<(), String> {
        let right = match self {
            Self::Text { most } => {
                let length = value.chars().count();
                (length <= usize::from(*most)).then_some(()).ok_or(format!("at most {most} characters are right"))
            }
            Self::Number => value.parse::<i64>().map(|_| ()).map_err(|_| "a whole number is right".into()),
            Self::Date => {
                value.parse::<jiff::civil::Date>().map(|_| ()).map_err(|_| "a day as in 2026-11-26 is right".into())
            }
            Self::Check => matches!(value, "true" | "false").then_some(()).ok_or("true or false is right".into()),
            Self::Choice { options } => {
                let right = || format!("one of {} is right", options.join(", "));
                options.iter().any(|option| option == value).then_some(()).ok_or_else(right)
            }
        };
        right.map_err(|right: String| format!("{value:?}: {right}"))
    }
}

/// A reply that is prepared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its number.
    #[serde(default)]
    pub id: u64,
    /// What operators choose it by.
    pub name: String,
    /// The service that it is for; `null` for all.
    #[serde(default)]
    pub service: Option<u16>,
    /// The text; `{customer}`, `{ticket}` and `{operator}` stand for what they say.
    pub text: String,
}

macro_rules! listed {
    ($($name:ident, $kind:literal;)*) => {$(
        impl Document for $name {
            const KIND: Kind = $kind;

            fn id(&self) -> u64 {
                self.id
            }
        }
    )*};
}

listed! {
    Category, "ticket-category";
    CustomField, "ticket-field";
    Template, "ticket-template";
}

/// Most entries of each list.
pub(crate) const MOST_LISTED: usize = 500;

/// Everything in a small list.
///
/// # Errors
/// What storage says.
fn all<D: Document>(documents: &mut Documents) -> Result<Vec<D>, StorageError> {
    let mut found = Vec::new();
    for id in 1..=MOST_LISTED as u64 {
        found.extend(documents.get::<D>(id)?);
        if id > documents.last_id::<D>()? {
            break;
        }
    }
    Ok(found)
}

/// The name of a field without which a ticket cannot be solved, and that is empty. An issue needs none: fields tell of
/// customers' matters.
///
/// # Errors
/// What storage says.
pub(crate) fn missing_field(documents: &mut Documents, ticket: &Ticket) -> Result<Option<String>, StorageError> {
    if ticket.escalated_from.is_some() {
        return Ok(None);
    }
    let missing = |field: &CustomField| field.required && !field.retired && !ticket.fields.contains_key(&field.id);
    Ok(all::<CustomField>(documents)?.into_iter().find(missing).map(|field| field.name))
}
