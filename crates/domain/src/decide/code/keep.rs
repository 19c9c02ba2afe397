//! Of a document that is to become true: what stays must mean the same in the same files afterwards.

use crate::code::{Apply, Fault, Keys, Kind, Names, Part};
use crate::command::Refusal;
use crate::decide::Decider;

impl Decider<'_> {
    /// Of several things with one name, files name all but the first with a number behind it. Once one of them has gone, the others
    /// would be counted anew, and the same files would mean others, or take away what stays: whoever wants that gives it a name of
    /// its own first.
    pub(super) fn keep_keys(&self, apply: &Apply, before: &Keys) -> Result<(), Fault> {
        if apply.removed.is_empty() {
            return Ok(());
        }
        let after = self.keys(apply);
        let of = |kind: Kind| move |key: &str| Part::new(kind, key);
        settled(of(Kind::Teams), &before.teams, &after.teams)?;
        settled(of(Kind::Schedules), &before.schedules, &after.schedules)?;
        settled(
            of(Kind::EscalationPolicies),
            &before.policies,
            &after.policies,
        )?;
        settled(of(Kind::Services), &before.services, &after.services)?;
        for (service, after) in &after.integrations {
            let name = before.services.name(*service);
            if let Some(before) = before.integrations.get(service) {
                settled(|key: &str| Part::integration(&name, key), before, after)?;
            }
        }
        settled(of(Kind::Heartbeats), &before.heartbeats, &after.heartbeats)?;
        settled(
            of(Kind::MaintenanceWindows),
            &before.windows,
            &after.windows,
        )
    }
}

/// Refuses what would give another key to something that stays; `part` makes a part of a document of a key.
fn settled<I: Ord + Copy>(
    part: impl Fn(&str) -> Part,
    before: &Names<I>,
    after: &Names<I>,
) -> Result<(), Fault> {
    for (now, id) in after.all() {
        let was = before.name(id);
        if was.is_empty() || was == now {
            continue;
        }
        let why = format!(
            "it would be {now:?} in files once another of that name has gone, and these files would mean something else from then on: \
             give it a name of its own first"
        );
        return Err(Fault {
            part: part(&was),
            refusal: Refusal::conflict(why),
        });
    }
    Ok(())
}
