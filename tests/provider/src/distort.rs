//! What a fault makes of an answer.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::answer::{Answer, Content, Delivery, Reply};
use crate::fault::{Fault, How};
use crate::log::{LogEntry, Told};
use crate::oracle::told_truthfully;

/// The reply to a request whose true answer (`None`: it was not carried out) meets a fault.
pub(crate) fn reply(true_answer: Option<Answer>, fault: Option<&Fault>) -> Reply {
    let Some(fault) = fault else {
        let answer = true_answer.expect("without a fault every request is carried out");
        return Reply { answer, delivery: Delivery::Whole };
    };
    // What a caller sees that asked for the true answer and for not carrying the request out.
    let or_busy = || true_answer.clone().unwrap_or_else(|| Answer::error(503, "server_is_overloaded", "scripted"));
    let answer = match &fault.how {
        How::Plain | How::Twisted(_) | How::Drip { .. } | How::CutAfter { .. } | How::CutBefore { .. } => or_busy(),
        How::Status { status, body } => scripted(*status, body),
        How::Garbage => Answer::bytes(200, "application/json", &b"\x00\xff\xfe{]\x80not json\xc3("[..]),
        How::TruncatedJson => with_body(or_busy(), |body| body[..body.len() / 2].to_vec()),
        How::Html { status } => Answer::html(*status, CHALLENGE),
        How::ContentType { value } => or_busy().with("content-type", value),
        How::Oversize { bytes } => with_body(or_busy(), |body| padded(&body, *bytes)),
        How::GzipBomb { bytes } => {
            with_body(or_busy(), |body| gzip(&padded(&body, *bytes))).with("content-encoding", "gzip")
        }
        How::Redirect { status, location } => Answer::bytes(*status, "text/plain", "").with("location", location),
    };
    let delivery = match fault.how {
        How::Drip { every_ms } => Delivery::Drip { every_ms },
        How::CutBefore { reset } => Delivery::Cut { reset, body_bytes: None },
        How::CutAfter { reset, body_bytes } => Delivery::Cut { reset, body_bytes },
        _ => Delivery::Whole,
    };
    let answer = fault.headers.iter().fold(answer, |answer, (name, value)| answer.with(name, value));
    Reply { answer, delivery }
}

/// What the reply, once whole at the client, says about the refresh token.
pub(crate) fn told(reply: &Reply, fault: Option<&Fault>, entry: &LogEntry) -> Told {
    let Some(answer) = reply.whole() else { return Told::Nothing };
    match fault.map_or(&How::Plain, |fault| &fault.how) {
        How::Plain | How::Twisted(_) | How::ContentType { .. } | How::Drip { .. } => told_truthfully(answer, entry),
        // A scripted status can end a login, but never tells of a redemption that happened behind it.
        How::Status { .. } => match told_truthfully(answer, entry) {
            Told::Ended => Told::Ended,
            Told::Nothing | Told::Redeemed => Told::Nothing,
        },
        How::CutBefore { .. }
        | How::CutAfter { .. }
        | How::Garbage
        | How::TruncatedJson
        | How::Html { .. }
        | How::Oversize { .. }
        | How::GzipBomb { .. }
        | How::Redirect { .. } => Told::Nothing,
    }
}

const CHALLENGE: &str = "<!DOCTYPE html><html><head><title>Just a moment...</title></head>\
    <body><h1>Checking your browser</h1><p>Ray ID: 0000000000000000</p></body></html>";

fn scripted(status: u16, body: &Value) -> Answer {
    match body {
        Value::Null => Answer::bytes(status, "text/plain", ""),
        Value::String(text) => Answer::bytes(status, "text/plain", text.as_str()),
        other => Answer::json(status, other),
    }
}

fn with_body(mut answer: Answer, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Answer {
    answer.content = Content::Bytes(change(answer.body()));
    answer
}

/// White space before a JSON text does not change it, so a reader without a limit would find the true answer.
fn padded(body: &[u8], bytes: usize) -> Vec<u8> {
    let mut padded = vec![b' '; bytes.saturating_sub(body.len())];
    padded.extend_from_slice(body);
    padded
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("writing to memory does not fail")
}
