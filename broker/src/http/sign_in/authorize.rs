//! `GET` and `POST /oauth/authorize`: the page on which a person shows an invite, and the way back.

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use maud::{Markup, html};

use super::page::{Leads, dead_end, guarded, invite_field, page, waiting};
use super::{is_from_our_page, told, visitor};
use crate::domain::authorization::{AuthorizationRequest, BadRequest};
use crate::domain::loopback::Loopback;
use crate::http::error::Refusal;
use crate::http::oauth::parameters::{Dialect, Parameters};
use crate::http::request_id::RequestId;
use crate::http::unhurried::to_the_end;
use crate::http::visitor::ClientAddress;
use crate::sign_in::SignIns;

/// Its path.
pub const PATH: &str = "/oauth/authorize";

const TITLE: &str = "Sign in to the broker";
const AGAIN: &str = "Go back to the program and begin the sign-in there once more.";

pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.service(web::resource(PATH).route(web::get().to(show)).route(web::post().to(submit)));
}

async fn show(request: HttpRequest, sign_ins: web::Data<Arc<SignIns>>) -> HttpResponse {
    let pairs: Vec<_> = url::form_urlencoded::parse(request.query_string().as_bytes()).collect();
    let asked = AuthorizationRequest::read(pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref())));
    match asked {
        Ok(asked) => {
            let form = form(&asked, &sign_ins.form_of(&asked), None);
            page(StatusCode::OK, Leads::HereAndTo(&asked.redirect), TITLE, &form)
        }
        Err(BadRequest::Here(sentence)) => {
            let sentence = format!("This request is not one that the broker answers: {sentence}.");
            dead_end(StatusCode::BAD_REQUEST, "No sign-in", &sentence)
        }
        Err(BadRequest::Back { redirect, state, error, description }) => {
            back(&redirect, state.as_deref(), (error, &description), sign_ins.issuer())
        }
    }
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
    if !is_from_our_page(request) {
        return dead_end(StatusCode::FORBIDDEN, "No sign-in", &format!("Another site's page sent this. {AGAIN}"));
    }
    let Ok(fields) = Parameters::read(Dialect::Form, body) else {
        return dead_end(StatusCode::BAD_REQUEST, "No sign-in", &format!("The form cannot be read. {AGAIN}"));
    };
    let written = fields.get("request").unwrap_or_default();
    let asked = match sign_ins.request_of(written) {
        Ok(asked) => asked,
        Err(not_ours) => {
            return dead_end(
                StatusCode::BAD_REQUEST,
                "No sign-in",
                &format!("{}. {AGAIN}", capital(&not_ours.to_string())),
            );
        }
    };
    if fields.get("answer") == Some("refuse") {
        return back(&asked.redirect, Some(&asked.state), ("access_denied", "the person said no"), sign_ins.issuer());
    }
    let visitor = visitor(request, id, address);
    match sign_ins.authorize(&asked, fields.get("invite").unwrap_or_default(), visitor).await {
        Ok(to) => see_other(to.expose(), &asked.redirect),
        Err(refused) => {
            let (status, sentence, retry_after) = told(refused);
            let form = form(&asked, written, Some(&capital(&sentence)));
            waiting(status, Leads::HereAndTo(&asked.redirect), retry_after, TITLE, &form)
        }
    }
}

fn form(asked: &AuthorizationRequest, request: &str, wrong: Option<&str>) -> Markup {
    html! {
        @if let Some(sentence) = wrong { p class="wrong" role="alert" { (sentence) } }
        p { "A program on this machine asks to use a login of the broker. If you have just started it yourself, type the "
            "invite that you were given." }
        form method="post" action=(PATH) autocomplete="off" {
            input type="hidden" name="request" value=(request);
            (invite_field())
            button name="answer" value="accept" { "Sign in" }
            button name="answer" value="refuse" formnovalidate { "Refuse" }
        }
        p class="small" { "It listens at " code { (asked.redirect.origin()) } " and is told the outcome there." }
    }
}

/// Back to the program with an error (RFC 6749 §4.1.2.1, RFC 9207).
fn back(redirect: &Loopback, state: Option<&str>, (error, description): (&str, &str), issuer: &str) -> HttpResponse {
    let mut parameters = vec![("error", error), ("error_description", description)];
    parameters.extend(state.map(|state| ("state", state)));
    parameters.push(("iss", issuer));
    see_other(&redirect.with(&parameters), redirect)
}

/// A form's answer is always fetched with GET: 303, never 302 or 307 (RFC 9700 §4.12).
fn see_other(to: &str, redirect: &Loopback) -> HttpResponse {
    guarded(StatusCode::SEE_OTHER, Leads::HereAndTo(redirect)).insert_header((header::LOCATION, to)).finish()
}

fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
