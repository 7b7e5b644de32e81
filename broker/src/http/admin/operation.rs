//! One operation: its route, what it needs, and its part of the document.
//!
//! The router and the document are made from the same list, so that neither knows a path that the other does not.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Responder, Route, web};
use scorpiox_wire::Code;
use scorpiox_wire::admin::Page;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::scope::Scope;

/// An operation of the administration.
#[derive(Clone)]
pub struct Operation {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: Method,
    /// Below `/admin/v1`: `/credentials/{name}`.
    pub path: &'static str,
    /// What it needs; `None` for one that anybody may ask.
    pub scope: Option<Scope>,
    /// Its name in the document, the handler's own: `remove_credential`.
    pub id: &'static str,
    /// One line for the document.
    pub summary: &'static str,
    /// The body that it takes.
    pub takes: Option<Body>,
    /// The body of its answer.
    pub answers: Option<Body>,
    /// The answer's content type.
    pub media: &'static str,
    /// What it may refuse with beyond what every operation may.
    pub refuses: &'static [Code],
    /// Parameters of the query.
    pub query: Vec<utoipa::openapi::path::Parameter>,
    route: Arc<dyn Fn() -> Route + Send + Sync>,
}

impl Operation {
    /// Reads something.
    pub fn get<F, A>(scope: Scope, path: &'static str, handler: F) -> Self
    where
        F: Handler<A> + Send + Sync,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self::new(Method::GET, scope, path, handler)
    }

    /// Makes or does something.
    pub fn post<F, A>(scope: Scope, path: &'static str, handler: F) -> Self
    where
        F: Handler<A> + Send + Sync,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self::new(Method::POST, scope, path, handler)
    }

    /// Makes something be so.
    pub fn put<F, A>(scope: Scope, path: &'static str, handler: F) -> Self
    where
        F: Handler<A> + Send + Sync,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self::new(Method::PUT, scope, path, handler)
    }

    /// Ends something.
    pub fn delete<F, A>(scope: Scope, path: &'static str, handler: F) -> Self
    where
        F: Handler<A> + Send + Sync,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self::new(Method::DELETE, scope, path, handler)
    }

    fn new<F, A>(method: Method, scope: Scope, path: &'static str, handler: F) -> Self
    where
        F: Handler<A> + Send + Sync,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let name = std::any::type_name::<F>();
        let verb = method.clone();
        Self {
            method,
            path,
            scope: Some(scope),
            id: name.rsplit("::").next().unwrap_or(name),
            summary: "",
            takes: None,
            answers: None,
            media: "application/json",
            refuses: &[],
            query: Vec::new(),
            route: Arc::new(move || web::method(verb.clone()).to(handler.clone())),
        }
    }

    /// What it does, in one line of the document.
    pub fn says(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    /// The body that it takes.
    pub fn takes<T: ToSchema>(self) -> Self {
        Self { takes: Some(Body::of::<T>()), ..self }
    }

    /// The body of its answer.
    pub fn answers<T: ToSchema>(self) -> Self {
        Self { answers: Some(Body::of::<T>()), ..self }
    }

    /// A list: its answer is a page of these.
    pub fn pages<T: ToSchema>(self) -> Self
    where
        Page<T>: ToSchema,
    {
        let collect = |schemas: &mut Vec<(String, RefOr<Schema>)>| {
            // The page refers to its items, and does not bring them along.
            schemas.push((T::name().into_owned(), T::schema()));
            T::schemas(schemas);
        };
        // A schema of its own for the pages of each list: the derived name would be the same for all.
        let name = || Cow::Owned(format!("PageOf{}", T::name()));
        Self { answers: Some(Body { name, collect, ..Body::of::<Page<T>>() }), ..self }
    }

    /// Its answer is a file.
    pub fn answers_file(self) -> Self {
        Self { answers: Some(Body::of::<File>()), media: "application/octet-stream", ..self }
    }

    /// The parameters of its query.
    pub fn query<T: utoipa::IntoParams>(self) -> Self {
        Self { query: T::into_params(|| Some(utoipa::openapi::path::ParameterIn::Query)), ..self }
    }

    /// What it may refuse with, beyond what every operation may (see [`super::super::openapi`]).
    pub fn refuses(self, refuses: &'static [Code]) -> Self {
        Self { refuses, ..self }
    }

    /// Anybody who reaches the listener may ask it.
    pub fn for_anybody(self) -> Self {
        Self { scope: None, ..self }
    }

    /// True for a change that may be given a name, so that it is made once. Logging in is none, its answer ends soon;
    /// nor is a backup, whose answer is long and not kept.
    pub fn takes_a_name(&self) -> bool {
        self.method != Method::GET
            && self.scope.is_some()
            && self.path != "/backup"
            && !self.path.starts_with("/session")
    }

    /// Its place in the router.
    pub fn route(&self) -> Route {
        (self.route)()
    }
}

/// Bytes.
struct File;

impl PartialSchema for File {
    fn schema() -> RefOr<Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
            .into()
    }
}

impl ToSchema for File {}

/// How a body looks in the document.
#[derive(Clone, Copy)]
pub struct Body {
    /// The schema's name.
    pub name: fn() -> Cow<'static, str>,
    /// The schema, or a reference to it.
    pub schema: fn() -> RefOr<Schema>,
    /// The schemas that it refers to.
    pub collect: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl Body {
    fn of<T: ToSchema>() -> Self {
        Self { name: T::name, schema: <T as PartialSchema>::schema, collect: T::schemas }
    }
}
