//! The table: one entry for each setting.

use super::{Choice, Entry, Key, Kind, Secrecy, Section};

/// A conversation of this many tokens or more can be told from a slip of the finger.
const LEAST_THRESHOLD: u32 = 1_000;
const GREATEST_THRESHOLD: u32 = 10_000_000;

const PROVIDERS: &[Choice] = &[Choice { value: "codex", meaning: "OpenAI Codex, with a ChatGPT login" }];
const SOURCES: &[Choice] = &[
    Choice { value: "local", meaning: "a file of this machine" },
    Choice { value: "remote", meaning: "a broker" },
    Choice { value: "ssh", meaning: "another machine" },
];
const SWITCH: &[Choice] = &[Choice { value: "1", meaning: "on" }, Choice { value: "0", meaning: "off" }];
const EFFORTS: &[Choice] = &[
    Choice { value: "off", meaning: "does not think" },
    Choice { value: "minimal", meaning: "hardly" },
    Choice { value: "low", meaning: "quick" },
    Choice { value: "medium", meaning: "balanced" },
    Choice { value: "high", meaning: "thorough" },
    Choice { value: "xhigh", meaning: "more, where the model has it" },
    Choice { value: "max", meaning: "as much as the model can" },
];

const fn open(key: Key, section: Section, kind: Kind, help: &'static str) -> Entry {
    Entry { key, section, help, kind, secrecy: Secrecy::Open, default: None }
}

const fn secret(key: Key, section: Section, help: &'static str) -> Entry {
    Entry { key, section, help, kind: Kind::Text, secrecy: Secrecy::Secret, default: None }
}

const fn usually(default: &'static str, entry: Entry) -> Entry {
    Entry { default: Some(default), ..entry }
}

/// What there is to know about a setting.
#[rustfmt::skip] // One line for each is a table; wrapped it is a list of calls.
pub(super) fn entry(key: Key) -> Entry {
    use Kind::{Choice, List, Number, Path, Text, Url};
    use Section::{Conversation, Local, Remote, Ssh, Tokens};
    match key {
        Key::Provider => usually("codex", open(key, Conversation, Choice(PROVIDERS), "who answers")),
        Key::Model => open(key, Conversation, Text, "model id or alias, such as gpt-5.5"),
        Key::Tools => usually("1", open(key, Conversation, Choice(SWITCH), "whether the model may run tools")),
        Key::Thinking => usually("0", open(key, Conversation, Choice(SWITCH), "think, with effort high when no effort is set")),
        Key::ReasoningEffort => open(key, Conversation, Choice(EFFORTS), "how hard the model thinks, for every provider"),
        Key::CodexReasoningEffort => open(key, Conversation, Choice(EFFORTS), "how hard the model thinks, for codex"),
        Key::ContextClearThreshold => usually("190000", open(key, Conversation, Number(LEAST_THRESHOLD..=GREATEST_THRESHOLD), "tokens at which a conversation is compacted, if the model says no less")),
        Key::ActiveProfile => open(key, Conversation, Text, "the profile that is switched on: scorpiox-env/NAME.txt"),
        Key::TokenSource => usually("local", open(key, Tokens, List(SOURCES), "where tokens come from; several are asked in their order")),
        Key::CredentialsFile => open(key, Local, Path, "the file with the login; else our own, else the stock Codex CLI's"),
        Key::Account => open(key, Local, Text, "which login of this machine: NAME of scorpiox-codex-login --name NAME"),
        Key::LocalRenew => usually("0", open(key, Local, Choice(SWITCH), "renew the stock CLI's file: only where no stock CLI uses it")),
        Key::RemoteUrl => open(key, Remote, Url, "the broker's token address, https://HOST:PORT/codex"),
        Key::ApiKey => secret(key, Remote, "the client key; it begins with sxk_"),
        Key::ApiKeyFile => open(key, Remote, Path, "a file that holds the client key"),
        Key::RemoteCaFile => open(key, Remote, Path, "certificates that the broker's must lead to"),
        Key::RemotePin => open(key, Remote, Text, "sha256: of the broker's public key; decides alone when set"),
        Key::SshHost => open(key, Ssh, Text, "the machine that has a token, or its name in ~/.ssh/config"),
        Key::SshPort => usually("22", open(key, Ssh, Number(1..=65_535), "its port")),
        Key::SshUser => open(key, Ssh, Text, "the user there; else as in ~/.ssh/config, else the one here"),
        Key::SshPass => secret(key, Ssh, "that user's password, or the passphrase of the key"),
        Key::SshPassFile => open(key, Ssh, Path, "a file that holds the password or passphrase"),
        Key::SshKeyFile => open(key, Ssh, Path, "a private key; else as in ~/.ssh/config"),
        Key::SshKnownHosts => open(key, Ssh, Path, "the file of known host keys; else ~/.ssh/known_hosts"),
        Key::SshCommand => usually("scorpiox-codex-fetchtoken", open(key, Ssh, Text, "what is run there")),
    }
}
