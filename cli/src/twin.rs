//! `callfloor twin`: theory, simulation and a live run of one scenario, each difference tested.

mod server;
mod theory;

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use callfloor_load::measures::{Kind, Measures};
use callfloor_load::{LoadResults, Options, Target};
use callfloor_measure::{Metric, Results};
use callfloor_reports::{Phase, Twin};
use callfloor_scenario::{Distribution, Scenario};

use crate::ending::{Ending, Failure};
use crate::load::one;
use crate::output::{Documents, Output};
use crate::running::{Running, STOP, listen, load, page};
use server::Started;

/// Play a scenario in theory, in simulation and live, and say where they differ
///
/// The live side is a server that this command starts for itself, on ports of its own, and stops again. The first replications are
/// played by telephones and operators over SIP and HTTP; the simulation has the same customers, so that differences are paired.
/// A difference beyond noise is tested again with the delays that the live system was measured to have in the simulation too.
/// Ctrl-C breaks the live run off, and compares the replications that were over.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  callfloor twin scenarios/ring-no-answer.toml --speed 60
  callfloor twin plan.toml --speed 20 --live 5 --html twin.html

Exit code 0: no figure differs for which the measured delays do not account; 1: one does, or a live run is void.")]
pub(crate) struct Arguments {
    /// The scenario
    file: PathBuf,
    /// Divide every duration of the live runs by this
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    speed: f64,
    /// Replications that are played live, one after another; the intervals of the differences are over them
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    live: u32,
    /// Replications that are simulated, instead of the scenario's number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    replications: Option<u32>,
    /// Seed of every random stream, instead of the scenario's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Threads that play the customers and operators
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: usize,
    /// A live run is void if 1 % of what the generator had to do came later than so many milliseconds
    #[arg(long, value_name = "MS", default_value_t = 20)]
    lag_limit_ms: u64,
    #[command(flatten)]
    output: Output,
    /// No progress, and no text on stdout: only the documents that were asked for, and the exit code
    #[arg(long, short)]
    quiet: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    arguments.output.check(&[&arguments.file], None)?;
    let scenario = load(&arguments.file)?;
    listen();
    let parts = live(arguments, &scenario)?;
    let played = u32::try_from(parts.len()).expect("no more than were asked for");
    let mut floors = parts.iter().filter_map(|part| part.floor.as_ref());
    let mut live = floors.next().cloned().ok_or_else(|| Failure::Fault("no floor was watched".into()))?;
    for floor in floors {
        live.merge(floor).map_err(|error| Failure::Fault(error.to_string()))?;
    }
    let mut measures = Measures::default();
    parts.iter().for_each(|part| measures.merge(&part.measures()));
    let simulated = simulate(arguments, &scenario)?;
    let delayed = simulate(arguments, &with_delays(&scenario, &measures, arguments.speed))?;
    let (theory_basis, theory) = theory::figures(&scenario);
    let mut notes: Vec<String> = Vec::new();
    if played < arguments.live {
        notes.push(format!(
            "Stopped by hand: {played} of {} live replications were over and are compared.",
            arguments.live
        ));
    }
    for note in parts.iter().flat_map(|part| part.parts.iter().flat_map(|part| &part.notes)) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    let twin = Twin {
        theory_basis,
        theory,
        simulated: &simulated,
        delayed: &delayed,
        live: &live,
        speed: arguments.speed,
        phases: phases(&measures, arguments.speed),
        notes,
        void: parts.iter().find_map(LoadResults::void),
    };
    let documents = Documents {
        json: &|| twin.to_json(),
        csv: &|| twin.to_csv(),
        html: &|| twin.to_html(),
        text: &|| twin.to_text(page()),
    };
    arguments.output.put(&documents, arguments.quiet)?;
    Ok(if twin.agrees() { Ending::Met } else { Ending::Missed })
}

/// Plays the first replications against a server of our own.
fn live(arguments: &Arguments, scenario: &Scenario) -> Result<Vec<LoadResults>, Failure> {
    let server = Started::start()?;
    let target = Target::Callfloor {
        url: server.url.clone(),
        sip: Some(server.sip.clone()),
        login: "admin".into(),
        password: server.password.clone(),
        ca: None,
    };
    let mut parts = Vec::new();
    for replication in 0..arguments.live {
        let options = Options {
            speed: arguments.speed,
            threads: arguments.threads,
            seed: arguments.seed,
            replication,
            lag_limit: Duration::from_millis(arguments.lag_limit_ms),
            cancel: Some(&STOP),
            telephones_port: server.telephones_port,
            ..Options::default()
        };
        let part = one(scenario, &target, &options, arguments.quiet)?;
        let is_whole = part.parts.iter().all(|part| part.cut.is_none());
        // What comes after is stopped by another Ctrl-C.
        let stopped = STOP.swap(false, Ordering::Relaxed);
        if is_whole || !stopped {
            parts.push(part);
        }
        if stopped {
            break;
        }
    }
    if parts.is_empty() {
        return Err(Failure::Input(
            "stopped by hand before the first replication was over: nothing is compared".into(),
        ));
    }
    Ok(parts)
}

fn simulate(arguments: &Arguments, scenario: &Scenario) -> Result<Results, Failure> {
    let most = arguments.replications.unwrap_or(scenario.replications.count).max(arguments.live);
    let running =
        Running { seed: arguments.seed, replications: Some(most), quiet: arguments.quiet, ..Running::default() };
    let (results, run) = running.run(scenario, Some(None), None)?;
    if run.interrupted {
        return Err(Failure::Input(
            "stopped by hand in the simulation: the live runs are compared with nothing".into(),
        ));
    }
    Ok(results)
}

/// What adds to the time from an offer to its answer, and to the time from the end of a talk to the end of the work after it.
const BEFORE_ANSWER: [Kind; 2] = [Kind::DeviceTold, Kind::AnswerTaken];
const AFTER_TALK: [Kind; 2] = [Kind::Bye, Kind::FinishAfterCall];

fn mean_ms(measures: &Measures, kind: Kind) -> (u64, f64) {
    let Some(found) = measures.latency(kind).filter(|found| found.count() > 0) else { return (0, 0.0) };
    let sum: f64 =
        found.buckets().map(|(low, width, count)| (low as f64 + (width - 1) as f64 / 2.0) * count as f64).sum();
    (found.count(), sum / found.count() as f64 / 1e3)
}

/// The scenario with the delays of the live system: operators answer later, customers notice it later, and operators are Ready again
/// later.
fn with_delays(scenario: &Scenario, measures: &Measures, speed: f64) -> Scenario {
    let of = |kinds: &[Kind]| kinds.iter().map(|kind| mean_ms(measures, *kind).1).sum::<f64>() / 1e3 * speed;
    let (before, heard, after) = (of(&BEFORE_ANSWER), of(&[Kind::AnswerToCustomer]), of(&AFTER_TALK));
    let shifted = |of: &Distribution, by_s: f64| {
        if by_s > 0.0 { Distribution::Shifted { by_s, of: Box::new(of.clone()) } } else { of.clone() }
    };
    let mut delayed = scenario.clone();
    for group in &mut delayed.groups {
        let own = if group.auto_answer { Distribution::Constant { value_s: 0.0 } } else { group.answer_delay.clone() };
        group.answer_delay = shifted(&own, before);
        group.auto_answer = false;
    }
    for class in &mut delayed.classes {
        class.answer_heard_s = heard;
        class.handling.after_call = shifted(&class.handling.after_call, after);
    }
    delayed
}

fn phases(measures: &Measures, speed: f64) -> Vec<Phase> {
    use Metric::{AhtS, AsaS, MissedRingRate, Occupancy, ServiceLevel, WaitP90S};
    const WAITS: &[Metric] = &[AsaS, WaitP90S, ServiceLevel, MissedRingRate, Occupancy];
    const WORK: &[Metric] = &[AhtS, Occupancy, AsaS, WaitP90S, ServiceLevel];
    let all: [(Kind, &'static [Metric]); 9] = [
        (Kind::Lag, WAITS),
        (Kind::CallToQueue, &[]),
        (Kind::DeviceTold, WAITS),
        (Kind::AnswerTaken, WAITS),
        (Kind::Bye, WORK),
        (Kind::FinishAfterCall, WORK),
        (Kind::Hold, &[AhtS]),
        (Kind::Release, &[AhtS]),
        (Kind::AnswerToCustomer, &[AhtS, Occupancy]),
    ];
    let phase = |(kind, makes): (Kind, &'static [Metric])| {
        let (count, mean_ms) = mean_ms(measures, kind);
        let scenario_s = mean_ms / 1e3 * speed;
        (count > 0).then(|| Phase { name: kind.name(), meaning: kind.meaning(), count, mean_ms, scenario_s, makes })
    };
    all.into_iter().filter_map(phase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use callfloor_load::measures::Recorder;

    #[test]
    fn measured_delays_make_operators_slower_by_the_speed() {
        let template = callfloor_scenario::template("support-line").expect("it is in the library");
        let scenario = Scenario::parse("support-line.toml", template.text, template).expect("it is right");
        let mut recorder = Recorder::default();
        recorder.latency(Kind::DeviceTold, 0, 4_000);
        recorder.latency(Kind::AnswerTaken, 0, 1_000);
        recorder.latency(Kind::AnswerToCustomer, 0, 20_000);
        recorder.latency(Kind::FinishAfterCall, 0, 10_000);
        let measures = recorder.finish();
        let delayed = with_delays(&scenario, &measures, 60.0);
        let gained = |of: &dyn Fn(&Scenario) -> f64| of(&delayed) - of(&scenario);
        let answer = gained(&|scenario| scenario.groups[0].answer_delay.mean_s());
        let work = gained(&|scenario| scenario.classes[0].handling.after_call.mean_s());
        assert!((gained(&|scenario| scenario.classes[0].answer_heard_s) - 1.2).abs() < 0.02);
        // Histograms keep values to a 64th part.
        assert!((answer - 0.3).abs() < 0.005 && (work - 0.6).abs() < 0.01, "{answer} {work}");
        assert_eq!(with_delays(&scenario, &Measures::default(), 60.0), scenario);
        assert_eq!(phases(&measures, 60.0).len(), 4);
    }
}
