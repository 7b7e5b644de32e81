//! A request that is traced: the span that everything it causes belongs to, continued from the client's `traceparent`.

use std::future::Future;

use actix_web::{HttpRequest, HttpResponse};

use super::error::Refusal;

/// Answers a request of this route within its span.
#[cfg(not(feature = "otlp"))]
pub(super) async fn served(
    _: &HttpRequest,
    _: &'static str,
    work: impl Future<Output = Result<HttpResponse, Refusal>>,
) -> Result<HttpResponse, Refusal> {
    work.await
}

#[cfg(feature = "otlp")]
pub(super) use traced::served;

#[cfg(feature = "otlp")]
mod traced {
    use super::{Future, HttpRequest, HttpResponse, Refusal};

    use actix_web::http::header::HeaderMap;
    use opentelemetry::propagation::{Extractor, TextMapPropagator};
    use opentelemetry_sdk::propagation::TraceContextPropagator;
    use tracing::{Instrument, field};
    use tracing_opentelemetry::OpenTelemetrySpanExt;

    use crate::telemetry::trace::step;

    /// Answers a request of this route within its span.
    pub(in crate::http) async fn served(
        request: &HttpRequest,
        route: &'static str,
        work: impl Future<Output = Result<HttpResponse, Refusal>>,
    ) -> Result<HttpResponse, Refusal> {
        // The attributes of a query are left out: they name generations, and may hold what a client should not have sent.
        let span = step!(
            "request",
            otel.name = format_args!("{} {route}", request.method()),
            otel.kind = "server",
            otel.status_code = field::Empty,
            http.request.method = %request.method(),
            http.route = route,
            url.path = request.path(),
            url.scheme = if request.app_config().secure() { "https" } else { "http" },
            http.response.status_code = field::Empty,
            error.r#type = field::Empty,
        );
        if span.is_disabled() {
            return work.await;
        }
        // It fails only for a span that nobody listens to.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&Headers(request.headers())));
        let outcome = work.instrument(span.clone()).await;
        match &outcome {
            Ok(answer) => span.record("http.response.status_code", i64::from(answer.status().as_u16())),
            Err(refusal) => {
                let status = refusal.problem.code.status();
                if status >= 500 {
                    span.record("otel.status_code", "ERROR");
                }
                span.record("error.type", refusal.problem.code.as_str());
                span.record("http.response.status_code", i64::from(status))
            }
        };
        outcome
    }

    struct Headers<'a>(&'a HeaderMap);

    impl Extractor for Headers<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            self.0.get(key).and_then(|value| value.to_str().ok())
        }

        fn keys(&self) -> Vec<&str> {
            self.0.keys().map(|name| name.as_str()).collect()
        }
    }
}
