use super::settings_file::SettingsFile;
use super::tier::Tier;
use super::*;

const KEY: &str = "sxk_7f3k9q2m1c0d_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8_b89088a4";
const REMOTE: (&str, &str) = ("CODEX_TOKEN_SOURCE", "remote");
const URL: (&str, &str) = ("CODEX_REMOTE_URL", "https://b.example/codex");

/// What the first source is set to.
fn meant(file: &str, environment: &[(&str, &str)]) -> Result<SourceSettings, Failure> {
    with_settings(file, environment, |settings, surroundings, talk| {
        let settings = settings?;
        settings.of(settings.sources()[0], surroundings, talk)
    })
}

fn sources(file: &str) -> Result<Vec<SourceName>, Failure> {
    with_settings(file, &[], |settings, _, _| settings.map(|settings| settings.sources().to_vec()))
}

fn with_settings<T>(
    file: &str,
    environment: &[(&str, &str)],
    look: impl FnOnce(Result<Settings, Failure>, &Surroundings<'_>, &mut Talk) -> T,
) -> T {
    let lookup = |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
    let surroundings = Surroundings { environment: &lookup, directory: "/here".into(), program_directory: None };
    let files = [SettingsFile::with_text("/p/scorpiox-env.txt", Tier::User, file)];
    let mut talk = Talk::default();
    let written = Written::put_together(&files, &lookup, &mut talk);
    look(written.and_then(Settings::from_written), &surroundings, &mut talk)
}

fn refusal(file: &str, environment: &[(&str, &str)]) -> String {
    let failure = meant(file, environment).unwrap_err();
    assert_eq!(failure.class.exit_code(), 78);
    failure.to_string()
}

#[test]
fn sources_are_asked_in_the_order_in_which_they_were_written() {
    assert_eq!(sources(""), Ok(vec![SourceName::Local]));
    assert_eq!(sources("CODEX_TOKEN_SOURCE=remote, local"), Ok(vec![SourceName::Remote, SourceName::Local]));
    let line = sources("\nCODEX_TOKEN_SOURCE=local,remot").unwrap_err().to_string();
    assert!(
        line.starts_with("CODEX_TOKEN_SOURCE (/p/scorpiox-env.txt, line 2): expected local, remote or ssh"),
        "{line}"
    );
}

#[test]
fn what_is_not_set_up_can_be_told_from_what_is_set_up_wrongly() {
    let absent = |environment: &[_]| meant("", environment).unwrap_err().is_absence();
    let key = ("TOKEN_HTTP_API_KEY", KEY);
    assert!(absent(&[REMOTE]) && absent(&[REMOTE, key]) && absent(&[]));
    assert!(!absent(&[REMOTE, URL, ("TOKEN_HTTP_API_KEY", "sxk_cutoff")]));
    assert!(!absent(&[REMOTE, key, ("CODEX_REMOTE_URL", "http://b.example/codex")]));
    assert!(!absent(&[REMOTE, URL, key, ("CODEX_REMOTE_PIN", "sha256:x")]));
}

#[test]
fn who_set_a_broker_but_no_source_is_told_what_is_missing() {
    let overlooked = |environment: &[_]| with_settings("", environment, |s, _, _| s.unwrap().overlooked_source());
    assert_eq!(overlooked(&[]), None);
    assert_eq!(overlooked(&[URL]).unwrap(), "CODEX_REMOTE_URL is set, so set CODEX_TOKEN_SOURCE=remote too");
    assert!(overlooked(&[("CODEX_SSH_HOST", "h")]).unwrap().contains("=ssh"));
    assert_eq!(overlooked(&[URL, ("CODEX_TOKEN_SOURCE", "local")]), None);
}

#[test]
fn lists_with_other_sources_or_keys_have_another_fingerprint() {
    let print = |environment: &[_]| with_settings("", environment, |s, at, _| s.unwrap().fingerprint(at));
    let key = ("TOKEN_HTTP_API_KEY", KEY);
    assert_eq!(print(&[REMOTE, URL, key]), print(&[REMOTE, key, URL]));
    let others = [
        print(&[REMOTE, URL, key]),
        print(&[URL, key]),
        print(&[REMOTE, URL]),
        print(&[REMOTE, URL, ("TOKEN_HTTP_API_KEY_FILE", "key")]),
        print(&[REMOTE, URL, key, ("CODEX_CREDENTIALS_FILE", "a.json")]),
    ];
    for (index, one) in others.iter().enumerate() {
        assert!(!others[..index].contains(one), "{index}");
        assert!(one.len() == 16 && one.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}

#[test]
fn a_key_goes_only_to_an_address_that_the_user_set() {
    assert!(refusal("", &[REMOTE, ("TOKEN_HTTP_API_KEY", KEY)]).contains("set CODEX_REMOTE_URL"));
    assert!(refusal("", &[REMOTE]).contains("set CODEX_REMOTE_URL"));
    let settings = meant("", &[REMOTE, URL, ("TOKEN_HTTP_API_KEY", KEY)]).unwrap();
    let SourceSettings::Remote(remote) = settings else { panic!("{settings:?}") };
    assert_eq!((remote.url.as_str(), remote.key.unwrap().id()), ("https://b.example/codex", "7f3k9q2m1c0d"));
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
        SourceSettings::Remote(remote) => remote.trust,
        other => panic!("{other:?}"),
    };
    assert!(matches!(trust(&environment), Trust::Pins(pins) if pins.len() == 1));
    let without = |name: &str| environment.iter().copied().filter(|(key, _)| *key != name).collect::<Vec<_>>();
    assert_eq!(trust(&without("CODEX_REMOTE_PIN")), Trust::CaFile("/ca.pem".into()));
    let neither: Vec<_> =
        without("CODEX_REMOTE_PIN").into_iter().filter(|(k, _)| *k != "CODEX_REMOTE_CA_FILE").collect();
    assert_eq!(trust(&neither), Trust::System(Some("/sys.pem".into())));
}

#[test]
fn a_provider_that_does_not_exist_yet_is_refused() {
    let line = refusal("PROVIDER=scorpiox", &[]);
    assert!(
        line.starts_with("PROVIDER (/p/scorpiox-env.txt, line 1): ") && line.contains("set PROVIDER=codex"),
        "{line}"
    );
    assert!(refusal("", &[("PROVIDER", "claude")]).starts_with("PROVIDER (environment): "));
}
