//! The launcher's two stages, and what they hold a command with.
//!
//! `sx` starts the guard, which makes the namespaces and starts the inner stage; that one confines itself and starts
//! the command. With namespaces the inner stage is the first process of its own: its end is the end of all.
//!
//! * `mounts`: namespaces, and mounts over what must stay closed in the workspace.
//! * `access`: Landlock.
//! * `calls`: seccomp.
//! * `descendants`: the end of what is left.
//! * `guard`, `inner`: the stages.
//! * `lifeline`: what both wait for.

mod access;
mod calls;
mod descendants;
pub(super) mod guard;
pub(super) mod inner;
mod lifeline;
mod mounts;

/// Why a confinement could not be made.
type Refusal = Box<dyn std::error::Error>;
