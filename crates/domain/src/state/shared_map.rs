//! An ordered map whose values are shared between copies of it: two states that were folded from the same events hold each
//! incident, alert and message once. It knows nothing of what it holds.

use std::ops::Index;
use std::sync::Arc;

use crate::id_map::{IdMap, Spread};

/// Values by key, in the order of the keys. A copy costs no copies of values; a value that is changed while it is shared is
/// copied first.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedMap<K, V>(IdMap<K, Arc<V>>);

impl<K, V> Default for SharedMap<K, V> {
    fn default() -> Self {
        Self(IdMap::default())
    }
}

impl<K: Spread, V: Clone> SharedMap<K, V> {
    /// The value of that key.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key).map(Arc::as_ref)
    }

    /// Whether there is one.
    #[must_use]
    pub fn contains_key(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every key, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.0.keys()
    }

    /// Every value, in the order of the keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.0.values().map(Arc::as_ref)
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        self.0.insert(key, Arc::new(value));
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key).map(Arc::make_mut)
    }

    /// Holds this very value for the key, together with whoever else holds it.
    pub(super) fn hold(&mut self, key: K, value: Arc<V>) {
        self.0.insert(key, value);
    }

    /// The value of that key, to be held by others too.
    pub(crate) fn shared(&self, key: &K) -> Option<Arc<V>> {
        self.held(key).cloned()
    }

    /// The same for whoever looks at it before they hold it.
    pub(super) fn held(&self, key: &K) -> Option<&Arc<V>> {
        self.0.get(key)
    }

    /// Whether both hold the very same value for this key.
    #[must_use]
    pub fn is_shared(&self, key: &K, other: &Self) -> bool {
        let both = self.0.get(key).zip(other.0.get(key));
        both.is_some_and(|(own, other)| Arc::ptr_eq(own, other))
    }
}

impl<K: Spread, V: Clone> Index<&K> for SharedMap<K, V> {
    type Output = V;

    /// The value of a key that is known to be there.
    ///
    /// # Panics
    /// There is none.
    fn index(&self, key: &K) -> &V {
        &self.0[key]
    }
}
