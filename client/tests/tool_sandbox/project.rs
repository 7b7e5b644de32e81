//! A person's machine with a project, and commands in its sandbox.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use scorpiox_client::clock::SystemClock;
use scorpiox_client::settings::Surroundings;
use scorpiox_client::settings::places::Places;
use scorpiox_client::settings::written::Written;
use scorpiox_client::talk::Talk;
use scorpiox_client::tool::sandbox::launcher::Launcher;
use scorpiox_client::tool::sandbox::order::{Boundary, Isolation, Report};
use scorpiox_client::tool::sandbox::policy::{Access, Limits, Network};
use scorpiox_client::tool::sandbox::{Sandbox, Unavailable, closed_paths};
use scorpiox_client::tool::shell::invocation::Invocation;
use scorpiox_client::tool::shell::running::{Ending, Running, Waited};

use crate::attempts::TARGET;

/// What every secret of this machine reads.
pub(crate) const CANARY: &str = "canary-7d1f";
/// No command of these tests takes so long, on any machine.
const LONG: Duration = Duration::from_secs(60);

/// Both ways of holding a command.
pub(crate) const ISOLATIONS: [Isolation; 2] = [Isolation::Namespaces, Isolation::Landlock];

pub(crate) struct Project {
    root: tempfile::TempDir,
    pub(crate) launcher: Launcher,
    sandbox: Option<Sandbox>,
    pub(crate) clock: SystemClock,
}

/// A command that ended by itself.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) ending: Ending,
    pub(crate) output: String,
}

impl Ended {
    #[track_caller]
    pub(crate) fn printed(&self, expected: &str) {
        assert_eq!((&self.ending, self.output.as_str()), (&exited(0), expected));
    }

    /// Asserts that the system refused it, and that no secret was seen.
    #[track_caller]
    pub(crate) fn refused(&self) {
        assert!(self.ending != exited(0), "{self:?}");
        assert!(!self.output.contains(CANARY), "{self:?}");
        let reasons = ["Permission denied", "Read-only file system", "Operation not permitted", "Invalid cross-device"];
        let also = ["resource busy", "No such file", "No such process", "not permitted"];
        assert!(reasons.iter().chain(&also).any(|reason| self.output.contains(reason)), "{self:?}");
    }
}

pub(crate) fn exited(code: i32) -> Ending {
    Ending::Reported(Report::Exited { code })
}

impl Project {
    /// A machine with a login and keys, and a repository with settings in it.
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let files = [
            "home/.config/scorpiox/codex-auth.json",
            "home/.config/scorpiox/scorpiox-env.txt",
            "home/.cache/scorpiox/a.token",
            "home/.codex/auth.json",
            "home/.ssh/id_ed25519",
            "home/keys/broker.key",
            "home/other/file",
            "home/p/.git/config",
            "home/p/.git/hooks/pre-commit",
            "home/p/.scorpiox/scorpiox-env.txt",
            "home/p/scorpiox-env.txt",
            "home/p/src/x",
        ];
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("# {CANARY}\n")).unwrap();
        }
        fs::write(root.path().join("home/p/scorpiox-env.txt"), "TOKEN_HTTP_API_KEY_FILE=../keys/broker.key\n").unwrap();
        let secrets =
            ["TOKEN_HTTP_API_KEY", "OPENAI_API_KEY", "SSH_AUTH_SOCK"].map(|name| (name.into(), CANARY.into()));
        let kept = ["PATH", "LANG"].iter().filter_map(|name| Some(((*name).into(), std::env::var_os(name)?)));
        let environment: Vec<(OsString, OsString)> =
            secrets.into_iter().chain(kept).chain([("HOME".into(), root.path().join("home").into())]).collect();
        let program = Path::new(env!("CARGO_BIN_EXE_scorpiox-sandbox"));
        let launcher = Launcher::new(program.parent().unwrap(), environment, root.path()).unwrap();
        Self { root, launcher, sandbox: None, clock: SystemClock::start() }
    }

    /// The same with a sandbox that was proven to hold.
    pub(crate) fn sandboxed() -> Self {
        Self::held_by(Isolation::Namespaces)
    }

    /// The same, held so.
    pub(crate) fn held_by(isolation: Isolation) -> Self {
        let project = Self::new();
        let sandbox = project.prove("home/p").unwrap();
        project.with(sandbox, isolation)
    }

    /// With this sandbox, held so.
    pub(crate) fn with(mut self, sandbox: Sandbox, isolation: Isolation) -> Self {
        assert_eq!(sandbox.isolation(), Isolation::Namespaces, "these tests need a machine that allows namespaces");
        self.sandbox = Some(match isolation {
            Isolation::Namespaces => sandbox,
            Isolation::Landlock => sandbox.without_namespaces(),
        });
        self
    }

    pub(crate) fn prove(&self, workspace: &str) -> Result<Sandbox, Unavailable> {
        let home = self.path("home");
        let environment = |name: &str| (name == "HOME").then(|| home.clone().into());
        let surroundings =
            Surroundings { environment: &environment, directory: self.path(workspace), program_directory: None };
        let written = Written::gather(&surroundings, &mut Talk::default()).unwrap();
        let hidden = closed_paths::hidden(&surroundings, &Places::around(&surroundings), &written);
        Sandbox::prove(&self.launcher, &self.path(workspace), hidden, Some(&home))
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(path)
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.path("home/p")
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        self.sandbox.as_ref().expect("it was proven")
    }

    /// What holds a command that may write and has no network.
    pub(crate) fn boundary(&self) -> Boundary {
        self.sandbox().boundary(Access::Write, Network::Refused)
    }

    pub(crate) fn boundary_of(&self, processes: u64) -> Boundary {
        let limits = Limits { processes, ..Limits::default() };
        self.sandbox().boundary_within(Access::Write, Network::Refused, limits)
    }

    pub(crate) fn start(&self, boundary: Boundary, script: &str) -> Running {
        let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        let prepared = Invocation::Direct(command).in_directory(&self.workspace(), "").unwrap();
        Running::start(&self.launcher, boundary, prepared).unwrap()
    }

    pub(crate) fn run_in(&self, boundary: Boundary, script: &str) -> Ended {
        self.finish(&self.start(boundary, script))
    }

    /// Runs a script of the plain shell in the sandbox.
    pub(crate) fn run(&self, script: &str) -> Ended {
        self.run_in(self.boundary(), script)
    }

    pub(crate) fn finish(&self, running: &Running) -> Ended {
        match running.wait(&self.clock, LONG, &|| false) {
            Waited::Ended(ending) => Ended { ending, output: running.take_output().text() },
            other => panic!("{other:?} {:?}", running.take_output().text()),
        }
    }

    /// The script that makes this attempt (a function of `attempts`) at this target.
    pub(crate) fn attempt(&self, name: &str, target: &str) -> String {
        let program = std::env::current_exe().unwrap();
        format!("{TARGET}='{target}' {} --exact --nocapture attempts::{name} 2>&1", program.display())
    }
}

/// How many processes of this machine have this text in their command line.
pub(crate) fn processes_with(mark: &str) -> usize {
    let lines = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
        entry.file_name().to_str()?.parse::<u32>().ok()?;
        fs::read(entry.path().join("cmdline")).ok()
    });
    lines.filter(|line| String::from_utf8_lossy(line).contains(mark)).count()
}
