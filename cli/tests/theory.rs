//! `callfloor theory`: its numbers, its exit status and what it says to bad input.

use assert_cmd::Command;
use serde_json::Value;

fn theory(arguments: &str) -> (i32, String, String) {
    let output =
        Command::cargo_bin("callfloor").unwrap().arg("theory").args(arguments.split_whitespace()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn json(arguments: &str) -> (i32, Value) {
    let (code, out, err) = theory(&format!("{arguments} --json"));
    (code, serde_json::from_str(&out).unwrap_or_else(|_| panic!("no JSON in {out:?}, {err:?}")))
}

#[track_caller]
fn near(value: &Value, wanted: f64, tolerance: f64) {
    let found = value.as_f64().unwrap();
    assert!((found - wanted).abs() <= tolerance, "{found} for {wanted}");
}

#[test]
fn erlang_c_of_the_golden_values_in_json() {
    // metrics.md: 100 calls in 30 min, 180 s, 80 % in 20 s, occupancy at most 0.85, 30 % shrinkage.
    let (code, found) = json(
        "erlang-c --calls-per-hour 200 --aht-s 180 --target-s 20 --target-level 0.8 --max-occupancy 0.85 --shrinkage 0.3",
    );
    assert_eq!(code, 0);
    assert_eq!(found["operators"], 14);
    assert_eq!(found["rostered"], 20);
    assert_eq!(found["targets_met"], true);
    near(&found["p_wait"], 0.174_131_933_595, 1e-12);
    near(&found["occupancy"], 0.714_285_714_285_7, 1e-12);
    for rule in ["short", "ignore", "negative", "positive", "handled"] {
        near(&found["service_level"][rule], 0.888_350_019_179_47, 1e-13);
    }
    near(&found["abandonment"], 0.0, 0.0);
}

#[test]
fn erlang_a_b_and_finite_in_json() {
    // pyworkforce's test suite, in minutes there: 14 operators, patience 5 min.
    let (code, a) = json("erlang-a --calls-per-hour 200 --aht-s 180 --patience-s 300 --operators 14");
    assert_eq!(code, 0);
    near(&a["p_wait"], 0.14526, 5e-6);
    near(&a["abandonment_raw"], 0.013984, 5e-7);
    near(&a["service_level"]["negative"], 0.916792, 5e-7);
    assert_eq!((&a["targets_met"], &a["rostered"]), (&Value::Null, &Value::Null));
    // The same suite: 17 lines for at most 2 % blocked.
    let (code, b) = json("erlang-b --calls-per-hour 200 --aht-s 180 --max-blocking 0.02 --shrinkage 0.3");
    assert_eq!((code, &b["operators"], &b["rostered"]), (0, &17.into(), &25.into()));
    assert_eq!(b["service_level"], Value::Null);
    // Octave queueing toolbox: M/M/2/5 of 3 a second and 2 a second each blocks 8.5113 %.
    let (code, finite) = json("finite --calls-per-hour 10800 --aht-s 0.5 --operators 2 --waiting-places 3");
    assert_eq!(code, 0);
    near(&finite["blocking"], 0.085_113, 1e-6);
    near(&finite["mean_wait_s"], 0.230_857, 1e-6);
}

#[test]
fn a_missed_target_is_exit_status_1() {
    let demand = "erlang-c --calls-per-hour 200 --aht-s 180 --target-level 0.8";
    let (code, found) = json(&format!("{demand} --operators 12"));
    assert_eq!((code, &found["targets_met"]), (1, &Value::Bool(false)));
    let (code, out, _) = theory(&format!("{demand} --operators 12"));
    assert_eq!(code, 1);
    assert!(out.starts_with("12 operators: TARGET MISSED\n"), "{out}");
    let (code, found) = json(&format!("{demand} --operators 14"));
    assert_eq!((code, &found["targets_met"]), (0, &Value::Bool(true)));
}

#[test]
fn a_planner_reads_the_answer_first() {
    let (code, out, err) = theory(
        "erlang-a --calls-per-hour 200 --aht-s 180 --patience-s 300 --target-level 0.8 --short-abandon-s 0 --max-abandonment 0.03",
    );
    assert_eq!((code, err.as_str()), (0, ""));
    let expected = "\
13 operators: the fewest that meet every target
Erlang A: 200 calls an hour of 180 s (10.0000 erlangs), mean patience 300 s

";
    assert!(out.starts_with(expected), "{out}");
    // pyworkforce's table: 13 operators serve 85.82 % within 20 s and lose 2.50 %.
    assert!(out.contains("service level in 20 s, negative                  85.82 %\n"), "{out}");
    assert!(out.contains("abandonment, all                                  2.50 %\n"), "{out}");
}

#[test]
fn bad_input_says_what_is_wrong_and_exits_2() {
    for (arguments, wanted) in [
        (
            "erlang-c --calls-per-hour 240 --aht-s 180 --operators 12",
            "the queue grows without end: 12 erlangs of offered load on 12 operators",
        ),
        ("erlang-a --calls-per-hour 240 --aht-s 180 --operators 12", "give --patience-s, or use erlang-c"),
        ("erlang-c --calls-per-hour 240 --aht-s 180 --operators 14 --patience-s 9", "leave it out, or use erlang-a"),
        ("finite --calls-per-hour 240 --aht-s 180 --operators 14", "give --waiting-places"),
        ("erlang-c --calls-per-hour 240 --aht-s 180 --operators 14 --waiting-places 9", "use finite"),
        ("erlang-b --calls-per-hour 240 --aht-s 180 --target-level 0.8", "use --max-blocking"),
        ("erlang-c --calls-per-hour 240 --aht-s 180", "give --operators, or a target such as --target-level 0.8"),
        ("erlang-c --calls-per-hour 240 --aht-s 180 --target-level 80", "it must be a share in (0, 1)"),
        ("erlang-c --calls-per-hour 240 --aht-s 180 --operators 14 --target-level 80", "it must be a share in (0, 1)"),
        ("erlang-c --calls-per-hour -240 --aht-s 180 --operators 14", "calls per hour is -240"),
        ("erlang-c --calls-per-hour 240 --aht-s 180 --operators -3", "-3"),
        ("erlang-c --calls-per-hour 240 --aht-s nan --operators 14", "mean handle time in seconds is NaN"),
        ("erlang-c --calls-per-hour 240 --aht-s 180 --operators 0", "operators is 0: it must be at least 1"),
        ("erlang-c --calls-per-hour 240 --aht-s 180 --operators 14 --shrinkage 1", "shrinkage is 1"),
        ("erlang-x --calls-per-hour 240 --aht-s 180 --operators 14", "erlang-c"),
    ] {
        let (code, out, err) = theory(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments}: {err}");
        assert!(err.starts_with("error: ") && err.contains(wanted), "{arguments}: {err}");
    }
}
