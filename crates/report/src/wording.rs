//! How facts are said: phrases for kinds of failure, durations, ranges and evidence; it decides nothing.

use tocsin_domain::learn::facts::{
    Duration, DurationStatus, Expected, Facts, FailureKind, Range, TierExpected, TierRecorded,
};
use tocsin_domain::learn::ledger::{EvidenceRef, Source};
use tocsin_domain::learn::moment::{Moment, span_text};

/// The tier whose users a report counts by name.
pub(crate) const PREMIUM: &str = "premium";

/// What failed, as the subject of a sentence.
pub(crate) fn subject(facts: &Facts) -> String {
    match &facts.identity.target {
        Some(target) => format!("Apache on {}", short(target, 5, 40)),
        None => short(&facts.identity.service, 8, 48),
    }
}

/// What it did, in the past.
pub(crate) const fn did(kind: Option<FailureKind>) -> &'static str {
    match kind {
        Some(FailureKind::Crashed | FailureKind::FoundDead) => "was down",
        Some(FailureKind::Orphaned) => "ran without its parent process",
        Some(FailureKind::Stopped) => "was stopped",
        Some(FailureKind::Hung) => "did not answer",
        Some(FailureKind::Saturated) => "had no free worker",
        Some(FailureKind::ServerErrors) => "answered with errors",
        Some(FailureKind::BadConfiguration) => "had a broken configuration on disk",
        Some(FailureKind::Unreachable) => "refused connections",
        Some(FailureKind::Other) | None => "failed",
    }
}

/// The same in one word for a picture.
pub(crate) const fn state(kind: Option<FailureKind>) -> &'static str {
    match kind {
        Some(FailureKind::Crashed) => "down",
        Some(FailureKind::FoundDead) => "found dead",
        Some(FailureKind::Orphaned) => "orphaned",
        Some(FailureKind::Stopped) => "stopped",
        Some(FailureKind::Hung) => "hung",
        Some(FailureKind::Saturated) => "saturated",
        Some(FailureKind::ServerErrors) => "errors",
        Some(FailureKind::BadConfiguration) => "bad file",
        Some(FailureKind::Unreachable) => "refusing",
        Some(FailureKind::Other) | None => "failing",
    }
}

/// `Postmortem: Apache on webserver-01 was down for 32.0 s on 2026-11-23 (UTC)`.
pub(crate) fn title(facts: &Facts) -> String {
    let what = match facts.failure.value {
        Some(FailureKind::Other) | None => {
            format!(
                "{} failed (“{}”)",
                subject(facts),
                short(&facts.identity.title, 12, 90)
            )
        }
        known => format!("{} {}", subject(facts), did(known)),
    };
    let length = facts
        .durations
        .mitigate
        .ms
        .map_or_else(String::new, |ms| format!(" for {}", span_text(ms)));
    let began = facts.moments.onset.value.or(facts.moments.detected.value);
    let day = began.map_or_else(String::new, |at| format!(" on {} (UTC)", at.date()));
    let kind = if facts.identity.draft {
        "Draft postmortem"
    } else {
        "Postmortem"
    };
    format!("{kind}: {what}{length}{day}")
}

/// A duration in words, or why there is none.
pub(crate) fn duration(duration: &Duration) -> String {
    match (duration.status, duration.ms) {
        (DurationStatus::Recorded, Some(ms)) => span_text(ms),
        (DurationStatus::Recorded | DurationStatus::Unknown, _) => "unknown".to_owned(),
        (DurationStatus::Pending, _) => "pending".to_owned(),
        (DurationStatus::NotApplicable, _) => "not applicable".to_owned(),
    }
}

/// `540 to 690`, or one number when both ends are the same.
pub(crate) fn range(range: Range) -> String {
    if range.low == range.high {
        range.low.to_string()
    } else {
        format!("{} to {}", range.low, range.high)
    }
}

/// `1 request`, `2 requests`.
pub(crate) fn counted(count: u64, one: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{count} {one}s")
    }
}

pub(crate) fn recorded_tier<'a>(facts: &'a Facts, tier: &str) -> Option<&'a TierRecorded> {
    facts.impact.tiers.iter().find(|found| found.tier == tier)
}

pub(crate) fn expected_tier<'a>(expected: &'a Expected, tier: &str) -> Option<&'a TierExpected> {
    expected.tiers.iter().find(|found| found.tier == tier)
}

/// At most `words` words and `chars` characters of `text`, an ellipsis where it was cut.
pub(crate) fn short(text: &str, words: usize, chars: usize) -> String {
    let kept: Vec<&str> = text.split_whitespace().take(words).collect();
    let cut = text.split_whitespace().nth(words).is_some();
    let joined = kept.join(" ");
    if joined.chars().count() > chars {
        let head: String = joined.chars().take(chars.saturating_sub(1)).collect();
        return format!("{}…", head.trim_end());
    }
    if cut { format!("{joined}…") } else { joined }
}

/// A time with its day where the day differs from `day`.
pub(crate) fn clock(at: Moment, day: Option<&str>) -> String {
    let date = at.date();
    if day == Some(date.as_str()) {
        at.clock()
    } else {
        format!("{date} {}", at.clock())
    }
}

/// An entry of the evidence list in a few words.
pub(crate) fn source_brief(source: &Source) -> String {
    match source {
        Source::Event {
            position, event, ..
        } => format!("event {position} {event}"),
        Source::Sample { series, value, at } => {
            format!("{}={value} {}", metric_of(series), bare_clock(*at))
        }
        Source::Logs { query, count, .. } => {
            let tier = query.tier.as_ref().filter(|tier| !tier.is_empty());
            let tier = tier.map_or_else(String::new, |tier| format!("{}-", short(tier, 1, 20)));
            format!(
                "log {tier}{}={count}",
                query.counted.words().replace(' ', "-")
            )
        }
        Source::Fact { index, fact, .. } => format!("fact {index} {fact}"),
    }
}

/// An entry of the evidence list in full.
pub(crate) fn source_full(source: &Source) -> String {
    match source {
        Source::Event {
            position,
            at,
            event,
        } => {
            format!("event {position} ({event}) at {} {}", at.date(), at.clock())
        }
        Source::Sample { series, at, value } => {
            format!("sample {series} = {value} at {} {}", at.date(), at.clock())
        }
        Source::Logs {
            query,
            from,
            until,
            count,
        } => {
            let tier = query
                .tier
                .as_ref()
                .map_or_else(String::new, |tier| format!(" of tier “{tier}”"));
            format!(
                "log query: {}{tier} from {} {} until {} {}: {count}",
                query.counted.words(),
                from.date(),
                from.clock(),
                until.date(),
                until.clock()
            )
        }
        Source::Fact { index, at, fact } => {
            format!("fact {index} ({fact}) at {} {}", at.date(), at.clock())
        }
    }
}

fn metric_of(series: &str) -> &str {
    series.split('{').next().unwrap_or_default()
}

fn bare_clock(at: Moment) -> String {
    at.clock().replace(" UTC", "Z")
}

/// The evidence list: of `wanted`, or all of it.
pub(crate) fn evidence_list(
    facts: &Facts,
    wanted: Option<&[EvidenceRef]>,
    word: impl Fn(&Source) -> String,
) -> Vec<(EvidenceRef, String)> {
    facts
        .evidence
        .iter()
        .zip(1_u32..)
        .map(|(source, number)| (EvidenceRef(number), source))
        .filter(|(number, _)| wanted.is_none_or(|wanted| wanted.contains(number)))
        .map(|(number, source)| (number, word(source)))
        .collect()
}
