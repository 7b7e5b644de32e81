use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

const CAPS: Caps = Caps { per_address: 2, total: 4, loopback_exempt: true };

#[test]
fn an_address_holds_no_more_than_its_share_and_gets_it_back() {
    let occupancy = Occupancy::new(CAPS);
    let first = occupancy.enter(ip("192.0.2.1"));
    let second = occupancy.enter(ip("::ffff:192.0.2.1"));
    assert!(first.is_some() && second.is_some());
    assert!(occupancy.enter(ip("192.0.2.1")).is_none(), "the same machine in IPv6 clothes");
    assert!(occupancy.enter(ip("192.0.2.2")).is_some());
    drop(first);
    assert!(occupancy.enter(ip("192.0.2.1")).is_some());
}

#[test]
fn one_ipv6_network_is_one_address() {
    let occupancy = Occupancy::new(CAPS);
    let _held = [occupancy.enter(ip("2001:db8::1")), occupancy.enter(ip("2001:db8::2"))];
    assert!(occupancy.enter(ip("2001:db8::3")).is_none());
    assert!(occupancy.enter(ip("2001:db8:0:1::3")).is_some());
}

#[test]
fn loopback_gets_in_when_all_places_are_taken() {
    let occupancy = Occupancy::new(CAPS);
    let held: Vec<_> = (1..=4).map(|last| occupancy.enter(ip(&format!("192.0.2.{last}"))).unwrap()).collect();
    assert!(occupancy.enter(ip("192.0.2.9")).is_none());
    let local: Vec<_> = (0..16).map(|_| occupancy.enter(ip("127.0.0.1")).unwrap()).collect();
    assert!(occupancy.enter(ip("127.0.0.1")).is_none(), "the reserve ends too");
    drop((held, local));
    assert!(occupancy.held.lock().unwrap().by_address.is_empty(), "no address is remembered once it has left");
    assert_eq!(occupancy.held.lock().unwrap().total, 0);
}

#[test]
fn loopback_counts_like_others_when_it_is_not_exempt() {
    let occupancy = Occupancy::new(Caps { loopback_exempt: false, ..CAPS });
    let _held = [occupancy.enter(ip("127.0.0.1")), occupancy.enter(ip("127.0.0.1"))];
    assert!(occupancy.enter(ip("127.0.0.1")).is_none());
}

#[test]
fn the_process_may_open_a_file_for_each_connection() {
    let before = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let room = before.maximum.unwrap_or(u64::MAX);
    assert!(raise_open_files(64).unwrap() >= room.min(64 + 512));
    assert_eq!(rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum, before.maximum);
}
