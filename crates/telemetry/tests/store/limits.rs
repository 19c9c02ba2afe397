//! What is refused, and that the rest stands.

use tocsin_domain::signal::Sample;
use tocsin_telemetry::{Options, Refused, Store};

use crate::{at, samples, target, up, values};

fn check(options: Options, given: Vec<Sample>, expected: Refused) {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path(), options).unwrap();
    store
        .append(&samples([up(100_000_000, 1.0)]), at(100_000_000))
        .unwrap();
    store.append(&samples(given), at(100_000_000)).unwrap();
    assert_eq!(store.stats().refused, expected);
    assert_eq!(values(&store, "apache_parent_up", 100_000_000), [1.0]);
}

fn named(label: &str, value: &str) -> Sample {
    Sample::of("m", target(), &[(label, value)], at(100_000_000), 1.0)
}

#[test]
fn series_above_the_limit_are_refused_and_counted() {
    let mut options = Options::default();
    options.limits.series_max = 3;
    let given = (0..5).map(|n| named("n", &n.to_string())).collect();
    let expected = Refused {
        series_limit: 3,
        ..Refused::default()
    };
    check(options, given, expected);
}

#[test]
fn labels_that_are_too_long_or_too_many_are_refused() {
    let mut options = Options::default();
    options.limits.labels_max = 5;
    let mut many = named("a", "b");
    for n in 0..5 {
        many.labels.insert(format!("l{n}"), "x".to_owned());
    }
    let mut none = named("a", "b");
    none.labels.clear();
    let given = vec![
        named(&"n".repeat(200), "x"),
        named("n", &"x".repeat(3_000)),
        many,
        none,
    ];
    let expected = Refused {
        labels: 4,
        ..Refused::default()
    };
    check(options, given, expected);
}

#[test]
fn samples_far_from_their_time_are_refused_and_a_second_value_of_one_instant_too() {
    let given = vec![
        up(100_000_000 - 86_400_001, 1.0),
        up(100_000_000 + 600_001, 1.0),
        up(100_000_000, 1.0),
        up(100_000_000, 0.0),
        up(99_999_000, 0.0),
    ];
    let expected = Refused {
        too_late: 1,
        too_early: 1,
        conflicting: 1,
        ..Refused::default()
    };
    check(Options::default(), given, expected);
}
