//! Escalation policies.

use serde_json::Value;
use tocsin_domain::code::{EscalationPolicy, Length, Level, Recipient};
use tocsin_domain::page::{LEVELS_MAX, REPEAT_MAX};

use super::Keys;
use super::names::{Remarks, said};
use super::people::team_of;
use super::raw;

/// Whom a level pages at most, as the core has it.
const RECIPIENTS_MAX: usize = 10;
/// A level waits a day at most.
const DELAY_MINUTES_MAX: u64 = 1_440;

/// A policy; none when it pages nobody.
pub(super) fn policy(
    known: &raw::Policy,
    keys: &mut Keys,
    remarks: &mut Remarks,
) -> Option<EscalationPolicy> {
    let title = known.name.as_deref().unwrap_or_default();
    let rules = known.escalation_rules.as_deref().unwrap_or_default();
    let mut levels = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let place = format!("escalation policy {title:?}: rule {}", index + 1);
        levels.extend(level(rule, &place, keys, remarks));
    }
    if levels.is_empty() {
        remarks.add(format!(
            "escalation policy {title:?}: left out, since it pages nobody: its services have the policy of the installation"
        ));
        return None;
    }
    let id = known.id.as_deref();
    let name = keys.policies.give("escalation policy", id, title, remarks);
    if levels.len() > LEVELS_MAX {
        remarks.add(format!(
            "escalation policy {name:?}: of {} rules the first {LEVELS_MAX} are kept",
            levels.len()
        ));
        levels.truncate(LEVELS_MAX);
    }
    let loops = known.num_loops.unwrap_or(0);
    let repeat = u32::try_from(loops).unwrap_or(u32::MAX).min(REPEAT_MAX);
    if u64::from(repeat) != loops {
        remarks.add(format!(
            "escalation policy {name:?}: it is walked through {loops} times again there, and {repeat} times here, which is most"
        ));
    }
    let place = format!("escalation policy {name:?}");
    Some(EscalationPolicy {
        name,
        description: said(known.description.as_deref(), &place, remarks),
        team: team_of(known.teams.as_deref(), &place, &keys.teams, remarks),
        repeat,
        acknowledgement_timeout: None,
        levels,
    })
}

/// A level; none when nobody of it is carried over.
fn level(
    rule: &raw::EscalationRule,
    place: &str,
    keys: &Keys,
    remarks: &mut Remarks,
) -> Option<Level> {
    let mut targets: Vec<Recipient> = Vec::new();
    for target in rule.targets.as_deref().unwrap_or_default() {
        match recipient(target, keys) {
            Ok(made) if targets.contains(&made) => {}
            Ok(made) => targets.push(made),
            Err(why) => remarks.add(format!(
                "{place}: {:?} is left out: {why}",
                target.summary.as_deref().unwrap_or_default()
            )),
        }
    }
    if targets.is_empty() {
        remarks.add(format!(
            "{place} is left out, with the time it would wait: nobody is left in it"
        ));
        return None;
    }
    if targets.len() > RECIPIENTS_MAX {
        remarks.add(format!(
            "{place}: of {} targets the first {RECIPIENTS_MAX} are kept",
            targets.len()
        ));
        targets.truncate(RECIPIENTS_MAX);
    }
    let asked = rule.escalation_delay_in_minutes.unwrap_or(0);
    let minutes = asked.clamp(1, DELAY_MINUTES_MAX);
    if minutes != asked {
        remarks.add(format!(
            "{place}: it waits {asked} minutes there, and {minutes} here: it is a minute to a day"
        ));
    }
    Some(Level {
        delay: Length::of_ms(minutes * 60_000),
        targets,
        round_robin: round_robin(rule, place, remarks),
        each_must_acknowledge: false,
    })
}

/// Says once that nobody can know which rules take turns, where that matters: it is told by some accounts alone.
pub(super) fn remark_untold_turns(all: &[raw::Policy], remarks: &mut Remarks) {
    let rules = all.iter().flat_map(|known| &known.escalation_rules);
    let is_untold = |rule: &raw::EscalationRule| {
        let targets = rule.targets.as_ref().map_or(0, Vec::len);
        targets > 1 && rule.escalation_rule_assignment_strategy.is_none()
    };
    if rules.flatten().any(is_untold) {
        remarks.add(
            "escalation policies: which rules take turns among several targets (round robin) is not told: where no rule says so, \
             everybody in it is paged",
        );
    }
}

fn recipient(target: &raw::Reference, keys: &Keys) -> Result<Recipient, String> {
    let kind = target.kind.as_deref().unwrap_or_default();
    let id = target.id.as_deref();
    let found = match kind.strip_suffix("_reference").unwrap_or(kind) {
        "user" => keys.users.of(id).map(|key| Recipient::User(key.to_owned())),
        "schedule" => {
            let key = keys.schedules.of(id);
            key.map(|key| Recipient::Schedule(key.to_owned()))
        }
        "team" => keys.teams.of(id).map(|key| Recipient::Team(key.to_owned())),
        _ => return Err(format!("{kind:?} cannot be paged here")),
    };
    found.ok_or_else(|| format!("there is no such {}", kind.trim_end_matches("_reference")))
}

fn round_robin(rule: &raw::EscalationRule, place: &str, remarks: &mut Remarks) -> bool {
    let strategy = match &rule.escalation_rule_assignment_strategy {
        Some(Value::String(word)) => Some(word.as_str()),
        Some(other) => other.get("type").and_then(Value::as_str),
        None => None,
    };
    match strategy {
        None | Some("assign_to_everyone") => false,
        Some("round_robin") => true,
        Some(other) => {
            remarks.add(format!(
                "{place}: everybody in it is paged: {other:?} is no way to choose that is known"
            ));
            false
        }
    }
}
