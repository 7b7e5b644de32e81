//! The backend as this command's surroundings say: which sources of tokens, which address, which proxy.

use std::ffi::OsString;

use crate::backend::address::BackendAddress;
use crate::backend::exchange::Backend;
use crate::backend::identity::Identity;
use crate::clock::Clock;
use crate::failure::Failure;
use crate::settings::{self, Settings, Surroundings, Trust};
use crate::state_directory::StateDirectory;
use crate::talk::Talk;
use crate::token::proxy;
use crate::token::supply::Supply;

/// Where a certificate of one's own may be named, the first one first: as for the stock CLI.
const CA_VARIABLES: [&str; 2] = ["CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"];

/// The backend, and what stands around it.
pub(super) struct Scene<'a> {
    pub(super) backend: Backend<'a>,
    pub(super) settings: &'a Settings,
    pub(super) surroundings: &'a Surroundings<'a>,
    /// For what is kept of its answers.
    pub(super) state: StateDirectory,
}

/// Does something with the backend.
pub(super) fn with<T>(
    environment: &dyn Fn(&str) -> Option<OsString>,
    clock: &dyn Clock,
    talk: &mut Talk,
    task: impl FnOnce(&Scene<'_>, &mut Talk) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let surroundings = Surroundings::of_process(environment)?;
    let settings = Settings::read(&surroundings, talk)?;
    let supply = Supply::new(&settings, &surroundings, clock);
    let address = BackendAddress::read(environment)?;
    let proxy = proxy::choose(environment, address.url())?;
    let ca_file = CA_VARIABLES.iter().find_map(|variable| surroundings.absolute_path(variable));
    let (identity, trust) = (Identity::read(environment)?, Trust::System(ca_file));
    let state = StateDirectory::new(settings::cache_directory(&surroundings));
    let backend = Backend { address, identity, proxy, trust, tokens: &supply };
    task(&Scene { backend, settings: &settings, surroundings: &surroundings, state }, talk)
}
