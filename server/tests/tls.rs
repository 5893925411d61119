//! HTTP by TLS with a certificate of one's own, and clients that never come to the point.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use callfloor_server::config::Config;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use support::serve_as;

/// One request by TLS that trusts this certificate alone.
fn get(address: std::net::SocketAddr, certificate: &std::path::Path, path: &str) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(client, TcpStream::connect(address).unwrap());
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    // Some servers close without a goodbye.
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn http_is_spoken_by_tls_with_a_certificate() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output();
    let Ok(made) = made else { return println!("skipped: no openssl in PATH") };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
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

/// A client that sends its headers drop by drop is cut, and others are answered meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_comes_to_the_point_is_cut() {
    let running = support::Running::start().await;
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
