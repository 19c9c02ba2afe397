//! What can be asked about business services.

use crate::business::Dependency;
use crate::id::{BusinessServiceId, TeamId};

/// Work on business services and on what supports what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusinessAsk {
    /// Add or replace one; `None` as id adds.
    Set {
        /// Which, or a new one.
        id: Option<BusinessServiceId>,
        /// Its name.
        name: String,
        /// What it is; may be empty.
        description: String,
        /// Whom to ask about it; may be empty.
        point_of_contact: String,
        /// The team that answers for it.
        team: Option<TeamId>,
    },
    /// Remove one, with every dependency that names it.
    Remove(BusinessServiceId),
    /// Say that services need others, all of it or nothing. What is so already stays.
    Associate(Vec<Dependency>),
    /// Say that services need others no more, all of it or nothing.
    Disassociate(Vec<Dependency>),
}
