//! A request's caller, with the two ways to serve it: a job in the loop, or a look at what is committed.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Principal;
use crate::audit::{self, Act};
use crate::document::Document;
use crate::host::Turn;
use crate::http::{App, Problem};
use crate::storage::{IndexKey, Kind, Reader};

#[derive(Clone)]
pub(super) struct IdempotencyKey(pub(super) String);
#[derive(Clone)]
pub(super) struct Fingerprint(pub(super) String);
/// What the audit log says of a request that changes the configuration.
#[derive(Clone)]
pub(super) struct Change(pub(super) String);
#[derive(Clone, Copy)]
pub(super) struct SessionNumber(pub(super) u64);

/// Who asks, and under which idempotency key.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who asks.
    pub principal: Principal,
    /// Their session's number.
    pub session: Option<u64>,
    /// Idempotency key and fingerprint of the request.
    repeatable: Option<(String, String)>,
    /// What the audit log says of it, where it changes the configuration.
    change: Option<String>,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let extensions = &parts.extensions;
        let principal = extensions.get::<Principal>().cloned();
        let principal = principal.ok_or_else(|| Problem::unauthenticated("sign in first: POST /api/v1/sessions"))?;
        let key = extensions.get::<IdempotencyKey>().map(|key| key.0.clone());
        let fingerprint = extensions.get::<Fingerprint>().map(|fingerprint| fingerprint.0.clone());
        Ok(Self {
            session: extensions.get::<SessionNumber>().map(|session| session.0),
            repeatable: key.zip(fingerprint),
            change: extensions.get::<Change>().map(|change| change.0.clone()),
            principal,
        })
    }
}

/// What a request with an idempotency key was answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Done {
    id: u64,
    /// `account 1`, `key 3`.
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

    /// What the same request was answered; a refusal where the key was used for another.
    fn earlier<T: DeserializeOwned>(
        turn: &mut Turn<'_>,
        who: &str,
        key: &str,
        fingerprint: &str,
    ) -> Result<Option<T>, Problem> {
        let Some(done) = turn.documents().find::<Self>("name", &Self::name(who, key))? else { return Ok(None) };
        if done.fingerprint != fingerprint {
            return Err(Problem::new(
                axum::http::StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "this idempotency key was used for another request: take a new one",
            ));
        }
        let answer = serde_json::from_value(done.answer);
        answer
            .map(Some)
            .map_err(|_| Problem::conflict("idempotency-key-reused", "the earlier answer is of another kind"))
    }
}

impl Document for Done {
    const KIND: Kind = "idempotent-answer";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        vec![
            IndexKey::new("name", Self::name(&self.who, &self.key)),
            IndexKey::new("at", crate::storage::key_of(self.at_us)),
        ]
    }
}

impl Caller {
    /// Runs a job in the loop. The same request with the same idempotency key is done once, and answered the same again;
    /// key and answer are in the same commit as what was done.
    ///
    /// # Errors
    /// The job's, or that there is no answer at present.
    pub async fn write<T: Serialize + DeserializeOwned + Send + 'static>(
        &self,
        job: impl FnOnce(&mut Turn<'_>) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.principal.tenant.host.run(self.once(job)).await?
    }

    /// The name under which what is done is kept, where the request has an idempotency key.
    fn repeatable(&self) -> Option<(String, String, String)> {
        let who = format!("{} {}", if self.principal.machine { "key" } else { "account" }, self.principal.account);
        self.repeatable.clone().map(|(key, fingerprint)| (who, key, fingerprint))
    }

    /// What this very request was answered before, in the loop's order.
    pub fn earlier<T: DeserializeOwned>(&self) -> impl FnOnce(&mut Turn<'_>) -> Result<Option<T>, Problem> + use<T> {
        let repeatable = self.repeatable();
        move |turn| match repeatable {
            Some((who, key, fingerprint)) => Done::earlier(turn, &who, &key, &fingerprint),
            None => Ok(None),
        }
    }

    /// A job as [`write`](Self::write) runs it, for whoever runs it later in the loop.
    pub fn once<T: Serialize + DeserializeOwned + Send + 'static>(
        &self,
        job: impl FnOnce(&mut Turn<'_>) -> Result<T, Problem> + Send + 'static,
    ) -> impl FnOnce(&mut Turn<'_>) -> Result<T, Problem> + Send + 'static {
        let (repeatable, change, principal) = (self.repeatable(), self.change.clone(), self.principal.who());
        let account = (!self.principal.machine).then_some(self.principal.account);
        let job = move |turn: &mut Turn<'_>| {
            // First, so that it stays wherever something of the job does; it goes where nothing does.
            if let Some(change) = change {
                let at_us = turn.now().as_micros();
                audit::append(turn.documents(), at_us, &principal, Act::ConfigurationChanged, change)?;
            }
            job(turn)
        };
        move |turn| {
            if let Some(account) = account {
                turn.documents().acts(account);
            }
            let Some((who, key, fingerprint)) = repeatable else { return job(turn) };
            if let Some(answer) = Done::earlier(turn, &who, &key, &fingerprint)? {
                return Ok(answer);
            }
            let answer = job(turn)?;
            let at_us = turn.now().as_micros();
            let kept = serde_json::to_value(&answer).expect("an answer has a form in JSON");
            let id = turn.documents().next_id::<Done>()?;
            turn.documents().put(&Done { id, who, key, fingerprint, at_us, answer: kept });
            Ok(answer)
        }
    }

    /// Writes in the audit log what the caller does: before it is done, so that nothing is done without it.
    ///
    /// # Errors
    /// That there is no answer at present.
    pub async fn audited(&self, act: Act, about: String) -> Result<(), Problem> {
        let who = self.principal.who();
        self.principal
            .tenant
            .host
            .run(move |turn| {
                let at_us = turn.now().as_micros();
                audit::append(turn.documents(), at_us, &who, act, about)
            })
            .await??;
        Ok(())
    }

    /// Looks at the engine, in the loop's order: what the caller did before is seen.
    ///
    /// # Errors
    /// The job's, or that there is no answer at present.
    pub async fn look<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Turn<'_>) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.principal.tenant.host.run(job).await?
    }

    /// Reads what is committed, away from the loop.
    ///
    /// # Errors
    /// The function's own.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn Reader) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.principal.tenant.host.read(read).await
    }
}
