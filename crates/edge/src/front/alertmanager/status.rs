//! `status`, `receivers` and whether it is alive: what clients ask to learn whom they speak to. What an Alertmanager has and Tocsin
//! has not is said to be empty, never made up.

use axum::extract::State;
use axum::response::Response;
use tocsin_wire::alertmanager::{
    Cluster, Config, Receiver, SPOKEN_VERSION, StatusShown, VersionInfo,
};

use super::alert::shown;
use crate::app::App;

/// The services, which are where alerts go: first the one of alerts that name none.
fn services(app: &App) -> Vec<Receiver> {
    app.read(|state| {
        let first = state.installation.as_ref().map(|all| all.default_service);
        let mut all: Vec<_> = state.services.values().collect();
        all.sort_by_key(|known| (Some(known.id) != first, &known.name, known.id));
        let named = all.into_iter().map(|known| Receiver {
            name: known.name.clone(),
        });
        let mut named: Vec<Receiver> = named.collect();
        named.dedup();
        named
    })
}

/// A configuration that says what holds here, in so far as Alertmanager's file can.
fn configuration(receivers: &[Receiver]) -> String {
    // A text of JSON is one of YAML too.
    let text = |name: &str| serde_json::to_string(name).unwrap_or_default();
    let first = receivers.first().map_or("tocsin", |first| &first.name);
    let mut yaml = format!(
        "# Tocsin decides by services, rules and escalation policies; see its own pages.\nglobal:\n  resolve_timeout: 5m\nroute:\n  receiver: {}\nreceivers:\n",
        text(first)
    );
    let mut known: Vec<&str> = vec![first];
    known.extend(receivers.iter().skip(1).map(|one| one.name.as_str()));
    for (index, name) in known.iter().enumerate() {
        // Names may stand for several services; in this file each stands once.
        if !known[..index].contains(name) {
            yaml.push_str(&format!("- name: {}\n", text(name)));
        }
    }
    yaml
}

/// Whom the caller speaks to, and since when
#[utoipa::path(get, path = "/api/v2/status", tag = "fronts", responses((status = 200, body = Object)))]
pub(crate) async fn status(State(app): State<App>) -> Response {
    let info = VersionInfo {
        branch: String::new(),
        build_date: String::new(),
        build_user: String::new(),
        go_version: String::new(),
        revision: format!("tocsin-{}", app.settings.version),
        version: SPOKEN_VERSION.to_owned(),
    };
    shown(&StatusShown {
        cluster: Cluster {
            peers: Vec::new(),
            status: "disabled",
        },
        config: Config {
            original: configuration(&services(&app)),
        },
        uptime: app.inner().started_at,
        version_info: info,
    })
}

/// Where alerts go: the services
#[utoipa::path(get, path = "/api/v2/receivers", tag = "fronts", responses((status = 200, body = Vec<Object>)))]
pub(crate) async fn receivers(State(app): State<App>) -> Response {
    shown(&services(&app))
}

/// Alive
#[utoipa::path(get, path = "/alertmanager/-/healthy", tag = "fronts", operation_id = "alertmanager_healthy",
    responses((status = 200, content_type = "text/plain", body = String)))]
pub(crate) async fn healthy() -> &'static str {
    "OK"
}

/// Able to take alerts
#[utoipa::path(get, path = "/alertmanager/-/ready", tag = "fronts", operation_id = "alertmanager_ready",
    responses((status = 200, content_type = "text/plain", body = String)))]
pub(crate) async fn ready() -> &'static str {
    "OK"
}
