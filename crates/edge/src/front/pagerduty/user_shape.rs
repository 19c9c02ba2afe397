//! How a person, a way to reach them and their rules look to PagerDuty's clients. An address is shown to its owner and to
//! administrators, as in the native API.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tocsin_domain::id::UserId;
use tocsin_domain::people::{Role, User};
use tocsin_domain::state::State;
use tocsin_wire::pagerduty::rest::reach::method_word;
use tocsin_wire::pagerduty::rest::roster::role_called;

use super::asked::Asked;
use super::described::told;
use super::place::{Place, whole};
use super::reply::Refused;
use super::users::{role_of, shown_minutes};
use crate::http::address;
use crate::http::shape::ChannelKind;

/// The addresses that people sign in with, as far as whoever asks may see them.
pub(crate) type Mails = BTreeMap<UserId, String>;

impl Asked {
    /// Whether the caller may see the addresses of this person.
    pub(crate) fn sees(&self, user: UserId) -> bool {
        self.caller.role == Role::Admin || self.caller.user == Some(user)
    }

    /// The addresses of these people.
    pub(crate) async fn mails(&self, people: BTreeSet<UserId>) -> Result<Mails, Refused> {
        if people.is_empty() {
            return Ok(Mails::new());
        }
        let rows = self.app.read(|state| {
            let known = people.iter().filter_map(|id| state.users.get(id));
            let rows = known.map(|user| (user.id, user.email, self.sees(user.id)));
            rows.collect::<Vec<_>>()
        });
        let read = self.app.blocking(move |parts| {
            let mut mails = Mails::new();
            for (user, row, open) in rows {
                let secret = parts.vault.get(row)?;
                let mail = secret.map(|secret| secret.expose_secret().to_owned());
                let mail = mail.unwrap_or_default();
                let shown = if open {
                    mail
                } else {
                    address::hint(ChannelKind::Email, &mail)
                };
                mails.insert(user, shown);
            }
            Ok(mails)
        });
        Ok(read.await?)
    }
}

/// PagerDuty's word for a role.
pub(crate) const fn role_word(role: Role) -> &'static str {
    match role {
        Role::Viewer => "read_only_user",
        Role::Responder => "limited_user",
        Role::Admin => "admin",
    }
}

/// The word for a person's role that a client said, as long as it means their role, and else the usual one.
fn own_role_word(known: &User) -> &str {
    let said = known.about.role_word.as_str();
    let means = role_called(said).map(role_of);
    if means == Some(known.role) {
        said
    } else {
        role_word(known.role)
    }
}

/// A text, or what is told where nothing is said.
const fn or<'a>(text: &'a str, usual: &'a str) -> &'a str {
    if text.is_empty() { usual } else { text }
}

/// A person.
pub(crate) fn user(state: &State, place: &Place, known: &User, mails: &Mails) -> Value {
    let methods = known.contact_methods.iter().map(|method| {
        let path = format!("users/{}/contact_methods/{}", known.id, method.id);
        let kind = format!("{}_reference", method_word(method.kind));
        place.named(&kind, method.id.as_str(), &method.label, &path, "")
    });
    let rules = known.rules.iter().map(|rule| {
        let path = format!("users/{}/notification_rules/{}", known.id, rule.id);
        let minutes = shown_minutes(rule.delay_ms);
        let summary = format!("{minutes} minutes");
        let kind = "assignment_notification_rule_reference";
        place.named(kind, rule.id.as_str(), &summary, &path, "")
    });
    let teams = state.teams.values();
    let teams = teams.filter(|team| team.members.contains(&known.id));
    let more = json!({
        "name": known.name,
        "email": mails.get(&known.id),
        "time_zone": or(&known.about.time_zone, "Etc/UTC"),
        "color": or(&known.about.color, "grey"),
        "avatar_url": null,
        "billed": true,
        "role": own_role_word(known),
        "description": told(&known.about.description),
        "invitation_sent": false,
        "job_title": told(&known.about.job_title),
        "teams": teams.map(|team| place.team(state, team.id)).collect::<Vec<_>>(),
        "contact_methods": methods.collect::<Vec<_>>(),
        "notification_rules": rules.collect::<Vec<_>>(),
    });
    whole(place.user(state, known.id), "user", more)
}
