//! Links `scorpiox-codex-fetchtoken` statically where that is possible, because it must start like `cat`: a third of
//! its run time was the dynamic linker (1.35 times `cat` with it, 0.92 without; 600 interleaved runs, 2026-11-22).
//!
//! Only on Linux with glibc, built for the machine itself, with the static libraries at hand (Debian and Ubuntu have
//! them wherever there is a C compiler; Fedora calls them `glibc-static`). Anywhere else, with
//! `SCORPIOX_LINK=dynamic`, and with thrussh (whose libsodium is a shared library), the command is linked as usual.
//! `-C target-feature=+crt-static` does the same, but for every binary and build script of the workspace, and a build
//! script cannot ask for it.
//!
//! Its relocations are packed where the C library can unpack them: a tenth of the rest of its run time (0.79 against
//! 0.71 ms of processor time, 150 runs each, three rounds, 2026-11-23).
//!
//! What it costs: host names are looked up by glibc's built-in `files` and `dns`; other name services are loaded only
//! where the machine has the same glibc.

use std::env;
use std::error::Error;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

const BINARY: &str = "scorpiox-codex-fetchtoken";
/// The libraries that the standard library asks for by name, and the archives that stand in for them.
const ARCHIVES: &[(&str, &str)] = &[
    ("libc.a", "libc.a"),
    ("libm.a", "libm.a"),
    ("librt.a", "librt.a"),
    ("libdl.a", "libdl.a"),
    ("libutil.a", "libutil.a"),
    ("libpthread.a", "libpthread.a"),
    ("libgcc_s.a", "libgcc_eh.a"),
];
/// What begins a static program that can be loaded anywhere.
const START_FILE: &str = "rcrt1.o";
/// The first glibc whose static start code unpacks packed relocations; an older one would crash before `main`.
const UNPACKS: (u32, u32) = (2, 36);

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=SCORPIOX_LINK");
    if !may_be_static() {
        return Ok(());
    }
    let Some(archives) = find_archives() else { return Ok(()) };
    let directory = PathBuf::from(env::var("OUT_DIR")?).join("static");
    lay_out(&directory, &archives)?;
    // The linker takes the first directory that has a library of the name; here it finds no shared one.
    let search = format!("-L{}", directory.display());
    let libraries = ["-Wl,--start-group", "-lc", "-lgcc_s", "-lgcc", "-Wl,--end-group"];
    for argument in [search.as_str(), "-static-pie"].into_iter().chain(libraries) {
        println!("cargo:rustc-link-arg-bin={BINARY}={argument}");
    }
    if glibc().is_some_and(|version| version >= UNPACKS) {
        println!("cargo:rustc-link-arg-bin={BINARY}=-Wl,-z,pack-relative-relocs");
    }
    Ok(())
}

fn may_be_static() -> bool {
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|set| set == value);
    let asked_for_already =
        env::var("CARGO_CFG_TARGET_FEATURE").is_ok_and(|features| features.split(',').any(|f| f == "crt-static"));
    let own_linker = env::var("RUSTC_LINKER").is_ok_and(|linker| linker != "cc");
    is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
        && env::var("HOST") == env::var("TARGET")
        && !is("SCORPIOX_LINK", "dynamic")
        && env::var_os("CARGO_FEATURE_THRUSSH").is_none()
        && !asked_for_already
        && !own_linker
}

/// Where the C compiler finds each archive; `None` when one is missing.
fn find_archives() -> Option<Vec<(&'static str, PathBuf)>> {
    find(START_FILE)?;
    ARCHIVES.iter().map(|(name, archive)| Some((*name, find(archive)?))).collect()
}

fn find(file: &str) -> Option<PathBuf> {
    let output = Command::new("cc").arg(format!("-print-file-name={file}")).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    // What it does not find it prints as it was given.
    (path.is_absolute() && path.exists()).then_some(path)
}

/// The C library of this machine, which is the one that is linked: `glibc 2.41` is (2, 41).
fn glibc() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = said.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}

fn lay_out(directory: &Path, archives: &[(&str, PathBuf)]) -> std::io::Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory)?;
    }
    fs::create_dir_all(directory)?;
    archives.iter().try_for_each(|(name, archive)| symlink(archive, directory.join(name)))
}
