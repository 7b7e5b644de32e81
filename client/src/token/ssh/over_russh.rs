//! A connection made by russh.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse, Prompt};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::ssh_key::public::PublicKey as RusshKey;
use russh::keys::{
    Algorithm, EcdsaCurve, HashAlg, PrivateKeyWithHashAlg, PublicKeyBase64 as _, PublicKeyOrCertificate,
    decode_secret_key,
};
use russh::{ChannelMsg, Disconnect, MethodKind, MethodSet, Preferred};
use scorpiox_wire::Secret;
use tokio::net::{TcpStream, UnixStream};

use super::known_hosts::KnownKeys;
use super::public_key::PublicKey;
use super::transport::{Attempt, Gathered, Judge, MOST_OUTPUT, Method, Ran, Reply, Session};
use super::trouble::{Stage, Trouble};
use super::waiting::Waiting;
use crate::clock::Deadline;
use crate::settings::ssh::SshSettings;

/// Host key types in the order of OpenSSH. RSA with SHA-1 is not among them.
const HOST_KEYS: &[Algorithm] = &[
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
    Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
];
/// A server that asks more often than this asks for more than a password.
const MOST_QUESTIONS: usize = 4;

/// Connects; the judge has said yes when this returns.
pub fn open<'a>(
    settings: &SshSettings,
    judge: Judge,
    deadline: Deadline<'a>,
) -> Result<Box<dyn Session + 'a>, Trouble> {
    let waiting = Waiting::until(deadline)?;
    let config = Arc::new(client::Config {
        preferred: Preferred { key: Cow::Owned(known_first(&judge.known)), ..Preferred::DEFAULT },
        // The server may not send more than this ahead of what we have taken.
        window_size: u32::try_from(2 * MOST_OUTPUT).expect("a small number"),
        nodelay: true,
        ..client::Config::default()
    });
    let connected = waiting.wait(Stage::Connecting, async {
        let stream = TcpStream::connect((settings.host.as_str(), settings.port)).await;
        let stream = stream.map_err(|error| Trouble::Unreachable(error.to_string()))?;
        client::connect_stream(config, stream, Host(judge)).await.map_err(|Stopped(trouble)| trouble)
    });
    Ok(Box::new(Connection { handle: connected??, agent: None, waiting }))
}

/// A host shows a key of the first type that both have: it shall be one that we know.
fn known_first(known: &KnownKeys) -> Vec<Algorithm> {
    let is_known = |algorithm: &Algorithm| {
        let kind = if matches!(algorithm, Algorithm::Rsa { .. }) { "ssh-rsa" } else { algorithm.as_str() };
        known.types().any(|known| known == kind)
    };
    let (mut first, rest): (Vec<_>, Vec<_>) = HOST_KEYS.iter().cloned().partition(is_known);
    first.extend(rest);
    first
}

struct Connection<'a> {
    handle: Handle<Host>,
    agent: Option<AgentClient<UnixStream>>,
    waiting: Waiting<'a>,
}

/// The judge, where russh asks it.
struct Host(Judge);

/// An error of russh's, or the judge's.
#[derive(Debug)]
struct Stopped(Trouble);

impl From<russh::Error> for Stopped {
    fn from(error: russh::Error) -> Self {
        Self(trouble(Stage::Connecting, &error))
    }
}

impl client::Handler for Host {
    type Error = Stopped;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Stopped> {
        let shown = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => PublicKey::from_wire(&key.public_key_bytes()),
            PublicKeyOrCertificate::Certificate(_) => None,
        };
        self.0.check(shown).map(|()| true).map_err(Stopped)
    }
}

fn trouble(stage: Stage, error: &russh::Error) -> Trouble {
    match error {
        russh::Error::NoCommonAlgo { kind, theirs, .. } => {
            Trouble::NoCommonGround(format!("no {kind:?} algorithm; theirs are {}", theirs.join(", ")))
        }
        other => Trouble::Cut(stage, other.to_string()),
    }
}

impl Session for Connection<'_> {
    fn methods(&mut self, user: &str) -> Result<Reply, Trouble> {
        let asked = self.waiting.wait(Stage::LoggingIn, self.handle.authenticate_none(user))?;
        self.reply(asked)
    }

    fn agent_keys(&mut self, socket: &Path) -> Result<Vec<PublicKey>, Trouble> {
        let asked = self.waiting.wait_for_agent(async {
            let mut agent = AgentClient::connect_uds(socket).await?;
            let identities = agent.request_identities().await?;
            Ok::<_, russh::keys::Error>((agent, identities))
        });
        let silent = |why: String| Trouble::Cut(Stage::LoggingIn, why);
        let (agent, identities) = asked
            .ok_or_else(|| silent("the agent takes too long".into()))?
            .map_err(|error| silent(error.to_string()))?;
        self.agent = Some(agent);
        Ok(identities.iter().filter_map(plain_key).collect())
    }

    fn log_in(&mut self, user: &str, attempt: &Attempt<'_>) -> Result<Reply, Trouble> {
        match attempt {
            Attempt::AgentKey(key) => self.with_agent(user, key),
            Attempt::KeyFile(file, passphrase) => {
                match decode_secret_key(file.text.expose(), passphrase.map(Secret::expose)) {
                    Ok(key) => self.with_key(user, PrivateKeyWithHashAlg::new(Arc::new(key), RSA_HASH)),
                    Err(_) => Ok(Reply::NotMade("it cannot be opened".into())),
                }
            }
            Attempt::Password(password) => {
                let asked = self.handle.authenticate_password(user, password.expose());
                let asked = self.waiting.wait(Stage::LoggingIn, asked)?;
                self.reply(asked)
            }
            Attempt::KeyboardInteractive(password) => self.with_questions(user, password),
        }
    }

    fn run(&mut self, command: &str) -> Result<Ran, Trouble> {
        let gathered = self.waiting.wait(Stage::Running, gather(&self.handle, command))??;
        gathered.finish()
    }
}

/// Servers that know no SHA-2 signatures (OpenSSH before 7.2) are not logged in to with RSA keys.
const RSA_HASH: Option<HashAlg> = Some(HashAlg::Sha512);

impl Connection<'_> {
    fn with_key(&mut self, user: &str, key: PrivateKeyWithHashAlg) -> Result<Reply, Trouble> {
        let asked = self.handle.authenticate_publickey(user, key);
        let asked = self.waiting.wait(Stage::LoggingIn, asked)?;
        self.reply(asked)
    }

    /// russh takes a connection that ended for a refusal.
    fn reply(&mut self, asked: Result<AuthResult, russh::Error>) -> Result<Reply, Trouble> {
        match asked.map_err(|error| trouble(Stage::LoggingIn, &error))? {
            AuthResult::Success => Ok(Reply::Welcome),
            AuthResult::Failure { .. } if self.handle.is_closed() => Err(self.ended()),
            AuthResult::Failure { remaining_methods, .. } => Ok(Reply::Refused(Some(methods(&remaining_methods)))),
        }
    }

    fn ended(&mut self) -> Trouble {
        let ended = self.waiting.wait(Stage::LoggingIn, &mut self.handle);
        match ended {
            Ok(Err(Stopped(Trouble::Cut(_, why)))) => Trouble::Cut(Stage::LoggingIn, why),
            Ok(Err(Stopped(other))) | Err(other) => other,
            Ok(Ok(())) => Trouble::Cut(Stage::LoggingIn, "the server hung up".into()),
        }
    }

    fn with_agent(&mut self, user: &str, key: &PublicKey) -> Result<Reply, Trouble> {
        let Some(agent) = &mut self.agent else { return Ok(Reply::NotMade("there is no agent".into())) };
        let Ok(key) = RusshKey::from_bytes(key.as_wire()) else {
            return Ok(Reply::NotMade("a key of a type that is not known".into()));
        };
        let hash = key.algorithm().is_rsa().then_some(HashAlg::Sha512);
        let asked = self.handle.authenticate_publickey_with(user, key, hash, agent);
        match self.waiting.wait(Stage::LoggingIn, asked)? {
            Ok(result) => self.reply(Ok(result)),
            Err(error) => Ok(Reply::NotMade(format!("the agent does not sign: {error}"))),
        }
    }

    fn with_questions(&mut self, user: &str, password: &Secret) -> Result<Reply, Trouble> {
        let asked = answer_questions(&mut self.handle, user, password);
        self.waiting.wait(Stage::LoggingIn, asked)?.map_err(|error| trouble(Stage::LoggingIn, &error))
    }
}

async fn answer_questions(handle: &mut Handle<Host>, user: &str, password: &Secret) -> Result<Reply, russh::Error> {
    let mut response = handle.authenticate_keyboard_interactive_start(user, None).await?;
    let mut unused = Some(password);
    for _ in 0..MOST_QUESTIONS {
        let prompts = match response {
            KeyboardInteractiveAuthResponse::Success => return Ok(Reply::Welcome),
            KeyboardInteractiveAuthResponse::Failure { remaining_methods, .. } => {
                return Ok(Reply::Refused(Some(methods(&remaining_methods))));
            }
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => prompts,
        };
        let Some(answers) = answers(&prompts, &mut unused) else { break };
        response = handle.authenticate_keyboard_interactive_respond(answers).await?;
    }
    Ok(Reply::NotMade("the server asks for more than a password".into()))
}

/// The password answers one hidden question, once. Whatever else is asked (a code, a name) we cannot answer.
fn answers(prompts: &[Prompt], unused: &mut Option<&Secret>) -> Option<Vec<String>> {
    match prompts {
        [] => Some(Vec::new()),
        [only] if !only.echo => unused.take().map(|password| vec![password.expose().to_owned()]),
        _ => None,
    }
}

async fn gather(handle: &Handle<Host>, command: &str) -> Result<Gathered, Trouble> {
    let ended = |error: russh::Error| match error {
        russh::Error::ChannelOpenFailure(_) => Trouble::ExecRefused,
        other => trouble(Stage::Running, &other),
    };
    let mut channel = handle.channel_open_session().await.map_err(ended)?;
    channel.exec(true, command).await.map_err(ended)?;
    let mut gathered = Gathered::default();
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { data } => gathered.stdout(&data)?,
            ChannelMsg::ExtendedData { data, .. } => gathered.stderr(&data),
            ChannelMsg::ExitStatus { exit_status } => gathered.exit(exit_status),
            ChannelMsg::ExitSignal { signal_name, .. } => gathered.signal(format!("{signal_name:?}")),
            ChannelMsg::Failure => return Err(Trouble::ExecRefused),
            ChannelMsg::Close => break,
            // Flow control, the end of the output, and what no server sends here.
            _ => {}
        }
    }
    Ok(gathered)
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        // A word of farewell, so that the server's log does not speak of an error; nobody waits for an answer.
        let farewell = self.handle.disconnect(Disconnect::ByApplication, "", "");
        let _ = self.waiting.wait(Stage::Running, async {
            let _ = farewell.await;
            tokio::task::yield_now().await;
        });
    }
}

fn methods(offered: &MethodSet) -> Vec<Method> {
    let ours = |method: &MethodKind| match method {
        MethodKind::PublicKey => Some(Method::PublicKey),
        MethodKind::Password => Some(Method::Password),
        MethodKind::KeyboardInteractive => Some(Method::KeyboardInteractive),
        MethodKind::None | MethodKind::HostBased | MethodKind::GssapiWithMic => None,
    };
    offered.iter().filter_map(ours).collect()
}

fn plain_key(identity: &AgentIdentity) -> Option<PublicKey> {
    match identity {
        AgentIdentity::PublicKey { key, .. } => PublicKey::from_wire(&key.public_key_bytes()),
        AgentIdentity::Certificate { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_answers_one_hidden_question_once() {
        let ask = |echo| Prompt { prompt: "?".into(), echo };
        let password = Secret::new("pw");
        let mut unused = Some(&password);
        assert_eq!(answers(&[], &mut unused), Some(Vec::new()));
        assert_eq!(answers(&[ask(true)], &mut unused), None, "what is shown as it is typed is no password");
        assert_eq!(answers(&[ask(false), ask(false)], &mut unused), None);
        assert_eq!(answers(&[ask(false)], &mut unused), Some(vec!["pw".to_owned()]));
        assert_eq!(answers(&[ask(false)], &mut unused), None, "the second one asks for something else, or again");
    }
}
