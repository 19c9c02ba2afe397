//! What the lists of PagerDuty's REST API are described to take is what they read.

use axum::http::StatusCode;
use serde_json::Value;

use super::ada;
use crate::world::World;

/// Both ends of a span, for a list that needs them.
const SPAN: &str = "since=2026-11-23T00:00:00Z&until=2026-11-24T00:00:00Z";
/// Parameters whose words are passed over where they say nothing, as there.
const PASSED_OVER: [&str; 2] = ["include[]", "additional_fields[]"];

/// What is read at paths that name nothing, with its parameters.
fn lists(all: &Value) -> Vec<(&str, &Vec<Value>)> {
    let paths = all["paths"].as_object().unwrap().iter();
    let lists = paths.filter_map(|(path, item)| {
        let id = item["get"]["operationId"].as_str()?;
        let is_list =
            id.starts_with("pagerduty_") && !id.ends_with("_prefixed") && !path.contains('{');
        let parameters = item["get"]["parameters"].as_array();
        Some((path.as_str(), parameters.filter(|_| is_list)?))
    });
    lists.collect()
}

/// The words that a parameter may be, or each entry of it.
fn words(parameter: &Value) -> Vec<&str> {
    let schema = &parameter["schema"];
    let lists = [&schema["enum"], &schema["items"]["enum"]].into_iter();
    let words = lists.filter_map(Value::as_array).flatten();
    words.filter_map(Value::as_str).collect()
}

/// What a parameter may not be, where it is not any text.
fn wrong(parameter: &Value) -> Option<&'static str> {
    let schema = &parameter["schema"];
    let name = parameter["name"].as_str().unwrap();
    let has_form = schema["format"].is_string() || schema["pattern"].is_string();
    if PASSED_OVER.contains(&name) {
        None
    } else if !words(parameter).is_empty() || has_form {
        Some("no-such-word")
    } else if schema["type"] == "array" {
        Some("")
    } else {
        Some("no-such-word").filter(|_| schema["type"] != "string")
    }
}

#[tokio::test]
async fn a_list_takes_every_word_that_it_is_described_to_take_and_refuses_others() {
    let world = World::new();
    let all = serde_json::to_value(tocsin_edge::openapi()).unwrap();
    let (mut taken, mut refused) = (0, 0);
    for (path, parameters) in lists(&all) {
        let has_span = parameters.iter().any(|one| one["name"] == "until");
        let span = if has_span { SPAN } else { "" };
        for parameter in parameters {
            let name = parameter["name"].as_str().unwrap();
            for word in words(parameter) {
                let asked = format!("{path}?{span}&{name}={word}");
                let answer = ada(&world, ("GET", &asked), None).await;
                assert_eq!(answer.status, StatusCode::OK, "{asked}: {}", answer.text());
                taken += 1;
            }
            if let Some(wrong) = wrong(parameter) {
                let asked = format!("{path}?{span}&{name}={wrong}");
                let status = ada(&world, ("GET", &asked), None).await.status;
                assert_eq!(status, StatusCode::BAD_REQUEST, "{asked}");
                refused += 1;
            }
        }
    }
    assert!(taken > 50 && refused > 50, "{taken} {refused}");
}
