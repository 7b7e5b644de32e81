//! Who we say we are to the backend.
//!
//! It decides by the client version which models it lists and serves, so ours says which Codex version we keep up
//! with. The originator is our own name: a truthful one is accepted.

use std::ffi::OsString;

use crate::failure::Failure;

/// The variable that names another Codex version, should the backend ask for a newer one.
pub const VERSION_VARIABLE: &str = "CODEX_CLIENT_VERSION";
/// The variable by which the stock CLI's originator is changed too.
pub const ORIGINATOR_VARIABLE: &str = "CODEX_INTERNAL_ORIGINATOR_OVERRIDE";
/// The newest Codex version whose conversation we know.
const USUAL_VERSION: &str = "0.169.0";
const USUAL_ORIGINATOR: &str = "scorpiox";
const LONGEST: usize = 64;

/// What goes into the headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `originator`.
    pub originator: String,
    /// `version`, and the models' `client_version`.
    pub client_version: String,
    /// `User-Agent`.
    pub user_agent: String,
}

impl Identity {
    /// From the environment.
    pub fn read(environment: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, Failure> {
        let in_version = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
        let in_name = |c: char| c.is_ascii_graphic() || c == ' ';
        let client_version = variable(environment, VERSION_VARIABLE, in_version)?.unwrap_or(USUAL_VERSION.into());
        let originator = variable(environment, ORIGINATOR_VARIABLE, in_name)?.unwrap_or(USUAL_ORIGINATOR.into());
        let machine = format!("{}; {}", std::env::consts::OS, std::env::consts::ARCH);
        let own = concat!("scorpiox-client/", env!("CARGO_PKG_VERSION"));
        let user_agent = format!("{originator}/{client_version} ({machine}) {own}");
        Ok(Self { originator, client_version, user_agent })
    }
}

fn variable(
    environment: &dyn Fn(&str) -> Option<OsString>,
    name: &str,
    may_hold: impl Fn(char) -> bool,
) -> Result<Option<String>, Failure> {
    let Some(text) = environment(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    let usable = text.into_string().ok().filter(|text| text.len() <= LONGEST && text.chars().all(may_hold));
    let wrong = || Failure::configuration(format!("{name} (environment): cannot be put into a header"));
    usable.map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Identity, Failure> {
        Identity::read(&|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn the_version_can_be_raised_without_a_release() {
        let usual = read(&[]).unwrap();
        assert_eq!((usual.originator.as_str(), usual.client_version.as_str()), ("scorpiox", USUAL_VERSION));
        let raised = read(&[(VERSION_VARIABLE, "0.200.1"), (ORIGINATOR_VARIABLE, "codex_exec")]).unwrap();
        assert!(raised.user_agent.starts_with("codex_exec/0.200.1 ("), "{}", raised.user_agent);
        assert!(usual.user_agent.contains(") scorpiox-client/"), "{}", usual.user_agent);
    }

    #[test]
    fn what_no_header_can_hold_is_refused() {
        for value in ["1 2", "1\n2", "1&x=y", "é"] {
            assert_eq!(read(&[(VERSION_VARIABLE, value)]).unwrap_err().class.exit_code(), 78, "{value:?}");
        }
        assert!(read(&[(ORIGINATOR_VARIABLE, "a\r\nb: c")]).is_err());
    }
}
