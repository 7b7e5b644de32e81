use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::*;
use crate::hex;

/// Cheap enough for a test that runs often.
const CHEAP: Argon = Argon { memory_kib: 64, rounds: 1, lanes: 1 };

struct Bench {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("master.key");
        Self { _directory: directory, path }
    }

    fn write(&self, text: &str) {
        fs::write(&self.path, text).unwrap();
        fs::set_permissions(&self.path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }

    fn file_of(key: [u8; 32]) -> String {
        let id = MasterKey::from_bytes(key).key_id();
        format!("scorpiox-master-key 1\nid {id}\nkey {}\n", *hex::encode(&key))
    }
}

fn secret(text: &str) -> Secret {
    Secret::new(text)
}

#[test]
fn a_new_key_is_read_back_and_is_private() {
    let bench = Bench::new();
    let made = create(&bench.path).unwrap();
    let mode = fs::metadata(&bench.path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert_eq!(load(&bench.path, None).unwrap().expose(), made.expose());
    assert!(!made.is_sample());
}

#[test]
fn an_existing_key_is_never_replaced() {
    let bench = Bench::new();
    let made = create(&bench.path).unwrap();
    assert!(matches!(create(&bench.path), Err(KeyFileError::Exists(_))));
    assert_eq!(load(&bench.path, None).unwrap().key_id(), made.key_id());
}

#[test]
fn a_file_that_others_can_read_is_refused_with_the_command_that_helps() {
    let bench = Bench::new();
    create(&bench.path).unwrap();
    for mode in [0o640, 0o604, 0o660, 0o610] {
        fs::set_permissions(&bench.path, fs::Permissions::from_mode(mode)).unwrap();
        let error = load(&bench.path, None).unwrap_err();
        assert!(error.to_string().contains(&format!("chmod 600 {}", bench.path.display())), "{error}");
    }
    fs::set_permissions(&bench.path, fs::Permissions::from_mode(0o400)).unwrap();
    load(&bench.path, None).unwrap();
}

#[test]
fn sample_keys_are_refused() {
    let counted: [u8; 32] = std::array::from_fn(|index| index as u8);
    for key in [
        [0; 32],
        [0x07; 32],
        [0xff; 32],
        counted,
        *b"replace-me-by-32-random-bytes...",
        *b"0123456789abcdef0123456789abcdef",
    ] {
        let bench = Bench::new();
        bench.write(&Bench::file_of(key));
        assert!(matches!(load(&bench.path, None), Err(KeyFileError::Sample(_))), "{key:?}");
        assert!(MasterKey::from_bytes(key).is_sample());
    }
}

#[test]
fn a_missing_file_is_missing_and_stays_so() {
    let bench = Bench::new();
    assert!(matches!(load(&bench.path, None), Err(KeyFileError::Missing(_))));
    assert!(!bench.path.exists());
}

#[test]
fn what_is_no_key_file_is_refused_without_repeating_it() {
    let bench = Bench::new();
    create(&bench.path).unwrap();
    let good = bench.text();
    let key_line = good.lines().last().unwrap().to_owned();
    let cases = [
        String::new(),
        good.replace("master-key 1", "master-key 2"),
        good.replace("master-key", "pepper"),
        good.replace("id ", "ID "),
        good.replace(&key_line, ""),
        good.replace(&key_line, &key_line[..key_line.len() - 1]),
        good.replace(&key_line, &format!("key {}", "ab".repeat(32))),
        format!("{good}key again\n"),
        good.replace(&key_line, "argon2id m=99999999 t=3 p=1 salt=00112233445566778899aabbccddeeff\nwrapped 00"),
        good.replace(&key_line, "argon2id m=0 t=3 p=1 salt=00112233445566778899aabbccddeeff\nwrapped 00"),
    ];
    for text in cases {
        bench.write(&text);
        let error = load(&bench.path, Some(&secret("x"))).unwrap_err();
        assert!(matches!(error, KeyFileError::Malformed { .. }), "{text}: {error}");
        assert!(!format!("{error} {error:?}").contains(&key_line[4..20]));
    }
    bench.write(&format!("\n# mine\n{good}"));
    load(&bench.path, None).unwrap();
}

#[test]
fn a_directory_is_no_key_file() {
    let bench = Bench::new();
    fs::create_dir(&bench.path).unwrap();
    assert!(load(&bench.path, None).is_err());
}

#[test]
fn a_wrapped_key_needs_its_passphrase() {
    let bench = Bench::new();
    let made = create(&bench.path).unwrap();
    wrap(&bench.path, None, &secret("correct horse"), CHEAP).unwrap();
    assert!(!bench.text().contains(&**hex::encode(made.expose())));
    assert!(matches!(load(&bench.path, None), Err(KeyFileError::PassphraseNeeded(_))));
    assert!(matches!(load(&bench.path, Some(&secret("wrong horse"))), Err(KeyFileError::PassphraseWrong(_))));
    assert_eq!(load(&bench.path, Some(&secret("correct horse"))).unwrap().expose(), made.expose());
}

#[test]
fn a_passphrase_can_be_changed_and_removed() {
    let bench = Bench::new();
    let made = create(&bench.path).unwrap();
    wrap(&bench.path, None, &secret("one"), CHEAP).unwrap();
    let refused = wrap(&bench.path, Some(&secret("other")), &secret("two"), CHEAP);
    assert!(matches!(refused, Err(KeyFileError::PassphraseWrong(_))));
    wrap(&bench.path, Some(&secret("one")), &secret("two"), CHEAP).unwrap();
    assert!(load(&bench.path, Some(&secret("one"))).is_err());
    unwrap(&bench.path, &secret("two")).unwrap();
    assert_eq!(load(&bench.path, None).unwrap().expose(), made.expose());
}

#[test]
fn the_default_costs_of_a_passphrase_stand_in_the_file() {
    let bench = Bench::new();
    create(&bench.path).unwrap();
    wrap(&bench.path, None, &secret("one"), Argon::default()).unwrap();
    assert!(bench.text().contains("\nargon2id m=65536 t=3 p=1 salt="));
    load(&bench.path, Some(&secret("one"))).unwrap();
}

#[test]
fn a_damaged_wrapped_key_is_not_called_a_wrong_passphrase() {
    let bench = Bench::new();
    create(&bench.path).unwrap();
    wrap(&bench.path, None, &secret("one"), CHEAP).unwrap();
    let mut text = bench.text();
    let last = text.trim_end().len() - 1;
    let flipped = if text.as_bytes()[last] == b'0' { "1" } else { "0" };
    text.replace_range(last..=last, flipped);
    bench.write(&text);
    assert!(matches!(load(&bench.path, Some(&secret("one"))), Err(KeyFileError::Malformed { .. })));
}

#[test]
fn a_pepper_is_no_master_key() {
    let bench = Bench::new();
    let pepper = Pepper::create(&bench.path).unwrap();
    assert!(matches!(load(&bench.path, None), Err(KeyFileError::Malformed { .. })));
    assert_eq!(Pepper::load(&bench.path, None).unwrap().mac("sxk_1"), pepper.mac("sxk_1"));
}

#[test]
fn a_mac_fits_its_key_and_pepper_only() {
    let pepper = Pepper::from_bytes(&[1; 32]);
    let mac = pepper.mac("sxk_1");
    assert!(pepper.verify("sxk_1", &mac));
    assert!(!pepper.verify("sxk_2", &mac));
    assert!(!Pepper::from_bytes(&[2; 32]).verify("sxk_1", &mac));
    assert!(!pepper.verify("sxk_1", &mac[..31]));
    // HMAC-SHA-256 itself, so that another implementation can check a row.
    assert_eq!(*hex::encode(&mac), "5caa60539b08690028ff72439708239475e308ecaa9f0f058c5dd9e53aabb8e4");
}

#[test]
fn debug_shows_no_pepper() {
    assert_eq!(format!("{:?}", Pepper::from_bytes(&[1; 32])), "Pepper([redacted])");
}
