//! A connection on a thread of its own: the client blocks, and may not be used where an asynchronous task runs.

use std::collections::HashMap;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ::postgres::types::ToSql;
use ::postgres::{Client, Config, NoTls, Row, Statement};

use super::{classify, is_name};
use crate::storage::StorageError;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// What is set in every session. All questions are look-ups by key: without these, a plan that was made while a table was
/// empty reads it whole once it is full (and what is off counts as so dear that the server would compile each question).
/// A session that stands still inside a transaction is ended by the server, so that it keeps nobody from taking over.
const SETTINGS: &str = "
    SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off;
    SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '10s';
    SET client_min_messages = warning";

/// Why work was not done.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nothing was changed.
    Refused(StorageError),
    /// The connection went away: whatever was under way is unknown.
    Lost(StorageError),
}

impl From<StorageError> for Trouble {
    fn from(error: StorageError) -> Self {
        Self::Refused(error)
    }
}

impl From<Trouble> for StorageError {
    fn from(trouble: Trouble) -> Self {
        let (Trouble::Refused(error) | Trouble::Lost(error)) = trouble;
        error
    }
}

type Job = Box<dyn FnOnce(&mut Work) + Send>;

/// The caller's end.
#[derive(Debug)]
pub(super) struct Link {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    connection: String,
    schema: String,
}

impl Link {
    pub(super) fn new(connection: &str, schema: &str) -> Result<Self, StorageError> {
        let place = format!("PostgreSQL schema {schema}");
        let refuse = |what: String| StorageError::Backend { place: place.clone(), what };
        if !is_name(schema) {
            return Err(refuse(
                "a schema is named with small letters, digits and underscores, a letter first, at most 48".into(),
            ));
        }
        let mut config: Config = connection.parse().map_err(|error: ::postgres::Error| refuse(error.to_string()))?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        config.application_name(&format!("callfloor {schema}"));
        let mut work = Work { config, place, schema: schema.to_owned(), open: None };
        let (jobs, inbox) = channel::<Job>();
        let thread = thread::Builder::new()
            .name(format!("store {schema}"))
            .spawn(move || inbox.into_iter().for_each(|job| job(&mut work)))
            .map_err(|error| StorageError::Backend { place: "a thread".into(), what: error.to_string() })?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
            connection: connection.to_owned(),
            schema: schema.to_owned(),
        })
    }

    /// Another connection to the same schema.
    pub(super) fn another(&self) -> Result<Self, StorageError> {
        Self::new(&self.connection, &self.schema)
    }

    /// Has something done.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Work) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, StorageError> {
        Ok(self.ask_once(job)?)
    }

    /// Has something done, and tells a lost connection from a refusal.
    pub(super) fn ask_once<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Work) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let (answer, answers) = channel();
        let job: Job = Box::new(move |work| {
            // Whoever asked waits for this.
            let _ = answer.send(job(work));
        });
        self.jobs
            .as_ref()
            .and_then(|jobs| jobs.send(job).ok())
            .and_then(|()| answers.recv().ok())
            .unwrap_or_else(|| Err(Trouble::Lost(self.backend("its thread has ended"))))
    }

    pub(super) fn backend(&self, what: &str) -> StorageError {
        StorageError::Backend { place: format!("PostgreSQL schema {}", self.schema), what: what.into() }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // It panicked, or it ended: either way it is over.
            let _ = thread.join();
        }
    }
}

/// The connection's end, on its thread.
pub(super) struct Work {
    config: Config,
    place: String,
    schema: String,
    open: Option<(Client, HashMap<String, Statement>)>,
}

impl Work {
    /// Does something again, once, where the connection turns out to be lost: for reading.
    pub(super) fn retried<T>(&mut self, mut job: impl FnMut(&mut Self) -> Result<T, Trouble>) -> Result<T, Trouble> {
        match job(self) {
            Err(Trouble::Lost(_)) => job(self),
            done => done,
        }
    }

    pub(super) fn all(&mut self, text: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Trouble> {
        let place = self.place.clone();
        let done = self.try_all(text, values);
        if matches!(&done, Err(error) if matches!(classify(&place, error), Trouble::Lost(_))) {
            self.open = None;
        }
        done.map_err(|error| classify(&place, &error))
    }

    pub(super) fn optional(&mut self, text: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>, Trouble> {
        Ok(self.all(text, values)?.into_iter().next())
    }

    pub(super) fn one(&mut self, text: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Row, Trouble> {
        self.optional(text, values)?.ok_or_else(|| self.damaged("the writer's row is missing").into())
    }

    /// Statements without values.
    pub(super) fn batch(&mut self, text: &str) -> Result<(), Trouble> {
        let place = self.place.clone();
        let done = self.connected().and_then(|(client, _)| client.batch_execute(text));
        done.map_err(|error| {
            let trouble = classify(&place, &error);
            if matches!(trouble, Trouble::Lost(_)) {
                self.open = None;
            }
            trouble
        })
    }

    /// All of it, or nothing.
    pub(super) fn transaction<T>(&mut self, job: impl FnOnce(&mut Self) -> Result<T, Trouble>) -> Result<T, Trouble> {
        self.batch("BEGIN")?;
        let done = job(self);
        match done {
            Ok(done) => self.batch("COMMIT").map(|()| done),
            Err(trouble) => {
                if self.open.is_some() && self.batch("ROLLBACK").is_err() {
                    self.open = None;
                }
                Err(trouble)
            }
        }
    }

    pub(super) fn refuse(&self, what: impl Into<String>) -> StorageError {
        StorageError::Backend { place: self.place.clone(), what: what.into() }
    }

    pub(super) fn damaged(&self, what: impl Into<String>) -> StorageError {
        StorageError::Damaged { place: self.place.clone(), what: what.into() }
    }

    fn try_all(&mut self, text: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, ::postgres::Error> {
        let (client, statements) = self.connected()?;
        let statement = match statements.get(text) {
            Some(statement) => statement.clone(),
            None => {
                let statement = client.prepare(text)?;
                statements.insert(text.to_owned(), statement.clone());
                statement
            }
        };
        client.query(&statement, values)
    }

    fn connected(&mut self) -> Result<(&mut Client, &mut HashMap<String, Statement>), ::postgres::Error> {
        if self.open.as_ref().is_none_or(|(client, _)| client.is_closed()) {
            self.open = None;
            let mut client = self.config.connect(NoTls)?;
            // The name was checked against the pattern.
            client.batch_execute(&format!("{SETTINGS}; SET search_path = {}", self.schema))?;
            raise_durability(&mut client)?;
            self.open = Some((client, HashMap::new()));
        }
        let (client, statements) = self.open.as_mut().expect("it was opened above");
        Ok((client, statements))
    }
}

/// An acknowledged commit is on the disc, whatever the server's own default is; a stricter one stays.
fn raise_durability(client: &mut Client) -> Result<(), ::postgres::Error> {
    let row = client.query_one("SELECT current_setting('synchronous_commit'), current_setting('fsync')", &[])?;
    if ["off", "local", "remote_write"].contains(&row.get(0)) {
        client.batch_execute("SET synchronous_commit = on")?;
    }
    if row.get::<_, &str>(1) != "on" {
        tracing::warn!("this PostgreSQL runs with fsync off: what it acknowledges is lost with the power");
    }
    Ok(())
}
