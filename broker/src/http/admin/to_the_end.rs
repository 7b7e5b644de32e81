//! A change goes on to its end, also when whoever asked for it has gone.
//!
//! The request's own future is dropped by its time limit, by a connection that is reset, and by a TLS peer that leaves
//! without a word. Dropped between the database and the memory, a change would hold in one of them only.

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::{Error, web};

use super::json::unread;
pub(super) use crate::http::unhurried::to_the_end;

/// Reads the whole body now: a task of its own would wait for ever for the rest of one whose sender has gone.
pub(super) async fn body_of(request: &mut ServiceRequest) -> Result<web::Bytes, Error> {
    let body = request.extract::<web::Bytes>().await.map_err(|error| unread(&error))?;
    request.set_payload(Payload::from(body.clone()));
    Ok(body)
}
