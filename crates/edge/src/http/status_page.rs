//! Whether the status page of a watched server can be read, why not, and what to paste. It changes no configuration.

use std::collections::BTreeMap;

use serde::Serialize;
use tocsin_domain::id::TargetId;
use tocsin_domain::signal::{FactKind, metric};
use tocsin_domain::time::Timestamp;
use tocsin_wire::apache_conf::enable_status;
use utoipa::ToSchema;

use super::target::by_target;
use crate::app::Parts;
use crate::ports::StorageError;

/// How far back the reason of a missing status page is looked for: it is written when it changes. Samples tell whether the
/// page is missing, so that nothing is taken for mended because its reason is old.
const REASON_WITHIN_MS: u64 = 30 * 86_400_000;
/// What is told when samples show that the page is missing and no reason was kept.
const REASON_UNKNOWN: &str =
    "the server answers, but nothing that can be read as its status page came for a minute";

/// Something to paste, and where; apart, so that the one can be copied without the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Paste {
    /// Where it goes and what else there is to do, without a full stop.
    pub(crate) how: String,
    /// Exactly what to paste.
    pub(crate) snippet: String,
}

/// Whether the status page can be read.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct StatusPage {
    ok: bool,
    /// Why it cannot, without a full stop.
    reason: Option<String>,
    /// What switches it on, where that would help.
    paste: Option<Paste>,
}

impl StatusPage {
    /// With what is in its way, if anything is.
    pub(crate) fn with(trouble: Option<&Trouble>, config_path: &str) -> Self {
        Self {
            ok: trouble.is_none(),
            reason: trouble.map(|trouble| trouble.reason.clone()),
            paste: trouble.and_then(|trouble| trouble.paste(config_path)),
        }
    }
}

/// What is in the way of a status page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// Why it cannot be read.
    pub(crate) reason: String,
    /// Whether switching the page on would help.
    mendable: bool,
}

impl Trouble {
    /// What switches the page on, where that would help.
    pub(crate) fn paste(&self, config_path: &str) -> Option<Paste> {
        let paste = enable_status(config_path);
        self.mendable.then_some(Paste {
            how: paste.how,
            snippet: paste.snippet,
        })
    }
}

/// The targets among these whose status page cannot be read now, and why.
pub(crate) fn troubles(
    parts: &Parts,
    targets: impl Iterator<Item = TargetId>,
    now: Timestamp,
) -> Result<BTreeMap<TargetId, Trouble>, StorageError> {
    let read = by_target(parts, &format!("max_over_time({}[1m])", metric::UP), now);
    let served = by_target(
        parts,
        &format!("max by (target) ({})", metric::PROBE_UP),
        now,
    );
    let mut troubles = BTreeMap::new();
    for target in targets {
        let id = target.as_str();
        if is_missing(read.get(id).copied(), served.get(id).copied()) {
            let known = kept_reason(parts, target, now)?;
            troubles.insert(target, known.unwrap_or_else(unknown));
        }
    }
    Ok(troubles)
}

/// A server that is silent, or not seen, tells nothing about its status page; one that answers does.
fn is_missing(read: Option<f64>, served: Option<f64>) -> bool {
    read == Some(0.0) && served == Some(1.0)
}

fn unknown() -> Trouble {
    Trouble {
        reason: REASON_UNKNOWN.to_owned(),
        mendable: true,
    }
}

fn kept_reason(
    parts: &Parts,
    target: TargetId,
    now: Timestamp,
) -> Result<Option<Trouble>, StorageError> {
    let facts = parts
        .telemetry
        .facts(target, now.minus_ms(REASON_WITHIN_MS), now.plus_ms(1))?;
    let kept = facts.into_iter().rev().find_map(|fact| match fact.what {
        FactKind::StatusUnavailable { reason, mendable } => Some(Trouble { reason, mendable }),
        FactKind::ParentExited { .. }
        | FactKind::ParentStarted { .. }
        | FactKind::Reloaded { .. }
        | FactKind::ConfigChanged { .. }
        | FactKind::ConfigTested { .. }
        | FactKind::ErrorLogged { .. }
        | FactKind::QueueChanged { .. } => None,
    });
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_page_is_missing_only_where_the_server_answers_without_it() {
        for (read, served, expected) in [
            (Some(0.0), Some(1.0), true),
            (Some(1.0), Some(1.0), false),
            // Down: other signals tell that.
            (Some(0.0), Some(0.0), false),
            (Some(0.0), None, false),
            (None, Some(1.0), false),
            (None, None, false),
        ] {
            assert_eq!(is_missing(read, served), expected, "{read:?} {served:?}");
        }
    }

    #[test]
    fn what_to_paste_is_apart_from_the_reason_and_only_where_it_helps() {
        let trouble = |mendable| Trouble {
            reason: "it answers with status 404".to_owned(),
            mendable,
        };
        let shown = StatusPage::with(Some(&trouble(true)), "/etc/apache2/apache2.conf");
        assert_eq!(shown.reason.as_deref(), Some("it answers with status 404"));
        let paste = shown.paste.unwrap();
        assert!(paste.how.contains("as root"), "{}", paste.how);
        assert!(paste.snippet.starts_with("a2enmod"), "{}", paste.snippet);
        let shown = StatusPage::with(Some(&trouble(false)), "/etc/apache2/apache2.conf");
        assert_eq!((shown.ok, shown.paste), (false, None));
        assert!(StatusPage::with(None, "/etc/apache2/apache2.conf").ok);
    }
}
