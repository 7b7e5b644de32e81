//! A real OpenSSH server on loopback, and what a developer's machine has to log in there.
//!
//! * [`keys`]: key pairs. * [`agent`]: a real `ssh-agent`. * [`server`]: `sshd`, one process per connection.

pub mod agent;
pub mod keys;
pub mod server;

pub use agent::Agent;
pub use keys::{KeyPair, Kind};
pub use server::{PASSWORD, Plan, Sshd, USER};
