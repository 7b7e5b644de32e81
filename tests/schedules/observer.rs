//! What clients see, and what they must see: a token that has not ended is served, and no generation goes back.

use std::collections::HashMap;

use fake_provider::AccessRefusal;
use scorpiox_broker::clock::Timestamp;
use scorpiox_broker::domain::credential::{Credential, Pause};
use scorpiox_broker::issuer::{Ask, Handed, Refused};
use scorpiox_tests::sim::SimBroker;
use scorpiox_wire::{Secret, TokenTag};
use tokio::task::{AbortHandle, JoinHandle};

use super::acts::Mood;

/// A client and the credential that it may use.
#[derive(Clone)]
pub(super) struct Customer {
    pub(super) credential: String,
    pub(super) key: Secret,
}

/// A request that has begun.
struct Request {
    credential: String,
    /// The highest generation that had been handed out when it began.
    floor: u64,
    refuses: bool,
    asking: AbortHandle,
    seen: JoinHandle<Option<Seen>>,
}

/// An answer, and how things stood at that moment.
struct Seen {
    answer: Result<Handed, Refused>,
    credential: Credential,
    /// On the broker's calendar.
    now: Timestamp,
    /// On the provider's.
    truth: i64,
}

/// Watches over one life.
#[derive(Default)]
pub(super) struct Observer {
    requests: Vec<Request>,
    /// The highest generation that was handed out.
    highest: HashMap<String, u64>,
    /// The database was rolled back: generations may be given again, and calendars may have lied.
    forgiving: bool,
    /// Somebody sets the clock: what had ended a moment ago may live again.
    jumpy: bool,
    pub(super) answered: u64,
}

impl Observer {
    pub(super) fn new(mood: &Mood) -> Self {
        Self { forgiving: mood.forgetful || mood.jumpy, jumpy: mood.jumpy, ..Self::default() }
    }

    /// A new life: the requests of the last one are gone.
    pub(super) fn begin_life(&mut self) {
        self.requests.clear();
    }

    pub(super) fn ask(&mut self, broker: &SimBroker, customer: &Customer) {
        self.begin(broker, customer, Ask::default());
    }

    /// Says that the provider refused what is served.
    pub(super) fn refuse(&mut self, broker: &SimBroker, customer: &Customer) {
        let tag = current(broker, &customer.credential);
        self.begin(broker, customer, Ask { refused: Some(tag), known: None, ..Ask::default() });
    }

    /// Says that it has what is served.
    pub(super) fn revalidate(&mut self, broker: &SimBroker, customer: &Customer) {
        let tag = current(broker, &customer.credential);
        self.begin(broker, customer, Ask { refused: None, known: Some(tag), ..Ask::default() });
    }

    fn begin(&mut self, broker: &SimBroker, customer: &Customer, ask: Ask) {
        let refuses = ask.refused.is_some();
        let asked = broker.ask(&customer.key, ask);
        let asking = asked.abort_handle();
        let (holding, clock) = (broker.holding(&customer.credential), broker.clock.clone());
        let timeline = broker.rotator.parts().timeline.clone();
        let seen = tokio::spawn(async move {
            let answer = asked.await.ok()?;
            let credential = holding.served().credential.clone();
            Some(Seen { answer, credential, now: timeline.now(), truth: clock.truth() })
        });
        let credential = customer.credential.clone();
        let floor = self.highest.get(&credential).copied().unwrap_or_default();
        self.requests.push(Request { credential, floor, refuses, asking, seen });
    }

    /// The one that asked last goes away.
    pub(super) fn go_away(&mut self) {
        if let Some(request) = self.requests.pop() {
            request.asking.abort();
        }
    }

    /// Looks at every answer that has come.
    pub(super) async fn look(&mut self, broker: &SimBroker) {
        let (done, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.requests).into_iter().partition(|request| request.seen.is_finished());
        self.requests = waiting;
        for Request { credential, floor, refuses, seen, .. } in done {
            let Some(seen) = seen.await.expect("a request does not panic") else { continue };
            self.answered += 1;
            match &seen.answer {
                Ok(Handed::Token(handout)) => {
                    let token = handout.answer();
                    self.generation_of(&credential, floor, token.generation);
                    self.is_good(broker, token.access_token.expose(), seen.truth);
                }
                Ok(Handed::Unchanged(tag)) => self.generation_of(&credential, floor, tag.generation),
                Err(refused) if refuses => assert!(!matches!(refused, Refused::NoGrant | Refused::Revoked)),
                Err(Refused::Busy(_) | Refused::BackingOff(_)) if self.jumpy => {}
                Err(refused) => must_have_ended(&credential, &seen, refused),
            }
        }
    }

    fn generation_of(&mut self, credential: &str, floor: u64, generation: u64) {
        assert!(self.forgiving || generation >= floor, "{credential}: generation {generation} after {floor}");
        let highest = self.highest.entry(credential.to_owned()).or_default();
        *highest = generation.max(*highest);
    }

    fn is_good(&self, broker: &SimBroker, access_token: &str, truth: i64) {
        match broker.provider.oracle().check_access(access_token, truth) {
            Ok(_) => {}
            Err(AccessRefusal::Expired) => assert!(self.forgiving, "a token was handed out that had ended"),
            Err(AccessRefusal::Invalidated) => panic!("a token was handed out that nobody issued"),
        }
    }
}

fn current(broker: &SimBroker, credential: &str) -> TokenTag {
    let holding = broker.holding(credential);
    let generation = holding.served().credential.rotation.generation;
    TokenTag { credential: holding.id().as_str().to_owned(), generation }
}

/// Nothing was handed out: then there was nothing to hand out.
fn must_have_ended(name: &str, seen: &Seen, refused: &Refused) {
    let Seen { credential, now, .. } = seen;
    let tokens = credential.tokens.as_ref();
    let lives = tokens.is_some_and(|tokens| tokens.expires_at > *now);
    let excused = match refused {
        Refused::Paused(_) | Refused::Audit(_) => true,
        // Renewed in the very moment in which the request gave up.
        Refused::Busy(_) | Refused::BackingOff(_) => tokens.is_some_and(|tokens| tokens.obtained_at >= *now),
        Refused::Reauth(_) | Refused::Quarantined(_) | Refused::Fenced => false,
        // Nobody here asks for a token that lasts.
        Refused::NoGrant | Refused::Revoked | Refused::Denied(_) | Refused::TooSoon(_) | Refused::Short { .. } => false,
    };
    assert!(
        excused || !lives || credential.pause == Pause::All,
        "{name}: {refused:?} although its token lives: {now:?} {credential:?}"
    );
}
