//! Counts and state for a monitoring system: well formed, true, and what the dashboard and the rules ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpStream};

use fake_provider::Settings;
use scorpiox_tests::process::http::{Connection, Reply, Request};
use scorpiox_tests::process::network::Network;
use scorpiox_tests::process::{Plan, Team, patience, tls};
use scorpiox_wire::admin::AdminKeyIssued;
use scorpiox_wire::{Code, TokenTag};
use serde_json::json;

const DASHBOARD: &str = include_str!("../deploy/grafana-dashboard.json");
const RULES: &str = include_str!("../deploy/prometheus-rules.yml");
const BEARER: &str = "a-bearer-of-this-test";

/// A page taken apart and found well formed.
struct Page {
    /// Family → its type.
    families: BTreeMap<String, String>,
    /// Name and labels as they stand there → value.
    series: BTreeMap<String, f64>,
}

impl Page {
    /// # Panics
    /// When a line is not what OpenMetrics allows.
    fn read(text: &str) -> Self {
        let (mut families, mut series) = (BTreeMap::new(), BTreeMap::new());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.last(), Some(&"# EOF"));
        for line in &lines[..lines.len() - 1] {
            if let Some(about) = line.strip_prefix("# ") {
                let mut words = about.splitn(3, ' ');
                let (kind, name, rest) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap_or(""));
                match kind {
                    "TYPE" => assert_eq!(families.insert(name.to_owned(), rest.to_owned()), None, "{line} twice"),
                    "HELP" => assert!(!rest.trim().is_empty(), "{line}"),
                    "UNIT" => assert!(name.ends_with(rest), "{line}: the name ends with its unit"),
                    other => panic!("{other}: {line}"),
                }
                continue;
            }
            let (key, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
            let value = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
            assert_eq!(series.insert(key.to_owned(), value), None, "{line} twice");
            let name = name_of(key);
            assert!(
                name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'),
                "{line}"
            );
            assert!(name.starts_with("scorpiox_broker_") || name == "process_start_time_seconds", "{line}");
            let (family, kind) = family_of(&families, name).unwrap_or_else(|| panic!("no TYPE before {line}"));
            assert_eq!(
                kind == "counter",
                name == format!("{family}_total"),
                "{line}: counters, and only they, are totals"
            );
        }
        Self { families, series }
    }

    fn value(&self, series: &str) -> f64 {
        *self.series.get(series).unwrap_or_else(|| panic!("no {series}: {:?}", self.series.keys()))
    }
}

fn name_of(series: &str) -> &str {
    series.split('{').next().unwrap()
}

fn family_of<'a>(families: &'a BTreeMap<String, String>, name: &str) -> Option<(&'a str, &'a str)> {
    let suffixes = ["", "_total", "_info", "_bucket", "_sum", "_count"];
    suffixes.iter().find_map(|suffix| {
        let (family, kind) = families.get_key_value(name.strip_suffix(suffix)?)?;
        Some((family.as_str(), kind.as_str()))
    })
}

fn of_administration(team: &Team) -> Page {
    let reply = ask_administration(team);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    Page::read(&reply.text())
}

fn ask_administration(team: &Team) -> Reply {
    let socket = std::os::unix::net::UnixStream::connect(team.data().join("admin.sock")).unwrap();
    Connection::over(socket).ask(&Request { target: "/metrics", ..Request::default() }).unwrap()
}

#[test]
fn what_happened_is_counted_and_what_is_can_be_seen() {
    let team = Team::new();
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    let token = team.fetch(&laptop.key);
    let tag = TokenTag { credential: token.credential, generation: token.generation };
    let known = [("if-none-match", tag.to_etag())].map(|(name, value)| (name, value.to_string()));
    let known: Vec<_> = known.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(team.ask_with(&laptop.key, "/codex", &known).status, 304);
    assert_eq!(team.broker().get("/codex").status, 401);
    team.given_longer_tokens();
    team.admin().refresh("main").unwrap();
    team.fetch(&laptop.key);

    let page = of_administration(&team);
    for (series, value) in [
        ("scorpiox_broker_rotations_total{outcome=\"renewed\"}", 1.0),
        ("scorpiox_broker_exchange_duration_seconds_count", 1.0),
        ("scorpiox_broker_rescue_duration_seconds_count", 1.0),
        ("scorpiox_broker_token_answers_total{kind=\"served\",code=\"ok\"}", 2.0),
        ("scorpiox_broker_token_answers_total{kind=\"unchanged\",code=\"ok\"}", 1.0),
        ("scorpiox_broker_token_answers_total{kind=\"refused\",code=\"unauthorized\"}", 1.0),
        ("scorpiox_broker_client_handouts_total{client=\"laptop\"}", 3.0),
        ("scorpiox_broker_credential_generation{credential=\"main\"}", 2.0),
        ("scorpiox_broker_credential_health{credential=\"main\",health=\"good\"}", 1.0),
        ("scorpiox_broker_credentials{health=\"good\"}", 1.0),
        ("scorpiox_broker_clients", 1.0),
        ("scorpiox_broker_serving", 1.0),
        ("scorpiox_broker_renewing", 1.0),
        ("scorpiox_broker_token_waiters", 0.0),
    ] {
        assert_eq!(page.value(series), value, "{series}");
    }
    let left = page.value("scorpiox_broker_credential_expiry_seconds{credential=\"main\"}");
    let planned = page.value("scorpiox_broker_credential_planned_rotation_seconds{credential=\"main\"}");
    assert!(0.0 < planned && planned < left, "{planned} {left}");
    assert!(page.value("scorpiox_broker_database_size_bytes") > 0.0);
    assert!(page.value("scorpiox_broker_connections{listener=\"socket\"}") >= 1.0, "this one");
}

/// Every name of ours in a text of queries.
fn names_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    words.filter(|word| word.starts_with("scorpiox_broker_")).collect()
}

#[test]
fn the_dashboard_and_the_rules_ask_only_for_what_there_is() {
    let team = Team::with(Settings::default(), Plan::encrypted);
    team.given_a_login("main");
    team.given_a_client("laptop");
    let ends = json!({ "expires_at": 4_000_000_000_i64 });
    assert_eq!(team.admin().ask("PUT", "/clients/laptop/limits", Some(ends)).status, 200);
    let key = json!({ "name": "ci", "scopes": ["read"], "expires_in": 86_400 });
    assert_eq!(team.admin().ask("POST", "/admin-keys", Some(key)).status, 200);
    let page = of_administration(&team);
    let there_is: BTreeSet<&str> = page.series.keys().map(|series| name_of(series)).collect();
    let dashboard: serde_json::Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let queries = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let queries: Vec<&str> = queries.map(|target| target["expr"].as_str().unwrap()).collect();
    let mut asked = BTreeSet::new();
    for query in &queries {
        assert_eq!(query.matches('(').count(), query.matches(')').count(), "{query}");
        asked.extend(names_in(query));
    }
    asked.extend(names_in(RULES));
    assert!(asked.len() > 20, "{asked:?}");
    for name in &asked {
        assert!(there_is.contains(name), "there is no {name}: {there_is:?}");
    }
    // What nobody looks at need not be told.
    for (family, kind) in page.families.iter().filter(|(family, _)| family.starts_with("scorpiox_broker_")) {
        let is_asked = asked.iter().any(|name| family_of(&page.families, name).is_some_and(|(of, _)| of == family));
        let exempt = ["credential_generation", "token_waits", "clients"];
        let known = exempt.iter().any(|name| *family == format!("scorpiox_broker_{name}"));
        assert!(is_asked || known, "no panel and no rule looks at the {kind} {family}");
    }
    for rule in RULES.split("- alert: ").skip(1) {
        for part in ["expr:", "severity:", "summary:", "description:"] {
            assert!(rule.contains(part), "{part} is missing: {rule}");
        }
    }
}

fn with_a_listener(at: &'static str, team: &mut Team) {
    let file = team.path("metrics-token");
    std::fs::write(&file, BEARER).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    team.change(|plan| {
        plan.with("SCORPIOX_BROKER_METRICS_LISTEN", at)
            .with("SCORPIOX_BROKER_METRICS_TOKEN_FILE", file.to_str().unwrap())
    });
    team.start();
}

fn port_of(team: &Team) -> SocketAddr {
    let line = patience::until("a listener", || {
        team.broker().log().lines().find(|line| line.contains("metrics are served")).map(str::to_owned)
    });
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    let address: SocketAddr = line["address"].as_str().unwrap().parse().unwrap();
    SocketAddr::from(([127, 0, 0, 1], address.port()))
}

fn asking(authorization: Option<&str>, ask: impl FnOnce(&Request<'_>) -> std::io::Result<Reply>) -> Reply {
    let headers: Vec<_> = authorization.map(|value| ("authorization", value)).into_iter().collect();
    ask(&Request { target: "/metrics", headers: &headers, ..Request::default() }).unwrap()
}

#[test]
fn the_listener_asks_for_its_bearer_and_knows_nothing_else() {
    let mut team = Team::not_started(Settings::default(), |plan| plan);
    with_a_listener("127.0.0.1:0", &mut team);
    let address = port_of(&team);
    let ask = |request: &Request<'_>| Connection::over(TcpStream::connect(address).unwrap()).ask(request);
    for wrong in [None, Some("Bearer wrong"), Some(BEARER), Some("Basic a-bearer-of-this-test")] {
        assert_eq!(asking(wrong, ask).problem().code, Code::Unauthorized, "{wrong:?}");
    }
    let page = Page::read(&asking(Some("Bearer a-bearer-of-this-test"), ask).text());
    assert_eq!(page.value("scorpiox_broker_connections{listener=\"metrics\"}"), 1.0);
    for other in ["/codex", "/admin/v1/status", "/healthz"] {
        assert_eq!(ask(&Request { target: other, ..Request::default() }).unwrap().status, 404, "{other}");
    }
    assert_eq!(team.broker().get("/metrics").status, 404, "clients see nothing of it");
    assert!(!team.broker().log().contains(BEARER));
}

#[test]
fn beyond_loopback_the_listener_is_encrypted() {
    let mut team = Team::not_started(Settings::default(), Plan::encrypted);
    with_a_listener("0.0.0.0:0", &mut team);
    let address = port_of(&team);
    let (stream, certificate) = tls::connect(TcpStream::connect(address).unwrap()).unwrap();
    assert_eq!(certificate, team.broker().certificate());
    let mut connection = Connection::over(stream);
    let reply = asking(Some("Bearer a-bearer-of-this-test"), |request| connection.ask(request));
    assert_eq!(reply.status, 200);
    assert!(asking_in_the_clear(address).is_err(), "nothing is told in the clear");
}

fn asking_in_the_clear(address: SocketAddr) -> std::io::Result<Reply> {
    Connection::over(TcpStream::connect(address)?).ask(&Request { target: "/metrics", ..Request::default() })
}

#[test]
fn over_the_network_an_administrator_who_may_read_sees_it_and_nobody_else() {
    let team = Team::with(Settings::default(), |plan| plan.with("SCORPIOX_BROKER_ADMIN_LISTEN", "127.0.0.1:0"));
    let network = Network::of(team.broker());
    let port = network.url.rsplit(':').next().unwrap().parse().unwrap();
    let ask = |request: &Request<'_>| {
        let stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port)))?;
        Connection::over(tls::connect(stream)?.0).ask(request)
    };
    let key = |scope: &str| {
        let body = json!({ "name": scope, "scopes": [scope] });
        let issued: AdminKeyIssued = team.admin().ask("POST", "/admin-keys", Some(body)).json();
        format!("Bearer {}", issued.key.expose())
    };
    assert_eq!(asking(None, ask).problem().code, Code::Unauthorized);
    assert_eq!(asking(Some(&key("clients")), ask).problem().code, Code::Forbidden);
    let page = Page::read(&asking(Some(&key("read")), ask).text());
    assert_eq!(page.value("scorpiox_broker_connections{listener=\"administration\"}"), 1.0);
}
