//! `grant_type=authorization_code` and `urn:ietf:params:oauth:grant-type:device_code`.

use super::parameters::Parameters;
use super::trouble::{Kind, Trouble};
use super::trouble_of;
use crate::domain::authorization::CLIENT;
use crate::issuer::Origin;
use crate::oauth::sign_in::SignedIn;
use crate::sign_in::{CodeRefused, DeviceRefused, Redemption, SignIns};

pub(super) const AUTHORIZATION_CODE: &str = "authorization_code";
pub(super) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A code for a token.
pub(super) async fn redeem(
    sign_ins: &SignIns,
    parameters: &Parameters,
    origin: Origin<'_>,
) -> Result<SignedIn, Trouble> {
    is_known(parameters)?;
    let redemption = Redemption {
        code: required(parameters, "code")?,
        redirect_uri: required(parameters, "redirect_uri")?,
        verifier: required(parameters, "code_verifier")?,
    };
    sign_ins.redeem(redemption, origin).await.map_err(|refused| match refused {
        CodeRefused::Code => Trouble::new(Kind::InvalidGrant, format!("{refused}: begin the sign-in once more")),
        CodeRefused::Denied(denied) => trouble_of(&denied),
    })
}

/// How a device code stands.
pub(super) async fn poll(sign_ins: &SignIns, parameters: &Parameters, origin: Origin<'_>) -> Result<SignedIn, Trouble> {
    is_known(parameters)?;
    let device_code = required(parameters, "device_code")?;
    sign_ins.poll(device_code, origin).await.map_err(|refused| {
        let kind = match &refused {
            DeviceRefused::Pending => Kind::AuthorizationPending,
            DeviceRefused::SlowDown => Kind::SlowDown,
            DeviceRefused::AccessDenied => Kind::AccessDenied,
            DeviceRefused::Expired => Kind::ExpiredToken,
            DeviceRefused::Denied(denied) => return trouble_of(denied),
        };
        Trouble::new(kind, refused.to_string())
    })
}

fn is_known(parameters: &Parameters) -> Result<(), Trouble> {
    if required(parameters, "client_id")? == CLIENT {
        return Ok(());
    }
    Err(Trouble::new(Kind::InvalidClient, format!("client_id must be \"{CLIENT}\"")))
}

fn required<'a>(parameters: &'a Parameters, name: &str) -> Result<&'a str, Trouble> {
    parameters.get(name).ok_or_else(|| Trouble::new(Kind::InvalidRequest, format!("the parameter {name} is missing")))
}
