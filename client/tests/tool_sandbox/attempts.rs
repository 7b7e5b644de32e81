//! What other programs do. By themselves these are tests that it can be done where nothing holds whoever does it. The
//! stories start this very program with [`TARGET`] or [`HELD`] set, most of them in a sandbox, and name one of them; it
//! ends well when the attempt succeeded.

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

use crate::project::{Project, exited};

/// The variable with what is to be reached.
pub(crate) const TARGET: &str = "SCORPIOX_TEST_TARGET";
/// The variable with the script of [`hold_a_command`].
pub(crate) const HELD: &str = "SCORPIOX_TEST_HELD";

fn target() -> Option<String> {
    std::env::var(TARGET).ok()
}

fn own_socket() -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("socket").to_str().unwrap().to_owned();
    (directory, socket)
}

#[test]
fn tcp() {
    if let Some(target) = target() {
        TcpStream::connect(target).unwrap();
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    TcpStream::connect(listener.local_addr().unwrap()).unwrap();
}

#[test]
fn udp() {
    let send = |target: &str| UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"x", target).unwrap();
    if let Some(target) = target() {
        send(&target);
        return;
    }
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    assert_eq!(send(&receiver.local_addr().unwrap().to_string()), 1);
}

#[test]
fn unix_stream() {
    if let Some(target) = target() {
        UnixStream::connect(target).unwrap();
        return;
    }
    let (_directory, socket) = own_socket();
    let _listener = UnixListener::bind(&socket).unwrap();
    UnixStream::connect(&socket).unwrap();
}

#[test]
fn unix_datagram() {
    // A pair may be made in a sandbox too; what it must not do is reach others.
    let (one, _other) = UnixDatagram::pair().unwrap();
    if let Some(target) = target() {
        one.connect(target).unwrap();
        return;
    }
    let (_directory, socket) = own_socket();
    let _receiver = UnixDatagram::bind(&socket).unwrap();
    one.connect(&socket).unwrap();
}

#[test]
fn pair() {
    let (one, other) = UnixStream::pair().unwrap();
    one.shutdown(std::net::Shutdown::Both).unwrap();
    assert_eq!(std::io::Read::read(&mut &other, &mut [0]).unwrap(), 0);
}

#[test]
fn hold_a_command() {
    let script = std::env::var(HELD).unwrap_or_else(|_| "true".to_owned());
    assert_eq!(Project::sandboxed().run(&script).ending, exited(0));
}
