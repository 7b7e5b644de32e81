//! The life of a login, from the person's consent to its end, against the stand-in that other tests judge by.

use std::sync::Arc;

use fake_provider::{FakeProvider, Settings};
use scorpiox_wire::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::dial::{Agent, Dialer, Egress, trust};
use super::login::{AuthorizationCode, Callback, LoginError, Poll};
use super::{CodexProvider, OAuthServer, Provider, Sent};
use crate::clock::{Clock, SystemClock};
use crate::domain::answer::{Ending, TokenGrant, Verdict};

fn provider_at(far_side: &FakeProvider) -> CodexProvider {
    CodexProvider {
        dialer: Dialer::new(Arc::new(SystemClock), trust(None, None).unwrap(), Egress::direct()),
        server: OAuthServer::at(&far_side.url(), super::codex::CLIENT_ID).unwrap(),
        agent: Agent::default(),
    }
}

async fn redeem(provider: &CodexProvider, refresh_token: &Secret) -> Verdict {
    let connection = provider.dial().await.unwrap();
    let write_before = SystemClock.monotonic() + std::time::Duration::from_secs(5);
    match connection.send(refresh_token.clone(), write_before).await {
        Sent::Answered(answer) => provider.classify(&answer),
        other => panic!("no answer: {other:?}"),
    }
}

fn granted(verdict: Verdict) -> TokenGrant {
    match verdict {
        Verdict::Granted(grant) => *grant,
        other => panic!("not granted: {other:?}"),
    }
}

/// What a browser does with the page: it follows the redirect.
async fn visit(url: &str) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut page = TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    page.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    page.read_to_string(&mut answer).await.unwrap();
    let location = answer.lines().find_map(|line| line.split_once(": ").filter(|(name, _)| *name == "location"));
    location.expect("a redirect").1.to_owned()
}

#[tokio::test]
async fn a_login_by_browser_is_renewed_once_per_token() {
    let far_side = FakeProvider::start(Settings::default());
    let provider = provider_at(&far_side);
    let attempt = provider.authorize_url("http://localhost:1455/auth/callback").unwrap();
    let callback = Callback::parse(&visit(&attempt.url).await).unwrap();
    let login = provider.exchange(&attempt.accept(callback).unwrap()).await.unwrap();

    let first = login.refresh_token.unwrap();
    let renewed = granted(redeem(&provider, &first).await);
    assert_eq!(renewed.identity, login.identity);
    assert!(renewed.identity.account_id.is_some() && renewed.identity.email.is_some());
    let life = renewed.expires_at.as_unix() - far_side.now();
    assert!((9 * 86_400..=10 * 86_400).contains(&life), "{life}");
    assert!(far_side.violations().is_empty());

    assert_eq!(redeem(&provider, &first).await, Verdict::Ended(Ending::Reused));
}

#[tokio::test]
async fn a_login_by_device_code_ends_in_tokens_once() {
    let far_side = FakeProvider::start(Settings::default());
    let provider = provider_at(&far_side);
    let device = provider.start_device().await.unwrap();
    assert_eq!(provider.poll_device(&device).await, Ok(Poll::Pending));
    let Ok(Poll::Ready(code)) = provider.poll_device(&device).await else { panic!("not ready") };
    let login = provider.exchange(&code).await.unwrap();
    granted(redeem(&provider, &login.refresh_token.unwrap()).await);

    let error = provider.exchange(&code).await.unwrap_err();
    assert!(matches!(error, LoginError::CodeRefused(_)), "{error:?}");
}

#[tokio::test]
async fn a_wrong_verifier_gets_no_login() {
    let far_side = FakeProvider::start(Settings::default());
    let provider = provider_at(&far_side);
    let attempt = provider.authorize_url("http://localhost:1457/auth/callback").unwrap();
    let code = attempt.accept(Callback::parse(&visit(&attempt.url).await).unwrap()).unwrap();
    let stolen = AuthorizationCode { verifier: Secret::new("A".repeat(86)), ..code };
    let error = provider.exchange(&stolen).await.unwrap_err();
    assert!(matches!(error, LoginError::CodeRefused(_)), "{error:?}");
}

#[tokio::test]
async fn a_server_without_device_login_says_so() {
    let far_side = FakeProvider::start(Settings { device_login: false, ..Settings::default() });
    let error = provider_at(&far_side).start_device().await.unwrap_err();
    assert_eq!(error, LoginError::DeviceLoginDisabled);
}
