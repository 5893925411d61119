//! Preparing a server for a scenario over its administration API: services, queues, flows, recordings, operators with telephones and
//! accounts. What an earlier run of the same scenario left is used again; nothing of anybody else's is touched.

mod flow;
mod people;
mod queues;
mod server;

use callfloor_engine::{MissRule, NumberState, OutboundTicket, StatusChoice};
use callfloor_scenario::floor::ClassEntry;
use callfloor_sim::model::Model;
use callfloor_sip::digest::Secret;
use hyper::Method;
use serde_json::{Value, json};

use crate::http::{Connection, HttpError, Session};
use crate::plan::Timescale;
use crate::play::{Prepared, Seated, Way};
use crate::voice::{Voice, wav};
use flow::{AudioNumbers, Recordings, Writing};
use server::{Administration, holds, list};

/// Why a server could not be prepared.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PrepareError {
    /// No answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The credentials are not taken.
    #[error(
        "{url}: {login} cannot sign in: {detail}; give an administrator's login and password: --user NAME --password-file FILE"
    )]
    Credentials {
        /// The server.
        url: String,
        /// Who tried.
        login: String,
        /// The server's words.
        detail: String,
    },
    /// The server refused a change.
    #[error("{url}: {what} is refused: {detail}")]
    Refused {
        /// The server.
        url: String,
        /// What was asked for.
        what: String,
        /// The status of its answer.
        status: u16,
        /// The server's words.
        detail: String,
    },
    /// What cannot be played live.
    #[error("{0}")]
    Scenario(String),
}

impl PrepareError {
    /// Whether somebody else has changed the floor or made the same meanwhile: all of it can be tried again.
    const fn is_another_change(&self) -> bool {
        matches!(self, Self::Refused { status: 409 | 412, .. })
    }
}

/// A server that is ready for a scenario.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) prepared: Prepared,
    /// The number that each class's customers dial. `[class]`
    pub(crate) dialled: Vec<Option<String>>,
    /// How each class's customers come. `[class]`
    pub(crate) ways: Vec<Way>,
    /// The supervisor's, in which web forms enter tickets.
    pub(crate) session: Session,
    /// Login of the supervisor who watches.
    pub(crate) supervisor: String,
    /// Logins of the operators. `[operator of the scenario]`
    pub(crate) logins: Vec<String>,
    /// Whether calls to numbers outside are made at all.
    pub(crate) calls_out: bool,
}

/// Places of the scenario's lists on the server.
#[derive(Debug, Default)]
struct Numbers {
    skills: Vec<u16>,
    services: Vec<u16>,
    queues: Vec<u16>,
}

impl Numbers {
    fn skill(&self, skill: u16) -> u16 {
        self.skills.get(usize::from(skill)).copied().unwrap_or(skill)
    }

    fn service(&self, service: u16) -> u16 {
        self.services.get(usize::from(service)).copied().unwrap_or(service)
    }

    fn queue(&self, queue: u16) -> u16 {
        self.queues.get(usize::from(queue)).copied().unwrap_or(queue)
    }
}

/// How often a server is prepared again where others change its floor meanwhile, as the other shards of a run do that begin at the
/// same time; and between which times after a refusal, in milliseconds.
const AGAIN: u32 = 10;
const AGAIN_MS: std::ops::Range<u64> = 500..1_500;

/// What everything is called that is made here.
const PREFIX: &str = "load: ";
const SUPERVISOR: &str = "load-supervisor";

fn named(name: &str) -> String {
    // A name has at most 60 characters.
    let room = 60 - PREFIX.len();
    format!("{PREFIX}{}", name.chars().take(room).collect::<String>())
}

fn number(place: u64) -> u16 {
    u16::try_from(place).unwrap_or(u16::MAX)
}

/// Prepares the server at the other end of `connection` for a scenario; `plays_outside`: its trunk leads to parties outside who are
/// played here.
///
/// # Errors
/// [`PrepareError`].
pub(crate) async fn prepare(
    connection: &mut Connection,
    (login, password): (&str, &str),
    model: &Model<'_>,
    timescale: Timescale,
    plays_outside: bool,
) -> Result<Ready, PrepareError> {
    let url = connection.server().url.to_string();
    let credentials = |detail: String| PrepareError::Credentials { url, login: login.to_owned(), detail };
    let answer = connection.sign_in(login, password).await?;
    if !answer.is_success() {
        return Err(credentials(answer.detail()));
    }
    if answer.body["role"] != "administrator" {
        return Err(credentials("the account is no administrator's".to_owned()));
    }
    let mut again = 0;
    loop {
        match make_all(connection, password, model, timescale, plays_outside).await {
            Err(error) if error.is_another_change() && again < AGAIN => again += 1,
            outcome => return outcome,
        }
        // Whoever was first goes on meanwhile; two that wait for each other do not wait as long.
        let span = AGAIN_MS.end - AGAIN_MS.start;
        let wait = AGAIN_MS.start + crate::clock::wall_us().unsigned_abs() % span;
        tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
    }
}

/// Makes everything that is not as it should be yet.
async fn make_all(
    connection: &mut Connection,
    password: &str,
    model: &Model<'_>,
    timescale: Timescale,
    plays_outside: bool,
) -> Result<Ready, PrepareError> {
    let recordings = Recordings::of(model)?;
    let floor = connection.get("/floor").await?;
    let mut administration = Administration { connection, version: floor.etag.clone().unwrap_or_default() };
    let floor = administration.accept("GET /floor", floor)?.body;
    if plays_outside && calls_out(model) {
        every_number(&mut administration, &floor).await?;
    }
    let mut numbers = Numbers::default();
    skills(&mut administration, model, &floor, &mut numbers).await?;
    let audio = audio(&mut administration, &recordings, timescale).await?;
    services(&mut administration, model, &floor, &mut numbers).await?;
    queues::queues(&mut administration, model, &floor, &mut numbers, timescale).await?;
    let writing = Writing { model, recordings: &recordings, audio: &audio, numbers: &numbers, timescale };
    let dialled = flows(&mut administration, &writing, &floor).await?;
    // Whoever knows the administrator's password may know this one: it is made from it, so that every shard knows it.
    let own = password_of(password);
    let accounts = people::known_accounts(&mut administration).await?;
    let (operators, logins) =
        people::operators(&mut administration, model, &floor, &numbers, (&accounts, &own)).await?;
    people::accounts(&mut administration, &operators, &logins, (&accounts, &own)).await?;
    let groups = model.plan.groups.iter().map(|ids| {
        let of = |id: u32| operators.get(id as usize).map_or(0, |seated: &Seated| seated.number);
        if ids.is_empty() { 0..0 } else { of(ids.start)..of(ids.end - 1) + 1 }
    });
    let ways = model.plan.entries.iter().map(|entry| match entry {
        ClassEntry::Call { .. } => Way::Call,
        ClassEntry::Chat { queue } => Way::Chat { queue: numbers.queue(queue.0) },
        ClassEntry::Ticket { service, queue } => {
            Way::Form { service: numbers.service(service.0), queue: numbers.queue(queue.0) }
        }
    });
    let ways = ways.collect();
    let mut supervisor = administration.connection.server().connect().await?;
    let answer = supervisor.sign_in(SUPERVISOR, &own).await?;
    let session = supervisor.session().cloned().ok_or_else(|| PrepareError::Credentials {
        url: supervisor.server().url.to_string(),
        login: SUPERVISOR.into(),
        detail: answer.detail(),
    })?;
    let prepared = Prepared {
        domain: floor["organisation"]["sip_domain"].as_str().unwrap_or("callfloor.local").to_owned(),
        password: own,
        groups: groups.collect(),
        operators,
        prompts: recordings.prompts,
        queues: numbers.queues,
    };
    Ok(Ready { prepared, dialled, ways, session, supervisor: SUPERVISOR.into(), logins, calls_out: calls_out(model) })
}

/// Whether a scenario calls anybody outside.
fn calls_out(model: &Model<'_>) -> bool {
    use callfloor_scenario::{ConsultTarget, CustomerClass, Overflow, StepKind, TransferTarget};
    let scenario = model.scenario;
    let hands_out = |class: &CustomerClass| {
        let consult = class.handling.consult.as_ref().map(|consult| consult.target);
        let transfer = class.handling.transfer.as_ref().map(|transfer| transfer.target);
        matches!(consult, Some(ConsultTarget::Favourite(_) | ConsultTarget::Number(_)))
            || matches!(transfer, Some(TransferTarget::Number(_)))
    };
    let mut steps = scenario.flows.iter().flat_map(|flow| &flow.steps);
    steps.any(|step| matches!(step.kind, StepKind::Forward { .. } | StepKind::CallbackOffer { .. }))
        || scenario.queues.iter().any(|queue| matches!(queue.overflow, Overflow::Forward(_)))
        || scenario.classes.iter().any(hands_out)
}

/// The password of everybody who is played, made from the administrator's.
fn password_of(password: &str) -> String {
    match Secret::ha1("load", "callfloor played operators", password) {
        Secret::Ha1 { sha256: Some(hash), .. } => hash.chars().take(32).collect(),
        _ => unreachable!("ha1 gives hashes"),
    }
}

/// Lets every number be dialled: the trunk leads to parties who are played here.
async fn every_number(administration: &mut Administration<'_>, floor: &Value) -> Result<(), PrepareError> {
    let mut organisation = floor["organisation"].clone();
    organisation["numbers"]["international"] = json!(true);
    organisation["numbers"]["barred"] = json!([]);
    if organisation != floor["organisation"] {
        administration.change(Method::PUT, "/floor/organisation", &organisation).await?;
    }
    Ok(())
}

async fn skills(
    administration: &mut Administration<'_>,
    model: &Model<'_>,
    floor: &Value,
    numbers: &mut Numbers,
) -> Result<(), PrepareError> {
    let known = list(&floor["skills"]).iter().filter_map(|skill| skill.as_str().map(str::to_owned));
    let mut names: Vec<String> = known.collect();
    let before = names.len();
    for skill in &model.plan.config.skills {
        let name = named(skill);
        let place = names.iter().position(|known| *known == name).unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        });
        numbers.skills.push(number(place as u64));
    }
    if names.len() > before {
        administration.change(Method::PUT, "/floor/skills", &json!(names)).await?;
    }
    Ok(())
}

/// Uploads the recordings that are not there from an earlier run.
async fn audio(
    administration: &mut Administration<'_>,
    recordings: &Recordings,
    timescale: Timescale,
) -> Result<AudioNumbers, PrepareError> {
    let known = administration.get("/floor/audio").await?;
    let mut found = AudioNumbers::new();
    for (voice, length_ms) in recordings.files(timescale) {
        let sound = match voice {
            Voice::Prompt(number) => format!("recording {number}"),
            _ => "music".to_owned(),
        };
        let name = format!("{PREFIX}{sound} {length_ms} ms");
        let number = match list(&known).iter().find(|entry| entry["name"] == json!(name)) {
            Some(entry) => entry["audio"].as_u64(),
            None => {
                let path = format!("/floor/audio?name={}", name.replace(' ', "%20").replace(':', "%3A"));
                let file = wav(voice, length_ms * 1_000);
                administration.change_bytes(Method::POST, &path, "audio/wav", file).await?["audio"].as_u64()
            }
        };
        found.insert(voice, number.unwrap_or_default());
    }
    Ok(found)
}

/// Services with a flow that ends at once: their own needs the queues.
async fn services(
    administration: &mut Administration<'_>,
    model: &Model<'_>,
    floor: &Value,
    numbers: &mut Numbers,
) -> Result<(), PrepareError> {
    let known = list(&floor["services"]);
    for service in &model.plan.config.services {
        let name = json!(named(&service.name));
        let place = match known.iter().position(|entry| entry["name"] == name) {
            Some(place) => place as u64,
            None => {
                let flow = json!([{ "step": "end" }]);
                let body = json!({ "name": name, "inbound": true, "outbound": service.outbound, "flow": flow });
                administration.put(&[], "/floor/services", ("name", &name), &body).await?
            }
        };
        numbers.services.push(number(place));
    }
    Ok(())
}

/// The services' own flows and settings, and the numbers that customers dial.
async fn flows(
    administration: &mut Administration<'_>,
    writing: &Writing<'_>,
    floor: &Value,
) -> Result<Vec<Option<String>>, PrepareError> {
    let known = list(&floor["services"]);
    let mut dialled = vec![None; writing.model.plan.entries.len()];
    let inbound = administration.get("/floor/inbound-numbers").await?;
    for (place, service) in writing.model.plan.config.services.iter().enumerate() {
        let made = writing.flow(place);
        let number = writing.numbers.services[place];
        let state = |state| match state {
            NumberState::New => "new",
            NumberState::Confirmed => "confirmed",
            NumberState::Rejected => "rejected",
        };
        let outgoing = service.outgoing.iter();
        let outgoing: Vec<Value> =
            outgoing.map(|it| json!({ "number": it.number.to_string(), "state": state(it.state) })).collect();
        let favourites = service.favourites.iter();
        let favourites: Vec<Value> =
            favourites.map(|it| json!({ "name": it.name, "number": it.number.to_string() })).collect();
        let body = json!({
            "name": named(&service.name),
            "inbound": service.inbound,
            "outbound": service.outbound,
            // Open throughout.
            "schedule": null,
            "flow": made.steps,
            "outgoing": outgoing,
            "favourites": favourites,
            "settings": settings(writing, place),
        });
        // Where nothing is to be changed, nobody else's change is in the way.
        if !known.get(usize::from(number)).is_some_and(|service| holds(service, &body)) {
            administration.change(Method::PUT, &format!("/floor/services/{number}"), &body).await?;
        }
        for (class, step) in made.entries {
            // Numbers of Internet telephones in Japan's plan, which nobody has.
            let dial = format!("0509{place:03}{class:04}");
            let known = list(&inbound).iter().find(|entry| entry["number"] == json!(dial));
            let is_right = known.is_some_and(|it| it["service"] == json!(number) && it["step"] == json!(step));
            if let Some(id) = known.filter(|_| !is_right).and_then(|entry| entry["id"].as_u64()) {
                let path = format!("/floor/inbound-numbers/{id}");
                administration.change_bytes(Method::DELETE, &path, "application/json", Vec::new()).await?;
            }
            if !is_right {
                let body = json!({ "number": dial, "service": number, "step": step });
                administration.change(Method::POST, "/floor/inbound-numbers", &body).await?;
            }
            dialled[class] = Some(dial);
        }
    }
    Ok(dialled)
}

fn choice(choice: StatusChoice) -> Value {
    match choice {
        StatusChoice::Ready => json!({ "status": "ready" }),
        StatusChoice::Work(_) => json!({ "status": "work" }),
        StatusChoice::Break(_) => json!({ "status": "break" }),
    }
}

fn settings(writing: &Writing<'_>, service: usize) -> Value {
    let settings = &writing.model.plan.config.services[service].settings;
    let ms = |span| writing.ms(span);
    json!({
        "login_status": choice(settings.login_status),
        "ring_limit_ms": ms(settings.ring_limit),
        "on_miss": match settings.on_miss {
            MissRule::LeaveReady => json!("leave-ready"),
            MissRule::StayReady { break_after } => json!({ "stay-ready": break_after }),
        },
        "outbound_ticket": match settings.outbound_ticket {
            OutboundTicket::AtConnect => "connect",
            OutboundTicket::AtDial => "dial",
        },
        "dial_limit_ms": ms(settings.dial_limit),
        "consult_limit_ms": ms(settings.consult_limit),
        "after_call_limit_ms": settings.after_call.limit.map(ms),
        "after_call_then": choice(settings.after_call.then),
        "after_call_early_exit": settings.after_call.early_exit,
        "forced_end_audio": writing.number(writing.recordings.forced_end(writing.model, service)),
        "forced_end_limit_ms": ms(settings.forced_end_limit) + 1_000,
        "hold_music": writing.number(Voice::Music),
        // Whoever wraps up solves the ticket in the same act.
        "solve_at_wrap_up": true,
        "callback_attempts": settings.callback.attempts,
        "callback_retry_ms": ms(settings.callback.retry_after),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit() {
        assert_eq!(named("support"), "load: support");
        assert_eq!(named(&"ü".repeat(80)).chars().count(), 60);
    }

    #[test]
    fn the_password_of_the_played_is_made_from_the_administrators() {
        assert_eq!(password_of("a"), password_of("a"));
        assert_ne!(password_of("a"), password_of("b"));
        assert_eq!(password_of("a").len(), 32);
    }

    #[test]
    fn numbers_without_a_table_are_themselves() {
        let numbers = Numbers { skills: vec![4], ..Numbers::default() };
        assert_eq!((numbers.skill(0), numbers.queue(3), numbers.service(2)), (4, 3, 2));
    }
}
