//! `callfloor theory`: exact queueing formulas for one pool of operators.

use std::fmt::Write as _;

use callfloor_measure::EarlyAbandons;
use callfloor_sim::theory::staffing::{Targets, fewest_operators, rostered};
use callfloor_sim::theory::{Demand, Figures, Model, ServiceLevels, TheoryError, Thresholds};
use clap::ValueEnum;
use serde::Serialize;

use crate::ending::{Ending, Failure, print};

/// Exact queueing formulas for one pool of operators.
///
/// Poisson arrivals at a constant rate, exponential handle times, first come first served, steady state.
/// With --operators: their figures, checked against the targets if any. Without: the fewest operators that meet the
/// targets.
#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
pub(crate) struct Arguments {
    /// The model
    #[arg(value_enum)]
    model: Formula,
    /// Calls in an hour
    #[arg(long, value_name = "X")]
    calls_per_hour: f64,
    /// Mean handle time in seconds: talk, hold, consult and after-call work
    #[arg(long, value_name = "X")]
    aht_s: f64,
    /// Mean patience in seconds (erlang-a; finite, where left out callers wait for ever)
    #[arg(long, value_name = "X")]
    patience_s: Option<f64>,
    /// Places to wait in, operators not counted (finite)
    #[arg(long, value_name = "N")]
    waiting_places: Option<u32>,
    /// Operators; left out: find the fewest that meet the targets
    #[arg(long, value_name = "N")]
    operators: Option<u32>,
    /// A call answered within this many seconds was answered in time
    #[arg(long, value_name = "X", default_value_t = 20.0)]
    target_s: f64,
    /// A call abandoned within this many seconds was abandoned shortly
    #[arg(long, value_name = "X", default_value_t = 5.0)]
    short_abandon_s: f64,
    /// Target: the least service level, such as 0.8
    #[arg(long, value_name = "SHARE")]
    target_level: Option<f64>,
    /// How early abandonments enter the service level of the target
    #[arg(long, value_enum, default_value_t = Rule::Short)]
    rule: Rule,
    /// Target: the largest occupancy, such as 0.85
    #[arg(long, value_name = "SHARE")]
    max_occupancy: Option<f64>,
    /// Target: the largest abandonment, short ones left out, such as 0.05
    #[arg(long, value_name = "SHARE")]
    max_abandonment: Option<f64>,
    /// Target: the largest mean wait of answered calls, in seconds
    #[arg(long, value_name = "X")]
    max_asa_s: Option<f64>,
    /// Target: the largest share of calls refused, such as 0.01 (erlang-b, finite)
    #[arg(long, value_name = "SHARE")]
    max_blocking: Option<f64>,
    /// Share of paid time neither busy nor Ready: adds the operators to roster, needed ÷ (1 − shrinkage)
    #[arg(long, value_name = "SHARE")]
    shrinkage: Option<f64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Formula {
    /// M/M/n/n: nobody waits; a call that finds all operators busy is refused
    ErlangB,
    /// M/M/n: callers wait for ever
    ErlangC,
    /// M/M/n+M: callers abandon after an exponential patience
    ErlangA,
    /// M/M/s/r(+M): a limited number of waiting places
    Finite,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Rule {
    /// Short abandonments are left out
    Short,
    /// Abandonments within the target are left out
    Ignore,
    /// Every abandonment is a miss
    Negative,
    /// An abandonment within the target is a success
    Positive,
    /// Only answered calls count (flattering)
    Handled,
}

impl From<Rule> for EarlyAbandons {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::Short => Self::Short,
            Rule::Ignore => Self::Ignore,
            Rule::Negative => Self::Negative,
            Rule::Positive => Self::Positive,
            Rule::Handled => Self::Handled,
        }
    }
}

/// What `--json` prints. Keys are stable; a value that the model does not have is null.
#[derive(Debug, Serialize)]
struct Answer {
    model: Formula,
    calls_per_hour: f64,
    aht_s: f64,
    patience_s: Option<f64>,
    waiting_places: Option<u32>,
    target_s: f64,
    short_abandon_s: f64,
    operators: u32,
    rostered: Option<u32>,
    targets_met: Option<bool>,
    offered_load_erl: f64,
    blocking: f64,
    p_wait: f64,
    asa_s: f64,
    mean_wait_s: f64,
    abandonment: f64,
    abandonment_raw: f64,
    service_level: Option<Levels>,
    occupancy: f64,
    mean_queue: f64,
}

#[derive(Debug, Serialize)]
struct Levels {
    short: f64,
    ignore: f64,
    negative: f64,
    positive: f64,
    handled: f64,
}

impl From<ServiceLevels> for Levels {
    fn from(levels: ServiceLevels) -> Self {
        let ServiceLevels { short, ignore, negative, positive, handled } = levels;
        Self { short, ignore, negative, positive, handled }
    }
}

/// Prints the answer; a missed target is [`Ending::Missed`].
///
/// # Errors
/// Arguments that do not fit each other or the model; a queue that would grow without end; output that fails.
pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let model = arguments.checked_model()?;
    let targets = arguments.targets();
    let wanted = targets != Targets::default();
    let demand = Demand::per_hour(arguments.calls_per_hour, arguments.aht_s)?;
    let thresholds = Thresholds { target_s: arguments.target_s, short_abandon_s: arguments.short_abandon_s };
    let figures = match arguments.operators {
        Some(operators) => {
            targets.check()?;
            model.figures(demand, operators, thresholds)?
        }
        None if wanted => fewest_operators(&model, demand, thresholds, targets)?,
        None => {
            return bad("neither operators nor a target: give --operators, or a target such as --target-level 0.8 \
                        (--max-blocking 0.01 for erlang-b)");
        }
    };
    let rostered = arguments.shrinkage.map(|shrinkage| rostered(figures.operators, shrinkage)).transpose()?;
    let met = wanted.then(|| targets.met_by(&figures));
    if arguments.json {
        let answer = arguments.answer(&figures, rostered, met);
        let text = serde_json::to_string_pretty(&answer).map_err(|error| Failure::Fault(error.to_string()))?;
        print(&format!("{text}\n"))?;
    } else {
        print(&arguments.text(&figures, rostered, met))?;
    }
    Ok(if met == Some(false) { Ending::Missed } else { Ending::Met })
}

impl From<TheoryError> for Failure {
    fn from(error: TheoryError) -> Self {
        Self::Input(format!("error: {error}"))
    }
}

fn bad<T>(text: &str) -> Result<T, Failure> {
    Err(Failure::Input(format!("error: {text}")))
}

impl Arguments {
    /// The model, if the arguments are those that it has.
    fn checked_model(&self) -> Result<Model, Failure> {
        if self.model != Formula::Finite && self.waiting_places.is_some() {
            return bad("--waiting-places is for finite; leave it out, or use finite");
        }
        if self.model == Formula::ErlangB && self.target_level.is_some() {
            return bad("erlang-b has no queue and so no service level: use --max-blocking in place of --target-level");
        }
        match (self.model, self.patience_s) {
            (Formula::ErlangB, None) => Ok(Model::ErlangB),
            (Formula::ErlangC, None) => Ok(Model::ErlangC),
            (Formula::ErlangB | Formula::ErlangC, Some(_)) => {
                bad("--patience-s is for erlang-a and finite; leave it out, or use erlang-a")
            }
            (Formula::ErlangA, Some(patience_s)) => Ok(Model::ErlangA { patience_s }),
            (Formula::ErlangA, None) => bad("erlang-a needs the mean patience: give --patience-s, or use erlang-c"),
            (Formula::Finite, patience_s) => match self.waiting_places {
                Some(waiting_places) => Ok(Model::Finite { waiting_places, patience_s }),
                None => bad("finite needs the number of places to wait in: give --waiting-places"),
            },
        }
    }

    fn targets(&self) -> Targets {
        Targets {
            service_level: self.target_level.map(|level| (self.rule.into(), level)),
            max_occupancy: self.max_occupancy,
            max_abandonment: self.max_abandonment,
            max_asa_s: self.max_asa_s,
            max_blocking: self.max_blocking,
        }
    }

    fn answer(&self, figures: &Figures, rostered: Option<u32>, targets_met: Option<bool>) -> Answer {
        Answer {
            model: self.model,
            calls_per_hour: self.calls_per_hour,
            aht_s: self.aht_s,
            patience_s: self.patience_s,
            waiting_places: self.waiting_places,
            target_s: self.target_s,
            short_abandon_s: self.short_abandon_s,
            operators: figures.operators,
            rostered,
            targets_met,
            offered_load_erl: figures.offered_load_erl,
            blocking: figures.blocking,
            p_wait: figures.p_wait,
            asa_s: figures.asa_s,
            mean_wait_s: figures.mean_wait_s,
            abandonment: figures.abandonment,
            abandonment_raw: figures.abandonment_raw,
            service_level: figures.service_level.map(Levels::from),
            occupancy: figures.occupancy,
            mean_queue: figures.mean_queue,
        }
    }

    /// The answer first, then what it was asked of, then every figure.
    fn text(&self, figures: &Figures, rostered: Option<u32>, met: Option<bool>) -> String {
        let operators = match figures.operators {
            1 => "1 operator".to_owned(),
            n => format!("{n} operators"),
        };
        let verdict = match (met, self.operators.is_some()) {
            (None, _) => "",
            (Some(true), true) => ": every target met",
            (Some(false), _) => ": TARGET MISSED",
            (Some(true), false) => ": the fewest that meet every target",
        };
        let mut out = format!("{operators}{verdict}\n");
        if let (Some(rostered), Some(shrinkage)) = (rostered, self.shrinkage) {
            let _ = writeln!(out, "{rostered} rostered at a shrinkage of {}", percent(shrinkage));
        }
        let (name, assumption) = match self.model {
            Formula::ErlangB => ("Erlang B", "nobody waits".to_owned()),
            Formula::ErlangC => ("Erlang C", "callers wait for ever".to_owned()),
            Formula::ErlangA => ("Erlang A", self.patience()),
            Formula::Finite => {
                let places = self.waiting_places.unwrap_or(0);
                ("Finite queue", format!("{places} waiting places, {}", self.patience()))
            }
        };
        let _ = writeln!(
            out,
            "{name}: {} calls an hour of {} s ({:.4} erlangs), {assumption}\n",
            self.calls_per_hour, self.aht_s, figures.offered_load_erl
        );
        let mut row = |label: &str, value: String| {
            let _ = writeln!(out, "  {label:<44}{value:>12}");
        };
        let has_queue = figures.service_level.is_some();
        if matches!(self.model, Formula::ErlangB | Formula::Finite) {
            row("blocking", percent(figures.blocking));
        }
        if has_queue {
            row("P(wait)", percent(figures.p_wait));
            row("ASA (mean wait of answered)", format!("{:.2} s", figures.asa_s));
            row("mean wait of all", format!("{:.2} s", figures.mean_wait_s));
            let short = format!("abandonment, those in {} s left out", self.short_abandon_s);
            row(&short, percent(figures.abandonment));
            row("abandonment, all", percent(figures.abandonment_raw));
        }
        if let Some(levels) = figures.service_level {
            for (rule, note) in [
                (EarlyAbandons::Short, ""),
                (EarlyAbandons::Ignore, ""),
                (EarlyAbandons::Negative, ""),
                (EarlyAbandons::Positive, ""),
                (EarlyAbandons::Handled, " (flattering)"),
            ] {
                let label = format!("service level in {} s, {}{note}", self.target_s, rule.name());
                row(&label, percent(levels.by(rule)));
            }
        }
        row("occupancy", percent(figures.occupancy));
        if has_queue {
            row("mean queue", format!("{:.3} calls", figures.mean_queue));
        }
        out
    }

    fn patience(&self) -> String {
        match self.patience_s {
            Some(patience_s) => format!("mean patience {patience_s} s"),
            None => "callers wait for ever".to_owned(),
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}
