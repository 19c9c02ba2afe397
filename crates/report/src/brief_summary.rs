//! The Issue Summary of the brief report: what failed, who was hurt, how it was answered.

use tocsin_domain::learn::facts::{Facts, Range};
use tocsin_domain::learn::ledger::EvidenceRef;
use tocsin_domain::learn::moment::span_text;

use crate::brief::{Candidate, SUMMARY, must};
use crate::doc::Sentence;
use crate::wording::{
    PREMIUM, clock, counted, did, expected_tier, range, recorded_tier, short, subject,
};

pub(crate) fn summary(facts: &Facts) -> Vec<Candidate> {
    let mut all = vec![must(SUMMARY, 0, span_sentence(facts))];
    if let (Some(ms), true) = (
        facts.moments.onset_uncertainty_ms,
        facts.moments.onset.value.is_some(),
    ) {
        let text = format!("The onset is measured to within {}.", span_text(ms));
        all.push(must(
            SUMMARY,
            0,
            Sentence::new(text, &facts.moments.onset.evidence),
        ));
    }
    let known = facts.cause.trigger.value.is_some();
    let text = if known {
        "What set it off is recorded; its root cause is not determined."
    } else {
        "Neither its trigger nor its root cause is known from what was recorded."
    };
    all.push(must(
        SUMMARY,
        0,
        Sentence::new(text, &facts.cause.trigger.evidence),
    ));
    all.extend(
        impact(facts)
            .into_iter()
            .map(|sentence| must(SUMMARY, 1, sentence)),
    );
    all.push(must(SUMMARY, 2, response(facts)));
    all
}

fn span_sentence(facts: &Facts) -> Sentence {
    let (onset, recovered) = (&facts.moments.onset, &facts.moments.recovered);
    let cites = [onset.evidence.as_slice(), &recovered.evidence].concat();
    let what = format!("{} {}", subject(facts), did(facts.failure.value));
    let text = match (onset.value, recovered.value) {
        (Some(from), Some(until)) => {
            let day = from.date();
            let length = until
                .ms_since(from)
                .map_or_else(String::new, |ms| format!(", {}", span_text(ms)));
            let until = clock(until, Some(&day));
            format!(
                "On {day} {what} from {} until {until}{length}.",
                from.clock()
            )
        }
        (Some(from), None) => {
            format!(
                "On {} {what} from {} on; a recovery is not recorded.",
                from.date(),
                from.clock()
            )
        }
        (None, Some(until)) => {
            format!(
                "{what} until {} {}; the onset is unknown.",
                until.date(),
                until.clock()
            )
        }
        (None, None) => format!("{what}; neither onset nor recovery is recorded."),
    };
    Sentence::new(text, &cites)
}

/// Requests and premium users: what was counted, and what was expected while nothing was.
pub(crate) fn impact(facts: &Facts) -> Vec<Sentence> {
    let Some(counts) = facts.impact.recorded.value else {
        return vec![Sentence::new(
            "The numbers of requests and of premium users affected are unknown, since the evidence holds no access log.",
            &[],
        )];
    };
    let mut cites = facts.impact.recorded.evidence.clone();
    cites.truncate(2);
    let premium = recorded_tier(facts, PREMIUM);
    let premium_words = match premium {
        Some(tier) => {
            cites.extend(tier.evidence.get(3));
            format!(
                "{} met a failure",
                counted(tier.counts.users_failed, "premium user")
            )
        }
        None => "premium users are not told apart in it".to_owned(),
    };
    let text = format!(
        "The access log records {} in that time, {} failed; {premium_words}.",
        counted(counts.requests, "request"),
        counts.failed
    );
    let mut sentences = vec![Sentence::new(text, &cites)];
    sentences.extend(expected(facts));
    sentences
}

fn expected(facts: &Facts) -> Option<Sentence> {
    let expected = facts.impact.expected.value.as_ref()?;
    let premium = expected_tier(expected, PREMIUM);
    let of_premium = match premium {
        Some(tier) => {
            let users = tier.users.map_or_else(String::new, |users| {
                format!(" from {} different premium users", range(users))
            });
            format!(", {} of them{users}", range(tier.requests))
        }
        None => String::new(),
    };
    let silent = span_text(expected.silent_ms);
    let text = format!(
        "For {silent} the server logged nothing; by estimate {} further requests were affected then{of_premium}.",
        range(expected.requests)
    );
    Some(Sentence::new(text, &facts.impact.expected.evidence))
}

/// The range of requests that met a failure or no answer, when any of it is known.
pub(crate) fn affected(facts: &Facts) -> Option<Range> {
    let failed = facts.impact.recorded.value?.failed;
    let expected = facts
        .impact
        .expected
        .value
        .as_ref()
        .map(|expected| expected.requests);
    Some(expected.map_or(
        Range {
            low: failed,
            high: failed,
        },
        |range| Range {
            low: range.low.saturating_add(failed),
            high: range.high.saturating_add(failed),
        },
    ))
}

fn response(facts: &Facts) -> Sentence {
    let moments = &facts.moments;
    let mut cites: Vec<EvidenceRef> = moments.detected.evidence.clone();
    let mut parts = Vec::new();
    parts.push(match facts.durations.detect.ms {
        Some(ms) => format!("It was detected {} after the onset", span_text(ms)),
        None => match moments.detected.value {
            Some(at) => format!("It was detected at {} {}", at.date(), at.clock()),
            None => "Its detection is not recorded".to_owned(),
        },
    });
    if let (Some(detected), Some(paged)) = (moments.detected.value, moments.paged.value) {
        cites.extend(&moments.paged.evidence);
        let later = paged.ms_since(detected).map_or_else(String::new, span_text);
        parts.push(format!("the first page left {later} later"));
        cites.extend(&moments.acknowledged.evidence);
        parts.push(
            match (
                &facts.paging.acknowledged_by.value,
                facts.durations.acknowledge.ms,
            ) {
                (Some(name), Some(ms)) => {
                    format!(
                        "{} acknowledged {} after it",
                        short(name, 4, 40),
                        span_text(ms)
                    )
                }
                (Some(name), None) => format!("{} acknowledged before it", short(name, 4, 40)),
                (None, _) => "no acknowledgement is recorded".to_owned(),
            },
        );
    } else {
        cites.extend(&facts.paging.suppressed.evidence);
        parts.push(match &facts.paging.suppressed.value {
            Some(why) => format!("nobody was paged, because {}", short(why, 14, 120)),
            None => "no page is recorded".to_owned(),
        });
    }
    Sentence::new(format!("{}.", join(&parts)), &cites)
}

/// `one`, `one and two`, `one, two and three`.
fn join(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
