//! The demonstration that a new server begins with: one service that takes calls, chats and written tickets, and four
//! operators.

use callfloor_engine::{
    AudioId, Channel, ConfigError, EngineConfig, Floor, IdleSince, Membership, NumberState, OpeningHours, Operator,
    OperatorId, OutgoingNumber, PhoneNumber, Policy, PriorityRule, Queue, QueueId, Service, ServiceId, Settings, Span,
    Step,
};

use crate::auth::{Account, Role, create_account};
use crate::host::Documents;
use crate::http::Problem;
use crate::phone::Telephone;

/// Recordings that every organisation has.
pub mod audio {
    use callfloor_engine::AudioId;

    /// The announcement of a forced end.
    pub const FORCED_END: AudioId = AudioId(0);
    /// Hold and queue music.
    pub const MUSIC: AudioId = AudioId(1);
    /// The greeting ahead of the queue.
    pub const GREETING: AudioId = AudioId(2);
    /// The first that an administrator can upload.
    pub const FIRST_OWN: AudioId = AudioId(16);
}

/// Operators of the demonstration: login, which is the CTI id too; extension.
const OPERATORS: [(&str, &str); 4] = [("op1", "201"), ("op2", "202"), ("op3", "203"), ("op4", "204")];

fn number(text: &str) -> PhoneNumber {
    text.parse().expect("the demonstration's numbers are numbers")
}

fn queue(name: &str, channel: Channel) -> Queue {
    Queue {
        name: name.into(),
        service: ServiceId(0),
        channel,
        policy: Policy::LongestIdle(IdleSince::LastCall),
        needs: vec![],
        priority: PriorityRule::Strict,
        first_level: 255,
        relax: vec![],
        ring_limit: None,
        limit: None,
        maximum_wait: None,
        last_operator: None,
    }
}

/// The demonstration's floor.
///
/// # Errors
/// Never, unless the engine's rules for floors change.
pub fn floor() -> Result<EngineConfig, ConfigError> {
    let settings = Settings { forced_end_audio: audio::FORCED_END, hold_music: audio::MUSIC, ..Settings::default() };
    let greeting: AudioId = audio::GREETING;
    let service = Service {
        name: "Demonstration".into(),
        inbound: true,
        outbound: true,
        hours: OpeningHours::Always,
        flow: vec![
            Step::Announcement { audio: greeting, limit: Span::from_seconds(10) },
            Step::Queue { queue: QueueId(0), on_full: None, on_timeout: None },
        ],
        outgoing: vec![OutgoingNumber { number: number("0312345678"), state: NumberState::Confirmed }],
        favourites: vec![],
        settings,
    };
    let operators = OPERATORS.map(|(login, extension)| Operator {
        name: login.into(),
        services: vec![ServiceId(0)],
        phone: true,
        cti_id: Some(login.into()),
        cti_number: Some(number(extension)),
        skills: vec![],
        queues: (0..3).map(|queue| Membership { queue: QueueId(queue), level: 0, preference: 0 }).collect(),
        points: 100,
        chat_limit: 3,
        ticket_limit: 5,
        auto_answer: false,
    });
    EngineConfig::new(Floor {
        seed: 1,
        services: vec![service],
        queues: vec![queue("calls", Channel::Phone), queue("chats", Channel::Chat), queue("messages", Channel::Ticket)],
        operators: operators.into(),
        ..Floor::default()
    })
}

/// Logins of the demonstration's accounts.
pub fn logins() -> impl Iterator<Item = &'static str> {
    ["admin", "supervisor"].into_iter().chain(OPERATORS.map(|(login, _)| login))
}

/// The demonstration's accounts: an administrator `admin`, a supervisor `supervisor`, and the operators, all with this
/// password, as have the operators' telephones.
///
/// # Errors
/// Where the password is too short, or accounts exist already.
pub fn create_accounts(documents: &mut Documents, password: &str, realm: &str) -> Result<(), Problem> {
    let hash = Account::hash(password)?;
    let people = [("admin", Role::Administrator, None), ("supervisor", Role::Supervisor, None)];
    let operators = (0..).zip(OPERATORS).map(|(at, (login, _))| (login, Role::Operator, Some(at)));
    for (login, role, operator) in people.into_iter().chain(operators) {
        if let Some(operator) = operator {
            documents.put(&Telephone::sip(OperatorId(operator), login, realm, password));
        }
        create_account(
            documents,
            Account {
                id: 0,
                login: login.into(),
                name: login.into(),
                password: hash.clone(),
                role,
                operator,
                disabled: false,
            },
        )?;
    }
    Ok(())
}
