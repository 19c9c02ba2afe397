//! Lines of Apache's access and error logs; it knows neither files nor where a line came from.

pub mod access;
pub mod codes;
pub mod error;
mod escape;
mod format;
mod matching;
mod time;

pub use access::{AccessLine, Detected, FieldNames, LineError, detect};
pub use codes::{CodeClass, class, is_clean_stop, meaning};
pub use error::ErrorLine;
pub use format::{FormatError, LogFormat, nickname};

/// Longer lines are refused (access log) or cut (error log). Apache itself refuses request lines above 8 KiB.
pub const LINE_BYTES_MAX: usize = 64 * 1_024;

#[cfg(test)]
mod tests;
