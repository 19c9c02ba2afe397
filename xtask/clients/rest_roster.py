"""PagerDuty's REST API about what changes seldom: people, teams, policies, schedules, services, windows. Both of PagerDuty's Python
libraries have the same methods, so both walk it; which one does, it does not know."""

import datetime

from house import has, holds, ids, refused, same


def reference(thing):
    """What names a thing in a body."""
    return {"id": thing["id"], "type": thing["type"].removesuffix("_reference") + "_reference"}


def moment(text):
    """An instant, from how it is written."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def written(at):
    """An instant as most clients write it: without a colon in its offset."""
    return at.strftime("%Y-%m-%dT%H:%M:%S%z")


class Roster:
    """A walk with one client."""

    def __init__(self, client, error, house, name):
        self.client, self.error, self.house, self.name = client, error, house, name
        self.ada = {"id": house.person, "type": "user_reference"}
        self.webster = {"id": house.other, "type": "user_reference"}

    def who_asks_is_known(self):
        me = self.client.rget("/users/me")
        has(me, id=self.house.person, email=self.house.email, role="admin", type="user")
        holds(me["self"].startswith(self.house.url + "/"), f"{me['self']} begins with the address that was asked")
        same(self.client.api_key_access, "user")
        same(self.client.subdomain, self.house.url.split("/")[2].split(".")[0])

    def abilities_priorities_and_vendors_are_listed(self):
        abilities = self.client.rget("abilities")
        holds("teams" in abilities, f"teams are among {abilities}")
        same(self.client.get("abilities/teams").status_code, 204)
        same(self.client.get("abilities/sso").status_code, 402)
        priorities = self.client.list_all("priorities")
        same([one["name"] for one in priorities], ["P1", "P2", "P3", "P4", "P5"])
        same([one["order"] for one in priorities], [5, 4, 3, 2, 1])
        vendors = [one["name"] for one in self.client.list_all("vendors")]
        holds("Events API V2" in vendors, f"events are among {vendors}")
        email = self.client.find("vendors", "Email")
        same(self.client.rget(f"vendors/{email['id']}"), email)
        with refused(self.error, 404, 2100):
            self.client.rget("vendors/PAM4FGS")

    def people_come_and_go(self):
        email = f"{self.name}@example.org"
        made = self.client.rpost("users", json={"type": "user", "name": "Cy", "email": email, "role": "limited_user"})
        has(made, name="Cy", email=email, role="limited_user", type="user")
        same(self.client.find("users", email.upper(), attribute="email")["id"], made["id"])
        again = self.client.persist("users", "email", {"type": "user", "name": "Cy", "email": email})
        same(again["id"], made["id"], "persist makes nobody a second time")
        with refused(self.error, 400, 2001):
            self.client.rpost("users", json={"type": "user", "name": "Cy", "email": email})
        changed = self.client.rput(made, json={"type": "user", "name": "Cyd", "role": "read_only_user"})
        has(changed, id=made["id"], name="Cyd", role="read_only_user", email=email)
        self.client.rdelete(made)
        with refused(self.error, 404, 2100):
            self.client.rget(made["self"])

    def ways_to_people_and_rules_are_read(self):
        path = f"users/{self.house.other}"
        methods = self.client.rget(f"{path}/contact_methods")
        webhook = next(one for one in methods if one["type"] == "webhook_contact_method")
        same(self.client.rget(webhook["self"]), webhook)
        holds(self.house.webhook not in webhook["address"], "of a webhook only a hint is shown")
        rules = self.client.rget(f"{path}/notification_rules", params={"urgency": "high"})
        same([(one["urgency"], one["start_delay_in_minutes"]) for one in rules], [("high", 0)])
        same(rules[0]["contact_method"]["id"], webhook["id"])
        same(self.client.rget(rules[0]["self"]), rules[0])
        whole = self.client.rget(path, params={"include[]": ["contact_methods", "notification_rules"]})
        same(ids(whole["contact_methods"]), ids(methods))
        same(whole["contact_methods"][0]["address"], methods[0]["address"], "included as a whole")
        self.a_way_and_its_rule_come_and_go(path)

    def a_way_and_its_rule_come_and_go(self, path):
        body = {"type": "email_contact_method", "address": f"{self.name}-way@example.org", "label": "x"}
        way = self.client.rpost(f"{path}/contact_methods", json=body)
        # Nobody has confirmed it, so nobody is paged by it.
        has(way, type="email_contact_method", label="x", enabled=False)
        with refused(self.error, 400, 2001):
            self.client.rpost(f"{path}/contact_methods", json=body)
        has(self.client.rput(way, json={**way, "label": "y"}), id=way["id"], label="y")
        rule = {
            "type": "assignment_notification_rule", "start_delay_in_minutes": 7, "urgency": "low",
            "contact_method": reference(way),
        }
        made = self.client.rpost(f"{path}/notification_rules", json=rule)
        has(made, start_delay_in_minutes=7, urgency="low")
        has(self.client.rput(made, json={**made, "start_delay_in_minutes": 9}), id=made["id"], start_delay_in_minutes=9)
        self.client.rdelete(made)
        self.client.rdelete(way)
        with refused(self.error, 404, 2100):
            self.client.rget(way["self"])

    def tags_are_put_on_people(self):
        label = f"Tag of {self.name}"
        tag = self.client.rpost("tags", json={"type": "tag", "label": label})
        has(tag, label=label, type="tag")
        path = f"users/{self.house.other}"
        add = {"add": [{"type": "tag_reference", "id": tag["id"]}]}
        same(self.client.post(f"{path}/change_tags", json=add).status_code, 200)
        holds(label in [one["label"] for one in self.client.list_all(f"{path}/tags")], "it is on the person")
        same(ids(self.client.get(f"tags/{tag['id']}/users").json()["users"]), [self.house.other])
        self.client.rdelete(tag)
        same([one["label"] for one in self.client.list_all("tags") if one["label"] == label], [])

    def numbers_are_told(self):
        asked = {"filters": {}, "time_zone": "Etc/UTC"}
        answer = self.client.post("analytics/metrics/incidents/all", json=asked)
        same(answer.status_code, 200, answer.text)
        holds(isinstance(answer.json()["data"][0]["total_incident_count"], int), "incidents are counted")
        answer = self.client.post("analytics/raw/incidents", json={**asked, "limit": 1})
        same((answer.status_code, answer.json()["limit"]), (200, 1), answer.text)

    def teams_have_members(self):
        team = self.client.persist("teams", "name", {"type": "team", "name": f"Team of {self.name}"})
        same(self.client.persist("teams", "name", {"type": "team", "name": team["name"]})["id"], team["id"])
        member = f"teams/{team['id']}/users/{self.house.other}"
        same(self.client.put(member, json={"role": "manager"}).status_code, 204)
        members = self.client.list_all(f"teams/{team['id']}/members")
        same([one["user"]["id"] for one in members], [self.house.other])
        of_team = self.client.list_all("users", params={"team_ids[]": [team["id"]]})
        same(ids(of_team), [self.house.other])
        holds(team["id"] in ids(of_team[0]["teams"]), "who belongs to a team tells so")
        same(self.client.delete(member).status_code, 204)
        same(self.client.list_all(f"teams/{team['id']}/members"), [])
        has(self.client.rput(team, json={"type": "team", "name": f"{self.name} alone"}), id=team["id"], name=f"{self.name} alone")
        self.client.rdelete(team)
        same(self.client.find("teams", f"{self.name} alone"), None)

    def a_schedule_is_rendered_with_its_layers_and_overrides(self):
        begin = "2026-01-05T09:00:00+01:00"
        layer = {"start": begin, "rotation_virtual_start": begin, "users": [{"user": self.webster}]}
        nights = {"type": "daily_restriction", "start_time_of_day": "22:00:00", "duration_seconds": 28_800}
        layers = [
            {**layer, "name": "All", "rotation_turn_length_seconds": 604_800},
            {**layer, "name": "Nights", "rotation_turn_length_seconds": 86_400, "users": [{"user": self.ada}], "restrictions": [nights]},
        ]
        schedule = {"type": "schedule", "name": f"Rota of {self.name}", "time_zone": "Europe/Paris", "schedule_layers": layers}
        self.schedule = self.client.rpost("schedules", json=schedule)
        shown = self.schedule["schedule_layers"]
        # The layer that wins stands first, as there.
        same([one["rotation_turn_length_seconds"] for one in shown], [86_400, 604_800])
        same(shown[0]["restrictions"], [nights])
        same(shown[0]["rotation_virtual_start"], "2026-01-05T08:00:00Z")
        same(self.schedule["final_schedule"]["rendered_schedule_entries"], [], "without a span nothing is rendered")
        span = {"since": "2027-02-01T12:00:00+0100", "until": "2027-02-02T12:00:00+0100"}
        day = self.client.rget(self.schedule, params=span)
        entries = day["final_schedule"]["rendered_schedule_entries"]
        webster, ada = self.house.other, self.house.person
        turns = [("2027-02-01T11:00:00Z", webster), ("2027-02-01T21:00:00Z", ada), ("2027-02-02T05:00:00Z", webster)]
        same([(one["start"], one["user"]["id"]) for one in entries], turns)
        same(entries[-1]["end"], "2027-02-02T11:00:00Z")
        same(day["final_schedule"]["rendered_coverage_percentage"], 100.0)
        same(set(ids(self.client.rget(f"schedules/{self.schedule['id']}/users", params=span))), {self.house.other, self.house.person})
        self.overrides_win(span)
        # Not with its layers: what is shown begins with the last of them.
        changed = self.client.rput(self.schedule, json={"type": "schedule", "name": f"First rota of {self.name}"})
        has(changed, id=self.schedule["id"], name=f"First rota of {self.name}", time_zone="Europe/Paris")
        same(len(changed["schedule_layers"]), 2)

    def overrides_win(self, span):
        path = f"schedules/{self.schedule['id']}/overrides"
        one = {"start": "2027-02-01T14:00:00+0100", "end": "2027-02-01T15:00:00+0100", "user": self.ada}
        wrong = {**one, "start": one["end"], "end": one["start"]}
        answers = self.client.rpost(path, json=[one, wrong])
        same([answer["status"] for answer in answers], [201, 400], "a bare list, each with its own status")
        made = answers[0]["override"]
        has(made, start="2027-02-01T13:00:00Z", end="2027-02-01T14:00:00Z")
        same(ids(self.client.rget(path, params=span)), [made["id"]])
        day = self.client.rget(self.schedule, params=span)
        duty = [one["start"] for one in day["final_schedule"]["rendered_schedule_entries"] if one["user"]["id"] == self.house.person]
        same(duty, ["2027-02-01T13:00:00Z", "2027-02-01T21:00:00Z"])
        same(self.client.delete(f"{path}/{made['id']}").status_code, 204)
        same(self.client.rget(path, params=span), [])
        with refused(self.error, 400, 2003):
            self.client.rget(path)

    def a_policy_names_levels(self):
        rules = [
            {"escalation_delay_in_minutes": 15, "targets": [reference(self.schedule)]},
            {"escalation_delay_in_minutes": 30, "targets": [self.ada, self.webster]},
        ]
        body = {"type": "escalation_policy", "name": f"Policy of {self.name}", "num_loops": 2, "escalation_rules": rules}
        self.policy = self.client.rpost("escalation_policies", json=body)
        has(self.policy, name=body["name"], num_loops=2, type="escalation_policy", services=[])
        same([one["escalation_delay_in_minutes"] for one in self.policy["escalation_rules"]], [15, 30])
        targets = [[target["id"] for target in one["targets"]] for one in self.policy["escalation_rules"]]
        same(targets, [[self.schedule["id"]], [self.house.person, self.house.other]])
        changed = self.client.rput(self.policy, json={**self.policy, "num_loops": 1})
        same((changed["num_loops"], changed["escalation_rules"]), (1, self.policy["escalation_rules"]))
        same(ids(self.client.rget(self.schedule)["escalation_policies"]), [self.policy["id"]])
        with refused(self.error, 400, 2001):
            self.client.rdelete(self.schedule)

    def who_is_on_call_is_listed(self):
        oncalls = self.client.list_all("oncalls", params={"escalation_policy_ids[]": [self.policy["id"]]})
        same([one["escalation_level"] for one in oncalls], [1, 2, 2])
        first = oncalls[0]
        same(first["schedule"]["id"], self.schedule["id"])
        now = datetime.datetime.now(datetime.timezone.utc)
        holds(moment(first["start"]) <= now < moment(first["end"]), f"{first['start']} to {first['end']} is now")
        same({one["user"]["id"] for one in oncalls[1:]}, {self.house.person, self.house.other})
        same([(one["start"], one["end"]) for one in oncalls[1:]], [(None, None)] * 2, "whoever is named has no end")
        whole = self.client.list_all("oncalls", params={"schedule_ids[]": [self.schedule["id"]], "include[]": ["users"], "earliest": True})
        same([one["user"]["type"] for one in whole], ["user"])

    def a_service_has_keys(self):
        body = {
            "type": "service", "name": f"Shop of {self.name}", "auto_resolve_timeout": 14_400, "escalation_policy": reference(self.policy),
            "incident_urgency_rule": {"type": "constant", "urgency": "high"},
        }
        self.service = self.client.rpost("services", json=body)
        has(self.service, name=body["name"], status="active", auto_resolve_timeout=14_400, integrations=[])
        same(self.service["escalation_policy"]["id"], self.policy["id"])
        same(self.service["incident_urgency_rule"], body["incident_urgency_rule"])
        probe = {"type": "events_api_v2_inbound_integration", "name": "Probe"}
        path = f"services/{self.service['id']}/integrations"
        made = self.client.rpost(path, json=probe)
        self.routing_key = made["integration_key"]
        holds(len(self.routing_key) == 32 and self.routing_key.isalnum(), "a key is 32 letters and digits")
        same(self.client.rget(made["self"])["integration_key"], self.routing_key, "an administrator reads it again")
        spare = self.client.rpost(path, json=probe)
        same(self.client.delete(spare["self"]).status_code, 204)
        shown = self.client.rget(self.service, params={"include[]": ["integrations", "escalation_policies"]})
        same(ids(shown["integrations"]), [made["id"]])
        same(shown["escalation_policy"]["num_loops"], 1, "included as a whole")
        changed = self.client.rput(self.service, json={**self.service, "auto_resolve_timeout": None})
        same(changed["auto_resolve_timeout"], None)
        same(self.client.find("services", body["name"].lower())["id"], self.service["id"])
        same(self.client.dict_all("services", by="name")[body["name"]]["id"], self.service["id"])
        spare = self.client.rpost("services", json={"type": "service", "name": f"Spare of {self.name}", "escalation_policy": reference(self.policy)})
        same(self.client.delete(spare["self"]).status_code, 204)
        with refused(self.error, 404, 2100):
            self.client.rget(spare["self"])
        with refused(self.error, 400, 2001):
            self.client.rdelete(self.policy)

    def a_maintenance_window_is_planned(self):
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        begin, end = now + datetime.timedelta(hours=1), now + datetime.timedelta(hours=2)
        body = {
            "type": "maintenance_window", "description": "New disks", "services": [reference(self.service)],
            "start_time": written(begin), "end_time": written(end),
        }
        window = self.client.rpost("maintenance_windows", json=body)
        same((moment(window["start_time"]), moment(window["end_time"])), (begin, end))
        same((window["description"], ids(window["services"])), ("New disks", [self.service["id"]]))
        mine = {"service_ids[]": [self.service["id"]]}
        same(ids(self.client.list_all("maintenance_windows", params={**mine, "filter": "future"})), [window["id"]])
        same(self.client.list_all("maintenance_windows", params={**mine, "filter": "ongoing"}), [])
        longer = self.client.rput(window, json={**window, "end_time": written(end + datetime.timedelta(hours=1))})
        same(moment(longer["end_time"]), end + datetime.timedelta(hours=1))
        self.client.rdelete(window)
        with refused(self.error, 404, 2100):
            self.client.rget(window)

    def webhooks_are_subscribed_to(self):
        # Switched off, so that nothing leaves the house.
        wanted = {
            "type": "webhook_subscription", "description": "walk", "active": False, "events": ["incident.triggered"],
            "filter": {"id": self.service["id"], "type": "service_reference"},
            "delivery_method": {"type": "http_delivery_method", "url": "https://example.org/hook"},
        }
        made = self.client.rpost("webhook_subscriptions", json=wanted)
        holds(len(made["delivery_method"]["secret"]) >= 32, "the secret is shown once")
        path = f"webhook_subscriptions/{made['id']}"
        same(self.client.rget(path)["delivery_method"]["secret"], None)
        changed = self.client.rput(path, json={"type": "webhook_subscription", "description": "other"})
        same((changed["description"], changed["events"]), ("other", ["incident.triggered"]))
        holds(made["id"] in ids(self.client.list_all("webhook_subscriptions")), "it is listed")
        with refused(self.error, 400, 2001):
            self.client.rpost("webhook_subscriptions", json={**wanted, "events": ["service.created"]})
        self.client.rdelete(path)
        with refused(self.error, 404, 2100):
            self.client.rget(path)

    def business_services_are_made_of_others(self):
        name = f"Shop of {self.name}"
        shop = self.client.rpost("business_services", json={"type": "business_service", "name": name, "point_of_contact": "Ann"})
        has(shop, name=name, point_of_contact="Ann", type="business_service")
        needs = {"relationships": [{
            "supporting_service": {"id": self.service["id"], "type": "service"},
            "dependent_service": {"id": shop["id"], "type": "business_service"},
        }]}
        answer = self.client.post("service_dependencies/associate", json=needs)
        same(answer.status_code, 200, answer.text)
        made = answer.json()["relationships"]
        shown = self.client.get(f"service_dependencies/business_services/{shop['id']}").json()
        same(shown["relationships"], made)
        stands = self.client.get("business_services/impacts", params={"ids[]": [shop["id"]]}).json()
        same(ids(stands["services"]), [shop["id"]])
        answer = self.client.post("service_dependencies/disassociate", json={"relationships": made})
        same(answer.status_code, 200, answer.text)
        self.client.rdelete(shop)
        with refused(self.error, 404, 2100):
            self.client.rget(shop)

    def what_was_changed_is_listed_by_cursors(self):
        records = list(self.client.iter_cursor("audit/records", params={"limit": 5}))
        same(len(records) > 5, True, records)
        same(len(set(ids(records))), len(records), "none twice")

    def what_is_not_here_is_refused_as_there(self):
        with refused(self.error, 404, 2100):
            self.client.rget("extensions")
        with refused(self.error, 404, 2100):
            self.client.rget("escalation_policies/PXPGF42")
        with refused(self.error, 400, 5001):
            unknown = {"id": "PXPGF42", "type": "escalation_policy_reference"}
            self.client.rpost("services", json={"type": "service", "name": "x", "escalation_policy": unknown})

    def steps(self):
        """All of them, in the order in which one stands on the other."""
        return (
            self.who_asks_is_known,
            self.abilities_priorities_and_vendors_are_listed,
            self.people_come_and_go,
            self.ways_to_people_and_rules_are_read,
            self.tags_are_put_on_people,
            self.numbers_are_told,
            self.teams_have_members,
            self.a_schedule_is_rendered_with_its_layers_and_overrides,
            self.a_policy_names_levels,
            self.who_is_on_call_is_listed,
            self.a_service_has_keys,
            self.a_maintenance_window_is_planned,
            self.webhooks_are_subscribed_to,
            self.business_services_are_made_of_others,
            self.what_was_changed_is_listed_by_cursors,
            self.what_is_not_here_is_refused_as_there,
        )
