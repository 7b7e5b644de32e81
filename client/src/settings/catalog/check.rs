//! Whether a value can be what it is meant to be. A refusal never repeats it: it may be a secret.

use super::{Choice, Entry, Key, Kind};
use crate::settings::api_key::ApiKey;
use crate::settings::broker_url::BrokerUrl;
use crate::settings::file;
use crate::settings::local::AccountName;
use crate::settings::pin::Pin;
use crate::settings::profile;
use crate::settings::ssh;

/// Judges one value by itself; the error says what is expected.
pub fn check(key: Key, text: &str) -> Result<(), String> {
    file::check_value(text).map_err(|fault| fault.to_string())?;
    if text.is_empty() {
        return Err("an empty value counts as not set".into());
    }
    by_kind(key, text)?;
    by_key(key, text)
}

fn by_kind(key: Key, text: &str) -> Result<(), String> {
    match Entry::of(key).kind {
        Kind::Choice(choices) => choice(key, choices, text),
        kind @ Kind::List(_) => read_list(&kind, text).map(drop),
        Kind::Number(range) => match text.parse::<u32>() {
            Ok(number) if range.contains(&number) => Ok(()),
            _ => Err(format!("expected a number from {} to {}", range.start(), range.end())),
        },
        Kind::Path if text.starts_with('~') => Err("~ is not expanded here: write the whole path".into()),
        Kind::Url => BrokerUrl::parse(text).map(drop).map_err(|error| error.to_string()),
        Kind::Path | Kind::Text => Ok(()),
    }
}

/// What the kind alone cannot say.
fn by_key(key: Key, text: &str) -> Result<(), String> {
    match key {
        Key::ActiveProfile => profile::check_name(text).map_err(|error| error.to_string()),
        Key::Account => AccountName::parse(text).map(drop).map_err(|error| error.to_string()),
        Key::ApiKey => ApiKey::parse(text).map(drop).map_err(|error| error.to_string()),
        Key::RemotePin => Pin::parse_list(text).map(drop).map_err(|error| error.to_string()),
        Key::SshHost => ssh::machine_name(text).map(drop).map_err(str::to_owned),
        Key::Model | Key::SshUser => one_word(text),
        Key::Provider | Key::Tools | Key::Thinking | Key::ReasoningEffort | Key::CodexReasoningEffort => Ok(()),
        Key::ContextClearThreshold | Key::TokenSource | Key::CredentialsFile | Key::LocalRenew => Ok(()),
        Key::RemoteUrl | Key::ApiKeyFile | Key::RemoteCaFile => Ok(()),
        Key::SshPort | Key::SshPass | Key::SshPassFile | Key::SshKeyFile | Key::SshKnownHosts => Ok(()),
        Key::SshCommand => Ok(()),
    }
}

fn choice(key: Key, choices: &[Choice], text: &str) -> Result<(), String> {
    if choices.iter().any(|choice| choice.value == text) {
        return Ok(());
    }
    // What the product whose settings file we read has as its default.
    if key == Key::Provider && text == "scorpiox" {
        return Err("this provider does not exist yet; set PROVIDER=codex".into());
    }
    Err(format!("expected {}", names(choices)))
}

/// The items of a list, each of them as its choice is written.
pub fn read_list(kind: &Kind, text: &str) -> Result<Vec<&'static str>, String> {
    let (Kind::List(choices) | Kind::Choice(choices)) = kind else { return Err("expected no list".into()) };
    let mut items = Vec::new();
    for item in text.split(',').map(str::trim) {
        let Some(known) = choices.iter().find(|choice| choice.value == item) else {
            return Err(format!("expected {}, or several of them separated by commas", names(choices)));
        };
        if items.contains(&known.value) {
            return Err(format!("{} stands there twice", known.value));
        }
        items.push(known.value);
    }
    Ok(items)
}

fn names(choices: &[Choice]) -> String {
    let names: Vec<_> = choices.iter().map(|choice| choice.value).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// A host or user that begins with a dash would be an option where another program reads it.
fn one_word(text: &str) -> Result<(), String> {
    let is_word = text.chars().all(|c| c.is_ascii_graphic()) && !text.starts_with('-');
    if is_word { Ok(()) } else { Err("expected one word of visible ASCII characters that starts with no dash".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_each_kind_is_taken() {
        let key = "sxk_7f3k9q2m1c0d_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8_b89088a4";
        let pin = format!("sha256:{0},sha256:{0}", "0".repeat(64));
        let good = [
            (Key::Provider, "codex"),
            (Key::Model, "gpt-5.3-codex"),
            (Key::Tools, "0"),
            (Key::CodexReasoningEffort, "xhigh"),
            (Key::ContextClearThreshold, "190000"),
            (Key::ActiveProfile, "work"),
            (Key::TokenSource, "remote"),
            (Key::TokenSource, "remote, ssh,local"),
            (Key::CredentialsFile, "a/b.json"),
            (Key::RemoteUrl, "https://b.example:8443/codex"),
            (Key::ApiKey, key),
            (Key::RemotePin, &pin),
            (Key::SshPort, "65535"),
            (Key::SshHost, "10.0.0.7"),
            (Key::SshPass, "a b; $(c)"),
            (Key::SshCommand, "/opt/bin/scorpiox-codex-fetchtoken --verbose"),
        ];
        for (key, text) in good {
            assert_eq!(check(key, text), Ok(()), "{}={text}", key.as_str());
        }
    }

    #[test]
    fn anything_else_is_refused_with_what_is_expected() {
        let bad = [
            (Key::Provider, "scorpiox", "set PROVIDER=codex"),
            (Key::Provider, "gemini", "expected codex"),
            (Key::Model, "a b", "one word"),
            (Key::Tools, "yes", "expected 1 or 0"),
            (Key::ReasoningEffort, "none", "expected off, minimal, low, medium, high, xhigh or max"),
            (Key::ContextClearThreshold, "1e5", "from 1000 to 10000000"),
            (Key::ActiveProfile, "../../x", "a profile's name"),
            (Key::Account, "../x", "an account name"),
            (Key::TokenSource, "remot", "expected local, remote or ssh, or several"),
            (Key::TokenSource, "remote,,local", "expected local, remote or ssh"),
            (Key::TokenSource, "ssh,local,ssh", "ssh stands there twice"),
            (Key::CredentialsFile, "~/a.json", "~ is not expanded"),
            (Key::RemoteUrl, "http://b.example/codex", "use https"),
            (Key::ApiKey, "sxk_cutoff", "key"),
            (Key::RemotePin, "sha256:x", "a pin looks like"),
            (Key::SshPort, "0", "from 1 to 65535"),
            (Key::SshHost, "-oProxyCommand=x", "starts with no dash"),
            (Key::SshUser, "", "counts as not set"),
            (Key::SshPass, "a\u{1b}[0m", "control character"),
            (Key::SshPass, " a", "space"),
            (Key::SshPass, &"x".repeat(513), "at most 512 bytes"),
        ];
        for (key, text, says) in bad {
            let error = check(key, text).unwrap_err();
            assert!(error.contains(says), "{}={text}: {error}", key.as_str());
        }
        assert!(!check(Key::ApiKey, "sxk_cutoff").unwrap_err().contains("cutoff"));
    }
}
