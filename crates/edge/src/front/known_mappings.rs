//! Mappings of integrations as they were read, so that a body does not cost reading anew what has not changed. What they make of a
//! body is not known here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tocsin_domain::id::IntegrationId;
use tocsin_wire::mapping::Mapping;

use crate::lock::lock;

/// Mappings remembered at most; beyond, all are forgotten and read anew.
const MAPPINGS_MAX: usize = 256;

/// Mappings that were read, by integration.
#[derive(Default)]
pub(crate) struct KnownMappings(Mutex<BTreeMap<IntegrationId, Known>>);

struct Known {
    /// What was read: another text is another mapping.
    text: String,
    mapping: Arc<Mapping>,
}

impl KnownMappings {
    /// The mapping of an integration whose text this is; `read` reads one that was changed or is not known.
    pub(crate) fn of<E>(
        &self,
        integration: IntegrationId,
        text: &str,
        read: impl FnOnce(&str) -> Result<Mapping, E>,
    ) -> Result<Arc<Mapping>, E> {
        if let Some(known) = lock(&self.0).get(&integration)
            && known.text == text
        {
            return Ok(Arc::clone(&known.mapping));
        }
        let mapping = Arc::new(read(text)?);
        let known = Known {
            text: text.to_owned(),
            mapping: Arc::clone(&mapping),
        };
        let mut all = lock(&self.0);
        if all.len() >= MAPPINGS_MAX && !all.contains_key(&integration) {
            all.clear();
        }
        all.insert(integration, known);
        Ok(mapping)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"title": "{{ .one }}"}"#;
    const OTHER: &str = r#"{"title": "{{ .other }}"}"#;

    fn id(text: &str) -> IntegrationId {
        text.parse().unwrap()
    }

    fn read(known: &KnownMappings, integration: IntegrationId, text: &str) -> (Arc<Mapping>, bool) {
        let mut is_read = false;
        let mapping = known.of(integration, text, |text| {
            is_read = true;
            Mapping::parse(text)
        });
        (mapping.unwrap(), is_read)
    }

    #[test]
    fn a_mapping_is_read_once_as_long_as_it_stays_the_same() {
        let known = KnownMappings::default();
        let (first, second) = (id("QAAAAAAAAAAAAA"), id("QBBBBBBBBBBBBB"));
        let check = |integration, text: &str, expected_read: bool| {
            let (mapping, is_read) = read(&known, integration, text);
            assert_eq!(*mapping, Mapping::parse(text).unwrap());
            assert_eq!(is_read, expected_read, "{text}");
        };
        check(first, ONE, true);
        check(first, ONE, false);
        check(second, OTHER, true);
        check(first, ONE, false);
        check(first, OTHER, true);
        check(first, OTHER, false);
        check(first, ONE, true);
    }

    #[test]
    fn what_cannot_be_read_is_not_remembered() {
        let known = KnownMappings::default();
        let integration = id("QAAAAAAAAAAAAA");
        assert!(known.of(integration, "{}", Mapping::parse).is_err());
        assert!(lock(&known.0).is_empty());
    }
}
