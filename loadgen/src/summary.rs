//! The results of a load run as text: the answer first, then what it rests on.

use std::fmt::Write as _;

use callfloor_measure::{Metric, Scope};

use crate::figure::Judgement;
use crate::measures::{Kind, Measures};
use crate::media::Sound;
use crate::results::{LoadResults, Part};
use crate::sip::Traffic;

/// Writing to a string cannot fail.
macro_rules! line {
    ($out:expr, $($arg:tt)*) => {{
        let _ = writeln!($out, $($arg)*);
    }};
}

/// Figures of the floor that a summary shows.
const FLOOR: [Metric; 6] =
    [Metric::ServiceLevel, Metric::AsaS, Metric::Abandonment, Metric::AhtS, Metric::Occupancy, Metric::MissedRingRate];

/// Everything that a person needs of a run, in some tens of lines.
#[must_use]
pub fn to_text(results: &LoadResults, judgements: &[Judgement]) -> String {
    let mut out = String::new();
    let settings = &results.settings;
    let measures = results.measures();
    head(&mut out, results, judgements);
    line!(
        out,
        "{} against {}: {}, speed {}, seed {}, replication {}",
        settings.scenario,
        settings.target,
        settings.pace,
        settings.speed,
        settings.seed,
        settings.replication
    );
    rates(&mut out, results, &measures);
    latencies(&mut out, &measures);
    signalling(&mut out, "customers", &measures.customers);
    signalling(&mut out, "telephones", &measures.telephones);
    sound(&mut out, "customers", &measures.customers_sound);
    sound(&mut out, "operators", &measures.operators_sound);
    if let Some(floor) = &results.floor {
        line!(out, "\nFloor, in the scenario's time (one replication: no interval)");
        for metric in FLOOR {
            if let Some(estimate) = floor.estimate(metric, Scope::All) {
                line!(out, "  {:<22} {:.4}", metric.to_string(), estimate.value);
            }
        }
        for failure in floor.failed_identities() {
            line!(out, "  {failure}");
        }
    }
    counts(&mut out, &measures);
    for part in &results.parts {
        for note in &part.notes {
            let of = if results.parts.len() > 1 { format!(" of shard {}", part.shard) } else { String::new() };
            line!(out, "Note{of}: {note}");
        }
    }
    out
}

fn head(out: &mut String, results: &LoadResults, judgements: &[Judgement]) {
    let missing: Vec<String> = results.missing().iter().map(u32::to_string).collect();
    if !missing.is_empty() {
        line!(
            out,
            "INCOMPLETE: nothing is here of shard {} of {}: counts, rates and latencies are those of the others alone",
            missing.join(", "),
            results.settings.shards
        );
    }
    if let Some(void) = results.void() {
        line!(out, "VOID: {void}");
    }
    let spread_s = Part::spread_us(&results.parts) as f64 / 1e6;
    if spread_s > 1.0 {
        line!(
            out,
            "APART: the shards began up to {spread_s:.1} s from each other, so that the rate was not that of the whole"
        );
    }
    for judgement in judgements {
        line!(out, "{judgement}");
    }
}

fn rates(out: &mut String, results: &LoadResults, measures: &Measures) {
    let count = |name: &str| measures.count(name);
    let what = if count("chats") + count("tickets") > 0 { "contact" } else { "call" };
    let asked: u64 = results.parts.iter().map(|part| part.asked).sum();
    let longest = results.parts.iter().map(|part| part.lasted_us).max().unwrap_or(0) as f64 / 1e6;
    line!(
        out,
        "\nAsked {asked} {what}s at {:.2} a second; begun {} with {} redials, {:.2} % of what was asked; {longest:.1} s in all",
        results.asked_per_s().unwrap_or(0.0),
        results.parts.iter().map(Part::come).sum::<u64>(),
        count("redials"),
        100.0 * results.begun_share().unwrap_or(0.0)
    );
    line!(
        out,
        "Answered {}, served {}, abandoned {}, turned away {}, refused {}, no answer {}, not over at the end {}",
        count("answered"),
        count("served"),
        count("abandoned"),
        count("turned_away"),
        count("refused"),
        count("timed_out"),
        count("unfinished")
    );
    if count("chats") > 0 {
        line!(
            out,
            "Chats {}: taken {}, abandoned {}, turned away {}, refused {}; lines of customers {}, of operators {}",
            count("chats"),
            count("chats_answered"),
            count("chats_abandoned"),
            count("chats_turned_away"),
            count("chats_refused"),
            count("chat_lines_of_customers"),
            count("chat_lines_of_operators")
        );
    }
    if count("tickets") > 0 {
        line!(
            out,
            "Web forms {}: refused {}; tickets taken {}, solved {}",
            count("tickets"),
            count("tickets_refused"),
            count("tickets_taken"),
            count("tickets_solved")
        );
    }
    for part in &results.parts {
        line!(
            out,
            "Generator, shard {}: {} threads used {:.1} % of {} processors, {:.0} µs a {what}",
            part.shard,
            part.threads,
            100.0 * part.processor_share(),
            part.processors,
            part.processor_us as f64 / part.come().max(1) as f64
        );
    }
    if let Some(floor) = &results.floor {
        if !measures.counts.contains_key("records") {
            line!(out, "The server's records could not be read: whether it has one of each {what} is not known");
            return;
        }
        let of = |name: &str| ["", "chat_", "ticket_"].iter().map(|of| count(&format!("{of}{name}"))).sum::<u64>();
        line!(
            out,
            "The server has a record of {} of them; {} are missing, {} are there twice; {} contacts were offered to queues",
            of("records"),
            of("records_missing"),
            of("records_twice"),
            floor.counts(Scope::All).offered
        );
    }
}

fn latencies(out: &mut String, measures: &Measures) {
    line!(out, "\n{:<22} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}", "Latency, ms", "n", "p50", "p90", "p99", "p99.9", "max");
    for kind in Kind::ALL {
        let Some(found) = measures.latency(*kind) else { continue };
        let ms = |q: f64| found.quantile_us(q).unwrap_or(0) as f64 / 1e3;
        line!(
            out,
            "{:<22} {:>9} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>9.2}",
            kind.name(),
            found.count(),
            ms(0.5),
            ms(0.9),
            ms(0.99),
            ms(0.999),
            found.max_us() as f64 / 1e3
        );
    }
}

fn signalling(out: &mut String, who: &str, traffic: &Traffic) {
    if traffic.sent == 0 && traffic.received == 0 {
        return;
    }
    let [provisional, success, redirection, client, server, global] = traffic.responses;
    line!(
        out,
        "\nSIP of {who}: {} sent, {} received; 1xx {provisional}, 2xx {success}, 3xx {redirection}, 4xx {client}, 5xx {server}, \
         6xx {global}; sent again {}, received again {}, timeouts {}, unexpected {}, not sent {}",
        traffic.sent,
        traffic.received,
        traffic.retransmitted,
        traffic.received_again,
        traffic.timeouts,
        traffic.unexpected,
        traffic.send_errors
    );
}

fn sound(out: &mut String, who: &str, sound: &Sound) {
    if sound.streams == 0 {
        return;
    }
    line!(
        out,
        "Audio of {who}: {} of {} heard something; {} packets sent, {} received ({} audible), {} lost, jitter {:.2} ms, at most \
         {:.2} ms",
        sound.heard,
        sound.streams,
        sound.sent,
        sound.received,
        sound.audible,
        sound.lost,
        sound.jitter_us as f64 / 1e3 / sound.heard.max(1) as f64,
        sound.jitter_max_us as f64 / 1e3
    );
}

/// What is told elsewhere already.
const TOLD: [&str; 23] = [
    "calls",
    "redials",
    "answered",
    "served",
    "abandoned",
    "turned_away",
    "refused",
    "timed_out",
    "records",
    "records_missing",
    "records_twice",
    "unfinished",
    "chats",
    "chats_answered",
    "chats_abandoned",
    "chats_turned_away",
    "chats_refused",
    "chat_lines_of_customers",
    "chat_lines_of_operators",
    "tickets",
    "tickets_refused",
    "tickets_taken",
    "tickets_solved",
];

fn counts(out: &mut String, measures: &Measures) {
    let rest = measures.counts.iter().filter(|(name, count)| !TOLD.contains(&name.as_str()) && **count > 0);
    let rest: Vec<String> = rest.map(|(name, count)| format!("{name} {count}")).collect();
    if !rest.is_empty() {
        line!(out, "\nCounts: {}", rest.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::results;

    #[test]
    fn what_is_missing_and_what_is_void_comes_first() {
        let text = to_text(&results(1, 3, &[90_000; 9]), &[]);
        assert!(text.starts_with("INCOMPLETE: nothing is here of shard 2, 3 of 3"), "{text}");
        assert!(text.lines().nth(1).is_some_and(|line| line.starts_with("VOID: ")), "{text}");
        assert!(text.contains("lag ") && text.contains("90.00"), "{text}");
        assert!(!to_text(&results(1, 1, &[1]), &[]).contains("VOID"));
    }
}
