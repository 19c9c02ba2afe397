//! Columns of samples as bytes, lossless to the bit: times and values of one run each, coded apart; it knows no files.

mod ints;
mod values;

pub(crate) use ints::{IntPacker, IntUnpacker, Scratch};
pub(crate) use values::{ValueEncoder, decode_values};

/// A column that cannot be coded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ColumnError {
    /// The bytes are no column.
    #[error("{0}")]
    Damaged(String),
    /// The packer refused.
    #[error("numbers could not be packed: {0}")]
    Packing(String),
}

impl ColumnError {
    fn damaged(error: pco::errors::PcoError) -> Self {
        Self::Damaged(error.to_string())
    }

    fn packing(error: pco::errors::PcoError) -> Self {
        Self::Packing(error.to_string())
    }
}
