"""The Tocsin that clients are driven against, as `cargo xtask clients` wrote it down, and how a walk through it is run and
judged. It knows no client."""

import contextlib
import json
import os
import ssl
import sys
import time
import traceback
import urllib.request
from types import SimpleNamespace

# What is done by Tocsin a moment later than it answers is waited for so long.
PATIENCE_S = 60


def read():
    """Where Tocsin is and with which keys: the file that stands first among the arguments."""
    with open(sys.argv[1], encoding="utf-8") as file:
        house = SimpleNamespace(**json.load(file))
    # What takes no certificate from its caller looks here.
    os.environ["SSL_CERT_FILE"] = house.ca
    os.environ["REQUESTS_CA_BUNDLE"] = house.ca
    return house


def native(house, path, method="GET", body=None):
    """What Tocsin's own API answers; nothing where it answers with nothing."""
    headers = {"Authorization": f"Bearer {house.token}", "Content-Type": "application/json"}
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{house.url}/api/tocsin/v1{path}", content, headers, method=method)
    with urllib.request.urlopen(request, timeout=30, context=ssl.create_default_context(cafile=house.ca)) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def incidents(house, title):
    """Those of this title, the newest first."""
    return [one for one in native(house, "/incidents?limit=100")["items"] if one["title"] == title]


def same(found, wanted, what=""):
    """Fails unless both are equal, and shows them."""
    if found != wanted:
        raise AssertionError(f"{what}: it is {found!r}, and should be {wanted!r}")


def holds(fact, what):
    """Fails with what should have been so."""
    if not fact:
        raise AssertionError(what)


def has(found, **wanted):
    """Fails unless these fields have these values."""
    same({name: found.get(name) for name in wanted}, wanted, found.get("self", "fields"))


def ids(items):
    """The ids of a list, in its order."""
    return [item["id"] for item in items]


@contextlib.contextmanager
def refused(error, status, code=None):
    """What is done within is refused with this status and PagerDuty's number for the reason, by the client's own exception."""
    try:
        yield
    except error as refusal:
        response = getattr(refusal, "response", None)
        holds(response is not None, f"{refusal!r} comes without an answer")
        same(response.status_code, status, response.text)
        if code is not None:
            same(response.json()["error"]["code"], code, response.text)
    else:
        raise AssertionError(f"it was done, and should be refused with {status}")


def until(ask, what, limit_s=PATIENCE_S):
    """Asks until the answer is neither false nor empty, and gives it back."""
    deadline = time.monotonic() + limit_s
    while True:
        answer = ask()
        if answer:
            return answer
        holds(time.monotonic() < deadline, f"not within {limit_s} s: {what}")
        time.sleep(0.1)


def walk(*steps):
    """Runs each step, tells its seconds, and ends the process with a failure at the first that fails."""
    for step in steps:
        began = time.monotonic()
        name = step.__name__.replace("_", " ")
        try:
            step()
        except Exception:
            print(f"FAILED: {name}\n{traceback.format_exc()}", flush=True)
            sys.exit(1)
        print(f"{time.monotonic() - began:6.2f} s  {name}", flush=True)
