//! How many connections an address may hold (matrix H1).

use scorpiox_broker::http::limits::Caps;

use crate::harness::{BOTH, CAPS, Client, Edge, Speech, bounds};

const HEAD: &[u8] = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

fn is_served(mut client: Client) -> bool {
    client.send(HEAD) && !client.is_closed()
}

/// Connections that hold their places: each has been served once.
fn hold(edge: &Edge, from: &str, count: usize) -> Vec<Client> {
    let open = || {
        let mut client = edge.connect_from(from);
        assert_eq!(client.ask(HEAD).status(), 200);
        client
    };
    std::iter::repeat_with(open).take(count).collect()
}

#[test]
fn an_address_that_holds_its_cap_gets_no_more_and_others_are_served() {
    for speech in BOTH {
        let edge = Edge::start_with(speech, bounds(), Caps { per_address: 4, loopback_exempt: false, ..CAPS });
        let mut held = hold(&edge, "127.0.0.2", 4);
        assert!(!is_served(edge.connect_from("127.0.0.2")), "{speech:?}");
        assert!(is_served(edge.connect_from("127.0.0.3")), "{speech:?}");
        assert_eq!(held[0].ask(HEAD).status(), 200, "the connections it has go on");
        drop(held);
        let again = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            is_served(edge.connect_from("127.0.0.2"))
        });
        assert!(again, "{speech:?}: its places are free again");
    }
}

#[test]
fn the_machine_itself_gets_in_when_the_total_is_reached() {
    // Only one loopback network exists here, so exemption is tested from its own side: beyond the total, a reserve.
    let edge = Edge::start_with(Speech::Plain, bounds(), Caps { per_address: 1, total: 2, loopback_exempt: true });
    let _held = hold(&edge, "127.0.0.1", 2);
    assert!(is_served(edge.connect()));
}

#[test]
fn silent_connections_give_their_places_back() {
    for speech in BOTH {
        let edge = Edge::start_with(speech, bounds(), Caps { per_address: 2, loopback_exempt: false, ..CAPS });
        let silent: Vec<_> = (0..2).map(|_| std::net::TcpStream::connect(edge.address).unwrap()).collect();
        let served = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            is_served(edge.connect())
        });
        assert!(served, "{speech:?}");
        drop(silent);
    }
}
