//! Somebody else's programs from npm, fetched once into the target directory; nobody's installed one is touched.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use scorpiox_tests::component::leave_out;

/// A program that is not ours.
pub(crate) struct Stock {
    /// As people call it.
    pub(crate) name: &'static str,
    /// Its package.
    pub(crate) package: &'static str,
    /// The version whose behaviour is known; another may behave otherwise.
    pub(crate) version: &'static str,
    /// The variable that names the program instead, which is then taken as it is.
    pub(crate) variable: &'static str,
    /// Where it is kept, below the target directory.
    pub(crate) directory: &'static str,
    /// What the package's script for node would start.
    pub(crate) native_program: fn(&Path) -> Option<PathBuf>,
}

/// The stock Codex CLI.
pub(crate) const CODEX: Stock = Stock {
    name: "the stock Codex CLI",
    package: "@openai/codex",
    version: "0.169.0",
    variable: "SCORPIOX_COMPONENT_CODEX_CLI",
    directory: "stock-cli",
    native_program: native_codex,
};

impl Stock {
    /// The program: named by the variable, fetched before, or fetched now. `None` after saying that the test is left out.
    pub(crate) fn program(&self) -> Option<PathBuf> {
        if let Some(named) = std::env::var_os(self.variable).filter(|path| !path.is_empty()) {
            return Some(PathBuf::from(named));
        }
        let directory = target_directory().join(self.directory).join(self.version);
        fs::create_dir_all(&directory).expect("the target directory can be written");
        let lock = File::create(directory.join("lock")).expect("the target directory can be written");
        lock.lock().expect("a lock on a file of ours");
        if let Some(program) = (self.native_program)(&directory) {
            return Some(program);
        }
        let fetched = fetch(&directory, &format!("{}@{}", self.package, self.version));
        let program =
            fetched.and_then(|()| (self.native_program)(&directory).ok_or("it has no program for this machine".into()));
        let named = format!("{} {}", self.name, self.version);
        program.inspect_err(|why: &String| leave_out(&format!("{named} cannot be had from npm: {why}"))).ok()
    }
}

fn fetch(directory: &Path, package: &str) -> Result<(), String> {
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error", "--prefix"]);
    npm.arg(directory).arg(package).stdin(Stdio::null());
    let output = npm.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().replace('\n', " "))
    }
}

/// Without the package's script the token command's parent is our child.
fn native_codex(directory: &Path) -> Option<PathBuf> {
    let packages = fs::read_dir(directory.join("node_modules/@openai")).ok()?.flatten();
    let vendors = packages.filter_map(|package| fs::read_dir(package.path().join("vendor")).ok());
    let triples = vendors.flat_map(Iterator::flatten);
    triples.map(|triple| triple.path().join("bin/codex")).find(|program| program.is_file())
}

fn target_directory() -> PathBuf {
    // This program is target/PROFILE/deps/stories-HASH.
    let this = std::env::current_exe().expect("a running program has a path");
    this.ancestors().nth(3).expect("a test runs from its target directory").to_owned()
}
