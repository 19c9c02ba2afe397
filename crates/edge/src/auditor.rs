//! The auditor: looks whether everybody who must be paged will be, and tells the administrators by a way of its own when not.
//! It shares no code with what decides about pages, and waits for none of the parts that it looks at.

mod early;
mod told;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use tocsin_domain::audit::{
    Commits, EngineSeen, Finding, Observations, audit, audit_surroundings, leaves_an_incident_alone,
};
use tocsin_domain::id::SecretId;
use tocsin_domain::page::Outcome;
use tocsin_domain::people::SetUp;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_engine::handle::{AskError, EngineHandle};
use tocsin_engine::ports::Clock;
use tocsin_wire::page_message::{Kind, PageMessage, Urgency};

use crate::canary::Post;
use crate::delivery::direct::{Direct, Sent, Way, ways_to_administrators, ways_to_last_resort};
use crate::delivery::queue::Queue;
use crate::delivery::tally::{Tally, millis};
use crate::ports::{EventLog, Health};
use crate::vigil::Vigil;
use early::Early;
use told::Told;

/// Findings that a message tells one by one.
const TOLD_MAX: usize = 10;

/// What the auditor looks at and speaks by.
pub struct Needs {
    /// The core.
    pub engine: EngineHandle,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The journal.
    pub events: Arc<dyn EventLog>,
    /// How commits go.
    pub health: Arc<dyn Health>,
    /// What waits to be sent.
    pub queue: Queue,
    /// Whether delivery goes round.
    pub tally: Arc<Tally>,
    /// Where findings are kept for who asks.
    pub vigil: Arc<Vigil>,
    /// The way to administrators.
    pub direct: Direct,
    /// The way in of the canary.
    pub post: Post,
    /// What links begin with.
    pub public_url: String,
}

/// How patient it is.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long the engine is waited for.
    pub answer: Duration,
    /// How long the state is.
    pub state: Duration,
    /// How long after a finding it is looked again: what went away by then was none.
    pub again: Duration,
    /// How often a finding is told while it lasts.
    pub remind: Duration,
    /// How often a message is sent again by a way that did not take it, or may not have got it.
    pub retry: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(5),
            state: Duration::from_secs(5),
            again: Duration::from_secs(5),
            remind: Duration::from_secs(15 * 60),
            retry: Duration::from_secs(60),
        }
    }
}

/// What was read of the state.
struct Read {
    findings: Vec<Finding>,
    ways: Vec<Way>,
    position: u64,
    set_up: bool,
}

/// The auditor. Each of its steps is asked for from outside.
pub struct Auditor {
    needs: Needs,
    /// How patient it is from now on.
    pub patience: Patience,
    /// How administrators are reached, as it was when the state could last be read.
    ways: Vec<Way>,
    set_up: bool,
    /// What messages can leave by, as it was when the settings could last be read, and a look into the settings.
    channels: Option<SetUp>,
    settings: Option<Receiver<Option<SetUp>>>,
    /// The look that has not come back.
    looking: Option<Receiver<Read>>,
    /// A look into the journal, and what it found beyond the state.
    journal: Option<Receiver<Option<u64>>>,
    ahead: Option<u64>,
    failing_since: Option<Instant>,
    early: Early,
    told: Told,
}

impl Auditor {
    /// An auditor; from now on somebody audits here.
    #[must_use]
    pub fn new(needs: Needs, patience: Patience) -> Self {
        needs.vigil.begin();
        Self {
            needs,
            patience,
            ways: Vec::new(),
            set_up: false,
            channels: None,
            settings: None,
            looking: None,
            journal: None,
            ahead: None,
            failing_since: None,
            early: Early::default(),
            told: Told::default(),
        }
    }

    /// Looks at everything, and again after a `pause` when something was found; keeps and tells what is still so.
    pub fn audit(&mut self, pause: &mut dyn FnMut(Duration)) -> Vec<Finding> {
        let missed = self.missed();
        self.early.looks(&missed);
        let mut found = self.look();
        if !found.is_empty() {
            pause(self.patience.again);
            let before: BTreeSet<_> = found.iter().map(Finding::key).collect();
            found = self.look();
            found.retain(|one| before.contains(&one.key()));
        }
        let now = self.needs.clock.now();
        self.needs.vigil.looked(now, found.clone());
        self.tell(&found, now);
        found
    }

    /// Whether the canary was sent so long ago that its absence is a finding that no look has seen and nobody was told: another look is
    /// worth it now, and the one after that comes at its time.
    #[must_use]
    pub fn misses_the_canary(&self) -> bool {
        self.early.is_due(&self.missed(), &self.told)
    }

    /// Sends the canary once somebody is there to be paged; whether it did.
    pub fn send_canary(&self) -> bool {
        if !self.set_up {
            return false;
        }
        let run = self.needs.vigil.canary_sent();
        let vigil = Arc::clone(&self.needs.vigil);
        let sent = self.needs.post.clone().send(run, vigil);
        self.needs.direct.spawn(sent);
        true
    }

    /// Whether the last canary that was sent is known to be lost, so that another may show that the way is open again.
    #[must_use]
    pub fn has_lost_the_canary(&self) -> bool {
        self.needs.vigil.canary_is_lost()
    }

    /// What the absence of the canary comes to.
    fn missed(&self) -> Vec<Finding> {
        let seen = Observations {
            canary_away: self.needs.vigil.canary_away(),
            ..Observations::default()
        };
        audit_surroundings(&seen)
    }

    fn look(&mut self) -> Vec<Finding> {
        self.look_into_the_settings();
        let seen = self.observe();
        match self.read(seen.clone()) {
            Some(read) => {
                self.ways = read.ways;
                self.set_up = read.set_up;
                self.look_into_the_journal(read.position);
                read.findings
            }
            None => audit_surroundings(&Observations {
                engine: EngineSeen::Locked {
                    waited_ms: millis(self.patience.state),
                },
                ..seen
            }),
        }
    }

    fn observe(&mut self) -> Observations {
        let commits = match self.needs.health.journal().trouble {
            None => {
                self.failing_since = None;
                Commits::Kept
            }
            Some(why) => {
                let since = *self.failing_since.get_or_insert_with(Instant::now);
                Commits::Fail {
                    for_ms: millis(since.elapsed()),
                    why,
                }
            }
        };
        Observations {
            engine: self.knock(),
            commits,
            unpublished: None,
            delivery_quiet_ms: self.needs.tally.quiet_ms(),
            waiting_ms: millis(self.needs.queue.oldest(Instant::now())),
            canary_away: self.needs.vigil.canary_away(),
            watchers_away: self.needs.vigil.watched.away(Instant::now()),
            set_up: self.channels.clone(),
        }
    }

    fn knock(&self) -> EngineSeen {
        let (sender, receiver) = sync_channel(1);
        let answer = move || {
            // Whoever knocked may have given up.
            let _ = sender.send(());
        };
        let silent = EngineSeen::Silent {
            waited_ms: millis(self.patience.answer),
        };
        match self.needs.engine.knock(answer) {
            Err(AskError::Busy) => silent,
            Err(
                AskError::Stopped
                | AskError::Refused(_)
                | AskError::NotDurable(_)
                | AskError::Fault,
            ) => EngineSeen::Stopped,
            Ok(()) => match receiver.recv_timeout(self.patience.answer) {
                Ok(()) => EngineSeen::Answers,
                Err(RecvTimeoutError::Timeout) => silent,
                Err(RecvTimeoutError::Disconnected) => EngineSeen::Stopped,
            },
        }
    }

    /// Audits the state on a thread of its own, because the engine may never give it free; `None` when it does not in time.
    fn read(&mut self, mut seen: Observations) -> Option<Read> {
        if let Some(looking) = self.looking.take()
            && looking
                .try_recv()
                .is_err_and(|why| why == TryRecvError::Empty)
        {
            self.looking = Some(looking);
            return None;
        }
        let (sender, receiver) = sync_channel(1);
        let (engine, clock, ahead) = (
            self.needs.engine.clone(),
            Arc::clone(&self.needs.clock),
            self.ahead,
        );
        let look = move || {
            let read = engine.read(|state| {
                seen.unpublished = ahead.filter(|position| *position > state.position);
                Read {
                    findings: audit(state, clock.now(), &seen),
                    ways: ways_to(state, seen.set_up.as_ref()),
                    position: state.position,
                    set_up: state.installation.is_some(),
                }
            });
            // Whoever looked may have given up.
            let _ = sender.send(read);
        };
        let started = std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(look);
        if let Err(error) = started {
            tracing::error!(%error, "the auditor got no thread");
            return None;
        }
        match receiver.recv_timeout(self.patience.state) {
            Ok(read) => Some(read),
            Err(_) => {
                self.looking = Some(receiver);
                None
            }
        }
    }

    /// Notes what is set up, as it was found since the last look: a disk that hangs keeps nobody waiting.
    fn look_into_the_settings(&mut self) {
        if let Some(settings) = self.settings.take() {
            match settings.try_recv() {
                Ok(found) => self.channels = found,
                Err(TryRecvError::Empty) => {
                    self.settings = Some(settings);
                    return;
                }
                Err(TryRecvError::Disconnected) => {}
            }
        }
        self.settings = Some(self.needs.direct.look_what_is_set_up());
    }

    /// Notes what the journal holds beyond the state: at the next look the state must show it.
    fn look_into_the_journal(&mut self, position: u64) {
        if let Some(journal) = self.journal.take() {
            match journal.try_recv() {
                Ok(ahead) => self.ahead = ahead,
                // A disk that hangs is found by its commits.
                Err(TryRecvError::Empty) => {
                    self.journal = Some(journal);
                    return;
                }
                Err(TryRecvError::Disconnected) => {}
            }
        }
        let (sender, receiver) = sync_channel(1);
        let events = Arc::clone(&self.needs.events);
        let look = move || {
            let later = events.after(position, 1).unwrap_or_default();
            // Whoever looked may have given up.
            let _ = sender.send(later.first().map(|event| event.position));
        };
        let started = std::thread::Builder::new()
            .name("audit-journal".to_owned())
            .spawn(look);
        if started.is_ok() {
            self.journal = Some(receiver);
        }
    }

    /// Tells the administrators what was not told within the last 15 minutes, and again whom a message has not surely reached.
    fn tell(&mut self, found: &[Finding], now: Timestamp) {
        let at = Instant::now();
        let news = self.told.news(found, at, self.patience.remind);
        for one in news.iter().take(TOLD_MAX) {
            tracing::error!(kind = one.kind.word(), what = %one.what, "the auditor found a broken promise");
        }
        if self.ways.is_empty() {
            if !news.is_empty() {
                tracing::error!(
                    "the auditor can tell nobody: no contact method is confirmed and set up"
                );
            }
            return;
        }
        if !news.is_empty() {
            self.told.write(news, now);
        }
        let ways: Vec<SecretId> = self.ways.iter().map(Way::id).collect();
        let due = self.told.due(found, &ways, at, self.patience.retry);
        if due.is_empty() {
            return;
        }
        let letters: Vec<(&Way, PageMessage)> = due
            .iter()
            .filter_map(|one| {
                let told = self.told.message(one.message)?;
                let message = message(&told.findings, told.written_at, &self.needs.public_url);
                Some((self.ways.get(one.way)?, message))
            })
            .collect();
        // All at once: none that hangs keeps another waiting, nor the next look for longer than one would.
        let sent = self.needs.direct.send(&letters);
        self.needs.vigil.paged(sent.len());
        log(&sent);
        let results = due.iter().zip(&sent);
        let results = results
            .filter_map(|(due, sent)| Some((due.message, *ways.get(due.way)?, sent.outcome)));
        let results: Vec<(usize, SecretId, Outcome)> = results.collect();
        self.told.went(&results, Instant::now());
    }
}

/// Whom findings go to. For an incident that is left alone nobody else is paged: the list of last resort hears too.
fn ways_to(state: &State, set_up: Option<&SetUp>) -> Vec<Way> {
    if leaves_an_incident_alone(state) {
        ways_to_last_resort(state, set_up)
    } else {
        ways_to_administrators(state, set_up)
    }
}

/// What became of messages that were not clearly taken.
fn log(sent: &[Sent]) {
    for one in sent {
        match one.outcome {
            Outcome::Accepted => {}
            Outcome::TimedOut | Outcome::Unanswered => tracing::error!(
                to = %one.name, channel = one.channel.word(), why = %one.detail,
                "the auditor may not have reached an administrator"
            ),
            Outcome::Failed | Outcome::Refused => tracing::error!(
                to = %one.name, channel = one.channel.word(), why = %one.detail,
                "the auditor could not reach an administrator"
            ),
        }
    }
}

fn message(news: &[Finding], now: Timestamp, public_url: &str) -> PageMessage {
    let first = news.first().map_or("", |one| one.what.as_str());
    let more = match news.len() {
        0 | 1 => String::new(),
        all => format!(" (and {} more)", all - 1),
    };
    let details = news.iter().take(TOLD_MAX).enumerate();
    let begin = if news.iter().any(|one| one.kind.stops_pages()) {
        "Tocsin does not page as it must"
    } else {
        "Tocsin pages, and needs a look"
    };
    PageMessage {
        kind: Kind::Page,
        idempotency_key: format!("audit-{}", now.as_millis()),
        incident_number: None,
        incident_id: String::new(),
        title: format!("{begin}: {first}{more}"),
        others: 0,
        urgency: Urgency::High,
        service: "Tocsin itself".to_owned(),
        target: None,
        onset: None,
        opened_at: now,
        reason: "you can be reached and are an administrator; Tocsin's auditor sends this, past everything that decides about pages"
            .to_owned(),
        details: details
            .map(|(index, one)| (format!("Finding {}", index + 1), one.what.clone()))
            .collect(),
        link: format!("{public_url}/ui/"),
        answer_link: None,
        runbook: Some("Look at `tocsin doctor` and at the log of `tocsin serve`; watch by hand until it is mended.".to_owned()),
        verification_code: None,
    }
}
