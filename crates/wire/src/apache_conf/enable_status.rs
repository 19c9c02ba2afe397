//! The lines to paste where the status page is missing; it pastes nothing itself.

/// How a distribution arranges Apache's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Debian, Ubuntu: `/etc/apache2`, `a2enmod`.
    Debian,
    /// Red Hat, Fedora, Rocky, Amazon: `/etc/httpd`.
    RedHat,
    /// Any other.
    Generic,
}

impl Layout {
    /// The layout that goes with a server root.
    #[must_use]
    pub fn of(server_root: &str) -> Self {
        match server_root.trim_end_matches('/') {
            "/etc/apache2" => Self::Debian,
            "/etc/httpd" => Self::RedHat,
            _ => Self::Generic,
        }
    }
}

/// What the configuration needs for a status page that only this machine can read.
const STATUS_LINES: &str = "\
ExtendedStatus On
<Location \"/server-status\">
    SetHandler server-status
    Require local
</Location>
";

/// What to paste so that Tocsin can read the status page, for a person with root's rights. The server is reloaded only after
/// its own test has passed.
#[must_use]
pub fn enable_status(layout: Layout) -> String {
    match layout {
        Layout::Debian => format!(
            "# Paste into a shell as root:\n\
             a2enmod status\n\
             cat > /etc/apache2/conf-available/tocsin-status.conf <<'END'\n{STATUS_LINES}END\n\
             a2enconf tocsin-status\n\
             apache2ctl configtest && systemctl reload apache2\n"
        ),
        Layout::RedHat => format!(
            "# Paste into a shell as root (mod_status is loaded there by default):\n\
             cat > /etc/httpd/conf.d/tocsin-status.conf <<'END'\n{STATUS_LINES}END\n\
             apachectl configtest && systemctl reload httpd\n"
        ),
        Layout::Generic => format!(
            "# Add to the main configuration file, outside of any <VirtualHost>:\n\
             <IfModule !status_module>\n    LoadModule status_module modules/mod_status.so\n</IfModule>\n\
             {STATUS_LINES}\
             # then test it and reload the server:\n\
             #   apachectl configtest && apachectl graceful\n"
        ),
    }
}
