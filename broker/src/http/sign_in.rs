//! Pages and endpoints of programs that sign in by browser.
//!
//! * [`page`]: how a page looks, and the headers that keep it from being shown or sent elsewhere.
//! * [`authorize`]: a code for a browser (RFC 6749 §4.1). * [`device`]: a program without one (RFC 8628).
//! * [`discovery`]: where all that is (RFC 8414).

use std::time::Duration;

use actix_web::http::header::HeaderName;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, web};

use super::visitor::ClientAddress;
use crate::domain::guesses;
use crate::sign_in::{InviteRefused, Visitor};

pub mod authorize;
pub mod device;
pub mod discovery;
pub mod page;

/// Adds the routes.
pub fn routes(app: &mut web::ServiceConfig) {
    app.configure(authorize::routes).configure(device::routes).configure(discovery::routes);
}

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// False when a browser says that another site's page sent this form.
fn is_from_our_page(request: &HttpRequest) -> bool {
    let site = request.headers().get(FETCH_SITE).map(|site| site.as_bytes());
    matches!(site, None | Some(b"same-origin" | b"none"))
}

fn visitor<'a>(request: &'a HttpRequest, id: &'a super::request_id::RequestId, address: ClientAddress) -> Visitor<'a> {
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("");
    Visitor { address, request_id: id.as_str(), agent }
}

/// Why an invite was refused: the status, a sentence, and when to come again.
fn told(refused: InviteRefused) -> (StatusCode, String, Option<Duration>) {
    match refused {
        InviteRefused::Unknown => (StatusCode::FORBIDDEN, format!("{refused}."), None),
        InviteRefused::Wait(left) => {
            let minutes = left.as_secs().div_ceil(60);
            let sentence =
                format!("{refused} ({} in a quarter of an hour). Try again in {minutes} min.", guesses::MOST);
            (StatusCode::TOO_MANY_REQUESTS, sentence, Some(left))
        }
        InviteRefused::Storage => (StatusCode::SERVICE_UNAVAILABLE, format!("{refused}."), None),
    }
}
