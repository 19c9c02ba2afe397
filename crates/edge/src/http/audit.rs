//! What was changed of people, the roster and settings, and by whom, as the journal tells it. Nothing is kept for it alone.

pub(crate) mod walk;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tocsin_domain::changed::ChangedKind;
use tocsin_domain::event::Actor;
use tocsin_domain::id::UserId;
use tocsin_domain::state;
use utoipa::ToSchema;

use super::body::Params;
use super::incident::timeline::{Names, TimelineEntry, entry};
use super::page::{Page, PageQuery};
use super::problem::Problem;
use super::roster::rota::instant;
use super::shape::Instant;
use super::tag;
use crate::app::App;
use walk::{Action, Record, Wanted};

/// What kind of thing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuditKind {
    /// The installation itself: the list of last resort, priorities.
    Installation,
    /// A person, with ways to reach them and their rules.
    User,
    /// A team.
    Team,
    /// A schedule.
    Schedule,
    /// An escalation policy.
    EscalationPolicy,
    /// A service.
    Service,
    /// An integration of a service.
    Integration,
    /// The rules about the alerts of every service.
    AlertRules,
    /// A maintenance window.
    MaintenanceWindow,
    /// A job that must call in.
    Heartbeat,
    /// A subscription to what happens to incidents.
    WebhookSubscription,
    /// A tag.
    Tag,
    /// A business service.
    BusinessService,
    /// Which services need which.
    ServiceDependencies,
    /// A calendar that is subscribed to.
    Calendar,
    /// A watched web server.
    Target,
    /// A monitor.
    Monitor,
}

impl From<ChangedKind> for AuditKind {
    fn from(kind: ChangedKind) -> Self {
        match kind {
            ChangedKind::Installation => Self::Installation,
            ChangedKind::User => Self::User,
            ChangedKind::Team => Self::Team,
            ChangedKind::Schedule => Self::Schedule,
            ChangedKind::Policy => Self::EscalationPolicy,
            ChangedKind::Service => Self::Service,
            ChangedKind::Integration => Self::Integration,
            ChangedKind::Rules => Self::AlertRules,
            ChangedKind::Window => Self::MaintenanceWindow,
            ChangedKind::Heartbeat => Self::Heartbeat,
            ChangedKind::Webhook => Self::WebhookSubscription,
            ChangedKind::Tag => Self::Tag,
            ChangedKind::BusinessService => Self::BusinessService,
            ChangedKind::Dependencies => Self::ServiceDependencies,
            ChangedKind::Calendar => Self::Calendar,
            ChangedKind::Target => Self::Target,
            ChangedKind::Monitor => Self::Monitor,
        }
    }
}

impl From<AuditKind> for ChangedKind {
    fn from(kind: AuditKind) -> Self {
        match kind {
            AuditKind::Installation => Self::Installation,
            AuditKind::User => Self::User,
            AuditKind::Team => Self::Team,
            AuditKind::Schedule => Self::Schedule,
            AuditKind::EscalationPolicy => Self::Policy,
            AuditKind::Service => Self::Service,
            AuditKind::Integration => Self::Integration,
            AuditKind::AlertRules => Self::Rules,
            AuditKind::MaintenanceWindow => Self::Window,
            AuditKind::Heartbeat => Self::Heartbeat,
            AuditKind::WebhookSubscription => Self::Webhook,
            AuditKind::Tag => Self::Tag,
            AuditKind::BusinessService => Self::BusinessService,
            AuditKind::ServiceDependencies => Self::Dependencies,
            AuditKind::Calendar => Self::Calendar,
            AuditKind::Target => Self::Target,
            AuditKind::Monitor => Self::Monitor,
        }
    }
}

/// What was done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AuditAction {
    /// It was made.
    Created,
    /// It was changed.
    Updated,
    /// It was removed.
    Removed,
}

impl From<Action> for AuditAction {
    fn from(action: Action) -> Self {
        match action {
            Action::Created => Self::Created,
            Action::Updated => Self::Updated,
            Action::Removed => Self::Removed,
        }
    }
}

/// What was changed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AuditObject {
    kind: AuditKind,
    /// Its id; null where there is one of its kind alone.
    id: Option<String>,
    /// What it was called; null where it has no name, or the name is not known any more.
    name: Option<String>,
}

/// Who changes things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AuditActorKind {
    /// A person, in a browser, by a message that they were sent, or by a token.
    Person,
    /// A token of the installation, which belongs to nobody.
    Token,
    /// A foreign system.
    Integration,
    /// Tocsin itself.
    System,
}

/// Who changed it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AuditActor {
    kind: AuditActorKind,
    /// The id of the person, of the token or of the integration; null for Tocsin itself.
    id: Option<String>,
    /// The token of the installation by which it was done in the name of the person; null where none was.
    token_id: Option<String>,
    name: String,
}

/// One change.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AuditRecord {
    /// Its place in the journal.
    position: u64,
    /// When it was made.
    at: Instant,
    actor: AuditActor,
    action: AuditAction,
    object: AuditObject,
    /// What happened, in the word of the live stream (`people.user_changed`).
    kind: String,
    /// What happened, in one sentence.
    title: String,
    /// More about it; may be empty.
    detail: String,
}

/// Which changes are wanted: those of which all holds that is said.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Only those that were made then (RFC 3339) or later.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Only those that were made before then (RFC 3339).
    #[param(format = DateTime)]
    until: Option<String>,
    /// Only those of the person, the token or the integration with this id.
    #[param(pattern = "^Q[A-Z2-7]{13}$")]
    actor: Option<String>,
    /// Only those of things of this kind.
    #[param(inline)]
    kind: Option<AuditKind>,
    /// Only those of the one of that kind with this id; it goes with `kind`.
    id: Option<String>,
    /// Items wanted, 1 to 200; 50 when not given.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What was changed of people, the roster and settings, newest first
///
/// One page looks at 2000 changes: it may have fewer items than were wanted, or none, while `next_cursor` leads to older ones. What is
/// kept beside the journal is not among them: passwords, sessions, API tokens, and by which accounts messages leave.
#[utoipa::path(get, path = "/api/tocsin/v1/audit/records", tag = "settings", params(AuditQuery),
    responses((status = 200, body = Page<AuditRecord>), (status = 400)))]
pub(crate) async fn list_audit_records(
    State(app): State<App>,
    Params(query): Params<AuditQuery>,
) -> Result<Json<Page<AuditRecord>>, Problem> {
    let wanted = wanted(&app, &query)?;
    let page = PageQuery {
        limit: query.limit,
        cursor: query.cursor,
    };
    let (limit, before) = (page.limit()?, page.after_number()?);
    let looking = app.clone();
    let find = move || wanted.find(&looking, before, limit);
    let found = app.walked(find).await?;
    let items = app.read(|state| {
        let records = found.records.into_iter();
        records.map(|record| shown(state, record)).collect()
    });
    Ok(Json(Page {
        items,
        next_cursor: found.next.map(|position| position.to_string()),
    }))
}

fn wanted(app: &App, query: &AuditQuery) -> Result<Wanted, Problem> {
    let mut reasons = Vec::new();
    let since = instant("since", query.since.as_deref(), &mut reasons);
    let until = instant("until", query.until.as_deref(), &mut reasons);
    if let (Some(since), Some(until)) = (since, until)
        && until <= since
    {
        reasons.push("until: must be later than since".to_owned());
    }
    if query.id.is_some() && query.kind.is_none() {
        reasons.push("id: needs the kind of what has it".to_owned());
    }
    // Ids of people, tokens and integrations have one form.
    let actor = query.actor.as_deref();
    if actor.is_some_and(|actor| actor.parse::<UserId>().is_err()) {
        reasons.push("actor: an id of a person, a token or an integration".to_owned());
    }
    if !reasons.is_empty() {
        return Err(Problem::invalid(reasons));
    }
    let kind = query.kind.map(ChangedKind::from);
    let (of, gone_tag) = match kind.zip(query.id.clone()) {
        // A tag has no id of its own, and is known by its label.
        Some((ChangedKind::Tag, id)) => {
            let is_it = |label: &&String| tag::id_of(label) == id;
            match app.read(|state| state.tags.keys().find(is_it).cloned()) {
                Some(label) => (Some((ChangedKind::Tag, label)), None),
                None => (None, Some(id)),
            }
        }
        of => (of, None),
    };
    let actor = query.actor.clone();
    let is_by = move |by: &Actor| {
        let wanted = actor.as_deref();
        wanted.is_none_or(|id| ids(by).contains(&Some(id)))
    };
    Ok(Wanted {
        kinds: kind.filter(|_| of.is_none()).map(|kind| vec![kind]),
        of,
        gone_tag,
        since,
        until,
        actions: None,
        is_by: Box::new(is_by),
    })
}

/// The id of whoever did it, and that of the token by which it was done in their name.
fn ids(actor: &Actor) -> [Option<&str>; 2] {
    match actor {
        Actor::Person { user } | Actor::Channel { user, .. } => [Some(user.as_str()), None],
        Actor::OnBehalf { user, token, .. } => [Some(user.as_str()), Some(token.as_str())],
        Actor::Token { token, .. } => [Some(token.as_str()), None],
        Actor::Integration { integration } => [Some(integration.as_str()), None],
        Actor::System | Actor::Monitor { .. } | Actor::Rule { .. } => [None, None],
    }
}

const fn kind_of(actor: &Actor) -> AuditActorKind {
    match actor {
        Actor::Person { .. } | Actor::Channel { .. } | Actor::OnBehalf { .. } => {
            AuditActorKind::Person
        }
        Actor::Token { .. } => AuditActorKind::Token,
        Actor::Integration { .. } => AuditActorKind::Integration,
        Actor::System | Actor::Monitor { .. } | Actor::Rule { .. } => AuditActorKind::System,
    }
}

fn shown(state: &state::State, record: Record) -> AuditRecord {
    let names = Names(state);
    let TimelineEntry {
        position,
        at,
        kind,
        title,
        detail,
        ..
    } = entry(&record.event, &names);
    let by = &record.event.actor;
    let [id, token_id] = ids(by).map(|id| id.map(str::to_owned));
    let id_of_object = if record.kind == ChangedKind::Tag {
        tag::id_of(&record.id)
    } else {
        record.id
    };
    AuditRecord {
        position,
        at,
        actor: AuditActor {
            kind: kind_of(by),
            id,
            token_id,
            name: names.actor_name(by),
        },
        action: record.action.into(),
        object: AuditObject {
            kind: record.kind.into(),
            id: Some(id_of_object).filter(|id| !id.is_empty()),
            name: record.name,
        },
        kind,
        title,
        detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_told_by_a_word_by_which_it_is_found() {
        for kind in [
            ChangedKind::Installation,
            ChangedKind::User,
            ChangedKind::Policy,
            ChangedKind::Rules,
            ChangedKind::Dependencies,
            ChangedKind::Monitor,
        ] {
            assert_eq!(ChangedKind::from(AuditKind::from(kind)), kind);
        }
    }
}
