//! `status/*` and `alertmanagers`: what clients ask to learn whom they speak to. What a Prometheus has and Tocsin has not is
//! said to be empty, never made up.

use axum::extract::State;
use axum::response::Response;
use tocsin_promql::Limits;

use super::json::Json;
use super::parameters::Parameters;
use super::refusal::Refusal;
use super::{reply, turn};
use crate::app::App;

/// The version of Prometheus whose HTTP API this is. Clients (Grafana among them) choose by it what they may ask.
const SPOKEN_VERSION: &str = "3.5.0";
/// Entries in each list of `status/tsdb`, when no number is given and at most.
const TOP: usize = 10;
const TOP_MAX: usize = 10_000;

/// The configuration; there is no `prometheus.yml`
#[utoipa::path(get, path = "/api/v1/status/config", tag = "fronts", responses((status = 200, body = Object)))]
pub(crate) async fn config() -> Response {
    reply::success(|json| {
        json.begin_object();
        json.named_text(
            "yaml",
            "# Tocsin is configured by tocsin.toml and by its own API.\n",
        );
        json.end_object();
    })
}

/// The limits that hold for queries, as the flags that Prometheus has for them
#[utoipa::path(get, path = "/api/v1/status/flags", tag = "fronts", responses((status = 200, body = Object)))]
pub(crate) async fn flags(State(app): State<App>) -> Response {
    let limits = Limits::default();
    let flags = [
        (
            "query.lookback-delta",
            tocsin_promql::format_duration(limits.lookback_ms),
        ),
        (
            "query.max-concurrency",
            crate::app::QUERIES_AT_ONCE.to_string(),
        ),
        ("query.max-samples", limits.samples_max.to_string()),
        ("query.timeout", format!("{}s", turn::TIME_MAX.as_secs())),
        ("web.external-url", app.settings.public_url.clone()),
        ("web.listen-address", app.settings.listen.to_string()),
    ];
    reply::success(|json| {
        json.labels(flags.iter().map(|(name, value)| (*name, value.as_str())));
    })
}

/// Since when the server runs
#[utoipa::path(get, path = "/api/v1/status/runtimeinfo", tag = "fronts", responses((status = 200, body = Object)))]
pub(crate) async fn runtime_info(State(app): State<App>) -> Response {
    let started = app.inner().started_at.to_rfc3339();
    reply::success(|json| {
        json.begin_object();
        json.named_text("startTime", &started);
        json.named_text("serverTime", &app.now().to_rfc3339());
        json.name("reloadConfigSuccess");
        json.run(|out| out.extend_from_slice(b"true"));
        json.named_text("lastConfigTime", &started);
        json.end_object();
    })
}

/// Whom the caller speaks to
#[utoipa::path(get, path = "/api/v1/status/buildinfo", tag = "fronts", responses((status = 200, body = Object)))]
pub(crate) async fn build_info(State(app): State<App>) -> Response {
    reply::success(|json| {
        json.begin_object();
        json.named_text("version", SPOKEN_VERSION);
        json.named_text("revision", &format!("tocsin-{}", app.settings.version));
        for name in ["branch", "buildUser", "buildDate", "goVersion"] {
            json.named_text(name, "");
        }
        json.end_object();
    })
}

/// How many of what there are
#[utoipa::path(get, path = "/api/v1/status/tsdb", tag = "fronts", params(("limit" = Option<String>, Query)),
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn tsdb(State(app): State<App>, given: Parameters) -> Result<Response, Refusal> {
    let top = match given.limit("limit")? {
        usize::MAX => TOP,
        wanted if wanted > TOP_MAX => {
            return Err(Refusal::parameter(
                "limit",
                format_args!("it is above {TOP_MAX}"),
            ));
        }
        wanted => wanted,
    };
    let written = turn::take(&app, turn::TIME_MAX, move |parts, _| {
        let found = parts.metrics.cardinality(top);
        Ok(reply::envelope(4_096, &[], |json| {
            json.begin_object();
            json.name("headStats");
            json.begin_object();
            for (name, count) in [
                ("numSeries", found.series),
                ("numLabelPairs", found.label_pairs),
                ("chunkCount", found.chunks),
            ] {
                json.name(name);
                json.whole(count);
            }
            // Nothing stored yet: the ends of time the other way around, as an empty head of Prometheus has them.
            milliseconds(json, "minTime", found.oldest_ms.unwrap_or(i64::MAX));
            milliseconds(json, "maxTime", found.newest_ms.unwrap_or(i64::MIN));
            json.end_object();
            for (name, counts) in [
                ("seriesCountByMetricName", &found.series_by_metric),
                ("labelValueCountByLabelName", &found.values_by_label),
                ("memoryInBytesByLabelName", &found.bytes_by_label),
                ("seriesCountByLabelValuePair", &found.series_by_pair),
            ] {
                json.name(name);
                json.begin_list();
                for (what, count) in counts {
                    json.begin_object();
                    json.named_text("name", what);
                    json.name("value");
                    json.whole(*count);
                    json.end_object();
                }
                json.end_list();
            }
            json.end_object();
        }))
    });
    written.await.map(reply::json)
}

fn milliseconds(json: &mut Json, name: &str, at_ms: i64) {
    json.name(name);
    json.run(|out| out.extend_from_slice(at_ms.to_string().as_bytes()));
}

/// How far the write-ahead log was read at the start: it is done before anybody can ask
#[utoipa::path(get, path = "/api/v1/status/walreplay", tag = "fronts", responses((status = 200, body = Object)))]
pub(crate) async fn wal_replay() -> Response {
    reply::success(|json| {
        json.begin_object();
        for name in ["min", "max", "current"] {
            json.name(name);
            json.whole(0);
        }
        json.named_text("state", "done");
        json.end_object();
    })
}

/// Whom alerts are sent to; Tocsin pages by itself
#[utoipa::path(get, path = "/api/v1/alertmanagers", tag = "fronts", responses((status = 200, body = Object)))]
pub(crate) async fn alertmanagers() -> Response {
    reply::success(|json| {
        json.begin_object();
        for name in ["activeAlertmanagers", "droppedAlertmanagers"] {
            json.name(name);
            json.begin_list();
            json.end_list();
        }
        json.end_object();
    })
}

/// Is it alive? As Prometheus is asked
#[utoipa::path(get, path = "/-/healthy", tag = "fronts", responses((status = 200, content_type = "text/plain", body = String)))]
pub(crate) async fn healthy() -> &'static str {
    "Tocsin is alive.\n"
}

/// Does it answer queries? As Prometheus is asked
#[utoipa::path(get, path = "/-/ready", tag = "fronts", responses((status = 200, content_type = "text/plain", body = String)))]
pub(crate) async fn ready() -> &'static str {
    "Tocsin answers queries.\n"
}
