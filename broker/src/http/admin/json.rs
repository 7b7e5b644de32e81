//! The body of a change: one JSON object.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::error::JsonPayloadError;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use scorpiox_wire::Code;
use serde::de::DeserializeOwned;

use super::refusals::Named;
use crate::http::error::{Refusal, unreadable_body};

/// A body that was read.
#[derive(Debug)]
pub(super) struct Json<T>(T);

impl<T> Json<T> {
    pub(super) fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned> FromRequest for Json<T> {
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refusal>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = match request.mime_type() {
            Ok(None) => true,
            Ok(Some(mime)) => mime.subtype() == "json" || mime.suffix().is_some_and(|suffix| suffix == "json"),
            Err(_) => false,
        };
        let bytes = web::Bytes::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            if !is_json {
                return Err(Refusal::from_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
            }
            let bytes = bytes.await.map_err(|error| unread(&error))?;
            if let Some(name) = named(&bytes) {
                request.extensions_mut().insert(name);
            }
            read(&bytes).map(Self)
        })
    }
}

/// What a body is about, if it says so, whatever else is wrong with it.
fn named(bytes: &[u8]) -> Option<Named> {
    #[derive(serde::Deserialize)]
    struct Body {
        name: String,
    }
    serde_json::from_slice(bytes).ok().map(|Body { name }| Named(name))
}

/// The derived readers take a list for an object, its members in order: nobody means that.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(Refusal::new(Code::BadRequest, "the body is a list, and this path takes an object"));
    }
    serde_json::from_slice(bytes).map_err(|error| unreadable_body(&JsonPayloadError::Deserialize(error)))
}

/// The body did not arrive, or is too large.
pub(super) fn unread(error: &actix_web::Error) -> Refusal {
    match error.as_response_error().status_code() {
        status @ StatusCode::PAYLOAD_TOO_LARGE => Refusal::from_status(status),
        _ => Refusal::from_status(StatusCode::BAD_REQUEST),
    }
}

#[cfg(test)]
mod tests {
    use scorpiox_wire::admin::PauseRequest;

    use super::*;

    #[test]
    fn a_list_is_no_object() {
        assert!(read::<PauseRequest>(b"{}").is_ok());
        for body in ["[]", " [true]"] {
            assert_eq!(read::<PauseRequest>(body.as_bytes()).unwrap_err().problem.code, Code::BadRequest);
        }
    }

    #[actix_web::test]
    async fn a_body_of_another_type_is_refused_before_it_is_read() {
        for (kind, code) in [
            (Some("text/plain"), Some(Code::UnsupportedMediaType)),
            (Some("application/x-www-form-urlencoded"), Some(Code::UnsupportedMediaType)),
            (Some("nonsense"), Some(Code::UnsupportedMediaType)),
            (Some("application/json; charset=utf-8"), None),
            (None, None),
        ] {
            let request = actix_web::test::TestRequest::post().set_payload("{}");
            let request = kind.into_iter().fold(request, |request, kind| request.insert_header(("content-type", kind)));
            let (request, mut payload) = request.to_http_parts();
            let read = Json::<PauseRequest>::from_request(&request, &mut payload).await;
            assert_eq!(read.err().map(|refusal| refusal.problem.code), code, "{kind:?}");
        }
    }
}
