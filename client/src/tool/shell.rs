//! Commands of the model: from their start to the end of the last of their processes.
//!
//! * [`call`]: the tools, as the model knows them. * [`told`]: what it is told.
//! * [`invocation`]: what is to run, and where.
//! * [`capture`]: a command's output in bounded memory.
//! * [`running`]: a command that has been started.
//! * [`jobs`]: commands that go on in the background.
//!
//! ```text
//! let launcher = Launcher::new(program_directory, std::env::vars_os(), &std::env::temp_dir())?;
//! let sandbox = Sandbox::prove(&launcher, &workspace, closed_paths::hidden(..), home)?;   // or ask, or refuse
//! let invocation = Invocation::Script("cargo test".into()).in_directory(&workspace, "crates/a")?;
//! let mut running = Running::start(&launcher, sandbox.boundary(Access::Write, Network::Refused), invocation)?;
//! match running.wait(clock, timeout, &|| interrupted())? {
//!     Waited::Ended(ending) => { running.take_output(); .. }
//!     Waited::TimeIsUp | Waited::Interrupted => running.stop(clock),   // or jobs.adopt(running)
//! }
//! ```

pub mod call;
pub mod capture;
pub mod invocation;
pub mod jobs;
pub mod running;
pub mod told;
