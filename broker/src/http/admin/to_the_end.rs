//! A change goes on to its end, also when whoever asked for it has gone.
//!
//! The request's own future is dropped by its time limit, by a connection that is reset, and by a TLS peer that leaves
//! without a word. Dropped between the database and the memory, a change would hold in one of them only.

use std::future::{Future, poll_fn};
use std::pin::pin;

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::StatusCode;
use actix_web::{Error, web};

use super::json::unread;
use crate::http::error::Refusal;
use crate::http::request_id::{self, within};

/// Reads the whole body now: a task of its own would wait for ever for the rest of one whose sender has gone.
pub(super) async fn body_of(request: &mut ServiceRequest) -> Result<web::Bytes, Error> {
    let body = request.extract::<web::Bytes>().await.map_err(|error| unread(&error))?;
    request.set_payload(Payload::from(body.clone()));
    Ok(body)
}

/// Does the work in a task of its own.
pub(super) async fn to_the_end<T: 'static>(work: impl Future<Output = T> + 'static) -> Result<T, Error> {
    let id = request_id::current();
    let task = actix_web::rt::spawn(async move {
        let mut work = pin!(work);
        poll_fn(move |context| match id {
            Some(id) => within(id, || work.as_mut().poll(context)),
            None => work.as_mut().poll(context),
        })
        .await
    });
    task.await.map_err(|_| Refusal::from_status(StatusCode::INTERNAL_SERVER_ERROR).into())
}
