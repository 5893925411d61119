//! Requests that are repeated because their answer was lost: done once, answered the same again.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::host::{Handle, Turn, Unavailable};
use crate::http::Problem;
use crate::storage::{IndexKey, Kind, Range, key_of};

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

/// Answers are kept for so long: a day.
const KEPT_US: u64 = 86_400_000_000;
/// So many are forgotten in one job.
const AT_ONCE: usize = 500;

/// Forgets answers that nobody asks for again, every hour, for as long as the host takes jobs.
pub(crate) async fn keep_answers_for_a_day(host: Handle) {
    let mut hourly = tokio::time::interval(Duration::from_secs(3_600));
    loop {
        hourly.tick().await;
        let now_us = u64::try_from(jiff::Timestamp::now().as_microsecond()).unwrap_or(0);
        match forget(&host, now_us.saturating_sub(KEPT_US)).await {
            Ok(0) => {}
            Ok(forgotten) => tracing::info!(forgotten, "answers kept for idempotency keys are a day old and gone"),
            Err(problem) if host.has_stopped() => return tracing::debug!(%problem, "the host has ended"),
            Err(problem) => tracing::warn!(%problem, "old answers could not be forgotten now"),
        }
    }
}

/// Forgets the answers from before a moment; how many.
async fn forget(host: &Handle, before_us: u64) -> Result<usize, Problem> {
    let mut all = 0;
    loop {
        let old = host.read(move |reader| {
            let end = key_of(before_us);
            let range = Range { index: Some("at"), to: Some(&end), ..Range::all(Done::KIND, AT_ONCE) };
            Ok::<_, Problem>(reader.list(&range)?.into_iter().map(|listed| listed.document.id).collect::<Vec<_>>())
        });
        let old = old.await?;
        let forgotten = old.len();
        if forgotten > 0 {
            let gone: Result<(), Unavailable> = host
                .run(move |turn| {
                    old.into_iter().for_each(|id| turn.documents().delete::<Done>(id));
                    Ok::<_, Problem>(())
                })
                .await
                .map(|_| ());
            gone?;
        }
        all += forgotten;
        if forgotten < AT_ONCE {
            return Ok(all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Host, Opening};
    use crate::storage::sqlite::SqliteStorage;

    #[tokio::test]
    async fn answers_from_before_a_moment_are_forgotten() {
        let directory = tempfile::tempdir().expect("a directory");
        let writer = Box::new(SqliteStorage::open(directory.path()).expect("opens"));
        let host = Host::open(writer, Opening::new(crate::demo::floor().expect("a floor"))).expect("opens");
        let asks = async |key: String| {
            let asked = Some(Repeatable { key, fingerprint: "f".into() });
            let job = once("account 1".into(), asked, |turn| Ok(turn.documents().last_id::<Done>()?));
            host.handle().run(job).await.expect("is durable").expect("it is answered")
        };
        for one in 0..AT_ONCE + 3 {
            asks(one.to_string()).await;
        }
        let first = asks("0".into()).await;
        assert_eq!(first, 0, "the same is answered again");
        assert_eq!(forget(host.handle(), 1).await, Ok(0), "they are not that old");
        assert_eq!(forget(host.handle(), u64::MAX >> 1).await, Ok(AT_ONCE + 3));
        let left = host.handle().read(|reader| Ok::<_, Problem>(reader.count(&Range::all(Done::KIND, 0))?)).await;
        assert_eq!(left, Ok(0));
        assert!(asks("0".into()).await > 0, "it is done anew");
        host.close();
    }
}
