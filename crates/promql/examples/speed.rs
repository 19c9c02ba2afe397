//! Prints what typical queries cost over an in-memory source shaped like a fleet of web servers; it knows no store.
//!
//! `cargo run --release -p tocsin-promql --example speed [RUNS]`: 2,000 series of 20 instances, 8 h at 15 s. Each line is
//! the least of all runs, in milliseconds.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement needs a clock and a place to print to; the crate itself has neither"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use tocsin_promql::{
    Chunk, Labels, Limits, PlainChunk, Query, Select, SeriesData, SharedTimes, Source, SourceError,
};

const INSTANCES: usize = 20;
const SERIES_EACH: usize = 100;
const STEP_MS: i64 = 15_000;
const SAMPLES: i64 = 8 * 3_600_000 / STEP_MS;
const START_MS: i64 = 1_700_000_000_000;
const END_MS: i64 = START_MS + SAMPLES * STEP_MS;
/// Samples of one chunk, as a store would cut them.
const CHUNK_SAMPLES: usize = 480;

/// A chunk whose times are shared by all series of one instance, as a store keeps what was scraped together.
struct Scraped {
    span_ms: (i64, i64),
    times: SharedTimes,
    values: Vec<f64>,
}

impl Chunk for Scraped {
    fn span_ms(&self) -> (i64, i64) {
        self.span_ms
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
        false
    }
}

/// Series in the order of labels, with an index from label and value to places.
struct Fleet {
    series: Vec<(Labels, Vec<Arc<dyn Chunk>>)>,
    index: BTreeMap<(String, String), Vec<usize>>,
}

impl Source for Fleet {
    fn select(&self, select: &Select<'_>) -> Result<Vec<SeriesData>, SourceError> {
        let mut places: Option<Vec<usize>> = None;
        for matcher in select.matchers {
            let mut of_matcher = Vec::new();
            for value in matcher.candidates().unwrap_or_default() {
                let key = (matcher.name().to_owned(), value.to_owned());
                of_matcher.extend(self.index.get(&key).into_iter().flatten().copied());
            }
            of_matcher.sort_unstable();
            places = Some(match places {
                None => of_matcher,
                Some(mut before) => {
                    before.retain(|place| of_matcher.binary_search(place).is_ok());
                    before
                }
            });
        }
        let found = places.unwrap_or_default().into_iter().map(|place| {
            let (labels, chunks) = &self.series[place];
            let in_span = chunks.iter().filter(|chunk| {
                let (first, last) = chunk.span_ms();
                first <= select.end_ms && last >= select.start_ms
            });
            SeriesData {
                labels: labels.clone(),
                chunks: in_span.cloned().collect(),
            }
        });
        Ok(found.collect())
    }
}

/// A small generator of numbers that look random; the same on every run.
struct Dice(u64);

impl Dice {
    fn unit(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn labels(instance: usize, kind: usize) -> Labels {
    let (name, label, value) = match kind {
        0..60 => ("bench_requests_total", "path", format!("/p{kind:02}")),
        60..70 => ("bench_cpu_seconds_total", "cpu", format!("{kind:02}")),
        70..80 => ("bench_ratio", "dev", format!("d{kind:02}")),
        80..95 => ("bench_workers", "state", format!("s{kind:02}")),
        _ => ("bench_limit", "kind", format!("k{kind:02}")),
    };
    let instance = format!("web-{instance:04}:9117");
    [
        ("__name__", name),
        ("env", "prod"),
        ("instance", &instance),
        ("job", "apache"),
        (label, &value),
    ]
    .into_iter()
    .collect()
}

fn values(kind: usize, dice: &mut Dice) -> Vec<f64> {
    let rate = (dice.unit() * 8.0 - 3.0).exp() * 15.0;
    let mut value = (dice.unit() * 1e6).floor();
    let mut column = Vec::new();
    for _ in 0..SAMPLES {
        value = match kind {
            0..60 => value + (rate * 2.0 * dice.unit()).floor(),
            60..70 => value + (dice.unit() * 1e4).round() / 1e4,
            70..80 => ((value + dice.unit() - 0.5) * 100.0).round() / 100.0,
            80..95 if dice.unit() < 0.3 => (value + (dice.unit() * 5.0).floor() - 2.0).max(0.0),
            _ => value,
        };
        column.push(value);
    }
    column
}

fn fleet(shares_times: bool) -> Fleet {
    let mut dice = Dice(1);
    let mut series = Vec::new();
    for instance in 0..INSTANCES {
        let times: Arc<[i64]> = (1..=SAMPLES).map(|at| START_MS + at * STEP_MS).collect();
        for kind in 0..SERIES_EACH {
            let values = values(kind, &mut dice);
            let chunk = |start: usize| {
                let places = start..values.len().min(start + CHUNK_SAMPLES);
                let part = values[places.clone()].to_vec();
                if !shares_times {
                    let chunk = PlainChunk::new(times[places].to_vec(), part);
                    return Arc::new(chunk) as Arc<dyn Chunk>;
                }
                Arc::new(Scraped {
                    span_ms: (times[places.start], times[places.end - 1]),
                    times: SharedTimes::new(Arc::clone(&times), places),
                    values: part,
                })
            };
            let chunks = (0..values.len()).step_by(CHUNK_SAMPLES).map(chunk);
            series.push((labels(instance, kind), chunks.collect()));
        }
    }
    series.sort_by(|a: &(Labels, _), b| a.0.cmp(&b.0));
    let mut index: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for (place, (labels, _)) in series.iter().enumerate() {
        for (name, value) in labels.iter() {
            let key = (name.to_owned(), value.to_owned());
            index.entry(key).or_default().push(place);
        }
    }
    Fleet { series, index }
}

/// The rules of an alerting fleet: rates of one series, sums over all instances, gauges.
fn rules() -> Vec<Query> {
    let rule = |at: usize| {
        let instance = format!("web-{:04}:9117", at % INSTANCES);
        let path = at % 60;
        match at % 10 {
            0..7 => format!(
                "rate(bench_requests_total{{path=\"/p{path:02}\",instance=\"{instance}\"}}[5m]) > 1e9"
            ),
            7 => format!(
                "sum by (job) (rate(bench_requests_total{{path=\"/p{path:02}\"}}[5m])) > 1e12"
            ),
            _ => format!(
                "bench_workers{{state=\"s{}\",instance=\"{instance}\"}} > 1e6",
                80 + at % 15
            ),
        }
    };
    (0..1_000)
        .map(|at| Query::parse(&rule(at)).unwrap())
        .collect()
}

/// The least time of some runs, milliseconds.
fn least(runs: usize, mut run: impl FnMut()) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..runs {
        let start = Instant::now();
        run();
        least = least.min(start.elapsed().as_secs_f64() * 1e3);
    }
    least
}

const QUERIES: &[(&str, bool, &str)] = &[
    (
        "A rate summed, 1,200 series",
        true,
        "sum by (instance) (rate(bench_requests_total[5m]))",
    ),
    (
        "B rate summed, 20 series",
        true,
        "sum by (instance) (rate(bench_requests_total{path=\"/p07\"}[5m]))",
    ),
    (
        "C max over 1 h, 20 series",
        true,
        "max_over_time(bench_ratio{dev=\"d70\"}[1h])",
    ),
    (
        "D quantile, 300 series",
        true,
        "quantile by (instance) (0.95, bench_workers)",
    ),
    (
        "E topk of rates, instant",
        false,
        "topk(5, rate(bench_requests_total[5m]))",
    ),
    (
        "F count of 2,000, instant",
        false,
        "count({job=\"apache\"})",
    ),
    (
        "G ratio of vectors, 300 series",
        true,
        "bench_workers / on (instance, state) bench_workers",
    ),
];

fn main() {
    let mut args = std::env::args().skip(1);
    let runs: usize = args.next().map_or(15, |text| text.parse().unwrap());
    let only = args.next();
    for shares_times in [false, true] {
        let fleet = fleet(shares_times);
        println!(
            "{}: whole query, and what the source alone takes of it",
            if shares_times {
                "times shared by the series of an instance"
            } else {
                "times of each series by themselves"
            }
        );
        for (name, is_range, text) in QUERIES {
            if only.as_ref().is_none_or(|only| name.starts_with(only)) {
                let queries = [Query::parse(text).unwrap()];
                measure(&fleet, runs, name, *is_range, &queries);
            }
        }
        if only.as_ref().is_none_or(|only| only == "R") {
            measure(&fleet, runs, "1,000 rules", false, &rules());
        }
    }
}

fn measure(fleet: &Fleet, runs: usize, name: &str, is_range: bool, queries: &[Query]) {
    let limits = Limits::default();
    let (start_ms, end_ms) = if is_range {
        (END_MS - 6 * 3_600_000, END_MS)
    } else {
        (END_MS - 30_000, END_MS - 30_000)
    };
    let whole = least(runs, || {
        for query in queries {
            let answer = if is_range {
                query.range(fleet, start_ms, end_ms, 60_000, &limits)
            } else {
                query.instant(fleet, end_ms, &limits)
            };
            black_box(answer.unwrap());
        }
    });
    let (mut times, mut values) = (Vec::new(), Vec::new());
    let source = least(runs, || {
        for need in queries
            .iter()
            .flat_map(|query| query.needs(start_ms, end_ms, &limits))
        {
            let select = Select::new(need.matchers, need.from_ms, need.to_ms);
            for series in fleet.select(&select).unwrap() {
                times.clear();
                values.clear();
                for chunk in &series.chunks {
                    let span_ms = (need.from_ms, need.to_ms);
                    read(&**chunk, span_ms, &mut times, &mut values);
                }
                black_box(&values);
            }
        }
    });
    println!("{whole:8.3} ms {source:8.3} ms  {name}");
}

fn read(chunk: &dyn Chunk, span_ms: (i64, i64), times: &mut Vec<i64>, values: &mut Vec<f64>) {
    if let Some(shared) = chunk.shared_times() {
        let first = shared.times().partition_point(|time| *time < span_ms.0);
        let end = shared.times().partition_point(|time| *time <= span_ms.1);
        chunk.read_values(first..end, values).unwrap();
    } else {
        chunk.read(span_ms.0, span_ms.1, times, values).unwrap();
    }
}
