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
use std::sync::Arc;
use std::time::Instant;

use tocsin_promql::{
    Chunk, Labels, Limits, Matcher, PlainChunk, Query, Select, SeriesData, Source, SourceError,
};

const INSTANCES: usize = 20;
const SERIES_EACH: usize = 100;
const STEP_MS: i64 = 15_000;
const SAMPLES: i64 = 8 * 3_600_000 / STEP_MS;
const START_MS: i64 = 1_700_000_000_000;
const END_MS: i64 = START_MS + SAMPLES * STEP_MS;
/// Samples of one chunk, as a store would cut them.
const CHUNK_SAMPLES: usize = 480;

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

fn fleet() -> Fleet {
    let mut dice = Dice(1);
    let mut series = Vec::new();
    for instance in 0..INSTANCES {
        let times: Vec<i64> = (1..=SAMPLES).map(|at| START_MS + at * STEP_MS).collect();
        for kind in 0..SERIES_EACH {
            let values = values(kind, &mut dice);
            let parts = times
                .chunks(CHUNK_SAMPLES)
                .zip(values.chunks(CHUNK_SAMPLES));
            let chunks = parts.map(|(times, values)| {
                let chunk = PlainChunk::new(times.to_vec(), values.to_vec());
                Arc::new(chunk) as Arc<dyn Chunk>
            });
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
];

fn main() {
    let mut args = std::env::args().skip(1);
    let runs: usize = args.next().map_or(15, |text| text.parse().unwrap());
    let only = args.next();
    let fleet = fleet();
    let limits = Limits::default();
    for (name, is_range, text) in QUERIES {
        if only
            .as_ref()
            .is_some_and(|only| !name.starts_with(only.as_str()))
        {
            continue;
        }
        let query = Query::parse(text).unwrap();
        let ms = least(runs, || {
            let answer = if *is_range {
                query.range(&fleet, END_MS - 6 * 3_600_000, END_MS, 60_000, &limits)
            } else {
                query.instant(&fleet, END_MS - 30_000, &limits)
            };
            black_box(answer.unwrap());
        });
        println!("{ms:8.3} ms  {name}");
    }
    if only.as_ref().is_none_or(|only| only == "R") {
        let rules = rules();
        let ms = least(runs, || {
            for rule in &rules {
                black_box(rule.instant(&fleet, END_MS, &limits).unwrap());
            }
        });
        println!("{ms:8.3} ms  1,000 rules");
        let ms = least(runs, || {
            for rule in &rules {
                let select = Select::new(rule.selectors()[0], END_MS - 300_000, END_MS);
                black_box(fleet.select(&select).unwrap());
            }
        });
        println!("{ms:8.3} ms  of which this source's own search");
    }
    let only_job = [Matcher::equal("job", "apache")];
    let ms = least(runs, || {
        let select = Select::new(&only_job, END_MS - 330_000, END_MS - 30_000);
        black_box(fleet.select(&select).unwrap());
    });
    println!("{ms:8.3} ms  the search of F alone");
}
