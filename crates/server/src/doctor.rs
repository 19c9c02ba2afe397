//! `tocsin doctor --data`: looks into a data directory that no server has open. What only a running server can know (whether
//! the mail server answers, what is watched) it does not guess.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use tocsin_domain::state::State;

use crate::client;
use crate::config::Config;
use crate::data::{self, Data};

/// Below this, a full disk is near.
const FREE_BYTES_MIN: u64 = 256 * 1024 * 1024;

/// Prints the diagnosis; the exit code says whether something is wrong.
pub(crate) fn run(folder: &Path, config: Option<&Path>, as_json: bool) -> anyhow::Result<ExitCode> {
    let checks = diagnosed(folder, config)?;
    let document = json!({ "able_to_page": false, "checks": checks });
    Ok(client::show_diagnosis(&document.to_string(), as_json))
}

/// Looks into a directory with the key that its server uses: the one that the configuration names, where it names one.
fn diagnosed(folder: &Path, config: Option<&Path>) -> anyhow::Result<Vec<Value>> {
    if !folder.is_dir() {
        anyhow::bail!(
            "{} is no directory: give the one that `tocsin serve --data` uses",
            folder.display()
        );
    }
    let config = Config::load(config)?;
    Ok(match data::open(folder, config.key_file.as_deref()) {
        Ok(data) => checks_of(&data),
        Err(error) => vec![check(
            "data directory",
            "fail",
            &format!("{error:#}"),
            Some("when a server is running, ask it: tocsin doctor --url URL --token TOKEN"),
        )],
    })
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

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    use super::*;

    /// Whether the directory could be opened with what this configuration says.
    fn opens(folder: &Path, config: Option<&Path>) -> bool {
        let checks = diagnosed(folder, config).unwrap();
        checks.iter().all(|check| check["name"] != "data directory")
    }

    #[test]
    fn a_directory_is_looked_into_with_the_key_that_the_configuration_names() {
        let home = tempfile::tempdir().unwrap();
        let (folder, key) = (home.path().join("data"), home.path().join("vault.key"));
        let mut file = std::fs::OpenOptions::new();
        let mut file = file.create_new(true).write(true).mode(0o600).open(&key);
        file.as_mut().unwrap().write_all(&[7; 32]).unwrap();
        drop(data::open(&folder, Some(&key)).unwrap());
        let config = home.path().join("tocsin.toml");
        std::fs::write(&config, "key_file = \"vault.key\"\n").unwrap();
        assert!(opens(&folder, Some(&config)));
        // Without it, the key would be looked for in the directory itself.
        std::fs::write(&config, "").unwrap();
        assert!(!opens(&folder, Some(&config)));
    }
}
