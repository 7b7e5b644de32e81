//! What the kernel knows of a TCP connection of this machine: whether the far end has read what was sent to it.

use std::collections::HashMap;
use std::fs;
use std::net::{SocketAddr, TcpStream};

/// The open TCP connections of this machine (IPv4), as `/proc/net/tcp` lists them, by their ports here and there.
pub(super) struct Sockets(HashMap<(u16, u16), Queues>);

/// Neither end has closed it.
const ESTABLISHED: &str = "01";

/// What waits in a socket.
struct Queues {
    /// Bytes that the far end has not acknowledged.
    sent: u64,
    /// Bytes that nobody has read.
    unread: u64,
    /// Whether a program holds it: one that nobody has accepted yet belongs to the listener's queue.
    is_held: bool,
}

impl Sockets {
    /// As they are now.
    ///
    /// # Panics
    /// When the kernel does not list them.
    pub(super) fn now() -> Self {
        let list = fs::read_to_string("/proc/net/tcp").expect("the kernel lists its sockets");
        Self(list.lines().filter_map(read).collect())
    }

    /// Whether all bytes that were sent are in the far end's socket.
    pub(super) fn has_delivered(&self, stream: &TcpStream) -> bool {
        let (near, far) = ports(stream);
        self.0.get(&(near, far)).is_none_or(|queues| queues.sent == 0)
    }

    /// Whether a program at the far end has read them; or it has closed the connection.
    pub(super) fn has_been_read(&self, stream: &TcpStream) -> bool {
        let (near, far) = ports(stream);
        self.0.get(&(far, near)).is_none_or(|queues| queues.is_held && queues.unread == 0)
    }
}

/// `0: 0100007F:1F90 0100007F:C350 01 00000000:00000012 00:00000000 00000000  0  0 31337 …`: number, here, there, state,
/// queues, timer, retransmissions, user, timeout, inode.
fn read(line: &str) -> Option<((u16, u16), Queues)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let port = |address: &str| u16::from_str_radix(address.split_once(':')?.1, 16).ok();
    if *words.get(3)? != ESTABLISHED {
        return None;
    }
    let (sent, unread) = words.get(4)?.split_once(':')?;
    let bytes = |number: &str| u64::from_str_radix(number, 16).ok();
    let queues = Queues { sent: bytes(sent)?, unread: bytes(unread)?, is_held: *words.get(9)? != "0" };
    Some(((port(words[1])?, port(words[2])?), queues))
}

fn ports(stream: &TcpStream) -> (u16, u16) {
    let port = |address: std::io::Result<SocketAddr>| address.expect("a socket of ours is connected").port();
    (port(stream.local_addr()), port(stream.peer_addr()))
}
