//! What there is: series, names of labels and their values, what is known of metrics, and exemplars.

use axum::extract::{Path, State};
use axum::response::Response;
use tocsin_domain::write::MetricMetadata;
use tocsin_promql::{Ask, Labels, Limits, Matcher, Note, Query, StoredExemplar};

use super::json::Json;
use super::parameters::Parameters;
use super::query::wait_of;
use super::refusal::Refusal;
use super::reply::{self, Bound, truncated, try_envelope};
use super::turn;
use crate::app::App;
use crate::ports::Metrics;

/// Series in one answer at most, whatever is asked for: a client that means all of very many can use federation or queries.
const SERIES_MAX: usize = 500_000;
/// Series whose exemplars are in one answer at most.
const EXEMPLAR_SERIES_MAX: usize = 100_000;
/// Bytes that are set aside at first, at most.
const BYTES_FIRST_MAX: usize = 32 * 1024 * 1024;
const BOUND: Bound = Bound::new("narrow its matchers or set a limit");
/// Escaped names begin with this (Prometheus 3, "UTF-8 names").
const ESCAPED: &str = "U__";

/// Which series a question is about, and when.
struct Scope {
    sets: Vec<Vec<Matcher>>,
    from_ms: i64,
    to_ms: i64,
}

impl Scope {
    fn of(given: &Parameters) -> Result<Self, Refusal> {
        let (from_ms, to_ms) = (
            given.instant("start", i64::MIN)?,
            given.instant("end", i64::MAX)?,
        );
        if to_ms < from_ms {
            return Err(Refusal::parameter("end", "it is before the start"));
        }
        Ok(Self {
            sets: given.selectors()?,
            from_ms,
            to_ms,
        })
    }

    fn ask(&self) -> Ask<'_> {
        Ask {
            sets: &self.sets,
            from_ms: self.from_ms,
            to_ms: self.to_ms,
        }
    }
}

/// The series that pass
#[utoipa::path(method(get, post), path = "/api/v1/series", tag = "fronts", params(
    ("match[]" = Vec<String>, Query), ("start" = Option<String>, Query), ("end" = Option<String>, Query), ("limit" = Option<String>, Query)),
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404), (status = 503, body = Object)))]
pub(crate) async fn series(State(app): State<App>, given: Parameters) -> Result<Response, Refusal> {
    let limit = given.limit("limit")?.min(SERIES_MAX);
    if given.all("match[]").next().is_none() {
        return Err(Refusal::bad(
            "no match[] parameter: name the series, for example match[]=up",
        ));
    }
    let wait = wait_of(&given)?;
    let found = turn::take(&app, wait, move |parts, _| {
        let scope = Scope::of(&given)?;
        let (found, more) = parts.metrics.series(&scope.ask(), limit)?;
        write_series(&found, more, BOUND)
    });
    found.await.map(reply::json)
}

fn write_series(found: &[Labels], more: bool, bound: Bound) -> Result<Vec<u8>, Refusal> {
    let notes: Vec<Note> = more.then(truncated).into_iter().collect();
    try_envelope(capacity(found.len(), 128), &notes, |json| {
        json.begin_list();
        for labels in found {
            json.labels(labels.iter());
            bound.check(json.len())?;
        }
        json.end_list();
        Ok(())
    })
}

/// Bytes that are set aside at first for so many things.
fn capacity(count: usize, bytes_each: usize) -> usize {
    (count * bytes_each + 64).min(BYTES_FIRST_MAX)
}

/// The names of labels
#[utoipa::path(method(get, post), path = "/api/v1/labels", tag = "fronts", params(
    ("match[]" = Option<Vec<String>>, Query), ("start" = Option<String>, Query), ("end" = Option<String>, Query), ("limit" = Option<String>, Query)),
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 503, body = Object)))]
pub(crate) async fn labels(State(app): State<App>, given: Parameters) -> Result<Response, Refusal> {
    listed(&app, given, |metrics, ask| metrics.label_names(ask)).await
}

/// The values of one label
#[utoipa::path(get, path = "/api/v1/label/{name}/values", tag = "fronts", params(("name" = String, Path),
    ("match[]" = Option<Vec<String>>, Query), ("start" = Option<String>, Query), ("end" = Option<String>, Query), ("limit" = Option<String>, Query)),
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 503, body = Object)))]
pub(crate) async fn values(
    State(app): State<App>,
    Path(name): Path<String>,
    given: Parameters,
) -> Result<Response, Refusal> {
    let name = unescape(&name).unwrap_or(name);
    if name.is_empty() {
        return Err(Refusal::bad("the label's name is empty"));
    }
    listed(&app, given, move |metrics, ask| {
        metrics.label_values(&name, ask)
    })
    .await
}

/// A list of texts about the series that are meant.
async fn listed(
    app: &App,
    given: Parameters,
    look: impl FnOnce(&dyn Metrics, &Ask<'_>) -> Result<Vec<String>, crate::ports::StorageError>
    + Send
    + 'static,
) -> Result<Response, Refusal> {
    let limit = given.limit("limit")?;
    let wait = wait_of(&given)?;
    let found = turn::take(app, wait, move |parts, _| {
        let scope = Scope::of(&given)?;
        let found = look(&*parts.metrics, &scope.ask())?;
        write_texts(&found, limit, BOUND)
    });
    found.await.map(reply::json)
}

fn write_texts(found: &[String], limit: usize, bound: Bound) -> Result<Vec<u8>, Refusal> {
    let more = found.len() > limit;
    let notes: Vec<Note> = more.then(truncated).into_iter().collect();
    try_envelope(capacity(found.len().min(limit), 24), &notes, |json| {
        json.begin_list();
        for text in found.iter().take(limit) {
            json.text(text);
            bound.check(json.len())?;
        }
        json.end_list();
        Ok(())
    })
}

/// A name as it was before it was escaped to fit into an address: `U__http_2e_status` is `http.status`. None when it is not
/// escaped, or not well.
fn unescape(name: &str) -> Option<String> {
    let mut rest = name.strip_prefix(ESCAPED)?;
    let mut plain = String::with_capacity(rest.len());
    while let Some((before, after)) = rest.split_once('_') {
        plain.push_str(before);
        if let Some(after) = after.strip_prefix('_') {
            plain.push('_');
            rest = after;
            continue;
        }
        let (digits, after) = after.split_once('_')?;
        let code = u32::from_str_radix(digits, 16).ok()?;
        plain.push(char::from_u32(code)?);
        rest = after;
    }
    plain.push_str(rest);
    Some(plain)
}

/// What is known of metrics
#[utoipa::path(get, path = "/api/v1/metadata", tag = "fronts", params(
    ("metric" = Option<String>, Query), ("limit" = Option<String>, Query), ("limit_per_metric" = Option<String>, Query)),
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn metadata(
    State(app): State<App>,
    given: Parameters,
) -> Result<Response, Refusal> {
    let (limit, per_metric) = (given.count("limit")?, given.count("limit_per_metric")?);
    let found = turn::take(&app, turn::TIME_MAX, move |parts, _| {
        let found = parts.metrics.metadata(given.given("metric"));
        write_metadata(&found, limit, per_metric, BOUND)
    });
    found.await.map(reply::json)
}

fn write_metadata(
    found: &[(String, MetricMetadata)],
    limit: usize,
    per_metric: usize,
    bound: Bound,
) -> Result<Vec<u8>, Refusal> {
    try_envelope(capacity(found.len(), 128), &[], |json| {
        json.begin_object();
        // Sorted by name, so that what is known of one metric stands together.
        let by_metric = found.chunk_by(|one, next| one.0 == next.0);
        for of_metric in by_metric.take(limit) {
            let Some((name, _)) = of_metric.first() else {
                continue;
            };
            json.name(name);
            json.begin_list();
            for (_, known) in of_metric.iter().take(per_metric) {
                json.begin_object();
                known_of(json, known);
                json.end_object();
                bound.check(json.len())?;
            }
            json.end_list();
        }
        json.end_object();
        Ok(())
    })
}

/// The fields that tell what is known of a metric.
pub(crate) fn known_of(json: &mut Json, known: &MetricMetadata) {
    json.named_text("type", known.kind.word());
    json.named_text("help", &known.help);
    json.named_text("unit", &known.unit);
}

/// The exemplars of the series that a query reads
#[utoipa::path(method(get, post), path = "/api/v1/query_exemplars", tag = "fronts", params(
    ("query" = String, Query), ("start" = Option<String>, Query), ("end" = Option<String>, Query)),
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 503, body = Object)))]
pub(crate) async fn exemplars(
    State(app): State<App>,
    given: Parameters,
) -> Result<Response, Refusal> {
    let (from_ms, to_ms) = (
        given.instant("start", i64::MIN)?,
        given.instant("end", i64::MAX)?,
    );
    if to_ms < from_ms {
        return Err(Refusal::parameter("end", "it is before the start"));
    }
    let found = turn::take(&app, turn::TIME_MAX, move |parts, _| {
        let text = given.get("query").unwrap_or_default();
        let query = Query::parse(text).map_err(|error| Refusal::parameter("query", error))?;
        // Times of the query itself (`offset`, `@`) do not count here, as in Prometheus: only which series it reads.
        let needs = query.needs(0, 0, &Limits::default());
        let sets: Vec<_> = needs.iter().map(|need| need.matchers.to_vec()).collect();
        let ask = Ask {
            sets: &sets,
            from_ms,
            to_ms,
        };
        // No set would mean all series.
        let found = if sets.is_empty() {
            Vec::new()
        } else {
            parts.metrics.exemplars(&ask)
        };
        write_exemplars(&found, BOUND)
    });
    found.await.map(reply::json)
}

fn write_exemplars(
    found: &[(Labels, Vec<StoredExemplar>)],
    bound: Bound,
) -> Result<Vec<u8>, Refusal> {
    try_envelope(capacity(found.len(), 256), &[], |json| {
        json.begin_list();
        for (labels, exemplars) in found.iter().take(EXEMPLAR_SERIES_MAX) {
            of_series(json, labels, exemplars, bound)?;
        }
        json.end_list();
        Ok(())
    })
}

fn of_series(
    json: &mut Json,
    labels: &Labels,
    exemplars: &[StoredExemplar],
    bound: Bound,
) -> Result<(), Refusal> {
    json.begin_object();
    json.name("seriesLabels");
    json.labels(labels.iter());
    json.name("exemplars");
    json.begin_list();
    for exemplar in exemplars {
        json.begin_object();
        json.name("labels");
        json.labels(exemplar.labels.iter());
        json.name("value");
        json.float_text(exemplar.value);
        json.name("timestamp");
        json.seconds(exemplar.at_ms);
        json.end_object();
        bound.check(json.len())?;
    }
    json.end_list();
    json.end_object();
    bound.check(json.len())
}

#[cfg(test)]
mod tests {
    use tocsin_domain::write::MetricKind;

    use super::*;

    /// What is written within a bound is whole; what outgrows it is refused, with no more written than one thing too much.
    fn check_bound(write: impl Fn(Bound) -> Result<Vec<u8>, Refusal>) {
        let whole = write(BOUND).unwrap();
        assert!(whole.len() > 2_000, "{}", whole.len());
        assert!(write(Bound::of_bytes(whole.len())).is_ok());
        let refusal = write(Bound::of_bytes(1_000)).unwrap_err();
        assert_eq!(
            refusal.text(),
            "the answer is larger than 1000 bytes: ask for less"
        );
    }

    #[test]
    fn no_list_outgrows_what_an_answer_may_have() {
        let text = |number: usize| format!("{number:050}");
        let texts: Vec<String> = (0..100).map(text).collect();
        let labels: Vec<Labels> = texts
            .iter()
            .map(|text| [("job", text.as_str())].into_iter().collect())
            .collect();
        let exemplar = |labels: &Labels| StoredExemplar {
            labels: labels.clone(),
            at_ms: 7,
            value: 1.0,
        };
        let exemplars = vec![(labels[0].clone(), labels.iter().map(exemplar).collect())];
        let known = |text: &String| MetricMetadata {
            kind: MetricKind::Gauge,
            help: text.clone(),
            unit: String::new(),
        };
        let metadata: Vec<_> = texts
            .iter()
            .map(|text| ("up".to_owned(), known(text)))
            .collect();
        check_bound(|bound| write_series(&labels, false, bound));
        check_bound(|bound| write_texts(&texts, usize::MAX, bound));
        check_bound(|bound| write_metadata(&metadata, usize::MAX, usize::MAX, bound));
        check_bound(|bound| write_exemplars(&exemplars, bound));
    }

    #[test]
    fn an_escaped_name_is_read_back_and_a_broken_one_is_left_alone() {
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(unescape(name).as_deref(), expected, "{name}");
        };
        check("job", None);
        check("U__http_2e_status", Some("http.status"));
        check("U__a__b", Some("a_b"));
        check("U__caf_e9_", Some("café"));
        check("U___1f600__", None);
        check("U__", Some(""));
        check("U__a_zz_", None);
        check("U__a_2e", None);
        check("U__a_d800_", None);
    }
}
