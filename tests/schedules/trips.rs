//! What goes wrong on the way to the provider.

use std::time::Duration;

use fake_provider::{Account, Fault, How, OddJwt, Twist};
use scorpiox_tests::sim::{Dialing, Trip};

use super::dice::Dice;

/// A way to the provider on which something goes wrong, or nothing.
pub(super) fn trip(dice: &mut Dice, may_say_earliest: bool) -> Trip {
    let mut trip = match dice.in_range(0..=9) {
        0 => Trip::dialing(Dialing::Fails),
        1 => Trip::dialing(Dialing::ThenClosed),
        2 => Trip { closed_before_writing: true, ..Trip::default() },
        3 => Trip { stall: dice.seconds(1..=8), ..Trip::default() },
        _ => Trip { fault: fault(dice, may_say_earliest), ..Trip::default() },
    };
    if dice.once_in(3) {
        trip.there = Duration::from_millis(dice.in_range(0..=40_000));
    }
    if dice.once_in(3) {
        trip.back = Duration::from_millis(dice.in_range(0..=40_000));
    }
    trip
}

fn fault(dice: &mut Dice, may_say_earliest: bool) -> Option<Fault> {
    let reset = dice.once_in(2);
    Some(match dice.in_range(0..=19) {
        0..=2 => return None,
        3 => Fault::refresh(How::CutBefore { reset }),
        4 => Fault::refresh(How::CutAfter { reset, body_bytes: None }),
        5 => Fault::refresh(How::CutAfter { reset, body_bytes: Some(10) }),
        6 => Fault::refresh_code(429, "rate_limited"),
        7 => Fault::refresh_code(429, "rate_limited").header("retry-after", dice.in_range(1..=2_000).to_string()),
        8 => Fault::refresh(How::Html { status: 403 }),
        // Some servers redeem and then fail.
        9 => Fault::refresh_status(503, "later".into()).redeeming(dice.once_in(3)),
        10 => Fault::refresh_status(500, "oops".into()),
        11 => Fault::refresh(How::Garbage).redeeming(dice.once_in(3)),
        12 => Fault::refresh(How::TruncatedJson),
        13 => Fault::refresh(How::Redirect { status: 307, location: "https://elsewhere.invalid/".into() }),
        14 => Fault::refresh(How::Drip { every_ms: dice.in_range(1..=20) }),
        15 => Fault::refresh_code(400, "something_new"),
        16 => ended(dice),
        17..=19 => Fault::refresh_twist(twist(dice, may_say_earliest)),
        _ => unreachable!("the range ends before"),
    })
}

/// Rarely, because it ends the story of a login.
fn ended(dice: &mut Dice) -> Fault {
    if dice.once_in(4) {
        let codes = ["refresh_token_invalidated", "refresh_token_expired", "invalid_grant"];
        Fault::refresh_code(401, dice.pick::<&str>(&codes))
    } else {
        Fault::refresh(How::Html { status: 200 })
    }
}

fn twist(dice: &mut Dice, may_say_earliest: bool) -> Twist {
    match dice.in_range(0..=8) {
        0 | 1 => Twist::WithoutRefreshToken,
        2 => Twist::WithoutIdToken,
        3 => Twist::WithoutExpiresIn,
        4 => Twist::EmptyAccessToken,
        5 => Twist::AccessTokenLife(if dice.once_in(2) { -5 } else { 900 }),
        6 => {
            let odd = [OddJwt::Opaque, OddJwt::AlgNone, OddJwt::ExpMissing, OddJwt::ExpNegative, OddJwt::ExpYear9999];
            Twist::Jwt(*dice.pick(&odd))
        }
        7 if dice.once_in(4) => Twist::AnotherAccount(Account::numbered(99)),
        8 if may_say_earliest => Twist::EarliestRefreshAfter(i64::try_from(dice.in_range(60..=2_400)).unwrap()),
        _ => Twist::WithoutIdToken,
    }
}
