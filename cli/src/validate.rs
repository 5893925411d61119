//! `callfloor validate`: predicted against actual.

use std::path::PathBuf;

use callfloor_scenario::Scenario;
use callfloor_sim::validate::needed::needed;
use callfloor_sim::validate::report::needs_text;
use callfloor_sim::validate::{Options, Setup};
use jiff::civil::Weekday;

use crate::ending::{self, Ending, Failure};
use crate::fit::LogArguments;
use crate::output::check_files;

/// Run a log's arrivals and staffing through the engine, and compare with what happened
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: callfloor validate march.csv.gz our-centre.toml --days sun,mon,tue,wed,thu --from 7 \
--html march.html")]
pub(crate) struct Arguments {
    /// Call log of days that the scenario was not fitted on
    log: PathBuf,
    /// Scenario made by `callfloor fit`
    scenario: PathBuf,
    /// Simulated days for each logged day
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    replications: u32,
    /// Seed instead of the scenario's
    #[arg(long)]
    seed: Option<u64>,
    /// First hour of the day that is counted
    #[arg(long, value_name = "HOUR", default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..=23))]
    from: i64,
    /// Hour of the day at which counting ends
    #[arg(long, value_name = "HOUR", default_value_t = 24, value_parser = clap::value_parser!(i64).range(1..=24))]
    to: i64,
    /// Days of the week that are counted, such as mon,tue; all without it
    #[arg(long, value_name = "DAYS", value_delimiter = ',')]
    days: Vec<String>,
    /// Wait in seconds up to which an answer is in time
    #[arg(long, value_name = "S", default_value_t = 20.0)]
    threshold_s: f64,
    /// Also finds how many operators each hour lacked for a service level, such as 0.8@20
    #[arg(long, value_name = "SHARE@S")]
    needed: Option<String>,
    /// Writes a report with plots
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Prints JSON instead of tables
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reading: LogArguments,
}

fn weekday(name: &str) -> Result<Weekday, Failure> {
    Ok(match name.to_ascii_lowercase().as_str() {
        "mon" => Weekday::Monday,
        "tue" => Weekday::Tuesday,
        "wed" => Weekday::Wednesday,
        "thu" => Weekday::Thursday,
        "fri" => Weekday::Friday,
        "sat" => Weekday::Saturday,
        "sun" => Weekday::Sunday,
        _ => {
            return Err(Failure::input(format!("--days: no day `{name}`; they are mon, tue, wed, thu, fri, sat, sun")));
        }
    })
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let wrong = || Failure::input("--needed must read SHARE@SECONDS, such as 0.8@20");
    let goal = match &arguments.needed {
        Some(text) => {
            let (share, seconds) = text.split_once('@').ok_or_else(wrong)?;
            let (share, seconds): (f64, f64) =
                (share.parse().map_err(|_| wrong())?, seconds.parse().map_err(|_| wrong())?);
            if !(share > 0.0 && share < 1.0 && seconds >= 0.0) {
                return Err(wrong());
            }
            Some((share, seconds))
        }
        None => None,
    };
    check_files(arguments.html.iter(), &[&arguments.log, &arguments.scenario])?;
    let scenario = Scenario::load(&arguments.scenario).map_err(Failure::input)?;
    let log = arguments.reading.read(std::slice::from_ref(&arguments.log))?;
    let weekdays = arguments.days.iter().map(|d| weekday(d)).collect::<Result<Vec<_>, _>>()?;
    let options = Options {
        replications: arguments.replications,
        seed: arguments.seed.unwrap_or(scenario.seed),
        from_s: arguments.from * 3600,
        to_s: arguments.to * 3600,
        weekdays,
        threshold_s: goal.map_or(arguments.threshold_s, |g| g.1),
    };
    let setup = Setup::new(&log, &scenario, &options).map_err(Failure::input)?;
    let validation = setup.run().map_err(Failure::input)?;
    let needs = match goal {
        Some((share, _)) => needed(&setup, share, arguments.replications.min(5)).map_err(Failure::input)?,
        None => Vec::new(),
    };
    let words = log.source.acknowledgement().unwrap_or_default();
    // A page that cannot be written takes the text with it no more than the text the page.
    let page = arguments.html.as_ref().and_then(|path| ending::save(path, &validation.html(words)).err());
    let printed = if arguments.json {
        ending::print(&validation.json(&needs))
    } else {
        let mut text = validation.text();
        if let Some((share, seconds)) = goal {
            text += &needs_text(&needs, share, seconds);
        }
        ending::print(&format!("{text}{words}\n"))
    };
    ending::all_of(page.into_iter().chain(printed.err()).collect())?;
    Ok(Ending::Met)
}
