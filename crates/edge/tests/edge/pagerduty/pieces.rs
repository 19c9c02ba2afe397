//! Answers of PagerDuty's REST API that show something large in many places: they are sent in pieces.

use axum::http::header;

use super::roster::id_of;
use super::{ada, declared, read};
use crate::world::World;

#[tokio::test]
async fn incidents_show_the_service_and_the_policy_that_they_share_in_the_same_words() {
    let world = World::new();
    for title in ["Down", "Slow"] {
        declared(&world, title).await;
    }
    let path = "/incidents?include[]=services&include[]=escalation_policies";
    let answer = ada(&world, ("GET", path), None).await;
    let (text, list) = (answer.text(), answer.json());
    let shown = list["incidents"].as_array().unwrap();
    assert_eq!(shown.len(), 2);
    for field in ["service", "escalation_policy"] {
        assert_eq!(shown[0][field]["type"], field);
        assert_eq!(shown[0][field], shown[1][field]);
        // Written as a value is, its fields in their order.
        let whole = shown[0][field].to_string();
        assert_eq!(text.matches(&whole).count(), 2, "{whole} in {text}");
    }
    let policy = &shown[0]["escalation_policy"];
    assert_eq!(policy["services"][0]["type"], "service_reference");
    let alone = read(&world, &format!("/escalation_policies/{}", id_of(policy))).await;
    assert_eq!(alone["escalation_policy"], *policy);
}

#[tokio::test]
async fn an_answer_tells_its_length_however_many_pieces_it_is_sent_in() {
    let world = World::new();
    for title in ["Down", "Slow"] {
        declared(&world, title).await;
    }
    for query in [
        "",
        "include[]=services&include[]=escalation_policies",
        "include[]=services&include[]=first_trigger_log_entries",
    ] {
        let path = format!("/incidents?{query}");
        let answer = ada(&world, ("GET", &path), None).await;
        let head = ada(&world, ("HEAD", &path), None).await;
        assert!(answer.json()["incidents"][1].is_object(), "{query}");
        let length = answer.bytes.len().to_string();
        for told in [&answer, &head] {
            assert_eq!(told.headers[header::CONTENT_LENGTH], length, "{query}");
            assert_eq!(
                told.headers.get_all(header::CONTENT_LENGTH).iter().count(),
                1
            );
        }
        assert!(head.bytes.is_empty(), "{query}");
    }
}
