//! The names of escalation policies that are removed by now: as many as are of use. It removes nothing itself.

use std::collections::{BTreeMap, BTreeSet};

use super::State;
use crate::id::PolicyId;
use crate::incident::Assigned;
use crate::page::Policy;

/// Names that are known at most, besides those that an open incident speaks of: when there is one more, the policy that was removed
/// first is known by its name no longer.
pub const REMOVED_POLICIES_MAX: usize = 1_000;

/// The names of policies that are removed by now: what was given to one is still told by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemovedPolicies(BTreeMap<PolicyId, Removed>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Removed {
    name: String,
    /// Position of the event that removed it.
    position: u64,
}

impl RemovedPolicies {
    /// What a policy was called when it was removed, if that is remembered.
    #[must_use]
    pub fn name_of(&self, policy: PolicyId) -> Option<&str> {
        self.0.get(&policy).map(|removed| removed.name.as_str())
    }

    /// How many names are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets the names of what was removed first, but for these, until there are no more than are of use.
    fn forget_but(&mut self, spoken_of: &BTreeSet<PolicyId>) {
        while self.0.len() > REMOVED_POLICIES_MAX {
            let others = self.0.iter().filter(|(id, _)| !spoken_of.contains(*id));
            let Some(first) = others.min_by_key(|(_, removed)| removed.position) else {
                return;
            };
            let first = *first.0;
            self.0.remove(&first);
        }
    }
}

impl State {
    /// Remembers what a policy was called that is removed by the event at this position.
    pub(super) fn remember_removed(&mut self, policy: Policy, position: u64) {
        let removed = Removed {
            name: policy.name,
            position,
        };
        self.removed_policies.0.insert(policy.id, removed);
        if self.removed_policies.len() > REMOVED_POLICIES_MAX {
            let spoken_of = self.spoken_of();
            self.removed_policies.forget_but(&spoken_of);
        }
    }

    /// Policies to which an open incident was given, or by which it was paged for last.
    fn spoken_of(&self) -> BTreeSet<PolicyId> {
        let open = self.open_incidents.iter();
        let open = open.filter_map(|id| self.incidents.get(id));
        open.flat_map(|incident| {
            let given = match &incident.assigned {
                Some(Assigned::Policy(policy)) => Some(*policy),
                Some(Assigned::People(_)) | None => None,
            };
            let reached = incident.paging.as_ref().and_then(|paging| paging.policy);
            [given, reached].into_iter().flatten()
        })
        .collect()
    }
}
