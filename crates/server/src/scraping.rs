//! A configuration file of Prometheus at work: reads it at the start and when told to, and hands its jobs to scraping and its rule
//! files to the rules. What is in it is not decided here.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use tocsin_edge::ports::Metrics;
use tocsin_edge::ports::rules::{RuleGroup, Rules};
use tocsin_edge::scrape::{self, Loaded, Needs, Scraper, Scraping, load};

use crate::config::Prometheus;
use crate::rules::load::Given;
use crate::rules::{INTERVAL_MS, RulesHandle};
use crate::system::SystemClock;

/// Which files are used, and what was read of them.
pub(crate) struct Files {
    config: Prometheus,
    external_url: String,
    loaded: Loaded,
    trouble: Option<String>,
}

impl Files {
    /// Reads the files. One that cannot be used is left out, and told.
    pub(crate) fn read(config: &Prometheus, external_url: &str) -> Self {
        let (loaded, trouble) = match read(config) {
            Ok(loaded) => (loaded, None),
            Err(why) => {
                tracing::error!(%why, "nothing is scraped: the configuration of Prometheus cannot be used");
                (Loaded::default(), Some(why))
            }
        };
        Self {
            config: config.clone(),
            external_url: external_url.to_owned(),
            loaded,
            trouble,
        }
    }

    /// The rule files of both configurations.
    pub(crate) fn rules(&self) -> Given {
        given(&self.config, &self.external_url, &self.loaded)
    }

    /// Starts to scrape. What is given back first stands for the rules where reloading is asked for.
    ///
    /// # Errors
    /// The operating system gives no threads.
    pub(crate) fn start(
        self,
        rules: RulesHandle,
        metrics: Arc<dyn Metrics>,
    ) -> std::io::Result<(Reloading, Scraper, Scraping)> {
        let needs = Needs {
            metrics,
            clock: Arc::new(SystemClock),
            public_url: self.external_url.clone(),
        };
        let (scraper, scraping) = scrape::start(self.loaded.jobs, needs)?;
        let reloading = Reloading {
            rules,
            scraper: scraper.clone(),
            config: self.config,
            external_url: self.external_url,
            trouble: Mutex::new(self.trouble),
        };
        Ok((reloading, scraper, scraping))
    }
}

/// Reads nothing where no file is named.
fn read(config: &Prometheus) -> Result<Loaded, String> {
    let Some(file) = &config.config else {
        return Ok(Loaded::default());
    };
    let loaded = load(file).map_err(|error| error.to_string())?;
    for (file, ignored) in &loaded.ignored {
        let place = format!("{}:{}", file.display(), ignored.line);
        tracing::warn!(place, key = ignored.key, why = ignored.why, "ignored");
    }
    Ok(loaded)
}

fn given(config: &Prometheus, external_url: &str, loaded: &Loaded) -> Given {
    let files = config.rule_files.iter().chain(&loaded.rule_files);
    let of_file = config
        .config
        .as_ref()
        .map(|_| loaded.evaluation_interval_ms);
    let interval_ms = config.evaluation_interval_ms.or(of_file);
    Given {
        files: files.cloned().collect(),
        interval_ms: interval_ms.filter(|ms| *ms > 0).unwrap_or(INTERVAL_MS),
        external_url: external_url.to_owned(),
    }
}

/// The rules, whose reloading reads what is scraped anew as well.
pub(crate) struct Reloading {
    rules: RulesHandle,
    scraper: Scraper,
    config: Prometheus,
    external_url: String,
    /// Why the configuration is not used as it stands.
    trouble: Mutex<Option<String>>,
}

impl Reloading {
    fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

impl Rules for Reloading {
    fn groups(&self) -> Vec<RuleGroup> {
        self.rules.groups()
    }

    fn trouble(&self) -> Option<String> {
        let own = self
            .trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        own.or_else(|| self.rules.trouble())
    }

    fn reload(&self) -> Result<String, String> {
        let loaded = read(&self.config).inspect_err(|why| {
            tracing::error!(%why, "the configuration of Prometheus was not reloaded: nothing was changed");
            self.set_trouble(Some(format!("not reloaded: {why}")));
        })?;
        self.rules
            .use_files(given(&self.config, &self.external_url, &loaded));
        let rules = self.rules.reload()?;
        let jobs = loaded.jobs.len();
        self.scraper.reload(loaded.jobs)?;
        self.set_trouble(None);
        Ok(match &self.config.config {
            Some(_) => format!("{rules}; {}", count(jobs, "scrape job")),
            None => rules,
        })
    }
}

/// `tocsin check-config`: tells what is wrong in a configuration file of Prometheus, and what of it is not done. The exit code says
/// whether it can be used.
pub(crate) fn check(file: &Path, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let loaded = match load(file) {
        Ok(loaded) => loaded,
        Err(error) => {
            writeln!(out, "{error}")?;
            return Ok(ExitCode::FAILURE);
        }
    };
    for (file, ignored) in &loaded.ignored {
        let (place, line) = (file.display(), ignored.line);
        writeln!(
            out,
            "{place}: line {line}: ignored: {}: {}",
            ignored.key, ignored.why
        )?;
    }
    let targets: usize = loaded
        .jobs
        .iter()
        .flat_map(|job| &job.static_groups)
        .map(|group| group.targets.len())
        .sum();
    let lists = loaded.jobs.iter().flat_map(|job| &job.file_discovery);
    writeln!(
        out,
        "{}: can be used: {}, {}, {}, {}.",
        file.display(),
        count(loaded.jobs.len(), "scrape job"),
        count(targets, "static target"),
        count(lists.map(|one| one.files.len()).sum(), "list of targets"),
        count(loaded.rule_files.len(), "pattern of rule files"),
    )?;
    if !loaded.rule_files.is_empty() {
        writeln!(
            out,
            "What is in the rule files, tocsin check-rules FILE tells."
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn count(number: usize, one: &str) -> String {
    let (first, rest) = one.split_once(' ').unwrap_or((one, ""));
    match (number, first, rest) {
        (1, ..) => format!("1 {one}"),
        (_, "list" | "pattern", rest) => format!("{number} {first}s {rest}"),
        (..) => format!("{number} {one}s"),
    }
}
