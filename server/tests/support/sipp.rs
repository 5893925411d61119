//! SIPp processes beside a server.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Whether SIPp is installed; where it is not, the test says so.
pub fn is_missing() -> bool {
    let missing = Command::new("sipp").arg("-v").output().is_err();
    if missing {
        println!("skipped: no sipp in PATH (Debian: apt-get install sip-tester)");
    }
    missing
}

/// A SIPp process with a scenario of `tests/sipp`; it is ended with its owner.
pub struct Sipp {
    child: Child,
    log: PathBuf,
    errors: PathBuf,
}

impl Sipp {
    /// `changes` are put in place of words of the scenario.
    pub fn start(
        directory: &Path,
        name: &str,
        scenario: &str,
        changes: &[(&str, &str)],
        (server, port): (SocketAddr, u16),
        more: &[&str],
    ) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sipp");
        let mut text = std::fs::read_to_string(folder.join(scenario)).expect("a scenario");
        for (word, value) in changes {
            text = text.replace(word, value);
        }
        let file = directory.join(format!("{name}.xml"));
        std::fs::write(&file, text).expect("a file");
        let (log, errors) = (directory.join(format!("{name}.log")), directory.join(format!("{name}.errors")));
        let media = super::telephone::free_port() / 2 * 2;
        let child = Command::new("sipp")
            .arg(server.to_string())
            .arg("-sf")
            .arg(file)
            .args(["-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", &port.to_string(), "-mp", &media.to_string()])
            .args(["-nostdin", "-trace_err", "-error_file"])
            .arg(&errors)
            .args(["-trace_logs", "-log_file"])
            .arg(&log)
            .args(more)
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sipp starts");
        Self { child, log, errors }
    }

    /// The status with which it ended by itself, and what it says of errors.
    pub fn ends_within(&mut self, limit: Duration) -> Result<(), String> {
        let until = Instant::now() + limit;
        loop {
            let errors = || std::fs::read_to_string(&self.errors).unwrap_or_default();
            match self.child.try_wait().expect("it is ours") {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("{status}: {}", errors())),
                None if Instant::now() > until => return Err(format!("it does not end: {}", errors())),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Ends it with the calls that it has.
    pub fn stop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What it saw, by customer's number, with the milliseconds of its clock.
    pub fn saw(&self) -> BTreeMap<String, Vec<(String, u64)>> {
        let mut seen: BTreeMap<String, Vec<(String, u64)>> = BTreeMap::new();
        for line in std::fs::read_to_string(&self.log).unwrap_or_default().lines() {
            let mut words = line.split_whitespace();
            if let (Some(what), Some(number), Some(Ok(ms))) =
                (words.next(), words.next(), words.next().map(str::parse::<u64>))
            {
                seen.entry(number.to_owned()).or_default().push((what.to_owned(), ms));
            }
        }
        seen
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        self.stop();
    }
}
