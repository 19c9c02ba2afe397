//! `tocsin doctor --data`: looks into a data directory that no server has open. What only a running server can know (whether
//! the mail server answers, what is watched) it does not guess.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use tocsin_domain::state::State;

use crate::client;
use crate::data::{self, Data};

/// Below this, a full disk is near.
const FREE_BYTES_MIN: u64 = 256 * 1024 * 1024;

/// Prints the diagnosis; the exit code says whether something is wrong.
pub(crate) fn run(folder: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    if !folder.is_dir() {
        anyhow::bail!(
            "{} is no directory: give the one that `tocsin serve --data` uses",
            folder.display()
        );
    }
    let checks = match data::open(folder, None) {
        Ok(data) => checks_of(&data),
        Err(error) => vec![check(
            "data directory",
            "fail",
            &format!("{error:#}"),
            Some("when a server is running, ask it: tocsin doctor --url URL --token TOKEN"),
        )],
    };
    let document = json!({ "able_to_page": false, "checks": checks });
    Ok(client::show_diagnosis(&document.to_string(), as_json))
}

fn check(name: &str, state: &str, detail: &str, fix: Option<&str>) -> Value {
    json!({ "name": name, "state": state, "detail": detail, "fix": fix })
}

fn checks_of(data: &Data) -> Vec<Value> {
    let disk = data.journal.disk_state();
    let free = disk.available_bytes;
    let free_state = if free.is_some_and(|bytes| bytes < FREE_BYTES_MIN) {
        "fail"
    } else {
        "ok"
    };
    let free_text = free.map_or("not known".to_owned(), |bytes| {
        format!("{} MiB free", bytes / (1024 * 1024))
    });
    let mail = data
        .access
        .setting(tocsin_edge::delivery::mail::SETTING)
        .ok()
        .flatten();
    let mut checks = vec![
        check(
            "server",
            "fail",
            "no server has this directory open: nobody is watched and nobody is paged",
            Some("start it: tocsin serve --data DIR"),
        ),
        check(
            "journal",
            "ok",
            &format!(
                "{} events, readable from first to last",
                data.state.position
            ),
            None,
        ),
        check(
            "disk",
            free_state,
            &free_text,
            (free_state == "fail").then_some("free space"),
        ),
        match mail {
            Some(_) => check(
                "mail server",
                "ok",
                "one is set up; whether it answers, a running server knows",
                None,
            ),
            None => check(
                "mail server",
                "warn",
                "none is set up: pages by e-mail cannot leave",
                Some("tocsin channel email set, or use ntfy or a webhook"),
            ),
        },
    ];
    checks.extend(people(&data.state));
    checks
}

fn people(state: &State) -> Vec<Value> {
    if state.installation.is_none() {
        let fix = "open the link that `tocsin serve` prints, or run `tocsin setup`";
        return vec![check(
            "set-up",
            "fail",
            "there is no administrator yet",
            Some(fix),
        )];
    }
    let unreachable = state.users.values().filter(|user| !user.is_reachable());
    unreachable
        .map(|user| {
            let detail = format!(
                "{} has no verified contact method and cannot be paged",
                user.name
            );
            check(
                "people",
                "warn",
                &detail,
                Some("add one under People and verify it by its test page"),
            )
        })
        .collect()
}
