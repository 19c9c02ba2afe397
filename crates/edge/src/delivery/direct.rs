//! Pages people without the engine: the auditor's own way out, with threads and connections of its own. It tries once and
//! keeps nothing.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use tocsin_domain::id::SecretId;
use tocsin_domain::page::Outcome;
use tocsin_domain::people::{ChannelKind, Role, SetUp, User};
use tocsin_domain::state::State;
use tocsin_wire::page_message::PageMessage;

use super::exchange::Exchange;
use super::message::Letter;
use super::place::Place;
use super::receipts::Followed;
use super::report::Report;
use super::rests::Rests;
use super::set_up::{told_by_address, what_is_set_up};
use super::unknown::Unknown;
use super::{ATTEMPT_WAIT, Courier, Needs, StartError, walk};

/// Messages of one call at most: an installation with more administrators has reached enough of them.
const MESSAGES_MAX: usize = 64;

/// A way to reach somebody, as it was when the state could last be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Whom.
    pub name: String,
    /// By which channel.
    pub channel: ChannelKind,
    address: SecretId,
    signing_key: Option<SecretId>,
}

impl Way {
    /// What tells it from others: no two share a row.
    pub(crate) const fn id(&self) -> SecretId {
        self.address
    }
}

/// Every proved way to every administrator, by what is set up where that is known; to everybody when no administrator can be
/// reached.
#[must_use]
pub fn ways_to_administrators(state: &State, set_up: Option<&SetUp>) -> Vec<Way> {
    ways_or_all(state, set_up, |user| administers(user.role))
}

/// The same, and every proved way to the list of last resort: for an incident for which the engine pages nobody any more.
#[must_use]
pub fn ways_to_last_resort(state: &State, set_up: Option<&SetUp>) -> Vec<Way> {
    let fallback = state.installation.as_ref();
    let fallback = fallback.map_or(&[][..], |installation| &installation.fallback);
    ways_or_all(state, set_up, |user| {
        administers(user.role) || fallback.contains(&user.id)
    })
}

const fn administers(role: Role) -> bool {
    match role {
        Role::Admin => true,
        Role::Viewer | Role::Responder => false,
    }
}

fn ways_or_all(state: &State, set_up: Option<&SetUp>, wanted: impl Fn(&User) -> bool) -> Vec<Way> {
    let wanted = ways(state, set_up, wanted);
    if wanted.is_empty() {
        ways(state, set_up, |_| true)
    } else {
        wanted
    }
}

fn ways(state: &State, set_up: Option<&SetUp>, wanted: impl Fn(&User) -> bool) -> Vec<Way> {
    let users = state.users.values().filter(|user| wanted(user));
    let ways = users.flat_map(|user| {
        let proved = user
            .verified_methods()
            .filter(|method| set_up.is_none_or(|set_up| set_up.carries(method)));
        proved.map(|method| Way {
            name: user.name.clone(),
            channel: method.kind,
            address: method.address,
            signing_key: method.signing_key,
        })
    });
    ways.take(MESSAGES_MAX).collect()
}

/// What became of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// To whom.
    pub name: String,
    /// By which channel.
    pub channel: ChannelKind,
    /// How it went.
    pub outcome: Outcome,
    /// The provider's words, or what went wrong.
    pub detail: String,
}

/// Sends without the engine.
pub struct Direct {
    runtime: Option<tokio::runtime::Runtime>,
    courier: Arc<Courier>,
}

impl Direct {
    /// Makes ready; nothing is sent yet.
    ///
    /// # Errors
    /// As [`StartError`] says.
    pub fn start(needs: Needs) -> Result<Self, StartError> {
        crate::tls::install_provider();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("auditor-mail")
            .enable_all()
            .build()?;
        let pace = Arc::clone(&needs.pace);
        let exchange = Exchange::new(needs.egress.clone(), pace)?;
        let anew = exchange.anew()?;
        Ok(Self {
            runtime: Some(runtime),
            courier: Arc::new(Courier {
                needs,
                exchange,
                anew,
                link_key: Arc::default(),
                recent: super::Recent::default(),
                followed: Followed::default(),
                rests: Rests::default(),
                unknown: Unknown::default(),
                sink: None,
                attempt_wait: ATTEMPT_WAIT,
            }),
        })
    }

    /// Looks by itself what is set up; what it finds, or that the settings cannot be read, comes when it comes.
    #[must_use]
    pub fn look_what_is_set_up(&self) -> Receiver<Option<SetUp>> {
        let (sender, receiver) = sync_channel(1);
        let courier = Arc::clone(&self.courier);
        if let Some(runtime) = &self.runtime {
            runtime.spawn_blocking(move || {
                let needs = &courier.needs;
                let (accounts, vault) = (needs.accounts.as_ref(), needs.vault.as_ref());
                let found = what_is_set_up(accounts, vault, || needs.engine.read(told_by_address));
                // Whoever looked may have gone.
                let _ = sender.send(found.ok());
            });
        }
        receiver
    }

    /// Does `work` beside all that is sent.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(work);
        }
    }

    /// Sends each message once by its way, all at the same time, and waits for what becomes of them. What is beyond the limit of one
    /// call is left out at the end.
    pub fn send(&self, letters: &[(&Way, PageMessage)]) -> Vec<Sent> {
        let Some(runtime) = &self.runtime else {
            return Vec::new();
        };
        let attempts: Vec<_> = letters
            .iter()
            .take(MESSAGES_MAX)
            .map(|(way, message)| {
                let courier = Arc::clone(&self.courier);
                let letter = Letter {
                    message: message.clone(),
                    // It is none of the core's messages, so there is nothing that a link could answer.
                    bound: None,
                    number: 1,
                    channel: way.channel,
                    address: way.address,
                    signing_key: way.signing_key,
                    pending_code: None,
                    aside: Vec::new(),
                    // No core makes another attempt.
                    may_wait: false,
                    canary: None,
                };
                (way, runtime.spawn(try_out(courier, letter)))
            })
            .collect();
        let sent = attempts
            .into_iter()
            .map(|(way, attempt)| {
                let (outcome, detail) = match runtime.block_on(attempt) {
                    Ok(Some(report)) => (report.outcome, report.detail),
                    Ok(None) | Err(_) => (Outcome::Failed, "a fault of Tocsin itself".to_owned()),
                };
                Sent {
                    name: way.name.clone(),
                    channel: way.channel,
                    outcome,
                    detail,
                }
            })
            .collect();
        // The next call may come in months.
        self.courier.recent.forget_all();
        sent
    }
}

/// Tries once. No core makes another attempt, so an account that is left is tried here.
async fn try_out(courier: Arc<Courier>, mut letter: Letter) -> Option<Report> {
    loop {
        let time = (Duration::ZERO, courier.attempt_wait);
        // Nobody else is sent to past the engine.
        let tried = courier.within_deadline(letter.clone(), time, |_| true, || None);
        let report = tried.await?;
        let via = report.via.as_deref().filter(|via| via.elsewhere);
        let tried: Vec<Place> = via.into_iter().flat_map(walk::tried).collect();
        if tried.is_empty() {
            return Some(report);
        }
        letter.aside.extend(tried);
        letter.number += 1;
    }
}

impl Drop for Direct {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // What is under way may end with the process: nobody waits for it any more.
            runtime.shutdown_background();
        }
    }
}
