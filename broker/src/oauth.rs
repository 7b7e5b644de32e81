//! The broker as the OAuth server of clients that know nothing of it.
//!
//! * [`id_token`]: an unsigned id token with what a client wants to show.
//! * [`stand_ins`]: refresh tokens of the broker's own, in memory and on disk.
//! * [`sign_in`]: a client gets a token and a stand-in. * [`renewal`]: it comes back with the stand-in.

use std::sync::Arc;

use crate::audit_chain::{Line, Record};
use crate::auditor::{AuditUnavailable, Auditor};
use crate::gate::{Caller, Gate};
use crate::issuer::{Issuer, Origin};
use crate::store::audit::Deed;
use crate::timeline::Timeline;

pub mod id_token;
pub mod renewal;
pub mod sign_in;
pub mod stand_ins;

use stand_ins::{Family, StandIns};

/// Gives tokens out together with stand-ins.
pub struct OAuth {
    gate: Arc<Gate>,
    issuer: Arc<Issuer>,
    stand_ins: Arc<StandIns>,
    auditor: Auditor,
    timeline: Timeline,
}

impl OAuth {
    /// Takes its parts.
    pub fn new(
        gate: Arc<Gate>,
        issuer: Arc<Issuer>,
        stand_ins: Arc<StandIns>,
        auditor: Auditor,
        timeline: Timeline,
    ) -> Self {
        Self { gate, issuer, stand_ins, auditor, timeline }
    }

    /// The stand-ins.
    pub fn stand_ins(&self) -> &StandIns {
        &self.stand_ins
    }

    async fn note(
        &self,
        caller: &Caller,
        family: &Family,
        action: &str,
        origin: Origin<'_>,
    ) -> Result<(), AuditUnavailable> {
        let record = Record {
            at: self.timeline.now(),
            actor: Line::of(&format!("client:{}", caller.client.name)),
            action: Line::of(action),
            object: Line::of(&format!("stand-in:{}", family.id)),
            outcome: Line::of("ok"),
            request_id: Line::of(origin.request_id),
            address: Line::of(&origin.place()),
            detail: Line::of(origin.agent),
        };
        self.auditor.write(Deed { record, handout: None }).await
    }
}
