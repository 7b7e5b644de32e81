//! `credential`: look at logins and steer their renewal.

use clap::{Args, Subcommand};
use scorpiox_wire::admin::{Health, PauseRequest, RefreshRequest, Upstream};

use super::credential_text;
use super::desk::{Desk, Errand};
use super::failure::{Exit, Failure};
use super::screen::{Form, Reply};
use crate::domain::credential::Name;
use crate::registrar::LoginAtProvider;

/// Look at logins, renew, pause and remove them
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  scorpiox-broker credential show main")]
pub(super) struct CredentialArguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the logins and how they are
    #[command(after_help = "Example:\n  scorpiox-broker credential list --json")]
    List,
    /// Show one login: why it is not well, and the command that helps
    #[command(after_help = "Example:\n  scorpiox-broker credential show main")]
    Show(Named),
    /// Renew a login now
    #[command(after_help = "Examples:\n  scorpiox-broker credential refresh main\n  \
        scorpiox-broker credential refresh main --probe     the answer to the last renewal was lost")]
    Refresh {
        #[command(flatten)]
        credential: Named,
        /// The last renewal's answer is unknown: present the same refresh token once more, after the quiet time
        #[arg(long)]
        probe: bool,
    },
    /// Stop handing out a login's token
    #[command(after_help = "Example:\n  scorpiox-broker credential pause main --renewal-only")]
    Pause {
        #[command(flatten)]
        credential: Named,
        /// Go on handing out its token, only do not renew it
        #[arg(long)]
        renewal_only: bool,
    },
    /// End a pause
    #[command(after_help = "Example:\n  scorpiox-broker credential resume main")]
    Resume(Named),
    /// Forget a login with its refresh token; its clients get nothing any more
    #[command(after_help = "Examples:\n  scorpiox-broker credential remove main --yes\n  \
        scorpiox-broker credential remove main --revoke     its tokens end at the provider too")]
    Remove {
        #[command(flatten)]
        credential: Named,
        /// End the login at the provider too, so that no copy of its tokens goes on
        #[arg(long)]
        revoke: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
struct Named {
    /// Name of the credential
    #[arg(value_parser = Name::parse)]
    name: Name,
}

impl Errand for CredentialArguments {
    async fn run(self, desk: &mut Desk) -> Result<(), Failure> {
        match self.verb {
            Verb::List => list(desk).await,
            Verb::Show(Named { name }) => {
                let view = desk.broker.credential(&name).await?;
                desk.answer(&view, credential_text::show)
            }
            Verb::Refresh { credential, probe } => refresh(desk, &credential.name, probe).await,
            Verb::Pause { credential, renewal_only } => pause(desk, &credential.name, renewal_only).await,
            Verb::Resume(Named { name }) => {
                let view = desk.broker.resume(&name).await?;
                desk.answer(&view, |view, _| format!("{} is not paused any more", view.name))
            }
            Verb::Remove { credential, revoke, yes } => {
                let login = if revoke { LoginAtProvider::Revoke } else { LoginAtProvider::Leave };
                remove(desk, &credential.name, login, yes).await
            }
        }
    }
}

async fn list(desk: &mut Desk) -> Result<(), Failure> {
    let views = desk.broker.credentials().await?;
    if views.is_empty() && desk.screen.form() == Form::Human {
        desk.nothing_yet("there is no login yet", "scorpiox-broker login");
        return Ok(());
    }
    desk.answer(&views, |views, wording| credential_text::list(views, wording))
}

async fn refresh(desk: &mut Desk, name: &Name, probe: bool) -> Result<(), Failure> {
    let answer = desk.broker.refresh(name, RefreshRequest { probe }).await?;
    desk.answer(&answer, |answer, wording| {
        let headline = if answer.renewed { "was renewed" } else { "was not renewed" };
        format!("{name} {headline}\n\n{}", credential_text::show(&answer.credential, wording))
    })?;
    if answer.renewed {
        return Ok(());
    }
    let exit = match answer.credential.health {
        Health::BackingOff | Health::InDoubt => Exit::Later,
        Health::Good | Health::Reauth | Health::Quarantine | Health::Paused => Exit::Failed,
    };
    let reason = answer.credential.reason.unwrap_or_else(|| "the broker gave no reason".to_owned());
    let failure = Failure::new(exit, format!("{name} was not renewed: {reason}"));
    Err(match answer.credential.next {
        Some(next) => failure.next(next),
        None => failure,
    })
}

async fn pause(desk: &mut Desk, name: &Name, renewal_only: bool) -> Result<(), Failure> {
    let view = desk.broker.pause(name, PauseRequest { renewal_only }).await?;
    desk.answer(&view, |view, wording| {
        let effect = if renewal_only { "is not renewed" } else { "is neither handed out nor renewed" };
        let end = wording.command(&format!("scorpiox-broker credential resume {}", view.name));
        format!("{} {effect} until: {end}", view.name)
    })
}

async fn remove(desk: &mut Desk, name: &Name, login: LoginAtProvider, yes: bool) -> Result<(), Failure> {
    if !yes {
        let view = desk.broker.credential(name).await?;
        let question = format!(
            "Forget the login {name} ({}) and its refresh token, and leave {} without a token?",
            credential_text::account(&view),
            credential_text::clients(view.clients)
        );
        confirm(desk, &question)?;
    }
    let removed = desk.broker.remove(name, login).await?;
    desk.answer(&removed, |removed, _| {
        let view = &removed.credential;
        let upstream = match removed.upstream {
            Upstream::Left | Upstream::Failed => "",
            Upstream::Revoked => ", and its login ended at the provider",
        };
        format!("{} was removed{upstream}; {} had it", view.name, credential_text::clients(view.clients))
    })?;
    let Some(problem) = removed.upstream_problem else { return Ok(()) };
    let failure = Failure::new(
        Exit::Failed,
        format!("{name} is removed here, but its login could not be ended at the provider: {}", problem.message),
    );
    Err(match problem.hint {
        Some(hint) => failure.next(hint),
        None => failure,
    })
}

/// Goes on only after a yes. Where nobody can be asked, `--yes` must have been typed.
pub(super) fn confirm(desk: &mut Desk, question: &str) -> Result<(), Failure> {
    match desk.screen.ask(question) {
        Reply::Yes => Ok(()),
        Reply::No => Err(Failure::new(Exit::Failed, "nothing was changed")),
        Reply::Nobody => Err(Failure::new(Exit::Usage, "this changes something for good and nobody can be asked here")
            .next("add --yes to the command")),
    }
}
