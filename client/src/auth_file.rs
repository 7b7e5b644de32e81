//! A login in the shape of the stock CLI's `auth.json`, which we write too. Pure.
//!
//! ```json
//! {
//!   "auth_mode": "chatgpt",
//!   "OPENAI_API_KEY": null,
//!   "tokens": {
//!     "id_token": "eyJ…", "access_token": "eyJ…", "refresh_token": "rt_…", "account_id": "6f0c1a2b-…"
//!   },
//!   "last_refresh": "2026-09-30T08:15:30.123456Z"
//! }
//! ```
//!
//! A renewal replaces what the login server answered and `last_refresh`; everything else stays as it was written.

use scorpiox_wire::Secret;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

use crate::json_object::Object;
use crate::oauth::answer::Grant;
use crate::oauth::exchange::NewLogin;
use crate::token::claims::UnverifiedClaims;

const TOKENS: &str = "tokens";
/// A member that the stock CLI does not know and does not mind.
const EARLIEST_REFRESH_AT: &str = "earliest_refresh_at";

/// What a file says of its login.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Login {
    /// The bearer; `None` when there is no ChatGPT login in the file.
    pub access_token: Option<Secret>,
    /// Redeemed once, for the next.
    pub refresh_token: Option<Secret>,
    /// Who it is.
    pub id_token: Option<Secret>,
    /// The ChatGPT account (workspace).
    pub account_id: Option<String>,
    /// When the access token ends, Unix seconds; `None` when it does not say.
    pub expires_at: Option<i64>,
    /// When the tokens were obtained, Unix seconds.
    pub refreshed_at: Option<i64>,
    /// Before when the refresh token must not be redeemed, Unix seconds.
    pub earliest_refresh_at: Option<i64>,
}

/// Reads a file; `None` when it is no JSON object, for example because somebody is just writing it.
pub fn read(bytes: &[u8]) -> Option<Login> {
    let file = Object::parse(bytes)?;
    let tokens = file.object(TOKENS).unwrap_or_default();
    let access_token = tokens.text("access_token");
    let claims = access_token.as_ref().map(|token| UnverifiedClaims::of(token.expose())).unwrap_or_default();
    let account_id = tokens.text("account_id").map(|account| account.expose().to_owned());
    let last_refresh = file.text("last_refresh");
    Some(Login {
        access_token,
        refresh_token: tokens.text("refresh_token"),
        id_token: tokens.text("id_token"),
        account_id: account_id.or(claims.account_id),
        expires_at: claims.expires_at,
        refreshed_at: last_refresh.and_then(|text| parse_time(text.expose())),
        earliest_refresh_at: file.number(EARLIEST_REFRESH_AT),
    })
}

/// The file with the tokens of an answer; `None` when it is no JSON object.
pub fn renewed(bytes: &[u8], grant: &Grant, now_ms: i64) -> Option<Zeroizing<Vec<u8>>> {
    let mut file = Object::parse(bytes)?;
    let text = Zeroizing::new(file.raw(TOKENS).unwrap_or("{}").to_owned());
    let mut tokens = Object::parse(text.as_bytes())?;
    let granted =
        [("id_token", &grant.id_token), ("access_token", &grant.access_token), ("refresh_token", &grant.refresh_token)];
    for (name, token) in granted {
        token.iter().for_each(|token| tokens.set_text(name, token.expose()));
    }
    file.set(TOKENS, tokens.render(4));
    file.set_text("last_refresh", &format_time(now_ms));
    set_earliest(&mut file, grant.earliest_refresh_at);
    Some(bytes_of(&file))
}

/// A new file.
pub fn written(login: &NewLogin, now_ms: i64) -> Zeroizing<Vec<u8>> {
    let mut tokens = Object::default();
    tokens.set_text("id_token", login.id_token.expose());
    tokens.set_text("access_token", login.access_token.expose());
    tokens.set_text("refresh_token", login.refresh_token.expose());
    tokens.set_text("account_id", &login.account_id);
    let mut file = Object::default();
    file.set_text("auth_mode", "chatgpt");
    file.set("OPENAI_API_KEY", Zeroizing::new("null".into()));
    file.set(TOKENS, tokens.render(4));
    file.set_text("last_refresh", &format_time(now_ms));
    set_earliest(&mut file, login.earliest_refresh_at);
    bytes_of(&file)
}

fn set_earliest(file: &mut Object<'_>, earliest: Option<i64>) {
    match earliest {
        Some(seconds) => file.set(EARLIEST_REFRESH_AT, Zeroizing::new(seconds.to_string())),
        None => file.remove(EARLIEST_REFRESH_AT),
    }
}

fn bytes_of(file: &Object<'_>) -> Zeroizing<Vec<u8>> {
    let text = file.render(2);
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() + 1));
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(b'\n');
    bytes
}

/// RFC 3339 in UTC.
pub fn format_time(unix_ms: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_ms) * 1_000_000);
    time.ok().and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
}

fn parse_time(text: &str) -> Option<i64> {
    OffsetDateTime::parse(text, &Rfc3339).ok().map(OffsetDateTime::unix_timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{
  "auth_mode": "chatgpt",
  "tokens": {"access_token":"a1", "extra": [1, 2], "refresh_token":"r1","account_id":"acc","id_token":"i1"},
  "of_another_program": {"x":  1.50},
  "last_refresh": "2023-11-14T22:13:20.5Z",
  "earliest_refresh_at": 1700000100
}"#;

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_file_is_read() {
        let login = read(FILE.as_bytes()).unwrap();
        assert_eq!(login.refresh_token.unwrap().expose(), "r1");
        assert_eq!((login.account_id.as_deref(), login.refreshed_at), (Some("acc"), Some(1_700_000_000)));
        assert_eq!((login.earliest_refresh_at, login.expires_at), (Some(1_700_000_100), None));
        assert_eq!(read(br#"{"tokens":null,"last_refresh":7}"#), Some(Login::default()));
        assert_eq!((read(b""), read(&FILE.as_bytes()[..50])), (None, None));
    }

    #[test]
    fn a_renewal_replaces_what_was_answered_and_keeps_the_rest() {
        let grant =
            Grant { access_token: Some(Secret::new("a2")), refresh_token: Some(Secret::new("r2")), ..Grant::default() };
        let expected = r#"{
  "auth_mode": "chatgpt",
  "tokens": {
    "access_token": "a2",
    "extra": [1, 2],
    "refresh_token": "r2",
    "account_id": "acc",
    "id_token": "i1"
  },
  "of_another_program": {"x":  1.50},
  "last_refresh": "2023-11-14T22:15:00.25Z"
}
"#;
        assert_eq!(text(&renewed(FILE.as_bytes(), &grant, 1_700_000_100_250).unwrap()), expected);
    }

    #[test]
    fn a_new_file_is_what_the_stock_client_writes() {
        let secret = |text: &str| Secret::new(text);
        let login = NewLogin {
            access_token: secret("a"),
            refresh_token: secret("r"),
            id_token: secret("i"),
            account_id: "acc".into(),
            earliest_refresh_at: None,
        };
        let expected = r#"{
  "auth_mode": "chatgpt",
  "OPENAI_API_KEY": null,
  "tokens": {
    "id_token": "i",
    "access_token": "a",
    "refresh_token": "r",
    "account_id": "acc"
  },
  "last_refresh": "2023-11-14T22:13:20Z"
}
"#;
        assert_eq!(text(&written(&login, 1_700_000_000_000)), expected);
    }
}
