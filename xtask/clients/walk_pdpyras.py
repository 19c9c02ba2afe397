"""Drives Tocsin with `pdpyras`, PagerDuty's former Python library."""

import pdpyras

from house import read, refused, same, until, walk
from rest_account_key import AccountKey
from rest_incidents import Incidents
from rest_roster import Roster

house = read()


def at_house(client):
    """This library leaves it to its caller where it calls, and what it trusts."""
    client.url, client.verify = house.url, house.ca
    return client


def client_of(key, default_from):
    return at_house(pdpyras.APISession(key, default_from=default_from))


session = client_of(house.token, house.email)
roster = Roster(session, pdpyras.PDClientError, house, "pdpyras")


def a_wrong_key_is_refused():
    stranger = at_house(pdpyras.APISession("y_NbAkKc66ryYTWUXYEu"))
    with refused(pdpyras.PDClientError, 401):
        stranger.rget("users")


def both_forms_of_authorization_are_good():
    by_bearer = at_house(pdpyras.APISession(house.token, auth_type="oauth2"))
    same(by_bearer.auth_header, {"Authorization": f"Bearer {house.token}"})
    same(by_bearer.rget("/users/me")["id"], house.person)
    same(session.auth_header, {"Authorization": f"Token token={house.token}"})


def what_is_left_of_the_rate_is_told():
    headers = session.get("abilities").headers
    same(headers["ratelimit-limit"], "960")
    until(lambda: 0 < int(headers["ratelimit-remaining"]) < 960, "some of it is used")
    until(lambda: 0 <= int(headers["ratelimit-reset"]) <= 60, "the window is a minute")


def the_incidents():
    events = at_house(pdpyras.EventsAPISession(roster.routing_key))
    changes = at_house(pdpyras.ChangeEventsAPISession(roster.routing_key))
    walk(*Incidents(roster, events, lambda: changes.submit("deployed", "ci")).steps())


walk(
    a_wrong_key_is_refused,
    both_forms_of_authorization_are_good,
    what_is_left_of_the_rate_is_told,
    *roster.steps(),
    the_incidents,
    *AccountKey(roster, client_of).steps(),
)
