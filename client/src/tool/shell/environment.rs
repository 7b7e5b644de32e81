//! What of the person's environment a command of the model gets: all that is no secret and no setting of ours.

use std::ffi::{OsStr, OsString};

/// A variable is left out when its name holds one of these, in any case.
const SECRET: [&str; 7] = ["KEY", "SECRET", "TOKEN", "PASS", "CREDENTIAL", "COOKIE", "AUTH"];
/// Or begins with one of these.
const OURS: [&str; 4] = ["CODEX_", "SCORPIOX_", "OPENAI_", "CHATGPT_"];
/// Nobody reads page by page, and nobody can answer a question.
const SET: [(&str, &str); 5] =
    [("TERM", "dumb"), ("NO_COLOR", "1"), ("PAGER", "cat"), ("GIT_PAGER", "cat"), ("GIT_TERMINAL_PROMPT", "0")];

/// The variables that it gets.
pub fn kept(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<(OsString, OsString)> {
    let kept = variables.into_iter().filter(|(name, _)| is_kept(name));
    kept.chain(SET.map(|(name, value)| (name.into(), value.into()))).collect()
}

fn is_kept(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let name = name.to_ascii_uppercase();
    // It names a socket, and is what lets `git push` ask the person's agent.
    name == "SSH_AUTH_SOCK"
        || !(SECRET.iter().any(|part| name.contains(part)) || OURS.iter().any(|prefix| name.starts_with(prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_our_settings_are_left_out() {
        let left_out = [
            "TOKEN_HTTP_API_KEY",
            "GITHUB_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "aws_session_token",
            "MYSQL_PASSWORD",
            "PGPASSFILE",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "CODEX_REMOTE_URL",
            "SCORPIOX_ENV",
            "OPENAI_BASE_URL",
            "NPM_CONFIG__AUTH",
        ];
        let given = ["HOME", "PATH", "LANG", "CARGO_HOME", "SSH_AUTH_SOCK"];
        let variables = left_out.into_iter().chain(given).map(|name| (name.into(), "x".into()));
        let names: Vec<OsString> = kept(variables).into_iter().map(|(name, _)| name).collect();
        let expected: Vec<OsString> = given.into_iter().chain(SET.map(|(name, _)| name)).map(OsString::from).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn what_is_set_goes_before_what_was() {
        let variables = kept([("TERM".into(), "xterm".into()), ("PAGER".into(), "less".into())]);
        for (name, value) in SET {
            let last = variables.iter().rfind(|(found, _)| found == name);
            assert_eq!(last.unwrap().1, value);
        }
    }
}
