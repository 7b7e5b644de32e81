//! `/healthz`: alive. `/readyz`: able to serve, able to renew, and what is degraded. Neither needs a key.

use std::sync::Arc;

use actix_web::{HttpResponse, web};

use crate::auditor::Auditor;
use crate::registrar::readiness;
use crate::rotator::Rotator;

/// What the handlers need.
pub struct HealthService {
    /// Knows whether anything can be renewed.
    pub rotator: Arc<Rotator>,
    /// Knows whether anything can be handed out.
    pub auditor: Auditor,
}

/// Adds the routes.
pub fn routes(app: &mut web::ServiceConfig) {
    app.service(web::resource("/healthz").route(web::get().to(alive)))
        .service(web::resource("/readyz").route(web::get().to(ready)));
}

async fn alive() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// 503 only when tokens cannot be handed out: a broker that cannot renew still serves what it has.
async fn ready(service: web::Data<HealthService>) -> HttpResponse {
    let readiness = readiness(&service.rotator, &service.auditor);
    let mut response = if readiness.serving { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(readiness)
}
