//! Measures commits: `cargo run -p tocsin-journal --example group_commit -- DIRECTORY` on the disk to be measured.
//!
//! First one writer with batches of several sizes, then many clients that each wait until their own event is durable
//! while one writer commits whatever has queued. The body of an event has 400 bytes.

use std::io::Write;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tocsin_domain::event::{Actor, Cause, Event, EventBody, InputEvent};
use tocsin_domain::time::Timestamp;
use tocsin_journal::{DataDir, Journal};

const RUN: Duration = Duration::from_secs(2);
const QUEUE: usize = 1_000;

fn event(position: u64) -> Event {
    let at = Timestamp::from_millis(1_723_950_000_000);
    Event {
        position,
        at,
        recorded_at: at,
        actor: Actor::System,
        cause: Cause::Request,
        body: EventBody::Input(InputEvent::Ignored {
            what: "x".repeat(350),
            service: None,
        }),
    }
}

fn report(what: &str, events: u64, took: Duration, mut latencies: Vec<Duration>) {
    latencies.sort_unstable();
    let percentile = |percent: usize| {
        let index = (latencies.len() * percent / 100).min(latencies.len().saturating_sub(1));
        latencies.get(index).copied().unwrap_or_default()
    };
    let per_second = u128::from(events) * 1_000 / took.as_millis().max(1);
    let line = format!(
        "{what:<12} {per_second:>7} events/s   durable after: p50 {:?}, p99 {:?}, worst {:?}\n",
        percentile(50),
        percentile(99),
        percentile(100)
    );
    let _ = std::io::stdout().write_all(line.as_bytes());
}

fn batches(journal: &mut Journal, size: u64) -> Result<(), Box<dyn std::error::Error>> {
    let mut latencies = Vec::new();
    let mut position = journal.last_position()?;
    let first = position;
    let began = Instant::now();
    while began.elapsed() < RUN {
        let events: Vec<_> = (position + 1..=position + size).map(event).collect();
        let asked = Instant::now();
        journal.append(&events, &[("evaluated_to", "1")])?;
        latencies.push(asked.elapsed());
        position += size;
    }
    report(
        &format!("batch {size}"),
        position - first,
        began.elapsed(),
        latencies,
    );
    Ok(())
}

fn clients(journal: &mut Journal, count: usize) -> Result<(), Box<dyn std::error::Error>> {
    let (queue, queued) = mpsc::sync_channel::<mpsc::SyncSender<()>>(QUEUE);
    let began = Instant::now();
    let first = journal.last_position()?;
    let latencies = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|_| {
                let queue = queue.clone();
                scope.spawn(move || {
                    let mut latencies = Vec::new();
                    while began.elapsed() < RUN {
                        let (done, durable) = mpsc::sync_channel(1);
                        let asked = Instant::now();
                        if queue.send(done).is_err() || durable.recv().is_err() {
                            break;
                        }
                        latencies.push(asked.elapsed());
                    }
                    latencies
                })
            })
            .collect();
        drop(queue);
        let mut position = first;
        while let Ok(one) = queued.recv() {
            let mut waiting = vec![one];
            waiting.extend(queued.try_iter().take(QUEUE));
            let events: Vec<_> = (position + 1..).map(event).take(waiting.len()).collect();
            position += waiting.len() as u64;
            if journal.append(&events, &[]).is_err() {
                break;
            }
            for done in waiting {
                let _ = done.send(());
            }
        }
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_default())
            .collect::<Vec<_>>()
    });
    let events = journal.last_position()? - first;
    report(
        &format!("{count} clients"),
        events,
        began.elapsed(),
        latencies,
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::args()
        .nth(1)
        .ok_or("give an empty directory on the disk to be measured")?;
    let lock = DataDir::lock(Path::new(&directory))?;
    let mut journal = Journal::open(&lock)?;
    for size in [1, 10, 100] {
        batches(&mut journal, size)?;
    }
    for count in [1, 10, 100] {
        clients(&mut journal, count)?;
    }
    let began = Instant::now();
    let mut read = 0_u64;
    journal
        .reader()
        .read_all(1, &mut |_| -> Result<(), tocsin_journal::JournalError> {
            read += 1;
            Ok(())
        })?;
    report("read all", read, began.elapsed(), Vec::new());
    Ok(())
}
