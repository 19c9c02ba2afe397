//! Facts and log lines.

use tocsin_domain::signal::{Batch, Fact, FactKind, LogLine, LogRecord};
use tocsin_telemetry::{Options, Recorded, Store};

use crate::{at, open, target};

pub(crate) fn fact(ms: i64) -> Fact {
    Fact {
        at: at(ms),
        target: target(),
        what: FactKind::ParentStarted { pid: 4_711 },
    }
}

pub(crate) fn log(ms: i64, status: u16, tier: &str) -> LogRecord {
    LogRecord {
        at: at(ms),
        target: target(),
        line: LogLine::Access {
            status,
            method: "POST".to_owned(),
            path: "/login".to_owned(),
            duration_us: Some(1_500),
            tier: tier.to_owned(),
            user: format!("{:016x}", ms % 7),
            own_probe: false,
        },
        raw: format!("127.0.0.1 - - [x] \"POST /login HTTP/1.1\" {status} {ms}"),
    }
}

/// Two blocks whose logs overlap in time, and a head.
fn filled(store: &Store) -> Vec<LogRecord> {
    let mut all = Vec::new();
    for part in 0..3 {
        let mut batch = Batch::default();
        for n in 0..700 {
            let ms = n * 20 + part * 3_000 + part;
            batch.logs.push(log(ms, 200, "free"));
        }
        batch.facts.push(fact(5_000 - part * 1_000));
        store.append(&batch, at(60_000)).unwrap();
        all.extend(batch.logs);
        if part < 2 {
            store.seal_now().unwrap();
        }
    }
    all.sort_by_key(|log| log.at);
    all
}

#[test]
fn logs_and_facts_come_in_the_order_of_time_wherever_they_lie() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path());
    let all = filled(&store);
    let found = store.logs(target(), at(0), at(60_000), usize::MAX).unwrap();
    assert_eq!(found, all);
    let wanted: Vec<LogRecord> = all
        .iter()
        .filter(|log| log.at >= at(2_990) && log.at <= at(9_000))
        .take(100)
        .cloned()
        .collect();
    assert_eq!(
        store.logs(target(), at(2_990), at(9_000), 100).unwrap(),
        wanted
    );
    let facts = store.facts(target(), at(0), at(60_000)).unwrap();
    let times: Vec<_> = facts.iter().map(|fact| fact.at).collect();
    assert_eq!(times, [at(3_000), at(4_000), at(5_000)]);
    let other = "QBBBBBBBBBBBBB".parse().unwrap();
    assert_eq!(store.facts(other, at(0), at(60_000)).unwrap(), []);
}

#[test]
fn a_recorded_window_counts_the_log_lines_it_has_no_room_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.limits.recorded_logs_max = 1_000;
    let (store, _) = Store::open(folder.path(), options).unwrap();
    let all = filled(&store);
    let recorded = store.export_window(target(), at(0), at(60_000)).unwrap();
    assert_eq!(recorded.logs, all[..1_000]);
    assert_eq!(recorded.logs_left_out, 1_100);
    assert_eq!(recorded.facts.len(), 3);
    let read = Recorded::from_bytes(&recorded.to_bytes().unwrap()).unwrap();
    assert_eq!(read, recorded);
    let mut newer = recorded.to_bytes().unwrap();
    newer[0] = 9;
    let error = Recorded::from_bytes(&newer).unwrap_err();
    assert!(error.to_string().contains("newer version"), "{error}");
}
