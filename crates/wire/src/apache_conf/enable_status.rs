//! The lines to paste where the status page is missing; it pastes nothing itself.

use std::path::Path;

/// How a distribution arranges Apache's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// Debian, Ubuntu: `/etc/apache2`, `a2enmod`.
    Debian,
    /// Red Hat, Fedora, Rocky, Amazon: `/etc/httpd`.
    RedHat,
    /// Any other.
    Generic,
}

impl Layout {
    /// The layout that goes with a main configuration file.
    fn of(config_path: &str) -> Self {
        let folder = Path::new(config_path).parent().unwrap_or(Path::new("/"));
        let root = if folder.ends_with("conf") {
            folder.parent().unwrap_or(folder)
        } else {
            folder
        };
        match root.to_str() {
            Some("/etc/apache2") => Self::Debian,
            Some("/etc/httpd") => Self::RedHat,
            Some(_) | None => Self::Generic,
        }
    }
}

/// Something to paste, and where: a person must be able to copy the one without the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paste {
    /// Where it goes and what else there is to do, in words without a full stop.
    pub how: String,
    /// Exactly what to paste.
    pub snippet: String,
}

/// What the configuration needs for a status page that only this machine can read.
const STATUS_LINES: &str = "\
ExtendedStatus On
<Location \"/server-status\">
    SetHandler server-status
    Require local
</Location>
";

const ROOT_SHELL: &str = "paste this into a shell as root; it reloads the server only when its own test of the configuration passes";

/// What to paste so that Tocsin can read the status page, for a person with root's rights, by the place of the server's main
/// configuration file. The server is reloaded only after its own test has passed.
#[must_use]
pub fn enable_status(config_path: &str) -> Paste {
    match Layout::of(config_path) {
        Layout::Debian => Paste {
            how: ROOT_SHELL.to_owned(),
            snippet: format!(
                "a2enmod status\n\
                 cat > /etc/apache2/conf-available/tocsin-status.conf <<'END'\n{STATUS_LINES}END\n\
                 a2enconf tocsin-status\n\
                 apache2ctl configtest && systemctl reload apache2\n"
            ),
        },
        Layout::RedHat => Paste {
            how: ROOT_SHELL.to_owned(),
            snippet: format!(
                "cat > /etc/httpd/conf.d/tocsin-status.conf <<'END'\n{STATUS_LINES}END\n\
                 apachectl configtest && systemctl reload httpd\n"
            ),
        },
        Layout::Generic => Paste {
            how: format!(
                "add this to {config_path}, outside of any <VirtualHost>, then run `apachectl configtest && apachectl graceful`"
            ),
            snippet: format!(
                "<IfModule !status_module>\n    LoadModule status_module modules/mod_status.so\n</IfModule>\n{STATUS_LINES}"
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_into_a_file_is_configuration_and_what_is_pasted_into_a_shell_are_commands() {
        let generic = enable_status("/opt/apache/conf/httpd.conf");
        assert!(
            generic
                .how
                .contains("add this to /opt/apache/conf/httpd.conf"),
            "{}",
            generic.how
        );
        assert!(
            !generic.snippet.contains("apachectl"),
            "{}",
            generic.snippet
        );
        for (path, first) in [
            ("/etc/apache2/apache2.conf", "a2enmod status\n"),
            (
                "/etc/httpd/conf/httpd.conf",
                "cat > /etc/httpd/conf.d/tocsin-status.conf <<'END'\n",
            ),
        ] {
            let paste = enable_status(path);
            assert!(paste.how.contains("shell as root"), "{}", paste.how);
            assert!(paste.snippet.starts_with(first), "{}", paste.snippet);
            assert!(paste.snippet.contains("configtest && systemctl reload"));
        }
    }
}
