//! What the end-to-end tests are written in.
//!
//! * [`component`]: real programs that some tests need, and what happens on a machine that lacks one.
//! * [`process`]: the real programs of this workspace, started, asked, signalled and killed.
//! * [`ssh`]: an OpenSSH server, keys, an agent.
//! * [`sim`]: a broker inside the test's process, over a simulated clock and provider.

pub mod component;
pub mod process;
pub mod sim;
pub mod ssh;
