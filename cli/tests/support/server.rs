//! `callfloor serve` as a process of its own, for as long as a test runs.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

/// A process that ends with its test.
pub struct Guarded(pub Child);

impl Guarded {
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server with the demonstration's floor.
pub struct Server {
    pub process: Guarded,
    pub url: String,
    pub sip: String,
    /// A file with the password of every account.
    pub password: PathBuf,
    pub directory: TempDir,
}

impl Server {
    pub fn command(data: &Path, http: &str, sip: &str) -> Command {
        let mut command = Command::new(cargo_bin("callfloor"));
        command.args(["serve", "--http", http, "--sip", sip, "--data"]).arg(data);
        command.env("CALLFLOOR_LOG_LEVEL", "error").stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }

    /// Starts one at an address for SIP; `change` gives the command what else it needs, with files in the directory.
    pub fn start_at(sip: &str, change: impl FnOnce(&Path, &mut Command)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Self::command(&directory.path().join("data"), "127.0.0.1:0", sip);
        change(directory.path(), &mut command);
        let mut process = Guarded(command.spawn().unwrap());
        let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
        let mut next = |before: &str| {
            let line = lines.next().unwrap().unwrap();
            let (_, rest) = line.split_once(before).unwrap_or_else(|| panic!("{line}"));
            rest.split([' ', ';']).next().unwrap().to_owned()
        };
        let (url, sip, secret) = (next("HTTP on "), next("SIP on "), next("password "));
        let password = directory.path().join("password");
        std::fs::write(&password, secret).unwrap();
        Self { process, url, sip, password, directory }
    }

    /// `callfloor load` of a scenario against it.
    pub fn load(&self, scenario: &Path) -> assert_cmd::Command {
        let mut command = load(scenario);
        command.args(["--url", &self.url, "--sip", &self.sip, "--password-file"]).arg(&self.password);
        command
    }

    /// The same, to be watched while it goes on.
    pub fn load_beside(&self, scenario: &Path) -> Command {
        let mut command = Command::new(cargo_bin("callfloor"));
        command.arg("load").arg(scenario);
        command.args(["--url", &self.url, "--sip", &self.sip, "--password-file"]).arg(&self.password);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// `callfloor load` of a scenario.
pub fn load(scenario: &Path) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(cargo_bin("callfloor"));
    command.arg("load").arg(scenario).timeout(Duration::from_secs(300));
    command
}
