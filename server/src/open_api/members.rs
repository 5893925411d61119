//! Members: the organisation's own system is asked whether a token is right, and who it is.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::OpenScope;
use super::door::Asker;
use super::inquiry::{member, of_member};
use super::linked::{LinkName, ask, tame};
use super::outgoing::{Answer, Trouble};
use crate::auth::{Access, Row};
use crate::host::Turn;
use crate::http::{App, Asking, Body, Problem};
use crate::tenant::Tenant;

const CHECK: Access = Access::Signed(OpenScope::MembersCheck);

/// Rows of this module's routes.
pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/open/v1/member-authentication", access: CHECK },
    Row { method: "POST", path: "/open/v1/member-authentication", access: CHECK },
];

/// This module's routes.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(by_address, by_body))
}

/// A member's token.
#[derive(Clone, Deserialize, utoipa::ToSchema, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MemberToken {
    /// As the organisation's own system gave it to the member: 1 to 2,000 characters.
    token: String,
}

impl std::fmt::Debug for MemberToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemberToken(…)")
    }
}

/// Whether a token is right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
struct Authenticated {
    /// Whether it is.
    authenticated: bool,
    /// Who they are, as the organisation's own system calls them.
    member: Option<String>,
    /// What they are called.
    name: Option<String>,
}

/// What the organisation's own system says of a right token.
#[derive(Debug, Deserialize)]
struct Told {
    member: String,
    #[serde(default)]
    name: String,
}

fn failed(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_GATEWAY, "linked-system-failed", format!("the organisation's system: {detail}"))
}

/// Who the answer says that it is; `None` for a wrong token.
fn who(answer: Result<Answer, Trouble>) -> Result<Option<(String, String)>, Problem> {
    match answer {
        Err(late @ Trouble::Late(_)) => {
            let detail = format!("the organisation's system: {late}");
            Err(Problem::new(StatusCode::GATEWAY_TIMEOUT, "linked-system-late", detail))
        }
        Err(trouble) => Err(failed(trouble.to_string())),
        Ok(Answer { status: 401 | 403 | 404, .. }) => Ok(None),
        Ok(Answer { status: 200, body }) => {
            let told: Told =
                serde_json::from_slice(&body).map_err(|wrong| failed(format!("its answer cannot be read: {wrong}")))?;
            let known = member(&told.member).map_err(|wrong| failed(wrong.detail))?;
            Ok(Some((known, tame(&told.name, 100).replace('\n', " ").trim().to_owned())))
        }
        Ok(Answer { status, .. }) => Err(failed(format!("it answered {status}: 200, 401, 403 or 404 is right"))),
    }
}

async fn authenticate(app: &App, asker: &Asker, token: String) -> Result<Json<Authenticated>, Problem> {
    if !(1..=2_000).contains(&token.chars().count()) {
        return Err(Problem::wrong("token", "1 to 2000 characters are right"));
    }
    let answer = ask(app, &asker.tenant, LinkName::MemberAuthentication, vec![("token", token)]).await?;
    let answer = answer.ok_or_else(|| {
        let detail = "no system is linked that knows members: an administrator sets it at /linked-systems";
        Problem::conflict("not-linked", detail)
    })?;
    let Some((member, name)) = who(answer)? else {
        return Ok(Json(Authenticated { authenticated: false, member: None, name: None }));
    };
    let (known, called) = (member.clone(), name.clone());
    let job = move |turn: &mut Turn<'_>| {
        let now_us = turn.now().as_micros();
        Ok::<_, Problem>(of_member(turn.documents(), &known, &called, now_us).map(drop)?)
    };
    asker.tenant.host.run(job).await??;
    Ok(Json(Authenticated { authenticated: true, member: Some(member), name: Some(name).filter(|it| !it.is_empty()) }))
}

/// The record of the member whose token a customer sent; `None` where the organisation's own system does not say at present:
/// they are served all the same.
///
/// # Errors
/// Where no system is linked that knows members, it says that the token is wrong, or there is no answer of ours.
pub(crate) async fn record_of_member(app: &App, tenant: &Tenant, token: String) -> Result<Option<u64>, Problem> {
    if !(1..=2_000).contains(&token.chars().count()) {
        return Err(Problem::wrong("member_token", "1 to 2000 characters are right"));
    }
    let answer = ask(app, tenant, LinkName::MemberAuthentication, vec![("token", token)]).await?;
    let not_linked = || Problem::conflict("not-linked", "members are not known here: ask without a member's token");
    let found = match who(answer.ok_or_else(not_linked)?) {
        Ok(found) => found,
        Err(problem) => {
            tracing::warn!(organisation = tenant.name, %problem, "a member's token could not be looked at");
            return Ok(None);
        }
    };
    let wrong =
        || Problem::new(StatusCode::FORBIDDEN, "member-token", "the member's token is wrong or over: sign in again");
    let (member, name) = found.ok_or_else(wrong)?;
    let job = move |turn: &mut Turn<'_>| {
        let now_us = turn.now().as_micros();
        Ok::<_, Problem>(of_member(turn.documents(), &member, &name, now_us)?.id)
    };
    tenant.host.run(job).await?.map(Some)
}

/// Has the organisation's own system say whether a member's token is right. Better by POST: addresses are written down in
/// many places.
#[utoipa::path(get, path = "/member-authentication", tag = "open API", params(MemberToken), responses(
    (status = 200, description = "whether it is right, and whose it is", body = Authenticated),
    (status = "4XX", description = "refused", body = Problem),
    (status = 502, description = "the organisation's system gave no usable answer", body = Problem),
    (status = 503, description = "try again", body = Problem),
    (status = 504, description = "the organisation's system gave no answer in time", body = Problem),
))]
async fn by_address(
    State(app): State<App>,
    asker: Asker,
    Asking(asked): Asking<MemberToken>,
) -> Result<Json<Authenticated>, Problem> {
    authenticate(&app, &asker, asked.token).await
}

/// Has the organisation's own system say whether a member's token is right.
#[utoipa::path(post, path = "/member-authentication", tag = "open API", request_body = MemberToken, responses(
    (status = 200, description = "whether it is right, and whose it is", body = Authenticated),
    (status = "4XX", description = "refused", body = Problem),
    (status = 502, description = "the organisation's system gave no usable answer", body = Problem),
    (status = 503, description = "try again", body = Problem),
    (status = 504, description = "the organisation's system gave no answer in time", body = Problem),
))]
async fn by_body(
    State(app): State<App>,
    asker: Asker,
    Body(asked): Body<MemberToken>,
) -> Result<Json<Authenticated>, Problem> {
    authenticate(&app, &asker, asked.token).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_comes_to() {
        let answer = |status, body: &str| who(Ok(Answer { status, body: body.into() }));
        let right = answer(200, r#"{"member":"m-1","name":"花子\n","rank":3}"#).unwrap();
        assert_eq!(right, Some(("m-1".into(), "花子".into())));
        for status in [401, 403, 404] {
            assert_eq!(answer(status, "").unwrap(), None);
        }
        for (status, body) in [(200, "yes"), (200, r#"{"member":""}"#), (200, r#"{"name":"x"}"#), (302, ""), (500, "")]
        {
            assert_eq!(answer(status, body).unwrap_err().status, 502, "{status} {body}");
        }
        assert_eq!(who(Err(Trouble::Late(200))).unwrap_err().status, 504);
    }
}
