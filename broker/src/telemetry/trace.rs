//! Where traces come from: spans under a target of their own, which the log never shows.
//!
//! Without somebody who listens (the feature `otlp` and a collector that is configured) a span is one look at an atomic.
//!
//! ```text
//! GET /codex ─ wait
//!         └─── rotation ─ dial, arm, send, rescue, settle
//! ```

/// The target of every span that is traced.
pub const TARGET: &str = "scorpiox_broker::trace";

/// A step of something that is traced: `step!("dial")`.
macro_rules! step {
    ($name:literal $(, $($fields:tt)*)?) => {
        tracing::info_span!(target: $crate::telemetry::trace::TARGET, $name $(, $($fields)*)?)
    };
}
pub(crate) use step;

#[cfg(feature = "otlp")]
pub use listening::Traces;

#[cfg(feature = "otlp")]
mod listening {
    //! Sends spans to a collector: OTLP over HTTP as JSON, through our own way out.

    use std::sync::Arc;
    use std::time::Duration;

    use opentelemetry::trace::TracerProvider;
    use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
    use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tokio::runtime::Handle;
    use tracing::{Metadata, Subscriber};
    use tracing_subscriber::Layer;
    use tracing_subscriber::filter::FilterFn;
    use tracing_subscriber::registry::LookupSpan;

    use super::TARGET;
    use crate::provider::dial::{CallFailed, Dialer, Endpoint};

    /// How long a collector may take.
    const LIMIT: Duration = Duration::from_secs(10);

    /// What collects spans and sends them.
    #[derive(Clone)]
    pub struct Traces(SdkTracerProvider);

    impl Traces {
        /// To the collector at `endpoint` (`http://127.0.0.1:4318`), over connections that run on `handle`.
        pub fn to(endpoint: &str, dialer: Dialer, handle: Handle) -> anyhow::Result<Self> {
            let url = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
            let post = Post { dialer, endpoint: Arc::new(Endpoint::parse(&url)?), handle };
            let exporter = SpanExporter::builder()
                .with_http()
                .with_http_client(post)
                .with_protocol(Protocol::HttpJson)
                .with_endpoint(url)
                .with_timeout(LIMIT)
                .build()?;
            let resource = Resource::builder()
                .with_service_name("scorpiox-broker")
                .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
                .build();
            let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
            Ok(Self(provider))
        }

        /// Listens to the spans of [`TARGET`], and to nothing else: what others say may hold a secret.
        pub(in crate::telemetry) fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
        where
            S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
        {
            let ours = FilterFn::new(
                (|metadata| metadata.is_span() && metadata.target() == TARGET) as fn(&Metadata<'_>) -> bool,
            );
            tracing_opentelemetry::layer()
                .with_tracer(self.0.tracer("scorpiox-broker"))
                .with_location(false)
                .with_threads(false)
                .with_target(false)
                .with_tracked_inactivity(false)
                .with_filter(ours)
        }

        /// Sends what was collected; blocks.
        pub fn finish(&self) {
            if let Err(error) = self.0.shutdown_with_timeout(Duration::from_secs(3)) {
                tracing::warn!(%error, "the last traces were not sent");
            }
        }
    }

    /// Our own way out, as the exporter wants it.
    #[derive(Clone)]
    struct Post {
        dialer: Dialer,
        endpoint: Arc<Endpoint>,
        /// The exporter has a thread of its own, which is none of the runtime's.
        handle: Handle,
    }

    impl std::fmt::Debug for Post {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "Post({})", self.endpoint)
        }
    }

    #[async_trait::async_trait]
    impl HttpClient for Post {
        async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
            let Self { dialer, endpoint, handle } = self.clone();
            let headers = vec![("content-type", "application/json".to_owned())];
            let body = request.into_body().to_vec();
            let sent = handle.spawn(async move { dialer.notify(&endpoint, &headers, body).await });
            match sent.await? {
                Ok(answer) => Ok(Response::builder().status(answer.status).body(Bytes::from(answer.body.to_vec()))?),
                Err(failed @ (CallFailed::Unsent(_) | CallFailed::NoAnswer(_))) => Err(failed.into()),
            }
        }
    }
}
