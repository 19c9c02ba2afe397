//! What can be asked about services, escalation policies, teams, maintenance windows and people in bodies. Whether it makes
//! sense is decided elsewhere.

use tocsin_domain::service::Speaks;
use tocsin_domain::time::Timestamp;

use super::body::{self, Fields, Named, Wrong};
use super::refusal::Refusal;
use super::vendor::Vendor;

/// Characters of a name at most.
const NAME_CHARS_MAX: usize = 255;

/// The kind of integrations that take the older events, which Tocsin takes by the same key.
const EVENTS_V1: &str = "generic_events_api_inbound_integration";

/// What a service's incidents ask like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrgencyRule {
    /// As their severity says.
    Severity,
    /// They page.
    High,
    /// They wake nobody.
    Low,
}

/// A service to add or to change; what is not said stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: Option<String>,
    /// The id of its policy.
    pub policy: Option<String>,
    /// After so many seconds without news it is over; `Some(None)` is never.
    pub resolve_after_s: Option<Option<u64>>,
    /// How urgent its alerts are.
    pub urgency: Option<UrgencyRule>,
}

/// One level of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// How long it has for an acknowledgement.
    pub delay_minutes: u64,
    /// Who is paged.
    pub targets: Vec<Named>,
    /// Whether only one of them is, in turn.
    pub round_robin: bool,
}

/// A policy to add or to change; what is not said stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub name: Option<String>,
    /// All of its levels.
    pub levels: Option<Vec<Level>>,
    /// How often it is walked through again.
    pub repeat: Option<u64>,
}

/// A maintenance window to add or to change; what is not said stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// When it begins.
    pub from: Option<Timestamp>,
    /// When it ends.
    pub until: Option<Timestamp>,
    /// What is done.
    pub description: Option<String>,
    /// The ids of services that are worked on.
    pub services: Option<Vec<String>>,
}

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Admin,
    /// Work on incidents.
    Responder,
    /// Read.
    Viewer,
}

/// PagerDuty's words for roles; ours are fewer.
const ROLES: [(&str, Role); 8] = [
    ("owner", Role::Admin),
    ("admin", Role::Admin),
    ("user", Role::Responder),
    ("limited_user", Role::Responder),
    ("observer", Role::Viewer),
    ("restricted_access", Role::Viewer),
    ("read_only_user", Role::Viewer),
    ("read_only_limited_user", Role::Viewer),
];

/// A person to add or to change; what is not said stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their name.
    pub name: Option<String>,
    /// Their address.
    pub email: Option<String>,
    /// What they may do.
    pub role: Option<Role>,
}

/// Reads the body of `POST /services` or `PUT /services/{id}`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn service(bytes: &[u8]) -> Result<Service, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "service")?;
    let mut wrong = Wrong::default();
    let unserved = [
        "support_hours",
        "alert_grouping_parameters",
        "response_play",
    ];
    for name in unserved {
        // Clients send the empty forms of what they do not use.
        let object = fields.value(name).and_then(|value| value.as_object());
        let is_used = object.is_some_and(|object| {
            let told = object.get("type").is_some_and(|kind| !kind.is_null());
            told || name != "alert_grouping_parameters"
        });
        if is_used && name == "response_play" {
            fields.refuse(&mut wrong, &[name]);
        } else if is_used {
            let path = fields.path(name);
            wrong.add(format!(
                "'{path}' is not supported: it is set in Tocsin itself, or by its own API"
            ));
        }
    }
    let actions = fields.objects(&mut wrong, "scheduled_actions");
    if actions.is_some_and(|actions| !actions.is_empty()) {
        fields.refuse(&mut wrong, &["scheduled_actions"]);
    }
    let resolve_after_s = fields
        .has("auto_resolve_timeout")
        .then(|| fields.number(&mut wrong, "auto_resolve_timeout"));
    let service = Service {
        name: fields.text(&mut wrong, "name", NAME_CHARS_MAX),
        policy: fields
            .reference(&mut wrong, "escalation_policy")
            .map(|named| named.id),
        // Zero is how some clients write never.
        resolve_after_s: resolve_after_s.map(|seconds| seconds.filter(|seconds| *seconds > 0)),
        urgency: urgency(&fields, &mut wrong),
    };
    wrong.outcome(Some(service))
}

fn urgency(fields: &Fields<'_>, wrong: &mut Wrong) -> Option<UrgencyRule> {
    let rule = fields.object(wrong, "incident_urgency_rule")?;
    rule.word(wrong, "type", &[("constant", ())])?;
    let words = [
        ("severity_based", UrgencyRule::Severity),
        ("high", UrgencyRule::High),
        ("low", UrgencyRule::Low),
    ];
    rule.word(wrong, "urgency", &words)
}

/// An integration to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integration {
    /// Its name.
    pub name: String,
    /// How the foreign system is to speak.
    pub speaks: Speaks,
}

/// Reads the body of `POST /services/{id}/integrations`. Whatever is of no kind that Tocsin knows sends events.
///
/// # Errors
/// It names a vendor that is none.
pub fn integration(bytes: &[u8]) -> Result<Integration, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "integration")?;
    let mut wrong = Wrong::default();
    let kind = fields.text(&mut wrong, "type", NAME_CHARS_MAX);
    let is_mail = kind.is_some_and(|kind| kind.starts_with("generic_email"));
    let mut speaks = if is_mail {
        Speaks::Email
    } else {
        Speaks::EventsV2
    };
    if let Some(named) = fields.reference(&mut wrong, "vendor") {
        match Vendor::of_id(&named.id) {
            Some(vendor) => speaks = vendor.speaks,
            None => wrong.add(format!("Vendor not found: {:?}", named.id)),
        }
    }
    let name = fields.text(&mut wrong, "name", NAME_CHARS_MAX);
    // The name may be left to the server.
    let name = name.unwrap_or_else(|| Vendor::of(speaks).name.to_owned());
    wrong.outcome(Some(Integration { name, speaks }))
}

/// Reads the body of `PUT /services/{id}/integrations/{integration_id}`: its name, if that is said.
///
/// # Errors
/// It says a type or a vendor that is not what the integration is: that stays as it was made.
pub fn integration_change(bytes: &[u8], is: Speaks) -> Result<Option<String>, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "integration")?;
    let mut wrong = Wrong::default();
    let name = fields.text(&mut wrong, "name", NAME_CHARS_MAX);
    if let Some(kind) = fields.text(&mut wrong, "type", NAME_CHARS_MAX) {
        let kind = kind.strip_suffix("_reference").unwrap_or(&kind);
        let old_events = is == Speaks::EventsV2 && kind == EVENTS_V1;
        if kind != Vendor::of(is).kind && !old_events {
            stays(&fields, &mut wrong, "type");
        }
    }
    if let Some(named) = fields.reference(&mut wrong, "vendor")
        && named.id != Vendor::of(is).id()
    {
        stays(&fields, &mut wrong, "vendor");
    }
    wrong.outcome(Some(name))
}

fn stays(fields: &Fields<'_>, wrong: &mut Wrong, name: &str) {
    let path = fields.path(name);
    wrong.add(format!(
        "'{path}' is not supported: it stays as it was made; make another integration"
    ));
}

/// Reads the body of `POST /escalation_policies` or `PUT /escalation_policies/{id}`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn policy(bytes: &[u8]) -> Result<Policy, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "escalation_policy")?;
    let mut wrong = Wrong::default();
    let rules = fields.objects(&mut wrong, "escalation_rules");
    let levels = rules.map(|rules| {
        let levels = rules.iter().filter_map(|rule| level(rule, &mut wrong));
        levels.collect::<Vec<Level>>()
    });
    let policy = Policy {
        name: fields.text(&mut wrong, "name", NAME_CHARS_MAX),
        levels,
        repeat: fields.number(&mut wrong, "num_loops"),
    };
    wrong.outcome(Some(policy))
}

fn level(rule: &Fields<'_>, wrong: &mut Wrong) -> Option<Level> {
    let delay = rule.number(wrong, "escalation_delay_in_minutes");
    let targets = rule.references(wrong, "targets").unwrap_or_default();
    for target in &targets {
        if !["user", "schedule", "team"].contains(&target.kind.as_str()) {
            let place = rule.path("targets");
            wrong.add(format!(
                "'{place}' is invalid: a target is a user_reference or a schedule_reference"
            ));
        }
    }
    let strategy = rule.object(wrong, "escalation_rule_assignment_strategy");
    let words = [("assign_to_everyone", false), ("round_robin", true)];
    let round_robin = strategy.and_then(|strategy| strategy.word(wrong, "type", &words));
    if delay.is_none() {
        let path = rule.path("escalation_delay_in_minutes");
        wrong.add(format!("'{path}' is missing: it is a number of minutes"));
    }
    Some(Level {
        delay_minutes: delay?,
        targets,
        round_robin: round_robin.unwrap_or(false),
    })
}

/// Reads the body of `POST /teams` or `PUT /teams/{id}`: its name.
///
/// # Errors
/// Everything that is wrong with it.
pub fn team(bytes: &[u8]) -> Result<Option<String>, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "team")?;
    let mut wrong = Wrong::default();
    fields.refuse(&mut wrong, &["parent"]);
    let name = fields.text(&mut wrong, "name", NAME_CHARS_MAX);
    wrong.outcome(Some(name))
}

/// Reads the body of `POST /maintenance_windows` or `PUT /maintenance_windows/{id}`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn window(bytes: &[u8]) -> Result<Window, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "maintenance_window")?;
    let mut wrong = Wrong::default();
    let services = fields.references(&mut wrong, "services");
    let window = Window {
        from: fields.time(&mut wrong, "start_time"),
        until: fields.time(&mut wrong, "end_time"),
        description: fields.text(&mut wrong, "description", 1_024),
        services: services.map(|all| all.into_iter().map(|one| one.id).collect()),
    };
    wrong.outcome(Some(window))
}

/// Reads the body of `POST /users` or `PUT /users/{id}`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn user(bytes: &[u8]) -> Result<User, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "user")?;
    let mut wrong = Wrong::default();
    let user = User {
        name: fields.text(&mut wrong, "name", NAME_CHARS_MAX),
        email: fields.text(&mut wrong, "email", NAME_CHARS_MAX),
        role: fields.word(&mut wrong, "role", &ROLES),
    };
    wrong.outcome(Some(user))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn bytes(value: &Value) -> Vec<u8> {
        value.to_string().into_bytes()
    }

    #[test]
    fn a_service_is_read_with_what_clients_send_beside_it() {
        let body = json!({"service": {
            "type": "service", "name": "Shop", "description": "Managed by Terraform",
            "auto_resolve_timeout": "14400", "acknowledgement_timeout": null,
            "escalation_policy": {"id": "QA", "type": "escalation_policy_reference"},
            "incident_urgency_rule": {"type": "constant", "urgency": "severity_based"},
            "support_hours": null, "scheduled_actions": [],
            "alert_grouping_parameters": {"type": null, "config": null},
        }});
        let read = service(&bytes(&body)).unwrap();
        assert_eq!(read.name.as_deref(), Some("Shop"));
        assert_eq!(read.resolve_after_s, Some(Some(14_400)));
        assert_eq!(read.urgency, Some(UrgencyRule::Severity));
        let never = json!({"service": {"auto_resolve_timeout": null}});
        assert_eq!(service(&bytes(&never)).unwrap().resolve_after_s, Some(None));
        let hours = json!({"service": {"support_hours": {"type": "fixed_time_per_day"}}});
        let refused = service(&bytes(&hours)).unwrap_err();
        assert!(
            refused.errors[0].contains("set in Tocsin itself"),
            "{refused}"
        );
        for used in [
            json!({"support_hours": {"type": "fixed_time_per_day"}}),
            json!({"alert_grouping_parameters": {"type": "intelligent"}}),
            json!({"scheduled_actions": [{}]}),
            json!({"incident_urgency_rule": {"type": "use_support_hours"}}),
        ] {
            assert!(
                service(&bytes(&json!({ "service": used }))).is_err(),
                "{used}"
            );
        }
    }

    #[test]
    fn a_policy_is_read_level_by_level() {
        let body = json!({"escalation_policy": {"name": "Night", "num_loops": 2, "escalation_rules": [
            {"escalation_delay_in_minutes": 30, "targets": [{"id": "QA", "type": "user_reference"}]},
            {"escalation_delay_in_minutes": 5, "targets": [{"id": "QB", "type": "schedule"}],
             "escalation_rule_assignment_strategy": {"type": "round_robin"}},
        ]}});
        let read = policy(&bytes(&body)).unwrap();
        let levels = read.levels.unwrap();
        assert_eq!(
            (levels[0].delay_minutes, levels[0].round_robin),
            (30, false)
        );
        assert_eq!(
            (levels[1].targets[0].kind.as_str(), levels[1].round_robin),
            ("schedule", true)
        );
        let wrong = json!({"escalation_policy": {"escalation_rules": [{"targets": [{"id": "QA", "type": "service"}]}]}});
        assert_eq!(policy(&bytes(&wrong)).unwrap_err().errors.len(), 2);
    }

    #[test]
    fn an_integration_is_called_otherwise_and_nothing_else_of_it_changes() {
        let read = |body: Value| {
            integration_change(&bytes(&json!({"integration": body})), Speaks::EventsV2)
        };
        let vendor = |speaks| json!({"id": Vendor::of(speaks).id(), "type": "vendor_reference"});
        let same = json!({"name": "Probe 2", "type": "events_api_v2_inbound_integration", "vendor": vendor(Speaks::EventsV2)});
        assert_eq!(read(same), Ok(Some("Probe 2".to_owned())));
        assert_eq!(read(json!({"type": EVENTS_V1})), Ok(None));
        for other in [
            json!({"type": "generic_email_inbound_integration"}),
            json!({"vendor": vendor(Speaks::Grafana)}),
        ] {
            assert!(read(other.clone()).is_err(), "{other}");
        }
    }

    #[test]
    fn the_rest_is_read_and_what_is_wrong_is_told() {
        let made = integration(&bytes(
            &json!({"integration": {"type": "generic_events_api_inbound_integration"}}),
        ));
        let made = made.unwrap();
        assert_eq!(
            (made.name.as_str(), made.speaks),
            ("Events API V2", Speaks::EventsV2)
        );
        let mail = json!({"integration": {"type": "generic_email_inbound_integration"}});
        assert_eq!(integration(&bytes(&mail)).unwrap().speaks, Speaks::Email);
        let vendor = json!({"id": Vendor::of(Speaks::Grafana).id(), "type": "vendor_reference"});
        let grafana = json!({"integration": {"name": "Boards", "vendor": vendor}});
        let grafana = integration(&bytes(&grafana)).unwrap();
        assert_eq!(
            (grafana.name.as_str(), grafana.speaks),
            ("Boards", Speaks::Grafana)
        );
        let nobody =
            json!({"integration": {"vendor": {"id": "PAM4FGS", "type": "vendor_reference"}}});
        assert!(integration(&bytes(&nobody)).is_err());
        assert_eq!(
            team(&bytes(&json!({"team": {"name": "Web"}}))),
            Ok(Some("Web".to_owned()))
        );
        assert!(team(&bytes(&json!({"team": {"parent": {"id": "QA"}}}))).is_err());
        let read = window(&bytes(&json!({"maintenance_window": {
            "start_time": "2026-12-01T22:00:00+0100", "end_time": "2026-12-02T00:00:00Z",
            "services": [{"id": "QA", "type": "service_reference"}],
        }})));
        assert_eq!(read.unwrap().services, Some(vec!["QA".to_owned()]));
        let read = user(&bytes(
            &json!({"user": {"name": "Ann", "email": "ann@example.org", "role": "observer"}}),
        ));
        assert_eq!(read.unwrap().role, Some(Role::Viewer));
        assert!(user(&bytes(&json!({"user": {"role": "king"}}))).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in "\\{\"(service|team|user|escalation_policy)\":\\PC{0,60}\\}") {
            let body = body.as_bytes();
            let _ = (service(body), policy(body), team(body), window(body), user(body), integration(body));
        }
    }
}
