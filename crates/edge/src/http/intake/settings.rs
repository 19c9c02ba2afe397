//! How a service takes its alerts in: urgency, grouping, the end by silence.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use tocsin_domain::command::IntakeAsk;
use tocsin_domain::event::RosterEvent;
use tocsin_domain::intake::{Field, GroupBy, Intake, Loudness, SupportHours, UrgencyBy};
use utoipa::ToSchema;

use super::hours::HoursShape;
use super::{service_named, set_in};
use crate::access::who::Caller;
use crate::app::App;
use crate::http::body::Json as Body;
use crate::http::problem::Problem;
use crate::http::roster::lost;

const MINUTE_MS: u64 = 60_000;

/// How urgent alerts are at some hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LoudnessWord {
    /// They page.
    High,
    /// They do not.
    Low,
    /// As their severity says.
    Severity,
}

impl From<LoudnessWord> for Loudness {
    fn from(word: LoudnessWord) -> Self {
        match word {
            LoudnessWord::High => Self::High,
            LoudnessWord::Low => Self::Low,
            LoudnessWord::Severity => Self::Severity,
        }
    }
}

impl From<Loudness> for LoudnessWord {
    fn from(loudness: Loudness) -> Self {
        match loudness {
            Loudness::High => Self::High,
            Loudness::Low => Self::Low,
            Loudness::Severity => Self::Severity,
        }
    }
}

/// How the urgency of an alert is found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum UrgencyShape {
    /// Error and critical page.
    Severity,
    /// Every alert pages.
    High,
    /// None does.
    Low,
    /// It depends on the hour.
    SupportHours {
        hours: HoursShape,
        during: LoudnessWord,
        outside: LoudnessWord,
        /// Whether what is open and not urgent is raised when the hours begin.
        #[serde(default)]
        raise: bool,
    },
}

/// Which alerts make one incident.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum GroupingShape {
    /// Each its own.
    Nothing,
    /// Those that come within a span of time.
    Time {
        #[schema(maximum = 1440)]
        minutes: u64,
        /// Whether the span begins anew with each alert.
        #[serde(default)]
        rolling: bool,
    },
    /// Those with the same values of these fields, named as in rules.
    Content {
        #[schema(min_items = 1, max_items = 5)]
        fields: Vec<String>,
    },
}

/// How a service takes its alerts in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntakeSettings {
    urgency: UrgencyShape,
    grouping: GroupingShape,
    /// After so long without news, an alert from outside is taken to be over; null for never.
    #[schema(minimum = 5, maximum = 43200)]
    resolve_after_minutes: Option<u64>,
}

impl IntakeSettings {
    fn of(intake: &Intake) -> Self {
        Self {
            urgency: match &intake.urgency {
                UrgencyBy::Severity => UrgencyShape::Severity,
                UrgencyBy::High => UrgencyShape::High,
                UrgencyBy::Low => UrgencyShape::Low,
                UrgencyBy::SupportHours(support) => UrgencyShape::SupportHours {
                    hours: HoursShape::of(&support.hours),
                    during: support.during.into(),
                    outside: support.outside.into(),
                    raise: support.raise,
                },
            },
            grouping: match &intake.grouping {
                GroupBy::Nothing => GroupingShape::Nothing,
                GroupBy::Time { within_ms, rolling } => GroupingShape::Time {
                    minutes: within_ms / MINUTE_MS,
                    rolling: *rolling,
                },
                GroupBy::Content { fields } => GroupingShape::Content {
                    fields: fields.iter().map(Field::word).collect(),
                },
            },
            resolve_after_minutes: intake.resolve_after_ms.map(|ms| ms / MINUTE_MS),
        }
    }

    fn urgency(&self) -> Result<UrgencyBy, String> {
        Ok(match &self.urgency {
            UrgencyShape::Severity => UrgencyBy::Severity,
            UrgencyShape::High => UrgencyBy::High,
            UrgencyShape::Low => UrgencyBy::Low,
            UrgencyShape::SupportHours {
                hours,
                during,
                outside,
                raise,
            } => UrgencyBy::SupportHours(Box::new(SupportHours {
                hours: hours.read("urgency.hours")?,
                during: (*during).into(),
                outside: (*outside).into(),
                raise: *raise,
            })),
        })
    }

    fn grouping(&self) -> Result<GroupBy, String> {
        Ok(match &self.grouping {
            GroupingShape::Nothing => GroupBy::Nothing,
            GroupingShape::Time { minutes, rolling } => GroupBy::Time {
                within_ms: minutes.saturating_mul(MINUTE_MS),
                rolling: *rolling,
            },
            GroupingShape::Content { fields } => {
                let fields = fields.iter().map(|field| Field::named(field));
                GroupBy::Content {
                    fields: fields.collect::<Result<_, _>>()?,
                }
            }
        })
    }
}

/// How a service takes its alerts in
#[utoipa::path(get, path = "/api/tocsin/v1/services/{id}/intake", tag = "oncall", params(("id" = String, Path)),
    responses((status = 200, body = IntakeSettings), (status = 404)))]
pub(crate) async fn get_settings(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<IntakeSettings>, Problem> {
    let service = service_named(&id)?;
    let known = app.read(|state| {
        let service = state.services.get(&service)?;
        Some(IntakeSettings::of(&service.intake))
    });
    known
        .map(Json)
        .ok_or_else(|| Problem::not_found(&format!("service {id}")))
}

/// Change how a service takes its alerts in
#[utoipa::path(put, path = "/api/tocsin/v1/services/{id}/intake", tag = "oncall", params(("id" = String, Path)),
    request_body = IntakeSettings, responses((status = 200, body = IntakeSettings), (status = 400), (status = 404)))]
pub(crate) async fn set_settings(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<IntakeSettings>,
) -> Result<Json<IntakeSettings>, Problem> {
    let ask = IntakeAsk::SetService {
        service: service_named(&id)?,
        urgency: request.urgency().map_err(Problem::bad)?,
        grouping: request.grouping().map_err(Problem::bad)?,
        resolve_after_ms: request
            .resolve_after_minutes
            .map(|minutes| minutes.saturating_mul(MINUTE_MS)),
    };
    let RosterEvent::ServiceSet { service } = set_in(&app, &caller, ask).await? else {
        return Err(lost());
    };
    Ok(Json(IntakeSettings::of(&service.intake)))
}
