//! Values come back bit for bit, whatever they are.

use proptest::prelude::*;

use super::*;
use crate::columns::{IntPacker, IntUnpacker, Scratch};

fn check(values: &[f64]) -> Vec<u8> {
    let mut packer = IntPacker::default();
    let mut bytes = Vec::new();
    ValueEncoder::default()
        .encode(values, &mut packer, &mut bytes)
        .unwrap();
    let unpacker = IntUnpacker::new(&packer.header().unwrap()).unwrap();
    let mut decoded = vec![7.0];
    decode_values(
        &bytes,
        values.len(),
        &unpacker,
        &mut Scratch::default(),
        &mut decoded,
    )
    .unwrap();
    let bits =
        |values: &[f64]| -> Vec<u64> { values.iter().map(|value| value.to_bits()).collect() };
    assert_eq!(bits(&decoded[1..]), bits(values));
    bytes
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => any::<u64>().prop_map(f64::from_bits),
        4 => (-1_000_000_i64..1_000_000).prop_map(|n| n as f64),
        4 => (-1_000_000_i64..1_000_000).prop_map(|n| n as f64 / 100.0),
        1 => Just(-0.0),
        1 => Just(f64::NAN),
        1 => Just(f64::from_bits(0x7ff0_0000_0000_0002)),
        1 => Just(f64::from_bits(0xfff8_0000_dead_beef)),
        1 => Just(f64::INFINITY),
        1 => Just(f64::MIN_POSITIVE / 8.0),
        1 => Just(f64::MAX),
        1 => Just(9_007_199_254_740_993.0),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn hostile_values_come_back(values in proptest::collection::vec(any_value(), 1..300)) {
        check(&values);
    }

    #[test]
    fn series_of_one_kind_with_a_few_odd_values_come_back(
        start in any_value(),
        steps in proptest::collection::vec(-10_000_i64..10_000, 1..600),
        digits in 0..9_i32,
        odd in proptest::collection::vec((any::<proptest::sample::Index>(), any_value()), 0..6),
        is_sum: bool,
    ) {
        let power = 10_f64.powi(digits);
        let (mut sum, mut whole) = (start, 0_i64);
        let mut values: Vec<f64> = steps.iter().map(|step| {
            sum += *step as f64 / power;
            whole += step;
            if is_sum { sum } else { whole as f64 / power }
        }).collect();
        for (at, value) in odd {
            let at = at.index(values.len());
            values[at] = value;
        }
        check(&values);
    }

    #[test]
    fn any_bytes_are_values_or_refused(bytes: Vec<u8>, count in 0..5_000_usize) {
        let unpacker = IntUnpacker::new(&IntPacker::default().header().unwrap()).unwrap();
        let _ = decode_values(&bytes, count, &unpacker, &mut Scratch::default(), &mut Vec::new());
    }
}

#[test]
fn sums_of_decimals_take_the_room_of_their_steps() {
    let mut value = 0.123_456_789_012_345_67;
    let values: Vec<f64> = (0..480_u32)
        .map(|step| {
            value += f64::from(step * 7_919 % 10_000) / 10_000.0;
            value
        })
        .collect();
    let bytes = check(&values).len();
    assert!(bytes < 480 * 2, "{bytes} bytes");
}

#[test]
fn a_constant_takes_nine_bytes() {
    assert_eq!(check(&[0.1; 480]).len(), 9);
}
