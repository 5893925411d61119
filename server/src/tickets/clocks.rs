//! A ticket's clocks: what the engine's own showed when it last changed the ticket, and the same worked out from its history
//! (B16), as long as the service's hours were the same all the time.

use callfloor_engine::{Instant, OpeningHours, TicketTimes};
use serde::{Deserialize, Serialize};

use super::{Line, LineKind, Origin};
use crate::wire::TicketStatus;

/// Business time that counted, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Clocks {
    /// In New and Open until the first reply.
    pub first_response_us: u64,
    /// In New and Open.
    pub resolution_us: u64,
}

impl From<TicketTimes> for Clocks {
    fn from(times: TicketTimes) -> Self {
        Self { first_response_us: times.first_response.as_micros(), resolution_us: times.resolution.as_micros() }
    }
}

impl Clocks {
    /// After they have run from one moment to a later one without a reply or another status; the clock of the first
    /// response stands where it stood.
    #[must_use]
    pub fn later(self, hours: &OpeningHours, from_us: u64, to_us: u64) -> Self {
        let spent = hours.business_time(Instant::from_micros(from_us), Instant::from_micros(to_us.max(from_us)));
        Self { resolution_us: self.resolution_us + spent.as_micros(), ..self }
    }

    /// From the lines of one ticket, in order, up to `now_us`.
    #[must_use]
    pub fn of(lines: &[Line], hours: &OpeningHours, now_us: u64) -> Self {
        let mut clocks = Self::default();
        let (mut since, mut runs, mut replied) = (0, false, true);
        let mut book = |from: u64, to: u64, runs: bool, replied: bool| {
            let spent = hours.business_time(Instant::from_micros(from), Instant::from_micros(to.max(from)));
            if runs {
                clocks.resolution_us += spent.as_micros();
            }
            if runs && !replied {
                clocks.first_response_us += spent.as_micros();
            }
        };
        for line in lines {
            book(since, line.at_us, runs, replied);
            since = line.at_us;
            match &line.kind {
                // Whoever speaks or chats with the customer has replied.
                LineKind::Created { origin, .. } => {
                    (runs, replied) = (true, !matches!(origin, Origin::Written | Origin::Voicemail(_)));
                }
                LineKind::Status { to, .. } => runs = matches!(to, TicketStatus::New | TicketStatus::Open),
                LineKind::Replied { .. } => replied = true,
                _ => {}
            }
        }
        book(since, now_us, runs, replied);
        clocks
    }
}
