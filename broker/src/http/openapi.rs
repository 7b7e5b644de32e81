//! The document of the administration: OpenAPI 3.1, made from the list that the router is made from.
//!
//! * `responses`: what an operation answers and refuses with.

use std::sync::LazyLock;

use actix_web::{HttpResponse, web};
use scorpiox_wire::Problem;
use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathItem, PathsBuilder,
    Required, ServerBuilder,
};

use super::admin::{Operation, PREFIX, operations};

mod responses;

/// Where it is served; without a key, since nothing in it is secret.
pub const PATH: &str = "/openapi.json";

const ABOUT: &str = "Bodies are JSON in both directions. Errors have one shape, `Problem`. Lists come in pages. \
    Over the Unix socket in the broker's data directory no key is asked for; over the administration listener each request \
    carries a session or an admin key behind `Authorization: Bearer`. The scope that an operation needs stands in its \
    security requirement; `everything` is always enough. Times are Unix seconds.";

/// Adds the route of the document.
pub fn routes(app: &mut web::ServiceConfig) {
    app.service(web::resource(PATH).route(web::get().to(answer)));
}

async fn answer() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(json())
}

/// The document as it is served and printed.
pub fn json() -> &'static str {
    static TEXT: LazyLock<String> =
        LazyLock::new(|| document().to_pretty_json().expect("the document is made of texts and numbers"));
    &TEXT
}

/// The document.
pub fn document() -> OpenApi {
    let operations = operations();
    let paths = operations.iter().fold(PathsBuilder::new(), |paths, operation| {
        let item = PathItem::new(method(operation), describe(operation));
        paths.path(format!("{PREFIX}{}", operation.path), item)
    });
    let mut schemas = vec![(Problem::name().into_owned(), <Problem as utoipa::PartialSchema>::schema())];
    Problem::schemas(&mut schemas);
    for body in operations.iter().flat_map(|operation| [operation.takes, operation.answers]).flatten() {
        schemas.push(((body.name)().into_owned(), (body.schema)()));
        (body.collect)(&mut schemas);
    }
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme("session", bearer("JWT", "What POST /admin/v1/session gives for a name and a password."))
        .security_scheme("admin_key", bearer("sxa_", "A key for automation: scorpiox-broker admin key add NAME."));
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("scorpiox-broker administration")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(ABOUT))
                .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build())),
        )
        .servers(Some([ServerBuilder::new().url("/").build()]))
        .paths(paths)
        .components(Some(components.build()))
        .build()
}

fn bearer(format: &str, about: &str) -> SecurityScheme {
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format(format).description(Some(about));
    SecurityScheme::Http(scheme.build())
}

fn method(operation: &Operation) -> HttpMethod {
    match operation.method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn describe(operation: &Operation) -> OperationBuilder {
    let room = operation.path.split('/').nth(1).unwrap_or_default();
    let mut described = OperationBuilder::new()
        .tag(room)
        .operation_id(Some(operation.id))
        .summary(Some(operation.summary))
        .responses(responses::of(operation));
    for name in path_parameters(operation.path) {
        described = described.parameter(path_parameter(name));
    }
    for parameter in operation.query.clone() {
        described = described.parameter(parameter);
    }
    if operation.takes_a_name() {
        described = described.parameter(name_of_a_change());
    }
    if let Some(body) = operation.takes {
        let content = ContentBuilder::new().schema(Some(responses::reference(&body))).build();
        let body = RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True));
        described = described.request_body(Some(body.build()));
    }
    let Some(scope) = operation.scope else { return described.securities(Some([SecurityRequirement::default()])) };
    let schemes = ["session", "admin_key"];
    described.securities(Some(schemes.map(|scheme| SecurityRequirement::new(scheme, [scope.as_str()]))))
}

fn name_of_a_change() -> ParameterBuilder {
    let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[!-~]+$"));
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "A new one for each change. Asked again within a day under the same one, the same change is not made twice: the \
             answer is the first one's, with Idempotency-Replayed: true",
        ))
        .schema(Some(text.min_length(Some(1)).max_length(Some(255))))
}

/// The names between braces.
fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn path_parameter(name: &str) -> ParameterBuilder {
    let (about, pattern, longest) = match name {
        "code" => ("The code that the program shows", "^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$", 9),
        "id" => ("The id that was given when it was begun", "^[0-9a-z]{12}$", 12),
        _ => ("The name", "^[A-Za-z0-9][A-Za-z0-9@._-]*$", 64),
    };
    let text = ObjectBuilder::new().schema_type(Type::String);
    let text = text.pattern(Some(pattern)).min_length(Some(1)).max_length(Some(longest));
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(about))
        .schema(Some(text))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use actix_web::App;
    use actix_web::test::{TestRequest, call_service, init_service};
    use serde_json::Value;

    use super::*;
    use crate::http::admin;

    fn parsed() -> Value {
        serde_json::from_str(json()).unwrap()
    }

    #[test]
    fn every_operation_is_described_with_a_name_of_its_own_and_what_it_refuses_with() {
        let document = parsed();
        assert_eq!(document["openapi"], "3.1.0");
        let mut ids = BTreeSet::new();
        for operation in operations() {
            let path = format!("{PREFIX}{}", operation.path);
            let described = &document["paths"][&path][operation.method.as_str().to_lowercase()];
            let id = described["operationId"].as_str().unwrap_or_else(|| panic!("{path}: {described}"));
            assert!(ids.insert(id.to_owned()), "{id} is two operations");
            assert!(!operation.summary.is_empty(), "{id} says nothing");
            for status in
                [if operation.answers.is_some() { "200" } else { "204" }, "400", "401", "403", "429", "500", "503"]
            {
                let needs_nobody = operation.scope.is_none() && matches!(status, "401" | "403");
                assert!(needs_nobody || described["responses"].get(status).is_some(), "{id}: {status}");
            }
        }
    }

    #[test]
    fn every_reference_in_the_document_leads_somewhere() {
        fn references(value: &Value, found: &mut BTreeSet<String>) {
            match value {
                Value::Object(members) => {
                    if let Some(Value::String(to)) = members.get("$ref") {
                        found.insert(to.clone());
                    }
                    members.values().for_each(|value| references(value, found));
                }
                Value::Array(items) => items.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let document = parsed();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(found.contains("#/components/schemas/CredentialView"), "{found:?}");
        for to in found {
            let pointer = to.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{to}");
        }
    }

    #[test]
    fn each_list_has_pages_of_its_own_items() {
        let document = parsed();
        let items = |of: &str| document["components"]["schemas"][format!("PageOf{of}")]["properties"]["items"].clone();
        for of in ["CredentialView", "ClientView", "AuditEntry"] {
            assert_eq!(items(of)["items"]["$ref"], format!("#/components/schemas/{of}"));
        }
    }

    /// The router is asked with each method at each path: it knows exactly what the document says.
    #[actix_web::test]
    async fn the_application_answers_what_the_document_describes_and_nothing_else() {
        let app = init_service(App::new().configure(admin::routes)).await;
        let document = parsed();
        for (path, described) in document["paths"].as_object().unwrap() {
            let target = path
                .replace("{name}", "main")
                .replace("{id}", "4k2j9x0c7m1d")
                .replace("{credential}", "main")
                .replace("{code}", "BCDF-GHJK");
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
                let request = TestRequest::with_uri(&target).method(method.parse().unwrap());
                let answer = call_service(&app, request.to_request()).await;
                let known = described.get(method.to_lowercase()).is_some();
                // Without its data no handler runs; what matters is whether there is one.
                assert_eq!(answer.status() != 405, known, "{method} {path}: {}", answer.status());
                assert_ne!(answer.status(), 404, "{method} {path}");
            }
        }
        let answer = call_service(&app, TestRequest::with_uri(PATH).to_request()).await;
        assert_eq!(answer.status(), 200);
    }
}
