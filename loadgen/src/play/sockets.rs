//! The sockets of a thread: SIP and RTP for customers, SIP and RTP for telephones.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};

use super::stamps;
use crate::clock::Clock;
use crate::road::{Connected, Road};
use crate::sip::Micros;

/// Bytes that the system keeps for us on each socket, where it allows so many.
const KEPT: usize = 8 << 20;
/// Room for one datagram, or for several that the system joined.
const ROOM: usize = 65_536;
/// Batches that are taken from one socket before the others have their turn.
const BATCHES: usize = 8;

/// Which socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// SIP of customers.
    Customers,
    /// Audio of customers.
    CustomersSound,
    /// SIP of telephones.
    Telephones,
    /// Audio of telephones.
    TelephonesSound,
}

impl Line {
    const ALL: [Self; 4] = [Self::Customers, Self::CustomersSound, Self::Telephones, Self::TelephonesSound];

    const fn is_sound(self) -> bool {
        matches!(self, Self::CustomersSound | Self::TelephonesSound)
    }

    /// What of it wakes the thread.
    const fn flags(self, sound: bool) -> PollFlags {
        if self.is_sound() && !sound { PollFlags::empty() } else { PollFlags::IN }
    }

    /// Whether the system says when its datagrams came, so that nobody has to be there then.
    pub(crate) const fn is_stamped(self) -> bool {
        stamps::ARE_THERE && self.is_sound()
    }
}

/// The sockets, open.
pub(crate) struct Sockets {
    waker: Arc<Waker>,
    /// SIP of customers, where it goes by a stream.
    stream: Option<Connected>,
    /// By line; `None`: of a line whose datagrams are stamped.
    sockets: Vec<(UdpSocket, Option<UdpSocketState>)>,
    buffer: Vec<u8>,
}

impl std::fmt::Debug for Sockets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sockets").field("sockets", &self.sockets.len()).finish_non_exhaustive()
    }
}

/// Wakes a thread that waits at its sockets.
#[derive(Debug)]
pub(crate) struct Waker {
    /// Talks to itself.
    socket: UdpSocket,
    woken: AtomicBool,
}

impl Waker {
    /// # Errors
    /// The system's own.
    pub(crate) fn new() -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.connect(socket.local_addr()?)?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, woken: AtomicBool::new(false) })
    }

    pub(crate) fn wake(&self) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            // Where it cannot be sent, the thread looks by itself at its next deadline.
            let _ = self.socket.send(&[0]);
        }
    }

    fn rest(&self) {
        let mut byte = [0];
        while self.socket.recv(&mut byte).is_ok() {}
        self.woken.store(false, Ordering::Release);
    }
}

impl Sockets {
    /// Opens them at `address`, on ports that are free; SIP of telephones is on port `telephones` where that is not 0.
    ///
    /// # Errors
    /// The system's own.
    pub(crate) fn open(waker: Arc<Waker>, address: IpAddr, telephones: u16, road: Option<&Road>) -> io::Result<Self> {
        let stream = road.map(Road::open).transpose()?;
        let mut sockets = Vec::new();
        for line in Line::ALL {
            let port = if line == Line::Telephones { telephones } else { 0 };
            let at = SocketAddr::new(address, port);
            let socket = Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP))?;
            // The system may give less: then it is full sooner, and what is lost is counted.
            let _ = socket.set_recv_buffer_size(KEPT);
            let _ = socket.set_send_buffer_size(KEPT);
            socket.set_nonblocking(true)?;
            socket.bind(&at.into())?;
            let socket: UdpSocket = socket.into();
            let state = if line.is_stamped() {
                stamps::begin(&socket)?;
                None
            } else {
                Some(UdpSocketState::new(UdpSockRef::from(&socket))?)
            };
            sockets.push((socket, state));
        }
        Ok(Self { waker, stream, sockets, buffer: vec![0; ROOM * BATCH_SIZE] })
    }

    pub(crate) fn address(&self, line: Line) -> io::Result<SocketAddr> {
        match &self.stream {
            Some(stream) if line == Line::Customers => stream.local(),
            _ => self.sockets[line as usize].0.local_addr(),
        }
    }

    /// Waits until something comes, somebody wakes us, or `limit` is over; gives the lines with something to take. With `sound`
    /// `false` audio wakes nobody, and its lines are given whether or not something came.
    pub(crate) fn wait(&mut self, limit: Duration, sound: bool) -> io::Result<Vec<Line>> {
        let limit =
            Timespec { tv_sec: i64::try_from(limit.as_secs()).unwrap_or(1), tv_nsec: limit.subsec_nanos().into() };
        let socket = self.stream.as_ref().map(|stream| (stream.socket(), stream.has_more()));
        let mut watched: Vec<PollFd<'_>> = Line::ALL
            .iter()
            .zip(&self.sockets)
            .map(|(line, (socket, _))| PollFd::new(socket, line.flags(sound)))
            .collect();
        watched.push(PollFd::new(&self.waker.socket, PollFlags::IN));
        if let Some((socket, has_more)) = &socket {
            let flags = if *has_more { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
            watched.push(PollFd::new(socket, flags));
        }
        match poll(&mut watched, Some(&limit)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let is_ready = |place: usize| watched.get(place).is_some_and(|fd| !fd.revents().is_empty());
        if is_ready(Line::ALL.len()) {
            self.waker.rest();
        }
        let streams = is_ready(Line::ALL.len() + 1);
        let ready =
            |line: Line| is_ready(line as usize) || (line == Line::Customers && streams) || (!sound && line.is_sound());
        let ready = Line::ALL.into_iter().filter(|line| ready(*line)).collect();
        drop(watched);
        if let Some(stream) = self.stream.as_mut().filter(|_| streams) {
            stream.go_on();
        }
        Ok(ready)
    }

    /// Takes what came on a line, and when it came by `clock`.
    pub(crate) fn receive(&mut self, line: Line, clock: &Clock, mut take: impl FnMut(Micros, SocketAddr, &[u8])) {
        if let (Line::Customers, Some(stream)) = (line, &mut self.stream) {
            return stream.receive(&mut self.buffer, |from, bytes| take(clock.now(), from, bytes));
        }
        let (socket, state) = &self.sockets[line as usize];
        let Some(state) = state else { return stamps::receive(socket, clock, &mut self.buffer, take) };
        for _ in 0..BATCHES {
            let mut metas = [RecvMeta::default(); BATCH_SIZE];
            let mut slices = self.buffer.chunks_mut(ROOM).map(IoSliceMut::new);
            let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
                std::array::from_fn(|_| slices.next().expect("the buffer has room for a batch"));
            match state.recv(UdpSockRef::from(socket), &mut slices, &mut metas) {
                Ok(count) => {
                    for (meta, bytes) in metas.iter().zip(&slices).take(count) {
                        for datagram in bytes[..meta.len].chunks(meta.stride.max(1)) {
                            take(clock.now(), meta.addr, datagram);
                        }
                    }
                    if count < BATCH_SIZE {
                        return;
                    }
                }
                // Nothing there, or an earlier datagram found nobody: its call's timers know.
                Err(_) => return,
            }
        }
    }

    /// How often the stream broke.
    pub(crate) fn broken(&self) -> u64 {
        self.stream.as_ref().map_or(0, |stream| stream.broken)
    }

    /// Sends; whether the system took it.
    pub(crate) fn send(&mut self, line: Line, to: SocketAddr, bytes: &[u8]) -> bool {
        if let (Line::Customers, Some(stream)) = (line, &mut self.stream) {
            return stream.send(bytes);
        }
        self.sockets[line as usize].0.send_to(bytes, to).is_ok()
    }
}
