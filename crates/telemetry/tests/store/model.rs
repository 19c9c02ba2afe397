//! What clients write, against a plain map in which the first value at an instant stays.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use tocsin_domain::signal::STALE_NAN_BITS;
use tocsin_domain::write::{Exemplar, LabelPair, Metadata, MetricKind, Write, Written};
use tocsin_promql::{Ask, Labels, Limits, Matcher, Query, Value};
use tocsin_telemetry::{Options, Store};

use crate::at;

/// When all of it is written, milliseconds after the epoch of tests.
const NOW_MS: i64 = 400_000;
/// How late a sample may be.
const WINDOW_MS: i64 = 90_000;

/// What happens to a store.
#[derive(Clone, Debug)]
enum Step {
    /// Points of series from a source.
    Write(u8, Vec<(u8, Vec<(i64, u64)>)>),
    Seal,
    Compact,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let bits = prop_oneof![
        6 => (0_u32..4).prop_map(|n| f64::from(n).to_bits()),
        1 => Just(STALE_NAN_BITS),
        1 => Just((-0.0_f64).to_bits()),
        1 => any::<u64>().prop_map(|bits| bits | 0x7ff0_0000_0000_0001),
        1 => any::<u64>(),
    ];
    // Few instants, so that many are written twice, with the same value and with another.
    let point = (0_i64..60, bits).prop_map(|(slot, bits)| (slot * 5_000, bits));
    let series = (0_u8..5, prop::collection::vec(point, 1..12));
    let write = (0_u8..3, prop::collection::vec(series, 1..6));
    let step = prop_oneof![
        8 => write.prop_map(|(source, series)| Step::Write(source, series)),
        2 => Just(Step::Seal),
        1 => Just(Step::Compact),
        2 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..20)
}

fn labels_of(number: u8) -> Vec<LabelPair<'static>> {
    vec![
        ("__name__".into(), "written_total".into()),
        ("class".into(), format!("{number}xx").into()),
        ("job".into(), "web".into()),
    ]
}

fn as_labels(pairs: &[LabelPair<'_>]) -> Labels {
    let pairs = pairs.iter();
    pairs.map(|(name, value)| (&**name, &**value)).collect()
}

fn write_of(series: &[(u8, Vec<(i64, u64)>)]) -> Write<'static> {
    let mut write = Write::default();
    for (number, points) in series {
        write.begin(labels_of(*number));
        for (ms, bits) in points {
            write.push(at(*ms).as_millis(), f64::from_bits(*bits));
        }
    }
    write
}

fn options() -> Options {
    let mut options = Options::default();
    options.limits.late_ms_max = WINDOW_MS.unsigned_abs();
    options
}

/// Values of series by their time.
#[derive(Default)]
struct Model(BTreeMap<Labels, BTreeMap<i64, u64>>);

impl Model {
    /// Takes a write. Gives how many points came too late.
    fn take(&mut self, series: &[(u8, Vec<(i64, u64)>)]) -> u64 {
        let mut too_late = 0;
        for (number, points) in series {
            let kept = self.0.entry(as_labels(&labels_of(*number))).or_default();
            for (ms, bits) in points {
                let at_ms = at(*ms).as_millis();
                let newest = kept.last_key_value().map(|(newest, _)| *newest);
                if newest.is_some_and(|newest| at_ms < newest - WINDOW_MS) {
                    too_late += 1;
                } else {
                    kept.entry(at_ms).or_insert(*bits);
                }
            }
        }
        too_late
    }

    fn samples(&self) -> Vec<(Labels, Vec<(i64, u64)>)> {
        let series = self.0.iter().map(|(labels, samples)| {
            let points = samples.iter().map(|(time, bits)| (*time, *bits));
            (labels.clone(), points.collect())
        });
        series.collect()
    }
}

fn stored(store: &Store) -> Vec<(Labels, Vec<(i64, u64)>)> {
    let matchers = [Matcher::equal("__name__", "written_total")];
    let all = store.samples(&matchers, at(0), at(NOW_MS)).unwrap();
    let all = all.iter().map(|(labels, points)| {
        let points = points.iter().map(|(time, value)| (*time, value.to_bits()));
        (Labels::from(labels), points.collect())
    });
    all.collect()
}

/// Conflicts are counted against what is in memory alone: a second value for what stands in a block is taken, and never seen.
fn check_counts(written: &Written, too_late: u64, points: usize) {
    let refused = written.refused;
    assert_eq!(refused.too_late, too_late, "{written:?}");
    let all = written.samples + refused.too_late + refused.conflicting;
    assert_eq!(all, points as u64, "{written:?}");
}

fn run(folder: &Path, steps: &[Step]) -> (Store, Model) {
    let mut model = Model::default();
    let (mut store, _) = Store::open(folder, options()).unwrap();
    for step in steps {
        match step {
            Step::Write(source, series) => {
                let write = write_of(series);
                let written = store.write(&write, &source.to_string(), at(NOW_MS));
                let too_late = model.take(series);
                check_counts(&written.unwrap(), too_late, write.points.len());
            }
            Step::Seal => store.seal_now().unwrap(),
            Step::Compact => store.compact_now().unwrap(),
            Step::Reopen => {
                drop(store);
                let (again, report) = Store::open(folder, options()).unwrap();
                assert_eq!((report.torn_tail, report.set_aside), (None, vec![]));
                store = again;
            }
        }
    }
    (store, model)
}

fn answers(store: &Store) -> Vec<String> {
    let queries = [
        "written_total",
        "sum by (class) (rate(written_total[45s]))",
        "count_over_time(written_total[2m] offset 10s)",
        "last_over_time(written_total{class!=\"1xx\"}[33s]) > 1 or absent(written_total)",
    ];
    let (start, end) = (at(0).as_millis(), at(300_000).as_millis());
    let answers = queries.iter().map(|text| {
        let query = Query::parse(text).unwrap();
        let limits = Limits::default();
        let range = query.range(store, start, end, 7_000, &limits).unwrap();
        format!("{range:?}")
    });
    answers.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn of_all_that_clients_write_the_first_value_at_an_instant_stays(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let (store, model) = run(folder.path(), &steps);
        prop_assert_eq!(stored(&store), model.samples());
        // Wherever the samples lie, the answers are the same.
        let mixed = answers(&store);
        store.compact_now().unwrap();
        prop_assert_eq!(stored(&store), model.samples());
        prop_assert_eq!(&answers(&store), &mixed);
        drop(store);
        let (store, _) = Store::open(folder.path(), options()).unwrap();
        prop_assert_eq!(stored(&store), model.samples());
        prop_assert_eq!(&answers(&store), &mixed);
        // The same samples once more, as a client sends them that got no answer, change nothing.
        for step in &steps {
            if let Step::Write(source, series) = step {
                store.write(&write_of(series), &source.to_string(), at(NOW_MS)).unwrap();
            }
        }
        let again = stored(&store);
        for ((labels, points), (_, before)) in again.iter().zip(model.samples()) {
            let kept = before.iter().all(|point| points.contains(point));
            prop_assert!(kept, "{} lost a sample", labels);
        }
    }
}

fn exemplar(ms: i64, trace: &'static str) -> Exemplar<'static> {
    Exemplar {
        series: 0,
        labels: vec![("trace_id".into(), trace.into())],
        at_ms: at(ms).as_millis(),
        value: 0.25,
    }
}

fn metadata(kind: MetricKind, help: &'static str) -> Metadata<'static> {
    Metadata {
        metric: "written_total".into(),
        kind,
        help: help.into(),
        unit: "seconds".into(),
    }
}

/// The traces and the metadata that a store knows.
fn beside_samples(store: &Store) -> (Vec<String>, Vec<String>) {
    let sets = [vec![Matcher::equal("__name__", "written_total")]];
    let ask = Ask {
        sets: &sets,
        from_ms: at(0).as_millis(),
        to_ms: at(NOW_MS).as_millis(),
    };
    let exemplars = store.find_exemplars(&ask).into_iter();
    let exemplars = exemplars.flat_map(|(labels, exemplars)| {
        let exemplars = exemplars.into_iter();
        exemplars.map(move |one| format!("{labels} {} {} {}", one.labels, one.at_ms, one.value))
    });
    let metadata = store.metadata(None).into_iter();
    let metadata = metadata.map(|(metric, about)| format!("{metric} {about:?}"));
    (exemplars.collect(), metadata.collect())
}

#[test]
fn exemplars_and_metadata_outlive_sealing_merging_and_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, _) = Store::open(folder.path(), options()).unwrap();
    let mut number = 0;
    let mut send = |store: &Store, ms: i64, trace: &'static str, help: &'static str| {
        number += 1;
        let mut write = write_of(&[(number % 3, vec![(ms, 1.0_f64.to_bits())])]);
        write.exemplars.push(exemplar(ms, trace));
        write.metadata.push(metadata(MetricKind::Counter, help));
        let written = store.write(&write, "a", at(NOW_MS)).unwrap();
        assert_eq!((written.samples, written.exemplars), (1, 1));
    };
    send(&store, 1_000, "one", "first words");
    send(&store, 2_000, "two", "first words");
    for round in 0..4 {
        let known = beside_samples(&store);
        store.seal_now().unwrap();
        assert_eq!(beside_samples(&store), known, "sealed in round {round}");
        drop(store);
        store = Store::open(folder.path(), options()).unwrap().0;
        assert_eq!(beside_samples(&store), known, "opened in round {round}");
        send(&store, 3_000 + round, "more", "other words");
        let known = beside_samples(&store);
        assert_eq!(known.0.len(), 3 + usize::try_from(round).unwrap());
        assert!(known.1[0].contains("other words"), "{known:?}");
        store.compact_now().unwrap();
        drop(store);
        store = Store::open(folder.path(), options()).unwrap().0;
        assert_eq!(beside_samples(&store), known, "merged in round {round}");
    }
}

#[test]
fn a_sample_that_ends_a_series_is_kept_and_ends_it_in_memory_and_in_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path(), options()).unwrap();
    let points = vec![(1_000, 1.0_f64.to_bits()), (2_000, STALE_NAN_BITS)];
    let write = write_of(&[(0, points.clone())]);
    store.write(&write, "a", at(NOW_MS)).unwrap();
    let is_there = |store: &Store, ms: i64| {
        let query = Query::parse("written_total").unwrap();
        let answer = query.instant(store, at(ms).as_millis(), &Limits::default());
        !matches!(answer.unwrap().value, Value::Vector(found) if found.is_empty())
    };
    for _ in 0..2 {
        assert_eq!(stored(&store)[0].1.len(), points.len());
        assert!(is_there(&store, 1_500) && !is_there(&store, 2_500));
        store.seal_now().unwrap();
    }
}
