"""Drives Tocsin with Debian's Prometheus: two replicas see the same thing fail, and send the same alerts; amtool silences one of them.
What fails is said by a page that they scrape."""

import http.server
import json
import os
import subprocess
import sys
import threading
import urllib.parse
import urllib.request

from amtool import Amtool
from house import holds, incidents, native, read, same, until, walk

house = read()
program, amtool = sys.argv[2], Amtool(sys.argv[3], house)
page_address, *addresses = house.addresses
# What each alert watches; zero is down.
health = {"shop": 1, "till": 1}


class Page(http.server.BaseHTTPRequestHandler):
    """The metrics that are scraped."""

    def do_GET(self):
        text = "".join(f"{name}_up {up}\n" for name, up in health.items()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """Keeps quiet."""


def rule(name):
    return {
        "alert": f"{name.title()}Down",
        "expr": f"{name}_up == 0",
        "labels": {"severity": "critical"},
        "annotations": {"summary": f"The {name} is down", "description": "{{ $labels.instance }} says {{ $value }}"},
    }


def configured(folder, replica):
    """Writes the files of one replica as its user would; what is JSON is YAML too."""
    alertmanager = {
        "scheme": "https",
        "path_prefix": "/alertmanager",
        "authorization": {"credentials": house.alertmanager_key},
        "tls_config": {"ca_file": house.ca},
        "static_configs": [{"targets": [house.url.removeprefix("https://")]}],
    }
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s", "external_labels": {"replica": replica}},
        "rule_files": [os.path.join(folder, "rules.yml")],
        "alerting": {"alert_relabel_configs": [{"regex": "replica", "action": "labeldrop"}], "alertmanagers": [alertmanager]},
        "scrape_configs": [{"job_name": "shop", "static_configs": [{"targets": [page_address]}]}],
    }
    rules = {"groups": [{"name": "health", "rules": [rule(name) for name in health]}]}
    for name, content in [("prometheus.yml", config), ("rules.yml", rules)]:
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            json.dump(content, file)
    return os.path.join(folder, "prometheus.yml")


class Replica:
    """A Prometheus that runs."""

    def __init__(self, folder, name, address):
        home = os.path.join(folder, name)
        os.mkdir(home)
        self.address, self.log = address, os.path.join(home, "log")
        words = [
            # By this folder whoever started us finds what we could not end.
            program, f"--config.file={configured(home, name)}", f"--storage.tsdb.path={home}/data", f"--web.listen-address={address}",
            "--rules.alert.resend-delay=2s", "--log.level=warn",
        ]
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def ask(self, path):
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            return None

    def is_ready(self):
        code = self.process.poll()
        holds(code is None, f"it ended with {code}: {self.said()}")
        return self.ask("/-/ready")

    def sent(self):
        """How many alerts it has sent with success."""
        lines = (self.ask("/metrics") or "").splitlines()
        of = lambda name: sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name + "{"))
        return of("prometheus_notifications_sent_total") - of("prometheus_notifications_errors_total")

    def said(self):
        with open(self.log, encoding="utf-8") as log:
            return log.read()


def each_sends(alert):
    """Waits until the alert fires at each replica, and each has sent it."""
    query = "/api/v1/query?query=" + urllib.parse.quote(f'ALERTS{{alertname="{alert}",alertstate="firing"}}')
    for replica in replicas:
        until(lambda: json.loads(replica.ask(query) or "{}").get("data", {}).get("result"), f"{alert} fires at {replica.address}")
        seen = replica.sent()
        # Each alert is sent every two seconds, the end of one as well: of two that are sent, one is ours.
        until(lambda: replica.sent() >= seen + 2, f"{replica.address} sends {alert}; it said: {replica.said()}")


def delivered(incident):
    """The pages about an incident that have reached somebody."""
    pages = native(house, f"/incidents/{incident['id']}")["pages"]
    return [page for page in pages if page["purpose"] == "page" and page["state"] == "delivered"]


def both_are_ready():
    for replica in replicas:
        until(replica.is_ready, "Prometheus is ready")


def the_same_alert_of_both_opens_one_incident_and_pages():
    health["shop"] = 0
    until(lambda: incidents(house, "The shop is down"), "an incident is opened")
    each_sends("ShopDown")
    opened = incidents(house, "The shop is down")
    same([(one["status"], one["severity"], one["alert_count"]) for one in opened], [("triggered", "critical", 1)])
    until(lambda: delivered(opened[0]), "somebody is paged")
    same(len(delivered(opened[0])), 1, "once")
    found = amtool.listed("alert", "query", "alertname=ShopDown")
    same([(one["labels"]["job"], one["labels"].get("replica")) for one in found], [("shop", None)])
    same(found[0]["annotations"]["description"], f"{page_address} says 0")


def its_end_ends_the_incident():
    health["shop"] = 1
    until(lambda: incidents(house, "The shop is down")[0]["status"] == "resolved", "it resolves", limit_s=90)
    same(len(incidents(house, "The shop is down")), 1)


def a_silence_holds_the_page_and_its_end_lets_it_go():
    silence = amtool.run("silence", "add", "alertname=TillDown", "--comment=new till", "--author=ada", "--duration=1h")
    health["till"] = 0
    until(lambda: incidents(house, "The till is down"), "an incident is opened")
    each_sends("TillDown")
    found = amtool.listed("alert", "query", "--silenced", "alertname=TillDown")
    same([(one["status"]["state"], one["status"]["silencedBy"]) for one in found], [("suppressed", [silence])])
    opened = incidents(house, "The till is down")
    same([(one["status"], one["paged_at"]) for one in opened], [("triggered", None)])
    same(delivered(opened[0]), [])
    amtool.run("silence", "expire", silence)
    until(lambda: delivered(opened[0]), "somebody is paged when the silence is over")
    health["till"] = 1
    until(lambda: incidents(house, "The till is down")[0]["status"] == "resolved", "it resolves", limit_s=90)


host, port = page_address.split(":")
page = http.server.ThreadingHTTPServer((host, int(port)), Page)
threading.Thread(target=page.serve_forever, daemon=True).start()
replicas = [Replica(sys.argv[4], name, address) for name, address in zip("ab", addresses)]
try:
    walk(
        both_are_ready,
        the_same_alert_of_both_opens_one_incident_and_pages,
        its_end_ends_the_incident,
        a_silence_holds_the_page_and_its_end_lets_it_go,
    )
finally:
    for replica in replicas:
        replica.process.terminate()
    for replica in replicas:
        replica.process.wait(timeout=30)
