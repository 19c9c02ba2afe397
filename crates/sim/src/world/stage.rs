//! The beginning of a world: when it is, who is there, what is watched.

use jiff::tz::TimeZone;
use tocsin_domain::command::{Ask, PeopleAsk, RosterAsk, WatchAsk};
use tocsin_domain::id::{SecretId, UserId};
use tocsin_domain::people::Role;
use tocsin_domain::service::IntegrationKind;
use tocsin_domain::target::TargetIdentity;
use tocsin_promql::{Select, SeriesData, Source, SourceError};

use super::agenda::Happening;
use super::source::HOSTS;
use super::{DAY, HOUR, SECOND, Ticket, World};
use crate::providers::CHANNELS;

/// A store that holds nothing: what monitors see is told to the engine directly.
pub(super) struct NoSeries;

impl Source for NoSeries {
    fn select(&self, _: &Select<'_>) -> Result<Vec<SeriesData>, SourceError> {
        Ok(Vec::new())
    }
}

/// Zones whose clocks change, by an hour, by half an hour, at midnight; and one whose clocks do not.
pub(super) const ZONES: [&str; 6] = [
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/Santiago",
    "Asia/Kolkata",
];
/// 2024-01-01T00:00:00Z.
const EARLIEST: i64 = 1_704_067_200 * SECOND;

/// A day of some years; more often than not the clocks of some zone change while the world lasts.
pub(super) fn beginning(random: &mut crate::random::Random, days: u32) -> i64 {
    let some_day = EARLIEST + random.between(0, 1_500) * DAY + random.between(0, DAY);
    let zone = random.one_of(ZONES);
    let follows = || -> Option<i64> {
        let zone = TimeZone::get(zone).ok()?;
        let from = jiff::Timestamp::from_microsecond(some_day).ok()?;
        let change = zone.following(from).next()?;
        Some(change.timestamp().as_microsecond())
    };
    let lead = random.between(HOUR, (i64::from(days) * DAY).max(2 * HOUR));
    match follows().filter(|_| random.chance(700)) {
        Some(change) => change - lead,
        None => some_day,
    }
}

impl World {
    /// Sets Tocsin up, with nothing going wrong yet, and plans what will.
    pub(super) fn set_the_stage(&mut self) {
        self.boot();
        let email = self.secret();
        let time_zone = self.random.one_of(ZONES).to_owned();
        self.calmly(Ask::SetUp {
            name: "Ada".to_owned(),
            email,
            time_zone,
            key_hash: "00".to_owned(),
        });
        self.root = self.ledger.people.keys().next().copied();
        for name in ["Bea", "Cem", "Dan"] {
            self.join(name);
        }
        for _ in 0..2 {
            let ask = self.some_schedule(None);
            self.calmly(Ask::Roster(ask));
        }
        for _ in 0..2 {
            let ask = self.some_policy(None);
            self.calmly(Ask::Roster(ask));
        }
        for name in ["Shop", "Login", "Search"] {
            let policies: Vec<_> = self.ledger.policies.keys().copied().collect();
            let policy = self.random.pick(&policies).copied();
            let name = name.to_owned();
            self.calmly(Ask::Roster(RosterAsk::SetService {
                id: None,
                name,
                policy,
            }));
        }
        let services: Vec<_> = self.ledger.services.keys().copied().collect();
        for service in services {
            self.calmly(Ask::Roster(RosterAsk::AddIntegration {
                service,
                name: "Events".to_owned(),
                key_hash: "01".to_owned(),
                key_row: None,
                vendor: None,
                kind: IntegrationKind::default(),
            }));
        }
        for host in HOSTS {
            self.calmly(Ask::Watch(WatchAsk::Seen(identity(host))));
        }
        for _ in 0..3 {
            if let Some((ask, _)) = self.change_intake() {
                self.calmly(Ask::Intake(ask));
            }
            if let Some((ask, _)) = self.replace_rules() {
                self.calmly(Ask::Intake(ask));
            }
        }
        self.make_jobs();
        self.is_rough = true;
        self.make_sources();
        self.make_twins();
        self.plan_faults();
        self.after(HOUR, Happening::Edit);
        self.after(3 * HOUR, Happening::Sweep);
        self.some_time_after(4 * HOUR, Happening::Removes);
        self.after(HOUR, Happening::Plans);
        self.after(HOUR, Happening::Meddles);
    }

    /// Days of faults.
    pub(super) fn live(&mut self) {
        let end = self.now_us + i64::from(self.plan.days) * DAY;
        self.run_until(end);
    }

    /// A command on a good day.
    pub(super) fn calmly(&mut self, ask: Ask) {
        self.ask(ask, Ticket::Nobody);
        self.step();
        self.now_us += SECOND;
    }

    pub(super) fn secret(&mut self) -> SecretId {
        SecretId::random(&mut self.random)
    }

    /// Somebody joins with two proved ways to reach them.
    fn join(&mut self, name: &str) {
        let known: Vec<UserId> = self.ledger.people.keys().copied().collect();
        let (email, pending_code) = (self.secret(), self.secret());
        self.calmly(Ask::People(PeopleAsk::Add {
            name: name.to_owned(),
            email,
            pending_code,
            role: Role::Responder,
            about: None,
        }));
        let newcomer = self.ledger.people.keys().find(|user| !known.contains(user));
        let Some(user) = newcomer.copied() else {
            return;
        };
        let (address, pending_code) = (self.secret(), self.secret());
        let kind = self.random.one_of(CHANNELS);
        self.calmly(Ask::People(PeopleAsk::AddContactMethod {
            user,
            kind,
            label: "phone".to_owned(),
            address,
            signing_key: None,
            pending_code,
        }));
        let person = self.ledger.people.get(&user);
        let methods: Vec<_> = person
            .into_iter()
            .flat_map(|one| one.methods.keys())
            .copied()
            .collect();
        for method in methods {
            self.calmly(Ask::People(PeopleAsk::VerifyContactMethod { user, method }));
        }
    }
}

pub(super) fn identity(host: &str) -> TargetIdentity {
    TargetIdentity {
        binary: "/usr/sbin/apache2".to_owned(),
        config_path: format!("/etc/{host}/apache2.conf"),
        name: host.to_owned(),
        listen: Vec::new(),
        pid_file: String::new(),
        access_logs: Vec::new(),
        error_logs: Vec::new(),
        config_files: Vec::new(),
        status_url: None,
        probe_url: String::new(),
    }
}
