//! Schedules rendered over a span: the stored one, and one that is not saved yet, with what it would change.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use tocsin_domain::id::{Entropy, OverrideId, ScheduleId, TeamId, TemporaryId};
use tocsin_domain::oncall::{self, Difference, Entry, Span, differences};
use tocsin_domain::time::Timestamp;
use utoipa::ToSchema;

use super::change::{OverrideRequest, TemporaryRequest};
use super::layer::{Layer, Reading, turn_of};
use super::rota::{self, Names, RangeQuery, RotaEntry, entries, range_of};
use super::schedule::{found, id_in, layers_of};
use crate::app::App;
use crate::http::body::{Json as Body, Params};
use crate::http::problem::Problem;
use crate::http::shape::{Id, Instant, Named};

/// Entries of an answer at most.
const ENTRIES_MAX: usize = 20_000;
/// Overrides and temporary shifts that a preview adds at most, each.
const ADDED_MAX: usize = 50;

/// What one layer says by itself.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RenderedLayer {
    /// Its place among the schedule's layers, from 0.
    layer: usize,
    entries: Vec<RotaEntry>,
}

/// Who is on call in a span. Entries follow each other from its beginning to its end, gaps among them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Rendered {
    name: String,
    time_zone: String,
    since: Instant,
    /// The first instant after it.
    until: Instant,
    /// The outcome of layers, temporary shifts, swaps and overrides.
    r#final: Vec<RotaEntry>,
    /// What each layer says by itself.
    layers: Vec<RenderedLayer>,
    /// Seconds within the span in which nobody is on call.
    gap_seconds: i64,
}

fn rendered(known: &oncall::Schedule, names: &Names, range: Span) -> Result<Rendered, Problem> {
    let all = known.render(range).map_err(rota::refused)?;
    let mut count = all.len();
    let mut layers = Vec::new();
    for layer in 0..known.layers.len() {
        let one = known.render_layer(layer, range).map_err(rota::refused)?;
        count += one.len();
        if count > ENTRIES_MAX {
            return Err(too_many());
        }
        let entries = entries(&one, names);
        layers.push(RenderedLayer { layer, entries });
    }
    if count > ENTRIES_MAX {
        return Err(too_many());
    }
    let gaps = all.iter().filter(|entry| entry.user().is_none());
    Ok(Rendered {
        name: known.name.clone(),
        time_zone: known.time_zone.clone(),
        since: Instant(range.from),
        until: Instant(range.until),
        r#final: entries(&all, names),
        layers,
        gap_seconds: gaps.map(|entry| entry.span().length_us() / 1_000_000).sum(),
    })
}

fn too_many() -> Problem {
    Problem::bad(format!(
        "until: the range holds more than {ENTRIES_MAX} entries: ask for a shorter one"
    ))
}

/// Who is on call in a span, at most 400 days long
#[utoipa::path(get, path = "/api/tocsin/v1/schedules/{id}/rendered", tag = "oncall",
    params(("id" = String, Path), RangeQuery),
    responses((status = 200, body = Rendered), (status = 400), (status = 404)))]
pub(crate) async fn render_schedule(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(range): Params<RangeQuery>,
) -> Result<Json<Rendered>, Problem> {
    let range = range.range(app.now())?;
    let (known, names) = found(&app, &id)?;
    app.rendered(move || rendered(&known, &names, range).map(Json))
        .await
}

/// A schedule that is not saved.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewRequest {
    /// The stored schedule that it would replace; what was changed of that by hand is kept. Null: it would be a new one.
    #[serde(default)]
    #[schema(value_type = Option<Id>)]
    schedule_id: Option<String>,
    /// Its name; null: the stored one's.
    #[serde(default)]
    name: Option<String>,
    /// Its zone; null: the stored one's.
    #[serde(default)]
    time_zone: Option<String>,
    /// Its layers; null: the stored ones.
    #[serde(default)]
    #[schema(max_items = 20)]
    layers: Option<Vec<Layer>>,
    /// Overrides that would be added.
    #[serde(default)]
    #[schema(max_items = 50)]
    overrides: Vec<OverrideRequest>,
    /// Temporary shifts that would be added.
    #[serde(default)]
    #[schema(max_items = 50)]
    temporary: Vec<TemporaryRequest>,
    /// From when on; now when not given.
    #[serde(default)]
    since: Option<Instant>,
    /// Until when; 14 days later when not given.
    #[serde(default)]
    until: Option<Instant>,
}

/// A stretch in which another person would be on call, or nobody, or somebody where nobody is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Changed {
    from: Instant,
    /// The first instant after it.
    until: Instant,
    /// Who is on call now; null: nobody.
    before: Option<Named>,
    /// Who would be; null: nobody.
    after: Option<Named>,
}

/// A schedule that is not saved, and what it would change.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Preview {
    #[serde(flatten)]
    rendered: Rendered,
    /// Where it differs from the stored one, in order; of a new one all that it fills.
    changes: Vec<Changed>,
}

/// A schedule that is not saved, rendered over a span, and where it would put others on call
#[utoipa::path(post, path = "/api/tocsin/v1/schedules/preview", tag = "oncall", request_body = PreviewRequest,
    responses((status = 200, body = Preview), (status = 400), (status = 404)))]
pub(crate) async fn preview_schedule(
    State(app): State<App>,
    Body(request): Body<PreviewRequest>,
) -> Result<Json<Preview>, Problem> {
    let now = app.now();
    let range = range_of(
        request.since.map(|since| since.0),
        request.until.map(|until| until.0),
        now,
    );
    let stored = match &request.schedule_id {
        Some(id) => Some(found(&app, id_in(id)?.as_str())?.0),
        None => None,
    };
    let draft = drafted(stored.clone(), &request, now)?;
    let reasons = draft.violations();
    if !reasons.is_empty() {
        return Err(Problem::invalid(reasons));
    }
    let mut people = draft.people();
    people.extend(stored.iter().flat_map(oncall::Schedule::people));
    let (names, strangers) = app.read(|state| {
        let strangers = people
            .iter()
            .filter(|user| !state.users.contains_key(*user));
        let strangers: Vec<String> = strangers
            .map(|user| format!("layers: there is no person {user}"))
            .collect();
        (Names::of(state, people.clone()), strangers)
    });
    if !strangers.is_empty() {
        return Err(Problem::invalid(strangers));
    }
    app.rendered(move || preview(stored.as_ref(), &draft, &names, range).map(Json))
        .await
}

fn preview(
    stored: Option<&oncall::Schedule>,
    draft: &oncall::Schedule,
    names: &Names,
    range: Span,
) -> Result<Preview, Problem> {
    let rendered = rendered(draft, names, range)?;
    let before = match stored {
        Some(stored) => stored.render(range).map_err(rota::refused)?,
        None => vec![Entry::Gap(range)],
    };
    let after = draft.render(range).map_err(rota::refused)?;
    let changes = differences(&before, &after);
    if changes.len() > ENTRIES_MAX {
        return Err(too_many());
    }
    let shown = |one: Difference| Changed {
        from: Instant(one.span.from),
        until: Instant(one.span.until),
        before: one.before.map(|user| names.named(user)),
        after: one.after.map(|user| names.named(user)),
    };
    Ok(Preview {
        rendered,
        changes: changes.into_iter().map(shown).collect(),
    })
}

/// Ids of what is not saved: they need only differ among themselves.
struct Numbered(u8);

impl Entropy for Numbered {
    fn fill(&mut self, buffer: &mut [u8]) {
        self.0 = self.0.wrapping_add(1);
        buffer.fill(0);
        // An id takes five bits of each byte.
        for (slot, bits) in buffer.iter_mut().rev().zip([self.0 & 31, self.0 >> 5]) {
            *slot = bits;
        }
    }
}

/// The schedule that a request describes: the stored one with what is said otherwise, or a new one.
fn drafted(
    stored: Option<oncall::Schedule>,
    request: &PreviewRequest,
    now: Timestamp,
) -> Result<oncall::Schedule, Problem> {
    let layers = match (&request.layers, &stored) {
        (Some(layers), _) => layers_of(Some(layers), None)?,
        (None, Some(stored)) => stored.layers.clone(),
        (None, None) => return Err(Problem::bad("layers: a new schedule needs them")),
    };
    let entropy = &mut Numbered(0);
    let mut draft = match (stored, &request.time_zone) {
        (Some(stored), _) => stored,
        (None, Some(zone)) => oncall::Schedule::of_layers(
            ScheduleId::random(entropy),
            TeamId::random(entropy),
            String::new(),
            zone.clone(),
            Vec::new(),
        ),
        (None, None) => return Err(Problem::bad("time_zone: a new schedule needs one")),
    };
    draft.layers = layers;
    if let Some(zone) = &request.time_zone {
        draft.time_zone.clone_from(zone);
    }
    if let Some(name) = &request.name {
        draft.name.clone_from(name);
    }
    add_to(&mut draft, request, now)?;
    Ok(draft)
}

/// Adds what would be changed by hand.
fn add_to(
    draft: &mut oncall::Schedule,
    request: &PreviewRequest,
    now: Timestamp,
) -> Result<(), Problem> {
    for (field, count) in [
        ("overrides", request.overrides.len()),
        ("temporary", request.temporary.len()),
    ] {
        if count > ADDED_MAX {
            return Err(Problem::bad(format!("{field}: at most {ADDED_MAX}")));
        }
    }
    let (entropy, mut reading) = (&mut Numbered(0), Reading::begin());
    for (index, one) in request.overrides.iter().enumerate() {
        let field = format!("overrides[{index}].user_id");
        if let Some(user) = reading.person(&field, &one.user_id) {
            let added = oncall::Override {
                id: OverrideId::random(entropy),
                user,
                span: one.span(now),
            };
            draft.apply(&oncall::Change::OverrideAdded { added }, now);
        }
    }
    for (index, one) in request.temporary.iter().enumerate() {
        let field = format!("temporary[{index}].members");
        let added = oncall::Temporary {
            id: TemporaryId::random(entropy),
            span: one.span(),
            members: reading.people(&field, &one.members),
            turn: one.turn.map(turn_of),
        };
        draft.apply(&oncall::Change::TemporaryAdded { added }, now);
    }
    if reading.reasons.is_empty() {
        Ok(())
    } else {
        Err(Problem::invalid(reading.reasons))
    }
}
