//! Files read, written, compared and made true on a state of its own.

mod broken;
mod doubled;
mod edits;
mod ended;
mod letters;
mod made_true;
mod people;
mod random;
mod schema;
mod services;
mod whole;

use std::collections::BTreeMap;

use proptest::prelude::*;
use tocsin_domain::code::{Apply, Document, NewPerson, describe, removals};
use tocsin_domain::command::{Ask, Command, Refusal, RosterAsk};
use tocsin_domain::decide::decide;
use tocsin_domain::event::{Actor, Event, EventBody, RosterEvent};
use tocsin_domain::id::{Entropy, IntegrationId, SecretId, ServiceId};
use tocsin_domain::service::IntegrationKind;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;

use super::*;

/// 2026-11-23T00:00:00Z, a Monday.
const NOW: Timestamp = Timestamp::from_millis(1_795_392_000_000);

struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, count: u64) -> u64 {
        self.next() % count
    }

    fn often(&mut self) -> bool {
        self.below(2) == 0
    }
}

impl Entropy for Seeded {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = u8::try_from(self.below(256)).unwrap();
        }
    }
}

/// An installation with one administrator, Ada.
struct Installation {
    state: State,
    addresses: BTreeMap<SecretId, String>,
    entropy: Seeded,
}

impl Installation {
    fn new(seed: u64) -> Self {
        let mut entropy = Seeded(seed);
        let email = SecretId::random(&mut entropy);
        let mut made = Self {
            state: State::default(),
            addresses: BTreeMap::from([(email, "Ada@example.org".to_owned())]),
            entropy,
        };
        made.ask(Ask::SetUp {
            name: "Ada".to_owned(),
            email,
            time_zone: "Europe/Paris".to_owned(),
            key_hash: "00".to_owned(),
        })
        .unwrap();
        made
    }

    fn ask(&mut self, ask: Ask) -> Result<Vec<Event>, Refusal> {
        let command = Command {
            actor: Actor::System,
            ask,
        };
        decide(&mut self.state, command, NOW, &mut self.entropy)
    }

    /// A service with one integration, both new, whatever is called the same.
    fn add_service(&mut self, name: &str, integration: &str) -> ServiceId {
        let known: Vec<ServiceId> = self.state.services.keys().copied().collect();
        let add = RosterAsk::SetService {
            id: None,
            name: name.to_owned(),
            policy: None,
        };
        self.ask(Ask::Roster(add)).unwrap();
        let mut ids = self.state.services.keys().copied();
        let service = ids.find(|id| !known.contains(id)).unwrap();
        self.add_integration(service, integration, IntegrationKind::default());
        service
    }

    /// A new integration, whatever is called the same.
    fn add_integration(
        &mut self,
        service: ServiceId,
        name: &str,
        kind: IntegrationKind,
    ) -> IntegrationId {
        let add = RosterAsk::AddIntegration {
            service,
            name: name.to_owned(),
            key_hash: self.state.integrations.len().to_string(),
            key_row: None,
            vendor: None,
            kind,
        };
        let events = self.ask(Ask::Roster(add)).unwrap();
        let body = &events[0].body;
        let EventBody::Roster(RosterEvent::IntegrationAdded { integration }) = body else {
            panic!("{body:?}");
        };
        integration.id
    }

    /// About half of the integrations have another one of their name beside them from now on.
    fn double_integrations(&mut self, seed: &mut Seeded) {
        let mut known: Vec<(ServiceId, String)> = Vec::new();
        for one in self.state.integrations.values() {
            if seed.often() {
                known.push((one.service, one.name.clone()));
            }
        }
        for (service, name) in known {
            let kind = random::integration(seed, name.clone()).kind().unwrap();
            self.add_integration(service, &name, kind);
        }
    }

    fn export(&self) -> Document {
        describe(&self.state, &self.addresses, NOW)
    }

    /// What is asked for, without what has to be made for it.
    fn wished(&self, wanted: Document) -> Apply {
        let standing = self.export();
        let (removed, _) = removals(&self.state, &standing, &wanted);
        Apply {
            standing,
            wanted,
            removed,
            addresses: self.addresses.clone(),
            ..Apply::default()
        }
    }

    fn asked(&self, wanted: Document) -> Apply {
        self.wished(wanted).with_stand_ins()
    }

    fn apply(&mut self, wanted: Document) -> Result<Vec<Event>, Refusal> {
        let mut apply = self.wished(wanted);
        apply.key_hashes = apply.clone().with_stand_ins().key_hashes;
        // Stand-ins have the same rows in each plan: who comes has rows of their own.
        for part in apply.added(tocsin_domain::code::Kind::Users) {
            let rows = NewPerson {
                email: SecretId::random(&mut self.entropy),
                pending_code: SecretId::random(&mut self.entropy),
            };
            apply.addresses.insert(rows.email, part.name.clone());
            apply.newcomers.insert(part.name, rows);
        }
        self.addresses.clone_from(&apply.addresses);
        self.ask(Ask::Apply(Box::new(apply)))
    }
}

fn one(text: &str) -> Vec<File> {
    vec![File {
        name: "all.toml".to_owned(),
        text: text.to_owned(),
    }]
}

fn document(text: &str) -> Document {
    read(&one(text)).unwrap().0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_exported_changes_nothing_and_makes_the_same_installation(seed: u64) {
        let mut first = Installation::new(seed);
        first.apply(random::document(&mut Seeded(seed))).unwrap();
        first.double_integrations(&mut Seeded(!seed));
        let exported = first.export();
        let files = write(&exported);
        let (wanted, _) = read(&files).unwrap();
        prop_assert_eq!(&wanted, &exported);
        let (removed, kept) = removals(&first.state, &exported, &wanted);
        prop_assert!(removed.is_empty() && kept.is_empty());
        let events = first.apply(wanted.clone()).unwrap();
        prop_assert!(events.is_empty(), "{events:?}");
        let mut second = Installation::new(seed ^ 1);
        second.apply(wanted).unwrap();
        prop_assert_eq!(write(&second.export()), files);
    }

    #[test]
    fn what_is_random_stands_in_the_schema(seed: u64) {
        schema::check(&random::document(&mut Seeded(seed)));
    }
}
