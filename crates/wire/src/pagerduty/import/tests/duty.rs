//! Schedules and escalation policies.

use super::*;

fn schedule(zone: &str, layers: &Value) -> Value {
    json!({
        "users": people(),
        "schedules": [{
            "id": "PS1", "type": "schedule", "summary": "Night", "name": "Night", "time_zone": zone, "description": "Rotation",
            "final_schedule": {"name": "Final Schedule", "rendered_schedule_entries": [], "rendered_coverage_percentage": 0.0},
            "overrides_subschedule": {"name": "Overrides", "rendered_schedule_entries": []},
            "escalation_policies": [], "users": [user_reference("PANN", "Ann")], "teams": [], "schedule_layers": layers,
        }],
    })
}

fn layer(name: &str, users: &[(&str, &str)]) -> Value {
    let users = users.iter();
    let users: Vec<Value> = users
        .map(|(id, name)| json!({"user": user_reference(id, name)}))
        .collect();
    json!({
        "id": "PL1", "name": name, "start": "2026-07-06T09:00:00-04:00", "end": null,
        "rotation_virtual_start": "2026-07-06T09:00:00-04:00", "rotation_turn_length_seconds": 604_800, "users": users,
        "restrictions": [], "rendered_schedule_entries": [], "rendered_coverage_percentage": null,
    })
}

const BOTH: [(&str, &str); 2] = [("PANN", "Ann"), ("PBOB", "Bob")];

#[test]
fn the_layer_that_wins_stands_first_there_and_last_here() {
    let layers = json!([layer("Nights", &[("PBOB", "Bob")]), layer("Weeks", &BOTH)]);
    let made = imported(&schedule("America/New_York", &layers)).document;
    let members: Vec<usize> = made.schedules[0]
        .layers
        .iter()
        .map(|one| one.members.len())
        .collect();
    assert_eq!(members, [2, 1]);
    check(
        &schedule("America/New_York", &layers),
        &[
            "name = \"Night\"\ndescription = \"Rotation\"\ntime_zone = \"America/New_York\"",
            "name = \"Weeks\"\nstart = \"2026-07-06T13:00:00Z\"\nhand_off = \"2026-07-06T09:00\"\nevery = 1\nunit = \"weeks\"\n\
             members = [\"ann@example.org\", \"bob@example.org\"]",
        ],
        &["overrides are left out"],
    );
    let names = made.schedules[0].layers.iter().map(|one| one.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["Weeks", "Nights"]);
}

#[test]
fn a_layer_that_is_called_by_its_place_has_no_name_of_its_own() {
    let called = ["Layer 3", "Layer 1", "Layer 1"];
    let layers: Vec<_> = called.iter().map(|name| layer(name, &BOTH)).collect();
    let made = imported(&schedule("UTC", &json!(layers))).document;
    let names = made.schedules[0].layers.iter().map(|one| one.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["", "Layer 1", ""]);
}

#[test]
fn hours_of_a_layer_are_those_of_its_restrictions() {
    let mut one = layer("Weeks", &BOTH);
    one["rotation_turn_length_seconds"] = json!(43_200);
    one["restrictions"] = json!([
        {"type": "daily_restriction", "start_time_of_day": "22:30:00", "duration_seconds": 32_400},
        {"type": "weekly_restriction", "start_day_of_week": 5, "start_time_of_day": "18:00:00", "duration_seconds": 223_200},
        {"type": "weekly_restriction", "start_day_of_week": 7, "start_time_of_day": "12:00:00", "duration_seconds": 86_400},
    ]);
    check(
        &schedule("Europe/Paris", &json!([one])),
        &[
            "every = 12\nunit = \"hours\"",
            "restrictions = [{ from = \"22:30\", until = \"07:30\" }, { from = \"friday 18:00\", until = \"monday 08:00\" }, \
             { from = \"sunday 12:00\", until = \"monday 12:00\" }]",
        ],
        &[],
    );
    one["restrictions"][0]["duration_seconds"] = json!(86_400);
    let made = imported(&schedule("Europe/Paris", &json!([one])));
    assert!(made.document.schedules[0].layers[0].restrictions.is_empty());
}

#[test]
fn a_layer_of_another_tocsin_keeps_a_zone_of_its_own() {
    let mut own = layer("Weeks", &BOTH);
    own["time_zone"] = json!("Asia/Kolkata");
    let expected = "name = \"Weeks\"\ntime_zone = \"Asia/Kolkata\"\nstart = \"2026-07-06T13:00:00Z\"\nhand_off = \"2026-07-06T18:30\"";
    check(
        &schedule("America/New_York", &json!([own])),
        &[expected],
        &[],
    );
    for none in [json!("America/New_York"), json!(""), Value::Null] {
        own["time_zone"] = none;
        let made = imported(&schedule("America/New_York", &json!([own]))).document;
        assert_eq!(made.schedules[0].layers[0].time_zone, None);
    }
}

#[test]
fn layers_that_are_over_are_left_out_and_one_that_will_end_ends() {
    let (mut over, mut ending) = (layer("Old", &BOTH), layer("Going", &BOTH));
    over["end"] = json!("2026-11-23T11:59:59Z");
    ending["end"] = json!("2026-12-01T00:00:00+01:00");
    let account = schedule("Europe/Paris", &json!([over, ending]));
    let made = imported(&account);
    assert_eq!(made.document.schedules[0].layers.len(), 1);
    assert!(
        !made.remarks.join("\n").contains("Old"),
        "{:?}",
        made.remarks
    );
    check(&account, &["until = \"2026-11-30T23:00:00Z\""], &[]);
}

#[test]
fn what_cannot_be_said_of_a_layer_leaves_it_out_and_is_told() {
    for (field, value, why) in [
        (
            "rotation_turn_length_seconds",
            json!(5_400),
            "a turn of 5400 s",
        ),
        ("rotation_turn_length_seconds", json!(null), "a turn of 0 s"),
        (
            "time_zone",
            json!("Mars/Olympus"),
            "\"Mars/Olympus\" is no IANA zone",
        ),
        ("start", json!("soon"), "its start is no time"),
        ("end", json!("soon"), "its end is no time"),
        (
            "rotation_virtual_start",
            json!("soon"),
            "rotation_virtual_start",
        ),
        ("users", json!([]), "nobody is in it"),
        (
            "restrictions",
            json!([{"type": "yearly"}]),
            "no time of day",
        ),
        (
            "restrictions",
            json!([{"type": "yearly", "start_time_of_day": "08:00:00", "duration_seconds": 60}]),
            "\"yearly\"",
        ),
        (
            "restrictions",
            json!([{"type": "weekly_restriction", "start_day_of_week": 8, "start_time_of_day": "08:00:00", "duration_seconds": 60}]),
            "8 is no day",
        ),
    ] {
        let mut one = layer("Weeks", &BOTH);
        one[field] = value;
        let account = schedule("Europe/Paris", &json!([one]));
        assert!(
            imported(&account).document.schedules[0].layers.is_empty(),
            "{field}"
        );
        check(
            &account,
            &[],
            &["layer \"Weeks\" is left out", why, "nobody is on call"],
        );
    }
    let mut alone = layer("Alone", &[("PBOB", "Bob"), ("PGONE", "Gone")]);
    alone["rotation_turn_length_seconds"] = json!(5_400);
    check(
        &schedule("Europe/Paris", &json!([alone])),
        &["every = 1\nunit = \"weeks\"\nmembers = [\"bob@example.org\"]"],
        &["layer \"Alone\": \"Gone\" is left out"],
    );
    check(
        &schedule("Mars/Olympus", &json!([layer("Weeks", &BOTH)])),
        &["name = \"Night\"\ndescription = \"Rotation\"\ntime_zone = \"UTC\""],
        &["\"Mars/Olympus\" is no IANA zone"],
    );
}

fn policy(rules: &Value, loops: u64) -> Value {
    json!({
        "users": people(),
        "teams": [{"id": "PT1", "name": "Web"}],
        "schedules": [{"id": "PS1", "name": "Night", "time_zone": "UTC", "schedule_layers": []}],
        "escalation_policies": [{
            "id": "PE1", "type": "escalation_policy", "summary": "Web", "name": "Web", "escalation_rules": rules,
            "services": [], "num_loops": loops, "teams": [], "on_call_handoff_notifications": "if_has_services",
            "description": null,
        }],
    })
}

#[test]
fn a_policy_has_its_rules_as_levels() {
    let rules = json!([
        {"id": "PR1", "escalation_delay_in_minutes": 30, "targets": [
            {"id": "PS1", "type": "schedule_reference", "summary": "Night"}, user_reference("PANN", "Ann")]},
        {"id": "PR2", "escalation_delay_in_minutes": 5, "targets": [{"id": "PBOB", "type": "user", "summary": "Bob"}],
         "escalation_rule_assignment_strategy": {"type": "round_robin"}},
        {"id": "PR3", "escalation_delay_in_minutes": 2_000, "targets": [
            {"id": "PT1", "type": "team_reference"}, user_reference("PGONE", "Gone"), {"id": "PX", "type": "bot_reference", "summary": "Bot"}]},
        {"id": "PR4", "escalation_delay_in_minutes": 5, "targets": [user_reference("PGONE", "Gone")]},
    ]);
    check(
        &policy(&rules, 12),
        &[
            "name = \"Web\"\nrepeat = 9\n",
            "delay = \"30m\"\ntargets = [{ schedule = \"Night\" }, { user = \"ann@example.org\" }]",
            "delay = \"5m\"\ntargets = [{ user = \"bob@example.org\" }]\nround_robin = true",
            "delay = \"1d\"\ntargets = [{ team = \"Web\" }]",
        ],
        &[
            "walked through 12 times",
            "rule 3: it waits 2000 minutes",
            "rule 3: \"Gone\" is left out: there is no such user",
            "rule 3: \"Bot\" is left out: \"bot_reference\" cannot be paged",
            "rule 4 is left out",
        ],
    );
    let nobody = policy(&json!([]), 0);
    assert!(imported(&nobody).document.escalation_policies.is_empty());
    check(
        &nobody,
        &[],
        &["escalation policy \"Web\": left out, since it pages nobody"],
    );
}

#[test]
fn what_belongs_to_a_team_belongs_to_it_here_and_of_several_to_the_first() {
    let rules =
        json!([{"escalation_delay_in_minutes": 5, "targets": [user_reference("PANN", "Ann")]}]);
    let mut account = policy(&rules, 0);
    account["teams"] = json!([{"id": "PT1", "name": "Web"}, {"id": "PT2", "name": "Shop"}]);
    let team = |id: &str| json!({"id": id, "type": "team_reference"});
    account["schedules"][0]["teams"] = json!([team("PT1")]);
    account["escalation_policies"][0]["teams"] = json!([team("PGONE"), team("PT2"), team("PT1")]);
    check(
        &account,
        &[
            "name = \"Night\"\nteam = \"Web\"\n",
            "name = \"Web\"\nteam = \"Shop\"\nrepeat = 0\n",
        ],
        &[
            "escalation policy \"Web\": a team that it belongs to is left out",
            "escalation policy \"Web\": of 2 teams that it belongs to the first, \"Shop\", is kept",
        ],
    );
}

#[test]
fn that_nobody_tells_who_takes_turns_is_told_once_and_only_where_it_matters() {
    let told = "escalation policies: which rules take turns";
    let one = json!([user_reference("PANN", "Ann")]);
    let both = json!([user_reference("PANN", "Ann"), user_reference("PBOB", "Bob")]);
    let everyone = json!({"type": "assign_to_everyone"});
    for (targets, strategy, count) in [
        (&one, Value::Null, 0),
        (&both, everyone, 0),
        (&both, json!("round_robin"), 0),
        (&both, Value::Null, 1),
    ] {
        let rule = json!({"escalation_delay_in_minutes": 5, "targets": targets,
            "escalation_rule_assignment_strategy": strategy});
        let remarks = imported(&policy(&json!([rule, rule]), 0)).remarks;
        let found = remarks.iter().filter(|line| line.starts_with(told));
        assert_eq!(found.count(), count, "{rule}\n{remarks:?}");
    }
}
