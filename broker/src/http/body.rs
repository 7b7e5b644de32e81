//! A request's body that ends with an error beyond its bound.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_http::error::PayloadError;
use actix_http::{Payload, Request};
use bytes::Bytes;
use futures_util::Stream;

use super::connection::Progress;

/// Replaces the request's body by one that ends with an error beyond `most` bytes: a chunked one declares no length.
pub(super) fn bound(request: &mut Request, most: usize, progress: Option<Rc<Progress>>) {
    let body = std::mem::replace(request.payload(), Payload::None);
    let bounded: Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>> =
        Box::pin(BoundedBody { body, left: most, progress });
    *request.payload() = Payload::from(bounded);
}

struct BoundedBody {
    body: Payload,
    left: usize,
    progress: Option<Rc<Progress>>,
}

impl Stream for BoundedBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let chunk = ready!(Pin::new(&mut this.body).poll_next(cx));
        match &chunk {
            Some(Ok(bytes)) if bytes.len() > this.left => return Poll::Ready(Some(Err(PayloadError::Overflow))),
            Some(Ok(bytes)) => this.left -= bytes.len(),
            Some(Err(_)) => {}
            None => {
                if let Some(progress) = &this.progress {
                    progress.body_read();
                }
            }
        }
        Poll::Ready(chunk)
    }
}
