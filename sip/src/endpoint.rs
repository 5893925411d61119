//! The endpoint: sockets around the [`Stack`](crate::Stack), a handle to order with, a stream of events.

mod driver;
mod places;
mod stream;

use crate::event::{Bound, Event, LegId, RegistrationId, RequestId};
use crate::flow::{Flow, Transport};
use crate::order::{Admission, Invite, Order, Registration};
use crate::stack::{Counters, Settings};
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::mpsc;

pub use places::{MostConnections, NoPlace, Place, Places, network};

/// One address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The transport.
    pub transport: Transport,
    /// The address; port 0 takes any free one.
    pub address: SocketAddr,
    /// The address that Via and Contact show, where it is another (behind a translator).
    pub public: Option<SocketAddr>,
}

impl Listen {
    /// UDP on that address.
    #[must_use]
    pub const fn udp(address: SocketAddr) -> Self {
        Self { transport: Transport::Udp, address, public: None }
    }

    /// TCP on that address.
    #[must_use]
    pub const fn tcp(address: SocketAddr) -> Self {
        Self { transport: Transport::Tcp, address, public: None }
    }

    /// TLS on that address.
    #[must_use]
    pub const fn tls(address: SocketAddr) -> Self {
        Self { transport: Transport::Tls, address, public: None }
    }
}

/// Certificates for TLS, as rustls takes them.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// For connections that come in. Needed if a listener has TLS.
    pub server: Option<Arc<rustls::ServerConfig>>,
    /// For connections that go out. Needed to call by TLS.
    pub client: Option<Arc<rustls::ClientConfig>>,
}

impl Tls {
    /// Reads PEM texts: our chain and key for connections that come in, the roots trusted for those that go out.
    ///
    /// # Errors
    /// Says which text is wrong and how.
    pub fn from_pem(chain_and_key: Option<(&[u8], &[u8])>, roots: Option<&[u8]>) -> Result<Self, BindError> {
        stream::tls_from_pem(chain_and_key, roots)
    }
}

/// What an endpoint needs to begin.
#[derive(Clone, Debug, Default)]
pub struct EndpointConfig {
    /// Where to listen; at least one.
    pub listen: Vec<Listen>,
    /// TLS certificates and roots.
    pub tls: Tls,
    /// The stack's settings.
    pub settings: Settings,
    /// Connections by TCP and TLS that may come in, to all listeners together.
    pub connections: Places,
}

/// Why an endpoint cannot begin.
#[derive(Debug)]
#[non_exhaustive]
pub enum BindError {
    /// No address was given.
    NothingToListenOn,
    /// The address is taken or not ours.
    Address {
        /// Which.
        listen: Listen,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A certificate, key or root cannot be used.
    Tls {
        /// What is wrong.
        what: String,
    },
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingToListenOn => f.write_str("no address to listen on was given"),
            Self::Address { listen, source } => {
                write!(f, "cannot listen on {} {}: {source}", listen.transport.as_str(), listen.address)
            }
            Self::Tls { what } => write!(f, "cannot use TLS: {what}"),
        }
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Address { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// An order was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrderError {
    /// The endpoint has stopped.
    Stopped,
    /// Too many orders wait; the endpoint is overloaded.
    Full,
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stopped => "the SIP endpoint has stopped",
            Self::Full => "too many orders wait for the SIP endpoint",
        })
    }
}

impl std::error::Error for OrderError {}

/// Orders that may wait at most.
const MAX_ORDERS: usize = 1 << 16;

/// A handle to a running endpoint: cheap to clone, never waits.
///
/// An order about a leg that is over does nothing: its [`Event::Ended`] is on its way or was seen.
#[derive(Clone, Debug)]
pub struct Endpoint {
    orders: mpsc::UnboundedSender<Order>,
    waiting: Arc<AtomicUsize>,
    ids: Arc<AtomicU64>,
    counters: Arc<Counters>,
    addresses: Arc<[SocketAddr]>,
    transports: Arc<[Transport]>,
    identity: Identity,
}

/// What listeners by TLS show of us: it can be changed while they run.
type Identity = Arc<RwLock<Option<Arc<rustls::ServerConfig>>>>;

/// The events of an endpoint, in order.
#[derive(Debug)]
pub struct Events {
    receiver: mpsc::UnboundedReceiver<Event>,
    waiting: Arc<AtomicUsize>,
}

impl Events {
    /// Waits for the next event; `None` after the endpoint has stopped.
    pub async fn next(&mut self) -> Option<Event> {
        let event = self.receiver.recv().await?;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        Some(event)
    }

    /// The next event if it is there already.
    pub fn try_next(&mut self) -> Option<Event> {
        let event = self.receiver.try_recv().ok()?;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        Some(event)
    }
}

impl Endpoint {
    /// Binds the addresses and starts the endpoint on the present tokio runtime.
    ///
    /// It stops when every handle is dropped, or by [`Endpoint::shutdown`].
    ///
    /// # Errors
    /// If an address cannot be bound or TLS is not usable.
    pub async fn bind(config: EndpointConfig) -> Result<(Self, Events), BindError> {
        driver::bind(config).await
    }

    /// The addresses that are listened on, in the order of [`EndpointConfig::listen`].
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The flow to a peer by the first listener of that transport and address family; `None` where there is none.
    #[must_use]
    pub fn flow_to(&self, transport: Transport, remote: SocketAddr) -> Option<Flow> {
        let mut listeners = self.addresses.iter().zip(&*self.transports);
        let fits = |(own, by): (&SocketAddr, &Transport)| *by == transport && own.is_ipv4() == remote.is_ipv4();
        let listener = u16::try_from(listeners.position(fits)?).ok()?;
        Some(Flow { transport, listener, remote })
    }

    /// Shows another certificate to whoever connects by TLS from now on; connections that are open go on.
    pub fn renew_certificate(&self, server: Arc<rustls::ServerConfig>) {
        *self.identity.write().unwrap_or_else(PoisonError::into_inner) = Some(server);
    }

    /// Running counts.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Gives an order.
    ///
    /// # Errors
    /// If the endpoint has stopped or is far behind.
    pub fn order(&self, order: Order) -> Result<(), OrderError> {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= MAX_ORDERS {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(OrderError::Full);
        }
        self.orders.send(order).map_err(|_| OrderError::Stopped)
    }

    fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// 180 Ringing on an incoming leg.
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn ring(&self, leg: LegId) -> Result<(), OrderError> {
        self.order(Order::Ring(leg))
    }

    /// 183 with SDP on an incoming leg: early media.
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn progress(&self, leg: LegId, sdp: impl Into<String>) -> Result<(), OrderError> {
        self.order(Order::Progress(leg, sdp.into()))
    }

    /// 200 with SDP on an incoming leg.
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn answer(&self, leg: LegId, sdp: impl Into<String>) -> Result<(), OrderError> {
        self.order(Order::Answer(leg, sdp.into()))
    }

    /// Refuses an incoming leg, with Retry-After where given.
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn reject(&self, leg: LegId, code: u16, retry_after_s: Option<u32>) -> Result<(), OrderError> {
        self.order(Order::Reject { leg, code, reason: None, retry_after_s })
    }

    /// Asks an incoming leg's caller for credentials for a realm. The leg ends; the caller's next try has [`Incoming::proof`](crate::Incoming::proof).
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn challenge(&self, leg: LegId, realm: impl Into<String>) -> Result<(), OrderError> {
        self.order(Order::Challenge(leg, realm.into()))
    }

    /// Ends a leg in whatever state: refuses it (480), cancels it, or sends BYE.
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn hang_up(&self, leg: LegId) -> Result<(), OrderError> {
        self.order(Order::HangUp(leg, None))
    }

    /// As [`Endpoint::hang_up`], with a Reason header, such as `SIP;cause=200;text="Call completed elsewhere"`.
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn hang_up_because(&self, leg: LegId, reason: impl Into<String>) -> Result<(), OrderError> {
        self.order(Order::HangUp(leg, Some(reason.into())))
    }

    /// Calls. The leg is there at once; its fate comes by events.
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn invite(&self, invite: Invite) -> Result<LegId, OrderError> {
        let leg = LegId(self.next_id());
        self.order(Order::Invite(leg, Box::new(invite), None))?;
        Ok(leg)
    }

    /// Gives up an outgoing leg: the same as [`Endpoint::hang_up`], which cancels a leg that is not answered yet.
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn cancel(&self, leg: LegId) -> Result<(), OrderError> {
        self.hang_up(leg)
    }

    /// Changes the session by a re-INVITE with this offer (hold, resume, another address).
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn offer(&self, leg: LegId, sdp: impl Into<String>) -> Result<(), OrderError> {
        self.order(Order::Offer(leg, sdp.into()))
    }

    /// Accepts the peer's [`Event::Offer`] with this answer (or with our offer, if it asked for one).
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn accept_offer(&self, leg: LegId, sdp: impl Into<String>) -> Result<(), OrderError> {
        self.order(Order::AcceptOffer(leg, sdp.into()))
    }

    /// Refuses the peer's [`Event::Offer`].
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn refuse_offer(&self, leg: LegId, code: u16) -> Result<(), OrderError> {
        self.order(Order::RefuseOffer(leg, code))
    }

    /// Sends a key by INFO, for peers without RFC 4733.
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn send_dtmf(&self, leg: LegId, key: char, duration_ms: u32) -> Result<(), OrderError> {
        self.order(Order::SendDtmf(leg, key, duration_ms))
    }

    /// Asks the peer to call `target`; with `replaces`, to take that leg's place (attended transfer).
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn refer(&self, leg: LegId, target: impl Into<String>, replaces: Option<LegId>) -> Result<(), OrderError> {
        self.order(Order::Refer(leg, target.into(), replaces))
    }

    /// Answers [`Event::Refer`]: 202 to accept it, 4xx or 603 to refuse it.
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn answer_refer(&self, request: RequestId, code: u16) -> Result<(), OrderError> {
        self.order(Order::AnswerRefer(request, code))
    }

    /// Tells the referrer how the new call goes on: 100, 180, then a final code, which is the last report.
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn report_refer(&self, request: RequestId, code: u16) -> Result<(), OrderError> {
        self.order(Order::ReportRefer(request, code))
    }

    /// 200 to a REGISTER, with all the bindings now in force.
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn accept_register(&self, request: RequestId, bound: Vec<Bound>) -> Result<(), OrderError> {
        self.order(Order::AcceptRegister(request, bound))
    }

    /// Refuses a REGISTER: 403 for a wrong password, 404 for an unknown user, 423 for too short a time, 503.
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn refuse(&self, request: RequestId, code: u16) -> Result<(), OrderError> {
        self.order(Order::Refuse(request, code))
    }

    /// Registers somewhere and keeps it up.
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn register(&self, registration: Registration) -> Result<RegistrationId, OrderError> {
        let id = RegistrationId(self.next_id());
        self.order(Order::Register(id, Box::new(registration), None))?;
        Ok(id)
    }

    /// Removes a registration of ours.
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn unregister(&self, registration: RegistrationId) -> Result<(), OrderError> {
        self.order(Order::Unregister(registration))
    }

    /// Changes which new calls are let in.
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn admit(&self, admission: Admission) -> Result<(), OrderError> {
        self.order(Order::Admit(admission))
    }

    /// Changes which realms are served beside [`Settings::realm`]: who registers at a domain that is one of them is
    /// challenged for it.
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn serve_realms(&self, realms: Vec<String>) -> Result<(), OrderError> {
        self.order(Order::Realms(realms))
    }

    /// Hangs up all legs, then stops.
    ///
    /// # Errors
    /// As [`Endpoint::order`].
    pub fn shutdown(&self) -> Result<(), OrderError> {
        self.order(Order::Shutdown)
    }

    pub(crate) fn resolve_later(flow: Option<Flow>, what: Order) -> Order {
        match what {
            Order::Invite(leg, invite, _) => Order::Invite(leg, invite, flow),
            Order::Register(id, registration, _) => Order::Register(id, registration, flow),
            other => other,
        }
    }
}
