//! The rows of the fronts that are served both at their own paths and under a prefix. What a line says is told in `rows`.

/// The fronts that are served both at their own paths and under a prefix.
pub(super) const FRONTS: [(&str, &str); 4] = [
    ("/prometheus", PROMETHEUS),
    ("/pagerduty", PAGERDUTY),
    ("/alertmanager", ALERTMANAGER),
    ("/opsgenie", OPSGENIE),
];

/// Prometheus' HTTP API and remote write.
const PROMETHEUS: &str = "
                                        n k v r o x s a b i
POST   /api/v1/write               -    1 1 3 + + + + + 1 +
POST   /-/reload                   -    1 1 3 3 3 3 3 + 1 +
GET    /api/v1/query               -    1 1 + + + + + + 1 +
POST   /api/v1/query               -    1 1 + + + + + + 1 +
GET    /api/v1/query_range         -    1 1 + + + + + + 1 +
POST   /api/v1/query_range         -    1 1 + + + + + + 1 +
GET    /api/v1/format_query        -    1 1 + + + + + + 1 +
POST   /api/v1/format_query        -    1 1 + + + + + + 1 +
GET    /api/v1/series              -    1 1 + + + + + + 1 +
POST   /api/v1/series              -    1 1 + + + + + + 1 +
GET    /api/v1/labels              -    1 1 + + + + + + 1 +
POST   /api/v1/labels              -    1 1 + + + + + + 1 +
GET    /api/v1/label/{name}/values none 1 1 + + + + + + 1 +
GET    /api/v1/metadata            -    1 1 + + + + + + 1 +
GET    /api/v1/query_exemplars     -    1 1 + + + + + + 1 +
POST   /api/v1/query_exemplars     -    1 1 + + + + + + 1 +
GET    /api/v1/rules               -    1 1 + + + + + + 1 +
GET    /api/v1/alerts              -    1 1 + + + + + + 1 +
GET    /api/v1/targets             -    1 1 + + + + + + 1 +
GET    /api/v1/scrape_pools        -    1 1 + + + + + + 1 +
GET    /api/v1/targets/metadata    -    1 1 + + + + + + 1 +
GET    /api/v1/status/config       -    1 1 + + + + + + 1 +
GET    /api/v1/status/flags        -    1 1 + + + + + + 1 +
GET    /api/v1/status/runtimeinfo  -    1 1 + + + + + + 1 +
GET    /api/v1/status/buildinfo    -    1 1 + + + + + + 1 +
GET    /api/v1/status/tsdb         -    1 1 + + + + + + 1 +
GET    /api/v1/status/walreplay    -    1 1 + + + + + + 1 +
GET    /api/v1/alertmanagers       -    1 1 + + + + + + 1 +
GET    /federate                   -    1 1 + + + + + + 1 +
GET    /-/healthy                  -    + + + + + + + + + +
GET    /-/ready                    -    + + + + + + + + + +
";

/// PagerDuty's events and its REST API. A token of nobody that writes without saying in whose name is looked at and told so.
const PAGERDUTY: &str = "
                                                                n k v r o x s a b i
POST   /v2/enqueue                                  routing_key ! + ! ! ! ! ! ! ! !
POST   /generic/2010-04-15/create_event.json        routing_key ! + ! ! ! ! ! ! ! !
POST   /v2/change/enqueue                           routing_key ! + ! ! ! ! ! ! ! !
GET    /incidents                                   -           1 1 + + + + + + 1 +
POST   /incidents                                   -           1 1 3 + + + + + 1 +
PUT    /incidents                                   -           1 1 3 + + + + + 1 +
GET    /incidents/{id}                              incident    1 1 + + + + + + 1 +
PUT    /incidents/{id}                              incident    1 1 3 + + + + + 1 +
PUT    /incidents/{id}/merge                        incident    1 1 3 + + + + + 1 +
POST   /incidents/{id}/snooze                       incident    1 1 3 + + + + + 1 +
GET    /incidents/{id}/notes                        incident    1 1 + + + + + + 1 +
POST   /incidents/{id}/notes                        incident    1 1 3 + + + + + 1 +
POST   /incidents/{id}/status_updates               incident    1 1 3 + + + + + 1 +
POST   /incidents/{id}/responder_requests           incident    1 1 3 + + + + + 1 +
GET    /incidents/{id}/alerts                       incident    1 1 + + + + + + 1 +
PUT    /incidents/{id}/alerts                       incident    1 1 3 + + + + + 1 +
GET    /incidents/{id}/alerts/{alert_id}            alert       1 1 + + + + + + 1 +
PUT    /incidents/{id}/alerts/{alert_id}            alert       1 1 3 + + + + + 1 +
GET    /incidents/{id}/log_entries                  incident    1 1 + + + + + + 1 +
GET    /log_entries                                 -           1 1 + + + + + + 1 +
GET    /log_entries/{id}                            entry       1 1 + + + + + + 1 +
GET    /notifications                               -           1 1 + + + + + + 1 +
GET    /users                                       -           1 1 + + + + + + 1 +
POST   /users                                       -           1 1 3 3 3 3 3 + 1 +
GET    /users/me                                    -           1 1 + + + + + + 1 +
GET    /users/{id}                                  person      1 1 + + + + + + 1 +
PUT    /users/{id}                                  person      1 1 3 3 3 3 3 + 1 +
DELETE /users/{id}                                  guest       1 1 3 3 3 3 3 + 1 +
GET    /users/{id}/license                          person      1 1 + + + + + + 1 +
GET    /users/{id}/log_entries                      person      1 1 + + + + + + 1 +
GET    /users/{id}/contact_methods                  person      1 1 + + + + + + 1 +
GET    /users/{id}/contact_methods/{method_id}      method      1 1 + + + + + + 1 +
POST   /users/{id}/contact_methods                  person      1 1 3 3 + 3 3 + 1 +
PUT    /users/{id}/contact_methods/{method_id}      method      1 1 3 3 + 3 3 + 1 +
DELETE /users/{id}/contact_methods/{method_id}      method      1 1 3 3 + 3 3 + 1 +
GET    /users/{id}/notification_rules               person      1 1 + + + + + + 1 +
GET    /users/{id}/notification_rules/{rule_id}     rule        1 1 + + + + + + 1 +
POST   /users/{id}/notification_rules               person      1 1 3 3 + 3 3 + 1 +
PUT    /users/{id}/notification_rules/{rule_id}     rule        1 1 3 3 + 3 3 + 1 +
DELETE /users/{id}/notification_rules/{rule_id}     rule        1 1 3 3 + 3 3 + 1 +
GET    /licenses                                    -           1 1 + + + + + + 1 +
GET    /teams                                       -           1 1 + + + + + + 1 +
POST   /teams                                       -           1 1 3 3 3 3 3 + 1 +
GET    /teams/{id}                                  team        1 1 + + + + + + 1 +
PUT    /teams/{id}                                  team        1 1 3 3 3 3 3 + 1 +
DELETE /teams/{id}                                  team        1 1 3 3 3 3 3 + 1 +
GET    /teams/{id}/members                          team        1 1 + + + + + + 1 +
PUT    /teams/{id}/users/{user_id}                  team        1 1 3 3 3 3 3 + 1 +
DELETE /teams/{id}/users/{user_id}                  team        1 1 3 3 3 3 3 + 1 +
PUT    /teams/{id}/escalation_policies/{policy_id}  team        1 1 3 3 3 3 3 + 1 +
DELETE /teams/{id}/escalation_policies/{policy_id}  team        1 1 3 3 3 3 3 + 1 +
GET    /escalation_policies                         -           1 1 + + + + + + 1 +
POST   /escalation_policies                         -           1 1 3 3 3 3 3 + 1 +
GET    /escalation_policies/{id}                    policy      1 1 + + + + + + 1 +
PUT    /escalation_policies/{id}                    policy      1 1 3 3 3 3 3 + 1 +
DELETE /escalation_policies/{id}                    policy      1 1 3 3 3 3 3 + 1 +
GET    /schedules                                   -           1 1 + + + + + + 1 +
POST   /schedules                                   -           1 1 3 3 3 3 3 + 1 +
POST   /schedules/preview                           -           1 1 + + + + + + 1 +
GET    /schedules/{id}                              schedule    1 1 + + + + + + 1 +
PUT    /schedules/{id}                              schedule    1 1 3 3 3 3 3 + 1 +
DELETE /schedules/{id}                              schedule    1 1 3 3 3 3 3 + 1 +
GET    /schedules/{id}/users                        schedule    1 1 + + + + + + 1 +
GET    /schedules/{id}/overrides                    schedule    1 1 + + + + + + 1 +
POST   /schedules/{id}/overrides                    schedule    1 1 3 + + + + + 1 +
DELETE /schedules/{id}/overrides/{override_id}      override    1 1 3 + + + + + 1 +
GET    /oncalls                                     -           1 1 + + + + + + 1 +
GET    /services                                    -           1 1 + + + + + + 1 +
POST   /services                                    -           1 1 3 3 3 3 3 + 1 +
GET    /services/{id}                               service     1 1 + + + + + + 1 +
PUT    /services/{id}                               service     1 1 3 3 3 3 3 + 1 +
DELETE /services/{id}                               service     1 1 3 3 3 3 3 + 1 +
POST   /services/{id}/integrations                  service     1 1 3 3 3 3 3 + 1 +
GET    /services/{id}/integrations/{integration_id} integration 1 1 + + + + + + 1 +
PUT    /services/{id}/integrations/{integration_id} integration 1 1 3 3 3 3 3 + 1 +
DELETE /services/{id}/integrations/{integration_id} integration 1 1 3 3 3 3 3 + 1 +
GET    /alert_grouping_settings                     -           1 1 + + + + + + 1 +
POST   /alert_grouping_settings                     -           1 1 3 3 3 3 3 + 1 +
GET    /alert_grouping_settings/{id}                grouping    1 1 + + + + + + 1 +
PUT    /alert_grouping_settings/{id}                grouping    1 1 3 3 3 3 3 + 1 +
DELETE /alert_grouping_settings/{id}                grouping    1 1 3 3 3 3 3 + 1 +
GET    /maintenance_windows                         -           1 1 + + + + + + 1 +
POST   /maintenance_windows                         -           1 1 3 + + + + + 1 +
GET    /maintenance_windows/{id}                    window      1 1 + + + + + + 1 +
PUT    /maintenance_windows/{id}                    window      1 1 3 + + + + + 1 +
DELETE /maintenance_windows/{id}                    window      1 1 3 + + + + + 1 +
GET    /abilities                                   -           1 1 + + + + + + 1 +
GET    /abilities/{id}                              none        1 1 + + + + + + 1 +
GET    /priorities                                  -           1 1 + + + + + + 1 +
GET    /vendors                                     -           1 1 + + + + + + 1 +
GET    /vendors/{id}                                vendor      1 1 + + + + + + 1 +
GET    /tags                                        -           1 1 + + + + + + 1 +
GET    /change_events                               -           1 1 + + + + + + 1 +
GET    /change_events/{id}                          change      1 1 + + + + + + 1 +
GET    /services/{id}/change_events                 service     1 1 + + + + + + 1 +
GET    /incidents/{id}/related_change_events        incident    1 1 + + + + + + 1 +
GET    /audit/records                               -           1 1 3 3 3 3 3 + 1 +
GET    /users/{id}/audit/records                    person      1 1 3 3 3 3 3 + 1 +
GET    /teams/{id}/audit/records                    team        1 1 3 3 3 3 3 + 1 +
GET    /schedules/{id}/audit/records                schedule    1 1 3 3 3 3 3 + 1 +
GET    /escalation_policies/{id}/audit/records      policy      1 1 3 3 3 3 3 + 1 +
GET    /services/{id}/audit/records                 service     1 1 3 3 3 3 3 + 1 +
GET    /webhook_subscriptions                       -           1 1 3 3 3 3 3 + 1 +
POST   /webhook_subscriptions                       -           1 1 3 3 3 3 3 + 1 +
GET    /webhook_subscriptions/{id}                  webhook     1 1 3 3 3 3 3 + 1 +
PUT    /webhook_subscriptions/{id}                  webhook     1 1 3 3 3 3 3 + 1 +
DELETE /webhook_subscriptions/{id}                  webhook     1 1 3 3 3 3 3 + 1 +
POST   /webhook_subscriptions/{id}/enable           webhook     1 1 3 3 3 3 3 + 1 +
POST   /webhook_subscriptions/{id}/ping             webhook     1 1 3 3 3 3 3 + 1 +
GET    /business_services                           -           1 1 + + + + + + 1 +
POST   /business_services                           -           1 1 3 3 3 3 3 + 1 +
GET    /business_services/{id}                      business    1 1 + + + + + + 1 +
PUT    /business_services/{id}                      business    1 1 3 3 3 3 3 + 1 +
DELETE /business_services/{id}                      business    1 1 3 3 3 3 3 + 1 +
GET    /business_services/impacts                   -           1 1 + + + + + + 1 +
GET    /business_services/impactors                 -           1 1 + + + + + + 1 +
GET    /business_services/{id}/supporting_services/impacts business 1 1 + + + + + + 1 +
GET    /incidents/{id}/business_services/impacts    incident    1 1 + + + + + + 1 +
POST   /service_dependencies/associate              -           1 1 3 3 3 3 3 + 1 +
POST   /service_dependencies/disassociate           -           1 1 3 3 3 3 3 + 1 +
GET    /service_dependencies/business_services/{id} business    1 1 + + + + + + 1 +
GET    /service_dependencies/technical_services/{id} service    1 1 + + + + + + 1 +
POST   /tags                                        -           1 1 3 3 3 3 3 + 1 +
GET    /tags/{id}                                   tag         1 1 + + + + + + 1 +
DELETE /tags/{id}                                   tag         1 1 3 3 3 3 3 + 1 +
GET    /tags/{id}/{entity_type}                     tag         1 1 + + + + + + 1 +
GET    /users/{id}/tags                             person      1 1 + + + + + + 1 +
POST   /users/{id}/change_tags                      person      1 1 3 3 3 3 3 + 1 +
GET    /teams/{id}/tags                             team        1 1 + + + + + + 1 +
POST   /teams/{id}/change_tags                      team        1 1 3 3 3 3 3 + 1 +
GET    /escalation_policies/{id}/tags               policy      1 1 + + + + + + 1 +
POST   /escalation_policies/{id}/change_tags        policy      1 1 3 3 3 3 3 + 1 +
GET    /event_orchestrations                        -           1 1 + + + + + + 1 +
GET    /event_orchestrations/{id}                   router      1 1 + + + + + + 1 +
GET    /event_orchestrations/{id}/router            router      1 1 + + + + + + 1 +
PUT    /event_orchestrations/{id}/router            router      1 1 3 3 3 3 3 + 1 +
POST   /analytics/metrics/incidents/all             -           1 1 + + + + + + 1 +
POST   /analytics/metrics/incidents/services        -           1 1 + + + + + + 1 +
POST   /analytics/metrics/incidents/teams           -           1 1 + + + + + + 1 +
POST   /analytics/metrics/incidents/services/all    -           1 1 + + + + + + 1 +
POST   /analytics/metrics/incidents/teams/all       -           1 1 + + + + + + 1 +
POST   /analytics/metrics/incidents/escalation_policies - 1 1 + + + + + + 1 +
POST   /analytics/metrics/incidents/escalation_policies/all - 1 1 + + + + + + 1 +
POST   /analytics/raw/incidents                     -           1 1 + + + + + + 1 +
GET    /analytics/raw/incidents/{id}                incident    1 1 + + + + + + 1 +
";

/// Alertmanager's API. Alerts come with the key of an integration, or with a token as all else.
const ALERTMANAGER: &str = "
                                                 n k v r o x s a b i
POST   /api/v2/alerts               alertmanager 1 + 3 + + + + + 1 +
GET    /api/v2/alerts               -            1 1 + + + + + + 1 +
GET    /api/v2/alerts/groups        -            1 1 + + + + + + 1 +
GET    /api/v2/silences             -            1 1 + + + + + + 1 +
POST   /api/v2/silences             -            1 1 3 + + + + + 1 +
GET    /api/v2/silence/{silence_id} window       1 1 + + + + + + 1 +
DELETE /api/v2/silence/{silence_id} window       1 1 3 + + + + + 1 +
GET    /api/v2/status               -            1 1 + + + + + + 1 +
GET    /api/v2/receivers            -            1 1 + + + + + + 1 +
";

/// Opsgenie-style requests: only the key of an integration is good, no token.
const OPSGENIE: &str = "
                                       n k v r o x s a b i
POST   /v2/alerts             opsgenie 1 + 1 1 1 1 1 1 1 1
GET    /v2/alerts/{id}        sent     1 + 1 1 1 1 1 1 1 1
GET    /v2/alerts/{id}/{step} request  1 + 1 1 1 1 1 1 1 1
POST   /v2/alerts/{id}/{step} opsgenie 1 + 1 1 1 1 1 1 1 1
PUT    /v2/alerts/{id}/{step} wording  1 + 1 1 1 1 1 1 1 1
";
