//! The results of a load run: settings, what each part (shard) measured, and the floor as the server told it. Parts merge exactly.

use std::collections::BTreeSet;

use callfloor_measure::Results;
use serde::{Deserialize, Serialize};

use crate::clock::Offset;
use crate::measures::{Kind, Measures};
use crate::pace::Leg;
use crate::plan::Shard;

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
    /// watches the whole floor; that of the lowest shard that has one is kept.
    pub floor: Option<Results>,
    /// Which shard watched that floor; 0 where there is none.
    #[serde(default)]
    floor_of: u32,
    /// What a shard has just played, judged by itself: the others are no matter of its own.
    #[serde(skip)]
    by_itself: bool,
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
    /// They were not played at one time.
    #[error("they are not parts of one run: shard {ours} was over before shard {theirs} began, or the other way round")]
    Apart {
        /// Here.
        ours: u32,
        /// There.
        theirs: u32,
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
        let floor_of = if floor.is_some() { part.shard } else { 0 };
        Self { format: FORMAT.to_owned(), settings, parts: vec![part], floor, floor_of, by_itself: true }
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
        for ours in &self.parts {
            if let Some(theirs) = other.parts.iter().find(|theirs| !ours.overlaps(theirs)) {
                return Err(LoadMergeError::Apart { ours: ours.shard, theirs: theirs.shard });
            }
        }
        if other.floor.is_some() && (self.floor.is_none() || other.floor_of < self.floor_of) {
            self.floor.clone_from(&other.floor);
            self.floor_of = other.floor_of;
        }
        self.by_itself = false;
        self.parts.extend(other.parts.iter().cloned());
        self.parts.sort_by_key(|part| part.shard);
        Ok(())
    }

    /// Shards of which nothing is here; none of what a shard has just played, for it is judged by itself.
    #[must_use]
    pub fn missing(&self) -> Vec<u32> {
        if self.by_itself {
            return Vec::new();
        }
        (1..=self.settings.shards).filter(|shard| !self.parts.iter().any(|part| part.shard == *shard)).collect()
    }

    /// What all parts measured together.
    #[must_use]
    pub fn measures(&self) -> Measures {
        let mut all = Measures::default();
        self.parts.iter().for_each(|part| all.merge(&part.measures));
        all
    }

    /// Why the figures are not to be used, if so: the run was cut off, the generator itself was late, or did not begin what it was to.
    #[must_use]
    pub fn void(&self) -> Option<String> {
        let limit = self.settings.lag_limit_us;
        let cut = self.parts.iter().find_map(|part| Some(format!("shard {}: {}", part.shard, part.cut.as_ref()?)));
        let late = || self.parts.iter().find_map(|part| part.is_late(limit));
        let short = || self.parts.iter().find_map(Part::is_short);
        cut.or_else(late).or_else(short)
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
        let begun: u64 = self.parts.iter().map(Part::begun).sum();
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
        let shards = read.settings.shards;
        if shards > Shard::MOST {
            return Err(format!("{shards} shards: there are {} at most", Shard::MOST));
        }
        let wrong = |shard: u32| Err(format!("a part is of shard {shard} of {shards}: shards are numbered from 1"));
        if let Some(part) = read.parts.iter().find(|part| !(1..=shards).contains(&part.shard)) {
            return wrong(part.shard);
        }
        match read.parts.windows(2).find(|two| two[0].shard == two[1].shard) {
            Some(two) => Err(format!("shard {} is in it twice", two[0].shard)),
            None if read.parts.is_empty() => Err("there is no part in it".into()),
            None => Ok(read),
        }
    }
}

impl Part {
    /// Processor time as a share of all processors' time.
    #[must_use]
    pub fn processor_share(&self) -> f64 {
        self.processor_us as f64 / (self.lasted_us.max(1) as f64 * f64::from(self.processors.max(1)))
    }

    /// Whether both were played at some moment.
    fn overlaps(&self, other: &Self) -> bool {
        let end = |part: &Self| part.began_us.saturating_add(i64::try_from(part.lasted_us).unwrap_or(i64::MAX));
        self.began_us <= end(other) && other.began_us <= end(self)
    }

    /// How far the beginnings of parts lie from each other, in microseconds.
    pub(crate) fn spread_us(parts: &[Self]) -> u64 {
        let began = || parts.iter().map(|part| part.began_us);
        began().max().zip(began().min()).map_or(0, |(last, first)| last.abs_diff(first))
    }

    /// Calls, chats and web forms that were begun.
    pub(crate) fn come(&self) -> u64 {
        ["calls", "chats", "tickets"].iter().map(|what| self.measures.count(what)).sum()
    }

    /// The same, without those who tried again.
    fn begun(&self) -> u64 {
        self.come().saturating_sub(self.measures.count("redials"))
    }

    /// What was never begun has no lateness, and is later than anything.
    fn is_short(&self) -> Option<String> {
        let missing = self.asked.saturating_sub(self.begun());
        (missing * 100 > self.asked).then(|| {
            format!(
                "{missing} of the {} contacts asked for were never begun in shard {}: the run was over before",
                self.asked, self.shard
            )
        })
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
        LoadResults { by_itself: false, ..LoadResults::new(settings, part, None) }
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
        let played = LoadResults::new(one.settings.clone(), one.parts[0].clone(), None);
        assert_eq!((played.missing().len(), one.missing()), (0, vec![2, 3, 4]));
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
    fn parts_that_were_not_played_together_are_no_run() {
        let (mut one, mut two) = (results(1, 2, &[]), results(2, 2, &[]));
        two.parts[0].began_us = 1_000_001;
        let refused = one.merge(&two).unwrap_err();
        assert_eq!(refused, LoadMergeError::Apart { ours: 1, theirs: 2 });
        assert_eq!(one, results(1, 2, &[]));
        two.parts[0].began_us = 900_000;
        one.merge(&two).expect("parts");
        assert_eq!(Part::spread_us(&one.parts), 900_000);
    }

    #[test]
    fn a_file_that_cannot_be_of_a_run_is_refused() {
        let read = |change: &dyn Fn(&mut LoadResults)| {
            let mut wrong = results(1, 2, &[]);
            change(&mut wrong);
            LoadResults::from_json(&wrong.to_json()).unwrap_err()
        };
        assert!(read(&|wrong| wrong.parts[0].shard = 3).contains("shard 3 of 2"));
        assert!(read(&|wrong| wrong.parts.clear()).contains("no part"));
        assert!(read(&|wrong| wrong.parts.push(wrong.parts[0].clone())).contains("shard 1 is in it twice"));
    }

    /// The floor that is kept does not hang on the order in which parts come.
    #[test]
    fn the_floor_of_the_lowest_shard_that_has_one_is_kept() {
        let watched = |shard: u32| {
            let mut part = results(shard, 3, &[]);
            part.floor = Some(Results::new(callfloor_measure::Header::new(format!("of {shard}"), 1)));
            part.floor_of = shard;
            part
        };
        let parts = [results(1, 3, &[]), watched(2), watched(3)];
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0], [0, 2, 1]] {
            let mut merged = parts[order[0]].clone();
            order[1..].iter().for_each(|place| merged.merge(&parts[*place]).expect("parts"));
            assert_eq!((&merged.floor, merged.floor_of), (&parts[1].floor, 2));
        }
    }

    #[test]
    fn a_late_generator_voids_its_run() {
        assert_eq!(results(1, 1, &[10_000; 100]).void(), None);
        let late = results(1, 1, &[11_000; 100]).void().expect("void");
        assert!(late.contains("11.0 ms") && late.contains("25 % of 2 processors"), "{late}");
        let mut cut = results(1, 1, &[]);
        cut.parts[0].cut = Some("stopped by hand".into());
        assert_eq!(cut.void().as_deref(), Some("shard 1: stopped by hand"));
        let mut short = results(1, 1, &[]);
        short.parts[0].asked = 11;
        assert!(short.void().expect("void").starts_with("1 of the 11 contacts asked for were never begun in shard 1"));
        short.parts[0].asked = 10;
        assert_eq!(short.void(), None);
        // Whoever chats or writes has come too; whoever comes again is nobody new.
        short.parts[0].asked = 15;
        short.parts[0]
            .measures
            .counts
            .extend([("chats", 4), ("tickets", 3), ("redials", 2)].map(|(it, n)| (it.into(), n)));
        assert_eq!((short.void(), short.begun_share()), (None, Some(1.0)));
    }
}
