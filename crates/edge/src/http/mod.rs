//! The HTTP side: the table of all routes, and the layers that every request passes.

pub(crate) mod address;
pub(crate) mod alert;
pub(crate) mod body;
pub(crate) mod channel;
pub(crate) mod health;
pub(crate) mod idempotency;
pub(crate) mod incident;
mod layers;
pub(crate) mod metrics;
pub(crate) mod monitor;
pub(crate) mod notification;
pub(crate) mod oncall;
pub(crate) mod page;
pub(crate) mod people;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod roster;
pub(crate) mod routes;
pub(crate) mod session;
pub(crate) mod shape;
pub(crate) mod stream;
pub(crate) mod target;
pub(crate) mod token;

use axum::Router;
use tocsin_domain::people::Role::{Admin, Responder, Viewer};
use utoipa::openapi::OpenApi;
use utoipa_axum::routes;

use crate::access::who::{Front, Who};
use crate::app::App;
use crate::front::pagerduty;
use crate::ui;
use routes::{Listed, Table};

/// The router with everything in it, its description, and the list of its routes.
pub(crate) fn router(app: App) -> (Router, OpenApi, Vec<Listed>) {
    let (router, openapi, listed) = table(app.clone()).build();
    (layers::around(router, app), openapi, listed)
}

fn table(app: App) -> Table {
    let table = open_to_all(Table::new(app));
    let table = incidents(access(table));
    let table = roster(people(table));
    settings(watch(table))
}

fn open_to_all(table: Table) -> Table {
    table
        .add(Who::Public, routes!(health::healthz))
        .add(Who::Public, routes!(health::readyz))
        .add(Who::Public, routes!(ui::root))
        .add(Who::Public, routes!(ui::index))
        .add(Who::Public, routes!(ui::without_slash))
        .add(Who::Public, routes!(ui::file))
        .add(Who::Key(Front::PagerDutyEvents), routes!(pagerduty::enqueue))
        .add(Who::Key(Front::PagerDutyEvents), routes!(pagerduty::enqueue_prefixed))
}

fn access(table: Table) -> Table {
    table
        .add(Who::Public, routes!(session::setup_state, session::set_up))
        .add(Who::Public, routes!(session::sign_in))
        .add(Who::Session, routes!(session::get_session, session::sign_out))
        .add(Who::SelfOr(Admin), routes!(session::set_password))
        .add(Who::Role(Responder), routes!(token::list_tokens, token::add_token))
        .add(Who::Role(Responder), routes!(token::revoke_token))
}

fn incidents(table: Table) -> Table {
    table
        .add(Who::Role(Viewer), routes!(incident::list_incidents))
        .add(Who::Role(Responder), routes!(incident::declare))
        .add(Who::Role(Viewer), routes!(incident::detail::get_incident))
        .add(Who::Role(Viewer), routes!(incident::timeline::timeline))
        .add(Who::Role(Responder), routes!(incident::acknowledge))
        .add(Who::Role(Responder), routes!(incident::resolve))
        .add(Who::Role(Responder), routes!(incident::add_note))
        .add(Who::Role(Viewer), routes!(incident::postmortem::evidence))
        .add(Who::Role(Responder), routes!(alert::send_alert))
        .add(Who::Role(Viewer), routes!(stream::stream))
}

fn people(table: Table) -> Table {
    table
        .add(Who::Role(Viewer), routes!(people::me))
        .add(Who::Role(Viewer), routes!(people::list_users))
        .add(Who::Role(Admin), routes!(people::add_user))
        .add(Who::Role(Viewer), routes!(people::get_user))
        .add(Who::Role(Admin), routes!(people::change_user, people::remove_user))
        .add(Who::SelfOr(Admin), routes!(people::add_contact_method))
        .add(Who::SelfOr(Admin), routes!(people::remove_contact_method))
        .add(Who::SelfOr(Admin), routes!(people::test_contact_method))
        .add(Who::SelfOr(Admin), routes!(people::verify_contact_method))
        .add(Who::SelfOr(Admin), routes!(people::set_rules))
        .add(Who::Role(Viewer), routes!(notification::get_notification))
}

fn roster(table: Table) -> Table {
    table
        .add(Who::Role(Viewer), routes!(oncall::on_call))
        .add(Who::Role(Viewer), routes!(roster::list_schedules))
        .add(Who::Role(Admin), routes!(roster::add_schedule))
        .add(Who::Role(Admin), routes!(roster::replace_schedule, roster::remove_schedule))
        .add(Who::Role(Viewer), routes!(roster::list_policies))
        .add(Who::Role(Admin), routes!(roster::add_policy))
        .add(Who::Role(Admin), routes!(roster::replace_policy, roster::remove_policy))
        .add(Who::Role(Viewer), routes!(roster::list_services))
        .add(Who::Role(Admin), routes!(roster::add_service))
        .add(Who::Role(Admin), routes!(roster::replace_service))
        .add(Who::Role(Admin), routes!(roster::add_integration))
        .add(Who::Role(Admin), routes!(roster::remove_integration))
}

fn watch(table: Table) -> Table {
    table
        .add(Who::Role(Viewer), routes!(target::list_targets))
        .add(Who::Role(Admin), routes!(target::remove_target))
        .add(Who::Role(Responder), routes!(target::mute, target::unmute))
        .add(Who::Role(Responder), routes!(target::plan_maintenance))
        .add(Who::Role(Responder), routes!(target::cancel_maintenance))
        .add(Who::Role(Viewer), routes!(monitor::list_monitors))
        .add(Who::Role(Admin), routes!(monitor::switch_monitor))
        .add(Who::Role(Viewer), routes!(query::query))
        .add(Who::Role(Viewer), routes!(query::query_range))
}

fn settings(table: Table) -> Table {
    table
        .add(Who::Role(Viewer), routes!(channel::channels))
        .add(Who::Role(Admin), routes!(channel::set_email))
        .add(Who::Role(Admin), routes!(channel::test_email))
        .add(Who::Role(Viewer), routes!(health::doctor))
        .add(Who::Role(Viewer), routes!(metrics::metrics))
}
