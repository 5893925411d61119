//! SIP as a load generator needs it: thousands of calls on one UDP socket, without I/O, clock or locks.
//!
//! [`Agent`] is driven by hand: datagrams and time go in, datagrams and [`Event`]s come out. A call is found by the number in its
//! own Call-ID and branch, not by a hash of their text. What both the server and this need of SIP (parsing, descriptions, digests)
//! is `callfloor_sip`'s.
//!
//! Follows RFC 3261: timers A, B, E, F, G and H (T1 = 500 ms, T2 = 4 s), CANCEL only after a provisional response, ACK for every
//! final response to INVITE, loose routes, digest authentication once a request.

mod agent;
mod call;
mod incoming;
mod outgoing;
#[cfg(test)]
mod tests;
mod traffic;
mod write;

pub use agent::{Agent, Credentials, Datagram};
pub use call::{CallKey, Event, Failure};
pub use traffic::Traffic;

/// Microseconds of real time since the run's start.
pub type Micros = u64;

/// Round-trip estimate: the first interval of retransmissions.
pub const T1_US: Micros = 500_000;
/// The longest interval of retransmissions of everything but INVITE.
pub const T2_US: Micros = 4_000_000;
/// After this a request without an answer has failed: 64·T1.
pub const TIMEOUT_US: Micros = 64 * T1_US;
