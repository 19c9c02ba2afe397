//! Recorded status pages of Apache 2.4.71 and what must be read from them.

use proptest::prelude::*;

use super::*;

fn read(page: &str) -> Status {
    parse(page.as_bytes()).unwrap()
}

#[test]
fn an_idle_event_server_is_read_in_full() {
    let status = read(include_str!("testdata/event_idle.txt"));
    assert_eq!(status.host.as_deref(), Some("127.0.0.1"));
    assert_eq!(
        status.server_version.as_deref(),
        Some("Apache/2.4.71 (Debian)")
    );
    assert_eq!(status.mpm.as_deref(), Some("event"));
    assert_eq!(
        (status.busy_workers, status.idle_workers),
        (Some(1), Some(9))
    );
    assert_eq!(status.graceful_workers, Some(0));
    assert_eq!(status.workers_max(), Some(10));
    assert_eq!(status.total_accesses, Some(10));
    assert_eq!(status.total_bytes(), Some(4_096));
    assert_eq!(status.total_duration_ms, Some(32));
    assert_eq!(status.uptime_seconds, Some(1));
    assert_eq!(status.processes, Some(2));
    assert_eq!(status.connections_total, Some(0));
    assert_eq!(status.connections_wait_io, Some(0));
    assert_eq!(status.cpu_load, None, "left out while it is zero");
    assert_eq!(status.cpu_seconds, Some(0.0));
    assert_eq!(status.load, [Some(0.69), Some(0.33), Some(0.15)]);
    assert_eq!(status.unread_lines, 0);
    assert!(status.other.contains_key("RestartTime"));
}

#[test]
fn a_saturated_server_shows_no_idle_worker() {
    for (page, workers) in [
        (include_str!("testdata/event_busy.txt"), 10),
        (include_str!("testdata/worker_busy.txt"), 10),
        (include_str!("testdata/prefork_busy.txt"), 4),
    ] {
        let status = read(page);
        assert_eq!(status.busy_workers, Some(workers));
        assert_eq!(status.idle_workers, Some(0));
        assert_eq!(status.workers_max(), Some(workers));
        let board = status.scoreboard.unwrap();
        assert_eq!(board.count(WorkerState::ReadingRequest), workers - 1);
        assert_eq!(board.count(WorkerState::SendingReply), 1);
    }
}

#[test]
fn open_slots_count_towards_the_ceiling() {
    let board = read(include_str!("testdata/prefork_idle.txt"))
        .scoreboard
        .unwrap();
    assert_eq!(board.count(WorkerState::OpenSlot), 2);
    assert_eq!(board.len(), 4);
    assert_eq!(board.each().map(|(_, count)| count).sum::<u64>(), 4);
}

#[test]
fn a_graceful_reload_raises_the_generations_and_keeps_the_counters() {
    let before = read(include_str!("testdata/event_busy.txt"));
    let after = read(include_str!("testdata/event_reloaded.txt"));
    assert!(after.config_generation > before.config_generation);
    assert!(after.mpm_generation > before.mpm_generation);
    assert!(after.uptime_seconds > before.uptime_seconds);
    assert!(after.total_accesses > before.total_accesses);
}

#[test]
fn every_recorded_page_is_understood() {
    for page in [
        include_str!("testdata/event_reloaded.txt"),
        include_str!("testdata/worker_idle.txt"),
        include_str!("testdata/worker_reloaded.txt"),
        include_str!("testdata/prefork_reloaded.txt"),
    ] {
        let status = read(page);
        assert_eq!(status.unread_lines, 0);
        assert!(status.busy_workers.is_some() && status.config_generation.is_some());
    }
}

#[test]
fn a_page_that_is_something_else_is_refused_with_the_reason() {
    let html = parse(include_bytes!("testdata/event_status.html"));
    assert!(matches!(html, Err(NotAStatusPage::Html { .. })));
    let missing = parse(include_bytes!("testdata/event_404.html")).unwrap_err();
    assert!(missing.to_string().contains("?auto"), "{missing}");
    assert_eq!(parse(b" \r\n"), Err(NotAStatusPage::Empty));
    let other = parse(b"status: ok\nworkers: many\n").unwrap_err();
    assert!(matches!(other, NotAStatusPage::OtherText { .. }));
}

#[test]
fn a_basic_page_and_unknown_fields_are_tolerated() {
    let status = read(
        "BusyWorkers: 3\nIdleWorkers: x\nProxyBalancer[0]Worker[0]Status: Init Ok \nnoise\nScoreboard: _?W\n",
    );
    assert_eq!(status.host, None);
    assert_eq!(status.busy_workers, Some(3));
    assert_eq!(status.idle_workers, None);
    assert_eq!(status.total_accesses, None);
    assert_eq!(
        status
            .other
            .get("ProxyBalancer[0]Worker[0]Status")
            .map(String::as_str),
        Some("Init Ok")
    );
    assert_eq!(status.unread_lines, 1);
    assert_eq!(status.scoreboard.unwrap().count(WorkerState::Unknown), 1);
}

#[test]
fn a_host_name_with_a_port_or_a_version_6_address_stays_a_host_name() {
    assert_eq!(read("::1\nBusyWorkers: 1\n").host.as_deref(), Some("::1"));
    assert_eq!(
        read("web:8080\nBusyWorkers: 1\n").host.as_deref(),
        Some("web:8080")
    );
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = parse(&body);
    }

    #[test]
    fn no_damage_to_a_real_page_makes_it_panic(at in 0_usize..700, byte in any::<u8>(), cut in 0_usize..740) {
        let mut page = include_bytes!("testdata/event_busy.txt").to_vec();
        if let Some(slot) = page.get_mut(at) { *slot = byte; }
        page.truncate(cut);
        let _ = parse(&page);
    }
}
