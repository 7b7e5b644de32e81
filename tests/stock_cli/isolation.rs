//! A network namespace with nothing but loopback, in which a test runs once more.

use std::fs;
use std::process::{Command, Stdio};

use scorpiox_tests::component::{leave_out, require};
use scorpiox_tests::process::binaries;

use super::installed::{CODEX, Stock};

const INSIDE: &str = "SCORPIOX_TEST_LOOPBACK_ONLY";

/// True where the test's body may run. Outside, the test `name` is run again inside, its verdict is taken over, and this
/// is false.
pub(super) fn is_inside(name: &str) -> bool {
    is_inside_with(&CODEX, name)
}

/// The same for a test that needs another program.
pub(crate) fn is_inside_with(stock: &Stock, name: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        assert_loopback_only();
        return true;
    }
    let (Some(program), Some(ip)) = (stock.program(), require("ip")) else { return false };
    let Some(unshare) = unshare() else {
        let why = format!(
            "no network namespace can be made here (unshare --net), and {} must not reach a network",
            stock.name
        );
        leave_out(&why);
        return false;
    };
    // Built out here, where cargo has whatever it needs.
    let programs = binaries::fetchtoken();
    let script = "\"$1\" link set lo up && shift && exec \"$@\"";
    let mut inner = Command::new("unshare");
    inner.args(unshare).args(["sh", "-c", script, "sh"]).arg(ip);
    inner.arg(std::env::current_exe().expect("a running program has a path"));
    inner.args(["--exact", name, "--nocapture", "--test-threads=1"]).stdin(Stdio::null());
    inner.env(INSIDE, "1").env(stock.variable, program);
    inner.env(binaries::VARIABLE, programs.parent().expect("a program lies in a directory"));
    let output = inner.output().expect("unshare starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let whole = format!("{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "inside the namespace:\n{whole}");
    false
}

/// What makes a namespace here: root may, others through a user namespace of their own.
fn unshare() -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["--net"], &["--user", "--map-root-user", "--net"]];
    let works = |way: &&[&str]| {
        let tried = Command::new("unshare").args(*way).arg("true").stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    };
    ways.into_iter().find(works)
}

fn assert_loopback_only() {
    let devices = fs::read_to_string("/proc/self/net/dev").expect("a process sees its network devices");
    let names: Vec<&str> =
        devices.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim()).collect();
    assert_eq!(names, ["lo"], "nobody else's program reaches a network");
}
