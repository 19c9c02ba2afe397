//! A host that keeps what the agent delivers and lets a test wait for it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tocsin_agent::{Agent, Host, NotRecorded, Settings};
use tocsin_domain::id::{Entropy, TargetId};
use tocsin_domain::signal::{Batch, Fact, FactKind, LogRecord, Sample};
use tocsin_domain::target::TargetIdentity;
use tocsin_domain::time::Timestamp;

/// Generous, so that a busy machine does not fail a test; a test that passes never waits for it.
const DEADLINE: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) batches: Vec<(Instant, Batch)>,
    pub(crate) found: Vec<TargetIdentity>,
}

impl Seen {
    pub(crate) fn samples<'a>(
        &'a self,
        metric: &'a str,
    ) -> impl DoubleEndedIterator<Item = &'a Sample> {
        let of_metric = move |sample: &&Sample| {
            sample
                .labels
                .get("__name__")
                .is_some_and(|name| name == metric)
        };
        self.batches
            .iter()
            .flat_map(|(_, batch)| &batch.samples)
            .filter(of_metric)
    }

    pub(crate) fn last(&self, metric: &str) -> Option<f64> {
        self.samples(metric).next_back().map(|sample| sample.value)
    }

    pub(crate) fn facts(&self) -> impl DoubleEndedIterator<Item = &Fact> {
        self.batches.iter().flat_map(|(_, batch)| &batch.facts)
    }

    pub(crate) fn logs(&self) -> impl DoubleEndedIterator<Item = &LogRecord> {
        self.batches.iter().flat_map(|(_, batch)| &batch.logs)
    }

    pub(crate) fn fact<T>(&self, want: impl Fn(&FactKind) -> Option<T>) -> Option<T> {
        self.facts().find_map(|fact| want(&fact.what))
    }
}

#[derive(Default)]
pub(crate) struct Recorder {
    seen: Mutex<Seen>,
    news: Condvar,
    /// So many targets are not recorded when they are first told.
    pub(crate) refusals: AtomicU32,
}

struct Counting(u8);

impl Entropy for Counting {
    fn fill(&mut self, buffer: &mut [u8]) {
        buffer.fill(self.0);
    }
}

/// The id of the first target that is found.
pub(crate) fn first_id() -> TargetId {
    TargetId::random(&mut Counting(1))
}

impl Host for Recorder {
    fn deliver(&self, batch: Batch) {
        self.seen
            .lock()
            .unwrap()
            .batches
            .push((Instant::now(), batch));
        self.news.notify_all();
    }

    fn target_found(&self, identity: TargetIdentity) -> Result<Option<TargetId>, NotRecorded> {
        let one_less = |left: u32| left.checked_sub(1);
        let refusals = &self.refusals;
        if refusals
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
            .is_ok()
        {
            return Err(NotRecorded);
        }
        let mut seen = self.seen.lock().unwrap();
        seen.found.push(identity);
        self.news.notify_all();
        Ok(Some(first_id()))
    }

    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap())
    }

    fn user_hash(&self, user: &str) -> String {
        format!("{:016x}", user.len())
    }
}

impl Recorder {
    /// Waits until `want` finds what it looks for.
    pub(crate) fn wait<T>(&self, what: &str, want: impl Fn(&Seen) -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        let mut seen = self.seen.lock().unwrap();
        loop {
            if let Some(found) = want(&seen) {
                return found;
            }
            let rest = deadline.saturating_duration_since(Instant::now());
            assert!(!rest.is_zero(), "never seen: {what}");
            seen = self.news.wait_timeout(seen, rest).unwrap().0;
        }
    }

    /// Waits until a metric's last value is this.
    pub(crate) fn wait_for(&self, metric: &str, value: f64) {
        self.wait(&format!("{metric} {value}"), |seen| {
            (seen.last(metric) == Some(value)).then_some(())
        });
    }

    pub(crate) fn seen<T>(&self, look: impl Fn(&Seen) -> T) -> T {
        look(&self.seen.lock().unwrap())
    }

    /// Forgets what was delivered so far.
    pub(crate) fn clear(&self) {
        self.seen.lock().unwrap().batches.clear();
    }
}

/// An agent that looks only below `folder`.
pub(crate) fn watch(folder: PathBuf) -> (Arc<Recorder>, Agent) {
    watch_with(Settings {
        only: vec![folder],
        ..Settings::default()
    })
}

pub(crate) fn watch_with(settings: Settings) -> (Arc<Recorder>, Agent) {
    let recorder = Arc::new(Recorder::default());
    let agent = start(settings, &recorder);
    (recorder, agent)
}

pub(crate) fn start(settings: Settings, recorder: &Arc<Recorder>) -> Agent {
    let host = Arc::clone(recorder) as Arc<dyn Host>;
    tocsin_agent::start(settings, host).unwrap()
}
