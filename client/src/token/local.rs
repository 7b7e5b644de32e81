//! The local source: a file in the shape of the stock Codex CLI's `auth.json`. Read, never written.
//!
//! The stock CLI truncates its file and writes it in place, without a lock. So a file that does not parse, or
//! changes while it is read, is read again for half a second before it counts as broken.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use scorpiox_wire::Secret;
use serde::Deserialize;

use super::claims::UnverifiedClaims;
use super::{AccessToken, Ask, Fetched, SourceName, Token, TokenSource, account_id};
use crate::bounded_file::{self, Content, Symlinks, Unread};
use crate::clock::Clock;
use crate::failure::Failure;
use crate::settings::local::CredentialsFile;
use crate::talk::Talk;

/// The longest file that is read, in bytes. A real one has about five thousand.
const LONGEST_FILE: u64 = 256 * 1024;
/// How often a file that is being rewritten is read.
const ATTEMPTS: u32 = 20;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(25);
const GROUP_AND_OTHERS: u32 = 0o077;

/// A file of this machine.
pub struct Local<'a> {
    /// Which.
    pub file: &'a CredentialsFile,
    /// The time.
    pub clock: &'a dyn Clock,
}

/// The part of `auth.json` that leads to an access token. The refresh token is not even read.
#[derive(Deserialize)]
struct AuthFile {
    tokens: Option<Tokens>,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: Option<Secret>,
    account_id: Option<String>,
}

impl TokenSource for Local<'_> {
    fn fetch(&self, ask: &Ask, talk: &mut Talk) -> Result<Fetched, Failure> {
        if *ask != Ask::Current {
            let failure = Failure::person_must_act("the local source only reads: it cannot get another token");
            return Err(failure.with_hint(self.next_step()));
        }
        let auth = self.read_until_whole(talk)?;
        let token = self.token(auth)?;
        Ok(Fetched { token, tag: None })
    }
}

impl Local<'_> {
    fn path(&self) -> &Path {
        self.file.path()
    }

    fn next_step(&self) -> &'static str {
        match self.file {
            CredentialsFile::Ours(_) => "scorpiox-codex-login",
            CredentialsFile::Chosen(_) => "log in again where this file is written",
            CredentialsFile::Stock(_) => "run codex once",
        }
    }

    fn broken(&self, why: impl std::fmt::Display) -> Failure {
        Failure::configuration(format!("{} {why}", self.path().display()))
    }

    fn read_until_whole(&self, talk: &mut Talk) -> Result<AuthFile, Failure> {
        for attempt in 1.. {
            let unfinished = match bounded_file::read(self.path(), LONGEST_FILE, Symlinks::Refuse) {
                Ok(content) => match serde_json::from_slice(&content.bytes) {
                    Ok(auth) => return self.check_mode(&content, talk).map(|()| auth),
                    Err(_) if content.bytes.is_empty() => self.broken("is empty").with_hint(self.next_step()),
                    Err(_) => self.broken("is not what the Codex CLI writes").with_hint(self.next_step()),
                },
                Err(Unread::Changed) => Failure::temporary(format!("{} keeps changing", self.path().display())),
                Err(error) => return Err(self.unread(&error)),
            };
            if attempt == ATTEMPTS {
                return Err(unfinished);
            }
            self.clock.pause(BETWEEN_ATTEMPTS);
        }
        unreachable!("the loop ends at the last attempt")
    }

    fn unread(&self, error: &Unread) -> Failure {
        let failure = self.broken(error);
        match error {
            Unread::Missing => failure.absent().with_hint("log in with codex, or set CODEX_TOKEN_SOURCE=remote"),
            Unread::Symlink => failure.with_hint("name the file itself in CODEX_CREDENTIALS_FILE"),
            Unread::NotAFile(_) | Unread::TooLong(_) | Unread::Changed | Unread::Io(_) => failure,
        }
    }

    /// Our own file is private or not used; the stock CLI's mode is not ours to insist on.
    fn check_mode(&self, content: &Content, talk: &mut Talk) -> Result<(), Failure> {
        if content.metadata.mode() & GROUP_AND_OTHERS == 0 {
            return Ok(());
        }
        let hint = format!("chmod 600 {}", self.path().display());
        let failure = self.broken("can be read by other users").with_hint(hint);
        match self.file {
            CredentialsFile::Ours(_) | CredentialsFile::Chosen(_) => return Err(failure),
            CredentialsFile::Stock(_) => talk.warn(failure.to_string()),
        }
        Ok(())
    }

    fn token(&self, auth: AuthFile) -> Result<Token, Failure> {
        let no_login = || self.broken("holds no ChatGPT login").with_hint("log in with codex");
        let tokens = auth.tokens.ok_or_else(no_login)?;
        let access_token = tokens.access_token.filter(|token| !token.is_empty()).ok_or_else(no_login)?;
        let malformed = || self.broken("holds an access token with characters that no token has");
        let access_token = AccessToken::parse(&access_token).ok_or_else(malformed)?;
        let claims = UnverifiedClaims::of(access_token.expose());
        if claims.expires_at.is_some_and(|end| end <= self.clock.unix_ms() / 1000) {
            let failure = Failure::person_must_act(format!("the token in {} has expired", self.path().display()));
            return Err(failure.with_hint(self.next_step()));
        }
        let account = tokens.account_id.or(claims.account_id);
        Ok(Token {
            access_token,
            expires_at: claims.expires_at,
            account_id: account.as_deref().and_then(account_id),
            source: SourceName::Local,
        })
    }
}

#[cfg(test)]
#[path = "local/tests.rs"]
mod tests;
