//! What can be asked about tags.

use crate::tag::Tagged;

/// Work on tags, which are known by their labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagAsk {
    /// Add one that nothing has.
    Add {
        /// Its label.
        label: String,
    },
    /// Remove one, from whatever has it too.
    Remove {
        /// Its label.
        label: String,
    },
    /// Put tags on something and take others away. Those that are not there yet are added.
    Change {
        /// On what.
        on: Tagged,
        /// The labels that it is to have too.
        add: Vec<String>,
        /// The labels that it is to have no more.
        remove: Vec<String>,
    },
}
