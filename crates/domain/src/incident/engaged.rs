//! Who works on an incident.

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::time::Timestamp;

/// People who are kept as having worked on an incident at most.
pub const ENGAGED_MAX: usize = 50;

/// Who has worked on an incident, whatever became of their acknowledgements since.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engaged {
    /// When it was acknowledged for the first time.
    pub acknowledged_at: Option<Timestamp>,
    /// Who acknowledged it or came to help, and since when: the first so many.
    pub people: Vec<(UserId, Timestamp)>,
}
