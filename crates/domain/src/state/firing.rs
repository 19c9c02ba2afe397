//! Which alerts fire now: found by their keys, and in order by service. It decides nothing.

#![expect(
    clippy::disallowed_types,
    reason = "it is asked by key alone, never gone through: by the order of long keys it took a quarter of a storm's time"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use crate::alert::{AlertKey, Sender};
use crate::id::{AlertId, ServiceId};

/// The firing alerts. Nothing is ever read in the order of the keys, which are as long as senders like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Firing {
    by_key: HashMap<AlertKey, AlertId>,
    /// Those of rules by their keys alone: a rule may have moved to another service since it fired.
    of_rule: HashMap<String, BTreeMap<ServiceId, AlertId>>,
    of_service: BTreeMap<ServiceId, BTreeSet<AlertId>>,
}

impl Firing {
    /// The alert that fires under this key.
    #[must_use]
    pub fn get(&self, key: &AlertKey) -> Option<&AlertId> {
        self.by_key.get(key)
    }

    /// The alert of a rule that fires under this key, whichever service it was raised on.
    #[must_use]
    pub fn of_rule(&self, key: &str) -> Option<&AlertId> {
        self.of_rule.get(key)?.values().next()
    }

    /// Whether one fires under this key.
    #[must_use]
    pub fn contains_key(&self, key: &AlertKey) -> bool {
        self.by_key.contains_key(key)
    }

    /// How many fire.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether none fires.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// All of them, by service and id.
    pub fn values(&self) -> impl Iterator<Item = &AlertId> {
        self.of_service.values().flatten()
    }

    /// Those of one service that come after an alert, or all of them, by id.
    pub fn of(&self, service: ServiceId, after: Option<AlertId>) -> impl Iterator<Item = &AlertId> {
        let rest = (
            after.map_or(Bound::Unbounded, Bound::Excluded),
            Bound::Unbounded,
        );
        let own = self.of_service.get(&service).into_iter();
        own.flat_map(move |all| all.range(rest))
    }

    /// Those that come after an alert of a service, by service and id.
    pub fn after(&self, service: ServiceId, alert: AlertId) -> impl Iterator<Item = &AlertId> {
        let own = self.of(service, Some(alert));
        let later = (Bound::Excluded(service), Bound::Unbounded);
        own.chain(self.of_service.range(later).flat_map(|(_, all)| all))
    }

    /// An alert of a service fires under its key, which names the service that it was sent to.
    pub(super) fn insert(&mut self, key: AlertKey, service: ServiceId, alert: AlertId) {
        if key.sender == Sender::Rule {
            let of_rule = self.of_rule.entry(key.key.clone()).or_default();
            of_rule.insert(key.service, alert);
        }
        self.by_key.insert(key, alert);
        self.of_service.entry(service).or_default().insert(alert);
    }

    pub(super) fn remove(&mut self, key: &AlertKey, service: ServiceId, alert: AlertId) {
        if self.by_key.get(key) == Some(&alert) {
            self.by_key.remove(key);
            if let Some(of_rule) = self.of_rule.get_mut(&key.key)
                && key.sender == Sender::Rule
            {
                of_rule.remove(&key.service);
                if of_rule.is_empty() {
                    self.of_rule.remove(&key.key);
                }
            }
        }
        if let Some(own) = self.of_service.get_mut(&service) {
            own.remove(&alert);
            if own.is_empty() {
                self.of_service.remove(&service);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(text: &str) -> ServiceId {
        text.parse().unwrap()
    }

    fn alert(text: &str) -> AlertId {
        text.parse().unwrap()
    }

    fn key(of: ServiceId, key: &str) -> AlertKey {
        AlertKey {
            service: of,
            sender: Sender::Api,
            key: key.to_owned(),
        }
    }

    #[test]
    fn alerts_are_found_by_key_and_go_on_after_any_of_them_by_service_and_id() {
        let (one, two) = (service("QAAAAAAAAAAAAA"), service("QBBBBBBBBBBBBB"));
        let (first, second, third) = (
            alert("QAAAAAAAAAAAAB"),
            alert("QAAAAAAAAAAAAC"),
            alert("QAAAAAAAAAAAAA"),
        );
        let mut firing = Firing::default();
        firing.insert(key(one, "c"), two, third);
        firing.insert(key(one, "b"), one, first);
        firing.insert(key(one, "a"), one, second);
        let all: Vec<AlertId> = firing.values().copied().collect();
        assert_eq!(all, [first, second, third]);
        let after: Vec<AlertId> = firing.after(one, first).copied().collect();
        assert_eq!(after, [second, third]);
        assert_eq!(firing.after(two, third).count(), 0);
        assert_eq!(firing.of(one, None).count(), 2);
        assert_eq!(firing.get(&key(one, "a")), Some(&second));

        firing.remove(&key(one, "c"), two, third);
        firing.remove(&key(one, "c"), two, third);
        firing.remove(&key(one, "a"), one, third);
        let all: Vec<AlertId> = firing.values().copied().collect();
        assert_eq!(all, [first, second]);
        assert_eq!(firing.len(), 2);
        firing.remove(&key(one, "a"), one, second);
        firing.remove(&key(one, "b"), one, first);
        assert!(firing.is_empty());
        assert_eq!(firing, Firing::default());
    }

    #[test]
    fn an_alert_of_a_rule_is_found_whichever_service_it_was_raised_on() {
        let (one, two) = (service("QAAAAAAAAAAAAA"), service("QBBBBBBBBBBBBB"));
        let (first, second) = (alert("QAAAAAAAAAAAAB"), alert("QAAAAAAAAAAAAC"));
        let of_rule = |service| AlertKey {
            sender: Sender::Rule,
            ..key(service, "a")
        };
        let mut firing = Firing::default();
        firing.insert(key(one, "a"), one, first);
        assert_eq!(firing.of_rule("a"), None, "it is another sender's");
        firing.insert(of_rule(two), two, second);
        assert_eq!(firing.of_rule("a"), Some(&second));
        firing.remove(&key(one, "a"), one, first);
        assert_eq!(firing.of_rule("a"), Some(&second));
        firing.remove(&of_rule(two), two, second);
        assert_eq!(firing, Firing::default());
    }
}
