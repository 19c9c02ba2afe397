//! `tocsin serve`: opens the data, starts every part, stops them in order.

mod watching;

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use tocsin_domain::state::State;
use tocsin_domain::write::Arrived;
use tocsin_edge::app::{App, Parts};
use tocsin_edge::auditor::{Auditor, Patience};
use tocsin_edge::canary::Post;
use tocsin_edge::delivery::direct::Direct;
use tocsin_edge::delivery::queue::Queue;
use tocsin_edge::delivery::tally::Tally;
use tocsin_edge::delivery::{Delivery, Needs};
use tocsin_edge::feed::Feed;
use tocsin_edge::ports::Metrics;
use tocsin_edge::scrape::Scraping;
use tocsin_edge::vigil::Vigil;
use tocsin_edge::webhooks::{self, Webhooks};
use tocsin_engine::core::{CANARY, EVALUATED_TO};
use tocsin_engine::rules::known_of;
use tocsin_engine::{Clock, Core, EngineHandle, Past, canary_was_seen_at};
use tocsin_journal::JournalReader;
use tocsin_telemetry::{Options, Store};

use crate::accounts::{Doors, Secrets, user_key};
use crate::auditor;
use crate::config::{Config, Retention, Tls};
use crate::data::{self, Data};
use crate::effects::Outlets;
use crate::ending::{Stopped, outcome, serve_until_stopped};
use crate::evidence::{self, Archive};
use crate::journal_port::{LastFailure, Reading, Writing};
use crate::login_link;
use crate::metrics_port::Storing;
use crate::rules::RulesHandle;
use crate::scraping::Files;
use crate::sparing_disk::SparingDisk;
use crate::store_port::Asking;
use crate::system::{IdEntropy, SystemClock};
use crate::watch::{Sight, Standing};
use crate::{duty, upkeep};

/// How often it is looked whether every part still runs.
const PARTS_LOOK: Duration = Duration::from_millis(500);
/// Events of one integration key taken within 60 s (PagerDuty's own limit).
const EVENTS_PER_MINUTE: usize = 120;
const MS_PER_DAY: u64 = 86_400_000;

/// Runs until SIGTERM or SIGINT.
pub(crate) fn run(
    config: &Config,
    insecure_no_auth: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let listener = std::net::TcpListener::bind(config.listen).with_context(|| {
        format!(
            "listening on {} (is another Tocsin or another program there?)",
            config.listen
        )
    })?;
    let listen = listener.local_addr()?;
    let data = data::open(&config.data, config.key_file.as_deref())?;
    let folder = data.lock.directory().to_owned();
    let store = open_store(&folder, config, data.journal.reader())?;
    let public_url = public_url(config, listen);
    let setup_link = login_link::for_setup(&data, &public_url)?;
    let login_link = login_link::when_locked_out(&data, &public_url)?;
    let (parts, auditor) = start_parts(data, store, config, insecure_no_auth, listen, &public_url)?;
    let stopping = Arc::new(AtomicBool::new(false));
    let upkeep = upkeep::start(
        &parts.store,
        &parts.engine,
        &parts.reader,
        Arc::clone(&stopping),
    )?;
    let accounts = Arc::clone(&parts.app.accounts);
    let vault = Arc::clone(&parts.app.vault);
    let duty = duty::start(&parts.engine, accounts, vault, Arc::clone(&stopping))?;
    let watching = watching::start(&parts, config, &folder, &stopping)?;
    let auditing = auditor::start(auditor, Arc::clone(&stopping))?;
    let ended = ended_part(&parts, [&upkeep, &duty, &watching, &auditing]);
    let served = serve_until_stopped(&parts.app, listener, config, ended, || {
        writeln!(out, "Tocsin is ready at {public_url}/ui/")?;
        if let Some(link) = &setup_link {
            writeln!(
                out,
                "It is not set up yet. Open this link once, within a day: {link}"
            )?;
        }
        if let Some(link) = &login_link {
            writeln!(
                out,
                "No administrator can sign in. Open this link once, within a day: {link}"
            )?;
        }
        out.flush()
    });
    stopping.store(true, Ordering::Relaxed);
    drop(watching.join());
    drop(auditing.join());
    parts.scraping.stop();
    parts.rules.stop();
    drop(parts.rules_thread.join());
    parts.delivery.stop();
    parts.webhooks.stop();
    parts.engine.stop();
    let engine_ended = parts.engine_thread.join();
    drop(parts.app);
    drop(parts.evidence_thread.join());
    drop(upkeep.join());
    drop(duty.join());
    outcome(served?, engine_ended)
}

/// Waits until one of the parts has ended that should run for as long as Tocsin does.
async fn ended_part(
    parts: &Running,
    [upkeep, duty, watching, auditing]: [&JoinHandle<()>; 4],
) -> Stopped {
    loop {
        let ended = [
            ("decisions", parts.engine_thread.is_finished()),
            ("delivery", parts.delivery.has_ended()),
            ("webhooks", parts.webhooks.has_ended()),
            ("evidence", parts.evidence_thread.is_finished()),
            ("watching", watching.is_finished()),
            ("upkeep", upkeep.is_finished()),
            ("duty", duty.is_finished()),
            ("auditing", auditing.is_finished()),
            ("rules", parts.rules_thread.is_finished()),
            ("scraping", parts.scraping.has_ended()),
        ];
        if let Some((part, _)) = ended.into_iter().find(|(_, ended)| *ended) {
            tracing::error!(
                part,
                "a part of Tocsin ended; Tocsin ends, so that it can be started again"
            );
            return Stopped::PartEnded(part);
        }
        tokio::time::sleep(PARTS_LOOK).await;
    }
}

/// What runs.
struct Running {
    app: App,
    engine: EngineHandle,
    engine_thread: JoinHandle<tocsin_engine::handle::Ended>,
    rules: RulesHandle,
    rules_thread: JoinHandle<()>,
    scraping: Scraping,
    evidence_thread: JoinHandle<()>,
    delivery: Delivery,
    webhooks: Webhooks,
    store: Arc<Store>,
    reader: JournalReader,
    sight: Arc<Sight>,
    user_key: Vec<u8>,
    // Held until the end: no second server may open the directory.
    _lock: tocsin_journal::DataDirLock,
}

fn open_store(
    folder: &Path,
    config: &Config,
    journal: JournalReader,
) -> anyhow::Result<Arc<Store>> {
    let retention_ms = match config.retention {
        Retention::Days(days) => u64::from(days) * MS_PER_DAY,
        Retention::Forever => u64::MAX,
    };
    let options = Options {
        retention_ms,
        retention_bytes: config.retention_bytes,
        disk: Arc::new(SparingDisk::new(journal)),
        ..Options::default()
    };
    let path = folder.join("telemetry");
    let (store, report) =
        Store::open(&path, options).with_context(|| format!("opening {}", path.display()))?;
    if let Some(tail) = &report.torn_tail {
        tracing::warn!(
            ?tail,
            "telemetry that was being written when Tocsin ended was cut off; none of it had been acknowledged"
        );
    }
    for file in &report.set_aside {
        tracing::error!(
            ?file,
            "a damaged file of the store was set aside; what could be read of it was kept"
        );
    }
    Ok(Arc::new(store))
}

#[expect(
    clippy::too_many_lines,
    reason = "the wiring, each part after those it needs"
)]
fn start_parts(
    data: Data,
    store: Arc<Store>,
    config: &Config,
    insecure_no_auth: bool,
    listen: std::net::SocketAddr,
    public_url: &str,
) -> anyhow::Result<(Running, Auditor)> {
    let Data {
        lock,
        journal,
        vault,
        access,
        state,
    } = data;
    let folder = lock.directory().to_owned();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let reader = journal.reader();
    let past = past(state, &reader, &store)?;
    let last_failure: LastFailure = Arc::new(Mutex::new(None));
    let writing = Writing {
        journal,
        last_failure: Arc::clone(&last_failure),
    };
    let (queue, feed, tally) = (
        Queue::default(),
        Feed::default(),
        Arc::new(Tally::default()),
    );
    let vigil = Arc::new(Vigil::default());
    let (freeze, to_freeze) = evidence::queue();
    let outlets = Outlets {
        delivery: queue.clone(),
        freeze,
        feed: feed.clone(),
        vigil: Arc::clone(&vigil),
    };
    let core = Core::new(
        past,
        writing,
        IdEntropy::default(),
        outlets,
        Arc::clone(&store) as _,
    );
    let (engine, engine_thread) = tocsin_engine::start(core, Arc::clone(&clock));
    let files = Files::read(&config.prometheus, public_url);
    let rules = RulesHandle::new(&files.rules(), files.reading(), engine.read(known_of));
    let rules_thread = rules.start(engine.clone(), Arc::clone(&store))?;
    let archive = Arc::new(Archive {
        folder: folder.join("evidence"),
        engine: engine.clone(),
        reader: reader.clone(),
        store: Arc::clone(&store),
        host_name: host_name(),
    });
    let evidence_thread = evidence::start(Arc::clone(&archive), to_freeze)?;
    let settings = tocsin_edge::app::Settings {
        public_url: public_url.to_owned(),
        listen,
        tls: config.tls != Tls::Off,
        behind_proxy: config.behind_proxy,
        insecure_no_auth,
        egress: crate::egress::of(config)?,
        data_dir: folder,
        mail_domain: config.mail_intake.as_ref().map(|mail| mail.domain.clone()),
        events_per_minute: EVENTS_PER_MINUTE,
        token_requests_per_minute: tocsin_edge::app::TOKEN_REQUESTS_PER_MINUTE,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        answer_wait: tocsin_edge::app::ANSWER_WAIT,
    };
    let user_key = user_key(&access, &vault)?;
    let secrets = Arc::new(Secrets(Arc::clone(&vault)));
    let doors = Arc::new(Doors { access, vault });
    let sending = || Needs {
        engine: engine.clone(),
        clock: Arc::clone(&clock),
        vault: Arc::clone(&secrets) as _,
        accounts: Arc::clone(&doors) as _,
        egress: settings.egress.clone(),
        pace: Arc::new(tocsin_edge::delivery::pace::RealTime),
        public_url: public_url.to_owned(),
        tally: Arc::clone(&tally),
        vigil: Arc::clone(&vigil),
    };
    let delivery = Delivery::start(queue.clone(), sending())?;
    let reading = Arc::new(Reading {
        reader: reader.clone(),
        last_failure,
    });
    let auditor = Auditor::new(
        tocsin_edge::auditor::Needs {
            engine: engine.clone(),
            clock: Arc::clone(&clock),
            events: Arc::clone(&reading) as _,
            health: Arc::clone(&reading) as _,
            queue,
            tally: Arc::clone(&tally),
            vigil: Arc::clone(&vigil),
            direct: Direct::start(sending())?,
            post: Post::new(listen, config.tls != Tls::Off)?,
            public_url: public_url.to_owned(),
        },
        Patience::default(),
    );
    let sight = Arc::new(Sight::new(if config.watch.enabled {
        Standing::NotYet
    } else {
        Standing::Off
    }));
    let metrics: Arc<dyn Metrics> = Arc::new(Storing {
        store: Arc::clone(&store),
        tell: {
            let rules = rules.clone();
            move |arrived: &Arrived| rules.arrived(arrived)
        },
    });
    let (reloading, scraper, scraping) = files.start(rules.clone(), Arc::clone(&metrics))?;
    let app = App::new(Parts {
        engine: engine.clone(),
        clock,
        events: Arc::clone(&reading) as _,
        vault: secrets,
        accounts: doors,
        telemetry: Arc::new(Asking(Arc::clone(&store))),
        metrics,
        rules: Arc::new(reloading),
        scrape_targets: Arc::new(scraper),
        evidences: archive,
        health: reading,
        watch: Arc::clone(&sight) as _,
        feed,
        tally,
        vigil,
        settings,
    });
    let webhooks = Webhooks::start(app.clone(), webhooks::Patience::default())?;
    let running = Running {
        app,
        engine,
        engine_thread,
        rules,
        rules_thread,
        scraping,
        evidence_thread,
        delivery,
        webhooks,
        store,
        reader,
        sight,
        user_key,
        _lock: lock,
    };
    Ok((running, auditor))
}

/// What the run before left: its state, and the samples that it stored but asked no monitor about.
fn past(state: State, reader: &JournalReader, store: &Store) -> anyhow::Result<Past> {
    let evaluated_to_ms = reader
        .meta(EVALUATED_TO)?
        .and_then(|text| text.parse().ok());
    let unseen_ms = match evaluated_to_ms {
        Some(seen) => store.sample_times_since(seen + 1)?.collect(),
        None => Vec::new(),
    };
    let canary = reader.meta(CANARY)?;
    Ok(Past {
        state,
        evaluated_to_ms,
        unseen_ms,
        clock_seen: canary.as_deref().and_then(canary_was_seen_at),
    })
}

pub(crate) fn host_name() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = text.trim();
    if name.is_empty() {
        "this machine".to_owned()
    } else {
        name.to_owned()
    }
}

/// What every link begins with: as configured, else the listener's own address.
pub(crate) fn public_url(config: &Config, listen: std::net::SocketAddr) -> String {
    let scheme = if config.tls == Tls::Off {
        "http"
    } else {
        "https"
    };
    let own = || format!("{scheme}://{listen}");
    config
        .public_url
        .clone()
        .map_or_else(own, |url| url.trim_end_matches('/').to_owned())
}
