//! The events by which something that is set up changed, as the sockets need them. It knows no other.

use tocsin_domain::changed::ChangedKind;
use tocsin_domain::event::Event;
use tocsin_domain::time::Timestamp;

use super::StorageError;

/// Reads back, the newest first, the events by which something that is set up changed.
pub trait ChangeLog: Send + Sync + 'static {
    /// At most `limit` of those before the position `before`, of one thing or of all. Where `until` is given, what was recorded then or
    /// later may be left out.
    ///
    /// # Errors
    /// The journal cannot be read.
    fn changes(
        &self,
        of: Option<(ChangedKind, &str)>,
        before: u64,
        until: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<Event>, StorageError>;
}
