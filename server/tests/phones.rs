//! Real telephones: SIPp plays customers and operators' phones against the whole server.

mod support;
#[path = "support/telephone.rs"]
mod telephone;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use callfloor_engine::{
    Command, ConsultTarget, EndCause, Event, ForcedEndReason, OperatorId, Output, Status, StatusChoice,
};
use callfloor_server::config::Config;
use callfloor_server::host::{Handle, Happened, Subscription};
use callfloor_server::server::Server;
use callfloor_sip::media::Clip;
use support::PASSWORD;
use telephone::{Telephone, correlation, free_port, port_range};
use tokio::process::{Child, Command as Process};

/// Whether SIPp is installed; where it is not, the test says so.
fn sipp_is_missing() -> bool {
    let missing = std::process::Command::new("sipp").arg("-v").output().is_err();
    if missing {
        println!("skipped: no sipp in PATH (Debian: apt-get install sip-tester)");
    }
    missing
}

struct Floor {
    server: Server,
    directory: tempfile::TempDir,
    events: Subscription,
    sip: u16,
}

impl Floor {
    async fn start() -> Self {
        Self::start_with("").await
    }

    async fn start_with(more: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let media = port_range(1_000);
        let text = format!(
            "[http]\naddress = \"127.0.0.1:0\"\n[sip]\naddress = \"127.0.0.1:{}\"\n[media]\nfirst_port = {}\nlast_port = {}\n{more}",
            free_port(),
            media.start(),
            media.end()
        );
        let config = Config::read("test", &text, []).unwrap();
        let server = support::serve_as(directory.path(), &config).await;
        let events = server.tenants().named(None).unwrap().host.hub().subscribe(None).unwrap();
        let sip = server.sip()[0].port();
        Self { server, directory, events, sip }
    }

    fn host(&self) -> Handle {
        self.server.tenants().named(None).unwrap().host.clone()
    }

    async fn order(&self, command: Command) {
        self.host().run(move |turn| turn.apply(command).map(drop)).await.unwrap().unwrap();
    }

    async fn status(&self, operator: OperatorId) -> Status {
        self.host()
            .run(move |turn| Ok::<_, ()>(turn.engine().operator(operator).unwrap().status))
            .await
            .unwrap()
            .unwrap()
    }

    /// Waits for an output that the test names.
    async fn wait_for<T>(&mut self, what: &str, mut find: impl FnMut(&Happened) -> Option<T>) -> T {
        let wait = async {
            loop {
                let happened = self.events.live.recv().await.expect("the server runs");
                if let Some(found) = find(&happened) {
                    return found;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap_or_else(|_| panic!("no {what} in 20 s"))
    }

    async fn ended(&mut self) -> EndCause {
        self.wait_for("end of a call", |happened| match happened.output {
            Output::Event(Event::CallEnded(record)) => Some(record.cause),
            _ => None,
        })
        .await
    }

    async fn becomes(&mut self, who: OperatorId, wanted: Status) {
        self.wait_for(&format!("{who} in {wanted:?}"), |happened| match happened.output {
            Output::Event(Event::StatusChanged { operator, to, .. }) if operator == who && to == wanted => Some(()),
            _ => None,
        })
        .await;
    }

    /// Registers an operator's telephone at a port, logs the operator in and makes them Ready.
    async fn ready(&self, operator: OperatorId, port: u16) {
        self.registers(operator, port).await;
        self.order(Command::LogIn { operator }).await;
        self.order(Command::SetStatus { operator, to: StatusChoice::Ready }).await;
    }

    /// Registers an operator's telephone at a port.
    async fn registers(&self, operator: OperatorId, port: u16) {
        let mut register = self.sipp("register.xml", port, &["-m", "1", "-inf", &self.credentials(operator)]);
        assert_ended_well(&mut register, "register").await;
    }

    /// A file that gives SIPp the name of an operator's telephone and what it proves itself by.
    fn credentials(&self, operator: OperatorId) -> String {
        let user = format!("op{}", operator.0 + 1);
        let file = self.directory.path().join(format!("{user}.csv"));
        let line = format!("SEQUENTIAL\n{user};[authentication username={user} password={PASSWORD}]\n");
        std::fs::write(&file, line).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// A line of a peer's log, once it is there.
    async fn told(&self, log: &str, begins: &str) -> String {
        let path = self.directory.path().join(log);
        for _ in 0..400 {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            if let Some(line) = text.lines().find_map(|line| line.strip_prefix(begins)) {
                return line.trim().to_owned();
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("no {begins:?} in {log}")
    }

    /// SIPp with a scenario of this folder; its screen goes nowhere.
    fn sipp(&self, scenario: &str, port: u16, more: &[&str]) -> Sipp {
        let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sipp").join(scenario);
        let media = free_port();
        let mut process = Process::new("sipp");
        process
            .arg(format!("127.0.0.1:{}", self.sip))
            .arg("-sf")
            .arg(scenario)
            .args(["-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", &port.to_string()])
            .args(["-mp", &media.to_string(), "-nostdin", "-timeout", "60s", "-timeout_error"])
            .args(["-trace_err", "-error_file"])
            .arg(self.errors(port))
            .args(more)
            .current_dir(self.directory.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        Sipp { child: process.spawn().expect("sipp starts"), errors: self.errors(port) }
    }

    fn errors(&self, port: u16) -> PathBuf {
        self.directory.path().join(format!("errors-{port}.log"))
    }
}

/// A peer that plays its scenario.
struct Sipp {
    child: Child,
    errors: PathBuf,
}

async fn assert_ended_well(process: &mut Sipp, what: &str) {
    let status = tokio::time::timeout(Duration::from_secs(60), process.child.wait()).await;
    let status = status.unwrap_or_else(|_| panic!("{what} did not end")).expect("a status");
    let errors = std::fs::read_to_string(&process.errors).unwrap_or_default();
    assert!(status.success(), "{what}: sipp ended with {status}\n{errors}");
}

const FIRST: OperatorId = OperatorId(0);
const SECOND: OperatorId = OperatorId(1);

/// P39–P41, P58: a call comes in, rings at the only Ready operator's telephone, is answered there, and ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_answered_on_a_telephone() {
    if sipp_is_missing() {
        return;
    }
    let mut floor = Floor::start().await;
    let phone = free_port();
    floor.ready(FIRST, phone).await;
    let mut phone = floor.sipp("phone.xml", phone, &["-m", "1"]);
    let mut customer = floor.sipp("customer.xml", free_port(), &["-m", "1", "-d", "3000"]);
    floor.becomes(FIRST, Status::Talking).await;
    assert_eq!(floor.ended().await, EndCause::CustomerHungUp);
    assert_ended_well(&mut customer, "customer").await;
    assert_ended_well(&mut phone, "phone").await;
    assert_eq!(floor.status(FIRST).await, Status::AfterCallWork);
    floor.server.stop().await;
}

/// P42: nobody answers the telephone in time; the call goes to the next Ready operator, its place kept.
#[tokio::test(flavor = "multi_thread")]
async fn a_missed_ring_goes_to_the_next_telephone() {
    if sipp_is_missing() {
        return;
    }
    let mut floor = Floor::start().await;
    short_rings(&floor).await;
    let (silent, answering) = (free_port(), free_port());
    floor.ready(FIRST, silent).await;
    floor.ready(SECOND, answering).await;
    let mut silent = floor.sipp("phone_silent.xml", silent, &["-m", "1"]);
    let mut answering = floor.sipp("phone.xml", answering, &["-m", "1"]);
    let mut customer = floor.sipp("customer.xml", free_port(), &["-m", "1", "-d", "6000"]);
    floor.becomes(FIRST, Status::Ringing).await;
    floor.becomes(FIRST, Status::Work).await;
    floor.becomes(SECOND, Status::Talking).await;
    assert_eq!(floor.ended().await, EndCause::CustomerHungUp);
    for (process, what) in [(&mut customer, "customer"), (&mut silent, "silent"), (&mut answering, "answering")] {
        assert_ended_well(process, what).await;
    }
    floor.server.stop().await;
}

/// A ring limit of two seconds.
async fn short_rings(floor: &Floor) {
    let host = floor.host();
    host.run(|turn| {
        let mut changed = turn.engine().config().clone().into_floor();
        changed.services[0].settings.ring_limit = callfloor_engine::Span::from_seconds(2);
        let config = callfloor_engine::EngineConfig::new(changed).unwrap();
        turn.apply(Command::Reconfigure(Box::new(config))).map(drop)
    })
    .await
    .unwrap()
    .unwrap();
}

/// Abandoned while queued: nobody is Ready.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_hangs_up_in_the_queue() {
    if sipp_is_missing() {
        return;
    }
    let mut floor = Floor::start().await;
    let mut customer = floor.sipp("customer.xml", free_port(), &["-m", "1", "-d", "2500"]);
    assert_eq!(floor.ended().await, EndCause::AbandonedInQueue);
    assert_ended_well(&mut customer, "customer").await;
    floor.server.stop().await;
}

/// P55: the announcement of a forced end reaches the customer, then the call ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_forced_end_plays_and_hangs_up() {
    if sipp_is_missing() {
        return;
    }
    let mut floor = Floor::start().await;
    let port = free_port();
    floor.ready(FIRST, port).await;
    let mut phone = floor.sipp("phone.xml", port, &["-m", "1"]);
    let mut customer = floor.sipp("customer_waits.xml", free_port(), &["-m", "1"]);
    floor.becomes(FIRST, Status::Talking).await;
    floor.order(Command::ForceEnd { operator: FIRST, reason: ForcedEndReason::Abuse, announcement: None }).await;
    assert_eq!(floor.ended().await, EndCause::ForcedByOperator(ForcedEndReason::Abuse));
    assert_ended_well(&mut customer, "customer").await;
    assert_ended_well(&mut phone, "phone").await;
    floor.server.stop().await;
}

/// P48–P52, P56: hold, consult a Ready operator, connect the customer to them.
#[tokio::test(flavor = "multi_thread")]
async fn a_consult_transfer_hands_the_customer_over() {
    if sipp_is_missing() {
        return;
    }
    let mut floor = Floor::start().await;
    let (first, second) = (free_port(), free_port());
    floor.ready(FIRST, first).await;
    let mut first = floor.sipp("phone.xml", first, &["-m", "1"]);
    let mut customer = floor.sipp("customer.xml", free_port(), &["-m", "1", "-d", "7000"]);
    floor.becomes(FIRST, Status::Talking).await;
    floor.ready(SECOND, second).await;
    let mut second = floor.sipp("phone.xml", second, &["-m", "1"]);
    floor.order(Command::Consult { operator: FIRST, target: ConsultTarget::Operator(SECOND) }).await;
    floor.becomes(FIRST, Status::Consulting).await;
    floor.order(Command::ConnectCustomer { operator: FIRST }).await;
    floor.becomes(FIRST, Status::AfterCallWork).await;
    assert_eq!(floor.status(SECOND).await, Status::Talking);
    assert_eq!(floor.ended().await, EndCause::CustomerHungUp);
    for (process, what) in [(&mut customer, "customer"), (&mut first, "first"), (&mut second, "second")] {
        assert_ended_well(process, what).await;
    }
    floor.server.stop().await;
}

/// P44–P46: an outbound dial calls the operator's telephone, then the customer, with the confirmed number.
#[tokio::test(flavor = "multi_thread")]
async fn a_dial_reaches_the_customer_by_a_trunk() {
    if sipp_is_missing() {
        return;
    }
    let trunk = free_port();
    let mut floor = Floor::start_with(&format!("[trunks.carrier]\naddress = \"127.0.0.1:{trunk}\"\n")).await;
    let port = free_port();
    floor.ready(FIRST, port).await;
    let mut phone = floor.sipp("phone.xml", port, &["-m", "1"]);
    let mut customer = floor.sipp("phone.xml", trunk, &["-m", "1"]);
    floor
        .order(Command::Dial {
            operator: FIRST,
            service: callfloor_engine::ServiceId(0),
            to: "09087654321".parse().unwrap(),
            from: "0312345678".parse().unwrap(),
            customer: None,
            reference: 0,
        })
        .await;
    floor.becomes(FIRST, Status::Talking).await;
    floor.order(Command::HangUp { operator: FIRST }).await;
    assert_eq!(floor.ended().await, EndCause::OperatorHungUp);
    assert_ended_well(&mut customer, "customer").await;
    assert_ended_well(&mut phone, "phone").await;
    floor.server.stop().await;
}

/// RFC 3891: an operator moves a call to another telephone of theirs, which takes the first one's place and is heard; the first
/// is hung up and the engine knows of no change. Nobody takes over what is not theirs.
#[tokio::test(flavor = "multi_thread")]
async fn another_telephone_of_the_operator_takes_a_call_over() {
    if sipp_is_missing() {
        return;
    }
    let mut floor = Floor::start().await;
    let (desk, other, stranger) = (free_port(), free_port(), free_port());
    floor.registers(FIRST, other).await;
    floor.registers(SECOND, stranger).await;
    floor.ready(FIRST, desk).await;
    let mut first = floor.sipp("phone_told.xml", desk, &["-m", "1", "-trace_logs", "-log_file", "desk.log"]);
    let mut customer = Telephone::new().await;
    customer.calls(([127, 0, 0, 1], floor.sip).into(), "0312345678").await;
    floor.becomes(FIRST, Status::Talking).await;
    let dialog = floor.told("desk.log", "dialog ").await;
    let [call_id, own, theirs] = dialog.split(' ').collect::<Vec<_>>()[..] else { panic!("{dialog}") };
    let replaced = format!("{call_id};to-tag={theirs};from-tag={own}");
    let takes = |scenario: &str, port: u16, operator: OperatorId| {
        let keys = ["-inf", &floor.credentials(operator), "-key", "replaced", &replaced];
        let log = format!("{scenario}.log");
        floor.sipp(scenario, port, &[&["-m", "1", "-rtp_echo", "-trace_logs", "-log_file", &log], &keys[..]].concat())
    };
    let mut declined = takes("takeover_refused.xml", stranger, SECOND);
    assert_ended_well(&mut declined, "a stranger's takeover").await;
    assert_eq!(floor.status(FIRST).await, Status::Talking);

    let mut second = takes("takeover.xml", other, FIRST);
    floor.told("takeover.xml.log", "taken over").await;
    assert_ended_well(&mut first, "the first telephone").await;
    assert_eq!(floor.status(FIRST).await, Status::Talking, "the call goes on");
    // The second one says back what it hears: the customer hears themselves.
    let music = Clip::hold_music();
    customer.says(Clip::hold_music());
    let heard = customer.hears(Duration::from_millis(1_500)).await;
    let likeness = correlation(&heard, music.samples());
    assert!(likeness > 0.9, "the customer's voice is heard at the second telephone: {likeness}");
    customer.hangs_up().await;
    assert_eq!(floor.ended().await, EndCause::CustomerHungUp);
    floor.becomes(FIRST, Status::AfterCallWork).await;
    assert_ended_well(&mut second, "the second telephone").await;
    floor.server.stop().await;
}
