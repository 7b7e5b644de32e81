//! What no single value shows: bounds, and values that contradict each other.

use std::path::Path;
use std::time::Duration;

use url::{Host, Url};

use super::written::{Fault, Name, WrittenConfig};
use super::{Config, Transport, refuse_sample};

/// Longest path that a Unix socket can have, in bytes (`sockaddr_un`, without its final NUL).
const SOCKET_PATH_BYTES: usize = 107;

/// Appends everything that is wrong with `config` as a whole.
pub(super) fn check(config: &Config, written: &WrittenConfig, faults: &mut Vec<Fault>) {
    let mut checks = Checks { written, faults };
    checks.listener(config);
    checks.administration(config);
    checks.limits(config);
    checks.rotation(config);
    checks.provider(config);
    checks.keys(config);
    checks.serve(config);
    checks.log(config);
    checks.metrics(config);
    checks.alerts(config);
    checks.tracing(config);
}

struct Checks<'a> {
    written: &'a WrittenConfig,
    faults: &'a mut Vec<Fault>,
}

impl Checks<'_> {
    fn require(&mut self, holds: bool, name: Name, message: &str) {
        if !holds {
            let origin = self.written.origin(name);
            self.faults.push(Fault { origin, message: format!("{}: {message}", name.1) });
        }
    }

    fn serve(&mut self, config: &Config) {
        // The stock CLI renews 30 s before the end: with less it would renew before each request.
        let gateway = (Duration::from_secs(31)..=Duration::from_secs(3600)).contains(&config.serve.gateway_expires_in);
        self.require(gateway, ("serve", "gateway_expires_in"), "must be from 31s to 1h");
    }

    fn listener(&mut self, config: &Config) {
        let tls = &config.tls;
        let host = Host::parse(&config.name).is_ok() || config.name.parse::<std::net::IpAddr>().is_ok();
        self.require(host, ("", "name"), "is neither a host name nor an address");
        let workers = config.workers.is_none_or(|workers| (1..=512).contains(&workers));
        self.require(workers, ("", "workers"), "must be from 1 to 512");
        let public = config.public_url.as_deref().is_none_or(|url| is_web_url(url, &["https", "http"]));
        self.require(public, ("", "public_url"), "must be a URL such as \"https://broker.example:8443\"");
        let pair = tls.certificate.is_some() == tls.key.is_some();
        self.require(pair, ("tls", "certificate"), "certificate and key are given together or not at all");
        let plain = tls.plain_http || tls.plain_http_i_know_tokens_travel_in_the_clear;
        self.require(
            !plain || tls.certificate.is_none(),
            ("tls", "plain_http"),
            "a certificate is configured too; keep one of them",
        );
        let local = config.listen.ip().to_canonical().is_loopback();
        self.require(
            !tls.plain_http || local || tls.plain_http_i_know_tokens_travel_in_the_clear,
            ("tls", "plain_http"),
            "serves only a loopback address; give a certificate, or leave both out for a self-signed one",
        );
        let socket = config.socket();
        self.require(
            fits_socket(&socket),
            ("admin", "socket"),
            "the path of a Unix socket has at most 107 bytes; choose a shorter one",
        );
    }

    fn administration(&mut self, config: &Config) {
        let admin = &config.admin;
        let pair = admin.certificate.is_some() == admin.key.is_some();
        self.require(pair, ("admin", "certificate"), "certificate and key are given together or not at all");
        self.require(
            !admin.plain_http || admin.certificate.is_none(),
            ("admin", "plain_http"),
            "a certificate is configured too; keep one of them",
        );
        let local = admin.listen.is_none_or(|listen| listen.ip().to_canonical().is_loopback());
        self.require(
            !admin.plain_http || local,
            ("admin", "plain_http"),
            "serves only a loopback address; passwords and keys must not travel in the clear",
        );
    }

    fn limits(&mut self, config: &Config) {
        let limits = &config.limits;
        for (key, number, least, most) in [
            ("connections_per_address", limits.connections_per_address as usize, 1, 1_000_000),
            ("connections", limits.connections as usize, 1, 1_000_000),
            // Above 64 KiB the parser's own buffer limit would answer first, and without a reason.
            ("header_bytes", limits.header_bytes, 1024, 65_536),
            ("body_bytes", limits.body_bytes, 1024, 16 << 20),
        ] {
            let message = format!("must be from {least} to {most}");
            self.require((least..=most).contains(&number), ("limits", key), &message);
        }
        for (key, span) in [
            ("header_timeout", limits.header_timeout),
            ("handshake_timeout", limits.handshake_timeout),
            ("keep_alive", limits.keep_alive),
            ("request_timeout", limits.request_timeout),
            ("write_timeout", limits.write_timeout),
            ("wait", limits.wait),
        ] {
            let range = Duration::from_millis(10)..=Duration::from_secs(3600);
            self.require(range.contains(&span), ("limits", key), "must be from \"10ms\" to \"1h\"");
        }
        self.require(
            limits.wait < limits.request_timeout,
            ("limits", "wait"),
            "must be shorter than request_timeout, or no waiting client would get its answer",
        );
    }

    fn rotation(&mut self, config: &Config) {
        let rotation = &config.rotation;
        let fraction = rotation.renew_at_fraction;
        self.require(
            (0.05..=0.9).contains(&fraction),
            ("rotation", "renew_at_fraction"),
            "must be from 0.05 to 0.9, so that time is left when a renewal fails",
        );
        let slots = (1..=1024).contains(&rotation.rescue_slots);
        self.require(slots, ("rotation", "rescue_slots"), "must be from 1 to 1024");
        let spool = (65_536..=1 << 30).contains(&config.audit.spool_bytes);
        self.require(spool, ("audit", "spool_bytes"), "must be from 65536 to 1073741824");
        let entries = (1..=1_000_000).contains(&config.audit.anchor_entries);
        self.require(entries, ("audit", "anchor_entries"), "must be from 1 to 1000000");
        let interval = (Duration::from_secs(1)..=Duration::from_secs(86_400)).contains(&config.audit.anchor_interval);
        self.require(interval, ("audit", "anchor_interval"), "must be from \"1s\" to \"1d\"");
        let keep = config.audit.keep.is_zero() || config.audit.keep >= Duration::from_secs(3600);
        self.require(keep, ("audit", "keep"), "must be \"0s\" for ever, or at least \"1h\"");
    }

    fn provider(&mut self, config: &Config) {
        let provider = &config.provider;
        self.require(
            is_web_url(&provider.issuer, &["https"]) || is_loopback_url(&provider.issuer),
            ("provider", "issuer"),
            "must be an https URL (http only for a loopback address)",
        );
        if let Some(proxy) = &provider.proxy {
            let valid = is_web_url(proxy.expose(), &["http", "https"]);
            self.require(valid, ("provider", "proxy"), "must be a URL such as \"http://proxy.example:3128\"");
            if let Err(sample) = refuse_sample("proxy", proxy.expose().as_bytes()) {
                let origin = self.written.origin(("provider", "proxy"));
                self.faults.push(Fault { origin, message: sample.to_string() });
            }
        }
    }

    fn keys(&mut self, config: &Config) {
        let keys = &config.keys;
        let command = !keys.master_key_command.is_empty();
        let sources = [keys.master_key_file.is_some(), keys.master_key_credential.is_some(), command];
        self.require(
            sources.into_iter().filter(|given| *given).count() <= 1,
            ("keys", if command { "master_key_command" } else { "master_key_credential" }),
            "the master key has one source: keep one of master_key_file, master_key_credential, master_key_command",
        );
        let name = keys.master_key_credential.as_deref().is_none_or(|name| !name.contains('/') && name != "..");
        self.require(name, ("keys", "master_key_credential"), "is the name of a credential, not a path");
        let program = keys.master_key_command.first().is_none_or(|program| Path::new(program).is_absolute());
        self.require(program, ("keys", "master_key_command"), "the program is named by its whole path");
    }

    fn log(&mut self, config: &Config) {
        let valid = super::parse_level(&config.log.level).is_ok();
        self.require(valid, ("log", "level"), "must be a level such as \"info\", or \"info,scorpiox_broker=debug\"");
    }

    fn metrics(&mut self, config: &Config) {
        let metrics = &config.metrics;
        let local = metrics.listen.is_none_or(|listen| listen.ip().to_canonical().is_loopback());
        self.require(
            local || metrics.token_file.is_some(),
            ("metrics", "listen"),
            "is no loopback address, so a bearer is needed: set token_file",
        );
        self.require(
            local || config.transport() != Transport::Plain,
            ("metrics", "listen"),
            "is no loopback address, so it is served with the certificate of the client listener, which has none",
        );
        let most = (1..=100_000).contains(&metrics.most_clients);
        self.require(most, ("metrics", "most_clients"), "must be from 1 to 100000");
    }

    fn alerts(&mut self, config: &Config) {
        let alerts = &config.alerts;
        if let Some(url) = &alerts.webhook_url {
            let valid = is_web_url(url.expose(), &["https"]) || is_loopback_url(url.expose());
            self.require(valid, ("alerts", "webhook_url"), "must be an https URL (http only for a loopback address)");
        }
        self.require(
            alerts.webhook_url.is_some() || alerts.webhook_secret_file.is_none(),
            ("alerts", "webhook_secret_file"),
            "signs what is posted; set webhook_url too",
        );
        let absolute = alerts.command.first().is_none_or(|program| Path::new(program).is_absolute());
        self.require(absolute, ("alerts", "command"), "begins with the absolute path of a program");
    }

    fn tracing(&mut self, config: &Config) {
        let Some(endpoint) = &config.telemetry.otlp_endpoint else { return };
        let name = ("telemetry", "otlp_endpoint");
        self.require(cfg!(feature = "otlp"), name, "this broker was built without traces (the feature otlp)");
        let valid = is_web_url(endpoint, &["https"]) || is_loopback_url(endpoint);
        self.require(valid, name, "must be an https URL (http only for a loopback address)");
    }
}

fn fits_socket(path: &Path) -> bool {
    path.as_os_str().len() <= SOCKET_PATH_BYTES
}

fn is_web_url(text: &str, schemes: &[&str]) -> bool {
    Url::parse(text).is_ok_and(|url| url.has_host() && schemes.contains(&url.scheme()))
}

fn is_loopback_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        url.scheme() == "http"
            && match url.host() {
                Some(Host::Domain(name)) => name == "localhost",
                Some(Host::Ipv4(address)) => address.is_loopback(),
                Some(Host::Ipv6(address)) => address.is_loopback(),
                None => false,
            }
    })
}
