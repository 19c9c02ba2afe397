//! Questions, pages, and answers that are not what they should be.

use proptest::prelude::*;

use super::*;

fn page(word: &str, rows: &Value, more: bool) -> Vec<u8> {
    let body = json!({ word: rows, "limit": 25, "offset": 0, "total": null, "more": more });
    body.to_string().into_bytes()
}

#[test]
fn a_list_is_asked_for_page_by_page_by_the_limit_that_was_given() {
    let mut walk = Walk::new();
    let offsets = |walk: &Walk| {
        let question = walk.question().unwrap();
        let offset = question.query.iter().find(|(name, _)| *name == "offset");
        (question.path[0].clone(), offset.unwrap().1.clone())
    };
    assert_eq!(offsets(&walk), ("users".to_owned(), "0".to_owned()));
    let ann = json!([user("PANN", "Ann", "user")]);
    walk.take(&page("users", &ann, true)).unwrap();
    assert_eq!(offsets(&walk), ("users".to_owned(), "25".to_owned()));
    // Somebody came in between, and the page begins with whom the last one ended with.
    walk.take(&page("users", &people(), false)).unwrap();
    assert_eq!(offsets(&walk), ("teams".to_owned(), "0".to_owned()));
    assert_eq!(walk.finish(now()).document.users.len(), 2);
}

#[test]
fn a_hint_of_an_address_is_none_to_sign_in_with_and_says_whose_token_is_needed() {
    let mut hinted = user("PBOB", "Bob", "user");
    hinted["email"] = json!("b…@example.org");
    let mut walk = Walk::new();
    let rows = json!([user("PANN", "Ann", "user"), hinted]);
    let refused = walk.take(&page("users", &rows, false)).unwrap_err();
    assert!(refused.contains("b…@example.org"), "{refused}");
    assert!(refused.contains("a token of an administrator"), "{refused}");
}

#[test]
fn everything_is_asked_for_in_an_order_and_with_what_is_needed() {
    let account = json!({
        "teams": [{"id": "PT1", "name": "Web"}],
        "schedules": [{"id": "PS1", "name": "Night", "time_zone": "UTC"}],
        "services": [{"id": "PV1", "name": "Shop"}],
        "orchestrations": [{"id": "b64fdd22", "name": "Front"}],
    });
    let (mut walk, mut asked) = (Walk::new(), Vec::new());
    while let Some(question) = walk.question() {
        let query: Vec<String> = question
            .query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        asked.push(format!("{}?{}", question.path.join("/"), query.join("&")));
        let answer = answer(&account, &question).to_string();
        walk.take(answer.as_bytes()).unwrap();
    }
    assert_eq!(
        asked,
        [
            "users?limit=100&offset=0",
            "teams?limit=100&offset=0",
            "schedules?limit=100&offset=0",
            "escalation_policies?limit=100&offset=0&include[]=escalation_rule_assignment_strategies",
            "services?limit=100&offset=0&include[]=integrations",
            "maintenance_windows?limit=100&offset=0&filter=open",
            "priorities?limit=100&offset=0",
            "event_orchestrations?limit=100&offset=0",
            "rulesets?limit=100&offset=0",
            "webhook_subscriptions?limit=100&offset=0",
            "extensions?limit=100&offset=0",
            "business_services?limit=100&offset=0",
            "tags?limit=100&offset=0",
            "teams/PT1/members?limit=100&offset=0",
            "schedules/PS1?",
            "event_orchestrations/services/PV1?",
            "event_orchestrations/b64fdd22?",
            "event_orchestrations/b64fdd22/router?",
            "event_orchestrations/b64fdd22/global?",
            "event_orchestrations/b64fdd22/unrouted?",
        ]
    );
}

#[test]
fn what_is_no_answer_of_theirs_is_refused_and_one_entry_costs_no_other() {
    for body in [
        "",
        "[]",
        "{}",
        "<html>",
        r#"{"users":{}}"#,
        r#"{"users":[],"more":true}"#,
    ] {
        assert!(Walk::new().take(body.as_bytes()).is_err(), "{body}");
    }
    let rows = json!([{"id": "PX", "name": "Odd", "role": 7}, user("PANN", "Ann", "user")]);
    let mut walk = Walk::new();
    walk.take(&page("users", &rows, false)).unwrap();
    let made = walk.finish(now());
    assert_eq!(made.document.users.len(), 1);
    assert!(
        made.remarks[0].starts_with("users \"Odd\": left out"),
        "{:?}",
        made.remarks
    );
}

#[test]
fn an_id_that_would_lead_elsewhere_is_refused() {
    for id in ["../users", "", "a/b", "a?b", "P\u{e9}"] {
        let mut walk = Walk::new();
        walk.take(&page("users", &json!([]), false)).unwrap();
        let teams = json!([{"id": id, "name": "Web"}]);
        let refused = walk.take(&page("teams", &teams, false));
        assert!(refused.is_err_and(|why| why.contains("no id")), "{id}");
    }
}

#[test]
fn a_list_without_end_is_given_up() {
    let mut walk = Walk::new();
    let mut pages = 0;
    let ended = loop {
        pages += 1;
        let id = format!("P{pages}");
        match walk.take(&page("users", &json!([user(&id, &id, "user")]), true)) {
            Ok(()) => {}
            Err(why) => break why,
        }
    };
    assert!(ended.contains("more than 10000"), "{ended}");
    assert_eq!(pages, 397);
}

#[test]
fn what_an_account_lacks_is_told() {
    let account = json!({"teams": [{"id": "PT1", "name": "Web"}], "schedules": [{"id": "PS1", "name": "Night", "time_zone": "UTC"}]});
    let mut walk = Walk::new();
    while let Some(question) = walk.question() {
        if !question.lacking.is_empty() {
            walk.lack(404);
        } else {
            let answer = answer(&account, &question).to_string();
            walk.take(answer.as_bytes()).unwrap();
        }
    }
    let made = walk.finish(now());
    let told = made.remarks.join("\n");
    for remark in [
        "priorities: the account has none",
        "event orchestrations: could not be read: there is no such thing (404)",
        "rulesets: could not be read",
        "webhook subscriptions: could not be read",
        "extensions: could not be read",
        "business services: could not be read",
        "tags: could not be read",
        "team \"Web\": who belongs to it is not told",
        "schedule \"Night\": its layers are not told",
        "schedule \"Night\": nobody is on call by it",
    ] {
        assert!(told.contains(remark), "{remark}\n{told}");
    }
    assert_eq!(
        (made.document.teams.len(), made.document.schedules.len()),
        (1, 1)
    );
}

#[test]
fn policies_are_asked_for_again_without_what_an_account_does_not_tell_of_them() {
    let (mut walk, mut asked) = (Walk::new(), Vec::new());
    for word in ["users", "teams", "schedules"] {
        walk.take(&page(word, &json!([]), false)).unwrap();
    }
    let rule = |targets: Value| json!([{"escalation_delay_in_minutes": 5, "targets": targets}]);
    let ann = user_reference("PANN", "Ann");
    let both = json!([ann, user_reference("PBOB", "Bob")]);
    for (id, targets, more) in [("PE1", json!([ann]), true), ("PE2", both, false)] {
        let question = walk.question().unwrap();
        asked.push((question.query.len(), question.lacking));
        if !question.lacking.is_empty() {
            walk.lack(403);
            let question = walk.question().unwrap();
            asked.push((question.query.len(), question.lacking));
        }
        let policy = json!([{"id": id, "name": id, "escalation_rules": rule(targets)}]);
        walk.take(&page("escalation_policies", &policy, more))
            .unwrap();
    }
    let (refused, nothing): (&[u16], &[u16]) = (&[400, 402, 403], &[]);
    assert_eq!(asked, [(3, refused), (2, nothing), (2, nothing)]);
    assert_eq!(walk.question().unwrap().path, ["services"]);
}

#[test]
fn a_key_that_may_not_see_one_part_of_an_orchestration_costs_no_other() {
    let account = json!({
        "services": [{"id": "PV1", "name": "Shop"}, {"id": "PV2", "name": "Till"}],
        "orchestrations": [{"id": "E1", "name": "Front", "integrations": [{"label": "a"}]}],
        "tags": [{"id": "PG1", "label": "db"}],
    });
    let (mut walk, mut asked) = (Walk::new(), 0);
    while let Some(question) = walk.question() {
        let path = question.path.join("/");
        if path.starts_with("event_orchestrations/") {
            asked += 1;
            assert!(question.lacking.contains(&403), "{path}");
            walk.lack(403);
            continue;
        }
        let answer = answer(&account, &question).to_string();
        walk.take(answer.as_bytes()).unwrap();
    }
    // Of services one is asked for, and of the orchestration each part.
    assert_eq!(asked, 5);
    let made = walk.finish(now());
    let told = made.remarks.join("\n");
    for remark in [
        "services: the orchestrations of single ones could not be read: this key may not see it (403)",
        "event orchestration \"Front\": its keys could not be read",
        "event orchestration \"Front\": its router could not be read",
        "event orchestration \"Front\": its global rules could not be read",
        "event orchestration \"Front\": its rules about what is sent nowhere could not be read",
        "tag \"db\": left out",
    ] {
        assert!(told.contains(remark), "{remark}\n{told}");
    }
    let front = made
        .document
        .services
        .iter()
        .find(|one| one.name == "Front");
    assert!(
        front.is_some_and(|one| one.rules.is_empty()),
        "what is not known to be quiet pages"
    );
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(text in "\\{\"users\":\\PC{0,60}\\}", number in any::<u64>(), word in "\\PC{0,20}") {
        let _ = Walk::new().take(text.as_bytes());
        let account = json!({
            "users": people(),
            "schedules": [{"id": "PS1", "name": word, "description": word, "time_zone": "Europe/Paris", "schedule_layers": [{
                "start": "2026-01-01T00:00:00Z", "end": word, "rotation_virtual_start": word,
                "rotation_turn_length_seconds": number, "users": [{"user": user_reference("PANN", "Ann")}],
                "restrictions": [{"type": "weekly_restriction", "start_day_of_week": number, "start_time_of_day": word,
                    "duration_seconds": number}],
            }, {
                "start": "2026-01-01T00:00:00Z", "rotation_turn_length_seconds": number,
                "users": [{"user": user_reference("PANN", "Ann")}],
                "restrictions": [{"type": "weekly_restriction", "start_day_of_week": 7, "start_time_of_day": "23:00:00",
                    "duration_seconds": number}],
            }]}],
            "escalation_policies": [{"id": "PE1", "name": word, "num_loops": number, "escalation_rules": [
                {"escalation_delay_in_minutes": number, "targets": [user_reference("PANN", "Ann")]}]}],
            "services": [{"id": "PV1", "name": word, "escalation_policy": {"id": "PE1"}, "auto_resolve_timeout": number,
                "acknowledgement_timeout": number, "alert_grouping": "time", "alert_grouping_timeout": number,
                "incident_urgency_rule": {"type": word}}],
        });
        let made = imported(&account);
        let (again, _) = read(&write(&made.document)).unwrap();
        prop_assert_eq!(again, made.document);
    }
}
