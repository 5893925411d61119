//! The planner's twin at a real server: scenarios checked and kept, runs begun, followed and cancelled, answers that are those
//! of the simulator itself.

use std::time::Duration;

use crate::support::{Running, User};
use callfloor_engine::Command;
use callfloor_reports::{compare, to_json};
use callfloor_scenario::{NoFiles, Scenario, TEMPLATES, template};
use callfloor_sim::change::changed_scenario;
use callfloor_sim::{Options, simulate};
use reqwest::Method;
use serde_json::{Value, json};

/// A run in a state that it stays in.
async fn over(user: &User, run: &Value) -> Value {
    for _ in 0..2_400 {
        let (status, now) = user.get(&format!("/planning/runs/{}", run["run"])).await;
        assert_eq!(status, 200, "{now}");
        let state = now["state"].as_str().unwrap();
        if !["waiting", "reading", "running"].contains(&state) {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the run does not end: {run}");
}

async fn begins(user: &User, body: Value) -> Value {
    let (status, run) = user.post("/planning/runs", body).await;
    assert_eq!(status, 202, "{run}");
    run
}

async fn text(user: &User, path: &str) -> String {
    let answer = user.request(Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn scenarios_are_checked_kept_and_deleted() {
    let running = Running::start().await;
    let planner = running.sign_in("supervisor").await;
    // Everything in the library can be run here.
    let (_, library) = planner.get("/planning/library").await;
    assert_eq!(library.as_array().unwrap().len(), TEMPLATES.len());
    for ready in library.as_array().unwrap() {
        let (_, text) = planner.get(&format!("/planning/library/{}", ready["name"].as_str().unwrap())).await;
        let (status, checked) = planner.post("/planning/check", text).await;
        assert_eq!((status, &checked["right"]), (200, &json!(true)), "{ready}: {checked}");
    }
    let (_, ready) = planner.get("/planning/library/support-line").await;
    let right = ready["text"].as_str().unwrap().to_owned();
    // A mistake is told with its place, as the command line tells it.
    let wrong = right.replace("patience", "patiance");
    let (_, checked) = planner.post("/planning/check", json!({ "name": "mine", "text": wrong })).await;
    let problems = Scenario::parse("mine.toml", &wrong, &NoFiles).unwrap_err();
    let line = wrong.lines().position(|line| line.contains("patiance")).unwrap() + 1;
    let first = &checked["mistakes"][0];
    assert_eq!((&first["file"], &first["line"], &first["column"]), (&json!("mine.toml"), &json!(line), &json!(1)));
    assert_eq!(checked["told"], problems.render(false));
    let (status, problem) = planner.post("/planning/scenarios", json!({ "name": "mine", "text": wrong })).await;
    assert_eq!((status, problem["rule"].as_str()), (422, Some("scenario")));
    assert!(problem["detail"].as_str().unwrap().contains(&format!("mine.toml:{line}:1:")), "{problem}");
    // What would take the server's memory is refused.
    for (from, to, words) in [
        ("70, 104, 140", "70000000, 104, 140", "contacts in a replication"),
        ("counts = [13, 18", "counts = [13, 900000", "operators: at most 20000"),
    ] {
        let (_, checked) =
            planner.post("/planning/check", json!({ "name": "x", "text": right.replace(from, to) })).await;
        assert_eq!(checked["right"], json!(false), "{from}");
        assert!(checked["told"].as_str().unwrap().contains(words), "{checked}");
    }
    let (status, problem) = planner.post("/planning/check", json!({ "name": "x", "text": "#".repeat(600_000) })).await;
    assert_eq!((status, problem["rule"].as_str()), (413, Some("too-large")));
    // Kept, read, written anew, listed, deleted.
    let (status, kept) = planner.post("/planning/scenarios", json!({ "name": "Next month", "text": right })).await;
    assert_eq!(status, 201, "{kept}");
    let (status, problem) = planner.post("/planning/scenarios", json!({ "name": "Next month", "text": right })).await;
    assert_eq!((status, problem["rule"].as_str()), (409, Some("name-taken")));
    let path = format!("/planning/scenarios/{}", kept["scenario"]);
    let changed = right.replace("replications = 50", "replications = 4");
    let (status, _) = planner.call(Method::PUT, &path, Some(json!({ "name": "Next month", "text": changed }))).await;
    assert_eq!(status, 200);
    assert_eq!(planner.get(&path).await.1["text"], changed);
    // Files that a scenario names come with it; without them the place that names them is told.
    let (_, blended) = planner.get("/planning/library/chat-tickets-blended").await;
    let (status, _) = planner.post("/planning/scenarios", blended.clone()).await;
    assert_eq!(status, 201);
    let (_, checked) = planner.post("/planning/check", json!({ "name": "x", "text": blended["text"] })).await;
    assert!(checked["told"].as_str().unwrap().contains("no such file was sent along"), "{checked}");
    // A restart keeps them.
    let running = running.restart().await;
    let planner = running.sign_in("admin").await;
    let (_, listed) = planner.get("/planning/scenarios").await;
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Next month", "chat-tickets-blended"]);
    assert_eq!(planner.delete(&path).await.0, 204);
    assert_eq!(planner.get(&path).await.0, 404);
    assert_eq!(running.sign_in("op1").await.get("/planning/scenarios").await.0, 403);
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_what_the_simulator_says_byte_for_byte() {
    let running = Running::start().await;
    let planner = running.sign_in("supervisor").await;
    let body = json!({
        "of": { "library": "multi-skill" }, "replications": 4, "seed": 7,
        "changes": [{ "queue": "billing", "operators": 2, "from": "12:00" }],
    });
    let ready = template("multi-skill").unwrap();
    let plan = Scenario::parse("multi-skill", ready.text, ready).unwrap();
    let queue = plan.queues[0].name.clone();
    let mut body = body;
    body["changes"][0]["queue"] = json!(queue);
    let run = begins(&planner, body).await;
    let done = over(&planner, &run).await;
    assert_eq!((&done["state"], &done["done"], &done["planned"]), (&json!("done"), &json!(8), &json!(8)), "{done}");
    let change = format!("{queue}=+2@12:00").parse().unwrap();
    let (changed, _) = changed_scenario(&plan, &[change]).unwrap();
    let options = Options { seed: Some(7), replications: Some(4), precision: Some(None), ..Options::default() };
    let results = [&plan, &changed].map(|scenario| simulate(scenario, &options).unwrap().results);
    let path = format!("/planning/runs/{}", run["run"]);
    assert_eq!(text(&planner, &format!("{path}/results")).await, to_json(&results[0]));
    assert_eq!(text(&planner, &format!("{path}/results?of=changed")).await, to_json(&results[1]));
    let comparison = compare(&results[0], &results[1]).unwrap();
    assert_eq!(text(&planner, &format!("{path}/results?of=comparison")).await, comparison.to_json());
    // The answer first: of the queue that was changed, with the paired interval that the comparison has.
    let (_, answer) = planner.get(&format!("{path}/answer")).await;
    let sentence = answer["sentence"].as_str().unwrap();
    assert!(sentence.starts_with(&format!("With 2 more for \"{queue}\" from 12:00, without breaks: ")), "{sentence}");
    assert!(sentence.contains(" % instead of ") && sentence.contains("95 % interval"), "{sentence}");
    let found = comparison.differences().iter().find(|it| it.of.as_ref() == Some(&queue)).unwrap();
    let interval = found.difference.interval.unwrap();
    let headline = &answer["headline"];
    assert_eq!((&headline["queue"], &headline["figure"]), (&json!(queue), &json!("service_level")));
    assert_eq!(
        headline["difference"],
        json!({ "value": found.difference.value, "low": interval.low, "high": interval.high })
    );
    assert_eq!(headline["plan"]["value"], json!(found.a.value));
    let parts = answer["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 1 + plan.queues.len());
    assert!(parts[0]["stretches"].as_array().unwrap().iter().all(|it| it["plan"]["offered"].as_f64().is_some()));
    // A report that opens alone and runs nothing.
    let report = planner.request(Method::GET, &format!("{path}/report")).send().await.unwrap();
    let policy = report.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("sandbox"), "{policy}");
    let html = report.text().await.unwrap();
    assert!(html.contains("<svg") && !html.contains("<script"), "{}", &html[..200]);
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_followed_cancelled_bounded_and_forgotten() {
    let running = Running::start().await;
    let planner = running.sign_in("supervisor").await;
    let long = json!({ "of": { "library": "support-line" }, "replications": 10_000 });
    let first = begins(&planner, long.clone()).await;
    // Its progress is told.
    let path = format!("/planning/runs/{}", first["run"]);
    let mut now = Value::Null;
    for _ in 0..1_200 {
        now = planner.get(&path).await.1;
        if now["done"].as_u64().unwrap() > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((&now["state"], &now["planned"]), (&json!("running"), &json!(10_000)), "{now}");
    assert!(now["left_s"].as_f64().unwrap() > 0.0 && now["elapsed_s"].as_f64().unwrap() > 0.0, "{now}");
    let (status, problem) = planner.get(&format!("{path}/answer")).await;
    assert_eq!((status, problem["rule"].as_str()), (409, Some("no-results")));
    assert!(problem["detail"].as_str().unwrap().contains("not over yet"), "{problem}");
    // Three are the most of an organisation; the others wait in line.
    let second = begins(&planner, long.clone()).await;
    let third = begins(&planner, long.clone()).await;
    assert_eq!((&third["state"], &third["before"]), (&json!("waiting"), &json!(2)), "{third}");
    let (status, problem) = planner.post("/planning/runs", long.clone()).await;
    assert_eq!((status, problem["rule"].as_str()), (429, Some("too-many-runs")), "{problem}");
    // A call is answered while they run.
    let operator = running.at_work("op1", "ready").await;
    let call = running.customer_waits("09011112222").await;
    operator.answers().await;
    running.world(Command::CustomerHungUp { call: call.0 }).await;
    // One that goes on stops at once, one that waits goes out of the line.
    for run in [&second, &first] {
        let begun = std::time::Instant::now();
        let (status, _) = planner.post(&format!("/planning/runs/{}/cancel", run["run"]), Value::Null).await;
        assert_eq!(status, 200);
        assert_eq!(over(&planner, run).await["state"], "cancelled");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
    let (status, problem) = planner.get(&format!("/planning/runs/{}/results", second["run"])).await;
    assert_eq!((status, problem["rule"].as_str()), (409, Some("no-results")));
    // One that fails says why; wrong wishes are refused at once.
    for (body, rule) in [
        (json!({ "of": { "library": "none" } }), "unknown"),
        (json!({ "of": { "own": 99 } }), "unknown"),
        (json!({ "of": { "library": "support-line" }, "replications": 1 }), "replications"),
        (json!({ "of": { "library": "support-line" }, "replications": 1_000_000 }), "replications"),
        (json!({ "of": { "library": "support-line" }, "changes": [{ "queue": "x", "operators": 1 }] }), "changes"),
        (
            json!({ "of": { "library": "support-line" }, "changes": [{ "queue": "support", "operators": 1, "from": "25:00" }] }),
            "changes",
        ),
        (
            json!({ "of": { "library": "support-line" }, "changes": [{ "queue": "support", "operators": -999 }] }),
            "changes",
        ),
        (json!({ "of": { "day": "yesterday" } }), "of"),
        (json!({ "of": { "day": "today" }, "zone": "Mars/Base" }), "zone"),
        (json!({ "of": { "day": "today" }, "changes": [{ "queue": "x", "operators": 1 }] }), "changes"),
    ] {
        let (status, problem) = planner.post("/planning/runs", body.clone()).await;
        assert!((400..500).contains(&status) && problem["rule"] == rule, "{body}: {status} {problem}");
    }
    let empty = begins(&planner, json!({ "of": { "day": "2020-01-01" } })).await;
    // The third is still under way: a restart forgets it, and says so.
    let running = running.restart().await;
    let planner = running.sign_in("supervisor").await;
    let (_, runs) = planner.get("/planning/runs").await;
    assert_eq!(runs[0]["run"], empty["run"], "the newest first: {runs}");
    for run in runs.as_array().unwrap() {
        assert_eq!(run["state"], "forgotten");
        assert!(run["detail"].as_str().unwrap().contains("started again"), "{run}");
    }
    let (status, problem) = planner.get(&format!("/planning/runs/{}/answer", third["run"])).await;
    assert_eq!((status, problem["rule"].as_str()), (409, Some("no-results")));
    // A day on which nobody called is no day to simulate; numbers of runs go on.
    let again = begins(&planner, json!({ "of": { "day": "2020-01-01" } })).await;
    assert!(again["run"].as_u64() > empty["run"].as_u64());
    let failed = over(&planner, &again).await;
    assert_eq!(failed["state"], "failed");
    assert!(!failed["detail"].as_str().unwrap().is_empty(), "{failed}");
    assert_eq!(planner.delete(&format!("/planning/runs/{}", again["run"])).await.0, 204);
    assert_eq!(planner.get(&format!("/planning/runs/{}", again["run"])).await.0, 404);
    running.server.stop().await;
}

/// Calls of today, played at the floor, then simulated with one operator more.
#[tokio::test(flavor = "multi_thread")]
async fn today_is_simulated_beside_what_happened() {
    let running = Running::start().await;
    let planner = running.sign_in("supervisor").await;
    let operator = running.at_work("op1", "ready").await;
    for number in 0..3 {
        let call = running.customer_waits(&format!("0901111222{number}")).await;
        operator.answers().await;
        running.world(Command::CustomerHungUp { call: call.0 }).await;
        operator.does_with("finish-after-call", json!({ "to": { "status": "ready" } })).await;
    }
    let left = running.customer_waits("09044445555").await;
    running.world(Command::CustomerHungUp { call: left.0 }).await;
    let run = begins(
        &planner,
        json!({ "of": { "day": "today" }, "changes": [{ "queue": "calls", "operators": 1 }], "replications": 10 }),
    )
    .await;
    let done = over(&planner, &run).await;
    assert_eq!(done["state"], "done", "{done}");
    let path = format!("/planning/runs/{}", run["run"]);
    let (_, answer) = planner.get(&format!("{path}/answer")).await;
    assert_eq!(answer["date"], done["name"]);
    let whole = &answer["parts"][0];
    let level = whole["figures"].as_array().unwrap().iter().find(|it| it["figure"] == "service_level").unwrap();
    assert_eq!(level["actual"], json!(0.75), "three of four: {whole}");
    let stretches = whole["stretches"].as_array().unwrap();
    let offered: f64 = stretches.iter().map(|it| it["actual"]["offered"].as_f64().unwrap()).sum();
    assert_eq!(offered, 4.0);
    assert!(answer["sentence"].as_str().unwrap().starts_with("With 1 more for \"calls\""), "{answer}");
    let (_, results) = planner.get(&format!("{path}/results")).await;
    assert_eq!((&results["callers"], &results["replications"]), (&json!(4), &json!(10)));
    let report = planner.request(Method::GET, &format!("{path}/report")).send().await.unwrap();
    assert_eq!(report.status(), 200);
    let page = report.text().await.unwrap();
    let sentence = answer["sentence"].as_str().unwrap().replace('"', "&#34;");
    assert!(page.contains(&format!("<p class=\"answer\">{sentence}</p>")) && page.contains("<svg"), "{page}");
    running.server.stop().await;
}
