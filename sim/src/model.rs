//! A scenario made ready to run: distributions with their samplers, the engine's configuration, the header of the results.
//!
//! Built once, shared by all replications and threads.

use crate::distribution::{Distribution, DistributionError};
use callfloor_engine::{ConfigError, PhoneNumber};
use callfloor_measure as measure;
use callfloor_scenario as scenario;
use callfloor_scenario::clock::DAY_US;
use callfloor_scenario::{FloorPlan, Horizon, Scenario};
use std::fmt;

/// Why a scenario cannot be run.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelError {
    /// A distribution is out of range; the first field says where.
    Distribution(String, DistributionError),
    /// The engine refuses the configuration.
    Floor(ConfigError),
    /// The intervals of the statistics cannot be grouped as asked; the text says why and what would be right.
    Interval(String),
    /// Something is larger than the simulator can number.
    TooMany(String),
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Distribution(place, error) => write!(f, "{place}: {error}"),
            Self::Floor(error) => error.fmt(f),
            Self::TooMany(what) | Self::Interval(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for ModelError {}

/// A scenario made ready to run.
#[derive(Debug)]
pub struct Model<'s> {
    /// The scenario.
    pub scenario: &'s Scenario,
    /// The engine's configuration and what its ids stand for.
    pub plan: FloorPlan,
    /// What the results will be of: the scenario's queues, then a row for each campaign.
    pub header: measure::Header,
    pub(crate) classes: Vec<ClassModel>,
    pub(crate) groups: Vec<GroupModel>,
    pub(crate) campaigns: Vec<CampaignModel>,
    /// `[operator]`
    pub(crate) group_of: Vec<u16>,
    /// Number of arrivals before counting begins.
    pub(crate) warm_up_calls: u64,
    /// Number of arrivals in all; `u64::MAX` where time decides.
    pub(crate) calls: u64,
    /// The number that every caller shows.
    pub(crate) number: PhoneNumber,
    /// Whether any queue looks at who served a customer last.
    pub(crate) remembers_operators: bool,
}

#[derive(Debug)]
pub(crate) struct ClassModel {
    pub(crate) patience: Distribution,
    /// Patience runs on so long after an operator's answer, in microseconds.
    pub(crate) answer_heard_us: u64,
    pub(crate) handling: HandlingModel,
    pub(crate) redial_delay: Option<Distribution>,
    /// Mean handle time of the class's own model, in seconds.
    pub(crate) mean_handle_s: f64,
}

#[derive(Debug)]
pub(crate) struct HandlingModel {
    pub(crate) talk: Distribution,
    pub(crate) after_call: Distribution,
    pub(crate) hold: Option<(f64, Distribution)>,
    pub(crate) consult: Option<ConsultModel>,
    pub(crate) transfer: Option<TransferModel>,
    pub(crate) forced_end: f64,
    /// Nothing but talk and after-call work.
    pub(crate) plain: bool,
}

#[derive(Debug)]
pub(crate) struct ConsultModel {
    pub(crate) probability: f64,
    pub(crate) target: scenario::ConsultTarget,
    pub(crate) answer_delay: Distribution,
    pub(crate) no_answer: f64,
    pub(crate) length: Distribution,
    pub(crate) connect: f64,
    pub(crate) talk_after: Distribution,
}

#[derive(Debug)]
pub(crate) struct TransferModel {
    pub(crate) probability: f64,
    pub(crate) target: scenario::TransferTarget,
    pub(crate) talk_after: Distribution,
}

#[derive(Debug)]
pub(crate) struct GroupModel {
    pub(crate) answer_delay: Distribution,
    pub(crate) miss: f64,
    pub(crate) decline: f64,
    /// Every offer is answered at once: nothing needs to be drawn.
    pub(crate) instant: bool,
    pub(crate) back_after_miss: Distribution,
    /// Random breaks: rate per second and length.
    pub(crate) random_breaks: Vec<(f64, Distribution)>,
    /// Planned breaks: from the shift's start, and length, in microseconds.
    pub(crate) planned_breaks: Vec<(u64, u64)>,
    pub(crate) factor: f64,
    pub(crate) chats: bool,
    /// Status after a contact.
    pub(crate) next_status: scenario::NextStatus,
    pub(crate) solve_at_wrap_up: bool,
    /// Campaigns in which the group dials when idle.
    pub(crate) idle_campaign: Option<u16>,
}

#[derive(Debug)]
pub(crate) struct CampaignModel {
    pub(crate) preview: Distribution,
    pub(crate) ring: Distribution,
    pub(crate) retry_delay: Distribution,
    pub(crate) handling: HandlingModel,
    /// Rates as arrivals of their own, where the pacing is by rates.
    pub(crate) arrivals: Option<scenario::Arrivals>,
    /// Row of the results.
    pub(crate) row: u16,
    pub(crate) from: PhoneNumber,
    pub(crate) to: PhoneNumber,
}

fn sampler(place: &str, part: &str, described: &scenario::Distribution) -> Result<Distribution, ModelError> {
    Distribution::new(described).map_err(|error| ModelError::Distribution(format!("{place}, {part}"), error))
}

impl HandlingModel {
    fn new(place: &str, handling: &scenario::Handling) -> Result<Self, ModelError> {
        let hold = match &handling.hold {
            Some(hold) => Some((hold.probability, sampler(place, "hold", &hold.length)?)),
            None => None,
        };
        let consult = match &handling.consult {
            Some(consult) => Some(ConsultModel {
                probability: consult.probability,
                target: consult.target,
                answer_delay: sampler(place, "consult answer delay", &consult.answer_delay)?,
                no_answer: consult.no_answer,
                length: sampler(place, "consult", &consult.length)?,
                connect: consult.connect,
                talk_after: sampler(place, "talk after consult", &consult.talk_after)?,
            }),
            None => None,
        };
        let transfer = match &handling.transfer {
            Some(transfer) => Some(TransferModel {
                probability: transfer.probability,
                target: transfer.target,
                talk_after: sampler(place, "talk after transfer", &transfer.talk_after)?,
            }),
            None => None,
        };
        Ok(Self {
            talk: sampler(place, "talk", &handling.talk)?,
            after_call: sampler(place, "after-call work", &handling.after_call)?,
            plain: hold.is_none() && consult.is_none() && transfer.is_none() && handling.forced_end == 0.0,
            hold,
            consult,
            transfer,
            forced_end: handling.forced_end,
        })
    }
}

impl<'s> Model<'s> {
    /// Makes a scenario ready.
    ///
    /// # Errors
    /// If the engine refuses the configuration or a parameter is out of range: a checked scenario excludes both.
    pub fn new(scenario: &'s Scenario) -> Result<Self, ModelError> {
        let plan = scenario.floor_plan().map_err(ModelError::Floor)?;
        let classes = scenario.classes.iter().map(class_model).collect::<Result<Vec<_>, _>>()?;
        let groups =
            scenario.groups.iter().enumerate().map(|(i, g)| group_model(scenario, i, g)).collect::<Result<_, _>>()?;
        let campaigns = (0..scenario.campaigns.len()).map(|i| campaign_model(scenario, i)).collect::<Result<_, _>>()?;
        if scenario.classes.len() + scenario.campaigns.len() >= usize::from(u16::MAX) {
            return Err(ModelError::TooMany("more than 65,534 classes and campaigns".into()));
        }
        let group_of =
            plan.groups.iter().zip(0_u16..).flat_map(|(ids, group)| ids.clone().map(move |_| group)).collect();
        let (warm_up_calls, calls) = match scenario.horizon {
            Horizon::Calls { count, warm_up } => (warm_up, count),
            _ => (0, u64::MAX),
        };
        Ok(Self {
            header: header(scenario),
            number: "0".parse().expect("a digit is a number"),
            remembers_operators: scenario.queues.iter().any(|queue| queue.last_operator.is_some()),
            scenario,
            plan,
            classes,
            groups,
            campaigns,
            group_of,
            warm_up_calls,
            calls,
        })
    }
}

impl Model<'_> {
    /// Number of arrivals before counting begins.
    #[must_use]
    pub const fn warm_up_calls(&self) -> u64 {
        self.warm_up_calls
    }

    /// The header with longer intervals, each the sum of some of the run's own.
    ///
    /// # Errors
    /// [`ModelError::Interval`] where the length is no multiple of the run's, does not divide a day, or where a change of the
    /// clock would move its boundaries.
    pub(crate) fn regrouped(&self, interval_us: u64) -> Result<measure::Header, ModelError> {
        let minutes = |us: u64| format!("{} min", us as f64 / 6e7);
        let refuse = |why: String| Err(ModelError::Interval(format!("intervals of {}: {why}", minutes(interval_us))));
        let fine = self.header.grid;
        if interval_us == 0 || !interval_us.is_multiple_of(fine.interval_us) {
            let own = minutes(fine.interval_us);
            return refuse(format!("the run counts by {own}, so that a multiple of it is needed"));
        }
        if !DAY_US.is_multiple_of(interval_us) {
            return refuse("a length that divides 24 hours is needed".into());
        }
        if let Horizon::Days { count, .. } = self.scenario.horizon {
            let midnight = |day| self.scenario.clock.instant_us(day, 0);
            let moved = |day: &u32| !(midnight(day + 1) - midnight(*day)).abs_diff(DAY_US).is_multiple_of(interval_us);
            if let Some(day) = (0..count).find(moved) {
                let date = self.scenario.clock.date(day);
                return refuse(format!(
                    "the clock is changed on {date}, which they would not follow: take shorter ones"
                ));
            }
        }
        let (grid, _) = grid(self.scenario, interval_us);
        let interval_labels = match self.scenario.horizon {
            Horizon::Days { .. } => (0..grid.intervals).map(|i| label(self.scenario, &grid, i)).collect(),
            _ => Vec::new(),
        };
        Ok(measure::Header { grid, interval_labels, ..self.header.clone() })
    }
}

fn class_model(class: &scenario::CustomerClass) -> Result<ClassModel, ModelError> {
    let place = format!("class \"{}\"", class.name);
    Ok(ClassModel {
        patience: sampler(&place, "patience", &class.patience)?,
        answer_heard_us: crate::arrival::micros(class.answer_heard_s),
        handling: HandlingModel::new(&place, &class.handling)?,
        redial_delay: match &class.redial {
            Some(redial) => Some(sampler(&place, "redial delay", &redial.delay)?),
            None => None,
        },
        mean_handle_s: class.handling.mean_s(),
    })
}

fn group_model(scenario: &Scenario, index: usize, group: &scenario::Group) -> Result<GroupModel, ModelError> {
    let place = format!("group \"{}\"", group.name);
    let (mut random_breaks, mut planned_breaks) = (Vec::new(), Vec::new());
    for plan in &group.breaks {
        match plan {
            scenario::BreakPlan::Scheduled { after_us, length_us } => planned_breaks.push((*after_us, *length_us)),
            scenario::BreakPlan::Random { per_hour, length } => {
                if *per_hour > 0.0 {
                    random_breaks.push((per_hour / 3600.0, sampler(&place, "break", length)?));
                }
            }
        }
    }
    let delay = sampler(&place, "answer delay", &group.answer_delay)?;
    let settings = group.services.first().map(|service| &scenario.services[service.0].settings);
    let idle = scenario.campaigns.iter().position(|campaign| {
        matches!(campaign.pacing, scenario::Pacing::WhenIdle { .. }) && campaign.groups.iter().any(|g| g.0 == index)
    });
    let serves_chats =
        group.queues.iter().any(|served| scenario.queues[served.queue.0].channel == scenario::Channel::Chat);
    Ok(GroupModel {
        instant: group.miss == 0.0 && group.decline == 0.0 && (group.auto_answer || delay.mean() == 0.0),
        answer_delay: delay,
        miss: group.miss,
        decline: group.decline,
        back_after_miss: sampler(&place, "back after miss", &group.back_after_miss)?,
        random_breaks,
        planned_breaks,
        factor: group.handling_factor,
        chats: serves_chats,
        next_status: settings.map_or(scenario::NextStatus::Ready, |settings| settings.next_status),
        solve_at_wrap_up: settings.is_some_and(|settings| settings.solve_at_wrap_up),
        idle_campaign: idle.and_then(|i| u16::try_from(i).ok()),
    })
}

fn campaign_model(scenario: &Scenario, index: usize) -> Result<CampaignModel, ModelError> {
    let campaign = &scenario.campaigns[index];
    let place = format!("campaign \"{}\"", campaign.name);
    let arrivals = match &campaign.pacing {
        scenario::Pacing::Rates(pieces) => {
            Some(scenario::Arrivals::Rates { pieces: pieces.clone(), day_factor: None, interval_factor: None })
        }
        scenario::Pacing::WhenIdle { .. } => None,
    };
    let row = u16::try_from(scenario.queues.len() + index)
        .map_err(|_| ModelError::TooMany("more than 65,535 queues and campaigns".into()))?;
    let from = scenario.services[campaign.service.0].outgoing_numbers.get(campaign.outgoing_number).copied();
    let made_up = "0".parse().expect("a digit is a number");
    Ok(CampaignModel {
        preview: sampler(&place, "preview", &campaign.preview)?,
        ring: sampler(&place, "ring", &campaign.ring)?,
        retry_delay: sampler(&place, "retry delay", &campaign.retry_delay)?,
        handling: HandlingModel::new(&place, &campaign.handling)?,
        arrivals,
        row,
        from: from.unwrap_or(made_up),
        to: made_up,
    })
}

/// Most intervals of a run whose length is not given in days: longer runs get longer intervals.
const MOST_INTERVALS: u64 = 480;

fn header(scenario: &Scenario) -> measure::Header {
    let mut queues: Vec<measure::Queue> = scenario
        .queues
        .iter()
        .map(|queue| measure::Queue {
            target_wait_us: queue.service_level.threshold_us,
            short_us: queue.service_level.short_abandon_us,
            rule: queue.service_level.rule,
            target_level: Some(queue.service_level.target),
            ..measure::Queue::new(
                queue.name.clone(),
                match queue.channel {
                    scenario::Channel::Phone => measure::Channel::Phone,
                    scenario::Channel::Chat => measure::Channel::Chat,
                    scenario::Channel::Ticket => measure::Channel::Ticket,
                },
            )
        })
        .collect();
    queues.extend(scenario.campaigns.iter().map(|c| measure::Queue::new(c.name.clone(), measure::Channel::Outbound)));
    let (grid, warm_up) = grid(scenario, scenario.interval_us);
    let interval_labels = match scenario.horizon {
        Horizon::Days { .. } => (0..grid.intervals).map(|i| label(scenario, &grid, i)).collect(),
        _ => Vec::new(),
    };
    measure::Header {
        warm_up,
        grid,
        interval_labels,
        queues,
        groups: scenario.groups.iter().map(|group| measure::Group { name: group.name.clone() }).collect(),
        thresholds: scenario.thresholds.iter().flat_map(|t| thresholds(scenario, t)).collect(),
        ..measure::Header::new(scenario.name.clone(), scenario.seed)
    }
}

fn grid(scenario: &Scenario, interval: u64) -> (measure::Grid, measure::WarmUp) {
    let count = |length: u64, interval: u64| usize::try_from(length.div_ceil(interval).max(1)).expect("a span of days");
    match scenario.horizon {
        Horizon::Days { count: days, from_us, to_us, warm_up_days } => {
            let start = scenario.clock.instant_us(warm_up_days, from_us - from_us % interval);
            let end = scenario.clock.instant_us(days - 1, to_us);
            let grid = measure::Grid {
                open_end: true,
                ..measure::Grid::new(start, interval, count(end.saturating_sub(start).max(1), interval))
            };
            let skipped = if warm_up_days == 0 { 0 } else { start };
            (grid, measure::WarmUp::SpanUs(skipped))
        }
        Horizon::Steady { warm_up_us, length_us } => {
            let wide = interval * length_us.div_ceil(interval).div_ceil(MOST_INTERVALS);
            // A period that is no multiple of the interval is one interval of its own length.
            let grid = if length_us.is_multiple_of(wide) {
                measure::Grid::new(warm_up_us, wide, count(length_us, wide))
            } else {
                measure::Grid::new(warm_up_us, length_us, 1)
            };
            (grid, measure::WarmUp::SpanUs(warm_up_us))
        }
        Horizon::Calls { count: calls, warm_up } => {
            let per_day: f64 = scenario
                .classes
                .iter()
                .map(|class| match &class.arrivals {
                    scenario::Arrivals::Rates { pieces, .. } => pieces.iter().map(scenario::RatePiece::expected).sum(),
                    scenario::Arrivals::Trace { arrivals } => arrivals.len() as f64,
                })
                .sum();
            let days = (calls as f64 / per_day.max(1e-9)).min(1e7);
            let length = crate::arrival::micros(days * DAY_US as f64 / 1e6).max(1);
            let wide = interval * length.div_ceil(interval).div_ceil(MOST_INTERVALS);
            let grid = measure::Grid { open_end: true, ..measure::Grid::new(0, wide, count(length, wide)) };
            (grid, if warm_up == 0 { measure::WarmUp::SpanUs(0) } else { measure::WarmUp::Calls(warm_up) })
        }
    }
}

/// `08:30`, or `Tue 08:30` where there are several days.
fn label(scenario: &Scenario, grid: &measure::Grid, interval: usize) -> String {
    let at = grid.start_us + grid.interval_us * interval as u64;
    let mut day = u32::try_from(at / DAY_US).unwrap_or(0);
    while day > 0 && scenario.clock.instant_us(day, 0) > at {
        day -= 1;
    }
    while scenario.clock.instant_us(day + 1, 0) <= at {
        day += 1;
    }
    let minutes = (at - scenario.clock.instant_us(day, 0)) / 60_000_000;
    let time = format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let several = matches!(scenario.horizon, Horizon::Days { count, warm_up_days, .. } if count - warm_up_days > 1);
    if !several {
        return time;
    }
    if scenario.clock.dated {
        return format!("{} {time}", scenario.clock.date(day));
    }
    let weekday = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        [usize::from(scenario.clock.weekday(day).to_monday_zero_offset().unsigned_abs()) % 7];
    format!("day {} {weekday} {time}", day + 1)
}

fn thresholds(scenario: &Scenario, threshold: &scenario::Threshold) -> Vec<measure::Threshold> {
    let of = match threshold.of {
        scenario::ThresholdScope::Total => None,
        scenario::ThresholdScope::Queue(queue) => Some(scenario.queues[queue.0].name.clone()),
        scenario::ThresholdScope::Group(group) => Some(scenario.groups[group.0].name.clone()),
    };
    let demand = |bound, limit| measure::Threshold {
        metric: threshold.metric,
        of: of.clone(),
        every_interval: threshold.every_interval,
        bound,
        limit,
    };
    let least = threshold.min.map(|limit| demand(measure::Bound::AtLeast, limit));
    let most = threshold.max.map(|limit| demand(measure::Bound::AtMost, limit));
    least.into_iter().chain(most).collect()
}
