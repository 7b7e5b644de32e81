//! How a page looks: no script, nothing from elsewhere, shown in no frame, kept nowhere.

use std::sync::LazyLock;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder};
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::domain::loopback::Loopback;

const STYLE: &str = "\
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}\
body{max-width:30rem;margin:3rem auto;padding:0 1rem}\
h1{font-size:1.3rem}\
label{display:block;margin:1rem 0 .3rem}\
input{font:1.1rem ui-monospace,monospace;width:100%;box-sizing:border-box;padding:.5rem}\
button{font:inherit;padding:.5rem 1rem;margin:1.2rem .6rem 0 0}\
.wrong{border-left:.3rem solid #b00;padding-left:.7rem}\
.small{font-size:.85rem;opacity:.8}";

/// `style-src` of exactly that style.
static STYLE_SOURCE: LazyLock<String> = LazyLock::new(|| {
    let hash = digest::digest(&digest::SHA256, STYLE.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(hash.as_ref()))
});

/// Where a page's form may lead a browser; some browsers also follow this for the redirect after it.
#[derive(Debug, Clone, Copy)]
pub enum Leads<'a> {
    /// Nowhere: the page has no form.
    Nowhere,
    /// To us.
    Here,
    /// To us, and from there to a program on the person's machine.
    HereAndTo(&'a Loopback),
}

impl Leads<'_> {
    fn form_action(self) -> String {
        match self {
            Self::Nowhere => "'none'".to_owned(),
            Self::Here => "'self'".to_owned(),
            // The grammar of sources knows no IPv6 address.
            Self::HereAndTo(redirect) if redirect.origin().contains('[') => "'self' http:".to_owned(),
            Self::HereAndTo(redirect) => format!("'self' {}", redirect.origin()),
        }
    }
}

/// The headers of every answer to a browser here, redirects too.
pub fn guarded(status: StatusCode, leads: Leads<'_>) -> HttpResponseBuilder {
    let policy = format!(
        "default-src 'none'; style-src {}; form-action {}; frame-ancestors 'none'; base-uri 'none'",
        *STYLE_SOURCE,
        leads.form_action()
    );
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .insert_header((header::X_FRAME_OPTIONS, "DENY"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    response
}

/// A page.
pub fn page(status: StatusCode, leads: Leads<'_>, title: &str, content: &Markup) -> HttpResponse {
    waiting(status, leads, None, title, content)
}

/// A page that says when to come again.
pub fn waiting(
    status: StatusCode,
    leads: Leads<'_>,
    retry_after: Option<Duration>,
    title: &str,
    content: &Markup,
) -> HttpResponse {
    let text = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                (content)
            }
        }
    };
    let mut response = guarded(status, leads);
    if let Some(span) = retry_after {
        response.insert_header((header::RETRY_AFTER, span.as_secs().max(1).to_string()));
    }
    response.content_type("text/html; charset=utf-8").body(text.into_string())
}

/// A page that says only this.
pub fn dead_end(status: StatusCode, title: &str, sentence: &str) -> HttpResponse {
    page(status, Leads::Nowhere, title, &html! { p { (sentence) } })
}

/// The field for an invite.
pub fn invite_field() -> Markup {
    html! {
        label for="invite" { "Invite" }
        input id="invite" name="invite" required autofocus autocomplete="off" autocapitalize="characters" spellcheck="false"
            maxlength="64" placeholder="BCDFG-HJKLM-NPQRS-TVWXZ";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn what_a_stranger_wrote_is_shown_as_text() {
        let response = dead_end(StatusCode::BAD_REQUEST, "T", "<script>alert(1)</script>\"'&");
        let body = actix_web::body::to_bytes(response.into_body()).await.unwrap();
        let text = std::str::from_utf8(&body).unwrap();
        assert!(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !text.contains("<script"), "{text}");
    }

    #[test]
    fn the_policy_names_where_the_form_leads_and_nothing_else() {
        let policy = |leads| {
            let response = guarded(StatusCode::OK, leads).finish();
            response.headers().get("content-security-policy").unwrap().to_str().unwrap().to_owned()
        };
        let redirect = |text| Loopback::parse(text).unwrap();
        assert!(policy(Leads::Nowhere).contains("form-action 'none'; frame-ancestors 'none'"));
        assert!(policy(Leads::Here).contains("form-action 'self'; "));
        let numbers = redirect("http://127.0.0.1:18455/callback");
        assert!(policy(Leads::HereAndTo(&numbers)).contains("form-action 'self' http://127.0.0.1:18455; "));
        let ipv6 = redirect("http://[::1]:18455/callback");
        assert!(policy(Leads::HereAndTo(&ipv6)).contains("form-action 'self' http:; "));
        assert!(policy(Leads::Here).starts_with("default-src 'none'; style-src 'sha256-"));
    }
}
