//! What happens to business services and to what supports them.

use serde::{Deserialize, Serialize};

use crate::business::{BusinessService, Dependency};
use crate::id::BusinessServiceId;

/// What happened to business services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum BusinessEvent {
    /// One was added or replaced.
    ServiceSet {
        /// The whole of it.
        service: BusinessService,
    },
    /// One was removed, with every dependency that named it.
    ServiceRemoved {
        /// Which.
        service: BusinessServiceId,
    },
    /// Services need others from now on.
    Associated {
        /// Those that are new.
        dependencies: Vec<Dependency>,
    },
    /// Services need others no more.
    Disassociated {
        /// Those that are gone.
        dependencies: Vec<Dependency>,
    },
}
