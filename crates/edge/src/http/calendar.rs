//! Calendars of shifts: their private addresses are made, listed, renewed and revoked here, and read without signing in. What a
//! calendar looks like, `wire` knows.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tocsin_domain::calendar;
use tocsin_domain::command::RosterAsk;
use tocsin_domain::event::RosterEvent;
use tocsin_domain::id::{CalendarId, ScheduleId, UserId};
use tocsin_domain::oncall::{self, Refused, Shift, Span};
use tocsin_domain::oncall_command::OncallAsk;
use tocsin_domain::oncall_event::OncallEvent;
use tocsin_domain::state::Revision;
use tocsin_domain::time::Timestamp;
use tocsin_wire::ical::{self, CalendarShift};
use utoipa::ToSchema;

use super::body::{Json as Body, Params};
use super::disclosed::Disclosed;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use super::roster::{lost, set_in};
use super::shape::{Id, Instant, Named, named_schedule, named_user};
use crate::access::cookie::hex;
use crate::access::origin::client_ip;
use crate::access::who::{Caller, Peer};
use crate::app::App;
use crate::secret::{key_hash, letters};

/// Letters and digits of a token: 190 bits that nobody guesses.
const TOKEN_CHARS: usize = 32;
/// Reads of one calendar within a minute at most; subscribers look once an hour.
pub(crate) const READS_PER_MINUTE: usize = 60;
/// Days that a calendar shows of the past, so that a subscriber keeps what was.
const PAST_DAYS: u64 = 31;
/// Days that a calendar shows ahead: the most that is not too much work.
const DAYS_AHEAD: [u32; 3] = [180, 60, 14];
/// Shifts of a calendar at most.
const SHIFTS_MAX: usize = 5_000;
const DAY_MS: i64 = 86_400_000;

/// A calendar that other programs subscribe to. Its address is shown when it is made and when it is renewed, never again.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Calendar {
    id: String,
    /// The schedule it shows; null: all of them.
    schedule: Option<Named>,
    /// Whether it shows its owner's shifts alone.
    only_own: bool,
    /// When its address was made.
    made_at: Instant,
}

/// A calendar whose address was just made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct MadeCalendar {
    #[serde(flatten)]
    calendar: Calendar,
    /// Shown once. Whoever has it can read the calendar.
    #[schema(value_type = String)]
    url: Disclosed,
}

/// A calendar to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CalendarRequest {
    /// The schedule it shows; null: all of them.
    #[serde(default)]
    #[schema(value_type = Option<Id>)]
    schedule_id: Option<String>,
    /// Whether it shows one's own shifts alone; without a schedule it always does.
    #[serde(default)]
    only_own: Option<bool>,
}

fn shown(app: &App, known: &calendar::Calendar) -> Calendar {
    let schedule = app.read(|state| known.schedule.map(|id| named_schedule(state, id)));
    Calendar {
        id: known.id.to_string(),
        schedule,
        only_own: known.only_own,
        made_at: Instant(known.made_at),
    }
}

fn person(id: &str) -> Result<UserId, Problem> {
    id.parse()
        .map_err(|_| Problem::not_found(&format!("person {id}")))
}

fn calendar_id(id: &str) -> Result<CalendarId, Problem> {
    id.parse()
        .map_err(|_| Problem::not_found(&format!("calendar {id} of that person")))
}

/// Calendars of a person
#[utoipa::path(get, path = "/api/tocsin/v1/users/{id}/calendars", tag = "oncall",
    params(("id" = String, Path), PageQuery), responses((status = 200, body = Page<Calendar>), (status = 404)))]
pub(crate) async fn list_calendars(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<Calendar>>, Problem> {
    let user = person(&id)?;
    let mut known: Vec<calendar::Calendar> = app.read(|state| {
        let all = state.calendars.values();
        all.filter(|one| one.user == user).cloned().collect()
    });
    known.sort_by_key(|one| (one.made_at, one.id));
    let all = known.iter().map(|one| shown(&app, one)).collect();
    page.cut(all, |one| one.id.as_str()).map(Json)
}

/// Makes an address and asks for a calendar that has it.
async fn made(
    app: &App,
    caller: &Caller,
    ask: impl FnOnce(String) -> OncallAsk,
) -> Result<Json<MadeCalendar>, Problem> {
    let token =
        letters(TOKEN_CHARS).map_err(|_| Problem::internal("the system gives no random bytes"))?;
    let ask = RosterAsk::Oncall(ask(key_hash(&token)));
    let RosterEvent::Oncall {
        what: OncallEvent::CalendarSet { calendar },
    } = set_in(app, caller, ask).await?
    else {
        return Err(lost());
    };
    Ok(Json(MadeCalendar {
        calendar: shown(app, &calendar),
        url: format!("{}/ical/{token}.ics", app.settings.public_url).into(),
    }))
}

/// Make a calendar with a private address
#[utoipa::path(post, path = "/api/tocsin/v1/users/{id}/calendars", tag = "oncall", params(("id" = String, Path)),
    request_body = CalendarRequest, responses((status = 201, body = MadeCalendar), (status = 400), (status = 404), (status = 409)))]
pub(crate) async fn add_calendar(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<CalendarRequest>,
) -> Result<impl IntoResponse, Problem> {
    let user = person(&id)?;
    let schedule = request.schedule_id.as_deref().map(str::parse).transpose();
    let schedule = schedule.map_err(|_| Problem::bad("schedule_id: not an id of a schedule"))?;
    let only_own = request.only_own.unwrap_or(schedule.is_none());
    if schedule.is_none() && !only_own {
        return Err(Problem::bad(
            "only_own: a calendar of all schedules shows one's own shifts alone",
        ));
    }
    let ask = |token_hash| OncallAsk::AddCalendar {
        user,
        schedule,
        only_own,
        token_hash,
    };
    let made = made(&app, &caller, ask).await?;
    Ok((StatusCode::CREATED, made))
}

/// Give a calendar a new address; the one before is dead
#[utoipa::path(post, path = "/api/tocsin/v1/users/{id}/calendars/{calendar_id}/renew", tag = "oncall",
    params(("id" = String, Path), ("calendar_id" = String, Path)),
    responses((status = 200, body = MadeCalendar), (status = 404)))]
pub(crate) async fn renew_calendar(
    State(app): State<App>,
    caller: Caller,
    Path((id, calendar)): Path<(String, String)>,
) -> Result<Json<MadeCalendar>, Problem> {
    let (user, calendar) = (person(&id)?, calendar_id(&calendar)?);
    let ask = |token_hash| OncallAsk::RenewCalendar {
        user,
        calendar,
        token_hash,
    };
    made(&app, &caller, ask).await
}

/// Revoke a calendar: its address is dead
#[utoipa::path(delete, path = "/api/tocsin/v1/users/{id}/calendars/{calendar_id}", tag = "oncall",
    params(("id" = String, Path), ("calendar_id" = String, Path)), responses((status = 204), (status = 404)))]
pub(crate) async fn revoke_calendar(
    State(app): State<App>,
    caller: Caller,
    Path((id, calendar)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (user, calendar) = (person(&id)?, calendar_id(&calendar)?);
    let ask = RosterAsk::Oncall(OncallAsk::RevokeCalendar { user, calendar });
    set_in(&app, &caller, ask).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A calendar by its private address
///
/// No login: whoever has the address may read. It says nothing of what there is otherwise.
#[utoipa::path(get, path = "/ical/{file}", tag = "oncall", params(("file" = String, Path, description = "TOKEN.ics")),
    responses((status = 200, body = String, content_type = "text/calendar"), (status = 304), (status = 404), (status = 429)))]
pub(crate) async fn read_calendar(
    State(app): State<App>,
    peer: Peer,
    headers: HeaderMap,
    Path(file): Path<String>,
) -> Result<Response, Problem> {
    let now = app.now();
    let Some(found) = of_file(&app, &file) else {
        let ip = client_ip(&headers, peer.0, app.settings.behind_proxy);
        let tries = &app.inner().calendar_tries;
        // Each guess counts as another account, so that only the address is limited.
        if let Err(wait_s) = tries.start(&key_hash(&file), ip, now) {
            return Err(Problem::too_many("too many addresses were tried", wait_s));
        }
        return Err(Problem::not_found("such calendar"));
    };
    let reads = &app.inner().calendar_reads;
    if let Err(wait_s) = reads.take(found.calendar.id.as_str(), now) {
        return Err(Problem::too_many("this calendar is read too often", wait_s));
    }
    let text = app
        .rendered(move || Ok(ical::render(&found.drawn(now))))
        .await?;
    Ok(answer(&headers, text))
}

/// With an entity tag, so that a subscriber that has it already is told so.
fn answer(headers: &HeaderMap, text: String) -> Response {
    let tag = format!("W/\"{}\"", &hex(&Sha256::digest(text.as_bytes()))[..32]);
    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| one.trim() == tag || one.trim() == "*");
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = "text/calendar; charset=utf-8";
        ([(header::CONTENT_TYPE, kind)], text).into_response()
    };
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    response
}

/// A calendar with all that it is drawn from.
struct Found {
    calendar: calendar::Calendar,
    name: String,
    schedules: Vec<oncall::Schedule>,
    revisions: BTreeMap<ScheduleId, Revision>,
    names: BTreeMap<UserId, String>,
}

/// The calendar whose address this is. All are compared, so that time tells nothing.
fn of_file(app: &App, file: &str) -> Option<Found> {
    let hash = key_hash(file.strip_suffix(".ics")?);
    app.read(|state| {
        let mut found = None;
        for one in state.calendars.values() {
            if bool::from(one.token_hash.as_bytes().ct_eq(hash.as_bytes())) {
                found = Some(one.clone());
            }
        }
        let calendar = found?;
        let all = state.schedules.values();
        let schedules: Vec<oncall::Schedule> = all
            .filter(|known| calendar.schedule.is_none_or(|id| id == known.id))
            .filter(|known| !calendar.only_own || known.people().contains(&calendar.user))
            .cloned()
            .collect();
        let people = schedules.iter().flat_map(oncall::Schedule::people);
        let names = people.map(|user| (user, named_user(state, user).name));
        let of = match calendar.schedule {
            Some(id) => named_schedule(state, id).name,
            None => named_user(state, calendar.user).name,
        };
        Some(Found {
            name: format!("On call: {of}"),
            names: names.collect(),
            revisions: state.dates.schedules.clone(),
            schedules,
            calendar,
        })
    })
}

impl Found {
    fn drawn(&self, now: Timestamp) -> ical::Calendar {
        // The day's beginning: the same bytes all day long, while nothing changes.
        let today = Timestamp::from_millis(now.as_millis().div_euclid(DAY_MS) * DAY_MS);
        let mut shifts: Vec<CalendarShift> = self
            .schedules
            .iter()
            .flat_map(|known| self.shifts_of(known, today))
            .collect();
        shifts.sort_by_key(|one| (one.shift.from, one.schedule));
        shifts.truncate(SHIFTS_MAX);
        ical::Calendar {
            name: self.name.clone(),
            stamp: today,
            shifts,
        }
    }

    fn shifts_of(&self, known: &oncall::Schedule, today: Timestamp) -> Vec<CalendarShift> {
        let from = today.minus_ms(PAST_DAYS * DAY_MS.unsigned_abs());
        let spans = DAYS_AHEAD.map(|days| Span::new(from, Span::of_days(today, days).until));
        let shifts = spans
            .into_iter()
            .map(|span| known.shifts(span))
            .find(|shifts| !matches!(shifts, Err(Refused::TooManyEntries)));
        let all: Vec<Shift> = shifts.and_then(Result::ok).unwrap_or_default();
        // Whatever set a schedule has made it one that is known.
        let unknown = Revision {
            number: 0,
            at: today,
        };
        let revision = self.revisions.get(&known.id).copied().unwrap_or(unknown);
        all.into_iter()
            .filter(|shift| !self.calendar.only_own || shift.user == self.calendar.user)
            .map(|shift| CalendarShift {
                schedule: known.id,
                summary: self.summary(known, &shift),
                shift,
                revision,
            })
            .collect()
    }

    fn summary(&self, known: &oncall::Schedule, shift: &Shift) -> String {
        let name = self.names.get(&shift.user);
        let name = name.map_or("a removed person", String::as_str);
        format!("{name} on call: {}", known.name)
    }
}
