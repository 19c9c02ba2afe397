"""Drives Tocsin with Debian's `amtool`, Alertmanager's command line."""

import datetime
import sys

from amtool import Amtool
from house import holds, incidents, native, read, same, until, walk

house = read()
amtool = Amtool(sys.argv[2], house)


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def an_alert_is_added_and_opens_an_incident():
    amtool.run("alert", "add", "DiskFull", "instance=web-1", "severity=warning", "--annotation=summary=The disk of web-1 is full")
    amtool.run("alert", "add", "DiskFull", "instance=web-2", "severity=warning", "--annotation=summary=The disk of web-2 is full")
    found = amtool.listed("alert", "query", "alertname=DiskFull", "instance=~web-[1]")
    same([one["labels"] for one in found], [{"alertname": "DiskFull", "instance": "web-1", "severity": "warning"}])
    same(found[0]["annotations"], {"summary": "The disk of web-1 is full"})
    same((found[0]["status"]["state"], found[0]["status"]["silencedBy"]), ("active", []))
    same(len(amtool.listed("alert", "query", "alertname=DiskFull")), 2)
    same(amtool.listed("alert", "query", "alertname=DiskFull", "instance!~web-.*"), [])
    opened = incidents(house, "The disk of web-1 is full")
    same([(one["status"], one["severity"]) for one in opened], [("triggered", "warning")])


def the_same_alert_again_goes_on_in_its_incident():
    amtool.run("alert", "add", "DiskFull", "instance=web-1", "severity=warning", "--annotation=summary=The disk of web-1 is full")
    same(len(incidents(house, "The disk of web-1 is full")), 1)
    same(len(amtool.listed("alert", "query", "alertname=DiskFull")), 2)


def a_silence_is_added_found_made_longer_and_ended():
    words = ["alertname=DiskFull", "instance=~web-1|web-9", "--comment=new disks", "--author=ada", "--duration=2h"]
    made = amtool.run("silence", "add", *words)
    found = amtool.listed("silence", "query", "alertname=DiskFull")
    same([one["id"] for one in found], [made])
    silence = found[0]
    same((silence["comment"], silence["createdBy"], silence["status"]["state"]), ("new disks", "ada", "active"))
    matchers = {(one["name"], one["value"], one["isRegex"], one["isEqual"]) for one in silence["matchers"]}
    same(matchers, {("alertname", "DiskFull", False, True), ("instance", "web-1|web-9", True, True)})
    lasts = instant(silence["endsAt"]) - instant(silence["startsAt"])
    # It tells the end by its own clock, and leaves the beginning to the server.
    holds(abs(lasts - datetime.timedelta(hours=2)) < datetime.timedelta(seconds=30), f"it lasts two hours, not {lasts}")
    shown = amtool.listed("alert", "query", "--silenced", "alertname=DiskFull")
    by_instance = {one["labels"]["instance"]: (one["status"]["state"], one["status"]["silencedBy"]) for one in shown}
    same(by_instance, {"web-1": ("suppressed", [made])})
    planned = native(house, "/maintenance-windows")["items"]
    same([one["reason"] for one in planned], ["new disks"], "a silence is planned work")
    same([one["id"] for one in amtool.listed("silence", "update", made, "--duration=3h")], [made])
    longer = amtool.listed("silence", "query", "--created-by=ada")[0]
    left = instant(longer["endsAt"]) - datetime.datetime.now(datetime.timezone.utc)
    holds(datetime.timedelta(hours=2, minutes=55) < left <= datetime.timedelta(hours=3), f"three hours are left, not {left}")
    amtool.run("silence", "expire", made)
    same(amtool.run("silence", "query", "--quiet"), "")
    same(amtool.run("silence", "query", "--expired", "--quiet"), made)
    same(amtool.listed("alert", "query", "--silenced", "alertname=DiskFull"), [])


def a_silence_that_cannot_be_is_refused():
    for words in [
        ["silence", "expire", "11111111-1111-4111-8111-111111111111"],
        ["silence", "update", "11111111-1111-4111-8111-111111111111", "--duration=1h"],
        ["silence", "add", "instance=~.*", "--comment=x", "--duration=1h"],
        ["silence", "add", "alertname=x", "--comment=x", "--duration=9000h"],
    ]:
        code, out, error = amtool.ask(*words)
        holds(code != 0, f"amtool {' '.join(words)} succeeded: {out}{error}")
    same(amtool.run("silence", "query", "--quiet"), "")


def what_it_asks_of_the_server_is_answered():
    holds("receivers:" in amtool.run("config", "show"), "the configuration names receivers")
    amtool.run("config", "routes", "show")
    holds(amtool.run("config", "routes", "test", "alertname=DiskFull"), "a receiver is named")
    amtool.run("cluster", "show")


def an_alert_that_is_over_resolves_its_incident():
    now = datetime.datetime.now(datetime.timezone.utc)
    # An end from before what fails now began would be the end of something earlier, and ends nothing.
    begin, end = (at.strftime("%Y-%m-%dT%H:%M:%SZ") for at in (now - datetime.timedelta(minutes=2), now))
    for instance in ["web-1", "web-2"]:
        amtool.run("alert", "add", "DiskFull", f"instance={instance}", "severity=warning", f"--start={begin}", f"--end={end}")
    until(lambda: not amtool.listed("alert", "query", "alertname=DiskFull"), "nothing fires any more")
    until(lambda: incidents(house, "The disk of web-1 is full")[0]["status"] == "resolved", "the incident is over")


walk(
    an_alert_is_added_and_opens_an_incident,
    the_same_alert_again_goes_on_in_its_incident,
    a_silence_is_added_found_made_longer_and_ended,
    a_silence_that_cannot_be_is_refused,
    what_it_asks_of_the_server_is_answered,
    an_alert_that_is_over_resolves_its_incident,
)
