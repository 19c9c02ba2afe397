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
    ("status_dashboards", "Tocsin publishes no status page"),
    ("status_pages", "Tocsin publishes no status page"),
    ("templates", "Tocsin has no templates of messages"),
    (
        "v3",
        "schedules are served in the form before this one, under /schedules",
    ),
    ("workflows", "Tocsin has no workflows"),
];

/// Under which first parts of paths, that are served, there is nothing where another part follows somewhere, and why. Where two such
/// parts follow, the one that stands first here tells.
const UNDER: [(&[&str], &str, &str); 27] = [
    (
        &["business_services"],
        "account_subscription",
        "nobody subscribes to business services",
    ),
    (
        &["event_orchestrations"],
        "cache_variables",
        "rules keep no variables",
    ),
    (
        &["log_entries"],
        "channel",
        "what an alert told is in its log entry, where include[]=channels asks for it",
    ),
    (
        &["incidents"],
        "count",
        "how many there are is told by the list, where total=true asks for it",
    ),
    (
        &["incidents", "services"],
        "custom_fields",
        "there are no fields of your own",
    ),
    (
        &["event_orchestrations"],
        "global",
        "a rule that does more than send an alert to a service is set in Tocsin",
    ),
    (
        &["incidents"],
        "impacts",
        "what hurts a business service follows from what supports it, and is not said by hand",
    ),
    (
        &["event_orchestrations"],
        "integrations",
        "alerts come by the integrations of services, and every rule sees them all",
    ),
    (
        &["teams", "users"],
        "notification_subscriptions",
        "nobody subscribes to incidents or to business services",
    ),
    (
        &["users"],
        "oncall_handoff_notification_rules",
        "whoever has duty next is told by Tocsin itself, which has no rules for that",
    ),
    (
        &["incidents"],
        "outlier_incident",
        "Tocsin does not say how usual an incident is",
    ),
    (
        &["incidents"],
        "past_incidents",
        "Tocsin does not look for incidents like this one",
    ),
    (
        &["analytics"],
        "pd_advance_usage",
        "Tocsin has no assistant whose use could be measured",
    ),
    (
        &["business_services"],
        "priority_thresholds",
        "every urgent incident counts for business services, whatever its priority",
    ),
    (
        &["incidents"],
        "related_incidents",
        "Tocsin does not guess which other incidents belong to this one",
    ),
    (
        &["analytics"],
        "responders",
        "incidents are measured all together, by service, by team and by policy, and no single people",
    ),
    (
        &["analytics"],
        "responses",
        "who was asked and what they said is told by the incident itself",
    ),
    (
        &["services"],
        "rules",
        "the rules of one service are set in Tocsin",
    ),
    (
        &["event_orchestrations"],
        "rules",
        "rules are served as the router of an event orchestration",
    ),
    (
        &["event_orchestrations"],
        "services",
        "the rules of one service are set in Tocsin",
    ),
    (&["users"], "sessions", "sessions are ended in Tocsin"),
    (
        &["users"],
        "status_update_notification_rules",
        "nobody subscribes to incidents",
    ),
    (
        &["incidents"],
        "subscribers",
        "nobody subscribes to incidents",
    ),
    (
        &["business_services"],
        "subscribers",
        "nobody subscribes to business services",
    ),
    (
        &["incidents"],
        "unsubscribe",
        "nobody subscribes to incidents",
    ),
    (
        &["business_services"],
        "unsubscribe",
        "nobody subscribes to business services",
    ),
    (
        &["event_orchestrations"],
        "unrouted",
        "what no rule sends elsewhere stays with the service whose key it came by",
    ),
];

/// What stands in the place of an id.
const ID: &str = "*";

/// Paths that begin as those of things that are served, and why there is nothing at them and under them.
const PATHS: [(&str, &str); 6] = [
    ("event_orchestrations/*/enablements", ENABLEMENTS),
    ("incidents/custom_fields", CUSTOM_FIELDS),
    ("incidents/types", "incidents are of one type"),
    ("services/*/enablements", ENABLEMENTS),
    ("services/custom_fields", CUSTOM_FIELDS),
    (
        "webhook_subscriptions/oauth_clients",
        "who may receive webhooks is said by headers of their own",
    ),
];
const ENABLEMENTS: &str = "Tocsin has no features that are switched on for one thing";
const CUSTOM_FIELDS: &str = "there are no fields of your own";

/// Why there is nothing at a path that stands in the place of something that is served: no id is one of its words.
#[must_use]
pub fn in_its_place(path: &str) -> Option<&'static str> {
    let parts = || path.trim_matches('/').split('/');
    let begins = |pattern: &str| {
        let mut parts = parts();
        let mut wanted = pattern.split('/');
        wanted.all(|wanted| {
            parts
                .next()
                .is_some_and(|part| wanted == ID || wanted == part)
        })
    };
    let known = PATHS.iter().find(|(pattern, _)| begins(pattern));
    known.map(|(_, why)| *why)
}

/// Why there is nothing at a path of the API, where that is known.
#[must_use]
pub fn why(path: &str) -> Option<&'static str> {
    if let Some(why) = in_its_place(path) {
        return Some(why);
    }
    let mut parts = path.trim_matches('/').split('/');
    let first = parts.next().unwrap_or_default();
    let known = FIRST.iter().find(|(name, _)| *name == first);
    if let Some((_, why)) = known {
        return Some(*why);
    }
    let known = UNDER
        .iter()
        .find(|(under, name, _)| under.contains(&first) && parts.clone().any(|part| part == *name));
    known.map(|(_, _, why)| *why)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is answered for a path: with these words, or none where there is no reason to tell.
    #[track_caller]
    fn check(path: &str, word: &str) {
        let told = why(path).unwrap_or_default();
        assert_eq!(told.is_empty(), word.is_empty(), "{path}: {told}");
        assert!(told.contains(word), "{path}: {told}");
    }

    #[test]
    fn what_is_absent_is_told_with_its_reason() {
        for (path, word) in [
            ("/business_services", ""),
            ("/service_dependencies/business_services/QA", ""),
            ("/business_services/priority_thresholds", "urgent"),
            ("/business_services/QA/subscribers", "business services"),
            ("/business_services/QA/unsubscribe", "business services"),
            ("/business_services/QA/account_subscription", "subscribes"),
            ("/incidents/QA/status_updates/subscribers", "to incidents"),
            ("/incidents/QA/status_updates/unsubscribe", "to incidents"),
            ("/users/QA/notification_subscriptions", "subscribes"),
            ("/users/QA/sessions/mobile/QB", "in Tocsin"),
            ("/status_pages/QA/posts", "no status page"),
            ("/status_dashboards", "no status page"),
            ("/incidents/QA/business_services/QB/impacts", "by hand"),
            ("/teams/QA/escalation_policies/QB", ""),
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
            ("/analytics/metrics/incidents/escalation_policies/x", ""),
            ("/analytics/metrics/incidents/services/x", ""),
            ("/analytics/metrics/pd_advance_usage/features", "assistant"),
            ("/analytics/metrics/responders/all", "no single people"),
            ("/analytics/raw/responders/QA/incidents", "no single people"),
            (
                "/analytics/raw/incidents/QA/responses",
                "the incident itself",
            ),
            ("/", ""),
            ("", ""),
        ] {
            check(path, word);
        }
    }

    #[test]
    fn what_is_absent_in_the_place_of_an_id_or_below_one_is_told_too() {
        for (path, word) in [
            ("/incidents/types", "one type"),
            ("/incidents/types/QA/custom_fields", "one type"),
            ("/incidents/custom_fields/QA/field_options", "of your own"),
            ("/services/custom_fields/QA/field_options", "of your own"),
            ("/services/QA/enablements", "switched on"),
            ("/webhook_subscriptions/oauth_clients", "headers"),
            (
                "/event_orchestrations/QA/cache_variables/QB/data",
                "variables",
            ),
            ("/v3/schedules/QA", "/schedules"),
            ("/event_orchestrations/services/QA", "one service"),
            ("/event_orchestrations/services/QA/active", "one service"),
            (
                "/event_orchestrations/services/QA/cache_variables",
                "variables",
            ),
            ("/services/QA/rules", "one service"),
            ("/services/QA/integrations/QB/x", ""),
            ("/incidents", ""),
        ] {
            check(path, word);
        }
    }

    proptest! {
        #[test]
        fn no_path_makes_it_panic(path in "\\PC{0,40}") {
            let _ = why(&path);
        }
    }
}
