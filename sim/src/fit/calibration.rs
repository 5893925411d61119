//! Everything that a log tells, put together, and the scenario made from it.

use std::fmt::Write as _;

use super::answer::AnswerDelay;
use super::arrivals::{ArrivalFit, HALVES, Special};
use super::duty::{AfterCall, Chain, DayFloor, Specialists, by_half_hour};
use super::handling::{Candidate, HandlingFit, Law, SHORT_S};
use super::log::{Call, CallLog, Source};
use super::patience::{Hazard, PatienceFit, Waited};
use crate::stream::{Kind, Purpose, Streams};
use jiff::civil::Weekday;

/// A calibrated model.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// What data it is from.
    pub source: Source,
    /// Names of the call types.
    pub kinds: Vec<String>,
    /// Arrivals and special days.
    pub arrivals: ArrivalFit,
    /// Share of high priority, by type of call.
    pub high_priority: Vec<f64>,
    /// Whether only calls that waited carry their priority in the log.
    pub priority_lost: bool,
    /// Handling by type, and of all types together at the end.
    pub handling: Vec<HandlingFit>,
    /// Patience of all callers; `None` if nobody left.
    pub patience: Option<PatienceFit>,
    /// Patience by type of call, ordinary and of high priority; `None` where nobody left. `[kind][priority]`
    pub patience_of: Vec<[Option<PatienceFit>; 2]>,
    /// How operators become free again.
    pub chain: Chain,
    /// After-call work.
    pub after_call: AfterCall,
    /// From the moment an operator is there for a caller to the answer.
    pub answer_delay: AnswerDelay,
    /// Mean operators on duty, by type of day and half hour.
    pub on_duty: Vec<[f64; HALVES]>,
}

/// Whether only calls that waited carry a priority: no other has any, and more than 50 of those do.
#[must_use]
pub fn priority_lost(calls: &[Call]) -> bool {
    let high = |waited: bool| calls.iter().filter(|c| c.priority > 0 && (c.wait_us > 0) == waited).count();
    high(true) >= 50 && high(false) == 0
}

impl Calibration {
    /// Calibrates on a log; days of outage are left out.
    #[must_use]
    pub fn new(log: &CallLog) -> Self {
        let arrivals = ArrivalFit::new(log);
        let calls: Vec<Call> = log.calls.iter().filter(|c| !arrivals.is_outage(c.date)).cloned().collect();
        let lost = priority_lost(&calls);
        let kinds = 0..log.kinds.len();
        let high_priority = kinds
            .clone()
            .map(|kind| {
                let known: Vec<&Call> = calls.iter().filter(|c| c.kind == kind && (!lost || c.wait_us > 0)).collect();
                known.iter().filter(|c| c.priority > 0).count() as f64 / known.len().max(1) as f64
            })
            .collect();
        let services = |wanted: &dyn Fn(&Call) -> bool| -> Vec<(usize, f64)> {
            let hour = |c: &Call| usize::try_from(c.at_us / 3_600_000_000).unwrap_or(0) % 24;
            calls.iter().filter(|c| wanted(c)).filter_map(|c| Some((hour(c), c.service_s()?))).collect()
        };
        let mut handling: Vec<HandlingFit> =
            kinds.clone().map(|kind| HandlingFit::new(&log.kinds[kind], &services(&|c| c.kind == kind))).collect();
        handling.push(HandlingFit::new("all", &services(&|_| true)));
        let waited = |wanted: &dyn Fn(&Call) -> bool| -> Vec<Waited> {
            let wanted = calls.iter().filter(|c| wanted(c));
            wanted.map(|c| Waited { wait_s: c.wait_s(), left: c.service.is_none() }).collect()
        };
        let patience = PatienceFit::new(&waited(&|_| true));
        let patience_of = kinds
            .map(|kind| {
                [false, true].map(|high| {
                    let own = waited(&|c| c.kind == kind && (c.priority > 0) == high);
                    PatienceFit::of_group(&own, &patience.as_ref()?.best().hazard)
                })
            })
            .collect();
        let specialists = Specialists::find(&calls, log.operators.len(), log.kinds.len());
        let floors: Vec<DayFloor> =
            calls.chunk_by(|a, b| a.date == b.date).flat_map(|day| specialists.floors(day[0].date, day)).collect();
        let after_call = AfterCall::learn(&floors);
        let chain = Chain::learn(&floors, &after_call);
        let on_duty = arrivals
            .day_types
            .iter()
            .map(|day_type| {
                let own: Vec<&DayFloor> = floors
                    .iter()
                    .filter(|f| day_type.weekdays.contains(&f.date.weekday()))
                    .filter(|f| !arrivals.special.iter().any(|s| s.date == f.date))
                    .collect();
                let mut mean = [0.0; HALVES];
                for (day, floor) in (0..).zip(&own) {
                    for half in by_half_hour(&floor.draw(&chain, &mut plan_draws(1, 0, day))).iter().zip(&mut mean) {
                        *half.1 += half.0 / day_type.days.max(1) as f64;
                    }
                }
                mean
            })
            .collect();
        Self {
            source: log.source,
            kinds: log.kinds.clone(),
            arrivals,
            high_priority,
            priority_lost: lost,
            handling,
            patience,
            patience_of,
            chain,
            after_call,
            answer_delay: AnswerDelay::new(&calls),
            on_duty,
        }
    }

    /// The law of a type of call and the mean to give it: its own, or that of all types if it is rare.
    fn law(&self, kind: usize) -> (&HandlingFit, Law) {
        let all = &self.handling[self.handling.len() - 1];
        let own = &self.handling[kind];
        let fit = if own.laws.is_empty() { all } else { own };
        let law = fit
            .laws
            .first()
            .map_or(Law::Exponential { mean_s: fit.mean_s.max(1.0) }, |c: &Candidate| c.law.with_mean(fit.long_mean_s));
        (fit, law)
    }

    /// The scenario as a TOML file.
    #[must_use]
    pub fn to_toml(&self, name: &str, from: &str) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "# Made by `callfloor fit` from {from}. Parameters only; no call is in this file.");
        if let Some(words) = self.source.acknowledgement() {
            let _ = writeln!(out, "# {words}");
        }
        for special in &self.arrivals.special {
            let _ = writeln!(out, "# Left out: {}", special.words());
        }
        let days = self.arrivals.day_types.iter().map(|t| t.days).sum::<usize>();
        let _ = write!(
            out,
            "\nname = \"{name}\"\ndescription = \"Fitted from a call log of {days} ordinary days.\"\n\n[run]\ndate = 2024-01-07                      # a Sunday\ndays = 7\nreplications = 20\n"
        );
        let _ = writeln!(out, "\n[queue.calls]\npolicy = \"longest-idle\"");
        if self.source == Source::AnonymousBank {
            let _ = writeln!(
                out,
                "head_start_s = 90                      # a priority caller counts as having come 90 s earlier"
            );
        }
        let _ = writeln!(out, "service_level = {{ threshold_s = 20, target = 0.8, rule = \"negative\" }}");
        for kind in 0..self.kinds.len() {
            let high = self.high_priority[kind];
            for (class, share, priority) in
                [(class_name(&self.kinds[kind], 0), 1.0 - high, 0), (class_name(&self.kinds[kind], 1), high, 1)]
            {
                if share > 0.0 {
                    self.class_toml(&mut out, kind, &class, share, priority);
                }
            }
        }
        self.operators_toml(&mut out);
        out
    }

    fn class_toml(&self, out: &mut String, kind: usize, class: &str, share: f64, priority: u8) {
        let (fit, law) = self.law(kind);
        let _ = write!(out, "\n[customers.{class}]\n");
        if priority > 0 {
            let _ = writeln!(out, "priority = {priority}");
        }
        out.push_str(&self.patience_toml(kind, priority));
        let _ = writeln!(out, "arrivals.intervals = [");
        for day_type in &self.arrivals.day_types {
            let halves = &day_type.by_kind[kind];
            let (Some(first), Some(last)) =
                (halves.iter().position(|n| *n > 0.0), halves.iter().rposition(|n| *n > 0.0))
            else {
                continue;
            };
            let numbers: Vec<String> = halves[first..=last].iter().map(|n| number(n * share)).collect();
            let _ = writeln!(
                out,
                "    {{ days = {}, from = \"{}\", interval_min = 30, contacts = [{}]{} }},",
                days_toml(&day_type.weekdays),
                clock(first),
                numbers.join(", "),
                self.handle_times_toml(kind, first, last)
            );
        }
        let _ = writeln!(out, "]");
        // One factor for all classes of the busiest type of day.
        let busiest = self.arrivals.day_types.iter().max_by(|a, b| a.mean.total_cmp(&b.mean));
        if let Some(shape) = busiest.and_then(|t| t.day_shape) {
            let _ = writeln!(out, "arrivals.day_factor = {{ cv = {}, shared = true }}", number(1.0 / shape.sqrt()));
        }
        if let Some(half) = busiest.and_then(|t| t.half_factor) {
            let _ = writeln!(
                out,
                "arrivals.interval_factor = {{ cv = {}, interval_min = 30, correlation = {}, shared = true }}",
                number(1.0 / half.shape.sqrt()),
                number(half.correlation)
            );
        }
        let _ = writeln!(
            out,
            "# {} services, mean {} s; those below {SHORT_S} s are a population of their own.",
            fit.n,
            number(fit.mean_s)
        );
        let long = law_toml(&law);
        if fit.short_share > 0.0 {
            let _ = writeln!(
                out,
                "handling.talk = {{ kind = \"mixture\", parts = [\n    {{ weight = {}, of = {{ kind = \"uniform\", low_s = 0, high_s = {} }} }},\n    {{ weight = {}, of = {long} }},\n] }}",
                number(fit.short_share),
                number((2.0 * fit.short_mean_s).max(0.5)),
                number(1.0 - fit.short_share),
            );
        } else {
            let _ = writeln!(out, "handling.talk = {long}");
        }
        let a = self.after_call;
        let _ = writeln!(
            out,
            "handling.after_call = {{ kind = \"mixture\", parts = [\n    {{ weight = {}, of = {{ mean_s = {}, shift_s = 3 }} }},\n    {{ weight = {}, of = {{ mean_s = {}, shift_s = 3 }} }},\n] }}",
            number(a.quick_share),
            number((a.quick_mean_s - 3.0).max(0.1)),
            number((1.0 - a.quick_share).max(1e-4)),
            number((a.slow_mean_s - 3.0).max(0.1)),
        );
    }

    /// Average handle times of the half hours from `first` to `last`, where a type's hours differ.
    fn handle_times_toml(&self, kind: usize, first: usize, last: usize) -> String {
        let by_hour = &self.handling[kind].by_hour;
        if by_hour.iter().all(|f| *f == 1.0) {
            return String::new();
        }
        let (fit, _) = self.law(kind);
        // What the scenario's own model has as its mean.
        let talk_s =
            fit.short_share * (2.0 * fit.short_mean_s).max(0.5) / 2.0 + (1.0 - fit.short_share) * fit.long_mean_s;
        let after_call_s = self.after_call.mean_s();
        let times: Vec<String> = (first..=last).map(|half| number(talk_s * by_hour[half / 2] + after_call_s)).collect();
        format!(", aht_s = [{}]", times.join(", "))
    }

    /// The patience of a class: its own group's, else that of all callers.
    fn patience_toml(&self, kind: usize, priority: u8) -> String {
        let own = self.patience_of[kind][usize::from(priority > 0)].as_ref();
        let Some(fit) = own.or(self.patience.as_ref()) else { return String::new() };
        match &fit.best().hazard {
            Hazard::Constant { mean_s } => format!("patience = {{ mean_s = {} }}\n", number(*mean_s)),
            Hazard::Weibull { shape, scale_s } => {
                format!(
                    "patience = {{ kind = \"weibull\", shape = {}, scale_s = {} }}\n",
                    number(*shape),
                    number(*scale_s)
                )
            }
            Hazard::Pieces(pieces) => {
                let pieces: Vec<String> = pieces
                    .iter()
                    .map(|p| format!("{{ from_s = {}, per_s = {} }}", number(p.from_s), number(p.per_s)))
                    .collect();
                format!("patience = {{ kind = \"hazard\", pieces = [{}] }}\n", pieces.join(", "))
            }
        }
    }

    fn operators_toml(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "\n# On duty by half hour, worked out from who took calls when; breaks and absences are already left out.\n[operators.agents]\ncounts_are = \"present\""
        );
        let _ = match self.answer_delay.law {
            Some(law) => writeln!(out, "answer_delay = {}", law_toml(&law)),
            None => writeln!(out, "auto_answer = true                     # an operator who is free answers at once"),
        };
        let _ = writeln!(out, "staffing = [");
        for (day_type, halves) in self.arrivals.day_types.iter().zip(&self.on_duty) {
            let whole: Vec<f64> = halves.iter().map(|n| n.round()).collect();
            let (Some(first), Some(last)) = (whole.iter().position(|n| *n > 0.0), whole.iter().rposition(|n| *n > 0.0))
            else {
                continue;
            };
            let counts: Vec<String> = whole[first..=last].iter().map(|n| format!("{n:.0}")).collect();
            let _ = writeln!(
                out,
                "    {{ days = {}, from = \"{}\", interval_min = 30, counts = [{}] }},",
                days_toml(&day_type.weekdays),
                clock(first),
                counts.join(", ")
            );
        }
        let _ = writeln!(out, "]");
    }
}

/// The stream of a day's plans, by seed, replication and the day's place.
#[must_use]
pub fn plan_draws(seed: u64, replication: u64, day: u64) -> crate::stream::Draws {
    Streams::new(seed, replication).draws(Kind::Group, day, Purpose::Presence)
}

/// The name of a class of customers: the type of call, with a mark for priority.
#[must_use]
pub fn class_name(kind: &str, priority: u8) -> String {
    let plain: String = kind.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    let plain = if plain.is_empty() { "calls".to_owned() } else { plain };
    if priority == 0 { plain } else { format!("{plain}-priority") }
}

impl super::arrivals::SpecialDay {
    /// In words, such as `1999-02-14: outage, 21:00 to 22:30: 350 calls, usually 75`.
    #[must_use]
    pub fn words(&self) -> String {
        let time = |s: i64| format!("{:02}:{:02}", s / 3600, s / 60 % 60);
        match self.why {
            Special::Outage { from_s, to_s, calls, usual, brief } => format!(
                "{}: outage; {} to {}: {calls} calls, usually {usual:.0}; {:.0} % abandoned or over within 30 s",
                self.date,
                time(from_s),
                time(to_s),
                100.0 * brief
            ),
            Special::Low { calls, usual } => {
                format!("{}: holiday or part of a day: {calls} calls, usually {usual:.0} (rates only)", self.date)
            }
            Special::Missing => format!("{}: no calls in the log", self.date),
        }
    }
}

fn clock(half: usize) -> String {
    format!("{:02}:{:02}", half / 2, half % 2 * 30)
}

fn days_toml(days: &[Weekday]) -> String {
    let names: Vec<String> =
        days.iter().map(|d| format!("\"{}\"", super::arrivals::short_name(*d).to_ascii_lowercase())).collect();
    format!("[{}]", names.join(", "))
}

/// Four significant digits.
fn number(x: f64) -> String {
    if x == 0.0 {
        return "0".to_owned();
    }
    let rounded: f64 = format!("{x:.3e}").parse().unwrap_or(x);
    format!("{rounded}")
}

fn law_toml(law: &Law) -> String {
    match *law {
        Law::Exponential { mean_s } => format!("{{ mean_s = {} }}", number(mean_s)),
        Law::Lognormal { mu, sigma } => {
            format!("{{ kind = \"lognormal\", median_s = {}, sigma = {} }}", number(mu.exp()), number(sigma))
        }
        Law::Gamma { shape, scale_s } => {
            format!("{{ kind = \"gamma\", shape = {}, scale_s = {} }}", number(shape), number(scale_s))
        }
        Law::Weibull { shape, scale_s } => {
            format!("{{ kind = \"weibull\", shape = {}, scale_s = {} }}", number(shape), number(scale_s))
        }
        Law::Hyperexponential { share, first_s, second_s } => format!(
            "{{ kind = \"hyperexponential\", branches = [{{ weight = {}, mean_s = {} }}, {{ weight = {}, mean_s = {} }}] }}",
            number(share),
            number(first_s),
            number(1.0 - share),
            number(second_s)
        ),
    }
}
