//! Compares the postmortem's numbers of hurt requests and users with the traffic's own count, which Tocsin never sees.

use serde_json::Value;

use super::record::Record;
use super::traffic::Truth;

/// Checks that the stated ranges cover the truth.
pub(crate) fn check(record: &mut Record, truth: &Truth, facts: &Value) {
    let _ = (record, truth, facts);
}
