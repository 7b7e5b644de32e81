//! Overlap and holds, through real sockets.

use std::thread;

use super::client::{refresh, refresh_text, refresh_token};
use crate::{Account, FakeProvider, Fate, Fault, Hold, How, Settings};

#[test]
fn overlap_is_visible_and_the_second_one_is_refused() {
    let provider = FakeProvider::start(Settings::default());
    let login = provider.login(&Account::default());
    provider.fault(Fault::refresh(How::Plain).hold(Hold::BeforeDeciding).times(2));
    let statuses: Vec<u16> = thread::scope(|scope| {
        let ask = || refresh(&provider, refresh_token(&login)).unwrap().status;
        let both = [scope.spawn(ask), scope.spawn(ask)];
        provider.wait_for_held(2);
        assert_eq!(provider.release(), 2);
        both.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().sum::<u16>(), 601, "{statuses:?}");
    let log = provider.log();
    assert!(log[0].overlaps(&log[1]));
    assert_eq!(provider.violations().len(), 1, "{:?}", provider.violations());
}

#[test]
fn one_after_the_other_does_not_overlap() {
    let provider = FakeProvider::start(Settings::default());
    let login = provider.login(&Account::default());
    for _ in 0..2 {
        refresh(&provider, refresh_token(&login)).unwrap();
    }
    let log = provider.log();
    assert!(!log[0].overlaps(&log[1]), "{log:?}");
}

#[test]
fn a_client_that_goes_away_while_it_is_held_is_noticed() {
    use std::io::Write;
    for (hold, redeemed) in [(Hold::BeforeDeciding, false), (Hold::BeforeAnswering, true)] {
        let provider = FakeProvider::start(Settings::default());
        let login = provider.login(&Account::default());
        provider.fault(Fault::refresh(How::Plain).hold(hold));
        let mut stream = std::net::TcpStream::connect(provider.address()).unwrap();
        stream.write_all(refresh_text(refresh_token(&login)).as_bytes()).unwrap();
        provider.wait_for_held(1);
        drop(stream);
        provider.wait_until(|oracle| oracle.log()[0].fate == Fate::ClientGone);
        assert_eq!(provider.oracle().is_redeemed(login.serial), redeemed);
        assert_eq!(provider.release(), 0);
    }
}
