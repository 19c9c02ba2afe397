//! The embedded store of metrics, logs and facts; it is synchronous and takes `now` as an argument.
//!
//! What is appended goes to a write-ahead log (one sync per group) and to the head in memory; from time to time
//! [`Store::maintain`] seals what was logged into an immutable block and drops what is too old. A query sees head and
//! blocks as one. [`Recorded`] is a frozen copy of one target's window that answers the same queries.

mod accept;
mod chunk;
mod codec;
mod columns;
mod disk;
mod error;
mod exemplars;
mod frame;
mod head;
mod maintain;
mod merge;
mod merging;
mod metadata;
mod metrics;
mod options;
mod payload;
pub mod properties;
mod query;
mod record;
mod record_block;
mod recorded;
mod recovery;
mod sample_block;
mod series;
mod sources;
mod store;
mod tails;
mod varint;
mod wal;
mod window;

pub use codec::{CodecError, decode_samples, encode_samples};
pub use disk::{Disk, Draft, LogFile, RealDisk};
pub use error::{AppendError, MaintainError, OpenError, ReadError};
pub use maintain::{Maintained, Pin};
pub use options::{Limits, OpenReport, Options, Refused, SealSamples, SetAside, Stats, TornTail};
pub use query::SeriesSamples;
pub use recorded::{Recorded, RecordedError, RecordedSeries};
pub use store::{Position, Store};
pub use window::{ExportError, Imported, Window, WindowContents};
