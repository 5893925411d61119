//! The long run: `callfloor-fuzz --seeds A..B --commands N [--threads T]`.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use callfloor_fuzz::{Failure, Settings, Tally, describe, engine, run_seed, shrink_failure};

const USAGE: &str = "\
Random floors and commands against the engine, with every invariant checked after each.

Usage: callfloor-fuzz [OPTIONS]

  --seeds A..B        seeds to run, A included, B not [0..1000]
  --commands N        steps of each seed's run [1000]
  --threads T         threads [1]
  --model-every N     the model runs beside the seeds that N divides; 0: beside none [1]
  --check-every N     the engine's check runs after one step of N [1]
  --restore-permille N  of a thousand steps, so many begin a comparison with a restored copy [3]
  --progress S        say every S seconds what is done
  --minutes M         stop after M minutes, and say which seeds were done
  --class TEXT        with --keep-going: the first failure whose class contains TEXT is made short
  --keep-going        go on after a failure; the number of failures by class is printed at the end

Exit status: 0 nothing found, 1 a failure was found and printed, 2 bad arguments.";

struct Arguments {
    from: u64,
    to: u64,
    threads: usize,
    minutes: Option<u64>,
    progress: Option<u64>,
    keep_going: bool,
    class: String,
    settings: Settings,
}

fn arguments() -> Result<Arguments, String> {
    let mut found = Arguments {
        from: 0,
        to: 1000,
        threads: 1,
        minutes: None,
        progress: None,
        keep_going: false,
        class: String::new(),
        settings: Settings::default(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        if name == "--keep-going" {
            found.keep_going = true;
            continue;
        }
        if name == "--help" || name == "-h" {
            return Err(String::new());
        }
        let value = arguments.next().ok_or(format!("{name} needs a value"))?;
        let number = |text: &str| -> Result<u64, String> {
            text.replace('_', "").parse().map_err(|_| format!("{name}: {text:?} is no whole number"))
        };
        match name.as_str() {
            "--seeds" => {
                let (from, to) = value.split_once("..").ok_or(format!("--seeds: {value:?} is not A..B"))?;
                (found.from, found.to) = (number(from)?, number(to)?);
            }
            "--commands" => {
                found.settings.steps = usize::try_from(number(&value)?).map_err(|error| error.to_string())?;
            }
            "--threads" => {
                found.threads = usize::try_from(number(&value)?.max(1)).map_err(|error| error.to_string())?
            }
            "--model-every" => found.settings.model_every = number(&value)?,
            "--check-every" => found.settings.check_every = number(&value)?.max(1),
            "--restore-permille" => found.settings.restore_permille = number(&value)?,
            "--class" => found.class = value,
            "--progress" => found.progress = Some(number(&value)?.max(1)),
            "--minutes" => found.minutes = Some(number(&value)?),
            _ => return Err(format!("{name} is not known")),
        }
    }
    Ok(found)
}

fn summary(from: u64, done: u64, total: &Tally, started: Instant) -> String {
    let seconds = started.elapsed().as_secs_f64();
    format!(
        "seeds {from}..{done}: {} runs, {} commands ({} accepted), {} compared with the model, {} reconfigured, \
         {} events, {} checks, {} restored copies, {} refusals compared; {seconds:.1} s, {:.0} commands/s",
        total.runs,
        total.commands,
        total.accepted,
        total.compared,
        total.reconfigured,
        total.events,
        total.checks,
        total.restored,
        total.refusals,
        total.commands as f64 / seconds,
    )
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(problem) if problem.is_empty() => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("{problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let started = Instant::now();
    let next = AtomicU64::new(arguments.from);
    let stop = AtomicBool::new(false);
    let told = AtomicU64::new(0);
    let total = Mutex::new(Tally::default());
    let failures: Mutex<Vec<(u64, Box<Failure>)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    if arguments.minutes.is_some_and(|m| started.elapsed() > Duration::from_secs(60 * m)) {
                        break;
                    }
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= arguments.to {
                        next.fetch_sub(1, Ordering::Relaxed);
                        break;
                    }
                    match run_seed(&engine, seed, arguments.settings) {
                        Ok(tally) => {
                            let mut total = total.lock().expect("no thread panics");
                            total.add(&tally);
                            let passed = started.elapsed().as_secs();
                            if let Some(every) = arguments.progress
                                && told.fetch_max(passed / every, Ordering::Relaxed) < passed / every
                            {
                                println!("{}", summary(arguments.from, seed + 1, &total, started));
                            }
                        }
                        Err(failure) => {
                            println!("seed {seed} fails at step {}: {}", failure.steps.len(), failure.class);
                            failures.lock().expect("no thread panics").push((seed, failure));
                            if !arguments.keep_going {
                                stop.store(true, Ordering::Relaxed);
                            }
                        }
                    }
                }
            });
        }
    });
    let total = *total.lock().expect("no thread panics");
    println!("{}", summary(arguments.from, next.load(Ordering::Relaxed).min(arguments.to), &total, started));
    let mut failures = failures.into_inner().expect("no thread panics");
    failures.sort_by_key(|(seed, _)| *seed);
    if arguments.keep_going {
        let mut classes: Vec<(String, Vec<u64>)> = Vec::new();
        for (seed, failure) in &failures {
            match classes.iter_mut().find(|(class, _)| *class == failure.class) {
                Some((_, seeds)) => seeds.push(*seed),
                None => classes.push((failure.class.clone(), vec![*seed])),
            }
        }
        for (class, seeds) in classes {
            println!("{:6} failures: {class} (first seeds {:?})", seeds.len(), &seeds[..seeds.len().min(5)]);
        }
    }
    let wanted = failures.iter().find(|(_, failure)| failure.class.contains(&arguments.class));
    let Some((seed, failure)) = wanted.or(failures.first()) else { return ExitCode::SUCCESS };
    println!("\nseed {seed} fails at step {}: {}; making it shorter ...", failure.steps.len(), failure.class);
    let short = shrink_failure(&engine, *seed, failure, arguments.settings);
    println!("\n{}\n{}\n{}", describe(&short.config, &short.steps), short.class, short.detail);
    println!(
        "\nagain: callfloor-fuzz --seeds {seed}..{} --commands {} --model-every {} --check-every {} \
         --restore-permille {}",
        seed + 1,
        arguments.settings.steps,
        arguments.settings.model_every,
        arguments.settings.check_every,
        arguments.settings.restore_permille,
    );
    ExitCode::FAILURE
}
