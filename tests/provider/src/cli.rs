//! What was typed, and what it means.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use fake_provider::{Approval, Certificate, Listening, RefreshReuse, Settings};

/// A stand-in for the OAuth server and model backend behind a Codex login, with faults on demand.
#[derive(Debug, Parser)]
#[command(name = "fake-provider", version, after_long_help = EXAMPLES)]
pub(crate) struct Cli {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Seconds that an access token lives. Default ten days.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(i64).range(1..))]
    access_token_life: Option<i64>,

    /// Refuse the access token before a rotation so many seconds after it. Without this it stays good until it ends.
    #[arg(long, value_name = "SECONDS")]
    previous_access_token_grace: Option<i64>,

    /// Refuse a reused refresh token without ending its login.
    #[arg(long)]
    lenient_reuse: bool,

    /// Approve device codes after so many polls that are told to wait (1 if no number is given). Without this somebody
    /// approves on the page /codex/device.
    #[arg(long, value_name = "POLLS", num_args = 0..=1, default_missing_value = "1")]
    auto_approve: Option<u32>,

    /// Seconds that a device-code client is told to wait between polls. Default 1.
    #[arg(long, value_name = "SECONDS")]
    device_interval: Option<u32>,

    /// Write the URL into this file once requests are answered. It appears whole or not at all.
    #[arg(long, value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,

    /// Serve HTTPS with a certificate made on the spot for localhost and 127.0.0.1, and write it into this file for
    /// clients to trust.
    #[arg(long, value_name = "FILE", conflicts_with = "tls_certificate")]
    pub(crate) tls_self_signed: Option<PathBuf>,

    /// Serve HTTPS with this certificate chain (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,

    /// The private key of that certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,

    /// Equal seeds give equal tokens. Without this they differ from run to run.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,

    /// More settings, as a JSON object; listed below. The options above win.
    #[arg(long, value_name = "JSON")]
    settings: Option<String>,
}

const EXAMPLES: &str = r#"It prints one line, "listening on URL", and answers until SIGTERM or Ctrl-C.

Settings (for --settings and POST /_control/settings), with their defaults:
  access_token_life_s 864000, refresh_token_life_s null, refresh_reuse "revoke_family" or "refuse_only",
  previous_access_token_grace_s null, include_expires_in true, include_id_token true, include_refresh_token true,
  earliest_refresh_after_s null, account {account_id,user_id,email,plan_type}, device_login true,
  approval "by_hand" or {"after_polls":1}, device_interval_s 1,
  models null and usage null (the usual ones; else the body itself)

Controls (JSON):
  POST   /_control/login        a new login; body: account or nothing. Answers an auth.json
  POST   /_control/faults       one fault or a list; GET shows those that wait, DELETE forgets them
  POST   /_control/connection-faults   {"how":"close"|"reset"|"silent","times":1}
  POST   /_control/release      lets held requests go on; {"count":1} only the oldest
  GET    /_control/log          ?since=ID&endpoint=refresh
  GET    /_control/counters     per refresh token; and connections, redemptions, held requests
  GET    /_control/violations   what a careful client would not have done
  POST   /_control/invalidate   refuse access tokens for good: {"family":1,"generation":2}; {} is the current ones
  POST   /_control/revoke       end logins: {"family":1}; {} is all
  POST   /_control/lost         {"entry":3}: the client never got to keep that answer; {} is the latest redemption
  POST   /_control/approve      {"user_code":"ABCD-EFGH"}; {} is all device codes that wait
  POST   /_control/scripts      what the model says next: {"steps":[{"event":{…}},{"raw":"…"},{"delay_ms":9},"cut"]}
  POST   /_control/settings     the members to change; GET shows all
  POST   /_control/clock        {"offset_s":3600}
  POST   /_control/reset        forgets logins, faults, log and offset

Faults: {"endpoint":…,"how":…} and optionally "times", "skip", "delay_ms", "hold" ("before_deciding",
"before_answering"), "headers", "redeem".
  endpoint  refresh, code_exchange, authorize, revoke, device_code, device_poll, device_page, models, responses,
            usage, elsewhere
  how       "plain", {"status":{"status":429,"body":{…}}}, {"cut_before":{"reset":false}},
            {"cut_after":{"reset":false,"body_bytes":null}}, "garbage", "truncated_json", {"html":{"status":403}},
            {"content_type":{"value":"text/plain"}}, {"oversize":{"bytes":100000}}, {"gzip_bomb":{"bytes":50000000}},
            {"drip":{"every_ms":50}}, {"redirect":{"status":307,"location":"/elsewhere"}},
            {"twisted":[TWIST, …]}
  TWIST     "without_refresh_token", "without_id_token", "without_expires_in", {"another_account":{…}},
            "empty_access_token", {"access_token_life":-60}, {"earliest_refresh_after":600},
            {"jwt":"opaque"|"alg_none"|"exp_missing"|"exp_string"|"exp_negative"|"exp_year9999"}

Examples:
  Tokens of one minute, device codes approved at once, on a fixed port:
    fake-provider --listen 127.0.0.1:9680 --access-token-life 60 --auto-approve=0

  Log the stock CLI in:
    codex login --device-auth --experimental_issuer http://127.0.0.1:9680
    curl -s http://127.0.0.1:9680/_control/login -d '{}' > ~/.codex/auth.json

  Redeem the next refresh token, but lose the answer:
    curl -s http://127.0.0.1:9680/_control/faults -d '{"endpoint":"refresh","how":{"cut_after":{}}}'

  Who presented what, and was it right to?
    curl -s 'http://127.0.0.1:9680/_control/log?endpoint=refresh'
    curl -s http://127.0.0.1:9680/_control/violations
"#;

impl Cli {
    /// The settings that are meant.
    pub(crate) fn settings(&self) -> anyhow::Result<Settings> {
        let mut settings = match self.settings.as_deref() {
            Some(text) => serde_json::from_str(text).context("--settings")?,
            // A person at a terminal approves; a test says so.
            None => Settings { approval: Approval::ByHand, ..Settings::default() },
        };
        settings.access_token_life_s = self.access_token_life.unwrap_or(settings.access_token_life_s);
        settings.device_interval_s = self.device_interval.unwrap_or(settings.device_interval_s);
        let grace = self.previous_access_token_grace.or(settings.previous_access_token_grace_s);
        settings.previous_access_token_grace_s = grace;
        settings.approval = self.auto_approve.map_or(settings.approval, Approval::AfterPolls);
        if self.lenient_reuse {
            settings.refresh_reuse = RefreshReuse::RefuseOnly;
        }
        Ok(settings)
    }

    /// Where and how to listen. The certificate is read or made, not written.
    pub(crate) fn listening(&self) -> anyhow::Result<Listening> {
        let certificate = match (&self.tls_self_signed, &self.tls_certificate, &self.tls_key) {
            (Some(_), _, _) => Some(Certificate::self_signed(&["localhost", "127.0.0.1", "::1"])?),
            (None, Some(chain), Some(key)) => Some(Certificate { chain_pem: read(chain)?, key_pem: read(key)? }),
            (None, _, _) => None,
        };
        Ok(Listening { address: self.listen, certificate, seed: self.seed })
    }
}

fn read(path: &PathBuf) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
