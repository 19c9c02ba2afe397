//! What must hold for bytes that were read from a disk or came from elsewhere, as functions that tests and fuzz targets share.

use tocsin_domain::signal::{Fact, LogRecord};

use crate::codec::decode_samples;
use crate::columns::{IntPacker, IntUnpacker, Scratch, ValueEncoder, decode_values};
use crate::frame;
use crate::payload;
use crate::recorded::Recorded;
use crate::sample_block::read_index_bytes;

/// Samples that a column is asked for at most, so that a run of the property stays short.
const COUNT_MAX: usize = 4_096;

/// Any bytes are decoded or refused by every decoder of the store: frames and bodies of the log, indexes of blocks, columns,
/// recorded windows.
pub fn any_bytes_are_read_or_refused(bytes: &[u8]) {
    frame::scan(bytes, |frame| {
        let _ = payload::decode(frame.body);
    });
    let _ = payload::decode(bytes);
    let _ = payload::unpack::<Fact>(bytes);
    let _ = payload::unpack::<LogRecord>(bytes);
    read_index_bytes(bytes);
    let _ = decode_samples(bytes);
    let _ = Recorded::from_bytes(bytes);
    let [first, second, rest @ ..] = bytes else {
        return;
    };
    let count = usize::from(u16::from_le_bytes([*first, *second])) % COUNT_MAX;
    let header = IntPacker::default().header().unwrap_or_default();
    if let Ok(unpacker) = IntUnpacker::new(&header) {
        let mut scratch = Scratch::default();
        let _ = unpacker.unpack(rest, count, &mut scratch);
        let _ = decode_values(rest, count, &unpacker, &mut scratch, &mut Vec::new());
    }
}

/// Eight bytes a value: what is encoded comes back to the bit.
///
/// # Errors
/// When it does not, in words.
pub fn values_come_back(bytes: &[u8]) -> Result<(), String> {
    let values: Vec<f64> = bytes
        .chunks_exact(8)
        .map(|bytes| f64::from_bits(u64::from_le_bytes(bytes.try_into().unwrap_or_default())))
        .collect();
    if values.is_empty() {
        return Ok(());
    }
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let mut packer = IntPacker::default();
    let mut packed = Vec::new();
    ValueEncoder::default()
        .encode(&values, &mut packer, &mut packed)
        .map_err(|error| told(&error))?;
    let header = packer.header().map_err(|error| told(&error))?;
    let unpacker = IntUnpacker::new(&header).map_err(|error| told(&error))?;
    let mut back = Vec::new();
    decode_values(
        &packed,
        values.len(),
        &unpacker,
        &mut Scratch::default(),
        &mut back,
    )
    .map_err(|error| told(&error))?;
    let same = |(one, other): (&f64, &f64)| one.to_bits() == other.to_bits();
    if back.len() == values.len() && back.iter().zip(&values).all(same) {
        return Ok(());
    }
    Err(format!("{values:?} came back as {back:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_by_every_decoder(bytes: Vec<u8>) {
            any_bytes_are_read_or_refused(&bytes);
        }

        #[test]
        fn any_values_come_back_to_the_bit(bytes: Vec<u8>) {
            prop_assert_eq!(values_come_back(&bytes), Ok(()));
        }
    }
}
