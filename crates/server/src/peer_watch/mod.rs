//! `tocsin watch`: a second host asks a Tocsin whether it is able to page, and pages by its own way when it is not. Nothing that
//! happens on the network ends it.

mod failing;
mod judge;
mod lookout;
mod outage;
mod settings;

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Url};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use tocsin_domain::page::Outcome;
use tocsin_domain::time::Timestamp;
use tocsin_edge::delivery::outside::{Outlet, Outside, Told};
use tocsin_engine::Clock;
use tocsin_wire::page_message::{Kind, PageMessage, Urgency};
use tokio::runtime::{Builder, Runtime};

use self::judge::{Answer, Reading};
use self::lookout::{Lookout, Moment};
use self::outage::{Due, News, Outage, Patience};
use self::settings::Settings;
pub(crate) use self::settings::WatchArguments;
use crate::system::{SystemClock, hex};

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a hash that tell a place from the few others.
const MARK_BYTES: usize = 8;

/// Watches until it is ended by a signal.
pub(crate) fn run(
    given: &WatchArguments,
    ca: Option<&Path>,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let settings = Settings::of(given, ca)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let client = client(&settings)?;
    let outside = Outside::new(settings.egress.clone(), settings.senders.clone())?;
    let patience = Patience {
        fails_ms: settings.fails_ms,
        remind_ms: settings.remind_ms,
        again_ms: settings.again_ms,
    };
    let places: Vec<String> = settings.outlets.iter().map(mark).collect();
    let mut kept = read(&settings.state)?;
    let mut lookout = Lookout::new(kept.clone().taken_up(&places));
    writeln!(
        out,
        "Watching {}; an outage is told to {} places.",
        settings.peer,
        settings.outlets.len()
    )?;
    out.flush()?;
    let (began, mut took_token) = (Instant::now(), None);
    loop {
        let reading = Reading::of(ask(&runtime, &client, &settings));
        if settings.token.is_some() {
            note_token(&mut took_token, reading.took_token());
        }
        let now = SystemClock.now();
        let ran = began.elapsed();
        let found = lookout.take_in(&reading, Moment { ran, now }, patience, &places);
        if let Some(why) = &found.wrong {
            tracing::warn!(peer = %settings.peer, %why, "the watched server is not well");
        }
        if let Some(due) = &found.due {
            let message = message(&due.news, found.wrong.as_deref(), now, &settings.peer);
            let told = outside.send(&outlets(due, &settings), &message, now);
            lookout.went(due, &outcomes(&told), now, &places);
        }
        if *lookout.outage() != kept {
            kept = lookout.outage().clone();
            keep(&settings.state, &kept);
        }
        std::thread::sleep(Duration::from_millis(settings.every_ms));
    }
}

/// What a place is known by in what is kept, which must tell nobody its address.
fn mark(outlet: &Outlet) -> String {
    let address = outlet.address().expose_secret();
    let named = format!("{}:{address}", outlet.word());
    hex(&Sha256::digest(named.as_bytes())[..MARK_BYTES])
}

fn outlets(due: &Due, settings: &Settings) -> Vec<Outlet> {
    let places = due.places.iter();
    let outlets = places.filter_map(|place| settings.outlets.get(*place));
    outlets.cloned().collect()
}

/// How it went with each place, which is logged.
fn outcomes(told: &[Told]) -> Vec<Outcome> {
    for one in told {
        match one.outcome {
            Outcome::Accepted => tracing::info!(kind = one.kind, "told"),
            Outcome::TimedOut | Outcome::Unanswered => {
                tracing::error!(kind = one.kind, why = %one.detail, "a place may not have been told");
            }
            Outcome::Failed | Outcome::Refused => {
                tracing::error!(kind = one.kind, why = %one.detail, "a place could not be told");
            }
        }
    }
    told.iter().map(|one| one.outcome).collect()
}

fn client(settings: &Settings) -> anyhow::Result<Client> {
    let builder = Client::builder()
        .user_agent(concat!("tocsin-watch/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .no_proxy()
        // Each question is a connection of its own, as that of anybody who needs the server would be.
        .pool_max_idle_per_host(0)
        .timeout(Duration::from_millis(settings.answer_ms));
    let builder = match &settings.ca {
        Some(file) => {
            let bytes = std::fs::read(file).with_context(|| format!("--ca {}", file.display()))?;
            let authorities = Certificate::from_pem_bundle(&bytes);
            let authorities = authorities.with_context(|| format!("--ca {}", file.display()))?;
            if authorities.is_empty() {
                bail!("--ca {}: there is no certificate in it", file.display());
            }
            builder.tls_certs_only(authorities)
        }
        // A machine without any certificates must still be able to speak plain http.
        None if settings.peer.scheme() == "http" => builder.tls_certs_only([]),
        None => builder,
    };
    builder.build().context("preparing TLS")
}

/// Says so when the peer begins or ceases to take the token: it pages all the same, and misses nobody who stops to watch it.
fn note_token(known: &mut Option<bool>, took: Option<bool>) {
    if took.is_none() || took == *known {
        return;
    }
    *known = took;
    if took == Some(true) {
        tracing::info!("the watched server knows this watcher by its token");
    } else {
        tracing::warn!(
            "the watched server does not take the token: it is watched, and does not know by whom"
        );
    }
}

/// Asks the peer; with a token, so that it knows who watches it.
fn ask(runtime: &Runtime, client: &Client, settings: &Settings) -> Answer {
    let mut url = settings.peer.clone();
    if let Ok(mut steps) = url.path_segments_mut() {
        steps.pop_if_empty().push("readyz");
    }
    if settings.token.is_some() {
        let every_ms = settings.every_ms.to_string();
        url.query_pairs_mut()
            .append_pair("watch_every_ms", &every_ms);
    }
    let request = client.get(url);
    let request = match &settings.token {
        Some(token) => request.bearer_auth(token.expose_secret()),
        None => request,
    };
    let asked = runtime.block_on(async {
        let mut response = request.send().await?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                break;
            }
            body.extend_from_slice(&chunk);
        }
        Ok::<_, reqwest::Error>(Answer::Http { status, body })
    });
    asked.unwrap_or_else(|error| Answer::None(innermost(&error.without_url())))
}

/// The innermost words of an error, which say what happened.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

fn message(news: &News, wrong: Option<&str>, now: Timestamp, peer: &Url) -> PageMessage {
    let peer = peer.as_str().trim_end_matches('/');
    let (kind, since, key, title) = match news {
        News::Down { since, before } => (
            Kind::Page,
            since,
            format!("watch-{}-{before}", since.as_millis()),
            format!("Tocsin at {peer} is not able to page"),
        ),
        News::Back { since } => (
            Kind::Resolved,
            since,
            format!("watch-{}-back", since.as_millis()),
            format!("Tocsin at {peer} is able to page again"),
        ),
    };
    let mut details = vec![("Failing from".to_owned(), since.to_rfc3339())];
    details.extend(wrong.map(|why| ("What is wrong".to_owned(), why.to_owned())));
    PageMessage {
        kind,
        idempotency_key: key,
        incident_number: None,
        incident_id: String::new(),
        title,
        others: 0,
        urgency: Urgency::High,
        service: "Tocsin itself".to_owned(),
        target: None,
        onset: None,
        opened_at: now,
        reason: "tocsin watch runs on another machine and was told to tell you".to_owned(),
        details,
        link: format!("{peer}/ui/"),
        answer_link: None,
        runbook: Some("Look at that machine, then at `tocsin doctor` and the log there; watch by hand until it is mended.".to_owned()),
        verification_code: None,
    }
}

/// What was known before; a file that cannot be read is a reason to stop only at the start, where somebody sees it.
fn read(path: &Path) -> anyhow::Result<Outage> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            tracing::warn!(%error, path = %path.display(), "what was remembered cannot be read; it begins anew");
            Outage::default()
        })),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Outage::default()),
        Err(error) => Err(error).with_context(|| format!("{}", path.display())),
    }
}

/// Keeps it for its owner alone: by the mark of a place that is easily guessed, such as a mail address, others could prove a guess.
fn keep(path: &Path, outage: &Outage) {
    let kept = serde_json::to_vec(outage)
        .map_err(std::io::Error::from)
        .and_then(|bytes| {
            let new = path.with_extension("new");
            // One that a crash left behind may be open to others.
            match std::fs::remove_file(&new) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            let mut options = OpenOptions::new();
            let mut file = options
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&new)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            std::fs::rename(&new, path)
        });
    if let Err(error) = kept {
        tracing::error!(%error, path = %path.display(), "an outage could not be remembered; a restart may tell it twice");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_remembered_is_for_its_owner_alone_whatever_was_left_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        for left in [&path, &path.with_extension("new")] {
            std::fs::write(left, "{}").unwrap();
            std::fs::set_permissions(left, std::fs::Permissions::from_mode(0o644)).unwrap();
        }
        for _ in 0..2 {
            keep(&path, &Outage::default());
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            assert_eq!(read(&path).unwrap(), Outage::default());
        }
    }
}
