//! How a token is printed, pure.

use clap::ValueEnum;
use jiff::Timestamp;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::token::{AccessToken, Token};

/// The version of the `credential_process` convention.
const VERSION: u8 = 1;

/// How a token is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// One JSON line that says all.
    Json,
    /// The bare token.
    Raw,
    /// Assignments for a shell.
    Env,
    /// What programs read that know AWS's `credential_process`.
    CredentialProcess,
}

/// ```json
/// {"Version":1,"AccessToken":"eyJ…","AccountId":"6f0c1a2b","Expiration":"2026-11-22T16:42:00Z"}
/// ```
///
/// Without `Expiration` a reader of that convention keeps it for good, so it is left out only when nobody knows.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CredentialProcess<'a> {
    version: u8,
    access_token: &'a AccessToken,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<String>,
}

impl Form {
    /// The token in this form, with the line's end.
    pub(super) fn of(self, token: &Token) -> Zeroizing<String> {
        let mut text = Zeroizing::new(match self {
            Self::Json => serde_json::to_string(token).expect("a token is plain JSON"),
            Self::Raw => token.access_token.expose().to_owned(),
            Self::Env => return assignments(token),
            Self::CredentialProcess => credential_process(token),
        });
        text.push('\n');
        text
    }
}

fn credential_process(token: &Token) -> String {
    let said = CredentialProcess {
        version: VERSION,
        access_token: &token.access_token,
        account_id: token.account_id.as_deref(),
        expiration: token.expires_at.and_then(|at| Timestamp::from_second(at).ok()).map(|at| at.to_string()),
    };
    serde_json::to_string(&said).expect("a token is plain JSON")
}

/// What is unknown is empty, so that nothing of an earlier token stays in the shell.
fn assignments(token: &Token) -> Zeroizing<String> {
    let expires_at = token.expires_at.map(|at| at.to_string());
    let values = [
        ("CODEX_ACCESS_TOKEN", Some(token.access_token.expose())),
        ("CODEX_ACCOUNT_ID", token.account_id.as_deref()),
        ("CODEX_TOKEN_EXPIRES_AT", expires_at.as_deref()),
    ];
    let mut text = Zeroizing::new(String::new());
    for (name, value) in values {
        text.extend([name, "=", &quoted(value.unwrap_or_default()), "\n"]);
    }
    text
}

/// As a shell reads it. What needs no quotes has none: files of that form are read by programs that know no quotes.
fn quoted(value: &str) -> Zeroizing<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.,:/@%+".contains(&byte);
    Zeroizing::new(match value.bytes().all(is_plain) {
        true => value.to_owned(),
        false => format!("'{}'", value.replace('\'', r"'\''")),
    })
}

#[cfg(test)]
mod tests {
    use scorpiox_wire::Secret;

    use super::*;
    use crate::token::SourceName;

    fn token(access_token: &str, account_id: Option<&str>, expires_at: Option<i64>) -> Token {
        Token {
            access_token: AccessToken::parse(&Secret::new(access_token)).unwrap(),
            expires_at,
            account_id: account_id.map(str::to_owned),
            source: SourceName::Remote,
        }
    }

    #[test]
    fn each_form_is_these_lines() {
        let whole = token("eyJ.x.y", Some("6f0c1a2b"), Some(1_700_000_900));
        let cases = [
            (Form::Raw, "eyJ.x.y\n"),
            (
                Form::Json,
                "{\"access_token\":\"eyJ.x.y\",\"expires_at\":1700000900,\"account_id\":\"6f0c1a2b\",\
                 \"source\":\"remote\"}\n",
            ),
            (Form::Env, "CODEX_ACCESS_TOKEN=eyJ.x.y\nCODEX_ACCOUNT_ID=6f0c1a2b\nCODEX_TOKEN_EXPIRES_AT=1700000900\n"),
            (
                Form::CredentialProcess,
                "{\"Version\":1,\"AccessToken\":\"eyJ.x.y\",\"AccountId\":\"6f0c1a2b\",\
                 \"Expiration\":\"2023-11-14T22:28:20Z\"}\n",
            ),
        ];
        for (form, expected) in cases {
            assert_eq!(form.of(&whole).as_str(), expected, "{form:?}");
        }
    }

    #[test]
    fn what_nobody_knows_is_empty_or_left_out() {
        let bare = token("t", None, None);
        let lines = "CODEX_ACCESS_TOKEN=t\nCODEX_ACCOUNT_ID=\nCODEX_TOKEN_EXPIRES_AT=\n";
        assert_eq!(Form::Env.of(&bare).as_str(), lines);
        assert_eq!(Form::CredentialProcess.of(&bare).as_str(), "{\"Version\":1,\"AccessToken\":\"t\"}\n");
        let endless = token("t", None, Some(i64::MAX));
        assert_eq!(Form::CredentialProcess.of(&endless).as_str(), "{\"Version\":1,\"AccessToken\":\"t\"}\n");
    }

    #[test]
    fn no_token_means_anything_to_a_shell() {
        let hostile = token("a'$(id)`id`\"\\;b&", Some("~"), None);
        let lines = "CODEX_ACCESS_TOKEN='a'\\''$(id)`id`\"\\;b&'\nCODEX_ACCOUNT_ID='~'\nCODEX_TOKEN_EXPIRES_AT=\n";
        assert_eq!(Form::Env.of(&hostile).as_str(), lines);
    }
}
