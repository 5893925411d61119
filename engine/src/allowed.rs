//! Which buttons are active: what would be refused, and by which rule, without doing anything.

use crate::call::Stage;
use crate::desk::Desk;
use crate::engine::Engine;
use crate::id::OperatorId;
use crate::rejection::{Asked, Rejection};
use crate::status::Status;

impl Engine {
    /// Why the engine would refuse what an operator may ask for by a button, whatever target or number goes with it;
    /// `None` where it would not.
    ///
    /// Covers logging in and out, statuses, dialling and everything that is done in a call. What is asked of a call by
    /// others (priority, digits, playback) is [`Rejection::Unknown`]'s business: `None`.
    #[must_use]
    pub fn refusal(&self, operator: OperatorId, asked: Asked) -> Option<Rejection> {
        self.possible(operator, asked).err()
    }

    fn possible(&self, operator: OperatorId, asked: Asked) -> Result<(), Rejection> {
        self.known_operator(operator)?;
        let desk = &self.desks[operator.index()];
        let config = &self.config.operators[operator.index()];
        let status = desk.status;
        let wrong = || Err(Rejection::WrongStatus { operator, status, asked });
        match asked {
            Asked::LogIn if status != Status::LoggedOut => wrong(),
            Asked::LogIn if !config.phone => Err(Rejection::NoPhoneRight(operator)),
            Asked::LogIn if config.cti_id.is_none() => Err(Rejection::NoCtiId(operator)),
            Asked::LogIn if config.cti_number.is_none() => Err(Rejection::NoCtiNumber(operator)),
            Asked::LogOut
                if !matches!(status, Status::Work | Status::Ready | Status::Break | Status::AfterCallWork) =>
            {
                wrong()
            }
            Asked::ChangeStatus
                if matches!(
                    status,
                    Status::LoggedOut | Status::Dialing | Status::Talking | Status::Consulting | Status::Holding
                ) =>
            {
                wrong()
            }
            Asked::LogOut | Asked::ChangeStatus if status == Status::AfterCallWork => {
                self.may_leave_after_call(operator)
            }
            Asked::ChooseNextStatus
                if !matches!(
                    status,
                    Status::Dialing | Status::Talking | Status::Consulting | Status::Holding | Status::AfterCallWork
                ) =>
            {
                wrong()
            }
            Asked::Dial => self.may_dial(operator, desk),
            Asked::Supervise if self.supervised(operator).is_none() => self.may_supervise(operator).map(drop),
            Asked::TakeOver => self.call_to_take_over(operator).map(drop),
            Asked::HangUp => self.may_hang_up(operator, desk),
            Asked::Hold => {
                let call = self.own_call(operator, asked)?;
                match (status, self.calls[call].stage) {
                    (_, Stage::Conference) => Err(Rejection::InConference(operator)),
                    (Status::Talking, _) => Ok(()),
                    _ => wrong(),
                }
            }
            Asked::Release | Asked::ForceEnd => {
                self.own_call(operator, asked)?;
                let unsuited = if asked == Asked::Release { Status::Talking } else { Status::Consulting };
                if status == unsuited { wrong() } else { self.plain_call(operator, asked).map(drop) }
            }
            Asked::Consult | Asked::BlindTransfer => self.plain_call(operator, asked).map(drop),
            Asked::ConnectCustomer | Asked::Conference => {
                let call = self.own_call(operator, asked)?;
                self.answered_consult(operator, call)
            }
            Asked::CancelConsult => {
                let call = match self.own_call(operator, asked) {
                    Err(Rejection::CustomerGone(_)) => return Ok(()),
                    call => call?,
                };
                match (self.calls[call].stage, self.calls[call].target) {
                    (Stage::Conference, _) => Err(Rejection::InConference(operator)),
                    (_, None) => Err(Rejection::NoConsult(operator)),
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn may_dial(&self, operator: OperatorId, desk: &Desk) -> Result<(), Rejection> {
        let status = desk.status;
        if !matches!(status, Status::Work | Status::Ready | Status::Break | Status::AfterCallWork) {
            return Err(Rejection::WrongStatus { operator, status, asked: Asked::Dial });
        }
        if desk.device_lost {
            return Err(Rejection::DeviceLost(operator));
        }
        if status != Status::AfterCallWork && !self.fits_call(operator) {
            return Err(Rejection::NoCapacity(operator));
        }
        Ok(())
    }

    fn may_hang_up(&self, operator: OperatorId, desk: &Desk) -> Result<(), Rejection> {
        match desk.status {
            Status::Dialing => Ok(()),
            Status::Talking | Status::Holding | Status::Consulting => {
                let found = &self.calls[self.call_of(operator)];
                match found.stage {
                    Stage::Ending(_) if found.operator == Some(operator) => Err(Rejection::Ending(operator)),
                    _ => Ok(()),
                }
            }
            status => Err(Rejection::WrongStatus { operator, status, asked: Asked::HangUp }),
        }
    }
}
