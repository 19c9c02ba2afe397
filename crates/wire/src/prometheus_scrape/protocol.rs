//! Which exposition format is asked for and which one came; it parses none of them.

use serde::Deserialize;

use super::config::Escaping;

/// A format of exporters, by Prometheus' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Protocol {
    /// Protocol buffers, each message after its length.
    #[serde(rename = "PrometheusProto")]
    Protobuf,
    /// OpenMetrics text, version 1.0.0.
    #[serde(rename = "OpenMetricsText1.0.0")]
    OpenMetrics1,
    /// OpenMetrics text, version 0.0.1.
    #[serde(rename = "OpenMetricsText0.0.1")]
    OpenMetrics0,
    /// Prometheus' text, version 1.0.0: names may be any text.
    #[serde(rename = "PrometheusText1.0.0")]
    Text1,
    /// Prometheus' text, version 0.0.4.
    #[serde(rename = "PrometheusText0.0.4")]
    Text0,
}

/// What is asked for when nothing is configured, the best first.
pub(super) const DEFAULT: [Protocol; 4] = [
    Protocol::OpenMetrics1,
    Protocol::OpenMetrics0,
    Protocol::Text1,
    Protocol::Text0,
];

/// Why an answer's format is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoFormat {
    /// It does not say what it is.
    #[error(
        "the answer has no Content-Type; set fallback_scrape_protocol for this job to read it nevertheless"
    )]
    Missing,
    /// It is something else.
    #[error(
        "the answer has the Content-Type {0:?}, which is no format of metrics; set fallback_scrape_protocol for this job to read it nevertheless"
    )]
    Unknown(String),
}

/// Bytes of a Content-Type that are repeated in an error.
const SHOWN_BYTES_MAX: usize = 120;

impl Protocol {
    const fn media_type(self) -> &'static str {
        match self {
            Self::Protobuf => {
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
            }
            Self::OpenMetrics1 => "application/openmetrics-text;version=1.0.0",
            Self::OpenMetrics0 => "application/openmetrics-text;version=0.0.1",
            Self::Text1 => "text/plain;version=1.0.0",
            Self::Text0 => "text/plain;version=0.0.4",
        }
    }
}

/// The `Accept` header that asks for these formats, the first one most.
#[must_use]
pub fn accept_header(protocols: &[Protocol], escaping: Escaping) -> String {
    // One tenth less for each that is wanted less; there are five formats at most.
    let mut weight = 6;
    let mut header = String::new();
    for protocol in protocols {
        header.push_str(protocol.media_type());
        // Only these versions know how names may be written.
        if matches!(protocol, Protocol::OpenMetrics1 | Protocol::Text1) {
            header.push_str(";escaping=");
            header.push_str(escaping.word());
        }
        header.push_str(&format!(";q=0.{weight},"));
        weight -= 1;
    }
    header.push_str(&format!("*/*;q=0.{weight}"));
    header
}

/// The format of an answer by its Content-Type; the fallback where that says nothing usable.
///
/// # Errors
/// It says nothing usable, and there is no fallback.
pub fn format_of(
    content_type: Option<&str>,
    fallback: Option<Protocol>,
) -> Result<Protocol, NoFormat> {
    let given = content_type.map(str::trim).unwrap_or_default();
    if let Some(known) = known_type(given) {
        return Ok(known);
    }
    fallback.ok_or_else(|| match given {
        "" => NoFormat::Missing,
        other => NoFormat::Unknown(other.chars().take(SHOWN_BYTES_MAX).collect()),
    })
}

fn known_type(given: &str) -> Option<Protocol> {
    let mut parts = given.split(';').map(str::trim);
    let media = parts.next()?.to_ascii_lowercase();
    let parameters: Vec<(String, String)> = parts
        .filter_map(|part| part.split_once('='))
        .map(|(name, value)| {
            let value = value.trim().trim_matches('"').to_ascii_lowercase();
            (name.trim().to_ascii_lowercase(), value)
        })
        .collect();
    let parameter = |wanted: &str| {
        let found = parameters.iter().find(|(name, _)| name == wanted);
        found.map_or("", |(_, value)| value.as_str())
    };
    match media.as_str() {
        "text/plain" if parameter("version") == "1.0.0" => Some(Protocol::Text1),
        "text/plain" => Some(Protocol::Text0),
        "application/openmetrics-text" if parameter("version") == "0.0.1" => {
            Some(Protocol::OpenMetrics0)
        }
        "application/openmetrics-text" => Some(Protocol::OpenMetrics1),
        "application/vnd.google.protobuf" => {
            let is_family = ["", "io.prometheus.client.metricfamily"].contains(&parameter("proto"));
            let is_delimited = ["", "delimited"].contains(&parameter("encoding"));
            (is_family && is_delimited).then_some(Protocol::Protobuf)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formats_are_asked_for_in_their_order() {
        assert_eq!(
            accept_header(&DEFAULT, Escaping::AllowUtf8),
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,\
             text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
             text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
        );
        let header = accept_header(
            &[Protocol::Protobuf, Protocol::Text0],
            Escaping::Underscores,
        );
        assert!(
            header.starts_with("application/vnd.google.protobuf;proto="),
            "{header}"
        );
        assert!(
            header.ends_with(";q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.4"),
            "{header}"
        );
    }

    #[test]
    fn the_content_type_decides_and_the_fallback_only_where_it_does_not() {
        let check = |given: Option<&str>, expected: Option<Protocol>| {
            assert_eq!(format_of(given, None).ok(), expected, "{given:?}");
        };
        check(
            Some("text/plain; version=0.0.4; charset=utf-8"),
            Some(Protocol::Text0),
        );
        check(
            Some("text/plain;version=1.0.0;escaping=allow-utf-8"),
            Some(Protocol::Text1),
        );
        check(Some("text/plain"), Some(Protocol::Text0));
        check(
            Some("Application/OpenMetrics-Text; Version=1.0.0"),
            Some(Protocol::OpenMetrics1),
        );
        check(
            Some("application/openmetrics-text;version=0.0.1"),
            Some(Protocol::OpenMetrics0),
        );
        check(
            Some(
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
            ),
            Some(Protocol::Protobuf),
        );
        check(
            Some("application/vnd.google.protobuf; proto=other.Thing"),
            None,
        );
        check(Some("text/html"), None);
        check(Some(""), None);
        check(None, None);
        assert_eq!(
            format_of(Some("text/html"), Some(Protocol::Text0)),
            Ok(Protocol::Text0)
        );
        assert_eq!(format_of(None, None), Err(NoFormat::Missing));
    }
}
