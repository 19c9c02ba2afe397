//! By which ways a person is paged, and by which they are told what wakes nobody. It knows no incident and no settings.

use super::{ChannelKind, ContactMethod, NotificationRule, Urgency, User};
use crate::bugs::{self, Bug};
use crate::id::ContactMethodId;

/// One way by which a message goes to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// The contact method.
    pub method: ContactMethodId,
    /// Its transport.
    pub channel: ChannelKind,
    /// Milliseconds after the person was chosen.
    pub delay_ms: u64,
    /// Why it is used, as it is said after why it is this person.
    pub why: &'static str,
}

impl Way {
    const fn by(method: &ContactMethod, delay_ms: u64, why: &'static str) -> Self {
        Self {
            method: method.id,
            channel: method.kind,
            delay_ms,
            why,
        }
    }
}

impl User {
    /// How a page goes to them, the soonest way first: by their rules for what wakes them, and when those name no verified way, by
    /// every verified one at once. The first way goes as soon as the soonest rule says, also when that one names a way that cannot
    /// be used: who is to hear at once does not hear only after their level is over.
    #[must_use]
    pub fn page_ways(&self) -> Vec<Way> {
        let mut ruled = self.ruled_ways(Urgency::High, "by their notification rule");
        let soonest = self
            .rules_for(Urgency::High)
            .map(|rule| rule.delay_ms)
            .min();
        if let (Some(first), Some(soonest)) = (ruled.first_mut(), soonest) {
            if soonest < first.delay_ms {
                first.delay_ms = soonest;
                first.why = "in place of the contact method of an earlier notification rule, which is not verified";
            }
            return ruled;
        }
        let why = "no notification rule names a verified contact method, so every one is used";
        self.verified_methods()
            .map(|method| Way::by(method, 0, why))
            .collect()
    }

    /// How they are told of an incident that wakes nobody, the soonest way first: by their rules for such alone.
    #[must_use]
    pub fn notice_ways(&self) -> Vec<Way> {
        self.ruled_ways(Urgency::Low, "by their rule for what wakes nobody")
    }

    fn rules_for(&self, urgency: Urgency) -> impl Iterator<Item = &NotificationRule> {
        let rules = self.rules.iter();
        rules.filter(move |rule| rule.urgency == urgency)
    }

    fn ruled_ways(&self, urgency: Urgency, why: &'static str) -> Vec<Way> {
        let is_used = |method: &ContactMethod| {
            let pages = urgency == Urgency::High;
            method.verified_at.is_some() || (pages && bugs::on(Bug::UnverifiedContactUsed))
        };
        let mut ways: Vec<Way> = self
            .rules_for(urgency)
            .filter_map(|rule| Some((self.contact_method(rule.contact_method)?, rule.delay_ms)))
            .filter(|(method, _)| is_used(method))
            .map(|(method, delay_ms)| Way::by(method, delay_ms, why))
            .collect();
        ways.sort_by_key(|way| way.delay_ms);
        ways
    }
}
