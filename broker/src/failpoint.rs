//! Named places between the effects of a rotation or of a change of the key, where a test can kill, stop or panic.
//!
//! Without the `failpoints` feature every call is empty. With it, a process reads `SCORPIOX_FAILPOINTS`
//! (`after_arm=kill`, `before_save=panic`, several joined by commas), and a test inside the process hands in a hook.

use std::sync::Arc;

use crate::provider::Later;

/// The places: of a rotation in the order in which it passes them, then of a change of the master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Point {
    /// Nothing has been written.
    BeforeClaim,
    /// `Claimed` is committed.
    AfterClaim,
    /// A connection is open, nothing is armed.
    AfterDial,
    /// `Sent` is committed, the mark is not.
    AfterArm,
    /// The mark is synced too; the next step writes to the provider.
    BeforeSend,
    /// The answer is in memory only.
    AfterAnswer,
    /// The answer is sealed in a rescue slot.
    AfterRescue,
    /// The next token set is committed, the mark is not.
    AfterSettle,
    /// The mark is synced, nobody has been told.
    BeforePublish,
    /// Published; the slot still holds the answer.
    BeforeClear,
    /// Both keys are in the ring; nothing is sealed anew yet.
    RekeyBegun,
    /// A batch of cells is sealed anew.
    RekeyBatch,
    /// Nothing is left under the old key, which is still in its file.
    RekeyMoved,
    /// The new key is in the file; the old one still opens the ring.
    RekeyKeyWritten,
    /// The ring knows the new key only; the directory still names the old one.
    RekeySettled,
}

impl Point {
    /// Those of a change of the master key, in order.
    pub const REKEY: [Self; 5] =
        [Self::RekeyBegun, Self::RekeyBatch, Self::RekeyMoved, Self::RekeyKeyWritten, Self::RekeySettled];

    /// Those of a rotation, in order.
    pub const ALL: [Self; 10] = [
        Self::BeforeClaim,
        Self::AfterClaim,
        Self::AfterDial,
        Self::AfterArm,
        Self::BeforeSend,
        Self::AfterAnswer,
        Self::AfterRescue,
        Self::AfterSettle,
        Self::BeforePublish,
        Self::BeforeClear,
    ];

    /// The name in `SCORPIOX_FAILPOINTS`.
    pub fn name(self) -> &'static str {
        match self {
            Self::BeforeClaim => "before_claim",
            Self::AfterClaim => "after_claim",
            Self::AfterDial => "after_dial",
            Self::AfterArm => "after_arm",
            Self::BeforeSend => "before_send",
            Self::AfterAnswer => "after_answer",
            Self::AfterRescue => "after_rescue",
            Self::AfterSettle => "after_settle",
            Self::BeforePublish => "before_publish",
            Self::BeforeClear => "before_clear",
            Self::RekeyBegun => "rekey_begun",
            Self::RekeyBatch => "rekey_batch",
            Self::RekeyMoved => "rekey_moved",
            Self::RekeyKeyWritten => "rekey_key_written",
            Self::RekeySettled => "rekey_settled",
        }
    }
}

/// What a test does at a point: returns to go on, panics, or never returns.
pub trait Hook: Send + Sync + 'static {
    /// Called at each point that is passed.
    fn reached(&self, point: Point) -> Later<'_, ()>;
}

/// The points of one broker.
#[derive(Clone, Default)]
pub struct Failpoints {
    #[cfg(feature = "failpoints")]
    hook: Option<Arc<dyn Hook>>,
}

impl Failpoints {
    /// Points that do what `hook` says; in a build without the feature, nothing.
    #[cfg_attr(not(feature = "failpoints"), expect(unused_variables, reason = "the feature is off"))]
    pub fn with(hook: Arc<dyn Hook>) -> Self {
        Self {
            #[cfg(feature = "failpoints")]
            hook: Some(hook),
        }
    }

    /// Points as `SCORPIOX_FAILPOINTS` sets them; in a build without the feature, nothing.
    pub fn from_environment() -> anyhow::Result<Self> {
        #[cfg(feature = "failpoints")]
        if let Ok(text) = std::env::var("SCORPIOX_FAILPOINTS") {
            return Ok(Self::with(Arc::new(process::Script::parse(&text)?)));
        }
        Ok(Self::default())
    }

    /// Passes a point.
    #[cfg_attr(
        not(feature = "failpoints"),
        expect(clippy::unused_async, unused_variables, reason = "the feature is off")
    )]
    pub async fn reach(&self, point: Point) {
        #[cfg(feature = "failpoints")]
        if let Some(hook) = &self.hook {
            hook.reached(point).await;
        }
    }
}

#[cfg(feature = "failpoints")]
mod process {
    use std::collections::HashMap;

    use anyhow::{Context, bail};

    use super::{Hook, Point};
    use crate::provider::Later;

    #[derive(Clone, Copy)]
    enum Action {
        Kill,
        Stop,
        Panic,
        Park,
    }

    /// What a process under test does to itself.
    pub(super) struct Script(HashMap<Point, Action>);

    impl Script {
        pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
            let mut actions = HashMap::new();
            for part in text.split(',').filter(|part| !part.is_empty()) {
                let (point, action) = part.split_once('=').context("SCORPIOX_FAILPOINTS: point=action")?;
                let point = Point::ALL.into_iter().chain(Point::REKEY).find(|known| known.name() == point);
                let action = match action {
                    "kill" => Action::Kill,
                    "stop" => Action::Stop,
                    "panic" => Action::Panic,
                    "park" => Action::Park,
                    other => bail!("SCORPIOX_FAILPOINTS: no action {other}"),
                };
                actions.insert(point.with_context(|| format!("SCORPIOX_FAILPOINTS: no point in {part}"))?, action);
            }
            Ok(Self(actions))
        }
    }

    impl Hook for Script {
        fn reached(&self, point: Point) -> Later<'_, ()> {
            Box::pin(async move {
                let signal = match self.0.get(&point) {
                    None => return,
                    Some(Action::Panic) => panic!("failpoint {}", point.name()),
                    Some(Action::Park) => return std::future::pending().await,
                    Some(Action::Kill) => rustix::process::Signal::KILL,
                    Some(Action::Stop) => rustix::process::Signal::STOP,
                };
                let this = rustix::process::getpid();
                rustix::process::kill_process(this, signal).expect("a process may signal itself");
            })
        }
    }
}
