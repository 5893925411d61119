//! A small back-to-back user agent: each call that comes in goes out to one target; or it answers by itself.
//!
//! `b2bua LISTEN uas` answers each call with the caller's own description, as a plain user agent.
//! `b2bua LISTEN sip:ADDRESS` calls the target for each call and joins the two, signalling only.
//! With the environment variable `TRANSPORTS=udp,tcp` it listens by both on the same address.

use callfloor_sip::{Cause, Endpoint, EndpointConfig, Event, Invite, LegId, Listen};
use std::collections::HashMap;
use std::net::SocketAddr;

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
