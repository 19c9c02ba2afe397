//! `tocsin schedule swap …`: two people exchange shifts. Whether they may is the server's decision.

use clap::{Args, Subcommand};
use jiff::Span;
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::Api;
use super::failure::Failure;
use super::given::{self, end_of, instant, wire};
use super::look::Look;
use super::plain::Plain;
use super::rota;
use super::schedule::{named, person};
use super::screen::Screen;
use super::shape::{Moment, Named};

/// What can be done with swaps.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Verb {
    /// Offer somebody to exchange shifts; an administrator who is neither of the two makes the swap at once
    Offer(Offer),
    /// Take a swap that was offered
    Accept(Answered),
    /// Do not take a swap that was offered
    Decline(Answered),
    /// Take back a swap that you offered
    Withdraw(Answered),
}

/// Whose time is exchanged for whose.
#[derive(Clone, Debug, Args)]
pub(crate) struct Offer {
    /// The schedule's name or id
    schedule: String,
    /// Who gives the first time: name, mail address or id; without it, the owner of the token
    #[arg(long)]
    user: Option<String>,
    /// When that shift begins, or any time within it
    #[arg(long, value_name = "TIME")]
    at: String,
    /// With whom
    #[arg(long, value_name = "USER")]
    with: String,
    /// When their shift begins, or any time within it
    #[arg(long, value_name = "TIME")]
    for_shift_at: String,
}

/// A swap that is answered.
#[derive(Clone, Debug, Args)]
pub(crate) struct Answered {
    /// The schedule's name or id
    schedule: String,
    /// The swap's id, as `schedule show` tells it
    #[arg(value_parser = given::id)]
    swap: String,
}

/// Two people exchange shifts.
#[derive(Debug, Deserialize)]
pub(super) struct Swap {
    pub(super) id: Plain,
    pub(super) state: Plain,
    one: Given,
    other: Given,
}

#[derive(Debug, Deserialize)]
struct Given {
    user: Named,
    from: Moment,
}

impl Swap {
    /// `Bob gives TIME and takes TIME from Ada`
    pub(super) fn told(&self, look: &Look) -> String {
        format!(
            "{} gives {} and takes {} from {}",
            self.one.user.name,
            look.clock(self.one.from.0),
            look.clock(self.other.from.0),
            self.other.user.name
        )
    }
}

pub(super) fn run(verb: &Verb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    let (answered, word, done) = match verb {
        Verb::Offer(offer) => return offered(api, screen, offer),
        Verb::Accept(answered) => (answered, "accept", "The swap holds."),
        Verb::Decline(answered) => (answered, "decline", "The swap is declined."),
        Verb::Withdraw(answered) => (answered, "withdraw", "The swap is taken back."),
    };
    let schedule = named(api, &answered.schedule)?;
    let path = [
        "schedules",
        schedule.id.as_str(),
        "swaps",
        &answered.swap,
        word,
    ];
    screen.done(&api.post(&path, &json!({}))?, done)
}

fn offered(api: &Api, screen: &Screen, offer: &Offer) -> Result<(), Failure> {
    let schedule = named(api, &offer.schedule)?;
    let one = person(api, offer.user.as_deref())?;
    let other = person(api, Some(&offer.with))?;
    let look = &screen.look;
    let given = shift_at(api, &schedule, &one, &offer.at, look)?;
    let taken = shift_at(api, &schedule, &other, &offer.for_shift_at, look)?;
    let body = json!({ "one": given, "other": taken });
    let answer = api.post(&["schedules", schedule.id.as_str(), "swaps"], &body)?;
    screen.show(&answer, |swap: &Swap, look| {
        let what = if swap.state.as_str() == "agreed" {
            "holds"
        } else {
            "is offered"
        };
        format!("The swap {} {what}: {}.", swap.id, swap.told(look))
    })
}

/// The shift of a person around an instant, as one side of a swap.
fn shift_at(
    api: &Api,
    schedule: &Named,
    person: &Named,
    at: &str,
    look: &Look,
) -> Result<Value, Failure> {
    let at = instant(at, look)?;
    let until = end_of(Span::new().seconds(1), at, look)?;
    let query = [
        ("user", person.id.to_string()),
        ("since", wire(at)),
        ("until", wire(until)),
    ];
    let found: rota::Shifts = api.get(&["oncall", "shifts"], &query)?.parsed()?;
    let mut own = found.items.into_iter();
    let own = own.find(|one| one.schedule.id == schedule.id);
    let Some(own) = own else {
        return Err(Failure::Refused(format!(
            "{} is not on call in {} at {}",
            person.name,
            schedule.name,
            look.clock(at)
        )));
    };
    Ok(json!({
        "user_id": person.id.as_str(),
        "from": wire(own.shift.from.0),
        "until": wire(own.shift.until.0),
    }))
}
