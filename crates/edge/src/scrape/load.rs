//! Reads a configuration of Prometheus with the files that it names: jobs of other files, and paths made absolute. It scrapes
//! nothing.

use std::fmt;
use std::path::{Path, PathBuf};

use tocsin_wire::prometheus_scrape::{
    Auth, HeaderSource, Ignored, Job, PrometheusConfig, SecretSource, check_job_names,
    matches_glob, read_config, read_job_file,
};

use super::tls::read_small;

/// A configuration file is not larger, bytes.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// Files that one pattern may name.
const FILES_MAX: usize = 10_000;

/// A configuration with everything that it names.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// What to scrape, and how.
    pub jobs: Vec<Job>,
    /// Patterns of rule files, absolute.
    pub rule_files: Vec<PathBuf>,
    /// How often rules are evaluated that do not say it themselves, milliseconds.
    pub evaluation_interval_ms: u64,
    /// What stands in the files and is not done, with the file.
    pub ignored: Vec<(PathBuf, Ignored)>,
}

/// Why a configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// Which file.
    pub file: PathBuf,
    /// What is wrong with it, with its line where there is one.
    pub what: String,
}

impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.file.display(), self.what)
    }
}

impl std::error::Error for LoadError {}

/// Reads the configuration in a file. It blocks.
///
/// # Errors
/// The first thing that is wrong.
pub fn load(file: &Path) -> Result<Loaded, LoadError> {
    let text = read(file)?;
    let config = read_config(&text).map_err(|fault| error(file, fault.to_string()))?;
    let base = folder(file);
    let mut loaded = Loaded {
        rule_files: config.rule_files.iter().map(|one| base.join(one)).collect(),
        evaluation_interval_ms: config.global.evaluation_interval.ms,
        ..Loaded::default()
    };
    let noted = config.ignored.iter().cloned();
    loaded
        .ignored
        .extend(noted.map(|one| (file.to_owned(), one)));
    add(&mut loaded, config.jobs.clone(), base);
    for pattern in &config.job_files {
        for found in matching(&base.join(pattern)) {
            add_job_file(&mut loaded, &found, &config)?;
        }
    }
    check_job_names(&loaded.jobs)
        .map_err(|name| error(file, format!("there are two jobs of the name {name:?}")))?;
    Ok(loaded)
}

fn add_job_file(
    loaded: &mut Loaded,
    file: &Path,
    config: &PrometheusConfig,
) -> Result<(), LoadError> {
    let text = read(file)?;
    let (jobs, ignored) =
        read_job_file(&text, &config.global).map_err(|fault| error(file, fault.to_string()))?;
    let noted = ignored.into_iter();
    loaded
        .ignored
        .extend(noted.map(|one| (file.to_owned(), one)));
    add(loaded, jobs, folder(file));
    Ok(())
}

/// Adds jobs whose paths are relative to a folder.
fn add(loaded: &mut Loaded, jobs: Vec<Job>, base: &Path) {
    for mut job in jobs {
        let files = job.file_discovery.iter_mut().flat_map(|one| &mut one.files);
        files.for_each(|path| absolute(path, base));
        match &mut job.http.auth {
            Auth::None => {}
            Auth::Basic { username, password } => {
                absolute_source(username, base);
                absolute_source(password, base);
            }
            Auth::Credentials { credentials, .. } => absolute_source(credentials, base),
        }
        for source in job.http.headers.values_mut().flatten() {
            match source {
                HeaderSource::Plain(_) => {}
                HeaderSource::Secret(source) => absolute_source(source, base),
            }
        }
        if let Some(path) = &mut job.http.tls.ca_file {
            absolute(path, base);
        }
        if let Some((cert, key)) = &mut job.http.tls.own {
            absolute_source(cert, base);
            absolute_source(key, base);
        }
        loaded.jobs.push(job);
    }
}

fn absolute_source(source: &mut SecretSource, base: &Path) {
    match source {
        SecretSource::Given(_) => {}
        SecretSource::File(path) => absolute(path, base),
    }
}

fn absolute(path: &mut String, base: &Path) {
    *path = base.join(&*path).to_string_lossy().into_owned();
}

fn folder(file: &Path) -> &Path {
    file.parent().unwrap_or_else(|| Path::new(""))
}

fn read(file: &Path) -> Result<String, LoadError> {
    let bytes =
        read_small(&file.to_string_lossy(), FILE_BYTES_MAX).map_err(|why| error(file, why))?;
    String::from_utf8(bytes)
        .map_err(|_| error(file, "is not UTF-8 text; save it as UTF-8".to_owned()))
}

fn error(file: &Path, what: String) -> LoadError {
    LoadError {
        file: file.to_owned(),
        what,
    }
}

/// The files that a path names whose last part may be a pattern, sorted. It blocks.
pub(super) fn matching(path: &Path) -> Vec<PathBuf> {
    let pattern = path.file_name().unwrap_or_default().to_string_lossy();
    if !pattern.contains(['*', '?']) {
        return vec![path.to_owned()];
    }
    let folder = match folder(path) {
        empty if empty.as_os_str().is_empty() => Path::new("."),
        folder => folder,
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            !name.starts_with('.') && matches_glob(&pattern, &name)
        })
        .map(|entry| entry.path())
        .take(FILES_MAX)
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these files.
    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn jobs_of_other_files_join_and_paths_are_meant_from_the_file_they_stand_in() {
        let folder = folder(&[
            (
                "prometheus.yml",
                "global: {sample_limit: 7}\nrule_files: ['rules/*.yml', /etc/more.yml]\nscrape_config_files: ['jobs/*.yml']\nscrape_configs:\n  - job_name: a\n    file_sd_configs: [{files: [t.json]}]\n",
            ),
            (
                "jobs/b.yml",
                "scrape_configs:\n  - job_name: b\n    bearer_token_file: token\n    file_sd_configs: [{files: [t.json]}]\n    http_sd_configs: [{url: 'http://x'}]\n",
            ),
        ]);
        let loaded = load(&folder.path().join("prometheus.yml")).unwrap();
        assert_eq!(
            loaded.rule_files,
            [
                folder.path().join("rules/*.yml"),
                PathBuf::from("/etc/more.yml")
            ]
        );
        let at = |name: &str| folder.path().join(name).display().to_string();
        assert_eq!(loaded.jobs[0].file_discovery[0].files, [at("t.json")]);
        assert_eq!(loaded.jobs[1].file_discovery[0].files, [at("jobs/t.json")]);
        assert_eq!(loaded.jobs[1].limits.samples, 7);
        let Auth::Credentials { credentials, .. } = &loaded.jobs[1].http.auth else {
            panic!("{:?}", loaded.jobs[1].http.auth)
        };
        assert_eq!(*credentials, SecretSource::File(at("jobs/token")));
        assert_eq!(loaded.ignored[0].0, folder.path().join("jobs/b.yml"));
    }

    #[test]
    fn a_configuration_that_cannot_be_used_says_where() {
        let check = |files: &[(&str, &str)], expected: &str| {
            let folder = folder(files);
            let error = load(&folder.path().join("prometheus.yml")).unwrap_err();
            let told = error
                .to_string()
                .replace(&folder.path().display().to_string(), "");
            assert!(told.starts_with(expected), "{told}");
        };
        check(&[], "/prometheus.yml: cannot be read");
        check(
            &[("prometheus.yml", "global:\n  x: 1\n")],
            "/prometheus.yml: line 2, column 3: unknown field `x`",
        );
        check(
            &[
                (
                    "prometheus.yml",
                    "scrape_config_files: [b.yml]\nscrape_configs: [{job_name: a}]\n",
                ),
                ("b.yml", "scrape_configs: [{job_name: a}]\n"),
            ],
            "/prometheus.yml: there are two jobs of the name \"a\"",
        );
        check(
            &[
                ("prometheus.yml", "scrape_config_files: [b.yml]\n"),
                ("b.yml", "global: {}\n"),
            ],
            "/b.yml: line 1, column 1: unknown field `global`",
        );
    }
}
