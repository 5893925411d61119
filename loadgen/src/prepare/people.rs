//! The scenario's operators on the server: their places on the floor, their telephones and their accounts.

use std::collections::HashMap;

use callfloor_sim::model::Model;
use hyper::Method;
use serde_json::{Value, json};

use super::server::{Administration, list};
use super::{Numbers, PrepareError, SUPERVISOR, named};
use crate::play::Seated;

/// Accounts that there are: their numbers by their logins.
pub(super) type Accounts = HashMap<String, u64>;

pub(super) async fn known_accounts(administration: &mut Administration<'_>) -> Result<Accounts, PrepareError> {
    let known = administration.get("/accounts").await?;
    let account = |entry: &Value| Some((entry["login"].as_str()?.to_owned(), entry["account"].as_u64()?));
    Ok(list(&known).iter().filter_map(account).collect())
}

/// Makes the operators with their telephones; gives each with their login.
pub(super) async fn operators(
    administration: &mut Administration<'_>,
    model: &Model<'_>,
    floor: &Value,
    numbers: &Numbers,
    (accounts, password): (&Accounts, &str),
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
        // Their account is made after it: where there is none, whoever began this may have come no further.
        if is_new || !accounts.contains_key(&user) {
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
    (known, password): (&Accounts, &str),
) -> Result<(), PrepareError> {
    let server = administration.connection.server().clone();
    let changed = match last_known(logins, known) {
        Some(login) => server.connect().await?.sign_in(login, password).await?.status == 401,
        None => false,
    };
    for (operator, login) in in_order(operators, logins) {
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
        // A telephone's password is renewed before its owner's: whoever has the new one has both.
        if changed && let Some(operator) = operator {
            telephone(administration, operator.into(), password).await?;
        }
        let headers = [("content-type", "application/json")];
        let answer = administration.ask(method, &path, &headers, body.to_string().into_bytes()).await?;
        administration.accept(&format!("the account {login}"), answer)?;
    }
    Ok(())
}

/// Everybody who has an account, in the order in which it is made or renewed: the last tells whether all were.
fn in_order<'a>(
    operators: &'a [Seated],
    logins: &'a [String],
) -> impl Iterator<Item = (Option<u32>, &'a str)> + use<'a> {
    let own = operators.iter().map(|seated| Some(seated.number)).zip(logins.iter().map(String::as_str));
    own.chain(std::iter::once((None, SUPERVISOR)))
}

/// The last in that order who has an account.
fn last_known<'a>(logins: &'a [String], known: &Accounts) -> Option<&'a str> {
    let mut all = std::iter::once(SUPERVISOR).chain(logins.iter().rev().map(String::as_str));
    all.find(|login| known.contains_key(*login))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_account_tells_whether_all_have_their_password() {
        let logins: Vec<String> = (0..3).map(|id| format!("load-{id}")).collect();
        let operators: Vec<Seated> =
            logins.iter().zip(4..).map(|(user, number)| Seated { number, user: user.clone() }).collect();
        let order: Vec<_> = in_order(&operators, &logins).collect();
        let wanted = [(Some(4), "load-0"), (Some(5), "load-1"), (Some(6), "load-2"), (None, SUPERVISOR)];
        assert_eq!(order, wanted);
        let mut known = Accounts::new();
        let mut last = None;
        for (_, login) in order {
            assert_eq!(last_known(&logins, &known), last);
            known.insert(login.to_owned(), 0);
            last = Some(login);
        }
        assert_eq!(last_known(&logins, &known), Some(SUPERVISOR));
    }
}
