//! What may be typed.

use clap::{Args, Parser, Subcommand};

use super::admin::AdminArguments;
use super::alert::AlertArguments;
use super::audit::AuditArguments;
use super::backup::BackupArguments;
use super::client::ClientArguments;
use super::credential::CredentialArguments;
use super::failure::EXIT_CODES;
use super::import::ImportArguments;
use super::login::LoginArguments;
use super::master_key::MasterKeyArguments;
use super::openapi::OpenapiArguments;
use super::place::Reach;
use super::promote::PromoteArguments;
use super::rekey::RekeyArguments;
use super::remote::Early;
use super::restore::RestoreArguments;
use super::server::{CheckConfigArguments, ServeArguments, UpArguments};
use super::status::StatusArguments;

/// A build that a test can kill on purpose says so.
const VERSION: &str = if cfg!(feature = "failpoints") {
    concat!(env!("CARGO_PKG_VERSION"), "+failpoints")
} else {
    env!("CARGO_PKG_VERSION")
};

const BEGIN: &str = "\
To begin:
  scorpiox-broker up                               a broker of your own, on this machine
  scorpiox-broker login                            put a Codex login into it
  scorpiox-broker client add laptop --credential main

A broker on another machine, with the same commands:
  scorpiox-broker --broker https://broker.example:8444 --admin-key-file admin.key status
";

/// Owns Codex logins, renews them, and hands out their access tokens
///
/// One broker owns each login and is the only one that redeems its refresh token; machines that may have its access
/// token fetch it with a client key. The same program is the server (up, serve) and its administration.
#[derive(Debug, Parser)]
#[command(name = "scorpiox-broker", version = VERSION, arg_required_else_help = true)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{BEGIN}\n{EXIT_CODES}"))]
pub(super) struct Typed {
    #[command(flatten)]
    pub(super) early: Early,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    Up(UpArguments),
    Serve(ServeArguments),
    CheckConfig(CheckConfigArguments),
    Status(Asked<StatusArguments>),
    Login(Asked<LoginArguments>),
    Import(Asked<ImportArguments>),
    Credential(Asked<CredentialArguments>),
    Client(Asked<ClientArguments>),
    Audit(Asked<AuditArguments>),
    Alert(Asked<AlertArguments>),
    Admin(Asked<AdminArguments>),
    Promote(Asked<PromoteArguments>),
    Backup(Asked<BackupArguments>),
    Restore(RestoreArguments),
    Rekey(Asked<RekeyArguments>),
    MasterKey(MasterKeyArguments),
    Openapi(OpenapiArguments),
}

// Something that is asked of a running broker. (A documentation comment would become every such command's help.)
#[derive(Debug, Args)]
pub(super) struct Asked<T: Args> {
    #[command(flatten)]
    pub(super) rest: T,
    #[command(flatten)]
    pub(super) reach: Reach,
}

impl Verb {
    /// Whether it asks no running broker.
    pub(super) fn is_of_this_machine(&self) -> bool {
        match self {
            Self::Up(_) | Self::Serve(_) | Self::CheckConfig(_) | Self::MasterKey(_) | Self::Openapi(_) => true,
            Self::Restore(_) => true,
            Self::Backup(asked) => asked.rest.is_local(),
            Self::Status(_)
            | Self::Login(_)
            | Self::Import(_)
            | Self::Credential(_)
            | Self::Client(_)
            | Self::Audit(_)
            | Self::Alert(_)
            | Self::Admin(_)
            | Self::Rekey(_)
            | Self::Promote(_) => false,
        }
    }
}
