//! `tocsin export`, `plan` and `apply`: everything that is set up, as files. What files mean, the server knows.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};
use tocsin_wire::code::{self, File};

use super::api::{Answer, Api};
use super::failure::Failure;
use super::plain::Plain;
use super::screen::Screen;

/// Bytes of all files together at most; the server takes no more.
const TEXT_BYTES_MAX: u64 = 900_000;
/// Files at most; the server takes no more.
const FILES_MAX: usize = 200;
/// Stands for standard input or output.
const STANDARD: &str = "-";

/// Where files are.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct FilesArguments {
    /// A folder of *.toml files, one file, or - for standard input
    #[arg(value_name = "PATH")]
    path: PathBuf,
}

/// Where an export goes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ExportArguments {
    /// The folder to write files into, or - for standard output
    #[arg(value_name = "DIR", default_value = STANDARD)]
    folder: PathBuf,
}

/// What to make true.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ApplyArguments {
    #[command(flatten)]
    files: FilesArguments,
    /// Only what was planned under this fingerprint; without it, it is planned anew and applied at once
    #[arg(long = "plan", value_name = "FINGERPRINT")]
    fingerprint: Option<String>,
}

#[derive(Deserialize)]
struct Export {
    files: Vec<Exported>,
}

/// A file as the server writes it. Its text goes into a file and is not made plain; its name is checked.
#[derive(Deserialize)]
struct Exported {
    name: String,
    text: String,
}

#[derive(Deserialize)]
struct Plan {
    fingerprint: Plain,
    changes: Vec<Change>,
    kept: Vec<Kept>,
    on_call: Vec<Duty>,
    #[serde(default)]
    on_call_left_out: usize,
    #[serde(default)]
    paged: Vec<Plain>,
    #[serde(default)]
    paged_left_out: usize,
    findings: Vec<Plain>,
    #[serde(default)]
    made: Vec<Made>,
}

#[derive(Deserialize)]
struct Change {
    change: Plain,
    kind: Plain,
    name: Plain,
    fields: Vec<Field>,
}

#[derive(Deserialize)]
struct Field {
    path: Plain,
    before: Option<Plain>,
    after: Option<Plain>,
}

#[derive(Deserialize)]
struct Kept {
    kind: Plain,
    name: Plain,
}

#[derive(Deserialize)]
struct Duty {
    text: Plain,
}

#[derive(Deserialize)]
struct Made {
    kind: Plain,
    name: Plain,
    #[serde(default)]
    routing_key: Option<Plain>,
    #[serde(default)]
    url: Option<Plain>,
}

pub(super) fn export(wanted: &ExportArguments, api: &Api, screen: &Screen) -> Result<(), Failure> {
    let answer = api.get(&["code"], &[])?;
    if screen.wants_json() {
        return screen.say(&answer.json()?);
    }
    let export: Export = answer.parsed()?;
    if let Some(why) = refused(&export.files) {
        screen.note(&format!(
            "tocsin plan and apply do not take all of this at once: {why}; what is left out of the files stays as it is"
        ));
    }
    if wanted.folder == Path::new(STANDARD) {
        let texts = export
            .files
            .iter()
            .map(|file| super::plain::lines(&file.text));
        return screen.say(&texts.collect::<Vec<_>>().join("\n"));
    }
    let folder = &wanted.folder;
    let failed = |path: &Path, error: &io::Error| {
        Failure::Refused(format!("{}: cannot be written: {error}", path.display()))
    };
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    for file in &export.files {
        let path = folder.join(plain_name(&file.name)?);
        fs::write(&path, &file.text).map_err(|error| failed(&path, &error))?;
    }
    screen.say(&format!(
        "{} files are written to {}.",
        export.files.len(),
        folder.display()
    ))
}

/// Why files would not be taken as they are written: a server can hold more than is made true at once.
fn refused(files: &[Exported]) -> Option<String> {
    let files = files.iter().map(|file| File {
        name: file.name.clone(),
        text: file.text.clone(),
    });
    let mistakes = code::read(&files.collect::<Vec<_>>()).err()?;
    mistakes.first().map(ToString::to_string)
}

/// A server must not say where a file goes.
fn plain_name(name: &str) -> Result<&str, Failure> {
    let good = name.ends_with(".toml")
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if good {
        Ok(name)
    } else {
        let name = Plain::new(name);
        Err(Failure::Refused(format!(
            "the server names a file “{name}”, which is not written"
        )))
    }
}

pub(super) fn plan(wanted: &FilesArguments, api: &Api, screen: &Screen) -> Result<(), Failure> {
    let answer = planned(&read(&wanted.path)?, api)?;
    screen.show(&answer, |plan: &Plan, _| shown(plan))
}

pub(super) fn apply(wanted: &ApplyArguments, api: &Api, screen: &Screen) -> Result<(), Failure> {
    let files = read(&wanted.files.path)?;
    let fingerprint = match &wanted.fingerprint {
        Some(fingerprint) => fingerprint.clone(),
        None => {
            let plan: Plan = planned(&files, api)?.parsed()?;
            plan.fingerprint.to_string()
        }
    };
    let body = json!({ "files": files, "fingerprint": fingerprint });
    let answer = api.post(&["code", "apply"], &body)?;
    screen.show(&answer, |plan: &Plan, _| done(plan))
}

fn planned(files: &[Value], api: &Api) -> Result<Answer, Failure> {
    api.post(&["code", "plan"], &json!({ "files": files }))
}

/// The files of a path, as the server takes them.
fn read(path: &Path) -> Result<Vec<Value>, Failure> {
    let mut left = TEXT_BYTES_MAX;
    if path == Path::new(STANDARD) {
        return Ok(vec![text_of(
            path,
            "standard input",
            io::stdin(),
            &mut left,
        )?]);
    }
    let failed = |path: &Path, error: &io::Error| {
        Failure::Usage(format!("{}: cannot be read: {error}", path.display()))
    };
    let mut paths = Vec::new();
    if path.is_dir() {
        let entries = fs::read_dir(path).map_err(|error| failed(path, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| failed(path, &error))?.path();
            if is_ours(&entry) {
                paths.push(entry);
            }
        }
        paths.sort();
        if paths.is_empty() || paths.len() > FILES_MAX {
            let path = path.display();
            return Err(Failure::Usage(format!(
                "{path}: holds {} files *.toml; expected 1 to {FILES_MAX}",
                paths.len()
            )));
        }
    } else {
        paths.push(path.to_owned());
    }
    let files = paths.iter().map(|path| {
        let file = fs::File::open(path).map_err(|error| failed(path, &error))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        text_of(path, &name, file, &mut left)
    });
    files.collect()
}

/// Editors and systems leave files of their own beside those they belong to, with the same ending: their names begin with a dot.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    let is_hidden = name.as_encoded_bytes().starts_with(b".");
    !is_hidden && path.extension().is_some_and(|ending| ending == "toml")
}

fn text_of(path: &Path, name: &str, source: impl Read, left: &mut u64) -> Result<Value, Failure> {
    let mut bytes = Vec::new();
    let path = path.display();
    let read = source.take(*left + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::Usage(format!("{path}: cannot be read: {error}")))?;
    let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    *left = left.checked_sub(count).ok_or_else(|| {
        Failure::Usage(format!(
            "{path}: all files together are larger than {TEXT_BYTES_MAX} bytes"
        ))
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::Usage(format!("{path}: is not text in UTF-8")))?;
    Ok(json!({ "name": name, "text": text }))
}

fn shown(plan: &Plan) -> String {
    let mut text = String::new();
    if plan.changes.is_empty() {
        text.push_str("Nothing would change.\n");
    } else {
        text.push_str("What would change:\n");
        text.push_str(&changes(plan));
    }
    text.push_str(&kept(plan));
    text.push_str(&ahead(plan));
    if !plan.changes.is_empty() {
        text.push_str(&format!(
            "\nTo make exactly this true: tocsin apply PATH --plan {}\n",
            plan.fingerprint
        ));
    }
    text
}

fn done(plan: &Plan) -> String {
    let mut text = String::new();
    if plan.changes.is_empty() {
        text.push_str("Nothing had to change.\n");
    } else {
        text.push_str("What has changed:\n");
        text.push_str(&changes(plan));
    }
    text.push_str(&ahead(plan));
    if !plan.made.is_empty() {
        text.push_str("\nMade, and shown only here:\n");
    }
    for made in &plan.made {
        let secret = made.routing_key.as_ref().or(made.url.as_ref());
        let secret = secret.map_or("", Plain::as_str);
        text.push_str(&format!("  {} {}: {secret}\n", made.kind, made.name));
    }
    text
}

fn changes(plan: &Plan) -> String {
    let mut text = String::new();
    for change in &plan.changes {
        let sign = match change.change.as_str() {
            "added" => '+',
            "removed" => '-',
            _ => '~',
        };
        let name = change.name.as_str();
        let gap = if name.is_empty() { "" } else { " " };
        text.push_str(&format!("  {sign} {}{gap}{name}\n", change.kind));
        for field in &change.fields {
            let (before, after) = (value(field.before.as_ref()), value(field.after.as_ref()));
            // What is a list by itself has no field that could be named.
            let path = match field.path.as_str() {
                "" => String::new(),
                path => format!("{path}: "),
            };
            text.push_str(&format!("      {path}{before} -> {after}\n"));
        }
    }
    text
}

fn value(value: Option<&Plain>) -> &str {
    value.map_or("not set", Plain::as_str)
}

fn kept(plan: &Plan) -> String {
    if plan.kept.is_empty() {
        return String::new();
    }
    let mut text = String::from("\nNot in the files, and left as it is:\n");
    for kept in &plan.kept {
        text.push_str(&format!("    {} {}\n", kept.kind, kept.name));
    }
    text
}

fn ahead(plan: &Plan) -> String {
    let mut text = String::new();
    if !plan.changes.is_empty() && plan.on_call.is_empty() && plan.paged.is_empty() {
        text.push_str("\nThe same people are on call in the next 14 days.\n");
    }
    if !plan.on_call.is_empty() {
        text.push_str("\nOn call in the next 14 days:\n");
    }
    for duty in &plan.on_call {
        text.push_str(&format!("    {}\n", duty.text));
    }
    if plan.on_call_left_out > 0 {
        text.push_str(&format!("    and {} more\n", plan.on_call_left_out));
    }
    if !plan.paged.is_empty() {
        text.push_str("\nPaged by policies and services:\n");
    }
    for paged in &plan.paged {
        text.push_str(&format!("    {paged}\n"));
    }
    if plan.paged_left_out > 0 {
        text.push_str(&format!("    and {} more\n", plan.paged_left_out));
    }
    if !plan.findings.is_empty() {
        text.push_str("\nWill be wrong then:\n");
    }
    for finding in &plan.findings {
        text.push_str(&format!("    {finding}\n"));
    }
    text
}
