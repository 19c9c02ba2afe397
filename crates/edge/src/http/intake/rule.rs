//! Rules about alerts: ordered lists, of the installation and of each service.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use tocsin_domain::code;
use tocsin_domain::command::{AskedRule, IntakeAsk};
use tocsin_domain::event::{IntakeEvent, RosterEvent};
use tocsin_domain::intake::{Action, Condition, Field, Rule};
use utoipa::ToSchema;

use super::hours::HoursShape;
use super::{service_named, set_in};
use crate::access::who::Caller;
use crate::app::App;
use crate::http::body::Json as Body;
use crate::http::problem::Problem;
use crate::http::roster::lost;
use crate::http::shape::{Id, Severity};

/// What is asked of a field. Letters match in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Operator {
    Equals,
    Contains,
    StartsWith,
    /// The text is a pattern: `*` stands for any text, `?` for one character.
    Matches,
    /// The field is there and not empty; it needs no text.
    Exists,
}

impl From<code::Operator> for Operator {
    fn from(op: code::Operator) -> Self {
        match op {
            code::Operator::Equals => Self::Equals,
            code::Operator::Contains => Self::Contains,
            code::Operator::StartsWith => Self::StartsWith,
            code::Operator::Matches => Self::Matches,
            code::Operator::Exists => Self::Exists,
        }
    }
}

impl From<Operator> for code::Operator {
    fn from(op: Operator) -> Self {
        match op {
            Operator::Equals => Self::Equals,
            Operator::Contains => Self::Contains,
            Operator::StartsWith => Self::StartsWith,
            Operator::Matches => Self::Matches,
            Operator::Exists => Self::Exists,
        }
    }
}

/// When a rule applies: exactly one of `all`, `any`, `not`, `hours`, or `field` with `op`. Nothing at all: always.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ConditionShape {
    /// Each of these holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion)]
    all: Option<Vec<ConditionShape>>,
    /// One of these holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion)]
    any: Option<Vec<ConditionShape>>,
    /// This does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion)]
    not: Option<Box<ConditionShape>>,
    /// It is one of these hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    hours: Option<HoursShape>,
    /// `title`, `summary`, `severity`, `source`, `component`, `group`, `class`, `integration`, `service` or `details.NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// What is asked of the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    op: Option<Operator>,
    /// With what it is compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// What a rule does.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum ActionShape {
    /// The alert belongs to another service; in rules of the installation only.
    Route {
        #[schema(value_type = Id)]
        service_id: String,
    },
    /// It is as bad as this.
    SetSeverity { severity: Severity },
    /// It has this priority.
    SetPriority {
        #[schema(min_length = 1, max_length = 500)]
        priority: String,
    },
    /// It is kept and shown; nobody is paged.
    Suppress,
    /// Nobody is paged unless it still fails after so long.
    Pause {
        #[schema(minimum = 1, maximum = 3600)]
        seconds: u64,
    },
    /// It is thrown away, and counted. What Tocsin sees itself is suppressed instead.
    Drop,
    /// A note is added to its incident.
    Note {
        #[schema(min_length = 1, max_length = 500)]
        text: String,
    },
}

/// A rule to set.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertRuleRequest {
    /// Its id, to keep that of a known rule.
    #[schema(value_type = Option<Id>)]
    id: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    #[serde(default)]
    when: ConditionShape,
    #[schema(min_items = 1, max_items = 10)]
    then: Vec<ActionShape>,
    /// Whether the rules after it are looked at too.
    #[serde(default)]
    go_on: bool,
}

/// An ordered list of rules to set.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertRulesRequest {
    #[schema(max_items = 100)]
    rules: Vec<AlertRuleRequest>,
}

/// A rule about alerts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AlertRule {
    id: String,
    name: String,
    when: ConditionShape,
    then: Vec<ActionShape>,
    go_on: bool,
    /// How many alerts it has thrown away.
    dropped: u64,
}

/// Rules in the order in which they are looked at.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AlertRules {
    rules: Vec<AlertRule>,
}

impl ConditionShape {
    fn read(&self, place: &str) -> Result<Condition, String> {
        let list = |all: &[Self]| -> Result<Vec<Condition>, String> {
            all.iter().map(|one| one.read(place)).collect()
        };
        let mut found = Vec::new();
        if let Some(all) = &self.all {
            found.push(Condition::All { of: list(all)? });
        }
        if let Some(any) = &self.any {
            found.push(Condition::Any { of: list(any)? });
        }
        if let Some(not) = &self.not {
            found.push(Condition::Not {
                of: Box::new(not.read(place)?),
            });
        }
        if let Some(hours) = &self.hours {
            found.push(Condition::Hours {
                hours: hours.read(place)?,
            });
        }
        match (&self.field, self.op, &self.text) {
            (None, None, None) => {}
            (Some(field), Some(op), text) => found.push(Condition::Field {
                field: Field::named(field).map_err(|wrong| format!("{place}: {wrong}"))?,
                test: code::Operator::from(op)
                    .test(text.clone())
                    .map_err(|wrong| format!("{place}.text: {wrong}"))?,
            }),
            (_, _, _) => {
                return Err(format!(
                    "{place}: a field needs an op, and the other way round"
                ));
            }
        }
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (None, _) => Ok(Condition::All { of: Vec::new() }),
            (Some(one), None) => Ok(one),
            (Some(_), Some(_)) => Err(format!(
                "{place}: a condition is one of all, any, not, hours and field: put several into all or any"
            )),
        }
    }

    fn of(condition: &Condition) -> Self {
        let none = Self::default();
        let list = |of: &[Condition]| Some(of.iter().map(Self::of).collect());
        match condition {
            Condition::All { of } => Self {
                all: list(of),
                ..none
            },
            Condition::Any { of } => Self {
                any: list(of),
                ..none
            },
            Condition::Not { of } => Self {
                not: Some(Box::new(Self::of(of))),
                ..none
            },
            Condition::Hours { hours } => Self {
                hours: Some(HoursShape::of(hours)),
                ..none
            },
            Condition::Field { field, test } => {
                let (op, text) = code::Operator::of(test);
                Self {
                    field: Some(Field::word(field)),
                    op: Some(op.into()),
                    text: text.map(str::to_owned),
                    ..none
                }
            }
        }
    }
}

impl ActionShape {
    fn read(self, place: &str) -> Result<Action, String> {
        Ok(match self {
            Self::Route { service_id } => Action::Route {
                service: service_id
                    .parse()
                    .map_err(|_| format!("{place}.service_id: not an id of a service"))?,
            },
            Self::SetSeverity { severity } => Action::SetSeverity {
                severity: severity.into(),
            },
            Self::SetPriority { priority } => Action::SetPriority { priority },
            Self::Suppress => Action::Suppress,
            Self::Pause { seconds } => Action::Pause {
                ms: seconds.saturating_mul(1_000),
            },
            Self::Drop => Action::Drop,
            Self::Note { text } => Action::Note { text },
        })
    }

    fn of(action: &Action) -> Self {
        match action {
            Action::Route { service } => Self::Route {
                service_id: service.to_string(),
            },
            Action::SetSeverity { severity } => Self::SetSeverity {
                severity: (*severity).into(),
            },
            Action::SetPriority { priority } => Self::SetPriority {
                priority: priority.clone(),
            },
            Action::Suppress => Self::Suppress,
            Action::Pause { ms } => Self::Pause {
                seconds: ms / 1_000,
            },
            Action::Drop => Self::Drop,
            Action::Note { text } => Self::Note { text: text.clone() },
        }
    }
}

fn read_all(rules: Vec<AlertRuleRequest>) -> Result<Vec<AskedRule>, Problem> {
    let (mut asked, mut reasons) = (Vec::new(), Vec::new());
    for (index, request) in rules.into_iter().enumerate() {
        match read_one(request, &format!("rules[{index}]")) {
            Ok(rule) => asked.push(rule),
            Err(reason) => reasons.push(reason),
        }
    }
    if reasons.is_empty() {
        Ok(asked)
    } else {
        Err(Problem::invalid(reasons))
    }
}

fn read_one(request: AlertRuleRequest, place: &str) -> Result<AskedRule, String> {
    let wrong = |_| format!("{place}.id: not an id of a rule");
    let then = format!("{place}.then");
    Ok(AskedRule {
        id: request.id.map(|id| id.parse().map_err(wrong)).transpose()?,
        name: request.name,
        when: request.when.read(&format!("{place}.when"))?,
        then: request
            .then
            .into_iter()
            .map(|action| action.read(&then))
            .collect::<Result<_, _>>()?,
        go_on: request.go_on,
    })
}

fn shown(app: &App, rules: &[Rule]) -> Json<AlertRules> {
    let rules = app.read(|state| {
        let shown = rules.iter().map(|rule| AlertRule {
            id: rule.id.to_string(),
            name: rule.name.clone(),
            when: ConditionShape::of(&rule.when),
            then: rule.then.iter().map(ActionShape::of).collect(),
            go_on: rule.go_on,
            dropped: state.dropped.get(&rule.id).copied().unwrap_or_default(),
        });
        shown.collect()
    });
    Json(AlertRules { rules })
}

/// Rules about the alerts of every service, looked at before those of a service
#[utoipa::path(get, path = "/api/tocsin/v1/alert-rules", tag = "oncall",
    responses((status = 200, body = AlertRules)))]
pub(crate) async fn list_alert_rules(State(app): State<App>) -> Json<AlertRules> {
    let rules = app.read(|state| state.rules.clone());
    shown(&app, &rules)
}

/// Replace the rules about the alerts of every service
#[utoipa::path(put, path = "/api/tocsin/v1/alert-rules", tag = "oncall", request_body = AlertRulesRequest,
    responses((status = 200, body = AlertRules), (status = 400)))]
pub(crate) async fn set_alert_rules(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<AlertRulesRequest>,
) -> Result<Json<AlertRules>, Problem> {
    let ask = IntakeAsk::SetRules {
        service: None,
        rules: read_all(request.rules)?,
    };
    let RosterEvent::Intake(IntakeEvent::RulesSet { rules }) = set_in(&app, &caller, ask).await?
    else {
        return Err(lost());
    };
    Ok(shown(&app, &rules))
}

/// Rules about the alerts of one service
#[utoipa::path(get, path = "/api/tocsin/v1/services/{id}/alert-rules", tag = "oncall", params(("id" = String, Path)),
    responses((status = 200, body = AlertRules), (status = 404)))]
pub(crate) async fn list_service_rules(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<AlertRules>, Problem> {
    let service = service_named(&id)?;
    let rules = app.read(|state| {
        let service = state.services.get(&service)?;
        Some(service.intake.rules.clone())
    });
    let rules = rules.ok_or_else(|| Problem::not_found(&format!("service {id}")))?;
    Ok(shown(&app, &rules))
}

/// Replace the rules about the alerts of one service
#[utoipa::path(put, path = "/api/tocsin/v1/services/{id}/alert-rules", tag = "oncall", params(("id" = String, Path)),
    request_body = AlertRulesRequest, responses((status = 200, body = AlertRules), (status = 400), (status = 404)))]
pub(crate) async fn set_service_rules(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<AlertRulesRequest>,
) -> Result<Json<AlertRules>, Problem> {
    let ask = IntakeAsk::SetRules {
        service: Some(service_named(&id)?),
        rules: read_all(request.rules)?,
    };
    let RosterEvent::ServiceSet { service } = set_in(&app, &caller, ask).await? else {
        return Err(lost());
    };
    Ok(shown(&app, &service.intake.rules))
}
