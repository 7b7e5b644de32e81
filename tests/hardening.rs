//! Clients that mean no good, against a whole broker. The edge's own tests know each case; here its settings, its
//! listeners and its handlers are put together.

use std::io::{BufRead, BufReader, Read, Write};

use fake_provider::Settings;
use scorpiox_tests::process::http::Request;
use scorpiox_tests::process::{Broker, Client, Database, Key, Plan, Team, patience};
use scorpiox_wire::{ClientKey, Code, Secret};

fn a_team(plan: impl FnOnce(Plan) -> Plan) -> (Team, Client) {
    let team = Team::with(Settings::default(), plan);
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    (team, laptop)
}

/// Sends bytes as they are and reads the answer's first line, because a connection may stay open after a refusal (30 s);
/// the status.
fn raw(broker: &Broker, bytes: &[u8]) -> u16 {
    let mut connection = broker.connect().unwrap();
    let stream = connection.stream();
    // What is refused early is not read to its end.
    let _ = stream.write_all(bytes);
    let mut answer = String::new();
    let _ = BufReader::new(stream).read_line(&mut answer);
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{answer:?}"))
}

#[test]
fn silent_and_dripping_connections_get_a_408_and_keep_nobody_out() {
    for encrypted in [false, true] {
        let (team, laptop) = a_team(|plan| {
            let plan = plan.with("SCORPIOX_BROKER_LIMITS_HEADER_TIMEOUT", "500ms");
            let plan = plan.with("SCORPIOX_BROKER_LIMITS_HANDSHAKE_TIMEOUT", "500ms");
            if encrypted { plan.encrypted() } else { plan }
        });
        let stalled: Vec<_> = (0..50)
            .map(|_| {
                let mut connection = team.broker().connect().unwrap();
                connection.stream().write_all(b"GET /codex HTTP/1.1\r\nhost: a\r\nx-").unwrap();
                connection
            })
            .collect();
        // Not even a handshake.
        let mut silent = std::net::TcpStream::connect(team.broker().address()).unwrap();
        assert_eq!(team.fetch(&laptop.key).generation, 1);
        assert_eq!(team.broker().get("/healthz").status, 200);
        assert!(team.admin().status().serving);
        for mut connection in stalled {
            let reply = connection.receive().unwrap();
            assert_eq!(reply.problem().code, Code::RequestTimeout);
            assert_eq!(connection.stream().read(&mut [0; 16]).unwrap_or(0), 0, "and closed");
        }
        silent.set_read_timeout(Some(patience::PATIENCE)).unwrap();
        let mut rest = Vec::new();
        silent.read_to_end(&mut rest).unwrap();
        assert!(encrypted != rest.starts_with(b"HTTP/1.1 408"), "{:?}", String::from_utf8_lossy(&rest));
        assert_eq!(team.admin().audit_of("token.first").len(), 1);
    }
}

#[test]
fn an_address_at_its_cap_is_turned_away_and_administration_is_not() {
    let (team, laptop) = a_team(|plan| {
        plan.with("SCORPIOX_BROKER_LIMITS_LOOPBACK_EXEMPT", "false")
            .with("SCORPIOX_BROKER_LIMITS_CONNECTIONS_PER_ADDRESS", "4")
    });
    let bearer = laptop.key.bearer();
    let headers = [("authorization", bearer.as_str())];
    let request = Request { target: "/codex", headers: &headers, ..Request::default() };
    // The connection that asked about the start may still be closing.
    let mut held = patience::until("four connections", || {
        let mut held: Vec<_> = (0..4).map(|_| team.broker().connect().unwrap()).collect();
        let served = held.iter_mut().all(|connection| connection.ask(&request).is_ok_and(|reply| reply.status == 200));
        served.then_some(held)
    });
    let fifth = team.broker().connect().and_then(|mut connection| connection.ask(&request));
    assert!(fifth.as_ref().map_or(true, |reply| reply.status == 429), "{fifth:?}");
    assert_eq!(team.admin().credential("main").generation, 1);
    assert_eq!(held[0].ask(&request).unwrap().status, 200);
    drop(held);
    patience::until("a free place", || {
        team.broker().connect().and_then(|mut connection| connection.ask(&request)).ok().filter(|r| r.status == 200)
    });
}

#[test]
fn what_is_too_large_or_means_two_things_reaches_no_handler() {
    let (team, laptop) = a_team(|plan| plan);
    let good = format!("Authorization: {}\r\n", laptop.key.bearer());
    let get = |rest: &str| format!("GET /codex HTTP/1.1\r\nHost: a\r\n{rest}\r\n");
    let many: String = (0..2000).map(|n| format!("X-{n}: {}\r\n", "y".repeat(20))).collect();
    let chunked = "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n";
    let cases = [
        (get(&format!("{good}{many}")), vec![431, 400]),
        (get(&format!("{good}X-Long: {}\r\n", "y".repeat(100_000))), vec![431]),
        (get(&format!("Authorization: Bearer {}\r\n", "y".repeat(100_000))), vec![431]),
        (get(&format!("{good}{good}")), vec![400]),
        (get(&format!("{good}Authorization: Bearer x\r\n")), vec![400]),
        (get(&format!("{good}Content-Length: 104857600\r\n")), vec![413]),
        (format!("{}0\r\n\r\n", get(&format!("{good}{chunked}"))), vec![400]),
        (get(&format!("{good}Content-Length: 1\r\nContent-Length: 2\r\n")), vec![400]),
        (format!("GET /codex HTTP/1.1\r\n{good}\r\n"), vec![400]),
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n{good}\r\n", "y".repeat(100_000)), vec![431, 414, 400]),
        ("\u{16}\u{3}\u{1}\u{0}\u{0}\r\n\r\n".to_owned(), vec![400]),
    ];
    for (request, statuses) in cases {
        let status = raw(team.broker(), request.as_bytes());
        assert!(statuses.contains(&status), "{status} for {}", request.chars().take(120).collect::<String>());
    }
    assert!(team.admin().audit_of("token.first").is_empty(), "none of them was taken for a request");
    assert_eq!(team.fetch(&laptop.key).generation, 1);
}

#[test]
fn paths_and_keys_that_try_something_change_nothing() {
    let (team, laptop) = a_team(|plan| plan);
    let rows = || {
        let mut database = Database::of(team.data());
        let mut all = database.column::<String>("SELECT name || key_id FROM clients");
        all.extend(database.column::<String>("SELECT name || state || generation FROM credentials"));
        all.extend(database.column::<String>("SELECT name FROM sqlite_master ORDER BY name"));
        all
    };
    let before = rows();
    let bearer = format!("Authorization: {}", laptop.key.bearer());
    for path in [
        "/codex/../admin/v1/status",
        "/../../etc/passwd",
        "/%2e%2e/codex",
        "/codex%2f..%2fadmin",
        "/codex%00",
        "/codex/%ff%fe",
        "/admin/v1/status",
        "//codex",
        "/codex\\..\\x",
        "/codex?refused=a'%3B%20DROP%20TABLE%20clients%3B--.1",
        "/codex?refused=%00.1",
    ] {
        let status = raw(
            team.broker(),
            format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{bearer}\r\n\r\n").as_bytes(),
        );
        assert!([400, 404].contains(&status), "{status} for {path}");
    }
    for key in ["sxk_' OR '1'='1", "x'; DROP TABLE clients; --", "../../master.key", "sxk_\u{ff}\u{fe}", "%00"] {
        let status = raw(
            team.broker(),
            format!("GET /codex HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\r\n")
                .as_bytes(),
        );
        assert!([400, 401].contains(&status), "{status} for {key}");
    }
    for name in ["..%2f..%2fmaster.key", "x'%3B%20DROP%20TABLE%20credentials%3B--", "%00", "%ff"] {
        let status = team.admin().ask("GET", &format!("/credentials/{name}"), None).status;
        assert!([400, 404].contains(&status), "{status} for {name}");
    }
    assert_eq!(rows(), before);
    assert!(team.admin().audit_of("token.first").is_empty());
    assert_eq!(team.fetch(&laptop.key).generation, 1);
}

/// How often a process has asked the kernel to write anything anywhere, sockets included (`syscw` of proc(5)).
fn writes(pid: u32) -> u64 {
    let said = std::fs::read_to_string(format!("/proc/{pid}/io")).unwrap();
    said.lines().find_map(|line| line.strip_prefix("syscw: ")).unwrap().parse().unwrap()
}

/// What they cost in time is the row `serve_wrong_key` of the benchmark.
#[test]
fn ten_thousand_wrong_keys_open_nothing_and_leave_no_trace_on_the_disk() {
    const REQUESTS: u32 = 10_000;
    // Each is answered as the first is; what slows them is in the story of the limits.
    let (team, laptop) = a_team(|plan| plan.with("SCORPIOX_BROKER_LIMITS_FAILURES_PER_MINUTE", "0"));
    team.fetch(&laptop.key);
    let known = ClientKey::parse(&laptop.key.0).unwrap().id().to_owned();
    let secret = |n: u32| Secret::new(format!("{n:043}"));
    // Half of them name a client that exists, half one that does not.
    let wrong = |n: u32| {
        let id = if n.is_multiple_of(2) { known.clone() } else { format!("{n:012}") };
        Key(ClientKey::compose(&id, &secret(n)).unwrap().expose().to_owned())
    };
    let mut connection = team.broker().connect().unwrap();
    let mut ask = |key: &Key, status: u16| {
        let bearer = key.bearer();
        let headers = [("authorization", bearer.as_str())];
        let reply = connection.ask(&Request { target: "/codex", headers: &headers, ..Request::default() }).unwrap();
        assert_eq!(reply.status, status);
    };
    let before = writes(team.broker().pid());
    (0..REQUESTS).for_each(|n| ask(&wrong(n), 401));
    let written = writes(team.broker().pid()) - before;
    ask(&laptop.key, 200);
    // An answer is one write. The log may have its say, and what runs by itself; a file for each key would double it.
    assert!(written < u64::from(REQUESTS) * 3 / 2, "{written} writes");
    assert_eq!(team.admin().audit_of("token.first").len(), 1);
}
