//! Who gives out tokens, in the three ways there are.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::assembly::Assembly;
use crate::config::{Config, Limits};
use crate::domain::limits::Allowance;
use crate::issuer::{Issuer, Terms};
use crate::oauth::OAuth;
use crate::registrar::Registrar;
use crate::sign_in::{Parts, SignIns};

/// To keys, to stand-ins, and to programs that sign in.
pub(super) struct Desks {
    pub(super) issuer: Arc<Issuer>,
    pub(super) oauth: Arc<OAuth>,
    pub(super) sign_ins: Arc<SignIns>,
}

impl Desks {
    /// `url` is what addresses of the broker begin with.
    pub(super) fn new(config: &Config, assembly: &Assembly, registrar: &Arc<Registrar>, url: &str) -> Self {
        let terms = Terms {
            wait: config.limits.wait,
            revalidate_after: config.serve.revalidate_after,
            allowance: allowance(&config.limits),
        };
        let (rotator, gate, auditor) = (&assembly.rotator, &assembly.gate, &assembly.auditor);
        let (stand_ins, timeline) = (Arc::clone(&assembly.stand_ins), assembly.timeline.clone());
        let issuer = Arc::new(Issuer::new(Arc::clone(rotator), auditor.clone(), terms));
        let oauth = OAuth::new(Arc::clone(gate), Arc::clone(&issuer), stand_ins, auditor.clone(), timeline.clone());
        let oauth = Arc::new(oauth);
        let sign_ins = SignIns::new(Parts {
            registrar: Arc::clone(registrar),
            oauth: Arc::clone(&oauth),
            gate: Arc::clone(gate),
            store: assembly.store.clone(),
            sealer: rotator.parts().sealer.clone(),
            auditor: auditor.clone(),
            timeline,
            issuer: url.to_owned(),
        });
        Self { issuer, oauth, sign_ins: Arc::new(sign_ins) }
    }
}

/// What every client may ask for; 0 in the configuration is no limit.
fn allowance(limits: &Limits) -> Allowance {
    Allowance {
        requests_per_minute: NonZeroU32::new(limits.client_requests_per_minute),
        handouts_per_hour: NonZeroU32::new(limits.client_handouts_per_hour),
    }
}
