//! What became of the newest requests of Opsgenie's clients, which ask for it by the id that each was answered with. What they said
//! is on disk; this alone is forgotten when Tocsin ends.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Mutex;

use tocsin_domain::id::IntegrationId;
use tocsin_wire::opsgenie::Processed;

use crate::lock::lock;

/// Requests of one integration remembered at most; beyond, its oldest are forgotten.
const REQUESTS_OF_ONE_MAX: usize = 1_024;
/// Requests of all together; beyond, the oldest of whoever has the most are forgotten.
const REQUESTS_MAX: usize = 16_384;
/// After so many requests those of integrations that are gone are forgotten. To look at each time would cost more than they do.
const LOOK_EVERY: usize = 1_024;

/// Requests by whose they are and by their ids.
#[derive(Default)]
pub(crate) struct OpsgenieRequests(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    of: BTreeMap<IntegrationId, Newest>,
    /// How many each integration has, the fewest first.
    by_count: BTreeSet<(usize, IntegrationId)>,
    /// How many there are.
    count: usize,
    /// How many came since it was looked whose integrations are gone.
    unlooked: usize,
}

/// Those of one integration.
#[derive(Default)]
struct Newest {
    by_id: BTreeMap<String, Processed>,
    /// Their ids, the oldest first.
    order: VecDeque<String>,
}

impl OpsgenieRequests {
    /// What became of a request of this integration.
    pub(crate) fn find(&self, integration: IntegrationId, id: &str) -> Option<Processed> {
        let all = lock(&self.0);
        all.of.get(&integration)?.by_id.get(id).cloned()
    }

    /// Remembers what became of one; `is_there` tells whether an integration is there still.
    pub(crate) fn remember(
        &self,
        id: &str,
        processed: Processed,
        is_there: impl Fn(IntegrationId) -> bool,
    ) {
        let mut all = lock(&self.0);
        all.unlooked += 1;
        if all.unlooked >= LOOK_EVERY {
            all.unlooked = 0;
            all.forget_gone(is_there);
        }
        all.make_room(processed.integration);
        all.add(id, processed);
    }
}

impl Remembered {
    /// Forgets as many as stand in the way of another request of this integration.
    fn make_room(&mut self, integration: IntegrationId) {
        let own = self.of.get(&integration).map_or(0, |own| own.order.len());
        if own >= REQUESTS_OF_ONE_MAX {
            self.forget_oldest(integration);
        }
        while self.count >= REQUESTS_MAX {
            let Some((most, other)) = self.by_count.last().copied() else {
                return;
            };
            // Who has as many as anybody makes the room itself.
            let is_own = self.by_count.contains(&(most, integration));
            self.forget_oldest(if is_own { integration } else { other });
        }
    }

    fn add(&mut self, id: &str, processed: Processed) {
        let integration = processed.integration;
        let own = self.of.entry(integration).or_default();
        let before = own.order.len();
        if own.by_id.insert(id.to_owned(), processed).is_none() {
            own.order.push_back(id.to_owned());
        }
        let now = own.order.len();
        self.recount(integration, before, now);
    }

    fn forget_oldest(&mut self, integration: IntegrationId) {
        let Some(own) = self.of.get_mut(&integration) else {
            return;
        };
        let before = own.order.len();
        if let Some(oldest) = own.order.pop_front() {
            own.by_id.remove(&oldest);
        }
        let now = own.order.len();
        if now == 0 {
            self.of.remove(&integration);
        }
        self.recount(integration, before, now);
    }

    fn forget_gone(&mut self, is_there: impl Fn(IntegrationId) -> bool) {
        let known = self.of.keys().copied();
        let gone: Vec<IntegrationId> = known.filter(|one| !is_there(*one)).collect();
        for integration in gone {
            if let Some(own) = self.of.remove(&integration) {
                self.recount(integration, own.order.len(), 0);
            }
        }
    }

    /// Counts what an integration has now for what it had before.
    fn recount(&mut self, integration: IntegrationId, before: usize, now: usize) {
        self.count = (self.count + now).saturating_sub(before);
        self.by_count.remove(&(before, integration));
        if now > 0 {
            self.by_count.insert((now, integration));
        }
    }
}

#[cfg(test)]
mod tests {
    use tocsin_domain::time::Timestamp;
    use tocsin_wire::opsgenie::{Kind, Outcome};

    use super::*;

    fn integration(number: usize) -> IntegrationId {
        let digits = format!("{number:013}");
        let letters = digits.bytes().map(|digit| char::from(digit - b'0' + b'A'));
        let letters: String = letters.collect();
        format!("Q{letters}").parse().unwrap()
    }

    fn processed(integration: IntegrationId) -> Processed {
        Processed {
            kind: Kind::Create,
            outcome: Outcome::Done,
            alert: None,
            alias: "db1".to_owned(),
            integration,
            at: Timestamp::from_millis(0),
        }
    }

    /// Has integrations send one request each in turn, so often; an id is the turn.
    fn send(known: &OpsgenieRequests, integrations: usize, turns: usize) {
        for turn in 0..turns {
            for number in 0..integrations {
                let one = processed(integration(number));
                known.remember(&turn.to_string(), one, |_| true);
            }
        }
    }

    /// How many an integration has, by all that keeps count of it.
    fn count_of(known: &OpsgenieRequests, number: usize) -> usize {
        let all = lock(&known.0);
        let id = integration(number);
        let count = all.of.get(&id).map_or(0, |own| own.order.len());
        assert_eq!(all.of.get(&id).map_or(0, |own| own.by_id.len()), count);
        assert_eq!(all.by_count.contains(&(count, id)), count > 0);
        count
    }

    fn total(known: &OpsgenieRequests) -> usize {
        let all = lock(&known.0);
        let sum: usize = all.of.values().map(|own| own.order.len()).sum();
        assert_eq!((all.count, all.by_count.len()), (sum, all.of.len()));
        sum
    }

    #[test]
    fn a_busy_integration_pushes_out_its_own_requests_and_no_others() {
        let known = OpsgenieRequests::default();
        let (quiet, busy) = (integration(0), integration(1));
        known.remember("first", processed(quiet), |_| true);
        let turns = 2 * REQUESTS_MAX;
        for turn in 0..turns {
            known.remember(&turn.to_string(), processed(busy), |_| true);
        }
        assert_eq!(known.find(quiet, "first"), Some(processed(quiet)));
        assert_eq!(known.find(busy, "first"), None, "it is another's");
        let oldest = turns - REQUESTS_OF_ONE_MAX;
        assert_eq!(known.find(busy, &(oldest - 1).to_string()), None);
        for turn in [oldest, turns - 1] {
            let found = known.find(busy, &turn.to_string());
            assert_eq!(found, Some(processed(busy)), "{turn}");
        }
        assert_eq!(count_of(&known, 1), REQUESTS_OF_ONE_MAX);
        assert_eq!(total(&known), REQUESTS_OF_ONE_MAX + 1);
    }

    #[test]
    fn five_thousand_integrations_share_what_is_remembered_and_it_grows_no_further() {
        let (known, integrations) = (OpsgenieRequests::default(), 5_000);
        send(&known, 1, REQUESTS_OF_ONE_MAX);
        send(&known, integrations, 5);
        assert_eq!(total(&known), REQUESTS_MAX);
        let share = REQUESTS_MAX / integrations;
        for number in 0..integrations {
            let count = count_of(&known, number);
            assert!((share..=share + 1).contains(&count), "{number}: {count}");
            assert!(known.find(integration(number), "4").is_some(), "{number}");
        }
    }

    #[test]
    fn more_integrations_than_requests_are_remembered_have_room_for_the_newest() {
        let (known, integrations) = (OpsgenieRequests::default(), REQUESTS_MAX + 10);
        send(&known, integrations, 1);
        assert_eq!(total(&known), REQUESTS_MAX);
        assert!(known.find(integration(integrations - 1), "0").is_some());
    }

    #[test]
    fn requests_of_an_integration_that_is_gone_are_forgotten() {
        let known = OpsgenieRequests::default();
        send(&known, 3, 10);
        let gone = integration(1);
        for turn in 0..LOOK_EVERY {
            let one = processed(integration(0));
            known.remember(&turn.to_string(), one, |integration| integration != gone);
        }
        assert_eq!((count_of(&known, 1), count_of(&known, 2)), (0, 10));
        assert_eq!(known.find(gone, "9"), None);
        total(&known);
    }
}
