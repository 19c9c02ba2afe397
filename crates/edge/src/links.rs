//! Links and callback addresses that carry their own proof: each is signed for one message to one person, and dies with time.
//! It knows no route.

use std::sync::{Mutex, OnceLock};

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use tocsin_domain::id::{ContactMethodId, IncidentId, NotificationId, SecretId, UserId};
use tocsin_domain::page::Notification;
use tocsin_domain::people::ChannelKind;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_wire::base64url;

use crate::delivery::place::Place;
use crate::lock::lock;
use crate::ports::{Accounts, StorageError, Vault};

/// Where the vault's row of the key is kept.
const SETTING: &str = "link_key";
/// How long a link works after its message was planned: 72 hours.
pub(crate) const LINK_MS: u64 = 72 * 3_600_000;
/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// Bytes of a proof: links are to be short, and 128 bits cannot be guessed.
const PROOF_BYTES: usize = 16;
/// Only one key is ever made, however many ask for it at once.
static MAKING: Mutex<()> = Mutex::new(());

/// What a link is good for; a proof for one use is none for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Its receiver answers the page.
    Answer,
    /// The provider of the account that calls tells which key was pressed.
    Voice(Place),
    /// The provider of this account tells what became of an attempt.
    Status(u32, Place),
}

impl Use {
    fn word(self) -> String {
        match self {
            Self::Answer => "answer".to_owned(),
            // The first has had no number since it was alone.
            Self::Voice(Place::First) => "voice".to_owned(),
            Self::Voice(place) => format!("voice by {}", place.number()),
            Self::Status(number, Place::First) => format!("status {number}"),
            Self::Status(number, place) => format!("status {number} by {}", place.number()),
        }
    }
}

/// What a link was signed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    /// The message it was in.
    pub(crate) notification: NotificationId,
    /// Who got it.
    pub(crate) user: UserId,
    /// What it was about.
    pub(crate) incident: Option<IncidentId>,
    /// By which channel.
    pub(crate) channel: ChannelKind,
    /// By which of their contact methods.
    pub(crate) contact_method: ContactMethodId,
    /// When it dies.
    pub(crate) expires_at: Timestamp,
}

impl Bound {
    /// What a link in this message is signed for.
    pub(crate) fn to(message: &Notification) -> Self {
        Self {
            notification: message.id,
            user: message.user,
            incident: message.purpose.incident(),
            channel: message.channel,
            contact_method: message.contact_method,
            expires_at: message.planned_at.plus_ms(LINK_MS),
        }
    }
}

/// Why a link is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadLink {
    /// It was not made here, or was changed.
    Forged,
    /// It was good once.
    Expired,
}

/// The key that links are signed with.
#[derive(Clone)]
pub(crate) struct LinkKey([u8; KEY_BYTES]);

/// The key once it was read; reading it may block.
#[derive(Default)]
pub(crate) struct KnownKey(OnceLock<LinkKey>);

impl KnownKey {
    /// The key, if it was asked for before.
    pub(crate) fn known(&self) -> Option<LinkKey> {
        self.0.get().cloned()
    }

    /// The key of this installation, made when there is none yet.
    pub(crate) fn get(
        &self,
        accounts: &dyn Accounts,
        vault: &dyn Vault,
    ) -> Result<LinkKey, StorageError> {
        if let Some(key) = self.0.get() {
            return Ok(key.clone());
        }
        let key = read_or_make(accounts, vault)?;
        Ok(self.0.get_or_init(|| key).clone())
    }
}

fn read_or_make(accounts: &dyn Accounts, vault: &dyn Vault) -> Result<LinkKey, StorageError> {
    let _alone = lock(&MAKING);
    let row = accounts
        .setting(SETTING)?
        .and_then(|text| serde_json::from_str::<SecretId>(&text).ok());
    let kept = row.map(|row| vault.get(row)).transpose()?.flatten();
    let kept = kept.and_then(|text| base64url::decode(text.expose_secret(), KEY_BYTES));
    if let Some(key) = kept.and_then(|bytes| bytes.try_into().ok()) {
        return Ok(LinkKey(key));
    }
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(|error| StorageError {
        why: format!("the system gives no random bytes: {error}"),
        disk_full: false,
    })?;
    let row = vault.put(&SecretString::from(base64url::encode(&key)), None)?;
    accounts.set_setting(SETTING, &serde_json::json!(row).to_string())?;
    Ok(LinkKey(key))
}

/// Whether the person is still there and still reached that way: a phone that was lost and removed answers nothing any more.
fn is_still_theirs(state: &State, bound: &Bound) -> bool {
    let user = state.users.get(&bound.user);
    user.is_some_and(|user| user.contact_method(bound.contact_method).is_some())
}

impl LinkKey {
    /// The text that stands in an address.
    pub(crate) fn token(&self, bound: &Bound, usage: Use) -> String {
        let proof = base64url::encode(&self.proof(bound, usage)[..PROOF_BYTES]);
        match usage {
            Use::Answer | Use::Voice(_) => format!("{}.{proof}", bound.notification),
            Use::Status(number, _) => format!("{}.{number}.{proof}", bound.notification),
        }
    }

    /// What the link was signed for, if it is good now.
    pub(crate) fn check(
        &self,
        token: &str,
        usage: impl Fn(u32) -> Use,
        state: &State,
        now: Timestamp,
    ) -> Result<(Bound, Use), BadLink> {
        let mut parts = token.split('.');
        let (id, last) = (parts.next(), parts.next_back());
        let number = match parts.next().map(str::parse) {
            None => 0,
            Some(Ok(number)) => number,
            Some(Err(_)) => return Err(BadLink::Forged),
        };
        let message = id
            .and_then(|id| id.parse().ok())
            .and_then(|id: NotificationId| state.notifications.get(&id));
        let proof = last.and_then(|text| base64url::decode(text, PROOF_BYTES));
        let (Some(message), Some(proof)) = (message, proof) else {
            return Err(BadLink::Forged);
        };
        let (bound, usage) = (Bound::to(message), usage(number));
        let mac = self.mac(&bound, usage);
        let good = mac.is_some_and(|mac| mac.verify_truncated_left(&proof).is_ok());
        // A link has one form: what is longer or shorter is not the one that was made.
        if proof.len() != PROOF_BYTES || !good || self.token(&bound, usage) != token {
            Err(BadLink::Forged)
        } else if now >= bound.expires_at || !is_still_theirs(state, &bound) {
            Err(BadLink::Expired)
        } else {
            Ok((bound, usage))
        }
    }

    fn proof(&self, bound: &Bound, usage: Use) -> [u8; 32] {
        self.mac(bound, usage)
            .map(|mac| mac.finalize().into_bytes().into())
            .unwrap_or_default()
    }

    fn mac(&self, bound: &Bound, usage: Use) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        let incident = bound.incident.map(|id| id.to_string()).unwrap_or_default();
        // Not when it dies: that moves with a clock that is set back, and what was sent before that must stay good.
        let parts = [
            usage.word(),
            bound.notification.to_string(),
            bound.user.to_string(),
            incident,
        ];
        // No part can hold a line's end, so that two different bindings never read the same.
        mac.update(parts.join("\n").as_bytes());
        Some(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tocsin_domain::event::{
        Actor, Cause, Event, EventBody, InstallationEvent, NotificationEvent, NotificationWhat,
    };
    use tocsin_domain::id::{Entropy, TeamId};
    use tocsin_domain::page::{Delivery, Purpose};
    use tocsin_domain::people::{ContactMethod, Role, User};

    struct Counting(u8);

    impl Entropy for Counting {
        fn fill(&mut self, buffer: &mut [u8]) {
            buffer.fill(self.0);
            self.0 += 1;
        }
    }

    const PLANNED: Timestamp = Timestamp::from_millis(1_795_417_200_000);

    fn world() -> (State, Bound) {
        let mut entropy = Counting(1);
        let id = NotificationId::random(&mut entropy);
        let message = Notification {
            id,
            purpose: Purpose::Page(IncidentId::random(&mut entropy)),
            user: UserId::random(&mut entropy),
            contact_method: ContactMethodId::random(&mut entropy),
            channel: ChannelKind::Email,
            level: None,
            planned_at: PLANNED,
            why: String::new(),
            state: Delivery::Due { at: PLANNED },
            attempts: Vec::new(),
            last_event: 0,
            instead_of: None,
            planned_event: None,
        };
        let bound = Bound::to(&message);
        let method = ContactMethod {
            id: message.contact_method,
            kind: ChannelKind::Email,
            label: String::new(),
            address: SecretId::random(&mut entropy),
            signing_key: None,
            pending_code: None,
            verified_at: Some(PLANNED),
            gone_at: None,
        };
        let user = User {
            id: message.user,
            team: TeamId::random(&mut entropy),
            name: "Ada".to_owned(),
            role: Role::Responder,
            email: method.address,
            contact_methods: vec![method],
            rules: Vec::new(),
            about: tocsin_domain::people::About::default(),
        };
        let mut state = State::default();
        state.users.insert(user.id, user);
        plan(&mut state, message);
        (state, bound)
    }

    fn evolve(state: &mut State, at: Timestamp, body: EventBody) {
        state.evolve(&Event {
            position: state.position + 1,
            at,
            recorded_at: at,
            actor: Actor::System,
            cause: Cause::Request,
            body,
        });
    }

    fn plan(state: &mut State, message: Notification) {
        let event = NotificationEvent {
            notification: message.id,
            incident: message.purpose.incident(),
            what: NotificationWhat::Planned { message },
        };
        evolve(state, PLANNED, EventBody::Notification(event));
    }

    #[test]
    fn a_link_is_good_for_its_use_until_it_dies() {
        let (state, bound) = world();
        let key = LinkKey([7; 32]);
        let token = key.token(&bound, Use::Answer);
        assert_eq!(token.len(), 14 + 1 + 22);
        let at = |now| key.check(&token, |_| Use::Answer, &state, now);
        assert_eq!(at(PLANNED), Ok((bound, Use::Answer)));
        assert_eq!(at(PLANNED.plus_ms(LINK_MS - 1)), Ok((bound, Use::Answer)));
        assert_eq!(at(PLANNED.plus_ms(LINK_MS)), Err(BadLink::Expired));
        assert_eq!(
            key.check(&token, |_| Use::Voice(Place::First), &state, PLANNED),
            Err(BadLink::Forged)
        );
        let other = LinkKey([8; 32]);
        assert_eq!(
            other.check(&token, |_| Use::Answer, &state, PLANNED),
            Err(BadLink::Forged)
        );
        let by_first = |number| Use::Status(number, Place::First);
        let status = key.token(&bound, by_first(2));
        assert_eq!(
            key.check(&status, by_first, &state, PLANNED),
            Ok((bound, by_first(2)))
        );
        assert_eq!(
            key.check(&status.replace(".2.", ".3."), by_first, &state, PLANNED),
            Err(BadLink::Forged)
        );
    }

    #[test]
    fn what_was_told_to_one_account_is_no_proof_for_another() {
        let (state, bound) = world();
        let key = LinkKey([7; 32]);
        for told in Place::ALL {
            let voice = key.token(&bound, Use::Voice(told));
            let status = key.token(&bound, Use::Status(1, told));
            for asks in Place::ALL {
                let found = key.check(&voice, |_| Use::Voice(asks), &state, PLANNED);
                assert_eq!(found.is_ok(), told == asks, "{told:?} {asks:?}");
                let found = key.check(&status, |one| Use::Status(one, asks), &state, PLANNED);
                assert_eq!(found.is_ok(), told == asks, "{told:?} {asks:?}");
            }
        }
    }

    #[test]
    fn a_link_that_was_sent_before_the_clock_was_set_back_is_good_for_as_long_as_a_new_one() {
        let (mut state, bound) = world();
        let key = LinkKey([7; 32]);
        let token = key.token(&bound, Use::Answer);
        let by_ms = 86_400_000;
        let now = PLANNED.minus_ms(by_ms);
        let set_back = InstallationEvent::ClockSetBack { by_ms };
        evolve(&mut state, now, EventBody::Installation(set_back));
        let expires_at = now.plus_ms(LINK_MS);
        let moved = Bound {
            expires_at,
            ..bound
        };
        let at = |now| key.check(&token, |_| Use::Answer, &state, now);
        assert_eq!(at(now), Ok((moved, Use::Answer)));
        assert_eq!(at(expires_at), Err(BadLink::Expired));
    }

    #[test]
    fn no_changed_letter_passes() {
        let (state, bound) = world();
        let key = LinkKey([7; 32]);
        let token = key.token(&bound, Use::Answer);
        for place in 0..token.len() {
            for letter in ["A", "b", "0", ".", "-"] {
                let mut changed = token.clone();
                changed.replace_range(place..=place, letter);
                let found = key.check(&changed, |_| Use::Answer, &state, PLANNED);
                assert!(
                    changed == token || found == Err(BadLink::Forged),
                    "{changed}"
                );
            }
        }
        for text in [
            "",
            ".",
            "..",
            &token[..20],
            &format!("{token}="),
            &format!("{token}A"),
        ] {
            let found = key.check(text, |_| Use::Answer, &state, PLANNED);
            assert_eq!(found, Err(BadLink::Forged), "{text}");
        }
    }

    #[test]
    fn a_link_dies_with_the_contact_method_that_it_went_to() {
        let (mut state, bound) = world();
        let key = LinkKey([7; 32]);
        let token = key.token(&bound, Use::Answer);
        let user = state.users.get_mut(&bound.user).unwrap();
        user.contact_methods.clear();
        let found = key.check(&token, |_| Use::Answer, &state, PLANNED);
        assert_eq!(found, Err(BadLink::Expired));
    }

    #[test]
    fn a_link_of_one_person_is_none_of_another() {
        let (mut state, bound) = world();
        let key = LinkKey([7; 32]);
        let token = key.token(&bound, Use::Answer);
        let user = UserId::random(&mut Counting(77));
        let message = state.notifications[&bound.notification].clone();
        plan(&mut state, Notification { user, ..message });
        assert_eq!(
            key.check(&token, |_| Use::Answer, &state, PLANNED),
            Err(BadLink::Forged)
        );
    }
}
