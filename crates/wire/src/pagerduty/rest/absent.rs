//! What PagerDuty has and Tocsin has not: the words by which a client is told, in the form of an error. Nothing of it is served, so
//! that no client takes an answer for done what nobody does.

/// The first part of a path, and why there is nothing under it.
const FIRST: [(&str, &str); 22] = [
    ("addons", "Tocsin's pages show no addons"),
    ("automation_actions", "Tocsin runs no automation"),
    ("extension_schemas", "Tocsin has no extensions"),
    ("extensions", "Tocsin has no extensions"),
    (
        "incident_custom_fields",
        "incidents have no fields of your own",
    ),
    ("incident_types", "incidents are of one type"),
    ("incident_workflows", "Tocsin has no workflows"),
    (
        "integration-slack",
        "who is told by Slack is set by contact methods",
    ),
    ("jira_cloud", "Tocsin writes no tickets"),
    (
        "license_allocations",
        "everybody has the one license under /licenses, and since when is not kept",
    ),
    ("oauth_delegations", "a token is taken back in Tocsin"),
    (
        "paused_incident_reports",
        "Tocsin makes no reports of pauses",
    ),
    ("response_plays", "Tocsin has no response plays"),
    (
        "rulesets",
        "rules are served as the router of an event orchestration",
    ),
    (
        "session_configurations",
        "how long sessions last is set in Tocsin",
    ),
    ("sre", "Tocsin keeps no memories of agents"),
    ("standards", "Tocsin measures no services by standards"),
    (
        "status_dashboards",
        "Tocsin has one status page, of its own",
    ),
    ("status_pages", "Tocsin has one status page, of its own"),
    ("templates", "Tocsin has no templates of messages"),
    (
        "v3",
        "schedules are served in the form before this one, under /schedules",
    ),
    ("workflows", "Tocsin has no workflows"),
];

/// The last parts of paths whose first parts are served, and why there is nothing under them.
const LAST: [(&str, &str); 23] = [
    (
        "account_subscription",
        "nobody subscribes to business services",
    ),
    ("cache_variables", "rules keep no variables"),
    (
        "channel",
        "what an alert told is in its log entry, where include[]=channels asks for it",
    ),
    (
        "count",
        "how many there are is told by the list, where total=true asks for it",
    ),
    ("custom_fields", "there are no fields of your own"),
    (
        "escalation_policies",
        "policies belong to everybody, and to no team of their own",
    ),
    (
        "global",
        "a rule that does more than send an alert to a service is set in Tocsin",
    ),
    (
        "impacts",
        "what hurts a business service follows from what supports it, and is not said by hand",
    ),
    (
        "integrations",
        "alerts come by the integrations of services, and every rule sees them all",
    ),
    (
        "oncall_handoff_notification_rules",
        "whoever has duty next is told by Tocsin itself, which has no rules for that",
    ),
    (
        "outlier_incident",
        "Tocsin does not say how usual an incident is",
    ),
    (
        "past_incidents",
        "Tocsin does not look for incidents like this one",
    ),
    (
        "priority_thresholds",
        "every urgent incident counts for business services, whatever its priority",
    ),
    (
        "related_incidents",
        "Tocsin does not guess which other incidents belong to this one",
    ),
    (
        "responders",
        "services, teams and all together are measured, and no single people",
    ),
    (
        "responses",
        "who was asked and what they said is told by the incident itself",
    ),
    (
        "rules",
        "rules are served as the router of an event orchestration",
    ),
    ("services", "the rules of one service are set in Tocsin"),
    ("sessions", "sessions are ended in Tocsin"),
    (
        "status_update_notification_rules",
        "nobody subscribes to incidents",
    ),
    (
        "subscribers",
        "nobody subscribes to incidents or to business services",
    ),
    ("unsubscribe", "nobody subscribes to business services"),
    (
        "unrouted",
        "what no rule sends elsewhere stays with the service whose key it came by",
    ),
];

/// Why there is nothing at a path of the API, where that is known.
#[must_use]
pub fn why(path: &str) -> Option<&'static str> {
    let path = path.trim_matches('/');
    let first = path.split('/').next().unwrap_or_default();
    let known = FIRST.iter().find(|(name, _)| *name == first);
    if let Some((_, why)) = known {
        return Some(*why);
    }
    // A part of it may stand before the id of one thing.
    let shorter = path.rsplit_once('/').map_or("", |(before, _)| before);
    let ends = |text: &str, name: &str| {
        let before = text.strip_suffix(name);
        before.is_some_and(|before| before.ends_with('/'))
    };
    let known = LAST
        .iter()
        .find(|(name, _)| ends(path, name) || ends(shorter, name));
    known.map(|(_, why)| *why)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_absent_is_told_with_its_reason() {
        for (path, word) in [
            ("/business_services", ""),
            ("/service_dependencies/business_services/QA", ""),
            ("/business_services/priority_thresholds", "urgent"),
            ("/business_services/QA/subscribers", "business services"),
            ("/business_services/QA/unsubscribe", "business services"),
            ("/business_services/QA/account_subscription", "subscribes"),
            ("/incidents/QA/business_services/QB/impacts", "by hand"),
            ("/teams/QA/escalation_policies/QB", "belong to everybody"),
            ("/escalation_policies", ""),
            ("/escalation_policies/QA", ""),
            ("/extensions/QA", "extensions"),
            ("/licenses", ""),
            ("/users/QA/license", ""),
            ("/license_allocations", "under /licenses"),
            ("/log_entries/QA/channel", "log entry"),
            ("/schedules/QA/audit/records", ""),
            ("/users/QA/oncall_handoff_notification_rules", "duty next"),
            (
                "/users/QA/oncall_handoff_notification_rules/QB",
                "duty next",
            ),
            ("/event_orchestrations/QA/unrouted", "stays with"),
            ("/incidents/count", "total=true"),
            ("/incidents/custom_fields", "of your own"),
            ("/incidents/custom_fields/QA", "of your own"),
            ("/incidents/QA/custom_fields/values", "of your own"),
            ("/incidents/QA/past_incidents", "like this one"),
            ("/incidents/QA/related_incidents", "belong"),
            ("/incidents/QA/outlier_incident", "usual"),
            ("/analytics/metrics/responders/all", "no single people"),
            (
                "/analytics/raw/incidents/QA/responses",
                "the incident itself",
            ),
            ("/v3/schedules/QA", "/schedules"),
            ("/event_orchestrations/services/QA", "one service"),
            ("/incidents", ""),
            ("/", ""),
            ("", ""),
        ] {
            let told = why(path).unwrap_or_default();
            assert_eq!(told.is_empty(), word.is_empty(), "{path}: {told}");
            assert!(told.contains(word), "{path}: {told}");
        }
    }

    proptest! {
        #[test]
        fn no_path_makes_it_panic(path in "\\PC{0,40}") {
            let _ = why(&path);
        }
    }
}
