//! Whether the buttons in messages are heard.

use super::Check;
use crate::app::App;
use crate::delivery::account::Provider;
use crate::delivery::ears::Hearing;

/// How it is at each provider at which somebody is to listen.
pub(super) fn checks(app: &App) -> Vec<Check> {
    let known = Provider::ALL.into_iter().filter_map(|provider| {
        let hearing = app.tally.ears().hearing(provider)?;
        Some(check(provider, &hearing))
    });
    known.collect()
}

fn check(provider: Provider, hearing: &Hearing) -> Check {
    let name = format!("{} buttons", provider.word());
    match hearing {
        Hearing::Heard { since } => Check::ok(&name, format!("heard since {since}")),
        Hearing::Deaf { since, why } => {
            let detail =
                format!("not heard since {since}, so messages carry a link instead: {why}");
            Check::warn(&name, detail, fix(provider))
        }
    }
}

const fn fix(provider: Provider) -> &'static str {
    match provider {
        Provider::Slack => {
            "see that Socket Mode is switched on, and set the app-level token anew: `tocsin channel account set slack --listener-token-file FILE`"
        }
        Provider::Telegram => {
            "see that the token is right, and that nothing else asks for this bot's updates: no webhook, no other program, no second Tocsin"
        }
        Provider::Twilio | Provider::Pushover | Provider::WebPush | Provider::PagerDuty => {
            "see the provider's words"
        }
    }
}
