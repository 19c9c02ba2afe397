"""PagerDuty's REST API by a key that belongs to nobody, as an account there has them: each write says by `From` in whose name it is.
Walked by either of PagerDuty's Python libraries on the service of a roster walk. Which library it is, it does not know."""

from house import holds, native, refused, same
from rest_roster import reference


class AccountKey:
    """A walk with one library; `client_of` makes its client of a key and of the address that it says by `From`, which may be none."""

    def __init__(self, roster, client_of):
        self.roster, self.error, self.house, self.client_of = roster, roster.error, roster.house, client_of

    def a_key_of_the_account_belongs_to_nobody(self):
        self.name = f"Shared by {self.roster.name}"
        body = {"name": self.name, "role": "responder", "owner": "installation"}
        made = native(self.house, "/api-tokens", "POST", body)
        same((made["user_id"], made["made_by"]["id"]), (None, self.house.person))
        self.id, self.key = made["id"], made["token"]
        client = self.client_of(self.key, None)
        same(client.api_key_access, "account")
        answer = client.get("users/me")
        same(answer.status_code, 400)
        error = answer.json()["error"]
        holds(isinstance(error, str) and "account-level access token" in error, f"{error!r} is a text that says so")
        with refused(self.error, 400):
            client.rget("users/me")

    def whoever_is_named_by_from_takes_the_incident(self):
        other = self.roster.client.rget(f"users/{self.house.other}")
        client = self.client_of(self.key, other["email"])
        body = {"type": "incident", "title": "Taken by a shared key", "service": reference(self.roster.service)}
        opened = client.rpost("incidents", json=body)
        take = {"type": "incident_reference", "status": "acknowledged"}
        for who, code in [(None, 2016), ("nobody@example.org", 1008)]:
            with refused(self.error, 400, code):
                self.client_of(self.key, who).rput(opened, json=take)
        same(client.rget(opened)["status"], "triggered", "who is not known takes nothing")
        taken = client.rput(opened, json=take)
        same([one["acknowledger"]["id"] for one in taken["acknowledgements"]], [self.house.other])
        path = f"incidents/{opened['id']}"
        entries = client.list_all(f"{path}/log_entries")
        acknowledged = next(one for one in entries if one["type"] == "acknowledge_log_entry")
        same(acknowledged["agent"]["id"], self.house.other)
        note = client.rpost(f"{path}/notes", json={"content": "by a script"})
        same(note["user"]["id"], self.house.other)
        timeline = native(self.house, f"/incidents/{opened['id']}/timeline?limit=200")["items"]
        told = [entry["actor"]["name"] for entry in timeline if entry["kind"] == "incident.acknowledged"]
        same(told, [f"{other['name']} by token “{self.name}”"])
        same(client.rput(opened, json={"type": "incident_reference", "status": "resolved"})["status"], "resolved")

    def a_key_of_the_account_is_revoked_by_an_administrator(self):
        shown = next(one for one in native(self.house, "/api-tokens?limit=200")["items"] if one["id"] == self.id)
        holds(shown["last_used_at"] is not None, "its last use is told")
        native(self.house, f"/api-tokens/{self.id}", "DELETE")
        with refused(self.error, 401):
            self.client_of(self.key, None).rget("users")

    def steps(self):
        """All of them, in the order in which one stands on the other."""
        return (
            self.a_key_of_the_account_belongs_to_nobody,
            self.whoever_is_named_by_from_takes_the_incident,
            self.a_key_of_the_account_is_revoked_by_an_administrator,
        )
