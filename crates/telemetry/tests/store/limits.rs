//! What is refused, and that the rest stands.

use tocsin_domain::signal::Sample;
use tocsin_domain::write::Write;
use tocsin_telemetry::{Options, Refused, Store};

use crate::{at, samples, target, up, values};

/// A series `m` with one label more, and a sample of it.
fn one(label: &str, value: &str, ms: i64) -> Write<'static> {
    let mut write = Write::default();
    write.begin([
        ("__name__".into(), "m".into()),
        (label.to_owned().into(), value.to_owned().into()),
    ]);
    write.push(at(ms).as_millis(), 1.0);
    write
}

#[test]
fn labels_that_are_too_long_in_all_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path(), Options::default()).unwrap();
    let value = "x".repeat(2_000);
    let mut write = Write::default();
    for labels in [8, 9] {
        let long = (0..labels).map(|label| (format!("l{label}").into(), value.as_str().into()));
        write.begin([("__name__".into(), "m".into())].into_iter().chain(long));
        write.push(at(1).as_millis(), 1.0);
    }
    let refused = Refused {
        labels: 1,
        ..Refused::default()
    };
    check_write(
        &store,
        "a",
        &write,
        refused,
        &["its labels have 18027 bytes", "16384"],
    );
}

/// Writes, and checks what was refused and what is said of it.
fn check_write(store: &Store, source: &str, write: &Write<'_>, expected: Refused, words: &[&str]) {
    let written = store.write(write, source, at(100_000_000)).unwrap();
    assert_eq!(written.refused, expected);
    let said = written.first_refusal.unwrap_or_default();
    for word in words {
        assert!(said.contains(word), "`{said}` should say `{word}`");
    }
    assert_eq!(said.is_empty(), words.is_empty(), "{said}");
}

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

#[test]
fn one_source_with_too_many_series_is_told_so_and_takes_no_room_from_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.limits.series_per_source_max = 2;
    let (store, _) = Store::open(folder.path(), options).unwrap();
    let none = Refused::default();
    let full = Refused {
        series_limit: 1,
        ..none
    };
    for n in ["1", "2"] {
        check_write(&store, "greedy", &one("n", n, 99_000_000), none, &[]);
    }
    let words = ["m{n=\"3\"}", "this source has 2 series"];
    check_write(&store, "greedy", &one("n", "3", 99_000_000), full, &words);
    // What it has goes on, and others have their own room: also for a series that was refused from it.
    check_write(&store, "greedy", &one("n", "1", 99_001_000), none, &[]);
    check_write(&store, "modest", &one("n", "3", 99_000_000), none, &[]);
    check_write(&store, "modest", &one("n", "4", 99_000_000), none, &[]);
    let by_source = store.stats().series_by_source;
    let expected = [("greedy".to_owned(), 2), ("modest".to_owned(), 2)];
    assert_eq!(by_source, expected);
}

#[test]
fn clients_that_fill_the_store_leave_room_for_the_agent_and_the_rules() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.limits.series_max = 40;
    let (store, _) = Store::open(folder.path(), options).unwrap();
    let none = Refused::default();
    let full = Refused {
        series_limit: 1,
        ..none
    };
    for n in 0..38 {
        let source = format!("client {}", n % 7);
        check_write(
            &store,
            &source,
            &one("n", &n.to_string(), 99_000_000),
            none,
            &[],
        );
    }
    let words = ["the store has 38 series"];
    check_write(&store, "client", &one("n", "38", 99_000_000), full, &words);
    check_write(&store, "rules", &one("n", "39", 99_000_000), none, &[]);
    store
        .append(&samples([up(100_000_000, 1.0)]), at(100_000_000))
        .unwrap();
    assert_eq!(values(&store, "apache_parent_up", 100_000_000), [1.0]);
    let words = ["the store has 40 series"];
    check_write(&store, "rules", &one("n", "40", 99_000_000), full, &words);
}

#[test]
fn the_first_refusal_names_the_series_and_the_reason_and_the_rest_stands() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path(), Options::default()).unwrap();
    let none = Refused::default();
    let labels = Refused { labels: 1, ..none };
    let cases = [
        (one(&"n".repeat(129), "x", 1), labels, "128 bytes"),
        (one("n", &"x".repeat(2_049), 1), labels, "2048 bytes"),
        (
            one("n", "early", 100_600_001),
            Refused {
                too_early: 1,
                ..none
            },
            "ahead of now",
        ),
    ];
    for (write, expected, word) in cases {
        check_write(&store, "a", &write, expected, &["m{", word]);
    }
    check_write(&store, "a", &one("n", "late", 100_000_000), none, &[]);
    let mut both = one("n", "late", 100_000_000 - 86_400_001);
    both.begin([("__name__".into(), "m".into()), ("n".into(), "late".into())]);
    both.push(at(100_000_000).as_millis(), 2.0);
    both.push(at(100_000_001).as_millis(), 3.0);
    let expected = Refused {
        too_late: 1,
        conflicting: 1,
        ..none
    };
    check_write(&store, "a", &both, expected, &["m{n=\"late\"}", "too old"]);
    assert_eq!(values(&store, "m{n=\"late\"}", 100_000_001), [3.0]);
    assert_eq!(values(&store, "m{n=\"late\"}", 100_000_000), [1.0]);
    let mut nameless = Write::default();
    nameless.begin([]);
    nameless.push(at(0).as_millis(), 1.0);
    check_write(&store, "a", &nameless, labels, &["no labels"]);
}
