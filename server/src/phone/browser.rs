//! Operators who speak in their browser: WebRTC at the one end, a session of the media engine at the other.
//!
//! A browser holds one connection for as long as its console is open, in a call or not: an answer costs no set-up. The bridge
//! speaks ICE, DTLS and SRTP with the browser (RFC 8834, by `str0m`) and plain RTP with the media engine on this machine, G.711
//! at both ends (RFC 7874 has every browser speak it), so that a browser hears and is heard like any telephone.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use callfloor_engine::OperatorId;
use callfloor_sip::media::rtp::{Packet, write_header};
use callfloor_sip::media::{Media, MediaError, SessionId};
use callfloor_sip::sdp::Description;
use str0m::change::SdpOffer;
use str0m::media::{Frequency, MediaTime, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcConfig, RtcError};
use tokio::net::UdpSocket;
use tokio::sync::oneshot;

/// G.711 µ-law (RFC 3551).
const PCMU: u8 = 0;
/// Largest datagram that is read, in bytes.
const LARGEST: usize = 2_048;
/// A connection that never comes up is given up after this long.
const SET_UP: Duration = Duration::from_secs(30);
/// A browser that sends nothing for this long is gone: muted too it sends audio, and it asks for consent every few seconds
/// (RFC 7675).
const SILENCE: Duration = Duration::from_secs(6);

/// Why a browser's audio was not connected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrowserRefused {
    /// The operator speaks on a telephone.
    #[error("this operator's device is a SIP telephone, not a browser: an administrator can change it")]
    OtherDevice,
    /// What the browser sent is no offer that can be answered.
    #[error("the browser's offer cannot be answered: {0}")]
    Offer(String),
    /// There is no room for its audio.
    #[error("there is no room for one more browser's audio: {0}")]
    NoRoom(String),
    /// The server goes down.
    #[error("the telephones are not served now; try again")]
    Stopped,
}

impl From<MediaError> for BrowserRefused {
    fn from(error: MediaError) -> Self {
        Self::NoRoom(error.to_string())
    }
}

impl From<std::io::Error> for BrowserRefused {
    fn from(error: std::io::Error) -> Self {
        Self::NoRoom(error.to_string())
    }
}

/// A browser's connection, as the switchboard holds it; dropped, the connection ends.
#[derive(Debug)]
pub(super) struct Browser {
    /// Its audio.
    pub(super) session: SessionId,
    _open: oneshot::Sender<()>,
}

/// Where browsers' connections end on this machine.
#[derive(Clone, Debug)]
pub(super) struct BrowserPorts {
    /// The address that media has.
    pub(super) address: IpAddr,
    /// The ports that it may use.
    pub(super) ports: RangeInclusive<u16>,
}

impl BrowserPorts {
    /// A socket that a browser at `towards` can reach, on one of the ports, the last first: telephones' begin at the other end.
    async fn bind(&self, towards: IpAddr) -> Result<UdpSocket, BrowserRefused> {
        let address = if self.address.is_unspecified() { facing(towards).await? } else { self.address };
        let mut refused = None;
        for port in self.ports.clone().rev() {
            match UdpSocket::bind(SocketAddr::new(address, port)).await {
                Ok(socket) => return Ok(socket),
                Err(problem) => refused = Some(problem),
            }
        }
        let why = refused.map_or_else(|| "no ports".to_owned(), |problem| problem.to_string());
        Err(BrowserRefused::NoRoom(format!("no free port of {}-{}: {why}", self.ports.start(), self.ports.end())))
    }
}

/// The address of this machine that faces another: no packet is sent.
async fn facing(towards: IpAddr) -> std::io::Result<IpAddr> {
    let any: IpAddr =
        if towards.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { std::net::Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
    socket.connect(SocketAddr::new(towards, 9)).await?;
    Ok(socket.local_addr()?.ip())
}

/// Answers a browser's offer (SDP, RFC 8829) and bridges it to a session of the media engine that nothing else uses yet.
/// `gone` is called with the session when the connection is over, whoever ended it.
///
/// # Errors
/// [`BrowserRefused`]; the session is the caller's to close.
pub(super) async fn connect(
    media: &Arc<dyn Media>,
    session: SessionId,
    ports: &BrowserPorts,
    offer: &str,
    towards: IpAddr,
    gone: impl FnOnce(SessionId) + Send + 'static,
) -> Result<(Browser, String), BrowserRefused> {
    let wrong = |problem: RtcError| BrowserRefused::Offer(problem.to_string());
    let offer = SdpOffer::from_sdp_string(offer).map_err(|problem| BrowserRefused::Offer(problem.to_string()))?;
    let outside = ports.bind(towards).await?;
    let cryptography = Arc::new(str0m::crypto::from_feature_flags());
    let config = RtcConfig::new().set_crypto_provider(cryptography).clear_codecs().enable_pcmu(true, false);
    let mut rtc = config.set_ice_lite(true).build(Instant::now());
    let candidate = Candidate::host(outside.local_addr()?, "udp");
    let candidate = candidate.map_err(|problem| BrowserRefused::NoRoom(problem.to_string()))?;
    rtc.add_local_candidate(candidate);
    let answer = rtc.sdp_api().accept_offer(offer).map_err(wrong)?.to_sdp_string();

    let bridge = bridge(media, session, outside, rtc).await?;
    let (open, closed) = oneshot::channel();
    tokio::spawn(async move {
        if let Err(problem) = bridge.run(closed).await {
            tracing::info!(%problem, "a browser's audio ended");
        }
        gone(session);
    });
    Ok((Browser { session, _open: open }, answer))
}

/// The media engine's side: it sends to us as to a telephone that answered its offer.
async fn bridge(
    media: &Arc<dyn Media>,
    session: SessionId,
    outside: UdpSocket,
    rtc: Rtc,
) -> Result<Bridge, BrowserRefused> {
    let ours = media.offer(session)?;
    let described = Description::parse(&ours).map_err(MediaError::from)?;
    let line = described.media.first().ok_or_else(|| BrowserRefused::NoRoom("no audio is described".into()))?;
    let (engine, _) =
        described.addresses(line).ok_or_else(|| BrowserRefused::NoRoom("no address is described".into()))?;
    let inside = UdpSocket::bind(SocketAddr::new(engine.ip(), 0)).await?;
    inside.connect(engine).await?;
    let own = inside.local_addr()?;
    let family = if own.is_ipv4() { "IP4" } else { "IP6" };
    let (ip, port) = (own.ip(), own.port());
    media.accept(
        session,
        &format!(
            "v=0\r\no=- 1 1 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP {PCMU}\r\na=rtpmap:{PCMU} PCMU/8000\r\na=sendrecv\r\n"
        ),
    )?;
    Ok(Bridge { rtc, outside, inside, audio: None, sequence: 0, last: 0, connected: false })
}

/// One browser's connection.
struct Bridge {
    rtc: Rtc,
    /// Towards the browser.
    outside: UdpSocket,
    /// Towards the media engine.
    inside: UdpSocket,
    /// The browser's audio line, with its payload type for µ-law.
    audio: Option<(Mid, Pt)>,
    /// Of what goes to the media engine.
    sequence: u16,
    last: u32,
    connected: bool,
}

impl Bridge {
    /// Runs until the browser is gone or `closed` is.
    async fn run(mut self, mut closed: oneshot::Receiver<()>) -> Result<(), RtcError> {
        let destination = self.outside.local_addr()?;
        let until = Instant::now() + SET_UP;
        let mut heard = Instant::now();
        let (mut from_browser, mut from_engine) = (vec![0; LARGEST], vec![0; LARGEST]);
        loop {
            let Some(next) = self.drain().await? else { return Ok(()) };
            let limit = if self.connected { heard + SILENCE } else { until };
            tokio::select! {
                biased;
                // The switchboard let go of it.
                _ = &mut closed => {
                    self.rtc.disconnect();
                    return Ok(());
                }
                received = self.outside.recv_from(&mut from_browser) => {
                    // A datagram that was refused by the far end says nothing of the next.
                    let Ok((length, source)) = received else { continue };
                    heard = Instant::now();
                    let Ok(contents) = from_browser[..length].try_into() else { continue };
                    let receive = Receive { proto: Protocol::Udp, source, destination, contents };
                    self.rtc.handle_input(Input::Receive(Instant::now(), receive))?;
                }
                received = self.inside.recv(&mut from_engine) => {
                    let Ok(length) = received else { continue };
                    self.send_to_browser(&from_engine[..length])?;
                }
                () = tokio::time::sleep_until(next.min(limit).into()) => {
                    if Instant::now() >= limit {
                        return Ok(());
                    }
                    self.rtc.handle_input(Input::Timeout(Instant::now()))?;
                }
            }
        }
    }

    /// Does all that the connection wants done; gives when it wants to be asked again, `None` where it is over.
    async fn drain(&mut self) -> Result<Option<Instant>, RtcError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(next) => return Ok(self.rtc.is_alive().then_some(next)),
                Output::Transmit(datagram) => {
                    // What is lost here is lost as on any network.
                    let _ = self.outside.send_to(&datagram.contents, datagram.destination).await;
                }
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::IceConnectionStateChange(IceConnectionState::Disconnected)) => return Ok(None),
                Output::Event(Event::MediaAdded(added)) => {
                    let types = self.rtc.media(added.mid).map(|media| media.remote_pts().to_vec());
                    self.audio = types.and_then(|types| types.first().map(|pt| (added.mid, *pt)));
                }
                Output::Event(Event::MediaData(data)) => {
                    // RTP's time is the lower half: it goes round (RFC 3550).
                    let time = data.time.rebase(Frequency::EIGHT_KHZ).numer() & u64::from(u32::MAX);
                    self.send_to_engine(u32::try_from(time).expect("32 bits"), &data.data).await;
                }
                Output::Event(_) => {}
            }
        }
    }

    /// A packet of the media engine's, as it was timed there.
    fn send_to_browser(&mut self, datagram: &[u8]) -> Result<(), RtcError> {
        let Some((mid, pt)) = self.audio else { return Ok(()) };
        let Some(packet) = Packet::parse(datagram).filter(|packet| packet.payload_type == PCMU) else { return Ok(()) };
        let time = MediaTime::new(u64::from(packet.timestamp), Frequency::EIGHT_KHZ);
        let Some(writer) = self.rtc.writer(mid) else { return Ok(()) };
        writer.write(pt, Instant::now(), time, packet.payload.to_vec())
    }

    async fn send_to_engine(&mut self, timestamp: u32, payload: &[u8]) {
        const SOURCE: u32 = 0x6272_6f77;
        let mut packet = Vec::with_capacity(12 + payload.len());
        // A new beginning after a pause is marked (RFC 3551 section 4.1).
        let marker = timestamp.wrapping_sub(self.last) > 8_000 / 10;
        write_header(&mut packet, marker, PCMU, self.sequence, timestamp, SOURCE);
        packet.extend_from_slice(payload);
        (self.sequence, self.last) = (self.sequence.wrapping_add(1), timestamp);
        // The engine may be closing the session.
        let _ = self.inside.send(&packet).await;
    }
}

/// Operators whose browser is gone, and since when.
#[derive(Debug, Default)]
pub(super) struct Absent(std::collections::HashMap<OperatorId, Instant>);

/// A browser that is gone for this long is a lost device: a page that is loaded again is back sooner.
const RELOAD: Duration = Duration::from_secs(10);

impl Absent {
    /// Their connection ended.
    pub(super) fn gone(&mut self, operator: OperatorId) {
        self.0.insert(operator, Instant::now());
    }

    /// They are back.
    pub(super) fn back(&mut self, operator: OperatorId) {
        self.0.remove(&operator);
    }

    /// Those who were away for too long, forgotten here.
    pub(super) fn expire(&mut self) -> Vec<OperatorId> {
        let now = Instant::now();
        let lost: Vec<_> = self.0.iter().filter(|(_, since)| now - **since >= RELOAD).map(|(who, _)| *who).collect();
        for operator in &lost {
            self.0.remove(operator);
        }
        lost
    }
}
