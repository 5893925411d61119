//! What theory says of a scenario, where one of its models describes it.

use callfloor_measure::Metric;
use callfloor_reports::Theory;
use callfloor_scenario::clock::DAY_US;
use callfloor_scenario::{Arrivals, Channel, Days, Distribution, Entry, Horizon, Scenario};
use callfloor_sim::theory::{Demand, Model, Thresholds};

/// Which model applies, or why none does; and its figures.
///
/// A ring holds an operator as a talk does, and every answer waits for it: its mean is in the handle time, and beside the wait.
pub(super) fn figures(scenario: &Scenario) -> (String, Vec<Theory>) {
    match of(scenario) {
        Ok((basis, figures)) => (format!("Theory: {basis}."), figures),
        Err(why) => (format!("Theory: no exact model applies, for {why}."), Vec::new()),
    }
}

fn of(scenario: &Scenario) -> Result<(String, Vec<Theory>), String> {
    let ([class], [group], [queue]) = (&scenario.classes[..], &scenario.groups[..], &scenario.queues[..]) else {
        return Err("it has several classes of customers, groups or queues".into());
    };
    let Arrivals::Rates { pieces, day_factor: None, interval_factor: None } = &class.arrivals else {
        return Err("arrivals are no plain Poisson process".into());
    };
    let rate = pieces.first().map_or(0.0, |piece| piece.start_per_hour);
    if !pieces.iter().all(|piece| piece.start_per_hour == rate && piece.end_per_hour == rate) {
        return Err("the rate of arrivals changes in the day".into());
    }
    let [shift] = &group.shifts[..] else { return Err("staffing changes in the day".into()) };
    let handling = &class.handling;
    let (opens_us, closes_us) = match scenario.horizon {
        Horizon::Days { from_us, to_us, .. } => (from_us, to_us),
        Horizon::Calls { .. } | Horizon::Steady { .. } => (0, DAY_US),
    };
    let limits_after_call = scenario.services[class.service.0].settings.after_call_limit_us.is_some();
    let objections = [
        (
            class.channel != Channel::Phone || !matches!(class.entry, Entry::Queue(_)),
            "its customers do not call a queue",
        ),
        (!scenario.campaigns.is_empty(), "operators call customers too"),
        (class.balking > 0.0 || class.redial.is_some(), "customers balk or call again"),
        (queue.limit.is_some() || queue.max_wait_us.is_some(), "the queue has limits"),
        (!class.mean_handling.is_empty(), "handling times follow a forecast"),
        (
            handling.consult.is_some() || handling.transfer.is_some() || handling.forced_end > 0.0,
            "calls are handed on or ended by force",
        ),
        (limits_after_call && handling.after_call.mean_s() > 0.0, "after-call work has a limit"),
        (group.miss > 0.0 || group.decline > 0.0 || !group.breaks.is_empty(), "operators miss offers or have breaks"),
        (
            shift.days != Days::All || shift.from_us > opens_us || shift.to_us < closes_us,
            "operators are not there all the time that customers come",
        ),
    ];
    if let Some((_, why)) = objections.iter().find(|(objects, _)| *objects) {
        return Err((*why).into());
    }
    let model = match &class.patience {
        Distribution::Never => Model::ErlangC,
        Distribution::Exponential { mean_s } => Model::ErlangA { patience_s: *mean_s },
        _ => return Err("patience is not exponential".into()),
    };
    let ring_s = if group.auto_answer { 0.0 } else { group.answer_delay.mean_s() };
    let second = |us: u64| us as f64 / 1e6;
    let level = queue.service_level;
    let thresholds = Thresholds {
        target_s: (second(level.threshold_us) - ring_s).max(0.0),
        short_abandon_s: second(level.short_abandon_us),
    };
    let operators = shift.count.present;
    let aht_s = handling.mean_s() * group.handling_factor;
    let demand = Demand::per_hour(rate, aht_s + ring_s).map_err(|error| error.to_string())?;
    let found = model.figures(demand, operators, thresholds).map_err(|error| error.to_string())?;
    let figure = |metric, value| Theory { metric, value };
    let mut figures = vec![
        figure(Metric::AsaS, found.asa_s + ring_s),
        figure(Metric::Abandonment, found.abandonment),
        figure(Metric::AhtS, aht_s),
        figure(Metric::Occupancy, found.occupancy),
    ];
    figures.extend(found.service_level.map(|levels| figure(Metric::ServiceLevel, levels.by(level.rule))));
    let name = if model == Model::ErlangC { "Erlang C" } else { "Erlang A" };
    let exact = matches!(handling.talk, Distribution::Exponential { .. })
        && handling.hold.is_none()
        && handling.after_call.mean_s() == 0.0
        && ring_s == 0.0;
    let kind = if exact { "exact" } else { "an approximation, for handle times are not exponential" };
    Ok((format!("{name}, {operators} operators, steady state from the first call on; {kind}"), figures))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_template(name: &str) -> (String, Vec<Theory>) {
        let template = callfloor_scenario::template(name).expect("it is in the library");
        figures(&Scenario::parse(name, template.text, template).expect("it is right"))
    }

    /// The figures that stand in the scenario's own comment.
    #[test]
    fn a_scenario_of_the_textbooks_has_its_figures() {
        let (basis, figures) = of_template("mm50m");
        assert!(basis.contains("Erlang A, 50 operators") && basis.ends_with("exact."), "{basis}");
        let of = |metric| figures.iter().find(|it| it.metric == metric).expect("a figure").value;
        assert!((of(Metric::ServiceLevel) - 0.731_105).abs() < 1e-6);
        assert!((of(Metric::Occupancy) - 0.936_553).abs() < 1e-6);
    }

    /// A figure that a model would give of another floor is not told of this one.
    #[test]
    fn what_a_model_leaves_out_stands_against_it() {
        let template = callfloor_scenario::template("mm50m").expect("it is in the library");
        let with = |from: &str, to: &str| {
            assert!(template.text.contains(from), "{from}");
            figures(&Scenario::parse("own", &template.text.replace(from, to), template).expect("it is right"))
        };
        let (basis, found) = with("[queue.line]", "[queue.line]\nlimit = 5");
        assert!(basis.contains("the queue has limits") && found.is_empty(), "{basis}");
        let (_, slower) = with("auto_answer = true", "auto_answer = true\nhandling_factor = 1.2");
        let aht = slower.iter().find(|it| it.metric == Metric::AhtS).expect("a figure").value;
        assert!((aht - 360.0).abs() < 1e-9, "{aht}");
    }

    #[test]
    fn what_no_model_describes_is_said() {
        for (name, why) in
            [("support-line", "Poisson"), ("heavy-transfers", "several classes"), ("ring-no-answer", "several")]
        {
            let (basis, figures) = of_template(name);
            assert!(basis.contains(why) && figures.is_empty(), "{name}: {basis}");
        }
    }
}
