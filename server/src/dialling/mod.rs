//! Numbers outside: which may be dialled (P4), and how many in an hour and a day. One rule for the widget, for operators'
//! telephones and for callbacks.

mod caps;
mod counts;
mod http;

use axum::http::StatusCode;
use callfloor_engine::{CallbackId, EngineConfig, Instant, NumberState, OperatorId, PhoneNumber, ServiceId};

pub use caps::{Caps, Period};
pub use counts::DialCounts;
pub(crate) use counts::Dials;
pub(crate) use http::{PERMISSIONS, router};

use crate::floor::{Barred, Organisation, ServiceExtra};
use crate::host::{Documents, Turn};
use crate::http::Problem;
use crate::storage::StorageError;

/// The service's number that a dial shows where none is named: the first Confirmed one.
pub(crate) fn first_confirmed(config: &EngineConfig, service: ServiceId) -> Option<PhoneNumber> {
    let mut outgoing = config.services.get(service.index())?.outgoing.iter();
    outgoing.find(|outgoing| outgoing.state == NumberState::Confirmed).map(|outgoing| outgoing.number)
}

fn is_operators_own(turn: &Turn<'_>, number: PhoneNumber) -> bool {
    turn.engine().config().operators.iter().any(|operator| operator.cti_number == Some(number))
}

/// Whether the organisation's number plan allows a number.
///
/// # Errors
/// That it is barred, or what storage says.
pub(crate) fn allowed(turn: &mut Turn<'_>, number: PhoneNumber) -> Result<(), Problem> {
    if is_operators_own(turn, number) {
        return Ok(());
    }
    let plan = Organisation::now(turn.documents())?.numbers;
    plan.allows(number).map_err(|barred| {
        let refused = |detail| Problem::new(StatusCode::FORBIDDEN, "number-barred", detail);
        match barred {
            Barred::International => refused("numbers of other countries may not be dialled from here".to_owned()),
            Barred::Prefix(prefix) => refused(format!("numbers that begin with {prefix} may not be dialled from here")),
        }
    })
}

/// Whether a number may be dialled now for a service, under an outgoing number where the customer is to see one.
///
/// # Errors
/// That it is barred; that the service or the outgoing number has dialled as many as it may, and when the next one is
/// allowed; or what storage says.
pub(crate) fn may_dial(
    turn: &mut Turn<'_>,
    service: ServiceId,
    from: Option<PhoneNumber>,
    to: PhoneNumber,
) -> Result<(), Problem> {
    allowed(turn, to)?;
    if is_operators_own(turn, to) {
        return Ok(());
    }
    let now = turn.now();
    within_caps(turn.documents(), service, from, now)
}

/// As [`may_dial`], for a number outside whom an operator's call goes to or consults.
///
/// # Errors
/// Those of [`may_dial`].
pub(crate) fn may_reach(turn: &mut Turn<'_>, operator: OperatorId, to: PhoneNumber) -> Result<(), Problem> {
    let engine = turn.engine();
    let call = engine.operator(operator).and_then(|desk| desk.call).and_then(|call| engine.call(call));
    match call.map(|call| call.service) {
        Some(service) => may_dial(turn, service, None, to),
        // The engine says that there is no call.
        None => allowed(turn, to),
    }
}

/// As [`may_dial`], for a callback that an operator accepts.
///
/// # Errors
/// Those of [`may_dial`].
pub(crate) fn may_call_back(turn: &mut Turn<'_>, callback: CallbackId) -> Result<(), Problem> {
    let engine = turn.engine();
    let Some(found) = engine.callback(callback) else { return Ok(()) };
    let service = engine.config().queues[found.queue.index()].service;
    let from = first_confirmed(engine.config(), service);
    may_dial(turn, service, from, found.to)
}

fn within_caps(
    documents: &mut Documents,
    service: ServiceId,
    from: Option<PhoneNumber>,
    now: Instant,
) -> Result<(), Problem> {
    let extra = ServiceExtra::of(documents, service)?;
    let zone = caps::zone(&extra)?;
    let now_us = now.as_micros();
    let whole = DialCounts::of(documents, service, None)?;
    let mut all = vec![(format!("service {}", service.0), extra.dial_caps, whole)];
    if let Some(from) = from {
        let caps = extra.number_caps.get(&from.to_string()).copied().unwrap_or(Caps::NONE);
        let counts = DialCounts::of(documents, service, Some(from))?;
        all.push(("this outgoing number".to_owned(), caps, counts));
    }
    for (who, caps, counts) in all {
        for period in [Period::Day, Period::Hour] {
            let Some(most) = caps.most(period) else { continue };
            let (begun, next_us) = period.bounds(&zone, now_us)?;
            if counts.in_period(period, begun) >= most {
                return Err(refused(&who, period, most, next_us, now_us, &zone));
            }
        }
    }
    Ok(())
}

fn refused(who: &str, period: Period, most: u32, next_us: u64, now_us: u64, zone: &jiff::tz::TimeZone) -> Problem {
    let detail = format!(
        "{who} has dialled {most} numbers this {}, which is the most: the next dial is allowed at {}",
        period.word(),
        caps::written(next_us, zone),
    );
    let seconds = next_us.saturating_sub(now_us).div_ceil(1_000_000);
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "dial-cap", detail)
        .retry_after(u32::try_from(seconds).unwrap_or(u32::MAX))
}

/// The zone's data cannot be read: an administrator wrote it, and it was right then.
fn no_zone(name: &str) -> StorageError {
    StorageError::Damaged { place: format!("time zone {name:?}"), what: "it is not known".to_owned() }
}
