//! Who is who in a run: the script's names and the engine's ids, both ways, and who is at the end of which leg.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::order::{Kind, Live, Meaning, SUPERVISOR, SYMBOL, TARGET, live_ids};
use crate::command::Command;
use crate::id::{CallId, CallbackId, ChatId, LegId, OfferId, OperatorId, TicketId};
use crate::number::PhoneNumber;
use crate::output::{Action, Event, Output, Work};

/// A running number and a slot: any live id.
type Id = (u32, u32);

/// Everything that a run has learnt about names.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    /// Names that the script gives, now or later: the engine's own numbers keep clear of them.
    given: BTreeSet<(Kind, String)>,
    by_name: BTreeMap<(Kind, String), Id>,
    by_number: BTreeMap<(Kind, u32), Id>,
    names: BTreeMap<(Kind, u32), String>,
    last_offer: BTreeMap<OperatorId, OfferId>,
    offers: BTreeMap<(OperatorId, Work), OfferId>,
    legs: BTreeMap<LegId, Far>,
    last_target: BTreeMap<CallId, u16>,
    last_supervisor: BTreeMap<CallId, u16>,
}

/// Who is at the far end of a leg.
#[derive(Clone, Copy, Debug)]
pub(super) enum Far {
    Operator(OperatorId),
    Number(PhoneNumber),
}

impl Directory {
    pub(super) fn new(given: BTreeSet<(Kind, String)>) -> Self {
        Self { given, ..Self::default() }
    }

    /// Learns from an output; what it creates gets `name`, which is then used up.
    pub(super) fn hear(&mut self, output: &Output, name: &mut Option<(Kind, String)>) {
        match *output {
            Output::Action(Action::Ring { operator, leg: Some(leg), .. }) => {
                self.legs.insert(leg, Far::Operator(operator));
            }
            Output::Action(Action::Dial { leg, to, .. }) => {
                if leg.leg > 0 {
                    self.last_target.insert(leg.call, leg.leg);
                }
                self.legs.insert(leg, Far::Number(to));
            }
            Output::Event(Event::OfferMade { offer, work, operator, .. }) => {
                self.learn(Kind::Offer, (offer.number(), offer.slot()), name);
                self.last_offer.insert(operator, offer);
                self.offers.insert((operator, work), offer);
            }
            Output::Event(Event::CallArrived { call, .. }) => {
                self.learn(Kind::Call, (call.number(), call.slot()), name);
            }
            Output::Event(Event::DialStarted { call, operator, .. }) => {
                self.learn(Kind::Call, (call.number(), call.slot()), name);
                self.legs.insert(LegId { call, leg: 1 }, Far::Operator(operator));
            }
            Output::Action(Action::CallSupervisor { operator, leg }) => {
                self.legs.insert(leg, Far::Operator(operator));
                self.last_supervisor.insert(leg.call, leg.leg);
            }
            Output::Event(Event::CallbackReceived { callback, .. }) => {
                self.learn(Kind::Callback, (callback.number(), callback.slot()), name);
            }
            Output::Event(Event::ChatArrived { chat, .. }) => {
                self.learn(Kind::Chat, (chat.number(), chat.slot()), name);
            }
            Output::Event(Event::TicketCreated { ticket, .. }) => {
                self.learn(Kind::Ticket, (ticket.number(), ticket.slot()), name);
            }
            _ => {}
        }
    }

    fn learn(&mut self, kind: Kind, id: Id, name: &mut Option<(Kind, String)>) {
        if self.by_number.insert((kind, id.0), id).is_some() {
            return;
        }
        let name = match name.take_if(|(of, _)| *of == kind) {
            Some((_, name)) => {
                self.by_name.insert((kind, name.clone()), id);
                name
            }
            None if self.given.contains(&(kind, id.0.to_string())) => format!("e{}", id.0),
            None => id.0.to_string(),
        };
        self.names.insert((kind, id.0), name);
    }

    /// The name of a live thing, as the script calls it.
    pub(super) fn name(&self, kind: Kind, number: u32) -> String {
        self.names.get(&(kind, number)).map_or_else(|| number.to_string(), |name| super::words::name(name))
    }

    /// Who is at the far end of a leg other than the customer's.
    pub(super) fn far(&self, leg: LegId) -> Option<Far> {
        self.legs.get(&leg).copied()
    }

    /// The id that a name stands for, or what is wrong with it.
    fn id(&self, kind: Kind, name: &str) -> Result<Id, String> {
        if let Some(&id) = self.by_name.get(&(kind, name.to_owned())) {
            return Ok(id);
        }
        if self.given.contains(&(kind, name.to_owned())) {
            return Err(format!("{} {name} does not exist yet, or was refused", kind.word()));
        }
        match name.strip_prefix('e').unwrap_or(name).parse() {
            Ok(number) => Ok(self.by_number.get(&(kind, number)).copied().unwrap_or((number, 0))),
            Err(_) => Err(format!("no {} is named {name}", kind.word())),
        }
    }

    fn meant(&self, meanings: &[Meaning], symbol: Id) -> Result<Id, String> {
        let (place, SYMBOL) = symbol else { return Ok(symbol) };
        let offer = |offer: Option<&OfferId>, operator: &OperatorId| {
            offer
                .map(|offer| (offer.number(), offer.slot()))
                .ok_or_else(|| format!("{operator} (by index) was never offered that"))
        };
        match &meanings[place as usize] {
            Meaning::Named(kind, name) => self.id(*kind, name),
            Meaning::OfferTo(operator) => offer(self.last_offer.get(operator), operator),
            Meaning::OfferOf(operator, kind, name) => {
                let (number, slot) = self.id(*kind, name)?;
                let work = match kind {
                    Kind::Chat => Work::Chat(ChatId::from_parts(number, slot)),
                    Kind::Ticket => Work::Ticket(TicketId::from_parts(number, slot)),
                    Kind::Callback => Work::Callback(CallbackId::from_parts(number, slot)),
                    Kind::Call | Kind::Offer => Work::Call(CallId::from_parts(number, slot)),
                };
                offer(self.offers.get(&(*operator, work)), operator)
            }
        }
    }

    /// The command with the engine's ids in the place of names.
    pub(super) fn resolve(&self, meanings: &[Meaning], command: &Command) -> Result<Command, String> {
        let mut command = command.clone();
        let mut problem = None;
        live_ids(&mut command, |live| {
            let meant = |number, slot| self.meant(meanings, (number, slot));
            let fault = match live {
                Live::Call(id) => meant(id.number(), id.slot()).map(|(n, s)| *id = CallId::from_parts(n, s)),
                Live::Chat(id) => meant(id.number(), id.slot()).map(|(n, s)| *id = ChatId::from_parts(n, s)),
                Live::Ticket(id) => meant(id.number(), id.slot()).map(|(n, s)| *id = TicketId::from_parts(n, s)),
                Live::Callback(id) => meant(id.number(), id.slot()).map(|(n, s)| *id = CallbackId::from_parts(n, s)),
                Live::Offer(id) => meant(id.number(), id.slot()).map(|(n, s)| *id = OfferId::from_parts(n, s)),
                Live::Leg(leg) => meant(leg.call.number(), leg.call.slot()).and_then(|(n, s)| {
                    leg.call = CallId::from_parts(n, s);
                    if leg.leg == TARGET {
                        leg.leg = *self.last_target.get(&leg.call).ok_or("no number was dialled for the call")?;
                    }
                    if leg.leg == SUPERVISOR {
                        leg.leg =
                            *self.last_supervisor.get(&leg.call).ok_or("no supervisor was called for the call")?;
                    }
                    Ok(())
                }),
            };
            problem = problem.take().or(fault.err());
        });
        problem.map_or(Ok(command), Err)
    }

    /// A contact by its symbol.
    pub(super) fn resolve_work(&self, meanings: &[Meaning], work: super::order::Work) -> Result<Work, String> {
        use super::order::Work as Symbol;
        let meant = |number, slot| self.meant(meanings, (number, slot));
        Ok(match work {
            Symbol::Call(id) => meant(id.number(), id.slot()).map(|(n, s)| Work::Call(CallId::from_parts(n, s)))?,
            Symbol::Chat(id) => meant(id.number(), id.slot()).map(|(n, s)| Work::Chat(ChatId::from_parts(n, s)))?,
            Symbol::Ticket(id) => {
                meant(id.number(), id.slot()).map(|(n, s)| Work::Ticket(TicketId::from_parts(n, s)))?
            }
            Symbol::Callback(id) => {
                meant(id.number(), id.slot()).map(|(n, s)| Work::Callback(CallbackId::from_parts(n, s)))?
            }
        })
    }

    /// A text of the engine with its ids replaced by the script's names: `operator 0` becomes `operator amy`.
    pub(super) fn rename(&self, floor: &crate::config::Floor, text: &str) -> String {
        let mut words: Vec<String> = Vec::new();
        for word in text.split(' ') {
            let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
            let (number, rest) = word.split_at(digits);
            let name = number.parse::<u32>().ok().and_then(|number| {
                let at = number as usize;
                let plain = |name: &String| super::words::name(name);
                match words.last()?.as_str() {
                    "operator" => floor.operators.get(at).map(|operator| plain(&operator.name)),
                    "service" => floor.services.get(at).map(|service| plain(&service.name)),
                    "queue" => floor.queues.get(at).map(|queue| plain(&queue.name)),
                    "skill" => floor.skills.get(at).map(plain),
                    "call" => Some(self.name(Kind::Call, number)),
                    "chat" => Some(self.name(Kind::Chat, number)),
                    "ticket" => Some(self.name(Kind::Ticket, number)),
                    "callback" => Some(self.name(Kind::Callback, number)),
                    _ => None,
                }
            });
            words.push(name.map_or_else(|| word.to_owned(), |name| name + rest));
        }
        words.join(" ")
    }
}
