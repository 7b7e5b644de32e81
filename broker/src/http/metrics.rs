//! `GET /metrics`: counts and state, for a monitoring system.

use std::sync::Arc;

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL};
use actix_web::{HttpRequest, HttpResponse, web};
use aws_lc_rs::digest::{SHA256, digest};
use scorpiox_wire::{Code, Problem, Secret};

use super::error::Refusal;
use crate::metrics::{CONTENT_TYPE, exposition};
use crate::registrar::Registrar;

/// The path, on every listener that has it.
pub const PATH: &str = "/metrics";

/// What the handler needs.
pub struct MetricsService {
    /// Looks at the broker.
    pub registrar: Arc<Registrar>,
    /// What the listener asks for; the administration asks for an administrator instead.
    pub bearer: Option<Bearer>,
}

/// The bearer of the metrics listener, as what it is compared with.
pub struct Bearer([u8; 32]);

impl Bearer {
    /// From its file's line.
    pub fn new(secret: &Secret) -> Self {
        Self(digested(secret.expose()))
    }

    /// Hashes are compared, so that the time tells neither where they differ nor how long the secret is.
    fn is(&self, presented: &str) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&self.0, &digested(presented)).is_ok()
    }
}

fn digested(text: &str) -> [u8; 32] {
    digest(&SHA256, text.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// Adds the route to a listener of its own.
pub fn routes(app: &mut web::ServiceConfig) {
    app.service(web::resource(PATH).route(web::get().to(get)));
}

async fn get(request: HttpRequest, service: web::Data<MetricsService>) -> Result<HttpResponse, Refusal> {
    if let Some(bearer) = &service.bearer {
        let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let presented = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        if !presented.is_some_and(|(_, presented)| bearer.is(presented.trim())) {
            let problem = Problem::new(Code::Unauthorized, "this is not the bearer of the metrics");
            return Err(problem.with_hint("it is the line in metrics.token_file").into());
        }
    }
    Ok(page(&service.registrar))
}

/// The answer itself.
pub fn page(registrar: &Registrar) -> HttpResponse {
    let text = exposition(registrar.meters(), &registrar.sight());
    HttpResponse::Ok().content_type(CONTENT_TYPE).insert_header((CACHE_CONTROL, "no-store")).body(text)
}
