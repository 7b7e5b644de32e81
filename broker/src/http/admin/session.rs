//! Logging in with a password, going on, and logging out.

use scorpiox_wire::Code;
use scorpiox_wire::admin::{SessionAnswer, SessionEnded, SessionRequest};

use super::json::Json;
use super::{Answer, Data, Operation, ok};
use crate::domain::network::counted_as;
use crate::domain::scope::Scope;
use crate::http::error::Refusal;
use crate::http::request_id::RequestId;
use crate::http::visitor::ClientAddress;
use crate::registrar::{Administrator, Visitor};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post(Scope::Read, "/session", log_in)
            .for_anybody()
            .says("Log in with a password: a session of 15 minutes")
            .takes::<SessionRequest>()
            .answers::<SessionAnswer>()
            .refuses(&[Code::Unauthorized, Code::TooMany, Code::Busy]),
        // Any session may; whoever asks without one is refused by the handler.
        Operation::post(Scope::Read, "/session/renew", renew_session)
            .for_anybody()
            .says("The session's next token: another 15 minutes, until 12 hours after the password was typed")
            .answers::<SessionAnswer>()
            .refuses(&[Code::Unauthorized, Code::Conflict]),
        Operation::delete(Scope::Read, "/session", log_out)
            .for_anybody()
            .says("End the session that asks, with all its tokens")
            .answers::<SessionEnded>()
            .refuses(&[Code::Unauthorized, Code::Conflict]),
    ]
}

async fn log_in(id: RequestId, address: ClientAddress, registrar: Data, body: Json<SessionRequest>) -> Answer {
    let visitor = Visitor {
        request_id: id.as_str().to_owned(),
        address: address.to_string(),
        counted_as: address.0.map(counted_as),
    };
    match registrar.log_in(&visitor, body.into_inner()).await {
        Ok(answer) => ok(answer),
        Err(refused) => Err(Refusal { problem: refused.problem, retry_after: refused.retry_after }),
    }
}

async fn renew_session(by: Administrator, registrar: Data) -> Answer {
    ok(registrar.renew_session(&by).await?)
}

async fn log_out(by: Administrator, registrar: Data) -> Answer {
    ok(registrar.end_session(&by).await?)
}
