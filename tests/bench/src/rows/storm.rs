//! Ten thousand clients that wait for the same renewal: one exchange, all answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use fake_provider::{Endpoint, FakeProvider, Fault, Hold, How};
use scorpiox_wire::TokenAnswer;
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet};

use crate::broker::{Broker, Transport};
use crate::clock;
use crate::load::{self, Target};
use crate::process::raise_open_files;
use crate::report::{Round, Row};
use crate::team::Team;

const WAITERS: usize = 10_000;
/// The load generator shares the machine's cores with the broker.
const GOAL_MILLISECONDS: f64 = 1_000.0;
/// Of the token that ends: long enough to be put in, short enough to wait for.
const SHORT_LIFE_S: i64 = 4;
const LONG_LIFE_S: i64 = 10 * 24 * 3600;

/// `storm`.
pub(crate) fn row(rounds: usize) -> anyhow::Result<Row> {
    raise_open_files(WAITERS as u64 + 1_000)?;
    let team = Team::of(WAITERS)?;
    let broker = team
        .setup(Transport::Http)?
        .with("SCORPIOX_BROKER_LIMITS_CONNECTIONS", WAITERS + 100)
        // They are opened beforehand and say nothing for a while.
        .with("SCORPIOX_BROKER_LIMITS_HEADER_TIMEOUT", "60s")
        .start()?;
    let mut measured = Vec::new();
    for _ in 0..rounds {
        let ours = storm(&team, &broker)?.as_secs_f64() * 1e3;
        measured.push(Round { ours, reference: GOAL_MILLISECONDS });
    }
    ensure!(team.provider.violations().is_empty(), "{:?}", team.provider.violations());
    broker.process.stop()?;
    let remark = format!(
        "from the provider's answer to the last of {WAITERS} waiting clients, each with its own key; one exchange; \
         reference: the bound"
    );
    Ok(Row::of("storm", &measured, "ms", 1.0, remark))
}

fn storm(team: &Team, broker: &Broker) -> anyhow::Result<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let (go, gone) = watch::channel(false);
        let (sent, mut all_sent) = watch::channel(0);
        let sent = Arc::new(sent);
        let mut waiters = JoinSet::new();
        let (opened, mut all_open) = watch::channel(0);
        let opened = Arc::new(opened);
        for key in &team.keys {
            let waiter = Waiter { request: load::request("/codex", Some(key)), go: gone.clone() };
            let (target, opened, sent) = (broker.target()?, Arc::clone(&opened), Arc::clone(&sent));
            waiters.spawn_local(waiter.wait(target, opened, sent));
        }
        all_open.wait_for(|open| *open == WAITERS).await?;
        let exchanges = team.provider.refresh_count();
        let ended = let_the_token_end(&team.provider, broker)?;
        while clock::unix() <= ended {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        go.send(true)?;
        all_sent.wait_for(|sent| *sent == WAITERS).await?;
        until_quiet(broker).await?;
        let begun = clock::instant();
        ensure!(team.provider.release() == 1, "one exchange was to be under way");
        let mut last = begun;
        while let Some(answered) = waiters.join_next().await {
            last = last.max(answered??);
        }
        let exchanges = team.provider.refresh_count() - exchanges;
        ensure!(exchanges == 1, "{exchanges} exchanges for one storm");
        Ok(last - begun)
    })
}

/// Puts in a login whose token ends soon and whose renewal is answered only on demand; says when it ends.
fn let_the_token_end(provider: &FakeProvider, broker: &Broker) -> anyhow::Result<i64> {
    let life = |seconds| provider.oracle().settings_mut().access_token_life_s = seconds;
    life(SHORT_LIFE_S);
    provider.fault(Fault::on(Endpoint::Refresh, How::Plain).hold(Hold::BeforeAnswering));
    let view = broker.import(provider)?;
    life(LONG_LIFE_S);
    provider.wait_for_held(1);
    Ok(view.expires_at)
}

/// Until the broker has taken in what was sent and only waits.
async fn until_quiet(broker: &Broker) -> anyhow::Result<()> {
    let mut before = broker.process.cpu()?;
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let now = broker.process.cpu()?;
        if now == before {
            return Ok(());
        }
        before = now;
    }
}

struct Waiter {
    request: Vec<u8>,
    go: watch::Receiver<bool>,
}

type Count = Arc<watch::Sender<usize>>;

impl Waiter {
    /// Connects, asks when told, and says when its answer was there.
    async fn wait(mut self, target: Target, opened: Count, sent: Count) -> anyhow::Result<Instant> {
        use tokio::io::AsyncWriteExt;
        let mut stream = target.connect().await?;
        opened.send_modify(|count| *count += 1);
        self.go.wait_for(|go| *go).await?;
        stream.write_all(&self.request).await?;
        sent.send_modify(|count| *count += 1);
        let answer = load::answer(&mut *stream, Vec::new()).await?;
        let at = clock::instant();
        let token: TokenAnswer = serde_json::from_slice(answer.good()?).context("no token")?;
        ensure!(token.expires_in > SHORT_LIFE_S, "it was given the token that has ended");
        Ok(at)
    }
}
