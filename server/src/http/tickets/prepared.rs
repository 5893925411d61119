//! Categories, custom fields and templates: small lists, whole each time.

use axum::Json;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{DESK, WRITERS};
use crate::auth::{Access, Caller, Role, Row};
use crate::document::{Document, Read};
use crate::host::Turn;
use crate::http::{App, At, Body, Problem};
use crate::storage::Range;
use crate::tickets::{Category, CustomField, FieldKind, MOST_LISTED as MOST, Template};

/// Everybody who works with tickets or prepares them.
const READERS: Access = Access::Roles(&[Role::Operator, Role::Supervisor, Role::Administrator]);

pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/ticket-categories", access: READERS },
    Row { method: "POST", path: "/ticket-categories", access: WRITERS },
    Row { method: "PUT", path: "/ticket-categories/{id}", access: WRITERS },
    Row { method: "GET", path: "/ticket-fields", access: READERS },
    Row { method: "POST", path: "/ticket-fields", access: WRITERS },
    Row { method: "PUT", path: "/ticket-fields/{id}", access: WRITERS },
    Row { method: "GET", path: "/ticket-templates", access: READERS },
    Row { method: "POST", path: "/ticket-templates", access: WRITERS },
    Row { method: "PUT", path: "/ticket-templates/{id}", access: WRITERS },
    Row { method: "DELETE", path: "/ticket-templates/{id}", access: WRITERS },
    Row { method: "GET", path: "/ticket-templates/{id}/text", access: DESK },
];

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(categories, add_category))
        .routes(routes!(set_category))
        .routes(routes!(fields, add_field))
        .routes(routes!(set_field))
        .routes(routes!(templates, add_template))
        .routes(routes!(set_template, remove_template))
        .routes(routes!(filled))
}

async fn listed<D: Document + Send + 'static>(caller: &Caller) -> Result<Json<Vec<D>>, Problem> {
    Ok(Json(caller.read(|reader| Ok(reader.documents::<D>(&Range::all(D::KIND, MOST))?)).await?))
}

/// Adds an entry under a new number, or puts one in the place of what has its number.
async fn put<D: Document + Send + Clone + 'static>(
    caller: &Caller,
    id: Option<u64>,
    make: impl FnOnce(u64, &mut Turn<'_>) -> Result<D, Problem> + Send + 'static,
) -> Result<D, Problem> {
    caller
        .write(move |turn| {
            let id = match id {
                Some(id) => {
                    let found = turn.documents().get::<D>(id)?;
                    found.map(|_| id).ok_or_else(|| Problem::unknown(format!("there is no {} {id}", D::KIND)))?
                }
                None => turn.documents().next_id::<D>()?,
            };
            if id > MOST as u64 {
                let detail = format!("there are {MOST} of them: that is the most; retire or change one");
                return Err(Problem::conflict("too-many", detail));
            }
            let made = make(id, turn)?;
            turn.documents().put(&made);
            Ok(made)
        })
        .await
}

fn named(name: &str) -> Result<String, Problem> {
    crate::http::admin::name("name", name)
}

fn category(body: Category, id: u64, turn: &mut Turn<'_>) -> Result<Category, Problem> {
    let mut above = body.under;
    let mut steps = 0;
    while let Some(under) = above {
        let found = turn.documents().get::<Category>(under)?;
        let found = found.ok_or_else(|| Problem::wrong("under", format!("there is no category {under}")))?;
        steps += 1;
        if under == id || steps > 5 {
            return Err(Problem::wrong("under", "a category is not under itself, and at most five deep"));
        }
        above = found.under;
    }
    Ok(Category { id, name: named(&body.name)?, ..body })
}

/// Categories, retired ones too.
#[utoipa::path(get, path = "/ticket-categories", tag = "tickets", responses(
    (status = 200, description = "categories by number", body = Vec<Category>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn categories(caller: Caller) -> Result<Json<Vec<Category>>, Problem> {
    listed(&caller).await
}

/// Adds a category; its number is given by the server.
#[utoipa::path(post, path = "/ticket-categories", tag = "tickets", request_body = Category, responses(
    (status = 201, description = "added", body = Category),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn add_category(caller: Caller, Body(body): Body<Category>) -> Result<(StatusCode, Json<Category>), Problem> {
    Ok((StatusCode::CREATED, Json(put(&caller, None, |id, turn| category(body, id, turn)).await?)))
}

/// Changes or retires a category.
#[utoipa::path(put, path = "/ticket-categories/{id}", tag = "tickets", request_body = Category,
    params(("id" = u64, Path, description = "its number")), responses(
    (status = 200, description = "changed", body = Category),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set_category(caller: Caller, At(id): At<u64>, Body(body): Body<Category>) -> Result<Json<Category>, Problem> {
    Ok(Json(put(&caller, Some(id), |id, turn| category(body, id, turn)).await?))
}

fn custom_field(body: CustomField, id: u64) -> Result<CustomField, Problem> {
    match &body.kind {
        FieldKind::Text { most } if !(1..=4_000).contains(most) => {
            return Err(Problem::wrong("most", format!("{most} characters: 1 to 4000 are right")));
        }
        FieldKind::Choice { options } => {
            let right = |option: &String| (1..=100).contains(&option.chars().count());
            if !(1..=200).contains(&options.len()) || !options.iter().all(right) {
                return Err(Problem::wrong("options", "1 to 200 options of 1 to 100 characters are right"));
            }
        }
        _ => {}
    }
    Ok(CustomField { id, name: named(&body.name)?, ..body })
}

/// Custom fields, retired ones too.
#[utoipa::path(get, path = "/ticket-fields", tag = "tickets", responses(
    (status = 200, description = "fields by number", body = Vec<CustomField>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn fields(caller: Caller) -> Result<Json<Vec<CustomField>>, Problem> {
    listed(&caller).await
}

/// Adds a custom field; its number is given by the server.
#[utoipa::path(post, path = "/ticket-fields", tag = "tickets", request_body = CustomField, responses(
    (status = 201, description = "added", body = CustomField),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn add_field(caller: Caller, Body(body): Body<CustomField>) -> Result<(StatusCode, Json<CustomField>), Problem> {
    Ok((StatusCode::CREATED, Json(put(&caller, None, |id, _| custom_field(body, id)).await?)))
}

/// Changes or retires a custom field; values that tickets have stay.
#[utoipa::path(put, path = "/ticket-fields/{id}", tag = "tickets", request_body = CustomField,
    params(("id" = u64, Path, description = "its number")), responses(
    (status = 200, description = "changed", body = CustomField),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set_field(
    caller: Caller,
    At(id): At<u64>,
    Body(body): Body<CustomField>,
) -> Result<Json<CustomField>, Problem> {
    Ok(Json(put(&caller, Some(id), |id, _| custom_field(body, id)).await?))
}

fn template(body: Template, id: u64, turn: &Turn<'_>) -> Result<Template, Problem> {
    let services = turn.engine().config().services.len();
    if body.service.is_some_and(|service| usize::from(service) >= services) {
        return Err(Problem::wrong("service", format!("there are {services} services")));
    }
    if !(1..=20_000).contains(&body.text.chars().count()) {
        return Err(Problem::wrong("text", "1 to 20000 characters are right"));
    }
    Ok(Template { id, name: named(&body.name)?, ..body })
}

/// Templates of replies.
#[utoipa::path(get, path = "/ticket-templates", tag = "tickets", responses(
    (status = 200, description = "templates by number", body = Vec<Template>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn templates(caller: Caller) -> Result<Json<Vec<Template>>, Problem> {
    listed(&caller).await
}

/// Adds a template; its number is given by the server.
#[utoipa::path(post, path = "/ticket-templates", tag = "tickets", request_body = Template, responses(
    (status = 201, description = "added", body = Template),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn add_template(caller: Caller, Body(body): Body<Template>) -> Result<(StatusCode, Json<Template>), Problem> {
    Ok((StatusCode::CREATED, Json(put(&caller, None, |id, turn| template(body, id, turn)).await?)))
}

/// Changes a template.
#[utoipa::path(put, path = "/ticket-templates/{id}", tag = "tickets", request_body = Template,
    params(("id" = u64, Path, description = "its number")), responses(
    (status = 200, description = "changed", body = Template),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set_template(caller: Caller, At(id): At<u64>, Body(body): Body<Template>) -> Result<Json<Template>, Problem> {
    Ok(Json(put(&caller, Some(id), |id, turn| template(body, id, turn)).await?))
}

/// Removes a template.
#[utoipa::path(delete, path = "/ticket-templates/{id}", tag = "tickets",
    params(("id" = u64, Path, description = "its number")), responses(
    (status = 204, description = "removed"),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn remove_template(caller: Caller, At(id): At<u64>) -> Result<StatusCode, Problem> {
    caller
        .write(move |turn| {
            let found = turn.documents().get::<Template>(id)?;
            found.ok_or_else(|| Problem::unknown(format!("there is no template {id}")))?;
            turn.documents().delete::<Template>(id);
            Ok(())
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// For which ticket a template is filled in.
#[derive(Clone, Copy, Debug, serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct For {
    /// The ticket's number.
    ticket: u64,
}

/// A template's text.
#[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema)]
struct Filled {
    /// The text.
    text: String,
}

/// A template's text, filled in for a ticket.
#[utoipa::path(get, path = "/ticket-templates/{id}/text", tag = "tickets",
    params(("id" = u64, Path, description = "its number"), For), responses(
    (status = 200, description = "the text", body = Filled),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn filled(
    caller: Caller,
    At(id): At<u64>,
    crate::http::Asking(which): crate::http::Asking<For>,
) -> Result<Json<Filled>, Problem> {
    let who = caller.principal.clone();
    let text = caller
        .look(move |turn| {
            let ticket = super::visible(turn, &who, which.ticket)?;
            let documents = turn.documents();
            let template = documents.get::<Template>(id)?;
            let template = template.ok_or_else(|| Problem::unknown(format!("there is no template {id}")))?;
            let customer = match ticket.customer {
                Some(customer) => documents.get::<crate::customers::Customer>(customer)?,
                None => None,
            };
            let people = &turn.engine().config().operators;
            let operator = who.operator.and_then(|operator| people.get(operator.index()));
            let operator = operator.map_or(who.login.as_str(), |person| person.name.as_str());
            let customer = customer.map(|customer| customer.name).unwrap_or_default();
            let text = template.text.replace("{ticket}", &ticket.id.to_string()).replace("{operator}", operator);
            Ok(text.replace("{customer}", &customer))
        })
        .await?;
    Ok(Json(Filled { text }))
}
