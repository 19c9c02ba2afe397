//! Planned work that is not over.

use tocsin_domain::code::{MaintenanceWindow, Moment};
use tocsin_domain::intake::{WINDOW_SUBJECTS_MAX, WINDOWS_MAX};
use tocsin_domain::text::shows_nothing;
use tocsin_domain::time::Timestamp;

use super::Keys;
use super::names::{Names, Remarks};
use super::raw;
use super::walk::Account;
use crate::pagerduty::rest::time;

/// The reason of work that has none.
const REASON: &str = "maintenance";

/// Everything that is under way or ahead, the earliest first.
pub(super) fn windows(
    account: &Account,
    keys: &Keys,
    now: Timestamp,
    remarks: &mut Remarks,
) -> Vec<MaintenanceWindow> {
    let mut reasons = Names::default();
    let mut made = Vec::new();
    for known in &account.windows {
        let reason = known.description.as_deref().unwrap_or_default().trim();
        let reason = if shows_nothing(reason) {
            REASON
        } else {
            reason
        };
        match window(known, keys, now) {
            Ok(Some((from, until, mut services))) => {
                let reason = reasons.give("maintenance window", None, reason, remarks);
                if services.len() > WINDOW_SUBJECTS_MAX {
                    remarks.add(format!(
                        "maintenance window {reason:?}: of {} services the first {WINDOW_SUBJECTS_MAX} are kept",
                        services.len()
                    ));
                    services.truncate(WINDOW_SUBJECTS_MAX);
                }
                made.push(MaintenanceWindow {
                    reason,
                    services,
                    targets: Vec::new(),
                    matchers: Vec::new(),
                    from: Some(Moment(from)),
                    until: Some(Moment(until)),
                    repeat: None,
                });
            }
            Ok(None) => {}
            Err(why) => remarks.add(format!("maintenance window {reason:?}: left out: {why}")),
        }
    }
    made.sort_by_key(|one| one.from);
    if made.len() > WINDOWS_MAX {
        remarks.add(format!(
            "maintenance windows: of {} the first {WINDOWS_MAX} are kept",
            made.len()
        ));
        made.truncate(WINDOWS_MAX);
    }
    made
}

/// When, and on which services; none when it is over.
fn window(
    known: &raw::Window,
    keys: &Keys,
    now: Timestamp,
) -> Result<Option<(Timestamp, Timestamp, Vec<String>)>, String> {
    let at = |text: &Option<String>| text.as_deref().and_then(time::parse);
    let from = at(&known.start_time).ok_or("its start is no time")?;
    let until = at(&known.end_time).ok_or("its end is no time")?;
    if until <= now || until <= from {
        return Ok(None);
    }
    let services = known.services.as_deref().unwrap_or_default();
    let services = services
        .iter()
        .filter_map(|one| keys.services.of(one.id.as_deref()));
    let services: Vec<String> = services.map(str::to_owned).collect();
    if services.is_empty() {
        return Err("none of its services is carried over".to_owned());
    }
    Ok(Some((from, until, services)))
}
