//! Requests that are repeated because their answer was lost: done once, answered the same again.

use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::host::Turn;
use crate::http::Problem;
use crate::storage::{IndexKey, Kind, key_of};

/// How a repeated request is known again.
#[derive(Clone, Debug)]
pub(crate) struct Repeatable {
    /// What the client calls it.
    pub(crate) key: String,
    /// A hash of its method, address and body.
    pub(crate) fingerprint: String,
}

/// The idempotency key of a request, where it has one.
///
/// # Errors
/// Where it is none.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| (1..=128).contains(&key.len()));
    let key = key.ok_or_else(|| Problem::wrong("idempotency-key", "1 to 128 characters of plain text are right"))?;
    Ok(Some(key.to_owned()))
}

/// What a request with an idempotency key was answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Done {
    id: u64,
    /// `account 1`, `key 3`, `open key 2`.
    who: String,
    key: String,
    fingerprint: String,
    at_us: u64,
    answer: serde_json::Value,
}

impl Done {
    fn name(who: &str, key: &str) -> String {
        format!("{who}:{key}")
    }
}

impl Document for Done {
    const KIND: Kind = "idempotent-answer";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        vec![IndexKey::new("name", Self::name(&self.who, &self.key)), IndexKey::new("at", key_of(self.at_us))]
    }
}

impl Done {
    /// What the same request was answered; a refusal where the key was used for another.
    fn earlier<T: DeserializeOwned>(turn: &mut Turn<'_>, who: &str, asked: &Repeatable) -> Result<Option<T>, Problem> {
        let Some(done) = turn.documents().find::<Self>("name", &Self::name(who, &asked.key))? else { return Ok(None) };
        let reused = |status, detail: &str| Problem::new(status, "idempotency-key-reused", detail);
        if done.fingerprint != asked.fingerprint {
            let detail = "this idempotency key was used for another request: take a new one";
            return Err(reused(StatusCode::UNPROCESSABLE_ENTITY, detail));
        }
        let answer = serde_json::from_value(done.answer);
        answer.map(Some).map_err(|_| reused(StatusCode::CONFLICT, "the earlier answer is of another kind"))
    }
}

/// What this very request of the same asker was answered before, in the loop's order; nothing where it has no idempotency key.
pub(crate) fn earlier<T: DeserializeOwned>(
    who: String,
    repeatable: Option<Repeatable>,
) -> impl FnOnce(&mut Turn<'_>) -> Result<Option<T>, Problem> {
    move |turn| repeatable.map_or(Ok(None), |asked| Done::earlier(turn, &who, &asked))
}

/// A job for the loop that does the same request of the same asker with the same idempotency key once, and answers it the same
/// again; key and answer are in the same commit as what was done.
pub(crate) fn once<T: Serialize + DeserializeOwned>(
    who: String,
    repeatable: Option<Repeatable>,
    job: impl FnOnce(&mut Turn<'_>) -> Result<T, Problem>,
) -> impl FnOnce(&mut Turn<'_>) -> Result<T, Problem> {
    move |turn| {
        let Some(asked) = repeatable else { return job(turn) };
        if let Some(answer) = Done::earlier(turn, &who, &asked)? {
            return Ok(answer);
        }
        let answer = job(turn)?;
        let at_us = turn.now().as_micros();
        let kept = serde_json::to_value(&answer).expect("an answer has a form in JSON");
        let id = turn.documents().next_id::<Done>()?;
        let Repeatable { key, fingerprint } = asked;
        turn.documents().put(&Done { id, who, key, fingerprint, at_us, answer: kept });
        Ok(answer)
    }
}
