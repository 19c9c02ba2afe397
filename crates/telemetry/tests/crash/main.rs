//! A store whose process is killed at any moment keeps what it acknowledged, to the bit, and nothing that was not sent.
//!
//! A program of its own: while a child begins, it holds the locks of all stores that are open in the process it came from.
#![expect(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use tocsin_domain::id::TargetId;
use tocsin_domain::signal::{Batch, Fact, FactKind, Sample};
use tocsin_domain::time::Timestamp;
use tocsin_domain::write::Write;
use tocsin_promql::Matcher;
use tocsin_telemetry::{OpenReport, Options, Store};

/// Tells the child process that it is the writer, on which folder, and in which round.
const FOLDER: &str = "TOCSIN_CRASH_FOLDER";
const ROUND: &str = "TOCSIN_CRASH_ROUND";

const ROUNDS: u64 = 10;
/// Threads that write. The first one appends batches with facts, as the agent does; the others write as clients do.
const WRITERS: u64 = 3;
/// Series of each of them.
const SERIES: u64 = 4;
/// Writes of one thread and round: far more than it gets to before it is killed.
const WRITES_MAX: u64 = 4_000;
/// Writes between two steps of upkeep, which lie between a kill and the next.
const UPKEEP_EVERY: usize = 15;
/// When all is written and read, milliseconds after the epoch.
const NOW_MS: i64 = 3_000_000;

/// The instant that times of the test are counted from.
const EPOCH_MS: i64 = 1_723_950_720_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(EPOCH_MS + ms)
}

fn target() -> TargetId {
    "QAAAAAAAAAAAAA".parse().unwrap()
}

fn fact(ms: i64) -> Fact {
    Fact {
        at: at(ms),
        target: target(),
        what: FactKind::ParentStarted { pid: 4_711 },
    }
}

fn open(folder: &Path) -> (Store, OpenReport) {
    Store::open(folder, Options::default()).unwrap()
}

fn mixed(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// When the sample of a write lies. Each fourth write is the newest of four, so that three of four come late.
fn ms_of(round: u64, number: u64) -> i64 {
    i64::try_from((round * WRITES_MAX + (number ^ 3)) * 20).unwrap()
}

/// Which write brought a sample.
fn write_of(ms: i64) -> (u64, u64) {
    let slot = u64::try_from(ms).unwrap() / 20;
    (slot / WRITES_MAX, (slot % WRITES_MAX) ^ 3)
}

/// What a sample is, in all its bits: many are no numbers.
fn bits_of(writer: u64, series: u64, ms: i64) -> u64 {
    let bits = mixed(writer * 100 + series + ms.unsigned_abs() * 1_000);
    match bits % 5 {
        0 => bits | 0x7ff0_0000_0000_0000,
        1 => ((bits % 1_000) as f64).to_bits(),
        _ => bits,
    }
}

fn batch(round: u64, number: u64) -> Batch {
    let ms = ms_of(round, number);
    let samples = (0..SERIES).map(|series| {
        let value = f64::from_bits(bits_of(0, series, ms));
        let extra = [("series", &*series.to_string()), ("writer", "0")];
        Sample::of("crash_total", target(), &extra, at(ms), value)
    });
    Batch {
        samples: samples.collect(),
        facts: vec![fact(ms)],
        ..Batch::default()
    }
}

fn write(writer: u64, round: u64, number: u64) -> Write<'static> {
    let ms = ms_of(round, number);
    let mut write = Write::default();
    for series in 0..SERIES {
        write.begin([
            ("__name__".into(), "crash_total".into()),
            ("series".into(), series.to_string().into()),
            ("writer".into(), writer.to_string().into()),
        ]);
        let value = f64::from_bits(bits_of(writer, series, ms));
        write.push(at(ms).as_millis(), value);
    }
    write
}

/// The child's side. It says what was acknowledged, a line each, until it is killed or nobody listens.
#[test]
#[ignore = "the other tests of this file start it in a process of its own, which they kill"]
fn writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let round: u64 = std::env::var(ROUND).unwrap().parse().unwrap();
    let (store, _) = open(Path::new(&folder));
    let (due, written) = channel();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (store, due) = (&store, due.clone());
            scope.spawn(move || write_on(store, writer, round, &due));
        }
        drop(due);
        let store = &store;
        scope.spawn(move || keep_up(store, &written));
    });
}

fn write_on(store: &Store, writer: u64, round: u64, due: &Sender<()>) {
    for number in 0..WRITES_MAX {
        match writer {
            0 => drop(store.append(&batch(round, number), at(NOW_MS)).unwrap()),
            _ => {
                let source = writer.to_string();
                let write = write(writer, round, number);
                let written = store.write(&write, &source, at(NOW_MS)).unwrap();
                assert_eq!(written.samples, SERIES, "{written:?}");
            }
        }
        // One call for the whole line, so that lines of two threads do not mix.
        let line = format!("ack {writer} {number}\n");
        if std::io::stdout().lock().write_all(line.as_bytes()).is_err() || due.send(()).is_err() {
            return;
        }
    }
}

fn keep_up(store: &Store, written: &Receiver<()>) {
    let mut steps = 0;
    while written.iter().take(UPKEEP_EVERY).count() > 0 {
        steps += 1;
        match steps % 4 {
            0 => store.compact_now().unwrap(),
            1 => drop(store.maintain(at(NOW_MS), &[]).unwrap()),
            _ => store.seal_now().unwrap(),
        }
    }
}

/// The parent's side: how many writes of each writer were acknowledged in each round.
#[derive(Default)]
struct Acknowledged(BTreeMap<(u64, u64), u64>);

impl Acknowledged {
    /// Reads what a child says, kills it after so many lines, and reads what it had said by then.
    fn listen(&mut self, mut child: Child, round: u64, kill_after: u64) {
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut read = 0;
        // The last line may have been cut in the middle.
        while let Some(Ok(line)) = lines.next() {
            let mut words = line.split(' ');
            // The test's own frame says something too.
            if words.next() != Some("ack") {
                continue;
            }
            let numbers: Vec<u64> = words.filter_map(|word| word.parse().ok()).collect();
            let [writer, number] = numbers[..] else {
                panic!("a line that is no acknowledgement: {line}")
            };
            let count = self.0.entry((round, writer)).or_default();
            assert_eq!(*count, number, "writer {writer} of round {round}");
            *count += 1;
            read += 1;
            if read == kill_after {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(
            read >= kill_after,
            "the writer ended by itself after {read} writes"
        );
    }

    fn count(&self, round: u64, writer: u64) -> u64 {
        self.0.get(&(round, writer)).copied().unwrap_or_default()
    }

    /// Whether a writer may have got so far: its next write may be there, though it was not acknowledged.
    fn may_hold(&self, writer: u64, ms: i64) -> bool {
        let (round, number) = write_of(ms);
        number <= self.count(round, writer)
    }

    /// The times of all that was acknowledged.
    fn times(&self, writer: u64) -> BTreeSet<i64> {
        let rounds = self.0.iter().filter(|((_, of), _)| *of == writer);
        let times =
            rounds.flat_map(|((round, _), count)| (0..*count).map(|number| ms_of(*round, number)));
        times.collect()
    }

    fn check(&self, store: &Store, report: &OpenReport) {
        assert_eq!(report.set_aside, []);
        let matchers = [Matcher::equal("__name__", "crash_total")];
        let found = store.samples(&matchers, at(0), at(NOW_MS)).unwrap();
        assert_eq!(found.len() as u64, WRITERS * SERIES);
        for (labels, points) in found {
            let [writer, series] = ["writer", "series"].map(|name| labels[name].parse().unwrap());
            let mut missing = self.times(writer);
            for (at_ms, value) in points {
                let ms = at_ms - at(0).as_millis();
                assert!(self.may_hold(writer, ms), "{labels:?} was not sent {ms}");
                assert_eq!(
                    value.to_bits(),
                    bits_of(writer, series, ms),
                    "{labels:?} at {ms}"
                );
                missing.remove(&ms);
            }
            assert_eq!(missing, BTreeSet::new(), "{labels:?} lost these");
        }
        let facts = store.facts(target(), at(0), at(NOW_MS)).unwrap();
        let mut missing = self.times(0);
        let mut seen = BTreeSet::new();
        for fact in facts {
            let ms = fact.at.as_millis() - at(0).as_millis();
            assert!(self.may_hold(0, ms), "a fact of {ms} was not sent");
            assert!(seen.insert(ms), "the fact of {ms} is there twice");
            missing.remove(&ms);
        }
        assert_eq!(missing, BTreeSet::new(), "facts that were lost");
    }
}

#[test]
fn a_store_that_is_killed_again_and_again_keeps_every_write_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Acknowledged::default();
    for round in 0..ROUNDS {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["writes_until_it_is_killed", "--exact", "--ignored"])
            .arg("--nocapture")
            .env(FOLDER, folder.path())
            .env(ROUND, round.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Enough that each writer came to a write of its own in the first round.
        let kill_after = 20 + mixed(round) % 120;
        acknowledged.listen(child, round, kill_after);
        let (store, report) = open(folder.path());
        acknowledged.check(&store, &report);
    }
    // What is left is whole: it can be merged, and read again.
    let (store, report) = open(folder.path());
    store.compact_now().unwrap();
    acknowledged.check(&store, &report);
    drop(store);
    let (store, report) = open(folder.path());
    assert_eq!(report.frames, 0, "all of it is in blocks");
    acknowledged.check(&store, &report);
}
