//! Schedules on the screen, and what is sent about them.

use super::fake::Reply;
use super::run_with;

const DAYS: &str = r#"{"id":"Q1","name":"Days","time_zone":"Europe/Paris","on_call_now":{"id":"Q3","name":"Ann"},
    "next_handoff_at":"2026-11-23T17:15:58Z",
    "next":{"from":"2026-11-23T17:15:58Z","until":"2026-11-24T17:15:58Z","user":{"id":"Q4","name":"Bob"}},
    "layers":[{"start":"2026-01-01T00:00:00Z","turn":{"every":1,"unit":"weeks"},"members":["Q3"],"restrictions":[]},
              {"start":"2026-01-01T00:00:00Z","turn":{"every":12,"unit":"hours"},"members":["Q3","Q4"],
               "restrictions":[{"kind":"daily","from":"09:00","until":"17:00"}]}],
    "people":[{"id":"Q3","name":"Ann"},{"id":"Q4","name":"B\u001bob"}],
    "overrides":[{"id":"QO","user":{"id":"Q4","name":"Bob"},"from":"2026-11-23T08:00:00Z","until":"2026-11-23T09:00:00Z"}],
    "swaps":[{"id":"QW","state":"offered","one":{"user":{"id":"Q4","name":"Bob"},"from":"2026-11-24T08:00:00Z","until":"2026-11-25T08:00:00Z"},
              "other":{"user":{"id":"Q3","name":"Ann"},"from":"2026-11-26T08:00:00Z","until":"2026-11-27T08:00:00Z"}}]}"#;
const LIST: &str = r#"{"items":[{"id":"Q1","name":"Days"}],"next_cursor":null}"#;
const BOB: &str =
    r#"{"id":"Q4","name":"Bob","role":"responder","email":"bob@example.org","contact_methods":[]}"#;

#[test]
fn schedules_show_whose_turn_it_is_and_who_is_next() {
    let given = format!(
        "{{\"items\":[{DAYS},{}]}}",
        r#"{"id":"Q2","name":"Nights","time_zone":"UTC","layers":[]}"#
    );
    let (ran, _) = run_with(vec![Reply::new(200, &given)], &["schedule", "list"]);
    let words: Vec<Vec<&str>> = ran
        .data
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        words,
        [
            "NAME    ON CALL  NEXT HAND-OFF                     THEN  TURNS                                        TIME ZONE     ID",
            "Days    Ann      in 10 h, 2026-11-23 18:15:58 CET  Bob   1 person, every week; 2 people, every 12 hours  Europe/Paris  Q1",
            "Nights  nobody                                                                                        UTC           Q2",
        ]
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
    );
}

#[test]
fn one_schedule_shows_its_layers_and_what_was_changed_by_hand() {
    let replies = vec![Reply::new(200, LIST), Reply::new(200, DAYS)];
    let (ran, requests) = run_with(replies, &["schedule", "show", "Q1"]);
    assert!(
        requests[1].starts_with("GET /api/tocsin/v1/schedules/Q1 "),
        "{}",
        requests[1]
    );
    let told = ran.data;
    for line in [
        "on call    Ann",
        "then       Bob",
        "Layer 1: 1 person, every week: Ann",
        "Layer 2: 2 people, every 12 hours, in 1 window of time: Ann, Bob",
        "Swap QW (offered): Bob gives 2026-11-24 09:00:00 CET and takes 2026-11-26 09:00:00 CET from Ann",
        "Override QO from 2026-11-23 09:00:00 CET until 2026-11-23 10:00:00 CET: Bob",
    ] {
        assert!(told.lines().any(|one| one == line), "{line} in\n{told}");
    }
}

#[test]
fn a_rendered_schedule_shows_gaps_and_reasons() {
    let body = r#"{"name":"Days","final":[
        {"from":"2026-11-23T07:15:58Z","until":"2026-11-23T08:15:58Z","gap":false,"user":{"id":"Q3","name":"Ann"},
         "reason":{"kind":"layer","layer":0,"id":null}},
        {"from":"2026-11-23T08:15:58Z","until":"2026-11-24T07:15:58Z","gap":true,"user":null,"reason":null}],"layers":[]}"#;
    let replies = vec![Reply::new(200, LIST), Reply::new(200, body)];
    let (ran, requests) = run_with(replies, &["schedule", "render", "days", "--for", "1d"]);
    assert_eq!(
        ran.data,
        "FROM                     UNTIL                    ON CALL  BY\n\
         2026-11-23 08:15:58 CET  2026-11-23 09:15:58 CET  Ann      layer 1\n\
         2026-11-23 09:15:58 CET  2026-11-24 08:15:58 CET  nobody\n"
    );
    let asked = "GET /api/tocsin/v1/schedules/Q1/rendered?since=2026-11-23T07%3A15%3A58.000Z&until=2026-11-24T07%3A15%3A58.000Z ";
    assert!(requests[1].starts_with(asked), "{}", requests[1]);
}

#[test]
fn an_override_takes_the_owner_of_the_token_from_now_on() {
    let added = r#"{"id":"QO","user":{"id":"Q4","name":"Bob"},"from":"2026-11-23T07:15:58Z","until":"2026-11-23T09:15:58Z"}"#;
    let replies = vec![
        Reply::new(200, LIST),
        Reply::new(200, BOB),
        Reply::new(201, added),
    ];
    let (ran, requests) = run_with(replies, &["schedule", "override", "Days", "--for", "2h"]);
    assert_eq!(
        (ran.data.as_str(), ran.notes.as_str()),
        (
            "Bob is on call in Days from 2026-11-23 08:15:58 CET until 2026-11-23 10:15:58 CET.\n",
            ""
        )
    );
    assert!(
        requests[2].starts_with("POST /api/tocsin/v1/schedules/Q1/overrides "),
        "{}",
        requests[2]
    );
    for part in [
        r#""user_id":"Q4""#,
        r#""from":"2026-11-23T07:15:58.000Z""#,
        r#""until":"2026-11-23T09:15:58.000Z""#,
    ] {
        assert!(requests[2].contains(part), "{part} in {}", requests[2]);
    }
    let replies = vec![Reply::new(200, LIST), Reply::new(204, "")];
    let (ran, requests) = run_with(replies, &["schedule", "override", "Days", "--remove", "QO"]);
    assert_eq!(ran.data, "The override of Days is gone.\n");
    assert!(
        requests[1].starts_with("DELETE /api/tocsin/v1/schedules/Q1/overrides/QO "),
        "{}",
        requests[1]
    );
}

#[test]
fn a_swap_is_offered_by_the_shifts_that_lie_at_the_given_times() {
    let people = r#"{"items":[{"id":"Q3","name":"Ann","role":"admin","email":"ann@example.org"}],"next_cursor":null}"#;
    let shifts = |id: &str, name: &str, from: &str, until: &str| {
        format!(
            r#"{{"user":{{"id":"{id}","name":"{name}"}},"items":[{{"schedule":{{"id":"Q1","name":"Days"}},
            "from":"{from}","until":"{until}","user":{{"id":"{id}","name":"{name}"}},"reason":{{"kind":"layer","layer":0}}}}]}}"#
        )
    };
    let made = r#"{"id":"QW","state":"offered","one":{"user":{"id":"Q4","name":"Bob"},"from":"2026-11-24T08:00:00Z"},
        "other":{"user":{"id":"Q3","name":"Ann"},"from":"2026-11-26T08:00:00Z"}}"#;
    let replies = vec![
        Reply::new(200, LIST),
        Reply::new(200, BOB),
        Reply::new(200, people),
        Reply::new(
            200,
            &shifts("Q4", "Bob", "2026-11-24T08:00:00Z", "2026-11-25T08:00:00Z"),
        ),
        Reply::new(
            200,
            &shifts("Q3", "Ann", "2026-11-26T08:00:00Z", "2026-11-27T08:00:00Z"),
        ),
        Reply::new(201, made),
    ];
    let (ran, requests) = run_with(
        replies,
        &[
            "schedule",
            "swap",
            "offer",
            "days",
            "--at",
            "2026-11-24 12:00",
            "--with",
            "ann",
            "--for-shift-at",
            "2026-11-26 12:00",
        ],
    );
    assert_eq!(
        (ran.data.as_str(), ran.notes.as_str()),
        (
            "The swap QW is offered: Bob gives 2026-11-24 09:00:00 CET and takes 2026-11-26 09:00:00 CET from Ann.\n",
            ""
        )
    );
    let sent = &requests[5];
    assert!(
        sent.starts_with("POST /api/tocsin/v1/schedules/Q1/swaps "),
        "{sent}"
    );
    assert!(
        sent.contains(r#""until":"2026-11-25T08:00:00.000Z""#),
        "{sent}"
    );
}

#[test]
fn a_preview_reads_the_change_from_a_file_and_shows_who_would_be_on_call() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("change.json");
    std::fs::write(&file, r#"{"layers":[]}"#).unwrap();
    let body = r#"{"name":"Days","final":[{"from":"2026-11-23T07:15:58Z","until":"2026-12-07T07:15:58Z","gap":true,"user":null,"reason":null}],
        "changes":[{"from":"2026-11-23T07:15:58Z","until":"2026-12-07T07:15:58Z","before":{"id":"Q3","name":"Ann"},"after":null}]}"#;
    let replies = vec![Reply::new(200, LIST), Reply::new(200, body)];
    let path = file.to_str().unwrap();
    let (ran, requests) = run_with(replies, &["schedule", "preview", "Days", "--file", path]);
    assert_eq!(
        ran.data,
        "FROM                     UNTIL                    NOW  WOULD BE\n\
         2026-11-23 08:15:58 CET  2026-12-07 08:15:58 CET  Ann  nobody\n\
         \nNobody would be on call in 1 gap.\n"
    );
    assert!(
        requests[1].contains(r#""schedule_id":"Q1""#),
        "{}",
        requests[1]
    );
    std::fs::write(&file, "[1]").unwrap();
    let (ran, _) = run_with(Vec::new(), &["schedule", "preview", "--file", path]);
    assert_eq!(ran.code, 2, "{}", ran.notes);
}

#[test]
fn the_last_resort_is_shown_and_replaced_by_the_people_who_are_named() {
    let list = r#"{"users":[{"id":"Q3","name":"Ann"}]}"#;
    let (ran, requests) = run_with(vec![Reply::new(200, list)], &["oncall", "fallback"]);
    assert_eq!(ran.data, "LAST RESORT  ID\nAnn          Q3\n");
    assert!(
        requests[0].starts_with("GET /api/tocsin/v1/fallback "),
        "{}",
        requests[0]
    );
    let people = format!(
        r#"{{"items":[{BOB},{{"id":"Q3","name":"Ann Example","role":"admin","email":"ann@example.org"}}],"next_cursor":null}}"#
    );
    let both = r#"{"users":[{"id":"Q4","name":"Bob"},{"id":"Q3","name":"Ann Example"}]}"#;
    let line = ["oncall", "fallback", "--set", "bob", "ann"];
    let replies = vec![
        Reply::new(200, &people),
        Reply::new(200, &people),
        Reply::new(200, both),
    ];
    let (ran, requests) = run_with(replies, &line);
    assert_eq!((ran.code, ran.notes.as_str()), (0, ""));
    let sent = &requests[2];
    assert!(sent.starts_with("PUT /api/tocsin/v1/fallback "), "{sent}");
    assert!(sent.ends_with(r#"{"users":["Q4","Q3"]}"#), "{sent}");
}
