//! Logging in: what is tried, in which order, each once.
//!
//! Named private keys (by the agent if it holds them), then the agent's other keys, then the password. A password that
//! was refused is not tried again by another method, and no more than [`MOST_KEYS`] keys are shown: servers count.

use std::path::Path;

use scorpiox_wire::Secret;

use super::key_file::{KeyFile, Lock};
use super::public_key::PublicKey;
use super::transport::{Attempt, Method, Reply, Session};
use super::trouble::{Stage, Trouble};
use crate::failure::Failure;
use crate::settings::ssh::{KeyFiles, SshSettings};
use crate::talk::Talk;

/// The most keys that are tried: OpenSSH hangs up after six attempts of any kind.
pub const MOST_KEYS: usize = 3;

/// Logs in, or says what was tried.
pub fn log_in(session: &mut dyn Session, settings: &SshSettings, talk: &mut Talk) -> Result<(), Trouble> {
    let offered = match session.methods(&settings.user)? {
        Reply::Welcome => return Ok(()),
        Reply::Refused(methods) => methods,
        Reply::NotMade(_) => None,
    };
    let mut login = Login { session, settings, offered, tried: Vec::new(), unused: Vec::new(), opened: None, talk };
    if login.with_keys()? == Step::In || login.with_password()? == Step::In {
        return Ok(());
    }
    Err(login.nothing_helped())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    In,
    NotYet,
}

struct Login<'a> {
    session: &'a mut dyn Session,
    settings: &'a SshSettings,
    /// What the server takes at the moment; `None` when it did not say.
    offered: Option<Vec<Method>>,
    /// What the server refused.
    tried: Vec<String>,
    /// What could not be tried, and why.
    unused: Vec<String>,
    /// The key that our password opened: then it is a passphrase, and no server's business.
    opened: Option<String>,
    talk: &'a mut Talk,
}

impl Login<'_> {
    fn takes(&self, method: Method) -> bool {
        self.offered.as_ref().is_none_or(|offered| offered.contains(&method))
    }

    fn with_keys(&mut self) -> Result<Step, Trouble> {
        if !self.takes(Method::PublicKey) {
            return Ok(Step::NotYet);
        }
        let files = self.key_files()?;
        let mut held = self.held_by_agent();
        let mut shown = 0;
        for file in &files {
            let by_agent = held.iter().position(|key| Some(key) == file.public.as_ref()).map(|at| held.remove(at));
            let attempt = match &by_agent {
                Some(key) => Attempt::AgentKey(key),
                None if file.lock == Lock::Passphrase && self.settings.password.is_none() => {
                    self.unused.push(format!("{} needs a passphrase (CODEX_SSH_PASS_FILE)", file.path.display()));
                    continue;
                }
                None => Attempt::KeyFile(file, self.settings.password.as_ref()),
            };
            let opens = by_agent.is_none() && file.lock == Lock::Passphrase;
            let (what, before) = (format!("key {}", file.path.display()), shown);
            if self.key(&attempt, what.clone(), &mut shown)? == Step::In {
                return Ok(Step::In);
            }
            if opens && shown > before {
                self.opened = Some(what);
            }
        }
        if let KeyFiles::Named(_) = self.settings.identities.files {
            for key in &held {
                let what = format!("agent's key {}", key.fingerprint());
                if self.key(&Attempt::AgentKey(key), what, &mut shown)? == Step::In {
                    return Ok(Step::In);
                }
            }
        }
        Ok(Step::NotYet)
    }

    fn key(&mut self, attempt: &Attempt<'_>, what: String, shown: &mut usize) -> Result<Step, Trouble> {
        if *shown == MOST_KEYS || !self.takes(Method::PublicKey) {
            return Ok(Step::NotYet);
        }
        let before = self.tried.len();
        let step = self.attempt(attempt, what)?;
        *shown += self.tried.len() - before;
        Ok(step)
    }

    fn with_password(&mut self) -> Result<Step, Trouble> {
        let Some(password) = &self.settings.password else { return Ok(Step::NotYet) };
        if let Some(key) = &self.opened {
            self.unused.push(format!("the password: it is the passphrase of {key}, and not sent"));
            return Ok(Step::NotYet);
        }
        let password: Secret = password.clone();
        if self.takes(Method::Password) {
            return self.attempt(&Attempt::Password(&password), "password".into());
        }
        if self.takes(Method::KeyboardInteractive) {
            return self.attempt(&Attempt::KeyboardInteractive(&password), "password (keyboard-interactive)".into());
        }
        self.unused.push("the password: the server takes none".into());
        Ok(Step::NotYet)
    }

    fn attempt(&mut self, attempt: &Attempt<'_>, what: String) -> Result<Step, Trouble> {
        let reply = match self.session.log_in(&self.settings.user, attempt) {
            // Servers hang up at the last attempt that they allow. That is no absence: no other source is asked for it.
            Err(Trouble::Cut(Stage::LoggingIn, why)) if !self.tried.is_empty() => {
                self.tried.push(format!("{what} ({why})"));
                return Err(Trouble::LoginRefused(std::mem::take(&mut self.tried)));
            }
            reply => reply?,
        };
        match reply {
            Reply::Welcome => {
                self.talk.detail(format!("logged in at {} with {what}", self.settings.called));
                return Ok(Step::In);
            }
            Reply::Refused(offered) => {
                self.tried.push(what);
                self.offered = offered.or(self.offered.take());
            }
            Reply::NotMade(why) => self.unused.push(format!("{what}: {why}")),
        }
        Ok(Step::NotYet)
    }

    /// A key that the user chose must be there; of the others those that are there count.
    fn key_files(&mut self) -> Result<Vec<KeyFile>, Trouble> {
        match &self.settings.identities.files {
            KeyFiles::Chosen(path) => chosen_key(path, self.talk).map(|file| vec![file]),
            KeyFiles::Only(paths) | KeyFiles::Named(paths) => {
                let mut files = Vec::new();
                for path in paths {
                    match KeyFile::read(path, self.talk) {
                        Ok(file) => files.extend(file),
                        Err(why) => self.unused.push(why),
                    }
                }
                Ok(files)
            }
        }
    }

    /// An agent that does not answer is as good as none: there may be a password.
    fn held_by_agent(&mut self) -> Vec<PublicKey> {
        let Some(socket) = &self.settings.identities.agent else { return Vec::new() };
        match self.session.agent_keys(socket) {
            Ok(keys) => keys,
            Err(trouble) => {
                self.talk.detail(unanswered(socket, &trouble));
                Vec::new()
            }
        }
    }

    fn nothing_helped(self) -> Trouble {
        if self.tried.is_empty() && self.unused.is_empty() {
            return Trouble::NothingToTry(takes(self.offered.as_deref()));
        }
        let all = self.tried.iter().chain(&self.unused).cloned().collect();
        if self.tried.is_empty() { Trouble::NothingUsable(all) } else { Trouble::LoginRefused(all) }
    }
}

fn chosen_key(path: &Path, talk: &mut Talk) -> Result<KeyFile, Trouble> {
    let wrong = |why: String| Trouble::Settings(Failure::configuration(format!("CODEX_SSH_KEY_FILE: {why}")));
    let file = KeyFile::read(path, talk).map_err(wrong)?;
    file.ok_or_else(|| wrong(format!("{} does not exist", path.display())))
}

fn unanswered(socket: &Path, trouble: &Trouble) -> String {
    format!("the agent at {} does not answer: {trouble:?}", socket.display())
}

fn takes(offered: Option<&[Method]>) -> String {
    match offered {
        None => "which did not say what it takes".into(),
        Some([]) => "which takes nothing that we have".into(),
        Some(offered) => {
            let names: Vec<_> = offered.iter().map(|method| method.as_str()).collect();
            format!("which takes {}", names.join(", "))
        }
    }
}

#[cfg(test)]
#[path = "authentication_tests.rs"]
mod tests;
