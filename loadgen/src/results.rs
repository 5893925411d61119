//! The results of a load run: settings, what each part (shard) measured, and the floor as the server told it. Parts merge exactly.

use std::collections::BTreeSet;

use callfloor_measure::Results;
use serde::{Deserialize, Serialize};

use crate::clock::Offset;
use crate::measures::{Kind, Measures};
use crate::pace::Leg;

/// The format's name and version, in every file.
pub const FORMAT: &str = "callfloor-load/1";

/// What a run was: all that must be equal for two files to be parts of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The scenario's name.
    pub scenario: String,
    /// The seed of its random streams.
    pub seed: u64,
    /// Which replication's streams were played: the simulator's of the same number has the same customers.
    pub replication: u32,
    /// What was put under load: `callfloor`, or a SIP URI.
    pub target: String,
    /// Every duration of the scenario was divided by this.
    pub speed: f64,
    /// The pace in words.
    pub pace: String,
    /// The pace's legs, where rates were asked for; empty for the scenario's own instants.
    pub legs: Vec<Leg>,
    /// How many processes shared the customers.
    pub shards: u32,
    /// Whether parties spoke and listened.
    pub sound: bool,
    /// A run whose 99th percentile of lag is above this is void, in microseconds.
    pub lag_limit_us: u64,
}

/// One process's part of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Which of the shards, from 1.
    pub shard: u32,
    /// When it began, in microseconds since 1970.
    pub began_us: i64,
    /// From its beginning to the end of its last customer, in microseconds.
    pub lasted_us: u64,
    /// From its beginning to the last instant at which a contact was due, in microseconds.
    pub asked_for_us: u64,
    /// Contacts that were due in that time.
    pub asked: u64,
    /// Processor time of the whole process in that time, in microseconds.
    pub processor_us: u64,
    /// Threads that played.
    pub threads: u32,
    /// Processors of the machine.
    pub processors: u32,
    /// The server's clock against this machine's.
    pub offset: Option<Offset>,
    /// What it measured.
    pub measures: Measures,
    /// Why it ended early, where it did.
    pub cut: Option<String>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// The results of a run, complete or of some of its shards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadResults {
    format: String,
    /// What the run was.
    pub settings: Settings,
    /// By shard.
    pub parts: Vec<Part>,
    /// The floor, as the server told a supervisor: in the terms and in the scenario's time of the simulator's results. Every shard
    /// watches the whole floor; that of the lowest shard is kept.
    pub floor: Option<Results>,
}

/// Why two results are not parts of one run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadMergeError {
    /// They are of different runs.
    #[error("they are not parts of one run: {what} is {ours} in one and {theirs} in the other")]
    OtherRun {
        /// What differs.
        what: String,
        /// Here.
        ours: String,
        /// There.
        theirs: String,
    },
    /// A shard twice.
    #[error("shard {shard} is in both: take each part once")]
    Twice {
        /// Which.
        shard: u32,
    },
}

impl LoadResults {
    /// The results of one part.
    #[must_use]
    pub fn new(settings: Settings, part: Part, floor: Option<Results>) -> Self {
        Self { format: FORMAT.to_owned(), settings, parts: vec![part], floor }
    }

    /// Adds the parts of `other`.
    ///
    /// # Errors
    /// [`LoadMergeError`]; nothing is changed then.
    pub fn merge(&mut self, other: &Self) -> Result<(), LoadMergeError> {
        if let Some((what, ours, theirs)) = self.settings.difference(&other.settings) {
            return Err(LoadMergeError::OtherRun { what, ours, theirs });
        }
        let known: BTreeSet<u32> = self.parts.iter().map(|part| part.shard).collect();
        if let Some(twice) = other.parts.iter().find(|part| known.contains(&part.shard)) {
            return Err(LoadMergeError::Twice { shard: twice.shard });
        }
        let first = |results: &Self| results.parts.first().map_or(u32::MAX, |part| part.shard);
        if other.floor.is_some() && (self.floor.is_none() || first(other) < first(self)) {
            self.floor.clone_from(&other.floor);
        }
        self.parts.extend(other.parts.iter().cloned());
        self.parts.sort_by_key(|part| part.shard);
        Ok(())
    }

    /// Shards of which nothing is here.
    #[must_use]
    pub fn missing(&self) -> Vec<u32> {
        (1..=self.settings.shards).filter(|shard| !self.parts.iter().any(|part| part.shard == *shard)).collect()
    }

    /// What all parts measured together.
    #[must_use]
    pub fn measures(&self) -> Measures {
        let mut all = Measures::default();
        self.parts.iter().for_each(|part| all.merge(&part.measures));
        all
    }

    /// Why the figures are not to be used, if so: the generator itself was late, or was stopped.
    #[must_use]
    pub fn void(&self) -> Option<String> {
        let limit = self.settings.lag_limit_us;
        let late = self.parts.iter().find_map(|part| part.is_late(limit));
        let cut = || self.parts.iter().find_map(|part| Some(format!("shard {}: {}", part.shard, part.cut.as_ref()?)));
        late.or_else(cut)
    }

    /// Contacts a second that were asked for: of all parts, over the time for which they were due.
    #[must_use]
    pub fn asked_per_s(&self) -> Option<f64> {
        let rate = |part: &Part| part.asked as f64 / (part.asked_for_us as f64 / 1e6);
        let sum: f64 = self.parts.iter().filter(|part| part.asked_for_us > 0).map(rate).sum();
        (sum > 0.0).then_some(sum)
    }

    /// The share of the contacts asked for that were begun.
    #[must_use]
    pub fn begun_share(&self) -> Option<f64> {
        let asked: u64 = self.parts.iter().map(|part| part.asked).sum();
        let measures = self.measures();
        let begun: u64 = ["calls", "chats", "tickets"].iter().map(|what| measures.count(what)).sum();
        let begun = begun.saturating_sub(measures.count("redials"));
        (asked > 0).then(|| begun as f64 / asked as f64)
    }

    /// Writes them as JSON.
    ///
    /// # Panics
    /// Never: numbers and texts have a form in JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and texts have a form in JSON")
    }

    /// Reads what [`Self::to_json`] wrote.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let mut read: Self =
            serde_json::from_str(text).map_err(|error| format!("no results of a load run: {error}"))?;
        if read.format != FORMAT {
            return Err(format!("format \"{}\"; {FORMAT} is read here", read.format));
        }
        read.parts.sort_by_key(|part| part.shard);
        Ok(read)
    }
}

impl Part {
    /// Processor time as a share of all processors' time.
    #[must_use]
    pub fn processor_share(&self) -> f64 {
        self.processor_us as f64 / (self.lasted_us.max(1) as f64 * f64::from(self.processors.max(1)))
    }

    fn is_late(&self, limit_us: u64) -> Option<String> {
        let lag = self.measures.latency(Kind::Lag)?.quantile_us(0.99)?;
        let ms = |us: u64| us as f64 / 1e3;
        (lag > limit_us).then(|| {
            format!(
                "the generator itself was late: 1 % of what it had to do came {:.1} ms or more after its instant in shard {}, and \
                 {:.1} ms are allowed; it used {:.0} % of {} processors. Take more threads or shards, or ask for less",
                ms(lag),
                self.shard,
                ms(limit_us),
                100.0 * self.processor_share(),
                self.processors
            )
        })
    }
}

impl Settings {
    /// The first setting in which two runs differ: its name, ours, theirs.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<(String, String, String)> {
        let fields = |settings: &Self| match serde_json::to_value(settings) {
            Ok(serde_json::Value::Object(fields)) => fields,
            _ => serde_json::Map::new(),
        };
        let (ours, theirs) = (fields(self), fields(other));
        let differs = ours.iter().find(|(name, value)| theirs.get(*name) != Some(value));
        differs.map(|(name, value)| {
            let other = theirs.get(name).map(ToString::to_string).unwrap_or_default();
            (name.replace('_', " "), value.to_string(), other)
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::measures::Recorder;

    pub(crate) fn results(shard: u32, shards: u32, lags: &[u64]) -> LoadResults {
        let mut recorder = Recorder::default();
        lags.iter().for_each(|lag| recorder.latency(Kind::Lag, 0, *lag));
        recorder.add("calls", 10);
        let settings = Settings {
            scenario: "s".into(),
            seed: 1,
            replication: 0,
            target: "sip:127.0.0.1:5060".into(),
            speed: 1.0,
            pace: "the scenario's instants".into(),
            legs: Vec::new(),
            shards,
            sound: true,
            lag_limit_us: 10_000,
        };
        let part = Part {
            shard,
            began_us: 0,
            lasted_us: 1_000_000,
            asked_for_us: 1_000_000,
            asked: 10,
            processor_us: 500_000,
            threads: 1,
            processors: 2,
            offset: None,
            measures: recorder.finish(),
            cut: None,
            notes: Vec::new(),
        };
        LoadResults::new(settings, part, None)
    }

    #[test]
    fn shards_merge_exactly_in_any_order_and_what_is_missing_is_said() {
        let (one, two, four) = (results(1, 4, &[1, 2]), results(2, 4, &[3]), results(4, 4, &[70_000]));
        let mut forward = one.clone();
        forward.merge(&two).expect("parts");
        forward.merge(&four).expect("parts");
        let mut backward = four.clone();
        backward.merge(&two).expect("parts");
        backward.merge(&one).expect("parts");
        assert_eq!(forward.to_json(), backward.to_json());
        assert_eq!(forward.missing(), [3]);
        let measures = forward.measures();
        let lags = measures.latency(Kind::Lag).map(callfloor_measure::Histogram::count);
        assert_eq!((measures.count("calls"), lags), (30, Some(4)));
        assert_eq!((forward.asked_per_s(), forward.begun_share()), (Some(30.0), Some(1.0)));
        assert_eq!(forward.merge(&two), Err(LoadMergeError::Twice { shard: 2 }));
        let refused = forward.merge(&results(3, 8, &[])).unwrap_err();
        assert_eq!(refused.to_string(), "they are not parts of one run: shards is 4 in one and 8 in the other");
        assert_eq!(LoadResults::from_json(&forward.to_json()), Ok(forward));
        assert!(LoadResults::from_json("{}").is_err());
    }

    #[test]
    fn a_late_generator_voids_its_run() {
        assert_eq!(results(1, 1, &[10_000; 100]).void(), None);
        let late = results(1, 1, &[11_000; 100]).void().expect("void");
        assert!(late.contains("11.0 ms") && late.contains("25 % of 2 processors"), "{late}");
        let mut cut = results(1, 1, &[]);
        cut.parts[0].cut = Some("stopped by hand".into());
        assert_eq!(cut.void().as_deref(), Some("shard 1: stopped by hand"));
    }
}
