//! An account of PagerDuty, imported.

use super::fake::{Fake, Reply};
use super::{Ran, run_at, run_with};

const USERS: &str = r#"{"users":[{"id":"PANN","name":"Ann","email":"ann@example.org","role":"owner"}],"limit":100,"more":false}"#;

/// Every list of an account in which there is only Ann.
fn account() -> Vec<Reply> {
    let empty = |word: &str| Reply::new(200, &format!("{{\"{word}\":[],\"more\":false}}"));
    vec![
        Reply::new(200, USERS),
        empty("teams"),
        empty("schedules"),
        empty("escalation_policies"),
        empty("services"),
        empty("maintenance_windows"),
        Reply::new(404, ""),
        empty("orchestrations"),
        empty("rulesets"),
        empty("webhook_subscriptions"),
        Reply::new(402, ""),
        Reply::new(404, ""),
        Reply::new(
            200,
            r#"{"tags":[{"id":"PG1","label":"West"}],"more":false}"#,
        ),
    ]
}

/// Imports from a server that gives these answers; `more` is what stands behind on the line.
fn import(replies: Vec<Reply>, more: &[&str]) -> (Ran, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "y_NbAkKc66ryYTWUXYEu\n").unwrap();
    let fake = Fake::start(replies);
    let url = fake.url();
    let line = [
        "import",
        "pagerduty",
        "--from",
        url.as_str(),
        "--token-file",
        key.to_str().unwrap(),
    ];
    let ran = run_at(&url, &[&line[..], more].concat());
    (ran, fake.requests())
}

#[test]
fn an_account_is_read_and_written_as_files() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("made");
    let (ran, requests) = import(account(), &[made.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}", ran.notes);
    let users = std::fs::read_to_string(made.join("users.toml")).unwrap();
    assert!(users.contains("email = \"ann@example.org\""), "{users}");
    assert!(
        ran.notes.contains("priorities: the account has none"),
        "{}",
        ran.notes
    );
    for remark in [
        "extensions: could not be read: the account does not give it (402)",
        "business services: could not be read: there is no such thing (404)",
        "tag \"West\": left out",
    ] {
        assert!(ran.notes.contains(remark), "{}", ran.notes);
    }
    assert_eq!(requests.len(), 13);
    let first = &requests[0];
    assert!(
        first.starts_with("GET /users?limit=100&offset=0 HTTP/1.1\r\n"),
        "{first}"
    );
    assert!(
        first.contains("authorization: Token token=y_NbAkKc66ryYTWUXYEu\r\n"),
        "{first}"
    );
    assert!(
        first.contains("accept: application/vnd.pagerduty+json;version=2\r\n"),
        "{first}"
    );
    let (ran, _) = import(account(), &["-", "--json"]);
    assert!(ran.data.contains("\"remarks\":["), "{}", ran.data);
}

#[test]
fn too_many_questions_are_asked_again_when_it_is_said() {
    let mut replies = vec![
        Reply::new(429, "{}").header("ratelimit-reset", "0"),
        Reply::new(429, "").header("Retry-After", "0"),
    ];
    replies.extend(account());
    let (ran, requests) = import(replies, &[]);
    assert_eq!(ran.code, 0, "{}", ran.notes);
    assert_eq!(requests.len(), 15);
    assert!(ran.data.contains("ann@example.org"), "{}", ran.data);
    let stubborn = vec![Reply::new(429, "").header("ratelimit-reset", "0"); 101];
    let (ran, requests) = import(stubborn, &[]);
    assert_eq!((ran.code, requests.len()), (1, 101));
    assert!(ran.notes.contains("429"), "{}", ran.notes);
}

#[test]
fn policies_are_asked_for_again_where_turns_are_not_told() {
    for status in [402, 403] {
        let mut replies = account();
        replies.insert(3, Reply::new(status, r#"{"error":{"message":"No"}}"#));
        let (ran, requests) = import(replies, &[]);
        assert_eq!(ran.code, 0, "{}", ran.notes);
        assert_eq!(requests.len(), 14);
        let asked: Vec<bool> = requests[3..5]
            .iter()
            .map(|request| {
                assert!(request.starts_with("GET /escalation_policies?limit=100&offset=0"));
                request.contains("escalation_rule_assignment_strategies")
            })
            .collect();
        assert_eq!(asked, [true, false]);
    }
    // A key that may not read policies at all is told so.
    let mut replies = account();
    replies.truncate(3);
    replies.extend([Reply::new(403, "{}"), Reply::new(403, "{}")]);
    let (ran, requests) = import(replies, &[]);
    assert_eq!((ran.code, requests.len()), (1, 5), "{}", ran.notes);
}

#[test]
fn a_walk_outlives_faults_that_are_over_soon() {
    let mut replies = account();
    let busy = || Reply::new(502, "<html>").header("Retry-After", "0");
    // Each question has its own three further tries.
    replies.insert(5, busy());
    replies.insert(4, Reply::new(200, "{").header("Content-Length", "100"));
    for _ in 0..3 {
        replies.insert(2, busy());
    }
    let (ran, requests) = import(replies, &[]);
    assert_eq!(ran.code, 0, "{}", ran.notes);
    assert_eq!(requests.len(), 18);
    assert!(
        requests[5].starts_with("GET /schedules?"),
        "{}",
        requests[5]
    );
    assert!(ran.data.contains("ann@example.org"), "{}", ran.data);
}

#[test]
fn a_fault_that_lasts_is_told() {
    let busy = Reply::new(503, "{}").header("Retry-After", "0");
    let (ran, requests) = import(vec![busy; 5], &[]);
    assert_eq!((ran.code, requests.len()), (1, 4), "{}", ran.notes);
    assert!(ran.notes.contains("Try again later"), "{}", ran.notes);
    // Where nothing ever answered, the address may be a wrong one.
    let broken = Reply::new(200, "{").header("Content-Length", "100");
    let (ran, requests) = import(vec![broken; 2], &[]);
    assert_eq!(requests.len(), 1, "{}", ran.notes);
    assert!(ran.notes.contains("broke off"), "{}", ran.notes);
}

#[test]
fn a_refusal_says_what_to_do() {
    let body = r#"{"error":{"message":"Access\u001b[2J Denied","code":2010,"errors":[]}}"#;
    for (status, told) in [
        (401, "The key is not good"),
        (403, "may not read it"),
        (404, "Is --from the address"),
        (302, "redirects to"),
        (418, "answered 418 to /users: Access[2J Denied"),
    ] {
        let (ran, requests) = import(vec![Reply::new(status, body)], &[]);
        assert_eq!((ran.code, requests.len()), (1, 1), "{status}");
        assert!(ran.notes.contains(told), "{status}: {}", ran.notes);
        assert!(!ran.notes.contains('\u{1b}'));
    }
    let (ran, _) = import(vec![Reply::new(200, "<html>")], &[]);
    assert!(
        ran.notes.contains("cannot be imported: users: "),
        "{}",
        ran.notes
    );
}

#[test]
fn a_key_goes_only_where_nobody_can_read_it() {
    for (url, told) in [
        ("http://api.pagerduty.com", "http is only for this machine"),
        ("ftp://api.pagerduty.com", "is not an https URL"),
        (
            "https://ann:secret@api.pagerduty.com",
            "holds a name or a password",
        ),
        ("https://api.pagerduty.com/?x=1", "more than an address"),
    ] {
        let line = [
            "import",
            "pagerduty",
            "--from",
            url,
            "--token-file",
            "/nowhere",
        ];
        let (ran, requests) = run_with(Vec::new(), &line);
        assert_eq!((ran.code, requests.len()), (2, 0), "{url}");
        assert!(ran.notes.contains(told), "{url}: {}", ran.notes);
    }
    let line = ["import", "pagerduty", "--token-file", "/nowhere/key"];
    let (ran, _) = run_with(Vec::new(), &line);
    assert_eq!(ran.code, 2, "{}", ran.notes);
}
