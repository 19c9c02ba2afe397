//! `tocsin import`: what another system has, as files of ours, with a word on whatever could not be carried over. It asks no
//! server.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;
use tocsin_wire::alertmanager_config::{CONFIG_BYTES_MAX, import};
use tocsin_wire::code::write;

use super::failure::Failure;
use super::plain;
use super::screen::Screen;

/// What is imported.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Source {
    /// A configuration file of Alertmanager: its receivers and routes
    Alertmanager {
        /// The file, such as alertmanager.yml
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The folder to write files into; without it, to standard output
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

/// Does what is asked; everything there is to say has been written when it returns.
pub(super) fn run(source: &Source, screen: &Screen) -> Result<(), Failure> {
    let Source::Alertmanager { file, folder } = source;
    let shown = file.display();
    let imported = import(&text(file)?)
        .map_err(|why| Failure::Refused(format!("{shown}: {}", plain::line(&why))))?;
    let files = write(&imported.document);
    if screen.wants_json() {
        let files = files
            .iter()
            .map(|file| json!({ "name": file.name, "text": file.text }));
        let all = json!({ "files": files.collect::<Vec<_>>(), "remarks": imported.remarks });
        return screen.say(&all.to_string());
    }
    match folder {
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
    if !imported.remarks.is_empty() {
        screen.note("Not carried over, or to be looked at:");
    }
    for remark in &imported.remarks {
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
