//! A program without a browser asks, and waits for a person.

use scorpiox_wire::Secret;

use super::form::{self, NotOurs};
use super::{InviteRefused, SignIns, Visitor, hash, lock, random, ticket};
use crate::domain::client::ClientId;
use crate::domain::device_grant::{Asking, Full, NobodyWaits, Poll, UserCode};
use crate::domain::stand_in::Purpose;
use crate::issuer::Origin;
use crate::oauth::sign_in::{Denied, SignedIn};

const PAGE: &str = "device";

/// What the program is told.
#[derive(Debug)]
pub struct DeviceAsked {
    /// What it asks with.
    pub device_code: Secret,
    /// What it shows.
    pub user_code: UserCode,
}

/// Why there is no device code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAsked {
    /// Too many of this address wait.
    #[error("too many programs of this address wait for their person already")]
    OfAddress,
    /// Too many wait.
    #[error("too many programs wait for their person already")]
    InAll,
}

/// Why a program has no token yet, or never will.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceRefused {
    /// The person has not decided.
    #[error("nobody has decided yet")]
    Pending,
    /// The same; and it asks too often.
    #[error("nobody has decided yet, and this asks sooner than it was told to")]
    SlowDown,
    /// A person said no.
    #[error("a person said no")]
    AccessDenied,
    /// Too late, or never asked here.
    #[error("this code has ended: nobody decided within 10 minutes, or the broker was restarted")]
    Expired,
    /// A person said yes, but there is no token.
    #[error(transparent)]
    Denied(#[from] Denied),
}

impl SignIns {
    /// A program asks to be let in.
    pub fn ask(&self, visitor: Visitor<'_>) -> Result<DeviceAsked, NotAsked> {
        let (device_code, hash) = ticket();
        let user_code = UserCode::from_random(random());
        let asking = Asking {
            user_code: user_code.clone(),
            address: visitor.address.0,
            agent: visitor.agent.chars().take(200).collect(),
            asked_at: self.parts.timeline.now(),
        };
        lock(&self.devices).begin(hash, asking, self.moment()).map_err(|full| match full {
            Full::OfAddress => NotAsked::OfAddress,
            Full::InAll => NotAsked::InAll,
        })?;
        Ok(DeviceAsked { device_code, user_code })
    }

    /// A token and a stand-in, once a person has agreed.
    pub async fn poll(&self, device_code: &str, origin: Origin<'_>) -> Result<SignedIn, DeviceRefused> {
        let device = hash(device_code);
        let client = match lock(&self.devices).poll(&device, self.moment()) {
            Poll::Pending => return Err(DeviceRefused::Pending),
            Poll::SlowDown => return Err(DeviceRefused::SlowDown),
            Poll::Denied => return Err(DeviceRefused::AccessDenied),
            Poll::Expired => return Err(DeviceRefused::Expired),
            Poll::Approved(client) => client,
        };
        // Revoked between the approval and this.
        let caller = self.caller(&client).ok_or(DeviceRefused::AccessDenied)?;
        let signed_in = self.parts.oauth.sign_in(&caller, Purpose::Gateway, origin).await;
        if matches!(&signed_in, Ok(_) | Err(Denied::Refused(crate::issuer::Refused::Revoked))) {
            lock(&self.devices).end(&device);
        } else {
            lock(&self.devices).give_back(&device);
        }
        Ok(signed_in?)
    }

    /// From here on nobody else decides about the program with this code, until this is dropped.
    pub(super) fn deciding<'a>(&'a self, code: &'a UserCode) -> Result<Deciding<'a>, NobodyWaits> {
        lock(&self.devices).reserve(code, self.moment())?;
        Ok(Deciding { sign_ins: self, code })
    }

    /// The hidden field of the device page's form.
    pub fn device_form(&self) -> String {
        form::write(&self.parts.sealer, PAGE, &(), self.parts.timeline.now())
    }

    /// Whether that form is ours.
    pub fn check_device_form(&self, form: &str) -> Result<(), NotOurs> {
        form::read(&self.parts.sealer, PAGE, form, self.parts.timeline.now())
    }

    /// A person shows an invite for the program that shows this code. Whether it is the code or the invite that is wrong
    /// is not told.
    pub async fn let_in(&self, code: &str, invite: &str, visitor: Visitor<'_>) -> Result<(), InviteRefused> {
        let invite = self.look_at(invite, visitor).await?;
        let code = UserCode::parse(code).ok();
        let deciding = code.as_ref().and_then(|code| self.deciding(code).ok());
        let Some(deciding) = deciding else { return Err(self.wrong(visitor).await) };
        self.use_up(&invite, &format!("device: {}", deciding.code), visitor).await?;
        deciding.approve(invite.caller.client.id.clone()).map_err(|NobodyWaits| InviteRefused::Unknown)
    }
}

/// Somebody decides about a program. It waits on when nothing comes of that.
pub(super) struct Deciding<'a> {
    sign_ins: &'a SignIns,
    code: &'a UserCode,
}

impl Deciding<'_> {
    /// It is this client now.
    pub(super) fn approve(&self, client: ClientId) -> Result<(), NobodyWaits> {
        lock(&self.sign_ins.devices).approve(self.code, client)
    }
}

impl Drop for Deciding<'_> {
    fn drop(&mut self) {
        lock(&self.sign_ins.devices).release(self.code);
    }
}
