//! An operator at work: status, what is in hand, and what routing needs to know about them.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::command::ChatStatus;
use crate::config::{Channel, StatusChoice, reason};
use crate::deadline::Timer;
use crate::id::{CallId, ChatId, OfferId, OperatorId, ReasonId, TicketId};
use crate::place::PlaceIndex;
use crate::routing::IdleKeys;
use crate::status::Status;
use crate::time::{Instant, Span};

/// On lines of the cache of its own: on a large floor each call waits for them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[repr(align(64))]
pub(crate) struct Desk {
    pub(crate) status: Status,
    pub(crate) chat_status: ChatStatus,
    pub(crate) reason: ReasonId,
    pub(crate) since: Instant,
    /// In a channel's idle index: phone, chat, ticket.
    pub(crate) idle: [bool; 3],
    /// Waits to be matched at the end of the command.
    pub(crate) unsettled: bool,
    pub(crate) device_lost: bool,

    /// The call in hand, rung for, or handled after.
    pub(crate) call: Option<CallId>,
    /// The phone offer that rings: a call, a consult or a callback.
    pub(crate) offer: Option<OfferId>,
    /// Another status chosen while it rings.
    pub(crate) chosen: Option<StatusChoice>,
    /// The status that follows when the ticket is handled.
    pub(crate) next: Option<StatusChoice>,
    /// The status before a dial; `None` for after-call work.
    pub(crate) before_dial: Option<StatusChoice>,
    /// The ticket of after-call work.
    pub(crate) wrap_up: Option<TicketId>,
    /// Where after-call work leads at its limit.
    pub(crate) after_call_then: StatusChoice,
    /// After-call work cannot be left by hand.
    pub(crate) timed: bool,
    pub(crate) after_call: Timer,
    pub(crate) after_call_prompt: Timer,
    pub(crate) grace: Timer,
    pub(crate) chats: Vec<ChatId>,
    pub(crate) tickets: Vec<TicketId>,
    /// Offers of chats and tickets: their capacity is reserved.
    pub(crate) chat_offers: u16,
    pub(crate) ticket_offers: u16,
    /// Work that waits for this operator alone.
    pub(crate) reserved: Vec<PlaceIndex>,

    pub(crate) logged_in: Instant,
    pub(crate) last_call: Instant,
    pub(crate) ready_since: Instant,
    pub(crate) ready_sequence: u64,
    pub(crate) last_offer: u64,
    pub(crate) calls: u32,
    pub(crate) misses: u16,
    /// Time in each status since login, in the order of [`Status::ALL`].
    pub(crate) times: [Span; 10],
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            status: Status::LoggedOut,
            chat_status: ChatStatus::Away,
            reason: reason::NONE,
            since: Instant::ZERO,
            idle: [false; 3],
            unsettled: false,
            device_lost: false,
            call: None,
            offer: None,
            chosen: None,
            next: None,
            before_dial: None,
            wrap_up: None,
            after_call_then: StatusChoice::Ready,
            timed: false,
            after_call: Timer::NONE,
            after_call_prompt: Timer::NONE,
            grace: Timer::NONE,
            chats: Vec::new(),
            tickets: Vec::new(),
            chat_offers: 0,
            ticket_offers: 0,
            reserved: Vec::new(),
            logged_in: Instant::ZERO,
            last_call: Instant::ZERO,
            ready_since: Instant::ZERO,
            ready_sequence: 0,
            last_offer: 0,
            calls: 0,
            misses: 0,
            times: [Span::ZERO; 10],
        }
    }

    /// Chats in hand or offered.
    pub(crate) fn chat_load(&self) -> u32 {
        crate::routing::small(self.chats.len()) + u32::from(self.chat_offers)
    }

    /// Tickets worked on by assignment, or offered.
    pub(crate) fn ticket_load(&self) -> u32 {
        crate::routing::small(self.tickets.len()) + u32::from(self.ticket_offers)
    }

    /// Whether a call could come to this operator without their doing anything but finishing what they do.
    pub(crate) fn takes_calls(&self) -> bool {
        self.status == Status::Ready || self.status.is_busy()
    }

    /// Busy share of logged-in time until now, in millionths.
    fn occupied(&self) -> u32 {
        let busy: u64 =
            Status::ALL.iter().zip(&self.times).filter(|(s, _)| s.is_busy()).map(|(_, t)| t.as_micros()).sum();
        let all: u64 = self.times.iter().map(|time| time.as_micros()).sum();
        let occupied = (u128::from(busy) * 1_000_000).checked_div(u128::from(all)).unwrap_or(0);
        u32::try_from(occupied).expect("a share of at most one million millionths")
    }

    /// The keys of idle orders; the share of busy time, which costs more, only where a policy asks for it.
    pub(crate) fn idle_keys(&self, with_occupancy: bool) -> IdleKeys {
        let occupied = if with_occupancy { self.occupied() } else { 0 };
        IdleKeys {
            last_call: self.last_call.as_micros(),
            ready_since: self.ready_since.as_micros(),
            ready_sequence: self.ready_sequence,
            calls: self.calls,
            occupied,
            last_offer: self.last_offer,
        }
    }
}

/// Places of [`Desk::idle`].
pub(crate) const fn lane(channel: Channel) -> usize {
    match channel {
        Channel::Phone => 0,
        Channel::Chat => 1,
        Channel::Ticket => 2,
    }
}

/// A presentation of work to an operator.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Offer {
    pub(crate) work: crate::output::Work,
    pub(crate) operator: OperatorId,
    /// `None` for a consult or a blind transfer.
    pub(crate) place: Option<PlaceIndex>,
    pub(crate) leg: u16,
    pub(crate) made: Instant,
    pub(crate) timer: Timer,
}
