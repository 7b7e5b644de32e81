//! What a browser brings back from the login server's page, through a port of this machine.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::oauth::AuthorizationCode;
use crate::oauth::browser::{Brought, BrowserLogin, CALLBACK_PATH};

/// Longer than any redirect with its headers.
const LONGEST_REQUEST: usize = 32 << 10;
/// A browser opens connections in advance and leaves them silent: each is given so long, on a thread of its own.
const PATIENCE: Duration = Duration::from_secs(10);

/// What an attempt to log in ends with on this side.
pub(super) enum Arrival {
    /// A code to exchange.
    Code(AuthorizationCode),
    /// The page said no.
    Declined(Failure),
    /// Another login on this machine wants the port.
    Cancelled,
}

/// Answers browsers for as long as the process lives.
pub(super) fn serve(listener: TcpListener, attempt: Arc<BrowserLogin>, sender: Sender<Arrival>) {
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (attempt, sender) = (attempt.clone(), sender.clone());
            std::thread::spawn(move || {
                if let Some(arrival) = answer(stream, &attempt) {
                    // When nobody waits any more, the person has something better already.
                    let _ = sender.send(arrival);
                }
            });
        }
    });
}

/// Answers one request; the page is on its way before anything else happens, because the process may end then.
fn answer(mut stream: TcpStream, attempt: &BrowserLogin) -> Option<Arrival> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    let head = read_head(&mut stream)?;
    let (page, arrival) = page(&head, attempt);
    let _ = stream.write_all(page.as_bytes());
    let _ = stream.shutdown(std::net::Shutdown::Write);
    arrival
}

fn read_head(stream: &mut TcpStream) -> Option<Zeroizing<String>> {
    let mut head = Zeroizing::new(Vec::new());
    let mut part = [0; 2048];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        let length = stream.read(&mut part).ok()?;
        if length == 0 || head.len() + length > LONGEST_REQUEST {
            return None;
        }
        head.extend_from_slice(&part[..length]);
    }
    String::from_utf8(head.to_vec()).ok().map(Zeroizing::new)
}

/// The page for a request, and what the request means.
fn page(head: &str, attempt: &BrowserLogin) -> (String, Option<Arrival>) {
    let mut words = head.lines().next().unwrap_or_default().split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match (method, path) {
        ("GET", CALLBACK_PATH) => match attempt.read(query) {
            Brought::Code(code) => {
                let page = html("200 OK", "The code has arrived. Go back to the terminal; this page can be closed.");
                (page, Some(Arrival::Code(code)))
            }
            Brought::Declined(failure) => {
                (html("200 OK", "There is no login. The terminal says why."), Some(Arrival::Declined(failure)))
            }
            Brought::Nothing(_) => (html("400 Bad Request", "This page belongs to another login attempt."), None),
        },
        ("GET", "/cancel") => (html("200 OK", "This login was left."), Some(Arrival::Cancelled)),
        ("GET", _) => (html("404 Not Found", "There is nothing here."), None),
        _ => (html("405 Method Not Allowed", "There is nothing here."), None),
    }
}

fn html(status: &str, sentence: &str) -> String {
    let body = format!("<!doctype html><meta charset=utf-8><title>scorpiox-codex-login</title><p>{sentence}</p>\n");
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
         referrer-policy: no-referrer\r\ncontent-security-policy: default-src 'none'\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
