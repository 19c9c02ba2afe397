//! What can be asked about incidents in bodies: opening and changing them, merging, snoozing, notes, requests for help. What
//! becomes of it is decided elsewhere.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::body::{self, Fields, Named, Wrong};
use super::refusal::Refusal;

/// Characters of a title at most.
pub const TITLE_CHARS_MAX: usize = 1_024;
/// Characters of what is said about an incident that is opened; more is cut, since an incident must not be lost for it.
pub const DETAILS_CHARS_MAX: usize = 4_000;
/// What stands at the end of what was cut.
const CUT: &str = "\n…, cut at 4,000 characters";
/// Characters of a key at most.
pub const KEY_CHARS_MAX: usize = 255;
/// Characters of a note, of a resolution and of a status update at most.
pub const NOTE_CHARS_MAX: usize = 3_900;
/// Characters of what stands above a status update at most.
pub const SUBJECT_CHARS_MAX: usize = 255;
/// Incidents that are changed at once at most.
pub const BULK_MAX: usize = 250;
/// Alerts that are changed at once at most.
pub const ALERTS_MAX: usize = 250;
/// Incidents that are merged at once at most.
pub const SOURCES_MAX: usize = 100;
/// People and policies that are asked to help at once at most.
pub const ASKED_MAX: usize = 50;
/// What incidents of PagerDuty have and ours have not.
const UNSERVED: [&str; 3] = ["conference_bridge", "custom_fields", "occurrence"];
/// What the incidents of PagerDuty that have no type of their own are said to be.
const TYPE: &str = "incident_default";

/// Where an incident or an alert is to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nobody has it.
    Triggered,
    /// Somebody has it.
    Acknowledged,
    /// It is over.
    Resolved,
}

/// How loudly one asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// It pages.
    High,
    /// It wakes nobody.
    Low,
}

const URGENCIES: [(&str, Urgency); 2] = [("high", Urgency::High), ("low", Urgency::Low)];
const STATUSES: [(&str, Status); 3] = [
    ("triggered", Status::Triggered),
    ("acknowledged", Status::Acknowledged),
    ("resolved", Status::Resolved),
];

/// Whom an incident goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// The ids of people.
    People(Vec<String>),
    /// The id of a policy.
    Policy(String),
}

/// An incident to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// What fails.
    pub title: String,
    /// The id of the service.
    pub service: String,
    /// How loudly; as the service says when none.
    pub urgency: Option<Urgency>,
    /// More about it.
    pub details: Option<String>,
    /// A key that no other open one has.
    pub key: Option<String>,
    /// The id of its priority.
    pub priority: Option<String>,
    /// Whom it goes to instead.
    pub to: Option<To>,
}

/// A change of an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// Its id, where the body names it.
    pub id: Option<String>,
    /// Where it is to stand.
    pub status: Option<Status>,
    /// A closing word.
    pub resolution: Option<String>,
    /// What it is called from now on.
    pub title: Option<String>,
    /// The id of its priority; `Some(None)` takes it back.
    pub priority: Option<Option<String>>,
    /// How loudly it asks.
    pub urgency: Option<Urgency>,
    /// Whom it goes to.
    pub to: Option<To>,
    /// The level of its policy that is to be paged, from 1.
    pub level: Option<u64>,
}

/// A change of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertUpdate {
    /// Its id, where the body names it.
    pub id: Option<String>,
    /// Where it is to stand.
    pub status: Option<Status>,
    /// The id of the incident it is to belong to.
    pub incident: Option<String>,
}

/// A request for help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asks, by id.
    pub requester: Option<String>,
    /// What they are asked.
    pub message: String,
    /// Who is asked.
    pub targets: Vec<Named>,
}

/// How an incident stands, in somebody's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusUpdate {
    /// What stands above them.
    pub subject: Option<String>,
    /// The words.
    pub message: String,
}

impl StatusUpdate {
    /// All of it as one text.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.subject {
            Some(subject) => format!("{subject}\n{}", self.message),
            None => self.message.clone(),
        }
    }
}

/// Reads the body of `POST /incidents`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn create(bytes: &[u8]) -> Result<Create, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "incident")?;
    let mut wrong = Wrong::default();
    let title = fields.readable(&mut wrong, "title", TITLE_CHARS_MAX);
    let service = fields.reference(&mut wrong, "service", "service");
    if fields.value("service").is_none() {
        wrong.add("'incident.service' is missing");
    }
    refuse_unserved(&fields, &mut wrong);
    let details = fields.object(&mut wrong, "body");
    let details = details.and_then(|body| body.text(&mut wrong, "details", usize::MAX));
    let rest = Create {
        title: String::new(),
        service: String::new(),
        urgency: fields.word(&mut wrong, "urgency", &URGENCIES),
        details: details.map(|text| cut(&text)),
        key: fields.text(&mut wrong, "incident_key", KEY_CHARS_MAX),
        priority: fields.reference(&mut wrong, "priority", "priority"),
        to: to(&fields, &mut wrong),
    };
    let read = title.zip(service).map(|(title, service)| Create {
        title,
        service,
        ..rest
    });
    wrong.outcome(read)
}

/// Types of their own give incidents of PagerDuty other fields and have other things done; ours are all of one kind.
fn refuse_unserved(fields: &Fields<'_>, wrong: &mut Wrong) {
    fields.refuse(wrong, &UNSERVED);
    let Some(kind) = fields.object(wrong, "incident_type") else {
        return;
    };
    let is_plain = kind.value("name").and_then(Value::as_str) == Some(TYPE);
    if !is_plain && kind.names().next().is_some() {
        let path = fields.path("incident_type");
        wrong.add(format!(
            "'{path}' is not supported: Tocsin has no types of incidents; {TYPE} is taken"
        ));
    }
}

/// As much as is kept of a text, which says when that is not all.
fn cut(text: &str) -> String {
    let readable = |character: &char| !character.is_control() || "\n\t".contains(*character);
    let kept = text.chars().filter(readable);
    if kept.clone().count() <= DETAILS_CHARS_MAX {
        return kept.collect();
    }
    let room = DETAILS_CHARS_MAX - CUT.chars().count();
    kept.take(room).chain(CUT.chars()).collect()
}

/// Reads the body of `PUT /incidents/{id}`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn update(bytes: &[u8]) -> Result<Update, Refusal> {
    usual_update(bytes).map_or_else(|| any_update(bytes), Ok)
}

/// The same by the way that all bodies can go.
fn any_update(bytes: &[u8]) -> Result<Update, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "incident")?;
    let mut wrong = Wrong::default();
    let update = update_of(&fields, &mut wrong);
    wrong.outcome(Some(update))
}

/// Most of them say where the incident is to stand and nothing else, and are read without a value in between. None of what is said
/// otherwise, which is read and refused by the other way.
fn usual_update(bytes: &[u8]) -> Option<Update> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body<'a> {
        #[serde(borrow)]
        incident: Usual<'a>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Usual<'a> {
        #[serde(rename = "type")]
        _kind: Option<&'a str>,
        status: &'a str,
    }

    // A list would be read as the fields of an object in their order.
    let is_plain = !bytes.contains(&b'[');
    let body: Body<'_> = is_plain.then(|| serde_json::from_slice(bytes).ok())??;
    let (_, status) = STATUSES
        .into_iter()
        .find(|(word, _)| *word == body.incident.status)?;
    Some(Update {
        status: Some(status),
        ..Update::default()
    })
}

/// Reads the body of `PUT /incidents`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn updates(bytes: &[u8]) -> Result<Vec<Update>, Refusal> {
    let body = body::object(bytes)?;
    let mut wrong = Wrong::default();
    let mut updates = Vec::new();
    for fields in body::wrapped_list(&body, "incidents", BULK_MAX)? {
        let id = fields.required(&mut wrong, "id", 64);
        let update = update_of(&fields, &mut wrong);
        updates.push(Update { id, ..update });
    }
    wrong.outcome(Some(updates))
}

fn update_of(fields: &Fields<'_>, wrong: &mut Wrong) -> Update {
    refuse_unserved(fields, wrong);
    let is_said = fields.has("priority");
    let priority = is_said.then(|| fields.reference(wrong, "priority", "priority"));
    let level = fields.number(wrong, "escalation_level");
    Update {
        id: None,
        status: fields.word(wrong, "status", &STATUSES),
        resolution: fields.readable_if_any(wrong, "resolution", NOTE_CHARS_MAX),
        title: fields.readable_if_any(wrong, "title", TITLE_CHARS_MAX),
        priority,
        urgency: fields.word(wrong, "urgency", &URGENCIES),
        to: to(fields, wrong),
        level,
    }
}

fn to(fields: &Fields<'_>, wrong: &mut Wrong) -> Option<To> {
    let assignments = fields.objects(wrong, "assignments");
    let people = assignments.map(|list| {
        let assignee = list.iter().filter_map(|one| {
            let user = one.reference(wrong, "assignee", "user");
            if one.value("assignee").is_none() {
                wrong.add(format!("'{}' is missing", one.path("assignee")));
            }
            user
        });
        assignee.collect::<Vec<String>>()
    });
    let policy = fields.reference(wrong, "escalation_policy", "escalation_policy");
    match (people.filter(|people| !people.is_empty()), policy) {
        (Some(_), Some(_)) => {
            wrong.add("'assignments' and 'escalation_policy' cannot both be given");
            None
        }
        (Some(people), None) => Some(To::People(people)),
        (None, Some(policy)) => Some(To::Policy(policy)),
        (None, None) => None,
    }
}

/// Reads the body of `PUT /incidents/{id}/merge`: the ids of those that end.
///
/// # Errors
/// Everything that is wrong with it.
pub fn sources(bytes: &[u8]) -> Result<Vec<String>, Refusal> {
    let body = body::object(bytes)?;
    let mut wrong = Wrong::default();
    let sources = body::wrapped_list(&body, "source_incidents", SOURCES_MAX)?;
    let ids = sources
        .iter()
        .filter_map(|one| one.id(&mut wrong, "incident"));
    let ids = ids.collect();
    wrong.outcome(Some(ids))
}

/// Reads the body of `POST /incidents/{id}/snooze`: for how many seconds.
///
/// # Errors
/// It is no number from 1 to 604800.
pub fn snooze(bytes: &[u8]) -> Result<u64, Refusal> {
    let body = body::object(bytes)?;
    let fields = Fields::new("", &body);
    let mut wrong = Wrong::default();
    let seconds = fields.number(&mut wrong, "duration");
    if seconds.is_none() && fields.value("duration").is_none() {
        return Err(Refusal::missing("'duration' is missing"));
    }
    let good = seconds.filter(|seconds| (1..=604_800).contains(seconds));
    if good.is_none() && seconds.is_some() {
        wrong.add("'duration' is invalid: it is 1 to 604800 seconds");
    }
    wrong.outcome(good)
}

/// Reads the body of `POST /incidents/{id}/notes`: its text.
///
/// # Errors
/// There is none, or none that can be read.
pub fn note(bytes: &[u8]) -> Result<String, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "note")?;
    let mut wrong = Wrong::default();
    let text = fields.readable(&mut wrong, "content", NOTE_CHARS_MAX);
    wrong.outcome(text)
}

/// Reads the body of `POST /incidents/{id}/status_updates`.
///
/// # Errors
/// It says nothing that can be read, or it has what Tocsin cannot send.
pub fn status_update(bytes: &[u8]) -> Result<StatusUpdate, Refusal> {
    let body = body::object(bytes)?;
    let fields = Fields::new("", &body);
    let mut wrong = Wrong::default();
    fields.refuse(&mut wrong, &["html_message"]);
    let subject = fields.readable_if_any(&mut wrong, "subject", SUBJECT_CHARS_MAX);
    let message = fields.readable(&mut wrong, "message", NOTE_CHARS_MAX);
    let update = message.map(|message| StatusUpdate { subject, message });
    let is_long = |update: &StatusUpdate| update.text().chars().count() > NOTE_CHARS_MAX;
    if update.as_ref().is_some_and(is_long) {
        wrong.add(format!(
            "'message' is too long (maximum is {NOTE_CHARS_MAX} characters together with 'subject')"
        ));
    }
    wrong.outcome(update)
}

/// Reads the body of `PUT /incidents/{id}/alerts/{alert_id}`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn alert(bytes: &[u8]) -> Result<AlertUpdate, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "alert")?;
    let mut wrong = Wrong::default();
    let update = alert_of(&fields, &mut wrong);
    wrong.outcome(Some(update))
}

/// Reads the body of `PUT /incidents/{id}/alerts`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn alerts(bytes: &[u8]) -> Result<Vec<AlertUpdate>, Refusal> {
    let body = body::object(bytes)?;
    let mut wrong = Wrong::default();
    let mut updates = Vec::new();
    for fields in body::wrapped_list(&body, "alerts", ALERTS_MAX)? {
        let id = fields.required(&mut wrong, "id", 64);
        let update = alert_of(&fields, &mut wrong);
        updates.push(AlertUpdate { id, ..update });
    }
    wrong.outcome(Some(updates))
}

fn alert_of(fields: &Fields<'_>, wrong: &mut Wrong) -> AlertUpdate {
    AlertUpdate {
        id: None,
        status: fields.word(wrong, "status", &STATUSES),
        incident: fields.reference(wrong, "incident", "incident"),
    }
}

/// Reads the body of `POST /incidents/{id}/responder_requests`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn request(bytes: &[u8]) -> Result<Request, Refusal> {
    let body: Map<String, Value> = body::object(bytes)?;
    let fields = Fields::new("", &body);
    let mut wrong = Wrong::default();
    let message = fields.readable(&mut wrong, "message", 1_000);
    let list = body::wrapped_list(&body, "responder_request_targets", ASKED_MAX)?;
    let mut targets = Vec::new();
    for entry in &list {
        // Some clients leave the inner wrapper off.
        let inner = entry.object(&mut wrong, "responder_request_target");
        let named = inner.as_ref().unwrap_or(entry).named(&mut wrong);
        let Some(named) = named else { continue };
        if named.kind == "user" || named.kind == "escalation_policy" {
            targets.push(named);
        } else {
            let place = entry.path("type");
            wrong.add(format!(
                "'{place}' is invalid: it is user_reference or escalation_policy_reference"
            ));
        }
    }
    let requester = fields.text(&mut wrong, "requester_id", 64);
    let request = message.map(|message| Request {
        requester,
        message,
        targets,
    });
    wrong.outcome(request)
}

#[cfg(test)]
mod tests;
