//! The console in a real Chromium: `tests/console/*.mjs` drive it, and ask here for what happens in the world.
//!
//! Node and Chromium are the machine's; what the scripts need from npm is installed into the target folder at the first run.

#[path = "support/floor.rs"]
mod floor;
#[path = "support/sound.rs"]
mod sound;
mod support;
#[path = "support/telephone.rs"]
mod telephone;

use std::f64::consts::TAU;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use callfloor_engine::{Command, FarEndFault, LegId, OperatorId};
use callfloor_server::config::Config;
use callfloor_server::http::CallRef;
use callfloor_sip::media::Clip;
use reqwest::Method;
use serde_json::{Value, json};
use sound::amplitude;
use support::{PASSWORD, Running};
use telephone::{Telephone, correlation, free_port, port_range};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

/// Where Chromium and the scripts' modules are; where something is missing, the test says so.
fn browser() -> Option<(PathBuf, PathBuf)> {
    let in_path = |name: &str| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
    };
    let Some(chromium) = ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(in_path) else {
        println!("skipped: no chromium in PATH (Debian: apt-get install chromium)");
        return None;
    };
    if in_path("node").is_none() || in_path("npm").is_none() {
        println!("skipped: no node and npm in PATH (Debian: apt-get install nodejs npm)");
        return None;
    }
    let modules = Path::new(env!("CARGO_TARGET_TMPDIR")).join("console");
    install(&modules)?;
    Some((chromium, modules))
}

/// What the lock file names, once; tests that begin together wait for each other.
fn install(folder: &Path) -> Option<()> {
    static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _alone = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/console");
    std::fs::create_dir_all(folder).expect("a folder");
    let lock = std::fs::read(scripts.join("package-lock.json")).expect("a lock file");
    let done = folder.join("installed");
    if std::fs::read(&done).is_ok_and(|installed| installed == lock) {
        return Some(());
    }
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(scripts.join(file), folder.join(file)).expect("a copy");
    }
    let npm = std::process::Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(folder).output();
    let npm = npm.expect("npm starts");
    if !npm.status.success() {
        println!("skipped: npm cannot install playwright-core: {}", String::from_utf8_lossy(&npm.stderr).trim());
        return None;
    }
    std::fs::write(done, lock).expect("a file");
    Some(())
}

/// The world of one script.
struct World {
    running: Running,
    telephone: Option<Telephone>,
    /// The first operator's.
    operator: Option<Telephone>,
    music: Vec<i16>,
    announcement: Vec<i16>,
}

impl World {
    fn new(running: Running) -> Self {
        Self { running, telephone: None, operator: None, music: Vec::new(), announcement: Vec::new() }
    }

    /// The call on an operator's desk, and its consulted leg.
    async fn call_of(&self, operator: u32) -> (CallRef, Option<u16>) {
        let admin = self.running.sign_in("supervisor").await;
        let (_, desk) = admin.get(&format!("/operators/{operator}/desk")).await;
        let call = serde_json::from_value(desk["call"]["call"].clone()).expect("a call");
        let leg = desk["call"]["target"]["leg"].as_u64().map(|leg| u16::try_from(leg).expect("a leg"));
        (call, leg)
    }

    async fn does(&mut self, asked: &Value) -> Value {
        let text = |field: &str| asked[field].as_str().unwrap_or_else(|| panic!("{field} in {asked}")).to_owned();
        let call = || serde_json::from_value::<CallRef>(asked["call"].clone()).expect("a call").0;
        let operator = || u32::try_from(asked["operator"].as_u64().expect("an operator")).expect("a number");
        match text("what").as_str() {
            "calls" => json!({ "call": self.running.customer_waits(&text("from")).await }),
            "is-taken" => {
                let call = self.running.customer_tries(&text("from")).await;
                if let Some(call) = call {
                    self.running.world(Command::CustomerHungUp { call: call.0 }).await;
                }
                json!({ "taken": call.is_some() })
            }
            "hangs-up" => {
                self.running.world(Command::CustomerHungUp { call: call() }).await;
                json!({})
            }
            "playback-finished" => {
                self.running.world(Command::PlaybackFinished { call: call() }).await;
                json!({})
            }
            "customer-answers" => {
                let (call, _) = self.call_of(operator()).await;
                self.running.world(Command::CustomerAnswered { call: call.0 }).await;
                json!({})
            }
            "dial-fails" => {
                let (call, _) = self.call_of(operator()).await;
                self.running.world(Command::DialFailed { call: call.0, cause: FarEndFault::NoAnswer }).await;
                json!({})
            }
            "target-answers" => {
                let (call, leg) = self.call_of(operator()).await;
                let leg = LegId { call: call.0, leg: leg.expect("a target") };
                self.running.world(Command::TargetAnswered { leg }).await;
                json!({})
            }
            "target-hangs-up" => {
                let (call, leg) = self.call_of(0).await;
                let leg = LegId { call: call.0, leg: leg.expect("a target") };
                self.running.world(Command::TargetHungUp { leg }).await;
                json!({})
            }
            "telephone-calls" => {
                let mut telephone = Telephone::new().await;
                telephone.calls(self.running.server.sip()[0], "0312345678").await;
                telephone.says(Clip::from_samples(tone(800.0, 8_000, 2)));
                self.telephone = Some(telephone);
                json!({})
            }
            "talks" => {
                let sip = self.running.server.sip()[0];
                let (mut customer, mut phone) = (Telephone::new().await, Telephone::new().await);
                phone.registers(sip, "op1", PASSWORD).await;
                let _ = self.running.at_work("op1", "ready").await;
                tokio::join!(customer.calls(sip, "0312345678"), phone.answers());
                customer.says(Clip::from_samples(tone(800.0, 8_000, 1)));
                phone.says(Clip::from_samples(tone(2_000.0, 8_000, 1)));
                (self.telephone, self.operator) = (Some(customer), Some(phone));
                json!({})
            }
            who @ ("customer-hears" | "operator-hears") => {
                let telephone = if who == "customer-hears" { &mut self.telephone } else { &mut self.operator };
                tokio::time::sleep(Duration::from_millis(400)).await;
                let heard = telephone.as_mut().expect("a call").hears(Duration::from_millis(1_000)).await;
                let level = |hz| amplitude(&heard, hz).round();
                let music = correlation(&heard, &self.music);
                json!({ "levels": { "800": level(800.0), "1200": level(1_200.0), "2000": level(2_000.0) }, "music": music })
            }
            "telephone-hears" => {
                let telephone = self.telephone.as_mut().expect("a call");
                let heard = telephone.hears(Duration::from_millis(1_500)).await;
                json!({
                    "hz": loudest(&heard),
                    "music": correlation(&heard, &self.music),
                    "announcement": correlation(&heard, &self.announcement),
                })
            }
            "operator-is" => {
                let operator = OperatorId(operator());
                let until = tokio::time::Instant::now() + Duration::from_secs(asked["within_s"].as_u64().unwrap_or(10));
                loop {
                    let supervisor = self.running.sign_in("supervisor").await;
                    let (_, desk) = supervisor.get(&format!("/operators/{}/desk", operator.0)).await;
                    if desk["status"] == asked["status"] || tokio::time::Instant::now() > until {
                        return json!({ "status": desk["status"] });
                    }
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
            "waiting" => {
                let supervisor = self.running.sign_in("supervisor").await;
                json!({ "waiting": supervisor.get("/queues").await.1[0]["waiting"] })
            }
            other => panic!("nobody knows how to do {other}"),
        }
    }

    /// Runs a script to its end.
    async fn plays(&mut self, script: &str, (chromium, modules): (PathBuf, PathBuf), microphone: Option<&Path>) {
        let mut node = tokio::process::Command::new("node");
        node.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/console").join(script))
            .env("CONSOLE_URL", self.running.url(""))
            .env("CONSOLE_PASSWORD", PASSWORD)
            .env("CONSOLE_CHROMIUM", chromium)
            .env("CONSOLE_MODULES", modules)
            .env("CONSOLE_OTHER_MICROPHONE", self.running.directory.path().join("other.wav"))
            .kill_on_drop(true)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(microphone) = microphone {
            node.env("CONSOLE_MICROPHONE", microphone);
        }
        let mut node = node.spawn().expect("node starts");
        let mut answers = node.stdin.take().expect("its input");
        let mut lines = BufReader::new(node.stdout.take().expect("its output")).lines();
        while let Some(line) = lines.next_line().await.expect("its words") {
            match line.strip_prefix('?') {
                Some(asked) => {
                    let answer = self.does(&serde_json::from_str(asked).expect("JSON")).await;
                    answers.write_all(format!("{answer}\n").as_bytes()).await.expect("it listens");
                }
                None => println!("{line}"),
            }
        }
        let ended = node.wait().await.expect("it is ours");
        assert!(ended.success(), "{script} {ended}: see above");
    }
}

/// So many seconds of a tone.
#[expect(clippy::cast_possible_truncation, reason = "within 16 bits")]
fn tone(hz: f64, rate: u32, seconds: u32) -> Vec<i16> {
    (0..seconds * rate).map(|n| (9_000.0 * (TAU * hz * f64::from(n) / f64::from(rate)).sin()) as i16).collect()
}

/// The loudest frequency between 300 and 3,400 Hz, to 10 Hz (Goertzel 1958), of 8,000 samples a second.
fn loudest(heard: &[i16]) -> f64 {
    let power = |hz: f64| {
        let turn = 2.0 * (TAU * hz / 8_000.0).cos();
        let (mut before, mut last) = (0.0, 0.0);
        for &sample in heard {
            (before, last) = (last, f64::from(sample) + turn * last - before);
        }
        before * before + last * last - turn * before * last
    };
    (30..=340).map(|tens| 10.0 * f64::from(tens)).max_by(|a, b| power(*a).total_cmp(&power(*b))).expect("a range")
}

fn wav(rate: u32, samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let length = u32::try_from(data.len()).expect("a short file");
    let mut file = b"RIFF".to_vec();
    file.extend_from_slice(&(36 + length).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&rate.to_le_bytes());
    file.extend_from_slice(&(rate * 2).to_le_bytes());
    file.extend_from_slice(b"\x02\0\x10\0data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(&data);
    file
}

/// P7 to P60, as far as they are on a screen.
#[tokio::test(flavor = "multi_thread")]
async fn the_phone_desk_is_in_the_browser() {
    let Some(browser) = browser() else { return };
    World::new(Running::start().await).plays("desk.mjs", browser, None).await;
}

/// P1 to P14, as far as administrators set them on a screen.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_floor_is_made_of_is_set_in_the_browser() {
    let Some(browser) = browser() else { return };
    World::new(Running::start().await).plays("floor.mjs", browser, None).await;
}

/// Every page, three widths, two themes, two languages.
#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_read_by_everybody() {
    let Some(browser) = browser() else { return };
    World::new(Running::start().await).plays("pages.mjs", browser, None).await;
}

/// What customers see: help centre, inquiry form, and the chat in another site's page.
#[tokio::test(flavor = "multi_thread")]
async fn customers_find_help_and_chat_from_another_site() {
    let Some(browser) = browser() else { return };
    World::new(Running::start().await).plays("customers.mjs", browser, None).await;
}

/// What administrators keep, and what operators do with it.
#[tokio::test(flavor = "multi_thread")]
async fn what_administrators_keep_is_there_for_operators() {
    let Some(browser) = browser() else { return };
    World::new(Running::start().await).plays("keeping.mjs", browser, None).await;
}

/// The planner's page, from a mistake in a scenario to the answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_simulated_beside_the_live_floor() {
    let Some(browser) = browser() else { return };
    World::new(Running::start().await).plays("plan.mjs", browser, None).await;
}

/// A server with telephones.
async fn with_telephones() -> Running {
    let directory = tempfile::tempdir().expect("a directory");
    let ports = port_range(100);
    let text = format!(
        "[http]\naddress = \"127.0.0.1:0\"\n[sip]\naddress = \"127.0.0.1:{}\"\n[media]\nfirst_port = {}\nlast_port = {}\n",
        free_port(),
        ports.start(),
        ports.end()
    );
    let config = Config::read("test", &text, []).expect("a right configuration");
    let server = support::serve_as(directory.path(), &config).await;
    Running { server, directory, client: reqwest::Client::new() }
}

/// P40, P55 to P57: WebRTC at the operator's end, SIP at the customer's.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_and_a_telephone_hear_each_other() {
    let Some(browser) = browser() else { return };
    let running = with_telephones().await;
    let admin = running.sign_in("admin").await;
    let (music, announcement) = (tone(500.0, 8_000, 2), tone(2_000.0, 8_000, 2));
    let mut ids = Vec::new();
    for (name, samples) in [("music", &music), ("goodbye", &announcement)] {
        let request = admin.request(Method::POST, &format!("/floor/audio?name={name}"));
        let request = request.header("if-match", admin.floor_version().await).header("content-type", "audio/wav");
        let answer = request.body(wav(8_000, samples)).send().await.expect("an answer");
        ids.push(answer.json::<Value>().await.expect("JSON")["audio"].clone());
    }
    let (_, mut service) = admin.get("/floor/services/0").await;
    service["settings"]["hold_music"] = ids[0].clone();
    service["settings"]["forced_end_audio"] = ids[1].clone();
    assert_eq!(admin.changes(Method::PUT, "/floor/services/0", service).await.0, 200);
    let (_, mut operator) = admin.get("/floor/operators/0").await;
    operator["device"] = json!("browser");
    assert_eq!(admin.changes(Method::PUT, "/floor/operators/0", operator).await.0, 200);
    let microphone = running.directory.path().join("microphone.wav");
    std::fs::write(&microphone, wav(48_000, &tone(1_200.0, 48_000, 4))).expect("a file");
    let mut world = World { music, announcement, ..World::new(running) };
    world.plays("audio.mjs", browser, Some(&microphone)).await;
}

/// A supervisor's browser in a call between two telephones: who hears whom, and every button.
#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_is_in_a_call_from_the_wallboard() {
    let Some(browser) = browser() else { return };
    let running = with_telephones().await;
    let admin = running.sign_in("admin").await;
    let account = json!({
        "login": "boss", "password": PASSWORD, "name": "The boss", "role": "supervisor", "operator": 1, "disabled": false,
    });
    assert_eq!(admin.post("/accounts", account).await.0, 201);
    let (_, mut operator) = admin.get("/floor/operators/1").await;
    operator["device"] = json!("browser");
    assert_eq!(admin.changes(Method::PUT, "/floor/operators/1", operator).await.0, 200);
    let microphone = running.directory.path().join("microphone.wav");
    std::fs::write(&microphone, wav(48_000, &tone(1_200.0, 48_000, 4))).expect("a file");
    World::new(running).plays("supervision.mjs", browser, Some(&microphone)).await;
}

/// Two operators in two browsers and a customer at a telephone: a consult that the target declines, does not hear, hangs up, and
/// takes when the first operator's tab is closed.
#[tokio::test(flavor = "multi_thread")]
async fn a_consult_transfer_among_two_browsers_and_a_telephone() {
    let Some(browser) = browser() else { return };
    let running = with_telephones().await;
    let admin = running.sign_in("admin").await;
    let (_, mut service) = admin.get("/floor/services/0").await;
    service["settings"]["consult_limit_ms"] = json!(10_000);
    assert_eq!(admin.changes(Method::PUT, "/floor/services/0", service).await.0, 200);
    for at in [0, 1] {
        let path = format!("/floor/operators/{at}");
        let (_, mut operator) = admin.get(&path).await;
        operator["device"] = json!("browser");
        assert_eq!(admin.changes(Method::PUT, &path, operator).await.0, 200);
    }
    let (microphone, other) =
        (running.directory.path().join("microphone.wav"), running.directory.path().join("other.wav"));
    std::fs::write(&microphone, wav(48_000, &tone(1_200.0, 48_000, 4))).expect("a file");
    std::fs::write(other, wav(48_000, &tone(2_000.0, 48_000, 4))).expect("a file");
    let music = Clip::hold_music().samples().to_vec();
    World { music, ..World::new(running) }.plays("consult.mjs", browser, Some(&microphone)).await;
}
