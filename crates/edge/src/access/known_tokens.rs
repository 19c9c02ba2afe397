//! Tokens that were found good a moment ago, so that a sender of many small requests costs one look-up every few seconds and
//! not one each. It knows no store and no request.

use std::collections::BTreeMap;
use std::sync::Mutex;

use sha2::{Digest, Sha256};
use tocsin_domain::time::Timestamp;

use crate::lock::lock;
use crate::ports::ApiToken;

/// A token is looked up anew after this.
const TRUSTED_MS: u64 = 5_000;
/// Tokens remembered at most; beyond, all are forgotten and looked up anew.
const TOKENS_MAX: usize = 256;

/// The SHA-256 of a token's text: the text itself is not kept.
type Digested = [u8; 32];

/// Tokens that were found good a moment ago. Only good ones are remembered, so that guessing costs what it did.
#[derive(Default)]
pub(crate) struct KnownTokens(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Counts how often all were forgotten: what was looked up before must not enter after.
    generation: u64,
    tokens: BTreeMap<Digested, Found>,
}

struct Found {
    token: ApiToken,
    at: Timestamp,
}

/// When a look-up began, so that what it finds is remembered only while nothing was revoked since.
#[derive(Clone, Copy)]
pub(crate) struct LookUp {
    generation: u64,
    digest: Digested,
}

impl KnownTokens {
    /// The token of this text, or the look-up that has to be made.
    pub(crate) fn find(&self, text: &str, now: Timestamp) -> Result<ApiToken, LookUp> {
        let digest: Digested = Sha256::digest(text.as_bytes()).into();
        let known = lock(&self.0);
        let fresh = |found: &&Found| {
            let expired = found.token.expires_at.is_some_and(|at| at <= now);
            !expired && found.at <= now && now.ms_since(found.at) < TRUSTED_MS
        };
        let found = known.tokens.get(&digest).filter(fresh);
        found.map(|found| found.token.clone()).ok_or(LookUp {
            generation: known.generation,
            digest,
        })
    }

    /// Remembers what a look-up found.
    pub(crate) fn remember(&self, look_up: LookUp, token: &ApiToken, now: Timestamp) {
        let mut known = lock(&self.0);
        if known.generation != look_up.generation {
            return;
        }
        if known.tokens.len() >= TOKENS_MAX {
            known.tokens.clear();
        }
        let token = token.clone();
        known
            .tokens
            .insert(look_up.digest, Found { token, at: now });
    }

    /// Forgets all: one of them may not be good any more.
    pub(crate) fn forget_all(&self) {
        let mut known = lock(&self.0);
        known.generation += 1;
        known.tokens.clear();
    }
}

#[cfg(test)]
mod tests {
    use tocsin_domain::id::TokenId;
    use tocsin_domain::people::{Role, TokenBounds};

    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_000_000);

    fn token(expires_at: Option<Timestamp>) -> ApiToken {
        ApiToken {
            id: "QAAAAAAAAAAAAA".parse::<TokenId>().unwrap(),
            name: "t".to_owned(),
            role: Role::Viewer,
            user: None,
            made_by: None,
            created_at: START,
            expires_at,
            last_used: None,
            bounds: TokenBounds::default(),
        }
    }

    fn look_up(known: &KnownTokens) -> LookUp {
        known.find("text", START).err().unwrap()
    }

    #[test]
    fn a_token_is_trusted_for_a_few_seconds_and_never_beyond_its_end() {
        let known = KnownTokens::default();
        known.remember(look_up(&known), &token(None), START);
        assert!(known.find("text", START.plus_ms(4_999)).is_ok());
        assert!(known.find("text", START.plus_ms(5_000)).is_err());
        assert!(known.find("text", START.minus_ms(1)).is_err());
        assert!(known.find("other", START).is_err());
        let ends = START.plus_ms(1_000);
        known.remember(look_up_anew(&known), &token(Some(ends)), START);
        assert!(known.find("text", START.plus_ms(999)).is_ok());
        assert!(known.find("text", ends).is_err());
    }

    fn look_up_anew(known: &KnownTokens) -> LookUp {
        known.find("text", START.plus_ms(60_000)).err().unwrap()
    }

    #[test]
    fn what_was_looked_up_before_a_revocation_is_not_remembered_after_it() {
        let known = KnownTokens::default();
        let begun = look_up(&known);
        known.forget_all();
        known.remember(begun, &token(None), START);
        assert!(known.find("text", START).is_err());
    }

    #[test]
    fn not_more_than_a_few_hundred_are_remembered() {
        let known = KnownTokens::default();
        for n in 0..1_000 {
            let text = n.to_string();
            let look_up = known.find(&text, START).err().unwrap();
            known.remember(look_up, &token(None), START);
            assert!(lock(&known.0).tokens.len() <= TOKENS_MAX);
        }
    }
}
