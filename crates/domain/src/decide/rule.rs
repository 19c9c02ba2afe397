//! Decisions about alerts of rules: when one opens and when it is over. How a rule comes to its answer is not known here.

use super::alert::{Condition, cause_of, dedup_key};
use super::take_in::Taken;
use super::{Decider, title_of_alert};
use crate::alert::{Alert, AlertSource, EvidenceSample};
use crate::command::{Refusal, RuleFired};
use crate::event::Actor;
use crate::time::Timestamp;

impl Decider<'_> {
    /// Opens the alert, unless it fires already: a rule may say so again after a restart.
    pub(super) fn rule_fired(&mut self, fired: RuleFired) -> Result<(), Refusal> {
        let target = fired.target.and_then(|id| self.state.targets.get(&id));
        let (target, service) = match target {
            Some(known) => (Some(known.id), known.service),
            None => (None, self.service_or_default(fired.service)?),
        };
        let title = title_of_alert("title", &fired.title, 1024)?;
        let dedup_key = dedup_key(&fired.dedup_key)?;
        if self.firing_of_rule(&dedup_key).is_some() {
            return Ok(());
        }
        self.actor = Actor::Rule {
            group: fired.group.clone(),
            rule: fired.rule.clone(),
        };
        self.open_alert(Condition {
            service,
            target,
            dedup_key,
            source: AlertSource::Rule {
                group: fired.group,
                rule: fired.rule,
            },
            severity: fired.severity,
            title,
            summary: fired.summary,
            details: fired.details,
            sent_details: None,
            at: fired.at.min(self.now),
            onset: None,
            evidence: fired.evidence,
            hold: Vec::new(),
            taken: Taken::default(),
        });
        Ok(())
    }

    /// Ends the alert, whichever service it was raised on; one that does not fire changes nothing. Of one whose rule is gone,
    /// nobody can say that it is over.
    pub(super) fn rule_resolved(
        &mut self,
        key: &str,
        at: Timestamp,
        evidence: Vec<EvidenceSample>,
        gone: bool,
    ) -> Result<(), Refusal> {
        let key = dedup_key(key)?;
        let Some(alert) = self.firing_of_rule(&key) else {
            return Ok(());
        };
        let id = alert.id;
        if let AlertSource::Rule { group, rule } = alert.source.clone() {
            self.actor = Actor::Rule { group, rule };
        }
        let cause = cause_of(&evidence);
        if gone {
            self.close_alerts(&[id], &cause, "its rule is gone, or is another by now");
        } else {
            self.recover_alert(id, at.min(self.now), cause, evidence);
        }
        Ok(())
    }

    /// A rule may have moved to another service since it fired.
    fn firing_of_rule(&self, dedup_key: &str) -> Option<&Alert> {
        let alert = self.state.firing.of_rule(dedup_key)?;
        self.state.alerts.get(alert)
    }
}
