//! Whose records somebody reads: everybody's, or those of the issues of their services.

use callfloor_engine::ServiceId;

use crate::auth::{Caller, Principal, Role};
use crate::floor::ServiceExtra;
use crate::host::Turn;
use crate::http::Problem;
use crate::issues::{ServiceKind, Shows};
use crate::tickets::Ticket;

/// Most tickets of a customer among which an issue is looked for.
const MOST: usize = 5_000;

/// Whose records somebody reads.
#[derive(Clone, Debug)]
pub(super) enum Reach {
    /// Everybody's: a supervisor's, and an operator's of a desk.
    All,
    /// Those with an issue at these services, which show customers: an operator's of issue services alone.
    Issues(Vec<u16>),
}

impl Reach {
    pub(super) fn of(turn: &mut Turn<'_>, who: &Principal) -> Result<Self, Problem> {
        if who.role != Role::Operator {
            return Ok(Self::All);
        }
        let people = &turn.engine().config().operators;
        let person = who.operator.and_then(|operator| people.get(operator.index()));
        let own: Vec<ServiceId> = person.map(|person| person.services.clone()).unwrap_or_default();
        let mut shown = Vec::new();
        for service in &own {
            match ServiceExtra::of(turn.documents(), *service)?.kind {
                ServiceKind::Desk => return Ok(Self::All),
                ServiceKind::Issues { shows } if shows >= Shows::Customer => shown.push(service.0),
                ServiceKind::Issues { .. } => {}
            }
        }
        // Who has no service yet is to have a desk.
        Ok(if own.is_empty() { Self::All } else { Self::Issues(shown) })
    }

    /// Whether every record is within reach.
    pub(super) fn all(&self) -> Result<(), Problem> {
        match self {
            Self::All => Ok(()),
            Self::Issues(_) => {
                Err(Problem::forbidden("an issue service is shown the customers of its issues, one at a time"))
            }
        }
    }

    /// Whether what a service had to do with a customer is.
    pub(super) fn service(&self, service: u16) -> bool {
        match self {
            Self::All => true,
            Self::Issues(services) => services.contains(&service),
        }
    }

    /// Whether one customer's is.
    pub(super) fn one(&self, turn: &mut Turn<'_>, id: u64) -> Result<(), Problem> {
        let Self::Issues(services) = self else { return Ok(()) };
        let tickets = turn.documents().with_prefix::<Ticket>("customer", &format!("{id}:"), MOST)?;
        if tickets.iter().any(|ticket| services.contains(&ticket.service)) {
            return Ok(());
        }
        Err(Problem::unknown(format!("there is no customer {id} for you")))
    }
}

/// What somebody reaches of one customer's record.
///
/// # Errors
/// That there is no such customer for them, or that there is no answer at present.
pub(super) async fn reach(caller: &Caller, id: u64) -> Result<Reach, Problem> {
    if caller.principal.role != Role::Operator {
        return Ok(Reach::All);
    }
    let who = caller.principal.clone();
    let look = move |turn: &mut Turn<'_>| {
        let reach = Reach::of(turn, &who)?;
        reach.one(turn, id)?;
        Ok(reach)
    };
    caller.look(look).await
}
