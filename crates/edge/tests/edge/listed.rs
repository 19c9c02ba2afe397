//! The native list of incidents, by what it is filtered.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::fakes::START;
use crate::world::World;

/// The numbers of those that are wanted, page by page.
async fn numbers(world: &World, query: &str) -> Vec<u64> {
    let mut numbers = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/incidents?limit=1&{query}{cursor}");
        let answer = world.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text());
        let page = answer.json();
        let items = page["items"].as_array().unwrap().iter();
        numbers.extend(items.map(|item| item["number"].as_u64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return numbers,
        }
    }
}

/// So many minutes after the start.
fn minute(minutes: u64) -> String {
    START.plus_ms(minutes * 60_000).to_rfc3339()
}

/// Four incidents of two services, a minute apart; the last is over. Gives the other service and their team.
async fn four(world: &World) -> (String, String) {
    let shop = json!({"name": "Shop", "escalation_policy_id": null});
    let shop = world.post("/services", shop).await.json();
    for (minutes, severity, service) in [
        (0, "critical", &Value::Null),
        (1, "warning", &shop["id"]),
        (2, "error", &Value::Null),
        (3, "critical", &shop["id"]),
    ] {
        *world.clock.0.lock().unwrap() = START.plus_ms(minutes * 60_000);
        let mut alert = json!({"dedup_key": minute(minutes), "action": "trigger", "summary": "Disk full",
            "severity": severity, "source": "db1"});
        if service.is_string() {
            alert["service_id"] = service.clone();
        }
        let taken = world.post("/alerts", alert).await;
        assert!(taken.status.is_success(), "{}", taken.text());
    }
    let over = world.post("/incidents/4/resolve", json!({})).await;
    assert_eq!(over.status, StatusCode::OK, "{}", over.text());
    let team = world
        .engine
        .read(|state| state.incidents.values().next().unwrap().team);
    (shop["id"].as_str().unwrap().to_owned(), team.to_string())
}

#[tokio::test]
async fn incidents_are_listed_by_all_that_is_asked_for_together() {
    let world = World::new();
    let (shop, team) = four(&world).await;
    let check = async |query: &str, expected: &[u64]| {
        assert_eq!(numbers(&world, query).await, expected, "{query}");
    };
    check("", &[4, 3, 2, 1]).await;
    check("status=open", &[3, 2, 1]).await;
    check("status=resolved", &[4]).await;
    check(&format!("service_id={shop}"), &[4, 2]).await;
    check("service_id=QAAAAAAAAAAAAA", &[]).await;
    check(&format!("team_id={team}"), &[4, 3, 2, 1]).await;
    check("team_id=QAAAAAAAAAAAAA", &[]).await;
    check("urgency=low", &[2]).await;
    check("severity=critical", &[4, 1]).await;
    check(&format!("since={}", minute(1)), &[4, 3, 2]).await;
    check(&format!("until={}", minute(2)), &[2, 1]).await;
    let span = format!("since={}&until={}", minute(1), minute(3));
    check(&span, &[3, 2]).await;
    check(&format!("{span}&urgency=high"), &[3]).await;
    check("status=open&severity=critical", &[1]).await;
    check(&format!("service_id={shop}&severity=critical"), &[4]).await;
    let nothing = format!("service_id={shop}&status=open&urgency=high");
    check(&nothing, &[]).await;
}

#[tokio::test]
async fn what_cannot_be_a_filter_of_incidents_is_refused_by_its_name() {
    let world = World::new();
    let backwards = format!("since={}&until={}", minute(1), minute(1));
    for (query, named) in [
        ("service_id=shop", "service_id"),
        ("team_id=web", "team_id"),
        ("target=x", "target"),
        ("urgency=loud", "urgency"),
        ("severity=bad", "severity"),
        ("since=yesterday", "since"),
        ("until=5", "until"),
        (backwards.as_str(), "until"),
    ] {
        let answer = world.get(&format!("/incidents?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        let told = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(told.contains(named), "{query}: {told}");
    }
    let both = world.get("/incidents?team_id=web&since=yesterday").await;
    assert_eq!(both.json()["errors"].as_array().unwrap().len(), 2);
}
