//! A validation in words, as JSON, and as one HTML file with plots.

use std::fmt::Write as _;

use super::needed::Need;
use super::{Cell, Sums, Validation};
use crate::theory::{Demand, Model, Thresholds};

/// Adds one half hour of Erlang C and A to a cell: `calls` in it, mean `operators` on duty (rounded, at least one).
pub(super) fn add_theory(
    cell: &mut Cell,
    calls: f64,
    operators: f64,
    handle_s: f64,
    patience_s: f64,
    threshold_s: f64,
) {
    if calls == 0.0 {
        return;
    }
    let n = (1..=10_000).find(|n| f64::from(*n) + 0.5 > operators).unwrap_or(10_000);
    let Ok(demand) = Demand::per_hour(2.0 * calls, handle_s) else { return };
    let thresholds = Thresholds { target_s: threshold_s, ..Thresholds::default() };
    let weigh = |sums: &mut Sums, model: &Model| match model.figures(demand, n, thresholds) {
        Ok(f) => {
            sums.n += calls;
            sums.abandoned += calls * f.outcomes.abandoned;
            sums.in_time += calls * f.outcomes.answered_in_time;
            sums.wait_s += calls * f.mean_wait_s;
            true
        }
        Err(_) => false,
    };
    if !weigh(&mut cell.erlang_c, &Model::ErlangC) {
        // The queue would grow for ever: nobody is answered in time; such half hours are left out of the mean wait.
        cell.unstable += calls;
    }
    weigh(&mut cell.erlang_a, &Model::ErlangA { patience_s });
}

/// One line of the comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Hour, day or "all".
    pub name: String,
    /// What happened.
    pub actual: Sums,
    /// Predicted: mean of the replications, and the least and greatest of the middle 95 %. `[figure][mean, low, high]`
    pub predicted: [[f64; 3]; 3],
    /// Erlang C: in time ÷ calls, unstable half hours counting as nobody in time.
    pub erlang_c_level: f64,
    /// Share of calls in half hours in which Erlang C has no steady state.
    pub unstable: f64,
    /// Mean wait in Erlang C's stable half hours.
    pub erlang_c_wait_s: f64,
    /// Erlang A.
    pub erlang_a: [f64; 3],
    /// Mean operators on duty.
    pub on_duty: f64,
}

impl Validation {
    fn line<'a>(&self, name: String, cells: impl Iterator<Item = &'a Cell>) -> Line {
        let mut actual = Sums::default();
        let mut predicted = vec![Sums::default(); self.options.replications as usize];
        let (mut c, mut a, mut unstable, mut on_duty, mut count) = (Sums::default(), Sums::default(), 0.0, 0.0, 0.0);
        for cell in cells {
            actual.merge(&cell.actual);
            for (sum, own) in predicted.iter_mut().zip(&cell.predicted) {
                sum.merge(own);
            }
            c.merge(&cell.erlang_c);
            a.merge(&cell.erlang_a);
            unstable += cell.unstable;
            on_duty += cell.on_duty;
            count += 1.0;
        }
        let figures: Vec<[f64; 3]> = predicted.iter().map(Sums::figures).collect();
        let predicted = std::array::from_fn(|i| {
            let mut values: Vec<f64> = figures.iter().map(|f| f[i]).collect();
            values.sort_by(f64::total_cmp);
            // 2.5 % on either side: of 40 replications one, of fewer none.
            let cut = values.len() / 40;
            let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
            [mean, values.get(cut).copied().unwrap_or(0.0), values.iter().rev().nth(cut).copied().unwrap_or(0.0)]
        });
        Line {
            name,
            actual,
            predicted,
            erlang_c_level: c.in_time / (c.n + unstable).max(1.0),
            unstable: unstable / (c.n + unstable).max(1.0),
            erlang_c_wait_s: c.wait_s / c.n.max(1.0),
            erlang_a: a.figures(),
            on_duty: on_duty / f64::max(count, 1.0),
        }
    }

    /// Everything in one line.
    #[must_use]
    pub fn total(&self) -> Line {
        self.line("all".to_owned(), self.cells.iter())
    }

    /// By hour of the day.
    #[must_use]
    pub fn by_hour(&self) -> Vec<Line> {
        (0..24)
            .filter(|h| self.cells.iter().any(|c| c.hour == *h))
            .map(|h| self.line(format!("{h:02}:00"), self.cells.iter().filter(|c| c.hour == h)))
            .collect()
    }

    /// By day.
    #[must_use]
    pub fn by_day(&self) -> Vec<Line> {
        self.cells.chunk_by(|a, b| a.date == b.date).map(|c| self.line(c[0].date.to_string(), c.iter())).collect()
    }

    /// Correlation over days of actual and predicted: abandonment, mean wait, service level.
    #[must_use]
    pub fn correlations(&self) -> [f64; 3] {
        let days = self.by_day();
        std::array::from_fn(|i| {
            let pairs: Vec<(f64, f64)> = days.iter().map(|d| (d.actual.figures()[i], d.predicted[i][0])).collect();
            let n = pairs.len() as f64;
            let (mx, my) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
            let sum = |f: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>();
            let (xx, yy) = (sum(&|p| (p.0 - mx).powi(2)), sum(&|p| (p.1 - my).powi(2)));
            sum(&|p| (p.0 - mx) * (p.1 - my)) / (xx * yy).sqrt()
        })
    }

    /// As text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        let o = &self.options;
        let days = self.by_day();
        let _ = writeln!(
            out,
            "{} days, {:.0} calls from {:02}:{:02} to {:02}:{:02}; {} replications, seed {}; in time: answered within {} s ÷ all calls; wait: of all calls",
            days.len(),
            self.total().actual.n,
            o.from_s / 3600,
            o.from_s / 60 % 60,
            o.to_s / 3600,
            o.to_s / 60 % 60,
            o.replications,
            o.seed,
            o.threshold_s
        );
        for date in &self.left_out {
            let _ = writeln!(out, "left out: {date}, an outage");
        }
        let (handle_s, patience_s) = self.erlang_inputs;
        let _ = writeln!(
            out,
            "From the test log: arrivals, and operators on duty as worked out from who takes calls. From the scenario: handling, after-call work, patience."
        );
        let _ = writeln!(
            out,
            "Mean talk {:.1} s in the log, {:.1} s simulated. Erlang's formulas by half hour: handle time {handle_s:.1} s, patience {patience_s:.0} s.",
            self.talk_s.0, self.talk_s.1
        );
        let head = "               calls on duty | abandoned %                  | mean wait s               | in time %                    | Erlang A: ab %  wait s  in time % | C: in time %  unstable %";
        let band = "                             | actual predicted     band     | actual predicted   band   | actual predicted     band    |";
        for (title, lines) in [("By hour", self.by_hour()), ("By day", days), ("Together", vec![self.total()])] {
            let _ = writeln!(out, "\n{title}\n{head}\n{band}");
            for l in lines {
                let a = l.actual.figures();
                let [p, w, s] = l.predicted;
                let _ = writeln!(
                    out,
                    "{:<12} {:>7.0} {:>7.1} | {:>5.1} {:>8.1}  {:>5.1}-{:>5.1}   | {:>6.1} {:>8.1} {:>5.0}-{:>4.0}  | {:>5.1} {:>8.1}  {:>5.1}-{:>5.1}   | {:>13.1} {:>7.1} {:>10.1} | {:>11.1} {:>10.1}",
                    l.name,
                    l.actual.n,
                    l.on_duty,
                    100.0 * a[0],
                    100.0 * p[0],
                    100.0 * p[1],
                    100.0 * p[2],
                    a[1],
                    w[0],
                    w[1],
                    w[2],
                    100.0 * a[2],
                    100.0 * s[0],
                    100.0 * s[1],
                    100.0 * s[2],
                    100.0 * l.erlang_a[0],
                    l.erlang_a[1],
                    100.0 * l.erlang_a[2],
                    100.0 * l.erlang_c_level,
                    100.0 * l.unstable
                );
            }
        }
        let [ab, wait, level] = self.correlations();
        let _ = writeln!(out, "Day-to-day correlation: abandonment {ab:.2}, wait {wait:.2}, in time {level:.2}");
        out
    }

    /// As JSON.
    #[must_use]
    pub fn json(&self, needs: &[Need]) -> String {
        let line = |l: &Line| {
            let a = l.actual.figures();
            let [p, w, s] = l.predicted;
            format!(
                "{{\"name\":\"{}\",\"calls\":{},\"on_duty\":{:.3},\"actual\":{{\"abandonment\":{:.5},\"wait_s\":{:.3},\"in_time\":{:.5}}},\"predicted\":{{\"abandonment\":[{:.5},{:.5},{:.5}],\"wait_s\":[{:.3},{:.3},{:.3}],\"in_time\":[{:.5},{:.5},{:.5}]}},\"erlang_a\":{{\"abandonment\":{:.5},\"wait_s\":{:.3},\"in_time\":{:.5}}},\"erlang_c\":{{\"in_time\":{:.5},\"wait_s_where_stable\":{:.3},\"unstable_share\":{:.5}}}}}",
                l.name,
                l.actual.n,
                l.on_duty,
                a[0],
                a[1],
                a[2],
                p[0],
                p[1],
                p[2],
                w[0],
                w[1],
                w[2],
                s[0],
                s[1],
                s[2],
                l.erlang_a[0],
                l.erlang_a[1],
                l.erlang_a[2],
                l.erlang_c_level,
                l.erlang_c_wait_s,
                l.unstable
            )
        };
        let lines = |all: &[Line]| all.iter().map(line).collect::<Vec<_>>().join(",\n  ");
        let needs: Vec<String> = needs
            .iter()
            .map(|n| {
                format!(
                    "{{\"hour\":{},\"extra_operators\":{},\"in_time_before\":{:.5},\"in_time_after\":{:.5}}}",
                    n.hour,
                    n.extra,
                    n.before.figures()[2],
                    n.after.figures()[2]
                )
            })
            .collect();
        format!(
            "{{\"seed\":{},\"replications\":{},\"threshold_s\":{},\n \"all\":{},\n \"hours\":[\n  {}],\n \"days\":[\n  {}],\n \"needed\":[{}]}}\n",
            self.options.seed,
            self.options.replications,
            self.options.threshold_s,
            line(&self.total()),
            lines(&self.by_hour()),
            lines(&self.by_day()),
            needs.join(",")
        )
    }

    /// As one HTML file that opens offline: the figures, and plots by hour and by day. `acknowledgement` is shown below.
    #[must_use]
    pub fn html(&self, acknowledgement: &str) -> String {
        let figures = [("Abandoned, %", 0, 100.0), ("Mean wait, s", 1, 1.0), ("Answered in time, %", 2, 100.0)];
        let mut plots = String::new();
        for (title, lines) in [("by hour", self.by_hour()), ("by day", self.by_day())] {
            for (name, i, scale) in figures {
                plots += &plot(&format!("{name} {title}"), &lines, i, scale);
            }
        }
        let text = self.text().replace('&', "&amp;").replace('<', "&lt;");
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Predicted against actual</title>\n<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}}svg{{width:100%;max-width:34rem}}pre{{overflow-x:auto;font-size:12px}}</style></head><body>\n<h1>Predicted against actual</h1>\n<p><b style=\"color:#b03a2e\">actual</b>, <b style=\"color:#1f618d\">predicted, with the band of its replications</b></p>\n{plots}<pre>{text}</pre>\n<p>{acknowledgement}</p></body></html>\n"
        )
    }
}

/// One plot: the band and mean of the prediction, and what happened.
fn plot(title: &str, lines: &[Line], figure: usize, scale: f64) -> String {
    let (width, height) = (520.0, 240.0);
    let top = lines.iter().flat_map(|l| [l.actual.figures()[figure], l.predicted[figure][2]]).fold(1e-9, f64::max);
    let x = |i: usize| 45.0 + (width - 60.0) * (i as f64 + 0.5) / lines.len().max(1) as f64;
    let y = |v: f64| height - 40.0 - (height - 70.0) * v / top;
    let path = |values: Vec<f64>| -> String {
        values.iter().enumerate().map(|(i, v)| format!("{:.1},{:.1} ", x(i), y(*v))).collect()
    };
    let high = path(lines.iter().map(|l| l.predicted[figure][2]).collect());
    let mut low: Vec<String> =
        lines.iter().enumerate().map(|(i, l)| format!("{:.1},{:.1}", x(i), y(l.predicted[figure][1]))).collect();
    low.reverse();
    let mut labels = String::new();
    for (i, l) in lines.iter().enumerate().step_by((lines.len() / 8).max(1)) {
        let name = l.name.get(5..).filter(|n| !n.is_empty()).unwrap_or(&l.name);
        let _ = write!(
            labels,
            "<text x=\"{:.1}\" y=\"{}\" font-size=\"11\" text-anchor=\"middle\">{name}</text>",
            x(i),
            height - 22.0
        );
    }
    for part in [0.0, 0.5, 1.0] {
        let _ = write!(
            labels,
            "<text x=\"40\" y=\"{:.1}\" font-size=\"11\" text-anchor=\"end\">{:.0}</text><path d=\"M45 {:.1}H{width}\" stroke=\"#ddd\"/>",
            y(part * top) + 4.0,
            part * top * scale,
            y(part * top)
        );
    }
    format!(
        "<figure><svg viewBox=\"0 0 {width} {height}\" role=\"img\"><title>{title}</title><text x=\"45\" y=\"16\" font-size=\"14\">{title}</text>{labels}<polygon points=\"{high}{}\" fill=\"#1f618d\" opacity=\"0.2\"/><polyline points=\"{}\" fill=\"none\" stroke=\"#1f618d\" stroke-width=\"2\"/><polyline points=\"{}\" fill=\"none\" stroke=\"#b03a2e\" stroke-width=\"2\"/></svg></figure>\n",
        low.join(" "),
        path(lines.iter().map(|l| l.predicted[figure][0]).collect()),
        path(lines.iter().map(|l| l.actual.figures()[figure]).collect()),
    )
}

/// The needs in words.
#[must_use]
pub fn needs_text(needs: &[Need], target: f64, threshold_s: f64) -> String {
    let mut out = String::new();
    let _ =
        writeln!(out, "\nOperators to add on every day for {:.0} % in {threshold_s} s in every hour", 100.0 * target);
    for need in needs {
        let _ = writeln!(
            out,
            "  {:02}:00  {:>+3}   in time {:>5.1} % as staffed, {:>5.1} % with them   ({:.0} simulated calls)",
            need.hour,
            need.extra,
            100.0 * need.before.figures()[2],
            100.0 * need.after.figures()[2],
            need.before.n
        );
    }
    let _ = writeln!(out, "  together {} operator-hours a day", needs.iter().map(|n| n.extra).sum::<u32>());
    out
}
