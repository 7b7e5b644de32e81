//! A conversation that is kept: a folder of plain files, readable without this program.
//!
//! ```text
//! $XDG_STATE_HOME/scorpiox/sessions/<id>/    0700
//!     transcript.jsonl    what was said, an entry a line; only ever appended to
//!     usage.json          what it has cost so far; replaced as a whole
//!     traffic.jsonl       with --log-traffic: requests and answers without what is secret
//! ```
//!
//! * [`entry`]: a line of a transcript. * [`replay`]: the conversation that a transcript tells. Both pure.
//! * [`transcript`]: the file, appended to by one process at a time. * [`usage_file`]: the sums.
//! * [`store`]: all conversations of a user. * [`recorder`]: keeps one while it is held.
//! * [`traffic`]: what went over the wire. * [`masking`]: what of it is secret. Pure.
//! * [`markdown`]: a conversation as a document. Pure.

pub mod entry;
pub mod markdown;
pub mod masking;
pub mod recorder;
pub mod replay;
pub mod store;
pub mod traffic;
pub mod transcript;
pub mod usage_file;

use std::ffi::OsString;
use std::path::PathBuf;

/// The folder with a folder for each conversation, or `None` when neither `XDG_STATE_HOME` nor `HOME` is set.
pub fn place(environment: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |variable| environment(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || absolute("HOME").map(|home| home.join(".local/state"));
    absolute("XDG_STATE_HOME").or_else(home).map(|states| states.join("scorpiox/sessions"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::Surroundings;
    use crate::settings::places::Places;
    use crate::settings::written::Written;
    use crate::talk::Talk;
    use crate::tool::sandbox::closed_paths;

    #[test]
    fn conversations_are_kept_below_the_state_directory() {
        let place = |environment: &[(&str, &str)]| {
            place(&|name| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
        };
        assert_eq!(place(&[("HOME", "/home/a")]).unwrap(), Path::new("/home/a/.local/state/scorpiox/sessions"));
        let moved = [("HOME", "/home/a"), ("XDG_STATE_HOME", "/state")];
        assert_eq!(place(&moved).unwrap(), Path::new("/state/scorpiox/sessions"));
        assert_eq!(place(&[("XDG_STATE_HOME", "relative")]), None);
    }

    #[test]
    fn nothing_that_the_model_runs_may_read_them() {
        let environment = [("HOME", "/home/a"), ("XDG_STATE_HOME", "/state")];
        for set in [&environment[..1], &environment] {
            let lookup = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
            let surroundings = Surroundings { environment: &lookup, directory: "/p".into(), program_directory: None };
            let written = Written::put_together(&[], &lookup, &mut Talk::default()).unwrap();
            let hidden = closed_paths::hidden(&surroundings, &Places::around(&surroundings), &written);
            let place = place(&lookup).unwrap();
            assert!(hidden.iter().any(|path| place.starts_with(path)), "{}", place.display());
        }
    }
}
