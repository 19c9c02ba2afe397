//! Proposed measures, one fixed set for each kind of failure and one for each slow phase; whether they are taken is for people
//! to decide.

use super::case::Case;
use super::durations::longest;
use super::facts::{FailureKind, Measure, MeasureKind, Milestone};
use super::lessons::{Known, evidence_of, is_longest};
use super::moment::Moment;
use crate::monitor::Severity;

/// Days until a measure is due, counted from the resolve (PagerDuty's defaults for the two upper severities).
const DUE_DAYS_CRITICAL: i64 = 15;
const DUE_DAYS_OTHER: i64 = 30;
const DAY_MS: i64 = 86_400_000;
/// The owner while nobody took the incident.
const UNASSIGNED: &str = "unassigned";

/// A measure before it has an owner and a date; `{s}` stands for what failed.
struct Template {
    kind: MeasureKind,
    text: &'static str,
    factor: &'static str,
    done_when: &'static str,
    check: &'static str,
    phase: Milestone,
}

const AUDIT: Template = Template {
    kind: MeasureKind::Detect,
    text: "Record signals that are sent to Apache's processes on {s}, for example with an audit rule",
    factor: "what ended the process is not recorded",
    done_when: "the next exit names its signal and sender",
    check: "end a test server by a signal and find the record",
    phase: Milestone::Detected,
};

const CRASHED: [Template; 3] = [
    Template {
        kind: MeasureKind::Prevent,
        text: "Let a supervisor start Apache on {s} again by itself, such as systemd with Restart=on-failure",
        factor: "nothing started the server again",
        done_when: "a killed parent process is replaced within 5 seconds and nobody is paged",
        check: "apache_supervised is 1, and a drill that repeats this failure pages nobody",
        phase: Milestone::Recovered,
    },
    AUDIT,
    Template {
        kind: MeasureKind::Mitigate,
        text: "Serve logins from a second web server beside {s}",
        factor: "all users depended on one server",
        done_when: "users can log in while {s} is stopped",
        check: "stop {s} in a drill and count failed logins",
        phase: Milestone::Recovered,
    },
];

const ORPHANED: [Template; 3] = [
    Template {
        kind: MeasureKind::Prevent,
        text: "Let systemd own all processes of Apache on {s}, so that the loss of the parent restarts the whole server",
        factor: "the children went on without a parent that could reload or replace them",
        done_when: "a killed parent leads to a complete restart within 5 seconds",
        check: "kill the parent in a drill and find a new parent and no old child",
        phase: Milestone::Recovered,
    },
    AUDIT,
    Template {
        kind: MeasureKind::Mitigate,
        text: "Write down the safe order of a repair: end the old children on {s} first, then start Apache",
        factor: "a start fails while old children hold the port",
        done_when: "the runbook names the order and a drill followed it",
        check: "repair an orphaned test server by the runbook alone",
        phase: Milestone::Recovered,
    },
];

const STOPPED: [Template; 3] = [
    Template {
        kind: MeasureKind::Prevent,
        text: "Stop Apache on {s} only within a planned maintenance window",
        factor: "the server was stopped in good order while users needed it",
        done_when: "the procedure demands a window and a review confirmed it",
        check: "stop a test server within a window and see that nobody is paged",
        phase: Milestone::Recovered,
    },
    Template {
        kind: MeasureKind::Detect,
        text: "Record who stops services on {s}, for example with an audit rule",
        factor: "who asked for the stop is not recorded",
        done_when: "the next stop names an account",
        check: "stop a test server and find the account in the record",
        phase: Milestone::Detected,
    },
    Template {
        kind: MeasureKind::Mitigate,
        text: "Let a supervisor start Apache on {s} again after any exit, such as systemd with Restart=always",
        factor: "nothing started the server again",
        done_when: "a stopped parent process is replaced within 5 seconds",
        check: "apache_supervised is 1, and a drill that repeats this failure heals by itself",
        phase: Milestone::Recovered,
    },
];

const HUNG: [Template; 3] = [
    Template {
        kind: MeasureKind::Prevent,
        text: "Restrict which accounts may stop or trace Apache's processes on {s}",
        factor: "the processes stood still and the sender is not recorded",
        done_when: "an account without that right is refused in a test",
        check: "send a stop signal from such an account and see it refused",
        phase: Milestone::Recovered,
    },
    Template {
        kind: MeasureKind::Detect,
        text: "Warn as soon as one process of Apache on {s} stands still",
        factor: "the probe has to wait for its time limit before it can tell",
        done_when: "the warning fires before the probe gives up",
        check: "replay the new monitor against the evidence of this incident",
        phase: Milestone::Detected,
    },
    Template {
        kind: MeasureKind::Mitigate,
        text: "Restart Apache on {s} by itself when the probe gets no answer while connections wait",
        factor: "a person was needed to set the server going again",
        done_when: "a stopped server answers again within 30 seconds without a person",
        check: "repeat this failure in a drill and measure the time to the first answer",
        phase: Milestone::Recovered,
    },
];

const SATURATED: [Template; 3] = [
    Template {
        kind: MeasureKind::Prevent,
        text: "Limit how long a client of {s} may take to send a request (mod_reqtimeout) and how many connections one address may hold",
        factor: "open connections used up every worker",
        done_when: "slow clients are cut off and other users are still answered",
        check: "repeat this failure in a drill and see the probe answered throughout",
        phase: Milestone::Recovered,
    },
    Template {
        kind: MeasureKind::Detect,
        text: "Warn when 90 % of the workers of {s} are in use for 30 seconds",
        factor: "the page came when no worker was left",
        done_when: "the warning fires before the page",
        check: "replay the new monitor against the evidence of this incident",
        phase: Milestone::Detected,
    },
    Template {
        kind: MeasureKind::Mitigate,
        text: "Raise MaxRequestWorkers on {s} to what its memory allows",
        factor: "the limit of workers was reached",
        done_when: "a load test at twice the usual traffic leaves workers free",
        check: "compare apache_workers_busy with apache_workers_max under that load",
        phase: Milestone::Recovered,
    },
];

const SERVER_ERRORS: [Template; 3] = [
    Template {
        kind: MeasureKind::Prevent,
        text: "Refuse a release of the application behind {s} that does not pass its health check",
        factor: "the server answered, but with errors",
        done_when: "a release that fails its check does not reach users",
        check: "release a broken build to a test system and see it refused",
        phase: Milestone::Recovered,
    },
    Template {
        kind: MeasureKind::Detect,
        text: "Watch the health of the application behind {s} with a check of its own",
        factor: "the failure was first seen in the answers to users",
        done_when: "the check fails before users are answered with errors",
        check: "replay the new monitor against the evidence of this incident",
        phase: Milestone::Detected,
    },
    Template {
        kind: MeasureKind::Mitigate,
        text: "Keep the last good release of the application at hand and write down how to go back to it",
        factor: "users were answered with errors until the repair",
        done_when: "going back takes less than 2 minutes in a drill",
        check: "measure it in a drill",
        phase: Milestone::Recovered,
    },
];

const BAD_CONFIGURATION: [Template; 3] = [
    Template {
        kind: MeasureKind::Prevent,
        text: "Test every configuration file before it reaches {s}",
        factor: "a file that the server would refuse reached the disk",
        done_when: "a broken file is refused before it is copied",
        check: "offer a broken file to the procedure and see it refused",
        phase: Milestone::Recovered,
    },
    Template {
        kind: MeasureKind::Detect,
        text: "Run the server's own test on {s} after each change and tell the author the result",
        factor: "the author of the change was not told",
        done_when: "the author gets the message within a minute",
        check: "change a file on a test server and wait for the message",
        phase: Milestone::Detected,
    },
    Template {
        kind: MeasureKind::Mitigate,
        text: "Keep the configuration of {s} under version control, with one command that restores the last good state",
        factor: "the next restart would have read the broken file",
        done_when: "the command restores a file that passes the test",
        check: "break and restore a test server by that command",
        phase: Milestone::Recovered,
    },
];

const OTHER: [Template; 3] = [
    Template {
        kind: MeasureKind::Prevent,
        text: "Find what led to the failure of {s} and write it down as a note of this incident",
        factor: "the cause is not recorded",
        done_when: "a note names the cause and what shows it",
        check: "a second person follows the note to the same conclusion",
        phase: Milestone::Recovered,
    },
    Template {
        kind: MeasureKind::Detect,
        text: "Watch {s} with a monitor of its own, so that the onset is measured next time",
        factor: "the failure was not measured at its source",
        done_when: "a drill of the failure gives an onset with its uncertainty",
        check: "repeat the failure on a test system",
        phase: Milestone::Detected,
    },
    Template {
        kind: MeasureKind::Mitigate,
        text: "Write down the first steps of a repair of {s}",
        factor: "no runbook is recorded",
        done_when: "somebody who did not write it can follow it",
        check: "follow it in a drill",
        phase: Milestone::Recovered,
    },
];

const SLOW_PAGING: Template = Template {
    kind: MeasureKind::Mitigate,
    text: "Add a second channel to the first level of the escalation, used at once",
    factor: "the way of the page was the longest phase",
    done_when: "a page is accepted while the first channel is cut off",
    check: "send a test page with the first channel switched off",
    phase: Milestone::Paged,
};

const SLOW_ACKNOWLEDGEMENT: Template = Template {
    kind: MeasureKind::Mitigate,
    text: "Call the second level sooner, and add a louder channel to the first",
    factor: "waiting for an acknowledgement was the longest phase",
    done_when: "a test page is acknowledged within the time the policy gives",
    check: "send a test page at night and measure the answer",
    phase: Milestone::Acknowledged,
};

const SLOW_DETECTION: Template = Template {
    kind: MeasureKind::Detect,
    text: "Add a monitor on the first sign of this failure",
    factor: "noticing it was the longest phase",
    done_when: "it fires earlier than the alert of this incident did",
    check: "replay it against the evidence of this incident",
    phase: Milestone::Detected,
};

/// The measures, those for the longest phase first.
pub(super) fn measures(case: &Case<'_>, known: &Known<'_>) -> Vec<Measure> {
    let subject = case.subject();
    let mut templates: Vec<&Template> = for_failure(known.failure).iter().collect();
    templates.extend(for_phase(known));
    let mut measures: Vec<Measure> = templates
        .into_iter()
        .map(|template| measure(case, known, template, &subject))
        .collect();
    measures.sort_by_key(|measure| !measure.high_priority);
    measures
}

fn for_failure(kind: Option<FailureKind>) -> &'static [Template; 3] {
    match kind {
        Some(FailureKind::Crashed) => &CRASHED,
        Some(FailureKind::Orphaned) => &ORPHANED,
        Some(FailureKind::Stopped | FailureKind::FoundDead) => &STOPPED,
        Some(FailureKind::Hung) => &HUNG,
        Some(FailureKind::Saturated) => &SATURATED,
        Some(FailureKind::ServerErrors) => &SERVER_ERRORS,
        Some(FailureKind::BadConfiguration) => &BAD_CONFIGURATION,
        Some(FailureKind::Unreachable | FailureKind::Other) | None => &OTHER,
    }
}

fn for_phase(known: &Known<'_>) -> Option<&'static Template> {
    match longest(known.phases)?.to {
        Milestone::Paged => Some(&SLOW_PAGING),
        Milestone::Acknowledged => Some(&SLOW_ACKNOWLEDGEMENT),
        Milestone::Detected => Some(&SLOW_DETECTION),
        Milestone::Onset | Milestone::Recovered | Milestone::Resolved => None,
    }
}

fn measure(case: &Case<'_>, known: &Known<'_>, template: &Template, subject: &str) -> Measure {
    let fill = |text: &str| text.replace("{s}", subject);
    let critical = case.evidence.incident.severity == Severity::Critical;
    let days = if critical {
        DUE_DAYS_CRITICAL
    } else {
        DUE_DAYS_OTHER
    };
    let aims_at_longest = is_longest(known, template.phase);
    let evidence = match template.phase {
        Milestone::Detected => evidence_of(&known.durations.detect, known),
        Milestone::Acknowledged => evidence_of(&known.durations.acknowledge, known),
        Milestone::Onset | Milestone::Paged | Milestone::Recovered | Milestone::Resolved => {
            known.cause.trigger.evidence.clone()
        }
    };
    let owner = known
        .paging
        .acknowledged_by
        .value
        .as_deref()
        .unwrap_or(UNASSIGNED);
    Measure {
        kind: template.kind,
        text: fill(template.text),
        factor: fill(template.factor),
        owner: owner.to_owned(),
        due: known
            .moments
            .resolved
            .value
            .map(|resolved: Moment| resolved.shifted(days * DAY_MS).date()),
        high_priority: template.kind == MeasureKind::Prevent || aims_at_longest,
        done_when: fill(template.done_when),
        check: fill(template.check),
        phase: template.phase,
        evidence,
    }
}
