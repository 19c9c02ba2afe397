//! `tocsin doctor --data`: looks into a data directory that no server has open. What only a running server can know (whether
//! the mail server answers, what is watched) it does not guess.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Value, json};
use tocsin_domain::ahead::Roster;
use tocsin_domain::people::{ChannelKind, SetUp};
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_edge::delivery::set_up::{told_by_address, what_is_set_up};
use tocsin_engine::Clock;

use crate::accounts::{Doors, Secrets};
use crate::client;
use crate::config::Config;
use crate::data::{self, Data};
use crate::system::SystemClock;

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
        Ok(data) => checks_of(data),
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

fn checks_of(data: Data) -> Vec<Value> {
    // Nobody else opens the directory while it is looked at.
    let Data {
        lock: _lock,
        journal,
        vault,
        access,
        state,
    } = data;
    let disk = journal.disk_state();
    let free = disk.available_bytes;
    let free_state = if free.is_some_and(|bytes| bytes < FREE_BYTES_MIN) {
        "fail"
    } else {
        "ok"
    };
    let free_text = free.map_or("not known".to_owned(), |bytes| {
        format!("{} MiB free", bytes / (1024 * 1024))
    });
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
            &format!("{} events, readable from first to last", state.position),
            None,
        ),
        check(
            "disk",
            free_state,
            &free_text,
            (free_state == "fail").then_some("free space"),
        ),
    ];
    let secrets = Secrets(Arc::clone(&vault));
    let accounts = Doors { access, vault };
    match what_is_set_up(&accounts, &secrets, || told_by_address(&state)) {
        Ok(set_up) => {
            checks.push(mail_server(&set_up));
            checks.extend(people(&state, &set_up, SystemClock.now()));
        }
        Err(error) => {
            let detail = format!("they cannot be read: {error}");
            checks.push(check("settings", "fail", &detail, Some("look at the disk")));
        }
    }
    checks
}

fn mail_server(set_up: &SetUp) -> Value {
    let name = "mail server";
    if set_up.channels.contains(&ChannelKind::Email) {
        let detail = "one is set up; whether it answers, a running server knows";
        check(name, "ok", detail, None)
    } else {
        let detail = "none is set up: pages by e-mail cannot leave";
        let fix = "tocsin channel email set, or use ntfy or a webhook";
        check(name, "warn", detail, Some(fix))
    }
}

fn people(state: &State, set_up: &SetUp, now: Timestamp) -> Vec<Value> {
    if state.installation.is_none() {
        let fix = "open the link that `tocsin serve` prints, or run `tocsin setup`";
        return vec![check(
            "set-up",
            "fail",
            "there is no administrator yet",
            Some(fix),
        )];
    }
    let problems = state.users.values().filter_map(|user| {
        let problem = user.reach(set_up).problem()?;
        Some(format!("{} {problem}", user.name))
    });
    let fix =
        "add a way under People and verify it by its test page, or set up the channel of theirs";
    let unreached = problems.map(|detail| check("people", "warn", &detail, Some(fix)));
    let late = Roster::of(state, set_up).late(now).into_iter();
    let fix = "they set an earlier notification rule, or the level gets more time";
    let late = late.map(|one| check("notification rules", "warn", &one.text, Some(fix)));
    unreached.chain(late).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    use tocsin_domain::command::{Ask, Command, PeopleAsk};
    use tocsin_domain::decide::decide;
    use tocsin_domain::event::Actor;
    use tocsin_domain::id::SecretId;
    use tocsin_domain::people::Urgency;

    use super::*;
    use crate::system::OsEntropy;

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

    const NOW: Timestamp = Timestamp::from_millis(1_723_950_000_000);

    fn ask(state: &mut State, ask: Ask) {
        let actor = Actor::System;
        decide(state, Command { actor, ask }, NOW, &mut OsEntropy).unwrap();
    }

    /// Ada is on call, and is told by mail.
    fn set_up() -> State {
        let mut state = State::default();
        let asked = Ask::SetUp {
            name: "Ada".to_owned(),
            email: SecretId::random(&mut OsEntropy),
            time_zone: "UTC".to_owned(),
            key_hash: "00".to_owned(),
        };
        ask(&mut state, asked);
        state
    }

    /// What is wrong with people while this channel alone is set up.
    fn told(state: &State, set_up: ChannelKind) -> Vec<String> {
        let checks = people(state, &SetUp::from_iter([set_up]), NOW).into_iter();
        let details = checks.map(|check| check["detail"].as_str().unwrap().to_owned());
        details.collect()
    }

    #[test]
    fn whoever_is_reached_only_by_what_is_not_set_up_is_named_with_what_is_missing() {
        let state = set_up();
        assert_eq!(told(&state, ChannelKind::Email), [""; 0]);
        let why = "Ada can be reached by mail only, and no mail server is set up";
        assert_eq!(told(&state, ChannelKind::Ntfy), [why]);
    }

    #[test]
    fn whoever_hears_of_a_page_only_when_their_level_is_over_is_named() {
        let mut state = set_up();
        let ada = state.users.values().next().unwrap();
        let (user, mail) = (ada.id, ada.contact_methods[0].id);
        let rules = vec![(Urgency::High, 600_000, mail)];
        let asked = Ask::People(PeopleAsk::SetRules { user, rules });
        ask(&mut state, asked);
        let why = "Ada would hear of a page only 10 min after it, when level 1 of \"First policy\" is over, which has 5 min";
        assert_eq!(told(&state, ChannelKind::Email), [why]);
    }
}
