//! What can be asked about escalation policies, teams, maintenance windows and people in bodies. Whether it makes
//! sense is decided elsewhere.

use tocsin_domain::team::TeamRole;
use tocsin_domain::time::Timestamp;

use super::body::{self, Fields, Named, Wrong};
use super::refusal::Refusal;

/// Characters of a name at most.
const NAME_CHARS_MAX: usize = 255;
/// Characters of an id at most.
const ID_CHARS_MAX: usize = 64;

/// PagerDuty's word for when Tocsin tells the people of a policy that their duty begins.
pub const HAND_OFFS_TOLD: &str = "always";
/// All of its words for that. Tocsin tells whoever has duty by a schedule: the other, which PagerDuty's clients send where nobody chose,
/// differs from that only as long as no service follows the policy.
const HAND_OFFS: [(&str, ()); 2] = [(HAND_OFFS_TOLD, ()), ("if_has_services", ())];

/// PagerDuty's word for what those may do with a team who do not belong to it: as much as elsewhere. No team of Tocsin's is private.
pub const DEFAULT_ROLE: &str = "manager";

/// The id of the one license, which everybody has.
pub const LICENSE_ID: &str = "PTOCSIN";

/// One level of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// The id by which it was read; none of one that is new, or when the client keeps none.
    pub id: Option<String>,
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
    /// The ids of teams that it shall belong to.
    pub teams: Option<Vec<String>>,
}

/// A maintenance window to add or to change; what is not said stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// When it begins.
    pub from: Option<Timestamp>,
    /// When it ends.
    pub until: Option<Timestamp>,
    /// What is done; empty when that is taken back.
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

/// What this word of theirs lets somebody do.
#[must_use]
pub fn role_called(word: &str) -> Option<Role> {
    let known = ROLES.iter().find(|(known, _)| *known == word);
    known.map(|(_, role)| *role)
}

/// All of their words for roles that people can be given.
pub fn role_words() -> impl Iterator<Item = &'static str> {
    ROLES.into_iter().map(|(word, _)| word)
}

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
    fields.word(&mut wrong, "on_call_handoff_notifications", &HAND_OFFS);
    let policy = Policy {
        name: fields.name(&mut wrong, "name", NAME_CHARS_MAX),
        levels,
        repeat: fields.number(&mut wrong, "num_loops"),
        teams: fields.ids(&mut wrong, "teams", "team"),
    };
    wrong.outcome(Some(policy))
}

fn level(rule: &Fields<'_>, wrong: &mut Wrong) -> Option<Level> {
    let delay = rule.number(wrong, "escalation_delay_in_minutes");
    let targets = rule.objects(wrong, "targets").unwrap_or_default();
    let targets = targets.iter().filter_map(|one| one.named(wrong));
    let targets: Vec<Named> = targets.collect();
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
    let id = rule.text(wrong, "id", ID_CHARS_MAX);
    Some(Level {
        id,
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
    let role = fields.text(&mut wrong, "default_role", ID_CHARS_MAX);
    if role.is_some_and(|role| role != DEFAULT_ROLE) {
        wrong.add(format!(
            "'team.default_role' is not supported: it is {DEFAULT_ROLE}, since no team is private"
        ));
    }
    let name = fields.name(&mut wrong, "name", NAME_CHARS_MAX);
    wrong.outcome(Some(name))
}

/// Reads the body of `PUT /teams/{id}/users/{user_id}`: what the member is called, where anything is said of it.
///
/// # Errors
/// Everything that is wrong with it.
pub fn team_role(bytes: &[u8]) -> Result<Option<TeamRole>, Refusal> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let body = body::object(bytes)?;
    let mut wrong = Wrong::default();
    let words = [
        ("observer", TeamRole::Observer),
        ("responder", TeamRole::Responder),
        ("manager", TeamRole::Manager),
    ];
    let role = Fields::new("", &body).word(&mut wrong, "role", &words);
    wrong.outcome(Some(role))
}

/// Reads the body of `POST /maintenance_windows` or `PUT /maintenance_windows/{id}`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn window(bytes: &[u8]) -> Result<Window, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "maintenance_window")?;
    let mut wrong = Wrong::default();
    let window = Window {
        from: fields.time(&mut wrong, "start_time"),
        until: fields.time(&mut wrong, "end_time"),
        description: fields.text_or_empty(&mut wrong, "description", 1_024),
        services: fields.references(&mut wrong, "services", "service"),
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
        name: fields.name(&mut wrong, "name", NAME_CHARS_MAX),
        email: fields.text(&mut wrong, "email", NAME_CHARS_MAX),
        role: fields.word(&mut wrong, "role", &ROLES),
    };
    let license = fields.object(&mut wrong, "license");
    let license = license.filter(|one| one.is_of(&mut wrong, "license"));
    let license = license.and_then(|one| one.text(&mut wrong, "id", ID_CHARS_MAX));
    let user = wrong.outcome(Some(user))?;
    match license.filter(|id| id != LICENSE_ID) {
        Some(id) => Err(Refusal::object_missing("user.license", "license", &id)),
        None => Ok(user),
    }
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
    fn a_role_of_a_member_is_one_of_three_words_or_none() {
        let told = |role: &str| team_role(&bytes(&json!({ "role": role })));
        assert_eq!(told("manager"), Ok(Some(TeamRole::Manager)));
        assert_eq!(told("observer"), Ok(Some(TeamRole::Observer)));
        assert_eq!((team_role(b""), team_role(b"{}")), (Ok(None), Ok(None)));
        assert_eq!(told("owner").unwrap_err().status, 400);
    }

    #[test]
    fn a_policy_is_read_level_by_level() {
        let body = json!({"escalation_policy": {"name": "Night", "num_loops": 2, "escalation_rules": [
            {"escalation_delay_in_minutes": 30, "targets": [{"id": "QA", "type": "user_reference"}]},
            {"id": "QL", "escalation_delay_in_minutes": 5, "targets": [{"id": "QB", "type": "schedule"}],
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
        assert_eq!(
            (&levels[0].id, levels[1].id.as_deref()),
            (&None, Some("QL"))
        );
        let wrong = json!({"escalation_policy": {"escalation_rules": [{"targets": [{"id": "QA", "type": "service"}]}]}});
        assert_eq!(policy(&bytes(&wrong)).unwrap_err().errors.len(), 2);
    }

    #[test]
    fn when_hand_offs_are_told_is_one_of_pagerdutys_words() {
        let read = |word: Value| {
            let body = json!({"escalation_policy": {"on_call_handoff_notifications": word}});
            policy(&bytes(&body)).map_err(|refusal| refusal.errors)
        };
        for good in [json!("always"), json!("if_has_services"), Value::Null] {
            assert!(read(good.clone()).is_ok(), "{good}");
        }
        for wrong in [json!("never"), json!(true)] {
            let errors = read(wrong).unwrap_err();
            let part = "'escalation_policy.on_call_handoff_notifications' is invalid";
            assert!(errors[0].starts_with(part), "{errors:?}");
        }
    }

    #[test]
    fn the_rest_is_read_and_what_is_wrong_is_told() {
        assert_eq!(
            team(&bytes(&json!({"team": {"name": "Web"}}))),
            Ok(Some("Web".to_owned()))
        );
        assert!(team(&bytes(&json!({"team": {"parent": {"id": "QA"}}}))).is_err());
        let read = window(&bytes(&json!({"maintenance_window": {
            "start_time": "2026-12-01T22:00:00+0100", "end_time": "2026-12-02T00:00:00Z",
            "services": [{"id": "QA", "type": "service_reference"}],
        }})));
        let read = read.unwrap();
        assert_eq!(read.services, Some(vec!["QA".to_owned()]));
        assert_eq!(read.description, None);
        for empty in [json!(""), json!(" "), Value::Null] {
            let read = window(&bytes(
                &json!({"maintenance_window": {"description": empty}}),
            ));
            assert_eq!(read.unwrap().description.as_deref(), Some(""), "{empty}");
        }
        let read = user(&bytes(
            &json!({"user": {"name": "Ann", "email": "ann@example.org", "role": "observer"}}),
        ));
        assert_eq!(read.unwrap().role, Some(Role::Viewer));
        assert!(user(&bytes(&json!({"user": {"role": "king"}}))).is_err());
    }

    #[test]
    fn no_team_is_private() {
        let read = |role: Value| {
            let body = json!({"team": {"name": "Web", "default_role": role}});
            team(&bytes(&body)).map_err(|refusal| refusal.errors)
        };
        for good in [json!("manager"), json!(""), Value::Null] {
            assert_eq!(read(good.clone()), Ok(Some("Web".to_owned())), "{good}");
        }
        for wrong in [json!("none"), json!("observer")] {
            let errors = read(wrong).unwrap_err();
            let part = "'team.default_role' is not supported: it is manager";
            assert!(errors[0].starts_with(part), "{errors:?}");
        }
        assert!(read(json!(true)).is_err());
    }

    #[test]
    fn a_person_is_given_the_one_license_and_no_other() {
        let read = |license: Value| user(&bytes(&json!({"user": {"license": license}})));
        let own = json!({"id": LICENSE_ID, "type": "license_reference"});
        for good in [own, json!({}), Value::Null] {
            assert!(read(good.clone()).is_ok(), "{good}");
        }
        let other = read(json!({"id": "PXPGF42", "type": "license_reference"}));
        let other = other.unwrap_err();
        assert_eq!((other.status, other.code), (400, 5001));
        assert_eq!(read(json!("PTOCSIN")).unwrap_err().code, 2001);
    }

    #[test]
    fn every_word_for_a_role_that_is_told_means_one() {
        for word in role_words() {
            assert!(role_called(word).is_some(), "{word}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in "\\{\"(team|user|escalation_policy|maintenance_window)\":\\PC{0,60}\\}") {
            let body = body.as_bytes();
            let _ = (policy(body), team(body), window(body), user(body));
        }
    }
}
