//! Thresholds that decide the exit code, and the metrics that they may name.

use crate::scenario::QueueIndex;

/// A bound on a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// What is measured.
    pub metric: Metric,
    /// Over what.
    pub scope: Scope,
    /// Least value that passes, in the metric's unit.
    pub min: Option<f64>,
    /// Greatest value that passes.
    pub max: Option<f64>,
}

/// What a threshold looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All queues together.
    Total,
    /// One queue.
    Queue(QueueIndex),
    /// Every statistics interval with at least one offered contact, of one queue or of all.
    EveryInterval(Option<QueueIndex>),
}

/// Defines [`Metric`] with its names.
macro_rules! metrics {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A figure of the reports. Definitions: `measure`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Metric {
            $($(#[$doc])* $variant,)*
        }

        impl Metric {
            /// Every metric, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in files and on the command line; the unit ends it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

metrics! {
    /// Service level by the queue's own rule.
    ServiceLevel = "service_level",
    /// Service level, short abandons and flow-outs left out.
    ServiceLevelShort = "service_level_short",
    /// Service level, early abandons left out.
    ServiceLevelIgnore = "service_level_ignore",
    /// Service level, every abandon a miss.
    ServiceLevelNegative = "service_level_negative",
    /// Service level, early abandons in time.
    ServiceLevelPositive = "service_level_positive",
    /// Service level of answered contacts alone.
    ServiceLevelHandled = "service_level_handled",
    /// Share of replications that reached the service-level target.
    PMet = "p_met",
    /// Mean wait of answered contacts in seconds.
    AsaS = "asa_s",
    /// Mean wait of all contacts in seconds.
    WaitMeanS = "wait_mean_s",
    /// Median wait in seconds.
    WaitP50S = "wait_p50_s",
    /// 90th percentile of the wait in seconds.
    WaitP90S = "wait_p90_s",
    /// 95th percentile of the wait in seconds.
    WaitP95S = "wait_p95_s",
    /// 99th percentile of the wait in seconds.
    WaitP99S = "wait_p99_s",
    /// Longest wait in seconds.
    WaitMaxS = "wait_max_s",
    /// Abandonment without short abandons.
    Abandonment = "abandonment",
    /// Abandoned ÷ offered.
    AbandonmentRaw = "abandonment_raw",
    /// Average handle time in seconds.
    AhtS = "aht_s",
    /// Occupancy.
    Occupancy = "occupancy",
    /// Utilisation.
    Utilisation = "utilisation",
    /// Shrinkage.
    Shrinkage = "shrinkage",
    /// Time-weighted mean number waiting.
    QueueMean = "queue_mean",
    /// Contacts offered in a replication.
    Offered = "offered",
    /// Contacts answered in a replication.
    Answered = "answered",
    /// Contacts abandoned in a replication.
    Abandoned = "abandoned",
    /// Contacts that flowed out in a replication.
    FlowedOut = "flowed_out",
    /// Contacts refused in a replication.
    Refused = "refused",
    /// Transfers ÷ answered.
    TransferRate = "transfer_rate",
    /// Contacts with a hold ÷ answered.
    HoldRate = "hold_rate",
    /// Missed rings ÷ rings.
    MissedRingRate = "missed_ring_rate",
    /// Forced ends ÷ answered.
    ForcedEndRate = "forced_end_rate",
}

impl Metric {
    /// The metric of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|metric| metric.name() == name)
    }

    /// Whether it is a share in [0, 1].
    #[must_use]
    pub const fn is_share(self) -> bool {
        matches!(
            self,
            Self::ServiceLevel
                | Self::ServiceLevelShort
                | Self::ServiceLevelIgnore
                | Self::ServiceLevelNegative
                | Self::ServiceLevelPositive
                | Self::ServiceLevelHandled
                | Self::PMet
                | Self::Abandonment
                | Self::AbandonmentRaw
                | Self::Occupancy
                | Self::Utilisation
                | Self::Shrinkage
                | Self::TransferRate
                | Self::HoldRate
                | Self::MissedRingRate
                | Self::ForcedEndRate
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_metric() {
        for &metric in Metric::ALL {
            assert_eq!(Metric::from_name(metric.name()), Some(metric));
        }
    }
}
