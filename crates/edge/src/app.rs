//! What every handler can reach: the core, the stores, the settings of this server. It decides nothing.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tocsin_domain::command::{Ask, Command};
use tocsin_domain::event::Actor;
use tocsin_domain::people::SetUp;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_engine::handle::{AskError, Done, EngineHandle};
use tocsin_engine::ports::Clock;
use tokio::sync::{Mutex, MutexGuard, Semaphore, oneshot};

use crate::access::known_keys::KnownKeys;
use crate::access::known_tokens::KnownTokens;
use crate::access::throttle::{LoginThrottle, RollingLimit};
pub use crate::access::token_limit::TOKEN_REQUESTS_PER_MINUTE;
use crate::access::token_limit::TokenLimit;
use crate::delivery::account::make_push_key;
use crate::delivery::egress::Egress;
use crate::delivery::set_up::{told_by_address, what_is_set_up};
use crate::delivery::tally::Tally;
use crate::doctor::{LastLook, MailProbe};
use crate::feed::Feed;
use crate::front::known_mappings::KnownMappings;
use crate::front::opsgenie::OpsgenieRequests;
use crate::front::pagerduty;
use crate::front::prometheus::Room;
use crate::front::twilio::Replies;
use crate::http::answer::Outcomes;
use crate::http::calendar::READS_PER_MINUTE;
use crate::http::incident::live::Looks;
use crate::http::problem::Problem;
use crate::http::share::Shares;
use crate::http::stream::READERS_OF_ONE;
use crate::http::underway::{self, Underway};
use crate::links::{KnownKey, LinkKey};
use crate::ports::rules::Rules;
use crate::ports::scrape::ScrapeTargets;
use crate::ports::{
    Accounts, EventLog, Evidences, Health, Metrics, StorageError, Telemetry, Vault, Watch,
};
use crate::vigil::Vigil;
use crate::watched::heard;

/// Passwords hashed at the same time at most: each takes tens of megabytes.
const PASSWORDS_AT_ONCE: usize = 2;
/// How long a sign-in waits for its turn.
const PASSWORD_WAIT: Duration = Duration::from_secs(10);
/// Queries of the store at the same time at most.
pub(crate) const QUERIES_AT_ONCE: usize = 4;
/// Schedules and lists of alerts made at the same time at most: a large one takes a while.
const RENDERINGS_AT_ONCE: usize = 2;
/// Walks back through all that happened at the same time at most; none keeps anybody from seeing who is on call.
const WALKS_AT_ONCE: usize = 1;
/// How long a rendering waits for its turn.
const RENDERING_WAIT: Duration = Duration::from_secs(10);
/// How long a change waits for its turn: longer than the one before it waits for its answer.
const TURN_WAIT: Duration = Duration::from_secs(30);
/// How long a caller waits for the core's durable answer.
pub const ANSWER_WAIT: Duration = Duration::from_secs(20);

/// What this server was started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where people reach it, without a slash at the end; every link is built from it.
    pub public_url: String,
    /// The address it listens on.
    pub listen: SocketAddr,
    /// Whether it speaks TLS itself.
    pub tls: bool,
    /// Whether a proxy in front of it is trusted to tell the client's address.
    pub behind_proxy: bool,
    /// Whether authentication is switched off for reading from this machine (for benchmarks).
    pub insecure_no_auth: bool,
    /// Where requests of Tocsin itself may go.
    pub egress: Egress,
    /// Where the data lives, for the check of free space.
    pub data_dir: PathBuf,
    /// The domain whose mail raises alerts, when a listener takes some.
    pub mail_domain: Option<String>,
    /// Events of one integration key taken within 60 s.
    pub events_per_minute: usize,
    /// Requests of one API token to the native API taken within 60 s; [`TOKEN_REQUESTS_PER_MINUTE`] but in tests.
    pub token_requests_per_minute: u32,
    /// How long a caller waits for the core's durable answer; [`ANSWER_WAIT`] but in tests.
    pub answer_wait: Duration,
    /// The version of this build.
    pub version: String,
}

impl Settings {
    /// Whether people reach this server by https, so that cookies can be bound to it.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.tls || self.public_url.starts_with("https://")
    }
}

/// What an [`App`] is made of.
pub struct Parts {
    /// The core.
    pub engine: EngineHandle,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Journalled events.
    pub events: Arc<dyn EventLog>,
    /// Secrets and addresses.
    pub vault: Arc<dyn Vault>,
    /// Passwords, sessions, tokens, settings.
    pub accounts: Arc<dyn Accounts>,
    /// The store.
    pub telemetry: Arc<dyn Telemetry>,
    /// The same store, as metrics clients see it.
    pub metrics: Arc<dyn Metrics>,
    /// The rules that are evaluated.
    pub rules: Arc<dyn Rules>,
    /// The exporters that are scraped.
    pub scrape_targets: Arc<dyn ScrapeTargets>,
    /// Frozen evidence.
    pub evidences: Arc<dyn Evidences>,
    /// How the journal is.
    pub health: Arc<dyn Health>,
    /// How the watch over this machine is.
    pub watch: Arc<dyn Watch>,
    /// The live stream's source.
    pub feed: Feed,
    /// What delivery has counted.
    pub tally: Arc<Tally>,
    /// What the auditor found and how the canary went.
    pub vigil: Arc<Vigil>,
    /// What this server was started with.
    pub settings: Settings,
}

/// What every handler can reach; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) parts: Parts,
    pub(crate) logins: LoginThrottle,
    pub(crate) front_limit: RollingLimit,
    pub(crate) rest_limit: RollingLimit,
    pub(crate) token_limit: TokenLimit,
    pub(crate) known_tokens: KnownTokens,
    pub(crate) known_keys: KnownKeys,
    pub(crate) known_mappings: KnownMappings,
    pub(crate) opsgenie_requests: OpsgenieRequests,
    pub(crate) passwords: Semaphore,
    pub(crate) queries: Arc<Semaphore>,
    pub(crate) renderings: Arc<Semaphore>,
    pub(crate) walks: Arc<Semaphore>,
    /// Held by whoever changes a webhook subscription, or removes something with which some go. Whoever takes the turn of keys too
    /// takes this one first: two that wait for each other would wait for ever.
    pub(crate) webhook_changes: Arc<Mutex<()>>,
    /// Held by whoever makes an integration whose key is kept, or removes some. It comes after that of subscriptions.
    pub(crate) key_changes: Arc<Mutex<()>>,
    /// Held by whoever reads something that is set up, changes a part of it and writes the whole back, and by whoever else changes
    /// such a thing: a policy, a schedule, a team, a business service, an integration, planned work, rules, what is said of a person;
    /// and by whoever adds a way to reach one. What is removed needs none: who writes it back later is told that it is gone. It comes
    /// after both others: whoever has it takes none of them, nor itself again.
    pub(crate) roster_changes: Arc<Mutex<()>>,
    pub(crate) calendar_tries: LoginThrottle,
    pub(crate) calendar_reads: RollingLimit,
    pub(crate) mail_probe: MailProbe,
    pub(crate) last_look: LastLook,
    pub(crate) looks: Looks,
    pub(crate) streams: Shares,
    pub(crate) remote_write: Room,
    pub(crate) replies: Replies,
    pub(crate) outcomes: Outcomes,
    pub(crate) underway: Underway,
    pub(crate) link_key: KnownKey,
    pub(crate) started_at: Timestamp,
    pub(crate) requests: crate::http::metrics::Requests,
    pub(crate) alerts_received: crate::http::metrics::AlertsReceived,
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}

impl App {
    /// Puts the parts together, and makes the key that browsers know us by when there is none yet: whoever looks at the channels
    /// is shown it and changes nothing.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let made = make_push_key(parts.accounts.as_ref(), parts.vault.as_ref());
        if let Err(error) = made {
            tracing::warn!(%error, "there is no key for pushes to browsers; the next start makes one");
        }
        heard::take_up(&parts);
        let started_at = parts.clock.now();
        let front_limit = RollingLimit::new(parts.settings.events_per_minute);
        let token_limit = TokenLimit::new(parts.settings.token_requests_per_minute);
        Self(Arc::new(Inner {
            parts,
            logins: LoginThrottle::default(),
            front_limit,
            rest_limit: RollingLimit::new(pagerduty::REQUESTS_PER_MINUTE),
            token_limit,
            known_tokens: KnownTokens::default(),
            known_keys: KnownKeys::default(),
            known_mappings: KnownMappings::default(),
            opsgenie_requests: OpsgenieRequests::default(),
            passwords: Semaphore::new(PASSWORDS_AT_ONCE),
            queries: Arc::new(Semaphore::new(QUERIES_AT_ONCE)),
            renderings: Arc::new(Semaphore::new(RENDERINGS_AT_ONCE)),
            walks: Arc::new(Semaphore::new(WALKS_AT_ONCE)),
            webhook_changes: Arc::default(),
            key_changes: Arc::default(),
            roster_changes: Arc::default(),
            calendar_tries: LoginThrottle::default(),
            calendar_reads: RollingLimit::new(READS_PER_MINUTE),
            mail_probe: MailProbe::default(),
            last_look: LastLook::default(),
            looks: Looks::default(),
            streams: Shares::new(READERS_OF_ONE),
            remote_write: Room::default(),
            replies: Replies::default(),
            outcomes: Outcomes::default(),
            underway: Underway::default(),
            link_key: KnownKey::default(),
            started_at,
            requests: crate::http::metrics::Requests::default(),
            alerts_received: crate::http::metrics::AlertsReceived::default(),
        }))
    }

    /// The key that links are signed with.
    pub(crate) async fn link_key(&self) -> Result<LinkKey, Problem> {
        let app = self.clone();
        self.blocking(move |parts| {
            let (accounts, vault) = (parts.accounts.as_ref(), parts.vault.as_ref());
            app.inner().link_key.get(accounts, vault)
        })
        .await
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Now.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Looks at the committed state.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        self.engine.read(look)
    }

    /// Asks the core and waits for its durable answer.
    pub(crate) async fn ask(&self, actor: &Actor, ask: Ask) -> Result<Done, Problem> {
        let (sender, receiver) = oneshot::channel();
        let command = Command {
            actor: actor.clone(),
            ask,
        };
        let reply = move |outcome| {
            // A caller that has gone away wants no answer; what was decided stays decided.
            let _ = sender.send(outcome);
        };
        self.engine.ask(command, reply)?;
        let done = self.answer(receiver).await??;
        underway::kept();
        Ok(done)
    }

    /// Asks the core for several things at once and waits for its durable answer to each.
    pub(crate) async fn ask_all(
        &self,
        actor: &Actor,
        asks: Vec<Ask>,
    ) -> Result<Vec<Result<Done, AskError>>, Problem> {
        // The core answers nobody who asks for nothing.
        if asks.is_empty() {
            return Ok(Vec::new());
        }
        let (sender, receiver) = oneshot::channel();
        let commands = asks.into_iter().map(|ask| Command {
            actor: actor.clone(),
            ask,
        });
        let reply = move |outcomes| {
            // A caller that has gone away wants no answer; what was decided stays decided.
            let _ = sender.send(outcomes);
        };
        self.engine.ask_all(commands.collect(), reply)?;
        let outcomes: Vec<Result<Done, AskError>> = self.answer(receiver).await?;
        if outcomes.iter().any(Result::is_ok) {
            underway::kept();
        }
        Ok(outcomes)
    }

    /// Waits for a durable answer of the core's.
    pub(crate) async fn answer<T>(&self, mut receiver: oneshot::Receiver<T>) -> Result<T, Problem> {
        let in_time = tokio::time::timeout(self.settings.answer_wait, &mut receiver).await;
        let answered = match in_time {
            Ok(answered) => answered,
            // Whoever sent a key is told that it takes longer, and asks for the true answer later.
            Err(_) if underway::waits_on() => receiver.await,
            Err(_) => {
                return Err(Problem::unknown(
                    "the journal did not answer in time; whether the request was kept is not known, so look before you repeat it",
                ));
            }
        };
        answered.map_err(|_| {
            underway::kept();
            Problem::unknown(
                "Tocsin is stopping; whether the request was kept is not known, so look before you repeat it",
            )
        })
    }

    /// Does blocking work on a thread of its own.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Parts) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, Problem> {
        let app = self.clone();
        match tokio::task::spawn_blocking(move || work(&app)).await {
            Ok(outcome) => Ok(outcome?),
            Err(_) => Err(Problem::internal("reading or writing the data failed")),
        }
    }

    /// Does `work` to the end, also when the client hangs up, which would else leave half of it done; and one after the other among
    /// all that share `turns`, so that nothing is done by what was read before somebody else's change. A change of which the journal
    /// says nothing in time may still come after the turn.
    pub(crate) async fn in_turn<T: Send + 'static, E: From<Problem> + Send + 'static>(
        turns: &Arc<Mutex<()>>,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E> {
        let turns = Arc::clone(turns);
        let work = underway::to_the_end(async move {
            let _turn = Self::turn(&turns).await?;
            work.await
        });
        let unfinished = || Problem::internal("it was not carried out to the end");
        work.await.unwrap_or_else(|| Err(unfinished().into()))
    }

    /// Waits for a turn, for a while.
    pub(crate) async fn turn(turns: &Mutex<()>) -> Result<MutexGuard<'_, ()>, Problem> {
        let turn = tokio::time::timeout(TURN_WAIT, turns.lock()).await;
        turn.map_err(|_| {
            Problem::unavailable(
                "too many changes wait for each other: nothing was kept, ask again in a moment",
            )
        })
    }

    /// What messages can leave by now.
    pub(crate) async fn what_is_set_up(&self) -> Result<SetUp, Problem> {
        self.blocking(|parts| {
            let (accounts, vault) = (parts.accounts.as_ref(), parts.vault.as_ref());
            what_is_set_up(accounts, vault, || parts.engine.read(told_by_address))
        })
        .await
    }

    /// Computes something of schedules or of what fires, a few at a time and on a thread that may take long.
    pub(crate) async fn rendered<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        Self::in_a_turn_of(Arc::clone(&self.0.renderings), work).await
    }

    /// Computes something of what happened, one at a time and on a thread that may take long.
    pub(crate) async fn walked<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        Self::in_a_turn_of(Arc::clone(&self.0.walks), work).await
    }

    async fn in_a_turn_of<T: Send + 'static>(
        turns: Arc<Semaphore>,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = tokio::time::timeout(RENDERING_WAIT, turns.acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(Problem::unavailable(
                "too many schedules, alerts or log entries are looked at at once; ask again in a moment",
            ));
        };
        let work = move || {
            // Held until the work is done, also when nobody waits for it any more.
            let _turn = turn;
            work()
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Problem::internal("computing the answer failed")),
        }
    }

    /// Does password work, a few at a time.
    pub(crate) async fn with_password<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Parts) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = tokio::time::timeout(PASSWORD_WAIT, self.0.passwords.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Err(Problem::too_many(
                "too many people are signing in at once",
                5,
            ));
        };
        self.blocking(work).await
    }
}
