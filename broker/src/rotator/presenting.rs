//! Presenting a refresh token: claim, slot, dial, arm, send, rescue.
//!
//! Each step is durable before the next one begins, and a step that fails says what is proven: that nothing was written,
//! or that nobody knows.

use std::sync::Arc;
use std::time::Duration;

use scorpiox_wire::Secret;
use tracing::Instrument;
use tracing::field::Empty;

use super::Rotator;
use super::attempt::Attempt;
use crate::failpoint::Point;
use crate::fence::position;
use crate::holding::{Failure, Holding};
use crate::provider::{Connection, RawAnswer, Sent, Unsent};
use crate::telemetry::trace::step;

/// A sender that finds, right before its first byte, that it armed longer ago than this hangs up (matrix R7d).
const ARMED_FOR: Duration = Duration::from_secs(5);

impl Rotator {
    /// Claim, slot, dial, arm, send, rescue. After `Ok` the attempt holds a complete answer.
    pub(super) async fn present(&self, holding: &Arc<Holding>, attempt: &Attempt) -> Result<(), Failure> {
        let points = &self.parts.failpoints;
        self.make_sure(holding).await?;
        points.reach(Point::BeforeClaim).await;
        let slots = self.parts.slots.clone();
        let slot = self.parts.activity.blocking(move || slots.take()).await.ok_or(Failure::NoSlot)?;
        attempt.begin(slot);
        self.advance(holding, |rotation| rotation.claim().ok()).await?;
        points.reach(Point::AfterClaim).await;

        let connection = match self.dial().instrument(step!("dial", otel.kind = "client")).await {
            Ok(connection) => connection,
            Err(unsent) => return Err(self.hang_up(holding, unsent).await),
        };
        points.reach(Point::AfterDial).await;

        let armed_at = self.parts.timeline.monotonic();
        let token = match self.arm(holding, attempt).instrument(step!("arm")).await {
            Ok(token) => token,
            Err(failure) => {
                drop(connection);
                self.put_back(holding).await;
                return Err(failure);
            }
        };
        points.reach(Point::BeforeSend).await;

        let began = self.parts.timeline.monotonic();
        let span = step!("send", otel.kind = "client", http.request.method = "POST", http.response.status_code = Empty);
        let sent = connection.send(token, armed_at + ARMED_FOR).instrument(span.clone()).await;
        let ended = self.parts.timeline.monotonic();
        match sent {
            Sent::Answered(answer) => {
                span.record("http.response.status_code", i64::from(answer.status));
                self.parts.meters.exchange.took(ended.since(began));
                attempt.answered(self.on_our_calendar(answer));
            }
            Sent::NotWritten(unsent) => return Err(self.hang_up(holding, unsent).await),
            Sent::NoAnswer { why } => return Err(self.doubt(holding, &why).await),
        }
        points.reach(Point::AfterAnswer).await;
        self.rescue(holding, attempt).instrument(step!("rescue")).await;
        self.parts.meters.rescue.took(self.parts.timeline.monotonic().since(ended));
        points.reach(Point::AfterRescue).await;
        Ok(())
    }

    /// The provider's own date decides first who is right about the time; then the answer gets the time that we believe,
    /// not the one that somebody may have set the machine to.
    fn on_our_calendar(&self, answer: RawAnswer) -> RawAnswer {
        if let Some(date) = answer.date {
            self.parts.timeline.witness(date);
        }
        RawAnswer { received_at: self.parts.timeline.now(), ..answer }
    }

    /// Dials; a connection that the far side has closed again is dialed once more.
    async fn dial(&self) -> Result<Box<dyn Connection>, Unsent> {
        let mut connection = self.parts.provider.dial().await?;
        if !connection.is_open() {
            connection = self.parts.provider.dial().await?;
        }
        Ok(connection)
    }

    /// Commits `Sent`, then the mark. After this, nobody may say that the token was not presented.
    async fn arm(&self, holding: &Arc<Holding>, attempt: &Attempt) -> Result<Secret, Failure> {
        let armed = self.advance(holding, |rotation| rotation.arm().ok()).await?;
        self.parts.failpoints.reach(Point::AfterArm).await;
        self.parts
            .fence
            .raise(holding.id(), position(&armed))
            .await
            .map_err(|error| Failure::Storage(format!("the high-water mark: {error}")))?;
        let desk = holding.desk();
        let tokens = desk.credential.tokens.as_ref().ok_or(Failure::Quarantined)?;
        if desk.credential.rotation != armed {
            return Err(Failure::Superseded);
        }
        attempt.armed(holding.id(), &armed, tokens.fingerprint);
        Ok(tokens.refresh_token.clone())
    }

    /// Proven: nothing was written.
    async fn hang_up(&self, holding: &Arc<Holding>, unsent: Unsent) -> Failure {
        self.put_back(holding).await;
        Failure::Unsent(unsent.0)
    }
}
