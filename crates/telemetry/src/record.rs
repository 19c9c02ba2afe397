//! Facts and log lines of a target in a span, from memory and from blocks, in the order of time.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use tocsin_domain::id::TargetId;
use tocsin_domain::signal::{Fact, LogRecord};
use tocsin_domain::time::Timestamp;

use crate::error::ReadError;
use crate::head::{Head, Records};
use crate::record_block::{Block, Dated, Group, RecordKind};

/// What is asked for; both ends are included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) target: TargetId,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

impl Dated for Fact {
    fn target(&self) -> TargetId {
        self.target
    }

    fn at(&self) -> Timestamp {
        self.at
    }
}

impl Dated for LogRecord {
    fn target(&self) -> TargetId {
        self.target
    }

    fn at(&self) -> Timestamp {
        self.at
    }
}

impl<T: Dated> Dated for &T {
    fn target(&self) -> TargetId {
        (*self).target()
    }

    fn at(&self) -> Timestamp {
        (*self).at()
    }
}

/// What was found under the lock: records of memory, and groups that are read without it.
pub(crate) struct Found<T> {
    memory: Vec<T>,
    groups: Vec<(Arc<Block>, Group)>,
    span: Span,
}

impl Span {
    fn takes<T: Dated>(&self, record: &T) -> bool {
        record.target() == self.target && record.at() >= self.from && record.at() <= self.to
    }

    fn touches(&self, group: &Group) -> bool {
        group.target == self.target && group.first <= self.to && group.last >= self.from
    }

    /// Gathers what may lie in the span.
    pub(crate) fn find<T: Dated + Clone>(
        self,
        head: &Head,
        kind: RecordKind,
        of: impl Fn(&Records) -> &[T],
    ) -> Found<T> {
        let frozen = head.freezing.iter().flat_map(|records| of(records));
        let memory = frozen.chain(of(&head.fresh));
        Found {
            memory: memory.filter(|one| self.takes(*one)).cloned().collect(),
            groups: head
                .groups()
                .filter(|(_, group)| group.kind == kind && self.touches(group))
                .map(|(block, group)| (Arc::clone(block), group.clone()))
                .collect(),
            span: self,
        }
    }
}

impl<T: Dated + DeserializeOwned> Found<T> {
    /// Reads on, in the order of time, until `visit` says stop (`false`) or nothing is left.
    pub(crate) fn visit(mut self, mut visit: impl FnMut(T) -> bool) -> Result<(), ReadError> {
        self.groups.sort_by_key(|(_, group)| group.first);
        // Groups overlap where records came late. What is before the start of the next group is complete.
        let mut pending = std::mem::take(&mut self.memory);
        let mut groups = self.groups.iter().peekable();
        while let Some((block, group)) = groups.next() {
            let records: Vec<T> = block.records(group)?;
            let in_span = records.into_iter().filter(|one| self.span.takes(one));
            pending.extend(in_span);
            pending.sort_by_key(Dated::at);
            let complete = match groups.peek() {
                Some((_, next)) => pending.partition_point(|one| one.at() < next.first),
                None => pending.len(),
            };
            for record in pending.drain(..complete) {
                if !visit(record) {
                    return Ok(());
                }
            }
        }
        pending.sort_by_key(Dated::at);
        for record in pending {
            if !visit(record) {
                return Ok(());
            }
        }
        Ok(())
    }
}
