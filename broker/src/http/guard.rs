//! The guard in front of an application: no request gets past it that breaks a bound.
//!
//! It is a service of its own around the application, not a middleware inside: a refused request is never routed, and a
//! good one pays for one look at its headers and for its id.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_http::body::{EitherBody, MessageBody};
use actix_http::{HttpMessage, Payload, Request, Response};
use actix_service::{Service, ServiceFactory};
use actix_web::dev::{AppConfig, ServiceResponse};

use super::body;
use super::connection::Progress;
use super::inspection::inspect;
use super::limits::Bounds;
use super::passage::{Passage, Source};
use super::request_id::{RequestId, within};
use super::visitor::ClientAddress;

/// Makes a guard around each instance of an application.
pub(super) struct Guarded<S> {
    pub(super) app: S,
    pub(super) bounds: Rc<Bounds>,
}

impl<S, B> ServiceFactory<Request> for Guarded<S>
where
    S: ServiceFactory<Request, Config = AppConfig, Response = ServiceResponse<B>, Error = actix_web::Error>,
    S::Future: 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = Response<EitherBody<B>>;
    type Error = actix_web::Error;
    type Config = ();
    type Service = Guard<S::Service>;
    type InitError = S::InitError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Service, Self::InitError>>>>;

    fn new_service(&self, (): ()) -> Self::Future {
        let app = self.app.new_service(AppConfig::default());
        let bounds = Rc::clone(&self.bounds);
        Box::pin(async move { Ok(Guard { app: app.await?, bounds }) })
    }
}

/// An application behind its guard.
pub(super) struct Guard<S> {
    app: S,
    bounds: Rc<Bounds>,
}

impl<S, B> Service<Request> for Guard<S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = Response<EitherBody<B>>;
    type Error = actix_web::Error;
    type Future = Passage<Source<S::Future>>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.app.poll_ready(cx)
    }

    fn call(&self, mut request: Request) -> Self::Future {
        let has_body = !matches!(request.payload(), Payload::None);
        let progress = request.conn_data::<Rc<Progress>>().map(Rc::clone);
        if let Some(progress) = &progress {
            progress.request_taken(has_body);
        }
        let seen = inspect(request.head(), has_body, &self.bounds);
        let passage = Passage::new(seen.id.unwrap_or_else(RequestId::random), progress, &self.bounds, request.head());
        if let Err(problem) = seen.outcome {
            return passage.refused(problem);
        }
        if let Some(client) = seen.behind_proxy {
            request.extensions_mut().insert(ClientAddress(Some(client)));
        }
        if has_body {
            body::bound(&mut request, self.bounds.body_bytes, passage.progress());
        }
        let answer = within(passage.id(), || self.app.call(request));
        passage.inside(answer)
    }
}
