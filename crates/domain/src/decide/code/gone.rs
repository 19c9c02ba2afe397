//! Of a document that is to become true: people who go by it and whom it names all the same.

use crate::code::{Apply, Fault, Kind, Part, Recipient};

/// Refuses to name somebody who goes. A removed person leaves every list, so that the document would not be true.
pub(super) fn nobody_gone_is_named(apply: &Apply) -> Result<(), Fault> {
    let gone = apply.gone(Kind::Users);
    if gone.is_empty() {
        return Ok(());
    }
    let wanted = &apply.wanted;
    let all_stay = |part: &Part, path: &str, addresses: &[String]| {
        let mut addresses = addresses.iter().enumerate();
        let Some((index, address)) = addresses.find(|(_, one)| gone.contains(one.as_str())) else {
            return Ok(());
        };
        let path = format!("{path}[{index}]");
        Err(Fault::names_gone(part.clone(), &path, Kind::Users, address))
    };
    for team in &wanted.teams {
        let part = Part::new(Kind::Teams, &team.name);
        all_stay(&part, "members", &team.members)?;
    }
    for schedule in &wanted.schedules {
        let part = Part::new(Kind::Schedules, &schedule.name);
        for (index, layer) in schedule.layers.iter().enumerate() {
            all_stay(&part, &format!("layers[{index}].members"), &layer.members)?;
        }
    }
    for policy in &wanted.escalation_policies {
        let part = Part::new(Kind::EscalationPolicies, &policy.name);
        for (index, level) in policy.levels.iter().enumerate() {
            for (place, target) in level.targets.iter().enumerate() {
                if let Recipient::User(address) = target
                    && gone.contains(address.as_str())
                {
                    let path = format!("levels[{index}].targets[{place}]");
                    return Err(Fault::names_gone(part, &path, Kind::Users, address));
                }
            }
        }
    }
    let fallback = wanted.installation.fallback.as_deref();
    let part = Part::new(Kind::Installation, "");
    all_stay(&part, "fallback", fallback.unwrap_or_default())
}
