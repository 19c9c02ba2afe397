//! Certificates that are made for one fault, good ones and others, by openssl; whom they are shown to is not known here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Because, Outcome, fail};

/// Keys that are quickly made.
const KEY: [&str; 5] = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
];

/// Somebody who signs certificates, in a folder of their own.
pub(super) struct Authority {
    openssl: PathBuf,
    folder: PathBuf,
}

impl Authority {
    /// Makes one of this name in a new folder.
    pub(super) fn make(openssl: &Path, folder: PathBuf, name: &str) -> Outcome<Self> {
        fs::create_dir_all(&folder).because(format!("making {}", folder.display()))?;
        let authority = Self {
            openssl: openssl.to_owned(),
            folder,
        };
        authority.configure(name)?;
        let mut command = authority.command("req");
        command
            .args([
                "-x509",
                "-config",
                "openssl.cnf",
                "-extensions",
                "authority",
            ])
            .args(KEY)
            .args([
                "-keyout",
                "authority.key",
                "-out",
                "authority.pem",
                "-days",
                "30",
            ]);
        run(command)?;
        Ok(authority)
    }

    /// Its own certificate.
    pub(super) fn certificate(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// A certificate for this host, with its key, that is good for so many days from now on.
    pub(super) fn sign(&self, host: &str, days: i32) -> Outcome<String> {
        self.configure(host)?;
        let mut request = self.command("req");
        request
            .args(["-new", "-config", "openssl.cnf"])
            .args(KEY)
            .args(["-keyout", "host.key", "-out", "host.csr"]);
        run(request)?;
        let mut sign = self.command("x509");
        sign.args(["-req", "-in", "host.csr", "-set_serial", "2"])
            .args(["-CA", "authority.pem", "-CAkey", "authority.key"])
            .args(["-extfile", "openssl.cnf", "-extensions", "host"])
            .args(["-out", "host.pem", "-days", &days.to_string()]);
        run(sign)?;
        Ok(self.read("host.pem")? + &self.read("host.key")?)
    }

    /// Nothing is taken from the machine's own configuration.
    fn configure(&self, name: &str) -> Outcome<()> {
        let text = format!(
            "[req]\ndistinguished_name = subject\nprompt = no\n\n[subject]\nCN = {name}\n\n\
             [authority]\nbasicConstraints = critical, CA:TRUE\n\n[host]\nsubjectAltName = DNS:{name}\n"
        );
        let path = self.folder.join("openssl.cnf");
        fs::write(&path, text).because(format!("writing {}", path.display()))
    }

    fn command(&self, what: &str) -> Command {
        let mut command = Command::new(&self.openssl);
        command.arg(what).current_dir(&self.folder);
        command
    }

    fn read(&self, file: &str) -> Outcome<String> {
        let path = self.folder.join(file);
        fs::read_to_string(&path).because(format!("reading {}", path.display()))
    }
}

fn run(mut command: Command) -> Outcome<()> {
    let done = command.stdin(Stdio::null()).output();
    let done = done.because("running openssl")?;
    if !done.status.success() {
        fail!(
            "openssl ended with {}; it said:\n{}",
            done.status,
            String::from_utf8_lossy(&done.stderr).trim_end()
        );
    }
    Ok(())
}
