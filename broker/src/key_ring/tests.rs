use super::*;

fn key(byte: u8) -> MasterKey {
    MasterKey::from_bytes([byte; 32])
}

const HERE: Place<'static> = Place { table: "t", row: "r", column: "c", generation: 1 };

fn reread(ring: &KeyRing, given: &MasterKey) -> Result<KeyRing, KeyRingError> {
    KeyRing::read(&ring.text(), given)
}

#[test]
fn during_a_change_either_key_opens_the_ring_and_everything_is_sealed_under_the_new_one() {
    let ring = KeyRing::alone(key(1)).changing_to(key(2));
    for given in [key(1), key(2)] {
        let read = reread(&ring, &given).unwrap();
        assert_eq!(read.current().key_id(), key(2).key_id());
        assert_eq!(read.change(), Change::From(key(1).key_id()));
        let old = Sealer::new(&key(1)).seal(&HERE, b"old");
        assert_eq!(read.sealer().open(&HERE, &old).unwrap().as_slice(), b"old");
        assert_eq!(read.sealer().key_id(), key(2).key_id());
    }
}

#[test]
fn after_a_change_the_old_key_opens_nothing_and_the_new_one_everything() {
    let ring = KeyRing::alone(key(1)).changing_to(key(2)).settled();
    let Err(KeyRingError::OtherKey { needed, given }) = reread(&ring, &key(1)) else { panic!("it opens") };
    assert_eq!((needed, given), (key(2).key_id(), key(1).key_id()));
    let read = reread(&ring, &key(2)).unwrap();
    assert_eq!(read.change(), Change::Settled);
    assert_eq!(read.sealer().open(&HERE, &Sealer::new(&key(1)).seal(&HERE, b"old")).unwrap().as_slice(), b"old");
}

#[test]
fn names_and_macs_outlive_every_change() {
    let token = scorpiox_wire::Secret::new("token");
    let first = Sealer::new(&key(1));
    let mut ring = KeyRing::alone(key(1));
    for next in 2..5 {
        ring = reread(&ring.changing_to(key(next)).settled(), &key(next)).unwrap();
        let sealer = ring.sealer();
        assert_eq!(sealer.fingerprint(&token), first.fingerprint(&token));
        assert!(sealer.verify("audit", b"entry", &first.authenticate("audit", b"entry")));
        assert_eq!(sealer.names_id(), key(1).key_id());
    }
    assert!(ring.knows(key(2).key_id()) && ring.knows(key(3).key_id()) && !ring.knows(key(5).key_id()));
}

#[test]
fn a_sealer_that_serves_changes_in_all_its_clones() {
    let sealer = Sealer::new(&key(1));
    let clone = sealer.clone();
    let old = clone.seal(&HERE, b"old");
    sealer.succeed(&key(2));
    assert_eq!(clone.key_id(), key(2).key_id());
    assert_eq!(clone.open(&HERE, &old).unwrap().as_slice(), b"old");
    let new = clone.seal(&HERE, b"new");
    assert!(Sealer::new(&key(1)).open(&HERE, &new).is_err(), "sealed under the new key only");
}

#[test]
fn a_ring_that_was_changed_or_cut_off_opens_nothing() {
    let text = KeyRing::alone(key(1)).changing_to(key(2)).text();
    let other = KeyRing::alone(key(3)).changing_to(key(4)).text();
    let foreign_line = other.lines().nth(3).unwrap();
    for (what, text) in [
        ("empty", String::new()),
        ("later version", text.replace("ring 1", "ring 2")),
        ("a key of another ring", text.replace(text.lines().nth(3).unwrap(), foreign_line)),
        ("names of nobody", text.replace(&format!("names {}", key(1).key_id()), &format!("names {}", key(9).key_id()))),
        ("half a line", text[..text.len() - 9].to_owned()),
        ("an unknown line", format!("{text}more 00 00\n")),
    ] {
        assert!(matches!(KeyRing::read(&text, &key(1)), Err(KeyRingError::Malformed(_))), "{what}");
    }
    assert!(KeyRing::read(&text, &key(1)).is_ok());
}

#[test]
fn no_key_stands_in_the_file_in_the_clear() {
    let text = KeyRing::alone(key(0xa1)).changing_to(key(0xb2)).text();
    for byte in [0xa1, 0xb2] {
        assert!(!text.contains(&*hex::encode(&[byte; 32])));
    }
}
