//! The task that owns the stack: it reads sockets, takes orders, fires timers, sends and tells.

use super::stream::{self, Connections, Wire};
use super::{BindError, Endpoint, EndpointConfig, Events, Listen};
use crate::event::Event;
use crate::flow::{Flow, Transport};
use crate::message::{Host, Uri};
use crate::order::{Order, Via};
use crate::stack::{ListenerInfo, Stack};
use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;

/// Datagrams read before anything else is looked at.
const BATCH: usize = 64;
/// The largest datagram that is read.
const MAX_DATAGRAM: usize = 65_535;
/// A socket that was not found empty for so long is a sign that we cannot keep up.
const BACKLOG_LIMIT: Duration = Duration::from_millis(50);
/// With so many events unread, new calls are refused; with four times as many, nothing more is read.
const MAX_EVENTS: usize = 1 << 15;
/// How long legs have for their farewell when the endpoint stops.
const FAREWELL: Duration = Duration::from_secs(2);
/// The size asked for of the socket buffers, in bytes; the system may give less.
const SOCKET_BUFFER: usize = 8 << 20;

/// What tasks beside the stack's tell it.
#[derive(Debug)]
pub(super) enum Inner {
    Wire(Wire),
    Resolved(Box<Order>, Transport, Option<(String, SocketAddr)>),
}

pub(super) async fn bind(config: EndpointConfig) -> Result<(Endpoint, Events), BindError> {
    if config.listen.is_empty() {
        return Err(BindError::NothingToListenOn);
    }
    let (inner_sender, inner) = mpsc::channel(4096);
    let mut sockets = Vec::new();
    let mut infos = Vec::new();
    let mut addresses = Vec::new();
    let mut acceptors = Vec::new();
    for (index, listen) in config.listen.iter().enumerate() {
        let refuse = |source| BindError::Address { listen: *listen, source };
        let index = u16::try_from(index).unwrap_or(u16::MAX);
        let bound = match listen.transport {
            Transport::Udp => {
                let socket = udp(listen.address).map_err(refuse)?;
                let bound = socket.local_addr().map_err(refuse)?;
                sockets.push((index, socket));
                bound
            }
            Transport::Tcp | Transport::Tls => {
                if listen.transport == Transport::Tls && config.tls.server.is_none() {
                    return Err(BindError::Tls { what: "a TLS listener needs a certificate and its key".to_owned() });
                }
                let listener = TcpListener::bind(listen.address).await.map_err(refuse)?;
                let bound = listener.local_addr().map_err(refuse)?;
                acceptors.push((listener, index, listen.transport));
                bound
            }
        };
        addresses.push(bound);
        infos.push(info(listen, bound));
    }
    let identity = Arc::new(RwLock::new(config.tls.server));
    for (listener, index, transport) in acceptors {
        let identity = (transport == Transport::Tls).then(|| Arc::clone(&identity));
        tokio::spawn(stream::accept(listener, index, identity, config.connections.clone(), inner_sender.clone()));
    }
    let ids = Arc::new(AtomicU64::new(1));
    let stack = Stack::new(config.settings, infos, Arc::clone(&ids), Instant::now());
    let counters = stack.counters();
    let (order_sender, orders) = mpsc::unbounded_channel();
    let (event_sender, receiver) = mpsc::unbounded_channel();
    let waiting_orders = Arc::new(AtomicUsize::new(0));
    let waiting_events = Arc::new(AtomicUsize::new(0));
    let driver = Driver {
        stack,
        sockets,
        connections: Connections::new(config.tls.client, inner_sender.clone()),
        names: HashMap::new(),
        inner,
        inner_sender,
        orders,
        waiting_orders: Arc::clone(&waiting_orders),
        events: event_sender,
        waiting_events: Arc::clone(&waiting_events),
        backlog_since: None,
        stop_at: None,
    };
    tokio::spawn(driver.run());
    let endpoint = Endpoint {
        orders: order_sender,
        waiting: waiting_orders,
        ids,
        counters,
        addresses: addresses.into(),
        transports: config.listen.iter().map(|listen| listen.transport).collect(),
        identity,
    };
    Ok((endpoint, Events { receiver, waiting: waiting_events }))
}

fn udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::DGRAM, None)?;
    socket.set_nonblocking(true)?;
    // More is better, less is no reason not to begin.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER);
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

/// The most peers whose route is remembered.
const MAX_ROUTES: usize = 4096;

fn info(listen: &Listen, bound: SocketAddr) -> ListenerInfo {
    let routes: Mutex<HashMap<IpAddr, IpAddr>> = Mutex::new(HashMap::new());
    let source = move |peer: IpAddr| {
        let mut routes = routes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = routes.get(&peer) {
            return Some(*known);
        }
        let any: SocketAddr = if peer.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
        let probe = std::net::UdpSocket::bind(any).ok()?;
        probe.connect((peer, 9)).ok()?;
        let ip = probe.local_addr().ok()?.ip();
        if routes.len() >= MAX_ROUTES {
            routes.clear();
        }
        routes.insert(peer, ip);
        Some(ip)
    };
    ListenerInfo { transport: listen.transport, address: listen.public.unwrap_or(bound), source: Box::new(source) }
}

struct Driver {
    stack: Stack,
    sockets: Vec<(u16, UdpSocket)>,
    connections: Connections,
    /// The names by which addresses were found, for TLS.
    names: HashMap<SocketAddr, String>,
    inner: mpsc::Receiver<Inner>,
    inner_sender: mpsc::Sender<Inner>,
    orders: mpsc::UnboundedReceiver<Order>,
    waiting_orders: Arc<AtomicUsize>,
    events: mpsc::UnboundedSender<Event>,
    waiting_events: Arc<AtomicUsize>,
    backlog_since: Option<Instant>,
    stop_at: Option<Instant>,
}

enum Woken {
    Readable,
    Orders(usize),
    Inner(Option<Inner>),
    Timer,
}

impl Driver {
    async fn run(mut self) {
        let mut buffer = vec![0; MAX_DATAGRAM];
        let mut orders = Vec::with_capacity(BATCH);
        let sleep = tokio::time::sleep(Duration::ZERO);
        tokio::pin!(sleep);
        loop {
            let events = self.waiting_events.load(Ordering::Relaxed);
            let now = Instant::now();
            let late = self.backlog_since.is_some_and(|since| now.duration_since(since) > BACKLOG_LIMIT);
            self.stack.set_pressure(late || events > MAX_EVENTS);
            let may_read = events < MAX_EVENTS * 4;
            let deadline = [self.stack.next_deadline(), self.stop_at].into_iter().flatten().min();
            // Without a deadline, and while reading is stopped, look again after a while.
            let wake = deadline.unwrap_or(now + Duration::from_secs(1));
            let wake = if may_read { wake } else { wake.min(now + Duration::from_millis(5)) };
            sleep.as_mut().reset(wake.into());
            let sockets = &self.sockets;
            let readable = poll_fn(|cx| {
                for (_, socket) in sockets {
                    if socket.poll_recv_ready(cx).is_ready() {
                        return Poll::Ready(());
                    }
                }
                Poll::Pending
            });
            let woken = tokio::select! {
                biased;
                n = self.orders.recv_many(&mut orders, BATCH), if self.stop_at.is_none() => Woken::Orders(n),
                () = readable, if may_read => Woken::Readable,
                inner = self.inner.recv(), if may_read => Woken::Inner(inner),
                () = &mut sleep => Woken::Timer,
            };
            match woken {
                Woken::Orders(0) => self.stop(),
                Woken::Orders(n) => {
                    self.waiting_orders.fetch_sub(n, Ordering::Relaxed);
                    for order in orders.drain(..) {
                        self.take_order(order);
                    }
                    // A host that never pauses must not keep the network waiting.
                    self.read(&mut buffer);
                }
                Woken::Readable => self.read(&mut buffer),
                Woken::Inner(Some(inner)) => self.take_inner(inner),
                Woken::Inner(None) | Woken::Timer => {}
            }
            let now = Instant::now();
            if self.stack.next_deadline().is_some_and(|due| due <= now) {
                self.stack.advance(now);
            }
            self.flush();
            if self.stop_at.is_some_and(|at| now >= at) || self.stop_at.is_some() && self.stack.is_finished() {
                return;
            }
        }
    }

    fn stop(&mut self) {
        let now = Instant::now();
        self.stack.order(now, Order::Shutdown);
        self.stop_at = Some(now + FAREWELL);
    }

    fn take_order(&mut self, order: Order) {
        let (target, via) = match &order {
            Order::Shutdown => return self.stop(),
            Order::Invite(_, invite, None) => (&invite.target, &invite.via),
            Order::Register(_, registration, None) => (&registration.registrar, &registration.via),
            _ => return self.stack.order(Instant::now(), order),
        };
        let name = match (via, Uri::parse(target)) {
            (Via::Uri, Some(uri)) => match (uri.host(), Transport::of_uri(&uri)) {
                (Host::Name(name), Some(transport)) => {
                    let tls = transport == Transport::Tls;
                    Some((name.to_owned(), uri.port.unwrap_or(if tls { 5061 } else { 5060 }), transport))
                }
                _ => None,
            },
            _ => None,
        };
        let Some((name, port, transport)) = name else { return self.stack.order(Instant::now(), order) };
        let sender = self.inner_sender.clone();
        let want_v4 = self.sockets.first().and_then(|(_, s)| s.local_addr().ok()).is_none_or(|a| a.is_ipv4());
        tokio::spawn(async move {
            let looked_up = tokio::time::timeout(Duration::from_secs(5), tokio::net::lookup_host((&*name, port))).await;
            let all: Vec<SocketAddr> = looked_up.ok().and_then(Result::ok).into_iter().flatten().collect();
            let best = all.iter().find(|a| a.is_ipv4() == want_v4).or(all.first()).copied();
            // If the driver is gone, so is the order.
            let _ = sender.send(Inner::Resolved(Box::new(order), transport, best.map(|a| (name, a)))).await;
        });
    }

    fn take_inner(&mut self, inner: Inner) {
        let now = Instant::now();
        match inner {
            Inner::Wire(Wire::Opened(flow, serial, sender)) => self.connections.opened(flow, serial, sender),
            Inner::Wire(Wire::Message(flow, bytes)) => self.stack.receive(now, flow, &bytes),
            Inner::Wire(Wire::Closed(flow, serial, what)) => {
                if self.connections.closed(flow, serial) {
                    self.stack.flow_failed(now, flow, &what);
                }
            }
            Inner::Resolved(order, transport, found) => {
                let flow = found.map(|(name, address)| {
                    if self.names.len() >= MAX_ROUTES {
                        self.names.clear();
                    }
                    self.names.insert(address, name);
                    self.stack.flow_to(transport, address)
                });
                self.stack.order(now, Endpoint::resolve_later(flow, *order));
            }
        }
    }

    fn read(&mut self, buffer: &mut [u8]) {
        let mut full = false;
        for at in 0..self.sockets.len() {
            for n in 0..BATCH {
                let (listener, socket) = &self.sockets[at];
                match socket.try_recv_from(buffer) {
                    Ok((length, remote)) => {
                        let flow = Flow { transport: Transport::Udp, listener: *listener, remote };
                        self.stack.receive(Instant::now(), flow, &buffer[..length]);
                        self.flush();
                        full |= n + 1 == BATCH;
                    }
                    // An ICMP error of an earlier datagram: its transaction will time out.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                    Err(_) => break,
                }
            }
        }
        self.backlog_since = if full { self.backlog_since.or_else(|| Some(Instant::now())) } else { None };
    }

    /// Sends and tells all that the stack has to send and tell.
    fn flush(&mut self) {
        while let Some(out) = self.stack.poll_transmit() {
            match out.flow.transport {
                Transport::Udp => {
                    let index = out.flow.listener;
                    let socket = self.sockets.iter().find(|(i, _)| *i == index).or(self.sockets.first());
                    let sent = match socket {
                        Some((_, socket)) => socket.try_send_to(&out.bytes, out.flow.remote),
                        None => Err(io::Error::other("no UDP listener")),
                    };
                    match sent {
                        Ok(_) => {}
                        // A full buffer is a lost datagram, an ICMP error is about an earlier one: both are retransmitted.
                        Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::ConnectionRefused) => {}
                        Err(error) => self.stack.flow_failed(Instant::now(), out.flow, &error.to_string()),
                    }
                }
                Transport::Tcp | Transport::Tls => {
                    let name = self.names.get(&out.flow.remote);
                    if let Err(what) = self.connections.send(out.flow, out.bytes, name) {
                        self.stack.flow_failed(Instant::now(), out.flow, what);
                    }
                }
            }
        }
        while let Some(event) = self.stack.poll_event() {
            self.waiting_events.fetch_add(1, Ordering::Relaxed);
            // Nobody listens any more: the handles will be gone too.
            let _ = self.events.send(event);
        }
    }
}
