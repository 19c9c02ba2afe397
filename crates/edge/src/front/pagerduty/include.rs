//! `include[]`: what stands in an answer as a reference is shown wholly instead, where a client names it. It knows where nothing
//! stands; that is told by whoever answers.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde_json::Value;
use tocsin_domain::id::{IncidentId, PolicyId, ScheduleId, ServiceId, TeamId, UserId};
use tocsin_domain::state::State;
use tocsin_wire::pagerduty::rest::Refusal;
use tocsin_wire::pagerduty::rest::vendor::Vendor;

use super::asked::Asked;
use super::incident_shape::Include;
use super::incident_shown::incident;
use super::policy_shape::policy;
use super::reply::Refused;
use super::schedule_shape::schedule;
use super::service_shape::{Standings, service};
use super::small::vendor;
use super::team_shape::team;
use super::user_shape::{Mails, user};

/// What is shown wholly in one answer at most: the state is held while that is done.
const WHOLE_MAX: usize = 1_000;

/// A word of `include[]`, and the fields at whose end stands what it names. Of lists each entry is meant.
pub(crate) type Named = (&'static str, &'static [&'static str]);

impl Asked {
    /// These, with what `include[]` names of them shown wholly.
    pub(crate) async fn included(
        &self,
        mut shown: Vec<Value>,
        named: &[Named],
    ) -> Result<Vec<Value>, Refused> {
        let wanted = named
            .iter()
            .filter(|(word, _)| self.parameters.includes(word));
        let places: Vec<&'static [&'static str]> = wanted.map(|(_, place)| *place).collect();
        if places.is_empty() {
            return Ok(shown);
        }
        let mut people: BTreeSet<UserId> = BTreeSet::new();
        let mut services: BTreeSet<ServiceId> = BTreeSet::new();
        let mut count: usize = 0;
        each_at(&mut shown, &places, &mut |one| {
            people.extend(named_by::<UserId>(one, "user_reference"));
            services.extend(named_by::<ServiceId>(one, "service_reference"));
            count += 1;
        });
        if count > WHOLE_MAX {
            let why = format!(
                "'include[]' names more than {WHOLE_MAX} things here: lower 'limit', or leave it away"
            );
            return Err(Refusal::bad(why).into());
        }
        let mails = self.mails(people).await?;
        self.app.read(|state| {
            let standings = Standings::of(state, &services);
            each_at(&mut shown, &places, &mut |one| {
                if let Some(whole) = whole(self, state, one, &standings, &mails) {
                    *one = whole;
                }
            });
        });
        Ok(shown)
    }

    /// The same of a single one.
    pub(crate) async fn included_one(
        &self,
        shown: Value,
        named: &[Named],
    ) -> Result<Value, Refused> {
        let mut all = self.included(vec![shown], named).await?;
        Ok(all.pop().unwrap_or_default())
    }
}

fn each_at(
    shown: &mut [Value],
    places: &[&'static [&'static str]],
    act: &mut dyn FnMut(&mut Value),
) {
    for one in shown {
        for place in places {
            each(one, place, act);
        }
    }
}

fn each(value: &mut Value, place: &[&str], act: &mut dyn FnMut(&mut Value)) {
    if let Value::Array(list) = value {
        for one in list {
            each(one, place, act);
        }
    } else if let Some((first, rest)) = place.split_first() {
        if let Some(inner) = value.get_mut(*first) {
            each(inner, rest, act);
        }
    } else {
        act(value);
    }
}

/// The id in a reference of this type.
fn named_by<I: FromStr>(reference: &Value, kind: &str) -> Option<I> {
    let is_one = reference["type"] == kind;
    reference["id"].as_str().filter(|_| is_one)?.parse().ok()
}

/// What a reference names, where that is still there and can be shown wholly.
fn whole(
    asked: &Asked,
    state: &State,
    reference: &Value,
    standings: &Standings<'_>,
    mails: &Mails,
) -> Option<Value> {
    let place = &asked.place;
    let id = reference["id"].as_str()?;
    match reference["type"].as_str()? {
        "user_reference" => {
            let known = state.users.get(&id.parse::<UserId>().ok()?)?;
            Some(user(state, place, known, mails))
        }
        "team_reference" => {
            let known = state.teams.get(&id.parse::<TeamId>().ok()?)?;
            Some(team(state, place, known))
        }
        "service_reference" => {
            let known = state.services.get(&id.parse::<ServiceId>().ok()?)?;
            Some(service(state, place, known, standings))
        }
        "escalation_policy_reference" => {
            let known = state.policies.get(&id.parse::<PolicyId>().ok()?)?;
            Some(policy(state, place, known))
        }
        "schedule_reference" => {
            let known = state.schedules.get(&id.parse::<ScheduleId>().ok()?)?;
            Some(schedule(state, place, known))
        }
        "incident_reference" => {
            let known = state.incidents.get(&id.parse::<IncidentId>().ok()?)?;
            Some(incident(state, place, known, &Include::default(), mails))
        }
        "vendor_reference" => Vendor::of_id(id).map(|known| vendor(place, known)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_named_is_found_through_lists_and_nothing_else_is() {
        let mut shown = [json!({
            "rules": [{"targets": [1, 2]}, {"targets": [3]}, {}],
            "team": {"id": 4},
            "none": null,
        })];
        let mut found = Vec::new();
        let places: [&'static [&'static str]; 3] =
            [&["rules", "targets"], &["team"], &["none", "x"]];
        each_at(&mut shown, &places, &mut |one| found.push(one.clone()));
        assert_eq!(found, [json!(1), json!(2), json!(3), json!({"id": 4})]);
    }
}
