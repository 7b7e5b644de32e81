//! `POST /oauth/device_authorization`, and the page `/oauth/device` on which a person lets a program in.

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use maud::{Markup, html};
use serde_json::json;

use super::page::{Leads, dead_end, invite_field, page, waiting};
use super::{is_from_our_page, told, visitor};
use crate::domain::authorization::CLIENT;
use crate::domain::device_grant::{INTERVAL, LIFE, UserCode};
use crate::http::error::Refusal;
use crate::http::oauth::parameters::{Dialect, Parameters};
use crate::http::oauth::trouble::{Kind, Trouble};
use crate::http::request_id::RequestId;
use crate::http::unhurried::to_the_end;
use crate::http::visitor::ClientAddress;
use crate::sign_in::SignIns;

/// Where a program asks.
pub const ASK_PATH: &str = "/oauth/device_authorization";
/// Where its person goes.
pub const PATH: &str = "/oauth/device";

const TITLE: &str = "Let a program in";

pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.service(web::resource(ASK_PATH).route(web::post().to(ask)))
        .service(web::resource(PATH).route(web::get().to(show)).route(web::post().to(submit)));
}

async fn ask(
    request: HttpRequest,
    id: RequestId,
    address: ClientAddress,
    sign_ins: web::Data<Arc<SignIns>>,
    body: Bytes,
) -> HttpResponse {
    let parameters = match Parameters::read(Dialect::Form, &body) {
        Ok(parameters) => parameters,
        Err(unreadable) => return Trouble::new(Kind::InvalidRequest, unreadable.to_string()).response(Dialect::Form),
    };
    if parameters.get("client_id") != Some(CLIENT) {
        let message = format!("client_id must be \"{CLIENT}\"");
        return Trouble::new(Kind::InvalidClient, message).response(Dialect::Form);
    }
    let asked = match sign_ins.ask(visitor(&request, &id, address)) {
        Ok(asked) => asked,
        Err(full) => {
            let trouble = Trouble { retry_after: Some(LIFE), ..Trouble::new(Kind::TooMany, full.to_string()) };
            return trouble.response(Dialect::Form);
        }
    };
    let page = format!("{}{PATH}", sign_ins.issuer());
    let body = json!({
        "device_code": asked.device_code.expose(),
        "user_code": asked.user_code.to_string(),
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={}", asked.user_code),
        "expires_in": LIFE.as_secs(),
        "interval": INTERVAL.as_secs(),
    });
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(body)
}

async fn show(request: HttpRequest, sign_ins: web::Data<Arc<SignIns>>) -> HttpResponse {
    let mut query = url::form_urlencoded::parse(request.query_string().as_bytes());
    let code = query.find(|(name, _)| name == "user_code");
    // Shown only if it is one: what stands in a link is somebody's text.
    let code = code.and_then(|(_, code)| UserCode::parse(&code).ok()).map(|code| code.to_string());
    page(StatusCode::OK, Leads::Here, TITLE, &form(&sign_ins.device_form(), code.as_deref().unwrap_or_default(), None))
}

async fn submit(
    request: HttpRequest,
    id: RequestId,
    address: ClientAddress,
    sign_ins: web::Data<Arc<SignIns>>,
    body: Bytes,
) -> Result<HttpResponse, Refusal> {
    to_the_end(async move { answered(&request, &id, address, &sign_ins, &body).await }).await
}

async fn answered(
    request: &HttpRequest,
    id: &RequestId,
    address: ClientAddress,
    sign_ins: &SignIns,
    body: &[u8],
) -> HttpResponse {
    const AGAIN: &str = "Open this page once more.";
    if !is_from_our_page(request) {
        return dead_end(StatusCode::FORBIDDEN, TITLE, &format!("Another site's page sent this. {AGAIN}"));
    }
    let Ok(fields) = Parameters::read(Dialect::Form, body) else {
        return dead_end(StatusCode::BAD_REQUEST, TITLE, &format!("The form cannot be read. {AGAIN}"));
    };
    let field = |name| fields.get(name).unwrap_or_default();
    if sign_ins.check_device_form(field("request")).is_err() {
        let sentence = format!("This page has been open for too long, or did not come from here. {AGAIN}");
        return dead_end(StatusCode::BAD_REQUEST, TITLE, &sentence);
    }
    match sign_ins.let_in(field("user_code"), field("invite"), visitor(request, id, address)).await {
        Ok(()) => dead_end(StatusCode::OK, "It is let in", "The program goes on by itself. You may close this page."),
        Err(refused) => {
            let (status, sentence, retry_after) = told(refused);
            let sentence = match status {
                StatusCode::FORBIDDEN => "This code or this invite is not known here, or no longer.".to_owned(),
                _ => sentence,
            };
            let code = UserCode::parse(field("user_code")).map(|code| code.to_string()).unwrap_or_default();
            let form = form(field("request"), &code, Some(&sentence));
            waiting(status, Leads::Here, retry_after, TITLE, &form)
        }
    }
}

fn form(request: &str, code: &str, wrong: Option<&str>) -> Markup {
    html! {
        @if let Some(sentence) = wrong { p class="wrong" role="alert" { (sentence) } }
        p { "A program on another machine shows a code and waits. Go on only if you have just started it yourself and the "
            "code is the same as on its screen: whoever started it will use the login in your name." }
        form method="post" action=(PATH) autocomplete="off" {
            input type="hidden" name="request" value=(request);
            label for="user_code" { "Code" }
            input id="user_code" name="user_code" required value=(code) autocapitalize="characters" spellcheck="false"
                maxlength="32" placeholder="BCDF-GHJK";
            (invite_field())
            button { "Let it in" }
        }
    }
}
