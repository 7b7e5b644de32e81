use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::clock::fixed::TestClock;

const NOW: i64 = 1_700_000_000;

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("auth.json")
    }

    fn with(self, text: &str, mode: u32) -> Self {
        fs::write(self.path(), text).unwrap();
        fs::set_permissions(self.path(), fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    fn fetch_as(&self, file: CredentialsFile) -> (Result<Token, Failure>, Talk) {
        let (clock, mut talk) = (TestClock::at(NOW * 1000), Talk::default());
        let fetched = Local { file: &file, clock: &clock }.fetch(&Ask::Current, &mut talk);
        (fetched.map(|fetched| fetched.token), talk)
    }

    fn fetch(&self) -> Result<Token, Failure> {
        self.fetch_as(CredentialsFile::Chosen(self.path())).0
    }
}

fn jwt(expires_at: i64) -> String {
    let payload = format!(r#"{{"exp":{expires_at},"https://api.openai.com/auth":{{"chatgpt_account_id":"claimed"}}}}"#);
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))
}

fn auth(access_token: &str, account: &str) -> String {
    format!(
        r#"{{"auth_mode":"chatgpt","OPENAI_API_KEY":null,"tokens":{{"id_token":"x","access_token":"{access_token}",
        "refresh_token":"rt_never","account_id":{account}}},"last_refresh":"2026-09-30T08:15:30Z"}}"#
    )
}

#[test]
fn the_stock_clients_file_gives_its_token() {
    let token = Home::new().with(&auth(&jwt(NOW + 900), r#""a1""#), 0o600).fetch().unwrap();
    assert_eq!((token.access_token.expose(), token.expires_at), (jwt(NOW + 900).as_str(), Some(NOW + 900)));
    assert_eq!((token.account_id.as_deref(), token.source), (Some("a1"), SourceName::Local));
    let token = Home::new().with(&auth(&jwt(NOW + 900), "null"), 0o600).fetch().unwrap();
    assert_eq!(token.account_id.as_deref(), Some("claimed"));
    let token = Home::new().with(&auth("opaque", "null"), 0o600).fetch().unwrap();
    assert_eq!((token.expires_at, token.account_id), (None, None));
}

#[test]
fn each_fault_has_its_exit_code_and_its_next_step() {
    let good = auth(&jwt(NOW + 900), "null");
    let cases = [
        (auth(&jwt(NOW), "null"), 0o600, 69, "log in again"),
        (String::new(), 0o600, 78, "is empty"),
        (good[..good.len() / 2].to_owned(), 0o600, 78, "is not what the Codex CLI writes"),
        (auth(r"a\nb", "null"), 0o600, 78, "characters that no token has"),
        (auth("", "null"), 0o600, 78, "no ChatGPT login"),
        (r#"{"OPENAI_API_KEY":"sk-x"}"#.to_owned(), 0o600, 78, "no ChatGPT login"),
        (good.clone(), 0o644, 78, "chmod 600"),
        (good.clone(), 0o640, 78, "chmod 600"),
        (" ".repeat(300 * 1024), 0o600, 78, "longer than"),
    ];
    for (text, mode, code, says) in cases {
        let failure = Home::new().with(&text, mode).fetch().unwrap_err();
        assert_eq!(failure.class.exit_code(), code, "{failure}");
        assert!(failure.to_string().contains(says), "{failure}");
        assert!(!failure.to_string().contains("sk-x"));
    }
    let failure = Home::new().fetch().unwrap_err();
    assert!(failure.to_string().contains("CODEX_TOKEN_SOURCE=remote"), "{failure}");
}

#[test]
fn the_stock_file_is_read_with_any_mode_and_a_warning() {
    let home = Home::new().with(&auth(&jwt(NOW + 900), "null"), 0o644);
    let (token, talk) = home.fetch_as(CredentialsFile::Stock(home.path()));
    assert!(token.is_ok());
    assert!(talk.lines(false).next().unwrap().contains("chmod 600"));
}

/// A clock whose pause lets "the stock CLI" finish its write.
struct WriterGoesOn(PathBuf, String);

impl Clock for WriterGoesOn {
    fn unix_ms(&self) -> i64 {
        NOW * 1000
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn pause(&self, _: Duration) {
        fs::write(&self.0, &self.1).unwrap();
    }
}

#[test]
fn a_file_that_is_being_rewritten_is_read_again_until_it_is_whole() {
    let good = auth(&jwt(NOW + 900), "null");
    for first in ["", &good[..40]] {
        let home = Home::new().with(first, 0o600);
        let file = CredentialsFile::Chosen(home.path());
        let clock = WriterGoesOn(home.path(), good.clone());
        assert!(Local { file: &file, clock: &clock }.fetch(&Ask::Current, &mut Talk::default()).is_ok());
    }
}

#[test]
fn the_file_is_never_changed() {
    let text = auth(&jwt(NOW), "null");
    let home = Home::new().with(&text, 0o600);
    let _ = home.fetch();
    assert_eq!(fs::read_to_string(home.path()).unwrap(), text);
}
