//! A connection for tests: it plays what the test put in and writes down what was asked of it.

use std::collections::VecDeque;
use std::path::Path;

use super::public_key::PublicKey;
use super::transport::{Attempt, Gathered, Method, Ran, Reply, Session};
use super::trouble::{Stage, Trouble};

/// Takes one credential, has some agent's keys, and answers commands in their order.
#[derive(Default)]
pub(crate) struct FakeSession {
    /// What the server offers.
    pub(crate) offered: Option<Vec<Method>>,
    /// The attempt that is let in, as [`FakeSession::attempts`] writes it.
    pub(crate) takes: String,
    pub(crate) agent: Vec<PublicKey>,
    pub(crate) attempts: Vec<String>,
    /// The attempt at which the server hangs up, counted from 1.
    pub(crate) hangs_up_at: Option<usize>,
    /// Exit status, output and talk of the commands to come.
    pub(crate) answers: VecDeque<(u32, String, String)>,
    pub(crate) commands: Vec<String>,
}

impl Session for FakeSession {
    fn methods(&mut self, _user: &str) -> Result<Reply, Trouble> {
        Ok(Reply::Refused(self.offered.clone()))
    }

    fn agent_keys(&mut self, _socket: &Path) -> Result<Vec<PublicKey>, Trouble> {
        Ok(self.agent.clone())
    }

    fn log_in(&mut self, user: &str, attempt: &Attempt<'_>) -> Result<Reply, Trouble> {
        let attempt = match attempt {
            Attempt::AgentKey(key) => format!("agent {}", key.kind()),
            Attempt::KeyFile(file, passphrase) => {
                let name = file.path.file_name().unwrap().to_string_lossy().into_owned();
                format!("file {name}{}", if passphrase.is_some() { " with passphrase" } else { "" })
            }
            Attempt::Password(password) => format!("password {}", password.expose()),
            Attempt::KeyboardInteractive(password) => format!("questions {}", password.expose()),
        };
        assert_eq!(user, "ann");
        self.attempts.push(attempt.clone());
        if self.hangs_up_at == Some(self.attempts.len()) {
            return Err(Trouble::Cut(Stage::LoggingIn, "closed".into()));
        }
        Ok(if attempt == self.takes { Reply::Welcome } else { Reply::Refused(self.offered.clone()) })
    }

    fn run(&mut self, command: &str) -> Result<Ran, Trouble> {
        self.commands.push(command.to_owned());
        let (exit, stdout, stderr) = self.answers.pop_front().ok_or(Trouble::TooSlow(Stage::Running))?;
        let mut gathered = Gathered::default();
        gathered.stdout(stdout.as_bytes())?;
        gathered.stderr(stderr.as_bytes());
        gathered.exit(exit);
        gathered.finish()
    }
}
