//! What is asked of the other machine once we are logged in there, and what its answers mean.

use scorpiox_wire::TokenTag;

use super::answer;
use super::transport::{Ran, Session};
use super::trouble::Trouble;
use crate::failure::{Class, Failure, visible};
use crate::settings::ssh::{FarCommand, USUAL_COMMAND};
use crate::talk::Talk;
use crate::token::{Ask, Fetched};

/// Reads the token file where our command is missing: ours, else the stock CLI's. A fixed text, in which no setting
/// stands. `sh -c` because the user's shell there may be any.
const READ_FILE: &str = r#"sh -c 'f="${XDG_CONFIG_HOME:-$HOME/.config}/scorpiox/codex-auth.json"; [ -r "$f" ] || f="${CODEX_HOME:-$HOME/.codex}/auth.json"; exec cat -- "$f"'"#;
/// The shell's words for "not there" and "not a program".
const MISSING: [u32; 2] = [127, 126];
/// Lines of the other side's talk that are passed on.
const MOST_LINES: usize = 5;
/// A word as long as a token is not repeated: it may be one.
const LONGEST_WORD: usize = 48;

/// The other machine, logged in.
pub struct FarSide<'a> {
    /// The connection.
    pub session: &'a mut dyn Session,
    /// What is run.
    pub command: &'a FarCommand,
    /// What messages call the machine.
    pub host: &'a str,
    /// Unix seconds.
    pub now: i64,
}

impl FarSide<'_> {
    /// A token, as asked.
    pub fn fetch(&mut self, ask: &Ask, talk: &mut Talk) -> Result<Result<Fetched, Failure>, Trouble> {
        match ask {
            Ask::Current => self.run(self.plain(), talk),
            Ask::OtherThanLast => self.run(self.refusing().unwrap_or_else(|| self.plain()), talk),
            Ask::OtherThan(refused) => self.other_than(refused, talk),
        }
    }

    /// The other side may have another token by now: only if it has not is it told of the refusal.
    fn other_than(&mut self, refused: &TokenTag, talk: &mut Talk) -> Result<Result<Fetched, Failure>, Trouble> {
        let is_same = |fetched: &Fetched| fetched.tag.as_ref() == Some(refused);
        let mut fetched = match self.run(self.plain(), talk)? {
            Ok(fetched) => fetched,
            Err(failure) => return Ok(Err(failure)),
        };
        if is_same(&fetched)
            && let Some(refusing) = self.refusing()
        {
            talk.detail(format!("{} still gives the token that was refused", self.host));
            fetched = match self.run(refusing, talk)? {
                Ok(fetched) => fetched,
                Err(failure) => return Ok(Err(failure)),
            };
        }
        if is_same(&fetched) {
            let failure = Failure::person_must_act(format!("{} has no other token than the refused one", self.host));
            return Ok(Err(failure.with_hint("run codex or scorpiox-codex-login there")));
        }
        Ok(Ok(fetched))
    }

    fn plain(&self) -> String {
        match self.command {
            FarCommand::Usual => USUAL_COMMAND.to_owned(),
            FarCommand::Chosen(text) => text.clone(),
        }
    }

    /// The command that says "refused"; `None` for a command that is not ours and would not understand it.
    fn refusing(&self) -> Option<String> {
        let plain = self.plain();
        let program = plain.split(' ').next().and_then(|path| path.rsplit('/').next());
        let is_simple = plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" /._-~".contains(&byte));
        (program == Some(USUAL_COMMAND) && is_simple).then(|| format!("{plain} --refused"))
    }

    fn run(&mut self, command: String, talk: &mut Talk) -> Result<Result<Fetched, Failure>, Trouble> {
        talk.detail(format!("running on {}: {command}", self.host));
        let ran = self.session.run(&command)?;
        if *self.command == FarCommand::Usual && MISSING.contains(&ran.exit) {
            if command != self.plain() {
                talk.warn(format!("{} has only a file: this may be the refused token; run codex there", self.host));
            }
            return self.read_file(talk);
        }
        self.pass_on(&ran, talk);
        Ok(if ran.exit == 0 { answer::read(&ran.stdout, self.host, self.now) } else { Err(self.refusal(&ran)) })
    }

    fn read_file(&mut self, talk: &mut Talk) -> Result<Result<Fetched, Failure>, Trouble> {
        talk.detail(format!("{} has no {USUAL_COMMAND}; reading its token file", self.host));
        let ran = self.session.run(READ_FILE)?;
        if ran.exit == 0 {
            return Ok(answer::read(&ran.stdout, self.host, self.now));
        }
        let failure = Failure::configuration(format!("{} has neither {USUAL_COMMAND} nor a token file", self.host));
        Ok(Err(failure.with_hint("install and log in there, or set CODEX_SSH_COMMAND")))
    }

    /// Our own command over there warns of what a person should know; everything else is detail.
    fn pass_on(&self, ran: &Ran, talk: &mut Talk) {
        if ran.exit != 0 {
            return;
        }
        for line in lines(&ran.stderr) {
            match line.strip_prefix(USUAL_COMMAND).and_then(|rest| rest.strip_prefix(": ")) {
                Some(ours) => talk.warn(format!("{}: {ours}", self.host)),
                None => talk.detail(format!("{}: {line}", self.host)),
            }
        }
    }

    /// Our exit codes mean there what they mean here. Any other code is about the command, not about the token.
    fn refusal(&self, ran: &Ran) -> Failure {
        let class = match ran.exit {
            69 => Class::PersonMustAct,
            // What a shell says of a program that a signal has killed is 128 and the signal's number.
            75 | 129..=192 => Class::Temporary,
            77 => Class::KeyOrGrant,
            _ => Class::Configuration,
        };
        let last = lines(&ran.stderr).last().unwrap_or_default();
        let said = last.strip_prefix(USUAL_COMMAND).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&last);
        if said.is_empty() {
            return Failure::new(class, format!("the command on {} ended with exit code {}", self.host, ran.exit));
        }
        Failure::new(class, format!("on {} (exit code {}): {said}", self.host, ran.exit))
    }
}

fn lines(stderr: &[u8]) -> impl DoubleEndedIterator<Item = String> {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).map(without_secrets).collect();
    let skipped = lines.len().saturating_sub(MOST_LINES);
    lines.into_iter().skip(skipped)
}

fn without_secrets(line: &str) -> String {
    let shown = |word: &str| if word.chars().count() > LONGEST_WORD { "...".to_owned() } else { visible(word) };
    line.split(' ').map(shown).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "far_side_tests.rs"]
mod tests;
