//! Documents made true: what comes, what goes, what stays, and who is on call then.

use tocsin_domain::code::{Part, duty_changes, paging_changes};
use tocsin_domain::command::AlertAsk;
use tocsin_domain::decide::rehearse;
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::Span;
use tocsin_domain::people::Role;

use super::*;

const TWO_PEOPLE: &str = r#"
[[users]]
email = "Bob@example.org"
name = "Bob"
role = "responder"

[[schedules]]
name = "First schedule"
time_zone = "Europe/Paris"
[[schedules.layers]]
start = 2026-11-23T00:00:00Z
hand_off = "2026-11-24T09:00"
every = 1
unit = "weeks"
members = ["bob@example.org", "ada@example.org"]
"#;

#[test]
fn what_is_not_in_the_files_stays_and_is_told() {
    let mut installation = Installation::new(1);
    let wanted = document(TWO_PEOPLE);
    let (removed, kept) = removals(&installation.state, &installation.export(), &wanted);
    assert!(removed.is_empty(), "{removed:?}");
    assert!(
        kept.iter()
            .any(|part| part.to_string() == "person \"ada@example.org\"")
    );
    installation.apply(wanted).unwrap();
    let export = installation.export();
    assert_eq!(export.users.len(), 2);
    assert_eq!(export.users[1].email, "bob@example.org");
    assert_eq!(
        export.teams[0].members.len(),
        2,
        "who comes belongs to the first team"
    );
}

#[test]
fn who_comes_belongs_to_the_first_team_unless_the_files_say_who_does() {
    let mut installation = Installation::new(16);
    let everybody = "[[teams]]\nname = \"Everybody\"\nmembers = [\"ada@example.org\"]\n";
    let both = format!("{TWO_PEOPLE}\n{everybody}");
    installation.apply(document(&both)).unwrap();
    let export = installation.export();
    assert_eq!(export.teams[0].members, ["ada@example.org"]);
    assert!(installation.apply(document(&both)).unwrap().is_empty());
}

#[test]
fn what_the_files_hold_wholly_goes_but_for_what_everything_stands_on() {
    let mut installation = Installation::new(2);
    let more = "[[teams]]\nname = \"Web\"\n\n[[services]]\nname = \"First service\"\nintegrations = [{ name = \"Nagios\" }]\n\n[[heartbeats]]\nname = \"backup\"\nservice = \"First service\"\nevery = \"1h\"\ngrace = \"1m\"\nseverity = \"error\"\n";
    installation.apply(document(more)).unwrap();
    assert_eq!(installation.export().services[0].integrations.len(), 2);
    let all = "[manage]\nremove = [\"teams\", \"heartbeats\", \"integrations\", \"escalation_policies\"]\n\n[[services]]\nname = \"First service\"\nintegrations = [{ name = \"Nagios\" }]\n";
    installation.apply(document(all)).unwrap();
    let export = installation.export();
    assert_eq!(
        export.names(tocsin_domain::code::Kind::Teams),
        ["Everybody"]
    );
    assert_eq!(
        export.names(tocsin_domain::code::Kind::EscalationPolicies),
        ["First policy"]
    );
    assert_eq!(export.services[0].integrations.len(), 1);
    assert!(export.heartbeats.is_empty());
    let refused = read(&one("[manage]\nremove = [\"monitors\"]\n")).unwrap_err();
    assert_eq!(refused[0].line, 2);
}

#[test]
fn what_belongs_to_a_team_is_written_so_and_goes_with_it_or_is_given_away_first() {
    let mut installation = Installation::new(18);
    let rota = "[[schedules]]\nname = \"Rota\"\nTEAMtime_zone = \"UTC\"\n[[schedules.layers]]\nstart = 2026-11-23T00:00:00Z\nevery = 1\nunit = \"weeks\"\nmembers = [\"ada@example.org\"]\n";
    let policy = "[[escalation_policies]]\nname = \"Shop\"\nTEAM[[escalation_policies.levels]]\ndelay = \"5m\"\ntargets = [{ schedule = \"Rota\" }]\n";
    let things = format!("{rota}{policy}");
    let given = |team: &str| things.replace("TEAM", team);
    let team = "[[teams]]\nname = \"Web\"\n";
    let of_web = format!("{team}{}", given("team = \"Web\"\n"));
    let all = "[manage]\nremove = [\"teams\", \"schedules\", \"escalation_policies\"]\n";
    let first = "[[schedules]]\nname = \"First schedule\"\ntime_zone = \"UTC\"\n";
    for left in [String::new(), given("")] {
        installation.apply(document(&of_web)).unwrap();
        let export = installation.export();
        let policies = export.escalation_policies.iter();
        let teams: Vec<_> = policies.map(|one| one.team.as_deref()).collect();
        assert_eq!(teams, [None, Some("Web")]);
        let rota = export.schedules.iter().find(|one| one.name == "Rota");
        assert_eq!(rota.unwrap().team.as_deref(), Some("Web"));
        assert!(installation.apply(export).unwrap().is_empty());
        let kept = installation.apply(document("[manage]\nremove = [\"teams\"]\n"));
        let told = kept.unwrap_err().to_string();
        assert!(told.contains("belongs to this team"), "{told}");
        // Both at once.
        installation
            .apply(document(&format!("{all}{first}{left}")))
            .unwrap();
        let names = installation
            .export()
            .names(tocsin_domain::code::Kind::Teams);
        assert_eq!(names, ["Everybody"]);
    }
}

#[test]
fn a_key_goes_with_its_own_service_also_where_the_name_of_another_begins_the_same() {
    let mut installation = Installation::new(9);
    let both = "[[services]]\nname = \"Shop\"\nintegrations = [{ name = \"Nagios\" }]\n\n[[services]]\nname = \"Shop / EU\"\nintegrations = [{ name = \"Probe\" }]\n";
    installation.apply(document(both)).unwrap();
    let goes = |wanted: &str| {
        let wanted = format!("[manage]\nremove = [\"integrations\"]\n\n{wanted}");
        let standing = installation.export();
        let (removed, _) = removals(&installation.state, &standing, &document(&wanted));
        removed
            .into_iter()
            .map(|part| part.name)
            .collect::<Vec<_>>()
    };
    let shop = "[[services]]\nname = \"Shop\"\nintegrations = [{ name = \"Nagios\" }]\n";
    assert!(
        goes(shop).is_empty(),
        "the files do not name the other service"
    );
    assert_eq!(
        goes("[[services]]\nname = \"Shop / EU\"\n"),
        [r"Shop \/ EU / Probe"]
    );
}

#[test]
fn somebody_can_administer_in_place_of_somebody_else_however_their_addresses_stand_in_the_alphabet()
{
    for other in ["aaa@example.org", "zoe@example.org"] {
        for is_known in [false, true] {
            let mut installation = Installation::new(13);
            let zoe = |role: &str| {
                format!("[[users]]\nemail = \"{other}\"\nname = \"Zoe\"\nrole = \"{role}\"\n")
            };
            if is_known {
                installation.apply(document(&zoe("responder"))).unwrap();
            }
            let ada =
                "[[users]]\nemail = \"ada@example.org\"\nname = \"Ada\"\nrole = \"responder\"\n";
            let alone = installation.apply(document(ada)).unwrap_err();
            assert!(alone.to_string().contains("last administrator"), "{alone}");
            let both = format!("{ada}\n{}", zoe("admin"));
            installation.apply(document(&both)).unwrap();
            let users = installation.export().users;
            let mut admins = users.iter().filter(|one| one.role == Some(Role::Admin));
            assert_eq!(admins.next().map(|one| one.email.as_str()), Some(other));
            assert!(admins.next().is_none());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_export_plans_to_nothing_whatever_services_and_integrations_are_called(
        names in prop::collection::vec((called(), called(), doubled()), 1..8),
    ) {
        let mut installation = Installation::new(7);
        for (service, integration, more) in &names {
            let service = installation.add_service(service, integration);
            for name in more {
                let name = name.unwrap_or(integration);
                installation.add_integration(service, name, IntegrationKind::Grafana);
            }
        }
        let exported = installation.export();
        let mut files = write(&exported);
        files.push(File {
            name: "manage.toml".to_owned(),
            text: "[manage]\nremove = [\"integrations\"]\n".to_owned(),
        });
        let (wanted, _) = read(&files).map_err(|mistakes| TestCaseError::fail(format!("{mistakes:?}")))?;
        prop_assert!(differences(&exported, &wanted).is_empty());
        let (removed, kept) = removals(&installation.state, &exported, &wanted);
        prop_assert!(removed.is_empty() && kept.is_empty());
        let events = installation.apply(wanted).unwrap();
        prop_assert!(events.is_empty(), "{events:?}");
    }
}

/// A name with slashes where they could be taken for the line between two names.
fn called() -> impl Strategy<Value = String> {
    let pieces = vec!["Shop", "EU", "/", " / ", " ", "\\", "#2", "\""];
    let some = prop::collection::vec(prop::sample::select(pieces), 1..6);
    let name = some.prop_map(|pieces| pieces.concat().trim().to_owned());
    name.prop_filter("a name is not empty", |name| !name.is_empty())
}

/// The names of further integrations of a service, some of which read like keys; none is that of its first one again.
fn doubled() -> impl Strategy<Value = Vec<Option<&'static str>>> {
    let names = vec![None, Some("Hook"), Some("Hook#2"), Some("Hook#2#2")];
    prop::collection::vec(prop::sample::select(names), 0..5)
}

#[test]
fn a_plan_of_what_has_changed_since_is_refused() {
    let mut installation = Installation::new(3);
    let asked = installation.asked(document(TWO_PEOPLE));
    installation
        .apply(document("[[teams]]\nname = \"Web\"\n"))
        .unwrap();
    let before = installation.state.clone();
    let refused = installation.ask(Ask::Apply(Box::new(asked))).unwrap_err();
    assert!(
        matches!(&refused, Refusal::Conflict { why } if why.contains("plan it again")),
        "{refused}"
    );
    assert_eq!(installation.state, before);
}

#[test]
fn a_plan_copies_nothing_of_what_fails_and_files_are_made_true_while_it_does() {
    let mut installation = Installation::new(14);
    let heartbeat = "\n[[heartbeats]]\nname = \"backup\"\nservice = \"First service\"\nevery = \"1h\"\ngrace = \"1m\"\nseverity = \"error\"\n";
    let both = format!("{TWO_PEOPLE}{heartbeat}");
    installation.apply(document(&both)).unwrap();
    let failure = AlertAsk::Trigger {
        service: None,
        integration: None,
        dedup_key: Some("db".to_owned()),
        severity: Severity::Critical,
        title: "db fails".to_owned(),
        summary: String::new(),
        details: Vec::new(),
        sent_details: None,
        at: None,
    };
    installation.ask(Ask::Alert(failure)).unwrap();
    installation.ask(Ask::Tick).unwrap();
    let ada = "[manage]\nremove = [\"users\"]\n\n[[users]]\nemail = \"ada@example.org\"\nname = \"Ada\"\nrole = \"admin\"\n";
    let asked = installation.asked(document(ada));
    let after = rehearse(&installation.state, &asked, NOW).unwrap();
    assert_eq!(after.users.len(), 1);
    assert_eq!(after.pulses.len(), 1);
    assert!(after.incidents.is_empty() && after.alerts.is_empty());
    assert!(after.notifications.is_empty());
    installation.ask(Ask::Apply(Box::new(asked))).unwrap();
    assert_eq!(installation.state.users.len(), 1);
    assert_eq!(installation.state.open_incidents.len(), 1);
}

#[test]
fn who_is_on_call_instead_of_whom_is_told_by_the_clock_of_the_schedule() {
    let installation = Installation::new(4);
    let asked = installation.asked(document(TWO_PEOPLE));
    let after = rehearse(&installation.state, &asked, NOW).unwrap();
    let days = Span::of_days(NOW, 14);
    let (changes, _) = duty_changes(&installation.state, &after, days, 10);
    let texts: Vec<&str> = changes.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "First schedule: from Tue 24 Nov 09:00 to Tue 01 Dec 09:00 (Europe/Paris) Bob instead of Ada"
        ]
    );
    assert_eq!(duty_changes(&after, &after, days, 10), (Vec::new(), 0));
}

#[test]
fn stretches_of_duty_that_are_too_many_are_counted_and_not_told() {
    let mut installation = Installation::new(18);
    let hourly = |name: &str| {
        format!(
            "[[schedules]]\nname = \"{name}\"\ntime_zone = \"UTC\"\n[[schedules.layers]]\nstart = 2026-11-23T00:00:00Z\nevery = 1\nunit = \"hours\"\nmembers = [\"ada@example.org\", \"bob@example.org\"]\n"
        )
    };
    installation.apply(document(TWO_PEOPLE)).unwrap();
    let both = document(&format!("{}\n{}", hourly("B"), hourly("A")));
    let after = rehearse(&installation.state, &installation.asked(both), NOW).unwrap();
    let check = |told_max: usize, expected: (usize, usize)| {
        let day = Span::of_days(NOW, 1);
        let (told, left_out) = duty_changes(&installation.state, &after, day, told_max);
        let of_the_first = told.iter().filter(|one| one.schedule == "A").count();
        assert_eq!((told.len(), left_out), expected);
        assert_eq!(of_the_first, told_max.min(24), "in the order of the names");
    };
    check(48, (48, 0));
    check(30, (30, 18));
    check(5, (5, 43));
    check(0, (0, 48));
}

/// People, a team and two policies, of which the service follows the first.
const TWO_POLICIES: &str = r#"
[[users]]
email = "bob@example.org"
name = "Bob"
role = "responder"

[[users]]
email = "eve@example.org"
name = "Eve"
role = "responder"

[[teams]]
name = "Web"
members = ["bob@example.org"]

[[escalation_policies]]
name = "Day"
[[escalation_policies.levels]]
delay = "5m"
targets = [{ user = "ada@example.org" }]
[[escalation_policies.levels]]
delay = "5m"
targets = [{ team = "Web" }]

[[escalation_policies]]
name = "Night"
[[escalation_policies.levels]]
delay = "5m"
targets = [{ schedule = "First schedule" }]

[[services]]
name = "Shop"
escalation_policy = "Day"
"#;

#[test]
fn whom_a_policy_pages_instead_is_told_by_person_by_team_by_schedule_and_by_service() {
    let mut installation = Installation::new(11);
    installation.apply(document(TWO_POLICIES)).unwrap();
    let told = |from: &str, to: &str| {
        let changed = TWO_POLICIES.replace(from, to);
        let asked = installation.asked(document(&changed));
        let after = rehearse(&installation.state, &asked, NOW).unwrap();
        paging_changes(&installation.state, &after)
    };
    let (ada, schedule) = (
        r#"{ user = "ada@example.org" }"#,
        r#"{ schedule = "First schedule" }"#,
    );
    assert_eq!(
        told(ada, r#"{ user = "bob@example.org" }"#),
        ["policy Day, level 1: Bob instead of Ada"]
    );
    assert_eq!(
        told(ada, schedule),
        ["policy Day, level 1: whoever is on call in First schedule instead of Ada"]
    );
    assert_eq!(
        told(
            r#"members = ["bob@example.org"]"#,
            r#"members = ["bob@example.org", "eve@example.org"]"#
        ),
        ["policy Day, level 2: Eve too"]
    );
    assert_eq!(
        told(
            r#"escalation_policy = "Day""#,
            r#"escalation_policy = "Night""#
        ),
        ["service Shop: by policy Night instead of policy Day"]
    );
    assert_eq!(
        told(
            r#"escalation_policy = "Day""#,
            r#"escalation_policy = "First policy""#
        ),
        ["service Shop: by policy First policy instead of policy Day"]
    );
    assert!(told("", "").is_empty(), "nothing changes");
}

#[test]
fn whom_a_policy_pages_that_comes_is_told_as_where_nobody_was() {
    let installation = Installation::new(12);
    let asked = installation.asked(document(TWO_POLICIES));
    let after = rehearse(&installation.state, &asked, NOW).unwrap();
    assert_eq!(
        paging_changes(&installation.state, &after),
        [
            "policy Day, level 1: Ada, where nobody was",
            "policy Day, level 2: Bob, where nobody was",
            "policy Night, level 1: whoever is on call in First schedule, where nobody was",
        ]
    );
}

#[test]
fn a_field_that_changes_is_told_with_both_values() {
    let mut installation = Installation::new(5);
    installation.apply(document(TWO_PEOPLE)).unwrap();
    let before = installation.export();
    let changed = TWO_PEOPLE
        .replace("every = 1", "every = 2")
        .replace("\"Bob\"", "\"Robert\"");
    installation.apply(document(&changed)).unwrap();
    let found = differences(&before, &installation.export());
    let told: Vec<String> = found
        .iter()
        .flat_map(|change| &change.fields)
        .map(|field| format!("{}: {:?} -> {:?}", field.path, field.before, field.after))
        .collect();
    assert_eq!(
        told,
        [
            r#"name: Some("\"Bob\"") -> Some("\"Robert\"")"#,
            r#"layers[0].every: Some("1") -> Some("2")"#,
        ]
    );
}

#[test]
fn things_of_one_name_have_keys_of_their_own_and_stay_apart() {
    let mut installation = Installation::new(6);
    for _ in 0..2 {
        let add = RosterAsk::SetService {
            id: None,
            name: "Web".to_owned(),
            policy: None,
        };
        installation.ask(Ask::Roster(add)).unwrap();
    }
    let export = installation.export();
    assert_eq!(
        export.names(tocsin_domain::code::Kind::Services),
        ["First service", "Web", "Web#2"]
    );
    assert!(installation.apply(export).unwrap().is_empty());
    let high = "[[services]]\nname = \"Web#2\"\nurgency = \"high\"\n";
    installation.apply(document(high)).unwrap();
    let named = installation
        .state
        .services
        .values()
        .filter(|one| one.name == "Web");
    assert_eq!(named.count(), 2, "the key is no new name");
}

#[test]
fn planned_work_that_is_over_is_neither_written_nor_asked_for() {
    let mut installation = Installation::new(8);
    let over = "[[maintenance_windows]]\nreason = \"disks\"\nservices = [\"First service\"]\nfrom = 2026-11-01T00:00:00Z\nuntil = 2026-11-01T02:00:00Z\n";
    assert!(installation.apply(document(over)).unwrap().is_empty());
    assert!(installation.export().maintenance_windows.is_empty());
    let part = Part::new(tocsin_domain::code::Kind::MaintenanceWindows, "disks");
    assert_eq!(part.to_string(), "maintenance window \"disks\"");
}

#[test]
fn a_heartbeat_of_which_nothing_is_said_how_bad_it_is_is_an_error_as_in_the_api() {
    let job = "[[heartbeats]]\nname = \"backup\"\nservice = \"First service\"\nevery = \"1d\"\ngrace = \"1h\"\n";
    let mut installation = Installation::new(18);
    let before = document(job);
    assert_eq!(before.heartbeats[0].severity, Severity::Error);
    installation.apply(before).unwrap();
    assert_eq!(
        installation.export().heartbeats[0].severity,
        Severity::Error
    );
    let said = document(&format!("{job}severity = \"info\"\n"));
    installation.apply(said).unwrap();
    let known = &installation.export().heartbeats[0];
    assert_eq!(known.severity, Severity::Info);
    installation.apply(document(job)).unwrap();
    let known = &installation.export().heartbeats[0];
    assert_eq!(known.severity, Severity::Error, "what is left out is usual");
}

#[test]
fn a_word_of_an_export_that_people_read_is_in_its_file() {
    let files = write(&Installation::new(9).export());
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names.len(), 10);
    let services = files
        .iter()
        .find(|file| file.name == "services.toml")
        .unwrap();
    assert_eq!(
        services.text,
        "# Tocsin: services\n\n[[services]]\nname = \"First service\"\n\n[[services.integrations]]\nname = \"Events API v2\"\n"
    );
}
