//! Makes a long chain of causes short: a run of rungs in one sentence, and no middle where there is still too much. Pure.

use std::collections::BTreeSet;

use tocsin_domain::event::{Event, IncidentWhat};
use tocsin_domain::id::PolicyId;

use super::explain::{Step, StepKind};
use super::timeline::Names;

/// Rungs in a row that are told one by one. Of more, the newest and the oldest are, and those between in one sentence.
pub(super) const RUNGS_MAX: usize = 6;
/// Parts of that sentence at most.
const PARTS_MAX: usize = 12;
/// Reasons at most why somebody was passed over on those between.
const REASONS_MAX: usize = 5;
/// What is told of each end of a story that is too long.
const PIECES_OF_AN_END: usize = 20;

/// What a rung stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ladder {
    Policy(PolicyId),
    /// Whom the incident was given to.
    Given,
    LastResort,
}

/// Where somebody was paged.
#[derive(Clone, Copy, Debug)]
struct Rung {
    ladder: Ladder,
    level: usize,
    round: u32,
}

fn rung(event: &Event) -> Option<Rung> {
    let what = event.body.incident_part()?;
    if let IncidentWhat::LevelReached {
        policy,
        level,
        round,
        ..
    } = what
    {
        return Some(Rung {
            ladder: policy.map_or(Ladder::Given, Ladder::Policy),
            level: *level,
            round: *round,
        });
    }
    matches!(what, IncidentWhat::FallbackReached { .. }).then_some(Rung {
        ladder: Ladder::LastResort,
        level: 0,
        round: 0,
    })
}

pub(super) fn is_rung(event: &Event) -> bool {
    rung(event).is_some()
}

/// Who or what was passed over on a rung, and why.
fn reasons(rung: &Event) -> &[String] {
    if let Some(
        IncidentWhat::LevelReached {
            skipped: reasons, ..
        }
        | IncidentWhat::FallbackReached { why: reasons, .. },
    ) = rung.body.incident_part()
    {
        reasons
    } else {
        &[]
    }
}

/// Whether each of those paged must acknowledge.
fn asks_each(rung: &Event) -> bool {
    let what = rung.body.incident_part();
    matches!(what, Some(IncidentWhat::LevelReached { each: true, .. }))
}

/// The rungs between two that are told by themselves; the newest come first. Each followed from the one before, so nobody took it
/// meanwhile.
pub(super) fn folded(
    newest: &Event,
    between: &[Event],
    oldest: &Event,
    names: &Names<'_>,
) -> Vec<Step> {
    let (Some(last), Some(first)) = (between.first(), between.last()) else {
        return Vec::new();
    };
    let rungs: Vec<Rung> = between.iter().rev().filter_map(rung).collect();
    let mut parts: Vec<String> = rungs
        .chunk_by(|one, next| one.ladder == next.ladder)
        .flat_map(|part| words(part, names))
        .collect();
    if parts.len() > PARTS_MAX {
        parts = vec![format!("{} levels, of several policies", rungs.len())];
    }
    let answer = if between.iter().any(asks_each) {
        "Not all acknowledged who had to"
    } else {
        "Nobody acknowledged"
    };
    let text = format!(
        "Before that, from {} to {}: {}. {answer}.",
        first.at,
        last.at,
        listed(&parts)
    );
    let mut steps = vec![Step::new(StepKind::Rung, None, text)];
    steps.extend(passed_over(newest, between, oldest));
    steps
}

/// Who was passed over on the rungs between alone.
fn passed_over(newest: &Event, between: &[Event], oldest: &Event) -> Vec<Step> {
    let is_told = |why: &&String| {
        let mut told = [newest, oldest].into_iter();
        told.any(|one| reasons(one).contains(why))
    };
    let others = between.iter().flat_map(reasons);
    let others: BTreeSet<&String> = others.filter(|why| !is_told(why)).collect();
    let step = |text| Step::new(StepKind::Skipped, None, text);
    let mut steps: Vec<Step> = others
        .iter()
        .take(REASONS_MAX)
        .map(|why| step(format!("Passed over meanwhile: {why}.")))
        .collect();
    let more = others.len().saturating_sub(REASONS_MAX);
    if more > 0 {
        steps.push(step(format!(
            "Passed over meanwhile for other reasons too ({more}); the timeline of the incident has them."
        )));
    }
    steps
}

/// Rungs of one ladder, the oldest first.
fn words(part: &[Rung], names: &Names<'_>) -> Vec<String> {
    match part.first().map(|rung| rung.ladder) {
        None => Vec::new(),
        Some(Ladder::Policy(policy)) => levels(part, &names.policy(Some(policy))),
        Some(Ladder::Given) => vec![times("whom it was given to", part.len())],
        Some(Ladder::LastResort) => vec![times("the list of last resort", part.len())],
    }
}

fn times(what: &str, count: usize) -> String {
    if count == 1 {
        what.to_owned()
    } else {
        format!("{what} {count} times")
    }
}

/// `levels 2 to 20 of “Web” in round 1`, `all of it in round 2`, `levels 1 to 4 in round 3`.
fn levels(part: &[Rung], policy: &str) -> Vec<String> {
    // A policy that was changed meanwhile may begin anew.
    if !part.is_sorted_by_key(|rung| (rung.round, rung.level)) {
        return vec![times(&format!("levels of {policy}"), part.len())];
    }
    let rounds: Vec<&[Rung]> = part.chunk_by(|one, next| one.round == next.round).collect();
    match rounds.as_slice() {
        [] => Vec::new(),
        [only] => {
            let round = match number(only) {
                1 => String::new(),
                round => format!(" in round {round}"),
            };
            vec![format!("{} of {policy}{round}", span(only))]
        }
        [first, whole @ .., last] => {
            let begin = format!("{} of {policy} in round {}", span(first), number(first));
            let middle = match whole {
                [] => None,
                [one] => Some(format!("all of it in round {}", number(one))),
                [from, .., to] => Some(format!(
                    "all of it in rounds {} to {}",
                    number(from),
                    number(to)
                )),
            };
            let end = format!("{} in round {}", span(last), number(last));
            [Some(begin), middle, Some(end)]
                .into_iter()
                .flatten()
                .collect()
        }
    }
}

/// The number of a round, from 1.
fn number(round: &[Rung]) -> u32 {
    round.first().map_or(0, |rung| rung.round).saturating_add(1)
}

fn span(round: &[Rung]) -> String {
    let level = |rung: Option<&Rung>| rung.map_or(0, |rung| rung.level) + 1;
    let (from, to) = (level(round.first()), level(round.last()));
    if from == to {
        format!("level {from}")
    } else {
        format!("levels {from} to {to}")
    }
}

fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// The pieces of a story. Of one that is too long, both of its ends, and how many are missing between them.
pub(super) fn ends(pieces: Vec<Vec<Step>>) -> Vec<Step> {
    let left_out = pieces.len().saturating_sub(2 * PIECES_OF_AN_END);
    let mut steps = Vec::new();
    for (index, piece) in pieces.into_iter().enumerate() {
        if index < PIECES_OF_AN_END || index >= PIECES_OF_AN_END + left_out {
            steps.extend(piece);
        } else if index == PIECES_OF_AN_END {
            let text = format!(
                "What came between is left out here ({left_out} steps); the timeline of the incident has it."
            );
            steps.push(Step::new(StepKind::Incident, None, text));
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use tocsin_domain::event::{Actor, Cause, EventBody, IncidentEvent};
    use tocsin_domain::state::State;
    use tocsin_domain::time::Timestamp;

    use super::*;

    fn at(minute: u64) -> Timestamp {
        Timestamp::from_millis(1_795_417_200_000).plus_ms(minute * 60_000)
    }

    fn event(minute: u64, what: IncidentWhat) -> Event {
        let incident = "QAAAAAAAAAAAAA".parse().unwrap();
        Event {
            position: minute + 1,
            at: at(minute),
            recorded_at: at(minute),
            actor: Actor::System,
            cause: Cause::Request,
            body: EventBody::Incident(IncidentEvent { incident, what }),
        }
    }

    fn level(minute: u64, level: usize, round: u32, each: bool) -> Event {
        let what = IncidentWhat::LevelReached {
            policy: Some("QAAAAAAAAAAAAP".parse().unwrap()),
            level,
            round,
            recipients: Vec::new(),
            skipped: Vec::new(),
            next_at: at(minute + 1),
            turn: None,
            each,
        };
        event(minute, what)
    }

    fn last_resort(minute: u64, why: &[&str]) -> Event {
        let what = IncidentWhat::FallbackReached {
            recipients: Vec::new(),
            why: why.iter().map(|why| (*why).to_owned()).collect(),
            next_at: at(minute + 1),
            circle: 0,
        };
        event(minute, what)
    }

    /// Of these, the oldest first, all but both ends are told like this.
    #[track_caller]
    fn check(rungs: Vec<Event>, expected: &[&str]) {
        let mut newest_first = rungs;
        newest_first.reverse();
        let [newest, between @ .., oldest] = newest_first.as_slice() else {
            panic!("two rungs at least");
        };
        let state = State::default();
        let steps = folded(newest, between, oldest, &Names(&state));
        let texts: Vec<&str> = steps.iter().map(|step| step.text.as_str()).collect();
        assert_eq!(texts, expected);
    }

    #[test]
    fn a_policy_that_was_walked_through_several_times_is_one_sentence() {
        let rounds = |each: bool| {
            let places = (0..3).flat_map(|round| (0..20).map(move |place| (place, round)));
            let rungs = (0_u64..).zip(places);
            rungs
                .map(|(minute, (place, round))| level(minute, place, round, each))
                .collect::<Vec<Event>>()
        };
        let walked = "Before that, from 2026-11-23T07:01:00.000Z to 2026-11-23T07:58:00.000Z: levels 2 to 20 of \
                      “a removed policy” in round 1, all of it in round 2 and levels 1 to 19 in round 3.";
        check(
            rounds(false),
            &[format!("{walked} Nobody acknowledged.").as_str()],
        );
        check(
            rounds(true),
            &[format!("{walked} Not all acknowledged who had to.").as_str()],
        );
    }

    #[test]
    fn the_list_of_last_resort_is_counted_and_who_was_passed_over_meanwhile_alone_is_told_once() {
        let nobody = "nobody acknowledged on any level";
        let bob = "Bob has no verified contact method";
        check(
            vec![
                level(0, 0, 0, false),
                level(1, 0, 1, false),
                level(2, 0, 2, false),
                last_resort(3, &[nobody, bob]),
                last_resort(4, &[nobody, bob]),
                last_resort(5, &[nobody]),
            ],
            &[
                "Before that, from 2026-11-23T07:01:00.000Z to 2026-11-23T07:04:00.000Z: level 1 of “a removed policy” in \
                 round 2, level 1 in round 3 and the list of last resort 2 times. Nobody acknowledged.",
                "Passed over meanwhile: Bob has no verified contact method.",
            ],
        );
    }

    #[test]
    fn levels_of_a_policy_that_began_anew_are_counted() {
        check(
            vec![
                level(0, 0, 0, false),
                level(1, 1, 0, false),
                level(2, 0, 0, false),
                level(3, 1, 0, false),
            ],
            &[
                "Before that, from 2026-11-23T07:01:00.000Z to 2026-11-23T07:02:00.000Z: levels of “a removed policy” 2 \
               times. Nobody acknowledged.",
            ],
        );
    }

    #[test]
    fn a_story_that_is_too_long_is_told_from_both_of_its_ends() {
        let piece = |number: usize| vec![Step::new(StepKind::Wait, None, number.to_string())];
        let told = |count: usize| {
            let steps = ends((0..count).map(piece).collect());
            steps.into_iter().map(|step| step.text).collect::<Vec<_>>()
        };
        assert_eq!(told(40).len(), 40);
        let long = told(50);
        assert_eq!(
            (long.len(), long[19].as_str(), long[21].as_str()),
            (41, "19", "30")
        );
        assert!(long[20].contains("(10 steps)"), "{}", long[20]);
    }
}
