//! Datagrams that the system stamps with the moment at which they came (`SO_TIMESTAMPNS`): a thread takes them when it is awake
//! anyway, and their jitter is none of its own. Linux; elsewhere a thread is woken by each.

#[cfg(not(target_os = "linux"))]
pub(super) use elsewhere::{ARE_THERE, begin, receive};
#[cfg(target_os = "linux")]
pub(super) use linux::{ARE_THERE, begin, receive};

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
    use std::os::fd::AsRawFd as _;
    use std::time::Duration;

    use nix::cmsg_space;
    use nix::sys::socket::{
        ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrStorage, recvmmsg, setsockopt, sockopt,
    };
    use nix::sys::time::TimeSpec;

    use crate::clock::{Clock, wall_us};
    use crate::sip::Micros;

    pub(in crate::play) const ARE_THERE: bool = true;
    /// Datagrams that are taken with one call, and room for each.
    const BATCH: usize = 64;
    const ROOM: usize = 2_048;

    /// # Errors
    /// The system's own.
    pub(in crate::play) fn begin(socket: &UdpSocket) -> io::Result<()> {
        Ok(setsockopt(socket, sockopt::ReceiveTimestampns, &true)?)
    }

    /// Takes all that came; what is longer than a packet of audio can be is cut.
    pub(in crate::play) fn receive(
        socket: &UdpSocket,
        clock: &Clock,
        buffer: &mut [u8],
        mut take: impl FnMut(Micros, SocketAddr, &[u8]),
    ) {
        loop {
            let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(BATCH, Some(cmsg_space!(TimeSpec)));
            let mut room: Vec<_> =
                buffer.chunks_mut(ROOM).take(BATCH).map(|room| [io::IoSliceMut::new(room)]).collect();
            let Ok(came) = recvmmsg(socket.as_raw_fd(), &mut headers, &mut room, MsgFlags::MSG_DONTWAIT, None) else {
                // Nothing there.
                return;
            };
            let (now, wall) = (clock.now(), wall_us());
            let mut count = 0;
            for datagram in came {
                count += 1;
                let Some(from) = datagram.address.as_ref().and_then(address) else { continue };
                let ago = stamp_us(&datagram).map_or(0, |stamp| u64::try_from(wall - stamp).unwrap_or(0));
                take(now.saturating_sub(ago), from, datagram.iovs().next().unwrap_or_default());
            }
            if count < BATCH {
                return;
            }
        }
    }

    fn address(address: &SockaddrStorage) -> Option<SocketAddr> {
        let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::V4(SocketAddrV4::from(*v4)));
        v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::V6(SocketAddrV6::from(*v6))))
    }

    /// When it came by the wall clock, in microseconds since 1970.
    fn stamp_us(datagram: &RecvMsg<'_, '_, SockaddrStorage>) -> Option<i64> {
        datagram.cmsgs().ok()?.find_map(|message| match message {
            ControlMessageOwned::ScmTimestampns(stamp) => i64::try_from(Duration::from(stamp).as_micros()).ok(),
            _ => None,
        })
    }
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::io;
    use std::net::{SocketAddr, UdpSocket};

    use crate::clock::Clock;
    use crate::sip::Micros;

    pub(in crate::play) const ARE_THERE: bool = false;

    pub(in crate::play) fn begin(_: &UdpSocket) -> io::Result<()> {
        Ok(())
    }

    pub(in crate::play) fn receive(_: &UdpSocket, _: &Clock, _: &mut [u8], _: impl FnMut(Micros, SocketAddr, &[u8])) {}
}
