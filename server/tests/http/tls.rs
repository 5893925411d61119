//! HTTP by TLS with a certificate of one's own, and clients that never come to the point.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::{PASSWORD, serve_as};
use callfloor_server::config::Config;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

/// A connection by TLS that trusts this certificate alone.
fn connect(address: SocketAddr, certificate: &Path) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(client, TcpStream::connect(address).unwrap())
}

/// One request on a connection; nothing where its certificate is not trusted.
fn ask(
    mut stream: StreamOwned<ClientConnection, TcpStream>,
    method: &str,
    path: &str,
    token: &str,
    body: &str,
) -> String {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    if stream.write_all(head.as_bytes()).is_err() {
        return String::new();
    }
    let mut answer = String::new();
    // Some servers close without a goodbye.
    let _ = stream.read_to_string(&mut answer);
    answer
}

/// One request by TLS that trusts this certificate alone.
fn get(address: SocketAddr, certificate: &Path, path: &str) -> String {
    ask(connect(address, certificate), "GET", path, "nobody", "")
}

/// Status and body of an answer.
fn read(answer: &str) -> (u16, Value) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
}

/// Whether telephones are shown this certificate.
fn is_shown(address: SocketAddr, certificate: &Path) -> bool {
    let mut stream = connect(address, certificate);
    stream.conn.complete_io(&mut stream.sock).is_ok()
}

/// A certificate and its key in a directory, good for so many days; `None` where there is no openssl.
fn certificate(directory: &Path, name: &str, days: &str) -> Option<(PathBuf, PathBuf)> {
    let file = |end: &str| directory.join(format!("{name}.{end}"));
    let extensions = "subjectAltName=DNS:localhost\nbasicConstraints=critical,CA:FALSE\n";
    std::fs::write(file("ext"), extensions).unwrap();
    let run = |arguments: &[&str], files: &[(&str, &str)]| {
        let mut command = Command::new("openssl");
        command.args(arguments);
        for (option, end) in files {
            command.arg(option).arg(file(end));
        }
        let made = command.output().ok()?;
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Some(())
    };
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost"];
    run(&[&["req", "-new"], &key[..]].concat(), &[("-keyout", "key"), ("-out", "csr")])?;
    let signed = [("-in", "csr"), ("-signkey", "key"), ("-extfile", "ext"), ("-out", "pem")];
    run(&["x509", "-req", "-days", days], &signed)?;
    Some((file("pem"), file("key")))
}

/// The same by two names: what is put in the place of what.
fn replace((certificate, key): &(PathBuf, PathBuf), (with, its_key): &(PathBuf, PathBuf)) {
    std::fs::copy(with, certificate).unwrap();
    std::fs::copy(its_key, key).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn http_is_spoken_by_tls_with_a_certificate() {
    let directory = tempfile::tempdir().unwrap();
    let Some((certificate, key)) = certificate(directory.path(), "first", "2") else {
        return println!("skipped: no openssl in PATH");
    };
    let text = format!(
        "[http]\naddress = \"127.0.0.1:0\"\ncertificate = {certificate:?}\nkey = {key:?}\n[sip]\nenabled = false\n"
    );
    let server = serve_as(directory.path(), &Config::read("none", &text, []).unwrap()).await;
    let address = server.http();
    let path = certificate.clone();
    let answer = tokio::task::spawn_blocking(move || get(address, &path, "/healthz")).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok\n"), "{answer}");
    let plain = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    });
    assert!(!plain.await.unwrap().starts_with(b"HTTP/1.1 200"), "nothing is answered in plain words");
    server.stop().await;

    // A key that is not the certificate's, and a file that is not there, are told.
    std::fs::write(&key, "no key").unwrap();
    let config = Config::read("none", &text, []).unwrap();
    let stores = Arc::new(callfloor_server::storage::SqliteStores(directory.path().join("other")));
    let options = callfloor_server::server::Options::new(&config);
    let refused = callfloor_server::server::Server::start(stores, options).await.unwrap_err().to_string();
    assert!(refused.contains("key"), "{refused}");
}

/// New certificates are shown without a restart, to HTTP's clients and to telephones; connections that are open go on. A
/// wrong one is told, and the one in use stays.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_changed_while_the_server_runs() {
    let directory = tempfile::tempdir().unwrap();
    let make = |name: &str, days: &str| certificate(directory.path(), name, days);
    let Some(first) = make("first", "2") else { return println!("skipped: no openssl in PATH") };
    let (second, over, used) = (make("second", "3").unwrap(), make("over", "-1").unwrap(), make("used", "2").unwrap());
    replace(&used, &first);
    let text = format!(
        "[http]\naddress = \"127.0.0.1:0\"\ncertificate = {:?}\nkey = {:?}\n[sip]\naddress = \"127.0.0.1:0\"\n\
         tls_address = \"127.0.0.1:0\"\n",
        used.0, used.1
    );
    let server = serve_as(directory.path(), &Config::read("none", &text, []).unwrap()).await;
    let (http, sip) = (server.http(), server.sip()[2]);
    let asks =
        async |shown: &(PathBuf, PathBuf), method: &'static str, path: &'static str, token: &str, body: String| {
            let (shown, token) = (shown.0.clone(), token.to_owned());
            let asking = move || ask(connect(http, &shown), method, path, &token, &body);
            read(&tokio::task::spawn_blocking(asking).await.unwrap())
        };
    let body = json!({ "login": "server-admin", "password": PASSWORD }).to_string();
    let (status, signed_in) = asks(&first, "POST", "/api/v1/sessions", "", body).await;
    assert_eq!(status, 201, "{signed_in}");
    let token = signed_in["token"].as_str().unwrap();
    let shows = async |which: &(PathBuf, PathBuf)| {
        let path = which.0.clone();
        let shown = move || (get(http, &path, "/healthz").ends_with("ok\n"), is_shown(sip, &path));
        tokio::task::spawn_blocking(shown).await.unwrap()
    };
    let reload = async || asks(&first, "POST", "/api/v1/certificates/reload", token, String::new()).await;
    assert_eq!((shows(&first).await, shows(&second).await), ((true, true), (false, false)));
    let mut open = connect(http, &first.0);
    open.conn.complete_io(&mut open.sock).unwrap();

    // Wrong ones: another's key, one that is over, a file that is none.
    for (certificate, key, words) in [
        (&second.0, &first.1, "do not fit"),
        (&over.0, &over.1, "it was good until"),
        (&first.1, &first.1, "no certificate"),
    ] {
        std::fs::copy(certificate, &used.0).unwrap();
        std::fs::copy(key, &used.1).unwrap();
        let (status, problem) = reload().await;
        assert_eq!((status, &problem["rule"]), (422, &json!("certificate")), "{problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(words) && detail.contains("[http] certificate"), "{detail}");
        assert_eq!(shows(&first).await, (true, true), "the one in use stays");
    }
    std::fs::remove_file(&used.0).unwrap();
    assert_eq!(reload().await.0, 422);

    replace(&used, &second);
    assert_eq!(shows(&first).await, (true, true), "nothing changes by itself");
    let (status, shown) = reload().await;
    assert_eq!(status, 200, "{shown}");
    let of: Vec<_> = shown.as_array().unwrap().iter().map(|one| (&one["of"], &one["names"])).collect();
    let names = json!(["localhost"]);
    assert_eq!(of, [(&json!("http"), &names), (&json!("sip"), &names)]);
    assert_eq!((shows(&first).await, shows(&second).await), ((false, false), (true, true)));
    assert_eq!(asks(&second, "GET", "/api/v1/certificates", token, String::new()).await, (200, shown));
    let answer = tokio::task::spawn_blocking(move || ask(open, "GET", "/healthz", "nobody", ""));
    assert!(answer.await.unwrap().ends_with("ok\n"), "a connection that was open goes on");
    server.stop().await;
}

/// A client that sends its headers drop by drop is cut, and others are answered meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_comes_to_the_point_is_cut() {
    let running = crate::support::Running::start().await;
    let address = running.server.http();
    let slow = tokio::task::spawn_blocking(move || {
        let mut streams: Vec<_> = (0..100).map(|_| TcpStream::connect(address).unwrap()).collect();
        for stream in &mut streams {
            stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").unwrap();
        }
        let begun = Instant::now();
        let mut last = streams.pop().unwrap();
        last.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut answer = Vec::new();
        let _ = last.read_to_end(&mut answer);
        (begun.elapsed(), answer)
    });
    let healthy = running.client.get(running.url("/healthz")).send().await.unwrap();
    assert_eq!(healthy.status(), 200);
    let (after, answer) = slow.await.unwrap();
    assert!(after < Duration::from_secs(25), "cut after {after:?}");
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    running.server.stop().await;
}
