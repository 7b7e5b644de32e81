//! Whatever happens while a file is saved: it is the old one or the new one.

use std::fs;
use std::os::unix::fs::symlink;

use crate::machine::{Machine, PROJECT_FILE, USER_FILE};

#[test]
fn changes_at_once_lose_nothing() {
    let machine = Machine::new();
    let keys = [
        ("MODEL", "m"),
        ("TOOLS", "0"),
        ("THINKING", "1"),
        ("REASONING_EFFORT", "low"),
        ("CODEX_REASONING_EFFORT", "high"),
        ("CONTEXT_CLEAR_THRESHOLD", "5000"),
        ("CODEX_TOKEN_SOURCE", "remote"),
        ("CODEX_SSH_HOST", "h"),
        ("CODEX_SSH_USER", "u"),
        ("CODEX_SSH_PORT", "23"),
    ];
    let running: Vec<_> =
        keys.iter().map(|(key, value)| machine.command(&["--set", key, value]).spawn().unwrap()).collect();
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let text = machine.read(USER_FILE);
    assert_eq!(text.lines().count(), keys.len(), "{text}");
    for (key, value) in keys {
        assert!(text.contains(&format!("{key}={value}\n")), "{text}");
    }
    assert_eq!(machine.names("home/.config/scorpiox"), ["scorpiox-env.txt"], "nothing is left lying about");
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let machine = Machine::new();
    machine.write(USER_FILE, "MODEL=a\n");
    // A limit on the size of files stands for the end of the disk; ignored, its signal becomes an error.
    let ended = machine.in_shell("trap '' XFSZ; ulimit -f 0; exec \"$0\" --set MODEL b");
    ended.failed(69, "cannot be written");
    assert_eq!(machine.read(USER_FILE), "MODEL=a\n");
    assert_eq!(machine.names("home/.config/scorpiox"), ["scorpiox-env.txt"]);
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let machine = Machine::new();
    machine.write("home/.config", "a file where a directory should be\n");
    machine.config(&["--set", "MODEL", "b"]).failed(69, "home/.config/scorpiox cannot be written");
}

#[test]
fn a_link_stays_and_its_target_changes() {
    let machine = Machine::new();
    machine.write("dotfiles/settings", "MODEL=a\n");
    fs::create_dir_all(machine.path("home/.config/scorpiox")).unwrap();
    symlink(machine.path("dotfiles/settings"), machine.path(USER_FILE)).unwrap();
    let ended = machine.config(&["--set", "MODEL", "b"]);
    assert!(ended.done().contains("dotfiles/settings"), "{ended:?}");
    assert_eq!(machine.read("dotfiles/settings"), "MODEL=b\n");
    assert!(machine.path(USER_FILE).symlink_metadata().unwrap().is_symlink());
    assert_eq!(machine.names("dotfiles"), ["settings"]);

    fs::remove_file(machine.path("dotfiles/settings")).unwrap();
    machine.config(&["--set", "MODEL", "c"]).failed(78, "is a link that leads nowhere");
}

#[test]
fn a_mode_that_somebody_chose_stays() {
    let machine = Machine::new();
    machine.write(PROJECT_FILE, "MODEL=a\n");
    machine.set_mode(PROJECT_FILE, 0o644);
    machine.config(&["--set", "MODEL", "b", "--level", "project"]).done_quietly();
    assert_eq!(machine.mode(PROJECT_FILE), 0o644);
}
