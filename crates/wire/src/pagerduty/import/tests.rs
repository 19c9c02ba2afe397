//! Accounts in the shapes that PagerDuty documents, carried over.

mod duty;
mod orchestrations;
mod services;
mod walking;

use serde_json::{Value, json};
use tocsin_domain::service::DESCRIPTION_CHARS_MAX;
use tocsin_domain::time::Timestamp;

use super::*;
use crate::code::{canonical, read, write};

/// An account that answers: each list in one page, each schedule by its id.
fn answer(account: &Value, question: &Question) -> Value {
    let empty = json!([]);
    let path: Vec<&str> = question.path.iter().map(String::as_str).collect();
    match path[..] {
        ["schedules", id] => {
            let all = account["schedules"].as_array().unwrap();
            let known = all.iter().find(|one| one["id"] == id).unwrap();
            json!({ "schedule": known })
        }
        ["teams", id, "members"] => {
            let members = account["members"].get(id).unwrap_or(&empty);
            json!({ "members": members, "limit": 100, "offset": 0, "more": false, "total": null })
        }
        ["event_orchestrations"] => {
            let all = account.get("orchestrations").unwrap_or(&empty);
            json!({ "orchestrations": all, "limit": 100, "offset": 0, "more": false, "total": null })
        }
        ["event_orchestrations", "services", id] => {
            let none = json!({"type": "service", "sets": [{"id": "start", "rules": []}], "catch_all": {"actions": {}}});
            json!({ "orchestration_path": account["service_rules"].get(id).unwrap_or(&none) })
        }
        ["event_orchestrations", id] => json!({ "orchestration": orchestration(account, id) }),
        ["event_orchestrations", id, part] => {
            let none =
                json!({"sets": [{"id": "start", "rules": []}], "catch_all": {"actions": {}}});
            let part = orchestration(account, id).get(part).unwrap_or(&none);
            json!({ "orchestration_path": part })
        }
        [word] => {
            let all = account.get(word).unwrap_or(&empty);
            json!({ word: all, "limit": 100, "offset": 0, "more": false, "total": null })
        }
        _ => panic!("{path:?}"),
    }
}

fn orchestration<'a>(account: &'a Value, id: &str) -> &'a Value {
    let all = account["orchestrations"].as_array().unwrap();
    all.iter().find(|one| one["id"] == id).unwrap()
}

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-23T12:00:00Z").unwrap()
}

fn imported(account: &Value) -> Imported {
    let mut walk = Walk::new();
    while let Some(question) = walk.question() {
        let answer = answer(account, &question).to_string();
        walk.take(answer.as_bytes()).unwrap();
    }
    walk.finish(now())
}

/// The files of an account hold these lines, and its remarks these words.
#[track_caller]
fn check(account: &Value, lines: &[&str], remarks: &[&str]) {
    let imported = imported(account);
    let text = canonical(&imported.document);
    let told = imported.remarks.join("\n");
    for line in lines {
        assert!(text.contains(line), "{line}\n{text}\n{told}");
    }
    for remark in remarks {
        assert!(told.contains(remark), "{remark}\n{told}");
    }
    let (again, _) = read(&write(&imported.document)).unwrap();
    assert_eq!(again, imported.document, "it reads back as itself");
}

fn user(id: &str, name: &str, role: &str) -> Value {
    json!({
        "id": id, "type": "user", "summary": name, "self": format!("https://api.pagerduty.com/users/{id}"),
        "html_url": format!("https://subdomain.pagerduty.com/users/{id}"), "name": name,
        "email": format!("{}@Example.org", name.to_lowercase()), "time_zone": "America/Lima", "color": "green",
        "role": role, "avatar_url": null, "description": null, "invitation_sent": false,
        "contact_methods": [{"id": "PTDVERC", "type": "email_contact_method_reference", "summary": "Default"}],
        "notification_rules": [], "job_title": null, "teams": [],
    })
}

fn user_reference(id: &str, name: &str) -> Value {
    json!({"id": id, "type": "user_reference", "summary": name, "self": null, "html_url": null})
}

/// Ann, who owns the account, and Bob, who responds.
fn people() -> Value {
    json!([
        user("PANN", "Ann", "owner"),
        user("PBOB", "Bob", "limited_user")
    ])
}

#[test]
fn people_have_the_role_that_comes_nearest() {
    let roles = [
        ("owner", "admin"),
        ("admin", "admin"),
        ("user", "responder"),
        ("limited_user", "responder"),
        ("observer", "viewer"),
        ("restricted_access", "viewer"),
        ("read_only_user", "viewer"),
        ("read_only_limited_user", "viewer"),
        ("king", "viewer"),
    ];
    for (word, role) in roles {
        let line = format!("email = \"ann@example.org\"\nname = \"Ann\"\nrole = \"{role}\"");
        check(
            &json!({"users": [user("PANN", "Ann", word)]}),
            &[&line],
            &["contact methods"],
        );
    }
    let odd = json!({"users": [
        user("PANN", "Ann", "king"), user("PAN2", "ann", "user"), {"id": "PNIL", "name": null, "email": null, "role": null},
    ]});
    check(
        &odd,
        &[],
        &[
            "\"king\" is no role",
            "person \"ann\": left out, since somebody else",
            "person \"\": left out",
        ],
    );
    assert_eq!(imported(&odd).document.users.len(), 1);
}

#[test]
fn what_the_account_does_not_say_of_somebody_stands_in_no_file() {
    let account = json!({"users": [
        {"id": "PANN", "email": "ann@example.org", "name": "Ann", "role": null},
        {"id": "PBOB", "email": "bob@example.org", "name": null, "role": "admin"},
    ]});
    check(
        &account,
        &[
            "[[users]]\nemail = \"ann@example.org\"\nname = \"Ann\"\n\n",
            "[[users]]\nemail = \"bob@example.org\"\nrole = \"admin\"\n",
        ],
        &["person \"ann@example.org\": the account does not say their role"],
    );
}

#[test]
fn somebody_is_left_out_whose_address_no_server_takes() {
    for bad in [
        "@",
        "ann@",
        "a,b@example.org",
        "ann@example..org",
        "<ann@example.org>",
    ] {
        let mut ann = user("PANN", "Ann", "user");
        ann["email"] = json!(bad);
        let account = json!({"users": [ann, user("PBOB", "Bob", "user")]});
        let told = format!("{bad:?} is no address to sign in with");
        check(&account, &[], &[&told]);
        assert_eq!(imported(&account).document.users.len(), 1, "{bad}");
    }
}

#[test]
fn teams_have_their_members_and_names_that_collide_are_told() {
    let account = json!({
        "users": people(),
        "teams": [
            {"id": "PT1", "type": "team", "summary": "Web", "name": "Web", "description": "all", "parent": null},
            {"id": "PT2", "type": "team", "name": "Web", "parent": {"id": "PT1", "type": "team_reference"}},
        ],
        "members": {"PT1": [
            {"user": user_reference("PBOB", "Bob"), "role": "manager"},
            {"user": user_reference("PBOB", "Bob"), "role": "manager"},
            {"user": user_reference("PGONE", "Gone"), "role": "responder"},
        ]},
        "priorities": [
            {"id": "P1", "type": "priority", "summary": "P2", "name": "P2", "order": 32, "color": "eb6016"},
            {"id": "P2", "type": "priority", "summary": "P1", "name": "P1", "order": 64},
        ],
    });
    check(
        &account,
        &[
            "name = \"Web\"\ndescription = \"all\"\nmembers = [\"bob@example.org\"]",
            "name = \"Web#2\"\nmembers = []",
            "priorities = [\"P1\", \"P2\"]",
        ],
        &[
            "team \"Web\": another one has this name too, so that this one is \"Web#2\"",
            "team \"Web\": \"Gone\" is left out, since there is no such person",
            "team \"Web#2\": that it stands below another one",
            "roles within a team",
        ],
    );
}

#[test]
fn what_is_said_of_things_is_carried_over_and_what_is_too_long_is_told() {
    let rules =
        json!([{"escalation_delay_in_minutes": 5, "targets": [user_reference("PANN", "Ann")]}]);
    let long = "x".repeat(DESCRIPTION_CHARS_MAX);
    let account = json!({
        "users": people(),
        "teams": [{"id": "PT1", "name": "Web", "description": "Builds\r\nthe \"shop\""}],
        "schedules": [
            {"id": "PS1", "name": "Night", "time_zone": "UTC", "description": "Ro\u{202e}ta", "schedule_layers": []},
            {"id": "PS2", "name": "Red", "time_zone": "Mars/Olympus", "description": "Far away"},
        ],
        "escalation_policies": [
            {"id": "PE1", "name": "Shop", "description": "Ann alone", "num_loops": 0, "escalation_rules": rules},
        ],
        "services": [
            {"id": "PV1", "name": "Till", "description": "Takes money", "escalation_policy": {"id": "PE1"}},
            {"id": "PV2", "name": "Stock", "description": format!("{long}y"), "escalation_policy": {"id": "PE1"}},
            {"id": "PV3", "name": "Mute", "description": null, "escalation_policy": {"id": "PE1"}},
        ],
    });
    let cut = format!("name = \"Stock\"\ndescription = \"{long}\"\n");
    check(
        &account,
        &[
            r#"description = "Builds\nthe \"shop\"""#,
            "name = \"Night\"\ndescription = \"Rota\"\n",
            "name = \"Red\"\ndescription = \"Far away\"\n",
            "name = \"Shop\"\ndescription = \"Ann alone\"\n",
            "name = \"Till\"\ndescription = \"Takes money\"\n",
            &cut,
            "name = \"Mute\"\nescalation_policy",
        ],
        &["service \"Stock\": of its description the first"],
    );
}

#[test]
fn an_account_without_anything_says_nothing_but_what_is_never_read() {
    let imported = imported(&json!({}));
    assert!(imported.document.is_empty());
    assert_eq!(imported.remarks.len(), 1, "{:?}", imported.remarks);
}
