//! Schedules: read over a span, tried, changed; and overrides.

use serde_json::{Value, json};
use tocsin_domain::command::{Ask, RosterAsk};
use tocsin_domain::event::RosterEvent;
use tocsin_domain::id::{OverrideId, ScheduleId, UserId};
use tocsin_domain::oncall::{Change, Entry, Layer, Override, Schedule, Span, WholeSchedule};
use tocsin_domain::oncall_command::ChangeAsk;
use tocsin_domain::state::State;
use tocsin_wire::pagerduty::rest::Refusal;
use tocsin_wire::pagerduty::rest::called::Noun;
use tocsin_wire::pagerduty::rest::schedule as bodies;
use tocsin_wire::pagerduty::rest::{time, words};

use super::asked::{Asked, Path};
use super::lookup;
use super::parameters;
use super::reply::{Answer, Refused, Reply, refusing};
use super::schedule_shape::{Rendered, layer_numbers_of, layers_of, policies_of, schedule_in_full};
use super::user_shape::user;
use crate::http::problem::Problem;
use crate::http::roster::change::changed;
use crate::http::roster::{lost, rota, set_in_turn};

/// The id of a schedule while it is tried.
const UNSAVED: &str = "QAAAAAAAAAAAAA";
/// How long the span is of which one end alone is given: two weeks.
const SPAN_MS: u64 = 14 * 24 * 3_600_000;
/// Entries of an answer at most.
const ENTRIES_MAX: usize = 20_000;

/// What Terraform's provider looks for: it takes the schedule out of its policies then, and removes it.
const USED: &str = "Schedule can't be deleted if it's being used by escalation policies";

fn named(asked: &Asked, id: &str) -> Result<Schedule, Refused> {
    let known = |state: &State, id: ScheduleId| state.schedules.get(&id).cloned();
    lookup::in_path(&asked.app, "schedule", id, known)
}

/// The span that is asked for; none when nothing is. One of its ends alone makes it two weeks, as there.
pub(super) fn span_in(asked: &Asked) -> Result<Option<Span>, Refused> {
    let (since, until) = match (asked.time("since")?, asked.time("until")?) {
        (None, None) => return Ok(None),
        (Some(since), Some(until)) => (since, until),
        (Some(since), None) => (since, since.plus_ms(SPAN_MS)),
        (None, Some(until)) => (until.minus_ms(SPAN_MS), until),
    };
    if until <= since {
        return Err(Refusal::bad("'until' is invalid: it is later than 'since'").into());
    }
    Ok(Some(Span::new(since, until)))
}

/// The span where both of its ends have to be given.
fn whole_span_in(asked: &Asked) -> Result<Span, Refused> {
    let is_whole = ["since", "until"].map(|end| asked.parameters.get(end).is_some());
    let range = span_in(asked)?.filter(|_| is_whole == [true, true]);
    Ok(range.ok_or_else(|| Refusal::missing("'since' and 'until' are needed"))?)
}

fn taken(entries: &[Entry]) -> Vec<(UserId, Span)> {
    let taken = entries
        .iter()
        .filter_map(|one| Some((one.user()?, one.span())));
    taken.collect()
}

/// Shifts that touch the span, as long as they are.
fn wholly(known: &Schedule, range: Span) -> Result<Vec<(UserId, Span)>, Problem> {
    let shifts = known.shifts(range).map_err(rota::refused)?;
    let shifts = shifts.iter().map(|shift| (shift.user, shift.span()));
    Ok(shifts.collect())
}

/// What one layer says by itself, as long as it says it.
fn layer_wholly(
    known: &Schedule,
    layer: &Layer,
    range: Span,
) -> Result<Vec<(UserId, Span)>, Problem> {
    let (name, zone) = (known.name.clone(), known.time_zone.clone());
    let alone = Schedule::of_layers(known.id, known.team, name, zone, vec![layer.clone()]);
    wholly(&alone, range)
}

/// What is shown of a schedule in a span: cut to it, or with what goes on beyond it where `overflow` says so.
pub(super) fn render(
    known: &Schedule,
    range: Option<Span>,
    overflow: bool,
) -> Result<Rendered, Problem> {
    let Some(range) = range else {
        return Ok(Rendered::default());
    };
    let cut = taken(&known.render(range).map_err(rota::refused)?);
    let covered: i64 = cut.iter().map(|(_, span)| span.length_us()).sum();
    let all = if overflow { wholly(known, range)? } else { cut };
    let mut count = all.len();
    let mut layers = Vec::new();
    for (index, layer) in known.layers.iter().enumerate() {
        let own = if overflow {
            layer_wholly(known, layer, range)?
        } else {
            taken(&known.render_layer(index, range).map_err(rota::refused)?)
        };
        count += own.len();
        refuse_more(count)?;
        layers.push(own);
    }
    Ok(Rendered {
        layers,
        all,
        coverage: Some(percent(covered, range.length_us())),
        range: Some(range),
        overflow,
    })
}

/// Refuses an answer of more entries.
pub(super) fn refuse_more(entries: usize) -> Result<(), Problem> {
    if entries > ENTRIES_MAX {
        let why = "'until' is invalid: the span holds too many entries";
        return Err(Problem::bad(why));
    }
    Ok(())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share to a tenth of a percent"
)]
fn percent(part: i64, whole: i64) -> f64 {
    (part as f64 * 1_000.0 / whole.max(1) as f64).round() / 10.0
}

/// A schedule over the span that is asked for.
async fn wrapped(asked: &Asked, known: Schedule) -> Result<Value, Refused> {
    let range = span_in(asked)?;
    let overflow = asked.parameters.flag("overflow")?;
    let (known, rendered) = asked
        .app
        .rendered(move || {
            let rendered = render(&known, range, overflow)?;
            Ok((known, rendered))
        })
        .await?;
    let shown = asked
        .app
        .read(|state| schedule_in_full(state, &asked.place, &known, &rendered));
    Ok(json!({ "schedule": shown }))
}

/// One schedule, with who has duty between `since` and `until`
#[utoipa::path(get, path = "/schedules/{id}", tag = "fronts", 
    params(("id" = String, Path), parameters::Span, parameters::Overflow, parameters::Zone, parameters::NextTurn),
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_pagerduty_schedule(Path(id): Path<String>, asked: Asked) -> Answer {
    let asked = asked.zoned()?;
    let known = named(&asked, &id)?;
    let mut answer = wrapped(&asked, known.clone()).await?;
    let shown = answer["schedule"].take();
    answer["schedule"] = asked.with_next_turn(known, shown).await?;
    Ok(Reply::Done(answer))
}

/// Who has duty in a schedule between `since` and `until`
#[utoipa::path(get, path = "/schedules/{id}/users", tag = "fronts", params(("id" = String, Path), parameters::Span),
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_schedule_users(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    let now = asked.app.now();
    let range = span_in(&asked)?.unwrap_or(Span::new(now, now.plus_ms(1)));
    let rendered = asked
        .app
        .rendered(move || render(&known, Some(range), false))
        .await?;
    let people: std::collections::BTreeSet<UserId> =
        rendered.all.iter().map(|(user, _)| *user).collect();
    let mails = asked.mails(people.clone()).await?;
    let users: Vec<Value> = asked.app.read(|state| {
        let known = people.iter().filter_map(|id| state.users.get(id));
        known
            .map(|one| user(state, &asked.place, one, &mails))
            .collect()
    });
    Ok(Reply::Done(json!({ "users": users })))
}

/// What a body makes of a new schedule or of one that is known.
fn wanted(asked: &Asked, known: Option<&Schedule>) -> Result<WholeSchedule, Refused> {
    let body = bodies::schedule(&asked.body)?;
    let place = "schedule.teams";
    let given_to = asked
        .app
        .read(|state| lookup::given_to(state, place, body.teams.as_deref()))?;
    let name = body.name.or_else(|| known.map(|known| known.name.clone()));
    let zone = body
        .time_zone
        .or_else(|| known.map(|known| known.time_zone.clone()));
    let name = name.ok_or_else(|| Refusal::bad("'schedule.name' is missing or blank"))?;
    let time_zone = zone.ok_or_else(|| Refusal::bad("'schedule.time_zone' is missing"))?;
    let layers = match (&body.layers, known) {
        (Some(layers), known) => asked
            .app
            .read(|state| layers_of(state, layers, known, &time_zone))?,
        (None, Some(known)) => known.layers.clone(),
        (None, None) => return Err(Refusal::bad("'schedule.schedule_layers' is missing").into()),
    };
    let layer_numbers = body.layers.as_deref().zip(known);
    let layer_numbers = layer_numbers.map(|(layers, known)| layer_numbers_of(known, layers));
    Ok(WholeSchedule {
        id: known.map(|known| known.id),
        name,
        time_zone,
        layers,
        description: words::description(&asked.body, "schedule")?,
        layer_names: words::layer_names(&asked.body)?,
        given_to,
        layer_numbers,
    })
}

/// A schedule that is not saved, with who would have duty between `since` and `until`
#[utoipa::path(post, path = "/schedules/preview", tag = "fronts", request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn try_schedule(asked: Asked) -> Answer {
    whole_span_in(&asked)?;
    let tried = wanted(&asked, None)?;
    let team = asked
        .app
        .read(|state| state.installation.as_ref().map(|all| all.team));
    let not_ready = || Problem::conflict("set Tocsin up first");
    let team = team.ok_or_else(not_ready)?;
    // What is not saved has no id; none of this one is ever given out.
    let id: ScheduleId = UNSAVED.parse().map_err(|_| lost())?;
    let mut draft = Schedule::of_layers(id, team, tried.name, tried.time_zone, tried.layers);
    draft.description = tried.description.unwrap_or_default();
    draft.layer_names = tried.layer_names.unwrap_or_default();
    draft.given_to = tried.given_to.flatten();
    let reasons = draft.violations();
    if !reasons.is_empty() {
        let told = reasons.iter().map(|reason| Noun::Schedule.told(reason));
        return Err(Refusal::invalid(told.collect()).into());
    }
    let mut shown = wrapped(&asked, draft).await?;
    for name in ["id", "self", "html_url"] {
        shown["schedule"][name] = Value::Null;
    }
    Ok(Reply::Done(shown))
}

/// Adds a schedule or changes this one, in the turn of the roster.
async fn set(asked: &Asked, known: Option<&Schedule>) -> Result<Schedule, Refused> {
    let wanted = Box::new(wanted(asked, known)?);
    let ask = Ask::Roster(RosterAsk::SetWholeSchedule(wanted));
    let event = set_in_turn(&asked.app, &asked.caller.actor, ask).await;
    let event = event.map_err(refusing(Noun::Schedule))?;
    let RosterEvent::ScheduleSet { schedule } = event else {
        return Err(lost().into());
    };
    Ok(schedule)
}

/// Add a schedule
#[utoipa::path(post, path = "/schedules", tag = "fronts", request_body = Object,
    responses((status = 201, body = Object), (status = 400, body = Object)))]
pub(crate) async fn add_pagerduty_schedule(asked: Asked) -> Answer {
    let made = asked.in_turn(|own| async move { set(&own, None).await });
    let made = made.await?;
    wrapped(&asked, made).await.map(Reply::Created)
}

/// Change a schedule; what was changed of it by hand stays
#[utoipa::path(put, path = "/schedules/{id}", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn change_pagerduty_schedule(Path(id): Path<String>, asked: Asked) -> Answer {
    let made = asked.in_turn(|own| async move {
        let known = named(&own, &id)?;
        set(&own, Some(&known)).await
    });
    let made = made.await?;
    wrapped(&asked, made).await.map(Reply::Done)
}

/// Remove a schedule that no escalation policy names
#[utoipa::path(delete, path = "/schedules/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 204), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn remove_pagerduty_schedule(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    let is_used = |state: &State| policies_of(state, known.id).next().is_some();
    if asked.app.read(is_used) {
        return Err(Refusal::bad(USED).into());
    }
    let ask = Ask::Roster(RosterAsk::RemoveSchedule(known.id));
    asked.app.ask(&asked.caller.actor, ask).await?;
    Ok(Reply::Empty)
}

fn override_shown(asked: &Asked, one: &Override) -> Value {
    let user = asked.app.read(|state| asked.place.user(state, one.user));
    json!({
        "id": one.id.to_string(),
        "type": "override",
        "start": time::written(one.span.from),
        "end": time::written(one.span.until),
        "user": user,
    })
}

/// Overrides of a schedule between `since` and `until`
#[utoipa::path(get, path = "/schedules/{id}/overrides", tag = "fronts",
    params(("id" = String, Path), parameters::WholeSpan, parameters::Overrides, parameters::Overflow),
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_overrides(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    let range = whole_span_in(&asked)?;
    let editable = asked.parameters.flag("editable")?;
    let now = asked.app.now();
    let overflow = asked.parameters.flag("overflow")?;
    let within = known.overrides.iter().filter_map(|one| {
        let cut = one.span.overlap(range)?;
        let span = if overflow { one.span } else { cut };
        Some((one, span))
    });
    let shown: Vec<Value> = if editable {
        // Of those that can still be changed wholly nothing but their ids is told, as there.
        let ahead = within.filter(|(one, _)| one.span.from > now);
        ahead
            .map(|(one, _)| json!({"id": one.id.to_string()}))
            .collect()
    } else {
        within
            .map(|(one, span)| override_shown(&asked, &Override { span, ..*one }))
            .collect()
    };
    Ok(Reply::Done(json!({ "overrides": shown })))
}

/// Put people on call for spans: one override, or several, each of which is done or not by itself
#[utoipa::path(post, path = "/schedules/{id}/overrides", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 201, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn add_overrides(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    let (wanted, is_one) = bodies::overrides(&asked.body)?;
    let mut answers = Vec::new();
    for (index, one) in wanted.iter().enumerate() {
        let place = if is_one {
            "override.user".to_owned()
        } else {
            format!("overrides[{index}].user")
        };
        match added(&asked, known.id, &place, one).await {
            Ok(made) if is_one => return Ok(Reply::Created(json!({ "override": made }))),
            Ok(made) => answers.push(json!({"status": 201, "override": made})),
            Err(refused) if is_one || refused.0.status >= 500 => return Err(refused),
            Err(refused) => {
                let errors = &refused.0.errors;
                answers.push(json!({"status": refused.0.status, "errors": errors}));
            }
        }
    }
    Ok(Reply::Created(Value::Array(answers)))
}

async fn added(
    asked: &Asked,
    schedule: ScheduleId,
    place: &str,
    one: &bodies::Override,
) -> Result<Value, Refused> {
    let user = asked
        .app
        .read(|state| lookup::user(state, place, &one.user))?;
    let span = Span::new(one.start, one.end);
    let ask = ChangeAsk::AddOverride { user, span };
    let change = changed(&asked.app, &asked.caller, schedule, ask).await;
    let change = change.map_err(refusing(Noun::Override))?;
    let Change::OverrideAdded { added } = change else {
        return Err(lost().into());
    };
    Ok(override_shown(asked, &added))
}

/// Take an override back; of one that has begun, what is left
#[utoipa::path(delete, path = "/schedules/{id}/overrides/{override_id}", tag = "fronts",
    params(("id" = String, Path), ("override_id" = String, Path)),
    responses((status = 200, body = Object), (status = 204), (status = 404, body = Object)))]
pub(crate) async fn remove_pagerduty_override(
    Path((id, wanted)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let known = named(&asked, &id)?;
    let missing = || Refusal::not_found("the schedule has no such override");
    let wanted: OverrideId = wanted.parse().map_err(|_| missing())?;
    let before = known.overrides.iter().find(|one| one.id == wanted);
    let before = *before.ok_or_else(missing)?;
    let ask = ChangeAsk::RemoveOverride(wanted);
    let change = changed(&asked.app, &asked.caller, known.id, ask).await?;
    let Change::OverrideEnded { at, .. } = change else {
        return Ok(Reply::Empty);
    };
    let ended = Override {
        span: Span::new(before.span.from, at),
        ..before
    };
    Ok(Reply::Done(
        json!({"override": override_shown(&asked, &ended)}),
    ))
}
