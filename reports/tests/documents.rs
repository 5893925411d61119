//! The documents of one small floor: what they say, and that they keep their promises.

mod floor;

use callfloor_measure::{Metric, Results, Scope};
use callfloor_reports::{Page, Run, compare, read_json, to_csv, to_html, to_json, to_text};

const PAGE: Page = Page { width: 100, colour: false };

#[test]
fn the_generator_itself_loses_no_call() {
    assert_eq!(floor::results("today", 14, 3).failed_identities(), []);
}

#[test]
fn the_terminal_page_opens_with_the_answer() {
    let results = floor::results("today", 14, 20);
    let text = to_text(&results, None, PAGE);
    println!("{text}");
    let level = results.estimate(Metric::ServiceLevel, Scope::All).unwrap();
    let first = text.lines().next().unwrap();
    assert!(
        first.starts_with(&format!("today: Service level {:.1} % (95 % interval ", level.value * 100.0)),
        "{first}"
    );
    assert!(text.contains("target 80 %: "));
    assert!(text.contains("20 replications, seed 7, no warm-up; "));
    assert!(text.contains("abandonment at most 5 %: "));
    assert!(text.contains("Data: a made-up floor."));
    assert!(!text.contains('\u{1b}'), "no colour unless asked for");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "within the width");
    let narrow = to_text(&results, None, Page { width: 60, colour: true });
    assert!(narrow.contains("\u{1b}[1;3"), "the answer has a colour");
    let shown = |line: &str| line.replace("\u{1b}[1m", "").replace("\u{1b}[0m", "").chars().count();
    assert!(narrow.lines().filter(|line| !line.contains("[1;3")).all(|line| shown(line) <= 60), "{narrow}");
}

#[test]
fn one_replication_says_that_it_has_no_interval() {
    let text = to_text(&floor::results("today", 14, 1), None, PAGE);
    assert!(text.lines().next().unwrap().contains("(one replication: no interval)"), "{text}");
    assert!(!text.contains('±'));
    let none = to_text(&floor::results("today", 14, 0), None, PAGE);
    assert!(none.starts_with("today: No replication was finished"));
}

#[test]
fn a_run_that_was_stopped_says_so() {
    let run = Run {
        wall_s: 2.0,
        processor_s: Some(1.0),
        threads: 2,
        interrupted: true,
        wanted: Some(50),
        precision_missed: false,
    };
    let text = to_text(&floor::results("today", 14, 4), Some(&run), PAGE);
    assert!(
        text.contains("Stopped early: the figures are those of the 4 of 50 replications that were done."),
        "{text}"
    );
    assert!(text.contains(" on 2 threads; "));
}

#[test]
fn csv_has_every_figure_with_its_interval_and_its_counts() {
    let results = floor::results("today", 14, 10);
    let csv = to_csv(&results);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let head = reader.headers().unwrap().clone();
    let column = |name: &str| head.iter().position(|head| head == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let find = |of: &str, name: &str, interval: &str, figure: &str| {
        let wanted = [("of", of), ("name", name), ("interval", interval), ("figure", figure)];
        rows.iter().find(|row| wanted.iter().all(|(head, value)| &row[column(head)] == *value)).cloned()
    };
    let period = find("all", "", "", "service_level").unwrap();
    let (over, under): (f64, f64) = (period[column("over")].parse().unwrap(), period[column("under")].parse().unwrap());
    let value: f64 = period[column("value")].parse().unwrap();
    assert_eq!(over / under, value, "a share can be checked from its counts");
    let ten = find("queue", "support <b>", "10:00", "asa_s").unwrap();
    assert_eq!(&ten[column("start_s")], "36000");
    assert!(ten[column("low")].parse::<f64>().unwrap() < ten[column("high")].parse::<f64>().unwrap());
    assert!(find("group", "noon shift", "12:00", "occupancy").is_some());
    assert!(
        find("group", "noon shift", "08:00", "occupancy").is_none(),
        "nobody was there, so there is no such figure"
    );
}

#[test]
fn json_gives_the_results_back_and_points_into_a_broken_file() {
    let results = floor::results("today", 14, 5);
    let json = to_json(&results);
    assert_eq!(read_json(&json).unwrap(), results);
    assert_eq!(read_json(&results.to_json()).unwrap(), results, "a bare results file will do");
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["thresholds"][0]["metric"], "abandonment");
    let level = document["figures"].as_array().unwrap().iter().find(|f| f["figure"] == "service_level").unwrap();
    assert_eq!(level["value"], results.estimate(Metric::ServiceLevel, Scope::All).unwrap().value);

    let broken = json.replacen("\"seed\":7", "\"seed\":-7", 1);
    let error = read_json(&broken).unwrap_err();
    let place = broken.find("\"seed\":-7").unwrap();
    assert_eq!(error.line, 1);
    assert!((place..place + 20).contains(&error.column), "{error} should be near {place}");
    assert!(read_json("{\"format\":\"other\"}").is_err());
    assert!(read_json("not json").unwrap_err().to_string().starts_with("1:"));
}

#[test]
fn html_is_one_file_that_asks_for_nothing_from_elsewhere() {
    let html = to_html(&floor::results("today", 14, 20), None);
    for outside in
        ["http://", "https://", "src=", "href=", "url(", "@import", "<script", "<link", "<img", "<iframe", "//"]
    {
        assert!(!html.contains(outside), "{outside} in the report");
    }
    assert!(html.contains("Service level"));
    assert!(html.find("class=\"answer").unwrap() < html.find("<svg").unwrap(), "the answer comes first");
    assert_eq!(html.matches("<svg class=\"wide\"").count(), 4);
    assert_eq!(html.matches("<svg class=\"narrow\"").count(), 4);
    assert!(html.contains("<title>08:00\noffered "), "hovering tells the numbers");
    assert!(html.contains("support &#60;b&#62;") && !html.contains("support <b>"), "names are escaped");
    assert!(html.contains("prefers-color-scheme: dark"));
    if let Ok(path) = std::env::var("CALLFLOOR_REPORT") {
        std::fs::write(path, html).unwrap();
    }
}

#[test]
fn the_same_results_give_the_same_bytes() {
    let (once, again) = (floor::results("today", 14, 6), {
        let mut parts = Results::new(floor::header("today"));
        parts.merge(&floor::results("today", 14, 6)).unwrap();
        parts
    });
    assert_eq!(to_json(&once), to_json(&again));
    assert_eq!(to_html(&once, None), to_html(&again, None));
    assert_eq!(to_csv(&once), to_csv(&again));
}

#[test]
fn a_comparison_says_plainly_what_the_second_plan_changes() {
    let (today, plan) = (floor::results("today", 14, 20), floor::results("two more", 16, 20));
    let comparison = compare(&today, &plan).unwrap();
    let text = comparison.to_text(PAGE);
    println!("{text}");
    let level = &comparison.differences()[0];
    assert_eq!(level.metric, Metric::ServiceLevel);
    assert!((level.difference.value - (level.b.value - level.a.value)).abs() < 1e-12);
    let interval = level.difference.interval.unwrap();
    assert!(interval.low > 0.0, "two more operators help for sure");
    let unpaired = level.a.interval.unwrap().half_width().hypot(level.b.interval.unwrap().half_width());
    assert!(interval.half_width() < unpaired, "common random numbers narrow the interval");
    let sentence = comparison.sentence(level);
    assert!(
        sentence.starts_with("\"two more\" answers ")
            && sentence.contains(" points more calls within 20 s than \"today\" (95 % interval ")
    );
    let same = compare(&today, &today).unwrap();
    assert!(same.sentence(&same.differences()[0]).starts_with("A and B have the same service level: "));
    let fewer = compare(&plan, &today).unwrap();
    assert!(fewer.sentence(&fewer.differences()[0]).contains(" points fewer calls within 20 s than \"two more\" "));
}

#[test]
fn a_comparison_is_one_html_file_with_both_plans() {
    let (today, plan) = (floor::results("today <b>", 14, 20), floor::results("two more", 16, 20));
    let comparison = compare(&today, &plan).unwrap();
    let html = comparison.to_html(&today, &plan);
    for outside in ["http://", "https://", "src=", "href=", "url(", "@import", "<script", "<link", "<img", "//"] {
        assert!(!html.contains(outside), "{outside} in the report");
    }
    let answer = html.find("class=\"answer good\"").expect("two more operators help for sure");
    assert!(answer < html.find("<table").unwrap() && answer < html.find("<svg").unwrap(), "the answer comes first");
    assert_eq!(html.matches("<svg class=\"wide\"").count(), 2);
    assert_eq!(html.matches("<svg class=\"narrow\"").count(), 2);
    assert!(html.contains("today &#60;b&#62;") && !html.contains("today <b>"), "names are escaped");
    assert!(html.contains("A: service level, %") && html.contains("<td>10:30</td>"), "intervals of both");
    let other = {
        let grid = callfloor_measure::Grid::new(0, 3_600_000_000, 1);
        Results::new(callfloor_measure::Header { grid, interval_labels: Vec::new(), ..floor::header("other") })
    };
    let html = comparison.to_html(&today, &other);
    assert!(html.contains("counted in other intervals") && !html.contains("<svg"));
}

#[test]
fn plans_with_other_customers_are_not_compared() {
    let today = floor::results("today", 14, 2);
    let other = Results::new(callfloor_measure::Header { seed: 8, ..floor::header("other") });
    assert!(compare(&today, &other).unwrap_err().to_string().contains("run both with the same --seed"));
    let empty = Results::new(floor::header("empty"));
    assert!(compare(&today, &empty).unwrap_err().to_string().contains("no replication in common"));
}

#[test]
fn a_forged_results_file_is_refused_or_printed_and_never_a_panic() {
    let json = floor::results("today", 14, 2).to_json();
    let digits: Vec<usize> =
        json.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()).map(|(at, _)| at).collect();
    let forged = ["9999999999999999999", "18446744073709551615", "0", "-1", "1e300", "null", "[]", "\"\"", "{}"];
    let (mut refused, mut printed) = (0, 0);
    for (turn, step) in (0..digits.len()).step_by(digits.len() / 400).enumerate() {
        let at = digits[step];
        // The whole number that the digit is in.
        let from = json[..at].rfind(|letter: char| !letter.is_ascii_digit()).map_or(0, |before| before + 1);
        let to = at + json[at..].find(|letter: char| !letter.is_ascii_digit()).unwrap_or(0);
        let text = format!("{}{}{}", &json[..from], forged[turn % forged.len()], &json[to..]);
        match read_json(&text) {
            Err(error) => {
                refused += 1;
                assert!(!error.found.is_empty());
            }
            Ok(results) => {
                printed += 1;
                let _ = (to_text(&results, None, PAGE), to_csv(&results), to_json(&results), to_html(&results, None));
                let _ = compare(&results, &results).map(|comparison| comparison.to_text(PAGE));
            }
        }
    }
    assert!(refused > 100 && printed > 50, "{refused} refused, {printed} printed");
}
