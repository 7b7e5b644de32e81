//! What other programs do. These are no tests of their own: the stories start this very program, most of them in a
//! sandbox, and name one of them. Each ends well when the attempt succeeded.

use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::Command;

fn argument() -> String {
    std::fs::read_to_string("src/argument").expect("a story writes it and starts this")
}

#[test]
#[ignore = "run in a sandbox"]
fn tcp() {
    TcpStream::connect(argument()).unwrap();
}

#[test]
#[ignore = "run in a sandbox"]
fn udp() {
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"x", argument()).unwrap();
}

#[test]
#[ignore = "run in a sandbox"]
fn unix_stream() {
    UnixStream::connect(argument()).unwrap();
}

#[test]
#[ignore = "run in a sandbox"]
fn unix_datagram() {
    let (one, _other) = UnixDatagram::pair().unwrap();
    one.connect(argument()).unwrap();
}

#[test]
#[ignore = "run in a sandbox"]
fn pair() {
    UnixStream::pair().unwrap();
}

#[test]
#[ignore = "run in a sandbox"]
fn namespaces() {
    assert!(Command::new("unshare").args(["-U", "-r", "true"]).status().unwrap().success());
}

#[test]
#[ignore = "run to be killed"]
fn hold_a_command() {
    let script = std::env::var(HELD).expect("a story sets it and starts this");
    let project = crate::project::Project::sandboxed();
    let running = project.start(project.boundary(), &script);
    project.finish(&running);
}

/// The variable with the script of [`hold_a_command`].
pub(crate) const HELD: &str = "SCORPIOX_TEST_HELD";
