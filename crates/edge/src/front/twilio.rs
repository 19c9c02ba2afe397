//! What a provider that speaks Twilio's API tells: which key was pressed in a call, what was replied to a text, what became of a
//! message. Each request is taken only with the provider's signature.

mod meant;
mod signed;
mod standing;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::extract::{OriginalUri, Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use tocsin_domain::command::Ask;
use tocsin_domain::event::Actor;
use tocsin_domain::id::{IncidentId, NotificationId, UserId};
use tocsin_domain::incident::{Incident, Status};
use tocsin_domain::people::{ChannelKind, Role};
use tocsin_domain::state::State as Known;
use tocsin_wire::page_message::one_line;
use tocsin_wire::twilio::{Verb, fate, is_id, reply, twiml};
use tokio::sync::OnceCell;

use crate::answers;
use crate::app::App;
use crate::delivery::place::Place;
use crate::http::answer::{acknowledge, resolve};
use crate::links::{Bound, Use};
use crate::lock::lock;
use crate::ports::Once;
use meant::{Meant, meant};
use signed::{checked, genuine};
use standing::standing;

/// Replies of which is remembered what was answered: more than come while a provider still repeats one.
const REPLIES_MAX: usize = 1_000;

/// Characters of a title in the answer to a text.
const TITLE_CHARS_MAX: usize = 100;

/// The field of an address that says up to which position of the journal was told.
const SEEN: &str = "seen";
/// What answers to replies are kept under.
const REPLIES: &str = "replies to texts";
/// What is said to whoever wants to resolve several incidents by one key.
const ONE_BY_ONE: &str =
    "This call is about several incidents: resolve them one by one in Tocsin. ";
/// What is said when the first of two replies ended without an answer.
const NOT_KNOWN: &str = "It is not known what became of your reply: look in Tocsin.";

/// The fields of a form, as they came.
type Fields = Vec<(String, String)>;
/// The words that answer a reply, once they are known.
type Words = Arc<OnceCell<String>>;

/// What is being answered to the latest replies, by the provider's id of each: a provider that did not hear the answer in time sends
/// a reply again, and without a number it would then be about another incident.
#[derive(Default)]
pub(crate) struct Replies(Mutex<VecDeque<(String, Words)>>);

impl Replies {
    /// Where the answer to this reply is, or will be.
    fn of(&self, id: &str) -> Words {
        let mut known = lock(&self.0);
        if let Some((_, words)) = known.iter().find(|(one, _)| one == id) {
            return Arc::clone(words);
        }
        if known.len() >= REPLIES_MAX {
            known.pop_front();
        }
        let words = Words::default();
        known.push_back((id.to_owned(), Arc::clone(&words)));
        words
    }
}

/// Take the key that was pressed in a call
#[utoipa::path(post, path = "/twilio/voice/{token}", tag = "callbacks", params(("token" = String, Path)),
    responses((status = 200, description = "TwiML"), (status = 401), (status = 408), (status = 413), (status = 404)))]
pub(crate) async fn voice(
    State(app): State<App>,
    Path(token): Path<String>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Response {
    let known = checked(&app, &token, |_, place| Use::Voice(place)).await;
    let (url, fields) = match genuine(&app, &uri, request, &known).await {
        Ok(genuine) => genuine,
        Err(status) => return status.into_response(),
    };
    let bound = match known {
        Ok((bound, _, _)) => bound,
        Err(status) => return status.into_response(),
    };
    let key = field(&fields, "Digits").unwrap_or_default();
    let done = match Verb::of_key(key) {
        Some(verb) => pressed(&app, &bound, verb, seen_in(uri.query())).await,
        None if key.trim().is_empty() => Err(""),
        None => Err("This key means nothing. "),
    };
    xml(&match done {
        Ok(said) => twiml::farewell(&said),
        Err(why) => asked_again(&app, &bound, why, &url),
    })
}

/// What is said to whoever pressed a key that does nothing, after why that is so: how it stands by now, and the keys again where one is
/// wanted.
fn asked_again(app: &App, bound: &Bound, why: &str, url: &str) -> String {
    let (public_url, now) = (&app.settings.public_url, app.now());
    let (stands, about, position) = app.read(|state| {
        let stands = standing(state, bound, public_url, now);
        let about = answers::about(state, bound.notification, 0);
        (stands, about, state.position)
    });
    let words = format!("{why}{}", stands.words);
    if !stands.asks {
        return twiml::farewell(&words);
    }
    let are_several = about.present.len() + about.returned.len() > 1;
    let address = url.split_once('?').map_or(url, |(address, _)| address);
    if about.returned.is_empty() {
        return twiml::question(&words, address, are_several);
    }
    // Of what came back since they were called they hear now, and a key is about that.
    let address = format!("{address}?{SEEN}={position}");
    twiml::question(&words, &address, are_several)
}

/// Up to which position of the journal whoever presses a key has heard; 0 when that is not known.
fn seen_in(query: Option<&str>) -> u64 {
    let mut fields = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let found = fields.find(|(name, _)| name == SEEN);
    found.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
}

/// What has come of a key, or why it does nothing and it is asked again.
async fn pressed(app: &App, bound: &Bound, verb: Verb, seen: u64) -> Result<String, &'static str> {
    let about = app.read(|state| answers::about(state, bound.notification, seen));
    let person = (bound.user, bound.channel);
    Ok(match (verb, about.present.as_slice()) {
        (_, []) if about.is_of_before() => answers::CAME_BACK.to_owned(),
        (_, []) => "This call is about no incident.".to_owned(),
        (_, [incident]) if about.returned.is_empty() => {
            carry_out(app, person, *incident, verb, by_number).await
        }
        (Verb::Acknowledge, several) => match acknowledge(app, person, several).await {
            Ok(words) => about.with_returned(words),
            Err(problem) => format!("Nothing was done: {}.", problem.detail()),
        },
        (Verb::Resolve, _) => return Err(ONE_BY_ONE),
    })
}

/// An incident as whoever gave its number, or was told it, knows it.
fn by_number(incident: &Incident) -> String {
    incident.number.to_string()
}

/// An incident for whoever gave no number: `12 (web is down)`, without a letter that would make a text twice as long.
fn by_title(incident: &Incident) -> String {
    let title = incident.title.replace('…', "...");
    let title = one_line(&title, TITLE_CHARS_MAX).replace('…', "...");
    format!("{} ({title})", incident.number)
}

/// Does what somebody asked for, and says what became of it. Asked for again, it changes nothing.
async fn carry_out(
    app: &App,
    (user, channel): (UserId, ChannelKind),
    incident: IncidentId,
    verb: Verb,
    name: fn(&Incident) -> String,
) -> String {
    let known = app.read(|state| {
        let name = name(state.incidents.get(&incident)?);
        Some((name, state.users.get(&user)?.role))
    });
    let Some((name, role)) = known else {
        return "There is no such incident.".to_owned();
    };
    let person = (user, channel);
    let done = match verb {
        Verb::Acknowledge => acknowledge(app, person, &[incident]).await.map(|words| {
            let known = app.read(|state| {
                let known = state.incidents.get(&incident)?;
                Some((known.status, answers::is_theirs(known, user)))
            });
            match known {
                Some((_, true)) => format!("Incident {name} is acknowledged."),
                Some((Status::Triggered, false)) => {
                    format!("Your part in incident {name} is done; others must acknowledge it too.")
                }
                Some((Status::Acknowledged | Status::Resolved, false)) | None => {
                    format!("Incident {name}: {words}")
                }
            }
        }),
        Verb::Resolve if role >= Role::Responder => {
            let done = resolve(app, person, incident).await;
            done.map(|()| format!("Incident {name} is resolved."))
        }
        Verb::Resolve => return "You may not resolve incidents.".to_owned(),
    };
    done.unwrap_or_else(|problem| format!("Nothing was done: {}.", problem.detail()))
}

/// Take the reply to a text
#[utoipa::path(post, path = "/twilio/sms", tag = "callbacks",
    responses((status = 200, description = "TwiML"), (status = 401), (status = 408), (status = 413)))]
pub(crate) async fn sms(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Response {
    // It comes to a number, and says in no way that is worth anything which account that belongs to.
    let fields = match genuine(&app, &uri, request, &Err(StatusCode::NOT_FOUND)).await {
        Ok((_, fields)) => fields,
        Err(status) => return status.into_response(),
    };
    let from = field(&fields, "From").unwrap_or_default();
    let people = match people_with(&app, from.to_owned()).await {
        Ok(people) => people,
        Err(status) => return status.into_response(),
    };
    if people.is_empty() {
        // A stranger learns nothing, not even that this is Tocsin.
        return xml("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>");
    }
    let text = field(&fields, "Body").unwrap_or_default();
    let said = match field(&fields, "MessageSid").filter(|id| is_id(id)) {
        Some(id) => answer_once(&app, id, people, text.to_owned()).await,
        // A provider that gives no ids: what it repeats cannot be told from what is new.
        None => answer(&app, &people, text).await,
    };
    xml(&twiml::text_answer(&said))
}

/// Does what a reply asks for, or says again what was answered to it. What comes again meanwhile waits for the first.
async fn answer_once(app: &App, id: &str, people: Vec<UserId>, text: String) -> String {
    let words = app.inner().replies.of(id);
    let (app, id) = (app.clone(), id.to_owned());
    // On a task of its own: a provider that hangs up would else end it half done, and its repeat would do it anew.
    let answered = tokio::spawn(async move {
        let answered = words.get_or_init(|| answer_and_keep(&app, id, &people, &text));
        answered.await.clone()
    });
    answered.await.unwrap_or_else(|_| NOT_KNOWN.to_owned())
}

/// As [`answer`], but what was answered is kept too, for a repeat that comes after the next start.
async fn answer_and_keep(app: &App, id: String, people: &[UserId], text: &str) -> String {
    let (key, now) = (id.clone(), app.now());
    let known = app.blocking(move |parts| parts.accounts.begin_once(REPLIES, &key, "", now));
    let is_vague = reply(text).is_some_and(|reply| reply.number.is_none());
    match known.await {
        Ok(Once::Answered { body, .. }) => return String::from_utf8_lossy(&body).into_owned(),
        // Tocsin ended while it did it. Done again, it might be about another incident.
        Ok(Once::Underway | Once::Mismatch) if is_vague => return NOT_KNOWN.to_owned(),
        // What cannot be kept, since the disk is full, is done all the same.
        Ok(Once::New | Once::Underway | Once::Mismatch) | Err(_) => {}
    }
    let said = answer(app, people, text).await;
    let body = said.clone().into_bytes();
    let kept = app.blocking(move |parts| parts.accounts.finish_once(REPLIES, &id, 200, &body));
    if let Err(problem) = kept.await {
        tracing::warn!(
            why = problem.detail(),
            "what was answered to a text is not kept"
        );
    }
    said
}

async fn answer(app: &App, people: &[UserId], text: &str) -> String {
    let Some(reply) = reply(text) else {
        return "Not understood. Reply \"ack 12\" or \"resolve 12\", with the incident's number."
            .to_owned();
    };
    match app.read(|state| meant(state, people, reply)) {
        Meant::Nothing => "There is no such open incident.".to_owned(),
        Meant::One(user, incident) => {
            let person = (user, ChannelKind::Sms);
            let name: fn(&Incident) -> String = if reply.number.is_some() {
                by_number
            } else {
                by_title
            };
            carry_out(app, person, incident, reply.verb, name).await
        }
        Meant::CameBack(number) => format!(
            "Nothing was done: incident {number} was over and came back since you were told of it. Open it in Tocsin."
        ),
        Meant::Several(numbers) => {
            let all: Vec<String> = numbers.iter().map(u64::to_string).collect();
            format!(
                "Nothing was done: which one? Open are {}. Reply \"resolve {}\", or another number.",
                all.join(", "),
                all.first().map_or("12", String::as_str)
            )
        }
    }
}

/// Whose verified number this is. All of them are compared: addresses are in the vault alone.
async fn people_with(app: &App, number: String) -> Result<Vec<UserId>, StatusCode> {
    let methods: Vec<_> = app.read(|state| {
        let all = state.users.values().flat_map(|user| {
            let methods = user.contact_methods.iter();
            methods.map(move |method| (user.id, method))
        });
        all.filter(|(_, method)| method.verified_at.is_some())
            .filter(|(_, method)| matches!(method.kind, ChannelKind::Sms | ChannelKind::Voice))
            .map(|(user, method)| (user, method.address))
            .collect()
    });
    let found = app.blocking(move |parts| {
        let mut people = Vec::new();
        for (user, row) in methods {
            let address = parts.vault.get(row)?;
            let same = address.is_some_and(|address| address.expose_secret() == number);
            if same && !people.contains(&user) {
                people.push(user);
            }
        }
        Ok(people)
    });
    found.await.map_err(|problem| problem.status())
}

/// Take word of what became of a text or a call
#[utoipa::path(post, path = "/twilio/status/{token}", tag = "callbacks", params(("token" = String, Path)),
    responses((status = 204), (status = 401), (status = 404), (status = 408), (status = 413)))]
pub(crate) async fn status(
    State(app): State<App>,
    Path(token): Path<String>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> StatusCode {
    let known = checked(&app, &token, Use::Status).await;
    let fields = match genuine(&app, &uri, request, &known).await {
        Ok((_, fields)) => fields,
        Err(status) => return status,
    };
    let (bound, number, place) = match known {
        Ok((bound, Use::Status(number, _), place)) => (bound, number, place),
        Ok((_, Use::Answer | Use::Voice(_), _)) => return StatusCode::NOT_FOUND,
        Err(status) => return status,
    };
    if app.read(|state| went_by_another(state, bound.notification, number, place)) {
        return StatusCode::NO_CONTENT;
    }
    let names = ["MessageStatus", "SmsStatus", "CallStatus"];
    let word = names.into_iter().find_map(|name| field(&fields, name));
    let code = field(&fields, "ErrorCode");
    let news = word.and_then(|word| fate(word, code, ""));
    let Some((fate, detail)) = news else {
        return StatusCode::NO_CONTENT;
    };
    let ask = Ask::ReceiptCame {
        notification: bound.notification,
        number,
        fate,
        detail,
    };
    match app.ask(&Actor::System, ask).await {
        Ok(_) => StatusCode::NO_CONTENT,
        Err(problem) => problem.status(),
    }
}

/// Whether an attempt is known to have gone by another account in the end: what this one says is no news of it.
fn went_by_another(state: &Known, id: NotificationId, number: u32, place: Place) -> bool {
    let message = state.notifications.get(&id);
    let mut attempts = message.into_iter().flat_map(|message| &message.attempts);
    let attempt = attempts.find(|attempt| attempt.number == number);
    let via = attempt.and_then(|attempt| attempt.via.as_ref());
    via.is_some_and(|via| via.place != place.number())
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = fields.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str())
}

fn xml(text: &str) -> Response {
    let mut response = text.to_owned().into_response();
    let kind = HeaderValue::from_static("application/xml; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_replies_are_remembered_and_no_more_than_that() {
        let replies = Replies::default();
        let first = replies.of("SM0");
        assert!(Arc::ptr_eq(&first, &replies.of("SM0")));
        for n in 1..REPLIES_MAX {
            assert!(!Arc::ptr_eq(&first, &replies.of(&format!("SM{n}"))));
        }
        assert!(Arc::ptr_eq(&first, &replies.of("SM0")), "still known");
        let _one_too_many = replies.of("SMx");
        assert_eq!(replies.0.lock().unwrap().len(), REPLIES_MAX);
        assert!(!Arc::ptr_eq(&first, &replies.of("SM0")), "forgotten");
    }
}
