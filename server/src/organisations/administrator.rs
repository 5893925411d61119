//! The accounts that somebody must have before there is anybody to make accounts.

use crate::audit::{self, Act};
use crate::auth::{Account, Role, create_account};
use crate::host::{Documents, Turn};
use crate::http::Problem;

use super::FirstAdministrator;

/// Who made an account that nobody asked for, in the audit log.
const SERVER: &str = "the server";

/// Makes the first account that administers the server, where the main organisation has none; gives its login.
///
/// # Errors
/// What storage says.
pub(crate) fn server_administrator(turn: &mut Turn<'_>, password: &str) -> Result<Option<String>, Problem> {
    let documents = turn.documents();
    if !documents.with_key::<Account>("role", &Role::ServerAdministrator.key(), 1)?.is_empty() {
        return Ok(None);
    }
    // Somebody may have taken the name before there was such a role.
    let mut login = "server-admin".to_owned();
    let mut number = 1;
    while documents.find::<Account>("login", &login)?.is_some() {
        number += 1;
        login = format!("server-admin-{number}");
    }
    let password = Account::hash(password)?;
    make(documents, login.clone(), password, Role::ServerAdministrator)?;
    Ok(Some(login))
}

/// Makes the first administrator of an organisation that has no account.
///
/// # Errors
/// What storage says.
pub(super) fn first_administrator(turn: &mut Turn<'_>, first: FirstAdministrator) -> Result<(), Problem> {
    let now_us = turn.now().as_micros();
    let documents = turn.documents();
    if documents.last_id::<Account>()? == 0 {
        let account = make(documents, first.login, first.password, Role::Administrator)?;
        audit::append(documents, now_us, SERVER, Act::AccountMade, account.described())?;
    }
    Ok(())
}

fn make(documents: &mut Documents, login: String, hash: String, role: Role) -> Result<Account, Problem> {
    let name = login.clone();
    create_account(documents, Account { id: 0, login, name, password: hash, role, operator: None, disabled: false })
}
