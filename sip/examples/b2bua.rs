//! A small back-to-back user agent: each call that comes in goes out to one target; or it answers by itself.
//!
//! `b2bua LISTEN uas` answers each call with the caller's own description, as a plain user agent.
//! `b2bua LISTEN call sip:ADDRESS RATE COUNT` calls the target so often in a second, so many times in all, talks for 100 ms, hangs
//! up, and prints what it saw; the time to the answer runs from the instant at which the call was due.
//! `b2bua LISTEN sip:ADDRESS` calls the target for each call and joins the two, signalling only.
//! With the environment variable `TRANSPORTS=udp,tcp` it listens by both on the same address.

use callfloor_sip::{Cause, Endpoint, EndpointConfig, Event, Events, Invite, LegId, Listen};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(address), Some(target)) = (args.next(), args.next()) else {
        return Err("usage: b2bua LISTEN (uas | sip:TARGET)".into());
    };
    let address: SocketAddr = address.parse()?;
    let transports = std::env::var("TRANSPORTS").unwrap_or_else(|_| "udp".to_owned());
    let mut config = EndpointConfig::default();
    for transport in transports.split(',') {
        config.listen.push(match transport {
            "udp" => Listen::udp(address),
            "tcp" => Listen::tcp(address),
            other => return Err(format!("unknown transport {other}").into()),
        });
    }
    let (endpoint, mut events) = Endpoint::bind(config).await?;
    eprintln!("listening on {:?}", endpoint.addresses());
    if target == "call" {
        let (Some(target), Some(rate), Some(count)) = (args.next(), args.next(), args.next()) else {
            return Err("usage: b2bua LISTEN call sip:TARGET RATE COUNT".into());
        };
        return call(&endpoint, &mut events, &target, rate.parse()?, count.parse()?).await;
    }
    let mut partner: HashMap<LegId, LegId> = HashMap::new();
    let mut caller: HashMap<LegId, bool> = HashMap::new();
    while let Some(event) = events.next().await {
        match event {
            Event::Incoming(call) if target == "uas" => {
                endpoint.ring(call.leg)?;
                endpoint.answer(call.leg, call.offer.unwrap_or_default())?;
            }
            Event::Incoming(call) => {
                let out = endpoint.invite(Invite {
                    target: target.clone(),
                    caller: call.caller,
                    offer: call.offer,
                    ..Invite::default()
                })?;
                partner.insert(call.leg, out);
                partner.insert(out, call.leg);
                caller.insert(call.leg, true);
            }
            Event::Ringing { leg, .. } => {
                if let Some(&other) = partner.get(&leg) {
                    endpoint.ring(other)?;
                }
            }
            Event::EarlyMedia { leg, sdp } => {
                if let Some(&other) = partner.get(&leg) {
                    endpoint.progress(other, sdp)?;
                }
            }
            Event::Answered { leg, sdp } => {
                if let Some(&other) = partner.get(&leg) {
                    endpoint.answer(other, sdp.unwrap_or_default())?;
                }
            }
            Event::Offer { leg, sdp } => match (partner.get(&leg), sdp) {
                (Some(&other), Some(sdp)) => endpoint.offer(other, sdp)?,
                (None, Some(sdp)) => endpoint.accept_offer(leg, sdp)?,
                (_, None) => endpoint.refuse_offer(leg, 488)?,
            },
            Event::OfferAccepted { leg, sdp } => {
                if let Some(&other) = partner.get(&leg) {
                    endpoint.accept_offer(other, sdp.unwrap_or_default())?;
                }
            }
            Event::OfferRefused { leg, code } => {
                if let Some(&other) = partner.get(&leg) {
                    endpoint.refuse_offer(other, code)?;
                }
            }
            Event::Ended { leg, cause } => {
                caller.remove(&leg);
                if let Some(other) = partner.remove(&leg) {
                    partner.remove(&other);
                    match cause {
                        Cause::Failed { code, retry_after_s, .. } => endpoint.reject(other, code, retry_after_s)?,
                        _ => endpoint.hang_up(other)?,
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

const OFFER: &str =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n";

/// Open-loop calls: each begins at its instant, whatever became of the others.
async fn call(
    endpoint: &Endpoint,
    events: &mut Events,
    target: &str,
    rate: f64,
    count: u32,
) -> Result<(), Box<dyn std::error::Error>> {
    let begin = Instant::now();
    let due = |n: u32| begin + Duration::from_secs_f64(f64::from(n) / rate);
    let (mut made, mut ended, mut failed) = (0, 0, 0_u32);
    let mut begun: HashMap<LegId, Instant> = HashMap::new();
    let mut talking: std::collections::VecDeque<(Instant, LegId)> = std::collections::VecDeque::new();
    let mut waits = Vec::new();
    while ended < count {
        let now = Instant::now();
        while made < count && due(made) <= now {
            let target = target.to_owned();
            let offer = Some(OFFER.to_owned());
            let leg = endpoint.invite(Invite { target, caller: "1".to_owned(), offer, ..Invite::default() })?;
            begun.insert(leg, due(made));
            made += 1;
        }
        while let Some(&(at, leg)) = talking.front()
            && at <= now
        {
            endpoint.hang_up(leg)?;
            talking.pop_front();
        }
        let next = [(made < count).then(|| due(made)), talking.front().map(|t| t.0)].into_iter().flatten().min();
        let event = match next {
            Some(next) => tokio::time::timeout_at(next.into(), events.next()).await.ok(),
            None => Some(events.next().await),
        };
        match event {
            Some(Some(Event::Answered { leg, .. })) => {
                if let Some(at) = begun.get(&leg) {
                    waits.push(at.elapsed().as_micros());
                }
                talking.push_back((Instant::now() + Duration::from_millis(100), leg));
            }
            Some(Some(Event::Ended { leg, cause })) => {
                ended += 1;
                failed += u32::from(cause != Cause::HungUp);
                begun.remove(&leg);
            }
            Some(None) => return Err("the endpoint stopped".into()),
            _ => {}
        }
    }
    waits.sort_unstable();
    let at = |share: usize| waits.get((waits.len() * share / 1000).min(waits.len().saturating_sub(1)));
    let seconds = begin.elapsed().as_secs_f64();
    let cps = f64::from(count) / seconds;
    println!("{count} calls at {cps:.0}/s, {failed} failed, answer after p50 {:?} p99 {:?} us", at(500), at(990));
    println!("retransmitted {}, timeouts {}", endpoint.counters().retransmitted(), endpoint.counters().timeouts());
    Ok(())
}
