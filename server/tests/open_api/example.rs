//! The example of docs/open-api.md, run as it stands there.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::Running;
use crate::system::everything;

/// The shell's part of the docs.
fn script() -> String {
    let docs = include_str!("../../../docs/open-api.md");
    let part = docs.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next());
    part.expect("a part in sh").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_docs_works() {
    for tool in ["bash", "curl", "openssl"] {
        if Command::new(tool).arg("--version").output().is_err() && Command::new(tool).arg("version").output().is_err()
        {
            return println!("skipped: no {tool} in PATH");
        }
    }
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    let system = running.system(&admin, everything()).await;
    let (server, key, secret) = (running.url(""), system.key.to_string(), system.secret.clone());
    let ran = tokio::task::spawn_blocking(move || {
        Command::new("bash")
            .args(["-euo", "pipefail", "-c", &script()])
            .env("SERVER", server)
            .env("KEY", key)
            .env("SECRET", secret)
            .output()
            .expect("bash runs")
    });
    let ran = ran.await.unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    let answers: Vec<Value> =
        said.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect();
    println!("{said}");
    assert_eq!(answers[0][0]["name"], "Demonstration");
    assert_eq!((&answers[1]["inquiry"], &answers[1]["status"]), (&json!(1), &json!("new")));
    assert_eq!(answers[2]["items"][0]["subject"], "Where is my order?");
    assert_eq!(answers.len(), 3);
    running.server.stop().await;
}
