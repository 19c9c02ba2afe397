//! A run of samples as bytes, lossless to the bit. A codec byte stands in front, so that better codecs can join.

use crate::varint::{Reader, put_i64, put_len, put_u64};

/// Times as differences of differences, values as XOR with the one before, both as varints.
const CODEC_XOR_VARINT: u8 = 1;
/// The same, its length, then zstd.
const CODEC_XOR_VARINT_ZSTD: u8 = 2;

const ZSTD_LEVEL: i32 = 3;

/// Samples of one encoded run: a false count cannot make us reserve more.
pub(crate) const RUN_SAMPLES_MAX: usize = 1 << 20;
/// Bytes of one run before zstd: two varints of at most ten bytes a sample, and the header.
const RUN_BYTES_MAX: usize = RUN_SAMPLES_MAX * 20 + 32;

/// Bytes that are no run of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// Written by a newer version, or not written by us.
    #[error("the codec {0} is unknown to this version")]
    UnknownCodec(u8),
    /// The bytes do not add up.
    #[error("the bytes are damaged")]
    Damaged,
}

/// Encodes two columns of equal length.
///
/// # Panics
/// When the lengths differ, or there are more than 2^20 samples.
#[must_use]
pub fn encode_samples(times: &[i64], values: &[f64]) -> Vec<u8> {
    assert_eq!(times.len(), values.len(), "columns of one run");
    assert!(times.len() <= RUN_SAMPLES_MAX, "a run is cut before");
    let mut plain = vec![CODEC_XOR_VARINT];
    put_len(&mut plain, times.len());
    let (mut before, mut step) = (0_i64, 0_i64);
    for time in times {
        // Wrapping: any two times are told apart, however far.
        let next_step = time.wrapping_sub(before);
        put_i64(&mut plain, next_step.wrapping_sub(step));
        (before, step) = (*time, next_step);
    }
    let mut bits = 0_u64;
    for value in values {
        // Neighbours share the high bits, and round numbers end in zeros: reversed, both make a small number.
        put_u64(&mut plain, (value.to_bits() ^ bits).reverse_bits());
        bits = value.to_bits();
    }
    match zstd::bulk::compress(&plain[1..], ZSTD_LEVEL) {
        Ok(packed) if packed.len() + 4 < plain.len() => {
            let mut out = Vec::with_capacity(packed.len() + 5);
            out.push(CODEC_XOR_VARINT_ZSTD);
            put_len(&mut out, plain.len() - 1);
            out.extend_from_slice(&packed);
            out
        }
        _ => plain,
    }
}

/// Decodes what [`encode_samples`] gave.
///
/// # Errors
/// When the codec is unknown or the bytes are damaged.
pub fn decode_samples(bytes: &[u8]) -> Result<(Vec<i64>, Vec<f64>), CodecError> {
    let (codec, body) = bytes.split_first().ok_or(CodecError::Damaged)?;
    match *codec {
        CODEC_XOR_VARINT => decode_plain(body),
        CODEC_XOR_VARINT_ZSTD => {
            let mut reader = Reader(body);
            let len = reader.len().filter(|len| *len <= RUN_BYTES_MAX);
            let len = len.ok_or(CodecError::Damaged)?;
            let plain = zstd::bulk::decompress(reader.0, len).map_err(|_| CodecError::Damaged)?;
            decode_plain(&plain)
        }
        unknown => Err(CodecError::UnknownCodec(unknown)),
    }
}

fn decode_plain(body: &[u8]) -> Result<(Vec<i64>, Vec<f64>), CodecError> {
    decode_columns(body).ok_or(CodecError::Damaged)
}

fn decode_columns(body: &[u8]) -> Option<(Vec<i64>, Vec<f64>)> {
    let mut reader = Reader(body);
    let count = reader.count()?;
    let mut times = Vec::with_capacity(count);
    let (mut before, mut step) = (0_i64, 0_i64);
    for _ in 0..count {
        step = step.wrapping_add(reader.i64()?);
        before = before.wrapping_add(step);
        times.push(before);
    }
    let mut values = Vec::with_capacity(count);
    let mut bits = 0_u64;
    for _ in 0..count {
        bits ^= reader.u64()?.reverse_bits();
        values.push(f64::from_bits(bits));
    }
    reader.is_empty().then_some((times, values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(times: &[i64], values: &[f64]) {
        let (decoded_times, decoded) = decode_samples(&encode_samples(times, values)).unwrap();
        assert_eq!(decoded_times, times);
        let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&decoded), bits(values));
    }

    #[test]
    fn odd_values_come_back_to_the_bit() {
        let values = [
            0.0,
            -0.0,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            f64::from_bits(0x7ff0_0000_0000_0002),
            f64::from_bits(0xfff8_dead_beef_0001),
            f64::MIN_POSITIVE,
            f64::from_bits(1),
            f64::MAX,
        ];
        let times = [i64::MIN, -1, 0, 1, 2, 3, 1_000, 1_001, 5_000_000, i64::MAX];
        check(&times, &values);
        check(&[], &[]);
    }

    proptest! {
        #[test]
        fn any_run_comes_back_to_the_bit(samples: Vec<(i64, u64)>) {
            let (times, bits): (Vec<i64>, Vec<u64>) = samples.into_iter().unzip();
            let values: Vec<f64> = bits.into_iter().map(f64::from_bits).collect();
            check(&times, &values);
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(bytes: Vec<u8>) {
            let _ = decode_samples(&bytes);
        }
    }

    #[test]
    fn a_steady_gauge_takes_little() {
        let times: Vec<i64> = (0..1_024)
            .map(|at| 1_700_000_000_000 + at * 1_000)
            .collect();
        let encoded = encode_samples(&times, &vec![1.0; times.len()]);
        assert!(encoded.len() < 100, "{} bytes", encoded.len());
    }
}
