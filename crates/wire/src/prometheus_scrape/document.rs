//! The configuration file as it is written: every key that Prometheus knows, those that Tocsin does not act upon too, so that
//! a misspelt one is told from one that is left out. It fills in no default.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

use super::config::{Escaping, Names, Scheme, Secret};
use super::protocol::Protocol;
use super::relabel::RuleText;
use super::units::{Duration, Size};

/// A key whose value is not looked at; where it stands is.
pub(super) type Mark = Option<Spanned<IgnoredAny>>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileText {
    pub(super) global: Option<GlobalText>,
    pub(super) rule_files: Option<Vec<Spanned<String>>>,
    pub(super) scrape_config_files: Option<Vec<Spanned<String>>>,
    pub(super) scrape_configs: Option<Vec<Spanned<JobText>>>,
    pub(super) runtime: Mark,
    pub(super) alerting: Mark,
    pub(super) remote_write: Mark,
    pub(super) remote_read: Mark,
    pub(super) storage: Mark,
    pub(super) tracing: Mark,
    pub(super) otlp: Mark,
}

/// A file that `scrape_config_files` names.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobFileText {
    pub(super) scrape_configs: Option<Vec<Spanned<JobText>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GlobalText {
    pub(super) scrape_interval: Option<Duration>,
    pub(super) scrape_timeout: Option<Spanned<Duration>>,
    pub(super) evaluation_interval: Option<Duration>,
    pub(super) external_labels: Option<Spanned<BTreeMap<String, String>>>,
    pub(super) body_size_limit: Option<Size>,
    pub(super) sample_limit: Option<u64>,
    pub(super) target_limit: Option<u64>,
    pub(super) label_limit: Option<u64>,
    pub(super) label_name_length_limit: Option<u64>,
    pub(super) label_value_length_limit: Option<u64>,
    pub(super) keep_dropped_targets: Option<u64>,
    pub(super) scrape_protocols: Option<Spanned<Vec<Protocol>>>,
    pub(super) metric_name_validation_scheme: Option<Names>,
    pub(super) metric_name_escaping_scheme: Option<Escaping>,
    pub(super) extra_scrape_metrics: Option<bool>,
    pub(super) scrape_native_histograms: Option<Spanned<bool>>,
    pub(super) always_scrape_classic_histograms: Option<Spanned<bool>>,
    pub(super) convert_classic_histograms_to_nhcb: Option<Spanned<bool>>,
    pub(super) rule_query_offset: Mark,
    pub(super) query_log_file: Mark,
    pub(super) scrape_failure_log_file: Mark,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobText {
    pub(super) job_name: String,
    pub(super) scrape_interval: Option<Duration>,
    pub(super) scrape_timeout: Option<Spanned<Duration>>,
    pub(super) metrics_path: Option<String>,
    pub(super) params: Option<BTreeMap<String, Vec<String>>>,
    pub(super) scheme: Option<Scheme>,
    pub(super) honor_labels: Option<bool>,
    pub(super) honor_timestamps: Option<bool>,
    pub(super) track_timestamps_staleness: Option<bool>,
    pub(super) static_configs: Option<Vec<Spanned<GroupText>>>,
    pub(super) file_sd_configs: Option<Vec<Spanned<FileDiscoveryText>>>,
    pub(super) relabel_configs: Option<Vec<Spanned<RuleText>>>,
    pub(super) metric_relabel_configs: Option<Vec<Spanned<RuleText>>>,
    pub(super) basic_auth: Option<Spanned<BasicAuthText>>,
    pub(super) authorization: Option<Spanned<AuthorizationText>>,
    pub(super) bearer_token: Option<Secret>,
    pub(super) bearer_token_file: Option<String>,
    pub(super) http_headers: Option<Spanned<BTreeMap<String, HeaderText>>>,
    pub(super) tls_config: Option<Spanned<TlsText>>,
    pub(super) follow_redirects: Option<bool>,
    pub(super) enable_compression: Option<bool>,
    pub(super) body_size_limit: Option<Size>,
    pub(super) sample_limit: Option<u64>,
    pub(super) target_limit: Option<u64>,
    pub(super) label_limit: Option<u64>,
    pub(super) label_name_length_limit: Option<u64>,
    pub(super) label_value_length_limit: Option<u64>,
    pub(super) keep_dropped_targets: Option<u64>,
    pub(super) scrape_protocols: Option<Spanned<Vec<Protocol>>>,
    pub(super) fallback_scrape_protocol: Option<Protocol>,
    pub(super) metric_name_validation_scheme: Option<Names>,
    pub(super) metric_name_escaping_scheme: Option<Spanned<Escaping>>,
    pub(super) extra_scrape_metrics: Option<bool>,
    pub(super) scrape_native_histograms: Option<Spanned<bool>>,
    pub(super) always_scrape_classic_histograms: Option<Spanned<bool>>,
    pub(super) convert_classic_histograms_to_nhcb: Option<Spanned<bool>>,
    pub(super) native_histogram_bucket_limit: Mark,
    pub(super) native_histogram_min_bucket_factor: Mark,
    pub(super) scrape_failure_log_file: Mark,
    pub(super) enable_http2: Mark,
    pub(super) oauth2: Mark,
    pub(super) proxy_url: Mark,
    pub(super) no_proxy: Mark,
    pub(super) proxy_from_environment: Mark,
    pub(super) proxy_connect_header: Mark,
    pub(super) aws_sd_configs: Mark,
    pub(super) azure_sd_configs: Mark,
    pub(super) consul_sd_configs: Mark,
    pub(super) digitalocean_sd_configs: Mark,
    pub(super) dns_sd_configs: Mark,
    pub(super) docker_sd_configs: Mark,
    pub(super) dockerswarm_sd_configs: Mark,
    pub(super) ec2_sd_configs: Mark,
    pub(super) eureka_sd_configs: Mark,
    pub(super) gce_sd_configs: Mark,
    pub(super) hetzner_sd_configs: Mark,
    pub(super) http_sd_configs: Mark,
    pub(super) ionos_sd_configs: Mark,
    pub(super) kubernetes_sd_configs: Mark,
    pub(super) kuma_sd_configs: Mark,
    pub(super) lightsail_sd_configs: Mark,
    pub(super) linode_sd_configs: Mark,
    pub(super) marathon_sd_configs: Mark,
    pub(super) nerve_sd_configs: Mark,
    pub(super) nomad_sd_configs: Mark,
    pub(super) openstack_sd_configs: Mark,
    pub(super) ovhcloud_sd_configs: Mark,
    pub(super) puppetdb_sd_configs: Mark,
    pub(super) scaleway_sd_configs: Mark,
    pub(super) serverset_sd_configs: Mark,
    pub(super) stackit_sd_configs: Mark,
    pub(super) triton_sd_configs: Mark,
    pub(super) uyuni_sd_configs: Mark,
    pub(super) vultr_sd_configs: Mark,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupText {
    pub(super) targets: Option<Vec<String>>,
    pub(super) labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileDiscoveryText {
    pub(super) files: Vec<String>,
    pub(super) refresh_interval: Option<Duration>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BasicAuthText {
    pub(super) username: Option<String>,
    pub(super) username_file: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) password_file: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuthorizationText {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) credentials: Option<Secret>,
    pub(super) credentials_file: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderText {
    pub(super) values: Option<Vec<String>>,
    pub(super) secrets: Option<Vec<Secret>>,
    pub(super) files: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsText {
    pub(super) ca: Option<String>,
    pub(super) ca_file: Option<String>,
    pub(super) cert: Option<Secret>,
    pub(super) cert_file: Option<String>,
    pub(super) key: Option<Secret>,
    pub(super) key_file: Option<String>,
    pub(super) server_name: Option<String>,
    pub(super) insecure_skip_verify: Option<bool>,
    pub(super) min_version: Mark,
    pub(super) max_version: Mark,
}

impl FileText {
    pub(super) fn ignored(&self) -> [(&'static str, &Mark, &'static str); 7] {
        [
            (
                "runtime",
                &self.runtime,
                "it is about Prometheus' own process",
            ),
            (
                "alerting",
                &self.alerting,
                "Tocsin pages by itself and sends to no Alertmanager",
            ),
            (
                "remote_write",
                &self.remote_write,
                "nothing is sent on to other stores",
            ),
            ("remote_read", &self.remote_read, "no other store is asked"),
            ("storage", &self.storage, "see retention in tocsin.toml"),
            ("tracing", &self.tracing, "Tocsin sends no traces of itself"),
            (
                "otlp",
                &self.otlp,
                "it is about what OpenTelemetry clients send",
            ),
        ]
    }
}

/// What is said of discovery that is not done.
const DISCOVERY: &str =
    "these targets are not scraped: Tocsin knows static_configs and file_sd_configs";
/// What is said of ways to reach a target.
const PROXY: &str = "targets are asked directly";

impl JobText {
    /// Keys that are not acted upon, and what that means.
    pub(super) fn ignored(&self) -> Vec<(&'static str, &Mark, &'static str)> {
        let mut all = vec![
            (
                "native_histogram_bucket_limit",
                &self.native_histogram_bucket_limit,
                NATIVE,
            ),
            (
                "native_histogram_min_bucket_factor",
                &self.native_histogram_min_bucket_factor,
                NATIVE,
            ),
            (
                "scrape_failure_log_file",
                &self.scrape_failure_log_file,
                "failures are shown with the target",
            ),
            (
                "enable_http2",
                &self.enable_http2,
                "targets are asked by HTTP/1.1",
            ),
            (
                "oauth2",
                &self.oauth2,
                "targets are asked without a token; use authorization with credentials_file",
            ),
            ("proxy_url", &self.proxy_url, PROXY),
            ("no_proxy", &self.no_proxy, PROXY),
            (
                "proxy_from_environment",
                &self.proxy_from_environment,
                PROXY,
            ),
            ("proxy_connect_header", &self.proxy_connect_header, PROXY),
        ];
        all.extend(self.discovery().map(|(name, mark)| (name, mark, DISCOVERY)));
        all
    }

    fn discovery(&self) -> [(&'static str, &Mark); 29] {
        [
            ("aws_sd_configs", &self.aws_sd_configs),
            ("azure_sd_configs", &self.azure_sd_configs),
            ("consul_sd_configs", &self.consul_sd_configs),
            ("digitalocean_sd_configs", &self.digitalocean_sd_configs),
            ("dns_sd_configs", &self.dns_sd_configs),
            ("docker_sd_configs", &self.docker_sd_configs),
            ("dockerswarm_sd_configs", &self.dockerswarm_sd_configs),
            ("ec2_sd_configs", &self.ec2_sd_configs),
            ("eureka_sd_configs", &self.eureka_sd_configs),
            ("gce_sd_configs", &self.gce_sd_configs),
            ("hetzner_sd_configs", &self.hetzner_sd_configs),
            ("http_sd_configs", &self.http_sd_configs),
            ("ionos_sd_configs", &self.ionos_sd_configs),
            ("kubernetes_sd_configs", &self.kubernetes_sd_configs),
            ("kuma_sd_configs", &self.kuma_sd_configs),
            ("lightsail_sd_configs", &self.lightsail_sd_configs),
            ("linode_sd_configs", &self.linode_sd_configs),
            ("marathon_sd_configs", &self.marathon_sd_configs),
            ("nerve_sd_configs", &self.nerve_sd_configs),
            ("nomad_sd_configs", &self.nomad_sd_configs),
            ("openstack_sd_configs", &self.openstack_sd_configs),
            ("ovhcloud_sd_configs", &self.ovhcloud_sd_configs),
            ("puppetdb_sd_configs", &self.puppetdb_sd_configs),
            ("scaleway_sd_configs", &self.scaleway_sd_configs),
            ("serverset_sd_configs", &self.serverset_sd_configs),
            ("stackit_sd_configs", &self.stackit_sd_configs),
            ("triton_sd_configs", &self.triton_sd_configs),
            ("uyuni_sd_configs", &self.uyuni_sd_configs),
            ("vultr_sd_configs", &self.vultr_sd_configs),
        ]
    }
}

/// What is said of native histograms.
pub(super) const NATIVE: &str = "native histograms are not kept yet; classic ones are";
