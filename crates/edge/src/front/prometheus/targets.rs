//! `targets` and what goes with it: the exporters that are scraped, in Prometheus' shape. It scrapes nothing.

use axum::extract::State;
use axum::response::Response;
use tocsin_promql::Matcher;

use super::json::Json;
use super::parameters::Parameters;
use super::refusal::Refusal;
use super::reply::{self, Bound};
use super::rules::{instant, labels, seconds_of};
use super::series::known_of;
use super::turn;
use crate::app::App;
use crate::ports::scrape::{ActiveTarget, TargetHealth};

const BOUND: Bound = Bound::new("ask for one pool or one target");

/// The exporters that are scraped
#[utoipa::path(get, path = "/api/v1/targets", tag = "fronts", params(
    ("state" = Option<String>, Query), ("scrapePool" = Option<String>, Query)),
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn targets(
    State(app): State<App>,
    given: Parameters,
) -> Result<Response, Refusal> {
    let (active, dropped) = match given.given("state") {
        None | Some("any") => (true, true),
        Some("active") => (true, false),
        Some("dropped") => (false, true),
        // Prometheus takes any other word for none of both.
        Some(_) => (false, false),
    };
    let written = turn::take(&app, turn::TIME_MAX, move |parts, _| {
        let pool = given.given("scrapePool");
        let wanted = |of: &str| pool.is_none_or(|pool| pool == of);
        let targets = &*parts.scrape_targets;
        reply::try_envelope(4_096, &[], |json| {
            json.begin_object();
            json.name("activeTargets");
            json.begin_list();
            if active {
                let found = targets.active();
                for target in found.iter().filter(|one| wanted(&one.pool)) {
                    write_active(json, target);
                    BOUND.check(json.len())?;
                }
            }
            json.end_list();
            json.name("droppedTargets");
            json.begin_list();
            if dropped {
                let found = targets.dropped();
                for target in found.iter().filter(|one| wanted(&one.pool)) {
                    json.begin_object();
                    labels(json, "discoveredLabels", &target.discovered_labels);
                    json.named_text("scrapePool", &target.pool);
                    json.end_object();
                    BOUND.check(json.len())?;
                }
            }
            json.end_list();
            json.name("droppedTargetCounts");
            json.begin_object();
            for (pool, count) in targets.dropped_counts() {
                json.name(&pool);
                json.whole(count);
            }
            json.end_object();
            json.end_object();
            Ok(())
        })
    });
    written.await.map(reply::json)
}

fn write_active(json: &mut Json, target: &ActiveTarget) {
    let health = match target.health {
        TargetHealth::Unknown => "unknown",
        TargetHealth::Up => "up",
        TargetHealth::Down => "down",
    };
    json.begin_object();
    labels(json, "discoveredLabels", &target.discovered_labels);
    labels(json, "labels", &target.labels);
    json.named_text("scrapePool", &target.pool);
    json.named_text("scrapeUrl", &target.scrape_url);
    json.named_text("globalUrl", &target.global_url);
    json.named_text(
        "lastError",
        target.last_error.as_deref().unwrap_or_default(),
    );
    json.named_text("lastScrape", &instant(target.last_scrape));
    seconds_of(json, "lastScrapeDuration", target.last_scrape_us);
    json.named_text("health", health);
    json.named_text("scrapeInterval", &duration(target.interval_ms));
    json.named_text("scrapeTimeout", &duration(target.timeout_ms));
    json.end_object();
}

fn duration(ms: u64) -> String {
    tocsin_promql::format_duration(i64::try_from(ms).unwrap_or(i64::MAX))
}

/// Names of the pools of exporters
#[utoipa::path(get, path = "/api/v1/scrape_pools", tag = "fronts", responses((status = 200, body = Object)))]
pub(crate) async fn pools(State(app): State<App>) -> Result<Response, Refusal> {
    let written = turn::take(&app, turn::TIME_MAX, |parts, _| {
        let pools = parts.scrape_targets.pools();
        Ok(reply::envelope(256, &[], |json| {
            json.begin_object();
            json.name("scrapePools");
            json.texts(pools);
            json.end_object();
        }))
    });
    written.await.map(reply::json)
}

/// What exporters say of their metrics
#[utoipa::path(get, path = "/api/v1/targets/metadata", tag = "fronts", params(
    ("match_target" = Option<String>, Query), ("metric" = Option<String>, Query), ("limit" = Option<String>, Query)),
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn target_metadata(
    State(app): State<App>,
    given: Parameters,
) -> Result<Response, Refusal> {
    let limit = given.count("limit")?;
    let written = turn::take(&app, turn::TIME_MAX, move |parts, _| {
        let matchers = match given.given("match_target") {
            None => Vec::new(),
            Some(text) => tocsin_promql::parse_selector(text)
                .map_err(|error| Refusal::parameter("match_target", error))?,
        };
        let metric = given.given("metric");
        let active = parts.scrape_targets.active();
        let found = active
            .iter()
            .filter(|target| passes(target, &matchers))
            .flat_map(|target| target.metadata.iter().map(move |known| (target, known)))
            .filter(|(_, (name, _))| metric.is_none_or(|metric| metric == name));
        reply::try_envelope(4_096, &[], |json| {
            json.begin_list();
            for (target, (name, known)) in found.take(limit) {
                json.begin_object();
                labels(json, "target", &target.labels);
                if metric.is_none() {
                    json.named_text("metric", name);
                }
                known_of(json, known);
                json.end_object();
                BOUND.check(json.len())?;
            }
            json.end_list();
            Ok(())
        })
    });
    written.await.map(reply::json)
}

fn passes(target: &ActiveTarget, matchers: &[Matcher]) -> bool {
    matchers.iter().all(|matcher| {
        let value = target.labels.get(matcher.name());
        matcher.accepts(value.map_or("", String::as_str))
    })
}
