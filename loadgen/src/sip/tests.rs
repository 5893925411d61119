//! Two agents and a network between them that loses what it is told to lose, in virtual time.

use std::net::SocketAddr;

use super::{Agent, CallKey, Credentials, Event, Failure, Micros};

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
const DELAY_US: Micros = 100;

struct Net {
    agents: [Agent; 2],
    now: Micros,
    /// Which datagrams are lost, by their place in the order of sending.
    loses: fn(usize) -> bool,
    sent: usize,
    told: [Vec<(CallKey, Event)>; 2],
    /// Every first line that was sent.
    lines: Vec<String>,
    /// In flight: when, for whom, from whom, what.
    flying: Vec<(Micros, usize, SocketAddr, Vec<u8>)>,
}

fn address(at: usize) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], if at == 0 { 5_080 } else { 5_060 }))
}

impl Net {
    fn new(loses: fn(usize) -> bool) -> Self {
        Self {
            agents: [Agent::new(address(0), 0xbeef), Agent::new(address(1), 0xcafe)],
            now: 0,
            loses,
            sent: 0,
            told: [Vec::new(), Vec::new()],
            lines: Vec::new(),
            flying: Vec::new(),
        }
    }

    fn call(&mut self) -> CallKey {
        self.agents[0].invite(address(1), "sip:100@127.0.0.1:5060", "700", SDP.into())
    }

    /// Takes what the agents say and send.
    fn take(&mut self) {
        for at in 0..2 {
            while let Some(told) = self.agents[at].next_event() {
                self.told[at].push(told);
            }
            for datagram in self.agents[at].take_datagrams() {
                let lost = (self.loses)(self.sent);
                self.sent += 1;
                let line = String::from_utf8_lossy(&datagram.bytes);
                let line = line.lines().next().unwrap_or_default().to_owned();
                self.lines.push(format!("{}{line}", if lost { "lost: " } else { "" }));
                if !lost {
                    self.flying.push((self.now + DELAY_US, 1 - at, address(at), datagram.bytes));
                }
            }
        }
    }

    fn run_until(&mut self, end: Micros) {
        loop {
            self.take();
            let due = self.agents.iter_mut().filter_map(Agent::next_deadline).min().unwrap_or(Micros::MAX);
            let flight = self.flying.iter().map(|it| it.0).min().unwrap_or(Micros::MAX);
            let next = due.min(flight);
            if next > end {
                self.now = end;
                // Whoever acts next does so now.
                return self.agents.iter_mut().for_each(|agent| agent.advance(end));
            }
            self.now = next;
            if flight <= due {
                let place = self.flying.iter().position(|it| it.0 == flight).expect("it was found");
                let (_, to, from, bytes) = self.flying.remove(place);
                self.agents[to].receive(self.now, from, &bytes);
            } else {
                self.agents.iter_mut().for_each(|agent| agent.advance(self.now));
            }
        }
    }

    fn run_for(&mut self, span: Micros) {
        self.run_until(self.now + span);
    }

    fn events(&self, at: usize) -> Vec<&Event> {
        self.told[at].iter().map(|(_, event)| event).collect()
    }

    fn rung(&self) -> CallKey {
        let found = self.told[1].iter().find(|(_, event)| matches!(event, Event::Incoming { .. }));
        found.expect("it rang").0
    }
}

/// A call by one side, answered by the other, ended by the first; whatever single datagram is lost, it comes to the same end.
#[test]
fn any_one_datagram_may_be_lost() {
    const LOSES: [fn(usize) -> bool; 9] =
        [|_| false, |n| n == 0, |n| n == 1, |n| n == 2, |n| n == 3, |n| n == 4, |n| n == 5, |n| n == 6, |n| n == 7];
    for (lost, loses) in LOSES.into_iter().enumerate() {
        let mut net = Net::new(loses);
        let call = net.call();
        net.run_for(1_200_000);
        let rung = net.rung();
        net.agents[1].answer(rung, SDP.into());
        net.run_for(5_000_000);
        net.agents[0].hang_up(call);
        net.run_for(10_000_000);
        let first = net.events(0);
        assert!(first.contains(&&Event::Answered { sdp: Some(SDP.into()) }), "{lost}: {:#?}", net.lines);
        assert_eq!(first.last(), Some(&&Event::Left { answered: true }), "{lost}: {:#?}", net.lines);
        let second = net.events(1);
        let incoming = Event::Incoming { caller: "700".into(), called: "100".into(), sdp: Some(SDP.into()) };
        assert_eq!(second, [&incoming, &Event::Confirmed { sdp: None }, &Event::HungUp], "{lost}: {:#?}", net.lines);
        assert!(net.agents.iter().all(|agent| agent.live() == 0), "{lost}");
        let repeated = net.agents[0].traffic().retransmitted + net.agents[1].traffic().retransmitted;
        assert_eq!(repeated > 0, net.lines.iter().any(|line| line.starts_with("lost")), "{lost}: {:#?}", net.lines);
        // Nothing is kept for ever.
        net.run_for(60_000_000);
        assert!(net.agents.iter().all(|agent| agent.calls.is_empty() && agent.incoming.is_empty()));
        assert!(net.agents.iter_mut().all(|agent| agent.next_deadline().is_none()));
    }
}

#[test]
fn the_called_side_hangs_up() {
    let mut net = Net::new(|_| false);
    net.call();
    net.run_for(10_000);
    let rung = net.rung();
    net.agents[1].answer(rung, SDP.into());
    net.run_for(10_000);
    net.agents[1].hang_up(rung);
    net.run_for(10_000);
    assert_eq!(net.events(0).last(), Some(&&Event::HungUp));
    assert_eq!(net.events(1).last(), Some(&&Event::Left { answered: true }));
    let wanted = [
        "INVITE sip:100@127.0.0.1:5060 SIP/2.0",
        "SIP/2.0 180 Ringing",
        "SIP/2.0 200 OK",
        "ACK sip:100@127.0.0.1:5060 SIP/2.0",
    ];
    assert_eq!(net.lines[..4], wanted);
    assert_eq!(net.lines[4..], ["BYE sip:700@127.0.0.1:5080 SIP/2.0", "SIP/2.0 200 OK"]);
}

#[test]
fn a_caller_who_gives_up_cancels() {
    for loses in [(|_| false) as fn(usize) -> bool, |n| n == 2, |n| n == 3, |n| n == 4, |n| n == 5] {
        let mut net = Net::new(loses);
        let call = net.call();
        net.run_for(10_000);
        net.agents[0].hang_up(call);
        net.run_for(40_000_000);
        assert_eq!(net.events(0).last(), Some(&&Event::Cancelled), "{:#?}", net.lines);
        assert_eq!(net.events(1).last(), Some(&&Event::GivenUp), "{:#?}", net.lines);
        assert!(net.agents.iter().all(|agent| agent.live() == 0));
    }
}

/// CANCEL may only follow a provisional response: one who gives up before it waits for it.
#[test]
fn a_cancel_waits_for_the_first_response() {
    let mut net = Net::new(|n| n == 0);
    let call = net.call();
    net.run_for(1_000);
    net.agents[0].hang_up(call);
    net.run_for(400_000);
    assert_eq!(net.lines.len(), 1);
    net.run_for(2_000_000);
    assert_eq!(net.events(0).last(), Some(&&Event::Cancelled), "{:#?}", net.lines);
}

#[test]
fn an_answer_that_crosses_the_cancel_is_hung_up() {
    let mut net = Net::new(|_| false);
    let call = net.call();
    net.run_for(10_000);
    let rung = net.rung();
    net.agents[1].answer(rung, SDP.into());
    net.agents[0].hang_up(call);
    net.run_for(1_000_000);
    assert_eq!(net.events(0).last(), Some(&&Event::Left { answered: true }), "{:#?}", net.lines);
    assert_eq!(net.events(1).last(), Some(&&Event::HungUp));
    assert!(net.agents.iter().all(|agent| agent.live() == 0));
}

#[test]
fn a_refusal_is_acknowledged_and_told() {
    let mut net = Net::new(|_| false);
    net.call();
    net.run_for(10_000);
    let rung = net.rung();
    net.agents[1].refuse(rung, 486);
    net.run_for(1_000_000);
    assert_eq!(net.events(0).last(), Some(&&Event::Failed(Failure::Refused(486))));
    assert_eq!(net.agents[0].traffic().responses, [1, 0, 0, 1, 0, 0]);
    assert_eq!(net.lines.iter().filter(|line| line.starts_with("SIP/2.0 486")).count(), 1);
}

/// Timer B: 1 + 6 retransmissions in 32 s, then it is given up.
#[test]
fn nobody_there_is_a_timeout() {
    let mut net = Net::new(|_| true);
    net.call();
    net.run_for(31_999_000);
    assert!(net.events(0).is_empty());
    assert_eq!(net.lines.len(), 7);
    net.run_for(2_000);
    assert_eq!(net.events(0), [&Event::Failed(Failure::Timeout)]);
    assert_eq!((net.agents[0].traffic().timeouts, net.agents[0].traffic().retransmitted), (1, 6));
}

#[test]
fn a_challenge_is_answered_once() {
    let mut agent = Agent::new(address(0), 1);
    agent.authenticate("op1", Credentials { user: "op1".into(), password: "secret".into() });
    agent.register(address(1), "callfloor.local", "op1", 600);
    let answer = |agent: &mut Agent, code: u16, more: &str| {
        let sent = agent.take_datagrams().pop().expect("a request");
        let text = String::from_utf8(sent.bytes).expect("text");
        let head: String = text
            .lines()
            .filter(|line| ["Via", "From", "To", "Call-ID", "CSeq"].iter().any(|name| line.starts_with(name)))
            .map(|line| format!("{line}\r\n"))
            .collect();
        let reply = format!("SIP/2.0 {code} X\r\n{head}{more}Content-Length: 0\r\n\r\n");
        agent.receive(1_000, address(1), reply.as_bytes());
        text
    };
    let challenge = "WWW-Authenticate: Digest realm=\"callfloor.local\", nonce=\"n\", qop=\"auth\", algorithm=MD5\r\n";
    let first = answer(&mut agent, 401, challenge);
    assert!(first.starts_with("REGISTER sip:callfloor.local SIP/2.0\r\n") && first.contains("CSeq: 1 REGISTER"));
    assert!(!first.contains("Authorization"));
    let second = answer(&mut agent, 200, "");
    assert!(
        second.contains("CSeq: 2 REGISTER") && second.contains("Authorization: Digest username=\"op1\""),
        "{second}"
    );
    assert_eq!(agent.next_event().map(|(_, event)| event), Some(Event::Answered { sdp: None }));
    agent.register(address(1), "callfloor.local", "op1", 600);
    answer(&mut agent, 401, challenge);
    answer(&mut agent, 401, challenge);
    assert_eq!(agent.next_event().map(|(_, event)| event), Some(Event::Failed(Failure::Refused(401))));
}

/// Whatever comes from outside, nothing panics and nothing is kept.
#[test]
fn rubbish_is_counted_and_forgotten() {
    let mut net = Net::new(|_| false);
    let call = net.call();
    net.take();
    let invite = net.flying[0].3.clone();
    let mut agent = Agent::new(address(1), 9);
    for cut in 0..invite.len() {
        agent.receive(0, address(0), &invite[..cut]);
        let mut changed = invite.clone();
        changed[cut] = changed[cut].wrapping_add(1);
        agent.receive(0, address(0), &changed);
        agent.take_datagrams();
    }
    for text in ["", "\r\n\r\n", "BYE", "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK9-1-1INVITE\r\n\r\n"] {
        agent.receive(0, address(0), text.as_bytes());
    }
    assert!(agent.traffic().unexpected > 0);
    agent.advance(200_000_000);
    agent.advance(300_000_000);
    assert!(agent.calls.is_empty());
    net.agents[0].hang_up(call);
}

/// Silence says something only while an answer is due.
#[test]
fn an_answer_is_due_until_the_final_response() {
    let mut net = Net::new(|_| false);
    let due = |net: &Net| [net.agents[0].is_answer_due(), net.agents[1].is_answer_due()];
    let call = net.call();
    assert_eq!(due(&net), [true, false]);
    net.run_for(10_000);
    assert_eq!(due(&net), [true, false], "it rings");
    let rung = net.rung();
    net.agents[1].answer(rung, SDP.into());
    net.run_for(10_000);
    assert_eq!(due(&net), [false, false], "however long they talk");
    net.agents[0].hang_up(call);
    assert_eq!(due(&net), [true, false]);
    net.run_for(10_000);
    assert_eq!(due(&net), [false, false]);
    let call = net.call();
    net.run_for(10_000);
    net.agents[0].hang_up(call);
    assert_eq!(due(&net), [true, false], "CANCEL");
    net.run_for(10_000_000);
    assert_eq!(due(&net), [false, false]);
}
