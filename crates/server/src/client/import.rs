//! `tocsin import`: what another system has, as files of ours, with a word on whatever could not be carried over. It asks no
//! server of ours.

mod pagerduty;

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use tocsin_domain::code::Document;
use tocsin_wire::alertmanager_config::{CONFIG_BYTES_MAX, import};
use tocsin_wire::code::{File, write};

use super::failure::Failure;
use super::plain;
use super::screen::Screen;

/// Stands for standard output.
const STANDARD: &str = "-";

/// What is imported.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Source {
    /// A configuration file of Alertmanager: its receivers and routes
    Alertmanager {
        /// The file, such as alertmanager.yml
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        into: Destination,
    },
    /// An account of PagerDuty: people, teams, schedules, escalation policies, services, routers of event orchestrations, planned work. It
    /// is only read
    Pagerduty {
        #[command(flatten)]
        settings: pagerduty::Settings,
        #[command(flatten)]
        into: Destination,
    },
}

/// Where files go.
#[derive(Clone, Debug, Args)]
pub(crate) struct Destination {
    /// The folder to write files into; - or nothing: to standard output
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Write also over files there that say something else
    #[arg(long)]
    force: bool,
}

/// Does what is asked; everything there is to say has been written when it returns. `ca` is the file of an authority that
/// certificates may come from.
pub(super) fn run(source: &Source, ca: Option<&Path>, screen: &Screen) -> Result<(), Failure> {
    match source {
        Source::Alertmanager { file, into } => {
            let shown = file.display();
            let imported = import(&text(file)?)
                .map_err(|why| Failure::Refused(format!("{shown}: {}", plain::line(&why))))?;
            written(&imported.document, &imported.remarks, into, screen)
        }
        Source::Pagerduty { settings, into } => {
            let imported = pagerduty::read(settings, ca, screen)?;
            written(&imported.document, &imported.remarks, into, screen)
        }
    }
}

/// Writes the files of what was imported, and tells what was not. There is none of what nothing was found about.
fn written(
    document: &Document,
    remarks: &[String],
    into: &Destination,
    screen: &Screen,
) -> Result<(), Failure> {
    let mut files = write(document);
    files.retain(|file| !file.is_bare());
    if screen.wants_json() {
        let files = files
            .iter()
            .map(|file| json!({ "name": file.name, "text": file.text }));
        let all = json!({ "files": files.collect::<Vec<_>>(), "remarks": remarks });
        return screen.say(&plain::json(&all.to_string()));
    }
    let folder = into.folder.as_deref();
    match folder.filter(|folder| *folder != Path::new(STANDARD)) {
        Some(folder) => {
            write_into(folder, &files, into.force)?;
            screen.say(&format!(
                "{} files are written to {}.",
                files.len(),
                folder.display()
            ))?;
        }
        None => {
            let texts: Vec<String> = files.iter().map(|file| plain::lines(&file.text)).collect();
            screen.say(&texts.join("\n"))?;
        }
    }
    if !remarks.is_empty() {
        screen.note("Not carried over, or to be looked at:");
    }
    for remark in remarks {
        screen.note(&format!("  - {}", plain::line(remark)));
    }
    Ok(())
}

/// Writes files into a folder: all of them or, where one would take the place of something else and it is not forced, none.
fn write_into(folder: &Path, files: &[File], force: bool) -> Result<(), Failure> {
    let failed = |path: &Path, error: &io::Error| {
        Failure::Refused(format!("{}: cannot be written: {error}", path.display()))
    };
    let mut taken = Vec::new();
    for file in files.iter().filter(|_| !force) {
        let path = folder.join(&file.name);
        match fs::read(&path) {
            Ok(there) if there == file.text.as_bytes() => {}
            Ok(_) => taken.push(file.name.as_str()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&path, &error)),
        }
    }
    if !taken.is_empty() {
        return Err(Failure::Refused(format!(
            "{}: {} would be written over; nothing is written. Give another folder, or --force to lose what stands there",
            folder.display(),
            taken.join(", ")
        )));
    }
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    for file in files {
        let path = folder.join(&file.name);
        fs::write(&path, &file.text).map_err(|error| failed(&path, &error))?;
    }
    Ok(())
}

fn text(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    let failed = |error| Failure::Usage(format!("{shown}: cannot be read: {error}"));
    let file = fs::File::open(path).map_err(failed)?;
    let limit = u64::try_from(CONFIG_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    String::from_utf8(bytes).map_err(|_| Failure::Usage(format!("{shown}: is not text in UTF-8")))
}
