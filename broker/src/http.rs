//! Everything between a socket and a handler.
//!
//! Files in dependency order:
//!
//! * [`request_id`]: the name of one request.
//! * [`error`]: a problem as a response; the one table of statuses.
//! * `target`: paths and queries that could mean two things.
//! * [`limits`]: what an address, a connection and a request may cost.
//! * [`visitor`]: who the client is, seen through trusted proxies.
//! * [`tls`]: the certificate, reloadable; the self-signed one.
//! * [`local_socket`]: the administration socket's file.
//! * `stream`, `head`, `farewell`, `connection`: a connection under watch: deadlines and bounds below the framework.
//! * `inspection`, `body`, `passage`, `guard`: a request looked at before the application, its body, its time, its answer.
//! * [`listener`]: sockets to applications, through all of the above.
//! * `trace`: a request that is traced. * `unhurried`: work that goes on when its client hangs up.
//! * [`oauth`], [`auth_file`]: stock clients: the token endpoint, and the file they begin with.
//! * [`sign_in`]: pages and endpoints of programs that sign in by browser.
//! * [`token`], [`admin`], [`health`], [`metrics`]: decode, call, encode.
//! * [`openapi`]: the document of the administration.

pub mod admin;
pub mod auth_file;
mod body;
mod connection;
pub mod error;
mod farewell;
mod guard;
mod head;
pub mod health;
mod inspection;
pub mod limits;
pub mod listener;
pub mod local_socket;
pub mod metrics;
pub mod oauth;
pub mod openapi;
mod passage;
pub mod request_id;
pub mod sign_in;
mod stream;
mod target;
pub mod tls;
pub mod token;
mod trace;
mod unhurried;
pub mod visitor;
