//! The control API under `/_control/`: everything a test in another process needs. JSON in, JSON out.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::listen::ConnectionFault;
use super::shared::Shared;
use crate::account::Account;
use crate::answer::Answer;
use crate::auth_file;
use crate::fault::{Endpoint, Fault};
use crate::log::EntryId;
use crate::oracle::Oracle;
use crate::request::Request;
use crate::script::Script;
use crate::serial::Serial;
use crate::settings::Settings;

type Outcome = Result<Value, String>;

/// Answers a control request: 200, 400 with what did not fit, or 404.
pub(super) fn answer(shared: &Shared, request: &Request) -> Answer {
    let name = request.path().trim_start_matches("/_control/");
    let outcome = match (request.method(), name) {
        ("POST", "faults") => many(request).map(|faults: Vec<Fault>| add_faults(shared, faults)),
        ("GET", "faults") => Ok(json!(shared.oracle().faults())),
        ("DELETE", "faults") => {
            shared.with(Oracle::clear_faults);
            Ok(json!({}))
        }
        ("POST", "connection-faults") => connection_faults(shared, request),
        ("POST", "release") => release(shared, request),
        ("GET", "log") => log(shared, request),
        ("GET", "counters") => Ok(counters(shared)),
        ("GET", "violations") => Ok(json!(shared.oracle().violations())),
        ("GET", "settings") => Ok(json!(shared.oracle().settings())),
        ("POST", "settings") => change_settings(shared, request),
        ("POST", "scripts") => add_scripts(shared, request),
        ("POST", "invalidate") => invalidate(shared, request),
        ("POST", "revoke") => revoke(shared, request),
        ("POST", "lost") => lost(shared, request),
        ("POST", "approve") => approve(shared, request),
        ("POST", "login") => login(shared, request),
        ("POST", "clock") => set_clock(shared, request),
        ("GET", "clock") => Ok(clock(shared)),
        ("POST", "reset") => {
            shared.reset();
            Ok(json!({}))
        }
        _ => return Answer::error(404, "not_found", "no such control"),
    };
    match outcome {
        Ok(body) => Answer::json(200, &body),
        Err(why) => Answer::error(400, "invalid_request", &why),
    }
}

/// The body as `T`; an empty body is an empty object.
fn one<T: DeserializeOwned>(request: &Request) -> Result<T, String> {
    let body = request.json().cloned().unwrap_or_else(|| json!({}));
    serde_json::from_value(body).map_err(|error| error.to_string())
}

/// One or several.
fn many<T: DeserializeOwned>(request: &Request) -> Result<Vec<T>, String> {
    match request.json() {
        Some(Value::Array(_)) => one(request),
        Some(_) => one(request).map(|single| vec![single]),
        None => Err("the body is not JSON".into()),
    }
}

fn add_faults(shared: &Shared, faults: Vec<Fault>) -> Value {
    shared.with(|oracle| {
        faults.into_iter().for_each(|fault| oracle.fault(fault));
        json!({"waiting": oracle.faults().len()})
    })
}

fn add_scripts(shared: &Shared, request: &Request) -> Outcome {
    let scripts: Vec<Script> = many(request)?;
    shared.with(|oracle| scripts.into_iter().for_each(|script| oracle.script(script)));
    Ok(json!({}))
}

fn connection_faults(shared: &Shared, request: &Request) -> Outcome {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        how: ConnectionFault,
        times: Option<u32>,
    }
    let body: Body = one(request)?;
    shared.fault_connections(body.how, body.times.unwrap_or(1));
    Ok(json!({}))
}

fn release(shared: &Shared, request: &Request) -> Outcome {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        count: Option<usize>,
    }
    let body: Body = one(request)?;
    Ok(json!({"released": shared.release(body.count.unwrap_or(usize::MAX))}))
}

/// `?since=ID` leaves out what came up to and with that entry, `?endpoint=refresh` everything else.
fn log(shared: &Shared, request: &Request) -> Outcome {
    let query = request.query();
    let since = match query.get("since") {
        Some(text) => EntryId(text.parse().map_err(|_| "since is no number")?),
        None => EntryId(0),
    };
    let endpoint: Option<Endpoint> = match query.get("endpoint") {
        Some(name) => Some(serde_json::from_value(json!(name)).map_err(|error| error.to_string())?),
        None => None,
    };
    let oracle = shared.oracle();
    let newer = oracle.log().iter().filter(|entry| entry.id > since);
    Ok(json!(newer.filter(|entry| endpoint.is_none_or(|wanted| entry.endpoint == wanted)).collect::<Vec<_>>()))
}

fn counters(shared: &Shared) -> Value {
    let held = shared.held();
    let oracle = shared.oracle();
    json!({
        "connections": shared.connections(),
        "held": held,
        "refresh_count": oracle.refresh_count(),
        "newest": oracle.newest(),
        "refresh_tokens": oracle.counters(),
    })
}

fn change_settings(shared: &Shared, request: &Request) -> Outcome {
    let Some(Value::Object(changes)) = request.json() else { return Err("the body is no JSON object".into()) };
    shared.with(|oracle| {
        let mut merged = json!(oracle.settings());
        merged.as_object_mut().expect("settings are an object").extend(changes.clone());
        let settings: Settings = serde_json::from_value(merged).map_err(|error| error.to_string())?;
        *oracle.settings_mut() = settings;
        Ok(json!(oracle.settings()))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    family: Option<u32>,
    generation: Option<u32>,
}

impl Which {
    /// Without a generation the newest one, without a family the newest of each login.
    fn serials(&self, newest: Vec<Serial>) -> Vec<Serial> {
        match (self.family, self.generation) {
            (Some(family), Some(generation)) => vec![Serial { family, generation }],
            (family, _) => newest.into_iter().filter(|serial| family.is_none_or(|f| f == serial.family)).collect(),
        }
    }
}

fn invalidate(shared: &Shared, request: &Request) -> Outcome {
    let which: Which = one(request)?;
    shared.with(|oracle| {
        let serials = which.serials(oracle.newest());
        let refused: Vec<Serial> = serials.into_iter().filter(|serial| oracle.refuse_access(*serial)).collect();
        if refused.is_empty() { Err("no such generation".into()) } else { Ok(json!({"refused": refused})) }
    })
}

fn revoke(shared: &Shared, request: &Request) -> Outcome {
    let which: Which = one(request)?;
    shared.with(|oracle| {
        let families = which.serials(oracle.newest()).into_iter().map(|serial| serial.family);
        let ended: Vec<u32> = families.filter(|family| oracle.end_family(*family)).collect();
        if ended.is_empty() { Err("no such login".into()) } else { Ok(json!({"ended": ended})) }
    })
}

fn lost(shared: &Shared, request: &Request) -> Outcome {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        entry: Option<EntryId>,
    }
    let body: Body = one(request)?;
    shared.with(|oracle| match body.entry {
        Some(id) => {
            oracle.mark_lost(id);
            Ok(json!({"lost": id}))
        }
        None => oracle.mark_last_refresh_lost().map(|id| json!({"lost": id})).ok_or("no redemption yet".into()),
    })
}

fn approve(shared: &Shared, request: &Request) -> Outcome {
    Ok(json!({"approved": shared.with(|oracle| oracle.approve_devices(request.field("user_code")))}))
}

fn login(shared: &Shared, request: &Request) -> Outcome {
    let now = shared.clock.now();
    let account = match request.json() {
        Some(_) => one(request)?,
        None => shared.oracle().settings().account.clone(),
    };
    let account: Account = account;
    Ok(auth_file::auth_file(&shared.with(|oracle| oracle.login(&account, now)), now))
}

fn set_clock(shared: &Shared, request: &Request) -> Outcome {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        offset_s: i64,
    }
    shared.clock.set_offset_s(one::<Body>(request)?.offset_s);
    Ok(clock(shared))
}

fn clock(shared: &Shared) -> Value {
    json!({"now": shared.clock.now(), "offset_s": shared.clock.offset_s()})
}
