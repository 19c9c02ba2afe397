//! Delivery: makes one attempt for each message that the core has decided to send, and reports how it went. Whether, when and
//! how often to try is decided elsewhere. It runs on threads of its own that nothing else can starve.

pub(crate) mod account;
mod anew;
mod answerer;
mod attempt;
mod by_account;
mod canary;
#[cfg(test)]
mod counting;
pub mod direct;
pub(crate) mod ears;
pub mod egress;
pub(crate) mod exchange;
mod host;
mod listen;
pub mod mail;
mod message;
mod opening;
pub mod outside;
pub mod pace;
pub(crate) mod place;
pub(crate) mod post;
pub mod queue;
mod receipts;
mod recent;
mod redact;
pub(crate) mod report;
mod rests;
mod retry_after;
pub mod set_up;
pub mod tally;
mod unknown;
mod walk;
mod web_push;
mod websocket;
mod word;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use secrecy::ExposeSecret;
use tocsin_domain::command::{Ask, Command};
use tocsin_domain::event::Actor;
use tocsin_domain::page::RETRY_WAIT_MS_MAX;
use tocsin_domain::people::ChannelKind;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_engine::handle::{AskError, EngineHandle};
use tocsin_engine::ports::Clock;

use crate::links::KnownKey;
use crate::ports::{Accounts, StorageError, Vault};
use crate::vigil::Vigil;
use account::{Opened, Provider};
use anew::{PAUSE, ever_anew};
use attempt::{LANE_WAIT, carry_out};
use canary::Sink;
use egress::Egress;
use exchange::Exchange;
use host::host_of;
pub(crate) use message::spoken;
use message::{Letter, Secrets};
use pace::Pace;
use place::Place;
use queue::{Queue, Work};
use receipts::Followed;
use recent::Recent;
use redact::without_secrets;
use report::Report;
use rests::{By, Rests};
use tally::Tally;
use unknown::Unknown;
use walk::{Carrier, Means, Walk};

/// An attempt without an outcome for this long is given up; the core counts on less than its own deadline.
const ATTEMPT_WAIT: Duration = Duration::from_secs(15);
/// How often attempts are looked for that wait too long, among all that wait.
const LANE_LOOK: Duration = Duration::from_millis(500);
/// Threads of delivery's own runtime.
const THREADS: usize = 2;
/// How long attempts that are under way may take once Tocsin stops.
const STOP_WAIT: Duration = Duration::from_secs(2);

/// What delivery needs.
pub struct Needs {
    /// The core: its state, and where outcomes go.
    pub engine: EngineHandle,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How it is waited.
    pub pace: Arc<dyn Pace>,
    /// Addresses and keys.
    pub vault: Arc<dyn Vault>,
    /// The settings of the mail server.
    pub accounts: Arc<dyn Accounts>,
    /// Where requests may go.
    pub egress: Egress,
    /// What links begin with.
    pub public_url: String,
    /// Where attempts are counted.
    pub tally: Arc<Tally>,
    /// Where the canary's way is noted.
    pub vigil: Arc<Vigil>,
}

/// Why delivery could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The operating system gives no threads.
    #[error("delivery got no threads: {0}")]
    Threads(#[from] io::Error),
    /// The HTTP client could not be made.
    #[error("the HTTP client for webhooks could not be made: {0}")]
    Client(#[from] reqwest::Error),
    /// How far webhook subscriptions had come cannot be read.
    #[error("how far webhook subscriptions had come cannot be read: {0}")]
    Progress(#[from] StorageError),
}

/// Running delivery; stops when told, or when it is dropped.
pub struct Delivery {
    queue: Queue,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    worker: tokio::task::JoinHandle<()>,
}

impl Delivery {
    /// Starts to work off `queue`, whose other end the engine's effects fill.
    ///
    /// # Errors
    /// As [`StartError`] says; nothing was sent.
    pub fn start(queue: Queue, needs: Needs) -> Result<Self, StartError> {
        Self::start_with(queue, needs, ATTEMPT_WAIT)
    }

    /// Starts with another deadline for each attempt; one above 15 s would outlive the core's patience.
    ///
    /// # Errors
    /// As [`StartError`] says; nothing was sent.
    pub fn start_with(
        queue: Queue,
        needs: Needs,
        attempt_wait: Duration,
    ) -> Result<Self, StartError> {
        Self::start_asking(queue, needs, attempt_wait, receipts::EVERY)
    }

    /// Starts and asks providers this often what became of what they took.
    ///
    /// # Errors
    /// As [`StartError`] says; nothing was sent.
    pub fn start_asking(
        queue: Queue,
        needs: Needs,
        attempt_wait: Duration,
        receipts_every: Duration,
    ) -> Result<Self, StartError> {
        crate::tls::install_provider();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("delivery")
            .enable_all()
            .build()?;
        let sink = canary::open_sink(&needs, &runtime);
        let mut egress = needs.egress.clone();
        if let Some(sink) = &sink {
            egress = egress.and_own(sink.address());
        }
        let exchange = Exchange::new(egress, Arc::clone(&needs.pace))?;
        let anew = exchange.anew()?;
        let courier = Arc::new(Courier {
            needs,
            exchange,
            anew,
            link_key: Arc::default(),
            recent: Recent::default(),
            followed: Followed::default(),
            rests: Rests::default(),
            unknown: Unknown::default(),
            sink,
            attempt_wait: attempt_wait.min(ATTEMPT_WAIT),
        });
        let (stop, stopped) = channel::<()>();
        let worker = runtime.spawn(work_off(queue.clone(), Arc::clone(&courier)));
        let asking = Arc::clone(&courier);
        runtime.spawn(ever_anew("receipts", PAUSE, move || {
            receipts::ask_all(Arc::clone(&asking), receipts_every)
        }));
        for provider in [Provider::Slack, Provider::Telegram] {
            let listening = Arc::clone(&courier);
            runtime.spawn(ever_anew(provider.word(), PAUSE, move || {
                listen::listen(Arc::clone(&listening), provider)
            }));
        }
        let thread = std::thread::Builder::new()
            .name("delivery".to_owned())
            .spawn(move || {
                // Ends when told or when the sender is dropped; both mean the same.
                let _ = stopped.recv();
                runtime.shutdown_timeout(STOP_WAIT);
            })?;
        Ok(Self {
            queue,
            stop: Some(stop),
            thread: Some(thread),
            worker,
        })
    }

    /// Whether it has ended: before it was told to, that is a fault, and nobody is paged any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.worker.is_finished() || self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Begins no further attempt and ends. What was under way without an answer is taken up by the next start.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.queue.close();
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has ended too.
            let _ = thread.join();
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.end();
    }
}

struct Courier {
    needs: Needs,
    exchange: Exchange,
    /// The same without kept connections.
    anew: Exchange,
    link_key: Arc<KnownKey>,
    recent: Recent,
    followed: Followed,
    rests: Rests,
    unknown: Unknown,
    /// Where the canary goes; none beside the engine, which sends it, or where it could not be opened.
    sink: Option<Sink>,
    attempt_wait: Duration,
}

async fn work_off(queue: Queue, courier: Arc<Courier>) {
    let sort = |work: Work| {
        let turn = |state: &State, run: Option<u64>| {
            let turn = message::sort(state, work)?;
            run.map_or(Some(turn), |_| canary::turn())
        };
        let engine = &courier.needs.engine;
        engine.read_about(work.notification, turn)
    };
    let mut look_at = Instant::now();
    loop {
        courier.needs.tally.goes_round();
        let now = Instant::now();
        if now >= look_at {
            look_at = now + LANE_LOOK;
            for late in queue.overdue(LANE_WAIT, now) {
                let courier = Arc::clone(&courier);
                tokio::spawn(async move { courier.not_tried(late).await });
            }
            courier.recent.forget_old(courier.needs.clock.now());
        }
        let Ok(next) = tokio::time::timeout(LANE_LOOK, queue.next(sort)).await else {
            continue;
        };
        let Some(waiting) = next else {
            return;
        };
        courier.needs.tally.set_waiting(queue.waiting());
        tokio::spawn(carry_out(Arc::clone(&courier), queue.clone(), waiting));
    }
}

impl Courier {
    /// Tries by the first account, unless `called_off` says why not, since the vault may have taken long to open; nothing when `learn`
    /// says that the host has no place for it. What the others need is put into `opened`.
    async fn try_first(
        &self,
        letter: Letter,
        opened: &mut Option<Walk>,
        learn: impl FnOnce(&str) -> bool + Send,
        called_off: impl FnOnce() -> Option<&'static str> + Send,
    ) -> Option<Report> {
        let (mut letter, mut secrets) = match self.open(letter).await {
            Ok(opened) => opened,
            Err(report) => return Some(report),
        };
        if let Err(report) = canary::redirect(self.sink.as_ref(), &mut letter, &mut secrets) {
            return Some(report);
        }
        if let Some(why) = called_off() {
            return Some(Report::moot(why));
        }
        let now = self.needs.pace.now();
        let rest = |by: &By| self.rests.rest(by, now);
        let walk = match Walk::new(letter, secrets, rest) {
            Ok(walk) => walk,
            Err(until) => return Some(self.put_off(until.saturating_duration_since(now))),
        };
        let address = walk.secrets.address.expose_secret();
        let account = walk.carrier().and_then(Carrier::account);
        let host = host_of(walk.letter.channel, address, account);
        if host.is_some_and(|host| !learn(&host)) {
            return None;
        }
        Some(self.try_next(opened.insert(walk)).await)
    }

    /// Nothing is sent to whoever asked to be left alone for so long yet.
    fn put_off(&self, wait: Duration) -> Report {
        // Whoever came a moment too early would be put off again.
        let wait_ms = u64::try_from(wait.as_nanos().div_ceil(1_000_000));
        let wait_ms = wait_ms.unwrap_or(u64::MAX).min(RETRY_WAIT_MS_MAX);
        let until = self.needs.clock.now().plus_ms(wait_ms);
        Report::put_off(wait_ms, until)
    }

    /// Tries by the account whose turn it is.
    async fn try_next(&self, walk: &Walk) -> Report {
        self.rests.begins(&walk.by(), self.needs.pace.now());
        let report = self.send(walk).await;
        Report {
            detail: without_secrets(&report.detail, &walk.letter, &walk.secrets),
            ..report
        }
    }

    async fn send(&self, walk: &Walk) -> Report {
        let (letter, secrets) = (&walk.letter, &walk.secrets);
        let now = self.needs.clock.now();
        match (walk.carrier(), Provider::of(letter.channel)) {
            (Some(carrier), _) => Box::pin(self.send_by(carrier, letter, secrets, now)).await,
            (None, None) => self.send_directly(letter, secrets, now).await,
            (None, Some(provider)) => Report::refused(format!(
                "no {} is set up: set one under Settings, or use another channel",
                provider.name()
            )),
        }
    }

    /// The first attempt may go by a connection that is kept; that one may be why there is a second.
    const fn exchange_for(&self, letter: &Letter) -> &Exchange {
        if letter.number == 1 {
            &self.exchange
        } else {
            &self.anew
        }
    }

    async fn send_directly(&self, letter: &Letter, secrets: &Secrets, now: Timestamp) -> Report {
        let (address, message) = (&secrets.address, &letter.message);
        let exchange = self.exchange_for(letter);
        let key = secrets.signing_key.as_ref();
        match letter.channel {
            ChannelKind::Email => Report::refused(
                "no mail server is set up: set one under Settings, or use another channel",
            ),
            ChannelKind::Webhook => post::webhook(exchange, address, key, message, now).await,
            ChannelKind::Ntfy => post::ntfy(exchange, address, key, message).await,
            ChannelKind::Slack
            | ChannelKind::Telegram
            | ChannelKind::Pushover
            | ChannelKind::Sms
            | ChannelKind::Voice
            | ChannelKind::WebPush
            | ChannelKind::PagerDuty => Report::refused("this channel needs a provider"),
        }
    }

    async fn send_by(
        &self,
        carrier: &Carrier,
        letter: &Letter,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Report {
        let (address, message) = (&secrets.address, &letter.message);
        let exchange = self.exchange_for(letter);
        let callbacks = &carrier.callbacks;
        let opened = match &carrier.means {
            Means::Api(opened) => opened,
            Means::Mail(server) => return self.mail(server, letter, secrets).await,
        };
        let is_heard = |provider| !self.needs.tally.ears().are_deaf(provider);
        match letter.channel {
            ChannelKind::Slack => {
                let is_heard = is_heard(Provider::Slack);
                by_account::slack(exchange, opened, address, message, is_heard).await
            }
            ChannelKind::Telegram => {
                let is_heard = is_heard(Provider::Telegram);
                by_account::telegram(exchange, opened, address, message, is_heard).await
            }
            ChannelKind::Pushover => by_account::pushover(exchange, opened, address, message).await,
            ChannelKind::Sms => {
                by_account::sms(exchange, opened, address, message, callbacks).await
            }
            ChannelKind::Voice => {
                by_account::voice(exchange, opened, address, message, callbacks).await
            }
            ChannelKind::WebPush => self.push(exchange, opened, letter, address, now).await,
            ChannelKind::PagerDuty => {
                by_account::pagerduty(exchange, opened, address, message).await
            }
            ChannelKind::Email | ChannelKind::Webhook | ChannelKind::Ntfy => {
                Report::refused("this channel has no provider")
            }
        }
    }

    async fn mail(&self, server: &mail::Server, letter: &Letter, secrets: &Secrets) -> Report {
        let micros = u64::try_from(self.needs.clock.now().as_micros()).unwrap_or_default();
        let date = SystemTime::UNIX_EPOCH + Duration::from_micros(micros);
        let (settings, password) = server;
        mail::send(
            settings,
            password.as_ref(),
            &self.needs.egress,
            &secrets.address,
            &letter.message,
            date,
        )
        .await
    }

    /// The account at a provider that has one place; none when there is none or it cannot be read now.
    async fn account(&self, provider: Provider) -> Option<Opened> {
        self.account_at(provider, Place::First).await
    }

    /// The account at this place; none when there is none or it cannot be read now.
    async fn account_at(&self, provider: Provider, place: Place) -> Option<Opened> {
        let accounts = Arc::clone(&self.needs.accounts);
        let vault = Arc::clone(&self.needs.vault);
        let read = tokio::task::spawn_blocking(move || {
            account::open(accounts.as_ref(), vault.as_ref(), provider, place)
        });
        read.await.ok()?.ok()?
    }

    /// Asks the core once and waits for its durable answer.
    async fn ask(&self, actor: Actor, ask: Ask) -> Result<(), AskError> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let reply = move |outcome| {
            // The receiver waits below; it is gone only when the runtime ends.
            let _ = sender.send(outcome);
        };
        self.needs.engine.ask(Command { actor, ask }, reply)?;
        let answer = receiver.await.unwrap_or(Err(AskError::Stopped));
        answer.map(|_| ())
    }
}
