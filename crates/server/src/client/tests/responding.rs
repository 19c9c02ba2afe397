//! What is done about incidents from the command line, and teams.

use super::*;

const USERS: &str = r#"{"items":[{"id":"QA","name":"Ann","role":"admin","email":"ann@example.org"}],"next_cursor":null}"#;

/// The last request of a command against a server that gives these answers.
fn check(replies: Vec<Reply>, line: &[&str], expected: &str) {
    let (ran, requests) = run_with(replies, line);
    assert_eq!(ran.code, 0, "{}", ran.notes);
    let last = requests.last().unwrap();
    assert!(last.starts_with(expected.lines().next().unwrap()), "{last}");
    let body = expected.lines().nth(1).unwrap_or_default();
    assert!(last.ends_with(body), "{last}");
}

#[test]
fn each_command_is_one_request() {
    let summary = || vec![Reply::new(200, SUMMARY)];
    let with_users = || vec![Reply::new(200, USERS), Reply::new(200, SUMMARY)];
    check(
        summary(),
        &["incident", "snooze", "12", "2h"],
        "POST /api/tocsin/v1/incidents/12/snooze\n{\"seconds\":7200}",
    );
    check(
        summary(),
        &["incident", "unsnooze", "12"],
        "DELETE /api/tocsin/v1/incidents/12/snooze",
    );
    check(
        with_users(),
        &["incident", "reassign", "12", "--to", "ann"],
        "POST /api/tocsin/v1/incidents/12/reassign\n{\"people\":[\"QA\"]}",
    );
    check(
        summary(),
        &["incident", "escalate", "12"],
        "POST /api/tocsin/v1/incidents/12/escalate\n{}",
    );
    check(
        with_users(),
        &[
            "incident",
            "ask",
            "12",
            "--person",
            "ann",
            "--message",
            "please",
        ],
        "POST /api/tocsin/v1/incidents/12/responders\n{\"message\":\"please\",\"people\":[\"QA\"]}",
    );
    check(
        summary(),
        &["incident", "answer", "12", "decline"],
        "POST /api/tocsin/v1/incidents/12/responders/answer\n{\"accept\":false}",
    );
    check(
        summary(),
        &["incident", "merge", "12", "13", "#14"],
        "POST /api/tocsin/v1/incidents/12/merge\n{\"sources\":[\"13\",\"14\"]}",
    );
    check(
        summary(),
        &["incident", "priority", "12", "none"],
        "PUT /api/tocsin/v1/incidents/12/priority\n{\"priority\":null}",
    );
    check(
        summary(),
        &["incident", "urgency", "12", "high"],
        "PUT /api/tocsin/v1/incidents/12/urgency\n{\"urgency\":\"high\"}",
    );
}

const SERVICES: &str = r#"{"items":[{"id":"QS","name":"Web"}],"next_cursor":null}"#;

#[test]
fn an_incident_is_declared_with_what_is_said_of_it_and_reopened() {
    check(
        vec![Reply::new(201, SUMMARY)],
        &["incident", "declare", "--title", "Apache is down"],
        "POST /api/tocsin/v1/incidents \n{\"title\":\"Apache is down\",\"urgency\":\"high\"}",
    );
    let line = [
        "incident",
        "declare",
        "--title",
        "Odd prices",
        "--service",
        "web",
        "--urgency",
        "low",
        "--description",
        "in the shop alone",
    ];
    check(
        vec![Reply::new(200, SERVICES), Reply::new(201, SUMMARY)],
        &line,
        "POST /api/tocsin/v1/incidents \n{\"service_id\":\"QS\",\"summary\":\"in the shop alone\",\"title\":\"Odd prices\",\"urgency\":\"low\"}",
    );
    check(
        vec![Reply::new(200, SUMMARY)],
        &["incident", "reopen", "#12"],
        "POST /api/tocsin/v1/incidents/12/reopen\n{}",
    );
    let (ran, _) = run_with(
        vec![Reply::new(200, SERVICES)],
        &["incident", "declare", "--title", "x", "--service", "shop"],
    );
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.notes,
        "tocsin: there is no service “shop”; there is: Web\n"
    );
}

#[test]
fn what_was_refused_of_several_is_named_and_told_by_the_exit_code() {
    let answer = r#"{"results":[{"incident":"1","problem":null},{"incident":"2","problem":"it still fails"}]}"#;
    let (ran, _) = run_with(
        vec![Reply::new(200, answer)],
        &["incident", "bulk", "resolve", "1", "2"],
    );
    assert_eq!(ran.data, "Incident 1: done\nIncident 2: it still fails\n");
    assert_eq!(ran.code, 1);
}

#[test]
fn a_team_keeps_its_members_when_only_its_name_changes() {
    let team = r#"{"id":"QT","name":"Web","members":[{"id":"QA","name":"Ann"}]}"#;
    let list = format!(r#"{{"items":[{team}],"next_cursor":null}}"#);
    let replies = vec![Reply::new(200, &list), Reply::new(200, team)];
    check(
        replies,
        &["team", "set", "web", "--name", "Edge"],
        "PUT /api/tocsin/v1/teams/QT\n{\"members\":[\"QA\"],\"name\":\"Edge\"}",
    );
}

#[test]
fn work_is_planned_for_alerts_by_their_labels() {
    const MADE: &str = r#"{"id":"QW","reason":"disks","matchers":[]}"#;
    let ends = [
        "--from",
        "2026-11-24T22:00:00Z",
        "--until",
        "2026-11-25T00:00:00Z",
    ];
    let labels = [
        "target",
        "maintenance",
        "--label",
        "job=~web.*",
        "--label",
        "\"stage\" != \"prod, old\"",
        "--reason",
        "disks",
    ];
    let line = [&labels[..], &ends].concat();
    let matchers = r#"[{"name":"job","operator":"=~","value":"web.*"},{"name":"stage","operator":"!=","value":"prod, old"}]"#;
    let span = r#""until":"2026-11-25T00:00:00.000Z""#;
    let expected = format!(
        "POST /api/tocsin/v1/maintenance-windows\n\
         {{\"from\":\"2026-11-24T22:00:00.000Z\",\"matchers\":{matchers},\"reason\":\"disks\",\"target_ids\":[],{span}}}"
    );
    check(vec![Reply::new(201, MADE)], &line, &expected);
    let (ran, _) = run_with(vec![Reply::new(201, MADE)], &line);
    assert!(
        ran.data.starts_with(
            "Nobody is paged about alerts with job=~\"web.*\" and stage!=\"prod, old\" from "
        ),
        "{}",
        ran.data
    );
    assert!(ran.data.contains("--cancel QW"), "{}", ran.data);
    check(
        vec![Reply::new(204, "")],
        &["target", "maintenance", "--cancel", "QW"],
        "DELETE /api/tocsin/v1/maintenance-windows/QW",
    );
}
