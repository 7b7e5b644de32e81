use super::*;

const DEVICE: DeviceHash = [5; 32];

fn at(seconds: u64) -> Monotonic {
    Monotonic::from_zero(Duration::from_secs(1_000 + seconds))
}

fn asking(number: u8, address: &str) -> Asking {
    Asking {
        user_code: UserCode::from_random([number; 16]),
        address: Some(address.parse().unwrap()),
        agent: String::new(),
        asked_at: Timestamp::from_unix(1_700_000_000),
    }
}

fn begun() -> (DeviceGrants, UserCode) {
    let mut grants = DeviceGrants::default();
    let asking = asking(1, "192.0.2.1");
    let code = asking.user_code.clone();
    grants.begin(DEVICE, asking, at(0)).unwrap();
    (grants, code)
}

fn client() -> ClientId {
    ClientId::from_stored("c1".into())
}

fn approve(grants: &mut DeviceGrants, code: &UserCode, now: Monotonic) {
    grants.reserve(code, now).unwrap();
    grants.approve(code, client()).unwrap();
}

#[test]
fn of_two_who_are_about_to_agree_one_may() {
    let (mut grants, code) = begun();
    grants.reserve(&code, at(1)).unwrap();
    assert_eq!(grants.reserve(&code, at(1)), Err(NobodyWaits));
    assert_eq!((grants.deny(&code, at(1)), grants.pending(at(1)).len()), (Err(NobodyWaits), 0));
    assert_eq!(grants.poll(&DEVICE, at(1)), Poll::Pending);
    grants.release(&code);
    approve(&mut grants, &code, at(2));
    grants.release(&code);
    assert_eq!(grants.poll(&DEVICE, at(6)), Poll::Approved(client()), "what is agreed is not taken back");
}

#[test]
fn a_network_of_one_house_is_one_address() {
    let mut grants = DeviceGrants::default();
    for number in 0..10 {
        grants.begin([number; 32], asking(number, &format!("2001:db8:0:1::{number}")), at(0)).unwrap();
    }
    assert_eq!(grants.begin([10; 32], asking(10, "2001:db8:0:1:ffff::1"), at(0)), Err(Full::OfAddress));
    assert_eq!(grants.begin([10; 32], asking(10, "2001:db8:0:2::1"), at(0)), Ok(()));
}

#[test]
fn a_code_is_eight_letters_read_however_they_are_typed() {
    let code = UserCode::from_random([77; 16]);
    let shown = code.to_string();
    assert_eq!((shown.len(), shown.as_bytes()[4]), (9, b'-'));
    assert_eq!(UserCode::parse(&shown.to_lowercase().replace('-', " ")), Ok(code));
    assert_eq!(UserCode::parse("BCDF-GHJ"), Err(MalformedUserCode));
}

#[test]
fn a_program_waits_until_somebody_decides_and_is_told_once() {
    let (mut grants, code) = begun();
    assert_eq!(grants.poll(&DEVICE, at(0)), Poll::Pending, "the first question may come at once");
    assert_eq!(grants.poll(&DEVICE, at(5)), Poll::Pending);
    assert_eq!(grants.pending(at(5)).len(), 1);
    approve(&mut grants, &code, at(6));
    assert!(grants.pending(at(6)).is_empty());
    assert_eq!(grants.poll(&DEVICE, at(10)), Poll::Approved(client()));
    assert_eq!(grants.poll(&DEVICE, at(15)), Poll::Pending, "twice at once, it is answered once");
    grants.give_back(&DEVICE);
    assert_eq!(grants.poll(&DEVICE, at(20)), Poll::Approved(client()));
    grants.end(&DEVICE);
    grants.give_back(&DEVICE);
    assert_eq!(grants.poll(&DEVICE, at(25)), Poll::Expired);
}

#[test]
fn a_program_that_asks_too_soon_waits_five_seconds_longer_each_time() {
    let (mut grants, code) = begun();
    assert_eq!(grants.poll(&DEVICE, at(0)), Poll::Pending);
    assert_eq!(grants.poll(&DEVICE, at(2)), Poll::SlowDown);
    assert_eq!(grants.poll(&DEVICE, at(8)), Poll::SlowDown, "it was to wait ten");
    approve(&mut grants, &code, at(9));
    assert_eq!(grants.poll(&DEVICE, at(18)), Poll::SlowDown, "it was to wait fifteen, also for good news");
    assert_eq!(grants.poll(&DEVICE, at(38)), Poll::Approved(client()));
}

#[test]
fn a_network_that_is_a_little_fast_is_not_too_soon() {
    let (mut grants, _) = begun();
    assert_eq!(grants.poll(&DEVICE, at(0)), Poll::Pending);
    assert_eq!(grants.poll(&DEVICE, at(4)), Poll::Pending);
}

#[test]
fn a_program_that_was_refused_stays_refused() {
    let (mut grants, code) = begun();
    grants.deny(&code, at(1)).unwrap();
    assert_eq!(grants.reserve(&code, at(2)), Err(NobodyWaits));
    assert_eq!(grants.approve(&code, client()), Err(NobodyWaits));
    assert_eq!(grants.poll(&DEVICE, at(3)), Poll::Denied);
    assert_eq!(grants.poll(&DEVICE, at(9)), Poll::Denied);
}

#[test]
fn after_ten_minutes_nobody_waits() {
    let (mut grants, code) = begun();
    assert!(grants.find(&code, at(599)).is_ok());
    assert_eq!(grants.find(&code, at(600)), Err(NobodyWaits));
    assert_eq!(grants.reserve(&code, at(600)), Err(NobodyWaits));
    assert_eq!(grants.poll(&DEVICE, at(600)), Poll::Expired);
    assert_eq!(grants.poll(&[6; 32], at(1)), Poll::Expired);
}

#[test]
fn an_address_has_ten_requests_and_all_have_a_thousand() {
    let mut grants = DeviceGrants::default();
    let hash = |number: usize| {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&(number as u64).to_be_bytes());
        hash
    };
    for number in 0..MOST_OF_ADDRESS {
        grants.begin(hash(number), asking(1, "192.0.2.1"), at(0)).unwrap();
    }
    assert_eq!(grants.begin(hash(10), asking(1, "192.0.2.1"), at(0)), Err(Full::OfAddress));
    for number in MOST_OF_ADDRESS..MOST {
        let address = IpAddr::from(u32::try_from(number).unwrap().to_be_bytes());
        grants.begin(hash(number), asking(1, &address.to_string()), at(0)).unwrap();
    }
    assert_eq!(grants.begin(hash(MOST), asking(1, "192.0.2.9"), at(0)), Err(Full::InAll));
    assert_eq!(grants.begin(hash(MOST), asking(1, "192.0.2.9"), at(600)), Ok(()), "the old ones have ended");
}
