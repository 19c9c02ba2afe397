//! `tocsin explain` and `tocsin simulate` as a person reads them.

use super::fake::Reply;
use super::run_with;

const EXPLAINED: &str = r#"{"incident":{"id":"QABCDEFGHIJKL2","number":12,"title":"Apache is down"},"notification":null,
    "steps":[{"kind":"message","at":null,"text":"Ada was paged."},{"kind":"sample","at":null,"text":"It was \u001b[2J0."}]}"#;

#[test]
fn an_incident_is_explained_by_its_number() {
    let (ran, requests) = run_with(vec![Reply::new(200, EXPLAINED)], &["explain", "#12"]);
    assert_eq!(
        (ran.code, ran.data.as_str()),
        (
            0,
            "#12 Apache is down\n\n- Ada was paged.\n- It was [2J0.\n"
        )
    );
    assert!(requests[0].starts_with("GET /api/tocsin/v1/incidents/12/explanation "));
}

#[test]
fn an_id_is_asked_as_a_message_and_then_as_an_incident() {
    let missing = Reply::new(404, r#"{"title":"Not found","status":404}"#);
    let replies = vec![missing, Reply::new(200, EXPLAINED)];
    let (ran, requests) = run_with(replies, &["explain", "QABCDEFGHIJKL2"]);
    assert_eq!(ran.code, 0, "{}", ran.notes);
    assert!(
        requests[0].starts_with("GET /api/tocsin/v1/notifications/QABCDEFGHIJKL2/explanation ")
    );
    assert!(requests[1].starts_with("GET /api/tocsin/v1/incidents/QABCDEFGHIJKL2/explanation "));
}

#[test]
fn a_simulation_is_a_table_of_who_and_when() {
    let services = r#"{"items":[{"id":"QS","name":"Web","escalation_policy_id":null,"integrations":[]}],"next_cursor":null}"#;
    let played = r#"{"service":{"id":"QS","name":"Web"},"at":"2026-11-23T07:00:00Z","urgency":"high","end":"repeats","steps":[
        {"after_ms":0,"at":"2026-11-23T07:00:00Z","kind":"level","policy":{"id":"QP","name":"P"},"level":2,"loop":0,
         "people":[{"id":"QU","name":"Ada"}],"skipped":["level 1 of \"P\": nobody is on call"]},
        {"after_ms":0,"at":"2026-11-23T07:00:00Z","kind":"contact","user":{"id":"QU","name":"Ada"},"channel":"ntfy","label":"Phone",
         "level":2,"loop":0,"why":"level 2"},
        {"after_ms":300000,"at":"2026-11-23T07:05:00Z","kind":"fallback","people":[{"id":"QU","name":"Ada"}],"why":["nobody acknowledged"]}]}"#;
    let replies = vec![Reply::new(200, services), Reply::new(200, played)];
    let line = ["simulate", "web", "--at", "2026-11-23T07:00:00Z"];
    let (ran, requests) = run_with(replies, &line);
    assert_eq!(ran.code, 0, "{}", ran.notes);
    assert!(
        requests[1].starts_with("GET /api/tocsin/v1/services/QS/simulation?at=2026-11-23T07%3A00%3A00.000Z&urgency=high "),
        "{}",
        requests[1]
    );
    for words in [
        "If Web failed ",
        "level 2",
        "passed over: level 1 of \"P\": nobody is on call",
        "contacts (level 2)",
        "ntfy (Phone)",
        "5 min",
        "list of last resort",
        "every 15 minutes",
    ] {
        assert!(ran.data.contains(words), "{words} in {}", ran.data);
    }
    assert!(!ran.data.contains("failed at"), "{}", ran.data);
}

#[test]
fn a_simulation_of_a_target_says_so_and_one_of_its_service_names_it_where_it_is_quiet() {
    let services = r#"{"items":[{"id":"QS","name":"Web","escalation_policy_id":null,"integrations":[]}],"next_cursor":null}"#;
    let targets = r#"{"items":[{"id":"QT","name":"webserver-01","kind":"apache","state":"up"}],"next_cursor":null}"#;
    let played = r#"{"service":{"id":"QS","name":"Web"},"target":{"id":"QT","name":"webserver-01"},"at":"2026-11-23T07:00:00Z",
        "urgency":"high","end":"nothing","steps":[],"quiet_targets":[]}"#;
    let at = "2026-11-23T07:00:00Z";
    let replies = [services, targets, played].map(|body| Reply::new(200, body));
    let line = ["simulate", "web", "--target", "Webserver-01", "--at", at];
    let (ran, requests) = run_with(replies.to_vec(), &line);
    assert_eq!(ran.code, 0, "{}", ran.notes);
    assert!(
        requests[2].contains("&urgency=high&target=QT "),
        "{}",
        requests[2]
    );
    let words = "If webserver-01 of Web failed ";
    assert!(ran.data.contains(words), "{}", ran.data);
    let played = r#"{"service":{"id":"QS","name":"Web"},"target":null,"at":"2026-11-23T07:00:00Z","urgency":"high","end":"nothing",
        "steps":[],"quiet_targets":[{"target":{"id":"QT","name":"webserver-01"},"why":"the target is muted","until":"2026-11-23T09:00:00Z"}]}"#;
    let replies = [services, played].map(|body| Reply::new(200, body));
    let (ran, _) = run_with(replies.to_vec(), &["simulate", "web", "--at", at]);
    assert!(ran.data.contains("If Web failed "), "{}", ran.data);
    let words = "Alerts of webserver-01 itself are suppressed until ";
    assert!(ran.data.contains(words), "{}", ran.data);
    assert!(
        ran.data.ends_with(": the target is muted.\n"),
        "{}",
        ran.data
    );
}

#[test]
fn a_time_that_is_none_is_refused_here() {
    let (ran, requests) = run_with(Vec::new(), &["simulate", "web", "--at", "soon"]);
    assert_eq!((ran.code, requests.len()), (2, 0));
}
