//! The header `Idempotency-Key`: a change that is asked for twice is made once, and answered the same.

use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody, to_bytes};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};
use scorpiox_wire::{Code, Problem};
use zeroize::Zeroizing;

use super::to_the_end::{body_of, to_the_end};
use crate::domain::idempotency_key::IdempotencyKey;
use crate::http::error::Refusal;
use crate::registrar::{Administrator, Once, Registrar};
use crate::store::repeated_requests::KeptAnswer;

/// Names a change.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer was given before.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Lets a change through at most once under its name; one without a name, every time. Either goes on to its end.
pub(super) async fn once<B: MessageBody + 'static>(
    by: &Administrator,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let values = request.headers().get_all(HEADER).map(HeaderValue::as_bytes);
    let key = IdempotencyKey::read(values).map_err(|error| Refusal::new(Code::BadRequest, error.to_string()))?;
    let body = body_of(&mut request).await?;
    let Some(key) = key else { return Ok(to_the_end(next.call(request)).await??.map_into_boxed_body()) };
    let registrar = request.app_data::<web::Data<Arc<Registrar>>>().expect("the administration has its registrar");
    let registrar = Arc::clone(registrar);
    match registrar.once(by, &key, &fingerprinted(&request, &body)).await.map_err(Refusal::from)? {
        Once::Again(answer) => {
            let mut response = response(&answer)?;
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            Ok(request.into_response(response))
        }
        Once::Begin(turn) => {
            let head = request.request().clone();
            // Whoever asked may hang up: the repeat is told what came of it all the same.
            let (headers, answer) = to_the_end(async move {
                let (headers, answer) = kept(next.call(request).await).await;
                registrar.answered(turn, &answer).await;
                (headers, answer)
            })
            .await?;
            let mut response = response(&answer)?;
            for (name, value) in &headers {
                response.headers_mut().insert(name.clone(), value.clone());
            }
            Ok(ServiceResponse::new(head, response))
        }
    }
}

/// Everything that makes a repeat the same request.
fn fingerprinted(request: &ServiceRequest, body: &[u8]) -> Zeroizing<Vec<u8>> {
    let head = format!("{} {}\n", request.method(), request.uri());
    let mut all = Zeroizing::new(Vec::with_capacity(head.len() + body.len()));
    all.extend_from_slice(head.as_bytes());
    all.extend_from_slice(body);
    all
}

async fn kept<B: MessageBody + 'static>(answer: Result<ServiceResponse<B>, Error>) -> (HeaderMap, KeptAnswer) {
    let response = match answer {
        Ok(answer) => answer.into_parts().1.map_into_boxed_body(),
        Err(error) => error.error_response(),
    };
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    // A body of ours lies in memory as a whole.
    let body = to_bytes(response.into_body()).await.map(|body| body.to_vec()).unwrap_or_default();
    (headers, KeptAnswer { status, body: Zeroizing::new(body) })
}

fn response(answer: &KeptAnswer) -> Result<HttpResponse, Refusal> {
    let strange = || Problem::new(Code::Internal, "a kept answer has a status that there is not");
    let status = StatusCode::from_u16(answer.status).map_err(|_| strange())?;
    let mut response = HttpResponse::build(status);
    response.content_type("application/json").insert_header((CACHE_CONTROL, "no-store"));
    Ok(response.body(answer.body.to_vec()))
}
