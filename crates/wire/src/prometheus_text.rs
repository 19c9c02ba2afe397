//! Writes the Prometheus text format (0.0.4) for our own `/metrics`; it does not read it and knows no metric.

use std::fmt::Write as _;

/// The content type to serve it with.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only rises, or starts anew at zero.
    Counter,
    /// May rise and fall.
    Gauge,
}

/// A text being written: each family is opened once, then given its samples.
#[derive(Clone, Debug, Default)]
pub struct Exposition {
    text: String,
    family: String,
}

impl Exposition {
    /// Opens a family of samples. Characters that a metric's name cannot have become `_`.
    pub fn family(&mut self, name: &str, kind: MetricKind, help: &str) -> &mut Self {
        self.family = metric_name(name);
        let kind = match kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
        };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing to a string has no way to fail, here and below.
        let _ = writeln!(
            self.text,
            "# HELP {} {help}\n# TYPE {} {kind}",
            self.family, self.family
        );
        self
    }

    /// Writes a sample of the family that was opened last.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: f64) -> &mut Self {
        self.text.push_str(&self.family);
        for (index, (name, value)) in labels.iter().enumerate() {
            self.text.push(if index == 0 { '{' } else { ',' });
            let _ = write!(self.text, "{}=\"{}\"", label_name(name), escape(value));
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        self.text.push(' ');
        self.push_value(value);
        self.text.push('\n');
        self
    }

    /// The text so far.
    #[must_use]
    pub fn finish(&self) -> &str {
        &self.text
    }

    fn push_value(&mut self, value: f64) {
        if value.is_nan() {
            self.text.push_str("NaN");
        } else if value.is_infinite() {
            self.text
                .push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
        } else {
            let _ = write!(self.text, "{value}");
        }
    }
}

fn metric_name(name: &str) -> String {
    cleaned(name, |symbol| {
        symbol.is_ascii_alphanumeric() || symbol == '_' || symbol == ':'
    })
}

fn label_name(name: &str) -> String {
    cleaned(name, |symbol| {
        symbol.is_ascii_alphanumeric() || symbol == '_'
    })
}

fn cleaned(name: &str, good: impl Fn(char) -> bool) -> String {
    let mut out: String = name
        .chars()
        .map(|symbol| if good(symbol) { symbol } else { '_' })
        .collect();
    if out.is_empty() || out.starts_with(|symbol: char| symbol.is_ascii_digit()) {
        out.insert(0, '_');
    }
    out
}

fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for symbol in value.chars() {
        match symbol {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            _ => out.push(symbol),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_and_samples_are_written_as_prometheus_reads_them() {
        let mut text = Exposition::default();
        text.family(
            "tocsin_pages_total",
            MetricKind::Counter,
            "Pages sent.\nBy \\channel.",
        )
        .sample(&[("channel", "email"), ("outcome", "sent")], 3.0)
        .sample(&[], 0.5);
        text.family("tocsin_queue", MetricKind::Gauge, "Waiting.")
            .sample(&[("path", "C:\\a \"b\"\nc")], f64::INFINITY)
            .sample(&[("1st-label", "é")], f64::NAN);
        assert_eq!(
            text.finish(),
            "# HELP tocsin_pages_total Pages sent.\\nBy \\\\channel.\n\
             # TYPE tocsin_pages_total counter\n\
             tocsin_pages_total{channel=\"email\",outcome=\"sent\"} 3\n\
             tocsin_pages_total 0.5\n\
             # HELP tocsin_queue Waiting.\n\
             # TYPE tocsin_queue gauge\n\
             tocsin_queue{path=\"C:\\\\a \\\"b\\\"\\nc\"} +Inf\n\
             tocsin_queue{_1st_label=\"é\"} NaN\n"
        );
    }

    #[test]
    fn a_name_cannot_break_out_of_its_place() {
        let mut text = Exposition::default();
        text.family("a b\n# evil", MetricKind::Gauge, "x")
            .sample(&[("l\"}", "v")], 1.0);
        assert!(text.finish().ends_with("a_b___evil{l__=\"v\"} 1\n"));
        assert_eq!(metric_name(""), "_");
    }
}
