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
        if answer.is_success() { Ok(answer) } else { Err(self.refused(what, answer.detail())) }
    }

    fn refused(&self, what: &str, detail: String) -> PrepareError {
        let url = self.connection.server().url.to_string();
        PrepareError::Refused { url, what: what.to_owned(), detail }
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
            let is = |(key, value): (&String, &Value)| list[place][key] == *value;
            if !body.as_object().is_some_and(|wanted| wanted.iter().all(is)) {
                self.change(Method::PUT, &format!("{path}/{place}"), body).await?;
            }
            return Ok(place as u64);
        }
        let made = self.change(Method::POST, path, body).await?;
        let number = made.as_object().and_then(|made| made.values().next()).and_then(Value::as_u64);
        number.ok_or_else(|| self.refused(&format!("POST {path}"), "the answer names no number".into()))
    }
}

/// The entries of a list; none where it is no list.
pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
