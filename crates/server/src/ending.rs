//! How Tocsin ends: as it was told, or because a part of it ended by itself, which its supervisor must learn. Only the
//! sockets are stopped here; the other parts by who started them.

use std::time::Duration;

use anyhow::Context;
use tocsin_edge::app::App;
use tocsin_edge::connections_within;

use crate::config::{Config, Tls};
use crate::serve::host_name;
use crate::system::files_max;

/// How long an orderly end may take after a part has ended by itself.
const ORDERLY_END_WAIT: Duration = Duration::from_secs(15);

/// Why serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// A signal asked for it.
    Told,
    /// This part ended before it was told to.
    PartEnded(&'static str),
}

/// A part that ended by itself is an error, so that whoever supervises Tocsin starts it again.
pub(crate) fn outcome(
    stopped: Stopped,
    engine: std::thread::Result<tocsin_engine::handle::Ended>,
) -> anyhow::Result<()> {
    match (stopped, engine) {
        (_, Ok(Err(why))) => {
            anyhow::bail!("the engine stopped: {why}; what was acknowledged is kept")
        }
        (Stopped::PartEnded(part), Ok(Ok(())) | Err(_)) => anyhow::bail!(
            "the part that does {part} ended by a fault of Tocsin itself (see the log); what was acknowledged is kept: \
             start Tocsin again"
        ),
        (Stopped::Told, Err(_)) => anyhow::bail!(
            "the engine ended by a fault of Tocsin itself (see the log); what was acknowledged is kept"
        ),
        (Stopped::Told, Ok(Ok(()))) => Ok(()),
    }
}

/// Serves until a signal comes or `ended` tells that a part has ended.
pub(crate) fn serve_until_stopped(
    app: &App,
    listener: std::net::TcpListener,
    config: &Config,
    ended: impl Future<Output = Stopped>,
    ready: impl FnOnce() -> std::io::Result<()>,
) -> anyhow::Result<Stopped> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("http")
        .enable_all()
        .build()?;
    let tls = match &config.tls {
        Tls::Off => tocsin_edge::tls::Tls::Off,
        Tls::Files { cert, key } => tocsin_edge::tls::Tls::Files {
            cert: cert.clone(),
            key: key.clone(),
        },
        Tls::SelfSigned => tocsin_edge::tls::Tls::SelfSigned {
            data_dir: config.data.clone(),
            names: vec![listener.local_addr()?.ip().to_string(), host_name()],
        },
    };
    runtime.block_on(async {
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        let hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
        tokio::spawn(reload_on(hangup, app.clone()));
        let (tell, told) = tokio::sync::oneshot::channel();
        start_mail_intake(app, config, &tls).await?;
        let stop = async move {
            // A sender that is gone means that serving has ended already.
            let _ = told.await;
        };
        ready()?;
        let connections_max = connections_within(files_max());
        let serving = tocsin_edge::serve(listener, app.clone(), &tls, connections_max, stop);
        let stopping = async {
            let stopped = tokio::select! {
                _ = terminate.recv() => Stopped::Told,
                _ = tokio::signal::ctrl_c() => Stopped::Told,
                part = ended => {
                    end_by_force_later();
                    part
                }
            };
            let _ = tell.send(());
            stopped
        };
        tokio::pin!(serving, stopping);
        tokio::select! {
            served = &mut serving => {
                served?;
                anyhow::Ok(Stopped::Told)
            }
            stopped = &mut stopping => {
                serving.await?;
                anyhow::Ok(stopped)
            }
        }
    })
}

/// Takes mail that raises alerts, where that is set, for as long as the runtime runs.
async fn start_mail_intake(
    app: &App,
    config: &Config,
    tls: &tocsin_edge::tls::Tls,
) -> anyhow::Result<()> {
    let Some(mail) = &config.mail_intake else {
        return Ok(());
    };
    let listener = std::net::TcpListener::bind(mail.listen)
        .with_context(|| format!("listening on {} for mail", mail.listen))?;
    let intake = tocsin_edge::MailIntake::new(listener, &mail.domain, tls, app.clone()).await?;
    tokio::spawn(intake.run());
    Ok(())
}

/// Reads the rule files anew whenever the signal comes. How it went is logged by who reads them.
async fn reload_on(mut hangup: tokio::signal::unix::Signal, app: App) {
    while hangup.recv().await.is_some() {
        let rules = std::sync::Arc::clone(&app.rules);
        let reloading = tokio::task::spawn_blocking(move || rules.reload());
        if let Ok(Err(why)) = reloading.await {
            tracing::error!(%why, "SIGHUP: rule files were not reloaded");
        }
    }
}

/// Ends the process when it does not end in order: nobody would be watching, and nothing would start it again.
fn end_by_force_later() {
    std::thread::spawn(|| {
        std::thread::sleep(ORDERLY_END_WAIT);
        tracing::error!("the other parts did not end in time");
        std::process::exit(1);
    });
}

#[cfg(test)]
mod tests {
    use tocsin_engine::NotDurable;

    use super::*;

    #[test]
    fn only_an_end_that_somebody_asked_for_is_a_success() {
        let fenced = || NotDurable {
            why: "another Tocsin took over this journal".to_owned(),
            disk_full: false,
        };
        let panicked = || Err(Box::new("a fault") as Box<dyn std::any::Any + Send>);
        let told = |stopped, engine| outcome(stopped, engine).map_err(|error| error.to_string());
        assert_eq!(told(Stopped::Told, Ok(Ok(()))), Ok(()));
        let taken = told(Stopped::PartEnded("decisions"), Ok(Err(fenced())));
        assert!(taken.unwrap_err().contains("took over this journal"));
        assert!(told(Stopped::PartEnded("decisions"), panicked()).is_err());
        assert!(told(Stopped::Told, panicked()).is_err());
        let evidence = told(Stopped::PartEnded("evidence"), Ok(Ok(())));
        assert!(evidence.unwrap_err().contains("does evidence"));
    }
}
