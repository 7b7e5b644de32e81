//! Trying one source: a token is fetched, told about and thrown away.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::cli::moment::moment;
use crate::clock::Clock;
use crate::failure::Failure;
use crate::settings::{Settings, SourceName, Surroundings};
use crate::talk::Talk;
use crate::token::Ask;
use crate::token::chain::Sources;
use crate::token::claims::UnverifiedClaims;
use crate::token::supply::Supply;

/// How long one source may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What there is to say of a token without showing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Where it came from.
    pub source: SourceName,
    /// The ChatGPT account (workspace).
    pub account: Option<String>,
    /// The plan of that account.
    pub plan: Option<String>,
    /// When the provider stops accepting it, Unix seconds.
    pub expires_at: Option<i64>,
}

impl Report {
    /// Until when the token is accepted: `Wed 02 Dec 14:05, in 9 d 22 h`, in local time.
    pub fn expires(&self, clock: &dyn Clock) -> Option<String> {
        let end = self.expires_at?;
        Some(moment(end, clock.unix_ms() / 1000, &TimeZone::system()))
    }
}

/// Asks this source, whether or not it is chosen. No cache answers in its place.
pub fn try_source(
    source: SourceName,
    settings: &Settings,
    surroundings: &Surroundings<'_>,
    clock: &dyn Clock,
    talk: &mut Talk,
) -> Result<Report, Failure> {
    let supply = Supply::uncached(settings, surroundings, clock);
    let token = Sources::fetch(&supply, source, &Ask::Current, PATIENCE, talk)?.token;
    let claims = UnverifiedClaims::of(token.access_token.expose());
    Ok(Report {
        source,
        account: token.account_id.or(claims.account_id),
        plan: claims.plan_type,
        expires_at: token.expires_at,
    })
}
