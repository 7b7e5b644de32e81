//! A broker inside the test's own process: the real parts on real SQLite, over a simulated clock and provider.
//!
//! * [`clock`]: moves only when told.
//! * `rest`: when nothing can go on by itself.
//! * `records`: what is on the disk when a token is presented.
//! * [`provider`]: the fake provider's oracle, and what goes wrong on the way to it.
//! * [`points`]: what happens at failpoints.
//! * [`broker`]: one life.
//! * [`disk`]: where its files are.
//! * `enrolment`: logins that are in the database before the first life.
//! * [`world`]: a provider and a broker's lives, each ended by a kill.

pub mod broker;
pub mod clock;
pub mod disk;
mod enrolment;
pub mod points;
pub mod provider;
mod records;
mod rest;
pub mod world;

pub use broker::{MASTER_KEY, SimBroker, Token, administrator};
pub use clock::SimClock;
pub use points::Deed;
pub use provider::{Dialing, SimProvider, Trip};
pub use world::{MAIN, World};
