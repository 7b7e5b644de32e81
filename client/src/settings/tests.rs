use super::settings_file::SettingsFile;
use super::tier::Tier;
use super::*;

const KEY: &str = "sxk_7f3k9q2m1c0d_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8_b89088a4";
const REMOTE: (&str, &str) = ("CODEX_TOKEN_SOURCE", "remote");
const URL: (&str, &str) = ("CODEX_REMOTE_URL", "https://b.example/codex");

fn meant(file: &str, environment: &[(&str, &str)]) -> Result<Settings, Failure> {
    let lookup = |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
    let surroundings = Surroundings { environment: &lookup, directory: "/here".into(), program_directory: None };
    let files = [SettingsFile::with_text("/p/scorpiox-env.txt", Tier::User, file)];
    let mut talk = Talk::default();
    let written = Written::put_together(&files, &lookup, &mut talk)?;
    Settings::from_written(&written, &surroundings, &mut talk)
}

fn refusal(file: &str, environment: &[(&str, &str)]) -> String {
    let failure = meant(file, environment).unwrap_err();
    assert_eq!(failure.class.exit_code(), 78);
    failure.to_string()
}

#[test]
fn nothing_set_means_the_stock_clients_file() {
    let stock = |environment: &[_]| match meant("", environment).unwrap() {
        Settings::Local(CredentialsFile::Stock(path)) => path,
        other => panic!("{other:?}"),
    };
    assert_eq!(stock(&[("HOME", "/home/a")]), PathBuf::from("/home/a/.codex/auth.json"));
    assert_eq!(stock(&[("HOME", "/home/a"), ("CODEX_HOME", "/c")]), PathBuf::from("/c/auth.json"));
    assert!(refusal("", &[]).contains("CODEX_CREDENTIALS_FILE"));
}

#[test]
fn a_relative_path_starts_where_it_was_written() {
    let chosen = |file: &str, environment: &[_]| match meant(file, environment).unwrap() {
        Settings::Local(CredentialsFile::Chosen(path)) => path,
        other => panic!("{other:?}"),
    };
    assert_eq!(chosen("CODEX_CREDENTIALS_FILE=a.json", &[]), PathBuf::from("/p/a.json"));
    assert_eq!(chosen("", &[("CODEX_CREDENTIALS_FILE", "a.json")]), PathBuf::from("/here/a.json"));
    assert_eq!(chosen("", &[("CODEX_CREDENTIALS_FILE", "/x/a.json")]), PathBuf::from("/x/a.json"));
}

#[test]
fn a_source_that_does_not_exist_yet_says_so() {
    assert!(refusal("CODEX_TOKEN_SOURCE=ssh", &[]).contains("later version"));
    assert!(refusal("CODEX_TOKEN_SOURCE=remote,local", &[]).contains("later version"));
    let line = refusal("\nCODEX_TOKEN_SOURCE=remot", &[]);
    assert!(line.contains("/p/scorpiox-env.txt, line 2") && line.contains("use local or remote"), "{line}");
}

#[test]
fn a_key_goes_only_to_an_address_that_the_user_set() {
    assert!(refusal("", &[REMOTE, ("TOKEN_HTTP_API_KEY", KEY)]).contains("set CODEX_REMOTE_URL"));
    assert!(refusal("", &[REMOTE]).contains("set CODEX_REMOTE_URL"));
    let settings = meant("", &[REMOTE, URL, ("TOKEN_HTTP_API_KEY", KEY)]).unwrap();
    let Settings::Remote(remote) = settings else { panic!("{settings:?}") };
    assert_eq!((remote.url.as_str(), remote.key.id()), ("https://b.example/codex", "7f3k9q2m1c0d"));
    assert_eq!(remote.trust, Trust::System(None));
}

#[test]
fn two_keys_in_one_place_contradict_each_other() {
    let file = format!("TOKEN_HTTP_API_KEY={KEY}\nTOKEN_HTTP_API_KEY_FILE=key");
    assert!(refusal(&file, &[REMOTE, URL]).contains("remove one of the two"));
}

#[test]
fn a_malformed_value_is_named_with_its_place_and_not_repeated() {
    let line = refusal("", &[REMOTE, URL, ("TOKEN_HTTP_API_KEY", "sxk_cutoff")]);
    assert!(line.starts_with("TOKEN_HTTP_API_KEY (environment): "), "{line}");
    assert!(!line.contains("cutoff"));
    let key = ("TOKEN_HTTP_API_KEY", KEY);
    assert!(refusal("", &[REMOTE, key, ("CODEX_REMOTE_URL", "http://b.example/codex")]).contains("https"));
    assert!(refusal("", &[REMOTE, URL, key, ("CODEX_REMOTE_PIN", "sha256:x")]).contains("pin"));
    assert!(refusal("", &[REMOTE, URL]).contains("no client key"));
}

#[test]
fn a_pin_decides_before_a_file_of_certificates() {
    let pin = format!("sha256:{}", "0".repeat(64));
    let environment = [
        REMOTE,
        URL,
        ("TOKEN_HTTP_API_KEY", KEY),
        ("CODEX_REMOTE_PIN", &pin),
        ("CODEX_REMOTE_CA_FILE", "/ca.pem"),
        ("SSL_CERT_FILE", "/sys.pem"),
    ];
    let trust = |environment: &[_]| match meant("", environment).unwrap() {
        Settings::Remote(remote) => remote.trust,
        other => panic!("{other:?}"),
    };
    assert!(matches!(trust(&environment), Trust::Pins(pins) if pins.len() == 1));
    let without = |name: &str| environment.iter().copied().filter(|(key, _)| *key != name).collect::<Vec<_>>();
    assert_eq!(trust(&without("CODEX_REMOTE_PIN")), Trust::CaFile("/ca.pem".into()));
    let neither: Vec<_> =
        without("CODEX_REMOTE_PIN").into_iter().filter(|(k, _)| *k != "CODEX_REMOTE_CA_FILE").collect();
    assert_eq!(trust(&neither), Trust::System(Some("/sys.pem".into())));
}
