//! The configuration of the server: `tocsin.toml`, and command-line flags over it. A mistake in it is told with its line, what
//! was expected and what was probably meant. It starts nothing.

mod document;
mod mail_intake;
mod nearest;
mod prometheus;
mod value;

use std::fmt;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

pub(crate) use self::mail_intake::MailIntake;
pub(crate) use self::prometheus::Prometheus;

use self::document::{Problem, Reader, Section, Shape};

/// The file that is read when none is named.
pub(crate) const DEFAULT_FILE: &str = "tocsin.toml";
/// Largest file, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Entries of a list at most.
const LIST_ENTRIES_MAX: usize = 256;

const SHAPES: &[Shape] = &[
    Shape {
        name: "",
        keys: &[
            "listen",
            "data",
            "public_url",
            "key_file",
            "behind_proxy",
            "retention",
            "retention_size",
            "tls",
            "egress",
            "watch",
            "prometheus",
            "mail_intake",
        ],
    },
    Shape {
        name: "tls",
        keys: &["cert", "key", "self_signed"],
    },
    Shape {
        name: "egress",
        keys: &["allow"],
    },
    Shape {
        name: "watch",
        keys: &["enabled", "discover", "only", "tier_field", "user_field"],
    },
    Shape {
        name: "prometheus",
        keys: &["config", "rule_files", "evaluation_interval"],
    },
    mail_intake::SHAPE,
];

/// What the server is told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// The one listener.
    pub(crate) listen: SocketAddr,
    /// Where everything is kept.
    pub(crate) data: PathBuf,
    /// Where people reach this server, without a slash at the end; told from the listener when not given.
    pub(crate) public_url: Option<String>,
    /// The key of the vault, when it shall not lie in the data directory.
    pub(crate) key_file: Option<PathBuf>,
    /// Where the certificate comes from.
    pub(crate) tls: Tls,
    /// Private addresses to which Tocsin may send requests of its own.
    pub(crate) egress_allow: Vec<Allowed>,
    /// What to watch on this machine.
    pub(crate) watch: Watch,
    /// Whether a proxy in front ends TLS and tells the client's address.
    pub(crate) behind_proxy: bool,
    /// How long samples and logs are kept.
    pub(crate) retention: Retention,
    /// Bytes that samples and logs may take; the oldest go first. No limit when not given.
    pub(crate) retention_bytes: Option<u64>,
    /// What Prometheus' own files give.
    pub(crate) prometheus: Prometheus,
    /// Where mail is taken that raises alerts, if anywhere.
    pub(crate) mail_intake: Option<MailIntake>,
}

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    /// Plain HTTP.
    Off,
    /// PEM files.
    Files {
        /// The certificate with its chain.
        cert: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// Made by Tocsin, under `tls/` of the data directory.
    SelfSigned,
}

/// A private destination that Tocsin's own requests may go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// The first address of a block, and how many bits all of it share.
    Block(IpAddr, u8),
    /// A host by name.
    Host(String),
}

/// What to watch on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Watch {
    /// Whether anything is watched here.
    pub(crate) enabled: bool,
    /// Whether servers that are not known yet are looked for.
    pub(crate) discover: bool,
    /// Only servers whose configuration lies under one of these folders; empty for all.
    pub(crate) only: Vec<PathBuf>,
    /// The access log's field with the user's tier; without it, the usual names.
    pub(crate) tier_field: Option<String>,
    /// The access log's field with the user; without it, the usual names.
    pub(crate) user_field: Option<String>,
}

/// How long samples and logs are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retention {
    /// That many days.
    Days(u32),
    /// Until the disk is full.
    Forever,
}

/// What the command line says; it goes before the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Overrides {
    /// `--listen`
    pub(crate) listen: Option<SocketAddr>,
    /// `--data`
    pub(crate) data: Option<PathBuf>,
    /// `--public-url`
    pub(crate) public_url: Option<String>,
    /// `--key-file`
    pub(crate) key_file: Option<PathBuf>,
    /// `--tls`
    pub(crate) tls: Option<Tls>,
    /// `--behind-proxy`
    pub(crate) behind_proxy: Option<bool>,
    /// `--retention`
    pub(crate) retention: Option<Retention>,
    /// `--prometheus-config`
    pub(crate) prometheus_config: Option<PathBuf>,
    /// `--rule-files`; none is no word.
    pub(crate) rule_files: Vec<PathBuf>,
}

/// Why there is no configuration. Nothing was started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {error}\n  Name a file that can, or leave --config out.", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
    },
    /// The file is far too large to be one.
    #[error("{}: is larger than {FILE_BYTES_MAX} bytes, so it is no configuration of Tocsin", .path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
    },
    /// The file has mistakes.
    #[error("{}", told(.path, .problems))]
    Invalid {
        /// Which.
        path: PathBuf,
        /// All of them, in the order of the file.
        problems: Vec<Problem>,
    },
    /// The server would be reachable by others without encryption.
    #[error(
        "{0} can be reached from other machines, and passwords would cross the network in the clear.\n  \
         Give --tls CERT KEY, --tls self-signed, or --behind-proxy when a proxy in front ends TLS; \
         or listen on 127.0.0.1."
    )]
    Exposed(SocketAddr),
    /// Links in pages would lead nowhere.
    #[error(
        "the links in pages and mails would begin with {0}, which nobody can open.\n  \
         Set public_url in tocsin.toml (or give --public-url) to where people reach this server, such as \
         \"https://tocsin.example.org\"."
    )]
    NoPublicUrl(SocketAddr),
}

fn told(path: &Path, problems: &[Problem]) -> String {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| format!("{}: {problem}", path.display()))
        .collect();
    lines.join("\n")
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8700)),
            data: PathBuf::from("./tocsin-data"),
            public_url: None,
            key_file: None,
            tls: Tls::Off,
            egress_allow: Vec::new(),
            watch: Watch::default(),
            behind_proxy: false,
            retention: Retention::Days(30),
            retention_bytes: None,
            prometheus: Prometheus::default(),
            mail_intake: None,
        }
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            enabled: true,
            discover: true,
            only: Vec::new(),
            tier_field: None,
            user_field: None,
        }
    }
}

impl Config {
    /// Reads the named file; without a name `tocsin.toml` of the current folder, if there is one. Relative paths in it are
    /// meant from its own folder.
    ///
    /// # Errors
    /// When the file cannot be read or has mistakes.
    pub(crate) fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let given = path.unwrap_or(Path::new(DEFAULT_FILE));
        match read(given) {
            Ok(text) => Self::parse(&text, given),
            Err(ConfigError::Unreadable { error, .. })
                if path.is_none() && error.kind() == io::ErrorKind::NotFound =>
            {
                Ok(Self::default())
            }
            Err(error) => Err(error),
        }
    }

    fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let base = path.parent().unwrap_or(Path::new(""));
        let mut reader = Reader::new(text, SHAPES);
        let config = match reader.document() {
            Some(table) => Self::from_top(&mut reader, table.get_ref(), base),
            None => Self::default(),
        };
        let problems = reader.into_problems();
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError::Invalid {
                path: path.to_owned(),
                problems,
            })
        }
    }

    fn from_top(reader: &mut Reader<'_>, table: &toml::de::DeTable<'_>, base: &Path) -> Self {
        let default = Self::default();
        let top = reader.top(table);
        let tls = reader.section(top, "tls");
        let egress = reader.section(top, "egress");
        let watch = reader.section(top, "watch");
        let prometheus = reader.section(top, "prometheus");
        let mail = reader.section(top, "mail_intake");
        let data = reader.value(top, "data", |value| {
            value::path(value, base, "/var/lib/tocsin")
        });
        Self {
            listen: reader
                .value(top, "listen", value::listen)
                .unwrap_or(default.listen),
            data: data.unwrap_or(default.data),
            public_url: reader.value(top, "public_url", value::public_url),
            key_file: reader.value(top, "key_file", |value| {
                value::path(value, base, "/etc/tocsin/vault.key")
            }),
            tls: tls_of(reader, tls, base),
            egress_allow: reader
                .values(egress, "allow", LIST_ENTRIES_MAX, value::allowed)
                .unwrap_or_default(),
            watch: watch_of(reader, watch),
            behind_proxy: reader
                .value(top, "behind_proxy", value::answer)
                .unwrap_or(default.behind_proxy),
            retention: reader
                .value(top, "retention", value::retention)
                .unwrap_or(default.retention),
            retention_bytes: reader.value(top, "retention_size", value::size),
            prometheus: prometheus::read(reader, prometheus, base),
            mail_intake: mail_intake::read(reader, mail),
        }
    }

    /// This configuration with the command line's word over it.
    ///
    /// # Errors
    /// When the whole would serve other machines without encryption, or without an address for links.
    pub(crate) fn merge(self, flags: Overrides) -> Result<Self, ConfigError> {
        let merged = Self {
            listen: flags.listen.unwrap_or(self.listen),
            data: flags.data.unwrap_or(self.data),
            public_url: flags.public_url.or(self.public_url),
            key_file: flags.key_file.or(self.key_file),
            tls: flags.tls.unwrap_or(self.tls),
            behind_proxy: flags.behind_proxy.unwrap_or(self.behind_proxy),
            retention: flags.retention.unwrap_or(self.retention),
            prometheus: self
                .prometheus
                .merge(flags.prometheus_config, flags.rule_files),
            ..self
        };
        let exposed = !merged.listen.ip().to_canonical().is_loopback();
        if exposed && merged.tls == Tls::Off && !merged.behind_proxy {
            return Err(ConfigError::Exposed(merged.listen));
        }
        let nowhere = merged.listen.ip().to_canonical().is_unspecified() || merged.behind_proxy;
        if nowhere && merged.public_url.is_none() {
            return Err(ConfigError::NoPublicUrl(merged.listen));
        }
        Ok(merged)
    }
}

/// Reads the address that `--public-url` gives, by the rules of the file.
///
/// # Errors
/// What is wrong, what was expected.
pub(crate) fn public_url(given: &str) -> Result<String, String> {
    value::parse_public_url(given)
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |error| ConfigError::Unreadable {
        path: path.to_owned(),
        error,
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(ConfigError::TooLarge {
            path: path.to_owned(),
        });
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let problem = Problem {
            line: 1 + good.iter().filter(|byte| **byte == b'\n').count(),
            column: 1 + good.iter().rev().take_while(|byte| **byte != b'\n').count(),
            key: String::new(),
            what: "this is not UTF-8 text; save the file as UTF-8".to_owned(),
        };
        ConfigError::Invalid {
            path: path.to_owned(),
            problems: vec![problem],
        }
    })
}

fn tls_of(reader: &mut Reader<'_>, section: Section<'_>, base: &Path) -> Tls {
    let cert = reader.value(section, "cert", |value| {
        value::path(value, base, "/etc/tocsin/cert.pem")
    });
    let key = reader.value(section, "key", |value| {
        value::path(value, base, "/etc/tocsin/key.pem")
    });
    let self_signed = reader
        .value(section, "self_signed", value::answer)
        .unwrap_or(false);
    if self_signed && section.has_any(&["cert", "key"]) {
        reader.refuse(
            section,
            "self_signed",
            "goes without cert and key; expected one or the other",
        );
    } else if section.has_any(&["cert"]) && !section.has_any(&["key"]) {
        reader.refuse(
            section,
            "cert",
            "there is no key for this certificate; expected key = \"FILE\" beside it",
        );
    } else if section.has_any(&["key"]) && !section.has_any(&["cert"]) {
        reader.refuse(
            section,
            "key",
            "there is no certificate for this key; expected cert = \"FILE\" beside it",
        );
    }
    match (cert, key) {
        (Some(cert), Some(key)) => Tls::Files { cert, key },
        (Some(_), None) | (None, Some(_)) | (None, None) if self_signed => Tls::SelfSigned,
        (Some(_), None) | (None, Some(_)) | (None, None) => Tls::Off,
    }
}

fn watch_of(reader: &mut Reader<'_>, section: Section<'_>) -> Watch {
    let default = Watch::default();
    Watch {
        enabled: reader
            .value(section, "enabled", value::answer)
            .unwrap_or(default.enabled),
        discover: reader
            .value(section, "discover", value::answer)
            .unwrap_or(default.discover),
        only: reader
            .values(section, "only", LIST_ENTRIES_MAX, value::watched)
            .unwrap_or_default(),
        tier_field: reader.value(section, "tier_field", value::field),
        user_field: reader.value(section, "user_field", value::field),
    }
}

impl Tls {
    /// Reads the words of `--tls CERT KEY` or `--tls self-signed`.
    ///
    /// # Errors
    /// What was expected.
    pub(crate) fn from_words(words: &[String]) -> Result<Self, String> {
        match words {
            [one] if one == "self-signed" => Ok(Self::SelfSigned),
            [cert, key] => Ok(Self::Files {
                cert: cert.into(),
                key: key.into(),
            }),
            _ => Err("--tls wants two files, CERT and KEY, or the word self-signed".to_owned()),
        }
    }
}

impl FromStr for Retention {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        value::parse_retention(text)
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days(days) => write!(formatter, "{days}d"),
            Self::Forever => formatter.write_str("forever"),
        }
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block(first, bits) => write!(formatter, "{first}/{bits}"),
            Self::Host(name) => formatter.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests;
