//! Random documents that can be made true.

use tocsin_domain::code::{
    Action, Comparison, Condition, Document, EscalationPolicy, FieldName, Grouping, Heartbeat,
    HourWindow, Hours, InstallationSettings, Integration, Layer, Length, Level, MaintenanceWindow,
    Manage, Matcher, Moment, Monitor, Operator, Recipient, Repeat, Rule, Schedule, Service,
    Support, Team, Timeout, Urgency, User,
};
use tocsin_domain::intake::{Field, LabelTest, Loudness};
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::{RepeatUnit, TurnUnit};
use tocsin_domain::people::Role;
use tocsin_domain::service::Speaks;

use super::{NOW, Seeded};

const ZONES: [&str; 4] = ["Europe/Paris", "America/New_York", "Asia/Kolkata", "UTC"];
const ODD: [&str; 6] = ["", " \"q\"", " é", " #2", " \\", " = ["];

fn names(seed: &mut Seeded, what: &str) -> Vec<String> {
    let count = 1 + seed.below(4);
    let mut name = |index| format!("{what} {index}{}", pick(seed, &ODD));
    (0..count).map(&mut name).collect()
}

fn pick<'a>(seed: &mut Seeded, of: &[&'a str]) -> &'a str {
    of[usize::try_from(seed.below(of.len() as u64)).unwrap()]
}

fn one_of(seed: &mut Seeded, of: &[String]) -> String {
    of[usize::try_from(seed.below(of.len() as u64)).unwrap()].clone()
}

fn some_of(seed: &mut Seeded, of: &[String]) -> Vec<String> {
    let mut some: Vec<String> = of.iter().filter(|_| seed.often()).cloned().collect();
    if some.is_empty() {
        some.push(one_of(seed, of));
    }
    some
}

/// What is said of something, or nothing.
fn said(seed: &mut Seeded) -> String {
    let words = ["", "What it is", "two\nlines, a \"quote\", a \\ and é"];
    pick(seed, &words).to_owned()
}

fn moment(seed: &mut Seeded) -> Moment {
    Moment(NOW.plus_ms(seed.below(40 * 86_400_000) + 1_000))
}

fn windows(seed: &mut Seeded) -> Vec<HourWindow> {
    let texts = [
        r#"{"from":"09:00","until":"17:30"}"#,
        r#"{"from":"friday 18:00","until":"monday 08:00"}"#,
        r#"{"from":"22:00","until":"06:00:30"}"#,
    ];
    let count = 1 + seed.below(2);
    (0..count)
        .map(|_| serde_json::from_str(pick(seed, &texts)).unwrap())
        .collect()
}

fn hours(seed: &mut Seeded) -> Hours {
    Hours {
        time_zone: pick(seed, &ZONES).to_owned(),
        windows: windows(seed),
    }
}

fn layer(seed: &mut Seeded, people: &[String]) -> Layer {
    let units = [TurnUnit::Hours, TurnUnit::Days, TurnUnit::Weeks];
    let start = moment(seed);
    Layer {
        name: said(seed),
        start,
        until: seed.often().then(|| Moment(start.0.plus_ms(86_400_000))),
        time_zone: seed.often().then(|| pick(seed, &ZONES).to_owned()),
        hand_off: seed.often().then(|| "2026-11-23T09:00".parse().unwrap()),
        every: 1 + u32::try_from(seed.below(14)).unwrap(),
        unit: units[usize::try_from(seed.below(3)).unwrap()],
        members: if seed.often() {
            some_of(seed, people)
        } else {
            Vec::new()
        },
        restrictions: if seed.often() {
            windows(seed)
        } else {
            Vec::new()
        },
    }
}

fn condition(seed: &mut Seeded, depth: u32) -> Condition {
    let nothing = Condition::default();
    let inner = |seed: &mut Seeded| condition(seed, depth + 1);
    match seed.below(if depth > 2 { 3 } else { 6 }) {
        // Only a rule as a whole says nothing to mean always; an empty list inside of another reads back as that.
        0 if depth == 0 => nothing,
        0 | 1 => Condition {
            field: Some(FieldName(Field::Detail("team".to_owned()))),
            op: Some(Operator::Matches),
            text: Some("web-*".to_owned()),
            ..nothing
        },
        2 => Condition {
            field: Some(FieldName(Field::Source)),
            op: Some(Operator::Exists),
            ..nothing
        },
        3 => Condition {
            any: Some(vec![inner(seed), inner(seed)]),
            ..nothing
        },
        4 => Condition {
            not: Some(Box::new(inner(seed))),
            ..nothing
        },
        _ => Condition {
            all: Some(vec![
                inner(seed),
                Condition {
                    hours: Some(hours(seed)),
                    ..Condition::default()
                },
            ]),
            ..nothing
        },
    }
}

fn rules(seed: &mut Seeded, services: Option<&[String]>) -> Vec<Rule> {
    let count = seed.below(3);
    let rule = |index| {
        let mut then = vec![
            Action::SetSeverity(Severity::Warning),
            Action::SetPriority("P2".to_owned()),
            Action::Suppress,
            Action::Pause(Length::of_ms(90_000)),
            Action::Note("look\nhere \"too\"".to_owned()),
            Action::Drop,
        ];
        if let Some(services) = services {
            then.push(Action::Route(one_of(seed, services)));
        }
        Rule {
            name: format!("rule {index}"),
            when: condition(seed, 0),
            then,
            go_on: seed.often(),
        }
    };
    (0..count).map(rule).collect()
}

fn policy(seed: &mut Seeded, name: String, known: [&[String]; 3]) -> EscalationPolicy {
    let [people, teams, schedules] = known;
    let level = |_| Level {
        delay: Length::of_ms(1_000 + seed.below(86_399_000)),
        targets: vec![
            Recipient::User(one_of(seed, people)),
            Recipient::Team(one_of(seed, teams)),
            Recipient::Schedule(one_of(seed, schedules)),
        ],
        round_robin: seed.often(),
        each_must_acknowledge: seed.often(),
    };
    let levels = (0..3).map(level).collect();
    EscalationPolicy {
        name,
        description: said(seed),
        team: seed.often().then(|| one_of(seed, teams)),
        repeat: u32::try_from(seed.below(9)).unwrap(),
        acknowledgement_timeout: seed.often().then(|| Length::of_ms(1_800_000)),
        levels,
    }
}

fn service(seed: &mut Seeded, name: String, policies: &[String]) -> Service {
    let urgencies = [
        Urgency::Severity,
        Urgency::High,
        Urgency::Low,
        Urgency::SupportHours(Support {
            time_zone: "Europe/Paris".to_owned(),
            windows: windows(seed),
            during: Loudness::High,
            outside: Loudness::Severity,
            raise: seed.often(),
        }),
    ];
    let groupings = [
        Grouping::Nothing,
        Grouping::Time {
            within: Length::of_ms(300_000),
            rolling: seed.often(),
        },
        Grouping::Content(vec![FieldName(Field::Title)]),
    ];
    let mut integrations: Vec<Integration> = names(seed, "integration")
        .into_iter()
        .map(|name| integration(seed, name))
        .collect();
    integrations.sort();
    let timeouts = [
        None,
        Some(Timeout::Never),
        Some(Timeout::After(Length::of_ms(1_800_000))),
    ];
    Service {
        name,
        description: said(seed),
        acknowledgement_timeout: timeouts[usize::try_from(seed.below(3)).unwrap()],
        escalation_policy: seed.often().then(|| one_of(seed, policies)),
        urgency: urgencies[usize::try_from(seed.below(4)).unwrap()].clone(),
        grouping: groupings[usize::try_from(seed.below(3)).unwrap()].clone(),
        resolve_after: seed.often().then(|| Length::of_ms(3_600_000)),
        integrations,
        rules: rules(seed, None),
    }
}

pub(super) fn integration(seed: &mut Seeded, name: String) -> Integration {
    let chosen = seed.below(5);
    let (kind, service_label, mapping) = match chosen {
        0 => (Speaks::Webhook, None, Some("{\"title\": \"{{ .name }}\"}")),
        1 => (Speaks::Alertmanager, Some("team"), None),
        2 => (Speaks::Email, None, None),
        _ => (Speaks::EventsV2, None, None),
    };
    Integration {
        name,
        kind,
        vendor: (chosen == 3).then(|| "PRO19CT".to_owned()),
        service_label: service_label.map(str::to_owned),
        mapping: mapping.map(str::to_owned),
    }
}

fn window(seed: &mut Seeded, reason: String, services: &[String]) -> MaintenanceWindow {
    let from = moment(seed);
    let once = seed.often();
    let matchers = if seed.often() { matchers() } else { Vec::new() };
    MaintenanceWindow {
        reason,
        services: if !matchers.is_empty() && seed.often() {
            Vec::new()
        } else {
            some_of(seed, services)
        },
        targets: Vec::new(),
        matchers,
        from: once.then_some(from),
        until: once.then(|| Moment(from.0.plus_ms(7_200_000))),
        repeat: (!once).then(|| Repeat {
            time_zone: pick(seed, &ZONES).to_owned(),
            first: "2026-12-01T22:00".parse().unwrap(),
            lasts: Length::of_ms(5_400_000),
            every: 2,
            unit: RepeatUnit::Weeks,
            until: seed.often().then(|| Moment(NOW.plus_ms(90 * 86_400_000))),
        }),
    }
}

fn matchers() -> Vec<Matcher> {
    let texts = [
        ("job", LabelTest::Fits, "web.*"),
        ("env", LabelTest::Differs, "pro\"d"),
        ("a label", LabelTest::Misfits, ""),
    ];
    let made = texts.map(|(name, test, value)| Matcher::new(name, Comparison(test), value));
    made.to_vec()
}

fn heartbeats(seed: &mut Seeded, services: &[String]) -> Vec<Heartbeat> {
    let job = |index| Heartbeat {
        name: format!("job {index}"),
        service: one_of(seed, services),
        every: Length::of_ms(3_600_000),
        grace: Length::of_ms(1_000 + seed.below(100_000)),
        severity: Severity::Error,
    };
    (0..3).map(job).collect()
}

/// A document in its tidy form that can be made true on a new installation.
pub(super) fn document(seed: &mut Seeded) -> Document {
    let count = seed.below(5);
    let mut people = vec!["ada@example.org".to_owned()];
    people.extend((0..count).map(|index| format!("person{index}@example.org")));
    let roles = [Role::Viewer, Role::Responder, Role::Admin];
    let users = people.iter().enumerate().map(|(index, email)| User {
        email: email.clone(),
        name: Some(format!("Person {index}{}", pick(seed, &ODD[..3]))),
        role: Some(if index == 0 {
            Role::Admin
        } else {
            roles[index % 3]
        }),
    });
    let users = users.collect();
    let (teams, schedules) = (names(seed, "team"), names(seed, "schedule"));
    let (policies, services) = (names(seed, "policy"), names(seed, "service"));
    let team = |name: &String| Team {
        name: name.clone(),
        description: said(seed),
        members: some_of(seed, &people),
    };
    let made_teams = teams.iter().map(team).collect();
    let schedule = |name: &String| Schedule {
        name: name.clone(),
        description: said(seed),
        team: seed.often().then(|| one_of(seed, &teams)),
        time_zone: pick(seed, &ZONES).to_owned(),
        layers: (0..seed.below(3)).map(|_| layer(seed, &people)).collect(),
    };
    let made_schedules = schedules.iter().map(schedule).collect();
    let known = [&people[..], &teams[..], &schedules[..]];
    let made_policies = policies
        .iter()
        .map(|name| policy(seed, name.clone(), known))
        .collect();
    let made_services = services
        .iter()
        .map(|name| service(seed, name.clone(), &policies))
        .collect();
    let heartbeats = heartbeats(seed, &services);
    let works: Vec<String> = (0..3).map(|index| format!("work {index}")).collect();
    let windows = works
        .into_iter()
        .map(|reason| window(seed, reason, &services))
        .collect();
    let alert_rules = rules(seed, Some(&services));
    let document = Document {
        manage: Manage::default(),
        installation: InstallationSettings {
            fallback: Some(some_of(seed, &people)),
            priorities: Some(vec!["worst".to_owned(), "P2".to_owned()]),
        },
        users,
        teams: made_teams,
        schedules: made_schedules,
        escalation_policies: made_policies,
        services: made_services,
        alert_rules: (!alert_rules.is_empty()).then_some(alert_rules),
        heartbeats,
        monitors: vec![Monitor {
            slug: "apache-down".to_owned(),
            enabled: seed.often(),
        }],
        maintenance_windows: windows,
    };
    document.tidied()
}
