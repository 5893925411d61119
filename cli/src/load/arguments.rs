//! What `callfloor load` is given on the command line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use callfloor_load::figure::{Demand, DemandError};
use callfloor_load::plan::Shard;
use callfloor_load::sip::Credentials;
use callfloor_load::target::{SipTarget, TargetError, Url};
use callfloor_load::{Leg, Pace, Target};

use crate::ending::Failure;
use crate::output::check_files;

/// Play a scenario's customers and operators against a live server
///
/// Open loop: customers come at the scenario's instants, whatever the server does, and every latency begins at the intended
/// instant. Customer 4711 has the same patience, talk time and mind as in `callfloor simulate`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "Examples:
  callfloor load plan.toml --url http://127.0.0.1:8080 --password-file admin.txt --speed 10
  callfloor load plan.toml --target sip:127.0.0.1:5060 --rate 50 --for 30s --threshold 'call_to_answer_p99_ms<=50'
  callfloor load plan.toml --target sip:100@192.168.0.9 --rate 10 --for 20s --find-rate --threshold 'failed_share<=0'
  callfloor load plan.toml --target sip:127.0.0.1 --shard 1/2 --start-at 2026-03-02T09:00:00Z --json a.json
  callfloor load merge a.json b.json

Exit code 0: every threshold is met; 1: one is missed, or the run is void; 2: wrong input; 3: a fault of callfloor's own.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(super) beside: Option<Beside>,
    /// The scenario
    #[arg(required = true)]
    pub(super) file: Option<PathBuf>,
    /// `callfloor` (calls and operators; see --url), or any SIP system as sip:HOST, sip:USER@HOST:PORT, perhaps with ;transport=tcp or tls (calls only)
    #[arg(long, value_name = "TARGET", default_value = "callfloor")]
    target: String,
    /// Where the server's API is
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080", value_parser = url)]
    url: Url,
    /// Where the server's telephones are, where that is not port 5060 of the API's host
    #[arg(long, value_name = "ADDRESS")]
    sip: Option<String>,
    /// An administrator's login
    #[arg(long, value_name = "NAME", default_value = "admin")]
    user: String,
    /// A file with their password
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// A PEM file of authorities that are trusted beside the system's own
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// User name by which a SIP system is told who calls
    #[arg(long, value_name = "NAME", requires = "sip_password_file")]
    sip_user: Option<String>,
    /// A file with its password
    #[arg(long, value_name = "FILE", requires = "sip_user")]
    sip_password_file: Option<PathBuf>,
    /// Divide every duration of the scenario by this
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    pub(super) speed: f64,
    /// So many calls a second, evenly spaced, in place of the scenario's instants; needs --for
    #[arg(long, value_name = "PER_S", requires = "length", conflicts_with_all = ["ramp", "spike"])]
    pub(super) rate: Option<f64>,
    /// From one rate to another over the time of --for: 10:100
    #[arg(long, value_name = "FROM:TO", requires = "length", conflicts_with = "spike", value_parser = pair)]
    ramp: Option<(f64, f64)>,
    /// A rate, and in the middle third of --for another: 20:200
    #[arg(long, value_name = "BASE:PEAK", requires = "length", value_parser = pair)]
    spike: Option<(f64, f64)>,
    /// How long: 30s, 5m, 1h
    #[arg(id = "length", long = "for", value_name = "LENGTH", value_parser = span)]
    length: Option<Duration>,
    /// Look for the highest rate that meets every --threshold: --rate is the first that is tried, each for the time of --for
    #[arg(long, requires = "rate", conflicts_with_all = ["shard", "start_at"])]
    pub(super) find_rate: bool,
    /// The highest rate that --find-rate tries
    #[arg(long, value_name = "PER_S", default_value_t = 100_000.0)]
    pub(super) most: f64,
    /// A demand on a figure: call_to_answer_p99_ms<=50, service_level>=0.8; `callfloor load figures` lists them
    #[arg(long, value_name = "DEMAND", value_parser = demand)]
    pub(super) threshold: Vec<Demand>,
    /// Play one part of the customers and operators: 2/8
    #[arg(long, value_name = "K/N", value_parser = shard)]
    pub(super) shard: Option<Shard>,
    /// Begin at this moment: shards begin together
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) start_at: Option<jiff::Timestamp>,
    /// Threads that play
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) threads: usize,
    /// Seed of every random stream, instead of the scenario's
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Which replication's customers come
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) replication: u32,
    /// Nobody speaks or listens: signalling alone
    #[arg(long)]
    pub(super) no_sound: bool,
    /// Load this host though it is neither this machine nor of a private network
    #[arg(long, value_name = "HOST")]
    pub(super) i_may_load: Vec<String>,
    /// The run is void if 1 % of what the generator had to do came later than this
    #[arg(long, value_name = "LENGTH", default_value = "20ms", value_parser = span)]
    pub(super) lag_limit: Duration,
    /// End the run when nothing has come from the target for so long, though something was to come
    #[arg(long, value_name = "LENGTH", default_value = "60s", value_parser = span)]
    pub(super) gone_limit: Duration,
    /// The port to which a trunk of the server leads, for calls to parties outside
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) telephones_port: u16,
    #[command(flatten)]
    pub(super) output: Output,
}

/// Where results go.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Output {
    /// Write the results as JSON, to stdout where no FILE is given
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub(super) json: Option<PathBuf>,
    /// Write every figure and count as CSV, to stdout where no FILE is given
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub(super) csv: Option<PathBuf>,
    /// Write the verdicts as JUnit's XML
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
    /// Write annotations for a GitHub workflow to stdout
    #[arg(long)]
    pub(super) github: bool,
    /// No progress, and no text on stdout: only the documents that were asked for, and the exit code
    #[arg(long, short)]
    pub(super) quiet: bool,
}

impl Output {
    /// Refuses what would overwrite an input, mix two documents, or cannot be written; to be asked before a long run.
    pub(super) fn check(&self, inputs: &[&Path]) -> Result<(), Failure> {
        let standard = Path::new("-");
        if self.json.as_deref() == Some(standard) && self.csv.as_deref() == Some(standard) {
            return Err(Failure::Input("only one of --json and --csv can go to stdout: give the other a FILE".into()));
        }
        let to_standard = [&self.json, &self.csv].into_iter().flatten().any(|file| file == standard);
        if self.github && to_standard {
            return Err(Failure::Input("annotations go to stdout: give --json or --csv a FILE beside --github".into()));
        }
        check_files([&self.json, &self.csv, &self.junit].into_iter().flatten(), inputs)
    }

    /// Whether stdout takes a document, so that no text may go there.
    pub(super) fn prints_a_document(&self) -> bool {
        [&self.json, &self.csv].into_iter().flatten().any(|file| file == Path::new("-"))
    }
}

/// What else it does.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Beside {
    /// Put the results of several shards together, exactly
    Merge {
        /// Results as --json wrote them
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// A demand on a figure
        #[arg(long, value_name = "DEMAND", value_parser = demand)]
        threshold: Vec<Demand>,
        #[command(flatten)]
        output: Output,
    },
    /// List every figure that a threshold can name
    Figures,
}

impl Arguments {
    pub(super) fn target(&self) -> Result<Target, Failure> {
        if self.target == "callfloor" {
            let Some(file) = &self.password_file else {
                return Err(Failure::Input(format!(
                    "{} is prepared by an administrator: give the password of {} in a file: --password-file FILE",
                    self.url, self.user
                )));
            };
            let sip = self.sip.as_ref().map(|address| format!("sip:{address}").parse::<SipTarget>()).transpose();
            return Ok(Target::Callfloor {
                url: self.url.clone(),
                sip: sip.map_err(Failure::input)?,
                login: self.user.clone(),
                password: secret(file)?,
                ca: self.ca.clone(),
            });
        }
        let credentials = match (&self.sip_user, &self.sip_password_file) {
            (Some(user), Some(file)) => Some(Credentials { user: user.clone(), password: secret(file)? }),
            _ => None,
        };
        let target = self.target.parse::<SipTarget>();
        let target = target.map_err(|error| Failure::Input(format!("{error}, or callfloor")))?;
        Ok(Target::Sip { target, credentials, ca: self.ca.clone() })
    }

    /// When customers come, at a rate of `rate` where there is one.
    pub(super) fn pace(&self, rate: Option<f64>) -> Pace {
        let length_us = self.length.map_or(0, |length| u64::try_from(length.as_micros()).unwrap_or(u64::MAX));
        let leg = |length_us: u64, from_per_s: f64, to_per_s: f64| Leg { length_us, from_per_s, to_per_s };
        match (rate, self.ramp, self.spike) {
            (Some(rate), ..) => Pace::constant(rate, length_us),
            (_, Some((from, to)), _) => Pace::Rates(vec![leg(length_us, from, to)]),
            (_, _, Some((base, peak))) => {
                let third = length_us / 3;
                Pace::Rates(vec![
                    leg(third, base, base),
                    leg(third, peak, peak),
                    leg(length_us - 2 * third, base, base),
                ])
            }
            _ => Pace::Scenario,
        }
    }
}

/// A file's first line.
fn secret(file: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::file(file, "read", &error))?;
    let line = text.lines().next().unwrap_or_default().to_owned();
    if line.is_empty() {
        return Err(Failure::Input(format!(
            "{}: its first line is empty; the password is expected there",
            file.display()
        )));
    }
    Ok(line)
}

fn url(text: &str) -> Result<Url, String> {
    text.parse().map_err(|error: TargetError| error.to_string())
}

fn demand(text: &str) -> Result<Demand, String> {
    text.parse().map_err(|error: DemandError| error.to_string())
}

fn pair(text: &str) -> Result<(f64, f64), String> {
    let read = |text: &str| text.trim().parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate >= 0.0);
    let rates = text.split_once(':').and_then(|(from, to)| Some((read(from)?, read(to)?)));
    rates.ok_or_else(|| format!("\"{text}\" is no pair of rates: write 10:100, in calls a second"))
}

fn shard(text: &str) -> Result<Shard, String> {
    let read = || {
        let (number, of) = text.split_once('/')?;
        Some(Shard { number: number.parse().ok()?, of: of.parse().ok()? })
    };
    let fits = |shard: &Shard| shard.of <= Shard::MOST && (1..=shard.of).contains(&shard.number);
    read().filter(fits).ok_or_else(|| {
        format!("\"{text}\" is no shard: write 2/8 for the second of eight; there are {} at most", Shard::MOST)
    })
}

fn moment(text: &str) -> Result<jiff::Timestamp, String> {
    text.parse().map_err(|_| format!("\"{text}\" is no moment: write 2026-03-02T09:00:00Z"))
}

/// Reads `20ms`, `30s`, `5m`, `1h`.
fn span(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds = match unit.trim() {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        _ => 0.0,
    };
    let length = number.parse::<f64>().unwrap_or(0.0) * seconds;
    if length > 0.0 && length < 1e9 {
        return Ok(Duration::from_secs_f64(length));
    }
    Err(format!("\"{text}\" is no length of time: write 20ms, 30s, 5m or 1h"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_rates_and_shards() {
        for (text, ms) in [("20ms", 20), ("30s", 30_000), ("1.5m", 90_000), ("1h", 3_600_000)] {
            assert_eq!(span(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for wrong in ["", "30", "s", "-1s", "0s", "1w", "inf s"] {
            assert!(span(wrong).unwrap_err().contains("write 20ms"), "{wrong}");
        }
        assert_eq!(pair("10:100"), Ok((10.0, 100.0)));
        assert!(pair("10").is_err() && pair("1:x").is_err() && pair("-1:2").is_err());
        assert_eq!(shard("2/8"), Ok(Shard { number: 2, of: 8 }));
        assert!(shard("9/8").is_err() && shard("0/8").is_err() && shard("2").is_err());
    }
}
