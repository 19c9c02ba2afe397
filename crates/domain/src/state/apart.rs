//! Copies of a part of what is known: what is set up, without what fails, or with a few incidents alone. Each is taken in little
//! time and holds its incidents together with the state, so that much can be played through on it while the state goes on. It
//! decides nothing.

use std::sync::Arc;

use super::State;
use crate::id::IncidentId;

impl State {
    /// A copy in which everything stands that was set up, and nothing has ever failed. Each part is named, so that a new one
    /// cannot be left out by mistake.
    #[must_use]
    #[expect(
        clippy::too_many_lines,
        reason = "each part stands on a line of its own"
    )]
    pub fn without_incidents(&self) -> Self {
        let Self {
            position,
            installation,
            users,
            services,
            integrations,
            schedules,
            policies,
            targets,
            monitors,
            incidents: _,
            alerts: _,
            notifications: _,
            numbers: _,
            last_number: _,
            open_incidents: _,
            firing: _,
            active_notifications: _,
            messages_of: _,
            last_of_target: _,
            calendars,
            teams,
            duty,
            turns,
            rules,
            windows,
            // A job that does not call in while a copy is played would be taken to have failed.
            pulses: _,
            dropped: _,
            open_of_group: _,
            last_of_rule: _,
            schedule_changes,
            policy_changes,
            removed_policies,
            dates,
            last_opened: _,
            changes: _,
            webhooks,
            tags,
            business,
            clock,
            active_about: _,
            named_since,
            agenda: _,
            // What failed may work on a copy.
            broken: _,
            heard: _,
            outbox: _,
            raising: _,
            returns: _,
            storms: _,
            tick,
        } = self;
        Self {
            position: *position,
            installation: installation.clone(),
            users: users.clone(),
            services: services.clone(),
            integrations: integrations.clone(),
            schedules: schedules.clone(),
            policies: policies.clone(),
            targets: targets.clone(),
            monitors: monitors.clone(),
            calendars: calendars.clone(),
            teams: teams.clone(),
            duty: duty.clone(),
            turns: turns.clone(),
            rules: rules.clone(),
            windows: windows.clone(),
            schedule_changes: schedule_changes.clone(),
            policy_changes: policy_changes.clone(),
            removed_policies: removed_policies.clone(),
            dates: dates.clone(),
            webhooks: webhooks.clone(),
            tags: tags.clone(),
            business: business.clone(),
            clock: *clock,
            named_since: named_since.clone(),
            tick: *tick,
            ..Self::default()
        }
    }

    /// The same with the jobs that must call in, for whoever changes what is set up and lets no time pass.
    #[must_use]
    pub fn set_up_alone(&self) -> Self {
        Self {
            pulses: self.pulses.clone(),
            ..self.without_incidents()
        }
    }

    /// The same with whatever is open or fires, which decides what may go.
    #[must_use]
    pub fn set_up_with_what_fails(&self) -> Self {
        let firing = self.firing.values();
        let firing = firing.filter_map(|alert| Some(self.alerts.get(alert)?.incident));
        let open = self.open_incidents.iter().copied();
        Self {
            pulses: self.pulses.clone(),
            ..self.about(open.chain(firing))
        }
    }

    /// What is set up, and of all that ever failed these incidents alone, with their alerts and messages, and with what was merged
    /// into them or what they were merged into.
    #[must_use]
    pub fn about(&self, incidents: impl IntoIterator<Item = IncidentId>) -> Self {
        let mut about = Self {
            last_number: self.last_number,
            ..self.without_incidents()
        };
        for incident in incidents {
            let whole = self.made_of(self.part_of(incident));
            for id in whole.into_iter().chain([incident]) {
                about.take_over(self, id);
            }
        }
        about
    }

    /// Holds an incident together with another state, and what belongs to it.
    fn take_over(&mut self, from: &Self, id: IncidentId) {
        let Some(incident) = from.incidents.shared(&id) else {
            return;
        };
        if self.incidents.contains_key(&id) {
            return;
        }
        for alert in incident.alerts.iter() {
            let Some(known) = from.alerts.shared(alert) else {
                continue;
            };
            if known.is_firing() {
                self.firing.insert(&known, &self.alerts);
            }
            self.alerts.hold(*alert, known);
            self.refresh_raising(*alert);
        }
        for message in from.messages_of.get(&id).into_iter().flatten() {
            if let Some(known) = from.notifications.shared(message) {
                self.heard.take_over(&from.heard, id, &known);
                self.notifications.hold(*message, known);
                self.messages_of.or_default(id).push(*message);
                self.settle_active(*message);
            }
        }
        if incident.is_open() {
            self.open_incidents.insert(id);
        }
        self.returns.take_over(&from.returns, id);
        self.incidents.hold(id, Arc::clone(&incident));
        self.refresh_listed(id);
        // Whether a message is due depends on its incident.
        self.refresh_incident(id);
        for alert in incident.alerts.iter() {
            self.refresh_alert(*alert);
        }
        for message in self.messages_of.get(&id).cloned().unwrap_or_default() {
            self.refresh_message(message);
        }
    }
}
