"""What `schemathesis.toml` cannot say: where Tocsin would be taken away from the requests, where it would send to strangers, and for
which reasons a request is refused that is as the description says. Loaded by schemathesis itself."""

import json
import os
import re
import urllib.request

import schemathesis
from schemathesis.openapi.checks import RejectedPositiveData

# Of this form, and of nothing: no die throws the same 13 characters.
NOBODY = "QAAAAAAAAAAAAA"
# Nobody listens there, and Tocsin may call it.
NOWHERE = "http://127.0.0.1:9"

# What would take from the requests the person or the token that they are sent with.
TAKING = re.compile(r"revoke_token|(remove|change)_user|pagerduty_(remove|change)_pagerduty_user")
# What would have Tocsin send somewhere, with the fields that say where.
SENDING = {
    "set_email": {"host": "127.0.0.1"},
    "set_further_email": {"host": "127.0.0.1"},
    "set_account": {"base_url": NOWHERE},
    "set_further_account": {"base_url": NOWHERE},
}
# Ways to people that are an address of the web, each with one to nowhere.
WAYS = {"webhook": f"{NOWHERE}/way", "ntfy": f"{NOWHERE}/topic", "slack": f"{NOWHERE}/way"}

# Reasons that a schema has no words for. A request that is refused for another is described wrongly, or refused wrongly.
REASONS = [
    # What was there once, and is known or not.
    r"cursor: not one ",
    r"there is no [a-z ]+ Q[A-Z2-7]{13}$",
    r".*: not a rule of this list, or there twice",
    r".*code: not the one of the test page",
    r"current_password: ",
    # Order and distance of two instants, or of one and now.
    r"(.*\.)?(until|end|at|expires_at|from): (must|the range|at most|the span|it )",
    r".*: (must lie in the years|must be later|at most \d+ days)",
    # Fields that need or exclude each other.
    r"(dedup_key|summary|source|severity): needed ",
    r"give (a sample|one of|from and until)",
    r"name (services, targets|either people)",
    r"(secret|mapping|service_label|account_id|from|token|listener_token|tls): ",
    r"layers: say either",
    r"(time_zone|name): a new schedule needs one",
    r".*(a field needs an op|exactly one of|only rules of the installation)",
    r"only_own: ",
    r".*\.turn: say how long",
    r".*: (two different people|ends when it begins)",
    r".* is there twice",
    r"repeat\.minutes: ",
    # Texts in a language of their own.
    r".*time_zone: .* is not an IANA zone",
    r".*line \d+, column \d+: ",
    r"(start|end|time|step|query): ",
    r".*first: ",
    r".*hand_off: ",
    r"email: not a mail address",
    r"address: ",
    r"host: ",
    r"links\.href: must be an address",
    r"matchers\[\d+\]: ",
    r".*(field|fields): ",
    # Of text only what is seen counts, and it is on one line; a pattern that said so would be read by nobody.
    r".*: (must not be empty|no control characters|no characters that turn)",
    r".*: 1 to \d+ characters on one line",
    r".*: a text has 1 to",
]
EXCUSED = re.compile("|".join(f"(?:{one})" for one in REASONS), re.DOTALL)


def kept():
    """The ids that the requests live by: the administrator's, and those of their tokens."""
    with open(os.environ["TOCSIN_HOUSE"], encoding="utf-8") as file:
        house = json.load(file)
    address = f"{house['url']}/api/tocsin/v1/api-tokens"
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {house['token']}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        tokens = json.load(answer)["items"]
    return {house["person"], *(token["id"] for token in tokens)}


KEPT = kept()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Leaves the requests what they live by, and every address on this machine. What is refused anyway stays as it is."""
    operation = context.operation.definition.raw.get("operationId", "")
    if TAKING.fullmatch(operation):
        for name, value in case.path_parameters.items():
            if value in KEPT:
                case.path_parameters[name] = NOBODY
    body = case.body
    if not isinstance(body, dict):
        return
    for name, local in SENDING.get(operation, {}).items():
        if isinstance(body.get(name), (str, type(None))):
            body[name] = local
    if operation == "add_contact_method" and isinstance(body.get("kind"), str) and isinstance(body.get("address"), str):
        body["address"] = WAYS.get(body["kind"], body["address"])


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether it is one: not where a request is refused for reasons that a description cannot tell, each of which is known here."""
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 400:
        return True
    errors = response.json().get("errors", [])
    return not errors or not all(EXCUSED.match(error) for error in errors)
