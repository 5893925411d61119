//! What one may ask for, over real HTTP: each for themselves, reads apart from writes, and no more connections than may be.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::support::{Running, User, serve_as};
use callfloor_server::config::Config;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

async fn start(limits: &str) -> Running {
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        "[http]\naddress = \"127.0.0.1:0\"\nproxies = [\"127.0.0.1\"]\n[sip]\nenabled = false\n[limits]\n{limits}"
    );
    let server = serve_as(directory.path(), &Config::read("test", &text, []).unwrap()).await;
    Running { server, directory, client: Client::new() }
}

/// How many of so many requests are let through; whoever is not is told when to come again.
async fn let_through(user: &User, method: Method, path: &str, tries: usize) -> usize {
    let mut through = 0;
    for _ in 0..tries {
        let answer = user.request(method.clone(), path).send().await.unwrap();
        if answer.status() != 429 {
            through += 1;
            continue;
        }
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let again: u32 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        let problem: Value = answer.json().await.unwrap();
        assert_eq!((&problem["rule"], &problem["retry_after_s"]), (&json!("too-many-requests"), &json!(again)));
        assert!(again >= 1);
    }
    through
}

#[tokio::test(flavor = "multi_thread")]
async fn each_has_their_own_and_gets_it_back() {
    let limits = "reads_per_second = 1\nreads_burst = 5\nwrites_per_second = 1\nwrites_burst = 3\n\
                  address_reads_per_second = 1\naddress_reads_burst = 4\naddress_writes_per_second = 1\naddress_writes_burst = 8\n";
    let running = start(limits).await;
    let (admin, operator) = (running.sign_in("admin").await, running.sign_in("op1").await);
    let body = json!({ "name": "reports", "scopes": ["floor:read"] });
    let (_, key) = admin.post("/keys", body).await;
    let key = User::with_token(running.client.clone(), running.url("/api/v1"), key["secret"].as_str().unwrap());

    assert_eq!(let_through(&admin, Method::GET, "/floor", 20).await, 5);
    assert_eq!(let_through(&admin, Method::POST, "/floor/services", 20).await, 2, "one write made the key");
    assert_eq!(let_through(&operator, Method::GET, "/queues", 20).await, 5, "a colleague is not held up");
    assert_eq!(let_through(&key, Method::GET, "/floor", 20).await, 5, "nor is a machine");
    assert_eq!(let_through(&key, Method::GET, "/audit", 20).await, 0, "what is refused counts too");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(let_through(&admin, Method::GET, "/floor", 5).await, 1, "one more after a second");

    // Whoever is not signed in shares what their address has; a proxy of ours says which that is.
    let nobody = User::with_token(running.client.clone(), running.url("/api/v1"), "main.nobody-has-this");
    assert_eq!(let_through(&nobody, Method::GET, "/floor", 20).await, 4, "guesses cost the address");
    let asks = |path: &'static str, from: &'static str| {
        let request = running.client.get(running.url(path)).header("x-forwarded-for", from);
        async move { request.send().await.unwrap().status().as_u16() }
    };
    assert_eq!(asks("/api/openapi.json", "127.0.0.1").await, 429);
    assert_eq!(asks("/nowhere", "127.0.0.1").await, 429);
    assert_eq!(asks("/api/openapi.json", "203.0.113.9").await, 200, "elsewhere nothing was asked for");
    for path in ["/healthz", "/readyz"] {
        assert_eq!(asks(path, "127.0.0.1").await, 200, "health is always told");
    }
    running.server.stop().await;
}

async fn listens(running: &Running, user: &User) -> Result<impl Sized + use<>, u16> {
    let mut request = running.url("/api/v1/events").replace("http://", "ws://").into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {}", user.token).parse().unwrap());
    match tokio_tungstenite::connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_limited_for_each_and_in_all() {
    let running = start("streams = 2\nall_streams = 3\naddress_streams = 1\n").await;
    let (admin, supervisor) = (running.sign_in("admin").await, running.sign_in("supervisor").await);
    let first = listens(&running, &admin).await.expect("it begins");
    let second = listens(&running, &admin).await.expect("it begins");
    assert_eq!(listens(&running, &admin).await.err(), Some(429));
    let third = listens(&running, &supervisor).await.expect("it begins");
    let customer = running.url("/api/v1/customer/chat/stream").replace("http://", "ws://");
    let refused = tokio_tungstenite::connect_async(&customer).await;
    assert!(matches!(refused, Err(Error::Http(ref answer)) if answer.status() == 429), "three in all");
    drop((first, second));
    let mut tries = 0;
    let again = loop {
        match listens(&running, &admin).await {
            Ok(socket) => break socket,
            Err(status) => {
                tries += 1;
                assert!(status == 429 && tries < 100, "a closed stream gives its place back");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    drop((third, again));
    running.server.stop().await;
}

/// Whether a connection is served.
fn is_served(address: SocketAddr) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    // Whoever finds no place may be closed while it writes.
    let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).ok()?;
    answer.starts_with(b"HTTP/1.1 200").then_some(stream)
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_limited_for_each_address_and_in_all() {
    for (limits, most) in [
        ("connections = 5\naddress_connections = 5\n", 5),
        // 127.0.0.1 is a proxy in these tests, and has no limit of its own.
        ("connections = 9\naddress_connections = 2\n", 9),
    ] {
        let running = start(limits).await;
        let address = running.server.http();
        let held = tokio::task::spawn_blocking(move || {
            let held: Vec<_> = (0..20).filter_map(|_| is_served(address)).collect();
            assert_eq!(held.len(), most);
            drop(held);
            // The places come back as the ends are noticed.
            (0..100).any(|_| {
                std::thread::sleep(Duration::from_millis(50));
                is_served(address).is_some()
            })
        });
        assert!(held.await.unwrap());
        running.server.stop().await;
    }
    // Without a proxy the address has a limit.
    let directory = tempfile::tempdir().unwrap();
    let text = "[http]\naddress = \"127.0.0.1:0\"\n[sip]\nenabled = false\n[limits]\nconnections = 9\naddress_connections = 2\n";
    let server = serve_as(directory.path(), &Config::read("test", text, []).unwrap()).await;
    let address = server.http();
    let held = tokio::task::spawn_blocking(move || (0..10).filter_map(|_| is_served(address)).count());
    assert!(held.await.unwrap() >= 2);
    let held = tokio::task::spawn_blocking(move || {
        let held: Vec<_> = (0..10).filter_map(|_| is_served(address)).collect();
        held.len()
    });
    assert_eq!(held.await.unwrap(), 2);
    server.stop().await;
}

/// Who sends more than is taken may send it to its end, and then reads why it was refused, before it was read or in the middle.
#[tokio::test(flavor = "multi_thread")]
async fn one_who_sends_too_much_reads_why() {
    let running = start("").await;
    let address = running.server.http();
    for (path, status) in [("/api/v1/sessions", 413), ("/api/v1/tickets", 401), ("/nowhere", 404)] {
        let sends = move || {
            let (mut stream, part, parts) = (TcpStream::connect(address).unwrap(), [b' '; 64 << 10], 384);
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let head = "Host: localhost\r\nConnection: close\r\nContent-Type: application/json";
            write!(stream, "POST {path} HTTP/1.1\r\n{head}\r\nContent-Length: {}\r\n\r\n", parts * part.len()).unwrap();
            for _ in 0..parts {
                stream.write_all(&part).unwrap_or_else(|problem| panic!("{path}: {problem}"));
            }
            let mut told = String::new();
            stream.read_to_string(&mut told).unwrap_or_else(|problem| panic!("{path}: {problem}"));
            told
        };
        let told = tokio::task::spawn_blocking(sends).await.unwrap();
        assert!(told.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {told}");
    }
    running.server.stop().await;
}

/// A body that comes drop by drop is not waited for, a recording's no more than a form's.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_trickles_is_given_up() {
    let running = start("").await;
    let (admin, address) = (running.sign_in("admin").await, running.server.http());
    let senders = [
        ("/floor/audio?name=drops", "audio/wav"),
        ("/customer/help-centres/0/inquiries", "application/json"),
        ("/sessions", "application/json"),
    ];
    let sending = senders.map(|(path, kind)| {
        let token = admin.token.clone();
        tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
            let head = format!("Host: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: {kind}");
            write!(stream, "POST /api/v1{path} HTTP/1.1\r\n{head}\r\nContent-Length: 1000000\r\n\r\n").unwrap();
            let (begun, mut told) = (Instant::now(), [0; 12]);
            while begun.elapsed() < Duration::from_secs(45) {
                if stream.read_exact(&mut told).is_ok() {
                    return (path, String::from_utf8_lossy(&told).into_owned());
                }
                stream.write_all(b" ").unwrap();
            }
            (path, "no answer".into())
        })
    });
    for sent in sending {
        let (path, told) = sent.await.unwrap();
        assert_eq!(told, "HTTP/1.1 408", "{path}");
    }
    running.server.stop().await;
}
