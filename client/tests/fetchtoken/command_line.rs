//! Usage, help and version.

use crate::machine::Machine;

#[test]
fn help_has_examples_and_every_exit_code() {
    let help = Machine::new().run(&["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    for expected in
        ["Examples:", "--repeat-means-refused", "CODEX_REMOTE_PIN", "64", "69", "75", "77", "78", "126, 127"]
    {
        assert!(help.stdout.contains(expected), "{expected}");
    }
    let version = Machine::new().run(&["--version"]);
    assert_eq!(version.stdout, format!("scorpiox-codex-fetchtoken {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_wrong_command_line_is_one_line_and_64() {
    for arguments in [["--wrong"], ["extra"], ["--repeat-means-refused=soon"]] {
        Machine::new().run(&arguments).failed(64, "see --help");
    }
}
