use std::collections::BTreeSet;
use std::time::Duration;

use super::*;

const SAMPLE: &str = include_str!("../../../deploy/scorpiox-broker.toml");

fn sources(file: &str, environment: &[(&str, &str)]) -> Sources {
    Sources {
        file: Some(("b.toml".into(), file.to_owned())),
        environment: environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        options: Vec::new(),
        data: "/d".into(),
    }
}

fn faults(file: &str, environment: &[(&str, &str)]) -> Vec<String> {
    match Config::read(&sources(file, environment)) {
        Ok(_) => Vec::new(),
        Err(error) => error.0.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn nothing_written_is_a_good_configuration() {
    let config = Config::read(&sources("", &[])).unwrap();
    assert_eq!(config.data, Path::new("/d"));
    assert_eq!(config.listen, "127.0.0.1:8443".parse().unwrap());
    assert_eq!(config.limits.header_timeout, Duration::from_secs(5));
    assert_eq!(config.transport(), Transport::SelfSigned);
    assert_eq!(config.client_url(8443), "https://localhost:8443");
    assert_eq!(config.socket(), Path::new("/d/admin.sock"));
}

#[test]
fn an_option_beats_a_variable_and_a_variable_beats_the_file() {
    let mut sources = sources("name = 'file'\ndata = '/file'\n[limits]\nwait = '3s'", &[]);
    assert_eq!(Config::read(&sources).unwrap().name, "file");
    sources.environment =
        vec![("SCORPIOX_BROKER_NAME".into(), "variable".into()), ("SCORPIOX_BROKER_LIMITS_WAIT".into(), "4s".into())];
    sources.options = vec![Override { option: "--name", setting: ("", "name"), value: "option".into() }];
    let config = Config::read(&sources).unwrap();
    assert_eq!((config.name.as_str(), config.data.to_str()), ("option", Some("/file")));
    assert_eq!(config.limits.wait, Duration::from_secs(4));
}

#[test]
fn every_unknown_key_is_named_with_its_line() {
    let found = faults("name = 'a'\nlisten_on = 'x'\n\n[limits]\nbodybytes = 1\n[limit]\nx = 1\n", &[]);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("b.toml:2: there is no setting listen_on at the top level"), "{found:?}");
    assert!(found[1].starts_with("b.toml:5: there is no setting bodybytes in [limits]"), "{found:?}");
    assert!(found[2].starts_with("b.toml:6: there is no section [limit]"), "{found:?}");
}

#[test]
fn an_unknown_variable_is_refused_by_name_and_foreign_ones_are_left_alone() {
    let found = faults("", &[("SCORPIOX_BROKER_LIMITS_BODY", "1"), ("PATH", "/bin"), ("SCORPIOX_BROKER_CONFIG", "x")]);
    assert_eq!(found, ["SCORPIOX_BROKER_LIMITS_BODY: no setting has this variable"]);
}

#[test]
fn a_value_of_the_wrong_type_is_named_and_not_repeated() {
    let file = "workers = 'canary'\n[limits]\nkeep_alive = 30\nbody_bytes = '9'\ntrusted_proxies = ['canary']\n";
    let found = faults(file, &[("SCORPIOX_BROKER_LIMITS_WAIT", "canary"), ("SCORPIOX_BROKER_TLS_PLAIN_HTTP", "yes")]);
    let starts = [
        "b.toml:1: workers: a string is not accepted here; write a whole number",
        "b.toml:3: keep_alive: a whole number is not accepted here; write a number and its unit",
        "b.toml:4: body_bytes: a string",
        "b.toml:5: trusted_proxies: a list is not accepted here; write an address or a network",
        "SCORPIOX_BROKER_TLS_PLAIN_HTTP: plain_http: this text is not accepted here; write true or false",
        "SCORPIOX_BROKER_LIMITS_WAIT: wait: this text",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (fault, start) in found.iter().zip(starts) {
        assert!(fault.starts_with(start), "{fault}");
        assert!(!fault.contains("canary"), "{fault}");
    }
}

#[test]
fn broken_toml_is_named_with_its_line_and_not_quoted() {
    let found = faults("name = 'a'\n[provider]\nproxy = \"http://u:canary@p\n", &[]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("b.toml:3: "), "{found:?}");
    assert!(!found[0].contains("canary"), "{found:?}");
}

#[test]
fn contradictions_and_bounds_are_refused() {
    for (file, message) in [
        ("listen = '0.0.0.0:1'\n[tls]\nplain_http = true", "b.toml:3: plain_http: serves only a loopback"),
        ("[tls]\ncertificate = 'c'", "b.toml:2: certificate: certificate and key"),
        ("[tls]\ncertificate = 'c'\nkey = 'k'\nplain_http = true", "b.toml:4: plain_http: a certificate is"),
        ("[limits]\nwait = '15s'", "b.toml:2: wait: must be shorter"),
        ("[limits]\nheader_bytes = 100", "b.toml:2: header_bytes: must be from 1024"),
        ("[limits]\nconnections = 0", "b.toml:2: connections: must be from 1"),
        ("[limits]\nheader_timeout = '0s'", "b.toml:2: header_timeout: must be from"),
        ("[rotation]\nrenew_at_fraction = 1.5", "b.toml:2: renew_at_fraction: must be"),
        ("[rotation]\nrescue_slots = 0", "b.toml:2: rescue_slots: must be"),
        ("[provider]\nissuer = 'http://example.org'", "b.toml:2: issuer: must be an https"),
        ("[provider]\nproxy = 'nonsense'", "b.toml:2: proxy: must be a URL"),
        (
            "[keys]\nmaster_key_file = 'f'\nmaster_key_credential = 'c'",
            "b.toml:3: master_key_credential: the master key",
        ),
        ("[keys]\nmaster_key_file = 'f'\nmaster_key_command = ['/c']", "b.toml:3: master_key_command: the master key"),
        ("[keys]\nmaster_key_credential = 'a/b'", "b.toml:2: master_key_credential: is the name"),
        ("[keys]\nmaster_key_command = ['unwrap']", "b.toml:2: master_key_command: the program is named"),
        ("[log]\nlevel = 'info,=='", "b.toml:2: level: must be a level"),
        ("name = 'a b'", "b.toml:1: name: is neither"),
        ("[metrics]\nlisten = '0.0.0.0:1'", "b.toml:2: listen: is no loopback address, so a bearer"),
        ("[metrics]\nmost_clients = 0", "b.toml:2: most_clients: must be"),
        ("[alerts]\nwebhook_url = 'http://example.org/x'", "b.toml:2: webhook_url: must be an https"),
        ("[alerts]\nwebhook_secret_file = '/s'", "b.toml:2: webhook_secret_file: signs what"),
        ("[alerts]\ncommand = ['mail', 'me']", "b.toml:2: command: begins with the absolute"),
        ("workers = 0", "b.toml:1: workers: must be"),
        ("[serve]\ngateway_expires_in = \"30s\"", "b.toml:2: gateway_expires_in: must be from 31s"),
    ] {
        let found = faults(file, &[]);
        assert!(found.len() == 1 && found[0].starts_with(message), "{file}: {found:?}");
    }
    for file in [
        "listen = '0.0.0.0:1'\n[tls]\nplain_http_i_know_tokens_travel_in_the_clear = true",
        "listen = '[::1]:0'\n[tls]\nplain_http = true",
        "[provider]\nissuer = 'http://127.0.0.1:9'",
        "[metrics]\nlisten = '0.0.0.0:1'\ntoken_file = '/t'",
        "[metrics]\nlisten = '[::1]:1'",
        "[alerts]\nwebhook_url = 'http://127.0.0.1:9/x'\nwebhook_secret_file = '/s'\ncommand = ['/bin/true', 'x']",
    ] {
        assert_eq!(faults(file, &[]), Vec::<String>::new(), "{file}");
    }
}

#[test]
fn each_variable_is_the_prefix_its_section_and_its_key() {
    let mut seen = BTreeSet::new();
    for field in Config::fields() {
        let section = if field.section.is_empty() { String::new() } else { format!("{}_", field.section) };
        let expected = format!("{}{section}{}", written::PREFIX, field.key).to_uppercase();
        assert_eq!(field.variable, expected);
        assert!(seen.insert(field.variable), "{} is there twice", field.variable);
    }
}

/// The sample with those settings switched on that `keep` says, told by section and key.
fn uncommented(keep: impl Fn(&str, &str) -> bool) -> String {
    let mut section = "";
    let mut text = String::new();
    for line in SAMPLE.lines() {
        section = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(section);
        let setting = line.strip_prefix("# ").filter(|rest| key_of(rest).is_some_and(|key| keep(section, key)));
        text.push_str(setting.unwrap_or(line));
        text.push('\n');
    }
    text
}

fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.split_once(" = ")?;
    key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_').then_some(key)
}

#[test]
fn the_sample_starts_as_it_is() {
    let config = Config::read(&sources(SAMPLE, &[])).unwrap();
    assert_eq!(config, Config::read(&sources("", &[])).unwrap());
}

#[test]
fn the_sample_shows_every_setting_once_with_its_default() {
    for field in Config::fields() {
        let lines = SAMPLE.lines().filter(|line| line.strip_prefix("# ").and_then(key_of) == Some(field.key));
        // Two sections may have a setting of the same name.
        let namesakes = Config::fields().iter().filter(|other| other.key == field.key).count();
        assert_eq!(lines.count(), namesakes, "{}", field.key);
    }
    let with_default = |section: &str, key: &str| {
        Config::fields().iter().any(|f| (f.section, f.key) == (section, key) && !f.default.is_empty())
    };
    let config = Config::read(&sources(&uncommented(with_default), &[])).unwrap();
    assert_eq!(config, Config::read(&sources("", &[])).unwrap());
}

#[test]
fn the_samples_secret_is_refused_and_all_else_in_it_is_valid() {
    let alternatives = ["plain_http", "master_key_credential", "master_key_command"];
    let is_alternative = |key: &str| alternatives.iter().any(|start| key.starts_with(start));
    // Traces need a feature that this build may not have.
    let all = uncommented(|_, key| !is_alternative(key) && key != "otlp_endpoint");
    let found = faults(&all, &[]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("sample from the documentation"), "{found:?}");
}

#[test]
fn a_configuration_can_be_shown_without_its_secrets() {
    let config = Config::read(&sources("[provider]\nproxy = 'http://u:canary@p.example:1'", &[])).unwrap();
    assert!(!format!("{config:?}").contains("canary"));
}

#[test]
fn only_the_level_of_the_log_changes_without_a_restart() {
    let before = Config::read(&sources("", &[])).unwrap();
    let level = Config::read(&sources("[log]\nlevel = 'debug'", &[])).unwrap();
    assert_eq!(before.needs_restart(&level), Vec::<&str>::new());
    let more = Config::read(&sources("name = 'x'\n[limits]\nwait = '1s'\n[log]\nformat = 'json'", &[])).unwrap();
    assert_eq!(before.needs_restart(&more), ["the top level", "[limits]", "log.format"]);
}
