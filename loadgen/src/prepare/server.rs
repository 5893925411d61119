//! The administration API of a server, as preparing uses it.

use hyper::Method;
use serde_json::Value;

use super::PrepareError;
use crate::http::{Answer, Connection};

/// The administration of one server: changes are made on the floor's present version.
pub(super) struct Administration<'a> {
    pub(super) connection: &'a mut Connection,
    pub(super) version: String,
}

impl Administration<'_> {
    /// Asks, and asks again as long as it is too often.
    pub(super) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, PrepareError> {
        Ok(self.connection.patiently(method, &format!("/api/v1{path}"), headers, body).await?)
    }

    pub(super) async fn get(&mut self, path: &str) -> Result<Value, PrepareError> {
        let answer = self.ask(Method::GET, path, &[], Vec::new()).await?;
        self.accept(path, answer).map(|answer| answer.body)
    }

    pub(super) fn accept(&self, what: &str, answer: Answer) -> Result<Answer, PrepareError> {
        if answer.is_success() { Ok(answer) } else { Err(self.refused(what, answer.status, answer.detail())) }
    }

    fn refused(&self, what: &str, status: u16, detail: String) -> PrepareError {
        let url = self.connection.server().url.to_string();
        PrepareError::Refused { url, what: what.to_owned(), status, detail }
    }

    /// Changes the floor on its present version.
    pub(super) async fn change(&mut self, method: Method, path: &str, body: &Value) -> Result<Value, PrepareError> {
        self.change_bytes(method, path, "application/json", body.to_string().into_bytes()).await
    }

    pub(super) async fn change_bytes(
        &mut self,
        method: Method,
        path: &str,
        kind: &str,
        body: Vec<u8>,
    ) -> Result<Value, PrepareError> {
        let what = format!("{method} {path}");
        let version = self.version.clone();
        let headers = [("if-match", version.as_str()), ("content-type", kind)];
        let answer = self.ask(method, path, &headers, body).await?;
        let answer = self.accept(&what, answer)?;
        if let Some(etag) = answer.etag {
            self.version = etag;
        }
        Ok(answer.body)
    }

    /// Makes the entry of that name in a list of the floor, or changes the one that there is; gives its number.
    pub(super) async fn put(
        &mut self,
        list: &[Value],
        path: &str,
        (key, name): (&str, &Value),
        body: &Value,
    ) -> Result<u64, PrepareError> {
        if let Some(place) = list.iter().position(|entry| entry[key] == *name) {
            if !holds(&list[place], body) {
                self.change(Method::PUT, &format!("{path}/{place}"), body).await?;
            }
            return Ok(place as u64);
        }
        let made = self.change(Method::POST, path, body).await?;
        let number = made.as_object().and_then(|made| made.values().next()).and_then(Value::as_u64);
        number.ok_or_else(|| self.refused(&format!("POST {path}"), 200, "the answer names no number".into()))
    }
}

/// The entries of a list; none where it is no list.
pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Whether what a server has is what is wanted. What is not wanted of an object may be anything, for it has its default; but a step
/// of a flow that leads somewhere is not one that leads nowhere.
pub(super) fn holds(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => {
            let more = || found.iter().filter(|(key, _)| !wanted.contains_key(*key));
            let holds = |(key, value): (&String, &Value)| found.get(key).map_or(value.is_null(), |it| holds(it, value));
            wanted.iter().all(holds) && (!wanted.contains_key("step") || more().all(|(_, value)| value.is_null()))
        }
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(found, wanted)| holds(found, wanted))
        }
        _ => found == wanted,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_there_is_told_from_what_is_not() {
        let found = json!({
            "name": "load: support",
            "schedule": null,
            "flow": [{ "step": "queue", "queue": 3, "on_full": null }, { "step": "end" }],
            "settings": { "ring_limit_ms": 250, "device_grace_ms": 30_000, "login_status": { "status": "break", "reason": 0 } },
        });
        let wanted = |step: Value, settings: Value| json!({ "name": "load: support", "flow": [step, { "step": "end" }], "settings": settings });
        let queue = json!({ "step": "queue", "queue": 3 });
        let settings =
            json!({ "ring_limit_ms": 250, "after_call_limit_ms": null, "login_status": { "status": "break" } });
        assert!(holds(&found, &wanted(queue.clone(), settings.clone())));
        assert!(!holds(&found, &wanted(queue.clone(), json!({ "ring_limit_ms": 200 }))));
        assert!(!holds(&found, &wanted(queue.clone(), json!({ "after_call_limit_ms": 5 }))));
        assert!(!holds(&found, &wanted(json!({ "step": "queue", "queue": 4 }), settings.clone())));
        assert!(!holds(&found, &json!({ "flow": [queue] })), "a flow is as long as it is");
        let leads = json!([{ "step": "queue", "queue": 3, "on_full": 1 }]);
        assert!(!holds(&leads, &json!([{ "step": "queue", "queue": 3 }])));
    }
}
