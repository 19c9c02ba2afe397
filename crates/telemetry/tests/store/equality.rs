//! Whatever lies where, the answer is the same: against a slow and obvious copy.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use tocsin_domain::signal::{Batch, STALE_NAN_BITS, Sample};
use tocsin_promql::{
    Chunk, Labels, Limits, Matcher, PlainChunk, Query, Select, SeriesData, Source, SourceError,
};
use tocsin_telemetry::{Options, Recorded, Stats, Store};

use crate::{at, target};

/// Series in maps: of two values at one millisecond the first stays.
#[derive(Default)]
struct Obvious(BTreeMap<Labels, BTreeMap<i64, f64>>);

impl Source for Obvious {
    fn select(&self, select: &Select<'_>) -> Result<Vec<SeriesData>, SourceError> {
        let matching = self
            .0
            .iter()
            .filter(|(labels, _)| select.matchers.iter().all(|one| one.accepts_labels(labels)));
        let series = matching.map(|(labels, samples)| {
            let (times, values) = samples.iter().map(|(time, value)| (*time, *value)).unzip();
            let chunk: Arc<dyn Chunk> = Arc::new(PlainChunk::new(times, values));
            SeriesData {
                labels: labels.clone(),
                chunks: vec![chunk],
            }
        });
        Ok(series.collect())
    }
}

/// What happens to a store.
#[derive(Clone, Debug)]
enum Step {
    Append(Vec<(u8, i64, u64)>),
    Seal,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let value = prop_oneof![
        5 => (0_u32..10).prop_map(|n| f64::from(n).to_bits()),
        1 => Just(STALE_NAN_BITS),
        1 => any::<u64>(),
    ];
    let sample = (0_u8..4, 0_i64..600, value).prop_map(|(n, t, v)| (n, t * 500, v));
    let step = prop_oneof![
        6 => prop::collection::vec(sample, 1..30).prop_map(Step::Append),
        1 => Just(Step::Seal),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..14)
}

fn sample(number: u8, ms: i64, bits: u64) -> Sample {
    let class = format!("{number}xx");
    let extra = [("class", class.as_str())];
    Sample::of(
        "requests_total",
        target(),
        &extra,
        at(ms),
        f64::from_bits(bits),
    )
}

fn run(folder: &std::path::Path, steps: &[Step]) -> (Store, Obvious) {
    let mut obvious = Obvious::default();
    let mut store = Some(Store::open(folder, Options::default()).unwrap().0);
    for step in steps {
        let open = store.take().unwrap();
        match step {
            Step::Append(points) => {
                let mut batch = Batch::default();
                for (number, ms, bits) in points {
                    let one = sample(*number, *ms, *bits);
                    let series = obvious.0.entry(Labels::from(&one.labels)).or_default();
                    series.entry(one.at.as_millis()).or_insert(one.value);
                    batch.samples.push(one);
                }
                open.append(&batch, at(300_000)).unwrap();
            }
            Step::Seal => open.seal_now().unwrap(),
            Step::Reopen => {
                drop(open);
                store = Some(Store::open(folder, Options::default()).unwrap().0);
                continue;
            }
        }
        store = Some(open);
    }
    (store.unwrap(), obvious)
}

fn answers(source: &dyn Source) -> Vec<String> {
    let queries = [
        "requests_total",
        "sum by (class) (rate(requests_total[30s]))",
        "max_over_time(requests_total{class!~\"1..\"}[17s500ms] offset 20s)",
        "requests_total > 4 or absent(requests_total)",
    ];
    let limits = Limits::default();
    let (start, end) = (at(0).as_millis(), at(300_000).as_millis());
    let answers = queries.iter().map(|text| {
        let query = Query::parse(text).unwrap();
        let instant = query
            .instant(source, at(150_250).as_millis(), &limits)
            .unwrap();
        let range = query.range(source, start, end, 7_000, &limits).unwrap();
        format!("{instant:?} {range:?}")
    });
    answers.collect()
}

fn bits(series: &[tocsin_telemetry::SeriesSamples]) -> Vec<(Labels, Vec<(i64, u64)>)> {
    let series = series.iter().map(|(labels, points)| {
        let points = points.iter().map(|(time, value)| (*time, value.to_bits()));
        (Labels::from(labels), points.collect())
    });
    series.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn head_and_blocks_in_any_mixture_answer_like_a_plain_copy(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let (store, obvious) = run(folder.path(), &steps);
        prop_assert_eq!(answers(&store), answers(&obvious));
        let matchers = [Matcher::equal("__name__", "requests_total")];
        let stored = store.samples(&matchers, at(0), at(300_000)).unwrap();
        let plain: Vec<(Labels, Vec<(i64, u64)>)> = obvious
            .0
            .iter()
            .map(|(labels, samples)| {
                let points = samples.iter().map(|(time, value)| (*time, value.to_bits()));
                (labels.clone(), points.collect())
            })
            .collect();
        prop_assert_eq!(bits(&stored), plain);
    }

    #[test]
    fn a_recorded_window_answers_like_its_store_also_after_its_way_through_a_file(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = run(folder.path(), &steps);
        let recorded = store.export_window(target(), at(0), at(300_000)).unwrap();
        prop_assert_eq!(answers(&recorded), answers(&store));
        let file = recorded.to_bytes().unwrap();
        let read = Recorded::from_bytes(&file).unwrap();
        prop_assert_eq!(&read, &recorded);
        prop_assert_eq!(read.to_bytes().unwrap(), file);
    }
}

#[test]
fn a_store_that_was_opened_again_equals_what_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let points = (0..400).map(|n| (0, n * 250, (n as f64).to_bits()));
    let steps = [
        Step::Append(points.clone().collect()),
        Step::Seal,
        Step::Append(points.map(|(_, ms, bits)| (1, ms + 7, bits)).collect()),
    ];
    let (store, _) = run(folder.path(), &steps);
    // Who sent a series is known again when it is sent again, and room behind the log's end is made anew.
    let stats = |store: &Store| Stats {
        series_by_source: Vec::new(),
        size_on_disk: 0,
        ..store.stats()
    };
    let before = (answers(&store), stats(&store));
    drop(store);
    let (store, report) = Store::open(folder.path(), Options::default()).unwrap();
    assert_eq!((answers(&store), stats(&store)), before);
    assert_eq!((report.blocks, report.frames, report.samples), (1, 1, 400));
    assert_eq!(report.newest_ms, Some(at(99_757).as_millis()));
}
