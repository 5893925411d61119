//! Accounts, as an administrator keeps them, and one's own password.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::account::name;
use super::session::tried;
use super::{Access, Account, Caller, Role, Row, Session, create_account};
use crate::audit::{self, Act};
use crate::document::{Document, Read};
use crate::host::{Documents, Turn};
use crate::http::{App, At, Body, ClientAddress, Problem};
use crate::storage::Range;

/// Whoever keeps accounts: which of them, [`may_keep`] says.
const KEEPERS: Access = Access::Roles(&[Role::Administrator, Role::ServerAdministrator]);

/// Rows of this module's routes.
pub(super) const PERMISSIONS: &[Row] = &[
    Row {
        method: "GET",
        path: "/accounts",
        access: Access::Roles(&[Role::Administrator, Role::Auditor, Role::ServerAdministrator]),
    },
    Row { method: "POST", path: "/accounts", access: KEEPERS },
    Row { method: "PUT", path: "/accounts/{account}", access: KEEPERS },
    Row { method: "PUT", path: "/accounts/{account}/password", access: KEEPERS },
    Row { method: "PUT", path: "/sessions/current/password", access: Access::SignedIn },
];

/// This module's routes.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, make))
        .routes(routes!(change))
        .routes(routes!(set_password))
        .routes(routes!(set_own_password))
}

/// The server's administrators keep their own accounts and no others, and nobody else keeps theirs: neither can make
/// themselves the other.
fn may_keep(keeper: Role, kept: Role) -> Result<(), Problem> {
    let (keeper, kept) = [keeper, kept].map(|role| role == Role::ServerAdministrator).into();
    match (keeper, kept) {
        (true, false) => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "role-not-kept",
            "an administrator of the server keeps accounts of the role server-administrator alone",
        )),
        (false, true) => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "role-not-kept",
            "accounts of the role server-administrator are kept by the server's administrators alone",
        )),
        _ => Ok(()),
    }
}

/// What an administrator decides of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccountSettings)]
struct Settings {
    /// For screens: 1 to 60 characters.
    name: String,
    /// What they are.
    role: Role,
    /// The operator that they are: needed by the role `operator`; a supervisor has one to speak with, where they are to
    /// listen to calls.
    operator: Option<u32>,
    /// Whether signing in is refused.
    #[serde(default)]
    disabled: bool,
}

impl Settings {
    fn check(&self, turn: &Turn<'_>) -> Result<String, Problem> {
        let operators = turn.engine().config().operators.len();
        match (self.role, self.operator) {
            (Role::Operator, None) => {
                return Err(Problem::wrong("operator", "the role operator needs the number of an operator"));
            }
            (Role::Operator | Role::Supervisor, Some(operator)) if operator as usize >= operators => {
                return Err(Problem::wrong("operator", format!("there is no operator {operator}")));
            }
            (Role::Operator | Role::Supervisor, Some(_)) | (_, None) => {}
            (_, Some(_)) => {
                return Err(Problem::wrong("operator", "only the roles operator and supervisor name an operator"));
            }
        }
        name(&self.name)
    }
}

/// A new account.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    /// The name to sign in with: 1 to 60 characters, unique.
    login: String,
    /// Its password: 8 to 256 characters.
    #[schema(format = Password)]
    password: String,
    /// For screens: 1 to 60 characters.
    name: String,
    /// What they are.
    role: Role,
    /// The operator that they are: needed by the role `operator`; a supervisor has one to speak with, where they are to
    /// listen to calls.
    operator: Option<u32>,
    /// Whether signing in is refused.
    #[serde(default)]
    disabled: bool,
}

impl std::fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewAccount").field("login", &self.login).finish_non_exhaustive()
    }
}

/// An account, as listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ListedAccount)]
struct Listed {
    /// Its number.
    account: u64,
    /// The name to sign in with.
    login: String,
    /// For screens.
    name: String,
    /// What they are.
    role: Role,
    /// The operator that they are.
    operator: Option<u32>,
    /// Whether signing in is refused.
    disabled: bool,
}

impl From<Account> for Listed {
    fn from(account: Account) -> Self {
        let Account { id, login, name, password: _, role, operator, disabled } = account;
        Self { account: id, login, name, role, operator, disabled }
    }
}

/// Everybody who may sign in; to an administrator of the server those of that role alone.
#[utoipa::path(get, path = "/accounts", tag = "accounts", responses(
    (status = 200, description = "in the order in which they were made", body = Vec<Listed>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(caller: Caller) -> Result<Json<Vec<Listed>>, Problem> {
    let all = caller.read(|reader| Ok(reader.documents::<Account>(&Range::all(Account::KIND, usize::MAX))?)).await?;
    let own_only = caller.principal.role == Role::ServerAdministrator;
    let shown = all.into_iter().filter(|account| !own_only || account.role == Role::ServerAdministrator);
    Ok(Json(shown.map(Into::into).collect()))
}

/// Makes an account.
#[utoipa::path(post, path = "/accounts", tag = "accounts", request_body = NewAccount, responses(
    (status = 201, description = "made", body = Listed),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn make(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<NewAccount>,
) -> Result<(StatusCode, Json<Listed>), Problem> {
    let login = name(&body.login)?;
    let password = hashed(&app, body.password).await?;
    let NewAccount { name, role, operator, disabled, .. } = body;
    let (who, settings) = (caller.principal.who(), Settings { name, role, operator, disabled });
    may_keep(caller.principal.role, settings.role)?;
    let made = caller
        .write(move |turn| {
            let own_name = settings.check(turn)?;
            let now_us = turn.now().as_micros();
            let Settings { role, operator, disabled, .. } = settings;
            let documents = turn.documents();
            let account = create_account(
                documents,
                Account { id: 0, login, name: own_name, password, role, operator, disabled },
            )?;
            audit::append(documents, now_us, &who, Act::AccountMade, account.described())?;
            Ok(Listed::from(account))
        })
        .await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// argon2id takes tens of milliseconds: away from everything else.
async fn hashed(app: &App, password: String) -> Result<String, Problem> {
    app.sign_in_limits.in_turn(move || Account::hash(&password)).await?
}

/// Changes an account. Its sessions end where its role, operator or state is another.
#[utoipa::path(put, path = "/accounts/{account}", tag = "accounts", request_body = Settings,
    params(("account" = u64, Path, description = "which")), responses(
    (status = 200, description = "changed", body = Listed),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn change(caller: Caller, At(number): At<u64>, Body(body): Body<Settings>) -> Result<Json<Listed>, Problem> {
    let (who, keeper) = (caller.principal.who(), caller.principal.role);
    let changed = caller
        .write(move |turn| {
            let own_name = body.check(turn)?;
            let now_us = turn.now().as_micros();
            let documents = turn.documents();
            let before = found(documents, number)?;
            may_keep(keeper, before.role)?;
            may_keep(keeper, body.role)?;
            let mut account = before.clone();
            account.name = own_name;
            (account.role, account.operator, account.disabled) = (body.role, body.operator, body.disabled);
            let role = before.role;
            let reigns = |account: &Account| account.role == role && account.role.reigns() && !account.disabled;
            if reigns(&before) && !reigns(&account) && !another_reigns(documents, number, role)? {
                let detail = "this is the last administrator: nobody could ever change anything again";
                return Err(Problem::conflict("last-administrator", detail));
            }
            if (before.role, before.operator, before.disabled) != (account.role, account.operator, account.disabled) {
                end_sessions(documents, number, None)?;
            }
            let about = format!("{}; before: {}", account.described(), before.described());
            audit::append(documents, now_us, &who, Act::AccountChanged, about)?;
            documents.put(&account);
            Ok(Listed::from(account))
        })
        .await?;
    Ok(Json(changed))
}

fn found(documents: &mut Documents, number: u64) -> Result<Account, Problem> {
    documents.get::<Account>(number)?.ok_or_else(|| Problem::unknown(format!("there is no account {number}")))
}

/// Whether there is an administrator of this role beside this one.
fn another_reigns(documents: &mut Documents, number: u64, role: Role) -> Result<bool, Problem> {
    let all = documents.with_key::<Account>("role", &role.key(), usize::MAX)?;
    Ok(all.iter().any(|other| other.id != number && !other.disabled))
}

fn end_sessions(documents: &mut Documents, account: u64, but: Option<u64>) -> Result<(), Problem> {
    for session in documents.with_key::<Session>("account", &account.to_string(), usize::MAX)? {
        if Some(session.id) != but {
            documents.delete::<Session>(session.id);
        }
    }
    Ok(())
}

/// A new password.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// 8 to 256 characters.
    #[schema(format = Password)]
    password: String,
}

/// Gives an account a new password; its sessions end.
#[utoipa::path(put, path = "/accounts/{account}/password", tag = "accounts", request_body = NewPassword,
    params(("account" = u64, Path, description = "which")), responses(
    (status = 204, description = "changed"),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set_password(
    State(app): State<App>,
    caller: Caller,
    At(number): At<u64>,
    Body(body): Body<NewPassword>,
) -> Result<StatusCode, Problem> {
    let password = hashed(&app, body.password).await?;
    store_password(&caller, number, password, Keep::Nothing).await
}

/// Whose password is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    /// Somebody else's: all their sessions end.
    Nothing,
    /// One's own: the session in which it is done goes on.
    Session(Option<u64>),
}

async fn store_password(caller: &Caller, number: u64, hash: String, keep: Keep) -> Result<StatusCode, Problem> {
    let (who, keeper) = (caller.principal.who(), caller.principal.role);
    caller
        .write(move |turn| {
            let now_us = turn.now().as_micros();
            let documents = turn.documents();
            let mut account = found(documents, number)?;
            let kept = match keep {
                Keep::Nothing => {
                    may_keep(keeper, account.role)?;
                    None
                }
                Keep::Session(session) => session,
            };
            account.password = hash;
            end_sessions(documents, number, kept)?;
            audit::append(documents, now_us, &who, Act::PasswordChanged, account.who())?;
            documents.put(&account);
            Ok(())
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One's own new password.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct OwnPassword {
    /// The one in force.
    #[schema(format = Password)]
    current: String,
    /// The new one: 8 to 256 characters.
    #[schema(format = Password)]
    password: String,
}

/// Changes one's own password; one's other sessions end.
#[utoipa::path(put, path = "/sessions/current/password", tag = "sessions", request_body = OwnPassword, responses(
    (status = 204, description = "changed"),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set_own_password(
    State(app): State<App>,
    ClientAddress(peer): ClientAddress,
    caller: Caller,
    Body(body): Body<OwnPassword>,
) -> Result<StatusCode, Problem> {
    let number = caller.principal.account;
    // Whoever holds a session and not the password may guess here no faster than at signing in.
    let of = tried(&caller.principal.tenant.name, &caller.principal.login);
    app.sign_in_limits.admit(peer, &of, Instant::now())?;
    let account = caller.read(move |reader| Ok(reader.document::<Account>(number)?)).await?;
    let account = account.ok_or_else(|| Problem::unknown("the account is gone"))?;
    let current = body.current;
    if !app.sign_in_limits.in_turn(move || account.verify(&current)).await? {
        app.sign_in_limits.failed(peer, &of, Instant::now());
        return Err(Problem::new(StatusCode::FORBIDDEN, "wrong-password", "the password in force is another"));
    }
    let hash = hashed(&app, body.password).await?;
    store_password(&caller, number, hash, Keep::Session(caller.session)).await
}
