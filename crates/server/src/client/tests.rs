//! The commands against a small server that says what a test wants it to say.

mod as_code;
mod explained;
mod fake;
mod pagerduty;
mod refusals;
mod responding;
mod schedules;
mod test_pages;

use clap::{CommandFactory, Parser};

use self::fake::{Fake, Reply};
use super::screen::capture;
use super::*;

#[derive(Parser)]
#[command(name = "tocsin", no_binary_name = true)]
struct Line {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: ClientCommand,
}

/// What a command did.
struct Ran {
    code: u8,
    data: String,
    notes: String,
}

fn run_at(url: &str, line: &[&str]) -> Ran {
    // Whoever was first installed the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let line = Line::try_parse_from([line, &["--url", url]].concat()).unwrap();
    let (screen, data, notes) = capture::screen(line.connection.json);
    let done = Api::open(&line.connection).and_then(|api| obey(&line.command, &api, &screen));
    let code = done.as_ref().map_or_else(Failure::code, |()| 0);
    let _ = screen.finish(done);
    Ran {
        code,
        data: data.text(),
        notes: notes.text(),
    }
}

/// Runs a command against a server that gives these answers in turn.
fn run_with(replies: Vec<Reply>, line: &[&str]) -> (Ran, Vec<String>) {
    let fake = Fake::start(replies);
    let ran = run_at(&fake.url(), line);
    (ran, fake.requests())
}

const SUMMARY: &str = r#"{"id":"QABCDEFGHIJKL2","number":12,"title":"Apache is down","status":"acknowledged","urgency":"high",
    "severity":"critical","service":{"id":"QS","name":"Web"},"target":{"id":"QT","name":"webserver-01"},
    "opened_at":"2026-11-23T07:12:58.123Z","onset_at":"2026-11-23T07:12:57.900Z","onset_uncertainty_ms":12,
    "paged_at":"2026-11-23T07:12:58.300Z","acknowledged_at":"2026-11-23T07:13:58Z",
    "acknowledged_by":{"id":"QU","name":"Olivia"},"recovered_at":null,"resolved_at":null,"hold":null,"suppressed":null,
    "alert_count":1,"relapses":0,"postmortem_ready":false}"#;

#[test]
fn the_command_line_is_consistent() {
    Line::command().debug_assert();
}

/// A flag that holds everywhere and an argument of one command must not share an id: one would take the other's value.
#[test]
fn no_command_takes_a_connection_flag_for_its_own() {
    fn check(command: &clap::Command, global: &[String]) {
        for inner in command.get_subcommands() {
            let taken = inner
                .get_arguments()
                .find(|one| global.iter().any(|id| one.get_id() == id.as_str()));
            assert!(taken.is_none(), "{}: {taken:?}", inner.get_name());
            check(inner, global);
        }
    }
    let command = Line::command();
    let global: Vec<String> = command
        .get_arguments()
        .filter(|one| one.is_global_set())
        .map(|one| one.get_id().to_string())
        .collect();
    assert_eq!(global, ["url", "token", "ca", "json"]);
    check(&command, &global);
}

#[test]
fn a_token_is_revoked_by_its_name() {
    let tokens = r#"{"items":[{"id":"QK","name":"ci","role":"viewer"}],"next_cursor":null}"#;
    let replies = vec![Reply::new(200, tokens), Reply::new(204, "")];
    let (ran, requests) = run_with(replies, &["--token", "mine", "token", "revoke", "ci"]);
    assert_eq!((ran.code, ran.data.as_str()), (0, "ci is revoked.\n"));
    assert!(
        requests[1].starts_with("DELETE /api/tocsin/v1/api-tokens/QK "),
        "{}",
        requests[1]
    );
    assert!(
        requests[1].contains("authorization: Bearer mine\r\n"),
        "{}",
        requests[1]
    );
}

#[test]
fn a_token_of_the_installation_is_asked_for_and_listed_with_who_made_it() {
    let made = r#"{"id":"QK","name":"ci","role":"viewer","token":"abcdefghij0123456789"}"#;
    let line = [
        "token",
        "create",
        "--name",
        "ci",
        "--role",
        "viewer",
        "--installation",
    ];
    let (ran, requests) = run_with(vec![Reply::new(201, made)], &line);
    assert_eq!(ran.data, "abcdefghij0123456789\n");
    assert!(
        requests[0].contains(r#""owner":"installation""#),
        "{}",
        requests[0]
    );
    let tokens = r#"{"items":[
        {"id":"QK","name":"ci","role":"viewer","user_id":null,"made_by":{"id":"QA","name":"Ann"}},
        {"id":"QL","name":"mine","role":"admin","user_id":"QB","made_by":{"id":"QB","name":"Bo"}}
    ],"next_cursor":null}"#;
    let (ran, _) = run_with(vec![Reply::new(200, tokens)], &["token", "list"]);
    let lines: Vec<&str> = ran.data.lines().collect();
    assert!(
        lines[1].contains("installation, made by Ann"),
        "{}",
        ran.data
    );
    let mine: Vec<&str> = lines[2].split_whitespace().take(4).collect();
    assert_eq!(mine, ["mine", "admin", "all", "Bo"]);
}

#[test]
fn the_token_goes_in_the_header_and_nothing_else_is_asked() {
    let (ran, requests) = run_with(
        vec![Reply::new(200, SUMMARY)],
        &["incident", "ack", "#12", "--token", " s3cret\n"],
    );
    assert_eq!((ran.code, ran.notes.as_str()), (0, ""));
    assert_eq!(
        ran.data,
        "Incident 12 is acknowledged by Olivia: Apache is down\n"
    );
    assert_eq!(requests.len(), 1);
    assert!(
        requests[0].starts_with("POST /api/tocsin/v1/incidents/12/acknowledge HTTP/1.1\r\n"),
        "{}",
        requests[0]
    );
    assert!(
        requests[0].contains("authorization: Bearer s3cret\r\n"),
        "{}",
        requests[0]
    );
    assert!(requests[0].ends_with("\r\n\r\n{}"), "{}", requests[0]);
}

#[test]
fn lists_say_when_there_is_more() {
    let body = format!("{{\"items\":[{SUMMARY}],\"next_cursor\":\"11\"}}");
    let (ran, requests) = run_with(
        vec![Reply::new(200, &body)],
        &["incident", "list", "--status", "open", "--limit", "1"],
    );
    assert_eq!(
        ran.data,
        "NO  STATUS        SEVERITY  TARGET        OPENED                              TITLE\n\
         12  acknowledged  critical  webserver-01  3 min ago, 2026-11-23 08:12:58 CET  Apache is down\n"
    );
    assert_eq!(ran.notes, "There is more: repeat this with --cursor 11\n");
    assert!(
        requests[0].starts_with("GET /api/tocsin/v1/incidents?limit=1&status=open HTTP/1.1\r\n"),
        "{}",
        requests[0]
    );
}

#[test]
fn rules_have_no_pages_and_are_asked_for_whole() {
    let (ran, requests) = run_with(vec![Reply::new(200, r#"{"groups":[]}"#)], &["rule", "list"]);
    assert_eq!(ran.code, 0, "{}", ran.notes);
    let asked = "GET /api/tocsin/v1/rules HTTP/1.1\r\n";
    assert!(requests[0].starts_with(asked), "{}", requests[0]);
}

#[test]
fn json_is_the_apis_own() {
    let body = "{ \"items\": [ {\"any\":\"thing\"} ],\n \"next_cursor\": null }";
    let (ran, _) = run_with(vec![Reply::new(200, body)], &["--json", "target", "list"]);
    assert_eq!((ran.code, ran.data), (0, format!("{body}\n")));
    let (ran, _) = run_with(
        vec![Reply::new(204, "")],
        &["--json", "incident", "ack", "1"],
    );
    assert_eq!((ran.code, ran.data.as_str()), (0, ""));
}

/// An incident in which every text tries to take over the terminal.
fn hostile_detail() -> String {
    let evil = r"x\u001b[2J\u001b]0;owned\u0007\u009b31m\r\n\u202etxt.exe\u0000";
    let head = SUMMARY
        .replace("Apache is down", evil)
        .replace("Olivia", evil)
        .replace("\"Web\"", &format!("\"{evil}\""));
    let head = head.trim_end_matches('}');
    format!(
        r#"{head}, "alerts":[{{"id":"QA","title":"{evil}","severity":"{evil}","status":"{evil}",
            "opened_at":"2026-11-23T07:12:58Z","summary":"{evil}","source":"api"}}],
        "pages":[{{"id":"QN","user":{{"id":"QU","name":"{evil}"}},"channel":"{evil}","label":"{evil}","state":"{evil}",
            "attempts":[{{"number":1,"started_at":"2026-11-23T07:12:58Z","outcome":"{evil}","detail":"{evil}"}}]}}],
        "paging":{{"policy":{{"id":"QP","name":"{evil}"}},"level":1,"recipients":[{{"id":"QU","name":"{evil}"}}]}},
        "impact":{{"requests_failed":7,"requests_total":9,"by_tier":[{{"tier":"{evil}","requests_failed":3,"users_failed":2,
            "expected_requests":{{"low":1,"high":2}},"expected_users":null}}],"expected":{{"low":1,"high":2}},"method":"{evil}"}},
        "changes":[{{"at":"2026-11-23T07:00:00Z","title":"{evil}","detail":"{evil}"}}],
        "log_lines":[{{"at":"2026-11-23T07:12:58Z","log":"{evil}","text":"{evil}"}}],
        "chart":{{}},"runbook_url":"{evil}","explanation":["{evil}"]}}"#
    )
}

fn assert_harmless(text: &str) {
    let harmful = |letter: char| (letter.is_control() && letter != '\n') || letter == '\u{202e}';
    assert!(!text.contains(harmful), "{text:?}");
}

#[test]
fn what_the_server_says_cannot_take_over_the_terminal() {
    for line in [
        &["incident", "show", "12"][..],
        &["incident", "show", "12", "--json"],
    ] {
        let (ran, _) = run_with(vec![Reply::new(200, &hostile_detail())], line);
        assert_eq!((ran.code, ran.notes.as_str()), (0, ""));
        assert!(
            ran.data.contains("[2J") || ran.data.contains("\\u001b"),
            "{}",
            ran.data
        );
        assert_harmless(&ran.data);
    }
    let markdown = "# Post\u{1b}[2Jmortem\r\n\u{202e}text\n";
    let (ran, _) = run_with(
        vec![Reply::new(200, markdown)],
        &["incident", "postmortem", "12"],
    );
    assert_eq!(ran.data, "# Post[2Jmortem\ntext\n");
    let (ran, _) = run_with(
        vec![Reply::new(500, "\u{1b}[2J\u{9b}x")],
        &["oncall", "who"],
    );
    assert_harmless(&ran.notes);
}

#[test]
fn where_the_last_resort_is_paged_no_policy_is_said_to_have_been_walked_that_was_not() {
    let head = SUMMARY.trim_end_matches('}');
    let shown = |level: u32, recipients: &str| {
        let detail = format!(
            r#"{head}, "alerts":[], "pages":[], "paging":{{"policy":{{"id":"QP","name":"Default"}},"level":{level},"loop":0,
                "next_escalation_at":"2026-11-23T07:17:58Z","exhausted":true,"recipients":[{recipients}]}}}}"#
        );
        let (ran, _) = run_with(vec![Reply::new(200, &detail)], &["incident", "show", "12"]);
        let mut lines = ran.data.lines();
        let line = lines.find_map(|line| line.strip_prefix("escalation"));
        line.unwrap_or_default().trim().to_owned()
    };
    let olivia = r#"{"id":"QU","name":"Olivia"}"#;
    assert_eq!(
        shown(0, olivia),
        "the list of last resort is paged, to Olivia; again in 2 min"
    );
    assert_eq!(
        shown(2, olivia),
        "Default, all levels are through; the list of last resort is paged, to Olivia; again in 2 min"
    );
    assert_eq!(
        shown(0, ""),
        "nobody of the list of last resort can be reached; again in 2 min"
    );
}

#[test]
fn an_incident_shows_what_matters_at_three_in_the_morning() {
    let head = SUMMARY.trim_end_matches('}');
    let detail = format!(
        r#"{head}, "alerts":[], "pages":[], "paging":{{"policy":{{"id":"QP","name":"Default"}},"level":1,"loop":0,
            "next_escalation_at":"2026-11-23T07:17:58Z","exhausted":false,"recipients":[{{"id":"QU","name":"Olivia"}}]}},
        "impact":{{"requests_failed":120,"requests_total":4000,"by_tier":[{{"tier":"premium","requests_failed":12,
            "users_failed":3,"expected_requests":{{"low":40,"high":60}},"expected_users":{{"low":20,"high":31}}}},
            {{"tier":"free","requests_failed":0,"users_failed":0}}],"expected":{{"low":200,"high":260}}}},
        "explanation":["The process ended.","So the monitor fired."]}}"#
    );
    let (ran, _) = run_with(vec![Reply::new(200, &detail)], &["incident", "show", "12"]);
    let expected = "\
Incident 12: Apache is down

status        acknowledged
severity      critical, high urgency
service       Web
target        webserver-01
began         3 min 1 s ago, 2026-11-23 08:12:57 CET (07:12:57 UTC), or up to 12 ms earlier
opened        3 min ago, 2026-11-23 08:12:58 CET (07:12:58 UTC)
paged         3 min ago, 2026-11-23 08:12:58 CET (07:12:58 UTC)
acknowledged  2 min ago, 2026-11-23 08:13:58 CET (07:13:58 UTC), by Olivia
escalation    Default, level 1, to Olivia; next level in 2 min
impact        120 of 4000 requests failed; premium: 12 requests of 3 users; another 200 to 260 expected without an answer; premium: 40 to 60 of 20 to 31 users

Why
  - The process ended.
  - So the monitor fired.
";
    assert_eq!(ran.data, expected);
}

#[test]
fn a_timeline_tells_who_did_what() {
    let body = r#"{"items":[
        {"position":1,"at":"2026-11-23T07:12:58.123Z","recorded_at":"2026-11-23T07:12:58.130Z","kind":"incident.opened",
         "title":"Opened","detail":"","actor":{"kind":"system","name":"Tocsin"},"level":"bad"},
        {"position":2,"at":"2026-11-23T07:13:58Z","recorded_at":"2026-11-23T07:13:58Z","kind":"incident.note",
         "title":"Note","detail":"restarting","actor":{"kind":"person","name":"Olivia"},"level":"person"}],"next_cursor":null}"#;
    let (ran, _) = run_with(vec![Reply::new(200, body)], &["incident", "timeline", "12"]);
    assert_eq!(
        ran.data,
        "AT                           BY      WHAT\n\
         2026-11-23 08:12:58.123 CET  Tocsin  Opened\n\
         2026-11-23 08:13:58.000 CET  Olivia  Note: restarting\n"
    );
}

#[test]
fn a_postmortem_is_saved_as_it_came_and_never_over_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("12.md");
    let line = [
        "incident",
        "postmortem",
        "12",
        "--length",
        "brief",
        "--output",
        path.to_str().unwrap(),
    ];
    let document = "# Postmortem\r\n\u{202e}\n";
    let (ran, requests) = run_with(vec![Reply::new(200, document)], &line);
    assert_eq!((ran.code, ran.data.as_str()), (0, ""));
    assert!(requests[0].starts_with(
        "GET /api/tocsin/v1/incidents/12/postmortem?format=markdown&length=brief HTTP/1.1"
    ));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), document);
    let (ran, _) = run_with(vec![Reply::new(200, "other")], &line);
    assert_eq!(ran.code, 1);
    assert!(
        ran.notes.contains("is there already and was kept"),
        "{}",
        ran.notes
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), document);
    let (ran, _) = run_with(
        vec![Reply::new(200, "other")],
        &[&line[..], &["--force"]].concat(),
    );
    assert_eq!(
        (ran.code, std::fs::read_to_string(&path).unwrap().as_str()),
        (0, "other")
    );
}

#[test]
fn a_target_is_muted_by_its_name() {
    let targets = r#"{"items":[{"id":"QT","name":"webserver-01","kind":"apache","state":"healthy"}],"next_cursor":null}"#;
    let replies = vec![Reply::new(200, targets), Reply::new(204, "")];
    let (ran, requests) = run_with(
        replies,
        &[
            "target",
            "mute",
            "Webserver-01",
            "--for",
            "1h30m",
            "--reason",
            "upgrade",
        ],
    );
    assert_eq!(
        ran.data,
        "Nobody is paged about webserver-01 until 2026-11-23 09:45:58 CET.\n"
    );
    assert!(
        requests[1].starts_with("POST /api/tocsin/v1/targets/QT/mute "),
        "{}",
        requests[1]
    );
    assert!(
        requests[1].ends_with(r#"{"minutes":90,"reason":"upgrade"}"#),
        "{}",
        requests[1]
    );
    let (ran, _) = run_with(vec![Reply::new(200, targets)], &["target", "unmute", "web"]);
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.notes,
        "tocsin: there is no target “web”; there is: webserver-01\n"
    );
}

#[test]
fn a_new_token_alone_is_on_standard_output() {
    let made = r#"{"id":"QK","name":"ci","role":"viewer","token":"abcdefghij0123456789"}"#;
    let line = [
        "token",
        "create",
        "--name",
        "ci",
        "--role",
        "viewer",
        "--expires-in",
        "90d",
    ];
    let (ran, requests) = run_with(vec![Reply::new(201, made)], &line);
    assert_eq!(ran.data, "abcdefghij0123456789\n");
    assert!(ran.notes.starts_with("This is the only time"));
    assert!(
        requests[0].contains(r#""expires_at":"2027-02-21T07:15:58.000Z""#),
        "{}",
        requests[0]
    );
}
