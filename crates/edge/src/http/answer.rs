//! The page behind the link of a page: what fails, and buttons to answer, for a person without a session and without a script.
//! Looking changes nothing, so that a scanner may follow the link; only its form acts.

mod outcomes;
mod press;

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use sha2::{Digest, Sha256};
use tocsin_domain::command::{Ask, RespondAsk};
use tocsin_domain::event::Actor;
use tocsin_domain::id::{IncidentId, UserId};
use tocsin_domain::incident::{Incident, Status};
use tocsin_domain::people::{ChannelKind, Role};
use tocsin_domain::state::State as Known;
use tocsin_wire::markup::escape;
use tocsin_wire::page_message::one_line;

use super::body;
use super::problem::Problem;
use crate::access::base64;
use crate::answers;
use crate::app::App;
use crate::links::{BadLink, Bound, Use};

pub(crate) use outcomes::Outcomes;
use press::{Pressed, Refused, Wish, carry_out, pressed_in, still_holds};

/// Bytes of a form at most.
const FORM_BYTES_MAX: usize = 4_096;
/// Incidents that are named beside the one that is shown.
const OTHERS_MAX: usize = 20;
/// What a page says of an incident that came back since the message was sent.
const OF_BEFORE: &str =
    "It was over and came back since this message was sent. The buttons are about what fails now.";
/// The field of an address that names what became of a press.
const TOLD: &str = "told";
/// Characters of a fact that are shown.
const FACT_CHARS_MAX: usize = 500;

const STYLE: &str = "body{margin:0;padding:24px 16px;font:18px/1.5 system-ui,sans-serif;color:#1c1917;background:#fff}\
main{max-width:36rem;margin:0 auto}h1{margin:0 0 4px;font-size:1.5rem;overflow-wrap:anywhere}\
.state{margin:0 0 16px;font-weight:600}.said{margin:0 0 16px;padding:12px;border-left:6px solid #1d4e89;background:#eef4fa}\
dl{margin:24px 0 0}dt{font-weight:600}dd{margin:0 0 8px;overflow-wrap:anywhere}\
button{display:block;width:100%;min-height:56px;margin:0 0 12px;border:2px solid #7a1a12;border-radius:8px;font:inherit;\
font-weight:600;color:#fff;background:#b42318}button.second{color:#1c1917;background:#fff;border-color:#57534e}\
button:focus-visible{outline:4px solid #1d4e89;outline-offset:2px}p.small{color:#57534e;font-size:.9rem}\
@media(prefers-color-scheme:dark){body{color:#f5f5f4;background:#1c1917}.said{color:#1c1917}p.small{color:#d6d3d1}}";

/// Nothing but this one style is allowed, and forms to ourselves.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        base64::encode(&Sha256::digest(STYLE.as_bytes()))
    )
});

/// Show the incident of a page to who got it
#[utoipa::path(get, path = "/a/{token}", tag = "answer", params(("token" = String, Path)),
    responses((status = 200, description = "A page with buttons"), (status = 404), (status = 410)))]
pub(crate) async fn show_answer(
    State(app): State<App>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let bound = match bound(&app, token).await {
        Ok(bound) => bound,
        Err(refusal) => return refusal,
    };
    let key = query.and_then(|query| field(query.as_bytes(), TOLD));
    let (outcomes, now) = (&app.inner().outcomes, app.now());
    match key.and_then(|key| outcomes.find(&key, bound.notification, now)) {
        Some((pressed, told)) => {
            let holds = app.read(|state| still_holds(state, pressed));
            let told = holds.then_some(told.as_str());
            page_of(&app, &bound, StatusCode::OK, Some(pressed), told)
        }
        None => page_of(&app, &bound, StatusCode::OK, None, None),
    }
}

/// Answer a page
#[utoipa::path(post, path = "/a/{token}", tag = "answer", params(("token" = String, Path)),
    responses((status = 303, description = "Look there what became of it"), (status = 400), (status = 403), (status = 404),
        (status = 408), (status = 409), (status = 410), (status = 413)))]
pub(crate) async fn answer(
    State(app): State<App>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    let bound = match bound(&app, token).await {
        Ok(bound) => bound,
        Err(refusal) => return refusal,
    };
    let (parts, form) = request.into_parts();
    let pressed = match body::read(&parts.headers, form, FORM_BYTES_MAX).await {
        Ok(form) => pressed_in(&form),
        Err(problem) => return said(problem.status(), problem.detail()),
    };
    // What comes back from here on is not what the press was about.
    let begun_at = app.read(|state| state.position);
    let told = match carry_out(&app, &bound, pressed).await {
        Ok(told) => told,
        Err(Refused { status, words }) => {
            return page_of(&app, &bound, status, pressed, Some(&words));
        }
    };
    // Whoever loads the next page again only looks: what came back since is not answered by it.
    let (outcomes, now) = (&app.inner().outcomes, app.now());
    let pressed = pressed.map(|pressed| Pressed {
        seen: Some(begun_at),
        ..pressed
    });
    let key = pressed.and_then(|pressed| outcomes.keep(bound.notification, pressed, told, now));
    let place = key.map_or_else(|| "?".to_owned(), |key| format!("?{TOLD}={key}"));
    Redirect::to(&place).into_response()
}

/// The first field of that name in a form or a query.
fn field(text: &[u8], wanted: &str) -> Option<String> {
    let mut fields = form_urlencoded::parse(text);
    let found = fields.find(|(name, _)| name == wanted);
    found.map(|(_, value)| value.into_owned())
}

/// Whom the link is for, or the page that says why it is of no use.
async fn bound(app: &App, token: String) -> Result<Bound, Response> {
    let now = app.now();
    let key = app
        .link_key()
        .await
        .map_err(|problem| said(problem.status(), problem.detail()))?;
    let found = app.read(|state| key.check(&token, |_| Use::Answer, state, now));
    match found {
        Ok((bound, _)) => Ok(bound),
        Err(BadLink::Forged) => Err(said(
            StatusCode::NOT_FOUND,
            "This link is not valid. Open the one in your message, or sign in.",
        )),
        Err(BadLink::Expired) => Err(said(
            StatusCode::GONE,
            "This link is too old. Sign in to see the incident.",
        )),
    }
}

/// Where an incident goes on that the message told, if it told it.
fn told_of(state: &Known, bound: &Bound, incident: IncidentId) -> Option<IncidentId> {
    let goes_on = state.part_of(incident);
    let told = answers::subjects(state, bound.notification);
    told.contains(&goes_on).then_some(goes_on)
}

/// Acknowledges what a message told, in the name of who got it; the words for what it came to.
pub(crate) async fn acknowledge(
    app: &App,
    (user, channel): (UserId, ChannelKind),
    incidents: &[IncidentId],
) -> Result<String, Problem> {
    let before = app.read(|state| answers::taken(state, incidents));
    let (mut done, mut refused) = (0, None);
    for incident in incidents {
        let (incident, by) = (*incident, user);
        let ask = RespondAsk::Acknowledge { incident, by };
        let actor = Actor::Channel { user, channel };
        match app.ask(&actor, Ask::Respond(ask)).await {
            Ok(_) => done += 1,
            Err(problem) => refused = Some(problem),
        }
    }
    match refused {
        None => Ok(app.read(|state| answers::acknowledged_words(state, user, incidents, &before))),
        Some(problem) if done == 0 => Err(problem),
        Some(_) => Ok("Not all of it could be taken: sign in to see what is left.".to_owned()),
    }
}

/// Resolves one incident in the name of who got a message about it.
pub(crate) async fn resolve(
    app: &App,
    (user, channel): (UserId, ChannelKind),
    incident: IncidentId,
) -> Result<(), Problem> {
    let ask = RespondAsk::Resolve {
        incident,
        note: None,
    };
    let actor = Actor::Channel { user, channel };
    app.ask(&actor, Ask::Respond(ask)).await.map(|_| ())
}

/// The incident that is shown once somebody has pressed.
fn shown_after(state: &Known, bound: &Bound, pressed: Pressed) -> Option<IncidentId> {
    let looked_at = pressed.looked_at;
    let looked_at = looked_at.and_then(|id| told_of(state, bound, id));
    let stays = match pressed.wish {
        // Also when it is over: the words above it are about it, and a press that comes twice finds no other.
        Wish::Resolve => looked_at,
        Wish::Acknowledge => looked_at.filter(|id| {
            let known = state.incidents.get(id);
            let is_taken = |id| answers::is_taken(state, id);
            // What is left comes before what somebody has.
            let is_left = is_taken(*id) && shown(state, bound).is_some_and(|next| !is_taken(next));
            known.is_some_and(Incident::is_open) && !is_left
        }),
    };
    stays.or_else(|| shown(state, bound))
}

/// The incident that is shown of those that a message told: the first that nobody has, else the first that is not over.
fn shown(state: &Known, bound: &Bound) -> Option<IncidentId> {
    let all = answers::open_subjects(state, bound.notification);
    let untaken = all.iter().find(|id| {
        let known = state.incidents.get(id);
        known.is_some_and(|known| known.status == Status::Triggered)
    });
    untaken.or(all.first()).copied()
}

fn may_resolve(state: &Known, bound: &Bound) -> bool {
    let user = state.users.get(&bound.user);
    user.is_some_and(|user| user.role >= Role::Responder)
}

fn page_of(
    app: &App,
    bound: &Bound,
    status: StatusCode,
    pressed: Option<Pressed>,
    told: Option<&str>,
) -> Response {
    let page = app.read(|state| {
        let shown = match pressed {
            Some(pressed) => shown_after(state, bound, pressed),
            None => shown(state, bound),
        };
        let incident = state.incidents.get(&shown?)?;
        Some(written(state, bound, incident, told))
    });
    match page {
        Some(page) => html(status, "Tocsin", &page),
        None => said(StatusCode::NOT_FOUND, "There is no such incident."),
    }
}

fn written(state: &Known, bound: &Bound, incident: &Incident, told: Option<&str>) -> String {
    let mut page = String::new();
    let mut add = |text: std::fmt::Arguments<'_>| {
        // Writing into a string has no way to fail.
        let _ = page.write_fmt(text);
    };
    let title = escape(&one_line(&incident.title, FACT_CHARS_MAX));
    add(format_args!(
        "<h1>{title}</h1><p class=\"state\">{}</p>",
        escape(&standing(state, incident))
    ));
    let returned = answers::about(state, bound.notification, 0).returned;
    let of_before = returned.contains(&incident.id).then_some(OF_BEFORE);
    if let Some(told) = told.or(of_before) {
        add(format_args!(
            "<p class=\"said\" role=\"status\">{}</p>",
            escape(told)
        ));
    }
    let others = others(state, bound, incident);
    if incident.is_open() {
        let form = form(state, bound, incident, others.is_empty());
        add(format_args!("{form}"));
    } else if !others.is_empty() {
        // The same address, asked for anew: it shows the next one with its buttons.
        add(format_args!("<p><a href=\"\">Show what is left</a></p>"));
    }
    add(format_args!("<dl>"));
    for other in others.iter().take(OTHERS_MAX) {
        let name = format!("Also, incident {}", other.number);
        let value = escape(&one_line(&other.title, FACT_CHARS_MAX));
        add(format_args!("<dt>{}</dt><dd>{value}</dd>", escape(&name)));
    }
    for (name, value) in facts(state, bound, incident) {
        let value = escape(&one_line(&value, FACT_CHARS_MAX));
        add(format_args!("<dt>{}</dt><dd>{value}</dd>", escape(&name)));
    }
    add(format_args!(
        "</dl><p class=\"small\">Whoever has this link answers in your name: do not pass it on. It works for 72 hours.</p>"
    ));
    page
}

/// The buttons below an incident that is open; they name it, and what had happened when the page was written.
fn form(state: &Known, bound: &Bound, incident: &Incident, is_alone: bool) -> String {
    let mut form = format!(
        "<form method=\"post\"><input type=\"hidden\" name=\"incident\" value=\"{}\">\
         <input type=\"hidden\" name=\"seen\" value=\"{}\">",
        incident.id, state.position
    );
    if incident.status == Status::Triggered || incident.awaits(bound.user) {
        let words = if is_alone {
            "Acknowledge"
        } else {
            "Acknowledge all"
        };
        let button = format!("<button name=\"action\" value=\"acknowledge\">{words}</button>");
        form.push_str(&button);
    }
    if may_resolve(state, bound) {
        form.push_str(
            "<button class=\"second\" name=\"action\" value=\"resolve\">Resolve</button>",
        );
    }
    form.push_str("</form>");
    form
}

/// What else the message told that is not over.
fn others<'a>(state: &'a Known, bound: &Bound, shown: &Incident) -> Vec<&'a Incident> {
    let all = answers::subjects(state, bound.notification).into_iter();
    let others = all.filter(|id| *id != shown.id);
    others
        .filter_map(|id| state.incidents.get(&id))
        .filter(|incident| incident.is_open())
        .collect()
}

fn standing(state: &Known, incident: &Incident) -> String {
    let number = incident.number;
    match incident.status {
        Status::Triggered => format!("Incident {number}: nobody has it yet"),
        Status::Acknowledged => {
            if let Some(link) = answers::shared_link(state, incident) {
                return format!("Incident {number}: taken by {link}");
            }
            let by = incident.acknowledged.and_then(|(by, _)| by);
            let by = by.and_then(|by| state.users.get(&by));
            let name = by.map_or("somebody", |user| user.name.as_str());
            format!("Incident {number}: {name} has it")
        }
        Status::Resolved => format!("Incident {number}: it is over"),
    }
}

fn facts(state: &Known, bound: &Bound, incident: &Incident) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        facts.extend(value.map(|value| (name.to_owned(), value)));
    };
    let service = state.services.get(&incident.service);
    add("Service", service.map(|one| one.name.clone()));
    let target = incident.target.and_then(|id| state.targets.get(&id));
    add("Target", target.map(|one| one.identity.name.clone()));
    let onset = incident.onset.as_ref();
    add("Failing since", onset.map(|onset| onset.at.to_rfc3339()));
    add("Opened", Some(incident.opened_at.to_rfc3339()));
    add("Resolved", incident.resolved_at.map(|at| at.to_rfc3339()));
    let alerts = incident.alerts.iter();
    let firing = alerts
        .filter_map(|id| state.alerts.get(id))
        .filter(|one| one.is_firing());
    for alert in firing.take(5) {
        for (name, value) in alert.details.iter().take(10) {
            add(name, Some(value.clone()));
        }
    }
    let user = state.users.get(&bound.user);
    add("You are", user.map(|user| user.name.clone()));
    facts
}

/// A page that says one thing.
fn said(status: StatusCode, text: &str) -> Response {
    html(
        status,
        "Tocsin",
        &format!("<h1>Tocsin</h1><p>{}</p>", escape(text)),
    )
}

fn html(status: StatusCode, title: &str, inside: &str) -> Response {
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><meta name=\"robots\" content=\"noindex\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><main>{inside}</main></body></html>"
    );
    let mut response = (status, page).into_response();
    let headers = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, html);
    if let Ok(policy) = HeaderValue::from_str(&POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The incident that a link is about, for whoever has it as a number.
pub(crate) fn incident_numbered(state: &Known, number: u64) -> Option<IncidentId> {
    let mut open = state.open_incidents.iter();
    open.find(|id| {
        state
            .incidents
            .get(id)
            .is_some_and(|one| one.number == number)
    })
    .copied()
}
