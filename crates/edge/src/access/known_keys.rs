//! Whose key it was that came with a hash, so that a sender of much is not looked for among all integrations each time. Whether it
//! is their key still is not known here.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tocsin_domain::id::IntegrationId;

use crate::lock::lock;

/// Keys remembered at most; beyond, all are forgotten and looked for anew.
const KEYS_MAX: usize = 4_096;

/// Integrations by the hash of a key of theirs. Only good ones are remembered, so that guessing costs what it did.
#[derive(Default)]
pub(crate) struct KnownKeys(Mutex<BTreeMap<String, IntegrationId>>);

impl KnownKeys {
    /// Whose key had this hash. Whoever asks makes sure that it has it still.
    pub(crate) fn find(&self, hash: &str) -> Option<IntegrationId> {
        lock(&self.0).get(hash).copied()
    }

    /// Remembers what was found among all.
    pub(crate) fn remember(&self, hash: String, integration: IntegrationId) {
        let mut known = lock(&self.0);
        if known.len() >= KEYS_MAX {
            known.clear();
        }
        known.insert(hash, integration);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_more_than_a_few_thousand_are_remembered() {
        let known = KnownKeys::default();
        let integration: IntegrationId = "QAAAAAAAAAAAAA".parse().unwrap();
        for n in 0..10_000 {
            let hash = n.to_string();
            known.remember(hash.clone(), integration);
            assert_eq!(known.find(&hash), Some(integration));
            assert!(lock(&known.0).len() <= KEYS_MAX);
        }
        assert_eq!(known.find("another"), None);
    }
}
