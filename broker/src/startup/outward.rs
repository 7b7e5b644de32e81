//! The way out for what is not the provider's: alerts and traces.

use std::sync::Arc;

use anyhow::Context;

use crate::alerts::Sink;
use crate::alerts::program::Program;
use crate::alerts::webhook::{SigningKey, Webhook};
use crate::clock::SystemClock;
use crate::config::{self, refuse_sample};
use crate::provider::dial::{self, Dialer, Egress};
use crate::secret_line;

/// Through the proxy and with the trust that the usual variables name.
fn dialer() -> anyhow::Result<Dialer> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let tls = dial::trust(None, variable("SSL_CERT_FILE").as_deref().map(std::path::Path::new))?;
    let proxy = variable("HTTPS_PROXY").or_else(|| variable("https_proxy"));
    let exceptions = variable("NO_PROXY").or_else(|| variable("no_proxy"));
    let egress = Egress::parse(proxy.as_deref(), exceptions.as_deref())?;
    Ok(Dialer::new(Arc::new(SystemClock), tls, egress))
}

/// Who is told of what is traced.
#[cfg(feature = "otlp")]
pub(super) fn traces(
    tracing: &config::Tracing,
    handle: &tokio::runtime::Handle,
) -> anyhow::Result<Option<crate::telemetry::trace::Traces>> {
    let Some(endpoint) = &tracing.otlp_endpoint else { return Ok(None) };
    let traces = crate::telemetry::trace::Traces::to(endpoint, dialer()?, handle.clone());
    traces.context("telemetry.otlp_endpoint").map(Some)
}

/// Who is told of alerts.
pub(super) fn sinks(alerts: &config::Alerts) -> anyhow::Result<Vec<Sink>> {
    let mut sinks = Vec::new();
    if let Some(url) = &alerts.webhook_url {
        let key = match &alerts.webhook_secret_file {
            None => None,
            Some(file) => {
                let secret = secret_line::read(file).context("alerts.webhook_secret_file")?;
                refuse_sample("alerts.webhook_secret_file", secret.expose().as_bytes())?;
                Some(SigningKey::parse(&secret).context("alerts.webhook_secret_file")?)
            }
        };
        sinks.push(Sink::Webhook(Box::new(Webhook::new(dialer()?, url, key).context("alerts.webhook_url")?)));
    }
    sinks.extend(Program::new(&alerts.command).map(Sink::Program));
    Ok(sinks)
}
