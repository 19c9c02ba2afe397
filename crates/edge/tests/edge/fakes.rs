//! Fakes of what is behind the sockets' ports: accounts, journal, store, evidence, clock.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use tocsin_domain::event::Event;
use tocsin_domain::id::{Entropy, IncidentId, TargetId, TokenId, UserId};
use tocsin_domain::learn::evidence::Evidence;
use tocsin_domain::learn::requests::RequestLog;
use tocsin_domain::signal::{Fact, LogRecord};
use tocsin_domain::time::Timestamp;
use tocsin_edge::delivery::queue::{Queue, Work};
use tocsin_edge::feed::Feed;
use tocsin_edge::ports::{
    Accounts, Answer, ApiToken, Bundle, EventLog, Evidences, Health, JournalHealth, LogKind,
    NewToken, Once, QueryError, StorageError, Telemetry, Watch, Watching,
};
use tocsin_edge::vigil::Vigil;
use tocsin_engine::{AppendError, Clock, Effect, Effects, Journal, NotDurable};
use tocsin_promql::{Select, SeriesData, Source, SourceError};

use crate::providers::Gate;

/// 2026-11-23T07:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_795_417_200_000);

/// A clock that is moved by hand.
pub(crate) struct HandClock(pub(crate) Mutex<Timestamp>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Random bytes of the system.
pub(crate) struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&mut self, buffer: &mut [u8]) {
        getrandom::fill(buffer).unwrap();
    }
}

/// A journal in memory, which can be full.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    pub(crate) events: Arc<Mutex<Vec<Event>>>,
    pub(crate) refusal: Arc<Mutex<Option<NotDurable>>>,
    /// A disk that hangs, while a test holds this.
    pub(crate) hold: Arc<Mutex<()>>,
    /// A disk that hangs until a test opens this.
    pub(crate) held: Arc<Mutex<Option<Gate>>>,
}

impl Journal for Memory {
    fn append(&mut self, events: &[Event], _: &[(&str, String)]) -> Result<(), AppendError> {
        let _hold = self.hold.lock().unwrap();
        let held = self.held.lock().unwrap().clone();
        if let Some(gate) = held {
            gate.pass();
        }
        if let Some(refusal) = self.refusal.lock().unwrap().clone() {
            return Err(AppendError::NotKept(refusal));
        }
        self.events.lock().unwrap().extend_from_slice(events);
        Ok(())
    }

    fn after(&mut self, position: u64) -> Result<Vec<Event>, NotDurable> {
        Ok(EventLog::after(self, position, usize::MAX).unwrap())
    }
}

impl EventLog for Memory {
    fn after(&self, position: u64, limit: usize) -> Result<Vec<Event>, StorageError> {
        let events = self.events.lock().unwrap();
        Ok(events
            .iter()
            .filter(|event| event.position > position)
            .take(limit)
            .cloned()
            .collect())
    }

    fn of_incident(
        &self,
        incident: IncidentId,
        position: u64,
        limit: usize,
    ) -> Result<Vec<Event>, StorageError> {
        let events = self.events.lock().unwrap();
        let about =
            |event: &&Event| event.position > position && event.body.incident() == Some(incident);
        Ok(events.iter().filter(about).take(limit).cloned().collect())
    }

    fn before_newest(&self, incident: IncidentId, count: usize) -> Result<u64, StorageError> {
        let events = self.events.lock().unwrap();
        let about = |event: &&Event| event.body.incident() == Some(incident);
        let older = events.iter().rev().filter(about).nth(count);
        Ok(older.map_or(0, |event| event.position))
    }

    fn at(&self, position: u64) -> Result<Option<Event>, StorageError> {
        Ok(self
            .events
            .lock()
            .unwrap()
            .iter()
            .find(|event| event.position == position)
            .cloned())
    }
}

impl Health for Memory {
    fn journal(&self) -> JournalHealth {
        JournalHealth {
            trouble: self
                .refusal
                .lock()
                .unwrap()
                .as_ref()
                .map(|refusal| refusal.why.clone()),
        }
    }
}

/// What was committed and published, for tests that wait for it.
#[derive(Clone, Default)]
pub(crate) struct Committed(Arc<(Mutex<Vec<Event>>, Condvar)>);

impl Committed {
    /// Waits until `wanted` finds something in what was committed.
    pub(crate) fn wait_for<T>(&self, wanted: impl Fn(&[Event]) -> Option<T>) -> T {
        let mut events = self.0.0.lock().unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(found) = wanted(&events) {
                return found;
            }
            let left = deadline
                .checked_duration_since(Instant::now())
                .expect("it never happened");
            events = self.0.1.wait_timeout(events, left).unwrap().0;
        }
    }
}

/// Fills delivery's queue and the live stream, as the shell does.
pub(crate) struct Outlets {
    pub(crate) queue: Queue,
    pub(crate) feed: Feed,
    pub(crate) committed: Committed,
    pub(crate) vigil: Arc<Vigil>,
}

impl Effects for Outlets {
    fn committed(&mut self, events: &[Event]) {
        self.feed.publish(events);
        self.committed.0.0.lock().unwrap().extend_from_slice(events);
        self.committed.0.1.notify_all();
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Send {
                notification,
                number,
            } => self.queue.push(Work {
                notification,
                number,
            }),
            Effect::Freeze { .. } => {}
            Effect::Canary {
                run,
                at,
                outcome,
                detail,
            } => self.vigil.canary_ended(run, at, outcome, &detail),
        }
    }
}

/// A watch that is what a test says.
pub(crate) struct Sight(pub(crate) Mutex<Watching>);

impl Watch for Sight {
    fn watching(&self) -> Watching {
        self.0.lock().unwrap().clone()
    }
}

/// A store without a series.
pub(crate) struct NoSeries;

impl Source for NoSeries {
    fn select(&self, _: &Select<'_>) -> Result<Vec<SeriesData>, SourceError> {
        Ok(Vec::new())
    }
}

impl Telemetry for NoSeries {
    fn query(&self, expr: &str, at: Timestamp) -> Result<Answer, QueryError> {
        match expr {
            "bad(" => Err(QueryError::Wrong("unexpected end".to_owned())),
            "1" => Ok(Answer::Scalar(at.as_millis(), 1.0)),
            _ => Ok(Answer::Vector(Vec::new())),
        }
    }

    fn query_range(
        &self,
        _: &str,
        _: Timestamp,
        _: Timestamp,
        _: u64,
    ) -> Result<Answer, QueryError> {
        Ok(Answer::Matrix(Vec::new()))
    }

    fn facts(&self, _: TargetId, _: Timestamp, _: Timestamp) -> Result<Vec<Fact>, StorageError> {
        Ok(Vec::new())
    }

    fn logs(
        &self,
        _: TargetId,
        _: LogKind,
        _: Timestamp,
        _: Timestamp,
        _: usize,
    ) -> Result<Vec<LogRecord>, StorageError> {
        Ok(Vec::new())
    }

    fn requests(
        &self,
        _: TargetId,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<RequestLog, StorageError> {
        Ok(RequestLog::default())
    }

    fn numbers(&self) -> Vec<(&'static str, &'static str, f64)> {
        vec![("tocsin_store_series", "Series", 0.0)]
    }

    fn trouble(&self) -> Option<String> {
        None
    }
}

impl Evidences for NoSeries {
    fn frozen(&self, _: IncidentId) -> Result<Option<Bundle>, StorageError> {
        Ok(None)
    }

    fn draft(&self, _: IncidentId) -> Result<Option<Evidence>, StorageError> {
        Ok(None)
    }
}

/// First answers by caller and key: of which request, and how it was answered.
type FirstAnswers = BTreeMap<(String, String), (String, Option<(u16, Vec<u8>)>)>;

#[derive(Default)]
pub(crate) struct Doors {
    pub(crate) passwords: Mutex<BTreeMap<UserId, String>>,
    pub(crate) compared: Mutex<usize>,
    sessions: Mutex<BTreeMap<String, UserId>>,
    tokens: Mutex<Vec<(String, ApiToken)>>,
    settings: Mutex<BTreeMap<String, String>>,
    /// Whether no setting can be kept.
    pub(crate) disk_full: AtomicBool,
    /// Whether no setting can be read.
    pub(crate) settings_unreadable: AtomicBool,
    /// Where whoever keeps a setting is held up.
    pub(crate) settings_held: Mutex<Option<Gate>>,
    /// The names of the settings that were kept, each as often as it was.
    pub(crate) settings_kept: Mutex<Vec<String>>,
    pub(crate) once: Mutex<FirstAnswers>,
    pub(crate) setup_token: Mutex<Option<String>>,
    pub(crate) logins: Mutex<BTreeMap<String, UserId>>,
}

fn random(count: usize) -> String {
    tocsin_edge::secret::letters(count).unwrap()
}

/// Accounts in memory.
impl Accounts for Doors {
    fn set_password(&self, user: UserId, password: &SecretString) -> Result<(), StorageError> {
        self.passwords
            .lock()
            .unwrap()
            .insert(user, password.expose_secret().to_owned());
        self.sessions
            .lock()
            .unwrap()
            .retain(|_, owner| *owner != user);
        Ok(())
    }

    fn has_password(&self, user: UserId) -> Result<bool, StorageError> {
        Ok(self.passwords.lock().unwrap().contains_key(&user))
    }

    fn password_matches(
        &self,
        user: Option<UserId>,
        password: &SecretString,
    ) -> Result<bool, StorageError> {
        *self.compared.lock().unwrap() += 1;
        let passwords = self.passwords.lock().unwrap();
        Ok(user
            .and_then(|user| passwords.get(&user))
            .is_some_and(|known| known == password.expose_secret()))
    }

    fn begin_session(&self, user: UserId, _: Timestamp) -> Result<String, StorageError> {
        let cookie = random(43);
        self.sessions.lock().unwrap().insert(cookie.clone(), user);
        Ok(cookie)
    }

    fn session(&self, cookie: &str, _: Timestamp) -> Result<Option<UserId>, StorageError> {
        Ok(self.sessions.lock().unwrap().get(cookie).copied())
    }

    fn end_session(&self, cookie: &str) -> Result<(), StorageError> {
        self.sessions.lock().unwrap().remove(cookie);
        Ok(())
    }

    fn forget_user(&self, user: UserId) -> Result<(), StorageError> {
        self.sessions
            .lock()
            .unwrap()
            .retain(|_, owner| *owner != user);
        self.tokens
            .lock()
            .unwrap()
            .retain(|(_, token)| token.user != Some(user));
        Ok(())
    }

    fn add_token(
        &self,
        token: NewToken,
        now: Timestamp,
    ) -> Result<(ApiToken, String), StorageError> {
        let made = ApiToken {
            id: TokenId::random(&mut OsEntropy),
            name: token.name,
            role: token.role,
            user: token.user,
            made_by: token.made_by,
            created_at: now,
            expires_at: token.expires_at,
            last_used: None,
            bounds: token.bounds,
        };
        let text = random(20);
        self.tokens
            .lock()
            .unwrap()
            .push((text.clone(), made.clone()));
        Ok((made, text))
    }

    fn token(&self, text: &str, now: Timestamp) -> Result<Option<ApiToken>, StorageError> {
        let mut tokens = self.tokens.lock().unwrap();
        let alive = |token: &ApiToken| token.expires_at.is_none_or(|at| now < at);
        Ok(tokens
            .iter_mut()
            .find(|(known, token)| known == text && alive(token))
            .map(|(_, token)| {
                token.last_used = Some(now);
                token.clone()
            }))
    }

    fn tokens(&self) -> Result<Vec<ApiToken>, StorageError> {
        Ok(self
            .tokens
            .lock()
            .unwrap()
            .iter()
            .map(|(_, token)| token.clone())
            .collect())
    }

    fn revoke_token(&self, id: TokenId) -> Result<bool, StorageError> {
        let mut tokens = self.tokens.lock().unwrap();
        let before = tokens.len();
        tokens.retain(|(_, token)| token.id != id);
        Ok(tokens.len() < before)
    }

    fn redeem_login(&self, token: &str, _: Timestamp) -> Result<Option<UserId>, StorageError> {
        let user = self.logins.lock().unwrap().remove(token);
        if let Some(user) = user {
            self.passwords.lock().unwrap().remove(&user);
        }
        Ok(user)
    }

    fn setup_token_matches(&self, token: &str, _: Timestamp) -> Result<bool, StorageError> {
        Ok(self.setup_token.lock().unwrap().as_deref() == Some(token))
    }

    fn finish_setup(&self) -> Result<(), StorageError> {
        *self.setup_token.lock().unwrap() = None;
        Ok(())
    }

    fn begin_once(
        &self,
        scope: &str,
        key: &str,
        request: &str,
        _: Timestamp,
    ) -> Result<Once, StorageError> {
        let mut once = self.once.lock().unwrap();
        let name = (scope.to_owned(), key.to_owned());
        Ok(match once.get(&name) {
            None => {
                once.insert(name, (request.to_owned(), None));
                Once::New
            }
            Some((first, _)) if first != request => Once::Mismatch,
            Some((_, None)) => Once::Underway,
            Some((_, Some((status, body)))) => Once::Answered {
                status: *status,
                body: body.clone(),
            },
        })
    }

    fn finish_once(
        &self,
        scope: &str,
        key: &str,
        status: u16,
        body: &[u8],
    ) -> Result<(), StorageError> {
        let name = (scope.to_owned(), key.to_owned());
        if let Some((_, answer)) = self.once.lock().unwrap().get_mut(&name) {
            *answer = Some((status, body.to_owned()));
        }
        Ok(())
    }

    fn abandon_once(&self, scope: &str, key: &str) -> Result<(), StorageError> {
        let name = (scope.to_owned(), key.to_owned());
        self.once.lock().unwrap().remove(&name);
        Ok(())
    }

    fn setting(&self, name: &str) -> Result<Option<String>, StorageError> {
        if self.settings_unreadable.load(Ordering::SeqCst) {
            return Err(StorageError {
                why: "the disk gives nothing back".to_owned(),
                disk_full: false,
            });
        }
        Ok(self.settings.lock().unwrap().get(name).cloned())
    }

    fn set_setting(&self, name: &str, value: &str) -> Result<(), StorageError> {
        let held = self.settings_held.lock().unwrap().clone();
        if let Some(gate) = held {
            gate.pass();
        }
        if self.disk_full.load(Ordering::SeqCst) {
            return Err(StorageError {
                why: "the disk is full".to_owned(),
                disk_full: true,
            });
        }
        self.settings
            .lock()
            .unwrap()
            .insert(name.to_owned(), value.to_owned());
        self.settings_kept.lock().unwrap().push(name.to_owned());
        Ok(())
    }
}
