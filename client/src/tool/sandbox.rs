//! Confinement of what the model runs: Linux only, through Landlock, seccomp and, where users may make them, namespaces.
//!
//! * [`policy`]: what a confined command may do.
//! * [`closed_paths`]: what no policy opens.
//! * [`environment`]: what is left of the environment.
//! * [`order`]: what `sx` and the launcher say to each other.
//! * [`grants`]: the allow-list of a policy.
//! * [`scratch`]: a session's own directory.
//! * [`launcher`]: starting something, with or without a sandbox around it.
//! * `proof`: the self-test.
//! * `linux`: the two stages of the launcher program.
//!
//! Nothing here is run in `sx` itself: a small program confines itself and then starts the command, so that no code
//! runs between `fork` and `exec`, and a process that nothing in the sandbox can reach waits for the end of the last
//! of its processes.
//!
//! A session makes a [`Launcher`](launcher::Launcher), then a [`Sandbox`], which proves that it holds. Where it does not,
//! [`Unavailable`] says why, and the caller asks a person or refuses; nothing falls back to running unconfined.
//!
//! What it does not hide: the names of files, and whatever a command prints.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use self::launcher::Launcher;
use self::order::{Boundary, Isolation};
use self::policy::{Access, Limits, Network, Policy};
use super::patch::confined;

pub mod closed_paths;
pub mod environment;
pub mod grants;
pub mod launcher;
#[cfg(target_os = "linux")]
mod linux;
pub mod order;
pub mod policy;
mod proof;
pub mod scratch;

/// Why nothing can be confined here.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// Not Linux.
    #[error("this system has no sandbox that is known here")]
    System,
    /// The launcher is not where `sx` is.
    #[error("{} is missing; install it beside sx", program.display())]
    NoLauncher {
        /// Where it was looked for.
        program: PathBuf,
    },
    /// There is no place for the session's own directory.
    #[error("no directory for the session in {}: {source}", base.display())]
    NoScratch {
        /// Where it was to be made.
        base: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The workspace holds the home directory, or is hidden itself.
    #[error("{} is no project's directory: {why}", workspace.display())]
    Workspace {
        /// The directory.
        workspace: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The self-test failed.
    #[error("the sandbox does not hold on this machine: with namespaces: {namespaces}; without: {landlock}")]
    NotHeld {
        /// With namespaces.
        namespaces: String,
        /// With Landlock and seccomp alone.
        landlock: String,
    },
}

/// A confinement that was seen to hold.
#[derive(Debug)]
pub struct Sandbox {
    policy: Policy,
    isolation: Isolation,
    blank_file: PathBuf,
    blank_directory: PathBuf,
}

impl Sandbox {
    /// Tries whether commands in this workspace can be held, with the strongest isolation that this machine allows.
    /// `hidden` is what [`closed_paths::hidden`] says; `home` is the home directory.
    pub fn prove(
        launcher: &Launcher,
        workspace: &Path,
        hidden: Vec<PathBuf>,
        home: Option<&Path>,
    ) -> Result<Self, Unavailable> {
        if !cfg!(target_os = "linux") {
            return Err(Unavailable::System);
        }
        let policy = policy_for(launcher, workspace, hidden, home)?;
        let proven = |isolation| proof::prove(launcher, &policy, isolation).map(|()| isolation);
        let isolation = proven(Isolation::Namespaces).or_else(|namespaces| {
            proven(Isolation::Landlock).map_err(|landlock| Unavailable::NotHeld { namespaces, landlock })
        })?;
        let scratch = launcher.scratch();
        Ok(Self { policy, isolation, blank_file: scratch.blank_file(), blank_directory: scratch.blank_directory() })
    }

    /// How commands are held.
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// The same with less isolation: what a machine gives that allows no namespaces.
    pub fn without_namespaces(self) -> Self {
        Self { isolation: Isolation::Landlock, ..self }
    }

    /// What holds a command that may do this.
    pub fn boundary(&self, access: Access, network: Network) -> Boundary {
        self.boundary_within(access, network, self.policy.limits)
    }

    /// What holds a patch. Without namespaces nothing could be made or removed beside what is protected, thus in the top
    /// directory of a project with a `.git`; so there the patch's own rules alone keep it out of that, as they do anyway.
    pub fn boundary_of_patches(&self) -> Boundary {
        match self.isolation {
            Isolation::Namespaces => self.boundary(Access::Write, Network::Refused),
            Isolation::Landlock => {
                let mut policy = Policy { access: Access::Write, network: Network::Refused, ..self.policy.clone() };
                policy.hidden.retain(|hidden| !hidden.starts_with(&policy.workspace));
                policy.read_only.clear();
                self.boundary_with(policy)
            }
        }
    }

    /// The same for a program in this directory, which may be hidden otherwise.
    pub fn boundary_around(&self, programs: &Path, access: Access, network: Network) -> Boundary {
        let mut opened = self.policy.opened.clone();
        opened.push(closed_paths::canonical(programs));
        self.boundary_of(Policy { access, network, opened, ..self.policy.clone() })
    }

    /// The same with other bounds.
    pub fn boundary_within(&self, access: Access, network: Network, limits: Limits) -> Boundary {
        self.boundary_of(Policy { access, network, limits, ..self.policy.clone() })
    }

    /// What a command before this one made is kept too.
    fn boundary_of(&self, policy: Policy) -> Boundary {
        let read_only = closed_paths::read_only(&policy.workspace);
        self.boundary_with(Policy { read_only, ..policy })
    }

    fn boundary_with(&self, policy: Policy) -> Boundary {
        Boundary::Sandbox {
            policy: Box::new(policy),
            isolation: self.isolation,
            blank_file: self.blank_file.clone(),
            blank_directory: self.blank_directory.clone(),
        }
    }
}

fn policy_for(
    launcher: &Launcher,
    workspace: &Path,
    hidden: Vec<PathBuf>,
    home: Option<&Path>,
) -> Result<Policy, Unavailable> {
    let workspace = closed_paths::canonical(workspace);
    let wrong = |why| Unavailable::Workspace { workspace: workspace.clone(), why };
    if home.is_some_and(|home| closed_paths::canonical(home).starts_with(&workspace)) || workspace.parent().is_none() {
        return Err(wrong("it holds the home directory or everything"));
    }
    let scratch = launcher.scratch();
    // In the workspace it cannot be hidden: commands write there.
    let others = Some(scratch.folder()).filter(|folder| !folder.starts_with(&workspace));
    let policy = Policy {
        access: Access::Write,
        temporary: scratch.temporary(),
        hidden: hidden.into_iter().chain(others).collect(),
        opened: vec![scratch.inputs()],
        read_only: closed_paths::read_only(&workspace),
        network: Network::Refused,
        limits: Limits::default(),
        workspace: workspace.clone(),
    };
    if policy.hides_the_workspace() {
        return Err(wrong("it belongs to what is hidden"));
    }
    Ok(policy)
}

/// The launcher program: `guard` and `inner` are its stages; `probe`, the self-test, and `patch` run in the sandbox.
pub fn launcher(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let stage = arguments.next();
    let ended = match stage.as_ref().and_then(|stage| stage.to_str()) {
        #[cfg(target_os = "linux")]
        Some("guard") => linux::guard::run(),
        #[cfg(target_os = "linux")]
        Some("inner") => linux::inner::run(),
        Some("probe") => {
            let arguments: Vec<String> = arguments.filter_map(|argument| argument.into_string().ok()).collect();
            return proof::probe(&arguments);
        }
        Some(confined::STAGE) => return confined::child(),
        _ => Err("this program is started by sx".into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scorpiox-sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}
