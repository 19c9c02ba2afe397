//! What belongs to a team: policies and schedules that are given to it, the services that follow those policies, and what is opened
//! there.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::roster::{changed, gone, id_of, made, user};
use super::{ada, read, refused, service};
use crate::fakes::START;
use crate::world::World;

pub(crate) async fn web(world: &World) -> Value {
    let body = json!({"team": {"type": "team", "name": "Web"}});
    let made = made(world, "/teams", body).await;
    json!({"id": made["team"]["id"], "type": "team_reference"})
}

fn policy(world: &World) -> Value {
    let rule = json!({"escalation_delay_in_minutes": 5, "targets": [user(world)]});
    json!({"name": "Night", "escalation_rules": [rule]})
}

fn schedule(world: &World) -> Value {
    let layer = json!({
        "start": "2026-01-05T09:00:00Z", "rotation_turn_length_seconds": 86_400,
        "users": [{"user": user(world)}],
    });
    json!({"name": "Night", "time_zone": "UTC", "schedule_layers": [layer]})
}

/// A service that follows a policy of this team.
pub(crate) async fn service_of(world: &World, team: &Value) -> Value {
    let mut policy = policy(world);
    policy["teams"] = json!([team]);
    let body = json!({ "escalation_policy": policy });
    let policy = made(world, "/escalation_policies", body).await;
    let follows = json!({"service": {
        "type": "service", "name": "Shop",
        "escalation_policy": {"id": policy["escalation_policy"]["id"], "type": "escalation_policy_reference"},
    }});
    let made = made(world, "/services", follows).await;
    json!({"id": made["service"]["id"], "type": "service_reference"})
}

pub(crate) async fn opened(world: &World, title: &str, service: &Value) -> Value {
    let body = json!({"incident": {"type": "incident", "title": title, "service": service}});
    made(world, "/incidents", body).await["incident"].clone()
}

/// The ids of the teams that something shows.
fn teams_of(shown: &Value) -> Vec<String> {
    let teams = shown["teams"].as_array().unwrap();
    teams.iter().map(id_of).collect()
}

/// The two things that are given to teams: where they are, what they are called, and the body of one.
fn given(world: &World) -> [(&'static str, &'static str, Value); 2] {
    [
        ("/escalation_policies", "escalation_policy", policy(world)),
        ("/schedules", "schedule", schedule(world)),
    ]
}

#[tokio::test]
async fn policies_and_schedules_show_the_team_that_they_were_given_to_or_none() {
    let world = World::new();
    let web = web(&world).await;
    for (path, noun, body) in given(&world) {
        let shown = made(&world, path, json!({ noun: body })).await[noun].clone();
        assert_eq!(shown["teams"], json!([]), "{noun}");
        let one = format!("{path}/{}", id_of(&shown));
        let teams = |teams: Value| json!({ noun: { "teams": teams } });
        let named = json!({ noun: { "name": "Day" } });
        // Go's clients write null for an empty list.
        for (body, is_given) in [
            (teams(json!([web])), true),
            (named, true),
            (teams(json!([])), false),
            (teams(json!([web])), true),
            (teams(Value::Null), false),
        ] {
            let expected = if is_given {
                vec![id_of(&web)]
            } else {
                Vec::new()
            };
            let written = changed(&world, &one, body.clone()).await[noun].clone();
            assert_eq!(teams_of(&written), expected, "{noun}: {body}");
            let shown = read(&world, &one).await[noun].clone();
            assert_eq!(teams_of(&shown), expected, "{noun}: {body}");
        }
    }
}

#[tokio::test]
async fn what_is_made_for_a_team_is_read_back_as_it_was_written() {
    let world = World::new();
    let web = web(&world).await;
    for (path, noun, mut body) in given(&world) {
        body["teams"] = json!([web]);
        let shown = made(&world, path, json!({ noun: body })).await[noun].clone();
        assert_eq!(teams_of(&shown), [id_of(&web)], "{noun}");
        let one = format!("{path}/{}", id_of(&shown));
        let again = changed(&world, &one, json!({ noun: shown })).await;
        assert_eq!(again[noun]["teams"], shown["teams"], "{noun}");
        gone(&world, &one).await;
    }
}

#[tokio::test]
async fn schedules_are_listed_by_their_team_and_by_whom_they_name() {
    let world = World::new();
    let web = web(&world).await;
    let mut body = schedule(&world);
    body["teams"] = json!([web]);
    let night = made(&world, "/schedules", json!({ "schedule": body })).await;
    let night = id_of(&night["schedule"]);
    let all = read(&world, "/schedules").await["schedules"].clone();
    let count = all.as_array().unwrap().len();
    assert!(count > 1, "there is one of nobody's");
    for (query, expected) in [
        (format!("team_ids[]={}", id_of(&web)), 1),
        (format!("user_ids[]={}", world.bob), 1),
        (
            format!("user_ids={0}&user_ids={1}", world.ada, world.bob),
            count,
        ),
        (
            format!("team_ids[]={}&user_ids[]={}", id_of(&web), world.ada),
            0,
        ),
        ("team_ids[]=PXPGF42".to_owned(), 0),
    ] {
        let found = read(&world, &format!("/schedules?{query}")).await["schedules"].clone();
        let found: Vec<String> = found.as_array().unwrap().iter().map(id_of).collect();
        assert_eq!(found.len(), expected, "{query}: {found:?}");
        if expected == 1 {
            assert_eq!(found, std::slice::from_ref(&night), "{query}");
        }
    }
    for query in ["team_ids[]=", "user_ids[]="] {
        let answer = ada(&world, ("GET", &format!("/schedules?{query}")), None).await;
        refused(&answer, 400, 2001);
    }
}

#[tokio::test]
async fn nothing_is_given_to_two_teams_or_to_one_that_is_not_there() {
    let world = World::new();
    let (web, nobody) = (
        web(&world).await,
        json!({"id": "PXPGF42", "type": "team_reference"}),
    );
    for (path, noun, mut body) in given(&world) {
        for (teams, code) in [(json!([web, web]), 2001), (json!([nobody]), 5001)] {
            body["teams"] = teams;
            let body = json!({ noun: body });
            let answer = ada(&world, ("POST", path), Some(body)).await;
            let told = refused(&answer, 400, code);
            assert!(told.contains(&format!("{noun}.teams")), "{told}");
        }
    }
}

#[tokio::test]
async fn a_policy_is_put_into_a_team_and_taken_out_of_that_team_alone() {
    let world = World::new();
    let web = id_of(&web(&world).await);
    let first = id_of(&read(&world, "/teams?query=everybody").await["teams"][0]);
    let body = json!({ "escalation_policy": policy(&world) });
    let made = made(&world, "/escalation_policies", body).await;
    let policy = id_of(&made["escalation_policy"]);
    let one = format!("/escalation_policies/{policy}");
    for (method, team, expected) in [
        ("PUT", &web, vec![web.clone()]),
        ("PUT", &web, vec![web.clone()]),
        ("DELETE", &first, vec![web.clone()]),
        ("PUT", &first, vec![first.clone()]),
        ("DELETE", &first, Vec::new()),
        ("DELETE", &first, Vec::new()),
    ] {
        let path = format!("/teams/{team}/escalation_policies/{policy}");
        let answer = ada(&world, (method, &path), None).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
        let shown = read(&world, &one).await["escalation_policy"].clone();
        assert_eq!(teams_of(&shown), expected, "{method} {path}");
        assert_eq!(
            shown["escalation_rules"],
            made["escalation_policy"]["escalation_rules"]
        );
    }
    for path in [
        format!("/teams/{web}/escalation_policies/QAAAAAAAAAAAAA"),
        format!("/teams/QAAAAAAAAAAAAA/escalation_policies/{policy}"),
    ] {
        for method in ["PUT", "DELETE"] {
            refused(&ada(&world, (method, &path), None).await, 404, 2100);
        }
    }
}

#[tokio::test]
async fn lists_of_a_team_hold_what_is_that_team_s_and_nothing_else() {
    let world = World::new();
    let web = web(&world).await;
    let first = id_of(&read(&world, "/teams?query=everybody").await["teams"][0]);
    let shop = service_of(&world, &web).await;
    let at = |minutes: u64| START.plus_ms(minutes * 60_000).to_rfc3339();
    for (service, title) in [(&shop, "Web's"), (&service(&world), "Everybody's")] {
        let shown = opened(&world, title, service).await;
        let own = if title == "Web's" {
            id_of(&web)
        } else {
            first.clone()
        };
        assert_eq!(teams_of(&shown), [own], "{title}");
        let body = json!({"maintenance_window": {
            "type": "maintenance_window", "description": title,
            "start_time": at(60), "end_time": at(120), "services": [service],
        }});
        made(&world, "/maintenance_windows", body).await;
    }
    for (team, title, service) in [
        (id_of(&web), "Web's", id_of(&shop)),
        (first, "Everybody's", id_of(&service(&world))),
    ] {
        let of = async |name: &str| {
            let path = format!("/{name}?team_ids[]={team}");
            read(&world, &path).await[name].as_array().unwrap().clone()
        };
        let incidents = of("incidents").await;
        let titles: Vec<&Value> = incidents.iter().map(|one| &one["title"]).collect();
        assert_eq!(titles, [title]);
        let services: Vec<String> = of("services").await.iter().map(id_of).collect();
        assert_eq!(services, [service]);
        let windows = of("maintenance_windows").await;
        assert_eq!(
            (windows.len(), &windows[0]["description"]),
            (1, &json!(title))
        );
        let entries = of("log_entries").await;
        assert!(!entries.is_empty());
        for entry in &entries {
            assert_eq!(teams_of(entry), std::slice::from_ref(&team), "{entry}");
            assert_eq!(entry["incident"]["id"], incidents[0]["id"], "{entry}");
        }
        for by in ["teams", "services"] {
            let measured = json!({"filters": {"team_ids": [team]}});
            let path = format!("/analytics/metrics/incidents/{by}");
            let rows = ada(&world, ("POST", &path), Some(measured)).await.json();
            let rows = rows["data"].as_array().unwrap();
            assert_eq!((rows.len(), &rows[0]["team_id"]), (1, &json!(team)), "{by}");
            assert_eq!(rows[0]["total_incident_count"], 1, "{by}");
        }
        let native = world
            .get(&format!("/incidents?team_id={team}"))
            .await
            .json();
        let native = native["items"].as_array().unwrap();
        assert_eq!((native.len(), &native[0]["title"]), (1, &json!(title)));
    }
    let path = format!("/escalation_policies?team_ids[]={}", id_of(&web));
    let policies = read(&world, &path).await["escalation_policies"].clone();
    assert_eq!(policies.as_array().unwrap().len(), 1);
    assert_eq!(policies[0]["name"], "Night");
}

#[tokio::test]
async fn a_team_goes_only_once_nothing_belongs_to_it() {
    let world = World::new();
    let web = web(&world).await;
    let path = format!("/teams/{}", id_of(&web));
    for (list, noun, mut body) in given(&world) {
        body["teams"] = json!([web]);
        let shown = made(&world, list, json!({ noun: body })).await[noun].clone();
        let told = refused(&ada(&world, ("DELETE", &path), None).await, 400, 2001);
        assert!(told.contains("belongs to this team"), "{told}");
        let native = world.call("DELETE", &path, &world.admin, None).await;
        assert_eq!(native.status, StatusCode::CONFLICT, "{}", native.text());
        gone(&world, &format!("{list}/{}", id_of(&shown))).await;
    }
    gone(&world, &path).await;
}
