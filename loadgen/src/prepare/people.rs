//! The scenario's operators on the server: their places on the floor, their telephones and their accounts.

use std::collections::HashMap;

use callfloor_sim::model::Model;
use hyper::Method;
use serde_json::{Value, json};

use super::server::{Administration, list};
use super::{Numbers, PrepareError, SUPERVISOR, named};
use crate::play::Seated;

/// Makes the operators with their telephones; gives each with their login.
pub(super) async fn operators(
    administration: &mut Administration<'_>,
    model: &Model<'_>,
    floor: &Value,
    numbers: &Numbers,
    password: &str,
) -> Result<(Vec<Seated>, Vec<String>), PrepareError> {
    let known = list(&floor["operators"]);
    let (mut seated, mut logins) = (Vec::new(), Vec::new());
    for (id, operator) in model.plan.config.operators.iter().enumerate() {
        let user = format!("load-{id}");
        let skills = operator.skills.iter();
        let skills: Vec<Value> =
            skills.map(|has| json!({ "skill": numbers.skill(has.skill.0), "proficiency": has.proficiency })).collect();
        let queues = operator.queues.iter();
        let queues: Vec<Value> = queues
            .map(|it| json!({ "queue": numbers.queue(it.queue.0), "level": it.level, "preference": it.preference }))
            .collect();
        let services: Vec<u16> = operator.services.iter().map(|service| numbers.service(service.0)).collect();
        let body = json!({
            "name": named(&operator.name),
            "services": services,
            "phone": true,
            "cti_id": user,
            "cti_number": format!("*9{id:05}"),
            "skills": skills,
            "queues": queues,
            "points": operator.points,
            "chat_limit": operator.chat_limit,
            "ticket_limit": operator.ticket_limit,
            // The scenario's own delay decides when a telephone is lifted.
            "auto_answer": false,
            "device": "sip-phone",
        });
        let is_new = !known.iter().any(|entry| entry["cti_id"] == json!(user));
        let key = ("cti_id", &json!(user));
        let number = administration.put(known, "/floor/operators", key, &body).await?;
        if is_new {
            telephone(administration, number, password).await?;
        }
        seated.push(Seated { number: u32::try_from(number).unwrap_or(u32::MAX), user: user.clone() });
        logins.push(user);
    }
    Ok((seated, logins))
}

async fn telephone(administration: &mut Administration<'_>, operator: u64, password: &str) -> Result<(), PrepareError> {
    let path = format!("/floor/operators/{operator}/telephone");
    administration.change(Method::PUT, &path, &json!({ "password": password })).await.map(drop)
}

/// Accounts of everybody who is played. Those of an earlier run keep their password, unless the administrator's was changed since.
pub(super) async fn accounts(
    administration: &mut Administration<'_>,
    operators: &[Seated],
    logins: &[String],
    password: &str,
) -> Result<(), PrepareError> {
    let known = administration.get("/accounts").await?;
    let account = |entry: &Value| Some((entry["login"].as_str()?.to_owned(), entry["account"].as_u64()?));
    let known: HashMap<String, u64> = list(&known).iter().filter_map(account).collect();
    let server = administration.connection.server().clone();
    let changed =
        known.contains_key(SUPERVISOR) && server.connect().await?.sign_in(SUPERVISOR, password).await?.status == 401;
    let own = operators.iter().map(|seated| Some(seated.number)).zip(logins.iter().map(String::as_str));
    for (operator, login) in std::iter::once((None, SUPERVISOR)).chain(own) {
        let (method, path, body) = match known.get(login) {
            None => {
                let role = if operator.is_some() { "operator" } else { "supervisor" };
                let body =
                    json!({ "login": login, "password": password, "name": login, "role": role, "operator": operator });
                (Method::POST, "/accounts".to_owned(), body)
            }
            Some(account) if changed => {
                (Method::PUT, format!("/accounts/{account}/password"), json!({ "password": password }))
            }
            Some(_) => continue,
        };
        let headers = [("content-type", "application/json")];
        let answer = administration.ask(method, &path, &headers, body.to_string().into_bytes()).await?;
        administration.accept(&format!("the account {login}"), answer)?;
        if changed && let Some(operator) = operator {
            telephone(administration, operator.into(), password).await?;
        }
    }
    Ok(())
}
