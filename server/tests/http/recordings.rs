//! What an administrator uploads is what people hear: real calls, whose received audio is compared with the files.

use std::f64::consts::TAU;
use std::net::SocketAddr;
use std::time::Duration;

use crate::support::{PASSWORD, Running, User};
use crate::telephone::{Telephone, correlation, free_port, port_range};
use callfloor_server::config::Config;
use callfloor_sip::media::Clip;
use reqwest::Method;
use serde_json::{Value, json};

const LISTEN: Duration = Duration::from_millis(1_500);

/// Two seconds of a tone that climbs by 600 Hz.
#[expect(clippy::cast_possible_truncation, reason = "within 16 bits")]
fn sweep(from_hz: f64, rate: u32) -> Vec<i16> {
    (0..2 * rate)
        .map(|n| {
            let t = f64::from(n) / f64::from(rate);
            (9_000.0 * (TAU * (from_hz * t + 150.0 * t * t)).sin()) as i16
        })
        .collect()
}

fn wav(rate: u32, samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let length = u32::try_from(data.len()).unwrap();
    let mut file = b"RIFF".to_vec();
    file.extend_from_slice(&(36 + length).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&rate.to_le_bytes());
    file.extend_from_slice(&(rate * 2).to_le_bytes());
    file.extend_from_slice(b"\x02\0\x10\0data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(&data);
    file
}

async fn start(more: &str) -> Running {
    start_in(tempfile::tempdir().unwrap(), more).await
}

async fn start_in(directory: tempfile::TempDir, more: &str) -> Running {
    let ports = port_range(100);
    let text = format!(
        "[http]\naddress = \"127.0.0.1:0\"\n[sip]\naddress = \"127.0.0.1:{}\"\n[media]\nfirst_port = {}\nlast_port = {}\n{more}",
        free_port(),
        ports.start(),
        ports.end()
    );
    let config = Config::read("test", &text, []).unwrap();
    let server = crate::support::serve_as(directory.path(), &config).await;
    Running { server, directory, client: reqwest::Client::new() }
}

fn sip(running: &Running) -> SocketAddr {
    running.server.sip()[0]
}

async fn upload(admin: &User, name: &str, file: Vec<u8>) -> u64 {
    let request = admin.request(Method::POST, &format!("/floor/audio?name={name}"));
    let request = request.header("if-match", admin.floor_version().await).header("content-type", "audio/wav");
    let answer = request.body(file).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    answer.json::<Value>().await.unwrap()["audio"].as_u64().unwrap()
}

async fn change_service(admin: &User, change: impl FnOnce(&mut Value)) {
    let (_, mut service) = admin.get("/floor/services/0").await;
    change(&mut service);
    let (status, answer) = admin.changes(Method::PUT, "/floor/services/0", service).await;
    assert_eq!(status, 200, "{answer}");
}

/// It is this clip and none of the others.
fn assert_heard(what: &str, heard: &[i16], clip: &[i16], others: &[&[i16]]) {
    let found = correlation(heard, clip);
    println!("{what}: correlation {found:.3}, loudest {}", heard.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0));
    assert!(found > 0.95, "{what} is not what was heard: {found}");
    for other in others {
        let other = correlation(heard, other);
        assert!(other < 0.7, "another recording was heard in place of {what}: {other}");
    }
}

/// P14, P54, P55: greeting, queue music and the forced end's announcement, at once after the upload and after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_hears_what_was_uploaded() {
    let running = start("").await;
    let admin = running.sign_in("admin").await;
    let (greeting, music, goodbye) = (sweep(300.0, 16_000), sweep(1_000.0, 8_000), sweep(1_700.0, 8_000));
    let greeting_8k = Clip::from_wav(&wav(16_000, &greeting)).unwrap().samples().to_vec();
    let greeting_id = upload(&admin, "greeting", wav(16_000, &greeting)).await;
    let music_id = upload(&admin, "music", wav(8_000, &music)).await;
    let goodbye_id = upload(&admin, "goodbye", wav(8_000, &goodbye)).await;
    change_service(&admin, |service| {
        service["flow"][0]["audio"] = json!(greeting_id);
        service["settings"]["hold_music"] = json!(music_id);
        service["settings"]["forced_end_audio"] = json!(goodbye_id);
    })
    .await;
    let (_, mut operator) = admin.get("/floor/operators/0").await;
    operator["device"] = json!("browser");
    assert_eq!(admin.changes(Method::PUT, "/floor/operators/0", operator).await.0, 200);

    let mut customer = Telephone::new().await;
    customer.calls(sip(&running), "0312345678").await;
    assert_heard("greeting", &customer.hears(LISTEN).await, &greeting_8k, &[&music, &goodbye]);
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_heard("queue music", &customer.hears(LISTEN).await, &music, &[&greeting_8k, &goodbye]);
    let operator = running.at_work("op1", "ready").await;
    operator.answers().await;
    operator.does("hold").await;
    assert_heard("hold music", &customer.hears(LISTEN).await, &music, &[&greeting_8k, &goodbye]);
    operator.does("release").await;
    operator.does_with("force-end", json!({ "reason": "abuse" })).await;
    assert_heard("forced end", &customer.hears(LISTEN).await, &goodbye, &[&greeting_8k, &music]);
    customer.ended().await;

    // After a restart it is loaded again.
    let Running { server, directory, .. } = running;
    server.stop().await;
    let running = start_in(directory, "").await;
    let mut customer = Telephone::new().await;
    customer.calls(sip(&running), "0312345678").await;
    assert_heard("greeting after a restart", &customer.hears(LISTEN).await, &greeting_8k, &[&music, &goodbye]);
    customer.hangs_up().await;
    running.server.stop().await;
}

/// Who dials hears the organisation's own ring-back; it cannot be removed while it is used, and the tone comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_dialling_operator_hears_the_ring_back_that_was_uploaded() {
    let mut far_end = Telephone::new().await;
    let running = start(&format!("[trunks.carrier]\naddress = \"{}\"\n", far_end.address())).await;
    let admin = running.sign_in("admin").await;
    let own = sweep(500.0, 8_000);
    let audio = upload(&admin, "ringing", wav(8_000, &own)).await;
    let (_, floor) = admin.get("/floor").await;
    let mut organisation = floor["organisation"].clone();
    organisation["ring_back"] = json!(4711);
    assert_eq!(admin.changes(Method::PUT, "/floor/organisation", organisation.clone()).await.0, 404);
    organisation["ring_back"] = json!(audio);
    assert_eq!(
        admin.changes(Method::PUT, "/floor/organisation", organisation.clone()).await,
        (200, organisation.clone())
    );
    let (status, problem) = admin.changes(Method::DELETE, &format!("/floor/audio/{audio}"), Value::Null).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("in-use")), "{problem}");

    let mut telephone = Telephone::new().await;
    telephone.registers(sip(&running), "op1", PASSWORD).await;
    let operator = running.at_work("op1", "ready").await;
    let tone = Clip::ring_back();
    for (ring_back, clip, other) in [(Some(audio), own.as_slice(), tone.samples()), (None, tone.samples(), &own)] {
        organisation["ring_back"] = json!(ring_back);
        assert_eq!(admin.changes(Method::PUT, "/floor/organisation", organisation.clone()).await.0, 200);
        let dial = json!({ "service": 0, "to": "09087654321", "from": "0312345678" });
        operator.does_with("dial", dial).await;
        telephone.answers().await;
        far_end.rings().await;
        assert_heard("ring-back", &telephone.hears(LISTEN * 2).await, clip, &[other]);
        operator.does("hang-up").await;
        far_end.ended().await;
        telephone.ended().await;
        operator.set_status("ready").await;
    }
    running.server.stop().await;
}

/// A text is spoken by the program that is configured; without one a beep stands for it, and the call goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_spoken_by_the_configured_program() {
    let directory = tempfile::tempdir().unwrap();
    // A program that says the same, whatever it is given.
    let said = sweep(400.0, 8_000);
    let file = directory.path().join("said.wav");
    std::fs::write(&file, wav(8_000, &said)).unwrap();
    let beep = Clip::beep();
    let speech = format!("[speech]\ncommand = [\"cat\", \"{}\"]\n", file.display());
    for (more, clip, other) in
        [(speech.as_str(), said.as_slice(), beep.samples()), ("", beep.samples(), said.as_slice())]
    {
        let running = start(more).await;
        let admin = running.sign_in("admin").await;
        let text = json!({ "name": "closed", "text": "本日の受付は終了しました" });
        let (status, text) = admin.changes(Method::POST, "/floor/texts", text).await;
        assert_eq!(status, 201, "{text}");
        change_service(&admin, |service| service["flow"][0]["audio"] = text["audio"].clone()).await;
        let mut customer = Telephone::new().await;
        customer.calls(sip(&running), "0312345678").await;
        assert_heard("text", &customer.hears(LISTEN / 2).await, clip, &[other]);
        customer.hangs_up().await;
        running.server.stop().await;
    }
}
