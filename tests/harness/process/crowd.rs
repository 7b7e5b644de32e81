//! Many requests at once, each on a connection of its own.

use std::net::TcpStream;

use super::broker::{Broker, Wire};
use super::client::Key;
use super::http::{Connection, Reply, Request};
use super::patience;

/// Requests that have been sent and not answered.
pub struct Crowd(Vec<Connection<Wire>>);

impl Crowd {
    /// So many ask for a token, in turn with these keys.
    ///
    /// # Panics
    /// When they cannot connect.
    pub fn asking(broker: &Broker, keys: &[&Key], count: usize) -> Self {
        let send = |key: &&Key| {
            let bearer = key.bearer();
            let headers = [("authorization", bearer.as_str())];
            let mut connection = broker.connect().expect("a connection");
            connection.send(&Request { target: "/codex", headers: &headers, ..Request::default() }).expect("sent");
            connection
        };
        Self(keys.iter().cycle().take(count).map(send).collect())
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
