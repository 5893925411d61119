//! What relayed, played and mixed calls cost: `relay bridge|music|mix CALLS SECONDS` prints the processor time of the media thread.
//!
//! Phones are sockets of this process on a thread of their own; its time is not counted. Linux only: it reads `/proc`.

use callfloor_sip::media::{Clip, MediaConfig, MediaEngine, rtp};
use callfloor_sip::{Media, SessionOptions, Source};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The clock ticks of a thread of this process, by its name.
fn ticks(name: &str) -> u64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0 };
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("stat")).ok())
        .filter_map(|stat| {
            let (head, tail) = stat.rsplit_once(") ")?;
            head.ends_with(name)
                .then(|| tail.split(' ').skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum::<u64>())
        })
        .sum()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let kind = args.next().unwrap_or_else(|| "bridge".to_owned());
    let calls: usize = args.next().map_or(Ok(500), |a| a.parse())?;
    let seconds: u64 = args.next().map_or(Ok(10), |a| a.parse())?;
    let (engine, _events) = MediaEngine::start(MediaConfig { ports: 20_000..=59_999, ..MediaConfig::default() })?;
    let music = Arc::new(Clip::hold_music());
    let mut phones = Vec::new();
    let mut sessions = Vec::new();
    let each = match kind.as_str() {
        "bridge" => 2,
        "music" => 1,
        "mix" => 3,
        other => return Err(format!("unknown kind {other}").into()),
    };
    for _ in 0..calls {
        let mut members = Vec::new();
        for _ in 0..each {
            let session = engine.open(&SessionOptions::default())?;
            let socket = UdpSocket::bind("127.0.0.1:0")?;
            socket.set_nonblocking(true)?;
            let port = socket.local_addr()?.port();
            let offer = format!(
                "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
            );
            let answer = engine.answer(session, &offer)?;
            let port = answer.split("m=audio ").nth(1).and_then(|t| t.split(' ').next()).ok_or("no port")?.parse()?;
            phones.push((socket, SocketAddr::from(([127, 0, 0, 1], port))));
            members.push(session);
        }
        match *members {
            [a, b] => {
                engine.hear(a, Source::Peer(b))?;
                engine.hear(b, Source::Peer(a))?;
            }
            [a] => engine.hear(a, Source::Clip { clip: Arc::clone(&music), repeat: true })?,
            _ => {
                let mix = engine.open_mix()?;
                for &member in &members {
                    engine.hear(member, Source::Mix(mix))?;
                }
            }
        }
        sessions.extend(members);
    }
    let begin = Instant::now();
    let before = ticks("callfloor-media");
    let mut buffer = [0; 2048];
    let mut got = 0_u64;
    let mut late = Duration::ZERO;
    let ticks_in_all = u32::try_from(seconds * 50)?;
    for n in 0..ticks_in_all {
        for (at, (socket, to)) in (0_u32..).zip(&phones) {
            let mut bytes = Vec::with_capacity(172);
            rtp::write_header(&mut bytes, n == 0, 0, u16::try_from(n & 0xffff)?, n.wrapping_mul(160), at);
            bytes.extend_from_slice(&[0x55; 160]);
            let _ = socket.send_to(&bytes, to);
            while socket.recv_from(&mut buffer).is_ok() {
                got += 1;
            }
        }
        let due = begin + Duration::from_millis(20) * (n + 1);
        late = late.max(Instant::now().saturating_duration_since(due));
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    std::thread::sleep(Duration::from_millis(100));
    for (socket, _) in &phones {
        while socket.recv_from(&mut buffer).is_ok() {
            got += 1;
        }
    }
    let spent = ticks("callfloor-media") - before;
    let seconds = begin.elapsed().as_secs_f64();
    let statistics: Vec<_> = sessions.iter().filter_map(|&s| engine.statistics(s)).collect();
    let received: u64 = statistics.iter().map(|s| s.received).sum();
    let sent: u64 = statistics.iter().map(|s| s.sent).sum();
    let percent = f64::from(u32::try_from(spent)?) / seconds;
    println!(
        "{calls} {kind} calls: {percent:.1} % of one core, received {received}, sent {sent}, heard {got}, phones late by {late:?} at most"
    );
    Ok(())
}
