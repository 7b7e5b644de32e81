//! How commands can be run here: in a sandbox that was seen to hold, without one, or not at all.

use std::path::{Path, PathBuf};

use crate::tool::approval::Confinement;
use crate::tool::function::description::Function;
use crate::tool::sandbox::launcher::Launcher;
use crate::tool::sandbox::order::Boundary;
use crate::tool::sandbox::policy::{Access, Network};
use crate::tool::sandbox::scratch::Scratch;
use crate::tool::sandbox::{Sandbox, Unavailable};

/// How commands can be run here.
pub(super) enum Bench {
    /// Nobody has looked yet: it takes a moment, and most conversations run nothing.
    Unknown { hidden: Vec<PathBuf>, home: Option<PathBuf>, programs: Option<PathBuf> },
    /// In a sandbox that was seen to hold.
    Confined(Launcher, Sandbox),
    /// Without one, because of this; only what the person has just seen and agreed to.
    Open(Launcher, String),
    /// Not at all, because of this.
    Closed(String),
}

impl Bench {
    /// Looks, if nobody has.
    pub(super) fn prepare(&mut self, workspace: &Path) {
        let Self::Unknown { hidden, home, programs } = self else { return };
        let programs = programs.take().unwrap_or_default();
        let (hidden, home) = (std::mem::take(hidden), home.take());
        *self = match Launcher::new(&programs, std::env::vars_os(), &std::env::temp_dir()) {
            Err(unavailable) => Self::Closed(unavailable.to_string()),
            Ok(launcher) => match Sandbox::prove(&launcher, workspace, hidden, home.as_deref()) {
                Ok(sandbox) => Self::Confined(launcher, sandbox),
                Err(
                    unavailable @ (Unavailable::System | Unavailable::NotHeld { .. } | Unavailable::Workspace { .. }),
                ) => Self::Open(launcher, unavailable.to_string()),
                Err(unavailable) => Self::Closed(unavailable.to_string()),
            },
        };
    }

    pub(super) fn confinement(&self) -> Confinement {
        match self {
            Self::Confined(..) => Confinement::Confined,
            Self::Unknown { .. } | Self::Open(..) | Self::Closed(_) => Confinement::Unconfined,
        }
    }

    /// How a command with this network would be held, for the person.
    pub(super) fn held(&self, network: Network) -> Result<String, String> {
        match (self, network) {
            (Self::Confined(..), Network::Refused) => Ok("in a sandbox, without network".to_owned()),
            (Self::Confined(..), Network::Allowed) => Ok("in a sandbox, WITH NETWORK".to_owned()),
            (Self::Open(_, why), _) => Ok(format!("NOT confined ({why})")),
            (Self::Closed(why), _) => Err(format!("commands cannot be run here: {why}")),
            (Self::Unknown { .. }, _) => Err("commands cannot be run yet".to_owned()),
        }
    }

    /// What holds a command of the model.
    pub(super) fn around_script(&self, network: Network) -> Result<(&Launcher, Boundary), String> {
        self.boundary(|sandbox| sandbox.boundary(Access::Write, network))
    }

    /// What holds a function of the person, whose programs are in this folder.
    pub(super) fn around_function(&self, function: &Function, folder: &Path) -> Result<(&Launcher, Boundary), String> {
        self.boundary(|sandbox| sandbox.boundary_around(folder, Access::Write, function.network))
    }

    /// What holds a patch, where something can.
    pub(super) fn around_patch(&self) -> Option<(&Launcher, Boundary)> {
        match self {
            Self::Confined(launcher, sandbox) => Some((launcher, sandbox.boundary_of_patches())),
            Self::Unknown { .. } | Self::Open(..) | Self::Closed(_) => None,
        }
    }

    /// Why nothing holds what is done here; `None` when it is held, or nobody has looked.
    pub(super) fn unconfined_because(&self) -> Option<&str> {
        match self {
            Self::Open(_, why) | Self::Closed(why) => Some(why),
            Self::Confined(..) | Self::Unknown { .. } => None,
        }
    }

    fn boundary(&self, confined: impl FnOnce(&Sandbox) -> Boundary) -> Result<(&Launcher, Boundary), String> {
        match self {
            Self::Confined(launcher, sandbox) => Ok((launcher, confined(sandbox))),
            Self::Open(launcher, _) => Ok((launcher, launcher.unconfined())),
            Self::Unknown { .. } | Self::Closed(_) => Err("commands cannot be run here".to_owned()),
        }
    }

    /// The directory of the commands of this session, where there are any.
    pub(super) fn scratch(&self) -> Option<&Scratch> {
        match self {
            Self::Confined(launcher, _) | Self::Open(launcher, _) => Some(launcher.scratch()),
            Self::Unknown { .. } | Self::Closed(_) => None,
        }
    }

    /// Removes what commands needed.
    pub(super) fn close(self) {
        if let Self::Confined(launcher, _) | Self::Open(launcher, _) = self {
            // What is left in the temporary directory harms nobody.
            let _ = launcher.close();
        }
    }
}
