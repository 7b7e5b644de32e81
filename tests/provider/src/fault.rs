//! What can go wrong, as one type for the library and the control API.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::account::Account;
use crate::jwt::OddJwt;

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `POST /oauth/token` with grant type `refresh_token`.
    Refresh,
    /// `POST /oauth/token` with any other grant type, above all `authorization_code`.
    CodeExchange,
    /// `GET /oauth/authorize`.
    Authorize,
    /// `POST /oauth/revoke`.
    Revoke,
    /// `POST /api/accounts/deviceauth/usercode`.
    DeviceCode,
    /// `POST /api/accounts/deviceauth/token`.
    DevicePoll,
    /// The page `/codex/device`.
    DevicePage,
    /// `GET /backend-api/codex/models`.
    Models,
    /// `POST /backend-api/codex/responses`.
    Responses,
    /// `GET /backend-api/wham/usage`.
    Usage,
    /// Anything else; answered with 404.
    Elsewhere,
}

/// Something that goes wrong with the next answers of an endpoint.
///
/// In JSON: `{"endpoint":"refresh","how":{"status":{"status":503}},"times":2}`. Faults of one endpoint are used up in
/// the order in which they were added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Whose answers.
    pub endpoint: Endpoint,
    /// What happens to them.
    #[serde(default)]
    pub how: How,
    /// For how many answers. Default 1.
    #[serde(default = "once")]
    pub times: u32,
    /// How many answers before them are left alone. Default 0.
    #[serde(default)]
    pub skip: u32,
    /// Wait so long before deciding anything.
    #[serde(default)]
    pub delay_ms: u64,
    /// Wait until released.
    #[serde(default)]
    pub hold: Option<Hold>,
    /// Extra response headers, such as `Retry-After` and `Date`; they replace ours of the same name.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Whether the refresh token is redeemed although the answer does not say so. Default: as [`How::redeems`].
    #[serde(default)]
    pub redeem: Option<bool>,
}

fn once() -> u32 {
    1
}

/// Where a request waits until it is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// Before anything is decided: the refresh token has been presented and is not redeemed yet.
    BeforeDeciding,
    /// After deciding: it is redeemed and the answer has not left.
    BeforeAnswering,
}

/// What happens to an answer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum How {
    /// Nothing; for a delay, a hold or extra headers alone.
    #[default]
    Plain,
    /// Another status and body. A JSON string is sent as text, `null` as an empty body, anything else as JSON.
    Status {
        /// HTTP status.
        status: u16,
        /// Body.
        #[serde(default)]
        body: Value,
    },
    /// The connection ends before anything was decided.
    CutBefore {
        /// With RST instead of FIN.
        #[serde(default)]
        reset: bool,
    },
    /// The request is carried out, then the connection ends without a whole answer.
    CutAfter {
        /// With RST instead of FIN.
        #[serde(default)]
        reset: bool,
        /// Send the head and so many bytes of the body first; `null`: not even the status line.
        #[serde(default)]
        body_bytes: Option<usize>,
    },
    /// 200 with bytes that are no JSON and no UTF-8.
    Garbage,
    /// The true answer ends in the middle of its JSON, as if that were all of it.
    TruncatedJson,
    /// A web page, like a challenge or a captive portal.
    Html {
        /// HTTP status.
        status: u16,
    },
    /// The true answer under another `Content-Type`.
    ContentType {
        /// The header's value.
        value: String,
    },
    /// The true answer, padded to at least so many bytes.
    Oversize {
        /// Bytes of body.
        bytes: usize,
    },
    /// The true answer, padded to so many bytes and compressed (`Content-Encoding: gzip`).
    GzipBomb {
        /// Bytes after decompression.
        bytes: usize,
    },
    /// The true answer, byte by byte.
    Drip {
        /// Pause before each byte of the body.
        every_ms: u64,
    },
    /// A redirect.
    Redirect {
        /// 307 or 308.
        status: u16,
        /// `Location`.
        location: String,
    },
    /// A good answer to a redemption with something unusual in it.
    Twisted(Vec<Twist>),
}

/// Something unusual in a good answer to a redemption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Twist {
    /// No refresh token; the presented one stays good.
    WithoutRefreshToken,
    /// No `id_token`.
    WithoutIdToken,
    /// No `expires_in`.
    WithoutExpiresIn,
    /// Tokens whose claims name another account.
    AnotherAccount(Account),
    /// `access_token` is the empty string.
    EmptyAccessToken,
    /// An access token that lives so many seconds; zero or less is one that has expired.
    AccessTokenLife(i64),
    /// An access token that is not the JWT one expects.
    Jwt(OddJwt),
    /// `earliest_refresh_at` so many seconds ahead; redeeming before then burns the token.
    EarliestRefreshAfter(i64),
}

impl How {
    /// Whether the request is carried out unless the fault says otherwise: yes where the true answer is sent or lost,
    /// no where another answer takes its place.
    pub fn redeems(&self) -> bool {
        match self {
            Self::Plain
            | Self::CutAfter { .. }
            | Self::TruncatedJson
            | Self::ContentType { .. }
            | Self::Oversize { .. }
            | Self::GzipBomb { .. }
            | Self::Drip { .. }
            | Self::Twisted(_) => true,
            Self::Status { .. }
            | Self::CutBefore { .. }
            | Self::Garbage
            | Self::Html { .. }
            | Self::Redirect { .. } => false,
        }
    }
}

impl Fault {
    /// The next answer of `endpoint` goes wrong like this.
    pub fn on(endpoint: Endpoint, how: How) -> Self {
        Self { endpoint, how, times: 1, skip: 0, delay_ms: 0, hold: None, headers: BTreeMap::new(), redeem: None }
    }

    /// The next redemption goes wrong like this.
    pub fn refresh(how: How) -> Self {
        Self::on(Endpoint::Refresh, how)
    }

    /// The next redemption is answered with this status and body.
    pub fn refresh_status(status: u16, body: Value) -> Self {
        Self::refresh(How::Status { status, body })
    }

    /// The next redemption is refused with an error code in the provider's usual shape.
    pub fn refresh_code(status: u16, code: &str) -> Self {
        Self::refresh_status(status, crate::answer::error_body(code, "scripted"))
    }

    /// The next redemption succeeds with something unusual in its answer.
    pub fn refresh_twist(twist: Twist) -> Self {
        Self::refresh(How::Twisted(vec![twist]))
    }

    /// For so many answers.
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Leaving so many answers alone first.
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// After waiting (whole milliseconds, by the real clock).
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// After being released.
    pub fn hold(mut self, hold: Hold) -> Self {
        self.hold = Some(hold);
        self
    }

    /// With one more response header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.insert(name.to_ascii_lowercase(), value.into());
        self
    }

    /// Whether the refresh token is redeemed, whatever the answer looks like.
    pub fn redeeming(mut self, redeem: bool) -> Self {
        self.redeem = Some(redeem);
        self
    }

    pub(crate) fn carries_out(&self) -> bool {
        // Nothing can be carried out by a connection that ended before.
        !matches!(self.how, How::CutBefore { .. }) && self.redeem.unwrap_or_else(|| self.how.redeems())
    }

    pub(crate) fn twists(&self) -> &[Twist] {
        match &self.how {
            How::Twisted(twists) => twists,
            _ => &[],
        }
    }
}
