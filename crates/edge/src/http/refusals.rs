//! What operations answer besides what they say of themselves: refusals by the gate, and by what reads queries and bodies, in the
//! words of the side that is asked. It knows no operation by its name.

use std::collections::BTreeMap;

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ArrayBuilder, Components, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{Content, Ref, RefOr, Required, Response, ResponseBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::parameters;
use super::problem::ProblemDocument;
use crate::access::token_limit;
use crate::access::who::{Front, Who};

const JSON: &str = "application/json";

/// Answers that several operations give, by their names.
pub(crate) type Refusals = BTreeMap<String, RefOr<Response>>;

/// The statuses of refusals, each with its name and what it tells.
const STATUSES: [(&str, &str, &str); 12] = [
    ("400", "BadRequest", "It cannot be read, or is not possible"),
    (
        "401",
        "Unauthorized",
        "Nobody is known by this token, key or cookie",
    ),
    ("403", "Forbidden", "Not for this caller"),
    ("404", "NotFound", "There is no such thing"),
    ("408", "RequestTimeout", "The body did not arrive in time"),
    (
        "409",
        "Conflict",
        "It does not fit what is, or a request with this Idempotency-Key is under way",
    ),
    ("413", "PayloadTooLarge", "The body is too large"),
    ("415", "UnsupportedMediaType", "The body is of another kind"),
    (
        "422",
        "UnprocessableEntity",
        "It can be read and not be carried out",
    ),
    (
        "429",
        "TooManyRequests",
        "Too often; Retry-After says when to send it again",
    ),
    (
        "503",
        "ServiceUnavailable",
        "Not now; Retry-After says when to send it again",
    ),
    ("507", "InsufficientStorage", "The disk is full"),
];

/// In whose words an operation refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Words {
    /// Tocsin's own: a problem document.
    Own,
    Prometheus,
    Alertmanager,
    PagerDuty,
}

impl Words {
    const fn of(who: Who) -> Option<Self> {
        match who {
            Who::Public
            | Who::Session
            | Who::Role(_)
            | Who::SelfOr(_)
            | Who::Key(Front::Webhook | Front::Heartbeats | Front::Canary) => Some(Self::Own),
            Who::Key(Front::Alertmanager) | Who::Token(Front::Alertmanager, _) => {
                Some(Self::Alertmanager)
            }
            Who::Token(Front::Prometheus, _) => Some(Self::Prometheus),
            Who::Token(Front::PagerDutyRest, _) => Some(Self::PagerDuty),
            // Pages, bare statuses, and bodies that each of them describes itself.
            Who::Key(
                Front::PagerDutyEvents
                | Front::PagerDutyRest
                | Front::AnswerLink
                | Front::Twilio
                | Front::Prometheus
                | Front::Opsgenie,
            )
            | Who::Token(
                Front::PagerDutyEvents
                | Front::AnswerLink
                | Front::Twilio
                | Front::Heartbeats
                | Front::Webhook
                | Front::Opsgenie
                | Front::Canary,
                _,
            ) => None,
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Own => "",
            Self::Prometheus => "Prometheus",
            Self::Alertmanager => "Alertmanager",
            Self::PagerDuty => "PagerDuty",
        }
    }

    /// The kind of the body, and its schema.
    fn body(self, status: &str) -> (&'static str, RefOr<Schema>) {
        let named = |name: &str| -> RefOr<Schema> { Ref::from_schema_name(name).into() };
        match self {
            Self::Own => ("application/problem+json", named(&ProblemDocument::name())),
            Self::Prometheus => (JSON, named("PrometheusRefusal")),
            Self::PagerDuty => (JSON, named("PagerDutyRefusal")),
            Self::Alertmanager => (JSON, alertmanager_body(status)),
        }
    }

    /// The answer of this status, which stands among `refusals`; none when refusals have no such one.
    fn answer(self, status: &str, refusals: &mut Refusals) -> Option<RefOr<Response>> {
        let mut all = STATUSES.iter();
        let (_, name, tells) = all.find(|(known, _, _)| *known == status)?;
        let name = format!("{}{name}", self.prefix());
        let answer = Ref::from_response_name(&name);
        refusals.entry(name).or_insert_with(|| {
            let (kind, schema) = self.body(status);
            let content = Content::new(Some(schema));
            let told = ResponseBuilder::new().description(*tells);
            RefOr::T(told.content(kind, content).build())
        });
        Some(RefOr::Ref(answer))
    }
}

/// What reads its requests refuses with a code, a handler with a text; of what is wrong both may say so.
fn alertmanager_body(status: &str) -> RefOr<Schema> {
    let coded = Ref::from_schema_name("AlertmanagerRefusal");
    match status {
        "401" | "403" | "415" | "422" => coded.into(),
        "400" | "429" => OneOfBuilder::new().item(text()).item(coded).into(),
        _ => text().into(),
    }
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn whole() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer)
}

/// The schemas that refusals name.
pub(crate) fn add_schemas(components: &mut Components) {
    let prometheus = ObjectBuilder::new()
        .description(Some("Why Prometheus' API did not do it."))
        .property("status", text())
        .required("status")
        .property("errorType", text())
        .required("errorType")
        .property("error", text())
        .required("error");
    let alertmanager = ObjectBuilder::new()
        .description(Some("Why Alertmanager's API did not read it."))
        .property("code", whole())
        .required("code")
        .property("message", text())
        .required("message");
    let error = ObjectBuilder::new()
        .property("message", text())
        .required("message")
        .property("code", whole())
        .required("code")
        .property("errors", ArrayBuilder::new().items(text()))
        .required("errors");
    let pagerduty = ObjectBuilder::new()
        .description(Some("Why PagerDuty's REST API did not do it."))
        .property("error", error)
        .required("error");
    let schemas = [
        (
            ProblemDocument::name().into_owned(),
            ProblemDocument::schema(),
        ),
        ("PrometheusRefusal".to_owned(), prometheus.into()),
        ("AlertmanagerRefusal".to_owned(), alertmanager.into()),
        ("PagerDutyRefusal".to_owned(), pagerduty.into()),
    ];
    components.schemas.extend(schemas);
}

/// Adds to an operation how it refuses, where it does not say so itself.
pub(crate) fn tell(
    operation: &mut Operation,
    who: Who,
    (method, path): (&str, &str),
    refusals: &mut Refusals,
) {
    let Some(words) = Words::of(who) else { return };
    let added = statuses(words, who, (method, path), operation);
    let all = &mut operation.responses.responses;
    for (status, answer) in all.iter_mut() {
        let is_bare =
            matches!(answer, RefOr::T(own) if own.description.is_empty() && own.content.is_empty());
        if is_bare
            && status.as_str() >= "400"
            && let Some(told) = words.answer(status, refusals)
        {
            *answer = told;
        }
    }
    for status in added {
        if !all.contains_key(status)
            && let Some(told) = words.answer(status, refusals)
        {
            all.insert(status.to_owned(), told);
        }
    }
}

/// The refusals by all that stands before a handler.
fn statuses(
    words: Words,
    who: Who,
    (method, path): (&str, &str),
    operation: &Operation,
) -> Vec<&'static str> {
    let is_safe = method == "GET";
    let has_caller = match who {
        Who::Session | Who::Role(_) | Who::SelfOr(_) | Who::Token(..) => true,
        Who::Key(front) => front == Front::Alertmanager,
        Who::Public => false,
    };
    let refuses_some = match who {
        Who::Session | Who::SelfOr(_) => true,
        // A token may have scopes, and a session is refused when another site makes a browser change something.
        Who::Role(_) | Who::Token(..) => true,
        Who::Public => !is_safe,
        Who::Key(front) => front == Front::Alertmanager,
    };
    // What has an Idempotency-Key is read, and may be under way.
    let is_repeatable = has_caller && method == "POST";
    let has_body = operation.request_body.is_some();
    let mut all = Vec::new();
    let mut add = |is_so: bool, statuses: &[&'static str]| {
        if is_so {
            all.extend_from_slice(statuses);
        }
    };
    add(has_caller, &["401"]);
    add(refuses_some, &["403"]);
    match words {
        Words::Own => {
            let is_read = has_body || is_repeatable;
            let has_query = has_query(operation) || parameters::are_declared(path);
            add(is_read || has_query, &["400"]);
            add(is_read, &["408", "413"]);
            add(is_repeatable, &["409"]);
            add(token_limit::counts(who, path), &["429"]);
            add(true, &["503"]);
            add(!is_safe, &["507"]);
        }
        // A form may have the parameters.
        Words::Prometheus => {
            let is_read = !is_safe && (has_body || has_query(operation));
            add(is_read, &["400", "408", "413"]);
            add(token_limit::counts_own(who), &["429"]);
        }
        Words::Alertmanager => {
            add(has_body, &["400", "408", "413", "415"]);
            add(token_limit::counts_own(who), &["429"]);
        }
        Words::PagerDuty => add(true, &["400", "408", "413", "429"]),
    }
    all
}

fn has_query(operation: &Operation) -> bool {
    !parameters::names_of(operation).is_empty()
}

/// An action of the native API whose body says nothing that is needed may come without one.
pub(crate) fn free_of_body(
    operation: &mut Operation,
    who: Who,
    method: &str,
    schemas: &[(String, RefOr<Schema>)],
) {
    let is_native = matches!(who, Who::Session | Who::Role(_) | Who::SelfOr(_));
    let Some(RefOr::T(body)) = &mut operation.request_body else {
        return;
    };
    let named = match body.content.get(JSON) {
        Some(RefOr::T(Content {
            schema: Some(RefOr::Ref(named)),
            ..
        })) => named.ref_location.rsplit_once('/'),
        Some(RefOr::T(_) | RefOr::Ref(_)) | None => None,
    };
    let schema = named.and_then(|(_, name)| schemas.iter().find(|(known, _)| known == name));
    let needs_nothing = matches!(
        schema,
        Some((_, RefOr::T(Schema::Object(object)))) if object.required.is_empty()
    );
    if is_native && method == "POST" && needs_nothing {
        body.required = Some(Required::False);
    }
}
