"""PagerDuty's REST API about incidents, and its events, walked by either of PagerDuty's Python libraries on the service of a roster
walk. Which library it is, it does not know."""

import datetime

from house import has, holds, ids, refused, same, until
from rest_roster import moment, reference, written

# So many incidents are paged through.
CROWD = 7


class Incidents:
    """A walk with one client; `events` is the same library's client of events, with its way to tell of a change."""

    def __init__(self, roster, events, tell_change):
        self.roster, self.client, self.error, self.house = roster, roster.client, roster.error, roster.house
        self.events, self.tell_change = events, tell_change

    def open(self, title, **more):
        body = {"type": "incident", "title": title, "service": reference(self.roster.service), **more}
        return self.client.rpost("incidents", json=body)

    def set(self, incident, **fields):
        return self.client.rput(incident, json={"type": "incident_reference", **fields})

    def of_key(self, key):
        """The incidents of this walk's service that have this key, oldest first."""
        params = {"service_ids[]": [self.roster.service["id"]], "incident_key": key, "sort_by": "incident_number:asc"}
        return self.client.list_all("incidents", params=params)

    def an_incident_is_opened_with_all_that_is_said(self):
        first = self.client.list_all("priorities")[0]
        said = {
            "incident_key": "opened", "urgency": "high", "priority": reference(first),
            "body": {"type": "incident_body", "details": "since noon"},
            "assignments": [{"assignee": self.roster.webster}],
        }
        made = self.open("The shop is closed", **said)
        has(made, type="incident", title="The shop is closed", status="triggered", urgency="high", incident_key="opened",
            assigned_via="direct_assignment", acknowledgements=[], resolved_at=None, is_mergeable=True)
        same(made["summary"], f"[#{made['incident_number']}] The shop is closed")
        same([one["assignee"]["id"] for one in made["assignments"]], [self.house.other])
        same((made["priority"]["name"], made["service"]["id"]), ("P1", self.roster.service["id"]))
        holds(len(made["created_at"]) == 20 and made["created_at"].endswith("Z"), f"{made['created_at']} is an instant to the second")
        with refused(self.error, 400, 2001):
            self.open("The shop is closed", incident_key="opened")
        with refused(self.error, 400, 5001):
            unknown = {"id": "PXPGF42", "type": "service_reference"}
            self.client.rpost("incidents", json={"type": "incident", "title": "x", "service": unknown})
        whole = self.client.rget(made, params={"include[]": ["assignees", "services", "body"]})
        same(whole["assignments"][0]["assignee"]["type"], "user")
        same(whole["service"]["name"], self.roster.service["name"])
        same((made["body"]["details"], whole["body"]["details"]), ("since noon", "since noon"))
        self.incident = made

    def it_is_taken_noted_snoozed_and_ended(self):
        taken = self.set(self.incident, status="acknowledged")
        has(taken, id=self.incident["id"], status="acknowledged")
        same([one["acknowledger"]["id"] for one in taken["acknowledgements"]], [self.house.person])
        path = f"incidents/{self.incident['id']}"
        note = self.client.rpost(f"{path}/notes", json={"content": "disks are full"})
        same((note["content"], note["user"]["id"]), ("disks are full", self.house.person))
        update = self.client.rpost(f"{path}/status_updates", json={"message": "a fix is under way"})
        same((update["message"], update["sender"]["id"]), ("a fix is under way", self.house.person))
        contents = [one["content"] for one in self.client.rget(f"{path}/notes")]
        same(sorted(contents), ["Status update: a fix is under way", "disks are full"])
        snoozed = self.client.rpost(f"{path}/snooze", json={"duration": 3_600})
        same((snoozed["status"], snoozed["pending_actions"][0]["type"]), ("acknowledged", "unacknowledge"))
        left = moment(snoozed["pending_actions"][0]["at"]) - datetime.datetime.now(datetime.timezone.utc)
        holds(3_500 < left.total_seconds() <= 3_601, f"an hour is left, not {left}")
        with refused(self.error, 400, 2001):
            self.client.rpost(f"{path}/snooze", json={"duration": 604_801})
        changed = self.set(self.incident, title="Nobody can buy", urgency="low", priority=None)
        has(changed, title="Nobody can buy", urgency="low", priority=None)
        ended = self.set(self.incident, status="resolved", resolution="new disks")
        has(ended, status="resolved", assignments=[], is_mergeable=False)
        holds(moment(ended["resolved_at"]) >= moment(ended["created_at"]), "it ended after it began")
        with refused(self.error, 400, 1001):
            self.set(self.incident, status="acknowledged")
        with refused(self.error, 400, 2001):
            self.set(self.incident, status="closed")

    def its_alerts_and_log_entries_are_read(self):
        path = f"incidents/{self.incident['id']}"
        alerts = self.client.list_all(f"{path}/alerts")
        same([(one["type"], one["alert_key"]) for one in alerts], [("alert", "opened")])
        same(self.client.rget(alerts[0]["self"]), alerts[0])
        entries = self.client.list_all(f"{path}/log_entries")
        kinds = [one["type"].removesuffix("_log_entry") for one in entries]
        for kind in ["trigger", "acknowledge", "annotate", "snooze", "urgency_change", "priority_change", "resolve"]:
            holds(kind in kinds, f"{kind} is among {kinds}")
        moments = [moment(one["created_at"]) for one in entries]
        same(moments, sorted(moments, reverse=True), "the newest stands first")
        acknowledged = next(one for one in entries if one["type"] == "acknowledge_log_entry")
        same((acknowledged["agent"]["id"], acknowledged["incident"]["id"]), (self.house.person, self.incident["id"]))
        same(self.client.rget(acknowledged["self"]), acknowledged)
        overview = self.client.list_all(f"{path}/log_entries", params={"is_overview": True})
        holds(all(one["type"] != "annotate_log_entry" for one in overview), "an overview has no notes")
        of_all = self.client.list_all("log_entries", params={"since": written(moments[-1])})
        holds(set(ids(entries)) <= set(ids(of_all)), "those of one incident are among those of all")

    def who_was_told_is_listed(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        span = {"since": written(now - datetime.timedelta(hours=1)), "until": written(now + datetime.timedelta(hours=1))}
        of_page = lambda one: one["user"]["id"] == self.house.other and one["type"] == "webhook_notification"
        sent = lambda: [one for one in self.client.list_all("notifications", params=span) if of_page(one)]
        same({one["address"] for one in until(sent, "the page of the incident is among them")}, {None})

    def several_are_changed_at_once_and_merged(self):
        into, one, two = (self.open(title) for title in ["into", "one", "two"])
        both = [{"id": which["id"], "type": "incident_reference", "status": "acknowledged"} for which in (one, two)]
        same([which["status"] for which in self.client.rput("incidents", json=both)], ["acknowledged"] * 2)
        merged = self.client.rput(f"incidents/{into['id']}/merge", json=[reference(one), reference(two)])
        same((merged["id"], merged["alert_counts"]["all"]), (into["id"], 3))
        same(self.client.rget(one)["resolve_reason"]["incident"]["id"], into["id"])
        with refused(self.error, 400, 1001):
            self.client.rput(f"incidents/{into['id']}/merge", json=[reference(one)])
        help_asked = {
            "requester_id": self.house.person, "message": "Please help",
            "responder_request_targets": [{"responder_request_target": self.roster.webster}],
        }
        request = self.client.rpost(f"incidents/{into['id']}/responder_requests", json=help_asked)
        same((request["requester"]["id"], request["message"]), (self.house.person, "Please help"))
        same([who["user"]["id"] for who in self.client.rget(into)["incidents_responders"]], [self.house.other])
        self.set(into, status="resolved")

    def a_crowd_is_paged_through(self):
        crowd = [self.open(f"crowd {number}", urgency="low") for number in range(CROWD)]
        mine = {"service_ids[]": [self.roster.service["id"]], "urgencies[]": ["low"], "statuses[]": ["triggered", "acknowledged"]}
        seen = []
        hook = lambda item, number, total: seen.append((item["id"], number, total))
        by_number = {**mine, "sort_by": "incident_number:desc"}
        found = list(self.client.iter_all("incidents", params=by_number, page_size=3, item_hook=hook, total=True))
        same(ids(found), ids(reversed(crowd)))
        same(seen, [(one["id"], place + 1, CROWD) for place, one in enumerate(reversed(crowd))])
        later = self.client.list_all("incidents", params={**mine, "sort_by": "incident_number:asc", "offset": 4})
        same(ids(later), ids(crowd[4:]))
        page = self.client.jget("incidents", params={**mine, "limit": 500, "offset": 0})
        same((page["limit"], page["offset"], page["more"], page["total"]), (100, 0, False, None), "the limit that holds is told")
        with refused(self.error, 400, 2001):
            self.client.jget("incidents", params={**mine, "limit": 100, "offset": 9_901})
        for name, value in [("statuses[]", "open"), ("sort_by", "title:asc"), ("since", "noon")]:
            with refused(self.error, 400, 2001):
                self.client.rget("incidents", params={name: value})
        self.client.rput("incidents", json=[{"id": one["id"], "type": "incident_reference", "status": "resolved"} for one in crowd])
        same(self.client.list_all("incidents", params=mine), [])

    def events_open_take_and_end_one_incident(self):
        for used in ["97 %", "98 %"]:
            key = self.events.trigger("Disk full", "db1", dedup_key="disk", severity="error", custom_details={"used": used})
            same(key, "disk")
        opened = self.of_key("disk")
        same([(one["title"], one["status"]) for one in opened], [("Disk full", "triggered")], "the same key opens one incident")
        alert = self.client.list_all(f"incidents/{opened[0]['id']}/alerts")[0]
        has(alert, severity="error", status="triggered", alert_key="disk")
        same(alert["body"]["details"]["used"], "98 %")
        entries = self.client.list_all(f"incidents/{opened[0]['id']}/log_entries", params={"include[]": ["channels"]})
        triggers = [one for one in entries if one["type"] == "trigger_log_entry"]
        same([one["channel"]["details"]["used"] for one in triggers], ["98 %", "97 %"], "each event of the key is a trigger, the newest first")
        same(alert["first_trigger_log_entry"]["id"], triggers[-1]["id"])
        whole = self.client.rget(alert["self"], params={"include[]": ["first_trigger_log_entries"]})
        has(whole["first_trigger_log_entry"], type="trigger_log_entry", id=triggers[-1]["id"])
        same(self.events.acknowledge("disk"), "disk")
        same(self.client.rget(opened[0])["status"], "acknowledged")
        same(self.events.resolve("disk"), "disk")
        same(self.client.rget(opened[0])["status"], "resolved")
        same(self.client.rget(alert["self"])["status"], "resolved")
        made = self.events.trigger("No key was said", "db1", severity="info")
        holds(len(made) > 0, "a key is made where none was said")
        same(len(self.of_key(made)), 1)
        same(self.events.resolve(made), made)
        same(self.events.resolve("never heard of"), "never heard of", "the end of what never began is taken")

    def events_that_are_wrong_are_refused(self):
        with refused(self.error, 400):
            self.events.trigger("x", "db1", severity="loud")

    def a_change_is_told_of_and_listed(self):
        service = self.roster.service["id"]
        before = len(self.client.list_all(f"services/{service}/change_events"))
        self.tell_change()
        told = self.client.list_all(f"services/{service}/change_events")
        same((len(told), told[0]["summary"], told[0]["type"]), (before + 1, "deployed", "change_event"))
        same(self.client.rget(told[0]["self"])["id"], told[0]["id"])
        holds(told[0]["id"] in ids(self.client.list_all("change_events")), "it is among all")
        opened = self.open("after a change")
        related = self.client.jget(f"incidents/{opened['id']}/related_change_events")["change_events"]
        holds(isinstance(related, list), "what has to do with it is a list")
        self.set(opened, status="resolved")

    def steps(self):
        """All of them, in the order in which one stands on the other."""
        return (
            self.an_incident_is_opened_with_all_that_is_said,
            self.it_is_taken_noted_snoozed_and_ended,
            self.its_alerts_and_log_entries_are_read,
            self.who_was_told_is_listed,
            self.several_are_changed_at_once_and_merged,
            self.a_crowd_is_paged_through,
            self.events_open_take_and_end_one_incident,
            self.events_that_are_wrong_are_refused,
            self.a_change_is_told_of_and_listed,
        )
