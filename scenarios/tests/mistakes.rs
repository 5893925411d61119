//! What a person reads who made a mistake: file, line, column, the underlined line, what was found, what would be
//! right. Renew with `INSTA_UPDATE=always cargo test -p callfloor-scenario --test mistakes` and read the diff.

use std::collections::BTreeMap;

use callfloor_scenario::{Files, Problems, Scenario};

/// A snapshot that holds the text alone, not the expression that made it.
macro_rules! snapshot {
    ($text:expr) => {{
        let mut settings = insta::Settings::clone_current();
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!($text));
    }};
}

/// A right scenario, into which the mistakes are put.
const RIGHT: &str = r#"name = "Mistakes"
skills = ["english", "french"]

[run]
from = "09:00"
to = "17:00"

[queue.support]
policy = "longest-idle"

[customers.callers]
arrivals = { per_hour = 120 }
patience = { mean_s = 180 }
handling = { talk = { mean_s = 240 } }

[operators.team]
count = 10
"#;

/// Files beside the scenario.
struct Beside(BTreeMap<&'static str, &'static str>);

impl Files for Beside {
    fn read(&self, name: &str) -> Result<String, String> {
        self.0.get(name).map(|text| (*text).to_owned()).ok_or_else(|| "no such file".into())
    }
}

fn problems(text: &str, files: &[(&'static str, &'static str)]) -> Problems {
    match Scenario::parse("plans/monday.toml", text, &Beside(files.iter().copied().collect())) {
        Ok(_) => panic!("no mistake was found in\n{text}"),
        Err(problems) => problems,
    }
}

/// The right scenario with one line (given by its beginning) replaced.
fn with(line: &str, instead: &str) -> String {
    let mut found = false;
    let lines: Vec<&str> = RIGHT
        .lines()
        .map(|known| {
            let here = known.starts_with(line);
            found |= here;
            if here { instead } else { known }
        })
        .collect();
    assert!(found, "no line begins with {line:?}");
    lines.join("\n") + "\n"
}

/// The right scenario with lines added at its end.
fn and(more: &str) -> String {
    format!("{RIGHT}\n{more}\n")
}

/// All mistakes of a topic as one text.
fn report(mistakes: &[(&str, String)]) -> String {
    mistakes.iter().map(|(title, text)| format!("## {title}\n{}\n", problems(text, &[]))).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_scenario_without_a_mistake_is_right() {
    Scenario::parse("plans/monday.toml", RIGHT, &callfloor_scenario::NoFiles).unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn keys_and_types() {
    snapshot!(report(&[
        ("unknown key, one letter wrong", with("patience", "patiance = { mean_s = 180 }")),
        (
            "factor's flag, one letter wrong",
            with("arrivals", "arrivals = { per_hour = 120, interval_factor = { cv = 0.2, sharred = true } }")
        ),
        (
            "handle times, wrong unit",
            with("arrivals", "arrivals = { intervals = [{ per_hour = [60], aht_min = [3] }] }")
        ),
        ("unit forgotten", and("[service.main]\nring_limit = 20")),
        ("key of another table", with("count", "count = 10\ntalk = { mean_s = 60 }")),
        ("unknown table at the top", and("[queues.sales]")),
        ("key that is nowhere", with("count", "count = 10\nfavourite_colour = \"blue\"")),
        ("required key missing", with("arrivals", "")),
        ("nearly nothing", "name = \"x\"\n".to_owned()),
        ("number written as a string with its unit", and("[service.main]\nring_limit_s = \"20s\"")),
        ("number where a distribution stands", with("patience", "patience = 180")),
        ("word where a distribution stands", with("patience", "patience = \"never\"")),
        ("string instead of a whole number", with("count", "count = \"ten\"")),
        ("fraction of an operator", with("count", "count = 10.5")),
        ("table without a name", RIGHT.replace("[queue.support]", "[queue]"),),
        ("list instead of tables with names", RIGHT.replace("[queue.support]", "[[queue]]\nname = \"support\""),),
        ("table instead of a list", and("[thresholds]\nmetric = \"asa_s\"\nmax = 20")),
        ("string instead of a list", with("skills", "skills = \"english\"")),
        ("list instead of a string", with("name", "name = [\"a\"]")),
        ("string instead of true", and("[service.main]\noutbound = \"yes\"")),
    ]));
}

#[test]
fn values() {
    snapshot!(report(&[
        ("per cent instead of a share", and("[queue.support.service_level]\ntarget = 80")),
        ("negative rate", with("arrivals", "arrivals = { per_hour = -3 }")),
        ("mean of zero", with("patience", "patience = { mean_s = 0 }")),
        ("count out of bounds", with("count", "count = 2_000_000")),
        ("not a number", with("arrivals", "arrivals = { per_hour = nan }")),
        ("unknown word, one letter wrong", with("policy", "policy = \"longest-idel\"")),
        ("unknown word, nothing near", with("policy", "policy = \"telepathy\"")),
        ("time of day", with("from", "from = \"9 o'clock\"")),
        ("time after midnight", with("to", "to = \"25:00\"")),
        ("times in the wrong order", with("to", "to = \"08:00\"")),
        ("date that does not exist", with("from", "from = \"09:00\"\ndate = \"2026-02-30\"")),
        ("time zone", with("from", "from = \"09:00\"\ntime_zone = \"Asia/Tokio\"")),
        ("interval that does not divide a day", with("from", "from = \"09:00\"\ninterval_min = 25")),
        ("warm-up longer than the run", with("from", "from = \"09:00\"\ndays = 5\nwarm_up_days = 5")),
        ("phone number", and("[service.main]\noutgoing_numbers = [\"03-1234-5678\"]")),
        ("empty name", with("name", "name = \"\"")),
    ]));
}

#[test]
fn syntax() {
    snapshot!(report(&[
        ("quote not closed", with("name", "name = \"Mistakes")),
        ("bracket not closed", with("[run]", "[run")),
        ("value missing", with("count", "count =")),
        ("key twice", with("count", "count = 10\ncount = 11")),
        ("table twice", and("[queue.support]\nlimit = 3")),
        ("comma missing", with("skills", "skills = [\"english\" \"french\"]")),
        ("word without quotes", with("policy", "policy = longest-idle")),
    ]));
}

#[test]
fn references() {
    snapshot!(report(&[
        ("queue", with("arrivals", "arrivals = { per_hour = 120 }\nqueue = \"suport\"")),
        ("skill", with("count", "count = 10\nskills = { englisch = 5 }")),
        ("skill without any declared", with("skills", "") + "skills = [\"german\"]\n"),
        ("skill that nobody has", with("policy", "policy = \"longest-idle\"\nskills = [\"french\"]")),
        ("service", with("policy", "policy = \"longest-idle\"\nservice = \"sales\"")),
        ("service not said", and("[service.a]\n[service.b]")),
        ("queue not said", and("[queue.sales]")),
        ("group of a threshold", and("[[thresholds]]\nmetric = \"occupancy\"\ngroup = \"teem\"\nmax = 0.9")),
        ("nobody serves the queue", with("count", "count = 10\nqueues = []")),
        ("flow", with("arrivals", "arrivals = { per_hour = 120 }\nflow = \"main\"")),
        (
            "step",
            and(
                "[flow.main]\nsteps = [{ do = \"hours\", closed = \"goodby\" }, { do = \"queue\", queue = \"support\" }, { name = \"goodbye\", do = \"end\" }]"
            )
        ),
        (
            "favourite",
            with(
                "handling",
                "handling = { talk = { mean_s = 240 }, consult = { probability = 0.1, favourite = \"supplier\", length = { mean_s = 60 } } }"
            )
        ),
        ("figure", and("[[thresholds]]\nmetric = \"service_levl\"\nmin = 0.8")),
        (
            "figure of operators for a queue",
            and("[[thresholds]]\nmetric = \"occupancy\"\nqueue = \"support\"\nmax = 0.9")
        ),
        ("skill named twice", with("skills", "skills = [\"english\", \"english\"]")),
    ]));
}

#[test]
fn things_that_do_not_go_together() {
    snapshot!(report(&[
        ("two ways to arrive", with("arrivals", "arrivals = { per_hour = 120, trace = \"log.csv\" }")),
        ("no way to arrive", with("arrivals", "arrivals = { day_factor = { cv = 0.1 } }")),
        ("no operators said", with("count", "answer_delay = { mean_s = 3 }")),
        ("two kinds of run", with("from", "from = \"09:00\"\ncontacts = 1000")),
        ("setting of another policy", with("policy", "policy = \"random\"\nidle_since = \"ready\"")),
        ("overflow without a limit", with("policy", "overflow = \"voicemail\"")),
        ("overflow without its queue", with("policy", "limit = 5\noverflow = \"queue\"")),
        (
            "overflow in a circle",
            with("policy", "limit = 5\noverflow = \"queue\"\noverflow_queue = \"b\"")
                + "[queue.b]\nlimit = 5\noverflow = \"queue\"\noverflow_queue = \"support\"\n"
        ),
        (
            "key of another kind of step",
            and("[flow.main]\nsteps = [{ do = \"announcement\", accept = 0.5 }, { do = \"end\" }]")
        ),
        ("step without what it needs", and("[flow.main]\nsteps = [{ do = \"queue\" }]")),
        ("last step goes on", and("[flow.main]\nsteps = [{ do = \"announcement\", length_s = 5 }]")),
        (
            "flow in a circle",
            and(
                "[flow.main]\nsteps = [{ name = \"a\", do = \"set-priority\", priority = 1 }, { do = \"set-priority\", priority = 2, next = \"a\" }]"
            )
        ),
        (
            "menu shares above one",
            and(
                "[flow.main]\nsteps = [{ do = \"menu\", options = [{ key = \"1\", next = \"x\", share = 0.7 }, { key = \"2\", next = \"x\", share = 0.6 }] }, { name = \"x\", do = \"end\" }]"
            )
        ),
        ("threshold without a bound", and("[[thresholds]]\nmetric = \"asa_s\"")),
        ("threshold in per cent", and("[[thresholds]]\nmetric = \"abandonment\"\nmax = 5")),
        (
            "campaign without a contract",
            and("[campaign.calls]\ngroups = [\"team\"]\nper_hour = 10\nhandling = { talk = { mean_s = 60 } }")
        ),
        (
            "chat with skills",
            with("arrivals", "arrivals = { per_hour = 120 }\nqueue = \"chats\"\nskills = [\"english\"]")
                + "[queue.chats]\nchannel = \"chat\"\n"
        ),
        ("points too few for a call", with("count", "count = 10\npoints = 80")),
        (
            "no chats for the chat team",
            and("[queue.chats]\nchannel = \"chat\"")
                .replace("count = 10", "count = 10\nchat_limit = 0")
                .replace("[customers.callers]", "[customers.callers]\nqueue = \"support\""),
        ),
        ("channel of a class", with("arrivals", "arrivals = { per_hour = 120 }\nchannel = \"chat\""),),
        (
            "entries over each other",
            with(
                "arrivals",
                "arrivals = { intervals = [{ days = [\"mon\"], from = \"09:00\", per_hour = [60, 60] }, { days = [\"weekdays\"], from = \"09:30\", per_hour = [70] }] }"
            )
        ),
        (
            "intervals beyond midnight",
            with("count", "staffing = [{ from = \"23:00\", interval_min = 30, counts = [1, 2, 3] }]")
        ),
        (
            "day of the week",
            with("count", "shifts = [{ days = [\"munday\"], from = \"09:00\", to = \"17:00\", count = 3 }]")
        ),
        (
            "date without a date of the run",
            with("count", "shifts = [{ days = [\"2026-03-02\"], from = \"09:00\", to = \"17:00\", count = 3 }]")
        ),
        (
            "handle times for other intervals",
            with(
                "arrivals",
                "arrivals = { intervals = [{ from = \"09:00\", per_hour = [60, 60, 60], aht_s = [200, 210] }] }"
            )
        ),
        (
            "handle times of a campaign",
            and(
                "[service.main]\noutbound = true\noutgoing_numbers = [\"0312345678\"]\n[campaign.calls]\ngroups = [\"team\"]\nintervals = [{ per_hour = [9], aht_s = [200] }]\nhandling = { talk = { mean_s = 60 } }"
            )
        ),
        ("break half said", with("count", "count = 10\nbreaks = [{ after_min = 120 }]")),
        (
            "nobody calls",
            RIGHT
                .lines()
                .filter(|l| !["[cust", "arri", "pati", "hand"].iter().any(|b| l.starts_with(b)))
                .collect::<Vec<_>>()
                .join("\n")
        ),
    ]));
}

#[test]
fn distributions() {
    let talk = |talk: &str| with("handling", &format!("handling = {{ talk = {talk} }}"));
    snapshot!(report(&[
        ("kind", talk("{ kind = \"log-normal\", mean_s = 240, cv = 1 }")),
        ("parameter of another kind", talk("{ kind = \"lognormal\", mean_s = 240, sigma = 1 }")),
        ("parameter missing", talk("{ kind = \"lognormal\", mean_s = 240 }")),
        ("kind forgotten", talk("{ median_s = 200, sigma = 0.8 }")),
        ("bounds", talk("{ kind = \"uniform\", low_s = 30, high_s = 20 }")),
        ("infinite talk", talk("{ kind = \"never\" }")),
        (
            "hazard does not begin at 0",
            with("patience", "patience = { kind = \"hazard\", pieces = [{ from_s = 5, per_s = 0.01 }] }")
        ),
        (
            "hazard in the wrong order",
            with(
                "patience",
                "patience = { kind = \"hazard\", pieces = [{ from_s = 0, per_s = 0.01 }, { from_s = 60, per_s = 0.02 }, { from_s = 50, per_s = 0.01 }] }"
            )
        ),
        (
            "quantiles do not reach 1",
            talk(
                "{ kind = \"quantiles\", points = [{ probability = 0, value_s = 5 }, { probability = 0.9, value_s = 50 }] }"
            )
        ),
        ("no values", talk("{ kind = \"empirical\", values_s = [] }")),
        ("no weight", talk("{ kind = \"mixture\", parts = [{ weight = 0, of = { mean_s = 5 } }] }")),
    ]));
}

#[test]
fn csv_files() {
    let forecast = with("arrivals", "arrivals = { forecast = \"forecast.csv\" }");
    let roster = with("count", "roster = \"roster.csv\"");
    let trace = with("arrivals", "arrivals = { trace = \"log.csv\" }");
    let values = with("handling", "handling = { talk = { kind = \"empirical\", csv = \"talk.csv\" } }");
    let quantiles = with("handling", "handling = { talk = { kind = \"quantiles\", csv = \"talk.csv\" } }");
    let mistakes: &[(&str, &str, &'static str, &'static str)] = &[
        ("file missing", &forecast, "other.csv", ""),
        ("empty file", &forecast, "forecast.csv", ""),
        ("column misspelt and missing", &forecast, "forecast.csv", "interval,volum\n09:00,3\n"),
        (
            "not a number",
            &forecast,
            "forecast.csv",
            "interval,volume,aht_s\n09:00,30,240\n09:30,3o,240\n10:00,28,none\n",
        ),
        ("row too short", &forecast, "forecast.csv", "interval,volume,aht_s\n09:00,30,240\n09:30,31\n"),
        ("rows out of order", &forecast, "forecast.csv", "interval,volume\n09:30,30\n09:00,31\n"),
        ("intervals closer than the interval", &forecast, "forecast.csv", "interval,volume\n09:00,30\n09:15,31\n"),
        ("date without a date of the run", &forecast, "forecast.csv", "interval,volume\n2026-03-02 09:00,30\n"),
        ("class unknown", &forecast, "forecast.csv", "interval,volume,class\n09:00,30,caller\n"),
        ("quote not closed", &forecast, "forecast.csv", "interval,volume\n\"09:00,30\n"),
        ("group unknown", &roster, "roster.csv", "start,end,count,group\n09:00,17:00,5,teams\n"),
        ("end before start", &roster, "roster.csv", "start,end,count\n17:00,09:00,5\n"),
        ("shrinkage in per cent", &roster, "roster.csv", "start,end,count,shrinkage\n09:00,17:00,5,30\n"),
        ("day", &roster, "roster.csv", "start,end,count,day\n09:00,17:00,5,someday\n"),
        ("time out of order", &trace, "log.csv", "time,talk_s\n09:00:00,60\n09:00:05,30\n08:59:59,90\n"),
        ("priority", &trace, "log.csv", "time,priority\n09:00:00,300\n"),
        ("value", &values, "talk.csv", "value_s,count\n60,3\n-1,2\n"),
        ("histogram and quantiles at once", &quantiles, "talk.csv", "probability,value_s,count\n0,1,1\n"),
        ("bins overlap", &quantiles, "talk.csv", "from_s,to_s,count\n0,10,5\n5,20,3\n"),
    ];
    let text: Vec<String> = mistakes
        .iter()
        .map(|(title, scenario, file, csv)| format!("## {title}\n{}\n", problems(scenario, &[(file, csv)])))
        .collect();
    snapshot!(text.join("\n"));
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let text = RIGHT
        .replace("policy", "polcy")
        .replace("per_hour = 120", "per_hour = \"many\"")
        .replace("count = 10", "count = -1\nqueues = [\"sales\"]");
    snapshot!(problems(&text, &[]));
}

#[test]
fn colour_only_where_it_is_wanted() {
    let problems = problems(&with("count", "cuont = 10"), &[]);
    assert!(!problems.render(false).contains('\x1b'));
    let coloured = problems.render(true);
    assert!(coloured.contains("\x1b[1;31merror:\x1b[0m"));
    // Without its colours it is the same text.
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some(start) = rest.find('\x1b') {
        plain.push_str(&rest[..start]);
        rest = &rest[start + rest[start..].find('m').unwrap() + 1..];
    }
    plain.push_str(rest);
    assert_eq!(plain, problems.render(false));
}

#[test]
fn a_file_that_is_not_there_is_told_with_its_name() {
    let problems = Scenario::load(std::path::Path::new("no/such/plan.toml")).unwrap_err();
    let text = problems.to_string();
    assert!(text.starts_with("no/such/plan.toml: error: "), "{text}");
}

#[test]
fn a_file_that_is_not_utf_8_is_told_with_the_line() {
    let folder = std::env::temp_dir().join(format!("callfloor-mistakes-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("latin.toml");
    std::fs::write(&path, b"name = \"ok\"\ndescription = \"B\xfcro\"\n").unwrap();
    let text = Scenario::load(&path).unwrap_err().to_string();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(text.contains("not UTF-8 (line 2)"), "{text}");
}
