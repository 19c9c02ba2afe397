//! What happens to tags.

use serde::{Deserialize, Serialize};

use crate::tag::Tagged;

/// What happened to tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum TagEvent {
    /// There is a new one, which nothing has.
    Added {
        /// Its label.
        label: String,
    },
    /// One was removed, from whatever had it too.
    Removed {
        /// Its label.
        label: String,
    },
    /// Something has other tags; those that were not there before are there now.
    Changed {
        /// What.
        on: Tagged,
        /// The labels that it has from now on too.
        add: Vec<String>,
        /// The labels that it has no more.
        remove: Vec<String>,
    },
}
