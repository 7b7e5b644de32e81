use super::*;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const BACK: &str = "http://127.0.0.1:18455/callback";
const CODE: CodeHash = [7; 32];
const GOOD: [(&str, &str); 6] = [
    ("response_type", "code"),
    ("client_id", CLIENT),
    ("redirect_uri", BACK),
    ("state", "s1"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
];

fn read(parameters: &[(&'static str, &'static str)]) -> Result<AuthorizationRequest, BadRequest> {
    AuthorizationRequest::read(parameters.iter().copied())
}

/// The good request with one parameter as given; an empty value takes it away.
fn with(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut parameters: Vec<_> = GOOD.into_iter().filter(|(known, _)| *known != name).collect();
    if !value.is_empty() {
        parameters.push((name, value));
    }
    parameters
}

#[test]
fn a_good_request_is_read_and_what_is_not_known_is_passed_over() {
    let mut parameters = GOOD.to_vec();
    parameters.extend([("scope", "openid"), ("resource", "x")]);
    let request = read(&parameters).unwrap();
    assert_eq!((request.state.as_str(), request.redirect.as_written()), ("s1", BACK));
}

#[test]
fn a_request_whose_asker_is_not_certain_is_answered_here() {
    for parameters in [
        with("client_id", ""),
        with("client_id", "other"),
        with("redirect_uri", ""),
        with("redirect_uri", "http://example.com/"),
        [GOOD.to_vec(), vec![("redirect_uri", BACK)]].concat(),
        [GOOD.to_vec(), vec![("client_id", CLIENT)]].concat(),
    ] {
        assert!(matches!(read(&parameters), Err(BadRequest::Here(_))), "{parameters:?}");
    }
}

#[test]
fn other_faults_are_told_to_the_program() {
    for (parameters, expected) in [
        (with("response_type", ""), "invalid_request"),
        (with("response_type", "token"), "unsupported_response_type"),
        (with("state", ""), "invalid_request"),
        (with("code_challenge", ""), "invalid_request"),
        (with("code_challenge", "short"), "invalid_request"),
        (with("code_challenge_method", ""), "invalid_request"),
        (with("code_challenge_method", "plain"), "invalid_request"),
        ([GOOD.to_vec(), vec![("state", "s2")]].concat(), "invalid_request"),
    ] {
        match read(&parameters) {
            Err(BadRequest::Back { error, redirect, .. }) => {
                assert_eq!((error, redirect.as_written()), (expected, BACK), "{parameters:?}");
            }
            other => panic!("{parameters:?}: {other:?}"),
        }
    }
}

fn at(seconds: u64) -> Monotonic {
    Monotonic::from_zero(Duration::from_secs(1_000 + seconds))
}

fn client() -> ClientId {
    ClientId::from_stored("c1".into())
}

fn issued() -> Codes<u8> {
    let mut codes = Codes::default();
    codes.issue(CODE, client(), &read(&GOOD).unwrap(), at(0));
    codes
}

const RIGHT: Presented<'_> = Presented { redirect_uri: BACK, verifier: VERIFIER };

#[test]
fn a_code_is_redeemed_once_and_a_second_time_ends_what_came_of_it() {
    let mut codes = issued();
    assert_eq!(codes.present(&CODE, RIGHT, at(1)), Presentation::Good(client()));
    assert_eq!(codes.settle(&CODE, 9), Settled::Kept);
    assert_eq!(codes.present(&CODE, RIGHT, at(300)), Presentation::Replayed(9));
    assert_eq!(codes.present(&CODE, RIGHT, at(301)), Presentation::Refused);
}

#[test]
fn a_code_that_is_presented_twice_at_once_brings_nothing_about() {
    let mut codes = issued();
    assert_eq!(codes.present(&CODE, RIGHT, at(1)), Presentation::Good(client()));
    assert_eq!(codes.present(&CODE, RIGHT, at(1)), Presentation::Refused);
    assert_eq!(codes.settle(&CODE, 9), Settled::Replayed);
}

#[test]
fn a_code_is_good_for_a_minute() {
    assert_eq!(issued().present(&CODE, RIGHT, at(59)), Presentation::Good(client()));
    assert_eq!(issued().present(&CODE, RIGHT, at(60)), Presentation::Refused);
}

#[test]
fn another_verifier_or_another_redirect_ends_the_code() {
    let other_verifier = VERIFIER.replace('d', "e");
    for wrong in [
        Presented { verifier: &other_verifier, ..RIGHT },
        Presented { verifier: "", ..RIGHT },
        Presented { redirect_uri: "http://127.0.0.1:18456/callback", ..RIGHT },
    ] {
        let mut codes = issued();
        assert_eq!(codes.present(&CODE, wrong, at(1)), Presentation::Refused);
        assert_eq!(codes.present(&CODE, RIGHT, at(2)), Presentation::Refused);
    }
    assert_eq!(issued().present(&[8; 32], RIGHT, at(1)), Presentation::Refused);
}

#[test]
fn a_code_that_was_given_back_is_good_again() {
    let mut codes = issued();
    assert_eq!(codes.present(&CODE, RIGHT, at(1)), Presentation::Good(client()));
    codes.give_back(&CODE);
    assert_eq!(codes.present(&CODE, RIGHT, at(2)), Presentation::Good(client()));
    let _ = codes.settle(&CODE, 1);
    codes.give_back(&CODE);
    assert_eq!(codes.present(&CODE, RIGHT, at(3)), Presentation::Replayed(1));
}

#[test]
fn a_thousand_codes_are_kept_and_the_oldest_go() {
    let mut codes: Codes<u8> = Codes::default();
    let request = read(&GOOD).unwrap();
    let hash = |number: u64| {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        hash
    };
    for number in 0..=MOST_CODES as u64 {
        let now = at(0) + Duration::from_millis(number);
        codes.issue(hash(number), client(), &request, now);
    }
    assert_eq!(codes.known.len(), MOST_CODES);
    assert_eq!(codes.present(&hash(0), RIGHT, at(2)), Presentation::Refused);
    assert_eq!(codes.present(&hash(1), RIGHT, at(2)), Presentation::Good(client()));
}
