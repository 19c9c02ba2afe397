//! What becomes of a mail that came in: an alert of each integration that it was sent to, on disk before it is said to be taken.

use axum::http::StatusCode;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tocsin_domain::alert::Sender;
use tocsin_domain::command::Ask;
use tocsin_domain::event::Actor;
use tocsin_domain::service::{Integration, IntegrationKind};
use tocsin_wire::inbound_mail::Mail;
use tocsin_wire::mapping::presets;
use tocsin_wire::smtp::{Delivered, Incoming};

use crate::access::cookie::hex;
use crate::app::App;
use crate::front::{integration, webhook};
use crate::http::problem::Problem;

/// The detail of an alert by which answers to its mail find it.
const MESSAGE_ID: &str = "Message-ID";
/// Characters of the id of a mail that make a key, at most.
const KEY_ID_CHARS_MAX: usize = 200;
/// How the names of headers begin that are added on the way, so that they may be others when a mail is sent again.
const ADDED_ON_THE_WAY: [&str; 7] = [
    "received",
    "return-path",
    "delivered-to",
    "dkim-signature",
    "authentication-results",
    "arc-",
    "x-received",
];

/// The integration of an address. Programs on the way may change the case of letters, so that it counts for nothing.
pub(super) fn integration_of(app: &App, local: &str) -> Option<Integration> {
    let known = integration::of_key(app, &local.to_ascii_lowercase())?;
    matches!(known.kind, IntegrationKind::Email { .. }).then_some(known)
}

/// Raises or ends the alerts of a mail. One of several recipients that is to be tried later has the whole mail sent again: what
/// is said twice is one alert. Of several alerts, those that can be taken are.
pub(super) async fn deliver(app: &App, incoming: &Incoming) -> Delivered {
    let mail = Mail::read(&incoming.bytes);
    if mail.is_own || mail.is_automatic_reply {
        tracing::info!(
            "a mail that a program answered, or that Tocsin sent itself, raised no alert"
        );
        return Delivered::Refused;
    }
    let (mut is_kept, mut is_refused, mut comes_later) = (false, false, false);
    for local in &incoming.recipients {
        match one(app, local, &mail).await {
            Ok(is_whole) => {
                is_kept = true;
                is_refused |= !is_whole;
            }
            Err(problem) if is_passing(&problem) => comes_later = true,
            Err(problem) => {
                is_refused = true;
                tracing::warn!(why = problem.detail(), "a mail raised no alert");
            }
        }
    }
    match (comes_later, is_kept, is_refused) {
        (true, _, _) => Delivered::Later,
        (false, true, false) => Delivered::Kept,
        (false, true, true) => Delivered::KeptInPart,
        (false, false, _) => Delivered::Refused,
    }
}

fn is_passing(problem: &Problem) -> bool {
    let status = problem.status();
    integration::will_pass(problem)
        || status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
}

/// Raises or ends the alerts of a mail to one address. Whether all of them could be; an error when none was.
async fn one(app: &App, local: &str, mail: &Mail) -> Result<bool, Problem> {
    let gone = || Problem::bad("the address was removed meanwhile");
    let integration = integration_of(app, local).ok_or_else(gone)?;
    integration::take_turn(app, &integration)
        .map_err(|seconds| Problem::too_many("this address gets too many mails", seconds))?;
    let id = id_of(mail);
    let mut mail = mail.clone();
    if let Some(key) = key_of_thread(app, &integration, &mail.thread) {
        mail.key = key;
    } else if mail.key.is_empty() {
        mail.key = mail.message_id.clone().unwrap_or_default();
    }
    let own;
    let mapping = match integration.kind.mapping() {
        Some(text) => {
            own = webhook::stored(text)?;
            &own
        }
        None => presets::email()
            .ok_or_else(|| Problem::internal("the mapping of mails cannot be read"))?,
    };
    let outcome = mapping
        .apply(&mail.json())
        .map_err(|failure| webhook::failed(&failure))?;
    let (mut asks, mut refused) = (Vec::new(), Vec::new());
    for (place, mut alert) in outcome.alerts.into_iter().enumerate() {
        let told = mail.message_id.iter();
        alert
            .details
            .extend(told.map(|id| (MESSAGE_ID.to_owned(), id.clone())));
        // What fails without a key has the same when the mail is sent again.
        match integration::ask_of(&integration, alert, || Ok(format!("{id} {place}"))) {
            Ok((_, ask)) => asks.push(Ask::Alert(ask)),
            // It cannot be said which one it is; the others are no worse for that.
            Err(problem) if problem.status() == StatusCode::BAD_REQUEST => refused.push(problem),
            Err(problem) => return Err(problem),
        }
    }
    let actor = Actor::Integration {
        integration: integration.id,
    };
    let mut is_any_kept = false;
    for outcome in app.ask_all(&actor, asks).await? {
        match outcome.map_err(Problem::from) {
            Ok(_) => is_any_kept = true,
            // The whole mail is sent again: what was kept of it is the same alert then.
            Err(problem) if is_passing(&problem) => return Err(problem),
            Err(problem) => refused.push(problem),
        }
    }
    if !is_any_kept && let Some(problem) = refused.pop() {
        return Err(problem);
    }
    for problem in &refused {
        tracing::warn!(why = problem.detail(), "an alert of a mail was refused");
    }
    Ok(refused.is_empty())
}

/// What a mail is known by when it is sent again: its own id, or a digest of what it says.
fn id_of(mail: &Mail) -> String {
    if let Some(id) = &mail.message_id {
        return id.chars().take(KEY_ID_CHARS_MAX).collect();
    }
    let mut said = mail.json();
    if let Some(headers) = said.get_mut("headers").and_then(Value::as_object_mut) {
        headers.retain(|name, _| !ADDED_ON_THE_WAY.iter().any(|one| name.starts_with(one)));
    }
    hex(&Sha256::digest(said.to_string().as_bytes()))
}

/// The key of the alert that fails, by this integration, whose mail is answered.
fn key_of_thread(app: &App, integration: &Integration, thread: &[String]) -> Option<String> {
    if thread.is_empty() {
        return None;
    }
    let sender = Sender::Integration(integration.id);
    app.read(|state| {
        let firing = state.firing.values().filter_map(|id| state.alerts.get(id));
        let own = firing.filter(|alert| alert.source.sender() == sender);
        let mut answered = own.filter_map(|alert| {
            let mut ids = alert.details.iter().filter(|(name, _)| name == MESSAGE_ID);
            ids.any(|(_, id)| thread.contains(id))
                .then(|| alert.dedup_key.clone())
        });
        answered.next()
    })
}
