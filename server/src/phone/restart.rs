//! After a restart the engine still knows calls whose telephones are gone: the world is told to it as it is.

use std::collections::BTreeSet;

use callfloor_engine::{CallPlace, Command, FarEndFault, OperatorId, Rejection, Status};

use crate::host::Turn;

/// Ends every call that lost its telephones with the last process, and notes that operators' devices are lost, but for those
/// that can be called as before: those that register again in time are restored, the others are logged out by their grace.
/// `reachable` is `None` where no telephones are served: no device was there to be lost.
///
/// # Errors
/// Never in a state that the engine's own check accepts; a rejection is told as it came.
pub fn let_go_of_lost_calls(turn: &mut Turn<'_>, reachable: Option<&BTreeSet<OperatorId>>) -> Result<usize, Rejection> {
    let before = turn.engine().live_calls();
    // A consult whose customer is gone goes on between operators: it takes another round to end.
    for _ in 0..3 {
        let calls: Vec<_> = turn.engine().calls().collect();
        for call in calls {
            let Some(now) = turn.engine().call(call.call) else { continue };
            let command = match (now.place, now.operator) {
                (CallPlace::Dialing, _) => Command::DialFailed { call: now.call, cause: FarEndFault::Failed },
                (CallPlace::Internal, Some(operator)) => Command::HangUp { operator },
                _ => Command::CustomerHungUp { call: now.call },
            };
            turn.apply(command)?;
        }
    }
    let Some(reachable) = reachable else { return Ok(before) };
    let operators = u32::try_from(turn.engine().config().operators.len()).unwrap_or(u32::MAX);
    for operator in (0..operators).map(OperatorId) {
        let Some(found) = turn.engine().operator(operator) else { continue };
        let (is_in, lost) = (found.status != Status::LoggedOut, found.device_lost);
        match reachable.contains(&operator) {
            false if is_in && !lost => turn.apply(Command::DeviceLost { operator })?,
            true if is_in && lost => turn.apply(Command::DeviceRestored { operator })?,
            _ => continue,
        };
    }
    Ok(before)
}
