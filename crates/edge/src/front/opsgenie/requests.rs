//! What became of the newest requests of Opsgenie's clients, which ask for it by the id that each was answered with. What they said
//! is on disk; this alone is forgotten when Tocsin ends.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use tocsin_domain::id::IntegrationId;
use tocsin_wire::opsgenie::Processed;

use crate::lock::lock;

/// Requests remembered at most; beyond, the oldest are forgotten.
const REQUESTS_MAX: usize = 4_096;

/// Requests by their ids.
#[derive(Default)]
pub(crate) struct OpsgenieRequests(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    by_id: BTreeMap<String, Processed>,
    /// Their ids, the oldest first.
    order: VecDeque<String>,
}

impl OpsgenieRequests {
    /// What became of a request of this integration.
    pub(crate) fn find(&self, integration: IntegrationId, id: &str) -> Option<Processed> {
        let all = lock(&self.0);
        let known = all.by_id.get(id);
        known.filter(|one| one.integration == integration).cloned()
    }

    /// Remembers what became of one.
    pub(crate) fn remember(&self, id: &str, processed: Processed) {
        let mut all = lock(&self.0);
        if all.by_id.insert(id.to_owned(), processed).is_none() {
            all.order.push_back(id.to_owned());
        }
        while all.order.len() > REQUESTS_MAX {
            if let Some(oldest) = all.order.pop_front() {
                all.by_id.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tocsin_domain::time::Timestamp;
    use tocsin_wire::opsgenie::{Kind, Outcome};

    use super::*;

    #[test]
    fn the_newest_few_thousand_are_remembered_each_for_its_integration() {
        let known = OpsgenieRequests::default();
        let integration: IntegrationId = "QAAAAAAAAAAAAA".parse().unwrap();
        let processed = Processed {
            kind: Kind::Create,
            outcome: Outcome::Done,
            alert: None,
            alias: "db1".to_owned(),
            integration,
            at: Timestamp::from_millis(0),
        };
        for n in 0..=REQUESTS_MAX {
            known.remember(&n.to_string(), processed.clone());
        }
        assert_eq!(known.find(integration, "0"), None);
        assert_eq!(known.find(integration, "1"), Some(processed));
        let other: IntegrationId = "QAAAAAAAAAAAAB".parse().unwrap();
        assert_eq!(known.find(other, "1"), None);
        let all = lock(&known.0);
        assert_eq!(
            (all.order.len(), all.by_id.len()),
            (REQUESTS_MAX, REQUESTS_MAX)
        );
    }
}
