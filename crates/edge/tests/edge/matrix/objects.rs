//! What the rows are about: each object is made anew for each call, and is Bob's where it can be a person's. The one who has the
//! key of it is given the true key, and everybody else a wrong one.

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tocsin_domain::people::{Role, TokenBounds};
use tocsin_edge::ports::{Accounts, NewToken};
use tocsin_wire::alertmanager::uuid_of_id;

use super::rows::Row;
use crate::fakes::START;
use crate::mapped::integration;
use crate::opsgenie::requested;
use crate::pagerduty::{ada, read};
use crate::schedules::{days, shift_ahead};
use crate::webhooks::subscribed;
use crate::world::{BASE, PASSWORD, ROUTING_KEY, World, add_person};

/// An id that nothing has.
const NOTHING: &str = "QAAAAAAAAAAAAA";

/// What to ask: a row's path with its parameters filled in, a body where the answer depends on it, and the key of the object as
/// far as that is sent in a header.
pub(super) struct Made {
    pub(super) path: String,
    pub(super) body: Option<Value>,
    pub(super) key: String,
}

/// The values of a path's parameters, and of `key`.
type Values = Vec<(&'static str, String)>;

pub(super) async fn make(world: &World, row: &Row, has_key: bool) -> Made {
    let values = values(world, row.object, has_key).await;
    let body = body(world, row, &values, has_key).await;
    let mut path = row.path.clone();
    for (name, value) in &values {
        path = path.replace(&format!("{{{name}}}"), value);
    }
    while let (Some(from), Some(to)) = (path.find('{'), path.find('}')) {
        path.replace_range(from..=to, NOTHING);
    }
    let key = values.iter().find(|(name, _)| *name == "key");
    let key = key.map_or(ROUTING_KEY, |(_, key)| key.as_str()).to_owned();
    Made { path, body, key }
}

async fn values(world: &World, object: &str, has_key: bool) -> Values {
    let bob = world.bob.to_string();
    let of_bob = |rest: &str| format!("/users/{}{rest}", world.bob);
    match object {
        "-" | "none" | "routing_key" => Vec::new(),
        "person" => vec![("id", bob)],
        "guest" => vec![("id", guest(world))],
        "method" => {
            let way =
                json!({"kind": "ntfy", "label": "Phone", "address": "https://127.0.0.1/topic"});
            let made = made(world, &of_bob("/contact-methods"), way).await;
            vec![("id", bob), ("method_id", text(&made, "id"))]
        }
        "calendar" => {
            let made = made(world, &of_bob("/calendars"), json!({})).await;
            vec![("id", bob), ("calendar_id", text(&made, "id"))]
        }
        "address" => {
            let made = made(world, &of_bob("/calendars"), json!({})).await;
            vec![("file", last(&text(&made, "url"), has_key))]
        }
        "token" => vec![("token_id", token(world))],
        "incident" => vec![("id", world.raise(&random()).await)],
        "team" => {
            let team = json!({"name": random(), "members": [bob]});
            let id = text(&made(world, "/teams", team).await, "id");
            let policy = first(world, "/escalation_policies").await;
            vec![("id", id), ("user_id", bob), ("policy_id", policy)]
        }
        "service" => vec![("id", service(world).await)],
        "integration" => {
            let id = service(world).await;
            let path = format!("/services/{id}/integrations");
            let made = made(world, &path, json!({"name": "CI"})).await;
            vec![("id", id), ("integration_id", text(&made, "id"))]
        }
        "heartbeat" => vec![("id", text(&heartbeat(world).await, "id"))],
        "call" => vec![(
            "token",
            last(&text(&heartbeat(world).await, "url"), has_key),
        )],
        "schedule" | "rota" | "override" | "temporary" | "swap" => rota(world, object).await,
        "policy" => {
            let levels = json!([{"delay_minutes": 5, "targets": [{"kind": "user", "id": bob}]}]);
            let policy = json!({"name": random(), "repeat": 0, "levels": levels});
            let made = made(world, "/escalation-policies", policy).await;
            vec![("id", text(&made, "id"))]
        }
        "window" => {
            let until = START.plus_ms(3_600_000).to_rfc3339();
            let work = json!({"reason": "disks", "service_ids": [service(world).await],
                "from": START.to_rfc3339(), "until": until});
            let id = text(&made(world, "/maintenance-windows", work).await, "id");
            let silence = uuid_of_id(id.parse().unwrap());
            vec![("id", id), ("silence_id", silence)]
        }
        "dependency" => {
            let shop = made(world, "/business-services", json!({"name": random()})).await;
            let (shop, supporting) = (text(&shop, "id"), service(world).await);
            let one = json!({"dependent": {"kind": "business", "id": shop},
                "supporting": {"kind": "technical", "id": supporting}});
            let body = json!({"dependencies": [one]});
            let made = made(world, "/service-dependencies", body).await;
            vec![("id", text(&made["dependencies"][0], "id"))]
        }
        "canary" => vec![("key", canary_key(world))],
        other => of_fronts(world, other, has_key).await,
    }
}

fn canary_key(world: &World) -> String {
    let key = world.vigil.canary_key().unwrap();
    key.expose_secret().to_owned()
}

/// What fronts name too, or alone, and their keys.
async fn of_fronts(world: &World, object: &str, has_key: bool) -> Values {
    match object {
        "alert" => {
            let id = world.raise(&random()).await;
            let alert = first(world, &format!("/incidents/{id}/alerts")).await;
            vec![("id", id), ("alert_id", alert)]
        }
        "entry" => {
            let incident = world.raise(&random()).await;
            let entry = first(world, &format!("/incidents/{incident}/log_entries")).await;
            vec![("id", entry)]
        }
        "change" => {
            let change = json!({"summary": random()});
            vec![("id", text(&made(world, "/changes", change).await, "id"))]
        }
        "webhook" => {
            let id = subscribed(world, "https://127.0.0.1/hook").await;
            vec![("id", id)]
        }
        "vendor" => vec![("id", first(world, "/vendors").await)],
        "router" => {
            let shown = read(world, "/event_orchestrations").await;
            vec![("id", text(&shown["orchestrations"][0], "id"))]
        }
        "tag" => {
            let body = json!({"tag": {"type": "tag", "label": random()}});
            let made = ada(world, ("POST", "/tags"), Some(body)).await.json();
            let of = ("entity_type", "users".to_owned());
            vec![("id", text(&made["tag"], "id")), of]
        }
        "business" => {
            let body = json!({"business_service": {"name": random()}});
            let made = ada(world, ("POST", "/business_services"), Some(body))
                .await
                .json();
            vec![("id", text(&made["business_service"], "id"))]
        }
        "grouping" => vec![("id", grouping(world).await)],
        "rule" => {
            let (bob, address) = (world.bob, "https://127.0.0.1/topic");
            world.reach(bob, "ntfy", address, None).await;
            let rule = first(world, &format!("/users/{bob}/notification_rules")).await;
            vec![("id", bob.to_string()), ("rule_id", rule)]
        }
        "request" | "sent" => {
            let key = text(&integration(world, "opsgenie", None).await, "routing_key");
            let request = requested(world, &key).await;
            // What a request has sent is called as the request is.
            let id = if object == "sent" {
                request.clone()
            } else {
                "requests".to_owned()
            };
            vec![("id", id), ("step", request), ("key", key)]
        }
        "grafana" | "opsgenie" | "alertmanager" | "wording" => {
            // What becomes of the alert of an alias.
            let (kind, step) = match object {
                "wording" => ("opsgenie", "message"),
                kind => (kind, "close"),
            };
            let key = text(&integration(world, kind, None).await, "routing_key");
            let token = if has_key { key.clone() } else { random() };
            let step = format!("{step}?identifierType=alias");
            let alias = ("id", "disk".to_owned());
            vec![("token", token), alias, ("step", step), ("key", key)]
        }
        other => panic!("nobody knows how to make: {other}"),
    }
}

/// The id of the first of a list that PagerDuty's front shows; a list is called as its path ends.
async fn first(world: &World, path: &str) -> String {
    let shown = read(world, path).await;
    let name = path.rsplit('/').next().unwrap();
    text(&shown[name][0], "id")
}

/// A schedule, and what somebody changed of it by hand.
async fn rota(world: &World, object: &str) -> Values {
    let (id, bob) = (days(world).await, world.bob.to_string());
    let of_it = |rest: &str| format!("/schedules/{id}/{rest}");
    let (from, until) = ("2026-12-01T08:00:00Z", "2026-12-02T08:00:00Z");
    let change = match object {
        "override" => {
            let body = json!({"user_id": bob, "from": from, "until": until});
            let made = made(world, &of_it("overrides"), body).await;
            Some(("override_id", text(&made, "id")))
        }
        "temporary" => {
            let body = json!({"from": from, "until": until, "members": [bob]});
            let made = made(world, &of_it("temporary"), body).await;
            Some(("temporary_id", text(&made, "id")))
        }
        "swap" => {
            let offer = Some(swap(world, &id).await);
            let path = of_it("swaps");
            let made = world.call("POST", &path, &world.bobs, offer).await;
            assert!(made.status.is_success(), "{}", made.text());
            Some(("swap_id", text(&made.json(), "id")))
        }
        _ => None,
    };
    let mut values = vec![("id", id)];
    values.extend(change);
    values
}

/// Bob's next shift for Ada's.
async fn swap(world: &World, schedule: &str) -> Value {
    let bobs = shift_ahead(world, schedule, "Bob").await;
    let adas = shift_ahead(world, schedule, "Ada").await;
    json!({
        "one": {"user_id": world.bob.to_string(), "from": bobs.0, "until": bobs.1},
        "other": {"user_id": world.ada.to_string(), "from": adas.0, "until": adas.1},
    })
}

/// The body of a call, where the answer depends on it: most are told apart before a body is read.
async fn body(world: &World, row: &Row, values: &Values, has_key: bool) -> Option<Value> {
    if row.object == "routing_key" {
        let key = if has_key {
            ROUTING_KEY.to_owned()
        } else {
            "x".repeat(ROUTING_KEY.len())
        };
        if row.path.ends_with("/create_event.json") {
            let event = json!({"service_key": key, "event_type": "trigger", "description": "Down"});
            return Some(event);
        }
        let mut event = crate::world::trigger(&random());
        event["routing_key"] = json!(key);
        return Some(event);
    }
    if row.object == "canary" {
        return Some(json!({"run": world.vigil.canary_sent()}));
    }
    let native = row.path.strip_prefix(BASE)?;
    match (row.method, native) {
        ("PUT", "/users/{id}/password") => {
            Some(json!({"password": PASSWORD, "current_password": PASSWORD}))
        }
        ("POST", "/api-tokens") => Some(json!({"name": "t", "role": "responder"})),
        ("POST", "/incidents/{id}/snooze") => Some(json!({"seconds": 3600})),
        ("POST", "/incidents/{id}/responders/answer") => Some(json!({"accept": true})),
        ("POST", "/incidents/bulk") => Some(json!({"action": "acknowledge", "incidents": ["1"]})),
        ("POST", "/schedules/{id}/swaps") => Some(swap(world, &values[0].1).await),
        _ => None,
    }
}

async fn made(world: &World, path: &str, body: Value) -> Value {
    let answer = world.post(path, body).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.text());
    answer.json()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap().to_owned()
}

/// The last part of an address, or one that is not known. No two are alike: who tries one again is counted.
fn last(url: &str, is_true: bool) -> String {
    let last = url.rsplit('/').next().unwrap();
    if is_true { last.to_owned() } else { random() }
}

fn random() -> String {
    tocsin_edge::secret::letters(20).unwrap()
}

/// Somebody who is Bob's no more than anybody's, and may go.
fn guest(world: &World) -> String {
    let (engine, vault, name) = (&world.engine, world.vault.as_ref(), random());
    let mail = format!("{name}@example.org");
    add_person(engine, vault, &name, &mail, Role::Responder).to_string()
}

fn token(world: &World) -> String {
    let new = NewToken {
        name: "t".to_owned(),
        role: Role::Responder,
        user: Some(world.bob),
        made_by: Some(world.bob),
        expires_at: None,
        bounds: TokenBounds::default(),
    };
    world.doors.add_token(new, START).unwrap().0.id.to_string()
}

async fn service(world: &World) -> String {
    let body = json!({"name": random(), "escalation_policy_id": null});
    text(&made(world, "/services", body).await, "id")
}

/// How the alerts of a service are grouped.
async fn grouping(world: &World) -> String {
    let service = json!([{"id": service(world).await}]);
    let body = json!({"type": "time", "config": {"timeout": 300}, "services": service});
    let body = json!({ "alert_grouping_setting": body });
    let call = ("POST", "/alert_grouping_settings");
    let made = ada(world, call, Some(body)).await.json();
    text(&made["alert_grouping_setting"], "id")
}

async fn heartbeat(world: &World) -> Value {
    let job = json!({"name": random(), "every_seconds": 3600, "grace_seconds": 60});
    made(world, "/heartbeats", job).await
}
