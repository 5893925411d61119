//! SIP by streams: one connection of a thread's customers to the target, plain or by TLS, on which messages go one after another
//! (RFC 3261 section 18).

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use callfloor_sip::Transport;
use callfloor_sip::message::{Frame, frame};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use crate::http::{HttpError, client_config};
use crate::target::SipTarget;

/// How long a connection, and a handshake, may take.
const CONNECT: Duration = Duration::from_secs(5);
/// The same while a run goes on: whoever waits for it is late.
const AGAIN: Duration = Duration::from_millis(500);
/// Bytes that wait to be sent, beyond which nothing more is taken.
const MOST: usize = 16 << 20;

/// How SIP reaches a target by streams.
#[derive(Debug, Clone)]
pub(crate) struct Road {
    pub(crate) transport: Transport,
    peer: SocketAddr,
    tls: Option<(Arc<rustls::ClientConfig>, ServerName<'static>)>,
}

impl Road {
    /// The road to a target at `peer`; `None` where datagrams go there.
    ///
    /// # Errors
    /// Authorities that cannot be used, or a name that no certificate has.
    pub(crate) fn to(target: &SipTarget, peer: SocketAddr, ca: Option<&Path>) -> Result<Option<Self>, HttpError> {
        let tls = match target.transport {
            Transport::Udp => return Ok(None),
            Transport::Tcp => None,
            Transport::Tls => {
                let name = ServerName::try_from(target.place.host.clone())
                    .map_err(|error| HttpError::Untrusted { url: target.to_string(), problem: error.to_string() })?;
                Some((Arc::new(client_config(ca)?), name))
            }
        };
        Ok(Some(Self { transport: target.transport, peer, tls }))
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// The system's own; of TLS, of kind `InvalidData`.
    pub(crate) fn open(&self) -> io::Result<Connected> {
        Ok(Connected {
            pipe: self.connect(CONNECT)?,
            road: self.clone(),
            incoming: Vec::new(),
            outgoing: Vec::new(),
            broken: 0,
        })
    }

    fn connect(&self, limit: Duration) -> io::Result<Pipe> {
        let mut stream = TcpStream::connect_timeout(&self.peer, limit)?;
        stream.set_nodelay(true)?;
        let Some((config, name)) = &self.tls else {
            stream.set_nonblocking(true)?;
            return Ok(Pipe::Plain(stream));
        };
        stream.set_read_timeout(Some(limit))?;
        let mut session = ClientConnection::new(Arc::clone(config), name.clone()).map_err(io::Error::other)?;
        while session.is_handshaking() {
            session.complete_io(&mut stream)?;
        }
        stream.set_read_timeout(None)?;
        stream.set_nonblocking(true)?;
        Ok(Pipe::Tls(Box::new(StreamOwned::new(session, stream))))
    }
}

enum Pipe {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Pipe {
    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        }
    }

    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(room),
            Self::Tls(stream) => stream.read(room),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => {
                let written = stream.write(bytes);
                // What the system does not take now goes when it does: `has_more` tells of it.
                let _ = stream.flush();
                written
            }
        }
    }

    /// Whether there is something that was taken from us and not by the system yet.
    fn has_more(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(stream) => stream.conn.wants_write(),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// A connection that is open. One that breaks is made anew when something is to be sent.
pub(crate) struct Connected {
    pipe: Pipe,
    road: Road,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    /// How often it broke.
    pub(crate) broken: u64,
}

impl Connected {
    pub(crate) fn socket(&self) -> BorrowedFd<'_> {
        self.pipe.socket().as_fd()
    }

    pub(crate) fn local(&self) -> io::Result<SocketAddr> {
        self.pipe.socket().local_addr()
    }

    pub(crate) fn has_more(&self) -> bool {
        !self.outgoing.is_empty() || self.pipe.has_more()
    }

    /// Sends a message as soon as the system takes it; whether it will.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> bool {
        if self.outgoing.len() > MOST {
            return false;
        }
        self.outgoing.extend_from_slice(bytes);
        self.go_on()
    }

    /// Sends what waits.
    pub(crate) fn go_on(&mut self) -> bool {
        while !self.outgoing.is_empty() {
            match self.pipe.write(&self.outgoing) {
                Ok(0) => return self.again(),
                Ok(count) => drop(self.outgoing.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return self.again(),
            }
        }
        if !self.pipe.has_more() {
            return true;
        }
        match self.pipe.flush() {
            Err(error) if !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                self.again()
            }
            _ => true,
        }
    }

    /// The connection broke: what was on its way is lost.
    fn again(&mut self) -> bool {
        self.broken += 1;
        self.incoming.clear();
        self.outgoing.clear();
        if let Ok(pipe) = self.road.connect(AGAIN) {
            self.pipe = pipe;
        }
        false
    }

    /// Takes what came, message by message.
    pub(crate) fn receive(&mut self, room: &mut [u8], mut take: impl FnMut(SocketAddr, &[u8])) {
        loop {
            match self.pipe.read(room) {
                Ok(count) if count > 0 => self.incoming.extend_from_slice(&room[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => {
                    self.again();
                    return;
                }
            }
        }
        let mut from = 0;
        loop {
            match frame(&self.incoming[from..]) {
                Frame::Partial => break,
                Frame::KeepAlive(count) => from += count,
                Frame::Message(count) => {
                    take(self.road.peer, &self.incoming[from..from + count]);
                    from += count;
                }
                Frame::Broken(_) => {
                    self.again();
                    return;
                }
            }
        }
        self.incoming.drain(..from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn messages_come_whole_and_a_broken_connection_is_made_anew() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let peer = listener.local_addr().expect("an address");
        let road = Road { transport: Transport::Tcp, peer, tls: None };
        let mut connected = road.open().expect("a connection");
        let (mut far, _) = listener.accept().expect("a connection");
        let message = b"SIP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nab";
        far.write_all(b"\r\n\r\n").expect("sent");
        far.write_all(message).expect("sent");
        far.write_all(&message[..20]).expect("sent");
        let mut found = Vec::new();
        let mut room = vec![0; 4_096];
        let take = |found: &mut Vec<Vec<u8>>, connected: &mut Connected, room: &mut [u8], most: usize| {
            let until = std::time::Instant::now() + Duration::from_secs(5);
            while found.len() < most && std::time::Instant::now() < until {
                connected.receive(room, |_, bytes| found.push(bytes.to_vec()));
            }
        };
        take(&mut found, &mut connected, &mut room, 1);
        far.write_all(&message[20..]).expect("sent");
        take(&mut found, &mut connected, &mut room, 2);
        assert_eq!(found, [message.to_vec(), message.to_vec()]);
        drop(far);
        let until = std::time::Instant::now() + Duration::from_secs(5);
        while connected.broken == 0 && std::time::Instant::now() < until {
            connected.receive(&mut room, |_, _| {});
        }
        let (mut far, _) = listener.accept().expect("a connection made anew");
        assert!(connected.send(b"BYE"));
        let mut three = [0; 3];
        far.read_exact(&mut three).expect("received");
        assert_eq!((&three, connected.broken), (b"BYE", 1));
    }

    /// A certificate of 127.0.0.1 that signs itself, and its key; `None` where there is no openssl.
    fn certificate(directory: &Path) -> Option<[std::path::PathBuf; 2]> {
        let files = [directory.join("certificate.pem"), directory.join("key.pem")];
        let made = std::process::Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE", "-out"])
            .arg(&files[0])
            .arg("-keyout")
            .arg(&files[1])
            .output();
        made.is_ok_and(|made| made.status.success()).then_some(files)
    }

    /// A far end by TLS that does not read for a while: what was given to the connection then is sent when it does, all of it.
    #[test]
    fn what_the_system_does_not_take_is_sent_later_by_tls_too() {
        use rustls::pki_types::pem::PemObject as _;
        use rustls::pki_types::{CertificateDer, PrivateKeyDer};
        let directory = tempfile::tempdir().expect("a directory");
        let Some([certificate, key]) = certificate(directory.path()) else {
            println!("skipped: openssl is not here");
            return;
        };
        let chain = vec![CertificateDer::from_pem_file(&certificate).expect("a certificate")];
        let own = PrivateKeyDer::from_pem_file(key).expect("a key");
        let config =
            rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, own).expect("a pair");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let peer = listener.local_addr().expect("an address");
        let (told, reads) = std::sync::mpsc::channel::<usize>();
        let far = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut session = rustls::ServerConnection::new(Arc::new(config)).expect("a session");
            while session.is_handshaking() {
                session.complete_io(&mut stream).expect("a handshake");
            }
            let wanted = reads.recv().expect("so many");
            let (mut stream, mut found, mut room) = (StreamOwned::new(session, stream), 0, vec![0; 1 << 16]);
            while found < wanted {
                found += stream.read(&mut room).expect("more");
            }
        });
        let name = ServerName::try_from("127.0.0.1").expect("a name");
        let tls = Some((Arc::new(client_config(Some(&certificate)).expect("an authority")), name));
        let mut connected = Road { transport: Transport::Tls, peer, tls }.open().expect("a connection");
        let (message, mut sent) = (vec![b'x'; 16_000], 0);
        // Until the system takes no more, and the last message lies with the session.
        while !connected.pipe.has_more() {
            assert!(connected.send(&message));
            sent += message.len();
        }
        assert!(connected.outgoing.is_empty() && connected.has_more());
        told.send(sent).expect("it waits");
        let until = std::time::Instant::now() + Duration::from_secs(10);
        while connected.has_more() && std::time::Instant::now() < until {
            assert!(connected.go_on());
        }
        assert!(!connected.has_more());
        far.join().expect("everything came");
    }

    #[test]
    fn nobody_there_is_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let peer = listener.local_addr().expect("an address");
        drop(listener);
        let road = Road { transport: Transport::Tcp, peer, tls: None };
        assert_eq!(road.open().err().map(|error| error.kind()), Some(io::ErrorKind::ConnectionRefused));
    }
}
