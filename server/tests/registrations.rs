//! Telephones that registered before the server was killed ring after it is back, without registering anew; those whose
//! registration has run out, or whose connection cannot be made again, are lost and said to be.
//!
//! The server is this test binary, started again; the telephones are sockets of the test, so that nothing is sent from them
//! but what the test sends.

#[path = "support/organisation.rs"]
mod organisation;
mod support;
#[path = "support/telephone.rs"]
mod telephone;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use callfloor_server::config::Config;
use callfloor_sip::digest::authorize;
use organisation::{Api, domain};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use support::{PASSWORD, User};
use telephone::{Telephone, free_port};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

const DIRECTORY: &str = "CALLFLOOR_TEST_DIRECTORY";
const SIP: &str = "CALLFLOOR_TEST_SIP";
const LIMIT: Duration = Duration::from_secs(20);

/// Not a test of its own: the server that is killed.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let (Ok(directory), Ok(sip)) = (std::env::var(DIRECTORY), std::env::var(SIP)) else { return };
    let ports = telephone::port_range(200);
    let text = format!(
        "[http]\naddress = \"127.0.0.1:0\"\n[sip]\naddress = \"{sip}\"\n[media]\nfirst_port = {}\nlast_port = {}\n",
        ports.start(),
        ports.end()
    );
    let server = support::serve_as(Path::new(&directory), &Config::read("child", &text, []).unwrap()).await;
    let line = format!("\nserves {}\n", server.http());
    let mut out = std::io::stdout();
    out.write_all(line.as_bytes()).and_then(|()| out.flush()).expect("the parent listens");
    std::future::pending::<()>().await;
}

struct Running {
    child: Child,
    http: SocketAddr,
}

impl Running {
    fn start(directory: &Path, sip: SocketAddr) -> Self {
        let mut child = Process::new(std::env::current_exe().expect("this binary"))
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(DIRECTORY, directory)
            .env(SIP, sip.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        let line = lines.find(|line| line.starts_with("serves ")).expect("it serves");
        let http = line["serves ".len()..].parse().expect("an address");
        // What it says later is read too: a full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, http }
    }

    fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it is ours");
    }

    fn api(&self) -> Api {
        Api { client: Client::new(), base: format!("http://{}/api/v1", self.http) }
    }
}

/// A REGISTER of an operator's telephone.
struct Register<'a> {
    user: &'a str,
    domain: &'a str,
    contact: &'a str,
    /// `UDP` or `TCP`, and where it is sent from.
    via: (&'a str, SocketAddr),
    expires_s: u32,
}

impl Register<'_> {
    fn text(&self, count: u32, proof: Option<&str>) -> String {
        let Register { user, domain, contact, via: (transport, own), expires_s } = self;
        let authorization = proof.map_or_else(String::new, |proof| format!("Authorization: {proof}\r\n"));
        format!(
            "REGISTER sip:{domain} SIP/2.0\r\nVia: SIP/2.0/{transport} {own};rport;branch=z9hG4bK-{user}-{count}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@{domain}>;tag=t-{user}\r\nTo: <sip:{user}@{domain}>\r\n\
             Call-ID: {user}-{}\r\nCSeq: {count} REGISTER\r\nContact: <{contact}>\r\nExpires: {expires_s}\r\n\
             {authorization}Content-Length: 0\r\n\r\n",
            own.port(),
        )
    }

    fn proof(&self, challenge: &str) -> String {
        assert!(challenge.starts_with("SIP/2.0 401"), "{challenge}");
        let line = challenge.lines().find_map(|line| line.strip_prefix("WWW-Authenticate: ")).expect("a challenge");
        let uri = format!("sip:{}", self.domain);
        authorize([line].into_iter(), self.user, PASSWORD, "REGISTER", &uri, "c0ffee").expect("it can be answered")
    }
}

/// The next message of a socket.
async fn datagram(socket: &UdpSocket) -> String {
    let mut buffer = vec![0; 65_535];
    let received = tokio::time::timeout(LIMIT, socket.recv(&mut buffer)).await.expect("a message in 20 s");
    String::from_utf8_lossy(&buffer[..received.expect("a socket")]).into_owned()
}

/// The next message without a body of a connection.
async fn head(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let read = async {
        while !text.ends_with(b"\r\n\r\n") {
            text.push(stream.read_u8().await.expect("it is open"));
        }
    };
    tokio::time::timeout(LIMIT, read).await.expect("a message in 20 s");
    String::from_utf8_lossy(&text).into_owned()
}

/// A telephone by UDP that has registered.
async fn by_udp(sip: SocketAddr, user: &str, domain: &str, expires_s: u32) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(sip).await.unwrap();
    let own = socket.local_addr().unwrap();
    let contact = format!("sip:{user}@{own}");
    let register = Register { user, domain, contact: &contact, via: ("UDP", own), expires_s };
    socket.send(register.text(1, None).as_bytes()).await.unwrap();
    let proof = register.proof(&datagram(&socket).await);
    socket.send(register.text(2, Some(&proof)).as_bytes()).await.unwrap();
    let answer = datagram(&socket).await;
    assert!(answer.starts_with("SIP/2.0 200") && answer.contains(&contact), "{answer}");
    socket
}

/// A telephone by TCP that has registered and says that it takes connections at a port.
async fn by_tcp(sip: SocketAddr, user: &str, port: u16) -> TcpStream {
    let mut stream = TcpStream::connect(sip).await.unwrap();
    let own = stream.local_addr().unwrap();
    let contact = format!("sip:{user}@127.0.0.1:{port};transport=tcp");
    let register = Register { user, domain: "callfloor.local", contact: &contact, via: ("TCP", own), expires_s: 600 };
    stream.write_all(register.text(1, None).as_bytes()).await.unwrap();
    let proof = register.proof(&head(&mut stream).await);
    stream.write_all(register.text(2, Some(&proof)).as_bytes()).await.unwrap();
    let answer = head(&mut stream).await;
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    stream
}

/// Signs in, and the desk is Ready.
async fn ready(api: &Api, organisation: &str, login: &str) -> User {
    let user = api.user(organisation, login, PASSWORD).await;
    let (status, desk) = user.call(Method::POST, &path(&user, "login"), None).await;
    assert_eq!(status, 200, "{desk}");
    assert_eq!(chooses(&user, "ready").await.0, 200);
    user
}

fn path(user: &User, what: &str) -> String {
    format!("/operators/{}/{what}", user.operator.expect("an operator"))
}

async fn chooses(user: &User, status: &str) -> (u16, Value) {
    user.call(Method::PUT, &path(user, "status"), Some(json!({ "status": status }))).await
}

async fn status(user: &User) -> String {
    let (code, desk) = user.get(&path(user, "desk")).await;
    assert_eq!(code, 200, "{desk}");
    desk["status"].as_str().expect("a status").to_owned()
}

/// Somebody calls, and this telephone is called for it.
async fn is_called(sip: SocketAddr, domain: &str, socket: &UdpSocket) {
    let mut customer = Telephone::new().await;
    customer.calls_at(sip, domain, "0312345678").await.expect("it is answered, and waits");
    let invite = datagram(socket).await;
    let own = socket.local_addr().unwrap();
    assert!(invite.starts_with("INVITE sip:op1@") && invite.contains(&own.to_string()), "{invite}");
    customer.hangs_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn telephones_ring_after_the_server_was_killed_where_their_registration_holds() {
    let directory = tempfile::tempdir().unwrap();
    let sip: SocketAddr = ([127, 0, 0, 1], free_port()).into();
    let first = Running::start(directory.path(), sip);
    let api = first.api();
    let acme_admin = api.furnishes("acme", 1).await;
    drop(acme_admin);

    // By datagrams; one whose registration runs out meanwhile; by a connection, one who takes others and one who does not.
    let holds = by_udp(sip, "op1", "callfloor.local", 600).await;
    let short = by_udp(sip, "op2", "callfloor.local", 2).await;
    let registered = Instant::now();
    let takes = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let of_one_who_takes = by_tcp(sip, "op3", takes.local_addr().unwrap().port()).await;
    let takes_none = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let of_one_who_does_not = by_tcp(sip, "op4", takes_none).await;
    let of_acme = by_udp(sip, "op1", &domain("acme"), 600).await;
    let mut tokens = Vec::new();
    for (organisation, login) in [("main", "op1"), ("main", "op2"), ("main", "op3"), ("main", "op4"), ("acme", "op1")] {
        let user = ready(&api, organisation, login).await;
        assert_eq!(status(&user).await, "ready");
        tokens.push((user.token.clone(), user.operator));
    }
    first.kill();
    drop((of_one_who_takes, of_one_who_does_not));
    tokio::time::sleep((registered + Duration::from_millis(2_100)).saturating_duration_since(Instant::now())).await;

    let second = Running::start(directory.path(), sip);
    let users: Vec<User> = tokens
        .iter()
        .map(|(token, operator)| {
            let mut user = User::with_token(Client::new(), second.api().base, token);
            user.operator = *operator;
            user
        })
        .collect();
    // Nobody has registered since: who can be called is Ready still, the others are not.
    assert_eq!(status(&users[0]).await, "ready");
    assert_eq!(status(&users[4]).await, "ready", "another organisation's");
    for lost in &users[1..4] {
        assert_eq!(status(lost).await, "work");
    }
    is_called(sip, &sip.to_string(), &holds).await;
    is_called(sip, &domain("acme"), &of_acme).await;

    // What has run out, or takes no connection, is lost; what takes one can be called by it.
    for lost in [&users[1], &users[3]] {
        let (code, problem) = chooses(lost, "ready").await;
        assert_eq!((code, problem["rule"].as_str()), (409, Some("device-lost")), "{problem}");
    }
    let (mut tried, _) = tokio::time::timeout(LIMIT, takes.accept()).await.expect("it is asked").unwrap();
    assert_eq!(tried.read(&mut [0; 1]).await.unwrap(), 0, "nothing but whether it takes connections was asked");
    let begun = Instant::now();
    while chooses(&users[2], "ready").await.0 != 200 {
        assert!(begun.elapsed() < LIMIT, "it is not restored");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(chooses(&users[0], "work").await.0, 200);
    let mut customer = Telephone::new().await;
    customer.calls(sip, "0312345678").await;
    let (mut called, _) = tokio::time::timeout(LIMIT, takes.accept()).await.expect("it is called").unwrap();
    let invite = head(&mut called).await;
    assert!(invite.starts_with("INVITE sip:op3@127.0.0.1"), "{invite}");
    customer.hangs_up().await;
    // Nothing came to the telephone that has run out.
    let silent = short.try_recv(&mut [0; 1]);
    assert!(silent.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
    second.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_was_taken_back_or_whose_password_changed_is_not_restored() {
    let directory = tempfile::tempdir().unwrap();
    let sip: SocketAddr = ([127, 0, 0, 1], free_port()).into();
    let first = Running::start(directory.path(), sip);
    let api = first.api();
    for user in ["op1", "op2", "op3"] {
        by_udp(sip, user, "callfloor.local", 600).await;
    }
    // The first is taken back, the second's password is another now.
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(sip).await.unwrap();
    let via = ("UDP", socket.local_addr().unwrap());
    let all = Register { user: "op1", domain: "callfloor.local", contact: "*", via, expires_s: 0 };
    let text = |count, proof| all.text(count, proof).replace("<*>", "*");
    socket.send(text(1, None).as_bytes()).await.unwrap();
    let proof = all.proof(&datagram(&socket).await);
    socket.send(text(2, Some(&proof)).as_bytes()).await.unwrap();
    let answer = datagram(&socket).await;
    assert!(answer.starts_with("SIP/2.0 200") && !answer.contains("Contact"), "{answer}");
    let admin = api.user("main", "admin", PASSWORD).await;
    let seen = admin.request(Method::GET, "/floor").send().await.unwrap();
    let version = seen.headers()["etag"].to_str().unwrap().to_owned();
    let request = admin.request(Method::PUT, "/floor/operators/1/telephone").header("if-match", version);
    let changed = request.json(&json!({ "password": "another-password" })).send().await.unwrap();
    assert_eq!(changed.status(), 200);
    let users = [("op1", "work"), ("op2", "work"), ("op3", "ready")];
    let mut tokens = Vec::new();
    for (login, _) in users {
        tokens.push(ready(&api, "main", login).await.token);
    }
    first.kill();

    let second = Running::start(directory.path(), sip);
    for (at, (token, (login, expected))) in (0..).zip(tokens.iter().zip(users)) {
        let mut user = User::with_token(Client::new(), second.api().base, token);
        user.operator = Some(at);
        assert_eq!(status(&user).await, expected, "{login}");
    }
    second.kill();
}
