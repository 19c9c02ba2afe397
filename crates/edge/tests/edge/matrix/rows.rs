//! Who may call each route, written out: a line for each method of each path. A front's lines are added to [`FRONTS`] with the
//! prefix under which its paths are served again.
//!
//! A line is: method, path, the object that its path names (`objects` makes it; `-` names none, `none` is one that does not
//! exist, so that only the gate can speak), and what each caller gets, in the order of `CALLERS`:
//!
//! | cell | means |
//! | --- | --- |
//! | `+` | it passes: what it asks for is looked at |
//! | `1` `3` `4` | 401, 403, 404 |
//! | `!` | refused as the front refuses who has not its key |
//!
//! The callers: n nobody, k whoever has the object's key, v viewer's and r responder's token of the installation, o its owner,
//! x somebody of another team, s an administrator's token with a responder's scope, a an administrator, b the owner's browser,
//! i an administrator's token of the installation.

use axum::http::StatusCode;
use tocsin_domain::people::Role;
use tocsin_edge::{Listed, Who as Gate};

use super::front_rows::FRONTS;
use crate::world::BASE;

/// What a caller gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// What is asked for is looked at.
    Passes,
    /// Refused with that status.
    Refused(StatusCode),
    /// Refused in the words of a front that was given no key.
    NoKey,
}

/// One method of one path.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) object: &'static str,
    pub(super) cells: [Cell; 10],
}

impl Row {
    /// Whether its path names something that exists.
    pub(super) fn is_there(&self) -> bool {
        !["-", "none"].contains(&self.object)
    }

    /// Whether it changes nothing, whoever passes. Jobs call in by GET too.
    pub(super) fn only_reads(&self) -> bool {
        self.method == "GET" && self.object != "call"
    }

    /// Whether its object is one of those that are not made without end, one for each call: a person has 20 ways to be reached
    /// and calendars at most, and when very many incidents open at once, further alerts join them.
    pub(super) fn makes_of_few(&self) -> bool {
        let few = ["method", "rule", "calendar", "address", "webhook"];
        let opened = ["incident", "alert", "entry", "request", "sent"];
        few.contains(&self.object) || opened.contains(&self.object)
    }
}

/// All rows.
pub(super) fn all() -> Vec<Row> {
    let mut rows = read(BASE, NATIVE);
    rows.extend(read("", OTHERS));
    for (prefix, front) in FRONTS {
        rows.extend(read("", front));
        rows.extend(read(prefix, front));
    }
    rows
}

/// The row of a route of which nothing is known but its gate.
pub(super) fn draft(route: &Listed) -> String {
    let cells = match route.who {
        Gate::Public => "+ + + + + + + + + +",
        Gate::Key(_) => "! + ! ! ! ! ! ! ! !",
        Gate::Session => "1 1 3 3 3 3 3 3 + 3",
        Gate::Role(Role::Viewer) | Gate::SelfOr(Role::Viewer) => "1 1 + + + + + + + +",
        Gate::Role(Role::Responder) | Gate::SelfOr(Role::Responder) => "1 1 3 + + + + + + +",
        Gate::Role(Role::Admin) => "1 1 3 3 3 3 3 + 3 +",
        Gate::SelfOr(Role::Admin) => "1 1 3 3 + 3 3 + + +",
        Gate::Token(_, Role::Viewer) => "1 1 + + + + + + 1 +",
        Gate::Token(_, Role::Responder) => "1 1 3 + + + + + 1 +",
        Gate::Token(_, Role::Admin) => "1 1 3 3 3 3 3 + 1 +",
    };
    let path = route.path.strip_prefix(BASE).unwrap_or(&route.path);
    let object = if path.contains('{') { "none" } else { "-" };
    format!("{:<6} {path} {object} {cells}", route.method)
}

fn read(prefix: &str, table: &'static str) -> Vec<Row> {
    let lines = table.lines().filter(|line| !line.trim().is_empty());
    // The first line names the callers.
    lines.skip(1).map(|line| row(prefix, line)).collect()
}

fn row(prefix: &str, line: &'static str) -> Row {
    let mut words = line.split_whitespace();
    let mut next = || words.next().unwrap_or_else(|| panic!("too short: {line}"));
    let (method, path, object) = (next(), next(), next());
    let cells: Vec<Cell> = words.map(|word| cell(word, line)).collect();
    let cells = cells
        .try_into()
        .unwrap_or_else(|_| panic!("not one cell for each caller: {line}"));
    Row {
        method,
        path: format!("{prefix}{path}"),
        object,
        cells,
    }
}

fn cell(word: &str, line: &str) -> Cell {
    match word {
        "+" => Cell::Passes,
        "1" => Cell::Refused(StatusCode::UNAUTHORIZED),
        "3" => Cell::Refused(StatusCode::FORBIDDEN),
        "4" => Cell::Refused(StatusCode::NOT_FOUND),
        "!" => Cell::NoKey,
        other => panic!("{other} is no cell: {line}"),
    }
}

/// The native API, below its base.
const NATIVE: &str = "
                                                                  n k v r o x s a b i
GET    /setup                                         -           + + + + + + + + + +
POST   /setup                                         -           + + + + + + + + + +
POST   /session                                       -           + + + + + + + + + +
GET    /session                                       -           1 1 3 3 3 3 3 3 + 3
DELETE /session                                       -           1 1 3 3 3 3 3 3 + 3
PUT    /users/{id}/password                           person      1 1 3 3 3 3 3 + + +
GET    /api-tokens                                    -           1 1 3 + + + + + + +
POST   /api-tokens                                    -           1 1 3 3 + + + + + 3
DELETE /api-tokens/{token_id}                         token       1 1 3 4 + 4 4 + + +
POST   /incidents/{id}/snooze                         incident    1 1 3 3 + + + + + 3
DELETE /incidents/{id}/snooze                         incident    1 1 3 + + + + + + +
POST   /incidents/{id}/reassign                       incident    1 1 3 + + + + + + +
POST   /incidents/{id}/escalate                       incident    1 1 3 + + + + + + +
POST   /incidents/{id}/reopen                         incident    1 1 3 + + + + + + +
POST   /incidents/{id}/responders                     incident    1 1 3 + + + + + + +
POST   /incidents/{id}/responders/answer              incident    1 1 3 3 + + + + + 3
POST   /incidents/{id}/merge                          incident    1 1 3 + + + + + + +
PUT    /incidents/{id}/priority                       incident    1 1 3 + + + + + + +
PUT    /incidents/{id}/urgency                        incident    1 1 3 + + + + + + +
PUT    /incidents/{id}/title                          incident    1 1 3 + + + + + + +
POST   /incidents/{id}/alerts/{alert_id}/resolve      alert       1 1 3 + + + + + + +
POST   /incidents/bulk                                -           1 1 3 3 + + + + + 3
GET    /incidents                                     -           1 1 + + + + + + + +
POST   /incidents                                     -           1 1 3 + + + + + + +
GET    /incidents/{id}                                incident    1 1 + + + + + + + +
GET    /incidents/{id}/timeline                       incident    1 1 + + + + + + + +
GET    /incidents/{id}/explanation                    incident    1 1 + + + + + + + +
POST   /incidents/{id}/acknowledge                    incident    1 1 3 3 + + + + + 3
POST   /incidents/{id}/resolve                        incident    1 1 3 + + + + + + +
POST   /incidents/{id}/notes                          incident    1 1 3 + + + + + + +
POST   /incidents/{id}/status-updates                 incident    1 1 3 + + + + + + +
GET    /incidents/{id}/postmortem                     none        1 1 + + + + + + + +
GET    /incidents/{id}/evidence                       none        1 1 + + + + + + + +
POST   /alerts                                        -           1 1 3 + + + + + + +
GET    /alerts                                        -           1 1 + + + + + + + +
GET    /stream                                        -           1 1 + + + + + + + +
GET    /changes                                       -           1 1 + + + + + + + +
POST   /changes                                       -           1 1 3 + + + + + + +
GET    /changes/{id}                                  change      1 1 + + + + + + + +
GET    /me                                            -           1 1 3 3 + + + + + 3
GET    /users                                         -           1 1 + + + + + + + +
POST   /users                                         -           1 1 3 3 3 3 3 + 3 +
GET    /users/{id}                                    person      1 1 + + + + + + + +
PATCH  /users/{id}                                    person      1 1 3 3 3 3 3 + 3 +
DELETE /users/{id}                                    guest       1 1 3 3 3 3 3 + 3 +
POST   /users/{id}/contact-methods                    person      1 1 3 3 + 3 3 + + +
DELETE /users/{id}/contact-methods/{method_id}        method      1 1 3 3 + 3 3 + + +
PATCH  /users/{id}/contact-methods/{method_id}        method      1 1 3 3 + 3 3 + + +
POST   /users/{id}/contact-methods/{method_id}/test   method      1 1 3 3 + 3 3 + + +
POST   /users/{id}/contact-methods/{method_id}/verify method      1 1 3 3 + 3 3 + + +
PUT    /users/{id}/notification-rules                 person      1 1 3 3 + 3 3 + + +
GET    /users/{id}/notices                            person      1 1 3 3 + 3 3 + + +
PUT    /users/{id}/notices                            person      1 1 3 3 + 3 3 + + +
GET    /notifications/{id}                            none        1 1 + + + + + + + +
GET    /notifications/{id}/explanation                none        1 1 + + + + + + + +
GET    /oncall                                        -           1 1 + + + + + + + +
GET    /oncall/shifts                                 -           1 1 + + + + + + + +
GET    /oncall/findings                               -           1 1 + + + + + + + +
GET    /users/{id}/calendars                          person      1 1 3 3 + 3 3 + + +
POST   /users/{id}/calendars                          person      1 1 3 3 + 3 3 + + +
POST   /users/{id}/calendars/{calendar_id}/renew      calendar    1 1 3 3 + 3 3 + + +
DELETE /users/{id}/calendars/{calendar_id}            calendar    1 1 3 3 + 3 3 + + +
GET    /teams                                         -           1 1 + + + + + + + +
POST   /teams                                         -           1 1 3 3 3 3 3 + 3 +
PUT    /teams/{id}                                    team        1 1 3 3 3 3 3 + 3 +
DELETE /teams/{id}                                    team        1 1 3 3 3 3 3 + 3 +
GET    /teams/{id}                                    team        1 1 + + + + + + + +
PUT    /teams/{id}/members/{user_id}                  team        1 1 3 3 3 3 3 + 3 +
DELETE /teams/{id}/members/{user_id}                  team        1 1 3 3 3 3 3 + 3 +
GET    /business-services                             -           1 1 + + + + + + + +
POST   /business-services                             -           1 1 3 3 3 3 3 + 3 +
GET    /business-services/{id}                        business    1 1 + + + + + + + +
PUT    /business-services/{id}                        business    1 1 3 3 3 3 3 + 3 +
DELETE /business-services/{id}                        business    1 1 3 3 3 3 3 + 3 +
GET    /service-dependencies                          -           1 1 + + + + + + + +
POST   /service-dependencies                          -           1 1 3 3 3 3 3 + 3 +
DELETE /service-dependencies/{id}                     dependency  1 1 3 3 3 3 3 + 3 +
GET    /tags                                          -           1 1 + + + + + + + +
POST   /tags                                          -           1 1 3 3 3 3 3 + 3 +
GET    /tags/{id}                                     tag         1 1 + + + + + + + +
DELETE /tags/{id}                                     tag         1 1 3 3 3 3 3 + 3 +
GET    /tags/{id}/tagged                              tag         1 1 + + + + + + + +
GET    /users/{id}/tags                               person      1 1 + + + + + + + +
PATCH  /users/{id}/tags                               person      1 1 3 3 3 3 3 + 3 +
GET    /teams/{id}/tags                               team        1 1 + + + + + + + +
PATCH  /teams/{id}/tags                               team        1 1 3 3 3 3 3 + 3 +
GET    /escalation-policies/{id}/tags                 policy      1 1 + + + + + + + +
PATCH  /escalation-policies/{id}/tags                 policy      1 1 3 3 3 3 3 + 3 +
GET    /priorities                                    -           1 1 + + + + + + + +
PUT    /priorities                                    -           1 1 3 3 3 3 3 + 3 +
GET    /schedules                                     -           1 1 + + + + + + + +
POST   /schedules                                     -           1 1 3 3 3 3 3 + 3 +
PUT    /schedules/{id}                                schedule    1 1 3 3 3 3 3 + 3 +
DELETE /schedules/{id}                                schedule    1 1 3 3 3 3 3 + 3 +
GET    /schedules/{id}                                schedule    1 1 + + + + + + + +
GET    /schedules/{id}/rendered                       schedule    1 1 + + + + + + + +
POST   /schedules/preview                             -           1 1 + + + + + + + +
GET    /schedules/{id}/overrides                      schedule    1 1 + + + + + + + +
POST   /schedules/{id}/overrides                      schedule    1 1 3 + + + + + + +
DELETE /schedules/{id}/overrides/{override_id}        override    1 1 3 + + + + + + +
POST   /schedules/{id}/temporary                      schedule    1 1 3 3 3 3 3 + 3 +
DELETE /schedules/{id}/temporary/{temporary_id}       temporary   1 1 3 3 3 3 3 + 3 +
POST   /schedules/{id}/swaps                          rota        1 1 3 3 + 3 + + + +
POST   /schedules/{id}/swaps/{swap_id}/accept         swap        1 1 3 3 3 3 + + 3 +
POST   /schedules/{id}/swaps/{swap_id}/decline        swap        1 1 3 3 3 3 + + 3 +
POST   /schedules/{id}/swaps/{swap_id}/withdraw       swap        1 1 3 3 + 3 3 + + +
GET    /escalation-policies                           -           1 1 + + + + + + + +
POST   /escalation-policies                           -           1 1 3 3 3 3 3 + 3 +
PUT    /escalation-policies/{id}                      policy      1 1 3 3 3 3 3 + 3 +
DELETE /escalation-policies/{id}                      policy      1 1 3 3 3 3 3 + 3 +
GET    /escalation-policies/{id}                      policy      1 1 + + + + + + + +
GET    /fallback                                      -           1 1 + + + + + + + +
PUT    /fallback                                      -           1 1 3 3 3 3 3 + 3 +
GET    /services                                      -           1 1 + + + + + + + +
GET    /services/{id}/simulation                      service     1 1 + + + + + + + +
POST   /services                                      -           1 1 3 3 3 3 3 + 3 +
PUT    /services/{id}                                 service     1 1 3 3 3 3 3 + 3 +
GET    /services/{id}                                 service     1 1 + + + + + + + +
DELETE /services/{id}                                 service     1 1 3 3 3 3 3 + 3 +
POST   /services/{id}/integrations                    service     1 1 3 3 3 3 3 + 3 +
DELETE /services/{id}/integrations/{integration_id}   integration 1 1 3 3 3 3 3 + 3 +
PUT    /services/{id}/integrations/{integration_id}   integration 1 1 3 3 3 3 3 + 3 +
GET    /services/{id}/integrations/{integration_id}   integration 1 1 + + + + + + + +
GET    /services/{id}/intake                          service     1 1 + + + + + + + +
PUT    /services/{id}/intake                          service     1 1 3 3 3 3 3 + 3 +
GET    /alert-rules                                   -           1 1 + + + + + + + +
PUT    /alert-rules                                   -           1 1 3 3 3 3 3 + 3 +
GET    /services/{id}/alert-rules                     service     1 1 + + + + + + + +
PUT    /services/{id}/alert-rules                     service     1 1 3 3 3 3 3 + 3 +
POST   /alert-rules/dry-run                           -           1 1 3 + + + + + + +
POST   /intake/dry-run                                -           1 1 3 + + + + + + +
GET    /intake/presets                                -           1 1 + + + + + + + +
GET    /maintenance-windows                           -           1 1 + + + + + + + +
POST   /maintenance-windows                           -           1 1 3 + + + + + + +
PUT    /maintenance-windows/{id}                      window      1 1 3 + + + + + + +
DELETE /maintenance-windows/{id}                      window      1 1 3 + + + + + + +
GET    /maintenance-windows/{id}                      window      1 1 + + + + + + + +
POST   /maintenance-windows/{id}/end                  window      1 1 3 + + + + + + +
GET    /heartbeats                                    -           1 1 + + + + + + + +
POST   /heartbeats                                    -           1 1 3 3 3 3 3 + 3 +
PUT    /heartbeats/{id}                               heartbeat   1 1 3 3 3 3 3 + 3 +
DELETE /heartbeats/{id}                               heartbeat   1 1 3 3 3 3 3 + 3 +
GET    /heartbeats/{id}                               heartbeat   1 1 + + + + + + + +
GET    /targets                                       -           1 1 + + + + + + + +
DELETE /targets/{id}                                  none        1 1 3 3 3 3 3 + 3 +
GET    /targets/{id}                                  none        1 1 + + + + + + + +
POST   /targets/{id}/mute                             none        1 1 3 + + + + + + +
DELETE /targets/{id}/mute                             none        1 1 3 + + + + + + +
POST   /targets/{id}/maintenance                      none        1 1 3 + + + + + + +
DELETE /targets/{id}/maintenance/{window_id}          none        1 1 3 + + + + + + +
GET    /monitors                                      -           1 1 + + + + + + + +
PATCH  /monitors/{id}                                 none        1 1 3 3 3 3 3 + 3 +
GET    /monitors/{id}                                 none        1 1 + + + + + + + +
GET    /rules                                         -           1 1 + + + + + + + +
GET    /query                                         -           1 1 + + + + + + + +
GET    /query_range                                   -           1 1 + + + + + + + +
GET    /audit/records                                  -           1 1 3 3 3 3 3 + 3 +
GET    /channels                                      -           1 1 + + + + + + + +
GET    /webhook-subscriptions                         -           1 1 3 3 3 3 3 + 3 +
POST   /webhook-subscriptions                         -           1 1 3 3 3 3 3 + 3 +
GET    /webhook-subscriptions/{id}                    webhook     1 1 3 3 3 3 3 + 3 +
PUT    /webhook-subscriptions/{id}                    webhook     1 1 3 3 3 3 3 + 3 +
DELETE /webhook-subscriptions/{id}                    webhook     1 1 3 3 3 3 3 + 3 +
POST   /webhook-subscriptions/{id}/enable             webhook     1 1 3 3 3 3 3 + 3 +
POST   /webhook-subscriptions/{id}/test               webhook     1 1 3 3 3 3 3 + 3 +
PUT    /channels/email                                -           1 1 3 3 3 3 3 + 3 +
DELETE /channels/email/{place}                        none        1 1 3 3 3 3 3 + 3 +
PUT    /channels/email/{place}                        none        1 1 3 3 3 3 3 + 3 +
POST   /channels/email/test                           -           1 1 3 3 3 3 3 + 3 3
PUT    /channels/accounts/{provider}                  none        1 1 3 3 3 3 3 + 3 +
DELETE /channels/accounts/{provider}                  none        1 1 3 3 3 3 3 + 3 +
DELETE /channels/accounts/{provider}/{place}          none        1 1 3 3 3 3 3 + 3 +
PUT    /channels/accounts/{provider}/{place}          none        1 1 3 3 3 3 3 + 3 +
GET    /doctor                                        -           1 1 + + + + + + + +
GET    /code                                          -           1 1 3 3 3 3 3 + 3 +
POST   /code/plan                                     -           1 1 3 3 3 3 3 + 3 +
POST   /code/apply                                    -           1 1 3 3 3 3 3 + 3 +
";

/// What is served outside the native API and in one place only.
const OTHERS: &str = "
                                       n k v r o x s a b i
GET    /healthz                -       + + + + + + + + + +
GET    /readyz                 -       + + + + + + + + + +
GET    /                       -       + + + + + + + + + +
GET    /ui/                    -       + + + + + + + + + +
GET    /ui                     -       + + + + + + + + + +
GET    /ui/{*path}             none    + + + + + + + + + +
GET    /a/{token}              none    ! ! ! ! ! ! ! ! ! !
POST   /a/{token}              none    ! ! ! ! ! ! ! ! ! !
POST   /twilio/voice/{token}   none    ! ! ! ! ! ! ! ! ! !
POST   /twilio/sms             -       ! ! ! ! ! ! ! ! ! !
POST   /twilio/status/{token}  none    ! ! ! ! ! ! ! ! ! !
POST   /canary                 canary  1 + 1 1 1 1 1 1 1 1
POST   /intake                 grafana 1 + 1 1 1 1 1 1 1 1
POST   /intake/{token}         grafana 4 + 4 4 4 4 4 4 4 4
GET    /ical/{file}            address 4 + 4 4 4 4 4 4 4 4
GET    /hb/{token}             call    4 + 4 4 4 4 4 4 4 4
POST   /hb/{token}             call    4 + 4 4 4 4 4 4 4 4
GET    /hb/{token}/start       call    4 + 4 4 4 4 4 4 4 4
POST   /hb/{token}/start       call    4 + 4 4 4 4 4 4 4 4
GET    /hb/{token}/fail        call    4 + 4 4 4 4 4 4 4 4
POST   /hb/{token}/fail        call    4 + 4 4 4 4 4 4 4 4
GET    /metrics                -       1 1 + + + + + + + +
GET    /alertmanager/-/healthy -       + + + + + + + + + +
GET    /alertmanager/-/ready   -       + + + + + + + + + +
";
