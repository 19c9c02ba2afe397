//! The real amtool against a real socket, where the distribution's is installed (Debian: prometheus-alertmanager).

use std::process::{Command, Output};

use serde_json::{Value, json};

use super::{down, fires, get};
use crate::fakes::START;
use crate::world::World;

/// The program, when there is one: `$AMTOOL`, else as the distribution has it.
fn amtool() -> Option<String> {
    let program = std::env::var("AMTOOL").unwrap_or_else(|_| "amtool".to_owned());
    let asked = Command::new(&program).arg("--version").output();
    asked
        .is_ok_and(|output| output.status.success())
        .then_some(program)
}

fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn amtool_adds_finds_changes_and_ends_silences_and_shows_alerts() {
    let Some(program) = amtool() else {
        return;
    };
    // Its silences begin now, by the clock of this machine.
    let world = World::new();
    *world.clock.0.lock().unwrap() = now();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = world.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let url = format!("http://amtool:{}@{address}/alertmanager", world.responder);
    let run = async |arguments: &[&str]| -> (bool, String) {
        let mut command = Command::new(&program);
        command.arg(format!("--alertmanager.url={url}"));
        command.args(arguments).env("HOME", "/nonexistent");
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await;
        let output = output.unwrap();
        (output.status.success(), text(&output))
    };
    let added = run(&[
        "alert",
        "add",
        "Down",
        "instance=web-1",
        "--annotation=summary=gone",
    ])
    .await;
    assert!(added.0, "{}", added.1);
    let shown = run(&["alert", "query", "instance=~web.*", "--output=json"]).await;
    assert!(shown.0, "{}", shown.1);
    let alerts: Value = serde_json::from_str(&shown.1).unwrap();
    assert_eq!(alerts[0]["annotations"], json!({"summary": "gone"}));
    let made = run(&[
        "silence",
        "add",
        "alertname=Down",
        "instance=~web.*",
        "-c",
        "disks",
        "-d",
        "2h",
        "-a",
        "ada",
    ])
    .await;
    assert!(made.0, "{}", made.1);
    let id = made.1.trim();
    let listed = run(&["silence", "query", "alertname=Down"]).await;
    assert!(
        listed.1.contains(id) && listed.1.contains("ada"),
        "{}",
        listed.1
    );
    let silenced = run(&["alert", "query", "-s"]).await;
    assert!(silenced.1.contains("suppressed"), "{}", silenced.1);
    let longer = run(&["silence", "update", id, "-d", "3h"]).await;
    assert!(longer.0 && longer.1.contains(id), "{}", longer.1);
    let ended = run(&["silence", "expire", id]).await;
    assert!(ended.0, "{}", ended.1);
    let gone = run(&["silence", "query", "--quiet"]).await;
    assert_eq!(gone.1.trim(), "");
    let over = run(&["silence", "query", "--expired", "--quiet"]).await;
    assert_eq!(over.1.trim(), id);
    let wrong = run(&["silence", "expire", "11111111-1111-4111-8111-111111111111"]).await;
    assert!(!wrong.0, "{}", wrong.1);
    for arguments in [
        &["config", "show"][..],
        &["config", "routes", "show"],
        &["cluster", "show"],
    ] {
        let shown = run(arguments).await;
        assert!(shown.0, "{arguments:?}: {}", shown.1);
    }
    let tested = run(&["config", "routes", "test", "alertname=Down"]).await;
    assert_eq!((tested.0, tested.1.trim()), (true, "First service"));
}

/// What amtool's test stands on, also where there is none: the same requests as it sends them.
#[tokio::test]
async fn what_amtool_asks_is_answered() {
    let world = World::new();
    fires(&world, json!([down("web-1")])).await;
    let query = "/alerts?active=true&filter=instance%3D~%22web.%2A%22&inhibited=false&silenced=false&unprocessed=false";
    let shown = get(&world, query).await;
    assert_eq!(shown[0]["startsAt"], START.to_rfc3339());
}

#[expect(
    clippy::disallowed_methods,
    reason = "a real program lives by the real clock"
)]
fn now() -> tocsin_domain::time::Timestamp {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    tocsin_domain::time::Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
}
