//! People, their roles and the ways to reach them; addresses themselves live in the vault, never here.

mod reach;
mod scope;
mod ways;

use serde::{Deserialize, Serialize};

pub use reach::{Reach, SetUp};
pub use scope::{Scope, Scopes, TokenBounds};
pub use ways::Way;

use crate::id::{ContactMethodId, Entropy, NotificationRuleId, SecretId, TeamId, UserId};
use crate::time::Timestamp;

/// Characters that the name of a token may have.
pub const TOKEN_NAME_CHARS_MAX: usize = 100;

/// What a person or a token may do; each role includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads everything but secrets.
    Viewer,
    /// Also works on incidents, mutes targets, edits their own contact methods.
    Responder,
    /// Also changes people, schedules, policies, services, channels and tokens.
    Admin,
}

/// Somebody who can be paged or can sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The team they belong to.
    pub team: TeamId,
    /// The name shown to others.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Vault row of the e-mail address they sign in with.
    pub email: SecretId,
    /// Ways to reach them, in the order they were added.
    pub contact_methods: Vec<ContactMethod>,
    /// When to use which way.
    pub rules: Vec<NotificationRule>,
    /// What is said of them beside that.
    #[serde(default, skip_serializing_if = "About::is_empty")]
    pub about: About,
}

/// What clients keep of a person that nothing is decided by. Each may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// What they are.
    pub job_title: String,
    /// The zone that is told of them. Nothing is computed in it.
    pub time_zone: String,
    /// The colour that they are drawn in.
    pub color: String,
    /// What else there is to say.
    pub description: String,
    /// The client's own word for their role.
    pub role_word: String,
}

impl About {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl User {
    /// The contact method of that id.
    #[must_use]
    pub fn contact_method(&self, id: ContactMethodId) -> Option<&ContactMethod> {
        self.contact_methods.iter().find(|method| method.id == id)
    }

    /// Whether at least one verified way to reach them exists, set up or not: what is tried in vain leads to the next one.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        self.verified_methods().next().is_some()
    }

    /// The ways that were proved to reach them.
    pub fn verified_methods(&self) -> impl Iterator<Item = &ContactMethod> {
        let methods = self.contact_methods.iter();
        methods.filter(|method| method.verified_at.is_some())
    }

    /// Whether a rule names this way.
    #[must_use]
    pub fn has_rule_for(&self, method: ContactMethodId) -> bool {
        self.rules.iter().any(|rule| rule.contact_method == method)
    }

    /// Whether their rules are still as they were made: whatever wakes people goes at once by every verified way.
    #[must_use]
    pub fn has_first_rules(&self) -> bool {
        let mut verified = self.verified_methods();
        self.rules.iter().all(NotificationRule::is_at_once)
            && verified.all(|method| self.has_rule_for(method.id))
    }
}

/// The transports of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// Mail by SMTP.
    Email,
    /// A signed HTTP POST.
    Webhook,
    /// A push by an ntfy server.
    Ntfy,
    /// A message in Slack: to a channel by its incoming webhook, or to a member by our app.
    Slack,
    /// A message of our Telegram bot.
    Telegram,
    /// A push by Pushover.
    Pushover,
    /// A text message to a phone.
    Sms,
    /// A call to a phone.
    Voice,
    /// A push to a browser.
    WebPush,
    /// An event for a service of PagerDuty.
    #[serde(rename = "pagerduty")]
    PagerDuty,
}

impl ChannelKind {
    /// The word used in the API and in timelines.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Webhook => "webhook",
            Self::Ntfy => "ntfy",
            Self::Slack => "slack",
            Self::Telegram => "telegram",
            Self::Pushover => "pushover",
            Self::Sms => "sms",
            Self::Voice => "voice",
            Self::WebPush => "web_push",
            Self::PagerDuty => "pagerduty",
        }
    }

    /// What its messages are read in, where others than their owner may read it: whoever answers there is not known.
    #[must_use]
    pub const fn read_by_others(self) -> Option<&'static str> {
        match self {
            Self::Webhook => Some("webhook"),
            Self::Ntfy => Some("ntfy topic"),
            Self::Email
            | Self::Slack
            | Self::Telegram
            | Self::Pushover
            | Self::Sms
            | Self::Voice
            | Self::WebPush
            | Self::PagerDuty => None,
        }
    }

    /// Every one, in the order they are shown.
    pub const ALL: [Self; 10] = [
        Self::Email,
        Self::Webhook,
        Self::Ntfy,
        Self::Slack,
        Self::Telegram,
        Self::Pushover,
        Self::Sms,
        Self::Voice,
        Self::WebPush,
        Self::PagerDuty,
    ];

    /// Whether the provider's word that it took a message says little: it tells later whether the phone got it, and a page
    /// without that word counts as lost.
    #[must_use]
    pub const fn owes_a_receipt(self) -> bool {
        match self {
            Self::Sms | Self::Voice => true,
            Self::Email
            | Self::Webhook
            | Self::Ntfy
            | Self::Slack
            | Self::Telegram
            | Self::Pushover
            | Self::WebPush
            | Self::PagerDuty => false,
        }
    }

    /// Whether who was paged is told by it that it is over: nobody is called for that.
    #[must_use]
    pub const fn tells_the_end(self) -> bool {
        match self {
            Self::Voice => false,
            Self::Email
            | Self::Webhook
            | Self::Ntfy
            | Self::Slack
            | Self::Telegram
            | Self::Pushover
            | Self::Sms
            | Self::WebPush
            | Self::PagerDuty => true,
        }
    }

    /// Whether a word that can wait goes by it: nobody is called for that, and no incident is opened elsewhere.
    #[must_use]
    pub const fn carries_words(self) -> bool {
        self.tells_the_end() && !self.mirrors_incidents()
    }

    /// Whether there is an incident at the other end, to be opened, taken and ended when ours is: one for each of ours.
    #[must_use]
    pub const fn mirrors_incidents(self) -> bool {
        match self {
            Self::PagerDuty => true,
            Self::Email
            | Self::Webhook
            | Self::Ntfy
            | Self::Slack
            | Self::Telegram
            | Self::Pushover
            | Self::Sms
            | Self::Voice
            | Self::WebPush => false,
        }
    }
}

/// One way to reach one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactMethod {
    /// Its id.
    pub id: ContactMethodId,
    /// The transport.
    pub kind: ChannelKind,
    /// What its owner calls it.
    pub label: String,
    /// Vault row of the address.
    pub address: SecretId,
    /// Vault row of the key that signs webhooks.
    pub signing_key: Option<SecretId>,
    /// Vault row of the code that proves the address, while it is not proved.
    pub pending_code: Option<SecretId>,
    /// When its owner proved to receive there; an unproved method is never paged.
    pub verified_at: Option<Timestamp>,
    /// When whoever carries its messages said that its address is gone for ever: nothing is sent there any more, and nobody can prove it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_at: Option<Timestamp>,
}

/// How loudly an incident asks for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Nobody is woken.
    Low,
    /// Pages, escalates, repeats.
    High,
}

/// After `delay_ms` of an unacknowledged page, use this contact method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationRule {
    /// Its id.
    pub id: NotificationRuleId,
    /// The urgency it is for.
    pub urgency: Urgency,
    /// Milliseconds after the person was chosen.
    pub delay_ms: u64,
    /// The way to use.
    pub contact_method: ContactMethodId,
}

impl NotificationRule {
    /// The rule that a way gets of itself: what wakes people goes by it at once.
    pub(crate) fn at_once(
        entropy: &mut (impl Entropy + ?Sized),
        contact_method: ContactMethodId,
    ) -> Self {
        Self {
            id: NotificationRuleId::random(entropy),
            urgency: Urgency::High,
            delay_ms: 0,
            contact_method,
        }
    }

    fn is_at_once(&self) -> bool {
        self.urgency == Urgency::High && self.delay_ms == 0
    }
}
