//! Delivery: makes one attempt for each message that the core has decided to send, and reports how it went. Whether, when and
//! how often to try is decided elsewhere. It runs on threads of its own that nothing else can starve.

pub mod egress;
pub mod mail;
mod message;
pub(crate) mod post;
pub mod queue;
mod redact;
pub mod tally;
mod word;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use tocsin_domain::command::{Ask, Command};
use tocsin_domain::event::Actor;
use tocsin_domain::page::Outcome;
use tocsin_domain::people::ChannelKind;
use tocsin_engine::handle::{AskError, EngineHandle};
use tocsin_engine::ports::Clock;
use tocsin_wire::page_message::one_line;

use crate::ports::{Accounts, StorageError, Vault};
use egress::Egress;
use mail::MailSettings;
use message::{Letter, Secrets};
use post::Poster;
use queue::{Queue, Work};
use redact::without_secrets;
use tally::{Last, Tally};

/// An attempt without an outcome for this long is given up; the core counts on less than its own deadline.
const ATTEMPT_WAIT: Duration = Duration::from_secs(15);
/// An attempt that got no place for this long is not made: the core would count it as unanswered a moment later.
const LANE_WAIT: Duration = Duration::from_secs(18);
/// How often attempts are looked for that wait too long.
const LANE_LOOK: Duration = Duration::from_millis(500);
/// Characters of an outcome's detail at most.
const DETAIL_CHARS_MAX: usize = 500;
/// Threads of delivery's own runtime.
const THREADS: usize = 2;
/// How long attempts that are under way may take once Tocsin stops.
const STOP_WAIT: Duration = Duration::from_secs(2);

/// How an attempt went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) outcome: Outcome,
    pub(crate) detail: String,
}

/// What delivery needs.
pub struct Needs {
    /// The core: its state, and where outcomes go.
    pub engine: EngineHandle,
    /// The time.
    pub clock: Arc<dyn Clock>,
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
        crate::tls::install_provider();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("delivery")
            .enable_all()
            .build()?;
        let poster = Poster::new(needs.egress.clone())?;
        let courier = Arc::new(Courier {
            needs,
            poster,
            attempt_wait: attempt_wait.min(ATTEMPT_WAIT),
        });
        let (stop, stopped) = channel::<()>();
        let worker = runtime.spawn(work_off(queue.clone(), courier));
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
    poster: Poster,
    attempt_wait: Duration,
}

async fn work_off(queue: Queue, courier: Arc<Courier>) {
    let sort = |work| {
        courier
            .needs
            .engine
            .read(|state| message::sort(state, work))
    };
    loop {
        for late in queue.overdue(LANE_WAIT, Instant::now()) {
            let courier = Arc::clone(&courier);
            tokio::spawn(async move { courier.not_tried(late).await });
        }
        let Ok(next) = tokio::time::timeout(LANE_LOOK, queue.next(sort)).await else {
            continue;
        };
        let Some((channel, work)) = next else {
            return;
        };
        courier.needs.tally.set_waiting(queue.waiting());
        let (queue, courier) = (queue.clone(), Arc::clone(&courier));
        tokio::spawn(async move {
            let attempt = tokio::spawn(async move { courier.attempt(work).await });
            if attempt.await.is_err() {
                // The core counts an attempt without an outcome as timed out; the channel's place must not be lost.
                tracing::error!(?work, "an attempt ended in a fault of Tocsin itself");
            }
            queue.done(channel);
        });
    }
}

impl Courier {
    async fn attempt(&self, work: Work) {
        let letter = self
            .needs
            .engine
            .read(|state| message::letter(state, work, &self.needs.public_url));
        let letter = match letter {
            None => return,
            Some(Err(moot)) => return self.tell(work, Outcome::Refused, moot.to_owned()).await,
            Some(Ok(letter)) => letter,
        };
        let channel = letter.channel;
        let report = self.within_deadline(letter).await;
        let detail = one_line(&report.detail, DETAIL_CHARS_MAX - 1);
        let last = Last {
            at: self.needs.clock.now(),
            outcome: report.outcome,
            detail: detail.clone(),
        };
        self.needs.tally.count(channel, last);
        self.tell(work, report.outcome, detail).await;
    }

    /// Says honestly that nothing was sent.
    async fn not_tried(&self, work: Work) {
        let detail = "not tried: too many other messages were being sent by this channel";
        self.tell(work, Outcome::Failed, detail.to_owned()).await;
    }

    async fn within_deadline(&self, letter: Letter) -> Report {
        let attempt = self.try_once(letter);
        match tokio::time::timeout(self.attempt_wait, attempt).await {
            Ok(report) => report,
            Err(_) => Report {
                outcome: Outcome::TimedOut,
                detail: format!("no answer within {} ms", self.attempt_wait.as_millis()),
            },
        }
    }

    async fn try_once(&self, letter: Letter) -> Report {
        let (letter, secrets) = match self.open(letter).await {
            Ok(opened) => opened,
            Err(report) => return report,
        };
        let now = self.needs.clock.now();
        let report = match letter.channel {
            ChannelKind::Email => self.mail(&letter, &secrets).await,
            ChannelKind::Webhook => {
                self.poster
                    .webhook(
                        &secrets.address,
                        secrets.signing_key.as_ref(),
                        &letter.message,
                        now,
                    )
                    .await
            }
            ChannelKind::Ntfy => {
                self.poster
                    .ntfy(
                        &secrets.address,
                        secrets.signing_key.as_ref(),
                        &letter.message,
                    )
                    .await
            }
        };
        Report {
            detail: without_secrets(&report.detail, &letter, &secrets),
            ..report
        }
    }

    /// Takes the address, the key and the code out of the vault.
    async fn open(&self, mut letter: Letter) -> Result<(Letter, Secrets), Report> {
        let vault = Arc::clone(&self.needs.vault);
        let (address, key, code) = (letter.address, letter.signing_key, letter.pending_code);
        let opened = tokio::task::spawn_blocking(move || -> Result<_, StorageError> {
            let read = |id: Option<_>| id.map_or(Ok(None), |id| vault.get(id));
            Ok((vault.get(address)?, read(key)?, read(code)?))
        });
        let failed = |detail: String| Report {
            outcome: Outcome::Failed,
            detail,
        };
        let opened = opened
            .await
            .map_err(|_| failed("the vault could not be read".to_owned()))?;
        let (address, signing_key, code) =
            opened.map_err(|error| failed(format!("the vault: {error}")))?;
        let Some(address) = address else {
            return Err(Report {
                outcome: Outcome::Refused,
                detail: "the address was removed".to_owned(),
            });
        };
        letter.message.verification_code = code.map(|code| code.expose_secret().to_owned());
        Ok((
            letter,
            Secrets {
                address,
                signing_key,
            },
        ))
    }

    async fn mail(&self, letter: &Letter, secrets: &Secrets) -> Report {
        let (settings, password) =
            match mail_settings(&self.needs.accounts, &self.needs.vault).await {
                Ok(Some(found)) => found,
                Ok(None) => {
                    let detail =
                        "no mail server is set up: set one under Settings, or use another channel"
                            .to_owned();
                    return Report {
                        outcome: Outcome::Refused,
                        detail,
                    };
                }
                Err(error) => {
                    return Report {
                        outcome: Outcome::Failed,
                        detail: format!("the mail settings: {error}"),
                    };
                }
            };
        let micros = u64::try_from(self.needs.clock.now().as_micros()).unwrap_or_default();
        let date = SystemTime::UNIX_EPOCH + Duration::from_micros(micros);
        let (egress, message) = (&self.needs.egress, &letter.message);
        mail::send(
            &settings,
            password.as_ref(),
            egress,
            &secrets.address,
            message,
            date,
        )
        .await
    }

    /// Reports the outcome until the core has it: an outcome that is lost would be paged for twice.
    async fn tell(&self, work: Work, outcome: Outcome, detail: String) {
        let mut wait = Duration::from_millis(20);
        loop {
            let ask = Ask::AttemptFinished {
                notification: work.notification,
                number: work.number,
                outcome,
                detail: detail.clone(),
            };
            let (sender, receiver) = tokio::sync::oneshot::channel();
            let command = Command {
                actor: Actor::System,
                ask,
            };
            let reply = move |outcome| {
                // The receiver waits below; it is gone only when the runtime ends.
                let _ = sender.send(outcome);
            };
            let answer = match self.needs.engine.ask(command, reply) {
                Ok(()) => receiver.await.unwrap_or(Err(AskError::Stopped)),
                Err(error) => Err(error),
            };
            match answer {
                Ok(_) | Err(AskError::Refused(_) | AskError::Stopped) => return,
                Err(AskError::Busy | AskError::NotDurable(_)) => {
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(Duration::from_secs(2));
                }
            }
        }
    }
}

/// The settings of the mail server, with the password; `None` when no server is set up.
pub(crate) async fn mail_settings(
    accounts: &Arc<dyn Accounts>,
    vault: &Arc<dyn Vault>,
) -> Result<Option<(MailSettings, Option<SecretString>)>, StorageError> {
    let (accounts, vault) = (Arc::clone(accounts), Arc::clone(vault));
    let wrong = |why: String| StorageError {
        why,
        disk_full: false,
    };
    let read = tokio::task::spawn_blocking(move || {
        let Some(text) = accounts.setting(mail::SETTING)? else {
            return Ok(None);
        };
        let settings: MailSettings = serde_json::from_str(&text)
            .map_err(|error| wrong(format!("the mail settings cannot be read: {error}")))?;
        let password = settings.password.map_or(Ok(None), |id| vault.get(id))?;
        Ok(Some((settings, password)))
    });
    read.await
        .map_err(|_| wrong("the mail settings could not be read".to_owned()))?
}
