//! `tocsin import`: what another system has, as files of ours, with a word on whatever could not be carried over. It asks no
//! server of ours.

mod pagerduty;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;
use tocsin_domain::code::Document;
use tocsin_wire::alertmanager_config::{CONFIG_BYTES_MAX, import};
use tocsin_wire::code::write;

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
        /// The folder to write files into; - or nothing: to standard output
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// An account of PagerDuty: people, teams, schedules, escalation policies, services, planned work. It is only read
    Pagerduty {
        #[command(flatten)]
        settings: pagerduty::Settings,
        /// The folder to write files into; - or nothing: to standard output
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

/// Does what is asked; everything there is to say has been written when it returns. `ca` is the file of an authority that
/// certificates may come from.
pub(super) fn run(source: &Source, ca: Option<&Path>, screen: &Screen) -> Result<(), Failure> {
    match source {
        Source::Alertmanager { file, folder } => {
            let shown = file.display();
            let imported = import(&text(file)?)
                .map_err(|why| Failure::Refused(format!("{shown}: {}", plain::line(&why))))?;
            let folder = folder.as_deref();
            written(&imported.document, &imported.remarks, folder, screen)
        }
        Source::Pagerduty { settings, folder } => {
            let imported = pagerduty::read(settings, ca, screen)?;
            let folder = folder.as_deref();
            written(&imported.document, &imported.remarks, folder, screen)
        }
    }
}

/// Writes the files of what was imported, and tells what was not.
fn written(
    document: &Document,
    remarks: &[String],
    folder: Option<&Path>,
    screen: &Screen,
) -> Result<(), Failure> {
    let files = write(document);
    if screen.wants_json() {
        let files = files
            .iter()
            .map(|file| json!({ "name": file.name, "text": file.text }));
        let all = json!({ "files": files.collect::<Vec<_>>(), "remarks": remarks });
        return screen.say(&plain::json(&all.to_string()));
    }
    match folder.filter(|folder| *folder != Path::new(STANDARD)) {
        Some(folder) => {
            let failed = |path: &Path, error: &std::io::Error| {
                Failure::Refused(format!("{}: cannot be written: {error}", path.display()))
            };
            fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
            for file in &files {
                let path = folder.join(&file.name);
                fs::write(&path, &file.text).map_err(|error| failed(&path, &error))?;
            }
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
