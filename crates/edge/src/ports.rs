//! What the sockets need from the journal, the vault, the accounts and the store, as traits that the shell fulfils. Every call
//! may block and is made on a blocking thread; none of them knows HTTP.

mod changes;
pub mod rules;
pub mod scrape;
mod vault;

use std::fmt;

use secrecy::SecretString;
use tocsin_domain::event::Event;
use tocsin_domain::id::{IncidentId, TargetId, TokenId, UserId};
use tocsin_domain::learn::evidence::Evidence;
use tocsin_domain::learn::requests::RequestLog;
use tocsin_domain::people::{Role, TokenBounds};
use tocsin_domain::signal::{Fact, Labels, LogRecord};
use tocsin_domain::time::Timestamp;
use tocsin_domain::write::{Cardinality, MetricMetadata, Write, Written};
use tocsin_promql::{Ask, StoredExemplar};

pub use changes::ChangeLog;
pub use vault::Vault;

/// Why something could not be read or kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct StorageError {
    /// What happened, what was kept, what to do; no secrets.
    pub why: String,
    /// Whether the disk is full.
    pub disk_full: bool,
}

/// Reads journalled events back.
pub trait EventLog: ChangeLog {
    /// Events after `position`, in order, at most `limit`.
    ///
    /// # Errors
    /// The journal cannot be read.
    fn after(&self, position: u64, limit: usize) -> Result<Vec<Event>, StorageError>;

    /// Events about an incident and its messages after `position`, in order, at most `limit`.
    ///
    /// # Errors
    /// The journal cannot be read.
    fn of_incident(
        &self,
        incident: IncidentId,
        position: u64,
        limit: usize,
    ) -> Result<Vec<Event>, StorageError>;

    /// The position after which the newest `count` events about an incident and its messages are.
    ///
    /// # Errors
    /// The journal cannot be read.
    fn before_newest(&self, incident: IncidentId, count: usize) -> Result<u64, StorageError>;

    /// The event at a position.
    ///
    /// # Errors
    /// The journal cannot be read.
    fn at(&self, position: u64) -> Result<Option<Event>, StorageError>;
}

/// A token of the API as listed; the secret half is never given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id.
    pub id: TokenId,
    /// What its owner calls it.
    pub name: String,
    /// What it may do at most.
    pub role: Role,
    /// Whose it is; none for one of the installation.
    pub user: Option<UserId>,
    /// Who made it, where that is known; they may be gone.
    pub made_by: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops to work.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used: Option<Timestamp>,
    /// What it is kept to beside its role.
    pub bounds: TokenBounds,
}

/// A token to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// What its owner calls it.
    pub name: String,
    /// What it may do at most.
    pub role: Role,
    /// Whose it is; none for one of the installation.
    pub user: Option<UserId>,
    /// Who makes it.
    pub made_by: Option<UserId>,
    /// When it stops to work.
    pub expires_at: Option<Timestamp>,
    /// What it is kept to beside its role.
    pub bounds: TokenBounds,
}

/// What is known of an idempotency key.
#[derive(Clone, PartialEq, Eq)]
pub enum Once {
    /// Nothing: the request is to be carried out.
    New,
    /// The request is under way, or the server ended while it was.
    Underway,
    /// This was the answer.
    Answered {
        /// Its status.
        status: u16,
        /// Its body, JSON or empty.
        body: Vec<u8>,
    },
    /// It was used for another request.
    Mismatch,
}

impl fmt::Debug for Once {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => to.write_str("New"),
            Self::Underway => to.write_str("Underway"),
            // The body may hold a secret that is told once.
            Self::Answered { status, body: _ } => {
                let mut answered = to.debug_struct("Answered");
                answered.field("status", status).finish_non_exhaustive()
            }
            Self::Mismatch => to.write_str("Mismatch"),
        }
    }
}

/// Passwords, sessions, tokens, one-time links, settings, and answers kept for repeated requests.
pub trait Accounts: Send + Sync + 'static {
    /// Sets a person's password (argon2id) and ends their sessions. Slow on purpose.
    ///
    /// # Errors
    /// Nothing was changed.
    fn set_password(&self, user: UserId, password: &SecretString) -> Result<(), StorageError>;

    /// Whether a person has a password.
    ///
    /// # Errors
    /// The accounts cannot be read.
    fn has_password(&self, user: UserId) -> Result<bool, StorageError>;

    /// Compares a password, taking as long for a person that does not exist. Slow on purpose.
    ///
    /// # Errors
    /// The accounts cannot be read.
    fn password_matches(
        &self,
        user: Option<UserId>,
        password: &SecretString,
    ) -> Result<bool, StorageError>;

    /// Begins a session and gives the value of its cookie (at least 256 random bits, kept hashed).
    ///
    /// # Errors
    /// No session was begun.
    fn begin_session(&self, user: UserId, now: Timestamp) -> Result<String, StorageError>;

    /// Whose session this cookie is.
    ///
    /// # Errors
    /// The accounts cannot be read.
    fn session(&self, cookie: &str, now: Timestamp) -> Result<Option<UserId>, StorageError>;

    /// Ends a session.
    ///
    /// # Errors
    /// It may still be alive.
    fn end_session(&self, cookie: &str) -> Result<(), StorageError>;

    /// Forgets a removed person: password, sessions and tokens of theirs. What they made for the installation stays.
    ///
    /// # Errors
    /// Some of it may still be there.
    fn forget_user(&self, user: UserId) -> Result<(), StorageError>;

    /// Makes a token; the text is given here only.
    ///
    /// # Errors
    /// None was made.
    fn add_token(
        &self,
        token: NewToken,
        now: Timestamp,
    ) -> Result<(ApiToken, String), StorageError>;

    /// The living token of this text. Notes that it was used, at most once a minute; where that cannot be noted, it is good all the same.
    ///
    /// # Errors
    /// The accounts cannot be read.
    fn token(&self, text: &str, now: Timestamp) -> Result<Option<ApiToken>, StorageError>;

    /// All tokens, oldest first.
    ///
    /// # Errors
    /// The accounts cannot be read.
    fn tokens(&self) -> Result<Vec<ApiToken>, StorageError>;

    /// Revokes a token; whether there was one.
    ///
    /// # Errors
    /// It may still work.
    fn revoke_token(&self, id: TokenId) -> Result<bool, StorageError>;

    /// Uses up a one-time login link. The person's password, which they no longer know, is forgotten with it.
    ///
    /// # Errors
    /// The accounts cannot be read or written; the link may be used up.
    fn redeem_login(&self, token: &str, now: Timestamp) -> Result<Option<UserId>, StorageError>;

    /// Whether this is the living one-time setup token; it is used up by [`Accounts::finish_setup`].
    ///
    /// # Errors
    /// The accounts cannot be read.
    fn setup_token_matches(&self, token: &str, now: Timestamp) -> Result<bool, StorageError>;

    /// Uses up the setup token.
    ///
    /// # Errors
    /// It may still work; setup itself is refused when it was done.
    fn finish_setup(&self) -> Result<(), StorageError>;

    /// Takes an idempotency key of `scope` for a request, or says what is known of it. `request` is what a repetition must
    /// have in common with the first.
    ///
    /// # Errors
    /// The key was not taken.
    fn begin_once(
        &self,
        scope: &str,
        key: &str,
        request: &str,
        now: Timestamp,
    ) -> Result<Once, StorageError>;

    /// Keeps the answer that repetitions are given.
    ///
    /// # Errors
    /// It was not kept; the key stays taken.
    fn finish_once(
        &self,
        scope: &str,
        key: &str,
        status: u16,
        body: &[u8],
    ) -> Result<(), StorageError>;

    /// Gives a key back whose request was refused.
    ///
    /// # Errors
    /// It stays taken.
    fn abandon_once(&self, scope: &str, key: &str) -> Result<(), StorageError>;

    /// A setting, as JSON text.
    ///
    /// # Errors
    /// The settings cannot be read.
    fn setting(&self, name: &str) -> Result<Option<String>, StorageError>;

    /// Changes a setting.
    ///
    /// # Errors
    /// It was not changed.
    fn set_setting(&self, name: &str, value: &str) -> Result<(), StorageError>;
}

/// One series of an answer: labels, and points of milliseconds and value.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its labels.
    pub labels: Labels,
    /// Its points, in order.
    pub points: Vec<(i64, f64)>,
}

/// What a query gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// One value.
    Scalar(i64, f64),
    /// A text.
    Text(i64, String),
    /// One point for each series.
    Vector(Vec<Series>),
    /// Several points for each series.
    Matrix(Vec<Series>),
}

/// Why a query gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The query itself is wrong.
    #[error("{0}")]
    Wrong(String),
    /// It asks for more than is allowed.
    #[error("{0}")]
    TooMuch(String),
    /// The store cannot answer.
    #[error("{0}")]
    Failed(String),
}

/// Which lines of logs are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogKind {
    /// Of access logs.
    Access,
    /// Of error logs.
    Error,
}

/// The store of metrics, facts and logs.
pub trait Telemetry: Send + Sync + 'static {
    /// Asks at one instant.
    ///
    /// # Errors
    /// As [`QueryError`] says.
    fn query(&self, expr: &str, at: Timestamp) -> Result<Answer, QueryError>;

    /// Asks at every `step_ms` from `start` to `end`.
    ///
    /// # Errors
    /// As [`QueryError`] says.
    fn query_range(
        &self,
        expr: &str,
        start: Timestamp,
        end: Timestamp,
        step_ms: u64,
    ) -> Result<Answer, QueryError>;

    /// What was seen of a target in a half-open span, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    fn facts(
        &self,
        target: TargetId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Fact>, StorageError>;

    /// The requests that a target's access log tells of in a half-open span.
    ///
    /// # Errors
    /// The store cannot be read.
    fn requests(
        &self,
        target: TargetId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<RequestLog, StorageError>;

    /// Lines of a target's logs in a half-open span, oldest first, without those of own probes; of more than `limit` the
    /// newest.
    ///
    /// # Errors
    /// The store cannot be read.
    fn logs(
        &self,
        target: TargetId,
        kind: LogKind,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<LogRecord>, StorageError>;

    /// Numbers about the store itself for `/metrics`: name, help, value.
    fn numbers(&self) -> Vec<(&'static str, &'static str, f64)>;

    /// The last error of writing, if the store cannot write now.
    fn trouble(&self) -> Option<String>;

    /// Which limit made the store refuse samples since it was opened, in words; nothing when none did.
    fn refusals(&self) -> Option<String> {
        None
    }
}

/// A frozen bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
    /// Their SHA-256, in hex, as journalled.
    pub sha256: String,
}

/// The evidence of incidents.
pub trait Evidences: Send + Sync + 'static {
    /// The frozen bundle; `None` while nothing is frozen.
    ///
    /// # Errors
    /// The bundle cannot be read, or its bytes are not those that were journalled.
    fn frozen(&self, incident: IncidentId) -> Result<Option<Bundle>, StorageError>;

    /// What would be frozen now; `None` when there is no such incident.
    ///
    /// # Errors
    /// The stores cannot be read.
    fn draft(&self, incident: IncidentId) -> Result<Option<Evidence>, StorageError>;
}

/// What keeps the watch from seeing all there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hindrance {
    /// The target or process it is about.
    pub about: String,
    /// What happens.
    pub what: String,
    /// What to do.
    pub fix: String,
}

/// How the watch over this machine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watching {
    /// The configuration switches it off.
    Off,
    /// It begins once Tocsin is set up, or is about to.
    NotYet,
    /// It could not be started.
    NotRunning(String),
    /// It runs; what hinders it.
    Running(Vec<Hindrance>),
}

/// Tells how the watch over this machine is.
pub trait Watch: Send + Sync + 'static {
    /// As it is now.
    fn watching(&self) -> Watching;
}

/// How the journal itself is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalHealth {
    /// Why the last commit failed; none when it was kept.
    pub trouble: Option<String>,
}

/// Tells how durable things are.
pub trait Health: Send + Sync + 'static {
    /// The journal's state after its last commit.
    fn journal(&self) -> JournalHealth;
}

/// Metrics as clients of Prometheus' protocols see them. Calls block: they are made from threads that may wait.
pub trait Metrics: Send + Sync + 'static {
    /// Stores what a client sent, durably, and tells the monitors. `source` names who sent it.
    ///
    /// # Errors
    /// It is not on disk.
    fn write(&self, write: &Write<'_>, source: &str) -> Result<Written, StorageError>;

    /// Where queries are evaluated.
    fn source(&self) -> &dyn tocsin_promql::Source;

    /// The labels of the series, sorted, `limit` at most; whether there were more.
    ///
    /// # Errors
    /// The data cannot be read.
    fn series(
        &self,
        ask: &Ask<'_>,
        limit: usize,
    ) -> Result<(Vec<tocsin_promql::Labels>, bool), StorageError>;

    /// The names of the labels of these series, sorted.
    ///
    /// # Errors
    /// The data cannot be read.
    fn label_names(&self, ask: &Ask<'_>) -> Result<Vec<String>, StorageError>;

    /// The values that a label has in these series, sorted.
    ///
    /// # Errors
    /// The data cannot be read.
    fn label_values(&self, name: &str, ask: &Ask<'_>) -> Result<Vec<String>, StorageError>;

    /// What is known of one metric, or of all, sorted by name.
    fn metadata(&self, metric: Option<&str>) -> Vec<(String, MetricMetadata)>;

    /// The exemplars of these series in the span, by series, in the order of time.
    fn exemplars(&self, ask: &Ask<'_>) -> Vec<(tocsin_promql::Labels, Vec<StoredExemplar>)>;

    /// How many of what there are; `top` entries in each list.
    fn cardinality(&self, top: usize) -> Cardinality;
}
