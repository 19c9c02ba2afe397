//! The front for clients of PagerDuty: its events and its REST API v2, so that integrations, command lines and libraries work
//! unchanged. It answers in PagerDuty's words; what is asked of the core, and who may, is the same as in the native API.

mod alerts;
mod analytics;
mod asked;
mod audit;
mod business;
mod carried;
pub(crate) mod changes;
mod dependencies;
mod described;
pub(crate) mod events;
mod groupings;
mod impacts;
mod incident_shape;
mod incident_shown;
mod incidents;
mod include;
mod licenses;
mod lists;
mod log_channels;
mod log_entries;
mod log_life;
mod log_shape;
mod log_walk;
mod lookup;
mod notes;
mod notifications;
mod oncalls;
mod orchestrations;
mod parameters;
mod place;
mod policies;
mod policy_shape;
mod reach;
mod reply;
mod requester;
mod respond;
mod schedule_list;
mod schedule_shape;
mod schedules;
mod service_shape;
mod services;
mod small;
mod tags;
mod team_shape;
mod teams;
mod triggers;
mod user_shape;
mod users;
pub(crate) mod webhook_event;
mod webhooks;
mod wholes;
mod windows;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tocsin_domain::people::Role::{Admin, Responder, Viewer};
use tocsin_wire::pagerduty::rest::{Refusal, absent};
use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use crate::access::who::{Front, Who};
use crate::app::App;
use crate::http::problem::Problem;
use crate::http::routes::Table;
use reply::Refused;

pub(crate) use incident_shape::policy_of;
pub(crate) use reply::{Counted, REQUESTS_PER_MINUTE};

/// The prefix under which the whole front is there again.
pub(crate) const PREFIX: &str = "/pagerduty";
/// What every client of the REST API accepts, and nobody else.
const MEDIA_TYPE: &str = "application/vnd.pagerduty+json";
/// Under this are Tocsin's own API, and those of others that are none of PagerDuty's.
const OWN: &str = "/api/";

const READ: Who = Who::Token(Front::PagerDutyRest, Viewer);
const RESPOND: Who = Who::Token(Front::PagerDutyRest, Responder);
const MANAGE: Who = Who::Token(Front::PagerDutyRest, Admin);

/// Adds the front's routes.
pub(crate) fn add_to(table: Table) -> Table {
    let routes = [
        about_incidents(),
        about_people(),
        about_duty(),
        about_services(),
        about_groupings(),
        about_business_services(),
        about_changes(),
        about_webhooks(),
        about_audits(),
        about_tags(),
        about_rules_and_numbers(),
    ];
    let all = routes.into_iter().flatten();
    all.fold(table, |table, (who, routes)| {
        table.add_front(who, PREFIX, routes)
    })
}

type Routes = Vec<(Who, UtoipaMethodRouter<App>)>;

fn about_incidents() -> Routes {
    vec![
        (READ, routes!(incidents::list_incidents)),
        (READ, routes!(incidents::get_incident)),
        (READ, routes!(notes::list_notes)),
        (READ, routes!(alerts::list_alerts)),
        (READ, routes!(alerts::get_alert)),
        (READ, routes!(log_entries::list_incident_log_entries)),
        (READ, routes!(log_entries::list_log_entries)),
        (READ, routes!(log_entries::get_log_entry)),
        (READ, routes!(notifications::list_notifications)),
        (RESPOND, routes!(respond::create_incident)),
        (RESPOND, routes!(respond::update_incident)),
        (RESPOND, routes!(respond::update_incidents)),
        (RESPOND, routes!(respond::merge_incidents)),
        (RESPOND, routes!(respond::snooze_incident)),
        (RESPOND, routes!(notes::add_note)),
        (RESPOND, routes!(notes::send_status_update)),
        (RESPOND, routes!(notes::request_responders)),
        (RESPOND, routes!(alerts::update_alert)),
        (RESPOND, routes!(alerts::update_alerts)),
    ]
}

fn about_people() -> Routes {
    vec![
        (READ, routes!(users::list_pagerduty_users)),
        (READ, routes!(users::get_me)),
        (READ, routes!(users::get_pagerduty_user)),
        (READ, routes!(licenses::get_user_license)),
        (READ, routes!(licenses::list_licenses)),
        (READ, routes!(users::list_contact_methods)),
        (READ, routes!(users::get_contact_method)),
        (READ, routes!(users::list_notification_rules)),
        (READ, routes!(users::get_notification_rule)),
        (READ, routes!(log_entries::list_user_log_entries)),
        // Who is not an administrator changes their own alone, which the handlers see to.
        (RESPOND, routes!(reach::add_way)),
        (RESPOND, routes!(reach::change_way, reach::remove_way)),
        (RESPOND, routes!(reach::add_rule)),
        (RESPOND, routes!(reach::change_rule, reach::remove_rule)),
        (MANAGE, routes!(users::add_pagerduty_user)),
        (
            MANAGE,
            routes!(users::change_pagerduty_user, users::remove_pagerduty_user),
        ),
        (READ, routes!(teams::list_pagerduty_teams)),
        (READ, routes!(teams::get_team)),
        (READ, routes!(teams::list_team_members)),
        (MANAGE, routes!(teams::add_pagerduty_team)),
        (
            MANAGE,
            routes!(teams::change_team, teams::remove_pagerduty_team),
        ),
        (
            MANAGE,
            routes!(teams::add_team_member, teams::remove_team_member),
        ),
        (
            MANAGE,
            routes!(policies::add_team_policy, policies::remove_team_policy),
        ),
    ]
}

fn about_duty() -> Routes {
    vec![
        (READ, routes!(policies::list_escalation_policies)),
        (READ, routes!(policies::get_escalation_policy)),
        (MANAGE, routes!(policies::add_escalation_policy)),
        (
            MANAGE,
            routes!(
                policies::change_escalation_policy,
                policies::remove_escalation_policy
            ),
        ),
        (READ, routes!(schedule_list::list_pagerduty_schedules)),
        (READ, routes!(schedules::get_pagerduty_schedule)),
        (READ, routes!(schedules::list_schedule_users)),
        (READ, routes!(schedules::try_schedule)),
        (MANAGE, routes!(schedules::add_pagerduty_schedule)),
        (
            MANAGE,
            routes!(
                schedules::change_pagerduty_schedule,
                schedules::remove_pagerduty_schedule
            ),
        ),
        (READ, routes!(schedules::list_overrides)),
        (RESPOND, routes!(schedules::add_overrides)),
        (RESPOND, routes!(schedules::remove_pagerduty_override)),
        (READ, routes!(oncalls::list_oncalls)),
    ]
}

fn about_services() -> Routes {
    vec![
        (READ, routes!(services::list_services)),
        (READ, routes!(services::get_service)),
        (MANAGE, routes!(services::add_service)),
        (
            MANAGE,
            routes!(services::change_service, services::remove_service),
        ),
        (MANAGE, routes!(services::add_service_integration)),
        (READ, routes!(services::get_service_integration)),
        (
            MANAGE,
            routes!(
                services::change_service_integration,
                services::remove_service_integration
            ),
        ),
        (READ, routes!(windows::list_maintenance_windows)),
        (READ, routes!(windows::get_maintenance_window)),
        (RESPOND, routes!(windows::add_maintenance_window)),
        (
            RESPOND,
            routes!(
                windows::change_maintenance_window,
                windows::remove_maintenance_window
            ),
        ),
        (READ, routes!(small::list_abilities)),
        (READ, routes!(small::test_ability)),
        (READ, routes!(small::list_priorities)),
        (READ, routes!(small::list_vendors)),
        (READ, routes!(small::get_vendor)),
    ]
}

fn about_groupings() -> Routes {
    vec![
        (READ, routes!(groupings::list_alert_grouping_settings)),
        (READ, routes!(groupings::get_alert_grouping_setting)),
        (MANAGE, routes!(groupings::add_alert_grouping_setting)),
        (
            MANAGE,
            routes!(
                groupings::change_alert_grouping_setting,
                groupings::remove_alert_grouping_setting
            ),
        ),
    ]
}

fn about_business_services() -> Routes {
    vec![
        (READ, routes!(business::list_pagerduty_business_services)),
        (MANAGE, routes!(business::add_business_service)),
        (READ, routes!(business::get_business_service)),
        (
            MANAGE,
            routes!(
                business::change_business_service,
                business::remove_business_service
            ),
        ),
        (READ, routes!(impacts::list_impacts)),
        (READ, routes!(impacts::list_impactors)),
        (READ, routes!(impacts::list_supporting_impacts)),
        (READ, routes!(impacts::list_impacts_of_incident)),
        (MANAGE, routes!(dependencies::associate_services)),
        (MANAGE, routes!(dependencies::disassociate_services)),
        (READ, routes!(dependencies::list_business_dependencies)),
        (READ, routes!(dependencies::list_technical_dependencies)),
    ]
}

fn about_tags() -> Routes {
    vec![
        (READ, routes!(tags::list_tags)),
        (MANAGE, routes!(tags::add_tag)),
        (READ, routes!(tags::get_tag)),
        (MANAGE, routes!(tags::remove_tag)),
        (READ, routes!(tags::list_tagged)),
        (READ, routes!(tags::list_tags_of_person)),
        (MANAGE, routes!(tags::change_tags_of_person)),
        (READ, routes!(tags::list_tags_of_team)),
        (MANAGE, routes!(tags::change_tags_of_team)),
        (READ, routes!(tags::list_tags_of_policy)),
        (MANAGE, routes!(tags::change_tags_of_policy)),
    ]
}

fn about_rules_and_numbers() -> Routes {
    vec![
        (READ, routes!(orchestrations::list_orchestrations)),
        (READ, routes!(orchestrations::get_orchestration)),
        (READ, routes!(orchestrations::get_router)),
        (MANAGE, routes!(orchestrations::set_router)),
        (READ, routes!(analytics::measure_all)),
        (READ, routes!(analytics::measure_services)),
        (READ, routes!(analytics::measure_teams)),
        (READ, routes!(analytics::measure_policies)),
        (READ, routes!(analytics::measure_all_services)),
        (READ, routes!(analytics::measure_all_teams)),
        (READ, routes!(analytics::measure_all_policies)),
        (READ, routes!(analytics::list_raw_incidents)),
        (READ, routes!(analytics::get_raw_incident)),
    ]
}

fn about_changes() -> Routes {
    vec![
        (READ, routes!(changes::list_change_events)),
        (READ, routes!(changes::get_change_event)),
        (READ, routes!(changes::list_service_change_events)),
        (READ, routes!(changes::list_related_change_events)),
    ]
}

fn about_audits() -> Routes {
    vec![
        (MANAGE, routes!(audit::list_pagerduty_audit_records)),
        (MANAGE, routes!(audit::list_user_audit_records)),
        (MANAGE, routes!(audit::list_team_audit_records)),
        (MANAGE, routes!(audit::list_schedule_audit_records)),
        (MANAGE, routes!(audit::list_policy_audit_records)),
        (MANAGE, routes!(audit::list_service_audit_records)),
    ]
}

fn about_webhooks() -> Routes {
    vec![
        (MANAGE, routes!(webhooks::list_webhook_subscriptions)),
        (MANAGE, routes!(webhooks::add_webhook_subscription)),
        (MANAGE, routes!(webhooks::get_webhook_subscription)),
        (
            MANAGE,
            routes!(
                webhooks::change_webhook_subscription,
                webhooks::remove_webhook_subscription
            ),
        ),
        (MANAGE, routes!(webhooks::enable_webhook_subscription)),
        (MANAGE, routes!(webhooks::ping_webhook_subscription)),
    ]
}

/// Whether a request that no route takes comes from a client of PagerDuty.
pub(crate) fn is_meant(request: &Request) -> bool {
    let (path, headers) = (request.uri().path(), request.headers());
    let under = path.strip_prefix(PREFIX);
    let mut accepted = texts(headers, header::ACCEPT);
    let mut keys = texts(headers, header::AUTHORIZATION);
    under.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        || accepted.any(|value| value.contains(MEDIA_TYPE))
        // Tocsin's own API takes a key in either form, and is not PagerDuty's.
        || (!path.starts_with(OWN) && keys.any(is_their_key))
}

/// The values of a header that are texts.
fn texts(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter();
    values.filter_map(|value| value.to_str().ok())
}

/// Whether a key is sent in the form that clients of PagerDuty have, and others have not: `Token token=KEY`.
fn is_their_key(value: &str) -> bool {
    value.split_once(' ').is_some_and(|(scheme, rest)| {
        scheme.eq_ignore_ascii_case("token") && rest.trim_start().starts_with("token=")
    })
}

/// A refusal of what no route takes: what Tocsin has not is told with the reason.
pub(crate) fn refused_at(path: &str, problem: Problem) -> Response {
    let path = path.strip_prefix(PREFIX).unwrap_or(path);
    // Where a word stands for no id, a path that takes other methods is not that of anything.
    let why = match problem.status() {
        StatusCode::NOT_FOUND => absent::why(path),
        StatusCode::METHOD_NOT_ALLOWED => absent::in_its_place(path),
        _ => None,
    };
    match why {
        Some(why) => Refused(Refusal::not_found(why)).into_response(),
        None => refused(problem),
    }
}

/// A refusal before any handler.
pub(crate) fn refused(problem: Problem) -> Response {
    Refused::from(problem).into_response()
}
