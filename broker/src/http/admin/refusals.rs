//! A change that was asked for and refused is a line of the audit too.
//!
//! What is done, an operation writes down itself, and sometimes what it could not do. Here is one place for all that it
//! did not say: the wrong scope, a body that makes no sense, a name that is taken.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest};
use scorpiox_wire::Problem;

use super::{Data, Operation};
use crate::http::error::Refusal;
use crate::registrar::Administrator;

/// The name in a body, which says what a change is about when its path does not.
#[derive(Debug, Clone)]
pub(super) struct Named(pub(super) String);

/// A change, as the audit names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    /// The action, the same as when it succeeds.
    action: &'static str,
    /// What kind of thing it changes.
    kind: &'static str,
}

impl Change {
    /// `None` for what changes nothing, and for a session's own beginning and end.
    pub(super) fn of(operation: &Operation) -> Option<Self> {
        if operation.method == Method::GET || operation.scope.is_none() {
            return None;
        }
        let (action, kind) = match operation.id {
            "import_credential" => ("credential.import", "credential"),
            "remove_credential" => ("credential.remove", "credential"),
            "refresh_credential" => ("credential.refresh", "credential"),
            "pause_credential" => ("credential.pause", "credential"),
            "resume_credential" => ("credential.resume", "credential"),
            "begin_login" => ("login.begin", "credential"),
            "finish_login" => ("login.end", "login"),
            "cancel_login" => ("login.cancel", "login"),
            "create_client" => ("client.create", "client"),
            "rotate_client_key" => ("client.rotate_key", "client"),
            "limit_client" => ("client.limit", "client"),
            "pause_client" => ("client.pause", "client"),
            "resume_client" => ("client.resume", "client"),
            "grant_credential" => ("client.grant", "client"),
            "take_credential" => ("client.ungrant", "client"),
            "revoke_client" => ("client.revoke", "client"),
            "invite_client" => ("client.invite", "client"),
            "approve_sign_in" => ("sign_in.approve", "client"),
            "deny_sign_in" => ("sign_in.deny", "code"),
            "add_administrator" => ("admin.add", "admin"),
            "remove_administrator" => ("admin.remove", "admin"),
            "set_administrator_password" => ("admin.password", "admin"),
            "set_administrator_scopes" => ("admin.scopes", "admin"),
            "revoke_administrator_sessions" => ("admin.revoke_sessions", "admin"),
            "add_admin_key" => ("admin_key.add", "admin-key"),
            "revoke_admin_key" => ("admin_key.revoke", "admin-key"),
            "prune_audit" => ("audit.prune", "audit"),
            "begin_anchors" => ("audit.begin_anchors", "audit"),
            "test" => ("alert.test", "broker"),
            "promote" => ("broker.promote", "broker"),
            "backup" => ("broker.backup", "broker"),
            "rekey" => ("broker.rekey", "broker"),
            id => (id, "broker"),
        };
        Some(Self { action, kind })
    }

    fn object(self, request: &HttpRequest) -> String {
        let in_path = request.match_info().get("name").map(str::to_owned);
        let name = in_path.or_else(|| request.extensions().get::<Named>().map(|named| named.0.clone()));
        name.map_or_else(|| self.kind.to_owned(), |name| format!("{}:{name}", self.kind))
    }

    /// Writes the refusal down, unless the operation has said already what came of it.
    pub(super) async fn refused(self, by: &Administrator, request: &HttpRequest, problem: &Problem) {
        if by.was_noted() {
            return;
        }
        let registrar = request.app_data::<Data>().expect("the administration has its registrar");
        let object = self.object(request);
        registrar.note(by, self.action, &object, problem.code.as_str(), &problem.message).await;
    }
}

/// Lets the operation answer, and writes its refusal down. A repeat is answered outside, and is not written down again.
pub(super) async fn noted<B: MessageBody + 'static>(
    change: Option<Change>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    if let (Some(change), Some(problem)) = (change, problem(&response)) {
        let by = response.request().extensions().get::<Administrator>().cloned();
        if let Some(by) = by {
            change.refused(&by, response.request(), &problem).await;
        }
    }
    Ok(response)
}

/// What a response refuses with.
fn problem(response: &ServiceResponse<BoxBody>) -> Option<Problem> {
    if response.status().as_u16() < 400 {
        return None;
    }
    Some(response.response().error().map_or_else(|| Refusal::from_status(response.status()).problem, of))
}

/// What an error tells the one who asked.
pub(super) fn of(error: &Error) -> Problem {
    let status = error.as_response_error().status_code();
    error.as_error::<Refusal>().map_or_else(|| Refusal::from_status(status).problem, |refusal| refusal.problem.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::admin::operations;

    #[test]
    fn each_change_has_its_own_action_for_the_audit() {
        let mut actions: Vec<&str> = Vec::new();
        for operation in operations() {
            let Some(change) = Change::of(&operation) else { continue };
            assert!(change.action.contains('.'), "{} has no row", operation.id);
            assert!(!actions.contains(&change.action), "{}", change.action);
            actions.push(change.action);
        }
        assert!(actions.len() > 30);
    }
}
