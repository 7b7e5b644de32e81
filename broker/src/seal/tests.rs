use proptest::prelude::*;

use super::*;

const PLACE: Place<'_> = Place { table: "credential", row: "4k2j", column: "refresh_token", generation: 7 };

fn sealer(byte: u8) -> Sealer {
    Sealer::new(&MasterKey::from_bytes([byte; 32]))
}

#[test]
fn what_was_sealed_opens_in_its_place() {
    for plaintext in [&b""[..], b"x", &[0xa5; 70_000]] {
        let sealed = sealer(1).seal(&PLACE, plaintext);
        assert_eq!(sealed.len(), plaintext.len() + OVERHEAD);
        assert_eq!(sealer(1).open(&PLACE, &sealed).unwrap().as_slice(), plaintext);
    }
}

#[test]
fn equal_texts_are_sealed_differently() {
    assert_ne!(sealer(1).seal(&PLACE, b"rt_1"), sealer(1).seal(&PLACE, b"rt_1"));
}

#[test]
fn a_value_that_was_moved_does_not_open() {
    let sealed = sealer(1).seal(&PLACE, b"rt_1");
    let elsewhere = [
        Place { table: "client", ..PLACE },
        Place { row: "4k2k", ..PLACE },
        Place { column: "access_token", ..PLACE },
        Place { generation: 6, ..PLACE },
        // The same characters, cut differently.
        Place { table: "credential4", row: "k2j", ..PLACE },
        Place { row: "4k2jrefresh", column: "_token", ..PLACE },
    ];
    for place in elsewhere {
        assert_eq!(sealer(1).open(&place, &sealed), Err(OpenError::Damaged), "{place:?}");
    }
}

#[test]
fn another_key_is_named() {
    let sealed = sealer(1).seal(&PLACE, b"rt_1");
    assert_eq!(sealer(2).open(&PLACE, &sealed), Err(OpenError::WrongKey { needed: sealer(1).key_id() }));
}

#[test]
fn a_key_that_only_has_the_same_id_opens_nothing() {
    let sealed = sealer(1).seal(&PLACE, b"rt_1");
    let mut impostor = sealed.clone();
    impostor[1..HEADER_LENGTH].copy_from_slice(sealer(2).key_id().as_bytes());
    assert_eq!(sealer(2).open(&PLACE, &impostor), Err(OpenError::Damaged));
}

#[test]
fn the_commitment_is_checked_apart_from_the_cipher() {
    let sealer = sealer(1);
    let mut sealed = sealer.seal(&PLACE, b"rt_1");
    let last = sealed.len() - 1;
    sealed[last] ^= 1;
    assert_eq!(sealer.open(&PLACE, &sealed), Err(OpenError::Damaged));
}

#[test]
fn what_is_too_short_or_of_a_later_version_is_malformed() {
    let sealed = sealer(1).seal(&PLACE, b"");
    for length in 0..sealed.len() {
        assert_eq!(sealer(1).open(&PLACE, &sealed[..length]), Err(OpenError::Malformed), "{length}");
    }
    let mut later = sealed;
    later[0] = VERSION + 1;
    assert_eq!(sealer(1).open(&PLACE, &later), Err(OpenError::Malformed));
}

#[test]
fn every_flipped_bit_is_noticed() {
    let sealer = sealer(1);
    let sealed = sealer.seal(&PLACE, b"a refresh token of usual kind");
    for bit in 0..sealed.len() * 8 {
        let mut flipped = sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(sealer.open(&PLACE, &flipped).is_err(), "bit {bit}");
    }
}

#[test]
fn a_mac_is_good_for_its_purpose_and_key_only() {
    let mac = sealer(1).authenticate("mark", b"text");
    assert!(sealer(1).verify("mark", b"text", &mac));
    assert!(!sealer(1).verify("audit", b"text", &mac));
    assert!(!sealer(1).verify("mark", b"texu", &mac));
    assert!(!sealer(2).verify("mark", b"text", &mac));
    assert!(!sealer(1).verify("mark", b"text", &mac[..31]));
}

#[test]
fn the_derivations_never_change() {
    // Literal values: a change here makes every existing data directory unreadable.
    let sealer = sealer(1);
    assert_eq!(sealer.key_id().to_string(), "3d9688cf68cb76bc");
    assert_eq!(sealer.fingerprint(&Secret::new("rt_1")).to_string(), "b4c2c410952c74cc24fafe135b4624c0");
    assert_eq!(*hex::encode(&sealer.authenticate("mark", b"text")[..8]), "42809c4f58b8046f");
}

#[test]
fn a_value_sealed_by_an_earlier_build_still_opens() {
    let sealed = hex::decode(concat!(
        "013d9688cf68cb76bc66120113cccf25e41adb405a35442f3965d85c380ce1a7a96bd14087",
        "cba51ad11d791980798d6a3e0fa79c0a3d4936cf94077fffd4135a6eb9f4b37c3ecf36d0"
    ))
    .unwrap();
    assert_eq!(sealer(1).open(&PLACE, &sealed).unwrap().as_slice(), b"rt_1");
}

#[test]
fn key_ids_are_read_as_they_are_written() {
    let id = sealer(1).key_id();
    assert_eq!(id.to_string().parse(), Ok(id));
    assert_eq!("xyz".parse::<KeyId>(), Err(MalformedKeyId));
}

#[test]
fn debug_shows_no_key() {
    let master = MasterKey::from_bytes([0xab; 32]);
    for text in [format!("{master:?}"), format!("{:?}", Sealer::new(&master))] {
        assert!(!text.contains("abab") && !text.contains("171"), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_survives_and_no_flip_does(text: Vec<u8>, row: String, generation: u64, flip: prop::sample::Index) {
        let sealer = sealer(3);
        let place = Place { row: &row, generation, ..PLACE };
        let mut sealed = sealer.seal(&place, &text);
        prop_assert_eq!(sealer.open(&place, &sealed).unwrap().to_vec(), text);
        let bit = flip.index(sealed.len() * 8);
        sealed[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(sealer.open(&place, &sealed).is_err());
    }

    #[test]
    fn two_places_share_nothing(one: (String, String, String, u64), other: (String, String, String, u64)) {
        prop_assume!(one != other);
        let data = |(table, row, column, generation): &(String, String, String, u64)| {
            additional_data(sealer(3).key_id(), &Place { table, row, column, generation: *generation })
        };
        prop_assert_ne!(data(&one), data(&other));
    }
}
