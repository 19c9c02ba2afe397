//! What the facts of synthetic outages must say, and that nothing else passes the check.

use serde_json::Value;

use super::facts::{DurationStatus, Facts, FailureKind, Range, facts};
use super::fixture::{BREAKS, Break, Random, Scene};
use super::moment::Moment;
use super::verify;
use crate::event::{
    Actor, AlertEvent, Cause, Event, EventBody, IncidentWhat, InputEvent, NotificationWhat,
};
use crate::learn::evidence::Evidence;
use crate::people::ChannelKind;

fn facts_of(scene: &Scene) -> Facts {
    facts(&scene.play().evidence)
}

#[test]
fn each_break_is_named_for_what_it_is() {
    let expected = [
        FailureKind::Crashed,
        FailureKind::Orphaned,
        FailureKind::Stopped,
        FailureKind::Hung,
        FailureKind::Saturated,
        FailureKind::ServerErrors,
        FailureKind::BadConfiguration,
        FailureKind::Other,
    ];
    for (how, expected) in BREAKS.into_iter().zip(expected) {
        assert_eq!(
            facts_of(&Scene::of(how)).failure.value,
            Some(expected),
            "{how:?}"
        );
    }
}

#[test]
fn a_kill_has_all_its_moments_and_their_differences() {
    let facts = facts_of(&Scene::of(Break::Kill));
    let moments = &facts.moments;
    let at = |text: &str| {
        Some(Moment::from(
            crate::time::Timestamp::parse_rfc3339(text).unwrap(),
        ))
    };
    assert_eq!(moments.onset.value, at("2026-11-23T07:12:58.123Z"));
    assert_eq!(moments.detected.value, at("2026-11-23T07:12:58.164Z"));
    assert_eq!(moments.paged.value, at("2026-11-23T07:12:58.167Z"));
    assert_eq!(moments.page_accepted.value, at("2026-11-23T07:12:58.231Z"));
    assert_eq!(moments.acknowledged.value, at("2026-11-23T07:13:07.267Z"));
    assert_eq!(moments.recovered.value, at("2026-11-23T07:13:30.163Z"));
    assert_eq!(moments.resolved.value, at("2026-11-23T07:13:45.163Z"));
    let durations = &facts.durations;
    assert_eq!(durations.detect.ms, Some(41));
    assert_eq!(durations.acknowledge.ms, Some(9_100));
    assert_eq!(durations.mitigate.ms, Some(32_040));
    assert_eq!(durations.resolve.ms, Some(47_040));
    assert_eq!(
        facts.longest_phase().map(|phase| phase.to.phase()),
        Some("repair")
    );
    assert_eq!(
        facts.paging.acknowledged_by.value.as_deref(),
        Some("Ada Lovelace")
    );
    assert_eq!(facts.detection.silent, ["A certificate runs out"]);
}

#[test]
fn an_answer_by_a_link_that_others_may_have_names_the_link_and_not_its_owner() {
    let mut evidence = Scene::of(Break::Kill).play().evidence;
    let user = evidence.names.users[0].0;
    for event in &mut evidence.events {
        let what = event.body.incident_part();
        if matches!(what, Some(IncidentWhat::Acknowledged { .. })) {
            let channel = ChannelKind::Ntfy;
            event.actor = Actor::Channel { user, channel };
        }
    }
    let facts = facts(&evidence);
    assert_eq!(verify(&evidence, &facts), []);
    let link = "The link in Ada Lovelace’s ntfy topic";
    assert_eq!(facts.paging.acknowledged_by.value.as_deref(), Some(link));
    let told = format!("{link} acknowledged the incident; escalation stopped.");
    assert!(facts.timeline.iter().any(|entry| entry.text == told));
}

#[test]
fn what_was_acknowledged_already_is_not_told_as_the_end_of_an_escalation() {
    let mut evidence = Scene::of(Break::Kill).play().evidence;
    for event in &mut evidence.events {
        if let EventBody::Incident(about) = &mut event.body
            && let IncidentWhat::Acknowledged { again, .. } = &mut about.what
        {
            *again = true;
        }
    }
    let facts = facts(&evidence);
    assert_eq!(verify(&evidence, &facts), []);
    let told = "Ada Lovelace acknowledged the incident, which was acknowledged already.";
    assert!(facts.timeline.iter().any(|entry| entry.text == told));
}

#[test]
fn what_a_person_closed_is_told_as_closed_by_them_and_not_as_recovered() {
    let mut evidence = Scene::of(Break::External).play().evidence;
    let user = evidence.names.users[0].0;
    let all_over = |event: &Event| {
        let what = event.body.incident_part();
        matches!(what, Some(IncidentWhat::Recovered { .. }))
    };
    evidence.events.retain(|event| !all_over(event));
    for event in &mut evidence.events {
        let is_end = matches!(
            event.body.incident_part(),
            Some(IncidentWhat::Resolved { .. })
        );
        let is_closed =
            if let EventBody::Alert(AlertEvent::Recovered { closed, .. }) = &mut event.body {
                *closed = Some("a person resolved the incident".to_owned());
                true
            } else {
                false
            };
        if is_end || is_closed {
            (event.actor, event.cause) = (Actor::Person { user }, Cause::Request);
        }
    }
    let facts = facts(&evidence);
    assert_eq!(verify(&evidence, &facts), []);
    assert_eq!(facts.moments.recovered.value, None);
    assert!(facts.moments.resolved.value.is_some());
    let closed = facts.resolution.closed.value.as_deref();
    assert_eq!(closed, Some("Ada Lovelace resolved it"));
    let told = |text: &str| facts.timeline.iter().any(|entry| entry.text == text);
    assert!(told("Ada Lovelace resolved the incident."));
    let text = serde_json::to_string(&facts).unwrap();
    assert!(
        text.contains("was closed: a person resolved the incident."),
        "{text}"
    );
    for wrong in ["recovered.", "healthy again", "whoever raised it"] {
        assert!(!text.contains(wrong), "{wrong}: {text}");
    }
}

#[test]
fn a_reopening_by_hand_names_who_reopened_it() {
    let mut scene = Scene::of(Break::Kill);
    scene.relapse = true;
    let mut evidence = scene.play().evidence;
    let user = evidence.names.users[0].0;
    for event in &mut evidence.events {
        if let EventBody::Incident(part) = &mut event.body
            && let IncidentWhat::Relapsed {
                reopened, by_hand, ..
            } = &mut part.what
        {
            (*reopened, *by_hand) = (true, true);
            event.actor = Actor::Person { user };
        }
    }
    let facts = facts(&evidence);
    let told = |text: &str| facts.timeline.iter().any(|entry| entry.text == text);
    assert!(told("Ada Lovelace reopened the incident."));
    assert!(!told("The failure came back; the incident was reopened."));
}

#[test]
fn what_is_missing_is_unknown_and_never_invented() {
    let mut scene = Scene::of(Break::External);
    (scene.paged, scene.acknowledged) = (false, false);
    let facts = facts_of(&scene);
    assert_eq!(facts.moments.onset.value, None);
    assert_eq!(facts.moments.paged.value, None);
    assert_eq!(facts.durations.detect.status, DurationStatus::Unknown);
    assert_eq!(
        facts.durations.acknowledge.status,
        DurationStatus::NotApplicable
    );
    assert_eq!(facts.impact.recorded.value, None);
    assert_eq!(facts.impact.expected.value, None);
    assert_eq!(facts.cause.trigger.value, None);
    assert_eq!(facts.resolution.lasting.value, None);
    assert!(
        facts
            .measures
            .iter()
            .all(|measure| measure.owner == "unassigned")
    );
}

#[test]
fn an_attempt_that_was_not_made_is_neither_a_page_nor_a_failure() {
    let mut scene = Scene::of(Break::Kill);
    scene.failed_attempts = 1;
    let mut evidence = scene.play().evidence;
    evidence.notifications[0].attempts[0].not_tried = true;
    for event in &mut evidence.events {
        let EventBody::Notification(part) = &mut event.body else {
            continue;
        };
        if let NotificationWhat::AttemptFinished {
            number: 1,
            not_tried,
            ..
        } = &mut part.what
        {
            *not_tried = true;
        }
    }
    let facts = facts(&evidence);
    assert_eq!(verify(&evidence, &facts), []);
    let attempts = facts.paging.pages[0].attempts.iter();
    let numbers: Vec<u32> = attempts.map(|one| one.number).collect();
    assert_eq!(numbers, [2]);
    let second = evidence.notifications[0].attempts[1].started_at;
    assert_eq!(facts.moments.paged.value, Some(Moment::from(second)));
    let text = serde_json::to_string(&facts).unwrap();
    assert!(!text.contains("not accepted"), "{text}");
    assert!(text.contains("was not sent (451 try again later)"));
    assert!(!text.contains("by email left.") && text.contains("left (attempt 2)."));
}

#[test]
fn an_open_incident_waits_for_its_end() {
    let mut scene = Scene::of(Break::Kill);
    (scene.resolved, scene.acknowledged) = (false, false);
    let facts = facts_of(&scene);
    assert!(facts.identity.draft);
    assert_eq!(facts.durations.acknowledge.status, DurationStatus::Pending);
    assert_eq!(facts.durations.mitigate.status, DurationStatus::Pending);
    assert!(facts.measures.iter().all(|measure| measure.due.is_none()));
}

#[test]
fn after_a_relapse_only_the_last_recovery_counts() {
    let mut scene = Scene::of(Break::Kill);
    scene.relapse = true;
    let facts = facts_of(&scene);
    assert_eq!(facts.durations.mitigate.ms, Some(32_040));
}

#[test]
fn secrets_in_what_tools_and_people_write_are_masked() {
    let mut scene = Scene::of(Break::BadConfig);
    scene.notes = vec!["the token: tk_live_5f2a9 was in the file".to_owned()];
    let text = serde_json::to_string(&facts_of(&scene)).unwrap();
    assert!(
        !text.contains("hunter2") && !text.contains("tk_live_5f2a9"),
        "{text}"
    );
    assert!(text.contains("[masked]"));
}

#[test]
fn the_first_words_of_a_note_can_state_cause_and_lasting_fix() {
    let mut scene = Scene::of(Break::Kill);
    scene.notes = vec![
        "Cause: the out-of-memory killer".to_owned(),
        "lasting fix: Restart=on-failure is set.".to_owned(),
    ];
    let facts = facts_of(&scene);
    let suspect = facts.cause.suspects[0].value.as_deref().unwrap();
    assert_eq!(
        suspect,
        "Ada Lovelace stated as the cause: “the out-of-memory killer”."
    );
    let lasting = facts.resolution.lasting.value.as_deref().unwrap();
    assert_eq!(
        lasting,
        "Restart=on-failure is set (stated by Ada Lovelace)"
    );
    assert!(!facts.cause.confirmed);
}

/// From the break to the report: what the log cannot show lies within the range that is printed.
#[test]
fn the_printed_range_covers_what_the_traffic_generator_counted() {
    let mut missed = Vec::new();
    let mut runs = 0_usize;
    for seed in 0..30 {
        for how in [Break::Kill, Break::Stop, Break::Hang, Break::Saturate] {
            let mut random = Random::new(seed);
            let mut scene = Scene::of(how);
            scene.seed = seed;
            scene.rate = 2.0 + random.unit() * 40.0;
            scene.before_ms = 20_000 + random.below(200_000);
            scene.outage_ms = 6_000 + random.below(60_000);
            scene.users = 8 + random.below(200);
            let played = scene.play();
            let facts = facts(&played.evidence);
            let expected = facts.impact.expected.value.expect("a silent server");
            let premium = expected
                .tiers
                .iter()
                .find(|tier| tier.tier == "premium")
                .unwrap();
            let truth = played.truth;
            let covers = |range: Range, truth: u64| range.low <= truth && truth <= range.high;
            runs += 1;
            if !(covers(expected.requests, truth.unanswered)
                && covers(premium.requests, truth.unanswered_premium)
                && covers(premium.users.unwrap(), truth.premium_users))
            {
                missed.push((seed, how, truth, expected));
            }
        }
    }
    assert!(
        missed.len() * 100 <= runs,
        "{} of {runs}: {:?}",
        missed.len(),
        missed.first()
    );
}

#[test]
fn failed_requests_are_counted_exactly() {
    let played = Scene::of(Break::Errors).play();
    let facts = facts(&played.evidence);
    let counts = facts.impact.recorded.value.unwrap();
    assert_eq!(counts.failed, played.truth.failed);
    assert_eq!(facts.impact.expected.value, None);
    let premium = facts
        .impact
        .tiers
        .iter()
        .find(|tier| tier.tier == "premium")
        .unwrap();
    assert!(premium.counts.users_failed > 0 && premium.counts.users_failed < counts.users_failed);
}

#[test]
fn the_same_evidence_gives_the_same_facts_also_after_a_round_trip() {
    for how in BREAKS {
        let evidence = Scene::of(how).play().evidence;
        let text = serde_json::to_string(&evidence).unwrap();
        let again: Evidence = serde_json::from_str(&text).unwrap();
        let (one, two) = (facts(&evidence), facts(&again));
        assert_eq!(
            serde_json::to_string(&one).unwrap(),
            serde_json::to_string(&two).unwrap()
        );
        let read: Facts = serde_json::from_str(&serde_json::to_string(&one).unwrap()).unwrap();
        assert_eq!(read, one);
    }
}

#[test]
fn facts_that_follow_from_the_evidence_pass_and_every_corrupted_one_is_caught() {
    for how in BREAKS {
        let mut scene = Scene::of(how);
        (scene.rate, scene.before_ms, scene.outage_ms) = (3.0, 15_000, 6_000);
        let evidence = scene.play().evidence;
        let stated = facts(&evidence);
        assert_eq!(verify(&evidence, &stated), [], "{how:?}");
        let value = serde_json::to_value(&stated).unwrap();
        let mut caught = 0;
        for index in 0.. {
            let mut corrupted = value.clone();
            if !corrupt(&mut corrupted, &mut { index }) {
                break;
            }
            // A corruption that is no longer facts at all is refused when it is read.
            if let Ok(corrupted) = serde_json::from_value::<Facts>(corrupted) {
                // Verifying recomputes all, so only one leaf in thirty is tried here.
                if index % 31 == 0 {
                    assert_ne!(verify(&evidence, &corrupted), [], "{how:?}, leaf {index}");
                }
            }
            caught += 1;
        }
        assert!(caught > 100, "{how:?}: {caught}");
    }
}

/// Changes the leaf of that index; false when there are fewer.
fn corrupt(value: &mut Value, index: &mut usize) -> bool {
    match value {
        Value::Array(all) => all.iter_mut().any(|one| corrupt(one, index)),
        Value::Object(all) => all.values_mut().any(|one| corrupt(one, index)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) if *index > 0 => {
            *index -= 1;
            false
        }
        Value::Null => {
            *value = Value::from("invented");
            true
        }
        Value::Bool(flag) => {
            *flag = !*flag;
            true
        }
        Value::Number(number) => {
            *value = Value::from(number.as_u64().unwrap_or_default() + 1);
            true
        }
        Value::String(text) => {
            if let Some(at) = crate::time::Timestamp::parse_rfc3339(text) {
                *text = at.plus_ms(1).to_rfc3339();
            } else {
                text.push('x');
            }
            true
        }
    }
}

#[test]
fn a_change_that_somebody_told_of_is_among_the_changes_before() {
    let mut evidence = Scene::of(Break::Kill).play().evidence;
    let at = crate::time::Timestamp::parse_rfc3339("2026-11-23T07:10:00Z").unwrap();
    let change = crate::change::Change {
        id: "QAAAAAAAAAAAAA".parse().unwrap(),
        service: evidence.incident.service,
        integration: None,
        at,
        summary: "shop went out".to_owned(),
        source: Some("ci".to_owned()),
        details: None,
        links: Vec::new(),
        images: Vec::new(),
    };
    let told = Event {
        position: 0,
        at,
        recorded_at: at,
        body: EventBody::Input(InputEvent::Changed { change }),
        ..evidence.events[0].clone()
    };
    evidence.events.insert(0, told);
    let facts = facts(&evidence);
    assert_eq!(verify(&evidence, &facts), []);
    let texts = facts.changes.iter().filter_map(|one| one.value.as_ref());
    let texts: Vec<&str> = texts.map(|change| change.text.as_str()).collect();
    assert!(
        texts.contains(&"A change was told of by ci: shop went out."),
        "{texts:?}"
    );
}
