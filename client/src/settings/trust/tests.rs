use std::ffi::OsString;
use std::fs;

use super::*;
use crate::settings::settings_file::{FILE_NAME, SettingsFile};
use crate::settings::tier::Tier;
use crate::talk::Talk;

/// What is written by the user, by a project in a real directory, and in the environment.
fn written(user: &str, project: &Path, environment: &[(&str, &str)]) -> Written {
    let path = project.join(FILE_NAME);
    let text = fs::read_to_string(&path).unwrap();
    let files = [
        SettingsFile::with_text("/u/scorpiox-env.txt", Tier::User, user),
        SettingsFile::with_text(path.to_str().unwrap(), Tier::Project, &text),
    ];
    let lookup = |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
    Written::put_together(&files, &lookup, &mut Talk::default()).unwrap()
}

struct Project(tempfile::TempDir);

impl Project {
    fn saying(text: &str) -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        project.says(text);
        project
    }

    fn says(&self, text: &str) {
        fs::write(self.0.path().join(FILE_NAME), text).unwrap();
    }

    fn written(&self) -> Written {
        written("", self.0.path(), &[])
    }

    fn is_trusted(&self, trusted: &TrustedFiles) -> bool {
        pending(&self.written(), trusted).unwrap().is_empty()
    }

    fn trusted(&self) -> TrustedFiles {
        let mut trusted = TrustedFiles::default();
        let written = self.written();
        for claim in claims(&written) {
            trusted.add(claim.identity().unwrap()).unwrap();
        }
        trusted
    }
}

#[test]
fn every_setting_that_leads_somewhere_is_refused_by_itself() {
    let harmless = ["MODEL", "THINKING", "REASONING_EFFORT", "CODEX_REASONING_EFFORT", "CONTEXT_CLEAR_THRESHOLD"];
    for key in Key::ALL {
        let project = Project::saying(&format!("MODEL=x\n{}=0x\n", key.as_str()).replace("MODEL=x\nMODEL", "MODEL"));
        let is_refused = !project.is_trusted(&TrustedFiles::default());
        assert_eq!(is_refused, !harmless.contains(&key.as_str()), "{}", key.as_str());
    }
}

#[test]
fn a_change_of_what_leads_asks_again_and_a_change_of_anything_else_does_not() {
    let text = "CODEX_REMOTE_URL=https://a.example/codex\nMODEL=a\n";
    let project = Project::saying(text);
    assert!(!project.is_trusted(&TrustedFiles::default()));
    let trusted = project.trusted();
    assert!(project.is_trusted(&trusted));
    project.says("# more\nMODEL=b\n\nCODEX_REMOTE_URL =  https://a.example/codex\nTHINKING=1\n");
    assert!(project.is_trusted(&trusted));
    for text in [
        "CODEX_REMOTE_URL=https://b.example/codex\n",
        "CODEX_REMOTE_URL=https://a.example/codex\nCODEX_SSH_COMMAND=x\n",
        "CODEX_REMOTE_URL=https://a.example/codex\nTOKEN_HTTP_API_KEY=x\n",
    ] {
        project.says(text);
        assert!(!project.is_trusted(&trusted), "{text}");
    }
    let elsewhere = Project::saying("CODEX_REMOTE_URL=https://a.example/codex\n");
    assert!(!elsewhere.is_trusted(&trusted), "another directory that says the same");
}

#[test]
fn certificates_in_the_project_are_trusted_with_their_content() {
    let project = Project::saying("CODEX_REMOTE_CA_FILE=ca.pem\n");
    let ca = project.0.path().join("ca.pem");
    fs::write(&ca, "one").unwrap();
    let trusted = project.trusted();
    assert!(project.is_trusted(&trusted));
    fs::write(&ca, "another").unwrap();
    assert!(!project.is_trusted(&trusted));
}

#[test]
fn what_has_no_effect_needs_no_trust() {
    let project = Project::saying("CODEX_REMOTE_URL=https://a.example/codex\nPROVIDER=codex\nTOOLS=1\n");
    let trusted = TrustedFiles::default();
    let pending = |user: &str, environment: &[(&str, &str)]| {
        !pending(&written(user, project.0.path(), environment), &trusted).unwrap().is_empty()
    };
    let url = ("CODEX_REMOTE_URL", "https://b.example/codex");
    assert!(pending("", &[]));
    assert!(!pending("", &[url]), "the environment's address holds");
    assert!(!pending("CODEX_REMOTE_URL=https://a.example/codex", &[]), "it is the user's own word");
    assert!(pending("TOOLS=0", &[url]), "the user had switched tools off");
}

#[test]
fn a_path_is_pasted_into_a_shell_as_one_word() {
    assert_eq!(shell_word(Path::new("/a/b-c_d.txt")), "/a/b-c_d.txt");
    assert_eq!(shell_word(Path::new("/a b/$(id)'x")), "'/a b/$(id)'\\''x'");
}
