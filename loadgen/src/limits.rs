//! What the machine must have before a load starts: file descriptors and ports; and whether anybody answers SIP. What is short is
//! said before anything is sent.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

/// What is short.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShortOf {
    /// The system lets a process open too few files.
    #[error(
        "{needed} file descriptors are needed (two for each of {operators} operators, and some), and the system allows {allowed}: \
         raise the limit (`ulimit -n {needed}`, or LimitNOFILE of the service), or take more shards"
    )]
    Descriptors {
        /// How many are needed.
        needed: u64,
        /// How many may be had.
        allowed: u64,
        /// For how many operators.
        operators: usize,
    },
    /// The system gives too few ports for connections.
    #[error(
        "{needed} ports are needed for the connections of {operators} operators, and the system gives {allowed} \
         (net.ipv4.ip_local_port_range): widen the range, or take more shards on other machines"
    )]
    Ports {
        /// How many are needed.
        needed: u64,
        /// How many there are.
        allowed: u64,
        /// For how many operators.
        operators: usize,
    },
}

/// Descriptors beside those of operators: the runtime's own, files.
const OTHERS: u64 = 128;
const OF_THREAD: u64 = 16;
const OF_OPERATOR: u64 = 2;

/// Makes sure of what is needed; the process's own limit of files is raised as far as the system allows.
///
/// # Errors
/// [`ShortOf`].
pub fn check(operators: usize, threads: usize) -> Result<(), ShortOf> {
    let connections = (operators as u64).saturating_mul(OF_OPERATOR);
    let needed = (threads as u64).saturating_mul(OF_THREAD).saturating_add(connections).saturating_add(OTHERS);
    // Customers at a page have connections of their own, and nobody knows how many come at once: as many files as the system allows.
    // Where the limit cannot be read, there is none that we know.
    let allowed = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(u64::MAX);
    if allowed < needed {
        return Err(ShortOf::Descriptors { needed, allowed, operators });
    }
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    check_ports(connections, operators, &range)
}

/// Whether a range of ports, as Linux writes it, is enough; one that is not known is.
fn check_ports(needed: u64, operators: usize, range: &str) -> Result<(), ShortOf> {
    match ports(range) {
        Some(allowed) if allowed < needed => Err(ShortOf::Ports { needed, allowed, operators }),
        _ => Ok(()),
    }
}

/// How many ports the system gives to connections to one place; `None` where it does not say.
fn ports(range: &str) -> Option<u64> {
    let mut bounds = range.split_ascii_whitespace().map(|bound| bound.parse::<u64>().ok());
    let (first, last) = (bounds.next()??, bounds.next()??);
    Some(last.saturating_sub(first) + 1)
}

/// The address that datagrams to `peer` leave from.
///
/// # Errors
/// The system knows no way there.
pub fn local_address(peer: SocketAddr) -> std::io::Result<IpAddr> {
    let any: IpAddr = if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(peer)?;
    Ok(socket.local_addr()?.ip())
}

/// What asking a SIP system whether it is there comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It answered.
    Answers,
    /// Nothing came: it may not answer such questions, or not be there.
    Silent,
    /// The machine says that nobody listens there.
    Refused,
}

/// Asks a SIP system by OPTIONS (RFC 3261 section 11) whether it is there.
///
/// # Errors
/// The system's own.
pub fn ask_sip(peer: SocketAddr, limit: Duration) -> std::io::Result<Presence> {
    let tries = 4;
    let socket = UdpSocket::bind((local_address(peer)?, 0))?;
    socket.connect(peer)?;
    let address = socket.local_addr()?;
    socket.set_read_timeout(Some(limit / tries))?;
    let mut buffer = [0; 4_096];
    for number in 1..=tries {
        let message = format!(
            "OPTIONS sip:{peer} SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bKpresence{number};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:callfloor-load@{address}>;tag=presence\r\nTo: <sip:{peer}>\r\nCall-ID: presence-{address}\r\n\
             CSeq: {number} OPTIONS\r\nContact: <sip:callfloor-load@{address}>\r\nContent-Length: 0\r\n\r\n"
        );
        match socket.send(message.as_bytes()).and_then(|_| socket.recv(&mut buffer)) {
            Ok(_) => return Ok(Presence::Answers),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => return Ok(Presence::Refused),
            Err(_) => {}
        }
    }
    Ok(Presence::Silent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_is_said_with_what_would_help() {
        assert_eq!(check(10, 2), Ok(()));
        let short = check(usize::MAX / 4, 1).unwrap_err();
        assert!(short.to_string().contains("ulimit -n"), "{short}");
    }

    #[test]
    fn too_few_ports_are_told_before_the_start() {
        assert_eq!(check_ports(11, 5, "32768\t60999\n"), Ok(()));
        assert_eq!(check_ports(11, 5, ""), Ok(()));
        let short = check_ports(10_002, 5_001, "50000\t60000\n").unwrap_err();
        assert_eq!(short, ShortOf::Ports { needed: 10_002, allowed: 10_001, operators: 5_001 });
        assert!(short.to_string().contains("ip_local_port_range"), "{short}");
    }

    #[test]
    fn who_is_there_and_who_is_not() {
        let bind = || UdpSocket::bind("127.0.0.1:0").expect("a port");
        let silent = bind();
        let at = silent.local_addr().expect("an address");
        assert_eq!(ask_sip(at, Duration::from_millis(200)).expect("asked"), Presence::Silent);
        drop(silent);
        assert_eq!(ask_sip(at, Duration::from_millis(200)).expect("asked"), Presence::Refused);
        let answering = bind();
        let at = answering.local_addr().expect("an address");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut buffer = [0; 2_000];
                let (count, from) = answering.recv_from(&mut buffer).expect("a question");
                assert!(buffer[..count].starts_with(b"OPTIONS sip:127.0.0.1"));
                answering.send_to(b"SIP/2.0 200 OK\r\n\r\n", from).expect("sent");
            });
            assert_eq!(ask_sip(at, Duration::from_secs(4)).expect("asked"), Presence::Answers);
        });
    }
}
