//! What is evaluated in one sweep must be what each window gives by itself, whatever the samples and however they are
//! stored.
#![expect(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::ops::Range;
use std::sync::Arc;

use proptest::prelude::*;
use tocsin_promql::{
    Chunk, Labels, Limits, PlainChunk, Query, STALE_NAN_BITS, Select, SeriesData, SharedTimes,
    Source, SourceError, Value, is_stale,
};

type Samples = Vec<(i64, f64)>;

/// Series `x_total{s="0"}`, `{s="1"}`, ... in chunks of some length.
#[derive(Debug)]
struct Stored {
    series: Vec<Samples>,
    chunk_len: usize,
    /// Chunks lend their times; series with equal times lend the same column.
    lends: bool,
}

struct Lending {
    times: SharedTimes,
    values: Vec<f64>,
}

impl Chunk for Lending {
    fn span_ms(&self) -> (i64, i64) {
        let times = self.times.times();
        (times[0], times[times.len() - 1])
    }

    fn len(&self) -> usize {
        self.values.len()
    }

    fn read(
        &self,
        from_ms: i64,
        to_ms: i64,
        times: &mut Vec<i64>,
        values: &mut Vec<f64>,
    ) -> Result<(), SourceError> {
        for (time, value) in self.times.times().iter().zip(&self.values) {
            if (from_ms..=to_ms).contains(time) {
                times.push(*time);
                values.push(*value);
            }
        }
        Ok(())
    }

    fn shared_times(&self) -> Option<SharedTimes> {
        Some(self.times.clone())
    }

    fn read_values(&self, places: Range<usize>, values: &mut Vec<f64>) -> Result<(), SourceError> {
        values.extend_from_slice(&self.values[places]);
        Ok(())
    }

    fn may_be_stale(&self) -> bool {
        self.values.iter().any(|value| is_stale(*value))
    }
}

impl Source for Stored {
    fn select(&self, select: &Select<'_>) -> Result<Vec<SeriesData>, SourceError> {
        let mut columns: Vec<Arc<[i64]>> = Vec::new();
        let mut found = Vec::new();
        for (at, samples) in self.series.iter().enumerate() {
            let labels = labels(at);
            if !select
                .matchers
                .iter()
                .all(|one| one.accepts_labels(&labels))
            {
                continue;
            }
            let times: Arc<[i64]> = samples.iter().map(|(time, _)| *time).collect();
            let column = columns.iter().find(|known| **known == times).cloned();
            let column = column.unwrap_or_else(|| {
                columns.push(Arc::clone(&times));
                times
            });
            let chunk = |start: usize| -> Arc<dyn Chunk> {
                let places = start..samples.len().min(start + self.chunk_len);
                let part = &samples[places.clone()];
                let values = part.iter().map(|(_, value)| *value).collect();
                // Every third chunk keeps its times, so that a series has both kinds.
                if self.lends && start % 3 != 2 {
                    let times = SharedTimes::new(Arc::clone(&column), places);
                    Arc::new(Lending { times, values })
                } else {
                    let times = part.iter().map(|(time, _)| *time).collect();
                    Arc::new(PlainChunk::new(times, values))
                }
            };
            let chunks = (0..samples.len()).step_by(self.chunk_len).map(chunk);
            found.push(SeriesData {
                labels,
                chunks: chunks.collect(),
            });
        }
        Ok(found)
    }
}

fn labels(at: usize) -> Labels {
    [
        ("__name__", "x_total"),
        ("s", at.to_string().as_str()),
        ("g", ["a", "b"][at % 2]),
    ]
    .into_iter()
    .collect()
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => (-20_i32..200).prop_map(f64::from),
        2 => -1e9..1e9_f64,
        1 => Just(f64::NAN),
        1 => Just(f64::from_bits(STALE_NAN_BITS)),
        1 => prop::sample::select(vec![f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.0, 1e308, 1e-308]),
    ]
}

/// Samples with gaps; half of the time a counter that is reset now and then.
fn samples() -> impl Strategy<Value = Samples> {
    let gap = prop_oneof![6 => Just(1_000_i64), 2 => 1..3_000_i64, 1 => 5_000..40_000_i64];
    let plain = prop::collection::vec((gap.clone(), value()), 0..60);
    let counter = prop::collection::vec((gap, 0_u8..40), 0..60).prop_map(|steps| {
        let mut total = 0.0;
        let each = steps.into_iter().map(|(gap, by)| {
            total = if by == 0 { 0.0 } else { total + f64::from(by) };
            (gap, total)
        });
        each.collect()
    });
    prop_oneof![plain, counter].prop_map(|steps: Vec<(i64, f64)>| {
        let mut time = 0;
        let each = steps.into_iter().map(|(gap, value)| {
            time += gap;
            (time, value)
        });
        each.collect()
    })
}

fn stored() -> impl Strategy<Value = Stored> {
    let series = prop::collection::vec(samples(), 1..5);
    (series, any::<bool>(), 1..20_usize, any::<bool>()).prop_map(
        |(mut series, is_one_scrape, chunk_len, lends)| {
            if is_one_scrape {
                // All series get the times of the first.
                let times: Vec<i64> = series[0].iter().map(|(time, _)| *time).collect();
                for one in &mut series {
                    one.truncate(times.len());
                    for (sample, time) in one.iter_mut().zip(&times) {
                        sample.0 = *time;
                    }
                }
            }
            Stored {
                series,
                chunk_len,
                lends,
            }
        },
    )
}

/// A function by the letter of its description, over the samples of one window that ends at `end`.
fn naive(func: &str, window: &[(i64, f64)], end: i64, range: i64) -> Option<f64> {
    let values: Vec<f64> = window.iter().map(|(_, value)| *value).collect();
    let ((first_ms, first), (last_ms, last)) = (*window.first()?, *window.last()?);
    let pairs = || values.iter().zip(&values[1..]);
    let seconds = |ms: i64| ms as f64 / 1e3;
    let best = |is_better: fn(f64, f64) -> bool| {
        let pick = |best: f64, value: &f64| {
            if is_better(*value, best) || best.is_nan() {
                *value
            } else {
                best
            }
        };
        values.iter().fold(f64::NAN, pick)
    };
    let rise = |is_counter: bool, per: f64| {
        if window.len() < 2 {
            return None;
        }
        let mut rise = last - first;
        for (before, after) in pairs() {
            if is_counter && after < before {
                rise += before;
            }
        }
        let mut to_start = seconds(first_ms - (end - range));
        let mut to_end = seconds(end - last_ms);
        let sampled = seconds(last_ms - first_ms);
        let between = sampled / (window.len() - 1) as f64;
        if to_start >= between * 1.1 {
            to_start = between / 2.0;
        }
        if is_counter && rise > 0.0 && first >= 0.0 {
            to_start = to_start.min(sampled * (first / rise));
        }
        if to_end >= between * 1.1 {
            to_end = between / 2.0;
        }
        Some(rise * ((sampled + to_start + to_end) / sampled / per))
    };
    match func {
        "rate" => rise(true, seconds(range)),
        "increase" => rise(true, 1.0),
        "delta" => rise(false, 1.0),
        "max_over_time" => Some(best(|a, b| a > b)),
        "min_over_time" => Some(best(|a, b| a < b)),
        "count_over_time" => Some(values.len() as f64),
        "present_over_time" => Some(1.0),
        "last_over_time" => Some(last),
        "first_over_time" => Some(first),
        "resets" => Some(pairs().filter(|(before, after)| after < before).count() as f64),
        "changes" => {
            let changed = |(a, b): &(&f64, &f64)| a != b && !(a.is_nan() && b.is_nan());
            Some(pairs().filter(changed).count() as f64)
        }
        "idelta" => (values.len() > 1).then(|| last - values[values.len() - 2]),
        "ts_of_last_over_time" => Some(seconds(last_ms)),
        _ => unreachable!("{func}"),
    }
}

const FUNCTIONS: &[&str] = &[
    "rate",
    "increase",
    "delta",
    "max_over_time",
    "min_over_time",
    "count_over_time",
    "present_over_time",
    "last_over_time",
    "first_over_time",
    "resets",
    "changes",
    "idelta",
    "ts_of_last_over_time",
];

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

fn matrix(query: &Query, source: &Stored, grid: (i64, i64, i64)) -> Vec<(Labels, Samples)> {
    let answer = query.range(source, grid.0, grid.1, grid.2, &Limits::default());
    let Value::Matrix(series) = answer.unwrap().value else {
        panic!("a range gives a matrix");
    };
    let series = series.into_iter().map(|one| (one.labels, one.points));
    series.collect()
}

fn vector(query: &Query, source: &Stored, at_ms: i64) -> Vec<(Labels, f64)> {
    let answer = query.instant(source, at_ms, &Limits::default()).unwrap();
    match answer.value {
        Value::Vector(samples) => samples.into_iter().map(|s| (s.labels, s.value)).collect(),
        Value::Scalar(value) => vec![(Labels::default(), value)],
        Value::Text(_) | Value::Matrix(_) => panic!("a vector or a number"),
    }
}

const QUERIES: &[&str] = &[
    "x_total",
    "x_total offset -3s",
    "timestamp(x_total)",
    "sum by (g) (rate(x_total[7s]))",
    "avg without (s) (x_total)",
    "max by (g, s) (increase(x_total[20s] offset 2s))",
    "count(x_total)",
    "count_values(\"v\", changes(x_total[9s]))",
    "stddev(delta(x_total[30s]))",
    "quantile by (g) (0.3, x_total)",
    "topk(2, x_total)",
    "bottomk by (g) (1, x_total)",
    "absent(x_total)",
    "absent_over_time(x_total{s=\"0\"}[5s])",
    "max_over_time(rate(x_total[5s])[20s:3s])",
    "rate(x_total[9s] @ 20)",
    "x_total > 50",
    "x_total / on (s) group_left () x_total",
    "sum by (g) (x_total) + on (g) count by (g) (x_total)",
    "x_total and on (g) (x_total > 10) or x_total{s=\"1\"} unless x_total < 0",
    "quantile_over_time(0.7, x_total[11s])",
    "predict_linear(x_total[15s], 60)",
    "scalar(x_total{s=\"0\"}) + time()",
];

proptest! {
    #[test]
    fn a_sweep_gives_what_each_window_gives(
        source in stored(),
        func in prop::sample::select(FUNCTIONS),
        (start, step, range) in (-5_000..60_000_i64, 1..9_000_i64, 1..40_000_i64),
    ) {
        let query = Query::parse(&format!("{func}(x_total[{range}ms])")).unwrap();
        let grid = (start, start + 25 * step, step);
        let found = matrix(&query, &source, grid);
        for (at, samples) in source.series.iter().enumerate() {
            let labels = if matches!(func, "last_over_time" | "first_over_time") {
                labels(at)
            } else {
                labels(at).without_name()
            };
            let points = found.iter().find(|(other, _)| *other == labels);
            let points = points.map_or(&[][..], |(_, points)| points);
            let mut expected = Vec::new();
            for end in (0..=25).map(|place| start + place * step) {
                let window: Samples = samples
                    .iter()
                    .copied()
                    .filter(|(time, value)| {
                        *time > end - range && *time <= end && !is_stale(*value)
                    })
                    .collect();
                expected.extend(naive(func, &window, end, range).map(|value| (end, value)));
            }
            prop_assert_eq!(points.len(), expected.len(), "{} {:?} {:?}", labels, points, expected);
            for (point, wanted) in points.iter().zip(&expected) {
                prop_assert!(point.0 == wanted.0 && same(point.1, wanted.1), "{point:?} {wanted:?}");
            }
        }
    }

    #[test]
    fn an_instant_gives_what_a_range_gives_there(
        source in stored(),
        text in prop::sample::select(QUERIES),
        (start, step) in (-5_000..60_000_i64, 1..20_000_i64),
    ) {
        let query = Query::parse(text).unwrap();
        let grid = (start, start + 6 * step, step);
        let found = matrix(&query, &source, grid);
        for at_ms in (0..=6).map(|place| start + place * step) {
            let mut instant = vector(&query, &source, at_ms);
            instant.sort_by(|a, b| a.0.cmp(&b.0));
            let column = found.iter().filter_map(|(labels, points)| {
                let point = points.iter().find(|(time, _)| *time == at_ms)?;
                Some((labels.clone(), point.1))
            });
            let column: Vec<(Labels, f64)> = column.collect();
            prop_assert_eq!(instant.len(), column.len(), "at {}: {:?} {:?}", at_ms, instant, column);
            for (one, other) in instant.iter().zip(&column) {
                prop_assert!(one.0 == other.0 && same(one.1, other.1), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn how_samples_are_stored_does_not_show(
        source in stored(),
        text in prop::sample::select(QUERIES),
        (start, step) in (-5_000..60_000_i64, 1..20_000_i64),
    ) {
        let query = Query::parse(text).unwrap();
        let grid = (start, start + 6 * step, step);
        let whole = Stored { series: source.series.clone(), chunk_len: 1_000, lends: false };
        let (found, expected) = (matrix(&query, &source, grid), matrix(&query, &whole, grid));
        prop_assert_eq!(format!("{found:?}"), format!("{expected:?}"));
    }
}
