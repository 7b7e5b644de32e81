//! Against real sockets: servers that misbehave in one way each.

use std::sync::Arc;
use std::time::Duration;

use scorpiox_wire::Secret;

use super::*;
use crate::clock::Clock;
use crate::provider::far_side::FarSide;
use crate::provider::hand_clock::HandClock;
use crate::provider::oauth_server::OAuthServer;
use crate::provider::{CodexProvider, Connection, Provider};

mod proxy;
mod redemption;
mod tls;

/// Long enough for a loaded machine; a test that waits for this has failed.
const PATIENCE: Duration = Duration::from_secs(20);

const TOKENS: &str = r#"{"access_token":"a","refresh_token":"rt_2"}"#;

/// A provider whose time stands still until a test moves it.
struct Given {
    clock: HandClock,
    provider: CodexProvider,
}

fn given(url: &str, tls: Arc<ClientConfig>, egress: Egress) -> Given {
    let clock = HandClock::default();
    let provider = CodexProvider {
        dialer: Dialer::new(Arc::new(clock.clone()), tls, egress),
        server: OAuthServer::at(url, "app_test").unwrap(),
        agent: Agent::default(),
    };
    Given { clock, provider }
}

fn given_plain(far_side: &FarSide) -> Given {
    given(&far_side.url("http", "127.0.0.1"), trust(None, None).unwrap(), Egress::direct())
}

impl Given {
    async fn dialed(&self) -> Box<dyn Connection> {
        patiently(self.provider.dial()).await.unwrap()
    }

    /// Dials and sends, with five seconds to write.
    async fn redeem(&self) -> Sent {
        self.send_on(self.dialed().await).await
    }

    async fn send_on(&self, connection: Box<dyn Connection>) -> Sent {
        let write_before = self.clock.monotonic() + Duration::from_secs(5);
        patiently(connection.send(Secret::new("rt_1"), write_before)).await
    }
}

async fn patiently<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it hangs")
}

fn answered(sent: Sent) -> RawAnswer {
    match sent {
        Sent::Answered(answer) => answer,
        other => panic!("not answered: {other:?}"),
    }
}

fn no_answer(sent: Sent) -> String {
    match sent {
        Sent::NoAnswer { why } => why,
        other => panic!("not without an answer: {other:?}"),
    }
}

fn not_written(sent: Sent) -> String {
    match sent {
        Sent::NotWritten(Unsent(why)) => why,
        other => panic!("written: {other:?}"),
    }
}
