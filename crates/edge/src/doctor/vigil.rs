//! Whether the auditor looks and finds nothing, and whether the canary comes through.

use tocsin_domain::audit::Finding;

use super::Check;
use crate::vigil::Seen;

/// Nothing where nobody audits.
pub(super) fn checks(seen: &Seen) -> Vec<Check> {
    if !seen.expected {
        return Vec::new();
    }
    vec![audit(seen), canary(seen)]
}

fn audit(seen: &Seen) -> Check {
    let name = "audit";
    let fix =
        "look at the log of `tocsin serve`, then restart it; watch by hand until this is well";
    if seen.look_is_overdue {
        let detail = "the auditor has not looked for more than 90 s";
        return Check::fail(name, detail, fix);
    }
    // That nobody watches is a check of its own.
    let findings = seen.findings.iter();
    let findings: Vec<&Finding> = findings.filter(|one| one.kind.stops_pages()).collect();
    match (findings.as_slice(), seen.looked_at) {
        ([], None) => Check::ok(name, "the first look comes within 30 s"),
        ([], Some(at)) => Check::ok(name, format!("nothing was found at {at}")),
        ([first, others @ ..], _) => {
            let more = match others.len() {
                0 => String::new(),
                count => format!(" (and {count} more)"),
            };
            Check::fail(name, format!("{}{more}", first.what), fix)
        }
    }
}

fn canary(seen: &Seen) -> Check {
    let name = "canary";
    let fix =
        "an alert would not come through either: look at the other checks, then restart Tocsin";
    match seen.canary_at {
        _ if seen.canary_is_overdue => {
            let last = seen.canary_away.as_ref();
            let last = last.map_or(String::new(), |away| format!(": {}", away.words()));
            let detail = format!("no canary has come through for more than 6 minutes{last}");
            Check::fail(name, detail, fix)
        }
        None => Check::ok(name, "none has been sent yet"),
        Some(at) => {
            let took = seen.took_ms.last().map_or(0, |(_, ms)| *ms);
            Check::ok(name, format!("it came through at {at}, in {took} ms"))
        }
    }
}
