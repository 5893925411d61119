//! Organisations, as the server's administrators keep them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use callfloor_engine::PhoneNumber;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{FirstAdministrator, Limits, Listing};
use crate::audit::{self, Act};
use crate::auth::{Access, Account, Caller, NewSecret, Role, Row, Shown, create_account};
use crate::document::{Document, Read};
use crate::host::{Documents, Turn};
use crate::http::{App, At, Body, Problem, is_domain, name};
use crate::storage::Range;
use crate::tenant::Tenants;

/// Most organisations of a server, the main one not counted.
const MOST: u64 = 1_000;
/// Most numbers of one organisation.
const MOST_NUMBERS: usize = 10_000;
/// Names that stand for something else in the data directory.
const RESERVED: [&str; 2] = [Tenants::MAIN, "voicemail"];

const SERVER: Access = Access::Roles(&[Role::ServerAdministrator]);

/// Rows of this module's routes.
pub const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/organisations", access: SERVER },
    Row { method: "POST", path: "/organisations", access: SERVER },
    Row { method: "PUT", path: "/organisations/{organisation}", access: SERVER },
    Row { method: "PUT", path: "/organisations/{organisation}/limits", access: SERVER },
    Row { method: "POST", path: "/organisations/{organisation}/suspend", access: SERVER },
    Row { method: "POST", path: "/organisations/{organisation}/resume", access: SERVER },
    Row { method: "POST", path: "/organisations/{organisation}/administrators", access: SERVER },
];

/// This module's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, make))
        .routes(routes!(change))
        .routes(routes!(limit))
        .routes(routes!(suspend))
        .routes(routes!(resume))
        .routes(routes!(add_administrator))
}

/// Whether an organisation is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = OrganisationState)]
enum Standing {
    /// It is.
    Served,
    /// A server's administrator has suspended it.
    Suspended,
    /// It is to be, and cannot.
    InTrouble,
}

/// An organisation, as listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
struct Listed {
    /// Its name in paths, tokens and stores.
    organisation: String,
    /// As people see it; `null` for the main organisation, which names itself.
    name: Option<String>,
    /// The domain at which its telephones register and are called.
    sip_domain: String,
    /// Numbers that lead to it, as carriers send them.
    numbers: Vec<String>,
    /// What it may have at most; the main organisation has no limits of its own.
    limits: Limits,
    /// Whether it is served.
    state: Standing,
    /// What keeps it from being served.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
    /// When it was made, in microseconds since 1970; `null` for the main organisation.
    made_us: Option<u64>,
}

impl Listed {
    fn of(app: &App, listing: Listing) -> Self {
        let Listing { organisation, name, sip_domain, numbers, limits, suspended, made_us, .. } = listing;
        let trouble = app.organisations.trouble(&organisation).filter(|_| !suspended);
        let served = app.tenants().named(Some(&organisation)).is_some_and(|tenant| !tenant.host.has_stopped());
        let state = match (suspended, served) {
            (true, _) => Standing::Suspended,
            (false, true) => Standing::Served,
            (false, false) => Standing::InTrouble,
        };
        Self { organisation, name: Some(name), sip_domain, numbers, limits, state, trouble, made_us: Some(made_us) }
    }
}

/// Every organisation of the server, the main one first.
#[utoipa::path(get, path = "/organisations", tag = "organisations", responses(
    (status = 200, description = "the main one, then the others in the order in which they were made", body = Vec<Listed>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Vec<Listed>>, Problem> {
    let all = caller.read(|reader| Ok(reader.documents::<Listing>(&Range::all(Listing::KIND, usize::MAX))?)).await?;
    let main = Listed {
        organisation: Tenants::MAIN.into(),
        name: None,
        sip_domain: caller.principal.tenant.realm.clone(),
        numbers: Vec::new(),
        limits: Limits::default(),
        state: Standing::Served,
        trouble: None,
        made_us: None,
    };
    let others = all.into_iter().map(|listing| Listed::of(&app, listing));
    Ok(Json(std::iter::once(main).chain(others).collect()))
}

/// A new organisation.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewOrganisation {
    /// Its name in paths, tokens and stores, for good: 1 to 32 of `a`–`z`, `0`–`9` and hyphens, none of them at an end.
    organisation: String,
    /// As people see it: 1 to 60 characters.
    name: String,
    /// The domain at which its telephones register and are called, for good: no other organisation's, and no address.
    sip_domain: String,
    /// Numbers that lead to it where a carrier calls by an address, each in every form in which carriers send it.
    #[serde(default)]
    numbers: Vec<String>,
    /// What it may have at most.
    #[serde(default)]
    limits: Limits,
    /// The login of its first administrator; `admin` unless said.
    administrator: Option<String>,
}

/// An administrator's password, shown once.
#[derive(Serialize, utoipa::ToSchema)]
struct Secret {
    /// The administrator's login: `LOGIN@ORGANISATION` signs in.
    administrator: String,
    /// Their password, shown this once: they change it when they have signed in.
    #[schema(value_type = String)]
    password: Shown,
}

/// An organisation that was made.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = MadeOrganisation)]
struct Made {
    /// Its first administrator.
    #[serde(flatten)]
    secret: Secret,
    /// What is listed of it.
    #[serde(flatten)]
    organisation: Listed,
}

/// Makes an organisation with an empty floor and a first administrator, whose password is in this answer alone: a repeated
/// request with the same idempotency key is refused.
#[utoipa::path(post, path = "/organisations", tag = "organisations", request_body = NewOrganisation, responses(
    (status = 201, description = "made and served; the password is shown this once", body = Made),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn make(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<NewOrganisation>,
) -> Result<(StatusCode, Json<Made>), Problem> {
    let organisation = identifier(&body.organisation)?;
    let shown = name("name", &body.name)?;
    let sip_domain = domain(&body.sip_domain, &caller.principal.tenant.realm)?;
    let numbers = numbers(&body.numbers)?;
    let login = name("administrator", body.administrator.as_deref().unwrap_or("admin"))?;
    let password = NewSecret::password();
    let first =
        FirstAdministrator { login: login.clone(), password: password.password_hash(&app.sign_in_limits).await? };
    let (who, administrator, limits) = (caller.principal.who(), login.clone(), body.limits);
    let (listing, kept) = password
        .keep(&caller, move |turn, _| {
            let now_us = turn.now().as_micros();
            let documents = turn.documents();
            if documents.find::<Listing>(Listing::ORGANISATION, &organisation)?.is_some() {
                let detail = format!("there is an organisation {organisation:?} already");
                return Err(Problem::conflict("organisation-taken", detail));
            }
            if documents.find::<Listing>(Listing::DOMAIN, &sip_domain)?.is_some() {
                let detail = format!("the domain {sip_domain:?} is another organisation's");
                return Err(Problem::conflict("domain-taken", detail));
            }
            check_numbers(documents, 0, &numbers)?;
            let id = documents.next_id::<Listing>()?;
            if id > MOST {
                return Err(Problem::conflict("too-many-organisations", format!("a server has at most {MOST}")));
            }
            let about = format!("organisation {organisation:?}, domain {sip_domain:?}, first administrator {login:?}");
            audit::append(documents, now_us, &who, Act::OrganisationMade, about)?;
            let (suspended, made_us, first) = (false, now_us, Some(first));
            let listing =
                Listing { id, organisation, name: shown, sip_domain, numbers, limits, suspended, made_us, first };
            documents.put(&listing);
            Ok(listing)
        })
        .await?;
    app.organisations.settle(&listing.organisation).await?;
    let password = kept.show(|| another(&listing.organisation))?;
    let secret = Secret { administrator, password };
    Ok((StatusCode::CREATED, Json(Made { secret, organisation: Listed::of(&app, listing) })))
}

/// What to do where an administrator's password was shown before.
fn another(organisation: &str) -> String {
    format!("make another administrator of {organisation:?}")
}

fn identifier(text: &str) -> Result<String, Problem> {
    let rest = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let right =
        (1..=32).contains(&text.len()) && text.bytes().all(rest) && !text.starts_with('-') && !text.ends_with('-');
    if !right {
        let detail =
            format!("{text:?} names no organisation: 1 to 32 of a-z, 0-9 and hyphens, none at an end, are right");
        return Err(Problem::wrong("organisation", detail));
    }
    if RESERVED.contains(&text) {
        return Err(Problem::conflict("organisation-taken", format!("{text:?} is not free: choose another name")));
    }
    Ok(text.to_owned())
}

fn domain(text: &str, main: &str) -> Result<String, Problem> {
    let domain = text.to_ascii_lowercase();
    if !is_domain(&domain) || domain.parse::<std::net::IpAddr>().is_ok() {
        let detail =
            format!("{text:?} is no domain: one as in acme.example is right; addresses lead to the main organisation");
        return Err(Problem::wrong("sip_domain", detail));
    }
    if domain.eq_ignore_ascii_case(main) {
        return Err(Problem::conflict("domain-taken", format!("the domain {domain:?} is the main organisation's")));
    }
    Ok(domain)
}

fn numbers(texts: &[String]) -> Result<Vec<String>, Problem> {
    if texts.len() > MOST_NUMBERS {
        return Err(Problem::wrong("numbers", format!("at most {MOST_NUMBERS} numbers are right")));
    }
    for text in texts {
        if text.parse::<PhoneNumber>().is_err() {
            return Err(Problem::wrong(
                "numbers",
                format!("{text:?} is no number: digits, with a + ahead or not, are right"),
            ));
        }
    }
    let mut numbers = texts.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

/// No number leads to two organisations.
fn check_numbers(documents: &mut Documents, own: u64, numbers: &[String]) -> Result<(), Problem> {
    for number in numbers {
        let others = documents.with_key::<Listing>(Listing::NUMBER, number, 2)?;
        if let Some(other) = others.iter().find(|other| other.id != own) {
            let detail = format!("the number {number} leads to the organisation {:?}", other.organisation);
            return Err(Problem::conflict("number-taken", detail));
        }
    }
    Ok(())
}

/// What can be changed of an organisation.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Change {
    /// As people see it: 1 to 60 characters.
    name: String,
    /// Numbers that lead to it, in place of those of before.
    numbers: Vec<String>,
}

/// Changes the name for people and the numbers of an organisation.
#[utoipa::path(put, path = "/organisations/{organisation}", tag = "organisations", request_body = Change,
    params(("organisation" = String, Path, description = "which")), responses(
    (status = 200, description = "changed", body = Listed),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn change(
    State(app): State<App>,
    caller: Caller,
    At(organisation): At<String>,
    Body(body): Body<Change>,
) -> Result<Json<Listed>, Problem> {
    let shown = name("name", &body.name)?;
    let numbers = numbers(&body.numbers)?;
    settled(&app, &caller, organisation, Act::OrganisationChanged, move |turn, listing| {
        check_numbers(turn.documents(), listing.id, &numbers)?;
        let about = format!("name {shown:?}, {} numbers; before: name {:?}", numbers.len(), listing.name);
        (listing.name, listing.numbers) = (shown, numbers);
        Ok(about)
    })
    .await
}

/// Sets what an organisation may have at most, in place of its limits of before. Who has more keeps it and gets no more: operators,
/// services and files are refused with `organisation-limit`, calls find the organisation busy, customers who would chat are asked to
/// write.
#[utoipa::path(put, path = "/organisations/{organisation}/limits", tag = "organisations", request_body = Limits,
    params(("organisation" = String, Path, description = "which")), responses(
    (status = 200, description = "set", body = Listed),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn limit(
    State(app): State<App>,
    caller: Caller,
    At(organisation): At<String>,
    Body(limits): Body<Limits>,
) -> Result<Json<Listed>, Problem> {
    settled(&app, &caller, organisation, Act::OrganisationChanged, move |_, listing| {
        listing.limits = limits;
        Ok(format!("limits {}", serde_json::to_string(&limits).expect("limits have a form in JSON")))
    })
    .await
}

/// Suspends an organisation: nobody of it is let in, its telephones are refused, its calls are hung up. Nothing that is stored
/// is lost.
#[utoipa::path(post, path = "/organisations/{organisation}/suspend", tag = "organisations",
    params(("organisation" = String, Path, description = "which")), responses(
    (status = 200, description = "suspended", body = Listed),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn suspend(
    State(app): State<App>,
    caller: Caller,
    At(organisation): At<String>,
) -> Result<Json<Listed>, Problem> {
    settled(&app, &caller, organisation, Act::OrganisationSuspended, |_, listing| {
        listing.suspended = true;
        Ok(String::new())
    })
    .await
}

/// Serves an organisation again that was suspended, or tries again to serve one in trouble.
#[utoipa::path(post, path = "/organisations/{organisation}/resume", tag = "organisations",
    params(("organisation" = String, Path, description = "which")), responses(
    (status = 200, description = "served", body = Listed),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn resume(State(app): State<App>, caller: Caller, At(organisation): At<String>) -> Result<Json<Listed>, Problem> {
    settled(&app, &caller, organisation, Act::OrganisationResumed, |_, listing| {
        listing.suspended = false;
        Ok(String::new())
    })
    .await
}

/// Changes a listing, and then what runs.
async fn settled(
    app: &App,
    caller: &Caller,
    organisation: String,
    act: Act,
    change: impl FnOnce(&mut Turn<'_>, &mut Listing) -> Result<String, Problem> + Send + 'static,
) -> Result<Json<Listed>, Problem> {
    let who = caller.principal.who();
    let listing = caller
        .write(move |turn| {
            let mut listing = found(turn.documents(), &organisation)?;
            let about = change(turn, &mut listing)?;
            let about = format!("organisation {organisation:?} {about}");
            let now_us = turn.now().as_micros();
            audit::append(turn.documents(), now_us, &who, act, about.trim_end().to_owned())?;
            turn.documents().put(&listing);
            Ok(listing)
        })
        .await?;
    app.organisations.settle(&listing.organisation).await?;
    Ok(Json(Listed::of(app, listing)))
}

fn found(documents: &mut Documents, organisation: &str) -> Result<Listing, Problem> {
    if organisation == Tenants::MAIN {
        let detail = "the main organisation is the server's own: it keeps itself and is always served";
        return Err(Problem::conflict("main-organisation", detail));
    }
    let found = documents.find::<Listing>(Listing::ORGANISATION, organisation)?;
    found.ok_or_else(|| Problem::unknown(format!("there is no organisation {organisation:?}")))
}

/// Another administrator of an organisation.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAdministrator {
    /// Their login: 1 to 60 characters, nobody else's there.
    administrator: String,
}

/// Makes another administrator of an organisation, where its own have lost their passwords; the password is in this answer
/// alone. Both audit logs tell of it.
#[utoipa::path(post, path = "/organisations/{organisation}/administrators", tag = "organisations",
    request_body = NewAdministrator, params(("organisation" = String, Path, description = "which")), responses(
    (status = 201, description = "made; the password is shown this once", body = Secret),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn add_administrator(
    State(app): State<App>,
    caller: Caller,
    At(organisation): At<String>,
    Body(body): Body<NewAdministrator>,
) -> Result<(StatusCode, Json<Secret>), Problem> {
    let login = name("administrator", &body.administrator)?;
    let tenant = app.tenants().named(Some(&organisation)).ok_or_else(|| Problem::not_served(&organisation))?;
    let wanted = login.clone();
    let taken = tenant.host.read(move |reader| Ok::<_, Problem>(reader.find::<Account>("login", &wanted)?)).await?;
    if taken.is_some() {
        return Err(Problem::conflict("login-taken", format!("the login {login:?} is taken in {organisation:?}")));
    }
    let password = NewSecret::password();
    let hash = password.password_hash(&app.sign_in_limits).await?;
    let (who, named, wanted) = (caller.principal.who(), organisation.clone(), login.clone());
    // The main log tells of it first, so that nothing is done that it does not know.
    let ((), kept) = password
        .keep(&caller, move |turn, _| {
            let now_us = turn.now().as_micros();
            found(turn.documents(), &named)?;
            let about = format!("administrator {wanted:?} of organisation {named:?}");
            Ok(audit::append(turn.documents(), now_us, &who, Act::AccountMade, about)?)
        })
        .await?;
    let password = kept.show(|| another(&organisation))?;
    let who = format!("the server's {}", caller.principal.who());
    let administrator = login.clone();
    let made = tenant.host.run(move |turn| {
        let now_us = turn.now().as_micros();
        let (name, role) = (login.clone(), Role::Administrator);
        let account = Account { id: 0, login, name, password: hash, role, operator: None, disabled: false };
        let account = create_account(turn.documents(), account)?;
        audit::append(turn.documents(), now_us, &who, Act::AccountMade, account.described())?;
        Ok::<_, Problem>(())
    });
    made.await??;
    Ok((StatusCode::CREATED, Json(Secret { administrator, password })))
}
