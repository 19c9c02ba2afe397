//! The HTTP side: the table of all routes, and the layers that every request passes.

mod active_alerts;
pub(crate) mod address;
pub(crate) mod alert;
mod alert_list;
pub(crate) mod answer;
pub(crate) mod audit;
pub(crate) mod body;
pub(crate) mod calendar;
pub(crate) mod change;
pub(crate) mod channel;
pub(crate) mod code;
mod disclosed;
pub(crate) mod finding;
pub(crate) mod health;
pub(crate) mod idempotency;
pub(crate) mod incident;
pub(crate) mod intake;
mod layers;
pub(crate) mod metrics;
pub(crate) mod monitor;
pub(crate) mod named;
pub(crate) mod notice;
pub(crate) mod notification;
pub(crate) mod oncall;
pub(crate) mod page;
mod parameters;
pub(crate) mod password;
pub(crate) mod people;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod refusals;
pub(crate) mod roster;
pub(crate) mod routes;
pub(crate) mod rule;
pub(crate) mod session;
pub(crate) mod shape;
pub(crate) mod share;
pub(crate) mod simulation;
pub(crate) mod status_page;
pub(crate) mod stream;
pub(crate) mod tag;
pub(crate) mod target;
pub(crate) mod token;
pub(crate) mod underway;
mod unread;
pub(crate) mod webhook;

use axum::Router;
use tocsin_domain::people::Role::{Admin, Responder, Viewer};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Info, License, OpenApi};
use utoipa_axum::routes;

use crate::access::who::{Front, Who};
use crate::app::App;
use crate::canary;
use crate::front::{self, alertmanager, opsgenie, pagerduty, prometheus, twilio};
use crate::ui;
use routes::{Listed, Table};

/// The router with everything in it.
pub(crate) fn router(app: App) -> Router {
    // A table with an app has a router.
    let router = table(Some(app.clone())).router().unwrap_or_default();
    layers::around(router, app)
}

/// The description of all routes, but those of the pages themselves, and of what nobody else can call.
pub(crate) fn description() -> OpenApi {
    let mut openapi = table(None).description();
    openapi.info = Info::builder()
        .title("Tocsin")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("The native API of Tocsin. Times are RFC 3339 in UTC; errors are problem documents (RFC 9457)."))
        .license(Some(License::new("MIT")))
        .build();
    openapi
        .paths
        .paths
        .retain(|path, _| path != "/" && !path.starts_with("/ui") && path != canary::PATH);
    let components = openapi.components.get_or_insert_default();
    components.add_security_scheme(
        "token",
        SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
    );
    components.add_security_scheme(
        "session",
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("__Host-tocsin"))),
    );
    openapi
}

/// All routes, with who may call each.
pub(crate) fn listed() -> Vec<Listed> {
    table(None).listed()
}

fn table(app: Option<App>) -> Table {
    let table = open_to_all(Table::new(app));
    let table = incidents(access(table));
    let table = business_services(policies_and_services(roster(people(table))));
    let table = webhooks(tag::add_to(intake(table)));
    alertmanager::add_to(pagerduty::add_to(prometheus::add_to(settings(watch(
        table,
    )))))
}

fn open_to_all(table: Table) -> Table {
    table
        .add(Who::Public, routes!(health::healthz))
        .add(Who::Public, routes!(health::readyz))
        .add(Who::Key(Front::Canary), routes!(canary::take))
        .add(Who::Public, routes!(ui::root))
        .add(Who::Public, routes!(ui::index))
        .add(Who::Public, routes!(ui::without_slash))
        .add(Who::Public, routes!(ui::file))
        .add(
            Who::Key(Front::PagerDutyEvents),
            routes!(pagerduty::events::enqueue),
        )
        .add(
            Who::Key(Front::PagerDutyEvents),
            routes!(pagerduty::events::enqueue_prefixed),
        )
        .add_front(
            Who::Key(Front::PagerDutyEvents),
            pagerduty::PREFIX,
            routes!(pagerduty::events::create_event),
        )
        .add_front(
            Who::Key(Front::PagerDutyEvents),
            pagerduty::PREFIX,
            routes!(pagerduty::changes::enqueue_change),
        )
        .add(
            Who::Key(Front::AnswerLink),
            routes!(answer::show_answer, answer::answer),
        )
        .add(Who::Key(Front::Webhook), routes!(front::webhook::take))
        .add(
            Who::Key(Front::Webhook),
            routes!(front::webhook::take_by_path),
        )
        .add_front(
            Who::Key(Front::Opsgenie),
            opsgenie::PREFIX,
            routes!(opsgenie::create),
        )
        .add_front(
            Who::Key(Front::Opsgenie),
            opsgenie::PREFIX,
            routes!(opsgenie::alert::read),
        )
        .add_front(
            Who::Key(Front::Opsgenie),
            opsgenie::PREFIX,
            routes!(opsgenie::look, opsgenie::step, opsgenie::update),
        )
        .add(Who::Key(Front::Twilio), routes!(twilio::voice))
        .add(Who::Key(Front::Twilio), routes!(twilio::sms))
        .add(Who::Key(Front::Twilio), routes!(twilio::status))
}

fn access(table: Table) -> Table {
    table
        .add(Who::Public, routes!(session::setup_state, session::set_up))
        .add(Who::Public, routes!(session::sign_in))
        .add(
            Who::Session,
            routes!(session::get_session, session::sign_out),
        )
        .add(Who::SelfOr(Admin), routes!(password::set_password))
        .add(
            Who::Role(Responder),
            routes!(token::list_tokens, token::add_token),
        )
        .add(Who::Role(Responder), routes!(token::revoke_token))
}

fn incidents(table: Table) -> Table {
    let table = table
        .add(
            Who::Role(Responder),
            routes!(incident::respond::snooze, incident::respond::cancel_snooze),
        )
        .add(Who::Role(Responder), routes!(incident::respond::reassign))
        .add(Who::Role(Responder), routes!(incident::respond::escalate))
        .add(Who::Role(Responder), routes!(incident::respond::reopen))
        .add(
            Who::Role(Responder),
            routes!(incident::respond::request_responders),
        )
        .add(
            Who::Role(Responder),
            routes!(incident::respond::answer_request),
        )
        .add(Who::Role(Responder), routes!(incident::respond::merge))
        .add(
            Who::Role(Responder),
            routes!(incident::respond::set_priority),
        )
        .add(
            Who::Role(Responder),
            routes!(incident::respond::set_urgency),
        )
        .add(Who::Role(Responder), routes!(incident::respond::set_title))
        .add(
            Who::Role(Responder),
            routes!(incident::alert::resolve_alert),
        )
        .add(Who::Role(Responder), routes!(incident::respond::bulk));
    table
        .add(Who::Role(Viewer), routes!(incident::list::list_incidents))
        .add(Who::Role(Responder), routes!(incident::declare))
        .add(Who::Role(Viewer), routes!(incident::detail::get_incident))
        .add(Who::Role(Viewer), routes!(incident::timeline::timeline))
        .add(
            Who::Role(Viewer),
            routes!(incident::explain::explain_incident),
        )
        .add(Who::Role(Responder), routes!(incident::acknowledge))
        .add(Who::Role(Responder), routes!(incident::resolve))
        .add(Who::Role(Responder), routes!(incident::add_note))
        .add(Who::Role(Responder), routes!(incident::send_status_update))
        .add(Who::Role(Viewer), routes!(incident::postmortem::postmortem))
        .add(Who::Role(Viewer), routes!(incident::postmortem::evidence))
        .add(Who::Role(Responder), routes!(alert::send_alert))
        .add(Who::Role(Viewer), routes!(active_alerts::list_alerts))
        .add(Who::Role(Viewer), routes!(change::list_changes))
        .add(Who::Role(Responder), routes!(change::tell_change))
        .add(Who::Role(Viewer), routes!(change::get_change))
        .add(Who::Role(Viewer), routes!(stream::stream))
}

fn people(table: Table) -> Table {
    table
        .add(Who::Role(Viewer), routes!(people::me))
        .add(Who::Role(Viewer), routes!(people::list_users))
        .add(Who::Role(Admin), routes!(people::add_user))
        .add(Who::Role(Viewer), routes!(people::get_user))
        .add(
            Who::Role(Admin),
            routes!(people::change_user, people::remove_user),
        )
        .add(Who::SelfOr(Admin), routes!(people::add_contact_method))
        .add(
            Who::SelfOr(Admin),
            routes!(people::change_contact_method, people::remove_contact_method),
        )
        .add(Who::SelfOr(Admin), routes!(people::test_contact_method))
        .add(Who::SelfOr(Admin), routes!(people::verify_contact_method))
        .add(Who::SelfOr(Admin), routes!(people::set_rules))
        .add(
            Who::SelfOr(Admin),
            routes!(notice::get_notices, notice::set_notices),
        )
        .add(Who::Role(Viewer), routes!(notification::get_notification))
        .add(
            Who::Role(Viewer),
            routes!(incident::explain::explain_notification),
        )
}

fn roster(table: Table) -> Table {
    table
        .add(Who::Role(Viewer), routes!(oncall::on_call))
        .add(Who::Role(Viewer), routes!(oncall::own_shifts))
        .add(Who::Role(Viewer), routes!(finding::list_findings))
        .add(
            Who::SelfOr(Admin),
            routes!(calendar::list_calendars, calendar::add_calendar),
        )
        .add(Who::SelfOr(Admin), routes!(calendar::renew_calendar))
        .add(Who::SelfOr(Admin), routes!(calendar::revoke_calendar))
        .add(Who::Public, routes!(calendar::read_calendar))
        .add(Who::Role(Viewer), routes!(roster::team::list_teams))
        .add(Who::Role(Admin), routes!(roster::team::add_team))
        .add(
            Who::Role(Admin),
            routes!(roster::team::replace_team, roster::team::remove_team),
        )
        .add(Who::Role(Viewer), routes!(roster::team::get_team))
        .add(
            Who::Role(Admin),
            routes!(roster::team::add_member, roster::team::remove_member),
        )
        .add(Who::Role(Viewer), routes!(roster::team::get_priorities))
        .add(Who::Role(Admin), routes!(roster::team::set_priorities))
        .add(Who::Role(Viewer), routes!(roster::schedule::list_schedules))
        .add(Who::Role(Admin), routes!(roster::schedule::add_schedule))
        .add(
            Who::Role(Admin),
            routes!(
                roster::schedule::replace_schedule,
                roster::schedule::remove_schedule
            ),
        )
        .add(Who::Role(Viewer), routes!(roster::schedule::get_schedule))
        .add(
            Who::Role(Viewer),
            routes!(roster::rendered::render_schedule),
        )
        .add(
            Who::Role(Viewer),
            routes!(roster::rendered::preview_schedule),
        )
        .add(Who::Role(Viewer), routes!(roster::change::list_overrides))
        .add(Who::Role(Responder), routes!(roster::change::add_override))
        .add(
            Who::Role(Responder),
            routes!(roster::change::remove_override),
        )
        .add(Who::Role(Admin), routes!(roster::change::add_temporary))
        .add(Who::Role(Admin), routes!(roster::change::remove_temporary))
        .add(Who::Role(Responder), routes!(roster::change::propose_swap))
        .add(Who::Role(Responder), routes!(roster::change::accept_swap))
        .add(Who::Role(Responder), routes!(roster::change::decline_swap))
        .add(Who::Role(Responder), routes!(roster::change::withdraw_swap))
}

fn policies_and_services(table: Table) -> Table {
    table
        .add(Who::Role(Viewer), routes!(roster::policy::list_policies))
        .add(Who::Role(Admin), routes!(roster::policy::add_policy))
        .add(
            Who::Role(Admin),
            routes!(
                roster::policy::replace_policy,
                roster::policy::remove_policy
            ),
        )
        .add(Who::Role(Viewer), routes!(roster::policy::get_policy))
        .add(Who::Role(Viewer), routes!(roster::fallback::get_fallback))
        .add(Who::Role(Admin), routes!(roster::fallback::set_fallback))
        .add(Who::Role(Viewer), routes!(roster::service::list_services))
        .add(Who::Role(Viewer), routes!(simulation::simulation))
        .add(Who::Role(Admin), routes!(roster::service::add_service))
        .add(Who::Role(Viewer), routes!(roster::service::get_service))
        .add(
            Who::Role(Admin),
            routes!(
                roster::service::replace_service,
                roster::service::remove_service
            ),
        )
        .add(Who::Role(Admin), routes!(roster::service::add_integration))
        .add(
            Who::Role(Admin),
            routes!(
                roster::integration::replace_integration,
                roster::service::remove_integration
            ),
        )
        .add(
            Who::Role(Viewer),
            routes!(roster::integration::get_integration),
        )
}

fn business_services(table: Table) -> Table {
    use roster::{business, dependency};
    table
        .add(Who::Role(Viewer), routes!(business::list_business_services))
        .add(Who::Role(Admin), routes!(business::add_business_service))
        .add(Who::Role(Viewer), routes!(business::get_business_service))
        .add(
            Who::Role(Admin),
            routes!(
                business::replace_business_service,
                business::remove_business_service
            ),
        )
        .add(Who::Role(Viewer), routes!(dependency::list_dependencies))
        .add(Who::Role(Admin), routes!(dependency::add_dependencies))
        .add(Who::Role(Admin), routes!(dependency::remove_dependency))
}

fn webhooks(table: Table) -> Table {
    let all = routes!(webhook::list_webhooks, webhook::add_webhook);
    let one = routes!(
        webhook::get_webhook,
        webhook::replace_webhook,
        webhook::remove_webhook
    );
    table
        .add(Who::Role(Admin), all)
        .add(Who::Role(Admin), one)
        .add(Who::Role(Admin), routes!(webhook::enable_webhook))
        .add(Who::Role(Admin), routes!(webhook::test_webhook))
}

fn intake(table: Table) -> Table {
    table
        .add(Who::Role(Viewer), routes!(intake::settings::get_settings))
        .add(Who::Role(Admin), routes!(intake::settings::set_settings))
        .add(Who::Role(Viewer), routes!(intake::rule::list_alert_rules))
        .add(Who::Role(Admin), routes!(intake::rule::set_alert_rules))
        .add(Who::Role(Viewer), routes!(intake::rule::list_service_rules))
        .add(Who::Role(Admin), routes!(intake::rule::set_service_rules))
        .add(Who::Role(Responder), routes!(intake::dry_run::dry_run))
        .add(Who::Role(Responder), routes!(intake::mapping::dry_run))
        .add(Who::Role(Viewer), routes!(intake::mapping::list_presets))
        .add(Who::Role(Viewer), routes!(intake::window::list_windows))
        .add(Who::Role(Viewer), routes!(intake::window::get_window))
        .add(Who::Role(Responder), routes!(intake::window::add_window))
        .add(
            Who::Role(Responder),
            routes!(
                intake::window::replace_window,
                intake::window::remove_window
            ),
        )
        .add(Who::Role(Responder), routes!(intake::window::end_window))
        .add(
            Who::Role(Viewer),
            routes!(intake::heartbeat::list_heartbeats),
        )
        .add(Who::Role(Viewer), routes!(intake::heartbeat::get_heartbeat))
        .add(Who::Role(Admin), routes!(intake::heartbeat::add_heartbeat))
        .add(
            Who::Role(Admin),
            routes!(
                intake::heartbeat::replace_heartbeat,
                intake::heartbeat::remove_heartbeat
            ),
        )
        .add(Who::Key(Front::Heartbeats), routes!(intake::call::call))
        .add(
            Who::Key(Front::Heartbeats),
            routes!(intake::call::call_by_post),
        )
        .add(Who::Key(Front::Heartbeats), routes!(intake::call::start))
        .add(
            Who::Key(Front::Heartbeats),
            routes!(intake::call::start_by_post),
        )
        .add(Who::Key(Front::Heartbeats), routes!(intake::call::fail))
        .add(
            Who::Key(Front::Heartbeats),
            routes!(intake::call::fail_by_post),
        )
}

fn watch(table: Table) -> Table {
    table
        .add(Who::Role(Viewer), routes!(target::list_targets))
        .add(Who::Role(Viewer), routes!(target::get_target))
        .add(Who::Role(Admin), routes!(target::remove_target))
        .add(Who::Role(Responder), routes!(target::mute, target::unmute))
        .add(Who::Role(Responder), routes!(target::plan_maintenance))
        .add(Who::Role(Responder), routes!(target::cancel_maintenance))
        .add(Who::Role(Viewer), routes!(monitor::list_monitors))
        .add(Who::Role(Viewer), routes!(monitor::get_monitor))
        .add(Who::Role(Admin), routes!(monitor::switch_monitor))
        .add(Who::Role(Viewer), routes!(rule::list_rules))
        .add(Who::Role(Viewer), routes!(query::query))
        .add(Who::Role(Viewer), routes!(query::query_range))
}

fn settings(table: Table) -> Table {
    table
        .add(Who::Role(Admin), routes!(audit::list_audit_records))
        .add(Who::Role(Admin), routes!(code::export_code))
        .add(Who::Role(Admin), routes!(code::plan_code))
        .add(Who::Role(Admin), routes!(code::apply_code))
        .add(Who::Role(Viewer), routes!(channel::channels))
        .add(Who::Role(Admin), routes!(channel::set_email))
        .add(
            Who::Role(Admin),
            routes!(channel::set_further_email, channel::remove_further_email),
        )
        .add(Who::Role(Admin), routes!(channel::test_email))
        .add(
            Who::Role(Admin),
            routes!(
                channel::account::set_account,
                channel::account::remove_account
            ),
        )
        .add(
            Who::Role(Admin),
            routes!(
                channel::account::set_further_account,
                channel::account::remove_further_account
            ),
        )
        .add(Who::Role(Viewer), routes!(health::doctor))
        .add(Who::Role(Viewer), routes!(metrics::metrics))
}
