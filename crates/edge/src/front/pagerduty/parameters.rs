//! What the routes of the REST API that read take after the question mark, as the description tells it. What each means is known
//! where it is read; the words that it may be come from there.

use tocsin_domain::people::ChannelKind;
use tocsin_wire::pagerduty::rest::paging::{LIMIT_MAX, REACH_MAX};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Required, Schema};

use super::include::Named;
use super::{
    alerts, audit, groupings, impacts, incident_shape, incidents, log_channels, log_entries,
    notifications, policies, schedule_list, services, teams, triggers, users, webhooks, windows,
};

/// What several routes take together, each under a name, so that each route names what it reads.
macro_rules! groups {
    ($($(#[$about:meta])* $name:ident: $parameters:expr;)*) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, Debug)]
        pub(super) enum $name {}

        impl IntoParams for $name {
            fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
                $parameters.into()
            }
        }
    )*};
}

groups! {
    /// Which page of a list.
    Page: [
        query("limit", &format!("Entries wanted; 25 when not given, {LIMIT_MAX} at most."), number(1)),
        query("offset", &format!("Entries before them; with `limit` {REACH_MAX} at most."), number(0)),
        query("total", "Whether all entries are to be counted.", flag()),
    ];
    /// Lists of what has a name.
    Search: [
        query("query", "A part of the name.", text()),
        sorted_by(&["name"]),
    ];
    /// A span, either end of which may be left out.
    Span: [since(), until()];
    /// A span that has both ends.
    WholeSpan: [needed(since()), needed(until())];
    /// The clocks of an answer.
    Zone: [query("time_zone", "The IANA zone in which times are told, and read where they say no offset.", text())];
    /// The teams of which something has to be.
    Teams: [ids("team_ids", "Only those of these teams.")];
    /// The services of which something has to be.
    Services: [ids("service_ids", "Only those of these services.")];
    /// The people of whom something has to be.
    People: [ids("user_ids", "Only those of these people.")];

    /// Which incidents.
    Incidents: [
        query("date_range", "`all`: whatever the span.", words(["all"])),
        set("statuses", "Only those of one of these statuses.", of(&incidents::STATUSES)),
        set("urgencies", "Only those of one of these urgencies.", of(&incidents::URGENCIES)),
        ids("priority_ids", "Only those of one of these priorities."),
        query("incident_key", "Only that with an alert of this key.", text()),
        sorted_by(&of(&incidents::SORTS)),
    ];
    /// What of incidents is shown wholly.
    IncidentInclude: [include(
        named(incidents::INCLUDED)
            .chain(incident_shape::INCLUDE_WORDS)
            .chain([triggers::FIRST_ENTRIES]),
    )];
    /// Which alerts of an incident.
    Alerts: [
        query("alert_key", "Only that with this key.", text()),
        set("statuses", "Only those of one of these statuses.", of(&alerts::STATUSES)),
        sorted_by(&of(&alerts::SORTS)),
    ];
    /// What of alerts is shown wholly.
    AlertInclude: [include(named(alerts::INCLUDED))];
    /// Which log entries.
    LogEntries: [
        since(),
        until(),
        ids("team_ids", "Only those of these teams."),
        query("is_overview", "Only those of the most important kinds.", flag()),
        include(named(log_entries::INCLUDED).chain([log_channels::CHANNELS])),
    ];
    /// What of one log entry is shown wholly.
    LogEntryInclude: [include(named(log_entries::INCLUDED).chain([log_channels::CHANNELS]))];
    /// Which messages.
    Notifications: [
        query("filter", "Only those of this kind.", words(ChannelKind::ALL.map(notifications::kind))),
        include(named(notifications::INCLUDED)),
    ];
    /// Which changes.
    Changes: [ids("integration_ids", "Only those that came by these integrations.")];

    /// What of people is shown wholly.
    UserInclude: [include(named(users::INCLUDED).chain([users::WAYS, users::RULES]))];
    /// Which notification rules.
    Rules: [query("urgency", "Only those for this urgency.", words(of(&incidents::URGENCIES)))];
    /// What of notification rules is shown wholly.
    RuleInclude: [include([users::WAYS])];
    /// What of memberships is shown wholly.
    MemberInclude: [include(named(teams::INCLUDED))];
    /// What of escalation policies is shown wholly.
    PolicyInclude: [include(named(policies::INCLUDED).chain([policies::STRATEGIES]))];

    /// What of schedules is shown wholly.
    ScheduleInclude: [include(schedule_list::PARTS)];
    /// Whose next turn is told.
    NextTurn: [query(schedule_list::NEXT_FOR, "The id of the person whose next turn is told.", text())];
    /// How shifts at the ends of a span are shown.
    Overflow: [query("overflow", "Whether shifts are shown as long as they are, also outside of the span.", flag())];
    /// Which overrides.
    Overrides: [query("editable", "Only the ids of those that have not begun.", flag())];
    /// Which duties.
    Duties: [
        ids("escalation_policy_ids", "Only those of these policies."),
        ids("schedule_ids", "Only those of these schedules; `null` for whom a policy itself names."),
        query("earliest", "Only the first duty of each person at each level.", flag()),
        include(["users", "escalation_policies", "schedules"]),
    ];

    /// Services by what they are known by.
    NamedServices: [
        ids("id", "Only these."),
        query("name", "Only that of exactly this name.", text()),
    ];
    /// What of services is shown wholly.
    ServiceInclude: [include(["integrations", "escalation_policies", "teams"])];
    /// What of integrations is shown wholly.
    IntegrationInclude: [include(named(services::INCLUDED))];
    /// Which maintenance windows.
    Windows: [
        query("query", "A part of the description.", text()),
        query("filter", "Only those that are so now.", words(of(&windows::STANDINGS))),
    ];
    /// What of maintenance windows is shown wholly.
    WindowInclude: [include(named(windows::INCLUDED))];

    /// Which page of a list that goes on after an id.
    GroupingPage: [
        query("limit", &format!("Entries wanted; 25 when not given, {LIMIT_MAX} at most."), number(1)),
        query(groupings::AFTER, "The id that the page comes after: `after` of the page before it.", text()),
        query(groupings::BEFORE, "The id that the page comes before: `before` of the page after it.", text()),
        query("total", "Whether all entries are to be counted.", flag()),
    ];
    /// Which business services, and how many.
    Impacts: [
        query("limit", &format!("Entries wanted, {} at most.", impacts::ENTRIES_MAX), number(1)),
        ids("ids", "Only these business services."),
    ];
    /// What is told of them besides.
    ImpactFields: [set("additional_fields", "What is told besides.", impacts::FIELDS)];
    /// Which page of a list that goes on by a cursor.
    AuditPage: [
        query("limit", &format!("Records wanted; 25 when not given, {LIMIT_MAX} at most."), number(1)),
        query(audit::CURSOR, "`next_cursor` of the page before.", text()),
    ];
    /// Which audit records.
    AuditRecords: [
        set("root_resource_types", "Only those of these kinds of things.", of(&audit::ROOTS)),
        set("actions", "Only those by which one of these was done.", of(&audit::ACTIONS)),
        query("actor_type", "Only those by an actor of this type.", words(of(&audit::ACTORS))),
        query("actor_id", "Only those by the actor of that type with this id.", text()),
        query("method_type", "Only those that were made this way.", words(of(&audit::METHODS))),
    ];
    /// Which webhook subscriptions.
    Subscriptions: [
        query("filter_type", "Only those to this.", words(of(&webhooks::SCOPES))),
        query("filter_id", "Only those to the service or the team with this id.", text()),
    ];
}

/// A parameter that may be left out.
fn query(name: &str, about: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}

fn needed(mut parameter: Parameter) -> Parameter {
    parameter.required = Required::True;
    parameter
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn flag() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

fn number(min: u32) -> ObjectBuilder {
    let number = ObjectBuilder::new().schema_type(Type::Integer);
    number.minimum(Some(min))
}

fn words<W: Into<serde_json::Value>>(all: impl IntoIterator<Item = W>) -> ObjectBuilder {
    text().enum_values(Some(all))
}

fn instant(name: &str, about: &str) -> Parameter {
    let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
    query(name, about, text().format(Some(format)))
}

fn since() -> Parameter {
    instant("since", "From then on.")
}

fn until() -> Parameter {
    instant("until", "Before then.")
}

/// A set of some of these words, each said by a parameter of this name.
fn set(name: &str, about: &str, all: impl IntoIterator<Item = &'static str>) -> Parameter {
    let list = ArrayBuilder::new().items(words(all));
    query(&format!("{name}[]"), about, list)
}

/// A set of ids, of which none is empty. What has not the form of one names nothing, and is no error.
fn ids(name: &str, about: &str) -> Parameter {
    let list = ArrayBuilder::new().items(text().min_length(Some(1)));
    query(&format!("{name}[]"), about, list)
}

fn include(all: impl IntoIterator<Item = &'static str>) -> Parameter {
    let mut all: Vec<&str> = all.into_iter().collect();
    all.sort_unstable();
    all.dedup();
    set("include", "What is shown wholly instead of named.", all)
}

/// By which of these fields a list is in order, and in which: two at most.
fn sorted_by(fields: &[&str]) -> Parameter {
    let fields = fields.join("|");
    let one = format!("({fields})(:(asc|desc))?");
    let schema = text().pattern(Some(format!("^{one}(,{one})?$")));
    query(
        "sort_by",
        "In which order; two fields at most, each with `:asc` or `:desc`.",
        schema,
    )
}

fn of<T>(all: &[(&'static str, T)]) -> Vec<&'static str> {
    all.iter().map(|(word, _)| *word).collect()
}

fn named(all: &'static [Named]) -> impl Iterator<Item = &'static str> {
    all.iter().map(|(word, _)| *word)
}
