//! Bytes as bodies of requests: to every operation of the served document that takes a body, as everybody who may ask.
//!
//! The server is a whole one, with its store and the demonstration's floor; requests come by a connection as they do from
//! anywhere. Nothing may be answered that the server has to be sorry for, and a refusal says what is wrong.
//! Without libFuzzer the program writes seeds: a body for each operation, made by the document, and a dictionary of its names.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use callfloor_server::config::Config;
use callfloor_server::server::{Options, Server};
use callfloor_server::storage::SqliteStores;
use serde_json::{Map, Value, json};

const PASSWORD: &str = "correct-horse-battery";
/// Who asks: nobody at all first.
const LOGINS: [&str; 5] = ["", "admin", "supervisor", "op1", "server-admin"];
/// After so many inputs another server begins with an empty store.
const INPUTS: u64 = 100_000;
/// Bytes ahead of a body: who asks, of what, about which objects, and by which version and type.
const HEAD: usize = 5;

/// An operation that takes a body.
struct Operation {
    method: String,
    /// With names of objects in braces.
    path: String,
    schema: Value,
}

/// A server, everybody signed in, and a connection to it.
struct Harness {
    runtime: tokio::runtime::Runtime,
    /// Kept: its parts end with it.
    server: Option<Server>,
    _directory: tempfile::TempDir,
    address: SocketAddr,
    stream: Option<TcpStream>,
    tokens: Vec<String>,
    operations: Vec<Operation>,
    document: Value,
    inputs: u64,
}

impl Drop for Harness {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop());
        }
    }
}

impl Harness {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("the system gives threads");
        // A disc would only be waited for: nothing is lost here when the power goes.
        let memory = PathBuf::from("/dev/shm");
        let directory = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let directory = directory.expect("a directory");
        let text = "[http]\naddress = \"127.0.0.1:0\"\n[sip]\nenabled = false\n[limits]\nwrites_per_second = 0\n\
                    reads_per_second = 0\naddress_writes_per_second = 0\naddress_reads_per_second = 0\n";
        let config = Config::read("fuzz", text, []).expect("a configuration");
        let options = Options { first_password: Some(PASSWORD.to_owned()), ..Options::new(&config) };
        let stores = Arc::new(SqliteStores(directory.path().to_owned()));
        let server = runtime.block_on(Server::start(stores, options)).expect("a server");
        let mut harness = Self {
            address: server.http(),
            runtime,
            server: Some(server),
            _directory: directory,
            stream: None,
            tokens: Vec::new(),
            operations: Vec::new(),
            document: Value::Null,
            inputs: 0,
        };
        for login in LOGINS {
            let token = if login.is_empty() { String::new() } else { harness.sign_in(login).expect("they may") };
            harness.tokens.push(token);
        }
        let (status, document) = harness.ask("GET", "/api/openapi.json", "", b"");
        assert_eq!(status, 200);
        harness.document = serde_json::from_slice(&document).expect("JSON");
        harness.operations = operations(&harness.document);
        harness
    }

    fn sign_in(&mut self, login: &str) -> Option<String> {
        let body = json!({ "login": login, "password": PASSWORD }).to_string();
        let (_, answer) = self.ask("POST", "/api/v1/sessions", "Content-Type: application/json\r\n", body.as_bytes());
        Some(serde_json::from_slice::<Value>(&answer).ok()?["token"].as_str()?.to_owned())
    }

    /// Status and body of the answer.
    fn ask(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> (u16, Vec<u8>) {
        // A connection that was closed after the last answer is made anew, once.
        for _ in 0..2 {
            let address = self.address;
            let stream = self.stream.get_or_insert_with(|| {
                let stream = TcpStream::connect(address).expect("the server takes connections");
                stream.set_nodelay(true).expect("a socket");
                stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket");
                stream
            });
            let head = format!(
                "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n{headers}\r\n",
                body.len()
            );
            let mut request = head.into_bytes();
            request.extend_from_slice(body);
            match stream.write_all(&request).and_then(|()| answer(stream)) {
                Ok((status, told, closes)) => {
                    if closes {
                        self.stream = None;
                    }
                    return (status, told);
                }
                Err(_) => self.stream = None,
            }
        }
        panic!("{method} {path}: there is no answer");
    }

    fn run(&mut self, head: [u8; HEAD], body: &[u8]) {
        let [who, which, which_more, objects, more] = head;
        let who = usize::from(who) % LOGINS.len();
        let at = usize::from(u16::from_le_bytes([which, which_more])) % self.operations.len();
        let (method, template) = (self.operations[at].method.clone(), self.operations[at].path.clone());
        let path = filled(&template, objects);
        let mut headers = match more % 8 {
            7 => "Content-Type: text/plain\r\n".to_owned(),
            _ => "Content-Type: application/json\r\n".to_owned(),
        };
        if !self.tokens[who].is_empty() {
            headers += &format!("Authorization: Bearer {}\r\n", self.tokens[who]);
        }
        // Most changes want to know what is changed.
        let version = more / 8 % 8;
        if version > 0 {
            let version = if version == 7 { self.floor_version() } else { u64::from(version) };
            headers += &format!("If-Match: \"{version}\"\r\n");
        }
        let (status, told) = self.ask(&method, &path, &headers, body);
        let said = String::from_utf8_lossy(&told);
        assert!(status < 500, "{method} {path} as {:?}: {status} {said}", LOGINS[who]);
        if status >= 400 {
            let problem: Value = serde_json::from_slice(&told).unwrap_or_default();
            let is_told = problem["detail"].as_str().is_some_and(|detail| !detail.is_empty());
            assert!(is_told, "{method} {path} as {:?}: {status} says nothing: {said}", LOGINS[who]);
        }
        self.inputs += 1;
        if status == 401 && who > 0 && !path.ends_with("/sessions") {
            // Their password or account was changed by somebody who may.
            match self.sign_in(LOGINS[who]) {
                Some(token) => self.tokens[who] = token,
                None => self.inputs = INPUTS,
            }
        }
    }

    fn floor_version(&mut self) -> u64 {
        let headers = format!("Authorization: Bearer {}\r\n", self.tokens[1]);
        let (_, told) = self.ask("GET", "/api/v1/floor", &headers, b"");
        serde_json::from_slice::<Value>(&told).unwrap_or_default()["version"].as_u64().unwrap_or(1)
    }
}

/// Status and body of an answer, and whether the connection is closed after it.
fn answer(stream: &mut TcpStream) -> std::io::Result<(u16, Vec<u8>, bool)> {
    let mut buffer = Vec::with_capacity(4_096);
    let mut part = [0; 16_384];
    let mut more = |buffer: &mut Vec<u8>| -> std::io::Result<()> {
        match stream.read(&mut part)? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => {
                buffer.extend_from_slice(&part[..n]);
                Ok(())
            }
        }
    };
    let head = loop {
        if let Some(end) = buffer.windows(4).position(|end| end == b"\r\n\r\n") {
            break end + 4;
        }
        more(&mut buffer)?;
    };
    let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
    let status = text.get(9..12).and_then(|status| status.parse().ok()).expect("a status");
    let header = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let closes = header("connection").is_some_and(|value| value.contains("close"));
    assert!(header("transfer-encoding").is_none(), "an answer of the API says its length");
    let length: usize = header("content-length").map_or(0, |length| length.parse().expect("a number"));
    while buffer.len() < head + length {
        more(&mut buffer)?;
    }
    Ok((status, buffer[head..head + length].to_vec(), closes))
}

/// Every operation with a body of JSON.
fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            if schema.is_object() {
                let path = if path.starts_with("/api") { path.clone() } else { format!("/api/v1{path}") };
                all.push(Operation { method: method.to_uppercase(), path, schema: schema.clone() });
            }
        }
    }
    all.sort_by(|a, b| (&a.path, &a.method).cmp(&(&b.path, &b.method)));
    assert!(all.len() > 50, "there are {}", all.len());
    all
}

/// A path with its objects: small numbers, mostly of what there is.
fn filled(template: &str, objects: u8) -> String {
    let mut path = String::new();
    let mut rest = template;
    let mut number = objects;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').expect("a name in braces");
        path += before;
        path += &match name {
            "organisation" => "acme".to_owned(),
            _ => (number % 4).to_string(),
        };
        number /= 4;
        rest = after;
    }
    path + rest
}

/// One input is five bytes and a body.
pub fn run(data: &[u8]) {
    // It outlives the last input: at the end of a process there is nothing to stop it by.
    static HARNESS: Mutex<Option<Harness>> = Mutex::new(None);
    let Some((head, body)) = data.split_first_chunk::<HEAD>() else { return };
    let mut harness = HARNESS.lock().unwrap_or_else(PoisonError::into_inner);
    if harness.as_ref().is_some_and(|harness| harness.inputs >= INPUTS) {
        *harness = None;
    }
    harness.get_or_insert_with(Harness::new).run(*head, body);
}

/// Something of a schema, with everything in it that may be.
pub fn something(document: &Value, schema: &Value, depth: usize) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().expect("a name");
        return something(document, &document["components"]["schemas"][name], depth + 1);
    }
    if depth > 12 {
        return Value::Null;
    }
    if let Some(one) = schema["enum"].as_array().and_then(|all| all.first()) {
        return one.clone();
    }
    for key in ["oneOf", "anyOf"] {
        let real = schema[key].as_array().and_then(|all| all.iter().find(|one| one["type"] != "null"));
        if let Some(real) = real {
            return something(document, real, depth + 1);
        }
    }
    if let Some(all) = schema["allOf"].as_array() {
        let parts = all.iter().map(|part| something(document, part, depth + 1));
        let parts = parts.filter_map(|part| part.as_object().cloned());
        return Value::Object(parts.flatten().collect());
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| **kind != "null").cloned().unwrap_or_default(),
        kind => kind.clone(),
    };
    match kind.as_str().unwrap_or_default() {
        "integer" | "number" => schema["minimum"].as_u64().map_or(json!(0), |least| json!(least)),
        "boolean" => json!(true),
        "string" => json!("0312345678"),
        "array" => json!([something(document, &schema["items"], depth + 1)]),
        _ => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            let fields = fields.map(|(name, field)| (name.clone(), something(document, field, depth + 1)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
    }
}

/// Names and words of a document's schemas.
pub fn words(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(properties) = fields.get("properties").and_then(Value::as_object) {
                found.extend(properties.keys().cloned());
            }
            if let Some(all) = fields.get("enum").and_then(Value::as_array) {
                found.extend(all.iter().filter_map(|one| one.as_str().map(str::to_owned)));
            }
            fields.values().for_each(|field| words(field, found));
        }
        Value::Array(all) => all.iter().for_each(|one| words(one, found)),
        _ => {}
    }
}

#[cfg(feature = "libfuzzer")]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));

/// Writes seeds and a dictionary: `http CORPUS DICTIONARY`.
#[cfg(not(feature = "libfuzzer"))]
fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(corpus), Some(dictionary)) = (arguments.next(), arguments.next()) else {
        run(b"\x01\0\0\0\0{}");
        println!("say where seeds and the dictionary go: http CORPUS DICTIONARY");
        return;
    };
    let harness = Harness::new();
    std::fs::create_dir_all(&corpus).expect("a folder");
    for (at, operation) in (0_u16..).zip(&harness.operations) {
        let body = something(&harness.document, &operation.schema, 0).to_string();
        let [low, high] = at.to_le_bytes();
        for who in 0..u8::try_from(LOGINS.len()).expect("few") {
            // The floor's version, or the first.
            let mut seed = vec![who, low, high, 0, if who == 1 { 56 } else { 8 }];
            seed.extend_from_slice(body.as_bytes());
            std::fs::write(corpus.join(format!("{at:03}-{who}")), seed).expect("it can be written");
        }
    }
    let mut found = BTreeSet::new();
    words(&harness.document["components"]["schemas"], &mut found);
    let lines: Vec<String> = found.iter().map(|word| format!("{:?}\n", format!("\"{word}\""))).collect();
    std::fs::write(dictionary, lines.concat()).expect("it can be written");
    println!("{} operations", harness.operations.len());
}
