//! Which scopes a token that has some needs for each route: read from the path alone, once for each route when it is registered. Of a
//! path that stands nowhere here nobody has said it, and such tokens are refused.

use tocsin_domain::people::{Scope, Scopes};

const ALERTS: Scopes = Scopes::of(Scope::Alerts);
const INCIDENTS: Scopes = Scopes::of(Scope::Incidents);
const ROSTER: Scopes = Scopes::of(Scope::Roster);
const SETTINGS: Scopes = Scopes::of(Scope::Settings);
const TELEMETRY: Scopes = Scopes::of(Scope::Telemetry);
/// What planned work needs, also where a front shows it as something else.
pub(crate) const PLANNED_WORK: Scopes = SETTINGS;
/// What files are about: all but samples.
const FILES: Scopes = ALERTS
    .and(Scope::Incidents)
    .and(Scope::Roster)
    .and(Scope::Settings);

/// The native API is below this.
const NATIVE: &str = "/api/tocsin/v1";
/// Under these the fronts are served again.
const PREFIXES: [&str; 3] = ["/pagerduty", "/prometheus", "/alertmanager"];

/// A path, below which all is the same unless it stands before, and what it needs.
type Needed = (&'static str, Scopes);

static OF_NATIVE: [Needed; 33] = [
    // Who has a password signs in, and is then kept to nothing.
    ("/users/{id}/password", Scopes::ALL),
    ("/me", Scopes::NONE),
    ("/alerts", ALERTS),
    ("/changes", ALERTS),
    ("/heartbeats", ALERTS),
    ("/incidents", INCIDENTS),
    ("/notifications", INCIDENTS),
    ("/stream", INCIDENTS),
    ("/users", ROSTER),
    ("/teams", ROSTER),
    ("/schedules", ROSTER),
    ("/escalation-policies", ROSTER),
    ("/oncall", ROSTER),
    ("/fallback", ROSTER),
    ("/tags", ROSTER),
    ("/services", SETTINGS),
    ("/business-services", SETTINGS),
    ("/service-dependencies", SETTINGS),
    ("/alert-rules", SETTINGS),
    ("/intake", SETTINGS),
    ("/maintenance-windows", PLANNED_WORK),
    ("/monitors", SETTINGS),
    ("/targets", SETTINGS),
    ("/webhook-subscriptions", SETTINGS),
    ("/channels", SETTINGS),
    ("/priorities", SETTINGS),
    ("/doctor", SETTINGS),
    ("/api-tokens", SETTINGS),
    // Who changed what, of all that there is.
    ("/audit", FILES),
    ("/code", FILES),
    ("/rules", TELEMETRY),
    ("/query", TELEMETRY),
    ("/query_range", TELEMETRY),
];

/// Those of the fronts, whose paths have nothing in common, and what else takes a token.
static OF_FRONTS: [Needed; 31] = [
    ("/users/me", Scopes::NONE),
    ("/abilities", Scopes::NONE),
    ("/audit", FILES),
    ("/users/{id}/log_entries", INCIDENTS),
    ("/services/{id}/change_events", ALERTS),
    ("/change_events", ALERTS),
    ("/incidents", INCIDENTS),
    ("/log_entries", INCIDENTS),
    ("/notifications", INCIDENTS),
    ("/analytics", INCIDENTS),
    ("/users", ROSTER),
    ("/teams", ROSTER),
    ("/schedules", ROSTER),
    ("/escalation_policies", ROSTER),
    ("/oncalls", ROSTER),
    ("/tags", ROSTER),
    ("/licenses", ROSTER),
    ("/services", SETTINGS),
    ("/maintenance_windows", PLANNED_WORK),
    ("/business_services", SETTINGS),
    ("/service_dependencies", SETTINGS),
    ("/event_orchestrations", SETTINGS),
    ("/alert_grouping_settings", SETTINGS),
    ("/webhook_subscriptions", SETTINGS),
    ("/priorities", SETTINGS),
    ("/vendors", SETTINGS),
    ("/api/v1", TELEMETRY),
    ("/federate", TELEMETRY),
    ("/metrics", TELEMETRY),
    ("/-/reload", TELEMETRY),
    ("/api/v2", ALERTS),
];

/// What a token that has scopes needs for a route of this path; none where nobody has said it.
pub(crate) fn needed(path: &str) -> Option<Scopes> {
    if let Some(rest) = path.strip_prefix(NATIVE) {
        return found(&OF_NATIVE, rest);
    }
    let stripped = PREFIXES.iter().find_map(|prefix| path.strip_prefix(prefix));
    found(&OF_FRONTS, stripped.unwrap_or(path))
}

fn found(all: &[Needed], path: &str) -> Option<Scopes> {
    let is_at_or_below = |known: &str| {
        let rest = path.strip_prefix(known);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let found = all.iter().find(|(known, _)| is_at_or_below(known));
    found.map(|(_, needed)| *needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_needs_what_the_first_says_that_it_stands_at_or_below() {
        for (path, expected) in [
            ("/api/tocsin/v1/alerts", Some(ALERTS)),
            ("/api/tocsin/v1/alert-rules/dry-run", Some(SETTINGS)),
            ("/api/tocsin/v1/users/{id}", Some(ROSTER)),
            ("/api/tocsin/v1/users/{id}/password", Some(Scopes::ALL)),
            ("/api/tocsin/v1/query_range", Some(TELEMETRY)),
            ("/api/tocsin/v1/queryx", None),
            ("/api/tocsin/v1/code/apply", Some(FILES)),
            ("/pagerduty/users/me", Some(Scopes::NONE)),
            ("/users/{id}/log_entries", Some(INCIDENTS)),
            ("/pagerduty/services/{id}", Some(SETTINGS)),
            ("/prometheus/api/v1/write", Some(TELEMETRY)),
            ("/alertmanager/api/v2/silences", Some(ALERTS)),
            ("/api/v3/anything", None),
            ("/", None),
        ] {
            assert_eq!(needed(path), expected, "{path}");
        }
    }
}
