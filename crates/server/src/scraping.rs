//! A configuration file of Prometheus at work: reads it at the start and when told to, and hands its jobs to scraping and its rule
//! files to the rules. What is in it is not decided here.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tocsin_edge::ports::Metrics;
use tocsin_edge::ports::rules::{RuleGroup, Rules};
use tocsin_edge::scrape::{self, Loaded, Needs, Scraper, Scraping, load};
use tocsin_engine::rules::Reading;

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

    /// Whether the configuration can have named rule files that are not known now.
    pub(crate) fn reading(&self) -> Reading {
        match self.trouble {
            None => Reading::Whole,
            Some(_) => Reading::Partial,
        }
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
            standing: Mutex::new(Standing {
                at_start: self.trouble,
                not_reloaded: None,
            }),
            turn: Mutex::new(()),
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
    standing: Mutex<Standing>,
    /// Of two who reload at the same time, the second reads what is there when the first is done.
    turn: Mutex<()>,
}

/// Why the configuration is not used as it stands.
#[derive(Default)]
struct Standing {
    /// It could not be used at the start.
    at_start: Option<String>,
    /// It was not taken by the last reload.
    not_reloaded: Option<String>,
}

impl Reloading {
    /// Checks everything, then uses everything. Both that use it fail only when Tocsin stops.
    fn read_and_use(&self) -> Result<String, String> {
        let loaded = read(&self.config)?;
        let given = given(&self.config, &self.external_url, &loaded);
        let checked = self.rules.check(&given)?;
        let jobs = loaded.jobs.len();
        self.scraper.reload(loaded.jobs)?;
        let rules = self.rules.apply(checked)?;
        Ok(match &self.config.config {
            Some(_) => format!("{rules}; {}", count(jobs, "scrape job")),
            None => rules,
        })
    }
}

impl Rules for Reloading {
    fn groups(&self) -> Vec<RuleGroup> {
        self.rules.groups()
    }

    fn trouble(&self) -> Option<String> {
        let (at_start, not_reloaded) = {
            let standing = lock(&self.standing);
            (standing.at_start.clone(), standing.not_reloaded.clone())
        };
        let parts = [at_start, self.rules.trouble(), not_reloaded];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    fn reload(&self) -> Result<String, String> {
        let _turn = lock(&self.turn);
        let done = self.read_and_use();
        match &done {
            Ok(_) => *lock(&self.standing) = Standing::default(),
            Err(why) => {
                tracing::error!(%why, "nothing was reloaded: what was used before is used on");
                lock(&self.standing).not_reloaded = Some(format!("not reloaded: {why}"));
            }
        }
        done
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    use tocsin_edge::ports::scrape::ScrapeTargets;
    use tocsin_telemetry::{Options, Store};

    use super::*;
    use crate::metrics_port::Storing;
    use crate::rules::tests::{DOWN, down, make_changes};

    /// A configuration at work, in a folder of its own.
    struct Stage {
        folder: tempfile::TempDir,
        rules: RulesHandle,
        reloading: Reloading,
        scraper: Scraper,
        scraping: Option<Scraping>,
    }

    impl Stage {
        fn begin(config: &str, rules: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("prometheus.yml");
            std::fs::write(&file, config).unwrap();
            std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
            let config = Prometheus {
                config: Some(file),
                ..Prometheus::default()
            };
            let files = Files::read(&config, "http://localhost");
            let rules = RulesHandle::new(&files.rules(), files.reading(), vec![down()]);
            let store = Store::open(&folder.path().join("store"), Options::default());
            let metrics = Arc::new(Storing {
                store: Arc::new(store.unwrap().0),
                tell: |_: &_| {},
            });
            let (reloading, scraper, scraping) = files.start(rules.clone(), metrics).unwrap();
            // Scraping takes up what it begins with on a thread of its own.
            while scraper.pools().is_empty() && lock(&reloading.standing).at_start.is_none() {
                std::thread::yield_now();
            }
            Self {
                folder,
                rules,
                reloading,
                scraper,
                scraping: Some(scraping),
            }
        }

        fn write(&self, file: &str, text: &str) {
            std::fs::write(self.folder.path().join(file), text).unwrap();
        }

        /// Names of pools and of groups of rules.
        fn at_work(&self) -> (Vec<String>, Vec<String>) {
            let groups = self.reloading.groups().into_iter();
            (
                self.scraper.pools(),
                groups.map(|group| group.name).collect(),
            )
        }
    }

    fn config(job: &str) -> String {
        format!("rule_files: [rules.yml]\nscrape_configs: [{{job_name: {job}}}]\n")
    }

    fn names(pool: &str, group: &str) -> (Vec<String>, Vec<String>) {
        (vec![pool.to_owned()], vec![group.to_owned()])
    }

    const NEW_RULES: &str = "groups:\n- name: new\n  rules:\n  - record: a\n    expr: up\n";

    #[test]
    fn a_mistake_in_a_rule_file_leaves_the_jobs_and_the_list_of_files_as_they_were() {
        let stage = Stage::begin(&config("old"), DOWN);
        stage.write("prometheus.yml", &config("new"));
        stage.write("rules.yml", "groups: [");
        let why = stage.reloading.reload().unwrap_err();
        assert!(why.contains("rules.yml"), "{why}");
        assert_eq!(stage.at_work(), names("old", "g"));
        let trouble = stage.reloading.trouble().unwrap();
        assert!(trouble.starts_with("not reloaded: "), "{trouble}");
    }

    #[test]
    fn rules_stay_as_they_were_when_scraping_cannot_be_reloaded() {
        let mut stage = Stage::begin(&config("old"), DOWN);
        stage.scraping.take().unwrap().stop();
        stage.write("rules.yml", NEW_RULES);
        stage.reloading.reload().unwrap_err();
        assert_eq!(stage.at_work().1, ["g"]);
    }

    #[test]
    fn a_reload_without_mistakes_uses_everything_and_ends_the_trouble() {
        let stage = Stage::begin(&config("old"), DOWN);
        let thread = make_changes(&stage.rules);
        stage.write("prometheus.yml", "nonsense: 1\n");
        stage.reloading.reload().unwrap_err();
        assert_eq!(stage.at_work(), names("old", "g"));
        stage.write("prometheus.yml", &config("new"));
        stage.write("rules.yml", NEW_RULES);
        stage.reloading.reload().unwrap();
        assert_eq!(stage.at_work(), names("new", "new"));
        assert_eq!(stage.reloading.trouble(), None);
        stage.rules.stop();
        thread.join().unwrap();
    }

    #[test]
    fn a_configuration_that_cannot_be_read_at_the_start_ends_no_alert() {
        let stage = Stage::begin("nonsense: 1\n", DOWN);
        let trouble = stage.reloading.trouble().unwrap();
        assert!(trouble.contains("nonsense"), "{trouble}");
        assert!(trouble.contains("1 alert fires on"), "{trouble}");
    }
}
