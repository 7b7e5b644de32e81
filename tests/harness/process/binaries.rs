//! Where the programs are.
//!
//! `SCORPIOX_TEST_BIN_DIR` names a directory that has them already (built with the feature `failpoints`). Otherwise
//! they are built once, into the directory from which this test runs; a lock keeps test processes from doing it at once.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The variable that names the directory.
pub const VARIABLE: &str = "SCORPIOX_TEST_BIN_DIR";

/// The server and its administration.
pub fn broker() -> PathBuf {
    program("scorpiox-broker")
}

/// The developer's command.
pub fn fetchtoken() -> PathBuf {
    program("scorpiox-codex-fetchtoken")
}

/// Any of our programs.
///
/// # Panics
/// When it is not there and cannot be built.
pub fn program(name: &str) -> PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    let path = DIRECTORY.get_or_init(directory).join(name);
    assert!(path.exists(), "{} is missing: build it, or name another directory in {VARIABLE}", path.display());
    path
}

fn directory() -> PathBuf {
    if let Some(directory) = std::env::var_os(VARIABLE) {
        return PathBuf::from(directory);
    }
    // This program is target/PROFILE/deps/stories-HASH.
    let this = std::env::current_exe().expect("a running program has a path");
    let profile = this.parent().and_then(Path::parent).expect("a test runs from its target directory");
    build(profile.parent().expect("a profile lies in the target directory"));
    profile.to_owned()
}

fn build(target: &Path) {
    let lock = File::create(target.join("test-programs.lock")).expect("the target directory can be written");
    lock.lock().expect("a lock on a file of ours");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // The whole workspace, so that features are unified as `cargo test --workspace` does it: one set of artefacts.
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--workspace", "--bins"]).arg("--target-dir").arg(target);
    let built = command.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo starts");
    assert!(built.success(), "the programs under test do not build");
}
