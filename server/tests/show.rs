//! The show: SIPp plays customers and operators' telephones against one server, operators work over HTTP, and what the server
//! recorded is what SIPp saw, call for call.
//!
//! Ten telephones and forty customers in the tests; at full size, fifty and a thousand, by
//! `CALLFLOOR_SHOW=full cargo test -p callfloor-server --test show -- --nocapture`.

#[path = "support/journal.rs"]
mod journal;
#[path = "support/sipp.rs"]
mod sipp;
mod support;
#[path = "support/telephone.rs"]
mod telephone;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callfloor_engine::{
    CallId, Command, ConsultEnd, EndCause, EngineConfig, Event, OfferEnd, OperatorId, Output, Party, Span, Status,
};
use callfloor_server::auth::{Account, Role, create_account};
use callfloor_server::config::Config;
use callfloor_server::host::Handle;
use callfloor_server::phone::Telephone;
use callfloor_server::server::Server;
use journal::Told;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use sipp::Sipp;
use support::{PASSWORD, Running, User};
use telephone::{free_port, port_range};

struct Size {
    operators: u32,
    /// How many of them have a telephone that is never answered; the last one serves no queue, and is consulted alone.
    silent: u32,
    patient: u32,
    impatient: u32,
    /// Of all customers.
    calls_per_s: u32,
    dials: u32,
    limit: Duration,
}

const SMALL: Size = Size {
    operators: 10,
    silent: 2,
    patient: 34,
    impatient: 6,
    calls_per_s: 3,
    dials: 3,
    limit: Duration::from_secs(90),
};
const FULL: Size = Size {
    operators: 50,
    silent: 3,
    patient: 800,
    impatient: 150,
    calls_per_s: 8,
    dials: 50,
    limit: Duration::from_secs(420),
};

/// How long telephones ring. Long enough that a slow disk makes no answer late.
const RING: Span = Span::from_seconds(5);

/// What operators do with a call, in turn.
#[derive(Clone, Copy, Debug)]
enum Deed {
    HoldAndRelease,
    HandOver,
    CancelConsult,
    ConsultTheSilent,
    ForceEnd,
    Talk,
}

const DEEDS: [Deed; 8] = [
    Deed::HoldAndRelease,
    Deed::HandOver,
    Deed::Talk,
    Deed::CancelConsult,
    Deed::ConsultTheSilent,
    Deed::Talk,
    Deed::ForceEnd,
    Deed::Talk,
];

/// The floor of the demonstration with more operators, shorter ringing, and accounts and telephones for all.
async fn build_floor(server: &Server, host: &Handle, operators: u32) {
    let telephone = |at: u32| Telephone::sip(OperatorId(at), &format!("op{}", at + 1), "callfloor.local", PASSWORD);
    let hash = Account::hash(PASSWORD).unwrap();
    host.run(move |turn| {
        let mut floor = turn.engine().config().clone().into_floor();
        floor.services[0].settings.ring_limit = RING;
        floor.services[0].settings.consult_limit = RING;
        for at in 4..operators {
            let mut operator = floor.operators[0].clone();
            operator.name = format!("op{}", at + 1);
            operator.cti_id = Some(operator.name.clone());
            operator.cti_number = Some(format!("{}", 201 + at).parse().unwrap());
            let login = operator.name.clone();
            if at + 1 == operators {
                operator.queues.clear();
            }
            floor.operators.push(operator);
            turn.documents().put(&telephone(at));
            let account = Account {
                id: 0,
                login: login.clone(),
                name: login,
                password: hash.clone(),
                role: Role::Operator,
                operator: Some(at),
                disabled: false,
            };
            create_account(turn.documents(), account).unwrap();
        }
        let config = EngineConfig::new(floor).unwrap();
        turn.apply(Command::Reconfigure(Box::new(config))).map(drop)
    })
    .await
    .unwrap()
    .unwrap();
    for at in 4..operators {
        server.phones().unwrap().changed(telephone(at));
    }
}

/// What the operators see and do.
struct Staff {
    users: Vec<User>,
    statuses: Mutex<Vec<Status>>,
    /// The call that each is in.
    calls: Mutex<Vec<Option<CallId>>>,
    silent_from: u32,
}

impl Staff {
    fn is_silent(&self, operator: u32) -> bool {
        operator >= self.silent_from
    }

    async fn orders(&self, operator: u32, what: &str, body: Option<Value>) -> u16 {
        let user = &self.users[operator as usize];
        let method = if what == "status" { Method::PUT } else { Method::POST };
        let (status, answer) = user.call(method, &format!("/operators/{operator}/{what}"), body).await;
        if status != 200 {
            println!("operator {operator}, {what}: {status} {}", answer["detail"]);
        }
        status
    }

    fn status(&self, operator: u32) -> Status {
        self.statuses.lock().unwrap()[operator as usize]
    }

    /// Whether it comes to this status in time.
    async fn comes_to(&self, operator: u32, wanted: Status) -> bool {
        for _ in 0..100 {
            if self.status(operator) == wanted {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    }

    fn somebody_ready(&self) -> Option<u32> {
        let statuses = self.statuses.lock().unwrap();
        let found = statuses.iter().zip(0..).filter(|(status, at)| **status == Status::Ready && !self.is_silent(*at));
        found.map(|(_, at)| at).last()
    }

    async fn serve(&self, operator: u32, call: CallId, deed: Deed) {
        let pause = |ms| tokio::time::sleep(Duration::from_millis(ms));
        pause(700).await;
        if !self.is_in(operator, call) {
            return;
        }
        match deed {
            Deed::Talk => pause(1_200).await,
            Deed::HoldAndRelease => {
                self.orders(operator, "hold", None).await;
                pause(600).await;
                self.orders(operator, "release", None).await;
            }
            Deed::ForceEnd => {
                if self.orders(operator, "force-end", Some(json!({ "reason": "abuse" }))).await == 200 {
                    return;
                }
            }
            Deed::HandOver | Deed::CancelConsult => {
                if let Some(target) = self.somebody_ready()
                    && self.orders(operator, "consult", Some(json!({ "operator": target }))).await == 200
                    && self.comes_to(operator, Status::Consulting).await
                {
                    pause(500).await;
                    if matches!(deed, Deed::HandOver) && self.orders(operator, "connect-customer", None).await == 200 {
                        return;
                    }
                    self.orders(operator, "cancel-consult", None).await;
                    pause(300).await;
                    self.orders(operator, "release", None).await;
                }
            }
            Deed::ConsultTheSilent => {
                let target = u32::try_from(self.users.len() - 1).unwrap();
                self.orders(operator, "hold", None).await;
                if self.comes_to(target, Status::Ready).await
                    && self.orders(operator, "consult", Some(json!({ "operator": target }))).await == 200
                {
                    pause(RING.as_micros() / 1_000 + 1_500).await;
                }
                self.orders(operator, "release", None).await;
            }
        }
        pause(300).await;
        self.hang_up(operator, call).await;
    }

    fn is_in(&self, operator: u32, call: CallId) -> bool {
        self.calls.lock().unwrap()[operator as usize] == Some(call)
    }

    /// The customer may have gone already: then there is nothing to end.
    async fn hang_up(&self, operator: u32, call: CallId) {
        if self.is_in(operator, call) {
            self.orders(operator, "hang-up", None).await;
        }
    }

    async fn follow(self: Arc<Self>, host: Handle) {
        let mut events = host.hub().subscribe(None).unwrap();
        let mut served = 0;
        while let Ok(happened) = events.live.recv().await {
            let Output::Event(event) = happened.output else { continue };
            let staff = Arc::clone(&self);
            match event {
                Event::StatusChanged { operator, to, call, .. } => {
                    self.statuses.lock().unwrap()[operator.index()] = to;
                    self.calls.lock().unwrap()[operator.index()] = call;
                    let operator = operator.0;
                    match to {
                        Status::AfterCallWork => drop(tokio::spawn(async move {
                            tokio::time::sleep(Duration::from_millis(200)).await;
                            let body = json!({ "to": { "status": "ready" } });
                            staff.orders(operator, "finish-after-call", Some(body)).await;
                        })),
                        // Missed: the silent telephones' operators come back later than the others.
                        Status::Work => drop(tokio::spawn(async move {
                            let pause = if staff.is_silent(operator) { 4_000 } else { 300 };
                            tokio::time::sleep(Duration::from_millis(pause)).await;
                            staff.orders(operator, "status", Some(json!({ "status": "ready" }))).await;
                        })),
                        _ => {}
                    }
                }
                Event::CallAnswered { call, operator, .. } => {
                    let deed = DEEDS[served % DEEDS.len()];
                    served += 1;
                    drop(tokio::spawn(async move { staff.serve(operator.0, call, deed).await }));
                }
                Event::CallTransferred { call, to: Party::Operator(operator), .. }
                | Event::DialAnswered { call, operator, .. } => {
                    drop(tokio::spawn(async move {
                        tokio::time::sleep(Duration::from_millis(1_000)).await;
                        staff.hang_up(operator.0, call).await;
                    }));
                }
                _ => {}
            }
        }
    }
}

/// A call as both sides can know it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    /// Telephones that rang, and how that ended.
    rang: u32,
    answered: u32,
    missed: u32,
    /// The customer hung up; else the server.
    customer_left: bool,
}

impl Seen {
    /// Whether what SIPp saw differs from what the server recorded only as messages that cross on their way let it: both
    /// hung up at once and each thinks that it was first, or an answer was on its way when the ringing had ended.
    const fn crosses(&self, recorded: &Self) -> bool {
        self.rang == recorded.rang
            && self.answered >= recorded.answered
            && self.answered + self.missed == recorded.answered + recorded.missed
            && (self.customer_left || !recorded.customer_left)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_is_what_sipp_saw() {
    if sipp::is_missing() {
        return;
    }
    let full = std::env::var("CALLFLOOR_SHOW").is_ok_and(|size| size == "full");
    let size = if full { FULL } else { SMALL };
    let directory = tempfile::tempdir().unwrap();
    let (trunk, phone, silent) = (free_port(), free_port(), free_port());
    let ports = port_range(4_000);
    let text = format!(
        "[http]\naddress = \"127.0.0.1:0\"\n[sip]\naddress = \"127.0.0.1:{}\"\n[media]\nfirst_port = {}\nlast_port = {}\n\
         [trunks.carrier]\naddress = \"127.0.0.1:{trunk}\"\n",
        free_port(),
        ports.start(),
        ports.end(),
    );
    let server: Server = support::serve_as(directory.path(), &Config::read("show", &text, []).unwrap()).await;
    let at = server.sip()[0];
    let host = server.tenants().named(None).unwrap().host.clone();
    build_floor(&server, &host, size.operators).await;
    let here = directory.path();

    // Telephones register from the ports at which they are called.
    let answering = size.operators - size.silent;
    for (name, port, range) in [("phones", phone, 0..answering), ("silent", silent, answering..size.operators)] {
        let mut users = "SEQUENTIAL\n".to_owned();
        let count = range.len().to_string();
        for operator in range {
            users += &format!("op{0};[authentication username=op{0} password={PASSWORD}]\n", operator + 1);
        }
        let file = here.join(format!("{name}.csv"));
        std::fs::write(&file, users).unwrap();
        let file = file.to_str().unwrap();
        let more = ["-m", &count, "-r", "20", "-inf", file];
        let mut register = Sipp::start(here, "register", "register.xml", &[], (at, port), &more);
        register.ends_within(Duration::from_secs(30)).expect("all register");
    }
    let ring = |ms: &'static str| [("RING_MS", ms), ("HEADER", "From")];
    let phones = Sipp::start(here, "phones", "show_phone.xml", &ring("250"), (at, phone), &[]);
    let silent_phones = Sipp::start(here, "silent", "show_phone.xml", &ring("60000"), (at, silent), &[]);
    let dialled = [("RING_MS", "500"), ("HEADER", "To")];
    let dialled = Sipp::start(here, "dialled", "show_phone.xml", &dialled, (at, trunk), &[]);

    let running = Running { server, directory: tempfile::tempdir().unwrap(), client: Client::new() };
    let mut users = Vec::new();
    for operator in 0..size.operators {
        users.push(running.sign_in(&format!("op{}", operator + 1)).await);
    }
    let calls = Mutex::new(vec![None; size.operators as usize]);
    let statuses = Mutex::new(vec![Status::LoggedOut; size.operators as usize]);
    let staff = Arc::new(Staff { users, statuses, calls, silent_from: answering });
    let following = tokio::spawn(Arc::clone(&staff).follow(host.clone()));
    // Those who do not wait for long come before anybody is there.
    let customers = |name: &'static str, prefix: &'static str, patience: &'static str, count: u32, rate: u32| {
        let (count, rate) = (count.to_string(), rate.to_string());
        let more = ["-m", &count, "-r", &rate, "-l", "1000", "-key", "prefix", prefix];
        Sipp::start(here, name, "show_customer.xml", &[("PATIENCE_MS", patience)], (at, free_port()), &more)
    };
    let share = (size.calls_per_s / 4).max(1);
    let mut impatient = customers("impatient", "0901", "2500", size.impatient, share);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut patient = customers("patient", "0902", "240000", size.patient, size.calls_per_s - share);
    for operator in 0..size.operators {
        // The status at login is Work: whoever is in Work comes to Ready.
        assert_eq!(staff.orders(operator, "login", None).await, 200);
    }
    let mut dials = 0;
    while dials < size.dials {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let Some(operator) = staff.somebody_ready() else { continue };
        let to = json!({ "to": format!("0903{:04}", dials + 1) });
        dials += u32::from(staff.orders(operator, "dial", Some(to)).await == 200);
    }
    patient.ends_within(size.limit).expect("every patient customer ends well");
    impatient.ends_within(size.limit).expect("every impatient customer ends well");
    for _ in 0..200 {
        let live = host.run(|turn| Ok::<_, ()>(turn.engine().live_calls())).await.unwrap().unwrap();
        if live == 0 {
            break;
        }
        // Who is still in a call at closing time ends it.
        for operator in 0..size.operators {
            let call = staff.calls.lock().unwrap()[operator as usize];
            if let Some(call) = call.filter(|_| matches!(staff.status(operator), Status::Talking | Status::Holding)) {
                staff.hang_up(operator, call).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let supervisor = running.sign_in("supervisor").await;
    let (_, statistics) = supervisor.get("/statistics/queues?every=day").await;
    following.abort();
    running.server.stop().await;

    // What SIPp saw.
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    let mut lasted: BTreeMap<String, u64> = BTreeMap::new();
    for (number, lines) in patient.saw().into_iter().chain(impatient.saw()) {
        let one = seen.entry(number.clone()).or_default();
        let time = |wanted: &str| lines.iter().find(|(what, _)| what == wanted).map(|(_, ms)| *ms);
        let end = time("left").or(time("released")).unwrap_or_else(|| panic!("{number}: {lines:?}"));
        one.customer_left = time("left").is_some();
        lasted.insert(number, end - time("calls").expect("it began"));
    }
    for phones in [&phones, &silent_phones, &dialled] {
        for (number, lines) in phones.saw() {
            let one = seen.entry(number).or_default();
            let count = |wanted: &str| u32::try_from(lines.iter().filter(|(what, _)| what == wanted).count()).unwrap();
            assert_eq!(count("late"), 0, "an answer crossed a cancellation");
            one.rang += count("rings");
            one.answered += count("answers");
            one.missed += count("missed");
        }
    }

    // What the server recorded: its journal, verified as it is read.
    let told = journal::read(&here.join("main"));
    let mut recorded: BTreeMap<String, Seen> = BTreeMap::new();
    let mut causes: BTreeMap<String, u32> = BTreeMap::new();
    let mut longer_ms: Vec<u64> = Vec::new();
    for call in &told {
        let number = call.number.expect("every customer of the show has a number").to_string();
        let record = call.ended.as_ref().unwrap_or_else(|| panic!("a call did not end: {call:?}"));
        let by_customer = matches!(
            record.0.cause,
            EndCause::AbandonedInFlow
                | EndCause::AbandonedInQueue
                | EndCause::AbandonedWhileRinging
                | EndCause::CustomerHungUp
        );
        *causes.entry(format!("{:?}", record.0.cause)).or_default() += 1;
        if let Some(lasted) = lasted.get(&number) {
            longer_ms.push(lasted.abs_diff((record.1 - record.0.arrived).as_micros() / 1_000));
        }
        let one = recorded.entry(number).or_default();
        // For a dial the operator's own telephone is called first, then the customer's.
        let dialled = 2 * u32::from(call.dialled);
        one.rang += u32::try_from(call.offers.len()).unwrap() + dialled;
        let answered = call.offers.iter().filter(|end| **end == OfferEnd::Accepted).count();
        one.answered += u32::try_from(answered).unwrap() + dialled;
        one.missed += u32::try_from(call.offers.len() - answered).unwrap();
        one.customer_left |= by_customer;
    }
    let (mut differing, mut crossed) = (0, 0);
    for number in seen.keys().chain(recorded.keys().filter(|number| !seen.contains_key(*number))) {
        let (one, other) = (seen.get(number), recorded.get(number));
        if one.zip(other).is_some_and(|(one, other)| one != other && one.crosses(other)) {
            crossed += 1;
        } else if one != other {
            differing += 1;
            println!("{number}: seen {:?}, recorded {:?}", seen.get(number), recorded.get(number));
        }
    }
    let count = |of: &dyn Fn(&Told) -> usize| told.iter().map(of).sum::<usize>();
    let consults = |end: ConsultEnd| count(&|call| call.consults.iter().filter(|found| **found == end).count());
    longer_ms.sort_unstable();
    let longest = longer_ms.last().copied().unwrap_or_default();
    println!(
        "{} calls seen by SIPp, {} recorded, {differing} differ, in {crossed} messages crossed; ends: {causes:?}; {} telephones rang, {} missed; {} holds; \
         consults: {} connected, {} cancelled, {} unanswered; length by SIPp and by record: median {} ms apart, at most {longest}",
        seen.len(),
        recorded.len(),
        count(&|call| call.offers.len()),
        count(&|call| call.offers.iter().filter(|end| **end == OfferEnd::TimedOut).count()),
        count(&|call| call.holds),
        consults(ConsultEnd::Connected),
        consults(ConsultEnd::Cancelled),
        consults(ConsultEnd::NoAnswer),
        longer_ms[longer_ms.len() / 2],
    );
    assert_eq!(differing, 0, "what is recorded is not what was seen");
    // A machine that stands still for seconds makes answers late.
    assert!(crossed <= 2 + seen.len() / 20, "messages crossed in {crossed} calls");
    assert_eq!(seen.len(), (size.patient + size.impatient + size.dials) as usize);
    let median = longer_ms[longer_ms.len() / 2];
    assert!(median < 1_000, "a call's length by SIPp and by its record are {median} ms apart");
    // Everything that the show is about was in it.
    for (what, found) in [
        ("abandoned", causes.get("AbandonedInQueue").copied().unwrap_or(0) as usize),
        ("forced end", causes.get("ForcedByOperator(Abuse)").copied().unwrap_or(0) as usize),
        ("missed ring", count(&|call| call.offers.iter().filter(|end| **end == OfferEnd::TimedOut).count())),
        ("hold", count(&|call| call.holds)),
        ("consult", count(&|call| call.consults.len())),
        ("dial", count(&|call| usize::from(call.dialled))),
    ] {
        assert!(found > 0, "no {what} in the show");
    }
    // A dozen consults of the small show may all end alike on a slow machine.
    for end in [ConsultEnd::Connected, ConsultEnd::Cancelled, ConsultEnd::NoAnswer] {
        assert!(seen.len() < 500 || consults(end) > 0, "no consult ended as {end:?} in the show");
    }
    // And the statistics count the same.
    let counts = &statistics["rows"][0]["counts"];
    let inbound = (size.patient + size.impatient) as usize;
    let answered = count(&|call| usize::from(call.answered));
    assert_eq!(counts["offered"], json!(inbound), "{counts}");
    assert_eq!(counts["answered"], json!(answered), "{counts}");
    assert_eq!(counts["abandoned"], json!(inbound - answered), "{counts}");
}
