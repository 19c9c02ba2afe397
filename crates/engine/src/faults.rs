//! Which decisions ended in a panic, and when they are made again. It asks no clock and decides nothing.

use std::collections::BTreeMap;

use tocsin_domain::state::{PANICS_MAX, Subject};
use tocsin_domain::time::Timestamp;

/// How long a decision waits that ended in a panic: at another time it may do better.
const WAIT_MS: u64 = 1_000;
/// The same after the second time.
const LONG_WAIT_MS: u64 = 10_000;
/// Faults that are remembered for ever of what was taken back and goes on: of more of them, another panic counts as the first after
/// [`FORGOTTEN_MS`].
const REMEMBERED_MAX: usize = 1_000;
/// What went well for so long is not what is about to be tried once more.
const FORGOTTEN_MS: u64 = 600_000;

/// How a decision fared.
#[derive(Clone, Copy, Debug)]
struct Fault {
    panics: u32,
    at: Timestamp,
    /// It is left alone, and nobody has taken it back.
    is_aside: bool,
}

impl Fault {
    fn until(&self) -> Timestamp {
        let wait_ms = match self.panics {
            0 | 1 => WAIT_MS,
            2.. => LONG_WAIT_MS,
        };
        self.at.plus_ms(wait_ms)
    }

    /// Whether it is too early for it. A clock that was set back does not make the wait longer.
    fn waits(&self, now: Timestamp) -> bool {
        self.at <= now && now < self.until()
    }

    /// Whether it waits for its time, and not for the next start.
    const fn is_tried_again(&self) -> bool {
        self.is_aside && self.panics < PANICS_MAX
    }
}

/// The decisions of a run that ended in a panic.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    subjects: BTreeMap<Subject, Fault>,
    /// What the engine asks by itself, by its kind, when that was about nothing that could be left alone.
    asks: BTreeMap<&'static str, Fault>,
}

impl Faults {
    /// One more panic about this; says how many there were.
    pub(crate) fn of_subject(&mut self, subject: Subject, now: Timestamp) -> u32 {
        let panics = one_more(&mut self.subjects, subject, now);
        self.forget_the_oldest(now);
        panics
    }

    /// Forgets what goes on for the longest time, when there is much of it. What is left alone is kept: it is to be taken back, or
    /// to stay as it is.
    fn forget_the_oldest(&mut self, now: Timestamp) {
        if self.subjects.len() <= REMEMBERED_MAX {
            return;
        }
        let faults = self.subjects.iter();
        let goes_on = faults.filter(|(_, fault)| !fault.is_aside);
        let mut goes_on: Vec<(Timestamp, Subject)> = goes_on
            .map(|(subject, fault)| (fault.at, *subject))
            .collect();
        let surplus = goes_on.len().saturating_sub(REMEMBERED_MAX);
        goes_on.sort_unstable();
        let is_old = |(at, _): &(Timestamp, Subject)| at.plus_ms(FORGOTTEN_MS) <= now;
        for (_, subject) in goes_on.into_iter().take(surplus).take_while(is_old) {
            self.subjects.remove(&subject);
        }
    }

    /// One more panic of what the engine asks by itself.
    pub(crate) fn of_ask(&mut self, kind: &'static str, now: Timestamp) {
        one_more(&mut self.asks, kind, now);
    }

    /// Whether it is too early to ask this again.
    pub(crate) fn waits(&self, kind: &'static str, now: Timestamp) -> bool {
        self.asks.get(kind).is_some_and(|fault| fault.waits(now))
    }

    /// What the engine asked by itself went well.
    pub(crate) fn went_well(&mut self, kind: &'static str) {
        self.asks.remove(kind);
    }

    /// What is to be tried again now; it is given once.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<Subject> {
        let faults = self.subjects.iter_mut();
        let due = faults.filter(|(_, fault)| fault.is_tried_again() && !fault.waits(now));
        due.map(|(subject, fault)| {
            fault.is_aside = false;
            *subject
        })
        .collect()
    }

    /// When the next of them is to be tried again.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let faults = self.subjects.values();
        let waiting = faults.filter(|fault| fault.is_tried_again());
        waiting.map(Fault::until).min()
    }

    /// Until when this is not asked.
    pub(crate) fn until(&self, kind: &'static str) -> Option<Timestamp> {
        self.asks.get(kind).map(Fault::until)
    }
}

fn one_more<K: Ord>(faults: &mut BTreeMap<K, Fault>, key: K, now: Timestamp) -> u32 {
    let fault = faults.entry(key).or_insert(Fault {
        panics: 0,
        at: now,
        is_aside: true,
    });
    fault.panics = fault.panics.saturating_add(1);
    fault.at = now;
    fault.is_aside = true;
    fault.panics
}

#[cfg(test)]
mod tests {
    use tocsin_domain::id::{Entropy, IncidentId};

    use super::*;

    struct Zeros;

    impl Entropy for Zeros {
        fn fill(&mut self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    /// Counts up from its number, so that no two ids are the same.
    struct Counted(u64);

    impl Entropy for Counted {
        fn fill(&mut self, buffer: &mut [u8]) {
            self.0 += 1;
            let mut rest = self.0;
            for byte in buffer {
                // An id takes five bits of each byte.
                *byte = u8::try_from(rest % 32).unwrap();
                rest /= 32;
            }
        }
    }

    #[test]
    fn of_what_goes_on_the_oldest_is_forgotten_and_of_what_is_left_alone_nothing() {
        let mut ids = Counted(0);
        let mut next = || Subject::Incident(IncidentId::random(&mut ids));
        let mut now = Timestamp::from_millis(1_000_000);
        let mut faults = Faults::default();
        let left_alone = next();
        for _ in 0..PANICS_MAX {
            faults.of_subject(left_alone, now);
        }
        let mut went_on = Vec::new();
        for _ in 0..REMEMBERED_MAX + 5 {
            let subject = next();
            assert_eq!(faults.of_subject(subject, now), 1);
            now = now.plus_ms(WAIT_MS);
            assert_eq!(faults.take_due(now), [subject]);
            went_on.push(subject);
        }
        let waits = next();
        faults.of_subject(waits, now);
        let known = |subject: &Subject| faults.subjects.contains_key(subject);
        assert!(known(&left_alone) && known(&waits));
        let (forgotten, remembered) = went_on.split_at(5);
        assert!(!forgotten.iter().any(known));
        assert!(remembered.iter().all(known));
    }

    #[test]
    fn of_many_that_are_about_to_be_tried_again_each_is_remembered_until_it_is_left_alone() {
        let mut ids = Counted(0);
        let mut next = || Subject::Incident(IncidentId::random(&mut ids));
        let mut now = Timestamp::from_millis(1_000_000);
        let mut faults = Faults::default();
        let all: Vec<Subject> = (0..REMEMBERED_MAX + 5).map(|_| next()).collect();
        for number in 1..=PANICS_MAX {
            for subject in &all {
                assert_eq!(faults.of_subject(*subject, now), number);
            }
            now = now.plus_ms(LONG_WAIT_MS);
            let due = faults.take_due(now).len();
            assert_eq!(due, if number < PANICS_MAX { all.len() } else { 0 });
        }
    }

    #[test]
    fn it_is_tried_again_after_a_second_then_after_ten_and_then_never() {
        let mut now = Timestamp::from_millis(1_000_000);
        let subject = Subject::Incident(IncidentId::random(&mut Zeros));
        let mut faults = Faults::default();
        for (number, wait_ms) in [(1, 1_000), (2, 10_000)] {
            assert_eq!(faults.of_subject(subject, now), number);
            assert_eq!(faults.next_due(), Some(now.plus_ms(wait_ms)));
            assert_eq!(faults.take_due(now.plus_ms(wait_ms - 1)), []);
            now = now.plus_ms(wait_ms);
            assert_eq!(faults.take_due(now), [subject]);
            assert_eq!((faults.take_due(now), faults.next_due()), (vec![], None));
        }
        assert_eq!(faults.of_subject(subject, now), PANICS_MAX);
        assert_eq!(faults.next_due(), None);
        assert_eq!(faults.take_due(now.plus_ms(86_400_000)), []);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_make_the_wait_longer() {
        let now = Timestamp::from_millis(10_000_000);
        let mut faults = Faults::default();
        faults.of_ask("tick", now);
        assert!(faults.waits("tick", now.plus_ms(999)));
        assert!(!faults.waits("tick", now.minus_ms(7_200_000)));
        faults.went_well("tick");
        assert_eq!(faults.until("tick"), None);
    }
}
