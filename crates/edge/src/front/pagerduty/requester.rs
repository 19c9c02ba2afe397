//! In whose name a write is done: the owner of the token, or whoever the `From` header names. It never gives anybody more than
//! their own role.

use tocsin_domain::event::Actor;
use tocsin_domain::id::UserId;
use tocsin_domain::people::Role;
use tocsin_wire::pagerduty::rest::Refusal;

use super::asked::Asked;
use super::reply::Refused;

/// Who does something, and as whom it is journalled.
#[derive(Clone, Debug)]
pub(crate) struct Requester {
    pub(crate) user: UserId,
    pub(crate) actor: Actor,
}

impl Asked {
    /// As whom something is journalled that no person needs to have done. Whoever is named must be known and may do it themselves; where
    /// nobody is named, a token that belongs to nobody did it itself.
    pub(crate) async fn author(&self, needed: Role) -> Result<Actor, Refused> {
        if self.caller.user.is_none() && self.from.is_none() {
            return Ok(self.caller.actor.clone());
        }
        Ok(self.requester(needed).await?.actor)
    }

    /// Who does what is asked, of which everybody with this role is capable. A token of a person speaks for that person,
    /// whatever the header says.
    pub(crate) async fn requester(&self, needed: Role) -> Result<Requester, Refused> {
        if let Some(user) = self.caller.user {
            let actor = self.caller.actor.clone();
            return Ok(Requester { user, actor });
        }
        let address = self.from.clone().ok_or_else(Refusal::from_missing)?;
        let row = self
            .app
            .blocking(move |parts| parts.vault.find_sign_in(&address))
            .await?
            .ok_or_else(Refusal::from_unknown)?;
        let found = self.app.read(|state| {
            let mut users = state.users.values();
            let found = users.find(|user| user.email == row);
            found.map(|user| (user.id, user.role))
        });
        let (user, role) = found.ok_or_else(Refusal::from_unknown)?;
        if role < needed {
            let why = "whoever the \"From\" header names may not do this";
            return Err(Refusal::denied(why).into());
        }
        let actor = match &self.caller.actor {
            Actor::Token { token, name } => Actor::OnBehalf {
                user,
                token: *token,
                name: name.clone(),
            },
            // Where authentication is switched off, nobody proved anything.
            Actor::System
            | Actor::Person { .. }
            | Actor::Channel { .. }
            | Actor::OnBehalf { .. }
            | Actor::Integration { .. }
            | Actor::Monitor { .. }
            | Actor::Rule { .. } => self.caller.actor.clone(),
        };
        Ok(Requester { user, actor })
    }
}
