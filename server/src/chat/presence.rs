//! A customer who is away for longer than the grace has left their chat; whoever is connected is woken by what happens
//! to it.

use std::collections::BTreeSet;
use std::sync::Arc;

use callfloor_engine::{ChatId, Command, Event, Output, Rejection};
use tokio::sync::broadcast::error::RecvError;

use super::LiveChats;
use crate::host::Handle;

/// Keeps live chats in step with the engine, until the host stops. After a restart every customer has the whole grace to
/// come back.
pub async fn keep_presence(host: Handle, live: Arc<LiveChats>) {
    let Ok(mut subscription) = host.hub().subscribe(None) else { return };
    if !reconcile(&host, &live).await {
        return;
    }
    let mut look = tokio::time::interval(live.look_every());
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            happened = subscription.live.recv() => match happened {
                Ok(happened) => note(&live, &happened.output),
                Err(RecvError::Lagged(_)) => {
                    if !reconcile(&host, &live).await {
                        return;
                    }
                }
                Err(RecvError::Closed) => return,
            },
            _ = look.tick() => {
                for chat in live.lost() {
                    if !leave(&host, &live, chat).await {
                        return;
                    }
                }
            }
        }
    }
}

fn note(live: &LiveChats, output: &Output) {
    match output {
        Output::Event(Event::ChatArrived { chat, .. }) => live.seen(*chat),
        Output::Event(
            Event::ChatAnswered { chat, .. }
            | Event::ChatTransferred { chat, .. }
            | Event::ChatTransferredToOperator { chat, .. },
        ) => live.wake(*chat),
        Output::Event(Event::ChatEnded { chat, .. }) => live.over(*chat),
        _ => {}
    }
}

/// Takes up every live chat and forgets those that are over; `false`: the host has stopped.
async fn reconcile(host: &Handle, live: &LiveChats) -> bool {
    let found = host.tell(|turn| Ok::<_, ()>(turn.engine().chats().map(|chat| chat.chat).collect::<BTreeSet<_>>()));
    let Ok(Ok(chats)) = found.await else { return false };
    live.keep_only(&chats);
    true
}

/// The customer of a chat has left; `false`: the host has stopped.
async fn leave(host: &Handle, live: &LiveChats, chat: ChatId) -> bool {
    match host.tell(move |turn| turn.apply(Command::CustomerLeftChat { chat })).await {
        Ok(Ok(_) | Err(Rejection::Unknown(_))) => live.over(chat),
        Ok(Err(refused)) => tracing::error!(%refused, "a lost customer's chat could not be ended"),
        Err(_) => return false,
    }
    true
}
