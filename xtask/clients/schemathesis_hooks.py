"""What `schemathesis.toml` cannot say: where Tocsin would be taken away from the requests, where it would send to strangers, a body
that is no JSON, and for which reasons a request is refused that is as the description says. Loaded by schemathesis itself."""

import itertools
import json
import os
import re
import struct
import urllib.request

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData

# Of the form of an id, and of nothing: no die throws the same 13 characters.
NOBODY = "QAAAAAAAAAAAAA"
# Nobody listens there, and Tocsin may call it.
NOWHERE = "http://127.0.0.1:9"
# PagerDuty's REST API takes 960 requests a minute with one token, as PagerDuty does: that many tokens take turns.
TOKENS = 4

# What would take from the requests the person or the tokens that they are sent with.
TAKING = re.compile(r"revoke_token|(remove|change)_user|pagerduty_(remove|change)_pagerduty_user")
# What would have Tocsin send somewhere, with the field that says where.
SENDING = {
    "set_email": ("host", "127.0.0.1"),
    "set_further_email": ("host", "127.0.0.1"),
    "set_account": ("base_url", NOWHERE),
    "set_further_account": ("base_url", NOWHERE),
    "add_webhook": ("url", NOWHERE),
    "replace_webhook": ("url", NOWHERE),
}
# Ways to people that are an address of the web.
WAYS = {"webhook": f"{NOWHERE}/way", "ntfy": f"{NOWHERE}/topic", "slack": f"{NOWHERE}/way"}

# Reasons of refusals that a schema has no words for. What is refused for another is described wrongly, or refused wrongly.
REASONS = [
    # What is known, or was.
    r"cursor: not one ",
    r"'cursor' is invalid: it is none that was given",
    r"(.*: )?there is no [a-z ]+ Q[A-Z2-7]{13}$",
    r".*: not a rule of this list, or there twice",
    r"code: not the one of the test page",
    r"current_password: ",
    # Two instants, or one and now.
    r"(.*\.)?(until|end|at|expires_at): (must|the range|at most|nothing of it)",
    r".*: (must lie in the years|at most \d+ days)",
    r"'until' is invalid: it is (at most|not before|later)",
    r"'since' is invalid: it is at most",
    r"(events|scope_id): (at least one|only a service|not the id)",
    r"headers(\[\d+\]\.(name|value))?: ",
    # Fields that need others, or do not go with them.
    r"(dedup_key|summary|source|severity): needed ",
    r"not a PromQL expression: ",
    r"'time_zone' is invalid: .* is no IANA zone",
    r"(layer_names|priority): (at most one for each|one of)",
    r"give (a sample|one of|from and until)",
    r"name (services, targets|either people)",
    r"this integration takes ",
    r"(only_own|secret|service_label|mapping|account_id|from|token|listener_token|tls): ",
    r"layers: say either",
    r"(time_zone|name|layers): a new schedule needs",
    r".*(a field needs an op|exactly one of|only rules of the installation)",
    r".*\.turn: say how long",
    r".*: (two different people|ends when it begins)",
    r".* is there twice",
    r"(repeat|grouping)\.(minutes|within): ",
    r"'offset' \+ 'limit' is more than",
    r"'(offset|limit)' is invalid: it is a whole number",
    # Hours of each of several days are counted for each day, and a second in minutes is no number to write down.
    r".*windows: at most 50",
    r"levels\[\d+\]\.delay: ",
    # A level names nobody only where it did before.
    r"levels\[\d+\]\.targets: 1 to 10$",
    r"id: needs the kind of",
    r"'actor_id' needs 'actor_type'",
    r"'(after|before)' is invalid: .* is no id of a setting",
    # Texts in a language of their own.
    r".*time_zone: .* is not an IANA zone",
    r".*line \d+, column \d+: ",
    r"(start|end|time|step|query): ",
    r"(.*\.)?(first|hand_off): ",
    r"(email|address|host|links\.href): ",
    r"matchers\[\d+\]: ",
    r".*\.?fields?: ",
    # Of a text only what is seen counts, and most are on one line: a pattern that said so would be read by nobody.
    r".*: (must not be empty|no control characters|no characters that turn)",
    r".*: 1 to \d+ characters on one line",
    r".*: a text has 1 to",
]
# Objects whose kind is told by a word of theirs are described as open to more fields, and their numbers are read as they are written.
OF_KINDS = [
    r"the body cannot be read: .* is not one of the fields",
    r"the body cannot be read: expected a whole number.* found -?\d+\.0( |$)",
]
HAVING_KINDS = {"set_alert_rules", "set_service_rules", "set_settings", "add_schedule", "replace_schedule", "preview_schedule"}


def any_of(reasons):
    """All of these as one pattern."""
    return re.compile("|".join(f"(?:{one})" for one in reasons), re.DOTALL)


EXCUSED, EXCUSED_OF_KINDS = any_of(REASONS), any_of(REASONS + OF_KINDS)

with open(os.environ["TOCSIN_HOUSE"], encoding="utf-8") as file:
    HOUSE = json.load(file)


def native(path, body=None):
    """What Tocsin's own API answers."""
    headers = {"Authorization": f"Bearer {HOUSE['token']}", "Content-Type": "application/json"}
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{HOUSE['url']}/api/tocsin/v1{path}", content, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


MADE = [native("/api-tokens", {"name": f"Turn {n}", "role": "admin"})["token"] for n in range(TOKENS)]
TURNS = itertools.cycle(MADE)
# Without these, nobody could ask any more.
KEPT = {HOUSE["person"], *(token["id"] for token in native("/api-tokens")["items"])}


class Turn(requests.auth.AuthBase):
    """Another token of the same person in the place of theirs; a wrong one or none stays."""

    def __call__(self, request):
        if request.headers.get("Authorization") == f"Bearer {HOUSE['token']}":
            request.headers["Authorization"] = f"Bearer {next(TURNS)}"
        return request


@schemathesis.hook
def before_call(context, case, kwargs):
    """Leaves the requests what they live by, and every address on this machine. What is refused anyway stays as it is."""
    operation = context.operation.definition.raw.get("operationId", "")
    if operation.startswith("pagerduty_"):
        kwargs["auth"] = Turn()
    if TAKING.fullmatch(operation):
        for name, value in case.path_parameters.items():
            if value in KEPT:
                case.path_parameters[name] = NOBODY
    body = case.body
    if not isinstance(body, dict):
        return
    name, local = SENDING.get(operation, ("", ""))
    if name and isinstance(body.get(name), (str, type(None))):
        body[name] = local
    if operation == "add_contact_method" and isinstance(body.get("kind"), str) and isinstance(body.get("address"), str):
        body["address"] = WAYS.get(body["kind"], body["address"])
    delivery = body.get("webhook_subscription")
    delivery = delivery.get("delivery_method") if isinstance(delivery, dict) else None
    if isinstance(delivery, dict) and "url" in delivery:
        delivery["url"] = NOWHERE


def is_passed_over(case):
    """Whether PagerDuty's API reads past what is wrong: parameters that are empty, and words that nothing is shown wholly by."""
    query = case.query or {}
    return any(value in ("", [""], []) for value in query.values()) or {"include[]", "additional_fields[]"} & query.keys()


def errors_of(response):
    """The reasons of a refusal, in Tocsin's own words or in those of PagerDuty's API."""
    answer = response.json()
    return answer.get("errors") or answer.get("error", {}).get("errors") or []


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether it is one: not where a request is refused for reasons that a description cannot tell, each of which is known here."""
    operation = context.operation.definition.raw.get("operationId", "")
    if isinstance(failure, AcceptedNegativeData):
        return not (operation.startswith("pagerduty_") and is_passed_over(case))
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 400:
        return True
    errors = errors_of(response)
    excused = EXCUSED_OF_KINDS if operation in HAVING_KINDS else EXCUSED
    return not errors or not all(excused.match(error) for error in errors)


def varint(number):
    """As protobuf and snappy write a number."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])


def field(number, content):
    """A field of a protobuf message that is counted in bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def series(labels, samples):
    """A series as remote write has it: fields of a label are name and value, of a sample value and time."""
    labels = [field(1, field(1, name.encode()) + field(2, value.encode())) for name, value in sorted(labels.items())]
    samples = [field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(at)) for value, at in samples]
    return field(1, b"".join(labels + samples))


def compressed(content):
    """A block of snappy in which nothing repeats: each tag counts the bytes that follow."""
    parts = [content[at : at + 256] for at in range(0, len(content), 256)]
    return varint(len(content)) + b"".join(bytes([60 << 2, len(part) - 1]) + part for part in parts)


NAMES = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
LABELS = st.dictionaries(NAMES, st.text(st.characters(codec="utf-8"), max_size=8), max_size=4)
NAMED = st.builds(lambda name, labels: {**labels, "__name__": name}, NAMES, LABELS)
SAMPLES = st.lists(st.tuples(st.floats(), st.integers(0, 2**63 - 1)), max_size=3)
WRITTEN = st.lists(st.builds(series, NAMED | LABELS, SAMPLES), max_size=4).map(lambda all: compressed(b"".join(all)))
schemathesis.openapi.media_type("application/x-protobuf", WRITTEN | st.binary(max_size=64))
