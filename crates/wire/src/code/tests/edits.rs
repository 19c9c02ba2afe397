//! Random edits of the files of random installations on which something fails: what a plan shows is what is made true, what it
//! refuses is refused, and a plan of what was made true shows nothing.

use tocsin_domain::code::{Action, Kind, Recipient, Removable, User};
use tocsin_domain::command::{AlertAsk, RespondAsk};
use tocsin_domain::decide::rehearse;
use tocsin_domain::id::IncidentId;
use tocsin_domain::monitor::Severity;
use tocsin_domain::people::{self, Role};

use super::*;

const KINDS: [Removable; 9] = [
    Removable::Users,
    Removable::Teams,
    Removable::Schedules,
    Removable::EscalationPolicies,
    Removable::Services,
    Removable::Integrations,
    Removable::AlertRules,
    Removable::Heartbeats,
    Removable::MaintenanceWindows,
];

#[test]
fn what_a_plan_shows_or_refuses_is_what_apply_does_and_then_nothing_is_left_to_do() {
    let seeds = 0..40;
    let made_true = seeds.clone().filter(|seed| is_made_true(*seed)).count();
    assert!(made_true > 0, "something is made true");
    assert!(made_true < seeds.count(), "something is refused");
}

/// Plans an edit and makes it true, or finds that both are refused alike.
fn is_made_true(seed: u64) -> bool {
    let mut installation = Installation::new(seed);
    let mut random = Seeded(seed);
    installation.apply(set_up(&mut random)).unwrap();
    installation.double_integrations(&mut Seeded(!seed));
    installation.let_fail(&mut random);
    let wanted = edited(&mut random, installation.export());
    let before = installation.state.clone();
    let planned = installation.planned(&wanted);
    match (planned, installation.apply(wanted.clone())) {
        (Ok(shown), Ok(_)) => {
            let standing = describe(&before, &installation.addresses, NOW);
            let done = differences(&standing, &installation.export());
            assert_eq!(done, shown, "seed {seed}");
            let again = installation.planned(&wanted).unwrap();
            assert!(again.is_empty(), "seed {seed}: {again:?}");
            true
        }
        (Err(planned), Err(applied)) => {
            assert_eq!(applied, planned, "seed {seed}");
            assert_eq!(installation.state, before, "seed {seed}");
            false
        }
        (planned, applied) => panic!("seed {seed}: {planned:?}, and {applied:?}"),
    }
}

impl Installation {
    /// What a plan of this document shows, on the copy on which a server tries it.
    pub(super) fn planned(&self, wanted: &Document) -> Result<Vec<Change>, Refusal> {
        let stage = if wanted.manage.removes(Kind::Services) {
            self.state.set_up_with_what_fails()
        } else {
            self.state.set_up_alone()
        };
        let asked = self.asked(wanted.clone());
        let after = rehearse(&stage, &asked, NOW)?;
        let after = describe(&after, &asked.addresses, NOW);
        Ok(differences(&asked.standing, &after))
    }

    /// Something fails on some services: said by hand, or by alerts that make one incident where they are grouped so; and two of the
    /// incidents may be one.
    fn let_fail(&mut self, seed: &mut Seeded) {
        let services: Vec<ServiceId> = self.state.services.keys().copied().collect();
        for (number, service) in services.into_iter().enumerate() {
            match seed.below(6) {
                0 => self.respond(RespondAsk::Declare {
                    title: format!("failure {number}"),
                    service: Some(service),
                    urgency: people::Urgency::High,
                    more: Box::default(),
                }),
                1 => {
                    self.alert(service, &format!("one of {number}"));
                    self.alert(service, &format!("another of {number}"));
                }
                _ => {}
            }
        }
        let open: Vec<IncidentId> = self.state.open_incidents.iter().copied().collect();
        if let [source, into, ..] = open[..]
            && seed.often()
        {
            let sources = vec![source];
            self.respond(RespondAsk::Merge { sources, into });
        }
        self.ask(Ask::Tick).unwrap();
    }

    fn respond(&mut self, ask: RespondAsk) {
        self.ask(Ask::Respond(ask)).unwrap();
    }

    fn alert(&mut self, service: ServiceId, title: &str) {
        let fails = AlertAsk::Trigger {
            service: Some(service),
            integration: None,
            dedup_key: Some(title.to_owned()),
            severity: Severity::Critical,
            title: title.to_owned(),
            summary: String::new(),
            details: Vec::new(),
            sent_details: None,
            at: None,
        };
        self.ask(Ask::Alert(fails)).unwrap();
    }
}

/// What is set up before anything is edited. Patterns of labels take long to read, and no edit is about them.
fn set_up(seed: &mut Seeded) -> Document {
    let mut document = random::document(seed);
    for window in &mut document.maintenance_windows {
        window.matchers.clear();
    }
    let windows = &mut document.maintenance_windows;
    windows.retain(|window| !window.services.is_empty());
    document
}

/// What was exported, after somebody has edited some of it, thoroughly or not; as it is read from files.
fn edited(seed: &mut Seeded, mut document: Document) -> Document {
    for _ in 0..=seed.below(3) {
        match seed.below(6) {
            0 | 1 => without_a_service(seed, &mut document),
            2 => without_a_person(seed, &mut document),
            3 => with_somebody_new(seed, &mut document),
            4 => without_something(seed, &mut document),
            _ => with_a_change(seed, &mut document),
        }
    }
    let removed: Vec<Removable> = KINDS.into_iter().filter(|_| seed.often()).collect();
    let removed = serde_json::to_string(&removed).unwrap();
    let mut files = write(&document);
    files.push(File {
        name: "manage.toml".to_owned(),
        text: format!("[manage]\nremove = {removed}\n"),
    });
    read(&files).unwrap().0
}

/// One of them, if there is any.
fn any<'a, T>(seed: &mut Seeded, of: &'a mut [T]) -> Option<&'a mut T> {
    let count = u64::try_from(of.len()).unwrap().max(1);
    of.get_mut(usize::try_from(seed.below(count)).unwrap())
}

/// Takes one out, if there is any.
fn taken<T>(seed: &mut Seeded, of: &mut Vec<T>) -> Option<T> {
    let count = u64::try_from(of.len()).unwrap().max(1);
    let index = usize::try_from(seed.below(count)).unwrap();
    (index < of.len()).then(|| of.remove(index))
}

/// A service goes, mostly with what names it.
fn without_a_service(seed: &mut Seeded, document: &mut Document) {
    let Some(gone) = taken(seed, &mut document.services) else {
        return;
    };
    let stays = document.services.first().map(|one| one.name.clone());
    if let Some(stays) = stays.filter(|_| seed.below(4) > 0) {
        for heartbeat in &mut document.heartbeats {
            if heartbeat.service == gone.name {
                heartbeat.service.clone_from(&stays);
            }
        }
        let rules = document.alert_rules.iter_mut().flatten();
        for action in rules.flat_map(|rule| &mut rule.then) {
            if let Action::Route(service) = action
                && *service == gone.name
            {
                service.clone_from(&stays);
            }
        }
    }
    for window in &mut document.maintenance_windows {
        if seed.below(4) > 0 {
            window.services.retain(|name| *name != gone.name);
        }
    }
    let windows = &mut document.maintenance_windows;
    windows.retain(|window| !window.services.is_empty());
}

/// Somebody goes who is not Ada, mostly from every list.
fn without_a_person(seed: &mut Seeded, document: &mut Document) {
    let mut others: Vec<User> = document.users.split_off(1);
    let gone = taken(seed, &mut others);
    document.users.append(&mut others);
    let Some(gone) = gone.filter(|_| seed.below(4) > 0) else {
        return;
    };
    let stays = |address: &String| *address != gone.email;
    for team in &mut document.teams {
        team.members.retain(stays);
    }
    let schedules = document.schedules.iter_mut();
    for layer in schedules.flat_map(|schedule| &mut schedule.layers) {
        layer.members.retain(stays);
    }
    let paged = Recipient::User(gone.email.clone());
    let policies = document.escalation_policies.iter_mut();
    for level in policies.flat_map(|policy| &mut policy.levels) {
        level.targets.retain(|target| *target != paged);
    }
    let fallback = document.installation.fallback.as_mut();
    if let Some(fallback) = fallback {
        fallback.retain(stays);
    }
}

fn with_somebody_new(seed: &mut Seeded, document: &mut Document) {
    let email = format!("new{}@example.org", seed.below(3));
    if document.users.iter().any(|one| one.email == email) {
        return;
    }
    if let Some(team) = any(seed, &mut document.teams)
        && seed.often()
    {
        team.members.push(email.clone());
    }
    let is_told = email.starts_with("new0");
    document.users.push(User {
        email,
        name: is_told.then(|| "Somebody new".to_owned()),
        role: is_told.then_some(Role::Viewer),
    });
}

/// Something else goes, whatever names it.
fn without_something(seed: &mut Seeded, document: &mut Document) {
    match seed.below(7) {
        0 => drop(taken(seed, &mut document.teams)),
        1 => drop(taken(seed, &mut document.schedules)),
        2 => drop(taken(seed, &mut document.escalation_policies)),
        3 => drop(taken(seed, &mut document.heartbeats)),
        4 => drop(taken(seed, &mut document.maintenance_windows)),
        5 => document.alert_rules = None,
        _ => {
            if let Some(service) = any(seed, &mut document.services) {
                drop(taken(seed, &mut service.integrations));
            }
        }
    }
}

fn with_a_change(seed: &mut Seeded, document: &mut Document) {
    let words = format!("edit {}", seed.below(1_000_000));
    match seed.below(6) {
        0 => {
            if let Some(team) = any(seed, &mut document.teams) {
                team.description = words;
                drop(taken(seed, &mut team.members));
            }
        }
        1 => {
            if let Some(schedule) = any(seed, &mut document.schedules) {
                schedule.description = words;
                drop(taken(seed, &mut schedule.layers));
            }
        }
        2 => {
            if let Some(policy) = any(seed, &mut document.escalation_policies) {
                policy.description = words;
                policy.repeat = (policy.repeat + 1) % 9;
            }
        }
        3 => {
            if let Some(service) = any(seed, &mut document.services) {
                service.description = words;
                service.rules.clear();
            }
        }
        // What has another name is another thing.
        4 => {
            if let Some(service) = any(seed, &mut document.services) {
                service.name = words;
            }
        }
        _ => {
            if let Some(window) = any(seed, &mut document.maintenance_windows) {
                window.reason = words;
                window.services.push("First service".to_owned());
            }
        }
    }
}
