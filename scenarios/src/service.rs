//! Services: contract flags, opening hours and the settings of the phone desk.

use callfloor_engine::PhoneNumber;

use crate::clock::{DAY_US, OpeningHours, SECOND_US};

/// Longest message of a queue's overflow rule `voicemail`, in microseconds.
pub const VOICEMAIL_LIMIT_US: u64 = 120_000_000;

/// A line of business.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Name, unique in the scenario.
    pub name: String,
    /// The contract covers inbound calls.
    pub inbound: bool,
    /// The contract covers outbound calls.
    pub outbound: bool,
    /// Opening hours, for the hours step of a flow.
    pub hours: OpeningHours,
    /// Settings of the phone desk.
    pub settings: Settings,
    /// Registered caller ids, the first preselected.
    pub outgoing_numbers: Vec<PhoneNumber>,
    /// Favourite transfer numbers.
    pub favourites: Vec<Favourite>,
}

/// A favourite transfer number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Favourite {
    /// Name.
    pub name: String,
    /// Number.
    pub number: PhoneNumber,
}

/// Settings of a service. Spans are in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Status at CTI login.
    pub login_status: LoginStatus,
    /// Ring limit, after which an unanswered contact is recovered.
    pub ring_limit_us: u64,
    /// What a missed or declined offer does to the operator.
    pub miss_rule: MissRule,
    /// When an outbound ticket is created.
    pub outbound_ticket: OutboundTicket,
    /// Ring limit of a dial.
    pub dial_limit_us: u64,
    /// Ring limit of a consulted party.
    pub consult_limit_us: u64,
    /// Limit of after-call work; without one the operator leaves it by hand.
    pub after_call_limit_us: Option<u64>,
    /// Status after after-call work.
    pub next_status: NextStatus,
    /// Longest after-call work is also the shortest: the operator may not leave earlier.
    pub after_call_fixed: bool,
    /// Length of the forced-end announcement.
    pub forced_end_announcement_us: u64,
    /// What happens to a call whose operator's device is lost.
    pub device_lost: DeviceLost,
    /// A lost device that does not come back within this span logs its operator out.
    pub device_grace_us: u64,
    /// The end of after-call work solves the contact's ticket.
    pub solve_at_wrap_up: bool,
    /// Span from Solved to Closed.
    pub ticket_close_us: u64,
    /// Dials for a callback before it is given up.
    pub callback_attempts: u8,
    /// Span between a failed callback and the next offer.
    pub callback_retry_us: u64,
}

/// Status at CTI login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginStatus {
    /// Work; the operator becomes Ready by hand.
    Work,
    /// Ready at once.
    Ready,
    /// Break.
    Break,
}

/// What a missed or declined offer does to the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissRule {
    /// Leaves Ready for Work.
    Work,
    /// Stays Ready, last in the idle order and not offered that contact while another can take it.
    StayReady {
        /// Break after so many misses in a row; never if absent.
        break_after: Option<u16>,
    },
}

/// When an outbound call's ticket is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboundTicket {
    /// When the customer is connected.
    AtConnect,
    /// At the dial.
    AtDial,
}

/// Status after after-call work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStatus {
    /// Ready.
    Ready,
    /// Work.
    Work,
    /// Break.
    Break,
}

/// What happens to a call whose operator's device is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceLost {
    /// The customer goes back to the head of the queue.
    Requeue,
    /// The call ends.
    End,
}

/// Kind of contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// A call.
    Phone,
    /// A chat.
    Chat,
    /// A ticket: mail, web form or other work without a live customer.
    Ticket,
}

/// What work of each channel costs of an operator's capacity, and what may interrupt what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blending {
    /// Points of a call.
    pub phone_points: u16,
    /// Points of a chat.
    pub chat_points: u16,
    /// Points of a ticket.
    pub ticket_points: u16,
    /// A call may be offered to an operator who works on tickets.
    pub phone_interrupts_tickets: bool,
    /// A call may be offered to an operator who has chats.
    pub phone_interrupts_chats: bool,
    /// A chat may be offered to an operator who works on tickets.
    pub chat_interrupts_tickets: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            login_status: LoginStatus::Work,
            ring_limit_us: 15 * SECOND_US,
            miss_rule: MissRule::Work,
            outbound_ticket: OutboundTicket::AtConnect,
            dial_limit_us: 60 * SECOND_US,
            consult_limit_us: 30 * SECOND_US,
            after_call_limit_us: None,
            after_call_fixed: false,
            next_status: NextStatus::Ready,
            forced_end_announcement_us: 8 * SECOND_US,
            device_lost: DeviceLost::Requeue,
            device_grace_us: 30 * SECOND_US,
            solve_at_wrap_up: true,
            ticket_close_us: 14 * DAY_US,
            callback_attempts: 3,
            callback_retry_us: 300 * SECOND_US,
        }
    }
}

impl Default for Blending {
    fn default() -> Self {
        Self {
            phone_points: 100,
            chat_points: 20,
            ticket_points: 20,
            phone_interrupts_tickets: true,
            phone_interrupts_chats: false,
            chat_interrupts_tickets: true,
        }
    }
}
