//! Classes of customers and outbound campaigns.

use super::arrivals::{arrivals, constant, intervals};
use super::document::{Node, View, printable, rounded};
use super::flows::{Menus, reached};
use super::names::Names;
use crate::campaign::{Campaign, Pacing};
use crate::clock::SECOND_US;
use crate::customer::{
    AfterRefusal, Consult, ConsultTarget, CustomerClass, Entry, Handling, Hold, Identity, MenuShare, Redial, Transfer,
    TransferTarget,
};
use crate::distribution::Distribution;
use crate::flow::{Flow, StepKind};
use crate::operator::Group;
use crate::problem::suggestion;
use crate::queue::{Queue, SkillRequirement};
use crate::scenario::{QueueIndex, ServiceIndex};
use crate::service::{Channel, Service};

/// What customers meet.
pub(crate) struct World<'w> {
    pub(crate) services: &'w [Service],
    pub(crate) queues: &'w [Queue],
    pub(crate) flows: &'w [Flow],
    /// `[flow]`
    pub(crate) menus: &'w [Menus],
    pub(crate) groups: &'w [Group],
}

/// Reads `[customers.NAME]`.
pub(crate) fn classes(root: &View<'_>, names: &Names<'_, '_>, world: &World<'_>) -> Vec<CustomerClass> {
    let named = root.map("customers").into_iter();
    named.filter_map(|named| class(named.name, &named.node.table()?, names, world)).collect()
}

fn class(name: &str, view: &View<'_>, names: &Names<'_, '_>, world: &World<'_>) -> Option<CustomerClass> {
    // Everything is read before the first return, so that all mistakes are told at once.
    let place = entry(view, names, world);
    let (channel, service) =
        place.map_or((Channel::Phone, ServiceIndex(0)), |(channel, service, _)| (channel, service));
    let skills = names.requirements(view, "skills");
    if channel != Channel::Phone {
        names.refuse(view, &["skills"], "give the skills of the chat or ticket queue");
    }
    if channel == Channel::Ticket {
        names.refuse(view, &["patience", "balking", "redial"], "a ticket does not leave");
    }
    let (arrivals, mean_handling) = match view.table("arrivals") {
        Some(view) => arrivals(name, &view, names),
        None => (crate::Arrivals::Trace { arrivals: Vec::new() }, Vec::new()),
    };
    let patience = view.table("patience").map(|_| names.patience(view, "patience"));
    let redial = view.table("redial").map(|view| redial(&view, names));
    let handling_view = view.table("handling")?;
    let handling = handling(&handling_view, names, world, channel, service);
    if !mean_handling.is_empty() && handling.as_ref().is_some_and(|handling| handling.mean_s() <= 0.0) {
        let message = "`aht_s` needs a handling model with a mean above 0, which it scales";
        names.notes.add(handling_view.span.clone(), message, None);
    }
    let (channel, service, entry) = place?;
    let menus = menus(view, names, world, entry);
    if names.notes.is_empty() {
        check_served(view, names, world, entry, &skills);
    }
    if view.has("population") && view.number("known_share") == Some(0.0) {
        names.notes.add(view.key_place("population"), "`population` has no effect while `known_share` is 0", None);
    }
    Some(CustomerClass {
        name: name.to_owned(),
        service,
        channel,
        entry,
        priority: view.whole("priority").unwrap_or(0),
        skills,
        arrivals,
        mean_handling,
        identity: Identity {
            known_share: view.number("known_share").unwrap_or(0.0),
            population: view.whole("population").unwrap_or(10_000),
        },
        patience: patience.flatten().unwrap_or(Distribution::Never),
        answer_heard_s: 0.0,
        balking: view.number("balking").unwrap_or(0.0),
        redial: redial.flatten(),
        menus,
        handling: handling?,
    })
}

/// Channel, service and first step or queue of a class.
fn entry(view: &View<'_>, names: &Names<'_, '_>, world: &World<'_>) -> Option<(Channel, ServiceIndex, Entry)> {
    let notes = names.notes;
    let entry = match names.one_of(view, &["queue", "flow"], false) {
        Some("flow") => Entry::Flow(names.flow(view, "flow")?),
        Some(_) => Entry::Queue(names.queue(view, "queue")?),
        None if world.queues.len() == 1 => Entry::Queue(QueueIndex(0)),
        None => {
            // Without any queue that is the mistake, and told already.
            if names.queues.is_empty() {
                return None;
            }
            let help = suggestion("", names.queues.iter().copied());
            notes.add(view.span.clone(), "say where the customers go, with `queue` or `flow`", help);
            return None;
        }
    };
    Some(match entry {
        Entry::Flow(flow) => (Channel::Phone, world.flows[flow.0].service, entry),
        Entry::Queue(queue) => (world.queues[queue.0].channel, world.queues[queue.0].service, entry),
    })
}

/// Keys pressed at the menus of the class's flow.
fn menus(view: &View<'_>, names: &Names<'_, '_>, world: &World<'_>, entry: Entry) -> Vec<MenuShare> {
    let Entry::Flow(flow) = entry else {
        names.refuse(view, &["menus"], "the class goes straight to a queue");
        return Vec::new();
    };
    let steps = &world.flows[flow.0].steps;
    let own = |(step, shares): &(crate::StepIndex, Vec<f64>)| MenuShare { flow, step: *step, shares: shares.clone() };
    let mut menus: Vec<MenuShare> = world.menus[flow.0].iter().map(own).collect();
    for entry in view.tables("menus") {
        let Some(name) = entry.text("step") else { continue };
        let found = menus.iter_mut().find(|menu| steps.get(menu.step.0).is_some_and(|step| step.name == name));
        let Some(menu) = found else {
            let known: Vec<&str> =
                world.menus[flow.0].iter().filter_map(|(step, _)| Some(steps.get(step.0)?.name.as_str())).collect();
            let message = format!("the flow has no menu `{}`", printable(name));
            names.notes.add(entry.place("step"), message, suggestion(name, known));
            continue;
        };
        let StepKind::Menu { options, .. } = &steps[menu.step.0].kind else { continue };
        menu.shares = vec![0.0; options.len()];
        for named in entry.map("shares") {
            let Some(share) = named.node.number() else { continue };
            match options.iter().position(|option| named.name.chars().eq([option.key])) {
                Some(option) => menu.shares[option] = share,
                None => {
                    let message = format!("the menu has no key `{}`", printable(named.name));
                    let keys: Vec<String> = options.iter().map(|option| option.key.to_string()).collect();
                    let help = suggestion("", keys.iter().map(String::as_str).collect::<Vec<_>>());
                    names.notes.add(named.span, message, help);
                }
            }
        }
        let sum: f64 = menu.shares.iter().sum();
        if sum > 1.0 + 1e-9 {
            names.notes.add(
                entry.place("shares"),
                format!("the shares sum to {}: at most 1 is possible", rounded(sum)),
                None,
            );
        }
    }
    menus
}

/// Notes queues that nobody serves, and skills that nobody has who serves the queue: such a caller would wait in vain.
fn check_served(view: &View<'_>, names: &Names<'_, '_>, world: &World<'_>, entry: Entry, skills: &[SkillRequirement]) {
    let (key, queues) = match entry {
        Entry::Flow(flow) => ("flow", reached(&world.flows[flow.0], world.queues)),
        Entry::Queue(queue) => ("queue", vec![queue]),
    };
    for queue in queues {
        let serve = |group: &&Group| group.queues.iter().any(|served| served.queue == queue);
        let serving: Vec<&Group> = world.groups.iter().filter(serve).collect();
        let name = names.queues[queue.0];
        if serving.is_empty() {
            let help = "name it in `queues` of a group of operators".to_owned();
            names.notes.add(view.place(key), format!("nobody serves the queue `{name}`"), Some(help));
            continue;
        }
        let described = &world.queues[queue.0];
        let needs: Vec<SkillRequirement> = described.skills.iter().chain(skills).copied().collect();
        // Relaxing may change what is needed; then the scenario knows better.
        if described.relax.is_empty() && !serving.iter().any(|group| masters(group, &needs)) {
            let wanted: Vec<String> = needs
                .iter()
                .map(|need| format!("`{}` at {}", names.skills[need.skill.0], need.min_proficiency))
                .collect();
            let message =
                format!("nobody who serves the queue `{name}` has the skills asked for: {}", wanted.join(", "));
            names.notes.add(view.place(if view.has("skills") { "skills" } else { key }), message, None);
        }
    }
}

fn redial(view: &View<'_>, names: &Names<'_, '_>) -> Option<Redial> {
    let delay = names.span(view, "delay");
    Some(Redial {
        probability: view.number("probability")?,
        delay: delay?,
        max_attempts: view.whole("max_attempts")?,
        after: if view.flag("after_refusal") { AfterRefusal::AbandonedOrRefused } else { AfterRefusal::AbandonedOnly },
    })
}

fn handling(
    view: &View<'_>,
    names: &Names<'_, '_>,
    world: &World<'_>,
    channel: Channel,
    service: ServiceIndex,
) -> Option<Handling> {
    let talk = names.span(view, "talk");
    if channel != Channel::Phone {
        names.refuse(view, &["hold", "consult", "forced_end"], "it is for calls");
        names.refuse(view, &["after_call"], "put the work after a chat or ticket into `talk`");
    }
    if channel == Channel::Ticket {
        names.refuse(view, &["transfer"], "it is for calls and chats");
    }
    let hold = view.table("hold").map(|view| {
        let length = names.span(&view, "length");
        Some(Hold { probability: view.number("probability")?, length: length? })
    });
    let consult = view.table("consult").map(|view| consult(&view, names, world, service, talk.as_ref()));
    let transfer = view.table("transfer").map(|view| transfer(&view, names, world, channel, talk.as_ref()));
    let after_call = names.span_or(view, "after_call", 0.0);
    Some(Handling {
        talk: talk?,
        hold: hold.flatten(),
        consult: consult.flatten(),
        transfer: transfer.flatten(),
        forced_end: view.number("forced_end").unwrap_or(0.0),
        after_call,
    })
}

fn consult(
    view: &View<'_>,
    names: &Names<'_, '_>,
    world: &World<'_>,
    service: ServiceIndex,
    talk: Option<&Distribution>,
) -> Option<Consult> {
    let kind = names.one_of(view, &["group", "favourite", "number"], true);
    let target = match kind {
        Some("group") => {
            names.refuse(view, &["answer_delay", "no_answer"], "operators answer as their group does");
            names.group(view, "group").map(ConsultTarget::Group)
        }
        Some("favourite") => view.text("favourite").and_then(|name| {
            let favourites = &world.services[service.0].favourites;
            let known: Vec<&str> = favourites.iter().map(|favourite| favourite.name.as_str()).collect();
            names.find("favourite number", &known, name, view.place("favourite")).map(ConsultTarget::Favourite)
        }),
        Some("number") => {
            view.text("number").and_then(|text| names.number(text, view.place("number"))).map(ConsultTarget::Number)
        }
        _ => None,
    };
    let length = names.span(view, "length");
    let talk_after = names.span(view, "talk_after").or_else(|| talk.cloned());
    Some(Consult {
        probability: view.number("probability")?,
        target: target?,
        answer_delay: names.span_or(view, "answer_delay", 8.0),
        no_answer: view.number("no_answer").unwrap_or(0.0),
        length: length?,
        connect: view.number("connect").unwrap_or(0.0),
        talk_after: talk_after?,
    })
}

fn transfer(
    view: &View<'_>,
    names: &Names<'_, '_>,
    world: &World<'_>,
    channel: Channel,
    talk: Option<&Distribution>,
) -> Option<Transfer> {
    let target = match names.one_of(view, &["queue", "group", "number"], true) {
        Some("queue") => names.queue(view, "queue").and_then(|queue| {
            if world.queues[queue.0].channel == channel {
                return Some(TransferTarget::Queue(queue));
            }
            names.notes.add(view.place("queue"), "this queue is of another channel", None);
            None
        }),
        Some("group") => names.group(view, "group").map(TransferTarget::Group),
        Some("number") => {
            names.refuse(view, &["talk_after"], "after a transfer to an outside number the call is over for us");
            view.text("number").and_then(|text| names.number(text, view.place("number"))).map(TransferTarget::Number)
        }
        _ => None,
    };
    if channel == Channel::Chat {
        names.refuse(view, &["group", "number"], "a chat is handed on to a queue");
    }
    let talk_after = names.span(view, "talk_after").or_else(|| talk.cloned());
    Some(Transfer { probability: view.number("probability")?, target: target?, talk_after: talk_after? })
}

/// Reads `[campaign.NAME]`.
pub(crate) fn campaigns(root: &View<'_>, names: &Names<'_, '_>, world: &World<'_>) -> Vec<Campaign> {
    let named = root.map("campaign").into_iter();
    named.filter_map(|named| campaign(named.name, &named.node.table()?, names, world)).collect()
}

fn campaign(name: &str, view: &View<'_>, names: &Names<'_, '_>, world: &World<'_>) -> Option<Campaign> {
    let notes = names.notes;
    let service = names.service(view);
    let described = &world.services[service.0];
    if !described.outbound {
        let message = format!("the service `{}` has no outbound contract", described.name);
        let help = format!("write outbound = true in [service.{}]", described.name);
        notes.add(view.place("service"), message, Some(help));
    } else if described.outgoing_numbers.is_empty() {
        let message = format!("the service `{}` has no outgoing number to dial from", described.name);
        let help = format!("write outgoing_numbers = [\"…\"] in [service.{}]", described.name);
        notes.add(view.place("service"), message, Some(help));
    }
    let outgoing_number = match view.text("outgoing_number") {
        None => Some(0),
        Some(text) => names.number(text, view.place("outgoing_number")).and_then(|number| {
            let place = described.outgoing_numbers.iter().position(|known| *known == number);
            if place.is_none() {
                let known: Vec<String> = described.outgoing_numbers.iter().map(ToString::to_string).collect();
                let help = suggestion(text, known.iter().map(String::as_str).collect::<Vec<_>>());
                let message = format!("\"{text}\" is no outgoing number of the service `{}`", described.name);
                notes.add(view.place("outgoing_number"), message, help);
            }
            place
        }),
    };
    let dialling = dialling_groups(view, names, world.groups, service);
    let pacing = match names.one_of(view, &["per_hour", "intervals", "idle_s"], true) {
        Some("per_hour") => view.number("per_hour").map(|rate| Pacing::Rates(constant(rate))),
        Some("intervals") => {
            for entry in view.tables("intervals") {
                names.refuse(&entry, &["aht_s"], "a campaign's handling is the same all day");
            }
            Some(Pacing::Rates(intervals(view, names).0))
        }
        Some("idle_s") => view
            .micros("idle_s", SECOND_US)
            .map(|after_us| Pacing::WhenIdle { after_us, keep_ready: view.whole("keep_ready").unwrap_or(0) }),
        _ => None,
    };
    if !view.has("idle_s") {
        names.refuse(view, &["keep_ready"], "it goes with `idle_s`");
    }
    let max_attempts = view.whole("max_attempts").unwrap_or(1);
    if max_attempts == 1 {
        names.refuse(view, &["retry_delay"], "it goes with `max_attempts` above 1");
    }
    let (connect, busy) = (view.number("connect")?, view.number("busy")?);
    if connect + busy > 1.0 + 1e-9 {
        let message = format!("`connect` and `busy` sum to {}: at most 1 is possible", rounded(connect + busy));
        notes.add(view.place(if view.has("busy") { "busy" } else { "connect" }), message, None);
    }
    let spans = (
        names.span_or(view, "preview", 0.0),
        names.span_or(view, "ring", 10.0),
        names.span_or(view, "retry_delay", 3600.0),
    );
    let handling = handling(&view.table("handling")?, names, world, Channel::Phone, service);
    Some(Campaign {
        name: name.to_owned(),
        service,
        groups: dialling,
        outgoing_number: outgoing_number?,
        list_size: view.whole("list_size"),
        pacing: pacing?,
        preview: spans.0,
        ring: spans.1,
        connect,
        busy,
        max_attempts,
        retry_delay: spans.2,
        handling: handling?,
    })
}

fn dialling_groups(
    view: &View<'_>,
    names: &Names<'_, '_>,
    groups: &[Group],
    service: ServiceIndex,
) -> Vec<crate::GroupIndex> {
    let mut found = Vec::new();
    let items: Vec<Node<'_>> = view.items("groups");
    for item in &items {
        let Some(name) = item.text() else { continue };
        let Some(group) = names.find("group of operators", &names.groups, name, item.span.clone()) else { continue };
        if !groups[group].services.contains(&service) {
            let message = format!("the group `{}` does not belong to the campaign's service", printable(name));
            names.notes.add(item.span.clone(), message, None);
        } else if found.contains(&crate::GroupIndex(group)) {
            names.notes.add(item.span.clone(), format!("the group `{}` is named twice", printable(name)), None);
        } else {
            found.push(crate::GroupIndex(group));
        }
    }
    if items.is_empty() && view.has("groups") {
        names.notes.add(view.place("groups"), "a campaign needs at least one group", None);
    }
    found
}

/// Whether a group masters skills well enough.
fn masters(group: &Group, needs: &[SkillRequirement]) -> bool {
    needs.iter().all(|need| {
        group.skills.iter().any(|level| level.skill == need.skill && level.proficiency >= need.min_proficiency)
    })
}
