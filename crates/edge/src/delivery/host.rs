//! Which host an attempt goes to, so that addresses that hang together are counted together. It resolves nothing.

use reqwest::Url;
use tocsin_domain::people::ChannelKind;
use tocsin_wire::slack;
use tocsin_wire::web_push::Subscription;

use super::account::Account;

/// Host and port of an address that has one of its own, or of the account that it is reached by among others that have; none where
/// a channel has one provider for all.
pub(super) fn host_of(
    channel: ChannelKind,
    address: &str,
    account: Option<&Account>,
) -> Option<String> {
    let url = match channel {
        ChannelKind::Webhook | ChannelKind::Ntfy => Url::parse(address),
        ChannelKind::WebPush => Url::parse(&Subscription::read(address).ok()?.endpoint),
        // An incoming webhook may be anywhere; members are all reached by the app.
        ChannelKind::Slack if slack::is_member(address) => Url::parse(&account?.base_url),
        ChannelKind::Slack => Url::parse(address),
        ChannelKind::Email
        | ChannelKind::Telegram
        | ChannelKind::Pushover
        | ChannelKind::Sms
        | ChannelKind::Voice
        | ChannelKind::PagerDuty => return None,
    };
    let url = url.ok()?;
    Some(format!(
        "{}:{}",
        url.host_str()?,
        url.port_or_known_default()?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_server_have_one_host() {
        let account = Account {
            base_url: "https://slack.com".to_owned(),
            ..Account::default()
        };
        let check = |channel, address: &str, expected: Option<&str>| {
            let host = host_of(channel, address, Some(&account));
            assert_eq!(host.as_deref(), expected, "{address}");
        };
        let (ntfy, hook) = (ChannelKind::Ntfy, ChannelKind::Webhook);
        check(ntfy, "https://ntfy.example/a", Some("ntfy.example:443"));
        check(ntfy, "https://NTFY.example/b", Some("ntfy.example:443"));
        check(hook, "http://127.0.0.1:8080/x", Some("127.0.0.1:8080"));
        check(hook, "no address", None);
        let slack = ChannelKind::Slack;
        check(slack, "U024BE7LH", Some("slack.com:443"));
        let own = "https://hooks.example/services/x";
        check(slack, own, Some("hooks.example:443"));
        check(ChannelKind::Email, "ada@example.org", None);
    }
}
