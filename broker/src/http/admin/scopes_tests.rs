//! What each operation needs, written out: a new one without a row here fails.

use Scope::{Clients, Credentials, Everything, Read};

use super::operations;
use crate::domain::scope::Scope;

const TABLE: &[(&str, &str, Option<Scope>)] = &[
    ("GET", "/admin-keys", Some(Read)),
    ("POST", "/admin-keys", Some(Everything)),
    ("DELETE", "/admin-keys/{name}", Some(Everything)),
    ("GET", "/administrators", Some(Read)),
    ("POST", "/administrators", Some(Everything)),
    ("DELETE", "/administrators/{name}", Some(Everything)),
    ("POST", "/administrators/{name}/password", Some(Everything)),
    ("POST", "/administrators/{name}/revoke-sessions", Some(Everything)),
    ("PUT", "/administrators/{name}/scopes", Some(Everything)),
    ("POST", "/alerts/test", Some(Everything)),
    ("GET", "/audit", Some(Read)),
    ("POST", "/audit/begin-anchors", Some(Everything)),
    ("POST", "/audit/prune", Some(Everything)),
    ("GET", "/audit/verify", Some(Read)),
    ("POST", "/backup", Some(Everything)),
    ("GET", "/clients", Some(Read)),
    ("POST", "/clients", Some(Clients)),
    ("GET", "/clients/{name}", Some(Read)),
    ("POST", "/clients/{name}/invite", Some(Clients)),
    ("PUT", "/clients/{name}/limits", Some(Clients)),
    ("POST", "/clients/{name}/pause", Some(Clients)),
    ("POST", "/clients/{name}/resume", Some(Clients)),
    ("POST", "/clients/{name}/revoke", Some(Clients)),
    ("POST", "/clients/{name}/rotate-key", Some(Clients)),
    ("GET", "/credentials", Some(Read)),
    ("POST", "/credentials", Some(Credentials)),
    ("DELETE", "/credentials/{name}", Some(Credentials)),
    ("GET", "/credentials/{name}", Some(Read)),
    ("GET", "/credentials/{name}/holders", Some(Read)),
    ("POST", "/credentials/{name}/pause", Some(Credentials)),
    ("POST", "/credentials/{name}/refresh", Some(Credentials)),
    ("POST", "/credentials/{name}/resume", Some(Credentials)),
    ("POST", "/logins", Some(Credentials)),
    ("GET", "/logins/{id}", Some(Credentials)),
    ("DELETE", "/logins/{id}", Some(Credentials)),
    ("POST", "/logins/{id}/callback", Some(Credentials)),
    ("PUT", "/clients/{name}/grants/{credential}", Some(Clients)),
    ("DELETE", "/clients/{name}/grants/{credential}", Some(Clients)),
    ("GET", "/promote", Some(Read)),
    ("POST", "/promote", Some(Everything)),
    ("GET", "/rekey", Some(Read)),
    ("POST", "/rekey", Some(Everything)),
    ("DELETE", "/session", None),
    ("POST", "/session", None),
    ("POST", "/session/renew", None),
    ("GET", "/sign-ins", Some(Read)),
    ("POST", "/sign-ins/{code}/approve", Some(Clients)),
    ("POST", "/sign-ins/{code}/deny", Some(Clients)),
    ("GET", "/status", Some(Read)),
];

#[test]
fn each_operation_needs_exactly_the_scope_that_is_written_here() {
    for operation in operations() {
        let (method, path) = (operation.method.as_str(), operation.path);
        let row = TABLE.iter().find(|(of, at, _)| (*of, *at) == (method, path));
        assert_eq!(Some(&operation.scope), row.map(|(_, _, scope)| scope), "{method} {path}");
    }
    assert_eq!(operations().len(), TABLE.len());
}

#[test]
fn whoever_may_only_look_changes_nothing() {
    for (method, path, scope) in TABLE {
        let is_session = *path == "/session" || *path == "/session/renew";
        assert_eq!(scope.is_none(), is_session, "{method} {path} is open to everybody");
        assert!(*scope != Some(Read) || *method == "GET", "{method} {path}");
    }
}
