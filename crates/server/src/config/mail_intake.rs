//! The section `[mail_intake]`: where mail is taken that raises alerts. Without it none is.

use std::net::SocketAddr;

use toml::de::DeValue;

use super::document::{Reader, Section, Shape, described, shown};
use super::value;

/// Its keys.
pub(super) const SHAPE: Shape = Shape {
    name: "mail_intake",
    keys: &["listen", "domain"],
};

/// Where mail is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MailIntake {
    /// The listener.
    pub(crate) listen: SocketAddr,
    /// What stands after the `@`.
    pub(crate) domain: String,
}

pub(super) fn read(reader: &mut Reader<'_>, section: Section<'_>) -> Option<MailIntake> {
    let listen = reader.value(section, "listen", value::listen);
    let domain = reader.value(section, "domain", domain);
    if section.has_any(&["listen"]) && !section.has_any(&["domain"]) {
        let what = "needs domain too: what stands after the @, such as \"alerts.example.org\"";
        reader.refuse(section, "listen", what);
    }
    if section.has_any(&["domain"]) && !section.has_any(&["listen"]) {
        reader.refuse(
            section,
            "domain",
            "needs listen too, such as \"0.0.0.0:25\"",
        );
    }
    Some(MailIntake {
        listen: listen?,
        domain: domain?,
    })
}

/// A name of the domain name system.
fn domain(value: &DeValue<'_>) -> Result<String, String> {
    let expected = "expected a domain such as \"alerts.example.org\"";
    let DeValue::String(given) = value else {
        return Err(format!("{} stands here; {expected}", described(value)));
    };
    let label = |label: &str| {
        let letters = label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        !label.is_empty() && label.len() <= 63 && letters
    };
    if given.len() > 253 || !given.split('.').all(label) {
        return Err(format!("{} is none; {expected}", shown(given)));
    }
    Ok(given.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;
    use super::*;

    fn told(text: &str) -> Result<Option<MailIntake>, String> {
        Config::parse(text, Path::new("tocsin.toml"))
            .map(|config| config.mail_intake)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_listener_needs_a_domain_and_a_domain_a_listener() {
        let both = "[mail_intake]\nlisten = \"0.0.0.0:25\"\ndomain = \"Alerts.Example.org\"";
        let expected = MailIntake {
            listen: "0.0.0.0:25".parse().unwrap(),
            domain: "alerts.example.org".to_owned(),
        };
        assert_eq!(told(both), Ok(Some(expected)));
        assert_eq!(told(""), Ok(None));
        assert_eq!(told("[mail_intake]"), Ok(None));
        let refused = |text: &str, part: &str| {
            let why = told(&format!("[mail_intake]\n{text}")).unwrap_err();
            assert!(why.contains(part), "{why}");
        };
        refused("listen = \"0.0.0.0:25\"", "needs domain too");
        refused("domain = \"a.example\"", "needs listen too");
        refused("listen = \"0.0.0.0:25\"\ndomain = \"a b\"", "is none");
        refused("listen = \"0.0.0.0:25\"\ndomain = 5", "stands here");
    }
}
