//! Prometheus' HTTP API, as its clients ask it.

mod evaluated;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tocsin_domain::write::{MetricKind, MetricMetadata};
use tocsin_promql::{Labels, STALE_NAN_BITS, StoredExemplar};

use crate::fakes::START;
use crate::world::{Answered, World};

/// Names and values.
type Parameters<'a> = &'a [(&'a str, &'a str)];

const START_MS: i64 = START.as_millis();
const START_S: i64 = START_MS / 1_000;

/// A world with two series of `up` and one of `http.requests`.
fn world() -> World {
    let world = World::new();
    let minutes = |values: [f64; 3]| {
        let times = [START_MS - 120_000, START_MS - 60_000, START_MS];
        times.into_iter().zip(values).collect::<Vec<_>>()
    };
    let samples = &world.samples;
    samples.put(
        &[("__name__", "up"), ("job", "a")],
        &minutes([1.0, 0.0, 1.0]),
    );
    samples.put(
        &[("__name__", "up"), ("job", "b")],
        &minutes([0.5, 1.5, 2.5]),
    );
    samples.put(
        &[("__name__", "http.requests"), ("job", "a")],
        &minutes([1.0, 2.0, 3.0]),
    );
    world
}

fn encoded(parameters: Parameters<'_>) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(parameters);
    text.finish()
}

async fn get(world: &World, path: &str, parameters: Parameters<'_>) -> Answered {
    let uri = format!("{path}?{}", encoded(parameters));
    let request =
        Request::get(uri).header(header::AUTHORIZATION, format!("Bearer {}", world.viewer));
    world.send(request.body(Body::empty()).unwrap()).await
}

async fn data(world: &World, path: &str, parameters: Parameters<'_>) -> Value {
    let answer = get(world, path, parameters).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    let mut json = answer.json();
    assert_eq!(json["status"], "success");
    json["data"].take()
}

/// The kind and the text of a refusal.
async fn refused(
    world: &World,
    path: &str,
    parameters: Parameters<'_>,
    status: u16,
) -> (String, String) {
    let answer = get(world, path, parameters).await;
    assert_eq!(
        answer.status.as_u16(),
        status,
        "{path} {parameters:?}: {}",
        answer.text()
    );
    let json = answer.json();
    assert_eq!(json["status"], "error");
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    (text("errorType"), text("error"))
}

#[tokio::test]
async fn a_query_is_answered_by_get_and_by_post_under_both_paths() {
    let world = world();
    let expected = json!({"resultType": "vector", "result": [
        {"metric": {"__name__": "up", "job": "a"}, "value": [START_S, "1"]},
        {"metric": {"__name__": "up", "job": "b"}, "value": [START_S, "2.5"]},
    ]});
    for prefix in ["", "/prometheus"] {
        let path = format!("{prefix}/api/v1/query");
        assert_eq!(data(&world, &path, &[("query", "up")]).await, expected);
        let form = Request::post(&path)
            .header(header::AUTHORIZATION, format!("Bearer {}", world.viewer))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = world.send(form.body(Body::from("query=up")).unwrap()).await;
        assert_eq!(answer.json()["data"], expected, "{}", answer.text());
    }
}

#[tokio::test]
async fn a_range_has_a_point_at_every_step() {
    let world = world();
    let (start, end) = ((START_S - 120).to_string(), START.to_rfc3339());
    let given = [
        ("query", "up{job=\"b\"}"),
        ("start", start.as_str()),
        ("end", end.as_str()),
        ("step", "1m"),
    ];
    let found = data(&world, "/api/v1/query_range", &given).await;
    let values = json!([
        [START_S - 120, "0.5"],
        [START_S - 60, "1.5"],
        [START_S, "2.5"]
    ]);
    assert_eq!(
        found,
        json!({"resultType": "matrix", "result": [
        {"metric": {"__name__": "up", "job": "b"}, "values": values}]})
    );
}

#[tokio::test]
async fn limit_lookback_and_stats_are_heeded() {
    let world = world();
    let answer = get(&world, "/api/v1/query", &[("query", "up"), ("limit", "1")])
        .await
        .json();
    assert_eq!(answer["data"]["result"].as_array().unwrap().len(), 1);
    assert_eq!(
        answer["warnings"],
        json!(["results truncated due to limit"])
    );
    let later = (START_S + 60).to_string();
    let asked = [("query", "up"), ("time", later.as_str())];
    let with = |more: (&'static str, &'static str)| [asked[0], asked[1], more];
    let all = data(&world, "/api/v1/query", &asked).await;
    assert_eq!(all["result"].as_array().unwrap().len(), 2);
    let short = data(&world, "/api/v1/query", &with(("lookback_delta", "30s"))).await;
    assert_eq!(short["result"], json!([]));
    let timed = data(&world, "/api/v1/query", &with(("stats", "all"))).await;
    assert!(
        timed["stats"]["timings"]["execTotalTime"].is_number(),
        "{timed}"
    );
}

#[tokio::test]
async fn remarks_of_the_language_reach_the_client() {
    let world = world();
    let answer = get(&world, "/api/v1/query", &[("query", "rate(up[5m])")])
        .await
        .json();
    let infos = answer["infos"].as_array().unwrap();
    assert!(infos[0].as_str().unwrap().contains("counter"), "{infos:?}");
}

#[tokio::test]
async fn wrong_requests_are_told_what_is_wrong() {
    let world = world();
    let range = |start: &'static str, end: &'static str, step: &'static str| {
        [
            ("query", "up"),
            ("start", start),
            ("end", end),
            ("step", step),
        ]
    };
    let query = "/api/v1/query";
    let query_range = "/api/v1/query_range";
    let cases: [(&str, Parameters, &str); 14] = [
        (query, &[], "query"),
        (query, &[("query", "up(")], "query"),
        (query, &[("query", "up"), ("time", "soon")], "time"),
        (query, &[("query", "up"), ("timeout", "-1")], "timeout"),
        (query, &[("query", "up"), ("limit", "-1")], "limit"),
        (
            query,
            &[("query", "up"), ("lookback_delta", "0")],
            "lookback_delta",
        ),
        (query_range, &[("query", "up")], "start"),
        (query_range, &range("2", "1", "1"), "end"),
        (query_range, &range("1", "2", "0"), "step"),
        (query_range, &range("1", "2", ""), "step"),
        (query_range, &range("0", "11001", "1"), "11000 points"),
        ("/api/v1/series", &[], "match[]"),
        ("/api/v1/labels", &[("match[]", "up[5m]")], "match[]"),
        ("/api/v1/rules", &[("type", "other")], "type"),
    ];
    for (path, given, about) in cases {
        let (kind, text) = refused(&world, path, given, 400).await;
        assert_eq!(kind, "bad_data");
        assert!(text.contains(about), "{text}");
    }
}

#[tokio::test]
async fn hostile_queries_are_refused_with_a_reason() {
    let world = world();
    let deep = format!("{}up{}", "(".repeat(10_000), ")".repeat(10_000));
    let long = format!("up{{{}}}", "a=\"b\",".repeat(20_000));
    let pattern = format!("up{{a=~\"({}){{1000}}\"}}", "x{1000}".repeat(20));
    for text in [deep, long, pattern] {
        let form = Request::post("/api/v1/query")
            .header(header::AUTHORIZATION, format!("Bearer {}", world.viewer))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let body = Body::from(encoded(&[("query", &text)]));
        let answer = world.send(form.body(body).unwrap()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
        assert_eq!(answer.json()["errorType"], "bad_data");
    }
    let far = "9223372036854775807";
    let (kind, _) = refused(
        &world,
        "/api/v1/query",
        &[("query", "up"), ("time", far)],
        400,
    )
    .await;
    assert_eq!(kind, "bad_data");
    let many = "match%5B%5D=up&".repeat(2_000);
    let request = Request::get(format!("/api/v1/series?{many}"))
        .header(header::AUTHORIZATION, format!("Bearer {}", world.viewer));
    let answer = world.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().contains("parameters"), "{}", answer.text());
}

#[tokio::test]
async fn a_query_that_cannot_be_carried_out_is_422() {
    let world = world();
    let text = "up * on() up";
    let (kind, _) = refused(&world, "/api/v1/query", &[("query", text)], 422).await;
    assert_eq!(kind, "execution");
    let text = "sum_over_time(vector(1)[1000d:1s])";
    let (kind, why) = refused(&world, "/api/v1/query", &[("query", text)], 422).await;
    assert_eq!(kind, "execution");
    assert!(why.contains("samples"), "{why}");
}

#[tokio::test]
async fn a_query_beyond_its_time_limit_is_503() {
    let world = world();
    let given = [("query", "up"), ("timeout", "20ms")];
    let hanging = world.samples.hang();
    let (kind, _) = refused(&world, "/api/v1/query", &given, 503).await;
    assert_eq!(kind, "timeout");
    drop(hanging);
}

#[tokio::test]
async fn series_labels_and_values_are_listed() {
    let world = world();
    let up = [("match[]", "up")];
    assert_eq!(
        data(&world, "/api/v1/series", &up).await,
        json!([{"__name__": "up", "job": "a"}, {"__name__": "up", "job": "b"}])
    );
    let two = [
        ("match[]", "up{job=\"b\"}"),
        ("match[]", "{\"http.requests\"}"),
    ];
    assert_eq!(
        data(&world, "/api/v1/series", &two)
            .await
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        data(&world, "/api/v1/labels", &[]).await,
        json!(["__name__", "job"])
    );
    let job = "/api/v1/label/job/values";
    assert_eq!(data(&world, job, &[]).await, json!(["a", "b"]));
    assert_eq!(
        data(&world, job, &[("match[]", "{\"http.requests\"}")]).await,
        json!(["a"])
    );
    assert_eq!(
        data(&world, "/api/v1/label/U__job/values", &[]).await,
        json!(["a", "b"])
    );
    let before = [("end", "1")];
    assert_eq!(data(&world, job, &before).await, json!([]));
    let answer = get(&world, job, &[("limit", "1")]).await.json();
    assert_eq!(answer["data"], json!(["a"]));
    assert_eq!(
        answer["warnings"],
        json!(["results truncated due to limit"])
    );
    let answer = get(
        &world,
        "/api/v1/series",
        &[("match[]", "up"), ("limit", "1")],
    )
    .await
    .json();
    assert_eq!(
        answer["warnings"],
        json!(["results truncated due to limit"])
    );
}

#[tokio::test]
async fn metadata_and_exemplars_are_told() {
    let world = world();
    let known = MetricMetadata {
        kind: MetricKind::Counter,
        help: "Requests \"so far\".".to_owned(),
        unit: String::new(),
    };
    let shown = json!([{"type": "counter", "help": known.help, "unit": ""}]);
    for name in ["a_total", "b_total"] {
        world
            .samples
            .metadata
            .lock()
            .unwrap()
            .insert(name.to_owned(), known.clone());
    }
    let metadata = "/api/v1/metadata";
    assert_eq!(
        data(&world, metadata, &[]).await,
        json!({"a_total": shown, "b_total": shown})
    );
    assert_eq!(
        data(&world, metadata, &[("limit", "1")]).await,
        json!({"a_total": shown})
    );
    assert_eq!(
        data(&world, metadata, &[("metric", "b_total")]).await,
        json!({"b_total": shown})
    );

    let labels: Labels = [("__name__", "up"), ("job", "a")].into_iter().collect();
    let stored = StoredExemplar {
        labels: [("trace_id", "1f")].into_iter().collect(),
        at_ms: 1_500,
        value: 0.25,
    };
    world
        .samples
        .exemplars
        .lock()
        .unwrap()
        .insert(labels, vec![stored]);
    let given = [("query", "rate(up[5m]) > 1")];
    assert_eq!(
        data(&world, "/api/v1/query_exemplars", &given).await,
        json!([{
            "seriesLabels": {"__name__": "up", "job": "a"},
            "exemplars": [{"labels": {"trace_id": "1f"}, "value": "0.25", "timestamp": 1.5}],
        }])
    );
    assert_eq!(
        data(&world, "/api/v1/query_exemplars", &[("query", "1")]).await,
        json!([])
    );
}

#[tokio::test]
async fn federation_gives_the_newest_sample_of_living_series() {
    let world = world();
    let ended = f64::from_bits(STALE_NAN_BITS);
    world.samples.put(
        &[("__name__", "up"), ("job", "gone")],
        &[(START_MS - 10, 1.0), (START_MS - 5, ended)],
    );
    world.samples.put(
        &[("__name__", "up"), ("job", "old")],
        &[(START_MS - 400_000, 1.0)],
    );
    let answer = get(
        &world,
        "/federate",
        &[("match[]", "up"), ("match[]", "{job=\"b\"}")],
    )
    .await;
    assert!(
        answer.headers[header::CONTENT_TYPE]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    assert_eq!(
        answer.text(),
        format!(
            "# TYPE up untyped\n\
        up{{job=\"a\",instance=\"\"}} 1 {START_MS}\nup{{job=\"b\",instance=\"\"}} 2.5 {START_MS}\n"
        )
    );
    let none = get(&world, "/federate", &[]).await;
    assert_eq!(none.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_client_learns_whom_it_speaks_to() {
    let world = world();
    let built = data(&world, "/api/v1/status/buildinfo", &[]).await;
    assert_eq!(built["revision"], "tocsin-0.0.0");
    let counted = data(&world, "/api/v1/status/tsdb", &[("limit", "1")]).await;
    assert_eq!(counted["headStats"]["numSeries"], 3);
    assert_eq!(
        counted["seriesCountByMetricName"],
        json!([{"name": "http.requests", "value": 1}])
    );
    for path in ["config", "flags", "runtimeinfo", "walreplay"] {
        assert!(
            data(&world, &format!("/api/v1/status/{path}"), &[])
                .await
                .is_object(),
            "{path}"
        );
    }
    let none = json!({"activeAlertmanagers": [], "droppedAlertmanagers": []});
    assert_eq!(data(&world, "/api/v1/alertmanagers", &[]).await, none);
    for path in ["/-/healthy", "/-/ready", "/prometheus/-/ready"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(world.send(request).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn a_query_is_laid_out_anew() {
    let world = world();
    let given = [("query", "sum(up)by(job)")];
    let laid_out = data(&world, "/api/v1/format_query", &given).await;
    assert_eq!(laid_out, json!("sum by (job) (up)"));
    refused(&world, "/api/v1/format_query", &[("query", "sum(")], 400).await;
}
