//! How incidents look in a terminal. Pure: shapes in, text out; nothing is asked or printed.

use serde::Deserialize;

use super::look::{Look, Tone};
use super::notification::{Notification, sent};
use super::plain::{Plain, indented};
use super::shape::{Moment, Named, name_or, names};
use super::table::{Cell, Table, facts};

/// An incident as lists show it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Summary {
    number: u64,
    title: Plain,
    status: Plain,
    urgency: Plain,
    severity: Plain,
    #[serde(default)]
    service: Option<Named>,
    #[serde(default)]
    target: Option<Named>,
    opened_at: Moment,
    #[serde(default)]
    onset_at: Option<Moment>,
    #[serde(default)]
    onset_uncertainty_ms: Option<u64>,
    #[serde(default)]
    paged_at: Option<Moment>,
    #[serde(default)]
    acknowledged_at: Option<Moment>,
    #[serde(default)]
    acknowledged_by: Option<Named>,
    #[serde(default)]
    recovered_at: Option<Moment>,
    #[serde(default)]
    resolved_at: Option<Moment>,
    #[serde(default)]
    hold: Option<Hold>,
    #[serde(default)]
    suppressed: Option<Plain>,
    #[serde(default)]
    acknowledgement_ends_at: Option<Moment>,
    #[serde(default)]
    snoozed_until: Option<Moment>,
    #[serde(default)]
    priority: Option<Plain>,
    #[serde(default)]
    assigned_to: Vec<Named>,
    #[serde(default)]
    merged_into: Option<u64>,
    #[serde(default)]
    relapses: u64,
    #[serde(default)]
    postmortem_ready: bool,
}

#[derive(Clone, Debug, Deserialize)]
struct Hold {
    until: Moment,
    why: Plain,
}

/// An incident in full.
#[derive(Debug, Deserialize)]
pub(super) struct Detail {
    #[serde(flatten)]
    summary: Summary,
    #[serde(default)]
    alerts: Vec<Alert>,
    #[serde(default)]
    pages: Vec<Notification>,
    #[serde(default)]
    paging: Option<Paging>,
    #[serde(default)]
    responders: Vec<Responder>,
    #[serde(default)]
    impact: Option<Impact>,
    #[serde(default)]
    changes: Vec<Change>,
    #[serde(default)]
    log_lines: Vec<LogLine>,
    #[serde(default)]
    runbook_url: Option<Plain>,
    /// First steps; of several lines.
    #[serde(default)]
    runbook: Option<String>,
    #[serde(default)]
    explanation: Vec<Plain>,
}

#[derive(Debug, Deserialize)]
struct Alert {
    title: Plain,
    severity: Plain,
    status: Plain,
    opened_at: Moment,
    #[serde(default)]
    summary: Plain,
}

#[derive(Debug, Deserialize)]
struct Paging {
    #[serde(default)]
    policy: Option<Named>,
    #[serde(default)]
    level: u64,
    #[serde(default)]
    next_escalation_at: Option<Moment>,
    #[serde(default)]
    exhausted: bool,
    #[serde(default)]
    recipients: Vec<Named>,
}

#[derive(Debug, Deserialize)]
struct Responder {
    user: Named,
    answer: Plain,
}

#[derive(Debug, Deserialize)]
struct Impact {
    requests_failed: Option<f64>,
    requests_total: Option<f64>,
    #[serde(default)]
    by_tier: Vec<TierImpact>,
    #[serde(default)]
    expected: Option<Estimate>,
}

#[derive(Debug, Deserialize)]
struct TierImpact {
    tier: Plain,
    requests_failed: Option<f64>,
    #[serde(default)]
    users_failed: Option<f64>,
    #[serde(default)]
    expected_requests: Option<Estimate>,
    #[serde(default)]
    expected_users: Option<Estimate>,
}

#[derive(Debug, Deserialize)]
struct Estimate {
    low: f64,
    high: f64,
}

#[derive(Debug, Deserialize)]
struct Change {
    at: Moment,
    title: Plain,
    #[serde(default)]
    detail: Plain,
}

#[derive(Debug, Deserialize)]
struct LogLine {
    at: Moment,
    log: Plain,
    text: Plain,
}

/// One step of a timeline.
#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    at: Moment,
    title: Plain,
    #[serde(default)]
    detail: Plain,
    actor: Actor,
    #[serde(default)]
    level: Plain,
}

#[derive(Debug, Deserialize)]
struct Actor {
    name: Plain,
}

pub(super) fn list(all: &[Summary], look: &Look) -> String {
    let mut table = Table::new(&["NO", "STATUS", "SEVERITY", "TARGET", "OPENED", "TITLE"]);
    for one in all {
        table.row([
            one.number.to_string().into(),
            Cell::state(&one.status),
            Cell::state(&one.severity),
            name_or(one.target.as_ref(), "").into(),
            look.moment(one.opened_at.0).into(),
            (&one.title).into(),
        ]);
    }
    table.draw(look, "There are no such incidents.")
}

/// One line after a change.
pub(super) fn changed(one: &Summary, look: &Look) -> String {
    let by = one
        .acknowledged_by
        .as_ref()
        .filter(|_| one.status.as_str() == "acknowledged");
    let by = by.map(|by| format!(" by {}", by.name)).unwrap_or_default();
    format!(
        "Incident {} is {}{by}: {}\n",
        one.number,
        look.state(&one.status),
        one.title
    )
}

pub(super) fn detail(one: &Detail, look: &Look) -> String {
    let summary = &one.summary;
    let mut drawn = format!("Incident {}: {}\n\n", summary.number, summary.title);
    drawn.push_str(&facts(&known(one, look), look));
    let mut section = |title: &str, body: String| {
        if !body.is_empty() {
            drawn.push_str(&format!("\n{title}\n{body}"));
        }
    };
    section("Why", points(&one.explanation));
    section("Alerts", alerts(&one.alerts, look));
    section("Pages", sent(&one.pages, look));
    let steps = one.runbook.as_deref().unwrap_or_default();
    section("First steps", indented(steps));
    section("Changed before", changes(&one.changes, look));
    section("Logs around the beginning", log_lines(&one.log_lines, look));
    drawn
}

fn known(one: &Detail, look: &Look) -> Vec<(&'static str, String)> {
    let summary = &one.summary;
    let (state, severity) = (look.state(&summary.status), look.state(&summary.severity));
    let name = |of: &Option<Named>| of.as_ref().map(|of| of.name.to_string());
    let at = |moment: Moment| look.moment_with_utc(moment.0);
    let acknowledged = |taken| {
        let by = summary.acknowledged_by.as_ref();
        let by = by.map(|by| format!(", by {}", by.name)).unwrap_or_default();
        format!("{}{by}", at(taken))
    };
    let relapses = Some(summary.relapses).filter(|count| *count > 0);
    let hold = summary.hold.as_ref();
    let lines = [
        ("status", Some(state)),
        (
            "severity",
            Some(format!("{severity}, {} urgency", summary.urgency)),
        ),
        ("service", name(&summary.service)),
        ("target", name(&summary.target)),
        (
            "began",
            summary
                .onset_at
                .map(|onset| format!("{}{}", at(onset), uncertainty(summary))),
        ),
        ("opened", Some(at(summary.opened_at))),
        ("paged", summary.paged_at.map(at)),
        ("acknowledged", summary.acknowledged_at.map(acknowledged)),
        ("snoozed until", summary.snoozed_until.map(at)),
        ("holds until", summary.acknowledgement_ends_at.map(at)),
        (
            "priority",
            summary.priority.as_ref().map(ToString::to_string),
        ),
        (
            "given to",
            Some(names(&summary.assigned_to)).filter(|names| !names.is_empty()),
        ),
        ("asked to help", asked(&one.responders)),
        (
            "merged into",
            summary
                .merged_into
                .map(|number| format!("incident {number}")),
        ),
        ("recovered", summary.recovered_at.map(at)),
        ("resolved", summary.resolved_at.map(at)),
        ("relapses", relapses.map(|count| count.to_string())),
        (
            "waiting",
            hold.map(|hold| format!("{} ({})", at(hold.until), hold.why)),
        ),
        (
            "not paged",
            summary.suppressed.as_ref().map(ToString::to_string),
        ),
        (
            "escalation",
            one.paging.as_ref().map(|paging| escalation(paging, look)),
        ),
        ("impact", one.impact.as_ref().map(impact_line)),
        ("runbook", one.runbook_url.as_ref().map(ToString::to_string)),
        ("next", next_step(summary)),
    ];
    let told = lines
        .into_iter()
        .filter_map(|(what, text)| Some((what, text?)));
    told.collect()
}

/// `Ann (accepted), Bob (pending)`
fn asked(responders: &[Responder]) -> Option<String> {
    let asked = responders.iter();
    let asked: Vec<String> = asked
        .map(|one| format!("{} ({})", one.user.name, one.answer))
        .collect();
    Some(asked.join(", ")).filter(|asked| !asked.is_empty())
}

fn uncertainty(summary: &Summary) -> String {
    match summary.onset_uncertainty_ms {
        None | Some(0) => String::new(),
        Some(ms) => format!(", or up to {ms} ms earlier"),
    }
}

fn next_step(summary: &Summary) -> Option<String> {
    let number = summary.number;
    match summary.status.as_str() {
        "triggered" => Some(format!("tocsin incident ack {number}")),
        "resolved" if summary.postmortem_ready => {
            Some(format!("tocsin incident postmortem {number}"))
        }
        _ => None,
    }
}

fn escalation(paging: &Paging, look: &Look) -> String {
    let policy = name_or(paging.policy.as_ref(), "no policy");
    let resort = if paging.recipients.is_empty() {
        "nobody of the list of last resort can be reached"
    } else {
        "the list of last resort is paged"
    };
    let mut line = match paging.level {
        // Of what was given to people who cannot be reached, no policy was followed.
        0 if paging.exhausted => resort.to_owned(),
        0 if paging.recipients.is_empty() => format!("{policy}, nobody paged"),
        0 => "people it was given to".to_owned(),
        _ if paging.exhausted => format!("{policy}, all levels are through; {resort}"),
        level => format!("{policy}, level {level}"),
    };
    if !paging.recipients.is_empty() {
        line.push_str(&format!(", to {}", names(&paging.recipients)));
    }
    if let Some(next) = paging.next_escalation_at {
        let what = if paging.exhausted {
            "again"
        } else {
            "next level"
        };
        line.push_str(&format!("; {what} {}", look.distance(next.0)));
    }
    line
}

fn impact_line(impact: &Impact) -> String {
    let mut parts = vec![match (impact.requests_failed, impact.requests_total) {
        (Some(failed), Some(total)) => format!("{failed} of {total} requests failed"),
        (Some(failed), None) => format!("{failed} requests failed"),
        (None, _) => "not counted".to_owned(),
    }];
    for tier in impact
        .by_tier
        .iter()
        .filter(|tier| tier.requests_failed.is_some_and(|failed| failed > 0.0))
    {
        let users = tier
            .users_failed
            .map(|users| format!(" of {users} users"))
            .unwrap_or_default();
        parts.push(format!(
            "{}: {} requests{users}",
            tier.tier,
            tier.requests_failed.unwrap_or_default()
        ));
    }
    if let Some(expected) = &impact.expected {
        let range = |of: &Estimate| format!("{} to {}", of.low, of.high);
        parts.push(format!(
            "another {} expected without an answer",
            range(expected)
        ));
        let by_tier = impact
            .by_tier
            .iter()
            .filter(|tier| !tier.tier.as_str().is_empty());
        for tier in by_tier {
            let Some(requests) = &tier.expected_requests else {
                continue;
            };
            let users = tier
                .expected_users
                .as_ref()
                .map(|users| format!(" of {} users", range(users)))
                .unwrap_or_default();
            parts.push(format!("{}: {}{users}", tier.tier, range(requests)));
        }
    }
    parts.join("; ")
}

fn points(all: &[Plain]) -> String {
    all.iter().map(|point| format!("  - {point}\n")).collect()
}

fn alerts(all: &[Alert], look: &Look) -> String {
    if all.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["STATUS", "SEVERITY", "OPENED", "ALERT", "WHAT"]);
    for one in all {
        let opened = look.moment(one.opened_at.0);
        let what = if one.summary == one.title {
            Cell::from("")
        } else {
            (&one.summary).into()
        };
        table.row([
            Cell::state(&one.status),
            Cell::state(&one.severity),
            opened.into(),
            (&one.title).into(),
            what,
        ]);
    }
    table.draw(look, "")
}

fn changes(all: &[Change], look: &Look) -> String {
    let line = |one: &Change| {
        format!(
            "  {}  {}\n",
            look.moment(one.at.0),
            joined(&one.title, &one.detail)
        )
    };
    all.iter().map(line).collect()
}

fn log_lines(all: &[LogLine], look: &Look) -> String {
    let line = |one: &LogLine| {
        let begin = look.toned(
            &format!("{} {}", look.precise(one.at.0), one.log),
            Tone::Faint,
        );
        format!("  {begin}  {}\n", one.text)
    };
    all.iter().map(line).collect()
}

fn joined(title: &Plain, detail: &Plain) -> String {
    if detail.as_str().is_empty() {
        title.to_string()
    } else {
        format!("{title}: {detail}")
    }
}

pub(super) fn timeline(all: &[Entry], look: &Look) -> String {
    let mut table = Table::new(&["AT", "BY", "WHAT"]);
    for one in all {
        let what = Cell::toned(joined(&one.title, &one.detail), Tone::of(&one.level));
        table.row([
            look.precise(one.at.0).into(),
            (&one.actor.name).into(),
            what,
        ]);
    }
    table.draw(look, "Nothing has happened yet.")
}
