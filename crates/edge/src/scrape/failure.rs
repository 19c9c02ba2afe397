//! Why a scrape failed, for a person. It decides nothing.

use std::time::Duration;

use crate::delivery::egress::Blocked;

/// Why a scrape gave no samples.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The job's requests cannot be made.
    #[error("{0}")]
    Unusable(String),
    /// A file with a secret cannot be read.
    #[error("{file}: {why}")]
    Secret {
        /// Its path.
        file: String,
        /// What happened.
        why: String,
    },
    /// Requests do not go there.
    #[error("{0}")]
    Blocked(#[from] Blocked),
    /// The exporter could not be reached, or the connection broke.
    #[error("{0}")]
    Connection(String),
    /// It took too long.
    #[error("no whole answer within {0:?}")]
    TimedOut(Duration),
    /// It answered with another status than 200.
    #[error("the exporter answered with HTTP status {0}")]
    Status(reqwest::StatusCode),
    /// It is larger than allowed.
    #[error("the answer has more than {0} bytes (body_size_limit)")]
    TooLarge(u64),
    /// Too much is under way.
    #[error("the answers of all exporters that are being read take too much memory together")]
    TooMuchAtOnce,
    /// It is compressed in a way that was not asked for, or damaged.
    #[error("the answer cannot be unpacked: {0}")]
    Packed(String),
    /// It is no format of metrics, or is damaged.
    #[error("{0}")]
    Unreadable(String),
    /// A limit of the job.
    #[error("{0}")]
    Limit(String),
    /// The samples are not on disk.
    #[error("the samples could not be stored: {0}")]
    NotStored(String),
}
