//! A request's caller, with the two ways to serve it: a job in the loop, or a look at what is committed.

use std::time::Instant;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Principal;
use super::once::{self, Repeatable};
use crate::audit::{self, Act};
use crate::host::Turn;
use crate::http::{App, Problem};
use crate::storage::Reader;

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
    /// How the request is known again.
    repeatable: Option<Repeatable>,
    /// What the audit log says of it, where it changes the configuration.
    change: Option<String>,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let extensions = &parts.extensions;
        let principal = extensions.get::<Principal>().cloned();
        let principal = principal.ok_or_else(|| Problem::unauthenticated("sign in first: POST /api/v1/sessions"))?;
        Ok(Self {
            session: extensions.get::<SessionNumber>().map(|session| session.0),
            repeatable: extensions.get::<Repeatable>().cloned(),
            change: extensions.get::<Change>().map(|change| change.0.clone()),
            principal,
        })
    }
}

impl Caller {
    /// Runs a job in the loop, once for each idempotency key.
    ///
    /// # Errors
    /// The job's, or that there is no answer at present.
    pub async fn write<T: Serialize + DeserializeOwned + Send + 'static>(
        &self,
        job: impl FnOnce(&mut Turn<'_>) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.principal.tenant.host.run(self.once(job)).await?
    }

    /// Whose requests an idempotency key tells apart.
    fn who(&self) -> String {
        format!("{} {}", if self.principal.machine { "key" } else { "account" }, self.principal.account)
    }

    /// What this very request was answered before, in the loop's order.
    pub fn earlier<T: DeserializeOwned>(&self) -> impl FnOnce(&mut Turn<'_>) -> Result<Option<T>, Problem> + use<T> {
        once::earlier(self.who(), self.repeatable.clone())
    }

    /// A job as [`write`](Self::write) runs it, for whoever runs it later in the loop.
    pub fn once<T: Serialize + DeserializeOwned + Send + 'static>(
        &self,
        job: impl FnOnce(&mut Turn<'_>) -> Result<T, Problem> + Send + 'static,
    ) -> impl FnOnce(&mut Turn<'_>) -> Result<T, Problem> + Send + 'static {
        let (change, principal) = (self.change.clone(), self.principal.who());
        let account = (!self.principal.machine).then_some(self.principal.account);
        let job = move |turn: &mut Turn<'_>| {
            // First, so that it stays wherever something of the job does; it goes where nothing does.
            if let Some(change) = change {
                let at_us = turn.now().as_micros();
                audit::append(turn.documents(), at_us, &principal, Act::ConfigurationChanged, change)?;
            }
            job(turn)
        };
        let job = once::once(self.who(), self.repeatable.clone(), job);
        move |turn| {
            if let Some(account) = account {
                turn.documents().acts(account);
            }
            job(turn)
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

    /// Writes in the audit log that so many customers' numbers are about to be shown whole: before they are.
    ///
    /// # Errors
    /// That there is no answer at present.
    pub async fn reads_numbers(&self, numbers: usize, about: String) -> Result<(), Problem> {
        match numbers {
            0 => Ok(()),
            1 => self.audited(Act::NumbersRead, about).await,
            _ => self.audited(Act::NumbersRead, format!("{numbers} numbers: {about}")).await,
        }
    }

    /// Writes in the audit log that the caller watches customers' numbers on the live floor, once an hour: before they are shown.
    ///
    /// # Errors
    /// That there is no answer at present.
    pub async fn watches_numbers(&self) -> Result<(), Problem> {
        let (watching, account) = (&self.principal.tenant.watching, self.principal.account);
        let now = Instant::now();
        if watching.is_noted(account, now) {
            return Ok(());
        }
        self.audited(Act::NumbersRead, "the live floor, for an hour".to_owned()).await?;
        watching.note(account, now);
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
