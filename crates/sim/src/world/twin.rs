//! What two replicas of one sender see fail, each in its own time, and tell by its labels again and again, as Prometheus does: also
//! that it is over.

use tocsin_domain::command::{AlertAsk, Ask, Labelled};
use tocsin_domain::event::{AlertEvent, EventBody, InputEvent};
use tocsin_domain::id::{IntegrationId, ServiceId};
use tocsin_domain::monitor::Severity;
use tocsin_domain::time::Timestamp;

use super::agenda::Happening;
use super::source::{COMPONENTS, REGIONS};
use super::{HOUR, Heard, MINUTE, SECOND, Ticket, World};
use crate::check::Check;
use crate::tally::Fault;

/// What fails, and where.
const LABELS: [(&str, &str); 4] = [
    ("DiskFull", "a"),
    ("DiskFull", "b"),
    ("QueueStuck", "a"),
    ("QueueStuck", "b"),
];
/// How often each fails on average, but for what comes back soon.
const FAILS_EVERY: i64 = 30 * HOUR;
/// How often a replica says again what it said.
const AGAIN_EVERY: i64 = 2 * MINUTE;
/// For so long a replica says again that something is over.
const OVER_FOR: i64 = 15 * MINUTE;
/// The longest that each replica takes to see what happens.
const LAGS: [i64; 2] = [20 * SECOND, 90 * SECOND];

/// Something that two replicas watch.
#[derive(Clone, Debug)]
pub(super) struct Twin {
    name: &'static str,
    instance: &'static str,
    severity: Severity,
    labels: Vec<(String, String)>,
    service: Option<ServiceId>,
    integration: Option<IntegrationId>,
    /// How long what is told of it holds, in microseconds.
    holds_us: i64,
    fails: bool,
    replicas: [Replica; LAGS.len()],
}

/// One of those who watch it. Its times are of time that passes steadily: its clock is that of the machine, whatever that shows.
#[derive(Clone, Copy, Debug, Default)]
struct Replica {
    /// Since when it sees it fail.
    began_us: Option<i64>,
    /// Since when and until when it saw it fail last.
    ended_us: Option<(i64, i64)>,
    /// How often it saw something new: what was to be said again before that is not.
    saw: u32,
}

impl Twin {
    fn key(&self) -> String {
        format!("{}/{}", self.name, self.instance)
    }
}

impl World {
    pub(super) fn make_twins(&mut self) {
        let services: Vec<ServiceId> = self.ledger.services.keys().copied().collect();
        let keys: Vec<IntegrationId> = self.ledger.integrations.keys().copied().collect();
        for (name, instance) in LABELS {
            let severity = self.random.one_of([
                Severity::Critical,
                Severity::Critical,
                Severity::Error,
                Severity::Warning,
            ]);
            let by_key = self.random.chance(500);
            let named = [
                ("alertname", name),
                ("instance", instance),
                ("severity", severity.word()),
                ("component", self.random.one_of(COMPONENTS)),
                ("region", self.random.one_of(REGIONS)),
            ];
            let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
            self.twins.push(Twin {
                name,
                instance,
                severity,
                labels: named.into_iter().map(text).collect(),
                service: self.random.pick(&services).copied().filter(|_| !by_key),
                integration: self.random.pick(&keys).copied().filter(|_| by_key),
                holds_us: self.random.one_of([4 * MINUTE, 5 * MINUTE]),
                fails: false,
                replicas: <[Replica; LAGS.len()]>::default(),
            });
        }
        for twin in 0..self.twins.len() {
            self.some_time_after(FAILS_EVERY, Happening::TwinFails(twin));
        }
    }

    /// It fails, and each replica sees that some time later; now and then one of them does not at all.
    pub(super) fn twin_fails(&mut self, index: usize) {
        let known: Vec<ServiceId> = self.ledger.services.keys().copied().collect();
        let another = self.random.pick(&known).copied();
        let Some(twin) = self.twins.get_mut(index).filter(|_| self.is_rough) else {
            return;
        };
        twin.fails = true;
        // Whoever told a service that is gone tells another one from then on.
        twin.service = twin.service.and_then(|service| {
            let is_there = known.contains(&service);
            if is_there { Some(service) } else { another }
        });
        let blind = self.random.index(LAGS.len());
        let is_blind = self.random.chance(300);
        self.replicas_see(index, Some(blind).filter(|_| is_blind));
        let lasts = match self.random.below(10) {
            0..4 => 2 * MINUTE,
            4..8 => 12 * MINUTE,
            _ => 40 * MINUTE,
        };
        self.some_time_after(lasts, Happening::TwinEnds(index));
    }

    fn replicas_see(&mut self, twin: usize, blind: Option<usize>) {
        for (replica, longest) in LAGS.into_iter().enumerate() {
            let lag = self.random.between(SECOND, longest);
            if blind != Some(replica) {
                self.after(lag, Happening::TwinSees { twin, replica });
            }
        }
    }

    /// It is over, which is told, unless whoever would tell is gone.
    pub(super) fn twin_ends(&mut self, index: usize) {
        let is_told = !self.random.chance(120);
        let Some(twin) = self.twins.get_mut(index).filter(|_| self.is_rough) else {
            return;
        };
        twin.fails = false;
        if is_told {
            self.replicas_see(index, None);
        } else {
            for replica in &mut twin.replicas {
                *replica = Replica {
                    saw: replica.saw + 1,
                    ..Replica::default()
                };
            }
        }
        if self.random.chance(450) {
            let soon = self.random.one_of([8 * SECOND, 30 * SECOND, 4 * MINUTE]);
            self.some_time_after(soon, Happening::TwinFails(index));
        } else {
            self.some_time_after(FAILS_EVERY, Happening::TwinFails(index));
        }
    }

    /// All is well, and both replicas see it.
    pub(super) fn twins_recover(&mut self) {
        for twin in 0..self.twins.len() {
            self.twins[twin].fails = false;
            for replica in 0..LAGS.len() {
                self.twin_sees(twin, replica);
            }
        }
    }

    /// A replica looks, and says so when it sees something new.
    pub(super) fn twin_sees(&mut self, twin: usize, replica: usize) {
        let now_us = self.now_us;
        let Some(known) = self.twins.get_mut(twin) else {
            return;
        };
        let fails = known.fails;
        let Some(one) = known.replicas.get_mut(replica) else {
            return;
        };
        match one.began_us {
            None if fails => (one.began_us, one.ended_us) = (Some(now_us), None),
            Some(began_us) if !fails => {
                (one.began_us, one.ended_us) = (None, Some((began_us, now_us)));
            }
            None | Some(_) => return,
        }
        one.saw += 1;
        let saw = one.saw;
        self.twin_tells(twin, replica, saw);
    }

    /// A replica says how it is, and will say so again.
    pub(super) fn twin_tells(&mut self, index: usize, replica: usize, saw: u32) {
        let Some(twin) = self.twins.get(index).cloned() else {
            return;
        };
        let Some(one) = twin.replicas.get(replica).filter(|one| one.saw == saw) else {
            return;
        };
        let by_clock = |us: i64| Timestamp::from_micros(us + self.offset_us);
        let ended_us = one.ended_us;
        let ended_us = ended_us.filter(|(_, ended_us)| self.now_us - ended_us <= OVER_FOR);
        let (starts_at, ends_at) = match (one.began_us, ended_us) {
            (Some(began_us), _) => (by_clock(began_us), by_clock(self.now_us + twin.holds_us)),
            (None, Some((began_us, ended_us))) => (by_clock(began_us), by_clock(ended_us)),
            (None, None) => return,
        };
        let (key, fails) = (twin.key(), one.began_us.is_some());
        if !fails {
            let since = self.ledger.fails_since(&key);
            if since.is_some_and(|since| since > ends_at) {
                self.tally.note(Fault::OldEndTold);
            }
            self.ledger.note_end(&key, ends_at);
        }
        let told = Labelled {
            service: twin.service,
            integration: twin.integration,
            dedup_key: key.clone(),
            severity: twin.severity,
            title: format!(
                "{} of {} ({})",
                twin.name,
                twin.instance,
                twin.severity.word()
            ),
            summary: String::new(),
            details: twin.labels,
            starts_at,
            ends_at,
        };
        let ask = Ask::Alert(AlertAsk::Labelled(Box::new(told)));
        self.ask(ask, Ticket::Twin { key, fails });
        let again = AGAIN_EVERY + self.random.between(-10 * SECOND, 10 * SECOND);
        self.after(
            again,
            Happening::TwinTells {
                twin: index,
                replica,
                saw,
            },
        );
    }

    /// What was told to fail, and was answered, is an alert, unless a rule throws it away.
    pub(super) fn twin_heard(&mut self, key: &str, heard: &Heard) {
        let Heard::Done(events) = heard else {
            return;
        };
        let mut events = events.iter();
        let is_heard = events.any(|event| {
            if let EventBody::Alert(AlertEvent::Opened { alert }) = &event.body {
                alert.dedup_key == key
            } else if let EventBody::Alert(AlertEvent::Repeated { alert, .. }) = &event.body {
                self.ledger.has_labels(*alert, key)
            } else {
                matches!(event.body, EventBody::Input(InputEvent::Dropped { .. }))
            }
        });
        if !is_heard {
            let what = format!("{key:?} was told to fail and answered for, and is no alert");
            self.wrong(Check::NothingHidden, what);
        }
    }
}
