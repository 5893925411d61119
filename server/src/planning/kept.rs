//! What is kept of plans: an organisation's own scenarios, and what its runs were asked to do.

use std::collections::BTreeMap;

use callfloor_scenario::{Files, Problems, Scenario};
use callfloor_sim::change::{Change, clock, time_of_day};
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::storage::{IndexKey, Kind};

/// A scenario of an organisation's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptScenario {
    /// Its number.
    pub id: u64,
    /// Its name in the list, unique.
    pub name: String,
    /// When it was written last, in microseconds since 1970.
    pub at_us: u64,
    /// By whom.
    pub by: String,
}

impl Document for KeptScenario {
    const KIND: Kind = "plan-scenario";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        vec![IndexKey::new("name", &self.name)]
    }
}

/// The text of a scenario, apart from it: lists need not read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptText {
    /// The scenario's number.
    pub id: u64,
    /// Its text, as in a file.
    pub text: String,
    /// The CSV files that it names.
    pub files: BTreeMap<String, String>,
}

impl Document for KeptText {
    const KIND: Kind = "plan-text";

    fn id(&self) -> u64 {
        self.id
    }
}

/// Texts of files by name.
#[derive(Debug)]
pub(super) struct Texts<'a>(pub(super) &'a BTreeMap<String, String>);

impl Files for Texts<'_> {
    fn read(&self, name: &str) -> Result<String, String> {
        self.0.get(name).cloned().ok_or_else(|| "no such file was sent along with the scenario".to_owned())
    }
}

/// Reads a scenario's text.
pub(super) fn parsed(name: &str, text: &str, files: &BTreeMap<String, String>) -> Result<Scenario, Problems> {
    Scenario::parse(name, text, &Texts(files))
}

/// What a run is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A ready scenario, by its name.
    Library(String),
    /// A scenario of one's own, by its number.
    Own(u64),
    /// A day of this organisation's journal, as in 2026-11-25; `today` for the one that goes on.
    Day(String),
}

/// Operators more or fewer for a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeptChange {
    /// The queue's name.
    #[schema(example = "billing")]
    pub queue: String,
    /// How many more; fewer where negative.
    #[schema(example = 2)]
    pub operators: i32,
    /// From when, as in 14:00; `null`: from when the first operator of the queue comes.
    #[serde(default)]
    #[schema(example = "14:00")]
    pub from: Option<String>,
    /// Until when; `null`: until the last one goes.
    #[serde(default)]
    #[schema(example = "18:00")]
    pub to: Option<String>,
}

impl KeptChange {
    /// The same for the simulator.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(&self) -> Result<Change, String> {
        let time =
            |text: &Option<String>| text.as_deref().filter(|text| !text.trim().is_empty()).map(time_of_day).transpose();
        let read = || {
            let (from_s, to_s) = (time(&self.from)?, time(&self.to)?);
            Change { queue: self.queue.clone(), more: self.operators, from_s, to_s }.checked()
        };
        let change = read().map_err(|wrong| wrong.to_string())?;
        if change.more == 0 {
            return Err(format!("no operator more or fewer for queue {:?} is no change", change.queue));
        }
        Ok(change)
    }

    /// As it is kept.
    #[must_use]
    pub fn of(change: &Change) -> Self {
        let text = |at: Option<u32>| at.map(|at| clock(at.into()));
        let (from, to) = (text(change.from_s), text(change.to_s));
        Self { queue: change.queue.clone(), operators: change.more, from, to }
    }
}

/// What a run was asked to do. Its progress and its results are in memory alone: a restart forgets them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptRun {
    /// Its number.
    pub id: u64,
    /// What it is of.
    pub what: What,
    /// The name of what it is of.
    pub name: String,
    /// What is changed.
    pub changes: Vec<KeptChange>,
    /// How often it is simulated; `None`: as the scenario says.
    pub replications: Option<u32>,
    /// Seed; `None`: the scenario's.
    pub seed: Option<u64>,
    /// Wait up to which an answer is in time, for a day of the journal.
    pub threshold_s: f64,
    /// The time zone of a day of the journal.
    pub zone: String,
    /// When it was asked for, in microseconds since 1970.
    pub at_us: u64,
    /// By whom.
    pub by: String,
}

impl Document for KeptRun {
    const KIND: Kind = "plan-run";

    fn id(&self) -> u64 {
        self.id
    }
}
