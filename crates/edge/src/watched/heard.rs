//! Hears watchers ask, by the tokens that they show, and writes down who they are. Nobody who asks waits for a disk because of it.

use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use tocsin_domain::id::TokenId;

use crate::access::authenticate::token_of;
use crate::app::{App, Parts};

/// The setting that watchers are written down in.
const SETTING: &str = "watchers";
/// How long a token is looked up: who asks must be answered while the accounts cannot be read.
const TOKEN_WAIT: Duration = Duration::from_secs(1);

/// Takes up who watched before the start.
pub(crate) fn take_up(parts: &Parts) {
    let text = match parts.accounts.setting(SETTING) {
        Ok(text) => text,
        Err(error) => {
            tracing::warn!(%error, "who watches this server cannot be read; it is known again when they ask");
            return;
        }
    };
    let Some(text) = text else {
        return;
    };
    if let Err(error) = parts.vigil.watched.take_up(&text, Instant::now()) {
        tracing::warn!(%error, "who watches this server cannot be understood; it is known again when they ask");
    }
}

/// Notes that a watcher asked that will again after `every_ms`, by the living token that it shows; gives what that is called. Who
/// shows none is nobody that is waited for: anybody may ask.
pub(crate) async fn note(app: &App, headers: &HeaderMap, every_ms: u64) -> Option<String> {
    let watched = &app.vigil.watched;
    match tokio::time::timeout(TOKEN_WAIT, token_of(app, headers)).await {
        Ok(Ok(token)) => {
            let token = token?;
            if watched.asked(&token, every_ms, Instant::now(), app.now()) {
                write(app);
            }
            Some(token.name)
        }
        Ok(Err(_)) | Err(_) => {
            watched.asked_by_any(Instant::now());
            None
        }
    }
}

/// Forgets watchers whose tokens were revoked, or went with whom they belonged to: they shall watch no more.
pub(crate) async fn forget_revoked(app: &App) {
    if app.vigil.watched.is_empty() {
        return;
    }
    let Ok(tokens) = app.blocking(|parts| parts.accounts.tokens()).await else {
        return;
    };
    let living: Vec<TokenId> = tokens.iter().map(|token| token.id).collect();
    if app.vigil.watched.keep_only(&living) {
        write(app);
    }
}

/// Writes down who watches, on a thread that nobody waits for.
fn write(app: &App) {
    let app = app.clone();
    let writing = tokio::task::spawn_blocking(move || {
        let text = app.vigil.watched.text();
        let written = text.map_err(|error| error.to_string()).and_then(|text| {
            let written = app.accounts.set_setting(SETTING, &text);
            written.map_err(|error| error.to_string())
        });
        if let Err(error) = written {
            tracing::warn!(
                error,
                "who watches this server was not written down; after a restart it is known again when they ask"
            );
        }
    });
    drop(writing);
}
