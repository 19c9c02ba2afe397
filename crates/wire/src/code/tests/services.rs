//! Services that go because the files hold all of them, and those that are still needed.

use tocsin_domain::code::{Kind, Part};
use tocsin_domain::command::{RespondAsk, TeamAsk};
use tocsin_domain::decide::rehearse;
use tocsin_domain::people;

use super::*;

const ALL_SERVICES: &str = "[manage]\nremove = [\"teams\", \"services\"]\n";

fn shop(seed: u64) -> Installation {
    let mut installation = Installation::new(seed);
    installation.add_service("Shop", "Probe");
    installation
}

#[test]
fn a_service_goes_with_its_keys_and_the_first_one_stays() {
    let mut installation = shop(21);
    let wanted = document(ALL_SERVICES);
    let standing = installation.export();
    let (removed, kept) = removals(&installation.state, &standing, &wanted);
    assert_eq!(removed, [Part::new(Kind::Services, "Shop")]);
    let kept: Vec<String> = kept.iter().map(ToString::to_string).collect();
    assert!(
        kept.contains(&"service \"First service\"".to_owned()),
        "{kept:?}"
    );
    assert!(
        !kept.iter().any(|part| part.contains("Probe")),
        "its key does not stay: {kept:?}"
    );
    installation.apply(wanted).unwrap();
    let found = differences(&standing, &installation.export());
    let found: Vec<_> = found
        .iter()
        .map(|one| (one.what, one.kind, one.name.as_str()))
        .collect();
    assert_eq!(found, [(What::Removed, Kind::Services, "Shop")]);
    assert_eq!(installation.state.integrations.len(), 1);
}

#[test]
fn what_everything_stands_on_stays_also_where_others_are_called_the_same() {
    // Which of them has the name for its key follows from their ids, which are random.
    for seed in 100..132 {
        let mut installation = Installation::new(seed);
        let standing = installation.state.installation.clone().unwrap();
        installation.add_service("First service", "Probe");
        let levels = installation.state.policies[&standing.default_policy]
            .levels
            .clone();
        let asks = [
            Ask::Team(TeamAsk::Set {
                id: None,
                name: "Everybody".to_owned(),
                members: Vec::new(),
            }),
            Ask::Roster(RosterAsk::SetPolicy {
                id: None,
                name: "First policy".to_owned(),
                levels,
                repeat: 0,
                acknowledgement_timeout_ms: None,
            }),
        ];
        for ask in asks {
            installation.ask(ask).unwrap();
        }
        let all = "[manage]\nremove = [\"teams\", \"services\", \"escalation_policies\"]\n";
        installation.apply(document(all)).unwrap();
        let state = &installation.state;
        assert!(state.teams.keys().eq([&standing.team]), "{seed}");
        assert!(
            state.policies.keys().eq([&standing.default_policy]),
            "{seed}"
        );
        assert!(
            state.services.keys().eq([&standing.default_service]),
            "{seed}"
        );
    }
}

#[test]
fn a_service_stays_that_is_in_no_file_while_the_files_do_not_hold_all_of_them() {
    let mut installation = shop(22);
    let wanted = document(
        "[[services]]\nname = \"First service\"\nintegrations = [{ name = \"Events API v2\" }]\n",
    );
    let (removed, kept) = removals(&installation.state, &installation.export(), &wanted);
    assert!(removed.is_empty(), "{removed:?}");
    assert!(kept.contains(&Part::new(Kind::Services, "Shop")));
    assert!(kept.contains(&Part::integration("Shop", "Probe")));
    installation.apply(wanted).unwrap();
    assert_eq!(installation.state.services.len(), 2);
}

/// Checks where it is told that the shop cannot go, and why.
#[track_caller]
fn check_needed(installation: &mut Installation, more: &str, why: &str) {
    let before = installation.state.clone();
    let files = one(&format!("{ALL_SERVICES}{more}"));
    let (wanted, places) = read(&files).unwrap();
    let asked = installation.asked(wanted.clone());
    let fault = rehearse(&before, &asked, NOW).unwrap_err();
    let told = places.mistakes(&fault);
    let told = told.first().unwrap().to_string();
    let place = "all.toml, line 2, column 20: service \"Shop\": ";
    assert!(told.starts_with(place), "{told}");
    assert!(told.contains(why), "{told}");
    assert!(told.ends_with("(it goes, since it stands in no file)"));
    assert!(installation.apply(wanted).is_err());
    assert_eq!(installation.state, before, "nothing is changed");
}

const ROUTED: &str = "[[alert_rules]]\nname = \"r\"\nthen = [{ route = \"Shop\" }]\n";
const BACKUP: &str = "[[heartbeats]]\nname = \"backup\"\nservice = \"Shop\"\nevery = \"1h\"\ngrace = \"1m\"\nseverity = \"error\"\n";

#[test]
fn what_a_service_is_still_needed_for_is_told_with_the_line_by_which_it_would_go() {
    let mut installation = shop(23);
    check_needed(&mut installation, ROUTED, "a rule sends alerts to it");
    check_needed(&mut installation, BACKUP, "a heartbeat belongs to it");
    let mut services = installation.state.services.values();
    let service = services.find(|one| one.name == "Shop").map(|one| one.id);
    let declare = RespondAsk::Declare {
        title: "Odd prices".to_owned(),
        service,
        urgency: people::Urgency::High,
        more: Box::default(),
    };
    installation.ask(Ask::Respond(declare)).unwrap();
    check_needed(&mut installation, "", "it has open incidents");
}

#[test]
fn a_service_goes_together_with_what_needed_it() {
    let mut installation = shop(24);
    let needed = format!("{ROUTED}\n{BACKUP}");
    installation.apply(document(&needed)).unwrap();
    let all = "[manage]\nremove = [\"services\", \"heartbeats\", \"alert_rules\"]\n";
    installation.apply(document(all)).unwrap();
    let export = installation.export();
    assert_eq!(export.names(Kind::Services), ["First service"]);
    assert!(export.heartbeats.is_empty() && export.alert_rules.is_none());
}

#[test]
fn planned_work_no_longer_names_a_service_that_went() {
    let mut installation = shop(25);
    let work = "[[maintenance_windows]]\nreason = \"disks\"\nservices = [\"First service\", \"Shop\"]\nfrom = 2026-12-05T22:00:00Z\nuntil = 2026-12-06T02:00:00Z\n";
    installation.apply(document(work)).unwrap();
    installation.apply(document(ALL_SERVICES)).unwrap();
    let export = installation.export();
    assert_eq!(export.maintenance_windows[0].services, ["First service"]);
    assert!(installation.apply(export).unwrap().is_empty());
}

/// Work once, on the shop too.
fn work_on_the_shop(from: &str, until: &str) -> String {
    format!(
        "[[maintenance_windows]]\nreason = \"disks\"\nservices = [\"Shop\", \"First service\"]\nfrom = {from}\nuntil = {until}\n"
    )
}

#[test]
fn planned_work_that_names_a_service_that_goes_is_refused_with_its_line() {
    let work = work_on_the_shop("2026-12-05T22:00:00Z", "2026-12-06T02:00:00Z");
    for stands_already in [false, true] {
        let mut installation = shop(26);
        if stands_already {
            installation.apply(document(&work)).unwrap();
        }
        let before = installation.state.clone();
        let (wanted, places) = read(&one(&format!("{ALL_SERVICES}\n{work}"))).unwrap();
        let asked = installation.asked(wanted.clone());
        let fault = rehearse(&before, &asked, NOW).unwrap_err();
        let told = places.mistakes(&fault);
        let told: Vec<String> = told.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "all.toml, line 6, column 1: maintenance window \"disks\": services: the service \"Shop\" goes, since it stands in no file"
            ]
        );
        assert_eq!(installation.apply(wanted).unwrap_err(), fault.into());
        assert_eq!(installation.state, before, "nothing is changed");
    }
}

#[test]
fn planned_work_that_is_over_may_name_a_service_that_goes() {
    let mut installation = shop(27);
    let over = work_on_the_shop("2026-11-01T00:00:00Z", "2026-11-01T02:00:00Z");
    let wanted = document(&format!("{ALL_SERVICES}\n{over}"));
    installation.apply(wanted).unwrap();
    assert_eq!(
        installation.export().names(Kind::Services),
        ["First service"]
    );
}
