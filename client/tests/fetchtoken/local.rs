//! The local source against every kind of file (matrix C1).

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::machine::Machine;

fn auth(token: &str) -> String {
    // Long, so that a half-written file is likely to be seen.
    let padding = "x".repeat(20_000);
    format!(
        r#"{{"tokens":{{"id_token":"{padding}","access_token":"{token}","refresh_token":"rt_1","account_id":"a1"}}}}"#
    )
}

fn chosen(file: &str) -> Machine {
    Machine::new().with("CODEX_CREDENTIALS_FILE", file)
}

fn write(machine: &Machine, file: &str, text: &str, mode: u32) {
    fs::write(machine.path(file), text).unwrap();
    fs::set_permissions(machine.path(file), Permissions::from_mode(mode)).unwrap();
}

#[test]
fn without_any_setting_the_stock_clients_file_is_read() {
    let machine = Machine::new();
    machine
        .raw()
        .failed(78, "does not exist; log in with scorpiox-codex-login or with codex, or set CODEX_TOKEN_SOURCE=remote");
    fs::create_dir(machine.path("home/.codex")).unwrap();
    write(&machine, "home/.codex/auth.json", &auth("opaque"), 0o644);
    let ended = machine.run(&[]);
    let line = "{\"access_token\":\"opaque\",\"expires_at\":null,\"account_id\":\"a1\",\"source\":\"local\"}\n";
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), line));
    assert!(ended.stderr.contains("chmod 600"), "{ended:?}");
    assert_eq!(fs::read_to_string(machine.path("home/.codex/auth.json")).unwrap(), auth("opaque"));
    write(&machine, "home/.codex/auth.json", &auth("opaque"), 0o600);
    machine.run(&["--refused"]).failed(69, "run codex once");
}

#[test]
fn what_is_no_private_file_is_refused_and_left_as_it_is() {
    let machine = chosen("auth.json");
    let path = machine.path("project/auth.json");
    write(&machine, "project/auth.json", &auth("t"), 0o644);
    machine.raw().failed(78, "can be read by other users; chmod 600");
    fs::rename(&path, machine.path("project/real")).unwrap();
    std::os::unix::fs::symlink("real", &path).unwrap();
    machine.raw().failed(78, "is a symbolic link");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    machine.raw().failed(78, "is a directory");
    fs::remove_dir(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    machine.raw().failed(78, "is a FIFO");
    fs::remove_file(&path).unwrap();
    File::create(&path).unwrap().set_len(1 << 30).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    machine.raw().failed(78, "is longer than");
    assert_eq!(fs::metadata(&path).unwrap().len(), 1 << 30);
    write(&machine, "project/auth.json", "", 0o600);
    machine.raw().failed(78, "is empty");
    write(&machine, "project/auth.json", &auth("t")[..10_000], 0o600);
    machine.raw().failed(78, "is not what the Codex CLI writes");
    assert_eq!(fs::metadata(&path).unwrap().len(), 10_000);
}

#[test]
fn a_file_that_a_stock_client_keeps_rewriting_is_never_seen_in_pieces() {
    let machine = chosen("auth.json");
    let path = machine.path("project/auth.json");
    write(&machine, "project/auth.json", &auth("first"), 0o600);
    let stop = Arc::new(AtomicBool::new(false));
    let writer = std::thread::spawn({
        let stop = stop.clone();
        move || {
            while !stop.load(Ordering::Relaxed) {
                // As the stock client does it: truncate, then write in place, in pieces.
                let mut file = File::create(&path).unwrap();
                for piece in auth("second").as_bytes().chunks(4096) {
                    file.write_all(piece).unwrap();
                }
                drop(file);
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    });
    for _ in 0..20 {
        let ended = machine.raw();
        assert!(ended.code == Some(0) && ["first\n", "second\n"].contains(&ended.stdout.as_str()), "{ended:?}");
    }
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
}
