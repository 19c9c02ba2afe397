//! Alertmanager's API v2: alerts and silences that its clients send, the filters of their questions, and the answers. It knows
//! nothing of routes or state.
//!
//! What is read is read as Go's `encoding/json` and go-openapi do: `null` is the zero value, unknown fields are passed over, and
//! a time is RFC 3339 with up to nine digits of a second. Sizes are bounded, which Alertmanager leaves to whoever runs it.

mod alert;
mod answer;
mod fault;
mod fingerprint;
mod matcher;
mod pairs;
mod question;
mod silence;
mod time;
mod uuid;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use alert::{
    ALERTS_MAX, GENERATOR_URL, LABELS_MAX, NAME_BYTES_MAX, PostedAlert, TEXT_BYTES_MAX, ValidAlert,
    parse_alerts,
};
pub use answer::{
    AlertShown, AlertState, AlertStatus, Cluster, Config, GroupShown, Labels, MatcherShown,
    PeerShown, Receiver, SilenceShown, SilenceState, SilenceStatus, StatusShown, VersionInfo, json,
};
pub use fault::Fault;
pub use fingerprint::{fingerprint, fingerprint_text};
pub(crate) use matcher::written_matchers;
pub use matcher::{parse_matcher, parse_matchers};
pub use question::{AlertQuestion, FILTERS_MAX, filters};
pub use silence::{PostedSilence, parse_silence};
pub use time::{is_zero, parse_time};
pub use uuid::{id_of_uuid, uuid_of_id};

/// Bytes of a body with alerts.
pub const ALERTS_BYTES_MAX: usize = 16 * 1_024 * 1_024;
/// Bytes of a body with a silence.
pub const SILENCE_BYTES_MAX: usize = 256 * 1_024;
/// The version of Alertmanager whose API this is; its clients choose by it what they may ask.
pub const SPOKEN_VERSION: &str = "0.28.1";
