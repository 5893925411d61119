//! Every figure of a load run by name, and thresholds on them.

use std::fmt;
use std::str::FromStr;

use callfloor_measure::{Bound, Metric, Scope, Threshold, Unit};

use crate::measures::{COUNTS, Kind, Measures, is_count};
use crate::results::{LoadResults, Part};

/// Quantiles of latencies by the end of their names.
const QUANTILES: [(&str, f64); 5] = [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)];

/// Figures of the run itself: name and meaning.
const OWN: [(&str, &str); 17] = [
    ("asked_per_s", "contacts a second that were asked for"),
    ("begun_share", "share of the contacts asked for that were begun"),
    ("answered_share", "share of the calls that were answered by the system called"),
    ("failed_share", "share of the calls that came to nothing: refused, or no answer in 32 s"),
    ("served_share", "share of the calls that spoke with an operator"),
    ("silent_share", "share of the served calls that heard nothing at all"),
    ("retransmission_share", "messages sent again by either side's timers, of those that went either way"),
    ("timeouts", "requests without an answer in 32 s"),
    ("responses_4xx", "responses of class 4xx, challenges included"),
    ("responses_5xx", "responses of class 5xx"),
    ("responses_6xx", "responses of class 6xx"),
    ("rtp_loss_share", "packets that were to be received and were not"),
    ("rtp_jitter_ms", "mean over streams of the jitter at their end, RFC 3550, in ms"),
    ("rtp_jitter_max_ms", "the largest jitter of a stream at its end, in ms"),
    ("api_refusal_share", "share of the operators' orders that were refused in the end, or had no answer"),
    ("processor_share", "processor time of the generator, of the time of all processors; of the busiest shard"),
    ("calls_lost", "calls, chats and tickets of ours of which the server has no record, or more than one"),
];

/// A name that no figure has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFigure {
    /// What was asked for.
    pub name: String,
    /// The nearest that there is.
    pub suggestion: Option<String>,
}

impl fmt::Display for UnknownFigure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no figure \"{}\"", self.name)?;
        match &self.suggestion {
            Some(near) => write!(f, ": did you mean \"{near}\"?"),
            None => f.write_str(": `callfloor load figures` lists those that there are"),
        }
    }
}

impl std::error::Error for UnknownFigure {}

/// A figure of a load run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    name: String,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Own(&'static str),
    Latency(Kind, Of),
    Count(String),
    /// Of the floor.
    Floor(Metric),
}

/// What of a kind of latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// By its place in [`QUANTILES`].
    Quantile(usize),
    Largest,
    Number,
}

/// Every name that a figure may have, with its meaning; those of counts that are made of a code are none of them
/// ([`crate::measures::COUNTS_MADE`]).
#[must_use]
pub fn names() -> Vec<(String, String)> {
    let own = OWN.iter().map(|(name, meaning)| ((*name).to_owned(), (*meaning).to_owned()));
    let latencies = Kind::ALL.iter().flat_map(|kind| {
        let (name, meaning) = (kind.name(), kind.meaning().trim_end_matches('.'));
        let quantiles = QUANTILES.iter().map(move |(end, q)| {
            // Rounded: 99.9 has no exact form.
            let percent = (q * 1e4).round() / 1e2;
            (format!("{name}_{end}_ms"), format!("{meaning}: what {percent} % do not pass, in ms"))
        });
        let rest = [
            (format!("{name}_max_ms"), format!("{meaning}: the longest, in ms")),
            (format!("{name}_n"), format!("{meaning}: how many were measured")),
        ];
        quantiles.chain(rest)
    });
    let floor = Metric::ALL.iter().map(|metric| {
        let unit = match metric.unit() {
            Unit::Share => "a share in [0, 1]",
            Unit::Seconds => "in seconds of the scenario",
            Unit::Count => "a number",
            Unit::Erlangs => "in erlangs",
        };
        (metric.to_string(), format!("of the floor, {unit}: {}", metric.definition()))
    });
    let counts = COUNTS.iter().map(|(name, meaning)| (format!("count_{name}"), (*meaning).to_owned()));
    own.chain(latencies).chain(floor).chain(counts).collect()
}

fn latency(name: &str) -> Option<What> {
    Kind::ALL.iter().find_map(|kind| {
        let end = name.strip_prefix(kind.name())?.strip_prefix('_')?;
        let of = match end {
            "max_ms" => Of::Largest,
            "n" => Of::Number,
            other => Of::Quantile(QUANTILES.iter().position(|(q, _)| other.strip_suffix("_ms") == Some(q))?),
        };
        Some(What::Latency(*kind, of))
    })
}

impl FromStr for Figure {
    type Err = UnknownFigure;

    fn from_str(name: &str) -> Result<Self, UnknownFigure> {
        let own = || OWN.iter().find(|(own, _)| *own == name).map(|(own, _)| What::Own(own));
        let count = || name.strip_prefix("count_").filter(|it| is_count(it)).map(|it| What::Count(it.to_owned()));
        let floor = || Metric::parse(name).ok().filter(|metric| metric.to_string() == name).map(What::Floor);
        if let Some(what) = own().or_else(count).or_else(|| latency(name)).or_else(floor) {
            return Ok(Self { name: name.to_owned(), what });
        }
        let near = names().into_iter().map(|(known, _)| (strsim::jaro_winkler(&known, name), known));
        let near = near.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(likeness, _)| *likeness > 0.75);
        Err(UnknownFigure { name: name.to_owned(), suggestion: near.map(|(_, known)| known) })
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn share(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

impl Figure {
    /// Its value; `None` where the run has nothing to take it of.
    #[must_use]
    pub fn of(&self, results: &LoadResults) -> Option<f64> {
        match &self.what {
            What::Floor(metric) => Some(results.floor.as_ref()?.estimate(*metric, Scope::All)?.value),
            What::Count(name) => Some(results.measures().count(name) as f64),
            What::Latency(kind, of) => {
                let measures = results.measures();
                let latencies = measures.latency(*kind)?;
                Some(match of {
                    Of::Quantile(place) => latencies.quantile_us(QUANTILES[*place].1)? as f64 / 1e3,
                    Of::Largest => latencies.max_us() as f64 / 1e3,
                    Of::Number => latencies.count() as f64,
                })
            }
            What::Own("asked_per_s") => results.asked_per_s(),
            What::Own("begun_share") => results.begun_share(),
            What::Own("processor_share") => results.parts.iter().map(Part::processor_share).reduce(f64::max),
            What::Own(name) => measured(name, &results.measures()),
        }
    }
}

fn measured(name: &str, measures: &Measures) -> Option<f64> {
    let count = |name: &str| measures.count(name);
    let (mut traffic, mut sound) = (measures.customers, measures.customers_sound);
    traffic += measures.telephones;
    sound += measures.operators_sound;
    match name {
        "answered_share" => share(count("answered"), count("calls")),
        "failed_share" => share(count("refused") + count("timed_out"), count("calls")),
        "served_share" => share(count("served"), count("calls")),
        "silent_share" => share(count("served_in_silence"), count("served")),
        "retransmission_share" => {
            share(traffic.retransmitted + traffic.received_again, traffic.sent + traffic.received)
        }
        "timeouts" => Some(traffic.timeouts as f64),
        "responses_4xx" => Some(traffic.responses[3] as f64),
        "responses_5xx" => Some(traffic.responses[4] as f64),
        "responses_6xx" => Some(traffic.responses[5] as f64),
        "rtp_loss_share" => share(sound.lost, sound.lost + sound.received),
        "rtp_jitter_ms" => share(sound.jitter_us, sound.heard).map(|us| us / 1e3),
        "rtp_jitter_max_ms" => (sound.heard > 0).then(|| sound.jitter_max_us as f64 / 1e3),
        "api_refusal_share" => share(count("api_refusals"), count("api_requests")),
        // Nothing is known of it where the records could not be read.
        "calls_lost" if !measures.counts.contains_key("records") => None,
        "calls_lost" => {
            let of = |what: &str| count(&format!("{what}records_missing")) + count(&format!("{what}records_twice"));
            Some((of("") + of("chat_") + of("ticket_")) as f64)
        }
        _ => None,
    }
}

/// One demand on one figure of a load run: `call_to_answer_p99_ms<=50`.
#[derive(Debug, Clone, PartialEq)]
pub struct Demand {
    /// Which figure.
    pub figure: Figure,
    /// The side to keep.
    pub bound: Bound,
    /// The limit, in the figure's unit.
    pub limit: f64,
}

/// Why a text is no [`Demand`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DemandError {
    /// It has no `<=` or `>=`, or no number behind it.
    #[error("\"{0}\" is no threshold: write FIGURE<=NUMBER or FIGURE>=NUMBER, such as call_to_answer_p99_ms<=50")]
    Malformed(String),
    /// Its figure does not exist.
    #[error(transparent)]
    Unknown(#[from] UnknownFigure),
}

impl FromStr for Demand {
    type Err = DemandError;

    fn from_str(text: &str) -> Result<Self, DemandError> {
        let malformed = || DemandError::Malformed(text.to_owned());
        let (name, bound, limit) = match (text.split_once("<="), text.split_once(">=")) {
            (Some((name, limit)), None) => (name, Bound::AtMost, limit),
            (None, Some((name, limit))) => (name, Bound::AtLeast, limit),
            _ => return Err(malformed()),
        };
        let limit: f64 = limit.trim().parse().map_err(|_| malformed())?;
        if !limit.is_finite() {
            return Err(malformed());
        }
        Ok(Self { figure: name.trim().parse()?, bound, limit })
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.bound {
            Bound::AtLeast => ">=",
            Bound::AtMost => "<=",
        };
        write!(f, "{} {sign} {}", self.figure, self.limit)
    }
}

/// Whether a demand, or a threshold of the scenario, was met.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// What was demanded, in words.
    pub demand: String,
    /// The figure; `None` where the run has nothing to take it of: that meets nothing.
    pub value: Option<f64>,
    /// Whether it was met.
    pub met: bool,
    /// Why it counts for nothing, whatever the value, if so.
    pub invalid: Option<&'static str>,
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value.map_or_else(|| "nothing to take it of".to_owned(), |value| format!("{value:.4}"));
        write!(f, "{} {}: {value}", if self.met { "met   " } else { "MISSED" }, self.demand)?;
        self.invalid.map_or(Ok(()), |why| write!(f, " ({why})"))
    }
}

/// Judges a run by `demands`, and by the thresholds of its scenario where the floor was watched. A run that is void, or of which a
/// shard is missing, meets none.
///
/// # Errors
/// A threshold of the scenario names what its results do not have.
pub fn judge(results: &LoadResults, demands: &[Demand]) -> Result<Vec<Judgement>, String> {
    let mut judged = Vec::new();
    let invalid = if !results.missing().is_empty() {
        Some("a part is missing")
    } else {
        results.void().map(|_| "the run is void")
    };
    if let Some(floor) = &results.floor {
        for threshold in &floor.header().thresholds {
            judged.push(Threshold::judge(threshold, floor).map(|verdict| Judgement {
                demand: threshold.to_string(),
                value: verdict.estimate.map(|estimate| estimate.value),
                met: verdict.met && invalid.is_none(),
                invalid,
            })?);
        }
    }
    judged.extend(demands.iter().map(|demand| {
        let value = demand.figure.of(results);
        let keeps = |value: f64| match demand.bound {
            Bound::AtLeast => value >= demand.limit,
            Bound::AtMost => value <= demand.limit,
        };
        let met = value.is_some_and(keeps) && invalid.is_none();
        Judgement { demand: demand.to_string(), value, met, invalid }
    }));
    Ok(judged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::results;

    #[test]
    fn every_name_is_a_figure() {
        let names = names();
        assert!(names.len() > 150);
        for (name, _) in &names {
            assert_eq!(name.parse::<Figure>().map(|figure| figure.to_string()).as_ref(), Ok(name));
        }
    }

    #[test]
    fn an_unknown_name_is_an_error_that_helps() {
        let wrong = "call_to_anser_p99_ms<=5".parse::<Demand>().unwrap_err();
        assert!(wrong.to_string().ends_with("did you mean \"call_to_answer_p99_ms\"?"), "{wrong}");
        let wrong = "count_abandonned<=5".parse::<Demand>().unwrap_err();
        assert!(wrong.to_string().ends_with("did you mean \"count_abandoned\"?"), "{wrong}");
        let wrong = "service_levl>=0.8".parse::<Demand>().unwrap_err();
        assert!(wrong.to_string().ends_with("did you mean \"service_level\"?"), "{wrong}");
        assert_eq!("zzz".parse::<Figure>().unwrap_err().suggestion, None);
        for malformed in ["", "lag_p99_ms", "lag_p99_ms<5", "lag_p99_ms<=x", "lag_p99_ms<=inf", "a<=1>=2"] {
            assert!(matches!(malformed.parse::<Demand>(), Err(DemandError::Malformed(_))), "{malformed}");
        }
    }

    #[test]
    fn demands_are_judged_by_the_figures() {
        let results = results(1, 1, &[1_000, 2_000, 3_000]);
        let judge = |text: &str| judge(&results, &[text.parse().expect("a demand")]).expect("judged").remove(0);
        assert_eq!(judge("lag_max_ms<=3").value, Some(3.0));
        assert!(judge("lag_max_ms<=3").met && !judge("lag_max_ms<=2.9").met);
        assert!(judge("count_calls>=10").met && judge("count_refused_486<=0").met);
        assert!(judge("processor_share <= 0.25").met);
        // Nothing to take it of meets nothing.
        for missing in ["service_level>=0", "bye_p99_ms<=1000", "rtp_loss_share<=1", "calls_lost<=0"] {
            assert_eq!((judge(missing).value, judge(missing).met), (None, false), "{missing}");
        }
    }

    #[test]
    fn calls_chats_and_tickets_may_be_lost_and_are_where_records_could_be_read() {
        let mut results = results(1, 1, &[1_000]);
        let figure: Figure = "calls_lost".parse().expect("a figure");
        let counts = &mut results.parts[0].measures.counts;
        let lost = [
            ("records_missing", 1),
            ("chat_records_missing", 2),
            ("chat_records_twice", 4),
            ("ticket_records_missing", 8),
        ];
        counts.extend(lost.map(|(name, value)| (name.to_owned(), value)));
        assert_eq!(figure.of(&results), None);
        results.parts[0].measures.counts.insert("records".into(), 9);
        assert_eq!(figure.of(&results), Some(15.0));
    }

    #[test]
    fn a_void_or_partial_run_meets_nothing() {
        let demand = ["count_calls>=10".parse().expect("a demand")];
        let void = judge(&results(1, 1, &[90_000; 9]), &demand).expect("judged").remove(0);
        assert!(!void.met && void.to_string().ends_with("10.0000 (the run is void)"), "{void}");
        let part = judge(&results(1, 2, &[1]), &demand).expect("judged").remove(0);
        assert!(!part.met && part.to_string().ends_with("(a part is missing)"), "{part}");
    }
}
