//! `login`: put a Codex login into the broker, by device code or through a browser.

use clap::Args;
use scorpiox_wire::Code;
use scorpiox_wire::admin::{CredentialView, LoginFlow, LoginRequest, LoginState, LoginView};

use super::browser;
use super::credential_text;
use super::desk::{Desk, Errand};
use super::failure::{Exit, Failure};
use super::screen::Form;
use super::text::{printable, span};
use super::wording::Wording;
use crate::domain::credential::Name;

/// The broker ends an attempt by itself; only when it does not, the command does.
const GRACE_SECONDS: i64 = 60;

/// Put a Codex login into the broker
///
/// By default it shows a page and a code; open the page in any browser, on any machine, and type the code there. An
/// existing credential gets the new login from every state, and its clients stay. With --json it prints one line when
/// the page is known and one when the login has ended.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  scorpiox-broker login\n  scorpiox-broker login --name team --browser")]
pub(super) struct LoginArguments {
    /// Name of the credential
    #[arg(long, default_value = "main", value_parser = Name::parse)]
    name: Name,
    /// Log in through a browser on this machine instead of a code; or paste the address that it ends at
    #[arg(long)]
    browser: bool,
    /// Allow a login of another account to replace an existing one
    #[arg(long)]
    replace_account: bool,
}

impl Errand for LoginArguments {
    async fn run(self, desk: &mut Desk) -> Result<(), Failure> {
        tokio::select! {
            outcome = log_in(&self, desk) => outcome,
            _ = tokio::signal::ctrl_c() => {
                let left = Failure::new(Exit::Interrupted, "left before the login was finished");
                Err(if self.browser { left } else {
                    left.next("if the code is still typed in, the login counts: scorpiox-broker credential list")
                })
            }
        }
    }
}

async fn log_in(arguments: &LoginArguments, desk: &mut Desk) -> Result<(), Failure> {
    let request =
        |flow| LoginRequest { name: arguments.name.to_string(), flow, replace_account: arguments.replace_account };
    let view = if arguments.browser {
        browser::log_in(desk, |redirect_uri| request(LoginFlow::Browser { redirect_uri })).await?
    } else {
        let view = desk.broker.begin_login(&request(LoginFlow::Device)).await?;
        tell_code(desk, &view)?;
        view
    };
    let view = settle(desk, view).await?;
    conclude(desk, view)
}

fn tell_code(desk: &mut Desk, view: &LoginView) -> Result<(), Failure> {
    if desk.screen.form() == Form::Json {
        return desk.screen.json(view);
    }
    let code = view.user_code.as_deref().unwrap_or("(the page shows no field for one)");
    let left = span(left(desk, view));
    desk.screen.say(&format!(
        "Open this page in a browser, on any machine:\n\n  {}\n\nand type this code there within {left}:\n\n  {}\n",
        printable(&view.url),
        printable(code)
    ));
    Ok(())
}

/// Asks until the login has ended one way or the other.
async fn settle(desk: &mut Desk, mut view: LoginView) -> Result<LoginView, Failure> {
    while matches!(view.state, LoginState::Pending) {
        out_of_time(desk, &view)?;
        let left = span(left(desk, &view));
        desk.screen.progress(&format!("waiting for you to finish on that page, {left} left"));
        desk.clock.sleep(std::time::Duration::from_secs(view.interval.clamp(1, 60))).await;
        match desk.broker.login(&view.id).await {
            Ok(next) => view = next,
            Err(error) if error.passes() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(view)
}

/// Ends an attempt whose time is over.
pub(super) fn out_of_time(desk: &Desk, view: &LoginView) -> Result<(), Failure> {
    if desk.now().as_unix() <= view.expires_at.saturating_add(GRACE_SECONDS) {
        return Ok(());
    }
    Err(Failure::new(Exit::Failed, "the time for this login is over; nothing was changed").next("begin a new login"))
}

fn left(desk: &Desk, view: &LoginView) -> u64 {
    u64::try_from(view.expires_at.saturating_sub(desk.now().as_unix())).unwrap_or(0)
}

fn conclude(desk: &mut Desk, view: LoginView) -> Result<(), Failure> {
    if desk.screen.form() == Form::Json {
        desk.screen.json(&view)?;
    }
    match view.state {
        LoginState::Done { credential } if desk.screen.form() == Form::Human => {
            let wording = desk.screen.wording(desk.now());
            desk.screen.answer(&welcome(&credential, "logged in", &wording))
        }
        LoginState::Done { .. } => Ok(()),
        LoginState::Failed { problem } => Err(without_login(problem)),
        LoginState::Pending => unreachable!("it was asked until it was not pending"),
    }
}

/// A login that did not come about because of what was said on the page is no reason to try the same again.
fn without_login(problem: scorpiox_wire::Problem) -> Failure {
    match problem.code {
        Code::RequestTimeout => Failure::Told { exit: Exit::Failed, problem },
        _ => problem.into(),
    }
}

/// What a person wants to know of a login that the broker has just got, and the next step.
pub(super) fn welcome(view: &CredentialView, how: &str, wording: &Wording) -> String {
    let next = match view.clients {
        0 => wording.next(Some(&format!("scorpiox-broker client add NAME --credential {}", view.name))),
        _ => format!("; {} may fetch its token", credential_text::clients(view.clients)),
    };
    let account = printable(&credential_text::account(view));
    format!("{}: {how} as {account}, generation {}{next}", view.name, view.generation)
}
