//! Which alerts fire now: found by their keys, and in order by service. It decides nothing.

#![expect(
    clippy::disallowed_types,
    reason = "it is asked by key alone, never gone through: by the order of long keys it took a quarter of a storm's time"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::ops::Bound;

use super::State;
use super::shared_map::SharedMap;
use crate::alert::{Alert, AlertKey, Sender};
use crate::id::{AlertId, ServiceId};

/// The alerts that their keys are looked up in.
type Alerts = SharedMap<AlertId, Alert>;

/// The firing alerts. Nothing is ever read in the order of the keys, which are as long as senders like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Firing {
    by_key: ByKey,
    /// Those of rules by their keys alone: a rule may have moved to another service since it fired.
    of_rule: HashMap<String, BTreeMap<ServiceId, AlertId>>,
    of_service: BTreeMap<ServiceId, BTreeSet<AlertId>>,
}

/// Alerts by their keys, which stand in the alerts alone: a hundred thousand keys would be kept twice otherwise.
#[derive(Clone, Debug, Default, PartialEq)]
struct ByKey {
    /// By the hashes of their keys.
    hashed: HashMap<u64, AlertId, BuildHasherDefault<AsIs>>,
    /// Those whose hash was another's when they came.
    rest: BTreeMap<AlertKey, AlertId>,
}

impl ByKey {
    /// The alert of `alerts` under this key, of which this is the hash.
    fn get<'a>(&self, hash: u64, key: &AlertKey, alerts: &'a Alerts) -> Option<&'a Alert> {
        let alert = |id: &AlertId| alerts.get(id);
        let hashed = self.hashed.get(&hash).and_then(alert);
        let hashed = hashed.filter(|alert| alert.is_under(key));
        hashed.or_else(|| self.rest.get(key).and_then(alert))
    }

    fn insert(&mut self, hash: u64, key: AlertKey, alert: AlertId, alerts: &Alerts) {
        let is_anothers = |known: &AlertId| {
            let known = alerts.get(known);
            !known.is_some_and(|known| known.is_under(&key))
        };
        if self.rest.contains_key(&key) || self.hashed.get(&hash).is_some_and(is_anothers) {
            self.rest.insert(key, alert);
        } else {
            self.hashed.insert(hash, alert);
        }
    }

    /// Whether it was there.
    fn remove(&mut self, hash: u64, key: &AlertKey, alert: AlertId) -> bool {
        if self.hashed.get(&hash) == Some(&alert) {
            return self.hashed.remove(&hash).is_some();
        }
        self.rest.get(key) == Some(&alert) && self.rest.remove(key).is_some()
    }

    fn len(&self) -> usize {
        self.hashed.len() + self.rest.len()
    }
}

/// What is a hash already is not hashed again.
#[derive(Clone, Copy, Debug, Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// The same for the same key in every process: whoever finds two keys of one hash gains nothing, for both are kept.
fn hash_of(key: &AlertKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

impl Firing {
    /// The alert of a rule that fires under this key, whichever service it was raised on.
    #[must_use]
    pub fn of_rule(&self, key: &str) -> Option<&AlertId> {
        self.of_rule.get(key)?.values().next()
    }

    /// How many fire.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether none fires.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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

    /// This alert fires from now on; `alerts` are those that fired before it.
    pub(super) fn insert(&mut self, alert: &Alert, alerts: &Alerts) {
        let (key, id) = (alert.key(), alert.id);
        if key.sender == Sender::Rule {
            let of_rule = self.of_rule.entry(key.key.clone()).or_default();
            of_rule.insert(key.service, id);
        }
        let of_service = self.of_service.entry(alert.service).or_default();
        of_service.insert(id);
        self.by_key.insert(hash_of(&key), key, id, alerts);
    }

    /// This alert, which is as it fired, fires no more.
    pub(super) fn remove(&mut self, alert: &Alert) {
        let (key, id) = (alert.key(), alert.id);
        if self.by_key.remove(hash_of(&key), &key, id)
            && key.sender == Sender::Rule
            && let Some(of_rule) = self.of_rule.get_mut(&key.key)
        {
            of_rule.remove(&key.service);
            if of_rule.is_empty() {
                self.of_rule.remove(&key.key);
            }
        }
        if let Some(own) = self.of_service.get_mut(&alert.service) {
            own.remove(&id);
            if own.is_empty() {
                self.of_service.remove(&alert.service);
            }
        }
    }
}

impl State {
    /// The alert that fires under this key.
    #[must_use]
    pub fn fires(&self, key: &AlertKey) -> Option<&Alert> {
        let by_key = &self.firing.by_key;
        by_key.get(hash_of(key), key, &self.alerts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertSource;
    use crate::monitor::Severity;
    use crate::time::Timestamp;

    fn service(letter: char) -> ServiceId {
        format!("QAAAAAAAAAAAA{letter}").parse().unwrap()
    }

    fn id(letter: char) -> AlertId {
        format!("QAAAAAAAAAAAA{letter}").parse().unwrap()
    }

    fn key(of: ServiceId, key: &str) -> AlertKey {
        AlertKey {
            service: of,
            sender: Sender::Api,
            key: key.to_owned(),
        }
    }

    /// An alert that was sent to one service, and is about another since.
    fn alert(letter: char, sent_to: char, about: char, key: &str) -> Alert {
        let at = Timestamp::from_millis(0);
        Alert {
            id: id(letter),
            incident: "QAAAAAAAAAAAAI".parse().unwrap(),
            service: service(about),
            target: None,
            dedup_key: key.to_owned(),
            source: AlertSource::Api,
            severity: Severity::Info,
            title: "disk full".to_owned(),
            summary: String::new(),
            details: Box::default(),
            sent_details: None,
            opened_at: at,
            taken_at: None,
            recovered_at: None,
            set_back_ms: 0,
            onset: None,
            evidence: Box::default(),
            repeats: 0,
            joined: false,
            grouped: None,
            urgency: None,
            sent_to: Some(service(sent_to)),
            heard_at: None,
            judged: None,
            ends_at: None,
            hold: None,
        }
    }

    fn of_rule(letter: char, about: char, key: &str) -> Alert {
        let (group, rule) = ("group".to_owned(), "rule".to_owned());
        Alert {
            source: AlertSource::Rule { group, rule },
            ..alert(letter, about, about, key)
        }
    }

    #[derive(Default)]
    struct Known {
        firing: Firing,
        alerts: Alerts,
    }

    impl Known {
        fn fires(&mut self, alert: &Alert) {
            self.firing.insert(alert, &self.alerts);
            self.alerts.insert(alert.id, alert.clone());
        }

        fn under(&self, key: &AlertKey) -> Option<AlertId> {
            let found = self.firing.by_key.get(hash_of(key), key, &self.alerts);
            found.map(|alert| alert.id)
        }

        fn all(&self) -> Vec<AlertId> {
            self.firing.values().copied().collect()
        }
    }

    #[test]
    fn alerts_are_found_by_key_and_go_on_after_any_of_them_by_service_and_id() {
        let first = alert('B', 'A', 'A', "b");
        let second = alert('C', 'A', 'A', "a");
        let third = alert('A', 'A', 'B', "c");
        let mut known = Known::default();
        for alert in [&third, &first, &second] {
            known.fires(alert);
        }
        assert_eq!(known.all(), [first.id, second.id, third.id]);
        let (one, two) = (service('A'), service('B'));
        let firing = &known.firing;
        let after: Vec<AlertId> = firing.after(one, first.id).copied().collect();
        assert_eq!(after, [second.id, third.id]);
        assert_eq!(firing.after(two, third.id).count(), 0);
        assert_eq!(firing.of(one, None).count(), 2);
        assert_eq!(known.under(&key(one, "a")), Some(second.id));
        assert_eq!(
            known.under(&key(two, "c")),
            None,
            "it was sent to the other"
        );

        known.firing.remove(&third);
        known.firing.remove(&third);
        known.firing.remove(&alert('D', 'A', 'A', "a"));
        assert_eq!(known.all(), [first.id, second.id]);
        assert_eq!(known.firing.len(), 2);
        known.firing.remove(&second);
        known.firing.remove(&first);
        assert!(known.firing.is_empty());
        assert_eq!(known.firing, Firing::default());
    }

    #[test]
    fn an_alert_of_a_rule_is_found_whichever_service_it_was_raised_on() {
        let (first, second) = (alert('B', 'A', 'A', "a"), of_rule('C', 'B', "a"));
        let mut known = Known::default();
        known.fires(&first);
        let firing = &known.firing;
        assert_eq!(firing.of_rule("a"), None, "it is another sender's");
        known.fires(&second);
        assert_eq!(known.firing.of_rule("a"), Some(&second.id));
        known.firing.remove(&first);
        assert_eq!(known.firing.of_rule("a"), Some(&second.id));
        known.firing.remove(&second);
        assert_eq!(known.firing, Firing::default());
    }

    #[test]
    fn keys_of_one_hash_are_told_apart() {
        let all = ['A', 'B', 'C'].map(|letter| alert(letter, 'A', 'A', &letter.to_string()));
        let (mut by_key, mut alerts) = (ByKey::default(), Alerts::default());
        for alert in &all {
            by_key.insert(1, alert.key(), alert.id, &alerts);
            alerts.insert(alert.id, alert.clone());
        }
        let found = |by_key: &ByKey, alerts: &Alerts| {
            all.each_ref().map(|alert| {
                let found = by_key.get(1, &alert.key(), alerts);
                found.map(|alert| alert.id)
            })
        };
        let ids = all.each_ref().map(|alert| alert.id);
        assert_eq!(found(&by_key, &alerts), ids.map(Some));
        assert_eq!(by_key.len(), 3);
        assert!(by_key.remove(1, &all[0].key(), ids[0]));
        assert!(!by_key.remove(1, &all[0].key(), ids[0]));
        assert_eq!(found(&by_key, &alerts), [None, Some(ids[1]), Some(ids[2])]);

        let anew = alert('D', 'A', 'A', "B");
        by_key.insert(1, anew.key(), anew.id, &alerts);
        alerts.insert(anew.id, anew.clone());
        assert_eq!(found(&by_key, &alerts), [None, Some(anew.id), Some(ids[2])]);
        assert_eq!(by_key.len(), 2, "one key, one alert");
        assert!(
            !by_key.remove(1, &all[1].key(), ids[1]),
            "it is not it any more"
        );
        assert!(by_key.remove(1, &anew.key(), anew.id));
        assert!(by_key.remove(1, &all[2].key(), ids[2]));
        assert_eq!(by_key, ByKey::default());
    }
}
