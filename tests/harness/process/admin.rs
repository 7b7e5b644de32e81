//! The operations of an administrator over the broker's Unix socket, typed as the contract says.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use scorpiox_wire::admin::{
    AuditEntry, AuditVerdict, ClientIssued, ClientLimits, ClientRequest, ClientRevoked, ClientView, CredentialView,
    ImportRequest, LoginCallback, LoginFlow, LoginRequest, LoginState, LoginView, Page, PauseRequest, PromoteRequest,
    PromotionView, RefreshAnswer, RefreshRequest, RekeyRequest, RekeyView, RevokeRequest, Status,
};
use scorpiox_wire::{Problem, Secret};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::http::{Connection, Reply, Request};
use super::patience;

/// An administrator.
#[derive(Debug, Clone)]
pub struct Admin {
    socket: PathBuf,
}

/// The answer, or the problem that was told.
pub type Answer<T> = Result<T, Problem>;

impl Admin {
    /// At this socket.
    pub fn at(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// Any request; `target` starts behind `/admin/v1`.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn ask(&self, method: &str, target: &str, body: Option<Value>) -> Reply {
        self.try_ask(method, target, body).expect("an answer of the administration")
    }

    /// The document that describes the administration.
    ///
    /// # Panics
    /// When there is none.
    pub fn document(&self) -> String {
        self.page("/openapi.json")
    }

    /// What a monitoring system reads.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn metrics(&self) -> String {
        self.page("/metrics")
    }

    fn page(&self, target: &str) -> String {
        let request = Request { method: "GET", target, headers: &[], body: None };
        let stream = UnixStream::connect(&self.socket).expect("a broker");
        Connection::over(stream).ask(&request).expect("an answer").text()
    }

    /// A change with a name, so that it is made once.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn ask_once(&self, key: &str, method: &str, target: &str, body: Option<Value>) -> Reply {
        self.exchange(method, target, &[("Idempotency-Key", key)], body).expect("an answer of the administration")
    }

    /// Asks for a change with a name and does not wait for the answer; whoever drops the connection hangs up.
    ///
    /// # Panics
    /// When nobody listens.
    pub fn begin_once(&self, key: &str, method: &str, target: &str, body: Option<Value>) -> Connection<UnixStream> {
        let target = format!("/admin/v1{target}");
        let headers = [("Idempotency-Key", key)];
        let body = body.map(|body| body.to_string());
        let mut connection = Connection::over(UnixStream::connect(&self.socket).expect("a broker"));
        connection.send(&Request { method, target: &target, headers: &headers, body }).expect("a request is sent");
        connection
    }

    /// Asks for a change without a name, behind a question whose answer is never read: whoever drops the connection
    /// resets it.
    ///
    /// # Panics
    /// When nobody listens.
    pub fn begin_to_reset(&self, method: &str, target: &str, body: Option<Value>) -> Connection<UnixStream> {
        let target = format!("/admin/v1{target}");
        let body = body.map(|body| body.to_string());
        let mut connection = Connection::over(UnixStream::connect(&self.socket).expect("a broker"));
        let question = Request { method: "GET", target: "/admin/v1/status", headers: &[], body: None };
        for request in [question, Request { method, target: &target, headers: &[], body }] {
            connection.send(&request).expect("a request is sent");
        }
        connection
    }

    /// The same as [`Admin::ask`], when there may be no broker.
    pub fn try_ask(&self, method: &str, target: &str, body: Option<Value>) -> io::Result<Reply> {
        self.exchange(method, target, &[], body)
    }

    fn exchange(&self, method: &str, target: &str, headers: &[(&str, &str)], body: Option<Value>) -> io::Result<Reply> {
        let target = format!("/admin/v1{target}");
        let request = Request { method, target: &target, headers, body: body.map(|body| body.to_string()) };
        let stream = UnixStream::connect(&self.socket)?;
        // A renewal that somebody waits for takes up to half a minute.
        stream.set_read_timeout(Some(2 * patience::PATIENCE))?;
        Connection::over(stream).ask(&request)
    }

    /// The broker at a glance, if it answers.
    pub fn try_status(&self) -> Option<Status> {
        self.try_ask("GET", "/status", None).ok()?.result().ok()
    }

    fn get<T: DeserializeOwned>(&self, target: &str) -> T {
        self.ask("GET", target, None).result().unwrap_or_else(|problem| panic!("GET {target}: {problem:?}"))
    }

    /// A list that fits into one page.
    fn all<T: DeserializeOwned>(&self, target: &str) -> Vec<T> {
        self.get::<Page<T>>(target).items
    }

    fn post<T: DeserializeOwned>(&self, target: &str, body: impl Serialize) -> Answer<T> {
        self.ask("POST", target, Some(json!(body))).result()
    }

    /// The broker at a glance.
    pub fn status(&self) -> Status {
        self.get("/status")
    }

    /// What does not work as it should, by its stable names.
    pub fn degraded(&self) -> Vec<String> {
        self.status().degraded.into_iter().map(|degraded| degraded.what).collect()
    }

    /// Believes the database.
    pub fn promote(&self) -> Answer<Status> {
        self.post("/promote", PromoteRequest::default())
    }

    /// What a promotion would do.
    pub fn promotion(&self) -> PromotionView {
        self.get("/promote")
    }

    /// Another master key.
    pub fn rekey(&self, request: &RekeyRequest) -> Answer<RekeyView> {
        self.post("/rekey", request)
    }

    /// How a change of the master key stands.
    pub fn rekeying(&self) -> RekeyView {
        self.get("/rekey")
    }

    /// One credential.
    pub fn credential(&self, name: &str) -> CredentialView {
        self.get(&format!("/credentials/{name}"))
    }

    /// All of them.
    pub fn credentials(&self) -> Vec<CredentialView> {
        self.all("/credentials?limit=1000")
    }

    /// Forgets one.
    pub fn remove(&self, name: &str) -> Answer<CredentialView> {
        self.ask("DELETE", &format!("/credentials/{name}"), None).result()
    }

    /// Takes over a login.
    pub fn import(&self, request: &ImportRequest) -> Answer<CredentialView> {
        self.post("/credentials", request)
    }

    /// Renews now.
    pub fn refresh(&self, name: &str) -> Answer<RefreshAnswer> {
        self.post(&format!("/credentials/{name}/refresh"), RefreshRequest::default())
    }

    /// Renews now, though it is in doubt.
    pub fn probe(&self, name: &str) -> Answer<RefreshAnswer> {
        self.post(&format!("/credentials/{name}/refresh"), RefreshRequest { probe: true })
    }

    /// Stops renewing and serving.
    pub fn pause(&self, name: &str) -> Answer<CredentialView> {
        self.post(&format!("/credentials/{name}/pause"), PauseRequest::default())
    }

    /// Stops renewing.
    pub fn pause_renewal(&self, name: &str) -> Answer<CredentialView> {
        self.post(&format!("/credentials/{name}/pause"), PauseRequest { renewal_only: true })
    }

    /// Goes on.
    pub fn resume(&self, name: &str) -> Answer<CredentialView> {
        self.post(&format!("/credentials/{name}/resume"), ())
    }

    /// Begins a login.
    pub fn begin_login(&self, name: &str, flow: LoginFlow, replace_account: bool) -> Answer<LoginView> {
        self.post("/logins", LoginRequest { name: name.to_owned(), flow, replace_account })
    }

    /// How it stands.
    pub fn login(&self, id: &str) -> LoginView {
        self.get(&format!("/logins/{id}"))
    }

    /// What the browser brought back.
    pub fn login_callback(&self, id: &str, code: &str, state: &str) -> Answer<LoginView> {
        self.post(&format!("/logins/{id}/callback"), LoginCallback { code: Secret::new(code), state: state.to_owned() })
    }

    /// Waits until a login is no longer pending.
    pub fn await_login(&self, id: &str) -> LoginState {
        patience::until("the end of a login", || match self.login(id).state {
            LoginState::Pending => None,
            ended => Some(ended),
        })
    }

    /// All clients.
    pub fn clients(&self) -> Vec<ClientView> {
        self.all("/clients?limit=1000")
    }

    /// Creates a client.
    pub fn create_client(&self, name: &str, credential: &str) -> Answer<ClientIssued> {
        self.post(
            "/clients",
            ClientRequest { name: name.to_owned(), credential: credential.to_owned(), limits: ClientLimits::default() },
        )
    }

    /// Another key for a client.
    pub fn rotate_key(&self, name: &str) -> Answer<ClientIssued> {
        self.post(&format!("/clients/{name}/rotate-key"), ())
    }

    /// Ends a client.
    pub fn revoke(&self, name: &str) -> Answer<ClientRevoked> {
        self.post(&format!("/clients/{name}/revoke"), RevokeRequest::default())
    }

    /// Ends a client, and the token that it holds.
    pub fn revoke_and_rotate(&self, name: &str) -> Answer<ClientRevoked> {
        self.post(&format!("/clients/{name}/revoke"), RevokeRequest { rotate: true })
    }

    /// The whole audit.
    pub fn audit(&self) -> Vec<AuditEntry> {
        self.all("/audit?after=0&limit=1000")
    }

    /// The entries about this action.
    pub fn audit_of(&self, action: &str) -> Vec<AuditEntry> {
        self.audit().into_iter().filter(|entry| entry.action == action).collect()
    }

    /// Whether the audit is whole.
    pub fn verify_audit(&self) -> AuditVerdict {
        self.get("/audit/verify")
    }
}
