//! Work that is not left half-done when whoever asked for it hangs up, or the time of its request is over.
//!
//! The framework drops a handler in both cases, wherever it waits. What spends an invite, a code or a stand-in must not
//! stop there: the next request would find it neither whole nor done.

use std::future::{Future, poll_fn};
use std::pin::pin;

use actix_web::http::StatusCode;

use super::error::Refusal;
use super::request_id::{self, within};

/// Does it in a task of its own, which logs under this request's id.
pub(super) async fn to_the_end<T: 'static>(work: impl Future<Output = T> + 'static) -> Result<T, Refusal> {
    let id = request_id::current();
    let task = actix_web::rt::spawn(async move {
        let mut work = pin!(work);
        poll_fn(move |context| match id {
            Some(id) => within(id, || work.as_mut().poll(context)),
            None => work.as_mut().poll(context),
        })
        .await
    });
    // It panicked.
    task.await.map_err(|_| Refusal::from_status(StatusCode::INTERNAL_SERVER_ERROR))
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use tokio::sync::oneshot;

    use super::*;
    use crate::http::request_id::RequestId;

    #[actix_web::test]
    async fn what_was_begun_is_done_though_nobody_waits_for_it_any_more() {
        let (go, gone) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel();
        let mut asked = Box::pin(to_the_end(async move {
            gone.await.unwrap();
            tell.send(request_id::current().map(|id| id.to_string())).unwrap();
        }));
        let id = RequestId::from_header(b"r-1").unwrap();
        let begun = poll_fn(|context| Poll::Ready(within(id, || asked.as_mut().poll(context)).is_pending())).await;
        assert!(begun);
        drop(asked);
        go.send(()).unwrap();
        assert_eq!(told.await.unwrap().as_deref(), Some("r-1"));
    }

    #[actix_web::test]
    async fn a_panic_is_an_answer() {
        let panicked = to_the_end(async { panic!("on purpose") }).await;
        assert_eq!(panicked.unwrap_err().problem.code, scorpiox_wire::Code::Internal);
    }
}
