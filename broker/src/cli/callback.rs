//! What a browser brings back from the provider's page (*P 2.3*), through a port of this machine or by a person's hand.

use std::sync::Arc;
use std::time::Duration;

use scorpiox_wire::admin::LoginCallback;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::provider::login::{Callback, LoginError};

/// The path to which the provider sends the browser.
pub(super) const PATH: &str = "/auth/callback";
/// What newer pages append to the state (*P 2.3*).
const STATE_SUFFIX: &str = ".onboarding_entrypoint=";
/// Longer than any redirect with its headers.
const LONGEST_REQUEST: usize = 32 << 10;
/// A browser opens connections in advance and leaves them silent.
const PATIENCE: Duration = Duration::from_secs(10);
const CONNECTIONS: usize = 32;

/// What an attempt to log in ends with on this side.
#[derive(Debug)]
pub(super) enum Arrival {
    /// A code for the broker.
    Code(LoginCallback),
    /// The page said no.
    Declined(LoginError),
    /// Another login on this machine wants the port.
    Cancelled,
}

/// Reads the address that a browser ended at, or the bare code.
pub(super) fn pasted(line: &str, state: &str) -> Result<Arrival, LoginError> {
    let line = line.trim();
    let bare = line.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte));
    if bare && !line.is_empty() {
        // Whoever copied it from the page of this attempt vouches for where it came from.
        return Ok(Arrival::Code(LoginCallback { code: line.to_owned().into(), state: state.to_owned() }));
    }
    read(line, state)
}

/// Reads the query of a redirect, or its whole address; nothing that belongs to another attempt gets through.
fn read(text: &str, expected: &str) -> Result<Arrival, LoginError> {
    let Callback { outcome, state } = Callback::parse(text)?;
    let rest = state.strip_prefix(expected).ok_or(LoginError::WrongState)?;
    if !rest.is_empty() && !rest.starts_with(STATE_SUFFIX) {
        return Err(LoginError::WrongState);
    }
    Ok(match outcome {
        Ok(code) => Arrival::Code(LoginCallback { code, state }),
        Err(error) => Arrival::Declined(error),
    })
}

/// Answers browsers for as long as the process lives.
pub(super) async fn serve<F>(listener: TcpListener, state: Arc<str>, pass_on: F)
where
    F: Fn(Arrival) + Clone + Send + Sync + 'static,
{
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let permit = Arc::clone(&room).acquire_owned().await.expect("the semaphore is never closed");
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (state, pass_on) = (Arc::clone(&state), pass_on.clone());
        tokio::spawn(async move {
            if let Ok(Some(arrival)) = tokio::time::timeout(PATIENCE, answer(stream, &state)).await {
                pass_on(arrival);
            }
            drop(permit);
        });
    }
}

/// Answers one request; the page is on its way before anything else happens, because the process may end then.
async fn answer(mut stream: TcpStream, state: &str) -> Option<Arrival> {
    let head = read_head(&mut stream).await?;
    let (page, arrival) = page(&head, state);
    let _ = stream.write_all(page.as_bytes()).await;
    let _ = stream.shutdown().await;
    arrival
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut part = [0; 2048];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        let length = stream.read(&mut part).await.ok()?;
        if length == 0 || head.len() + length > LONGEST_REQUEST {
            return None;
        }
        head.extend_from_slice(&part[..length]);
    }
    String::from_utf8(head).ok()
}

/// The page for a request, and what the request means.
fn page(head: &str, state: &str) -> (String, Option<Arrival>) {
    let mut words = head.lines().next().unwrap_or_default().split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match (method, path) {
        ("GET", PATH) => match read(query, state) {
            Ok(arrival @ Arrival::Code(_)) => (
                html("200 OK", "The code has arrived. Go back to the terminal; this page can be closed."),
                Some(arrival),
            ),
            Ok(arrival) => (html("200 OK", "There is no login. The terminal says why."), Some(arrival)),
            Err(_) => (html("400 Bad Request", "This page belongs to another login attempt."), None),
        },
        ("GET", "/cancel") => (html("200 OK", "This login was left."), Some(Arrival::Cancelled)),
        ("GET", _) => (html("404 Not Found", "There is nothing here."), None),
        _ => (html("405 Method Not Allowed", "There is nothing here."), None),
    }
}

fn html(status: &str, sentence: &str) -> String {
    let body = format!("<!doctype html><meta charset=utf-8><title>scorpiox-broker</title><p>{sentence}</p>\n");
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
         referrer-policy: no-referrer\r\ncontent-security-policy: default-src 'none'\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
