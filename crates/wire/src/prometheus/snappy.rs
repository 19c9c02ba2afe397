//! Snappy's block format, as remote write compresses its bodies; it knows nothing of what is inside.

use snap::raw::{Decoder, Encoder, decompress_len};

/// The densest element of the format is a copy of 64 bytes in three, so that no honest block grows by more than this.
const GROWTH_MAX: usize = 22;

/// Why a block was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnappyError {
    /// Nothing was allocated for it.
    #[error("the snappy block claims {claimed} bytes, the limit is {limit}")]
    TooBig {
        /// Bytes it would have after decompression.
        claimed: usize,
        /// Bytes that are allowed.
        limit: usize,
    },
    /// Nothing was allocated for it.
    #[error(
        "the snappy block claims {claimed} bytes, which {compressed} compressed bytes cannot hold"
    )]
    Impossible {
        /// Bytes it would have after decompression.
        claimed: usize,
        /// Bytes it has.
        compressed: usize,
    },
    /// Some other format, or damaged.
    #[error("not a snappy block: {0}")]
    Malformed(String),
}

/// Decompresses a block into `out`, whose former content is lost and whose memory is used again.
///
/// # Errors
/// More than `max_bytes` are claimed, or the block is damaged. `out` is empty then.
pub fn decompress(block: &[u8], max_bytes: usize, out: &mut Vec<u8>) -> Result<(), SnappyError> {
    let result = decompress_into(block, max_bytes, out);
    if result.is_err() {
        out.clear();
    }
    result
}

fn decompress_into(block: &[u8], max_bytes: usize, out: &mut Vec<u8>) -> Result<(), SnappyError> {
    let malformed = |error: snap::Error| SnappyError::Malformed(error.to_string());
    let claimed = decompress_len(block).map_err(malformed)?;
    if claimed > max_bytes {
        return Err(SnappyError::TooBig {
            claimed,
            limit: max_bytes,
        });
    }
    if claimed > block.len().saturating_mul(GROWTH_MAX) {
        return Err(SnappyError::Impossible {
            claimed,
            compressed: block.len(),
        });
    }
    out.resize(claimed, 0);
    let written = Decoder::new().decompress(block, out).map_err(malformed)?;
    out.truncate(written);
    Ok(())
}

/// Compresses into a block.
///
/// # Errors
/// The format cannot express 4 GiB and more.
pub fn compress(bytes: &[u8]) -> Result<Vec<u8>, SnappyError> {
    Encoder::new()
        .compress_vec(bytes)
        .map_err(|error| SnappyError::Malformed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::prometheus::properties;

    #[test]
    fn a_block_that_claims_more_than_the_limit_is_refused_before_memory_is_taken() {
        let mut out = Vec::new();
        // A varint of 2^32 - 1 and nothing behind it.
        let bomb = [0xff, 0xff, 0xff, 0xff, 0x0f];
        let refused = decompress(&bomb, 1 << 20, &mut out).unwrap_err();
        assert_eq!(
            refused,
            SnappyError::TooBig {
                claimed: 0xffff_ffff,
                limit: 1 << 20
            }
        );
        assert_eq!(
            refused.to_string(),
            "the snappy block claims 4294967295 bytes, the limit is 1048576"
        );
        assert_eq!(out.capacity(), 0);
    }

    #[test]
    fn a_claim_that_the_block_cannot_hold_is_refused_before_memory_is_taken() {
        let mut out = Vec::new();
        let lie = [0x80, 0x80, 0x40, 0x00, b'x'];
        assert_eq!(
            decompress(&lie, 1 << 30, &mut out),
            Err(SnappyError::Impossible {
                claimed: 1 << 20,
                compressed: 5
            })
        );
        assert_eq!(out.capacity(), 0);
    }

    #[test]
    fn the_densest_honest_block_is_accepted() {
        let plain = vec![0; 1 << 20];
        let block = compress(&plain).unwrap();
        let mut out = Vec::new();
        decompress(&block, 1 << 20, &mut out).unwrap();
        assert_eq!(out, plain);
    }

    #[test]
    fn damaged_blocks_are_refused_and_leave_nothing_behind() {
        for block in [
            &b""[..],
            &[0x05],
            &[0x05, 0x10, b'a'],
            b"\xff\x06\x00\x00sNaPpY",
        ] {
            let mut out = b"former".to_vec();
            assert!(decompress(block, 1 << 20, &mut out).is_err(), "{block:?}");
            assert!(out.is_empty());
        }
    }

    #[test]
    fn memory_is_used_again() {
        let mut out = vec![7; 100];
        decompress(&compress(b"abc").unwrap(), 100, &mut out).unwrap();
        assert_eq!(out, b"abc");
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(plain in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let mut out = Vec::new();
            decompress(&compress(&plain).unwrap(), 2000, &mut out).unwrap();
            prop_assert_eq!(out, plain);
        }

        #[test]
        fn any_block_is_read_or_refused_within_the_limit(
            block in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            prop_assert_eq!(properties::snappy_block(&block), Ok(()));
        }
    }
}
