//! `tocsin store` and `tocsin window`: looks at, tidies and copies telemetry in a data directory that no server has open, and asks
//! frozen copies of it. It decides nothing and talks to no network.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;
use serde_json::json;
use tocsin_domain::time::Timestamp;
use tocsin_engine::Clock;
use tocsin_journal::DataDir;
use tocsin_promql::{Ask, Limits, Query, Value, parse_selector};
use tocsin_telemetry::{Imported, Options, Stats, Store, Window, WindowContents};

use crate::system::SystemClock;

/// What to do with the store of a data directory.
#[derive(Subcommand)]
pub(crate) enum StoreCommand {
    /// Print what is stored, as JSON.
    Stats {
        /// The data directory.
        #[arg(long, value_name = "DIR", env = "TOCSIN_DATA")]
        data: PathBuf,
    },
    /// Seal all that is logged and merge blocks, then print what is stored.
    Compact {
        /// The data directory.
        #[arg(long, value_name = "DIR", env = "TOCSIN_DATA")]
        data: PathBuf,
    },
}

/// What to do with a window: a frozen copy of series in a span of time, as one file.
#[derive(Subcommand)]
pub(crate) enum WindowCommand {
    /// Copy series of a data directory into a file.
    Export {
        /// The data directory.
        #[arg(long, value_name = "DIR", env = "TOCSIN_DATA")]
        data: PathBuf,
        /// Which series, as `{job="web"}`; may be given several times [default: all].
        #[arg(long = "match", value_name = "SELECTOR")]
        matches: Vec<String>,
        /// First instant (RFC 3339).
        #[arg(long, value_name = "TIME")]
        from: String,
        /// Last instant (RFC 3339).
        #[arg(long, value_name = "TIME")]
        to: String,
        /// The file.
        file: PathBuf,
    },
    /// Take the samples of a file into a data directory.
    Import {
        /// The data directory.
        #[arg(long, value_name = "DIR", env = "TOCSIN_DATA")]
        data: PathBuf,
        /// The file.
        file: PathBuf,
    },
    /// Tell what is in a file, as JSON.
    Info {
        /// The file.
        file: PathBuf,
    },
    /// Ask a file a PromQL question: at one instant, or at each step from `--from` to `--to`. Prints a line a sample.
    Query {
        /// The file.
        file: PathBuf,
        /// The question.
        expr: String,
        /// The instant (RFC 3339) [default: the last sample].
        #[arg(long, value_name = "TIME", conflicts_with_all = ["from", "to"])]
        at: Option<String>,
        /// First instant (RFC 3339) [default: the first sample].
        #[arg(long, value_name = "TIME", requires = "step")]
        from: Option<String>,
        /// Last instant (RFC 3339) [default: the last sample].
        #[arg(long, value_name = "TIME", requires = "step")]
        to: Option<String>,
        /// The step, as `15s`.
        #[arg(long, value_name = "DURATION")]
        step: Option<String>,
    },
}

/// Carries a command about a store out.
pub(crate) fn run_store(command: &StoreCommand, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        StoreCommand::Stats { data } => with_store(data, |store| {
            writeln!(out, "{}", told(&store.stats()))?;
            Ok(())
        }),
        StoreCommand::Compact { data } => with_store(data, |store| {
            store.compact_now()?;
            writeln!(out, "{}", told(&store.stats()))?;
            Ok(())
        }),
    }
}

/// Carries a command about a window out.
pub(crate) fn run_window(command: &WindowCommand, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        WindowCommand::Export {
            data,
            matches,
            from,
            to,
            file,
        } => {
            let sets = matches.iter().map(|text| {
                parse_selector(text).with_context(|| format!("--match {text} is no selector"))
            });
            let sets: Vec<_> = sets.collect::<anyhow::Result<_>>()?;
            let ask = Ask {
                sets: &sets,
                from_ms: instant(from)?,
                to_ms: instant(to)?,
            };
            with_store(data, |store| {
                let contents = store.export_series(&ask, file)?;
                writeln!(out, "{}", told_contents(&contents))?;
                Ok(())
            })
        }
        WindowCommand::Import { data, file } => with_store(data, |store| {
            let imported = store.import_window(file, SystemClock.now())?;
            writeln!(out, "{}", told_import(&imported))?;
            Ok(())
        }),
        WindowCommand::Info { file } => {
            writeln!(out, "{}", told_contents(&Window::open(file)?.contents()))?;
            Ok(())
        }
        WindowCommand::Query {
            file,
            expr,
            at,
            from,
            to,
            step,
        } => {
            let window = Window::open(file)?;
            let (first_ms, last_ms) = window.contents().span_ms.unwrap_or_default();
            let query = Query::parse(expr)?;
            let given = |text: &Option<String>, otherwise: i64| match text {
                Some(text) => instant(text),
                None => Ok(otherwise),
            };
            let Some(step) = step else {
                let at_ms = given(at, last_ms)?;
                let answer = query.instant(&window, at_ms, &Limits::default())?;
                return print(&answer.value, at_ms, out);
            };
            let step_ms = tocsin_promql::parse_duration(step)?;
            let (from_ms, to_ms) = (given(from, first_ms)?, given(to, last_ms)?);
            let answer = query.range(&window, from_ms, to_ms, step_ms, &Limits::default())?;
            print(&answer.value, to_ms, out)
        }
    }
}

/// Opens the store of a directory that no server uses.
fn with_store(data: &Path, work: impl FnOnce(&Store) -> anyhow::Result<()>) -> anyhow::Result<()> {
    if !data.is_dir() {
        anyhow::bail!(
            "{} is no directory: give the one that `tocsin serve --data` uses",
            data.display()
        );
    }
    let _lock = DataDir::lock(data).context("a running server must be stopped first")?;
    let path = data.join("telemetry");
    let opened = Store::open(&path, Options::default());
    let (store, report) = opened.with_context(|| format!("opening {}", path.display()))?;
    for file in &report.set_aside {
        tracing::error!(?file, "a damaged file of the store was set aside");
    }
    work(&store)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a ratio that a person reads; counts beyond 2^53 do not occur"
)]
fn told(stats: &Stats) -> serde_json::Value {
    let in_blocks = stats.samples - stats.samples_in_head;
    let each = stats.sample_block_bytes as f64 / in_blocks as f64;
    json!({
        "series": stats.series,
        "samples": stats.samples,
        "samples_in_blocks": in_blocks,
        "blocks": stats.sample_blocks,
        "block_bytes": stats.sample_block_bytes,
        "bytes_per_sample": (in_blocks > 0).then_some(each),
        "bytes_on_disk": stats.size_on_disk,
    })
}

fn told_contents(contents: &WindowContents) -> serde_json::Value {
    let time = |ms: i64| Timestamp::from_millis(ms).to_string();
    json!({
        "series": contents.series,
        "samples": contents.samples,
        "from": contents.span_ms.map(|span| time(span.0)),
        "to": contents.span_ms.map(|span| time(span.1)),
    })
}

fn told_import(imported: &Imported) -> serde_json::Value {
    let refused = &imported.refused;
    let mut told = told_contents(&imported.taken);
    told["refused"] = json!({
        "series_limit": refused.series_limit,
        "labels": refused.labels,
        "too_early": refused.too_early,
    });
    told
}

fn instant(text: &str) -> anyhow::Result<i64> {
    let parsed = Timestamp::parse_rfc3339(text);
    let parsed = parsed.with_context(|| format!("{text}: a time as 2026-11-23T07:00:00Z"))?;
    Ok(parsed.as_millis())
}

fn print(value: &Value, at_ms: i64, out: &mut impl Write) -> anyhow::Result<()> {
    let time = |ms: i64| Timestamp::from_millis(ms);
    match value {
        Value::Scalar(value) => writeln!(out, "{} {value}", time(at_ms))?,
        Value::Text(text) => writeln!(out, "{} {text}", time(at_ms))?,
        Value::Vector(samples) => {
            for sample in samples {
                writeln!(out, "{} {} {}", time(at_ms), sample.labels, sample.value)?;
            }
        }
        Value::Matrix(series) => {
            for one in series {
                for (at_ms, value) in &one.points {
                    writeln!(out, "{} {} {value}", time(*at_ms), one.labels)?;
                }
            }
        }
    }
    Ok(())
}
