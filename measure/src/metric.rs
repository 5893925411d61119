//! Every derived figure, by name: what it is made of, its unit, and which way is better.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Counts, EarlyAbandons, Primitive, StaffTimes};

/// Unit of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// A share in [0, 1]; a percentage only in print.
    Share,
    /// Seconds.
    Seconds,
    /// Calls, operators or other things, for each replication or on average over time.
    Count,
    /// Erlangs.
    Erlangs,
}

/// Which way a figure is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
    /// Neither: it describes.
    Neither,
}

type Terms = &'static [(Primitive, i64)];

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Numerator ÷ denominator, both sums of primitives, times a factor; floored at 0 where so said.
    Ratio { over: Terms, under: Terms, factor: f64 },
    /// 1 − numerator ÷ denominator, not below 0.
    OneMinus { over: Terms, under: Terms },
    /// Quantile of the waits of answered calls, by its place in `WAIT_QUANTILES`.
    WaitQuantile(usize),
    /// The longest wait of an answered call.
    LongestWait,
    /// Share of replications that met the service level's target.
    Met,
}

/// µs to s.
const SECONDS: f64 = 1e-6;

macro_rules! metrics {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal $title:literal $unit:ident $direction:ident $kind:expr;)+) => {
        /// A derived figure. `metric.name()` is how thresholds and files write it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Metric {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Metric {
            /// All figures, in the order in which reports list them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];
            /// The names of all figures, in the same order.
            pub const NAMES: &[&str] = &[$($name,)+];

            /// The name in files: `service_level`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The name in print: `service level`.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }

            /// The unit of the value.
            #[must_use]
            pub const fn unit(self) -> Unit {
                match self { $(Self::$variant => Unit::$unit,)+ }
            }

            /// Which way is better.
            #[must_use]
            pub const fn direction(self) -> Direction {
                match self { $(Self::$variant => Direction::$direction,)+ }
            }

            /// The definition, with its source.
            #[must_use]
            pub const fn definition(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }

            pub(crate) const fn kind(self) -> Kind {
                use Primitive::*;
                match self { $(Self::$variant => $kind,)+ }
            }
        }
    };
}

macro_rules! ratio {
    ($over:expr, $under:expr) => {
        ratio!($over, $under, 1.0)
    };
    ($over:expr, $under:expr, $factor:expr) => {
        Kind::Ratio { over: &$over, under: &$under, factor: $factor }
    };
}

metrics! {
    /// Service level by each queue's own rule (`short` unless set): answered within T ÷ offered without short abandons and flow-outs. The ratio of sums over the period. Source: Cisco UCCE reporting guide, "service level type".
    ServiceLevel "service_level" "service level" Share Higher ratio!([(LevelMet, 1)], [(LevelOf, 1)]);
    /// A_T ÷ (N − B_s − F): short abandons and flow-outs are left out.
    ServiceLevelShort "service_level_short" "service level (short)" Share Higher
        ratio!([(AnsweredInTime, 1)], [(Offered, 1), (AbandonedShort, -1), (FlowedOut, -1)]);
    /// A_T ÷ (N − B_T): those abandoned within T are left out.
    ServiceLevelIgnore "service_level_ignore" "service level (ignore)" Share Higher
        ratio!([(AnsweredInTime, 1)], [(Offered, 1), (AbandonedInTime, -1)]);
    /// A_T ÷ N: every abandonment counts against.
    ServiceLevelNegative "service_level_negative" "service level (negative)" Share Higher
        ratio!([(AnsweredInTime, 1)], [(Offered, 1)]);
    /// (A_T + B_T) ÷ N: those abandoned within T count for.
    ServiceLevelPositive "service_level_positive" "service level (positive)" Share Higher
        ratio!([(AnsweredInTime, 1), (AbandonedInTime, 1)], [(Offered, 1)]);
    /// A_T ÷ A: of answered calls only. Flattering: it leaves out who gave up.
    ServiceLevelHandled "service_level_handled" "service level (handled; flattering)" Share Higher
        ratio!([(AnsweredInTime, 1)], [(Answered, 1)]);
    /// Share of replications (days) in which the service level reached its target, with Wilson's interval.
    PMet "p_met" "P(target met)" Share Higher Kind::Met;
    /// Calls offered (N) in a replication.
    Offered "offered" "offered" Count Neither ratio!([(Offered, 1)], [(Replication, 1)]);
    /// Calls answered (A) in a replication.
    Answered "answered" "answered" Count Neither ratio!([(Answered, 1)], [(Replication, 1)]);
    /// Calls abandoned (B) in a replication, short ones included.
    Abandoned "abandoned" "abandoned" Count Lower ratio!([(Abandoned, 1)], [(Replication, 1)]);
    /// Calls that flowed out (F) in a replication: overflow, callback accepted, forwarded, voicemail.
    FlowedOut "flowed_out" "flowed out" Count Neither ratio!([(FlowedOut, 1)], [(Replication, 1)]);
    /// Calls refused (R) in a replication before they were offered.
    Refused "refused" "refused" Count Lower ratio!([(Refused, 1)], [(Replication, 1)]);
    /// R ÷ (N + R): share of calls refused before they were offered.
    Blocking "blocking" "refused share" Share Lower ratio!([(Refused, 1)], [(Offered, 1), (Refused, 1)]);
    /// (B − B_s) ÷ (N − B_s): abandonment without short abandons.
    Abandonment "abandonment" "abandonment" Share Lower
        ratio!([(Abandoned, 1), (AbandonedShort, -1)], [(Offered, 1), (AbandonedShort, -1)]);
    /// B ÷ N: abandonment, short ones included.
    AbandonmentRaw "abandonment_raw" "abandonment (raw)" Share Lower ratio!([(Abandoned, 1)], [(Offered, 1)]);
    /// Share of offered calls that waited at all.
    PWait "p_wait" "P(wait)" Share Lower ratio!([(Delayed, 1)], [(Offered, 1)]);
    /// Average speed of answer: mean wait of answered calls, ringing and zero waits included.
    AsaS "asa_s" "ASA" Seconds Lower ratio!([(WaitAnswered, 1)], [(Answered, 1)], SECONDS);
    /// Mean wait of abandoned calls. Below the mean patience: answers censor it.
    AbandonWaitS "abandon_wait_s" "mean wait before abandonment" Seconds Neither
        ratio!([(WaitAbandoned, 1)], [(Abandoned, 1)], SECONDS);
    /// Mean wait of all calls, however the wait ended.
    WaitMeanS "wait_mean_s" "mean wait of all" Seconds Lower
        ratio!([(WaitAnswered, 1), (WaitAbandoned, 1), (WaitFlowedOut, 1)], [(Answered, 1), (Abandoned, 1), (FlowedOut, 1)], SECONDS);
    /// Median wait of answered calls.
    WaitP50S "wait_p50_s" "wait, median" Seconds Lower Kind::WaitQuantile(0);
    /// Wait that 80 % of answered calls did not pass.
    WaitP80S "wait_p80_s" "wait, 80th percentile" Seconds Lower Kind::WaitQuantile(1);
    /// Wait that 90 % of answered calls did not pass.
    WaitP90S "wait_p90_s" "wait, 90th percentile" Seconds Lower Kind::WaitQuantile(2);
    /// Wait that 95 % of answered calls did not pass.
    WaitP95S "wait_p95_s" "wait, 95th percentile" Seconds Lower Kind::WaitQuantile(3);
    /// Wait that 99 % of answered calls did not pass.
    WaitP99S "wait_p99_s" "wait, 99th percentile" Seconds Lower Kind::WaitQuantile(4);
    /// The longest wait of an answered call in any replication; it has no interval.
    WaitMaxS "wait_max_s" "longest wait" Seconds Lower Kind::LongestWait;
    /// Calls in the queue or ringing, on average over time: the sum of all waits ÷ the period (Little's law).
    QueueMean "queue_mean" "mean queue" Count Lower
        ratio!([(WaitAnswered, 1), (WaitAbandoned, 1), (WaitFlowedOut, 1)], [(Elapsed, 1)]);
    /// AHT: (talk + hold + consult + after-call work) ÷ A. Ring and dial time are not in it.
    AhtS "aht_s" "AHT" Seconds Neither ratio!([(Handle, 1)], [(Answered, 1)], SECONDS);
    /// Talk time ÷ A.
    TalkS "talk_s" "talk" Seconds Neither ratio!([(Talk, 1)], [(Answered, 1)], SECONDS);
    /// Hold time ÷ A.
    HoldS "hold_s" "hold" Seconds Neither ratio!([(Hold, 1)], [(Answered, 1)], SECONDS);
    /// Consult time ÷ A.
    ConsultS "consult_s" "consult" Seconds Neither ratio!([(Consult, 1)], [(Answered, 1)], SECONDS);
    /// After-call work ÷ A.
    AfterCallS "after_call_s" "after-call work" Seconds Neither ratio!([(AfterCall, 1)], [(Answered, 1)], SECONDS);
    /// Ring time ÷ rings.
    RingS "ring_s" "ring time" Seconds Lower ratio!([(Ring, 1)], [(Rings, 1)], SECONDS);
    /// Completed transfers ÷ A.
    TransferRate "transfer_rate" "transfers ÷ answered" Share Neither ratio!([(Transfers, 1)], [(Answered, 1)]);
    /// Calls held at least once ÷ A.
    HoldRate "hold_rate" "held ÷ answered" Share Neither ratio!([(HeldCalls, 1)], [(Answered, 1)]);
    /// Missed and declined rings ÷ rings.
    MissedRingRate "missed_ring_rate" "missed rings ÷ rings" Share Lower ratio!([(MissedRings, 1)], [(Rings, 1)]);
    /// Forced ends ÷ A.
    ForcedEndRate "forced_end_rate" "forced ends ÷ answered" Share Neither ratio!([(ForcedEnds, 1)], [(Answered, 1)]);
    /// Outbound dials in a replication.
    Dials "dials" "dials" Count Neither ratio!([(Dials, 1)], [(Replication, 1)]);
    /// Outbound dials that reached the customer, in a replication.
    DialsConnected "dials_connected" "dials connected" Count Higher ratio!([(DialsConnected, 1)], [(Replication, 1)]);
    /// Dials that reached the customer ÷ dials.
    DialConnectRate "dial_connect_rate" "dials connected ÷ dials" Share Higher ratio!([(DialsConnected, 1)], [(Dials, 1)]);
    /// Carried load: handle time ÷ the period, in erlangs.
    CarriedLoad "carried_load" "carried load" Erlangs Neither ratio!([(Handle, 1)], [(Elapsed, 1)]);
    /// Operators paid on average over the period: paid time ÷ the period.
    OperatorsPaid "operators_paid" "operators paid" Count Neither ratio!([(Paid, 1)], [(Elapsed, 1)]);
    /// Busy ÷ (busy + Ready); busy = Ringing + Dialing + Talking + Consulting + Holding + AfterCallWork. Work and Break are in neither.
    Occupancy "occupancy" "occupancy" Share Neither ratio!([(Busy, 1)], [(Busy, 1), (Ready, 1)]);
    /// Busy ÷ paid time (logged in, or rostered where a roster is given).
    Utilisation "utilisation" "utilisation" Share Neither ratio!([(Busy, 1)], [(Paid, 1)]);
    /// Share of paid time neither busy nor Ready. Rostered = needed ÷ (1 − shrinkage).
    Shrinkage "shrinkage" "shrinkage" Share Lower ratio!([(Paid, 1), (Busy, -1), (Ready, -1)], [(Paid, 1)]);
    /// max(0, 1 − time out of the rostered state ÷ rostered time); undefined without a roster.
    Adherence "adherence" "adherence" Share Higher Kind::OneMinus { over: &[(OutOfRoster, 1)], under: &[(Rostered, 1)] };
}

impl Metric {
    /// Whether the figure is of operators (a group's), not of calls (a queue's).
    #[must_use]
    pub const fn of_operators(self) -> bool {
        matches!(self, Self::OperatorsPaid | Self::Occupancy | Self::Utilisation | Self::Shrinkage | Self::Adherence)
    }

    /// The service level by one rule.
    #[must_use]
    pub const fn service_level(rule: EarlyAbandons) -> Self {
        match rule {
            EarlyAbandons::Short => Self::ServiceLevelShort,
            EarlyAbandons::Ignore => Self::ServiceLevelIgnore,
            EarlyAbandons::Negative => Self::ServiceLevelNegative,
            EarlyAbandons::Positive => Self::ServiceLevelPositive,
            EarlyAbandons::Handled => Self::ServiceLevelHandled,
        }
    }

    /// The figure that `name` names.
    ///
    /// # Errors
    /// [`UnknownMetric`], with the nearest name.
    pub fn parse(name: &str) -> Result<Self, UnknownMetric> {
        if let Some(found) = Self::ALL.iter().find(|metric| metric.name() == name) {
            return Ok(*found);
        }
        let wanted = name.trim().to_ascii_lowercase().replace([' ', '-'], "_");
        let nearest = Self::NAMES
            .iter()
            .map(|known| (strsim::jaro_winkler(&wanted, known), *known))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(likeness, _)| *likeness > 0.75)
            .map(|(_, known)| known);
        Err(UnknownMetric { name: name.to_owned(), nearest })
    }

    /// The figure for one row of primitives; `None` if its denominator is 0, or if it is not a ratio of primitives.
    ///
    /// ```
    /// use callfloor_measure::{Counts, EarlyAbandons, Metric, StaffTimes};
    /// let counts = Counts { offered: 200, answered: 150, answered_in_time: 120, ..Counts::default() };
    /// assert_eq!(Metric::ServiceLevelNegative.of(&counts, &StaffTimes::default()), Some(0.6));
    /// assert_eq!(Metric::ServiceLevel.of(&counts.judged(EarlyAbandons::Handled), &StaffTimes::default()), Some(0.8));
    /// ```
    #[must_use]
    pub fn of(self, counts: &Counts, staff: &StaffTimes) -> Option<f64> {
        let fraction = self.fraction()?;
        let get = |primitive| match primitive {
            Primitive::Elapsed => 0,
            Primitive::Replication => 1,
            _ => counts.get(primitive) + staff.get(primitive),
        };
        let (over, under) = (sum(fraction.over, get), sum(fraction.under, get));
        (under != 0).then(|| fraction.finish(over as f64 / under as f64))
    }

    /// Numerator and denominator, where the figure is a ratio of primitives.
    pub(crate) const fn fraction(self) -> Option<Fraction> {
        match self.kind() {
            Kind::Ratio { over, under, factor } => Some(Fraction { over, under, factor, one_minus: false }),
            Kind::OneMinus { over, under } => Some(Fraction { over, under, factor: 1.0, one_minus: true }),
            _ => None,
        }
    }
}

/// A figure's numerator and denominator as sums of primitives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fraction {
    pub(crate) over: Terms,
    pub(crate) under: Terms,
    pub(crate) factor: f64,
    pub(crate) one_minus: bool,
}

impl Fraction {
    /// The value from numerator ÷ denominator.
    pub(crate) fn finish(self, quotient: f64) -> f64 {
        if self.one_minus { (1.0 - quotient).max(0.0) } else { quotient * self.factor }
    }
}

/// Sum of terms, each a primitive with its coefficient.
pub(crate) fn sum(terms: Terms, get: impl Fn(Primitive) -> u64) -> i128 {
    terms.iter().map(|&(primitive, factor)| i128::from(get(primitive)) * i128::from(factor)).sum()
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A name that no figure has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownMetric {
    /// What was asked for.
    pub name: String,
    /// The nearest name that exists, where one is near.
    pub nearest: Option<&'static str>,
}

impl fmt::Display for UnknownMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no figure \"{}\"", self.name)?;
        match self.nearest {
            Some(nearest) => write!(f, ": did you mean \"{nearest}\"?"),
            None => write!(f, ": figures are {}", Metric::NAMES.join(", ")),
        }
    }
}

impl std::error::Error for UnknownMetric {}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(metric: Metric, counts: Counts, staff: StaffTimes) -> Option<f64> {
        metric.of(&counts.judged(EarlyAbandons::Short), &staff)
    }

    #[test]
    fn the_five_service_levels_have_their_golden_values() {
        let counts = Counts {
            offered: 1_060,
            answered: 1_000,
            abandoned: 60,
            answered_in_time: 860,
            abandoned_in_time: 20,
            abandoned_short: 10,
            ..Counts::default()
        };
        for (metric, golden) in [
            (Metric::ServiceLevelPositive, 0.8302),
            (Metric::ServiceLevelHandled, 0.8600),
            (Metric::ServiceLevelNegative, 0.8113),
            (Metric::ServiceLevelIgnore, 0.8269),
            (Metric::ServiceLevelShort, 0.8190),
            (Metric::ServiceLevel, 0.8190),
            (Metric::Abandonment, 50.0 / 1_050.0),
            (Metric::AbandonmentRaw, 60.0 / 1_060.0),
        ] {
            let found = value(metric, counts, StaffTimes::default()).unwrap();
            assert!((found - golden).abs() < 5e-5, "{metric}: {found} for {golden}");
        }
    }

    #[test]
    fn flow_outs_leave_the_denominator_of_the_short_rule_alone() {
        let counts = Counts { offered: 100, answered: 80, answered_in_time: 40, flowed_out: 20, ..Counts::default() };
        assert_eq!(value(Metric::ServiceLevelShort, counts, StaffTimes::default()), Some(0.5));
        assert_eq!(value(Metric::ServiceLevelNegative, counts, StaffTimes::default()), Some(0.4));
    }

    #[test]
    fn a_figure_with_nothing_under_it_is_none() {
        for metric in Metric::ALL {
            let found = value(*metric, Counts::default(), StaffTimes::default());
            let count = metric.fraction().is_some_and(|f| f.under[0].0 == Primitive::Replication);
            assert_eq!(found, count.then_some(0.0), "{metric}");
        }
    }

    #[test]
    fn work_and_break_are_in_neither_part_of_the_occupancy() {
        use crate::Status;
        let mut staff = StaffTimes { paid_us: 1_000, ..StaffTimes::default() };
        for (status, span) in [
            (Status::Talking, 300),
            (Status::Ringing, 20),
            (Status::AfterCallWork, 80),
            (Status::Ready, 100),
            (Status::Work, 200),
            (Status::Break, 300),
            (Status::LoggedOut, 7_000),
        ] {
            staff.add_status(status, span);
        }
        let value = |metric| value(metric, Counts::default(), staff);
        assert_eq!(value(Metric::Occupancy), Some(0.8));
        assert_eq!(value(Metric::Utilisation), Some(0.4));
        assert_eq!(value(Metric::Shrinkage), Some(0.5));
        assert_eq!(value(Metric::Adherence), None, "undefined with no roster");
        (staff.rostered_us, staff.out_of_roster_us) = (1_000, 250);
        assert_eq!(Metric::Adherence.of(&Counts::default(), &staff), Some(0.75));
        staff.out_of_roster_us = 1_500;
        assert_eq!(Metric::Adherence.of(&Counts::default(), &staff), Some(0.0));
    }

    #[test]
    fn handle_time_leaves_ring_and_dial_out() {
        let counts = Counts {
            answered: 2,
            talk_us: 100_000_000,
            hold_us: 20_000_000,
            consult_us: 10_000_000,
            after_call_us: 70_000_000,
            ring_us: 9_000_000,
            dial_us: 9_000_000,
            ..Counts::default()
        };
        assert_eq!(value(Metric::AhtS, counts, StaffTimes::default()), Some(100.0));
    }

    #[test]
    fn names_are_unique_and_a_wrong_one_gets_a_hint() {
        let names: std::collections::BTreeSet<_> = Metric::NAMES.iter().collect();
        assert_eq!(names.len(), Metric::ALL.len());
        for metric in Metric::ALL {
            assert_eq!(Metric::parse(metric.name()), Ok(*metric));
            assert!(!metric.definition().is_empty());
        }
        assert_eq!(Metric::parse("service_leval").unwrap_err().nearest, Some("service_level"));
        assert_eq!(Metric::parse("Abandonnement").unwrap_err().nearest, Some("abandonment"));
        assert_eq!(Metric::parse("zzz").unwrap_err().nearest, None);
    }
}
