//! Whether the buttons in the messages of an account are heard, as the API writes it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::delivery::account::Provider;
use crate::delivery::ears::Hearing;
use crate::http::shape::Instant;

/// Whether the buttons in messages are heard.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Buttons {
    /// Where they are not, messages carry a link instead.
    heard: bool,
    /// Since when it is so.
    since: Instant,
    /// Why they are not.
    detail: Option<String>,
}

/// How it is at a provider.
pub(super) fn shown(app: &App, provider: Provider) -> Option<Buttons> {
    let known = app.tally.ears().hearing(provider)?;
    Some(match known {
        Hearing::Heard { since } => Buttons {
            heard: true,
            since: Instant(since),
            detail: None,
        },
        Hearing::Deaf { since, why } => Buttons {
            heard: false,
            since: Instant(since),
            detail: Some(why),
        },
    })
}
