//! A connection made by thrussh, which needs libsodium.
//!
//! What it cannot do it says: no RSA or ECDSA keys on either side, no keyboard-interactive, no word on which ways to log
//! in the server takes. It does not tell a refused command from a silent one: that ends at the deadline.

use std::path::Path;
use std::sync::{Arc, Mutex};

use scorpiox_wire::Secret;
use thrussh::client::{self, Handle};
use thrussh::{ChannelMsg, Disconnect};
use thrussh_keys::agent::client::AgentClient;
use thrussh_keys::key;
use thrussh_keys::{PublicKeyBase64 as _, decode_secret_key};
use tokio::net::{TcpStream, UnixStream};

use super::public_key::PublicKey;
use super::transport::{Attempt, Gathered, Judge, MOST_OUTPUT, Method, Ran, Reply, Session};
use super::trouble::{Stage, Trouble};
use super::waiting::Waiting;
use crate::clock::Deadline;
use crate::settings::ssh::SshSettings;

const ONLY_ED25519: &str = "this program was built with thrussh, which knows ed25519 keys only";

/// Connects; the judge has said yes when this returns.
pub fn open<'a>(
    settings: &SshSettings,
    judge: Judge,
    deadline: Deadline<'a>,
) -> Result<Box<dyn Session + 'a>, Trouble> {
    let waiting = Waiting::until(deadline)?;
    let config = Arc::new(client::Config {
        // The server may not send more than this ahead of what we have taken.
        window_size: u32::try_from(2 * MOST_OUTPUT).expect("a small number"),
        ..client::Config::default()
    });
    let decision = Arc::new(Mutex::new(None));
    let host = Host { judge, decision: Arc::clone(&decision) };
    let connected = waiting.wait(Stage::Connecting, async {
        let stream = TcpStream::connect((settings.host.as_str(), settings.port)).await;
        let stream = stream.and_then(|stream| stream.set_nodelay(true).map(|()| stream));
        let stream = stream.map_err(|error| Trouble::Unreachable(error.to_string()))?;
        let mut handle = client::connect_stream(config, stream, host).await.map_err(|error| trouble(&error))?;
        // It returns a handle even when the key exchange has failed.
        let decided = decision.lock().map_or(None, |mut decision| decision.take());
        match decided {
            Some(Ok(())) => Ok(handle),
            Some(Err(trouble)) => Err(trouble),
            None => Err((&mut handle).await.map_or_else(|error| trouble(&error), |()| ended("it hung up"))),
        }
    });
    Ok(Box::new(Connection { handle: connected??, agent: None, waiting }))
}

struct Connection<'a> {
    handle: Handle<Host>,
    agent: Option<AgentClient<UnixStream>>,
    waiting: Waiting<'a>,
}

/// The judge, where thrussh asks it, and what it said.
struct Host {
    judge: Judge,
    decision: Arc<Mutex<Option<Result<(), Trouble>>>>,
}

impl client::Handler for Host {
    type Error = thrussh::Error;

    async fn check_server_key(self, shown: &key::PublicKey) -> Result<(Self, bool), thrussh::Error> {
        let verdict = self.judge.check(PublicKey::from_wire(&shown.public_key_bytes()));
        let is_good = verdict.is_ok();
        if let Ok(mut decision) = self.decision.lock() {
            *decision = Some(verdict);
        }
        Ok((self, is_good))
    }
}

fn ended(why: &str) -> Trouble {
    Trouble::Cut(Stage::Connecting, why.to_owned())
}

fn trouble(error: &thrussh::Error) -> Trouble {
    match error {
        thrussh::Error::NoCommonKeyAlgo | thrussh::Error::UnknownKey => Trouble::NoCommonGround(ONLY_ED25519.into()),
        thrussh::Error::NoCommonKexAlgo | thrussh::Error::NoCommonCipher | thrussh::Error::NoCommonMac => {
            Trouble::NoCommonGround(error.to_string())
        }
        other => ended(&other.to_string()),
    }
}

fn logging_in(error: impl std::fmt::Display) -> Trouble {
    Trouble::Cut(Stage::LoggingIn, error.to_string())
}

impl Session for Connection<'_> {
    fn methods(&mut self, _user: &str) -> Result<Reply, Trouble> {
        Ok(Reply::Refused(Some(vec![Method::PublicKey, Method::Password])))
    }

    fn agent_keys(&mut self, socket: &Path) -> Result<Vec<PublicKey>, Trouble> {
        let asked = self.waiting.wait_for_agent(async {
            let mut agent = AgentClient::connect_uds(socket).await?;
            let keys = agent.request_identities().await?;
            Ok::<_, thrussh_keys::Error>((agent, keys))
        });
        let (agent, keys) = asked.ok_or_else(|| logging_in("the agent takes too long"))?.map_err(logging_in)?;
        self.agent = Some(agent);
        Ok(keys.iter().filter_map(|key| PublicKey::from_wire(&key.public_key_bytes())).collect())
    }

    fn log_in(&mut self, user: &str, attempt: &Attempt<'_>) -> Result<Reply, Trouble> {
        let accepted = match attempt {
            Attempt::AgentKey(key) => return self.with_agent(user, key),
            Attempt::KeyFile(file, passphrase) => {
                let Ok(key) = decode_secret_key(file.text.expose(), passphrase.map(Secret::expose)) else {
                    return Ok(Reply::NotMade(format!("it cannot be opened ({ONLY_ED25519})")));
                };
                self.waiting.wait(Stage::LoggingIn, self.handle.authenticate_publickey(user, Arc::new(key)))?
            }
            Attempt::Password(password) => {
                self.waiting.wait(Stage::LoggingIn, self.handle.authenticate_password(user, password.expose()))?
            }
            Attempt::KeyboardInteractive(_) => {
                return Ok(Reply::NotMade(
                    "this program was built with thrussh, which has no keyboard-interactive".into(),
                ));
            }
        };
        self.reply(accepted.map_err(logging_in)?)
    }

    fn run(&mut self, command: &str) -> Result<Ran, Trouble> {
        let gathered = self.waiting.wait(Stage::Running, gather(&mut self.handle, command))??;
        gathered.finish()
    }
}

impl Connection<'_> {
    /// thrussh takes a connection that ended for a refusal.
    fn reply(&self, accepted: bool) -> Result<Reply, Trouble> {
        match accepted {
            true => Ok(Reply::Welcome),
            false if self.handle.is_closed() => Err(logging_in("the server hung up")),
            false => Ok(Reply::Refused(None)),
        }
    }

    fn with_agent(&mut self, user: &str, key: &PublicKey) -> Result<Reply, Trouble> {
        let Some(agent) = self.agent.take() else { return Ok(Reply::NotMade("there is no agent".into())) };
        let Ok(key) = key::parse_public_key(key.as_wire()) else {
            return Ok(Reply::NotMade(ONLY_ED25519.into()));
        };
        let (agent, asked) = self.waiting.wait(Stage::LoggingIn, self.handle.authenticate_future(user, key, agent))?;
        self.agent = Some(agent);
        match asked {
            Ok(accepted) => self.reply(accepted),
            Err(error) => Ok(Reply::NotMade(format!("the agent does not sign: {error}"))),
        }
    }
}

async fn gather(handle: &mut Handle<Host>, command: &str) -> Result<Gathered, Trouble> {
    let ended = |error: thrussh::Error| Trouble::Cut(Stage::Running, error.to_string());
    let mut channel = handle.channel_open_session().await.map_err(ended)?;
    channel.exec(true, command).await.map_err(ended)?;
    let mut gathered = Gathered::default();
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { data } => gathered.stdout(&data)?,
            ChannelMsg::ExtendedData { data, .. } => gathered.stderr(&data),
            ChannelMsg::ExitStatus { exit_status } => gathered.exit(exit_status),
            ChannelMsg::ExitSignal { signal_name, .. } => gathered.signal(format!("{signal_name:?}")),
            ChannelMsg::Close => break,
            ChannelMsg::Eof | ChannelMsg::XonXoff { .. } | ChannelMsg::WindowAdjusted { .. } | ChannelMsg::Success => {}
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
