//! SIP, SDP, RTP and media for contact centres: what a server and a load generator share. It knows nothing of either.
//!
//! - [`Endpoint`] binds UDP, TCP and TLS, takes orders about call legs and tells [`Event`]s. It is a thin driver around
//!   [`Stack`], which has no sockets, threads or clock and can be driven by hand.
//! - [`sdp`] reads, offers and answers session descriptions.
//! - [`media`] plays, relays, mixes and records audio behind the [`Media`] trait.
//! - [`message`] parses SIP; [`digest`] authenticates.

pub mod digest;
mod endpoint;
mod event;
mod flow;
pub mod media;
pub mod message;
mod order;
pub mod sdp;
mod stack;

pub use endpoint::{BindError, Endpoint, EndpointConfig, Events, Listen, OrderError, Tls};
pub use endpoint::{MostConnections, NoPlace, Place, Places, network};
pub use event::{
    Bound, Cause, Contact, Event, Incoming, LegId, ReferTarget, RegisterRequest, RegistrationId, Replaces, RequestId,
};
pub use flow::{Flow, Transport};
pub use media::{
    Direction, Encryption, Media, MediaError, MediaEvent, MixId, Recording, RecordingEnd, SessionId, SessionOptions,
    Source, Statistics,
};
pub use order::{Admission, Credentials, Invite, Order, Registration, Via};
pub use sdp::SdpError;
pub use stack::{Counters, ListenerInfo, Settings, SourceAddress, Stack, Transmit};
