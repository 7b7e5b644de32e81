//! `scorpiox-codex-fetchtoken exec` and its forms of output against a real broker and the model backend.

use fake_provider::{Endpoint, Serial, Settings, TokenRef};
use scorpiox_tests::process::{FetchToken, Plan, Team};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Asks the model backend as a program would that reads its token from descriptor 3; bash alone can do it.
const ASKS: &str = r#"
read -r token <&3
exec 4<>"/dev/tcp/127.0.0.1/$1"
printf 'GET /backend-api/codex/models?client_version=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer %s\r\nChatGPT-Account-ID: %s\r\n\r\n' "$token" "$ACCOUNT" >&4
read -r protocol status rest <&4
echo "$status"
env | grep -c -e "$token" -e sxk_
"#;

#[test]
fn a_command_asks_the_backend_with_the_token_in_its_descriptor_and_sees_no_key() {
    let team = Team::with(Settings::default(), |plan: Plan| {
        plan.encrypted().with("SCORPIOX_BROKER_ROTATION_MINIMUM_TOKEN_AGE", "0s")
    });
    team.given_a_login("main");
    let machine = FetchToken::of(&team.given_a_client("laptop")).with("PATH", "/usr/bin:/bin");
    let port = team.provider.url().rsplit(':').next().unwrap().to_owned();
    let words = ["--account-env", "ACCOUNT", "--", "bash", "-c", ASKS, "bash", &port];
    for generation in [1, 2] {
        // The second time another token is asked for: it was refused for good.
        let before: &[&str] = if generation == 1 { &["exec"] } else { &["--refused", "exec"] };
        let ended = machine.run(&[before, &words[..]].concat());
        // grep ends with 1 where it counts none.
        assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (1, "200\n0\n", ""), "{ended:?}");
        let asked = team.provider.log_of(Endpoint::Models).pop().unwrap();
        assert_eq!(asked.access_token, Some(TokenRef::Issued(Serial { family: 1, generation })));
        let account = team.provider.oracle().settings().account.account_id.clone();
        assert_eq!(asked.received.get("chatgpt-account-id"), Some(&account));
        team.provider.refuse_access(Serial { family: 1, generation });
    }
    assert_eq!((team.provider.refresh_count(), team.provider.violations()), (1, Vec::<String>::new()));
}

#[test]
fn every_form_has_the_token_the_account_and_the_end_that_the_broker_told() {
    let team = Team::new();
    team.given_a_login("main");
    let machine = FetchToken::of(&team.given_a_client("laptop"));
    let issued = team.issued();
    let (token, account, end) = (issued.access_token, issued.account.account_id, issued.expires_at);
    let lines = format!("CODEX_ACCESS_TOKEN={token}\nCODEX_ACCOUNT_ID={account}\nCODEX_TOKEN_EXPIRES_AT={end}\n");
    assert_eq!(machine.run(&["--format", "env"]).stdout, lines);
    assert_eq!(machine.run(&["--format", "raw"]).stdout, format!("{token}\n"));
    let said: serde_json::Value =
        serde_json::from_str(&machine.run(&["--format", "credential-process"]).stdout).unwrap();
    let ends = OffsetDateTime::parse(said["Expiration"].as_str().unwrap(), &Rfc3339).unwrap().unix_timestamp();
    assert_eq!((said["AccessToken"].as_str(), said["AccountId"].as_str(), ends), (Some(&*token), Some(&*account), end));
    team.admin().revoke("laptop").unwrap();
    for form in ["json", "raw", "env", "credential-process"] {
        machine.run(&["--refused", "--format", form]).assert_refused(77);
    }
}
