//! Accounts: who may sign in, with which password and role.

use serde::{Deserialize, Serialize};

use super::{Role, password};
use crate::document::Document;
use crate::host::Documents;
use crate::http::Problem;
use crate::storage::{IndexKey, Kind};

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its number.
    pub id: u64,
    /// The name to sign in with, unique.
    pub login: String,
    /// For screens.
    pub name: String,
    /// argon2id, PHC string format.
    pub password: String,
    /// What they are.
    pub role: Role,
    /// The operator that they are: an index into the floor's operators.
    pub operator: Option<u32>,
    /// Whether signing in is refused.
    pub disabled: bool,
}

impl Document for Account {
    const KIND: Kind = "account";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        let mut keys = vec![IndexKey::new("login", self.login.as_str()), IndexKey::new("role", self.role.key())];
        keys.extend(self.operator.map(|operator| IndexKey::new("operator", operator.to_string())));
        keys
    }
}

impl Account {
    /// It, for the audit log.
    pub(super) fn who(&self) -> String {
        format!("account {} {:?}", self.id, self.login)
    }

    /// It and what it may, for the audit log.
    pub(crate) fn described(&self) -> String {
        let operator = self.operator.map(|operator| format!(", operator {operator}")).unwrap_or_default();
        let disabled = if self.disabled { ", disabled" } else { "" };
        format!("{}: {:?}{operator}{disabled}", self.who(), self.role)
    }

    /// Whether this is the password. Takes tens of milliseconds on purpose: not for the engine's loop.
    #[must_use]
    pub fn verify(&self, password: &str) -> bool {
        password::verify(&self.password, password)
    }

    /// argon2id of a password.
    ///
    /// # Errors
    /// Where the password is too short or too long.
    pub fn hash(password: &str) -> Result<String, Problem> {
        let length = password.chars().count();
        if !(8..=256).contains(&length) {
            return Err(Problem::wrong("password", format!("a password of {length} characters: 8 to 256 are right")));
        }
        Ok(password::hash(password))
    }
}

/// Adds an account whose login nobody has yet.
///
/// # Errors
/// Where the login is taken.
pub fn create_account(documents: &mut Documents, mut account: Account) -> Result<Account, Problem> {
    if documents.find::<Account>("login", &account.login)?.is_some() {
        return Err(Problem::conflict("login-taken", format!("the login {:?} is taken", account.login)));
    }
    account.id = documents.next_id::<Account>()?;
    documents.put(&account);
    Ok(account)
}

/// A name of an account or a key: 1 to 60 characters, none of which is a control character.
pub(super) fn name(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    let length = text.chars().count();
    if !(1..=60).contains(&length) || text.chars().any(char::is_control) {
        let detail = format!("a name of {length} characters: 1 to 60 without control characters are right");
        return Err(Problem::wrong("name", detail));
    }
    Ok(text.to_owned())
}
