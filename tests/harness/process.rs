//! The real programs: a broker of one's own on a free port, in a temporary directory, against the fake provider.
//!
//! ```no_run
//! use scorpiox_tests::process::Team;
//!
//! let team = Team::new();
//! team.given_a_login("main");
//! let laptop = team.given_a_client("laptop");
//! let token = team.fetch(&laptop.key);
//! assert_eq!(token.generation, 1);
//! assert!(team.provider.violations().is_empty());
//! ```
//!
//! Files in dependency order:
//!
//! * [`patience`]: waiting for what another process does.
//! * [`binaries`]: where the programs are; builds them once if need be.
//! * [`output`]: what a process said so far.
//! * [`peak`]: how much memory a command had at most.
//! * [`http`]: a request and its answer, over any stream.
//! * [`tls`]: a client's side of TLS that notes which certificate it met.
//! * [`broker`]: a broker's settings, and the process.
//! * [`admin`]: the operations over its Unix socket.
//! * [`network`]: the same over the network.
//! * [`client`]: somebody with a key.
//! * `sockets`: whether what was sent over a connection has been read.
//! * [`crowd`]: many of them at once.
//! * [`database`]: a second connection to the broker's database.
//! * [`posted`]: somebody whom the broker posts to.
//! * [`snapshot`]: a directory, byte by byte.
//! * [`fetchtoken`]: the developer's command.
//! * [`laptop`]: a developer's machine with a login of its own.
//! * [`terminal`]: a person at a pseudo-terminal.
//! * [`team`]: a provider, a broker and the domain's verbs.
//! * [`renewing`]: logins that are renewed while something else happens.

pub mod admin;
pub mod binaries;
pub mod broker;
pub mod client;
pub mod crowd;
pub mod database;
pub mod fetchtoken;
pub mod http;
pub mod laptop;
pub mod network;
pub mod output;
pub mod patience;
pub mod peak;
pub mod posted;
pub mod renewing;
pub mod snapshot;
mod sockets;
pub mod team;
pub mod terminal;
pub mod tls;

pub use broker::{Broker, Ended, Plan};
pub use client::{Client, Key};
pub use crowd::Crowd;
pub use database::Database;
pub use fetchtoken::FetchToken;
pub use http::Reply;
pub use laptop::Laptop;
pub use snapshot::Snapshot;
pub use team::Team;
