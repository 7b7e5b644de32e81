//! A home directory with a login, and a login server that answers as it is told.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::super::journal::Journal;
use super::super::renewal::Here;
use super::super::*;
use crate::clock::fixed::TestClock;
use crate::http::Gate;
use crate::oauth::call::{NoAnswer, RawAnswer};
use crate::oauth::refresh::Redeem;
use crate::settings::local::CredentialsFile;

pub(super) const NOW: i64 = 1_700_000_000;

/// A login server that gives its answers in order and counts what it was shown.
#[derive(Default)]
pub(super) struct Server {
    pub(super) answers: RefCell<Vec<Answer>>,
    pub(super) shown: RefCell<Vec<String>>,
    /// The record as it was when the first byte left, at each presentation.
    pub(super) on_record: RefCell<Vec<Record>>,
    pub(super) journal: Option<Journal>,
}

pub(super) enum Answer {
    Says(u16, String),
    NotReached,
    Silence,
}

impl Redeem for Server {
    fn redeem(&self, refresh_token: &Secret, armed: Arc<dyn Gate>, _: Duration) -> Result<RawAnswer, NoAnswer> {
        let next = self.answers.borrow_mut().remove(0);
        if let Answer::NotReached = next {
            return Err(NoAnswer::NotSent(Failure::temporary("cannot reach it")));
        }
        armed.pass().map_err(|error| NoAnswer::NotSent(Failure::temporary(error.to_string())))?;
        self.on_record.borrow_mut().extend(self.journal.as_ref().map(|journal| journal.read().unwrap()));
        self.shown.borrow_mut().push(refresh_token.expose().to_owned());
        match next {
            Answer::Says(status, body) => {
                Ok(RawAnswer { status, retry_after: None, body: Zeroizing::new(body.into_bytes()) })
            }
            Answer::Silence => Err(NoAnswer::Unknown(Failure::temporary("no answer"))),
            Answer::NotReached => unreachable!("it returned above"),
        }
    }
}

pub(super) struct Home {
    pub(super) directory: tempfile::TempDir,
    pub(super) server: Server,
    pub(super) clock: TestClock,
}

impl Home {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let journal = Some(Journal::beside(&directory.path().join("auth.json")));
        Self { directory, server: Server { journal, ..Server::default() }, clock: TestClock::at(NOW * 1000) }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.path().join("auth.json")
    }

    pub(super) fn with(self, text: &str, mode: u32) -> Self {
        fs::write(self.path(), text).unwrap();
        fs::set_permissions(self.path(), fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    pub(super) fn answering(self, answers: impl IntoIterator<Item = Answer>) -> Self {
        self.server.answers.borrow_mut().extend(answers);
        self
    }

    pub(super) fn ask(&self, settings: &LocalSettings, ask: &Ask) -> (Result<Fetched, Failure>, Talk) {
        let mut talk = Talk::default();
        let renewer = Here { redeem: &self.server, clock: &self.clock };
        let source = Local { settings, renewer: &renewer, clock: &self.clock, within: Duration::from_secs(4) };
        (source.fetch(ask, &mut talk), talk)
    }

    pub(super) fn fetch_as(&self, file: CredentialsFile) -> (Result<Token, Failure>, Talk) {
        let settings = LocalSettings { file, renewed_by: RenewedBy::Others };
        let (fetched, talk) = self.ask(&settings, &Ask::Current);
        (fetched.map(|fetched| fetched.token), talk)
    }

    pub(super) fn fetch(&self) -> Result<Token, Failure> {
        self.fetch_as(CredentialsFile::Chosen(self.path())).0
    }

    pub(super) fn ours(&self) -> LocalSettings {
        LocalSettings { file: CredentialsFile::Ours(self.path()), renewed_by: RenewedBy::Us }
    }

    pub(super) fn renew(&self, ask: &Ask) -> Result<String, Failure> {
        self.ask(&self.ours(), ask).0.map(|fetched| fetched.token.access_token.expose().to_owned())
    }

    pub(super) fn shown(&self) -> Vec<String> {
        self.server.shown.borrow().clone()
    }

    pub(super) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

pub(super) fn jwt(expires_at: i64) -> String {
    jwt_of("claimed", expires_at)
}

pub(super) fn jwt_of(account: &str, expires_at: i64) -> String {
    let payload =
        format!(r#"{{"exp":{expires_at},"https://api.openai.com/auth":{{"chatgpt_account_id":"{account}"}}}}"#);
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))
}

pub(super) fn auth(access_token: &str, account: &str) -> String {
    format!(
        r#"{{"auth_mode":"chatgpt","OPENAI_API_KEY":null,"tokens":{{"id_token":"x","access_token":"{access_token}",
        "refresh_token":"rt_never","account_id":{account}}},"last_refresh":"2023-09-30T08:15:30Z"}}"#
    )
}

pub(super) fn granted(access_token: &str, refresh_token: &str) -> Answer {
    Answer::Says(200, format!(r#"{{"access_token":"{access_token}","refresh_token":"{refresh_token}"}}"#))
}

pub(super) fn code(status: u16, code: &str) -> Answer {
    Answer::Says(status, format!(r#"{{"error":{{"code":"{code}"}}}}"#))
}
