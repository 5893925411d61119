//! A calibration in words: what was read, what was fitted, how well.

use std::fmt::Write as _;

use super::calibration::{Calibration, class_name};
use super::duty::AfterCall;
use super::handling::SHORT_S;
use super::log::CallLog;
use super::patience::{Hazard, Origin};

/// The log in words: files, rows, rejections by reason, and the first `shown` rejected rows.
#[must_use]
pub fn log_text(log: &CallLog, shown: usize) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} rows in {} file(s): {} calls, {} left out",
        log.rows,
        log.files.len(),
        log.calls.len(),
        log.rejections.len()
    );
    if log.not_wanted > 0 {
        let _ = writeln!(out, "  {:>6}  on days that were not asked for", log.not_wanted);
    }
    for (reason, n) in log.rejections_by_reason() {
        let _ = writeln!(out, "  {n:>6}  {}", reason.words());
    }
    for rejection in log.rejections.iter().take(shown) {
        let _ = writeln!(out, "  {}", log.describe(rejection));
    }
    if let Some(words) = log.source.acknowledgement() {
        let _ = writeln!(out, "{words}");
    }
    out
}

/// The calibration in words.
#[must_use]
pub fn calibration_text(fit: &Calibration) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "\nDays");
    for special in &fit.arrivals.special {
        let _ = writeln!(out, "  {}", special.words());
    }
    let _ = writeln!(
        out,
        "\nArrivals                days   calls/day  dispersion χ² (df)        p   day factor CV   within the day   half-hour factor CV (correlation)"
    );
    for t in &fit.arrivals.day_types {
        let (statistic, freedom, p) = t.dispersion;
        let cv = t.day_shape.map_or_else(|| "none".to_owned(), |k| format!("{:.3}", 1.0 / k.sqrt()));
        let half = t
            .half_factor
            .map_or_else(|| "none".to_owned(), |f| format!("{:.3} ({:.2})", 1.0 / f.shape.sqrt(), f.correlation));
        let _ = writeln!(
            out,
            "  {:<20} {:>5} {:>11.1} {:>14.1} ({freedom:>2}) {p:>9.2e} {cv:>15} {:>16.2} {half:>21}",
            t.name(),
            t.days,
            t.mean,
            statistic,
            t.within_day
        );
    }
    let _ = writeln!(out, "  within the day: variance ÷ mean of half hours given the day's total; 1 is Poisson");
    if fit.priority_lost {
        let _ =
            writeln!(out, "  priority is recorded only for callers who waited; the others are given it at their share");
    }
    let _ = writeln!(
        out,
        "\nHandling       n   < {SHORT_S} s   mean s   law of the others       ln L        AIC        BIC   fitted mean   KS distance (p)"
    );
    for h in &fit.handling {
        let name = if h.name.is_empty() { "calls" } else { &h.name };
        let _ = writeln!(out, "  {name:<6} {:>7} {:>6.1} % {:>8.1}", h.n, 100.0 * h.short_share, h.mean_s);
        for c in &h.laws {
            let _ = writeln!(
                out,
                "{:34}{:<18} {:>11.1} {:>10.1} {:>10.1} {:>13.1} {:>11.4} ({:.1e})",
                "",
                c.law.name(),
                c.ln_likelihood,
                c.aic,
                c.bic,
                c.law.mean_s(),
                c.ks_distance,
                c.ks_p
            );
        }
    }
    let _ = writeln!(
        out,
        "  the first law of each type is used, with its mean set to that of the sample: load decides waits"
    );
    let _ = writeln!(out, "  by hour of arrival, as a share of the type's mean:");
    for h in fit.handling.iter().filter(|h| h.by_hour.iter().any(|f| (f - 1.0).abs() >= 0.005)) {
        let hours: Vec<String> = (0..24)
            .filter(|i| (h.by_hour[*i] - 1.0).abs() >= 0.005)
            .map(|i| format!("{i:02} {:.2}", h.by_hour[i]))
            .collect();
        let _ = writeln!(out, "  {:<6} {}", h.name, hours.join(", "));
    }
    out.push_str(&patience_text(fit));
    let a = &fit.after_call;
    let [_, _, _, breaks, away] = fit.chain.start;
    let _ = writeln!(
        out,
        "\nAfter-call work: {:.0} % quick, mean {:.1} s; the rest slow, mean {:.0} s; over all {:.1} s ({} pauses in which callers waited)",
        100.0 * a.quick_share,
        a.quick_mean_s,
        a.slow_mean_s,
        a.mean_s(),
        a.pauses
    );
    if a.pauses < AfterCall::LEAST {
        let _ =
            writeln!(out, "  too few callers waited to tell after-call work from idleness: there is none but the turn");
    }
    let _ = writeln!(
        out,
        "Answer delay: {}\nBreaks: after {:.1} % of services, mean {:.0} s; away after {:.1} %, mean {:.0} s ({} gaps)",
        fit.answer_delay.words(),
        100.0 * breaks,
        fit.chain.stay_s(3),
        100.0 * away,
        fit.chain.stay_s(4),
        fit.chain.gaps
    );
    let _ = writeln!(out, "\nOperators on duty by half hour, breaks left out");
    for (t, halves) in fit.arrivals.day_types.iter().zip(&fit.on_duty) {
        let _ = write!(out, "  {:<20}", t.name());
        for (h, n) in halves.iter().enumerate().filter(|(_, n)| **n >= 0.05) {
            let _ = write!(out, " {:02}:{:02} {n:.1}", h / 2, h % 2 * 30);
        }
        let _ = writeln!(out);
    }
    out
}

/// Patience of all callers with every law, then of each group with the law that is used.
fn patience_text(fit: &Calibration) -> String {
    let mut out = String::new();
    let Some(p) = &fit.patience else { return out };
    let _ = writeln!(
        out,
        "\nPatience: {} callers waited, {} left; wait ÷ share who left {:.0} s",
        p.n, p.left, p.simple_mean_s
    );
    let at: Vec<String> = [5.0, 20.0, 60.0, 120.0, 300.0]
        .iter()
        .map(|wait_s| format!("{:.1} % beyond {wait_s:.0} s", 100.0 * p.share_beyond(*wait_s)))
        .collect();
    let _ = writeln!(out, "  Kaplan-Meier: {}", at.join(", "));
    for c in &p.candidates {
        let (chi, freedom, probability) = c.chi_square;
        let _ = writeln!(
            out,
            "  {:<12} {:>2} parameters  ln L {:>10.1}  AIC {:>9.1}  BIC {:>9.1}  distance from Kaplan-Meier {:.4}  χ² {chi:.1} ({freedom}) p {probability:.1e}",
            c.hazard.name(),
            c.parameters,
            c.ln_likelihood,
            c.aic,
            c.bic,
            c.distance
        );
        if let Hazard::Pieces(pieces) = &c.hazard {
            let rates: Vec<String> = pieces.iter().map(|p| format!("from {:.0} s {:.5}", p.from_s, p.per_s)).collect();
            let _ = writeln!(out, "    per second: {}", rates.join(", "));
        }
    }
    let _ = writeln!(
        out,
        "  by type and priority      n    left  wait ÷ left s  beyond 20 s    60 s   300 s   hazard                 BIC below that of all   χ² (df) p"
    );
    for (name, groups) in fit.kinds.iter().zip(&fit.patience_of) {
        for (priority, group) in (0..).zip(groups) {
            let Some(g) = group else { continue };
            let best = g.best();
            let all = g.candidates.iter().find(|c| c.origin == Origin::All).map_or(best.bic, |c| c.bic);
            let hazard = match best.origin {
                Origin::Own => format!("own, {}", best.hazard.name()),
                Origin::All => "that of all".to_owned(),
                Origin::AllTimes(factor) => format!("that of all × {factor:.2}"),
            };
            let (chi, freedom, probability) = best.chi_square;
            let _ = writeln!(
                out,
                "  {:<20} {:>6} {:>7} {:>14.0} {:>10.1} % {:>5.1} % {:>5.1} %   {hazard:<22} {:>21.1}   {chi:.1} ({freedom}) {probability:.1e}",
                class_name(name, priority),
                g.n,
                g.left,
                g.simple_mean_s,
                100.0 * g.share_beyond(20.0),
                100.0 * g.share_beyond(60.0),
                100.0 * g.share_beyond(300.0),
                all - best.bic
            );
        }
    }
    out
}
