//! Whatever files say differently is in the plan, and nothing else is changed; what was set up by hand is exported whole.

use tocsin_domain::command::{AskedRule, AskedSilence, HeartbeatAsk, IntakeAsk};
use tocsin_domain::decide::rehearse;
use tocsin_domain::intake::{
    Action, Condition, Field, GroupBy, LabelMatcher, LabelTest, Test, UrgencyBy, When,
};
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::Span;
use tocsin_domain::service::{Hold, WholeService};

use super::*;

/// Something of each kind, with each field that has another value than when it is left out.
const EVERYTHING: &str = r#"
[[users]]
email = "bob@example.org"
name = "Bob"
role = "responder"

[[teams]]
name = "Web"
description = "Who builds the shop"
members = ["bob@example.org"]

[[schedules]]
name = "Primary"
description = "By day and by night"
time_zone = "Europe/Paris"
[[schedules.layers]]
name = "Days"
start = 2026-11-23T00:00:00Z
until = 2027-11-23T00:00:00Z
time_zone = "UTC"
hand_off = "2026-11-24T09:00"
every = 1
unit = "weeks"
members = ["bob@example.org", "ada@example.org"]
restrictions = [{ from = "09:00", until = "17:00" }]

[[escalation_policies]]
name = "Web"
description = "Whoever is on call"
repeat = 2
acknowledgement_timeout = "30m"
[[escalation_policies.levels]]
delay = "5m"
targets = [{ schedule = "Primary" }, { team = "Web" }]
round_robin = true

[[services]]
name = "Shop"
description = "What customers see"
escalation_policy = "Web"
acknowledgement_timeout = "1h"
urgency = "low"
grouping = { time = { within = "5m" } }
resolve_after = "1h"
[[services.integrations]]
name = "Hooks"
kind = "webhook"
mapping = '{"title": "{{ .name }}"}'
[[services.integrations]]
name = "Prometheus"
kind = "alertmanager"
service_label = "team"
[[services.integrations]]
name = "Stage"
vendor = "PRO19CT"
[[services.rules]]
name = "tests"
when = { field = "details.env", op = "equals", text = "dev" }
then = ["suppress"]

[[alert_rules]]
name = "databases"
when = { field = "class", op = "equals", text = "db" }
then = [{ route = "Shop" }]

[[heartbeats]]
name = "backup"
service = "Shop"
every = "1d"
grace = "30m"
severity = "error"

[[monitors]]
slug = "apache-down"
enabled = true

[[maintenance_windows]]
reason = "disks"
matchers = [{ name = "job", operator = "=~", value = "web.*" }]
from = 2026-12-05T22:00:00Z
until = 2026-12-06T02:00:00Z

[[maintenance_windows]]
reason = "upgrades"
services = ["Shop"]
repeat = { time_zone = "Europe/Paris", first = "2026-12-05T22:00", lasts = "4h", every = 2, unit = "weeks" }

[installation]
fallback = ["ada@example.org"]
priorities = ["P1", "P2"]
"#;

/// The fields that a plan of these files shows.
fn planned(installation: &Installation, text: &str) -> Vec<String> {
    let asked = installation.asked(document(text));
    let after = rehearse(&installation.state, &asked, NOW).unwrap();
    let after = describe(&after, &asked.addresses, NOW);
    let changes = differences(&asked.standing, &after).into_iter();
    let fields = changes.flat_map(|change| change.fields);
    fields.map(|field| field.path).collect()
}

/// Checks that a change of the files is shown at these paths, is carried out, and then is no change any more.
#[track_caller]
fn check(from: &str, to: &str, paths: &[&str]) {
    assert_eq!(EVERYTHING.matches(from).count(), 1, "{from}");
    let changed = EVERYTHING.replace(from, to);
    let mut installation = Installation::new(31);
    installation.apply(document(EVERYTHING)).unwrap();
    assert_eq!(planned(&installation, &changed), paths, "{from} -> {to}");
    let events = installation.apply(document(&changed)).unwrap();
    assert!(!events.is_empty(), "{from} -> {to}");
    let again = planned(&installation, &changed);
    assert!(again.is_empty(), "{from} -> {to}: {again:?}");
}

#[test]
fn a_plan_of_what_is_true_shows_nothing_and_changes_nothing() {
    let mut installation = Installation::new(30);
    installation.apply(document(EVERYTHING)).unwrap();
    assert!(planned(&installation, EVERYTHING).is_empty());
    assert!(installation.apply(document(EVERYTHING)).unwrap().is_empty());
}

#[test]
fn each_field_of_people_teams_and_schedules_is_planned() {
    check("name = \"Bob\"", "name = \"Robert\"", &["name"]);
    check("role = \"responder\"", "role = \"viewer\"", &["role"]);
    check("Who builds the shop", "Who runs it", &["description"]);
    check(
        "members = [\"bob@example.org\"]",
        "members = []",
        &["members"],
    );
    check("By day and by night", "", &["description"]);
    check(
        "\"Europe/Paris\"\n[[",
        "\"Europe/Berlin\"\n[[",
        &["time_zone"],
    );
    let layer = |field: &str| format!("layers[0].{field}");
    let checked = |from: &str, to: &str, field: &str| check(from, to, &[&layer(field)]);
    checked("\"Days\"", "\"Nights\"", "name");
    checked("name = \"Days\"\n", "", "name");
    checked("start = 2026-11-23", "start = 2026-11-22", "start");
    checked("until = 2027-11-23", "until = 2027-11-24", "until");
    checked("\"UTC\"", "\"Asia/Kolkata\"", "time_zone");
    checked("2026-11-24T09:00", "2026-11-24T10:00", "hand_off");
    checked("every = 1\n", "every = 2\n", "every");
    checked("unit = \"weeks\"\n", "unit = \"days\"\n", "unit");
    checked(
        "until = \"17:00\"",
        "until = \"18:00\"",
        "restrictions[0].until",
    );
    checked(
        "[\"bob@example.org\", \"ada@example.org\"]",
        "[\"ada@example.org\", \"bob@example.org\"]",
        "members",
    );
}

#[test]
fn each_field_of_policies_and_of_the_installation_is_planned() {
    check("Whoever is on call", "Both", &["description"]);
    check("repeat = 2\n", "repeat = 3\n", &["repeat"]);
    check(
        "= \"30m\"\n[[",
        "= \"40m\"\n[[",
        &["acknowledgement_timeout"],
    );
    check("delay = \"5m\"", "delay = \"6m\"", &["levels[0].delay"]);
    check(
        "{ schedule = \"Primary\" }",
        "{ user = \"ada@example.org\" }",
        &["levels[0].targets[0].schedule", "levels[0].targets[0].user"],
    );
    check(
        "round_robin = true",
        "each_must_acknowledge = true",
        &["levels[0].round_robin", "levels[0].each_must_acknowledge"],
    );
    check(
        "fallback = [\"ada@example.org\"]",
        "fallback = [\"bob@example.org\"]",
        &["fallback"],
    );
    check("[\"P1\", \"P2\"]", "[\"P1\"]", &["priorities"]);
    check("enabled = true", "enabled = false", &["enabled"]);
}

#[test]
fn each_field_of_services_is_planned() {
    check("What customers see", "The shop", &["description"]);
    check(
        "escalation_policy = \"Web\"",
        "escalation_policy = \"First policy\"",
        &["escalation_policy"],
    );
    let timeout = &["acknowledgement_timeout"];
    check("timeout = \"1h\"", "timeout = \"never\"", timeout);
    check("acknowledgement_timeout = \"1h\"\n", "", timeout);
    check("urgency = \"low\"", "urgency = \"high\"", &["urgency"]);
    check(
        "within = \"5m\"",
        "within = \"6m\"",
        &["grouping.time.within"],
    );
    check("after = \"1h\"", "after = \"2h\"", &["resolve_after"]);
    check("{{ .name }}", "{{ .title }}", &["integrations[0].mapping"]);
    check(
        "service_label = \"team\"",
        "service_label = \"service\"",
        &["integrations[1].service_label"],
    );
    check("vendor = \"PRO19CT\"\n", "", &["integrations[2].vendor"]);
    check("\"dev\"", "\"test\"", &["rules[0].when.text"]);
    check("[\"suppress\"]", "[\"drop\"]", &["rules[0].then"]);
    check(
        "then = [\"suppress\"]",
        "then = [\"suppress\"]\ngo_on = true",
        &["rules[0].go_on"],
    );
}

#[test]
fn each_field_of_rules_heartbeats_and_planned_work_is_planned() {
    check("\"db\"", "\"sql\"", &["[0].when.text"]);
    check(
        "{ route = \"Shop\" }",
        "{ route = \"First service\" }",
        &["[0].then[0].route"],
    );
    check("every = \"1d\"", "every = \"2d\"", &["every"]);
    check("grace = \"30m\"", "grace = \"31m\"", &["grace"]);
    check("\"error\"", "\"warning\"", &["severity"]);
    check(
        "service = \"Shop\"",
        "service = \"First service\"",
        &["service"],
    );
    check("\"=~\"", "\"=\"", &["matchers[0].operator"]);
    check("\"web.*\"", "\"web-.*\"", &["matchers[0].value"]);
    check("\"job\"", "\"instance\"", &["matchers[0].name"]);
    check("from = 2026-12-05", "from = 2026-12-04", &["from"]);
    check("until = 2026-12-06", "until = 2026-12-07", &["until"]);
    check("lasts = \"4h\"", "lasts = \"5h\"", &["repeat.lasts"]);
    check(
        "services = [\"Shop\"]",
        "services = [\"First service\"]",
        &["services"],
    );
}

/// A rule that sends alerts to a service by a label.
fn routed_to(service: ServiceId) -> AskedRule {
    AskedRule {
        id: None,
        name: "by team".to_owned(),
        when: Condition::Field {
            field: Field::Detail("team".to_owned()),
            test: Test::Equals("shop".to_owned()),
        },
        then: vec![Action::Route { service }],
        go_on: false,
    }
}

impl Installation {
    /// What a person or a foreign system sets up, without files.
    fn set_up_by_hand(&mut self) {
        self.add_service("Shop", "Probe");
        let mut services = self.state.services.values();
        let shop = services.find(|one| one.name == "Shop").unwrap().id;
        let own = [
            Ask::Roster(RosterAsk::SetWholeService(Box::new(WholeService {
                id: Some(shop),
                name: Some("Shop".to_owned()),
                policy: Some(None),
                description: Some("What customers\nsee".to_owned()),
                acknowledgement: Some(Some(Hold::Always)),
                urgency: Some(UrgencyBy::High),
                grouping: Some(GroupBy::Content {
                    fields: vec![Field::Detail("cluster".to_owned()), Field::Class],
                }),
                grouping_label: None,
                resolve_after_ms: Some(Some(600_000)),
            }))),
            Ask::Roster(RosterAsk::AddIntegration {
                service: shop,
                name: "Hooks".to_owned(),
                key_hash: "hooks".to_owned(),
                key_row: None,
                vendor: None,
                kind: IntegrationKind::Webhook {
                    mapping: "{\n  \"title\": \"{{ .name }}\"\n}".to_owned(),
                },
            }),
            Ask::Roster(RosterAsk::AddIntegration {
                service: shop,
                name: "Stage".to_owned(),
                key_hash: "stage".to_owned(),
                key_row: None,
                vendor: Some("PRO19CT".to_owned()),
                kind: IntegrationKind::EventsV2,
            }),
        ];
        for ask in own.into_iter().chain(taken_in(shop)) {
            self.ask(ask).unwrap();
        }
    }
}

/// What somebody sets by hand of what is taken in.
fn taken_in(shop: ServiceId) -> [Ask; 4] {
    let matcher = |name: &str, test, value: &str| LabelMatcher::new(name, test, value).unwrap();
    let labels = vec![
        matcher("job", LabelTest::Fits, "web.*"),
        matcher("env", LabelTest::Differs, "prod"),
    ];
    let span = Span::new(NOW.plus_ms(3_600_000), NOW.plus_ms(7_200_000));
    [
        Ask::Intake(IntakeAsk::SetRules {
            service: None,
            rules: vec![routed_to(shop)],
        }),
        Ask::Intake(IntakeAsk::Heartbeat(HeartbeatAsk::Set {
            id: None,
            name: "backup".to_owned(),
            service: Some(shop),
            every_ms: 3_600_000,
            grace_ms: 90_000,
            severity: Severity::Error,
            token_hash: Some("backup".to_owned()),
        })),
        Ask::Intake(IntakeAsk::SetWindow {
            id: None,
            reason: "disks".to_owned(),
            services: Vec::new(),
            targets: Vec::new(),
            when: When::Once { span },
            matchers: Some(labels.clone()),
        }),
        Ask::Intake(IntakeAsk::SetSilence(Box::new(AskedSilence {
            id: None,
            comment: "it flaps".to_owned(),
            created_by: "ann".to_owned(),
            matchers: labels,
            span,
        }))),
    ]
}

#[test]
fn what_was_set_up_by_hand_is_exported_whole_and_an_export_plans_to_nothing() {
    let mut installation = Installation::new(32);
    installation.set_up_by_hand();
    let exported = installation.export();
    let text = canonical(&exported);
    for line in [
        "description = \"What customers\\nsee\"\n",
        "acknowledgement_timeout = \"never\"\n",
        "matchers = [{ name = \"env\", operator = \"!=\", value = \"prod\" }, { name = \"job\", operator = \"=~\", value = \"web.*\" }]\n",
        "then = [{ route = \"Shop\" }]\n",
        "grouping = { content = [\"details.cluster\", \"class\"] }\n",
        "mapping = \"{\\n  \\\"title\\\": \\\"{{ .name }}\\\"\\n}\"\n",
        "name = \"Stage\"\nvendor = \"PRO19CT\"\n",
        "grace = \"1m30s\"\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("it flaps"), "a silence stands in no file");
    let mut files = write(&exported);
    files.push(File {
        name: "manage.toml".to_owned(),
        text: "[manage]\nremove = [\"users\", \"teams\", \"schedules\", \"escalation_policies\", \"services\", \"integrations\", \"alert_rules\", \"heartbeats\", \"maintenance_windows\"]\n".to_owned(),
    });
    let (wanted, _) = read(&files).unwrap();
    assert!(differences(&exported, &wanted).is_empty());
    let (removed, kept) = removals(&installation.state, &exported, &wanted);
    assert!(removed.is_empty() && kept.is_empty());
    assert!(installation.apply(wanted).unwrap().is_empty());
    assert_eq!(installation.state.windows.len(), 2, "the silence stays");
}

#[test]
fn labels_of_planned_work_come_change_and_go_with_its_file() {
    let mut installation = Installation::new(33);
    let work = |more: &str| {
        document(&format!(
            "[[maintenance_windows]]\nreason = \"disks\"\n{more}\nfrom = 2026-12-05T22:00:00Z\nuntil = 2026-12-06T02:00:00Z\n"
        ))
    };
    let labels = "matchers = [{ name = \"job\", operator = \"=\", value = \"web\" }]";
    installation.apply(work(labels)).unwrap();
    let told = |installation: &Installation| {
        let window = installation.state.windows.values().next().unwrap();
        let matchers = window.silence.iter().flat_map(|one| &one.matchers);
        matchers.map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(told(&installation), ["job=\"web\""]);
    let services = "services = [\"First service\"]";
    installation
        .apply(work(&format!("{labels}\n{services}")))
        .unwrap();
    assert_eq!(told(&installation), ["job=\"web\""]);
    installation.apply(work(services)).unwrap();
    assert!(told(&installation).is_empty());
}

#[test]
fn every_table_of_a_document_is_of_a_kind_that_is_compared() {
    let whole = serde_json::to_value(document(&format!(
        "{EVERYTHING}\n[manage]\nremove = [\"teams\"]\n"
    )))
    .unwrap();
    for name in whole.as_object().unwrap().keys() {
        let is_kind = tocsin_domain::code::Kind::ALL
            .iter()
            .any(|kind| kind.word() == name);
        assert!(is_kind || name == "manage", "{name}");
    }
}
