//! Real programs that some tests need, and what happens on a machine that lacks one.
//!
//! `tests/run` installs them. Where one is missing, its test is left out and says so; with `SCORPIOX_REQUIRE=all` it
//! fails instead.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A component, its program, and how a person gets it.
struct Known {
    name: &'static str,
    program: &'static str,
    source: &'static str,
}

const KNOWN: &[Known] = &[
    Known { name: "groff", program: "groff", source: "apt-get install groff" },
    Known { name: "ip", program: "ip", source: "apt-get install iproute2" },
    Known { name: "python3-yaml", program: "python3", source: "apt-get install python3-yaml" },
    Known {
        name: "schemathesis",
        program: "st",
        source: "tests/conformance/install, named in SCORPIOX_COMPONENT_SCHEMATHESIS",
    },
    Known { name: "sshd", program: "sshd", source: "apt-get install openssh-server" },
    Known {
        name: "static-broker",
        program: "scorpiox-broker-static",
        source: "cargo rustc -p scorpiox-broker --bin scorpiox-broker -- -C target-feature=+crt-static, named in \
                 SCORPIOX_COMPONENT_STATIC_BROKER",
    },
    Known {
        name: "thrussh",
        program: "scorpiox-codex-fetchtoken-thrussh",
        source: "cargo build -p scorpiox-client --features thrussh, named in SCORPIOX_COMPONENT_THRUSSH",
    },
    Known { name: "systemd-analyze", program: "systemd-analyze", source: "apt-get install systemd" },
];

/// The program of a component, or `None` after saying loudly that the calling test is left out.
///
/// It is taken from `SCORPIOX_COMPONENT_<NAME>` (`SCORPIOX_COMPONENT_SYSTEMD_ANALYZE`), else from `PATH`.
///
/// # Panics
///
/// When it is missing and `SCORPIOX_REQUIRE=all`; when no component has this name.
pub fn require(name: &str) -> Option<PathBuf> {
    let known = KNOWN.iter().find(|known| known.name == name).expect("each component is listed in KNOWN");
    let found = named(name).or_else(|| in_path(known.program));
    if found.is_none() {
        leave_out(&format!("{name} is missing: {}", known.source));
    }
    found
}

/// Says that the calling test is left out, and why; the reason may also be a right that the user lacks.
///
/// # Panics
///
/// With `SCORPIOX_REQUIRE=all`.
pub fn leave_out(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    assert!(std::env::var_os("SCORPIOX_REQUIRE").is_none_or(|value| value != "all"), "{test}: {why}");
    let line = format!("LEFT OUT: {test}: {why}\n");
    // Not `eprintln!`: the test runner would keep that for itself as long as the test passes.
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(file) = std::env::var_os("SCORPIOX_LEFT_OUT_FILE") {
        let opened = OpenOptions::new().create(true).append(true).open(file);
        let _ = opened.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}

fn named(name: &str) -> Option<PathBuf> {
    let variable = format!("SCORPIOX_COMPONENT_{}", name.to_uppercase().replace('-', "_"));
    std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_file())
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // An administrator's tools are not in everybody's PATH.
    let places = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(|place| Path::new(place).to_owned()));
    places.map(|place| place.join(program)).find(|path| path.is_file())
}
