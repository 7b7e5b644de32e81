//! The environment of what runs for the model: what programs need to work, and nothing that lets them in anywhere. Pure.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Handed on as they are.
const HANDED_ON: [&str; 21] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TERM",
    "COLORTERM",
    "NO_COLOR",
    "EDITOR",
    "PAGER",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "GOPATH",
    "GOROOT",
    "JAVA_HOME",
    "VIRTUAL_ENV",
    "NVM_DIR",
];
/// Handed on with whatever comes after.
const PREFIXES: [&str; 1] = ["LC_"];

/// What is handed on of this environment, and what is added for a command with this temporary directory.
pub fn scrubbed(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    temporary: &Path,
) -> Vec<(OsString, OsString)> {
    let mut kept: Vec<_> = environment.into_iter().filter(|(name, _)| is_handed_on(name)).collect();
    kept.push(("TMPDIR".into(), temporary.into()));
    kept.push(("SCORPIOX_SANDBOX".into(), "1".into()));
    // Whoever asks for a password would wait for ever.
    kept.push(("GIT_TERMINAL_PROMPT".into(), "0".into()));
    kept
}

fn is_handed_on(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    HANDED_ON.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_with_a_key_is_handed_on() {
        let refused = [
            "TOKEN_HTTP_API_KEY",
            "CODEX_SSH_PASS",
            "CODEX_REMOTE_URL",
            "OPENAI_API_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "GITHUB_TOKEN",
            "SSH_AUTH_SOCK",
            "SSH_AGENT_PID",
            "GPG_AGENT_INFO",
            "DBUS_SESSION_BUS_ADDRESS",
            "XDG_RUNTIME_DIR",
            "LD_PRELOAD",
            "BASH_ENV",
            "HTTPS_PROXY",
            "CARGO_REGISTRY_TOKEN",
            "TMPDIR",
        ];
        let environment = refused.map(|name| (name.into(), "canary".into()));
        let kept = scrubbed(environment, Path::new("/tmp/own"));
        assert!(kept.iter().all(|(_, value)| value != "canary"), "{kept:?}");
        assert!(kept.contains(&("TMPDIR".into(), "/tmp/own".into())));
    }

    #[test]
    fn what_programs_need_is_handed_on() {
        let wanted = ["PATH", "HOME", "LANG", "LC_ALL", "TERM"];
        let kept = scrubbed(wanted.map(|name| (name.into(), "x".into())), Path::new("/tmp"));
        assert_eq!(kept.iter().filter(|(_, value)| value == "x").count(), wanted.len());
    }
}
