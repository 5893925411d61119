//! Calls that operators make: campaigns, and callbacks to customers who asked for one.

use super::{Callback, Happening, Host};
use crate::arrival::{customer_id, micros};
use crate::calendar::Entry;
use crate::customer::{Caller, Stage};
use crate::operator::{Errand, Preview};
use crate::stream::{Draw, Kind, Purpose};
use callfloor_engine::{CallId, CallbackId, Command, FarEndFault, OperatorId, QueueId, Status, StatusChoice};
use callfloor_scenario::{FloorPlan, GroupIndex, Pacing};
use std::collections::VecDeque;

/// A customer who asked to be called back answers after this time.
const CALLBACK_RING_US: u64 = 5_000_000;

/// How far a campaign has come.
#[derive(Debug, Default)]
pub(super) struct CampaignState {
    /// The next customer of the list.
    next: u64,
    /// Customers of the list taken today.
    today: u32,
    /// Customers who may be dialled again: number and attempt.
    again: VecDeque<(u64, u8)>,
}

impl CampaignState {
    pub(super) fn new_day(&mut self) {
        self.today = 0;
    }
}

impl Host<'_> {
    /// A campaign with rates may dial now.
    pub(super) fn campaign_tick(&mut self, campaign: u16) {
        let source = self.model.classes.len() + usize::from(campaign);
        if self.sources[source].next.take().is_none() {
            return;
        }
        let source_state = &mut self.sources[source];
        source_state.next = source_state.process.next_arrival();
        self.schedule_arrival(source);
        let groups = &self.model.scenario.campaigns[usize::from(campaign)].groups;
        let ready = groups.iter().filter_map(|&group| self.ready_in(group, u32::MAX));
        let ready: Vec<OperatorId> =
            ready.filter(|id| !self.operators[id.0 as usize].errand.has(Errand::LEAVING)).collect();
        if let Some(operator) = ready.into_iter().min_by_key(|id| self.operators[id.0 as usize].since) {
            self.preview(operator.0, campaign);
        }
    }

    pub(super) fn campaign_retry(&mut self, campaign: u16, number: u64, attempt: u8) {
        self.campaigns[usize::from(campaign)].again.push_back((number, attempt));
    }

    /// An operator of an idle-time campaign became Ready.
    pub(super) fn wait_idle(&mut self, operator: u32) {
        let Some((campaign, after_us, _)) = self.idle_rule(operator) else { return };
        let state = &self.campaigns[usize::from(campaign)];
        let list = self.model.scenario.campaigns[usize::from(campaign)].list_size;
        if state.again.is_empty() && list.is_some_and(|size| state.today >= size) {
            return;
        }
        // Before opening time nobody is dialled.
        let from = self.now.max(self.opening_us);
        let entry = self.calendar.schedule(from + after_us.max(1), Happening::Idle(operator));
        self.operators[operator as usize].rest = entry;
    }

    fn idle_rule(&self, operator: u32) -> Option<(u16, u64, u32)> {
        let group = usize::from(self.operators[operator as usize].group);
        let campaign = self.model.groups[group].idle_campaign?;
        match self.model.scenario.campaigns[usize::from(campaign)].pacing {
            Pacing::WhenIdle { after_us, keep_ready } => Some((campaign, after_us, keep_ready)),
            Pacing::Rates(_) => None,
        }
    }

    pub(super) fn idle_dial(&mut self, operator: u32) {
        self.operators[operator as usize].rest = Entry::NONE;
        let Some((campaign, _, keep_ready)) = self.idle_rule(operator) else { return };
        let state = self.operators[operator as usize];
        if state.status != Status::Ready || state.errand.has(Errand::LEAVING) {
            return;
        }
        let others = self.count_ready(GroupIndex(usize::from(state.group))).saturating_sub(1);
        if self.now >= self.closing_us {
            return;
        }
        if others < keep_ready {
            self.wait_idle(operator);
        } else {
            self.preview(operator, campaign);
        }
    }

    fn count_ready(&self, group: GroupIndex) -> u32 {
        let ids = self.model.plan.groups[group.0].clone();
        let ready = ids.filter(|&id| self.operators[id as usize].status == Status::Ready).count();
        u32::try_from(ready).unwrap_or(u32::MAX)
    }

    /// An operator takes the next customer of a campaign's list and looks at the record.
    fn preview(&mut self, operator: u32, campaign: u16) {
        let state = &mut self.campaigns[usize::from(campaign)];
        let list = self.model.scenario.campaigns[usize::from(campaign)].list_size;
        let (number, attempt) = match state.again.pop_front() {
            Some(again) => again,
            None if list.is_some_and(|size| state.today >= size) => return,
            None => {
                state.today += 1;
                state.next += 1;
                (state.next - 1, 0)
            }
        };
        let preview = Preview { campaign, number, attempt };
        if self.model.campaigns[usize::from(campaign)].preview.mean() == 0.0 {
            self.dial_campaign(operator, preview);
            return;
        }
        self.agendas[operator as usize].preview = Some(preview);
        self.apply(Command::SetStatus {
            operator: OperatorId(operator),
            to: StatusChoice::Work(super::staff::PREVIEW),
        });
    }

    pub(super) fn preview_length(&self, preview: Preview) -> f64 {
        let id = self.contact_id(preview);
        let mut draws = self.behaviour.streams().draws(Kind::Customer, id, Purpose::Other);
        self.model.campaigns[usize::from(preview.campaign)].preview.sample(&mut draws)
    }

    fn contact_id(&self, preview: Preview) -> u64 {
        let source = self.model.classes.len() + usize::from(preview.campaign);
        customer_id(u16::try_from(source).expect("checked by the model"), preview.number, preview.attempt)
    }

    pub(super) fn dial_campaign(&mut self, operator: u32, preview: Preview) {
        let campaign = &self.model.campaigns[usize::from(preview.campaign)];
        let service = FloorPlan::service(self.model.scenario.campaigns[usize::from(preview.campaign)].service);
        let (id, to, from) = (OperatorId(operator), campaign.to, campaign.from);
        let reference = self.contact_id(preview);
        if !self.apply(Command::Dial { operator: id, service, to, from, customer: None, reference }) {
            self.free(operator);
        }
    }

    pub(super) fn dial_started(&mut self, call: CallId, operator: u32, callback: Option<CallbackId>, reference: u64) {
        self.live += 1;
        let caller = if let Some(callback) = callback {
            let waiting = self.callbacks[callback.slot() as usize];
            Caller { id: waiting.id, words: waiting.words, source: waiting.source, row: waiting.row, ..Caller::EMPTY }
        } else {
            let source = u16::try_from(reference >> 48).expect("16 bits");
            let attempt = u8::try_from(reference >> 40 & 0xff).expect("8 bits");
            let [_, words @ ..] = self.behaviour.streams().block(Kind::Customer, reference, 0);
            let row = self.model.campaigns[usize::from(source) - self.model.classes.len()].row;
            Caller { id: reference, words, source, row, attempt, ..Caller::EMPTY }
        };
        let now = self.now;
        if let Some(counts) = self.collector.now(caller.row) {
            counts.dials += 1;
        }
        *self.caller_slot(call) = Caller { call, operator, queued_at: now, live: true, ..caller };
        // The status changed before the call was known here.
        let row = self.callers[call.slot() as usize].row;
        let state = &mut self.operators[operator as usize];
        if state.status == Status::Dialing {
            state.row = row;
        }
    }

    pub(super) fn dial_customer(&mut self, slot: usize) {
        let caller = self.callers[slot];
        let Some(place) = usize::from(caller.source).checked_sub(self.model.classes.len()) else {
            self.next_step(slot, CALLBACK_RING_US, Stage::Dial(None));
            return;
        };
        let campaign = &self.model.scenario.campaigns[place];
        let mut draws = self.behaviour.streams().draws(Kind::Customer, caller.id, Purpose::Miss);
        let fate = draws.uniform();
        let ring_us = micros(self.model.campaigns[place].ring.sample(&mut draws));
        if fate < campaign.connect {
            self.next_step(slot, ring_us, Stage::Dial(None));
        } else if fate < campaign.connect + campaign.busy {
            self.next_step(slot, ring_us, Stage::Dial(Some(FarEndFault::Busy)));
        }
        // Else it rings until the dial limit.
    }

    pub(super) fn dial_answered(&mut self, call: CallId, operator: u32) {
        let slot = call.slot() as usize;
        let row = self.callers[slot].row;
        if let Some(counts) = self.collector.now(row) {
            counts.dials_connected += 1;
        }
        self.begin_talk(slot, operator);
    }

    pub(super) fn dial_failed(&mut self, source: u16, id: u64, attempt: u8) {
        let Some(place) = usize::from(source).checked_sub(self.model.classes.len()) else { return };
        let attempt = attempt.saturating_add(1);
        if u32::from(attempt) >= self.model.scenario.campaigns[place].max_attempts {
            return;
        }
        let mut draws = self.behaviour.streams().draws(Kind::Customer, id, Purpose::Redial);
        let delay = self.model.campaigns[place].retry_delay.sample(&mut draws);
        let campaign = u16::try_from(place).expect("checked by the model");
        self.after(delay, Happening::Retry { campaign, attempt, number: id & ((1 << 40) - 1) });
    }

    /// A caller accepted a callback: offered to the queue, and flowed out of it at once.
    pub(super) fn callback_received(&mut self, callback: CallbackId, queue: QueueId, call: Option<CallId>) {
        self.live += 1;
        let slot = callback.slot() as usize;
        if slot >= self.callbacks.len() {
            self.callbacks.resize(slot + 1, Callback::default());
        }
        let Some(caller) = call.and_then(|call| self.callers.get(call.slot() as usize)) else { return };
        let Caller { id, words, source, waiting, arrived, .. } = *caller;
        self.callbacks[slot] = Callback { id, words, source, row: queue.0, rings: 0 };
        // One who waited in this very queue has been offered already and flows out at the call's end.
        let (arrived, row) = if waiting { (arrived, caller.row) } else { (self.collector.offered(queue.0), queue.0) };
        if !waiting {
            self.collector.flowed_out(row, arrived, 0);
        }
        self.collector.callback_accepted(row, arrived);
    }
}
