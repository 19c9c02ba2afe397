//! `/federate`: the newest sample of each series that is asked for, as text that any Prometheus scrapes.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use tocsin_promql::{Labels, Limits, METRIC_NAME, Matcher, Select, SeriesData, Source, is_stale};

use super::number::write_float;
use super::parameters::Parameters;
use super::refusal::Refusal;
use super::reply::Bound;
use super::turn::{self, Patience};
use crate::app::App;

const BOUND: Bound = Bound::new("narrow its matchers");
/// The label that a scraper would otherwise take from itself.
const INSTANCE: &str = "instance";

/// The newest samples of series, for another Prometheus
#[utoipa::path(get, path = "/federate", tag = "fronts", params(("match[]" = Vec<String>, Query)),
    responses((status = 200, content_type = "text/plain", body = String), (status = 400, content_type = "text/plain", body = String),
        (status = 422, content_type = "text/plain", body = String), (status = 503, content_type = "text/plain", body = String)))]
pub(crate) async fn federate(
    State(app): State<App>,
    headers: HeaderMap,
    given: Parameters,
) -> Response {
    let (utf8, now_ms) = (accepts_utf8(&headers), app.now().as_millis());
    let text = turn::take(&app, turn::TIME_MAX, move |parts, patience| {
        let sets = given.selectors()?;
        if sets.is_empty() {
            return Err(Refusal::bad(
                "no match[] parameter: name the series, for example match[]=up",
            ));
        }
        let newest = newest(parts.metrics.source(), &sets, now_ms, patience)?;
        exposition(&newest, utf8, BOUND)
    });
    match text.await {
        Ok(text) => ([(header::CONTENT_TYPE, content_type(utf8))], text).into_response(),
        Err(refusal) => refusal.into_plain(),
    }
}

/// Whether the scraper takes any names, as Prometheus 3 does; others are given names of the old kind.
fn accepts_utf8(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("escaping=allow-utf-8"))
}

const fn content_type(utf8: bool) -> &'static str {
    if utf8 {
        "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
    } else {
        "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    }
}

/// A metric's series with their newest sample, by labels.
type OfMetric = BTreeMap<Labels, (i64, f64)>;

/// The newest sample of each series that is no older than a query would look back; series that ended are left out.
fn newest(
    source: &dyn Source,
    sets: &[Vec<Matcher>],
    now_ms: i64,
    patience: &Patience,
) -> Result<BTreeMap<String, OfMetric>, Refusal> {
    let limits = Limits::default();
    let from_ms = now_ms.saturating_sub(limits.lookback_ms);
    let mut found = BTreeMap::new();
    for set in sets {
        let select = Select::new(set, from_ms, now_ms).with_series_max(limits.series_max);
        for series in source.select(&select)? {
            patience.check()?;
            let Some((at_ms, value)) = last(&series, from_ms, now_ms)? else {
                continue;
            };
            let name = series.labels.metric_name().to_owned();
            let of_metric: &mut OfMetric = found.entry(name).or_default();
            of_metric.insert(series.labels, (at_ms, value));
        }
    }
    Ok(found)
}

fn last(series: &SeriesData, from_ms: i64, to_ms: i64) -> Result<Option<(i64, f64)>, Refusal> {
    let (mut times, mut values) = (Vec::new(), Vec::new());
    for chunk in series.chunks.iter().rev() {
        chunk.read(from_ms, to_ms, &mut times, &mut values)?;
        if let (Some(at_ms), Some(value)) = (times.last(), values.last()) {
            return Ok((!is_stale(*value)).then_some((*at_ms, *value)));
        }
    }
    Ok(None)
}

fn exposition(
    found: &BTreeMap<String, OfMetric>,
    utf8: bool,
    bound: Bound,
) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::new();
    for (name, series) in found {
        // Without a name there is nothing that the format could call it.
        if name.is_empty() {
            continue;
        }
        let quoted = utf8 && !is_plain(name);
        let shown = shown(name, utf8);
        out.extend_from_slice(b"# TYPE ");
        write_name(&mut out, &shown, quoted);
        out.extend_from_slice(b" untyped\n");
        for (labels, (at_ms, value)) in series {
            write_series(&mut out, &shown, quoted, labels, utf8);
            out.push(b' ');
            write_float(&mut out, *value);
            out.extend_from_slice(format!(" {at_ms}\n").as_bytes());
            bound.check(out.len())?;
        }
    }
    Ok(out)
}

fn write_series(out: &mut Vec<u8>, name: &str, quoted: bool, labels: &Labels, utf8: bool) {
    if !quoted {
        out.extend_from_slice(name.as_bytes());
    }
    out.push(b'{');
    let mut separator: &[u8] = b"";
    if quoted {
        write_name(out, name, true);
        separator = b",";
    }
    let given = labels.iter().filter(|(name, _)| *name != METRIC_NAME);
    let without_instance = labels.get(INSTANCE).is_empty();
    // An empty one keeps the scraper from putting its own there.
    let instance = without_instance.then_some((INSTANCE, ""));
    for (name, value) in given.chain(instance) {
        out.extend_from_slice(separator);
        separator = b",";
        write_name(out, &shown(name, utf8), utf8 && !is_plain(name));
        out.extend_from_slice(b"=\"");
        escape(out, value);
        out.push(b'"');
    }
    out.push(b'}');
}

/// A name as it is shown to a scraper that does, or does not, take any name.
fn shown(name: &str, utf8: bool) -> String {
    if utf8 || is_plain(name) {
        return name.to_owned();
    }
    let plain = |(at, c): (usize, char)| {
        let good =
            c == '_' || c == ':' || c.is_ascii_alphabetic() || (at > 0 && c.is_ascii_digit());
        if good { c } else { '_' }
    };
    name.char_indices().map(plain).collect()
}

/// Whether every scraper takes this name.
fn is_plain(name: &str) -> bool {
    let good = |byte: u8| byte == b'_' || byte == b':' || byte.is_ascii_alphanumeric();
    name.bytes().all(good) && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn write_name(out: &mut Vec<u8>, name: &str, quoted: bool) {
    if quoted {
        out.push(b'"');
        escape(out, name);
        out.push(b'"');
    } else {
        out.extend_from_slice(name.as_bytes());
    }
}

fn escape(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'"' => out.extend_from_slice(b"\\\""),
            b'\n' => out.extend_from_slice(b"\\n"),
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(labels: &[(&'static str, &'static str)], value: f64, utf8: bool, expected: &str) {
        let labels: Labels = labels.iter().copied().collect();
        let name = labels.metric_name().to_owned();
        let found = BTreeMap::from([(name, BTreeMap::from([(labels, (7, value))]))]);
        let text = exposition(&found, utf8, BOUND).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    #[test]
    fn a_series_is_one_line_with_its_time() {
        check(
            &[("__name__", "up"), ("instance", "a:1"), ("job", "x\"\\\n")],
            1.0,
            false,
            "# TYPE up untyped\nup{instance=\"a:1\",job=\"x\\\"\\\\\\n\"} 1 7\n",
        );
    }

    #[test]
    fn names_of_the_new_kind_are_quoted_or_made_plain() {
        let labels = [("__name__", "http.status"), ("code é", "5")];
        check(
            &labels,
            f64::INFINITY,
            true,
            "# TYPE \"http.status\" untyped\n{\"http.status\",\"code é\"=\"5\",instance=\"\"} +Inf 7\n",
        );
        check(
            &labels,
            0.5,
            false,
            "# TYPE http_status untyped\nhttp_status{code__=\"5\",instance=\"\"} 0.5 7\n",
        );
    }

    #[test]
    fn an_answer_that_grows_too_large_is_refused_within_a_metric() {
        let labels = |number: i64| {
            let number = number.to_string();
            [("__name__", "up"), ("job", &number)].into_iter().collect()
        };
        let series = (0..100).map(|number| (labels(number), (7, 1.0)));
        let found = BTreeMap::from([("up".to_owned(), series.collect())]);
        let refusal = exposition(&found, true, Bound::of_bytes(100)).unwrap_err();
        assert_eq!(
            refusal.text(),
            "the answer is larger than 100 bytes: ask for less"
        );
        assert!(exposition(&found, true, Bound::of_bytes(10_000)).is_ok());
    }

    #[test]
    fn what_has_no_name_is_left_out() {
        check(&[("a", "b")], 1.0, true, "");
    }
}
