//! `rules` and `alerts`: what is evaluated, and what it found, in Prometheus' shape. It evaluates nothing.

use axum::extract::State;
use axum::response::Response;
use tocsin_domain::signal::Labels;
use tocsin_domain::time::Timestamp;
use tocsin_promql::Matcher;

use super::json::Json;
use super::number::{write_float, write_with_exponent};
use super::parameters::Parameters;
use super::refusal::Refusal;
use super::reply::{self, Bound};
use super::turn;
use crate::app::App;
use crate::ports::rules::{
    AlertState, AlertingRule, Rule, RuleAlert, RuleGroup, RuleHealth, RuleKind,
};

/// What an instant is that never was.
const NEVER: &str = "0001-01-01T00:00:00Z";
const BOUND: Bound = Bound::new("ask /api/v1/rules for a few groups at a time (group_limit)");

/// Which rules are wanted.
struct Wanted {
    kind: Option<Which>,
    names: Vec<String>,
    groups: Vec<String>,
    files: Vec<String>,
    matchers: Vec<Vec<Matcher>>,
    without_alerts: bool,
    groups_max: usize,
    after_group: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Alerting,
    Recording,
}

impl Wanted {
    fn of(given: &Parameters) -> Result<Self, Refusal> {
        let kind = match given.given("type") {
            None => None,
            Some("alert") => Some(Which::Alerting),
            Some("record") => Some(Which::Recording),
            Some(other) => {
                return Err(Refusal::parameter(
                    "type",
                    format_args!("{other:?} is neither alert nor record"),
                ));
            }
        };
        let without_alerts = match given.given("exclude_alerts") {
            None | Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(other) => {
                return Err(Refusal::parameter(
                    "exclude_alerts",
                    format_args!("{other:?} is neither true nor false"),
                ));
            }
        };
        let all = |name: &str| given.all(name).map(str::to_owned).collect();
        Ok(Self {
            kind,
            names: all("rule_name[]"),
            groups: all("rule_group[]"),
            files: all("file[]"),
            matchers: given.selectors()?,
            without_alerts,
            groups_max: given.limit("group_limit")?,
            after_group: given.given("group_next_token").map(str::to_owned),
        })
    }

    fn wants_group(&self, group: &RuleGroup) -> bool {
        let among = |wanted: &[String], name: &str| {
            wanted.is_empty() || wanted.iter().any(|one| one == name)
        };
        among(&self.groups, &group.name) && among(&self.files, &group.file)
    }

    fn wants(&self, rule: &Rule) -> bool {
        let which = match rule.kind {
            RuleKind::Recording => Which::Recording,
            RuleKind::Alerting(_) => Which::Alerting,
        };
        let accepts = |set: &Vec<Matcher>| {
            set.iter().all(|matcher| {
                let value = rule.labels.get(matcher.name()).map_or("", String::as_str);
                matcher.accepts(value)
            })
        };
        self.kind.is_none_or(|kind| kind == which)
            && (self.names.is_empty() || self.names.contains(&rule.name))
            && (self.matchers.is_empty() || self.matchers.iter().any(accepts))
    }
}

/// The rules, by group
#[utoipa::path(get, path = "/api/v1/rules", tag = "fronts", params(
    ("type" = Option<String>, Query), ("rule_name[]" = Option<Vec<String>>, Query), ("rule_group[]" = Option<Vec<String>>, Query),
    ("file[]" = Option<Vec<String>>, Query), ("match[]" = Option<Vec<String>>, Query), ("exclude_alerts" = Option<String>, Query),
    ("group_limit" = Option<String>, Query), ("group_next_token" = Option<String>, Query)),
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn rules(State(app): State<App>, given: Parameters) -> Result<Response, Refusal> {
    let written = turn::take(&app, turn::TIME_MAX, move |parts, _| {
        let wanted = Wanted::of(&given)?;
        groups(&wanted, &parts.rules.groups())
    });
    written.await.map(reply::json)
}

/// What names a group in `group_next_token`.
fn token_of(group: &RuleGroup) -> String {
    format!("{};{}", group.file, group.name)
}

fn groups(wanted: &Wanted, all: &[RuleGroup]) -> Result<Vec<u8>, Refusal> {
    let begin = match &wanted.after_group {
        None => 0,
        Some(token) => all
            .iter()
            .position(|group| token_of(group) == *token)
            .ok_or_else(|| {
                Refusal::parameter("group_next_token", "there is no such group any more")
            })?,
    };
    let mut count = 0;
    let mut next = None;
    reply::try_envelope(4_096, &[], |json| {
        json.begin_object();
        json.name("groups");
        json.begin_list();
        for group in all.iter().skip(begin) {
            let rules: Vec<&Rule> = group
                .rules
                .iter()
                .filter(|rule| wanted.wants(rule))
                .collect();
            if !wanted.wants_group(group) || rules.is_empty() {
                continue;
            }
            if count == wanted.groups_max {
                next = Some(token_of(group));
                break;
            }
            count += 1;
            write_group(json, group, &rules, wanted.without_alerts)?;
        }
        json.end_list();
        if let Some(token) = &next {
            json.named_text("groupNextToken", token);
        }
        json.end_object();
        Ok(())
    })
}

fn write_group(
    json: &mut Json,
    group: &RuleGroup,
    rules: &[&Rule],
    without_alerts: bool,
) -> Result<(), Refusal> {
    json.begin_object();
    json.named_text("name", &group.name);
    json.named_text("file", &group.file);
    json.name("rules");
    json.begin_list();
    for rule in rules {
        write_rule(json, rule, without_alerts);
        BOUND.check(json.len())?;
    }
    json.end_list();
    seconds_of(json, "interval", group.interval_ms * 1_000);
    json.name("limit");
    json.whole(group.limit);
    seconds_of(json, "evaluationTime", group.evaluation_us);
    json.named_text("lastEvaluation", &instant(group.last_evaluation));
    json.end_object();
    Ok(())
}

fn write_rule(json: &mut Json, rule: &Rule, without_alerts: bool) {
    json.begin_object();
    json.named_text("name", &rule.name);
    json.named_text("query", &rule.query);
    labels(json, "labels", &rule.labels);
    let kind = match &rule.kind {
        RuleKind::Recording => "recording",
        RuleKind::Alerting(alerting) => {
            write_alerting(json, alerting, without_alerts);
            "alerting"
        }
    };
    let health = match rule.health {
        RuleHealth::Unknown => "unknown",
        RuleHealth::Ok => "ok",
        RuleHealth::Err => "err",
    };
    json.named_text("health", health);
    if let Some(error) = &rule.last_error {
        json.named_text("lastError", error);
    }
    seconds_of(json, "evaluationTime", rule.evaluation_us);
    json.named_text("lastEvaluation", &instant(rule.last_evaluation));
    json.named_text("type", kind);
    json.end_object();
}

fn write_alerting(json: &mut Json, rule: &AlertingRule, without_alerts: bool) {
    let furthest = rule.alerts.iter().map(|alert| alert.state).max();
    json.named_text("state", state_word(furthest.unwrap_or_default()));
    seconds_of(json, "duration", rule.for_ms * 1_000);
    seconds_of(json, "keepFiringFor", rule.keep_firing_for_ms * 1_000);
    labels(json, "annotations", &rule.annotations);
    json.name("alerts");
    json.begin_list();
    if !without_alerts {
        for alert in &rule.alerts {
            write_alert(json, alert);
        }
    }
    json.end_list();
}

const fn state_word(state: AlertState) -> &'static str {
    match state {
        AlertState::Inactive => "inactive",
        AlertState::Pending => "pending",
        AlertState::Firing => "firing",
    }
}

fn write_alert(json: &mut Json, alert: &RuleAlert) {
    json.begin_object();
    labels(json, "labels", &alert.labels);
    labels(json, "annotations", &alert.annotations);
    json.named_text("state", state_word(alert.state));
    if alert.active_at.is_some() {
        json.named_text("activeAt", &instant(alert.active_at));
    }
    if alert.keep_firing_since.is_some() {
        json.named_text("keepFiringSince", &instant(alert.keep_firing_since));
    }
    json.name("value");
    json.run(|out| {
        out.push(b'"');
        write_with_exponent(out, alert.value);
        out.push(b'"');
    });
    json.end_object();
}

/// Labels under a name.
pub(crate) fn labels(json: &mut Json, name: &str, labels: &Labels) {
    json.name(name);
    json.labels(
        labels
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
}

/// An instant as Prometheus writes it; one that never was is the first day of its calendar.
pub(crate) fn instant(at: Option<Timestamp>) -> String {
    at.map_or_else(|| NEVER.to_owned(), Timestamp::to_rfc3339)
}

/// Microseconds under a name, as seconds.
#[expect(clippy::cast_precision_loss, reason = "times that are shown to people")]
pub(crate) fn seconds_of(json: &mut Json, name: &str, micros: u64) {
    json.name(name);
    json.run(|out| write_float(out, micros as f64 / 1e6));
}

/// The alerts that are pending or firing
#[utoipa::path(get, path = "/api/v1/alerts", tag = "fronts", responses((status = 200, body = Object)))]
pub(crate) async fn alerts(State(app): State<App>) -> Result<Response, Refusal> {
    let written = turn::take(&app, turn::TIME_MAX, |parts, _| {
        let groups = parts.rules.groups();
        reply::try_envelope(1_024, &[], |json| {
            json.begin_object();
            json.name("alerts");
            json.begin_list();
            for rule in groups.iter().flat_map(|group| &group.rules) {
                match &rule.kind {
                    RuleKind::Recording => {}
                    RuleKind::Alerting(alerting) => {
                        for alert in &alerting.alerts {
                            write_alert(json, alert);
                            BOUND.check(json.len())?;
                        }
                    }
                }
            }
            json.end_list();
            json.end_object();
            Ok(())
        })
    });
    written.await.map(reply::json)
}
