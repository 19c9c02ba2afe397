//! Looks at the accept queues of one server's listeners: their samples, and the fact that one began or ceased to fill.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tocsin_domain::signal::{Batch, FactKind, Sample, metric};
use tocsin_domain::time::Timestamp;

use crate::sockets::SocketTables;
use crate::watched::{Watched, value};

/// Every value is written at least this often, changed or not.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// Looks in a row that must see a queue filled, and then empty, before it is a fact.
const FILLED_LOOKS: u32 = 2;
const EMPTY_LOOKS: u32 = 4;

/// What was seen before.
#[derive(Default)]
pub(crate) struct QueueWatch {
    tables: Option<SocketTables>,
    written: BTreeMap<SocketAddr, Queue>,
    written_at: Option<Instant>,
    is_filled: bool,
    looks_otherwise: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Queue {
    waiting: u64,
    limit: u64,
    accepted: u64,
}

impl QueueWatch {
    /// Looks once; what is new is in the batch.
    pub(crate) fn look(&mut self, watched: &Watched) -> Batch {
        let due = self.written_at.is_none_or(|at| at.elapsed() >= WRITE_EVERY);
        let queues = match self.read(&watched.listeners(), due) {
            Ok(queues) => queues,
            Err(error) => {
                self.tables = None;
                let problem = format!(
                    "the accept queue cannot be seen (sock_diag): {error}; saturation is told by probes alone"
                );
                watched.set_problem("queue", Some(problem));
                return Batch::default();
            }
        };
        watched.set_problem("queue", None);
        let at = watched.now();
        let mut batch = Batch::default();
        for (listener, queue) in &queues {
            if due || self.written.get(listener) != Some(queue) {
                batch
                    .samples
                    .extend(samples(watched, *listener, *queue, at));
            }
        }
        // A listener that is gone must not go on with its last value.
        let gone = |listener: &&SocketAddr| !queues.contains_key(*listener);
        for listener in self.written.keys().filter(gone) {
            let ended = samples(watched, *listener, Queue::default(), at);
            let stale = ended.map(|sample| Sample::stale(sample.labels, at));
            batch.samples.extend(stale);
        }
        if due {
            self.written_at = Some(Instant::now());
        }
        let waiting = queues.values().map(|queue| queue.waiting).sum();
        let limit = queues.values().map(|queue| queue.limit).sum();
        if self.turned(waiting > 0) {
            batch
                .facts
                .push(watched.fact(at, FactKind::QueueChanged { waiting, limit }));
        }
        self.written = queues;
        batch
    }

    /// The queues of the listeners that are there. Accepted connections are counted only when due or while some wait: it
    /// makes the kernel walk its whole table.
    fn read(
        &mut self,
        listeners: &[SocketAddr],
        due: bool,
    ) -> std::io::Result<BTreeMap<SocketAddr, Queue>> {
        if self.tables.is_none() {
            self.tables = Some(SocketTables::open()?);
        }
        let Some(tables) = &mut self.tables else {
            return Ok(BTreeMap::new());
        };
        let mut queues: BTreeMap<SocketAddr, Queue> = BTreeMap::new();
        let one_port = listeners
            .iter()
            .all(|listener| listener.port() == listeners[0].port());
        let port = listeners.first().filter(|_| one_port).map(SocketAddr::port);
        for socket in tables.listening(port)? {
            if listeners.contains(&socket.address) {
                // Several sockets share an address with `ListenCoresBucketsRatio`.
                let queue = queues.entry(socket.address).or_default();
                queue.waiting += socket.waiting;
                queue.limit += socket.limit;
            }
        }
        for (listener, queue) in &mut queues {
            let before = self
                .written
                .get(listener)
                .map_or(0, |before| before.accepted);
            queue.accepted = if due || queue.waiting > 0 {
                tables.accepted(*listener)?
            } else {
                before
            };
        }
        Ok(queues)
    }

    /// Whether the queue has turned from empty to filled or back, for long enough to be a fact.
    fn turned(&mut self, filled: bool) -> bool {
        if filled == self.is_filled {
            self.looks_otherwise = 0;
            return false;
        }
        self.looks_otherwise += 1;
        let needed = if filled { FILLED_LOOKS } else { EMPTY_LOOKS };
        if self.looks_otherwise < needed {
            return false;
        }
        self.is_filled = filled;
        self.looks_otherwise = 0;
        true
    }
}

fn samples(watched: &Watched, listener: SocketAddr, queue: Queue, at: Timestamp) -> [Sample; 3] {
    let text = listener.to_string();
    let label = [("listener", text.as_str())];
    [
        watched.sample(metric::LISTENER_QUEUE, &label, at, value(queue.waiting)),
        watched.sample(metric::LISTENER_QUEUE_LIMIT, &label, at, value(queue.limit)),
        watched.sample(
            metric::CONNECTIONS_ACCEPTED,
            &label,
            at,
            value(queue.accepted),
        ),
    ]
}

/// Whether a socket listens on any of these; true where that cannot be seen.
pub(crate) fn any_listens(listeners: &[SocketAddr]) -> bool {
    let Ok(sockets) = SocketTables::open().and_then(|mut tables| tables.listening(None)) else {
        return true;
    };
    sockets
        .iter()
        .any(|socket| listeners.contains(&socket.address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_turns_after_enough_looks_in_a_row() {
        let mut queue = QueueWatch::default();
        let looks = [
            true, false, true, true, false, true, false, false, false, false, false,
        ];
        let turned: Vec<bool> = looks
            .into_iter()
            .map(|filled| queue.turned(filled))
            .collect();
        let turns: Vec<usize> = turned
            .iter()
            .enumerate()
            .filter(|(_, turned)| **turned)
            .map(|(place, _)| place)
            .collect();
        assert_eq!(turns, [3, 9]);
    }
}
