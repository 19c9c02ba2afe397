//! Keeps what clients say of something beside its name, so that they read it back.

use tocsin_domain::command::{Ask, Described, RosterAsk};
use tocsin_domain::event::Actor;

use super::asked::Asked;
use super::reply::Refused;

/// A text as it is told: null when nothing is said.
pub(crate) fn told(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

impl Asked {
    /// Keeps what is said.
    pub(crate) async fn keep(&self, actor: &Actor, said: Described) -> Result<(), Refused> {
        let ask = RosterAsk::Describe(Box::new(said));
        self.app.ask(actor, Ask::Roster(ask)).await?;
        Ok(())
    }
}
