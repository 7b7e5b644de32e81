//! `scorpiox-broker`: the server and its administration.

use std::process::ExitCode;

fn main() -> ExitCode {
    rustls::crypto::aws_lc_rs::default_provider().install_default().expect("nothing has installed a provider before");
    // Administration commands hold keys and tokens too.
    scorpiox_broker::startup::keep_secrets_in_memory();
    scorpiox_broker::cli::main()
}
