//! Sessions and keys over a clock that is moved, a database that is opened again, and tokens that are forged.

use std::sync::Mutex;
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use scorpiox_wire::admin::Scope;
use tempfile::TempDir;

use super::*;
use crate::clock::{Clock, Monotonic, Sleep};
use crate::metrics::meters::PasswordMeters;
use crate::seal::{MasterKey, Sealer};

const START: i64 = 1_790_000_000;
const HOUR: u64 = 3600;
const PASSWORD: &str = "correct horse battery";

struct Hands(Mutex<u64>);

impl Clock for Hands {
    fn wall(&self) -> Timestamp {
        Timestamp::from_unix(START) + Duration::from_secs(*self.0.lock().unwrap())
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::from_zero(Duration::from_secs(*self.0.lock().unwrap()))
    }

    fn sleep(&self, _: Duration) -> Sleep {
        Box::pin(std::future::pending())
    }
}

/// A broker's administrators, with `anna` who may read.
struct Place {
    directory: TempDir,
    hands: Arc<Hands>,
    administrators: Arc<Administrators>,
}

impl Place {
    async fn with_anna() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let hands = Arc::new(Hands(Mutex::new(0)));
        let administrators = open(&directory, &hands).await;
        let place = Self { directory, hands, administrators };
        place.add("anna").await;
        place
    }

    async fn add(&self, name: &str) {
        let password = NewPassword::parse(Secret::new(PASSWORD)).unwrap();
        let scopes = Scopes::new([Scope::Read]).unwrap();
        self.administrators.add(Name::parse(name).unwrap(), scopes, &password).await.unwrap();
    }

    fn pass(&self, seconds: u64) {
        *self.hands.0.lock().unwrap() += seconds;
    }

    /// The process ends and another one starts.
    async fn restart(&mut self) {
        self.administrators.store.close().await;
        self.administrators = open(&self.directory, &self.hands).await;
    }

    async fn log_in(&self) -> Issued {
        let Ok(issued) = self.administrators.log_in("anna", Secret::new(PASSWORD), None).await else {
            panic!("the password is right");
        };
        issued
    }

    async fn try_password(&self, name: &str, password: &str) -> Result<(), LoginFailed> {
        self.administrators.log_in(name, Secret::new(password), Some(IpAddr::from([192, 0, 2, 7]))).await.map(drop)
    }

    fn session_of(&self, token: &Secret) -> Result<Claims, Stranger> {
        self.administrators.recognise(token.expose()).map(|by| by.session.expect("it is a session"))
    }
}

async fn open(directory: &TempDir, hands: &Arc<Hands>) -> Arc<Administrators> {
    let sealer = Sealer::new(&MasterKey::from_bytes([7; 32]));
    let path = directory.path().join("broker.db");
    let (store, _) = Store::open(&path, sealer, "i", Activity::default()).await.unwrap();
    let timeline = Timeline::new(Arc::clone(hands) as crate::clock::SharedClock);
    let pepper = Pepper::from_bytes(&[9; 32]);
    let meters = PasswordMeters::default();
    Administrators::open(store, pepper, timeline, Activity::default(), meters).await.unwrap()
}

#[tokio::test]
async fn a_session_ends_after_fifteen_minutes_and_goes_on_by_renewing_for_twelve_hours() {
    let mut place = Place::with_anna().await;
    let mut issued = place.log_in().await;
    place.pass(899);
    assert!(place.session_of(&issued.token).is_ok());
    for _ in 0..47 {
        let session = place.session_of(&issued.token).unwrap();
        issued = place.administrators.renew(&session, issued.scopes).await.unwrap();
        place.pass(899);
    }
    place.restart().await;
    assert!(place.session_of(&issued.token).is_ok(), "a restart ends no session");
    let session = place.session_of(&issued.token).unwrap();
    let last = place.administrators.renew(&session, issued.scopes).await.unwrap();
    assert_eq!(last.claims.exp, START + 12 * 3600, "never longer than the session");
    place.pass(899);
    assert_eq!(place.session_of(&last.token), Err(Stranger));
}

#[tokio::test]
async fn an_ended_session_stays_ended_with_all_its_tokens_over_a_restart_and_others_do_not() {
    let mut place = Place::with_anna().await;
    let (first, other) = (place.log_in().await, place.log_in().await);
    let session = place.session_of(&first.token).unwrap();
    let second = place.administrators.renew(&session, first.scopes).await.unwrap();
    place.administrators.end_session(&session).await.unwrap();
    for _ in 0..2 {
        assert_eq!(place.session_of(&first.token), Err(Stranger));
        assert_eq!(place.session_of(&second.token), Err(Stranger));
        assert!(place.session_of(&other.token).is_ok());
        place.restart().await;
    }
    // Remembered no longer than it matters.
    place.pass(12 * HOUR);
    let later = place.log_in().await;
    place.administrators.end_session(&later.claims).await.unwrap();
    let now = place.administrators.timeline.now();
    assert_eq!(place.administrators.store.ended_sessions(Timestamp::from_unix(0)).await.unwrap().len(), 1);
    assert_eq!(place.administrators.store.ended_sessions(now).await.unwrap().len(), 1);
}

#[tokio::test]
async fn each_day_another_key_signs_and_the_one_before_is_accepted_until_its_tokens_have_ended() {
    let mut place = Place::with_anna().await;
    let key_of = |token: &Secret| jsonwebtoken::decode_header(token.expose()).unwrap().kid.unwrap();
    place.log_in().await;
    place.pass(24 * HOUR - 1);
    let old = place.log_in().await;
    place.pass(1);
    let new = place.log_in().await;
    assert_ne!(key_of(&old.token), key_of(&new.token));
    place.restart().await;
    assert!(place.session_of(&old.token).is_ok() && place.session_of(&new.token).is_ok());
    place.pass(24 * HOUR);
    let third = place.log_in().await;
    let kept: Vec<_> = place.administrators.store.session_keys().await.unwrap().into_iter().map(|key| key.id).collect();
    assert_eq!(kept, [key_of(&new.token), key_of(&third.token)], "the first one is forgotten");
    // Even a token that would last: its key signs no more.
    let claims = Claims { exp: i64::MAX, iat: START, ..old.claims };
    place.pass(HOUR);
    let forged = sign(&place, &claims, Header::new(Algorithm::HS256), 0);
    assert_eq!(place.session_of(&forged), Err(Stranger));
}

/// A token under one of the broker's own keys, counted from the oldest.
fn sign(place: &Place, claims: &Claims, header: Header, key: usize) -> Secret {
    let keys = place.administrators.signing.keys_for_test();
    let header = Header { kid: header.kid.or_else(|| Some(keys[key].id.clone())), ..header };
    let encoded = jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(keys[key].key.as_slice()));
    Secret::new(encoded.unwrap())
}

#[tokio::test]
async fn another_algorithm_none_a_foreign_key_and_a_changed_token_are_refused() {
    let place = Place::with_anna().await;
    let issued = place.log_in().await;
    let good = sign(&place, &issued.claims, Header::new(Algorithm::HS256), 0);
    assert_eq!(place.session_of(&good), Ok(issued.claims.clone()));
    let foreign = Header { kid: Some("0123456789abcdef".into()), ..Header::new(Algorithm::HS256) };
    let stolen = EncodingKey::from_secret(&[0; 32]);
    let [head, body, mac] = *good.expose().split('.').collect::<Vec<_>>() else { panic!("three parts") };
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let forged = [
        sign(&place, &issued.claims, Header::new(Algorithm::HS512), 0).expose().to_owned(),
        sign(&place, &issued.claims, foreign, 0).expose().to_owned(),
        jsonwebtoken::encode(&jsonwebtoken::decode_header(good.expose()).unwrap(), &issued.claims, &stolen).unwrap(),
        format!("{none}.{body}."),
        format!("{none}.{body}.{mac}"),
        format!("{head}.{body}."),
        format!("{head}.{body}"),
        format!("{head}.{}.{mac}", body.replace('a', "b")),
        format!("{}{}", good.expose(), "A".repeat(2048)),
        String::new(),
    ];
    for token in forged {
        assert_eq!(place.session_of(&Secret::new(token.clone())), Err(Stranger), "{token}");
    }
}

#[tokio::test]
async fn a_removed_administrator_and_a_new_password_end_its_sessions_at_once() {
    let place = Place::with_anna().await;
    let account = || place.administrators.account("anna").unwrap();
    let first = place.log_in().await;
    place.administrators.revoke_sessions(&account()).await.unwrap();
    assert_eq!(place.session_of(&first.token), Err(Stranger));
    let second = place.log_in().await;
    let password = NewPassword::parse(Secret::new("another long password")).unwrap();
    place.administrators.set_password(&account(), &password).await.unwrap();
    assert_eq!(place.session_of(&second.token), Err(Stranger));
    assert!(matches!(place.try_password("anna", PASSWORD).await, Err(LoginFailed::Wrong { is_known: true })));
    let third = place.administrators.log_in("anna", password.secret().clone(), None).await;
    let Ok(third) = third else { panic!("the new password is right") };
    place.administrators.remove(&account()).await.unwrap();
    assert_eq!(place.session_of(&third.token), Err(Stranger));
    place.add("anna").await;
    assert_eq!(place.session_of(&third.token), Err(Stranger), "somebody else with the same name");
}

#[tokio::test]
async fn an_unknown_name_waits_for_the_same_hash_and_gets_the_same_answer() {
    let place = Place::with_anna().await;
    assert!(matches!(place.try_password("nobody", PASSWORD).await, Err(LoginFailed::Wrong { is_known: false })));
    place.administrators.hashing.fill_for_test();
    for name in ["anna", "nobody"] {
        for _ in 0..10 {
            // What was not tried is not counted against anybody.
            assert!(matches!(place.try_password(name, PASSWORD).await, Err(LoginFailed::Busy(_))), "{name}");
        }
    }
}

#[tokio::test]
async fn the_right_password_is_refused_while_its_name_has_to_wait() {
    let place = Place::with_anna().await;
    for _ in 0..5 {
        assert!(matches!(place.try_password("anna", "wrong").await, Err(LoginFailed::Wrong { .. })));
    }
    assert!(matches!(place.try_password("anna", PASSWORD).await, Err(LoginFailed::TooMany(_))));
    assert!(matches!(
        place.administrators.log_in("anna", Secret::new(PASSWORD), None).await,
        Err(LoginFailed::TooMany(_))
    ));
    place.pass(1);
    assert!(place.try_password("anna", PASSWORD).await.is_ok());
    assert!(place.administrators.log_in("anna", Secret::new("wrong"), None).await.is_err());
    assert!(
        place.administrators.log_in("anna", Secret::new(PASSWORD), None).await.is_ok(),
        "a success cleared the name"
    );
}

#[tokio::test]
async fn an_admin_key_is_recognised_until_it_ends_or_is_revoked_also_after_a_restart() {
    let mut place = Place::with_anna().await;
    let key = |id: &str| AdminKey::compose(id, &Secret::new("A".repeat(43))).unwrap();
    let (ends, stays) = (key("7f3k9q2m1c0d"), key("000000000000"));
    let scopes = Scopes::new([Scope::Clients]).unwrap();
    let end = Some(Timestamp::from_unix(START + 60));
    let named = |name: &str| Name::parse(name).unwrap();
    place.administrators.add_key(named("ends"), scopes.clone(), end, &ends).await.unwrap();
    let stays_entry = place.administrators.add_key(named("stays"), scopes.clone(), None, &stays).await.unwrap();
    place.restart().await;
    let actor = |place: &Place, key: &AdminKey| place.administrators.recognise(key.expose()).map(|by| by.actor);
    place.pass(59);
    assert_eq!(actor(&place, &ends), Ok("admin-key:ends".to_owned()));
    place.pass(1);
    assert_eq!(actor(&place, &ends), Err(Stranger));
    assert_eq!(actor(&place, &stays), Ok("admin-key:stays".to_owned()));
    assert_eq!(actor(&place, &key("111111111111")), Err(Stranger));
    place.administrators.remove_key(&stays_entry).await.unwrap();
    assert_eq!(actor(&place, &stays), Err(Stranger));
}

#[tokio::test]
async fn neither_a_password_nor_a_signing_key_lies_open_in_the_database() {
    let place = Place::with_anna().await;
    place.log_in().await;
    let key = place.administrators.signing.keys_for_test()[0].key.clone();
    let hash = place.administrators.account("anna").unwrap().password.hash.clone();
    place.administrators.store.close().await;
    let bytes = std::fs::read(place.directory.path().join("broker.db")).unwrap();
    for secret in [key.as_slice(), hash.as_slice(), PASSWORD.as_bytes()] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
}
