//! A small world for tests of the core: a clock that is moved by hand, seeded ids, and an agent's view of one server.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test picks what it looks at"
)]

use tocsin_domain::alert::{EvidenceSample, Onset};
use tocsin_domain::command::{
    AlertAsk, Ask, Command, PeopleAsk, Refusal, RespondAsk, RosterAsk, WatchAsk,
};
use tocsin_domain::decide::decide;
use tocsin_domain::event::{Actor, Event, EventBody, IncidentWhat, NotificationWhat, RosterEvent};
use tocsin_domain::id::{
    ContactMethodId, Entropy, MonitorId, NotificationId, PolicyId, SecretId, ServiceId, TargetId,
    UserId,
};
use tocsin_domain::incident::{Incident, Status};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Delivery, Level, Notification, Outcome, Purpose, Recipient};
use tocsin_domain::people::{ChannelKind, Role, Urgency};
use tocsin_domain::state::State;
use tocsin_domain::target::TargetIdentity;
use tocsin_domain::time::Timestamp;

/// Bytes of a small linear congruential generator.
pub(crate) struct Seeded(pub(crate) u64);

impl Entropy for Seeded {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = self.0.to_be_bytes()[3];
        }
    }
}

/// 2024-08-18T03:00:00Z, a Sunday.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_723_950_000_000);

pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    pub(crate) entropy: Seeded,
    /// Everything that ever happened.
    pub(crate) journal: Vec<Event>,
}

impl World {
    /// An installation with one administrator, Ada, who is always on call.
    pub(crate) fn set_up() -> Self {
        let mut world = Self {
            state: State::default(),
            now: START,
            entropy: Seeded(7),
            journal: Vec::new(),
        };
        let email = SecretId::random(&mut world.entropy);
        world.ask(Ask::SetUp {
            name: "Ada".to_owned(),
            email,
            time_zone: "Europe/Paris".to_owned(),
            key_hash: "00".to_owned(),
        });
        world
    }

    /// The same with a watched server.
    pub(crate) fn with_apache() -> Self {
        let mut world = Self::set_up();
        world.ask(Ask::Watch(WatchAsk::Seen(identity("webserver-01"))));
        world
    }

    /// Carries a command out, and what is due with it, as a step of the engine does.
    pub(crate) fn try_ask(&mut self, ask: Ask) -> Result<Vec<Event>, Refusal> {
        let mut events = self.decide(ask)?;
        while self.state.next_due().is_some_and(|due| due <= self.now) {
            let done = self.decide(Ask::Tick)?;
            if done.is_empty() {
                break;
            }
            events.extend(done);
        }
        Ok(events)
    }

    fn decide(&mut self, ask: Ask) -> Result<Vec<Event>, Refusal> {
        let command = Command {
            actor: Actor::System,
            ask,
        };
        let events = decide(&mut self.state, command, self.now, &mut self.entropy)?;
        self.journal.extend(events.clone());
        crate::due_reference::check(&self.state);
        self.no_page_without_a_fire(&events);
        Ok(events)
    }

    /// Whatever a test does: a page is sent only while something that pages fails, nobody has taken it, the person has not done
    /// their part and it is not quiet; and nothing but a test goes to a method that nobody proved.
    fn no_page_without_a_fire(&self, events: &[Event]) {
        for event in events {
            let EventBody::Notification(message) = &event.body else {
                continue;
            };
            let page = &self.state.notifications[&message.notification];
            let started = matches!(message.what, NotificationWhat::AttemptStarted { .. });
            if !started || page.purpose == Purpose::Test {
                continue;
            }
            let method = self.state.users[&page.user].contact_method(page.contact_method);
            assert!(method.is_some_and(|method| method.verified_at.is_some()));
            let Purpose::Page(incident) = page.purpose else {
                continue;
            };
            let incident = &self.state.incidents[&incident];
            assert!(self.state.burns(incident), "{incident:?}");
            assert_eq!(incident.status, Status::Triggered, "{incident:?}");
            assert_eq!(incident.urgency, Urgency::High, "{incident:?}");
            assert!(!incident.spares(page.user), "{incident:?}");
            assert!(!self.is_quiet(incident), "{incident:?}");
        }
    }

    /// Whether everything that fails in an incident is quiet.
    fn is_quiet(&self, incident: &Incident) -> bool {
        let mut about = vec![(incident.service, incident.target)];
        if !incident.merged.is_empty() {
            let alerts = incident.alerts.iter().map(|id| &self.state.alerts[id]);
            let firing = alerts.filter(|alert| alert.is_firing());
            let asks = firing.filter(|alert| alert.is_burning() || incident.urgent_by_hand);
            about = asks.map(|alert| (alert.service, alert.target)).collect();
        }
        let quiet = |about: &(ServiceId, Option<TargetId>)| {
            let quiet = self.state.quiet_for(about.0, about.1, self.now);
            quiet.is_some()
        };
        !about.is_empty() && about.iter().all(quiet)
    }

    pub(crate) fn ask(&mut self, ask: Ask) -> Vec<Event> {
        self.try_ask(ask).expect("the command is accepted")
    }

    /// Moves the clock, stopping at everything that is due on the way.
    pub(crate) fn wait_ms(&mut self, ms: u64) {
        let end = self.now.plus_ms(ms);
        while let Some(due) = self.state.next_due().filter(|due| *due <= end) {
            assert!(
                due > self.now || !self.ask(Ask::Tick).is_empty(),
                "what is due gets done"
            );
            self.now = self.now.max(due);
            self.ask(Ask::Tick);
        }
        self.now = end;
        self.ask(Ask::Tick);
    }

    pub(crate) fn ada(&self) -> UserId {
        self.user("Ada")
    }

    pub(crate) fn user(&self, name: &str) -> UserId {
        self.state
            .users
            .values()
            .find(|user| user.name == name)
            .expect("that person")
            .id
    }

    pub(crate) fn target(&self) -> TargetId {
        *self.state.targets.keys().next().expect("a target")
    }

    pub(crate) fn monitor(&self, slug: &str) -> MonitorId {
        self.state
            .monitors
            .values()
            .find(|monitor| monitor.slug == slug)
            .expect("that monitor")
            .id
    }

    /// The newest incident.
    pub(crate) fn incident(&self) -> &Incident {
        self.state
            .incidents
            .values()
            .max_by_key(|incident| incident.number)
            .expect("an incident")
    }

    /// A monitor fires for the server, with hold rules by index.
    pub(crate) fn fire(&mut self, slug: &str, holds: &[usize]) -> Vec<Event> {
        let ask = AlertAsk::MonitorFired {
            monitor: self.monitor(slug),
            target: self.target(),
            at: self.now,
            wording: String::new(),
            evidence: vec![sample(self.now)],
            onset: Some(Onset {
                at: self.now,
                uncertainty_ms: 10,
                evidence: sample(self.now),
            }),
            holds: holds.to_vec(),
        };
        self.ask(Ask::Alert(ask))
    }

    pub(crate) fn recover(&mut self, slug: &str) -> Vec<Event> {
        let ask = AlertAsk::MonitorRecovered {
            monitor: self.monitor(slug),
            target: self.target(),
            at: self.now,
            evidence: vec![sample(self.now)],
        };
        self.ask(Ask::Alert(ask))
    }

    /// The crash of the whole process tree, nothing supervising it.
    pub(crate) fn crash(&mut self) -> Vec<Event> {
        self.fire("apache-down", &[])
    }

    pub(crate) fn acknowledge(&mut self) -> Vec<Event> {
        let (incident, by) = (self.incident().id, self.ada());
        self.ask(Ask::Respond(RespondAsk::Acknowledge { incident, by }))
    }

    /// Mutes the watched server for so long.
    pub(crate) fn mute(&mut self, ms: u64) {
        let (target, until) = (self.target(), self.now.plus_ms(ms));
        let reason = "known".to_owned();
        self.ask(Ask::Watch(WatchAsk::Mute {
            target,
            until,
            reason,
        }));
    }

    /// Messages that are being sent and wait for an outcome.
    pub(crate) fn sending(&self) -> Vec<&Notification> {
        let all = self.state.notifications.values();
        all.filter(|message| matches!(message.state, Delivery::Sending { .. }))
            .collect()
    }

    /// The provider answers every attempt under way in the same manner.
    pub(crate) fn answer_all(&mut self, outcome: Outcome) {
        self.answer_all_with(outcome, None, None);
    }

    /// The same, with a wait that the provider asks for and its name for the message.
    pub(crate) fn answer_all_with(
        &mut self,
        outcome: Outcome,
        retry_after_ms: Option<u64>,
        reference: Option<&str>,
    ) {
        let open: Vec<NotificationId> = self.sending().iter().map(|message| message.id).collect();
        for notification in open {
            self.answer_with(notification, outcome, retry_after_ms, reference);
        }
    }

    /// The last attempt of one message ends so.
    pub(crate) fn answer(&mut self, notification: NotificationId, outcome: Outcome) {
        self.answer_with(notification, outcome, None, None);
    }

    fn answer_with(
        &mut self,
        notification: NotificationId,
        outcome: Outcome,
        retry_after_ms: Option<u64>,
        reference: Option<&str>,
    ) {
        let attempts = &self.state.notifications[&notification].attempts;
        let number = attempts.last().expect("one").number;
        self.ask(Ask::AttemptFinished {
            notification,
            number,
            outcome,
            detail: String::new(),
            retry_after_ms,
            reference: reference.map(str::to_owned),
            via: None,
        });
    }

    /// Attempts ever begun for pages: person, channel, attempt.
    pub(crate) fn pages(&self) -> Vec<(String, ChannelKind, u32)> {
        let started = self.journal.iter().filter_map(|event| match &event.body {
            EventBody::Notification(message) => match message.what {
                NotificationWhat::AttemptStarted { number } => Some((message.notification, number)),
                _ => None,
            },
            _ => None,
        });
        started
            .filter_map(|(id, number)| {
                let message = self.state.notifications.get(&id)?;
                matches!(message.purpose, Purpose::Page(_)).then_some((
                    message.user,
                    message.channel,
                    number,
                ))
            })
            .map(|(user, channel, number)| (self.name_of(user), channel, number))
            .collect()
    }

    fn name_of(&self, user: UserId) -> String {
        self.state
            .users
            .get(&user)
            .map_or("somebody removed".to_owned(), |user| user.name.clone())
    }

    /// How often the journal holds an event of an incident that `wanted` picks.
    pub(crate) fn count(&self, wanted: impl Fn(&IncidentWhat) -> bool) -> usize {
        let whats = self.journal.iter().filter_map(|event| match &event.body {
            EventBody::Incident(incident) => Some(&incident.what),
            _ => None,
        });
        whats.filter(|what| wanted(what)).count()
    }

    /// Another person with a verified e-mail address.
    pub(crate) fn add_user(&mut self, name: &str) -> UserId {
        let (email, pending_code) = (
            SecretId::random(&mut self.entropy),
            SecretId::random(&mut self.entropy),
        );
        let role = Role::Responder;
        self.ask(Ask::People(PeopleAsk::Add {
            name: name.to_owned(),
            email,
            pending_code,
            role,
            about: None,
        }));
        let user = self.user(name);
        let method = self.state.users[&user].contact_methods[0].id;
        self.ask(Ask::People(PeopleAsk::VerifyContactMethod { user, method }));
        user
    }

    /// A verified webhook of a person.
    pub(crate) fn add_webhook(&mut self, user: UserId) -> ContactMethodId {
        self.add_way(user, ChannelKind::Webhook)
    }

    /// Any verified way to a person.
    pub(crate) fn add_way(&mut self, user: UserId, kind: ChannelKind) -> ContactMethodId {
        let (address, pending_code) = (
            SecretId::random(&mut self.entropy),
            SecretId::random(&mut self.entropy),
        );
        let ask = PeopleAsk::AddContactMethod {
            user,
            kind,
            label: "hook".to_owned(),
            address,
            signing_key: None,
            pending_code,
        };
        self.ask(Ask::People(ask));
        let method = self.state.users[&user]
            .contact_methods
            .last()
            .expect("just added")
            .id;
        self.ask(Ask::People(PeopleAsk::VerifyContactMethod { user, method }));
        method
    }

    /// Rules of a person: after so many milliseconds, this method.
    pub(crate) fn set_rules(&mut self, user: UserId, rules: &[(u64, ContactMethodId)]) {
        let rules = rules
            .iter()
            .map(|(delay, method)| (Urgency::High, *delay, *method))
            .collect();
        self.ask(Ask::People(PeopleAsk::SetRules { user, rules }));
    }

    /// Replaces the default policy's levels: delay and people of each.
    pub(crate) fn set_levels(&mut self, repeat: u32, levels: &[(u64, &[UserId])]) {
        let id = self
            .state
            .installation
            .as_ref()
            .expect("set up")
            .default_policy;
        let levels = levels
            .iter()
            .map(|(delay_ms, users)| {
                let targets = users.iter().map(|user| Recipient::User(*user));
                Level::of(*delay_ms, targets.collect())
            })
            .collect();
        self.set_policy(Some(id), repeat, levels, None);
    }

    /// Adds or replaces a policy; its id.
    pub(crate) fn set_policy(
        &mut self,
        id: Option<PolicyId>,
        repeat: u32,
        levels: Vec<Level>,
        acknowledgement_timeout_ms: Option<u64>,
    ) -> PolicyId {
        let ask = RosterAsk::SetPolicy {
            id,
            name: "Policy".to_owned(),
            levels,
            repeat,
            acknowledgement_timeout_ms,
        };
        let events = self.ask(Ask::Roster(ask));
        let set = events.iter().find_map(|event| match &event.body {
            EventBody::Roster(RosterEvent::PolicySet { policy }) => Some(policy.id),
            _ => None,
        });
        set.expect("the policy was set")
    }

    /// Replaces the default policy.
    pub(crate) fn set_default_policy(&mut self, levels: Vec<Level>, timeout_ms: Option<u64>) {
        let installation = self.state.installation.as_ref().expect("set up");
        let id = installation.default_policy;
        self.set_policy(Some(id), 0, levels, timeout_ms);
    }

    /// A person does something about an incident.
    pub(crate) fn respond(&mut self, ask: RespondAsk) -> Vec<Event> {
        self.ask(Ask::Respond(ask))
    }

    /// The same, refused.
    pub(crate) fn refused(&mut self, ask: RespondAsk) -> String {
        let refusal = self.try_ask(Ask::Respond(ask)).expect_err("it is refused");
        refusal.to_string()
    }

    /// The names of those to whom a page was ever begun, in order.
    pub(crate) fn paged(&self) -> Vec<String> {
        self.pages().into_iter().map(|(name, _, _)| name).collect()
    }

    /// Somebody outside triggers a key of the default service.
    pub(crate) fn trigger(&mut self, key: &str, severity: Severity) -> Vec<Event> {
        self.ask(raise(None, key, severity))
    }
}

/// Somebody outside triggers a key of a service, or of the default one.
pub(crate) fn raise(service: Option<ServiceId>, key: &str, severity: Severity) -> Ask {
    Ask::Alert(AlertAsk::Trigger {
        service,
        integration: None,
        dedup_key: Some(key.to_owned()),
        severity,
        title: format!("{key} fails"),
        summary: String::new(),
        details: Vec::new(),
        sent_details: None,
        at: None,
    })
}

pub(crate) fn identity(name: &str) -> TargetIdentity {
    TargetIdentity {
        binary: "/usr/sbin/apache2".to_owned(),
        config_path: format!("/etc/{name}/apache2.conf"),
        name: name.to_owned(),
        listen: vec!["127.0.0.1:8080".to_owned()],
        pid_file: "/run/apache2.pid".to_owned(),
        access_logs: Vec::new(),
        error_logs: Vec::new(),
        config_files: Vec::new(),
        status_url: None,
        probe_url: "http://127.0.0.1:8080/".to_owned(),
    }
}

pub(crate) fn sample(at: Timestamp) -> EvidenceSample {
    EvidenceSample {
        series: "apache_parent_up{target=\"x\"}".to_owned(),
        at,
        value: 0.0,
    }
}
