//! The server that a twin run starts for itself: this very program, on ports and a directory of its own.

use std::io::{BufRead as _, BufReader};
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};

use callfloor_load::target::{SipTarget, Url};
use tempfile::TempDir;

use crate::ending::Failure;

/// A server that ends with this value.
pub(super) struct Started {
    child: Child,
    pub(super) url: Url,
    pub(super) sip: SipTarget,
    /// Of its administrator.
    pub(super) password: String,
    /// The port of this machine to which its trunk leads, for parties outside.
    pub(super) telephones_port: u16,
    _directory: TempDir,
}

impl Started {
    /// Starts it, and waits until it says where it serves.
    pub(super) fn start() -> Result<Self, Failure> {
        let fault = |what: &str| {
            let what = what.to_owned();
            move |error: std::io::Error| Failure::Fault(format!("{what}: {error}"))
        };
        let directory = tempfile::tempdir().map_err(fault("no directory for the server's data"))?;
        // A port that is free now is free in a moment, too, but for who asks for this very one.
        let socket = UdpSocket::bind("127.0.0.1:0").map_err(fault("no port for parties outside"))?;
        let telephones_port = socket.local_addr().map_err(fault("no port for parties outside"))?.port();
        drop(socket);
        let settings = directory.path().join("server.toml");
        let trunk = format!("[trunks.outside]\naddress = \"127.0.0.1:{telephones_port}\"\n");
        std::fs::write(&settings, trunk).map_err(fault("the server's settings cannot be written"))?;
        let program = std::env::current_exe().map_err(fault("this program cannot be found"))?;
        let mut child = Command::new(program)
            .args(["serve", "--http", "127.0.0.1:0", "--sip", "127.0.0.1:0", "--config"])
            .arg(settings)
            .arg("--data")
            .arg(directory.path())
            // What is measured is the floor, not the limits that guard an open server.
            .env("CALLFLOOR_SIP_CALLS_PER_SECOND", "100000")
            .env("CALLFLOOR_SIP_MOST_CALLS", "100000")
            .env("CALLFLOOR_LOG_LEVEL", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(fault("the server cannot be started"))?;
        let told = child.stdout.take().map(read);
        let Some((Some(url), Some(sip), Some(password))) = told else {
            // It has told why on stderr.
            let _ = child.kill();
            let _ = child.wait();
            return Err(Failure::Fault("the server of this run did not start".into()));
        };
        Ok(Self { child, url, sip, password, telephones_port, _directory: directory })
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // Nothing of it is needed any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where it serves HTTP and SIP, and the first password.
fn read(stdout: std::process::ChildStdout) -> (Option<Url>, Option<SipTarget>, Option<String>) {
    let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
    let mut after = |words: &str| {
        let line = lines.next()?;
        let (_, rest) = line.split_once(words)?;
        rest.split([' ', ';']).next().map(str::to_owned)
    };
    let (url, sip, password) = (after("HTTP on "), after("SIP on "), after("password "));
    let sip = sip.and_then(|address| format!("sip:{address}").parse().ok());
    (url.and_then(|url| url.parse().ok()), sip, password)
}
