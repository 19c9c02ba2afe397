//! HTTPS before the sink, with a certificate for each port that can be replaced while it runs, by a program in Python; what is wrong
//! with a certificate is not known here.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::failure::{Because, Outcome, fail};
use crate::janitor::Janitor;
use crate::places;
use crate::processes::Identity;

/// A front that runs.
pub(super) struct TlsFront {
    child: Child,
    /// In the order in which certificates were given.
    pub(super) ports: Vec<u16>,
    files: Vec<PathBuf>,
}

impl TlsFront {
    /// Opens one port for each certificate, with files in `folder`.
    pub(super) fn open(
        python: &Path,
        folder: &Path,
        certificates: &[String],
        sink: SocketAddr,
        janitor: &mut Janitor,
    ) -> Outcome<Self> {
        let files = (0..certificates.len()).map(|place| folder.join(format!("front-{place}.pem")));
        let files: Vec<PathBuf> = files.collect();
        put(&files, certificates)?;
        let mut child = Command::new(python)
            .arg(places::root().join("xtask/faults/tls_front.py"))
            .arg(sink.port().to_string())
            .args(&files)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .because("starting the front")?;
        if let Some(identity) = i32::try_from(child.id()).ok().and_then(Identity::of) {
            janitor.will_end(identity);
        }
        let mut said = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out)
                .read_line(&mut said)
                .because("waiting for the front")?;
        }
        let ports = said.split_whitespace().map_while(|port| port.parse().ok());
        let front = Self {
            child,
            ports: ports.collect(),
            files,
        };
        if front.ports.len() != certificates.len() {
            front.close()?;
            fail!("the front opened no ports: it said \"{}\"", said.trim());
        }
        Ok(front)
    }

    /// From the next connection on each port shows another certificate.
    pub(super) fn show(&self, certificates: &[String]) -> Outcome<()> {
        put(&self.files, certificates)
    }

    pub(super) fn close(mut self) -> Outcome<()> {
        drop(self.child.stdin.take());
        self.child.wait().because("waiting for the front")?;
        Ok(())
    }
}

fn put(files: &[PathBuf], certificates: &[String]) -> Outcome<()> {
    for (file, certificate) in files.iter().zip(certificates) {
        // Renamed into place, so that it is never read half.
        let beside = file.with_extension("new");
        fs::write(&beside, certificate).because(format!("writing {}", beside.display()))?;
        fs::rename(&beside, file).because(format!("writing {}", file.display()))?;
    }
    Ok(())
}
