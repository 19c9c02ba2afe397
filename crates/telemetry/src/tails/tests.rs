//! Tails against a plain map of samples.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Push(u32, i64, u64),
    Seal,
    Freeze,
    DropIdle(i64),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0..4_u32, 0..60_i64, 0..3_u64).prop_map(|(s, t, v)| Step::Push(s, t * 15_000, v)),
        1 => Just(Step::Seal),
        1 => Just(Step::Freeze),
        1 => (0..60_i64).prop_map(|t| Step::DropIdle(t * 15_000)),
    ]
}

/// What blocks would hold.
type Sealed = BTreeMap<(u32, i64), u64>;

fn seal(tails: &mut Tails, sealed: &mut Sealed) {
    for series in 0..4 {
        if let Some(found) = tails.sealable(series) {
            let points = found.times.iter().zip(&found.values);
            sealed.extend(points.map(|(at, value)| ((series, *at), value.to_bits())));
        }
        for (at, bits) in tails.sealable_late(series).into_iter().flatten() {
            sealed.entry((series, *at)).or_insert(*bits);
        }
    }
    tails.sealed();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn tails_and_blocks_together_hold_every_sample_that_was_taken(
        steps in proptest::collection::vec(any_step(), 0..150),
        from in 0..60_i64, len in 0..60_i64,
    ) {
        let (mut tails, mut sealed, mut all) = (Tails::default(), Sealed::new(), Sealed::new());
        let mut is_freezing = false;
        for step in steps {
            match step {
                Step::Push(series, at, bits) => match tails.push(series, at, f64::from_bits(bits)) {
                    Pushed::Added | Pushed::Late => {
                        all.entry((series, at)).or_insert(bits);
                    }
                    // What only blocks hold is not compared: the first value stays when they are read.
                    Pushed::Known | Pushed::Conflicting if sealed.contains_key(&(series, at)) => {}
                    Pushed::Known => prop_assert_eq!(all.get(&(series, at)), Some(&bits)),
                    Pushed::Conflicting => prop_assert_ne!(all.get(&(series, at)), Some(&bits)),
                },
                Step::Freeze if !is_freezing => {
                    tails.freeze();
                    is_freezing = true;
                }
                Step::Freeze => {}
                Step::Seal => {
                    if !is_freezing {
                        tails.freeze();
                    }
                    seal(&mut tails, &mut sealed);
                    is_freezing = false;
                }
                Step::DropIdle(since) => {
                    tails.drop_idle(since);
                }
            }
        }
        let (from, to) = (from * 15_000, (from + len) * 15_000);
        for series in 0..4 {
            let view = tails.view(series, from, to);
            let is_whole = view.as_ref().is_some_and(|view| view.is_whole);
            let in_memory = view.iter().flat_map(|view| view.times.iter().zip(&view.values));
            let in_memory = in_memory.map(|(at, value)| (*at, value.to_bits()));
            let mut found: BTreeMap<i64, u64> = BTreeMap::new();
            if !is_whole {
                let of_series = sealed.range((series, from)..=(series, to));
                found.extend(of_series.map(|((_, at), bits)| (*at, *bits)));
            }
            for (at, value) in tails.late(series, from, to) {
                found.entry(at).or_insert(value.to_bits());
            }
            found.extend(in_memory);
            let expected: BTreeMap<i64, u64> = all
                .range((series, from)..=(series, to))
                .map(|((_, at), bits)| (*at, *bits))
                .collect();
            prop_assert_eq!(found, expected, "series {}, whole {}", series, is_whole);
        }
    }
}

#[test]
fn series_of_one_scrape_share_their_times() {
    let mut tails = Tails::default();
    for step in 0..100 {
        for target in 0..3_u32 {
            for series in 0..10 {
                let at_ms = step * 15_000 + i64::from(target) * 7;
                tails.push(target * 10 + series, at_ms, 1.0);
            }
        }
    }
    assert_eq!(tails.clocks.used().count(), 3);
}
