//! Where the token goes, and what happens when it cannot go there (matrix C6).

use crate::machine::{Machine, end, finish};
use crate::stub_broker::{StubBroker, token};

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let broker = StubBroker::start(|_, _| token(7));
    let machine = Machine::for_broker(&broker);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = machine.command(&["--raw"]);
    let ended = finish(command.stdout(writer).spawn().unwrap());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let ended = end(machine.in_shell("exec \"$0\" --raw >&-"));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
#[cfg(target_os = "linux")]
fn a_token_that_could_not_be_written_is_an_error() {
    let broker = StubBroker::start(|_, _| token(7));
    let machine = Machine::for_broker(&broker);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = machine.command(&["--raw"]);
    let ended = finish(command.stdout(std::process::Stdio::from(full)).spawn().unwrap());
    ended.failed(75, "the token cannot be written to stdout");
}

#[test]
fn a_full_disk_costs_the_cache_and_not_the_token() {
    let broker = StubBroker::start(|_, _| token(7));
    let machine = Machine::for_broker(&broker);
    // No file may grow: what a full disk does to a write, without needing a disk.
    let full = || end(machine.in_shell("trap '' XFSZ; ulimit -f 0; exec \"$0\" --raw"));
    for requests in 1..=2 {
        let ended = full();
        ended.gave(7);
        assert!(ended.stderr.contains("the token cannot be cached"), "{ended:?}");
        assert_eq!(broker.count(), requests);
        assert!(machine.cached(".token").is_empty(), "no torn file");
    }
    machine.raw().gave(7);
    machine.let_seconds_pass(400);
    full().gave(7);
    assert!(machine.cached(".token").is_empty(), "what could not be replaced is gone, not stale");
}

#[test]
fn a_home_that_cannot_be_written_costs_the_cache_and_not_the_token() {
    let broker = StubBroker::start(|_, _| token(7));
    let machine = Machine::for_broker(&broker).with("XDG_CACHE_HOME", "/dev/null/none").with("HOME", "");
    let ended = machine.raw();
    ended.gave(7);
    assert!(ended.stderr.contains("the token cannot be cached"), "{ended:?}");
}
