//! A store in memory, a journal that can fail, effects that are only noted, and a small agent.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tocsin_domain::command::{AlertAsk, Ask, Command, WatchAsk};
use tocsin_domain::event::{Actor, Event};
use tocsin_domain::id::{Entropy, SecretId, ServiceId, TargetId};
use tocsin_domain::incident::Incident;
use tocsin_domain::monitor::Severity;
use tocsin_domain::signal::{Batch, Sample};
use tocsin_domain::state::State;
use tocsin_domain::target::TargetIdentity;
use tocsin_domain::time::Timestamp;
use tocsin_engine::{
    AppendError, AskError, Clock, Core, Done, Effect, Effects, Journal, NotDurable, Past,
};
use tocsin_promql::{Labels, PlainChunk, Select, SeriesData, Source, SourceError};

/// Samples that are true at the same time: metric, further labels, value.
pub(crate) type Samples<'a> = &'a [(&'a str, &'a [(&'a str, &'a str)], f64)];

/// The server is gone, and nothing holds its page back.
pub(crate) const DOWN: Samples<'_> = &[
    ("apache_parent_up", &[], 0.0),
    ("apache_exit_clean", &[], 0.0),
    ("apache_listener_refused", &[], 1.0),
];
/// It answers.
pub(crate) const UP: Samples<'_> = &[
    ("apache_parent_up", &[], 1.0),
    ("apache_listener_refused", &[], 0.0),
];

/// Somebody outside triggers a key of the default service.
pub(crate) fn trigger(key: &str) -> Ask {
    trigger_of(None, key)
}

/// The same of a service.
pub(crate) fn trigger_of(service: Option<ServiceId>, key: &str) -> Ask {
    Ask::Alert(AlertAsk::Trigger {
        service,
        integration: None,
        dedup_key: Some(key.to_owned()),
        severity: Severity::Critical,
        title: key.to_owned(),
        summary: String::new(),
        details: Vec::new(),
        sent_details: None,
        at: None,
    })
}

/// A clock that stands still.
pub(crate) struct Still(pub(crate) Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }
}

pub(crate) struct Seeded(pub(crate) u64);

impl Entropy for Seeded {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = self.0.to_be_bytes()[3];
        }
    }
}

/// Series in memory, and whether whoever asks for them panics.
#[derive(Default)]
pub(crate) struct MemoryStore(Mutex<BTreeMap<Labels, BTreeMap<i64, f64>>>, AtomicBool);

impl MemoryStore {
    /// Lets questions panic, or not any more.
    pub(crate) fn let_questions_panic(&self, they_do: bool) {
        self.1.store(they_do, Ordering::Relaxed);
    }

    fn add(&self, sample: &Sample) {
        let labels = Labels::from(&sample.labels);
        self.0
            .lock()
            .unwrap()
            .entry(labels)
            .or_default()
            .insert(sample.at.as_millis(), sample.value);
    }
}

impl Source for MemoryStore {
    fn select(&self, select: &Select<'_>) -> Result<Vec<SeriesData>, SourceError> {
        let is_trap = self.1.load(Ordering::Relaxed);
        assert!(!is_trap, "a trap was laid for questions");
        let all = self.0.lock().unwrap();
        let passing = all.iter().filter(|(labels, _)| {
            select
                .matchers
                .iter()
                .all(|matcher| matcher.accepts_labels(labels))
        });
        let series = passing.map(|(labels, samples)| {
            let (times, values) = samples
                .range(select.start_ms..=select.end_ms)
                .map(|(at, value)| (*at, *value))
                .unzip();
            SeriesData {
                labels: labels.clone(),
                chunks: vec![Arc::new(PlainChunk::new(times, values))],
            }
        });
        Ok(series.collect())
    }
}

/// How the journal fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fault {
    #[default]
    None,
    /// Nothing is kept.
    Full,
    /// One commit is kept, but an error is reported; then nothing can be read or written.
    LandsThenGone,
    /// Nothing can be read or written.
    Gone,
    /// One commit is kept, but an error is reported; then all is well.
    LandsThenFails,
    /// Another server writes it.
    TakenOver,
}

/// What the journal holds, and whether it refuses.
#[derive(Default)]
pub(crate) struct Disk {
    pub(crate) events: Vec<Event>,
    pub(crate) notes: BTreeMap<String, String>,
    pub(crate) fault: Fault,
    /// How often an append was tried.
    pub(crate) tries: u32,
}

#[derive(Clone, Default)]
pub(crate) struct MemoryJournal(pub(crate) Arc<Mutex<Disk>>);

fn not_durable(why: &str) -> NotDurable {
    NotDurable {
        why: why.to_owned(),
        disk_full: why.contains("full"),
    }
}

impl Disk {
    fn keep(&mut self, events: &[Event], notes: &[(&str, String)]) -> Result<(), AppendError> {
        let next = self.events.last().map_or(0, |event| event.position) + 1;
        if events.first().is_some_and(|event| event.position != next) {
            return Err(AppendError::Behind(not_durable("a gap")));
        }
        self.events.extend_from_slice(events);
        let notes = notes.iter();
        self.notes
            .extend(notes.map(|(key, value)| ((*key).to_owned(), value.clone())));
        Ok(())
    }
}

impl Journal for MemoryJournal {
    fn append(&mut self, events: &[Event], notes: &[(&str, String)]) -> Result<(), AppendError> {
        let mut disk = self.0.lock().unwrap();
        disk.tries += 1;
        match disk.fault {
            Fault::None => disk.keep(events, notes),
            Fault::Full => Err(AppendError::NotKept(not_durable("the disk is full"))),
            Fault::Gone => Err(AppendError::Unclear(not_durable("I/O"))),
            Fault::LandsThenGone | Fault::LandsThenFails => {
                disk.keep(events, notes)?;
                disk.fault = match disk.fault {
                    Fault::LandsThenGone => Fault::Gone,
                    Fault::LandsThenFails
                    | Fault::None
                    | Fault::Full
                    | Fault::Gone
                    | Fault::TakenOver => Fault::None,
                };
                Err(AppendError::Unclear(not_durable("I/O")))
            }
            Fault::TakenOver => Err(AppendError::TakenOver(not_durable("another server"))),
        }
    }

    fn after(&mut self, position: u64) -> Result<Vec<Event>, NotDurable> {
        let disk = self.0.lock().unwrap();
        if disk.fault == Fault::Gone {
            return Err(not_durable("I/O"));
        }
        let later = disk.events.iter().filter(|one| one.position > position);
        Ok(later.cloned().collect())
    }
}

#[derive(Clone, Default)]
pub(crate) struct Noted(pub(crate) Arc<Mutex<Vec<Effect>>>);

impl Effects for Noted {
    fn committed(&mut self, _: &[Event]) {}

    fn carry_out(&mut self, effect: Effect) {
        self.0.lock().unwrap().push(effect);
    }
}

/// The engine and its surroundings.
pub(crate) struct Rig {
    pub(crate) core: Core<MemoryJournal, Seeded, Noted>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) journal: MemoryJournal,
    pub(crate) effects: Noted,
    pub(crate) now: Timestamp,
    pub(crate) target: TargetId,
}

pub(crate) const START: Timestamp = Timestamp::from_millis(1_723_950_000_000);

impl Rig {
    /// An installation that watches one server.
    pub(crate) fn new() -> Self {
        let (store, journal, effects) = (
            Arc::new(MemoryStore::default()),
            MemoryJournal::default(),
            Noted::default(),
        );
        let core = Core::new(
            Past::default(),
            journal.clone(),
            Seeded(3),
            effects.clone(),
            Arc::clone(&store) as _,
        );
        let placeholder = TargetId::random(&mut Seeded(0));
        let mut rig = Self {
            core,
            store,
            journal,
            effects,
            now: START,
            target: placeholder,
        };
        rig.ask(Ask::SetUp {
            name: "Ada".to_owned(),
            email: SecretId::random(&mut Seeded(9)),
            time_zone: "UTC".to_owned(),
            key_hash: String::new(),
        })
        .unwrap();
        rig.ask(Ask::Watch(WatchAsk::Seen(identity()))).unwrap();
        rig.target = rig.read(|state| *state.targets.keys().next().unwrap());
        rig
    }

    /// The same store and journal after the process was killed at this moment: what was not committed is gone.
    pub(crate) fn killed_and_started_again(self) -> Self {
        let mut state = State::default();
        let disk = self.journal.0.lock().unwrap();
        disk.events.iter().for_each(|event| state.evolve(event));
        let evaluated_to_ms = disk
            .notes
            .get(tocsin_engine::core::EVALUATED_TO)
            .and_then(|text| text.parse().ok());
        let seen = evaluated_to_ms.unwrap_or(i64::MAX);
        let stored = self.store.0.lock().unwrap();
        let mut unseen_ms: Vec<i64> = stored
            .values()
            .flat_map(|samples| samples.keys().copied())
            .filter(|at| *at > seen)
            .collect();
        drop((disk, stored));
        unseen_ms.sort_unstable();
        unseen_ms.dedup();
        let past = Past {
            state,
            evaluated_to_ms,
            unseen_ms,
            clock_seen: None,
        };
        let effects = Noted::default();
        let core = Core::new(
            past,
            self.journal.clone(),
            Seeded(77),
            effects.clone(),
            Arc::clone(&self.store) as _,
        );
        let mut rig = Self {
            core,
            effects,
            ..self
        };
        rig.core.recover(rig.now);
        rig
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.core.published().read().unwrap())
    }

    pub(crate) fn ask(&mut self, ask: Ask) -> Result<Done, AskError> {
        let answer = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&answer);
        let reply = Box::new(move |outcome| *slot.lock().unwrap() = Some(outcome));
        let now = self.now;
        self.core.step(
            vec![(
                Command {
                    actor: Actor::System,
                    ask,
                },
                reply,
            )],
            Vec::new(),
            now,
        );
        answer
            .lock()
            .unwrap()
            .take()
            .expect("every command is answered")
    }

    /// Moves the clock.
    pub(crate) fn pass_ms(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
        let now = self.now;
        self.core.step(Vec::new(), Vec::new(), now);
    }

    /// Lets time pass, and looks at the clock every second, as the engine's thread does.
    pub(crate) fn watch_ms(&mut self, ms: u64) {
        let end = self.now.plus_ms(ms);
        while self.now < end {
            let left_ms = end.ms_since(self.now);
            self.pass_ms(left_ms.min(1_000));
        }
    }

    /// Stores samples that are true now, without telling the engine.
    pub(crate) fn store_only(&self, samples: Samples<'_>) -> Batch {
        let samples: Vec<Sample> = samples
            .iter()
            .map(|(metric, labels, value)| {
                Sample::of(metric, self.target, labels, self.now, *value)
            })
            .collect();
        samples.iter().for_each(|sample| self.store.add(sample));
        Batch {
            samples,
            ..Batch::default()
        }
    }

    /// Stores samples and lets the monitors see them.
    pub(crate) fn arrive(&mut self, samples: Samples<'_>) {
        let batch = self.store_only(samples);
        let now = self.now;
        self.core.step(Vec::new(), vec![batch], now);
    }

    pub(crate) fn incidents(&self) -> Vec<Incident> {
        self.read(|state| {
            let mut all: Vec<Incident> = state.incidents.values().cloned().collect();
            all.sort_by_key(|incident| incident.number);
            all
        })
    }

    /// Lets the journal fail, or not any more.
    pub(crate) fn break_journal(&self, fault: Fault) {
        self.journal.0.lock().unwrap().fault = fault;
    }

    /// Titles of all incidents.
    pub(crate) fn titles(&self) -> Vec<String> {
        self.incidents()
            .into_iter()
            .map(|incident| incident.title)
            .collect()
    }

    /// Messages that were handed to delivery.
    pub(crate) fn sends(&self) -> usize {
        let noted = self.effects.0.lock().unwrap();
        noted
            .iter()
            .filter(|effect| matches!(effect, Effect::Send { .. }))
            .count()
    }
}

fn identity() -> TargetIdentity {
    TargetIdentity {
        binary: "/usr/sbin/apache2".to_owned(),
        config_path: "/etc/apache2/apache2.conf".to_owned(),
        name: "webserver-01".to_owned(),
        listen: Vec::new(),
        pid_file: String::new(),
        access_logs: Vec::new(),
        error_logs: Vec::new(),
        config_files: Vec::new(),
        status_url: None,
        probe_url: String::new(),
    }
}
