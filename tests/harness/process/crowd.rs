//! Many requests at once, each on a connection of its own.

use std::net::TcpStream;

use super::broker::{Broker, Wire};
use super::client::Key;
use super::http::{Connection, Reply, Request};
use super::patience;
use super::sockets::Sockets;

/// Requests that have been sent and not answered.
pub struct Crowd(Vec<Connection<Wire>>);

impl Crowd {
    /// So many ask for a token, in turn with these keys. Returns when the broker has read every request: on a busy machine
    /// one that was only sent may lie in a queue for longer than a story takes, and a broker that stops drops it.
    ///
    /// # Panics
    /// When they cannot connect, or are not read.
    pub fn asking(broker: &Broker, keys: &[&Key], count: usize) -> Self {
        let send = |key: &&Key| {
            let bearer = key.bearer();
            let headers = [("authorization", bearer.as_str())];
            let mut connection = broker.connect().expect("a connection");
            connection.send(&Request { target: "/codex", headers: &headers, ..Request::default() }).expect("sent");
            connection
        };
        let mut crowd = Self(keys.iter().cycle().take(count).map(send).collect());
        patience::until("a broker that has read every request", || crowd.has_been_read().then_some(()));
        crowd
    }

    fn has_been_read(&mut self) -> bool {
        // Two looks in this order: what is delivered at the first is in the far end's queue at the second, or read.
        let (before, after) = (Sockets::now(), Sockets::now());
        self.0.iter_mut().all(|connection| {
            let stream = connection.stream().socket();
            before.has_delivered(stream) && after.has_been_read(stream)
        })
    }

    /// How many have got something already.
    pub fn answered(&mut self) -> usize {
        self.0.iter_mut().filter_map(|connection| has_bytes(connection.stream().socket()).then_some(())).count()
    }

    /// Waits until somebody was answered.
    pub fn until_answered(&mut self) {
        patience::until("an answer", || (self.answered() > 0).then_some(()));
    }

    /// All answers.
    ///
    /// # Panics
    /// When one does not come.
    pub fn answers(mut self) -> Vec<Reply> {
        self.0.iter_mut().map(|connection| connection.receive().expect("an answer")).collect()
    }
}

fn has_bytes(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).expect("a socket of ours");
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false).expect("a socket of ours");
    matches!(peeked, Ok(1..))
}
