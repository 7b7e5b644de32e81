//! Many processes at once (matrix C4).

use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use crate::machine::{Machine, finish};
use crate::stub_broker::{StubBroker, token};

#[test]
fn fifty_processes_on_a_cold_cache_make_one_request() {
    let broker = StubBroker::start(|_, _| {
        // Long enough for all of them to have started.
        thread::sleep(Duration::from_millis(300));
        token(7)
    });
    let machine = Machine::for_broker(&broker);
    let children: Vec<_> = (0..50).map(|_| machine.start(&["--raw"])).collect();
    for child in children {
        finish(child).gave(7);
    }
    assert_eq!(broker.count(), 1);
}

#[test]
fn a_killed_process_does_not_keep_the_others_waiting() {
    let (arrived, first_arrived) = channel();
    // The first request is answered only when the test is over and drops this.
    let (_unanswered, test_is_over) = channel::<()>();
    let (arrived, test_is_over) = (Mutex::new(arrived), Mutex::new(test_is_over));
    let broker = StubBroker::start(move |number, _| {
        if number == 0 {
            arrived.lock().unwrap().send(()).unwrap();
            let _ = test_is_over.lock().unwrap().recv_timeout(Duration::from_secs(30));
        }
        token(7)
    });
    let machine = Machine::for_broker(&broker);
    let mut holder = machine.start(&["--raw"]);
    first_arrived.recv_timeout(Duration::from_secs(10)).unwrap();
    let waiting = machine.start(&["--raw"]);
    holder.kill().unwrap();
    holder.wait().unwrap();
    finish(waiting).gave(7);
    assert_eq!(broker.count(), 2);
}
