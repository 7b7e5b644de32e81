//! `GET /codex/auth.json`: the file of an unmodified stock CLI, which then renews at `POST /oauth/token`.

use actix_web::{HttpRequest, HttpResponse, web};
use scorpiox_wire::stock::{AUTH_FILE_PATH, AuthFile, AuthTokens};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::error::Refusal;
use super::oauth::{OAuthService, origin, problem_of, secret_json};
use super::request_id::RequestId;
use super::token::{TokenService, recognise};
use super::unhurried::to_the_end;
use super::visitor::ClientAddress;
use crate::domain::stand_in::Purpose;
use crate::oauth::sign_in::SignedIn;

/// Adds the route.
pub fn routes(app: &mut web::ServiceConfig) {
    app.service(web::resource(AUTH_FILE_PATH).route(web::get().to(get)));
}

async fn get(
    request: HttpRequest,
    id: RequestId,
    address: ClientAddress,
    tokens: web::Data<TokenService>,
    service: web::Data<OAuthService>,
) -> Result<HttpResponse, Refusal> {
    let caller =
        recognise(&tokens, &request, address).inspect_err(|refusal| tokens.issuer.turned_away(refusal.problem.code))?;
    let signed_in =
        to_the_end(
            async move { service.oauth.sign_in(&caller, Purpose::AuthFile, origin(&request, &id, &address)).await },
        );
    signed_in.await?.map(|signed_in| secret_json(&file(&signed_in))).map_err(|denied| problem_of(&denied))
}

fn file(signed_in: &SignedIn) -> AuthFile {
    let token = signed_in.handout.answer();
    let obtained_at = OffsetDateTime::from_unix_timestamp(token.expires_at - token.expires_in);
    let last_refresh = obtained_at.ok().and_then(|moment| moment.format(&Rfc3339).ok());
    AuthFile {
        auth_mode: "chatgpt".to_owned(),
        api_key: None,
        last_refresh: last_refresh.unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned()),
        tokens: AuthTokens {
            id_token: signed_in.id_token(),
            access_token: token.access_token,
            refresh_token: signed_in.stand_in.clone(),
            account_id: token.account_id,
        },
    }
}
