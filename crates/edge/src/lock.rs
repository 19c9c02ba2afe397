//! Locks of small tables, which are held for a moment. It knows none of the tables.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes a lock. A panic of whoever held it keeps nobody else out: what is guarded so is whole between any two steps.
pub(crate) fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
