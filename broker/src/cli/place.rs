//! Where the broker is: its data directory and its socket.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::{Exit, Failure};
use super::remote::Remote;
use crate::config::SERVICE_DATA;

const SOCKET: &str = "admin.sock";

// Which broker is meant, and how the answer looks. (A documentation comment would become every such command's help.)
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Which broker, and how")]
pub(super) struct Reach {
    /// The broker's data directory [env: SCORPIOX_BROKER_DATA]
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) data: Option<PathBuf>,
    /// The broker's administration socket [env: SCORPIOX_BROKER_ADMIN_SOCKET] [default: admin.sock in the data directory]
    #[arg(long, value_name = "PATH", global = true, conflicts_with = "data")]
    pub(super) socket: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) remote: Remote,
}

/// The environment as it was at the start.
#[derive(Debug, Clone, Default)]
pub(super) struct Environment(pub(super) Vec<(String, String)>);

impl Environment {
    /// A variable that is set and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// The data directory of `up` for this user: `$XDG_DATA_HOME/scorpiox-broker`, `~/.local/share/scorpiox-broker`.
    pub(super) fn own_data(&self) -> Option<PathBuf> {
        let absolute = |path: &str| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
        // A relative XDG path is to be ignored, says its specification.
        let base = self.get("XDG_DATA_HOME").and_then(absolute);
        let base = base.or_else(|| self.get("HOME").and_then(absolute).map(|home| home.join(".local/share")));
        base.map(|base| base.join("scorpiox-broker"))
    }
}

/// The sockets at which the broker may be found, best first. Never empty unless there is no home directory.
fn candidates(reach: &Reach, environment: &Environment) -> Vec<PathBuf> {
    let in_data = |data: &Path| data.join(SOCKET);
    if let Some(socket) = &reach.socket {
        return vec![socket.clone()];
    }
    if let Some(data) = &reach.data {
        return vec![in_data(data)];
    }
    if let Some(socket) = environment.get("SCORPIOX_BROKER_ADMIN_SOCKET") {
        return vec![socket.into()];
    }
    if let Some(data) = environment.get("SCORPIOX_BROKER_DATA") {
        return vec![in_data(data.as_ref())];
    }
    let own = environment.own_data();
    own.iter().map(|data| in_data(data)).chain([in_data(SERVICE_DATA.as_ref())]).collect()
}

/// The socket of the broker that is meant: the first that is there.
///
/// One that is there and does not answer is not skipped: whoever has a broker of their own means that one.
pub(super) fn socket(reach: &Reach, environment: &Environment) -> Result<PathBuf, Failure> {
    let mut tried = candidates(reach, environment);
    // What may not be looked at is there, as far as anybody can tell; connecting says what is wrong.
    let there = |path: &PathBuf| match fs::symlink_metadata(path) {
        Ok(_) => true,
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
    };
    if let Some(found) = tried.iter().position(there) {
        return Ok(tried.swap_remove(found));
    }
    let tried = tried.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" or ");
    Err(Failure::new(Exit::NotRunning, format!("no broker is running: there is no socket {tried}"))
        .next("start one with 'scorpiox-broker up', or name a running one's directory with --data DIR"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    fn reach(data: Option<&str>, socket: Option<&str>) -> Reach {
        Reach { data: data.map(PathBuf::from), socket: socket.map(PathBuf::from), ..Reach::default() }
    }

    #[test]
    fn an_option_beats_a_variable_beats_the_default() {
        let variables = [("SCORPIOX_BROKER_ADMIN_SOCKET", "/v/s"), ("SCORPIOX_BROKER_DATA", "/v/d"), ("HOME", "/h")];
        let none: &[(&str, &str)] = &[];
        let cases = [
            (reach(None, Some("/o/s")), &variables[..], &["/o/s"][..]),
            (reach(Some("/o/d"), None), &variables[..], &["/o/d/admin.sock"][..]),
            (reach(None, None), &variables[..], &["/v/s"]),
            (reach(None, None), &variables[1..], &["/v/d/admin.sock"]),
            (
                reach(None, None),
                &[("HOME", "/h")],
                &["/h/.local/share/scorpiox-broker/admin.sock", "/var/lib/scorpiox-broker/admin.sock"],
            ),
            (
                reach(None, None),
                &[("HOME", "/h"), ("XDG_DATA_HOME", "/x")],
                &["/x/scorpiox-broker/admin.sock", "/var/lib/scorpiox-broker/admin.sock"],
            ),
            (
                reach(None, None),
                &[("HOME", "/h"), ("XDG_DATA_HOME", "x"), ("SCORPIOX_BROKER_DATA", "")],
                &["/h/.local/share/scorpiox-broker/admin.sock", "/var/lib/scorpiox-broker/admin.sock"],
            ),
            (reach(None, None), none, &["/var/lib/scorpiox-broker/admin.sock"]),
        ];
        for (reach, variables, expected) in cases {
            let expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
            assert_eq!(candidates(&reach, &environment(variables)), expected, "{reach:?} {variables:?}");
        }
    }

    #[test]
    fn a_broker_that_is_not_there_is_told_with_all_that_was_tried() {
        let home = tempfile::tempdir().unwrap();
        let environment = environment(&[("XDG_DATA_HOME", home.path().to_str().unwrap())]);
        let own = home.path().join("scorpiox-broker");
        match socket(&reach(Some("/nowhere"), None), &environment) {
            Err(Failure::Told { exit: Exit::NotRunning, problem }) => {
                assert!(problem.message.contains("/nowhere/admin.sock"), "{problem}");
                assert!(problem.hint.unwrap().contains("scorpiox-broker up"));
            }
            other => panic!("{other:?}"),
        }
        fs::create_dir(&own).unwrap();
        fs::write(own.join(SOCKET), "").unwrap();
        assert_eq!(socket(&reach(None, None), &environment).unwrap(), own.join(SOCKET));
    }
}
