//! Tells subscribers what happens to incidents, as PagerDuty's webhooks v3 do: each subscription in its own order, one attempt at a
//! time, from where it had come to. It runs on a thread of its own that paging does not wait for.

mod cursors;
pub(crate) mod kept;
mod lane;
mod progress;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tocsin_domain::id::WebhookId;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::delivery::StartError;
use crate::delivery::exchange::Exchange;
use crate::delivery::pace::RealTime;
use cursors::Cursors;

/// How long is waited for what.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How often it is looked for what is new.
    pub look: Duration,
    /// A receiver must have answered within this time.
    pub attempt: Duration,
    /// After the first attempt that failed so long is waited; twice as long after each further one.
    pub retry_first: Duration,
    /// But not longer than this.
    pub retry_max: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            look: Duration::from_millis(200),
            attempt: Duration::from_secs(5),
            retry_first: Duration::from_secs(5),
            retry_max: Duration::from_secs(15 * 60),
        }
    }
}

/// What all subscriptions share.
struct Shared {
    app: App,
    exchange: Exchange,
    cursors: Arc<Cursors>,
    patience: Patience,
}

/// Running deliveries to subscribers; they stop when told, or when this is dropped.
pub struct Webhooks {
    runtime: Option<Runtime>,
    supervisor: JoinHandle<()>,
}

impl Webhooks {
    /// Goes on with each subscription where it had come to.
    ///
    /// # Errors
    /// As [`StartError`] says; nothing was sent.
    pub fn start(app: App, patience: Patience) -> Result<Self, StartError> {
        crate::tls::install_provider();
        // What may fail comes before there are threads.
        let exchange = Exchange::new(app.settings.egress.clone(), Arc::new(RealTime))?;
        let published = app.read(|state| state.position);
        let cursors = Arc::new(Cursors::load(app.accounts.as_ref(), published)?);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("webhooks")
            .enable_all()
            .build()?;
        let shared = Arc::new(Shared {
            app,
            exchange,
            cursors,
            patience,
        });
        let supervisor = runtime.spawn(supervise(shared));
        Ok(Self {
            runtime: Some(runtime),
            supervisor,
        })
    }

    /// Whether nothing is sent any more although nobody stopped it.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.supervisor.is_finished()
    }

    /// Begins no further attempt. One that is under way is made again by the next start.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Webhooks {
    fn drop(&mut self) {
        self.end();
    }
}

/// Keeps a lane for each subscription, and tells all of them how far the journal has come.
async fn supervise(shared: Arc<Shared>) {
    let (tell, news) = watch::channel(0_u64);
    let mut lanes: BTreeMap<WebhookId, JoinHandle<()>> = BTreeMap::new();
    loop {
        let (position, known) = shared.app.read(|state| {
            let known: Vec<WebhookId> = state.webhooks.keys().copied().collect();
            (state.position, known)
        });
        lanes.retain(|id, lane| {
            let is_known = known.contains(id);
            if !is_known {
                lane.abort();
            }
            // One that has ended by a fault begins again.
            is_known && !lane.is_finished()
        });
        shared.cursors.keep_only(&known);
        for id in known {
            let lane = || tokio::spawn(lane::run(Arc::clone(&shared), id, news.clone()));
            lanes.entry(id).or_insert_with(lane);
        }
        tell.send_if_modified(|known| {
            let is_news = *known != position;
            *known = position;
            is_news
        });
        tokio::time::sleep(shared.patience.look).await;
    }
}
