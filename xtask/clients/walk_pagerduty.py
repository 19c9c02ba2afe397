"""Drives Tocsin with `pagerduty`, PagerDuty's Python library, which speaks to nothing but https, and with the command line that it
brings."""

import datetime
import os
import ssl
import subprocess
import sys

import pagerduty

from house import holds, ids, read, refused, same, walk
from rest_account_key import AccountKey
from rest_incidents import Incidents
from rest_roster import Roster

house = read()
trust = ssl.create_default_context(cafile=house.ca)


def client_of(key, default_from):
    return pagerduty.RestApiV2Client(key, default_from=default_from, base_url=house.url, verify=trust)


client = client_of(house.token, house.email)
roster = Roster(client, pagerduty.Error, house, "pagerduty")
# Under its own prefix the whole front is there again.
prefixed = f"{house.url}/pagerduty"


def a_wrong_key_is_refused():
    stranger = pagerduty.RestApiV2Client("y_NbAkKc66ryYTWUXYEu", base_url=house.url, verify=trust)
    with refused(pagerduty.HttpError, 401):
        stranger.rget("users")


def abilities_are_asked_for_by_name():
    same((client.account_has_ability("teams"), client.account_has_ability("sso")), (True, False))


def the_incidents():
    events = pagerduty.EventsApiV2Client(roster.routing_key, base_url=house.url, verify=trust)
    # It cannot tell the time by itself: its `submit` fails before it sends anything.
    change = {"summary": "deployed", "source": "ci", "timestamp": "2026-11-27T12:00:00Z"}
    walk(*Incidents(roster, events, lambda: events.send_change_event(payload=change)).steps())


def totals_history_and_notes_are_read():
    params = {"service_ids[]": [roster.service["id"]], "statuses[]": ["resolved"]}
    resolved = client.list_all("incidents", params=params)
    same(client.get_total("incidents", params=params), len(resolved))
    now = datetime.datetime.now(datetime.timezone.utc)
    # Up to this second, so that nothing new moves what is paged through.
    since, until = now - datetime.timedelta(hours=1), now + datetime.timedelta(seconds=1)
    history = list(client.iter_history("log_entries", since, until, page_size=20))
    same(len(set(ids(history))), len(history), "no entry comes twice")
    opened = {one["incident"]["id"] for one in history if one["type"] == "trigger_log_entry"}
    holds(set(ids(resolved)) <= opened, "what ended in this hour began in it")
    noted = next(one for one in resolved if one["title"] == "Nobody can buy")
    notes = list(client.iter_incident_notes(noted["id"]))
    holds("disks are full" in [one["channel"]["content"] for one in notes], f"the note is among {notes}")


def the_prefix_answers_with_addresses_under_it():
    there = pagerduty.RestApiV2Client(house.token, default_from=house.email, base_url=prefixed, verify=trust)
    service = there.rget(f"services/{roster.service['id']}")
    holds(service["self"].startswith(f"{prefixed}/services/"), service["self"])
    same(there.rget(service)["id"], service["id"])


def the_command_line_triggers_takes_and_ends():
    program = os.path.join(os.path.dirname(sys.executable), "pagerduty")

    def run(action, *arguments):
        words = [program, action, "-k", roster.routing_key, "-i", "by-hand", "--base-url", house.url, *arguments]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        same(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def status():
        found = client.list_all("incidents", params={"service_ids[]": [roster.service["id"]], "incident_key": "by-hand"})
        return [(one["title"], one["status"]) for one in found]

    same(run("trigger", "--description", "By hand"), "Alert triggered successfully. Deduplication key: by-hand\n")
    same(status(), [("By hand", "triggered")])
    run("acknowledge")
    same(status(), [("By hand", "acknowledged")])
    run("resolve")
    same(status(), [("By hand", "resolved")])


walk(
    a_wrong_key_is_refused,
    abilities_are_asked_for_by_name,
    *roster.steps(),
    the_incidents,
    *AccountKey(roster, client_of).steps(),
    totals_history_and_notes_are_read,
    the_prefix_answers_with_addresses_under_it,
    the_command_line_triggers_takes_and_ends,
)
