//! The command line of an Apache process: which instance it names and whether it is a server at all; it runs nothing.

use std::path::{Path, PathBuf};

/// Options that take a value (`getopt` string of `main.c`: `D:C:c:d:E:e:f:k:lLvVtTSMh?X`).
const WITH_VALUE: &str = "DCcdEefk";

/// What the command line says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerArgs {
    /// `-f`.
    pub(crate) config: Option<String>,
    /// `-d`.
    pub(crate) root: Option<String>,
    /// `-D NAME`, in order.
    pub(crate) defines: Vec<String>,
    /// `-C` and `-c` with their directives, in order.
    pub(crate) directives: Vec<(char, String)>,
    /// `-k`.
    pub(crate) signal: Option<String>,
    /// Whether it stays in the foreground (`-DFOREGROUND`, `-DNO_DETACH`, `-X`).
    pub(crate) foreground: bool,
    /// Whether it only prints or tests something and ends (`-t`, `-v`, `-S`, ...).
    pub(crate) only_prints: bool,
}

impl ServerArgs {
    /// Reads the words after the program's name as `getopt` does.
    pub(crate) fn read(cmdline: &[String]) -> Self {
        let mut args = Self::default();
        let mut words = cmdline.iter().skip(1).take(1_000);
        while let Some(word) = words.next() {
            let Some(letters) = word.strip_prefix('-') else {
                continue;
            };
            for (place, letter) in letters.char_indices() {
                if WITH_VALUE.contains(letter) {
                    let attached = &letters[place + letter.len_utf8()..];
                    let value = if attached.is_empty() {
                        words.next().cloned().unwrap_or_default()
                    } else {
                        attached.to_owned()
                    };
                    args.take(letter, value);
                    break;
                }
                args.foreground |= letter == 'X';
                args.only_prints |= "lLvVtTSMh?".contains(letter);
            }
        }
        args
    }

    fn take(&mut self, letter: char, value: String) {
        match letter {
            'f' => self.config = Some(value),
            'd' => self.root = Some(value),
            'k' => self.signal = Some(value),
            'C' | 'c' => self.directives.push((letter, value)),
            'D' => {
                self.foreground |= value == "FOREGROUND" || value == "NO_DETACH";
                self.only_prints |= value.starts_with("DUMP_");
                self.defines.push(value);
            }
            _ => {}
        }
    }

    /// Whether a process with this command line serves requests, as far as can be told from it.
    pub(crate) fn is_server(&self) -> bool {
        let sends_signal = !matches!(self.signal.as_deref(), None | Some("start"));
        // `-k restart` and `-k graceful` start the server when none runs, and that process then keeps the option.
        let may_start = matches!(self.signal.as_deref(), Some("restart" | "graceful"));
        !self.only_prints && (!sends_signal || may_start)
    }

    /// The arguments that make another run of the program read the same configuration.
    pub(crate) fn same_configuration(&self) -> Vec<String> {
        let mut words = Vec::new();
        for (option, value) in [("-d", &self.root), ("-f", &self.config)] {
            if let Some(value) = value {
                words.extend([option.to_owned(), value.clone()]);
            }
        }
        for define in self
            .defines
            .iter()
            .filter(|define| !define.starts_with("DUMP_"))
        {
            words.extend(["-D".to_owned(), define.clone()]);
        }
        for (letter, directive) in &self.directives {
            words.extend([format!("-{letter}"), directive.clone()]);
        }
        words
    }

    /// The configuration file as an absolute path, given the program's built-in root and file.
    pub(crate) fn config_path(&self, built_in: &BuiltIn) -> PathBuf {
        let root = self
            .root
            .as_deref()
            .map_or(built_in.root.as_path(), Path::new);
        let file = self
            .config
            .as_deref()
            .map_or(built_in.config.as_path(), Path::new);
        root.join(file)
    }
}

/// What the program was built with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BuiltIn {
    /// `HTTPD_ROOT`.
    pub(crate) root: PathBuf,
    /// `SERVER_CONFIG_FILE`, usually relative to the root.
    pub(crate) config: PathBuf,
}

impl BuiltIn {
    /// What Debian and Red Hat build in, for a program that may not be run.
    pub(crate) fn usual(binary: &Path) -> Self {
        let debian = binary.file_name().is_some_and(|name| name == "apache2");
        let (root, config) = if debian {
            ("/etc/apache2", "apache2.conf")
        } else {
            ("/etc/httpd", "conf/httpd.conf")
        };
        Self {
            root: root.into(),
            config: config.into(),
        }
    }

    /// Reads the output of `-V`.
    pub(crate) fn read(output: &str) -> Option<Self> {
        let value = |name: &str| {
            output.lines().find_map(|line| {
                let rest = line
                    .trim()
                    .strip_prefix("-D ")?
                    .strip_prefix(name)?
                    .strip_prefix("=\"")?;
                Some(PathBuf::from(rest.strip_suffix('"')?))
            })
        };
        Some(Self {
            root: value("HTTPD_ROOT")?,
            config: value("SERVER_CONFIG_FILE")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> ServerArgs {
        ServerArgs::read(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read_attached_or_apart() {
        let check = |line: &str, config: Option<&str>, root: Option<&str>| {
            let args = args(line);
            assert_eq!(
                (args.config.as_deref(), args.root.as_deref()),
                (config, root),
                "{line}"
            );
        };
        check("apache2 -k start", None, None);
        check("httpd -f /a.conf -d /srv", Some("/a.conf"), Some("/srv"));
        check("httpd -f/a.conf -d/srv -DX", Some("/a.conf"), Some("/srv"));
        check("httpd -Xf a.conf", Some("a.conf"), None);
        check("httpd -f", Some(""), None);
    }

    #[test]
    fn only_a_process_that_serves_is_a_server() {
        let check =
            |line: &str, expected: bool| assert_eq!(args(line).is_server(), expected, "{line}");
        check("apache2", true);
        check("apache2 -k start", true);
        check("apache2 -k graceful", true);
        check("httpd -DFOREGROUND", true);
        check("apache2 -k stop", false);
        check("apache2 -k graceful-stop", false);
        check("apache2 -t -f a", false);
        check("apache2 -D DUMP_VHOSTS", false);
        check("apache2 -V", false);
    }

    #[test]
    fn the_foreground_is_recognised() {
        assert!(args("httpd -DFOREGROUND").foreground);
        assert!(args("httpd -X").foreground);
        assert!(!args("httpd -k start").foreground);
    }

    #[test]
    fn another_run_reads_the_same_configuration() {
        let given = args("httpd -D SSL -k start -f a.conf -D FOREGROUND -c Listen");
        let expected = [
            "-f",
            "a.conf",
            "-D",
            "SSL",
            "-D",
            "FOREGROUND",
            "-c",
            "Listen",
        ];
        assert_eq!(given.same_configuration(), expected);
    }

    #[test]
    fn the_configuration_path_follows_the_root() {
        let built_in = BuiltIn::read(
            " -D HTTPD_ROOT=\"/etc/apache2\"\n -D SERVER_CONFIG_FILE=\"apache2.conf\"\n",
        )
        .unwrap();
        let check = |line: &str, expected: &str| {
            assert_eq!(
                args(line).config_path(&built_in),
                PathBuf::from(expected),
                "{line}"
            );
        };
        check("apache2", "/etc/apache2/apache2.conf");
        check("apache2 -d /srv", "/srv/apache2.conf");
        check("apache2 -d /srv -f x/y.conf", "/srv/x/y.conf");
        check("apache2 -f /z.conf", "/z.conf");
        assert_eq!(BuiltIn::read("no"), None);
    }
}
