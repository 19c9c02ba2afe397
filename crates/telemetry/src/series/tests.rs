//! The registry against a plain list of label sets.

use proptest::prelude::*;
use tocsin_promql::{MatchOp, Matcher};

use super::*;

fn pairs(labels: &[(String, String)]) -> Vec<(&str, &str)> {
    labels
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect()
}

fn any_labels() -> impl Strategy<Value = Vec<(String, String)>> {
    proptest::collection::btree_map("[a-c]", "[x-z]{1,2}", 1..4)
        .prop_map(|map| map.into_iter().collect())
}

fn any_matcher() -> impl Strategy<Value = Matcher> {
    let op = prop_oneof![
        Just(MatchOp::Equal),
        Just(MatchOp::NotEqual),
        Just(MatchOp::Matches),
        Just(MatchOp::NotMatches)
    ];
    let value = prop_oneof![
        Just(""),
        Just("x"),
        Just("x|yy"),
        Just("x.*"),
        Just(".+"),
        Just("z?")
    ];
    (op, "[a-d]", value).prop_map(|(op, name, value)| Matcher::new(op, name, value).unwrap())
}

proptest! {
    #[test]
    fn a_selection_is_what_a_walk_over_all_labels_finds(
        added in proptest::collection::vec(any_labels(), 0..40),
        removed in proptest::collection::vec(any::<proptest::sample::Index>(), 0..20),
        again in proptest::collection::vec(any_labels(), 0..10),
        matchers in proptest::collection::vec(any_matcher(), 0..4),
    ) {
        let mut registry = Registry::default();
        let mut known: BTreeMap<u32, Vec<(String, String)>> = BTreeMap::new();
        for labels in &added {
            let (number, _) = registry.find_or_add(&pairs(labels));
            known.insert(number, labels.clone());
        }
        for index in removed {
            if known.is_empty() {
                break;
            }
            let number = *known.keys().nth(index.index(known.len())).unwrap();
            known.remove(&number);
            registry.remove(number);
        }
        for labels in &again {
            let (number, _) = registry.find_or_add(&pairs(labels));
            known.insert(number, labels.clone());
        }
        let expected: Vec<u32> = known
            .iter()
            .filter(|(_, labels)| matchers.iter().all(|matcher| {
                let value = labels.iter().find(|(name, _)| name == matcher.name());
                matcher.accepts(value.map_or("", |(_, value)| value))
            }))
            .map(|(number, _)| *number)
            .collect();
        let found: Vec<u32> = registry.select(&matchers).iter().collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(registry.len(), known.len());
        for (number, labels) in &known {
            prop_assert_eq!(registry.labels(*number), pairs(labels).into_iter().collect::<Labels>());
            prop_assert_eq!(registry.find_or_add(&pairs(labels)), (*number, false));
        }
    }
}
