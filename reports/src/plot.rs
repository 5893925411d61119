//! Plots as inline SVG: drawn by plotters in a wide and a narrow form, so that text keeps its size on a phone.
//!
//! Colours are the keys by which the style sheet finds a shape and gives it the colour of the reader's theme. Each interval
//! has an invisible strip with a `<title>`, which a browser shows where the pointer rests.

use std::fmt::Write as _;

use callfloor_measure::{Channel, Histogram, Metric, Results, Scope, Status};
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::figure;
use crate::summary::{percent, seconds};

const INK: RGBColor = RGBColor(0x1b, 0x1f, 0x24);
const GRID: RGBColor = RGBColor(0xd8, 0xde, 0xe4);
const LIMIT: RGBColor = RGBColor(0x6e, 0x77, 0x81);
const ANSWERED: RGBColor = RGBColor(0x00, 0x72, 0xb2);
const ABANDONED: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
const FLOWED_OUT: RGBColor = RGBColor(0xcc, 0x79, 0xa7);
const LEVEL: RGBColor = RGBColor(0x00, 0x9e, 0x73);

/// A plot in both forms.
#[derive(Debug, Clone)]
pub(crate) struct Plot {
    pub(crate) wide: String,
    pub(crate) narrow: String,
    /// `(colour, name)`
    pub(crate) legend: Vec<(String, &'static str)>,
}

/// Which form is drawn.
#[derive(Debug, Clone, Copy)]
struct Form {
    class: &'static str,
    width: u32,
    height: u32,
}

impl Form {
    /// How many labels of `letters` letters fit under the plot.
    fn labels(self, letters: usize) -> usize {
        ((self.width as usize - 74) / (8 * letters + 14)).clamp(1, 12)
    }
}

const WIDE: Form = Form { class: "wide", width: 960, height: 320 };
const NARROW: Form = Form { class: "narrow", width: 358, height: 280 };

/// The axes of a plot, from 0 to the given ends.
struct Axes<'a> {
    x_end: f64,
    y_end: f64,
    x_ticks: Vec<f64>,
    x_label: &'a dyn Fn(f64) -> String,
    y_label: &'a dyn Fn(f64) -> String,
}

type Chart<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;
type Failed = DrawingAreaErrorKind<std::io::Error>;
/// Left, right edge and words of an invisible strip.
type Strip = (f64, f64, String);

fn both(
    legend: Vec<(RGBColor, &'static str)>,
    title: &str,
    axes: impl Fn(Form) -> (f64, f64, Vec<f64>),
    x_label: &dyn Fn(f64) -> String,
    y_label: &dyn Fn(f64) -> String,
    strips: &[Strip],
    shapes: impl Fn(&mut Chart<'_, '_>) -> Result<(), Failed>,
) -> Plot {
    let form = |form: Form| {
        let (x_end, y_end, x_ticks) = axes(form);
        let axes = Axes { x_end, y_end, x_ticks, x_label, y_label };
        draw(form, title, &axes, strips, &shapes).expect("a string takes every shape")
    };
    let legend = legend.into_iter().map(|(colour, name)| (hex(colour), name)).collect();
    Plot { wide: form(WIDE), narrow: form(NARROW), legend }
}

fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

fn draw(
    form: Form,
    title: &str,
    axes: &Axes<'_>,
    strips: &[Strip],
    shapes: &impl Fn(&mut Chart<'_, '_>) -> Result<(), Failed>,
) -> Result<String, Failed> {
    let mut svg = String::new();
    let mut overlay = String::new();
    {
        let area: DrawingArea<SVGBackend<'_>, Shift> =
            SVGBackend::with_string(&mut svg, (form.width, form.height)).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin_top(12)
            .margin_right(26)
            .x_label_area_size(28)
            .y_label_area_size(56)
            .build_cartesian_2d(0.0..axes.x_end, 0.0..axes.y_end)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .disable_x_axis()
            .axis_style(GRID)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .y_labels(5)
            .y_label_formatter(&|y| (axes.y_label)(*y))
            .label_style(("sans-serif", 13.0 * 1.24, &INK))
            .draw()?;
        shapes(&mut chart)?;
        let (_, floor) = chart.backend_coord(&(0.0, 0.0));
        let (_, top) = chart.backend_coord(&(0.0, axes.y_end));
        for &tick in &axes.x_ticks {
            let (x, _) = chart.backend_coord(&(tick, 0.0));
            area.draw(&PathElement::new([(x, floor), (x, floor + 5)], GRID.stroke_width(1)))?;
            let anchor = plotters::style::text_anchor::Pos::new(
                plotters::style::text_anchor::HPos::Center,
                plotters::style::text_anchor::VPos::Top,
            );
            let style = ("sans-serif", 13.0 * 1.24).into_text_style(&area).color(&INK).pos(anchor);
            area.draw(&Text::new((axes.x_label)(tick), (x, floor + 9), style))?;
        }
        for (from, to, words) in strips {
            let ((left, _), (right, _)) = (chart.backend_coord(&(*from, 0.0)), chart.backend_coord(&(*to, 0.0)));
            let _ = write!(
                overlay,
                "<rect class=\"strip\" x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{}\"><title>{}</title></rect>",
                (right - left).max(1),
                floor - top,
                escaped(words)
            );
        }
        area.present()?;
    }
    let body = svg.split_once('>').map_or("", |(_, body)| body);
    let body = body.trim_end().strip_suffix("</svg>").unwrap_or(body);
    Ok(format!(
        "<svg class=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">{body}{overlay}</svg>",
        form.class,
        form.width,
        form.height,
        escaped(title)
    ))
}

/// Text that may stand in an element or a quoted attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// At most `most` ticks at whole intervals, at even distances that divide a day where that works out.
fn ticks(count: usize, most: usize) -> Vec<f64> {
    let step = [1, 2, 4, 6, 8, 12, 16, 24, 48, 96].into_iter().find(|step| count.div_ceil(*step) <= most);
    let step = step.unwrap_or_else(|| count.div_ceil(most));
    (0..count).step_by(step).map(|place| place as f64).collect()
}

/// Ticks from 0 to `end` at a distance that reads well: 1, 2 or 5 × a power of ten.
fn round_ticks(end: f64, most: usize) -> Vec<f64> {
    let power = 10_f64.powf((end / most as f64).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    let step = steps.into_iter().find(|step| end / step <= most as f64).unwrap_or(end);
    (0..=most).map(|place| place as f64 * step).take_while(|tick| *tick <= end * 1.000_001).collect()
}

/// The next number above `value` that reads well: 1, 2, 2.5, 5 × a power of ten.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|end| *end >= value)
        .unwrap_or(value)
}

/// Left and right edge of a bar: with a gap beside it, unless the bars are too many to see one.
fn edges(place: usize, of: usize) -> (f64, f64) {
    let gap = if of > 100 { 0.0 } else { 0.06 };
    (place as f64 + gap, (place + 1) as f64 - gap)
}

fn bar(from: f64, to: f64, low: f64, high: f64, colour: RGBColor) -> Rectangle<(f64, f64)> {
    Rectangle::new([(from, low), (to, high)], colour.filled())
}

/// Calls answered, abandoned and flowed out, by interval of arrival, on average over replications.
pub(crate) fn calls(results: &Results, shown: &[usize]) -> Plot {
    let stack = [
        (Metric::Answered, ANSWERED, "answered"),
        (Metric::Abandoned, ABANDONED, "abandoned"),
        (Metric::FlowedOut, FLOWED_OUT, "flowed out"),
    ];
    let value = |metric, at: usize| results.estimate_in(metric, Scope::All, at).map_or(0.0, |estimate| estimate.value);
    let end =
        shown.iter().map(|at| stack.iter().map(|(metric, ..)| value(*metric, *at)).sum::<f64>()).fold(0.0, f64::max);
    let end = round_up(end);
    let used = stack.iter().filter(|(metric, ..)| shown.iter().any(|at| value(*metric, *at) > 0.0));
    let strips = strips(results, shown, |at| {
        let parts = [Metric::Offered, Metric::Answered, Metric::Abandoned, Metric::FlowedOut].map(|metric| {
            format!("{} {}", metric.title(), figure::full(metric, results.estimate_in(metric, Scope::All, at)))
        });
        parts.join("\n")
    });
    both(
        used.map(|(_, colour, name)| (*colour, *name)).collect(),
        "Calls by interval: answered, abandoned and flowed out",
        |form| (shown.len() as f64, end, ticks(shown.len(), form.labels(letters(results, shown)))),
        &|x| label(results, shown, x),
        &|y| figure::decimal(y, usize::from(end < 4.0)),
        &strips,
        |chart| {
            for (place, at) in shown.iter().enumerate() {
                let (from, to) = edges(place, shown.len());
                let mut floor = 0.0;
                for (metric, colour, _) in stack {
                    let height = value(metric, *at);
                    if height > 0.0 {
                        chart.draw_series([bar(from, to, floor, floor + height, colour)])?;
                    }
                    floor += height;
                }
            }
            Ok(())
        },
    )
}

/// Service level by interval with its 95 % interval, and the target.
pub(crate) fn service_level(results: &Results, shown: &[usize]) -> Plot {
    let target = results.target_level(Scope::All);
    let mut legend = vec![(LEVEL, "service level, with its 95 % interval")];
    legend.extend(target.map(|_| (LIMIT, "target")));
    let estimate = |at: usize| results.estimate_in(Metric::ServiceLevel, Scope::All, at);
    let strips =
        strips(results, shown, |at| format!("service level {}", figure::full(Metric::ServiceLevel, estimate(at))));
    both(
        legend,
        "Service level by interval, with its 95 % interval and the target",
        |form| (shown.len() as f64, 1.0, ticks(shown.len(), form.labels(letters(results, shown)))),
        &|x| label(results, shown, x),
        &|y| format!("{:.0} %", y * 100.0),
        &strips,
        |chart| {
            for (place, at) in shown.iter().enumerate() {
                let (from, to) = (place as f64, place as f64 + 1.0);
                let Some(estimate) = estimate(*at) else { continue };
                if let Some(interval) = estimate.interval {
                    let band = Rectangle::new([(from, interval.low), (to, interval.high)], LEVEL.mix(0.25).filled());
                    chart.draw_series([band])?;
                }
                let line = PathElement::new([(from, estimate.value), (to, estimate.value)], LEVEL.stroke_width(3));
                chart.draw_series([line])?;
            }
            if let Some(target) = target {
                dashes(chart, (0.0, target), (shown.len() as f64, target))?;
            }
            Ok(())
        },
    )
}

/// A share by interval of two plans, each with its 95 % interval.
pub(crate) fn compared(a: &Results, b: &Results, shown: &[usize], metric: Metric) -> Plot {
    let plans = [(a, ABANDONED, "A"), (b, ANSWERED, "B")];
    let estimate = |results: &Results, at: usize| results.estimate_in(metric, Scope::All, at);
    let highest = |results: &Results, at: usize| {
        estimate(results, at).map_or(0.0, |found| found.interval.map_or(found.value, |interval| interval.high))
    };
    let highest = shown.iter().flat_map(|at| [highest(a, *at), highest(b, *at)]).fold(0.0, f64::max);
    // A service level is seen against all calls; an abandonment of some per cent would be flat there.
    let end = if metric == Metric::ServiceLevel { 1.0 } else { round_up(highest).min(1.0) };
    let strips = strips(a, shown, |at| {
        let line = |(results, _, name): &(&Results, RGBColor, &str)| {
            format!("{name}: {} {}", metric.title(), figure::full(metric, estimate(results, at)))
        };
        plans.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    both(
        plans.iter().map(|(_, colour, name)| (*colour, *name)).collect(),
        &format!("{} of both plans by interval, with their 95 % intervals", metric.title()),
        |form| (shown.len() as f64, end, ticks(shown.len(), form.labels(letters(a, shown)))),
        &|x| label(a, shown, x),
        &|y| percent((y * 1e4).round() / 1e4),
        &strips,
        |chart| {
            for (results, colour, _) in plans {
                for (place, at) in shown.iter().enumerate() {
                    let (from, to) = (place as f64, place as f64 + 1.0);
                    let Some(found) = estimate(results, *at) else { continue };
                    if let Some(interval) = found.interval {
                        let band =
                            Rectangle::new([(from, interval.low), (to, interval.high)], colour.mix(0.2).filled());
                        chart.draw_series([band])?;
                    }
                    let line = PathElement::new([(from, found.value), (to, found.value)], colour.stroke_width(3));
                    chart.draw_series([line])?;
                }
            }
            Ok(())
        },
    )
}

/// What the values of a plot are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    Share,
    Number,
}

/// Lines of a day: what happened, the plan as it was, the changed plan.
pub(crate) const DAY: &[(RGBColor, &str)] =
    &[(INK, "happened"), (ABANDONED, "as it was, simulated"), (ANSWERED, "changed")];
/// Callers of a day.
pub(crate) const CALLERS: &[(RGBColor, &str)] = &[(LEVEL, "callers")];
/// Operators of a day, by the plan as it was and by the changed one.
pub(crate) const THERE: &[(RGBColor, &str)] = &[(ABANDONED, "as it was"), (ANSWERED, "changed")];

/// Values by interval, each line in a colour; `lines` are the first of `legend`.
pub(crate) fn day(
    starts: &[&str],
    title: &str,
    lines: &[Vec<f64>],
    scale: Scale,
    legend: &'static [(RGBColor, &'static str)],
) -> Plot {
    let highest = lines.iter().flatten().copied().fold(0.0, f64::max);
    let end = if scale == Scale::Share { 1.0 } else { round_up(highest) };
    let told = |value: f64| match scale {
        Scale::Share => format!("{} %", figure::decimal(value * 100.0, 1)),
        Scale::Number => figure::decimal(value, usize::from(value.fract() != 0.0)),
    };
    let strips: Vec<Strip> = starts
        .iter()
        .enumerate()
        .map(|(place, start)| {
            let words = lines.iter().zip(legend).map(|(line, (_, name))| format!("\n{name}: {}", told(line[place])));
            (place as f64, place as f64 + 1.0, format!("{start}{}", words.collect::<String>()))
        })
        .collect();
    let letters = starts.iter().map(|start| start.len()).max().unwrap_or(0);
    let label = |x: f64| {
        let place = starts.iter().enumerate().find(|(place, _)| (*place as f64 - x).abs() < 0.5);
        place.map_or_else(String::new, |(_, start)| (*start).to_owned())
    };
    both(
        legend.iter().take(lines.len()).copied().collect(),
        title,
        |form| (starts.len() as f64, end, ticks(starts.len(), form.labels(letters))),
        &label,
        &|y| {
            if scale == Scale::Share {
                percent((y * 1e4).round() / 1e4)
            } else {
                figure::decimal(y, usize::from(end < 4.0))
            }
        },
        &strips,
        |chart| {
            for (line, (colour, _)) in lines.iter().zip(legend) {
                for (place, value) in line.iter().enumerate() {
                    let (from, to) = (place as f64, place as f64 + 1.0);
                    chart.draw_series([PathElement::new([(from, *value), (to, *value)], colour.stroke_width(3))])?;
                }
            }
            Ok(())
        },
    )
}

/// The statuses of the staff plot from the floor up: what serves customers first.
const STATUSES: [(Status, RGBColor); 9] = [
    (Status::Talking, RGBColor(0x00, 0x72, 0xb3)),
    (Status::Holding, RGBColor(0x56, 0xb4, 0xe9)),
    (Status::Consulting, RGBColor(0xcc, 0x79, 0xa8)),
    (Status::AfterCallWork, RGBColor(0x00, 0x9e, 0x74)),
    (Status::Ringing, RGBColor(0xe6, 0xc2, 0x00)),
    (Status::Dialing, RGBColor(0xe6, 0x9f, 0x00)),
    (Status::Ready, RGBColor(0xc4, 0xcd, 0xd6)),
    (Status::Work, RGBColor(0x8a, 0x94, 0x9e)),
    (Status::Break, RGBColor(0xd5, 0x5e, 0x01)),
];

/// Operators in a status on average over an interval and the replications.
pub(crate) fn operators_in(results: &Results, status: Status, at: usize) -> f64 {
    let span = results.header().grid.interval_us as f64 * results.replications().len() as f64;
    results.staff_in(Scope::All, at).in_status(status) as f64 / span
}

/// The statuses that occur.
pub(crate) fn used_statuses(results: &Results) -> Vec<Status> {
    let staff = results.staff(Scope::All);
    STATUSES.iter().map(|(status, _)| *status).filter(|status| staff.in_status(*status) > 0).collect()
}

/// Operators by status, stacked, by interval.
pub(crate) fn operators(results: &Results, shown: &[usize]) -> Plot {
    let used = used_statuses(results);
    let stack: Vec<(Status, RGBColor)> = STATUSES.into_iter().filter(|(status, _)| used.contains(status)).collect();
    let total = |at: usize| stack.iter().map(|(status, _)| operators_in(results, *status, at)).sum::<f64>();
    let end = round_up(shown.iter().map(|at| total(*at)).fold(0.0, f64::max));
    let strips = strips(results, shown, |at| {
        let mut lines: Vec<String> = stack
            .iter()
            .map(|(status, _)| format!("{} {:.1}", status.name(), operators_in(results, *status, at)))
            .collect();
        lines.push(format!(
            "occupancy {}",
            figure::full(Metric::Occupancy, results.estimate_in(Metric::Occupancy, Scope::All, at))
        ));
        lines.join("\n")
    });
    both(
        stack.iter().map(|(status, colour)| (*colour, status.name())).collect(),
        "Operators by status and interval, on average",
        |form| (shown.len() as f64, end, ticks(shown.len(), form.labels(letters(results, shown)))),
        &|x| label(results, shown, x),
        &|y| figure::decimal(y, usize::from(end < 4.0)),
        &strips,
        |chart| {
            for (place, at) in shown.iter().enumerate() {
                let (from, to) = edges(place, shown.len());
                let mut floor = 0.0;
                for (status, colour) in &stack {
                    let height = operators_in(results, *status, *at);
                    if height > 0.0 {
                        chart.draw_series([bar(from, to, floor, floor + height, *colour)])?;
                    }
                    floor += height;
                }
            }
            Ok(())
        },
    )
}

/// The share of answered and of abandoned calls that had waited at most so long.
pub(crate) fn waits(results: &Results) -> Option<Plot> {
    let live = live_queues(results);
    let (answered, abandoned) = live_waits(results);
    let mut targets: Vec<u64> = live.iter().map(|queue| results.header().queues[*queue].target_wait_us).collect();
    targets.sort_unstable();
    targets.dedup();
    let target_us = *targets.last()?;
    let p98 = answered.quantile_us(0.98)?.max(abandoned.quantile_us(0.9).unwrap_or(0));
    let end = round_up((p98 as f64 / 1e6).max(target_us as f64 / 1e6 * 1.5));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place on an axis of positive seconds"
    )]
    let micros = |second: f64| (second * 1e6) as u64;
    let curves = [(answered, ANSWERED, "answered calls"), (abandoned, ABANDONED, "abandoned calls")];
    let curves: Vec<_> = curves.into_iter().filter(|(histogram, ..)| histogram.count() > 0).collect();
    let mut legend: Vec<_> = curves.iter().map(|(_, colour, name)| (*colour, *name)).collect();
    legend.push((LIMIT, "in time up to here"));
    let strips: Vec<Strip> = (0..40)
        .map(|place| {
            let (from, to) = (end * f64::from(place) / 40.0, end * f64::from(place + 1) / 40.0);
            let middle = f64::midpoint(from, to);
            let mut words = format!("waited at most {}", seconds(micros((middle * 10.0).round() / 10.0)));
            for (histogram, _, name) in &curves {
                let share = histogram.share_up_to(micros(middle)).unwrap_or(0.0);
                let _ = write!(words, "\n{:.1} % of {name}", share * 100.0);
            }
            (from, to, words)
        })
        .collect();
    Some(both(
        legend,
        "Share of calls that waited at most so long, answered and abandoned",
        |form| (end, 1.0, round_ticks(end, form.labels(5))),
        &|x| format!("{} s", (x * 100.0).round() / 100.0),
        &|y| percent((y * 100.0).round() / 100.0),
        &strips,
        |chart| {
            for (histogram, colour, _) in &curves {
                let points: Vec<(f64, f64)> = (0..=240)
                    .map(|place| end * f64::from(place) / 240.0)
                    .map(|second| (second, histogram.share_up_to(micros(second)).unwrap_or(0.0)))
                    .collect();
                chart.draw_series([PathElement::new(points, colour.stroke_width(3))])?;
            }
            targets.iter().map(|target| *target as f64 / 1e6).try_for_each(|at| dashes(chart, (at, 0.0), (at, 1.0)))
        },
    ))
}

/// The queues where somebody waits for an answer: all but tickets, if there are others.
pub(crate) fn live_queues(results: &Results) -> Vec<usize> {
    let queues = &results.header().queues;
    let live: Vec<usize> =
        (0..queues.len()).filter(|at| !matches!(queues[*at].channel, Channel::Ticket | Channel::Outbound)).collect();
    if live.is_empty() { (0..queues.len()).collect() } else { live }
}

/// Waits of the answered and of the abandoned calls of the live queues.
pub(crate) fn live_waits(results: &Results) -> (Histogram, Histogram) {
    let (mut answered, mut abandoned) = (Histogram::new(), Histogram::new());
    for queue in live_queues(results).into_iter().map(Scope::Queue) {
        answered.merge(&results.waits(queue));
        abandoned.merge(&results.abandon_waits(queue));
    }
    (answered, abandoned)
}

/// Letters of the longest label under a plot.
fn letters(results: &Results, shown: &[usize]) -> usize {
    (0..shown.len()).map(|place| label(results, shown, place as f64).chars().count()).max().unwrap_or(5)
}

/// The label under a plot: without the year of a date.
fn label(results: &Results, shown: &[usize], x: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ticks are places in `shown`")]
    let place = x as usize;
    let label = shown.get(place).map_or_else(String::new, |at| results.header().label(*at));
    match label.split_once('-') {
        Some((year, rest)) if year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit()) => rest.to_owned(),
        _ => label,
    }
}

fn strips(results: &Results, shown: &[usize], words: impl Fn(usize) -> String) -> Vec<Strip> {
    let strip = |(place, at): (usize, &usize)| {
        (place as f64, place as f64 + 1.0, format!("{}\n{}", results.header().label(*at), words(*at)))
    };
    shown.iter().enumerate().map(strip).collect()
}

fn dashes(chart: &mut Chart<'_, '_>, from: (f64, f64), to: (f64, f64)) -> Result<(), Failed> {
    let line = plotters::element::DashedPathElement::new([from, to], 6, 5, LIMIT.stroke_width(2));
    chart.draw_series([line]).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_few_and_even() {
        assert_eq!(ticks(48, 12), [0.0, 4.0, 8.0, 12.0, 16.0, 20.0, 24.0, 28.0, 32.0, 36.0, 40.0, 44.0]);
        assert_eq!(ticks(3, 12), [0.0, 1.0, 2.0]);
        assert!(ticks(336, 4).len() <= 4);
        assert!(ticks(5_000, 4).len() <= 4);
    }

    #[test]
    fn ticks_of_seconds_are_round() {
        assert_eq!(round_ticks(80.0, 12), [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0]);
        assert_eq!(round_ticks(0.5, 5), [0.0, 0.1, 0.2, 0.30000000000000004, 0.4, 0.5]);
        assert!(round_ticks(25_000.0, 5).len() <= 6);
    }

    #[test]
    fn axes_end_at_numbers_that_read_well() {
        assert_eq!([0.0, 0.7, 1.0, 23.0, 41.0, 99.0].map(round_up), [1.0, 0.8, 1.0, 25.0, 50.0, 100.0]);
    }

    #[test]
    fn names_cannot_break_out_of_the_picture() {
        assert_eq!(escaped("<script>&\""), "&lt;script&gt;&amp;&quot;");
    }
}
