//! What a provider that speaks Twilio's API asks and tells: what to say in a call, which key was pressed, what was replied to a
//! text, what became of a message. Each request is taken only with the provider's signature.

use axum::extract::{OriginalUri, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use tocsin_domain::command::Ask;
use tocsin_domain::event::Actor;
use tocsin_domain::id::{IncidentId, UserId};
use tocsin_domain::page::Purpose;
use tocsin_domain::people::{ChannelKind, Role};
use tocsin_domain::state::State as Known;
use tocsin_wire::twilio::{Reply, Verb, fate, reply, signature, twiml};

use crate::access::base64;
use crate::answers;
use crate::app::App;
use crate::delivery::account::{self, Provider};
use crate::delivery::spoken;
use crate::http::answer::{acknowledge, incident_numbered, is_taken, resolve};
use crate::http::body;
use crate::links::{Bound, Use};

/// Bytes of a form at most.
const FORM_BYTES_MAX: usize = 64 * 1_024;
/// Bytes of a signature at most.
const SIGNATURE_BYTES_MAX: usize = 64;

/// The fields of a form, as they came.
type Fields = Vec<(String, String)>;

/// Say what fails in a call, and take the key that was pressed
#[utoipa::path(post, path = "/twilio/voice/{token}", tag = "callbacks", params(("token" = String, Path)),
    responses((status = 200, description = "TwiML"), (status = 401), (status = 404)))]
pub(crate) async fn voice(
    State(app): State<App>,
    Path(token): Path<String>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Response {
    let (url, fields) = match genuine(&app, &uri, request).await {
        Ok(genuine) => genuine,
        Err(status) => return status.into_response(),
    };
    let bound = match checked(&app, &token, |_| Use::Voice).await {
        Ok((bound, _)) => bound,
        Err(status) => return status.into_response(),
    };
    match field(&fields, "Digits") {
        Some(key) => xml(&twiml::farewell(&pressed(&app, &bound, key).await)),
        None => {
            let public_url = &app.settings.public_url;
            let page = app.read(|state| spoken(state, bound.notification, public_url));
            xml(&match page {
                Some(page) => twiml::announcement(&page, Some(&url)),
                None => twiml::farewell("This is Tocsin. Somebody took it meanwhile. Good bye."),
            })
        }
    }
}

async fn pressed(app: &App, bound: &Bound, key: &str) -> String {
    let Some(verb) = Verb::of_key(key) else {
        return "This key means nothing. The page goes on.".to_owned();
    };
    let about = app.read(|state| answers::open_subjects(state, bound.notification));
    let person = (bound.user, bound.channel);
    match (verb, about.as_slice()) {
        (_, []) => "This call is about no incident.".to_owned(),
        (_, [incident]) => carry_out(app, person, *incident, verb).await,
        (Verb::Acknowledge, several) => match acknowledge(app, person, several).await {
            Ok(words) => words.to_owned(),
            Err(problem) => format!("Nothing was done: {}.", problem.detail()),
        },
        (Verb::Resolve, _) => {
            "This call is about several incidents: resolve them one by one in Tocsin.".to_owned()
        }
    }
}

/// Does what somebody asked for, and says what became of it. Asked for again, it changes nothing.
async fn carry_out(
    app: &App,
    (user, channel): (UserId, ChannelKind),
    incident: IncidentId,
    verb: Verb,
) -> String {
    let known = app.read(|state| {
        let number = state.incidents.get(&incident)?.number;
        Some((number, state.users.get(&user)?.role))
    });
    let Some((number, role)) = known else {
        return "There is no such incident.".to_owned();
    };
    let person = (user, channel);
    let done = match verb {
        Verb::Acknowledge => acknowledge(app, person, &[incident]).await.map(|_| {
            let is_taken = app.read(|state| is_taken(state, incident));
            if is_taken {
                format!("Incident {number} is acknowledged.")
            } else {
                format!("Your part in incident {number} is done; others must acknowledge it too.")
            }
        }),
        Verb::Resolve if role >= Role::Responder => {
            let done = resolve(app, person, incident).await;
            done.map(|()| format!("Incident {number} is resolved."))
        }
        Verb::Resolve => return "You may not resolve incidents.".to_owned(),
    };
    done.unwrap_or_else(|problem| format!("Nothing was done: {}.", problem.detail()))
}

/// Take the reply to a text
#[utoipa::path(post, path = "/twilio/sms", tag = "callbacks",
    responses((status = 200, description = "TwiML"), (status = 401)))]
pub(crate) async fn sms(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Response {
    let fields = match genuine(&app, &uri, request).await {
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
    let said = match reply(field(&fields, "Body").unwrap_or_default()) {
        None => "Not understood. Reply \"ack 12\" or \"resolve 12\", with the incident's number."
            .to_owned(),
        Some(reply) => match app.read(|state| meant(state, &people, reply)) {
            None => "There is no such open incident.".to_owned(),
            Some((user, incident)) => {
                let person = (user, ChannelKind::Sms);
                carry_out(&app, person, incident, reply.verb).await
            }
        },
    };
    xml(&twiml::text_answer(&said))
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

/// Who replied about what: the incident of that number, or the newest one that is open and that they were paged for.
fn meant(state: &Known, people: &[UserId], reply: Reply) -> Option<(UserId, IncidentId)> {
    let paged = |incident: IncidentId| {
        let mut messages = state.messages_about(incident);
        let page = messages.find(|message| {
            let asked = matches!(
                message.purpose,
                Purpose::Page(_) | Purpose::Notice(_) | Purpose::Request(_)
            );
            asked && people.contains(&message.user)
        });
        page.map(|page| page.user)
    };
    match reply.number {
        Some(number) => {
            let incident = incident_numbered(state, number)?;
            let trusted = || {
                let mut all = people.iter().copied();
                all.find(|user| {
                    let user = state.users.get(user);
                    user.is_some_and(|user| user.role >= Role::Responder)
                })
            };
            Some((paged(incident).or_else(trusted)?, incident))
        }
        None => {
            let open = state
                .open_incidents
                .iter()
                .filter_map(|id| state.incidents.get(id));
            open.filter_map(|incident| Some((incident.number, paged(incident.id)?, incident.id)))
                .max()
                .map(|(_, user, incident)| (user, incident))
        }
    }
}

/// Take word of what became of a text or a call
#[utoipa::path(post, path = "/twilio/status/{token}", tag = "callbacks", params(("token" = String, Path)),
    responses((status = 204), (status = 401), (status = 404)))]
pub(crate) async fn status(
    State(app): State<App>,
    Path(token): Path<String>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> StatusCode {
    let fields = match genuine(&app, &uri, request).await {
        Ok((_, fields)) => fields,
        Err(status) => return status,
    };
    let (bound, number) = match checked(&app, &token, Use::Status).await {
        Ok((bound, Use::Status(number))) => (bound, number),
        Ok((_, Use::Answer | Use::Voice)) => return StatusCode::NOT_FOUND,
        Err(status) => return status,
    };
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

/// The address that was asked for, as the provider signed it, and the fields; nothing that is not signed is looked at.
async fn genuine(app: &App, uri: &Uri, request: Request) -> Result<(String, Fields), StatusCode> {
    let (parts, form) = request.into_parts();
    let form = body::read(&parts.headers, form, FORM_BYTES_MAX).await;
    let form = form.map_err(|problem| problem.status())?;
    let signature = signature_in(&parts.headers).ok_or(StatusCode::UNAUTHORIZED)?;
    let fields: Fields = form_urlencoded::parse(&form).into_owned().collect();
    let opened = app.blocking(|parts| {
        account::open(
            parts.accounts.as_ref(),
            parts.vault.as_ref(),
            Provider::Twilio,
        )
    });
    let opened = opened.await.map_err(|problem| problem.status())?;
    let token = opened.and_then(|opened| opened.secret);
    let token = token.ok_or(StatusCode::UNAUTHORIZED)?;
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let url = format!("{}{path}", app.settings.public_url);
    let token = token.expose_secret().as_bytes();
    if signature::is_genuine(token, &url, &fields, &signature) {
        Ok((url, fields))
    } else {
        Err(StatusCode::UNAUTHORIZED)
    }
}

fn signature_in(headers: &HeaderMap) -> Option<Vec<u8>> {
    let text = headers.get(signature::HEADER)?.to_str().ok()?;
    base64::decode(text, SIGNATURE_BYTES_MAX)
}

async fn checked(
    app: &App,
    token: &str,
    usage: fn(u32) -> Use,
) -> Result<(Bound, Use), StatusCode> {
    let now = app.now();
    let key = app.link_key().await.map_err(|problem| problem.status())?;
    let found = app.read(|state| key.check(token, usage, state, now));
    found.map_err(|_| StatusCode::NOT_FOUND)
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
