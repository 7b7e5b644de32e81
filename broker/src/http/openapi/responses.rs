//! What an operation answers and refuses with.

use std::collections::BTreeMap;

use scorpiox_wire::{Code, Problem};
use utoipa::ToSchema;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder, Responses, ResponsesBuilder, Schema};

use super::super::admin::Operation;
use super::super::admin::operation::Body;

/// What every operation may refuse with.
const ALWAYS: &[Code] = &[
    Code::BadRequest,
    Code::RequestTimeout,
    Code::TooLarge,
    Code::TooMany,
    Code::HeadersTooLarge,
    Code::Internal,
    Code::Busy,
    Code::Unavailable,
];

/// One that asks who it is.
const OF_SOMEBODY: &[Code] = &[Code::Unauthorized, Code::Forbidden];

/// One that takes a body.
const OF_A_BODY: &[Code] = &[Code::UnsupportedMediaType];

/// One that may be given a name.
const OF_A_NAME: &[Code] = &[Code::IdempotencyMismatch, Code::InProgress, Code::OutcomeUnknown];

pub(super) fn of(operation: &Operation) -> Responses {
    let mut answer =
        ResponseBuilder::new().description("done").header("X-Request-Id", text("The request's name in the log"));
    if let Some(body) = &operation.answers {
        let content = ContentBuilder::new().schema(Some(reference(body))).build();
        answer = answer.content(operation.media, content);
    }
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for code in refusals(operation) {
        let codes = by_status.entry(code.status()).or_default();
        if !codes.contains(&code.as_str()) {
            codes.push(code.as_str());
        }
    }
    let done = if operation.answers.is_some() { "200" } else { "204" };
    let mut responses = ResponsesBuilder::new().response(done, answer);
    for (status, codes) in by_status {
        responses = responses.response(status.to_string(), refusal(status, &codes));
    }
    responses.build()
}

fn refusals(operation: &Operation) -> impl Iterator<Item = Code> {
    let of_somebody = operation.scope.map_or(&[][..], |_| OF_SOMEBODY);
    let of_a_body = operation.takes.map_or(&[][..], |_| OF_A_BODY);
    let of_a_name = if operation.takes_a_name() { OF_A_NAME } else { &[] };
    [ALWAYS, of_somebody, of_a_body, of_a_name, operation.refuses].into_iter().flatten().copied()
}

fn refusal(status: u16, codes: &[&str]) -> ResponseBuilder {
    let problem = Ref::from_schema_name(Problem::name());
    let response = ResponseBuilder::new()
        .description(codes.join(", "))
        .content("application/json", ContentBuilder::new().schema(Some(problem)).build())
        .header("X-Request-Id", text("The request's name in the log"));
    match status {
        429 | 503 => response.header("Retry-After", seconds("When to ask again, in seconds; absent when nobody knows")),
        _ => response,
    }
}

fn text(about: &str) -> utoipa::openapi::header::Header {
    let schema = ObjectBuilder::new().schema_type(Type::String).build();
    HeaderBuilder::new().schema(Some(schema)).description(Some(about)).build()
}

fn seconds(about: &str) -> utoipa::openapi::header::Header {
    let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).build();
    HeaderBuilder::new().schema(Some(schema)).description(Some(about)).build()
}

/// Bodies are described once, under their names.
pub(super) fn reference(body: &Body) -> RefOr<Schema> {
    Ref::from_schema_name((body.name)()).into()
}
