//! A plan as it is shown: what changes, who will be on call instead of whom, and what will be wrong that was not.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use tocsin_domain::ahead::Roster;
use tocsin_domain::code::{
    Document, DutyChange, Kind, Part, describe, duty_changes, paging_changes,
};
use tocsin_domain::id::SecretId;
use tocsin_domain::oncall::{GAP_DAYS_AHEAD, Span};
use tocsin_domain::people::SetUp;
use tocsin_domain::state;
use tocsin_domain::time::Timestamp;
use tocsin_wire::code::{Change, What, differences};
use utoipa::ToSchema;

use crate::http::shape::Instant;

/// Stretches of duty that are told at most.
const DUTY_CHANGES_MAX: usize = 500;
/// Changes of whom policies and services page that are told at most.
const PAGING_CHANGES_MAX: usize = 500;

/// What becomes of a thing.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ChangeKind {
    /// It comes.
    Added,
    /// Some of its fields change.
    Changed,
    /// It goes.
    Removed,
}

/// A field that changes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FieldChange {
    /// Its path within the thing: `layers[0].members`.
    path: String,
    /// As it was, in TOML; null when it was not there.
    before: Option<String>,
    /// As it will be; null when it will not be there.
    after: Option<String>,
}

/// A thing that changes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CodeChange {
    change: ChangeKind,
    /// The name of its list in the files.
    kind: &'static str,
    /// Empty when there is only one of its kind.
    name: String,
    /// Its fields, when it changes; of a person who comes, what they will be called and may do.
    fields: Vec<FieldChange>,
}

/// Something that stands in no file and stays as it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct KeptShape {
    /// The name of its list in the files.
    kind: &'static str,
    name: String,
}

/// A stretch in which somebody else will be on call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DutyChangeShape {
    /// The name of the schedule.
    schedule: String,
    from: Instant,
    until: Instant,
    /// Who would have been; null: nobody.
    before: Option<String>,
    /// Who will be; null: nobody.
    after: Option<String>,
    /// In words, by the schedule's clock.
    text: String,
}

/// What files change.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PlanShape {
    /// Names the state of what was set up when this was planned.
    fingerprint: String,
    /// Empty when the files say what there is.
    changes: Vec<CodeChange>,
    /// What stands in no file and stays as it is, since the files do not hold all of its kind.
    kept: Vec<KeptShape>,
    /// Who will be on call instead of whom in the next 14 days.
    on_call: Vec<DutyChangeShape>,
    /// Stretches that are not told because there are too many.
    on_call_left_out: usize,
    /// Whom levels of policies name instead of whom, also by teams, and which services follow another policy, in words.
    paged: Vec<String>,
    /// Changes of that that are not told because there are too many.
    paged_left_out: usize,
    /// What will be wrong with paging in these days that was not before.
    findings: Vec<String>,
}

/// What a plan is shown from.
pub(super) struct Outlook {
    pub(super) standing: Document,
    pub(super) before: state::State,
    pub(super) after: state::State,
    pub(super) addresses: BTreeMap<SecretId, String>,
    pub(super) kept: Vec<Part>,
    /// What messages can leave by.
    pub(super) set_up: SetUp,
    pub(super) now: Timestamp,
}

impl Outlook {
    pub(super) fn shown(self, fingerprint: String) -> PlanShape {
        let after = describe(&self.after, &self.addresses, self.now);
        let changes = differences(&self.standing, &after);
        let ahead = Span::of_days(self.now, GAP_DAYS_AHEAD);
        let (duty, on_call_left_out) =
            duty_changes(&self.before, &self.after, ahead, DUTY_CHANGES_MAX);
        let mut paged = paging_changes(&self.before, &self.after);
        let paged_left_out = paged.len().saturating_sub(PAGING_CHANGES_MAX);
        paged.truncate(PAGING_CHANGES_MAX);
        let findings = self.new_findings();
        let kept = untouched(self.kept, &changes);
        PlanShape {
            fingerprint,
            changes: changes.into_iter().map(change).collect(),
            kept: kept.into_iter().map(kept_shape).collect(),
            on_call: duty.into_iter().map(duty_change).collect(),
            on_call_left_out,
            paged,
            paged_left_out,
            findings,
        }
    }

    /// Compared by their words, since what comes has no id yet.
    fn new_findings(&self) -> Vec<String> {
        let texts = |state: &state::State| {
            let found = Roster::of(state, &self.set_up).findings(self.now);
            let texts = found.into_iter().map(|finding| finding.text);
            texts.collect::<Vec<String>>()
        };
        let known: BTreeSet<String> = texts(&self.before).into_iter().collect();
        let mut new = texts(&self.after);
        new.retain(|text| !known.contains(text));
        new
    }
}

fn change(change: Change) -> CodeChange {
    let fields = change.fields.into_iter().map(|field| FieldChange {
        path: field.path,
        before: field.before,
        after: field.after,
    });
    CodeChange {
        change: match change.what {
            What::Added => ChangeKind::Added,
            What::Changed => ChangeKind::Changed,
            What::Removed => ChangeKind::Removed,
        },
        kind: change.kind.word(),
        name: change.name,
        fields: fields.collect(),
    }
}

/// What of `kept` does not change either. What stands in no file may change all the same, or go with what goes.
fn untouched(mut kept: Vec<Part>, changes: &[Change]) -> Vec<Part> {
    let changes = changes.iter().map(|one| (one.kind, one.name.as_str()));
    let changed: BTreeSet<(Kind, &str)> = changes.collect();
    kept.retain(|part| !changed.contains(&(part.kind, part.name.as_str())));
    kept
}

fn kept_shape(part: Part) -> KeptShape {
    KeptShape {
        kind: part.kind.word(),
        name: part.name,
    }
}

fn duty_change(change: DutyChange) -> DutyChangeShape {
    DutyChangeShape {
        schedule: change.schedule,
        from: Instant(change.span.from),
        until: Instant(change.span.until),
        before: change.before,
        after: change.after,
        text: change.text,
    }
}
