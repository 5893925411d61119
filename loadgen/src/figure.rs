//! Every figure of a load run by name, and thresholds on them.

use std::fmt;
use std::str::FromStr;

use callfloor_measure::{Bound, Metric, Scope, Threshold};

use crate::measures::{Kind, Measures};
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
    ("retransmission_share", "messages sent again by either side's timers, of those sent"),
    ("timeouts", "requests without an answer in 32 s"),
    ("responses_4xx", "responses of class 4xx, challenges included"),
    ("responses_5xx", "responses of class 5xx"),
    ("responses_6xx", "responses of class 6xx"),
    ("rtp_loss_share", "packets that were to be received and were not"),
    ("rtp_jitter_ms", "mean over streams of the jitter at their end, RFC 3550"),
    ("rtp_jitter_max_ms", "the largest jitter of a stream at its end"),
    ("api_refusal_share", "share of the operators' requests that were refused"),
    ("processor_share", "processor time of the generator, of all processors"),
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

/// Every name that a figure may have, with its meaning; counts may have any name behind `count_`.
#[must_use]
pub fn names() -> Vec<(String, String)> {
    let own = OWN.iter().map(|(name, meaning)| ((*name).to_owned(), (*meaning).to_owned()));
    let latencies = Kind::ALL.iter().flat_map(|kind| {
        let ends = QUANTILES.iter().map(|(end, _)| format!("{end}_ms")).chain(["max_ms".into(), "n".into()]);
        ends.map(move |end| (format!("{}_{end}", kind.name()), kind.meaning().to_owned()))
    });
    let floor = Metric::ALL.iter().map(|metric| (metric.to_string(), "of the floor, as in a simulation".to_owned()));
    own.chain(latencies).chain(floor).collect()
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
        let count = || name.strip_prefix("count_").filter(|it| !it.is_empty()).map(|it| What::Count(it.to_owned()));
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
            What::Own("calls_lost") if results.floor.is_none() => None,
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
        "retransmission_share" => share(traffic.retransmitted + traffic.received_again, traffic.sent),
        "timeouts" => Some(traffic.timeouts as f64),
        "responses_4xx" => Some(traffic.responses[3] as f64),
        "responses_5xx" => Some(traffic.responses[4] as f64),
        "responses_6xx" => Some(traffic.responses[5] as f64),
        "rtp_loss_share" => share(sound.lost, sound.lost + sound.received),
        "rtp_jitter_ms" => share(sound.jitter_us, sound.heard).map(|us| us / 1e3),
        "rtp_jitter_max_ms" => (sound.heard > 0).then(|| sound.jitter_max_us as f64 / 1e3),
        "api_refusal_share" => share(count("api_refusals"), count("api_requests")),
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
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value.map_or_else(|| "nothing to take it of".to_owned(), |value| format!("{value:.4}"));
        write!(f, "{} {}: {value}", if self.met { "met   " } else { "MISSED" }, self.demand)
    }
}

/// Judges a run by `demands`, and by the thresholds of its scenario where the floor was watched.
///
/// # Errors
/// A threshold of the scenario names what its results do not have.
pub fn judge(results: &LoadResults, demands: &[Demand]) -> Result<Vec<Judgement>, String> {
    let mut judged = Vec::new();
    if let Some(floor) = &results.floor {
        for threshold in &floor.header().thresholds {
            judged.push(Threshold::judge(threshold, floor).map(|verdict| Judgement {
                demand: threshold.to_string(),
                value: verdict.estimate.map(|estimate| estimate.value),
                met: verdict.met,
            })?);
        }
    }
    judged.extend(demands.iter().map(|demand| {
        let value = demand.figure.of(results);
        let keeps = |value: f64| match demand.bound {
            Bound::AtLeast => value >= demand.limit,
            Bound::AtMost => value <= demand.limit,
        };
        Judgement { demand: demand.to_string(), value, met: value.is_some_and(keeps) }
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
        assert!(judge("count_calls>=10").met && judge("count_other<=0").met);
        assert!(judge("processor_share <= 0.25").met);
        // Nothing to take it of meets nothing.
        for missing in ["service_level>=0", "bye_p99_ms<=1000", "rtp_loss_share<=1", "calls_lost<=0"] {
            assert_eq!((judge(missing).value, judge(missing).met), (None, false), "{missing}");
        }
    }
}
